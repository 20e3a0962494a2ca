"""Two outlets, and one with archives, as the proofs of faults play them.

A folder is polled once; then there is something to do for each command that may be
disturbed, and what a folder holds can be compared with one that never was.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, chdir, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from backfill_world import Past, served
from click.testing import CliRunner
from lxml import etree
from played import Documents, answering

from aggregator import sandbox
from aggregator.cli import main

POLLED = 1_795_435_200  # 2026-11-23 12:00 UTC: when the folder was polled first
DAY = 86_400
LATER = POLLED + 2 * DAY  # every feed is due again
# Logs, what names the folder, and which feeds a cycle has still to look at.
UNCOMPARED = {"polls", "_sqlite_migrations", "configurations", "stirred"}
MOVING = "next_poll_at"  # is counted from when a feed was asked, by seconds that pass

CONFIG = """\
[site]
title = "{title}"
url = "https://presse.invalid/revue/"
contact = "presse@presse.invalid"
[polling]
allow_private_addresses = true
spacing = "0s"
[matching]
articles = "none"
[[topics]]
id = "clic"
title = "Le clic"
match = ["travailleurs du clic"]
review = ["petites mains"]
[[topics]]
id = "livreurs"
title = "Les livreurs"
main = false
match = ["livreurs"]
[outlets]
"Le Jour" = "{base}/jour"
"Le Soir" = "{base}/soir"
"La Nuit" = "{past}"
"""
ITEM = """\
<item><guid isPermaLink="false">{slug}</guid><title>{title}</title>
<link>https://{host}.example/{slug}</link><description>{title}, en quatre épisodes
</description><pubDate>{date}</pubDate></item>"""
CURATED = """\
[[decision]]
action = "keep"
url = "https://jour.example/doute1"

[[decision]]
action = "hide"
url = "https://jour.example/clic2"
"""
EDITED = """
[[decision]]
action = "pin"
url = "https://soir.example/livreurs3"

[[decision]]
action = "hide"
url = "https://jour.example/clic3"
"""


def document(host: str, last: int) -> bytes:
    """Return the RSS feed of a host once it has published so many articles a kind."""
    titles = {
        "clic": "Les travailleurs du clic, épisode {}",
        "doute": "Les petites mains de la couture, {}",
        "livreurs": "Les livreurs à vélo, saison {}",
        "autre": "La météo du jour {}",
    }
    items = (
        ITEM.format(
            slug=f"{kind}{number}",
            title=title.format(number),
            host=host,
            date=f"Mon, {number + 1:02} Nov 2026 08:00:00 GMT",
        )
        for number in range(last, max(last - 8, -1), -1)
        for kind, title in titles.items()
    )
    return (
        f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel>'
        f"<title>{host}</title><link>https://{host}.example/</link>"
        f"<description/>{''.join(items)}</channel></rss>"
    ).encode()


@dataclass
class World:
    """The outlets that play, and a folder that was polled once.

    documents: what is served, by path; change it and the outlets have news.
    """

    documents: dict[str, bytes]
    polled: Path

    def publish(self, last: int) -> None:
        """Have the outlets bring their articles up to these numbers."""
        self.documents |= {
            f"/{host}": document(host, last) for host in ("jour", "soir")
        }

    def copy(self, folder: Path) -> Path:
        """Copy the polled folder; return its feeds.toml."""
        shutil.copytree(self.polled, folder, dirs_exist_ok=True)
        return folder / "feeds.toml"


@contextmanager
def playing(place: Path) -> Iterator[World]:
    """Play the outlets, and poll them once into a folder of `place`."""
    documents: dict[str, bytes] = {}
    with ExitStack() as stack:
        base = answering(Documents.of(documents), stack)
        past = stack.enter_context(served(Past("archives", count=60, page=20)))
        polled = place / "polled"
        polled.mkdir()
        world = World(documents, polled)
        world.publish(3)
        text = CONFIG.format(title="Revue de presse", base=base, past=past.feed)
        (polled / "feeds.toml").write_text(text, "utf-8")
        (polled / "curation.toml").write_text(CURATED, "utf-8")
        said = done(polled / "feeds.toml", "run", now=POLLED)
        if said.returncode:
            raise RuntimeError(said.stderr)
        stack.callback(sandbox.close)
        yield world


def command(
    path: Path, *words: str, now: int = LATER
) -> subprocess.CompletedProcess[str]:
    """Run the real command line on the configuration at `path`."""
    return subprocess.run(
        [sys.executable, "-m", "aggregator", "--config", str(path), *words],
        env=environment(now),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def done(path: Path, *words: str, now: int = LATER) -> subprocess.CompletedProcess[str]:
    """Carry out a command in this process: nothing disturbs it, and it is warm."""
    at = {"SOURCE_DATE_EPOCH": str(now)}
    with chdir(path.parent):  # some commands go there, and would stay
        said = CliRunner().invoke(main, ["--config", str(path), *words], env=at)
    ended = said.exception is None or isinstance(said.exception, SystemExit)
    trace = "" if ended else f"Traceback: {said.exception!r}"
    return subprocess.CompletedProcess(
        words, said.exit_code, said.stdout, said.stderr + trace
    )


def edit(path: Path) -> None:
    """Edit both files of a folder, as a maintainer does between two commands."""
    text = path.read_text("utf-8").replace("Revue de presse", "La revue")
    path.write_text(text, "utf-8")
    with path.with_name("curation.toml").open("a", encoding="utf-8") as file:
        file.write(EDITED)


def environment(now: int = LATER) -> dict[str, str]:
    """Return the environment of a command at a fixed time."""
    return {**os.environ, "SOURCE_DATE_EPOCH": str(now)}


# ── what is compared ──────────────────────────────────────────────────────────────────


def published(folder: Path, name: str = "public") -> dict[str, bytes]:
    """Return every file of the published folder, hidden ones too."""
    public = folder / name
    return {
        str(path.relative_to(public)): path.read_bytes()
        for path in public.rglob("*")
        if path.is_file()
    }


def tables(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return the rows of every table but logs, sorted; {} while there is no database.

    Of the index of the history: which word stands where, in whatever segments it is.
    """
    path = folder / "aggregator.db"
    if not path.exists():
        return {}
    with closing(sqlite3.connect(path)) as raw:
        found = raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        names = {name for (name,) in found if not name.startswith("history")}
        rows = {}
        for name in names - UNCOMPARED:
            held = [row[1] for row in raw.execute(f"PRAGMA table_info({name})")]
            wanted = ", ".join(column for column in held if column != MOVING)
            rows[name] = sorted(raw.execute(f"SELECT {wanted} FROM {name}"), key=repr)
        if names:
            raw.execute(
                "CREATE VIRTUAL TABLE temp.word"
                " USING fts5vocab(main, history, instance)"
            )
            rows["history"] = sorted(raw.execute("SELECT * FROM temp.word"))
    return rows


