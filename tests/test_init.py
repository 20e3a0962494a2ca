"""`init`: a new folder, in which the next commands work at once."""

from __future__ import annotations

import resource
import tomllib
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from terminal import Terminal
from worlds import EPOCH

from aggregator import config
from aggregator.begin import LANGUAGES, First, documents
from aggregator.cli import main

ROOT = Path(__file__).parents[1]
FILES = [".gitignore", "curation.toml", "feeds.toml"]
URL = "https://www.film.example/revue/"
GIVEN = ["--title", "La presse", "--url", URL, "--contact", "presse@film.example"]
FIRST = First("La presse", URL, "", "fr", "tag:www.film.example,2026:revue")


def call(*words: str | Path, epoch: str = EPOCH) -> Result:
    """Run a command in this process, without a terminal."""
    env = {"SOURCE_DATE_EPOCH": epoch, config.VARIABLE: ""}
    return CliRunner().invoke(main, [*map(str, words)], env=env)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_made_can_be_checked_and_run(tmp_path: Path, language: str) -> None:
    """In both languages; the one thing to do first is warned of."""
    made = call("init", tmp_path / "new", *GIVEN, "--language", language)
    path = tmp_path / "new" / "feeds.toml"
    checked = call("--config", path, "check")
    ran = call("--config", path, "run")
    page = (tmp_path / "new" / "public" / "index.html").read_text("utf-8")

    assert (made.exit_code, checked.exit_code, ran.exit_code) == (0, 0, 0)
    assert checked.stderr.count("warning") == 1
    assert "outlets: none is followed" in checked.stderr
    assert f'<html lang="{language}"' in page
    assert made.stdout.split() == [
        *("cd", str(tmp_path / "new")),
        *("aggregator", "check", "aggregator", "run"),
    ]


def test_nothing_else_is_made(tmp_path: Path) -> None:
    """Three files, of which Git leaves out what the program makes; no leftovers."""
    call("init", tmp_path / "a" / "new", *GIVEN)
    folder = tmp_path / "a" / "new"
    call("--config", folder / "feeds.toml", "run")
    ignored = (folder / ".gitignore").read_text().split()

    assert names(tmp_path / "a") == ["new"]
    assert [
        name
        for name in names(folder)
        if not any(fnmatch(f"/{name}", rule.rstrip("/")) for rule in ignored)
    ] == FILES


def test_a_new_url_changes_no_id(tmp_path: Path) -> None:
    """The id is written down, with the year in which the host was the maintainer's."""
    call("init", tmp_path / "new", *GIVEN, epoch="1900000000")
    path = tmp_path / "new" / "feeds.toml"
    before = config.read(path).site.id
    path.write_text(path.read_text().replace("www.film", "neu.werk", 1))

    assert before == "tag:www.film.example,2030:revue"
    assert config.read(path).site.url == "https://neu.werk.example/revue/"
    assert config.read(path).site.id == before


def test_an_example_id_is_warned_of(tmp_path: Path) -> None:
    """Who answered with a mere Enter, and wrote the address later, forgot the id."""
    call(
        "init",
        tmp_path / "new",
        *GIVEN[:2],
        *GIVEN[4:],
        "--url",
        "https://example.org/p/",
    )
    path = tmp_path / "new" / "feeds.toml"
    fresh = config.warnings(config.read(path))
    path.write_text(path.read_text().replace("https://example.org/p/", URL, 1))
    later = config.warnings(config.read(path))

    assert [line.partition(":")[0] for line in fresh] == ["site.url", "outlets"]
    assert [line.partition(":")[0] for line in later] == ["site.id", "outlets"]


def test_a_folder_that_was_begun_is_left_alone(tmp_path: Path) -> None:
    """One line says so, and nothing changes; so where a file is in its place."""
    (tmp_path / "feeds.toml").write_text("# mine\n")
    refused = call("init", tmp_path, *GIVEN)
    occupied = call("init", tmp_path / "feeds.toml", *GIVEN)

    assert (refused.exit_code, occupied.exit_code) == (1, 1)
    assert len(refused.stderr.splitlines()) == len(occupied.stderr.splitlines()) == 1
    assert names(tmp_path) == ["feeds.toml"]
    assert (tmp_path / "feeds.toml").read_text() == "# mine\n"


