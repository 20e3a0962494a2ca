"""What the maintainer is told: each thing once, and when it is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.health import (
    OURS,
    Event,
    Gap,
    Kind,
    Reach,
    Record,
    Told,
    cut_off,
    edit_events,
    feed_events,
    gap_events,
    topic_events,
    waiting_events,
)
from aggregator.model import Feed, Outlet, State, Story, Topic

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
A, B = "https://a.fr/feed", "https://b.fr/feed"
ONE, TWO = Feed(A, Outlet("A", (A,))), Feed(B, Outlet("B", (B,)))
DATES = tuple(NOW - n * DAY for n in range(20))


class World:
    """Feeds as they were last polled, and all that was told of them."""

    def __init__(self, *feeds: Feed) -> None:
        self.feeds = feeds or (ONE, TWO)
        self.records: dict[str, Record] = {}
        self.told: list[Event] = []

    def answers(self, at: datetime, url: str = A, **more: Any) -> None:
        """Have a feed answer, with an entry of that moment unless `more` says else."""
        before = self.records.get(url, Record(url))
        good = replace(
            before,
            success_at=at,
            polled_at=at,
            failures=0,
            failing_since=None,
            failure="",
            error="",
            moments=(at, *DATES),
        )
        self.records[url] = replace(good, **more)

    def fails(self, at: datetime, url: str = A, kind: str = "http") -> None:
        """Have a feed fail."""
        before = self.records.get(url, Record(url))
        self.records[url] = replace(
            before,
            polled_at=at,
            failures=before.failures + 1,
            failing_since=before.failing_since or at,
            failed_at=at,
            failure=kind,
            error=f"{kind} failed",
        )

    def followed(self) -> list[Record]:
        """Return what is known of the feeds that are polled."""
        urls = [feed.url for feed in self.feeds if feed.outlet.enabled]
        known = (self.records.get(url) for url in urls)
        return [record for record in known if record and record.polled_at]

    def reach(self) -> Reach:
        """Return what answers these feeds gave."""
        known = self.followed()
        answered = (
            one.success_at if one.failure in OURS else one.polled_at for one in known
        )
        at = frozenset(filter(None, answered))
        return Reach(len(known), at, max(at, default=None))

    def cut_off(self) -> bool:
        """Tell whether this machine seems to be."""
        ours = [one.failing_since for one in self.followed() if one.failure in OURS]
        return cut_off(self.reach(), max(filter(None, ours), default=None))

    def hears(self, at: datetime) -> list[Kind]:
        """Return the kinds of what is told now; nothing of it is told again."""
        reach = self.reach()
        found = feed_events(self.feeds, self.records, reach, Told(self.told), at)
        self.told += found

        assert feed_events(self.feeds, self.records, reach, Told(self.told), at) == []
        return [event.kind for event in found]


@pytest.fixture
def world() -> World:
    """Return two feeds that answered an hour ago."""
    made = World()
    made.answers(NOW - HOUR)
    made.answers(NOW - HOUR, B)
    assert made.hears(NOW - HOUR) == []
    return made


# ── failures ──────────────────────────────────────────────────────────────────────────


def test_a_failure_is_told_when_it_starts_and_when_it_ends(world: World) -> None:
    """At the first poll that fails, and at the first that does not; never between."""
    world.fails(NOW)
    assert world.hears(NOW) == [Kind.FAILS]
    (event,) = world.told
    assert (event.subject, event.outlet, event.text) == (A, "A", "http failed")
    assert (event.at, event.since) == (NOW, NOW - HOUR)

    world.fails(NOW + HOUR)
    assert world.hears(NOW + HOUR) == []

    world.answers(NOW + 2 * HOUR)
    assert world.hears(NOW + 2 * HOUR) == [Kind.RECOVERED]
    assert world.told[-1].since == NOW - HOUR
    assert world.told[-1].text == ""


def test_a_feed_that_never_worked_fails_too() -> None:
    """A slip in a new address is told at once; it has no last good poll."""
    world = World(ONE)
    world.fails(NOW)

    assert world.hears(NOW) == [Kind.FAILS]
    assert world.told[0].since is None

    world.answers(NOW + HOUR)

    assert world.hears(NOW + HOUR) == [Kind.RECOVERED]
    assert world.told[-1].since == NOW


def test_gone_is_told_even_of_a_feed_that_failed_before(world: World) -> None:
    """410 is another thing to mend than 404; from there on, it only recovers."""
    world.fails(NOW)
    world.hears(NOW)
    world.fails(NOW + HOUR, kind="gone")
    assert world.hears(NOW + HOUR) == [Kind.GONE]

    world.fails(NOW + 30 * DAY, kind="gone")
    assert world.hears(NOW + 30 * DAY) == []

    world.fails(NOW + 60 * DAY)
    assert world.hears(NOW + 60 * DAY) == []

    world.answers(NOW + 90 * DAY)
    assert world.hears(NOW + 90 * DAY)[0] is Kind.RECOVERED


def test_of_what_is_not_polled_nothing_is_told(world: World) -> None:
    """A disabled outlet, a feed not asked yet, one that is no longer followed."""
    world.fails(NOW)
    disabled = replace(ONE, outlet=replace(ONE.outlet, enabled=False))
    unasked = Feed("https://c.fr/feed", Outlet("C", ("https://c.fr/feed",)))
    world.records[unasked.url] = Record(unasked.url)
    world.feeds = (disabled, TWO, unasked, Feed("https://d.fr", Outlet("D", ())))

    assert world.hears(NOW) == []


@pytest.mark.parametrize("kind", ["network", "refused", "ours"])
def test_this_machine_offline_is_no_failure_of_outlets(world: World, kind: str) -> None:
    """Nothing is told while none of them answers, nor when they do again."""
    for hour in range(5):
        at = NOW + hour * HOUR
        world.fails(at, A, kind)
        world.fails(at, B, kind)
        assert world.hears(at) == []
        assert world.cut_off()

    back = NOW + 5 * HOUR
    world.answers(back)
    world.answers(back, B)

    assert world.hears(back) == []
    assert not world.cut_off()


def test_a_network_failure_is_told_when_another_feed_was_answered(world: World) -> None:
    """In the same cycle, be it with an error."""
    world.fails(NOW, A, "network")
    world.fails(NOW, B, "http")

    assert world.hears(NOW) == [Kind.FAILS, Kind.FAILS]


def test_a_network_failure_alone_in_its_cycle_waits_for_the_second(
    world: World,
) -> None:
    """Polled alone it proves nothing; failing again while others answer, it does."""
    world.fails(NOW, A, "network")
    assert world.hears(NOW) == []

    world.answers(NOW + HOUR, B)
    assert world.hears(NOW + HOUR) == []

    world.fails(NOW + 2 * HOUR, A, "network")
    assert world.hears(NOW + 2 * HOUR) == [Kind.FAILS]


def test_a_single_feed_is_all_there_is_to_go_by() -> None:
    """Where one feed is followed, its failure is told whatever it is."""
    world = World(ONE)
    world.fails(NOW, A, "network")

    assert world.hears(NOW) == [Kind.FAILS]


def test_a_machine_is_not_cut_off_because_a_feed_is_dead(world: World) -> None:
    """What began to fail while others answered says nothing of the network."""
    world.fails(NOW, A, "network")
    world.answers(NOW, B)
    world.fails(NOW + DAY, A, "network")

    assert not world.cut_off()
    assert not World().cut_off()


# ── feeds that come and go ────────────────────────────────────────────────────────────


def flapping(world: World) -> datetime:
    """Have feed A fail every other hour until that is told of as unsteady."""
    for hour in (0, 2):
        world.fails(NOW + hour * HOUR)
        assert world.hears(NOW + hour * HOUR) == [Kind.FAILS]
        world.answers(NOW + (hour + 1) * HOUR)
        assert world.hears(NOW + (hour + 1) * HOUR) == [Kind.RECOVERED]
    at = NOW + 4 * HOUR
    world.fails(at)
    assert world.hears(at) == [Kind.UNSTEADY]
    assert world.told[-1].since == NOW
    return at


def test_a_feed_that_comes_and_goes_is_told_of_once(world: World) -> None:
    """At the third failure within a week; it is over after a week without any."""
    at = flapping(world)
    for _ in range(10):
        at += HOUR
        world.answers(at)
        assert world.hears(at) == []
        at += HOUR
        world.fails(at)
        assert world.hears(at) == []

    world.answers(at + 7 * DAY - HOUR)
    assert world.hears(at + 7 * DAY) == []

    world.answers(at + 7 * DAY)
    assert world.hears(at + 7 * DAY) == [Kind.RECOVERED]

    world.fails(at + 8 * DAY)
    assert world.hears(at + 8 * DAY) == [Kind.FAILS]


def test_unsteady_is_not_the_word_for_a_day_of_failure(world: World) -> None:
    """Failing for over a day on end, it fails."""
    at = flapping(world)
    world.fails(at + DAY)
    assert world.hears(at + DAY) == []

    world.fails(at + DAY + HOUR)
    assert world.hears(at + DAY + HOUR) == [Kind.FAILS]

    world.answers(at + 2 * DAY)
    assert world.hears(at + 2 * DAY) == [Kind.RECOVERED]


def test_two_failures_far_apart_are_two_failures(world: World) -> None:
    """A failure a week is not coming and going."""
    for week in range(4):
        at = NOW + week * 7 * DAY
        world.fails(at)
        assert world.hears(at) == [Kind.FAILS]
        world.answers(at + HOUR)
        assert world.hears(at + HOUR) == [Kind.RECOVERED]


# ── silence, moves, gaps ──────────────────────────────────────────────────────────────


def test_a_silence_is_told_once_and_its_end_once(world: World) -> None:
    """With when it began: the newest entry."""
    later = NOW + 30 * DAY
    world.answers(later, moments=DATES)
    assert world.hears(later) == [Kind.SILENT]
    assert world.told[-1].since == NOW

    world.answers(later + DAY, moments=DATES)
    assert world.hears(later + DAY) == []

    world.answers(later + 2 * DAY)
    assert world.hears(later + 2 * DAY) == [Kind.SPEAKS]
    assert world.told[-1].since == NOW

    world.answers(later + 90 * DAY, moments=DATES)
    assert world.hears(later + 90 * DAY) == [Kind.SILENT]


def test_of_a_feed_that_fails_no_silence_is_told(world: World) -> None:
    """It is silent because it fails; nor does it speak again by failing."""
    later = NOW + 30 * DAY
    world.answers(later, moments=DATES)
    world.fails(later + HOUR)
    assert world.hears(later + HOUR) == [Kind.FAILS]

    world.answers(later + 2 * HOUR, moments=DATES)
    assert world.hears(later + 2 * HOUR) == [Kind.RECOVERED, Kind.SILENT]

    world.fails(later + DAY)
    assert world.hears(later + DAY) == [Kind.FAILS]


@pytest.mark.parametrize("left", [(), (NOW - 900 * DAY,)])
def test_an_emptied_list_does_not_end_a_silence(
    world: World, left: tuple[datetime, ...]
) -> None:
    """Only something newer than the silence does."""
    later = NOW + 30 * DAY
    world.answers(later, moments=DATES)
    world.hears(later)
    world.answers(later + DAY, moments=left)

    assert world.hears(later + DAY) == []


def test_a_move_is_told_once_for_each_target(world: World) -> None:
    """After a week at the same address; told again when it moves elsewhere."""
    for to in ("https://a.fr/new", "https://a.fr/newer"):
        moved = {"moved_to": to, "moved_at": NOW}
        world.answers(NOW + 7 * DAY, **moved)
        assert world.hears(NOW + 7 * DAY) == []
        world.answers(NOW + 8 * DAY, **moved)
        assert world.hears(NOW + 8 * DAY) == [Kind.MOVED]
        assert world.told[-1].text == to
        world.answers(NOW + 9 * DAY, **moved)
        assert world.hears(NOW + 9 * DAY) == []


def test_a_gap_is_told_once_with_its_window() -> None:
    """Of feeds that are followed; its end is when it was seen."""
    gaps = [
        Gap(A, NOW - DAY, NOW),
        Gap(A, None, NOW - DAY),
        Gap("https://old.fr", NOW, NOW),
    ]
    found = gap_events((ONE, TWO), gaps, Told())

    assert [(e.kind, e.subject, e.since, e.at) for e in found] == [
        (Kind.GAP, A, NOW - DAY, NOW),
        (Kind.GAP, A, None, NOW - DAY),
    ]
    assert gap_events((ONE, TWO), gaps, Told(found)) == []


# ── topics, what waits, edits ─────────────────────────────────────────────────────────

FILM = Topic("film", "Le film")


def topic(
    dates: Sequence[datetime], told: Sequence[Event], at: datetime
) -> list[Event]:
    """Return what is told of the film, whose articles are of these dates."""
    return list(topic_events((FILM,), {"film": dates}, Told(told), at, at))


@pytest.mark.parametrize(
    ("dates", "usual", "long"),
    [
        pytest.param(DATES, 30, 31, id="daily"),
        pytest.param([NOW - 40 * n * DAY for n in range(9)], 80, 200, id="rarely"),
        pytest.param(
            [NOW - n * HOUR for n in range(30)], 30, 31, id="all at its premiere"
        ),
        pytest.param(
            [*DATES, *(NOW - n * 60 * DAY for n in range(1, 9))],
            120,
            121,
            id="a burst after rare ones",
        ),
    ],
)
def test_a_topic_is_silent_against_its_own_rhythm(
    dates: Sequence[datetime], usual: int, long: int
) -> None:
    """Far longer than it usually pauses, and a month at least; told once."""
    assert topic(dates, [], NOW + usual * DAY) == []

    later = NOW + long * DAY
    (silent,) = topic(dates, [], later)
    assert (silent.kind, silent.subject, silent.outlet) == (
        Kind.TOPIC_SILENT,
        "film",
        "Le film",
    )
    assert silent.since == NOW
    assert topic(dates, [silent], later + DAY) == []

    (speaks,) = topic([later, *dates], [silent], later + DAY)
    assert (speaks.kind, speaks.since) == (Kind.TOPIC_SPEAKS, NOW)
    assert topic([later, *dates], [silent, speaks], later + DAY) == []


def test_of_a_topic_hardly_written_about_nothing_is_told() -> None:
    """Four articles make no rhythm; none at all makes none either."""
    later = NOW + 400 * DAY

    assert topic(DATES[:4], [], later) == []
    assert topic([], [], later) == []
    assert list(topic_events((FILM,), {"film": DATES}, Told(), None, later)) == []


def a_story(state: State) -> Story:
    """Return a story in a state."""
    return Story("abcdefgh", state, "Un titre", "https://a.fr/1", "A", NOW, (), ())


def test_a_story_that_starts_to_wait_is_told_once() -> None:
    """With its title and outlet; others are not."""
    (event,) = waiting_events([a_story(State.WAITING)], Told(), NOW)

    assert (event.subject, event.outlet, event.text) == ("abcdefgh", "A", "Un titre")
    assert waiting_events([a_story(State.WAITING)], Told([event]), NOW + DAY) == []
    assert waiting_events([a_story(State.PUBLISHED)], Told(), NOW) == []


def test_each_wrong_edit_is_told_once_and_its_mending_once() -> None:
    """Another slip in the same file is another edit; an unread file is left alone."""
    told: list[Event] = []

    def hears(hour: int, **problems: str) -> list[tuple[Kind, str]]:
        found = list(edit_events(problems, Told(told), NOW + hour * HOUR))
        told.extend(found)
        return [(event.kind, event.subject) for event in found]

    assert hears(0, feeds="", curation="") == []
    assert hears(1, feeds="a slip") == [(Kind.EDIT, "feeds")]
    assert hears(2, feeds="a slip") == []
    assert hears(3, feeds="another") == [(Kind.EDIT, "feeds")]
    assert hears(4, feeds="", curation="a slip") == [
        (Kind.EDIT_MENDED, "feeds"),
        (Kind.EDIT, "curation"),
    ]
    assert hears(5, feeds="") == []
    assert hears(6, feeds="", curation="") == [(Kind.EDIT_MENDED, "curation")]
    assert hears(7, feeds="", curation="") == []
    assert hears(8, feeds="a slip") == [(Kind.EDIT, "feeds")]


# ── laws ──────────────────────────────────────────────────────────────────────────────

STEPS = st.lists(
    st.tuples(
        st.integers(-30, 60),  # hours since the step before: clocks are set back, too
        st.sampled_from(["", "http", "network", "gone"]),
        st.sampled_from(["", "http", "network"]),
        st.booleans(),
    ),
    max_size=40,
)


@given(STEPS)
def test_whatever_happens_each_thing_is_told_once(
    steps: list[tuple[int, str, str, bool]],
) -> None:
    """Nothing is told twice, no id is used twice, and what is told alternates."""
    world, at = World(), NOW
    for hours, first, second, silent in steps:
        at += hours * HOUR
        for url, kind in ((A, first), (B, second)):
            if kind:
                world.fails(at, url, kind)
            else:
                world.answers(at, url, **({"moments": DATES} if silent else {}))
        world.hears(at)

    assert len({event.id for event in world.told}) == len(world.told)
    for url in (A, B):
        of_one = [e for e in world.told if e.subject == url]
        family = [e for e in of_one if e.kind not in (Kind.SILENT, Kind.SPEAKS)]
        assert family == sorted(family, key=lambda e: e.at)
        for one, other in pairwise(family):
            assert one.kind is not other.kind
        silences = [e.kind for e in of_one if e not in family]
        assert silences == [Kind.SILENT, Kind.SPEAKS] * (len(silences) // 2) + (
            [Kind.SILENT] * (len(silences) % 2)
        )
