"""The brake: what would move too many stories at once waits for the maintainer."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import feedparser
import pytest
from conftest import Server
from hypothesis import given
from hypothesis import strategies as st
from worlds import EPOCH, aggregator, configure, contents, database, item, rss

from aggregator.health import Event, Kind, Told, brake_events
from aggregator.model import State, Topic
from aggregator.stories import Settled, Standing, brake

NOW = datetime.fromtimestamp(int(EPOCH), UTC)
LATER = datetime(2026, 12, 1, tzinfo=UTC)
TOPICS = ("a", "b")


def standing(story: str, *topics: str, held: Sequence[str] = ()) -> Standing:
    """Return a story that is published in these topics, or suppressed in none."""
    state = State.PUBLISHED if topics else State.SUPPRESSED
    return Standing(story, state, topics, added_at=NOW, held=tuple(held))


def published(one: Standing) -> tuple[str, ...]:
    """Return the topics that a story is published in."""
    return one.topics if one.state is State.PUBLISHED else ()


def new(count: int, *topics: str, name: str = "s") -> list[Settled]:
    """Return stories that would be published for the first time."""
    return [Settled(None, standing(f"{name}{n}", *topics)) for n in range(count)]


def again(settled: Sequence[Settled], after: Sequence[Standing]) -> list[Settled]:
    """Return the stories of a next cycle, in which the rules say the same."""
    return [
        Settled(stood, one.after, decided=one.decided)
        for stood, one in zip(after, settled, strict=True)
    ]


# ── the decision ──────────────────────────────────────────────────────────────────────


def test_as_many_as_the_limit_pass_and_one_more_does_not() -> None:
    """Of a topic with too many moves none happens; another topic's do."""
    many, few = new(4, "a"), new(3, "b", name="t")
    after = brake([*many, *few], 3, (), TOPICS, NOW)

    assert {(one.state, one.topics, one.held) for one in after[:4]} == {
        (State.HELD, ("a",), ("a",))
    }
    assert [published(one) for one in after[4:]] == [("b",)] * 3
    assert [*map(published, brake(many[:3], 3, (), TOPICS, NOW))] == [("a",)] * 3


def test_a_story_in_two_topics_moves_in_the_one_that_is_not_held() -> None:
    """It is published there, and waits for the other."""
    settled = [*new(4, "a"), *new(1, "a", "b", name="both")]
    both = brake(settled, 3, (), TOPICS, NOW)[-1]

    assert (both.state, both.topics, both.held) == (State.PUBLISHED, ("b",), ("a",))


def test_what_would_be_withdrawn_stays_published() -> None:
    """Entering and leaving count together."""
    leaving = [Settled(standing(f"l{n}", "a"), standing(f"l{n}")) for n in range(2)]
    after = brake([*leaving, *new(2, "a")], 3, (), TOPICS, NOW)

    assert [(one.state, one.held) for one in after] == [
        (State.PUBLISHED, ("a",)),
        (State.PUBLISHED, ("a",)),
        (State.HELD, ("a",)),
        (State.HELD, ("a",)),
    ]
    assert all(one.withdrawn_at is None for one in after)


def test_a_story_that_leaves_one_topic_for_a_held_one_is_withdrawn_meanwhile() -> None:
    """It is nowhere then."""
    turned = Settled(standing("turned", "b"), standing("turned", "a"))
    after = brake([*new(4, "a"), turned], 3, (), TOPICS, NOW)[-1]

    assert (after.state, after.topics, after.held) == (State.HELD, ("a",), ("a",))
    assert after.withdrawn_at == NOW


def test_a_topic_that_is_gone_is_held_like_any() -> None:
    """Its stories stay, after those of topics that are there."""
    settled = [
        Settled(standing(f"{n}", "gone", "a"), standing(f"{n}", "a")) for n in range(4)
    ]
    after = brake(settled, 3, {"gone"}, TOPICS, NOW)

    assert {one.topics for one in after} == {("a", "gone")}


