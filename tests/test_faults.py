"""What a machine does to a command: killed anywhere, a full disk, a damaged database.

The quick half of what kills.py, faults.py and read_while.py under benchmarks/ try.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from faults import Bench, damaged
from kills import Trial
from read_while import faults, published, watched
from struck_world import State, World, done, environment, playing, stories
from trust import PROOFS, Proof, prove
from worlds import unmeasured


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Yield outlets that have news, and a folder that was polled before."""
    with playing(tmp_path_factory.mktemp("faults")) as played:
        played.publish(6)
        yield played


@pytest.fixture(scope="module")
def bench(world: World, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Return folders to disturb, and what comes of them undisturbed."""
    return Bench(world, tmp_path_factory.mktemp("bench"))


@pytest.mark.parametrize(
    ("name", "instants"), [("run", 1), ("publish", 0), ("backfill", 0)]
)
def test_a_killed_command_done_again_is_as_if_undisturbed(
    world: World, tmp_path: Path, name: str, instants: int
) -> None:
    """Before a step, or at an instant: nothing is lost, doubled or torn."""
    trial = Trial(world, tmp_path, name)
    trial.at_steps([trial.steps * 2 // 3])  # among the files put in their places
    trial.at_instants(instants, random.Random(name))

    assert trial.tally.wrong == []
    assert (trial.tally.lost, trial.tally.doubled, trial.tally.torn) == (0, 0, 0)
    assert trial.tally.steps == 1


def test_a_kill_while_deciding_is_as_if_undisturbed(
    world: World, tmp_path: Path
) -> None:
    """And were a file torn, or a story gone, that would be seen."""
    trial = Trial(world, tmp_path, "note")
    trial.at_steps([trial.steps * 2 // 3])

    assert (trial.tally.steps, trial.tally.torn, trial.tally.wrong) == (1, 0, [])

    path = world.copy(tmp_path / "torn")
    (path.parent / "public" / "index.html").write_bytes(b"<!doctype html><p>hal")
    with closing(sqlite3.connect(path.with_name("aggregator.db"))) as raw, raw:
        raw.execute("UPDATE entries SET title = 'Un autre' WHERE story != ''")
    trial.judge(path, "now")

    assert "now: index.html" in trial.tally.wrong
    assert "now: tables entries" in trial.tally.wrong
    assert trial.tally.torn == 1


def test_a_full_disk_is_one_line_and_loses_nothing(
    world: World, bench: Bench, tmp_path: Path
) -> None:
    """Once there is room again, the next run brings what the first would have."""
    path = world.copy(tmp_path)
    most = path.with_name("aggregator.db").stat().st_size // 3
    full = subprocess.run(
        ["prlimit", f"--fsize={most}", sys.executable, "-m", "aggregator", "run"],
        cwd=tmp_path,
        env=unmeasured(environment()),
        capture_output=True,
        text=True,
        check=False,
    )
    again = done(path, "run")

    assert full.returncode == 1
    assert full.stderr.count("\n") == 1
    assert "aggregator.db: cannot be written" in full.stderr
    assert "is the disk full?" in full.stderr
    assert (again.returncode, again.stderr) == (0, "")
    assert State.of(tmp_path).differs(bench.calm["run"]) == []


def test_a_damaged_database_is_told_and_replaced(bench: Bench) -> None:
    """By a backup, to the byte, or by what is published; neither is touched before."""
    result = damaged(bench, 2, random.Random(1))

    assert result.wrong == []
    assert (result.tried, result.lost, result.doubled) == (2, 0, 0)


def test_a_reader_never_sees_half_a_file(world: World, tmp_path: Path) -> None:
    """While ten publishes change every file, each is whole, and of one of them."""
    reads, numbers, wrong = watched(world.copy(tmp_path), 10, 1000, published)

    assert wrong == []
    assert reads > 20
    assert numbers > 1


def test_half_a_file_and_a_mixed_one_are_seen() -> None:
    """So that it means something when none is."""
    title = b"<title>Revue de presse n%d.</title>"
    whole = b"<feed>" + title % 1 + title % 1 + b"</feed>"
    mixed = b"<feed>" + title % 1 + title % 2 + b"</feed>"

    assert faults("feed.atom", whole) == []
    assert faults("feed.atom", whole[:-3]) == ["feed.atom: not whole: 78 bytes"]
    assert faults("feed.atom", mixed) == ["feed.atom: mixed: [b'1', b'2']"]


def test_a_proof_is_told_in_its_last_line(tmp_path: Path) -> None:
    """With what it could not try; one that cannot be tried at all does not hold."""
    code = "print('NOT TRIED: a disk'); print('3 tried, 0 lost'); exit({})"
    promises = "print('ok\\tone'); print('2\\tanother'); print('\\t\\twhere')"
    held = prove(Proof("a", ("-c", code.format(0))))
    failed = prove(Proof("b", ("-c", code.format(1))))
    kept = prove(Proof("c", ("-c", promises), promises=True))
    idle = prove(Proof("e", ("-c", "print('atheris is not installed: nothing')")))
    absent = prove(Proof("d", ("-c", ""), needs=(tmp_path / "gone.py",)))

    assert (held.held, held.said) == (True, "3 tried, 0 lost")
    assert held.missing == ("NOT TRIED: a disk",)
    assert not failed.held
    assert kept.said == "1 promises kept, 1 broken"
    assert (absent.said, len(absent.missing)) == ("", 1)
    assert (idle.held, idle.said, len(idle.missing)) == (False, "", 1)
    assert len({proof.name for proof in PROOFS}) == len(PROOFS)


def test_a_copy_put_back_has_the_stories_since_taken_in(
    world: World, tmp_path: Path
) -> None:
    """As docs/operations.md tells: by importing what is published, before a cycle."""
    path = world.copy(tmp_path)
    copy = tmp_path / "copy.db"
    told = [done(path, "backup", str(copy)), done(path, "run")]
    known = stories(tmp_path)
    for one in tmp_path.glob("aggregator.db*"):
        one.unlink()
    shutil.copy(copy, tmp_path / "aggregator.db")
    since = {*known} - {*stories(tmp_path)}
    told.append(done(path, "import", str(tmp_path / "public" / "stories.jsonl")))

    assert [one.returncode for one in told] == [0, 0, 0]
    assert len(since) == 6
    assert sorted(stories(tmp_path)) == sorted(known)
    assert "6 stories restored, 9 there already" in told[-1].stderr
