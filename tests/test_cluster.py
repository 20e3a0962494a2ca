"""Polls on a Dask cluster: what they bring, and what becomes of workers that die."""

from __future__ import annotations

import importlib.util
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import Handler, Route, Server
from needs import missing
from worlds import EPOCH, configure, contents, database, item, rss

from aggregator import engine
from aggregator.cli import main
from aggregator.config import read
from aggregator.engine import crews
from aggregator.engine.waiting import Waiting
from aggregator.model import (
    Batch,
    Config,
    EngineError,
    Feed,
    Outlet,
    Polling,
    PollTask,
)
from aggregator.poll import poll

if importlib.util.find_spec("distributed") is None:
    missing("dask.distributed is not installed")

import dask
import distributed
import psutil
from distributed.cli.dask_scheduler import main as dask_scheduler
from distributed.cli.dask_worker import main as dask_worker

from aggregator.engine import cluster as dasks
from aggregator.engine import errand

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LONG = "Les travailleurs du clic, une enquête sur ceux qui trient nos images. " * 3
Expected = tuple[dict[str, bytes], dict[str, list[tuple[object, ...]]]]
ROOT = Path(__file__).parents[1]
_OPTION = re.compile(r"--[a-z-]+")
NOBODY = "tcp://127.0.0.1:9"  # the port of "discard": no scheduler is there


# Workers may have children; one death of a worker does not give its tasks up yet.
CLUSTER = """
import sys, dask, distributed
dask.config.set({
    "distributed.worker.daemon": False,
    "distributed.scheduler.allowed-failures": 1,
})
if __name__ == "__main__":
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=2,
        dashboard_address=":0",
        silence_logs="CRITICAL",
    ) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory) -> Iterator[str]:
    """Yield the address of a scheduler with two workers, all in their own processes."""
    script = tmp_path_factory.mktemp("cluster") / "cluster.py"
    script.write_text(CLUSTER, encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=script.parent,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stdin
        yield process.stdout.readline().strip()
        process.stdin.close()


def killing(then: bytes, times: int) -> Handler:
    """Return a handler that kills the process that asks, so many times."""
    left = iter(range(times))

    def handler(request: BaseHTTPRequestHandler) -> None:
        if next(left, None) is None:
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(then)}\r\n\r\n"
            request.wfile.write(head.encode() + then)
            return
        port = request.client_address[1]
        for each in psutil.net_connections("tcp"):
            ours = each.pid == os.getpid()
            if each.pid and each.laddr and each.laddr.port == port and not ours:
                os.kill(each.pid, signal.SIGKILL)

    return handler


def configured(
    folder: Path, outlets: Mapping[str, str], address: str, polling: str = ""
) -> Path:
    """Write a feeds.toml whose polls run on a cluster; polling: more of its keys."""
    engine_ = f'[engine]\nkind = "dask"\naddress = "{address}"'
    return configure(folder, outlets, extra=f"{polling}\n{engine_}")


def local(url: str) -> str:
    """Return the same address at another host."""
    return url.replace("127.0.0.1", "localhost")


def run(path: Path) -> Result:
    """Run one cycle in this process."""
    return CliRunner().invoke(
        main, ["--config", str(path), "run"], env={"SOURCE_DATE_EPOCH": EPOCH}
    )


# ── what is published ─────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def outlets(outlet: Server) -> dict[str, str]:
    """Return six outlets on two hosts; an article's page settles a doubt of one."""
    found = {}
    for number in range(6):
        items = [
            item(f"a{number}", f"Les travailleurs du clic, épisode {number}", LONG),
            item(f"b{number}", f"La météo du jour, édition {number}"),
        ]
        url = outlet.route(f"/{number}", body=rss(*items, title=f"Journal {number}"))
        found[f"Journal {number}"] = local(url) if number % 2 else url
    page = f"<html><body><article><p>{LONG * 12}</p></article></body></html>"
    outlet.route("/doute", body=page.encode(), headers={"Content-Type": "text/html"})
    doubt = item("doute", "Leurs petites mains", host=f"127.0.0.1:{outlet.port}")
    doubt = doubt.replace("https://127", "http://127")
    found["Revue"] = outlet.route("/revue", body=rss(doubt, title="Revue"))
    return found


def made(folder: Path) -> Expected:
    """Return what is published and stored, but for facts, which name feeds.toml."""
    stored = database(folder)
    del stored["facts"]
    return contents(folder), stored


@pytest.fixture(scope="module")
def expected(tmp_path_factory, outlets: dict[str, str]) -> Expected:
    """Return what threads publish and store of them."""
    folder = tmp_path_factory.mktemp("threads")
    result = run(configure(folder, outlets))

    assert (result.exit_code, result.output) == (0, "")
    return made(folder)


