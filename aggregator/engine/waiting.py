"""Which batch goes next, and what becomes of those that a process died under.

Pure bookkeeping: nothing is sent here, and what a batch asks may not enter.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from typing import Final, Generic, TypeVar

from aggregator.engine.batches import alone
from aggregator.model import Batch, EngineError, PageBatch

B = TypeVar("B", bound=Batch | PageBatch)

log = logging.getLogger("aggregator")

_DEADLY: Final = 3  # feeds in one cycle that may be deadly; more are no fault of feeds


class Waiting(Generic[B]):
    """Batches that wait for their turn.

    A process that dies takes along what runs beside its bane, and all of it is blamed.
    So these batches are tried again at the end, each with nothing beside it; and then
    each task of the one under which a process dies alone.
    """

    def __init__(self, batches: Iterable[B]) -> None:
        """Take what is to be sent, what comes first first."""
        self._waiting = list(batches)
        self._blamed: list[B] = []
        self._alone = False  # all that is left goes alone
        self._deadly = 0

    def next(self, flying: Collection[B], room: int) -> B | None:
        """Return which batch goes next; None: none may go before another lands.

        One whose host is being asked lets others pass. One that is too wide for now
        does not, or narrow ones would keep it waiting to the end.
        Raises EngineError when processes die under one task after another.
        """
        if self._blamed and not self._waiting and not flying:
            return self._next_alone()
        busy = {batch.host for batch in flying if batch.host}
        free = room - sum(batch.lanes for batch in flying)
        for position, batch in enumerate(self._waiting):
            if batch.host not in busy:
                fits = batch.lanes <= free or not flying
                return self._waiting.pop(position) if fits else None
        return None

    def _next_alone(self) -> B:
        if self._deadly >= _DEADLY:
            raise EngineError(
                "processes died under one feed after another; have the workers of the "
                "cluster enough memory? The next cycle asks the rest"
            )
        if not self._alone:
            log.info("processes died, tried alone batches=%d", len(self._blamed))
        self._alone = True
        return self._blamed.pop(0)

    def again(self, batch: B) -> bool:
        """Keep a batch under which processes died; False: it did that all by itself."""
        if not self._alone:
            self._blamed.append(batch)
        elif len(batch.tasks) > 1:
            self._blamed[:0] = alone(batch)
        else:
            self._deadly += 1
            return False
        return True
