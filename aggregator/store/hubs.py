"""What each WebSub hub was told of which feed, and how telling it goes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from aggregator.store.base import Store, maybe_instant, seconds


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub as it is remembered.

    told: for each feed, by its name in the published folder, the digest of the state
    that the hub knows of or has been given up for. failures: how many times in a row it
    was in trouble; since: when that began; next_at: not to be asked before.
    """

    url: str
    told: Mapping[str, int] = field(default_factory=dict)
    failures: int = 0
    since: datetime | None = None
    next_at: datetime | None = None


def known(store: Store, url: str) -> Hub:
    """Return what is remembered of a hub, which may be nothing."""
    feeds = store.rows("SELECT feed, digest FROM hub_feeds WHERE hub = ?", url)
    told = {row["feed"]: row["digest"] for row in feeds}
    for row in store.rows("SELECT * FROM hubs WHERE url = ?", url):
        return Hub(
            url,
            told,
            row["failures"],
            maybe_instant(row["since"]),
            maybe_instant(row["next_at"]),
        )
    return Hub(url, told)


def keep(store: Store, hub: Hub) -> None:
    """Remember a hub in place of what was known of it, inside a transaction."""
    store.do(
        "INSERT OR REPLACE INTO hubs VALUES (?, ?, ?, ?)",
        hub.url,
        hub.failures,
        seconds(hub.since),
        seconds(hub.next_at),
    )
    store.do("DELETE FROM hub_feeds WHERE hub = ?", hub.url)
    store.do_many(
        "INSERT INTO hub_feeds VALUES (?, ?, ?)",
        [(hub.url, feed, digest) for feed, digest in hub.told.items()],
    )


def forget_others(store: Store, urls: Iterable[str]) -> None:
    """Forget every hub but these, inside a transaction."""
    kept = json.dumps([*urls])
    for statement in (
        "DELETE FROM hubs WHERE url NOT IN (SELECT value FROM json_each(?))",
        "DELETE FROM hub_feeds WHERE hub NOT IN (SELECT value FROM json_each(?))",
    ):
        store.do(statement, kept)
