"""Commands that exchange stories and outlets with other programs: import, export."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import click

from aggregator import health, manuscript, publish, roster, wording
from aggregator.cli import show, tales
from aggregator.cli.opened import opened
from aggregator.clock import now
from aggregator.config.tables import Problems, near
from aggregator.exchange import intake, subscriptions
from aggregator.model import Action, Addition, AggregatorError, Config, State, Story
from aggregator.publish import opml

_OUTLETS: Final = ".opml"
_OUT: Final = (".csv", ".jsonl", ".bib", _OUTLETS)
_IN: Final = (".csv", ".jsonl", _OUTLETS)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def export(path: str | None, file: Path) -> None:
    """Write stories or outlets into a file; its ending says in which form.

    .csv and .jsonl hold every story whole, as in the published folder, so that `import`
    makes the same of it; .bib is for LaTeX and Zotero; .opml has the outlets that are
    followed, for another feed reader. A file of that name is replaced.

    \b
    Example: aggregator export presse.csv
    """
    ending = _ending(file, _OUT)
    desk = opened(path)
    config = desk.config
    if ending == _OUTLETS:
        followed = health.coverage(config.outlets, {}, (), (), now())
        data = opml.opml(config.site, followed)
        told = show.many(len(followed), "outlet")
    else:
        stories = tales.told(config)
        documents = publish.research(config.site, config.topics, stories)
        data = documents[f"stories{ending}"]
        count = sum(one.state is State.PUBLISHED for one in stories)
        told = show.many(count, "story", "stories")
    try:
        manuscript.replace(file, data)
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise AggregatorError(f"{file}: cannot be written: {reason}") from exc
    click.echo(f"{told} written to {file}", err=True)


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--topic",
    "topics",
    multiple=True,
    metavar="ID",
    help="Of rows that name none; may be repeated.",
)
@click.pass_obj
def import_(path: str | None, file: Path, topics: tuple[str, ...]) -> None:
    """Take in stories (.csv, .jsonl) or outlets (.opml) from a file.

    Stories that `export` or `publish` wrote are restored as they were; any other row of
    a table is an article that is added to curation.toml. Then all is published. What is
    there already stays as it is. Where rows are wrong, all are told and nothing is
    done.

    \b
    Example: aggregator import presse-2020.csv --topic documentaire
    """
    ending = _ending(file, _IN)
    config = opened(path).config
    _known(topics, config)
    if ending == _OUTLETS:
        _outlets(file, config)
        return
    at = now()
    taken = intake.take(config, intake.read(file, config, topics, at), at)
    show.restored(taken.published.restored, config)
    for line in _came(taken, config):
        click.echo(show.safe(line))
    for place, known in taken.unpublished:
        where = f"{file.name}:{place}" if place else file.name
        stands = f"story {known.short} is there already, {known.state}"
        mend = wording.command(Action.KEEP, known.short)
        said = f"{where}: {stands}; publish it with `{mend}`"
        click.echo(show.safe(said), err=True)
    click.echo(_summary(taken, config), err=True)
    for line in (*show.held(taken.published.held), *show.hubs(taken.published.hubs)):
        click.echo(line, err=True)


def _ending(file: Path, known: tuple[str, ...]) -> str:
    """Return the ending of a file's name; UsageError for a form that is not known."""
    ending = file.suffix.lower()
    if ending not in known:
        raise click.UsageError(
            f"{file}: the ending says the form; write one of {', '.join(known)}"
        )
    return ending


def _known(topics: tuple[str, ...], config: Config) -> None:
    ids = [topic.id for topic in config.topics]
    for topic in topics:
        if topic not in ids:
            raise click.UsageError(f"no topic is called {topic!r}{near(topic, ids)}")


def _outlets(file: Path, config: Config) -> None:
    """Add the outlets of an OPML file to feeds.toml, and say which are new."""
    problems = Problems()
    data = intake.content(file, subscriptions.LARGEST)
    wanted = subscriptions.read(data, file.name, problems)
    problems.raise_any(file)
    change = roster.add(config.source, wanted)
    for outlet in change.new:
        click.echo(show.safe(wording.listed(outlet)))
    for outlet, urls in change.more:
        click.echo(show.safe(wording.listed(replace(outlet, urls=outlet.urls + urls))))
    said = []
    if change.new:
        said.append(f"{show.many(len(change.new), 'outlet')} added")
    if change.more:
        count = sum(len(urls) for _, urls in change.more)
        outlets = show.many(len(change.more), "outlet")
        said.append(f"{show.many(count, 'address', 'addresses')} added to {outlets}")
    if change.known:
        there = show.many(len(change.known), "address", "addresses")
        said.append(f"{there} there already")
    click.echo(f"{config.source.name}: {', '.join(said) or 'no feed'}", err=True)
    if not change.empty:
        click.echo("`aggregator run` polls them", err=True)


def _came(taken: intake.Taken, config: Config) -> Iterator[str]:
    """Yield a line for each article that is new: its date, outlet and title."""
    came: list[Story | Addition] = [
        one for one in taken.stories if one.state is State.PUBLISHED
    ]
    came += [one.addition for one in taken.added if one.addition]
    for one in came:
        day = tales.dated(one.published_at, one.precision, config)
        yield f"{day}  {one.outlet}: {one.title}"


def _summary(taken: intake.Taken, config: Config) -> str:
    """Return one line: what came, where it went, what was there."""
    said = []
    if taken.stories:
        said.append(f"{show.many(len(taken.stories), 'story', 'stories')} restored")
    if taken.added:
        said.append(f"{show.many(len(taken.added), 'article')} added")
    if taken.decided:
        said.append(f"{show.many(taken.decided, 'other decision')} written")
    if taken.there:
        said.append(f"{taken.there} there already")
    written = show.many(len(taken.published.written), "file")
    where = config.storage.output.name
    return f"{', '.join(said) or 'no story'}; {written} published in {where}"
