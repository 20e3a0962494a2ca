"""Child processes in which a hostile document can do no harm.

Warm ones, as many as the machine has cores, each with a limit of memory, killed at the
deadline of their call and renewed now and then. Calls are small, with little memory, or
large, of which there is one at a time; those that load heavy libraries have one child
of their own. So all of them together never take much. Each child has a pipe of its own
and shares no lock with others, so that one can be killed at any instant. What runs in
them is the caller's business; nothing about feeds may enter. The children are made when
calls come.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import multiprocessing
import os
import pickle
import resource
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from functools import lru_cache
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path
from queue import LifoQueue
from typing import Any, Final, TypeVar, TypeVarTuple, cast

from aggregator.model import StageError

SMALL: Final = 25_000_000  # bytes that a call may take, beside what a child begins with
LARGE: Final = 80_000_000  # bytes that a large call may take
_MOST: Final = 250_000_000  # bytes of a child, its libraries and the result included
_LEAST: Final = 1.0  # seconds that a call done again has
_CALLS: Final = 500  # of one child, then it is renewed: what leaks leaks no further
_SEALED: Final = 8  # values kept ready: one for most calls, others for some
_WARM: Final = ["aggregator.nursery"]  # imported once, before the children are forked
_PR_SET_PDEATHSIG: Final = 1  # prctl(2)

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class SandboxError(StageError):
    """A call that had to be stopped: it overran, took too much memory or crashed."""


class _Elsewhere(Exception):  # noqa: N818 - a traceback to be shown, not an error
    """The traceback of what a function raised in a child, as text."""


class _Child:
    """The place of one process, which is started when a call needs it.

    Only the thread that borrowed it may call it.
    """

    def __init__(self) -> None:
        self._process: Any = None  # ForkServerProcess, which typeshed does not name
        self._pipe: Connection | None = None
        self._calls = 0

    def call(
        self,
        room: int,
        function: Callable[..., T],
        args: tuple[Any, ...],
        seconds: float,
    ) -> T:
        """Return what the process made of it; raises MemoryError, else see `run`."""
        for _ in range(2):
            try:
                answer = self._answer((room, function, args), seconds)
            except ConnectionError:
                # The system had ended it while it had nothing to do. A new one that
                # ends before it takes the call is no fault of the call either.
                continue
            error, told, result = answer
            if error is not None:
                raise error from _Elsewhere(told)
            done: T = result
            return done
        raise BrokenProcessPool("no child process takes a call")

    def _answer(self, call: tuple[Any, ...], seconds: float) -> tuple[Any, str, Any]:
        """Return what was raised, where, and what came back.

        Raises ConnectionError where the process was gone before it had read the call:
        a socket with something unread in it is reset when its end closes (unix(7)).
        """
        pipe = self._begun()
        answer: tuple[Any, str, Any] | None = None
        try:
            pipe.send(call)
            if pipe.poll(seconds):
                answer = pipe.recv()
        except ConnectionError:
            raise
        except (EOFError, OSError) as exc:  # the latter in the middle of an answer
            raise SandboxError("the reading process died") from exc
        finally:
            if answer is None:  # overran, dead, or nobody waits for it after Ctrl-C
                self.end()
        if answer is None:
            raise SandboxError(f"not read within {seconds:g} s")
        return answer

    def _begun(self) -> Connection:
        """Return the pipe to a process that runs and is not worn out."""
        if self._calls >= _CALLS:
            self.end()
        if self._pipe is None:
            context = multiprocessing.get_context("forkserver")
            context.set_forkserver_preload(_WARM)
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs,), daemon=True)
            try:
                process.start()
            except (OSError, EOFError) as exc:
                ours.close()
                raise BrokenProcessPool(f"no child process starts: {exc}") from exc
            finally:
                theirs.close()
            self._process, self._pipe, self._calls = process, ours, 0
        self._calls += 1
        return self._pipe

    def end(self) -> None:
        """End the process, whatever it does; a later call starts a new one."""
        if self._pipe is not None:
            self._process.kill()
            self._process.join()
            self._process.close()
            self._pipe.close()
            self._process = self._pipe = None


class _Children:
    """Processes for calls of one kind, each lent to one thread at a time."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._idle: LifoQueue[_Child] = LifoQueue()  # the last one is the warmest
        for _ in range(number):
            self._idle.put(_Child())

    @contextmanager
    def one(self) -> Iterator[_Child]:
        """Lend a child, once there is one with nothing to do."""
        child = self._idle.get()
        try:
            yield child
        finally:
            self._idle.put(child)

    def end(self) -> None:
        """End them all, each when its call is over."""
        ended = [self._idle.get() for _ in range(self._number)]
        for child in ended:
            child.end()
            self._idle.put(child)


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
        with children.one() as child:
            began = time.monotonic()
            with suppress(MemoryError):
                return child.call(SMALL, function, args, timeout)
            timeout = max(timeout - (time.monotonic() - began), _LEAST)
    with _ONE_LARGE, children.one() as child:
        try:
            return child.call(LARGE, function, args, timeout)
        except MemoryError as exc:
            limit = LARGE // 1_000_000
            raise SandboxError(f"took more than {limit} MB of memory") from exc


def sealed(value: T) -> T:
    """Return a hashable argument, the same for many calls, ready to be sent with them.

    It is pickled once, and made once in each child: to a type checker it is the value,
    which it is again where it arrives.
    """
    return cast("T", _sealed(value))


class _Sealed:
    """What a value is sent as."""

    def __init__(self, value: object) -> None:
        self._pickled = pickle.dumps(value)

    def __reduce__(self) -> tuple[Callable[[bytes], object], tuple[bytes]]:
        return _unsealed, (self._pickled,)


_sealed = lru_cache(_SEALED)(_Sealed)


@lru_cache(_SEALED)
def _unsealed(pickled: bytes) -> object:
    return pickle.loads(pickled)  # noqa: S301 - from our process


def close() -> None:
    """End all children; a later call starts new ones."""
    for children in (LIGHT, HEAVY):
        children.end()


# ── in the children ───────────────────────────────────────────────────────────────────


def _serve(pipe: Connection) -> None:  # pragma: no cover - runs in the children only
    """Do one call after another, until our process has closed the other end."""
    _prepare()
    with suppress(EOFError, OSError):
        while True:
            pipe.send_bytes(_answered(pipe.recv_bytes()))


def _answered(call: bytes) -> bytes:  # pragma: no cover - runs in the children only
    """Return what a call raised, where, and what came of it, to be sent."""
    try:
        return pickle.dumps((None, "", _limited(*pickle.loads(call))))  # noqa: S301
    except Exception as exc:  # noqa: BLE001 - raised in our process
        return pickle.dumps((exc, traceback.format_exc(), None))


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
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
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
