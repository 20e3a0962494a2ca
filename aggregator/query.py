"""A query line of feeds.toml as an FTS5 expression, or why it cannot be read.

Our own small lexer and parser, so that only terms are folded and each goes to FTS5 as a
quoted string. What would silently mean something else is refused, with the mend. The
language is taught in docs/queries.md; topics, files and line numbers are the caller's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from aggregator.fts import COLUMNS, Index
from aggregator.model import Query, QueryError
from aggregator.text import cut, fold

_Kind = Literal[
    "word", "phrase", "AND", "OR", "NOT", "NEAR", "(", ")", "*", "column", "distance"
]
_OPERATORS: tuple[Literal["AND", "OR", "NOT"], ...] = ("AND", "OR", "NOT")
_BEGINS = ("word", "phrase", "(", "NEAR", "column")  # what an operand may begin with
_ENDS = ("word", "phrase", ")", "*")
# What people write who think of the operator but do not write it.
_MEANT = {"and": "AND", "or": "OR", "not": "NOT", "near": "NEAR(…)"}
_MEANT_IN_FRENCH = {"ET": "AND", "OU": "OR", "SAUF": "NOT"}
_DEPTH = 20  # parentheses in parentheses; FTS5's own parser gives up near 80

_LONGEST = 10_000  # characters; the time that reading a line may take hangs on it
# Words or phrases near one another. FTS5's time grows with the square of their number,
# and with the text: 600 of them took 2 s for each article of 6,000 words.
_NEAR = 20
_SHOWN = 60  # characters of a line that a message repeats
_FAR = 4  # digits that no distance of NEAR has; SQLite would overflow on twelve

_CLOSERS = {  # as English, French, German and hasty hands pair them
    '"': '"',
    "«": "»",
    "»": "«",
    "“": '”“"',
    "”": "”",
    "„": '“”"',
}
_QUOTES = "".join(_CLOSERS)
_BLANK = re.compile(r"\s*")
_DISTANCE = re.compile(r",\s*(\d+)\s*(?=\))")
_COLUMN = re.compile(
    rf"({'|'.join(COLUMNS)})\s*:|([^\s{_QUOTES}()*,:]*[^\W\d_][^\s{_QUOTES}()*,:]*):",
    re.IGNORECASE,
)
_WORD = re.compile(rf"[^\s{_QUOTES}()*,]+")
_BRACKETED = re.compile(r"\([^\W\d_]+\)s?")  # livreur(se)s
_TERM = re.compile(r'"([^"]*)"( \*)?')  # of an expression, not of a line
_FOREIGN = {"|": "OR", "&&": "AND", "^": "", "{": "", "}": ""}


@dataclass(frozen=True, slots=True)
class _Token:
    """A piece of a line. glued: no blank stands before it."""

    kind: _Kind
    text: str
    glued: bool = False


def compile_line(line: str) -> Query:
    """Return the line with the FTS5 expression that carries it out.

    Raises QueryError when it cannot be read: in one line what is wrong and what to
    write instead, without saying where the line stands.
    """
    if len(line) > _LONGEST:
        raise QueryError(f"over {_LONGEST} characters: make several lines of it")
    tokens = [*_tokens(line)]
    _refuse_near_misses(tokens)
    if not tokens:
        raise QueryError("the line is empty: write the words to look for")
    parser = _Parser(tokens)
    expression = parser.expression()
    if parser.peek() == ")":
        raise QueryError("a ) closes nothing: take it out or open it with (")
    terms = dict.fromkeys(parser.terms)
    with Index((term, "", "") for term in terms) as index:
        for position, term in enumerate(terms):
            if position not in index.find(f'"{term}"'):
                said = repr(_said(term))
                raise QueryError(f"{said} holds no letter or digit to look for")
        index.find(expression)
    return Query(line, expression)


def terms(query: Query) -> tuple[tuple[str, bool], ...]:
    """Return the folded terms of a line in order; True = a word may go on after it."""
    found = _TERM.finditer(query.expression)
    return tuple((term[1], term[2] is not None) for term in found)


def reads_articles(query: Query) -> bool:
    """Tell whether a part of the line is tied to the article's text."""
    return "article :" in _TERM.sub("", query.expression)


def _said(words: str) -> str:
    """Return the beginning of what stands in a line, for a message of one line."""
    return cut(" ".join(words.split()), _SHOWN)


