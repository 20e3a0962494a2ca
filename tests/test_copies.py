"""Copies of the database, made while others use it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlite_utils import Database
from worlds import configure

from aggregator.cli import main
from aggregator.model import StoreError
from aggregator.store import Store, copies
from aggregator.store.schema import migrations


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a database in which one thing is remembered."""
    path = tmp_path / "été #1.db"
    with Store(path) as store, store.transaction():
        store.note("colour", "blue")
    return path


def test_a_copy_has_what_was_committed_when_it_was_made(path: Path) -> None:
    """Also while another process writes: what that has not committed is not in it."""
    to = path.with_name("copy.db")
    with Store(path) as store:
        with store.transaction():
            store.note("colour", "red")
        with store.transaction():
            store.note("colour", "green")
            size = copies.backup(path, to)
    with Store(to, create=False) as copy:
        colour = copy.fact("colour")

    assert (colour, size) == ("red", to.stat().st_size)


def test_a_copy_is_one_file_for_its_owner_alone(path: Path) -> None:
    """Nothing beside it is needed, nothing is left over, and nobody else reads it."""
    folder = path.parent / "backups"
    folder.mkdir()
    for _ in range(2):  # the second takes the place of the first
        copies.backup(path, folder / "copy.db")

    assert [one.name for one in folder.iterdir()] == ["copy.db"]
    assert (folder / "copy.db").stat().st_mode & 0o777 == 0o600


def test_a_copy_of_an_older_database_stays_one(tmp_path: Path) -> None:
    """Neither file is brought up to date: the older program may need both."""
    path, to = tmp_path / "aggregator.db", tmp_path / "copy.db"
    with closing(Database(path)) as old:
        migrations.apply(old, stop_before="backfill")
        before = len(migrations.applied(old))
    copies.backup(path, to)

    for one in (path, to):
        with closing(Database(one)) as database:
            assert before == len(migrations.applied(database))


def test_a_damaged_database_makes_no_copy(path: Path) -> None:
    """A backup that could not be used is none; the last good one stays."""
    to = path.with_name("copy.db")
    copies.backup(path, to)
    good = to.read_bytes()
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("PRAGMA journal_mode = DELETE")
    data = bytearray(path.read_bytes())
    data[4096 * 2 :] = b"\xff" * len(data[4096 * 2 :])
    path.write_bytes(data)

    with pytest.raises(StoreError, match="cannot be copied"):
        copies.backup(path, to)
    assert to.read_bytes() == good
    assert not list(path.parent.glob(".*"))


@pytest.mark.parametrize(
    ("name", "told"),
    [("no/such/folder.db", "no such file"), ("été #1.db", "the database itself")],
)
def test_a_file_that_cannot_be_written_is_named(
    path: Path, name: str, told: str
) -> None:
    """The message says which file and why; the database is as it was."""
    before = path.read_bytes()
    with pytest.raises(StoreError, match=told):
        copies.backup(path, path.parent / name)

    assert path.read_bytes() == before


def test_check_leaves_an_older_database_as_it_is(tmp_path: Path) -> None:
    """The program that made it goes on with it: a copy is brought up to date."""
    config = configure(tmp_path, {})
    path = tmp_path / "aggregator.db"
    with closing(Database(path)) as old:
        migrations.apply(old, stop_before="backfill")
    before = path.read_bytes()
    done = CliRunner().invoke(main, ["--config", str(config), "check"])

    assert (done.exit_code, done.stdout) == (0, "")
    assert path.read_bytes() == before
    assert {one.name for one in tmp_path.iterdir()} == {"feeds.toml", "aggregator.db"}


def test_backup_says_how_much_it_copied(tmp_path: Path) -> None:
    """One line for people; without a database it says what makes one, and exits 1."""
    config = configure(tmp_path, {})
    words = ["--config", str(config), "backup", str(tmp_path / "copy.db")]
    none = CliRunner().invoke(main, words)
    Store(tmp_path / "aggregator.db").close()
    done = CliRunner().invoke(main, words)

    assert (none.exit_code, done.exit_code, done.stdout) == (1, 0, "")
    assert "`aggregator run` makes it" in none.stderr
    assert done.stderr.endswith("copy.db: 0.2 MB\n")
