"""Showing values to people and to programs: tables, dates, JSON."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any
from unicodedata import east_asian_width

import click

from aggregator.model import Config

_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_TITLE = 70  # columns
_TEXT = 88  # columns of running text; longer lines are hard to read


def safe(text: str) -> str:
    """Return text of an outlet without what could steer a terminal."""
    return _UNSAFE.sub(" ", text)


def safe_lines(text: str) -> str:
    """Return several lines, each without what could steer a terminal."""
    return "\n".join(map(safe, text.split("\n")))


def held(counts: Iterable[tuple[str, int]]) -> Iterator[str]:
    """Yield a line for each topic of which the brake holds stories, and how many."""
    for topic, count in counts:
        yield (
            f"{topic}: the brake holds {count} {'story' if count == 1 else 'stories'}; "
            "`aggregator diff` shows them, `aggregator publish --accept` lets them pass"
        )


def hubs(heard: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield a line for each hub that begins to fail, and why, or works again."""
    for url, reason in heard:
        if reason:
            yield f"hub fails: {safe(reason)} ({safe(url)}); it is told again later"
        else:
            yield f"hub works again ({safe(url)})"


def restored(count: int | None, config: Config) -> None:
    """Say in one line that a lost database was made again, if it was."""
    if count is not None:
        stories = many(count, "story", "stories")
        database, output = config.storage.database, config.storage.output
        click.echo(
            f"{database.name} was lost: {stories} restored from "
            f"{output.name}/stories.jsonl",
            err=True,
        )


def many(count: int, one: str, more: str = "") -> str:
    """Return « 1 story », « 2 stories »; more: where an s does not make the plural."""
    return f"{count} {one if count == 1 else more or one + 's'}"


def on_terminal() -> bool:
    """Tell whether a person sits there: keys come from a terminal, and it is shown."""
    return all(stream and stream.isatty() for stream in (sys.stdin, sys.stdout))


def plain_terminal() -> bool:
    """Tell whether the terminal wants no colours (no-color.org) or knows none."""
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") in (None, "dumb")


def width() -> int:
    """Return how many columns running text may take."""
    return min(shutil.get_terminal_size().columns, _TEXT)


def as_json(value: object) -> None:
    """Print a value as one JSON document; times become ISO 8601.

    What could steer a terminal stands in it as an escape, which reads as the same text.
    """
    text = json.dumps(plain(value), ensure_ascii=False, indent=2)
    click.echo("\n".join(_UNSAFE.sub(_escaped, line) for line in text.split("\n")))


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def plain(value: Any) -> Any:  # noqa: ANN401, whatever JSON can hold
    """Return a value made of what JSON knows; dataclasses become objects."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = (field.name for field in dataclasses.fields(value))
        return {name: plain(getattr(value, name)) for name in names}
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def when(at: datetime | None) -> str:
    """Return an instant as a table shows it: local time to the minute, "–" for none."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M") if at else "–"


def short(text: str, width: int = _TITLE) -> str:
    """Return text safe for a terminal and no wider than `width` characters."""
    text = safe(text)
    return text if len(text) <= width else text[: width - 1].rstrip() + "…"


def table(rows: Sequence[Sequence[str]], *, err: bool = False) -> None:
    """Print rows in columns as wide as they need; numbers stand to the right.

    Cells may hold any words: what could steer a terminal is left out.
    """
    rows = [[safe(cell) for cell in row] for row in rows]
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            " " * (width - _width(cell)) + cell
            if cell.replace(".", "", 1).isdigit()
            else cell + " " * (width - _width(cell))
            for cell, width in zip(row, widths, strict=True)
        ]
        click.echo("  ".join(cells).rstrip(), err=err)


def _width(text: str) -> int:
    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)
