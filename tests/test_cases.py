"""What fuzzing has found, tried for ever: each file of tests/cases/STAGE by its law.

`benchmarks/fuzz.py` writes them, `benchmarks/fuzz_laws.py` says what must hold.
"""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

import pytest
from fuzz import SLOW, Tries, main
from fuzz_laws import LAWS

CASES = sorted(path for path in (Path(__file__).parent / "cases").glob("*/*"))


@pytest.mark.parametrize("path", CASES, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_what_was_found_is_found_no_more(path: Path) -> None:
    """The law of the stage holds, and the time is short."""
    began = time.process_time()
    LAWS[path.parent.name].holds(path.read_bytes())

    assert time.process_time() - began < SLOW


@pytest.mark.parametrize("stage", LAWS)
def test_every_law_holds_for_its_seeds(stage: str) -> None:
    """What is to be varied is sound itself, and there is some."""
    assert LAWS[stage].seeds
    for body in LAWS[stage].seeds[:5]:
        LAWS[stage].holds(body)


def test_a_fault_is_kept_once_and_as_short_as_it_comes(tmp_path: Path) -> None:
    """Each place that fails is a file; a shorter case takes its place, others stay."""

    def law(body: bytes) -> None:
        if body.startswith(b"a"):
            raise ValueError
        assert not body.startswith(b"b")

    tries = Tries("stage", law, tmp_path)
    for body in (b"aaa", b"x", b"aa", b"aaaa", b"b"):
        tries.attempt(body)
    kept = {path.read_bytes() for path in (tmp_path / "stage").iterdir()}

    assert kept == {b"aa", b"b"}
    assert tries.count == 5
    assert len(tries.found) == 2


def test_stages_are_tried_for_as_long_as_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The script as it is started: what it tried, and where it would keep a case."""
    words = ["fuzz.py", "fold", "--minutes", "0.0001", "--cases", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", words)

    assert main() == 0
    assert re.match(
        r"fold, thought up: \d+ tried, .* 0 faults", capsys.readouterr().out
    )
    assert list(tmp_path.iterdir()) == []


def test_a_stage_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With those that are."""
    monkeypatch.setattr(sys, "argv", ["fuzz.py", "folding"])
    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 2
