"""What is known of a story: its members, where they are placed, where it stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from aggregator.model import Addition, Mention, State
from aggregator.text import fold


@dataclass(frozen=True, slots=True)
class Member:
    """An entry with mentions, as stories see it.

    key: as in `Entry`. story: the short id of where the rules placed it, "" = nowhere
    yet; ruled: why they joined it. reason: why it is where it is shown, by the rules or
    the maintainer, "" for a story's first. published_at: never later than when it was
    first seen, and never changed afterwards. led: the canonical URL to which its link
    leads where that does not say so itself; named: the one that its page gives itself;
    "" = as far as is known. reused: its URL stands for other articles too.
    told: its summary was the story's, whatever is left of that. backfilled: no poll has
    brought it, only `backfill`.
    """

    entry: int
    outlet: str
    url: str
    canonical: str
    title: str
    published_at: datetime
    summary: str = ""
    author: str = ""
    language: str = ""
    mentions: tuple[Mention, ...] = ()
    story: str = ""
    reason: str = ""
    home: str = ""
    feed_url: str = ""
    feed_title: str = ""
    addition: Addition | None = None
    led: str = ""
    named: str = ""
    reused: bool = False
    key: str = ""
    ruled: str = ""
    told: bool = False
    backfilled: bool = False

    @property
    def addresses(self) -> tuple[str, ...]:
        """The canonical URLs by which it is known, its own first, each once."""
        known = dict.fromkeys((self.canonical, self.led, self.named))
        return tuple(url for url in known if url)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A story that may be the same as the one this stands with, and why."""

    story: str
    reason: str


@dataclass(frozen=True, slots=True)
class Placement:
    """The story an entry goes to; reason "" = it founds the story.

    suggestions: the stories that it may belong to, when it founds its own.
    """

    entry: int
    story: str
    reason: str = ""
    suggestions: tuple[Suggestion, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """What is remembered of a story between cycles.

    digest: of all that moves `updated_at` when it changes. The times are None until the
    story is first published; live is False when it was added at its own, older date.
    held: the topics that it would enter or leave if the brake let it.
    """

    story: str
    state: State
    topics: tuple[str, ...]
    added_at: datetime | None = None
    updated_at: datetime | None = None
    withdrawn_at: datetime | None = None
    live: bool = True
    digest: int = 0
    held: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ledger:
    """A story with all that is known of it: its members, the first one first.

    merged: the story it went into by a decision, "" for one that stands for itself.
    parted: whether a decision split it off another.
    """

    short: str
    members: tuple[Member, ...]
    standing: Standing | None = None
    merged: str = ""
    parted: bool = False

    @property
    def regrouped(self) -> bool:
        """Whether it comes or goes because the maintainer said so."""
        return self.parted or bool(self.merged)

    @property
    def backfilled(self) -> bool:
        """Whether no poll has brought any of it, only `backfill`."""
        return all(member.backfilled for member in self.members)


@lru_cache(maxsize=4096)
def outlet_key(name: str) -> str:
    """Return what outlets are compared by; many stories have few of them."""
    return fold(name)


def own(ledger: Ledger) -> list[Member]:
    """Return the members of the story's own outlet, the first one first."""
    outlet = outlet_key(ledger.members[0].outlet)
    return [member for member in ledger.members if outlet_key(member.outlet) == outlet]


def told(ledger: Ledger) -> Member:
    """Return the member whose summary is shown."""
    members = own(ledger)
    known = next((one for one in members if one.told), None)
    return known or first_with(members, lambda m: m.summary) or members[0]


def first_with(
    members: Sequence[Member], wanted: Callable[[Member], str]
) -> Member | None:
    """Return the first member that has what is wanted."""
    return next((member for member in members if wanted(member)), None)
