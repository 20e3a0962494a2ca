"""Telling a WebSub hub that feeds have changed.

Which hubs, of which feeds, and when again is for the caller.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from aggregator.fetch.fetcher import Fetcher
from aggregator.model import FetchError, Polling

TIMEOUT: Final = timedelta(seconds=5)  # a publish by hand waits as long at most
_ANSWER: Final = 1_000_000  # bytes; hubs answer with a line or nothing
_REFUSED: Final = range(400, 500)
_NOT_NOW: Final = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Told:
    """What came of telling a hub.

    settled: the feeds it took, and those it refused and would refuse again. reason: in
    a few words why one was not taken, "" = all were. trouble: what is not settled may
    be taken later. not_before: when the hub wants to be asked again, if it said so.
    """

    settled: tuple[str, ...]
    reason: str = ""
    trouble: bool = False
    not_before: datetime | None = None


def tell(
    hub: str,
    feeds: Sequence[str],
    polling: Polling,
    user_agent: str,
    now: datetime,
    timeout: timedelta = TIMEOUT,
) -> Told:
    """Tell `hub` of the feeds at these addresses; timeout: for all of them together.

    One feed a request, over one connection: for several at once Google's hub wants
    hub.url repeated, Superfeedr hub.url[] and hubs in PHP keep the last. Some read
    hub.topic, WebSub's own word, in its place. At the first sign that the hub itself is
    in trouble the others are left for later.
    """
    settled: list[str] = []
    reason = ""
    until = time.monotonic() + timeout.total_seconds()
    limits = Polling(
        allow_private_addresses=polling.allow_private_addresses, max_bytes=_ANSWER
    )
    with Fetcher(limits, user_agent) as fetcher:
        for feed in feeds:
            left = timedelta(seconds=max(0.0, until - time.monotonic()))
            form = (("hub.mode", "publish"), ("hub.url", feed), ("hub.topic", feed))
            try:
                fetcher.post(hub, form, now=now, timeout=left)
            except FetchError as exc:
                reason = reason or str(exc)
                if exc.status not in _REFUSED or exc.status in _NOT_NOW:
                    return Told(
                        tuple(settled),
                        str(exc),
                        trouble=True,
                        not_before=exc.not_before,
                    )
            settled.append(feed)
    return Told(tuple(settled), reason)
