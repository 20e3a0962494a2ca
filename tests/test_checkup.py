"""check --online and --links: what feeds and published links answer, and the mends."""

from __future__ import annotations

import json
import signal
import threading
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from conftest import Server
from publish_cases import a_story
from test_cli import on_a_terminal
from worlds import EPOCH, configure, contents, copied, item, rss

from aggregator import sandbox
from aggregator.checkup import Fit, Life
from aggregator.checkup.feeds import judge, line
from aggregator.checkup.links import Use, found, life, uses
from aggregator.cli import main
from aggregator.cli.machine import stopped_by_ctrl_c
from aggregator.fetch import Fetcher
from aggregator.knock import knock
from aggregator.model import (
    Answer,
    Copy,
    Failure,
    Feed,
    Outcome,
    Outlet,
    PageBatch,
    PageTask,
    Pause,
    Polling,
    State,
    Validators,
)
from aggregator.store import Store, polls

NOW = datetime.fromtimestamp(int(EPOCH), UTC)
LATELY = "Sun, 22 Nov 2026 08:00:00 GMT"
SECOND = timedelta(seconds=1)
OPEN = Polling(allow_private_addresses=True)
LISTED = {
    "jour": [item("a", "Un", date=LATELY), item("b", "Deux")],
    "soir": [item("x", "Trois", date=LATELY)],
    "vieux": [item("v", "Quatre")],
    "vide": [],
}


@pytest.fixture(scope="module", autouse=True)
def _children() -> Iterator[None]:
    """End the children after the last test here."""
    yield
    sandbox.close()


def call(path: Path, *words: str) -> Result:
    """Run `check` in this process."""
    env = {"SOURCE_DATE_EPOCH": EPOCH}
    return CliRunner().invoke(main, ["--config", str(path), "check", *words], env=env)


