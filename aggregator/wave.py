"""The second wave: links are followed, and article pages settle what feeds left open.

It starts from what is stored, not from what this cycle brought, so that a cycle cut off
earlier is completed by the next one. Links come first: of what mentions something, or
is read in any case, those that do not say where they lead. That tells which article it
is, and not its text, so it does not hang on `articles`; a page is then asked for where
it is.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import Final

from aggregator import engine
from aggregator.halt import Halt
from aggregator.model import Config, Entry, Feed, Link, Page, PageTask
from aggregator.permit import missed
from aggregator.store import Store, links, pages, polls
from aggregator.urls import host, opaque, origin
from aggregator.weigh import weigh

log = logging.getLogger("aggregator")

PAGES: Final = 200  # read in one cycle at most; the newest first, the others later
LINKS: Final = 200  # followed in one cycle at most, the newest first
SECONDS: Final = 40.0  # for both in one cycle; others wait a minute for its lock
_WEIGHED: Final = 200  # entries in one transaction, and in memory


def second_wave(
    store: Store,
    config: Config,
    feeds: Sequence[Feed],
    now: datetime,
    stop: threading.Event | None = None,
) -> None:
    """Follow the links and read the article pages that are due; settle what they show.

    feeds: those whose entries' links and pages may be asked for. stop: once it is set
    nothing is asked any more. What is left when the time is over is for the next
    cycles; links take half of it at most.
    """
    _weigh(store, config)
    pages.pass_by(store)
    halt = Halt(stop or threading.Event(), SECONDS)
    polling = config.polling
    due = links.due(store, feeds, polling, now)
    _follow_links(store, config, due, now, Halt(halt, SECONDS / 2))
    _read_pages(store, config, pages.due(store, feeds, polling, now), now, halt)
    _weigh(store, config)
    pages.forget(store, now, config.storage.history)


def _follow_links(
    store: Store, config: Config, due: Sequence[PageTask], now: datetime, halt: Halt
) -> None:
    pauses = polls.pauses(store, now)
    paused = {pause.host for pause in pauses}
    tasks = (task for task in due if host(task.url) not in paused)
    chosen = tuple(islice(tasks, LINKS))
    for landed in engine.links(chosen, config, now, pauses, halt):
        _report(landed)
        links.record(store, landed, config.polling)


def _read_pages(
    store: Store, config: Config, due: Sequence[PageTask], now: datetime, halt: Halt
) -> None:
    """Read pages; none of a link that could not be followed, for it is no article's."""
    known = pages.robots(store)
    pauses = polls.pauses(store, now)
    closed = {one.site for one in known if missed(one, now)}
    paused = {pause.host for pause in pauses}
    tasks = (
        task
        for task in due
        if origin(task.url) not in closed and host(task.url) not in paused
        if not opaque(task.url)
    )
    chosen = tuple(islice(tasks, PAGES))
    for landed in engine.pages(chosen, config, now, known, pauses, halt):
        _report(landed)
        pages.record(store, landed, config.polling)


def _report(landed: Iterable[Page | Link]) -> None:
    """Log what is our own fault; `why` tells of what a server did."""
    for one in landed:
        if one.failure and one.failure.kind == "ours":
            log.error("page=%s error=%r", one.page, one.failure.reason)


def _weigh(store: Store, config: Config) -> None:
    """Match again every entry whose article became known, and settle its doubts."""
    while done := pages.unweighed(store, _WEIGHED):
        groups: defaultdict[tuple[str, bool], list[Entry]] = defaultdict(list)
        for item in done:
            groups[item.feed, item.whole].append(item.entry)
        mentions = [
            mention
            for (url, whole), entries in groups.items()
            if (feed := config.feeds.at(url))
            for mention in weigh(entries, config.topics, feed.outlet, whole=whole)
        ]
        pages.weighed(store, done, mentions)
