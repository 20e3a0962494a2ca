"""What is told after real cycles: kept, shown on the desk, and never told twice."""

from __future__ import annotations

import json
import re
import signal
import sys
import tomllib
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import feedparser
import pytest
from click.testing import CliRunner, Result
from conftest import Server
from test_worker import QUICK, running, until
from worlds import EPOCH, command, configure, contents, item, rss, saved

from aggregator import run
from aggregator.cli import main
from aggregator.desk import Desk
from aggregator.health import Event, Gap, Kind
from aggregator.model import ConfigError
from aggregator.store import Store, books, events

NOW = datetime.fromtimestamp(int(EPOCH), UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
JOUR = rss(item("a", "La météo", date="Sun, 22 Nov 2026 08:00:00 GMT"))
SOIR = rss(item("z", "Le sport", date="Sun, 22 Nov 2026 09:00:00 GMT"), title="Soir")


@pytest.fixture
def path(tmp_path: Path, server: Server) -> Path:
    """Return a feeds.toml of two outlets that answer."""
    outlets = {
        "Le Jour": server.route("/jour", body=JOUR),
        "Le Soir": server.route("/soir", body=SOIR),
    }
    return configure(tmp_path, outlets)


def call(path: Path, *words: str, at: datetime = NOW) -> Result:
    """Run a command in this process at a time."""
    env = {"SOURCE_DATE_EPOCH": str(int(at.timestamp()))}
    return CliRunner().invoke(main, ["--config", str(path), *words], env=env)


def told(path: Path) -> list[Event]:
    """Return all that was told, oldest first."""
    with Store(path.with_name("aggregator.db")) as store:
        return [*reversed(events.told(store))]


def hears(path: Path, at: datetime) -> list[tuple[Kind, str]]:
    """Ask every feed at a time; return what is told of whom."""
    database = path.with_name("aggregator.db")
    before = {event.id for event in told(path)} if database.exists() else set()
    call(path, "run", "--all", at=at)
    found = [event for event in told(path) if event.id not in before]
    return [(event.kind, event.outlet) for event in found]


def hang_up(request: BaseHTTPRequestHandler) -> None:
    """Close the connection without an answer."""
    request.connection.close()


def entries(path: Path) -> list[str]:
    """Return the titles in desk.atom, newest first."""
    body = path.with_name("desk").joinpath("desk.atom").read_bytes()
    titles = [entry.title for entry in feedparser.parse(body).entries]
    return [title.replace("\u202f", " ") for title in titles]


# ── what is told ──────────────────────────────────────────────────────────────────────


def test_a_failure_is_told_once_and_its_end_once(path: Path, server: Server) -> None:
    """In the database and in desk.atom, however often the feed is asked."""
    assert hears(path, NOW) == []

    server.route("/jour", status=503)
    assert hears(path, NOW + HOUR) == [(Kind.FAILS, "Le Jour")]
    assert hears(path, NOW + 2 * HOUR) == []
    assert hears(path, NOW + 2 * HOUR) == []

    server.route("/jour", body=JOUR)
    assert hears(path, NOW + 3 * HOUR) == [(Kind.RECOVERED, "Le Jour")]
    assert hears(path, NOW + 4 * HOUR) == []

    assert entries(path) == [
        "Le Jour : le flux répond de nouveau",
        "Le Jour : le flux ne répond plus (http 503)",
    ]
    assert [event.since for event in told(path)] == [NOW, NOW]


def test_what_happens_within_a_second_keeps_its_order(
    path: Path, server: Server
) -> None:
    """A cycle done again at the same instant, or before it, tells as any other."""
    hears(path, NOW)
    for at in (NOW, NOW - DAY):
        server.route("/jour", status=503)
        assert hears(path, at) == [(Kind.FAILS, "Le Jour")]
        server.route("/jour", body=JOUR)
        assert hears(path, at) == [(Kind.RECOVERED, "Le Jour")]
        assert hears(path, at) == []


def test_this_machine_offline_is_told_of_no_outlet(path: Path, server: Server) -> None:
    """All fail to answer at once: nothing is told, neither then nor afterwards."""
    hears(path, NOW)
    for name in ("/jour", "/soir"):
        server.route(name, handler=hang_up)
    assert hears(path, NOW + HOUR) == []
    assert hears(path, NOW + 5 * HOUR) == []

    server.route("/jour", body=JOUR)
    assert hears(path, NOW + 9 * HOUR) == [(Kind.FAILS, "Le Soir")]


def test_a_silence_a_gap_and_a_story_that_waits_are_told(
    path: Path, server: Server
) -> None:
    """Each by what the database remembers; a month later all is still told once."""
    assert hears(path, NOW) == []

    doubt = item("d", "Les petites mains", date="Tue, 24 Nov 2026 08:00:00 GMT")
    server.route("/jour", body=rss(doubt))
    assert sorted(hears(path, NOW + DAY)) == [
        (Kind.GAP, "Le Jour"),
        (Kind.WAITS, "Le Jour"),
    ]
    assert any("Les petites mains" in title for title in entries(path))

    assert sorted(hears(path, NOW + 40 * DAY)) == [
        (Kind.SILENT, "Le Jour"),
        (Kind.SILENT, "Le Soir"),
    ]
    assert hears(path, NOW + 41 * DAY) == []


def test_a_topic_without_news_is_told_of(path: Path, server: Server) -> None:
    """Five articles in five days, then none for a month while feeds are answered."""
    articles = [
        item(f"f{day}", "Les travailleurs du clic", date=f"{day} Nov 2026 08:00:00 GMT")
        for day in range(16, 21)
    ]
    server.route("/jour", body=rss(*articles))
    hears(path, NOW)
    heard = hears(path, NOW + 35 * DAY)

    assert (Kind.TOPIC_SILENT, "Le film") in heard
    assert (Kind.TOPIC_SILENT, "Les livreurs") not in heard


def test_every_trouble_stands_on_the_desk_and_nowhere_else(
    path: Path, server: Server
) -> None:
    """The private folder holds page and feed; the published one says nothing of it."""
    server.route("/jour", status=404)
    call(path, "run")
    desk = path.with_name("desk")

    assert {p.name for p in desk.iterdir()} == {"desk.atom", "index.html", "style.css"}
    assert "http 404" in (desk / "index.html").read_text(encoding="utf-8")
    assert not any("desk" in name for name in contents(path.parent))
    assert not any(b"http 404" in body for body in contents(path.parent).values())


def test_a_desk_elsewhere_is_written_there(path: Path) -> None:
    """`storage.desk` says where."""
    text = path.read_text(encoding="utf-8")
    path.write_text(text + '[storage]\ndesk = "bureau"\n', encoding="utf-8")
    call(path, "run")

    assert (path.parent / "bureau" / "desk.atom").exists()
    assert not (path.parent / "desk").exists()
    assert "has no effect" not in call(path, "check").stderr


# ── status ────────────────────────────────────────────────────────────────────────────


def test_status_tells_since_when_and_what_to_paste(path: Path, server: Server) -> None:
    """A move with its line of feeds.toml, once it is believed; gaps in a line each."""
    there = server.route("/new", body=JOUR)
    server.route("/jour", 301, headers={"Location": there})
    hears(path, NOW)
    server.route("/soir", body=rss(item("y", "Autre chose"), title="Soir"))
    assert hears(path, NOW + DAY) == [(Kind.GAP, "Le Soir")]
    early = call(path, "status", at=NOW + DAY).stdout
    server.route("/soir", status=500)

    assert sorted(hears(path, NOW + 8 * DAY)) == [
        (Kind.FAILS, "Le Soir"),
        (Kind.MOVED, "Le Jour"),
    ]
    later = call(path, "status", at=NOW + 8 * DAY).stdout
    lines = later.splitlines()
    pasted = lines[lines.index(next(x for x in lines if "[outlets]" in x)) + 1]

    assert "[outlets]" not in early
    assert tomllib.loads(pasted) == {"Le Jour": there}
    assert re.search(r"Le Soir +failing +2026-12-01 ", later)
    assert re.search(r"may have missed articles:\n  Le Soir between 2026-11-2", later)
    listed = json.loads(call(path, "status", "--json").stdout)
    assert [line["moved_to"] for line in listed] == [there, ""]
    assert "may have missed" not in call(path, "status", at=NOW + 40 * DAY).stdout


def test_status_tells_since_when_a_feed_is_silent(path: Path) -> None:
    """The date of its newest entry."""
    hears(path, NOW)
    hears(path, NOW + 40 * DAY)

    assert re.search(r"Le Jour +silent +2026-11-22 ", call(path, "status").stdout)


# ── coverage ──────────────────────────────────────────────────────────────────────────


def test_the_coverage_page_changes_once_a_day(path: Path, server: Server) -> None:
    """Within the site's day nothing is rewritten, unless other outlets are followed."""

    def page() -> str:
        return contents(path.parent)["outlets/index.html"].decode()

    hears(path, NOW)
    first = page()
    newer = item("b", "Le vent", date="Mon, 23 Nov 2026 14:00:00 GMT")
    server.route("/jour", body=rss(newer, item("a", "La météo")))
    hears(path, NOW + 6 * HOUR)
    assert page() == first
    call(path, "publish", at=NOW + 9 * DAY)
    assert page() == first

    hears(path, NOW + 11 * HOUR)  # midnight in Paris
    assert "22 nov. 2026" in first
    assert page() != first

    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r'"Le Soir" = .*\n', "", text), encoding="utf-8")
    hears(path, NOW + 11 * HOUR)

    assert "Le Soir" in first
    assert "Le Soir" not in page()


