"""A full disk, a damaged database and other faults of a machine, and what is left.

In a folder that was polled before, the real command line meets each fault, and has to
end by itself: as ever, or with one line that says what is wrong. Published files have
to be whole meanwhile. Once the fault is over the same command has to bring every table
but logs, and every byte, that it would have brought without. Prints a line for each
fault, and what went wrong; exits 1 where something did.

    python benchmarks/faults.py [--times 50] [--only FAULT] [--seed N]

--times: how often those are tried of which no two are alike. --only may be repeated.
A full disk and one that is read-only need root, to mount them.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import soak
from struck_world import (
    DAY,
    LATER,
    State,
    World,
    broken,
    command,
    done,
    edit,
    playing,
    published,
    sound,
    stories,
)

NEEDED = {"run": 600_000, "publish": 400_000}  # bytes that these write here, about
ROOM = 64_000_000  # bytes of a disk that is not full
WRONG = 2  # exit status of a command whose configuration cannot be used
BUSY = 30  # seconds that a command waits for a locked database
COMMANDS = (
    ("run",),
    ("publish",),
    ("status",),
    ("search", "clic"),
    ("note", "https://jour.example/clic1", "--text", "Un mot."),
)


@dataclass
class Result:
    """What came of one kind of fault. told: how often a command said that it could not.

    skipped: why it was not tried here.
    """

    tried: int = 0
    told: int = 0
    lost: int = 0
    doubled: int = 0
    wrong: list[str] = field(default_factory=list)
    skipped: str = ""


class Bench:
    """Folders to disturb, and what comes of a command that nothing disturbs."""

    def __init__(self, world: World, place: Path) -> None:
        """Do `run` and `publish` undisturbed."""
        self.world, self.place = world, place
        self._number = 0
        self.calm: dict[str, State] = {}
        for word in ("run", "publish"):
            path = self.folder(word)
            said = done(path, word)
            if said.returncode:
                raise RuntimeError(said.stderr)
            self.calm[word] = State.of(path.parent)
        self.known = stories(path.parent.with_name("1"))

    def folder(self, word: str, place: Path | None = None) -> Path:
        """Return the feeds.toml of a new folder in which a command has work to do."""
        self._number += 1
        path = self.world.copy((place or self.place) / str(self._number))
        if word == "publish":
            edit(path)
        return path

    def met(
        self, result: Result, what: str, said: subprocess.CompletedProcess[str]
    ) -> None:
        """Keep how a command ended that met a fault: well, or with one line."""
        result.tried += 1
        if said.returncode:
            result.told += 1
            lines = said.stderr.strip().splitlines()
            if len(lines) != 1 or not lines[0].startswith("aggregator: "):
                result.wrong.append(f"{what}: {said.returncode}: {said.stderr}")

    def whole(self, result: Result, what: str, folder: Path) -> None:
        """Every published file has to be whole, and the database sound."""
        if bad := broken(published(folder)):
            result.wrong.append(f"{what}: not whole: {bad}")
        if not sound(folder):
            result.wrong.append(f"{what}: the database is not sound")

    def again(
        self,
        result: Result,
        what: str,
        path: Path,
        word: str,
        *,
        there: Sequence[str] | None = None,
        equal: bool = True,
    ) -> None:
        """Do a command once the fault is over; compare.

        there: the stories that must be left, None = those of the database as it is.
        equal: every byte has to be, too.
        """
        there = stories(path.parent) if there is None else there
        said = done(path, word)
        if said.returncode:
            result.wrong.append(f"{what}, then: {said.returncode}: {said.stderr}")
        after = stories(path.parent)
        result.lost += len({*there} - {*after})
        result.doubled += len(after) - len({*after})
        if equal:
            differs = State.of(path.parent).differs(self.calm[word])
            result.wrong += [f"{what}, then: {one}" for one in differs]


# ── the faults ────────────────────────────────────────────────────────────────────────


def full_disk(bench: Bench, times: int, _chance: random.Random) -> Result:
    """Leave less and less room on a disk, from none to nearly enough."""
    result = Result()
    for word, needed in NEEDED.items():
        for room in range(0, needed, max(needed * 2 // times, 4096)):
            with mounted(bench.place / "disk") as disk:
                if disk is None:
                    result.skipped = "nothing can be mounted here"
                    return result
                path = bench.folder(word, disk)
                state = os.statvfs(disk)
                used = (state.f_blocks - state.f_bfree) * state.f_frsize
                mount("-o", f"remount,size={used + room}", str(disk))
                bench.met(result, f"{word} {room}", command(path, word))
                mount("-o", f"remount,size={ROOM}", str(disk))
                bench.whole(result, f"{word} {room}", path.parent)
                bench.again(result, f"{word} {room}", path, word)
    return result


def read_only(bench: Bench, _times: int, _chance: random.Random) -> Result:
    """Forbid writing in public/, in desk/ and in all of the folder, for a time."""
    result = Result()
    for word in ("run", "publish"):
        for name in ("public", "desk", ""):
            path = bench.folder(word)
            before = published(path.parent)
            place = path.parent / name
            try:
                mount("--bind", str(place), str(place))
            except OSError:
                result.skipped = "nothing can be mounted here"
                return result
            try:
                mount("-o", "remount,ro,bind", str(place))
                said = command(path, word)
            finally:
                subprocess.run(["umount", place], check=True)
            bench.met(result, f"{word} {name}", said)
            if not said.returncode:
                result.wrong.append(
                    f"{word}: {name}/ was read-only, and it said nothing"
                )
            if name != "desk" and published(path.parent) != before:
                result.wrong.append(f"{word}: {name}/ was read-only, and changed")
            bench.whole(result, f"{word} {name}", path.parent)
            bench.again(result, f"{word} {name}", path, word)
    return result


def locked(bench: Bench, _times: int, _chance: random.Random) -> Result:
    """Have another program write for less and for more than commands wait."""
    result = Result()
    for word in ("run", "publish"):
        for seconds in (BUSY - 10, BUSY + 10):
            path = bench.folder(word)
            with closing(sqlite3.connect(path.with_name("aggregator.db"))) as other:
                other.execute("BEGIN IMMEDIATE")
                over = threading.Event()
                waiting = threading.Timer(seconds, over.set)
                waiting.start()
                ended: list[subprocess.CompletedProcess[str]] = []
                runs = threading.Thread(
                    target=lambda: ended.append(command(path, word))  # noqa: B023 - joined
                )
                runs.start()
                over.wait()
                other.execute("ROLLBACK")
                runs.join()
            bench.met(result, f"{word} {seconds} s", ended[0])
            if bool(ended[0].returncode) != (seconds > BUSY):
                result.wrong.append(f"{word}: locked {seconds} s: {ended[0].stderr}")
            bench.whole(result, f"{word} {seconds} s", path.parent)
            bench.again(result, f"{word} {seconds} s", path, word)
    return result


def damaged(bench: Bench, times: int, chance: random.Random) -> Result:
    """Damage the database anywhere; then restore the backup, or begin without."""
    result = Result()
    for number in range(times):
        words = COMMANDS[number % len(COMMANDS)]
        path = bench.folder(words[0])
        database = path.with_name("aggregator.db")
        backup = shutil.copy(database, path.with_name("backup.db"))
        good = Path(backup).read_bytes()
        curation = path.with_name("curation.toml").read_bytes()
        database.write_bytes(hurt(good, chance))
        bench.met(result, f"{words[0]} {number}", command(path, *words))
        if bad := broken(published(path.parent)):
            result.wrong.append(f"{words[0]} {number}: not whole: {bad}")
        if Path(backup).read_bytes() != good:
            result.wrong.append(f"{words[0]} {number}: the backup was changed")
        for leftover in path.parent.glob("aggregator.db*"):
            leftover.unlink()
        path.with_name("curation.toml").write_bytes(curation)
        # what was published meanwhile may be of what is damaged
        shutil.rmtree(path.with_name("public"))
        shutil.copytree(bench.world.polled / "public", path.with_name("public"))
        if number % 2:
            shutil.copy(backup, database)
        word = "publish" if words[0] == "publish" else "run"
        there = stories(bench.world.polled)
        name = f"{words[0]} {number}"
        bench.again(result, name, path, word, there=there, equal=bool(number % 2))
    return result


def hurt(good: bytes, chance: random.Random) -> bytes:
    """Return a database that was damaged somewhere, or cut short."""
    bad = bytearray(good)
    for _ in range(chance.choice((1, 4))):
        at = chance.randrange(len(bad))
        size = min(chance.choice((1, 16, 4096, 20_000)), len(bad) - at)
        bad[at : at + size] = chance.randbytes(size)
    if chance.randrange(5) == 0:
        del bad[chance.randrange(len(bad)) :]
    return bytes(bad)


def jumping(bench: Bench, _times: int, _chance: random.Random) -> Result:
    """Set the clock back a day and forward again, between two runs."""
    result = Result()
    for jumps in ((-DAY, 0), (DAY, 0), (-DAY, DAY, 0), (DAY, -DAY, 0)):
        path = bench.folder("run")
        for jump in jumps:
            said = done(path, "run", "--all", now=LATER + jump)
            bench.met(result, f"{jumps} {jump}", said)
            result.wrong += [f"{jumps}: {said.stderr}"] * bool(said.returncode)
            bench.whole(result, f"{jumps} {jump}", path.parent)
        known = stories(path.parent)
        result.lost += len({*bench.known} - {*known})
        result.doubled += len(known) - len({*known} & {*bench.known})
    return result


def jumping_worker(bench: Bench, _times: int, _chance: random.Random) -> Result:
    """Set a worker's clock back a day, and then forward, while it runs."""
    result = Result()
    path = bench.folder("run")
    moved = soak.movable(path.parent)
    if not moved:
        result.skipped = "no cc to compile soak_clock.c"
        return result
    journal, log = path.with_name("cycles.jsonl"), path.with_name("worker.log")
    env = {k: v for k, v in os.environ.items() if k != "SOURCE_DATE_EPOCH"} | moved
    words = [sys.executable, "-c", soak.WORKER, path, journal, "1", "1"]
    with log.open("wb") as told:
        worker = subprocess.Popen(words, env=env, stderr=told)
        for ahead in (0, -DAY, 0, DAY, 0):
            soak.move(path.parent, ahead)
            result.tried += 1
            if not goes_on(journal, soak.LOST + 30):
                result.wrong.append(
                    f"no cycle any more once the clock was {ahead} s off"
                )
        if soak.end(worker):
            result.wrong.append("the worker did not end well")
    if b"Traceback" in log.read_bytes():
        result.wrong.append(log.read_text("utf-8"))
    known = stories(path.parent)
    result.lost += len({*bench.known} - {*known})
    result.doubled += len(known) - len({*known} & {*bench.known})
    bench.whole(result, "worker", path.parent)
    return result


