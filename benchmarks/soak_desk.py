"""What the desk of a soak must tell, worked out again from the log of its polls.

The rules are those of `health`, written down once more in the plainest way: a feed that
fails is told, and that it is back; the third time in a week it is called unsteady, and
that is all. A failure that may be this machine's own fault is told once an outlet was
reached in the same cycle, or since the feed began to fail.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import feedparser
from soak_checks import Request, polls
from soak_world import DOUBT, Site, identifier

NEWEST = 100  # events in desk.atom
TOLD_TWICE = 2  # failures, after which the next one is unsteadiness
FAILURES = {"fails", "gone", "recovered", "unsteady"}
GONE = 410


@dataclass(frozen=True)
class Poll:
    """A line of the log of polls. at: of its cycle, by the clock of the worker."""

    at: int
    url: str
    status: int | None
    error: str


@dataclass(frozen=True)
class Event:
    """What was told."""

    id: int
    at: int
    kind: str
    subject: str
    outlet: str


@dataclass
class Feed:
    """What a feed was told to be last, and how often that was not well."""

    known: str = "recovered"
    bad: int = 0
    since: int | None = None


def read(database: Path) -> tuple[list[Poll], list[Event]]:
    """Return the log of polls as it was written, and the events in their order."""
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as db:
        logged = db.execute(
            "SELECT p.at, f.url, p.http_status, p.error FROM polls p"
            " JOIN feeds f ON f.id = p.feed ORDER BY p.rowid"
        )
        told = "SELECT id, at, kind, subject, outlet FROM events ORDER BY at, id"
        return [Poll(*row) for row in logged], [Event(*row) for row in db.execute(told)]


def failures(logged: Iterable[Poll]) -> dict[str, list[str]]:
    """Return the events that the failures of a log call for, by feed, in order."""
    feeds: defaultdict[str, Feed] = defaultdict(Feed)
    found: defaultdict[str, list[str]] = defaultdict(list)
    reached = 0  # when any feed last answered
    for at, group in groupby(logged, key=lambda poll: poll.at):
        cycle = list(group)
        answered = any(poll.status is not None for poll in cycle)
        reached = max(reached, at) if answered else reached
        for poll in cycle:
            feed = feeds[poll.url]
            feed.since = (feed.since or at) if poll.error else None
            kind = _kind(poll, feed, answered=answered, reached=reached)
            if kind:
                found[poll.url].append(kind)
                feed.known = kind
                feed.bad += kind in ("fails", "gone")
    return found


def _kind(poll: Poll, feed: Feed, *, answered: bool, reached: int) -> str:
    """Return what is to be told of a poll, "" for nothing."""
    if not poll.error:
        return "recovered" if feed.known in ("fails", "gone") else ""
    if poll.status == GONE:
        return "gone" if feed.known != "gone" else ""
    since = feed.since or poll.at
    ours = poll.status is None and not answered
    if feed.known != "recovered" or (ours and (since == poll.at or reached < since)):
        return ""
    return "unsteady" if feed.bad >= TOLD_TWICE else "fails"


def told_wrongly(logged: Iterable[Poll], told: Iterable[Event]) -> list[str]:
    """Name the feeds of which something else was told than what happened."""
    wanted = failures(logged)
    found: defaultdict[str, list[str]] = defaultdict(list)
    for event in told:
        if event.kind in FAILURES:
            found[event.subject].append(event.kind)
    return [
        f"{url}: {' '.join(found[url])}; expected: {' '.join(wanted[url])}"
        for url in sorted({*wanted, *found})
        if wanted[url] != found[url]
    ]


def invented(
    sites: Sequence[Site], logged: Iterable[Poll], epoch: int, late: float, day: int
) -> list[str]:
    """Name the failures of outlets that answered well.

    epoch: when the soak began; late: how long after its cycle a feed may be asked; day:
    by how much the clock was set back.
    """
    hosts = {site.host: site for site in sites}
    breaches = []
    for poll in logged:
        if poll.error:
            at = poll.at - epoch + (day if poll.at < epoch - day / 2 else 0)
            site = hosts[poll.url.split("/")[2].rpartition(":")[0]]
            if not any(f.start - late <= at <= f.end + 1 for f in site.faults):
                breaches.append(f"{poll.url} at {at}: {poll.error}")
    return breaches


def gaps(log: Iterable[Request], told: Iterable[Event]) -> list[str]:
    """Name the feeds whose gaps were not told, or told without there being one.

    A gap is a document that has nothing in common with the one before. After one that
    was cut short nobody knows what was seen of it, so one may be told or not.
    """
    seen = {path: [*_gaps(asked)] for path, asked in polls(log).items()}
    found: defaultdict[str, int] = defaultdict(int)
    for event in told:
        if event.kind == "gap":
            found["/" + event.subject.split("/", 3)[3]] += 1
    return [
        f"{path}: {found[path]} gaps told, {sum(sure)} to {len(sure)} seen"
        for path, sure in seen.items()
        if not sum(sure) <= found[path] <= len(sure)
    ]


def _gaps(asked: Iterable[Request]) -> Iterator[bool]:
    """Yield for each gap whether all was seen that was listed before it."""
    beyond, sure = None, True
    for request in asked:
        if request.listed:
            first, after = request.listed
            if not request.whole:
                sure = False
                continue
            if beyond is not None and first >= beyond:
                yield sure
            beyond, sure = after, True


def doubts(
    sites: Sequence[Site], keys: Iterable[str], told: Iterable[Event]
) -> list[str]:
    """Tell whether each stored doubtful mention was told once."""
    doubtful = {
        identifier(article)
        for site in sites
        for source in site.sources
        for article in source.articles
        if DOUBT in article.title
    }
    wanted = len(doubtful & set(keys))
    found = sum(event.kind == "waits" for event in told)
    return [] if wanted == found else [f"{found} told, {wanted} stored"]


def feed(path: Path, told: Sequence[Event]) -> list[str]:
    """Hold desk.atom against the newest of the events."""
    document = feedparser.parse(path.read_bytes())
    shown = {
        entry.get("id", "").rpartition("-")[2]: entry for entry in document.entries
    }
    newest = sorted(told, key=lambda event: (event.at, event.id), reverse=True)[:NEWEST]
    breaches = [f"desk.atom: {document.bozo_exception}"] if document.bozo else []
    if len(document.entries) != len(newest):
        breaches.append(f"{len(document.entries)} entries, not {len(newest)}")
    for event in newest:
        entry = shown.get(str(event.id))
        if entry is None or event.outlet not in entry.title or not entry.get("updated"):
            breaches.append(f"{event.kind} of {event.subject} is not there")
    return breaches
