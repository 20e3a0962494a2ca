"""What a cycle costs in which next to nothing is due, from 1,000 feeds to 100,000.

The state of each size is made by `scale_world`: 50 remembered entries a feed. Timed in
one process, as `worker` has it: feeds.toml read for the first time and again; then,
after a cycle that settles what is new, one in which nothing is due a minute later, and
one after `polling.fastest`, which looks at everything again; then both with 100 due
feeds, whose servers answer 304 (the fetcher alone is replaced). Then whole `aggregator
run` processes, idle in both ways. Prints seconds of the processor and of the clock, and
the peak of memory, for each size. Exit 1 when an idle cycle takes a second of the
processor or more, memory is over 500 MB, feeds.toml takes half a second to read again,
or an idle cycle costs more for each feed of the most feeds than of the fewest.

    python benchmarks/scale.py [--feeds 1000 10000 100000] [--keep DIRECTORY]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from measured import cost
from scale_world import NOW, make

from aggregator import poll, run
from aggregator.desk import Desk
from aggregator.fetch import Fetcher
from aggregator.model import Fetched, Validators

SIZES = [1_000, 10_000, 100_000]
DUE = 100  # feeds of a cycle that polls
REPEATS = 3  # of which the least counts
SECONDS, LOAD = 1.0, 0.5  # of the processor: of an idle cycle, of reading again
MEMORY = 500_000_000  # bytes
SETTLED = "settling"


@dataclass(frozen=True)
class Took:
    """What one step took. cpu, wall: seconds. peak: bytes, of all until then."""

    step: str
    cpu: float
    wall: float
    peak: int


def unchanged(_self: Fetcher, url: str, validators: Validators, **_: object) -> Fetched:
    """Answer in the place of a server, which has nothing new."""
    return Fetched(url, 304, validators=validators)


def inside(folder: Path) -> Iterator[Took]:
    """Yield what each step took, in this process."""
    path = folder / "feeds.toml"
    database = folder / "aggregator.db"
    poll.Fetcher.fetch = unchanged  # type: ignore[method-assign]
    now = NOW
    with timed("feeds.toml first") as took:
        desk = Desk.load(path)
    yield took()
    with timed(SETTLED) as took:
        run.cycle(desk, now)
    yield took()
    with timed("feeds.toml again") as took:
        desk = Desk.load(path)
    yield took()
    for _ in range(REPEATS):
        for step, later, count in (
            ("idle", 1, 0),
            ("idle, looked again", 11, 0),
            (f"{DUE} due", 1, DUE),
            (f"{DUE} due, looked again", 11, DUE),
        ):
            now += timedelta(minutes=later)
            have_due(database, count)
            with timed(step) as took:
                report = run.cycle(desk, now)
            assert report.polled == count, report
            yield took()


@contextmanager
def timed(step: str) -> Iterator[Callable[[], Took]]:
    """Give what tells, after the block, what it took."""
    cpu, wall = time.process_time(), time.perf_counter()
    found: list[Took] = []
    yield lambda: found[0]
    wall = time.perf_counter() - wall
    cpu = time.process_time() - cpu
    peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found.append(Took(step, cpu, wall, peak))


def have_due(database: Path, count: int) -> None:
    """Have the time of so many well feeds come."""
    with sqlite3.connect(database) as base:
        base.execute(
            "UPDATE feeds SET next_poll_at = 0 WHERE id IN "
            "(SELECT id FROM feeds WHERE failures = 0 ORDER BY next_poll_at LIMIT ?)",
            (count,),
        )
    base.close()


def commands(folder: Path) -> Iterator[Took]:
    """Yield what whole processes of `aggregator run` take, in the same folder."""
    minutes = 24 * REPEATS  # when all is done inside; what was due is not, for hours
    command = [str(Path(sys.executable).with_name("aggregator")), "run"]
    for _ in range(REPEATS):
        for step, later in (("command, looked again", 11), ("command", 1)):
            minutes += later
            at = NOW + timedelta(minutes=minutes)
            env = os.environ | {"SOURCE_DATE_EPOCH": str(int(at.timestamp()))}
            took = cost(command, env, folder)
            assert took.status == 0, took.said
            yield Took(step, took.cpu, took.seconds, took.peak)


def best(taken: Iterator[Took]) -> dict[str, Took]:
    """Return of each step the time that took least."""
    found: dict[str, Took] = {}
    for one in taken:
        before = found.get(one.step)
        if before is None or one.cpu < before.cpu:
            found[one.step] = one
    return found


def measured(folder: Path) -> dict[str, Took]:
    """Return what each step took in this folder; the inner ones in a fresh process."""
    command = [sys.executable, __file__, "--inside", str(folder)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    taken = (Took(*json.loads(line)) for line in printed.splitlines())
    return best(taken) | best(commands(folder))


def over(feeds: int, took: Took) -> str:
    """Return what is over its bound, "" for nothing."""
    if took.peak > MEMORY:
        return f"{took.step} with {feeds:,} feeds: over {MEMORY // 1_000_000} MB"
    idle = took.step.startswith(("idle", "command"))
    if idle and took.cpu >= SECONDS:
        return f"{took.step} with {feeds:,} feeds: over {SECONDS} s"
    if took.step == "feeds.toml again" and took.cpu >= LOAD:
        return f"{took.step} with {feeds:,} feeds: over {LOAD} s"
    return ""


def grown(found: dict[int, dict[str, Took]]) -> Iterator[str]:
    """Yield which idle cycles cost more a feed with the most than with the fewest."""
    few, most = min(found), max(found)
    for step in found[few]:
        each = [found[size][step].cpu / size for size in (few, most)]
        if step.startswith("idle") and each[1] > each[0]:
            yield f"{step}: costs more for each of {most:,} feeds than of {few:,}"


def main() -> int:
    """Run it; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--feeds", type=int, nargs="+", default=SIZES)
    parser.add_argument("--keep", type=Path, help="where the made states stay")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        for one in inside(given.inside):
            print(json.dumps([one.step, one.cpu, one.wall, one.peak]), flush=True)
        return 0
    print("feeds\tstep\tcpu s\twall s\tpeak MB")
    found: dict[int, dict[str, Took]] = {}
    with tempfile.TemporaryDirectory() as place:
        for feeds in given.feeds:
            made = (given.keep or Path(place)) / f"{feeds}"
            if not made.exists():
                made.mkdir(parents=True)
                make(made, feeds)
            world = Path(place) / "world"
            shutil.copytree(made, world)
            found[feeds] = measured(world)
            shutil.rmtree(world)
            for one in found[feeds].values():
                print(
                    f"{feeds}\t{one.step}\t{one.cpu:.2f}\t{one.wall:.2f}"
                    f"\t{one.peak / 1e6:.0f}",
                    flush=True,
                )
    wrong = [
        text
        for feeds, its in found.items()
        for one in its.values()
        if (text := over(feeds, one))
    ]
    wrong += grown(found)
    print("\n".join(wrong) or "all within bounds")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
