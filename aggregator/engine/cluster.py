"""The crew of a Dask cluster; this room alone knows Dask, and it is loaded for it.

Batches and what they bring travel as bytes that only this program reads, so the
scheduler has nothing to take apart. Results wait at the workers and a few of them here,
so a slow writer costs no memory, and none waits for a slow worker.
"""

from __future__ import annotations

import logging
import pickle
import threading
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from uuid import uuid4

import dask.config
import distributed
from dask.utils import parse_timedelta
from distributed.scheduler import KilledWorker
from distributed.versions import VersionMismatchWarning

from aggregator.engine import errand
from aggregator.engine.crews import DeathError, Visit
from aggregator.model import Batch, Config, EngineError, PageBatch

B = TypeVar("B", bound=Batch | PageBatch)
R = TypeVar("R")

# Dask's setting of how long the scheduler may take to answer; a worker to come, too.
_WAIT: Final = "distributed.comm.timeouts.connect"
_LOGGERS: Final = ("distributed", "distributed.client", "tornado.application")
_SOON: Final = 0.02  # seconds between two looks for the first worker
_LOOK: Final = 1.0  # seconds between two looks at the cluster
_FETCHERS: Final = 4  # results on their way here at once
_HELD: Final = 8  # results that are here and not recorded yet, at most
_SHOWN: Final = 120  # characters of what Dask says itself
_SPARE: Final = 8  # of so many threads one more batch waits: none is idle meanwhile


@contextmanager
def connected(config: Config, stop: threading.Event) -> Iterator[Cluster]:
    """Yield the cluster that feeds.toml names, and leave it at the end.

    stop: once it is set, visits end soon. Raises EngineError for one that does not
    answer, or that has no worker.
    """
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what counts is raised
    with _client(config.engine.address) as client:
        cluster = Cluster(client, config, stop)
        try:
            yield cluster
        finally:
            cluster.leave()


def _client(address: str) -> distributed.Client:
    """Return a connection to a scheduler; raises EngineError when there is none."""
    security = distributed.Security()
    secret = security.get_connection_args("client").get("ssl_context")
    if address.startswith("tls:") and not secret:
        raise EngineError(
            "engine.address: tls:// needs certificates, and Dask's own settings name "
            "none; set distributed.comm.tls: docs/scale.md"
        )
    try:
        with warnings.catch_warnings():
            # other versions are told by `errand`, in one line
            warnings.simplefilter("ignore", VersionMismatchWarning)
            return distributed.Client(
                address, security=security, name="aggregator", set_as_default=False
            )
    except OSError as exc:
        raise EngineError(
            f"engine.address: no Dask scheduler answers at {address} within "
            f"{dask.config.get(_WAIT)}; start it, or write the address that it shows"
        ) from exc


