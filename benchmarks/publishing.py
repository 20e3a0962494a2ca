"""What publishing 10,000 stories of 20 years costs.

Builds a database through the store's own functions and the real `publish`: eight
topics, 150 outlets, copies, doubts, and a curation.toml with hidden, pinned, retagged,
annotated and added stories. Then times `publish` by the command line, the start of
Python included: into an empty folder, with nothing changed, after a note on one story.
Prints the middle of several runs of each and how much was written; exit 1 when one is
over the limit, when the second time writes anything, or when a folder made anew is not
the same to the byte.

    python benchmarks/publishing.py [--stories N] [--runs N] [--limit SECONDS]
                                    [--keep FOLDER]
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from aggregator import config as configuration
from aggregator.identity import number
from aggregator.model import Config, Entry, Feed, Outcome, State, Validators
from aggregator.store import Store, polls, tales

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SPAN = timedelta(days=20 * 365)
STORIES, RUNS, LIMIT = 10_000, 5, 4.0
OUTLETS = 150
BATCH = 100  # polls in one transaction
COPIED = 0.2  # of the stories, by one to four other outlets
DOUBTFUL = 0.05  # of the stories wait for the maintainer
SECOND, THIRD = 0.3, 0.05  # of the stories in two topics, in three
DECISIONS = {"hide": 300, "pin": 10, "note": 200, "retag": 100, "add": 200}

# The eight topics, each by its words in the press; the last two are only watched.
TOPICS = {
    "film": "travailleurs du clic",
    "auteur": "Antonio Casilli",
    "livre": "en attendant les robots",
    "moderation": "modérateurs de contenus",
    "livreurs": "livreurs à vélo",
    "ia": "entraîneurs d’intelligences artificielles",
    "plateformes": "capitalisme de plateforme",
    "loi": "présomption de salariat",
}
WATCHED = ("plateformes", "loi")
SYLLABLES = [c + v for c in "bcdfglmnprstv" for v in ("a", "é", "i", "ou", "an")]

CONFIG = """\
[site]
title = "« Invisibles » : la presse en parle"
subtitle = "Ce que la presse écrit du film et de son auteur"
url = "https://presse.invalid/revue/"
author = "L’équipe du film"
hubs = []
[matching]
brake = 1000000
"""


def words(chance: random.Random, count: int) -> str:
    """Return that many invented words."""
    return " ".join(
        "".join(chance.choices(SYLLABLES, k=chance.choice((1, 2, 2, 3))))
        for _ in range(count)
    )


def write_config(folder: Path) -> Path:
    """Write feeds.toml; return its path."""
    parts = [CONFIG]
    for topic, phrase in TOPICS.items():
        parts.append(
            f'[[topics]]\nid = "{topic}"\ntitle = "{phrase.capitalize()}"\n'
            f'description = "Tout sur : {phrase}."\nmatch = ["{phrase}"]\n'
            f'review = ["affaire {topic}"]\n'
            + ("main = false\n" if topic in WATCHED else "")
        )
    parts.append("[outlets]\n")
    parts += [
        f'"Journal {n}" = {{ url = "https://journal-{n}.invalid/feed", '
        f'homepage = "https://journal-{n}.invalid/" }}\n'
        for n in range(OUTLETS)
    ]
    path = folder / "feeds.toml"
    path.write_text("".join(parts), encoding="utf-8")
    return path


def articles(
    count: int, feeds: tuple[Feed, ...], chance: random.Random
) -> dict[Feed, list[Entry]]:
    """Return the entries of so many stories, by the feed that brings each."""
    found: dict[Feed, list[Entry]] = {feed: [] for feed in feeds}
    for place in range(count):
        wanted = 1 + (chance.random() < SECOND) + (chance.random() < THIRD)
        topics = chance.sample([*TOPICS], wanted)
        spoken = [
            f"affaire {topic}" if chance.random() < DOUBTFUL else TOPICS[topic]
            for topic in topics
        ]
        title = f"{words(chance, 8)} {place}".capitalize()
        if chance.random() < 1 / 2:
            title = f"{title} : {spoken[0]}"
        summary = f"{words(chance, 12)} {', '.join(spoken)} {words(chance, 25)}."
        published_at = NOW - SPAN * chance.random()
        copies = chance.randint(1, 4) if chance.random() < COPIED else 0
        for number_, feed in enumerate(chance.sample(feeds, 1 + copies)):
            url = f"{feed.url.removesuffix('feed')}{place}/article.html"
            found[feed].append(
                Entry(
                    id=number(feed.url, url),
                    key=url,
                    url=url,
                    title=title,
                    summary=summary,
                    author="" if place % 3 else words(chance, 2).title(),
                    fingerprint=place,
                    published_at=(published_at + timedelta(hours=number_)).replace(
                        microsecond=0
                    ),
                )
            )
    return found


def record(store: Store, config: Config, found: dict[Feed, list[Entry]]) -> None:
    """Keep the entries as polls of their feeds would."""
    polls.follow(store, config.feeds, NOW)
    outcomes = [
        Outcome(
            feed,
            NOW,
            Validators(),
            b"",
            200,
            entries=tuple(entries),
            listed=tuple(entry.id for entry in entries),
        )
        for feed, entries in found.items()
    ]
    for start in range(0, len(outcomes), BATCH):
        polls.record(store, outcomes[start : start + BATCH], config.polling)


def decide(path: Path, found: dict[Feed, list[Entry]], chance: random.Random) -> None:
    """Write curation.toml: decisions on stories of all years."""
    urls = [entry.url for entries in found.values() for entry in entries]
    tables = []
    for action, count in DECISIONS.items():
        for place, url in enumerate(chance.sample(urls, min(count, len(urls) // 20))):
            more = {
                "note": f'text = "{words(chance, 12).capitalize()}."\n',
                "retag": f'topics = ["{chance.choice([*TOPICS])}"]\n',
                "add": (
                    f'title = "{words(chance, 8).capitalize()}"\noutlet = "JT 20H"\n'
                    f"published = {NOW - SPAN * chance.random():%Y-%m-%d}\n"
                    f'topics = ["{chance.choice([*TOPICS])}"]\nform = "tv"\n'
                    f'excerpt = "{words(chance, 20).capitalize()}."\n'
                ),
            }.get(action, "")
            named = f'id = "jt-{place}"' if action == "add" else f'url = "{url}"'
            tables.append(f'[[decision]]\naction = "{action}"\n{named}\n{more}')
    path.write_text("\n".join(tables), encoding="utf-8")


def age(store: Store) -> None:
    """Have every story added on the day it was published, as 20 years of cycles do."""
    dates = {
        row["story"]: row["at"]
        for row in store.rows(
            "SELECT story, min(dated_at) AS at FROM entries GROUP BY story"
        )
    }
    aged = []
    for short, standing in tales.standings(store).items():
        if standing.added_at:
            at = datetime.fromtimestamp(dates[short], UTC) + timedelta(hours=1)
            aged.append(replace(standing, added_at=at, updated_at=at))
    tales.stand(store, aged)


def build(folder: Path, count: int) -> Path:
    """Make a database of so many stories; return the path of feeds.toml."""
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(2006)
    path = write_config(folder)
    config = configuration.read(path)
    found = articles(count, config.feeds, chance)
    decide(config.storage.curation, found, chance)
    with Store(config.storage.database) as store:
        record(store, config, found)
    publish(path)
    with Store(config.storage.database) as store:
        age(store)
        # a story hidden after it was published leaves a tombstone
        published = [
            one
            for one in tales.standings(store).values()
            if one.state is State.PUBLISHED
        ]
        gone = chance.sample(published, len(published) // 100)
    urls = "".join(
        f'\n[[decision]]\naction = "hide"\nstory = "{one.story}"\n' for one in gone
    )
    with config.storage.curation.open("a", encoding="utf-8") as file:
        file.write(urls)
    publish(path)
    return path


@dataclass(frozen=True)
class Spent:
    """What a `publish` took, in seconds, and how many files it wrote."""

    seconds: float
    processor: float
    files: int


def publish(path: Path) -> Spent:
    """Run the real `publish`."""
    began, used = time.perf_counter(), processor()
    done = subprocess.run(
        [sys.executable, "-m", "aggregator", "--config", str(path), "publish"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "SOURCE_DATE_EPOCH": str(int(NOW.timestamp()))},
    )
    took = time.perf_counter() - began
    return Spent(took, processor() - used, len(done.stdout.splitlines()))


def processor() -> float:
    """Return the processor time of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def contents(folder: Path) -> dict[str, bytes]:
    """Return every published file by name."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def main() -> int:
    """Build, publish, print."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    options.add_argument("--stories", type=int, default=STORIES)
    options.add_argument("--runs", type=int, default=RUNS)
    options.add_argument("--limit", type=float, default=LIMIT)
    options.add_argument("--keep", type=Path, help="build there; time what is there")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = given.keep or Path(place)
        path = folder / "feeds.toml"
        if not path.exists():
            build(folder, given.stories)
        config = configuration.read(path)
        with Store(config.storage.database) as store:
            stories = tales.standings(store)
        states = Counter(one.state for one in stories.values())
        print(", ".join(f"{count} {state}" for state, count in states.items()))
        published = [
            short
            for short, one in stories.items()
            if one.state is State.PUBLISHED and "film" in one.topics
        ]
        return timed(config, published[0], given.runs, given.limit)


