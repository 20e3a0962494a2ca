"""What is known of an article, and what is said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from aggregator.health import Status, Window
from aggregator.model import (
    Decision,
    Entry,
    Mention,
    Outlet,
    State,
    Story,
    Topic,
)
from aggregator.why.nearest import Near


@dataclass(frozen=True, slots=True)
class Reading:
    """How the page of an article was read: last, and how often it was asked for.

    state: "full", "part" or "failed"; reason: of the latter two.
    """

    state: str
    reason: str
    tries: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Following:
    """How the link of an entry was followed that does not say where it leads.

    target: where it leads, "" = not known, for this reason. tries, at: as `Reading`.
    """

    url: str
    target: str
    reason: str
    tries: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Trace:
    """An entry that the database has, and what became of it.

    feed: its URL, "" where the maintainer added it. listed: its feed's last document
    lists it. dropped_at: since when it does not. backfilled: only `backfill` brought
    it; dropped_at is when. story: the short id, "" = none; reason: why it was joined to
    it. page: None = it was never asked for; link: None = it was never followed, as most
    need not be.
    """

    entry: Entry
    feed: str
    outlet: str
    dated_at: datetime
    seen_at: datetime
    listed: bool = False
    dropped_at: datetime | None = None
    backfilled: bool = False
    story: str = ""
    reason: str = ""
    mentions: tuple[Mention, ...] = ()
    page: Reading | None = None
    link: Following | None = None


@dataclass(frozen=True, slots=True)
class Tale:
    """The story that an article belongs to.

    story: as the maintainer's files have it now; state: where it stood after the last
    cycle, None = it has not been settled yet. decided: the decisions that speak of it,
    with their places in curation.toml from 1. places: the published documents that hold
    it now. reason: why the article was joined to it, "" for the story's first.
    """

    story: Story
    state: State | None
    decided: tuple[tuple[int, Decision], ...]
    places: tuple[str, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """An outlet that would carry an article: how its feeds fare, and its holes.

    since: when it was first followed, None = not yet.
    """

    outlet: Outlet
    lines: tuple[Status, ...]
    since: datetime | None = None
    windows: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True)
class Forgotten:
    """An entry of which only a fingerprint is left, and when it left its feed."""

    feed: str
    dropped_at: datetime


@dataclass(frozen=True, slots=True)
class Span:
    """When an article was published, as far as that is known."""

    start: datetime
    end: datetime
    written: str


@dataclass(frozen=True, slots=True)
class Case:
    """All that is known of what was asked for.

    url: what was asked for, complete; "" = words or an id. dated: None = not known.
    traces: its entries. sources: outlets that might carry it, where there is no entry.
    likely: an entry of each article whose title has the words, where there are several.
    ended_at: when the last complete cycle was.
    """

    asked: str
    now: datetime
    timezone: str
    curation: str
    topics: tuple[Topic, ...]
    outlets: Sequence[Outlet]
    history: timedelta
    url: str = ""
    dated: Span | None = None
    traces: tuple[Trace, ...] = ()
    tale: Tale | None = None
    sources: tuple[Source, ...] = ()
    forgotten: tuple[Forgotten, ...] = ()
    likely: tuple[Trace, ...] = ()
    ended_at: datetime | None = None


class Cause(StrEnum):
    """Why an article is, or is not, where somebody looks for it."""

    PUBLISHED = "published"
    WATCHED = "watched"  # published, but no topic of it is a main one
    JOINED = "joined"  # it is told as a copy of another
    WAITING = "waiting"
    HIDDEN = "hidden"
    SUPPRESSED = "suppressed"
    WITHDRAWN = "withdrawn"
    UNPLACED = "unplaced"  # a cycle was cut off before it became a story
    EDITED = "edited"  # the rules of today find it, those it was read by did not
    LEFT_OUT = "left_out"  # only topics find it that its outlet is not asked for
    NO_LINE = "no_line"
    FORGOTTEN = "forgotten"  # its text is older than the history
    DISABLED = "disabled"
    NOT_POLLED = "not_polled"
    FAILING = "failing"
    MISSED = "missed"  # in a gap, or while its outlet could not be read
    EARLIER = "earlier"  # than its outlet is followed
    NEVER_LISTED = "never_listed"
    UNKNOWN_OUTLET = "unknown_outlet"
    SEVERAL = "several"  # articles have these words
    UNKNOWN_WORDS = "unknown_words"


@dataclass(frozen=True, slots=True)
class Mend:
    """What to do. run: a command; paste: lines for the file that `says` names."""

    says: str
    run: str = ""
    paste: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """One cause, with what is known of it and what mends it."""

    cause: Cause
    facts: tuple[str, ...]
    mends: tuple[Mend, ...] = ()
    nearest: Near | None = None
    places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Article:
    """The article asked for, as far as the database has it.

    seen_at: when it was first read. listed_until: when it left its feed, None = it is
    listed still, or was never in one. backfilled: only `backfill` brought it, so that
    its feed is not known to have listed it.
    """

    title: str
    outlet: str
    url: str
    published_at: datetime
    seen_at: datetime | None = None
    listed_until: datetime | None = None
    backfilled: bool = False
    feeds: tuple[str, ...] = ()
    story: str = ""
    state: State | None = None
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said of what was asked for; reasons: at least one, the main one first.

    candidates: the articles that may be meant, where there are several.
    """

    asked: str
    article: Article | None
    reasons: tuple[Reason, ...]
    candidates: tuple[Article, ...] = ()

    @property
    def cause(self) -> Cause:
        """The main one."""
        return self.reasons[0].cause
