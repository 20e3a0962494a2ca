"""sieve: which texts and expressions are worth asking FTS5 about."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.fts import Index, headline
from aggregator.sieve import Sieve, needs, positions

WORDS = (
    "clic",
    "clics",
    "casilli",
    "l",
    "ia",
    "r&d",
    "ia\u0436",
    "\u0436",
    "travail",
    "é",
)
TERMS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)
ROWS = st.lists(st.tuples(TERMS | st.just(""), TERMS, TERMS), max_size=4)


def operands(inside: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return what may stand where `inside` does."""
    joined = st.tuples(inside, st.sampled_from(("AND", "OR", "NOT")), inside)
    return (
        joined.map(" ".join)
        | inside.map("({})".format)
        | st.tuples(TERMS, TERMS).map('NEAR("{0[0]}" "{0[1]}" *, 3)'.format)
        | TERMS.map('title : "{}"'.format)
    )


EXPRESSIONS = st.recursive(
    TERMS.map('"{}"'.format) | TERMS.map('"{}" *'.format), operands, max_leaves=8
)


@given(st.lists(EXPRESSIONS | EXPRESSIONS.map(headline), max_size=4), ROWS)
def test_nothing_that_fts5_finds_is_sifted_out(
    expressions: list[str], rows: list[tuple[str, str, str]]
) -> None:
    """Every row that an expression finds is among its chances, and is indexed."""
    chances = Sieve(expressions).chances(rows)
    with Index(rows) as index:
        found = {text: index.find(text) for text in expressions}

    for text, places in found.items():
        assert all(chances.get(text, 0) >> place & 1 for place in places)
        assert set(places) <= set(positions(chances))


@pytest.mark.parametrize(
    ("expression", "kept"),
    [
        ('"clic"', [0, 1]),
        ('"clics"', []),
        ('"cl" *', [0, 1]),
        ('"li" *', [2]),
        ('"travailleurs du clic"', [0]),
        ('"clic" AND "casilli"', [1]),
        ('"clic" AND ("robots" OR "casilli")', [1]),
        ('"clic" NOT "casilli"', [0, 1]),
        ('"clic" OR "livreurs"', [0, 1, 2]),
        ('NEAR("clic" "casilli", 3)', [0, 1]),
        ('title : "robots"', [2]),
        (headline('"clic" AND "casilli"'), [1]),
        ('"и"', [0, 1, 2, 3]),
    ],
)
def test_a_row_without_a_needed_word_is_sifted_out(
    expression: str, kept: list[int]
) -> None:
    """Of each operand of the outermost ANDs one word must be there, in any column."""
    rows = [
        ("travailleurs du clic", "", ""),
        ("casilli, sociologue", "l'envers du clic", ""),
        ("", "", "livreurs, robots"),
        ("", "", ""),
    ]
    chances = Sieve([expression]).chances(rows)

    assert [*positions(chances)] == kept
    assert (expression in chances) is bool(kept)


@pytest.mark.parametrize(
    "expression", ['"a" AND', 'AND "a"', '("a"', '"a")', "a", '"a', 'b : c "', "?"]
)
def test_what_cannot_be_read_needs_nothing(expression: str) -> None:
    """FTS5 is to say what is wrong with it."""
    assert needs(expression) == ()


@pytest.mark.parametrize("word", ["a", "travail ", "travailx", "é", "a."])
def test_a_million_characters_take_linear_time(word: str) -> None:
    """Neither one endless word nor a million short ones."""
    rows = [(word * (1_000_000 // len(word)), "", "")]
    sieve = Sieve(['"travail" *', '"clic" AND "robots"'])
    started = time.process_time()
    sieve.chances(rows)

    assert time.process_time() - started < 2


def test_no_rows_and_no_expressions_have_no_chance() -> None:
    """Nothing comes of nothing."""
    assert Sieve(['"a"', '"é"']).chances([]) == {}
    assert Sieve([]).chances([("a", "b", "c")]) == {}
