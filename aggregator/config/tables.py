"""Reads typed keys from TOML tables and collects every problem on the way.

A `Table` describes its keys once; reading, the check for unknown keys and the reference
in docs/ all follow from that description. What the keys of a certain file are, and what
their values mean together, may not enter: that is `keys`, `config` and `curation`.
"""

from __future__ import annotations

import json
import re
import tomllib
from codecs import BOM_UTF8
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from aggregator.model import ConfigError

REQUIRED: Final = object()
"""The default of a key that must be written."""

_SHOWN = 60  # characters of a value in a message: enough to find it again
_ALIKE = 0.65  # of 1: titre, title; not text, outlet
_LISTED = 12  # names in a message: more are a manual, not a hint
_CURLY = re.compile("[“”„‟‘‛]")
# What tomllib says, and the slip that it most often means; the first that fits counts.
_SLIPS = (
    (r"cannot (overwrite|declare)", "a key or table stands twice: keep one"),
    (
        r"illegal character '\\n'|unclosed|expected '\]|.*at end of document",
        "is a quote, bracket or brace not closed?",
    ),
    (
        r"expected '=' after a key|invalid statement",
        'a name like this wants quotes: "Le Monde" = …',
    ),
    (r"invalid value", "a text wants quotes, true and false small letters"),
    (r"expected newline", "does the text hold its own kind of quote?"),
    (r"unescaped", "write it twice, or the text between apostrophes"),
)
_POSITION = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")

Reader = Callable[[object], Any]


