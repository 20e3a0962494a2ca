"""Stories: the entries they are made of, and where each stands."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from aggregator.identity import number
from aggregator.model import Addition, State, Verdict
from aggregator.store import entries
from aggregator.store.base import Store, Value, instant, maybe_instant, seconds
from aggregator.stories import (
    ACROSS_OUTLETS,
    Ledger,
    Member,
    Placement,
    Standing,
    Suggestion,
    marks,
    title_key,
)
from aggregator.text import cut
from aggregator.urls import canonical

_HEAD = 600  # characters of an article that stand in for its summary, as in `parse`
BY_HAND = "curation.toml"  # stands for a feed where the maintainer adds
CURATION = number(BY_HAND)


def added(additions: Iterable[Addition]) -> dict[int, Addition]:
    """Return the additions by the number of the entry that stands for each."""
    return {number(BY_HAND, item.key): item for item in additions}


def keep_additions(
    store: Store, additions: Mapping[int, Addition], now: datetime
) -> None:
    """Make the maintainer's added articles entries like those of any feed.

    One taken out of curation.toml keeps its entry, in case it returns, but loses its
    mentions: nothing speaks for it any longer.
    """
    digest = str(number(*(repr(additions[entry]) for entry in sorted(additions))))
    if store.fact("additions") == digest:
        return
    rows = store.rows("SELECT id FROM entries WHERE feed = ?", CURATION)
    gone = json.dumps(sorted({row["id"] for row in rows} - additions.keys()))
    with store.transaction():
        store.do(
            "DELETE FROM mentions WHERE entry IN (SELECT value FROM json_each(?))", gone
        )
        store.do_many(
            """
            INSERT INTO entries (id, feed, key, url, canonical, title, summary, content,
                author, language, outlet, published_at, seen_at, dated_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, '', ?, '', ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET url = excluded.url,
                canonical = excluded.canonical, title = excluded.title,
                summary = excluded.summary, author = excluded.author,
                outlet = excluded.outlet, published_at = excluded.published_at,
                dated_at = excluded.dated_at,
                title_key = iif(story = '', 0, title_key(excluded.title))
            """,
            [_addition_row(entry, item, now) for entry, item in additions.items()],
        )
        store.do(
            """
            DELETE FROM mentions WHERE rule = 'add' AND entry IN (
                SELECT id FROM entries WHERE feed = ?
            )
            """,
            CURATION,
        )
        store.do_many(
            "INSERT INTO mentions VALUES (?, ?, ?, 'add', '', '', '[]', '')",
            [
                (entry, topic, Verdict.CERTAIN)
                for entry, item in additions.items()
                for topic in item.topics
            ],
        )
        store.note("additions", digest)


def _addition_row(entry: int, item: Addition, now: datetime) -> tuple[Value, ...]:
    at = seconds(item.published_at)
    return (
        entry,
        CURATION,
        item.key,
        item.url,
        canonical(item.url),
        item.title,
        item.excerpt,
        item.author,
        item.outlet,
        at,
        seconds(now),
        at,
    )


def newcomers(store: Store, additions: Mapping[int, Addition]) -> tuple[Member, ...]:
    """Return the entries that mention something and belong to no story yet."""
    rows = store.rows(
        """
        SELECT * FROM members m
        WHERE id IN (SELECT entry FROM unplaced) AND story = ''
            AND EXISTS (SELECT 1 FROM mentions WHERE entry = m.id)
        """
    )
    return _members(store, rows, additions)


def neighbours(
    store: Store, members: Iterable[Member], additions: Mapping[int, Addition]
) -> tuple[Member, ...]:
    """Return placed entries that `members` may belong to.

    Those that share a canonical URL, their own, their link's or their page's, or a
    title; and the first entries of stories that are about as old and share a mark.
    """
    members = tuple(members)
    addresses = json.dumps(sorted({url for m in members for url in m.addresses}))
    wanted = [
        (
            mark,
            seconds(member.published_at - ACROSS_OUTLETS),
            seconds(member.published_at + ACROSS_OUTLETS),
        )
        for member in members
        for mark in marks(member.title, member.summary)
    ]
    rows = store.rows(
        """
        SELECT * FROM members WHERE story != '' AND id IN (
            SELECT id FROM entries
            WHERE canonical IN (SELECT value FROM json_each(?))
            UNION
            SELECT e.id FROM pages p CROSS JOIN entries e ON e.canonical = p.url
            WHERE p.canonical != ''
                AND p.canonical IN (SELECT value FROM json_each(?))
            UNION
            SELECT e.id FROM links l CROSS JOIN entries e ON e.canonical = l.url
            WHERE l.canonical != ''
                AND l.canonical IN (SELECT value FROM json_each(?))
            UNION
            SELECT id FROM entries
            WHERE title_key != 0 AND title_key IN (SELECT value FROM json_each(?))
            UNION
            SELECT m.entry FROM json_each(?) w CROSS JOIN marks m
            ON m.mark = json_extract(w.value, '$[0]') AND m.dated_at BETWEEN
                json_extract(w.value, '$[1]') AND json_extract(w.value, '$[2]')
        )
        ORDER BY story, reason != '', dated_at, canonical, id
        """,
        addresses,
        addresses,
        addresses,
        json.dumps([title_key(member.title) for member in members]),
        json.dumps(wanted),
    )
    return _members(store, rows, additions)


def taken(store: Store, shorts: Iterable[str]) -> set[str]:
    """Return those of the short ids that are in use by entries.

    What is left of a story without any, a tombstone, is its own again when it returns.
    """
    asked = json.dumps([*shorts])
    rows = store.rows(
        """
        SELECT DISTINCT story FROM entries
        WHERE story != '' AND story IN (SELECT value FROM json_each(?))
        """,
        asked,
    )
    return {row["story"] for row in rows}


def put(store: Store, placements: Iterable[Placement]) -> None:
    """Remember where entries were placed, and by what they are found from now on."""
    placements = tuple(placements)
    founders = json.dumps([p.entry for p in placements if not p.reason])
    with store.transaction():
        store.do_many(
            """
            UPDATE entries SET story = ?, reason = ?, title_key = title_key(title)
            WHERE id = ?
            """,
            [(p.story, p.reason, p.entry) for p in placements],
        )
        store.do_many(
            "DELETE FROM unplaced WHERE entry = ?", [(p.entry,) for p in placements]
        )
        rows = store.rows(
            """
            SELECT id, title, summary, head, dated_at FROM members
            WHERE id IN (SELECT value FROM json_each(?))
            """,
            founders,
        )
        store.do_many(
            "INSERT OR IGNORE INTO marks VALUES (?, ?, ?)",
            [
                (mark, row["dated_at"], row["id"])
                for row in rows
                for mark in marks(row["title"], _summary(row))
            ],
        )
        store.do_many(
            "INSERT OR REPLACE INTO suggestions VALUES (?, ?, ?)",
            [
                (p.story, one.story, one.reason)
                for p in placements
                for one in p.suggestions
            ],
        )


def suggestions(store: Store) -> dict[str, tuple[Suggestion, ...]]:
    """Return which stories may be one, by the one that came later."""
    found: defaultdict[str, list[Suggestion]] = defaultdict(list)
    for row in store.each("SELECT * FROM suggestions ORDER BY story, other"):
        found[row["story"]].append(Suggestion(row["other"], row["reason"]))
    return {story: tuple(others) for story, others in found.items()}


def ledgers(
    store: Store, additions: Mapping[int, Addition], known: Mapping[str, Standing]
) -> tuple[Ledger, ...]:
    """Return every story with its entries, the first one first, by short id.

    An entry that nothing speaks for any longer (an `add` taken out of curation.toml)
    is left out while others do. known: where the stories stand.
    """
    rows = store.rows(
        """
        SELECT * FROM members WHERE story != ''
        ORDER BY story, reason != '', dated_at, canonical, id
        """
    )
    found: defaultdict[str, list[Member]] = defaultdict(list)
    for member in _members(store, rows, additions):
        found[member.story].append(member)
    return tuple(
        Ledger(
            short,
            tuple(entry for entry in its if entry.mentions) or tuple(its),
            known.get(short),
        )
        for short, its in found.items()
    )


def standings(store: Store) -> dict[str, Standing]:
    """Return where every story stands, by short id."""
    return {row["short"]: _standing(row) for row in store.rows("SELECT * FROM stories")}


def _standing(row: sqlite3.Row) -> Standing:
    return Standing(
        story=row["short"],
        state=State(row["state"]),
        topics=_names(row["topics"]),
        added_at=maybe_instant(row["added_at"]),
        updated_at=maybe_instant(row["updated_at"]),
        withdrawn_at=maybe_instant(row["withdrawn_at"]),
        live=bool(row["live"]),
        digest=row["digest"],
        held=_names(row["held"]),
    )


@lru_cache(maxsize=4096)
def _names(text: str) -> tuple[str, ...]:
    """Return a list of topics; there are few different ones in many stories."""
    return tuple(json.loads(text))


def held(store: Store) -> dict[str, int]:
    """Return how many stories the brake holds, by topic."""
    rows = store.rows(
        """
        SELECT topic.value AS topic, count(*) AS n
        FROM stories, json_each(stories.held) AS topic GROUP BY topic.value
        """
    )
    return {row["topic"]: row["n"] for row in rows}


def stand(store: Store, standings: Sequence[Standing]) -> None:
    """Remember where stories stand."""
    if not standings:
        return
    with store.transaction():
        store.do_many(
            "INSERT OR REPLACE INTO stories VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    standing.story,
                    standing.state,
                    json.dumps(standing.topics),
                    seconds(standing.added_at),
                    seconds(standing.updated_at),
                    seconds(standing.withdrawn_at),
                    standing.live,
                    standing.digest,
                    json.dumps(standing.held),
                )
                for standing in standings
            ],
        )


def _members(
    store: Store, rows: Sequence[sqlite3.Row], additions: Mapping[int, Addition]
) -> tuple[Member, ...]:
    mentions = entries.mentions(store, [row["id"] for row in rows])
    told = {row["entry"] for row in store.each("SELECT * FROM recovered WHERE told")}
    return tuple(
        Member(
            entry=row["id"],
            outlet=row["outlet"],
            url=row["url"],
            canonical=row["canonical"],
            led=row["led"],
            named=row["named"],
            title=row["title"],
            published_at=instant(row["dated_at"]),
            summary=_summary(row),
            author=row["author"],
            language=row["language"],
            mentions=mentions.get(row["id"], ()),
            story=row["story"],
            reason=row["reason"],
            ruled=row["reason"],
            key=row["key"],
            told=row["id"] in told,
            reused=bool(row["reused"]),
            home=row["home"],
            feed_url=row["feed_url"],
            feed_title=row["feed_title"],
            addition=additions.get(row["id"]),
            backfilled=bool(row["backfilled"]),
        )
        for row in rows
    )


def _summary(row: sqlite3.Row) -> str:
    """Return a member's summary; the head of its article where it has none."""
    return str(row["summary"] or cut(row["head"], _HEAD))
