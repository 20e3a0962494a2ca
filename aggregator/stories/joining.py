"""Which entries are one article, and why (DESIGN.md §8)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import timedelta

from aggregator.identity import number, short
from aggregator.stories.ledger import Member, Placement
from aggregator.text import fold

TITLE_WORDS = 5  # shorter titles are columns and names, not articles
SUMMARY_PROOF = 40  # characters of folded words below which a summary proves nothing
SUMMARY_SHARE = 0.8  # of the shorter summary's words that the other has too
SAME_OUTLET = timedelta(hours=24)
ACROSS_OUTLETS = timedelta(hours=48)
SAME_COLUMN = timedelta(hours=20)  # a column under one URL is another article then
ADOPTION = timedelta(days=30)  # an `add` without URL and the outlet's own entry
_WORD = re.compile(r"[^\W_]+")


def words(text: str) -> str:
    """Return the folded words of a text: copies differ in punctuation and quotes."""
    return " ".join(_WORD.findall(fold(text)))


def title_key(title: str) -> int:
    """Return what titles of the same `words` share."""
    return number("title", words(title))


def place(
    newcomers: Iterable[Member], neighbours: Iterable[Member], taken: Iterable[str]
) -> tuple[Placement, ...]:
    """Return where each newcomer belongs, whatever order they arrived in.

    neighbours: placed members that share a canonical URL or a title with a newcomer;
    taken: every short id in use. Additions come first, since a story keeps the id of
    its first entry and an addition is what the maintainer named; then by date.
    """
    newcomers, neighbours = tuple(newcomers), tuple(neighbours)
    reused = {m.canonical for m in (*newcomers, *neighbours) if m.reused}
    book = _Book(neighbours, taken, reused)
    order = sorted(
        newcomers,
        key=lambda m: (m.addition is None, m.published_at, m.canonical, m.entry),
    )
    return tuple(book.enter(member) for member in order)


class _Book:
    """The members placed so far, found by canonical URL and by title."""

    def __init__(
        self, members: Iterable[Member], taken: Iterable[str], reused: AbstractSet[str]
    ) -> None:
        self._by_url: dict[str, Member] = {}
        self._by_title: defaultdict[str, list[Member]] = defaultdict(list)
        self._taken = set(taken)
        self._linked: set[str] = set()
        self._reused = reused
        for member in members:
            self._write(member)

    def enter(self, member: Member) -> Placement:
        """Place one newcomer and remember it for those that follow."""
        placement = self._find(member) or self._found(member)
        self._write(replace(member, story=placement.story))
        return placement

    def _write(self, member: Member) -> None:
        for url in member.addresses:
            self._by_url.setdefault(url, member)
        self._by_title[words(member.title)].append(member)
        if member.url:
            self._linked.add(member.story)

    def _find(self, member: Member) -> Placement | None:
        for url in member.addresses:
            same = self._by_url.get(url)
            if same and url not in self._reused:
                told = url == member.canonical == same.canonical
                reason = "same URL" if told else "same URL by its page"
                return Placement(member.entry, same.story, reason)
        for other in self._by_title[words(member.title)]:
            if member.addition and other.addition:
                continue  # the maintainer wrote down both
            if self._same_day(member, other):
                return Placement(member.entry, other.story, "same URL, title and day")
            lacks_url = not member.url or other.story not in self._linked
            if lacks_url and _adopts(member, other):
                reason = "same outlet and title as an added article"
                return Placement(member.entry, other.story, reason)
            if reason := _same_title(member, other):
                return Placement(member.entry, other.story, reason)
        return None

    def _same_day(self, one: Member, other: Member) -> bool:
        """Tell whether two members of equal title, under one reused URL, are one."""
        near = abs(one.published_at - other.published_at) < SAME_COLUMN
        return one.canonical == other.canonical in self._reused and near

    def _found(self, member: Member) -> Placement:
        day = member.published_at.date().isoformat()
        own = member.addition.key if member.addition else ""
        name = member.canonical or own or f"{member.outlet}/{member.title}/{day}"
        if member.canonical in self._reused:
            name = f"{name}\n{day}"
        story, salt = short(name), 0
        while story in self._taken:
            salt += 1
            story = short(name, str(salt))
        self._taken.add(story)
        return Placement(member.entry, story)


def _adopts(one: Member, other: Member) -> bool:
    """Tell whether, of two members of equal title, one was added for the other.

    An addition without URL takes its outlet's own entry (DESIGN.md §4).
    """
    added = one if one.addition else other
    return (
        added.addition is not None
        and not added.url
        and fold(one.outlet) == fold(other.outlet)
        and abs(one.published_at - other.published_at) <= ADOPTION
    )


def _same_title(one: Member, other: Member) -> str:
    """Return why two members of equal title are one article, "" if they are not.

    DESIGN.md §8, rule 2.
    """
    apart = abs(one.published_at - other.published_at)
    if fold(one.outlet) == fold(other.outlet):
        if apart <= SAME_OUTLET and _long_enough(one.title):
            return "same outlet and title within 24 h"
    elif (
        apart <= ACROSS_OUTLETS
        and _long_enough(one.title)
        and summaries_agree(one.summary, other.summary)
    ):
        return "same title and summary within 48 h"
    return ""


def _long_enough(title: str) -> bool:
    return len(words(title).split()) >= TITLE_WORDS


def summaries_agree(one: str, other: str) -> bool:
    """Tell whether two summaries say the same; too short ones prove nothing."""
    one, other = words(one), words(other)
    if min(len(one), len(other)) < SUMMARY_PROOF:
        return False
    these, those = set(one.split()), set(other.split())
    return len(these & those) >= SUMMARY_SHARE * min(len(these), len(those))
