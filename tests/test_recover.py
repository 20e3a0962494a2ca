"""A lost database comes back from the published folder, to the byte."""

from __future__ import annotations

import json
import re
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import Server
from worlds import (
    EPOCH,
    aggregator,
    command,
    configure,
    contents,
    environment,
    item,
    rss,
)

from aggregator import bulletin, run
from aggregator.desk import Desk, stories
from aggregator.model import DataError, State
from aggregator.store import Store

NOW = datetime.fromtimestamp(int(EPOCH), UTC)
DAY = timedelta(days=1)
LONG = "Un documentaire en quatre épisodes suit celles et ceux qui trient nos images."
DISPATCH = (
    "Des milliers de travailleurs du clic trient des images pour des entreprises qui "
    "ne les emploient pas, révèle une enquête menée pendant deux ans en douze pays. "
) * 2
CURATION = """
[[decision]]
action = "add"
id = "jt"
title = "Au journal télévisé : les travailleurs du clic"
outlet = "JT 20H"
published = "2020-02"
topics = ["film"]
form = "tv"

[[decision]]
action = "note"
url = "https://jour.example/a"
text = "À lire d’abord"

[[decision]]
action = "keep"
url = "https://jour.example/b"

[[decision]]
action = "merge"
urls = ["https://jour.example/e", "https://soir.example/f"]

[[decision]]
action = "split"
url = "https://soir.example/g"
"""
HIDE = """
[[decision]]
action = "hide"
url = "https://jour.example/h"
"""


TITLE = "« Invisibles », ou la vie des travailleurs du clic"
TWELVE = "Dans les coulisses du tri des images, en douze pays"
JOUR = [
    item("a", TITLE, f"{LONG} {DISPATCH}", query="?utm_source=rss"),
    item("b", "Les petites mains de la haute couture", LONG),
    item("c", "Corinne Masiero aux petites mains d’or"),
    item("e", "Les travailleurs du clic, une enquête", "Ce qu’on en sait."),
    item("h", "Travailleurs du clic : la recette de la tarte"),
    item("i", "Une autre affaire", f"{DISPATCH} Les livreurs aussi."),
    item("j", TWELVE, DISPATCH),
]
SOIR = [
    item("z", TITLE, f"{LONG} {DISPATCH}", host="soir.example"),
    item("y", "Les livreurs en grève", host="soir.example"),
    item("f", "Qui sont les travailleurs du clic ?", "Enquête.", host="soir.example"),
    item("g", TWELVE, DISPATCH, host="soir.example"),
]
PUBLISHED = 8


@pytest.fixture(scope="module")
def outlets() -> Iterator[Server]:
    """Yield a server of three outlets."""
    running = Server()
    serve(running)
    yield running
    running.close()


def serve(server: Server) -> dict[str, str]:
    """Have the outlets say what they always say; return their addresses."""
    return {
        "Le Jour": server.route("/jour", body=rss(*JOUR)),
        "Le Soir": server.route("/soir", body=rss(*SOIR, title="Le Soir")),
        "La Nuit": server.route("/nuit", status=500),
    }


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, outlets: Server) -> Path:
    """Return a folder with every kind of story, published over three days."""
    folder = tmp_path_factory.mktemp("world")
    path = configure(folder, serve(outlets))
    curation = folder / "curation.toml"
    curation.write_text(CURATION)
    desk = Desk.load(path)
    run.cycle(desk, NOW - 2 * DAY)
    curation.write_text(CURATION + HIDE)
    bulletin.republish(Desk.load(path), NOW - DAY)
    run.cycle(Desk.load(path), NOW, everything=True)
    return folder


@pytest.fixture
def folder(original: Path, tmp_path: Path, outlets: Server) -> Path:
    """Return a copy of it, and the outlets as they were."""
    serve(outlets)
    shutil.copytree(original, tmp_path / "world")
    return tmp_path / "world"


def lose(folder: Path) -> None:
    for path in folder.glob("aggregator.db*"):
        path.unlink()


def desk(folder: Path) -> Desk:
    return Desk.load(folder / "feeds.toml")


def told(folder: Path) -> dict[str, tuple[object, ...]]:
    """Return of every story that was ever public where it stands, and since when."""
    with Store(folder / "aggregator.db") as store:
        return {
            one.short: (one.state, one.title, one.topics, one.added_at, one.updated_at)
            for one in stories(store, desk(folder))
            if one.added_at
        }


def changed(before: dict[str, bytes], folder: Path) -> set[str]:
    after = contents(folder)
    return {name for name in before | after if before.get(name) != after.get(name)}


