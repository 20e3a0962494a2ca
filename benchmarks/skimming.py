"""How many real feeds are skimmed, whether feedparser agrees, and what both cost.

Each document of the corpus is read as polls read it, then all of it by feedparser; so
are invented feeds of 50 entries, with the lines of a feeds.toml, as a first poll brings
them and with two new entries. In CPU time of one core, without fetching and storing.
Prints the figures, and every document in which a field of an entry differs; exit 1
when there is one, when too few are skimmed, or when skimming is not worth it.

    python benchmarks/skimming.py [--corpus PATH] [--feeds FILE] [--made 40]
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from played import CORPUS

from aggregator import config, parse, sift
from aggregator.model import Feed, Fetched, Outlet, ParseError, Topic
from aggregator.parse import Reading, judged

ROOT = Path(__file__).resolve().parents[1]
URL = "https://outlet.invalid/feed"
ENTRIES, FRESH = 50, 2  # of a feed, and how many of them are new at the second poll
MOST = 2000  # polling.max_entries as shipped
ROUNDS = 3  # of which the best counts
LEAST_SKIMMED = 0.85  # of the documents
LEAST_RATIO = 2.0  # of the time by feedparser to that by skimming
WORDS = """
    le la les des une dans pour avec sur plus été est à l’Assemblée gouvernement projet
    loi matin hier région élève côté société économie d’après François réforme budget
    grève train hôpital école météo « terrain » climat énergie Réunion août forêt œuvre
    """.split()
HEAD = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>
<title>Essai</title><link>https://outlet.invalid/</link><language>fr-FR</language>
"""
ITEM = """<item><title>{title}</title><link>https://outlet.invalid/{slug}</link>
<guid isPermaLink="false">https://outlet.invalid/?p={slug}</guid>
<pubDate>Mon, 23 Nov 2026 10:30:00 +0100</pubDate><dc:creator>Ana Dupont</dc:creator>
<category>Société</category><description><![CDATA[{text}]]></description></item>
"""
PARAGRAPH = '<p>{} &amp; <a href="https://outlet.invalid/?a=1&amp;b=2">{}</a></p>'


def made(feed: int, first: int) -> bytes:
    """Return an invented feed of 110 kB, always the same. first: its newest entry."""
    items = []
    for number in range(first, first - ENTRIES, -1):
        chance = random.Random(f"{feed} {number}")

        def some(count: int, chance: random.Random = chance) -> str:
            return " ".join(chance.choices(WORDS, k=count))

        text = "".join(PARAGRAPH.format(some(55), some(3)) for _ in range(4))
        slug = f"{feed}-{number}"
        items.append(ITEM.format(title=some(10), slug=slug, text=text))
    return f"{HEAD}{''.join(items)}</channel></rss>".encode()


def fastest(work: Callable[[], object]) -> float:
    """Return the CPU seconds of the best of some rounds."""
    times = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times)


def read(body: bytes) -> Reading | None:
    """Return a document as polls read it, None for what is no feed."""
    try:
        return parse.read(Fetched(URL, 200, body), URL, MOST)
    except ParseError:
        return None


def of_corpus(paths: list[Path]) -> bool:
    """Read real feeds both ways; print, and return whether all is well."""
    readings = {path.name: read(path.read_bytes()) for path in paths}
    feeds = {name: reading for name, reading in readings.items() if reading}
    skimmed = {name: each for name, each in feeds.items() if each.source}
    other = [name for name, each in skimmed.items() if judged(each) != each.document]
    entries = [
        sum(len(each.document.entries) for each in some.values())
        for some in (skimmed, feeds)
    ]
    print(f"{len(skimmed)} of {len(feeds)} documents are skimmed, that is ", end="")
    print(f"{entries[0]} of {entries[1]} entries; {len(other)} read otherwise", *other)
    bodies = [path.read_bytes() for path in paths if path.name in skimmed]
    quick = fastest(lambda: [read(body) for body in bodies])
    thorough = fastest(lambda: [judged(each) for each in skimmed.values()])
    print(f"those take {quick:.2f} s, by feedparser {thorough:.2f} s")
    return not other and len(skimmed) >= LEAST_SKIMMED * len(feeds)


def sifted(
    bodies: Iterable[bytes], topics: tuple[Topic, ...], known: list[frozenset[int]]
) -> list[frozenset[int]]:
    """Sift feeds as polls do; return the fingerprints of what is new in each."""
    feed = Feed(URL, Outlet("Essai", ()))
    return [
        frozenset(
            entry.fingerprint
            for entry in sift.sift(
                Fetched(URL, 200, body), feed, topics, seen, MOST
            ).entries
        )
        for body, seen in zip(bodies, known, strict=True)
    ]


def of_made(count: int, topics: tuple[Topic, ...]) -> bool:
    """Time invented feeds; print, and return whether skimming them is worth it."""
    first = [made(feed, ENTRIES) for feed in range(count)]
    later = [made(feed, ENTRIES + FRESH) for feed in range(count)]
    nothing = [frozenset[int]()] * count
    known = sifted(first, topics, nothing)
    each = 1000 / count  # ms a feed
    new = fastest(lambda: sifted(first, topics, nothing)) * each
    steady = fastest(lambda: sifted(later, topics, known)) * each
    readings = [reading for reading in map(read, first) if reading]
    quick = fastest(lambda: [read(body) for body in first]) * each
    thorough = fastest(lambda: [judged(reading) for reading in readings]) * each
    size = sum(map(len, first)) // count
    print(f"{count} feeds of {ENTRIES} entries and {size / 1000:.0f} kB, ms each:")
    print(f"read {quick:.1f}, by feedparser {thorough:.1f}; ", end="")
    print(f"sifted, all new {new:.1f}, {FRESH} new {steady:.1f}")
    return thorough >= LEAST_RATIO * quick


def main() -> int:
    """Read, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--feeds", type=Path, default=ROOT / "feeds.toml")
    parser.add_argument("--made", type=int, default=40, help="invented feeds")
    given = parser.parse_args()
    topics = config.read(given.feeds).topics
    well = of_corpus(sorted((given.corpus / "feeds" / "dev").glob("*.xml")))
    return 0 if of_made(given.made, topics) and well else 1


if __name__ == "__main__":
    sys.exit(main())
