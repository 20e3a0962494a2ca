"""Ids are hashes: the same for ever, and apart for different things."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aggregator.identity import number, short


@given(st.lists(st.text(), max_size=4))
def test_numbers_fit_a_column_of_sqlite(parts: list[str]) -> None:
    """A number is a non-negative integer of 63 bits, the same each time."""
    assert 0 <= number(*parts) < 2**63
    assert number(*parts) == number(*parts)


def test_ids_never_change_between_releases() -> None:
    """What was published under an id is found again by a later version."""
    assert number("https://e.fr/feed", "guid-1") == 8786423994093128475
    assert short("https://e.fr/a") == "p3m4vwy7"


def test_parts_are_told_apart() -> None:
    """The same letters divided otherwise are another thing."""
    assert number("ab", "c") != number("a", "bc")
    assert short("ab", "c") != short("a", "bc")
