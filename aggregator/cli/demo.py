"""The command `demo`: the whole pipeline on recorded outlets, on this machine."""

from __future__ import annotations

import socket
import sys
from datetime import timedelta
from pathlib import Path

import click

from aggregator import config as configuration
from aggregator import run as pipeline
from aggregator.cli import machine
from aggregator.demo import prepare
from aggregator.demo.outlets import World

_FOLDER = "demo-site"
_PAUSE = timedelta(hours=1)  # between the two polls, as the recorded outlets tell it


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

    Sixteen outlets are served over HTTP on this machine and polled twice by the real
    pipeline, an hour apart: copies, a near miss, a doubt, a failure and a retitled
    article among them. What was published is then served to look at.
    """
    port = port or _free_port()
    with World() as world:
        path = prepare(folder, world.base, site=f"http://127.0.0.1:{port}/")
        config = configuration.read(path)
        now = pipeline.clock()
        for edition, at in ((1, now - _PAUSE), (2, now)):
            world.edition = edition
            click.echo("The first poll:" if edition == 1 else "\nAn hour later:")
            report = pipeline.cycle(config, at, everything=True)
            sys.stdout.flush()
            machine.summary(report, config)
        click.echo(
            f"\npublished: {folder}/public/index.html, feed.atom, topics/…\n"
            f"what waits: aggregator --config {path} review\n"
            f"each feed:  aggregator --config {path} status"
        )
        if no_serve:
            return
        click.echo("")
        machine.serve_folder(config, port)


def _free_port() -> int:
    """Return a port that nobody has at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
