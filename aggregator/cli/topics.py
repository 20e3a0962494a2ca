"""Asking on the terminal under which topics something is published."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches

import click

from aggregator.cli import show
from aggregator.model import Topic


def ask(topics: Sequence[Topic], held: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the topics that are typed, by id or number; one at least.

    held: those that an empty answer stands for.
    """
    ids = [topic.id for topic in topics]
    for number, topic in enumerate(topics, 1):
        click.echo(f"{number:>4}  {topic.id}: {show.safe(topic.title)}")
    while True:
        typed = click.prompt("publish under", default=" ".join(held) or None)
        names = [*_names(typed, topics)]
        unknown = [name for name in names if name not in ids]
        if names and not unknown:
            return tuple(dict.fromkeys(names))
        for name in unknown:
            near = get_close_matches(name, ids, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            click.echo(f"no topic is called {name!r}{hint}")


def _names(typed: str, topics: Sequence[Topic]) -> Iterator[str]:
    for word in re.findall(r"[^\s,]+", typed):
        place = int(word) if word.isdecimal() and len(word) < 4 else 0  # noqa: PLR2004
        yield topics[place - 1].id if 0 < place <= len(topics) else word
