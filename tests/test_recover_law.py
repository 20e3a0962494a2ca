"""The law of a lost database: whatever was published, the folder brings it back.

Worlds are made at random, always the same ones: entries that share addresses, titles or
texts, without guid or date, decisions of every kind on what came of them.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import Server
from worlds import EPOCH, configure, contents, item, rss

from aggregator import bulletin, run
from aggregator.desk import Desk, stories
from aggregator.model import Story
from aggregator.store import Store

NOW = datetime.fromtimestamp(int(EPOCH), UTC)
DAY = timedelta(days=1)
FEEDS = ("jour", "soir", "nuit")
MATCHED = ("travailleurs du clic", "petites mains", "livreurs", "masiero")
OTHERS = (
    "film images tri pays ville grève enquête rue or robots attente plateforme".split()
)


class Chance:
    """What a world is made of, drawn from one seed."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.texts = [self.text() for _ in range(10)]

    def maybe(self, part: float) -> bool:
        """Return True in so many of the cases."""
        return self.draw.random() < part

    def words(self, count: int) -> str:
        """Return so many words, a fifth of them such as lines look for."""
        return " ".join(
            self.draw.choice(MATCHED if self.maybe(0.2) else OTHERS)
            for _ in range(count)
        )

    def text(self) -> tuple[str, str]:
        """Return a title and a summary."""
        return (
            self.words(self.draw.choice([3, 7, 9])),
            self.words(self.draw.choice([0, 5, 30, 60])),
        )

    def entry(self, feed: str, number: int) -> str:
        """Return an item of a feed."""
        title, summary = (
            self.draw.choice(self.texts) if self.maybe(0.6) else self.text()
        )
        slug = f"{feed}{number}" if self.maybe(0.8) else f"x{self.draw.randint(0, 4)}"
        made = item(
            slug,
            title,
            summary,
            date=f"Fri, {self.draw.randint(10, 14)} Feb 2020 08:00:00 GMT",
            host=self.draw.choice([f"{feed}.example", "agence.example"]),
            query=self.draw.choice(["", "?utm_source=rss", "?id=3"]),
        )
        if self.maybe(0.15):
            made = made.replace(f"<guid isPermaLink='false'>{slug}</guid>", "")
        if self.maybe(0.1):
            made = f"{made.partition('<pubDate>')[0]}</item>"
        return made

    def decision(self, told: tuple[Story, ...]) -> str:
        """Return a table that speaks of what was found."""
        one, other = (self.draw.choice([s for s in told if s.url]) for _ in "12")
        action = self.draw.choice("hide keep pin note merge split retag".split())
        if action == "merge" and one.url != other.url:
            table = f"urls = {json.dumps([one.url, other.url])}"
        elif action == "split":
            urls = [copy.url for copy in one.copies if copy.url]
            table = f"url = {json.dumps(self.draw.choice(urls))}"
        else:
            action = "pin" if action == "merge" else action
            more = {"note": '\ntext = "Une note"', "retag": '\ntopics = ["livreurs"]'}
            table = f"url = {json.dumps(one.url)}{more.get(action, '')}"
        return f'[[decision]]\naction = "{action}"\n{table}\n'


@pytest.fixture(scope="module")
def outlets() -> Iterator[Server]:
    running = Server()
    yield running
    running.close()


def cycle(folder: Path, at: datetime) -> tuple[Story, ...]:
    """Run a cycle; what it published is what the database says."""
    desk = Desk.load(folder / "feeds.toml")
    run.cycle(desk, at, everything=True)
    with Store(folder / "aggregator.db") as store:
        told = stories(store, desk)
        assert not any(bulletin.rebuild(store, desk, told).values())
        return told


@pytest.mark.parametrize("seed", [3, 10, 12])
def test_a_folder_brings_its_stories_back(
    tmp_path: Path, outlets: Server, seed: int
) -> None:
    """To the byte, by `publish` and by a cycle, and as if nothing had been lost."""
    chance = Chance(seed)
    folder, twin = tmp_path / "world", tmp_path / "twin"
    folder.mkdir()
    feeds = {
        name: outlets.route(
            f"/{name}",
            body=rss(*(chance.entry(name, n) for n in range(8)), title=name),
        )
        for name in FEEDS
    }
    path = configure(folder, feeds)
    if chance.maybe(0.5):
        excerpt = chance.draw.choice([0, 40, 120])
        text = path.read_text().replace("contact =", f"excerpt = {excerpt}\ncontact =")
        path.write_text(text)
    told = cycle(folder, NOW - 2 * DAY)
    tables = "\n".join(chance.decision(told) for _ in range(6))
    (folder / "curation.toml").write_text(tables)
    cycle(folder, NOW)
    before = contents(folder)
    shutil.copytree(folder, twin)
    for lost in folder.glob("aggregator.db*"):
        lost.unlink()
    bulletin.republish(Desk.load(path), NOW)

    assert b'"published"' in before["stories.jsonl"]
    assert contents(folder) == before
    cycle(folder, NOW)
    assert contents(folder) == before
    for each in (folder, twin):
        cycle(each, NOW + DAY)
    ours, theirs = contents(folder), contents(twin)
    assert {
        name
        for name in ours | theirs
        if ours.get(name) != theirs.get(name) and not name.startswith("outlets/")
    } == set()
