"""stories.jsonl: every published story, one JSON object a line, for research.

Complete: a story can be made again from its line and is published with the same bytes.
Only an outlet's text is no longer than everywhere else (DESIGN.md §6: never the full
article). `lines` reads it again; `tables` and `bib` are other forms of the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import datetime
from operator import attrgetter

from aggregator.model import Copy, Evidence, Origin, Proof, Story
from aggregator.publish.view import Gone, Shown

_PRIVATE = frozenset({"held"})  # of a story: the maintainer's own matter
# Line ends for str.splitlines and JavaScript, though not for JSON.
_LINE_ENDS = {"\u2028": "\\u2028", "\u2029": "\\u2029", "\x85": "\\u0085"}

_FIELDS = {
    kind: [field.name for field in fields(kind) if field.name not in _PRIVATE]
    for kind in (Story, Copy, Evidence, Origin, Proof)
}
_VALUES = {kind: attrgetter(*names) for kind, names in _FIELDS.items()}
_SPARSE = frozenset({Origin, Proof})  # of these only what says something is told


def records(stories: Iterable[Shown], gone: Iterable[Gone] = ()) -> dict[str, str]:
    """Return each story as JSON on one line, by short id, in order of publication.

    The keys are the fields of `model.Story` but for _PRIVATE, times as ISO 8601. Of a
    story that is gone nothing is left but its id, topics and times: what its tombstone
    needs. Of an entry only those keys stand there that say something.
    """
    told = [
        (one.story, {"summary": one.extract, "evidence": one.evidence})
        for one in stories
    ]
    told += [(_tomb(one.story, one.withdrawn_at), {}) for one in gone]
    told.sort(key=lambda its: (its[0].published_at, its[0].short))
    return {story.short: _line(_table(story) | shown) for story, shown in told}


def jsonl(records: Mapping[str, str]) -> bytes:
    """Return the lines of the file."""
    lines = (f"{record}\n".encode("utf-8", "replace") for record in records.values())
    return b"".join(lines)


def _tomb(story: Story, at: datetime) -> Story:
    return Story(
        short=story.short,
        state=story.state,
        title="",
        url="",
        outlet="",
        published_at=at,
        topics=story.topics,
        copies=(),
        added_at=story.added_at,
        updated_at=story.updated_at,
        withdrawn_at=story.withdrawn_at,
        live=story.live,
    )


def _line(table: dict[str, object]) -> str:
    line = _ENCODER.encode(table)
    for char, escape in _LINE_ENDS.items():
        line = line.replace(char, escape)
    return line


def _plain(value: Copy | Evidence | Origin | Proof | datetime) -> object:
    """Return what JSON can hold of a value of the model."""
    return value.isoformat() if isinstance(value, datetime) else _table(value)


def _table(value: Story | Copy | Evidence | Origin | Proof) -> dict[str, object]:
    """Return the fields of a value of the model that are told, by name."""
    kind = type(value)
    # Not dataclasses.asdict: its deep copies take longer than all the rest.
    told = zip(_FIELDS[kind], _VALUES[kind](value), strict=True)
    if kind in _SPARSE:
        return {name: one for name, one in told if one}
    return dict(told)


# No value holds itself.
_ENCODER = json.JSONEncoder(ensure_ascii=False, check_circular=False, default=_plain)
