"""An outlet's older entries, one document after the other, and then a publication.

Every step is recorded with how far it came before the next is taken, under the cycle
lock, which is free in between: a worker goes on meanwhile, and a kill loses a document
at most. What each answer means is for `ways` to say; joining, settling and publishing
are a cycle's. The clock is read by the caller, once, and handed down.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from aggregator import ask, ways
from aggregator.adopt import adopt
from aggregator.bulletin import Rebuilt, republish, tell
from aggregator.config import user_agent
from aggregator.desk import Desk
from aggregator.fetch import Turns, spacing
from aggregator.lock import held
from aggregator.model import (
    Config,
    End,
    Failure,
    Feed,
    Landing,
    Onward,
    Outlet,
    StepTask,
    Way,
)
from aggregator.older import Visitor
from aggregator.recover import recover
from aggregator.sources import sites
from aggregator.store import Store, backfills, pages, polls
from aggregator.urls import canonical, host
from aggregator.wave import second_wave

Stopped = Literal[End, "since", "requests", "waits", "fails", "not_polled"]
"""Why no more is asked of a feed: as `End`; or all is older than was asked for, the
budget is spent, its host wants to be left alone, it fails, or it was never polled."""

_NO_FOLDER = 3  # slashes in the address of a home page of a host of its own
_PATIENCE = 600.0  # seconds a step waits for a cycle: not to lose what it was sent

Progress = Callable[[int, int], None]
"""Told how many requests are made, or not needed, of how many there may be."""


@dataclass(frozen=True, slots=True)
class Line:
    """What came of one feed.

    requests, entries, new_entries, mentions, doubtful: of this call. oldest: the date
    of its oldest entry that any backfill read. failure: where it stopped for one.
    not_before: until when its host wants to be left alone. unread, unread_reason: how
    many documents of all its past were not read, or not whole, and why the first.
    """

    outlet: str
    url: str
    way: Way = ""
    requests: int = 0
    entries: int = 0
    new_entries: int = 0
    mentions: int = 0
    doubtful: int = 0
    oldest: datetime | None = None
    stopped: Stopped = ""
    failure: Failure | None = None
    not_before: datetime | None = None
    unread: int = 0
    unread_reason: str = ""


@dataclass(frozen=True, slots=True)
class Backfilled:
    """What a backfill did: a line for each feed, and what was published after it."""

    lines: tuple[Line, ...]
    rebuilt: Rebuilt


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for: the outlets, from which day on, and requests for each outlet.

    again: from the newest on, as if nothing had been asked before.
    """

    outlets: tuple[Outlet, ...]
    since: datetime
    requests: int
    again: bool = False


def backfill(
    desk: Desk, asked: Asked, now: datetime, progress: Progress | None = None
) -> Backfilled:
    """Read older entries of outlets, then publish; return what came of each feed.

    It goes on where an earlier call ended. The article pages that it wants read are
    left to the next cycles. Raises StoreError, LockHeldError and AggregatorError as
    `cycle` does; what was recorded by then is safe, and the next cycle publishes it.
    """
    config = desk.config
    database = config.storage.database
    with Store(database) as store:
        with held(database, "cycle"):
            restored = _begin(store, desk, asked, now)
        call = _Call(store, config, asked, now, progress)
        lines = call.lines()
        with held(database, "cycle", wait=_PATIENCE):
            second_wave(store, config, (), now)  # of no feed: it weighs, asking nobody
    rebuilt = republish(desk, now, wait=_PATIENCE)
    return Backfilled(lines, replace(rebuilt, restored=restored))


def _begin(store: Store, desk: Desk, asked: Asked, now: datetime) -> int | None:
    """Have the database ready; what was edited is settled first, under the brake.

    So what is new from then on is known to be the backfill's, which the brake lets
    pass. Returns how many stories a lost database got back, as `recover` does.
    """
    restored = recover(store, desk, now)
    adopt(store, desk.config, now)
    tell(store, desk, now)
    with store.transaction():
        for outlet in asked.outlets:
            for feed in _feeds(outlet):
                if live := polls.where(store, feed, now):
                    backfills.begin(store, feed, live, again=asked.again)
    return restored


def _feeds(outlet: Outlet) -> list[Feed]:
    return [Feed(url, outlet) for url in outlet.urls]


@dataclass(slots=True)
class _Trip:
    """One outlet on its way: who asks it, requests left, and what came of each feed.

    A feed is done with for this call once its line says why it stopped.
    """

    visitor: Visitor
    left: int
    lines: dict[Feed, Line]


