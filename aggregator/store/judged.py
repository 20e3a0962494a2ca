"""How each feed fares, as it was judged last, and which feeds have changed since.

What `health` says of a feed hangs on the feed, its dates and its outlet, not on the
time: so it stands until one of these changes, which triggers note as `stirred`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from aggregator.health import OURS, Reach, Rhythm
from aggregator.identity import number
from aggregator.store.base import Store, Value, instant, maybe_instant, seconds


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found of a feed. rank, name: which need attention first come first."""

    url: str
    rank: int
    name: str
    rhythm: Rhythm


def stir(store: Store) -> None:
    """Have every feed judged anew, inside a transaction."""
    store.do("INSERT OR IGNORE INTO stirred SELECT id FROM feeds")


def stirred(store: Store) -> list[str]:
    """Return the feeds that are to be judged."""
    rows = store.rows(
        "SELECT f.url FROM stirred s JOIN feeds f ON f.id = s.feed ORDER BY s.feed"
    )
    return [row["url"] for row in rows]


def keep(store: Store, urls: Iterable[str], found: Iterable[Judged]) -> None:
    """Note what was found of feeds, inside a transaction; they are stirred no more.

    Those of which nothing was found are not followed.
    """
    ids: list[tuple[Value, ...]] = [(number(url),) for url in urls]
    store.do_many("DELETE FROM judged WHERE feed = ?", ids)
    store.do_many(
        "INSERT INTO judged VALUES (?, ?, ?, ?, ?)",
        [
            (
                number(one.url),
                one.rank,
                one.name,
                seconds(one.rhythm.silent_since),
                one.rhythm.per_day,
            )
            for one in found
        ],
    )
    store.do_many("DELETE FROM stirred WHERE feed = ?", ids)


def troubled(store: Store, rank: int, most: int) -> list[str]:
    """Return the feeds up to a rank, and so many of all that need attention first.

    Those that are stirred are left out.
    """
    rows = store.rows(
        """
        SELECT f.url FROM judged j JOIN feeds f ON f.id = j.feed
        WHERE j.rank <= ? AND j.feed NOT IN (SELECT feed FROM stirred)
        UNION SELECT url FROM (
            SELECT f.url FROM judged j JOIN feeds f ON f.id = j.feed
            WHERE j.feed NOT IN (SELECT feed FROM stirred)
            ORDER BY j.rank, j.name, f.outlet, f.url LIMIT ?
        )
        """,
        rank,
        most,
    )
    return [row["url"] for row in rows]


def rhythms(store: Store, urls: Collection[str]) -> Mapping[str, Rhythm]:
    """Return what was found of the rhythms of feeds; those that are stirred not."""
    rows = store.rows(
        """
        SELECT f.url, j.silent_since, j.rate FROM judged j JOIN feeds f ON f.id = j.feed
        WHERE j.feed IN (SELECT value FROM json_each(?))
            AND j.feed NOT IN (SELECT feed FROM stirred)
        """,
        json.dumps([number(url) for url in urls]),
    )
    return {
        row["url"]: Rhythm(row["rate"], maybe_instant(row["silent_since"]))
        for row in rows
    }


# ── of all followed feeds ─────────────────────────────────────────────────────────────

_OURS = "failure IN (SELECT value FROM json_each(?1))"
_ANSWERED = f"iif({_OURS}, success_at, polled_at)"


@dataclass(frozen=True, slots=True)
class Overview:
    """What all followed feeds are together.

    feeds: how many. polled_at: when one was polled last. began: when one began to fail
    last, of those whose failure may be our own fault. None: there was none.
    """

    feeds: int
    polled_at: datetime | None
    began: datetime | None
    reach: Reach


def overview(store: Store) -> Overview:
    """Return what the followed feeds are together, in one walk through them.

    When answers came is looked up only where a failure may be our own fault.
    """
    (row,) = store.rows(
        f"""
        SELECT count(*) AS feeds, count(polled_at) AS polled, max(polled_at) AS last,
            max({_ANSWERED}) AS newest, max(iif({_OURS}, failing_since, NULL)) AS began
        FROM feeds WHERE followed
        """,  # noqa: S608 - constants
        _ours(),
    )
    answers = (
        store.rows(
            f"SELECT DISTINCT {_ANSWERED} AS at FROM feeds WHERE followed",  # noqa: S608
            _ours(),
        )
        if row["began"] is not None
        else ()
    )
    at = frozenset(instant(row["at"]) for row in answers if row["at"] is not None)
    return Overview(
        feeds=row["feeds"],
        polled_at=maybe_instant(row["last"]),
        began=maybe_instant(row["began"]),
        reach=Reach(row["polled"], at, maybe_instant(row["newest"])),
    )


def blamed(store: Store, reach: Reach) -> list[str]:
    """Return the feeds whose failure may be theirs now, though it was our own before.

    See `Reach.blames`, which tells of each.
    """
    rows = store.rows(
        """
        SELECT url FROM feeds WHERE followed
            AND failure IN (SELECT value FROM json_each(?1)) AND (
                polled_at IN (SELECT value FROM json_each(?2))
                OR (failures > 1 AND failing_since <= ?3) OR ?4
            )
        """,
        _ours(),
        json.dumps([seconds(at) for at in sorted(reach.at)]),
        seconds(reach.newest),
        reach.feeds == 1,
    )
    return [row["url"] for row in rows]


def _ours() -> str:
    return json.dumps(sorted(OURS))
