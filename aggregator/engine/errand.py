"""What a Dask worker does with a batch: the far end of `cluster`.

It knows its arguments alone. Nothing is asked unless both ends are the same program:
another one might make other ids of the same entries.
"""

from __future__ import annotations

import multiprocessing
import pickle
import platform
import threading
from functools import cache
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Final
from weakref import WeakValueDictionary

from distributed import Status, Worker, get_worker

from aggregator import __version__
from aggregator.fault import where

Program = tuple[tuple[str, str], ...]
"""The parts of a program that shape what it makes of a document: names, versions."""

# they read what outlets send, or carry the batches
_LIBRARIES: Final = ("distributed", "feedparser", "ftfy", "lxml", "trafilatura")
_BEAT: Final = 1.0  # seconds in which a visit that waits hears that it is to end
_ENDED: Final = (Status.closing, Status.closed, Status.failed)

_flights: WeakValueDictionary[str, threading.Event] = WeakValueDictionary()
_lock: Final = threading.Lock()


class UnfitError(Exception):
    """A worker that cannot be used; the text says why and what to do about it."""


class FaultError(Exception):
    """A visit raised, a fault of this program; the text says what and where."""


@cache
def program() -> Program:
    """Return what this end runs."""
    package = Path(__file__).parents[1]
    digest = blake2b(digest_size=4)
    for path in sorted(package.rglob("*.py")):
        digest.update(path.read_bytes())
    python = ".".join(platform.python_version_tuple()[:2])
    return (
        ("aggregator", f"{__version__}+{digest.hexdigest()}"),
        ("Python", python),
        *((name, version(name)) for name in _LIBRARIES),
    )


def carry(flight: str, sender: Program, parcel: bytes) -> bytes:
    """Return what a visit brings, pickled; it runs in a thread of a Dask worker.

    flight: names the stop that `halt` sets. parcel: the visit and its batch, pickled.
    Raises UnfitError, FaultError.
    """
    worker = get_worker()
    _fit(worker.address, sender)
    visit, batch = pickle.loads(parcel)  # noqa: S301 - a cluster runs what it is sent
    with _lock:
        stop = _flights.setdefault(flight, threading.Event())
    try:
        return pickle.dumps(visit(batch, _Wanted(worker, stop)))
    except Exception as exc:
        raise FaultError(where(exc)) from exc


def halt(flight: str) -> None:
    """End what is under way here for a flight; called on every worker, any number."""
    with _lock:
        stop = _flights.get(flight)
    if stop:
        stop.set()


def _fit(address: str, sender: Program) -> None:
    """Raise UnfitError for another program, and where no child process may start."""
    for (name, wanted), (_, found) in zip(sender, program(), strict=True):
        if found != wanted:
            raise UnfitError(
                f"the Dask worker at {address} has {name} {found}, this machine "
                f"{wanted}; install the same on both"
            )
    if multiprocessing.current_process().daemon:
        raise UnfitError(
            f"the Dask worker at {address} may start no processes, in which documents "
            "are read; start it with DASK_DISTRIBUTED__WORKER__DAEMON=False"
        )


class _Wanted(threading.Event):
    """Set when a flight is to end, or when nobody waits for this task any longer.

    A client that was killed tells nobody; its scheduler then gives its tasks up. A
    worker that has lost its scheduler closes, and its threads would go on.
    """

    def __init__(self, worker: Worker, stop: threading.Event) -> None:
        super().__init__()
        self._stop = stop
        self._worker = worker
        self._key = worker.get_current_task()

    def is_set(self) -> bool:
        """Tell whether nothing more is to be asked."""
        if self._stop.is_set() or self._worker.status in _ENDED:
            return True
        task = self._worker.state.tasks.get(self._key)
        return task is None or task.state == "cancelled"

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set, for at most a second: who waits looks again."""
        self._stop.wait(_BEAT if timeout is None else min(timeout, _BEAT))
        return self.is_set()
