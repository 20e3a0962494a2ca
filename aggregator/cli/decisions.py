"""The command `decisions`: what curation.toml says, and what vanished from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import click

from aggregator import config as configuration
from aggregator import notebook, wording
from aggregator.append import Pen
from aggregator.cli import show, tales
from aggregator.cli.opened import opened
from aggregator.decisions import Rulings
from aggregator.desk import Desk
from aggregator.model import Decision, Story

_HEAD = ("", "decided", "action", "story", "of")


@click.command()
@click.option("--lost", is_flag=True, help="Print what vanished, ready to paste.")
@click.option("--forget", is_flag=True, help="What vanished was taken out on purpose.")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@click.pass_obj
def decisions(path: str | None, *, lost: bool, forget: bool, as_json: bool) -> None:
    """List the decisions of curation.toml in its order, with the stories they name.

    A decision that a command wrote is missed when an editor saves an older text over
    it. To have what vanished back:

    \b
    aggregator decisions --lost >> curation.toml
    """
    if lost or forget:
        _lost(path, forget=forget, as_json=as_json)
        return
    desk = opened(path)
    named = _stories(desk)
    if as_json:
        show.as_json(
            [_entry(n, one, named[n]) for n, one in enumerate(desk.decisions, 1)]
        )
        return
    rows = [
        _row(number, one, named[number]) for number, one in enumerate(desk.decisions, 1)
    ]
    if rows:
        show.table([_HEAD, *rows])
    count = len(rows)
    name = desk.config.storage.curation.name
    click.echo(f"{name}: {count} decision{'s' * (count != 1)}", err=True)


def _lost(path: str | None, *, forget: bool, as_json: bool) -> None:
    config = Desk.load(configuration.locate(path)).config
    gone = Pen(config).missing().decisions
    if forget:
        notebook.forget(config, gone)
        click.echo(f"{len(gone)} missed no longer", err=True)
    elif as_json:
        show.as_json([_entry(0, one, ()) for one in gone])
    else:
        for one in gone:
            click.echo(f"\n{wording.decision(one, config.site.timezone)}")
        if not gone:
            click.echo("nothing is missing", err=True)


def _stories(desk: Desk) -> Mapping[int, Sequence[Story]]:
    """Return the stories that each decision names, by its place from 1."""
    found: defaultdict[int, list[Story]] = defaultdict(list)
    for story, _, places in tales.obeying(desk, Rulings(desk.decisions)):
        for place in places:
            found[place + 1].append(story)
    return found


def _row(number: int, decided: Decision, named: Sequence[Story]) -> tuple[str, ...]:
    story = named[0] if named else None
    addition = decided.addition
    titles = [one.title for one in (story, addition) if one]
    return (
        str(number),
        show.when(decided.at),
        decided.action,
        story.short if story else "–",
        show.short(titles[0] if titles else decided.targets[0]),
    )


def _entry(number: int, decided: Decision, named: Sequence[Story]) -> dict[str, object]:
    """Return a decision as `--json` lists it; number 0 = it stands nowhere."""
    return {
        "place": number or None,
        "action": decided.action,
        "targets": decided.targets,
        "published": decided.published,
        "at": decided.at,
        "reason": decided.reason,
        "topics": decided.topics,
        "text": decided.text,
        "addition": decided.addition,
        "stories": [tales.entry(story) for story in named],
    }
