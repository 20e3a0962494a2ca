"""What travels when article pages are read, or links followed: tasks in, values out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from aggregator.model.polls import Failure, Pause
from aggregator.model.settings import Polling

FULL_TEXT = 1500  # characters from which a text is the article (DESIGN.md §3)

Obstacle = Literal["short", "paywall", "consent", ""]
"""Why the text of a page is not the whole article; "" = it is."""


@dataclass(frozen=True, slots=True)
class Robots:
    """A site's robots.txt. text: "" = it forbids nothing, None = not to be had.

    site: scheme and host, as `https://www.slate.fr`.
    """

    site: str
    text: str | None
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class PageTask:
    """One page to read. page: its canonical URL; url: where it is asked."""

    page: str
    url: str
    timeout: timedelta


@dataclass(frozen=True, slots=True)
class PageBatch:
    """Pages of one host, read one after the other, and all that reading them needs.

    Or links of one host, followed or asked for one after the other.

    robots: what is known of this site, and of those it may redirect to.
    """

    tasks: tuple[PageTask, ...]
    host: str
    polling: Polling
    user_agent: str
    now: datetime
    robots: tuple[Robots, ...] = ()
    pauses: tuple[Pause, ...] = ()
    lanes: int = 1


@dataclass(frozen=True, slots=True)
class Article:
    """What a page says. text: plain, as far as the page shows it.

    canonical: of the address that the page gives itself; "" = none that is believed.
    title, outlet, summary: what it tells search engines and networks; "" = nothing.
    """

    text: str
    obstacle: Obstacle = ""
    canonical: str = ""
    author: str = ""
    published_at: datetime | None = None
    title: str = ""
    outlet: str = ""
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """What reading one page brought: an article or a failure.

    asked: False when it was not, since its host or its robots.txt could not be asked or
    the time for it was over. robots: those that were asked on its way. not_before,
    paused_host: as `Outcome`.
    """

    page: str
    at: datetime
    article: Article | None = None
    failure: Failure | None = None
    asked: bool = True
    robots: tuple[Robots, ...] = ()
    not_before: datetime | None = None
    paused_host: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether a published address still answers: a failure says that it does not.

    page: the address; url: where it led, "" = nowhere. status: of the last answer,
    None = there was none, or it was well. asked, robots, not_before, paused_host: as
    `Page`.
    """

    page: str
    at: datetime
    url: str = ""
    failure: Failure | None = None
    status: int | None = None
    asked: bool = True
    robots: tuple[Robots, ...] = ()
    not_before: datetime | None = None
    paused_host: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """Where the link of an entry leads that does not say so itself, or a failure.

    page: the canonical URL of the link. target: the address it leads to, "" = not
    known. asked, not_before, paused_host: as `Page`.
    """

    page: str
    at: datetime
    target: str = ""
    failure: Failure | None = None
    asked: bool = True
    not_before: datetime | None = None
    paused_host: str = ""
