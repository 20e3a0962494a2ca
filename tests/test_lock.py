"""Locks between commands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from aggregator.lock import held
from aggregator.model import LockHeldError, StoreError

HOLD = """
import sys
from pathlib import Path
from aggregator.lock import held
with held(Path(sys.argv[1]), "cycle"):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(database: Path) -> subprocess.Popen[str]:
    """Start a process that holds the cycle lock until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process


def test_a_lock_keeps_another_process_out(tmp_path: Path) -> None:
    """While one command holds the lock, another gives up with a clear message."""
    database = tmp_path / "aggregator.db"
    with holder(database) as process:
        with (
            pytest.raises(LockHeldError, match="another command holds"),
            held(database, "cycle", wait=0.1),
        ):
            pass
        process.communicate()

    with held(database, "cycle", wait=0):
        pass  # free again


def test_a_killed_command_leaves_no_lock(tmp_path: Path) -> None:
    """SIGKILL frees the lock, so nobody has to clean up."""
    database = tmp_path / "aggregator.db"
    with holder(database) as process:
        process.kill()
        process.communicate()

    with held(database, "cycle", wait=0) as nothing:
        assert nothing is None


def test_where_no_lock_can_be_is_said_in_one_line(tmp_path: Path) -> None:
    """A database below a file, or in a folder of others, is an error of ours."""
    (tmp_path / "file").write_text("in the way")

    with (
        pytest.raises(StoreError, match="cannot be made"),
        held(tmp_path / "file" / "aggregator.db", "cycle"),
    ):
        pass


def test_locks_of_other_names_do_not_meet(tmp_path: Path) -> None:
    """The worker holds its own lock for life while its cycles come and go."""
    database = tmp_path / "new" / "aggregator.db"
    with held(database, "worker", wait=0), held(database, "cycle", wait=0) as nothing:
        assert nothing is None
