"""From the bytes of a document to its entries: the only room that knows feedparser.

Every entry that feedparser finds becomes one of ours, whatever it lacks. It runs in a
child process (`sandbox`), because a document may cost feedparser minutes; the known
ways to do that are cut away first. No network and no clock may enter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from html.entities import html5
from io import BytesIO
from typing import Any, Final

import feedparser

from aggregator import (
    charset,
    dates,
    discovery,
    fields,
    jsonfeed,
    ladder,
    sitemap,
    urls,
)
from aggregator.ladder import Item
from aggregator.model import Document, FeedKind, Fetched, ParseError

_HEAD: Final = 4000  # characters in which a document shows what it is
_NAME: Final = 1000  # characters of a name; feedparser's search for mail is quadratic
_LONGEST_TTL: Final = timedelta(days=7)

_DECLARATION: Final = re.compile(r"<\?xml\s")
_FEED_ROOT: Final = re.compile(r"<(?:\w+:)?(?:rss|feed|rdf|channel)\b", re.IGNORECASE)
_FIRST_ELEMENT: Final = re.compile(r"<([A-Za-z_][\w.:-]*)")
_PAGE: Final = re.compile(r"<!doctype\s+html|<html\b|<head\b|<body\b", re.IGNORECASE)
_BLANKS: Final = re.compile(r"\s{2,}")
# What XML 1.0 cannot hold; one of them makes a whole document malformed.
_NO_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ITEM: Final = re.compile(r"<(?:\w+:)?(item|entry)(?=[\s/>])", re.IGNORECASE)
_NAMED: Final = re.compile(
    r"(<(?:\w+:)?(?:author|creator|managingeditor|webmaster|publisher|name|email"
    r"|contributor|owner)\b[^<>]{0,200}>(?:<!\[CDATA\[)?[^<]{" + str(_NAME) + "})[^<]+",
    re.IGNORECASE,
)
# An ampersand and what makes it one of XML's; CDATA and comments stay as they are.
_AMPERSAND: Final = re.compile(
    r"(?P<opaque><!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z))"
    r"|&(?!#\d{1,7};|#x[0-9a-f]{1,6};)(?:(?P<name>[a-z][a-z0-9]{1,31});)?",
    re.IGNORECASE | re.DOTALL,
)
_XML_NAMES: Final = frozenset({"amp", "lt", "gt", "quot", "apos"})
_MAIL: Final = re.compile(r"\S{1,100}@\S{1,100}")
_PERIODS: Final = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(days=7),
    "monthly": timedelta(days=30),
    "yearly": timedelta(days=365),
}


def parse(
    fetched: Fetched, feed_url: str, max_entries: int, kind: FeedKind = "feed"
) -> Document:
    """Return what a document says, with at most `max_entries` entries in its order.

    RSS, RDF and Atom of every version, JSON Feed, and news sitemaps. feed_url: the root
    of the entries' ids, whatever address answered. kind: "search" lets entries name
    their own outlet.

    Raises ParseError when the document is empty, a web page or something else.
    """
    text = charset.decode(fetched.body, fetched.content_type).strip()
    if not text:
        raise ParseError("empty document")
    base = _base(fetched)
    spoken = fetched.content_language.partition(",")[0].strip()
    if text[0] in "{[":
        json = jsonfeed.read(text, base, max_entries)
        return Document(
            json.title,
            json.home,
            json.language or spoken,
            ladder.entries(feed_url, json.items),
            complete=fetched.complete,
        )
    text = _prolog(_NO_XML.sub("", text))
    first = _FIRST_ELEMENT.search(text)
    root = first[1] if first else ""
    if root.rpartition(":")[2] in sitemap.ROOTS:
        news = sitemap.read(text, base, max_entries)
        return Document(
            news.title,
            "",
            news.language or spoken,
            ladder.entries(feed_url, news.items),
            complete=fetched.complete and news.complete,
        )
    text = _bounded(text, root, max_entries)
    result = _parsed(text, base, spoken)
    if result.bozo and (mended := _mended(text)) != text:
        result = _parsed(mended, base, spoken)
    feed = result.get("version") or (result.entries and root.lower() != "html")
    if not feed:
        raise _no_feed(text, base)
    return _document(result, fetched, feed_url, base, max_entries, kind)


def _parsed(text: str, base: str, language: str) -> Any:  # noqa: ANN401 - untyped library
    """Return what feedparser makes of a text."""
    said = {
        "content-type": "application/xml; charset=utf-8",
        "content-location": base,
        "content-language": language,
    }
    try:
        return feedparser.parse(
            BytesIO(text.encode("utf-8", "replace")),
            response_headers=said,
            # `text.plain` and `fields.link` do both, in half the time
            sanitize_html=False,
            resolve_relative_uris=False,
        )
    except MemoryError:
        raise
    except Exception as exc:  # mutated feeds raise TypeError, ValueError and others
        raise ParseError(f"feedparser cannot read it: {type(exc).__name__}") from exc


def _document(
    result: Any,  # noqa: ANN401 - untyped library
    fetched: Fetched,
    feed_url: str,
    base: str,
    max_entries: int,
    kind: FeedKind,
) -> Document:
    feed = result.feed
    language = _string(feed.get("language"))
    items = [
        _item(entry, base, language, search=kind == "search")
        for entry in result.entries[:max_entries]
    ]
    return Document(
        title=_shown(feed, "title"),
        home=fields.link(feed.get("link"), base),
        language=language,
        entries=ladder.entries(feed_url, items),
        # charsets are settled before, so that only broken XML is left to be "bozo"
        complete=fetched.complete and not result.bozo,
        dated_at=_date(feed, "updated") or _date(feed, "published"),
        ttl=_ttl(feed),
    )


def _item(entry: Any, base: str, language: str, *, search: bool) -> Item:  # noqa: ANN401
    published, updated = _date(entry, "published"), _date(entry, "updated")
    created = _date(entry, "created")
    title_detail = entry.get("title_detail") or {}
    spoken = _string(title_detail.get("language"))
    title = _shown(entry, "title")
    outlet = ""
    if search:
        source = entry.get("source")
        outlet = _shown(source, "title") if isinstance(source, dict) else ""
        title = title.removesuffix(f" - {outlet}") if outlet else title
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
    """Return the entry's page: its link, an alternate of any type, or its permalink."""
    return next((url for url in _urls(entry, base) if url), "")


