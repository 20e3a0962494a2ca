"""The maintainer's two files in force, and the stories that they make of the database.

What every command needs that shows something; nothing here polls, publishes or writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from aggregator import curation, kept
from aggregator.decisions import Ruling, Rulings
from aggregator.model import Action, Addition, Config, Decision, State, Story
from aggregator.store import Store, tales
from aggregator.store import rules as remembered
from aggregator.stories import (
    Ledger,
    Standing,
    Suggested,
    compose,
    regroup,
    ruling,
    settle,
    suggested,
    tombstone,
)

Standings = Mapping[str, Standing]
"""Where every story stands, by short id."""

_GROUPING = frozenset({Action.MERGE, Action.SPLIT})


@dataclass(frozen=True, slots=True)
class Desk:
    """The maintainer's two files, read and valid, for one cycle or command."""

    config: Config
    decisions: tuple[Decision, ...]

    @classmethod
    def load(cls, path: Path) -> Desk:
        """Read the configuration at `path` and the curation.toml that goes with it.

        Raises ConfigError with all problems of the first of them that has any.
        """
        return cls.of(kept.read(path))

    @classmethod
    def of(cls, config: Config) -> Desk:
        """Read the curation.toml that goes with a configuration; raises ConfigError."""
        site = config.site
        path = config.storage.curation
        return cls(config, curation.read(path, config.topics, site.timezone))

    @property
    def additions(self) -> dict[int, Addition]:
        """What the maintainer adds, by the number of the entry that stands for it."""
        return tales.added(
            decision.addition
            for decision in self.decisions
            if decision.action is Action.ADD and decision.addition
        )


def stories(store: Store, desk: Desk) -> tuple[Story, ...]:
    """Return every story as it stands, by short id; those not settled yet are left out.

    A pure function of the database and the maintainer's two files.
    """
    known = tales.standings(store)
    rulings, zone = Rulings(desk.decisions), desk.config.site.timezone
    placed = (
        (ledger, ledger.standing, ruling(ledger, rulings, zone))
        for ledger in ledgers(store, desk, known)
        if ledger.standing
    )
    return drawn_up(desk, placed, known)


def drawn_up(
    desk: Desk,
    placed: Iterable[tuple[Ledger, Standing, Ruling]],
    standings: Standings,
) -> tuple[Story, ...]:
    """Return the stories as shown, by short id, and what is left of those without any.

    placed: each story that has entries, and where it stands. standings: of all.
    """
    placed = tuple(placed)
    names = {ledger.members[0].outlet for ledger, _, _ in placed}
    known = map(desk.config.outlet, names)
    outlets = {outlet.name: outlet for outlet in known if outlet}
    told = [compose(*its, outlets) for its in placed]
    named = {story.short for story in told}
    told += [
        tombstone(standing)
        for short, standing in standings.items()
        if short not in named and standing.state is not State.PUBLISHED
    ]
    return tuple(sorted(told, key=lambda story: story.short))


def queue(
    store: Store, desk: Desk, state: State, now: datetime
) -> tuple[tuple[Story, ...], tuple[Suggested, ...]]:
    """Return the stories in a state, last published first, and those that may be one.

    As the maintainer's files have it now: what was decided since the last cycle counts,
    so that it need not be asked again.
    """
    outlets = {outlet.name: outlet for outlet in desk.config.outlets}
    stored = tales.suggestions(store)
    alike = {*stored, *(one.story for others in stored.values() for one in others)}
    found, told = [], []
    for ledger, standing, decided in settled(store, desk, now):
        waits = standing.state is state and standing.topics and not ledger.merged
        if not waits and ledger.short not in alike:
            continue
        story = compose(ledger, standing, decided, outlets)
        if waits:
            found.append(story)
        if story.short in alike:
            told.append(story)
    found.sort(key=lambda s: (s.published_at, s.short), reverse=True)
    return tuple(found), suggested(told, stored, desk.decisions)


def settled(
    store: Store, desk: Desk, now: datetime, known: Standings | None = None
) -> Iterator[tuple[Ledger, Standing, Ruling]]:
    """Yield every story with where it stands by the maintainer's files as they are.

    known: where all stories stood before, where that is read already.
    """
    topics = [topic.id for topic in desk.config.topics]
    rulings, zone = Rulings(desk.decisions), desk.config.site.timezone
    for ledger in ledgers(store, desk, known):
        decided = ruling(ledger, rulings, zone)
        yield ledger, settle(ledger, decided, topics, now), decided


def regrouped(store: Store, desk: Desk) -> dict[int, Ledger]:
    """Return the entries of the history that decisions put into another story.

    Each with that story, which stands for itself; but for stories not settled yet, of
    which nobody knows so far.
    """
    if not _GROUPING.intersection(decision.action for decision in desk.decisions):
        return {}
    placed = remembered.told(store)
    return {
        member.entry: ledger
        for ledger in ledgers(store, desk)
        if ledger.standing and not ledger.merged
        for member in ledger.members
        if placed.get(member.entry, ledger.short) != ledger.short
    }


def ledgers(
    store: Store, desk: Desk, known: Standings | None = None
) -> tuple[Ledger, ...]:
    """Return every story with its entries, as the maintainer merged and split them.

    known: as for `settled`.
    """
    standings = tales.standings(store) if known is None else known
    return regroup(
        tales.ledgers(store, desk.additions, standings),
        desk.decisions,
        standings,
        desk.config.site.timezone,
    )
