"""Stories put into the database from what was published of them.

Into an empty one after a loss, or beside others that are there. Of an entry that comes
back only its published words are known, until its feed lists it again: `recovered`
holds those entries. Reading a published folder is `recover`'s, another file
`exchange`'s.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from aggregator.identity import number
from aggregator.model import (
    Entry,
    Evidence,
    Mention,
    Origin,
    Outcome,
    Outlet,
    Story,
    Verdict,
)
from aggregator.recognition import called
from aggregator.store import entries, history
from aggregator.store.base import Store, Value, seconds
from aggregator.store.tales import BY_HAND, CURATION
from aggregator.stories import UNKNOWN, marks, rank_of
from aggregator.urls import canonical


def empty(store: Store) -> bool:
    """Tell whether the database holds nothing that was ever published."""
    (row,) = store.rows("SELECT EXISTS (SELECT 1 FROM stories) AS told")
    return not row["told"] and not store.fact("documents")


def there(store: Store, stories: Sequence[Story]) -> set[str]:
    """Return the short ids of those that the database has already.

    Under that id, whatever became of it, or under another: then an entry of theirs is
    in a story, or one with the same address.
    """
    known = {row["short"] for row in store.each("SELECT short FROM stories")}
    found = {one.short for one in stories} & known
    names: defaultdict[int | str, set[str]] = defaultdict(set)
    for story in stories:
        for origin in story.entries:
            if origin.story in known:
                found.add(story.short)
            names[number_of(origin)].add(story.short)
            if not origin.reused and (address := canonical(origin.url)):
                names[address].add(story.short)
    for row in store.each(
        """
        SELECT id, canonical, reused FROM entries
        WHERE story != '' AND (
            id IN (SELECT value FROM json_each(?1))
            OR canonical IN (SELECT value FROM json_each(?1))
        )
        """,
        json.dumps([*names]),
    ):
        found |= names.get(row["id"], set())
        if not row["reused"]:
            found |= names.get(row["canonical"], set())
    return found


def number_of(origin: Origin) -> int:
    """Return the id of the entry that an origin stands for."""
    return number(origin.feed or BY_HAND, origin.key)


def keep(
    store: Store, stories: Sequence[Story], outlets: Mapping[str, Outlet], now: datetime
) -> None:
    """Remember stories as they were published, inside a transaction.

    None of them may be `there`. Entries that are, and belong to no story, keep their
    own words. outlets: those of feeds.toml, by the URLs of their feeds.
    """
    placed = _placed(stories)
    _keep_feeds(store, [one for one, _, _ in placed.values()], outlets)
    with history.following(store, placed):
        _keep_entries(store, placed, outlets, now)
    for story in stories:
        entries.mentioned(store, _mentions(story))
    store.do_many(
        "INSERT OR REPLACE INTO stories VALUES (?, ?, ?, ?, ?, ?, ?, ?, '[]')",
        [
            (
                one.short,
                one.state,
                json.dumps(one.topics),
                seconds(one.added_at),
                seconds(one.updated_at),
                seconds(one.withdrawn_at),
                one.live,
                UNKNOWN,
            )
            for one in stories
        ],
    )


def _placed(stories: Sequence[Story]) -> dict[int, tuple[Origin, str, Story]]:
    """Return by id each entry, as it is to be placed, and the story it is shown in.

    Where the maintainer split a copy off a story of which nothing is left, it founds
    its own.
    """
    own = {s.short for s in stories if any(not one.story for one in s.entries)}
    placed = {}
    for story in stories:
        for origin in story.entries:
            base = origin.story or story.short
            if story.short not in own and base not in own:
                origin, base = replace(origin, reason=""), story.short  # noqa: PLW2901
            placed[number_of(origin)] = (origin, base, story)
    return placed


def _keep_feeds(
    store: Store, origins: Iterable[Origin], outlets: Mapping[str, Outlet]
) -> None:
    feeds = {one.feed: one for one in origins if one.feed}
    store.do_many(
        """
        INSERT INTO feeds (id, url, outlet, followed, title, home)
        VALUES (?, ?, ?, 0, ?, ?)
        ON CONFLICT (id) DO UPDATE SET title = iif(title = '', excluded.title, title),
            home = iif(home = '', excluded.home, home)
        """,
        [
            (
                number(url),
                url,
                outlets[url].name if url in outlets else one.outlet,
                one.feed_title,
                one.home,
            )
            for url, one in feeds.items()
        ],
    )


def _keep_entries(
    store: Store,
    placed: Mapping[int, tuple[Origin, str, Story]],
    outlets: Mapping[str, Outlet],
    now: datetime,
) -> None:
    listed = json.dumps([*placed])
    known = {
        row["id"]
        for row in store.each(
            "SELECT id FROM entries WHERE id IN (SELECT value FROM json_each(?))",
            listed,
        )
    }
    store.do_many(
        """
        INSERT INTO entries (id, feed, key, url, canonical, title, summary,
            content, author, language, outlet, published_at, seen_at, dated_at,
            title_key, story, reason, reused)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, '', ?8, ?9, ?10, ?11, ?12, ?11,
            title_key(?6), ?13, ?14, ?15)
        ON CONFLICT (id) DO UPDATE SET story = excluded.story,
            reason = excluded.reason, title_key = title_key(title)
        """,
        [
            (
                entry,
                number(one.feed) if one.feed else CURATION,
                one.key,
                one.url,
                canonical(one.url),
                one.title,
                story.summary if one.told else "",
                one.author,
                one.language,
                _named_itself(one, outlets),
                seconds(one.published_at),
                seconds(now),
                base,
                one.reason,
                one.reused,
            )
            for entry, (one, base, story) in placed.items()
        ],
    )
    store.do(
        "DELETE FROM unplaced WHERE entry IN (SELECT value FROM json_each(?))", listed
    )
    new = {e: one for e, (one, _, _) in placed.items() if one.feed and e not in known}
    store.do_many(
        "INSERT OR REPLACE INTO seen VALUES (?, ?, 0, ?, ?, ?, ?, ?)",
        [_sight(entry, one, now) for entry, one in new.items()],
    )
    store.do_many(
        "INSERT OR IGNORE INTO recovered VALUES (?, ?, ?)",
        [(entry, placed[entry][2].short, one.told) for entry, one in new.items()],
    )
    store.do_many(
        "INSERT OR IGNORE INTO marks VALUES (?, ?, ?)",
        [
            (mark, seconds(one.published_at), entry)
            for entry, (one, _, story) in placed.items()
            if not one.reason
            for mark in marks(one.title, story.summary if one.told else "")
        ],
    )
    # the page is not asked for again: it was read, though its text is lost
    store.do_many(
        """
        INSERT OR IGNORE INTO pages (url, state, reason, tries, tried_at, canonical)
        VALUES (?, 'failed', 'its text was lost with the database', 1, ?, ?)
        """,
        [
            (canonical(one.url), seconds(now), one.named)
            for one, _, _ in placed.values()
            if one.named
        ],
    )


def _named_itself(origin: Origin, outlets: Mapping[str, Outlet]) -> str:
    """Return the outlet that an entry named itself, "" = it is its feed's."""
    if not origin.feed:
        return origin.outlet
    outlet = outlets.get(origin.feed)
    if outlet is None or (outlet.kind == "search" and outlet.name != origin.outlet):
        return origin.outlet
    return ""


