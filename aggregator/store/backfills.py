"""How far each feed's older entries are known, and what a step of a backfill brings.

A step's entries and how far it came are recorded in one transaction, so that a kill
loses one document at most. The live feed's own state (validators, listing, interval,
gaps) is not touched: what is brought counts as having left its feed already.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from aggregator.identity import number
from aggregator.model import (
    Feed,
    Landing,
    Onward,
    Outcome,
    Step,
    Validators,
    Verdict,
    Walk,
)
from aggregator.store import entries, pages, polls, recall, recovery
from aggregator.store.base import Store, maybe_instant, seconds

MADE_TITLE = 2  # entries.backfilled: the title is the words of an address
_GIVEN_TITLE = 1


@dataclass(frozen=True, slots=True)
class Brought:
    """How many entries were new, and how many mentions they make."""

    entries: int = 0
    certain: int = 0
    doubtful: int = 0


def walk(store: Store, feed: Feed) -> Walk:
    """Return how far a feed's older entries are known."""
    own = number(feed.url)
    siblings = [number(url) for url in feed.outlet.urls if url != feed.url]
    asked = store.rows("SELECT url, digest FROM backfill_steps WHERE feed = ?", own)
    others = store.rows(
        """
        SELECT url FROM backfill_steps WHERE kind = 'sitemap'
            AND feed IN (SELECT value FROM json_each(?))
        """,
        json.dumps(siblings),
    )
    known = store.rows("SELECT * FROM backfills WHERE feed = ?", own)
    if not known:
        return Walk()
    return Walk(
        way=known[0]["way"],
        first=frozenset(json.loads(known[0]["first"])),
        asked=frozenset(row["url"] for row in asked),
        others=frozenset(row["url"] for row in others),
        pages=frozenset(row["digest"] for row in asked if row["digest"] is not None),
        oldest=maybe_instant(known[0]["oldest"]),
        ended=known[0]["ended"],
    )


def begin(store: Store, feed: Feed, live: str, *, again: bool = False) -> None:
    """Have a feed's older entries asked for, if they are not yet, inside a transaction.

    live: where its live document is. again: as if nothing had been asked.
    """
    own = number(feed.url)
    if again:
        store.do("DELETE FROM backfills WHERE feed = ?", own)
        store.do("DELETE FROM backfill_steps WHERE feed = ?", own)
    if store.do("INSERT OR IGNORE INTO backfills (feed) VALUES (?)", own):
        _add(store, own, [Step(live, "live")])


def following(store: Store, feed: Feed, since: datetime) -> Step | None:
    """Return what to ask next of a feed; None: nothing may be as young as `since`."""
    rows = store.rows(
        """
        SELECT * FROM backfill_steps INDEXED BY backfill_open
        WHERE feed = ? AND asked_at IS NULL AND (newest IS NULL OR newest >= ?)
        ORDER BY rank, newest DESC, number, url LIMIT 1
        """,
        number(feed.url),
        seconds(since),
    )
    return next(
        (
            Step(
                row["url"],
                row["kind"],
                row["number"],
                row["rank"],
                maybe_instant(row["newest"]),
                row["start"],
            )
            for row in rows
        ),
        None,
    )


def unread(store: Store, feed: Feed) -> tuple[int, str]:
    """Return how many of a feed's documents were not read whole, and why the first."""
    (row,) = store.rows(
        """
        SELECT count(*) AS n, min(failure) AS failure FROM backfill_steps
        WHERE feed = ? AND failure != ''
        """,
        number(feed.url),
    )
    return row["n"], row["failure"] or ""


def record(store: Store, landing: Landing, onward: Onward, now: datetime) -> Brought:
    """Keep what a step brought and what follows from it, all in one transaction."""
    own = number(landing.feed.url)
    with store.transaction():
        pages.keep_robots(store, landing.robots)
        if landing.paused_host and landing.not_before:
            polls.pause(store, landing.paused_host, landing.not_before, landing.at)
        brought = _keep(store, landing, now) if onward.keep else Brought()
        if landing.step.kind == "live" and onward.done:
            store.do(
                "UPDATE backfills SET first = ? WHERE feed = ?",
                json.dumps(landing.signs),
                own,
            )
        if onward.alone:
            store.do(
                """
                DELETE FROM backfill_steps
                WHERE feed = ? AND asked_at IS NULL AND url != ?
                """,
                own,
                landing.step.url,
            )
        _add(store, own, onward.add)
        if onward.done or onward.start:
            store.do(
                """
                UPDATE backfill_steps SET asked_at = ?, start = ?, digest = ?,
                    failure = ? WHERE feed = ? AND url = ?
                """,
                seconds(now) if onward.done else None,
                onward.start,
                onward.digest,
                onward.unread,
                own,
                landing.step.url,
            )
        _go_on(store, own, landing, onward)
    return brought


