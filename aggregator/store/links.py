"""Links that do not say where they lead: which to follow, and what came of it.

A link is known by the canonical URL of its entries, and remembered for good, so that
however many feeds have it, its redirector is asked once. The entries keep it as their
address, on which ids and decisions hang; where it leads is a second one (see the view
`members`). Only links of entries that mention
something, or whose article is read in any case, are followed.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from aggregator.model import Feed, Link, PageTask, Polling
from aggregator.store import configurations, polls
from aggregator.store.base import Store, seconds
from aggregator.store.pages import again_after
from aggregator.urls import canonical, opaque


def due(
    store: Store, feeds: Iterable[Feed], polling: Polling, now: datetime
) -> list[PageTask]:
    """Return the links to follow, those of the newest entries first.

    Of entries that mention something, and of fresh ones whose article is looked at in
    any case. feeds: those whose entries' links may be followed in this cycle. A link
    tried in the future betrays a clock that jumped.
    """
    rows = store.named(
        """
        SELECT e.canonical AS page, e.url AS url, e.feed AS feed
        FROM entries e LEFT JOIN links l ON l.url = e.canonical
        WHERE e.id IN (
                SELECT entry FROM mentions WHERE verdict != 'suppressed'
                UNION SELECT entry FROM fresh
                WHERE EXISTS (SELECT 1 FROM feeds WHERE articles = 'all') AND (
                    SELECT articles FROM entries x JOIN feeds f ON f.id = x.feed
                    WHERE x.id = entry
                ) = 'all'
            ) AND e.canonical != '' AND NOT e.reused
            AND (
                l.url IS NULL OR l.next_at <= :now
                OR (l.next_at IS NOT NULL AND l.tried_at > :now)
            )
        ORDER BY e.dated_at DESC, e.canonical, e.feed, e.url
        """,
        now=seconds(now),
    )
    timeouts = configurations.timeouts(
        store, feeds, {row["feed"] for row in rows}, polling
    )
    tasks: dict[str, PageTask] = {}
    for row in rows:
        if row["feed"] not in timeouts:
            continue
        if row["page"] not in tasks and opaque(row["url"]):
            task = PageTask(row["page"], row["url"], timeouts[row["feed"]])
            tasks[task.page] = task
    return list(tasks.values())


def named(store: Store) -> frozenset[str]:
    """Return every canonical URL of a link that was followed, and of where it leads."""
    rows = store.rows("SELECT url, canonical FROM links WHERE target != ''")
    return frozenset(url for row in rows for url in row)


def record(store: Store, links: Iterable[Link], polling: Polling) -> None:
    """Keep where links lead, all of it in one transaction."""
    with store.transaction():
        for link in links:
            if link.paused_host and link.not_before:
                polls.pause(store, link.paused_host, link.not_before, link.at)
            if link.asked:
                _keep(store, link, polling)
            if link.target:
                _suggest(store, link.page)


def _keep(store: Store, link: Link, polling: Polling) -> None:
    """Remember how a link was followed, and when it is tried again if that failed."""
    rows = store.rows("SELECT tries FROM links WHERE url = ?", link.page)
    tries = rows[0]["tries"] + 1 if rows else 1
    pause = again_after(tries, polling) if link.failure else None
    store.do(
        "INSERT OR REPLACE INTO links VALUES (?, ?, ?, ?, ?, ?, ?)",
        link.page,
        link.target,
        canonical(link.target),
        link.failure.reason if link.failure else "",
        tries,
        seconds(link.at),
        seconds(link.at + pause) if pause else None,
    )


def _suggest(store: Store, link: str) -> None:
    """Suggest that stories placed before are one, where a link shows it only now.

    Both may be published, so none of them changes by itself. Which of the two links of
    one article is followed first makes no difference.
    """
    store.do(
        """
        INSERT OR IGNORE INTO suggestions
        SELECT max(a.story, b.story), min(a.story, b.story), 'same URL behind a link'
        FROM links l JOIN entries a ON a.canonical = l.url AND NOT a.reused
            JOIN entries b ON b.story NOT IN ('', a.story) AND NOT b.reused AND (
                b.canonical = l.canonical
                OR b.canonical IN (
                    SELECT url FROM links
                    WHERE canonical = l.canonical AND canonical != ''
                    UNION ALL SELECT url FROM pages
                    WHERE canonical = l.canonical AND canonical != ''
                )
            )
        WHERE l.url = ? AND a.story != '' AND NOT EXISTS (
            SELECT 1 FROM suggestions s
            WHERE (s.story = a.story AND s.other = b.story)
                OR (s.story = b.story AND s.other = a.story)
        )
        """,
        link,
    )
