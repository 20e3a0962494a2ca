"""The end of a walk through the network: it is told to stop, or its time is over."""

from __future__ import annotations

import threading
import time


class Halt(threading.Event):
    """Set when another event is, or when its time is over."""

    def __init__(self, stop: threading.Event, seconds: float) -> None:
        """Begin now, with so many seconds; stop: the other event."""
        super().__init__()
        self._stop = stop
        self._until = time.monotonic() + seconds

    def is_set(self) -> bool:
        """Tell whether nothing more is to be asked."""
        return self._stop.is_set() or time.monotonic() >= self._until

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set, for at most `timeout` seconds."""
        left = max(0.0, self._until - time.monotonic())
        self._stop.wait(left if timeout is None else min(left, timeout))
        return self.is_set()
