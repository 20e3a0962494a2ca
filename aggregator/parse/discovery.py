"""The feeds that a web page names in its head (RSS and Atom autodiscovery).

Pure; the page is fetched elsewhere.
"""

from __future__ import annotations

from contextlib import suppress
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urljoin

from aggregator import urls

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


def feeds(html: str, base: str) -> tuple[str, ...]:
    """Return the absolute addresses of the feeds a page names, in its order."""
    reader = _Links()
    with suppress(AssertionError):  # html.parser, on a broken marked section
        reader.feed(html[:HEAD])
    found = dict.fromkeys(_joined(base, href) for href in reader.found)
    return tuple(url for url in found if urls.web(url))


class _Links(HTMLParser):
    """Collects the targets of <link rel="alternate"> to feeds."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        kind = values.get("type", "").partition(";")[0].strip().lower()
        relations = values.get("rel", "").lower().split()
        if tag == "link" and kind in _TYPES and "alternate" in relations:
            self.found.append(values.get("href", "").strip())


def _joined(base: str, href: str) -> str:
    try:
        return urljoin(base, href) if href else ""
    except ValueError:
        return ""
