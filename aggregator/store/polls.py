"""Feeds and entries: what is due, and what a poll brought, safely kept.

An outcome's entries, mentions and validators are recorded in one transaction, so that a
document is never remembered as read without what stood in it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from aggregator.identity import number
from aggregator.model import (
    Feed,
    Outcome,
    Pause,
    Polling,
    PollTask,
    Rest,
    Validators,
    found,
)
from aggregator.pace import (
    RETRY_CAP,
    Move,
    address,
    furthest,
    gone,
    interval,
    moved,
    next_poll,
    suspicious,
)
from aggregator.store import entries, listing, recall, recovery
from aggregator.store.base import Store, instant, maybe_instant, seconds
from aggregator.store.cycles import last_cycle
from aggregator.urls import host

_UNCHANGED = 304


def follow(store: Store, feeds: Sequence[Feed], now: datetime) -> None:
    """Remember which feeds are followed, and since when.

    Others keep their state, and are not polled.
    """
    wanted = {feed.url: feed.outlet.name for feed in feeds if feed.outlet.enabled}
    rows = store.rows("SELECT url, outlet FROM feeds WHERE followed")
    before = {row["url"]: row["outlet"] for row in rows}
    if wanted == before:
        return
    with store.transaction():
        store.do_many(
            "UPDATE feeds SET followed = 0 WHERE id = ?",
            [(number(url),) for url in before.keys() - wanted.keys()],
        )
        store.do_many(
            """
            INSERT INTO feeds (id, url, outlet, followed, since) VALUES (?, ?, ?, 1, ?)
            ON CONFLICT (id) DO UPDATE SET outlet = excluded.outlet, followed = 1,
                since = coalesce(since, excluded.since)
            """,
            [
                (number(url), url, name, seconds(now))
                for url, name in wanted.items()
                if before.get(url) != name
            ],
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

    A feed that moved long enough ago is asked where it is now. everything: also those
    whose interval is not over; what a server forbade (a host's pause, a feed that is
    gone) still holds. A next poll further off than any can lie, or a last poll in the
    future, betrays a clock that jumped: it counts as due.
    """
    at = int(now.timestamp())
    paused = {pause.host for pause in pauses(store, now)}
    rows = store.rows(
        """
        SELECT * FROM feeds WHERE followed
            AND (? OR next_poll_at <= ? OR next_poll_at > ? OR polled_at > ?)
        ORDER BY url
        """,
        everything,
        at,
        int((now + furthest(polling)).timestamp()),
        at,
    )
    by_url = found(feeds, {row["url"] for row in rows})
    for row in rows:
        feed = by_url.get(row["url"])
        if feed is None or not feed.outlet.enabled:
            continue
        far = now + furthest(polling, feed.outlet.interval)
        is_gone = row["failure"] == "gone"
        # a clock set back by a day does not shorten the month of a 410
        ahead = (row["polled_at"] or 0) > at and not is_gone
        early = at < row["next_poll_at"] <= int(far.timestamp()) and not ahead
        if early and (not everything or is_gone):
            continue
        url = address(feed.url, _move(row), now)
        if host(url) in paused:
            continue
        yield PollTask(
            feed=feed,
            url=url,
            validators=Validators(row["etag"], row["last_modified"]),
            body_hash=row["body_hash"],
            known=_known(store, row["id"]),
        )


def _known(store: Store, feed: int) -> frozenset[int]:
    rows = store.each(
        "SELECT fingerprint FROM seen WHERE feed = ? AND fingerprint > 0", feed
    )
    return frozenset(row["fingerprint"] for row in rows)


def where(store: Store, feed: Feed, now: datetime) -> str:
    """Return the address at which a feed is asked now; "" = none ever answered."""
    rows = store.rows("SELECT * FROM feeds WHERE id = ?", number(feed.url))
    if not rows or rows[0]["success_at"] is None:
        return ""
    return address(feed.url, _move(rows[0]), now)


