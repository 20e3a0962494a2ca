"""Appending decisions to curation.toml, so that none is lost and nothing else changes.

The file is the maintainer's, who may have it open in an editor: text is added to its
end, or one table is cut out of it to take a decision back, and nothing else of it is
ever rewritten. What a decision looks like is `wording`; what was written is kept in
`notebook` too, while the file is locked, so that it is missed when it vanishes.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from aggregator import curation, notebook, wording
from aggregator.model import (
    AggregatorError,
    Config,
    ConfigError,
    Decision,
    StoreError,
)

_MODE = 0o666  # less what umask takes
_HEAD = re.compile(rb"[ \t]*\[\[[ \t]*decision[ \t]*\]\]")
_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC


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
        with _opened(path, create=bool(decided or self._written)) as file:
            before = _content(file) if file is not None else b""
            data, after = self._added(before, decided)
            stood = after[: len(after) - len(decided)]
            standing = Counter(map(repr, stood))
            lost = [one for one in self._written if not _took(standing, one)]
            if lost:
                data, after = self._added(before, (*lost, *decided))
            if file is not None and data:
                _append(file, data, len(before))
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
        with _opened(path, create=False) as file:
            content = _content(file) if file is not None else b""
            return notebook.missing(self._config, self._read(content))

    def take_out(self, place: int) -> bool:
        """Cut one table out of the file, by its place from 1; tell whether that went.

        Comments stay, and so does everything else. False, with nothing changed, where
        the table is not written as `[[decision]]` and lines of its own. Raises as
        `write`.
        """
        path = self._config.storage.curation
        with _opened(path, create=False) as file:
            before = _content(file) if file is not None else b""
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
            _replace(path, after)
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


def _append(file: int, data: bytes, end: int) -> None:
    """Write all of the data at the end of a file, synced, or leave it as it was."""
    try:
        while data:
            data = data[os.write(file, data) :]
        os.fsync(file)
    except OSError:
        os.ftruncate(file, end)  # half a table would spoil the whole file
        raise


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


def _replace(path: Path, data: bytes) -> None:
    """Put another text in the place of a file, at once, with its rights and owner."""
    path = path.resolve()  # a link stays one
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with new.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        shutil.copystat(path, new)
        before = path.stat()
        with suppress(PermissionError):  # root must not take the file from its owner
            os.chown(new, before.st_uid, before.st_gid)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _took(standing: Counter[str], decided: Decision) -> bool:
    """Take one such decision out of those that stand; tell whether there was one."""
    name = repr(decided)
    standing[name] -= 1
    return standing[name] >= 0


@contextmanager
def _opened(path: Path, *, create: bool) -> Iterator[int | None]:
    """Open the file for this command alone; None where there is none to be made."""
    try:
        file = _locked(path, create=create)
        try:
            yield file
        finally:
            if file is not None:
                os.close(file)
    except OSError as exc:
        reason = exc.strerror or str(exc)
        raise AggregatorError(
            f"{path}: cannot be written: {reason.lower()}; nothing was decided"
        ) from exc


def _locked(path: Path, *, create: bool) -> int | None:
    """Return the file, locked against other commands; an editor knows no lock.

    One that an editor put in its place meanwhile is taken instead.
    """
    while True:
        if new := not os.path.lexists(path):
            if not create:
                return None
            path.parent.mkdir(parents=True, exist_ok=True)
        # a link into nowhere is left to fail: its disk may not be mounted
        file = os.open(path, _FLAGS | (os.O_CREAT if new else 0), _MODE)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            if path.exists() and os.path.samestat(path.stat(), os.fstat(file)):
                if new:
                    _sync_folder(path.parent)
                return file
        except BaseException:
            os.close(file)
            raise
        os.close(file)


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _content(file: int) -> bytes:
    data = bytearray()
    while chunk := os.pread(file, 1 << 20, len(data)):
        data += chunk
    return bytes(data)
