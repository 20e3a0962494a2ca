"""The values that travel between the stages, and the errors they may raise.

Everything here is frozen, picklable and free of behaviour beyond what a field means;
times end in `_at` and are aware UTC. No input or output, no third-party library and
no other room of this package may enter.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Literal

# ── errors ────────────────────────────────────────────────────────────────────────────


class AggregatorError(Exception):
    """Whatever this package raises on purpose; `str()` is one line for a person."""

    exit_status = 1


class ConfigError(AggregatorError):
    """feeds.toml or curation.toml cannot be used; `problems` holds a line for each."""

    exit_status = 2

    def __init__(self, source: Path | str, problems: tuple[str, ...]) -> None:
        """Keep every problem, each saying where, what was read and what to write."""
        count = f"{len(problems)} problem{'s' if len(problems) != 1 else ''}"
        super().__init__("\n  ".join((f"{source}: {count}", *problems)))
        self.source = str(source)
        self.problems = problems


class QueryError(AggregatorError):
    """A query line cannot be read; the text says why and what to write instead."""

    exit_status = 2


class StoreError(AggregatorError):
    """The database cannot be used."""


class LockHeldError(AggregatorError):
    """Another command holds the lock that this one needs."""

    exit_status = 75


class StageError(AggregatorError):
    """What an outlet did; becomes a `Failure` and never leaves `poll`."""


class FetchError(StageError):
    """A document could not be fetched."""

    def __init__(
        self,
        reason: str,
        *,
        kind: FailureKind = "network",
        status: int | None = None,
        not_before: datetime | None = None,
        moved_to: str = "",
    ) -> None:
        """Keep the reason (lower case, one line, no URL) and what the server added."""
        super().__init__(reason)
        self.kind: FailureKind = kind
        self.status = status
        self.not_before = not_before
        self.moved_to = moved_to


class ParseError(StageError):
    """A document is no feed, or could not be read within its limits."""


# ── feeds.toml ────────────────────────────────────────────────────────────────────────

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
    """How often and how gently outlets are asked; `max_bytes` after decompression."""

    interval: timedelta = timedelta(minutes=30)
    fastest: timedelta = timedelta(minutes=10)
    slowest: timedelta = timedelta(hours=24)
    concurrency: int = 16
    per_host: int = 2
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


# ── curation.toml ─────────────────────────────────────────────────────────────────────

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


# ── polling ───────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Validators:
    """ETag and Last-Modified of a feed's last safely stored document; "" = none."""

    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class PollTask:
    """One feed to poll, and what is already known of it.

    url: where it is polled: the feed's own, or where it moved. known: fingerprints of
    all its remembered entries. body_hash: of the last safely stored document; b"" =
    none.
    """

    feed: Feed
    url: str
    validators: Validators = Validators()
    body_hash: bytes = b""
    known: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Batch:
    """What is submitted to an executor: tasks, and all that polling them needs."""

    tasks: tuple[PollTask, ...]
    topics: tuple[Topic, ...]
    polling: Polling
    user_agent: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer of a server, body decompressed.

    url: after redirects. moved_to: the target when every hop was permanent, else "".
    fresh_until: what Cache-Control or Expires promise, None = nothing.
    complete: False when the body broke off before its announced or encoded end.
    """

    url: str
    status: int
    body: bytes = b""
    content_type: str = ""
    content_location: str = ""
    content_language: str = ""
    validators: Validators = Validators()
    moved_to: str = ""
    fresh_until: datetime | None = None
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of a feed, as parsed: every text is plain, without markup.

    id: 63 bits, from the feed's URL and `key`; the same for ever.
    key: what tells it from the others of its feed: guid, else URL, else title and date.
    url: absolute, "" = none. content: the article as far as the feed carries it.
    outlet: named by the entry itself (search feeds), "" = the feed's outlet.
    fingerprint: 63 bits over key and everything shown; changes when the entry does.
    """

    id: int
    key: str
    url: str
    title: str
    summary: str
    fingerprint: int
    content: str = ""
    author: str = ""
    language: str = ""
    outlet: str = ""
    published_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed feed. complete: False when it was cut short or malformed.

    dated_at: the feed's own date. ttl: how long it asks to be left alone.
    """

    title: str
    home: str
    language: str
    entries: tuple[Entry, ...]
    complete: bool = True
    dated_at: datetime | None = None
    ttl: timedelta | None = None


class Verdict(StrEnum):
    """What a topic's rules say of an entry."""

    CERTAIN = "certain"
    DOUBTFUL = "doubtful"
    SUPPRESSED = "suppressed"