class _Call:
    """One backfill: outlets at once, each of them a step at a time.

    Steps are taken in threads; this thread alone writes.
    """

    def __init__(
        self,
        store: Store,
        config: Config,
        asked: Asked,
        now: datetime,
        progress: Progress | None,
    ) -> None:
        self._store = store
        self._config = config
        self._asked = asked
        self._now = now
        self._began = time.monotonic()
        self._progress = progress
        polling = config.polling
        self._turns = Turns(spacing(polling), polls.pauses(store, now))
        self._all_homes: dict[Outlet, tuple[str, ...]] | None = None  # when needed

    def lines(self) -> tuple[Line, ...]:
        """Take steps until none is left; return a line for each feed."""
        outlets = self._asked.outlets
        workers = max(1, min(self._config.polling.concurrency, len(outlets)))
        with ExitStack() as stack, ThreadPoolExecutor(workers, "backfill") as pool:
            trips = self._trips(stack)
            flying: dict[Future[Landing], _Trip] = {}
            landed: Iterable[_Trip] = trips
            while True:
                for trip in landed:
                    if task := self._next(trip):
                        flying[pool.submit(trip.visitor.take, task)] = trip
                self._tell(trips)
                if not flying:
                    return tuple(line for trip in trips for line in trip.lines.values())
                done, _ = wait(flying, return_when=FIRST_COMPLETED)
                landed = [flying.pop(future) for future in done]
                for trip, future in zip(landed, done, strict=True):
                    self._land(trip, future.result())

    def _trips(self, stack: ExitStack) -> tuple[_Trip, ...]:
        """Return a trip for each outlet; their connections are closed by the stack."""
        config, outlets = self._config, self._asked.outlets
        known = pages.robots(self._store)
        searching = any(outlet.kind == "search" for outlet in outlets)
        homes = sites(config.outlets) if searching else ()
        return tuple(
            _Trip(
                stack.enter_context(
                    Visitor(
                        config.polling,
                        user_agent(config),
                        self._turns,
                        config.topics,
                        self._now,
                        known,
                        homes,
                    )
                ),
                self._asked.requests,
                {feed: Line(outlet.name, feed.url) for feed in _feeds(outlet)},
            )
            for outlet in outlets
        )

    def _next(self, trip: _Trip) -> StepTask | None:
        """Return the next step of an outlet; None when all its feeds are done with."""
        store, since = self._store, self._asked.since
        at = self._now + timedelta(seconds=int(time.monotonic() - self._began))
        for pause in polls.pauses(store, at):  # a worker may have met others
            self._turns.pause(pause.host, pause.until)
        for feed, line in trip.lines.items():
            if line.stopped:
                continue
            walk = backfills.walk(store, feed)
            step = backfills.following(store, feed, since)
            stopped: Stopped = walk.ended
            if not polls.where(store, feed, self._now):
                stopped = "not_polled"
            elif step is None and not walk.ended:
                stopped = "since"
            elif trip.left <= 0 and not walk.ended:
                stopped = "requests"
            if step and not stopped:
                return StepTask(feed, step, trip.left)
            trip.lines[feed] = replace(line, stopped=stopped)
        for feed, line in trip.lines.items():
            walk = backfills.walk(store, feed)
            unread, why = backfills.unread(store, feed)
            trip.lines[feed] = replace(
                line,
                way=walk.way,
                oldest=walk.oldest,
                unread=unread,
                unread_reason=why,
            )
        return None

    def _land(self, trip: _Trip, landing: Landing) -> None:
        """Record what a step brought, and note why a feed is done with, if it is."""
        feed, config = landing.feed, self._config
        onward = ways.onward(landing, backfills.walk(self._store, feed))
        if landing.sitemap:
            landing = _own(landing, self._homes(feed.outlet))
        with held(config.storage.database, "cycle", wait=_PATIENCE):
            brought = backfills.record(self._store, landing, onward, self._now)
        line = trip.lines[feed]
        trip.left -= landing.requests
        trip.lines[feed] = replace(
            line,
            requests=line.requests + landing.requests,
            entries=line.entries + (len(landing.signs) if onward.keep else 0),
            new_entries=line.new_entries + brought.entries,
            mentions=line.mentions + brought.certain,
            doubtful=line.doubtful + brought.doubtful,
            stopped=_stopped(landing, onward),
            failure=landing.failure if onward.stop else None,
            not_before=landing.not_before,
        )

    def _homes(self, outlet: Outlet) -> Mapping[Outlet, tuple[str, ...]]:
        """Return where an outlet is, and those that share a host with it."""
        if self._all_homes is None:
            self._all_homes = ask.homes(self._store, self._config.outlets)
        own = self._all_homes[outlet]
        hosts = {host(url) for url in own}
        return {
            other: its
            for other, its in self._all_homes.items()
            if other == outlet or not hosts.isdisjoint(map(host, its))
        }

    def _tell(self, trips: Sequence[_Trip]) -> None:
        """Tell how far it is: what an outlet does not need counts as made."""
        if self._progress:
            most = self._asked.requests
            left = sum(
                trip.left
                for trip in trips
                if not all(line.stopped for line in trip.lines.values())
            )
            self._progress(most * len(trips) - left, most * len(trips))


def _own(landing: Landing, homes: Mapping[Outlet, tuple[str, ...]]) -> Landing:
    """Return what a sitemap lists without the articles of other outlets.

    It may be that of a host which several share: then the folders of addresses tell
    whose an article is, and a homepage that is a folder holds all of its outlet's.
    """
    outlet = landing.feed.outlet
    folder = outlet.homepage.rpartition("/")[0] + "/"
    inside = f"{canonical(folder)}/" if folder.count("/") > _NO_FOLDER else ""

    def own(url: str) -> bool:
        if inside and not canonical(url).startswith(inside):
            return False
        return len(homes) == 1 or outlet in ask.nearest(url, homes)

    entries = tuple(entry for entry in landing.entries if own(entry.url))
    others = {entry.id for entry in landing.entries} - {entry.id for entry in entries}
    return replace(
        landing,
        entries=entries,
        mentions=tuple(one for one in landing.mentions if one.entry not in others),
    )


def _stopped(landing: Landing, onward: Onward) -> Stopped:
    """Return why nothing more is asked of a feed after a landing, "" = it goes on."""
    if landing.spent:
        return "requests"
    if landing.not_before:
        return "waits"
    return "fails" if onward.stop else ""