# ── edits ─────────────────────────────────────────────────────────────────────────────


def test_a_wrong_edit_is_told_on_the_desk_and_mended_there(path: Path) -> None:
    """By the worker, with what stood there before in force; told once each."""
    good = path.read_text(encoding="utf-8")
    with running(sys.executable, "-c", QUICK, str(path)) as process:
        until(process, "cycle", "polled=2")
        saved(path, good + "[nonsense]\n")
        until(process, "the edit is not used")
        until(process, "cycle", "polled=2")
        until(process, "cycle", "polled=2")
        wrong = path.with_name("desk").joinpath("index.html").read_text("utf-8")
        saved(path, good)
        until(process, "configuration read again")
        until(process, "cycle", "polled=2")
        process.send_signal(signal.SIGTERM)
        until(process, "worker stopped")

    assert "nonsense: unknown table" in wrong
    assert [(e.kind, e.subject) for e in told(path)] == [
        (Kind.EDIT, "feeds.toml"),
        (Kind.EDIT_MENDED, "feeds.toml"),
    ]
    assert "nonsense" in told(path)[0].text


def test_a_wrong_edit_is_on_the_desk_before_feeds_are_asked(
    path: Path, server: Server
) -> None:
    """A cycle may take minutes; the maintainer need not wait for it."""
    desk = Desk.load(path)
    run.cycle(desk, NOW)
    wrong = ConfigError(path.with_name("curation.toml"), ("decision[1]: a slip",))
    seen: list[str] = []

    def look(request: BaseHTTPRequestHandler) -> None:
        seen.append(path.with_name("desk").joinpath("index.html").read_text("utf-8"))
        hang_up(request)

    server.route("/jour", handler=look)
    run.cycle(desk, NOW + HOUR, everything=True, wrong=wrong)

    assert "decision[1]: a slip" in seen[0]
    assert "curation.toml" in [event.subject for event in told(path)]


