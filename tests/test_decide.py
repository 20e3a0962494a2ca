"""keep, hide, pin, unpin, retag and note: one decision each, shown and undone."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import Server
from worlds import EPOCH, aggregator, configure, copied, item, rss

from aggregator.cli import main

URL = "https://jour.example/{}"


@pytest.fixture(scope="module")
def polled(tmp_path_factory: pytest.TempPathFactory, outlet: Server) -> Path:
    """Return a folder after a cycle: a published story and one that waits."""
    folder = tmp_path_factory.mktemp("polled")
    items = item("a", "Les travailleurs du clic"), item("b", "Des petites mains")
    made = configure(folder, {"Le Jour": outlet.route("/jour", body=rss(*items))})
    assert aggregator(made, "run").returncode == 0
    return folder


@pytest.fixture
def path(tmp_path: Path, polled: Path) -> Path:
    """Return the feeds.toml of a copy of that folder, for this test alone."""
    return copied(polled, tmp_path)


def call(path: Path, *words: str) -> Result:
    """Run a command in this process."""
    env = {"SOURCE_DATE_EPOCH": EPOCH}
    return CliRunner().invoke(main, ["--config", str(path), *words], env=env)


def short(path: Path, slug: str) -> str:
    """Return the short id of a story."""
    said = call(path, "why", URL.format(slug), "--json").stdout
    return str(json.loads(said)["article"]["story"])


def curation(path: Path) -> str:
    """Return the text of curation.toml."""
    return path.with_name("curation.toml").read_text()


@pytest.mark.parametrize(
    ("words", "slug", "change"),
    [
        (["keep"], "b", "waiting → published"),
        (["keep"], "a", "stays published"),
        (["hide"], "a", "published → hidden"),
        (["pin"], "a", "pinned"),
        (["unpin"], "a", "stays published"),
        (["retag", "--topic", "livreurs"], "a", "topics film → livreurs"),
        (["note", "--text", "À lire."], "a", "note: À lire."),
        (["note", "--text", ""], "a", "stays published"),
    ],
)
def test_each_command_writes_one_decision_and_shows_what_it_changes(
    path: Path, words: list[str], slug: str, change: str
) -> None:
    """By address or short id; `--undo` leaves the file as it was."""
    for name in (URL.format(slug) + "?utm_source=x", short(path, slug)):
        done = call(path, *words, name, "--reason", "parce que")

        assert done.exit_code == 0, done.stderr
        assert done.stdout.splitlines()[1].strip() == change
        assert done.stderr == "`aggregator publish` publishes that now\n"
        assert f'action = "{words[0]}"' in curation(path)
        assert 'reason = "parce que"' in curation(path)
        assert "at     = 2026-11-23T13:00:00+01:00" in curation(path)

        undone = call(path, words[0], name, "--undo")

        assert undone.exit_code == 0, undone.stderr
        assert curation(path) == ""


def test_a_decision_is_taken_back_by_any_name_of_its_story(path: Path) -> None:
    """Hidden by its address, it is found by its short id; the earlier word holds."""
    call(path, "keep", URL.format("b"))
    call(path, "hide", URL.format("b"))
    undone = call(path, "hide", short(path, "b"), "--undo")

    assert "hidden → published" in undone.stdout
    assert re.findall("action = (.*)", curation(path)) == ['"keep"']

    again = call(path, "hide", short(path, "b"), "--undo")

    assert again.exit_code == 2
    assert "curation.toml has no hide on" in again.stderr


def test_several_stories_at_once(path: Path) -> None:
    """Each gets its table, and each is shown."""
    done = call(path, "hide", URL.format("a"), URL.format("b"))

    assert done.stdout.count("→ hidden") == 2
    assert curation(path).count("[[decision]]") == 2

    undone = call(path, "hide", URL.format("b"), URL.format("a"), "--undo")

    assert "hidden → waiting" in undone.stdout
    assert "hidden → published" in undone.stdout


def test_a_story_not_known_yet_may_be_decided_on(path: Path, tmp_path: Path) -> None:
    """The decision waits for it; also before the first cycle."""
    done = call(path, "hide", URL.format("zz"))

    assert done.exit_code == 0
    assert "names no story known so far" in done.stdout

    undone = call(path, "hide", URL.format("zz"), "--undo")

    assert undone.stdout.endswith("/zz  names no story known so far\n")
    assert curation(path) == ""

    new = tmp_path / "new"
    new.mkdir()
    fresh = configure(new, {"Le Jour": "http://127.0.0.1:1/f"})

    assert "names no story" in call(fresh, "hide", URL.format("a")).stdout
    assert sorted(each.name for each in new.iterdir()) == [
        "curation.toml",
        "feeds.toml",
    ]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["hide", "jour.example/a"], 'write "https://jour.example/a"'),
        (["retag", "k7f3q2zd"], "write --topic ID"),
        (["retag", "k7f3q2zd", "--topic", "flm"], "did you mean 'film'?"),
        (["note", "k7f3q2zd"], "write --text TEXT"),
        (["hide"], "Missing argument"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    path: Path, words: list[str], why: str
) -> None:
    """With the mend, exit status 2, and nothing written."""
    done = call(path, *words)

    assert done.exit_code == 2
    assert why in done.stderr
    assert not (path.parent / "curation.toml").exists() or curation(path) == ""


def test_a_table_of_another_form_is_left_to_the_maintainer(path: Path) -> None:
    """It says which one to take out."""
    text = f"decision = [{{ action = 'hide', url = '{URL.format('a')}' }}]\n"
    path.with_name("curation.toml").write_text(text)
    done = call(path, "hide", URL.format("a"), "--undo")

    assert done.exit_code == 1
    assert "decision[1] is not a table on lines of its own" in done.stderr
    assert curation(path) == text


def test_an_address_of_several_stories_is_refused(path: Path, outlet: Server) -> None:
    """Where an outlet put another article in the place of one, both are named."""
    moved = item("a", "Les travailleurs du clic").replace("example/a<", "example/old<")
    other = item("z", "D’autres travailleurs du clic").replace(
        "example/z<", "example/a<"
    )
    outlet.route("/jour", body=rss(moved, other))
    assert aggregator(path, "run", "--all").returncode == 0
    old, new = short(path, "old"), short(path, "a")
    done = call(path, "hide", URL.format("a"))

    copy = "https://archive.example/1"
    added = call(path, "add", URL.format("a"), "--archived", copy)

    assert {done.exit_code, added.exit_code} == {2}
    assert "is the address of several stories" in done.stderr
    assert "is the address of several stories" in added.stderr
    assert old != new
    assert {old, new} == set(re.findall(r"[a-z2-7]{8}(?= \(2020-02-14\))", done.stderr))
    assert "published → hidden" in call(path, "hide", new).stdout


def test_a_story_that_was_merged_into_another_is_no_second_one(path: Path) -> None:
    """An address of both names the one that readers see."""
    urls = f'["{URL.format("a")}", "{URL.format("b")}"]'
    merged = f'[[decision]]\naction = "merge"\nurls = {urls}\n'
    path.with_name("curation.toml").write_text(merged)

    assert "pinned" in call(path, "pin", URL.format("b")).stdout
