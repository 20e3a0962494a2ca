"""Child processes in which a hostile document can do no harm.

Warm ones, as many as the machine has cores, each with a limit of memory, killed at the
deadline of their call and renewed now and then. Calls are small, with little memory, or
large, of which there is one at a time; those that load heavy libraries have one child
of their own. So all of them together never take much. What runs in them is the caller's
business; nothing about feeds may enter. The children are made at the first call.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import multiprocessing
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing import forkserver
from pathlib import Path
from typing import Any, Final, TypeVar, TypeVarTuple

from pebble import ProcessExpired, ProcessPool

from aggregator.model import StageError

SMALL: Final = 25_000_000  # bytes that a call may take, beside what a child begins with
LARGE: Final = 80_000_000  # bytes that a large call may take
_MOST: Final = 250_000_000  # bytes of a child, its libraries and the result included
_LEAST: Final = 1.0  # seconds that a call done again has
_CALLS: Final = 500  # of one child, then it is renewed: what leaks leaks no further
_WARM: Final = ["aggregator.nursery"]  # imported once, before the children are forked
_PR_SET_PDEATHSIG: Final = 1  # prctl(2)

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class SandboxError(StageError):
    """A call that had to be stopped: it overran, took too much memory or crashed."""


class _Children:
    """Processes for calls of one kind, started when the first of them comes."""

    def __init__(self, number: int) -> None:
        self.slots = threading.BoundedSemaphore(number)
        self._number = number
        self._lock = threading.Lock()
        self._pool: Any = None  # pebble's is typed only in part

    def pool(self) -> Any:  # noqa: ANN401 - as above
        """Return the pool, made where there is none yet."""
        with self._lock:
            if self._pool is None:
                context = multiprocessing.get_context("forkserver")
                context.set_forkserver_preload(_WARM)
                self._pool = ProcessPool(
                    max_workers=self._number,
                    max_tasks=_CALLS,
                    initializer=_prepare,
                    context=context,
                )
            return self._pool

    def end(self, pool: Any = None) -> None:  # noqa: ANN401 - as above
        """End the children; a later call starts new ones.

        pool: only where it is still this one, and not another thread's new one.
        """
        with self._lock:
            ended = self._pool
            if ended is None or pool not in (None, ended):
                return
            self._pool = None
        ended.stop()
        ended.join()


def run(
    function: Callable[[*Ts], T],
    *args: *Ts,
    timeout: float,
    large: bool = False,
    heavy: bool = False,
) -> T:
    """Return `function(*args)`, worked out in a child process.

    timeout: seconds for the call itself; waiting for a free child is not counted.
    large: it will need much memory; one that proves to is done again as such a call.
    heavy: it loads libraries that few calls need, under `loading`.
    Function, arguments and result have to be picklable. Safe to call from threads.

    Raises SandboxError when the call overran, died or went over the memory limit,
    BrokenProcessPool when this machine starts no children, and whatever the function
    raises itself.
    """
    children = HEAVY if heavy else LIGHT
    if not large:
        with children.slots:
            began = time.monotonic()
            with suppress(MemoryError):
                return _tried(children, SMALL, function, args, timeout)
            timeout = max(timeout - (time.monotonic() - began), _LEAST)
    with _ONE_LARGE, children.slots:
        try:
            return _tried(children, LARGE, function, args, timeout)
        except MemoryError as exc:
            limit = LARGE // 1_000_000
            raise SandboxError(f"took more than {limit} MB of memory") from exc


def _tried(
    children: _Children,
    room: int,
    function: Callable[..., T],
    args: tuple[Any, ...],
    timeout: float,
) -> T:
    """Return what a child made of a call; raises MemoryError, else see `run`."""
    pool = children.pool()
    try:
        return _called(pool, room, function, args, timeout)
    except BrokenProcessPool:
        # A child that the system ended while it had nothing to do makes pebble give up
        # all of them, and the calls of others with it. New ones that fail too are no
        # fault of the call.
        children.end(pool)
    return _called(children.pool(), room, function, args, timeout)


def _called(
    pool: Any,  # noqa: ANN401 - as above
    room: int,
    function: Callable[..., T],
    args: tuple[Any, ...],
    timeout: float,
) -> T:
    """Return what one child of a pool made of a call."""
    try:
        future = pool.schedule(_limited, args=(room, function, args))
    except RuntimeError as exc:
        reason = exc.__cause__ or exc  # pebble's own says nothing
        raise BrokenProcessPool(f"no child process starts: {reason}") from exc
    try:
        # Not pebble's own timeout: it goes by the wall clock, which may jump.
        result: T = future.result(timeout)
    except TimeoutError as exc:
        if future.done():
            raise  # the function's own
        if not future.running():
            # Children share a lock, and one that was killed while it held it stops all.
            raise BrokenProcessPool("no child takes a call") from exc
        future.cancel()  # has pebble kill the child
        raise SandboxError(f"not read within {timeout:g} s") from exc
    except ProcessExpired as exc:
        raise SandboxError("the reading process died") from exc
    return result


def close() -> None:
    """End all children; a later call starts new ones."""
    for children in (LIGHT, HEAVY):
        children.end()


# ── in the children ───────────────────────────────────────────────────────────────────


def _limited(
    room: int, function: Callable[..., T], args: tuple[Any, ...]
) -> T:  # pragma: no cover - runs in the children only
    """Return `function(*args)`, with so many bytes more at most than at the start."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (min(_own + room, hard), hard))
    results = []
    try:
        # raised anew below: this one would hold on to all that was in use
        with suppress(MemoryError):
            results.append(function(*args))
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))  # to send the result
    if room == LARGE:
        gc.collect()
        if sys.platform == "linux":
            ctypes.CDLL(None).malloc_trim(0)  # or the next small call starts too large
    if not results:
        raise MemoryError
    return results[0]


