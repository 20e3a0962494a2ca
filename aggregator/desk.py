"""The maintainer's two files in force, and the stories that they make of the database.

What every command needs that shows something; nothing here polls, publishes or writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from aggregator import config as configuration
from aggregator import curation
from aggregator.decisions import Rulings
from aggregator.model import Action, Addition, Config, Decision, Story
from aggregator.store import Store, tales
from aggregator.stories import Ledger, compose, regroup, ruling


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
        return cls.of(configuration.read(path))

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
    outlets = {outlet.name: outlet for outlet in desk.config.outlets}
    rulings = Rulings(desk.decisions)
    zone = desk.config.site.timezone
    return tuple(
        compose(ledger, ledger.standing, ruling(ledger, rulings, zone), outlets)
        for ledger in ledgers(store, desk)
        if ledger.standing
    )


def ledgers(store: Store, desk: Desk) -> tuple[Ledger, ...]:
    """Return every story with its entries, as the maintainer merged and split them."""
    return regroup(
        tales.ledgers(store, desk.additions),
        desk.decisions,
        tales.standings(store),
        desk.config.site.timezone,
    )
