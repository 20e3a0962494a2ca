"""What `why` says of cases that are hard to bring about, and how it reads addresses."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator import ask
from aggregator.health import Health, Status, Window
from aggregator.model import Entry, Mention, Outlet, State, Story, Topic, Verdict
from aggregator.query import compile_line
from aggregator.why import Case, Cause, Source, Tale, Trace, explain

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")
FILM = Topic("film", "Le film", match=(compile_line("travailleurs du clic"),))
FEEDS = ("https://jour.example/a", "https://jour.example/b")
JOUR = Outlet("Le Jour", FEEDS)
WELL = Status("Le Jour", FEEDS[0], Health.OK, NOW, NOW, 0, 200, "", 3.0, None, "")
BAD = replace(WELL, url=FEEDS[1], state=Health.FAILING, error="http 503")
URL = "https://jour.example/clic"


def days_ago(days: float) -> datetime:
    """Return a moment in the past."""
    return NOW - timedelta(days=days)


def case(**given: Any) -> Case:
    """Return what is known of a URL that no feed brought."""
    made = Case(
        asked=URL,
        now=NOW,
        timezone="Europe/Paris",
        curation="curation.toml",
        topics=(FILM,),
        outlets=(JOUR,),
        history=timedelta(days=180),
        url=URL,
        ended_at=NOW,
    )
    return replace(made, **given)


def causes(
    *lines: Status, windows: tuple[Window, ...] = (), dated: str = ""
) -> list[Cause]:
    """Return why an article of an outlet followed for a year is not there."""
    source = Source(JOUR, lines, days_ago(365), windows)
    span = ask.span(dated, PARIS) if dated else None
    answer = explain(case(sources=(source,), dated=span))
    return [reason.cause for reason in answer.reasons]


def trace(title: str, **given: Any) -> Trace:
    """Return an entry of the outlet."""
    entry = Entry(1, URL, URL, title, "", 0)
    return replace(Trace(entry, FEEDS[0], "Le Jour", NOW, NOW, listed=True), **given)


def test_a_failure_is_blamed_only_for_what_came_after_the_last_good_poll() -> None:
    """An article of the week before was there to be read."""
    failing = replace(BAD, last_success=days_ago(3))

    assert causes(WELL, failing) == [Cause.FAILING]
    assert causes(WELL, failing, dated="2026-11-22") == [Cause.FAILING]
    assert causes(WELL, failing, dated="2026-11-10") == [Cause.NEVER_LISTED]
    assert causes(WELL, replace(BAD, last_success=None), dated="2026-11-10") == [
        Cause.FAILING
    ]


def test_the_likeliest_reason_comes_first() -> None:
    """Of a new feed, a failing one and a gap, in that order."""
    new = replace(WELL, url=FEEDS[0], state=Health.NEW, last_success=None)
    gap = Window("gap", days_ago(5), days_ago(4))

    assert causes(new, BAD, windows=(gap,)) == [
        Cause.NOT_POLLED,
        Cause.FAILING,
        Cause.MISSED,
    ]
    assert causes(new, replace(new, url=FEEDS[1])) == [Cause.NOT_POLLED]


def test_a_silence_is_no_hole() -> None:
    """An outlet that answers and brings nothing hides nothing."""
    windows = (Window("silence", days_ago(20), days_ago(10)),)

    assert causes(WELL, windows=windows, dated="2026-11-08") == [Cause.NEVER_LISTED]


def test_an_outage_of_the_outlet_is_a_hole() -> None:
    """What was published while it could not be read may have come and gone."""
    windows = (Window("failure", days_ago(20), days_ago(10)),)
    source = Source(JOUR, (WELL,), days_ago(365), windows)
    dated = ask.span("2026-11", PARIS)
    (reason,) = explain(case(sources=(source,), dated=dated)).reasons

    assert reason.cause is Cause.MISSED
    assert "could not be read between 2026-11-03 13:00 and" in reason.facts[0]
    assert causes(WELL, windows=windows, dated="2026-10") == [Cause.NEVER_LISTED]


def test_an_entry_cut_off_from_its_story_is_told() -> None:
    """The next cycle places it; `publish` does at once."""
    mention = Mention(1, "film", Verdict.CERTAIN, "match", "travailleurs du clic")
    (reason,) = explain(case(traces=(trace("Z", mentions=(mention,)),))).reasons

    assert reason.cause is Cause.UNPLACED
    assert [mend.run for mend in reason.mends] == ["aggregator publish"]


def test_a_rule_without_a_line_is_told_in_words() -> None:
    """An outlet all of whose entries count since `always` was written."""
    outlet = replace(JOUR, always=("film",))
    (reason,) = explain(case(traces=(trace("Z"),), outlets=(outlet,))).reasons

    assert reason.cause is Cause.EDITED
    assert reason.facts[1] == "topic film: whatever this outlet publishes"


def test_where_no_word_is_there_no_line_is_near() -> None:
    """Nothing is made up."""
    (reason,) = explain(case(traces=(trace("La météo"),))).reasons

    assert (reason.cause, reason.nearest) == (Cause.NO_LINE, None)
    assert reason.facts == ("no line of feeds.toml finds it",)


def test_a_copy_at_the_same_address_is_joined_to_nothing() -> None:
    """Two feeds of one outlet deliver one article: that is no other's title."""
    story = Story("k7f3q2zd", State.PUBLISHED, "T", URL, "Le Jour", NOW, ("film",), ())
    tale = Tale(story, State.PUBLISHED, (), ("index.html",), reason="same URL")
    one = trace("T", story="k7f3q2zd", reason="same URL")
    answer = explain(case(traces=(one,), tale=tale, url=f"{URL}?utm_source=x"))

    assert [reason.cause for reason in answer.reasons] == [Cause.PUBLISHED]


