"""What travels when an outlet's older entries are asked for: steps in, landings out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from aggregator.model.outlets import Feed
from aggregator.model.pages import Robots
from aggregator.model.polls import Entry, Failure, Mention

Way = Literal["", "archive", "wordpress", "path", "drupal", "sitemap"]
"""How an outlet's older documents are reached; "" = not known.

archive: each names the one before it (RFC 5005). wordpress, path, drupal: by number, as
`?paged=N`, `/page/N/` or `?page=N`. sitemap: those that robots.txt names.
"""

StepKind = Literal[
    "live", "archive", "wordpress", "path", "drupal", "robots", "sitemap"
]
"""What a step asks: the live document of a feed, a robots.txt, or one of a way's."""

End = Literal["", "complete", "repeats", "none"]
"""Why nothing older is to be had: all was read, the same comes again, or there is no
way to it; "" = there may be more."""


@dataclass(frozen=True, slots=True)
class Step:
    """One document to ask.

    number: of the page, 0 where pages have none. rank: the lower comes first. newest:
    no entry in it is younger, as far as known. start: how many of its entries are
    recorded already.
    """

    url: str
    kind: StepKind
    number: int = 0
    rank: int = 0
    newest: datetime | None = None
    start: int = 0


@dataclass(frozen=True, slots=True)
class StepTask:
    """A step, and how many requests it may take, with robots.txt and redirects."""

    feed: Feed
    step: Step
    budget: int


@dataclass(frozen=True, slots=True)
class Nested:
    """A sitemap that an index lists, and when it changed last; None = not said."""

    url: str
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Landing:
    """What one step brought.

    url: where the document was, after redirects; home: the site that it says it is of.
    requests: made for it. asked: False when it was not: a host wants to be left alone,
    or the budget is spent (`spent`). signs: a number for each entry that the document
    lists, by which the same page is known again. entries: all of them; mentions: of
    these. oldest, newest: of the dates in it. untitled: titles are the words of
    addresses. more: the entry from which it is to be read on, 0 = none. cut: as many
    entries as may be read of a feed, where there may be others; 0 = it is whole. older,
    generator, dated_at: as in `Document`. sitemap: it is one. nested: sitemaps that it
    names.
    """

    feed: Feed
    step: Step
    at: datetime
    url: str = ""
    home: str = ""
    requests: int = 0
    asked: bool = True
    spent: bool = False
    failure: Failure | None = None
    status: int | None = None
    signs: tuple[int, ...] = ()
    entries: tuple[Entry, ...] = ()
    mentions: tuple[Mention, ...] = ()
    oldest: datetime | None = None
    newest: datetime | None = None
    untitled: bool = False
    more: int = 0
    cut: int = 0
    older: str = ""
    generator: str = ""
    dated_at: datetime | None = None
    sitemap: bool = False
    nested: tuple[Nested, ...] = ()
    robots: tuple[Robots, ...] = ()
    not_before: datetime | None = None
    paused_host: str = ""


@dataclass(frozen=True, slots=True)
class Walk:
    """How far a feed's older entries are known.

    way: see `Way`. first: signs of what its live document listed. asked: every document
    that was asked or is to be; others: those of its outlet's other feeds. pages:
    digests of what documents listed. oldest: the date of the oldest entry so far.
    ended: why there is no more, "" = there may be.
    """

    way: Way = ""
    first: frozenset[int] = frozenset()
    asked: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()
    pages: frozenset[int] = frozenset()
    oldest: datetime | None = None
    ended: End = ""


@dataclass(frozen=True, slots=True)
class Onward:
    """What follows from a landing.

    way: the one that it proves, "" = none. keep: its entries are recorded. done: it is
    not asked again. start: from which entry it is read when it is. add: documents to
    ask as well. alone: no other document that was to be asked is, since they were other
    ways. end: why there is no more, "" = there may be. stop: why nothing is asked for
    now, "" = it goes on. unread: why this one cannot be read, or not whole, while the
    others can. digest: of the signs in it.
    """

    way: Way = ""
    keep: bool = False
    done: bool = True
    start: int = 0
    add: tuple[Step, ...] = ()
    alone: bool = False
    end: End = ""
    stop: str = ""
    unread: str = ""
    digest: int | None = None
