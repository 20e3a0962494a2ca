"""Whatever others may send, tried on each stage for as long as one wants.

Two ways to think of it: hypothesis makes inputs of the pieces that each stage reads;
with --guided, atheris (`make fuzz` installs it) changes seeds and goes on with those
that reach new lines. Laws and seeds stand in `fuzz_laws.py`; feeds of the corpus are
seeds too. What breaks a law, or takes too long, is written to tests/cases/STAGE/, where
`tests/test_cases.py` tries it for ever. Prints for each stage what was tried and found;
exit 1 when anything was.

    python benchmarks/fuzz.py [STAGE…] [--minutes 1] [--guided] [--corpus PATH]
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import os
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CASES = ROOT / "tests" / "cases"
SLOW = 5.0  # seconds of the processor that no input of a few kB may take
SLOWER = 5.0  # times that guidance slows everything
LONGEST = 60_000  # bytes of a seed; longer ones take longer and reach no other lines
GUIDED = ("parse", "query")  # the stages whose branches are worth guidance
WATCHED = ["aggregator", "feedparser"]  # the packages whose lines count as reached
AT_ONCE = 200  # examples between two looks at the clock


@dataclass
class Tries:
    """What was tried on a stage, and what was found: of each fault the shortest case.

    most: seconds of the processor that an input may take.
    """

    stage: str
    law: Callable[[bytes], None]
    cases: Path
    most: float = SLOW
    count: int = 0
    longest: float = 0.0
    found: dict[str, int] = field(default_factory=dict)

    def attempt(self, body: bytes) -> None:
        """Try one input; keep it when it breaks the law in a way that is new."""
        self.count += 1
        began = time.process_time()
        try:
            self.law(body)
        except Exception as exc:  # noqa: BLE001 - every one is a finding
            place = traceback.extract_tb(exc.__traceback__)[-1]
            self.keep(
                f"{type(exc).__name__} in {Path(place.filename).name}:{place.lineno}",
                body,
            )
        took = time.process_time() - began
        self.longest = max(self.longest, took)
        if took > self.most:
            self.keep("slow", body)

    def keep(self, fault: str, body: bytes) -> None:
        """Write a case down, unless one of that fault is there that is no longer."""
        if self.found.get(fault, sys.maxsize) <= len(body):
            return
        name = hashlib.sha256(fault.encode()).hexdigest()[:12]
        path = self.cases / self.stage / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        self.found[fault] = len(body)
        print(f"{self.stage}: {fault}, {len(body)} bytes: {path}", flush=True)

    def tell(self, way: str) -> None:
        """Print what came of it."""
        print(
            f"{self.stage}, {way}: {self.count} tried, the longest {self.longest:.2f} s"
            f" of the processor, {len(self.found)} faults",
            flush=True,
        )


def seeds(law: Any, corpus: Path) -> tuple[bytes, ...]:  # noqa: ANN401 - imported late
    """Return the seeds of a law, those of the corpus too, where there is one."""
    paths = sorted((corpus / "feeds" / "dev").glob(law.real)) if law.real else []
    real = (path.read_bytes() for path in paths)
    return (*law.seeds, *(body for body in real if len(body) <= LONGEST))


def thought_up(stage: str, seconds: float, chosen: argparse.Namespace) -> bool:
    """Try what hypothesis makes; return whether nothing was found."""
    from hypothesis import HealthCheck, Phase, given, settings  # noqa: PLC0415 - slow

    law = importlib.import_module("fuzz_laws").LAWS[stage]
    tries = Tries(stage, law.holds, chosen.cases)

    @settings(
        max_examples=AT_ONCE,
        deadline=None,
        database=None,
        derandomize=False,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(law.inputs(seeds(law, chosen.corpus)))
    def some(body: bytes) -> None:
        tries.attempt(body)

    until = time.monotonic() + seconds
    while time.monotonic() < until:
        some()
    tries.tell("thought up")
    return not tries.found


def guided(stage: str, seconds: float, chosen: argparse.Namespace) -> None:
    """Try what atheris finds its way to, and end this process: 1 when it found any."""
    import atheris  # noqa: PLC0415 - not everywhere

    with atheris.instrument_imports(include=WATCHED):
        law = importlib.import_module("fuzz_laws").LAWS[stage]
    tries = Tries(stage, law.holds, chosen.cases, SLOW * SLOWER)
    until = time.monotonic() + seconds

    def attempt(body: bytes) -> None:
        tries.attempt(body)
        if time.monotonic() > until:  # libFuzzer never returns
            tries.tell("guided")
            os._exit(bool(tries.found))

    with tempfile.TemporaryDirectory() as folder:
        for number, body in enumerate(seeds(law, chosen.corpus)):
            Path(folder, str(number)).write_bytes(body)
        options = [f"-max_len={LONGEST}", "-verbosity=0", "-timeout=600"]
        options += [f"-artifact_prefix={folder}/"]  # what is slow is kept by `attempt`
        atheris.Setup([sys.argv[0], *options, folder], attempt)
        atheris.Fuzz()


def main() -> int:
    """Try every stage that was named; the exit status is as said above."""
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("stages", nargs="*", metavar="STAGE", help="else all of them")
    options.add_argument("--minutes", type=float, default=1.0, help="for each stage")
    options.add_argument("--guided", action="store_true", help=", ".join(GUIDED))
    options.add_argument("--cases", type=Path, default=CASES)
    options.add_argument("--corpus", type=Path, default=ROOT.parent / "shared/corpus")
    options.add_argument("--guide", action="store_true", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    seconds = 60 * chosen.minutes
    if chosen.guide:
        guided(chosen.stages[0], seconds, chosen)
    if chosen.guided and not find_spec("atheris"):
        print("atheris is not installed: nothing is guided")
        return 0
    every = GUIDED if chosen.guided else importlib.import_module("fuzz_laws").LAWS
    if unknown := {*chosen.stages} - {*every}:
        options.error(f"no such stage: {', '.join(unknown)}; {', '.join(every)}")
    well = True
    for stage in chosen.stages or every:
        if chosen.guided:
            command = [sys.executable, __file__, stage, "--guide"]
            command += ["--minutes", str(chosen.minutes), "--cases", str(chosen.cases)]
            command += ["--corpus", str(chosen.corpus)]
            well = subprocess.run(command, check=False).returncode == 0 and well
        else:
            well = thought_up(stage, seconds, chosen) and well
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
