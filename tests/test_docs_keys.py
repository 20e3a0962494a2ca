"""docs/feeds.md and docs/curation.md say what the code does, key by key."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from aggregator import config, curation
from aggregator.config import keys
from aggregator.config.tables import REQUIRED, Key, Table
from aggregator.model import ConfigError, Topic

DOCS = Path(__file__).parents[1] / "docs"
FEEDS = (DOCS / "feeds.md").read_text(encoding="utf-8")
CURATION = (DOCS / "curation.md").read_text(encoding="utf-8")

# The headings that describe a table are those of its name in the file.
HEADINGS = {
    "topics[]": "[[topics]]",
    'outlets."NAME"': "[outlets]",
}
ZONE = "Europe/Paris"
SITE = '[site]\ntitle = "A"\nurl = "https://www.film.fr/"\n'
TOPIC = '[[topics]]\nid = "auteur"\ntitle = "L’auteur"\n'


def default(key: Key) -> str:
    """Return a default as the reference shows it."""
    if key.default is REQUIRED:
        return "required"
    if key.default is None:
        return "not set"
    return f"`{json.dumps(key.default, ensure_ascii=False)}`"


def rows(table: Table) -> list[str]:
    """Return the lines of the reference that describe a table."""
    return [
        f"| `{key.name}` | {default(key)} | {key.doc} | `{key.example}` |"
        for key in table.keys.values()
    ]


def section(text: str, heading: str) -> str:
    """Return what stands under a heading of the second level."""
    found = re.search(
        rf"^## {re.escape(heading)}.*?\n(.*?)(?=^## |\Z)",
        text,
        re.MULTILINE | re.DOTALL,
    )
    assert found, f"no section {heading}"
    return found[1]


def described(text: str) -> list[str]:
    """Return the rows of the tables of keys."""
    found = re.search(
        r"^\| key \| default .*?\n\|[-|]+\n((?:\|.*\n)+)", text, re.MULTILINE
    )
    return found[1].splitlines() if found else []


def blocks(text: str) -> list[str]:
    """Return the TOML in a page."""
    return re.findall(r"^```toml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("table", keys.TABLES, ids=lambda table: table.name)
def test_every_key_of_feeds_toml_is_documented_as_it_is(table: Table) -> None:
    """Name, default, meaning and example of each key, and no key too many."""
    heading = HEADINGS.get(table.name, f"[{table.name}]")

    assert described(section(FEEDS, f"`{heading}`")) == rows(table)


@pytest.mark.parametrize("action", curation.ACTIONS, ids=lambda action: action.value)
def test_every_key_of_a_decision_is_documented_as_it_is(action) -> None:
    """Each action has a section with its keys and an example."""
    text = section(CURATION, action.value)
    examples = [tomllib.loads(block)["decision"] for block in blocks(text)]

    assert described(text) == rows(curation.ACTIONS[action])
    assert {each["action"] for found in examples for each in found} == {action.value}


def test_no_section_describes_a_table_that_is_not_there() -> None:
    """As many tables of keys as the code has."""
    assert len(re.findall(r"^\| key \| default ", FEEDS, re.MULTILINE)) == len(
        keys.TABLES
    )
    assert len(re.findall(r"^\| key \| default ", CURATION, re.MULTILINE)) == len(
        curation.ACTIONS
    )


def test_forms_are_listed() -> None:
    """`form` takes the words that the page gives."""
    listed = re.search(r"`form` is one of ((?:`\w+`,?\s*)+)", CURATION)

    assert listed
    assert re.findall(r"`(\w+)`", listed[1]) == list(curation.FORMS)


@pytest.mark.parametrize("block", blocks(FEEDS), ids=lambda block: block[:20])
def test_every_example_of_feeds_md_is_read(tmp_path: Path, block: str) -> None:
    """Each block can be used as it stands, once site and topics are there."""
    raw = tomllib.loads(block)
    content = ("" if "site" in raw else SITE) + ("" if "topics" in raw else TOPIC)
    path = tmp_path / "feeds.toml"
    path.write_text(content + block, encoding="utf-8")
    found = config.read(path)

    assert len(found.outlets) == len(raw.get("outlets", ()))
    assert len(found.topics) == len(raw.get("topics", [TOPIC]))


def test_the_whole_example_has_every_key() -> None:
    """The last example of the page leaves nothing out."""
    raw = tomllib.loads(blocks(FEEDS)[-1])
    topics = {name for topic in raw["topics"] for name in topic}
    outlets = [each for each in raw["outlets"].values() if isinstance(each, dict)]
    whole = {table.name: set(table.keys) for table in keys.SINGLE}

    assert {name: set(raw[name]) for name in whole} == whole
    assert topics == set(keys.TOPIC.keys)
    assert {name for each in outlets for name in each} == set(keys.OUTLET.keys)


@pytest.mark.parametrize("block", blocks(CURATION), ids=lambda block: block[:45])
def test_every_example_of_curation_md_is_read(tmp_path: Path, block: str) -> None:
    """Each block is a whole curation.toml."""
    path = tmp_path / "curation.toml"
    path.write_text(block, encoding="utf-8")
    names = ("documentaire", "auteur", "livreurs", "microtravail", "ia")
    topics = [Topic(name, name) for name in names]
    found = curation.read(path, topics, ZONE)

    assert len(found) == block.count("[[decision]]")


@pytest.mark.parametrize("text", [FEEDS, CURATION], ids=["feeds", "curation"])
def test_the_messages_shown_are_real(tmp_path: Path, text: str) -> None:
    """The problems that a page quotes are in the words of the code."""
    quoted = re.findall(
        r"^  (\S.*)$",
        re.findall(r"```text\n(.*?)```", text, re.DOTALL)[0],
        re.MULTILINE,
    )
    feeds = tmp_path / "feeds.toml"
    feeds.write_text(
        SITE.replace("[site]", "[site]\ntitel = 1")
        + TOPIC
        + TOPIC
        + '[outlets]\n"Slate" = "www.slate.fr/rss.xml"',
        encoding="utf-8",
    )
    decisions = tmp_path / "curation.toml"
    decisions.write_text(
        '[[decision]]\naction = "pin"\nurl = "a"\n' * 2
        + '[[decision]]\naction = "hide"\nurl = "slate.fr/story/1"\n'
        + '[[decision]]\naction = "retag"\nurl = "a"\ntopics = ["auter"]\n',
        encoding="utf-8",
    )
    read = {
        FEEDS: lambda: config.read(feeds),
        CURATION: lambda: curation.read(decisions, [Topic("auteur", "A")], ZONE),
    }
    with pytest.raises(ConfigError) as caught:
        read[text]()

    assert list(caught.value.problems) == quoted
