"""Where polls run: tasks to batches, batches to an executor, outcomes as they land.

Pages are read and links followed in the same way, by the same rules.

Only threads so far; another executor needs no more than `submit`. Nothing is stored or
decided here.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from aggregator.config import user_agent
from aggregator.follow import follow
from aggregator.knock import knock
from aggregator.model import (
    Answer,
    Batch,
    Config,
    Failure,
    Link,
    Outcome,
    Page,
    PageBatch,
    PageTask,
    Pause,
    PollTask,
    Robots,
)
from aggregator.poll import poll
from aggregator.read import read
from aggregator.sources import sites
from aggregator.urls import host, site

B = TypeVar("B", bound=Batch | PageBatch)
R = TypeVar("R", bound=Outcome | Page | Link | Answer)
T = TypeVar("T")

log = logging.getLogger("aggregator")

BATCH = 20  # feeds at most in one batch (DESIGN.md §2)
_PAGES = 10  # of one host in one batch: what came is stored when it lands
_PER_THREAD = 4  # batches for each thread, so that a slow one does not hold up the rest


def plan(
    tasks: Sequence[PollTask],
    config: Config,
    now: datetime,
    pauses: Iterable[Pause] = (),
) -> tuple[Batch, ...]:
    """Return the batches to submit: a host's feeds together, the others up to 20.

    A host's batches go one after the other, so the hosts with most feeds, which take
    longest, come first. pauses: of the hosts that are not to be asked.
    """
    hosts: defaultdict[str, list[PollTask]] = defaultdict(list)
    for task in tasks:
        hosts[host(task.url)].append(task)
    polling = config.polling
    searching = any(task.feed.outlet.kind == "search" for task in tasks)
    basis = Batch(
        (),
        config.topics,
        polling,
        user_agent(config),
        now,
        pauses=tuple(pauses),
        sites=sites(config.outlets) if searching else (),
    )
    shared = [(name, group) for name, group in hosts.items() if len(group) > 1]
    shared.sort(key=lambda pair: len(pair[1]), reverse=True)
    batches = [
        replace(
            basis,
            tasks=part,
            host=name,
            lanes=min(polling.per_host, polling.concurrency, len(part)),
            resumed=number > 0,
        )
        for name, group in shared
        for number, part in enumerate(_parts(group, BATCH))
    ]
    single = [group[0] for group in hosts.values() if len(group) == 1]
    size = len(single) // (_PER_THREAD * polling.concurrency)
    size = max(1, min(BATCH, size))
    batches += [replace(basis, tasks=part) for part in _parts(single, size)]
    return tuple(batches)


def _parts(tasks: Sequence[T], size: int) -> Iterator[tuple[T, ...]]:
    for start in range(0, len(tasks), size):
        yield tuple(tasks[start : start + size])


def outcomes(
    batches: Iterable[Batch], concurrency: int, stop: threading.Event | None = None
) -> Iterator[tuple[Outcome, ...]]:
    """Yield the outcomes of each batch as it ends.

    At most `concurrency` requests are under way at once, and one batch of a host; a
    host that wants to be left alone is left alone by all batches submitted later.
    stop: once it is set no more are submitted, and those under way end soon.
    """
    return _flown(poll, batches, _lost_outcomes, concurrency, stop)


def pages(
    tasks: Sequence[PageTask],
    config: Config,
    now: datetime,
    known: tuple[Robots, ...],
    pauses: tuple[Pause, ...],
    stop: threading.Event,
) -> Iterator[tuple[Page, ...]]:
    """Yield what article pages bring, a batch of one host at a time, as it ends.

    tasks: those to be read first come first. known: robots.txt files by site. pauses,
    stop: as for polls.
    """
    batches = _by_host(tasks, config, now, pauses, known)
    return _flown(read, batches, _lost_pages, config.polling.concurrency, stop)


def links(
    tasks: Sequence[PageTask],
    config: Config,
    now: datetime,
    pauses: tuple[Pause, ...],
    stop: threading.Event,
) -> Iterator[tuple[Link, ...]]:
    """Yield where links lead; everything as for `pages`."""
    batches = _by_host(tasks, config, now, pauses)
    return _flown(follow, batches, _lost_links, config.polling.concurrency, stop)


def answers(
    tasks: Sequence[PageTask],
    config: Config,
    now: datetime,
    known: tuple[Robots, ...],
    pauses: tuple[Pause, ...],
    stop: threading.Event,
) -> Iterator[tuple[Answer, ...]]:
    """Yield whether addresses answer; everything as for `pages`."""
    batches = _by_host(tasks, config, now, pauses, known)
    return _flown(knock, batches, _lost_answers, config.polling.concurrency, stop)


def _of_site(url: str, robots: Iterable[Robots]) -> tuple[Robots, ...]:
    """Return the robots.txt files of an address's site, all its hosts together."""
    own = site(url)
    return tuple(one for one in robots if site(one.site) == own)


