"""What is new in a fetched document, and what in it is looked for.

Pure; it runs in a child process. It may know documents, topics and fingerprints, but
neither the network nor the database.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from aggregator.identity import number
from aggregator.match import doubted, match
from aggregator.model import (
    Document,
    Entry,
    Feed,
    Fetched,
    Mention,
    Nested,
    Rest,
    Topic,
)
from aggregator.parse import confirmed, past, read
from aggregator.recognition import named
from aggregator.sources import Sites, attributed


@dataclass(frozen=True, slots=True)
class Sifted:
    """A document without the entries that are known already; as `model.Document`.

    listed: all its entries in its order, as `model.Outcome` says.
    """

    title: str
    home: str
    language: str
    listed: tuple[int, ...]
    entries: tuple[Entry, ...]
    mentions: tuple[Mention, ...]
    complete: bool
    dated_at: datetime | None
    rest: Rest


@dataclass(frozen=True, slots=True)
class SiftedPast:
    """A document of an outlet's past; fields as in `model.Landing`."""

    sifted: Sifted
    signs: tuple[int, ...]
    oldest: datetime | None
    newest: datetime | None
    older: str
    generator: str
    sitemap: bool
    nested: tuple[Nested, ...]
    more: bool
    cut: bool
    untitled: bool


def sift(
    fetched: Fetched,
    feed: Feed,
    topics: tuple[Topic, ...],
    known: frozenset[int],
    max_entries: int,
    sites: Sites = (),
) -> Sifted:
    """Return the new and the changed entries of a document, with their mentions.

    known: fingerprints of the entries that are remembered. sites: where outlets live,
    for what a search has found.

    Raises ParseError as `parse` does.
    """
    reading = read(fetched, feed.url, max_entries, feed.outlet.kind)
    sifted = _sifted(reading.document, feed, topics, known, sites)
    mentioned = {mention.entry for mention in sifted.mentions}
    document = confirmed(reading, mentioned)
    if document is reading.document:
        return sifted
    return _sifted(document, feed, topics, known, sites)


def sift_past(
    fetched: Fetched,
    feed: Feed,
    topics: tuple[Topic, ...],
    start: int,
    max_entries: int,
    sites: Sites = (),
) -> SiftedPast:
    """Return what a document says of an outlet's past, known or not.

    Nobody tells which entries are known: they may be a million. start: as in
    `parse.past`. Of entries that have no title but the words of their
    addresses nothing is certain: their pages tell. Raises ParseError as `past` does.
    """
    found = past(fetched, feed, start, max_entries)
    document = found.document
    sifted = _sifted(document, feed, topics, frozenset(), sites)
    if found.untitled:
        sifted = replace(sifted, mentions=doubted(sifted.mentions))
    dates = [entry.published_at for entry in document.entries if entry.published_at]
    return SiftedPast(
        sifted=sifted,
        signs=tuple(map(_sign, document.entries)),
        oldest=min(dates, default=None),
        newest=max(dates, default=None),
        older=document.older,
        generator=document.generator,
        sitemap=found.sitemap,
        nested=found.nested,
        more=found.more,
        cut=found.cut,
        untitled=found.untitled,
    )


def _sign(entry: Entry) -> int:
    """Return what an entry is known by on a page that is answered again.

    Its title and date, since some outlets make addresses and guids anew each time.
    """
    if entry.title and entry.published_at:
        return number(entry.title, entry.published_at.isoformat())
    return entry.id


def _sifted(
    document: Document,
    feed: Feed,
    topics: tuple[Topic, ...],
    known: frozenset[int],
    sites: Sites,
) -> Sifted:
    """Return what is new in a document that was read."""
    fresh = tuple(entry for entry in document.entries if entry.fingerprint not in known)
    if feed.outlet.kind == "search":
        fresh = tuple(attributed(entry, feed.url, sites) for entry in fresh)
    # for the one process that writes, which has most to do
    fresh = tuple(replace(entry, names=named(entry)) for entry in fresh)
    return Sifted(
        title=document.title,
        home=document.home,
        language=document.language,
        listed=tuple(
            entry.fingerprint if entry.fingerprint in known else entry.id
            for entry in document.entries
        ),
        entries=fresh,
        mentions=match(fresh, topics, feed.outlet) if fresh else (),
        complete=document.complete,
        dated_at=document.dated_at,
        rest=document.rest,
    )
