"""feeds.toml in force: the database made to know its feeds, and to follow its rules.

It costs time for each feed and is done once for each text of the file. Nothing here
polls or publishes.
"""

from __future__ import annotations

from datetime import datetime

from aggregator import kept, rules
from aggregator.model import Config
from aggregator.store import Store, configurations, polls


def adopt(store: Store, config: Config, now: datetime) -> None:
    """Have feeds, rules and mentions be as a configuration says; all of it or nothing.

    The configuration itself is kept, too, where it was read from a file.
    """
    kept.keep(store, config)
    if configurations.adopted(store, config.digest):
        return
    with store.transaction():
        polls.follow(store, config.feeds, now)
        configurations.want(store, config.feeds, config.matching.articles)
        rules.apply(store, config)
        configurations.adopt(store, config.digest)
