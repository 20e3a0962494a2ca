"""Feeds as they were polled over weeks, played again through the real command line.

Each snapshot is served at its own time (SOURCE_DATE_EPOCH). After each cycle every
entry of the snapshot must be stored as it stands there; at the end nothing that was
ever listed may be lost, and nothing may be stored or published twice. Prints counts and
every fault; exit 1 on any. With --disturb each snapshot is first rewritten as outlets
do that change every guid, scheme, tracking parameter, date or title (`disturbed`); what
is published is counted by the paths of links then.

    python benchmarks/corpus_series.py [--disturb KIND] [--corpus PATH] [--keep FOLDER]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter, defaultdict
from contextlib import ExitStack
from datetime import datetime
from hashlib import blake2b
from http.server import BaseHTTPRequestHandler
from itertools import chain
from pathlib import Path
from zoneinfo import ZoneInfo

from disturbed import KINDS, article, disturbed
from played import (
    CORPUS,
    Expected,
    NoRunError,
    Row,
    address,
    answering,
    cycle,
    expected,
    letters,
    spellings,
    stored,
)

PARIS = ZoneInfo("Europe/Paris")  # series.tsv: polled_local
KIND = "application/xml"
DAY_S = 86_400
REUSED_S = 20 * 3600  # DESIGN.md §8: one address again after this is another article

CONFIG = """\
[site]
title = "Series"
url = "https://series.invalid/"
[polling]
allow_private_addresses = true  # the snapshots are served on loopback
[matching]
brake = 100000  # all is published here, hundreds a cycle
[[topics]]
id = "tout"
title = "Tout"
[outlets]
"""


class Now:
    """What is served at the moment: the body of each path."""

    bodies: dict[str, bytes]


class Snapshots(BaseHTTPRequestHandler):
    """Serves the snapshot of the moment, with an ETag."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer with the snapshot, or that the client has it."""
        body = Now.bodies.get(self.path)
        if body is None:
            self.send_error(404)
            return
        tag = f'"{blake2b(body, digest_size=8).hexdigest()}"'
        known = self.headers.get("If-None-Match") == tag
        self.send_response(304 if known else 200)
        self.send_header("ETag", tag)
        if not known:
            self.send_header("Content-Type", KIND)
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if not known:
            self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


def snapshots(folder: Path) -> dict[datetime, dict[str, Path]]:
    """Return for each moment, in order, the snapshots that were taken then."""
    found: dict[datetime, dict[str, Path]] = defaultdict(dict)
    for path in sorted(folder.glob("*/*.xml")):
        at = datetime.strptime(path.stem, "%Y-%m-%dT%H%M").replace(tzinfo=PARIS)
        found[at][path.parent.name] = path
    return dict(sorted(found.items()))


def holds(row: Row, entry: Expected) -> bool:
    """Tell whether a row is this entry, as it stood in the snapshot."""
    same_link = address(row.url) == address(entry.link)
    return same_link and letters(row.title) in spellings(entry.title)


def retitled(entry: Expected, rows: list[Row]) -> bool:
    """Tell whether an entry that is stored no more stands under a later wording.

    Only an article that kept its date may: an address that is used again a day later
    is another article, and the earlier one must still be there.
    """
    dates = [
        row.published_at
        for row in rows
        if row.key == entry.guid or address(row.url) == address(entry.link)
    ]
    return any(
        entry.published is None or at is None or abs(at - entry.published) < REUSED_S
        for at in dates
    )


