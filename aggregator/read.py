"""Article pages of one host, read one after the other: as `poll`, for pages.

A function of its argument and the network: no clock but to measure, no disk, no
database, no logging and no state of its own may enter. A site's robots.txt is asked
before its first page, unless it is known, and obeyed at every redirect.
"""

from __future__ import annotations

import threading
from dataclasses import replace

from aggregator import article, sandbox
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
    StoppedError,
    Validators,
)
from aggregator.permit import Permits, UnknownError
from aggregator.sandbox import SandboxError
from aggregator.urls import home


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
        permits = Permits(asker, turns, batch.polling, batch.now, batch.robots)
        visit = _Visit(batch, fetcher, permits)
        return tuple(map(visit.page, batch.tasks))


class _Visit:
    """The walk through one batch."""

    def __init__(self, batch: PageBatch, fetcher: Fetcher, permits: Permits) -> None:
        self._batch = batch
        self._fetcher = fetcher
        self._permits = permits

    def page(self, task: PageTask) -> Page:
        """Return what one page brought, whatever happens."""
        before = Page(task.page, self._batch.now)
        try:
            page = self._read(task, before)
        except StoppedError:
            page = replace(before, asked=False)
        except UnknownError as exc:
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
        return replace(page, robots=self._permits.taken())

    def _read(self, task: PageTask, before: Page) -> Page:
        """Return what a page says; raises StageError when it says nothing."""
        # here, so that asking costs the page none of its time
        self._permits.rules(task.url)
        fetched = self._fetcher.fetch(
            task.url,
            Validators(),
            now=self._batch.now,
            timeout=task.timeout,
            accept=PAGES,
            gate=self._permits.gate,
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