def test_a_file_that_nobody_read_is_not_called_mended(path: Path) -> None:
    """While feeds.toml is wrong, what it says of curation.toml is not known."""
    desk = Desk.load(path)
    for hour, name in enumerate(("curation.toml", "feeds.toml", "curation.toml")):
        wrong = ConfigError(path.with_name(name), ("a slip",))
        run.cycle(desk, NOW + hour * HOUR, wrong=wrong)

    assert [(e.kind, e.subject) for e in told(path)] == [
        (Kind.EDIT, "curation.toml"),
        (Kind.EDIT, "feeds.toml"),
        (Kind.EDIT_MENDED, "feeds.toml"),
    ]


def test_any_good_cycle_ends_what_was_told_of_an_edit(path: Path) -> None:
    """The worker may be gone by then: `run` and `publish` read the same files."""
    call(path, "run")
    with Store(path.with_name("aggregator.db")) as store, store.transaction():
        events.keep(store, [Event(1, NOW, Kind.EDIT, "feeds.toml", "", "a slip")])
    call(path, "publish", at=NOW + HOUR)

    assert [event.kind for event in told(path)] == [Kind.EDIT, Kind.EDIT_MENDED]
    assert "curation" not in entries(path)[0]


# ── heartbeat ─────────────────────────────────────────────────────────────────────────