def _go_on(store: Store, feed: int, landing: Landing, onward: Onward) -> None:
    """Remember the way, the oldest date, and whether there may be more."""
    oldest = seconds(landing.oldest) if onward.keep else None
    store.do(
        """
        UPDATE backfills SET way = coalesce(nullif(?1, ''), way),
            oldest = min(coalesce(oldest, ?2), coalesce(?2, oldest)), ended = ?3
        WHERE feed = ?4
        """,
        onward.way,
        oldest,
        onward.end,
        feed,
    )
    store.do(
        """
        UPDATE backfills SET ended = iif(way = '', 'none', 'complete')
        WHERE feed = ?1 AND ended = '' AND NOT EXISTS (
            SELECT 1 FROM backfill_steps WHERE feed = ?1 AND asked_at IS NULL
        )
        """,
        feed,
    )


def _add(store: Store, feed: int, steps: Iterable[Step]) -> None:
    """Have documents asked, but those that were or are to be anyway."""
    store.do_many(
        """
        INSERT OR IGNORE INTO backfill_steps (feed, url, kind, number, rank, newest)
        VALUES (?, ?, ?, ?, ?, ?)
        """,
        [(feed, s.url, s.kind, s.number, s.rank, seconds(s.newest)) for s in steps],
    )


def _keep(store: Store, landing: Landing, now: datetime) -> Brought:
    """Keep the entries of a document that are not known already.

    What a poll has brought stays as that had it.
    """
    feed = number(landing.feed.url)
    same = _unchanged(store, feed, [entry.fingerprint for entry in landing.entries])
    outcome = Outcome(
        landing.feed,
        now,
        Validators(),
        b"",
        entries=tuple(e for e in landing.entries if e.fingerprint not in same),
        mentions=landing.mentions,
        listed=tuple(
            entry.fingerprint if entry.fingerprint in same else entry.id
            for entry in landing.entries
        ),
    )
    known = recall.recalled(store, outcome)
    missing = _missing(store, {one.entry.id for one in known.entries})
    new = [one for one in known.entries if one.entry.id in missing]
    outcome = replace(
        known.outcome,
        entries=tuple(one.entry for one in new),
        mentions=tuple(m for m in known.outcome.mentions if m.entry in missing),
    )
    entries.keep(
        store,
        [entries.Found(feed, one, now, landing.dated_at or now) for one in new],
        backfilled=MADE_TITLE if landing.untitled else _GIVEN_TITLE,
    )
    entries.reused(store, known.reused)
    said = recovery.followed(store, outcome)
    entries.mentioned(store, said)
    store.do(
        """
        UPDATE seen SET dropped_at = ?
        WHERE feed = ? AND entry IN (SELECT value FROM json_each(?))
        """,
        seconds(now),
        feed,
        json.dumps(sorted(missing)),
    )
    verdicts = [mention.verdict for mention in said]
    return Brought(
        len(missing), verdicts.count(Verdict.CERTAIN), verdicts.count(Verdict.DOUBTFUL)
    )


def _unchanged(store: Store, feed: int, fingerprints: Iterable[int]) -> set[int]:
    """Return those of the fingerprints that polls of a feed know, with their texts."""
    rows = store.each(
        """
        SELECT s.fingerprint FROM seen s INDEXED BY seen_fingerprint
            JOIN entries e ON e.id = s.entry
        WHERE s.feed = ? AND s.fingerprint IN (SELECT value FROM json_each(?))
        """,
        feed,
        json.dumps([*fingerprints]),
    )
    return {row["fingerprint"] for row in rows}


def _missing(store: Store, ids: Collection[int]) -> set[int]:
    """Return those of the entries whose own text is not there."""
    rows = store.rows(
        """
        SELECT id FROM entries WHERE id IN (SELECT value FROM json_each(?))
            AND id NOT IN (SELECT entry FROM recovered)
        """,
        json.dumps(sorted(ids)),
    )
    return {*ids} - {row["id"] for row in rows}