class UnfitError(ValueError):
    """A value cannot be used.

    reasons: pairs of the place inside the value ("" = all of it, "[2]" = the second of
    a list) and one line that says what was read and what to write instead.
    """

    def __init__(self, *reasons: tuple[str, str]) -> None:
        """Keep the reasons."""
        super().__init__("; ".join(f"{at} {what}".strip() for at, what in reasons))
        self.reasons = reasons


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a table.

    read: turns what TOML holds into the value, or raises UnfitError. default: as it
    would be written; None = the key is simply not set. doc, example: for people, in
    messages and in docs/; the example is TOML.
    """

    name: str
    read: Reader
    default: object
    doc: str
    example: str


class Problems:
    """The lines that say what is wrong, in the order of finding."""

    def __init__(self) -> None:
        """Start with none."""
        self.lines: list[str] = []

    def add(self, where: str, what: str) -> None:
        """Keep one problem; `what` says what was read and how to mend it."""
        self.lines.append(_printable(f"{where}: {what}"))

    def raise_any(self, source: Path) -> None:
        """Raise ConfigError for `source` when there is a problem."""
        if self.lines:
            raise ConfigError(source, tuple(self.lines))


class Table:
    """The keys that one kind of table may have."""

    def __init__(self, name: str, *keys: Key) -> None:
        """Describe the table; `name` as a reference writes it, such as `topics[]`."""
        self.name = name
        self.keys = {key.name: key for key in keys}
        self._required = [key for key in keys if key.default is REQUIRED]
        self._defaults = {
            key.name: key.read(key.default)
            for key in keys
            if key.default is not REQUIRED and key.default is not None
        }

    def read(
        self, where: str, raw: Mapping[str, object], problems: Problems
    ) -> dict[str, Any]:
        """Return the values of `raw`, completed by the defaults.

        A key that is unset, missing or faulty and has no default is left out.
        """
        values = dict(self._defaults)
        for name, given in raw.items():
            if (key := self.keys.get(name)) is None:
                problems.add(f"{where}.{name}", f"unknown key{near(name, self.keys)}")
                continue
            try:
                values[name] = key.read(given)
            except UnfitError as exc:
                for place, what in exc.reasons:
                    problems.add(f"{where}.{name}{place}", what)
        for key in self._required:
            if key.name not in raw:
                what = f"missing ({key.doc}); write {key.name} = {key.example}"
                problems.add(f"{where}.{key.name}", what)
        return values


def load(path: Path) -> dict[str, object]:
    """Return the content of a TOML file; a byte order mark is accepted.

    Raises ConfigError when the file is missing, unreadable, not UTF-8 or no TOML.
    """
    return loads(content(path), path)


def content(path: Path) -> bytes:
    """Return the bytes of a file; ConfigError when it is missing or unreadable."""
    try:
        return path.read_bytes()
    except OSError as exc:
        reason = exc.strerror or type(exc).__name__
        raise ConfigError(path, (f"the file cannot be read: {reason}",)) from exc


def loads(data: bytes, path: Path) -> dict[str, object]:
    """Return what the bytes of a TOML file say, as `load`; path: for messages."""
    data = data.removeprefix(BOM_UTF8)
    try:
        # As TOML asks: a newline is LF or CRLF, and nothing else is.
        text = data.decode("utf-8").replace("\r\n", "\n")
        return tomllib.loads(text)
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        what = f"line {line}: byte {data[exc.start]:#04x} is no UTF-8"
        raise ConfigError(path, (f"{what}; save the file as UTF-8",)) from exc
    except tomllib.TOMLDecodeError as exc:
        raise ConfigError(path, (_not_toml(text, exc),)) from exc
    except RecursionError as exc:
        what = "lists or tables are nested too deeply; no setting needs more than three"
        raise ConfigError(path, (what,)) from exc


def _not_toml(text: str, error: tomllib.TOMLDecodeError) -> str:
    """Return one line: where the TOML ends, why, the line itself and a guess."""
    message = str(error)
    what = _POSITION.sub("", message)
    what = what[:1].lower() + what[1:]
    lines = text.rstrip().split("\n")
    place = _POSITION.search(message)
    if place and place[1]:
        number, where = int(place[1]), f"line {place[1]}, column {place[2]}"
        line = text.split("\n")[number - 1].strip()
    else:
        line, where = lines[-1].strip(), f"line {len(lines)}, the last"
    if _CURLY.search(line):
        mend = "around a text TOML wants straight quotes, \" or '"
    else:
        fits = (mend for said, mend in _SLIPS if re.match(said, message, re.IGNORECASE))
        mend = next(fits, "see toml.io")
    return _printable(f"{where}: {what}, in {_short(line)}; {mend}")


def tables(
    name: str, raw: object, problems: Problems
) -> list[tuple[int, dict[str, object]]]:
    """Return the tables of the array `[[name]]` with their positions, from 1."""
    if isinstance(raw, list) and all(isinstance(each, dict) for each in raw):
        return list(enumerate(raw, start=1))
    problems.add(name, f"{shown(raw)} is no array of tables; write [[{name}]]")
    return []


def table(name: str, raw: object, problems: Problems) -> dict[str, object]:
    """Return the table `[name]`; an empty one, with a problem, when it is none."""
    if isinstance(raw, dict):
        return raw
    problems.add(name, f"{shown(raw)} is no table; write [{name}]")
    return {}


def shown(raw: object) -> str:
    """Return `raw` for a message: as TOML where it is short, else what it is."""
    match raw:
        case bool():
            return str(raw).lower()
        case str():
            return _short(json.dumps(raw, ensure_ascii=False))
        case []:
            return "an empty list"
        case list():
            return "a list"
        case dict():
            return "a table"
        case _:
            return str(raw)  # numbers, dates and times read as TOML writes them


def near(word: str, known: Collection[str]) -> str:
    """Return `; did you mean …?`, else `; known here: …`, to follow a message."""
    if found := get_close_matches(word.lower(), known, n=1, cutoff=_ALIKE):
        return f"; did you mean {found[0]!r}?"
    if not known:
        return ""
    listed = ", ".join(list(known)[:_LISTED])
    return f"; known here: {listed}" + (", …" if len(known) > _LISTED else "")


def _printable(text: str) -> str:
    """Return `text` as one line that does nothing to a terminal."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
