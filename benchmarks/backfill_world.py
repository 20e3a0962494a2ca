"""Outlets with a long past, as backfill.py and the tests play them.

Each is one kind of site: pages by number (WordPress, Drupal), archives (RFC 5005), or
sitemaps. Its live feed has the newest entries only. One entry in fifty is about the
topic, and one in fifty more is in doubt.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import parse_qsl, urlsplit
from xml.sax.saxutils import escape

NEWEST = datetime(2026, 11, 23, 8, tzinfo=UTC)
APART = timedelta(hours=12)  # between two entries
LIVE = 10  # entries of the live feed
FOUND = 50  # of so many entries one is about the topic, and one more in doubt
DOUBTFUL = 25  # where that stands among them
TOPIC = """
[[topics]]
id = "clic"
title = "Le clic"
match = ["travailleurs du clic"]
review = ["petites mains"]
"""
Kind = Literal["wordpress", "drupal", "archives", "sitemaps"]
PATHS: dict[Kind, str] = {
    "wordpress": "/feed/",
    "drupal": "/rss.xml",
    "archives": "/feed.atom",
    "sitemaps": "/feed",
}


@dataclass
class Past:
    """One outlet. page: entries on each of its documents. root: its address.

    broken: what targets answer in place of their documents. asked: every target that
    was, in order. listen: told of each before it is answered.
    """

    kind: Kind
    count: int
    page: int = 10
    root: str = ""
    broken: dict[str, tuple[int, dict[str, str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    listen: Callable[[str], None] = field(default=lambda _target: None)

    @property
    def feed(self) -> str:
        """The address of its live feed."""
        return self.root + PATHS[self.kind]

    @property
    def live(self) -> int:
        """How many entries its live feed has."""
        return self.page if self.kind in ("wordpress", "drupal") else LIVE

    @property
    def found(self) -> int:
        """How many of its entries are about the topic, in doubt or not."""
        return sum(n % FOUND in (0, DOUBTFUL) for n in range(self.count))

    @property
    def found_live(self) -> int:
        """How many of those its live feed has."""
        return sum(n % FOUND in (0, DOUBTFUL) for n in range(self.live))

    def answer(self, target: str) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body of what is asked for."""
        self.asked.append(target)
        self.listen(target)
        if target in self.broken:
            return *self.broken[target], b"not now"
        parts = urlsplit(target)
        query = {k: int(v) for k, v in parse_qsl(parts.query) if v.isdigit()}
        body = getattr(self, self.kind)(parts.path, query)
        return (404, {}, b"not here") if body is None else (200, {}, body)

    # ── the kinds ─────────────────────────────────────────────────────────────────────

    def wordpress(self, path: str, query: dict[str, int]) -> bytes | None:
        """Return a page of a feed by `paged`, the first being 1."""
        page = query.get("paged", 1)
        listed = self.listed(page - 1)
        return rss(self, listed) if path == PATHS["wordpress"] and listed else None

    def drupal(self, path: str, query: dict[str, int]) -> bytes | None:
        """Return a page of a feed by `page`, the first being 0; the last is empty."""
        known = path == PATHS["drupal"]
        return rss(self, self.listed(query.get("page", 0))) if known else None

    def archives(self, path: str, _query: dict[str, int]) -> bytes | None:
        """Return the live feed, or the archive of a number, 1 being the oldest."""
        whole = self.count // self.page  # archives that are complete
        if path == PATHS["archives"]:
            return atom(self, range(LIVE), {"prev-archive": whole})
        name = path.removeprefix("/archive/").removesuffix(".atom")
        number = int(name) if name.isdigit() else 0
        if not 0 < number <= whole:
            return None
        links = {"prev-archive": number - 1, "next-archive": number + 1}
        return atom(self, self.listed(whole - number), links)

    def sitemaps(self, path: str, _query: dict[str, int]) -> bytes | None:
        """Return a feed that has one page only, or a news sitemap of an index."""
        if path == PATHS["sitemaps"]:
            return rss(self, range(LIVE))
        if path == "/robots.txt":
            return f"User-agent: *\nSitemap: {self.root}/index.xml\n".encode()
        if path == "/index.xml":
            pages = range(-(-self.count // self.page))
            return index(
                {f"{self.root}/news-{n}.xml": date(n * self.page) for n in pages}
            )
        number = path.removeprefix("/news-").removesuffix(".xml")
        listed = self.listed(int(number)) if number.isdigit() else None
        return news(self, listed) if listed else None

    def listed(self, page: int) -> range:
        """Return the entries of a page, the first page being 0."""
        return range(self.count)[page * self.page : (page + 1) * self.page]

    def url(self, entry: int) -> str:
        """Return the address of an article."""
        return f"https://{self.kind}.example/{entry}/article"


def title(entry: int) -> str:
    """Return the title of an entry; 0 is the newest."""
    subject = {0: "Les travailleurs du clic", DOUBTFUL: "Les petites mains"}
    return f"{subject.get(entry % FOUND, 'Une journée au conseil')}, épisode {entry}"


def date(entry: int) -> datetime:
    """Return when an entry was published."""
    return NEWEST - entry * APART


def rss(past: Past, entries: range) -> bytes:
    """Return an RSS document."""
    items = "".join(
        f"<item><title>{escape(title(n))}</title><link>{past.url(n)}</link>"
        f"<guid isPermaLink='false'>{past.kind} {n}</guid>"
        f"<pubDate>{format_datetime(date(n))}</pubDate>"
        f"<description>Numéro {n}, au jour le jour.</description></item>"
        for n in entries
    )
    made_by = "https://wordpress.org/?v=6.4" if past.kind == "wordpress" else ""
    return (
        f"<rss version='2.0'><channel><title>{past.kind}</title>"
        f"<link>{past.root}/</link><description>x</description>"
        f"<generator>{made_by}</generator>{items}</channel></rss>"
    ).encode()


def atom(past: Past, entries: range, links: dict[str, int]) -> bytes:
    """Return an Atom document; links: by relation, the number of an archive."""
    items = "".join(
        f"<entry><id>tag:{past.kind}.example,2020:{n}</id><title>{title(n)}</title>"
        f"<link href='{past.url(n)}'/><published>{date(n).isoformat()}</published>"
        f"<updated>{date(n).isoformat()}</updated></entry>"
        for n in entries
    )
    shown = "".join(
        f"<link rel='{name}' href='/archive/{number}.atom'/>"
        for name, number in links.items()
        if number
    )
    return (
        f"<feed xmlns='http://www.w3.org/2005/Atom'><title>{past.kind}</title>"
        f"<id>tag:{past.kind}.example,2020:feed</id>{shown}"
        f"<updated>{NEWEST.isoformat()}</updated>{items}</feed>"
    ).encode()


def index(sitemaps: Mapping[str, datetime]) -> bytes:
    """Return a list of sitemaps; they changed at these times."""
    rows = "".join(
        f"<sitemap><loc>{url}</loc><lastmod>{at.isoformat()}</lastmod></sitemap>"
        for url, at in sitemaps.items()
    )
    name = "http://www.sitemaps.org/schemas/sitemap/0.9"
    return f"<sitemapindex xmlns='{name}'>{rows}</sitemapindex>".encode()


def news(past: Past, entries: range) -> bytes:
    """Return a news sitemap."""
    rows = "".join(
        f"<url><loc>{past.url(n)}</loc><n:news><n:publication><n:name>x</n:name>"
        f"<n:language>fr</n:language></n:publication><n:title>{title(n)}</n:title>"
        f"<n:publication_date>{date(n).isoformat()}</n:publication_date></n:news></url>"
        for n in entries
    )
    return (
        "<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9' "
        "xmlns:n='http://www.google.com/schemas/sitemap-news/0.9'>"
        f"{rows}</urlset>"
    ).encode()


@contextmanager
def served(past: Past) -> Iterator[Past]:
    """Serve an outlet on this machine; its root is set."""

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            status, headers, body = past.answer(self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Say nothing of a client that hangs up: it was killed."""

    with Quiet(("127.0.0.1", 0), Answer) as server:
        past.root = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield past
        finally:
            server.shutdown()
            thread.join()
