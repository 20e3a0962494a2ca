"""Child processes in which a hostile document can do no harm.

Warm ones, as many as the machine has cores, each with a limit of memory, killed at the
deadline of their call and renewed now and then. Calls are small, with little memory, or
large, of which there is one at a time: so all of them together never take much. What
runs in them is the caller's business; nothing about feeds may enter. One pool for each
process of ours, made at the first call.
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
from typing import Any, Final, TypeVar, TypeVarTuple

from pebble import ProcessExpired, ProcessPool

from aggregator.model import StageError

SMALL: Final = 45_000_000  # bytes of data of a child; 20 MB of them before any call
LARGE: Final = 100_000_000  # bytes of data of a child whose call is large
_MOST: Final = 2 * LARGE  # for sending the result too
_LEAST: Final = 1.0  # seconds that a call done again has
_CALLS: Final = 500  # of one child, then it is renewed: what leaks leaks no further
_WARM: Final = ["aggregator.nursery"]  # imported once, before the children are forked
_PR_SET_PDEATHSIG: Final = 1  # prctl(2)

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class SandboxError(StageError):
    """A call that had to be stopped: it overran, took too much memory or crashed."""


def run(
    function: Callable[[*Ts], T], *args: *Ts, timeout: float, large: bool = False
) -> T:
    """Return `function(*args)`, worked out in a child process.

    timeout: seconds for the call itself; waiting for a free child is not counted.
    large: it will need much memory; one that proves to is done again as such a call.
    Function, arguments and result have to be picklable. Safe to call from threads.

    Raises SandboxError when the call overran, died or went over the memory limit,
    BrokenProcessPool when this machine starts no children, and whatever the function
    raises itself.
    """
    if not large:
        with _SLOTS:
            began = time.monotonic()
            with suppress(MemoryError):
                return _tried(SMALL, function, args, timeout)
            timeout = max(timeout - (time.monotonic() - began), _LEAST)
    with _ONE_LARGE, _SLOTS:
        try:
            return _tried(LARGE, function, args, timeout)
        except MemoryError as exc:
            limit = LARGE // 1_000_000
            raise SandboxError(f"took more than {limit} MB of memory") from exc


def _tried(
    limit: int, function: Callable[..., T], args: tuple[Any, ...], timeout: float
) -> T:
    """Return what a child made of a call; raises MemoryError, else see `run`."""
    children = pool()
    try:
        return _called(children, limit, function, args, timeout)
    except BrokenProcessPool:
        # A child that the system ended while it had nothing to do makes pebble give up
        # all of them, and the calls of others with it. New ones that fail too are no
        # fault of the call.
        _discard(children)
    return _called(pool(), limit, function, args, timeout)


def _called(
    children: Any,  # noqa: ANN401 - pebble's pool is typed only in part
    limit: int,
    function: Callable[..., T],
    args: tuple[Any, ...],
    timeout: float,
) -> T:
    """Return what one child of a pool made of a call."""
    try:
        future = children.schedule(_limited, args=(limit, function, args))
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


def _limited(
    limit: int, function: Callable[..., T], args: tuple[Any, ...]
) -> T:  # pragma: no cover - runs in the children only
    """Return `function(*args)`, with that many bytes of data at most."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
    results = []
    try:
        # raised anew below: this one would hold on to all that was in use
        with suppress(MemoryError):
            results.append(function(*args))
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))  # to send the result
    if limit == LARGE:
        gc.collect()
        if sys.platform == "linux":
            ctypes.CDLL(None).malloc_trim(0)  # or the next small call starts too large
    if not results:
        raise MemoryError
    return results[0]


@contextmanager
def loading() -> Iterator[None]:
    """Lift a child's limit while it loads a library: one loaded by half stays broken.

    For what most calls do without, and those that need it import by themselves.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def close() -> None:
    """End the children; a later call starts new ones."""
    global _current
    with _LOCK:
        ended, _current = _current, None
    if ended is not None:
        ended.stop()
        ended.join()


def pool() -> Any:  # noqa: ANN401 - as above
    """Return the pool of this process, made where there is none yet."""
    global _current  # noqa: PLW0603 - one pool a process is what this room is for
    with _LOCK:
        if _current is None:
            context = multiprocessing.get_context("forkserver")
            context.set_forkserver_preload(_WARM)
            _current = ProcessPool(
                max_workers=_CHILDREN,
                max_tasks=_CALLS,
                initializer=_prepare,
                context=context,
            )
        return _current


def _discard(children: Any) -> None:  # noqa: ANN401 - as above
    """End a pool that is broken, unless another thread did."""
    global _current
    with _LOCK:
        mine, _current = (
            _current is children,
            None if _current is children else _current,
        )
    if mine:
        children.stop()
        children.join()


def _prepare() -> None:  # pragma: no cover - runs in the children only
    """Bound a child; runs in it before its first call."""
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


_CHILDREN: Final = os.cpu_count() or 1
_SLOTS: Final = threading.BoundedSemaphore(_CHILDREN)
_ONE_LARGE: Final = threading.Lock()
_LOCK: Final = threading.Lock()
_current: Any = None
atexit.register(close)
