"""Backfill outlets with a long past, killed on the way, and check what became of it.

A WordPress-like, a Drupal-like and an RFC 5005 outlet, and one with a news sitemap
index, are played on loopback and followed by the real command line. `backfill` is
killed (SIGKILL) at random requests, started again, and at last ends by itself. Every
entry must then be there once; no document asked twice but for those under way at a
kill; no request above the budget; every mention published or waiting, none of the past
in a live feed, and all that is remembered of the live feeds as it was. Prints figures;
exits 1 when any of that fails.

    python benchmarks/backfill.py [--entries 5000] [--page 10] [--kills 2] [--seed N]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

from backfill_world import FOUND, PATHS, TOPIC, Past, served

ROBOTS = "/robots.txt"  # asked on the way to a document, and kept with it
EPOCH = "1795435200"  # 23 November 2026, 13:00 in Paris


def configured(folder: Path, pasts: list[Past]) -> Path:
    """Write a feeds.toml that follows the outlets; return its path."""
    outlets = "\n".join(f'"{one.kind}" = "{one.feed}"' for one in pasts)
    path = folder / "feeds.toml"
    path.write_text(
        '[site]\ntitle = "Le clic"\nurl = "https://presse.invalid/"\n'
        f"[polling]\nallow_private_addresses = true\n{TOPIC}\n[outlets]\n{outlets}\n",
        encoding="utf-8",
    )
    return path


def started(path: Path, *words: str) -> subprocess.Popen[str]:
    """Start a command on the configuration."""
    return subprocess.Popen(
        [sys.executable, "-m", "aggregator", "--config", str(path), *words],
        env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def ended(path: Path, *words: str) -> str:
    """Run a command to its end; return what it printed."""
    with started(path, *words) as process:
        data, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"{words[0]} ended with {process.returncode}")
    return data


def killed(path: Path, pasts: list[Past], requests: int, budget: int) -> None:
    """Start a backfill, and kill it after so many requests to all outlets."""
    reached = threading.Event()
    goal = sum(len(one.asked) for one in pasts) + requests

    def listen(_target: str) -> None:
        if sum(len(one.asked) for one in pasts) >= goal:
            reached.set()

    for one in pasts:
        one.listen = listen
    with started(path, "backfill", "--requests", str(budget)) as process:
        reached.wait(600)
        process.send_signal(signal.SIGKILL)


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    """Return what the database answers."""
    with closing(sqlite3.connect(path.parent / "aggregator.db")) as raw:
        return raw.execute(sql).fetchall()


def live(path: Path) -> list[list[tuple[object, ...]]]:
    """Return all that is remembered of the live feeds."""
    return [
        rows(path, "SELECT * FROM feeds ORDER BY id"),
        rows(path, "SELECT feed, entry FROM seen WHERE dropped_at IS NULL"),
        rows(path, "SELECT * FROM gaps"),
    ]


def wrong(path: Path, pasts: list[Past], kills: int, budget: int) -> Iterator[str]:
    """Yield a line for each thing that is not as it must be."""
    for one in pasts:
        (found,) = rows(
            path,
            "SELECT count(*), count(DISTINCT e.url) FROM entries e "
            f"JOIN feeds f ON f.id = e.feed WHERE f.outlet = '{one.kind}'",
        )
        if found != (one.count, one.count):
            yield f"{one.kind}: {found} entries, not {one.count}"
        documents = [target for target in one.asked if target != ROBOTS]
        twice = len(documents) - len({*documents})
        if twice > kills:
            yield f"{one.kind}: {twice} documents asked twice"
        if len(one.asked) > budget * (kills + 1):
            yield f"{one.kind}: {len(one.asked)} requests"
    archive = (path.parent / "public" / "stories.jsonl").read_text("utf-8")
    published = {json.loads(line)["url"] for line in archive.splitlines()}
    wanted = {one.url(n) for one in pasts for n in range(0, one.count, FOUND)}
    if missing := wanted - published:
        yield f"{len(missing)} stories are not published"
    document = json.loads((path.parent / "public" / "feed.json").read_text("utf-8"))
    news = {one.url(n) for one in pasts for n in range(0, one.live, FOUND)}
    if old := {item["url"] for item in document["items"]} - news:
        yield f"{len(old)} stories of the past are in the live feed"


def main() -> int:
    """Play it; return 1 when anything is wrong."""
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--entries", type=int, default=5000)
    options.add_argument("--page", type=int, default=10)
    options.add_argument("--kills", type=int, default=2)
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    chance = random.Random(given.seed)
    budget = given.entries // given.page + 20
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        pasts = [
            stack.enter_context(served(Past(kind, given.entries, given.page)))
            for kind in PATHS
        ]
        path = configured(folder, pasts)
        ended(path, "run")
        before = live(path)
        for one in pasts:
            one.asked.clear()
        began = time.monotonic()
        for _ in range(given.kills):
            some = len(pasts) * budget // (given.kills + 2)
            killed(path, pasts, chance.randint(1, some), budget)
            print(f"killed after {sum(len(one.asked) for one in pasts)} requests")
        print(ended(path, "backfill", "--requests", str(budget)), end="")
        seconds = time.monotonic() - began
        requests = sum(len(one.asked) for one in pasts)
        print(f"{requests} requests, {seconds:.1f} s")
        faults = [*wrong(path, pasts, given.kills, budget)]
        faults += ["the live feeds changed"] if live(path) != before else []
        asked = requests
        ended(path, "backfill")
        again = sum(len(one.asked) for one in pasts) - asked
        faults += [f"{again} requests when all was read"] if again else []
    for fault in faults:
        print(fault)
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
