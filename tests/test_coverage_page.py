"""What readers are told of the outlets: since when, and where the holes are."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from aggregator.health import (
    Event,
    Followed,
    Gap,
    Kind,
    Record,
    Window,
    as_text,
    continued,
    coverage,
    from_text,
)
from aggregator.model import Outlet

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
A, B = "https://a.fr/feed", "https://a.fr/culture"
OUTLET = Outlet("A", (A, B), homepage="https://a.fr/")


def holes(*events: Event, gaps: tuple[Gap, ...] = ()) -> tuple[Window, ...]:
    """Return the holes of the outlet after these events."""
    (row,) = coverage([OUTLET], {}, events, gaps, NOW)
    return row.windows


def an_event(
    kind: Kind, days: float, since: float | None = None, url: str = A
) -> Event:
    """Return an event so many days ago, of what began so many days ago."""
    at = NOW - timedelta(days=days)
    began = None if since is None else NOW - timedelta(days=since)
    return Event(int(days * 1000), at, kind, url, "A", "", began)


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def test_an_outlet_is_as_old_as_its_oldest_feed_that_answered() -> None:
    """And its newest article is that of any feed."""
    records = {
        A: Record(A, since=ago(90), success_at=ago(1), moments=(ago(2), ago(9))),
        B: Record(B, since=ago(99), moments=(), home="https://other.fr/"),
    }
    (row,) = coverage([OUTLET], records, [], [], NOW)

    feeds = ((A, "feed"), (B, "feed"))
    assert row == Followed("A", "https://a.fr/", ago(90), ago(2), feeds=feeds)

    bare = replace(OUTLET, homepage="")
    (row,) = coverage([bare], records, [], [], NOW)
    assert row.homepage == "https://other.fr/"
    (row,) = coverage([bare], {}, [], [], NOW)
    assert row == Followed("A", "", None, None, feeds=feeds)


def test_outlets_are_listed_by_name_without_those_that_are_not_followed() -> None:
    """Capitals do not count; a disabled outlet is left out."""
    outlets = [Outlet(name, ()) for name in ("b", "C", "a")]
    outlets.append(Outlet("D", (), enabled=False))

    assert [row.name for row in coverage(outlets, {}, [], [], NOW)] == ["a", "b", "C"]


def test_a_failure_counts_from_the_last_good_poll_to_the_first_one() -> None:
    """One that became `gone` is the same; a feed that never worked counts from then."""
    assert holes(
        an_event(Kind.FAILS, 20, 20.5),
        an_event(Kind.GONE, 19, 20.5),
        an_event(Kind.RECOVERED, 10, 20.5),
        an_event(Kind.FAILS, 3),
    ) == (Window("failure", ago(20.5), ago(10)), Window("failure", ago(3), None))


def test_what_is_over_within_a_day_is_no_hole() -> None:
    """Nor is a failure that has not lasted as long yet, or a feed that is unsteady."""
    assert (
        holes(
            an_event(Kind.FAILS, 20, 20.2),
            an_event(Kind.RECOVERED, 19.5),
            an_event(Kind.UNSTEADY, 15, 20),
            an_event(Kind.RECOVERED, 8),
            an_event(Kind.FAILS, 0.5, 0.9),
        )
        == ()
    )


def test_a_silence_counts_from_the_newest_article() -> None:
    """Until there was another; a second one that lasts is a second hole."""
    assert holes(
        an_event(Kind.SILENT, 40, 80),
        an_event(Kind.SPEAKS, 30, 80),
        an_event(Kind.SILENT, 1, 9),
    ) == (Window("silence", ago(80), ago(30)), Window("silence", ago(9), None))


def test_holes_of_several_feeds_that_overlap_are_one() -> None:
    """An outlet of twelve sections was down once, not twelve times."""
    gaps = (Gap(A, ago(9), ago(8)), Gap(B, ago(8.5), ago(7)), Gap(A, None, ago(2)))

    assert holes(
        an_event(Kind.FAILS, 20, 20.1),
        an_event(Kind.FAILS, 19, 19.1, B),
        an_event(Kind.RECOVERED, 18),
        an_event(Kind.RECOVERED, 17, url=B),
        an_event(Kind.FAILS, 5),
        an_event(Kind.FAILS, 4, url=B),
        an_event(Kind.RECOVERED, 2, url=B),
        gaps=gaps,
    ) == (
        Window("failure", ago(20.1), ago(17)),
        Window("gap", ago(9), ago(7)),
        Window("failure", ago(5), None),
        Window("gap", ago(2), ago(2)),
    )


INSTANTS = st.integers(10**9, 4 * 10**9).map(lambda s: datetime.fromtimestamp(s, UTC))
WINDOWS = st.builds(
    Window,
    st.sampled_from(["failure", "silence", "gap"]),
    INSTANTS,
    st.none() | INSTANTS,
)
ROWS = st.lists(
    st.builds(
        Followed,
        st.text(),
        st.text(),
        st.none() | INSTANTS,
        st.none() | INSTANTS,
        st.lists(WINDOWS).map(tuple),
    )
).map(tuple)


@given(ROWS)
def test_coverage_is_kept_as_text_without_loss(rows: tuple[Followed, ...]) -> None:
    """What is read again is what was written."""
    assert from_text(as_text(rows)) == rows
    assert from_text("") == ()


def test_rows_that_were_kept_before_have_no_feeds() -> None:
    """A database of an earlier version is read as it is."""
    (row,) = from_text('[["A", "", null, null, []]]')

    assert row == Followed("A", "", None, None)


def test_what_was_known_before_a_loss_goes_on() -> None:
    """The first date, the newest article and every hole of the same outlet."""
    gap, over = Window("gap", ago(90), ago(89)), Window("silence", ago(50), ago(40))
    lasting = Window("failure", ago(20), None)
    before = Followed("A", "https://a.fr/", ago(99), ago(21), (gap, over, lasting))
    now = Followed("A", "", ago(1), ago(2), (Window("gap", ago(1), ago(0)),))
    still = replace(now, windows=(Window("failure", ago(1), None),))
    other = replace(now, name="B")
    (one,) = continued([now], [before, other], ago(3))
    (two,) = continued([still], [before], ago(3))

    assert (one.since, one.newest_at, one.homepage) == (
        ago(99),
        ago(2),
        "https://a.fr/",
    )
    ended = replace(lasting, until=ago(3))
    assert one.windows == (gap, over, ended, *now.windows)
    assert two.windows == (gap, over, lasting)
    assert continued([other], [before], ago(3)) == (other,)
