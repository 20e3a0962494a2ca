"""Article pages: which to read, what came of it, and what their text makes of entries.

A page is known by the canonical URL of its entries, so that two feeds with one article
cost its site one request. Its text is kept as the `content` of those entries, for as
long as they are kept; here stands only how the reading went. Where a URL stands for
another article each day (`entries.reused`) no page is read: nobody knows whose it is.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from aggregator.model import (
    FULL_TEXT,
    Article,
    Entry,
    Feed,
    Mention,
    Page,
    PageTask,
    Polling,
    Robots,
)
from aggregator.store import configurations, entries, history, polls
from aggregator.store.base import Store, instant, maybe_instant, seconds

_LATER: Final = timedelta(days=1)  # before the last of three tries
_FORGOTTEN: Final = timedelta(days=30)  # after which a robots.txt is not kept
_UNREAD: Final = ("", "short")  # obstacles that another try would meet again


@dataclass(frozen=True, slots=True)
class Unweighed:
    """An entry whose article is known now, as `content`; whole: all of it.

    feed: its address, "" when it is forgotten. new: the text is not stored with it yet.
    """

    entry: Entry
    feed: str
    whole: bool
    new: bool


# ── which to read ─────────────────────────────────────────────────────────────────────

# A page that was never asked for, or is to be tried again. One tried in the future
# betrays a clock that jumped.
_DUE: Final = """
    (p.url IS NULL AND length(e.content) < :full)
    OR p.next_at <= :now OR (p.next_at IS NOT NULL AND p.tried_at > :now)
