"""A maintainer's day, once in commands and once in an editor: the same is published."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import Server
from worlds import EPOCH, aggregator, configure, contents, copied, item, rss

from aggregator.cli import main

DAY = 24 * 60 * 60
DOUBTS = [f"doute-{n}" for n in range(20)]
KEPT, HIDDEN = DOUBTS[:12], DOUBTS[12:]
WRONG = ["homonyme-1", "homonyme-2", "homonyme-3"]
JOINED = "Les travailleurs du clic sortent de l’ombre, une enquête"
SAYS = "« Les travailleurs du clic » sont des millions, et personne ne les voit jamais."
JOUR, SOIR = "https://jour.example/{}", "https://soir.example/{}"
PAGE = """<!doctype html><html lang="fr"><head>
<title>Le clic a ses ouvriers | La Gazette</title>
<meta property="og:site_name" content="La Gazette">
<meta property="og:description" content="Elles classent des images.">
<meta property="article:published_time" content="2020-02-14T08:30:00+01:00">
<meta name="author" content="Anne Martin"></head><body><article><h1>Le clic a ses
ouvriers</h1><p>Les travailleurs du clic.</p></article></body></html>"""


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory, outlet: Server) -> Path:
    """Return the folder as the day begins: nine days old, an outlet has moved."""
    day = [item(slug, f"Des petites mains, {slug}") for slug in DOUBTS]
    day += [item(slug, f"Travailleurs du clic, {slug}") for slug in WRONG]
    day += [
        item("enquete", JOINED, SAYS),
        item("autre", "Travailleurs du clic : suite"),
    ]
    evening = item("enquete", JOINED, SAYS, host="soir.example")
    folder = tmp_path_factory.mktemp("morning")
    outlet.route("/soir/nouveau.xml", body=rss(evening, title="Le Soir"))
    moved = {"Location": outlet.url("/soir/nouveau.xml")}
    path = configure(
        folder,
        {
            "Le Jour": outlet.route("/jour.xml", body=rss(*day)),
            "Le Soir": outlet.route("/soir.xml", 301, headers=moved),
        },
    )
    for days in (9, 1, 0):
        at = {"SOURCE_DATE_EPOCH": str(int(EPOCH) - days * DAY)}
        assert aggregator(path, "run", "--all", env=at).returncode == 0
    return folder


def call(path: Path, *words: str) -> str:
    """Run a command that has to succeed; return what it prints."""
    env = {"SOURCE_DATE_EPOCH": EPOCH}
    done = CliRunner().invoke(main, ["--config", str(path), *words], env=env)
    assert done.exit_code == 0, done.output
    return done.stdout


def in_commands(path: Path, page: str) -> None:
    """Do the day by commands; what moved by the line that `status` prints."""
    waiting = json.loads(call(path, "review", "--json"))
    shorts = {story["url"]: story["story"] for story in waiting}
    assert len(waiting) == len(DOUBTS)
    call(path, "keep", *(shorts[JOUR.format(slug)] for slug in KEPT))
    call(path, "hide", *(shorts[JOUR.format(slug)] for slug in HIDDEN))
    call(path, "hide", *map(JOUR.format, WRONG), "--reason", "un autre sujet")
    call(path, "split", SOIR.format("enquete"))
    call(path, "add", page, "--topic", "film")
    tv = ["--title", "Le journal", "--outlet", "JT 20H", "--published", "2020-02-14"]
    call(path, "add", *tv, "--topic", "film", "--form", "tv")
    assert "moved" in call(path, "status")
    (line,) = [one for one in call(path, "status").splitlines() if "nouveau.xml" in one]
    edit(path, line.strip())


def in_an_editor(path: Path, page: str) -> None:
    """Do the same day as text."""
    tables = [f'action = "keep"\nurl = "{JOUR.format(slug)}"' for slug in KEPT]
    tables += [f'action = "hide"\nurl = "{JOUR.format(s)}"' for s in (*HIDDEN, *WRONG)]
    tables += [f'action = "split"\nurl = "{SOIR.format("enquete")}"']
    tables.append(
        f'action = "add"\nurl = "{page}"\ntitle = "Le clic a ses ouvriers"\n'
        'outlet = "La Gazette"\nauthor = "Anne Martin"\ntopics = ["film"]\n'
        'published = 2020-02-14T08:30:00+01:00\nexcerpt = "Elles classent des images."'
    )
    tables.append(
        'action = "add"\ntitle = "Le journal"\noutlet = "JT 20H"\nform = "tv"\n'
        'published = 2020-02-14\ntopics = ["film"]'
    )
    text = "".join(f"[[decision]]\n{table}\n\n" for table in tables)
    path.with_name("curation.toml").write_text(text, encoding="utf-8")
    old = next(one for one in path.read_text("utf-8").splitlines() if "Le Soir" in one)
    edit(path, old.replace("/soir.xml", "/soir/nouveau.xml"))


def edit(path: Path, line: str) -> None:
    """Put the line of `Le Soir` in the place of the one that is there."""
    lines = path.read_text("utf-8").splitlines()
    there = [number for number, one in enumerate(lines) if one.startswith('"Le Soir"')]
    lines[there[0]] = line
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_a_day_in_commands_is_a_day_in_an_editor(
    tmp_path: Path, morning: Path, outlet: Server
) -> None:
    """Twenty doubts, three wrong stories, a wrong join, two additions, an address."""
    html = {"Content-Type": "text/html"}
    page = outlet.route("/gazette/clic", body=PAGE.encode(), headers=html)
    page = page.replace("127.0.0.1", "localhost")
    days = {}
    for name, work in (("commands", in_commands), ("editor", in_an_editor)):
        path = copied(morning, tmp_path / name)
        work(path, page)
        call(path, "check")
        call(path, "publish")
        assert "moved" not in call(path, "status")
        days[name] = contents(path.parent)
    feed = json.loads(days["commands"]["feed.json"])
    titles = [item["title"] for item in feed["items"]]

    assert days["commands"] == days["editor"]
    assert sum("petites mains" in title for title in titles) == len(KEPT)
    assert not any("homonyme" in title for title in titles)
    assert sum(JOINED in title for title in titles) == 2
    assert b"Le clic a ses ouvriers" in days["commands"]["2020/index.html"]
    assert b"JT 20H" in days["commands"]["2020/index.html"]


def told(folder: Path) -> dict[str, tuple[str, list[str]]]:
    """Return title and topics of every published story by its id."""
    lines = contents(folder)["stories.jsonl"].decode().splitlines()
    stories = [json.loads(line) for line in lines]
    return {
        one["short"]: (one["title"], one["topics"])
        for one in stories
        if one["state"] == "published"
    }


def test_feeds_and_decisions_alone_give_the_same_stories(
    tmp_path: Path, morning: Path, outlet: Server
) -> None:
    """Without database and published folder: the same ids, titles and topics."""
    html = {"Content-Type": "text/html"}
    page = outlet.route("/gazette/clic", body=PAGE.encode(), headers=html)
    path = copied(morning, tmp_path)
    in_commands(path, page.replace("127.0.0.1", "localhost"))
    call(path, "publish")
    before = told(tmp_path)
    for lost in tmp_path.glob("aggregator.db*"):
        lost.unlink()
    shutil.rmtree(tmp_path / "public")
    call(path, "run")

    assert len(before) == len(KEPT) + 5
    assert told(tmp_path) == before
