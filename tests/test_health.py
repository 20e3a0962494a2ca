"""How a feed fares in one word, and how long a silence must be to say something."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.health import LATEST, SLOT, Health, Record, moments, patience, status
from aggregator.model import Feed, Outlet

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
URL = "https://e.fr/feed"
FEED = Feed(URL, Outlet("E", (URL,)))
POLLED = Record(URL, success_at=NOW, polled_at=NOW, next_poll_at=NOW)


def every(pause: timedelta, times: int) -> list[datetime]:
    """Return so many dates, so far apart, the last one now."""
    return [NOW - pause * n for n in range(times)]


def weekdays(weeks: int) -> list[datetime]:
    """Return ten entries a day, on the working days of the last weeks."""
    friday = NOW - 3 * DAY
    return [
        friday - week * 7 * DAY - day * DAY - hour * HOUR
        for week in range(weeks)
        for day in range(5)
        for hour in range(10)
    ]


def silent_for(dates: Iterable[datetime], last: timedelta) -> Record:
    """Return a feed of these entries, the last of which is so old."""
    every_one = list(dates)
    moved = NOW - last - max(every_one)
    shifted = [date + moved for date in every_one]
    latest = moments(shifted)
    count = sum(date >= latest[-1] for date in shifted)
    return replace(POLLED, entries=count, moments=latest)


# ── rhythm ────────────────────────────────────────────────────────────────────────────

AGENCY = every(DAY / 250, 7500)
DAILY = weekdays(10)
WEEKLY = every(7 * DAY, 60)
MONTHLY = every(30 * DAY, 40)
RARE = every(182 * DAY, 20)
# a feed that lists all it ever had, years of one article a month, then one a day
GROWN = [*every(DAY, 60), *[NOW - 60 * DAY - n * 30 * DAY for n in range(1, 120)]]
# twenty articles of an issue at once
ISSUES = [date - n * HOUR / 4 for date in WEEKLY for n in range(20)]


@pytest.mark.parametrize(
    ("dates", "usual", "long"),
    [
        pytest.param(
            AGENCY, 2 * DAY, 3 * DAY, id="an agency after two days and a half"
        ),
        pytest.param(DAILY, 5 * DAY, 8 * DAY, id="a daily not after a long weekend"),
        pytest.param(WEEKLY, 34 * DAY, 36 * DAY, id="a weekly not after its August"),
        pytest.param(ISSUES, 34 * DAY, 36 * DAY, id="an issue is one moment"),
        pytest.param(MONTHLY, 69 * DAY, 71 * DAY, id="a monthly not after a summer"),
        pytest.param(RARE, 363 * DAY, 365 * DAY, id="two articles a year"),
        pytest.param(GROWN, 4 * DAY, 6 * DAY, id="only its latest rhythm counts"),
        pytest.param(
            [*every(DAY, 9), NOW - 6000 * DAY],
            4 * DAY,
            6 * DAY,
            id="one article of 2010 left in a list is an accident",
        ),
        pytest.param(every(DAY, 4), 29 * DAY, 31 * DAY, id="hardly known"),
        pytest.param(every(HOUR, 5), 29 * DAY, 31 * DAY, id="all of one day"),
        pytest.param([NOW], 29 * DAY, 31 * DAY, id="a single entry"),
        pytest.param(
            [NOW, NOW - 40 * DAY, NOW - 41 * DAY],
            79 * DAY,
            81 * DAY,
            id="few, but far apart",
        ),
    ],
)
def test_a_feed_is_silent_against_its_own_rhythm(
    dates: list[datetime], usual: timedelta, long: timedelta
) -> None:
    """What is an alarm for an agency is a holiday for a weekly."""
    assert status(FEED, silent_for(dates, usual)).state is Health.OK
    assert status(FEED, silent_for(dates, long)).state is Health.SILENT


@given(st.lists(st.integers(0, 10_000), max_size=80))
def test_moments_are_the_latest_that_stand_apart(hours: list[int]) -> None:
    """Newest first, half a day apart at least, and in whatever order they came."""
    dates = [NOW - hour * HOUR for hour in hours]
    found = moments(dates)

    assert found == moments(sorted(dates))
    assert set(found) <= set(dates)
    assert len(found) <= LATEST
    assert found[:1] == tuple(sorted(dates, reverse=True)[:1])
    assert all(a - b >= SLOT for a, b in pairwise(found))
    assert patience(found) >= 5 * SLOT


# ── status ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("record", "state"),
    [
        (None, Health.NEW),
        (Record(URL), Health.NEW),
        (POLLED, Health.OK),
        (replace(POLLED, failure="gone"), Health.GONE),
        (replace(POLLED, failure="http"), Health.FAILING),
        (replace(POLLED, failure="http", success_at=None), Health.NEVER_WORKED),
        (replace(silent_for(AGENCY, 9 * DAY), failure="http"), Health.FAILING),
    ],
)
def test_a_feed_is_in_one_state(record: Record | None, state: Health) -> None:
    """A failure is told before a silence."""
    assert status(FEED, record).state is state


def test_silence_is_as_of_the_last_good_poll() -> None:
    """What was not asked for a year is not called silent for that."""
    record = replace(silent_for(DAILY, 5 * DAY), polled_at=NOW + 365 * DAY)

    assert status(FEED, record).state is Health.OK


def test_a_disabled_outlet_is_only_that() -> None:
    """Whatever is remembered of it, it is not polled."""
    feed = replace(FEED, outlet=replace(FEED.outlet, enabled=False))

    assert status(feed, replace(POLLED, failure="http")).state is Health.DISABLED


def test_a_line_says_since_when_and_how_often() -> None:
    """Entries a day and the start of the silence come from the feed's own dates."""
    line = status(FEED, silent_for(every(DAY / 5, 51), 30 * DAY))

    assert line.entries_per_day == 5.0
    assert line.silent_since == NOW - 30 * DAY
    assert status(FEED, POLLED).entries_per_day is None
    assert status(FEED, silent_for([NOW], DAY)).entries_per_day is None
    assert status(FEED, silent_for(every(HOUR, 15), DAY)).entries_per_day == 12.0


@pytest.mark.parametrize(
    ("days", "told"), [(0, ""), (7, ""), (7.01, "https://e.fr/new")]
)
def test_a_move_is_shown_once_it_is_believed(days: float, told: str) -> None:
    """The same permanent redirect for over a week; from then on it is asked there."""
    record = replace(
        POLLED, moved_to="https://e.fr/new", moved_at=NOW - timedelta(days=days)
    )

    assert status(FEED, record).moved_to == told
    assert status(FEED, replace(record, polled_at=None)).moved_to == ""
