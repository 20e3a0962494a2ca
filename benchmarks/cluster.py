"""How many polls a second a Dask cluster makes of slow outlets, and what limits them.

A server answers each request after 300 ms, on a host for each feed. W workers of T
threads can then make W·T/0.3 polls a second at most. Scheduler, workers, server and the
program that records what comes are processes of this machine. For each size of cluster
a line: polls a second, the share of what is possible, and how much of a core each kind
of process took meanwhile, and what else ran on the machine. Where all of it together is
what the machine has, that is the limit. Exit 1 when a share is below the bound.

    python benchmarks/cluster.py [--workers 2] [--threads 20,60,120] [--seconds 20]
        [--feed] [--least 0.85]

--workers 0: the same polls by threads of the program itself, without a cluster. --feed:
answers are feeds of two entries, all of them new, instead of 304.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psutil

from aggregator import engine
from aggregator.config import read
from aggregator.model import Config, Outcome, PollTask, Validators
from aggregator.store import Store, polls

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
WAITS = 0.3  # seconds until the server answers
TOGETHER = 200  # outcomes in a transaction, as in `run`
# Sampling walks the stacks of all threads a hundred times a second.
DASK = {
    "DASK_DISTRIBUTED__WORKER__DAEMON": "False",
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
}
TAG = '"1"'
FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>Journal {0}</title>
<link>http://outlet.invalid/</link><description>x</description>{1}</channel></rss>"""
ITEM = """<item><guid>{0}-{1}</guid><title>Les travailleurs du clic {0}</title>
<link>http://outlet.invalid/{0}/{1}</link><description>Un film.</description></item>"""
CLUSTER = """
import sys, distributed
if __name__ == "__main__":
    with distributed.LocalCluster(
        n_workers=int(sys.argv[1]), threads_per_worker=int(sys.argv[2]),
        dashboard_address=":0", silence_logs="CRITICAL",
    ) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


class Slow(asyncio.Protocol):
    """One connection to a server that thinks before it answers."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection."""
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.heard = transport, b""

    def data_received(self, data: bytes) -> None:
        """Answer a request, once it is complete, later."""
        self.heard += data
        if self.heard.endswith(b"\r\n\r\n"):
            asyncio.get_running_loop().call_later(WAITS, self.answer, self.heard)
            self.heard = b""

    def answer(self, request: bytes) -> None:
        """Send 304 to whom knows the feed, else the feed."""
        if b"If-None-Match" in request:
            head, body = f"HTTP/1.1 304 Not Modified\r\nETag: {TAG}", b""
        else:
            name = request.split()[1].decode()
            items = "".join(ITEM.format(name, number) for number in range(2))
            body = FEED.format(name, items).encode()
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}"
        self.transport.write(head.encode() + b"\r\n\r\n" + body)


