"""Edited rules: the history and what is published follow them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import Server
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import aggregator, configure, contents, item, rss

from aggregator import rules
from aggregator.identity import number
from aggregator.match import match
from aggregator.model import (
    Config,
    Engine,
    Entry,
    Feed,
    Matching,
    Outcome,
    Outlet,
    Polling,
    Site,
    Storage,
    Topic,
    Validators,
)
from aggregator.query import compile_line
from aggregator.store import Store, polls

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def a_topic(
    name: str,
    match: Sequence[str] = (),
    review: Sequence[str] = (),
    never: Sequence[str] = (),
) -> Topic:
    """Return a topic of these lines."""
    keys = [tuple(map(compile_line, lines)) for lines in (match, review, never)]
    return Topic(name, name.title(), match=keys[0], review=keys[1], never=keys[2])


def a_config(topics: Sequence[Topic], outlets: Sequence[Outlet]) -> Config:
    """Return a configuration of these, without any file."""
    nowhere = Path("nowhere")
    return Config(
        source=nowhere,
        site=Site("Essai", "https://essai.invalid/", "tag:essai.invalid,2026:x"),
        storage=Storage(nowhere, nowhere, nowhere, nowhere),
        polling=Polling(),
        matching=Matching(),
        engine=Engine(),
        topics=tuple(topics),
        outlets=tuple(outlets),
    )


def an_outlet(name: str, **keys: object) -> Outlet:
    """Return an outlet with one feed."""
    return replace(Outlet(name, (f"https://{name}.invalid/",)), **keys)  # type: ignore[arg-type]


def poll(store: Store, config: Config, outlet: Outlet, *titles: str) -> None:
    """Record a poll of an outlet under a configuration, as a cycle would."""
    polls.follow(store, config.feeds, NOW)
    rules.apply(store, config)
    (url,) = outlet.urls
    entries = tuple(
        Entry(number(url, title), title, "", title, "", number(title))
        for title in titles
    )
    outcome = Outcome(
        Feed(url, outlet),
        NOW,
        Validators(),
        b"",
        status=200,
        entries=entries,
        mentions=match(entries, config.topics, outlet),
        listed=tuple(entry.id for entry in entries),
        complete=False,
    )
    polls.record(store, [outcome], config.polling)


def mentions(store: Store) -> list[tuple[object, ...]]:
    """Return the title and all that is remembered of each mention."""
    rows = store.rows(
        "SELECT e.title, f.url, m.* FROM mentions m JOIN entries e ON e.id = m.entry "
        "JOIN feeds f ON f.id = e.feed ORDER BY e.title, f.url, m.topic"
    )
    return [tuple(row) for row in rows]


def said(store: Store) -> dict[str, str]:
    """Return each mention's verdict by title and topic."""
    return {
        f"{title} {row[1]}": row[2] for title, _, *row in map(list, mentions(store))
    }


# ── the law ───────────────────────────────────────────────────────────────────────────

LINES = st.lists(
    st.sampled_from(("un", "deux", "un AND deux", "trois", "deux trois")),
    max_size=2,
    unique=True,
)
TOPICS = st.lists(
    st.builds(a_topic, st.sampled_from("ab"), LINES, LINES, LINES),
    max_size=2,
    unique_by=lambda topic: topic.id,
)
NAMES = st.lists(st.sampled_from("ab"), max_size=1).map(tuple)
KEYS = st.fixed_dictionaries(
    {"topics": st.none() | NAMES, "always": NAMES, "review": NAMES}
)
TITLES = st.lists(  # no document lists an entry twice
    st.sampled_from(("un", "un deux", "deux trois", "trois", "quatre")),
    max_size=3,
    unique=True,
)
EDITS = st.lists(st.tuples(TOPICS, KEYS, TITLES, TITLES), min_size=1, max_size=4)


@settings(max_examples=80, deadline=None)
@given(EDITS)
def test_edits_end_where_the_last_one_would_have_begun(
    edits: Sequence[tuple[list[Topic], dict[str, object], list[str], list[str]]],
) -> None:
    """Whatever the rules were before, the mentions are those of the rules in force."""
    configs = [
        a_config(topics, [an_outlet("jour", **keys), an_outlet("soir")])
        for topics, keys, *_ in edits
    ]
    found = []
    for history in (configs, [configs[-1]] * len(configs)):
        with tempfile.TemporaryDirectory() as place, Store(Path(place, "a")) as store:
            for config, (*_, jour, soir) in zip(history, edits, strict=True):
                poll(store, config, config.outlets[0], *jour)
                poll(store, config, config.outlets[1], *soir)
            found.append(mentions(store))

    assert found[0] == found[1]


