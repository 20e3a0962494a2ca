"""Commands for the maintainer: review, check, status, search."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta
from zoneinfo import ZoneInfo

import click

from aggregator import config as configuration
from aggregator.cli import alike, show
from aggregator.clock import now
from aggregator.decisions import Rulings, key
from aggregator.desk import Desk, stories
from aggregator.health import Gap, Health, Record, Status
from aggregator.health import status as health_of
from aggregator.match import search as find
from aggregator.model import AggregatorError, Config, ConfigError, State, Story
from aggregator.query import compile_line
from aggregator.store import Store, books, polls, tales
from aggregator.stories import suggested
from aggregator.text import MARK, UNMARK

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


def _told(config: Config) -> tuple[Story, ...]:
    with Store(config.storage.database, create=False) as store:
        return stories(store, Desk.of(config))


def _newest_first(told: list[Story]) -> list[Story]:
    return sorted(told, key=lambda s: (s.published_at, s.short), reverse=True)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the queue as JSON.")
@click.pass_obj
def review(path: str | None, as_json: bool) -> None:
    """Show the doubtful mentions that wait for a decision, newest first.

    What to do with them is written in curation.toml (docs/curation.md).
    """
    desk = Desk.load(configuration.locate(path))
    config = desk.config
    with Store(config.storage.database, create=False) as store:
        told, stored = stories(store, desk), tales.suggestions(store)
    waiting = _newest_first([s for s in told if s.state is State.WAITING])
    joins = suggested(told, stored, desk.decisions)
    if as_json:
        entries = [_entry(story, evidence=True) for story in waiting]
        show.as_json(alike.added(entries, joins, _entry))
        return
    for story in waiting:
        click.echo(f"{story.short}  {_day(story, config)}  {show.safe(story.outlet)}")
        click.echo(f"          {show.safe(story.title)}")
        if story.url:
            click.echo(f"          {show.safe(story.url)}")
        for evidence in story.evidence:
            why = evidence.line or "whatever this outlet publishes"
            click.echo(f"          {evidence.topic}: {show.safe(why)}")
            if evidence.snippet:
                snippet = show.safe(_marked(evidence.snippet, "**"))
                click.echo(f"          {snippet}")
    for line in alike.lines(joins, lambda story: _day(story, config)):
        click.echo(line)
    click.echo(f"{len(waiting)} waiting", err=True)


def _day(story: Story, config: Config) -> str:
    """Return a story's date as the published pages have it; of some only the month."""
    day = story.published_at.astimezone(ZoneInfo(config.site.timezone)).date()
    return day.isoformat()[: 7 if story.precision == "month" else None]


def _entry(story: Story, *, evidence: bool = False) -> dict[str, object]:
    """Return a story as `--json` lists it."""
    entry: dict[str, object] = {
        "story": story.short,
        "url": story.url,
        "title": story.title,
        "outlet": story.outlet,
        "published": story.published_at,
        "topics": story.topics,
    }
    if evidence:
        entry["evidence"] = [
            {
                "topic": proof.topic,
                "line": proof.line,
                "field": proof.column,
                "snippet": _marked(proof.snippet, "**"),
                "certain": proof.certain,
            }
            for proof in story.evidence
        ]
    return entry


def _marked(snippet: str, mark: str) -> str:
    return snippet.replace(MARK, mark).replace(UNMARK, mark)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the problems as JSON.")
@click.pass_obj
def check(path: str | None, as_json: bool) -> None:
    """Validate feeds.toml, then curation.toml; all problems of a file at once.

    \b
    Exit status: 0 both can be used, perhaps with warnings · 2 they cannot
    """
    where = configuration.locate(path)
    try:
        config = configuration.read(where)
        desk = Desk.of(config)
    except ConfigError as exc:
        if as_json:
            show.as_json(
                [{"file": exc.source, "problem": line} for line in exc.problems]
            )
            sys.exit(exc.exit_status)
        raise
    warnings = [*configuration.warnings(config), *_doubts(desk)]
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
    if as_json:
        show.as_json([])
        return
    feeds, decisions = len(config.feeds), len(desk.decisions)
    click.echo(
        f"{where}: {len(config.topics)} topics, {len(config.outlets)} outlets, "
        f"{feeds} feeds; {config.storage.curation.name}: {decisions} decisions",
        err=True,
    )


def _doubts(desk: Desk) -> list[str]:
    """Return what curation.toml holds that has no effect, a line each."""
    name = desk.config.storage.curation.name
    if not desk.config.storage.database.exists():
        return []
    known = {key(item.key) for item in desk.additions.values()}
    for story in _told(desk.config):
        known |= {story.short, *(key(copy.url) for copy in story.copies)}
    return [
        f"{name}: {target} names no story known so far; the decision waits for it"
        for target in Rulings(desk.decisions).unknown(known)
    ]


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
    limit = _span(max_age)
    records: dict[str, Record] = {}
    gaps: tuple[Gap, ...] = ()
    ended = None
    if config.storage.database.exists():
        with Store(config.storage.database) as store:
            records, ended = books.records(store), polls.last_cycle(store)
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


def _span(text: str | None) -> timedelta | None:
    if text is None:
        return None
    try:
        return configuration.duration(text)
    except ValueError as exc:
        raise click.UsageError(f"--max-age {text!r}: {exc}") from exc


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
    try:
        line = compile_line(query)
    except AggregatorError as exc:
        raise click.UsageError(str(exc)) from exc
    published = [s for s in _told(config) if s.state is State.PUBLISHED]
    texts = [
        (story.title, f"{story.summary} {story.note} {story.outlet}", "")
        for story in published
    ]
    hits = _newest_first([published[place] for place in find(texts, line)])
    if as_json:
        show.as_json([_entry(story) for story in hits])
        return
    for story in hits:
        fields = (_day(story, config), story.outlet, story.title, story.url)
        click.echo("\t".join(map(show.safe, fields)))
