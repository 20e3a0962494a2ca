"""Readers that people use see one and the same feed, and nothing twice as new."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import feedparser
import pytest
import reader
from conftest import Server
from needs import NPM, needed, npm
from publish_cases import CASES, a_story, case, render
from worlds import EPOCH, configure, item, rss

from aggregator import config as configuration
from aggregator import run
from aggregator.desk import Desk
from aggregator.model import Copy

NOW = datetime.fromtimestamp(int(EPOCH), UTC)
ARTICLES = {
    "a": "À Madagascar, les travailleurs du clic trient nos images la nuit",
    "b": "Un syndicat pour tous les travailleurs du clic voit le jour",
    "c": "Combien gagnent, au juste, les travailleurs du clic ?",
    "d": "Jeu : gagnez un voyage avec les travailleurs du clic",
    "e": "Le sociologue et les travailleurs du clic, un entretien",
}
TYPES = {
    "atom": "application/atom+xml",
    "rss": "application/rss+xml",
    "json": "application/feed+json",
}

Seen = tuple[str, str, float, str]
"""What a reader shows of an entry: id, title, when it was published, link."""


def serve(server: Server, documents: Mapping[str, bytes]) -> None:
    """Put what was published on the test's server."""
    server.routes.clear()
    for name, body in documents.items():
        media = TYPES.get(name.rpartition(".")[2], "text/html")
        server.route(f"/{name}", body=body, headers={"Content-Type": media})


@pytest.fixture
def feeds(server: Server) -> Server:
    """Return a server with the feeds of the press case and of titles hard to read."""
    site, topics, stories = case(CASES / "press")
    site = replace(site, url=server.url("/"))
    hard = a_story(
        title="Pain & jeux : « a < b » ? <canvas> &amp; l’IA",
        url="https://journal.example/é?a=1&b=|",
        topics=("documentaire",),
        copies=(Copy("Le Journal", "", "", a_story().published_at),),
    )
    serve(server, render(site, topics, [*stories, hard]))
    return server


def published(server: Server, name: str) -> list[Seen]:
    """Return what a feed holds, as its JSON form says."""
    items = json.loads(server.routes[f"/{name.rpartition('.')[0]}.json"].body)["items"]
    return sorted(
        (
            one["id"],
            one["title"],
            datetime.fromisoformat(one["date_published"]).timestamp(),
            one["url"],
        )
        for one in items
    )


def by_feedparser(server: Server, name: str, _: Path) -> list[Seen]:
    """Return what feedparser reads."""
    read = feedparser.parse(server.url(f"/{name}"))
    assert not read.bozo
    return sorted(
        (one.id, one.title, epoch(*one.published_parsed[:6]), one.link)
        for one in read.entries
    )


def epoch(*parts: int) -> float:
    """Return seconds since 1970 of a moment in UTC."""
    return datetime(*parts, tzinfo=UTC).timestamp()


def by_reader(server: Server, name: str, _: Path) -> list[Seen]:
    """Return what `reader` stores."""
    with reader.make_reader(":memory:") as kept:
        kept.add_feed(server.url(f"/{name}"))
        kept.update_feeds()
        return sorted(
            (one.id, one.title, one.published.timestamp(), one.link)
            for one in kept.get_entries()
        )


def by_newsboat(server: Server, name: str, folder: Path) -> list[Seen]:
    """Return what newsboat has in its cache."""
    boat = Newsboat(server.url(f"/{name}"), folder)
    boat("-x", "reload")
    return sorted(boat.rows("guid, title, pubDate, url"))


