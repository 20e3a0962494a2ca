"""`worker`: cycles on schedule, in a process that stays."""

from __future__ import annotations

import logging
from threading import Event
from typing import Any

import click

from aggregator import config as configuration
from aggregator import run as pipeline
from aggregator.cli import show
from aggregator.cli.machine import beat, settle_in
from aggregator.cli.opened import tell_missing
from aggregator.clock import now
from aggregator.desk import Desk
from aggregator.model import ConfigError, Report
from aggregator.worker import Worker


class Lines(logging.Formatter):
    """One line an event, whatever words of others it holds; only faults have more.

    Those begin with blanks, so that nothing in them looks like another event.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's
        """Return the line of an event."""
        return show.safe(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802, ANN401 - logging's
        """Return the lines of a traceback."""
        lines = super().formatException(ei).splitlines()
        return "\n".join(f"  {show.safe(line)}" for line in lines)


@click.command()
@click.pass_obj
def worker(path: str | None) -> None:
    """Run cycles on schedule until told to stop.

    feeds.toml and curation.toml are read again when they change. SIGTERM and SIGINT end
    it: no other feed is asked, and what the asked ones answer is published.

    \b
    Exit status: 0 stopped · 75 another worker has this database
    """
    handler = logging.StreamHandler()
    handler.setFormatter(Lines("%(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    said = ""

    def turn(desk: Desk, wrong: ConfigError | None, stop: Event) -> Report:
        nonlocal said
        tell_missing(desk.config, quiet=True)
        report = pipeline.cycle(desk, now(), wrong=wrong, stop=stop)
        before, said = said, beat(desk.config, report)
        if said and said != before:
            logging.getLogger("aggregator").warning(said)
        return report

    schedule = Worker(configuration.locate(path).absolute(), turn)
    settle_in(schedule.desk.config)
    schedule.work()
