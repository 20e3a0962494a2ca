"""The last valid feeds.toml as text, and what of it the rows of the database know.

So an unchanged file is not read again, nor compared with a hundred thousand feeds.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from aggregator.model import Articles, Feed, Feeds, Polling, found
from aggregator.store.base import Store
from aggregator.store.copies import reading


def known(database: Path, digest: str, place: str) -> str:
    """Return the text of a configuration, "" when a database keeps none, or is none.

    digest: of its file. place: what else it hangs on. The database stays as it is: it
    may be another version's.
    """
    found = "SELECT text FROM configurations WHERE digest = ? AND place = ?"
    try:
        with closing(reading(database)) as connection:
            rows = connection.execute(found, (digest, place)).fetchall()
    except sqlite3.Error:
        return ""
    return str(rows[0][0]) if rows else ""


def holds(store: Store, digest: str, place: str) -> bool:
    """Tell whether a configuration is kept, without reading it."""
    found = "SELECT 1 FROM configurations WHERE digest = ? AND place = ?"
    return bool(store.rows(found, digest, place))


def keep(store: Store, digest: str, place: str, text: str) -> None:
    """Keep a configuration in the place of the one before."""
    with store.transaction():
        store.do("DELETE FROM configurations")
        store.do("INSERT INTO configurations VALUES (?, ?, ?)", digest, place, text)


def adopted(store: Store, digest: str) -> bool:
    """Tell whether feeds and rules are already as the file of a digest says.

    digest: as in `Config`; "" = nobody can tell.
    """
    return bool(digest) and store.fact("adopted") == digest


def adopt(store: Store, digest: str) -> None:
    """Note of which file feeds and rules are as it says, inside a transaction."""
    store.note("adopted", digest)


def want(store: Store, feeds: Feeds, usual: Articles) -> None:
    """Keep whose article pages are read of each feed's entries, in a transaction.

    usual: of outlets that say nothing of it. Of a feed that is not among `feeds` no
    page is read.
    """
    wanted = (
        (feed.outlet.articles or usual if (feed := feeds.at(row["url"])) else "", row)
        for row in store.rows("SELECT id, url, articles FROM feeds")
    )
    store.do_many(
        "UPDATE feeds SET articles = ? WHERE id = ?",
        [(one, row["id"]) for one, row in wanted if one != row["articles"]],
    )


def timeouts(
    store: Store, feeds: Iterable[Feed], numbers: Collection[int], polling: Polling
) -> dict[int, timedelta]:
    """Return how long the hosts of entries of feeds may take to answer, by number.

    numbers: of feeds that entries belong to. Left out are those that are not among
    `feeds` or are disabled.
    """
    rows = store.rows(
        "SELECT id, url FROM feeds WHERE id IN (SELECT value FROM json_each(?))",
        json.dumps(sorted(numbers)),
    )
    known = found(feeds, {row["url"] for row in rows})
    return {
        row["id"]: feed.outlet.timeout or polling.timeout
        for row in rows
        if (feed := known.get(row["url"])) and feed.outlet.enabled
    }