def test_the_world_has_every_kind_of_story(folder: Path) -> None:
    """Else the tests below would show little."""
    with Store(folder / "aggregator.db") as store:
        its = stories(store, desk(folder))
    states = {one.state for one in its if one.withdrawn_at}

    assert states == {State.HIDDEN}
    assert sum(one.state is State.PUBLISHED for one in its) == PUBLISHED
    assert {len(one.copies) for one in its} >= {1, 2}
    assert {proof.column for one in its for proof in one.evidence} >= {
        "title",
        "summary",
        "",
    }


def test_publish_restores_every_file_to_the_byte(folder: Path) -> None:
    """Without the database, the folder alone gives the same folder: nothing moves."""
    before, known = contents(folder), told(folder)
    lose(folder)
    rebuilt = bulletin.republish(desk(folder), NOW)

    assert changed(before, folder) == set()
    assert (rebuilt.written, rebuilt.restored) == ((), PUBLISHED)
    assert {n: one[:1] + one[2:] for n, one in told(folder).items()} == {
        n: one[:1] + one[2:] for n, one in known.items()
    }
    again = bulletin.republish(desk(folder), NOW)
    assert (again.written, again.restored) == ((), None)


def test_a_command_says_so_in_one_line(folder: Path) -> None:
    """`run` does it by itself, and the next `run` has nothing to say."""
    before = contents(folder)
    lose(folder)
    done = aggregator(folder / "feeds.toml", "run")

    assert done.returncode == 0
    assert done.stderr.splitlines()[0] == (
        "aggregator.db was lost: 8 stories restored from public/stories.jsonl"
    )
    assert changed(before, folder) == set()


def test_entries_still_listed_join_their_stories(folder: Path) -> None:
    """Polled again, at once and later, they are no new stories and move no date."""
    before = contents(folder)
    lose(folder)
    report = run.cycle(desk(folder), NOW)

    assert (report.restored, report.stories) == (PUBLISHED, PUBLISHED)
    assert changed(before, folder) == set()
    run.cycle(desk(folder), NOW + 2 * DAY, everything=True)
    assert {n for n in changed(before, folder) if not n.startswith("outlets/")} == set()


def test_stories_no_longer_listed_stay(folder: Path, outlets: Server) -> None:
    """Most are years old; what the outlets list by then is something else."""
    before = contents(folder)
    lose(folder)
    for path in ("/jour", "/soir"):
        title = "Le Soir" if path == "/soir" else "Le Jour"
        new = item("new", "La météo de demain")
        outlets.route(path, body=rss(new, title=title))
    for day in range(3):
        run.cycle(desk(folder), NOW + day * DAY, everything=True)

    assert {n for n in changed(before, folder) if not n.startswith("outlets/")} == set()


def test_an_article_under_another_address_joins(folder: Path, outlets: Server) -> None:
    """Other parameters, another guid, the outlet's second feed: one story each."""
    before = contents(folder)
    lose(folder)
    again = [one.replace("<guid isPermaLink='false'>", "<guid>v2-") for one in JOUR]
    again = [one.replace("</link>", "?xtor=RSS-9</link>") for one in again]
    outlets.route("/jour", body=rss(*again))
    run.cycle(desk(folder), NOW)

    assert {short for short, one in told(folder).items()} == {
        json.loads(line)["short"] for line in before["stories.jsonl"].splitlines()
    }
    assert b"v2-" not in contents(folder)["index.html"]
    assert contents(folder)["feed.atom"].count(b"<entry>") == (
        before["feed.atom"].count(b"<entry>")
    )


def test_a_correction_reaches_the_story_again(folder: Path, outlets: Server) -> None:
    """The feed's own words take the place of those that were restored."""
    lose(folder)
    run.cycle(desk(folder), NOW)
    (short,) = [n for n, one in told(folder).items() if one[1] == TITLE]
    better = [one.replace("Invisibles", "Les Invisibles") for one in JOUR]
    outlets.route("/jour", body=rss(*better))
    run.cycle(desk(folder), NOW + 2 * DAY, everything=True)
    after = told(folder)[short]

    assert after[1] == TITLE.replace("Invisibles", "Les Invisibles")
    assert after[4] == NOW + 2 * DAY


@pytest.mark.parametrize(
    "curation",
    [
        CURATION,
        CURATION.replace("merge", 'note"\ntext = "').replace("urls", 'url = "x" #'),
        CURATION.partition('[[decision]]\naction = "split')[0] + HIDE,
        HIDE,
    ],
    ids=["hide", "merge", "split", "all but hide"],
)
def test_decisions_are_taken_back_as_ever(folder: Path, curation: str) -> None:
    """With the database or without: the same stories, under the same ids."""
    twin = folder.with_name("twin")
    shutil.copytree(folder, twin)
    lose(folder)
    for each in (folder, twin):
        (each / "curation.toml").write_text(curation)
        run.cycle(desk(each), NOW, everything=True)

    def public(each: Path) -> dict[str, object]:
        its = told(each).items()
        return {name: one[0] for name, one in its if one[0] is State.PUBLISHED}

    assert public(folder) == public(twin)


