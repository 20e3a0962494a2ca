"""What is asked from one place: the due feeds of a host together, or pages of a host.

Pure: batches are values, and where they are carried out may not enter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, TypeVar

from aggregator.config import user_agent
from aggregator.model import (
    Batch,
    Config,
    PageBatch,
    PageTask,
    Pause,
    PollTask,
    Robots,
)
from aggregator.sources import sites
from aggregator.urls import host, site

B = TypeVar("B", bound=Batch | PageBatch)
T = TypeVar("T")

BATCH: Final = 20  # feeds at most in one batch (DESIGN.md §2)
_PAGES: Final = 10  # of one host in one batch: what came is stored when it lands
_PER_THREAD: Final = 4  # batches for each, so that a slow one does not hold up the rest
_LAST: Final = 4  # the last quarter goes in halves: all end at about the same time


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
    searching = any(map(_searches, tasks))
    homes = sites(config.outlets) if searching else ()
    basis = Batch(
        (), config.topics, polling, user_agent(config), now, pauses=tuple(pauses)
    )

    def batch(part: tuple[PollTask, ...]) -> Batch:
        # where all outlets live is long, and travels with the batches that need it
        return replace(
            basis, tasks=part, sites=homes if any(map(_searches, part)) else ()
        )

    shared = [(name, group) for name, group in hosts.items() if len(group) > 1]
    shared.sort(key=lambda pair: len(pair[1]), reverse=True)
    batches = [
        replace(
            batch(part),
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
    long = len(single) - len(single) // _LAST
    batches += map(batch, _parts(single[:long], size))
    batches += map(batch, _parts(single[long:], max(1, size // 2)))
    return tuple(batches)


def by_host(
    tasks: Sequence[PageTask],
    config: Config,
    now: datetime,
    pauses: tuple[Pause, ...],
    known: tuple[Robots, ...] = (),
) -> list[PageBatch]:
    """Return batches of pages of one host each; known: robots.txt files by site."""
    hosts: defaultdict[str, list[PageTask]] = defaultdict(list)
    for task in tasks:
        hosts[host(task.url)].append(task)
    basis = PageBatch((), "", config.polling, user_agent(config), now, pauses=pauses)
    return [
        replace(basis, tasks=part, host=name, robots=of_site(part[0].url, known))
        for name, group in hosts.items()
        for part in _parts(group, _PAGES)
    ]


def of_site(url: str, robots: Iterable[Robots]) -> tuple[Robots, ...]:
    """Return the robots.txt files of an address's site, all its hosts together."""
    own = site(url)
    return tuple(one for one in robots if site(one.site) == own)


def alone(batch: B) -> list[B]:
    """Return a batch for each task of one that was lost on its way, in its order.

    Its host may have been asked a moment ago.
    """
    if isinstance(batch, PageBatch):
        return [replace(batch, tasks=(task,)) for task in batch.tasks]
    again = bool(batch.host)
    return [
        replace(batch, tasks=(task,), lanes=1, resumed=again) for task in batch.tasks
    ]


def _searches(task: PollTask) -> bool:
    return task.feed.outlet.kind == "search"


def _parts(tasks: Sequence[T], size: int) -> Iterator[tuple[T, ...]]:
    for start in range(0, len(tasks), size):
        yield tuple(tasks[start : start + size])
