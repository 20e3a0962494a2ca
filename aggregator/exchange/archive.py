"""Stories as this program wrote them, read from a file that anybody may have written.

`publish.lines` knows the form; here stands what a story may not do: name a topic that
feeds.toml has not, lead elsewhere than into the web, or bring what is no text. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from aggregator.config.tables import Problems, near, shown
from aggregator.curation import FORMS
from aggregator.exchange.sheet import Row
from aggregator.model import State, Story, Verdict
from aggregator.publish import lines, tables
from aggregator.publish.view import clean, title, web
from aggregator.urls import web as is_web

LONGEST: Final = 1_000_000  # characters of a story; the longest real one has 20,000
_YEARS: Final = range(1800, 3000)  # as in curation.toml; also what all zones can tell
_AHEAD: Final = timedelta(days=1)  # how far the clock of another machine may be
_SHORT: Final = re.compile(r"[a-z2-7]{8}")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_CONTROL: Final = re.compile("[\x00\x01\x04-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
_MARKS: Final = re.compile("[\x02\x03]")  # round the words that matched, in a snippet
_ADDRESSES: Final = frozenset({"url", "home", "feed", "feed_url", "named", "archived"})
_AS_THEY_ARE: Final = _ADDRESSES | {"key"}
# Of a row, the cells that say what its `data` says too, and how.
_DOUBLED: Final[Mapping[str, Callable[[Story], str]]] = {
    "title": lambda story: title(story.title) or title(web(story.url)) or story.short,
    "outlet": lambda story: title(story.outlet),
    "author": lambda story: title(story.author),
    "url": lambda story: web(story.url),
    "form": lambda story: clean(story.form),
    "detail": lambda story: clean(story.detail),
    "note": lambda story: clean(story.note),
    "archived": lambda story: web(story.archived),
}


class Archive:
    """The stories of one file; each of them, and each entry, stands there once."""

    def __init__(
        self, name: str, topics: Collection[str], now: datetime, problems: Problems
    ) -> None:
        """Keep in `problems` what is wrong, a line for each.

        name: of the file, for messages. topics: those of feeds.toml.
        """
        self._name, self._topics, self._problems = name, topics, problems
        self._until = now + _AHEAD
        self._known: dict[object, int] = {}

    def lines(self, data: bytes) -> tuple[Story, ...]:
        """Return the stories of a stories.jsonl; blank lines do no harm."""
        lines = enumerate(data.split(b"\n"), 1)
        found = (self._read(line, at) for at, line in lines if line.strip())
        return tuple(story for story in found if story)

    def row(self, row: Row) -> Story | None:
        """Return the story of a row of an exported table, which has it in `data`."""
        record = row.cells[tables.RECORD].encode("utf-8", "replace")
        story = self._read(record, row.line, ": data")
        if story:
            _same(row, story, self._name, self._problems)
        return story

    def _read(self, record: bytes, line: int, column: str = "") -> Story | None:
        try:
            if len(record) > LONGEST:
                raise ValueError(f"longer than {LONGEST:,} bytes")  # noqa: TRY301
            story = lines.record(record.decode())
            lines.only_here(story, self._known, line)
            return _vetted(story, self._topics, self._until)
        except ValueError as exc:
            where = f"{self._name}:{line}{column}"
            self._problems.add(where, f"not a story as it was written: {exc}")
            return None


def _same(row: Row, story: Story, name: str, problems: Problems) -> None:
    """Report cells that were edited: what counts is the data, which nobody reads."""
    if story.state is not State.PUBLISHED:
        return
    for column, said in _DOUBLED.items():
        cell, own = row.cells.get(column, ""), said(story)
        if column in row.cells and cell != own.strip():
            what = f"{shown(cell)} was {shown(own)} when it was exported"
            mend = "a story changes by a decision; to add another one, empty `data`"
            problems.add(f"{name}:{row.line}: {column}", f"{what}; {mend}")


def _vetted(story: Story, topics: Collection[str], until: datetime) -> Story:
    """Return the story without what is no text; raises ValueError for what harms.

    until: the latest that anything can have happened to it.
    """
    for short in (story.short, *(one.story for one in story.entries if one.story)):
        if not _SHORT.fullmatch(short):
            raise ValueError(f"{shown(short)} is no short id")
    if story.form and story.form not in FORMS:
        raise ValueError(f"`form`: {shown(story.form)} is unknown{near('', FORMS)}")
    if story.state is State.PUBLISHED:
        if not story.topics:
            raise ValueError("published, but under no topic")
        for topic in story.topics:
            if topic not in topics:
                hint = near(topic, topics)
                raise ValueError(f"feeds.toml has no topic {shown(topic)}{hint}")
    for name in ("added_at", "updated_at", "withdrawn_at"):
        at = getattr(story, name)
        if at and at > until:
            raise ValueError(f"`{name}`: {at.isoformat()} is still to come")
    cleaned: Story = _cleaned("story", story)
    return cleaned


def _cleaned(name: str, value: Any) -> Any:  # noqa: ANN401 - any field of the model
    """Return a value without control characters; raises ValueError as `_vetted`."""
    if isinstance(value, State | Verdict):
        return value
    if isinstance(value, str):
        return _text(name, value)
    if isinstance(value, datetime) and value.year not in _YEARS:
        raise ValueError(f"`{name}`: the year {value.year}")
    if isinstance(value, tuple):
        return tuple(_cleaned(name, each) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        names = (field.name for field in fields(value))
        changed = {each: _cleaned(each, getattr(value, each)) for each in names}
        return replace(value, **changed)
    if isinstance(value, int) and not 0 <= value <= LONGEST:
        raise ValueError(f"`{name}`: {value}")
    return value


def _text(name: str, value: str) -> str:
    if _SURROGATE.search(value):
        raise ValueError(f"`{name}`: half a character")
    if name in _ADDRESSES and value and not (is_web(value) and value.isprintable()):
        raise ValueError(f"`{name}`: {shown(value)} is no web address")
    if name in _AS_THEY_ARE:
        return value
    fit = _CONTROL.sub("", value)
    return fit if name == "snippet" else _MARKS.sub("", fit)