def _urls(entry: Any, base: str) -> Iterator[str]:  # noqa: ANN401 - untyped library
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


def _ttl(feed: Any) -> timedelta | None:  # noqa: ANN401 - untyped library
    """Return for how long a feed wants to be left alone, at most seven days.

    The longer one of RSS ttl (minutes) and the syndication module's period; None when
    it says neither.
    """
    wanted = timedelta(0)
    minutes = _string(feed.get("ttl"))
    if minutes.isascii() and minutes.isdigit():
        wanted = timedelta(minutes=int(minutes[:6]))
    period = _PERIODS.get(_string(feed.get("sy_updateperiod")).lower())
    if period:
        often = _string(feed.get("sy_updatefrequency"))
        times = int(often[:6]) if often.isascii() and often.isdigit() else 1
        wanted = max(wanted, period / max(times, 1))
    return min(wanted, _LONGEST_TTL) or None


def _string(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _base(fetched: Fetched) -> str:
    """Return what relative links are relative to.

    Content-Location counts on the same host only: caches put their own address there.
    """
    location = fields.link(fetched.content_location, fetched.url)
    return location if urls.host(location) == urls.host(fetched.url) else fetched.url


def _prolog(text: str) -> str:
    """Cut what stands before the declaration, and blanks before the root.

    A server's warnings before "<?xml" would make a sound document malformed; on blanks
    feedparser takes time by the square of their number.
    """
    declared = _DECLARATION.search(text, 0, _HEAD)
    if declared and not _FEED_ROOT.search(text, 0, declared.start()):
        text = text[declared.start() :]
    first = _FIRST_ELEMENT.search(text)
    start = first.start() if first else len(text)
    return _BLANKS.sub("\n", text[:start]) + text[start:]


def _bounded(text: str, root: str, max_entries: int) -> str:
    """Cut what follows the root, entries beyond the limit, and endless names."""
    closing = f"</{root}>"
    end = text.rfind(closing) if _FEED_ROOT.match(f"<{root}>") else -1
    if end > 0:
        text = text[: end + len(closing)]
    for number, item in enumerate(_ITEM.finditer(text)):
        if number == max_entries:
            last = text.rfind(f"</{item[0][1:]}>")
            if last > item.start():
                text = text[: item.start()] + text[last + len(item[0]) + 2 :]
            break
    return _NAMED.sub(r"\1", text)


def _mended(text: str) -> str:
    """Escape what only HTML may write: bare ampersands and entities by name.

    They are the most common fault of feeds. feedparser's lenient parser reads "R&D" as
    "R&D;", and a document mended like this is whole.
    """
    return _AMPERSAND.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    opaque, name = found["opaque"], found["name"]
    if opaque or name in _XML_NAMES:
        return found[0]
    decoded = html5.get(f"{name};") if name else None
    return (
        "".join(f"&#{ord(char)};" for char in decoded)
        if decoded
        else "&amp;" + (found[0][1:])
    )


def _no_feed(text: str, base: str) -> ParseError:
    """Return the error for what is no feed, with the mend if it names one."""
    if not _PAGE.search(text, 0, _HEAD):
        return ParseError("not a feed")
    named = discovery.feeds(text, base)
    if not named:
        return ParseError("a web page, not a feed")
    return ParseError(f"a web page, not a feed; it names this one: {named[0]}")
