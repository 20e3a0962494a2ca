"""What is cut from a document and mended in it before a parser sees it.

Pure functions of text, linear in its length. They know how feeds break and what makes
feedparser slow; no parser may enter.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from html.entities import html5
from typing import Final

_HEAD: Final = 4000  # characters in which a document shows what it is
_NAME: Final = 1000  # characters of a name; feedparser's search for mail is quadratic
_PART: Final = 2**19  # characters of a part; feedparser takes thirty bytes for each

_DECLARATION: Final = re.compile(r"<\?xml\s")
_FEED_ROOT: Final = re.compile(r"<(?:\w+:)?(?:rss|feed|rdf|channel)\b", re.IGNORECASE)
_FIRST_ELEMENT: Final = re.compile(r"<([A-Za-z_][\w.:-]*)")
_PAGE: Final = re.compile(r"<!doctype\s+html|<html\b|<head\b|<body\b", re.IGNORECASE)
_BLANKS: Final = re.compile(r"\s{2,}")
# What XML 1.0 cannot hold; one of them makes a whole document malformed.
_NO_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
ITEM: Final = re.compile(r"<(?:\w+:)?(?:item|entry)(?=[\s/>])", re.IGNORECASE)
URL: Final = re.compile(r"<(?:\w+:)?url(?=[\s/>])", re.IGNORECASE)
_NEXT: Final = re.compile(
    r"</(?:\w+:)?(?:item|entry)\s{0,9}>\s*+(?=<(?:\w+:)?(?:item|entry)[\s/>])",
    re.IGNORECASE,
)
_NAMED: Final = re.compile(
    r"(<(?:\w+:)?(?:author|creator|managingeditor|webmaster|publisher|name|email"
    r"|contributor|owner)\b[^<>]{0,200}>(?:<!\[CDATA\[)?[^<]{" + str(_NAME) + "})[^<]+",
    re.IGNORECASE,
)
# CDATA and comments stay as they are; then every ampersand, with its reference if any.
_AMPERSAND: Final = re.compile(
    r"(?P<opaque><!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z))"
    r"|&(?:(?P<name>[a-z][a-z0-9]{1,31})|#(?P<number>\d{1,7}|x[0-9a-f]{1,6}));|&",
    re.IGNORECASE | re.DOTALL,
)
_XML_NAMES: Final = frozenset({"amp", "lt", "gt", "quot", "apos"})


def root(text: str) -> str:
    """Return the name of the first element as written, "" where there is none."""
    first = _FIRST_ELEMENT.search(text)
    return first[1] if first else ""


def plain_page(text: str) -> bool:
    """Tell whether a text is a web page that holds no feed, wherever one may stand."""
    return root(text).lower() == "html" and _FEED_ROOT.search(text) is None


def page(text: str) -> bool:
    """Tell whether a text that is no feed looks like a web page."""
    return _PAGE.search(text, 0, _HEAD) is not None


def clean(text: str) -> str:
    """Cut what XML cannot hold, what precedes its declaration, and the prolog's blanks.

    A server's warnings before "<?xml" would make a sound document malformed; on blanks
    feedparser takes time by the square of their number.
    """
    text = _NO_XML.sub("", text)
    declared = _DECLARATION.search(text, 0, _HEAD)
    if declared and not _FEED_ROOT.search(text, 0, declared.start()):
        text = text[declared.start() :]
    first = _FIRST_ELEMENT.search(text)
    start = first.start() if first else len(text)
    prolog = _BLANKS.sub("\n", text[:start])
    return text if len(prolog) == start else prolog + text[start:]


def bounded(text: str, max_entries: int, item: re.Pattern[str] = ITEM) -> str:
    """Cut what follows the root, entries beyond the limit, and endless names.

    item: how an entry starts; that of feeds, or URL for those of sitemaps.
    """
    name = root(text)
    closing = f"</{name}>"
    end = text.rfind(closing) if _FEED_ROOT.match(f"<{name}>") else -1
    if end > 0:
        text = text[: end + len(closing)]
    for number, start in enumerate(item.finditer(text)):
        if number == max_entries:
            # all between here and the end of the last one
            end = _end(text, start)
            if end > start.start():
                text = text[: start.start()] + text[end:]
            break
    return _NAMED.sub(r"\1", text)


def parts(text: str) -> Iterator[str]:
    """Yield a long feed as several shorter ones, with some of its entries each.

    What stands before the first entry and behind the last one is in all of them. A feed
    that is not long, or not to be taken apart, is yielded as it is.
    """
    first = ITEM.search(text) if len(text) > _PART else None
    if first is None or first.start() > _PART:
        yield text
        return
    start, end = first.start(), _end(text, first)
    if ITEM.search(text, end) or len(text) - end > _PART:
        end = len(text)  # the last entry is not whole
    head, tail = text[:start], text[end:]
    for cut in _NEXT.finditer(text, start, end):
        if cut.end() - start >= _PART:
            yield head + text[start : cut.end()] + tail
            start = cut.end()
    yield head + text[start:end] + tail


def _end(text: str, start: re.Match[str]) -> int:
    """Return where the last entry named like this one ends, 0 when none does."""
    closing = f"</{start[0][1:]}>"
    last = text.rfind(closing)
    return last + len(closing) if last >= 0 else 0


def mended(text: str) -> str:
    """Return a malformed text with its references mended.

    Bare ampersands, entities that only HTML knows and numbers that are no characters
    are the most common faults of feeds; a document mended like this is whole, where
    feedparser's lenient parser reads "R&D" as "R&D;". One that declares entities of its
    own is left alone.
    """
    return text if "<!ENTITY" in text else _AMPERSAND.sub(_reference, text)


def _reference(found: re.Match[str]) -> str:
    """Return what stands for an ampersand and its reference in XML."""
    name, number = found["name"], found["number"]
    if found["opaque"] or name in _XML_NAMES:
        return found[0]
    if number:
        code = int(number[1:], 16) if number[0] in "xX" else int(number)
        return found[0] if code <= sys.maxunicode and _legal(chr(code)) else ""
    if name and f"{name};" in html5:
        return "".join(f"&#{ord(char)};" for char in html5[f"{name};"])
    return "&amp;" + found[0][1:]


def _legal(char: str) -> bool:
    return _NO_XML.match(char) is None
