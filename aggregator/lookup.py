"""What can be found out about an article that no feed delivered, from its page.

It asks the page once, under the rules of article pages. What comes of it is only a
proposal: nothing here decides or writes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from aggregator import config as configuration
from aggregator.ask import nearest
from aggregator.match import match
from aggregator.model import Article, Config, Entry, Outlet, PageBatch, PageTask
from aggregator.read import read
from aggregator.sources import same
from aggregator.text import cut
from aggregator.urls import canonical, host

EXCERPT: Final = 300  # characters of an outlet's own summary that are proposed
_NOON: Final = time(12)  # in UTC, how `article` reads a date without an hour
_ENDING: Final = re.compile(r"(.*\S) [|–—-] (\S.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Found:
    """What a page tells of its article; "" and () = it does not say.

    published: as curation.toml has dates. topics: those whose lines of `match` its
    words satisfy. problem: why the page could not be read.
    """

    title: str = ""
    outlet: str = ""
    published: str = ""
    author: str = ""
    excerpt: str = ""
    topics: tuple[str, ...] = ()
    problem: str = ""


def look_up(config: Config, url: str, now: datetime) -> Found:
    """Ask an article's page, and return what it tells."""
    task = PageTask(canonical(url), url, config.polling.timeout)
    agent = configuration.user_agent(config)
    batch = PageBatch((task,), host(url), config.polling, agent, now)
    (page,) = read(batch)
    outlet = _outlet(config, url)
    if page.article is None:
        reason = page.failure.reason if page.failure else "its host cannot be asked now"
        return Found(outlet=outlet.name, problem=reason)
    said = page.article
    name = outlet.name or said.outlet or host(url).removeprefix("www.")
    return Found(
        title=_title(said, name),
        outlet=name,
        published=_date(said.published_at, config.site.timezone),
        author="" if said.author == name else said.author,
        excerpt=cut(said.summary, EXCERPT),
        topics=topics_of(config, outlet, said.title, said.summary, said.text),
        problem=f"only a part of it can be read: {said.obstacle}"
        if said.obstacle
        else "",
    )


def _outlet(config: Config, url: str) -> Outlet:
    """Return the outlet of feeds.toml that an address belongs to, else a nameless one.

    As `why` finds it: by the hosts and folders of its homepage and its feeds.
    """
    likely = nearest(url, {one: (one.homepage, *one.urls) for one in config.outlets})
    return likely[0] if len(likely) == 1 else Outlet("", ())


def _title(said: Article, outlet: str) -> str:
    """Return the title without the outlet's name at its end."""
    ending = _ENDING.fullmatch(said.title)
    if ending and (same(ending[2], outlet) or same(ending[2], said.outlet)):
        return ending[1]
    return said.title


def _date(at: datetime | None, timezone: str) -> str:
    if at is None:
        return ""
    if at.time() == _NOON:
        return at.date().isoformat()
    return at.astimezone(ZoneInfo(timezone)).isoformat()


def topics_of(
    config: Config, outlet: Outlet, title: str, summary: str, text: str = ""
) -> tuple[str, ...]:
    """Return the topics whose lines of `match` the words of an article satisfy."""
    entry = Entry(
        id=0,
        key="",
        url="",
        title=title,
        summary=summary,
        fingerprint=0,
        content=text,
    )
    found = {
        mention.topic
        for mention in match([entry], config.topics, outlet)
        if mention.rule == "match"
    }
    return tuple(topic.id for topic in config.topics if topic.id in found)