def set_back(store: Store, now: datetime) -> None:
    """Have the pauses asked for in the future go on from now: the clock was set back.

    What is over of them is what was over when the last cycle ended by the old clock, a
    moment ago: so they are kept, and a wait of seconds does not become one of a day.
    """
    at = seconds(now)
    if store.rows("SELECT 1 FROM hosts WHERE at > ? LIMIT 1", at):
        with store.transaction():
            store.do(
                """
                UPDATE hosts SET not_before = ?1 + not_before - max(at, ?2), at = ?1
                WHERE at > ?1
                """,
                at,
                seconds(last_cycle(store)) or 0,
            )


def pauses(store: Store, now: datetime) -> tuple[Pause, ...]:
    """Return the hosts that asked not to be asked yet, by name."""
    rows = store.rows(
        "SELECT * FROM hosts WHERE not_before > ? ORDER BY host", seconds(now)
    )
    return tuple(Pause(row["host"], instant(row["not_before"])) for row in rows)


def pause(store: Store, host: str, until: datetime, now: datetime) -> None:
    """Leave a host alone for as long as it asked, but no longer than RETRY_CAP."""
    store.do(
        """
        INSERT INTO hosts VALUES (?, ?, ?) ON CONFLICT (host) DO UPDATE
        SET not_before = max(not_before, excluded.not_before), at = excluded.at
        """,
        host,
        seconds(min(until, now + RETRY_CAP)),
        seconds(now),
    )


def failing(store: Store) -> set[str]:
    """Return the URLs of the feeds whose last poll failed."""
    return {
        row["url"] for row in store.rows("SELECT url FROM feeds WHERE failures > 0")
    }


def record(store: Store, outcomes: Sequence[Outcome], polling: Polling) -> int:
    """Keep what polls brought, all of it in one transaction; return the new entries.

    Each outcome is another feed's. A feed that was not asked is put off until it may
    be, and that is all.
    """
    with store.transaction():
        # what the poll of one feed brings makes nothing of another known
        known = [
            recall.recalled(store, outcome) for outcome in outcomes if outcome.asked
        ]
        rows = [_feed(store, each.outcome) for each in known]
        entries.keep(
            store,
            [
                found
                for each, row in zip(known, rows, strict=True)
                for found in _found(each, row)
            ],
        )
        for each, row in zip(known, rows, strict=True):
            _record(store, each, row, polling)
        for outcome in outcomes:
            if not outcome.asked and outcome.not_before:
                until = _bearable(outcome, outcome.not_before)
                _put_off(store, outcome.feed, until)
    return sum(each.new for each in known)


def _feed(store: Store, outcome: Outcome) -> sqlite3.Row:
    """Return what is remembered of the feed of an outcome."""
    feed = number(outcome.feed.url)
    (row,) = store.rows("SELECT * FROM feeds WHERE id = ?", feed)
    return row


def _found(known: recall.Recalled, row: sqlite3.Row) -> Iterator[entries.Found]:
    """Yield the entries of an outcome as they are to be kept; row: its feed."""
    at, document = known.outcome.at, known.outcome.dated_at
    # at a feed's first poll an undated entry may be old: the document's date is nearer
    dated_at = (document if row["success_at"] is None else None) or at
    for one in known.entries:
        yield entries.Found(row["id"], one, at, dated_at)


def _record(
    store: Store, known: recall.Recalled, row: sqlite3.Row, polling: Polling
) -> None:
    """Remember a poll, of which the entries are kept; row: its feed before."""
    outcome, feed = known.outcome, row["id"]
    gap = outcome.listed is not None and listing.keep(
        store,
        feed,
        frozenset(outcome.listed),
        known.before,
        outcome.at,
        maybe_instant(row["success_at"]),
        complete=outcome.complete,
        akin=known.akin,
    )
    entries.reused(store, known.reused)
    entries.mentioned(store, recovery.followed(store, outcome))
    _keep_state(store, row, outcome, polling, gap=gap)
    if outcome.listed is not None:
        store.do(
            "UPDATE feeds SET title = ?, home = ?, language = ? WHERE id = ?",
            *(
                # what a document cut short does not say may stand in what is missing
                getattr(outcome, name) or ("" if outcome.complete else row[name])
                for name in ("title", "home", "language")
            ),
            feed,
        )
    if outcome.paused_host and outcome.not_before:
        pause(store, outcome.paused_host, outcome.not_before, outcome.at)
    store.do(
        "INSERT INTO polls VALUES (?, ?, ?, ?, ?, ?)",
        seconds(outcome.at),
        feed,
        outcome.seconds,
        outcome.status,
        len(outcome.entries),
        outcome.failure.reason if outcome.failure else "",
    )


