"""Read the published folder a hundred times a second while it is published again.

Each publish has another number in every file that may hold one. A reader in a process
of its own reads feed.atom, then another file, as a web server does: each has to be
there, whole, valid, and of one number alone. Prints how often it read and what it saw;
exits 1 where a file was cut short, mixed or missing.

    python benchmarks/read_while.py [--publishes 1000] [--rate 100]
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import re
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from multiprocessing.synchronize import Event
from pathlib import Path

from struck_world import LATER, broken, playing

NUMBER = re.compile(rb"Revue de presse n(\d+)\.")


def faults(name: str, body: bytes) -> list[str]:
    """Return what is wrong with a file that was read."""
    if broken({name: body}):
        return [f"{name}: not whole: {len(body)} bytes"]
    numbers = {*NUMBER.findall(body)}
    return [f"{name}: mixed: {sorted(numbers)}"] if len(numbers) > 1 else []


def read(
    public: Path, names: Sequence[str], rate: float, over: Event, told: Path
) -> None:
    """Read until it is over; write down how often, how many numbers, what was wrong."""
    seen: set[bytes] = set()
    wrong: list[str] = []
    reads, began = 0, time.monotonic()
    while not over.is_set():
        name = names[reads // 2 % len(names)] if reads % 2 else "feed.atom"
        reads += 1
        try:
            body = (public / name).read_bytes()
        except FileNotFoundError:
            wrong.append(f"{name}: not there")
            continue
        wrong += faults(name, body)
        seen.update(NUMBER.findall(body))
        time.sleep(max(began + reads / rate - time.monotonic(), 0))
    result = {"reads": reads, "numbers": len(seen), "wrong": wrong}
    told.write_text(json.dumps(result), "utf-8")


def watched(
    config: Path, publishes: int, rate: float, publish: Callable[[Path], None]
) -> tuple[int, int, list[str]]:
    """Publish so often under the eyes of a reader.

    Returns how often it read, how many of the numbers it saw, and what was wrong.
    """
    text, told = config.read_text("utf-8"), config.with_name("reader.json")
    context = multiprocessing.get_context("spawn")
    over = context.Event()
    public = config.with_name("public")
    names = sorted(str(path.relative_to(public)) for path in public.rglob("*.*"))
    reader = context.Process(target=read, args=(public, names, rate, over, told))
    reader.start()
    try:
        for number in range(publishes):
            title = f"Revue de presse n{number}."
            entry = f'entry_title = "{{title}} ({title})"\ncontact ='
            new = text.replace("Revue de presse", title).replace("contact =", entry)
            config.write_text(new, "utf-8")
            publish(config)
    finally:
        over.set()
        reader.join()
    result = json.loads(told.read_text("utf-8"))
    return result["reads"], result["numbers"], result["wrong"]


def published(config: Path) -> None:
    """Publish once, as the command does, without starting a process for it."""
    from datetime import UTC, datetime  # noqa: PLC0415 - the reader needs none of it

    from aggregator import bulletin  # noqa: PLC0415
    from aggregator.desk import Desk  # noqa: PLC0415

    bulletin.republish(Desk.load(config), datetime.fromtimestamp(LATER, UTC))


def main() -> int:
    """Publish and read; return 1 when a reader saw what no reader may see."""
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--publishes", type=int, default=1000)
    options.add_argument("--rate", type=float, default=100, help="reads a second")
    chosen = options.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as place, playing(Path(place)) as world:
        config = world.copy(Path(place, "read"))
        reads, numbers, wrong = watched(
            config, chosen.publishes, chosen.rate, published
        )
    seconds = time.monotonic() - began
    print(*wrong[:20], sep="\n")
    print(
        f"{chosen.publishes} publishes, {reads} reads in {seconds:.0f} s, {numbers} of "
        f"the publishes seen, {len(wrong)} wrong"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
