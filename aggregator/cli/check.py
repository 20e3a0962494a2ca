"""The command `check`: whether both files are sound, and what they name answers."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import timedelta

import click

from aggregator import config as configuration
from aggregator.cli import show, tales
from aggregator.cli.opened import given_span, tell_missing
from aggregator.decisions import Rulings, key
from aggregator.desk import Desk
from aggregator.model import ConfigError
from aggregator.store import Store, copies, pages
from aggregator.store import links as followed


@click.command()
@click.option("--online", is_flag=True, help="Ask each feed once, too.")
@click.option("--links", is_flag=True, help="Ask each published link, too.")
@click.option(
    "--within",
    default="10m",
    show_default=True,
    metavar="SPAN",
    help="How long links are asked at most.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the problems as JSON.")
@click.pass_obj
def check(
    path: str | None, online: bool, links: bool, within: str, as_json: bool
) -> None:
    """Validate feeds.toml, then curation.toml; all problems of a file at once.

    Nothing is changed, in the database neither. What --links prints is for the end of
    curation.toml, once you have looked at the copies that it names.

    \b
    Exit status: 0 both can be used, perhaps with warnings, and all that was asked
                   answers · 1 something does not · 2 a file is wrong
                 3 nothing could be reached
    Example:     aggregator check --online
    """
    span = given_span("--within", within)
    where = configuration.locate(path)
    try:
        config = configuration.read(where)
        desk = Desk.of(config)
    except ConfigError as exc:
        if as_json:
            problems = [{"file": exc.source, "problem": line} for line in exc.problems]
            show.as_json({"problems": problems} if online or links else problems)
            sys.exit(exc.exit_status)
        raise
    with copies.up_to_date(config.storage.database) as database:
        storage = replace(config.storage, database=database)
        desk = replace(desk, config=replace(config, storage=storage))
        status = _look(desk, online=online, links=links, within=span, as_json=as_json)
    sys.exit(status)


def _look(
    desk: Desk, *, online: bool, links: bool, within: timedelta, as_json: bool
) -> int:
    """Say what two sound files are worth and name; return the exit status."""
    config = desk.config
    tell_missing(config)
    advice = configuration.advice(config)
    warnings = [*configuration.warnings(config), *advice, *_doubts(desk)]
    for warning in warnings:
        click.echo(show.safe(f"warning: {warning}"), err=True)
    feeds, decisions = len(config.feeds), len(desk.decisions)
    if not as_json:
        click.echo(
            f"{config.source}: {len(config.topics)} topics, {len(config.outlets)} "
            f"outlets, {feeds} feeds; {config.storage.curation.name}: {decisions} "
            "decisions",
            err=True,
        )
    if not (online or links):
        if as_json:
            show.as_json([])
        return 0
    # the libraries of a cycle, half a second of them
    from aggregator.cli import online as asking  # noqa: PLC0415

    return asking.ask(desk, feeds=online, links=links, within=within, as_json=as_json)


def _doubts(desk: Desk) -> list[str]:
    """Return what curation.toml holds that has no effect, a line each."""
    name = desk.config.storage.curation.name
    if not desk.config.storage.database.exists():
        return []
    known = {key(item.key) for item in desk.additions.values()}
    with Store(desk.config.storage.database, create=False) as store:
        known |= pages.named(store) | followed.named(store)
    for story in tales.told(desk.config):
        known |= {story.short, *(key(copy.url) for copy in story.copies)}
    return [
        f"{name}: {target} names no story known so far; the decision waits for it"
        for target in Rulings(desk.decisions).unknown(known)
    ]