def refusing_head(status: int) -> Callable[[BaseHTTPRequestHandler], None]:
    """Return a page that answers GET alone, and HEAD with a status."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status if request.command == "HEAD" else 200)
        request.end_headers()

    return answer


# ── feeds ─────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def feeds(
    tmp_path_factory: pytest.TempPathFactory, outlet: Server
) -> tuple[Path, list[dict[str, Any]], Result]:
    """Return a feeds.toml with every kind of feed, and what is told of them."""
    for name, items in LISTED.items():
        body = rss(*items).replace(b"<channel>", b"<channel><language>fr</language>")
        outlet.route(f"/{name}", body=body)
    page = b'<link rel="alternate" type="application/rss+xml" href="/soir"><p>Ici'
    outlet.route("/page", body=b"<!doctype html><html><head>" + page)
    outlet.route("/gone", status=410)
    outlet.route("/moved", status=308, headers={"Location": "/jour"})
    outlet.route("/half", body=rss(*LISTED["soir"])[:-20])
    urls = {
        "Moved": outlet.url("/moved"),
        "Le Soir": outlet.url("/soir"),
        "Vieux": outlet.url("/vieux"),
        "Vide": outlet.url("/vide"),
        "Page": outlet.url("/page"),
        "Gone": outlet.url("/gone"),
        "Half": outlet.url("/half"),
        "Down": "http://127.0.0.1:9/rss",
    }
    path = configure(tmp_path_factory.mktemp("feeds"), urls)
    text = path.read_text("utf-8")
    off = f'"Off" = {{ url = "{outlet.url("/off")}", enabled = false }}\n'
    path.write_text(text + off, "utf-8")
    outlet.requests.clear()
    told = json.loads(call(path, "--online", "--json").stdout)
    assert told["problems"] == []
    assert sorted(one.path for one in outlet.requests) == sorted(
        ["/jour", *(f"/{url.rpartition('/')[2]}" for url in list(urls.values())[:-1])]
    )
    return path, told["feeds"], call(path, "--online")


def test_each_feed_is_asked_once_and_told(
    feeds: tuple[Path, list[dict[str, Any]], Result],
) -> None:
    """With its entries, newest date and language; what is odd, and what fails."""
    path, told, shown = feeds
    states = {feed["outlet"]: feed["state"] for feed in told}

    assert states == {
        "Moved": "odd",
        "Le Soir": "works",
        "Vieux": "odd",
        "Vide": "odd",
        "Page": "fails",
        "Gone": "fails",
        "Half": "odd",
        "Down": "fails",
    }
    assert (told[0]["entries"], told[0]["newest"], told[0]["language"]) == (
        2,
        "2026-11-22T08:00:00Z",
        "fr",
    )
    assert shown.exit_code == 1
    assert "8 feeds: 1 work, 4 are odd, 3 fail, 0 not asked" in shown.stderr
    assert [child.name for child in path.parent.iterdir()] == ["feeds.toml"]


def test_each_problem_has_its_line_and_its_mend(
    feeds: tuple[Path, list[dict[str, Any]], Result], outlet: Server
) -> None:
    """The new address, the feed that a page names, where to look for another."""
    _, told, shown = feeds
    said = {feed["outlet"]: feed["problems"][0] for feed in told if feed["problems"]}
    twice = told[6]["problems"][1]

    assert said["Moved"]["says"] == f"redirects for good to {outlet.url('/jour')}"
    assert tomllib.loads(said["Moved"]["paste"]) == {"Moved": outlet.url("/jour")}
    assert tomllib.loads(said["Page"]["paste"]) == {"Page": outlet.url("/soir")}
    assert said["Gone"]["run"] == f"aggregator discover {outlet.url('')}"
    assert said["Vieux"]["says"] == "has no entry newer than 2020-02-14"
    assert said["Vide"]["says"] == "has no entry"
    assert said["Half"]["says"].startswith("malformed, or cut short")
    assert said["Down"]["says"] == "connection: connection refused"
    assert twice["says"] == (
        f"lists the same as {outlet.url('/soir')} (Le Soir): one of them is enough"
    )
    for problem in (*said.values(), twice):
        assert problem["says"] in shown.stdout
        assert problem["paste"] in shown.stdout


def test_of_a_feed_that_works_there_is_little_to_say(
    tmp_path: Path, server: Server
) -> None:
    """Exit 0; it is not asked while its host wants to be left alone; 3 when offline."""
    url = server.route("/jour", body=rss(*LISTED["jour"]))
    path = configure(tmp_path, {"Le Jour": url})
    good = call(path, "--online")

    assert good.exit_code == 0
    assert len(good.stdout.splitlines()) == 2
    assert "1 feed: 1 work" in good.stderr

    with Store(tmp_path / "aggregator.db") as store, store.transaction():
        host = url.split("/")[2]
        polls.pause(store, host, NOW + timedelta(hours=1), NOW)
    server.requests.clear()
    paused = call(path, "--online")

    assert paused.exit_code == 0
    assert "left alone until 2026-11-23 13:00 UTC" in paused.stdout
    assert server.requests == []

    offline = call(configure(tmp_path, {"A": "http://127.0.0.1:9/a"}), "--online")
    assert offline.exit_code == 3
    assert "is this machine online?" in offline.stderr


def test_wrong_files_are_told_before_anything_is_asked(tmp_path: Path) -> None:
    """Exit 2; as one object, like all that `--online` prints."""
    path = configure(tmp_path, {"A": "ftp://127.0.0.1/a"})
    done = call(path, "--online", "--json")

    assert done.exit_code == 2
    assert [*json.loads(done.stdout)] == ["problems"]
    assert call(path, "--links", "--within", "soon").exit_code == 2


def test_the_line_to_paste_keeps_what_else_it_says() -> None:
    """A feed in a table of keys is mended in its place; comments are passed over."""
    url = "https://jour.example/rss"
    outlet = Outlet("Le Jour", (url, "https://jour.example/b"))
    text = f"# '{url}'\n'Le Jour' = {{ url = ['{url}'], interval = '1h' }}  # lent\n"

    assert line(text, outlet, url, 'https://a.example/"') == (
        "'Le Jour' = { url = [\"https://a.example/\\\"\"], interval = '1h' }  # lent"
    )
    assert tomllib.loads(line("", outlet, url, "https://a.example/")) == {
        "Le Jour": ["https://a.example/", "https://jour.example/b"]
    }


@pytest.mark.parametrize(
    ("outlet", "paste"),
    [
        (
            Outlet("Le Jour", ("https://jour.example/rss",)),
            '"Le Jour" = { url = "https://jour.example/rss", timeout = "60s" }',
        ),
        (Outlet("Le Jour", ("https://jour.example/rss",), "fr"), 'timeout = "60s"'),
    ],
)
def test_what_takes_long_gets_more_time(outlet: Outlet, paste: str) -> None:
    """Too long a wait is a failure with a mend; a third of the timeout is told."""
    feed = Feed(outlet.urls[0], outlet)
    late = Outcome(feed, NOW, Validators(), b"", seconds=12.0, listed=())
    failed = replace(late, failure=Failure("network", "timeout after 30 s"))
    half = timedelta(seconds=30)

    assert judge(failed, half, "").problems[0].paste == paste
    assert judge(late, half, "").problems[-1].says == "took 12.0 s of the 30 s it has"
    ended = judge(replace(late, asked=False), half, "")
    assert (ended.state, ended.problems) == (Fit.NOT_ASKED, ())


def test_a_terminal_shows_how_far_it_is(tmp_path: Path, server: Server) -> None:
    """Only there; what is found goes to stdout."""
    path = configure(tmp_path, {"A": server.route("/a", body=rss(*LISTED["jour"]))})

    assert "asking feeds" in on_a_terminal(path, "check", "--online")
    assert "asking feeds" not in call(path, "--online").stderr


def test_ctrl_c_ends_the_asking_and_what_is_known_is_told() -> None:
    """The event is set, and the next Ctrl-C is the program's as before."""
    before = signal.getsignal(signal.SIGINT)
    with stopped_by_ctrl_c() as stop:
        assert not stop.is_set()
        signal.raise_signal(signal.SIGINT)
        assert stop.is_set()

    assert signal.getsignal(signal.SIGINT) == before


