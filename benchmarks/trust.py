"""Every proof that nothing is lost and nobody in, one after another, and a table.

Each proof is a script here or a part of the test suite that says in its last line what
was tried, how often, and what was lost. CI runs a quick part of each in the suite; this
is all of it, some hours. Prints the line of each as it ends, what could not be tried on
this machine, and all that a failing one said; exits 1 where one failed.

    python benchmarks/trust.py [--only PROOF]

--only may be repeated. As root, so that disks can be mounted; from a checkout whose
.venv `make setup` has made.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from played import CORPUS

ROOT = Path(__file__).parents[1]
UNTRIED = re.compile("^audit: skipped|is not installed")
AUDIT = ROOT / ".ci" / "audit.py"
THREATS = (  # most of what docs/security.md names
    "test_security.py",
    "test_cases.py",
    "test_hostile_world.py",
    "test_publish_hostile.py",
    "test_fetch.py",
    "test_sandbox.py",
)


@dataclass(frozen=True)
class Proof:
    """What is proved, and the words for Python that prove it.

    needs: what has to be there; without, it cannot be tried. promises: it prints a line
    for each promise, "ok" first, in place of one last line for all.
    """

    name: str
    words: Sequence[str]
    needs: tuple[Path, ...] = ()
    promises: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a proof ended. said: in one line; missing: what it could not try."""

    held: bool
    said: str
    missing: tuple[str, ...] = ()
    all: str = ""


def script(name: str, file: str, *words: str, corpus: bool = False) -> Proof:
    """Return the proof that a script here is."""
    path = ROOT / "benchmarks" / file
    needs = (path, CORPUS) if corpus else (path,)
    return Proof(name, (str(path), *words), needs, promises=file == "soak.py")


def suite(name: str, *files: str) -> Proof:
    """Return the proof that some files of the test suite are."""
    paths = tuple(ROOT / "tests" / file for file in files)
    return Proof(name, ("-m", "pytest", "-q", *map(str, paths)), paths)


PROOFS = (
    script("killed", "kills.py"),
    script("faults", "faults.py"),
    script("reader", "read_while.py"),
    suite("upgrades", "test_upgrades.py", "test_copies.py"),
    suite("installed", "test_install.py", "test_hardening.py", "test_sites.py"),
    script("hostile", "hostile.py"),
    script("damaged documents", "mutated.py", corpus=True),
    suite("threats", *THREATS),
    script("fuzz", "fuzz.py", "--minutes", "10"),
    script("fuzz, guided", "fuzz.py", "--guided", "--minutes", "10"),
    Proof("dependencies", (str(AUDIT),), (AUDIT,)),
    script("a day of the worker", "soak.py", "--outlets", "500"),
)


def prove(proof: Proof) -> Outcome:
    """Carry out one proof."""
    lacking = [str(path) for path in proof.needs if not path.exists()]
    if lacking:
        return Outcome(
            held=False, said="", missing=(f"{', '.join(lacking)}: not there",)
        )
    done = subprocess.run(
        [sys.executable, *proof.words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines() or [""]
    said = lines[-1]
    if done.returncode == 0 and UNTRIED.search(said):
        return Outcome(held=False, said="", missing=(said,))
    if proof.promises:
        broken = [line for line in lines if line.partition("\t")[0].isdecimal()]
        kept = sum(line.startswith("ok\t") for line in lines)
        said = f"{kept} promises kept, {len(broken)} broken"
    missing = tuple(
        line.strip()
        for line in lines
        if line.lstrip().startswith(("NOT TRIED", "SKIPPED"))
    )
    return Outcome(done.returncode == 0, said, missing, done.stdout)


def main() -> int:
    """Carry out the proofs; return 1 when one did not hold."""
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    names = [proof.name for proof in PROOFS]
    options.add_argument("--only", choices=names, action="append", metavar="PROOF")
    chosen = options.parse_args().only or names
    failed = 0
    print("proof\tresult\tminutes\twhat was tried, and what was lost")
    for proof in PROOFS:
        if proof.name not in chosen:
            continue
        began = time.monotonic()
        outcome = prove(proof)
        tried = bool(outcome.said)
        failed += tried and not outcome.held
        result = ("holds" if outcome.held else "FAILS") if tried else "not tried"
        minutes = (time.monotonic() - began) / 60
        print(f"{proof.name}\t{result}\t{minutes:.1f}\t{outcome.said}", flush=True)
        for line in outcome.missing:
            print(f"\t\t\t{line}", flush=True)
        if result == "FAILS":
            print(outcome.all, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
