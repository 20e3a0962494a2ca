"""stories.jsonl: every published story, one JSON object a line, for research.

Complete: a story can be made again from its line and is published with the same bytes.
Only an outlet's text is no longer than everywhere else (DESIGN.md §6: never the full
article). CSV and BibTeX are other forms of the same and belong here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import fields, replace
from datetime import datetime

from aggregator.model import Copy, Evidence, Story
from aggregator.publish.view import Shown

_PRIVATE = frozenset({"held"})  # of a story: the maintainer's own matter
# Line ends for str.splitlines and JavaScript, though not for JSON.
_LINE_ENDS = {"\u2028": "\\u2028", "\u2029": "\\u2029", "\x85": "\\u0085"}


def jsonl(stories: Iterable[Shown]) -> bytes:
    """Return a line for each story, by publication and then by short id.

    The keys are the fields of `model.Story` but for _PRIVATE, times as ISO 8601.
    """
    ordered = sorted(stories, key=lambda one: (one.story.published_at, one.story.short))
    return "".join(_line(one) + "\n" for one in ordered).encode("utf-8", "replace")


def _line(one: Shown) -> str:
    story = replace(one.story, summary=one.extract, evidence=one.evidence)
    line = json.dumps(story, ensure_ascii=False, default=_plain)
    for char, escape in _LINE_ENDS.items():
        line = line.replace(char, escape)
    return line


def _plain(value: Story | Copy | Evidence | datetime) -> object:
    """Return what JSON can hold of a value of the model."""
    if isinstance(value, datetime):
        return value.isoformat()
    # Not dataclasses.asdict: its deep copies take longer than all the rest.
    return {
        field.name: getattr(value, field.name)
        for field in fields(value)
        if field.name not in _PRIVATE
    }