def test_what_was_decided_is_neither_held_nor_counted() -> None:
    """A kept or hidden story moves, however many others do."""
    decided = [
        Settled(None, standing("kept", "a"), decided=True),
        Settled(standing("hidden", "a"), standing("hidden"), decided=True),
    ]
    after = brake([*decided, *new(4, "a")], 3, (), TOPICS, NOW)

    assert [published(one) for one in after[:2]] == [("a",), ()]
    assert [*map(published, brake([*decided, *new(3, "a")], 3, (), TOPICS, NOW))][
        2:
    ] == [("a",)] * 3


def test_what_a_backfill_brings_is_held_for_an_edit_only() -> None:
    """It neither counts nor waits, unless edited rules find it; then it stays held."""
    old = [replace(one, backfilled=True) for one in new(9, "a", name="old")]
    passed = brake([*old, *new(3, "a")], 3, (), TOPICS, NOW)
    found = brake(old, 3, {"a"}, TOPICS, NOW)
    later = [replace(one, backfilled=True) for one in again(old, found)]

    assert {published(one) for one in passed} == {("a",)}
    assert {one.state for one in found} == {State.HELD}
    assert brake(later, 3, (), TOPICS, LATER) == found


def test_what_is_held_stays_held_while_single_articles_pass() -> None:
    """Also when some of it was decided: the rest does not slip through."""
    flood = new(4, "a")
    held = brake(flood, 3, (), TOPICS, NOW)
    settled = [*again(flood, held), *new(1, "a", name="single")]
    after = brake(settled, 3, (), TOPICS, LATER)

    assert after[:4] == held
    assert published(after[4]) == ("a",)

    kept = [Settled(held[0], flood[0].after, decided=True), *settled[1:]]
    after = brake(kept, 3, (), TOPICS, LATER)

    assert published(after[0]) == ("a",)
    assert after[1:4] == held[1:]


def test_an_edit_has_everything_counted_anew() -> None:
    """A line that was narrowed lets pass the few that it still finds."""
    flood = new(4, "a")
    held = brake(flood, 3, (), TOPICS, NOW)
    fewer = [*again(flood, held)[:2], Settled(held[2], standing("s2"))]
    after = brake(fewer, 3, {"a"}, TOPICS, LATER)

    assert [published(one) for one in after] == [("a",), ("a",), ()]
    assert {one.held for one in after} == {()}


STANDINGS = st.sets(st.sampled_from(TOPICS)).map(sorted)
SETTLED = st.lists(st.tuples(STANDINGS, STANDINGS, st.booleans()), max_size=8).map(
    lambda rows: [
        Settled(standing(f"{n}", *before), standing(f"{n}", *after), decided)
        for n, (before, after, decided) in enumerate(rows)
    ]
)


@given(SETTLED, st.integers(0, 4))
def test_a_cycle_done_again_changes_nothing(
    settled: Sequence[Settled], limit: int
) -> None:
    """What is held is held again, and what moved stands."""
    once = brake(settled, limit, (), TOPICS, NOW)
    twice = brake(again(settled, once), limit, (), TOPICS, LATER)

    assert [(one.state, one.topics, one.held) for one in twice] == [
        (one.state, one.topics, one.held) for one in once
    ]


@given(SETTLED, st.integers(0, 4))
def test_no_topic_has_more_moves_than_the_limit(
    settled: Sequence[Settled], limit: int
) -> None:
    """None of its undecided stories moves, or no more than may; decided ones all do."""
    after = brake(settled, limit, (), TOPICS, NOW)
    for topic in TOPICS:
        moved = [
            one
            for one, stands in zip(settled, after, strict=True)
            if not one.decided
            and (topic in published(one.before or stands))
            != (topic in published(stands))
        ]
        assert len(moved) <= limit
    for one, stands in zip(settled, after, strict=True):
        assert not one.decided or stands == one.after


def test_the_brake_is_told_of_once_again_when_it_holds_more_and_when_it_is_over() -> (
    None
):
    """An event each, named by the topic; fewer stories are no news."""
    topics = [Topic("a", "Le film")]
    told: list[Event] = []
    heard = []
    for held in ({"a": 5}, {"a": 5}, {"a": 4}, {"a": 7}, {}, {}):
        found = [*brake_events(topics, held, Told(told), NOW)]
        told += found
        heard.append([(one.kind, one.outlet, one.text) for one in found])

    assert heard == [
        [(Kind.BRAKE, "Le film", "5")],
        [],
        [],
        [(Kind.BRAKE, "Le film", "7")],
        [(Kind.BRAKE_OFF, "Le film", "")],
        [],
    ]


