"""Which line of feeds.toml comes nearest to a text that it does not find.

The nearest is the one that would find it if the fewest words were there too. A line is
taken apart by the expression that `query` made of it, and FTS5 itself says what each
part finds, so that nothing is judged differently here. Pure but for that index.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from aggregator.fts import COLUMNS, Index, TextColumn
from aggregator.model import Query, Topic
from aggregator.text import fold

Key = Literal["match", "review", "never"]
Texts = tuple[str, str, str]  # title, summary, article, as outlets write them

_TELLING = 4  # letters of a word whose presence says something: not du, les, the
_HEADLINE: tuple[TextColumn, ...] = ("title", "summary")  # where review, never look
_TOKEN = re.compile(r'"[^"]*"(?: \*)?|NEAR\(|AND|OR|NOT|[a-z]+ :|[(),]|\d+')
_LETTERS = re.compile(r"[^\W_]+")
_FAR = 10  # words that NEAR reaches over where the line gives no number


@dataclass(frozen=True, slots=True)
class Near:
    """A line that does not find a text. found, missing: its parts, as people say them.

    words: how many words would have to be there too, or to go.
    """

    topic: str
    key: Key
    line: str
    found: tuple[str, ...]
    missing: tuple[str, ...]
    words: int


@dataclass(frozen=True, slots=True)
class Hit:
    """A line that finds a text."""

    topic: str
    key: Key
    line: str


def hits(texts: Texts, topics: Iterable[Topic]) -> tuple[Hit, ...]:
    """Return every line that finds the texts, by topic, then match, review, never."""
    with _indexed(texts) as index:
        return tuple(
            Hit(topic.id, key, query.text)
            for topic, key, query in _lines(topics, ("match", "review", "never"))
            if _Text(index).has(query.expression, _columns(key))
        )


def nearest(texts: Texts, topics: Iterable[Topic]) -> Near | None:
    """Return the line of match or review nearest to texts that no such line finds.

    Of two as near, the one of which more is there, then the first in feeds.toml. None
    when not one telling word of any line is there.
    """
    with _indexed(texts) as index:
        text = _Text(index)
        found = [
            (near, held)
            for topic, key, query in _lines(topics, ("match", "review"))
            for near, held in [_near(topic, key, query, text)]
            if held and near.words
        ]
    return min(found, key=lambda one: (one[0].words, -one[1]), default=(None, 0))[0]


def _near(topic: Topic, key: Key, query: Query, text: _Text) -> tuple[Near, int]:
    """Return how far a line is from a text, and how many telling words are there."""
    lack = _read(query.expression).lack(text, _columns(key))
    found, missing = dict.fromkeys(lack.found), dict.fromkeys(lack.missing)
    near = Near(topic.id, key, query.text, (*found,), (*missing,), lack.words)
    return near, lack.held


def _lines(
    topics: Iterable[Topic], keys: Sequence[Key]
) -> Iterator[tuple[Topic, Key, Query]]:
    for topic in topics:
        of = {"match": topic.match, "review": topic.review, "never": topic.never}
        for key in keys:
            for query in of[key]:
                yield topic, key, query


def _columns(key: Key) -> tuple[TextColumn, ...]:
    return COLUMNS if key == "match" else _HEADLINE


def _indexed(texts: Texts) -> Index:
    title, summary, article = map(fold, texts)
    return Index([(title, summary, article)])


class _Text:
    """The one text in an index, asked by expressions."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def has(self, expression: str, columns: Sequence[str]) -> bool:
        """Tell whether the columns satisfy an expression."""
        if not columns:
            return False
        within = f"{{{' '.join(columns)}}} : ({expression})"
        return bool(self._index.find(within))


# ── what a part of a line lacks ───────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Lack:
    """What of a part is there and what is not. held: telling words that are there."""

    found: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    words: int = 0
    held: int = 0

    def __add__(self, other: _Lack) -> _Lack:
        return _Lack(
            self.found + other.found,
            self.missing + other.missing,
            self.words + other.words,
            self.held + other.held,
        )


@dataclass(frozen=True, slots=True)
class _Term:
    """A word or phrase; prefix: its last word is the beginning of one."""

    text: str
    prefix: bool

    def lack(self, text: _Text, columns: Sequence[TextColumn]) -> _Lack:
        words = self.text.split()
        parts = (
            (first, last)
            for length in range(len(words), 0, -1)
            for first in range(len(words) - length + 1)
            for last in [first + length]
            if self._held(words[first:last])
        )
        for first, last in parts:  # the longest first
            its = words[first:last]
            star = self.prefix and last == len(words)
            if text.has(_term(" ".join(its), prefix=star), columns):
                rest = [*filter(None, (words[:first], words[last:]))]
                missing = [(" ".join(w), w is rest[-1]) for w in rest]
                return _Lack(
                    (_said(" ".join(its), prefix=star),),
                    tuple(
                        _said(w, prefix=self.prefix and at_end and last < len(words))
                        for w, at_end in missing
                    ),
                    len(words) - len(its),
                    self._held(its),
                )
        whole = _said(self.text, prefix=self.prefix)
        if columns and text.has(self.expression, COLUMNS):
            return _Lack((), (f"{whole} in the {' or '.join(columns)}",), 1)
        return _Lack((), (whole,), len(words))

    @staticmethod
    def _held(words: Sequence[str]) -> int:
        return sum(len(word) >= _TELLING or word.isdecimal() for word in words)

    @property
    def expression(self) -> str:
        """The term as FTS5 reads it."""
        return _term(self.text, prefix=self.prefix)


