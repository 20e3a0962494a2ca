"""Which entries are one article, and why (DESIGN.md §8).

Rules 2 and 3 compare with a story's first entry only, so that likeness never wanders
from copy to copy. What is alike but not surely the same is suggested.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

from aggregator.identity import short
from aggregator.stories.ledger import Member, Placement, Suggestion, outlet_key
from aggregator.stories.likeness import (
    Titles,
    dates_clash,
    long_enough,
    marks,
    only_dates_differ,
    shared,
    summaries_agree,
    titles,
    touches,
    words,
)

SAME_OUTLET = timedelta(hours=24)
ACROSS_OUTLETS = timedelta(hours=48)
ADOPTION = timedelta(days=30)  # an `add` without URL and the outlet's own entry
REUSE = timedelta(hours=20)  # a daily column comes back after that
_SURE = 0.8  # of a text in another: the same agency's
_LIKELY = 0.5  # … perhaps; below it two reporters were at one event
_CHANGED = 0.5  # of a summary: most of it is new
_SUGGESTED = 3  # stories that one may be the same as: more are no help

_NO = ("", False)


def place(
    newcomers: Iterable[Member], neighbours: Iterable[Member], taken: Iterable[str]
) -> tuple[Placement, ...]:
    """Return where each newcomer belongs, whatever order they arrived in.

    neighbours: placed members that share a canonical URL, a title or marks with a
    newcomer; taken: those of `possible_ids` that are in use. Additions come first,
    since a story keeps the id of its first entry and an addition is what the
    maintainer named; then by date.
    """
    book = _Book(neighbours, taken)
    order = sorted(
        newcomers,
        key=lambda m: (m.addition is None, m.published_at, m.canonical, m.entry),
    )
    return tuple(book.enter(member) for member in order)


def possible_ids(members: Iterable[Member]) -> Iterator[str]:
    """Yield the ids that the members' own stories may get."""
    for member in members:
        yield from _ids(member)


def _ids(member: Member) -> Iterator[str]:
    day = member.published_at.date().isoformat()
    own = member.addition.key if member.addition else ""
    name = member.canonical or own or f"{member.outlet}/{member.title}/{day}"
    if not member.reused:
        yield short(name)
    yield short(name, day)  # a daily column uses one address again
    yield short(name, str(member.entry))


class _Book:
    """The members placed so far, found by canonical URL, by title and by marks."""

    def __init__(self, members: Iterable[Member], taken: Iterable[str]) -> None:
        self._by_url: defaultdict[str, list[Member]] = defaultdict(list)
        self._by_title: defaultdict[str, list[Member]] = defaultdict(list)
        self._by_mark: defaultdict[int, list[Member]] = defaultdict(list)
        self._taken = set(taken)
        self._linked: set[str] = set()
        for member in members:
            self._write(member)

    def enter(self, member: Member) -> Placement:
        """Place one newcomer and remember it for those that follow."""
        placement = self._find(member)
        self._write(replace(member, story=placement.story, reason=placement.reason))
        return placement

    def _write(self, member: Member) -> None:
        for url in filter(_is_article, member.addresses):
            self._by_url[url].append(member)
        self._by_title[words(member.title)].append(member)
        if not member.reason:
            for mark in marks(member.title, member.summary):
                self._by_mark[mark].append(member)
        if member.url:
            self._linked.add(member.story)

    def _find(self, member: Member) -> Placement:
        likely: dict[str, str] = {}  # why, by story
        for url, same in self._at_addresses(member):
            if not (_reused(member, same) or _strangers(url, member, same)):
                return Placement(member.entry, same.story, _why_at(url, member, same))
            # one of them: a page of many articles would suggest each with all others
            near = abs(member.published_at - same.published_at) < REUSE
            if near and not likely and not _several(member, same):
                likely[same.story] = "same URL, other title and text"
        for other in self._by_title[words(member.title)]:
            lacks_url = not member.url or other.story not in self._linked
            if lacks_url and _adopts(member, other):
                reason = "same outlet and title as an added article"
                return Placement(member.entry, other.story, reason)
        for first in self._alike(member):
            reason, sure = likeness(member, first)
            if sure:
                return Placement(member.entry, first.story, reason)
            if reason:
                likely.setdefault(first.story, reason)
        suggestions = [Suggestion(story, reason) for story, reason in likely.items()]
        story = self._id(member)
        return Placement(member.entry, story, "", tuple(suggestions[:_SUGGESTED]))

    def _at_addresses(self, member: Member) -> Iterator[tuple[str, Member]]:
        """Yield those known by an address of the member's, its own address first."""
        for url in member.addresses:
            for same in self._by_url.get(url, ()):
                yield url, same

    def _alike(self, member: Member) -> list[Member]:
        """Return the first entries of stories that may be alike, in a fixed order."""
        same = [one for one in self._by_title[words(member.title)] if not one.reason]
        for mark in marks(member.title, member.summary):
            same += self._by_mark.get(mark, ())
        found = {one.entry: one for one in same}
        return sorted(
            found.values(), key=lambda m: (m.published_at, m.canonical, m.entry)
        )

    def _id(self, member: Member) -> str:
        """Return an id for a story of its own, the first that is free."""
        story = next(one for one in _ids(member) if one not in self._taken)
        self._taken.add(story)
        return story


