"""Where a story stands is where it is found in the published documents."""

from __future__ import annotations

from datetime import timedelta

import pytest
from publish_cases import NOON, SITE, TOPICS, a_story, published

from aggregator.model import State, Story
from aggregator.publish.pages import FRONT
from aggregator.publish.places import places

OLD = {"added_at": NOON - timedelta(days=400), "live": False}


def a_hundred() -> list[Story]:
    """Return more stories than the front page and the live feed hold, all new ones."""
    return [
        a_story(n, short=f"s{n:07}", added_at=NOON - timedelta(days=8 + n))
        for n in range(FRONT + 20)
    ]


@pytest.mark.parametrize(
    "own",
    [
        a_story(0, short="mine2345"),
        a_story(0, short="mine2345", topics=("travail",)),
        a_story(0, short="mine2345", topics=("film", "travail")),
        a_story(300, short="mine2345"),
        a_story(300, short="mine2345", pinned=True),
        a_story(300, short="mine2345", topics=("travail",), pinned=True),
        a_story(300, short="mine2345", **OLD),
        a_story(0, short="mine2345", **OLD),
    ],
    ids=["new", "watched", "both", "old", "pinned", "pinned watched", "late", "added"],
)
def test_places_are_those_that_hold_it(own: Story) -> None:
    """Each page and Atom feed named holds the story, and no other one does."""
    stories = [*a_hundred(), own]
    named = places(SITE, TOPICS, stories, own.short)
    documents = published(*stories)
    holding = {
        name
        for name, body in documents.items()
        if name.endswith((".html", ".atom")) and own.short.encode() in body
    }

    assert {name.partition("#")[0] for name in named} == holding
    assert [name for name in named if "#" in name] == [
        f"{own.published_at.year}/index.html#s-{own.short}"
    ]


def test_what_is_not_published_stands_nowhere() -> None:
    """A story that waits, or one nobody knows, has no place."""
    own = a_story(0, short="mine2345", state=State.WAITING)

    assert places(SITE, TOPICS, [own], "mine2345") == ()
    assert places(SITE, TOPICS, [own], "else2345") == ()
