"""The command `add`: an article that no feed delivered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

import click

from aggregator import curation, wording
from aggregator.append import Pen
from aggregator.cli import show, tales, topics
from aggregator.cli.decide import refuse_several, spoken_of, take_back
from aggregator.cli.machine import ended_by_ctrl_c, settle_in
from aggregator.cli.opened import opened
from aggregator.clock import now
from aggregator.config.tables import UnfitError
from aggregator.decisions import added, archiving
from aggregator.desk import Desk
from aggregator.lookup import look_up
from aggregator.model import Action, Config, Decision, State, Story

_KEYS: Final = curation.ACTIONS[Action.ADD].keys
_ASKED: Final = ("title", "outlet", "published", "topics")  # what there has to be
_Decorator = Callable[[Callable[..., None]], Callable[..., None]]
_FOUND: Final = ("title", "outlet", "published", "author", "excerpt", "topics")
_OF_STORIES: Final = ("archived", "form", "detail")  # what a story may gain afterwards


def _fit(_context: click.Context, option: click.Parameter, given: Any) -> Any:  # noqa: ANN401
    """Refuse a value that curation.toml would not take."""
    name = option.name or ""
    for value in given if isinstance(given, tuple) else filter(None, (given,)):
        _checked(name, value)
    return given


def _checked(name: str, value: str) -> str:
    """Return a value of a key; raises UsageError for what it may not hold."""
    try:
        _KEYS[name].read([value] if name == "topics" else value)
    except UnfitError as exc:
        raise click.BadParameter("; ".join(what for _, what in exc.reasons)) from exc
    return value


def _option(
    name: str,
    metavar: str = "TEXT",
    words: str = "",
    *,
    multiple: bool = False,
) -> _Decorator:
    """Return the option of a key of `add`; words: its help, else the key's own."""
    said = words or f"{_KEYS[name].doc[0].upper()}{_KEYS[name].doc[1:]}."
    flag = "--topic" if name == "topics" else f"--{name}"
    return click.option(
        flag, name, metavar=metavar, help=said, callback=_fit, multiple=multiple
    )


@click.command()
@click.argument("url", default="")
@_option("title")
@_option("outlet", "NAME")
@_option("published", "DATE", "A day, a month, or a date with its time.")
@_option("topics", "ID", "May be repeated.", multiple=True)
@_option("form", "FORM", f"One of {', '.join(curation.FORMS)}.")
@_option("detail")
@_option("author")
@_option("excerpt")
@_option("archived", "URL")
@_option("id", "ID")
@click.option("--reason", default="", metavar="TEXT", help="For yourself.")
@click.option("--undo", is_flag=True, help="Take it back; by its URL, id or story.")
@click.pass_obj
def add(path: str | None, /, url: str, *, undo: bool, **given: Any) -> None:  # noqa: ANN401
    """Add an article that no feed delivered.

    Its page is asked for what is not given; what that does not say either is asked on
    the terminal. Without a URL: television, radio, paper. With --archived, also a
    published story, which gains that copy and stays as it is.

    \b
    Example: aggregator add https://jour.example.org/2020/clic --topic documentaire
    Example: aggregator add --title "Le 20 heures" --outlet "France 2" --form tv
             --published 2020-02-14 --topic documentaire
    """
    desk = opened(path)
    name = url or given["id"]
    if undo:
        _undo(desk, name)
        return
    if url:
        _checked("url", url)
    values = {key: value for key, value in given.items() if value}
    if name and (known := spoken_of(desk, Decision(Action.KEEP, (name,)))):
        _archive(desk, name, known, values)
        return
    if url:
        values = {"url": url, **_page(desk.config, url, values)}
    values |= _asked(desk.config, values)
    decided = _decision(desk.config, values)
    Pen(desk.config).write(decided)
    addition = decided.addition
    assert addition is not None, "curation.toml has read an addition"
    day = tales.dated(addition.published_at, addition.precision, desk.config)
    click.echo(f"{day}  {show.safe(addition.outlet)}: {show.safe(addition.title)}")
    click.echo(f"            {' '.join(addition.topics)}")
    click.echo(tales.followed_by(desk.config), err=True)


