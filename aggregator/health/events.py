"""What the maintainer should hear of: something started, or it is over. Pure.

An event is told once. What is told of a subject last says what state it is believed to
be in, so comparing that with how it fares now gives the new events, and doing so twice
gives none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from aggregator.identity import number


class Kind(StrEnum):
    """What happened. After each: what its subject is, and what `text` holds."""

    FAILS = "fails"  # a feed's URL; the reason
    GONE = "gone"  # a feed's URL (HTTP 410); the reason
    RECOVERED = "recovered"  # a feed's URL, after FAILS, GONE or UNSTEADY
    UNSTEADY = "unsteady"  # a feed's URL: it fails and recovers again and again
    SILENT = "silent"  # a feed's URL: it answers, but brings nothing new
    SPEAKS = "speaks"  # a feed's URL, after SILENT
    MOVED = "moved"  # a feed's URL; the address it redirects to for good
    GAP = "gap"  # a feed's URL: entries may have come and gone unseen since `since`
    TOPIC_SILENT = "topic_silent"  # a topic's id
    TOPIC_SPEAKS = "topic_speaks"  # a topic's id, after TOPIC_SILENT
    WAITS = "waits"  # a story's short id: a doubtful mention; its title
    BRAKE = "brake"  # a topic's id: the brake holds stories of it; how many
    BRAKE_OFF = "brake_off"  # a topic's id, after BRAKE
    EDIT = "edit"  # a file's name: an edit that is not used; the problems
    EDIT_MENDED = "edit_mended"  # a file's name, after EDIT
    HUB_FAILS = "hub_fails"  # a hub's URL: it cannot be told of our feeds; the reason
    HUB_WORKS = "hub_works"  # a hub's URL, after HUB_FAILS


@dataclass(frozen=True, slots=True)
class Event:
    """Something that started or ended at `at`, told once.

    id: a hash of what makes it unique. outlet: whose feed or article it is, or the
    topic's title; "" where none fits. since: when what it tells began, where that lies
    before `at`: the newest entry before a silence, the last good poll before a failure
    or a gap, None where there was none.
    """

    id: int
    at: datetime
    kind: Kind
    subject: str
    outlet: str = ""
    text: str = ""
    since: datetime | None = None


FAILURE = (Kind.FAILS, Kind.GONE, Kind.RECOVERED, Kind.UNSTEADY)
SILENCE = (Kind.SILENT, Kind.SPEAKS)
TOPIC = (Kind.TOPIC_SILENT, Kind.TOPIC_SPEAKS)
BRAKES = (Kind.BRAKE, Kind.BRAKE_OFF)
EDITS = (Kind.EDIT, Kind.EDIT_MENDED)
HUBS = (Kind.HUB_FAILS, Kind.HUB_WORKS)

_STEP = timedelta(seconds=1)  # the database keeps no shorter time


class Told:
    """What was told before, by subject."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        """Keep the events, in whatever order they come."""
        self._of: defaultdict[str, list[Event]] = defaultdict(list)
        self._ids: set[int] = set()
        for event in sorted(events, key=lambda one: (one.at, one.id), reverse=True):
            self._of[event.subject].append(event)
            self._ids.add(event.id)

    def newest_first(self, subject: str, kinds: Iterable[Kind]) -> list[Event]:
        """Return what was told of a subject, of these kinds."""
        wanted = set(kinds)
        return [event for event in self._of.get(subject, ()) if event.kind in wanted]

    def last(self, subject: str, kinds: Iterable[Kind]) -> Event | None:
        """Return what was told last of a subject, of these kinds; None if nothing."""
        return next(iter(self.newest_first(subject, kinds)), None)

    def subjects(self, kind: Kind) -> list[str]:
        """Return every subject of which this was told, by name."""
        found = (
            s for s, events in self._of.items() if any(e.kind is kind for e in events)
        )
        return sorted(found)

    def new(self, events: Iterable[Event]) -> Iterator[Event]:
        """Yield those of the events that were not told."""
        return (event for event in events if event.id not in self._ids)


def later(now: datetime, last: Event | None) -> datetime:
    """Return now, or what comes right after the last event of the same family.

    So their order is the order in which they were told, even after the clock was set
    back; else the same would be told over and over until it has caught up.
    """
    return now if last is None else max(now, last.at + _STEP)


def event_id(kind: Kind, subject: str, *what: str | datetime | None) -> int:
    """Return the id of an event that is unique by these."""
    parts = [
        str(int(part.timestamp())) if isinstance(part, datetime) else part or ""
        for part in what
    ]
    return number(kind, subject, *parts)
