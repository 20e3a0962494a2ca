"""The worker: cycles until told to stop, with real signals."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import Server
from worlds import (
    aggregator,
    command,
    configure,
    contents,
    environment,
    item,
    rss,
    saved,
)

from aggregator import worker
from aggregator.desk import Desk
from aggregator.model import ConfigError, Report
from aggregator.systemd import notify

# the worker of the command line, but looking every 20 ms instead of every minute
QUICK = """
import logging, sys
from datetime import timedelta
from pathlib import Path
from aggregator import clock, run
from aggregator.worker import Worker
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
cycle = lambda desk, wrong, stop: run.cycle(
    desk, clock.now(), everything=True, wrong=wrong, stop=stop
)
Worker(Path(sys.argv[1]), cycle).work(tick=0.02, beat=0.02)
"""


# one whose clock seems to be set back a day after its first cycle
SET_BACK = """
import logging, sys
from datetime import timedelta
from pathlib import Path
from aggregator import clock, run, worker
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
worker._LATE = 0.1
turns = []
def cycle(desk, wrong, stop):
    report = run.cycle(desk, clock.now(), everything=True)
    if not turns:
        running.job.modify(next_run_time=running.job.next_run_time + timedelta(days=1))
    turns.append(report)
    return report
running = worker.Worker(Path(sys.argv[1]), cycle)
running.work(tick=0.2, beat=0.05)
"""


@contextmanager
def running(*words: str, **env: str) -> Iterator[subprocess.Popen[str]]:
    """Run a worker, and kill it at the end if it still runs."""
    process = subprocess.Popen(
        words, env=environment(env), stderr=subprocess.PIPE, text=True
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
        saved(path, good + "\n[[topics]\n")
        until(process, "ERROR", "the edit is not used")
        told = until(process, "cycle", "polled=1")
        told += until(process, "cycle", "polled=1")
        saved(path, good + f'"Soir" = "{server.url("/soir")}"\n')
        until(process, "configuration read again")
        told += until(process, "WARNING", "feed fails", "Soir")
        server.route("/soir", body=rss(item("b", "La météo")))
        until(process, "WARNING", "feed recovered", "Soir")

    assert not any("the edit is not used" in line for line in told)


def test_a_file_that_is_being_written_is_left_to_the_next_look(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of it may be valid and lack a topic, whose stories would be withdrawn."""
    whole = path.read_text(encoding="utf-8")
    turned = []

    def cycle(desk: Desk, _wrong: ConfigError | None, _stop: threading.Event) -> Report:
        turned.append(len(desk.config.topics))
        return Report()

    class Editor(threading.Event):
        """Writes the other half while the worker waits for the first time."""

        def wait(self, _seconds: float | None = None) -> bool:
            if not turned:
                path.write_text(whole.replace("Les livreurs", "Livreurs"), "utf-8")
            return False

    watching = worker.Worker(path, cycle)
    monkeypatch.setattr(watching, "_stop", Editor())
    turn = watching._turn  # noqa: SLF001 - one look, without its schedule
    path.write_text(whole.partition('[[topics]]\nid = "livreurs"')[0], "utf-8")
    turn()
    titles = [topic.title for topic in watching.desk.config.topics]
    turn()

    assert turned == [2, 2]
    assert titles == ["Le film", "Les livreurs"]
    assert watching.desk.config.topics[1].title == "Livreurs"


def test_what_the_brake_holds_is_logged_once(tmp_path: Path, server: Server) -> None:
    """In one line, when it begins."""
    first, second = (
        item("a", "Les travailleurs du clic"),
        item("b", "Travailleurs du clic"),
    )
    outlets = {"Le Jour": server.route("/jour", body=rss(first))}
    path = configure(tmp_path, outlets, extra="[matching]\nbrake = 0")
    with running(sys.executable, "-c", QUICK, str(path)) as process:
        until(process, "cycle", "mentions=1")
        server.route("/jour", body=rss(first, second))
        until(process, "WARNING", "brake holds stories topic=film held=1")
        told = until(process, "cycle", "polled=1")
        told += until(process, "cycle", "polled=1")

    assert not any("brake" in line for line in told)


def test_a_wrong_decision_leaves_those_before_it_in_force(path: Path) -> None:
    """A slip in curation.toml is told once and stops neither polling nor publishing."""
    curation = path.with_name("curation.toml")
    hide = '[[decision]]\naction = "hide"\nurl = "https://jour.example/a"\n'
    with running(sys.executable, "-c", QUICK, str(path)) as process:
        until(process, "cycle", "mentions=1")
        saved(curation, hide)
        until(process, "configuration read again")
        until(process, "cycle", "polled=1")
        saved(curation, hide + "[[decision]]\n")
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


def test_a_clock_set_back_stops_nothing(path: Path) -> None:
    """A schedule that would sleep for a day is noticed and set going again."""
    with running(sys.executable, "-c", SET_BACK, str(path)) as process:
        until(process, "WARNING", "schedule set going again")
        lines = until(process, "cycle", "polled=1")

    assert not any("Traceback" in line for line in lines)


def test_systemd_is_told_how_the_worker_fares(path: Path, tmp_path: Path) -> None:
    """Ready once it works, signs of life while it does, and that it stops."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(tmp_path / "notify"))
        ear.settimeout(30)
        words = (sys.executable, "-c", QUICK, str(path))
        with running(*words, NOTIFY_SOCKET=str(tmp_path / "notify")) as process:
            heard = [ear.recv(100), ear.recv(100), ear.recv(100)]
            process.send_signal(signal.SIGTERM)
            while heard[-1] != b"STOPPING=1":
                heard.append(ear.recv(100))

            until(process, "worker stopped")
            assert process.wait() == 0
    assert heard[0] == b"READY=1"
    assert set(heard[1:-1]) == {b"WATCHDOG=1"}


def test_nobody_needs_to_listen(tmp_path: Path, monkeypatch) -> None:
    """Without systemd, or with its socket gone, nothing is sent and nothing raised."""
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
    assert notify("READY=1") is None  # type: ignore[func-returns-value]

    name = f"@aggregator-test-{tmp_path.name}-{id(tmp_path)}"
    monkeypatch.setenv("NOTIFY_SOCKET", name)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind("\0" + name[1:])
        notify("READY=1")

        assert ear.recv(100) == b"READY=1"
