"""Locks between commands: one file each beside the database, held by flock.

The kernel drops a lock with the process that held it, so a killed command leaves
nothing to clean up.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from aggregator.model import LockHeldError, StoreError

CYCLE_WAIT = 60.0  # seconds a command waits for the cycle of another (DESIGN.md §2)
_LOOK = 0.05  # seconds between two looks; flock has no wait with a limit


@contextmanager
def held(database: Path, name: str, *, wait: float = CYCLE_WAIT) -> Iterator[None]:
    """Hold the lock `name` of `database` inside the block; waits up to `wait` seconds.

    Raises LockHeldError when another process still holds it then, StoreError when there
    can be no lock beside the database.
    """
    path = database.with_name(f"{database.name}.{name}.lock")
    until = time.monotonic() + wait
    with _opened(path) as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise LockHeldError(
                        f"another command holds {path} (waited {wait:.0f} s); "
                        "try again when it has ended"
                    ) from None
            time.sleep(_LOOK)
        yield


def is_held(database: Path, name: str) -> bool:
    """Tell whether another process holds the lock `name` of `database` right now."""
    path = database.with_name(f"{database.name}.{name}.lock")
    try:
        with path.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # none was ever made, or it is not for this user to look
        return False
    return False


def _opened(path: Path) -> IO[str]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("a")
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise StoreError(f"{path}: cannot be made: {reason}") from exc
