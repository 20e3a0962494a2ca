"""What is in trouble now: feeds, topics, edits, each kind of it under one advice. Pure.

The desk and the digest tell of it in the same words, which come from `notes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from aggregator.health import Event, Health, Kind, Status
from aggregator.model import Site, Story
from aggregator.publish.notes import Note, Notes
from aggregator.publish.view import clean
from aggregator.text import fold

SHOWN = 200  # feeds, stories and troubles of a kind on the page; DESIGN.md §6
_NAMED = 20  # stories that the brake holds, of each topic

# What needs attention first; a moved feed comes after these, the others by name.
_WORST = (Health.NEVER_WORKED, Health.FAILING, Health.GONE, Health.SILENT)
MOVED = len(_WORST)  # the last rank of those in trouble
_WELL, _DISABLED = MOVED + 1, MOVED + 2
# The order of what is in trouble; an edit that is not used hides all later ones.
_GROUPS = (
    Kind.EDIT,
    Kind.BRAKE,
    Kind.FAILS,
    Kind.GONE,
    Kind.SILENT,
    Kind.MOVED,
    Kind.UNSTEADY,
    Kind.TOPIC_SILENT,
    Kind.HUB_FAILS,
    Kind.GAP,  # only where what happened is told, too: a gap does not last
)
# Some last until another event of the same family and subject says that it is over.
_LASTING = frozenset(
    {Kind.EDIT, Kind.BRAKE, Kind.UNSTEADY, Kind.TOPIC_SILENT, Kind.HUB_FAILS}
)
_FAMILIES = (
    {Kind.EDIT, Kind.EDIT_MENDED},
    {Kind.BRAKE, Kind.BRAKE_OFF},
    {Kind.UNSTEADY, Kind.RECOVERED, Kind.FAILS, Kind.GONE},
    {Kind.TOPIC_SILENT, Kind.TOPIC_SPEAKS},
    {Kind.HUB_FAILS, Kind.HUB_WORKS},
)
_WHILE_ASKED = frozenset({Kind.UNSTEADY, Kind.HUB_FAILS})  # a feed or hub, by its URL


@dataclass(frozen=True, slots=True)
class Group:
    """Troubles of one kind under one advice; more: how many are not listed."""

    heading: str
    advice: str
    notes: tuple[Note, ...]
    more: int


def troubles(
    site: Site,
    notes: Notes,
    lines: Sequence[Status],
    events: Iterable[Event],
    held: Sequence[Story],
) -> list[Note]:
    """Return what is in trouble, of feeds in the order of `lines`.

    events: newest first. held: the stories that the brake holds.
    """
    found = [note for line in lines for note in notes.troubles(line)]
    followed = {line.url for line in lines} | {*site.hubs}
    found += [
        _braked(notes, event, held) if event.kind is Kind.BRAKE else notes.event(event)
        for event in _lasting(events, followed)
    ]
    return found


def groups(notes: Notes, troubles: Sequence[Note]) -> tuple[Group, ...]:
    """Return the troubles by their kind, in the order of what hides most."""
    return tuple(_grouped(notes, troubles))


def attention(line: Status) -> tuple[int, str, str, str]:
    """Return what sorts feeds by how much they need attention, then by name."""
    if line.state in _WORST:
        rank = _WORST.index(line.state)
    elif line.state is Health.DISABLED:
        rank = _DISABLED
    else:
        rank = MOVED if line.moved_to else _WELL
    return rank, fold(line.outlet), line.outlet, line.url


def _lasting(events: Iterable[Event], followed: set[str]) -> list[Event]:
    """Return those of the events, newest first, that are not over yet."""
    newest: dict[tuple[int, str], Event] = {}
    for event in events:
        for place, kinds in enumerate(_FAMILIES):
            if event.kind in kinds:
                newest.setdefault((place, event.subject), event)
    return [
        event
        for event in newest.values()
        if event.kind in _LASTING
        and (event.kind not in _WHILE_ASKED or event.subject in followed)
    ]


def _braked(notes: Notes, event: Event, held: Iterable[Story]) -> Note:
    """Return what the brake holds of a topic now, which may be less than was told."""
    its = sorted(
        (story for story in held if event.subject in story.held),
        key=lambda story: (story.published_at, story.short),
        reverse=True,
    )
    note = notes.event(replace(event, text=str(len(its))))
    return replace(note, problems=tuple(_one_line(story) for story in its[:_NAMED]))


def _one_line(story: Story) -> str:
    return clean(f"{story.title} ({story.outlet})")


def _grouped(notes: Notes, troubles: Sequence[Note]) -> Iterator[Group]:
    for kind in _GROUPS:
        if its := tuple(note for note in troubles if note.kind is kind):
            telling = notes.tellings[kind]
            more = max(0, len(its) - SHOWN)
            yield Group(telling.heading, telling.advice, its[:SHOWN], more)
