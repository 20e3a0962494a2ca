"""What feedparser calls the elements of a document, and what it does about them.

feedparser is asked for its own tables: an element that a later version treats in some
way is then not taken for one that it only keeps. Nothing that reads a text may enter.
"""

from __future__ import annotations

import re
from typing import Final
from xml.sax.saxutils import unescape

from feedparser.api import StrictFeedParser

ATOM: Final = "http://www.w3.org/2005/Atom"
RSS09: Final = "http://my.netscape.com/rdf/simple/0.9/"
RSS10: Final = "http://purl.org/rss/1.0/"
XLINK: Final = "http://www.w3.org/1999/xlink"  # feedparser sees other attributes then
_USERLAND: Final = "backend.userland.com/rss"  # in the address of any old RSS
_PREFIXES: Final = {
    uri.lower(): prefix.lower() for uri, prefix in StrictFeedParser.namespaces.items()
}
_HANDLED: Final = frozenset(
    name.partition("_")[2].partition("_")[2]
    for name in dir(StrictFeedParser)
    if name.startswith(("_start_", "_end_"))
) | frozenset(  # and those that `feeds` and `rest` look for
    "feedburner_origlink news_source sy_updatefrequency sy_updateperiod ttl".split()
)
# Names under which feedparser keeps what it made of others, or looks for them.
_TAKEN: Final = frozenset(
    """
    author_detail authors contributors created_parsed date date_parsed
    description_detail guidislink issued_parsed links modified_parsed published_parsed
    summary_detail title_detail updated_parsed
    """.split()
)
_DECLARED: Final = re.compile(
    rb"""xmlns(?::([^\s=<>"']{1,100}))?\s*+=\s*+(?:"([^"<]{0,500})"|'([^'<]{0,500})')"""
)
_QUOTES: Final = {"&quot;": '"', "&apos;": "'"}


class UnsureError(Exception):
    """What only feedparser can tell."""


class Names(dict[str, str]):
    """The names of a document's elements, by their tags as `ElementTree` has them.

    Raises UnsureError where a prefix stands for two things, or feedparser could not
    tell a namespace from another.
    """

    def __init__(self, text: bytes) -> None:
        """Read which prefixes a document declares, and maybe more, in its texts."""
        super().__init__()
        self._declared: dict[str, set[str]] = {}
        meanings: dict[str, str] = {}
        for prefix, double, single in set(_DECLARED.findall(text)):
            uri = unescape((double or single).decode(), _QUOTES)
            name = prefix.decode().lower()
            meant = _prefix(uri)
            meant = uri if meant is None else meant
            if len(uri.split()) > 1:
                raise UnsureError("a namespace with blanks")
            if name and meanings.setdefault(name, meant) != meant:
                raise UnsureError(f"two namespaces {name}")
            self._declared.setdefault(uri, set()).add(name)
        known = {_prefix(uri) for uri in self._declared}
        if any(name in known and meant != name for name, meant in meanings.items()):
            raise UnsureError("a prefix that stands for two namespaces")

    def declares(self, uri: str) -> bool:
        """Tell whether a document declares a namespace, in whatever case."""
        return any(each.lower() == uri.lower() for each in self._declared)

    def __missing__(self, tag: str) -> str:
        """Return the name of a tag met for the first time."""
        uri, _, local = tag.rpartition("}")
        prefix = self._of(uri[1:]) if uri else ""
        name = f"{prefix}_{local}" if prefix else local
        if not name.isascii() or name.lower() in _TAKEN:
            raise UnsureError(f"<{local}>")
        self[tag] = name.lower()
        return self[tag]

    def _of(self, uri: str) -> str:
        """Return the prefix that feedparser gives to a namespace."""
        known = _prefix(uri)
        if known is not None:
            return known
        prefixes = self._declared.get(uri, set())
        if len(prefixes) != 1:
            raise UnsureError("a namespace of several prefixes")
        return next(iter(prefixes))


def _prefix(uri: str) -> str | None:
    uri = uri.lower()
    return "" if _USERLAND in uri else _PREFIXES.get(uri)


def handled(name: str) -> bool:
    """Tell whether an element means more than that feedparser keeps its text."""
    return name in _HANDLED
