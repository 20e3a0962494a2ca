"""What the W3C feed validator objects to, as far as it concerns what is published.

Its rules, as its source has them, in our own words. Two warnings are not looked for, as
DESIGN.md §6 has it: UnknownNamespace (for RFC 6721) and DuplicateUpdated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from lxml import etree, html

ATOM = "{http://www.w3.org/2005/Atom}"
DC = "{http://purl.org/dc/elements/1.1/}"
ARCHIVE = "{http://purl.org/syndication/history/1.0}archive"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
RELATIONS = set(
    "alternate current hub next-archive prev-archive related self via".split()
)
HISTORY = {"current", "next-archive", "prev-archive"}
FEED = ("author", "id", "title", "updated", "generator")
ENTRY = ("author", "id", "title", "updated", "published", "content")
SOURCE = ("id", "title", "updated")
CHANNEL = ("title", "link", "description", "language", "lastBuildDate")
TEXTS = ("title", "subtitle", "rights", "generator")
RSS_TEXTS = ("title", "category", "copyright", f"{DC}creator")
ITEM = ("title", "link", "description", "guid", "pubDate", f"{DC}creator")
FEED_TYPES = {"application/atom+xml", "application/rss+xml"}
ELEMENTS = {"a", "b", "blockquote", "mark", "p"}
ATTRIBUTES = {"href", "lang"}
TAG = re.compile(r"</\w+>|<[A-Za-z!?]")
URI = re.compile(
    r"https?://([0-9a-z._-]+|\[[0-9a-f:.]+\])(:\d+)?/[0-9A-Za-z;/?:@&=+$.\-_!~*'()%,#]*"
)
TAG_URI = re.compile(
    r"tag:[a-z0-9.-]+,\d{4}(-\d\d){0,2}:[0-9A-Za-z;/?:@&=+$.\-_!~*'()%,]*"
)
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d")
RFC_2822 = re.compile(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d\d[03]0")
LANGUAGE = re.compile(r"[a-zA-Z]{2,3}(-\w{1,8})*")
PLAUSIBLE = "1990-01-01"
BROKEN = re.compile("[\x80-\x9f\ufffd]")


def doubts(document: bytes) -> Iterator[str]:
    """Yield a line for each objection to an Atom or RSS document."""
    root = etree.fromstring(document)
    if BROKEN.search(document.decode()):
        yield "characters that seem to be broken"
    for one in root.iter(etree.Element):
        if not LANGUAGE.fullmatch(one.get(LANG, "fr")):
            yield f"{one.tag.rpartition('}')[2]}: language"
    yield from atom_feed(root) if root.tag == f"{ATOM}feed" else rss_channel(root)


def atom_feed(feed: Any) -> Iterator[str]:
    """Yield what is wrong with a feed."""
    yield from ordered("feed", feed, f"{ATOM}entry")
    yield from unique("feed", feed.iterfind(f"{ATOM}entry/{ATOM}id"))
    yield from selfish("feed", feed.findall(f"{ATOM}link"))
    yield from parts("feed", feed, [ATOM + name for name in FEED])
    if feed.get(LANG) is None:
        yield "feed: no language"
    relations = {one.get("rel") for one in feed.iterfind(f"{ATOM}link")}
    if feed.find(ARCHIVE) is not None and not (
        "current" in relations and relations & {"prev-archive", "next-archive"}
    ):
        yield "feed: an archive without links"
    for entry in feed.iterfind(f"{ATOM}entry"):
        yield from parts("entry", entry, [ATOM + name for name in ENTRY])
        links = entry.findall(f"{ATOM}link")
        if HISTORY & {one.get("rel") for one in links}:
            yield "entry: a link of archives"
        kinds = [one.get("type") for one in links if one.get("rel") == "alternate"]
        if len(set(kinds)) < len(kinds):
            yield "entry: two alternates of a type"
        for source in entry.iterfind(f"{ATOM}source"):
            yield from parts("source", source, [ATOM + name for name in SOURCE])


def rss_channel(rss: Any) -> Iterator[str]:
    """Yield what is wrong with an RSS 2.0 document."""
    (channel,) = rss
    yield from ordered("channel", channel, "item")
    yield from unique("channel", channel.iterfind("item/guid"))
    yield from selfish("channel", channel.findall(f"{ATOM}link"))
    yield from parts("channel", channel, CHANNEL)
    if rss.get("version") != "2.0":
        yield "rss: version"
    for item in channel.iterfind("item"):
        yield from parts("item", item, ITEM)
        if item.find("author") is not None:
            yield "item: author beside dc:creator"
        if item.find("guid").get("isPermaLink") != "false":
            yield "item: guid is no permalink"


def parts(where: str, parent: Any, needed: Sequence[str]) -> Iterator[str]:
    """Yield what is missing in an element, or wrong with its children."""
    kinds = [one.tag for one in parent]
    for name in needed:
        if kinds.count(name) != 1:
            yield f"{where}: {name.rpartition('}')[2]} is not there once"
    for one in parent:
        if check := CHECKS.get(one.tag):
            yield from check(f"{where} {one.tag.rpartition('}')[2]}", one)


def ordered(where: str, parent: Any, last: str) -> Iterator[str]:
    """Yield whether anything stands after the first entry but entries."""
    kinds = [one.tag for one in parent]
    if last in kinds and set(kinds[kinds.index(last) :]) != {last}:
        yield f"{where}: metadata after an entry"


def unique(where: str, ids: Iterator[Any]) -> Iterator[str]:
    """Yield whether an id stands there twice."""
    known = [one.text for one in ids]
    if len(set(known)) < len(known):
        yield f"{where}: an id twice"


def selfish(where: str, links: Sequence[Any]) -> Iterator[str]:
    """Yield whether a feed does not say where it stands."""
    own = [one.get("type") for one in links if one.get("rel") == "self"]
    if len(own) != 1 or own[0] not in FEED_TYPES:
        yield f"{where}: no link to itself"


def link(where: str, one: Any) -> Iterator[str]:
    """Yield what is wrong with an atom:link."""
    if one.get("rel") not in RELATIONS:
        yield f"{where}: relation {one.get('rel')!r}"
    yield from address(where, one.get("href"))
    if one.get("title") is not None:
        yield from words(where, one.get("title"))


def identity(where: str, one: Any) -> Iterator[str]:
    """Yield whether an id is neither a tag nor an address in its one spelling."""
    parts = urlsplit(one.text)
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    known = URI.fullmatch(one.text) and parts.port != usual
    if not (known or TAG_URI.fullmatch(one.text)):
        yield f"{where}: {one.text!r}"


def atom_date(where: str, one: Any) -> Iterator[str]:
    """Yield what is wrong with a date of Atom."""
    if not RFC_3339.fullmatch(one.text) or one.text < PLAUSIBLE:
        yield f"{where}: {one.text!r}"


def rss_date(where: str, one: Any) -> Iterator[str]:
    """Yield what is wrong with a date of RSS, whose day of the week must be right."""
    at = parsedate_to_datetime(one.text)
    right = RFC_2822.fullmatch(one.text) and f"{at:%a}" == one.text[:3]
    if not right or at.isoformat() < PLAUSIBLE:
        yield f"{where}: {one.text!r}"


def category(where: str, one: Any) -> Iterator[str]:
    """Yield what is wrong with an Atom category."""
    yield from words(where, one.get("label"))
    yield from address(where, one.get("scheme"))


def rss_source(where: str, one: Any) -> Iterator[str]:
    """Yield what is wrong with the source of an item."""
    yield from words(where, one.text)
    yield from address(where, one.get("url"))


def description(where: str, one: Any) -> Iterator[str]:
    """Yield what is wrong with a description: a channel's is no HTML, an item's is."""
    check = content if where.startswith("item") else words
    yield from check(where, one.text)


def language(where: str, one: Any) -> Iterator[str]:
    """Yield whether a language is none."""
    if not LANGUAGE.fullmatch(one.text or ""):
        yield f"{where}: {one.text!r}"


def address(where: str, url: str | None) -> Iterator[str]:
    """Yield whether something is no address as RFC 3986 writes it."""
    if not URI.fullmatch(url or ""):
        yield f"{where}: {url!r}"


def words(where: str, text: str | None) -> Iterator[str]:
    """Yield what is wrong with a text that is no HTML."""
    if not text or not text.strip():
        yield f"{where}: blank"
    elif TAG.search(text):
        yield f"{where}: looks like HTML"


def content(where: str, text: str) -> Iterator[str]:
    """Yield what in a piece of HTML is unsafe, relative or no HTML."""
    for one in html.fragment_fromstring(text, create_parent="p").iterdescendants():
        if one.tag not in ELEMENTS or set(one.attrib) - ATTRIBUTES:
            yield f"{where}: <{one.tag} {dict(one.attrib)}>"
        yield from address(where, one.get("href", "https://e.fr/"))


Check = Callable[[str, Any], Iterator[str]]
CHECKS: dict[str, Check] = {
    **{f"{ATOM}{name}": lambda where, one: words(where, one.text) for name in TEXTS},
    **{name: lambda where, one: words(where, one.text) for name in RSS_TEXTS},
    f"{ATOM}author": lambda where, one: words(where, one.findtext(f"{ATOM}name")),
    f"{ATOM}id": identity,
    f"{ATOM}updated": atom_date,
    f"{ATOM}published": atom_date,
    f"{ATOM}content": lambda where, one: content(where, one.text),
    f"{ATOM}category": category,
    f"{ATOM}link": link,
    "description": description,
    "language": language,
    "link": lambda where, one: address(where, one.text),
    "lastBuildDate": rss_date,
    "pubDate": rss_date,
    "source": rss_source,
}
