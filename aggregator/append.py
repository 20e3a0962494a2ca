"""Appending decisions to curation.toml, so that none is lost and nothing else changes.

The file is the maintainer's, who may have it open in an editor: text is added to its
end, or one table is cut out of it to take a decision back, and nothing else of it is
ever rewritten. What a decision looks like is `wording`; what was written is kept in
`notebook` too, while the file is locked, so that it is missed when it vanishes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

from aggregator import curation, manuscript, notebook, wording
from aggregator.model import Config, ConfigError, Decision, StoreError

_HEAD = re.compile(rb"[ \t]*\[\[[ \t]*decision[ \t]*\]\]")


class Pen:
    """Writes the decisions of one command, and sees to it that they stay written."""

    def __init__(self, config: Config) -> None:
        """Write into the curation.toml of this configuration."""
        self._config = config
        self._written: list[Decision] = []

    def write(self, *decided: Decision) -> int:
        """Append decisions, each synced to the disk when this returns.

        An editor that saves an older text takes away what was appended meanwhile: what
        this pen wrote and is there no longer is written again first. Returns how many
        these were. Raises ConfigError when the file cannot be read or would not be
        valid, AggregatorError when it cannot be written; it is then as it was.
        """
        path = self._config.storage.curation
        with manuscript.opened(path, create=bool(decided or self._written)) as file:
            before = manuscript.content(file) if file is not None else b""
            data, after = self._added(before, decided)
            stood = after[: len(after) - len(decided)]
            standing = Counter(map(repr, stood))
            lost = [one for one in self._written if not _took(standing, one)]
            if lost:
                data, after = self._added(before, (*lost, *decided))
            if file is not None and data:
                manuscript.append(file, data, len(before))
                new = after[len(after) - len(decided) :]
                self._written += new
                with suppress(StoreError):  # the file counts, not the memory of it
                    notebook.note(self._config, stood, new)
        return len(lost)

    def missing(self) -> notebook.Missing:
        """Return what commands wrote and the file has no longer, see `notebook`.

        Raises ConfigError when the file is not valid, StoreError, AggregatorError when
        it cannot be read.
        """
        path = self._config.storage.curation
        with manuscript.opened(path) as file:
            content = manuscript.content(file) if file is not None else b""
            return notebook.missing(self._config, self._read(content))

    def take_out(self, place: int) -> bool:
        """Cut one table out of the file, by its place from 1; tell whether that went.

        Comments stay, and so does everything else. False, with nothing changed, where
        the table is not written as `[[decision]]` and lines of its own. Raises as
        `write`.
        """
        path = self._config.storage.curation
        with manuscript.opened(path) as file:
            before = manuscript.content(file) if file is not None else b""
            standing = self._read(before)
            wanted = standing[: place - 1] + standing[place:]
            after = _without(before, place)
            try:
                if after is None or self._read(after) != wanted:
                    return False
            except ConfigError:  # it was no table of its own, but part of a text
                return False
            with suppress(StoreError):
                notebook.forget(self._config, standing[place - 1 : place])
            manuscript.replace(path, after)
        return True

    def _read(self, data: bytes) -> tuple[Decision, ...]:
        config = self._config
        zone = config.site.timezone
        return curation.read_bytes(data, config.storage.curation, config.topics, zone)

    def _added(
        self, before: bytes, decided: Sequence[Decision]
    ) -> tuple[bytes, tuple[Decision, ...]]:
        """Return what is to be appended, and all that the file says after it."""
        zone = self._config.site.timezone
        tables = (wording.decision(one, zone) for one in decided)
        text = "".join(f"\n{table}\n" for table in tables)
        if not before:
            text = text.removeprefix("\n")
        elif text and not before.endswith(b"\n"):
            text = "\n" + text
        data = text.encode()
        return data, self._read(before + data)


def _without(data: bytes, place: int) -> bytes | None:
    """Return a text without its table of that place; None when there is none."""
    lines = data.splitlines(keepends=True)
    heads = [at for at, line in enumerate(lines) if _HEAD.match(line)]
    if place > len(heads):
        return None
    start, end = heads[place - 1], [*heads, len(lines)][place]
    # what stands above the next table most likely speaks of that one
    while not lines[end - 1].strip() or lines[end - 1].lstrip().startswith(b"#"):
        end -= 1
    # of two blank lines round it one is enough, and none at the end of the file
    if end < len(lines) and not lines[end].strip():
        end += 1
    elif end == len(lines) and start and not lines[start - 1].strip():
        start -= 1
    return b"".join(lines[:start] + lines[end:])


def _took(standing: Counter[str], decided: Decision) -> bool:
    """Take one such decision out of those that stand; tell whether there was one."""
    name = repr(decided)
    standing[name] -= 1
    return standing[name] >= 0
