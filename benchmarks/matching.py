"""How many entries a second the matcher takes, on one core, folding included.

Invented entries of 360 characters, some with what the topics look for, go through
`match` in batches as polls make them: a handful after a quiet hour, a thousand at a
first poll. The topics are those of a feeds.toml, repeated until there are enough.
Prints a line for each size of batch; exit 1 when batches of 1,000 or more are slower
than the bound.

    python benchmarks/matching.py [--feeds FILE] [--topics 50] [--least 40000]
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path

from aggregator import config
from aggregator.match import match
from aggregator.model import Entry, Outlet, Topic

ROOT = Path(__file__).resolve().parents[1]
CHARACTERS = 360  # of title and summary together
TITLE = 70  # of them in the title
HITS = 100  # one entry in so many holds the words of a topic
SIZES = (20, 100, 1_000, 2_000)
BOUND_FROM = 1_000  # entries a batch
ENTRIES = 20_000  # matched for each size, of which the best round counts
ROUNDS = 5
WORDS = """
    le la les des une dans pour avec sur plus été est à l’Assemblée gouvernement projet
    loi matin hier région élève côté société économie d’après François réforme budget
    grève train hôpital école météo « terrain » climat énergie Réunion août forêt œuvre
    cinéma festival musée aujourd’hui semaine enquête témoins procès président ministre
    Bruxelles européen marché croissance salaires emploi entreprise livre auteur roman
    """.split()
FOUND = (
    "Les travailleurs du clic, petites mains de l’IA",
    "Antonio A. Casilli, sociologue à Télécom Paris",
    "« Invisibles », la série de France.tv Slash sur les forçats du numérique",
    "Grève des livreurs de Deliveroo",
)


def entries(count: int) -> list[Entry]:
    """Return invented entries, always the same."""
    chance = random.Random(4)
    made = []
    for number in range(count):
        words = chance.choices(WORDS, k=CHARACTERS // 4)
        text = " ".join(words).capitalize()
        title, summary = text[:TITLE], text[TITLE:CHARACTERS]
        if number % HITS == 0:
            title = chance.choice(FOUND)
        made.append(Entry(number, str(number), "", title, summary, 0))
    return made


def topics(found: tuple[Topic, ...], count: int) -> tuple[Topic, ...]:
    """Return so many topics with the lines of those found, each with its own id."""
    return tuple(
        replace(topic, id=f"{topic.id}-{number}")
        for number, topic in enumerate(islice(cycle(found), count))
    )


def rate(made: list[Entry], wanted: tuple[Topic, ...], size: int) -> tuple[float, int]:
    """Return the entries a second of the best round, and the mentions of one."""
    outlet, best, mentions = Outlet("Le Jour", ()), 0.0, 0
    for _ in range(ROUNDS):
        start = time.process_time()
        mentions = sum(
            len(match(made[at : at + size], wanted, outlet))
            for at in range(0, len(made), size)
        )
        best = max(best, len(made) / (time.process_time() - start))
    return best, mentions


def main() -> int:
    """Make, match, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--feeds", type=Path, default=ROOT / "feeds.toml")
    parser.add_argument("--topics", type=int, default=50)
    parser.add_argument("--least", type=int, default=40_000, help="entries a second")
    parser.add_argument("--entries", type=int, default=ENTRIES)
    given = parser.parse_args()
    wanted = topics(config.read(given.feeds).topics, given.topics)
    lines = sum(len(t.match) + len(t.review) + len(t.never) for t in wanted)
    made = entries(given.entries)
    print(f"{len(wanted)} topics, {lines} lines, {len(made)} entries")
    print("entries a batch\tentries/s\tmentions")
    slow = False
    for size in SIZES:
        best, mentions = rate(made, wanted, size)
        print(f"{size}\t{best:,.0f}\t{mentions}")
        slow |= size >= BOUND_FROM and best < given.least
    print(f"slower than {given.least:,}/s" if slow else "fast enough")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
