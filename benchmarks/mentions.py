"""Labelled items, served as their outlets' feeds, through the real command line.

Checks how well the query lines of a feeds.toml find what is relevant and leave alone
what is not, by what the items themselves carry (articles = "none"). Prints, for each
topic and overall, counts with 90 % Wilson intervals, with and without the items that
could be labelled otherwise, what went wrong, and for each query line what it finds and
what no other line of its topic finds: a line that alone finds one thing serves a single
case. Exit 1 when there are more errors than the bounds allow, times --times.

    python benchmarks/mentions.py [--corpus PATH] [--feeds FILE] [--times 2]
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
import tempfile
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler
from math import sqrt
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from played import CORPUS, ROOT, NoRunError, answering, cycle, letters

# What the labels of the corpus are called in the shipped feeds.toml.
TOPICS = {
    "documentary": "documentaire",
    "author": "auteur",
    "microwork": "microtravail",
    "moderation": "moderation",
    "riders": "livreurs",
    "ai-training": "ia",
}
CORE = ("documentaire", "auteur")
WATCHED = ("microtravail", "moderation", "livreurs", "ia")
KEYS = ("match", "review", "never")  # those that hold lines
Z = 1.6449  # standard deviations: 90 % of a normal distribution lie within them

# The errors allowed on the 158 items of mentions-dev.jsonl: 36 core, 54 watched.
CORE_WRONG, CORE_UNPUBLISHED, CORE_LOST = 1, 5, 1
WATCHED_WRONG, WATCHED_LOST = 2, 8
RELEVANT_PER_WAITING = 2


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


@dataclass
class Count:
    """The items of a topic or a group of topics. The fields are lists of items.

    labelled: those that belong here; of them `here` are published in the group, and
    `lost` neither published nor waiting in any topic. right, wrong: what is published
    in the group, whatever its label. waiting: for the group, relevant or not.
    """

    labelled: list[Item] = field(default_factory=list)
    here: list[Item] = field(default_factory=list)
    lost: list[Item] = field(default_factory=list)
    right: list[Item] = field(default_factory=list)
    wrong: list[Item] = field(default_factory=list)
    waiting: list[Item] = field(default_factory=list)


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


# ── counting ──────────────────────────────────────────────────────────────────────────


def counted(
    items: Iterable[Item], found: Mapping[str, Fate], topics: Iterable[str]
) -> Count:
    """Return what became of the items for a group of topics."""
    topics, count = (*topics,), Count()
    for item in items:
        fate = found.get(item.id, Fate())
        here = fate.published(topics)
        if {*topics} & {*item.topics}:
            count.labelled.append(item)
            if here:
                count.here.append(item)
            elif fate.state not in {"published", "waiting"}:
                count.lost.append(item)
        if here:
            (count.right if item.relevant else count.wrong).append(item)
        elif fate.waits(topics):
            count.waiting.append(item)
    return count


def wilson(part: int, whole: int) -> tuple[float, float]:
    """Return the 90 % interval of a share (Wilson 1927); all of it when whole = 0."""
    if not whole:
        return 0.0, 1.0
    share, spread = part / whole, Z * Z / whole
    middle = share + spread / 2
    half = Z * sqrt(share * (1 - share) / whole + spread / whole / 4)
    return (
        max(0.0, (middle - half) / (1 + spread)),
        min(1.0, (middle + half) / (1 + spread)),
    )


def exceeded(items: Iterable[Item], found: Mapping[str, Fate], times: int) -> list[str]:
    """Return one line for each bound that does not hold, times the allowed errors."""
    items = [*items]
    core, watched = counted(items, found, CORE), counted(items, found, WATCHED)
    every = counted(items, found, (*CORE, *WATCHED))
    relevant = sum(item.relevant for item in items)
    unpublished = len(core.labelled) - len(core.here)
    return [
        f"{what}: {number}, at most {most} allowed"
        for what, number, most in (
            ("core, wrong", len(core.wrong), CORE_WRONG * times),
            ("core, not published", unpublished, CORE_UNPUBLISHED * times),
            ("core, not found", len(core.lost), CORE_LOST * times),
            ("watched, wrong", len(watched.wrong), WATCHED_WRONG * times),
            ("watched, not found", len(watched.lost), WATCHED_LOST * times),
            ("waiting", len(every.waiting), relevant // RELEVANT_PER_WAITING),
        )
        if number > most
    ]


# ── printing ──────────────────────────────────────────────────────────────────────────

HEAD = (
    "labelled",
    "published",
    "recall",
    "90 %",
    "not found",
    "right",
    "wrong",
    "precision",
    "90 %",
    "waiting",
)


def table(items: Iterable[Item], found: Mapping[str, Fate]) -> Iterator[str]:
    """Yield the counts of each topic, of core and watched ones, and of all."""
    items = [*items]
    groups = {name: (name,) for name in TOPICS.values()}
    groups |= {"core": CORE, "watched": WATCHED, "all": (*CORE, *WATCHED)}
    yield "\t".join(("topic", *HEAD))
    for name, topics in groups.items():
        count = counted(items, found, topics)
        right, here = len(count.right), len(count.here)
        published = right + len(count.wrong)
        row = (
            name,
            len(count.labelled),
            here,
            *_share(here, len(count.labelled)),
            len(count.lost),
            right,
            len(count.wrong),
            *_share(right, published),
            len(count.waiting),
        )
        yield "\t".join(map(str, row))


def _share(part: int, whole: int) -> tuple[str, str]:
    least, most = wilson(part, whole)
    return f"{part / whole if whole else 0:.2f}", f"{least:.2f}–{most:.2f}"


def faults(items: Iterable[Item], found: Mapping[str, Fate]) -> Iterator[str]:
    """Yield each item that is not as it should be, with what became of it."""
    for item in items:
        fate = found.get(item.id, Fate())
        state = fate.state if fate.state in {"published", "waiting"} else "not found"
        core = {*item.topics} & {*CORE}
        wanted = item.topics if not core else CORE
        if fate.published(wanted) or (not item.relevant and state == "not found"):
            continue
        if item.relevant and not core and state == "published":
            continue  # a watched item may be found through any topic
        label = ",".join(item.topics) or "not relevant"
        where = ",".join(fate.topics) if state != "not found" else ""
        mark = " (borderline)" if item.borderline else ""
        yield f"{state} {where}\t{item.id}\t{label}{mark}\t{item.title[:90]}"


def line_table(
    items: Iterable[Item],
    lines: Mapping[str, tuple[str, str, str]],
    found: Mapping[str, set[str]],
) -> Iterator[str]:
    """Yield for each line: what it finds, and alone of its topic; right and wrong."""
    relevant = {item.id: item.relevant for item in items}

    def both(ids: Iterable[str]) -> str:
        judged = [relevant[each] for each in ids]
        return f"{sum(judged)}\t{len(judged) - sum(judged)}"

    yield "topic\tkey\tright\twrong\talone right\talone wrong\tline"
    for name, (topic, key, line) in lines.items():
        others = (
            found.get(other, set())
            for other, (its, kind, _) in lines.items()
            if other != name and its == topic and (kind == "never") == (key == "never")
        )
        own = found.get(name, set())
        alone = own.difference(*others)
        yield "\t".join((topic, key, both(own), both(alone), line))


def main() -> int:
    """Serve, run, count, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--feeds", type=Path, default=ROOT / "feeds.toml")
    parser.add_argument(
        "--times", type=int, default=1, help="as many times the errors are allowed"
    )
    given = parser.parse_args()
    items = read(given.corpus)
    feeds = tomllib.loads(given.feeds.read_text("utf-8"))
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        content = adapted(feeds, serve(items, work / "served", stack))
        single, lines = by_line(content)
        try:
            found = fates(run(content, work / "run"))
            by_lines = finds(run(single, work / "lines"))
        except NoRunError as exc:
            print(exc)
            return 1
    sure = [item for item in items if not item.borderline]
    print(f"{len(items)} items", *table(items, found), sep="\n")
    print(f"\n{len(sure)} without borderline ones", *table(sure, found), sep="\n")
    print("\nnot as labelled", *faults(items, found), sep="\n")
    print("\neach line", *line_table(items, lines, by_lines), sep="\n")
    problems = exceeded(items, found, given.times)
    print("", *problems or ["all bounds hold"], sep="\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
