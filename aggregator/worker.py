"""Cycles on schedule until told to stop; the only room with APScheduler.

What is due lives in the database, so the scheduler needs no memory of its own: one job
looks every minute. A wrong edit of feeds.toml or curation.toml is told once, in the log
and on the desk, and what stood there before stays in force.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from aggregator.desk import Desk
from aggregator.lock import held
from aggregator.model import AggregatorError, ConfigError, Report
from aggregator.systemd import notify

log = logging.getLogger("aggregator")

TICK = 60  # seconds between two looks at what is due
_BEAT = 10.0  # seconds between two looks at the schedule itself, and signs of life
_LATE = 30.0  # seconds a tick may be late before the schedule is taken for lost
_SETTLE = 0.5  # seconds for which a file that changed has to stay as it is
_STUCK = 3600.0  # seconds of one cycle after which no sign of life is given any more

Cycle = Callable[[Desk, ConfigError | None, threading.Event], Report]
"""Runs a cycle with the files in force; also told what is wrong with a later edit, and
given the event that asks it to end early."""


class Worker:
    """Reads the maintainer's two files when they change, and runs a cycle each tick.

    desk: the files as they are in force.
    """

    def __init__(self, path: Path, cycle: Cycle) -> None:
        """Read the files for the first time; raises ConfigError when one is wrong."""
        self._path = path
        self._cycle = cycle
        self.desk = Desk.load(path)
        self._stamps: tuple[tuple[int, int], ...] = self._look()
        self.desk = Desk.load(path)  # an edit between the two would go unseen
        self._wrong: ConfigError | None = None
        self._stop = threading.Event()
        self._busy = False
        self._turned = time.monotonic()

    def work(self, tick: float = TICK, beat: float = _BEAT) -> None:
        """Run cycles until SIGTERM or SIGINT; the running one asks no more feeds then.

        What it has asked is waited for, recorded and published.

        systemd is told when the worker is ready, that it lives, and when it stops.
        Raises LockHeldError when another worker has this database.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._asked_to_stop)
        # a skipped tick is no event for people: the next one does its work
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "max_instances": 1},
            timezone=UTC,
        )
        with held(self.desk.config.storage.database, "worker", wait=0):
            log.info("worker started config=%s", self._path)
            self.job = scheduler.add_job(
                self._once, "interval", seconds=tick, next_run_time=datetime.now(UTC)
            )
            scheduler.start()
            notify("READY=1")
            while not self._stop.wait(beat):
                self._watch(tick)
            notify("STOPPING=1")
            scheduler.shutdown(wait=True)
            log.info("worker stopped")

    def _asked_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        """Only set the event: a shutdown inside a signal handler raises."""
        self._stop.set()

    def _watch(self, tick: float) -> None:
        """Give a sign of life, and set the schedule going again if it was lost.

        After the clock was set back, APScheduler sleeps until the time it had planned.
        """
        since = time.monotonic() - self._turned
        if not self._busy and since > tick + _LATE:
            log.warning("schedule set going again: the clock was set back")
            self._turned = time.monotonic()
            self.job.modify(next_run_time=datetime.now(UTC))
        if not self._busy or since < _STUCK:
            notify("WATCHDOG=1")

    def _once(self) -> None:
        if self._stop.is_set():
            return
        self._busy, self._turned = True, time.monotonic()
        try:
            self._turn()
        finally:
            self._busy, self._turned = False, time.monotonic()

    def _turn(self) -> None:
        """Read what changed, run a cycle, and log what came of it."""
        self._reload()
        try:
            report = self._cycle(self.desk, self._wrong, self._stop)
        except AggregatorError as exc:
            log.error("cycle failed: %s", exc)  # noqa: TRY400, one line is what helps
            return
        except Exception:
            log.exception("cycle failed by a fault of this program")
            return
        _tell(report)

    def _reload(self) -> None:
        """Read the files again if one changed; build the new state whole, then swap.

        Half of a feeds.toml may be valid, with a topic less: one that is being written
        is left to the next look.
        """
        stamps = self._look()
        if stamps == self._stamps:
            return
        self._stop.wait(_SETTLE)
        if self._look() != stamps:
            return
        self._stamps = stamps
        curation = self.desk.config.storage.curation
        try:
            self.desk = Desk.load(self._path)
        except ConfigError as exc:
            log.error("the edit is not used: %s", exc)  # noqa: TRY400, as above
            self._wrong = exc
            return
        self._wrong = None
        log.info("configuration read again config=%s", self._path)
        if self.desk.config.storage.curation != curation:
            self._stamps = ()  # another file to watch, from the next look on

    def _look(self) -> tuple[tuple[int, int], ...]:
        """Return what changes when a file does, zeros for one that is not there."""
        return tuple(_stamp(p) for p in (self._path, self.desk.config.storage.curation))


def _stamp(path: Path) -> tuple[int, int]:
    try:
        seen = path.stat()
    except OSError:
        return 0, 0
    return seen.st_mtime_ns, seen.st_size


def _tell(report: Report) -> None:
    """Log what came of a cycle, as far as it is news."""
    if report.restored is not None:
        log.warning("database was lost: stories restored=%d", report.restored)
    for feed, failure in report.started:
        log.warning("feed fails outlet=%r %s", feed.outlet.name, failure.reason)
    for feed in report.recovered:
        log.warning("feed recovered outlet=%r", feed.outlet.name)
    for topic, count in report.held:
        if topic in report.braked:
            log.warning("brake holds stories topic=%s held=%d", topic, count)
    for hub, reason in report.hubs:
        if reason:
            log.warning("hub fails hub=%s %s", hub, reason)
        else:
            log.warning("hub recovered hub=%s", hub)
    if report.polled:
        log.info(
            "cycle polled=%d failed=%d new_entries=%d mentions=%d files=%d",
            report.polled,
            report.failed,
            report.new_entries,
            report.mentions,
            report.files_written,
        )