def test_a_cluster_publishes_the_bytes_that_threads_do(
    cluster: str, tmp_path: Path, outlets: dict[str, str], expected: Expected
) -> None:
    """The same configuration: the same files and rows, wherever its polls run."""
    result = run(configured(tmp_path, outlets, cluster))

    assert (result.exit_code, result.output) == (0, "")
    assert made(tmp_path) == expected
    assert any(b"petites mains" in each for each in contents(tmp_path).values())


# ── workers that die ──────────────────────────────────────────────────────────────────


def test_what_a_lost_worker_polled_is_polled_by_another(
    cluster: str,
    tmp_path: Path,
    outlet: Server,
    outlets: dict[str, str],
    expected: Expected,
) -> None:
    """Killed in the middle of a batch: no entry is lost, and none is doubled."""
    route = outlet.routes["/3"]
    deadly = killing(then=route.body, times=1)
    outlet.route("/3", handler=deadly)
    before = len(outlet.requests)
    try:
        result = run(configured(tmp_path, outlets, cluster))
    finally:
        outlet.routes["/3"] = route

    assert (result.exit_code, result.output) == (0, "")
    assert [one.path for one in outlet.requests[before:]].count("/3") == 2
    assert made(tmp_path) == expected


def test_a_poll_that_kills_workers_is_its_outlets_failure_alone(
    cluster: str, tmp_path: Path, outlet: Server
) -> None:
    """It is tried again with nothing beside it, and what was beside it succeeds."""
    deadly = outlet.route("/deadly", handler=killing(rss(), times=100))
    found = {
        "Le Mal": local(deadly),
        "Le Bien": outlet.route("/bien", body=rss(item("a", "Les livreurs", LONG))),
    }
    result = run(configured(tmp_path, found, cluster))

    assert result.exit_code == 0
    assert result.output == (
        "Le Mal: fails: the process that asked it died, wherever it ran "
        f"({local(deadly)})\n"
    )


def together(*names: str) -> Batch:
    """Return a batch of feeds of one host."""
    feeds = [Feed(f"https://a.fr/{name}", Outlet(name, ())) for name in names]
    tasks = tuple(PollTask(feed, feed.url) for feed in feeds)
    return Batch(tasks, (), Polling(), "", NOW, host="a.fr", lanes=2)


def test_of_batches_that_were_lost_the_deadly_feed_is_found() -> None:
    """Each goes alone, then each feed of the one that kills; in order, and spaced."""
    deadly, innocent = together("a", "b", "c"), replace(together("d"), host="d.fr")
    waiting = Waiting([deadly, innocent])
    flying = [waiting.next([], 9), waiting.next([deadly], 9)]

    assert flying == [deadly, innocent]
    assert waiting.next(flying, 9) is None
    assert all(map(waiting.again, flying))
    assert waiting.next([innocent], 9) is None
    assert waiting.next([], 9) == deadly
    assert waiting.again(deadly)

    for name in "abc":
        one = waiting.next([], 9)
        assert one == replace(together(name), lanes=1, resumed=True)
        assert waiting.again(one) is False

    with pytest.raises(EngineError, match="one feed after another"):
        waiting.next([], 9)


# ── told to stop ──────────────────────────────────────────────────────────────────────


@pytest.fixture
def slow(tmp_path: Path, cluster: str, server: Server) -> Config:
    """Return two outlets of one host, which wants an hour between two requests."""
    found = {name: server.route(f"/{name}", body=rss()) for name in "ab"}
    more = 'spacing = "1h"\nper_host = 1'
    return read(configured(tmp_path, found, cluster, more))


def planned(config: Config) -> tuple[Batch, ...]:
    """Return the batches of all its feeds."""
    return engine.plan([PollTask(f, f.url) for f in config.feeds], config, NOW)


def test_a_batch_on_a_cluster_hears_that_it_is_to_end(
    slow: Config, server: Server
) -> None:
    """What was asked by then is told, and nothing more is asked."""
    stop = threading.Event()
    server.routes["/a"] = Route(handler=lambda _: stop.set())
    ((first, second),) = engine.outcomes(planned(slow), slow, stop)

    assert (first.asked, second.asked) == (True, False)
    assert [request.path for request in server.requests] == ["/a"]


def test_nobody_is_asked_for_a_command_that_is_gone(
    slow: Config, cluster: str, server: Server
) -> None:
    """Its tasks are given up by the scheduler, and end when they notice."""
    stop, asked = threading.Event(), threading.Event()
    server.routes["/a"] = Route(handler=lambda _: asked.set())
    with crews.enlisted(slow, stop) as crew:
        future = crew.submit(poll, planned(slow)[0])
        assert asked.wait(30)
    with distributed.Client(cluster, set_as_default=False) as client:
        while any(client.run(lambda: [*errand._flights]).values()):  # noqa: SLF001
            pass

    assert not future.done()
    assert [request.path for request in server.requests] == ["/a"]


# ── results ───────────────────────────────────────────────────────────────────────────


