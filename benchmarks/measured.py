"""What a command costs: time, processor and memory, of all its processes.

Knows nothing of what is measured. Linux only: it reads /proc.
"""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

EVERY = 0.02  # seconds between two samples of memory, at least
RARE = 20  # times what a sample takes: its cost stays under 5 %
SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER, of linux/prctl.h


@dataclass(frozen=True)
class Cost:
    """What a command took.

    peak: bytes (PSS) of all its processes together. parts: of each at the peak, the
    command itself first. cpu: seconds, user and system. said: what it wrote to stderr.
    """

    peak: int
    parts: tuple[int, ...]
    seconds: float
    cpu: float
    status: int
    said: str


def below(pid: int) -> set[int]:
    """Return a process and all that it started, and those they started."""
    found = {pid}
    try:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            children = (thread / "children").read_text().split()
            found.update(*(below(int(child)) for child in children))
    except OSError:  # the thread or the process has ended
        pass
    return found


def pss(pid: int) -> int:
    """Return the bytes of a process, what it shares with others shared out."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended
        return 0
    return sum(1024 * int(line.split()[1]) for line in lines if line[:4] == "Pss:")


def adopt() -> None:
    """Become the parent of processes whose own has ended: else their cost is lost.

    Commands end before the processes that they started, which nobody waits for then.
    """
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)


def cost(
    command: Sequence[str],
    env: Mapping[str, str],
    folder: Path,
    *,
    rare: float = RARE,
) -> Cost:
    """Run a command in a folder, to its end; return what it cost.

    rare: how many times as long as a sample of memory takes there is none.
    """
    adopt()
    others = below(os.getpid())
    before = _used()
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as stderr:
        began = time.monotonic()
        with subprocess.Popen(
            command,
            env=env,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        ) as process:
            peak: tuple[int, ...] = ()
            while process.poll() is None:
                start = time.monotonic()
                pids = sorted(below(process.pid))
                peak = max(peak, tuple(pss(pid) for pid in pids), key=sum)
                pause = max(EVERY, rare * (time.monotonic() - start))
                _wait(process, pause)
            seconds = time.monotonic() - began
        while left := below(os.getpid()) - others:
            for pid in left:
                _bury(pid)
        stderr.seek(0)
        said = stderr.read()
    cpu = _used() - before
    return Cost(sum(peak), peak, seconds, cpu, process.returncode, said)


def _wait(process: subprocess.Popen[bytes], seconds: float) -> None:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return


def _bury(pid: int) -> None:
    """Wait for a process that the command left behind, if it is ours by now."""
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:  # its own parent is still there
        return


def _used() -> float:
    """Return the seconds of the processor that children took which have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