def twice(rows: list[tuple[str, str, int]]) -> list[tuple[str, str, int]]:
    """Return what is there more than once: same address, same words, same day."""
    seen: set[tuple[str, str, int]] = set()
    again = []
    for url, title, at in rows:
        one = (address(url), letters(title), at // DAY_S)
        if one in seen:
            again.append((url, title, at))
        seen.add(one)
    return again


def check(
    listed: dict[str, list[Expected]], work: Path, base: str
) -> tuple[list[str], list[str]]:
    """Return a line of counts for each series, and one for each fault."""
    held = stored(work / "aggregator.db")
    counts, faults = [], []
    for name, entries in listed.items():
        rows = held[f"{base}/{name}.xml"]
        gone = [e for e in set(entries) if not any(holds(row, e) for row in rows)]
        lost = [entry for entry in gone if not retitled(entry, rows)]
        faults += [f"{name}: lost\t{entry}" for entry in lost]
        again = twice([(r.url, r.title, r.published_at or 0) for r in rows])
        faults += [f"{name}: stored twice\t{one}" for one in again]
        faults += [f"{name}: in no story\t{row}" for row in rows if not row.story]
        counts.append(
            f"{name}\t{len(entries)}\t{len(set(entries))}\t{len(rows)}"
            f"\t{len(gone) - len(lost)}\t{len({row.story for row in rows})}"
        )
    return counts, faults + twice_published(work / "public")


def twice_published(public: Path) -> list[str]:
    """Return one line for each story that readers are shown twice."""
    lines = (public / "stories.jsonl").read_text("utf-8").splitlines()
    stories = [json.loads(line) for line in lines]
    shown = [
        (
            one["url"],
            one["title"],
            int(datetime.fromisoformat(one["published_at"]).timestamp()),
        )
        for one in stories
    ]
    again = [f"published twice\t{one}" for one in twice(shown)]
    if len({one["short"] for one in stories}) != len(stories):
        again.append("two stories under one id")
    return again


def told(work: Path) -> list[dict[str, str]]:
    """Return what is published."""
    lines = (work / "public" / "stories.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def columns(entries: list[Expected]) -> dict[str, int]:
    """Return how many articles stand under each path: more than one for a column.

    entries: as they were before any disturbance. Days of a column are told by the
    numbers in their titles, where dates are apart too.
    """
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for entry in entries:
        digits = "".join(filter(str.isdigit, entry.title))
        dates = found[article(entry.link)]
        at = entry.published or 0
        if not dates or (
            digits not in dates
            and all(abs(at - other) >= REUSED_S for other in dates.values())
        ):
            dates[digits] = at
    return {path: len(dates) for path, dates in found.items()}


def counted(
    listed: dict[str, list[Expected]], work: Path, moves: Counter[str]
) -> tuple[list[str], list[str]]:
    """Return a line of counts for each series, and one for each fault.

    An article that was joined to another of its outlet is not lost. More entries than
    articles are a flood of new ones, even where readers are spared it.
    """
    stories = told(work)
    shown = Counter(article(story["url"]) for story in stories)
    public = {story["short"] for story in stories}
    held: defaultdict[str, set[str]] = defaultdict(set)
    kept: Counter[str] = Counter()
    for row in chain.from_iterable(stored(work / "aggregator.db").values()):
        held[article(row.url)] |= {row.story} & public
        kept[article(row.url)] += 1
    counts, faults = [], []
    for name, entries in listed.items():
        wanted = columns(entries)
        again = {path: n for path, n in wanted.items() if shown[path] > n}
        lost = {path: n for path, n in wanted.items() if len(held[path]) < n}
        faults += [f"{name}: published {shown[path]} times\t{path}" for path in again]
        faults += [f"{name}: lost\t{path}" for path in lost]
        faults += [
            f"{name}: {kept[path]} entries of {n}\t{path}"
            for path, n in wanted.items()
            if kept[path] > n
        ]
        counts.append(
            f"{name}\t{sum(wanted.values())}\t{sum(shown[path] for path in wanted)}"
            f"\t{len(again)}\t{len(lost)}\t{sum(moves[path] for path in wanted)}"
        )
    return counts, faults


def play(
    work: Path, corpus: Path, base: str, kinds: frozenset[str]
) -> tuple[list[str], list[str]]:
    """Play every snapshot in the order of time; return counts and faults."""
    config = work / "feeds.toml"
    moments = snapshots(corpus / "series")
    names = sorted({name for taken in moments.values() for name in taken})
    lines = (
        f'"{name}" = {{ url = "{base}/{name}.xml", always = ["tout"] }}\n'
        for name in names
    )
    config.write_text(CONFIG + "".join(lines), "utf-8")
    Now.bodies = {}
    listed: dict[str, list[Expected]] = {name: [] for name in names}
    faults = []
    updated: dict[str, str] = {}
    moves: Counter[str] = Counter()
    for turn, (at, taken) in enumerate(moments.items()):
        for name, path in taken.items():
            body = path.read_bytes()
            Now.bodies[f"/{name}.xml"] = (
                disturbed(body, at, turn, kinds) if kinds else body
            )
        report = cycle(config, at)
        print(f"{at:%Y-%m-%d %H:%M}\t{report}", flush=True)
        held = stored(work / "aggregator.db")
        for name, path in taken.items():
            url = f"{base}/{name}.xml"
            _version, entries = expected(path.read_bytes(), url, KIND)
            listed[name] += entries
            if kinds:
                continue
            faults += [
                f"{name}: not stored at {at:%Y-%m-%d %H:%M}\t{entry}"
                for entry in entries
                if not any(holds(row, entry) for row in held[url])
            ]
        for story in told(work):
            known = updated.setdefault(story["short"], story["updated_at"])
            moves[article(story["url"])] += known != story["updated_at"]
            updated[story["short"]] = story["updated_at"]
    if not kinds:
        counts, more = check(listed, work, base)
        print("series\tlisted\tdistinct\tstored\tretitled\tstories")
        print("\n".join(counts))
        faults += more
    counts, more = counted(listed, work, moves)
    return counts, faults + more


def main() -> int:
    """Serve, play, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--keep", type=Path, help="an empty folder to work in and keep")
    parser.add_argument("--disturb", choices=[*KINDS, "all"])
    given = parser.parse_args()
    with ExitStack() as stack:
        work = given.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        work.mkdir(parents=True, exist_ok=True)
        try:
            base = answering(Snapshots, stack)
            done = KINDS if given.disturb == "all" else (given.disturb,)
            kinds = frozenset(done if given.disturb else ())
            counts, faults = play(work, given.corpus, base, kinds)
        except NoRunError as exc:
            print(exc)
            return 1
    print("series\tarticles\tpublished\ttwice\tlost\tupdated moved")
    print("\n".join(counts))
    print("\n".join(faults) if faults else "nothing lost, nothing twice")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