def test_what_else_is_in_a_folder_stays(tmp_path: Path) -> None:
    """A folder under version control has its .gitignore; decisions are never lost."""
    mine = {".gitignore": "/tmp\n", "curation.toml": "# mine\n", "notes.txt": "x"}
    for name, text in mine.items():
        (tmp_path / name).write_text(text)
    made = call("init", tmp_path, *GIVEN)

    assert "made feeds.toml\n" in made.stderr
    assert names(tmp_path) == sorted([*mine, "feeds.toml"])
    assert {name: (tmp_path / name).read_text() for name in mine} == mine


@pytest.mark.parametrize("there", [False, True])
def test_what_cannot_be_finished_leaves_nothing(tmp_path: Path, there: bool) -> None:
    """Where the disk is full half-way, there is no folder, or nothing new in it."""
    folder = tmp_path / "new"
    if there:
        folder.mkdir()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))  # feeds.toml is longer
    try:
        failed = call("init", folder, *GIVEN)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert failed.exit_code == 1
    assert len(failed.stderr.splitlines()) == 1
    assert [path.name for path in tmp_path.rglob("*")] == (["new"] if there else [])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (GIVEN[2:], "give --title"),
        ([], "give --title, --url, --contact"),
        ([*GIVEN, "--url", "film.example"], 'url: "film.example" is no web address'),
        ([*GIVEN, "--url", "https://[::1]/"], "url: none can be made from"),
        ([*GIVEN, "--contact", "moi"], 'contact: "moi" is neither a mail address'),
        ([*GIVEN, "--title", "\x07"], "title: "),
        ([*GIVEN, "--language", "tlh"], "'tlh' is not one of 'fr', 'en'"),
    ],
)
def test_what_is_wrong_or_missing_is_told(
    tmp_path: Path, words: list[str], said: str
) -> None:
    """Without a terminal all must be given; nothing is made of what is unfit."""
    refused = call("init", tmp_path / "new", *words)

    assert refused.exit_code == 2
    assert said in refused.stderr.splitlines()[-1]
    assert names(tmp_path) == []


def test_a_terminal_is_asked_for_what_is_missing(tmp_path: Path) -> None:
    """Enter takes what is shown; an unfit answer is told and asked for again."""
    folder = tmp_path / "new"
    unused = tmp_path / "other.toml"
    words = ("init", str(folder), "--contact", "")
    with Terminal(unused, *words) as terminal:
        terminal.line("\n", "[La presse en parle]: ")
        terminal.line("film.example\n", "[https://example.org/presse/]: ")
        terminal.line(f"{URL}\n", "[https://example.org/presse/]: ")
        asked = terminal.end()
    site = config.read(folder / "feeds.toml").site

    assert (site.title, site.url, site.contact) == ("La presse en parle", URL, "")
    assert 'write "https://film.example"' in terminal.shown
    assert asked.endswith("aggregator run\n")


def test_another_file_in_force_is_told(tmp_path: Path) -> None:
    """$AGGREGATOR_CONFIG has no part in `init`, but the next command would obey it."""
    env = {config.VARIABLE: "/srv/other.toml"}
    words = ["init", str(tmp_path / "new"), *GIVEN]
    made = CliRunner().invoke(main, words, env=env)

    assert made.exit_code == 0
    assert "commands read /srv/other.toml" in made.stderr


def test_the_file_that_is_in_force_by_its_name_may_be_made(tmp_path: Path) -> None:
    """As by the installed command, which names it: there is nothing to warn of."""
    env = {config.VARIABLE: str(tmp_path / "new" / "feeds.toml")}
    words = ["init", str(tmp_path / "new"), *GIVEN]
    made = CliRunner().invoke(main, words, env=env)

    assert (made.exit_code, "warning" in made.stderr) == (0, False)


@given(title=st.text())
def test_any_title_stands_in_the_file_as_it_was(title: str) -> None:
    """Quotes, braces and what looks like a place in the template are text."""
    made = documents(replace(FIRST, title=title))["feeds.toml"]
    written = title.encode("utf-8", "replace").decode()

    assert tomllib.loads(made.decode())["site"]["title"].replace("\ufffd", "?") == (
        written.replace("\ufffd", "?")
    )


def test_the_package_carries_its_templates() -> None:
    """Every file of the package that is no code is named in pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    carried = project["tool"]["setuptools"]["package-data"]["*"]
    data = [
        path
        for path in (ROOT / "aggregator").rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    ]

    assert [p for p in data if not any(fnmatch(p.name, glob) for glob in carried)] == []
