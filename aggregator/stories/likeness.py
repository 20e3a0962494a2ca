"""How alike two titles and two texts are. Pure; it knows words, not entries.

The limits were measured: docs/design.md, « Near-identical text ».
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from difflib import SequenceMatcher
from enum import Enum, auto
from functools import lru_cache

from aggregator.identity import number
from aggregator.text import fold

TITLE_WORDS = 5  # shorter titles are columns and names, not articles
SUMMARY_PROOF = 40  # characters of folded words below which a summary proves nothing
SUMMARY_SHARE = 0.8  # of the shorter summary's words that the other has too
RUN = 4  # words in a row by which texts are compared
RUNS_PROOF = 8  # runs below which a text is too short to tell anything
TITLE_RUN = 3  # words in a row by which titles alike are found
TEXT_MARKS, TITLE_MARKS = 8, 4  # how many runs of each are remembered
_RETOUCHED = 2 / 3  # of the longer title's words that both have
_KIN = 0.5  # … where what differs are numbers and dates
_TYPO = 0.7  # difflib's ratio of a word and the same word misspelt
_NAMES = 3  # words at most of a place or a person's name
_LONG = 4  # letters of a word that means something
_WORD = re.compile(r"[^\W_]+")
_CUT = ("…", "...", "[…]", "[...]")
_DAYS = frozenset(
    """
    lundi mardi mercredi jeudi vendredi samedi dimanche janvier fevrier mars avril mai
    juin juillet aout septembre octobre novembre decembre janv fevr juil oct nov dec
    monday tuesday wednesday thursday friday saturday sunday january february march
    april june july august september october november december
    """.split()
)
_COUNTS = frozenset(
    """
    premier premiere deuxieme second seconde troisieme quatrieme cinquieme sixieme
    dernier derniere deux trois quatre cinq six sept huit neuf dix onze douze treize
    quatorze quinze seize vingt trente cent mille matin midi soir nuit hier demain
    first third fourth fifth last two three four five seven eight nine ten morning night
    """.split()
)


class Titles(Enum):
    """What two titles are to each other, from the same words to none in common.

    RETOUCHED: a typo mended, small words, a word more. CONTAINED: one stands whole in
    the other. VARIANT: they differ in numbers, dates or names, as two episodes or two
    towns do.
    """

    EQUAL = auto()
    RETOUCHED = auto()
    CONTAINED = auto()
    VARIANT = auto()
    OTHER = auto()


def words(text: str) -> str:
    """Return the folded words of a text: copies differ in punctuation and quotes."""
    return " ".join(_WORD.findall(fold(text)))


def title_key(title: str) -> int:
    """Return what titles of the same `words` share."""
    return number("title", words(title))


def long_enough(title: str) -> bool:
    """Tell whether a title has the words of an article's, dates not counted."""
    return sum(not _dated(word) for word in words(title).split()) >= TITLE_WORDS


def titles(one: str, other: str) -> Titles:
    """Return what two titles are to each other."""
    these, those = words(one).split(), words(other).split()
    if these == those:
        return Titles.EQUAL
    left, right = _lacking(these, those), _lacking(those, these)
    longer = max(len(these), len(those))
    same = longer - max(len(left), len(right))
    inside = _contains(these, those) or _contains(those, these)
    if any(map(_counts, left + right)) and (inside or same >= _KIN * longer):
        return Titles.VARIANT
    if same < _RETOUCHED * longer:
        return Titles.CONTAINED if inside else Titles.OTHER
    spelt = _WORD.findall(f"{one} {other}")
    if _renamed(left, right, {fold(word) for word in spelt if word[0].isupper()}):
        return Titles.VARIANT
    return Titles.CONTAINED if inside else Titles.RETOUCHED


def _lacking(these: list[str], those: list[str]) -> list[str]:
    """Return the words that the other title has not, or not as often."""
    return list((Counter(these) - Counter(those)).elements())


def _contains(these: list[str], those: list[str]) -> bool:
    short = " ".join(those)
    return len(those) >= TITLE_WORDS and f" {short} " in f" {' '.join(these)} "


def _renamed(left: list[str], right: list[str], named: set[str]) -> bool:
    """Tell whether what two titles have of their own is a name, or a word for another.

    « Nantes » and « Rennes », « lion » and « cancer »; not a word misspelt or added.
    """
    if _typo(left, right):
        return False
    if max(len(left), len(right)) <= _NAMES and not named.isdisjoint(left + right):
        return True
    return all(any(len(word) >= _LONG for word in own) for own in (left, right))


def _typo(left: list[str], right: list[str]) -> bool:
    ratio = SequenceMatcher(None, "".join(left), "".join(right)).ratio()
    return bool(left and right) and ratio >= _TYPO


def _dated(word: str) -> bool:
    """Tell whether a word is a day's or a month's, or has a digit."""
    return word in _DAYS or any(char.isdigit() for char in word)


def _counts(word: str) -> bool:
    """Tell whether a word tells one of a series from the others."""
    return _dated(word) or word in _COUNTS


def only_dates_differ(one: str, other: str) -> bool:
    """Tell whether two titles have the same words but for numbers and dates."""
    these, those = words(one).split(), words(other).split()
    left, right = _lacking(these, those), _lacking(those, these)
    return bool(left + right) and all(map(_counts, left + right))


def dates_clash(one: str, other: str) -> bool:
    """Tell whether each of two texts has a number or date that the other lacks."""
    these, those = (set(filter(_dated, words(text).split())) for text in (one, other))
    return bool(these - those) and bool(those - these)


def summaries_agree(one: str, other: str) -> bool:
    """Tell whether two summaries say the same; too short ones prove nothing."""
    one, other = words(one), words(other)
    if min(len(one), len(other)) < SUMMARY_PROOF:
        return False
    these, those = set(one.split()), set(other.split())
    return len(these & those) >= SUMMARY_SHARE * min(len(these), len(those))


def shared(one: str, other: str) -> tuple[float, frozenset[str]]:
    """Return how much of the shorter text is in the other, and the words they share.

    0 to 1, by runs of RUN words; 0 for texts too short to tell. A last word cut short
    does not count.
    """
    these, those = runs(one, RUN), runs(other, RUN)
    least = min(len(these), len(those))
    if least < RUNS_PROOF:
        return 0.0, frozenset()
    common = these & those
    return len(common) / least, frozenset(" ".join(common).split())


def runs(text: str, length: int) -> set[str]:
    """Return every `length` words of a text that stand in a row."""
    found = words(text).split()
    if text.rstrip().endswith(_CUT):
        found = found[:-1]
    last = len(found) - length + 1
    return {" ".join(found[place : place + length]) for place in range(last)}


def touches(title: str, common: Iterable[str]) -> bool:
    """Tell whether a title says what a text does, by two words of some length.

    A text that its own title has nothing to do with is no article's: « Cet article est
    republié sous licence … ».
    """
    own = {word for word in words(title).split() if len(word) >= _LONG}
    return len(own & set(common)) > 1


@lru_cache(maxsize=2000)  # asked for at each step of placing
def marks(title: str, summary: str) -> tuple[int, ...]:
    """Return numbers of which texts or titles alike share one, as good as always.

    The least of the hashes of their runs: a part of a text shares those of the whole
    that lie in it.
    """
    text = {number("text", run) for run in runs(summary, RUN)}
    if len(text) < RUNS_PROOF:
        text = set()
    head = {number("head", run) for run in runs(title, TITLE_RUN)}
    return (*sorted(text)[:TEXT_MARKS], *sorted(head)[:TITLE_MARKS])
