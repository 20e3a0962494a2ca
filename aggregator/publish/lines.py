"""stories.jsonl read again: the stories that `data` wrote, or where it is damaged.

What stands there may have been cut short, edited or put there by somebody else, so
nothing is taken for granted. What the stories are wanted for is not known here, nor
whether what they say would do harm.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from datetime import datetime
from typing import Any, get_args

from aggregator.model import (
    Column,
    Copy,
    DataError,
    Evidence,
    Origin,
    Precision,
    Proof,
    Rule,
    State,
    Story,
    Verdict,
)

_Table = Mapping[str, Any]
_Read = Callable[[Any], Any]


def read(data: bytes) -> tuple[Story, ...]:
    """Return the stories of the lines, in their order.

    Raises DataError, whose text begins with the line, counted from 1.
    """
    stories: list[Story] = []
    known: dict[object, int] = {}
    for place, line in enumerate(data.split(b"\n")[:-1], 1):
        try:
            told = record(line.decode())
            only_here(told, known, place)
        except ValueError as exc:
            raise DataError(
                f"line {place} is not a story as it was written: {exc}"
            ) from exc
        stories.append(told)
    if rest := data.rpartition(b"\n")[2]:
        raise DataError(f"line {len(stories) + 1} is cut short after {len(rest)} bytes")
    return tuple(stories)


def record(text: str) -> Story:
    """Return the story that one line says; raises ValueError, which says why not."""
    try:
        return _whole(story(json.loads(text)))
    except json.JSONDecodeError as exc:
        raise ValueError("no JSON") from exc
    except RecursionError as exc:
        raise ValueError("nested too deeply") from exc


def only_here(story: Story, known: dict[object, int], place: int) -> None:
    """Remember in which line a story and its entries stand.

    Raises ValueError when an earlier one has it, or an entry of it, already.
    """
    for name in (story.short, *((one.feed, one.key) for one in story.entries)):
        if known.setdefault(name, place) != place:
            raise ValueError(f"line {known[name]} has the same already")


def story(table: object) -> Story:
    """Return the story that a line says, as parsed; raises ValueError."""
    told: Story = _made(Story, table, _STORY)
    return told


def _whole(story: Story) -> Story:
    if story.state is State.PUBLISHED and not (story.added_at and story.entries):
        raise ValueError("published, but without `added_at` or `entries`")
    if story.state is not State.PUBLISHED and not story.withdrawn_at:
        raise ValueError("not published, but without `withdrawn_at`")
    return story


def _made(kind: type[Any], table: object, readers: Mapping[str, _Read]) -> Any:  # noqa: ANN401 - one of the kinds below
    """Return a value of the model; keys that it does not know are passed over."""
    if not isinstance(table, dict):
        raise ValueError(f"{_shown(table)} in place of an object")  # noqa: TRY004
    given = {}
    for field in fields(kind):
        if field.name in table:
            try:
                given[field.name] = readers[field.name](table[field.name])
            except (ValueError, OverflowError) as exc:
                raise ValueError(f"`{field.name}`: {exc}") from exc
        elif field.default is MISSING:
            raise ValueError(f"there is no `{field.name}`")
    return kind(**given)


def _of(kind: type) -> _Read:
    """Return what takes a value of this type, and nothing else."""

    def taken(value: object) -> object:
        if type(value) is not kind:
            raise ValueError(f"{_shown(value)} is not what stood there")
        return value

    return taken


def _one_of(*names: str) -> _Read:
    def taken(value: object) -> object:
        if value not in names:
            raise ValueError(f"{_shown(value)} is unknown")
        return value

    return taken


def _each(read: _Read) -> _Read:
    def taken(value: object) -> tuple[Any, ...]:
        return tuple(read(one) for one in _of(list)(value))

    return taken


def _maybe(read: _Read) -> _Read:
    return lambda value: None if value is None else read(value)


def _shown(value: object) -> str:
    shown = json.dumps(value)
    return shown if len(shown) < _SHOWN else f"{shown[:_SHOWN]}…"


def _when(value: object) -> datetime:
    at = datetime.fromisoformat(_text(value))
    if at.tzinfo is None:
        raise ValueError(f"{_shown(value)} has no time zone")
    return at


def _span(value: object) -> tuple[int, int]:
    start, end = (_of(int)(one) for one in _of(list)(value))
    return start, end


_SHOWN = 40  # characters of what is wrong that an error repeats
_text, _truth, _number = _of(str), _of(bool), _of(int)
_COLUMN = _one_of(*get_args(Column))
_COPY = {
    **dict.fromkeys(("outlet", "url", "title", "reason"), _text),
    "published_at": _when,
}
_EVIDENCE = {
    **dict.fromkeys(("topic", "line", "snippet"), _text),
    **dict.fromkeys(("certain", "of_first"), _truth),
    "column": _COLUMN,
    "spans": _each(_span),
}
_PROOF = {
    **dict.fromkeys(("topic", "line"), _text),
    "verdict": Verdict,
    "rule": _one_of(*get_args(Rule)),
    "column": _COLUMN,
}
_ORIGIN = {
    **{field.name: _text for field in fields(Origin)},
    **dict.fromkeys(("reused", "told"), _truth),
    "published_at": _when,
    "mentions": _each(lambda table: _made(Proof, table, _PROOF)),
}
_STORY = {
    **{field.name: _text for field in fields(Story)},
    **dict.fromkeys(("live", "pinned"), _truth),
    **dict.fromkeys(("added_at", "updated_at", "withdrawn_at"), _maybe(_when)),
    "published_at": _when,
    "excerpt": _maybe(_number),
    "state": State,
    "precision": _one_of(*get_args(Precision)),
    "topics": _each(_text),
    "held": _each(_text),
    "copies": _each(lambda table: _made(Copy, table, _COPY)),
    "evidence": _each(lambda table: _made(Evidence, table, _EVIDENCE)),
    "entries": _each(lambda table: _made(Origin, table, _ORIGIN)),
}
