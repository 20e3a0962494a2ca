"""A history of a million entries: how fast it is recorded, and searched by `try`.

Entries of about 360 characters, with the words of a language by their frequency, are
recorded through the store as a cycle would: outcomes of up to 25 entries, 200 in a
transaction. Prints entries recorded a second, the size of the database, and the time of
whole `aggregator try` processes for several lines; then that of `aggregator diff` and
`aggregator publish` after edits of a topic's lines. Exits 1 when a `try` takes half a
second or longer.

    python benchmarks/history.py [--entries 1000000] [--keep DIRECTORY]
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path

from aggregator.identity import number
from aggregator.model import Entry, Feed, Outcome, Outlet, Polling, Validators
from aggregator.store import Store, polls

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
FEEDS = 200
LISTED = 25  # entries that a poll brings
TOGETHER = 200  # outcomes in a transaction, as in `run`
SPAN = timedelta(days=180)
LIMIT = 0.5  # seconds that `try` may take
REPEATS = 5  # of which the median counts

COMMON = (
    "de la le et les des en un du une que est pour qui dans a par plus pas au sur ne "
    "se ce il sont avec ont été aux mais comme ou leur cette deux même tout fait être"
).split()
SUBJECTS = (
    "Antonio Casilli",
    "travailleurs du clic",
    "livreurs à vélo",
    "micro-tâches",
)
QUERIES = (
    ("rare phrase", "travailleurs du clic"),
    ("common word", "de"),
    ("NEAR", "NEAR(livreurs casilli, 12)"),
    ("NOT", 'casilli NOT ("travailleurs du clic" OR micro-tâche*)'),
    ("NOT of common words", "(et NOT la) AND casilli"),
    ("prefix", "livreu*"),
    ("nothing", "zzyzx introuvable"),
)

CONFIG = """\
[site]
title = "Une longue histoire"
url = "https://presse.invalid/"
[matching]
brake = 1000000
[[topics]]
id = "clic"
title = "Le clic"
match = [{lines}]
[outlets]
"""
NEAR = "'NEAR(livreurs casilli, 12)'"
EDITS = (
    ("a first topic", NEAR),
    ("nothing edited", NEAR),
    ("a rare line more", f"{NEAR}, 'casilli AND \"du clic\"'"),
    ("that line less", NEAR),
    ("a line more that finds 5,000", f'{NEAR}, "travailleurs du clic"'),
    ("that line less", NEAR),
)


class Words:
    """Texts of a language of 60,000 words, the n-th one 1/n times as frequent."""

    def __init__(self, chance: random.Random) -> None:
        """Write a long text, which all others are pieces of."""
        rare = [f"{a}{b}{n}" for n in range(20) for a in SYLLABLES for b in SYLLABLES]
        words = [*COMMON, *rare]
        weights = [*accumulate(1 / (rank + 3) for rank in range(len(words)))]
        self._text = chance.choices(words, cum_weights=weights, k=1_000_000)
        self._chance = chance

    def piece(self, count: int) -> str:
        """Return that many words in a row."""
        start = self._chance.randrange(len(self._text) - count)
        return " ".join(self._text[start : start + count])


SYLLABLES = [f"{c}{v}{d}" for c in "bdfgklmnprst" for v in "aéiou" for d in "rls"][:55]


def entries(feed: str, count: int, chance: random.Random, words: Words) -> list[Entry]:
    """Return entries of a feed, one in fifty of which mentions a subject."""
    made = []
    for _ in range(count):
        key = f"{chance.getrandbits(60):x}"
        summary = words.piece(54)
        if chance.random() < 1 / 50:
            summary = f"{summary[:120]} {chance.choice(SUBJECTS)} {summary[120:]}"
        if chance.random() < 1 / 5000:
            summary = f"{SUBJECTS[2]}, {SUBJECTS[0]} : {summary}"
        at = NOW - SPAN * chance.random()
        made.append(
            Entry(
                id=number(feed, key),
                key=key,
                url=f"{feed}/{key}",
                title=words.piece(10).capitalize(),
                summary=summary,
                fingerprint=number(feed, key, summary),
                published_at=at.replace(microsecond=0),
            )
        )
    return made


def outcomes(feeds: list[Feed], count: int, chance: random.Random) -> Iterator[Outcome]:
    """Yield polls, feed by feed in turn, until they brought `count` entries."""
    words = Words(chance)
    done = 0
    while done < count:
        for feed in feeds:
            found = entries(feed.url, min(LISTED, count - done), chance, words)
            if not found:
                return
            done += len(found)
            listed = tuple(entry.id for entry in found)
            yield Outcome(
                feed, NOW, Validators(), b"", 200, entries=tuple(found), listed=listed
            )


def build(path: Path, feeds: list[Feed], count: int) -> float:
    """Record `count` entries; return how many seconds the store took for it."""
    polling, took = Polling(), 0.0
    ready: list[Outcome] = []
    with Store(path) as store:
        polls.follow(store, feeds, NOW)

        def record() -> None:
            nonlocal took
            began = time.perf_counter()
            polls.record(store, ready, polling)
            took += time.perf_counter() - began
            ready.clear()

        for outcome in outcomes(feeds, count, random.Random(2020)):
            ready.append(outcome)
            if len(ready) == TOGETHER:
                record()
        record()
    return took


def spent(config: Path, *words: str) -> tuple[float, int, str]:
    """Return a command's time, the lines it printed, and what it said last."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "aggregator", "--config", str(config), *words],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "SOURCE_DATE_EPOCH": str(int(NOW.timestamp()))},
    )
    took = time.perf_counter() - began
    said = done.stderr.strip().splitlines()
    return took, len(done.stdout.splitlines()), said[-1] if said else ""


def main() -> int:
    """Build, search, print; return 1 when a search was too slow."""
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--entries", type=int, default=1_000_000)
    options.add_argument("--keep", type=Path, help="build there; search what is there")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = chosen.keep or Path(place)
        folder.mkdir(parents=True, exist_ok=True)
        urls = [f"https://outlet{n}.invalid/feed" for n in range(FEEDS)]
        config = folder / "feeds.toml"
        outlets = "".join(f'"Outlet {n}" = "{url}"\n' for n, url in enumerate(urls))

        def write(lines: str) -> None:
            config.write_text(CONFIG.format(lines=lines) + outlets, encoding="utf-8")

        write(NEAR)
        database = folder / "aggregator.db"
        if not database.exists():
            feeds = [
                Feed(url, Outlet(f"Outlet {n}", (url,))) for n, url in enumerate(urls)
            ]
            took = build(database, feeds, chosen.entries)
            rate = chosen.entries / took
            print(f"recorded: {chosen.entries} entries, {rate:,.0f} a second")
        print(f"database: {database.stat().st_size / 1e6:,.0f} MB")
        slow = 0
        for name, query in QUERIES:
            runs = sorted(spent(config, "try", query) for _ in range(REPEATS))
            seconds, printed, said = runs[REPEATS // 2]
            slow += seconds >= LIMIT
            print(f"try\t{seconds:.2f} s\t{name}\t{query}\t{printed} lines; {said}")
        for name, lines in EDITS:
            write(lines)
            seconds, _, said = spent(config, "diff")
            print(f"diff\t{seconds:.2f} s\t{name}\t{said}")
            seconds, printed, _ = spent(config, "publish")
            print(f"publish\t{seconds:.2f} s\t{name}\t{printed} files written")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
