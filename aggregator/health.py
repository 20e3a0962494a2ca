"""How each feed fares: what `status` shows. Pure.

What is remembered of a feed comes in as a `Record` from the store. No clock: a feed is
silent as of its last good poll, since nothing is known of the time after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from aggregator.model import Feed

QUIET = 5  # times its usual pause between two entries, beyond which a feed is silent
LEAST_QUIET = timedelta(days=7)  # a feed is not called silent before that


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

    entries: how many it listed with a date of their own, from oldest_at to newest_at.
    """

    url: str
    success_at: datetime | None = None
    polled_at: datetime | None = None
    next_poll_at: datetime | None = None
    failures: int = 0
    http_status: int | None = None
    failure: str = ""
    error: str = ""
    moved_to: str = ""
    entries: int = 0
    oldest_at: datetime | None = None
    newest_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """One feed's line of `status`; silent_since and next_poll may be None."""

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


def status(feed: Feed, record: Record | None) -> Status:
    """Return how `feed` fares; record None = the database does not know it yet."""
    known = record or Record(feed.url)
    rate = _rate(known)
    silent_since = _silent_since(known, rate)
    return Status(
        outlet=feed.outlet.name,
        url=feed.url,
        state=_state(feed, known, silent=silent_since is not None),
        last_success=known.success_at,
        next_poll=known.next_poll_at if known.polled_at else None,
        failures=known.failures,
        http_status=known.http_status,
        error=known.error,
        entries_per_day=None if rate is None else round(rate, 2),
        silent_since=silent_since,
        moved_to=known.moved_to,
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
    """Return entries a day over the time its entries span; None for fewer than two."""
    if record.entries < 2 or not record.oldest_at or not record.newest_at:  # noqa: PLR2004
        return None
    days = (record.newest_at - record.oldest_at) / timedelta(days=1)
    return (record.entries - 1) / max(days, 1.0)


def _silent_since(record: Record, rate: float | None) -> datetime | None:
    if not rate or record.newest_at is None or record.success_at is None:
        return None
    pause = max(LEAST_QUIET, timedelta(days=QUIET / rate))
    silent = record.success_at - record.newest_at > pause
    return record.newest_at if silent else None