@pytest.mark.parametrize(
    ("url", "written"),
    [
        ("https://e.fr/2020/02/14/titre", "2020-02-14"),
        ("https://e.fr/a-2020-02-14.html", "2020-02-14"),
        ("https://e.fr/20200214-titre", "2020-02-14"),
        ("https://e.fr/article/2020/02/titre", "2020-02"),
        ("https://e.fr/2020/02/30/titre", "2020-02"),
        ("https://e.fr/story/187436/titre", ""),
        ("https://e.fr/1202002141", ""),
        ("https://e.fr/2031/02/14/titre", ""),
        ("https://e.fr/2020/13/titre", ""),
    ],
)
def test_a_date_is_read_from_an_address(url: str, written: str) -> None:
    """A day, else a month; no day to come, and no number that only looks like one."""
    found = ask.dated(url, PARIS, NOW)

    assert (found.written if found else "") == written


def test_a_span_is_a_day_or_a_month_of_the_sites_zone() -> None:
    """Of December too."""
    day, month = ask.span("2020-02-14", PARIS), ask.span("2019-12", PARIS)

    assert day.start == datetime(2020, 2, 13, 23, tzinfo=UTC)
    assert day.end - day.start == timedelta(days=1)
    assert month.end == datetime(2019, 12, 31, 23, tzinfo=UTC)


@given(st.text(max_size=30))
def test_any_words_may_be_asked_for(asked: str) -> None:
    """Whatever is typed is an address or it is none; nothing is raised."""
    url = ask.address(asked)

    assert url == "" or "." in url or "://" in url
    assert ask.dated(url, PARIS, NOW) is None or url


@pytest.mark.parametrize(
    ("article", "home", "kin"),
    [
        ("https://www.slate.fr/story/1", "https://slate.fr", (2, 0)),
        ("https://www.lemonde.fr/en/a/b", "https://lemonde.fr/en/rss/une", (2, 1)),
        ("https://www.lemonde.fr/en/a/b", "https://lemonde.fr/rss/une.xml", (2, 0)),
        ("https://www.leparisien.fr/a", "https://feeds.leparisien.fr/rss", (1, 0)),
        ("https://abonnes.lemonde.fr/a", "https://www.lemonde.fr", (1, 0)),
        ("https://a.substack.com/x", "https://b.substack.com/x", (0, 0)),
        ("https://notslate.fr/a", "https://slate.fr", (0, 0)),
        ("https://slate.fr/a", "", (0, 0)),
        ("https://fr/a", "https://slate.fr", (0, 0)),
    ],
)
def test_an_outlet_is_known_by_its_addresses(
    article: str, home: str, kin: tuple[int, int]
) -> None:
    """The same host, or one above or below the other; then the folders in common."""
    assert ask.kinship(article, home) == kin


def test_many_outlets_at_one_host_are_one_reason() -> None:
    """The first are named, the others counted, and one table is enough."""
    sources = tuple(
        Source(replace(JOUR, name=f"J{n}"), (WELL,), days_ago(365)) for n in range(5)
    )
    (reason,) = explain(case(sources=sources)).reasons

    assert reason.facts[3:] == (
        "and 2 more outlets at the same host",
        "no feed listed it, and no gap is known in which it may have come",
    )
    assert [mend.paste[:5] for mend in reason.mends] == ['"J0" ', "[[dec"]
