"""One poll of each feed of a batch: what is submitted to threads or to a cluster.

A function of its argument and the network: no clock but to measure, no disk, no
database, no logging and no state of its own may enter. Whatever an outlet does is a
value; the caller decides what follows from it.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from queue import SimpleQueue
from typing import Final

from aggregator import sandbox
from aggregator.fault import where
from aggregator.fetch import Fetcher, Turns, spacing
from aggregator.model import (
    Batch,
    Failure,
    Fetched,
    FetchError,
    Outcome,
    ParseError,
    PausedError,
    PollTask,
    StoppedError,
)
from aggregator.sandbox import SandboxError
from aggregator.sift import sift
from aggregator.urls import host

_UNCHANGED: Final = 304
_OK: Final = 200
# Of a wait that a server sets: a cycle counts whole seconds, and so do waits.
_HIDDEN: Final = timedelta(seconds=2)


def poll(batch: Batch, stop: threading.Event | None = None) -> tuple[Outcome, ...]:
    """Return the outcome of each task, in the order of the batch.

    `batch.lanes` feeds are asked at once. A host that answers 429 or 503 with
    Retry-After is asked nothing more, by no lane and through no redirect. stop: once it
    is set no further request is made.

    A failure keeps the validators and the body hash of the task; one of kind "ours" is
    a fault of this program, and its reason says where.
    """
    turns = Turns(
        spacing(batch.polling),
        batch.pauses,
        stop,
        just_asked=batch.host if batch.resumed else "",
    )
    with ExitStack() as stack:
        idle: SimpleQueue[Fetcher] = SimpleQueue()
        for _ in range(batch.lanes):
            fetcher = Fetcher(batch.polling, batch.user_agent, turns)
            idle.put(stack.enter_context(fetcher))
        visit = _Visit(batch, idle, time.monotonic())
        if batch.lanes == 1:
            return tuple(map(visit.outcome, batch.tasks))
        lanes = stack.enter_context(ThreadPoolExecutor(batch.lanes, "lane"))
        return tuple(lanes.map(visit.outcome, batch.tasks))


@dataclass(frozen=True, slots=True)
class _Visit:
    """The walk through one batch, by one thread or by several.

    idle: a fetcher for each lane, but for those that are fetching. began: by the
    monotonic clock.
    """

    batch: Batch
    idle: SimpleQueue[Fetcher]
    began: float

    def outcome(self, task: PollTask) -> Outcome:
        """Return what a poll brought, whatever happens in it."""
        fetcher = self.idle.get()
        start = time.monotonic()
        late = self.batch.late + start - self.began
        before = Outcome(  # what stands when nothing is brought
            task.feed, self.batch.now, task.validators, task.body_hash, url=task.url
        )
        try:
            outcome = self._asked(fetcher, task, before, late)
        except StoppedError:
            outcome = replace(before, asked=False)
        except PausedError as exc:
            outcome = replace(before, asked=False, not_before=exc.until)
        except FetchError as exc:
            outcome = self._failed(before, exc)
        except Exception as exc:  # noqa: BLE001 - one feed's poll must not end the others
            outcome = replace(before, failure=Failure("ours", where(exc)))
        finally:
            self.idle.put(fetcher)
        took = time.monotonic() - start - fetcher.waited
        # whole seconds: a quick cycle done again decides the same
        whole = timedelta(seconds=int(late + fetcher.waited))
        return replace(outcome, seconds=took, late=whole)

    def _asked(
        self, fetcher: Fetcher, task: PollTask, before: Outcome, late: float
    ) -> Outcome:
        """Return what an answer brings; raises StageError when there is none.

        late: seconds since the cycle's time.
        """
        polling, outlet = self.batch.polling, task.feed.outlet
        timeout = outlet.timeout or polling.timeout
        fetched = fetcher.fetch(
            task.url,
            task.validators,
            now=self.batch.now + timedelta(seconds=late) + _HIDDEN,
            timeout=timeout,
            headers=self._headers(task),
        )
        answered = replace(
            before,
            status=fetched.status,
            moved_to=fetched.moved_to,
            not_before=self._earliest(fetched.fresh_until),
        )
        if fetched.status == _UNCHANGED:
            return answered
        if fetched.complete and fetched.digest == task.body_hash:
            return replace(answered, validators=fetched.validators)
        try:
            return self._sifted(task, fetched, answered)
        except ParseError as exc:
            failure = Failure("document", str(exc))
        except SandboxError as exc:
            failure = Failure("limit", str(exc))
        # Until when it wants to be left alone counts, whatever it is.
        earliest = answered.not_before
        return replace(before, status=_OK, not_before=earliest, failure=failure)

    def _headers(self, task: PollTask) -> tuple[tuple[str, str], ...]:
        """Return the outlet's own headers: secrets, maybe, for the host it named."""
        same = host(task.url) == host(task.feed.url)
        return task.feed.outlet.headers if same else ()

    def _sifted(self, task: PollTask, fetched: Fetched, answered: Outcome) -> Outcome:
        """Return what is new in a document."""
        polling, outlet = self.batch.polling, task.feed.outlet
        sifted = sandbox.run(
            sift,
            fetched,
            task.feed,
            sandbox.sealed(self.batch.topics),
            task.known,
            polling.max_entries,
            self.batch.sites,
            timeout=(outlet.timeout or polling.timeout).total_seconds(),
            large=bool(fetched.spooled),
        )
        return replace(
            answered,
            # Of a document cut short nothing is kept that could stand for the whole:
            # the rest would be lost behind 304s.
            validators=fetched.validators if sifted.complete else task.validators,
            body_hash=fetched.digest if sifted.complete else b"",
            entries=sifted.entries,
            mentions=sifted.mentions,
            listed=sifted.listed,
            title=sifted.title,
            home=sifted.home,
            language=sifted.language,
            dated_at=sifted.dated_at,
            rest=sifted.rest,
            complete=sifted.complete,
        )

    def _earliest(self, wanted: datetime | None) -> datetime | None:
        """Return until when a feed wants to be left alone, as far as we agree."""
        return wanted and min(wanted, self.batch.now + self.batch.polling.slowest)

    def _failed(self, before: Outcome, exc: FetchError) -> Outcome:
        return replace(
            before,
            status=exc.status,
            failure=Failure(exc.kind, str(exc)),
            moved_to=exc.moved_to,
            not_before=exc.not_before,
            paused_host=exc.paused_host,
        )