@dataclass(frozen=True, slots=True)
class _Close:
    """NEAR: terms with at most `words` between them."""

    terms: tuple[_Term, ...]
    words: int

    def lack(self, text: _Text, columns: Sequence[TextColumn]) -> _Lack:
        lack = sum((term.lack(text, columns) for term in self.terms), _Lack())
        inside = " ".join(term.expression for term in self.terms)
        if lack.words or text.has(f"NEAR({inside}, {self.words})", columns):
            return lack
        said = " and ".join(_said(t.text, prefix=t.prefix) for t in self.terms)
        apart = f"{said} within {self.words} words"
        return lack + _Lack((), (apart,), 1)


@dataclass(frozen=True, slots=True)
class _In:
    """A part that looks at one column."""

    column: TextColumn
    part: _Part

    def lack(self, text: _Text, columns: Sequence[TextColumn]) -> _Lack:
        return self.part.lack(text, [name for name in columns if name == self.column])


@dataclass(frozen=True, slots=True)
class _Both:
    """AND."""

    parts: tuple[_Part, ...]

    def lack(self, text: _Text, columns: Sequence[TextColumn]) -> _Lack:
        return sum((part.lack(text, columns) for part in self.parts), _Lack())


@dataclass(frozen=True, slots=True)
class _Either:
    """OR: the part that lacks least speaks for all."""

    parts: tuple[_Part, ...]

    def lack(self, text: _Text, columns: Sequence[TextColumn]) -> _Lack:
        lacks = [part.lack(text, columns) for part in self.parts]
        least = min(lacks, key=lambda lack: (lack.words, -lack.held))
        if least.held or not least.words or len(lacks) == 1:
            return least
        every = " or ".join(one for lack in lacks for one in lack.missing[:1])
        return _Lack((), (every,), least.words)


@dataclass(frozen=True, slots=True)
class _Without:
    """NOT: what it takes away is there, or is not."""

    part: _Part
    unwanted: _Part

    def lack(self, text: _Text, columns: Sequence[TextColumn]) -> _Lack:
        one = self.unwanted
        parts = one.parts if isinstance(one, _Either) else (one,)
        lacks = [part.lack(text, columns) for part in parts]
        there = sum((lack for lack in lacks if not lack.words), _Lack())
        wrong = tuple(f"no {found}" for found in there.found)
        return self.part.lack(text, columns) + _Lack((), wrong, len(wrong))


_Part = _Term | _Close | _In | _Both | _Either | _Without


def _term(text: str, *, prefix: bool) -> str:
    return f'"{text}" *' if prefix else f'"{text}"'


def _said(text: str, *, prefix: bool) -> str:
    return f"« {text}{'*' if prefix else ''} »"


# ── taking an expression apart ────────────────────────────────────────────────────────


def _read(expression: str) -> _Part:
    return _Reader(_TOKEN.findall(expression)).either()


class _Reader:
    """Reads what `query` wrote, which is always well-formed.

    FTS5 binds NOT before AND before OR.
    """

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens[::-1]

    def _taken(self, *wanted: str) -> bool:
        if self._tokens and self._tokens[-1] in wanted:
            self._tokens.pop()
            return True
        return False

    def either(self) -> _Part:
        """Read parts with OR between them."""
        parts = [self._both()]
        while self._taken("OR"):
            parts.append(self._both())
        return _Either(tuple(parts)) if len(parts) > 1 else parts[0]

    def _both(self) -> _Part:
        parts = [self._without()]
        while self._taken("AND"):
            parts.append(self._without())
        return _Both(tuple(parts)) if len(parts) > 1 else parts[0]

    def _without(self) -> _Part:
        part = self._operand()
        while self._taken("NOT"):
            part = _Without(part, self._operand())
        return part

    def _operand(self) -> _Part:
        if self._taken("("):
            part = self.either()
            self._taken(")")
            return part
        if self._taken("NEAR("):
            return self._close()
        column = next((c for c in COLUMNS if self._taken(f"{c} :")), None)
        return _In(column, self._operand()) if column else self._term()

    def _close(self) -> _Part:
        terms, words = [], _FAR
        while not self._taken(")"):
            if self._taken(","):
                words = int(self._tokens.pop())
            else:
                terms.append(self._term())
        return _Close(tuple(terms), words)

    def _term(self) -> _Term:
        token = self._tokens.pop()
        text = token.removesuffix(" *")
        words = " ".join(_LETTERS.findall(text))  # as FTS5 takes a phrase apart
        return _Term(words, text != token)
