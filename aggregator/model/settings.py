"""What the maintainer's two files say: settings, topics, outlets, decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Literal

from aggregator.model.outlets import Articles, Feeds, Outlet, Outlets


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
    """All of feeds.toml, valid. source: the file it was read from.

    outlets: whatever sequence is given, they are `Outlets`. digest: of the bytes of the
    file, "" where this was made in another way; what is made of it by `replace` is.
    """

    source: Path
    site: Site
    storage: Storage
    polling: Polling
    matching: Matching
    engine: Engine
    topics: tuple[Topic, ...]
    outlets: Sequence[Outlet]
    digest: str = field(default="", init=False, compare=False)

    def __post_init__(self) -> None:
        """Have the outlets found by name and address."""
        object.__setattr__(self, "outlets", Outlets.of(self.outlets))

    def read_from(self, digest: str) -> Config:
        """Return this configuration, which a file of that digest says."""
        read = replace(self)
        object.__setattr__(read, "digest", digest)
        return read

    @property
    def feeds(self) -> Feeds:
        """Every feed of every outlet, those of disabled outlets too, in file order."""
        return Feeds(Outlets.of(self.outlets))

    def outlet(self, name: str) -> Outlet | None:
        """Return the outlet of a name, None where none has it."""
        return Outlets.of(self.outlets).named(name)


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
