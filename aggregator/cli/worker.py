"""`worker`: cycles on schedule, in a process that stays."""

from __future__ import annotations

import logging
import sys
from threading import Event

import click

from aggregator import config as configuration
from aggregator import run as pipeline
from aggregator.cli.machine import beat, settle_in
from aggregator.cli.opened import tell_missing
from aggregator.clock import now
from aggregator.desk import Desk
from aggregator.model import ConfigError, Report
from aggregator.worker import Worker


@click.command()
@click.pass_obj
def worker(path: str | None) -> None:
    """Run cycles on schedule until told to stop.

    feeds.toml and curation.toml are read again when they change. SIGTERM and SIGINT end
    it: no other feed is asked, and what the asked ones answer is published.

    \b
    Exit status: 0 stopped · 75 another worker has this database
    """
    logging.basicConfig(
        level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr
    )
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
