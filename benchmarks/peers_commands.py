"""The programs that are compared: how each is set up, started, and asked what it keeps.

Each keeps what it reads where it usually does, in a folder of its own, and asks many
feeds at once in the way its manual says: what that is, and how many, stands with each.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from compileall import compile_dir
from contextlib import closing
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


class Peer(ABC):
    """A program that polls feeds and keeps what they bring."""

    name: str

    @abstractmethod
    def version(self) -> str:
        """Return the version of it that is installed; "" = it is missing."""

    @abstractmethod
    def prepare(self, folder: Path, urls: Sequence[str]) -> None:
        """Write its configuration into an empty folder."""

    @abstractmethod
    def command(self, folder: Path) -> list[str]:
        """Return the command that polls every feed once."""

    @abstractmethod
    def stored(self, folder: Path) -> int:
        """Return how many entries it keeps."""

    def environment(self, folder: Path) -> dict[str, str]:
        """Return the environment of its command: its home is the folder."""
        return {**os.environ, "HOME": str(folder), "LC_ALL": "C.UTF-8"}


def counted(database: Path, table: str) -> int:
    """Return the rows of a table."""
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as db:
        count: int = db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    return count


class Ours(Peer):
    """The real `run`, with the topics and settings as shipped."""

    name = "ours"
    POLLING = "[polling]\nallow_private_addresses = true\n\n[outlets]\n"

    def version(self) -> str:
        """Return the version of the package."""
        return metadata.version("press-aggregator")

    def prepare(self, folder: Path, urls: Sequence[str]) -> None:
        """Write the shipped feeds.toml with other outlets; compile, as pip does."""
        compile_dir(ROOT / "aggregator", quiet=1)
        shipped = (ROOT / "feeds.toml").read_text("utf-8").partition("[outlets]\n")[0]
        outlets = "".join(f'"Journal {n}" = "{url}"\n' for n, url in enumerate(urls))
        feeds = shipped + self.POLLING + outlets
        (folder / "feeds.toml").write_text(feeds, "utf-8")

    def command(self, folder: Path) -> list[str]:
        """Return `run` for every feed, due or not."""
        script = str(Path(sys.executable).with_name("aggregator"))
        return [script, "--config", str(folder / "feeds.toml"), "run", "--all"]

    def stored(self, folder: Path) -> int:
        """Count the entries of the database."""
        return counted(folder / "aggregator.db", "entries")


class Newsboat(Peer):
    """Newsboat's unattended reload; reload-threads is 1 where nothing is said."""

    name = "newsboat"
    CONFIG = "reload-threads 16\n"

    def version(self) -> str:
        """Ask it."""
        return _told("newsboat", "--version")

    def prepare(self, folder: Path, urls: Sequence[str]) -> None:
        """Write its list of addresses and its settings."""
        (folder / "urls").write_text("\n".join((*urls, "")))
        (folder / "config").write_text(self.CONFIG)

    def command(self, folder: Path) -> list[str]:
        """Return its reload."""
        files = ("-C", folder / "config", "-u", folder / "urls", "-c", folder / "cache")
        return ["newsboat", *map(str, files), "-x", "reload"]

    def stored(self, folder: Path) -> int:
        """Count the items of its cache."""
        return counted(folder / "cache", "rss_item")


class Sfeed(Peer):
    """sfeed_update, asking as its README says; 8 jobs are no slower than 16."""

    name = "sfeed"
    CONFIG = """\
sfeedpath="$HOME/feeds"
maxjobs=8
fetch() {
\tetag="$HOME/etags/$(basename "$3")"
\tcurl -L --max-redirs 0 -H "User-Agent:" -f -s -m 15 --compressed \\
\t\t--etag-save "${etag}" --etag-compare "${etag}" -z "${etag}" "$2" 2>/dev/null
}
feeds() {
"""

    def version(self) -> str:
        """Ask Debian, since it says nothing itself."""
        if not shutil.which("sfeed_update"):
            return ""
        return _told("dpkg-query", "--show", "sfeed") or "of unknown version"

    def prepare(self, folder: Path, urls: Sequence[str]) -> None:
        """Write its settings, which are a script of the shell."""
        (folder / "etags").mkdir()
        lines = (f'\tfeed "{n}" "{url}"\n' for n, url in enumerate(urls))
        (folder / "sfeedrc").write_text(self.CONFIG + "".join(lines) + "}\n")

    def command(self, folder: Path) -> list[str]:
        """Return its update."""
        return ["sfeed_update", str(folder / "sfeedrc")]

    def stored(self, folder: Path) -> int:
        """Count the lines of its files."""
        return sum(
            path.read_bytes().count(b"\n") for path in (folder / "feeds").iterdir()
        )


class Reader(Peer):
    """The update of reader's own command line; it has one worker by default."""

    name = "reader"
    WORKERS = 16

    def version(self) -> str:
        """Return that of the package."""
        return metadata.version("reader") if find_spec("reader") else ""

    def prepare(self, folder: Path, urls: Sequence[str]) -> None:
        """Subscribe to the feeds."""
        from reader import make_reader  # noqa: PLC0415 - it may be missing

        with make_reader(str(folder / "reader.db")) as reader:
            for url in urls:
                reader.add_feed(url)

    def command(self, folder: Path) -> list[str]:
        """Return its update of every feed, due or not."""
        database = str(folder / "reader.db")
        command = [sys.executable, "-m", "reader", "--db", database, "update"]
        return [*command, "--no-scheduled", "--workers", str(self.WORKERS)]

    def stored(self, folder: Path) -> int:
        """Count the entries of its database."""
        return counted(folder / "reader.db", "entries")


PEERS = {peer.name: peer for peer in (Ours(), Newsboat(), Sfeed(), Reader())}


def _told(*command: str) -> str:
    """Return the first number with dots that a program tells of itself."""
    if not shutil.which(command[0]):
        return ""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"\d+(\.\d+)+", done.stdout)
    return found[0] if found else ""
