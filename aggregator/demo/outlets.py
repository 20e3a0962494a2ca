"""The recorded outlets as a real HTTP server on this machine.

It answers as outlets' servers do: validators, 304, gzip, failures, pages that are not
there. Only 127.0.0.1 is listened on. What an outlet says stands in `world/`, how it
says it in `documents`; nothing of the product's pipeline may enter.
"""

from __future__ import annotations

import gzip
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import blake2b
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Lock, Thread
from typing import Any, Self
from urllib.parse import urlsplit

from aggregator.demo import WORLD, documents
from aggregator.demo.documents import Publication, Recorded
from aggregator.model import AggregatorError
from aggregator.serve import Server

_NO_OUTLETS = frozenset({"feeds", "curation"})  # the maintainer's own two files
_HTML = "text/html; charset=utf-8"
_IDLE_S = 10  # a client that says nothing on an open connection is left after this


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server says to one request: a status, headers and a body."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


def load(folder: Path = WORLD) -> tuple[Publication, ...]:
    """Return the recorded outlets, sorted by the name of their file."""
    return tuple(
        _outlet(path.stem, tomllib.loads(path.read_text("utf-8")))
        for path in sorted(folder.glob("*.toml"))
        if path.stem not in _NO_OUTLETS
    )


def _outlet(slug: str, table: dict[str, Any]) -> Publication:
    """Return the outlet that a file describes, newest entries first."""
    entries = [_entry(dict(row)) for row in table.pop("entries", ())]
    entries.sort(key=lambda entry: entry.date, reverse=True)
    return Publication(slug=slug, entries=tuple(entries), **table)


def _entry(row: dict[str, Any]) -> Recorded:
    """Return one entry of an outlet's file."""
    later = row.pop("retitled", {})
    paragraphs = tuple(row.pop("paragraphs", ()))
    return Recorded(
        **row,
        paragraphs=paragraphs,
        retitled=later.get("title", ""),
        retitled_at=later.get("at"),
    )


def visible(outlet: Publication, edition: int) -> tuple[Recorded, ...]:
    """Return the outlet's entries as they stand in an edition, newest first."""
    return tuple(
        _later(entry) if edition > 1 else replace(entry, retitled_at=None)
        for entry in outlet.entries
        if entry.edition <= edition
    )


def _later(entry: Recorded) -> Recorded:
    """Return the entry under its later title, if it has one."""
    return replace(entry, title=entry.retitled or entry.title)


def answer(
    outlets: Iterable[Publication],
    edition: int,
    base: str,
    path: str,
    asked: dict[str, str],
) -> Answer:
    """Return what the outlets' server says to a request for `path`.

    asked: the request's headers, their names in lower case.
    """
    if path == "/robots.txt":
        text = b"User-agent: *\nDisallow:\n"
        return Answer(HTTPStatus.OK, {"Content-Type": "text/plain"}, text)
    for outlet in outlets:
        entries = visible(outlet, edition)
        if path == outlet.feed_path:
            return _feed(outlet, entries, base, asked)
        if path == f"/{outlet.slug}/":
            return _html(documents.home(outlet, entries, base))
        for entry in entries:
            if path == f"/{outlet.slug}/{entry.slug}" and entry.paragraphs:
                return _html(documents.article(outlet, entry, base))
    return _error(HTTPStatus.NOT_FOUND)


def _feed(
    outlet: Publication,
    entries: tuple[Recorded, ...],
    base: str,
    asked: dict[str, str],
) -> Answer:
    """Return the outlet's feed, 304 when the client has it, or its failure."""
    if outlet.status != HTTPStatus.OK:
        return _error(HTTPStatus(outlet.status))
    body = documents.feed(outlet, entries, base)
    headers = {"Content-Type": documents.TYPES[outlet.format]}
    match outlet.validators:
        case "etag":
            tag = blake2b(body, digest_size=8).hexdigest()
            headers["ETag"] = f'W/"{tag}"' if outlet.gzip else f'"{tag}"'
            known = headers["ETag"] in asked.get("if-none-match", "")
        case "date":
            at = documents.changed(entries).astimezone(UTC)
            headers["Last-Modified"] = format_datetime(at, usegmt=True)
            known = _since(asked.get("if-modified-since", "")) >= at
        case "none":
            known = False
    if known:
        return Answer(HTTPStatus.NOT_MODIFIED, headers)
    if outlet.gzip:
        headers["Vary"] = "Accept-Encoding"
        if "gzip" in asked.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            body = gzip.compress(body, mtime=0)
    return Answer(HTTPStatus.OK, headers, body)


def _since(text: str) -> datetime:
    """Return the date of an If-Modified-Since; what is no date is long ago."""
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)


def _html(body: bytes) -> Answer:
    """Return a page."""
    return Answer(HTTPStatus.OK, {"Content-Type": _HTML}, body)


def _error(status: HTTPStatus) -> Answer:
    """Return an error as outlets show it: a page, whatever was asked for."""
    text = f"<!DOCTYPE html><title>{status.phrase}</title><h1>{status.phrase}</h1>\n"
    return Answer(status, {"Content-Type": _HTML}, text.encode())


class World:
    """The server, started by `with`; port 0 takes a free one.

    edition: which state of the outlets is served, 1 or 2; set it to turn the clock.
    answered: (path, status) of each request so far, in the order of the answers.
    Raises AggregatorError when the port cannot be had.
    """

    def __init__(self, port: int = 0) -> None:
        """Take the port, without answering yet."""
        self.outlets = load()
        self.edition = 1
        self.answered: list[tuple[str, int]] = []
        self._lock = Lock()
        try:
            self._server = Server(("127.0.0.1", port), self._handler())
        except (OSError, OverflowError) as exc:
            raise AggregatorError(f"port {port} cannot be had: {exc}") from exc
        self._thread = Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},  # seconds; how long ending may take
            name="recorded-outlets",
            daemon=True,
        )

    @property
    def base(self) -> str:
        """Address of the server, without the final slash."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        """Begin to answer."""
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        """Stop answering and give the port back."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, target: str, asked: dict[str, str]) -> Answer:
        """Return the answer to one request, and remember that it was given."""
        path = urlsplit(target).path
        reply = answer(self.outlets, self.edition, self.base, path, asked)
        with self._lock:
            self.answered.append((path, int(reply.status)))
        return reply

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        """Return the class whose instances speak HTTP for this world."""
        world = self

        class Handler(BaseHTTPRequestHandler):
            """One connection."""

            protocol_version = "HTTP/1.1"
            timeout = _IDLE_S
            disable_nagle_algorithm = True  # else each answer waits 40 ms for an ACK

            def do_GET(self) -> None:
                """Answer with the body."""
                self._reply(with_body=True)

            def do_HEAD(self) -> None:
                """Answer without it."""
                self._reply(with_body=False)

            def _reply(self, *, with_body: bool) -> None:
                asked = {name.lower(): value for name, value in self.headers.items()}
                reply = world.answer(self.path, asked)
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if reply.status != HTTPStatus.NOT_MODIFIED:
                    self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                if with_body:
                    self.wfile.write(reply.body)

            def log_message(self, *_args: object) -> None:
                """Say nothing: the terminal belongs to the demo's summary."""

        return Handler
