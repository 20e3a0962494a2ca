"""Commands that show how things stand: status, search."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta

import click

from aggregator import config as configuration
from aggregator.cli import show, tales
from aggregator.cli.opened import given_span, tell_missing
from aggregator.clock import now
from aggregator.health import Gap, Health, Record, Status
from aggregator.health import status as health_of
from aggregator.match import search as find
from aggregator.model import AggregatorError, Config, State
from aggregator.query import compile_line
from aggregator.store import Store, books, cycles

_LATELY = timedelta(days=30)  # gaps that `status` tells of
_HEAD = (
    "outlet",
    "state",
    "since",
    "last success",
    "next poll",
    "per day",
    "error or address",
)


@click.command()
@click.option("--max-age", metavar="SPAN", help="Exit 1 if no cycle ended for so long.")
@click.option("--json", "as_json", is_flag=True, help="Print every feed as JSON.")
@click.pass_obj
def status(path: str | None, max_age: str | None, as_json: bool) -> None:
    """Show how every feed fares, and when the last cycle ended.

    Below the table: the line to paste for what moved, and what may have been missed in
    the last 30 days.

    \b
    Exit status: 0 · 1 with --max-age, when no cycle ended within it
    Example:     aggregator status --max-age 3h
    """
    config = configuration.read(configuration.locate(path))
    tell_missing(config)
    limit = None if max_age is None else given_span("--max-age", max_age)
    records: dict[str, Record] = {}
    gaps: tuple[Gap, ...] = ()
    ended = None
    if config.storage.database.exists():
        with Store(config.storage.database) as store:
            records, ended = books.records(store), cycles.last_cycle(store)
            gaps = books.gaps(store, now() - _LATELY)
    lines = [health_of(feed, records.get(feed.url)) for feed in config.feeds]
    if as_json:
        show.as_json(lines)
    else:
        show.table([_HEAD, *(_row(line, records.get(line.url)) for line in lines)])
        for text in (*_moves(lines, config), *_missed(gaps, config)):
            click.echo(text)
    click.echo(f"last cycle: {show.when(ended)}", err=True)
    if limit is not None and (ended is None or now() - ended > limit):
        click.echo(f"no cycle ended within {max_age}", err=True)
        sys.exit(1)


def _row(line: Status, record: Record | None) -> tuple[str, ...]:
    since = record.failing_since if record else None
    if line.state is Health.SILENT:
        since = line.silent_since
    rate = line.entries_per_day
    return (
        show.short(line.outlet, 28),
        line.state,
        show.when(since),
        show.when(line.last_success),
        show.when(line.next_poll),
        "–" if rate is None else f"{rate:.1f}",
        show.short(line.error or line.url),
    )


def _moves(lines: Sequence[Status], config: Config) -> Iterator[str]:
    """Yield the line of feeds.toml for each outlet with a feed that moved."""
    moved = {line.url: line.moved_to for line in lines if line.moved_to}
    outlets = [one for one in config.outlets if not moved.keys().isdisjoint(one.urls)]
    if not outlets:
        return
    # 0.1 s of libraries that nothing else here needs
    from aggregator.publish import mends  # noqa: PLC0415

    yield "\nmoved for good, and asked there; in feeds.toml, under [outlets]:"
    for one in outlets:
        urls = [moved.get(url, url) for url in one.urls]
        yield show.safe(mends.outlet(one.name, [*dict.fromkeys(urls)]))


def _missed(gaps: Sequence[Gap], config: Config) -> Iterator[str]:
    """Yield a line for each gap in the feeds that are followed."""
    outlets = {feed.url: feed.outlet.name for feed in config.feeds}
    known = [gap for gap in gaps if gap.url in outlets]
    if known:
        yield "\nmay have missed articles:"
    for gap in known:
        when = f"between {show.when(gap.since)} and {show.when(gap.until)}"
        yield f"  {show.short(outlets[gap.url], 28)} {when} ({show.safe(gap.url)})"


@click.command()
@click.argument("query")
@click.option("--json", "as_json", is_flag=True, help="Print the stories as JSON.")
@click.pass_obj
def search(path: str | None, query: str, as_json: bool) -> None:
    """Print the published stories that a query line finds, newest first.

    \b
    Columns: date, outlet, title, address; separated by tabs.
    Example: aggregator search 'casilli AND (robots OR livreurs)'
    """
    config = configuration.read(configuration.locate(path))
    tell_missing(config)
    try:
        line = compile_line(query)
    except AggregatorError as exc:
        raise click.UsageError(str(exc)) from exc
    published = [s for s in tales.told(config) if s.state is State.PUBLISHED]
    texts = [
        (story.title, f"{story.summary} {story.note} {story.outlet}", "")
        for story in published
    ]
    hits = tales.newest_first([published[place] for place in find(texts, line)])
    if as_json:
        show.as_json([tales.entry(story) for story in hits])
        return
    for story in hits:
        fields = (tales.day(story, config), story.outlet, story.title, story.url)
        click.echo("\t".join(map(show.safe, fields)))