@contextmanager
def loading() -> Iterator[None]:
    """Lift a child's limit while it loads a library: one loaded by half stays broken.

    For what most calls do without, and those that need it import by themselves. What it
    takes is the child's own from then on, and no longer the call's.
    """
    global _own  # noqa: PLW0603 - of a process whose business is one call at a time
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))
    before = _held()
    try:
        yield
    finally:
        taken = max(0, _held() - before)
        _own += taken
        if soft != hard:
            resource.setrlimit(resource.RLIMIT_DATA, (min(soft + taken, hard), hard))


def _held() -> int:
    """Return the bytes of data of this process, as RLIMIT_DATA counts them (proc(5)).

    0 where the system has no /proc, and no such limit either.
    """
    try:
        pages = Path("/proc/self/statm").read_text("ascii").split()[5]
    except OSError:  # pragma: no cover - on Linux only
        return 0
    return int(pages) * resource.getpagesize()


def _prepare() -> None:  # pragma: no cover - runs in the children only
    """Bound a child; runs in it before its first call."""
    global _own  # noqa: PLW0603 - as above
    _own = _held()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent to handle
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # pebble's own waits for a slow regex
    resource.setrlimit(resource.RLIMIT_DATA, (_MOST, _MOST))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        # When our process is gone, even by SIGKILL, the fork server sees its pipe close
        # and ends, and the kernel ends its children with it. A thread that waits for
        # the parent would not do: a slow regex never gives up the interpreter's lock.
        # So no child may hold that pipe open, as multiprocessing makes them do.
        os.close(forkserver._forkserver._forkserver_alive_fd)  # type: ignore[attr-defined]  # noqa: SLF001
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


LIGHT: Final = _Children(os.cpu_count() or 1)
HEAVY: Final = _Children(1)  # its libraries take 40 MB, twice what it begins with
_ONE_LARGE: Final = threading.Lock()
_own = 0  # bytes of data that a child holds before its call
atexit.register(close)