def test_an_excerpt_of_nothing_moves_no_date(folder: Path) -> None:
    """What is not published cannot come back, and is no news when it does."""
    path = folder / "feeds.toml"
    path.write_text(path.read_text().replace("contact =", "excerpt = 0\ncontact ="))
    bulletin.republish(desk(folder), NOW)
    before = contents(folder)
    lose(folder)
    bulletin.republish(desk(folder), NOW)
    assert changed(before, folder) == set()
    run.cycle(desk(folder), NOW + 2 * DAY, everything=True)

    assert {n for n in changed(before, folder) if not n.startswith("outlets/")} == set()


def test_an_edit_made_meanwhile_applies_under_the_brake(folder: Path) -> None:
    """A line that is gone withdraws what it found, but no flood of it."""
    twin = folder.with_name("twin")
    shutil.copytree(folder, twin)
    lose(folder)
    held = []
    for each in (folder, twin):
        path = each / "feeds.toml"
        edited = path.read_text().replace('match = ["travailleurs', 'match = ["vieux')
        path.write_text(f"{edited}\n[matching]\nbrake = 2\n")
        held.append(run.cycle(desk(each), NOW).held)

    assert held[0] == held[1]
    assert dict(held[0])["film"] > 2
    assert {n: one[0] for n, one in told(folder).items()} == {
        n: one[0] for n, one in told(twin).items()
    }


def test_what_is_no_document_any_longer_is_removed(folder: Path) -> None:
    """A topic taken out meanwhile leaves no folder, and other files are left alone."""
    path = folder / "feeds.toml"
    (folder / "public" / "CNAME").write_text("film.example")
    (folder / "public" / "topics" / "old").mkdir()
    (folder / "public" / "topics" / "old" / "feed.atom").write_text("<feed/>")
    lose(folder)
    bulletin.republish(desk(folder), NOW)

    assert path.exists()
    assert not (folder / "public" / "topics" / "old").exists()
    assert (folder / "public" / "CNAME").exists()


def cut(data: bytes) -> bytes:
    return data[:-100]


def cut_at_a_line(data: bytes) -> bytes:
    return b"".join(data.splitlines(keepends=True)[:-2])


def one_bad(data: bytes) -> bytes:
    return data.replace(b'"state": "published"', b'"state": "printed"', 1)


def no_entries(data: bytes) -> bytes:
    return data.replace(b'"key": ', b'"kex": ', 1).replace(
        b'"entries": [', b'"entries": [], "x": [', 1
    )


def twice(data: bytes) -> bytes:
    return data + data.splitlines(keepends=True)[0]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (cut, "line 9 is cut short after"),
        (cut_at_a_line, "cut short: it lacks 2 of the stories of stories.csv"),
        (one_bad, "line 1 is not a story as it was written: `state`: "),
        (no_entries, "published, but without `added_at` or `entries`"),
        (twice, "line 10 is not a story as it was written: line 1 has the same"),
        (lambda _: b"{}\n", "line 1 is not a story as it was written: there is no "),
        (lambda _: b"[1]\n", "[1] in place of an object"),
        (lambda _: b"Bonjour\n", "line 1 is not a story as it was written: no JSON"),
        (lambda _: b"\xff\n", "line 1 is not a story as it was written: "),
        (lambda _: b"[" * 100_000 + b"\n", "line 1 is not a story"),
        (lambda _: b"", "cut short: it lacks 9 of the stories of stories.csv"),
    ],
)
def test_a_damaged_archive_is_told_and_left_alone(
    folder: Path, damage: Callable[[bytes], bytes], said: str
) -> None:
    """One line says where; nothing is polled, restored or written over."""
    archive = folder / "public" / "stories.jsonl"
    whole = archive.read_bytes()
    archive.write_bytes(damage(whole))
    lose(folder)
    before = contents(folder)
    with pytest.raises(DataError, match=re.escape(said)) as caught:
        run.cycle(desk(folder), NOW)

    assert "\n" not in str(caught.value)
    assert str(archive) in str(caught.value)
    assert "move" in str(caught.value)
    assert changed(before, folder) == set()
    archive.write_bytes(whole)
    assert bulletin.republish(desk(folder), NOW).restored == PUBLISHED