# ── through the command line ──────────────────────────────────────────────────────────


def articles(count: int, words: str, slug: str = "n") -> list[str]:
    """Return that many items, each of a day of its own."""
    return [
        item(
            f"{slug}{n}", f"{words}, numéro {n}", date=f"{n + 1} Feb 2020 08:00:00 GMT"
        )
        for n in range(count)
    ]


QUIET = item("q", "Les travailleurs du clic")


@pytest.fixture
def path(tmp_path: Path, server: Server) -> Path:
    """Return a feeds.toml with a brake of 5, whose outlet was polled once."""
    body = rss(QUIET, *articles(6, "La météo"))
    outlets = {"Le Jour": server.route("/jour", body=body)}
    path = configure(tmp_path, outlets, extra="[matching]\nbrake = 5")
    assert aggregator(path, "run").stderr == ""
    return path


def edit(path: Path, old: str, new: str) -> None:
    """Replace a piece of feeds.toml that stands in it."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def titles(path: Path) -> set[str]:
    """Return what the feed of everything holds."""
    feed = json.loads(contents(path.parent)["all/feed.json"])
    return {entry["title"].removesuffix(" – Le Jour") for entry in feed["items"]}


METEO = {f"La météo, numéro {n}" for n in range(6)}
CLIC = "Les travailleurs du clic"
LINE = (
    "film: the brake holds 6 stories; `aggregator diff` shows them, "
    "`aggregator publish --accept` lets them pass\n"
)


@pytest.mark.parametrize("command", ["run", "publish"])
def test_an_edit_that_finds_too_much_publishes_none_of_it(
    path: Path, command: str
) -> None:
    """One line says so; accepted, all of it passes."""
    edit(path, '"travailleurs du clic"', '"travailleurs du clic", "météo"')
    done = aggregator(path, command)

    assert (done.returncode, done.stderr) == (0, LINE)
    assert titles(path) == {CLIC}

    done = aggregator(path, "publish", "--accept")

    assert (done.returncode, done.stderr) == (0, "")
    assert titles(path) == {CLIC} | METEO


def test_cron_is_told_once_and_nothing_changes_meanwhile(path: Path) -> None:
    """A cycle in which the brake holds what it held prints and writes nothing."""
    edit(path, '"travailleurs du clic"', '"travailleurs du clic", "météo"')
    assert aggregator(path, "run").stderr == LINE
    before = contents(path.parent), database(path.parent)
    done = aggregator(path, "run", "--all")

    assert done.stderr == ""
    assert contents(path.parent) == before[0]
    again = database(path.parent)
    assert {k: v for k, v in again.items() if k != "feeds"} == {
        k: v for k, v in before[1].items() if k != "feeds"
    }
    assert aggregator(path, "publish").stderr == LINE


def test_an_edit_that_withdraws_too_much_withdraws_none_of_it(path: Path) -> None:
    """Neither by a line, nor by a topic that is taken out; the feed of it goes."""
    edit(path, '"travailleurs du clic"', '"travailleurs du clic", "météo"')
    aggregator(path, "publish", "--accept")
    edit(path, '"travailleurs du clic", "météo"', '"travailleurs du clic"')

    assert aggregator(path, "publish").stderr == LINE
    assert titles(path) == {CLIC} | METEO
    assert not any(b"held" in body for body in contents(path.parent).values())

    assert aggregator(path, "publish", "--accept").stderr == ""
    assert titles(path) == {CLIC}


def test_a_cycle_that_brings_too_much_is_held_too(path: Path, server: Server) -> None:
    """A flood out of a feed waits; an article of the day after passes."""
    server.route("/jour", body=rss(QUIET, *articles(6, CLIC)))

    assert aggregator(path, "run", "--all").stderr == LINE
    assert titles(path) == {CLIC}

    single = item("single", "Les travailleurs du clic, encore")
    server.route("/jour", body=rss(QUIET, *articles(6, CLIC), single))
    assert aggregator(path, "run", "--all").stderr == ""
    assert titles(path) == {CLIC, "Les travailleurs du clic, encore"}


def test_a_first_run_publishes_whatever_it_finds(
    tmp_path: Path, server: Server
) -> None:
    """Nobody follows it yet."""
    outlets = {"Le Jour": server.route("/jour", body=rss(*articles(9, CLIC)))}
    path = configure(tmp_path, outlets, extra="[matching]\nbrake = 0")

    assert aggregator(path, "run").stderr == ""
    assert len(titles(path)) == 9


def test_a_first_run_without_a_network_does_not_count(
    tmp_path: Path, server: Server
) -> None:
    """The next one publishes whatever it finds, though what was added is there."""
    outlets = {"Le Jour": server.route("/jour", status=503)}
    path = configure(tmp_path, outlets, extra="[matching]\nbrake = 0")
    path.with_name("curation.toml").write_text(
        '[[decision]]\naction = "add"\nid = "jt"\ntitle = "Au journal télévisé"\n'
        'outlet = "JT"\npublished = 2020-02-14\ntopics = ["film"]\n',
        encoding="utf-8",
    )
    aggregator(path, "run")
    server.route("/jour", body=rss(*articles(9, CLIC)))
    done = aggregator(path, "run", "--all")

    assert "brake" not in done.stderr
    assert len(titles(path)) == 9


def test_a_decision_is_never_braked(path: Path) -> None:
    """What is kept is published, and what is hidden goes, while the rest waits."""
    edit(path, '"travailleurs du clic"', '"travailleurs du clic", "météo"')
    aggregator(path, "publish")
    path.with_name("curation.toml").write_text(
        '[[decision]]\naction = "keep"\nurl = "https://jour.example/n3"\n'
        '[[decision]]\naction = "hide"\nurl = "https://jour.example/q"\n',
        encoding="utf-8",
    )
    done = aggregator(path, "publish")

    assert done.stderr == LINE.replace("6 stories", "5 stories")
    assert titles(path) == {"La météo, numéro 3"}


def test_a_narrowed_line_lets_its_few_pass(path: Path) -> None:
    """Nothing has to be accepted when the mistake is mended."""
    edit(path, '"travailleurs du clic"', '"travailleurs du clic", "météo"')
    aggregator(path, "publish")
    edit(path, '"météo"', '"météo numéro 2"')

    assert aggregator(path, "publish").stderr == ""
    assert titles(path) == {CLIC, "La météo, numéro 2"}


def test_the_maintainer_sees_what_is_held(path: Path) -> None:
    """On the desk, in its feed, in `review` and in `try`: as held, not as doubtful."""
    edit(path, '"travailleurs du clic"', '"travailleurs du clic", "météo"')
    aggregator(path, "publish")
    desk = path.with_name("desk")
    page = (desk / "index.html").read_text(encoding="utf-8")
    entries = feedparser.parse((desk / "desk.atom").read_bytes()).entries
    review = aggregator(path, "review")
    tried = aggregator(path, "try", "météo").stdout.splitlines()

    assert "Retenus par le frein" in page
    assert len(re.findall("La météo, numéro [0-5] \\(Le Jour\\)", page)) == 6
    # told in the cycle in which the feed is found silent, and these have no order
    assert "Le film : articles retenus par le frein (6)" in {
        entry.title.replace("\u202f", " ") for entry in entries
    }
    assert (review.stdout, review.stderr) == ("", f"0 waiting\n{LINE}")
    assert {line.split("\t")[0] for line in tried} == {"held"}

    aggregator(path, "publish", "--accept")
    page = (desk / "index.html").read_text(encoding="utf-8")
    entries = feedparser.parse((desk / "desk.atom").read_bytes()).entries

    assert "Retenus par le frein" not in page
    assert entries[0].title.replace("\u202f", " ") == (
        "Le film : le frein ne retient plus rien"
    )
