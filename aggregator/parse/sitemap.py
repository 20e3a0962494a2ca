"""News sitemaps (sitemaps.org with Google's news extension), and lists of sitemaps.

Called by `parse` for those that are polled, by `past` for any.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import islice

from lxml import etree

from aggregator.model import Nested, ParseError
from aggregator.parse import dates, fields
from aggregator.parse.ladder import Item

ROOTS = frozenset({b"urlset", b"sitemapindex"})


@dataclass(frozen=True, slots=True)
class Sitemap:
    """A sitemap's articles; complete: False when its XML is broken.

    more: it has others behind them. titled: one of them has a title at least.
    """

    title: str
    language: str
    items: tuple[Item, ...]
    complete: bool
    more: bool = False
    titled: bool = True


def read(text: bytes, base: str, most: int) -> Sitemap:
    """Return the first `most` articles of a news sitemap.

    Raises ParseError for a list of sitemaps and for one without a single title.
    """
    found = part(text, base, 0, most)
    if found.items and not found.titled:
        raise ParseError("a sitemap without titles: only news sitemaps have them")
    return found


def part(text: bytes, base: str, start: int, most: int) -> Sitemap:
    """Return `most` articles of any sitemap from the one at `start`, titles or not.

    Raises ParseError for a list of sitemaps.
    """
    events = _events(text)
    found = list(islice(_urls(events), start, start + most + 1))
    more, found = len(found) > most, found[:most]
    first = found[0] if found else {}
    language = fields.language(first.get("language"))
    return Sitemap(
        title=fields.text(first.get("name", ""), markup=False),
        language=language,
        items=tuple(_item(values, base, language) for values in found),
        complete=not events.error_log,
        more=more,
        titled=any("title" in values for values in found),
    )


def nested(text: bytes, base: str) -> tuple[Nested, ...] | None:
    """Return the sitemaps that a list of them names; None when it is no list."""
    found = []
    for event, element in _events(text):
        name = _name(element)
        if name == "urlset":
            return None
        if event == "end" and name == "sitemap":
            values = _fields(element)
            if url := fields.link(values.get("loc"), base):
                found.append(Nested(url, dates.of_text(values.get("lastmod", ""))))
            element.clear()
    return tuple(found)


def _events(text: bytes) -> etree.iterparse:
    """Return the elements of a text as they begin and end; nothing else is asked."""
    return etree.iterparse(
        BytesIO(text),
        events=("start", "end"),
        recover=True,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
    )


def _urls(events: Iterable[tuple[str, etree._Element]]) -> Iterator[dict[str, str]]:
    """Yield the fields of each <url>, which is forgotten as soon as it is read."""
    for event, element in events:
        name = _name(element)
        if name == "sitemapindex":
            raise ParseError("a list of sitemaps: give the address of its news sitemap")
        if event == "end" and name == "url":
            yield _fields(element)
            parent = element.getparent()
            if parent is not None:
                del parent[:]


def _item(values: dict[str, str], base: str, language: str) -> Item:
    spoken = fields.language(values.get("language"))
    updated = dates.of_text(values.get("lastmod", ""))
    return Item(
        guid="",
        url=fields.link(values.get("loc"), base),
        title=fields.text(values.get("title", ""), markup=False),
        summary="",
        language="" if spoken == language else spoken,
        published_at=dates.of_text(values.get("publication_date", "")) or updated,
        updated_at=updated,
    )


def _fields(url: etree._Element) -> dict[str, str]:
    """Return the texts under a <url> by local name, the first of each."""
    found: dict[str, str] = {}
    for element in url.iter():
        if element.text and element.text.strip():
            name = _name(element)
            # an image has a title too
            if "image" not in str(element.tag) and "video" not in str(element.tag):
                found.setdefault(name, element.text.strip())
    return found


def _name(element: etree._Element) -> str:
    """Return the local name, "" for a comment or an instruction."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""
