"""Which texts are worth asking FTS5 about, and for which expressions.

Of a thousand lines nearly all find nothing in a batch, and nearly all texts hold
nothing that is looked for. Seeing that a word is missing takes a fraction of the time
that indexing a text and asking for an expression take. Pure; it may err in one way
only: to keep what FTS5 then does not find.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from aggregator.fts import inner

_REMEMBERED = 20_000  # words: what a few languages use every day
_LONG = 40  # letters; what is longer is no word, and an attack might send millions

# Folded text is ASCII but for signs and other alphabets. FTS5 parts ASCII into words
# just so; what is made a blank here may only part more.
_BLANKED = bytes(
    byte if chr(byte).isascii() and chr(byte).isalnum() else ord(" ")
    for byte in range(256)
)

_PIECE = re.compile(r'"([^"]*)"( \*)?|(AND|OR|NOT|[()])|NEAR|, \d+|[a-z]+ :| ')
_READABLE = re.compile(f"(?:{_PIECE.pattern})*")

Need = frozenset[tuple[bytes, bool]]
"""Words of which a text must have one; True = one that begins so."""

Chances = Mapping[str, int]
"""Expression to the rows that it may find, a bit each; what finds none is left out."""


@dataclass(frozen=True, slots=True)
class _Expression:
    """An expression and its needs, all of which must be met."""

    text: str
    needs: tuple[Need, ...]


class _Words(dict[bytes, tuple[tuple[bytes, bool], ...]]):
    """What each word of a text is good for, worked out at its first use.

    barren: the words, nearly all, that are good for nothing.
    """

    def __init__(self, wanted: Iterable[tuple[bytes, bool]]) -> None:
        super().__init__()
        self.barren: set[bytes] = set()
        self._wanted = frozenset(wanted)
        self._longest = max((len(word) for word, _ in self._wanted), default=0)

    def __missing__(self, word: bytes) -> tuple[tuple[bytes, bool], ...]:
        ends = range(1, min(len(word), self._longest) + 1)
        begun = ((word[:end], True) for end in ends)
        found = tuple(self._wanted.intersection(chain([(word, False)], begun)))
        if len(self) + len(self.barren) < _REMEMBERED and len(word) <= _LONG:
            if found:
                self[word] = found
            else:
                self.barren.add(word)
        return found


class Sieve:
    """A set of expressions, ready for many batches of folded texts."""

    def __init__(self, expressions: Iterable[str]) -> None:
        """Read the expressions."""
        read = [_Expression(text, needs(text)) for text in dict.fromkeys(expressions)]
        self._unknown = [each for each in read if not each.needs]
        self._by_word: defaultdict[tuple[bytes, bool], list[_Expression]]
        self._by_word = defaultdict(list)
        for each in read:
            for word in each.needs[0] if each.needs else ():
                self._by_word[word].append(each)
        self._words = _Words(w for each in read for need in each.needs for w in need)

    def chances(self, rows: Sequence[tuple[str, ...]]) -> Chances:
        """Return which rows each expression may find."""
        holders: defaultdict[tuple[bytes, bool], int] = defaultdict(int)
        words = self._words
        for position, row in enumerate(rows):
            text = " ".join(row).encode("ascii", "replace").translate(_BLANKED)
            # passing over nearly all words at once takes two thirds of the time
            for word in set(text.split()) - words.barren:
                for hit in words[word]:
                    holders[hit] |= 1 << position
        every = (1 << len(rows)) - 1
        found = {each.text: every for each in self._unknown if rows}
        held = holders.keys() & self._by_word.keys()
        for each in {
            each.text: each for w in held for each in self._by_word[w]
        }.values():
            rows_left = every
            for need in each.needs:
                rows_left &= _either(holders.get(word, 0) for word in need)
            if rows_left:
                found[each.text] = rows_left
        return found


def positions(chances: Chances) -> tuple[int, ...]:
    """Return the rows that any expression may find, ascending."""
    return tuple(_bits(_either(chances.values())))


def needs(expression: str) -> tuple[Need, ...]:
    """Return what a text must have, each of it, for `expression` to find it.

    One need for each operand of the outermost ANDs: any word of it. Weaker than the
    expression, never stronger; () where nothing can be said.
    """
    expression = inner(expression)
    if not _READABLE.fullmatch(expression):
        return ()
    depth, unwanted, either = 0, False, False
    operands: list[set[tuple[bytes, bool]]] = [set()]
    for piece in _PIECE.finditer(expression):
        term, more, sign = piece.groups()
        depth += (sign == "(") - (sign == ")")
        if sign and not depth:
            unwanted = sign == "NOT"
            either |= sign == "OR"
            operands += [set()] if sign == "AND" else []
        if term is not None and not unwanted:
            operands[-1].add(_longest(term, begins=bool(more)))
    if depth or not all(operands):
        return ()
    if either:
        operands = [set().union(*operands)]
    return tuple(frozenset(each) for each in operands if (b"", False) not in each)


def _longest(term: str, *, begins: bool) -> tuple[bytes, bool]:
    """Return a word that a phrase needs, the rarest by its length; b"" = unknown."""
    words = term.encode("ascii", "replace").translate(_BLANKED).split()
    if not term.isascii() or not words:
        return b"", False
    longest = max(words, key=len)
    return longest, begins and longest == words[-1]


def _either(masks: Iterable[int]) -> int:
    together = 0
    for mask in masks:
        together |= mask
    return together


def _bits(mask: int) -> Iterator[int]:
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest
