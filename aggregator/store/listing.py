"""What a feed's document lists, what it listed before, and the rhythm that shows."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from datetime import datetime

from aggregator.pace import RECENT
from aggregator.store.base import Store, instant, seconds


def keep(
    store: Store,
    feed: int,
    listed: AbstractSet[int],
    before: AbstractSet[int],
    now: datetime,
    since: datetime | None,
    *,
    complete: bool = True,
    akin: bool = False,
) -> bool:
    """Note which entries left the document, and which came back; tell of a gap.

    before: what the last document listed. since: the last poll that went well. True
    when the document has no entry in common with the one before: others may have come
    and gone unseen in between, and that window is remembered. complete: False when the
    document was cut short; what it lacks says nothing then. akin: it lists a column of
    the day before under the same name, which is something in common too.
    """
    strange = bool(listed and before) and before.isdisjoint(listed)
    gap = complete and not akin and strange
    if gap:
        store.do(
            "INSERT OR REPLACE INTO gaps VALUES (?, ?, ?)",
            feed,
            seconds(since),
            seconds(now),
        )
    changed: dict[int, int | None] = dict.fromkeys(listed - before)
    if complete:
        changed |= dict.fromkeys(before - listed, seconds(now))
    store.do_many(
        "UPDATE seen SET dropped_at = ? WHERE feed = ? AND entry = ?",
        ((at, feed, entry) for entry, at in changed.items()),
    )
    return gap


def length(store: Store, feed: int) -> int:
    """Return how many entries the feed's last document listed."""
    (row,) = store.rows(
        """
        SELECT count(*) AS n FROM seen INDEXED BY seen_listed
        WHERE feed = ? AND dropped_at IS NULL
        """,
        feed,
    )
    return int(row["n"])


def recent(store: Store, feed: int) -> list[datetime]:
    """Return the dates of a feed's last entries, as `pace` wants them.

    Equal dates count once: a document without dates is no rhythm, however long. Nor is
    what `backfill` brought.
    """
    rows = store.rows(
        "SELECT DISTINCT dated_at FROM entries WHERE feed = ? AND backfilled = 0 "
        "ORDER BY dated_at DESC LIMIT ?",
        feed,
        RECENT,
    )
    return [instant(row["dated_at"]) for row in rows]
