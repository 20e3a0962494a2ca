"""Decisions that an editor saved over are missed, offered, and taken back or let go."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import test_decide
from test_decide import URL, call, curation
from worlds import aggregator

path = test_decide.path
polled = test_decide.polled
# Writes as many decisions as it is told, each by a pen of its own, as commands do.
WRITER = """
import sys
from pathlib import Path
from aggregator import config
from aggregator.append import Pen
from aggregator.model import Action, Decision
read = config.read(Path(sys.argv[1]))
for number in range(int(sys.argv[3])):
    Pen(read).write(Decision(Action.HIDE, (f"{sys.argv[2]}-{number}",)))
"""
# What a program does that rewrites the file and knows the lock.
REWRITER = """
import fcntl, os, sys
from pathlib import Path
path, new = Path(sys.argv[1]), Path(sys.argv[1] + ".new")
while sys.stdin.read(1):
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if os.path.samestat(os.fstat(file.fileno()), path.stat()):
            new.write_bytes(b"# mine\\n" + file.read())
            new.replace(path)
    print(flush=True)
"""


def said(path: Path, *words: str) -> str:
    """Return what a command says of missing decisions, "" for nothing."""
    found = re.search("curation.toml: (.*) written by a", call(path, *words).stderr)
    return found[1] if found else ""


def test_what_an_editor_saved_over_is_missed_and_comes_back(path: Path) -> None:
    """Every command says so; what `--lost` prints is pasted as it stands."""
    file = path.with_name("curation.toml")
    call(path, "hide", URL.format("a"))
    older = file.read_text() + "\n# à moi\n"
    call(path, "keep", URL.format("b"), "--reason", "c’est lui")
    call(path, "note", URL.format("b"), "--text", "À lire.")
    file.write_text(older)

    for words in (["check"], ["status"], ["search", "clic"], ["why", URL.format("b")]):
        assert said(path, *words) == "2 decisions", words

    lost = call(path, "decisions", "--lost")
    assert lost.stdout.count("[[decision]]") == 2
    assert [one["action"] for one in _json(path, "--lost")] == ["keep", "note"]

    file.write_text(older + lost.stdout)

    assert said(path, "check") == ""
    assert [one["action"] for one in _json(path)] == ["hide", "keep", "note"]
    assert call(path, "decisions", "--lost").stderr == "nothing is missing\n"


def test_a_decision_after_it_hides_no_loss(path: Path) -> None:
    """What is missing is noticed before another one is written below."""
    call(path, "hide", URL.format("a"))
    path.with_name("curation.toml").write_text("")
    call(path, "keep", URL.format("b"))

    assert said(path, "check") == "1 decision"
    assert [one["action"] for one in _json(path, "--lost")] == ["hide"]


def test_what_is_taken_out_on_purpose_is_not_missed(path: Path) -> None:
    """By `--undo`, by hand from between others, or by saying so."""
    file = path.with_name("curation.toml")
    for name in ("a", "b"):
        call(path, "pin", URL.format(name))
    call(path, "pin", URL.format("b"), "--undo")
    assert said(path, "check") == ""

    call(path, "keep", URL.format("b"))
    tables = file.read_text().split("\n\n")
    file.write_text(tables[-1])
    assert said(path, "check") == ""

    file.write_text("")
    assert said(path, "check") == "1 decision"
    assert call(path, "decisions", "--forget").stderr == "1 missed no longer\n"
    assert said(path, "check") == ""
    assert curation(path) == ""


def test_cron_is_told_once(path: Path) -> None:
    """A mail every quarter of an hour would help nobody."""
    call(path, "hide", URL.format("a"))
    path.with_name("curation.toml").write_text("")

    assert "1 decision" in aggregator(path, "run").stderr
    assert aggregator(path, "run").stderr == ""
    assert said(path, "check") == "1 decision"


def test_writers_and_a_program_that_locks_lose_nothing(path: Path) -> None:
    """Two commands write at once while a third puts the file in its own place.

    What an editor that knows no lock then saves over is noticed, all of it, and given
    back.
    """
    count = 200
    file = path.with_name("curation.toml")
    file.touch()
    with subprocess.Popen(
        [sys.executable, "-c", REWRITER, file],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as rewriter:
        writers = [
            subprocess.Popen([sys.executable, "-c", WRITER, path, name, str(count)])
            for name in ("one", "two")
        ]
        assert rewriter.stdin
        assert rewriter.stdout
        asked = 0
        while any(writer.poll() is None for writer in writers):
            print(file=rewriter.stdin, flush=True)
            assert rewriter.stdout.readline()
            asked += 1
        rewriter.stdin.close()

    assert [one.returncode for one in (*writers, rewriter)] == [0, 0, 0]
    # one that came between its open and its lock is the other's, and tried anew
    assert 0 < curation(path).count("# mine\n") <= asked
    names = re.findall('url += "(.*)"', curation(path))
    assert sorted(names) == sorted(
        f"{name}-{number}" for name in ("one", "two") for number in range(count)
    )
    assert said(path, "check") == ""


def test_decisions_are_listed_with_their_stories(path: Path) -> None:
    """In the order of the file; one that names nothing known shows what it names."""
    call(path, "hide", URL.format("a"))
    call(path, "pin", URL.format("zz"))
    listed = call(path, "decisions")

    rows = [re.split(" {2,}", line.strip()) for line in listed.stdout.splitlines()]
    assert [row[2:] for row in rows[1:]] == [
        ["hide", rows[1][3], "Les travailleurs du clic"],
        ["pin", "–", URL.format("zz")],
    ]
    assert listed.stderr == "curation.toml: 2 decisions\n"
    assert [len(one["stories"]) for one in _json(path)] == [1, 0]


def _json(path: Path, *words: str) -> list[dict[str, object]]:
    found = json.loads(call(path, "decisions", *words, "--json").stdout)
    assert isinstance(found, list)
    return found
