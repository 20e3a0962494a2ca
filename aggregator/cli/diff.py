"""The command `diff`: what an edit would change, and what each line is worth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import click

from aggregator.cli import show
from aggregator.cli.opened import opened
from aggregator.clock import now
from aggregator.model import Config, Story
from aggregator.rehearse import Change, Merged, Worth, rehearse

_HEAD = (
    "topic",
    "key",
    "finds",
    "alone",
    "accepted",
    "rejected",
    "precision",
    "recall",
    "line",
)
_LINE = 60  # columns of a line of feeds.toml in the table
_NAMES = {"feed.atom": "front", "all/feed.atom": "all"}  # of feeds, in a row


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON.")
@click.pass_obj
def diff(path: str | None, as_json: bool) -> None:
    """Print what the edited files would change in each feed, and what each line finds.

    Nothing is changed, and no outlet is asked. First the stories that would be added
    (+), removed (-) or part of another (=): in which feeds, date, outlet, title,
    address, the lines that find them, or that other story and how it would stand;
    separated by tabs. Then each line of feeds.toml: the entries it finds in
    the stored history, those that it alone finds, and how far it agrees with what was
    decided: published for 7 days = accepted, hidden = rejected.

    \b
    Exit status: 0
    """
    desk = opened(path)
    found = rehearse(desk, now())
    if as_json:
        show.as_json(
            {
                "feeds": [
                    {
                        "feed": change.feed,
                        "added": [_story(story) for story in change.added],
                        "removed": [_story(story) for story in change.removed],
                        "merged": [_merged(one) for one in change.merged],
                    }
                    for change in found.changes
                ],
                "lines": found.lines,
                "held": dict(found.held),
            }
        )
    else:
        for row in _changes(found.changes, desk.config):
            click.echo("\t".join(map(show.safe, row)))
        _tell(found.lines)
    click.echo(_summed_up(found.changes), err=True)
    for topic, count in found.held:
        click.echo(
            f"{topic}: the brake would hold {count}; `aggregator publish --accept` "
            "lets them pass",
            err=True,
        )


def _story(story: Story) -> dict[str, object]:
    return {
        "story": story.short,
        "url": story.url,
        "title": story.title,
        "outlet": story.outlet,
        "published": story.published_at,
        "lines": _lines(story),
    }


def _merged(one: Merged) -> dict[str, object]:
    return _story(one.story) | {"part_of": one.part_of, "state": one.state}


def _lines(story: Story) -> list[str]:
    """Return the lines that find a story, each once."""
    return [*dict.fromkeys(proof.line for proof in story.evidence if proof.line)]


def _changes(changes: Iterable[Change], config: Config) -> Iterator[tuple[str, ...]]:
    """Yield a row for each story: what is added, what is removed, what is merged."""
    zone = ZoneInfo(config.site.timezone)
    rows: dict[str, dict[str, tuple[Story, str]]] = {"+": {}, "-": {}, "=": {}}
    feeds: defaultdict[str, list[str]] = defaultdict(list)
    for change in changes:
        for sign, story, why in _signed(change):
            rows[sign][story.short] = (story, why)
            feeds[sign + story.short].append(_name(change.feed))
    for sign, told in rows.items():
        newest = sorted(told.values(), key=lambda one: _age(one[0]), reverse=True)
        for story, why in newest:
            yield (
                sign,
                ", ".join(feeds[sign + story.short]),
                f"{story.published_at.astimezone(zone):%Y-%m-%d}",
                story.outlet,
                story.title,
                story.url,
                why,
            )


def _signed(change: Change) -> Iterator[tuple[str, Story, str]]:
    """Yield what a feed gains and loses: sign, story, and the reason that is told."""
    for story in change.added:
        yield "+", story, " | ".join(_lines(story))
    for story in change.removed:
        yield "-", story, " | ".join(_lines(story))
    for one in change.merged:
        yield "=", one.story, f"part of {one.part_of}, {one.state}"


def _age(story: Story) -> tuple[datetime, str]:
    return story.published_at, story.short


def _name(feed: str) -> str:
    return _NAMES.get(feed) or feed.removeprefix("topics/").removesuffix("/feed.atom")


def _tell(lines: Sequence[Worth]) -> None:
    """Print a table of what each line finds, then those that find nothing."""
    finding = [line for line in lines if line.finds]
    if finding:
        click.echo("")
        show.table([_HEAD, *map(_row, finding)])
    if len(finding) < len(lines):
        click.echo("\nnothing in the history is found by:")
    for line in lines:
        if not line.finds:
            click.echo(f"  {line.topic}.{line.key}: {show.safe(line.line)}")


def _row(line: Worth) -> tuple[str, ...]:
    numbers = (line.finds, line.alone, line.accepted, line.rejected)
    shares = (line.precision, line.recall)
    return (
        line.topic,
        line.key,
        *map(str, numbers),
        *("–" if share is None else f"{share:.2f}" for share in shares),
        show.short(line.line, _LINE),
    )


def _summed_up(changes: Iterable[Change]) -> str:
    """Return one line: how many stories each feed would gain and lose."""
    parts = [
        f"{_name(change.feed)} +{len(change.added)} -{len(change.removed)}"
        + (f" ={len(change.merged)}" if change.merged else "")
        for change in changes
    ]
    return ", ".join(parts) or "no feed would change"
