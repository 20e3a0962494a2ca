"""`run`, and what other commands that ask the network share with it."""

from __future__ import annotations

import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from threading import Event
from types import FrameType

import click

from aggregator import config as configuration
from aggregator import run as pipeline
from aggregator.cli import show
from aggregator.cli.opened import opened
from aggregator.clock import now
from aggregator.fetch import heartbeat
from aggregator.model import Config, Report

UNREACHED = 3  # exit status: not one feed could be reached
NUMBERS = (
    "polled",
    "unchanged",
    "failed",
    "new_entries",
    "mentions",
    "doubtful",
    "stories",
    "files_written",
    "seconds",
)


@click.command()
@click.option("--all", "everything", is_flag=True, help="Also feeds not due yet.")
@click.option("--outlet", default="", metavar="NAME", help="Only this outlet's feeds.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_obj
def run(path: str | None, everything: bool, outlet: str, as_json: bool) -> None:
    """Poll the feeds that are due, once, and publish what changed.

    On a terminal it shows its progress and ends with a table. Under cron it prints only
    what changed: a feed that starts to fail, one that recovers, a fault of our own.

    \b
    Exit status: 0 done, even when single feeds failed · 3 not one could be reached
    Example:     aggregator run --outlet "Le Monde" --all
    """
    people = watched()
    desk = opened(path, quiet=not people)
    config = desk.config
    if outlet:
        known_outlet(config, outlet)
    settle_in(config)
    if people:
        show_warnings(config)
    with ended_by_ctrl_c(), progressing("polling", shown=people) as progress:
        report = pipeline.cycle(
            desk,
            now(),
            everything=everything,
            outlet=outlet,
            progress=progress,
        )
    show.restored(report.restored, config)
    if as_json:
        show.as_json({name: getattr(report, name) for name in NUMBERS})
    if people:
        summary(report, config)
    else:
        changes(report)
    with ended_by_ctrl_c():
        if why := beat(config, report):
            click.echo(f"warning: {why}", err=True)
    sys.exit(exit_status(report))


def watched() -> bool:
    """Tell whether a person sees what is said on the way: cron closes stderr."""
    return sys.stderr is not None and sys.stderr.isatty()


def settle_in(config: Config) -> None:
    """Make the folder of feeds.toml the current one.

    The processes that read documents start in the current folder, which may be one
    that is gone or closed to this user.
    """
    os.chdir(config.source.parent)


@contextmanager
def ended_by_ctrl_c() -> Iterator[None]:
    """Let Ctrl-C end the program inside the block, whatever its threads wait for.

    What is recorded is safe at any point, and the next cycle completes the rest.
    """

    def leave(number: int, _frame: FrameType | None) -> None:
        click.echo("\ninterrupted; what was recorded is safe", err=True)
        os._exit(128 + number)

    before = signal.signal(signal.SIGINT, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def stopped_by_ctrl_c() -> Iterator[Event]:
    """Yield an event that Ctrl-C sets inside the block; a second one ends the program.

    What was asked by then is told; what is under way may take its timeout.
    """
    stop = Event()

    def end(number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            os._exit(128 + number)
        click.echo("\nending; once more to leave at once", err=True)
        stop.set()

    before = signal.signal(signal.SIGINT, end)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def exit_status(report: Report) -> int:
    """Return 1 for a fault of our own, 3 when no feed could be reached, else 0."""
    kinds = [failure.kind for _, failure in report.failures]
    if "ours" in kinds:
        return 1
    unreached = report.polled > 0 and len(kinds) == report.polled
    return UNREACHED if unreached and set(kinds) == {"network"} else 0


def beat(config: Config, report: Report) -> str:
    """Ask the maintainer's heartbeat after a cycle; return what went wrong, if it did.

    It is not asked while not one outlet can be reached: the monitor that misses it is
    then the only one to tell, for the desk does not take an outage for 200 failures.
    """
    url = config.site.heartbeat
    if not url or not report.reached:
        return ""
    why = heartbeat.beat(url, configuration.user_agent(config), now())
    return f"site.heartbeat could not be asked: {why}" if why else ""


def known_outlet(config: Config, name: str) -> None:
    """Raise UsageError for a name that no outlet has, with the nearest one."""
    names = [outlet.name for outlet in config.outlets]
    if name not in names:
        near = get_close_matches(name, names, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise click.UsageError(f"no outlet is called {name!r} in feeds.toml{hint}")


@contextmanager
def progressing(label: str, *, shown: bool) -> Iterator[pipeline.Progress | None]:
    """Show a bar on the terminal while feeds, or other addresses, are asked."""
    if not shown:
        yield None
        return
    with click.progressbar(length=1, label=label, file=sys.stderr) as bar:

        def tell(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        yield tell


def show_warnings(config: Config) -> None:
    """Tell what is allowed in feeds.toml but hardly meant."""
    for warning in configuration.warnings(config):
        click.echo(show.safe(f"warning: {warning}"), err=True)


def summary(report: Report, config: Config) -> None:
    """Print the table that ends a run on a terminal."""
    if not report.polled:
        click.echo("no feed is due; `aggregator run --all` asks anyway", err=True)
    click.echo(
        f"{show.many(report.polled, 'feed')} polled, {report.unchanged} unchanged, "
        f"{report.failed} failed; "
        f"{show.many(report.new_entries, 'new entry', 'new entries')}; "
        f"{show.many(report.stories, 'story', 'stories')} published, "
        f"{show.many(report.files_written, 'file')} written ({report.seconds:.1f} s)",
        err=True,
    )
    if exit_status(report) == UNREACHED:
        click.echo(_unreached(report), err=True)
    elif report.failures:
        click.echo("\nfailed:", err=True)
        failed = [
            (f"  {feed.outlet.name}", show.short(failure.reason), feed.url)
            for feed, failure in report.failures
        ]
        show.table(failed, err=True)
    titles = {topic.id: topic.title for topic in config.topics}
    rows = [
        (f"  {titles[topic]}", str(certain), "certain", str(doubtful), "to review")
        for topic, certain, doubtful in report.by_topic
        if certain or doubtful
    ]
    if rows:
        click.echo("\nnew mentions:", err=True)
        show.table(rows, err=True)
    elif report.polled:
        click.echo("\nno new mention", err=True)
    if report.doubtful:
        click.echo("\n`aggregator review` shows what waits for you.", err=True)
    for line in (*show.held(report.held), *show.hubs(report.hubs)):
        click.echo(line, err=True)


def changes(report: Report) -> None:
    """Print what cron should mail: what starts to fail, recovers or is held."""
    if exit_status(report) == UNREACHED and report.started:
        click.echo(_unreached(report), err=True)
    else:
        for feed, failure in report.started:
            why = f"{feed.outlet.name}: fails: {failure.reason} ({feed.url})"
            click.echo(show.safe(why), err=True)
    if len(report.recovered) == report.polled > 1:
        click.echo(f"all {report.polled} feeds work again", err=True)
    else:
        for feed in report.recovered:
            again = f"{feed.outlet.name}: works again ({feed.url})"
            click.echo(show.safe(again), err=True)
    held = show.held(one for one in report.held if one[0] in report.braked)
    for line in (*held, *show.hubs(report.hubs)):
        click.echo(line, err=True)


def _unreached(report: Report) -> str:
    """Return one line for what is hardly the fault of every outlet at once."""
    reasons = Counter(failure.reason for _, failure in report.failures)
    ((reason, _),) = reasons.most_common(1)
    return show.safe(
        f"not one of {show.many(report.polled, 'feed')} could be reached ({reason}); "
        "is this machine online?"
    )
