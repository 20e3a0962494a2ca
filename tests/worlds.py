"""Small worlds for tests: feeds on the test's server, and a folder to run them in."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from html import escape
from pathlib import Path

EPOCH = "1795435200"  # 2026-11-23 12:00 UTC

TOPICS = """
[[topics]]
id = "film"
title = "Le film"
match = ["travailleurs du clic"]
review = ["petites mains"]
never = ["masiero"]

[[topics]]
id = "livreurs"
title = "Les livreurs"
main = false
match = ["livreurs"]
"""


def rss(*items: str, title: str = "Le Jour") -> bytes:
    """Return an RSS 2.0 document of these items."""
    return (
        f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel>'
        f"<title>{escape(title)}</title><link>https://jour.example/</link>"
        f"{''.join(items)}</channel></rss>"
    ).encode()


def item(
    slug: str,
    title: str,
    summary: str = "",
    *,
    date: str = "Fri, 14 Feb 2020 08:00:00 GMT",
    host: str = "jour.example",
    query: str = "",
) -> str:
    """Return an RSS item whose guid is its slug."""
    return (
        f"<item><guid isPermaLink='false'>{slug}</guid><title>{escape(title)}</title>"
        f"<link>https://{host}/{slug}{escape(query)}</link>"
        f"<description>{escape(summary)}</description><pubDate>{date}</pubDate></item>"
    )


def configure(folder: Path, outlets: Mapping[str, str], *, extra: str = "") -> Path:
    """Write a feeds.toml that polls `outlets` (name to URL); return its path."""
    lines = "\n".join(f'"{name}" = "{url}"' for name, url in outlets.items())
    path = folder / "feeds.toml"
    path.write_text(
        '[site]\ntitle = "La presse en parle"\nurl = "https://presse.invalid/revue/"\n'
        f'contact = "presse@presse.invalid"\n[polling]\n'
        f"allow_private_addresses = true\n{extra}\n{TOPICS}\n[outlets]\n{lines}\n",
        encoding="utf-8",
    )
    return path


def copied(polled: Path, folder: Path) -> Path:
    """Copy a world that was polled for several tests; return its feeds.toml."""
    shutil.copytree(polled, folder, dirs_exist_ok=True)
    return folder / "feeds.toml"


def saved(path: Path, text: str) -> None:
    """Save a file as editors do, at once: half of one is another edit."""
    new = path.with_name(f"{path.name}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


def aggregator(
    path: Path, *words: str, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the real command line on the configuration at `path`."""
    return subprocess.run(
        command(path, *words),
        env=environment(env),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def command(path: Path, *words: str) -> list[str]:
    """Return the words that start the real command line."""
    return [sys.executable, "-m", "aggregator", "--config", str(path), *words]


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a command at a fixed time."""
    return {**os.environ, "SOURCE_DATE_EPOCH": EPOCH, **(more or {})}


def contents(folder: Path) -> dict[str, bytes]:
    """Return every published file by name."""
    public = folder / "public"
    return {
        str(path.relative_to(public)): path.read_bytes()
        for path in sorted(public.rglob("*"))
        if path.is_file()
    }


def database(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return every table's rows, but for the log of polls and of migrations.

    And but for what is kept of feeds.toml, which names the folder, which feeds were
    polled since a cycle last looked at everything, and when they are polled next, which
    is counted from when they were asked: a busy machine comes to that a second later.
    Of the index of the history: which word stands where, in whatever segments it is.
    """
    raw = sqlite3.connect(folder / "aggregator.db")
    names = [
        name
        for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type='table'")
        if name not in ("polls", "stirred", "_sqlite_migrations", "configurations")
        and not name.startswith("history")
    ]
    rows = {}
    for name in names:
        held = [row[1] for row in raw.execute(f"PRAGMA table_info({name})")]
        wanted = ", ".join(column for column in held if column != "next_poll_at")
        rows[name] = sorted(raw.execute(f"SELECT {wanted} FROM {name}"), key=repr)
    raw.execute(
        "CREATE VIRTUAL TABLE temp.word USING fts5vocab(main, history, instance)"
    )
    rows["history"] = sorted(raw.execute("SELECT * FROM temp.word"))
    raw.close()
    return rows


def unmeasured(environment: Mapping[str, str]) -> dict[str, str]:
    """Return it without coverage, for a process that may write no file of its own."""
    return {k: v for k, v in environment.items() if not k.startswith("COV")}