def goes_on(journal: Path, seconds: float) -> bool:
    """Tell whether a worker does two more cycles within a time."""

    def cycles() -> int:
        return len(journal.read_bytes().splitlines()) if journal.exists() else 0

    before, until = cycles(), time.monotonic() + seconds
    while cycles() < before + 2 and time.monotonic() < until:
        time.sleep(0.1)
    return cycles() >= before + 2


def half_written(bench: Bench, _times: int, _chance: random.Random) -> Result:
    """Cut feeds.toml and curation.toml behind each line, then put them back whole."""
    result = Result()
    for name, word in (("feeds.toml", "run"), ("curation.toml", "publish")):
        text = (bench.folder(word).with_name(name)).read_text("utf-8")
        lines = text.splitlines(keepends=True)
        for kept in range(len(lines)):
            path, what = bench.folder(word), f"{name} {kept}"
            path.with_name(name).write_text("".join(lines[:kept]), "utf-8")
            said = done(path, word)
            refused = said.returncode == WRONG
            result.tried += 1
            result.told += refused
            if not refused and (said.returncode or "Traceback" in said.stderr):
                result.wrong.append(f"{what}: {said.stderr}")
            bench.whole(result, what, path.parent)
            path.with_name(name).write_text(text, "utf-8")
            there = bench.known if word == "run" else stories(bench.world.polled)
            bench.again(result, what, path, word, there=there, equal=refused)
    return result


