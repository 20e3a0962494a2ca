"""What the database can tell of feeds and counts, for those who only read.

The rhythm of a feed is that of what its polls brought; what `backfill` did is left out.
These are read after every cycle. With a million entries in a thousand feeds `records`
takes 0.2 s and `daily` 0.1 s: both follow the index of dates and read no entry itself.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from aggregator.health import LATEST, SLOT, Gap, Record
from aggregator.identity import number
from aggregator.store.base import Store, instant, maybe_instant, seconds

DAYS = 30  # of `daily`
_ALL, _THESE = "?1 IS NULL", "id IN (SELECT value FROM json_each(?1))"


def records(
    store: Store, urls: Collection[str] | None = None, *, moments: int = LATEST
) -> dict[str, Record]:
    """Return what is remembered of these feeds, by URL; None = of every one.

    moments: how many of the latest ones at most; with fewer than LATEST entries are not
    counted either.
    """
    which = _ALL if urls is None else _THESE
    ids = None if urls is None else json.dumps([number(url) for url in urls])
    latest = _moments(store, which, ids, moments) if moments else {}
    return {
        row["url"]: Record(
            url=row["url"],
            since=maybe_instant(row["since"]),
            success_at=maybe_instant(row["success_at"]),
            polled_at=maybe_instant(row["polled_at"]),
            next_poll_at=instant(row["next_poll_at"]),
            failures=row["failures"],
            failing_since=maybe_instant(row["failing_since"]),
            failed_at=maybe_instant(row["failed_at"]),
            http_status=row["http_status"],
            failure=row["failure"],
            error=row["error"],
            moved_to=row["moved_to"],
            moved_at=maybe_instant(row["moved_at"]),
            home=row["home"],
            entries=_entries(store, row["id"], latest.get(row["id"], ()))
            if moments == LATEST
            else 0,
            moments=latest.get(row["id"], ()),
        )
        for row in store.each(f"SELECT * FROM feeds WHERE {which}", ids)  # noqa: S608
    }


def _moments(
    store: Store, which: str, ids: str | None, most: int
) -> dict[int, tuple[datetime, ...]]:
    """Return for each feed what `health.moments` says of the dates of its entries.

    It goes from one moment to the next by the index, past the entries in between.
    """
    found: defaultdict[int, list[datetime]] = defaultdict(list)
    for row in store.each(
        f"""
        WITH RECURSIVE latest (feed, at, place) AS (
            SELECT id, (
                SELECT max(dated_at) FROM entries
                WHERE feed = f.id AND backfilled = 0
            ), 1
            FROM feeds f WHERE {which}
            UNION ALL
            SELECT feed, (
                SELECT max(dated_at) FROM entries e
                WHERE e.feed = latest.feed AND e.backfilled = 0
                    AND e.dated_at <= latest.at - ?2
            ), place + 1
            FROM latest WHERE at IS NOT NULL AND place < ?3
        )
        SELECT feed, at FROM latest WHERE at IS NOT NULL ORDER BY feed, at DESC
        """,  # noqa: S608 - it is one of two constants
        ids,
        int(SLOT.total_seconds()),
        most,
    ):
        found[row["feed"]].append(instant(row["at"]))
    return {feed: tuple(dates) for feed, dates in found.items()}


def _entries(store: Store, feed: int, latest: tuple[datetime, ...]) -> int:
    """Return how many entries a feed has had since the oldest of its moments."""
    if not latest:
        return 0
    (row,) = store.rows(
        "SELECT count(*) AS n FROM entries "
        "WHERE feed = ? AND backfilled = 0 AND dated_at >= ?",
        feed,
        seconds(latest[-1]),
    )
    return int(row["n"])


def daily(
    store: Store, urls: Collection[str], until: datetime
) -> dict[str, tuple[int, ...]]:
    """Return by URL how many entries each of these feeds had on each of DAYS days.

    The oldest day comes first, the last one ends at `until`. One that is not followed,
    or never answered, is left out.
    """
    ids = json.dumps([number(url) for url in urls])
    counts = {
        row["url"]: [0] * DAYS
        for row in store.rows(
            """
            SELECT url FROM feeds WHERE followed AND success_at IS NOT NULL
                AND id IN (SELECT value FROM json_each(?))
            """,
            ids,
        )
    }
    for row in store.each(
        """
        SELECT f.url, (? - e.dated_at) / 86400 AS ago, count(*) AS n
        FROM feeds f CROSS JOIN entries e
            ON e.feed = f.id AND e.backfilled = 0
            AND e.dated_at > ? AND e.dated_at <= ?
        WHERE f.followed AND f.success_at IS NOT NULL
            AND f.id IN (SELECT value FROM json_each(?)) GROUP BY f.id, ago
        """,
        seconds(until),
        seconds(until - timedelta(days=DAYS)),
        seconds(until),
        ids,
    ):
        counts[row["url"]][-1 - row["ago"]] = row["n"]
    return {url: tuple(days) for url, days in counts.items()}


def gaps(store: Store, since: datetime | None = None) -> tuple[Gap, ...]:
    """Return the gaps that were seen after `since`, or all, oldest first."""
    rows = store.rows(
        """
        SELECT f.url, g.since, g.until FROM gaps g JOIN feeds f ON f.id = g.feed
        WHERE g.until > ? ORDER BY g.until, f.url
        """,
        seconds(since) or 0,
    )
    return tuple(
        Gap(row["url"], maybe_instant(row["since"]), instant(row["until"]))
        for row in rows
    )


def mentioned(store: Store) -> dict[str, tuple[datetime, ...]]:
    """Return by topic when it was mentioned for certain, by dated entries of feeds."""
    found: defaultdict[str, list[datetime]] = defaultdict(list)
    for row in store.each(
        """
        SELECT m.topic, e.dated_at AS at
        FROM mentions m JOIN entries e ON e.id = m.entry
        WHERE m.verdict = 'certain' AND m.rule != 'add' AND e.published_at IS NOT NULL
        """
    ):
        found[row["topic"]].append(instant(row["at"]))
    return {topic: tuple(dates) for topic, dates in found.items()}


def mention_counts(store: Store) -> dict[str, tuple[int, int]]:
    """Return by topic how many entries mention it, for certain and in doubt."""
    return {
        row["topic"]: (row["certain"], row["doubtful"])
        for row in store.rows(
            """
            SELECT topic, sum(verdict = 'certain') AS certain,
                sum(verdict = 'doubtful') AS doubtful
            FROM mentions WHERE rule != 'add' GROUP BY topic
            """
        )
    }


def tallies(store: Store, since: datetime) -> dict[str, tuple[int, int, int]]:
    """Return by outlet: polls since then, entries first seen, and their mentions.

    Mentions are certain or doubtful ones, counted once a topic; those that a search has
    found are their own outlets'. Polls are remembered for 30 days. All entries are
    looked at for it, which takes two seconds for a million.
    """
    found: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for place, statement in enumerate(_TALLIES):
        for row in store.each(statement, seconds(since)):
            found[row["outlet"]][place] += row["n"]
    return {name: (one, two, three) for name, (one, two, three) in found.items()}


# polls, entries and mentions of each outlet since a moment
_TALLIES = (
    """
    SELECT f.outlet, count(*) AS n FROM polls p JOIN feeds f ON f.id = p.feed
    WHERE p.at >= ? GROUP BY p.feed
    """,
    """
    SELECT f.outlet, count(*) AS n FROM entries e JOIN feeds f ON f.id = e.feed
    WHERE e.seen_at >= ? GROUP BY e.feed
    """,
    """
    SELECT coalesce(nullif(e.outlet, ''), f.outlet) AS outlet, count(*) AS n
    FROM mentions m JOIN entries e ON e.id = m.entry JOIN feeds f ON f.id = e.feed
    WHERE e.seen_at >= ? AND m.verdict IN ('certain', 'doubtful') GROUP BY 1
    """,
)


def gained(
    before: Mapping[str, tuple[int, int]], after: Mapping[str, tuple[int, int]]
) -> dict[str, tuple[int, int]]:
    """Return what `after` has more than `before`, by topic; never less than nothing.

    (An edited article may turn a doubt into a certainty: one doubt less is no loss.)
    """
    none = (0, 0)
    return {
        topic: (
            max(0, certain - before.get(topic, none)[0]),
            max(0, doubtful - before.get(topic, none)[1]),
        )
        for topic, (certain, doubtful) in after.items()
    }
