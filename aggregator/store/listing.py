"""What a feed's document lists, what it listed before, and the rhythm that shows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from aggregator.pace import RECENT
from aggregator.store.base import Store, instant, seconds


def keep(
    store: Store,
    feed: int,
    listed: Sequence[int],
    now: datetime,
    since: datetime | None,
    *,
    complete: bool = True,
    akin: bool = False,
) -> bool:
    """Note which entries left the document, and which came back; tell of a gap.

    To be called before new entries are kept. since: the last poll that went well. True
    when the document has no entry in common with the one before: others may have come
    and gone unseen in between, and that window is remembered. complete: False when the
    document was cut short; what it lacks says nothing then. akin: it lists a column of
    the day before under the same name, which is something in common too.
    """
    ids = json.dumps(listed)
    gap = complete and bool(listed) and not akin and _all_new(store, feed, ids)
    if gap:
        store.do(
            "INSERT OR REPLACE INTO gaps VALUES (?, ?, ?)",
            feed,
            seconds(since),
            seconds(now),
        )
    if complete:
        store.do(
            """
            UPDATE seen INDEXED BY seen_listed SET dropped_at = ?
            WHERE feed = ? AND dropped_at IS NULL
                AND entry NOT IN (SELECT value FROM json_each(?))
            """,
            seconds(now),
            feed,
            ids,
        )
    store.do(
        """
        UPDATE seen SET dropped_at = NULL WHERE feed = ? AND dropped_at IS NOT NULL
            AND entry IN (SELECT value FROM json_each(?))
        """,
        feed,
        ids,
    )
    return gap


def _all_new(store: Store, feed: int, ids: str) -> bool:
    """Tell whether none of `ids` was listed by the feed's last document, if any was."""
    (common,) = store.rows(
        """
        SELECT count(*) AS n FROM seen WHERE feed = ? AND dropped_at IS NULL
            AND entry IN (SELECT value FROM json_each(?))
        """,
        feed,
        ids,
    )
    return not common["n"] and length(store, feed) > 0


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