"""
# Where a link leads is asked itself, not the redirector again.
_AT: Final = "coalesce(nullif(l.target, ''), e.url)"
# Whose pages feeds.toml wants read; kept by feed, for there may be very many.
_EVERY: Final = "(SELECT articles FROM feeds WHERE id = e.feed) = 'all'"
_DOUBTFUL: Final = (
    "(SELECT articles FROM feeds WHERE id = e.feed) IN ('doubtful', 'all')"
)


def pass_by(store: Store) -> None:
    """Have done with fresh entries whose page nobody wants, and keep the others."""
    with store.transaction():
        store.do(
            f"""
            DELETE FROM fresh
            WHERE NOT EXISTS (SELECT 1 FROM feeds WHERE articles = 'all')
            OR NOT EXISTS (
                SELECT 1 FROM entries e WHERE e.id = fresh.entry
                AND {_EVERY} AND canonical != ''
                AND NOT reused AND length(content) < ?
                AND NOT EXISTS (SELECT 1 FROM pages p WHERE p.url = e.canonical)
                AND NOT EXISTS (
                    SELECT 1 FROM mentions m
                    WHERE m.entry = e.id AND m.verdict = 'certain'
                )
            )
            """,  # noqa: S608 - _EVERY is a constant
            FULL_TEXT,
        )


def due(
    store: Store, feeds: Iterable[Feed], polling: Polling, now: datetime
) -> list[PageTask]:
    """Return the pages to read, doubtful entries' first, then the newest ones.

    feeds: those whose entries' pages may be asked for in this cycle.
    """
    # A plus and CROSS keep SQLite from going through all entries of all feeds: with a
    # million of them that took 2.2 s in place of 0.03.
    rows = store.named(
        f"""
        SELECT 0 AS rank, e.canonical AS page, {_AT} AS url, e.feed AS feed,
            e.dated_at AS dated_at
        FROM mentions m CROSS JOIN entries e ON e.id = m.entry
            LEFT JOIN pages p ON p.url = e.canonical
            LEFT JOIN links l ON l.url = e.canonical
        WHERE m.verdict = 'doubtful' AND e.canonical != '' AND NOT e.reused
            AND {_DOUBTFUL} AND ({_DUE})
        UNION
        SELECT 1, e.canonical, {_AT}, e.feed, e.dated_at
        FROM fresh CROSS JOIN entries e ON e.id = fresh.entry
            LEFT JOIN pages p ON p.url = e.canonical
            LEFT JOIN links l ON l.url = e.canonical
        WHERE e.canonical != '' AND NOT e.reused AND p.url IS NULL
            AND length(e.content) < :full
            AND {_EVERY}
        UNION
        SELECT 1, e.canonical, {_AT}, e.feed, e.dated_at
        FROM pages p CROSS JOIN entries e ON e.canonical = p.url AND NOT e.reused
            LEFT JOIN links l ON l.url = e.canonical
        WHERE p.next_at IS NOT NULL AND ({_DUE})
            AND {_EVERY}
            AND NOT EXISTS (
                SELECT 1 FROM mentions m
                WHERE m.entry = e.id AND m.verdict = 'certain'
            )
        ORDER BY rank, dated_at DESC, page, feed, url
        """,  # noqa: S608 - what is put in are constants
        full=FULL_TEXT,
        now=seconds(now),
    )
    timeouts = configurations.timeouts(
        store, feeds, {row["feed"] for row in rows}, polling
    )
    tasks: dict[str, PageTask] = {}
    for row in rows:
        if row["feed"] in timeouts:
            task = PageTask(row["page"], row["url"], timeouts[row["feed"]])
            tasks.setdefault(task.page, task)
    return list(tasks.values())


def robots(store: Store) -> tuple[Robots, ...]:
    """Return what is known of robots.txt files, by site."""
    return tuple(
        Robots(row["site"], row["text"], instant(row["asked_at"]))
        for row in store.rows("SELECT * FROM robots ORDER BY site")
    )


def named(store: Store) -> frozenset[str]:
    """Return every canonical URL that a page gave itself."""
    rows = store.rows("SELECT canonical FROM pages WHERE canonical != ''")
    return frozenset(row["canonical"] for row in rows)


# ── what came of it ───────────────────────────────────────────────────────────────────


def record(store: Store, pages: Iterable[Page], polling: Polling) -> None:
    """Keep what reading brought, all of it in one transaction.

    The entries of a page with a text are fresh again, to be weighed with it.
    """
    pages = tuple(pages)
    articles = {page.page: page.article for page in pages if page.article}
    with store.transaction():
        for page in pages:
            keep_robots(store, page.robots)
            if page.paused_host and page.not_before:
                polls.pause(store, page.paused_host, page.not_before, page.at)
            if page.asked:
                _keep(store, page, polling)
        with history.following(store, _entries(store, articles)):
            for url, article in articles.items():
                _tell(store, url, article)


def keep_robots(store: Store, robots: Iterable[Robots]) -> None:
    """Remember what robots.txt files say, inside a transaction."""
    store.do_many(
        "INSERT OR REPLACE INTO robots VALUES (?, ?, ?)",
        [(one.site, one.text, seconds(one.asked_at)) for one in robots],
    )


def again_after(tries: int, polling: Polling) -> timedelta | None:
    """Return how long after so many tries the next one is due; None = there is none.

    At most twice more: not before the shortest pause between two polls, then a day
    after.
    """
    return {1: polling.fastest, 2: _LATER}.get(tries)


def _entries(store: Store, pages: Iterable[str]) -> list[int]:
    """Return the entries of pages."""
    rows = store.rows(
        """
        SELECT id FROM entries
        WHERE canonical IN (SELECT value FROM json_each(?)) AND NOT reused
        """,
        json.dumps(sorted(pages)),
    )
    return [row["id"] for row in rows]


def _keep(store: Store, page: Page, polling: Polling) -> None:
    """Remember how a page was read, and when it is tried again if that failed.

    A page that was read in part keeps what was found when a later try fails.
    """
    rows = store.rows("SELECT tries FROM pages WHERE url = ?", page.page)
    tries = rows[0]["tries"] + 1 if rows else 1
    article = page.article
    again = not article or article.obstacle not in _UNREAD
    pause = again_after(tries, polling) if again else None
    if page.failure:
        state, reason = "failed", page.failure.reason
    else:
        obstacle = article.obstacle if article else ""
        state, reason = ("part" if obstacle else "full"), str(obstacle)
    store.do(
        """
        INSERT INTO pages (url, state, reason, tries, tried_at, next_at, canonical,
            author)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (url) DO UPDATE SET
            state = iif(excluded.state = 'failed', state, excluded.state),
            reason = excluded.reason, tries = excluded.tries,
            tried_at = excluded.tried_at, next_at = excluded.next_at,
            canonical = iif(excluded.canonical = '', canonical, excluded.canonical),
            author = iif(excluded.author = '', author, excluded.author)
        """,
        page.page,
        state,
        reason,
        tries,
        seconds(page.at),
        seconds(page.at + pause) if pause else None,
        article.canonical if article and article.canonical != page.page else "",
        article.author if article else "",
    )


def _tell(store: Store, page: str, article: Article) -> None:
    """Give the entries of a page what it says; a date only to those that had none.

    And a title to those that a sitemap listed without one.
    """
    if article.title:
        store.do(
            """
            UPDATE entries SET title = ?1, backfilled = 1,
                title_key = iif(story = '', 0, title_key(?1))
            WHERE canonical = ?2 AND NOT reused AND backfilled = 2
            """,
            article.title,
            page,
        )
    store.do(
        """
        UPDATE entries SET content = iif(length(content) < length(?1), ?1, content)
        WHERE canonical = ?2 AND NOT reused
        """,
        article.text,
        page,
    )
    same = "SELECT id FROM entries WHERE canonical = ? AND NOT reused"
    store.do(f"INSERT OR IGNORE INTO fresh {same}", page)
    if article.published_at:
        store.do(
            """
            UPDATE entries SET dated_at = min(seen_at, ?), place = NULL
            WHERE canonical = ? AND NOT reused AND story = '' AND published_at IS NULL
                AND updated_at IS NULL
            """,
            seconds(article.published_at),
            page,
        )


# ── what it makes of entries ──────────────────────────────────────────────────────────


def unweighed(store: Store, most: int) -> list[Unweighed]:
    """Return up to `most` entries whose article is to be weighed, by id.

    Fresh ones whose page was read, for them or for another entry of the article; and
    those in doubt whose article is there in full, from its page or from the feed.
    """
    rows = store.rows(
        f"""
        SELECT e.*, coalesce(p.state, '') AS state, coalesce(
            (SELECT url FROM feeds WHERE id = e.feed), ''
        ) AS feed_url, iif(p.url IS NULL, e.content, (
            SELECT s.content FROM entries s
            WHERE s.canonical = e.canonical AND NOT s.reused
            ORDER BY length(s.content) DESC, s.id LIMIT 1
        )) AS article
        FROM entries e LEFT JOIN pages p ON p.url = e.canonical AND NOT e.reused
        WHERE e.id IN (
            SELECT entry FROM fresh
            UNION SELECT entry FROM mentions WHERE verdict = 'doubtful'
        ) AND (
            (p.state IN ('full', 'part') AND e.id IN (SELECT entry FROM fresh))
            OR (
                (p.state = 'full' OR (p.url IS NULL AND length(e.content) >= ?))
                AND {_DOUBTFUL}
                AND EXISTS (
                    SELECT 1 FROM mentions m
                    WHERE m.entry = e.id AND m.verdict = 'doubtful'
                )
            )
        )
        ORDER BY e.id LIMIT ?
        """,  # noqa: S608 - _DOUBTFUL is a constant
        FULL_TEXT,
        most,
    )
    return [
        Unweighed(
            Entry(
                id=row["id"],
                key=row["key"],
                url=row["url"],
                title=row["title"],
                summary=row["summary"],
                fingerprint=0,  # of no interest to those who match
                content=row["article"],
                author=row["author"],
                language=row["language"],
                outlet=row["outlet"],
                published_at=maybe_instant(row["published_at"]),
                updated_at=maybe_instant(row["updated_at"]),
            ),
            row["feed_url"],
            whole=row["state"] != "part",
            new=row["article"] != row["content"],
        )
        for row in rows
    ]


def weighed(
    store: Store, done: Sequence[Unweighed], mentions: Collection[Mention]
) -> None:
    """Keep what entries mention now that their article is known.

    A doubt that nothing speaks for any longer is suppressed where the article is whole.
    """
    found = {(mention.entry, mention.topic) for mention in mentions}
    whole = [item.entry.id for item in done if item.whole]
    with store.transaction():
        stale = [
            (row["entry"], row["topic"])
            for row in store.rows(
                """
                SELECT entry, topic FROM mentions WHERE verdict = 'doubtful'
                    AND entry IN (SELECT value FROM json_each(?))
                """,
                _json(whole),
            )
            if (row["entry"], row["topic"]) not in found
        ]
        store.do_many(
            "UPDATE mentions SET verdict = 'suppressed' WHERE entry = ? AND topic = ?",
            [*stale],
        )
        entries.mentioned(store, mentions)
        store.do_many(
            "DELETE FROM fresh WHERE entry = ?",
            [(item.entry.id,) for item in done],
        )
        new = [item.entry for item in done if item.new]
        with history.following(store, [entry.id for entry in new]):
            store.do_many(
                "UPDATE entries SET content = ? WHERE id = ?",
                [(entry.content, entry.id) for entry in new],
            )


def forget(store: Store, now: datetime, history: timedelta) -> None:
    """Drop what was remembered of pages whose entries are gone, and old robots.txt."""
    with store.transaction():
        store.do(
            """
            DELETE FROM pages AS p WHERE tried_at < ? AND NOT EXISTS (
                SELECT 1 FROM entries e WHERE e.canonical = p.url
            )
            """,
            seconds(now - history),
        )
        store.do("DELETE FROM robots WHERE asked_at < ?", seconds(now - _FORGOTTEN))


def _json(numbers: Iterable[int]) -> str:
    return json.dumps(sorted(numbers))
