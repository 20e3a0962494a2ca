"""The sandbox with real child processes."""

from __future__ import annotations

import os
import resource
import signal
import stat
import struct
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest

from aggregator import sandbox
from aggregator.model import ParseError
from aggregator.sandbox import SandboxError, run


def double(number: int) -> int:
    """Return twice the number."""
    return 2 * number


def hog(size: int) -> int:
    """Take that much memory."""
    return len(bytearray(size))


def hog_slowly(seconds: float) -> int:
    """Take time, then more memory than a small call may."""
    spin(seconds)
    return hog(60_000_000)


def room() -> int:
    """Return how much memory the child may have during the call."""
    return resource.getrlimit(resource.RLIMIT_DATA)[0]


def stay(seconds: float) -> tuple[float, float]:
    """Return when the call came and left, by the clock that all processes share."""
    came = time.monotonic()
    spin(seconds)
    return came, time.monotonic()


def refuse() -> None:
    """Raise what a parser raises."""
    raise ParseError("not a feed")


def out_of_time() -> None:
    """Raise the function's own timeout."""
    raise TimeoutError("mine")


def die() -> None:
    """End the child as a crash does."""
    os.kill(os.getpid(), signal.SIGKILL)


def half() -> None:
    """Send the head of an answer and a byte of it, and die."""
    for end in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            if stat.S_ISSOCK(os.fstat(int(end.name)).st_mode):
                os.write(int(end.name), struct.pack("!i", 1000) + b"x")
    die()


def unsendable() -> object:
    """Return what no pickle holds."""
    return threading.Lock()


def whose(words: tuple[str, ...]) -> tuple[tuple[str, ...], int, int]:
    """Return what came, the child, and the place in its memory."""
    return words, os.getpid(), id(words)


def spin(seconds: float) -> None:
    """Keep a core busy."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def handlers() -> tuple[bool, int]:
    """Return whether SIGINT is ignored here, and who we are."""
    return signal.getsignal(signal.SIGINT) is signal.SIG_IGN, os.getpid()


def warm() -> bool:
    """Return whether the expensive rooms were there before the call."""
    return "aggregator.sift" in sys.modules


@pytest.fixture(scope="module", autouse=True)
def _pool():
    """Start the children before anything is timed, and end them after the last test."""
    run(double, 1, timeout=60)
    yield
    sandbox.close()


def test_a_call_returns_what_the_function_returns():
    """The result comes back from another process, which ignores Ctrl-C and is warm."""
    ignored, child = run(handlers, timeout=30)

    assert run(double, 21, timeout=30) == 42
    assert ignored
    assert child != os.getpid()
    assert run(warm, timeout=30)


def test_what_the_function_raises_comes_through():
    """An exception of the function's own is raised here as it is."""
    with pytest.raises(ParseError, match="not a feed"):
        run(refuse, timeout=30)
    with pytest.raises(TimeoutError, match="mine"):
        run(out_of_time, timeout=30)


def test_a_call_that_overruns_is_stopped_and_the_next_one_works():
    """The deadline kills the child, soon, and only that one."""
    began = time.monotonic()
    with pytest.raises(SandboxError, match=r"not read within 0\.3 s"):
        run(spin, 60.0, timeout=0.3)

    assert time.monotonic() - began < 5
    assert run(double, 2, timeout=30) == 4


def test_a_call_over_the_memory_limit_is_stopped():
    """Memory over the limit is an error of the call, not of the machine."""
    for large in (False, True):
        with pytest.raises(SandboxError, match="more than 80 MB"):
            run(hog, 2 * sandbox.LARGE, timeout=30, large=large)

    assert run(hog, 20_000_000, timeout=30) == 20_000_000


def test_a_call_that_needs_more_is_done_again():
    """What a small call has no room for, a large one has, and then others are small."""
    before = run(room, timeout=30)
    for _ in range(4):  # in each of the children
        assert run(hog, 60_000_000, timeout=30) == 60_000_000
        assert run(room, timeout=30) == pytest.approx(before, abs=1_000_000)


def test_a_call_done_again_has_the_time_that_is_left():
    """Two tries take no longer than one may."""
    began = time.monotonic()
    with pytest.raises(SandboxError, match="not read within"):
        run(hog_slowly, 1.5, timeout=2)

    assert time.monotonic() - began < 3


def test_large_calls_go_one_at_a_time():
    """While one takes much memory no other does."""
    with ThreadPoolExecutor(4) as threads:
        stays = list(
            threads.map(lambda _: run(stay, 0.05, timeout=30, large=True), range(4))
        )
    stays.sort()

    assert all(left <= came for (_, left), (came, _) in pairwise(stays))


def test_a_child_that_dies_is_an_error_of_its_call():
    """A crash is reported; calls go on in another child."""
    with pytest.raises(SandboxError, match="died"):
        run(die, timeout=30)

    assert run(double, 3, timeout=30) == 6