def test_a_missing_archive_and_a_damaged_table_are_told(folder: Path) -> None:
    """The good folder is not replaced by an empty one because the database is gone."""
    archive = folder / "public" / "stories.jsonl"
    table = folder / "public" / "outlets" / "outlets.csv"
    kept = table.read_bytes()
    lose(folder)
    table.write_bytes(kept.replace(b"2026-", b"2026/"))
    before = contents(folder)
    with pytest.raises(DataError, match=r"outlets\.csv: row \d is not as it was"):
        bulletin.republish(desk(folder), NOW)
    assert changed(before, folder) == set()

    table.write_bytes(kept)
    archive.rename(folder / "aside")
    before = contents(folder)
    with pytest.raises(DataError, match=r"not there, though feed\.atom is"):
        bulletin.republish(desk(folder), NOW)
    assert changed(before, folder) == set()

    archive.mkdir()
    with pytest.raises(DataError, match="cannot be read"):
        bulletin.republish(desk(folder), NOW)


def test_without_a_published_folder_it_is_a_first_run(folder: Path) -> None:
    """Moved away, as the error says, it is no archive."""
    lose(folder)
    shutil.rmtree(folder / "public")
    report = run.cycle(desk(folder), NOW)

    assert report.restored is None
    assert report.stories > 0


def test_a_restore_cut_off_in_the_middle_is_done_again(folder: Path) -> None:
    """It is one transaction: a disk that is full half-way leaves nothing of it."""
    before = contents(folder)
    lose(folder)
    with Store(folder / "aggregator.db"):
        """Make the tables alone."""
    limit = 60_000  # bytes of a file: less than the stories take in the journal
    done = subprocess.run(
        command(folder / "feeds.toml", "publish"),
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY)
        ),
    )

    assert done.returncode == 1
    assert "cannot be written" in done.stderr
    assert changed(before, folder) == set()
    assert bulletin.republish(desk(folder), NOW).restored == PUBLISHED
    assert changed(before, folder) == set()


def test_what_an_article_settled_stays_settled(tmp_path: Path, server: Server) -> None:
    """The page's text is lost; the feed's words alone would be a doubt again."""
    words = "Les travailleurs du clic trient des images, rue après rue. " * 40
    page = f"<html><body><article><h1>Rue</h1><p>{words}</p></article></body></html>"
    address = server.route(
        "/article", body=page.encode(), headers={"Content-Type": "text/html"}
    )
    doubt = (
        f"<item><guid>p</guid><title>Les petites mains de la ville</title>"
        f"<link>{address}</link><pubDate>Fri, 14 Feb 2020 08:00:00 GMT</pubDate></item>"
    )
    feed = server.route("/feed", body=rss(doubt))
    configure(tmp_path, {"Le Jour": feed})
    assert run.cycle(desk(tmp_path), NOW).stories == 1
    before = contents(tmp_path)
    server.route("/article", status=403)
    lose(tmp_path)
    for day in range(3):
        assert run.cycle(desk(tmp_path), NOW + day * DAY, everything=True).stories == 1

    assert b'"column": "article"' in before["stories.jsonl"]
    assert contents(tmp_path)["stories.jsonl"] == before["stories.jsonl"]

    path = tmp_path / "feeds.toml"
    path.write_text(path.read_text().replace("travailleurs du clic", "livreurs"))
    assert run.cycle(desk(tmp_path), NOW + 3 * DAY).stories == 0


def test_an_article_that_a_search_found_keeps_its_outlet(
    tmp_path: Path, server: Server
) -> None:
    """The entry names it; the feed is the search's, whatever that is called by now."""
    found = item("a", "Les travailleurs du clic racontent", LONG)
    found = found.replace(
        "</item>", "<source url='https://jour.example/'>Le Jour</source></item>"
    )
    address = server.route("/search", body=rss(found, title="Recherche"))
    path = configure(tmp_path, {})
    table = f'"Recherche" = {{ url = "{address}", kind = "search" }}\n'
    path.write_text(path.read_text() + table)
    run.cycle(desk(tmp_path), NOW)
    before = contents(tmp_path)
    assert b'"outlet": "Le Jour"' in before["stories.jsonl"]
    lose(tmp_path)
    run.cycle(desk(tmp_path), NOW)

    assert changed(before, tmp_path) == set()


def test_the_holes_of_an_outlet_go_on(folder: Path) -> None:
    """Since when it is followed, and what may have been missed, before and after."""
    lost = NOW - DAY
    table = folder / "public" / "outlets" / "outlets.csv"
    hole = "2026-01-03T08:00:00Z/2026-01-05T08:00:00Z"
    rows = table.read_text("utf-8-sig").splitlines()
    rows = [one + hole if one.startswith("Le Jour,") else one for one in rows]
    table.write_text("\ufeff" + "\r\n".join(rows) + "\r\n", "utf-8", newline="")
    lose(folder)
    run.cycle(desk(folder), lost)
    run.cycle(desk(folder), NOW + 2 * DAY, everything=True)
    (row,) = [
        one
        for one in table.read_text("utf-8-sig").splitlines()
        if one.startswith("Le Jour,")
    ]

    assert "2026-11-21T12:00:00Z" in row  # when it was first followed
    assert row.endswith(hole)
