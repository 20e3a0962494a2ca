"""Copies, variants and near misses of articles, played through the real command line.

Each line of duplicates-dev.jsonl is an item of its outlet's feed; those of one group
are one story. They are played in the order of time, with a cycle whenever a group gets
its next item, and all in one cycle; with the address as guid, which an edited article
keeps and a daily column uses again, and with a guid for each item. After each of these
plays every pair of items is counted: joined, suggested, missed or wrongly joined.

Bounds, which are for the corpus it was written for: no wrong join, at most 5 pairs
missed, at most 2 of them not even suggested. Prints the pairs that went wrong; exit 1
when a bound does not hold.

    python benchmarks/duplicates.py [--corpus PATH] [--missed N] [--unsuggested N]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape
from itertools import combinations
from pathlib import Path

from played import (
    CORPUS,
    Documents,
    NoRunError,
    Row,
    address,
    answering,
    cycle,
    letters,
    review,
    stored,
)

MISSED, UNSUGGESTED = 5, 2  # pairs
PAUSE = timedelta(minutes=1)  # between two cycles at least
PLAYS = ("in time, guid = address", "in time, own guid", "at once, own guid")

CONFIG = """\
[site]
title = "Duplicates"
url = "https://duplicates.invalid/"
[polling]
allow_private_addresses = true  # the feeds are served on loopback
[matching]
brake = 100000
[[topics]]
id = "tout"
title = "Tout"
[outlets]
"""
RSS = """\
<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>{0}</title>
<link>https://duplicates.invalid/</link><description>x</description>{1}</channel></rss>
"""
ITEM = """\
<item><title>{title}</title><link>{url}</link><description>{summary}</description>
<guid isPermaLink="false">{guid}</guid><pubDate>{date}</pubDate></item>
"""


@dataclass(frozen=True)
class Item:
    """A line of the corpus; place: in the order of time."""

    place: int
    id: str
    group: str
    kind: str
    outlet: str
    url: str
    title: str
    summary: str
    at: datetime


Pair = tuple[int, int]


def items(corpus: Path) -> list[Item]:
    """Return the corpus in the order of time."""
    lines = (corpus / "duplicates-dev.jsonl").read_text("utf-8").splitlines()
    read = [json.loads(line) for line in lines if line.strip()]
    at = {one["id"]: datetime.fromisoformat(one["published"]) for one in read}
    read.sort(key=lambda one: (at[one["id"]], one["id"]))
    return [
        Item(
            place=place,
            id=one["id"],
            group=one["group"],
            kind=f"{one['kind']}/{one['family']}",
            outlet=one["outlet"],
            url=one["url"],
            title=one["title"],
            summary=one["summary"],
            at=at[one["id"]].astimezone(UTC),
        )
        for place, one in enumerate(read)
    ]


def cycles(told: Iterable[Item]) -> Iterator[list[Item]]:
    """Yield the items of each cycle: what comes again comes in a later cycle.

    A group does, and an address, which a document may be able to list only once.
    """
    ready: list[Item] = []
    for item in told:
        if any(item.group == one.group or item.url == one.url for one in ready):
            yield ready
            ready = []
        ready.append(item)
    if ready:
        yield ready


def document(outlet: str, listed: Iterable[Item], *, own: bool) -> bytes:
    """Return an outlet's feed, newest first; an address that is a guid stands once."""
    shown: dict[str, Item] = {}
    for item in listed:
        guid = item.id if own else item.url
        shown.pop(guid, None)
        shown[guid] = item
    entries = "".join(
        ITEM.format(
            title=escape(item.title),
            url=escape(item.url),
            summary=escape(item.summary),
            guid=escape(guid),
            date=format_datetime(item.at),
        )
        for guid, item in reversed(shown.items())
    )
    return RSS.format(escape(outlet), entries).encode()


