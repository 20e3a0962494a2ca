"""What the maintainer was told, and when: written once, read for the desk.

What tells of failures and silences is kept for ever: it says how things stand, and the
coverage page shows when articles may have been missed. There is little of it, since
`health` does not tell of every flap.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import datetime, timedelta

from aggregator.health.events import FAILURE, SILENCE, Event, Kind
from aggregator.store.base import Store, instant, maybe_instant, seconds

KEPT = 1000  # events that are kept, whatever they tell
AGAIN = timedelta(days=30)  # how long what is told again by mistake is recognised


def keep(store: Store, events: Iterable[Event]) -> int:
    """Remember events, inside a transaction; return how many are new."""
    return sum(
        store.do(
            "INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?, ?, ?, ?)",
            event.id,
            seconds(event.at),
            event.kind,
            event.subject,
            event.outlet,
            event.text,
            seconds(event.since),
        )
        for event in events
    )


def told(store: Store, limit: int = KEPT) -> tuple[Event, ...]:
    """Return the newest events and what was told last of everything, newest first.

    That is the newest `limit` of all, and of the older ones the last of each kind for
    each subject.
    """
    rows = store.rows(
        """
        SELECT * FROM events WHERE id IN (
            SELECT id FROM (SELECT id FROM events ORDER BY at DESC, id LIMIT ?)
            UNION
            SELECT id FROM (SELECT id, max(at) FROM events GROUP BY subject, kind)
        ) ORDER BY at DESC, id
        """,
        limit,
    )
    return tuple(map(_event, rows))


def lasting(store: Store) -> tuple[Event, ...]:
    """Return everything that was ever told of failures and silences, oldest first."""
    return of(store, (*FAILURE, *SILENCE))


def of(store: Store, kinds: Iterable[Kind]) -> tuple[Event, ...]:
    """Return everything of these kinds that was ever told and is kept, oldest first."""
    rows = store.rows(
        "SELECT * FROM events WHERE kind IN (SELECT value FROM json_each(?)) "
        "ORDER BY at, id",
        json.dumps([*kinds]),
    )
    return tuple(map(_event, rows))


def forget(store: Store, now: datetime, waiting: Iterable[str]) -> None:
    """Drop old events that nothing hangs on any longer, inside a transaction.

    Those are gaps, and stories that no longer wait. waiting: ids of those that do.
    """
    store.do(
        """
        DELETE FROM events WHERE id NOT IN (
            SELECT id FROM events ORDER BY at DESC, id LIMIT ?
        ) AND (
            kind = ? AND at < ?
            OR kind = ? AND subject NOT IN (SELECT value FROM json_each(?))
        )
        """,
        KEPT,
        Kind.GAP,
        seconds(now - AGAIN),
        Kind.WAITS,
        json.dumps(list(waiting)),
    )


def _event(row: sqlite3.Row) -> Event:
    return Event(
        id=row["id"],
        at=instant(row["at"]),
        kind=Kind(row["kind"]),
        subject=row["subject"],
        outlet=row["outlet"],
        text=row["text"],
        since=maybe_instant(row["since"]),
    )