# ── links ─────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory, outlet: Server) -> Path:
    """Return a folder after a cycle, whose stories link to every kind of page."""
    host = f"127.0.0.1:{outlet.port}"
    names = ("fine", "nohead", "here", "lost", "away", "wall", "busy", "prive/x", "abo")
    items = [
        item(name, f"Les travailleurs du clic, {name}", host=host) for name in names
    ]
    items.append(item("n", "Les travailleurs du clic, sans nom", host="name.invalid"))
    body = rss(*items).replace(b"https://", b"http://")
    for name in ("fine", "here"):
        outlet.route(f"/{name}")
    outlet.route("/nohead", handler=refusing_head(404))
    outlet.route("/lost", status=410)
    outlet.route("/away", status=302, headers={"Location": "/"})
    outlet.route("/")
    outlet.route("/abo", status=302, headers={"Location": "/connexion"})
    outlet.route("/connexion")
    outlet.route("/wall", status=403)
    outlet.route("/busy", status=503)
    outlet.route("/robots.txt", body=b"User-agent: *\nDisallow: /prive")
    folder = tmp_path_factory.mktemp("linked")
    path = configure(folder, {"Le Jour": outlet.route("/links", body=body)})
    path.with_name("curation.toml").write_text(
        f"""[[decision]]
action = "add"
url = "{outlet.url("/ajout")}"
title = "Le livre"
outlet = "La Gazette"
published = 2020-02-15
topics = ["film"]
""",
        "utf-8",
    )
    env = {"SOURCE_DATE_EPOCH": EPOCH}
    done = CliRunner().invoke(main, ["--config", str(path), "run"], env=env)
    assert done.exit_code == 0, done.stderr
    return path


def test_dead_links_are_told_from_those_that_cannot_be_asked(
    linked: Path, outlet: Server
) -> None:
    """404 and 410, no such name, a home page in its place; not walls and pauses."""
    before = contents(linked.parent)
    outlet.requests.clear()
    done = call(linked, "--links", "--json")
    told = json.loads(done.stdout)["links"]
    said = {one["url"].rpartition("/")[2]: one["reason"] for one in told["found"]}

    assert done.exit_code == 1
    assert (told["published"], told["alive"], told["left"]) == (11, 3, 0)
    assert said == {
        "lost": "http 410",
        "ajout": "http 404",
        "away": "redirects to a home page",
        "n": "dns: name not found",
        "wall": "http 403",
        "busy": "http 503",
        "x": "robots.txt forbids it",
        "abo": "redirects to a page that is no article",
    }
    assert [one["state"] for one in told["found"]] == ["dead"] * 4 + ["unclear"] * 4
    asked = [(one.method, one.path) for one in outlet.requests]
    assert asked.count(("GET", "/robots.txt")) == 1
    assert ("GET", "/fine") not in asked
    assert ("GET", "/nohead") in asked
    assert not [path for _, path in asked if path.startswith("/prive")]
    assert contents(linked.parent) == before


