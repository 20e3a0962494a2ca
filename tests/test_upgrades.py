"""From an older program to a newer one, and back: what people have goes on."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlite_utils import Database
from store_schema import STORED, names, restored
from struck_world import CONFIG, LATER

from aggregator import bulletin, config, curation
from aggregator.cli import main
from aggregator.desk import Desk
from aggregator.model import ConfigError, State
from aggregator.store import Store
from aggregator.store.schema import migrations

FOLDERS = sorted(STORED.iterdir())
MENDED = re.compile("write|did you mean|known here")
KEPT = (
    "SELECT id, key, url, title, story FROM entries ORDER BY id",
    "SELECT short, state, topics, added_at, updated_at FROM stories ORDER BY short",
    "SELECT entry, topic, verdict, line FROM mentions ORDER BY entry, topic",
    "SELECT id, url, outlet, etag FROM feeds ORDER BY id",
    "SELECT text FROM decisions ORDER BY place",
)


def schema(path: Path) -> set[tuple[str, str, str]]:
    """Return every table, index, view and trigger of a database, as it was made."""
    with closing(sqlite3.connect(path)) as raw:
        rows = raw.execute("SELECT type, name, coalesce(sql, '') FROM sqlite_master")
        return {(kind, name, " ".join(sql.split())) for kind, name, sql in rows}


def rows(path: Path) -> list[list[tuple[object, ...]]]:
    """Return what an upgrade has to keep."""
    with closing(sqlite3.connect(path)) as raw:
        return [raw.execute(sql).fetchall() for sql in KEPT]


@pytest.fixture(scope="module")
def todays(tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str, str, str]]:
    """Return the schema of a database that is new."""
    path = tmp_path_factory.mktemp("new") / "aggregator.db"
    Store(path).close()
    return schema(path)


def test_todays_schema_is_stored() -> None:
    """Else nobody could try later whether what people have now can be upgraded."""
    assert names()[-1] in [folder.name for folder in FOLDERS], (
        "the schema is new: run .venv/bin/python tests/store_schema.py and commit what "
        "it writes; the folders that are there stay as they are"
    )


@pytest.mark.parametrize("stored", FOLDERS, ids=lambda path: path.name)
def test_a_stored_database_is_brought_up_to_date(
    stored: Path, tmp_path: Path, todays: set[tuple[str, str, str]]
) -> None:
    """It has the schema of a new one then, every row it had, and is published."""
    path = restored(stored, tmp_path)
    before = rows(path)
    feeds = tmp_path / "feeds.toml"
    text = CONFIG.format(
        title="Revue", base="http://a.invalid", past="http://b.invalid"
    )
    feeds.write_text(text, "utf-8")
    Store(path).close()

    assert schema(path) == todays
    assert rows(path) == before

    bulletin.republish(Desk.load(feeds), datetime.fromtimestamp(LATER, UTC))
    shown = (tmp_path / "public" / "stories.jsonl").read_text("utf-8")
    published = [short for short, state, *_ in before[1] if state == State.PUBLISHED]

    assert published
    assert all(f'"{short}"' in shown for short in published)


@pytest.mark.parametrize("last", names()[1:])
def test_every_migration_leads_to_the_same_schema(
    last: str, tmp_path: Path, todays: set[tuple[str, str, str]]
) -> None:
    """Wherever an upgrade starts: none needs what a later one makes."""
    path = tmp_path / "aggregator.db"
    old = Database(path)
    migrations.apply(old, stop_before=last)
    old.close()
    Store(path).close()

    assert schema(path) == todays


@pytest.mark.parametrize("stored", FOLDERS, ids=lambda path: path.name)
def test_files_of_then_are_read_or_told_how_to_mend(stored: Path) -> None:
    """Each key that an earlier feeds.toml or curation.toml may have."""
    problems: tuple[str, ...] = ()
    try:
        read = config.read(stored / "feeds.toml")
        curation.read(stored / "curation.toml", read.topics, read.site.timezone)
    except ConfigError as exc:
        problems = exc.problems

    assert [line for line in problems if not MENDED.search(line)] == []


@pytest.mark.parametrize(
    "words", ["run", "publish", "status", "review", "search clic", "digest"]
)
def test_an_older_program_leaves_a_newer_database_alone(
    words: str, tmp_path: Path
) -> None:
    """Each command says in one line what it is, and changes nothing of it."""
    database = tmp_path / "aggregator.db"
    Store(database).close()
    with closing(sqlite3.connect(database)) as raw, raw:
        raw.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) "
            "VALUES ('aggregator', 'of_tomorrow', 'then')"
        )
    before = database.read_bytes()
    feeds = tmp_path / "feeds.toml"
    text = CONFIG.format(
        title="Revue", base="http://a.invalid", past="http://b.invalid"
    )
    feeds.write_text(text, "utf-8")
    done = CliRunner().invoke(main, ["--config", str(feeds), *words.split()])

    assert done.exit_code == 1
    assert done.stderr.count("\n") == 1
    assert "made by a newer version of this program (it has of_tomorrow)" in done.stderr
    assert database.read_bytes() == before
    assert not (tmp_path / "public").exists()
