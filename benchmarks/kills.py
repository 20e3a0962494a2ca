"""Kill commands at each of their steps and at random instants, and do them again.

`run`, `worker`, `publish`, `backfill` and two decisions are started by the real
command line in a folder that was polled before, and ended by SIGKILL: just before and
just after each COMMIT, before each file that is synced, put in its place or removed
(struck.py), then at instants. At once the database has to be sound, every published
file the one before or the one after, whole, and curation.toml too. Then the command is
done again, and every table but logs and every byte have to be as if nothing had
happened. Prints a line for each command, and each difference; exits 1 where there was
one.

    python benchmarks/kills.py [--instants 100] [--steps N] [--only COMMAND] [--seed N]

--steps: so many of the steps only, evenly spread. --only may be repeated.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from struck_world import (
    State,
    World,
    broken,
    done,
    edit,
    environment,
    playing,
    published,
    sound,
    stories,
)

STRUCK = Path(__file__).with_name("struck.py")
AT_MOST = 60  # seconds that a command may take on a busy machine
IDLE = 5.0  # seconds after which a worker that has not died has nothing more to do


@dataclass(frozen=True)
class Command:
    """What is killed, and what then completes it.

    edited: the files are edited before. decides: it writes curation.toml, and is done
    again only where that has nothing of it. stays: it does not end by itself.
    """

    words: tuple[str, ...]
    again: tuple[str, ...]
    edited: bool = False
    decides: bool = False
    stays: bool = False


COMMANDS: Mapping[str, Command] = {
    "run": Command(("run",), ("run",)),
    "worker": Command(("worker",), ("run",), stays=True),
    "publish": Command(("publish",), ("publish",), edited=True),
    "backfill": Command(("backfill", "La Nuit"), ("backfill", "La Nuit")),
    "note": Command(
        ("note", "https://jour.example/clic1", "--text", "Un deuxième volet suit."),
        ("publish",),
        decides=True,
    ),
    "undo": Command(
        ("hide", "https://jour.example/clic2", "--undo"), ("publish",), decides=True
    ),
}


@dataclass
class Tally:
    """What came of one command. steps, instants: kills; late: it had ended before.

    stories: how many were committed when it was killed, all kills together.
    """

    steps: int = 0
    instants: int = 0
    late: int = 0
    stories: int = 0
    lost: int = 0
    doubled: int = 0
    torn: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Add what came of another command."""
        for one in fields(self):
            mine, theirs = getattr(self, one.name), getattr(other, one.name)
            setattr(self, one.name, mine + theirs)


