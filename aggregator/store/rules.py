"""The rules by which the history was last matched, and what an edit of them touches.

What a topic or an outlet asked for is remembered as the text that `aggregator.rules`
makes of it; an outlet's stays when its feed is followed no longer.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from aggregator.fts import headline
from aggregator.identity import number
from aggregator.model import Entry, Topic
from aggregator.store.base import Store

Kind = Literal["topic", "feed"]

_CHUNK = 2000  # entries that are matched together: 2 MB of text at most, mostly 1


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry of the history, as far as it is matched, and the feed it came from.

    page: how the page of its article was read: "full", "part", "" = not at all, or
    "untitled": not at all, and its title is made of its address.
    recovered: its texts are only as much as was published of them.
    """

    entry: Entry
    feed_url: str
    page: str = ""
    recovered: bool = False


def known(store: Store, kind: Kind) -> dict[str, str]:
    """Return the rules last applied, by topic id or feed URL."""
    rows = store.rows("SELECT name, rule FROM rules WHERE kind = ?", kind)
    return {row["name"]: row["rule"] for row in rows}


def remember(store: Store, kind: Kind, rules: Mapping[str, str]) -> None:
    """Note the rules just applied, inside a transaction."""
    store.do_many(
        "INSERT OR REPLACE INTO rules VALUES (?, ?, ?)",
        [(kind, name, rule) for name, rule in rules.items()],
    )


def marked(store: Store) -> frozenset[str]:
    """Return the topics whose rules were edited since stories were settled."""
    return frozenset(store.fact("edited").split())


def mark(store: Store, topics: Iterable[str]) -> None:
    """Remember which these are, inside a transaction."""
    store.note("edited", " ".join(sorted(topics)))


def drop(store: Store, topic: str) -> None:
    """Forget a topic and what the rules found of it, inside a transaction."""
    store.do("DELETE FROM mentions WHERE topic = ? AND rule != 'add'", topic)
    store.do("DELETE FROM rules WHERE kind = 'topic' AND name = ?", topic)


def touched(store: Store, topic: Topic, feeds: Iterable[str]) -> set[int]:
    """Return the entries that a topic's rules may say something of, or said before.

    feeds: the URLs of those whose every entry the topic takes, whatever it says.
    """
    lines = {query.expression for query in topic.match}
    lines |= {headline(query.expression) for query in topic.review}
    found = (finds(store, line) for line in lines)
    return of_feeds(store, feeds).union(said(store, topic.id), *found)


def said(store: Store, topic: str) -> dict[int, str]:
    """Return the entries that mention a topic, each with the line that found it."""
    rows = store.rows("SELECT entry, line FROM mentions WHERE topic = ?", topic)
    return {row["entry"]: row["line"] for row in rows}


def finds(store: Store, expression: str) -> set[int]:
    """Return the entries of the history that an expression finds."""
    rows = store.each(
        """
        SELECT e.id FROM history h CROSS JOIN entries e ON e.place = h.rowid
        WHERE h.history MATCH ?
        """,
        expression,
    )
    return {row["id"] for row in rows}


def told(store: Store) -> dict[int, str]:
    """Return the story of every entry of the history that belongs to one."""
    rows = store.rows(
        "SELECT id, story FROM entries WHERE story != '' AND place IS NOT NULL"
    )
    return {row["id"]: row["story"] for row in rows}


def of_feeds(store: Store, urls: Iterable[str]) -> set[int]:
    """Return every entry of these feeds."""
    rows = store.rows(
        "SELECT id FROM entries WHERE feed IN (SELECT value FROM json_each(?))",
        json.dumps([number(url) for url in urls]),
    )
    return {row["id"] for row in rows}


def read(store: Store, entries: Iterable[int]) -> Iterator[tuple[Kept, ...]]:
    """Yield entries with their texts, some thousand at a time, by id."""
    ids = sorted(entries)
    for start in range(0, len(ids), _CHUNK):
        rows = store.rows(
            """
            SELECT e.id, e.key, e.url, e.title, e.summary, e.content,
                f.url AS feed_url,
                coalesce(
                    iif(p.state = 'failed', NULL, p.state),
                    iif(e.backfilled = 2, 'untitled', '')
                ) AS page,
                e.id IN (SELECT entry FROM recovered) AS recovered
            FROM entries e JOIN feeds f ON f.id = e.feed
                LEFT JOIN pages p ON p.url = e.canonical AND NOT e.reused
            WHERE e.id IN (SELECT value FROM json_each(?)) ORDER BY e.id
            """,
            json.dumps(ids[start : start + _CHUNK]),
        )
        yield tuple(
            Kept(
                Entry(
                    row["id"],
                    row["key"],
                    row["url"],
                    row["title"],
                    row["summary"],
                    fingerprint=0,  # nothing is compared here
                    content=row["content"],
                ),
                row["feed_url"],
                row["page"],
                bool(row["recovered"]),
            )
            for row in rows
        )