Fault = Callable[[Bench, int, random.Random], Result]
FAULTS: Mapping[str, Fault] = {
    "full disk": full_disk,
    "read-only folder": read_only,
    "locked database": locked,
    "damaged database": damaged,
    "clock between runs": jumping,
    "clock of a worker": jumping_worker,
    "half a file": half_written,
}


# ── disks ─────────────────────────────────────────────────────────────────────────────


def mount(*words: str) -> None:
    """Mount something; raises OSError where this user may not."""
    said = subprocess.run(
        ["mount", *words], capture_output=True, text=True, check=False
    )
    if said.returncode:
        raise OSError(said.stderr)


@contextmanager
def mounted(place: Path) -> Iterator[Path | None]:
    """Yield a small disk in memory that is empty, None where there can be none."""
    place.mkdir(exist_ok=True)
    try:
        mount("-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(place))
    except OSError:
        yield None
        return
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


def play(names: Sequence[str], times: int, seed: int) -> Iterator[tuple[str, Result]]:
    """Yield what came of each fault."""
    with tempfile.TemporaryDirectory() as place, playing(Path(place)) as world:
        world.publish(6)
        bench = Bench(world, Path(place))
        for name in names:
            yield name, FAULTS[name](bench, times, random.Random(seed))


def main() -> int:
    """Meet every fault; return 1 when anything went wrong."""
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--times", type=int, default=50)
    options.add_argument("--only", choices=FAULTS, action="append")
    options.add_argument("--seed", type=int, default=2020)
    chosen = options.parse_args()
    total = Result()
    print("fault\ttried\ttold\tlost\tdoubled")
    for name, result in play(chosen.only or [*FAULTS], chosen.times, chosen.seed):
        total.tried += result.tried
        total.told += result.told
        total.lost += result.lost
        total.doubled += result.doubled
        total.wrong += result.wrong
        print(
            f"{name}\t{result.tried}\t{result.told}\t{result.lost}\t{result.doubled}",
            *([f"NOT TRIED: {result.skipped}"] if result.skipped else []),
            *result.wrong,
            sep="\n\t",
            flush=True,
        )
    print(
        f"{total.tried} faults met, {total.told} told in a line; stories: {total.lost} "
        f"lost, {total.doubled} doubled; {len(total.wrong)} differences"
    )
    return 1 if total.wrong or total.lost or total.doubled else 0


if __name__ == "__main__":
    sys.exit(main())
