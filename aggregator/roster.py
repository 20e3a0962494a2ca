"""Outlets added to feeds.toml, so that the rest of it stays as its maintainer wrote it.

The only room with tomlkit, which keeps comments, order, spacing and quotes. `planned`
decides on values what is new; `add` does it, under the lock of the file, with what the
file says by then. What an outlet's line looks like is `wording`; whether the result is
sound is for `config` to say. Nothing that asks the network may enter.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections import defaultdict
from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Array, Item, Key, Table

from aggregator import config as configuration
from aggregator import manuscript, wording
from aggregator.model import Config, ConfigError, Outlet
from aggregator.sources import letters
from aggregator.urls import canonical, home, host

_TABLE: Final = "outlets"
_ALIGNED: Final = 2  # last lines whose `=` stand in one column, for more to follow

# A string of any kind (the group), or a comment, which may hold quotes.
_TOKEN: Final = re.compile(
    r'("""(?:[^\\]|\\.)*?"""|"(?:[^"\\]|\\.)*"'
    r"|'''.*?'''|'[^']*')|#[^\n]*",
    re.DOTALL,
)
_COMMA: Final = re.compile(r"(?:\s|#[^\n]*+)*+,")
_LINE_END: Final = re.compile(r"[ \t]*(?:#[^\r\n]*)?(\r?\n)")
_BLANKS: Final = re.compile(r"[ \t]*")

_Body = list[tuple[Key | None, Item]]


@dataclass(frozen=True, slots=True)
class Change:
    """What adding outlets makes of feeds.toml.

    new: outlets that were not there, with those of their addresses that are polled
    nowhere. more: pairs of an outlet that is there, as it stood, and the addresses that
    it gains. known: pairs of an address that is polled already and the outlet it is
    polled for.
    """

    new: tuple[Outlet, ...] = ()
    more: tuple[tuple[Outlet, tuple[str, ...]], ...] = ()
    known: tuple[tuple[str, str], ...] = ()

    @property
    def empty(self) -> bool:
        """Nothing is to be written."""
        return not (self.new or self.more)


def add(path: Path, wanted: Sequence[Outlet]) -> Change:
    """Add outlets, and addresses of outlets that are there, to a feeds.toml.

    All or nothing, and what is polled already is left out, so that doing it again
    changes nothing. Outlets that are there keep everything else they say. Safe beside
    other commands and an editor that saves meanwhile.

    Raises ConfigError when the file is not valid, would not be, or is written so that
    no command can change it, and AggregatorError when it cannot be written; it is then
    as it was.
    """
    while True:
        with manuscript.opened(path) as file:
            if file is None:
                raise ConfigError(path, ("the file cannot be read: it is not there",))
            before = manuscript.content(file)
            config = configuration.read_bytes(before, path)
            change = planned(config.outlets, wanted)
            if change.empty:
                return change
            after = edited(before, config, change)
            # an editor takes no lock: what it saved while this was worked out counts
            if path.read_bytes() == before:
                manuscript.replace(path, after)
                return change


def planned(there: Iterable[Outlet], wanted: Iterable[Outlet]) -> Change:
    """Return what adding outlets would change. Pure.

    Addresses are compared by their canonical form. An outlet is there if one has its
    name or its homepage, or is the only one on the host of its homepage; searches and
    others are never joined, since what a search finds is of many outlets. Names become
    one line.
    """
    before = {outlet.name: outlet for outlet in there}
    owners = _owners(before.values())
    after = dict(before)
    book = _Register(before.values())
    known: list[tuple[str, str]] = []
    for one in wanted:
        urls: list[str] = []
        name = book.find(one) or _free(one, after)
        for url in one.urls:
            if owner := owners.get(_key(url)):
                known.append((url, owner))
            else:
                owners[_key(url)] = name
                urls.append(url)
        if urls and name in after:
            after[name] = replace(after[name], urls=(*after[name].urls, *urls))
        elif urls:
            after[name] = replace(one, name=name, urls=tuple(urls))
            book.enter(after[name])
    return Change(
        new=tuple(one for name, one in after.items() if name not in before),
        more=tuple(
            (old, after[name].urls[len(old.urls) :])
            for name, old in before.items()
            if after[name] is not old
        ),
        known=tuple(known),
    )


def polled(there: Iterable[Outlet], addresses: Iterable[str]) -> dict[str, str]:
    """Return for which outlet addresses are polled; those that are for none lack."""
    owners = _owners(there)
    found = ((url, owners.get(_key(url))) for url in addresses)
    return {url: owner for url, owner in found if owner is not None}


def meant(there: Iterable[Outlet], wanted: Outlet) -> str:
    """Return the name of the outlet that `planned` would add to, "" for a new one."""
    return _Register(there).find(wanted)


def edited(data: bytes, config: Config, change: Change) -> bytes:
    """Return the bytes of a feeds.toml with a change made in it. Pure.

    config: what it says without it. Raises ConfigError as `add` does.
    """
    path = config.source
    mark = BOM_UTF8 if data.startswith(BOM_UTF8) else b""
    text = data.removeprefix(mark).decode()
    try:
        after = mark + _edited(text, change).encode()
    except TOMLKitError as exc:
        raise _closed(path, change) from exc
    whole = configuration.read_bytes(after, path)
    grown = {one.name: replace(one, urls=one.urls + urls) for one, urls in change.more}
    expected = {one.name: grown.get(one.name, one) for one in config.outlets}
    expected |= {one.name: one for one in change.new}
    same_rest = replace(whole, outlets=()) == replace(config, outlets=())
    if not same_rest or {one.name: one for one in whole.outlets} != expected:
        raise _closed(path, change)
    return after


# ── which outlet is meant ─────────────────────────────────────────────────────────────


def _owners(outlets: Iterable[Outlet]) -> dict[str, str]:
    """Return the name of the outlet that has each address, by what tells that."""
    return {_key(url): one.name for one in outlets for url in one.urls}


def _key(url: str) -> str:
    """Return what tells an address from others; a fragment is never sent."""
    return canonical(url.partition("#")[0])


class _Register:
    """Finds the outlet that is meant, among thousands."""

    def __init__(self, outlets: Iterable[Outlet]) -> None:
        self._names: dict[tuple[bool, str], str] = {}
        self._homes: dict[str, str] = {}
        self._hosts: defaultdict[str, set[str]] = defaultdict(set)
        for outlet in outlets:
            self.enter(outlet)

    def enter(self, outlet: Outlet) -> None:
        """Remember an outlet; of equal names and homepages the first counts."""
        search = outlet.kind == "search"
        self._names.setdefault((search, _called(outlet)), outlet.name)
        if search:
            return
        if outlet.homepage:
            self._homes.setdefault(_key(outlet.homepage), outlet.name)
        # Under a path of a host others may live, as they do on YouTube.
        if not outlet.homepage or home(outlet.homepage):
            for url in (outlet.homepage,) if outlet.homepage else outlet.urls:
                self._hosts[_bare(url)].add(outlet.name)

    def find(self, wanted: Outlet) -> str:
        """Return the name of the outlet that is meant, "" for none or several."""
        search = wanted.kind == "search"
        if name := self._names.get((search, _called(wanted))):
            return name
        if search or not wanted.homepage:
            return ""
        if name := self._homes.get(_key(wanted.homepage)):
            return name
        near = self._hosts.get(_bare(wanted.homepage), set())
        return next(iter(near)) if len(near) == 1 and home(wanted.homepage) else ""


def _called(outlet: Outlet) -> str:
    """Return what of a name counts, the whole name where it has no letters."""
    return letters(outlet.name) or outlet.name


def _bare(url: str) -> str:
    return host(url).removeprefix("www.")


def _free(wanted: Outlet, taken: MutableMapping[str, Outlet]) -> str:
    """Return the outlet's name, told from one of another kind that has it already."""
    name = " ".join(wanted.name.split())
    while name in taken:
        name = f"{name} ({wanted.kind})"
    return name


