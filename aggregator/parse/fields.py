"""What all kinds of documents share: plain texts, links and summaries of an item.

Pure and below every parser; no format may enter.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Final
from urllib.parse import quote, urljoin

from aggregator import urls
from aggregator.model import FULL_TEXT
from aggregator.text import cut, plain

LONGEST: Final = 2**16  # characters of a field that are read; the rest is not
_HEAD: Final = 600  # characters of an article that stand in for its summary
_LANGUAGE: Final = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")
_SPACE: Final = re.compile(r"[\x00-\x20\x7f]+")


def text(value: object, *, markup: bool = True) -> str:
    """Return what a reader sees of a field, "" for what is no text.

    markup: False where the document says that the text has none: then a "<" is one,
    but for tags that were escaped once too often.
    """
    if not isinstance(value, str):
        return ""
    value = value[:LONGEST]
    return plain(value if markup else value.replace("<", "&lt;"))


def link(value: object, base: str) -> str:
    """Return an absolute http(s) address, "" for anything else.

    In it stands no space, and nothing that steers a terminal or turns a line about.
    """
    if not isinstance(value, str) or not value.strip():
        return ""
    url = _SPACE.sub("%20", value.strip())
    if not url.isprintable():
        url = "".join(map(_shown, url))
    if urls.web(url):
        return url
    with suppress(ValueError):
        url = urljoin(base, url)
    return url if urls.web(url) else ""


def _shown(char: str) -> str:
    """Return a character as an address may be logged and shown: bidi marks escaped."""
    return char if char.isprintable() else quote(char, errors="replace")


def language(value: object) -> str:
    """Return a language tag as Atom may carry it (RFC 4287 §2), "" for none."""
    tag = value.strip().replace("_", "-") if isinstance(value, str) else ""
    return tag if _LANGUAGE.fullmatch(tag) else ""


def split(summary: str, full: str) -> tuple[str, str]:
    """Return (summary, content) for what an item says of itself.

    full: the longest text it carries beside its summary. Content is the article, or
    whatever the summary does not hold already; where the summary is missing or is the
    article itself, it becomes the head of it.
    """
    content = "" if full in summary else full
    if summary and len(summary) <= FULL_TEXT:
        return summary, content
    text = max(summary, content, key=len)
    return (cut(text, _HEAD), text) if len(text) > FULL_TEXT else (text, "")
