"""The stored history by its words: an index that answers a query line at once.

It holds the folded texts of every entry of a feed, contentless: the words and where
they stand, not the texts, which `entries` has. To take one out FTS5 must be told what
it held, so whoever changes or drops a text does that inside `following`, in the
transaction that does it.

An entry's place in the index is its date, made unique by bits of its id: so newest
first is the order of places, and a search can stop after a few.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from aggregator.model import Query, State
from aggregator.store.base import Store, instant
from aggregator.text import fold

_BITS = 30  # of a place, below the seconds of the date: entries of one second
_FURTHEST = 2**32 - 1  # seconds from 1970, back to 1833 and on to 2106

_TEXTS = """
    SELECT {command} place, fold(title), fold(summary), fold(content) FROM entries
    WHERE id IN (SELECT value FROM json_each(?)) AND place IS NOT NULL ORDER BY place
"""
# In the order of places: FTS5 writes out what it has gathered when one goes back.
_OUT = f"""
    INSERT INTO history (history, rowid, title, summary, article)
    {_TEXTS.format(command="'delete',")}
"""
_IN = f"""
    INSERT INTO history (rowid, title, summary, article) {_TEXTS.format(command="")}
"""

# Few entries belong to a story: a pass over a million hits looks each of them up among
# these, and reads no entry itself.
_TOLD = """
    WITH moved AS MATERIALIZED (
        SELECT json_extract(value, '$[0]') AS entry,
            json_extract(value, '$[1]') AS story FROM json_each(?)
    ),
    told AS MATERIALIZED (
        SELECT e.place, s.state FROM entries e INDEXED BY entries_story
        LEFT JOIN moved m ON m.entry = e.id
        JOIN stories s ON s.short = coalesce(m.story, e.story) WHERE e.story != ''
    )
    SELECT t.state, count(*) AS n
    FROM history h CROSS JOIN told t ON t.place = h.rowid
    WHERE h.history MATCH ? GROUP BY t.state
"""
_NEWEST = """
    WITH moved AS MATERIALIZED (
        SELECT json_extract(value, '$[0]') AS entry,
            json_extract(value, '$[1]') AS story FROM json_each(?)
    )
    SELECT m.*, e.content, coalesce(o.story, e.story) AS part_of,
        coalesce(s.state, '') AS state
    FROM (
        SELECT rowid AS place FROM history WHERE history MATCH ?
        ORDER BY rowid DESC LIMIT ?
    ) h
    CROSS JOIN entries e ON e.place = h.place
    CROSS JOIN members m ON m.id = e.id
    LEFT JOIN moved o ON o.entry = e.id
    LEFT JOIN stories s ON s.short = coalesce(o.story, e.story)
    ORDER BY h.place DESC
"""


Texts = tuple[str, str, str]
"""Title, summary and article of an entry."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many entries a query finds. told: those in stories, by where they stand."""

    entries: int
    told: Mapping[State, int]


@dataclass(frozen=True, slots=True)
class Stored:
    """An entry of the history. story, state: where it went; "" and None = nowhere."""

    entry: int
    outlet: str
    url: str
    title: str
    summary: str
    article: str
    published_at: datetime
    story: str
    state: State | None


def count(store: Store, query: Query, moved: Mapping[int, str]) -> Count:
    """Return how many entries of the history a line finds.

    moved: the story of each entry that is not in the one where rules placed it.
    """
    (row,) = store.rows(
        "SELECT count(*) AS n FROM history WHERE history MATCH ?", query.expression
    )
    told = store.rows(_TOLD, _pairs(moved), query.expression)
    return Count(row["n"], {State(one["state"]): one["n"] for one in told})


def newest(
    store: Store, query: Query, limit: int, moved: Mapping[int, str]
) -> tuple[Stored, ...]:
    """Return the newest `limit` entries that a line finds, by date; moved: as above."""
    return tuple(
        Stored(
            entry=row["id"],
            outlet=row["outlet"],
            url=row["url"],
            title=row["title"],
            summary=row["summary"],
            article=row["content"],
            published_at=instant(row["dated_at"]),
            story=row["part_of"],
            state=State(row["state"]) if row["state"] else None,
        )
        for row in store.rows(_NEWEST, _pairs(moved), query.expression, limit)
    )


def _pairs(moved: Mapping[int, str]) -> str:
    return json.dumps([*moved.items()])


def enter(store: Store, texts: Iterable[tuple[int, Texts]]) -> None:
    """Take the texts of new entries into the index, by the places they were given."""
    store.do_many(
        "INSERT INTO history (rowid, title, summary, article) VALUES (?, ?, ?, ?)",
        [(place, *map(fold, its)) for place, its in sorted(texts)],
    )


@contextmanager
def following(store: Store, entries: Iterable[int]) -> Iterator[None]:
    """Have the index follow what happens to the texts of `entries` inside the block.

    They may be new, change, or be gone afterwards. To be used inside a transaction, and
    once in it rather than often: each use is a pass over the index.
    """
    ids = json.dumps(sorted(set(entries)))
    store.do(_OUT, ids)
    yield
    _give_places(store, ids)
    store.do(_IN, ids)


def _give_places(store: Store, ids: str) -> None:
    rows = store.rows(
        """
        SELECT id, dated_at FROM entries
        WHERE id IN (SELECT value FROM json_each(?)) AND place IS NULL
        """,
        ids,
    )
    given = places(store, {row["id"]: row["dated_at"] for row in rows})
    store.do_many(
        "UPDATE entries SET place = ? WHERE id = ?",
        [(place, entry) for entry, place in given.items()],
    )


def places(store: Store, dates: Mapping[int, int]) -> dict[int, int]:
    """Return a free place for each entry, by their dates in seconds."""
    wanted = {entry: _place(entry, at) for entry, at in sorted(dates.items())}
    taken = _taken(store, wanted.values())
    for entry, first in wanted.items():
        place = first
        while place in taken:
            place += 1
            taken |= _taken(store, [place])
        wanted[entry] = place
        taken.add(place)
    return wanted


def _taken(store: Store, places: Iterable[int]) -> set[int]:
    rows = store.each(
        "SELECT place FROM entries WHERE place IN (SELECT value FROM json_each(?))",
        json.dumps([*places]),
    )
    return {row["place"] for row in rows}


def _place(entry: int, dated_at: int) -> int:
    at = max(-_FURTHEST, min(dated_at, _FURTHEST))
    return (at << _BITS) + (entry & ((1 << _BITS) - 1))