@pytest.fixture
def beating(path: Path, server: Server) -> Path:
    """Return a feeds.toml that names a heartbeat."""
    url = server.route("/beat", status=204)
    text = path.read_text(encoding="utf-8")
    line = f'[site]\nheartbeat = "{url}?secret=1"\n'
    path.write_text(text.replace("[site]\n", line), encoding="utf-8")
    return path


def beats(server: Server) -> int:
    """Return how often the heartbeat was asked."""
    return sum(r.path == "/beat?secret=1" for r in server.requests)


def test_the_heartbeat_is_asked_after_each_cycle(beating: Path, server: Server) -> None:
    """Once each, when all is published; any 2xx will do, on this machine too."""
    for times, status in ((1, 204), (2, 200)):
        server.route("/beat", status)
        result = call(beating, "run")

        assert (result.exit_code, result.stderr) == (0, "")
        assert beats(server) == times
        assert server.requests[-1].path == "/beat?secret=1"
        assert "press-aggregator" in str(server.requests[-1].headers["User-Agent"])
    assert "has no effect" not in call(beating, "check").stderr


def test_a_heartbeat_that_fails_is_one_line(beating: Path, server: Server) -> None:
    """It changes no exit status, and its address stays out of the mail."""
    server.route("/beat", status=500)
    result = call(beating, "run")

    assert result.exit_code == 0
    assert result.stderr == "warning: site.heartbeat could not be asked: http 500\n"


def test_the_heartbeat_stops_when_nothing_can_be_reached(
    beating: Path, server: Server
) -> None:
    """Also in idle cycles, until an outlet answers again; then it goes on."""
    call(beating, "run")
    for name in ("/jour", "/soir"):
        server.route(name, handler=hang_up)
    assert call(beating, "run", "--all", at=NOW + HOUR).exit_code == 3
    assert call(beating, "run", at=NOW + HOUR).exit_code == 0
    assert beats(server) == 1

    server.route("/jour", status=500)
    call(beating, "run", "--all", at=NOW + 2 * HOUR)

    assert beats(server) == 2


def test_no_heartbeat_after_a_cycle_that_failed(beating: Path, server: Server) -> None:
    """Where nothing can be published, the monitor has to hear of it."""
    beating.with_name("public").write_text("in the way", encoding="utf-8")

    assert call(beating, "run").exit_code == 1
    assert beats(server) == 0


def test_the_worker_asks_the_heartbeat_too(beating: Path, server: Server) -> None:
    """A failure is in its log as one line."""
    server.route("/beat", handler=hang_up)
    with running(*command(beating, "worker")) as process:
        lines = until(process, "cycle", "polled=2")
        process.send_signal(signal.SIGTERM)
        until(process, "worker stopped")

    assert beats(server) == 1
    why = "connection closed without an answer"
    told_of = [line for line in lines if "heartbeat" in line]
    assert told_of == [f"WARNING site.heartbeat could not be asked: {why}\n"]


# ── the database ──────────────────────────────────────────────────────────────────────


@pytest.fixture
def store(path: Path) -> Store:
    """Return the open database after a first cycle."""
    call(path, "run")
    return Store(path.with_name("aggregator.db"))


def waits(number: int) -> Event:
    """Return the event of a story that waits, one a minute."""
    at = NOW + timedelta(minutes=number)
    return Event(number, at, Kind.WAITS, f"story{number}", "Le Jour", "Un titre")


