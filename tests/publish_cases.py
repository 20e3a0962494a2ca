"""Cases of what is published: tests/publish/NAME/stories.toml and what comes of it.

`python tests/publish_cases.py` writes the expected documents anew; read the difference
before you commit it.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aggregator import publish
from aggregator.health import Followed, Window
from aggregator.model import Copy, Site, State, Story, Topic
from aggregator.publish import lines

CASES = Path(__file__).parent / "publish"
EXPECTED = (
    "index.html",
    "2020/index.html",
    "topics/auteur/index.html",
    "topics/auteur/fragment.html",
    "fragment.html",
    "embed.html",
    "outlets/index.html",
    "feed.atom",
    "feed.rss",
    "feed.json",
    "all/feed.atom",
    "archive/2020-02.atom",
    "topics/livreurs/archive/2020-02.atom",
    "stories.jsonl",
    "stories.csv",
    "stories.bib",
    "outlets/outlets.opml",
    "outlets/outlets.csv",
)
SITE = Site(
    title="La presse en parle",
    url="https://film.example/presse/",
    id="tag:film.example,2026:presse",
)
FILM = Topic("film", "Le film")
WORK = Topic("travail", "Le travail", main=False)
TOPICS = (FILM, WORK)
NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)


def a_story(number: int = 0, **given: Any) -> Story:
    """Return a published story, a day older with each number; given fields replace."""
    at = NOON - timedelta(days=number)
    url = given.get("url", f"https://journal.example/{number}")
    made = Story(
        short=f"story{number:03}",
        state=State.PUBLISHED,
        title=f"Un article numéro {number}",
        url=url,
        outlet="Le Journal",
        published_at=at,
        topics=("film",),
        copies=(Copy("Le Journal", url, f"Un article numéro {number}", at),),
        added_at=at,
        updated_at=at,
    )
    return replace(made, **given)


def render(
    site: Site,
    topics: Sequence[Topic],
    stories: Sequence[Story],
    coverage: Sequence[Followed] = (),
) -> dict[str, bytes]:
    """Return every published document by its name."""
    return dict(publish.render(site, topics, stories, coverage))


def published(*stories: Story, site: Site = SITE) -> dict[str, bytes]:
    """Return what is published of the stories."""
    return render(site, TOPICS, stories)


def story_of(table: dict[str, Any]) -> Story:
    """Return the story of a table; its times are TOML's."""
    line = json.dumps(
        {"state": "published", "copies": []} | table, default=datetime.isoformat
    )
    return lines.story(json.loads(line))


def case(folder: Path) -> tuple[Site, tuple[Topic, ...], tuple[Story, ...]]:
    """Return what a case publishes."""
    read = tomllib.loads((folder / "stories.toml").read_text())
    return (
        Site(**read["site"]),
        tuple(Topic(**table) for table in read["topics"]),
        tuple(story_of(table) for table in read.get("stories", ())),
    )


def coverage(folder: Path) -> tuple[Followed, ...]:
    """Return the outlets that a case follows."""
    read = tomllib.loads((folder / "stories.toml").read_text())
    return tuple(_followed(table) for table in read.get("outlets", ()))


def _followed(table: dict[str, Any]) -> Followed:
    windows = tuple(
        Window(one["kind"], one["since"], one.get("until"))
        for one in table.get("windows", ())
    )
    return Followed(
        table["name"],
        table.get("homepage", ""),
        table.get("since"),
        table.get("newest_at"),
        windows,
        table.get("language", ""),
        tuple((url, kind) for url, kind in table.get("feeds", ())),
    )


def expected(folder: Path) -> dict[str, bytes]:
    """Return those documents of a case that are compared byte for byte."""
    documents = render(*case(folder), coverage(folder))
    return {name: documents[name] for name in EXPECTED if name in documents}


if __name__ == "__main__":
    for its in (path.parent for path in CASES.glob("*/stories.toml")):
        for name, body in expected(its).items():
            (its / name).parent.mkdir(parents=True, exist_ok=True)
            (its / name).write_bytes(body)
