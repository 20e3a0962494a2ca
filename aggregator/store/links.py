"""Links that only lead elsewhere: which to follow, and where they lead.

A link is known by its canonical URL, so that all entries with it cost one request. Once
it is followed, its entries have the target as their address, and so do those that come
later.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from aggregator.model import Lead, PageTask, Polling
from aggregator.store import polls
from aggregator.store.base import Store, seconds
from aggregator.urls import canonical

_LATER: Final = timedelta(days=1)  # before the last of three tries


def due(
    store: Store,
    every: Iterable[int],
    timeouts: Mapping[int, timedelta],
    now: datetime,
) -> list[PageTask]:
    """Return the links to follow, those of the newest entries first.

    Of mentions, and of fresh entries whose article is looked at in any case (every:
    their feeds); not asked before, or to be tried again. timeouts: by feed, of those
    that may be asked in this cycle.
    """
    rows = store.named(
        """
        SELECT e.link AS page, e.url AS url, e.feed AS feed
        FROM entries e LEFT JOIN links l ON l.url = e.link
        WHERE e.link != '' AND e.link = e.canonical AND (
            l.url IS NULL OR l.next_at <= :now
            OR (l.next_at IS NOT NULL AND l.tried_at > :now)
        ) AND (
            (e.fresh AND e.feed IN (SELECT value FROM json_each(:every)))
            OR EXISTS (
                SELECT 1 FROM mentions m
                WHERE m.entry = e.id AND m.verdict != 'suppressed'
            )
        )
        ORDER BY e.dated_at DESC, page, feed, url
        """,
        every=json.dumps(sorted(every)),
        now=seconds(now),
    )
    tasks: dict[str, PageTask] = {}
    for row in rows:
        if row["feed"] in timeouts:
            task = PageTask(row["page"], row["url"], timeouts[row["feed"]])
            tasks.setdefault(task.page, task)
    return list(tasks.values())


def keys(store: Store) -> frozenset[str]:
    """Return the links, by canonical URL, that led to an entry's article."""
    rows = store.rows("SELECT url FROM links WHERE target != ''")
    return frozenset(row["url"] for row in rows)


def record(store: Store, leads: Iterable[Lead], polling: Polling) -> None:
    """Keep where links lead, or why that is not known, all in one transaction.

    A link is tried at most twice more: not before the shortest pause between two polls,
    then a day after.
    """
    with store.transaction():
        for lead in leads:
            if lead.paused_host and lead.not_before:
                polls.pause(store, lead.paused_host, lead.not_before, lead.at)
            if not lead.asked:
                continue
            rows = store.rows("SELECT tries FROM links WHERE url = ?", lead.page)
            tries = rows[0]["tries"] + 1 if rows else 1
            again = {1: polling.fastest, 2: _LATER}.get(tries) if lead.failure else None
            store.do(
                "INSERT OR REPLACE INTO links VALUES (?, ?, ?, ?, ?, ?)",
                lead.page,
                lead.target,
                lead.failure.reason if lead.failure else "",
                tries,
                seconds(lead.at),
                seconds(lead.at + again) if again else None,
            )
            if lead.target:
                store.do(
                    """
                    UPDATE entries SET url = ?, canonical = ? WHERE link = ?
                    """,
                    lead.target,
                    canonical(lead.target),
                    lead.page,
                )


def forget(store: Store, now: datetime, history: timedelta) -> None:
    """Drop the links of which no entry is left, and that are no news any more."""
    with store.transaction():
        store.do(
            """
            DELETE FROM links AS l WHERE tried_at < ? AND NOT EXISTS (
                SELECT 1 FROM entries e WHERE e.link = l.url
            )
            """,
            seconds(now - history),
        )
