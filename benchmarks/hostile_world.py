"""What a hostile outlet can do to who polls it, and ten healthy outlets beside it.

Each kind writes a whole answer by itself, so that a script or a test puts it behind any
server of the standard library. Bodies are made as they are sent: what is measured is
never the server.
"""

from __future__ import annotations

import json
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from itertools import chain, repeat

MOST = 10_000_000  # bytes: polling.max_bytes as shipped
FULL = MOST - 10_000  # bytes: as much as is still read
READ = ""  # no failure: what could be read of it was

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass(frozen=True)
class Kind:
    """A way to be hostile. reasons: how its failure may begin, READ = it has none."""

    answer: Answer
    reasons: tuple[str, ...] = (READ,)


@dataclass(frozen=True)
class Body:
    """Answers 200 with a body made on the fly; length: what is announced, if at all."""

    parts: Callable[[], Iterable[bytes]]
    headers: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        """Write until it is done or the client has enough."""
        handler.close_connection = True
        handler.send_response(200)
        for name, value in self.headers.items():
            handler.send_header(name, value)
        handler.send_header("Connection", "close")
        with suppress(OSError):
            handler.end_headers()
            for part in self.parts():
                handler.wfile.write(part)


def redirect(target: str) -> Answer:
    """Answer 302 to `target`; "{path}" in it is the path that was asked for."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", target.format(path=handler.path))
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def dripping(start: bytes, drop: bytes) -> Answer:
    """Write the start, then a drop twenty times a second for a minute."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        with suppress(OSError):
            handler.wfile.write(start)
            for _ in range(1200):
                threading.Event().wait(0.05)
                handler.wfile.write(drop)

    return answer


def raw(parts: Callable[[], Iterable[bytes]]) -> Answer:
    """Write these bytes as they are, status line and all."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        with suppress(OSError):
            for part in parts():
                handler.wfile.write(part)

    return answer


# ── documents ─────────────────────────────────────────────────────────────────────────

HEAD = b'<?xml version="1.0" encoding="utf-8"?>'
ITEM = (
    b"<item><guid isPermaLink='false'>%d</guid><title>Un article</title>"
    b"<link>https://hostile.invalid/%d</link></item>"
)


def rss(items: Iterable[bytes], prolog: bytes = b"") -> Iterator[bytes]:
    """Yield an RSS document of these items."""
    return chain(
        (HEAD, prolog, b"<rss version='2.0'><channel><title>H</title>"),
        items,
        (b"</channel></rss>",),
    )


def items(count: int, text: bytes = b"") -> Iterator[bytes]:
    """Yield that many items of their own, each with this text."""
    for number in range(count):
        item = ITEM % (number, number)
        yield item.replace(b"</item>", b"<description>%s</description></item>" % text)


def feed(*parts: bytes, prolog: bytes = b"") -> Body:
    """Answer with an RSS document of these parts."""
    return Body(lambda: rss(parts, prolog))


def filled(before: bytes, unit: bytes, after: bytes = b"") -> Body:
    """Answer with as many units as are still read, between two ends."""

    def parts() -> Iterator[bytes]:
        many = unit * (2**16 // len(unit) + 1)
        size = FULL - len(before) - len(after)
        whole = size // len(many)
        return chain(
            (before,),
            repeat(many, whole),
            (unit * ((size - whole * len(many)) // len(unit)), after),
        )

    return Body(parts)


def bomb() -> Iterator[bytes]:
    """Yield ten gigabytes of blanks, compressed."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, 31)
    yield deflate.compress(HEAD)
    for _ in range(10_000):
        yield deflate.compress(b" " * 1_000_000)
    yield deflate.flush()


def laughs() -> bytes:
    """Return entities that ten levels up would be ten billion laughs."""
    levels = (
        b'<!ENTITY l%d "%s">' % (level, b"&l%d;" % (level - 1) * 10)
        for level in range(1, 11)
    )
    return b'<!DOCTYPE rss [<!ENTITY l0 "ha">' + b"".join(levels) + b"]>"


EXTERNAL = (
    b'<!DOCTYPE rss SYSTEM "http://127.0.0.1:%d/dtd" ['
    b'<!ENTITY file SYSTEM "file:///etc/hostname">'
    b'<!ENTITY page SYSTEM "http://127.0.0.1:%d/entity">'
    b'<!ENTITY %% all SYSTEM "http://127.0.0.1:%d/parameter"> %%all;]>'
)


def external(handler: BaseHTTPRequestHandler) -> None:
    """Answer with entities that stand on this very server, and in a file."""
    port: int = handler.server.server_address[1]  # type: ignore[index,assignment]
    item = b"<item><guid>1</guid><title>a &file; &page; z</title></item>"
    feed(item, prolog=EXTERNAL % (port, port, port))(handler)


PLAIN = b"<item><guid>1</guid><title>Un article</title></item>"
DOTS = b"<item><guid>1</guid><title>a</title><author>%s</author></item>" % (
    b"." * 97_000
)
REPEATED = b'<!DOCTYPE rss [<!ENTITY x "%s">]>' % (b"x" * 100_000)
LIMITS = ("body over", "not read within", "took more than", "not a feed", "the reading")
"""How a failure may begin that a limit of ours brings about."""