def play(told: list[Item], work: Path, how: str, stack: ExitStack) -> list[set[Pair]]:
    """Return the pairs of items in one story, and those suggested, after a play."""
    work.mkdir()
    bodies: dict[str, bytes] = {}
    base = answering(Documents.of(bodies), stack)
    outlets = sorted({item.outlet for item in told})
    paths = {outlet: f"/{place}.xml" for place, outlet in enumerate(outlets)}
    config = work / "feeds.toml"
    lines = (
        f'{json.dumps(outlet)} = {{ url = "{base}{path}", always = ["tout"] }}\n'
        for outlet, path in paths.items()
    )
    config.write_text(CONFIG + "".join(lines), "utf-8")
    own, listed = "own" in how, defaultdict[str, list[Item]](list)
    at = told[0].at
    for ready in [told] if "once" in how else cycles(told):
        for item in ready:
            listed[item.outlet].append(item)
        bodies.update(
            (paths[outlet], document(outlet, its, own=own))
            for outlet, its in listed.items()
        )
        at = max(at + PAUSE, ready[-1].at + PAUSE)
        cycle(config, at)
    held = stored(work / "aggregator.db")
    stories = {
        item.place: story_of(item, held[base + paths[item.outlet]]) for item in told
    }
    hinted = {
        frozenset((one["story"], other["story"]))
        for one in review(config)
        for other in one.get("suggestions", ())
    }
    pairs = list(combinations(sorted(stories), 2))
    joined = {(a, b) for a, b in pairs if stories[a] == stories[b]}
    hints = {(a, b) for a, b in pairs if {stories[a], stories[b]} in hinted}
    return [joined, hints]


def story_of(item: Item, rows: Iterable[Row]) -> str:
    """Return the story that an item is in; retitled, it is in that of its address.

    An address that its feed is known to spell in two ways is that of one entry, which
    its title then tells. Raises NoRunError when it is in none.
    """
    same = [row for row in rows if address(row.url) == address(item.url)]
    keyed = [row for row in same if row.key == item.id]
    worded = [row for row in same if letters(row.title) == letters(item.title)]
    dated = [row for row in worded if row.published_at == int(item.at.timestamp())]
    known = [row for row in rows if letters(row.title) == letters(item.title)]
    for found in (keyed, dated, worded, same, known):
        if found and found[0].story:
            return found[0].story
    raise NoRunError(f"{item.id} is in no story")


def verdict(
    told: list[Item], joined: set[Pair], hints: set[Pair], bounds: tuple[int, int]
) -> tuple[list[str], bool]:
    """Return what is to be told of a play, and whether its bounds hold."""
    lines = []
    count: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for a, b in combinations(range(len(told)), 2):
        one, other = told[a], told[b]
        if one.group == other.group:
            what = "joined" if (a, b) in joined else "missed"
            if what == "missed" and (a, b) in hints:
                what = "suggested"
        elif (a, b) in joined:
            what = "WRONG"
        elif (a, b) in hints:
            what = "suggested wrongly"
        else:
            continue
        count[one.kind][what] += 1
        if what != "joined":
            lines.append(f"  {what}\t{one.kind}\t{one.id} {one.url} | {other.url}")
    total = sum(count.values(), Counter())
    heads = ("joined", "suggested", "missed", "WRONG", "suggested wrongly")
    rows = [(kind, *(count[kind][head] for head in heads)) for kind in sorted(count)]
    rows.append(("all", *(total[head] for head in heads)))
    lines += ["\t".join(map(str, row)) for row in [("kind", *heads), *rows]]
    missed = total["suggested"] + total["missed"]
    held = not total["WRONG"] and missed <= bounds[0] and total["missed"] <= bounds[1]
    return lines, held


def main() -> int:
    """Play, count, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--missed", type=int, default=MISSED)
    parser.add_argument("--unsuggested", type=int, default=UNSUGGESTED)
    given = parser.parse_args()
    told = items(given.corpus)
    bad = []
    for place, how in enumerate(PLAYS):
        with ExitStack() as stack:
            work = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            try:
                found = play(told, work / str(place), how, stack)
            except NoRunError as exc:
                print(exc)
                return 1
        bounds = (given.missed, given.unsuggested)
        lines, held = verdict(told, found[0], found[1], bounds)
        print(f"{how}:", *lines, sep="\n", flush=True)
        bad += [] if held else [how]
    print(f"out of bounds: {'; '.join(bad)}" if bad else "within bounds")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
