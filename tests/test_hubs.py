"""WebSub hubs over real HTTP: who is told of what, and when it goes wrong."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from conftest import Server
from worlds import EPOCH, aggregator, command, configure, environment, item, rss

from aggregator import config as configuration
from aggregator import hubs, run
from aggregator.desk import Desk
from aggregator.fetch import hub as asking
from aggregator.health import Kind
from aggregator.model import Config, Polling, Report
from aggregator.store import Store, events
from aggregator.store.hubs import Hub, keep, known

NOW = datetime.fromtimestamp(int(EPOCH), UTC)
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
ROOT = "https://presse.invalid/revue/"
HUB = "https://hub.example/"
LOCAL = Polling(allow_private_addresses=True)
FILM = ("a", "Les travailleurs du clic")
RIDERS = ("b", "Les livreurs en grève")


@pytest.fixture
def world(tmp_path: Path, server: Server) -> Config:
    """Return a configuration of one outlet and the hub of this server, which works."""
    route = server.route("/jour", body=rss(item(*FILM)))
    config = configuration.read(configure(tmp_path, {"Le Jour": route}))
    hub = server.route("/hub", status=204)
    return replace(config, site=replace(config.site, hubs=(hub,)))


def cycle(world: Config, now: datetime = NOW) -> Report:
    return run.cycle(Desk.of(world), now, everything=True)


def pinged(server: Server, path: str = "/hub") -> list[str]:
    """Return the feeds that a hub was told of, and forget that it was."""
    asked = [one for one in server.requests if one.path == path]
    server.requests.clear()
    return [dict(one.form)["hub.url"].removeprefix(ROOT) for one in asked]


def told(world: Config) -> list[tuple[Kind, str]]:
    """Return what the maintainer heard of hubs, the last first."""
    with Store(world.storage.database) as store:
        heard = events.told(store)
    return [(one.kind, one.text) for one in heard if one.kind.startswith("hub")]


def formats(*folders: str) -> list[str]:
    return [f"{one}feed.{kind}" for one in folders for kind in ("atom", "json", "rss")]


# ── what is told ──────────────────────────────────────────────────────────────────────


def test_a_hub_is_told_of_every_feed_that_changed(
    world: Config, server: Server
) -> None:
    """The first time of all, then of those a new story is in; none for no change."""
    cycle(world)
    first = pinged(server)
    cycle(world, NOW + MINUTE)
    unchanged = pinged(server)
    server.route("/jour", body=rss(item(*FILM), item(*RIDERS)))
    cycle(world, NOW + DAY)
    third = pinged(server)

    assert first[:3] == formats("")
    assert sorted(first) == sorted(
        formats("", "all/", "topics/film/", "topics/livreurs/")
    )
    assert unchanged == []
    assert sorted(third) == sorted(formats("all/", "topics/livreurs/"))


def test_a_feed_is_told_in_the_words_of_every_hub(
    world: Config, server: Server
) -> None:
    """A form of hub.mode, hub.url and hub.topic, over one connection, by our name."""
    cycle(world)
    request = next(one for one in server.requests if one.path == "/hub")

    assert request.form == (
        ("hub.mode", "publish"),
        ("hub.url", f"{ROOT}feed.atom"),
        ("hub.topic", f"{ROOT}feed.atom"),
    )
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert request.headers["User-Agent"].startswith("press-aggregator/")
    assert "presse@presse.invalid" in request.headers["User-Agent"]


def test_a_hub_is_told_after_the_write(world: Config, server: Server) -> None:
    """When it asks for the feed at once, it finds what it was told of."""
    feed = world.storage.output / "feed.atom"
    seen: list[bool] = []

    def look(request: BaseHTTPRequestHandler) -> None:
        seen.append("travailleurs" in feed.read_text(encoding="utf-8"))
        answer(request, 202)

    server.route("/hub", handler=look)
    cycle(world)

    assert len(seen) == 12
    assert all(seen)


def test_publish_by_hand_tells_hubs_too(tmp_path: Path, server: Server) -> None:
    """What a decision changes is told at once, by the real command line."""
    route = server.route("/jour", body=rss(item(*FILM), item(*RIDERS)))
    hub = server.route("/hub", status=204)
    path = configure(tmp_path, {"Le Jour": route})
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("[site]", f'[site]\nhubs = ["{hub}"]', 1), encoding="utf-8"
    )
    cycle(configuration.read(path))
    pinged(server)
    (tmp_path / "curation.toml").write_text(
        '[[decision]]\naction = "hide"\nurl = "https://jour.example/b"\n',
        encoding="utf-8",
    )
    published = aggregator(path, "publish")

    assert (published.returncode, published.stderr) == (0, "")
    assert sorted(pinged(server)) == sorted(formats("all/", "topics/livreurs/"))


def test_a_hub_that_is_new_is_told_of_every_feed(world: Config, server: Server) -> None:
    """So is the older one, though: Atom and RSS feeds name both from now on."""
    cycle(world)
    pinged(server)
    other = server.route("/other", status=200, body=b"thank you")
    both = replace(world.site, hubs=(*world.site.hubs, other))
    cycle(replace(world, site=both), NOW + MINUTE)
    asked = [one.path for one in server.requests]
    cycle(replace(world, site=both), NOW + 2 * MINUTE)

    assert asked.count("/other") == 12
    assert asked.count("/hub") >= 8
    assert len(asked) == len(server.requests) - 1  # the outlet's feed alone


def test_a_hub_taken_out_is_forgotten(world: Config, server: Server) -> None:
    """And told of everything should it come back."""
    cycle(world)
    other = server.route("/other", status=204)
    cycle(replace(world, site=replace(world.site, hubs=(other,))), NOW + MINUTE)

    with Store(world.storage.database) as store:
        assert known(store, world.site.hubs[0]) == Hub(world.site.hubs[0])
        assert len(known(store, other).told) == 12


def test_hubs_are_told_at_the_same_time(world: Config, server: Server) -> None:
    """So that one that hangs takes no time from another."""
    both = threading.Barrier(2)

    def meet(request: BaseHTTPRequestHandler) -> None:
        both.wait(timeout=4)
        answer(request, 204)

    urls = tuple(server.route(path, handler=meet) for path in ("/one", "/two"))
    report = cycle(replace(world, site=replace(world.site, hubs=urls)))

    assert report.hubs == ()
    assert not both.broken


# ── what goes wrong ───────────────────────────────────────────────────────────────────


def answer(request: BaseHTTPRequestHandler, status: int) -> None:
    request.send_response(status)
    request.send_header("Content-Length", "0")
    request.end_headers()


def test_what_a_hub_missed_is_told_once_and_later(
    world: Config, server: Server
) -> None:
    """Asked again after a pause, of the newest state only; told once each way."""
    hub = server.route("/hub", status=503)
    reports = [cycle(world)]
    assert pinged(server) == ["feed.atom"]  # it is in trouble: the rest is left

    server.route("/jour", body=rss(item(*FILM), item(*RIDERS)))
    reports.append(cycle(world, NOW + MINUTE))
    assert pinged(server) == []

    reports.append(cycle(world, NOW + 6 * MINUTE))
    assert pinged(server) == ["feed.atom"]

    server.route("/hub", status=204)
    reports.append(cycle(world, NOW + 20 * MINUTE))
    assert len(pinged(server)) == 12
    assert [one.hubs for one in reports] == [((hub, "http 503"),), (), (), ((hub, ""),)]
    assert told(world) == [(Kind.HUB_WORKS, ""), (Kind.HUB_FAILS, "http 503")]
    desk = (world.storage.desk / "desk.atom").read_text(encoding="utf-8")
    assert f"Le hub {hub} fonctionne de nouveau" in desk


def test_a_hub_that_is_down_fails_nothing(world: Config, server: Server) -> None:
    """No server at all, an address that is not allowed, no such status."""
    with server.http.socket.__class__() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}/"
    site = replace(world.site, hubs=(nobody, server.route("/moved", status=301)))
    report = cycle(replace(world, site=site))

    assert report.stories == 1
    assert dict(report.hubs) == {
        nobody: "connection: connection refused",
        server.url("/moved"): "http 301",
    }


def test_the_command_line_says_it_in_one_line(tmp_path: Path, server: Server) -> None:
    """`run` under cron, once; the exit status is none of the hub's business."""
    path = configure(tmp_path, {"Le Jour": server.route("/j", body=rss(item(*FILM)))})
    hub = server.route("/hub", status=500)
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("[site]", f'[site]\nhubs = ["{hub}"]', 1), encoding="utf-8"
    )
    ran = aggregator(path, "run")

    assert ran.returncode == 0
    assert ran.stderr == f"hub fails: http 500 ({hub}); it is told again later\n"


