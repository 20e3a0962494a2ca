"""From the bytes of a document to its entries.

Most feeds are only skimmed (`skim`); feedparser reads what is not plain, and once more
what is to be published, and its word counts. Every entry that it finds becomes one of
ours, whatever it lacks. All this runs in a child process (`sandbox`), because a
document may cost feedparser minutes; the known ways to do that are cut away first. No
network and no clock may enter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from errno import ENOMEM
from io import BytesIO
from typing import Any, Final
from xml.sax import expatreader  # noqa: F401 - before a document leaves no room for it

import feedparser

from aggregator import spool, urls
from aggregator.model import Document, FeedKind, Fetched, ParseError
from aggregator.parse import (
    charset,
    dates,
    discovery,
    fields,
    jsonfeed,
    ladder,
    markup,
    rest,
    sitemap,
)
from aggregator.parse.ladder import Item
from aggregator.parse.skim import Skimmed, skim

_NAME: Final = 1000  # characters of a name that are read
_MAIL: Final = re.compile(r"\S{1,100}@\S{1,100}")


@dataclass(frozen=True, slots=True)
class _Source:
    """A feed before it is read. text: in UTF-8, cut to what may be read of it."""

    text: bytes
    feed_url: str
    base: str
    spoken: str
    search: bool
    max_entries: int
    complete: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """What a document says, and what it takes to ask feedparser for it again.

    items: those of which its entries were made, in order. source: None where nothing
    of it was skimmed.
    """

    document: Document
    items: tuple[Item, ...] = ()
    source: _Source | None = None


def parse(
    fetched: Fetched, feed_url: str, max_entries: int, kind: FeedKind = "feed"
) -> Document:
    """Return what a document says, with at most `max_entries` entries in its order.

    RSS, RDF and Atom of every version, JSON Feed, and news sitemaps. feed_url: the root
    of the entries' ids, whatever address answered. kind: "search" lets entries name
    their own outlet.

    Raises ParseError when the document is empty, a web page or something else.
    """
    found = _source(fetched, feed_url, max_entries, kind)
    return found if isinstance(found, Document) else _reading(found, _read).document


def read(
    fetched: Fetched, feed_url: str, max_entries: int, kind: FeedKind = "feed"
) -> Reading:
    """Return the same as `parse`, skimmed where that is enough.

    What is published of it is to be `confirmed` first.
    """
    found = _source(fetched, feed_url, max_entries, kind)
    return Reading(found) if isinstance(found, Document) else _reading(found, _skimmed)


def _source(
    fetched: Fetched, feed_url: str, max_entries: int, kind: FeedKind
) -> _Source | Document:
    """Return a feed as it is read, or what a document of another kind says."""
    text = charset.utf8(spool.read(fetched), fetched.content_type).strip()
    if not text:
        raise ParseError("empty document")
    base = _base(fetched)
    spoken = fields.language(fetched.content_language.partition(",")[0])
    if text[:1] in (b"{", b"["):
        json = jsonfeed.read(text, base, max_entries)
        return Document(
            json.title,
            json.home,
            json.language or spoken,
            ladder.entries(feed_url, json.items),
            complete=fetched.complete,
            older=json.older,
        )
    text = markup.clean(text)
    if markup.root(text).rpartition(b":")[2] in sitemap.ROOTS:
        news = sitemap.read(text, base, max_entries)
        return Document(
            news.title,
            "",
            news.language or spoken,
            ladder.entries(feed_url, news.items),
            complete=fetched.complete and news.complete,
        )
    if markup.plain_page(text):
        raise _no_feed(text, base)
    text = markup.bounded(text, max_entries)
    return _Source(
        text, feed_url, base, spoken, kind == "search", max_entries, fetched.complete
    )


def confirmed(reading: Reading, ids: Collection[int]) -> Document:
    """Return a document as it was read if feedparser reads these entries just so.

    Otherwise all of it as feedparser does, which is believed. ids: of the entries that
    matter, no matter which; without any there is nothing to be asked.
    """
    source, items = reading.source, reading.items
    unique = tuple(dict.fromkeys(items))  # as the entries
    asked = [
        item
        for item, entry in zip(unique, reading.document.entries, strict=False)
        if entry.id in ids
    ]
    if source is None or not asked:
        return reading.document
    places = sorted(map(items.index, asked))
    text = markup.only(source.text, places, len(items))
    again: list[Item] = []
    with suppress(ParseError):
        for part in markup.parts(text):
            result = _read(part, source.base, source.spoken)
            again += _items(result, source, reading.document.language)
    same = again == [items[place] for place in places]
    return reading.document if same else judged(reading)


def judged(reading: Reading) -> Document:
    """Return a document with every word of it read by feedparser."""
    source = reading.source
    return _reading(source, _read).document if source else reading.document


def _reading(source: _Source, reader: Callable[[bytes, str, str], Any]) -> Reading:
    """Return what a feed says; read in parts, since feedparser takes much memory."""
    text = source.text
    parts = markup.parts(text)
    result = reader(next(parts), source.base, source.spoken)
    skimmed = isinstance(result, Skimmed)
    html = markup.root(text).lower() == b"html"
    if not (skimmed or result.get("version") or (result.entries and not html)):
        raise _no_feed(text, source.base)
    feed, complete = result.feed, source.complete
    language = fields.language(feed.get("language"))
    items: list[Item] = []
    while True:
        # charsets are settled before, so that only broken XML is left to be "bozo"
        complete = complete and not result.bozo
        items += _items(result, source, language)
        part = next(parts, b"")
        if not part:
            break
        result = reader(part, source.base, source.spoken)
        skimmed = skimmed or isinstance(result, Skimmed)
    del items[source.max_entries :]
    document = Document(
        title=_shown(feed, "title"),
        home=fields.link(feed.get("link"), source.base),
        language=language,
        entries=ladder.entries(source.feed_url, items),
        complete=complete,
        dated_at=_date(feed, "updated") or _date(feed, "published"),
        rest=rest.read(feed, text),
        older=_older(feed, source.base),
        generator=_shown(feed, "generator"),
    )
    return Reading(document, tuple(items), source) if skimmed else Reading(document)


def _items(result: Any, source: _Source, language: str) -> Iterator[Item]:  # noqa: ANN401 - untyped library
    """Yield the entries of a result of feedparser's, or one like it."""
    for entry in result.entries:
        yield _item(entry, source.base, language, search=source.search)


