"""What the scripts here share: the real command line, the database, plain comparison.

Nothing of the package is imported: what is measured is what a maintainer runs.
"""

from __future__ import annotations

import calendar
import html
import json
import os
import re
import sqlite3
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote

import feedparser
from ftfy import fix_encoding

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT.parent / "shared" / "corpus"
SINCE = 631_152_000  # 1990: what is dated earlier (0001-01-01, 1970) has no date


@dataclass(frozen=True)
class Row:
    """An entry as the database holds it; times in epoch seconds."""

    key: str
    url: str
    title: str
    published_at: int | None
    updated_at: int | None
    story: str


@dataclass(frozen=True)
class Expected:
    """An entry as an independent reader finds it; None, "" = it has none.

    published, updated: epoch seconds.
    """

    guid: str
    link: str
    title: str
    published: int | None
    updated: int | None


class Quiet(ThreadingHTTPServer):
    """The standard server, silent about clients that hang up or are killed."""

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Report what went wrong, unless the client merely left."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def answering(handler: Callable[..., BaseHTTPRequestHandler], stack: ExitStack) -> str:
    """Serve on a free port of 127.0.0.1 until the stack ends; return the address."""
    server = stack.enter_context(Quiet(("127.0.0.1", 0), handler))
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    stack.callback(server.shutdown)
    return f"http://127.0.0.1:{server.server_port}"


class Documents(BaseHTTPRequestHandler):
    """Serves feeds from memory; `of` makes a handler for a mapping of paths."""

    bodies: Mapping[str, bytes]

    @classmethod
    def of(cls, bodies: Mapping[str, bytes]) -> type[Documents]:
        """Return a handler that serves what `bodies` holds at the moment."""
        return type("Served", (cls,), {"bodies": bodies})

    def do_GET(self) -> None:
        """Answer with the document."""
        body = self.bodies.get(self.path)
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


class NoRunError(Exception):
    """The command line did not do its work; the text is what it said."""


# The only place that knows the schema: entries hang on the id of their feed's URL.


def stored(database: Path) -> dict[str, list[Row]]:
    """Return what the database holds, by the URL of the feed."""
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as db:
        found: dict[str, list[Row]] = {url: [] for (url,) in _feeds(db)}
        for feed, *row in db.execute(
            "SELECT f.url, e.key, e.url, e.title, e.published_at, e.updated_at, e.story"
            " FROM entries e JOIN feeds f ON f.id = e.feed ORDER BY e.id"
        ):
            found[feed].append(Row(*row))
    return found


def errors(database: Path) -> dict[str, str]:
    """Return why a feed fails, by its URL."""
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as db:
        return dict(db.execute("SELECT url, error FROM feeds WHERE failures > 0"))


def _feeds(db: sqlite3.Connection) -> Iterator[tuple[str]]:
    yield from db.execute("SELECT url FROM feeds")


def cycle(config: Path, now: datetime) -> dict[str, Any]:
    """Run one cycle of the real command line at `now`; return what it reports.

    Raises NoRunError for an exit status but 0, a traceback, or a report that is none.
    """
    epoch = str(int(now.timestamp()))
    report = _asked(config, ("run", "--json", "--all"), {"SOURCE_DATE_EPOCH": epoch})
    assert isinstance(report, dict)
    return report


def review(config: Path) -> list[dict[str, Any]]:
    """Return what waits for the maintainer; raises NoRunError as `cycle` does."""
    queue = _asked(config, ("review", "--json"), {})
    assert isinstance(queue, list)
    return queue


def _asked(
    config: Path, command: tuple[str, ...], environment: Mapping[str, str]
) -> object:
    """Run a command that prints JSON; return that."""
    done = subprocess.run(
        [sys.executable, "-m", "aggregator", *command],
        cwd=config.parent,
        env={**os.environ, "AGGREGATOR_CONFIG": str(config), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode or "Traceback" in done.stderr:
        raise NoRunError(f"exit status {done.returncode}\n{done.stderr}{done.stdout}")
    try:
        told: object = json.loads(done.stdout)
    except json.JSONDecodeError:
        raise NoRunError(f"no JSON:\n{done.stdout}{done.stderr}") from None
    return told


def published(folder: Path) -> dict[str, tuple[int, int]]:
    """Return size and time of every published file, to see what was touched."""
    return {
        str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def expected(body: bytes, url: str, kind: str) -> tuple[str, list[Expected]]:
    """Return the version of a feed and what feedparser, or json, finds in it."""
    if kind == "application/json":
        return _json(json.loads(body))
    headers = {"content-type": kind, "content-location": url}
    found = feedparser.parse(BytesIO(body), response_headers=headers)
    return found.get("version") or "none", [
        Expected(
            guid=entry.get("id", ""),
            link=entry.get("feedburner_origlink") or entry.get("link", ""),
            title=entry.get("title", ""),
            published=_epoch(entry, "published_parsed"),
            updated=_epoch(entry, "updated_parsed"),
        )
        for entry in found.entries
    ]


def _epoch(entry: Mapping[str, Any], name: str) -> int | None:
    """Return a date of feedparser's; its `get` would answer with another one."""
    date = entry[name] if name in entry else None  # noqa: SIM401
    at = calendar.timegm(date) if date else 0
    return at if at > SINCE else None


def _json(document: Mapping[str, Any]) -> tuple[str, list[Expected]]:
    """Return the items of a JSON Feed, read by the letter of its specification."""
    return "json", [
        Expected(
            guid=str(item.get("id", "")),
            link=item.get("url") or item.get("external_url") or "",
            title=item.get("title", ""),
            published=_iso(item.get("date_published")),
            updated=_iso(item.get("date_modified")),
        )
        for item in document["items"]
    ]


def _iso(text: str | None) -> int | None:
    return int(datetime.fromisoformat(text).timestamp()) if text else None


def letters(text: str) -> str:
    """Return the letters and digits of a text: what no clean-up may change."""
    for _ in range(2):
        text = html.unescape(text)
    text = unicodedata.normalize("NFKC", re.sub(r"<[^>]*>", "", text)).casefold()
    return "".join(char for char in text if char.isalnum())


def spellings(title: str) -> set[str]:
    """Return what a title may have become: itself, or itself with mojibake undone."""
    return {letters(title), letters(fix_encoding(html.unescape(title)))}


def address(url: str) -> str:
    """Return a URL however its escapes are written."""
    return unquote(html.unescape(url.strip()))
