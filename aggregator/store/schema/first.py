"""The tables that were there first."""

from __future__ import annotations

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

migrations = Migrations("aggregator")


@migrations()
def first(db: Database) -> None:
    """Make every table.

    feeds: what is remembered of each polled address. seen: a row for every entry a feed
    ever listed, with its fingerprint, its names (see `recognition`) and the date it
    bears; dropped_at is when it left the document. entries: their text, kept while it
    may be wanted; fresh until the second wave has looked at them as they are; place is
    that in `history`, the index of their words, None for what is not in it; reused: its
    URL stands for other articles too. mentions: why an entry is here. stories: what is
    remembered of a story beyond its entries. unplaced: entries with mentions that
    belong to no story yet, whoever wrote the mentions. marks: by which the first
    entries of stories are found by texts and titles alike. suggestions: stories that
    may be one. pages: a row for each article page that was asked for, by canonical URL;
    its text is the content of its entries. links: a row for each link that was followed
    since it does not say where it leads, by canonical URL; target: "" = not known, for
    that reason. robots: by site, what each robots.txt said. hosts: who asked for a
    pause. gaps: when a document had nothing in common with the one before it. polls: a
    log. events: what the maintainer was told. rules: by which the history was matched
    last, of topics by id and of outlets by the URLs of their feeds. decisions: what
    commands wrote into curation.toml, in order. facts: single values. members: entries
    with what their feed, their link and their page say.
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
            fingerprint INTEGER NOT NULL, dropped_at INTEGER, guid INTEGER NOT NULL,
            url INTEGER NOT NULL, title INTEGER NOT NULL, at INTEGER,
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
            reason TEXT NOT NULL DEFAULT '', place INTEGER,
            fresh INTEGER NOT NULL DEFAULT 0, reused INTEGER NOT NULL DEFAULT 0
        )
        """,
        "CREATE INDEX entries_feed ON entries (feed, dated_at)",
        "CREATE INDEX entries_canonical ON entries (canonical)",
        "CREATE INDEX entries_title ON entries (title_key) WHERE title_key != 0",
        "CREATE INDEX entries_story ON entries (story, place) WHERE story != ''",
        "CREATE INDEX entries_fresh ON entries (dated_at) WHERE fresh",
        "CREATE UNIQUE INDEX entries_place ON entries (place) WHERE place IS NOT NULL",
        """
        CREATE VIRTUAL TABLE history USING fts5(
            title, summary, article, content = '', columnsize = 0,
            tokenize = "unicode61 remove_diacritics 0"
        )
        """,
        """
        CREATE TABLE mentions (
            entry INTEGER NOT NULL, topic TEXT NOT NULL, verdict TEXT NOT NULL,
            rule TEXT NOT NULL, line TEXT NOT NULL, field TEXT NOT NULL,
            spans TEXT NOT NULL, snippet TEXT NOT NULL, PRIMARY KEY (entry, topic)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX mentions_topic ON mentions (topic)",
        """
        CREATE TABLE stories (
            short TEXT PRIMARY KEY, state TEXT NOT NULL, topics TEXT NOT NULL,
            added_at INTEGER, updated_at INTEGER, withdrawn_at INTEGER,
            live INTEGER NOT NULL, digest INTEGER NOT NULL,
            held TEXT NOT NULL DEFAULT '[]'
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE pages (
            url TEXT PRIMARY KEY, state TEXT NOT NULL, reason TEXT NOT NULL,
            tries INTEGER NOT NULL, tried_at INTEGER NOT NULL, next_at INTEGER,
            canonical TEXT NOT NULL DEFAULT '', author TEXT NOT NULL DEFAULT ''
        ) WITHOUT ROWID
        """,
        "CREATE INDEX pages_next ON pages (next_at) WHERE next_at IS NOT NULL",
        "CREATE INDEX pages_canonical ON pages (canonical) WHERE canonical != ''",
        """
        CREATE TABLE links (
            url TEXT PRIMARY KEY, target TEXT NOT NULL, canonical TEXT NOT NULL,
            reason TEXT NOT NULL, tries INTEGER NOT NULL, tried_at INTEGER NOT NULL,
            next_at INTEGER
        ) WITHOUT ROWID
        """,
        "CREATE INDEX links_canonical ON links (canonical) WHERE canonical != ''",
        """
        CREATE TABLE robots (
            site TEXT PRIMARY KEY, text TEXT, asked_at INTEGER NOT NULL
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
        CREATE TABLE hosts (
            host TEXT PRIMARY KEY, not_before INTEGER NOT NULL, at INTEGER NOT NULL
        ) WITHOUT ROWID
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
        """
        CREATE TABLE rules (
            kind TEXT NOT NULL, name TEXT NOT NULL, rule TEXT NOT NULL,
            PRIMARY KEY (kind, name)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE decisions (
            place INTEGER PRIMARY KEY, key INTEGER NOT NULL, text TEXT NOT NULL,
            missed INTEGER NOT NULL DEFAULT 0
        )
        """,
        "CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
        """
        CREATE VIEW members AS
        SELECT e.id, e.key, coalesce(nullif(l.target, ''), e.url) AS url,
            e.canonical, e.title, e.summary, e.dated_at, e.language, e.story, e.reason,
            e.title_key, e.reused,
            iif(e.summary = '', substr(e.content, 1, 1000), '') AS head,
            coalesce(nullif(e.author, ''), p.author, '') AS author,
            coalesce(l.canonical, '') AS led, coalesce(p.canonical, '') AS named,
            coalesce(nullif(e.outlet, ''), f.outlet) AS outlet,
            coalesce(f.home, '') AS home, coalesce(f.url, '') AS feed_url,
            coalesce(f.title, '') AS feed_title
        FROM entries e LEFT JOIN feeds f ON f.id = e.feed
            LEFT JOIN pages p ON p.url = e.canonical AND NOT e.reused
            LEFT JOIN links l ON l.url = e.canonical AND NOT e.reused
        """,
    ):
        db.execute(statement)


@migrations()
def sightings(db: Database) -> None:
    """Find what a feed listed by each of its names, however long it is followed."""
    for statement in (
        "CREATE INDEX seen_listed ON seen (feed) WHERE dropped_at IS NULL",
        "CREATE INDEX seen_fingerprint ON seen (feed, fingerprint)",
        "CREATE INDEX seen_guid ON seen (feed, guid) WHERE guid != 0",
        "CREATE INDEX seen_url ON seen (feed, url) WHERE url != 0",
        "CREATE INDEX seen_title ON seen (feed, title) WHERE guid = 0 AND url = 0",
    ):
        db.execute(statement)


@migrations()
def hubs(db: Database) -> None:
    """Make what is remembered of WebSub hubs: what each was told, and how that goes."""
    for statement in (
        """
        CREATE TABLE hubs (
            url TEXT PRIMARY KEY, failures INTEGER NOT NULL, since INTEGER,
            next_at INTEGER
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE hub_feeds (
            hub TEXT NOT NULL, feed TEXT NOT NULL, digest INTEGER NOT NULL,
            PRIMARY KEY (hub, feed)
        ) WITHOUT ROWID
        """,
    ):
        db.execute(statement)


@migrations()
def recovery(db: Database) -> None:
    """Make room for stories that come back from the published folder.

    recovered: entries of which the texts are as published, until their feed lists them
    again; story: the one they were shown in; told: its summary was theirs.
    """
    db.execute(
        """
        CREATE TABLE recovered (
            entry INTEGER PRIMARY KEY, story TEXT NOT NULL, told INTEGER NOT NULL
        )
        """
    )