def _skimmed(text: bytes, base: str, language: str) -> Any:  # noqa: ANN401 - untyped library
    """Return what a text says, by feedparser where that takes more than a glance."""
    return skim(text, base, language) or _read(text, base, language)


def _read(text: bytes, base: str, language: str) -> Any:  # noqa: ANN401 - untyped library
    """Return what feedparser makes of a text, once mended if it is malformed."""
    result = None
    with suppress(ParseError):
        result = _parsed(text, base, language)
        if not result.bozo:
            return result
    mended = markup.mended(text)
    if result is not None and mended == text:
        return result
    return _parsed(mended, base, language)


def _parsed(text: bytes, base: str, language: str) -> Any:  # noqa: ANN401 - untyped library
    """Return what feedparser makes of a text."""
    said = {
        "content-type": "application/xml; charset=utf-8",
        "content-location": base,
        "content-language": language,
    }
    try:
        result = feedparser.parse(
            BytesIO(text),
            response_headers=said,
            # `text.plain` and `fields.link` do both, in half the time
            sanitize_html=False,
            resolve_relative_uris=False,
        )
    except MemoryError:
        raise
    except Exception as exc:  # mutated feeds raise TypeError, ValueError and others
        if isinstance(exc, OSError) and exc.errno == ENOMEM:
            raise MemoryError from exc  # the system's word for it
        raise ParseError(f"feedparser cannot read it: {type(exc).__name__}") from exc
    if "out of memory" in str(result.get("bozo_exception", "")):
        raise MemoryError  # expat's; feedparser takes it for a fault of the document
    return result