def _why_at(url: str, one: Member, other: Member) -> str:
    """Return how two entries come to have an address in common."""
    if url == one.canonical == other.canonical:
        return "same URL"
    if all(url in (member.canonical, member.led) for member in (one, other)):
        return "same URL behind a link"
    return "same URL by its page"


def _is_article(canonical: str) -> bool:
    """Tell whether an address may be an article's: a home page is none."""
    parts = urlsplit(canonical)
    return bool(parts.path or parts.query)


def _reused(one: Member, other: Member) -> bool:
    """Tell whether two entries with one address are two articles nevertheless.

    A column has one address for all its days, and some outlets give many articles that
    of the page they stand on. Where the feed proved it, only an equal title tells, and
    for a day. Else what two outlets link to is one thing.
    """
    near = abs(one.published_at - other.published_at) < REUSE
    if _several(one, other):
        return not near or words(one.title) != words(other.title)
    if outlet_key(one.outlet) != outlet_key(other.outlet):
        return False
    said, told = words(one.summary), words(other.summary)
    agree = said == told or summaries_agree(said, told)
    share, _ = shared(one.summary, other.summary)
    rewritten = bool(said and told) and not agree and share < _CHANGED
    if not near:
        return rewritten or only_dates_differ(one.title, other.title)
    return rewritten and titles(one.title, other.title) in (
        Titles.OTHER,
        Titles.VARIANT,
    )


def _strangers(url: str, one: Member, other: Member) -> bool:
    """Tell whether only redirectors say that two entries have an address in common.

    Links that are dead or walled off may all lead to one page that nobody foresaw, so
    something else has to speak for them as well.
    """
    return (
        url == one.led == other.led
        and one.canonical != other.canonical
        and titles(one.title, other.title) in (Titles.OTHER, Titles.VARIANT)
        and not summaries_agree(one.summary, other.summary)
    )


def _several(one: Member, other: Member) -> bool:
    """Tell whether two entries have one address that a feed proved to use again."""
    shared_one = one.canonical and one.canonical == other.canonical
    return bool(shared_one) and (one.reused or other.reused)


def _adopts(one: Member, other: Member) -> bool:
    """Tell whether, of two members of equal title, one was added for the other.

    An addition without URL takes its outlet's own entry (DESIGN.md §4).
    """
    if one.addition and other.addition:
        return False  # the maintainer wrote down both
    added = one if one.addition else other
    return (
        added.addition is not None
        and not added.url
        and outlet_key(one.outlet) == outlet_key(other.outlet)
        and abs(one.published_at - other.published_at) <= ADOPTION
    )


def likeness(one: Member, first: Member) -> tuple[str, bool]:
    """Return why an entry may be the same article as a story's first, and if surely.

    The reason is "" when nothing says so. Two that the maintainer added are two.
    """
    apart = abs(one.published_at - first.published_at)
    if apart > ACROSS_OUTLETS or (one.addition and first.addition):
        return _NO
    if _several(one, first):
        return _NO  # what their address could not tell, a column's title cannot
    if outlet_key(one.outlet) == outlet_key(first.outlet):
        return _in_one_outlet(one, first, apart)
    return _across_outlets(one, first)


def _in_one_outlet(one: Member, first: Member, apart: timedelta) -> tuple[str, bool]:
    if apart > SAME_OUTLET:
        return _NO
    agree = summaries_agree(one.summary, first.summary)
    match titles(one.title, first.title):
        case Titles.EQUAL if long_enough(one.title):
            other_day = apart >= REUSE and one.summary and first.summary and not agree
            return "same outlet and title within 24 h", not other_day
        case Titles.RETOUCHED if long_enough(one.title):
            return "same outlet, title retouched within 24 h", agree
        case Titles.OTHER:
            share, common = shared(one.summary, first.summary)
            if share >= _SURE and _both_touch(one, first, common):
                return "same outlet and text within 24 h", False
    return _NO


def _across_outlets(one: Member, first: Member) -> tuple[str, bool]:
    agree = summaries_agree(one.summary, first.summary)
    relation = titles(one.title, first.title)
    enough = long_enough(one.title) and long_enough(first.title)
    if relation is Titles.EQUAL and enough:
        if agree:
            return "same title and summary within 48 h", True
        return "same title within 48 h", False
    if relation in (Titles.CONTAINED, Titles.RETOUCHED) and enough:
        if agree:
            return "nearly the same title, same summary within 48 h", True
        return "nearly the same title within 48 h", False
    share, common = shared(one.summary, first.summary)
    if share < _LIKELY or not _both_touch(one, first, common):
        return _NO
    told = [f"{member.title} {member.summary}" for member in (one, first)]
    sure = (
        share >= _SURE
        and relation is Titles.OTHER
        and not dates_clash(told[0], told[1])
    )
    return "same text within 48 h", sure


def _both_touch(one: Member, other: Member, common: Iterable[str]) -> bool:
    return touches(one.title, common) and touches(other.title, common)
