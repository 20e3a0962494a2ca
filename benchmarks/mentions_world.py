"""The world of `mentions`: a labelled corpus served as feeds, and the real runs on it.

Nothing of the package is imported. What became of the items is read from the database.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from played import NoRunError, answering, cycle, letters

# What the labels of the corpus are called in the shipped feeds.toml.
TOPICS = {
    "documentary": "documentaire",
    "author": "auteur",
    "microwork": "microtravail",
    "moderation": "moderation",
    "riders": "livreurs",
    "ai-training": "ia",
}
KEYS = ("match", "review", "never")  # those that hold lines


@dataclass(frozen=True)
class Item:
    """A labelled item. topics: ids of feeds.toml; borderline: others might differ."""

    id: str
    outlet: str
    title: str
    summary: str
    url: str
    published: str
    topics: tuple[str, ...]
    relevant: bool
    borderline: bool


@dataclass(frozen=True)
class Fate:
    """What became of an item. topics: those it is published in, or waits for."""

    state: str = ""
    topics: tuple[str, ...] = ()

    def published(self, topics: Iterable[str]) -> bool:
        """Tell whether it is published in one of the topics."""
        return self.state == "published" and bool({*topics} & {*self.topics})

    def waits(self, topics: Iterable[str]) -> bool:
        """Tell whether it waits, nowhere published, for one of the topics."""
        return self.state == "waiting" and bool({*topics} & {*self.topics})


class Feeds(SimpleHTTPRequestHandler):
    """Serves the feeds of a folder."""

    extensions_map = {".xml": "application/rss+xml"}  # noqa: RUF012

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


def read(corpus: Path) -> list[Item]:
    """Return the items of a corpus: a file, or a folder with one mentions-*.jsonl."""
    if corpus.is_dir():
        (corpus,) = corpus.glob("mentions-*.jsonl")
    raws = map(json.loads, corpus.read_text("utf-8").splitlines())
    return [
        Item(
            **{name: raw[name] for name in ("id", "outlet", "title", "summary")},
            url=raw["url"],
            published=raw["published"],
            topics=tuple(TOPICS[label] for label in raw["topics"]),
            relevant=raw["relevant"],
            borderline=raw.get("borderline", False),
        )
        for raw in raws
    ]


# ── serving and running ───────────────────────────────────────────────────────────────


def serve(items: Iterable[Item], folder: Path, stack: ExitStack) -> dict[str, str]:
    """Serve a feed for each outlet until the stack ends; return outlet → address."""
    by_outlet = defaultdict(list)
    for item in items:
        by_outlet[item.outlet].append(item)
    folder.mkdir()
    for number, (outlet, own) in enumerate(by_outlet.items()):
        (folder / f"{number}.xml").write_text(rss(outlet, own), "utf-8")
    base = answering(partial(Feeds, directory=str(folder)), stack)
    return {outlet: f"{base}/{n}.xml" for n, outlet in enumerate(by_outlet)}


def rss(outlet: str, items: Iterable[Item]) -> str:
    """Return an RSS feed; texts are as XML parsing leaves them, so escaped once."""
    entries = "".join(
        f'<item><guid isPermaLink="false">{item.id}</guid>'
        f"<title>{escape(item.title)}</title>"
        + (f"<link>{escape(item.url)}</link>" if item.url else "")
        + f"<description>{escape(item.summary)}</description>"
        f'<dc:date xmlns:dc="http://purl.org/dc/elements/1.1/">{item.published}'
        "</dc:date></item>"
        for item in items
    )
    return (
        f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel>'
        f"<title>{escape(outlet)}</title><link>https://outlet.invalid/</link>"
        f"<description/>{entries}</channel></rss>"
    )


def adapted(feeds: Mapping[str, Any], addresses: Mapping[str, str]) -> dict[str, Any]:
    """Return a feeds.toml's content for the served outlets, with the keys it has."""
    known = {letters(name): keys for name, keys in feeds["outlets"].items()}
    outlets = {}
    for name, url in addresses.items():
        keys = known.get(letters(name))
        outlets[name] = {**(keys if isinstance(keys, dict) else {}), "url": url}
    return {
        "site": feeds["site"],
        "polling": {"allow_private_addresses": True},
        "matching": {"articles": "none"},
        "topics": feeds["topics"],
        "outlets": outlets,
    }


def by_line(feeds: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the content with each line as a topic of its own, and id → line.

    All outlets are asked for all of them, whatever their own keys say. What a line of
    `match` finds is published in its topic; `review` and `never` look at the same
    texts, so both let it wait there.
    """
    lines = {
        f"line-{number}": line for number, line in enumerate(_lines(feeds["topics"]))
    }
    topics = [
        {
            "id": name,
            "title": name,
            "match" if key == "match" else "review": [line],
        }
        for name, (_, key, line) in lines.items()
    ]
    outlets = {name: keys["url"] for name, keys in feeds["outlets"].items()}
    return {**feeds, "topics": topics, "outlets": outlets}, lines


def _lines(topics: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """Yield (topic, key, line) in the order of the file."""
    for topic in topics:
        for key in KEYS:
            lines = topic.get(key, [])
            for line in [lines] if isinstance(lines, str) else lines:
                yield topic["id"], key, line


def run(content: Mapping[str, Any], folder: Path) -> Path:
    """Run one cycle on a feeds.toml of this content; return the database.

    Raises NoRunError when it fails, or an outlet could not be read.
    """
    folder.mkdir()
    config = folder / "feeds.toml"
    config.write_text(toml(content), "utf-8")
    report = cycle(config, datetime.now(UTC))
    if report["failed"]:
        raise NoRunError(f"{report['failed']} feeds could not be read: {report}")
    return folder / "aggregator.db"


def toml(content: Mapping[str, Any]) -> str:
    """Return a feeds.toml; JSON's strings, lists and numbers are TOML's too."""

    def value(raw: object) -> str:
        if isinstance(raw, dict):
            pairs = (f"{json.dumps(key)} = {value(each)}" for key, each in raw.items())
            return "{ " + ", ".join(pairs) + " }"
        return json.dumps(raw, ensure_ascii=False)

    tables = [
        (f"[[{name}]]" if isinstance(raw, list) else f"[{name}]", each)
        for name, raw in content.items()
        for each in (raw if isinstance(raw, list) else [raw])
    ]
    return "".join(
        f"{head}\n"
        + "".join(
            f"{json.dumps(key, ensure_ascii=False)} = {value(raw)}\n"
            for key, raw in each.items()
        )
        for head, each in tables
    )


# The only place that knows the schema.


def fates(database: Path) -> dict[str, Fate]:
    """Return what became of each item that has a story, by its id."""
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as db:
        return {
            key: Fate(state, tuple(json.loads(topics)))
            for key, state, topics in db.execute(
                "SELECT e.key, s.state, s.topics"
                " FROM entries e JOIN stories s ON s.short = e.story"
            )
        }


def finds(database: Path) -> dict[str, set[str]]:
    """Return the items in which each topic was found, surely or not."""
    found: dict[str, set[str]] = defaultdict(set)
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as db:
        for topic, key in db.execute(
            "SELECT m.topic, e.key FROM mentions m JOIN entries e ON e.id = m.entry"
        ):
            found[topic].add(key)
    return found
