"""Links that do not say where they lead, followed to where they do: as `read`.

A function of its argument and the network: no clock, no disk, no database, no logging
and no state of its own may enter. Only redirectors are asked (see `urls.opaque`), never
the outlet they lead to. Their robots.txt is not: it speaks to those who index what a
site holds, and forbids it at t.co and Google News, while following one link of a feed,
once, is what the link is there for; nothing is taken from them but the address.
"""

from __future__ import annotations

import threading

from aggregator.fault import where
from aggregator.fetch import Fetcher, Turns, spacing
from aggregator.model import (
    Failure,
    FetchError,
    Link,
    PageBatch,
    PageTask,
    PausedError,
    StoppedError,
)
from aggregator.urls import nowhere


def follow(batch: PageBatch, stop: threading.Event | None = None) -> tuple[Link, ...]:
    """Return where each link leads, in the order of the batch.

    stop: once it is set no further request is made. Whatever a redirector does is a
    value; a failure of kind "ours" is a fault of this program.
    """
    turns = Turns(spacing(batch.polling), batch.pauses, stop, just_asked=batch.host)
    with Fetcher(batch.polling, batch.user_agent, turns) as fetcher:
        return tuple(_followed(fetcher, batch, task) for task in batch.tasks)


def _followed(fetcher: Fetcher, batch: PageBatch, task: PageTask) -> Link:
    """Return where one link leads, whatever happens."""
    page, at = task.page, batch.now
    try:
        target = fetcher.follow(task.url, now=at, timeout=task.timeout)
    except StoppedError:
        return Link(page, at, asked=False)
    except PausedError as exc:
        return Link(page, at, asked=False, not_before=exc.until)
    except FetchError as exc:
        failure = Failure(exc.kind, str(exc))
        return Link(
            page,
            at,
            failure=failure,
            not_before=exc.not_before,
            paused_host=exc.paused_host,
        )
    except Exception as exc:  # noqa: BLE001 - one link must not end the others
        return Link(page, at, failure=Failure("ours", where(exc)))
    if reason := nowhere(target, task.url):
        return Link(page, at, failure=Failure("document", reason))
    return Link(page, at, target)
