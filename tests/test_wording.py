"""Decisions as text: what is written reads back as the same."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from publish_cases import a_story

from aggregator import curation, wording
from aggregator.config.tables import loads
from aggregator.decisions import archiving, key
from aggregator.model import Action, Addition, Decision, Precision, Topic

PARIS = ZoneInfo("Europe/Paris")
TOPICS = tuple(Topic(name, name) for name in ("film", "livreurs", "ia"))
FILE = Path("curation.toml")

strings = st.text(st.characters(exclude_categories=["Cs"]))
# What the reader lets through: no controls, no blanks at the ends.
texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], include_characters="\t\n")
).map(str.strip)
lines = texts.map(lambda text: " ".join(text.split())).filter(bool)
topics = st.lists(st.sampled_from([topic.id for topic in TOPICS]), min_size=1).map(
    lambda names: tuple(dict.fromkeys(names))
)
moments = st.integers(-3_700_000_000, 29_000_000_000).map(  # 1852 to 2888
    lambda seconds: datetime.fromtimestamp(seconds, UTC)
)
shorts = st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=8, max_size=8)
ids = st.text("abcdefgh-._2345é", min_size=1, max_size=9)
urls = st.text("abc/?=&#%~'-9", max_size=9).map("https://jour.example/{}".format)
targets = shorts | ids | urls


def read(text: str) -> tuple[Decision, ...]:
    """Return the decisions of a text."""
    return curation.read_bytes(text.encode(), FILE, TOPICS, PARIS.key)


@st.composite
def additions(draw: st.DrawFn) -> Decision:
    """Draw an addition as `curation` makes it."""
    precision: Precision = draw(st.sampled_from(["time", "day", "month"]))
    if precision == "time":
        at = draw(moments)
    else:
        day = draw(st.dates(date(1800, 1, 1), date(2900, 1, 1)))
        day = day.replace(day=1) if precision == "month" else day
        at = datetime.combine(day, time(12), PARIS).astimezone(UTC)
    url, name = draw(urls | st.just("")), draw(ids | st.just(""))
    title, outlet = draw(lines), draw(lines)
    day_or_month = at.astimezone(PARIS).date().isoformat()
    day_or_month = day_or_month[:7] if precision == "month" else day_or_month
    key = url or name or f"{day_or_month}/{outlet}/{curation.fold(title)}"
    item = Addition(
        key=key,
        title=title,
        outlet=outlet,
        published_at=at,
        precision=precision,
        topics=draw(topics),
        url=url,
        form=draw(st.sampled_from(["", *curation.FORMS])),
        detail=draw(texts),
        author=draw(texts),
        excerpt=draw(texts),
        archived=draw(urls | st.just("")),
    )
    named = tuple(one for one in (url, name) if one) or (key,)
    at_ = draw(st.none() | moments)
    reason, names = draw(texts), item.topics
    return Decision(Action.ADD, named, at_, reason, topics=names, addition=item)


@st.composite
def decisions(draw: st.DrawFn) -> Decision:
    """Draw a decision on a known story as `curation` makes it."""
    action = draw(st.sampled_from([one for one in Action if one is not Action.ADD]))
    merges = action is Action.MERGE
    many = st.lists(targets, min_size=2, unique=True).map(tuple)
    days = st.dates(date(1800, 1, 1), date(2900, 1, 1)).map(date.isoformat)
    dates = st.just("") | days | days.map(lambda day: day[:7])
    return Decision(
        action=action,
        targets=draw(many if merges else st.tuples(targets)),
        at=draw(st.none() | moments),
        reason=draw(texts),
        published="" if merges else draw(dates),
        topics=draw(topics) if action is Action.RETAG else (),
        text=draw(texts) if action is Action.NOTE else "",
    )


@given(strings)
def test_any_text_reads_back_as_it_was(text: str) -> None:
    """Quotes, backslashes, controls, line ends and DEL come back as they were."""
    written = wording.quoted(text)

    assert tomllib.loads(f"a = {written}") == {"a": text}
    assert "\n" not in written


@given(strings, strings)
def test_any_reason_and_note_read_back(reason: str, note: str) -> None:
    """Whatever is typed, the file stays TOML and holds that text."""
    decided = Decision(Action.NOTE, ("k7f3q2zd",), reason=reason, text=note)
    (table,) = loads(wording.decision(decided, "UTC").encode(), FILE)["decision"]  # type: ignore[misc]

    assert (table["text"], table.get("reason", "")) == (note, reason)  # type: ignore[index]


@given(st.lists(decisions() | additions(), min_size=1, max_size=4))
def test_decisions_read_back_equal(decided: list[Decision]) -> None:
    """`curation` makes of the text the very decisions that it was made of."""
    named: set[str] = set()
    for one in decided:  # the reader refuses to add one article twice
        keys = {curation.canonical(name) or name for name in one.targets}
        if one.addition and keys & named:
            return
        named |= keys if one.addition else set()
    text = "\n\n".join(wording.decision(one, PARIS.key) for one in decided)

    assert read(text) == tuple(decided)


def test_a_decision_looks_as_a_person_would_write_it() -> None:
    """Keys stand in a column; times are those of the site's zone."""
    at = datetime(2026, 11, 23, 9, tzinfo=UTC)
    decided = Decision(Action.HIDE, ("k7f3q2zd",), at, "un « autre » film")

    assert wording.decision(decided, "Europe/Paris").splitlines() == [
        "[[decision]]",
        'action = "hide"',
        'story  = "k7f3q2zd"',
        'reason = "un « autre » film"',
        "at     = 2026-11-23T10:00:00+01:00",
    ]