# ── lexer ─────────────────────────────────────────────────────────────────────────────


def _tokens(line: str) -> Iterator[_Token]:
    """Yield the pieces of a line; a colon or comma that is mere punctuation is none."""
    position, end = 0, len(line)
    while True:
        start = position
        position = _BLANK.match(line, position).end()  # type: ignore[union-attr]
        glued = 0 < position == start
        if position == end:
            return
        char = line[position]
        if char in _CLOSERS:
            closing = _closing(line, position)
            yield _Token("phrase", line[position + 1 : closing], glued)
            position = closing + 1
        elif char in "()*":
            yield _Token(char, char, glued)  # type: ignore[arg-type]
            position += 1
        elif found := _DISTANCE.match(line, position):
            yield _Token("distance", found[1])
            position = found.end()
        elif found := _COLUMN.match(line, position):
            yield _Token("column", _column(found), glued)
            position = found.end()
        elif found := _WORD.match(line, position):
            word = _with_ending(line, found)
            follows = line[position + len(word) :].lstrip()[:1]
            yield from _word(word, glued=glued, follows=follows)
            position += len(word)
        else:  # a comma
            position += 1


def _closing(line: str, position: int) -> int:
    """Return where the quotation that opens at `position` closes."""
    opener = line[position]
    places = [line.find(closer, position + 1) for closer in _CLOSERS[opener]]
    closing = min((place for place in places if place >= 0), default=-1)
    if closing < 0:
        raise QueryError(
            f"the quote {opener} is never closed: add {_CLOSERS[opener][0]}"
        )
    return closing


def _column(found: re.Match[str]) -> str:
    if found[1]:
        return found[1].lower()
    name = found[2]
    near = get_close_matches(name.lower(), COLUMNS, n=1)
    hint = f"did you mean {near[0]}:? " if near else ""
    raise QueryError(
        f"{_said(name)}: is no column; {hint}write title:, summary: or article:, "
        "or put the phrase in quotes"
    )


def _with_ending(line: str, found: re.Match[str]) -> str:
    """Return the word, with the bracketed ending of inclusive writing if it has one."""
    bracketed = _BRACKETED.match(line, found.end())
    if bracketed and found[0].casefold() != "near":
        word = found[0] + bracketed[0]
        if "(" not in fold(word):
            return word
    return found[0]


def _word(word: str, *, glued: bool, follows: str) -> Iterator[_Token]:
    """Yield a bare word, or the operator that it is; refuse other languages' signs."""
    for sign, mend in _FOREIGN.items():
        if sign in word:
            use = f"write {mend}, or put" if mend else "leave it out, or put"
            raise QueryError(
                f"{sign} is no sign of queries: {use} the phrase in quotes"
            )
    if word[0] in "+-" and word[1:2].isalnum() and not glued:
        mend = "AND" if word[0] == "+" else "NOT"
        raise QueryError(
            f"{word[0]} before a word is no sign: write {mend} {_said(word[1:])}"
        )
    if word.startswith("NEAR") and word[4:5] in ("", "/"):
        if follows != "(" or word != "NEAR":
            raise QueryError("NEAR stands before its words: write NEAR(one other, 10)")
        yield _Token("NEAR", word, glued)
    else:
        operator = next((name for name in _OPERATORS if name == word), None)
        yield _Token(operator or "word", word, glued)


def _refuse_near_misses(tokens: list[_Token]) -> None:
    """Raise QueryError for words that somebody may have meant as an operator."""
    neighbours = zip([None, *tokens], tokens, [*tokens[1:], None], strict=False)
    for before, token, after in neighbours:
        if token.kind != "word" or after is None:
            continue
        called = token.text.casefold() == "near" and after.kind == "("
        meant = _MEANT.get(token.text.casefold()) or _MEANT_IN_FRENCH.get(token.text)
        between = (
            before is not None
            and before.kind in _ENDS
            and (after.kind in _BEGINS or after.kind == "NOT")
        )
        if called or (meant and between):
            raise QueryError(
                f"{token.text} is no operator: write {meant}, or put the phrase in "
                "quotes if the word itself is meant"
            )


# ── parser ────────────────────────────────────────────────────────────────────────────


