"""Writing: changed files only, whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aggregator.model import AggregatorError
from aggregator.publish import write

DOCUMENTS = {"index.html": b"front", "topics/a/feed.atom": b"<feed/>"}


def listing(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_writes_what_is_named_and_says_so(tmp_path: Path) -> None:
    """Folders are made, names come back in their order, nothing else is left."""
    folder = tmp_path / "new" / "public"

    assert write(folder, DOCUMENTS.items()) == dict.fromkeys(DOCUMENTS, True)
    assert listing(folder) == DOCUMENTS


def test_equal_files_are_not_touched(tmp_path: Path) -> None:
    """A second write changes no file, no date and no folder."""
    write(tmp_path, DOCUMENTS.items())
    for path in tmp_path.rglob("*"):
        os.utime(path, ns=(1, 1))
    written = write(tmp_path, DOCUMENTS.items())

    assert not any(written.values())
    assert {path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == {1}


def test_only_what_changed_is_written(tmp_path: Path) -> None:
    """A change of equal length is seen too; files of others stay."""
    write(tmp_path, DOCUMENTS.items())
    (tmp_path / "CNAME").write_text("film.example")
    documents = DOCUMENTS | {"index.html": b"Front"}
    written = write(tmp_path, documents.items())

    assert written == {"index.html": True, "topics/a/feed.atom": False}
    assert listing(tmp_path) == {
        "CNAME": b"film.example",
        "index.html": b"Front",
        "topics/a/feed.atom": b"<feed/>",
    }


def test_a_reader_keeps_the_old_document_until_the_new_one_is_whole(
    tmp_path: Path,
) -> None:
    """The file is replaced, not written into: who has it open reads on."""
    write(tmp_path, [("index.html", b"old")])
    with (tmp_path / "index.html").open("rb") as reader:
        write(tmp_path, [("index.html", b"new!")])
        read = reader.read()

    assert read == b"old"
    assert (tmp_path / "index.html").read_bytes() == b"new!"


def test_what_a_killed_run_left_is_removed(tmp_path: Path) -> None:
    """A process killed before the rename leaves a temporary file, until next time."""
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from aggregator.publish import write\n"
        "Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "write(Path(sys.argv[1]), [('topics/a/feed.atom', b'half')])\n"
    )
    write(tmp_path, DOCUMENTS.items())
    died = subprocess.run([sys.executable, "-c", script, tmp_path], check=False)
    left = listing(tmp_path)
    written = write(tmp_path, DOCUMENTS.items())

    assert died.returncode == -9
    assert left == DOCUMENTS | {"topics/a/.feed.atom.partial": b"half"}
    assert not any(written.values())
    assert listing(tmp_path) == DOCUMENTS


@pytest.mark.parametrize("name", ["index.html", ".index.html.partial"])
def test_links_in_the_folder_lead_to_nothing_that_is_written(
    tmp_path: Path, name: str
) -> None:
    """A link in the place of a document is replaced; what it led to stays."""
    kept, folder = tmp_path / "kept", tmp_path / "public"
    kept.write_bytes(b"of another")
    folder.mkdir()
    (folder / name).symlink_to(kept)
    write(folder, [("index.html", b"front")])

    assert kept.read_bytes() == b"of another"
    assert listing(folder) == {"index.html": b"front"}
    assert not (folder / "index.html").is_symlink()


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    """A file where the folder should be: our error, which names it."""
    (tmp_path / "public").write_text("no folder")

    with pytest.raises(AggregatorError, match="public: cannot be written"):
        write(tmp_path / "public", DOCUMENTS.items())


def test_a_failed_write_leaves_no_half(tmp_path: Path) -> None:
    """Where the rename fails the temporary file is gone and the error is ours."""
    (tmp_path / "index.html").mkdir()

    with pytest.raises(AggregatorError, match=r"index\.html"):
        write(tmp_path, DOCUMENTS.items())
    assert listing(tmp_path) == {}


def test_what_is_no_document_any_longer_is_removed(tmp_path: Path) -> None:
    """A topic that is gone leaves no feed and no folder; others' files stay."""
    write(tmp_path, DOCUMENTS.items())
    (tmp_path / "topics" / "robots.txt").write_text("ours")
    front = {"index.html": b"front"}
    written = write(tmp_path, front.items(), [*DOCUMENTS, "2019/index.html"])

    assert written == {"index.html": False}
    assert listing(tmp_path) == front | {"topics/robots.txt": b"ours"}
    assert not (tmp_path / "topics" / "a").exists()


@pytest.mark.parametrize("name", ["/etc/passwd", "../up", "a/../../up", ""])
def test_nothing_is_written_outside_the_folder(tmp_path: Path, name: str) -> None:
    """A name is relative and stays below, whatever a topic is called."""
    with pytest.raises(AggregatorError, match="not a name inside"):
        write(tmp_path / "public", [(name, b"")])

    assert not (tmp_path / "up").exists()
