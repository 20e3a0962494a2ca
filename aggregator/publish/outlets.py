"""The coverage page: which outlets are followed, since when, and where the holes are.

For readers and researchers, who must know what a press list cannot hold. Decides what
is said of each outlet; `pages` puts it into the frame of every page. Lists of the same
in other forms (OPML, CSV) belong here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from aggregator.health import Followed, Window
from aggregator.model import Site
from aggregator.publish.view import clean, web
from aggregator.publish.words import Words, words
from aggregator.text import fold

FOLDER = "outlets/"
OPEN_HOLES = 12  # holes of an outlet shown without a click; a year of monthly ones


@dataclass(frozen=True, slots=True)
class Hole:
    """A time in which articles may have been missed; lasts: it is not over."""

    words: str
    lasts: bool


@dataclass(frozen=True, slots=True)
class Row:
    """What the page says of an outlet. holes, then older ones: the newest first."""

    name: str
    home: str
    facts: tuple[str, ...]
    holes: tuple[Hole, ...]
    older: tuple[Hole, ...]


def rows(site: Site, coverage: Iterable[Followed]) -> tuple[Row, ...]:
    """Return the outlets by name, in whatever order they come."""
    said, zone = words(site.language), ZoneInfo(site.timezone)
    ordered = sorted(coverage, key=lambda one: (fold(one.name), one.name, one.homepage))
    return tuple(_row(one, said, zone) for one in ordered)


def _row(one: Followed, said: Words, zone: ZoneInfo) -> Row:
    newest_first = sorted(
        set(one.windows), key=lambda window: (window.since, window.kind), reverse=True
    )
    newest_first.sort(key=lambda window: window.until is not None)
    holes = tuple(
        Hole(_hole(window, said, zone), lasts=window.until is None)
        for window in newest_first
    )
    return Row(
        name=clean(one.name) or web(one.homepage),
        home=web(one.homepage),
        facts=_facts(one, said, zone),
        holes=holes[:OPEN_HOLES],
        older=holes[OPEN_HOLES:],
    )


def _facts(one: Followed, said: Words, zone: ZoneInfo) -> tuple[str, ...]:
    if one.since is None:
        return (said.gettext("No feed of this outlet has answered yet"),)
    since = said.day(one.since.astimezone(zone))
    followed = said.gettext("Followed since %(day)s") % {"day": since}
    if one.newest_at is None:
        return (followed, said.gettext("no dated article so far"))
    newest = said.day(one.newest_at.astimezone(zone))
    return (followed, said.gettext("newest article: %(day)s") % {"day": newest})


def _hole(window: Window, said: Words, zone: ZoneInfo) -> str:
    when = _span(window.since.astimezone(zone), window.until, said)
    what = {
        "failure": said.gettext("it could not be read"),
        "silence": said.gettext("it answered, but brought nothing new"),
        "gap": said.gettext("articles may have been missed"),
    }
    told = {"when": when, "what": what[window.kind]}
    return said.gettext("%(when)s: %(what)s") % told


def _span(since: datetime, until: datetime | None, said: Words) -> str:
    """Return « Du 3 nov. 2026 au 5 nov. 2026 »; hours only within one day."""
    day = {"since": said.day(since)}
    if until is None:
        return said.gettext("Since %(since)s") % day
    end = until.astimezone(since.tzinfo)
    if since.date() == end.date():
        hours = {"from": f"{since:%H:%M}", "to": f"{end:%H:%M}"}
        return said.gettext("On %(since)s from %(from)s to %(to)s") % (day | hours)
    day["until"] = said.day(end)
    return said.gettext("From %(since)s to %(until)s") % day