def test_old_events_are_forgotten_but_for_what_is_open(store: Store) -> None:
    """The newest thousand stay, stories that still wait, and all failures."""
    fails = Event(9001, NOW - 900 * DAY, Kind.FAILS, "https://a.fr", "A", "http 500")
    silent = Event(9002, NOW - 900 * DAY, Kind.SILENT, "https://a.fr", "A")
    old_gap = Event(9003, NOW - 40 * DAY, Kind.GAP, "https://a.fr", "A")
    gap = Event(9004, NOW - 20 * DAY, Kind.GAP, "https://a.fr", "A")
    every = [waits(number) for number in range(1, 1201)]
    with store, store.transaction():
        assert events.keep(store, [*every, fails, silent, old_gap, gap]) == 1204
        assert events.keep(store, [waits(7), gap]) == 0
        events.forget(store, NOW, ["story7"])
        kept = {event.id for event in events.told(store)}

        assert kept == {7, 9001, 9002, 9004, *range(201, 1201)}
        assert events.lasting(store) == (fails, silent)
    assert [e.id for e in (waits(3), waits(2))] == [3, 2]


def test_what_was_told_last_is_never_out_of_sight(store: Store) -> None:
    """However many newer events there are; the newest first."""
    fails = Event(9001, NOW - DAY, Kind.FAILS, "https://a.fr", "A", "http 500", NOW)
    with store, store.transaction():
        events.keep(store, [waits(1), waits(2), fails])

        assert events.told(store, limit=1) == (waits(2), waits(1), fails)


def test_entries_are_counted_by_day(store: Store) -> None:
    """Thirty days up to an instant, the oldest first; a feed never read has none."""
    with store:
        url = next(url for url in books.records(store) if url.endswith("/jour"))
        counts = books.daily(store, [url], NOW)

        assert counts[url] == (*(0,) * 28, 1, 0)
        assert books.daily(store, [url], NOW - 2 * DAY)[url] == (0,) * 30
        assert books.daily(store, [url], NOW + 40 * DAY)[url] == (0,) * 30
        with store.transaction():
            store.do("UPDATE feeds SET success_at = NULL")
        assert books.daily(store, [url], NOW) == {}


def test_gaps_are_listed_by_their_end(store: Store) -> None:
    """All of them, or those seen after an instant."""
    with store, store.transaction():
        feeds = store.rows("SELECT id, url FROM feeds ORDER BY url")
        for place, row in enumerate(feeds):
            until_ = int(NOW.timestamp()) - 100 * place
            store.do("INSERT INTO gaps VALUES (?, NULL, ?)", row["id"], until_)
        late = Gap(feeds[0]["url"], None, NOW)
        early = Gap(feeds[1]["url"], None, NOW - timedelta(seconds=100))

        assert books.gaps(store) == (early, late)
        assert books.gaps(store, NOW - timedelta(seconds=50)) == (late,)


def test_what_a_feed_said_of_late_is_read_from_the_index(store: Store) -> None:
    """Moments half a day apart and the entries in between; none of a feed unread."""
    with store:
        record = next(r for url, r in books.records(store).items() if "jour" in url)
        assert record.moments == (datetime(2026, 11, 22, 8, tzinfo=UTC),)
        assert (record.entries, record.home) == (1, "https://jour.example/")
        assert (record.since, record.failed_at) == (NOW, None)

        (feed,) = store.rows("SELECT id FROM feeds WHERE url = ?", record.url)
        newest = int(record.moments[0].timestamp())
        with store.transaction():
            for hours in range(1, 30):
                store.do(
                    "INSERT INTO entries (feed, key, url, canonical, title, summary, "
                    "content, author, language, outlet, seen_at, dated_at) "
                    "VALUES (?, '', '', '', '', '', '', '', '', '', 0, ?)",
                    feed["id"],
                    newest - 3600 * hours,
                )
        record = books.records(store)[record.url]

    assert record.moments == tuple(
        datetime.fromtimestamp(newest, UTC) - n * 12 * HOUR for n in range(3)
    )
    assert record.entries == 25
