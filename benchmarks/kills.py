"""Kill `run` at random points, run again, and compare with an undisturbed run.

The recorded outlets of the demo, or with --corpus real feed files on loopback, are
polled by the real command line under a fixed SOURCE_DATE_EPOCH. After each kill and one
more run, every table of the database but the log of polls and the migrations, and every
published byte, must be as if nothing had happened. Prints a line for each kill, with
what it left, and exits 1 on a difference.

    python benchmarks/kills.py [--points 20] [--seed N] [--corpus PATH]
"""

from __future__ import annotations

import argparse
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from corpus_feeds import configure, served

from aggregator.demo import prepare
from aggregator.demo.outlets import World

EPOCH = "1581757200"  # 15 February 2020, 10:00 in Paris
UNCOMPARED = {"polls", "_sqlite_migrations"}


def start(config: Path) -> subprocess.Popen[bytes]:
    """Start one `run` on the configuration."""
    return subprocess.Popen(
        [sys.executable, "-m", "aggregator", "--config", str(config), "run"],
        env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH},
        stderr=subprocess.PIPE,
    )


def tables(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return the rows of every compared table, sorted; {} while there is no file.

    Of the index of the history: which word stands where, in whatever segments it is.
    """
    path = folder / "aggregator.db"
    if not path.exists():
        return {}
    raw = sqlite3.connect(path)
    found = raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    names = {name for (name,) in found if not name.startswith("history")} - UNCOMPARED
    rows = {
        name: sorted(raw.execute(f"SELECT * FROM {name}"), key=repr) for name in names
    }
    if names:
        raw.execute(
            "CREATE VIRTUAL TABLE temp.word USING fts5vocab(main, history, instance)"
        )
        rows["history"] = sorted(raw.execute("SELECT * FROM temp.word"))
    raw.close()
    return rows


def published(folder: Path) -> dict[str, bytes]:
    """Return every file of the published folder, hidden ones too."""
    public = folder / "public"
    return {
        str(path.relative_to(public)): path.read_bytes()
        for path in public.rglob("*")
        if path.is_file()
    }


def main() -> int:
    """Kill as often as asked; return 1 when any run ended otherwise."""
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--points", type=int, default=20)
    options.add_argument("--seed", type=int, default=2020)
    options.add_argument("--corpus", type=Path)
    chosen = options.parse_args()
    chance = random.Random(chosen.seed)
    different = 0
    with ExitStack() as stack:
        place = stack.enter_context(tempfile.TemporaryDirectory())
        if chosen.corpus:
            documents = served(chosen.corpus, 16, stack)
            ready = partial(configure, documents=documents)
        else:
            ready = partial(prepare, base=stack.enter_context(World()).base)
        calm = Path(place, "calm")
        began = time.monotonic()
        process = start(ready(calm))
        process.communicate()
        length = time.monotonic() - began
        expected = tables(calm), published(calm)
        print(f"undisturbed: {length:.2f} s, exit {process.returncode}")
        print("killed at\tentries\tstories\tfiles\tthen")
        for point in range(chosen.points):
            folder = Path(place, str(point))
            config = ready(folder)
            after = length * chance.uniform(0.25, 1)  # before that Python starts
            process = start(config)
            try:
                process.communicate(timeout=after)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
            rows, files = tables(folder), published(folder)
            process = start(config)
            process.communicate()
            same = (tables(folder), published(folder)) == expected
            different += not same
            left = len(rows.get("entries", ())), len(rows.get("stories", ()))
            print(
                f"{after:.2f} s\t\t{left[0]}\t{left[1]}\t{len(files)}\t"
                f"{'the same' if same else 'DIFFERENT'}"
            )
    print(f"{chosen.points} kills, {different} with a difference")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
