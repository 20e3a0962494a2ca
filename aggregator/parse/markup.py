"""What is cut from a document and mended in it before a parser sees it.

Pure functions of UTF-8, linear in its length and sparing of memory: a document stays
bytes until it is in parts, since one wide letter would make all of its text wide. They
know how feeds break and what makes feedparser slow; no parser may enter.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterator
from html.entities import html5
from typing import Final

_HEAD: Final = 4000  # bytes in which a document shows what it is
_NAME: Final = 1000  # bytes of a name; feedparser's search for mail is quadratic
_FIELD: Final = 2**16  # bytes of a text; some of feedparser's searches are quadratic
_TAG: Final = 2**10  # bytes of a tag before it
_PART: Final = 2**18  # bytes of a part; feedparser takes thirty for each

_DECLARATION: Final = re.compile(rb"<\?xml\s")
_FEED_ROOT: Final = re.compile(rb"<(?:\w+:)?(?:rss|feed|rdf|channel)\b", re.IGNORECASE)
_FIRST_ELEMENT: Final = re.compile(rb"<([A-Za-z_\x80-\xff][\w.:\x80-\xff-]*)")
_PAGE: Final = re.compile(rb"<!doctype\s+html|<html\b|<head\b|<body\b", re.IGNORECASE)
_BLANKS: Final = re.compile(rb"(?:\s|\xc2\xa0){2,}")
# What XML 1.0 cannot hold; one of them makes a whole document malformed.
_CONTROLS: Final = bytes({*range(0x20)} - {0x09, 0x0A, 0x0D})
_NO_CHARACTER: Final = re.compile(rb"\xef\xbf[\xbe\xbf]")
# An entity that is made of others: ten such lines make ten billion words.
_NESTED: Final = re.compile(
    rb"""<!ENTITY\s[^"'<>]*+"""
    rb"""(?:"(?:[^"&]|&(?![\w:]))*+&[^"]*+"|'(?:[^'&]|&(?![\w:]))*+&[^']*+')\s*+>"""
)
ITEM: Final = re.compile(rb"<(?:\w+:)?(?:item|entry)(?=[\s/>])", re.IGNORECASE)
_NEXT: Final = re.compile(
    rb"</(?:\w+:)?(?:item|entry)\s{0,9}>\s*+(?=<(?:\w+:)?(?:item|entry)[\s/>])",
    re.IGNORECASE,
)
# What may hold anything, or the beginning of an entry, or the end of one.
_TOKEN: Final = re.compile(
    rb"<!\[CDATA\[.*?\]\]>|<!--.*?-->|<\?.*?\?>"
    rb"|(?P<start><(?:\w+:)?(?:item|entry)(?=[\s/>]))"
    rb"|(?P<end></(?:\w+:)?(?:item|entry)\s*>)",
    re.IGNORECASE | re.DOTALL,
)
_NAMED: Final = re.compile(
    rb"(<(?:\w+:)?(?:author|creator|managingeditor|webmaster|publisher|name|email"
    rb"|contributor|owner)\b[^<>]{0,200}>(?:<!\[CDATA\[)?[^<]{%d}[\x80-\xbf]*)[^<]+"
    % _NAME,
    re.IGNORECASE,
)
# A tag that is cut is closed all the same, or it would show as text.
_LONG: Final = re.compile(
    rb"(<[^<]{%d}[\x80-\xbf]*+)[^<>]*+(>?)[^<]*+" % (_FIELD + _TAG)
)
_OPENED, _CLOSED = b"<![CDATA[", b"]]>"
# CDATA and comments stay as they are; then every ampersand, with its reference if any.
_AMPERSAND: Final = re.compile(
    r"(?P<opaque><!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z))"
    r"|&(?:(?P<name>[a-z][a-z0-9]{1,31})|#(?P<number>\d{1,7}|x[0-9a-f]{1,6}));|&",
    re.IGNORECASE | re.DOTALL,
)
_CHARACTERS: Final = (
    (9, 10), (13, 13), (0x20, 0xD7FF), (0xE000, 0xFFFD), (0x10000, sys.maxunicode)
)  # fmt: skip
_XML_NAMES: Final = frozenset({"amp", "lt", "gt", "quot", "apos"})


def root(text: bytes) -> bytes:
    """Return the name of the first element as written, b"" where there is none."""
    first = _FIRST_ELEMENT.search(text)
    return first[1] if first else b""


def plain_page(text: bytes) -> bool:
    """Tell whether a text is a web page that holds no feed, wherever one may stand."""
    return root(text).lower() == b"html" and _FEED_ROOT.search(text) is None


def page(text: bytes) -> bool:
    """Tell whether a text that is no feed looks like a web page."""
    return _PAGE.search(text, 0, _HEAD) is not None


