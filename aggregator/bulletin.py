"""A bulletin: what is stored, joined into stories, settled, and published.

The second half of a cycle, and all of `publish`. Nothing here polls, and nothing that
polling needs is imported. The cycle lock is held by the caller, but for `republish`.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from aggregator import __version__, hubs, publish, watch
from aggregator.adopt import adopt
from aggregator.desk import Desk, drawn_up, settled, stories
from aggregator.identity import number
from aggregator.listed import Listed
from aggregator.lock import CYCLE_WAIT, held
from aggregator.model import Addition, State, Story
from aggregator.publish.desk import desk as desk_pages
from aggregator.recover import recover
from aggregator.store import Store, cycles, tales
from aggregator.store import rules as remembered
from aggregator.store.base import seconds
from aggregator.stories import Settled, brake, held_by_topic, place, possible_ids

_PRIVATE = 0o750  # of the desk, for the maintainer alone; less what umask takes


@contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no cycles of garbage inside the function.

    What is made of 10,000 stories lives until they are published. To go through it
    time and again for cycles, of which there are none, took a sixth of the time; once
    more, while the function's caller or its own names still hold it, a twentieth.
    """
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What `republish` did: the files it wrote; the others as in `Report`."""

    written: tuple[str, ...]
    held: tuple[tuple[str, int], ...]
    hubs: tuple[tuple[str, str], ...]
    restored: int | None = None


def republish(
    desk: Desk, now: datetime, *, accept: bool = False, wait: float = CYCLE_WAIT
) -> Rebuilt:
    """Apply the maintainer's files to what is stored, and rebuild what changed.

    accept: what the brake holds may pass. wait: seconds for another's cycle to end.
    Raises as `cycle` does.
    """
    database = desk.config.storage.database
    with held(database, "cycle", wait=wait), Store(database) as store:
        restored = recover(store, desk, now)
        return replace(renew(store, desk, now, accept=accept), restored=restored)


@_uncollected()
def renew(store: Store, desk: Desk, now: datetime, *, accept: bool = False) -> Rebuilt:
    """Do what `republish` does, for a command that holds the cycle lock already."""
    adopt(store, desk.config, now)
    watch.edits(store, desk, None, now)
    told = tell(store, desk, now, accept=accept).stories
    watch.brake(store, desk, told, now)
    documents = rebuild(store, desk, told)
    heard = tell_hubs(store, desk, documents, now)
    return Rebuilt(changed(documents), braked(desk, tales.held(store)), heard)


@dataclass(frozen=True, slots=True)
class Bulletin:
    """What stands after a cycle.

    stories: how many are published. documents: of each whether it was written just now.
    held, braked, reached: as in `Report`. new: brought out now, and not the last one.
    """

    stories: int
    documents: Mapping[str, bool]
    held: tuple[tuple[str, int], ...]
    braked: tuple[str, ...]
    reached: bool
    new: bool


@_uncollected()
def bring_out(store: Store, desk: Desk, now: datetime) -> Bulletin:
    """Tell, watch and publish what there is, unless nothing of it has changed.

    Where nothing was written that anybody may see, and the maintainer's files are as
    they were, that is looked at again after `polling.fastest` only: for what time alone
    brings, such as a silence, and for files that somebody else removed.
    """
    if last := _last(store, desk, now):
        return last
    tidings = tell(store, desk, now)
    told = tidings.stories
    watch.brake(store, desk, told, now)
    reached = watch.watch(store, desk, told, now)
    documents = rebuild(store, desk, told)
    cycles.forget(store, now, desk.config.storage.history)
    return Bulletin(
        stories=sum(story.state is State.PUBLISHED for story in told),
        documents=documents,
        held=braked(desk, tales.held(store)),
        braked=tidings.braked,
        reached=reached,
        new=True,
    )


def end(store: Store, desk: Desk, bulletin: Bulletin, now: datetime) -> None:
    """Remember that a cycle is complete and, if it brought one out, its bulletin."""
    with store.transaction():
        cycles.end_cycle(store, now)
        if bulletin.new:
            said = {
                "of": str(_signature(desk)),
                "since": seconds(now),
                "until": seconds(now + desk.config.polling.fastest),
                "stories": bulletin.stories,
                "reached": bulletin.reached,
            }
            store.note("bulletin", json.dumps(said))
            store.note("unpublished", "")


def _last(store: Store, desk: Desk, now: datetime) -> Bulletin | None:
    """Return the last bulletin where it still stands, else None."""
    said = json.loads(store.fact("bulletin") or "{}")
    if (
        store.fact("unpublished")
        or not said
        or not said["since"] <= now.timestamp() < said["until"]
        or said["of"] != str(_signature(desk))
        or not (desk.config.storage.output / "feed.atom").exists()
    ):
        return None
    names = store.fact("documents").splitlines()
    return Bulletin(
        stories=said["stories"],
        documents=dict.fromkeys(names, False),
        held=braked(desk, tales.held(store)),
        braked=(),
        reached=said["reached"],
        new=False,
    )


def _signature(desk: Desk) -> int:
    """Return what changes with the program, or with what the two files want shown."""
    config = desk.config
    shown = (config.site, config.topics, config.outlets, config.matching)
    first = config.digest or repr(shown)
    return number(__version__, first, repr(desk.decisions))


@dataclass(frozen=True, slots=True)
class Tidings:
    """What `tell` found: topics of which the brake holds more; every story."""

    braked: tuple[str, ...]
    stories: tuple[Story, ...]


def tell(store: Store, desk: Desk, now: datetime, *, accept: bool = False) -> Tidings:
    """Join what is new into stories, then decide where each story stands.

    It starts from everything not yet placed, not from what this cycle brought, so that
    a cycle cut off earlier is completed by the next one. accept: without the brake,
    which is off until a first cycle is complete and has found something, too.
    """
    additions = desk.additions
    tales.keep_additions(store, additions, now)
    join(store, additions)
    stored = tales.standings(store)
    known = tuple(settled(store, desk, now, stored))
    moves, followed = [], False
    for ledger, after, decided in known:
        before = ledger.standing
        by_hand = decided.on_place or ledger.regrouped
        old = ledger.backfilled and not (before and before.added_at)
        moves.append(Settled(before, after, decided=by_hand, backfilled=old))
        # readers may have come once something was published that a feed brought
        found = before and before.added_at and not decided.addition
        followed = followed or bool(found)
    edited, standings = remembered.marked(store), tuple(one.after for one in moves)
    begun = cycles.last_cycle(store) or store.fact("recovered_at")
    if not accept and begun and followed:
        limit = desk.config.matching.brake
        topics = [topic.id for topic in desk.config.topics]
        standings = brake(moves, limit, edited, topics, now)
    moved = [
        after
        for one, after in zip(moves, standings, strict=True)
        if after != one.before
    ]
    if moved or edited:
        with store.transaction():
            tales.stand(store, moved)
            remembered.mark(store, ())
    held_before = held_by_topic(one.before for one in moves)
    braked_more = tuple(sorted(held_by_topic(standings) - held_before))
    now_stored = stored | {one.story: one for one in moved}
    placed = zip(known, standings, strict=True)
    told = ((ledger, standing, ruled) for (ledger, _, ruled), standing in placed)
    return Tidings(braked_more, drawn_up(desk, told, now_stored))


def braked(desk: Desk, held: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    """Return how many stories the brake holds, by topic in the order of feeds.toml."""
    order = [topic.id for topic in desk.config.topics]
    known = [topic for topic in order if topic in held]
    return tuple((t, held[t]) for t in (*known, *sorted(held.keys() - {*known})))


def join(store: Store, additions: Mapping[int, Addition]) -> None:
    """Place every mention that belongs to no story yet."""
    new = tales.newcomers(store, additions)
    if new:
        near = tales.neighbours(store, new, additions)
        taken = tales.taken(store, possible_ids(new))
        tales.put(store, place(new, near, taken))


def rebuild(store: Store, desk: Desk, told: Sequence[Story]) -> dict[str, bool]:
    """Write the published folder and the desk.

    told: every story as it stands. Returns of each published document whether it
    changed.
    """
    config = desk.config
    folder = config.storage.output
    listed = Listed(store, publish.framed(config.site, config.topics, told))
    stand = listed.stand(folder)
    coverage = None if stand else watch.coverage(store)
    files = publish.render(config.site, config.topics, told, coverage)
    written = _write(store, folder, listed.noted(files), "documents", stand)
    listed.keep(written)
    show_desk(store, desk, told)
    return written


def tell_hubs(
    store: Store,
    desk: Desk,
    documents: Iterable[str],
    now: datetime,
) -> tuple[tuple[str, str], ...]:
    """Tell hubs of the feeds among the published documents; see `Report.hubs`."""
    heard = hubs.tell(store, desk.config, documents, now)
    if heard:
        show_desk(store, desk, stories(store, desk))
    return tuple((event.subject, event.text) for event in heard)


def show_desk(store: Store, desk: Desk, told: Sequence[Story]) -> None:
    """Write the maintainer's private folder."""
    folder = desk.config.storage.desk
    with suppress(OSError):  # whoever writes into it says why it is not there
        folder.mkdir(_PRIVATE, parents=True, exist_ok=True)
    files = desk_pages(desk.config.site, watch.view(store, desk, told))
    _write(store, folder, files.items(), "desk_documents")


def _write(
    store: Store,
    folder: Path,
    files: Iterable[tuple[str, bytes]],
    fact: str,
    stand: Collection[str] = (),
) -> dict[str, bool]:
    """Write a folder's files; fact: where the names of its earlier ones are kept.

    stand: of those that are left as they are.
    """
    earlier = store.fact(fact).splitlines()
    gone = (name for name in earlier if name not in stand)
    written = publish.write(folder, files, gone) | dict.fromkeys(stand, False)
    if sorted(earlier) != sorted(written):
        with store.transaction():
            store.note(fact, "\n".join(written))
    return written


def changed(documents: Mapping[str, bool]) -> tuple[str, ...]:
    """Return the names of the documents that were written."""
    return tuple(name for name, new in documents.items() if new)
