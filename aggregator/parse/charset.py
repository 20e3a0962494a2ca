"""From the bytes of a document to its text in UTF-8, whatever its labels claim.

Labels are often wrong, bytes seldom: what reads as UTF-8 is UTF-8. Pure; no parser may
enter.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO, TextIOWrapper
from typing import Final

_BOMS: Final = (
    # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BARE: Final = (  # the start of "<?" or "<r" without a mark (XML 1.0, appendix F)
    (re.compile(rb"<\0\0\0"), "utf-32-le"),
    (re.compile(rb"\0\0\0<"), "utf-32-be"),
    (re.compile(rb"<\0[^\0]\0"), "utf-16-le"),
    (re.compile(rb"\0<\0[^\0]"), "utf-16-be"),
)
_IN_TYPE: Final = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_IN_XML: Final = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]+)[\"']")
_IN_PAGE: Final = re.compile(
    rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE
)
_PART: Final = 2**20  # characters decoded at once
_HEAD: Final = 1024  # bytes in which the declaration stands
_PAGE_HEAD: Final = 4096  # bytes in which a page names its charset
# What servers say when nobody told them anything.
_SAY_NOTHING: Final = frozenset({"", "us-ascii", "ascii", "iso-8859-1", "latin-1"})
_SEVEN_BIT: Final = ("iso-2022", "iso2022", "hz")  # ASCII bytes that are not ASCII
_WIDER: Final = {"gb2312": "gb18030", "gbk": "gb18030"}
_NOT_FOR_TEXT: Final = ("utf-7", "utf7", "idna", "punycode", "undefined")
# What "surrogateescape" makes of a byte, and what Windows-1252 does.
_WINDOWS: Final = {
    0xDC00 + byte: bytes([byte]).decode("cp1252", "replace") for byte in range(128, 256)
}


def utf8(body: bytes, content_type: str = "") -> bytes:
    """Return a document in UTF-8, without a mark; never fails.

    In this order: a byte order mark, the pattern of UTF-16 and 32, valid UTF-8, the
    encoding of the XML declaration or of Content-Type, and in the end UTF-8 in which
    every wrong byte is read as Windows-1252.
    """
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return _recoded(body[len(mark) :], encoding, "replace")
    for pattern, encoding in _BARE:
        if pattern.match(body):
            return _recoded(body, encoding, "replace")
    labels = _labels(body, content_type)
    if not (labels and labels[0].startswith(_SEVEN_BIT)):
        labels.insert(0, "utf-8")
    for label in labels:
        with suppress(UnicodeError, LookupError):
            return _recoded(body, label, "strict")
    return b"".join(
        part.translate(_WINDOWS).encode("utf-8", "replace")
        # Each byte that is no UTF-8 becomes a surrogate, a hundred times faster than by
        # an error handler of our own.
        for part in _parts(body, "utf-8", "surrogateescape")
    )


def of_page(body: bytes, content_type: str) -> bytes:
    """Return a web page in UTF-8, as `utf8`.

    The page's own word on its charset counts where the server says nothing.
    """
    named = _IN_PAGE.search(body[:_PAGE_HEAD])
    if named and "charset" not in content_type.lower():
        content_type = f"text/html; charset={named[1].decode('ascii', 'replace')}"
    return utf8(body, content_type)


def _recoded(body: bytes, encoding: str, errors: str) -> bytes:
    """Return bytes of an encoding in UTF-8; raises as their decoder does."""
    if encoding == "utf-8" and errors == "strict":
        if len(body) <= _PART:
            body.decode()  # a third of the time of a reader of parts
        else:
            for _ in _parts(body, encoding, errors):
                pass
        return body
    return b"".join(
        part.encode("utf-8", "replace") for part in _parts(body, encoding, errors)
    )


def _parts(body: bytes, encoding: str, errors: str) -> Iterator[str]:
    """Yield the text of a document a part at a time: one wide letter makes all wide."""
    text = TextIOWrapper(BytesIO(body), encoding, errors, newline="")
    while part := text.read(_PART):
        yield part


def _labels(body: bytes, content_type: str) -> list[str]:
    """Return the declared encodings, the more trustworthy first, as Python's names.

    Content-Type goes before the XML declaration (RFC 7303 §3.2), but not when it is
    what a server says of everything.
    """
    in_type = _IN_TYPE.search(content_type)
    in_xml = _IN_XML.search(body[:_HEAD])
    served = in_type[1].lower() if in_type else ""
    declared = in_xml[1].decode("ascii").lower() if in_xml else ""
    order = (declared, served) if served in _SAY_NOTHING else (served, declared)
    return [
        _WIDER.get(label, label)
        for label in order
        if label and label != "utf-8" and not label.startswith(_NOT_FOR_TEXT)
    ]
