"""The entries and mentions that a poll found, written into the database and read again.

What writes is to be called in the transaction that remembers the poll.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from aggregator.model import Entry, Mention, Verdict
from aggregator.recognition import Called
from aggregator.store import history
from aggregator.store.base import Store, seconds


@dataclass(frozen=True, slots=True)
class Found:
    """An entry that a feed, by its number, has brought.

    at: the time of the poll. dated_at: the date of one that has none.
    """

    feed: int
    one: Called
    at: datetime
    dated_at: datetime


def keep(store: Store, found: Sequence[Found], *, backfilled: int = 0) -> None:
    """Insert or update entries, and have the index of words follow.

    Their date and first sight stay as first recorded, and the text of an article that
    was read from its page. backfilled: as the column of those that are new, see
    `schema.later.backfill`.
    """
    by_id = {each.one.entry.id: each for each in found}
    there = _there(store, by_id)
    new = {number: each for number, each in by_id.items() if number not in there}
    places = history.places(store, {n: _dated_at(each) for n, each in new.items()})
    with history.following(store, there):
        _change(store, [by_id[number] for number in there], backfilled)
    # OR ROLLBACK: where a statement may fail alone, SQLite copies each page it is about
    # to write, and that took more than half of its time. That it fails is our fault.
    store.do_many(
        """
        INSERT OR ROLLBACK INTO entries (id, feed, key, url, canonical, title, summary,
            content, author, language, outlet, published_at, updated_at, seen_at,
            dated_at, place, backfilled)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        ((*_row(each), places[number], backfilled) for number, each in new.items()),
    )
    store.do_many(
        "INSERT OR IGNORE INTO fresh VALUES (?)",
        ((number,) for number in sorted(by_id)),
    )
    history.enter(
        store,
        ((places[number], _texts(each.one.entry)) for number, each in new.items()),
    )
    store.do_many(
        """
        INSERT INTO seen (feed, entry, fingerprint, guid, url, title, at)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (feed, entry) DO UPDATE SET fingerprint = excluded.fingerprint,
            guid = excluded.guid, url = excluded.url, title = excluded.title,
            at = excluded.at
        """,
        (_sight(each, listed=not backfilled) for each in found),
    )


def _change(store: Store, found: Iterable[Found], backfilled: int) -> None:
    """Update entries that are kept already."""
    store.do_many(
        """
        UPDATE entries SET url = ?2, canonical = ?3, title = ?4, summary = iif(
                ?5 = '' AND ?6 = '' AND id IN (SELECT entry FROM recovered),
                summary, ?5  -- what was shown came from its page
            ), content = iif(
                length(content) > length(?6)
                AND EXISTS (SELECT 1 FROM pages WHERE url = ?3),
                content, ?6
            ), author = ?7, language = ?8, outlet = ?9, published_at = ?10,
            updated_at = ?11, title_key = iif(story = '', 0, title_key(?4)),
            backfilled = min(backfilled, ?12)
        WHERE id = ?1
        """,
        (
            (entry.id, entry.url, each.one.names.address, *_shown(entry), backfilled)
            for each in found
            for entry in (each.one.entry,)
        ),
    )


def _there(store: Store, ids: Iterable[int]) -> set[int]:
    """Return those of the entries that are kept already."""
    rows = store.each(
        "SELECT id FROM entries WHERE id IN (SELECT value FROM json_each(?))",
        json.dumps([*ids]),
    )
    return {row["id"] for row in rows}


def reused(store: Store, entries: Iterable[int]) -> None:
    """Remember that the URLs of entries stand for other articles too."""
    store.do_many(
        "UPDATE entries SET reused = 1 WHERE id = ?", [(entry,) for entry in entries]
    )


def _sight(found: Found, *, listed: bool) -> tuple[int | None, ...]:
    """Return what a feed remembers of an entry; listed: by a document that was polled.

    Others have no fingerprint: polls carry those of their feed with them, and a million
    from the past would be too many. They are known by their names.
    """
    entry, names = found.one.entry, found.one.names
    return (
        found.feed,
        entry.id,
        entry.fingerprint if listed else 0,
        names.guid,
        names.url,
        names.title,
        seconds(entry.published_at),
    )


def _row(found: Found) -> tuple[str | int | None, ...]:
    entry = found.one.entry
    return (
        entry.id,
        found.feed,
        entry.key,
        entry.url,
        found.one.names.address,
        *_shown(entry),
        seconds(found.at),
        _dated_at(found),
    )


def _shown(entry: Entry) -> tuple[str | int | None, ...]:
    return (
        *_texts(entry),
        entry.author,
        entry.language,
        entry.outlet,
        seconds(entry.published_at),
        seconds(entry.updated_at),
    )


def _texts(entry: Entry) -> history.Texts:
    return entry.title, entry.summary, entry.content


def _dated_at(found: Found) -> int:
    """Return the date of an entry in seconds; it is never later than it was found."""
    entry = found.one.entry
    dated_at = entry.published_at or entry.updated_at or found.dated_at
    return int(min(dated_at, found.at).timestamp())


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
