"""One document of an outlet's past, asked and read: as `poll`, for what came before.

A function of its argument and the network, but for the connections that it keeps: no
database, no clock but to measure, no logging may enter, nor what follows from an
answer. A site's robots.txt is obeyed as for any page; the live document of a feed is
asked as a poll asks it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Self

from aggregator import sandbox
from aggregator.fault import where
from aggregator.fetch import Fetcher, Turns
from aggregator.model import (
    Failure,
    Fetched,
    FetchError,
    Landing,
    Nested,
    ParseError,
    PausedError,
    Polling,
    Robots,
    StageError,
    StepTask,
    Topic,
    Validators,
)
from aggregator.parse import PART
from aggregator.permit import Permits, UnknownError
from aggregator.sandbox import SandboxError
from aggregator.sift import sift_past
from aggregator.sources import Sites
from aggregator.urls import host

_OK: Final = 200


class _SpentError(StageError):
    """The budget does not bear another request."""


class Visitor:
    """Takes the steps of one outlet, one after the other; closed with its `with` block.

    turns: shared with those of other outlets, so that no host is asked too fast.
    """

    def __init__(
        self,
        polling: Polling,
        user_agent: str,
        turns: Turns,
        topics: tuple[Topic, ...],
        now: datetime,
        known: Iterable[Robots] = (),
        sites: Sites = (),
    ) -> None:
        """Take the limits, what is looked for, and the robots.txt files known."""
        self._polling = polling
        self._topics = topics
        self._now = now
        self._sites = sites
        self._began = time.monotonic()
        self._left = self._made = 0
        self._stack = ExitStack()
        self._fetcher, asker = (
            self._stack.enter_context(Fetcher(polling, user_agent, turns))
            for _ in range(2)
        )
        self._permits = Permits(asker, turns, polling, now, known, self._spend)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close every connection."""
        self._stack.close()

    def take(self, task: StepTask) -> Landing:
        """Return what one step brought, whatever happens in it.

        A failure of kind "ours" is a fault of this program, and its reason says where.
        """
        self._left, self._made = task.budget, 0
        before = Landing(task.feed, task.step, self._at())
        try:
            landing = self._taken(task, before)
        except _SpentError:
            landing = replace(before, asked=False, spent=True)
        except PausedError as exc:
            self._made -= 1  # the request that had to wait was counted
            landing = replace(before, asked=False, not_before=exc.until)
        except UnknownError as exc:
            landing = replace(
                before,
                failure=Failure("network", str(exc)),
                not_before=exc.not_before,
                paused_host=exc.paused_host,
            )
        except FetchError as exc:
            landing = replace(
                before,
                failure=Failure(exc.kind, str(exc)),
                status=exc.status,
                not_before=exc.not_before,
                paused_host=exc.paused_host,
            )
        except ParseError as exc:
            failure = Failure("document", str(exc))
            landing = replace(before, status=_OK, failure=failure)
        except SandboxError as exc:
            landing = replace(before, status=_OK, failure=Failure("limit", str(exc)))
        except Exception as exc:  # noqa: BLE001 - one outlet must not end the others
            landing = replace(before, failure=Failure("ours", where(exc)))
        return replace(landing, requests=self._made, robots=self._permits.taken())

    def _taken(self, task: StepTask, before: Landing) -> Landing:
        """Return what an answer brings; raises StageError when there is none."""
        step, outlet = task.step, task.feed.outlet
        timeout = outlet.timeout or self._polling.timeout
        if step.kind == "robots":
            named = self._permits.sitemaps(step.url)
            return replace(before, url=step.url, nested=tuple(map(Nested, named)))
        own = outlet.headers if host(step.url) == host(task.feed.url) else ()
        fetched = self._fetcher.fetch(
            step.url,
            Validators(),
            now=self._at(),
            timeout=timeout,
            headers=own,
            gate=self._spend if step.kind == "live" else self._gate,
        )
        if not fetched.complete:
            raise FetchError("document cut short")
        return self._sifted(task, fetched, before, timeout)

    def _sifted(
        self, task: StepTask, fetched: Fetched, before: Landing, timeout: timedelta
    ) -> Landing:
        """Return what a document says, and what is new in it."""
        step = task.step
        found = sandbox.run(
            sift_past,
            fetched,
            task.feed,
            sandbox.sealed(self._topics),
            step.start,
            self._polling.max_entries,
            self._sites,
            timeout=timeout.total_seconds(),
            large=bool(fetched.spooled),
        )
        new = found.sifted
        return replace(
            before,
            url=fetched.url,
            home=new.home,
            status=fetched.status,
            signs=found.signs,
            entries=new.entries,
            mentions=new.mentions,
            oldest=found.oldest,
            newest=found.newest,
            untitled=found.untitled,
            more=step.start + PART if found.more else 0,
            cut=self._polling.max_entries if found.cut else 0,
            older=found.older,
            generator=found.generator,
            dated_at=new.dated_at,
            sitemap=found.sitemap,
            nested=found.nested,
        )

    def _gate(self, url: str) -> None:
        """Let pass what robots.txt allows, while the budget bears it."""
        self._permits.gate(url)
        self._spend(url)

    def _spend(self, _url: str) -> None:
        """Count a request; raises _SpentError where it would be one too many."""
        if self._made >= self._left:
            raise _SpentError("the budget is spent")
        self._made += 1

    def _at(self) -> datetime:
        """Return the time of the call plus what has passed since, in whole seconds."""
        passed = int(time.monotonic() - self._began)
        return self._now + timedelta(seconds=passed)
