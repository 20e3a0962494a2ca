"""The entries and mentions that a poll found, written into the database and read again.

What writes is to be called in the transaction that remembers the poll.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache

from aggregator.model import Mention, Verdict
from aggregator.recognition import Called
from aggregator.store.base import Store, seconds


def keep(
    store: Store,
    feed: int,
    entries: Sequence[Called],
    now: datetime,
    undated_at: datetime,
    *,
    backfilled: int = 0,
) -> None:
    """Insert or update a feed's entries.

    Their date and first sight stay as first recorded, and the text of an article that
    was read from its page. undated_at: the date of an entry that has none. backfilled:
    as the column of those that are new, see `schema.backfill`.
    """
    if not entries:
        return
    store.do_many(
        """
        INSERT INTO entries (id, feed, key, url, canonical, title, summary, content,
            author, language, outlet, published_at, updated_at, seen_at, dated_at,
            backfilled, fresh)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)
        ON CONFLICT (id) DO UPDATE SET url = excluded.url,
            canonical = excluded.canonical, title = excluded.title,
            summary = iif(
                excluded.summary = '' AND excluded.content = ''
                AND id IN (SELECT entry FROM recovered),
                summary, excluded.summary  -- what was shown came from its page
            ), fresh = 1, content = iif(
                length(content) > length(excluded.content)
                AND EXISTS (SELECT 1 FROM pages WHERE url = excluded.canonical),
                content, excluded.content
            ), author = excluded.author, language = excluded.language,
            outlet = excluded.outlet, published_at = excluded.published_at,
            updated_at = excluded.updated_at,
            title_key = iif(story = '', 0, title_key(excluded.title)),
            backfilled = min(backfilled, excluded.backfilled)
        """,
        [(*_row(feed, one, now, undated_at), backfilled) for one in entries],
    )
    store.do_many(
        """
        INSERT INTO seen (feed, entry, fingerprint, guid, url, title, at)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (feed, entry) DO UPDATE SET fingerprint = excluded.fingerprint,
            guid = excluded.guid, url = excluded.url, title = excluded.title,
            at = excluded.at
        """,
        [_sight(feed, one, listed=not backfilled) for one in entries],
    )


def reused(store: Store, entries: Iterable[int]) -> None:
    """Remember that the URLs of entries stand for other articles too."""
    store.do_many(
        "UPDATE entries SET reused = 1 WHERE id = ?", [(entry,) for entry in entries]
    )


def _sight(feed: int, one: Called, *, listed: bool) -> tuple[int | None, ...]:
    """Return what a feed remembers of an entry; listed: by a document that was polled.

    Others have no fingerprint: polls carry those of their feed with them, and a million
    from the past would be too many. They are known by their names.
    """
    return (
        feed,
        one.entry.id,
        one.entry.fingerprint if listed else 0,
        one.names.guid,
        one.names.url,
        one.names.title,
        seconds(one.entry.published_at),
    )


def _row(
    feed: int, one: Called, now: datetime, undated_at: datetime
) -> tuple[str | int | None, ...]:
    entry = one.entry
    dated_at = entry.published_at or entry.updated_at or undated_at
    return (
        entry.id,
        feed,
        entry.key,
        entry.url,
        one.names.address,
        entry.title,
        entry.summary,
        entry.content,
        entry.author,
        entry.language,
        entry.outlet,
        seconds(entry.published_at),
        seconds(entry.updated_at),
        seconds(now),
        seconds(min(dated_at, now)),
    )


def mentioned(store: Store, mentions: Iterable[Mention]) -> None:
    """Insert or replace mentions; one that an edit of the article ended stays."""
    store.do_many(
        "INSERT OR REPLACE INTO mentions VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                mention.entry,
                mention.topic,
                mention.verdict,
                mention.rule,
                mention.line,
                mention.column,
                json.dumps(mention.spans),
                mention.snippet,
            )
            for mention in mentions
        ],
    )


def unmentioned(store: Store, mentions: Iterable[Mention]) -> None:
    """Take mentions out."""
    store.do_many(
        "DELETE FROM mentions WHERE entry = ? AND topic = ?",
        [(mention.entry, mention.topic) for mention in mentions],
    )


def mentions(store: Store, entries: Sequence[int]) -> dict[int, tuple[Mention, ...]]:
    """Return what each of the entries mentions, by topic; without those that do not."""
    found: defaultdict[int, list[Mention]] = defaultdict(list)
    for row in store.each(
        """
        SELECT * FROM mentions WHERE entry IN (SELECT value FROM json_each(?))
        ORDER BY entry, topic
        """,
        json.dumps(entries),
    ):
        found[row["entry"]].append(
            Mention(
                entry=row["entry"],
                topic=row["topic"],
                verdict=Verdict(row["verdict"]),
                rule=row["rule"],
                line=row["line"],
                column=row["field"],
                spans=_spans(row["spans"]),
                snippet=row["snippet"],
            )
        )
    return {entry: tuple(its) for entry, its in found.items()}


@lru_cache(maxsize=4096)
def _spans(text: str) -> tuple[tuple[int, int], ...]:
    """Return spans as they were stored; many mentions stand in the same place."""
    return tuple((start, end) for start, end in json.loads(text))
