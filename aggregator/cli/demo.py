"""The command `demo`: the whole pipeline on recorded outlets, on this machine."""

from __future__ import annotations

import socket
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from aggregator import run as pipeline
from aggregator.cli import machine
from aggregator.cli.published import serve_folder
from aggregator.demo import prepare
from aggregator.demo.outlets import World
from aggregator.desk import Desk
from aggregator.model import AggregatorError

_FOLDER = "demo-site"
_RECORDED = datetime(2020, 2, 15, 9, tzinfo=UTC)  # when the recorded outlets stood so
_PAUSE = timedelta(hours=1)  # between their two editions


@click.command()
@click.option("--port", default=8000, show_default=True, help="0 = any free one.")
@click.option("--no-serve", is_flag=True, help="End after the summary.")
@click.option(
    "--folder",
    default=_FOLDER,
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Made anew each time; nothing else may be in it.",
)
def demo(port: int, no_serve: bool, folder: Path) -> None:
    """Play a press review on recorded outlets; no Internet is needed.

    Fifteen outlets of February 2020 are served over HTTP on this machine and polled
    twice by the real pipeline, an hour apart: copies, a near miss, doubts, failures and
    a retitled article among them. What was published is then served to look at, and the
    outlets go on, on the next port if it is free, for a review of your own to poll.
    """
    port = port or _free_port()
    with World() if no_serve else _near(port) as world:
        path = prepare(folder, world.base, site=f"http://127.0.0.1:{port}/")
        desk = Desk.load(path)
        machine.settle_in(desk.config)
        for edition, heading in ((1, "The first poll:"), (2, "\nAn hour later:")):
            world.edition = edition
            click.echo(heading, err=True)
            at = _RECORDED + (edition - 1) * _PAUSE
            with machine.ended_by_ctrl_c():
                report = pipeline.cycle(desk, at, everything=True)
            machine.summary(report, desk.config)
        command = f"{sys.executable} -m aggregator --config {path}"
        click.echo(
            f"\npublished   {folder}/public/index.html, feed.atom, topics/…"
            f"\nwhat waits  {command} review"
            f"\neach feed   {command} status",
            err=True,
        )
        if no_serve:
            return
        click.echo(f"the outlets {world.base}/slate/ … while this runs\n", err=True)
        serve_folder(desk.config, port)


def _near(port: int) -> World:
    """Return the outlets on the next port, where guides look, if it is free."""
    try:
        return World(port + 1)
    except AggregatorError:
        return World()


def _free_port() -> int:
    """Return a port that nobody has at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
