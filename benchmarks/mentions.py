"""Labelled items, served as their outlets' feeds, through the real command line.

Checks how well the query lines of a feeds.toml find what is relevant and leave alone
what is not, by what the items themselves carry (articles = "none"). Prints, for each
topic and overall, counts with 90 % Wilson intervals, with and without the items that
could be labelled otherwise, what went wrong, and for each query line what it finds and
what no other line of its topic finds: a line that alone finds one thing serves a single
case. Exit 1 when there are more errors than the bounds allow, times --times.

    python benchmarks/mentions.py [--corpus PATH] [--feeds FILE] [--times 2]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from math import sqrt
from pathlib import Path

from mentions_world import (
    TOPICS,
    Fate,
    Item,
    adapted,
    by_line,
    fates,
    finds,
    read,
    run,
    serve,
)
from played import CORPUS, ROOT, NoRunError

CORE = ("documentaire", "auteur")
WATCHED = ("microtravail", "moderation", "livreurs", "ia")
Z = 1.6449  # standard deviations: 90 % of a normal distribution lie within them

# The errors allowed on the 158 items of mentions-dev.jsonl: 36 core, 54 watched.
CORE_WRONG, CORE_UNPUBLISHED, CORE_LOST = 1, 5, 1
WATCHED_WRONG, WATCHED_LOST = 2, 8
RELEVANT_PER_WAITING = 2


@dataclass
class Count:
    """The items of a topic or a group of topics. The fields are lists of items.

    labelled: those that belong here; of them `here` are published in the group, and
    `lost` neither published nor waiting in any topic. right, wrong: what is published
    in the group, whatever its label. waiting: for the group, relevant or not.
    """

    labelled: list[Item] = field(default_factory=list)
    here: list[Item] = field(default_factory=list)
    lost: list[Item] = field(default_factory=list)
    right: list[Item] = field(default_factory=list)
    wrong: list[Item] = field(default_factory=list)
    waiting: list[Item] = field(default_factory=list)


# ── counting ──────────────────────────────────────────────────────────────────────────


def counted(
    items: Iterable[Item], found: Mapping[str, Fate], topics: Iterable[str]
) -> Count:
    """Return what became of the items for a group of topics."""
    topics, count = (*topics,), Count()
    for item in items:
        fate = found.get(item.id, Fate())
        here = fate.published(topics)
        if {*topics} & {*item.topics}:
            count.labelled.append(item)
            if here:
                count.here.append(item)
            elif fate.state not in {"published", "waiting"}:
                count.lost.append(item)
        if here:
            (count.right if item.relevant else count.wrong).append(item)
        elif fate.waits(topics):
            count.waiting.append(item)
    return count


def wilson(part: int, whole: int) -> tuple[float, float]:
    """Return the 90 % interval of a share (Wilson 1927); all of it when whole = 0."""
    if not whole:
        return 0.0, 1.0
    share, spread = part / whole, Z * Z / whole
    middle = share + spread / 2
    half = Z * sqrt(share * (1 - share) / whole + spread / whole / 4)
    return (
        max(0.0, (middle - half) / (1 + spread)),
        min(1.0, (middle + half) / (1 + spread)),
    )


def exceeded(items: Iterable[Item], found: Mapping[str, Fate], times: int) -> list[str]:
    """Return one line for each bound that does not hold, times the allowed errors."""
    items = [*items]
    core, watched = counted(items, found, CORE), counted(items, found, WATCHED)
    every = counted(items, found, (*CORE, *WATCHED))
    relevant = sum(item.relevant for item in items)
    unpublished = len(core.labelled) - len(core.here)
    return [
        f"{what}: {number}, at most {most} allowed"
        for what, number, most in (
            ("core, wrong", len(core.wrong), CORE_WRONG * times),
            ("core, not published", unpublished, CORE_UNPUBLISHED * times),
            ("core, not found", len(core.lost), CORE_LOST * times),
            ("watched, wrong", len(watched.wrong), WATCHED_WRONG * times),
            ("watched, not found", len(watched.lost), WATCHED_LOST * times),
            ("waiting", len(every.waiting), relevant // RELEVANT_PER_WAITING),
        )
        if number > most
    ]


# ── printing ──────────────────────────────────────────────────────────────────────────

HEAD = (
    "labelled",
    "published",
    "recall",
    "90 %",
    "not found",
    "right",
    "wrong",
    "precision",
    "90 %",
    "waiting",
)


def table(items: Iterable[Item], found: Mapping[str, Fate]) -> Iterator[str]:
    """Yield the counts of each topic, of core and watched ones, and of all."""
    items = [*items]
    groups = {name: (name,) for name in TOPICS.values()}
    groups |= {"core": CORE, "watched": WATCHED, "all": (*CORE, *WATCHED)}
    yield "\t".join(("topic", *HEAD))
    for name, topics in groups.items():
        count = counted(items, found, topics)
        right, here = len(count.right), len(count.here)
        published = right + len(count.wrong)
        row = (
            name,
            len(count.labelled),
            here,
            *_share(here, len(count.labelled)),
            len(count.lost),
            right,
            len(count.wrong),
            *_share(right, published),
            len(count.waiting),
        )
        yield "\t".join(map(str, row))


def _share(part: int, whole: int) -> tuple[str, str]:
    least, most = wilson(part, whole)
    return f"{part / whole if whole else 0:.2f}", f"{least:.2f}–{most:.2f}"


def faults(items: Iterable[Item], found: Mapping[str, Fate]) -> Iterator[str]:
    """Yield each item that is not as it should be, with what became of it."""
    for item in items:
        fate = found.get(item.id, Fate())
        state = fate.state if fate.state in {"published", "waiting"} else "not found"
        core = {*item.topics} & {*CORE}
        wanted = item.topics if not core else CORE
        if fate.published(wanted) or (not item.relevant and state == "not found"):
            continue
        if item.relevant and not core and state == "published":
            continue  # a watched item may be found through any topic
        label = ",".join(item.topics) or "not relevant"
        where = ",".join(fate.topics) if state != "not found" else ""
        mark = " (borderline)" if item.borderline else ""
        yield f"{state} {where}\t{item.id}\t{label}{mark}\t{item.title[:90]}"


def line_table(
    items: Iterable[Item],
    lines: Mapping[str, tuple[str, str, str]],
    found: Mapping[str, set[str]],
) -> Iterator[str]:
    """Yield for each line: what it finds, and alone of its topic; right and wrong."""
    relevant = {item.id: item.relevant for item in items}

    def both(ids: Iterable[str]) -> str:
        judged = [relevant[each] for each in ids]
        return f"{sum(judged)}\t{len(judged) - sum(judged)}"

    yield "topic\tkey\tright\twrong\talone right\talone wrong\tline"
    for name, (topic, key, line) in lines.items():
        others = (
            found.get(other, set())
            for other, (its, kind, _) in lines.items()
            if other != name and its == topic and (kind == "never") == (key == "never")
        )
        own = found.get(name, set())
        alone = own.difference(*others)
        yield "\t".join((topic, key, both(own), both(alone), line))


def main() -> int:
    """Serve, run, count, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--feeds", type=Path, default=ROOT / "feeds.toml")
    parser.add_argument(
        "--times", type=int, default=1, help="as many times the errors are allowed"
    )
    given = parser.parse_args()
    items = read(given.corpus)
    feeds = tomllib.loads(given.feeds.read_text("utf-8"))
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        content = adapted(feeds, serve(items, work / "served", stack))
        single, lines = by_line(content)
        try:
            found = fates(run(content, work / "run"))
            by_lines = finds(run(single, work / "lines"))
        except NoRunError as exc:
            print(exc)
            return 1
    sure = [item for item in items if not item.borderline]
    print(f"{len(items)} items", *table(items, found), sep="\n")
    print(f"\n{len(sure)} without borderline ones", *table(sure, found), sep="\n")
    print("\nnot as labelled", *faults(items, found), sep="\n")
    print("\neach line", *line_table(items, lines, by_lines), sep="\n")
    problems = exceeded(items, found, given.times)
    print("", *problems or ["all bounds hold"], sep="\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
