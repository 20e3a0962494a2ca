"""What can be found out about an article that no feed delivered, from its page.

It asks the page once, under the rules of article pages. What comes of it is only a
proposal: nothing here decides or writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from aggregator import config as configuration
from aggregator.ask import STRANGER, kinship
from aggregator.match import match
from aggregator.model import Article, Config, Entry, Outlet, PageBatch, PageTask
from aggregator.read import read
from aggregator.text import cut
from aggregator.urls import canonical, host

EXCERPT: Final = 300  # characters of an outlet's own summary that are proposed
_NOON: Final = timedelta(hours=12)  # how a page's date without an hour is read


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
        topics=_topics(config, said, outlet),
        problem=f"only a part of it can be read: {said.obstacle}"
        if said.obstacle
        else "",
    )


def _outlet(config: Config, url: str) -> Outlet:
    """Return the outlet of feeds.toml that an address belongs to, else a nameless one.

    As `why` finds it: by the hosts and folders of its homepage and its feeds.
    """
    near = {
        outlet: max(kinship(url, home) for home in (outlet.homepage, *outlet.urls))
        for outlet in config.outlets
    }
    best = max(near.values(), default=STRANGER)
    likely = [outlet for outlet, kin in near.items() if STRANGER < kin == best]
    return likely[0] if len(likely) == 1 else Outlet("", ())


def _title(said: Article, outlet: str) -> str:
    """Return the title without the outlet's name at its end."""
    for dash in (" | ", " – ", " - ", " — "):
        said_title, _, end = said.title.rpartition(dash)
        if said_title and end.casefold() in (outlet.casefold(), said.outlet.casefold()):
            return said_title
    return said.title


def _date(at: datetime | None, timezone: str) -> str:
    if at is None:
        return ""
    if at.astimezone(UTC) == _midnight(at) + _NOON:
        return at.date().isoformat()
    return at.astimezone(ZoneInfo(timezone)).isoformat()


def _midnight(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _topics(config: Config, said: Article, outlet: Outlet) -> tuple[str, ...]:
    entry = Entry(
        id=0,
        key="",
        url="",
        title=said.title,
        summary=said.summary,
        fingerprint=0,
        content=said.text,
    )
    found = {
        mention.topic
        for mention in match([entry], config.topics, outlet)
        if mention.rule == "match"
    }
    return tuple(topic.id for topic in config.topics if topic.id in found)
