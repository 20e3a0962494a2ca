"""A row that a person wrote: the decisions that it makes of an article. Pure.

The columns are the keys of `add`, under the rules of curation.toml, and what they mean
is told in the words of a spreadsheet. Whether the article is there already is for
`register` to say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from aggregator import curation
from aggregator.config.tables import Problems, UnfitError, near, shown
from aggregator.exchange.sheet import Row
from aggregator.model import Action, Config, Decision
from aggregator.publish import tables

_KEYS: Final = curation.ACTIONS[Action.ADD].keys
_NEEDED: Final = ("title", "outlet", "published")
_TEXTS: Final = ("id", "url", "title", "outlet", "form", "detail", "author", "excerpt")
_READ: Final = (*_TEXTS, "archived")
_NOTE: Final = curation.ACTIONS[Action.NOTE].keys["text"]
_OUR_ID: Final = "tag:"  # how the ids of published entries begin
_NO_FORM: Final = "web"  # what a list says of an article that needs no word for it
_YES: Final = frozenset({"yes", "oui", "1", "x", "true", "vrai"})
_BREAKS: Final = re.compile(r"[\s,;]+")
_DAY: Final = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_MONTH: Final = re.compile(r"(\d{1,2})/(\d{4})")

COLUMNS: Final[Mapping[str, bool]] = {
    **dict.fromkeys((*tables.STORIES, tables.RECORD), False),
    **dict.fromkeys((*_NEEDED, "topics", *_READ, "note", "pinned"), True),
}
"""The names that columns may have, and whether a person writes them."""

REQUIRED: Final = {name: _KEYS[name].doc for name in _NEEDED}
"""The columns that there have to be, and what they hold."""

Finder = Callable[[str, str, str], Sequence[str]]
"""Tells by outlet, title and excerpt which topics an article satisfies."""


def decisions(
    row: Row,
    name: str,
    config: Config,
    find: Finder,
    at: datetime,
    problems: Problems,
) -> tuple[Decision, ...]:
    """Return what a row says: an addition, its note, that it is pinned.

    name: of the file. find: asked where the row names no topic. Returns () where
    something of it is wrong; that is kept, a line for each cell.
    """
    where = f"{name}:{row.line}"
    before = len(problems.lines)
    table: dict[str, object] = {"action": Action.ADD.value, "at": at}
    for column in _NEEDED:
        if column not in row.cells:
            what = f"is empty; write {_KEYS[column].doc}"
            problems.add(f"{where}: {column}", what)
    cells = {key: row.cells[key] for key in (*_READ, "published") if key in row.cells}
    if cells.get("id", "").startswith(_OUR_ID):
        del cells["id"]
    if cells.get("form") == _NO_FORM:
        del cells["form"]
    for column, cell in cells.items():
        table[column] = _checked(f"{where}: {column}", column, cell, problems)
    table["topics"] = _topics(row, where, config, find, problems)
    note = row.cells.get("note", "")
    if note:
        _fit(f"{where}: note", _NOTE.read, note, problems)
    if len(problems.lines) > before:
        return ()
    (added,) = curation.read_tables(
        {"decision": [table]},
        config.storage.curation,
        config.topics,
        config.site.timezone,
    )
    target = added.targets[:1]
    more = [Decision(Action.NOTE, target, at, text=note)] if note else []
    if row.cells.get("pinned", "").lower() in _YES:
        more.append(Decision(Action.PIN, target, at))
    if more and not _nameable(*target):
        what = "is needed for a note or a pin, as of an outlet that begins with a slash"
        problems.add(f"{where}: id", f"{what}; write one such as tf1-2020-02-14")
        return ()
    return (added, *more)


def _nameable(target: str) -> bool:
    """Tell whether a decision may name an article so."""
    try:
        curation.target(target)
    except UnfitError:
        return False
    return True


def _checked(where: str, column: str, cell: str, problems: Problems) -> str:
    """Return a cell as curation.toml has it, and keep what it may not hold."""
    if column != "published":
        _fit(where, _KEYS[column].read, cell, problems)
        return cell
    written = cell
    if found := _DAY.fullmatch(cell):
        written = f"{found[3]}-{found[2]:0>2}-{found[1]:0>2}"
    elif found := _MONTH.fullmatch(cell):
        written = f"{found[2]}-{found[1]:0>2}"
    try:
        curation.when(written)
    except UnfitError:
        what = f"{shown(cell)} is no date; write 2020-02-14, 14/02/2020"
        problems.add(where, f"{what} or, for a month, 2020-02")
    return written


def _fit(
    where: str, read: Callable[[object], object], cell: str, problems: Problems
) -> None:
    try:
        read(cell)
    except UnfitError as exc:
        for _, what in exc.reasons:
            problems.add(where, what)


def _topics(
    row: Row, where: str, config: Config, find: Finder, problems: Problems
) -> list[str]:
    """Return the topics that a row names, else those that its words satisfy."""
    known = [topic.id for topic in config.topics]
    named = [*dict.fromkeys(filter(None, _BREAKS.split(row.cells.get("topics", ""))))]
    for topic in named:
        if topic not in known:
            what = f"unknown topic {shown(topic)}{near(topic, known)}"
            problems.add(f"{where}: topics", what)
    if named:
        return named
    words = (row.cells.get(key, "") for key in ("outlet", "title", "excerpt"))
    found = [*find(*words)]
    if not found:
        what = "names no topic, and no line of feeds.toml finds its words"
        mend = f"write one of {', '.join(known)}, or give --topic"
        problems.add(f"{where}: topics", f"{what}; {mend}")
    return found
