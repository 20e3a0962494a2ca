"""One poll of each feed of a batch: what is submitted to threads or to a cluster.

A function of its argument and the network: no clock but to measure, no disk, no
database, no logging and no state of its own may enter. Whatever an outlet does is a
value; the caller decides what follows from it.
"""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final

from aggregator import sandbox, urls
from aggregator.fetch import Fetcher
from aggregator.model import (
    Batch,
    Failure,
    Fetched,
    FetchError,
    Outcome,
    ParseError,
    PollTask,
)
from aggregator.sandbox import SandboxError
from aggregator.sift import sift

_UNCHANGED: Final = 304
_OK: Final = 200
_SPACING: Final = timedelta(seconds=1)  # the least that crawlers agree on
_HASH: Final = 16  # bytes: two documents of one feed are never taken for each other


def poll(batch: Batch) -> tuple[Outcome, ...]:
    """Return the outcome of each task, in the order of the batch.

    Feeds are asked one after the other; once a host has answered 429 or 503 with
    Retry-After, its other feeds are not asked at all. A failure keeps the validators
    and the body hash of the task; one of kind "ours" is a fault of this program, and
    its reason says where.
    """
    with Fetcher(batch.polling, batch.user_agent) as fetcher:
        visit = _Visit(batch, fetcher)
        return tuple(visit.outcome(task) for task in batch.tasks)


@dataclass(slots=True)
class _Visit:
    """The walk through one batch.

    closed: until when a host is not to be asked. asked: when it was, by the monotonic
    clock.
    """

    batch: Batch
    fetcher: Fetcher
    closed: dict[str, datetime] = field(default_factory=dict)
    asked: dict[str, float] = field(default_factory=dict)

    def outcome(self, task: PollTask) -> Outcome:
        """Return what a poll brought, whatever happens in it."""
        host = urls.host(task.url)
        if host not in self.closed:
            self._keep_apart(host)
        start = time.monotonic()
        before = Outcome(  # what stands when nothing is brought
            task.feed, self.batch.now, task.validators, task.body_hash, url=task.url
        )
        try:
            if host in self.closed:
                outcome = replace(before, asked=False, not_before=self.closed[host])
            else:
                outcome = self._asked(task, before)
        except FetchError as exc:
            outcome = self._failed(before, exc)
            if outcome.paused_host and outcome.not_before is not None:
                self.closed[outcome.paused_host] = outcome.not_before
        except ParseError as exc:
            failure = Failure("document", str(exc))
            outcome = replace(before, status=_OK, failure=failure)
        except SandboxError as exc:
            failure = Failure("limit", str(exc))
            outcome = replace(before, status=_OK, failure=failure)
        except Exception as exc:  # noqa: BLE001 - one feed's poll must not end the others
            outcome = replace(before, failure=Failure("ours", _where(exc)))
        return replace(outcome, seconds=time.monotonic() - start)

    def _keep_apart(self, host: str) -> None:
        """Wait until the host may be asked again."""
        polling = self.batch.polling
        spacing = polling.spacing
        if spacing is None:
            spacing = timedelta(0) if polling.allow_private_addresses else _SPACING
        if host in self.asked:
            due = self.asked[host] + spacing.total_seconds()
            time.sleep(max(0.0, due - time.monotonic()))
        self.asked[host] = time.monotonic()

    def _asked(self, task: PollTask, before: Outcome) -> Outcome:
        """Return what an answer brings; raises StageError when there is none."""
        polling, outlet = self.batch.polling, task.feed.outlet
        timeout = outlet.timeout or polling.timeout
        fetched = self.fetcher.fetch(
            task.url,
            task.validators,
            now=self.batch.now,
            timeout=timeout,
            headers=outlet.headers,
        )
        answered = replace(
            before,
            status=fetched.status,
            moved_to=fetched.moved_to,
            not_before=self._earliest(fetched.fresh_until),
        )
        if fetched.status == _UNCHANGED:
            return answered
        body_hash = blake2b(fetched.body, digest_size=_HASH).digest()
        if fetched.complete and body_hash == task.body_hash:
            return replace(answered, validators=fetched.validators)
        return self._sifted(task, fetched, answered, body_hash)

    def _sifted(
        self, task: PollTask, fetched: Fetched, answered: Outcome, body_hash: bytes
    ) -> Outcome:
        """Return what is new in a document."""
        polling, outlet = self.batch.polling, task.feed.outlet
        sifted = sandbox.run(
            sift,
            fetched,
            task.feed,
            self.batch.topics,
            task.known,
            polling.max_entries,
            timeout=(outlet.timeout or polling.timeout).total_seconds(),
        )
        return replace(
            answered,
            # Of a document cut short nothing is kept that could stand for the whole:
            # the rest would be lost behind 304s.
            validators=fetched.validators if sifted.complete else task.validators,
            body_hash=body_hash if sifted.complete else b"",
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


def _where(exc: Exception) -> str:
    """Return one line on a fault of ours: what, and the last place it passed."""
    # An exception from a child carries the child's own traceback as its cause.
    text = "".join(traceback.format_exception(exc.__cause__ or exc))
    places = [line.strip() for line in text.splitlines() if line.startswith("  File")]
    what = " ".join(f"{type(exc).__name__}: {exc}".split())
    return f"{what} ({places[-1]})" if places else what
