"""Commands that say which entries are one story: merge and split."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Unpack

import click

from aggregator.append import Pen
from aggregator.cli import show, tales
from aggregator.cli.decide import Given, deciding, named, spoken_of, take_back
from aggregator.cli.opened import opened
from aggregator.clock import now
from aggregator.desk import Desk, settled
from aggregator.model import Action, Decision, State
from aggregator.store import Store

_FEWEST: Final = 2  # stories that can be made one


@dataclass(frozen=True, slots=True)
class _Told:
    """A story: how many entries it has, and the one it is part of, "" = none."""

    name: str
    state: State
    entries: int
    part_of: str


@click.command()
@deciding
def merge(path: str | None, **given: Unpack[Given]) -> None:
    """Make one story of several.

    The one published first keeps its id; in the feeds the others are gone.

    \b
    Example: aggregator merge k7f3q2zd https://jour.example.org/2020/clic
    """
    names = given["stories"]
    if len({*names}) < _FEWEST and not given["undo"]:
        raise click.UsageError("merge it with which? name two stories at least")
    _group(path, Action.MERGE, [names], given["reason"], undo=given["undo"])


@click.command()
@deciding
def split(path: str | None, **given: Unpack[Given]) -> None:
    """Take copies out of their story, by their addresses.

    Of two stories that may be one it says that they are two.
    """
    each = [(name,) for name in given["stories"]]
    _group(path, Action.SPLIT, each, given["reason"], undo=given["undo"])


def _group(
    path: str | None,
    action: Action,
    names: Sequence[Sequence[str]],
    reason: str,
    *,
    undo: bool,
) -> None:
    """Write decisions, or take them back, and show which stories that changes."""
    desk = opened(path)
    at = now()
    wanted = [
        Decision(action, tuple(map(named, targets)), at, reason) for targets in names
    ]
    before = _stories(desk)
    pen = Pen(desk.config)
    if undo:
        for one in wanted:
            take_back(pen, desk, one, spoken_of(desk, one))
            desk = Desk.of(desk.config)
    else:
        pen.write(*wanted)
        desk = Desk.of(desk.config)
    changed = False
    for line in _changes(before, _stories(desk)):
        click.echo(show.safe(line))
        changed = True
    if not changed:
        click.echo("no story changes by that" if undo else _unchanged(desk, wanted))
    click.echo(tales.followed_by(desk.config), err=True)


def _stories(desk: Desk) -> dict[str, _Told]:
    """Return every story by short id, as the maintainer's files have it now."""
    if not desk.config.storage.database.exists():
        return {}
    with Store(desk.config.storage.database) as store:
        return {
            ledger.short: _Told(
                f"{ledger.members[0].outlet}: {ledger.members[0].title}",
                standing.state,
                len(ledger.members),
                ledger.merged,
            )
            for ledger, standing, _ in settled(store, desk, now())
        }


def _changes(before: dict[str, _Told], after: dict[str, _Told]) -> Iterator[str]:
    """Yield two lines for each story that is another than before."""
    for short in sorted(before.keys() | after.keys()):
        old, new = before.get(short), after.get(short)
        if what := _change(old, new):
            known = new or old
            assert known is not None, "one of both names it"
            yield f"{short}  {known.name}"
            yield f"          {what}"


def _change(old: _Told | None, new: _Told | None) -> str:
    """Return what is another of a story, "" for nothing."""
    if new is None:
        return "is no story of its own any longer"
    if old is None:
        return f"is a story of its own now: {new.state}"
    if new.part_of != old.part_of:
        stands = f"stands for itself again: {new.state}"
        return f"is part of {new.part_of} now" if new.part_of else stands
    if new.entries != old.entries:
        return f"{_entries(old.entries)} → {_entries(new.entries)}"
    return ""


def _entries(count: int) -> str:
    return f"{count} {'entry' if count == 1 else 'entries'}"


def _unchanged(desk: Desk, wanted: Sequence[Decision]) -> str:
    """Return why nothing changes by decisions that were written."""
    if not any(spoken_of(desk, one) for one in wanted):
        return "names no story known so far; the decision waits for it"
    return "no story changes by that; it holds for what may come"
