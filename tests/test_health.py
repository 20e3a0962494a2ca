"""How a feed fares, in one word."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from aggregator.health import Health, Record, status
from aggregator.model import Feed, Outlet

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
URL = "https://e.fr/feed"
FEED = Feed(URL, Outlet("E", (URL,)))
POLLED = Record(URL, success_at=NOW, polled_at=NOW, next_poll_at=NOW)


def a_rhythm(last: timedelta, days: int, entries: int) -> Record:
    """Return a feed of so many entries over so many days, the last so long ago."""
    newest = NOW - last
    return replace(
        POLLED,
        entries=entries,
        newest_at=newest,
        oldest_at=newest - timedelta(days=days),
    )


@pytest.mark.parametrize(
    ("record", "state"),
    [
        (None, Health.NEW),
        (Record(URL), Health.NEW),
        (POLLED, Health.OK),
        (replace(POLLED, failure="gone"), Health.GONE),
        (replace(POLLED, failure="http"), Health.FAILING),
        (replace(POLLED, failure="http", success_at=None), Health.NEVER_WORKED),
        (a_rhythm(timedelta(days=6), 10, 50), Health.OK),
        (a_rhythm(timedelta(days=8), 10, 50), Health.SILENT),
        (a_rhythm(timedelta(days=60), 300, 11), Health.OK),
        (a_rhythm(timedelta(days=160), 300, 11), Health.SILENT),
    ],
)
def test_a_feed_is_judged_by_its_own_rhythm(
    record: Record | None, state: Health
) -> None:
    """A daily feed is silent after a week, a monthly one after many months."""
    assert status(FEED, record).state is state


def test_silence_is_as_of_the_last_good_poll() -> None:
    """What was not asked for a year is not called silent for that."""
    record = replace(
        a_rhythm(timedelta(days=6), 10, 50), polled_at=NOW + timedelta(days=365)
    )

    assert status(FEED, record).state is Health.OK


def test_a_disabled_outlet_is_only_that() -> None:
    """Whatever is remembered of it, it is not polled."""
    feed = replace(FEED, outlet=replace(FEED.outlet, enabled=False))

    assert status(feed, replace(POLLED, failure="http")).state is Health.DISABLED


def test_a_line_says_since_when_and_how_often() -> None:
    """Entries a day and the start of the silence come from the feed's own dates."""
    line = status(FEED, a_rhythm(timedelta(days=30), 10, 51))

    assert line.entries_per_day == 5.0
    assert line.silent_since == NOW - timedelta(days=30)
    assert status(FEED, POLLED).entries_per_day is None
