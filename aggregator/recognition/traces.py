"""What an entry is called, and what is remembered of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from aggregator import identity, urls
from aggregator.model import Entry, Names
from aggregator.recognition.likeness import Words, title_name

Name = tuple[str, int]
"""A kind of name ("guid", "url" or "title"), and its number."""


@dataclass(frozen=True, slots=True)
class Trace:
    """What is remembered of an entry of the feed, as it was last listed.

    at: the date it bore. listed: it stood in the last document. title, summary: None
    when the text is forgotten.
    """

    entry: int
    names: Names
    at: datetime | None
    listed: bool
    title: str | None = None
    summary: str | None = None


@dataclass(frozen=True, slots=True)
class Called:
    """An entry with what it is called."""

    entry: Entry
    names: Names


def called(entry: Entry) -> Called:
    """Return the entry with what it is called, as it says itself or by `named`."""
    return Called(entry, entry.names or named(entry))


def named(entry: Entry) -> Names:
    """Return what an entry is called; taking its addresses apart takes 30 µs.

    How a URL is written, and how its reader is followed, makes no other name: neither
    in the link nor in a guid that is one.
    """
    address = urls.canonical(entry.url)
    same = address if entry.guid == entry.url else urls.canonical(entry.guid)
    return Names(
        guid=_number("guid", _whole(same, entry.guid) or entry.guid),
        url=_number("url", _whole(address, entry.url)),
        title=title_name(entry.title),
        address=address,
    )


def _number(kind: str, name: str) -> int:
    return identity.number(kind, name) if name else 0


def _whole(same: str, url: str) -> str:
    """Return a URL's canonical one with a fragment that names a part of the page."""
    part = url.partition("#")[2].strip()
    # "#xtor=RSS-3" follows the reader; "#post-12" is one of many on a page
    return f"{same}#{part}" if same and part and "=" not in part else same


def keys(one: Called) -> Iterator[str]:
    """Yield what may be the key of an entry that is new, the best first.

    Where a name is used again, each day is an entry of its own: name and day.
    """
    entry, at = one.entry, one.entry.published_at
    yield entry.key
    name = one.names.address or entry.guid or entry.title
    if at:
        yield f"{name}\n{at.date()}"
        yield f"{name}\n{at.isoformat()}"
    yield f"{name}\n{entry.fingerprint:x}"


class Item:
    """An entry of the document, with what it is compared by."""

    def __init__(self, place: int, one: Called) -> None:
        """Take the entry; place: what tells it from the others of the document."""
        self.place = place
        self.called = one
        self.names = one.names
        self.at = one.entry.published_at
        self.words = Words(one.names.title, one.entry.title, one.entry.summary)


class Known:
    """A trace, with what it is compared by."""

    def __init__(self, trace: Trace) -> None:
        """Keep what the trace says."""
        self.trace = trace
        self.names = trace.names
        self.at = trace.at
        self.words = Words(trace.names.title, trace.title, trace.summary)


def spoken(names: Names) -> Iterator[Name]:
    """Yield what an entry goes by: guid and URL, else its title."""
    if names.guid:
        yield "guid", names.guid
    if names.url:
        yield "url", names.url
    if names.title and not (names.guid or names.url):
        yield "title", names.title
