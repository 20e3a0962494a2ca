"""Looking an article up: the entries the database has, and what is left of others."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from aggregator.identity import number
from aggregator.model import Entry
from aggregator.store import entries as texts
from aggregator.store.base import Store, Value, instant, maybe_instant
from aggregator.store.tales import CURATION
from aggregator.text import fold
from aggregator.why.values import Following, Forgotten, Reading, Trace

_WORD = re.compile(r"[^\W_]+")
_SAMPLE = 5  # entries of a feed that tell where its articles are


def at(store: Store, canonical: str) -> tuple[Trace, ...]:
    """Return the entries with this canonical URL, the story's first one first.

    Also those whose link leads there.
    """
    where = """
        e.canonical IN (
            WITH asked (url) AS (VALUES (?)) SELECT url FROM asked
            UNION SELECT l.url FROM asked JOIN links l ON l.canonical = asked.url
            WHERE l.canonical != ''
        )
    """
    return _traces(store, where, canonical)


def of_story(store: Store, short: str) -> tuple[Trace, ...]:
    """Return the entries of a story, its first one first; () for no id."""
    return _traces(store, "e.story = ? AND e.story != ''", short)


def numbered(store: Store, entries: Iterable[int]) -> tuple[Trace, ...]:
    """Return the entries with these ids."""
    ids = json.dumps([*entries])
    return _traces(store, "e.id IN (SELECT value FROM json_each(?))", ids)


def titled(store: Store, words: str, limit: int) -> tuple[Trace, ...]:
    """Return entries whose titles have all of the words, the best first.

    Those that have them in this order come first, then the newest. Words are compared
    folded, and whole.
    """
    wanted = _WORD.findall(fold(words))
    if not wanted:
        return ()
    phrase = f'title : "{" ".join(wanted)}"'
    each = "title : (" + " AND ".join(f'"{word}"' for word in wanted) + ")"
    best = dict.fromkeys(_by_hand(store, wanted))
    for expression in (phrase, each):
        rows = store.rows(
            """
            SELECT e.id FROM (
                SELECT rowid AS place FROM history WHERE history MATCH ?
                ORDER BY rowid DESC LIMIT ?
            ) h CROSS JOIN entries e ON e.place = h.place
            """,
            expression,
            limit,
        )
        best |= dict.fromkeys(row["id"] for row in rows)
    by_id = {trace.entry.id: trace for trace in numbered(store, best)}
    return tuple(by_id[entry] for entry in [*best][:limit])


def _by_hand(store: Store, wanted: Sequence[str]) -> list[int]:
    """Return the additions whose titles have all of the words, the newest first.

    They are few, and stand in no feed's history.
    """
    rows = store.rows(
        "SELECT id, title FROM entries WHERE feed = ? ORDER BY dated_at DESC, id",
        CURATION,
    )
    return [
        row["id"]
        for row in rows
        if set(wanted) <= set(_WORD.findall(fold(row["title"])))
    ]


def addresses(store: Store) -> dict[str, tuple[str, ...]]:
    """Return by feed the URLs of its newest entries: where its articles are."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for row in store.each(
        """
        SELECT f.url AS feed, e.url FROM feeds f JOIN entries e ON e.id IN (
            SELECT id FROM entries WHERE feed = f.id AND backfilled = 0
            ORDER BY dated_at DESC LIMIT ?
        )
        """,
        _SAMPLE,
    ):
        found[row["feed"]].append(row["url"])
    return {feed: tuple(urls) for feed, urls in found.items()}


def forgotten(
    store: Store, feeds: Iterable[str], keys: Sequence[str]
) -> tuple[Forgotten, ...]:
    """Return what feeds once listed under one of these keys, and is kept no longer."""
    return tuple(
        Forgotten(feed, left)
        for feed in feeds
        for left in _left(store, feed, [number(feed, key) for key in keys])
    )


def _left(store: Store, feed: str, entries: Sequence[int]) -> list[datetime]:
    rows = store.rows(
        """
        SELECT dropped_at FROM seen
        WHERE feed = ? AND entry IN (SELECT value FROM json_each(?))
            AND entry NOT IN (SELECT id FROM entries) AND dropped_at IS NOT NULL
        """,
        number(feed),
        json.dumps(entries),
    )
    return [instant(row["dropped_at"]) for row in rows]


def _traces(store: Store, where: str, value: Value) -> tuple[Trace, ...]:
    # `where` is one of the fixed conditions above
    rows = store.rows(
        f"""
        SELECT e.*, coalesce(nullif(e.outlet, ''), f.outlet) AS name,
            coalesce(f.url, '') AS feed_url,
            s.entry IS NOT NULL AND s.dropped_at IS NULL AS listed, s.dropped_at,
            p.state, p.reason AS hindrance, p.tries, p.tried_at,
            l.target, l.reason AS lost, l.tries AS follows, l.tried_at AS followed_at
        FROM entries e LEFT JOIN feeds f ON f.id = e.feed
            LEFT JOIN seen s ON s.feed = e.feed AND s.entry = e.id
            LEFT JOIN pages p ON p.url = e.canonical
            LEFT JOIN links l ON l.url = e.canonical AND NOT e.reused
        WHERE {where} ORDER BY e.reason != '', e.dated_at, e.canonical, e.id
        """,  # noqa: S608
        value,
    )
    mentions = texts.mentions(store, [row["id"] for row in rows])
    return tuple(
        Trace(
            entry=_entry(row),
            feed=row["feed_url"],
            outlet=row["name"] or "",
            dated_at=instant(row["dated_at"]),
            seen_at=instant(row["seen_at"]),
            listed=bool(row["listed"]),
            backfilled=bool(row["backfilled"]),
            dropped_at=maybe_instant(row["dropped_at"]),
            story=row["story"],
            reason=row["reason"],
            mentions=mentions.get(row["id"], ()),
            page=_reading(row),
            link=_following(row),
        )
        for row in rows
    )


def _reading(row: sqlite3.Row) -> Reading | None:
    if row["state"] is None:
        return None
    at = instant(row["tried_at"])
    return Reading(row["state"], row["hindrance"], row["tries"], at)


def _following(row: sqlite3.Row) -> Following | None:
    if row["target"] is None:
        return None
    at = instant(row["followed_at"])
    return Following(row["url"], row["target"], row["lost"], row["follows"], at)


def _entry(row: sqlite3.Row) -> Entry:
    return Entry(
        id=row["id"],
        key=row["key"],
        url=row["target"] or row["url"],
        title=row["title"],
        summary=row["summary"],
        fingerprint=0,
        content=row["content"],
        author=row["author"],
        language=row["language"],
        outlet=row["outlet"],
        published_at=maybe_instant(row["published_at"]),
        updated_at=maybe_instant(row["updated_at"]),
    )