def _sight(entry: int, origin: Origin, now: datetime) -> tuple[Value, ...]:
    """Return what its feed is to know the entry by, when it lists it again.

    A key is a guid, if it is neither the address nor made of it and a day.
    """
    addresses = (origin.url, canonical(origin.url))
    guid = "" if "\n" in origin.key or origin.key in addresses else origin.key
    names = called(
        Entry(entry, origin.key, origin.url, origin.title, "", 0, guid=guid)
    ).names
    return (
        number(origin.feed),
        entry,
        seconds(now),
        names.guid,
        names.url,
        names.title,
        seconds(origin.published_at),
    )


def _mentions(story: Story) -> Iterable[Mention]:
    """Yield what the entries of a story mention; the evidence with its words.

    That is the best mention of each topic, and the first of these, as `compose` has it.
    """
    shown: dict[str, Evidence] = {one.topic: one for one in story.evidence}
    by_topic: defaultdict[str, list[Mention]] = defaultdict(list)
    for origin in story.entries:
        for one in origin.mentions:
            by_topic[one.topic].append(
                Mention(
                    number_of(origin),
                    one.topic,
                    one.verdict,
                    one.rule,
                    one.line,
                    one.column,
                )
            )
    for topic, its in by_topic.items():
        best = min(its, key=rank_of)
        for mention in its:
            if mention is best and topic in shown:
                words = shown[topic]
                yield replace(mention, spans=words.spans, snippet=words.snippet)
            else:
                yield mention


def followed(store: Store, outcome: Outcome) -> tuple[Mention, ...]:
    """Return those of a poll's mentions that hold, and take its entries as they are.

    To be called when these are kept. An entry that was recovered has its own words from
    now on. A doubt does not replace what was certain: its article had settled that.
    What readers see of its story is not taken for news.
    """
    ids = json.dumps([entry.id for entry in outcome.entries])
    rows = store.rows(
        """
        SELECT r.entry, m.topic FROM recovered r
        LEFT JOIN mentions m ON m.entry = r.entry AND m.verdict = 'certain'
        WHERE r.entry IN (SELECT value FROM json_each(?))
        """,
        ids,
    )
    if not rows:
        return outcome.mentions
    own = json.dumps(sorted({row["entry"] for row in rows}))
    store.do(
        """
        UPDATE stories SET digest = ? WHERE short IN (
            SELECT story FROM recovered
            WHERE entry IN (SELECT value FROM json_each(?))
        )
        """,
        UNKNOWN,
        own,
    )
    store.do(
        "DELETE FROM recovered WHERE entry IN (SELECT value FROM json_each(?))", own
    )
    certain = {(row["entry"], row["topic"]) for row in rows}
    return tuple(
        one
        for one in outcome.mentions
        if one.verdict is Verdict.CERTAIN or (one.entry, one.topic) not in certain
    )
