"""A spreadsheet's file taken apart: rows of named cells, each with its line. Pure.

Whoever saved it: commas, semicolons or tabs, UTF-8 or what Windows writes. What the
cells mean may not enter.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aggregator.config.tables import Problems, near
from aggregator.publish.tables import unguarded

_SEPARATORS: Final = (",", ";", "\t")
_WINDOWS: Final = "cp1252"  # what Excel saves as « CSV » in Western Europe


@dataclass(frozen=True, slots=True)
class Row:
    """A row that says something. line: where it begins, from 1. cells: none is ""."""

    line: int
    cells: dict[str, str]


def read(
    data: bytes,
    name: str,
    columns: Mapping[str, bool],
    required: Mapping[str, str],
    problems: Problems,
) -> Iterator[Row]:
    """Yield the rows of a file; what is wrong with it is kept, a line for each.

    name: of the file, for messages. columns: those that it may have, and whether a
    person may have meant each by another word. required: those that it has to have, and
    what they hold.

    Blank rows are passed over, outer blanks of cells taken away, and so is the
    apostrophe that guards a formula. Where the names of the columns are wrong there are
    no rows, which would only repeat it.
    """
    try:
        text = _text(data)
    except UnicodeDecodeError as exc:
        what = f"byte {data[exc.start]:#04x} is neither UTF-8 nor Windows-1252"
        line = data.count(b"\n", 0, exc.start) + 1
        problems.add(f"{name}:{line}", f"{what}; save it as CSV in UTF-8")
        return
    found = _rows(text, name, columns, problems)
    line, head = next(found, (1, []))
    names = [cell.strip().lower() for cell in head]
    before = len(problems.lines)
    _check(names, f"{name}:{line}", columns, required, problems)
    if len(problems.lines) > before:
        return
    for line, cells in found:
        if any(cells[len(names) :]):
            what = f"{len(cells)} cells, but there are {len(names)} columns"
            mend = "put a text that holds a separator in quotes"
            problems.add(f"{name}:{line}", f"{what}; {mend}")
            continue
        its = zip(names, (unguarded(cell.strip()) for cell in cells), strict=False)
        if said := {column: cell for column, cell in its if cell and column}:
            yield Row(line, said)


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode(_WINDOWS)


def _rows(
    text: str, name: str, columns: Collection[str], problems: Problems
) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows, each with the line on which it begins."""
    separator = _separator(text, columns)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as exc:
        mend = "is a quote not closed, or a quote inside a text not doubled?"
        problems.add(f"{name}:{line}", f"no CSV from here on ({exc}); {mend}")


def _separator(text: str, columns: Collection[str]) -> str:
    """Return the separator by which most names of the first row are columns."""
    head = next((line for line in text.splitlines() if line.strip()), "")

    def known(separator: str) -> tuple[int, int]:
        names = [name.strip(' "').lower() for name in head.split(separator)]
        return sum(name in columns for name in names), len(names)

    return max(_SEPARATORS, key=known)


def _check(
    names: Sequence[str],
    where: str,
    columns: Mapping[str, bool],
    required: Mapping[str, str],
    problems: Problems,
) -> None:
    """Report columns that are unknown, missing or there twice; one may be nameless."""
    if not names:
        what = "no row; the first one has the names of the columns"
        problems.add(where, f"{what}: {', '.join(required)}, …")
        return
    meant = [column for column, written in columns.items() if written]
    for place, column in enumerate(names):
        if column and column not in columns:
            problems.add(f"{where}: {column}", f"unknown column{near(column, meant)}")
        if column and column in names[:place]:
            problems.add(f"{where}: {column}", "stands twice; keep one of them")
    for column, what in required.items():
        if column not in names:
            mend = f"add a column `{column}` ({what})"
            problems.add(f"{where}: {column}", f"missing; {mend}")
