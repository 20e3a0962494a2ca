"""Batches sent out to a crew, and what they bring as they land.

What one batch learns of a host that wants to be left alone, or of a robots.txt, goes
with those that are sent later. Nothing is stored or decided here, and who carries the
batches out may not enter.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, TypeVar

from aggregator.engine.batches import by_host, of_site
from aggregator.engine.crews import DeathError, Visit, enlisted
from aggregator.engine.waiting import Waiting
from aggregator.follow import follow
from aggregator.knock import knock
from aggregator.model import (
    Answer,
    Batch,
    Config,
    EngineError,
    Failure,
    Link,
    Outcome,
    Page,
    PageBatch,
    PageTask,
    Pause,
    Robots,
)
from aggregator.poll import poll
from aggregator.read import read

B = TypeVar("B", bound=Batch | PageBatch)
R = TypeVar("R", bound=Outcome | Page | Link | Answer)

log = logging.getLogger("aggregator")

_DEADLY: Final = Failure("limit", "the process that asked it died, wherever it ran")


def outcomes(
    batches: Sequence[Batch], config: Config, stop: threading.Event | None = None
) -> Iterator[tuple[Outcome, ...]]:
    """Yield the outcomes of each batch as it ends.

    At most `concurrency` requests are under way at once, and one batch of a host; a
    host that wants to be left alone is left alone by all batches submitted later.
    stop: once it is set no more are submitted, and those under way end soon.
    Raises EngineError when there is nobody, or nobody any longer, to carry them out.
    """
    return _flown(poll, batches, _lost_outcomes, config, stop)


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
    batches = by_host(tasks, config, now, pauses, known)
    return _flown(read, batches, _lost_pages, config, stop)


def links(
    tasks: Sequence[PageTask],
    config: Config,
    now: datetime,
    pauses: tuple[Pause, ...],
    stop: threading.Event,
) -> Iterator[tuple[Link, ...]]:
    """Yield where links lead; everything as for `pages`."""
    batches = by_host(tasks, config, now, pauses)
    return _flown(follow, batches, _lost_links, config, stop)


def answers(
    tasks: Sequence[PageTask],
    config: Config,
    now: datetime,
    known: tuple[Robots, ...],
    pauses: tuple[Pause, ...],
    stop: threading.Event,
) -> Iterator[tuple[Answer, ...]]:
    """Yield whether addresses answer; everything as for `pages`."""
    batches = by_host(tasks, config, now, pauses, known)
    return _flown(knock, batches, _lost_answers, config, stop)


def _flown(
    visit: Visit[B, R],
    batches: Sequence[B],
    lost: Callable[[B, Failure], tuple[R, ...]],
    config: Config,
    stop: threading.Event | None,
) -> Iterator[tuple[R, ...]]:
    """Yield what `visit` brings of each batch; lost: in place of one that raised."""
    if not batches:
        return  # nobody is called for nothing
    stop = stop or threading.Event()
    notes, waiting = _Notes(), Waiting(batches)
    flying: dict[Future[Any], B] = {}
    with enlisted(config, stop) as crew:
        while True:
            while not stop.is_set():
                batch = waiting.next(flying.values(), crew.room())
                if batch is None:
                    break
                sent = notes.brief(batch)
                flying[crew.submit(visit, sent)] = sent
            if not flying:
                return
            done, _ = wait(flying, crew.patience, FIRST_COMPLETED)
            crew.look()
            for future in done:
                batch = flying.pop(future)
                landed: tuple[R, ...]
                try:
                    landed = crew.brought(future)
                except EngineError:
                    raise
                except DeathError:
                    landed = () if waiting.again(batch) else lost(batch, _DEADLY)
                except Exception as exc:
                    # our own fault, and it stays loud
                    asked = [task.url for task in batch.tasks]
                    log.exception("fault in %s urls=%s", visit.__name__, asked)
                    failure = Failure("ours", f"fault of this program: {exc!r}")
                    landed = lost(batch, failure)
                notes.hear(landed)
                yield landed


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
            new = of_site(told.tasks[0].url, self._robots)
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
