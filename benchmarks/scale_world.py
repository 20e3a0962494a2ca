"""A folder as it stands after months with very many feeds, made by SQL alone.

Every feed has entries that it lists, one a day; of each hundred feeds one fails and one
has been silent for long, and no feed is due for a day. The schema is the program's own:
its indexes and triggers are put away while the rows are made, and made again after
them. What no idle cycle reads is left out: the index of the words, pages, the log.
"""

from __future__ import annotations

import math
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from aggregator.identity import number
from aggregator.store import Store

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LISTED = 50  # entries of each feed
EACH = 100  # of so many feeds one fails, and one is silent
_STEP, _RING = 1_500_000_000_001, 4_000_000_000_000_037  # of ids, far apart
_MINUTE, _DAY = 60, 86400

CONFIG = """\
[site]
title = "Une très longue liste"
url = "https://presse.invalid/revue/"
id = "tag:presse.invalid,2026:revue"
contact = "presse@presse.invalid"

[[topics]]
id = "clic"
title = "Le clic"
match = ["travailleurs du clic", "micro-travail*"]

[outlets]
"""

_FEEDS = """
    INSERT INTO feeds (id, url, outlet, followed, etag, body_hash, title, home,
        language, since, polled_at, success_at, next_poll_at, http_status, failures,
        failure, error, failing_since, failed_at)
    VALUES (:id, :url, :name, 1, '"v1"', x'00112233445566778899aabbccddeeff',
        :name, :home, 'fr', :now - 180 * :day, :polled, :success, :next, :status,
        :failures, :failure, :error, :failing, :failing)
"""
_ENTRIES = f"""
    WITH n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n + 1 < :entries),
    made AS (
        SELECT n * {_STEP} % {_RING} AS id, f.id AS feed, f.home || '/' || n AS url, n,
            :now - (n % :listed) * :day - f.rowid % :day
                - iif((n / :listed) % :each = 1, 90 * :day, 0) AS at
        FROM n JOIN places p ON p.place = n / :listed JOIN feeds f ON f.id = p.feed
    )
    INSERT INTO entries (id, feed, key, url, canonical, title, summary, content, author,
        language, outlet, published_at, seen_at, dated_at)
    SELECT id, feed, url, url, substr(url, 7), 'Une nouvelle de plus, numéro ' || n,
        'Ce que l''on en sait pour le moment, en une phrase.', '', '', 'fr', '', at,
        max(at, :now - 180 * :day), at
    FROM made ORDER BY id
"""
_SEEN = """
    INSERT INTO seen (feed, entry, fingerprint, guid, url, title, at)
    SELECT feed, id, id + 1, id + 2, id + 3, id + 4, dated_at FROM entries
    ORDER BY feed, id
"""


def make(folder: Path, feeds: int) -> Path:
    """Fill an empty folder with so many followed feeds; return its feeds.toml."""
    assert math.gcd(_STEP, _RING) == 1  # else ids would come twice
    path = folder / "feeds.toml"
    outlets = "".join(f'"{_name(n)}" = "{_url(n)}"\n' for n in range(feeds))
    path.write_text(CONFIG + outlets, encoding="utf-8")
    database = folder / "aggregator.db"
    Store(database).close()
    with sqlite3.connect(database, isolation_level=None) as base:
        base.execute("PRAGMA synchronous = OFF")
        base.execute("PRAGMA cache_size = -200000")
        base.execute("BEGIN")
        put_away = base.execute(
            "SELECT type, name, sql FROM sqlite_schema WHERE type IN ('index', "
            "'trigger') AND sql IS NOT NULL"
        ).fetchall()
        for kind, name, _ in put_away:
            base.execute(f"DROP {kind} {name}")
        _fill(base, feeds)
        for _, _, statement in put_away:
            base.execute(statement)
        base.execute("COMMIT")
        base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    base.close()
    return path


def _fill(base: sqlite3.Connection, feeds: int) -> None:
    base.execute("CREATE TEMP TABLE places (place INTEGER PRIMARY KEY, feed INTEGER)")
    base.executemany(
        "INSERT INTO places VALUES (?, ?)",
        ((n, number(_url(n))) for n in range(feeds)),
    )
    base.executemany(_FEEDS, map(_feed, range(feeds)))
    now = int(NOW.timestamp())
    given = {"now": now, "day": _DAY, "listed": LISTED, "each": EACH}
    base.execute(_ENTRIES, given | {"entries": feeds * LISTED})
    base.execute(_SEEN)
    base.execute("INSERT INTO facts VALUES ('last_cycle', ?)", (str(now - _MINUTE),))


def _feed(place: int) -> dict[str, str | int | None]:
    """Return the row of a feed, polled some time in the last half hour."""
    now = int(NOW.timestamp())
    polled = now - _MINUTE * (1 + place % 30)
    fails = place % EACH == 0
    return {
        "id": number(_url(place)),
        "url": _url(place),
        "name": _name(place),
        "home": _home(place),
        "now": now,
        "day": _DAY,
        "polled": polled,
        "success": polled - 2 * _DAY if fails else polled,
        "next": now + _DAY + place % _DAY,
        "status": 500 if fails else 200,
        "failures": 20 if fails else 0,
        "failure": "http" if fails else "",
        "error": "HTTP 500 Internal Server Error" if fails else "",
        "failing": polled - 2 * _DAY if fails else None,
    }


def _name(place: int) -> str:
    return f"Journal {place}"


def _home(place: int) -> str:
    return f"https://www.journal{place}.example"


def _url(place: int) -> str:
    return f"{_home(place)}/rss.xml"
