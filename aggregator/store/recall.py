"""What a feed is remembered to have listed, and a poll's outcome in the light of it."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from dataclasses import dataclass, replace

from aggregator.identity import number
from aggregator.model import Outcome
from aggregator.recognition import Names, Trace, keys, names, recognise
from aggregator.store.base import Store, maybe_instant


@dataclass(frozen=True, slots=True)
class Recalled:
    """An outcome whose entries are known again.

    outcome: as it came, but every id is the one that lasts. reused: entries, older ones
    too, whose URL stands for other articles as well. akin: the document lists something
    by a name that stood in the one before.
    """

    outcome: Outcome
    reused: frozenset[int] = frozenset()
    akin: bool = False


def recalled(store: Store, outcome: Outcome) -> Recalled:
    """Return the outcome with its entries as those that the feed is known to list."""
    if outcome.listed is None:
        return Recalled(outcome)
    feed = number(outcome.feed.url)
    kept = _kept(store, feed, outcome.listed)
    found = recognise(
        outcome.feed.url,
        outcome.entries,
        _traces(store, feed, outcome) if outcome.entries else (),
        {entry for entries in kept.values() for entry in entries},
    )
    ids = {**kept, **{given: [lasting] for given, lasting in found.ids.items()}}
    return Recalled(
        replace(
            outcome,
            entries=found.entries,
            mentions=tuple(
                replace(mention, entry=found.ids.get(mention.entry, mention.entry))
                for mention in outcome.mentions
            ),
            listed=tuple(
                entry for given in outcome.listed for entry in ids.get(given, [given])
            ),
        ),
        found.reused,
        found.akin,
    )


def _kept(
    store: Store, feed: int, listed: tuple[int, ...]
) -> defaultdict[int, list[int]]:
    """Return the entries that a document lists unchanged, by their fingerprints."""
    kept: defaultdict[int, list[int]] = defaultdict(list)
    for row in store.each(
        """
        SELECT entry, fingerprint FROM seen WHERE feed = ?
            AND fingerprint IN (SELECT value FROM json_each(?))
        """,
        feed,
        json.dumps(listed),
    ):
        kept[row["fingerprint"]].append(row["entry"])
    return kept


def _traces(store: Store, feed: int, outcome: Outcome) -> tuple[Trace, ...]:
    """Return what `recognise` wants to know of what the feed listed before."""
    called = [names(entry) for entry in outcome.entries]
    ids = {number(outcome.feed.url, key) for e in outcome.entries for key in keys(e)}
    rows = store.each(
        """
        SELECT s.*, e.title AS shown, e.summary AS summary
        FROM seen s LEFT JOIN entries e ON e.id = s.entry
        WHERE s.feed = ? AND (
            s.dropped_at IS NULL
            OR s.entry IN (SELECT value FROM json_each(?))
            OR s.guid IN (SELECT value FROM json_each(?))
            OR s.url IN (SELECT value FROM json_each(?))
            OR s.guid = 0 AND s.url = 0
                AND s.title IN (SELECT value FROM json_each(?))
        )
        """,
        feed,
        json.dumps(sorted(ids)),
        json.dumps(sorted({each.guid for each in called} - {0})),
        json.dumps(sorted({each.url for each in called} - {0})),
        json.dumps(sorted({each.title for each in called} - {0})),
    )
    return tuple(map(_trace, rows))


def _trace(row: sqlite3.Row) -> Trace:
    return Trace(
        entry=row["entry"],
        names=Names(row["guid"], row["url"], row["title"]),
        at=maybe_instant(row["at"]),
        listed=row["dropped_at"] is None,
        title=row["shown"],
        summary=row["summary"],
    )
