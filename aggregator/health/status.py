"""How each feed fares: what `status` shows. Pure.

What is remembered of a feed comes in as a `Record` from the store. No clock: a feed is
silent as of its last good poll, since nothing is known of the time after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from aggregator.health.rhythm import patience
from aggregator.model import Feed
from aggregator.pace import Move, address

_TWO = 2  # moments, with fewer of which there is no rate


class Health(StrEnum):
    """What may be said of a feed in one word."""

    OK = "ok"
    NEW = "new"
    NEVER_WORKED = "never_worked"
    FAILING = "failing"
    SILENT = "silent"
    GONE = "gone"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Record:
    """What the database remembers of a feed.

    since: when it was first followed. failing_since: the first failure in a row, None
    while it answers; failed_at: the last failure ever. moved_at: since when it
    redirects to moved_to. home: the site it says it belongs to. moments: when it
    published of late, newest first (see `rhythm`); an entry without a date counts from
    when it was seen. entries: how many since the oldest of these.
    """

    url: str
    since: datetime | None = None
    success_at: datetime | None = None
    polled_at: datetime | None = None
    next_poll_at: datetime | None = None
    failures: int = 0
    failing_since: datetime | None = None
    failed_at: datetime | None = None
    http_status: int | None = None
    failure: str = ""
    error: str = ""
    moved_to: str = ""
    moved_at: datetime | None = None
    home: str = ""
    entries: int = 0
    moments: tuple[datetime, ...] = ()

    @property
    def newest_at(self) -> datetime | None:
        """When its newest entry was published; None while it had none."""
        return self.moments[0] if self.moments else None


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What the moments of a feed say: entries a day, and since when it is silent.

    None: not known; it is not.
    """

    per_day: float | None
    silent_since: datetime | None


@dataclass(frozen=True, slots=True)
class Status:
    """One feed's line of `status`; silent_since and next_poll may be None.

    moved_to: where it is polled by now, "" = at its own address.
    """

    outlet: str
    url: str
    state: Health
    last_success: datetime | None
    next_poll: datetime | None
    failures: int
    http_status: int | None
    error: str
    entries_per_day: float | None
    silent_since: datetime | None
    moved_to: str


def rhythm_of(record: Record) -> Rhythm:
    """Return what the moments of a feed say."""
    rate = _rate(record)
    return Rhythm(None if rate is None else round(rate, 2), _silent_since(record))


def status(
    feed: Feed, record: Record | None, known_rhythm: Rhythm | None = None
) -> Status:
    """Return how `feed` fares; record None = the database does not know it yet.

    known_rhythm: where it is known, `record` needs no moments.
    """
    known = record or Record(feed.url)
    its = known_rhythm or rhythm_of(known)
    return Status(
        outlet=feed.outlet.name,
        url=feed.url,
        state=_state(feed, known, silent=its.silent_since is not None),
        last_success=known.success_at,
        next_poll=known.next_poll_at if known.polled_at else None,
        failures=known.failures,
        http_status=known.http_status,
        error=known.error,
        entries_per_day=its.per_day,
        silent_since=its.silent_since,
        moved_to=_moved_to(known),
    )


def _state(feed: Feed, record: Record, *, silent: bool) -> Health:
    if not feed.outlet.enabled:
        return Health.DISABLED
    if record.polled_at is None:
        return Health.NEW
    if record.failure == "gone":
        return Health.GONE
    if record.failure:
        return Health.FAILING if record.success_at else Health.NEVER_WORKED
    return Health.SILENT if silent else Health.OK


def _rate(record: Record) -> float | None:
    """Return entries a day over its latest moments; None for fewer than two of them."""
    if len(record.moments) < _TWO:
        return None
    span = record.moments[0] - record.moments[-1]
    return (record.entries - 1) / max(span / timedelta(days=1), 1.0)


def _silent_since(record: Record) -> datetime | None:
    if record.newest_at is None or record.success_at is None:
        return None
    silent = record.success_at - record.newest_at > patience(record.moments)
    return record.newest_at if silent else None


def _moved_to(record: Record) -> str:
    """Return where it is asked now, if not at its own address."""
    if record.polled_at is None:
        return ""
    move = Move(record.moved_to, record.moved_at)
    return address("", move, record.polled_at)
