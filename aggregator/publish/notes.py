"""What happened, told to the maintainer: a title, the facts, and what to do about it.

How it stands in a feed or on a page is for `desk`; the sentences are in `tellings`. A
feed in trouble is told in the same words as the event that made it so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from aggregator.health import Event, Health, Kind, Status
from aggregator.model import Site
from aggregator.publish import mends
from aggregator.publish.channels import NEVER
from aggregator.publish.tellings import tellings
from aggregator.publish.view import clean, title, web
from aggregator.publish.words import words

_TROUBLES = {
    Health.NEVER_WORKED: Kind.FAILS,
    Health.FAILING: Kind.FAILS,
    Health.GONE: Kind.GONE,
    Health.SILENT: Kind.SILENT,
}
# Of these the facts tell all that the title does, but for the name.
_NAMED = frozenset(
    {Kind.FAILS, Kind.GONE, Kind.UNSTEADY, Kind.SILENT, Kind.MOVED, Kind.TOPIC_SILENT}
)
_ABOUT_FEEDS = frozenset(Kind) - {
    Kind.TOPIC_SILENT,
    Kind.TOPIC_SPEAKS,
    Kind.WAITS,
    Kind.BRAKE,
    Kind.BRAKE_OFF,
    Kind.EDIT,
    Kind.EDIT_MENDED,
    Kind.HUB_FAILS,
    Kind.HUB_WORKS,
}


@dataclass(frozen=True, slots=True)
class Note:
    """One event in words.

    name: of the outlet, topic, file or hub. url: what can be looked at, "" = nothing.
    problems: of an edit, a line each; what the brake holds, too. paste: the line of
    feeds.toml that mends it.
    """

    kind: Kind
    name: str
    title: str
    url: str
    facts: tuple[str, ...]
    advice: str
    problems: tuple[str, ...] = ()
    paste: str = ""

    @property
    def headline(self) -> str:
        """What stands above its facts, where its kind is told already."""
        return self.name if self.kind in _NAMED else self.title


class Notes:
    """Tells of the events and feeds of one site."""

    def __init__(self, site: Site, lines: Iterable[Status]) -> None:
        """Keep the site's words, and which addresses each outlet has."""
        self.tellings = tellings(site.language)
        self._said, self._zone = words(site.language), ZoneInfo(site.timezone)
        self._urls: defaultdict[str, list[str]] = defaultdict(list)
        for line in sorted(lines, key=lambda line: line.url):
            self._urls[line.outlet].append(line.url)

    def event(self, event: Event) -> Note:
        """Return an event in words."""
        telling = self.tellings[event.kind]
        named, facts = telling.title, telling.facts
        told = {
            "name": clean(event.outlet) or clean(event.subject),
            "text": title(event.text) or self._said.gettext("not known"),
            "to": self.moment(event.at),
        }
        if event.since:
            day = self._said.day(event.since.astimezone(self._zone))
            told |= {"since": day, "from": self.moment(event.since)}
        else:
            named, facts = telling.undated or named, telling.undated_facts
        moved = web(event.text) if event.kind is Kind.MOVED else ""
        paste = self._moved(event, moved) if moved else ""
        own = web(event.subject) if event.kind in _ABOUT_FEEDS else ""
        mendable = paste or event.kind is not Kind.MOVED
        return Note(
            kind=event.kind,
            name=told["name"],
            title=named % told,
            url=moved or own,
            facts=tuple(fact % told for fact in facts),
            advice=telling.advice if mendable else "",
            problems=_lines(event.text) if event.kind is Kind.EDIT else (),
            paste=paste,
        )

    def troubles(self, line: Status) -> tuple[Note, ...]:
        """Return what is wrong with a feed, the worst first; () when nothing is."""
        if line.state is Health.DISABLED:
            return ()
        # At no time: a line says how it is now, and no sentence of these asks.
        told = Event(0, NEVER, Kind.MOVED, line.url, line.outlet)
        notes = []
        if kind := _TROUBLES.get(line.state):
            silent = kind is Kind.SILENT
            since = line.silent_since if silent else line.last_success
            note = self.event(replace(told, kind=kind, text=line.error, since=since))
            notes.append(replace(note, facts=(*note.facts, *self._next(line))))
        if line.moved_to:
            notes.append(self.event(replace(told, text=line.moved_to)))
        return tuple(notes)

    def moment(self, at: datetime) -> str:
        """Return day and time of day in the site's zone."""
        return self._said.moment(at.astimezone(self._zone))

    def _next(self, line: Status) -> tuple[str, ...]:
        if line.next_poll is None:
            return ()
        told = {"at": self.moment(line.next_poll)}
        return (self._said.gettext("Asked next on %(at)s.") % told,)

    def _moved(self, event: Event, target: str) -> str:
        """Return the outlet's line with the new address; "" once it is in feeds.toml.

        An outlet's other addresses must stay in its line, or they would be lost.
        """
        urls = self._urls[event.outlet]
        if event.subject not in urls:
            return ""
        moved = [target if url == event.subject else url for url in urls]
        return mends.outlet(event.outlet, [*dict.fromkeys(moved)])


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line for line in map(clean, text.splitlines()) if line)
