"""Documents that are read for older entries: feeds, sitemaps of any kind, their lists.

What a poll refuses is of use here: a list of sitemaps, and a sitemap without titles, of
which the addresses have words. It runs in a child process as `parse` does: no network
and no clock may enter.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import unquote, urlsplit

from aggregator import spool
from aggregator.model import Document, Feed, Fetched, Nested, ParseError
from aggregator.parse import charset, ladder, markup, sitemap
from aggregator.parse.feeds import parse
from aggregator.parse.ladder import Item

PART: Final = 10_000  # articles of a sitemap that are read at once; it may have 50,000
_GZIP: Final = b"\x1f\x8b"
_WINDOW: Final = 31  # of zlib, for gzip
_UNPACKED: Final = 30_000_000  # bytes at most of a packed sitemap
_FEWEST: Final = 3  # words in an address that are a title
_WORD: Final = re.compile(r"[^\W\d_]+(?:\d+)?|\d+")
_ENDING: Final = re.compile(r"\.\w{1,5}$")
_NUMBER: Final = re.compile(r"\d{4,}|[0-9a-f]{8,}")  # of an article, not of its title


@dataclass(frozen=True, slots=True)
class Past:
    """What such a document says.

    nested: the sitemaps that a list names. sitemap: it is one, or a list. more: it has
    entries behind those that were read. cut: it may have, but they are not to be had:
    it is a feed with as many as may be read. untitled: titles are made of addresses.
    """

    document: Document
    sitemap: bool = False
    nested: tuple[Nested, ...] = ()
    more: bool = False
    cut: bool = False
    untitled: bool = False


def past(fetched: Fetched, feed: Feed, start: int, max_entries: int) -> Past:
    """Return what a document says; of a sitemap PART articles from the one at `start`.

    max_entries: of a feed. Raises ParseError as `parse` does.
    """
    body = spool.read(fetched)
    if body.startswith(_GZIP):
        body = _unpacked(body)
        fetched = replace(fetched, body=body, spooled="")
    text = markup.clean(charset.utf8(body, fetched.content_type).strip())
    if markup.root(text).rpartition(b":")[2] not in sitemap.ROOTS:
        document = parse(fetched, feed.url, max_entries, feed.outlet.kind)
        return Past(document, cut=len(document.entries) >= max_entries)
    listed = sitemap.nested(text, fetched.url)
    if listed is not None:
        return Past(Document("", "", "", ()), sitemap=True, nested=listed)
    found = sitemap.part(text, fetched.url, start, PART)
    items = found.items if found.titled else map(_titled, found.items)
    document = Document(
        found.title,
        "",
        found.language,
        ladder.entries(feed.url, [item for item in items if item.title]),
        complete=found.complete,
    )
    return Past(
        document,
        sitemap=True,
        more=found.more,
        untitled=bool(found.items) and not found.titled,
    )


def _titled(item: Item) -> Item:
    """Return an article with the words of its address for a title, if it has such."""
    folders = [part for part in urlsplit(item.url).path.split("/") if part]
    for folder in reversed(folders):
        name = _NUMBER.sub(" ", _ENDING.sub("", unquote(folder)))
        words = _WORD.findall(name)
        if len(words) >= _FEWEST:
            return replace(item, title=" ".join(words))
    return item


def _unpacked(body: bytes) -> bytes:
    """Return what a gzip file holds, as far as it goes and may go."""
    try:
        return zlib.decompressobj(_WINDOW).decompress(body, _UNPACKED)
    except zlib.error as exc:
        raise ParseError("a gzip file that cannot be read") from exc
