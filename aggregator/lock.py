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

from aggregator.model import LockHeldError

CYCLE_WAIT = 60.0  # seconds a command waits for the cycle of another (DESIGN.md §2)
_LOOK = 0.05  # seconds between two looks; flock has no wait with a limit


@contextmanager
def held(database: Path, name: str, *, wait: float = CYCLE_WAIT) -> Iterator[None]:
    """Hold the lock `name` of `database` inside the block; waits up to `wait` seconds.

    Raises LockHeldError when another process still holds it then.
    """
    path = database.with_name(f"{database.name}.{name}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + wait
    with path.open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise LockHeldError(
                        f"another command holds {path}; it waited {wait:.0f} s: "
                        "try again when that one has ended"
                    ) from None
            time.sleep(_LOOK)
        yield
