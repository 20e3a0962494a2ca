"""What feedparser keeps of an element, for the plain ones among them.

Each method does for one kind of element what feedparser's handlers of it do, with all
their habits: of two titles the outer one counts, a second description is the article, a
permalink stands in for a missing link. Anything else raises UnsureError.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urljoin
from xml.etree.ElementTree import Element

from feedparser.api import StrictFeedParser

from aggregator.parse import dates
from aggregator.parse.names import UnsureError

_XML: Final = "{http://www.w3.org/XML/1998/namespace}"
_XML_ATTRIBUTES: Final = {f"{_XML}{name}" for name in ("base", "id", "lang", "space")}
_RDF: Final = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_READ: Final = frozenset(
    "base href ispermalink lang lastmod mode rel src type uri url".split()
)
_HTML, _TEXT, _ATOM = "text/html", "text/plain", "application/atom+xml"
_PAGES: Final = frozenset({"html", "xhtml", _HTML, "application/xhtml+xml"})
_KINDS: Final = {
    "html": _HTML, _HTML: _HTML, "text": _TEXT, "plain": _TEXT, _TEXT: _TEXT
}  # fmt: skip
_CHARSET: Final = "cp1252"
# Bytes of Windows-1252 taken for characters: feedparser reads them as they were meant.
_WINDOWS: Final = {
    code: char
    for code in range(0x80, 0xA0)
    if (char := bytes([code]).decode(_CHARSET, "ignore"))
}
# Begins, after ASCII, with a character of UTF-8 whose bytes were taken for characters.
_UTF8: Final = re.compile("[\x00-\x7f]*+[\xc2-\xf4][\x80-\xbf]")
_MISREAD: Final = re.compile("[\x80-\x9f]")
# An address that stays as it is when it is joined with another one.
_SETTLED: Final = re.compile(
    r"https?://[A-Za-z0-9.-]+(?::[0-9]+)?(?:/[A-Za-z0-9._~%!$&'()*+,=:@/-]*)?"
    r"(?:\?[A-Za-z0-9._~%!$&'()*+,=:@/-]+)?(?:#[A-Za-z0-9._~%!$&'()*+,=:@/-]+)?"
)
_SLASHES: Final = re.compile(r"^([A-Za-z][A-Za-z0-9+-.]*://)(/*)(.*?)")
_REFERENCE: Final = re.compile("&([A-Za-z0-9_]+);")


def leaf(element: Element) -> str:
    """Return the text of an element in which no other stands."""
    if len(element):
        raise UnsureError(f"elements in <{element.tag}>")
    return (element.text or "").strip()


def attributes(element: Element) -> Mapping[str, str]:
    """Return the attributes without a namespace, their names in lower case."""
    given = element.attrib
    if not given:
        return given
    found: dict[str, str] = {}
    for name, value in given.items():
        if name.startswith("{"):
            # without a prefix that feedparser knows, it counts as one of the element's
            if name not in _XML_ATTRIBUTES and name.rpartition("}")[2].lower() in _READ:
                raise UnsureError(f"the attribute {name}")
        elif found.setdefault(name.lower(), value) != value:
            raise UnsureError(f"the attribute {name} twice")
    return found


def recoded(text: str) -> str:
    """Return a text as feedparser mends what was read in a wrong charset."""
    if text.isascii():
        return text
    if _UTF8.match(text):  # else it cannot be, and trying costs as much as the rest
        with suppress(UnicodeError):
            text = text.encode("iso-8859-1").decode("utf-8")
    return text.translate(_WINDOWS) if _MISREAD.search(text) else text


def joined(base: str, url: str) -> str:
    """Return an address as feedparser makes it absolute."""
    if _SETTLED.fullmatch(url):
        return url
    try:
        return urljoin(base, _SLASHES.sub(r"\1\3", url))
    except ValueError:
        return ""


def _unruled(element: Element) -> str:
    """Return the text of an element for which feedparser has no rule."""
    text = leaf(element)
    if element.attrib:
        raise UnsureError("attributes, which feedparser keeps in place of the text")
    return recoded(text)


class Keeper:
    """What is kept of an entry, or of a feed, while its elements are read.

    base: what links are relative to. lang: what the texts are in, None = nobody knows.
    atom: texts are what they say they are, None = nobody knows. kept: as in
    feedparser's result. depth, in all methods: levels below the entry or feed itself.
    """

    def __init__(self, base: str, lang: str | None) -> None:
        """Begin with nothing."""
        self.base, self.lang = base, lang
        self.atom: bool | None = False
        self.has_content = False
        self.title_depth = -1
        self.kept: dict[str, Any] = {}

    def keep(self, name: str, value: str, _depth: int) -> None:
        """Keep a text: the last one of its name counts."""
        self.kept[name] = value

    def enter(self, element: Element) -> None:
        """Take over the language and the base of an element that holds others."""
        given = attributes(element)
        if "href" in given or "lastmod" in given:
            raise UnsureError("a channel of CDF")
        self.lang = self._lang(element, given)
        base = element.get(f"{_XML}base", given.get("base"))
        if base:
            self.base = joined(self.base, base)
            if not self.base.startswith(("http://", "https://")):
                raise UnsureError("an odd base")

    def title(self, element: Element, depth: int) -> None:
        """Keep a title, unless there is one further out."""
        text = leaf(element)
        given = attributes(element)
        if not -1 < self.title_depth <= depth:
            self.keep("title", recoded(text), depth)
            self.kept["title_detail"] = {
                "type": self._kind(given, _TEXT, text),
                "language": self._lang(element, given),
            }
        if text:
            self.title_depth = depth

    def media_title(self, element: Element, depth: int) -> None:
        """Keep a title that hides none of those to come."""
        before = self.title_depth
        self.title(element, depth)
        self.title_depth = before

    def description(self, element: Element, depth: int) -> None:
        """Keep a description; a second one is the article."""
        self._about(element, depth, _HTML)

    def summary(self, element: Element, depth: int) -> None:
        """Keep a summary, which is plain text if it does not say otherwise."""
        self._about(element, depth, _TEXT)

    def content(self, element: Element, _depth: int) -> None:
        """Keep an article of the kind that it says."""
        self._article(element, _TEXT)

    def encoded(self, element: Element, _depth: int) -> None:
        """Keep an article in HTML."""
        self._article(element, _HTML)

    def link(self, element: Element, _depth: int) -> None:
        """Keep a link and, if it is the entry's own, its address."""
        given = attributes(element)
        self._plain_base(element, given)
        if "url" in given or "uri" in given:
            raise UnsureError("an odd link")
        rel = given.get("rel", "alternate").lower()
        address = leaf(element)
        if "href" in given:
            link = {"rel": rel, "href": joined(self.base, given["href"])}
            kind = given.get("type", _ATOM if rel == "self" else _HTML).lower()
            if rel == "alternate" and kind in _PAGES:
                self.kept["link"] = link["href"]
        else:
            address = recoded(joined(self.base, address)) if address else ""
            address = self._mended(address)
            self.kept["link"] = address
            link = {"rel": rel, "href": address} if address else {"rel": rel}
        self.kept.setdefault("links", []).append(link)

    def guid(self, element: Element, depth: int) -> None:
        """Keep an id; one that is an address stands in for a missing link."""
        given = attributes(element)
        self._plain_base(element, given)
        permanent = given.get("ispermalink", "true") == "true"
        text = leaf(element)
        text = recoded(joined(self.base, text) if permanent and text else text)
        self.keep("id", text, depth)
        self.kept.setdefault("guidislink", permanent and "link" not in self.kept)
        if permanent:
            self.kept.setdefault("link", text)

    def published(self, element: Element, depth: int) -> None:
        """Keep when it was published."""
        self._date("published", element, depth)

    def updated(self, element: Element, depth: int) -> None:
        """Keep when it was updated."""
        self._date("updated", element, depth)

    def created(self, element: Element, depth: int) -> None:
        """Keep when it was created."""
        self._date("created", element, depth)

    def _date(self, name: str, element: Element, depth: int) -> None:
        text = leaf(element)
        if text and dates.usual(text) is None:
            raise UnsureError(f"the date {text}")
        self.keep(name, text, depth)

    def _about(self, element: Element, depth: int, kind: str) -> None:
        if "summary" in self.kept and not self.has_content:
            self._article(element, _TEXT)
            return
        text = leaf(element)
        self.keep("summary", recoded(text), depth)
        self.kept["summary_detail"] = {
            "type": self._kind(attributes(element), kind, text)
        }

    def _article(self, element: Element, kind: str) -> None:
        self.has_content = True
        text = leaf(element)
        kind = self._kind(attributes(element), kind, text)
        value = recoded(text)
        self.kept.setdefault("content", []).append({"type": kind, "value": value})
        self.kept.setdefault("summary", value)

    def _kind(self, given: Mapping[str, str], usual: str, text: str) -> str:
        """Return of which type a text is, by what it says or looks like."""
        kind = _KINDS.get(given.get("type", usual).lower(), "")
        if not kind or "mode" in given:
            raise UnsureError("a text of another type")
        if kind == _TEXT and not self.atom and "<" in text:
            if self.atom is None:
                raise UnsureError("a text that may be HTML")
            return _HTML if StrictFeedParser.looks_like_html(text) else _TEXT
        return kind

    def _lang(self, element: Element, given: Mapping[str, str]) -> str | None:
        lang = element.get(f"{_XML}lang", given.get("lang"))
        return self.lang if lang is None else lang or None

    def _plain_base(self, element: Element, given: Mapping[str, str]) -> None:
        if "base" in given or f"{_XML}base" in element.attrib:
            raise UnsureError("a base of its own")

    def _mended(self, address: str) -> str:
        """Return the address of a link, its ampersands as they were meant."""
        return _REFERENCE.sub(r"&\1", address) if "&" in address else address


