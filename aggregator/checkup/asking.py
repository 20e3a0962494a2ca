"""Feeds and links asked for `check`, by the same means as in a cycle.

The thin edge of this package: it reads the database, if there is one, and asks the
network. It writes nothing.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from aggregator import engine
from aggregator.checkup.feeds import FeedCheck, judge, twins, unasked
from aggregator.checkup.links import Life, LinkCheck, Use, found, life, uses
from aggregator.desk import Desk, stories
from aggregator.halt import Halt
from aggregator.identity import number
from aggregator.model import Answer, Config, PageTask, Pause, PollTask
from aggregator.store import Store, pages, polls

Progress = Callable[[int, int], None]
"""Told how many are asked, of how many."""


def ask_feeds(
    config: Config,
    now: datetime,
    stop: threading.Event,
    progress: Progress | None = None,
) -> tuple[FeedCheck, ...]:
    """Ask each feed of feeds.toml once, at its own address; return what is to be said.

    In the order of the file, without those of disabled outlets. No validators are sent,
    so each shows all it has. stop: once it is set no other feed is asked.
    """
    feeds = [feed for feed in config.feeds if feed.outlet.enabled]
    text = config.source.read_text("utf-8", "replace")
    tasks = [PollTask(feed, feed.url) for feed in feeds]
    # no topics: what the entries mention is of no matter here
    batches = engine.plan(tasks, replace(config, topics=()), now, _pauses(config, now))
    checks: dict[str, FeedCheck] = {}
    for landed in engine.outcomes(batches, config, stop):
        for outcome in landed:
            timeout = outcome.feed.outlet.timeout or config.polling.timeout
            checks[outcome.feed.url] = judge(outcome, timeout, text)
        if progress:
            progress(len(checks), len(tasks))
    return twins([checks.get(feed.url) or unasked(feed) for feed in feeds])


@dataclass(frozen=True, slots=True)
class LinksChecked:
    """What asking the published links told.

    links: different addresses that are published; alive: those that answer; left: those
    not asked for lack of time. checks: the others, once for each story that has them,
    by state and then by date. offline: not one was answered, as without a network.
    """

    links: int
    alive: int
    left: int
    checks: tuple[LinkCheck, ...]
    offline: bool


def ask_links(
    desk: Desk,
    now: datetime,
    seconds: float,
    stop: threading.Event,
    progress: Progress | None = None,
) -> LinksChecked:
    """Ask the links of all published stories once, for so many seconds at most.

    In an order that is another every day, so that what is left one day has its turn on
    another. stop: once it is set no other link is asked. Raises StoreError when there
    is no database yet.
    """
    config = desk.config
    with Store(config.storage.database, create=False) as store:
        published = uses(stories(store, desk))
        known, pauses = pages.robots(store), polls.pauses(store, now)
    by_url: defaultdict[str, list[Use]] = defaultdict(list)
    for use in published:
        by_url[use.url].append(use)
    day = now.date().isoformat()
    tasks = [
        PageTask(url, url, config.polling.timeout)
        for url in sorted(by_url, key=lambda url: number(url, day))
    ]
    halt = Halt(stop, seconds)
    answers: list[Answer] = []
    for landed in engine.answers(tasks, config, now, known, pauses, halt):
        answers += (one for one in landed if one.asked or one.not_before)
        if progress:
            progress(len(answers), len(tasks))
    offline = bool(answers) and all(map(_unanswered, answers))
    dead, unclear = [], []
    for answer in answers:
        state, reason = life(answer)
        of_it = by_url[answer.page]
        if state is Life.DEAD and not offline:
            dead += [(use, reason) for use in of_it]
        elif state is not Life.ALIVE:
            unclear += [
                LinkCheck(use.url, Life.UNCLEAR, reason, use.role, use.story)
                for use in of_it
            ]
    checks = [*found(dead, desk.decisions, config.site.timezone, now), *unclear]
    checks.sort(key=lambda one: (one.state, one.story.published_at, one.url))
    dropped = {check.url for check in checks}
    return LinksChecked(
        links=len(tasks),
        alive=len(answers) - len(dropped),
        left=len(tasks) - len(answers),
        checks=tuple(checks),
        offline=offline,
    )


def _unanswered(answer: Answer) -> bool:
    """Tell whether nobody has answered, be it for the fault of our own network."""
    return not answer.asked or bool(answer.failure and answer.failure.kind == "network")


def _pauses(config: Config, now: datetime) -> tuple[Pause, ...]:
    """Return the hosts that want to be left alone, as far as a database knows."""
    if not config.storage.database.exists():
        return ()
    with Store(config.storage.database) as store:
        return polls.pauses(store, now)
