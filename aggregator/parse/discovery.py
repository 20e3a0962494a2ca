"""What a web page offers to be polled, and what it calls its site.

The feeds named in its head (RSS and Atom autodiscovery), links that look like feeds,
the site's name and language. Pure; the page is fetched elsewhere.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Final

from aggregator.parse import fields

_TYPES: Final = frozenset(
    {
        "application/rss+xml",
        "application/atom+xml",
        "application/rdf+xml",
        "application/feed+json",
        "application/json",
    }
)
HEAD: Final = 200_000  # characters in which a page names its feeds
NAMES: Final = "it names this one: "
"""Ends the reason why a page is no feed where it names one, whose address follows."""
_PAGE: Final = 1_000_000  # characters in which it may link to them
# Paths that feeds have, and hosts that serve nothing else.
_LOOKS: Final = re.compile(
    r"//(?:feeds?|rss|flux)\d?\.|(?:^|[/=_.-])(?:feeds?|rss\d?|atom|rdf|backend|flux-?rss)"
    r"(?:[/?&_.-]|$)",
    re.IGNORECASE,
)
# WordPress names the interface of its programs with the type of JSON feeds.
_INTERFACE: Final = re.compile(r"/wp-json/|[?&]rest_route=")
_NAMES: Final = ("og:site_name", "application-name")


@dataclass(frozen=True, slots=True)
class Named:
    """An address that a page offers as a feed, and what it calls it, "" = nothing."""

    url: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Site:
    """What a page says of its site.

    name: what it calls the site, "" = it does not; title: the page's own. language: of
    its text, "" = it does not say. feeds: named in its head. links: what it links to
    that looks like a feed; both without repetition, in its order.
    """

    name: str
    title: str
    language: str
    feeds: tuple[Named, ...]
    links: tuple[Named, ...]


def feeds(html: str, base: str) -> tuple[str, ...]:
    """Return the absolute addresses of the feeds a page names, in its order."""
    return tuple(one.url for one in site(html[:HEAD], base).feeds)


def site(html: str, base: str) -> Site:
    """Return what a page, asked at the address `base`, says of its site."""
    reader = _Reader()
    with suppress(AssertionError):  # html.parser, on a broken marked section
        reader.feed(html[:_PAGE])
    base = fields.link(reader.base, base) or base
    return Site(
        name=next((said for key in _NAMES if (said := reader.said.get(key))), ""),
        title=fields.text("".join(reader.title), markup=False),
        language=fields.language(reader.language),
        feeds=_absolute(reader.feeds, base),
        links=_absolute(reader.links, base),
    )


def _absolute(found: list[tuple[str, str]], base: str) -> tuple[Named, ...]:
    """Return web addresses, each once."""
    named: dict[str, Named] = {}
    for href, title in found:
        url = fields.link(href, base)
        if url and not _INTERFACE.search(url):
            named.setdefault(url, Named(url, fields.text(title, markup=False)))
    return tuple(named.values())


class _Reader(HTMLParser):
    """Collects what a page says, as written."""

    def __init__(self) -> None:
        super().__init__()
        self.base = ""
        self.language = ""
        self.title: list[str] = []
        self.said: dict[str, str] = {}
        self.feeds: list[tuple[str, str]] = []
        self.links: list[tuple[str, str]] = []
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_title = tag == "title" and not self.title
        values = {name: (value or "").strip() for name, value in reversed(attrs)}
        if tag == "link":
            self._link(values)
        elif tag == "a" and _LOOKS.search(values.get("href", "")):
            self.links.append((values["href"], values.get("title", "")))
        elif tag == "meta":
            name = (values.get("property") or values.get("name", "")).lower()
            if name in _NAMES:
                self.said.setdefault(name, fields.text(values.get("content", "")))
        elif tag == "base":
            self.base = self.base or values.get("href", "")
        elif tag == "html":
            self.language = values.get("lang", "")

    def handle_endtag(self, _tag: str) -> None:
        self._in_title = False

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title.append(data)

    def _link(self, values: dict[str, str]) -> None:
        kind = values.get("type", "").partition(";")[0].strip().lower()
        relations = values.get("rel", "").lower().split()
        if kind in _TYPES and "alternate" in relations:
            self.feeds.append((values.get("href", ""), values.get("title", "")))
