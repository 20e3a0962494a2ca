"""The command `digest`: what happened of late, for a mail or a report."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import click

from aggregator import config as configuration
from aggregator import watch
from aggregator.cli import show, tales
from aggregator.cli.opened import opened
from aggregator.clock import now
from aggregator.desk import Desk, queue, stories
from aggregator.model import Config, State
from aggregator.publish.digest import digest as in_words
from aggregator.publish.news import News, news
from aggregator.store import Store, books, cycles


@click.command()
@click.option(
    "--since",
    default="7d",
    show_default=True,
    metavar="SPAN-OR-DATE",
    help="How far back, or a day.",
)
@click.option("--html", "form", flag_value="html", help="As HTML, for a mail.")
@click.option("--markdown", "form", flag_value="markdown", help="As Markdown.")
@click.option("--json", "form", flag_value="json", help="As JSON.")
@click.pass_obj
def digest(path: str | None, since: str, form: str | None) -> None:
    """Tell what was published of late, what waits and what is in trouble.

    In the site's language. The first line of the text can be a mail's subject; a week
    without anything to tell is that line alone. Nothing is polled or changed.

    \b
    Example: aggregator digest --since 2026-11-01 --markdown
    """
    at = now()
    desk = opened(path)
    told = _news(desk, _start(since, desk.config, at), at)
    if form == "json":
        show.as_json(_plain(told))
        return
    said = in_words(desk.config.site, desk.config.topics, told)
    click.echo(getattr(said, form or "text"), nl=False)


def _news(desk: Desk, since: datetime, until: datetime) -> News:
    """Return the news; what was decided since the last cycle waits no longer."""
    with Store(desk.config.storage.database, create=False) as store:
        every = stories(store, desk)
        waiting, joins = queue(store, desk, State.WAITING, until)
        view = replace(watch.view(store, desk, every), waiting=waiting, joins=joins)
        counted = books.tallies(store, since)
        cycle_at = cycles.last_cycle(store)
    return news(desk.config.site, every, view, counted, since, until, cycle_at)


def _start(written: str, config: Config, at: datetime) -> datetime:
    """Return the moment that `--since` names: so long ago, or when a day began."""
    try:
        day = datetime.strptime(written, "%Y-%m-%d").date()  # noqa: DTZ007 - a day
        since = datetime.combine(day, time(), ZoneInfo(config.site.timezone))
    except ValueError:
        since = at - _span(written)
    if since > at:
        raise click.UsageError(f"--since {written!r} is still to come")
    return since


def _span(written: str) -> timedelta:
    try:
        return configuration.duration(written)
    except ValueError as exc:
        raise click.UsageError(f"--since {written!r}: {exc}; or a day") from exc


def _plain(told: News) -> dict[str, object]:
    """Return the news as `--json` prints it."""
    return {
        "since": told.since,
        "until": told.until,
        "cycle_at": told.cycle_at,
        "published": [tales.entry(story) for story in told.published],
        "withdrawn": [tales.entry(s) | {"state": s.state} for s in told.withdrawn],
        "waiting": [tales.entry(story, evidence=True) for story in told.waiting],
        "joins": [
            {"story": one.story.short, "other": one.other.short, "reason": one.reason}
            for one in told.joins
        ],
        "held": told.held,
        "troubles": told.troubles,
        "counts": told.tallies,
    }