def _keep_state(
    store: Store, row: sqlite3.Row, outcome: Outcome, polling: Polling, *, gap: bool
) -> None:
    """Remember how a feed fares after a poll, and when and where to ask it next.

    row: the feed as it was before.
    """
    failed = outcome.failure
    failures = row["failures"] + 1 if failed else 0
    since = (row["failing_since"] or seconds(outcome.at)) if failed else None
    dates = listing.recent(store, row["id"])
    validators, doubted_at = outcome.validators, maybe_instant(row["doubted_at"])
    if outcome.status == _UNCHANGED and suspicious(dates, outcome.at, doubted_at):
        validators, doubted_at = Validators(), max(dates)
    # what a document cut short lacks is not dropped, but does not lengthen it either
    listed = (
        listing.length(store, row["id"])
        if outcome.listed is None
        else len(set(outcome.listed))
    )
    usual = interval(dates, listed, outcome.at, polling)
    rest = outcome.rest
    if rest is None or not (outcome.complete or rest != Rest()):
        rest = _rest(row)
    due_at = next_poll(
        outcome, failures, polling.fastest if gap else usual, polling, rest
    )
    move = moved(outcome, _move(row))
    store.do(
        """
        UPDATE feeds SET etag = ?, last_modified = ?, body_hash = ?, polled_at = ?,
            success_at = ?, next_poll_at = ?, doubted_at = ?, failures = ?,
            failing_since = ?, failed_at = coalesce(?, failed_at), http_status = ?,
            failure = ?, error = ?, moved_to = ?, moved_at = ?, ttl = ?,
            skip_hours = ?, skip_days = ?
        WHERE id = ?
        """,
        validators.etag,
        validators.last_modified,
        outcome.body_hash,
        seconds(outcome.at),
        row["success_at"] if failed else seconds(outcome.at),
        seconds(due_at),
        seconds(doubted_at),
        failures,
        since,
        seconds(outcome.at) if failed else None,
        outcome.status,
        _kind(outcome),
        failed.reason if failed else "",
        move.to,
        seconds(move.since),
        int(rest.ttl.total_seconds()) if rest.ttl else None,
        json.dumps(sorted(rest.hours)),
        json.dumps(sorted(rest.days)),
        row["id"],
    )


def _put_off(store: Store, feed: Feed, until: datetime) -> None:
    """Have a feed asked no earlier than `until`."""
    store.do(
        "UPDATE feeds SET next_poll_at = max(next_poll_at, ?) WHERE id = ?",
        seconds(until),
        number(feed.url),
    )


def _bearable(outcome: Outcome, until: datetime) -> datetime:
    """Return until when a host's pause is kept: no longer than RETRY_CAP."""
    return min(until, outcome.at + RETRY_CAP)


def _kind(outcome: Outcome) -> str:
    """Return a failure's kind, "" for none; not every 410 means that a feed is gone."""
    if outcome.failure is None:
        return ""
    kind = outcome.failure.kind
    return "http" if kind == "gone" and not gone(outcome) else kind


def _move(row: sqlite3.Row) -> Move:
    return Move(row["moved_to"], maybe_instant(row["moved_at"]))


def _rest(row: sqlite3.Row) -> Rest:
    return Rest(
        None if row["ttl"] is None else timedelta(seconds=row["ttl"]),
        frozenset(json.loads(row["skip_hours"])),
        frozenset(json.loads(row["skip_days"])),
    )
