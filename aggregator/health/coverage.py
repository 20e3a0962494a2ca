"""What readers may know of the outlets that are followed, and of the holes. Pure.

It is decided once a day and kept as text, since publishing reads no clock.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from aggregator.health.events import FAILURE, SILENCE, Event, Kind
from aggregator.health.news import Gap
from aggregator.health.status import Record
from aggregator.model import FeedKind, Outlet

_COLUMNS = 7  # of a row as text
_BRIEF = timedelta(days=1)  # a failure that is over sooner is no hole


@dataclass(frozen=True, slots=True)
class Window:
    """A span in which articles may have been missed; until None = it lasts.

    kind: "failure", the outlet could not be read; "silence", it answered but brought
    nothing for far longer than usual; "gap", entries may have come and gone between two
    polls.
    """

    kind: Literal["failure", "silence", "gap"]
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Followed:
    """An outlet on the coverage page. since: None while none of its feeds answered.

    feeds: the addresses that are polled, each with its kind.
    """

    name: str
    homepage: str
    since: datetime | None
    newest_at: datetime | None
    windows: tuple[Window, ...] = ()
    language: str = ""
    feeds: tuple[tuple[str, FeedKind], ...] = ()


def coverage(
    outlets: Iterable[Outlet],
    records: Mapping[str, Record],
    events: Iterable[Event],
    gaps: Iterable[Gap],
    now: datetime,
) -> tuple[Followed, ...]:
    """Return the outlets that are followed, by name, with their holes in order of time.

    events: of failures and silences, all there were. What overlaps in several feeds of
    an outlet is one hole. A failure counts from the last good poll before it.
    """
    told: defaultdict[str, list[Event]] = defaultdict(list)
    for event in sorted(events, key=lambda one: one.at):
        told[event.subject].append(event)
    holes: defaultdict[str, list[Window]] = defaultdict(list)
    for url, its in told.items():
        holes[url] += _failures(its, now)
        holes[url] += _spans("silence", [e for e in its if e.kind in SILENCE])
    for gap in gaps:
        holes[gap.url].append(Window("gap", gap.since or gap.until, gap.until))
    enabled = sorted(
        (outlet for outlet in outlets if outlet.enabled),
        key=lambda outlet: (outlet.name.casefold(), outlet.name),
    )
    return tuple(_followed(outlet, records, holes) for outlet in enabled)


def _followed(
    outlet: Outlet,
    records: Mapping[str, Record],
    holes: Mapping[str, Sequence[Window]],
) -> Followed:
    known = [records[url] for url in outlet.urls if url in records]
    began = [record.since for record in known if record.success_at and record.since]
    newest = [record.newest_at for record in known if record.newest_at]
    windows = [window for url in outlet.urls for window in holes.get(url, ())]
    return Followed(
        name=outlet.name,
        homepage=outlet.homepage or next((r.home for r in known if r.home), ""),
        since=min(began, default=None),
        newest_at=max(newest, default=None),
        windows=tuple(_merged(windows)),
        language=outlet.language,
        feeds=tuple((url, outlet.kind) for url in outlet.urls),
    )


def continued(
    rows: Iterable[Followed], before: Iterable[Followed], until: datetime
) -> tuple[Followed, ...]:
    """Return the rows with what was known of the same outlets before.

    until: when that knowledge was lost. What lasted then is known no longer than that,
    unless it is seen to last.
    """
    known = {one.name: one for one in before}
    return tuple(_continued(one, known.get(one.name), until) for one in rows)


def _continued(one: Followed, before: Followed | None, until: datetime) -> Followed:
    if before is None:
        return one
    lasting = {window.kind for window in one.windows if window.until is None}
    earlier = [
        window
        if window.until or window.kind in lasting
        else replace(window, until=max(window.since, until))
        for window in before.windows
    ]
    return replace(
        one,
        homepage=one.homepage or before.homepage,
        since=min(filter(None, (one.since, before.since)), default=None),
        newest_at=max(filter(None, (one.newest_at, before.newest_at)), default=None),
        windows=tuple(_merged([*earlier, *one.windows])),
    )


def _failures(events: Iterable[Event], now: datetime) -> Iterator[Window]:
    """Yield the failures that lasted, not the hours of a feed that comes and goes."""
    its = [e for e in events if e.kind in FAILURE and e.kind is not Kind.UNSTEADY]
    for window in _spans("failure", its):
        if (window.until or now) - window.since >= _BRIEF:
            yield window


def _spans(
    kind: Literal["failure", "silence"], events: Iterable[Event]
) -> Iterator[Window]:
    """Yield a window from each event that starts something to the one that ends it."""
    since: datetime | None = None
    for event in events:
        if event.kind in (Kind.RECOVERED, Kind.SPEAKS):
            if since:
                yield Window(kind, since, event.at)
            since = None
        elif since is None:
            since = event.since or event.at
    if since:
        yield Window(kind, since, None)


def _merged(windows: Iterable[Window]) -> list[Window]:
    """Return the windows by their start, those of one kind that overlap as one."""
    found: dict[str, list[Window]] = {"failure": [], "silence": [], "gap": []}
    for window in sorted(windows, key=lambda one: one.since):
        its = found[window.kind]
        last = its[-1] if its else None
        if last is None or (last.until and last.until < window.since):
            its.append(window)
        elif last.until:
            until = window.until and max(last.until, window.until)
            its[-1] = replace(last, until=until)
    every = [window for its in found.values() for window in its]
    return sorted(every, key=lambda one: one.since)


# ── kept as text ──────────────────────────────────────────────────────────────────────


def as_text(followed: Iterable[Followed]) -> str:
    """Return the rows as JSON, times as whole epoch seconds."""
    return json.dumps(
        [
            [
                one.name,
                one.homepage,
                _seconds(one.since),
                _seconds(one.newest_at),
                [[w.kind, _seconds(w.since), _seconds(w.until)] for w in one.windows],
                one.language,
                one.feeds,
            ]
            for one in followed
        ],
        ensure_ascii=False,
    )


def from_text(text: str) -> tuple[Followed, ...]:
    """Return the rows that `as_text` wrote; () for no text.

    It once wrote rows without language and feeds.
    """
    return tuple(
        Followed(
            name,
            homepage,
            _instant(since),
            _instant(newest_at),
            tuple(Window(k, _at(start), _instant(end)) for k, start, end in windows),
            language,
            tuple((url, kind) for url, kind in feeds),
        )
        for row in json.loads(text or "[]")
        for name, homepage, since, newest_at, windows, language, feeds in [
            [*row, "", []][:_COLUMNS]
        ]
    )


def _seconds(at: datetime | None) -> int | None:
    return None if at is None else int(at.timestamp())


def _at(value: int) -> datetime:
    return datetime.fromtimestamp(value, UTC)


def _instant(value: int | None) -> datetime | None:
    return None if value is None else _at(value)
