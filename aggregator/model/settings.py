"""What the maintainer's two files say: settings, topics, outlets, decisions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Literal

Articles = Literal["none", "doubtful", "all"]
FeedKind = Literal["feed", "sitemap", "search"]


@dataclass(frozen=True, slots=True)
class Query:
    """One line of feeds.toml: `text` as written, `expression` as FTS5 reads it."""

    text: str
    expression: str


@dataclass(frozen=True, slots=True)
class Topic:
    """Named queries, with a published feed and page of their own.

    main: its stories are on the front page; else only where a main topic has them too.
    """

    id: str
    title: str
    description: str = ""
    main: bool = True
    match: tuple[Query, ...] = ()
    review: tuple[Query, ...] = ()
    never: tuple[Query, ...] = ()


@dataclass(frozen=True, slots=True)
class Outlet:
    """A publication and how its feeds are treated.

    topics: the only topic ids looked for; None = all. always, review: topic ids that
    every entry mentions for certain, or at least waits for. articles, interval,
    excerpt, timeout: None = as the whole configuration says.
    """

    name: str
    urls: tuple[str, ...]
    homepage: str = ""
    language: str = ""
    enabled: bool = True
    kind: FeedKind = "feed"
    topics: tuple[str, ...] | None = None
    always: tuple[str, ...] = ()
    review: tuple[str, ...] = ()
    articles: Articles | None = None
    interval: timedelta | None = None
    excerpt: int | None = None
    timeout: timedelta | None = None
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Feed:
    """One polled address of an outlet; all remembered state hangs on its URL."""

    url: str
    outlet: Outlet


@dataclass(frozen=True, slots=True)
class Site:
    """What is published, and how its readers see it."""

    title: str
    url: str
    id: str
    subtitle: str = ""
    author: str = ""
    rights: str = ""
    legal: str = ""
    contact: str = ""
    language: str = "fr"
    timezone: str = "Europe/Paris"
    entry_title: str = "{title} – {outlet}"
    feed_size: int = 50
    excerpt: int = 200
    hubs: tuple[str, ...] = ()
    heartbeat: str = ""


@dataclass(frozen=True, slots=True)
class Storage:
    """Where things are kept: absolute paths; `history` of entries without a mention."""

    database: Path
    output: Path
    desk: Path
    curation: Path
    history: timedelta = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class Polling:
    """How often and how gently outlets are asked; `max_bytes` after decompression.

    spacing: least time between two requests to one host; None = a second, or none at
    all where private addresses are allowed.
    """

    interval: timedelta = timedelta(minutes=30)
    fastest: timedelta = timedelta(minutes=10)
    slowest: timedelta = timedelta(hours=24)
    concurrency: int = 16
    per_host: int = 2
    spacing: timedelta | None = None
    timeout: timedelta = timedelta(seconds=30)
    max_bytes: int = 10_000_000
    max_entries: int = 2000
    allow_private_addresses: bool = False


@dataclass(frozen=True, slots=True)
class Matching:
    """Whose article pages are read too, and how many stories an edit may move."""

    articles: Articles = "doubtful"
    brake: int = 20


@dataclass(frozen=True, slots=True)
class Engine:
    """Where polls run."""

    kind: Literal["threads", "dask"] = "threads"
    address: str = ""


@dataclass(frozen=True, slots=True)
class Config:
    """All of feeds.toml, valid. source: the file it was read from."""

    source: Path
    site: Site
    storage: Storage
    polling: Polling
    matching: Matching
    engine: Engine
    topics: tuple[Topic, ...]
    outlets: tuple[Outlet, ...]

    @property
    def feeds(self) -> tuple[Feed, ...]:
        """Every feed of every outlet, those of disabled outlets too, in file order."""
        return tuple(
            Feed(url, outlet) for outlet in self.outlets for url in outlet.urls
        )


Precision = Literal["time", "day", "month"]


class Action(StrEnum):
    """What a decision does."""

    KEEP = "keep"
    HIDE = "hide"
    PIN = "pin"
    UNPIN = "unpin"
    RETAG = "retag"
    NOTE = "note"
    MERGE = "merge"
    SPLIT = "split"
    ADD = "add"


@dataclass(frozen=True, slots=True)
class Addition:
    """An article that the maintainer adds.

    key: its URL, else its id, else made of date, outlet and folded title.
    published_at: a date alone is 12:00 in the site's zone, and `precision` says so.
    """

    key: str
    title: str
    outlet: str
    published_at: datetime
    precision: Precision
    topics: tuple[str, ...]
    url: str = ""
    form: str = ""
    detail: str = ""
    author: str = ""
    excerpt: str = ""
    archived: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """One table of curation.toml.

    targets: what it speaks of, as written: URLs, short ids or ids, at least one.
    at: when it was taken; None where a person left it out.
    published: tells apart stories that share a URL; "" = none given.
    """

    action: Action
    targets: tuple[str, ...]
    at: datetime | None = None
    reason: str = ""
    published: str = ""
    topics: tuple[str, ...] = ()
    text: str = ""
    addition: Addition | None = None
