"""An hour of the worker against 200 outlets that fail, move and recover at random.

The outlets are played by soak_server.py, each on a loopback address of its own; the
worker is a real process, its pace compressed (`polling.interval` 20 s instead of 30 m).
At a third of the time a second worker and a `run` get in its way; at two thirds its
clock is set back a day. Afterwards the log of the outlets, the database and the desk
are held against what was promised. Prints figures and a line for each promise; exits 1
when one was broken.

    python benchmarks/soak.py [--minutes 60] [--outlets 200] [--seed 1] [--interval 20]
        [--folder DIR]

Needs Linux, and a C compiler for soak_clock.c, which sets the worker's clock alone.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import soak_checks as checks
import soak_desk as desk
from played import stored
from soak_checks import Sample
from soak_server import TIMEOUT
from soak_world import DOUBT, TOPIC, Scale, Site, world

HERE = Path(__file__).parent
DAY = 86_400
TICK = 2  # seconds between two looks of the worker at what is due, 60 as shipped
BEAT = 1  # seconds between two looks at its schedule
LOST = 30 + TICK + BEAT  # seconds until it takes its schedule for lost
ENDING = 10  # seconds beyond the timeout of a poll in which it has to end

CONFIG = """\
[site]
title = "Soak"
url = "https://soak.invalid/"
[polling]
interval = "{interval}s"
fastest = "{fastest}s"
slowest = "{slowest}s"
timeout = "{timeout}s"
allow_private_addresses = true  # the outlets are played on loopback
[matching]
articles = "none"  # polls are looked at here, and their links lead nowhere
[[topics]]
id = "clic"
title = "Le clic"
match = ["{topic}"]
review = ["{doubt}"]
[outlets]
{outlets}
"""

# The worker of the command line; it looks more often, and keeps a line of each cycle.
WORKER = """
import json, logging, sys, time
from pathlib import Path
from aggregator import clock, run
from aggregator.worker import Worker
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
config, journal, tick, beat = sys.argv[1:]
def cycle(desk, wrong, stop):
    began = time.monotonic()
    report = run.cycle(desk, clock.now(), wrong=wrong, stop=stop)
    line = {"began": began, "ended": time.monotonic(), "polled": report.polled}
    with open(journal, "a") as file:
        print(json.dumps(line), file=file)
    return report