def test_only_what_an_edit_touches_is_matched_anew(tmp_path: Path) -> None:
    """The topics concerned are told; the same rules again concern none."""
    jour = an_outlet("jour")
    config = a_config([a_topic("a", ["un"]), a_topic("b", ["deux"])], [jour])
    with Store(tmp_path / "a.db") as store:
        polls.follow(store, config.feeds, NOW)

        assert rules.apply(store, config) == {"a", "b"}
        assert rules.apply(store, config) == frozenset()

        edited = replace(config, topics=(config.topics[0], a_topic("b", ["trois"])))
        assert rules.apply(store, edited) == {"b"}

        asks = replace(edited, outlets=(replace(jour, always=("a",)),))
        assert rules.apply(store, asks) == {"a"}

        fewer = replace(asks, topics=asks.topics[:1])
        assert rules.apply(store, fewer) == {"b"}
        assert rules.apply(store, fewer) == frozenset()


def test_an_outlet_that_is_removed_keeps_its_last_rule(tmp_path: Path) -> None:
    """Nothing of it is withdrawn, and an edited line still finds in what it brought."""
    jour = an_outlet("jour", always=("a",))
    config = a_config([a_topic("a", ["un"]), a_topic("b")], [jour])
    with Store(tmp_path / "a.db") as store:
        poll(store, config, jour, "un", "deux")
        before = mentions(store)
        without = replace(config, outlets=())
        polls.follow(store, without.feeds, NOW)

        assert rules.apply(store, without) == frozenset()
        assert mentions(store) == before

        edited = a_config([a_topic("a", ["trois"]), a_topic("b", ["deux"])], [])
        rules.apply(store, edited)

        assert said(store) == {
            "un a": "certain",
            "deux a": "certain",
            "deux b": "certain",
        }


def test_what_an_edited_article_said_once_stays_while_its_line_does(
    tmp_path: Path,
) -> None:
    """A mention outlives the words that made it, but not the line that found them."""
    jour = an_outlet("jour")
    config = a_config([a_topic("a", ["un"]), a_topic("b", ["un"])], [jour])
    (url,) = jour.urls
    with Store(tmp_path / "a.db") as store:
        poll(store, config, jour, "un")
        edited = Entry(number(url, "un"), "un", "", "quatre", "", 4)
        outcome = Outcome(Feed(url, jour), NOW, Validators(), b"", entries=(edited,))
        polls.record(store, [outcome], config.polling)
        topics = [a_topic("a", ["un", "deux"]), a_topic("b", ["deux"])]
        rules.apply(store, replace(config, topics=tuple(topics)))

        assert said(store) == {"quatre a": "certain"}


# ── through the command line ──────────────────────────────────────────────────────────


@pytest.fixture
def path(tmp_path: Path, server: Server) -> Path:
    """Return a feeds.toml whose outlet was polled once."""
    items = [
        item("a", "Les travailleurs du clic"),
        item("b", "La météo des plages", date="Sat, 15 Feb 2020 08:00:00 GMT"),
        item("c", "Les petites mains"),
    ]
    path = configure(tmp_path, {"Le Jour": server.route("/jour", body=rss(*items))})
    assert aggregator(path, "run").returncode == 0
    return path


def edit(path: Path, old: str, new: str) -> None:
    """Replace a piece of feeds.toml that stands in it."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def published(path: Path) -> dict[str, str]:
    """Return the ids of what all/feed.json holds, by title."""
    feed = json.loads(contents(path.parent)["all/feed.json"])
    return {entry["title"]: entry["id"] for entry in feed["items"]}


CLIC, PLAGES = "Les travailleurs du clic – Le Jour", "La météo des plages – Le Jour"


@pytest.mark.parametrize("command", ["run", "publish"])
def test_a_new_line_finds_what_was_read_before(path: Path, command: str) -> None:
    """Without asking any outlet again."""
    edit(path, '"travailleurs du clic"', '"travailleurs du clic", "météo"')
    done = aggregator(path, command)

    assert (done.returncode, done.stderr) == (0, "")
    assert published(path).keys() == {CLIC, PLAGES}


def test_what_no_line_finds_any_more_is_withdrawn_and_returns_as_itself(
    path: Path,
) -> None:
    """The story keeps its id; what a decision keeps stays."""
    before = published(path)
    edit(path, '"travailleurs du clic"', '"introuvable"')
    aggregator(path, "publish")

    assert published(path) == {}

    edit(path, '"introuvable"', '"travailleurs du clic"')
    aggregator(path, "publish")

    assert published(path) == before

    path.with_name("curation.toml").write_text(
        '[[decision]]\naction = "keep"\nurl = "https://jour.example/a"\n', "utf-8"
    )
    edit(path, '"travailleurs du clic"', '"introuvable"')
    aggregator(path, "publish")

    assert published(path) == before


@pytest.mark.parametrize(
    ("old", "new"),
    [('"Le Jour" = "{url}"', ""), ('"{url}"', '{ url = "{url}", enabled = false }')],
)
def test_an_outlet_that_goes_takes_nothing_with_it(
    path: Path, server: Server, old: str, new: str
) -> None:
    """Removed or disabled, its stories stay."""
    url = server.url("/jour")
    edit(path, old.replace("{url}", url), new.replace("{url}", url))
    aggregator(path, "publish")

    assert published(path).keys() == {CLIC}
