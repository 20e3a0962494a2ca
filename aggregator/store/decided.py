"""What commands wrote into curation.toml, in the order in which they did."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from aggregator.store.base import Store

_KEPT: Final = 1000  # of the last ones; an editor is not open for longer


@dataclass(frozen=True, slots=True)
class Written:
    """A decision that a command wrote.

    place: its place among them. key: stands for what it decides. table: its TOML.
    missed: whether it was found missing.
    """

    place: int
    key: int
    table: str
    missed: bool


def written(store: Store) -> tuple[Written, ...]:
    """Return what is remembered, the oldest first."""
    rows = store.rows("SELECT place, key, text, missed FROM decisions ORDER BY place")
    return tuple(
        Written(r["place"], r["key"], r["text"], bool(r["missed"])) for r in rows
    )


def write(store: Store, tables: Iterable[tuple[int, str]]) -> None:
    """Remember decisions by key and TOML, inside a transaction."""
    store.do_many(
        "INSERT INTO decisions (key, text) VALUES (?, ?)",
        [(key, table) for key, table in tables],
    )
    store.do(
        "DELETE FROM decisions WHERE place <= (SELECT max(place) FROM decisions) - ?",
        _KEPT,
    )


def miss(store: Store, places: Iterable[int], *, missed: bool) -> None:
    """Keep whether decisions are missing, inside a transaction."""
    store.do_many(
        "UPDATE decisions SET missed = ? WHERE place = ?",
        [(missed, place) for place in places],
    )


def forget(store: Store, places: Iterable[int]) -> None:
    """Remember decisions no longer, inside a transaction."""
    store.do_many(
        "DELETE FROM decisions WHERE place = ?", [(place,) for place in places]
    )
