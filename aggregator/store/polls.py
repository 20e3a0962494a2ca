"""Feeds and entries: what is due, and what a poll brought, safely kept.

An outcome's entries, mentions and validators are recorded in one transaction, so that a
document is never remembered as read without what stood in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from aggregator.identity import number
from aggregator.model import (
    Entry,
    Feed,
    Mention,
    Outcome,
    Polling,
    PollTask,
    Validators,
)
from aggregator.pace import furthest, interval, next_poll, suspicious
from aggregator.store import listing
from aggregator.store.base import Store, instant, maybe_instant, seconds
from aggregator.urls import canonical, host

REMEMBERED = timedelta(days=730)  # how long a fingerprint outlives its listing
_UNCHANGED = 304
_LOGGED = timedelta(days=30)  # how long the log of polls is kept


def follow(store: Store, feeds: Sequence[Feed]) -> None:
    """Remember which feeds are followed; others keep their state and are not polled."""
    wanted = {feed.url: feed.outlet.name for feed in feeds if feed.outlet.enabled}
    rows = store.rows("SELECT url, outlet FROM feeds WHERE followed")
    if wanted == {row["url"]: row["outlet"] for row in rows}:
        return
    with store.transaction():
        store.do("UPDATE feeds SET followed = 0")
        store.do_many(
            """
            INSERT INTO feeds (id, url, outlet, followed) VALUES (?, ?, ?, 1)
            ON CONFLICT (id) DO UPDATE SET outlet = excluded.outlet, followed = 1
            """,
            [(number(url), url, outlet) for url, outlet in wanted.items()],
        )


def due(
    store: Store,
    feeds: Sequence[Feed],
    now: datetime,
    polling: Polling,
    *,
    everything: bool = False,
) -> Iterator[PollTask]:
    """Yield a task for each of `feeds` whose time has come, by URL.

    everything: also those whose interval is not over; what a server forbade (a host's
    pause, a feed that is gone) still holds. A next poll further off than any can lie,
    or a last poll in the future, betrays a clock that jumped: it counts as due.
    """
    by_url = {feed.url: feed for feed in feeds if feed.outlet.enabled}
    at = int(now.timestamp())
    far = at + int(furthest(polling).total_seconds())
    paused = {
        row["host"]
        for row in store.rows("SELECT * FROM hosts WHERE not_before > ?", at)
    }
    for row in store.rows("SELECT * FROM feeds WHERE followed ORDER BY url"):
        feed = by_url.get(row["url"])
        jumped = (row["polled_at"] or 0) > at or row["next_poll_at"] > far
        early = row["next_poll_at"] > at and not jumped
        if feed is None or (early and (not everything or row["failure"] == "gone")):
            continue
        if host(feed.url) in paused:
            continue
        yield PollTask(
            feed=feed,
            url=feed.url,
            validators=Validators(row["etag"], row["last_modified"]),
            body_hash=row["body_hash"],
            known=_known(store, row["id"]),
        )


def _known(store: Store, feed: int) -> frozenset[int]:
    rows = store.each("SELECT fingerprint FROM seen WHERE feed = ?", feed)
    return frozenset(row["fingerprint"] for row in rows)


def failing(store: Store) -> set[str]:
    """Return the URLs of the feeds whose last poll failed."""
    return {
        row["url"] for row in store.rows("SELECT url FROM feeds WHERE failures > 0")
    }


def record(store: Store, outcomes: Iterable[Outcome], polling: Polling) -> int:
    """Keep what polls brought, all of it in one transaction; return the new entries."""
    with store.transaction():
        return sum(_record(store, outcome, polling) for outcome in outcomes)


def _record(store: Store, outcome: Outcome, polling: Polling) -> int:
    feed = number(outcome.feed.url)
    row = store.rows("SELECT * FROM feeds WHERE id = ?", feed)[0]
    # at a feed's first poll an undated entry may be old: the document's date is nearer
    undated_at = (outcome.dated_at if row["success_at"] is None else None) or outcome.at
    gap = outcome.listed is not None and listing.keep(
        store, feed, outcome.listed, outcome.at, maybe_instant(row["success_at"])
    )
    new = _keep_entries(store, feed, outcome, undated_at)
    _keep_mentions(store, outcome.mentions)
    failed = outcome.failure
    failures = row["failures"] + 1 if failed else 0
    dates = listing.recent(store, feed)
    usual = interval(dates, listing.length(store, feed), outcome.at, polling)
    validators, doubted_at = outcome.validators, maybe_instant(row["doubted_at"])
    if outcome.status == _UNCHANGED and suspicious(dates, outcome.at, doubted_at):
        validators, doubted_at = Validators(), max(dates)
    store.do(
        """
        UPDATE feeds SET etag = ?, last_modified = ?, body_hash = ?, polled_at = ?,
            next_poll_at = ?, doubted_at = ?, failures = ?, http_status = ?,
            failure = ?, error = ?
        WHERE id = ?
        """,
        validators.etag,
        validators.last_modified,
        outcome.body_hash,
        seconds(outcome.at),
        seconds(
            next_poll(outcome, failures, polling.fastest if gap else usual, polling)
        ),
        seconds(doubted_at),
        failures,
        outcome.status,
        failed.kind if failed else "",
        failed.reason if failed else "",
        feed,
    )
    if not failed:
        store.do(
            "UPDATE feeds SET success_at = ? WHERE id = ?", seconds(outcome.at), feed
        )
        if outcome.moved_to != row["moved_to"]:
            store.do(
                "UPDATE feeds SET moved_to = ?, moved_at = ? WHERE id = ?",
                outcome.moved_to,
                seconds(outcome.at) if outcome.moved_to else None,
                feed,
            )
    if outcome.listed is not None:
        store.do(
            "UPDATE feeds SET title = ?, home = ?, language = ? WHERE id = ?",
            outcome.title,
            outcome.home,
            outcome.language,
            feed,
        )
    if outcome.host_wide and outcome.not_before:
        store.do(
            """
            INSERT INTO hosts VALUES (?, ?) ON CONFLICT (host) DO UPDATE
            SET not_before = max(not_before, excluded.not_before)
            """,
            host(outcome.feed.url),
            seconds(outcome.not_before),
        )
    store.do(
        "INSERT INTO polls VALUES (?, ?, ?, ?, ?, ?)",
        seconds(outcome.at),
        feed,
        outcome.seconds,
        outcome.status,
        len(outcome.entries),
        failed.reason if failed else "",
    )
    return new


def _keep_entries(
    store: Store, feed: int, outcome: Outcome, undated_at: datetime
) -> int:
    """Insert or update entries; their date and first sight stay as first recorded."""
    if not outcome.entries:
        return 0
    ids = json.dumps([entry.id for entry in outcome.entries])
    known = store.rows(
        "SELECT count(*) AS n FROM seen WHERE feed = ? "
        "AND entry IN (SELECT value FROM json_each(?))",
        feed,
        ids,
    )[0]["n"]
    store.do_many(
        """
        INSERT INTO entries (id, feed, key, url, canonical, title, summary, content,
            author, language, outlet, published_at, updated_at, seen_at, dated_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET url = excluded.url,
            canonical = excluded.canonical, title = excluded.title,
            summary = excluded.summary, content = excluded.content,
            author = excluded.author, language = excluded.language,
            outlet = excluded.outlet, published_at = excluded.published_at,
            updated_at = excluded.updated_at,
            title_key = iif(story = '', 0, title_key(excluded.title))
        """,
        [_entry_row(feed, entry, outcome.at, undated_at) for entry in outcome.entries],
    )
    store.do_many(
        """
        INSERT INTO seen (feed, entry, fingerprint) VALUES (?, ?, ?)
        ON CONFLICT (feed, entry) DO UPDATE SET fingerprint = excluded.fingerprint
        """,
        [(feed, entry.id, entry.fingerprint) for entry in outcome.entries],
    )
    return len({entry.id for entry in outcome.entries}) - int(known)


def _entry_row(
    feed: int, entry: Entry, now: datetime, undated_at: datetime
) -> tuple[str | int | None, ...]:
    dated_at = entry.published_at or entry.updated_at or undated_at
    return (
        entry.id,
        feed,
        entry.key,
        entry.url,
        canonical(entry.url),
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


def _keep_mentions(store: Store, mentions: Iterable[Mention]) -> None:
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


def forget(store: Store, now: datetime, history: timedelta) -> None:
    """Drop what is past keeping: texts that matched nothing, old hashes, the old log.

    Both spans count from the day an entry left its feed (DESIGN.md §3), since feeds
    list entries far older than that.
    """
    old = seconds(now - history)
    with store.transaction():
        store.do(
            """
            DELETE FROM entries WHERE story = '' AND id IN (
                SELECT entry FROM seen WHERE dropped_at < ?
            ) AND id NOT IN (SELECT entry FROM mentions)
            """,
            old,
        )
        store.do(
            "DELETE FROM seen WHERE dropped_at < ?",
            seconds(now - max(REMEMBERED, history)),
        )
        store.do("DELETE FROM polls WHERE at < ?", seconds(now - _LOGGED))
        store.do("DELETE FROM hosts WHERE not_before < ?", seconds(now))


def last_cycle(store: Store) -> datetime | None:
    """Return when the last complete cycle was, None before the first."""
    value = store.fact("last_cycle")
    return instant(int(value)) if value else None


def end_cycle(store: Store, now: datetime) -> None:
    """Remember that a cycle is complete."""
    with store.transaction():
        store.note("last_cycle", str(seconds(now)))