class Feed(Keeper):
    """What a feed says of itself."""

    def speak(self) -> None:
        """Keep the language that the root names, or the answer of the server."""
        if self.lang:
            self.kept["language"] = self.lang.replace("_", "-")

    def slogan(self, element: Element, depth: int) -> None:
        """Pass by a description; behind a summary it counts as an article."""
        if "summary" in self.kept:
            self.description(element, depth)
        else:
            leaf(element)

    def language(self, element: Element, _depth: int) -> None:
        """Keep the language that the feed names."""
        self.kept["language"] = recoded(leaf(element))

    def generator(self, element: Element, depth: int) -> None:
        """Keep which program wrote the feed."""
        kind = attributes(element).get("type", "").lower()
        self.keep("generator", recoded(leaf(element)), depth)
        self.kept["generator_detail"] = {"type": kind}

    def ttl(self, element: Element, _depth: int) -> None:
        """Keep for how many minutes it wants to be left alone."""
        self._word("ttl", element)

    def period(self, element: Element, _depth: int) -> None:
        """Keep of which period the frequency is."""
        self._word("sy_updateperiod", element)

    def frequency(self, element: Element, _depth: int) -> None:
        """Keep how often in a period it is updated."""
        self._word("sy_updatefrequency", element)

    def _word(self, name: str, element: Element) -> None:
        self.keep(name, _unruled(element), 0)


