"""The command `init`: a new folder, with the two files that a maintainer writes."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from aggregator import config as configuration
from aggregator.begin import LANGUAGES, First, begin, refuse_begun
from aggregator.cli import show
from aggregator.clock import now

# What is asked, in this order.
_ASKED = {
    "title": "title of the press review",
    "url": "address where it will be published",
    "contact": "mail address or page, for outlets and readers",
}
# What a mere Enter answers; `check` warns of example.org.
_TITLES = {"fr": "La presse en parle", "en": "In the press"}
_EXAMPLES = {"url": "https://example.org/presse/", "contact": "presse@example.org"}
_NEXT = 3  # commands that are told


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--title", metavar="TEXT", help="The name of the press review.")
@click.option("--url", metavar="URL", help="Where the published folder is served.")
@click.option("--contact", metavar="TEXT", help="A mail address or a page; may be ''.")
@click.option(
    "--language",
    type=click.Choice(LANGUAGES),
    metavar="|".join(LANGUAGES),
    default=LANGUAGES[0],
    show_default=True,
    help="Of the pages, and of the comments in the files.",
)
def init(
    folder: Path, title: str | None, url: str | None, contact: str | None, language: str
) -> None:
    """Make a new folder to begin with: feeds.toml, curation.toml and .gitignore.

    What no option gives is asked on the terminal; where there is none, all must be
    given. A folder that has a feeds.toml is left as it is.

    \b
    Example: aggregator init presse --title "La presse en parle"
             --url https://www.example.org/presse/ --contact presse@example.org
    """
    refuse_begun(folder)
    given = {"title": title, "url": url, "contact": contact}
    known = {name: _checked(name, text) for name, text in given.items() if text}
    if contact == "":
        known["contact"] = contact  # said to be none
    values = known | _answers([name for name in given if name not in known], language)
    id_ = configuration.site_id(values["url"], now().year)
    made = begin(folder, First(**values, language=language, id=id_))
    _tell(folder, made)


def _answers(missing: Sequence[str], language: str) -> dict[str, str]:
    """Return what a person answers to what no option gave."""
    if missing and not show.on_terminal():
        raise click.UsageError(f"give {', '.join(f'--{name}' for name in missing)}")
    defaults = {"title": _TITLES[language], **_EXAMPLES}
    return {
        name: click.prompt(
            _ASKED[name], default=defaults[name], value_proc=partial(_checked, name)
        )
        for name in missing
    }


def _checked(name: str, written: str) -> str:
    """Return a value as feeds.toml would have it; an unfit one is refused at once."""
    try:
        value = configuration.setting(name, written)
        if name == "url":
            configuration.site_id(value, now().year)
    except ValueError as exc:
        raise click.UsageError(f"{name}: {exc}") from exc
    return value


def _tell(folder: Path, made: Sequence[str]) -> None:
    """Say what is new, and what to type next."""
    click.echo(f"{folder}: made {', '.join(sorted(made))}", err=True)
    place = os.environ.get(configuration.VARIABLE)
    if place and Path(place).absolute() != (folder / "feeds.toml").absolute():
        what = f"${configuration.VARIABLE} is set: commands read {place}, not this one"
        click.echo(f"warning: {what}; unset it first", err=True)
    click.echo("write your topics and outlets into feeds.toml, then:\n", err=True)
    first = [f"cd {shlex.quote(str(folder))}"] if folder.resolve() != Path.cwd() else []
    commands = [*first, *(f"aggregator {name}" for name in ("check", "run", "serve"))]
    for line in commands[:_NEXT]:
        click.echo(f"    {line}")