@dataclass(frozen=True)
class State:
    """All that counts of a folder."""

    tables: dict[str, list[tuple[object, ...]]]
    public: dict[str, bytes]
    desk: dict[str, bytes]
    curation: bytes

    @classmethod
    def of(cls, folder: Path) -> State:
        """Return the state of a folder."""
        return cls(
            tables(folder),
            published(folder),
            published(folder, "desk"),
            (folder / "curation.toml").read_bytes(),
        )

    def differs(self, other: State) -> list[str]:
        """Return the names of all that is not the same."""
        return [
            f"{kind} {name}"
            for kind in ("tables", "public", "desk")
            for name in sorted(self.names(kind) | other.names(kind))
            if getattr(self, kind).get(name) != getattr(other, kind).get(name)
        ] + ["curation.toml"] * (self.curation != other.curation)

    def names(self, kind: str) -> set[str]:
        """Return what there is of one kind."""
        return {*getattr(self, kind)}


def sound(folder: Path) -> bool:
    """Tell whether SQLite finds nothing wrong with the database of a folder."""
    with closing(sqlite3.connect(folder / "aggregator.db")) as raw:
        told: list[tuple[str]] = raw.execute("PRAGMA integrity_check").fetchall()
    return told == [("ok",)]


def stories(folder: Path) -> list[str]:
    """Return the ids of the stories that were published and committed."""
    path = folder / "aggregator.db"
    if not path.exists():
        return []
    with closing(sqlite3.connect(path)) as raw:
        rows = raw.execute("SELECT short FROM stories WHERE added_at IS NOT NULL")
        return [short for (short,) in rows]


def broken(files: Mapping[str, bytes]) -> list[str]:
    """Return the names of published files that are not whole or not valid."""
    return [name for name, body in files.items() if not _whole(name, body)]


def _whole(name: str, body: bytes) -> bool:
    kind = name.rpartition(".")[2]
    try:
        if kind in ("atom", "rss", "xml", "opml", "svg"):
            etree.fromstring(body)
        elif kind == "html" and "fragment" not in name:
            return body.rstrip().endswith(b"</html>")
        elif kind == "json":
            json.loads(body)
        elif kind == "jsonl":
            for line in body.splitlines():
                json.loads(line)
        elif kind == "csv":
            rows = [*csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""))]
            return len({len(row) for row in rows}) == 1
    except ValueError:  # lxml's and json's errors are; so is bad UTF-8
        return False
    except etree.XMLSyntaxError:
        return False
    return bool(body) or kind == "txt"
