"""What of a story may be seen: cut, marked, cleaned, and never more than allowed."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from publish_cases import FILM, SITE, a_story

from aggregator.model import Evidence, Story
from aggregator.publish.view import Shown, clean, marked, plain, shown

WORDS = "Les travailleurs du clic parlent enfin à visage découvert de leur métier."


def seen(story: Story, excerpt: int = 200) -> Shown:
    return shown(story, replace(SITE, excerpt=excerpt), {"film": FILM})


def evidence(**given: Any) -> Evidence:
    made = Evidence("film", "ligne", "summary", "", certain=True)
    return replace(made, **given)


def test_the_excerpt_marks_the_evidence() -> None:
    """The summary's beginning, with the words that matched apart."""
    story = a_story(summary=WORDS, evidence=(evidence(spans=((4, 24),)),))

    assert seen(story, 45).excerpt == (
        ("Les ", False),
        ("travailleurs du clic", True),
        (" parlent enfin à…", False),
    )
    assert seen(story).snippet == ()


def test_overlapping_evidence_is_one_mark() -> None:
    """Two lines that match the same words mark them once."""
    story = a_story(
        summary=WORDS,
        evidence=(evidence(spans=((4, 16), (20, 24))), evidence(spans=((10, 24),))),
    )

    assert [words for words, mark in seen(story).excerpt if mark] == [
        "travailleurs du clic"
    ]


@pytest.mark.parametrize(
    ("column", "of_first", "apart"),
    [("title", True, False), ("title", False, True), ("article", True, True)],
)
def test_a_snippet_stands_apart_only_for_what_cannot_be_seen(
    column: Any, of_first: bool, apart: bool
) -> None:
    """A match in the title shown needs none; one in the page or in a copy does."""
    one = evidence(column=column, of_first=of_first, snippet="le \x02clic\x03 ici")
    story = seen(a_story(summary=WORDS, evidence=(one,)))

    assert story.snippet == (
        (("le ", False), ("clic", True), (" ici", False)) if apart else ()
    )


def test_evidence_beyond_the_excerpt_is_shown_and_counted() -> None:
    """Excerpt and snippet together keep within the limit."""
    one = evidence(spans=((66, 72),), snippet="… de leur \x02métier\x03.")
    story = seen(a_story(summary=WORDS, evidence=(one,)), 40)

    assert plain(story.excerpt) == "Les travailleurs du…"
    assert plain(story.snippet) == "… de leur métier."
    assert story.evidence == (replace(one, spans=()),)


def test_zero_shows_titles_only() -> None:
    """`excerpt = 0`, of site or outlet, republishes nothing but the title."""
    one = evidence(spans=((4, 24),), snippet="\x02travailleurs du clic\x03")
    story = a_story(summary=WORDS, evidence=(one,))
    for nothing in (seen(story, 0), seen(replace(story, excerpt=0))):
        assert nothing.excerpt == nothing.snippet == ()
        assert nothing.evidence[0].snippet == ""
        assert nothing.name == story.title


snippets = st.builds(
    "{}\x02{}\x03{}".format,
    st.text("ab c…", max_size=50),
    st.text("xyz", max_size=15),
    st.text("ab c…", max_size=50),
)
spans = st.lists(st.tuples(st.integers(-3, 90), st.integers(-3, 90)), max_size=3).map(
    tuple
)
evidences = st.builds(
    Evidence,
    topic=st.just("film"),
    line=st.just("ligne"),
    column=st.sampled_from(["title", "summary", "article", ""]),
    snippet=snippets | st.just(""),
    certain=st.booleans(),
    spans=spans,
    of_first=st.booleans(),
)


@given(
    st.text("ab cd… «é\u202e", max_size=300),
    st.lists(evidences, max_size=4).map(tuple),
    st.integers(0, 250),
)
def test_an_outlets_text_never_exceeds_the_limit_and_settles(
    summary: str, found: tuple[Evidence, ...], limit: int
) -> None:
    """Excerpt and evidence outside the title keep within the limit together.

    A story made again from what was published is published the same.
    """
    story = a_story(summary=summary, evidence=found)
    once = seen(story, limit)
    again = seen(replace(story, summary=once.extract, evidence=once.evidence), limit)
    excerpt = once.extract
    apart = [
        plain(marked(one.snippet))
        for one in once.evidence
        if not (one.of_first and one.column == "title")
    ]
    extra = {words for words in apart if words.strip("… ") not in excerpt}

    assert len(excerpt) + sum(map(len, extra)) <= limit
    assert len(excerpt) + len(plain(once.snippet)) <= limit
    assert (once.excerpt, once.snippet, once.evidence) == (
        again.excerpt,
        again.snippet,
        again.evidence,
    )


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,x",
        "//journal.example/",
        "/chemin",
        "https:///rien",
        "https://a b.example/",
        "https://a.example/\x07",
        "http://[::1",
        "https://a.example:99999/",
        "https://a|b.example/",
        "",
    ],
)
def test_only_complete_web_addresses_come_out(url: str) -> None:
    """A link is http or https with a host, or there is none."""
    story = seen(a_story(url=url, home=url, archived=url, feed_url=url))

    assert (story.url, story.home, story.archived, story.source_url) == ("", "", "", "")
    assert story.link.startswith(SITE.url)


def test_an_address_is_written_as_an_address() -> None:
    """Validators and old readers refuse é and | in a link, browsers escape them."""
    story = seen(a_story(url="https://journal.example/é?a=b|c#d", home="HTTPS://J.org"))

    assert story.url == "https://journal.example/%C3%A9?a=b%7Cc#d"
    assert story.home == "https://j.org/"


def test_texts_lose_what_harms_a_document() -> None:
    """Controls, surrogates and direction marks go; no-break spaces stay."""
    harmful = " a\x00\x08b\ud800\ufffe\u202e c\u2066\n\td\u00a0: \ufffd"

    assert clean(harmful) == "ab c d\u00a0: ?"


def test_a_title_has_a_length_and_is_never_empty() -> None:
    """100 kB of title do not fill the page; a story without one is named by its URL."""
    long, nameless = seen(a_story(title="mot " * 25_000)), seen(a_story(title=" \x00"))

    assert len(long.name) <= 300
    assert nameless.name == "https://journal.example/0"
    assert seen(a_story(title="", url="")).name == "story000"


def test_marks_that_do_not_pair_do_no_harm() -> None:
    """A stray mark is dropped, its words stay."""
    assert marked("a\x03b\x02c\x02d\x03e") == (
        ("ab", False),
        ("c", False),
        ("d", True),
        ("e", False),
    )


def test_no_printable_character_is_unfit() -> None:
    """So a text that is printable throughout needs no closer look."""
    every = map(chr, range(sys.maxunicode + 1))

    assert [char for char in every if char.isprintable() and not clean(char)] == [" "]
    assert not any(map(clean, "\x00\x85\u202e\ufdd0\U0010ffff\ud800"))
