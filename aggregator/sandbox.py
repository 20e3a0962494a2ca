"""Child processes in which a hostile document can do no harm.

Warm ones, as many as the machine has cores, each with a limit of memory, killed at the
deadline of their call and renewed now and then. What runs in them is the caller's
business; nothing about feeds may enter. One pool for each process of ours, made at the
first call.
"""

from __future__ import annotations

import atexit
import ctypes
import multiprocessing
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import forkserver
from typing import Any, Final, TypeVar, TypeVarTuple

from pebble import ProcessExpired, ProcessPool

from aggregator.model import StageError

MEMORY: Final = 400_000_000  # bytes of data of one child; a long feed takes 60 MB
_CALLS: Final = 500  # of one child, then it is renewed: what leaks leaks no further
_WARM: Final = ["aggregator.nursery"]  # imported once, before the children are forked
_PR_SET_PDEATHSIG: Final = 1  # prctl(2)

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class SandboxError(StageError):
    """A call that had to be stopped: it overran, took too much memory or crashed."""


def run(function: Callable[[*Ts], T], *args: *Ts, timeout: float) -> T:
    """Return `function(*args)`, worked out in a child process.

    timeout: seconds for the call itself; waiting for a free child is not counted.
    Function, arguments and result have to be picklable. Safe to call from threads.

    Raises SandboxError when the call overran, died or went over the memory limit,
    BrokenProcessPool when this machine starts no children, and whatever the function
    raises itself.
    """
    with _SLOTS:
        children = pool()
        try:
            return _called(children, function, args, timeout)
        except BrokenProcessPool:
            # A child that the system ended while it had nothing to do makes pebble
            # give up all of them, and the calls of others with it. New ones that fail
            # too are no fault of the call.
            _discard(children)
        return _called(pool(), function, args, timeout)


def _called(
    children: Any,  # noqa: ANN401 - pebble's pool is typed only in part
    function: Callable[..., T],
    args: tuple[Any, ...],
    timeout: float,
) -> T:
    """Return what a child made of a call; see `run`."""
    try:
        future = children.schedule(function, args=args)
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
    except MemoryError as exc:
        limit = MEMORY // 1_000_000
        raise SandboxError(f"took more than {limit} MB of memory") from exc
    except ProcessExpired as exc:
        raise SandboxError("the reading process died") from exc
    return result


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
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
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
_LOCK: Final = threading.Lock()
_current: Any = None
atexit.register(close)