def test_results_wait_at_the_workers(slow: Config, cluster: str) -> None:
    """Few are here while nobody takes them; the others come as they are taken."""
    (batch,) = planned(slow)
    one = replace(batch, tasks=batch.tasks[:1])

    def under_way(dask_scheduler: distributed.Scheduler) -> bool:
        return any(task.state != "memory" for task in dask_scheduler.tasks.values())

    with (
        distributed.Client(cluster, set_as_default=False) as client,
        crews.enlisted(slow, threading.Event()) as crew,
    ):
        futures = [crew.submit(poll, one) for _ in range(12)]
        while client.run_on_scheduler(under_way) or sum(map(Future.done, futures)) < 8:
            pass
        held = [future for future in futures if future.done()]
        others = [future for future in futures if future not in held]
        brought = [crew.brought(future) for future in (*held, *others)]

    assert (len(held), len(others)) == (8, 4)
    assert all(outcome.status == 200 for (outcome,) in brought)


def test_a_fault_of_our_own_on_a_worker_is_told_with_its_place(slow: Config) -> None:
    """It is loud, and is the failure of its batch alone."""
    (batch,) = planned(slow)
    broken = replace(batch, polling=None)  # type: ignore[arg-type]
    (outcomes,) = engine.outcomes([broken], slow)

    assert {outcome.failure.kind for outcome in outcomes} == {"ours"}
    assert "AttributeError" in outcomes[0].failure.reason


# ── no cluster to be had ──────────────────────────────────────────────────────────────


def test_a_scheduler_that_does_not_answer_is_told_in_a_line(
    tmp_path: Path, outlet: Server
) -> None:
    """The cycle fails, and publishes what was known before."""
    url = outlet.route("/jour", body=rss(item("a", "Les livreurs", LONG)))
    with dask.config.set({"distributed.comm.timeouts.connect": "200ms"}):
        result = run(configured(tmp_path, {"Le Jour": url}, NOBODY))

    assert result.exit_code == 1
    assert result.output == (
        f"aggregator: engine.address: no Dask scheduler answers at {NOBODY} within "
        "200ms; start it, or write the address that it shows\n"
    )
    assert (tmp_path / "public" / "index.html").exists()


def test_a_scheduler_without_workers_is_told_in_a_line(slow: Config) -> None:
    """It is given the time that a scheduler has to answer."""
    settings = {"distributed.comm.timeouts.connect": "200ms"}
    none = distributed.LocalCluster(
        n_workers=0, processes=False, dashboard_address=":0"
    )
    with none, dask.config.set(settings):
        on = replace(slow.engine, address=none.scheduler_address)
        flight = engine.outcomes(planned(slow), replace(slow, engine=on))
        with pytest.raises(EngineError, match="has no worker, or is stuck; start one"):
            next(flight)


def test_certificates_are_asked_for_before_a_scheduler_is(slow: Config) -> None:
    """tls:// without Dask's settings of them would be a traceback."""
    on = replace(slow, engine=replace(slow.engine, address="tls://127.0.0.1:9"))
    with pytest.raises(EngineError, match="needs certificates"):
        list(engine.outcomes(planned(on), on))


def test_the_extra_that_is_missing_is_named(
    slow: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dask is loaded for its users alone, and others need not have it."""
    monkeypatch.delitem(sys.modules, dasks.__name__)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(EngineError, match=r"\(import of distributed.*extra of that"):
        list(engine.outcomes(planned(slow), slow))


def test_another_program_at_the_other_end_is_named(cluster: str) -> None:
    """A worker that would make other ids of the same entries is not used."""
    other = (errand.program()[0], ("Python", "2.7"), *errand.program()[2:])
    with distributed.Client(cluster, set_as_default=False) as client:
        call = client.submit(errand.carry, "", other, b"", pure=False)
        with pytest.raises(
            errand.UnfitError, match=r"has Python 3.*, this machine 2\."
        ):
            call.result()


def test_threads_do_not_load_dask() -> None:
    """A cycle on one machine pays nothing for what clusters need."""
    code = "import sys, aggregator.run; print({'dask', 'distributed'} & {*sys.modules})"
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert told.stdout == "set()\n"


# ── what the documents say ────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["docs/scale.md", "deploy/dask/compose.yaml"])
def test_dask_has_the_options_and_settings_that_are_named(name: str) -> None:
    """Of its commands and of its configuration."""
    text = (ROOT / name).read_text("utf-8")
    tools = {"scheduler": dask_scheduler, "worker": dask_worker}
    options = {
        tool: {
            word for each in command.params for word in each.opts + each.secondary_opts
        }
        for tool, command in tools.items()
    }
    used = re.findall(r"dask (scheduler|worker)((?: +\S+|\n +--\S+)+)", text)
    named = {(tool, word) for tool, words in used for word in _OPTION.findall(words)}
    settings = re.findall(r"DASK_(\w+?)\b(?=[:=`])", text)

    assert {tool for tool, _ in named} == {"scheduler", "worker"}
    assert [pair for pair in named if pair[1] not in options[pair[0]]] == []
    assert len(settings) > 1
    for each in settings:
        dask.config.get(each.lower().replace("__", "."))
