"""Stories as readers see them, and the report of a cycle."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from aggregator.model.outlets import Feed
from aggregator.model.polls import Column, Failure, Rule, Verdict
from aggregator.model.settings import Precision


class State(StrEnum):
    """Where a story stands; HELD: it would be published, but the brake is on."""

    PUBLISHED = "published"
    WAITING = "waiting"
    HELD = "held"
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
class Proof:
    """That an entry mentions a topic, without the words: see `Mention`."""

    topic: str
    verdict: Verdict
    rule: Rule
    line: str = ""
    column: Column = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """An entry of a story, as far as it takes to make the story of it again.

    feed, key: as in `Feed` and `Entry`; feed "" = the maintainer added it. story,
    reason: where the rules placed it, and why; story "" = in the one it is shown in,
    reason "" = it founded that. told: the story's summary is its. named, reused: as in
    `stories.Member`.
    """

    key: str
    published_at: datetime
    feed: str = ""
    outlet: str = ""
    url: str = ""
    title: str = ""
    author: str = ""
    language: str = ""
    feed_title: str = ""
    home: str = ""
    story: str = ""
    reason: str = ""
    named: str = ""
    reused: bool = False
    told: bool = False
    mentions: tuple[Proof, ...] = ()


@dataclass(frozen=True, slots=True)
class Story:
    """The article as a reader knows it, published as one Atom entry.

    short: names it in commands and anchors. title, url, outlet, author, summary,
    language: the first entry's; url "" = it has none. copies: the first entry, then
    the others by date, no outlet twice. added_at: when it entered our feed; None while
    it never did. live: False for what was added at its own, older date.
    withdrawn_at: set while a story that was public is so no longer. held: the topics
    that it would enter or leave if the brake let it. entries: all that it is made of.
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
    held: tuple[str, ...] = ()
    entries: tuple[Origin, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What a cycle did; the numbers are those of `run --json` (DESIGN.md §5).

    stories: published after it. failures: every feed that failed; started, recovered:
    those whose last poll had gone the other way. by_topic: new certain and doubtful
    mentions, in the order of feeds.toml. reached: False when this machine seems cut off
    from all outlets, by all that was polled up to now. held: how many stories the brake
    holds, by topic; braked: the topics of which it holds more than before. hubs: those
    that begin to fail, with the reason, and those that work again, with "". restored:
    how many stories came back from the published folder, None = the database was there.
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
    reached: bool = True
    held: tuple[tuple[str, int], ...] = ()
    braked: tuple[str, ...] = ()
    hubs: tuple[tuple[str, str], ...] = ()
    restored: int | None = None
