"""What fuzzing has found, tried for ever: each file of tests/cases/STAGE by its law.

`benchmarks/fuzz.py` writes them, `benchmarks/fuzz_laws.py` says what must hold.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from fuzz import SLOW, Tries
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
