"""When a feed is asked next, and where."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.model import (
    Failure,
    Feed,
    Outcome,
    Outlet,
    Polling,
    Rest,
    Validators,
)
from aggregator.pace import (
    GONE,
    RETRY_CAP,
    SETTLED,
    Move,
    address,
    furthest,
    gone,
    interval,
    moved,
    next_poll,
    suspicious,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
POLLING = Polling()
USUAL = POLLING.interval
NONE = Rest()
HOUR = timedelta(hours=1)
FEED = Feed("https://e.fr/feed", Outlet("E", ("https://e.fr/feed",)))


def an_outcome(failure: Failure | None = None, **fields: object) -> Outcome:
    """Return a poll that ended at NOW."""
    return replace(
        Outcome(FEED, NOW, Validators(), b"", failure=failure),
        **fields,  # type: ignore[arg-type]
    )


def test_a_poll_that_went_well_is_repeated_after_the_interval() -> None:
    """The interval, plus up to a tenth of it."""
    wait = next_poll(an_outcome(), 0, USUAL, POLLING, NONE) - NOW

    assert POLLING.interval <= wait <= POLLING.interval * 1.1


def test_the_interval_of_an_outlet_is_kept_to_the_letter() -> None:
    """An interval that the maintainer sets gets no jitter, even beyond `slowest`."""
    outlet = replace(FEED.outlet, interval=timedelta(days=3))
    outcome = an_outcome(feed=Feed(FEED.url, outlet))

    assert next_poll(outcome, 0, USUAL, POLLING, NONE) == NOW + timedelta(days=3)


@given(failures=st.integers(1, 10_000))
def test_failures_back_off_up_to_the_slowest_pace_and_never_for_ever(
    failures: int,
) -> None:
    """Each failure in a row doubles the wait, up to `slowest` and a tenth."""
    outcome = an_outcome(Failure("network", "timeout"))
    wait = next_poll(outcome, failures, USUAL, POLLING, NONE) - NOW

    assert POLLING.interval * 2 <= wait <= POLLING.slowest * 1.1


def test_a_feed_that_is_gone_is_asked_once_a_month() -> None:
    """HTTP 410 is believed, but not for ever."""
    wait = (
        next_poll(an_outcome(Failure("gone", "http 410")), 1, USUAL, POLLING, NONE)
        - NOW
    )

    assert GONE <= wait <= furthest(POLLING)


def test_what_a_server_asks_for_is_kept_up_to_a_week() -> None:
    """Retry-After holds, and a tenth more; no outlet silences itself beyond the cap."""

    def wait(asked: timedelta) -> timedelta:
        outcome = an_outcome(Failure("http", "http 429"), not_before=NOW + asked)
        return next_poll(outcome, 1, USUAL, POLLING, NONE) - NOW

    assert timedelta(hours=30) <= wait(timedelta(hours=30)) <= timedelta(hours=33)
    assert RETRY_CAP <= wait(timedelta(days=400)) <= RETRY_CAP * 1.1
    assert wait(timedelta(days=-9)) == wait(timedelta(0)) > USUAL


def test_declared_freshness_is_kept_up_to_the_slowest_pace() -> None:
    """Cache-Control and the like delay a poll, up to `slowest`."""
    soon, late = NOW + timedelta(hours=5), NOW + timedelta(days=40)

    assert next_poll(an_outcome(not_before=soon), 0, USUAL, POLLING, NONE) == soon
    assert (
        next_poll(an_outcome(not_before=late), 0, USUAL, POLLING, NONE)
        == NOW + POLLING.slowest
    )


def test_feeds_found_together_drift_apart() -> None:
    """All asked in one cycle after a restart, they are spread over the whole interval.

    Whether they answer or fail makes no difference, and none hurries.
    """
    feeds = [Feed(f"https://e{n}.fr/feed", FEED.outlet) for n in range(300)]
    for failure in (None, Failure("network", "timeout")):
        at = dict.fromkeys(feeds, NOW)
        for _ in range(20):
            before = at
            at = {
                feed: next_poll(
                    an_outcome(failure, feed=feed, at=when), 1, USUAL, POLLING, NONE
                )
                for feed, when in before.items()
            }
        minutes = Counter((when - NOW) // timedelta(minutes=1) for when in at.values())

        assert max(minutes) - min(minutes) > 10
        assert max(minutes.values()) < len(feeds) / 6
        assert all(at[feed] - before[feed] >= USUAL for feed in feeds)


RESTS = st.builds(
    Rest,
    st.none() | st.timedeltas(timedelta(0), timedelta(days=7)),
    st.frozensets(st.integers(0, 23)),
    st.frozensets(st.integers(0, 6)),
)


@given(
    at=st.integers(0, 10**7),
    own=st.none() | st.timedeltas(timedelta(minutes=1), timedelta(days=400)),
    failures=st.integers(0, 50),
    kind=st.sampled_from([None, "network", "http", "gone", "ours"]),
    asked=st.none() | st.integers(-(10**9), 10**9),
    rest=RESTS,
)
def test_the_next_poll_is_always_ahead_and_within_reach(
    at: int,
    own: timedelta | None,
    failures: int,
    kind: str | None,
    asked: int | None,
    rest: Rest,
) -> None:
    """Whatever happened, the feed is asked again, later than now."""
    now = NOW + timedelta(seconds=at)
    outcome = an_outcome(
        Failure(kind, "why") if kind else None,  # type: ignore[arg-type]
        at=now,
        feed=Feed(FEED.url, replace(FEED.outlet, interval=own)),
        not_before=None if asked is None else now + timedelta(seconds=asked),
    )
    due = next_poll(outcome, failures, USUAL, POLLING, rest)

    assert now < due <= now + furthest(POLLING, own)


# ── rest that a feed declares ─────────────────────────────────────────────────────────


def test_a_ttl_delays_the_next_poll_up_to_the_slowest_pace() -> None:
    """RSS ttl counts after each poll, but no feed is left alone longer than a day."""

    def wait(ttl: timedelta) -> timedelta:
        return next_poll(an_outcome(), 0, USUAL, POLLING, Rest(ttl)) - NOW

    assert wait(5 * HOUR) == 5 * HOUR
    assert wait(timedelta(days=6)) == POLLING.slowest
    assert wait(timedelta(minutes=1)) == wait(timedelta(0)) >= USUAL


def test_skipped_hours_and_days_are_slept_through() -> None:
    """Monday noon: the next free hour, in UTC, is taken; within its first minutes."""

    def due(rest: Rest) -> datetime:
        return next_poll(an_outcome(), 0, USUAL, POLLING, rest)

    morning = NOW.replace(hour=15)
    tuesday = NOW.replace(day=24, hour=0)

    assert due(Rest(hours=frozenset({0, 13}))) == due(NONE)
    assert morning <= due(Rest(hours=frozenset({12, 13, 14}))) < morning + HOUR / 10
    assert tuesday <= due(Rest(days=frozenset({0}))) < tuesday + HOUR / 10
    assert due(Rest(days=frozenset({0, 1}))) == NOW + POLLING.slowest
    assert due(Rest(hours=frozenset(range(24)))) == due(NONE)
    assert due(Rest(days=frozenset(range(7)))) == due(NONE)


def test_what_a_feed_declares_goes_before_the_interval_of_its_outlet() -> None:
    """The maintainer may ask more seldom than a feed declares, not more often."""
    outlet = replace(FEED.outlet, interval=timedelta(minutes=15))
    outcome = an_outcome(feed=Feed(FEED.url, outlet))
    skipping = next_poll(
        outcome, 0, USUAL, POLLING, Rest(HOUR, frozenset({13, 14}), frozenset({5}))
    )

    assert next_poll(outcome, 0, USUAL, POLLING, Rest(HOUR)) == NOW + HOUR
    assert skipping.hour == 15
    assert next_poll(outcome, 0, USUAL, POLLING, NONE) == NOW + HOUR / 4


@given(
    at=st.integers(0, 10**7),
    usual=st.timedeltas(POLLING.fastest, POLLING.slowest),
    rest=RESTS,
    fails=st.booleans(),
)
def test_no_poll_falls_into_a_skipped_hour_unless_the_cap_forces_it(
    at: int, usual: timedelta, rest: Rest, *, fails: bool
) -> None:
    """The declared rest is kept up to `slowest`, and delays nothing beyond it."""
    now = NOW + timedelta(seconds=at)
    outcome = an_outcome(Failure("http", "http 500") if fails else None, at=now)
    plain = next_poll(outcome, 1, usual, POLLING, NONE)
    due = next_poll(outcome, 1, usual, POLLING, rest)
    latest = now + POLLING.slowest
    skipped = (due.hour in rest.hours and len(rest.hours) < 24) or (
        due.weekday() in rest.days and len(rest.days) < 7
    )

    assert due >= min(now + (rest.ttl or timedelta(0)), latest)
    assert plain <= due <= max(plain, latest)
    assert due >= latest or not skipped


# ── where ─────────────────────────────────────────────────────────────────────────────

THERE, FURTHER = "https://e.fr/rss", "https://f.fr/rss"
FAILED = Failure("http", "http 500")
AGO = NOW - timedelta(days=8)


def test_a_redirect_is_believed_after_a_week_of_the_same() -> None:
    """Until then the feed's own address is asked, which redirects by itself."""
    assert address(FEED.url, Move(), NOW) == FEED.url
    assert address(FEED.url, Move(THERE, NOW - SETTLED), NOW) == FEED.url
    assert address(FEED.url, Move(THERE, AGO), NOW) == THERE
    assert address(FEED.url, Move(THERE, NOW + timedelta(days=1)), NOW) == FEED.url