async def serve() -> None:
    """Serve on every loopback address until killed; print the port."""
    loop = asyncio.get_running_loop()
    # 127.0.0.0/8 cannot be named alone
    server = await loop.create_server(Slow, "0.0.0.0", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def started(*words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Yield a program of ours and the first line it prints; end it afterwards."""
    process = subprocess.Popen(
        [sys.executable, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **DASK},
    )
    assert process.stdin
    assert process.stdout
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.stdin.close()
        if "--serve" in words:
            process.kill()
        process.wait()


def configured(
    folder: Path, engine_: str, threads: int, feeds: Sequence[str]
) -> Config:
    """Return a feeds.toml of these feeds; engine_: where they are polled."""
    path = folder / "feeds.toml"
    concurrency = threads * 2 if engine_ else threads
    outlets = "\n".join(f'"{n}" = "{url}"' for n, url in enumerate(feeds))
    path.write_text(
        '[site]\ntitle = "P"\nurl = "https://presse.invalid/"\n'
        f"[engine]\n{engine_}\n[polling]\n"
        f"concurrency = {concurrency}\nallow_private_addresses = true\n"
        '[[topics]]\nid = "film"\ntitle = "Film"\nmatch = ["travailleurs du clic"]\n'
        f"[outlets]\n{outlets}\n",
        encoding="utf-8",
    )
    return read(path)


class Taken:
    """Seconds of the processor that processes took since now, by what they are."""

    def __init__(self, server: int, cluster: int) -> None:
        """Begin to count; both: process ids."""
        self._groups = {
            "program": [psutil.Process()],
            "server": [psutil.Process(server)],
        }
        self._groups["scheduler"] = [psutil.Process(cluster)]
        below = psutil.Process(cluster).children(recursive=True)
        self._groups["workers"] = below
        self._before = self._now()
        self._busy = _busy()
        self._began = time.monotonic()

    def _now(self) -> dict[str, float]:
        return {
            name: sum(sum(one.cpu_times()[:2]) for one in group if one.is_running())
            for name, group in self._groups.items()
        }

    def told(self) -> str:
        """Return what share of a core each took."""
        seconds = time.monotonic() - self._began
        shares = {
            name: (now - self._before[name]) / seconds
            for name, now in self._now().items()
        }
        ours = sum(shares.values())
        shares["together"] = ours
        shares["others"] = (_busy() - self._busy) / seconds - ours
        parts = [f"{name} {share:.2f}" for name, share in shares.items()]
        return f"of {os.cpu_count()} cores {', '.join(parts)}"


def _busy() -> float:
    """Return the seconds that all cores of the machine have worked."""
    times = psutil.cpu_times()
    return sum(times) - times.idle - times.iowait - times.guest - times.guest_nice


def measured(workers: int, threads: int, given: argparse.Namespace) -> float:
    """Print what a cluster of a size makes; return its share of what is possible."""
    together = max(1, workers) * threads
    possible = together / WAITS
    with (
        tempfile.TemporaryDirectory() as folder,
        started(__file__, "--serve") as (server, port),
        started(script(Path(folder)), str(workers), str(threads)) as (cluster, address),
    ):
        feeds = [
            f"http://127.{1 + n // 62500}.{n // 250 % 250}.{1 + n % 250}:{port}/{n}"
            for n in range(int(possible * given.seconds))
        ]
        engine_ = f'kind = "dask"\naddress = "{address}"' if workers else ""
        config = configured(Path(folder), engine_, together, feeds)
        known = Validators() if given.feed else Validators(TAG)
        tasks = [PollTask(feed, feed.url, known) for feed in config.feeds]
        with Store(config.storage.database) as store:
            polls.follow(store, config.feeds, NOW)
            polled(store, config, tasks[:together])  # all has loaded what it needs
            taken = Taken(server.pid, cluster.pid)
            began = time.monotonic()
            what = polled(store, config, tasks)
            rate = len(tasks) / (time.monotonic() - began)
            told = taken.told()
    print(
        f"{workers} × {threads} threads: {rate:.0f} of {possible:.0f} polls/s "
        f"({rate / possible:.0%}); {what}; {told}",
        flush=True,
    )
    return rate / possible


def polled(store: Store, config: Config, tasks: Sequence[PollTask]) -> str:
    """Poll and record, as `run` does; return what came."""
    done, failed, entries = 0, 0, 0
    ready: list[Outcome] = []
    for landed in engine.outcomes(engine.plan(tasks, config, NOW), config):
        done += len(landed)
        failed += sum(outcome.failure is not None for outcome in landed)
        entries += sum(len(outcome.entries) for outcome in landed)
        ready += landed
        if len(ready) >= TOGETHER:
            polls.record(store, ready, config.polling)
            ready = []
    polls.record(store, ready, config.polling)
    return f"{done} polls, {failed} failed, {entries} entries"


def script(folder: Path) -> str:
    """Return the path of a program that is a cluster."""
    path = folder / "cluster.py"
    path.write_text(CLUSTER, encoding="utf-8")
    return str(path)


def main() -> None:
    """Measure each size that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", default="20,60,120")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--feed", action="store_true")
    parser.add_argument("--least", type=float, default=0.85)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        asyncio.run(serve())
    shares = [
        measured(given.workers, int(threads), given)
        for threads in given.threads.split(",")
    ]
    sys.exit(min(shares) < given.least)


if __name__ == "__main__":
    main()
