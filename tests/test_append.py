"""Appending to curation.toml: nothing is lost, nothing else changes."""

from __future__ import annotations

import fcntl
import os
import resource
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from worlds import configure

from aggregator import config as configuration
from aggregator import curation
from aggregator.append import Pen
from aggregator.model import Action, AggregatorError, Config, ConfigError, Decision

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
HIDE = Decision(Action.HIDE, ("k7f3q2zd",), AT, "un autre film")
KEEP = Decision(Action.KEEP, ("https://jour.example/a",), AT)
MINE = '# à moi\r\n[[decision]]   # le premier\naction="pin"\nstory = "aaaaaaaa"'


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Return a configuration whose curation.toml is not there yet."""
    path = configure(tmp_path, {"Le Jour": "http://127.0.0.1:1/f"})
    return configuration.read(path)


def standing(config: Config) -> list[Decision]:
    """Return the decisions of the file but for the maintainer's own."""
    path, zone = config.storage.curation, config.site.timezone
    read = curation.read(path, config.topics, zone)
    return [one for one in read if one.targets != ("aaaaaaaa",)]


def test_a_missing_file_is_made(config: Config) -> None:
    """The first decision makes the file; it begins with the table."""
    assert Pen(config).write(HIDE) == 0
    assert config.storage.curation.read_text().startswith("[[decision]]\n")
    assert standing(config) == [HIDE]


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n# fin"])
def test_what_stands_there_is_left_to_the_byte(config: Config, end: str) -> None:
    """Comments and spelling stay, whether or not the file ends with a line end."""
    path = config.storage.curation
    before = ("\ufeff" + MINE + end).encode()
    path.write_bytes(before)
    pen = Pen(config)
    pen.write(HIDE)
    pen.write(KEEP)

    assert path.read_bytes().startswith(before)
    assert standing(config) == [HIDE, KEEP]


def test_each_decision_is_written_when_it_is_taken(config: Config) -> None:
    """Killed right after the second one, both are there."""
    code = (
        "import os, signal, sys; sys.path.insert(0, 'tests')\n"
        "from test_append import *\n"
        "pen = Pen(configuration.read(Path(sys.argv[1])))\n"
        "pen.write(HIDE); pen.write(KEEP); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(config.source)],
        cwd=Path(__file__).parents[1],
        check=False,
    )

    assert done.returncode == -signal.SIGKILL
    assert standing(config) == [HIDE, KEEP]


def test_an_edit_meanwhile_is_kept(config: Config) -> None:
    """What an editor adds between two decisions, in a new file at that, stays."""
    path, pen = config.storage.curation, Pen(config)
    pen.write(HIDE)
    new = path.with_name("new")
    new.write_text(f"{MINE}\n{path.read_text()}")
    new.rename(path)

    assert pen.write(KEEP) == 0
    assert path.read_text().startswith("# à moi")
    assert standing(config) == [HIDE, KEEP]


def test_a_file_replaced_while_it_is_waited_for_is_the_new_one(config: Config) -> None:
    """Another command holds the old file, and an editor puts a new one in its place."""
    path = config.storage.curation
    path.write_bytes(MINE.encode())
    writer = threading.Thread(target=Pen(config).write, args=(HIDE,))
    with path.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        writer.start()
        new = path.with_name("new")
        new.write_text("# tout neuf\n")
        new.replace(path)
    writer.join()

    assert path.read_text().startswith("# tout neuf\n")
    assert standing(config) == [HIDE]


def test_an_older_text_saved_over_it_loses_nothing(config: Config) -> None:
    """An editor that was open since before is told on, and its text completed."""
    path, pen = config.storage.curation, Pen(config)
    path.write_text(MINE)
    pen.write(HIDE)
    path.write_text(MINE + "  # relu")

    assert pen.write(KEEP) == 1
    assert standing(config) == [HIDE, KEEP]

    path.unlink()

    assert pen.write() == 2
    assert pen.write() == 0
    assert standing(config) == [HIDE, KEEP]


def test_without_a_decision_no_file_is_made(config: Config) -> None:
    """A pen that wrote nothing leaves no trace."""
    assert Pen(config).write() == 0
    assert not config.storage.curation.exists()


