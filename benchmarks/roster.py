"""How long it takes to add outlets to a feeds.toml that has thousands.

The shipped file is filled up with invented outlets, in columns and with comments. One
more is added, then as many as it has, these again, and an address to each that was
there. Prints the seconds of each; exit 1 when one takes longer than the bound, or a
line that was there is another one afterwards.

    python benchmarks/roster.py [--outlets 3000] [--most 5]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from aggregator import roster
from aggregator.model import Outlet

ROOT = Path(__file__).resolve().parents[1]


def outlets(count: int, host: str, path: str = "feed") -> list[Outlet]:
    """Return invented outlets, each on a host of its own."""
    return [
        Outlet(f"Journal {host}{n}", (f"https://{host}{n}.example/{path}",))
        for n in range(count)
    ]


def timed(path: Path, what: str, wanted: list[Outlet], most: float) -> bool:
    """Add outlets, print how long that took, and tell whether it is within bounds."""
    start = time.perf_counter()
    change = roster.add(path, wanted)
    seconds = time.perf_counter() - start
    count = f"{len(change.new)} new, {len(change.more)} longer"
    print(f"{what}: {seconds:.2f} s ({count}, {len(change.known)} known)")
    return seconds <= most


def main() -> int:
    """Run it; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--outlets", type=int, default=3_000)
    parser.add_argument("--most", type=float, default=5.0, help="seconds")
    given = parser.parse_args()
    many = given.outlets
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "feeds.toml"
        start = (ROOT / "feeds.toml").read_text(encoding="utf-8").rstrip()
        filled = "".join(
            f'\n"{one.name}" = "{one.urls[0]}"   # {one.name}'
            for one in outlets(many, "a")
        )
        path.write_text(f"{start}\n{filled}\n", encoding="utf-8")
        before = path.read_text(encoding="utf-8").splitlines()
        steps = (
            ("one more", outlets(1, "b")),
            (f"{many} more", outlets(many, "c")),
            ("the same again", outlets(many, "c")),
        )
        fine = [timed(path, what, wanted, given.most) for what, wanted in steps]
        kept = set(before) <= set(path.read_text(encoding="utf-8").splitlines())
        more = outlets(many, "a", "idees")
        fine.append(timed(path, "an address to each that was there", more, given.most))
    print("every line kept" if kept else "a line was changed")
    return 0 if kept and all(fine) else 1


if __name__ == "__main__":
    sys.exit(main())