def test_what_is_printed_is_text_for_curation_toml(
    linked: Path, tmp_path: Path, outlet: Server
) -> None:
    """Appended as it stands it publishes archived copies, and no link is dead then."""
    path = copied(linked.parent, tmp_path)
    file = path.with_name("curation.toml")
    done = call(path, "--links")
    tables = tomllib.loads(done.stdout)["decision"]
    mends = {one["url"].rpartition("/")[2]: one["archived"] for one in tables}

    assert mends == {
        "lost": f"https://web.archive.org/web/20200214/{outlet.url('/lost')}",
        "away": f"https://web.archive.org/web/20200214/{outlet.url('/away')}",
        "n": "https://web.archive.org/web/20200214/http://name.invalid/n",
    }
    look = f"https://web.archive.org/web/20200215/{outlet.url('/ajout')}"
    assert f'#   if so, in decision[1] of curation.toml: archived = "{look}"' in (
        done.stdout
    )
    assert "11 links: 3 answer, 4 are dead, 0 more are and have" in done.stderr

    copies = outlet.route("/here")
    text = file.read_text("utf-8") + f'archived = "{copies}"\n'
    mended = done.stdout
    for mend in mends.values():
        mended = mended.replace(f'"{mend}"', f'"{copies}"')
    file.write_text(text + mended, "utf-8")
    again = call(path, "--links")

    assert again.exit_code == 0, again.stdout
    assert "11 links: 3 answer, 0 are dead, 4 more are and have" in again.stderr


def test_time_and_a_network_may_be_missing(linked: Path, tmp_path: Path) -> None:
    """What was not asked is counted; without any answer no link is called dead."""
    path = copied(linked.parent, tmp_path)
    late = call(path, "--links", "--within", "0s")

    assert late.exit_code == 0
    assert "11 were left for lack of time" in late.stderr
    assert late.stdout == ""

    nowhere = ("http://name.invalid/1", "http://127.0.0.1:9/2")
    added = "".join(
        f"""[[decision]]
action = "add"
url = "{url}"
title = "Un article, {url}"
outlet = "La Gazette"
published = 2020-02-15
topics = ["film"]
"""
        for url in nowhere
    )
    path.with_name("curation.toml").write_text(added, "utf-8")
    path.with_name("aggregator.db").unlink()
    path.with_name("public").rename(tmp_path / "old")
    env = {"SOURCE_DATE_EPOCH": EPOCH}
    CliRunner().invoke(main, ["--config", str(path), "publish"], env=env)
    offline = call(path, "--links")

    assert offline.exit_code == 3
    assert "0 are dead" in offline.stderr
    assert "is this machine online?" in offline.stderr
    assert all(url in offline.stdout for url in nowhere)


def test_links_need_a_database(tmp_path: Path) -> None:
    """Before the first cycle nothing is published; a line says how to begin."""
    done = call(configure(tmp_path, {}), "--links")

    assert done.exit_code == 1
    assert "`aggregator run` makes it" in done.stderr


def test_every_link_of_what_is_published_is_asked() -> None:
    """Article, other outlets' copies, archived copy; of nothing that is withdrawn."""
    at = a_story().published_at
    others = (
        Copy("La Gazette", "https://gazette.example/", "T", at),
        Copy("B", "", "T", at),
    )
    story = a_story(
        copies=(*a_story().copies, *others), archived="https://archive.example/0"
    )
    secret = a_story(3, url="https://me:mine@journal.example/é")
    asked = uses([story, a_story(1, state=State.HIDDEN), a_story(2, url=""), secret])

    assert [(one.url, one.role) for one in asked] == [
        ("https://journal.example/0", "article"),
        ("https://gazette.example/", "copy"),
        ("https://archive.example/0", "archived"),
        ("https://journal.example/%C3%A9", "article"),
    ]


def test_a_link_that_was_not_asked_may_be_alive() -> None:
    """Its host wants to be left alone, and until when."""
    until = NOW + timedelta(hours=1)
    answer = Answer("https://jour.example/a", NOW, asked=False, not_before=until)

    assert life(answer) == (
        Life.UNCLEAR,
        "its host is left alone until 2026-11-23 13:00 UTC",
    )


