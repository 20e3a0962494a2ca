"""The command `backup`: a copy of the database, whatever goes on meanwhile."""

from __future__ import annotations

from pathlib import Path

import click

from aggregator import config as configuration
from aggregator.store import copies


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def backup(path: str | None, file: Path) -> None:
    """Copy the database into a file, also while the worker runs.

    The copy is whole and was read through once; a file of that name is replaced, at
    once. What the program needs besides is feeds.toml and curation.toml.

    \b
    Example: aggregator backup /var/backups/aggregator.db
    """
    config = configuration.read(configuration.locate(path))
    size = copies.backup(config.storage.database, file)
    click.echo(f"{file}: {size / 1_000_000:.1f} MB", err=True)
