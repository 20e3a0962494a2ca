"""Our `run` beside newsboat, sfeed_update and reader, on the same feeds.

A server of its own process serves feeds of 50 entries (108 kB), each on a host of its
own. Every program polls all of them, as a whole command, in four states: a first time,
with storing; when each feed has two new entries; when nothing is new and the server
says so (304); when nothing is new and the server sends everything again, without
validators. They take turns in each state, each run in another order and with empty
folders. What did not ask for every feed, was not answered as the state has it, or does
not keep every entry afterwards is not timed, and why is said; what is not installed is
named.

Prints for each state and program the middle of all runs: seconds, feeds a second,
seconds of the processor, memory of all its processes together (PSS, sampled), how many
times as long as ours it took (the middle of the runs' own ratios), the same for the
processor, and the share of the machine that others took meanwhile, which says how far
to trust it. The server's own share is in the last column. Exit 1 when we are slower
than the floors below, or need more memory. What is done meanwhile shows on stderr.

    python benchmarks/peers.py [--feeds 300,3000] [--runs 2] [--peers newsboat,reader]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from urllib.request import ProxyHandler, build_opener

from measured import Cost, cost
from peers_commands import PEERS, Peer
from peers_server import address
from peers_world import LISTED, NEW

OURS = "ours"
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class State:
    """What all programs are measured in.

    step, validators: as the server takes them. status: the answer to each request.
    stored: entries of each feed that are kept afterwards.
    """

    name: str
    step: int
    validators: bool
    status: int
    stored: int


STATES = (
    State("first poll", 0, validators=True, status=200, stored=LISTED),
    State("two new", 1, validators=True, status=200, stored=LISTED + NEW),
    State("304", 1, validators=True, status=304, stored=LISTED + NEW),
    State("sent again", 1, validators=False, status=200, stored=LISTED + NEW),
)

# How many times as long others have to take, by number of feeds, state and program.
FLOORS = {
    (300, "first poll"): {"newsboat": 2.5, "sfeed": 2.5, "reader": 7.0},
    (300, "304"): {"newsboat": 3.0},
    (3000, "first poll"): {"newsboat": 3.0, "sfeed": 3.0, "reader": 9.0},
    (3000, "two new"): {"newsboat": 4.0},
    (3000, "304"): {"newsboat": 8.0},
}
MOST = 200_000_000  # bytes that we may take
FLAT = 0.3  # by which ours may differ between the numbers of feeds


@dataclass(frozen=True)
class Timed:
    """One command's run. elsewhere, server: shares of the machine that these took."""

    cost: Cost
    elsewhere: float
    server: float


class Playing:
    """The server: what it serves next, and what it was asked."""

    def __init__(self, feeds: int, port: int) -> None:
        """Talk to the server of a port."""
        self.feeds = feeds
        self.urls = [address(number, port) for number in range(feeds)]
        self._at = f"http://127.0.0.1:{port}/play"
        self._opener = build_opener(ProxyHandler({}))

    def play(self, state: State) -> dict[str, Any]:
        """Serve a state; return what was asked since the last call."""
        url = f"{self._at}/{state.step}/{int(state.validators)}"
        with self._opener.open(url) as reply:
            told: dict[str, Any] = json.load(reply)
        return told


