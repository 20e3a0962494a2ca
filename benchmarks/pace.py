"""A simulated year of a hundred outlets: polls, misses and delays, by pace.

Six kinds of outlets publish by the hour and the weekday, some with feeds so short that
entries scroll off. The same year is read at our own pace, by a poller that asks every
30 minutes, and by one that asks every `fastest`, the most that is allowed. An entry is
missed when no poll saw it. Exits 1 when our pace missed one that was listed for
`slowest` or longer: any allowed pace sees that.

    python benchmarks/pace.py [--days 365] [--seed 1]
"""

from __future__ import annotations

import argparse
import random
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import median, quantiles

from aggregator.model import Feed, Outcome, Outlet, Polling, Rest, Validators
from aggregator.pace import RECENT, interval, next_poll

START = datetime(2026, 1, 1, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)

# kind: how many, entries a day, entries its document lists, whether it sleeps at night
KINDS = {
    "agency": (5, 250, 30, False),
    "daily": (25, 60, 40, True),
    "short daily": (10, 80, 10, True),
    "magazine": (20, 6, 20, True),
    "blog": (30, 0.4, 10, True),
    "rare": (10, 0.03, 10, True),
}


@dataclass(frozen=True)
class Simulated:
    """An outlet's year: when its entries appear, and how many its document lists."""

    kind: str
    feed: Feed
    dates: Sequence[datetime]
    listed: int


@dataclass
class Tally:
    """What a year of polls came to."""

    polls: int = 0
    missed: int = 0
    inexcusable: int = 0
    delays: list[timedelta] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Add another one."""
        self.polls += other.polls
        self.missed += other.missed
        self.inexcusable += other.inexcusable
        self.delays += other.delays


def outlets(days: int, chance: random.Random) -> Iterator[Simulated]:
    """Yield the outlets, each with a year of its own."""
    for kind, (count, rate, listed, sleeps) in KINDS.items():
        for n in range(count):
            url = f"https://{kind.replace(' ', '-')}-{n}.invalid/feed"
            own = rate * chance.lognormvariate(0, 0.4)
            yield Simulated(
                kind,
                Feed(url, Outlet(f"{kind} {n}", (url,))),
                tuple(appearing(own, days, chance, sleeps=sleeps)),
                listed,
            )


def appearing(
    rate: float, days: int, chance: random.Random, *, sleeps: bool
) -> Iterator[datetime]:
    """Yield when entries appear: `rate` a day, fewer by night and at weekends."""
    peak = 2.2 if sleeps else 1.2
    at = START - timedelta(days=30)
    end = START + timedelta(days=days)
    while True:
        at += timedelta(days=chance.expovariate(rate * peak))
        if at >= end:
            return
        busy = 1.0
        if sleeps:
            night, evening = at.hour in range(6), at.hour in range(20, 24)
            busy = 0.05 if night else 0.5 if evening else 1.0
            busy *= 0.4 if at.weekday() in (5, 6) else 1.0
        if chance.random() < busy:
            yield at


def read(
    outlet: Simulated,
    end: datetime,
    wait: Callable[[Sequence[datetime], datetime], datetime],
) -> Tally:
    """Poll an outlet until `end`, asking `wait` when to come back."""
    seen = bisect_right(outlet.dates, START)
    tally = Tally()
    at = START
    while at < end:
        now = bisect_right(outlet.dates, at)
        oldest = max(now - outlet.listed, 0)
        tally.polls += 1
        tally.missed += max(oldest - seen, 0)
        tally.inexcusable += sum(
            outlet.dates[gone + outlet.listed] - outlet.dates[gone] >= Polling().slowest
            for gone in range(seen, oldest)
        )
        tally.delays += [at - date for date in outlet.dates[max(seen, oldest) : now]]
        seen = now
        at = wait(outlet.dates[max(now - RECENT, 0) : now], at)
    return tally


def main() -> int:
    """Simulate and print a table; the exit status is as said above."""
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--days", type=int, default=365)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    polling = Polling()
    end = START + timedelta(days=chosen.days)
    world = list(outlets(chosen.days, random.Random(chosen.seed)))
    sums = {name: Tally() for name in ("ours", "30 minutes", "fastest")}
    print("kind\tpace\tpolls/day\tmissed\tmedian\tp95 (minutes)")
    for kind in KINDS:
        tallies = {name: Tally() for name in sums}
        for outlet in (one for one in world if one.kind == kind):

            def ours(
                dates: Sequence[datetime], at: datetime, outlet: Simulated = outlet
            ) -> datetime:
                usual = interval(dates, outlet.listed, at, polling)
                outcome = Outcome(outlet.feed, at, Validators(), b"")
                return next_poll(outcome, 0, usual, polling, Rest())

            for name, wait in (
                ("ours", ours),
                ("30 minutes", lambda _, at: at + HALF_HOUR),
                ("fastest", lambda _, at: at + polling.fastest),
            ):
                tally = read(outlet, end, wait)
                tallies[name].add(tally)
                sums[name].add(tally)
        for name, tally in tallies.items():
            print(line(kind, name, tally, chosen.days))
    for name, tally in sums.items():
        print(line("all", name, tally, chosen.days))
    inexcusable = sums["ours"].inexcusable
    print(f"missed though listed for {polling.slowest} or longer: {inexcusable}")
    return 1 if inexcusable else 0


def line(kind: str, name: str, tally: Tally, days: int) -> str:
    """Return a row of the table."""
    minutes = [delay / timedelta(minutes=1) for delay in tally.delays] or [0.0, 0.0]
    late = quantiles(minutes, n=20)[-1]
    return (
        f"{kind}\t{name}\t{tally.polls / days:.0f}\t{tally.missed}\t"
        f"{median(minutes):.0f}\t{late:.0f}"
    )


if __name__ == "__main__":
    sys.exit(main())