class Entry(Keeper):
    """What is kept of an entry."""

    def __init__(self, feed: Feed, item: Element) -> None:
        """Begin with what its own element says."""
        super().__init__(feed.base, feed.lang)
        self.atom, self.has_content = feed.atom, feed.has_content
        self.enter(item)
        self._depths: dict[str, int] = {}
        self._names: list[str] = []  # of authors, written as a text
        self._people: list[Mapping[str, str]] = []
        about = item.get(f"{_RDF}about")
        if about:
            self.kept["id"] = about

    def keep(self, name: str, value: str, depth: int) -> None:
        """Keep a text, unless there is one further out."""
        if depth <= self._depths.setdefault(name, depth):
            self._depths[name] = depth
            self.kept[name] = value

    def author(self, element: Element, _depth: int) -> None:
        """Keep an author, as a text or as a person."""
        text = leaf(element)
        self._names.append(recoded(text))

    def person(self, parts: Mapping[str, str]) -> None:
        """Keep an author by the texts of its parts."""
        self._people.append(parts)

    def source(self, element: Element, _depth: int) -> None:
        """Keep the name of the outlet that an entry is from."""
        name = recoded(leaf(element))
        self.kept["source"] = {"title": name} if name else {}
        self.title_depth = -1

    def image(self, element: Element, _depth: int) -> None:
        """Pass by an image; titles behind it count as the first ones."""
        leaf(element)
        self.title_depth = -1

    def origin(self, element: Element, depth: int) -> None:
        """Keep the address before FeedBurner's."""
        self.keep("feedburner_origlink", _unruled(element), depth)

    def outlet(self, element: Element, depth: int) -> None:
        """Keep the name of the outlet, as Bing gives it."""
        self.keep("news_source", _unruled(element), depth)

    def sign(self) -> None:
        """Keep who wrote it, when all of it was read."""
        names, people = self._names, self._people
        if names and people:
            raise UnsureError("authors of two kinds")
        if any("@" in name for name in names[:-1]):
            raise UnsureError("several addresses of mail")
        if len(people) > 1 and any(
            "email" in person or "@" in person.get("name", "@") for person in people
        ):
            raise UnsureError("several people with addresses")
        if names:
            self.kept["authors"] = [{"name": name} for name in names]
            self.kept["author"] = names[-1]
        elif people:
            name, mail = people[-1].get("name", ""), people[-1].get("email", "")
            self.kept["authors"] = people
            self.kept["author"] = f"{name} ({mail})" if name and mail else name or mail

    def _mended(self, address: str) -> str:
        return super()._mended(address.replace("&amp;", "&"))