@pytest.mark.parametrize("zone", ["Europe/Paris", "Africa/Monrovia", "UTC"])
def test_times_of_odd_zones_are_still_toml(zone: str) -> None:
    """Paris was 9 minutes and 21 seconds ahead, which TOML has no way to say."""
    at = datetime(1905, 1, 1, tzinfo=UTC) + timedelta(hours=1)
    decided = Decision(Action.PIN, ("k7f3q2zd",), at)

    assert read(wording.decision(decided, zone)) == (decided,)


def test_what_is_to_be_pasted_looks_like_what_it_says() -> None:
    """What steers a terminal, or turns a line about in an editor, is an escape."""
    odd = "a\x1b\x7f\x9b\u2028\u202e\u2066é"
    written = wording.quoted(odd)

    assert written == r'"a\u001b\u007f\u009b\u2028\u202e\u2066é"'
    assert tomllib.loads(f"a = {written}") == {"a": odd}


def test_half_a_character_does_not_spoil_the_file() -> None:
    """A lone surrogate, which no file can hold, becomes the replacement character."""
    assert wording.quoted("a\ud800") == '"a\ufffd"'


def test_an_outlet_is_one_line() -> None:
    """An address, or a list of them; names may hold quotes."""
    one, more = ["https://e.fr/a"], ["https://e.fr/a", "https://e.fr/b"]

    assert tomllib.loads(wording.outlet('Le "Jour"', one)) == {'Le "Jour"': one[0]}
    assert tomllib.loads(wording.outlet("20 Minutes", more)) == {"20 Minutes": more}


@given(lines, lines, urls, moments, topics)
def test_a_lasting_copy_is_written_and_read_back(
    title: str, outlet: str, url: str, at: datetime, names: tuple[str, ...]
) -> None:
    """Whatever a feed calls its article: what is pasted is valid, and joins it."""
    story = a_story(title=title, outlet=outlet, url=url, published_at=at, topics=names)
    decided = archiving(story, "https://archive.example/1", at)
    (again,) = read(wording.decision(decided, PARIS.key))

    assert again == decided
    assert key(again.targets[0]) == key(url)