def _by_host(
    tasks: Sequence[PageTask],
    config: Config,
    now: datetime,
    pauses: tuple[Pause, ...],
    known: tuple[Robots, ...] = (),
) -> list[PageBatch]:
    """Return batches of one host each; known: robots.txt files by site."""
    hosts: defaultdict[str, list[PageTask]] = defaultdict(list)
    for task in tasks:
        hosts[host(task.url)].append(task)
    basis = PageBatch((), "", config.polling, user_agent(config), now, pauses=pauses)
    return [
        replace(basis, tasks=part, host=name, robots=_of_site(part[0].url, known))
        for name, group in hosts.items()
        for part in _parts(group, _PAGES)
    ]


def _flown(
    visit: Callable[[B, threading.Event], tuple[R, ...]],
    batches: Iterable[B],
    lost: Callable[[B, Failure], tuple[R, ...]],
    concurrency: int,
    stop: threading.Event | None,
) -> Iterator[tuple[R, ...]]:
    """Yield what `visit` brings of each batch; lost: in place of one that raised."""
    stop = stop or threading.Event()
    waiting = list(batches)
    flying: dict[Future[tuple[R, ...]], B] = {}
    notes = _Notes()
    pool = ThreadPoolExecutor(concurrency, thread_name_prefix=visit.__name__)
    try:
        while True:
            while not stop.is_set():
                place = _next(waiting, flying.values(), concurrency)
                if place is None:
                    break
                sent = notes.brief(waiting.pop(place))
                flying[pool.submit(visit, sent, stop)] = sent
            if not flying:
                return
            done, _ = wait(flying, return_when=FIRST_COMPLETED)
            for future in done:
                batch = flying.pop(future)
                try:
                    landed = future.result()
                except Exception as exc:
                    # our own fault, and it stays loud
                    asked = [task.url for task in batch.tasks]
                    log.exception("fault in %s urls=%s", visit.__name__, asked)
                    failure = Failure("ours", f"fault of this program: {exc!r}")
                    landed = lost(batch, failure)
                notes.hear(landed)
                yield landed
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class _Notes:
    """What batches that landed learnt, for those that are sent after them."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._pauses: list[Pause] = []
        self._robots: list[Robots] = []

    def hear(self, landed: Iterable[Outcome | Page | Link | Answer]) -> None:
        """Note which hosts want to be left alone, and what robots.txt files say."""
        for one in landed:
            if one.paused_host and one.not_before:
                self._pauses.append(Pause(one.paused_host, one.not_before))
            if isinstance(one, Page | Answer):
                self._robots += one.robots

    def brief(self, batch: B) -> B:
        """Return a batch that knows all that was heard."""
        told = replace(batch, pauses=(*batch.pauses, *self._pauses))
        if isinstance(told, PageBatch):
            new = _of_site(told.tasks[0].url, self._robots)
            return replace(told, robots=told.robots + new)
        return replace(told, late=time.monotonic() - self._began)


def _lost_outcomes(batch: Batch, failure: Failure) -> tuple[Outcome, ...]:
    return tuple(
        Outcome(
            task.feed,
            batch.now,
            task.validators,
            task.body_hash,
            failure=failure,
            url=task.url,
        )
        for task in batch.tasks
    )


def _lost_pages(batch: PageBatch, failure: Failure) -> tuple[Page, ...]:
    return tuple(Page(task.page, batch.now, failure=failure) for task in batch.tasks)


def _lost_answers(batch: PageBatch, failure: Failure) -> tuple[Answer, ...]:
    return tuple(Answer(task.page, batch.now, failure=failure) for task in batch.tasks)


def _lost_links(batch: PageBatch, failure: Failure) -> tuple[Link, ...]:
    return tuple(Link(task.page, batch.now, failure=failure) for task in batch.tasks)


def _next(waiting: Sequence[B], flying: Collection[B], concurrency: int) -> int | None:
    """Return which batch goes next; None: none may go before another lands.

    One whose host is being asked lets others pass. One that is too wide for now does
    not, or narrow ones would keep it waiting to the end.
    """
    busy = {batch.host for batch in flying if batch.host}
    free = concurrency - sum(batch.lanes for batch in flying)
    for position, batch in enumerate(waiting):
        if batch.host not in busy:
            fits = batch.lanes <= free or not flying
            return position if fits else None
    return None
