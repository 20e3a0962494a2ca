"""What was added since the first tables; the next migration is added at the end."""

from __future__ import annotations

from sqlite_utils import Database

from aggregator.store.schema.first import migrations


@migrations()
def backfill(db: Database) -> None:
    """Make room for what `backfill` brings, and for how far it came.

    entries.backfilled: 1 = no poll of its feed has brought it; 2 = nor has it a title,
    but the words of its address, until its page is read. It leads the index of dates,
    so that the rhythm of a feed is that of its polls. backfills: a row for each feed;
    way: how older documents of it are reached, "" = not known yet; first: ids of what
    its live document listed, as that alone gives them; oldest: the date of its oldest
    entry so far; ended: why there is no more, "" = there may be. backfill_steps: every
    document to ask, and every one that was (asked_at); rank, newest: which comes first,
    and no entry in it is younger; start: how many of its entries are recorded already;
    digest: of the signs in it; failure: why it could not be read.
    """
    for statement in (
        "ALTER TABLE entries ADD COLUMN backfilled INTEGER NOT NULL DEFAULT 0",
        "DROP INDEX entries_feed",
        "CREATE INDEX entries_feed ON entries (feed, backfilled, dated_at)",
        "DROP VIEW members",
        """
        CREATE VIEW members AS
        SELECT e.id, e.key, coalesce(nullif(l.target, ''), e.url) AS url,
            e.canonical, e.title, e.summary, e.dated_at, e.language, e.story, e.reason,
            e.title_key, e.reused, e.backfilled,
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
        """
        CREATE TABLE backfills (
            feed INTEGER PRIMARY KEY, way TEXT NOT NULL DEFAULT '',
            first TEXT NOT NULL DEFAULT '[]', oldest INTEGER,
            ended TEXT NOT NULL DEFAULT ''
        )
        """,
        """
        CREATE TABLE backfill_steps (
            feed INTEGER NOT NULL, url TEXT NOT NULL, kind TEXT NOT NULL,
            number INTEGER NOT NULL, rank INTEGER NOT NULL, newest INTEGER,
            start INTEGER NOT NULL DEFAULT 0, asked_at INTEGER, digest INTEGER,
            failure TEXT NOT NULL DEFAULT '', PRIMARY KEY (feed, url)
        ) WITHOUT ROWID
        """,
        """
        CREATE INDEX backfill_open ON backfill_steps (feed, rank, newest)
        WHERE asked_at IS NULL
        """,
    ):
        db.execute(statement)


@migrations()
def unpublished(db: Database) -> None:
    """Have the database note what readers or the maintainer may see change.

    facts.unpublished is "1" from then on, whoever wrote it, until a cycle has published
    what there is. Entries of no story, polls and listings do not count.
    """
    # no INSERT below: a trigger's takes the conflict clause of what fired it
    db.execute("INSERT OR REPLACE INTO facts VALUES ('unpublished', '1')")
    placed = "WHEN {row}.story != ''"
    told = """WHEN (old.failures = 0) != (new.failures = 0)
        OR (old.failure, old.moved_to, old.outlet, old.title, old.home, old.followed)
        != (new.failure, new.moved_to, new.outlet, new.title, new.home, new.followed)"""
    for table, event, when in (
        *((table, event, "") for table in _SHOWN for event in _EVENTS),
        ("entries", "INSERT", placed.format(row="new")),
        ("entries", "UPDATE", placed.format(row="new")),
        ("entries", "DELETE", placed.format(row="old")),
        ("feeds", "INSERT", ""),
        ("feeds", "UPDATE", told),
    ):
        db.execute(
            f"""
            CREATE TRIGGER unpublished_{table}_{event.lower()}
            AFTER {event} ON {table} {when}
            BEGIN UPDATE facts SET value = '1' WHERE name = 'unpublished'; END
            """  # noqa: S608 - all of it is written here
        )


@migrations()
def merging(db: Database) -> None:
    """Have the index of words merge sixteen of its pieces at a time, not four.

    Each transaction writes a piece, and every merge writes all in it again: of 78,000
    entries recorded, merging was half of the work. A few more pieces are looked
    through by a search, 0.1 ms in place of 0.03. 64: beyond so many SQLite merges all
    of them at once, while everybody waits. Four million bytes hold what 2,000 entries
    bring, so that a transaction writes one piece and not three.
    """
    sizes = {"automerge": 16, "crisismerge": 64, "hashsize": 4_000_000}
    for size in sizes.items():
        db.execute("INSERT INTO history (history, rank) VALUES (?, ?)", size)


@migrations()
def fresh(db: Database) -> None:
    """Keep which entries are fresh beside them, so that telling writes none anew.

    fresh: entries at which the second wave has not looked as they are.
    """
    for statement in (
        "CREATE TABLE fresh (entry INTEGER PRIMARY KEY)",
        "INSERT INTO fresh SELECT id FROM entries WHERE fresh",
        "DROP INDEX entries_fresh",
        "ALTER TABLE entries DROP COLUMN fresh",
    ):
        db.execute(statement)


_SHOWN = ("mentions", "stories", "pages", "links", "suggestions", "gaps")
_EVENTS = ("INSERT", "UPDATE", "DELETE")


@migrations()
def many(db: Database) -> None:
    """Let a cycle look at what is new of very many feeds, not at all of them.

    configurations: the last valid feeds.toml, as `config.kept` puts it, by its digest.
    feeds.articles: whose article pages are read of its entries, as feeds.toml says by
    now; "" = it is not in there. stirred: feeds of which something changed that
    `health` judges by, since it last did; to begin with all. judged: what it found,
    which stands until then; rank, name: which feeds need attention first.
    """
    stir = """INSERT INTO stirred SELECT {id} WHERE NOT EXISTS (
        SELECT 1 FROM stirred WHERE feed = {id})"""
    for statement in (
        """
        CREATE TABLE configurations (
            digest TEXT PRIMARY KEY, place TEXT NOT NULL, text TEXT NOT NULL
        )
        """,
        "ALTER TABLE feeds ADD COLUMN articles TEXT NOT NULL DEFAULT ''",
        "CREATE TABLE stirred (feed INTEGER PRIMARY KEY)",
        """
        CREATE TABLE judged (
            feed INTEGER PRIMARY KEY, rank INTEGER NOT NULL, name TEXT NOT NULL,
            silent_since INTEGER, rate REAL
        )
        """,
        "CREATE INDEX judged_rank ON judged (rank, name)",
        "INSERT INTO stirred SELECT id FROM feeds",
        *(
            f"""
            CREATE TRIGGER stirred_{table}_{name} AFTER {event} ON {table} {when}
            BEGIN {stir.format(id=id_)}; END
            """
            for table, name, event, when, id_ in (
                ("feeds", "insert", "INSERT", "", "new.id"),
                ("feeds", "update", _JUDGED, "", "new.id"),
                ("entries", "update", _DATED, _OTHER, "new.feed"),
                ("entries", "delete", "DELETE", "", "old.feed"),
            )
        ),
    ):
        db.execute(statement)


_JUDGED = "UPDATE OF polled_at, success_at, failure, moved_to, followed, outlet"
_DATED = "UPDATE OF dated_at, backfilled, feed"
_OTHER = """WHEN (old.dated_at, old.backfilled, old.feed)
    != (new.dated_at, new.backfilled, new.feed)"""
