"""How many entries a second the store records, on one core, as polls bring them.

Invented feeds of outlets that have been followed for long: each lists 50 entries, and
so many have left its document since. Timed are the first polls of all feeds, 50 new
entries each; then usual ones, in which two of the 50 are new and two are gone; polls in
which an outlet retitled two besides; and polls in which it renewed every guid. Prints a
line for each; the best round counts, in seconds of the processor. Exit 1 when usual
polls are slower than the bound.

    python benchmarks/recording.py [--feeds 200] [--gone 1000] [--least 1000]
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from history import Words

from aggregator.identity import number
from aggregator.model import Entry, Feed, Outcome, Outlet, Polling, Validators
from aggregator.store import Store, polls

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PAUSE = timedelta(hours=1)  # between two polls of a feed
LISTED = 50  # entries of a document
NEW = 2  # of which a usual poll brings so many
TOGETHER = 200  # outcomes in a transaction, as in `run`
ROUNDS = 5


class Newsroom:
    """One outlet's feed: what its document lists at each poll."""

    def __init__(self, place: int, words: Words, chance: random.Random) -> None:
        """Give the outlet its address; `words` is what its texts are made of."""
        url = f"https://www.outlet{place}.example/rss.xml"
        self.feed = Feed(url, Outlet(f"Outlet {place}", (url,)))
        self.listed: list[Entry] = []
        self._words, self._chance = words, chance
        self._known: set[int] = set()
        self._written = 0

    def write(self, count: int) -> None:
        """Publish so many articles; the oldest leave the document."""
        for _ in range(count):
            self._written += 1
            slug = f"{self._chance.getrandbits(40):x}"
            entry = Entry(
                id=0,
                key="",
                url=f"{self.feed.url[:-8]}/monde/article/{slug}.html?utm_source=rss",
                title=self._words.piece(10).capitalize(),
                summary=self._words.piece(54),
                fingerprint=0,
                guid=f"{slug} at {self.feed.url[:-8]}",
                published_at=NOW + timedelta(minutes=self._written),
            )
            self.listed.insert(0, entry)
        del self.listed[LISTED:]

    def retitle(self) -> None:
        """Put a word before the titles of the newest articles."""
        for place in range(NEW):
            entry = self.listed[place]
            self.listed[place] = replace(entry, title=f"Direct. {entry.title}")

    def renew_guids(self) -> None:
        """Give every article another guid."""
        self.listed = [replace(e, guid=f"{e.guid}+") for e in self.listed]

    def outcome(self, at: datetime) -> Outcome:
        """Return a poll of what is listed now: what it does not know, and the rest."""
        listed, changed = [], []
        for entry in self.listed:
            key = entry.guid
            told = number(entry.guid, entry.url, entry.title, entry.summary)
            if told in self._known:
                listed.append(told)
                continue
            self._known.add(told)
            made = replace(
                entry, id=number(self.feed.url, key), key=key, fingerprint=told
            )
            listed.append(made.id)
            changed.append(made)
        return Outcome(
            self.feed,
            at,
            Validators(),
            str(at).encode(),
            200,
            entries=tuple(changed),
            listed=tuple(listed),
        )


class Archive:
    """A database, and the outlets whose polls it records."""

    def __init__(self, path: Path, feeds: int) -> None:
        """Follow so many feeds."""
        chance = random.Random(2020)
        words = Words(chance)
        self.rooms = [Newsroom(place, words, chance) for place in range(feeds)]
        self.store = Store(path)
        self._at = NOW
        polls.follow(self.store, [room.feed for room in self.rooms], NOW)

    def poll(self, change: Callable[[Newsroom], object]) -> tuple[float, int]:
        """Poll all after a change; return how long it took and how many were new."""
        self._at += PAUSE
        for room in self.rooms:
            change(room)
        ready = [room.outcome(self._at) for room in self.rooms]
        parts = [ready[at : at + TOGETHER] for at in range(0, len(ready), TOGETHER)]
        began = time.process_time()
        new = sum(polls.record(self.store, part, Polling()) for part in parts)
        return time.process_time() - began, new


def usual(room: Newsroom) -> None:
    """Bring what an hour brings."""
    room.write(NEW)


def told(name: str, taken: Sequence[tuple[float, int]], entries: int) -> float:
    """Print the best of several rounds; return how many entries a second it is."""
    seconds = min(took for took, _ in taken)
    rate = entries / seconds
    print(f"{name}\t{rate:,.0f} entries a second\t{taken[-1][1]} new", flush=True)
    return rate


def main() -> int:
    """Fill, poll, print; return 1 when usual polls are too slow."""
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--feeds", type=int, default=200)
    options.add_argument("--gone", type=int, default=1_000, help="entries a feed")
    options.add_argument("--least", type=float, default=1_000)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as place:
        archive = Archive(Path(place) / "aggregator.db", chosen.feeds)
        first = archive.poll(lambda room: room.write(LISTED))
        told("first polls", [first], chosen.feeds * LISTED)
        for _ in range(-(-chosen.gone // LISTED)):
            archive.poll(lambda room: room.write(LISTED))
        rounds = [archive.poll(usual) for _ in range(ROUNDS)]
        rate = told("usual polls", rounds, chosen.feeds * NEW)

        def retitled(room: Newsroom) -> None:
            room.retitle()
            room.write(NEW)

        rounds = [archive.poll(retitled) for _ in range(ROUNDS)]
        told("two retitled", rounds, chosen.feeds * 2 * NEW)
        rounds = [archive.poll(lambda room: room.renew_guids()) for _ in range(2)]
        told("guids renewed", rounds, chosen.feeds * LISTED)
        archive.store.close()
    print(f"usual polls: at least {chosen.least:,.0f} entries a second are wanted")
    return int(rate < chosen.least)


if __name__ == "__main__":
    sys.exit(main())
