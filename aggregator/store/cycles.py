"""The end of a cycle: what is past keeping goes, and that it is complete is noted."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from aggregator.store import history
from aggregator.store.base import Store, instant, seconds

REMEMBERED = timedelta(days=730)  # how long a fingerprint outlives its listing
_LOGGED = timedelta(days=30)  # how long the log of polls is kept


def forget(store: Store, now: datetime, kept: timedelta) -> None:
    """Drop what is past keeping: texts that matched nothing, old hashes, the old log.

    kept: how long texts are. Both spans count from the day an entry left its feed
    (DESIGN.md §3), since feeds list entries far older than that.
    """
    rows = store.rows(
        """
        SELECT id FROM entries WHERE story = '' AND id IN (
            SELECT entry FROM seen WHERE dropped_at < ?
        ) AND id NOT IN (SELECT entry FROM mentions)
        """,
        seconds(now - kept),
    )
    old = [row["id"] for row in rows]
    with store.transaction():
        with history.following(store, old):
            store.do(
                "DELETE FROM entries WHERE id IN (SELECT value FROM json_each(?))",
                json.dumps(old),
            )
        store.do(
            "DELETE FROM seen WHERE dropped_at < ?",
            seconds(now - max(REMEMBERED, kept)),
        )
        store.do("DELETE FROM polls WHERE at < ?", seconds(now - _LOGGED))
        store.do("DELETE FROM hosts WHERE not_before < ?", seconds(now))


def last_cycle(store: Store) -> datetime | None:
    """Return when the last complete cycle was, None before the first."""
    value = store.fact("last_cycle")
    return instant(int(value)) if value else None


def end_cycle(store: Store, now: datetime) -> None:
    """Remember that a cycle is complete."""
    with store.transaction():
        store.note("last_cycle", str(seconds(now)))
