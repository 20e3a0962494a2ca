"""fts: what an expression finds in a batch of folded texts, and where."""

import pytest

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


@pytest.mark.parametrize(
    "expression", ['"b" AND', 'AND "b"', '("b"', '"b")', '"b" NOT', '"b', "zz : b"]
)
def test_a_wrong_expression_is_a_query_error(expression: str) -> None:
    """Whatever is wrong with it, as long as its words are there."""
    with Index([("b", "", "")]) as index, pytest.raises(QueryError):
        index.find(expression)