# ── the text ──────────────────────────────────────────────────────────────────────────


def _edited(text: str, change: Change) -> str:
    """Return a text with a change made in it; raises TOMLKitError where it cannot."""
    newline = "\r\n" if "\r\n" in text else "\n"
    if text and not text.endswith("\n"):
        text += newline
    document = tomlkit.parse(text)
    if document.as_string() != text:
        raise TOMLKitError("a comment or a blank would be lost")
    for outlet, urls in change.more:
        _extend(document[_TABLE], outlet.name, urls)
    if change.new:
        found = [
            (key, item) for key, item in document.body if key and key.key == _TABLE
        ]
        tables = [
            item
            for key, item in found
            if isinstance(item, Table) and _headed(key, item)
        ]
        if len(tables) < len(found):
            raise TOMLKitError(f"{_TABLE} is no table of its own")
        own = next((item for item in tables if not item.is_super_table()), None)
        if own is None:  # TOML lets [outlets] follow [outlets."NAME"]
            lines = newline.join(("", f"[{_TABLE}]", *_lines(change.new, 0), ""))
            return document.as_string() + lines
        _insert(own, change.new, newline)
    return document.as_string()


def _insert(table: Any, new: Sequence[Outlet], newline: str) -> None:  # noqa: ANN401
    """Put lines behind the last one of a table; the comments behind that stay there.

    Into tomlkit's list itself: `Table.append` goes behind the blank lines and comments
    that belong to the next table, and takes a square of the number of lines.
    """
    body: _Body = table.value.body
    lines = [place for place, (key, item) in enumerate(body) if _line(key, item)]
    at = lines[-1] + 1 if lines else 0
    columns = [_column(*body[place]) for place in lines[-_ALIGNED:]]
    aligned = len(columns) == _ALIGNED and len(set(columns)) == 1
    text = newline.join((*_lines(new, columns[0] if aligned else 0), ""))
    body[at:at] = tomlkit.parse(text).body


