"""Stories as commands show them: dates, JSON, matched words between marks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from aggregator.clock import now
from aggregator.decisions import Rulings
from aggregator.desk import Desk, settled, stories
from aggregator.lock import is_held
from aggregator.model import Config, Precision, Story
from aggregator.store import Store
from aggregator.stories import Ledger, compose, spoken
from aggregator.text import MARK, UNMARK

_PIECES = re.compile(f"{MARK}([^{UNMARK}]*){UNMARK}?")


def told(config: Config) -> tuple[Story, ...]:
    """Return every story as it stands; StoreError when there is no database yet."""
    with Store(config.storage.database, create=False) as store:
        return stories(store, Desk.of(config))


def obeying(
    desk: Desk, rulings: Rulings
) -> Iterator[tuple[Story, Ledger, Sequence[int]]]:
    """Yield the stories that decisions speak of, as the files have them now.

    With what is known of each, and the places of those decisions from 0. Nothing before
    the first cycle.
    """
    config = desk.config
    if not config.storage.database.exists():
        return
    outlets = {outlet.name: outlet for outlet in config.outlets}
    with Store(config.storage.database) as store:
        for ledger, standing, decided in settled(store, desk, now()):
            if spoke := spoken(ledger, rulings, config.site.timezone):
                story = compose(ledger, standing, decided, outlets)
                yield story, ledger, [place for place, _ in spoke]


def followed_by(config: Config) -> str:
    """Return what brings decisions to the readers."""
    if is_held(config.storage.database, "worker"):
        return "the worker publishes that within a minute"
    return "`aggregator publish` publishes that now"


def newest_first(stories: Iterable[Story]) -> list[Story]:
    """Return the stories as a press list has them, last published first."""
    return sorted(stories, key=lambda s: (s.published_at, s.short), reverse=True)


def day(story: Story, config: Config) -> str:
    """Return a story's date as the published pages have it; of some only the month."""
    return dated(story.published_at, story.precision, config)


def dated(at: datetime, precision: Precision, config: Config) -> str:
    """Return a date in the site's zone as `2020-02-14`, or as `2020-02`."""
    date = at.astimezone(ZoneInfo(config.site.timezone)).date()
    return date.isoformat()[: 7 if precision == "month" else None]


def entry(story: Story, *, evidence: bool = False) -> dict[str, object]:
    """Return a story as `--json` lists it."""
    shown: dict[str, object] = {
        "story": story.short,
        "url": story.url,
        "title": story.title,
        "outlet": story.outlet,
        "published": story.published_at,
        "topics": story.topics,
    }
    if evidence:
        shown["evidence"] = [
            {
                "topic": proof.topic,
                "line": proof.line,
                "field": proof.column,
                "snippet": marked(proof.snippet),
                "certain": proof.certain,
            }
            for proof in story.evidence
        ]
    return shown


def marked(snippet: str) -> str:
    """Return a snippet with its matched words between asterisks."""
    return "".join(f"**{text}**" if hit else text for text, hit in pieces(snippet))


def pieces(snippet: str) -> Iterator[tuple[str, bool]]:
    """Yield the pieces of a snippet, and whether each is what matched."""
    for position, piece in enumerate(_PIECES.split(snippet)):
        if piece:
            yield piece, position % 2 == 1
