"""WebSub hubs: each is told of the feeds that changed since it was told of them last.

What a hub was told is remembered as a digest of each feed, and compared. So a killed
run or a hub that is down loses nothing, a feed that changes thrice meanwhile is told
once, and one that did not change is not told. `run` calls it after the write; what a
hub does may neither fail a cycle nor hold it up for long.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from aggregator.config import user_agent
from aggregator.health import Event, Told, hub_events
from aggregator.identity import digest
from aggregator.model import Config
from aggregator.store import Store, events
from aggregator.store import hubs as remembered
from aggregator.store.hubs import Hub

if TYPE_CHECKING:
    from aggregator.fetch import hub as asking

FEEDS = frozenset({"feed.atom", "feed.rss", "feed.json"})
"""Documents that name their hubs; archives change too, but nobody subscribes to one."""

_FIRST = timedelta(minutes=5)  # until a hub in trouble is asked again; then doubled
_SLOWEST = timedelta(hours=12)
_PATIENCE = timedelta(days=3)  # a subscriber who polls has seen it by then
_LONGEST = timedelta(days=7)  # that a hub may ask to wait; more is a clock that jumped


def tell(
    store: Store, config: Config, documents: Iterable[str], now: datetime
) -> tuple[Event, ...]:
    """Tell every hub what it has to be told of the feeds as they are published.

    documents: the names of all in the published folder. All hubs are asked at once,
    each for five seconds at most. Returns the hubs that began to fail and those that
    work again, which is kept for the desk.
    """
    if not config.site.hubs:
        return ()
    folder = config.storage.output
    feeds = {
        name: digest((folder / name).read_bytes())
        for name in documents
        if PurePosixPath(name).name in FEEDS
    }
    hubs = [remembered.known(store, url) for url in dict.fromkeys(config.site.hubs)]
    due = [(hub, news) for hub in hubs if (news := changed(hub, feeds, now))]
    if not due:
        return ()
    with ThreadPoolExecutor(len(due)) as threads:
        asked = [threads.submit(_ask, hub.url, news, config, now) for hub, news in due]
        answers = [one.result() for one in asked]
    told = Told(events.told(store))
    reasons = {hub.url: one.reason for (hub, _), one in zip(due, answers, strict=True)}
    found = tuple(hub_events(reasons, told, now))
    with store.transaction():
        for (hub, _), answer in zip(due, answers, strict=True):
            remembered.keep(store, after(hub, feeds, answer, now))
        remembered.forget_others(store, config.site.hubs)
        events.keep(store, found)
    return found


def changed(hub: Hub, feeds: Mapping[str, int], now: datetime) -> tuple[str, ...]:
    """Return the feeds that a hub has to be told of now, the front page's first.

    feeds: the digest of each. None while the hub has to be left alone.
    """
    if hub.next_at and now < hub.next_at <= now + _LONGEST:
        return ()
    news = (name for name, state in feeds.items() if hub.told.get(name) != state)
    return tuple(sorted(news, key=lambda name: (name.count("/"), name)))


def after(
    hub: Hub, feeds: Mapping[str, int], answer: asking.Told, now: datetime
) -> Hub:
    """Return what to remember of a hub; answer: to feeds by their names.

    One in trouble is asked again after five minutes, then ever more rarely. After three
    days what it was not told is given up, so that it is asked only when feeds change.
    """
    told = {name: state for name, state in hub.told.items() if name in feeds}
    told |= {name: feeds[name] for name in answer.settled}
    if not answer.trouble:
        return Hub(hub.url, told)
    since = hub.since or now
    if now - since >= _PATIENCE:
        told = dict(feeds)
    pause = min(_FIRST * 2 ** min(hub.failures, 10), _SLOWEST)
    next_at = max(now + pause, answer.not_before or now)
    return Hub(hub.url, told, hub.failures + 1, since, next_at)


def _ask(url: str, names: Sequence[str], config: Config, now: datetime) -> asking.Told:
    """Tell one hub; the answer speaks of feeds by their names."""
    root = f"{config.site.url.rstrip('/')}/"
    from aggregator.fetch import hub as asking  # noqa: PLC0415 -- many have no hub

    by_address = {root + name: name for name in names}
    answer = asking.tell(url, [*by_address], config.polling, user_agent(config), now)
    return replace(answer, settled=tuple(by_address[one] for one in answer.settled))
