"""What is new in a fetched document, and what in it is looked for.

Pure; it runs in a child process. It may know documents, topics and fingerprints, but
neither the network nor the database.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from aggregator.match import match
from aggregator.model import Document, Entry, Feed, Fetched, Mention, Rest, Topic
from aggregator.parse import confirmed, parse
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
    reading = parse(fetched, feed.url, max_entries, feed.outlet.kind)
    sifted = _sifted(reading.document, feed, topics, known, sites)
    mentioned = {mention.entry for mention in sifted.mentions}
    document = confirmed(reading, mentioned)
    if document is reading.document:
        return sifted
    return _sifted(document, feed, topics, known, sites)


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
