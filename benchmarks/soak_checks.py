"""What a soak must have kept to, held against the log of its outlets. Pure.

Each check returns a line for every breach, an empty list when there is none. Times are
seconds since the start of the soak; DAY has been added where the clock was set back.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

from soak_world import LONG_AGO, TOPIC, Scale, Site, Source, identifier

PER_HOST = 2  # polling.per_host as shipped
REDIRECTS = {301, 308}
GONE = 410
SLACK = 2.0  # seconds: a cycle counts whole ones, and so does what it came late
_KNOWN = ("if-none-match", "if-modified-since")


@dataclass(frozen=True)
class Request:
    """A line of the server's log. asked, told: ETag and Last-Modified."""

    at: float
    until: float
    host: str
    path: str
    status: int
    fault: str
    asked: tuple[str, str]
    told: tuple[str, str]
    retry_after: int
    max_age: int
    listed: tuple[int, int] | None
    whole: bool

    @property
    def document(self) -> bool:
        """Tell whether it brought a document, whole."""
        return self.listed is not None and self.whole


@dataclass(frozen=True)
class Sample:
    """What the worker and its children took: PSS in MB, of the worker alone too."""

    at: float
    pss: float
    own: float
    files: int
    threads: int
    processes: int


def requests(log: Path) -> list[Request]:
    """Return the server's log in order of time."""
    lines = log.read_text(encoding="utf-8").splitlines()
    return sorted(map(_request, lines), key=lambda one: one.at)


def _request(line: str) -> Request:
    seen = json.loads(line)
    told = seen.get("told", {})
    listed = seen.get("listed")
    return Request(
        at=seen["at"],
        until=seen["until"],
        host=seen["host"],
        path=seen.get("path", ""),
        status=seen["status"],
        fault=seen.get("kind", ""),
        asked=(seen.get(_KNOWN[0], ""), seen.get(_KNOWN[1], "")),
        told=(told.get("ETag", ""), told.get("Last-Modified", "")),
        retry_after=int(told.get("Retry-After") or 0),
        max_age=int(told.get("Cache-Control", "").rpartition("=")[2] or 0),
        listed=(listed[0], listed[1]) if listed else None,
        whole=seen.get("whole", False),
    )


def polls(log: Iterable[Request]) -> dict[str, list[Request]]:
    """Return the last request of each poll by the path of its feed."""
    found: dict[str, list[Request]] = defaultdict(list)
    for request in log:
        if request.status not in REDIRECTS:
            found[request.path].append(request)
    return found


# ── nothing is missed, nothing is there twice ─────────────────────────────────────────


def unstored(
    sites: Sequence[Site], log: Iterable[Request], stored: dict[str, set[str]]
) -> list[str]:
    """Name the articles that were sent in a whole document and are not stored."""
    sources = {source.path: source for site in sites for source in site.sources}
    breaches = []
    for path, asked in polls(log).items():
        sent = {number for one in asked if one.document for number in _numbers(one)}
        breaches += [
            f"{path}: article {number} was sent, not stored"
            for number in sorted(sent)
            if identifier(sources[path].articles[number]) not in stored[path]
        ]
    return breaches


def missed(
    sites: Sequence[Site],
    closed: Sequence[tuple[float, float]],
    stored: dict[str, set[str]],
    scale: Scale,
    late: float,
) -> tuple[list[str], int]:
    """Name the articles nobody came for; count those that nobody could.

    An article could be had when it was listed for long enough while its outlet answered
    and our clock was right: `slowest` with its jitter, and `late` seconds for the cycle
    itself. closed: when it was not.
    """
    bound = scale.slowest * 1.1 + late
    breaches, gone = [], 0
    for site in sites:
        spans = list(_open(site, closed, scale.length))
        for source in site.sources:
            for number, article in enumerate(source.articles):
                until = min(source.until(number), scale.length)
                if until <= 0 or article.at >= scale.length:
                    continue
                if identifier(article) in stored[source.path]:
                    continue
                best = max(min(until, e) - max(article.at, s) for s, e in spans)
                if best >= bound:
                    breaches.append(f"{source.path}: article {number}, {best:.0f} s")
                elif until < scale.length:
                    gone += 1
    return breaches, gone


def _open(
    site: Site, closed: Sequence[tuple[float, float]], length: int
) -> Iterator[tuple[float, float]]:
    """Yield the spans in which an outlet could be read."""
    bad = [
        (f.start, f.end) for f in site.faults if f.kind not in ("moved", "elsewhere")
    ]
    at = 0.0
    for start, end in sorted([*bad, *closed, (length, float("inf"))]):
        yield at, max(at, min(start, length))
        at = max(at, end)


def untold(
    sites: Sequence[Site], rows: Mapping[str, Iterable[tuple[str, str]]]
) -> list[str]:
    """Name the stored mentions that no story tells, or several do.

    rows: key and story of every stored entry by the path of its feed.
    """
    told: dict[str, set[str]] = defaultdict(set)
    for path, entries in rows.items():
        keys = [key for key, _ in entries]
        for key, story in entries:
            told[key].add(story)
            if keys.count(key) > 1:
                told[key].add(f"twice in {path}")
    mentions = {
        identifier(article)
        for site in sites
        for source in site.sources
        for article in source.articles
        if TOPIC in article.title
    }
    return [
        f"{key}: in stories {sorted(stories)}"
        for key, stories in told.items()
        if len(stories) != 1 or (key in mentions) > (stories != {""})
    ]


