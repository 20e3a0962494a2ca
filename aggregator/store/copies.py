"""Copies of a whole database, made while others use it; the original is never changed.

No schema is brought up to date here: a copy is what an older program may need again.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from urllib.parse import quote

from sqlite_utils import Database

from aggregator import durable
from aggregator.model import StoreError
from aggregator.store.schema import migrations

_MODE: Final = 0o600  # it may hold addresses of feeds with passwords


def backup(database: Path, to: Path) -> int:
    """Write a copy of the database to a file, in the place of one; return its bytes.

    It holds what was committed when the copy began, and is read through once; nobody
    waits for it. Raises StoreError when either file cannot be used; a file that was
    there is as it was then.
    """
    if not database.exists():
        raise StoreError(f"{database}: not there yet; `aggregator run` makes it")
    if to.exists() and to.samefile(database):
        raise StoreError(f"{to}: is the database itself; name another file")
    new = to.with_name(f".{to.name}.{os.getpid()}.new")
    try:
        os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _MODE))
        try:
            _copy(database, new)
            with new.open("rb") as file:
                os.fsync(file.fileno())
            new.replace(to)
            durable.sync(to.absolute().parent)
        finally:
            new.unlink(missing_ok=True)
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise StoreError(f"{to}: cannot be written: {reason}") from exc
    except sqlite3.Error as exc:
        raise StoreError(f"{database}: cannot be copied to {to}: {exc}") from exc
    return to.stat().st_size


@contextmanager
def up_to_date(database: Path) -> Iterator[Path]:
    """Yield a database with today's schema: this one, or a passing copy.

    So the program that made it can go on with the original. Of one that is not there,
    cannot be read, or is newer than this program, the path is yielded: opening it says
    what is wrong. Raises StoreError where a copy is needed and cannot be made.
    """
    if not _behind(database):
        yield database
        return
    try:
        folder = TemporaryDirectory(prefix=".copy-", dir=database.parent)
    except OSError as exc:
        reason = (exc.strerror or str(exc)).lower()
        raise StoreError(f"{database}: cannot be copied: {reason}") from exc
    with folder as name:
        copied = Path(name) / database.name
        backup(database, copied)
        yield copied


def _copy(database: Path, new: Path) -> None:
    """Fill an empty file with the pages of a database; raises sqlite3.Error."""
    with closing(reading(database)) as source, closing(sqlite3.connect(new)) as target:
        source.backup(target)  # in one step: what others write meanwhile is not in it
        target.execute("PRAGMA journal_mode = DELETE")  # one file, whole in itself
        ((told,),) = target.execute("PRAGMA quick_check(1)").fetchall()
    if told != "ok":
        raise sqlite3.DatabaseError(f"it is damaged: {told}")


def _behind(database: Path) -> bool:
    """Tell whether this program knows more of the schema than the database has."""
    if not database.exists():
        return False
    known = {m.name for m in migrations.pending(Database(memory=True))}
    try:
        with closing(reading(database)) as connection:
            applied = {m.name for m in migrations.applied(Database(connection))}
    except sqlite3.Error:
        return False
    return not applied - known and bool(known - applied)


def reading(database: Path) -> sqlite3.Connection:
    """Open a database to read only, whatever its name has in it."""
    name = quote(str(database.absolute()))
    return sqlite3.connect(f"file:{name}?mode=ro", uri=True)