@pytest.mark.parametrize(
    "before",
    [
        '[[decision]]\naction = "hid',
        "decision = [{action = 'pin', story = 'k7f3q2zd'}]",
    ],
)
def test_a_file_that_would_not_be_valid_stays_as_it_is(
    config: Config, before: str
) -> None:
    """An edit that is not finished, or a list that cannot grow, is one problem."""
    path = config.storage.curation
    path.write_text(before)
    with pytest.raises(ConfigError):
        Pen(config).write(HIDE)

    assert path.read_text() == before


def test_a_decision_that_the_file_may_not_hold_is_refused(config: Config) -> None:
    """An unknown topic never reaches the file."""
    with pytest.raises(ConfigError, match="unknown topic"):
        Pen(config).write(Decision(Action.RETAG, ("k7f3q2zd",), AT, topics=("flm",)))

    assert config.storage.curation.read_text() == ""


def test_a_link_into_nowhere_is_told(config: Config) -> None:
    """A disk that is not mounted gets no new file in its place."""
    path = config.storage.curation
    path.symlink_to(path.parent / "mounted" / "curation.toml")
    with pytest.raises(AggregatorError, match="nothing was changed"):
        Pen(config).write(HIDE)

    assert not path.exists()


def test_a_full_disk_leaves_the_file_whole(config: Config) -> None:
    """Of a table that does not fit nothing is written."""
    path = config.storage.curation
    path.write_bytes(MINE.encode())
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(MINE) + 30, before[1]))
    try:
        with pytest.raises(AggregatorError, match="nothing was changed"):
            Pen(config).write(HIDE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert path.read_bytes() == MINE.encode()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_file_of_somebody_else_is_one_line(config: Config) -> None:
    """Without the right to write, the path and the reason are told."""
    path = config.storage.curation
    path.write_text(MINE)
    path.chmod(0o444)
    with pytest.raises(AggregatorError, match="permission denied"):
        Pen(config).write(HIDE)


TABLES = """\
# en tête

[[decision]]
action = "pin"
story = "aaaaaaaa"  # le premier
# encore le premier ?

# le deuxième
[[ decision ]]
action = "note"
story = "k7f3q2zd"
text = \"\"\"
[[decision]]
action = "hide"
\"\"\"
[[decision]]
action = "unpin"
story = "aaaaaaaa"
# fin
"""


def test_a_table_is_cut_out_alone(config: Config) -> None:
    """Comments stay, and so do all other tables, to the byte."""
    path = config.storage.curation
    path.write_text(TABLES)
    path.chmod(0o640)

    assert Pen(config).take_out(1)
    assert path.read_text() == TABLES.replace(
        '[[decision]]\naction = "pin"\nstory = "aaaaaaaa"  # le premier\n', ""
    )
    assert path.stat().st_mode & 0o777 == 0o640
    assert [each.name for each in path.parent.glob("*.new")] == []


@pytest.mark.parametrize("place", [2, 3, 4])
def test_a_table_that_cannot_be_cut_out_safely_stays(
    config: Config, place: int
) -> None:
    """What only looks like a table, inside a text, is seen through; nothing changes."""
    path = config.storage.curation
    path.write_text(TABLES)

    assert not Pen(config).take_out(place)
    assert path.read_text() == TABLES


@pytest.mark.parametrize("before", ["", "# rien\n", MINE.replace("\r", "") + "\n"])
def test_what_was_appended_comes_out_without_a_trace(
    config: Config, before: str
) -> None:
    """The file is then what it was, to the byte."""
    path, pen = config.storage.curation, Pen(config)
    path.write_text(before)
    pen.write(HIDE)
    place = 1 + before.count("[[decision]]")

    assert pen.take_out(place)
    assert path.read_text() == before
    assert not pen.take_out(place)


def test_a_link_stays_a_link(config: Config) -> None:
    """The file it leads to is changed, where the maintainer keeps it."""
    path = config.storage.curation
    real = path.parent / "depot" / "curation.toml"
    real.parent.mkdir()
    real.write_text("")
    path.symlink_to(real)
    pen = Pen(config)
    pen.write(HIDE)
    pen.write(KEEP)

    assert pen.take_out(1)
    assert path.is_symlink()
    assert standing(config) == [KEEP]