def delays(sites: Sequence[Site], log: Iterable[Request]) -> list[float]:
    """Return how long each article published during the soak waited to be fetched."""
    found = []
    by_path = polls(log)
    for source in (source for site in sites for source in site.sources):
        seen = 0
        for request in by_path.get(source.path, ()):
            if request.document:
                fresh = [n for n in _numbers(request) if n >= seen]
                found += [
                    request.at - source.articles[n].at
                    for n in fresh
                    if source.articles[n].at >= 0
                ]
                seen = max(seen, *(n + 1 for n in _numbers(request)))
    return found


def _numbers(request: Request) -> range:
    assert request.listed
    return range(*request.listed)


# ── politeness ────────────────────────────────────────────────────────────────────────


def unconditional(
    sites: Sequence[Site], log: Iterable[Request]
) -> tuple[list[str], int]:
    """Name the polls without the validators that were known; count the doubts.

    One request without them is allowed where a feed answers 304 long after its last
    article; the next document makes them known again.
    """
    sources = {source.path: source for site in sites for source in site.sources}
    breaches, doubts = [], 0
    for path, asked in polls(log).items():
        known, doubted = ("", ""), False
        for request in asked:
            if request.asked == ("", "") != known and _asleep(sources[path]):
                if doubted:
                    breaches.append(f"{path} at {request.at:.0f}: doubted again")
                doubts += not doubted
                doubted, known = True, ("", "")
            elif request.asked != known:
                said = f"{request.asked}, not {known}"
                breaches.append(f"{path} at {request.at:.0f}: {said}")
            if request.document:
                known = request.told
    return breaches, doubts


def _asleep(source: Source) -> bool:
    return source.times[-1] <= -LONG_AGO


def hasty(
    sites: Sequence[Site],
    log: Iterable[Request],
    closed: Sequence[tuple[float, float]],
    scale: Scale,
) -> list[str]:
    """Name the polls that came before `fastest`, a declared freshness or ttl was over.

    closed: when our clock was wrong; across that nothing can be said.
    """
    sources = {source.path: source for site in sites for source in site.sources}
    breaches = []
    for path, asked in polls(log).items():
        ttl = 0
        for one, other in pairwise(asked):
            if one.document:
                ttl = sources[path].ttl * 60
            wait = max(scale.fastest, one.max_age, ttl if not one.fault else 0)
            wait = min(wait, scale.slowest)
            early = wait - SLACK - (other.at - one.at)
            across = any(one.at <= end and other.at >= start for start, end in closed)
            if early > 0 and not across:
                breaches.append(
                    f"{path} at {other.at:.1f}: {early + SLACK:.1f} s before its time"
                )
    return breaches


def pressing(log: Sequence[Request]) -> list[str]:
    """Name the requests to a host that asked to wait, before that was over.

    What was sent before its answer could be read does not count.
    """
    until: dict[str, float] = {}
    told: dict[str, float] = {}
    breaches = []
    for request in log:
        paused = until.get(request.host, 0.0)
        if request.at < paused - SLACK and request.at > told[request.host] + SLACK:
            breaches.append(
                f"{request.path} at {request.at:.1f}: {request.host} asked to wait "
                f"until {paused:.1f}"
            )
        if request.retry_after:
            until[request.host] = max(paused, request.at + request.retry_after)
            told[request.host] = request.until
    return breaches


def crowded(log: Iterable[Request]) -> list[str]:
    """Name the moments at which a host was asked more than `per_host` things."""
    flying: dict[str, list[float]] = defaultdict(list)
    breaches = []
    for request in log:
        now = [end for end in flying[request.host] if end > request.at]
        flying[request.host] = [*now, request.until]
        if len(now) >= PER_HOST:
            breaches.append(f"{request.host} at {request.at:.1f}: {len(now) + 1}")
    return breaches


def disturbed(log: Iterable[Request]) -> list[str]:
    """Name the requests to a feed after it said that it is gone."""
    gone: set[str] = set()
    breaches = []
    for request in log:
        if request.path in gone:
            breaches.append(f"{request.path} at {request.at:.1f}")
        if request.status == GONE:
            gone.add(request.path)
    return breaches


# ── the machine ───────────────────────────────────────────────────────────────────────


def doubled(cycles: Sequence[tuple[float, float]]) -> list[str]:
    """Name the cycles that began before the one before them had ended."""
    return [
        f"cycle at {later[0]:.1f} began before {sooner[1]:.1f}"
        for sooner, later in pairwise(sorted(cycles))
        if later[0] < sooner[1]
    ]


def stopped(
    cycles: Sequence[tuple[float, float]], end: float, longest: float
) -> list[str]:
    """Name the times longer than `longest` in which no cycle began."""
    begins = sorted(start for start, _ in cycles)
    return [
        f"no cycle for {later - sooner:.0f} s from {sooner:.0f} on"
        for sooner, later in pairwise([0.0, *begins, end])
        if later - sooner > longest
    ]


def grown(samples: Sequence[Sample], length: float) -> list[str]:
    """Tell whether memory or open files grew between the second and the last quarter.

    Growth of a tenth, and of 5 MB or 5 files, is what one moment differs by.
    """
    breaches = []
    for name, slack in (("pss", 5.0), ("own", 5.0), ("files", 5.0), ("threads", 5.0)):
        quarters = [
            [getattr(one, name) for one in samples if at <= one.at < at + length / 4]
            for at in (length / 4, length * 3 / 4)
        ]
        if not all(quarters):
            return ["too few samples"]
        before, after = map(median, quarters)
        if after > before * 1.1 + slack:
            breaches.append(f"{name}: {before:.0f}, later {after:.0f}")
    return breaches