@pytest.mark.parametrize(
    ("url", "moved_to", "failure", "after"),
    [
        # asked at its own address
        ("", "", None, Move()),
        ("", THERE, None, Move(THERE, AGO)),
        ("", FURTHER, None, Move(FURTHER, NOW)),
        ("", "", FAILED, Move(THERE, AGO)),
        (FEED.url, "", None, Move()),
        (FEED.url, FURTHER, FAILED, Move(THERE, AGO)),
        # asked where it moved
        (THERE, "", None, Move(THERE, AGO)),
        (THERE, FURTHER, None, Move(FURTHER, NOW)),
        (THERE, FEED.url, None, Move()),
        (THERE, "", FAILED, Move()),
        (THERE, FURTHER, FAILED, Move()),
    ],
)
def test_a_move_is_kept_given_up_or_begun(
    url: str, moved_to: str, failure: Failure | None, after: Move
) -> None:
    """A moved address that fails or redirects on is no longer asked."""
    outcome = an_outcome(failure, url=url, moved_to=moved_to)

    assert moved(outcome, Move(THERE, AGO)) == after


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", THERE, FURTHER]), st.booleans(), st.integers(1, 10)
        )
    )
)
def test_no_feed_is_asked_elsewhere_without_a_week_of_its_own_word(
    answers: list[tuple[str, bool, int]],
) -> None:
    """Whatever answers come: asked elsewhere, its own address named that for a week."""
    now, move, said = NOW, Move(), (NOW, "")
    for redirect, fails, days in answers:
        now += timedelta(days=days)
        url = address(FEED.url, move, now)
        if url != FEED.url:
            assert said[1] == url
            assert now - said[0] > SETTLED
        to = "" if redirect == url else redirect
        failure = FAILED if fails else None
        if not fails and (to or url == FEED.url) and to != said[1]:
            said = (now, to)
        elif fails and url != FEED.url:
            said = (now, "")
        move = moved(an_outcome(failure, at=now, url=url, moved_to=to), move)


def test_a_410_means_gone_at_the_own_address_only() -> None:
    """Where it moved, it is a failure like others, and the own address comes next."""
    failure = Failure("gone", "http 410")
    here, there = an_outcome(failure), an_outcome(failure, url=THERE)

    assert gone(here)
    assert not gone(there)
    assert not gone(an_outcome(FAILED))
    assert not gone(an_outcome())
    assert next_poll(there, 1, USUAL, POLLING, NONE) <= NOW + POLLING.slowest * 1.1


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
