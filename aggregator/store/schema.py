"""The shape of the database, as migrations in order.

A released migration is never changed: a new one is added below it. Ids are hashes (see
`identity`), never counters, so that a run done again ends in the same rows.
"""

from __future__ import annotations

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

migrations = Migrations("aggregator")


@migrations()
def first(db: Database) -> None:
    """Make every table.

    feeds: what is remembered of each polled address. seen: a row for every entry a feed
    ever listed, with its fingerprint; dropped_at is when it left the document. entries:
    their text, kept while it may be wanted. mentions: why an entry is here. stories:
    what is remembered of a story beyond its entries. unplaced: entries with mentions
    that belong to no story yet, whoever wrote the mentions. marks: by which the first
    entries of stories are found by texts and titles alike. suggestions: stories that
    may be one. hosts: who asked for a pause.
    gaps: when a document had nothing in common with the one before it. polls: a log.
    events: what the maintainer was told. facts: single values. members: entries with
    what their feed is.
    """
    for statement in (
        """
        CREATE TABLE feeds (
            id INTEGER PRIMARY KEY, url TEXT NOT NULL, outlet TEXT NOT NULL,
            followed INTEGER NOT NULL, etag TEXT NOT NULL DEFAULT '',
            last_modified TEXT NOT NULL DEFAULT '', body_hash BLOB NOT NULL DEFAULT x'',
            title TEXT NOT NULL DEFAULT '', home TEXT NOT NULL DEFAULT '',
            language TEXT NOT NULL DEFAULT '', polled_at INTEGER, success_at INTEGER,
            next_poll_at INTEGER NOT NULL DEFAULT 0,
            failures INTEGER NOT NULL DEFAULT 0, http_status INTEGER,
            failure TEXT NOT NULL DEFAULT '', error TEXT NOT NULL DEFAULT '',
            moved_to TEXT NOT NULL DEFAULT '', moved_at INTEGER, doubted_at INTEGER,
            ttl INTEGER, skip_hours TEXT NOT NULL DEFAULT '[]',
            skip_days TEXT NOT NULL DEFAULT '[]', since INTEGER,
            failing_since INTEGER, failed_at INTEGER
        )
        """,
        """
        CREATE TABLE seen (
            feed INTEGER NOT NULL, entry INTEGER NOT NULL,
            fingerprint INTEGER NOT NULL, dropped_at INTEGER,
            PRIMARY KEY (feed, entry)
        ) WITHOUT ROWID
        """,
        """
        CREATE INDEX seen_dropped ON seen (dropped_at) WHERE dropped_at IS NOT NULL
        """,
        """
        CREATE TABLE entries (
            id INTEGER PRIMARY KEY, feed INTEGER NOT NULL, key TEXT NOT NULL,
            url TEXT NOT NULL, canonical TEXT NOT NULL, title TEXT NOT NULL,
            summary TEXT NOT NULL, content TEXT NOT NULL, author TEXT NOT NULL,
            language TEXT NOT NULL, outlet TEXT NOT NULL, published_at INTEGER,
            updated_at INTEGER, seen_at INTEGER NOT NULL, dated_at INTEGER NOT NULL,
            title_key INTEGER NOT NULL DEFAULT 0, story TEXT NOT NULL DEFAULT '',
            reason TEXT NOT NULL DEFAULT ''
        )
        """,
        "CREATE INDEX entries_feed ON entries (feed, dated_at)",
        "CREATE INDEX entries_canonical ON entries (canonical)",
        "CREATE INDEX entries_title ON entries (title_key) WHERE title_key != 0",
        "CREATE INDEX entries_story ON entries (story) WHERE story != ''",
        """
        CREATE TABLE mentions (
            entry INTEGER NOT NULL, topic TEXT NOT NULL, verdict TEXT NOT NULL,
            rule TEXT NOT NULL, line TEXT NOT NULL, field TEXT NOT NULL,
            spans TEXT NOT NULL, snippet TEXT NOT NULL, PRIMARY KEY (entry, topic)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE stories (
            short TEXT PRIMARY KEY, state TEXT NOT NULL, topics TEXT NOT NULL,
            added_at INTEGER, updated_at INTEGER, withdrawn_at INTEGER,
            live INTEGER NOT NULL, digest INTEGER NOT NULL
        ) WITHOUT ROWID
        """,
        "CREATE TABLE unplaced (entry INTEGER PRIMARY KEY)",
        """
        CREATE TRIGGER mentions_new AFTER INSERT ON mentions
        WHEN (SELECT story FROM entries WHERE id = new.entry) = ''
        BEGIN INSERT OR IGNORE INTO unplaced VALUES (new.entry); END
        """,
        """
        CREATE TABLE marks (
            mark INTEGER NOT NULL, dated_at INTEGER NOT NULL, entry INTEGER NOT NULL,
            PRIMARY KEY (mark, dated_at, entry)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE suggestions (
            story TEXT NOT NULL, other TEXT NOT NULL, reason TEXT NOT NULL,
            PRIMARY KEY (story, other)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE hosts (host TEXT PRIMARY KEY, not_before INTEGER NOT NULL)
        WITHOUT ROWID
        """,
        """
        CREATE TABLE gaps (
            feed INTEGER NOT NULL, since INTEGER, until INTEGER NOT NULL,
            PRIMARY KEY (feed, until)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE polls (
            at INTEGER NOT NULL, feed INTEGER NOT NULL, seconds REAL NOT NULL,
            http_status INTEGER, entries INTEGER NOT NULL, error TEXT NOT NULL
        )
        """,
        "CREATE INDEX polls_at ON polls (at)",
        """
        CREATE TABLE events (
            id INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL,
            subject TEXT NOT NULL, outlet TEXT NOT NULL, text TEXT NOT NULL,
            since INTEGER
        )
        """,
        "CREATE INDEX events_subject ON events (subject, at)",
        "CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
        """
        CREATE VIEW members AS
        SELECT e.id, e.url, e.canonical, e.title, e.summary, e.author, e.dated_at,
            e.language, e.story, e.reason, e.title_key,
            coalesce(nullif(e.outlet, ''), f.outlet) AS outlet,
            coalesce(f.home, '') AS home, coalesce(f.url, '') AS feed_url,
            coalesce(f.title, '') AS feed_title
        FROM entries e LEFT JOIN feeds f ON f.id = e.feed
        """,
    ):
        db.execute(statement)
