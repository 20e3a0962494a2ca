"""What there is to tell of some days: what came, went, waits and is in trouble.

Pure, as all of `publish`: since when, and until when, is given. Which words it is told
in is for `digest`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from aggregator.health import Kind
from aggregator.model import Site, State, Story
from aggregator.publish.desk import DeskView
from aggregator.publish.notes import Note, Notes
from aggregator.publish.troubles import Group, attention, groups, troubles
from aggregator.stories import Suggested


@dataclass(frozen=True, slots=True)
class Tally:
    """What an outlet brought: feeds asked, new entries, mentions, stories published."""

    outlet: str
    polls: int = 0
    entries: int = 0
    mentions: int = 0
    stories: int = 0

    @property
    def found(self) -> tuple[int, int, int]:
        """What matters of it, most of all first."""
        return self.stories, self.mentions, self.entries


@dataclass(frozen=True, slots=True)
class News:
    """What is to be told, stories last published first.

    cycle_at: when the last cycle ended, None before the first. held: how many stories
    the brake holds, by topic. troubles: the worst feeds first, then the gaps; groups:
    the same by their kind. tallies: the outlets that brought most first.
    """

    since: datetime
    until: datetime
    cycle_at: datetime | None
    published: tuple[Story, ...]
    withdrawn: tuple[Story, ...]
    waiting: tuple[Story, ...]
    joins: tuple[Suggested, ...]
    held: Mapping[str, int]
    troubles: tuple[Note, ...]
    tallies: tuple[Tally, ...]
    groups: tuple[Group, ...]

    @property
    def stopped(self) -> bool:
        """Tell whether no cycle has ended in all that time."""
        return self.cycle_at is None or self.cycle_at < self.since


def news(
    site: Site,
    stories: Sequence[Story],
    view: DeskView,
    counted: Mapping[str, tuple[int, int, int]],
    since: datetime,
    until: datetime,
    cycle_at: datetime | None,
) -> News:
    """Return what there is to tell of the time from `since` to `until`.

    stories: all, in any order. view: as it is now. counted: polls, entries and mentions
    of each outlet in that time. A story that was added at its own, older date is no
    news, as in the feeds.
    """
    lines = sorted(view.lines, key=attention)
    followed = {line.url for line in lines}
    notes = Notes(site, lines)
    events = sorted(view.events, key=lambda one: (one.at, one.id), reverse=True)
    wrong = troubles(site, notes, lines, events, view.held)
    wrong += [
        notes.event(event)
        for event in events
        if event.kind is Kind.GAP and event.at >= since and event.subject in followed
    ]
    published = [
        story
        for story in stories
        if story.state is State.PUBLISHED and story.added_at and story.added_at >= since
    ]
    withdrawn = [
        story
        for story in stories
        if story.state is not State.PUBLISHED
        and story.withdrawn_at
        and story.withdrawn_at >= since
    ]
    return News(
        since=since,
        until=until,
        cycle_at=cycle_at,
        published=_ordered(published),
        withdrawn=_ordered(withdrawn),
        waiting=_ordered(view.waiting),
        joins=view.joins,
        held=Counter(topic for story in view.held for topic in story.held),
        troubles=tuple(wrong),
        tallies=_tallies(counted, published),
        groups=groups(notes, wrong),
    )


def _ordered(stories: Iterable[Story]) -> tuple[Story, ...]:
    ordered = sorted(stories, key=lambda s: (s.published_at, s.short), reverse=True)
    return tuple(ordered)


def _tallies(
    counted: Mapping[str, tuple[int, int, int]], published: Sequence[Story]
) -> tuple[Tally, ...]:
    """Return a tally of each outlet, those that brought most first."""
    stories = Counter(story.outlet for story in published)
    every = (
        Tally(name, *counted.get(name, (0, 0, 0)), stories[name])
        for name in {*counted, *stories}
    )
    return tuple(sorted(every, key=lambda t: (*(-n for n in t.found), t.outlet)))