def clean(text: bytes) -> bytes:
    """Cut what XML cannot hold, what precedes its declaration, and the prolog's blanks.

    A server's warnings before "<?xml" would make a sound document malformed; on blanks
    feedparser takes time by the square of their number. Entities made of others go too.
    """
    # a search for all of them at once takes four times as long
    text = _NO_CHARACTER.sub(b"", text.translate(None, _CONTROLS))
    declared = _DECLARATION.search(text, 0, _HEAD)
    if declared and not _FEED_ROOT.search(text, 0, declared.start()):
        text = text[declared.start() :]
    first = _FIRST_ELEMENT.search(text)
    start = first.start() if first else len(text)
    prolog = _NESTED.sub(b"", _BLANKS.sub(b"\n", text[:start]))
    return text if len(prolog) == start else prolog + text[start:]


def bounded(text: bytes, max_entries: int) -> bytes:
    """Cut what follows the root, entries beyond the limit, endless names and texts."""
    name = root(text)
    closing = b"</%s>" % name
    end = text.rfind(closing) if _FEED_ROOT.match(b"<%s>" % name) else -1
    if end > 0:
        text = text[: end + len(closing)]
    for number, start in enumerate(ITEM.finditer(text)):
        if number == max_entries:
            # all between here and the end of the last one
            end = _end(text, start)
            if end > start.start():
                text = text[: start.start()] + text[end:]
            break
    # CDATA first, or the end of one might be cut off with its text
    return _LONG.sub(rb"\1\2", _shortened(_NAMED.sub(rb"\1", text)))


def _shortened(text: bytes) -> bytes:
    """Return a text with the rest of each CDATA beyond the limit cut."""
    kept: list[bytes] = []
    at, start = 0, text.find(_OPENED)
    while start >= 0:
        end = text.find(_CLOSED, start)
        end = len(text) if end < 0 else end
        if end - start > _FIELD:
            whole = text[start : start + _FIELD].decode("utf-8", "ignore").encode()
            kept += (text[at:start], whole)
            at = end
        start = text.find(_OPENED, end)
    return b"".join([*kept, text[at:]]) if kept else text


def parts(text: bytes) -> Iterator[bytes]:
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
        if cut.end() - start >= _PART and not _opaque(text[start : cut.start()]):
            yield head + text[start : cut.end()] + tail
            start = cut.end()
    yield head + text[start:end] + tail


def only(text: bytes, wanted: Collection[int], count: int) -> bytes:
    """Return a well-formed feed with some of its entries, by their places in it.

    What stands between entries goes with those left out. b"" where they cannot be told
    apart, or are not `count`.
    """
    edges = [token for token in _TOKEN.finditer(text) if token.lastgroup]
    starts, ends = edges[::2], edges[1::2]
    if (
        not count == len(starts) == len(ends)
        or {edge.lastgroup for edge in starts} != {"start"}
        or {edge.lastgroup for edge in ends} != {"end"}
    ):
        return b""
    kept = (text[starts[at].start() : ends[at].end()] for at in sorted(wanted))
    return b"".join([text[: starts[0].start()], *kept, text[ends[-1].end() :]])


def _opaque(text: bytes) -> bool:
    """Tell whether a text breaks off inside of CDATA or a comment."""
    pairs = ((_OPENED, _CLOSED), (b"<!--", b"-->"))
    return any(text.rfind(opened) > text.rfind(closed) for opened, closed in pairs)


def _end(text: bytes, start: re.Match[bytes]) -> int:
    """Return where the last entry named like this one ends, 0 when none does."""
    closing = b"</%s>" % start[0][1:]
    last = text.rfind(closing)
    return last + len(closing) if last >= 0 else 0


def mended(text: bytes) -> bytes:
    """Return a malformed text with its references mended.

    Bare ampersands, entities that only HTML knows and numbers that are no characters
    are the most common faults of feeds; a document mended like this is whole, where
    feedparser's lenient parser reads "R&D" as "R&D;". One that declares entities of its
    own is left alone.
    """
    if b"<!ENTITY" in text:
        return text
    return _AMPERSAND.sub(_reference, text.decode()).encode()


def _reference(found: re.Match[str]) -> str:
    """Return what stands for an ampersand and its reference in XML."""
    name, number = found["name"], found["number"]
    if found["opaque"] or name in _XML_NAMES:
        return found[0]
    if number:
        code = int(number[1:], 16) if number[0] in "xX" else int(number)
        return found[0] if _legal(code) else ""
    if name and f"{name};" in html5:
        return "".join(f"&#{ord(char)};" for char in html5[f"{name};"])
    return "&amp;" + found[0][1:]


def _legal(code: int) -> bool:
    """Tell whether XML 1.0 (§2.2) knows the character of a number."""
    return any(first <= code <= last for first, last in _CHARACTERS)
