"""Feeds that start to fail, fall silent or move, and those that come back. Pure.

What a feed is told to be follows from what was told of it last and how it fares now;
nothing else is remembered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from aggregator.health.events import (
    FAILURE,
    SILENCE,
    Event,
    Kind,
    Told,
    event_id,
    later,
)
from aggregator.health.status import Record, Status, status
from aggregator.model import Feed

STEADY = timedelta(days=7)  # without failure, after which a feed is no longer unsteady
_OFTEN = 2  # failures told within STEADY, after which the next one is unsteadiness
_ON_END = timedelta(days=1)  # of failing, after which unsteady is the wrong word

# What may as well be the fault of this machine: it is offline, its names resolve to a
# hotel's login page, its processes cannot start.
OURS = frozenset({"network", "refused", "ours"})
_BAD = (Kind.FAILS, Kind.GONE)


@dataclass(frozen=True, slots=True)
class Reach:
    """What answers the followed feeds gave that were polled, so many of them.

    at: when; newest: None before the first.
    """

    feeds: int
    at: frozenset[datetime]
    newest: datetime | None

    def blames(self, record: Record) -> bool:
        """Tell whether a failure is the outlet's, not perhaps this machine's.

        A single feed is all there is to go by. Else some other feed must have been
        answered in the same cycle; or, of one that fails again, since it began to.
        """
        if record.failure not in OURS or self.feeds == 1:
            return True
        if record.polled_at in self.at:
            return True
        since, again = record.failing_since, record.failures > 1
        return bool(again and since and self.newest and self.newest >= since)


def cut_off(reach: Reach, began: datetime | None) -> bool:
    """Tell whether this machine seems cut off from all outlets.

    It does when feeds began to fail after the last answer that any feed gave. began:
    when one did last, of the followed feeds whose failure may be our own fault.
    """
    return began is not None and (reach.newest is None or began > reach.newest)


def is_told(told: Told, url: str) -> bool:
    """Tell whether what was told of a feed last is that it fails."""
    last = told.last(url, FAILURE)
    return last is not None and last.kind in _BAD


def feed_events(
    feeds: Iterable[Feed],
    records: Mapping[str, Record],
    reach: Reach,
    told: Told,
    now: datetime,
) -> list[Event]:
    """Return what is new of those of the followed feeds of which there are records.

    This machine offline is not 200 outlets failing: see `Reach.blames`.
    """
    polled = [
        (feed, record)
        for feed in feeds
        if feed.outlet.enabled
        and (record := records.get(feed.url))
        and record.polled_at
    ]
    found: list[Event] = []
    for feed, record in polled:
        line = status(feed, record)
        found += _failure(line, record, reach, told, now)
        if not record.failure:
            found += _silence(line, record, told, now)
        found += _move(line, record, now)
    return list(told.new(found))


def _failure(
    line: Status, record: Record, reach: Reach, told: Told, now: datetime
) -> Iterator[Event]:
    before = told.newest_first(line.url, FAILURE)
    last = before[0] if before else None
    bad = [e for e in before if e.kind in _BAD and now - e.at < STEADY]
    kind = _changed(record, last, bad, reach)
    if kind is None:
        return
    since, text = record.success_at, record.error
    if kind is Kind.RECOVERED and last:
        since, text = last.since or last.at, ""
    elif kind is Kind.UNSTEADY:
        since = bad[-1].at
    at = later(now, last)
    id_ = event_id(kind, line.url, at)
    yield Event(id_, at, kind, line.url, line.outlet, text, since)


def _changed(
    record: Record, last: Event | None, bad: Sequence[Event], reach: Reach
) -> Kind | None:
    """Return what a feed has become since `last`; None if that still holds.

    bad: what was told of its failures within STEADY.
    """
    known = last.kind if last else Kind.RECOVERED
    unsteady = known is Kind.UNSTEADY
    if not record.failure:
        well = known is Kind.RECOVERED or (unsteady and not _steady(record))
        return None if well else Kind.RECOVERED
    if record.failure == "gone":
        return None if known is Kind.GONE else Kind.GONE
    if known in _BAD or not reach.blames(record):
        return None
    if _on_end(record) or not (unsteady or len(bad) >= _OFTEN):
        return Kind.FAILS
    return None if unsteady else Kind.UNSTEADY


def _steady(record: Record) -> bool:
    answered, failed = record.success_at, record.failed_at
    return not answered or not failed or answered - failed >= STEADY


def _on_end(record: Record) -> bool:
    asked, since = record.polled_at, record.failing_since
    return bool(asked and since and asked - since > _ON_END)


def _silence(
    line: Status, record: Record, told: Told, now: datetime
) -> Iterator[Event]:
    last = told.last(line.url, SILENCE)
    silent = last is not None and last.kind is Kind.SILENT
    if line.silent_since and not silent:
        kind, since = Kind.SILENT, line.silent_since
    elif last and silent and not line.silent_since and _newer(record, last):
        kind, since = Kind.SPEAKS, last.since or last.at
    else:
        return
    at = later(now, last)
    id_ = event_id(kind, line.url, at)
    yield Event(id_, at, kind, line.url, line.outlet, "", since)


def _newer(record: Record, last: Event) -> bool:
    """Tell whether something came since a silence was told of.

    A list that was emptied ends it no more than old entries that are forgotten here.
    """
    newest = record.newest_at
    return newest is not None and (last.since is None or newest > last.since)


def _move(line: Status, record: Record, now: datetime) -> Iterator[Event]:
    """Yield where a feed is read by now; told once for each target."""
    if line.moved_to:
        id_ = event_id(Kind.MOVED, line.url, line.moved_to)
        at, to = record.moved_at, line.moved_to
        yield Event(id_, now, Kind.MOVED, line.url, line.outlet, to, at)