def test_private_addresses_are_refused(server: Server) -> None:
    """A hub stands on the Internet, as outlets do, unless feeds.toml allows others."""
    hub = server.route("/hub", status=204)
    answered = asking.tell(hub, [ROOT], Polling(), "us", NOW)

    assert answered.settled == ()
    assert answered.trouble
    assert server.requests == []


@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_what_a_hub_refuses_is_not_told_again(server: Server, status: int) -> None:
    """It is settled, so that a feed which a hub cannot read holds up no other."""
    hub = server.route("/hub", status=status)
    answered = asking.tell(hub, ["a", "b"], LOCAL, "us", NOW)

    assert answered == asking.Told(("a", "b"), f"http {status}")
    assert len(server.requests) == 2


def test_a_hub_may_ask_to_wait(server: Server) -> None:
    """429 and 503 are no refusal, and their Retry-After is kept."""
    hub = server.route("/hub", status=429, headers={"Retry-After": "7200"})
    answered = asking.tell(hub, ["a", "b"], LOCAL, "us", NOW)
    later = hubs.after(Hub(hub), {"a": 1, "b": 2}, answered, NOW)

    assert answered.trouble
    assert later.next_at == NOW + timedelta(hours=2)


def drips(request: BaseHTTPRequestHandler) -> None:
    """Answer with a header that never ends, until the client has enough."""
    request.wfile.write(b"HTTP/1.1 204 No Content\r\nX-Slow: ")
    while True:
        request.wfile.write(b"z")
        time.sleep(0.01)