Column = Literal["title", "summary", "article", ""]
Rule = Literal["match", "review", "never", "always", "add"]


@dataclass(frozen=True, slots=True)
class Mention:
    """An entry that satisfies a topic, with its evidence.

    rule, line: which key of feeds.toml, and which of its lines as written ("" where the
    rule needs none). column, spans: where it matched, as offsets into that text as
    stored, in order. snippet: at most 120 characters around the first span, the matched
    words between `text.MARK` and `text.UNMARK`.
    """

    entry: int
    topic: str
    verdict: Verdict
    rule: Rule
    line: str = ""
    column: Column = ""
    spans: tuple[tuple[int, int], ...] = ()
    snippet: str = ""


FailureKind = Literal["network", "http", "gone", "limit", "refused", "document", "ours"]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a poll brought nothing; `reason` is one lower-case line without the URL.

    kind "ours" is a fault of this program, never of the outlet.
    """

    kind: FailureKind
    reason: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one poll of one feed brought.

    entries: the new and the changed ones. listed: ids of all the document lists; None
    when there was no new document to read. validators, body_hash: to be stored with the
    entries; after a failure or an incomplete document the old ones. not_before: neither
    this feed nor, with `host_wide`, its host is asked earlier.
    """

    feed: Feed
    at: datetime
    validators: Validators
    body_hash: bytes
    status: int | None = None
    failure: Failure | None = None
    entries: tuple[Entry, ...] = ()
    mentions: tuple[Mention, ...] = ()
    listed: tuple[int, ...] | None = None
    title: str = ""
    home: str = ""
    language: str = ""
    dated_at: datetime | None = None
    moved_to: str = ""
    not_before: datetime | None = None
    host_wide: bool = False
    seconds: float = 0.0

    @property
    def unchanged(self) -> bool:
        """The poll succeeded and brought neither a new nor a changed entry."""
        return self.failure is None and not self.entries


# ── stories ───────────────────────────────────────────────────────────────────────────


class State(StrEnum):
    """Where a story stands."""

    PUBLISHED = "published"
    WAITING = "waiting"
    HIDDEN = "hidden"
    SUPPRESSED = "suppressed"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Copy:
    """One entry of a story, as readers see it. reason: why it was joined."""

    outlet: str
    url: str
    title: str
    published_at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a story is in a topic: see `Mention`, whose entry is one of its copies."""

    topic: str
    line: str
    column: Column
    snippet: str
    certain: bool
    spans: tuple[tuple[int, int], ...] = ()
    of_first: bool = True


@dataclass(frozen=True, slots=True)
class Story:
    """The article as a reader knows it, published as one Atom entry.

    short: names it in commands and anchors. title, url, outlet, author, summary,
    language: the first entry's; url "" = it has none. copies: the first entry, then
    the others by date, no outlet twice. added_at: when it entered our feed; None while
    it never did. live: False for what was added at its own, older date.
    withdrawn_at: set while a story that was public is so no longer.
    """

    short: str
    state: State
    title: str
    url: str
    outlet: str
    published_at: datetime
    topics: tuple[str, ...]
    copies: tuple[Copy, ...]
    author: str = ""
    summary: str = ""
    language: str = ""
    precision: Precision = "time"
    excerpt: int | None = None
    evidence: tuple[Evidence, ...] = ()
    added_at: datetime | None = None
    updated_at: datetime | None = None
    withdrawn_at: datetime | None = None
    live: bool = True
    pinned: bool = False
    note: str = ""
    form: str = ""
    detail: str = ""
    archived: str = ""
    home: str = ""
    feed_url: str = ""
    feed_title: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What a cycle did; the numbers are those of `run --json` (DESIGN.md §5).

    stories: published after it. failures: every feed that failed; started, recovered:
    those whose last poll had gone the other way. by_topic: new certain and doubtful
    mentions, in the order of feeds.toml.
    """

    polled: int = 0
    unchanged: int = 0
    failed: int = 0
    new_entries: int = 0
    mentions: int = 0
    doubtful: int = 0
    stories: int = 0
    files_written: int = 0
    seconds: float = 0.0
    failures: tuple[tuple[Feed, Failure], ...] = ()
    started: tuple[tuple[Feed, Failure], ...] = ()
    recovered: tuple[Feed, ...] = ()
    by_topic: tuple[tuple[str, int, int], ...] = ()
