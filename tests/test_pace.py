"""When a feed is asked next."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from aggregator.model import Failure, Feed, Outcome, Outlet, Polling, Validators
from aggregator.pace import (
    GONE,
    RETRY_CAP,
    furthest,
    interval,
    next_poll,
    suspicious,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
POLLING = Polling()
USUAL = POLLING.interval
FEED = Feed("https://e.fr/feed", Outlet("E", ("https://e.fr/feed",)))


def an_outcome(failure: Failure | None = None, **fields: object) -> Outcome:
    """Return a poll that ended at NOW."""
    return replace(
        Outcome(FEED, NOW, Validators(), b"", failure=failure),
        **fields,  # type: ignore[arg-type]
    )


def test_a_poll_that_went_well_is_repeated_after_the_interval() -> None:
    """The interval, plus up to a tenth of it."""
    wait = next_poll(an_outcome(), 0, USUAL, POLLING) - NOW

    assert POLLING.interval <= wait <= POLLING.interval * 1.1


def test_the_interval_of_an_outlet_is_kept_to_the_letter() -> None:
    """An interval that the maintainer sets gets no jitter, even beyond `slowest`."""
    outlet = replace(FEED.outlet, interval=timedelta(days=3))
    outcome = an_outcome(feed=Feed(FEED.url, outlet))

    assert next_poll(outcome, 0, USUAL, POLLING) == NOW + timedelta(days=3)


@given(failures=st.integers(1, 10_000))
def test_failures_back_off_up_to_the_slowest_pace_and_never_for_ever(
    failures: int,
) -> None:
    """Each failure in a row doubles the wait, up to `slowest` and a tenth."""
    outcome = an_outcome(Failure("network", "timeout"))
    wait = next_poll(outcome, failures, USUAL, POLLING) - NOW

    assert POLLING.interval * 2 <= wait <= POLLING.slowest * 1.1


def test_a_feed_that_is_gone_is_asked_once_a_month() -> None:
    """HTTP 410 is believed, but not for ever."""
    wait = next_poll(an_outcome(Failure("gone", "http 410")), 1, USUAL, POLLING) - NOW

    assert GONE <= wait <= furthest(POLLING)


def test_what_a_server_asks_for_is_kept_up_to_a_week() -> None:
    """Retry-After holds, but no outlet silences itself for longer than the cap."""
    soon, late = NOW + timedelta(hours=30), NOW + timedelta(days=400)
    failure = Failure("http", "http 429")

    assert next_poll(an_outcome(failure, not_before=soon), 1, USUAL, POLLING) == soon
    assert next_poll(an_outcome(failure, not_before=late), 1, USUAL, POLLING) == (
        NOW + RETRY_CAP
    )


def test_declared_freshness_is_kept_up_to_the_slowest_pace() -> None:
    """Cache-Control and the like delay a poll, up to `slowest`."""
    soon, late = NOW + timedelta(hours=5), NOW + timedelta(days=40)

    assert next_poll(an_outcome(not_before=soon), 0, USUAL, POLLING) == soon
    assert (
        next_poll(an_outcome(not_before=late), 0, USUAL, POLLING)
        == NOW + POLLING.slowest
    )


@given(
    failures=st.integers(0, 50),
    kind=st.sampled_from([None, "network", "http", "gone", "ours"]),
    asked=st.none() | st.integers(-(10**9), 10**9),
)
def test_the_next_poll_is_always_ahead_and_within_reach(
    failures: int, kind: str | None, asked: int | None
) -> None:
    """Whatever happened, the feed is asked again, later than now."""
    failure = Failure(kind, "why") if kind else None  # type: ignore[arg-type]
    not_before = None if asked is None else NOW + timedelta(seconds=asked)
    due = next_poll(
        an_outcome(failure, not_before=not_before), failures, USUAL, POLLING
    )

    assert NOW < due <= NOW + furthest(POLLING)


# ── a feed's own rhythm ───────────────────────────────────────────────────────────────


def every(pause: timedelta, count: int = 20) -> list[datetime]:
    """Return the dates of entries at equal pauses, the last one just now."""
    return [NOW - n * pause for n in range(count)]


def test_a_feed_without_rhythm_is_asked_at_the_interval() -> None:
    """Nothing, or a single date, says nothing."""
    assert interval([], 0, NOW, POLLING) == POLLING.interval
    assert interval([NOW], 20, NOW, POLLING) == POLLING.interval


def test_the_interval_is_where_a_feed_of_that_very_rhythm_is_asked() -> None:
    """A feed with an entry each half hour is asked each half hour."""
    assert interval(every(POLLING.interval), 100, NOW, POLLING) == POLLING.interval


def test_a_silence_slows_a_feed_down_by_and_by() -> None:
    """The longer nothing comes, the longer the feed is left alone, up to `slowest`."""
    dates = every(timedelta(hours=6))
    spans = [
        interval(dates, 20, NOW + timedelta(days=days), POLLING)
        for days in (0, 3, 30, 3000)
    ]

    assert spans == sorted(set(spans))
    assert spans[-1] == POLLING.slowest


def test_a_short_document_is_read_before_it_is_renewed() -> None:
    """Ten entries that are gone within the hour are asked thrice in it."""
    dates = every(timedelta(minutes=6), 100)

    assert interval(dates, 10, NOW, POLLING) <= timedelta(minutes=20)


@given(
    dates=st.lists(st.integers(0, 10**7), max_size=30),
    listed=st.integers(0, 3000),
    later=st.integers(0, 10**8),
)
def test_the_rhythm_stays_between_its_bounds(
    dates: list[int], listed: int, later: int
) -> None:
    """Whatever dates an outlet gives, the interval lies between its two bounds."""
    found = [NOW - timedelta(seconds=second) for second in dates]
    span = interval(found, listed, NOW + timedelta(seconds=later), POLLING)

    assert POLLING.fastest <= span <= POLLING.slowest
    assert span == interval(
        found[::-1], listed, NOW + timedelta(seconds=later), POLLING
    )


def test_a_304_is_doubted_far_beyond_the_rhythm_and_once() -> None:
    """A daily feed that is unchanged for six days is doubted, a monthly one is not."""
    later = NOW + timedelta(days=6)
    daily, monthly = every(timedelta(days=1)), every(timedelta(days=30))

    assert suspicious(daily, later, None)
    assert not suspicious(daily, NOW + timedelta(days=4), None)
    assert not suspicious(monthly, later, None)
    assert not suspicious(daily, later, NOW)
    assert suspicious(daily, later, NOW - timedelta(days=9))
    assert not suspicious(every(timedelta(minutes=5)), NOW + timedelta(hours=9), None)
    assert not suspicious([NOW], later, None)
