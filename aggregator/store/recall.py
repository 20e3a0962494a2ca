"""What a feed is remembered to have listed, and a poll's outcome in the light of it."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from aggregator.identity import number
from aggregator.model import Names, Outcome
from aggregator.recognition import (
    Called,
    Trace,
    called,
    compared,
    keys,
    recognise,
)
from aggregator.store.base import Store, maybe_instant


@dataclass(frozen=True, slots=True)
class Recalled:
    """An outcome whose entries are known again.

    outcome: as it came, but every id is the one that lasts. entries: its entries with
    what they are called. new: how many of them the feed never listed. reused: entries,
    older ones too, whose URL stands for other articles as well. akin: the document
    lists something by a name that stood in the one before. before: what that one
    listed.
    """

    outcome: Outcome
    entries: tuple[Called, ...] = ()
    new: int = 0
    reused: frozenset[int] = frozenset()
    akin: bool = False
    before: frozenset[int] = frozenset()


def recalled(store: Store, outcome: Outcome) -> Recalled:
    """Return the outcome with its entries as those that the feed is known to list."""
    if outcome.listed is None:
        return Recalled(outcome, tuple(map(called, outcome.entries)))
    feed = number(outcome.feed.url)
    last = _last(store, feed)
    before = frozenset(entry for entries in last.values() for entry in entries)
    kept = {given: last[given] for given in outcome.listed if given in last}
    others = set(outcome.listed).difference(kept, (e.id for e in outcome.entries))
    if others:
        kept |= _returned(store, feed, others)
    unchanged = {entry for entries in kept.values() for entry in entries}
    entries = tuple(map(called, outcome.entries))
    traces = _traces(store, outcome.feed.url, entries, before - unchanged)
    traces = _told(store, entries, traces, unchanged)
    found = recognise(outcome.feed.url, entries, traces, unchanged)
    remembered = {trace.entry for trace in traces}
    ids = {**kept, **{given: [lasting] for given, lasting in found.ids.items()}}
    return Recalled(
        replace(
            outcome,
            entries=tuple(one.entry for one in found.entries),
            mentions=tuple(
                replace(mention, entry=found.ids.get(mention.entry, mention.entry))
                for mention in outcome.mentions
            ),
            listed=tuple(
                entry for given in outcome.listed for entry in ids.get(given, [given])
            ),
        ),
        found.entries,
        len({one.entry.id for one in found.entries} - remembered),
        found.reused,
        found.akin,
        before,
    )


def _last(store: Store, feed: int) -> dict[int, list[int]]:
    """Return what the feed's last document listed, by fingerprints."""
    return _by_fingerprint(
        store.each(
            """
            SELECT fingerprint, entry FROM seen INDEXED BY seen_listed
            WHERE feed = ? AND dropped_at IS NULL
            """,
            feed,
        )
    )


def _returned(
    store: Store, feed: int, fingerprints: Iterable[int]
) -> dict[int, list[int]]:
    """Return what a document lists as it was once, by fingerprints."""
    return _by_fingerprint(
        store.each(
            """
            SELECT fingerprint, entry FROM seen INDEXED BY seen_fingerprint
            WHERE feed = ? AND fingerprint IN (SELECT value FROM json_each(?))
            """,
            feed,
            json.dumps([*fingerprints]),
        )
    )


def _by_fingerprint(rows: Iterable[sqlite3.Row]) -> dict[int, list[int]]:
    found: defaultdict[int, list[int]] = defaultdict(list)
    for fingerprint, entry in rows:
        found[fingerprint].append(entry)
    return found


def _traces(
    store: Store, feed_url: str, entries: tuple[Called, ...], gone: Collection[int]
) -> tuple[Trace, ...]:
    """Return what `recognise` wants to know of what the feed listed before.

    gone: what its last document listed, and this one does not as it was. The texts are
    left out.
    """
    if not (entries and (gone or _known(store, feed_url))):
        return ()
    ids = {number(feed_url, key) for one in entries for key in keys(one)}
    rows = store.named(
        """
        SELECT * FROM seen NOT INDEXED
        WHERE feed = :feed AND entry IN (SELECT value FROM json_each(:ids))
        UNION
        SELECT * FROM seen INDEXED BY seen_guid
        WHERE feed = :feed AND guid IN (SELECT value FROM json_each(:guids))
            AND guid != 0
        UNION
        SELECT * FROM seen INDEXED BY seen_url
        WHERE feed = :feed AND url IN (SELECT value FROM json_each(:urls))
            AND url != 0
        UNION
        SELECT * FROM seen INDEXED BY seen_title
        WHERE feed = :feed AND title IN (SELECT value FROM json_each(:titles))
            AND guid = 0 AND url = 0
        """,
        feed=number(feed_url),
        ids=json.dumps(sorted(ids.union(gone))),
        guids=json.dumps(sorted({one.names.guid for one in entries} - {0})),
        urls=json.dumps(sorted({one.names.url for one in entries} - {0})),
        titles=json.dumps(sorted({one.names.title for one in entries} - {0})),
    )
    return tuple(
        Trace(
            entry=row["entry"],
            names=Names(row["guid"], row["url"], row["title"]),
            at=maybe_instant(row["at"]),
            listed=row["dropped_at"] is None,
        )
        for row in rows
    )


def _known(store: Store, feed_url: str) -> bool:
    """Tell whether anything is remembered of a feed: not at its first poll."""
    return bool(
        store.rows("SELECT 1 FROM seen WHERE feed = ? LIMIT 1", number(feed_url))
    )


def _told(
    store: Store,
    entries: tuple[Called, ...],
    traces: tuple[Trace, ...],
    kept: AbstractSet[int],
) -> tuple[Trace, ...]:
    """Return traces with those of their texts that `recognise` may look at."""
    texts = _texts(store, compared(entries, traces, kept))
    return tuple(
        replace(one, title=texts[one.entry][0], summary=texts[one.entry][1])
        if one.entry in texts
        else one
        for one in traces
    )


def _texts(store: Store, entries: Collection[int]) -> dict[int, tuple[str, str]]:
    """Return title and summary of those of the entries that have them still."""
    if not entries:
        return {}
    rows = store.each(
        """
        SELECT id, title, summary FROM entries
        WHERE id IN (SELECT value FROM json_each(?))
        """,
        json.dumps(sorted(entries)),
    )
    return {row["id"]: (row["title"], row["summary"]) for row in rows}
