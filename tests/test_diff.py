"""`diff`: what an edit would change, before it does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Server
from worlds import EPOCH, aggregator, configure, contents, copied, database, item, rss

WEEK = 7 * 86400


@pytest.fixture(scope="module")
def polled(tmp_path_factory: pytest.TempPathFactory, outlet: Server) -> Path:
    """Return a folder whose outlet was polled once, over a week ago."""
    items = [
        item("a", "Les travailleurs du clic", "Un film à Paris"),
        item("b", "Encore les travailleurs du clic", date="13 Feb 2020 08:00:00 GMT"),
        item("c", "La météo des plages", date="12 Feb 2020 08:00:00 GMT"),
        item("d", "La météo des livreurs", date="11 Feb 2020 08:00:00 GMT"),
        item("e", "Les petites mains", date="10 Feb 2020 08:00:00 GMT"),
        item("f", "Masiero aux petites mains d’or", date="9 Feb 2020 08:00:00 GMT"),
    ]
    outlets = {"Le Jour": outlet.route("/jour", body=rss(*items))}
    path = configure(
        tmp_path_factory.mktemp("polled"), outlets, extra="[matching]\nbrake = 1"
    )
    assert call(path, "run", late=-WEEK)[0] == ""
    return path.parent


@pytest.fixture
def path(tmp_path: Path, polled: Path) -> Path:
    """Return the feeds.toml of a copy of that folder, for this test alone."""
    return copied(polled, tmp_path)


def call(path: Path, *words: str, late: int = 0) -> tuple[str, str]:
    """Run a command that works; return what it printed, late: seconds after EPOCH."""
    at = {"SOURCE_DATE_EPOCH": str(int(EPOCH) + late)}
    done = aggregator(path, *words, env=at)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def edit(path: Path, old: str, new: str) -> None:
    """Replace a piece of feeds.toml that stands in it."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def decide(path: Path, action: str, slug: str) -> None:
    """Write a decision on one of the articles."""
    with path.with_name("curation.toml").open("a", encoding="utf-8") as file:
        url = f"https://jour.example/{slug}"
        file.write(f'[[decision]]\naction = "{action}"\nurl = "{url}"\n')


def moves(path: Path) -> list[tuple[str, str, str]]:
    """Return sign, feeds and title of each row that `diff` prints."""
    rows = call(path, "diff")[0].split("\n\n")[0].splitlines()
    fields = [row.split("\t") for row in rows if row[:1] in ("+", "-")]
    return [(row[0], row[1], row[4]) for row in fields]


def test_without_an_edit_nothing_would_change(path: Path) -> None:
    """Which is said."""
    told, said = call(path, "diff")

    assert told.startswith("\ntopic ")
    assert said == "no feed would change\n"


def test_what_an_edit_would_add_and_remove_is_shown_and_not_done(path: Path) -> None:
    """By feed and line, newest first; database and files stay as they are."""
    edit(path, '"travailleurs du clic"', '"météo", "encore les travailleurs"')
    before = contents(path.parent), database(path.parent)
    told, said = call(path, "diff")
    rows = [row.split("\t") for row in told.splitlines() if row[:1] in ("+", "-")]

    assert rows == [
        [
            "+",
            "front, all, film",
            "2020-02-12",
            "Le Jour",
            "La météo des plages",
            "https://jour.example/c",
            "météo",
        ],
        [
            "+",
            "front, film",
            "2020-02-11",
            "Le Jour",
            "La météo des livreurs",
            "https://jour.example/d",
            "météo | livreurs",
        ],
        [
            "-",
            "front, all, film",
            "2020-02-14",
            "Le Jour",
            "Les travailleurs du clic",
            "https://jour.example/a",
            "travailleurs du clic",
        ],
    ]
    assert said == (
        "front +2 -1, all +1 -1, film +2 -1\n"
        "film: the brake would hold 3; `aggregator publish --accept` lets them pass\n"
    )
    assert (contents(path.parent), database(path.parent)) == before


def test_what_it_shows_is_what_publish_then_does(path: Path) -> None:
    """Accepted, the feeds gain and lose exactly that, and nothing is left to do."""
    edit(path, '"travailleurs du clic"', '"météo", "encore les travailleurs"')

    def listed() -> set[str]:
        feed = json.loads(contents(path.parent)["topics/film/feed.json"])
        return {entry["title"].removesuffix(" – Le Jour") for entry in feed["items"]}

    before, told = listed(), moves(path)
    call(path, "publish", "--accept")

    assert listed() - before == {title for sign, _, title in told if sign == "+"}
    assert before - listed() == {title for sign, _, title in told if sign == "-"}
    assert moves(path) == []


def test_decisions_are_shown_too(path: Path) -> None:
    """What curation.toml hides and keeps since, and what would no longer wait."""
    decide(path, "hide", "a")
    decide(path, "keep", "e")

    assert moves(path) == [
        ("+", "front, all, film", "Les petites mains"),
        ("-", "front, all, film", "Les travailleurs du clic"),
        ("-", "review", "Les petites mains"),
    ]


