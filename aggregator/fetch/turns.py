"""When a host may be asked: not while it wants to be left alone, and not too fast.

What the requests of one batch share, whichever thread makes them. It outlives no batch,
and nothing of HTTP may enter.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from aggregator.model import Pause, PausedError, Polling, StoppedError

_SPACING: Final = timedelta(seconds=1)  # the least that crawlers agree on


def spacing(polling: Polling) -> timedelta:
    """Return the least time between two requests to a host, set or not."""
    if polling.spacing is not None:
        return polling.spacing
    return timedelta(0) if polling.allow_private_addresses else _SPACING


class Turns:
    """Gives every request its turn; several threads may ask for one at a time."""

    def __init__(
        self,
        spacing: timedelta = timedelta(0),
        pauses: Iterable[Pause] = (),
        stop: threading.Event | None = None,
        just_asked: str = "",
    ) -> None:
        """Start with the pauses that are known.

        spacing: least time between the starts of two requests to one host. stop: once
        it is set nothing more is asked. just_asked: a host whose first turn is a
        spacing away, "" = none.
        """
        self._spacing = spacing.total_seconds()
        self._stop = stop or threading.Event()
        self._lock = threading.Lock()
        self._pauses: dict[str, datetime] = {}
        self._slow: dict[str, float] = {}  # spacings of hosts that want a longer one
        # by the monotonic clock; a host that is not in it may be asked at once
        self._free_at = {just_asked: time.monotonic() + self._spacing}
        for pause in pauses:
            self.pause(pause.host, pause.until)

    def pause(self, host: str, until: datetime) -> None:
        """Leave a host alone from now on; of several wishes the longest counts."""
        with self._lock:
            self._pauses[host] = max(until, self._pauses.get(host, until))

    def slow(self, host: str, seconds: float) -> None:
        """Leave so many seconds between two requests to a host, if not more already.

        It counts from the last turn that the host had.
        """
        with self._lock:
            longer = seconds - self._slow.get(host, self._spacing)
            if longer > 0:
                self._slow[host] = seconds
                if host in self._free_at:
                    self._free_at[host] += longer

    def take(self, host: str) -> float:
        """Wait until a request to `host` may start; return the seconds that took.

        Raises PausedError when the host wants to be left alone, StoppedError when
        nothing more is asked; both also while waiting.
        """
        began = time.monotonic()
        while (wait := self._left(host)) > 0:
            self._stop.wait(wait)
        return time.monotonic() - began

    def _left(self, host: str) -> float:
        """Return the seconds left to wait; when there are none, the turn is taken."""
        with self._lock:
            if self._stop.is_set():
                raise StoppedError("the program is ending")
            if host in self._pauses:
                raise PausedError(host, self._pauses[host])
            now = time.monotonic()
            left = self._free_at.get(host, now) - now
            if left <= 0:
                self._free_at[host] = now + self._slow.get(host, self._spacing)
            return left