def hangs(request: BaseHTTPRequestHandler) -> None:
    """Say nothing until the client has enough."""
    request.rfile.read(1)


@pytest.mark.parametrize("handler", [hangs, drips])
def test_a_slow_hub_costs_its_time_and_no_more(
    server: Server, handler: Callable[[BaseHTTPRequestHandler], None]
) -> None:
    """All feeds together have one deadline, whether it is silent or drips."""
    hub = server.route("/hub", handler=handler)
    began = time.monotonic()
    limit = timedelta(seconds=0.3)
    answered = asking.tell(hub, ["a", "b", "c"], LOCAL, "us", NOW, limit)

    assert time.monotonic() - began < 2
    assert (answered.settled, answered.trouble) == ((), True)
    assert "timeout" in answered.reason


def test_a_run_killed_before_it_told_is_made_good(
    world: Config, server: Server
) -> None:
    """Files were written, the hub heard nothing: the next run tells it."""
    asked, hub = threading.Event(), server.url("/hub")

    def hold(request: BaseHTTPRequestHandler) -> None:
        asked.set()
        request.rfile.read(1)

    server.route("/hub", handler=hold)
    text = world.source.read_text(encoding="utf-8")
    world.source.write_text(
        text.replace("[site]", f'[site]\nhubs = ["{hub}"]', 1), encoding="utf-8"
    )
    killed = subprocess.Popen(command(world.source, "run"), env=environment())
    assert asked.wait(timeout=60)
    killed.kill()
    killed.wait()
    server.route("/hub", status=204)
    pinged(server)
    report = cycle(world, NOW + MINUTE)

    assert report.files_written == 0
    assert len(pinged(server)) == 12


def test_nobody_is_told_while_this_machine_is_cut_off(
    world: Config, server: Server
) -> None:
    """When no outlet can be reached, a hub that fails would say nothing of the hub."""
    cycle(world)
    server.requests.clear()
    server.close()
    report = cycle(world, NOW + DAY)

    assert not report.reached
    assert report.hubs == ()
    assert told(world) == []


# ── when again ────────────────────────────────────────────────────────────────────────

TROUBLE = asking.Told((), "http 500", trouble=True)
FEEDS = {"all/feed.atom": 1, "feed.atom": 2}


def test_a_hub_in_trouble_is_asked_ever_more_rarely() -> None:
    """After five minutes, then twice that, up to twelve hours."""
    hub, pauses = Hub(HUB), []
    for _ in range(12):
        hub = hubs.after(hub, FEEDS, TROUBLE, NOW)
        assert hub.next_at
        pauses.append((hub.next_at - NOW) // MINUTE)

    assert pauses == [5, 10, 20, 40, 80, 160, 320, 640, 720, 720, 720, 720]
    assert hub.failures == 12


def test_a_hub_is_left_alone_until_its_time() -> None:
    """Then it is told the front page's feed first; no clock that jumped is heeded."""
    hub = hubs.after(Hub(HUB), FEEDS, TROUBLE, NOW)

    assert hubs.changed(hub, FEEDS, NOW + 4 * MINUTE) == ()
    assert hubs.changed(hub, FEEDS, NOW + 5 * MINUTE) == ("feed.atom", "all/feed.atom")
    assert hubs.changed(hub, FEEDS, NOW - 30 * DAY) == ("feed.atom", "all/feed.atom")


def test_what_waited_for_three_days_is_given_up() -> None:
    """The hub is asked no more, until a feed changes again."""
    hub = hubs.after(Hub(HUB), FEEDS, TROUBLE, NOW)
    waiting = hubs.after(hub, FEEDS, TROUBLE, NOW + 2 * DAY)
    given_up = hubs.after(waiting, FEEDS, TROUBLE, NOW + 3 * DAY)
    later = NOW + 9 * DAY

    assert hubs.changed(waiting, FEEDS, later) == ("feed.atom", "all/feed.atom")
    assert hubs.changed(given_up, FEEDS, later) == ()
    assert hubs.changed(given_up, FEEDS | {"feed.atom": 3}, later) == ("feed.atom",)
    well = hubs.after(given_up, FEEDS, asking.Told(()), later)
    assert (well.failures, well.since, well.next_at) == (0, None, None)


def test_a_hub_is_remembered_as_it_was_kept(tmp_path: Path) -> None:
    """Every field comes back; a feed that is no longer published is dropped."""
    hub = Hub(HUB, {"feed.atom": 2, "old/feed.atom": 7}, 3, NOW - DAY, NOW + DAY)
    with Store(tmp_path / "aggregator.db") as store:
        with store.transaction():
            keep(store, hub)
        again = known(store, HUB)

    assert again == hub
    assert hubs.after(hub, FEEDS, asking.Told(()), NOW).told == {"feed.atom": 2}