def test_children_killed_while_idle_are_replaced():
    """A child that the system ended between two calls costs no later call."""
    for _ in range(20):
        _, child = run(handlers, timeout=30)
        os.kill(child, signal.SIGKILL)
        for _ in range(10):  # until somebody noticed
            assert run(double, 4, timeout=30) == 8


def test_children_killed_at_any_instant_stop_no_others():
    """Whatever a child was about, later calls are answered, and soon."""
    with ThreadPoolExecutor(4) as threads:
        for _ in range(30):
            calls = [threads.submit(run, handlers, timeout=30) for _ in range(20)]
            os.kill(calls[0].result()[1], signal.SIGKILL)
            for call in calls[1:]:
                with suppress(SandboxError):
                    call.result()
    began = time.monotonic()

    assert [run(double, n, timeout=30) for n in range(4)] == [0, 2, 4, 6]
    assert time.monotonic() - began < 5


def test_children_whose_server_is_gone_are_made_anew():
    """Calls go on when all the children have died with the one that forks them."""
    os.kill(run(os.getppid, timeout=30), signal.SIGKILL)

    assert [run(double, n, timeout=30) for n in range(4)] == [0, 2, 4, 6]


def test_a_child_that_leaves_its_answer_half_sent_is_an_error_of_its_call():
    """What came of the answer is not taken for the whole."""
    with pytest.raises(SandboxError, match="died"):
        run(half, timeout=30)

    assert run(double, 6, timeout=30) == 12


def test_an_answer_that_does_not_travel_is_told():
    """The fault is raised here, with the place where it arose, and the child lives."""
    with pytest.raises(TypeError, match="lock") as caught:
        run(unsendable, timeout=30)

    assert "_answered" in str(caught.value.__cause__)

    assert run(double, 7, timeout=30) == 14


def test_an_answer_that_nobody_waited_for_goes_to_nobody_else():
    """After Ctrl-C in the middle of a call the next ones get their own results."""
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    with pytest.raises(KeyboardInterrupt):
        run(stay, 1.0, timeout=30)
    signal.signal(signal.SIGALRM, before)

    assert [run(double, n, timeout=30) for n in range(4)] == [0, 2, 4, 6]


def test_ending_while_children_start_says_nothing():
    """A process that is done at once leaves no traceback of its children behind."""
    script = "import math; from aggregator import sandbox; "
    script += "assert sandbox.run(math.sqrt, 4.0, timeout=30) == 2"
    running = [
        subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE)
        for _ in range(8)  # so many that the second child of each is late
    ]
    said = [process.communicate()[1] for process in running]

    assert [process.returncode for process in running] == [0] * 8
    assert said == [b""] * 8


def test_a_machine_that_starts_no_children_is_no_fault_of_the_call(tmp_path):
    """A temporary folder with too long a name for a socket: not a SandboxError."""
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, script, "once"],
        env={**os.environ, "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    assert "no child process starts: AF_UNIX path too long" in done.stderr
    assert "SandboxError" not in done.stderr


def test_what_is_sealed_is_made_once_in_a_child():
    """It arrives as it was, and is the same object in all calls of one child."""
    words = ("un", "deux", "trois")
    seen = [run(whose, sandbox.sealed(words), timeout=30) for _ in range(20)]

    assert {came for came, _, _ in seen} == {words}
    assert len({(child, place) for _, child, place in seen}) == len(
        {child for _, child, _ in seen}
    )


def test_threads_share_the_children():
    """Many threads get each its own result."""
    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda n: run(double, n, timeout=30), range(200)))

    assert results == [2 * number for number in range(200)]


PROGRAM = """
import os, re, sys
from aggregator.sandbox import run
if __name__ == "__main__":
    print(run(os.getpid, timeout=60), flush=True)
    if sys.argv[1] == "busy":
        run(re.match, "(a+)+b", "a" * 50, timeout=600)
"""


def ended(pid: int) -> bool:
    """Tell whether a process is gone, or waits to be buried."""
    try:
        said = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return said.rpartition(")")[2].split()[0] == "Z"


def children(pid: int) -> set[int]:
    """Return all processes below one."""
    threads = Path(f"/proc/{pid}/task").glob("*/children")
    found = {int(child) for each in threads for child in each.read_text().split()}
    return found.union(*map(children, found))


def test_no_child_outlives_a_parent_that_is_killed(tmp_path):
    """After SIGKILL of ours, no process of the sandbox is left, busy or not."""
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    with subprocess.Popen(
        [sys.executable, script, "busy"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as parent:
        parent.stdout.readline()
        below = children(parent.pid)
        parent.kill()
    until = time.monotonic() + 10
    while time.monotonic() < until and not all(map(ended, below)):
        pass

    assert len(below) > 1
    assert [pid for pid in below if not ended(pid)] == []


def test_a_program_that_used_it_ends_at_once_and_in_silence(tmp_path):
    """The interpreter's exit ends the children: no wait, no warning."""
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, "-W", "error", script, "once"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert ended(int(done.stdout))
