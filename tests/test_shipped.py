"""The shipped feeds.toml and curation.toml: valid, and true to what is known."""

from __future__ import annotations

import csv
import tomllib
from pathlib import Path
from typing import Any

import pytest
from needs import shared

from aggregator import config, curation
from aggregator.match import match
from aggregator.model import Action, Addition, Config, Entry, Outlet, Verdict
from aggregator.text import fold, plain

ROOT = Path(__file__).parents[1]
CASES = tomllib.loads(Path(__file__).with_name("mentions.toml").read_text("utf-8"))

# Of the press list: what its outlets are called in feeds.toml; a broadcast has none.
ELSEWHERE = {"JT 20H France 2": "franceinfo"}


@pytest.fixture(scope="module")
def shipped() -> Config:
    """Return the shipped configuration."""
    return config.read(ROOT / "feeds.toml")


@pytest.fixture(scope="module")
def additions(shipped: Config) -> list[Addition]:
    """Return what the shipped curation.toml adds."""
    found = curation.read(ROOT / "curation.toml", shipped.topics, shipped.site.timezone)
    assert all(decision.action is Action.ADD for decision in found)
    return [decision.addition for decision in found if decision.addition]


@pytest.fixture(scope="module")
def confirmed() -> dict[str, str]:
    """Return the outlets of the feeds that were really seen, by URL."""
    path = shared("corpus/outlets.tsv")
    with path.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        return {
            row["feed_url"]: row["outlet"]
            for row in rows
            if row["status"] == "confirmed"
        }


@pytest.fixture(scope="module")
def press() -> list[dict[str, Any]]:
    """Return the press that the documentary and its author are known to have had."""
    content = shared("press-list.toml").read_text(encoding="utf-8")
    return tomllib.loads(content)["item"]


def outlet_of(item: dict[str, Any]) -> tuple[str, str]:
    """Return the folded outlet of an item of the press list, and the detail."""
    name, _, detail = item["outlet"].partition(", ")
    return fold(name), detail


def test_the_six_topics_are_there(shipped: Config) -> None:
    """Two make up the front page, four are watched; each can find something."""
    assert [(topic.id, topic.main) for topic in shipped.topics] == [
        ("documentaire", True),
        ("auteur", True),
        ("microtravail", False),
        ("moderation", False),
        ("livreurs", False),
        ("ia", False),
    ]
    assert all(topic.match for topic in shipped.topics)


def test_forty_outlets_and_more_are_followed(shipped: Config) -> None:
    """The issue asks for 40; all are polled."""
    assert len(shipped.outlets) >= 40
    assert all(outlet.enabled for outlet in shipped.outlets)


def test_only_the_example_addresses_are_warned_of(shipped: Config) -> None:
    """Nothing shipped is without effect; url and contact are the maintainer's."""
    warnings = config.warnings(shipped)

    assert [line.partition(":")[0] for line in warnings] == ["site.url", "site.contact"]
    assert config.advice(shipped) == ()


def test_names_are_set_as_french_is(shipped: Config, additions) -> None:
    """Curly apostrophes everywhere a reader looks."""
    shown = [outlet.name for outlet in shipped.outlets]
    shown += [each.outlet for each in additions] + [each.title for each in additions]

    assert [text for text in shown if "'" in text] == []


def test_every_shipped_feed_was_really_seen(shipped: Config, confirmed) -> None:
    """No guessed, old or patterned address is polled."""
    assert [feed.url for feed in shipped.feeds if feed.url not in confirmed] == []


def test_all_publications_of_the_press_list_are_followed(
    shipped: Config, confirmed, press
) -> None:
    """Whoever wrote of the film and has a confirmed feed stands in feeds.toml."""
    followed = {fold(outlet.name) for outlet in shipped.outlets}
    known = {fold(name) for name in confirmed.values()} | {"slate"}
    wanted = {
        fold(ELSEWHERE.get(item["outlet"], "")) or outlet_of(item)[0] for item in press
    }

    assert wanted & (known | {"franceinfo"}) <= followed
    assert len(wanted & followed) >= 13


def test_each_item_of_the_press_list_is_added_once(additions, press) -> None:
    """With its outlet, date, form and topics."""
    forms = {"web": "article"}
    wanted = sorted(
        (
            item["title"],
            *outlet_of(item),
            item["published"].isoformat(),
            forms.get(item["form"], item["form"]),
            tuple(item["topics"]),
        )
        for item in press
    )
    found = sorted(
        (
            each.title,
            fold(each.outlet),
            each.detail,
            each.published_at.date().isoformat(),
            each.form,
            each.topics,
        )
        for each in additions
    )

    assert found == wanted


def test_added_articles_name_their_outlet_as_feeds_do(
    shipped: Config, additions
) -> None:
    """Else an entry of that outlet would not be recognised as the same article."""
    followed = {fold(outlet.name): outlet.name for outlet in shipped.outlets}
    named = [each.outlet for each in additions if fold(each.outlet) in followed]

    assert named == [followed[fold(name)] for name in named]
    assert len(set(named)) >= 11


def test_added_articles_have_speaking_ids(additions) -> None:
    """An id without spaces or accents is easy to name in other decisions."""
    assert all(each.key.isascii() and "/" not in each.key for each in additions)
    assert [each.key for each in additions if each.precision == "month"] == [
        "60-millions-2019-11"
    ]


def verdicts(shipped: Config, title: str, summary: str) -> dict[str, Verdict]:
    """Return what the shipped topics say of an entry."""
    entry = Entry(1, "1", "", plain(title), plain(summary), 0)
    found = match([entry], shipped.topics, Outlet("Le Jour", ()))
    return {mention.topic: mention.verdict for mention in found}


@pytest.mark.parametrize("topic", [name for name in CASES if name != "none"])
def test_a_topic_finds_what_is_its_own(shipped: Config, topic: str) -> None:
    """Each invented entry of its subject is published there, or waits."""
    lost = [
        title
        for title, summary in CASES[topic].items()
        if verdicts(shipped, title, summary).get(topic, Verdict.SUPPRESSED)
        is Verdict.SUPPRESSED
    ]

    assert lost == []


def test_what_only_sounds_alike_is_not_published(shipped: Config) -> None:
    """Namesakes, other films and news of the same companies may wait at most."""
    published = [
        title
        for title, summary in CASES["none"].items()
        if Verdict.CERTAIN in verdicts(shipped, title, summary).values()
    ]

    assert published == []
    waiting = sum(bool(verdicts(shipped, *case)) for case in CASES["none"].items())
    assert waiting <= len(CASES["none"]) / 5