class _Parser:
    """Tokens read once from left to right; `terms` are the folded ones met so far.

    FTS5 binds NOT before AND before OR. What is emitted keeps the order and the
    parentheses of the line, so it binds the same.
    """

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._next = 0
        self._depth = 0
        self.terms: list[str] = []

    def peek(self) -> _Kind | None:
        """Return the kind of the token to be read, None at the end."""
        at_end = self._next == len(self._tokens)
        return None if at_end else self._tokens[self._next].kind

    def expression(self) -> str:
        """Read operands and the operators between them, up to a ) or the end."""
        if self.peek() == "NOT":
            raise QueryError(
                "a query cannot begin with NOT, which takes away from what is found "
                "before it: write wanted NOT unwanted"
            )
        parts = [self._operand()]
        while self.peek() in _OPERATORS:
            operator = self._take().text
            if operator == "AND" and self.peek() == "NOT":
                operator = self._take().text  # FTS5 has NOT for AND NOT
            parts += [operator, self._operand(operator)]
        if self.peek() in (*_BEGINS, "distance"):
            raise QueryError(
                f"nothing joins {_said(self._tokens[self._next].text)} to what stands "
                "before it: write AND or OR between, or one phrase in quotes"
            )
        return " ".join(parts)

    def _take(self) -> _Token:
        self._next += 1
        return self._tokens[self._next - 1]

    def _operand(self, operator: str = "") -> str:
        if self.peek() == "column":
            column = self._take().text
            if self.peek() not in ("word", "phrase", "(", "NEAR"):
                raise QueryError(f"{column}: stands before nothing: add words after it")
            return f"{column} : {self._operand()}"
        if self.peek() == "(":
            return self._group()
        if self.peek() == "NEAR":
            return self._near()
        if self.peek() in ("word", "phrase"):
            return self._phrase()
        if self.peek() == "*":
            raise QueryError("a * stands only right after a word: write travail*")
        where = (
            f"after {operator}" if operator else f"before {self.peek() or 'the end'}"
        )
        raise QueryError(
            f"words are missing {where}: add them, or put the phrase in quotes"
        )

    def _group(self) -> str:
        self._take()
        self._depth += 1
        if self._depth > _DEPTH:
            raise QueryError(
                f"more than {_DEPTH} parentheses in one another: write less"
            )
        inside = self.expression()
        self._close()
        self._depth -= 1
        return f"({inside})"

    def _near(self) -> str:
        self._take()
        self._take()
        parts = []
        while self.peek() in ("word", "phrase"):
            parts.append(self._term(self._take().text))
        if len(parts) > _NEAR:
            raise QueryError(
                f"NEAR takes {_NEAR} words or phrases at most: write several"
            )
        distance = self._distance()
        if self.peek() is not None and self.peek() != ")":
            raise QueryError(
                "inside NEAR( ) stand only words and quoted phrases: write "
                "NEAR(one other, 10)"
            )
        self._close()
        if len(parts) < 2:  # noqa: PLR2004 -- two make a distance
            raise QueryError(
                "NEAR needs two words or quoted phrases: NEAR(one other, 10)"
            )
        return f"NEAR({' '.join(parts)}{distance})"

    def _distance(self) -> str:
        if self.peek() != "distance":
            return ""
        words = int(self._take().text[:_FAR])
        if words >= 10 ** (_FAR - 1):
            raise QueryError("NEAR reaches over 999 words at most: write less")
        return f", {words}"

    def _close(self) -> None:
        if self.peek() != ")":
            raise QueryError("a ( is never closed: add )")
        self._take()

    def _phrase(self) -> str:
        """Read a quoted phrase, or bare words that follow one another as one."""
        if self.peek() == "phrase":
            return self._term(self._take().text)
        words = [self._take().text]
        while self.peek() == "word":
            words.append(self._take().text)
        return self._term(" ".join(words))

    def _term(self, text: str) -> str:
        """Return the folded text as a quoted string, with the * that follows it."""
        term = fold(text).replace('"', " ")  # a full-width quote folds to one
        self.terms.append(term)
        if self.peek() != "*":
            return f'"{term}"'
        if not self._take().glued or (
            self.peek() in ("word", "phrase", "*") and self._tokens[self._next].glued
        ):
            raise QueryError("a * stands only right after a word: write travail*")
        return f'"{term}" *'
