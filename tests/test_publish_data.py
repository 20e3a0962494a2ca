"""stories.jsonl: all that is needed to publish the same again."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from publish_cases import CASES, NOON, a_story, case, published, render, story_of

from aggregator.model import Evidence


@pytest.mark.parametrize("name", ["press", "empty"])
def test_the_lines_restore_the_published_bytes(name: str) -> None:
    """Stories read back from the file publish every document byte for byte."""
    site, topics, stories = case(CASES / name)
    documents = render(site, topics, stories)
    lines = documents["stories.jsonl"].decode().splitlines()
    restored = [story_of(json.loads(line)) for line in lines]

    assert render(site, topics, restored) == documents


def test_lines_are_in_order_of_publication() -> None:
    """By date, then by short id: a new story changes as little as can be."""
    stories = (a_story(1), a_story(0), a_story(2, short="b", published_at=NOON))
    lines = published(*stories)["stories.jsonl"].decode().splitlines()

    assert [json.loads(line)["short"] for line in lines] == [
        "story001",
        "b",
        "story000",
    ]


def test_a_line_is_a_line_and_readable() -> None:
    """Accents stand as they are, odd line ends are escaped, exact times are kept."""
    at = NOON + timedelta(microseconds=123)
    body = published(a_story(title="Été\u2028\x85fin\u2029", added_at=at))[
        "stories.jsonl"
    ]

    assert "Été\\u2028\\u0085fin\\u2029".encode() in body
    assert len(body.decode().splitlines()) == 1
    assert json.loads(body)["added_at"] == at.isoformat()
    assert json.loads(body)["title"] == "Été\u2028\x85fin\u2029"


def test_the_file_holds_no_more_of_an_outlets_text_than_the_feeds() -> None:
    """It is public too: very short extracts only."""
    story = a_story(summary="mot " * 500)
    line = json.loads(published(story)["stories.jsonl"])

    assert len(line["summary"]) <= 200


texts = st.text(max_size=60)


@settings(deadline=None, max_examples=40)
@given(title=texts, outlet=texts, note=texts, summary=texts, snippet=texts)
def test_any_text_survives(
    title: str, outlet: str, note: str, summary: str, snippet: str
) -> None:
    """Whatever was written, the line is JSON and publishes the same bytes again."""
    evidence = Evidence("film", note, "article", snippet, certain=True)
    documents = published(
        a_story(
            title=title, outlet=outlet, note=note, summary=summary, evidence=(evidence,)
        )
    )
    restored = story_of(json.loads(documents["stories.jsonl"]))

    assert published(restored) == documents
