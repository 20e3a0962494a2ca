"""The command `backfill`: older entries of the outlets that are followed."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import click

from aggregator import ask
from aggregator import backfill as past
from aggregator.cli import machine, show
from aggregator.cli.opened import opened
from aggregator.clock import now
from aggregator.model import Config, Outlet

REQUESTS = 600  # ten minutes at one a second; 6,000 entries where a page has ten
YEARS = 10  # what older articles speak of is hardly what is looked for today
_WAYS = {
    "": "–",
    "archive": "archive",
    "wordpress": "?paged=N",
    "path": "/page/N/",
    "drupal": "?page=N",
    "sitemap": "sitemaps",
}
_HEAD = ("outlet", "way", "requests", "entries", "new", "mentions", "oldest", "state")
_GOES_ON = "the next call goes on"


@click.command()
@click.argument("outlet", nargs=-1)
@click.option("--since", default="", metavar="DATE", help="2020-02-14, or a month.")
@click.option(
    "--requests",
    default=REQUESTS,
    show_default=True,
    type=click.IntRange(1),
    metavar="N",
    help="At most so many for each outlet.",
)
@click.option("--again", is_flag=True, help="From the newest on, not where it ended.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_obj
def backfill(
    path: str | None,
    outlet: tuple[str, ...],
    since: str,
    requests: int,
    again: bool,
    as_json: bool,
) -> None:
    """Read older entries of outlets, and publish what they mention.

    Of all outlets, or of those named: from the archives that a feed names, its pages by
    number, or the sitemaps that robots.txt names. What is found goes to pages and
    archives, not to the live feeds. It may be stopped at any moment: the next call goes
    on, and asks nothing twice.

    \b
    Exit status: 0 done, even when single outlets failed · 3 none could be reached
    Example:     aggregator backfill "Le Monde" --since 2020-02
    """
    people = sys.stderr is not None and sys.stderr.isatty()
    desk = opened(path)
    config, at = desk.config, now()
    asked = past.Asked(
        _named(config, outlet), _since(config, since, at), requests, again
    )
    machine.settle_in(config)
    with (
        machine.ended_by_ctrl_c(),
        machine.progressing("asking", shown=people) as progress,
    ):
        done = past.backfill(desk, asked, at, progress)
    show.restored(done.rebuilt.restored, config)
    if as_json:
        show.as_json([_as_json(line) for line in done.lines])
    else:
        _show(done.lines, asked.since, config)
    _tell(done, desk.config)
    sys.exit(_exit_status(done.lines))


def _named(config: Config, names: Sequence[str]) -> tuple[Outlet, ...]:
    """Return the outlets of these names, or all; raises UsageError for another name."""
    for name in names:
        machine.known_outlet(config, name)
    off = [one.name for one in config.outlets if not one.enabled and one.name in names]
    if off:
        raise click.UsageError(f"{off[0]!r} has enabled = false in feeds.toml")
    return tuple(
        one
        for one in config.outlets
        if one.enabled and (one.name in names or not names)
    )


def _since(config: Config, written: str, at: datetime) -> datetime:
    """Return the beginning of the day or month, by default YEARS back."""
    if not written:
        return at - timedelta(days=365 * YEARS)
    try:
        return ask.span(written, ZoneInfo(config.site.timezone)).start
    except ValueError as exc:
        raise click.UsageError(
            f"--since {written!r} is no date; write 2020-02-14 or 2020-02"
        ) from exc


def _show(lines: Sequence[past.Line], since: datetime, config: Config) -> None:
    """Print a row for each feed, and below it what one line cannot hold."""
    zone = ZoneInfo(config.site.timezone)
    several = {outlet.name for outlet in config.outlets if len(outlet.urls) > 1}
    rows = [
        (
            show.safe(line.url if line.outlet in several else line.outlet),
            _WAYS[line.way],
            str(line.requests),
            str(line.entries),
            str(line.new_entries),
            str(line.mentions + line.doubtful),
            f"{line.oldest.astimezone(zone):%Y-%m-%d}" if line.oldest else "–",
            show.safe(_why(line, since.astimezone(zone), zone)),
        )
        for line in lines
    ]
    show.table([_HEAD, *rows] if rows else [])


def _why(line: past.Line, since: datetime, zone: ZoneInfo) -> str:
    """Return why a feed is asked no more."""
    if line.stopped == "waits" and line.not_before:
        until = f"{line.not_before.astimezone(zone):%Y-%m-%d %H:%M}"
        return f"wants to be left alone until {until}; {_GOES_ON}"
    if line.stopped == "fails":
        return f"{line.failure.reason if line.failure else 'fails'}; {_GOES_ON}"
    why = {
        "complete": "complete",
        "repeats": "complete: it repeats itself",
        "none": "no way found: no archive, no page by number, no sitemap",
        "since": f"complete back to {since:%Y-%m-%d}",
        "requests": f"requests spent; {_GOES_ON}",
        "not_polled": "not polled yet; `aggregator run` does that",
    }[line.stopped]
    if line.unread:
        count = f"{line.unread} document{'s' * (line.unread != 1)}"
        why += f"; {count} not read, or not whole: {line.unread_reason}"
    return why


def _as_json(line: past.Line) -> dict[str, object]:
    """Return a line as `--json` prints it: why it failed as text."""
    plain = dataclasses.asdict(line)
    return {**plain, "failure": line.failure.reason if line.failure else ""}


def _tell(done: past.Backfilled, config: Config) -> None:
    """Tell what follows from it."""
    written = len(done.rebuilt.written)
    found = sum(line.mentions + line.doubtful for line in done.lines)
    click.echo(
        f"{found} mention{'s' * (found != 1)} in older entries; "
        f"{written} file{'s' * (written != 1)} written to {config.storage.output.name}",
        err=True,
    )
    if any(line.doubtful for line in done.lines):
        click.echo(
            "pages of doubtful ones are read by the next cycles; then "
            "`aggregator review` shows what waits for you",
            err=True,
        )
    rebuilt = done.rebuilt
    for line in (*show.held(rebuilt.held), *show.hubs(rebuilt.hubs)):
        click.echo(line, err=True)


def _exit_status(lines: Sequence[past.Line]) -> int:
    """Return 1 for a fault of our own, 3 when nothing could be reached, else 0."""
    kinds = [line.failure.kind for line in lines if line.failure]
    if "ours" in kinds:
        return 1
    unreached = lines and len(kinds) == len(lines) and set(kinds) == {"network"}
    return machine.UNREACHED if unreached else 0
