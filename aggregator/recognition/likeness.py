"""How alike two texts of one outlet are: retouched, or another article. Pure.

What DESIGN.md §8, rule 0, says of words and dates, as small questions about two
entries; which entries are compared, and what follows, is not decided here.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final

from aggregator.identity import number
from aggregator.text import fold

REUSED: Final = timedelta(hours=20)  # a daily column may come a little early
PROOF: Final = 40  # letters of words below which a summary proves nothing
_AGREE: Final = 0.8  # of the shorter text's words that the other has too
# Of 12,780 pairs of different articles of one feed, 95 % share less than half.
_HALF: Final = 0.5
_READ: Final = 600  # characters of a summary that are compared
_MEANING: Final = 4  # letters from which a word may say what a text is about

_WORD: Final = re.compile(r"[^\W_]+")
_DATES: Final = frozenset(
    """
    janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre
    janv fevr avr juil sept oct nov dec lundi mardi mercredi jeudi vendredi samedi
    dimanche january february march april may june july august september october
    november december jan feb mar apr jun jul aug sep monday tuesday wednesday thursday
    friday saturday sunday
    """.split()
)


class Words:
    """The title and the summary of an entry, taken apart only when asked for."""

    def __init__(self, name: int, title: str | None, summary: str | None) -> None:
        """Keep the texts; None = forgotten. name: what `title_name` said of it."""
        self.name = name
        self.forgotten = title is None or summary is None
        self._title, self._summary = title or "", summary or ""

    @cached_property
    def title(self) -> tuple[str, ...]:
        """The folded words of the title."""
        return words(self._title)

    @cached_property
    def summary(self) -> tuple[str, ...]:
        """The folded words of the summary's beginning."""
        return words(self._summary[:_READ])

    @cached_property
    def telling(self) -> bool:
        """Whether the summary is long enough to prove something."""
        return len(" ".join(self.summary)) >= PROOF


def words(text: str) -> tuple[str, ...]:
    """Return the folded words of a text, without punctuation."""
    return tuple(_WORD.findall(fold(text)))


def title_name(title: str) -> int:
    """Return what titles of the same words share, 0 where there are none."""
    its = words(title)
    return number("title", *its) if its else 0


def apart(one: datetime | None, other: datetime | None) -> timedelta | None:
    """Return the time between two dates, None where one is missing."""
    return abs(one - other) if one and other else None


def moved(one: datetime | None, other: datetime | None) -> bool:
    """Tell whether two dates are so far apart that a name may be used again."""
    span = apart(one, other)
    return span is not None and span >= REUSED


def equal(one: Words, other: Words) -> bool:
    """Tell whether two entries have the same words, as far as they are remembered."""
    if one.name != other.name:
        return False
    return one.forgotten or other.forgotten or one.summary == other.summary


def agree(one: Words, other: Words) -> bool:
    """Tell whether two entries are plainly one article, by their words alone."""
    if one.forgotten or other.forgotten:
        return one.name == other.name
    if not (one.telling and other.telling):
        return one.name == other.name
    share = _share(one.summary, other.summary)
    return share >= (_HALF if one.name == other.name else _AGREE)


def differ(one: Words, other: Words) -> bool:
    """Tell whether nothing in the words of two entries says that they are one."""
    if one.forgotten or other.forgotten:
        return one.name != other.name
    if one.telling and other.telling and _share(one.summary, other.summary) >= _HALF:
        return False
    return _share(one.title, other.title) < _HALF


def another(one: Words, other: Words) -> bool:
    """Tell whether words changed as they do where a name is used again.

    Dates or numbers, in the title or the summary, or most of the summary.
    """
    if one.forgotten or other.forgotten:
        return one.name != other.name
    if _renumbered(one.title, other.title) or _renumbered(one.summary, other.summary):
        return True
    return one.telling and other.telling and _share(one.summary, other.summary) < _HALF


def _share(one: tuple[str, ...], other: tuple[str, ...]) -> float:
    """Return which part of the shorter text's words the other has too, 0 to 1."""
    these, those = _meaning(one), _meaning(other)
    least = min(len(these), len(those))
    return len(these & those) / least if least else 0.0


def _meaning(its: tuple[str, ...]) -> frozenset[str]:
    long = frozenset(word for word in its if len(word) >= _MEANING)
    return long or frozenset(its)


def _renumbered(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Tell whether two texts differ in numbers and the names of days alone."""
    return one != other and _frame(one) == _frame(other)


def _frame(its: tuple[str, ...]) -> list[str]:
    """Return a text's words with one mark for each run of numbers and dates."""
    frame: list[str] = []
    for word in its:
        mark = "#" if word in _DATES or any(map(str.isdigit, word)) else word
        if mark != "#" or frame[-1:] != ["#"]:
            frame.append(mark)
    return frame
