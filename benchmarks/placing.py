"""What placing a mention among many stories costs.

Builds stories of invented articles through the store's own functions, then places more
mentions as cycles do: all at once, and a few at a time. One in ten is a copy: another
spelling of an address, or an agency's text under another headline elsewhere. Prints the
mean and the 95th percentile in milliseconds; exit 1 when a mean is over the limit or a
copy has not found its story.

    python benchmarks/placing.py [--stories N] [--more N] [--limit MILLISECONDS]
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from statistics import mean, quantiles

from aggregator.bulletin import join
from aggregator.identity import number
from aggregator.model import (
    Entry,
    Feed,
    Mention,
    Outcome,
    Outlet,
    Polling,
    Validators,
    Verdict,
)
from aggregator.store import Store, polls

FIRST = datetime(2020, 2, 14, 8, tzinfo=UTC)
DAYS = 2000  # over which the stories are spread
FEEDS = tuple(
    Feed(url, Outlet(f"Journal {place}", (url,)))
    for place in range(100)
    for url in [f"https://journal-{place}.invalid/feed"]
)
BATCH = 2000  # mentions recorded and placed at once while building
COPIES = 10  # one of so many new ones is a copy of a story
FEW = 20  # mentions in a cycle
LIMIT = 2.0  # milliseconds on average

Told = tuple[Feed, Entry]


def articles(count: int, rng: random.Random) -> Iterator[Told]:
    """Yield invented articles of all feeds, in words as often used as in a language."""
    vocabulary = [f"{chr(97 + n % 26)}mot{n}" for n in range(5000)]
    weights = [1 / (rank + 2) for rank in range(len(vocabulary))]
    for place in range(count):
        words = rng.choices(vocabulary, weights, k=40)
        feed = rng.choice(FEEDS)
        url = f"{feed.url.removesuffix('feed')}article-{place}"
        yield (
            feed,
            Entry(
                id=number(feed.url, url),
                key=url,
                url=url,
                title=" ".join(words[:10]).capitalize(),
                summary=f"PARIS (AFP) - {' '.join((*words[:4], *words[10:]))}.",
                fingerprint=place,
                published_at=FIRST + timedelta(days=DAYS * place / count),
            ),
        )


def copy(told: Told, place: int, rng: random.Random) -> Told:
    """Return the article in another feed: its address spelt otherwise, or its text."""
    feed, entry = told
    other = rng.choice([one for one in FEEDS if one != feed])
    if place % 2:
        key, url = f"{entry.key}-{place}", f"{entry.url}?utm_source=rss&utm_id={place}"
        return other, replace(entry, id=number(other.url, key), key=key, url=url)
    url = f"{other.url.removesuffix('feed')}depeche-{place}"
    title = (
        f"{' '.join(entry.title.split()[:3])} : autre titre {entry.title.split()[3]}"
    )
    return other, replace(
        entry,
        id=number(other.url, url),
        key=url,
        url=url,
        title=title,
        published_at=entry.published_at and entry.published_at + timedelta(minutes=20),
    )


def batched(told: Iterable[Told], size: int) -> Iterator[list[Told]]:
    """Yield the articles in lists of `size`."""
    rest = iter(told)
    while batch := list(islice(rest, size)):
        yield batch


def record(store: Store, told: Iterable[Told]) -> None:
    """Keep articles as polls of their feeds would, each as a mention."""
    by_feed: dict[Feed, list[Entry]] = {}
    for feed, entry in told:
        by_feed.setdefault(feed, []).append(entry)
    now = FIRST + timedelta(days=DAYS + 1)
    outcomes = [
        Outcome(
            feed,
            now,
            Validators(),
            b"",
            status=200,
            entries=tuple(entries),
            listed=tuple(one.id for one in entries),
            mentions=tuple(
                Mention(one.id, "tout", Verdict.CERTAIN, "always", "", "")
                for one in entries
            ),
        )
        for feed, entries in by_feed.items()
    ]
    polls.record(store, outcomes, Polling())


def story_of(store: Store, entry: Entry) -> str:
    """Return the story an entry was placed in."""
    (row,) = store.rows("SELECT story FROM entries WHERE id = ?", entry.id)
    return str(row["story"])


def timed(store: Store, told: list[Told], size: int) -> list[float]:
    """Return what placing cost each of the mentions, placed `size` at once, in ms."""
    spent: list[float] = []
    for batch in batched(told, size):
        record(store, batch)
        began = time.perf_counter()
        join(store, {})
        took = (time.perf_counter() - began) * 1000
        spent += [took / len(batch)] * len(batch)
    return spent


def main() -> int:
    """Build, place, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--stories", type=int, default=100_000)
    parser.add_argument("--more", type=int, default=1000)
    parser.add_argument("--limit", type=float, default=LIMIT)
    given = parser.parse_args()
    rng = random.Random(1)
    told = list(articles(given.stories + given.more, rng))
    rng.shuffle(told)
    held, new = told[: given.stories], told[given.stories :]
    bad = False
    with (
        tempfile.TemporaryDirectory() as folder,
        Store(Path(folder) / "aggregator.db") as store,
    ):
        polls.follow(store, FEEDS, FIRST)
        for batch in batched(held, BATCH):
            record(store, batch)
            join(store, {})
        (row,) = store.rows("SELECT count(DISTINCT story) AS n FROM entries")
        print(f"{row['n']} stories")
        alone = 0
        for name, size, part in (
            ("at once", given.more, new[: given.more // 2]),
            (f"{FEW} at a time", FEW, new[given.more // 2 :]),
        ):
            origin = {}
            for place in range(0, len(part), COPIES):
                source = held[rng.randrange(len(held))]
                part[place] = copy(source, place // COPIES, rng)
                origin[part[place][1]] = source[1]
            spent = timed(store, part, size)
            p95 = quantiles(spent, n=20)[-1]
            print(f"{name}\tmean {mean(spent):.2f} ms\tp95 {p95:.2f} ms")
            bad |= mean(spent) > given.limit
            alone += sum(
                story_of(store, one) != story_of(store, source)
                for one, source in origin.items()
            )
        print(f"{alone} copies have not found their story")
    return 1 if bad or alone else 0


if __name__ == "__main__":
    sys.exit(main())
