"""What `check` asks the network, shown: how feeds fare, which links are dead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final

import click

from aggregator.checkup import (
    FeedCheck,
    Fit,
    Life,
    LinkCheck,
    LinksChecked,
    ask_feeds,
    ask_links,
)
from aggregator.cli import show, tales
from aggregator.cli.machine import (
    UNREACHED,
    progressing,
    settle_in,
    stopped_by_ctrl_c,
    watched,
)
from aggregator.clock import now
from aggregator.desk import Desk
from aggregator.model import Config

_HEAD = ("outlet", "state", "entries", "newest", "language", "seconds", "address")
_INDENT = "    "
_ROLES: Final = {
    "article": "article",
    "copy": "other outlet’s copy",
    "archived": "archived copy",
}
_OFFLINE = "not one could be reached; is this machine online?"


def ask(
    desk: Desk, *, feeds: bool, links: bool, within: timedelta, as_json: bool
) -> int:
    """Ask what is to be asked and show it; return the exit status.

    within: how long links are asked at most.
    """
    config = desk.config
    settle_in(config)
    status = 0
    told: dict[str, object] = {"problems": []}
    if feeds:
        checks = _feeds(config)
        told["feeds"] = [*map(_row, checks)]
        if not as_json:
            _show_feeds(checks, config.source.name)
        status = _status(checks)
    if links:
        checked = _links(desk, within)
        told["links"] = _told(checked)
        if not as_json:
            _show_links(checked, desk)
        dead = any(check.state is Life.DEAD for check in checked.checks)
        status = max(status, UNREACHED if checked.offline else int(dead))
    if as_json:
        show.as_json(told)
    return status


# ── feeds ─────────────────────────────────────────────────────────────────────────────


def _feeds(config: Config) -> tuple[FeedCheck, ...]:
    with (
        stopped_by_ctrl_c() as stop,
        progressing("asking feeds", shown=watched()) as progress,
    ):
        return ask_feeds(config, now(), stop, progress)


def _row(check: FeedCheck) -> dict[str, object]:
    """Return a feed as `--json` lists it."""
    return {
        "outlet": check.outlet,
        "url": check.url,
        "state": check.state,
        "entries": check.entries,
        "newest": check.newest,
        "language": check.language,
        "seconds": round(check.seconds, 1),
        "problems": check.problems,
    }


def _show_feeds(checks: Sequence[FeedCheck], file: str) -> None:
    """Print a table of all feeds; below it, what is wrong and what mends it."""
    if checks:
        show.table([_HEAD, *map(_cells, checks)])
    for check in checks:
        for problem in check.problems:
            click.echo(f"\n{show.safe(check.outlet)}: {show.safe(problem.says)}")
            click.echo(f"{_INDENT}{show.safe(check.url)}")
            if problem.paste:
                click.echo(f"→ in {file}, under [outlets]:")
            elif problem.run:
                click.echo("→ to find another one:")
            for line in (problem.run, *problem.paste.splitlines()):
                if line:
                    click.echo(_INDENT + show.safe(line))
    count = Counter(check.state for check in checks)
    click.echo(
        f"{show.many(len(checks), 'feed')}: {count[Fit.WORKS]} work, "
        f"{count[Fit.ODD]} are odd, {count[Fit.FAILS]} fail, "
        f"{count[Fit.NOT_ASKED]} not asked",
        err=True,
    )
    if _status(checks) == UNREACHED:
        click.echo(_OFFLINE, err=True)


def _cells(check: FeedCheck) -> tuple[str, ...]:
    return (
        show.short(check.outlet, 28),
        check.state.replace("_", " "),
        str(check.entries),
        f"{check.newest:%Y-%m-%d}" if check.newest else "–",
        show.short(check.language, 12) or "–",
        f"{check.seconds:.1f}",
        show.short(check.url),
    )


def _status(checks: Iterable[FeedCheck]) -> int:
    """Return the exit status: 3 where this machine seems to have no network."""
    asked = [check for check in checks if check.state is not Fit.NOT_ASKED]
    if asked and all(check.offline for check in asked):
        return UNREACHED
    return int(any(check.state is Fit.FAILS for check in asked))


# ── links ─────────────────────────────────────────────────────────────────────────────


def _links(desk: Desk, within: timedelta) -> LinksChecked:
    with (
        stopped_by_ctrl_c() as stop,
        progressing("asking links", shown=watched()) as progress,
    ):
        return ask_links(desk, now(), within.total_seconds(), stop, progress)


def _told(checked: LinksChecked) -> dict[str, object]:
    """Return what was found of links as `--json` has it."""
    return {
        "published": checked.links,
        "alive": checked.alive,
        "left": checked.left,
        "found": [
            {
                "url": check.url,
                "state": check.state,
                "reason": check.reason,
                "role": check.role,
                **tales.entry(check.story),
                "look": check.look,
                "place": check.place or None,
                "paste": check.paste,
            }
            for check in checked.checks
        ],
    }


def _show_links(checked: LinksChecked, desk: Desk) -> None:
    """Print the dead links as curation.toml may have them: comments and tables."""
    for check in checked.checks:
        if check.state is Life.DEAD:
            _show_dead(check, desk)
    urls = {
        state: {check.url for check in checked.checks if check.state is state}
        for state in Life
    }
    unclear = [one for one in checked.checks if one.state is Life.UNCLEAR]
    if unclear:
        click.echo("\n# could not be asked now:")
    for line in dict.fromkeys(f"#   {one.url} ({one.reason})" for one in unclear):
        click.echo(show.safe(line))
    click.echo(
        f"{show.many(checked.links, 'link')}: {checked.alive} answer, "
        f"{len(urls[Life.DEAD])} are dead, {len(urls[Life.SAVED])} more are and have "
        f"an archived copy, {len(urls[Life.UNCLEAR])} could not be asked now, "
        f"{checked.left} were left for lack of time",
        err=True,
    )
    if checked.offline:
        click.echo(_OFFLINE, err=True)


def _show_dead(check: LinkCheck, desk: Desk) -> None:
    story = check.story
    told = f"{tales.day(story, desk.config)}, {story.outlet}: {story.title}"
    lines = [
        f"dead: {check.url}",
        f"  {check.reason}; {_ROLES[check.role]} of {story.short}, {told}",
    ]
    if check.look:
        lines.append(f"  is this a copy? {check.look}")
    if check.place:
        table = f"decision[{check.place}] of {desk.config.storage.curation.name}"
        there = "if not" if check.role == "archived" else "if so"
        lines.append(f"  {there}, in {table}: {check.paste}")
    click.echo()
    for line in lines:
        click.echo(show.safe(f"# {line}"))
    if check.paste and not check.place:
        click.echo(check.paste)