def by_feedsmith(server: Server, name: str, folder: Path) -> list[Seen]:
    """Return what feedsmith, a parser for JavaScript, makes of the document."""
    npm("feedsmith")
    folder.mkdir()
    (folder / "feed").write_bytes(server.routes[f"/{name}"].body)
    done = subprocess.run(
        [needed("node"), str(NPM.parent / "entries.mjs"), str(folder / "feed")],
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted(tuple(one) for one in json.loads(done.stdout))


class Newsboat:
    """A newsboat that follows one feed, with a cache of its own."""

    def __init__(self, address: str, folder: Path) -> None:
        self.program, self.folder = needed("newsboat"), folder
        folder.mkdir()
        (folder / "urls").write_text(f"{address}\n", "utf-8")
        (folder / "config").touch()

    def __call__(self, *words: str) -> str:
        """Run it without its screen and return what it prints."""
        return subprocess.run(
            [self.program, "-C", "config", "-u", "urls", "-c", "cache.db", *words],
            cwd=self.folder,
            env={"HOME": str(self.folder)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def rows(self, columns: str) -> list[tuple[str, ...]]:
        """Return columns of its articles."""
        cache = sqlite3.connect(self.folder / "cache.db")
        found = cache.execute(f"SELECT {columns} FROM rss_item").fetchall()
        cache.close()
        return found

    def read_all(self) -> None:
        """Mark every article as read."""
        ids = self.rows("guid")
        (self.folder / "read").write_text("".join(f"{one}\n" for (one,) in ids))
        self("-I", "read")

    def unread(self) -> str:
        """Ask the feed again and return what it says is new."""
        self("-x", "reload")
        return self("-x", "print-unread").strip()


@pytest.mark.parametrize(
    ("look", "names"),
    [
        (by_feedparser, ("feed.atom", "feed.rss", "archive/2020-02.atom")),
        (by_reader, ("feed.atom", "feed.rss", "feed.json")),
        (by_newsboat, ("feed.atom", "feed.rss")),
        (by_feedsmith, ("feed.atom", "feed.rss", "feed.json")),
    ],
    ids=["feedparser", "reader", "newsboat", "feedsmith"],
)
def test_every_reader_sees_the_same(
    feeds: Server,
    tmp_path: Path,
    look: Callable[[Server, str, Path], list[Seen]],
    names: tuple[str, ...],
) -> None:
    """Ids, titles, dates and links are those of the story, in each format."""
    expected = published(feeds, "feed.atom")
    assert len(expected) == 4
    for name in names:
        seen = look(feeds, name, tmp_path / name.replace("/", "-"))
        if name.startswith("archive/"):
            assert [one for one in expected if one[0].endswith("aaaaaaa2")] == seen
        else:
            assert expected == seen


@pytest.mark.parametrize("name", ["feed.atom", "feed.rss"])
def test_nothing_that_was_read_comes_back_as_new(
    server: Server, tmp_path: Path, name: str
) -> None:
    """Not by a corrected title, a new copy, a note, a pin, or for one that is hidden.

    A new article does come as new.
    """
    jour = dict(ARTICLES)
    soir = [item("y", "Autre sujet", host="soir.example")]

    def outlets() -> dict[str, str]:
        items = [item(slug, title, f"{title}. Suite.") for slug, title in jour.items()]
        return {
            "Le Jour": server.route("/jour", body=rss(*items)),
            "Le Soir": server.route("/soir", body=rss(*soir, title="Le Soir")),
        }

    def cycle(days: int) -> None:
        server.routes.clear()
        config = configuration.read(configure(tmp_path, outlets()))
        run.cycle(Desk.of(config), NOW + timedelta(days=days), everything=True)
        serve(server, {name: (tmp_path / "public" / name).read_bytes()})

    cycle(0)
    boat = Newsboat(server.url(f"/{name}"), tmp_path / "newsboat")
    assert boat.unread() == "5 unread articles"
    boat.read_all()
    assert boat.unread() == "0 unread articles"

    jour["a"] = "À Manille, les travailleurs du clic trient nos images la nuit"
    soir.append(item("z", jour["b"], f"{jour['b']}. Suite.", host="soir.example"))
    (tmp_path / "curation.toml").write_text(
        "".join(
            f'[[decision]]\naction = "{action}"\nurl = "https://jour.example/{slug}"\n'
            for action, slug in (
                ('note"\ntext = "À lire', "c"),
                ("hide", "d"),
                ("pin", "e"),
            )
        ),
        "utf-8",
    )
    cycle(2)
    assert boat.unread() == "0 unread articles"
    titles = {title for (title,) in boat.rows("title")}
    assert f"{jour['a']} – Le Jour" in titles
    document = server.routes[f"/{name}"].body.decode()
    assert "Le Soir" in document
    assert "À lire" in document
    assert jour["d"] not in document
    assert ("deleted-entry" in document) is name.endswith(".atom")

    jour["f"] = "Au Sénat, un rapport sur les travailleurs du clic"
    cycle(3)
    assert boat.unread() == "1 unread articles"
