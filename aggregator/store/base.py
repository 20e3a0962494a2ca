"""Opening the database, bringing its schema up to date, and transactions."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

from sqlite_utils import Database

from aggregator.model import StoreError
from aggregator.store.schema import migrations
from aggregator.stories import title_key
from aggregator.text import fold

Value = str | int | float | bytes | None  # what SQLite keeps

_LOOK = 0.02  # seconds between two tries where SQLite does not wait by itself
_PRIMARY = 0xFF  # of an extended result code: what went wrong, without the details
_CACHE = 16_000  # kB; with 64,000 nothing is faster, and a worker grows for hours
# Pages of the log that go into the database at once: 32 MB. With SQLite's 1,000 the
# same pages of an index go there time and again, and a fifth more is written.
_CHECKPOINT = 8_000
_MODE = 0o660  # less what umask takes: it holds whole articles, and what was decided
_BUSY = 30.0  # seconds to wait for another process's transaction

_ROOM: Final = "is the disk full?"
_RIGHTS: Final = "this user has to be able to write it and its folder"
_DAMAGED: Final = "put it aside, with the -wal and -shm beside it, and restore a backup"
_HINTS: Final = {
    sqlite3.SQLITE_BUSY: "another program has been writing to it for long; try again",
    sqlite3.SQLITE_IOERR: _ROOM,
    sqlite3.SQLITE_FULL: _ROOM,
    sqlite3.SQLITE_CANTOPEN: _RIGHTS,
    sqlite3.SQLITE_PERM: _RIGHTS,
    sqlite3.SQLITE_READONLY: _RIGHTS,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
}

T = TypeVar("T")


def _reason(exc: sqlite3.Error | UnicodeDecodeError) -> str:
    """Return what SQLite says is wrong, and what may be done about it."""
    if "decode" in str(exc):  # it has no code, and what it shows may be anything
        return f"a text in it cannot be read; {_DAMAGED}"
    code = getattr(exc, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    hint = _HINTS.get(code & _PRIMARY)
    # of a damaged schema it quotes anything, ends of lines too
    told = "".join(each if each.isprintable() else "?" for each in str(exc))
    return f"{told}; {hint}" if hint else told


def seconds(at: datetime | None) -> int | None:
    """Return an instant as the database keeps it: whole epoch seconds."""
    return None if at is None else int(at.timestamp())


def instant(value: int) -> datetime:
    """Return the instant that the database kept as epoch seconds."""
    return datetime.fromtimestamp(value, UTC)


def maybe_instant(value: int | None) -> datetime | None:
    """Return the instant, or None where the database has none."""
    return None if value is None else instant(value)


def _patiently(look: Callable[[], T]) -> T:
    """Return what a look at a database brings, once no other process makes it.

    While one switches a new database over to its log, SQLite answers "locked" at once,
    whatever the timeout: hence our own waiting. Raises sqlite3.Error.
    """
    until = time.monotonic() + _BUSY
    while True:
        try:
            return look()
        except sqlite3.OperationalError as exc:
            busy = exc.sqlite_errorcode & _PRIMARY == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > until:
                raise
            time.sleep(_LOOK)


class Store:
    """An open database; use it as a context manager."""

    def __init__(self, path: Path, *, create: bool = True) -> None:
        """Open `path`, migrating it, and with `create` making it as needed.

        Raises StoreError when it cannot be opened, is no database of ours, or was made
        by a newer version of this program; nothing is changed then.
        """
        self.path = path
        if not create and not path.exists():
            raise StoreError(f"{path}: not there yet; `aggregator run` makes it")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                path.touch(_MODE)
            self._connection = sqlite3.connect(
                path, timeout=_BUSY, isolation_level=None
            )
        except OSError as exc:
            raise StoreError(f"{path}: cannot be opened: {exc}") from exc
        except sqlite3.Error as exc:
            raise StoreError(f"{path}: cannot be opened: {_reason(exc)}") from exc
        try:
            self._prepare()
        except (sqlite3.Error, UnicodeDecodeError) as exc:
            # the latter where a damaged schema cannot even be told of
            self._connection.close()
            raise StoreError(f"{path}: cannot be used: {_reason(exc)}") from exc
        except StoreError:
            self._connection.close()
            raise

    def _prepare(self) -> None:
        self._connection.row_factory = sqlite3.Row
        self._connection.create_function("title_key", 1, title_key, deterministic=True)
        self._connection.create_function("fold", 1, fold, deterministic=True)
        self._connection.execute(f"PRAGMA cache_size = -{_CACHE}")
        self._connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT}")
        db = Database(self._connection)
        known = {m.name for m in migrations.pending(Database(memory=True))}
        applied = {m.name for m in _patiently(lambda: migrations.applied(db))}
        if newer := sorted(applied - known):
            raise StoreError(
                f"{self.path}: made by a newer version of this program (it has "
                f"{', '.join(newer)}); install that version again, nothing was changed"
            )
        # so that readers never wait; a new database is switched over once
        _patiently(lambda: self._connection.execute("PRAGMA journal_mode = WAL"))
        if known - applied:
            # sqlite-utils begins a deferred transaction, which cannot wait for another
            # writer; inside ours it only sets savepoints
            with self.transaction():
                migrations.apply(db)

    def __enter__(self) -> Self:
        """Return the store itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the database; what SQLite could not read is a StoreError."""
        self.close()
        if isinstance(error, sqlite3.Error):
            raise StoreError(
                f"{self.path}: cannot be read: {_reason(error)}"
            ) from error

    def close(self) -> None:
        """Close the database; what was committed is safe."""
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Write inside the block: all of it or nothing; inside another one, with it.

        Raises StoreError when the database cannot be written (full disk, locked for
        longer than _BUSY).
        """
        if self._inside():
            yield
            return
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                if self._inside():
                    self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
        except sqlite3.Error as exc:
            if self._inside():
                self._connection.execute("ROLLBACK")
            raise StoreError(f"{self.path}: cannot be written: {_reason(exc)}") from exc

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """Write inside the block to see what comes of it; nothing of it is kept.

        Others cannot write meanwhile. Raises StoreError as `transaction` does.
        """
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as exc:
            raise StoreError(f"{self.path}: cannot be written: {_reason(exc)}") from exc
        try:
            yield
        finally:
            self._connection.execute("ROLLBACK")

    def _inside(self) -> bool:
        return self._connection.in_transaction

    def rows(self, sql: str, *values: Value) -> list[sqlite3.Row]:
        """Return all rows that a statement yields."""
        return self._connection.execute(sql, values).fetchall()

    def named(self, sql: str, **values: Value) -> list[sqlite3.Row]:
        """Return all rows that a statement with named values yields."""
        return self._connection.execute(sql, values).fetchall()

    def each(self, sql: str, *values: Value) -> Iterator[sqlite3.Row]:
        """Yield the rows of a statement one by one."""
        return iter(self._connection.execute(sql, values))

    def do(self, sql: str, *values: Value) -> int:
        """Carry out one statement in a transaction; return how many rows changed."""
        return self._connection.execute(sql, values).rowcount

    def do_many(self, sql: str, rows: Iterable[tuple[Value, ...]]) -> None:
        """Carry out one statement for each of `rows` inside a transaction."""
        self._connection.executemany(sql, rows)

    def fact(self, name: str) -> str:
        """Return a single remembered value, "" when there is none."""
        rows = self.rows("SELECT value FROM facts WHERE name = ?", name)
        return str(rows[0]["value"]) if rows else ""

    def note(self, name: str, value: str) -> None:
        """Remember a single value, inside a transaction."""
        self.do("INSERT OR REPLACE INTO facts VALUES (?, ?)", name, value)
