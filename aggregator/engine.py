"""Where polls run: tasks to batches, batches to an executor, outcomes as they land.

Only threads so far; another executor needs no more than `submit`. Nothing is stored or
decided here.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime

from aggregator.config import user_agent
from aggregator.model import Batch, Config, Failure, Outcome, PollTask
from aggregator.poll import poll
from aggregator.urls import host

log = logging.getLogger("aggregator")

BATCH = 20  # feeds of different hosts at most in one batch (DESIGN.md §2)
_PER_THREAD = 4  # batches for each thread, so that a slow one does not hold up the rest


def plan(tasks: Sequence[PollTask], config: Config, now: datetime) -> tuple[Batch, ...]:
    """Return the batches to submit: a host's feeds together, the others up to 20.

    A host with many feeds is spread over `per_host` batches, never more, so that it is
    asked at most so many things at once.
    """
    hosts: defaultdict[str, list[PollTask]] = defaultdict(list)
    for task in tasks:
        hosts[host(task.url)].append(task)
    polling = config.polling
    single = [group[0] for group in hosts.values() if len(group) == 1]
    size = len(single) // (_PER_THREAD * polling.concurrency)
    size = max(1, min(BATCH, size))
    groups = [single[start : start + size] for start in range(0, len(single), size)]
    for group in hosts.values():
        if len(group) > 1:
            shares = min(polling.per_host, len(group))
            groups += [group[share::shares] for share in range(shares)]
    agent = user_agent(config)
    return tuple(
        Batch(tuple(group), config.topics, polling, agent, now) for group in groups
    )


def outcomes(
    batches: Iterable[Batch], concurrency: int
) -> Iterator[tuple[Outcome, ...]]:
    """Yield the outcomes of each batch as it ends; few more wait than run at once."""
    flying: dict[Future[tuple[Outcome, ...]], Batch] = {}

    def landed() -> Iterator[tuple[Outcome, ...]]:
        done, _ = wait(flying, return_when=FIRST_COMPLETED)
        for future in done:
            yield _landed(future, flying.pop(future))

    pool = ThreadPoolExecutor(concurrency, thread_name_prefix="poll")
    try:
        for batch in batches:
            while len(flying) >= 2 * concurrency:
                yield from landed()
            flying[pool.submit(poll, batch)] = batch
        while flying:
            yield from landed()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _landed(future: Future[tuple[Outcome, ...]], batch: Batch) -> tuple[Outcome, ...]:
    """Return a batch's outcomes; an exception is our own fault and stays loud."""
    try:
        return future.result()
    except Exception as exc:
        log.exception("fault in poll feeds=%s", [task.feed.url for task in batch.tasks])
        failure = Failure("ours", f"fault of this program: {exc!r}")
        return tuple(
            Outcome(
                task.feed, batch.now, task.validators, task.body_hash, failure=failure
            )
            for task in batch.tasks
        )
