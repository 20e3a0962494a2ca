"""fts: what an expression finds in a batch of folded texts, and where."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.fts import Index, headline
from aggregator.model import QueryError

ROWS = (
    ("les invisibles", "travailleurs du clic, le clic", "antonio casilli"),
    ("casilli", "", "en attendant les robots"),
    ("", "casilli en attendant", ""),
)


@pytest.mark.parametrize(
    ("expression", "positions"),
    [
        ('"casilli"', [0, 1, 2]),
        ('"travailleurs du clic"', [0]),
        ('"travailleurs clic"', []),
        ('"invisible" *', [0]),
        ('"casilli" NOT title : "casilli"', [0, 2]),
        ('"casilli" AND "robots"', [1]),
        ('NEAR("casilli" "robots")', []),
        (headline('"casilli" OR "zzz"'), [1, 2]),
        (headline('article : "casilli"'), []),
    ],
)
def test_an_expression_finds_positions(expression: str, positions: list[int]) -> None:
    """Rows are found by their place in the batch, in that order."""
    with Index(ROWS) as index:
        found = index.find(expression)

    assert found == positions


def test_spans_are_offsets_into_the_folded_columns() -> None:
    """Each column with words of the expression, a phrase being one span."""
    expression = '"travailleurs du clic" OR "clic" OR "casilli"'
    with Index(ROWS) as index:
        found = index.spans(expression, {0, 2})

    assert found == {
        0: {"summary": ((0, 20), (25, 29)), "article": ((8, 15),)},
        2: {"summary": ((0, 7),)},
    }
    assert [*found[0]] == ["summary", "article"]


def test_a_row_that_is_not_found_has_no_spans() -> None:
    """Asking for spans of other rows than the found ones leaves them out."""
    with Index(ROWS) as index:
        found = index.spans('"robots"', [0, 1])

    assert found == {1: {"article": ((17, 23),)}}


def test_what_sqlite_cannot_read_is_a_query_error() -> None:
    """SQLite's own words travel in our error, in one line."""
    with Index(()) as index, pytest.raises(QueryError, match="syntax error") as refused:
        index.find('"a" AND')

    assert str(refused.value).startswith("SQLite cannot read it (fts5: ")


def test_text_is_compared_as_it_was_folded() -> None:
    """The tokenizer itself takes no accent away: that is folding's work alone."""
    with Index([("été", "", ""), ("ete", "", "")]) as index:
        found = index.find('"ete"')

    assert found == [1]


WORDS = ("clic", "clics", "casilli", "l", "ia", "r&d", "микро", "travail", "é")
TERMS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)


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


@given(
    EXPRESSIONS | EXPRESSIONS.map(headline),
    st.lists(st.tuples(TERMS, TERMS, TERMS), max_size=4),
)
def test_a_missing_word_spares_asking_and_loses_nothing(
    expression: str, rows: list[tuple[str, str, str]]
) -> None:
    """What is found does not depend on the words that other rows bring."""
    every = " ".join(WORDS)
    with Index(rows) as index, Index([*rows, (every, every, every)]) as full:
        alone, among = index.find(expression), full.find(expression)

    assert alone == [position for position in among if position < len(rows)]


@pytest.mark.parametrize(
    "expression", ['"b" AND', 'AND "b"', '("b"', '"b")', '"b" NOT', '"b', "zz : b"]
)
def test_a_wrong_expression_is_a_query_error(expression: str) -> None:
    """Whatever is wrong with it, as long as its words are there."""
    with Index([("b", "", "")]) as index, pytest.raises(QueryError):
        index.find(expression)