def _item(entry: Any, base: str, language: str, *, search: bool) -> Item:  # noqa: ANN401
    published, updated = _date(entry, "published"), _date(entry, "updated")
    created = _date(entry, "created")
    title_detail = entry.get("title_detail") or {}
    spoken = fields.language(title_detail.get("language"))
    title = _shown(entry, "title")
    outlet = ""
    if search:
        source = entry.get("source")
        outlet = _shown(source, "title") if isinstance(source, dict) else ""
        outlet = outlet or _shown(entry, "news_source")  # Bing's
    contents = entry.get("content")
    full = max(
        (_content(each) for each in contents) if isinstance(contents, list) else (),
        key=len,
        default="",
    )
    summary, content = fields.split(_shown(entry, "summary"), full)
    return Item(
        guid=_string(entry.get("id")),
        url=_url(entry, base),
        title=title,
        summary=summary,
        content=content,
        author=_author(entry),
        language="" if spoken == language else spoken,
        outlet=outlet,
        published_at=published or created or updated,
        updated_at=updated,
    )


def _shown(holder: Any, name: str) -> str:  # noqa: ANN401 - untyped library
    """Return a text of feedparser's as readers see it."""
    detail = holder.get(f"{name}_detail")
    kind = detail.get("type") if isinstance(detail, dict) else ""
    return fields.text(holder.get(name), markup=kind != "text/plain")


def _content(content: Any) -> str:  # noqa: ANN401 - untyped library
    kind = str(content.get("type") or "text/html")
    if not kind.startswith(("text/", "application/xhtml")):
        return ""
    return fields.text(content.get("value"), markup=kind != "text/plain")


def _url(entry: Any, base: str) -> str:  # noqa: ANN401 - untyped library
    """Return the entry's page.

    What it was before FeedBurner put its counter in between; its link, an alternate of
    any type, or its permalink.
    """
    return next((url for url in _urls(entry, base) if url), "")


def _urls(entry: Any, base: str) -> Iterator[str]:  # noqa: ANN401 - untyped library
    original = _string(entry.get("feedburner_origlink"))
    if urls.web(original):
        yield fields.link(original, base)
    yield fields.link(entry.get("link"), base)
    links = entry.get("links")
    for other in links if isinstance(links, list) else ():
        if other.get("rel") == "alternate":
            yield fields.link(other.get("href"), base)
    if entry.get("guidislink"):
        yield fields.link(entry.get("id"), base)


def _author(entry: Any) -> str:  # noqa: ANN401 - untyped library
    """Return the names of who wrote it; addresses of mail are not for republishing."""
    people = entry.get("authors")
    names = [
        _string(person.get("name"))
        for person in (people if isinstance(people, list) else ())
    ]
    author = _string(entry.get("author"))  # the last of them, with its address
    if "@" in author or not any(names):
        # feedparser takes a name apart from its mail wrongly under .media or .paris
        names[-1:] = [author]
    shown = [_MAIL.sub("", fields.text(name[:_NAME])).strip(" ()<>,") for name in names]
    return ", ".join(dict.fromkeys(name for name in shown if name))


def _date(holder: Any, name: str) -> datetime | None:  # noqa: ANN401 - untyped library
    """Return a date; dict.get, because feedparser's own answers for another one."""
    text = dict.get(holder, name)
    parsed = dict.get(holder, f"{name}_parsed")
    return dates.of_feed(text, parsed) if isinstance(text, str) else None


def _older(feed: Any, base: str) -> str:  # noqa: ANN401 - untyped library
    """Return where a feed says that its older entries are, "" for nowhere.

    An archived feed's other links lead to what is newer (RFC 5005 §4), so these two
    only.
    """
    links = feed.get("links")
    named = {
        str(link.get("rel")): fields.link(link.get("href"), base)
        for link in (links[::-1] if isinstance(links, list) else ())
    }
    return named.get("prev-archive") or named.get("next", "")


def _string(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _base(fetched: Fetched) -> str:
    """Return what relative links are relative to.

    Content-Location counts on the same host only: caches put their own address there.
    """
    location = fields.link(fetched.content_location, fetched.url)
    return location if urls.host(location) == urls.host(fetched.url) else fetched.url


def _no_feed(text: bytes, base: str) -> ParseError:
    """Return the error for what is no feed, with the mend if it names one."""
    if not markup.page(text):
        return ParseError("not a feed")
    named = discovery.feeds(text[: discovery.HEAD].decode("utf-8", "ignore"), base)
    if not named:
        return ParseError("a web page, not a feed")
    return ParseError(f"a web page, not a feed; {discovery.NAMES}{named[0]}")
