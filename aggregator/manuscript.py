"""A file of the maintainer's, changed by one command at a time and never half written.

The lock is flock(2) on the file itself, which an editor does not know: what that puts
in its place meanwhile is taken instead. What is written into it is the caller's
business.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from aggregator import durable
from aggregator.model import AggregatorError

_MODE: Final = 0o666  # less what umask takes
_FLAGS: Final = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC


@contextmanager
def opened(path: Path, *, create: bool = False) -> Iterator[int | None]:
    """Open the file for this command alone; None where there is none to be made.

    Raises AggregatorError when it cannot be read or written, also inside the block.
    """
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
            f"{path}: cannot be written: {reason.lower()}; nothing was changed"
        ) from exc


def content(file: int) -> bytes:
    """Return all that an opened file holds."""
    data = bytearray()
    while chunk := os.pread(file, 1 << 20, len(data)):
        data += chunk
    return bytes(data)


def append(file: int, data: bytes, end: int) -> None:
    """Write all of the data at the end of a file, synced, or leave it as it was."""
    try:
        while data:
            data = data[os.write(file, data) :]
        os.fsync(file)
    except OSError:
        os.ftruncate(file, end)  # half a table would spoil the whole file
        raise


def replace(path: Path, data: bytes) -> None:
    """Put another text in the place of a file, at once, with its rights and owner.

    Where there is none yet, make it. Raises OSError.
    """
    path = path.resolve()  # a link stays one
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        with new.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copystat(path, new)
            before = path.stat()
            with suppress(PermissionError):  # root must not take it from its owner
                os.chown(new, before.st_uid, before.st_gid)
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    durable.sync(path.parent)


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
                    durable.sync(path.parent)
                return file
        except BaseException:
            os.close(file)
            raise
        os.close(file)