Worker(Path(config), cycle).work(tick=float(tick), beat=float(beat))
"""


@dataclass
class Soak:
    """A soak under way: its folder, its processes, and what was seen of them."""

    scale: Scale
    folder: Path
    server: subprocess.Popen[str]
    port: int
    epoch: int
    start: float
    worker: subprocess.Popen[bytes] | None = None
    samples: list[Sample] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    set_back: float | None = None

    def now(self) -> float:
        """Return the seconds since the outlets began."""
        return time.monotonic() - self.start


def served(scale: Scale, folder: Path, stack: ExitStack) -> Soak:
    """Start the outlets; they end with the stack."""
    numbers = (scale.seed, scale.outlets, scale.length, scale.interval)
    words = [HERE / "soak_server.py", *numbers, folder / "requests.jsonl"]
    server = subprocess.Popen(
        [sys.executable, *map(str, words)], stdout=subprocess.PIPE, text=True
    )
    stack.callback(end, server)
    assert server.stdout
    began = json.loads(server.stdout.readline())
    return Soak(scale, folder, server, **began)


def end(process: subprocess.Popen[Any]) -> int:
    """Have a process end; return its exit status. One that does not is killed."""
    process.terminate()
    try:
        return process.wait(TIMEOUT + ENDING)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def configured(soak: Soak, sites: Sequence[Site]) -> Path:
    """Write the feeds.toml of a soak."""
    outlets = "\n".join(
        f'"{site.name}" = {[url(soak, site, s.path) for s in site.sources]}'
        for site in sites
    )
    path = soak.folder / "feeds.toml"
    scale = soak.scale
    text = CONFIG.format(
        interval=scale.interval,
        fastest=scale.fastest,
        slowest=scale.slowest,
        timeout=TIMEOUT,
        topic=TOPIC,
        doubt=DOUBT,
        outlets=outlets,
    )
    path.write_text(text, encoding="utf-8")
    return path


def url(soak: Soak, site: Site, path: str) -> str:
    """Return the address of a feed."""
    return f"http://{site.host}:{soak.port}{path}"


# ── the clock ─────────────────────────────────────────────────────────────────────────


def movable(folder: Path) -> dict[str, str]:
    """Return the environment of a program whose clock `move` moves, {} = it cannot."""
    library, offset = folder / "clock.so", folder / "clock"
    offset.write_bytes(struct.pack("=q", 0))
    compiler = shutil.which("cc")
    if compiler is None:
        return {}
    source = HERE / "soak_clock.c"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True
    )
    return {"LD_PRELOAD": str(library), "SOAK_CLOCK": str(offset)}


def move(folder: Path, seconds: int) -> None:
    """Move the clock of the programs that share a folder."""
    with (folder / "clock").open("r+b") as file:
        file.write(struct.pack("=q", seconds))


# ── the worker ────────────────────────────────────────────────────────────────────────


def soaked(soak: Soak, config: Path) -> None:
    """Run the worker for as long as the outlets are played, and look at it."""
    env = {k: v for k, v in os.environ.items() if k != "SOURCE_DATE_EPOCH"}
    env |= (moved := movable(soak.folder))
    journal = soak.folder / "cycles.jsonl"
    words = [sys.executable, "-c", WORKER, config, journal, str(TICK), str(BEAT)]
    with (soak.folder / "worker.log").open("wb") as log:
        soak.worker = subprocess.Popen(words, env=env, cwd=soak.folder, stderr=log)
    length = soak.scale.length
    rival = False
    while (at := soak.now()) < length and soak.worker.poll() is None:
        soak.samples.append(sample(soak.worker.pid, at))
        if not rival and at > length / 3:
            rival = True
            soak.faults += rivals(config, env)
        if moved and soak.set_back is None and at > length * 2 / 3:
            soak.set_back = at
            move(soak.folder, -DAY)
        time.sleep(min(10, length / 30))
    if soak.worker.poll() is not None:
        soak.faults.append(f"the worker ended by itself at {at:.0f}")
    asked = time.monotonic()
    status = end(soak.worker)
    soak.worker.wait()
    print(f"asked to end, it did after {time.monotonic() - asked:.1f} s")
    if status:
        soak.faults.append(f"the worker ended with exit status {status}")


def rivals(config: Path, env: dict[str, str]) -> list[str]:
    """Start a second worker and a cycle beside the first one; return what is wrong."""
    faults = []
    for word, expected in (("worker", 75), ("run", 0)):
        command = [sys.executable, "-m", "aggregator", "--config", str(config), word]
        done = subprocess.run(
            command, env=env, capture_output=True, text=True, check=False, timeout=120
        )
        if done.returncode != expected:
            faults.append(f"{word}: exit status {done.returncode}: {done.stderr}")
    return faults


def sample(pid: int, at: float) -> Sample:
    """Look at a process and all that it started."""
    pss = own = 0.0
    files = threads = processes = 0
    for one in tree(pid):
        place = Path("/proc", str(one))
        try:
            rollup = (place / "smaps_rollup").read_text()
            mine = float(rollup.partition("\nPss:")[2].split()[0]) / 1000
            files += len(list((place / "fd").iterdir()))
            threads += len(list((place / "task").iterdir()))
        except (OSError, IndexError):
            continue  # it has just ended
        pss += mine
        own = mine if one == pid else own
        processes += 1
    return Sample(at, pss, own, files, threads, processes)


def tree(pid: int) -> Iterator[int]:
    """Yield a process and those it started, and so on."""
    yield pid
    for task in Path("/proc", str(pid), "task").glob("*/children"):
        try:
            children = task.read_text().split()
        except OSError:
            continue
        for child in children:
            yield from tree(int(child))


# ── what came of it ───────────────────────────────────────────────────────────────────


def judged(soak: Soak, sites: Sequence[Site]) -> dict[str, list[str]]:
    """Print the figures; return every promise with its breaches."""
    scale = soak.scale
    log = checks.requests(soak.folder / "requests.jsonl")
    lines = (soak.folder / "cycles.jsonl").read_text(encoding="utf-8").splitlines()
    journal = [json.loads(line) for line in lines]
    cycles = [(c["began"] - soak.start, c["ended"] - soak.start) for c in journal]
    longest = max(later - sooner for sooner, later in cycles)
    back = soak.set_back
    closed = [(back - TICK, back + LOST + longest)] if back is not None else []
    held = by_path(soak, sites)
    keys = {path: {key for key, _ in rows} for path, rows in held.items()}
    late = TICK + 2 * longest
    missed, scrolled = checks.missed(sites, closed, keys, scale, late)
    unconditional, doubts = checks.unconditional(sites, log)
    database = soak.folder / "aggregator.db"
    logged, told = desk.read(database)
    figures(soak, sites, log, journal, keys)
    print(f"{len(logged)} polls logged, {len(told)} events told")
    print(f"scrolled off before anybody could come: {scrolled}")
    print(f"304s doubted, once a feed: {doubts}")
    return {
        "the worker ran and ended well": soak.faults,
        "every article that was sent is stored": checks.unstored(sites, log, keys),
        "no article missed that could be had": missed,
        "each mention in one story": checks.untold(sites, held),
        "no request without known validators": unconditional,
        "none before its time": checks.hasty(sites, log, closed, scale),
        "none before Retry-After is over": checks.pressing(log),
        "at most per_host at once": checks.crowded(log),
        "none after 410": checks.disturbed(log),
        "only what failed is said to fail": desk.invented(
            sites, logged, soak.epoch, 2 * longest, DAY
        ),
        "each failure, and its end, is told": desk.told_wrongly(logged, told),
        "each gap is told": desk.gaps(log, told),
        "each doubtful mention is told": desk.doubts(
            sites, (key for rows in keys.values() for key in rows), told
        ),
        "desk.atom is what was told": desk.feed(
            soak.folder / "desk" / "desk.atom", told
        ),
        "no two cycles at once": checks.doubled(cycles),
        "cycles go on": checks.stopped(cycles, scale.length, LOST + 2 * longest),
        "memory, files and threads are flat": checks.grown(soak.samples, scale.length),
        "no fault of our own": own_faults(soak.folder),
    }


def by_path(soak: Soak, sites: Sequence[Site]) -> dict[str, list[tuple[str, str]]]:
    """Return key and story of all that is stored, by the path of its feed."""
    rows = stored(soak.folder / "aggregator.db")
    return {
        source.path: [
            (row.key, row.story) for row in rows.get(url(soak, site, source.path), ())
        ]
        for site in sites
        for source in site.sources
    }


def figures(
    soak: Soak,
    sites: Sequence[Site],
    log: Sequence[checks.Request],
    journal: Sequence[dict[str, Any]],
    keys: dict[str, set[str]],
) -> None:
    """Print what happened, in numbers."""
    feeds = sum(len(site.sources) for site in sites)
    failing = sum(bool(site.faults) for site in sites)
    counts = {s: sum(one.status == s for one in log) for s in (200, 304, 0)}
    seconds = sorted(line["ended"] - line["began"] for line in journal)
    print(
        f"{len(sites)} outlets, {feeds} feeds, {failing} outlets fail at times; "
        f"{soak.scale.length} s, seed {soak.scale.seed}\n"
        f"{len(journal)} cycles, median {median(seconds):.2f} s, longest "
        f"{seconds[-1]:.2f} s; {sum(line['polled'] for line in journal)} polls\n"
        f"{len(log)} requests: {counts[200]} documents, {counts[304]} unchanged, "
        f"{counts[0]} left without an answer; "
        f"{sum(map(len, keys.values()))} articles stored"
    )
    well = [site for site in sites if not site.faults]
    for name, some in (("all outlets", sites), ("those that never fail", well)):
        waits = checks.delays(some, log)
        if len(waits) > 1:
            p95 = quantiles(waits, n=20)[-1]
            print(f"found after (s), {name}: median {median(waits):.1f}, p95 {p95:.1f}")
    print("at\tPSS MB\tits own\tfiles\tthreads\tprocesses")
    for share in (0.1, 0.25, 0.5, 0.75, 1.0):
        one = min(soak.samples, key=lambda s: abs(s.at - share * soak.scale.length))
        print(
            f"{share:.0%}\t{one.pss:.0f}\t{one.own:.0f}\t{one.files}\t{one.threads}\t"
            f"{one.processes}"
        )


def own_faults(folder: Path) -> list[str]:
    """Return what the worker says of itself that it should not have to say."""
    log = (folder / "worker.log").read_text(encoding="utf-8")
    words = ("Traceback", "ERROR", "fault of this program")
    return [line for line in log.splitlines() if any(word in line for word in words)]


def main() -> int:
    """Soak, judge, print; the exit status is as said above."""
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--minutes", type=float, default=60)
    options.add_argument("--outlets", type=int, default=200)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--interval", type=int, default=20, help="seconds")
    options.add_argument("--folder", type=Path, help="a new folder, to keep")
    chosen = options.parse_args()
    length = int(chosen.minutes * 60)
    scale = Scale(chosen.seed, chosen.outlets, length, chosen.interval)
    sites = world(scale)
    with ExitStack() as stack:
        folder = chosen.folder
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder = folder.absolute()
        folder.mkdir(parents=True, exist_ok=True)
        soak = served(scale, folder, stack)
        soaked(soak, configured(soak, sites))
        end(soak.server)
        promises = judged(soak, sites)
    if soak.set_back is None:
        print("NOT TRIED: the clock was not set back (no cc to compile soak_clock.c)")
    for promise, breaches in promises.items():
        print(f"{'ok' if not breaches else len(breaches)}\t{promise}")
        for breach in breaches[:5]:
            print(f"\t\t{breach}")
    return 1 if any(promises.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
