"""What recording costs the one process that writes, as polls bring it.

Invented feeds of about 108 kB, each of which lists 50 entries. Timed are the first
polls of all feeds, 50 new entries each; then usual ones, in which two of the 50 are new
and two are gone; polls in which an outlet retitled two besides; and polls in which it
renewed every guid. Prints a line for each: milliseconds of the processor for a feed,
and feeds a second; the best round counts. --gone: so many entries have left the
document of each feed before the usual polls. --others: so many feeds were recorded
before any of these, 50 entries each; 20,000 make a million. Exit 1 when first or usual
polls are slower than the bounds.

    python benchmarks/recording.py [--feeds 200] [--gone 0] [--others 0]
        [--first 8] [--usual 1]
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from history import Words

from aggregator.identity import number
from aggregator.model import Entry, Feed, Outcome, Outlet, Polling, Validators
from aggregator.recognition import named
from aggregator.store import Store, polls

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PAUSE = timedelta(hours=1)  # between two polls of a feed
LISTED = 50  # entries of a document
NEW = 2  # of which a usual poll brings so many
TOGETHER, ENTRIES = 200, 2000  # outcomes, new entries in a transaction, as in `run`
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
                summary=self._words.piece(40),
                fingerprint=0,
                content=self._words.piece(180),
                author=self._words.piece(2).title(),
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
            changed.append(replace(made, names=named(made)))
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

    def __init__(self, path: Path, feeds: int, others: int) -> None:
        """Follow so many feeds; others: so many besides, which are polled once."""
        self._chance = random.Random(2020)
        self._words = Words(self._chance)
        self._at = NOW
        self.store = Store(path)
        for start in range(feeds, feeds + others, TOGETHER):
            self._open(range(start, min(start + TOGETHER, feeds + others)))
            self.poll(first)
        self._open(range(feeds))

    def _open(self, places: Iterable[int]) -> None:
        self.rooms = [Newsroom(each, self._words, self._chance) for each in places]
        polls.follow(self.store, [room.feed for room in self.rooms], NOW)

    def poll(self, change: Callable[[Newsroom], object]) -> tuple[float, int]:
        """Poll all after a change; return how long it took and how many were new."""
        self._at += PAUSE
        for room in self.rooms:
            change(room)
        ready = [room.outcome(self._at) for room in self.rooms]
        most = max(len(outcome.entries) for outcome in ready)
        size = min(TOGETHER, ENTRIES // most)
        parts = [ready[at : at + size] for at in range(0, len(ready), size)]
        began = time.process_time()
        new = sum(polls.record(self.store, part, Polling()) for part in parts)
        return time.process_time() - began, new


def first(room: Newsroom) -> None:
    """Fill a document."""
    room.write(LISTED)


def usual(room: Newsroom) -> None:
    """Bring what an hour brings."""
    room.write(NEW)


def retitled(room: Newsroom) -> None:
    """Bring what an hour brings, and other titles."""
    room.retitle()
    room.write(NEW)


def told(name: str, taken: Sequence[tuple[float, int]], feeds: int) -> float:
    """Print the best of several rounds; return how many milliseconds a feed took."""
    each = min(took for took, _ in taken) / feeds * 1000
    row = (name, f"{each:.3f} ms a feed", f"{1000 / each:,.0f} feeds a second")
    print(*row, f"{taken[-1][1]} new", sep="\t", flush=True)
    return each


def main() -> int:
    """Fill, poll, print; return 1 when polls are too slow."""
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--feeds", type=int, default=200)
    options.add_argument("--gone", type=int, default=0, help="entries a feed")
    options.add_argument("--others", type=int, default=0, help="feeds")
    options.add_argument("--first", type=float, default=8.0, help="ms, at most")
    options.add_argument("--usual", type=float, default=1.0, help="ms, at most")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as place:
        archive = Archive(Path(place) / "aggregator.db", given.feeds, given.others)
        at_first = told("first polls", [archive.poll(first)], given.feeds)
        for _ in range(-(-given.gone // LISTED)):
            archive.poll(first)

        def rounds(
            change: Callable[[Newsroom], object], count: int
        ) -> list[tuple[float, int]]:
            return [archive.poll(change) for _ in range(count)]

        usually = told("usual polls", rounds(usual, ROUNDS), given.feeds)
        told("two retitled", rounds(retitled, ROUNDS), given.feeds)
        told("guids renewed", rounds(Newsroom.renew_guids, 2), given.feeds)
        archive.store.close()
    print(f"wanted at most: first {given.first} ms, usual {given.usual} ms")
    return int(at_first > given.first or usually > given.usual)


if __name__ == "__main__":
    sys.exit(main())
