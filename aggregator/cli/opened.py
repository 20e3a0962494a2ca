"""What commands are given: the maintainer's files, what is said of them, spans."""

from __future__ import annotations

import os
from datetime import timedelta

import click

from aggregator import config as configuration
from aggregator.append import Pen
from aggregator.desk import Desk
from aggregator.model import Config, ConfigError


def opened(path: str | None, *, quiet: bool = False) -> Desk:
    """Return the files of `--config`, and tell what an editor took out of the second.

    quiet: only where that was not told before. Raises ConfigError with all problems of
    the first of them that has any.
    """
    desk = Desk.load(configuration.locate(path))
    tell_missing(desk.config, quiet=quiet)
    return desk


def tell_missing(config: Config, *, quiet: bool = False) -> None:
    """Say on stderr how many decisions vanished from curation.toml; see `opened`.

    Of a file that is not valid, or that others write, nothing is said.
    """
    curation = config.storage.curation
    if curation.exists() and not os.access(curation, os.R_OK | os.W_OK):
        return
    try:
        found = Pen(config).missing()
    except ConfigError:
        return
    count = len(found.decisions)
    if found.new if quiet else count:
        what = f"{count} decision{'s' * (count != 1)}"
        click.echo(
            f"{curation.name}: {what} written by a command stood there and "
            f"{'are' if count != 1 else 'is'} gone, as when an editor saves an older "
            "text; `aggregator decisions --lost` prints what is missing",
            err=True,
        )


def given_span(option: str, written: str) -> timedelta:
    """Return the span of time that an option gives; UsageError when it is none."""
    try:
        return configuration.duration(written)
    except ValueError as exc:
        raise click.UsageError(f"{option} {written!r}: {exc}") from exc
