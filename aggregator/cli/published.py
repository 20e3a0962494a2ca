"""Commands of the published folder: publish, serve. No cycle: nothing here polls."""

from __future__ import annotations

import click

from aggregator import bulletin
from aggregator import config as configuration
from aggregator.cli import show
from aggregator.cli.opened import opened
from aggregator.clock import now
from aggregator.model import Config


@click.command()
@click.option("--accept", is_flag=True, help="Let pass what the brake holds.")
@click.option("--json", "as_json", is_flag=True, help="Print the names as JSON.")
@click.pass_obj
def publish(path: str | None, accept: bool, as_json: bool) -> None:
    """Rebuild every published file from the database and the two TOML files.

    Files whose bytes would not change are left untouched; the names of the others are
    printed. An edit that would move more stories of a topic than `matching.brake` moves
    none of them, unless it is accepted.
    """
    desk = opened(path)
    rebuilt = bulletin.republish(desk, now(), accept=accept)
    show.restored(rebuilt.restored, desk.config)
    if as_json:
        show.as_json({"files_written": rebuilt.written})
    else:
        for name in rebuilt.written:
            click.echo(name)
    for line in (*show.held(rebuilt.held), *show.hubs(rebuilt.hubs)):
        click.echo(line, err=True)


@click.command()
@click.option("--port", default=8000, show_default=True, help="0 = any free one.")
@click.pass_obj
def serve(path: str | None, port: int) -> None:
    """Serve the published folder on this machine only, to look at; Ctrl-C ends it."""
    config = configuration.read(configuration.locate(path))
    serve_folder(config, port)


def serve_folder(config: Config, port: int) -> None:
    """Serve the published folder until interrupted, saying where it is to be seen."""
    from aggregator import serve as server  # noqa: PLC0415 -- no cycle needs a server

    with server.serve(config.storage.output, port) as running:
        click.echo(f"http://127.0.0.1:{running.server_port}/   (Ctrl-C ends it)")
        if hint := server.ssh_hint(running.server_port):
            click.echo(f"from your own machine: {hint}", err=True)
        try:
            running.serve_forever()
        except KeyboardInterrupt:
            click.echo("", err=True)
