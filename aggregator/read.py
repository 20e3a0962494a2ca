"""Article pages of one host, read one after the other: as `poll`, for pages.

A function of its argument and the network: no clock but to measure, no disk, no
database, no logging and no state of its own may enter. A site's robots.txt is asked
before its first page, unless it is known, and obeyed at every redirect.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from aggregator import article, robots, sandbox, spool
from aggregator.fault import where
from aggregator.fetch import PAGES, Fetcher, Turns, spacing
from aggregator.model import (
    Failure,
    FetchError,
    Page,
    PageBatch,
    PageTask,
    ParseError,
    PausedError,
    Robots,
    StageError,
    StoppedError,
    Validators,
)
from aggregator.sandbox import SandboxError
from aggregator.urls import home, host, origin

_KNOWN: Final = timedelta(days=1)  # RFC 9309 §2.4: no robots.txt lasts longer
_MISSED: Final = timedelta(hours=1)  # how long one is not asked for that did not come
_DELAY: Final = 30.0  # seconds between two pages that a site may ask for at most
_ALLOWED: Final = range(400, 500)  # RFC 9309 §2.3.1.3: there is none, so all is allowed
_BUSY: Final = 429  # of them the one that says something else


class _UnknownError(StageError):
    """A site's robots.txt is not to be had, so nothing may be asked of it for now."""

    def __init__(self, refusal: FetchError | None) -> None:
        """Keep whether the host asked for a pause instead."""
        super().__init__("robots.txt is not to be had")
        self.not_before = refusal.not_before if refusal else None
        self.paused_host = refusal.paused_host if refusal else ""


def missed(known: Robots, now: datetime) -> bool:
    """Tell whether a robots.txt did not come a moment ago; its site is left alone."""
    return known.text is None and _valid(known, now)


def _valid(known: Robots, now: datetime) -> bool:
    last = _MISSED if known.text is None else _KNOWN
    return timedelta(0) <= now - known.asked_at < last


def read(batch: PageBatch, stop: threading.Event | None = None) -> tuple[Page, ...]:
    """Return what each page says, in the order of the batch.

    stop: once it is set no further request is made. Whatever a page does is a value; a
    failure of kind "ours" is a fault of this program, and its reason says where.
    """
    # the host's feed may have been asked a moment ago
    turns = Turns(spacing(batch.polling), batch.pauses, stop, just_asked=batch.host)
    with (
        Fetcher(batch.polling, batch.user_agent, turns) as fetcher,
        Fetcher(batch.polling, batch.user_agent, turns) as asker,
    ):
        visit = _Visit(batch, fetcher, asker, turns)
        return tuple(map(visit.page, batch.tasks))


class _Visit:
    """The walk through one batch. asker: fetches robots.txt while `fetcher` waits."""

    def __init__(
        self, batch: PageBatch, fetcher: Fetcher, asker: Fetcher, turns: Turns
    ) -> None:
        self._batch = batch
        self._fetcher = fetcher
        self._asker = asker
        self._turns = turns
        self._robots = {known.site: known for known in batch.robots}
        self._asked: list[Robots] = []
        self._refused: dict[str, FetchError] = {}

    def page(self, task: PageTask) -> Page:
        """Return what one page brought, whatever happens."""
        before = Page(task.page, self._batch.now)
        try:
            page = self._read(task, before)
        except StoppedError:
            page = replace(before, asked=False)
        except _UnknownError as exc:
            page = replace(
                before,
                asked=False,
                not_before=exc.not_before,
                paused_host=exc.paused_host,
            )
        except PausedError as exc:
            page = replace(before, asked=False, not_before=exc.until)
        except FetchError as exc:
            page = replace(
                before,
                failure=Failure(exc.kind, str(exc)),
                not_before=exc.not_before,
                paused_host=exc.paused_host,
            )
        except ParseError as exc:
            page = replace(before, failure=Failure("document", str(exc)))
        except SandboxError as exc:
            page = replace(before, failure=Failure("limit", str(exc)))
        except Exception as exc:  # noqa: BLE001 - one page must not end the others
            page = replace(before, failure=Failure("ours", where(exc)))
        asked, self._asked = tuple(self._asked), []
        return replace(page, robots=asked)

    def _read(self, task: PageTask, before: Page) -> Page:
        """Return what a page says; raises StageError when it says nothing."""
        self._rules(task.url)  # here, so that asking costs the page none of its time
        fetched = self._fetcher.fetch(
            task.url,
            Validators(),
            now=self._batch.now,
            timeout=task.timeout,
            accept=PAGES,
            gate=self._gate,
        )
        if not fetched.complete:
            raise FetchError("page cut short")
        if home(fetched.url) and not home(task.url):
            raise FetchError("redirect to a home page", kind="http")
        found = sandbox.run(
            article.read,
            fetched,
            self._batch.now,
            timeout=task.timeout.total_seconds(),
            large=bool(fetched.spooled),
            heavy=True,
        )
        return replace(before, article=found)

    def _gate(self, url: str) -> None:
        """Let pass what the site's robots.txt allows, as slowly as it asks for.

        Raises FetchError for what it forbids, _UnknownError where there is none to be
        had.
        """
        text = self._rules(url)
        if text is None:
            raise _UnknownError(self._refused.get(origin(url)))
        if not text:
            return
        timeout = self._batch.polling.timeout.total_seconds()
        allowed, delay = sandbox.run(
            robots.allows, text, url, timeout=timeout, heavy=True
        )
        if not allowed:
            raise FetchError("robots.txt forbids it", kind="refused")
        if delay:
            self._turns.slow(host(url), min(delay, _DELAY))

    def _rules(self, url: str) -> str | None:
        """Return the text of the robots.txt for a URL; None: not to be had."""
        site = origin(url)
        known = self._robots.get(site)
        now = self._batch.now
        if known and _valid(known, now):
            return known.text
        text = self._ask(site)
        if text is None and known:
            text = known.text  # RFC 9309 §2.4: the old one is good where none is new
        self._robots[site] = Robots(site, text, now)
        self._asked.append(self._robots[site])
        return text

    def _ask(self, site: str) -> str | None:
        """Return a site's robots.txt as it is now, None for none to be had."""
        try:
            fetched = self._asker.fetch(
                f"{site}/robots.txt",
                Validators(),
                now=self._batch.now,
                timeout=self._batch.polling.timeout,
                accept="text/plain, */*;q=0.5",
            )
        except FetchError as exc:
            if exc.kind == "refused":
                raise  # the page stands at the same forbidden address
            self._refused[site] = exc
            allowed = exc.status in _ALLOWED and exc.status != _BUSY
            return "" if allowed else None
        return spool.read(fetched)[: robots.MOST].decode("utf-8", "replace")