def test_a_story_is_offered_one_archived_copy() -> None:
    """Of its article; of another outlet's where that is well; none where it has one."""
    at = a_story().published_at
    other = Copy("La Gazette", "https://gazette.example/", "T", at)
    both = a_story(1, copies=(*a_story(1).copies, other))
    copied = a_story(2, copies=(*a_story(2).copies, other))
    saved = a_story(3, archived="https://archive.example/3")
    lost = a_story(4, archived="https://archive.example/4")
    dead = [
        (Use(other.url, "copy", both), "http 404"),
        (Use(both.url, "article", both), "http 404"),
        (Use(other.url, "copy", copied), "http 404"),
        (Use(saved.url, "article", saved), "http 404"),
        (Use(lost.url, "article", lost), "http 404"),
        (Use(lost.archived, "archived", lost), "http 404"),
    ]
    told = found(dead, (), "UTC", NOW)

    assert [(one.url, one.role) for one in told] == [(u.url, u.role) for u, _ in dead]
    assert [one.state for one in told] == [
        *([Life.DEAD] * 3),
        Life.SAVED,
        Life.DEAD,
        Life.DEAD,
    ]
    assert [one.look for one in told] == [
        "https://web.archive.org/web/20260313/https://gazette.example/",
        "https://web.archive.org/web/20260313/https://journal.example/1",
        "https://web.archive.org/web/20260312/https://gazette.example/",
        "",
        "",
        "https://web.archive.org/web/*/https://journal.example/4",
    ]
    pasted = [tomllib.loads(one.paste).get("decision") for one in told]
    assert [bool(tables) for tables in pasted] == [False, True, True, *[False] * 3]


def test_a_host_that_is_silent_twice_is_left_alone() -> None:
    """Each address of it may cost the whole timeout; later batches hear of it too."""
    urls = [f"http://127.0.0.1:9/{number}" for number in range(3)]
    tasks = tuple(PageTask(url, url, SECOND) for url in urls)
    answers = knock(PageBatch(tasks, "127.0.0.1:9", OPEN, "aggregator", NOW))

    assert [one.paused_host for one in answers[:2]] == ["", "127.0.0.1:9"]
    assert answers[1].not_before == NOW + timedelta(hours=1)
    assert all(one.failure for one in answers)


def test_a_host_that_wants_to_be_left_alone_is(server: Server) -> None:
    """Nothing is asked of it; nor after the end, and then nothing is known."""
    task = PageTask(server.url("/a"), server.url("/a"), SECOND)
    host = f"127.0.0.1:{server.port}"
    batch = PageBatch((task,), host, OPEN, "aggregator", NOW)
    until = NOW + timedelta(hours=2)
    ended = threading.Event()
    ended.set()

    (paused,) = knock(replace(batch, pauses=(Pause(host, until),)))
    (stopped,) = knock(batch, ended)

    assert paused == Answer(task.page, NOW, asked=False, not_before=until)
    assert stopped == Answer(task.page, NOW, asked=False)
    assert server.requests == []


@pytest.mark.parametrize("status", [429, 503])
def test_a_pause_that_is_asked_for_is_made(server: Server, status: int) -> None:
    """HEAD says so, and GET does not insist."""
    url = server.route("/busy", status=status, headers={"Retry-After": "60"})
    task = PageTask(url, url, SECOND)
    batch = PageBatch((task, task), f"127.0.0.1:{server.port}", OPEN, "agg", NOW)
    first, second = knock(batch)

    assert (first.status, first.not_before) == (status, NOW + 60 * SECOND)
    assert not second.asked
    assert [one.method for one in server.requests] == ["GET", "HEAD"]  # robots.txt


def test_head_is_believed_only_when_it_says_yes(server: Server) -> None:
    """Redirects are followed either way; no body is read."""
    server.route("/old", status=301, headers={"Location": "/odd"})
    server.route("/odd", handler=refusing_head(405))
    with Fetcher(OPEN, "aggregator") as fetcher:
        where = fetcher.reach(server.url("/old"), now=NOW, timeout=SECOND)

    assert where == server.url("/odd")
    assert [(one.method, one.path) for one in server.requests] == [
        ("HEAD", "/old"),
        ("HEAD", "/odd"),
        ("GET", "/odd"),
    ]