@contextmanager
def playing(feeds: int) -> Iterator[Playing]:
    """Serve so many feeds, in a process of their own."""
    script = Path(__file__).with_name("peers_server.py")
    command = [sys.executable, str(script), str(feeds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Playing(feeds, int(process.stdout.readline()))
        finally:
            process.kill()


# ── measuring ─────────────────────────────────────────────────────────────────────────


def timed(peer: Peer, state: State, folder: Path, server: Playing) -> Timed | str:
    """Run a program once in a state; return what it took, or why that is no figure."""
    before = server.play(state)
    busy, own, began = _busy(), time.process_time(), time.monotonic()
    took = cost(peer.command(folder), peer.environment(folder), folder)
    machine = (time.monotonic() - began) * (os.cpu_count() or 1)
    busy = _busy() - busy - (time.process_time() - own)
    asked = server.play(state)
    served = asked["cpu"] - before["cpu"]
    elsewhere = max(0.0, busy - took.cpu - served) / machine
    if why := _wrong(took, asked, state, server.feeds):
        return why
    if (stored := peer.stored(folder)) != state.stored * server.feeds:
        return f"keeps {stored} entries of {state.stored * server.feeds}"
    return Timed(took, elsewhere, served / machine)


def _wrong(took: Cost, asked: Mapping[str, Any], state: State, feeds: int) -> str:
    """Return why a run is no figure; "" = it is one."""
    if took.status:
        return f"ended with {took.status}: {took.said.strip()[-200:]}"
    answered = asked["statuses"].get(str(state.status), 0)
    if asked["feeds"] < feeds:
        return f"asked for {asked['feeds']} feeds of {feeds}"
    if answered < feeds:
        return f"was answered {state.status} {answered} times of {feeds}"
    return ""


def _busy() -> float:
    """Return the seconds that all processors were busy since the machine began."""
    fields = Path("/proc/stat").read_text().partition("\n")[0].split()[1:9]
    user, nice, system, _idle, _waiting, *others = map(int, fields)
    return (user + nice + system + sum(others)) / TICKS


Figures = dict[tuple[str, str], list[Timed | str]]
"""The runs of each state and program."""


def measured(peers: Sequence[Peer], server: Playing, runs: int, work: Path) -> Figures:
    """Return what all runs took; those of one state go one after the other."""
    figures: Figures = {}
    for run in range(runs):
        turn = run % len(peers)
        order = (*peers[turn:], *peers[:turn])
        for peer in order:
            folder = work / f"{server.feeds}-{run}" / peer.name
            folder.mkdir(parents=True)
            peer.prepare(folder, server.urls)
        for state in STATES:
            for peer in order:
                folder = work / f"{server.feeds}-{run}" / peer.name
                took = timed(peer, state, folder, server)
                figures.setdefault((state.name, peer.name), []).append(took)
                told = f"{took.cost.seconds:.1f} s" if isinstance(took, Timed) else took
                print(f"{state.name}: {peer.name}: {told}", file=sys.stderr)
    return figures


# ── telling ───────────────────────────────────────────────────────────────────────────

HEAD = ("state", "program", "s", "feeds/s", "CPU s", "MB", "× ours", "CPU × ours")


def good(runs: Sequence[Timed | str]) -> list[Timed]:
    """Return the runs that are figures."""
    return [run for run in runs if isinstance(run, Timed)]


def ratio(figures: Figures, state: str, peer: str, what: str) -> float | None:
    """Return the middle of how many times as much as we a peer took; None: unknown."""
    runs = zip(figures.get((state, peer), ()), figures[state, OURS], strict=False)
    ratios = [
        getattr(its.cost, what) / getattr(ours.cost, what)
        for its, ours in runs
        if isinstance(its, Timed) and isinstance(ours, Timed)
    ]
    return median(ratios) if ratios else None


def table(figures: Figures, feeds: int) -> Iterator[str]:
    """Yield a line for each state and program."""
    yield "\t".join((*HEAD, "elsewhere", "server"))
    for (state, peer), runs in figures.items():
        if not (timings := good(runs)):
            yield f"{state}\t{peer}\tnot timed: {runs[0]}"
            continue
        seconds = median(run.cost.seconds for run in timings)
        ratios = (ratio(figures, state, peer, what) for what in ("seconds", "cpu"))
        row = (
            state,
            peer,
            f"{seconds:.2f}",
            f"{feeds / seconds:.1f}",
            f"{median(run.cost.cpu for run in timings):.2f}",
            f"{median(run.cost.peak for run in timings) / 1e6:.0f}",
            *(f"{each:.2f}" if each else "" for each in ratios),
            f"{median(run.elsewhere for run in timings):.0%}",
            f"{median(run.server for run in timings):.0%}",
        )
        yield "\t".join(row)
        yield from (f"\tnot timed: {why}" for why in runs if isinstance(why, str))


def lacking(figures: Figures, feeds: int) -> Iterator[str]:
    """Yield a line for each floor that is not reached."""
    for (count, name), least in FLOORS.items():
        for peer, floor in least.items():
            times = ratio(figures, name, peer, "seconds")
            if count == feeds and times and times < floor:
                yield f"{feeds}, {name}: {times:.2f} × {peer}, not {floor:g}"
    for state in STATES:
        if (ours := _memory(figures, state.name)) > MOST:
            yield f"{feeds}, {state.name}: {ours / 1e6:.0f} MB, not {MOST / 1e6:.0f}"


def uneven(every: Mapping[int, Figures]) -> Iterator[str]:
    """Yield a line for each state in which our memory grows with the feeds."""
    for state in STATES:
        taken = {feeds: _memory(of, state.name) for feeds, of in every.items()}
        least, *_, most = sorted(taken.values()) * 2
        if most > least * (1 + FLAT):
            told = ", ".join(f"{of / 1e6:.0f} MB at {n}" for n, of in taken.items())
            yield f"{state.name}: {told}"


def _memory(figures: Figures, state: str) -> float:
    return median([run.cost.peak for run in good(figures[state, OURS])] or [0])


def chosen() -> argparse.Namespace:
    """Return the options; peers: those chosen, ours first, missing or not."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    options.add_argument("--feeds", default="300", metavar="N,N…")
    options.add_argument("--runs", type=int, default=2)
    others = ",".join(name for name in PEERS if name != OURS)
    options.add_argument("--peers", default=others, metavar="NAME,NAME…")
    given = options.parse_args()
    given.feeds = [int(count) for count in given.feeds.split(",")]
    if unknown := {*given.peers.split(",")} - PEERS.keys():
        options.error(f"no such program: {', '.join(sorted(unknown))}; {others}")
    names = (OURS, *given.peers.split(","))
    given.peers = [PEERS[name] for name in dict.fromkeys(names)]
    return given


def main() -> int:
    """Measure and print; the exit status is as said above."""
    given = chosen()
    there = [peer for peer in given.peers if peer.version()]
    print(", ".join(f"{peer.name} {peer.version()}" for peer in there))
    for peer in given.peers:
        if peer not in there:
            print(f"missing: {peer.name} is not installed")
    every: dict[int, Figures] = {}
    problems: list[str] = []
    for feeds in given.feeds:
        with tempfile.TemporaryDirectory() as work, playing(feeds) as server:
            figures = measured(there, server, given.runs, Path(work))
        every[feeds] = figures
        print(f"\n{feeds} feeds, {given.runs} runs", *table(figures, feeds), sep="\n")
        problems += lacking(figures, feeds)
        sys.stdout.flush()
    problems += uneven(every)
    print("", *problems or ["all floors are reached"], sep="\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