def timed(config: Config, target: str, runs: int, limit: float) -> int:
    """Time each kind of `publish`; return 1 when one is too slow or wrong.

    target: a story that is published.
    """
    public, curation = config.storage.output, config.storage.curation
    decisions = curation.read_text(encoding="utf-8")
    publish(config.source)
    spent: dict[str, list[Spent]] = {
        "empty folder": [],
        "unchanged": [],
        "a note on one story": [],
    }
    bad = False
    for turn in range(runs):
        before = contents(public)
        # Not removed yet: ext4 gives no inode out again for minutes after its file is
        # gone, and looks through all of these for each new one (1.5 s of system time).
        public.rename(public.with_name(f"public-{turn}"))
        spent["empty folder"].append(publish(config.source))
        bad |= contents(public) != before
        spent["unchanged"].append(publish(config.source))
        note = f'action = "note"\nstory = "{target}"\ntext = "Version {turn}."\n'
        curation.write_text(f"{decisions}\n[[decision]]\n{note}", encoding="utf-8")
        spent["a note on one story"].append(publish(config.source))
    curation.write_text(decisions, encoding="utf-8")
    for turn in range(runs):
        shutil.rmtree(public.with_name(f"public-{turn}"))
    for name, each in spent.items():
        seconds = median(one.seconds for one in each)
        used = median(one.processor for one in each)
        files = max(one.files for one in each)
        bad |= seconds > limit or (files == 0) != (name == "unchanged")
        print(f"{name}\t{seconds:.2f} s\t{used:.2f} s of processor\t{files} files")
    documents = contents(public)
    print(f"{len(documents)} files, {sum(map(len, documents.values())) / 1e6:.1f} MB")
    if bad:
        print("too slow, or not the same")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
