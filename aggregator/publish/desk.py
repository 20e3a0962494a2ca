"""The maintainer's private side: a page and a feed of what waits and is in trouble.

Pure, as all of `publish`: it reads no clock. Decides what stands there; the sentences
come from `notes`, what is in trouble from `troubles`, the stories from `waiting`. Its
documents may never stand inside the published folder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from aggregator.health import Event, Health, Kind, Status
from aggregator.model import Site, Story
from aggregator.publish import templates
from aggregator.publish.channels import NEVER, Channel
from aggregator.publish.charts import HEIGHT, Chart, chart
from aggregator.publish.feeds import Notice, private
from aggregator.publish.notes import Note, Notes
from aggregator.publish.troubles import SHOWN, Group, attention, groups, troubles
from aggregator.publish.view import clean, web
from aggregator.publish.waiting import Pair, Waiting, pairs, waiting
from aggregator.publish.words import Words, words
from aggregator.stories import Suggested

FEED_SIZE = 100  # events in desk.atom
LATELY = 30  # events on the page; desk.atom has more


@dataclass(frozen=True, slots=True)
class DeskView:
    """What the maintainer's private side shows, as of the newest poll.

    lines: every followed feed or, where there are very many, those of which it shows
    something. days: entries a day by feed URL, the last 30 days, oldest first, of those
    that need attention first. events: newest first. waiting: the stories in
    State.WAITING. held: those that the brake holds. joins: stories that may be one.
    feeds: how many there are; None = no more than lines.
    """

    lines: tuple[Status, ...]
    days: Mapping[str, tuple[int, ...]]
    events: tuple[Event, ...]
    waiting: tuple[Story, ...]
    as_of: datetime | None = None
    held: tuple[Story, ...] = ()
    joins: tuple[Suggested, ...] = ()
    feeds: int | None = None


@dataclass(frozen=True, slots=True)
class Happened:
    """An event on the page."""

    at: datetime
    moment: str
    note: Note


@dataclass(frozen=True, slots=True)
class Row:
    """A feed in the health table; chart: None where nothing is known of its days."""

    name: str
    url: str
    state: str
    well: bool
    facts: tuple[str, ...]
    chart: Chart | None


@dataclass(frozen=True, slots=True)
class Page:
    """What `desk.html` is filled with. Each `more_…`: how many are not listed."""

    title: str
    root: str
    as_of: str
    waits: int
    waiting: tuple[Waiting, ...]
    alike: int
    pairs: tuple[Pair, ...]
    troubled: int
    groups: tuple[Group, ...]
    happened: tuple[Happened, ...]
    more_happened: int
    feeds: int
    rows: tuple[Row, ...]


def desk(site: Site, view: DeskView) -> dict[str, bytes]:
    """Return "desk.atom", "index.html" and "style.css" by their names.

    The same view gives the same bytes, in whatever order its parts come.
    """
    lines = sorted(view.lines, key=attention)
    waits = waiting(site, view.waiting)
    unread = {one.shown.story.short for one in waits}
    events = sorted(view.events, key=lambda one: (one.at, one.id), reverse=True)
    told = [e for e in events if e.kind is not Kind.WAITS or e.subject in unread]
    notes = Notes(site, lines)
    page = _page(site, notes, lines, told, waits, view)
    html = templates.filled(
        "desk.html",
        site.language,
        page=page,
        site_name=clean(site.title) or site.url,
        site_url=web(site.url),
        height=HEIGHT,
    )
    return {
        "desk.atom": _atom(site, notes, events, told[:FEED_SIZE], waits),
        "index.html": html.encode("utf-8", "replace"),
        "style.css": templates.stylesheet("desk.css"),
    }


def _atom(
    site: Site,
    notes: Notes,
    events: Sequence[Event],
    told: Sequence[Event],
    waits: Sequence[Waiting],
) -> bytes:
    said = words(site.language)
    by_short = {one.shown.story.short: one for one in waits}
    id_ = f"{site.id}/desk"
    name = f"{said.gettext('Desk')} – {clean(site.title) or site.url}"

    def notice(event: Event) -> Notice:
        note = notes.event(event)
        story = by_short[event.subject] if event.kind is Kind.WAITS else None
        html = templates.filled("notice.html", site.language, note=note, story=story)
        at = event.at.replace(microsecond=0)
        # With its time: a database made anew counts its events from one again.
        own = f"{id_}/{at:%Y%m%dT%H%M%S}-{event.id}"
        url = story.shown.url if story else note.url
        return Notice(own, note.title, at, url, html)

    newest = events[0].at.replace(microsecond=0) if events else NEVER
    channel = Channel("", "", id_, name, name, newest, ())
    return private(site, channel, [notice(event) for event in told])


def _page(
    site: Site,
    notes: Notes,
    lines: Sequence[Status],
    told: Sequence[Event],
    waits: tuple[Waiting, ...],
    view: DeskView,
) -> Page:
    said = words(site.language)
    name = clean(site.title) or site.url
    wrong = troubles(site, notes, lines, told, view.held)
    return Page(
        title=f"{said.gettext('Desk')} – {name}",
        root="",
        as_of=notes.moment(view.as_of) if view.as_of else "",
        waits=len(waits),
        waiting=waits[:SHOWN],
        alike=len(view.joins),
        pairs=pairs(site, view.joins)[:SHOWN],
        troubled=len(wrong),
        groups=groups(notes, wrong),
        happened=tuple(
            Happened(event.at, notes.moment(event.at), notes.event(event))
            for event in told[:LATELY]
        ),
        more_happened=max(0, len(told) - LATELY),
        feeds=len(lines) if view.feeds is None else view.feeds,
        rows=tuple(_row(line, view.days, said, notes) for line in lines[:SHOWN]),
    )


def _row(
    line: Status, days: Mapping[str, tuple[int, ...]], said: Words, notes: Notes
) -> Row:
    states = {
        Health.OK: said.gettext("well"),
        Health.NEW: said.gettext("not read yet"),
        Health.NEVER_WORKED: said.gettext("never read"),
        Health.FAILING: said.gettext("cannot be read"),
        Health.SILENT: said.gettext("silent"),
        Health.GONE: said.gettext("gone"),
        Health.DISABLED: said.gettext("disabled"),
    }
    facts = []
    if line.state is not Health.DISABLED:
        if line.moved_to:
            facts.append(said.gettext("moved"))
        if line.last_success:
            at = {"at": notes.moment(line.last_success)}
            facts.append(said.gettext("read on %(at)s") % at)
    counts = days.get(line.url)
    return Row(
        name=clean(line.outlet),
        url=clean(line.url),
        state=states[line.state],
        well=line.state in (Health.OK, Health.NEW, Health.DISABLED),
        facts=tuple(facts),
        chart=chart(counts, said) if counts else None,
    )
