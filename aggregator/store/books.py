"""What the database can tell of feeds and counts, for the commands that only read."""

from __future__ import annotations

from collections.abc import Mapping

from aggregator.health import Record
from aggregator.identity import number
from aggregator.store.base import Store, instant, maybe_instant


def records(store: Store) -> dict[str, Record]:
    """Return what is remembered of every feed, by URL."""
    spans = {
        row["feed"]: row
        for row in store.each(
            """
            SELECT feed, count(*) AS entries, min(dated_at) AS oldest,
                max(dated_at) AS newest
            FROM entries WHERE published_at IS NOT NULL GROUP BY feed
            """
        )
    }
    return {
        row["url"]: Record(
            url=row["url"],
            success_at=maybe_instant(row["success_at"]),
            polled_at=maybe_instant(row["polled_at"]),
            next_poll_at=instant(row["next_poll_at"]),
            failures=row["failures"],
            http_status=row["http_status"],
            failure=row["failure"],
            error=row["error"],
            moved_to=row["moved_to"],
            entries=span["entries"] if span else 0,
            oldest_at=maybe_instant(span["oldest"]) if span else None,
            newest_at=maybe_instant(span["newest"]) if span else None,
        )
        for row in store.rows("SELECT * FROM feeds")
        for span in [spans.get(number(row["url"]))]
    }


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