KINDS: dict[str, Kind] = {
    "endless-body": Kind(
        Body(lambda: rss(items(10**9))), ("body over 10 MB", "timeout")
    ),
    "dripping-headers": Kind(
        dripping(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"), ("timeout",)
    ),
    "endless-headers": Kind(
        raw(
            lambda: chain(
                (b"HTTP/1.1 200 OK\r\n",), repeat(b"X-A: " + b"b" * 60_000 + b"\r\n")
            )
        ),
        ("no http answer", "timeout"),
    ),
    "dripping-body": Kind(
        dripping(b"HTTP/1.1 200 OK\r\n\r\n" + HEAD, b" "), ("timeout",)
    ),
    "gzip-bomb": Kind(
        Body(bomb, {"Content-Encoding": "gzip"}), ("body over 10 MB", "timeout")
    ),
    "billion-laughs": Kind(
        feed(b"<item><title>&l10;</title></item>", prolog=laughs()), (READ, *LIMITS)
    ),
    "one-entity-often": Kind(
        feed(b"<item><title>" + b"&x;" * 10_000 + b"</title></item>", prolog=REPEATED),
        (READ, *LIMITS),
    ),
    "external-entity": Kind(external),
    "redirect-loop": Kind(redirect("{path}"), ("redirect loop",)),
    "redirect-to-private": Kind(
        redirect("http://169.254.169.254/latest/meta-data/"), ("refused",)
    ),
    "truncated-body": Kind(
        Body(lambda: [*rss([PLAIN, PLAIN[:20]])][:-1], {"Content-Length": "9999"})
    ),
    "100000-entries": Kind(Body(lambda: rss(items(100_000))), ("body over 10 MB",)),
    "100000-short-entries": Kind(feed(b"<item><title>a</title></item>" * 100_000)),
    "50-mb": Kind(Body(lambda: rss(items(10_000, b"x" * 5000))), ("body over 10 MB",)),
    "50-mb-announced": Kind(
        Body(lambda: rss(items(10_000)), {"Content-Length": "50000000"}),
        ("body over 10 MB",),
    ),
    "blank-lines": Kind(Body(lambda: chain((b"\n" * 39_000,), rss([PLAIN])))),
    "author-of-dots": Kind(feed(DOTS)),
}
HEAVY: dict[str, Kind] = {
    # As long as a document may be, and made to grow in memory.
    "long-entries": Kind(
        Body(lambda: rss(items(2000, b"mot " * 1200))), (READ, "not read within")
    ),
    # 10 MB whose texts Python holds at four bytes a letter: over a call's memory
    "wide-letters": Kind(
        Body(lambda: rss(items(2000, "\U0001f916".encode() + b"mot " * 1200))),
        (READ, *LIMITS),
    ),
    "blanks": Kind(filled(b"", b" \n", HEAD), ("empty document", "not a feed")),
    "tags": Kind(
        filled(b"<rss><channel><item><title>a</title>", b"<a>"), (READ, *LIMITS)
    ),
    "attributes": Kind(filled(b"<rss ", b"a='' ", b"/>"), (READ, *LIMITS)),
    "elements": Kind(
        filled(b"<rss><channel><item>", b"<a/>", b"</item></channel></rss>"),
        (READ, *LIMITS),
    ),
    "ampersands": Kind(
        filled(b"<rss><channel><item><title>a", b"&", b"</title></item>"),
        (READ, *LIMITS),
    ),
    "wrong-bytes": Kind(
        filled(b"<rss><channel><item><title>a", b"\xe9", b"</title></item>"),
        (READ, *LIMITS),
    ),
    "people": Kind(
        filled(b"<rss><channel><item>", b"<author>a@b</author>", b"</item></channel>"),
        (READ, *LIMITS),
    ),
    "json-objects": Kind(
        filled(b'{"items": [{"id": 1},', b"{},", b"{}]}"), (READ, *LIMITS)
    ),
    "json-depth": Kind(filled(b"", b"["), ("json that cannot be read",)),
    "sitemap": Kind(
        filled(
            b"<urlset><url><loc>https://hostile.invalid/</loc><title>a</title></url>",
            b"<url/>",
            b"</urlset>",
        ),
        (READ, *LIMITS),
    ),
    "web-page": Kind(filled(b"<!doctype html><html>", b"<p>a"), ("a web page",)),
}

# ── healthy outlets ───────────────────────────────────────────────────────────────────

HEALTHY = tuple(f"outlet-{number}.invalid" for number in range(10))


def healthy(host: str) -> bytes:
    """Return the document of a healthy outlet: 20 entries, some of them mentions."""
    listed = [
        {
            "id": f"{host}/{number}",
            "url": f"https://{host}/{number}",
            "title": f"Article {number} de {host}"
            + (", les travailleurs du clic" if number % 7 == 0 else ""),
            "date_published": f"2026-11-{1 + number:02}T08:00:00+01:00",
        }
        for number in range(20)
    ]
    version = "https://jsonfeed.org/version/1.1"
    return json.dumps({"version": version, "title": host, "items": listed}).encode()
