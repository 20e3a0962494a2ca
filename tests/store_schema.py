"""Databases of earlier schemas, with the maintainer's files of that time, as text.

`tests/databases/` has a folder for each schema that an upgrade has to start from, named
after its last migration. After a new migration, store today's beside the others:

    .venv/bin/python tests/store_schema.py

Folders that are there are what people have; nobody writes them again.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from sqlite_utils import Database

from aggregator import curation
from aggregator.config import keys
from aggregator.config.tables import Table
from aggregator.store.schema import migrations

STORED = Path(__file__).with_name("databases")


def names() -> list[str]:
    """Return the names of today's migrations, in order."""
    return [one.name for one in migrations.pending(Database(memory=True))]


def restored(stored: Path, folder: Path) -> Path:
    """Make the database of a stored schema again in a folder; return its path."""
    path = folder / "aggregator.db"
    with closing(sqlite3.connect(path)) as raw:
        raw.executescript((stored / "database.sql").read_text("utf-8"))
    return path


def feeds() -> str:
    """Return a feeds.toml with every key that there is, each as its example."""
    text = "".join(f"[{each.name}]\n{_lines(each)}\n\n" for each in keys.SINGLE)
    text += f"[[topics]]\n{_lines(keys.TOPIC)}\n\n"
    text += '[[topics]]\nid = "auteur"\ntitle = "L’auteur"\n\n'
    return f'{text}[outlets]\n"Slate" = {{ {_lines(keys.OUTLET, ", ")} }}\n'


def decisions() -> str:
    """Return a curation.toml with every action, and what each may say."""
    return "\n".join(
        f'[[decision]]\naction = "{action.value}"\n{_lines(table)}\n'
        for action, table in curation.ACTIONS.items()
    ).replace("…", "slate.example/a")


def _lines(table: Table, end: str = "\n") -> str:
    """Return its keys; a story is named by its address here, an action once."""
    twice = ("action", "story")
    wanted = (key for key in table.keys.values() if key.name not in twice)
    return end.join(f"{key.name} = {key.example}" for key in wanted)


def dumped(database: Path) -> Iterator[str]:
    """Yield the statements that make a database again, each table with its rows.

    The index of words makes its own tables, of which the rows are replaced.
    """
    with closing(sqlite3.connect(database)) as raw:
        known = raw.execute(
            "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
            " AND sql IS NOT NULL ORDER BY type = 'trigger', type = 'view', rowid"
        ).fetchall()
        virtual = [name for _, name, sql in known if sql.startswith("CREATE VIRTUAL")]
        made = tuple(f"{name}_" for name in virtual)
        yield "BEGIN;"
        for kind, name, sql in known:
            if kind == "table" and not name.startswith(made):
                yield f"{sql};"
        for kind, name, _ in known:
            if kind == "table" and name not in virtual:
                yield f"DELETE FROM {name};"
                yield from _rows(raw, name)
        for kind, _, sql in known:
            if kind != "table":
                yield f"{sql};"
        yield "COMMIT;"


def _rows(raw: sqlite3.Connection, table: str) -> Iterator[str]:
    columns = [row[1] for row in raw.execute(f"PRAGMA table_info({table})")]
    values = " || ', ' || ".join(f"quote({column})" for column in columns)
    for (row,) in raw.execute(f"SELECT {values} FROM {table} ORDER BY 1"):
        yield f"INSERT INTO {table} VALUES ({row});"


def main() -> None:
    """Poll, decide and backfill in a folder, and store what came of it."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
    from struck_world import command, playing  # noqa: PLC0415 - tests need not play it

    place = STORED / names()[-1]
    place.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder, playing(Path(folder)) as world:
        world.publish(6)
        path = world.copy(Path(folder, "copy"))
        for words in (
            ("run",),
            ("note", "https://jour.example/clic1", "--text", "Un deuxième volet suit."),
            ("merge", "https://jour.example/clic4", "https://jour.example/clic5"),
            ("backfill", "La Nuit"),
        ):
            done = command(path, *words)
            if done.returncode:
                sys.exit(done.stderr)
        text = "\n".join(dumped(path.with_name("aggregator.db"))) + "\n"
    for here, there in ((path.parent, "/srv/aggregator"), (Path.home(), "/home/a")):
        text = text.replace(str(here), there)
    (place / "database.sql").write_text(text, "utf-8")
    (place / "feeds.toml").write_text(feeds(), "utf-8")
    (place / "curation.toml").write_text(decisions(), "utf-8")
    print(place)  # noqa: T201 - it says what it wrote


if __name__ == "__main__":
    main()
