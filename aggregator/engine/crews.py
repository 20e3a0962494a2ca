"""Who carries batches out: what a flight asks of a crew, and the crew of threads.

Another crew needs no more than these few methods. Nothing about feeds may enter.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Protocol, Self, TypeVar

from aggregator.model import Batch, Config, EngineError, PageBatch

B = TypeVar("B", bound=Batch | PageBatch)
R = TypeVar("R")

Visit = Callable[[B, threading.Event | None], tuple[R, ...]]
"""Asks what a batch names: `poll`, `read`, `follow` or `knock`."""


class DeathError(Exception):
    """The process that carried a batch out died, and every other one that tried."""


class Crew(Protocol):
    """Carries out batches, several at once. Its futures are the flight's to wait for.

    patience: seconds after which `look` wants to be called again, None = never.
    """

    patience: float | None

    def submit(self, visit: Visit[B, R], batch: B) -> Future[Any]:
        """Begin with a batch."""
        ...

    def brought(self, future: Future[Any]) -> tuple[Any, ...]:
        """Return what a batch that is done has brought; called once for each.

        Raises DeathError, EngineError where no crew is left, and whatever the visit
        raised itself.
        """
        ...

    def room(self) -> int:
        """Return how many requests may be under way at once."""
        ...

    def look(self) -> None:
        """See to it that a visit hears of a stop; raises EngineError as `brought`."""
        ...


@contextmanager
def enlisted(config: Config, stop: threading.Event) -> Iterator[Crew]:
    """Yield the crew that feeds.toml names; what it has not begun at the end is lost.

    stop: once it is set, visits end soon. Raises EngineError when there is none.
    """
    if config.engine.kind == "threads":
        with Threads(config.polling.concurrency, stop) as threads:
            yield threads
        return
    try:
        # costs 0.6 s, and may not be there
        from aggregator.engine.cluster import connected  # noqa: PLC0415
    except (ImportError, OSError) as exc:  # the latter of what it looks for in /proc
        raise EngineError(
            f'engine.kind: "dask" cannot be loaded ({exc}); it needs the extra of that '
            "name, and /proc: docs/scale.md"
        ) from exc

    with connected(config, stop) as cluster:
        yield cluster


class Threads:
    """Threads of this process."""

    patience: float | None = None

    def __init__(self, number: int, stop: threading.Event) -> None:
        """Take how many requests may be under way, and who ends them."""
        self._number = number
        self._stop = stop
        self._pool = ThreadPoolExecutor(number, thread_name_prefix="visit")

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Wait for the visits under way; no other begins."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def submit(self, visit: Visit[B, R], batch: B) -> Future[tuple[R, ...]]:
        """Begin with a batch."""
        return self._pool.submit(visit, batch, self._stop)

    def brought(self, future: Future[tuple[R, ...]]) -> tuple[R, ...]:
        """Return what a batch has brought."""
        return future.result()

    def room(self) -> int:
        """Return how many requests may be under way at once."""
        return self._number

    def look(self) -> None:
        """Do nothing: visits see the event themselves."""