class Trial:
    """One command in folders of its own, undisturbed once and then disturbed."""

    def __init__(self, world: World, place: Path, name: str) -> None:
        """Do the command undisturbed, to know what has to come of it."""
        self.command = COMMANDS[name]
        self._world, self._place = world, place / name
        self._place.mkdir()
        self._number = 0
        self.tally = Tally()
        path = self._folder()
        self._before = State.of(path.parent)
        began = time.monotonic()
        # a worker does what a run does, but stays
        words = self.command.again if self.command.stays else self.command.words
        process, counted = self._start(path, 0, words)
        process.communicate()
        self.length = time.monotonic() - began
        self.steps = int(counted.read_text("utf-8"))
        self._decided = (path.parent / "curation.toml").read_bytes()
        if self.command.decides:
            self._do(path, *self.command.again)
        self._after = State.of(path.parent)
        if bad := broken(self._after.public):
            raise RuntimeError(f"undisturbed, but not whole: {bad}")

    def at_steps(self, steps: Iterable[int]) -> None:
        """Kill it before each of these steps."""
        for step in steps:
            path = self._folder()
            process, _ = self._start(path, step, self.command.words)
            try:
                process.communicate(timeout=IDLE if self.command.stays else AT_MOST)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
            self.tally.steps += process.returncode < 0
            self.tally.late += process.returncode >= 0
            self.judge(path, f"step {step}")

    def at_instants(self, number: int, chance: random.Random) -> None:
        """Kill it at so many instants, as far as it lives on until then."""
        for _ in range(3 * number):
            if self.tally.instants == number:
                return
            path = self._folder()
            process, _ = self._start(path, 0, self.command.words)
            after, began = self.length * chance.uniform(0.1, 1), time.monotonic()
            try:
                process.communicate(timeout=after)
                self.tally.late += 1
                # the machine has less to do than before
                self.length = min(self.length, time.monotonic() - began)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                self.tally.instants += 1
            self.judge(path, f"after {after:.2f} s")

    def _folder(self) -> Path:
        """Return the feeds.toml of a folder in which the command has its work to do."""
        self._number += 1
        path = self._world.copy(self._place / str(self._number))
        if self.command.edited:
            edit(path)
        return path

    def _start(
        self, path: Path, step: int, words: tuple[str, ...]
    ) -> tuple[subprocess.Popen[bytes], Path]:
        """Start a command that dies before a step, 0 = it does not."""
        counted = path.parent / "steps"
        process = subprocess.Popen(
            [sys.executable, STRUCK, str(step), counted, "--config", path, *words],
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return process, counted

    def _do(self, path: Path, *words: str) -> None:
        """Do a command that nothing disturbs."""
        said = done(path, *words)
        if said.returncode:
            self.tally.wrong.append(f"{words}: {said.returncode}: {said.stderr}")

    def judge(self, path: Path, when: str) -> None:
        """Look at what a kill left, do it again, and compare."""
        folder, tally = path.parent, self.tally
        there = stories(folder)
        tally.stories += len(there)
        wrong = [] if sound(folder) else ["the database is not sound"]
        torn = self._torn(folder)
        curation = (folder / "curation.toml").read_bytes()
        if curation not in (self._before.curation, self._decided):
            torn.append("curation.toml")
        tally.torn += len(torn)
        wrong += torn
        if self.command.decides and curation != self._decided:
            self._do(path, *self.command.words)
        self._do(path, *self.command.again)
        after = State.of(folder)
        known = stories(folder)
        tally.lost += len({*there} - {*known})
        tally.doubled += len(known) - len({*known})
        differs = after.differs(self._after)
        if self.command.decides:
            differs = [what for what in differs if what != "tables decisions"]
        wrong += differs
        tally.wrong += [f"{when}: {what}" for what in wrong]

    def _torn(self, folder: Path) -> list[str]:
        """Return the published files that are neither the old nor the new one."""
        return [
            name
            for name, body in published(folder).items()
            if body not in (self._before.public.get(name), self._after.public.get(name))
            and not name.endswith(".partial")
        ]


def spread(steps: int, wanted: int | None) -> Iterator[int]:
    """Yield all steps, or so many evenly spread, the first and the last too."""
    if wanted is None or wanted >= steps:
        yield from range(1, steps + 1)
    else:
        yield from (1 + n * (steps - 1) // max(wanted - 1, 1) for n in range(wanted))


def main() -> int:
    """Kill as often as asked; return 1 when anything ended otherwise."""
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--instants", type=int, default=100)
    options.add_argument("--steps", type=int)
    options.add_argument("--only", choices=COMMANDS, action="append")
    options.add_argument("--seed", type=int, default=2020)
    chosen = options.parse_args()
    chance = random.Random(chosen.seed)
    total = Tally()
    print(
        "command\tat steps\tat instants\ttoo late\tstories\tlost\tdoubled\ttorn files"
    )
    with tempfile.TemporaryDirectory() as place, playing(Path(place)) as world:
        world.publish(6)
        for name in chosen.only or COMMANDS:
            trial = Trial(world, Path(place), name)
            trial.at_steps(spread(trial.steps, chosen.steps))
            trial.at_instants(chosen.instants, chance)
            tally = trial.tally
            total.add(tally)
            print(
                f"{name}\t{tally.steps}\t{tally.instants}\t{tally.late}\t{tally.stories}"
                f"\t{tally.lost}\t{tally.doubled}\t{tally.torn}",
                *tally.wrong,
                sep="\n\t",
                flush=True,
            )
    print(
        f"{total.steps + total.instants} kills, {total.stories} stories committed by "
        f"then: {total.lost} lost, {total.doubled} doubled; {total.torn} files torn; "
        f"{len(total.wrong)} differences"
    )
    return 1 if total.wrong or total.lost or total.doubled else 0


if __name__ == "__main__":
    sys.exit(main())
