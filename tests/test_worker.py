"""The worker: cycles until told to stop, with real signals."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import Server
from worlds import aggregator, command, configure, contents, environment, item, rss

# the worker of the command line, but looking every 20 ms instead of every minute
QUICK = """
import logging, sys
from datetime import timedelta
from pathlib import Path
from aggregator import run
from aggregator.worker import Worker
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
cycle = lambda desk: run.cycle(desk, run.clock(), everything=True)
Worker(Path(sys.argv[1]), cycle).work(tick=0.02)
"""


@contextmanager
def running(*words: str) -> Iterator[subprocess.Popen[str]]:
    """Run a worker, and kill it at the end if it still runs."""
    process = subprocess.Popen(
        words, env=environment(), stderr=subprocess.PIPE, text=True
    )
    limit = threading.Timer(60, process.kill)  # a line that never comes ends the test
    limit.start()
    with process:
        try:
            yield process
        finally:
            limit.cancel()
            if process.poll() is None:
                process.kill()


def until(process: subprocess.Popen[str], *words: str) -> list[str]:
    """Return the lines logged up to one that holds all of `words`."""
    lines: list[str] = []
    assert process.stderr
    for line in process.stderr:
        lines.append(line)
        if all(word in line for word in words):
            return lines
    pytest.fail(f"the worker ended without saying {words}: {lines}")


@pytest.fixture
def path(tmp_path: Path, server: Server) -> Path:
    """Return a feeds.toml of one outlet."""
    body = rss(item("a", "Les travailleurs du clic"))
    return configure(tmp_path, {"Le Jour": server.route("/jour", body=body)})


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_publishes_and_ends_cleanly(path: Path, number: int) -> None:
    """It runs a cycle at once; asked to stop, it says so and exits 0."""
    with running(*command(path, "worker")) as process:
        until(process, "cycle", "mentions=1")
        process.send_signal(number)
        lines = until(process, "worker stopped")

        assert process.wait() == 0
    assert not any("Traceback" in line for line in lines)
    assert "index.html" in contents(path.parent)


def test_a_second_worker_is_refused(path: Path) -> None:
    """Two workers on one database would poll everything twice: exit 75."""
    with running(*command(path, "worker")) as process:
        until(process, "cycle")
        second = aggregator(path, "worker")

    assert second.returncode == 75
    assert "another command holds" in second.stderr


def test_an_edit_is_used_and_a_wrong_one_is_told_once(
    path: Path, server: Server
) -> None:
    """A bad feeds.toml leaves the one before it in force; the mended one is used."""
    good = path.read_text(encoding="utf-8")
    server.route("/soir", status=500)
    with running(sys.executable, "-c", QUICK, str(path)) as process:
        until(process, "cycle", "polled=1")
        path.write_text(good + "\n[[topics]\n", encoding="utf-8")
        until(process, "ERROR", "the edit is not used")
        told = until(process, "cycle", "polled=1")
        told += until(process, "cycle", "polled=1")
        path.write_text(good + f'"Soir" = "{server.url("/soir")}"\n', encoding="utf-8")
        until(process, "configuration read again")
        told += until(process, "WARNING", "feed fails", "Soir")
        server.route("/soir", body=rss(item("b", "La météo")))
        until(process, "WARNING", "feed recovered", "Soir")

    assert not any("the edit is not used" in line for line in told)


def test_a_wrong_decision_leaves_those_before_it_in_force(path: Path) -> None:
    """A slip in curation.toml is told once and stops neither polling nor publishing."""
    curation = path.with_name("curation.toml")
    hide = '[[decision]]\naction = "hide"\nurl = "https://jour.example/a"\n'
    with running(sys.executable, "-c", QUICK, str(path)) as process:
        until(process, "cycle", "mentions=1")
        curation.write_text(hide, encoding="utf-8")
        until(process, "configuration read again")
        until(process, "cycle", "polled=1")
        curation.write_text(hide + "[[decision]]\n", encoding="utf-8")
        until(process, "ERROR", "the edit is not used", "curation.toml")
        told = until(process, "cycle", "polled=1")
        told += until(process, "cycle", "polled=1")

    assert not any("ERROR" in line for line in told)
    assert b"travailleurs du clic" not in contents(path.parent)["index.html"]


def test_a_worker_does_not_start_on_wrong_files(path: Path) -> None:
    """What is wrong at the start is an exit status, as for every command."""
    path.with_name("curation.toml").write_text("[[decision]]\n", encoding="utf-8")

    assert aggregator(path, "worker").returncode == 2


def test_a_cycle_that_fails_does_not_end_the_worker(path: Path) -> None:
    """What cannot be written is logged in one line; the next cycle tries again."""
    public = path.with_name("public")
    public.write_text("in the way", encoding="utf-8")
    with running(sys.executable, "-c", QUICK, str(path)) as process:
        lines = until(process, "ERROR", "cycle failed", "public")
        public.unlink()
        lines += until(process, "INFO", "cycle", "polled=1")

    assert "index.html" in contents(path.parent)
    assert not any("Traceback" in line for line in lines)