def _undo(desk: Desk, name: str) -> None:
    if not name:
        raise click.UsageError("which addition? name its URL, its --id or its story")
    decided = Decision(Action.ADD, (name,), now())
    take_back(Pen(desk.config), desk, decided, spoken_of(desk, decided))
    click.echo(f"{show.safe(name)}  is added no longer")
    click.echo(tales.followed_by(desk.config), err=True)


def _archive(
    desk: Desk, name: str, known: Sequence[Story], values: Mapping[str, Any]
) -> None:
    """Give a published story a lasting copy; refuse whatever else is asked of it."""
    story = known[0]
    said = f"that is story {story.short} already"
    if story.state is not State.PUBLISHED:
        keep = wording.command(Action.KEEP, story.short)
        raise click.UsageError(f"{said}, {story.state}; publish it with `{keep}`")
    if "archived" not in values:
        raise click.UsageError(f"{said}, {story.state}")
    refuse_several(name, known, desk)
    if more := values.keys() - {*_OF_STORIES, "reason"}:
        options = " and ".join(f"--{key}" for key in _OF_STORIES)
        raise click.UsageError(f"{said}: it gains {options}, but no {min(more)}")
    if place := added(story, desk.decisions):
        mend = f"archived = {wording.quoted(values['archived'])}"
        raise click.UsageError(
            f"{said}, added by decision[{place}] of "
            f"{desk.config.storage.curation.name}; write there: {mend}"
        )
    decided = archiving(story, values["archived"], now())
    assert decided.addition, "it is one"
    gained = {key: values[key] for key in _OF_STORIES if key in values}
    addition = replace(decided.addition, **gained)
    reason = values.get("reason", "")
    Pen(desk.config).write(replace(decided, addition=addition, reason=reason))
    click.echo(f"{story.short}  {show.safe(story.outlet)}: {show.safe(story.title)}")
    click.echo(f"          archived copy: {show.safe(values['archived'])}")
    click.echo(tales.followed_by(desk.config), err=True)


def _page(config: Config, url: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with those that the article's page adds to them."""
    if all(name in values for name in _ASKED):
        return dict(values)
    settle_in(config)
    with ended_by_ctrl_c():
        found = look_up(config, url, now())
    if found.problem:
        click.echo(f"{show.safe(url)}: {show.safe(found.problem)}", err=True)
    told = {name: getattr(found, name) for name in _FOUND if getattr(found, name)}
    return told | dict(values)


def _asked(config: Config, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the maintainer answers where something has to be known."""
    missing = [name for name in _ASKED if name not in values]
    if not missing:
        return {}
    if not show.on_terminal():
        options = ["--topic ID" if n == "topics" else f"--{n}" for n in missing]
        raise click.UsageError(f"not known: give {', '.join(options)}")
    for name in _ASKED:
        if name in values:
            click.echo(f"{name}: {show.safe(_plain(values[name]))}")
    answers: dict[str, Any] = {}
    for name in missing:
        if name == "topics":
            answers[name] = topics.ask(config.topics)
        else:
            answers[name] = click.prompt(name, value_proc=partial(_checked, name))
    return answers


def _plain(value: Any) -> str:  # noqa: ANN401 - a text or several
    return value if isinstance(value, str) else " ".join(value)


def _decision(config: Config, values: Mapping[str, Any]) -> Decision:
    """Return the decision that the values make, as curation.toml would read it."""
    table = {"action": Action.ADD.value, "at": now(), **values}
    table["topics"] = list(values["topics"])
    (decided,) = curation.read_tables(
        {"decision": [table]},
        config.storage.curation,
        config.topics,
        config.site.timezone,
    )
    return decided