class Cluster:
    """The workers of a Dask cluster, however many there are at the moment."""

    patience: float | None = _LOOK

    def __init__(
        self,
        client: distributed.Client,
        config: Config,
        stop: threading.Event,
    ) -> None:
        """Wait for the first worker; raises EngineError when none comes."""
        self._client = client
        self._fetchers = ThreadPoolExecutor(_FETCHERS, "fetch")
        self._watch = ThreadPoolExecutor(2, "watch")  # a scheduler may be slow to tell
        self._wait: float = parse_timedelta(dask.config.get(_WAIT))
        self._address = config.engine.address
        self._most = config.polling.concurrency
        self._stop = stop
        self._flight = uuid4().hex
        self._room = threading.Semaphore(_HELD)
        self._threads = 0
        self._empty_since: float | None = None
        # when the last count began, a stop was told, and something came
        self._looked = self._halted = self._heard = time.monotonic()
        self._counted = self._watch.submit(self._count)
        while not self._threads and not stop.wait(_SOON):
            self.look()

    def leave(self) -> None:
        """Take nothing more of what is under way."""
        self._watch.shutdown(wait=False, cancel_futures=True)
        self._fetchers.shutdown(wait=False, cancel_futures=True)
        self._room.release(_FETCHERS)

    def submit(self, visit: Visit[B, R], batch: B) -> Future[bytes]:
        """Begin with a batch; where a worker is lost, another one begins it anew."""
        landed: Future[bytes] = Future()
        parcel = pickle.dumps((visit, batch))
        call = self._client.submit(
            pickle.loads,
            pickle.dumps(_Call(self._flight, errand.program(), parcel)),
            key=f"{visit.__name__}-{uuid4().hex}",
            pure=False,
        )
        call.add_done_callback(lambda done: self._done(done, landed))
        return landed

    def _done(self, call: distributed.Future[bytes], landed: Future[bytes]) -> None:
        with suppress(RuntimeError):  # nobody takes it any longer
            self._fetchers.submit(self._fetch, call, landed)

    def _fetch(self, call: distributed.Future[bytes], landed: Future[bytes]) -> None:
        """Bring a result here as soon as there is room for it."""
        self._room.acquire()
        try:
            landed.set_result(call.result())
        except Exception as exc:  # noqa: BLE001 - `brought` raises it, told apart
            landed.set_exception(self._told(exc))

    def _told(self, exc: Exception) -> Exception:
        """Return what an exception of Dask's, or of a worker's, means for us."""
        match exc:
            case errand.FaultError():
                return exc
            case KilledWorker():
                return DeathError()
            case errand.UnfitError():
                return EngineError(str(exc))
            case CancelledError():
                return EngineError(
                    f"the Dask scheduler at {self._address} is lost; what came is "
                    "recorded, and the next cycle asks for the rest"
                )
        what = " ".join(str(exc).split())
        return EngineError(
            f"a Dask worker of {self._address} cannot read what it is sent "
            f"({what[:_SHOWN]}); install this program there: docs/scale.md"
        )

    def brought(self, future: Future[bytes]) -> tuple[Any, ...]:
        """Return what a batch has brought."""
        self._heard = time.monotonic()
        self._room.release()
        brought: tuple[Any, ...] = pickle.loads(future.result())  # noqa: S301 - as sent
        return brought

    def room(self) -> int:
        """Return how many requests may be under way at once."""
        return min(self._most, self._threads + self._threads // _SPARE + 1)

    def look(self) -> None:
        """Tell workers of a stop, and count them; it waits for neither."""
        now = time.monotonic()
        bad_since = self._empty_since
        if not self._counted.done():
            bad_since = self._looked
        elif now - self._looked > _LOOK:
            self._looked = now
            self._counted = self._watch.submit(self._count)
        if self._stop.is_set() and now - self._halted > _LOOK:
            self._halted = now
            self._watch.submit(
                self._client.run, errand.halt, self._flight, on_error="ignore"
            )
        if bad_since and now - max(bad_since, self._heard) > self._wait:
            raise EngineError(
                f"the Dask scheduler at {self._address} has no worker, or is stuck; "
                f"start one with `dask worker {self._address}`: docs/scale.md"
            )

    def _count(self) -> None:
        """Count the threads of all workers."""
        self._threads = self._client.scheduler_info(n_workers=0)["total_threads"]
        if self._threads:
            self._empty_since = None
        elif self._empty_since is None:
            self._empty_since = time.monotonic()


@dataclass(frozen=True, slots=True)
class _Call:
    """What is to be called on a worker; to unpickle it is to call it.

    Dask itself sees a function of the standard library, so its scheduler needs nothing
    of this program. Nor does a worker that has it not, or another one, die of reading
    what it was sent, and take the blame to the outlets: the call raises there.
    """

    flight: str
    sender: errand.Program
    parcel: bytes

    def __reduce__(self) -> tuple[Any, ...]:
        """Return how it is unpickled."""
        return errand.carry, (self.flight, self.sender, self.parcel)
