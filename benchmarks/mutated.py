"""Real feed files, each damaged in many ways, polled over HTTP.

Bytes are changed, cut out, doubled and put in, markup above all; some bodies break off,
some come with a wrong type or coding. `poll` is called as the engine calls it, with
settings as shipped but a timeout of ten seconds. Prints what came of it. Exit 1 when a
poll raised or failed by a fault of ours, when one was not over with its time, or when
an entry of it broke a promise (an id twice, an address that is none).

    python benchmarks/mutated.py [--documents 5000] [--seed 1] [--corpus PATH]
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from played import CORPUS, answering

from aggregator.model import Batch, Feed, Outcome, Outlet, Polling, PollTask, Topic
from aggregator.poll import poll
from aggregator.query import compile_line

TIMEOUT = timedelta(seconds=10)
SLACK = 2.0  # seconds beyond the time for the answer and the time for reading it
AT_ONCE = 20  # feeds of a batch
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TOPIC = Topic("a", "A", match=(compile_line("travail OR work* OR NEAR(ia emploi)"),))
PIECES = (
    b"<", b">", b"&", b"'", b'"', b"]]>", b"<![CDATA[", b"<!--", b"-->", b"\0",
    b"\xff", b"\xed\xa0\x80", b"\xc3", b"&#0;", b"&#x110000;", b"&#99999999;",
    b"&nbsp;", b"&x;", b"<item>", b"</item>", b"<entry>", b"</channel>", b"<rss>",
    b"<feed>", b"<title>", b"<link/>", b"<?xml version='1.0' encoding='utf-16'?>",
    b"xml:base='http://[::1'", b"<!DOCTYPE x [<!ENTITY x '&x;'>]>", b"http://[bad",
    b"2026-99-99T99:99:99Z", b"{", b"}", b"[", b"\\ud800", b"1e999", b"-",
    b" " * 5000, b"\n" * 5000, b"A" * 70_000,
)  # fmt: skip
TYPES = (
    "", "text/html", "application/json", "text/xml; charset=utf-16", "x/y; charset=hex"
)  # fmt: skip
CODINGS = ("gzip", "br", "zstd", "deflate", *[""] * 36)


def damaged(body: bytes, chance: random.Random) -> bytes:
    """Return a document with one to twelve things wrong."""
    text = bytearray(body)
    for _ in range(chance.choice((1, 1, 2, 3, 5, 12))):
        at = chance.randrange(len(text) + 1)
        gone = chance.choice((0, 0, 1, 2, 10, 100, 5000))
        put = chance.choice(
            (
                chance.choice(PIECES),
                chance.randbytes(chance.randrange(8)),
                bytes(text[at : at + chance.randrange(2000)]) * 2,
            )
        )
        text[at : at + gone] = put
    if chance.random() < 0.1:  # noqa: PLR2004 - a share
        del text[chance.randrange(len(text) + 1) :]
    return bytes(text)


class Outlets(BaseHTTPRequestHandler):
    """Answers /N with the Nth damaged document; the same at each asking."""

    def __init__(self, files: list[Path], seed: int, *args: object) -> None:
        """Take what is damaged, and by which chance."""
        self.files, self.seed = files, seed
        super().__init__(*args)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """Answer; sometimes with a type or coding that is not the body's."""
        number = int(self.path[1:])
        chance = random.Random(f"{self.seed} {number}")
        body = damaged(chance.choice(self.files).read_bytes(), chance)
        self.send_response(200)
        for name, value in (
            ("Content-Type", chance.choice(TYPES)),
            ("Content-Encoding", chance.choice(CODINGS)),
            ("Content-Length", str(len(body) + chance.choice((0, 0, 0, 0, 7)))),
        ):
            if value:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


def wrong(outcome: Outcome) -> str:
    """Return what is wrong with an outcome, "" for nothing."""
    if outcome.failure and outcome.failure.kind == "ours":
        return outcome.failure.reason
    if outcome.seconds > 2 * TIMEOUT.total_seconds() + SLACK:
        return f"took {outcome.seconds:.1f} s"
    ids = [entry.id for entry in outcome.entries]
    if len(set(ids)) < len(ids):
        return "an id twice"
    for entry in outcome.entries:
        if entry.url and not entry.url.startswith(("http://", "https://")):
            return f"no address: {entry.url!r}"
    return ""


def main() -> int:
    """Poll them all; the exit status is as said above."""
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--documents", type=int, default=5000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--corpus", type=Path, default=CORPUS)
    chosen = options.parse_args()
    files = sorted((chosen.corpus / "feeds" / "dev").iterdir())
    polling = Polling(timeout=TIMEOUT, allow_private_addresses=True)
    counts: Counter[str] = Counter()
    entries = faults = 0
    longest = 0.0
    began = time.monotonic()
    with ExitStack() as stack:
        base = answering(partial(Outlets, files, chosen.seed), stack)
        for start in range(0, chosen.documents, AT_ONCE):
            numbers = range(start, min(start + AT_ONCE, chosen.documents))
            feeds = [Feed(f"{base}/{n}", Outlet(str(n), ())) for n in numbers]
            tasks = tuple(PollTask(feed, feed.url) for feed in feeds)
            batch = Batch(tasks, (TOPIC,), polling, "aggregator", NOW, lanes=2)
            for outcome in poll(batch):
                failure = outcome.failure
                whole = "read" if outcome.complete else "read in part"
                counts[f"fails: {failure.reason}" if failure else whole] += 1
                entries += len(outcome.entries)
                longest = max(longest, outcome.seconds)
                if fault := wrong(outcome):
                    faults += 1
                    print(f"document {outcome.feed.outlet.name}: {fault}")
    for what, count in counts.most_common(20):
        print(f"{count}\t{what[:120]}")
    print(
        f"{chosen.documents} documents, seed {chosen.seed}: {entries} entries, "
        f"longest poll {longest:.1f} s, {time.monotonic() - began:.0f} s in all, "
        f"{faults} faults"
    )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
