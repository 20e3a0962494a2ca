"""Where polls run: tasks to batches, batches to an executor, outcomes as they land.

Only threads so far; another executor needs no more than `submit`. Nothing is stored or
decided here.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import datetime

from aggregator.config import user_agent
from aggregator.model import Batch, Config, Failure, Outcome, Pause, PollTask
from aggregator.poll import poll
from aggregator.sources import sites
from aggregator.urls import host

log = logging.getLogger("aggregator")

BATCH = 20  # feeds at most in one batch (DESIGN.md §2)
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


def _parts(tasks: Sequence[PollTask], size: int) -> Iterator[tuple[PollTask, ...]]:
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
    stop = stop or threading.Event()
    waiting = list(batches)
    flying: dict[Future[tuple[Outcome, ...]], Batch] = {}
    learnt: list[Pause] = []
    pool = ThreadPoolExecutor(concurrency, thread_name_prefix="poll")
    try:
        while True:
            while not stop.is_set() and (
                batch := _next(waiting, flying.values(), concurrency)
            ):
                sent = replace(batch, pauses=(*batch.pauses, *learnt))
                flying[pool.submit(poll, sent, stop)] = sent
            if not flying:
                return
            done, _ = wait(flying, return_when=FIRST_COMPLETED)
            for future in done:
                landed = _landed(future, flying.pop(future))
                learnt += [
                    Pause(outcome.paused_host, outcome.not_before)
                    for outcome in landed
                    if outcome.paused_host and outcome.not_before
                ]
                yield landed
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _next(
    waiting: list[Batch], flying: Collection[Batch], concurrency: int
) -> Batch | None:
    """Take the next batch out of `waiting`; None: none may go before another lands.

    One whose host is being asked lets others pass. One that is too wide for now does
    not, or narrow ones would keep it waiting to the end.
    """
    busy = {batch.host for batch in flying if batch.host}
    free = concurrency - sum(batch.lanes for batch in flying)
    for position, batch in enumerate(waiting):
        if batch.host not in busy:
            fits = batch.lanes <= free or not flying
            return waiting.pop(position) if fits else None
    return None


def _landed(future: Future[tuple[Outcome, ...]], batch: Batch) -> tuple[Outcome, ...]:
    """Return a batch's outcomes; an exception is our own fault and stays loud."""
    try:
        return future.result()
    except Exception as exc:
        log.exception("fault in poll feeds=%s", [task.feed.url for task in batch.tasks])
        failure = Failure("ours", f"fault of this program: {exc!r}")
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