def _line(key: Key | None, item: Item) -> bool:
    """Tell whether an item is a line of a table, and neither comment nor blank."""
    return key is not None and not _headed(key, item)


def _headed(key: Key, item: Item) -> bool:
    """Tell whether an item stands under a heading of its own."""
    return isinstance(item, Table) and not key.is_dotted()


def _column(key: Key | None, item: Item) -> int:
    """Return where the `=` of a line stands."""
    assert key is not None, "only lines with a key are asked"
    return len(item.trivia.indent + key.as_string() + key.sep.partition("=")[0])


def _lines(new: Iterable[Outlet], column: int) -> Iterator[str]:
    return (wording.listed(one, column) for one in new)


def _extend(outlets: Any, name: str, urls: Sequence[str]) -> None:  # noqa: ANN401
    """Add addresses to an outlet that is there, in whatever way it is written."""
    holder, key = outlets, name
    if isinstance(outlets[name], MutableMapping):
        holder, key = outlets[name], "url"
    written = holder[key].as_string()
    if isinstance(holder[key], Array):
        for url in urls:
            written = _longer(written, wording.quoted(url))
    else:
        written = f"[{', '.join((written, *map(wording.quoted, urls)))}]"
    holder[key] = tomlkit.value(written)


def _longer(array: str, text: str) -> str:
    """Return a list of strings with one more behind its last, on a line as that one.

    Not by `Array.append`, which loses a comma where commas stand before comments or
    at the beginnings of lines (tomlkit 0.15.2).
    """
    last = [found for found in _TOKEN.finditer(array) if found[1]][-1]
    comma = _COMMA.match(array, last.end())
    if comma is None:
        array = f"{array[: last.end()]},{array[last.end() :]}"
    end = comma.end() if comma else last.end() + 1
    text += "," if comma else ""
    line = _LINE_END.match(array, end)
    if line is None:
        return f"{array[:end]} {text}{array[end:]}"
    start = array.rfind("\n", 0, last.start()) + 1
    indent = _BLANKS.match(array, start)
    newline = line[1] + (indent[0] if indent else "")
    return f"{array[: line.start(1)]}{newline}{text}{array[line.start(1) :]}"


def _closed(path: Path, change: Change) -> ConfigError:
    """Return the error for a file that only its maintainer can change."""
    grown = (replace(one, urls=one.urls + urls) for one, urls in change.more)
    lines = "; ".join(map(wording.listed, (*change.new, *grown)))
    what = "is written so that no command can add to it; write yourself:"
    return ConfigError(path, (f"[{_TABLE}] {what} {lines}",))