def test_what_is_merged_is_told_as_part_of_its_story(path: Path) -> None:
    """Readers keep it there; nor is it lost to the line that finds it."""
    urls = [f"https://jour.example/{slug}" for slug in "ab"]
    with path.with_name("curation.toml").open("a", encoding="utf-8") as file:
        file.write(f'[[decision]]\naction = "merge"\nurls = {json.dumps(urls)}\n')
    told, said = call(path, "diff")
    (row,) = [line.split("\t") for line in told.splitlines() if line.startswith("=")]
    change = json.loads(call(path, "diff", "--json")[0])["feeds"][0]
    (one,) = change["merged"]

    assert row[:2] == ["=", "front, all, film"]
    assert row[4:] == [
        "Les travailleurs du clic",
        urls[0],
        f"part of {one['part_of']}, published",
    ]
    assert said == "front +0 -0 =1, all +0 -0 =1, film +0 -0 =1\n"
    assert (change["added"], change["removed"]) == ([], [])
    assert (one["title"], one["state"]) == ("Les travailleurs du clic", "published")
    call(path, "publish")
    edit(path, '"travailleurs du clic"', '"encore les", "film à paris"')
    found = json.loads(call(path, "diff", "--json")[0])
    assert (found["feeds"], [line["accepted"] for line in found["lines"][:2]]) == (
        [],
        [1, 1],
    )


def test_a_topic_that_is_taken_out_loses_all_of_its_feed(path: Path) -> None:
    """Its stories may stay elsewhere."""
    text = path.read_text(encoding="utf-8")
    start, end = text.index('[[topics]]\nid = "livreurs"'), text.index("[outlets]")
    path.write_text(text[:start] + text[end:], encoding="utf-8")

    assert moves(path) == [("-", "all, livreurs", "La météo des livreurs")]


def test_each_line_is_judged_by_what_was_decided(path: Path) -> None:
    """Standing for a week is accepted, hidden is rejected."""
    decide(path, "hide", "b")
    call(path, "publish", late=-1)
    edit(
        path, '"travailleurs du clic"', '"travailleurs du clic", "film", "introuvable"'
    )
    found = json.loads(call(path, "diff", "--json")[0])
    lines = {(line["key"], line["line"]): line for line in found["lines"]}

    assert lines["match", "travailleurs du clic"] == {
        "topic": "film",
        "key": "match",
        "line": "travailleurs du clic",
        "finds": 2,
        "alone": 1,
        "accepted": 1,
        "rejected": 1,
        "precision": 0.5,
        "recall": 1.0,
    }
    assert (lines["match", "film"]["finds"], lines["match", "film"]["alone"]) == (1, 0)
    assert lines["match", "introuvable"]["precision"] is None
    assert lines["review", "petites mains"]["recall"] == 0.0
    assert lines["review", "petites mains"]["alone"] == 2
    assert (
        lines["never", "masiero"]["finds"],
        lines["never", "masiero"]["recall"],
    ) == (
        1,
        None,
    )
    assert found["held"] == {}


def test_what_was_published_within_the_week_is_not_judged_yet(path: Path) -> None:
    """It may still be hidden."""
    found = json.loads(call(path, "diff", "--json", late=-1)[0])

    assert {line["precision"] for line in found["lines"]} == {None}


def test_lines_that_never_found_anything_are_named(path: Path) -> None:
    """Below the table, by topic and key."""
    edit(path, '"travailleurs du clic"', '"travailleurs du clic", "introuvable"')
    told, _ = call(path, "diff")

    assert told.endswith(
        "\nnothing in the history is found by:\n  film.match: introuvable\n"
    )
    assert any(
        line.split()[:3] == ["film", "match", "2"] and line.endswith("du clic")
        for line in told.splitlines()
    )


def test_json_lists_each_feed(path: Path) -> None:
    """With the stories that it would gain and lose."""
    edit(path, '"travailleurs du clic"', '"travailleurs du clic", "plages"')
    found = json.loads(call(path, "diff", "--json")[0])

    assert [change["feed"] for change in found["feeds"]] == [
        "feed.atom",
        "all/feed.atom",
        "topics/film/feed.atom",
    ]
    (story,) = found["feeds"][0]["added"]
    assert story.pop("story")
    assert story == {
        "url": "https://jour.example/c",
        "title": "La météo des plages",
        "outlet": "Le Jour",
        "published": "2020-02-12T08:00:00Z",
        "lines": ["plages"],
    }
    assert found["feeds"][0]["removed"] == []


def test_diff_needs_a_history(tmp_path: Path) -> None:
    """Before the first run it says what to do."""
    done = aggregator(configure(tmp_path, {}), "diff")

    assert done.returncode == 1
    assert "aggregator run" in done.stderr
