"""The second wave: article pages are read, and settle what feeds left in doubt.

It starts from what is stored, not from what this cycle brought, so that a cycle cut off
earlier is completed by the next one. Wrapped links that do not carry their target are
to be resolved here as well, as pages that are asked only for where they lead.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import Final

from aggregator import engine
from aggregator.identity import number
from aggregator.model import Articles, Config, Entry, Feed
from aggregator.read import missed
from aggregator.store import Store, pages, polls
from aggregator.urls import host, origin
from aggregator.weigh import weigh

log = logging.getLogger("aggregator")

PAGES: Final = 200  # read in one cycle at most; the newest first, the others later
SECONDS: Final = 40.0  # for pages in one cycle; others wait a minute for its lock
_WEIGHED: Final = 200  # entries in one transaction, and in memory


def read_pages(
    store: Store,
    config: Config,
    feeds: Sequence[Feed],
    now: datetime,
    stop: threading.Event | None = None,
) -> None:
    """Read the article pages that are due, and settle what they show.

    feeds: whose entries' pages may be asked for. stop: once it is set none is asked any
    more. Pages left over when the time is over are read by the next cycles.
    """
    wanted = _wanted(config)
    _weigh(store, config, wanted)
    pages.pass_by(store, wanted)
    timeouts = {
        number(feed.url): feed.outlet.timeout or config.polling.timeout
        for feed in feeds
        if feed.outlet.enabled
    }
    known = pages.robots(store)
    pauses = polls.pauses(store, now)
    closed = {one.site for one in known if missed(one, now)}
    paused = {pause.host for pause in pauses}
    tasks = (
        task
        for task in pages.due(store, wanted, timeouts, now)
        if origin(task.url) not in closed and host(task.url) not in paused
    )
    chosen = tuple(islice(tasks, PAGES))
    halt = _Halt(stop or threading.Event(), SECONDS)
    for landed in engine.pages(chosen, config, now, known, pauses, halt):
        for page in landed:
            if page.failure and page.failure.kind == "ours":
                log.error("page=%s error=%r", page.page, page.failure.reason)
        pages.record(store, landed, config.polling)
    _weigh(store, config, wanted)
    pages.forget(store, now, config.storage.history)


def _wanted(config: Config) -> pages.Wanted:
    """Return what feeds.toml asks of each feed's article pages."""

    def numbers(*policies: Articles) -> frozenset[int]:
        return frozenset(
            number(feed.url)
            for feed in config.feeds
            if (feed.outlet.articles or config.matching.articles) in policies
        )

    return pages.Wanted(numbers("doubtful", "all"), numbers("all"))


def _weigh(store: Store, config: Config, wanted: pages.Wanted) -> None:
    """Match again every entry whose article became known, and settle its doubts."""
    outlets = {number(feed.url): feed.outlet for feed in config.feeds}
    while done := pages.unweighed(store, wanted, _WEIGHED):
        groups: defaultdict[tuple[int, bool], list[Entry]] = defaultdict(list)
        for item in done:
            groups[item.feed, item.whole].append(item.entry)
        mentions = [
            mention
            for (feed, whole), entries in groups.items()
            if feed in outlets
            for mention in weigh(entries, config.topics, outlets[feed], whole=whole)
        ]
        pages.weighed(store, done, mentions)


class _Halt(threading.Event):
    """Set when another event is, or when its time is over."""

    def __init__(self, stop: threading.Event, seconds: float) -> None:
        super().__init__()
        self._stop = stop
        self._until = time.monotonic() + seconds

    def is_set(self) -> bool:
        """Tell whether nothing more is to be asked."""
        return self._stop.is_set() or time.monotonic() >= self._until

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set, for at most `timeout` seconds."""
        left = max(0.0, self._until - time.monotonic())
        self._stop.wait(left if timeout is None else min(left, timeout))
        return self.is_set()
