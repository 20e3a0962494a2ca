"""The real command line, ended by SIGKILL just before one of its steps.

A step is what cannot be taken back: a COMMIT, before it and after it, a file put in its
place, removed or cut, a file or folder synced. They are counted from outside, by an
audit hook and by what the standard library offers to count with; the program does not
know. kills.py and the tests start this:

    python benchmarks/struck.py STEP FILE WORDS…

STEP: the one to die before, 0 = none. FILE: how many steps there were is written into
it when the command ends by itself. WORDS: what follows `aggregator`.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

NAMES = frozenset({"os.rename", "os.remove", "os.rmdir", "os.truncate"})


class Steps:
    """Counts steps, whichever thread takes them, and dies before the one named."""

    def __init__(self, deadly: int) -> None:
        """Take the number of the step to die before, 0 = none."""
        self._deadly = deadly
        self._next = count(1)
        self.taken = 0

    def step(self) -> None:
        """Take one step, or die."""
        self.taken = next(self._next)
        if self.taken == self._deadly:
            os.kill(os.getpid(), signal.SIGKILL)

    def heard(self, event: str, _args: tuple[Any, ...]) -> None:
        """Take a step for each event that changes a folder or cuts a file."""
        if event in NAMES:
            self.step()


def counted(steps: Steps) -> None:
    """Have everything count from now on that this process commits, moves or syncs."""

    class Connection(sqlite3.Connection):
        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:  # noqa: ANN401
            if sql != "COMMIT":
                return super().execute(sql, *values)
            steps.step()
            done = super().execute(sql, *values)
            steps.step()
            return done

    fsync = os.fsync

    def synced(file: int) -> None:
        steps.step()
        fsync(file)

    sqlite3.connect = partial(sqlite3.connect, factory=Connection)
    os.fsync = synced
    sys.addaudithook(steps.heard)


def main() -> None:
    """Do what the command line says, for as long as it lives."""
    deadly, tally, *words = sys.argv[1:]
    from aggregator.cli import main as command  # noqa: PLC0415 - imports are no steps

    steps = Steps(int(deadly))
    counted(steps)
    try:
        command(words, prog_name="aggregator")
    finally:
        Path(tally).write_text(str(steps.taken), "utf-8")


if __name__ == "__main__":
    main()
