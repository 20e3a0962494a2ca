"""Commands that write one decision each: keep, hide, pin, unpin, retag, note."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypedDict, Unpack

import click

from aggregator.append import Pen
from aggregator.cli import show, tales
from aggregator.cli.opened import opened
from aggregator.clock import now
from aggregator.config.tables import UnfitError
from aggregator.curation import target as readable
from aggregator.decisions import Rulings, key
from aggregator.desk import Desk
from aggregator.identity import short
from aggregator.model import Action, Decision, Story


class Given(TypedDict):
    """What all commands take that decide on stories."""

    stories: tuple[str, ...]
    reason: str
    undo: bool


def deciding(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command with the arguments of `Given`."""
    for part in (
        click.option("--undo", is_flag=True, help="Take the last such decision back."),
        click.option("--reason", default="", metavar="TEXT", help="For yourself."),
        click.argument("stories", nargs=-1, required=True, metavar="STORY-OR-URL…"),
        click.pass_obj,
    ):
        command = part(command)
    return command


@click.command()
@deciding
def keep(path: str | None, **given: Unpack[Given]) -> None:
    """Publish stories, whatever the rules say.

    A story is named by its short id, any address of it, or the id of an addition.
    """
    _decide(path, Action.KEEP, **given)


@click.command()
@deciding
def hide(path: str | None, **given: Unpack[Given]) -> None:
    """Withdraw stories, or keep them from being published.

    \b
    Example: aggregator hide k7f3q2zd --reason "un autre film"
    """
    _decide(path, Action.HIDE, **given)


@click.command()
@deciding
def pin(path: str | None, **given: Unpack[Given]) -> None:
    """Keep stories at the head of their pages."""
    _decide(path, Action.PIN, **given)


@click.command()
@deciding
def unpin(path: str | None, **given: Unpack[Given]) -> None:
    """Let pinned stories go back to their place."""
    _decide(path, Action.UNPIN, **given)


@click.command()
@click.option("--topic", "topics", multiple=True, metavar="ID", help="May be repeated.")
@deciding
def retag(path: str | None, topics: tuple[str, ...], **given: Unpack[Given]) -> None:
    """Publish stories under these topics in place of their own.

    \b
    Example: aggregator retag k7f3q2zd --topic livreurs --topic microtravail
    """
    if not topics and not given["undo"]:
        raise click.UsageError("which topics? write --topic ID, once for each")
    _decide(path, Action.RETAG, **given, topics=tuple(dict.fromkeys(topics)))


@click.command()
@click.option("--text", default=None, metavar="TEXT", help='"" removes the note.')
@deciding
def note(path: str | None, text: str | None, **given: Unpack[Given]) -> None:
    """Put a sentence of yours under a story."""
    if text is None and not given["undo"]:
        raise click.UsageError('which note? write --text TEXT; "" removes it')
    _decide(path, Action.NOTE, **given, text=text or "")


def _decide(
    path: str | None,
    action: Action,
    *,
    stories: Sequence[str],
    reason: str,
    undo: bool,
    topics: tuple[str, ...] = (),
    text: str = "",
) -> None:
    """Write a decision on each story, or take it back, and show what that changes."""
    desk = opened(path)
    at = now()
    wanted = [
        Decision(action, (named(name),), at, reason, topics=topics, text=text)
        for name in stories
    ]
    before = [spoken_of(desk, one) for one in wanted]
    for name, found in zip(stories, before, strict=True):
        refuse_several(name, found, desk)
    pen = Pen(desk.config)
    if undo:
        for one, found in zip(wanted, before, strict=True):
            take_back(pen, desk, one, found)
            desk = Desk.of(desk.config)
    else:
        pen.write(*wanted)
    desk = Desk.of(desk.config)
    for one, found in zip(wanted, before, strict=True):
        waits = "" if undo else "; the decision waits for it"
        _show(one, found, spoken_of(desk, one), waits)
    click.echo(tales.followed_by(desk.config), err=True)


def named(name: str) -> str:
    """Return what names a story; UsageError when curation.toml may not hold it."""
    try:
        return readable(name)
    except UnfitError as exc:
        raise click.UsageError(str(exc)) from exc


def spoken_of(desk: Desk, decided: Decision) -> list[Story]:
    """Return the stories that a decision speaks of, as the files now have them.

    Those that were merged into another only where it speaks of no other.
    """
    found = [*tales.obeying(desk, Rulings([decided]))]
    standing = [story for story, ledger, _ in found if not ledger.merged]
    return standing or [story for story, _, _ in found]


def refuse_several(name: str, found: Sequence[Story], desk: Desk) -> None:
    """Refuse an address under which an outlet shows one article after another."""
    if len(found) > 1:
        listed = ", ".join(f"{s.short} ({tales.day(s, desk.config)})" for s in found)
        raise click.UsageError(f"{name} is the address of several stories: {listed}")


def take_back(pen: Pen, desk: Desk, decided: Decision, found: Sequence[Story]) -> None:
    """Take out the last table that decides the same of one of the same stories.

    found: the stories that it speaks of. Raises UsageError when there is no such table,
    ClickException when it cannot be taken out.
    """
    names = {key(name) for name in decided.targets}
    for story in found:
        names |= {story.short, *(key(copy.url) for copy in story.copies)}
    places = [
        place
        for place, one in enumerate(desk.decisions, 1)
        if one.action is decided.action and names & _called(one)
    ]
    file, name = desk.config.storage.curation.name, decided.targets[0]
    if not places:
        raise click.UsageError(f"{file} has no {decided.action} on {name}")
    if not pen.take_out(places[-1]):
        raise click.ClickException(
            f"{file}: decision[{places[-1]}] is not a table on lines of its own; take "
            "it out by hand"
        )


def _called(decided: Decision) -> set[str]:
    """Return what a decision calls its story, the id that an address gave it too."""
    names = set(map(key, decided.targets))
    return names | {short(name) for name in names}


def _show(
    decided: Decision, before: Sequence[Story], after: Sequence[Story], waits: str
) -> None:
    """Print what is another of each story; waits: said of one not known yet."""
    if not after:
        name = show.safe(decided.targets[0])
        click.echo(f"{name}  names no story known so far{waits}")
    for old, new in zip(before, after, strict=False):
        what = ", ".join(_changes(old, new)) or f"stays {new.state}"
        click.echo(f"{new.short}  {show.safe(new.outlet)}: {show.safe(new.title)}")
        click.echo(f"          {show.safe(what)}")


def _changes(old: Story, new: Story) -> list[str]:
    """Return what is another of a story than it was."""
    changes = []
    if old.state is not new.state:
        changes.append(f"{old.state} → {new.state}")
    if old.topics != new.topics:
        changes.append(f"topics {' '.join(old.topics)} → {' '.join(new.topics)}")
    if old.pinned is not new.pinned:
        changes.append("pinned" if new.pinned else "no longer pinned")
    if old.note != new.note:
        changes.append(f"note: {new.note}" if new.note else "no note any longer")
    return changes
