"""Older entries of outlets: from documents on a server to the published folder."""

from __future__ import annotations

import gzip
import json
import signal
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import (
    BaseHTTPRequestHandler,
    SimpleHTTPRequestHandler,
    ThreadingHTTPServer,
)
from pathlib import Path

import pytest
from backfill_world import APART, FOUND, LIVE, NEWEST, TOPIC, Past, served
from click.testing import CliRunner
from conftest import Server
from worlds import (
    EPOCH,
    command,
    configure,
    contents,
    copied,
    environment,
    item,
    rss,
)

from aggregator import backfill as past
from aggregator import bulletin, run, sandbox
from aggregator.backfill import Asked, Line
from aggregator.cli import main
from aggregator.desk import Desk, stories
from aggregator.lock import is_held
from aggregator.model import State, Story
from aggregator.store import Store

NOW = datetime.fromtimestamp(int(EPOCH), UTC)
DAY = timedelta(days=1)
LONG_AGO = NOW - 3650 * DAY


@pytest.fixture(scope="module", autouse=True)
def _children() -> Iterator[None]:
    """End the children after the last test here."""
    yield
    sandbox.close()


@dataclass
class World:
    """A folder that follows outlets with a past, polled once."""

    path: Path
    pasts: list[Past]

    @property
    def desk(self) -> Desk:
        """The two files as they are now."""
        return Desk.load(self.path)

    @property
    def database(self) -> Path:
        """Where the database is."""
        return self.desk.config.storage.database

    def backfill(
        self,
        at: datetime = NOW,
        *,
        since: datetime = LONG_AGO,
        requests: int = 600,
        again: bool = False,
    ) -> list[Line]:
        """Ask for older entries; return what came of each feed."""
        asked = Asked(self.desk.config.outlets, since, requests, again)
        return [*past.backfill(self.desk, asked, at).lines]

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """Return what the database answers."""
        raw = sqlite3.connect(self.database)
        try:
            return raw.execute(sql).fetchall()
        finally:
            raw.close()

    def stories(self) -> list[Story]:
        """Return the stories as they stand."""
        with Store(self.database) as store:
            return [*stories(store, self.desk)]

    def live(self) -> list[tuple[object, ...]]:
        """Return all that is remembered of the live feeds."""
        return [
            *self.rows("SELECT * FROM feeds"),
            *self.rows("SELECT feed, entry FROM seen WHERE dropped_at IS NULL"),
            *self.rows("SELECT * FROM gaps"),
        ]

    def check_complete(self) -> None:
        """Every entry is there once, and what was found of the past is not live."""
        count = sum(one.count for one in self.pasts)
        found = self.stories()
        shown = [one for one in found if one.added_at]
        old = [one for one in shown if not one.live]

        assert self.rows("SELECT count(*), count(DISTINCT url) FROM entries") == [
            (count, count)
        ]
        assert len(found) == sum(one.found for one in self.pasts)
        assert len(shown) == sum(-(-one.count // FOUND) for one in self.pasts)
        assert all(one.state is State.PUBLISHED for one in shown)
        assert all(one.added_at == one.published_at for one in old)
        feed = (self.desk.config.storage.output / "feed.json").read_text("utf-8")
        listed = {one["url"] for one in json.loads(feed)["items"]}
        newest = {one.url(n) for one in self.pasts for n in range(0, one.live, FOUND)}
        assert listed == newest


def follow(folder: Path, pasts: list[Past], *, extra: str = "") -> World:
    """Return a world of outlets that are served, after a first cycle."""
    path = configure(folder, {one.kind: one.feed for one in pasts}, extra=extra)
    text = path.read_text("utf-8")
    start, end = text.index("[[topics]]"), text.index("[outlets]")
    path.write_text(text[:start] + TOPIC + text[end:], "utf-8")
    world = World(path, pasts)
    run.cycle(world.desk, NOW)
    for one in pasts:
        one.asked.clear()
    return world


def at_home(server: Server, *items: str) -> bytes:
    """Return an RSS document whose home is this server."""
    home = f"<link>{server.url('/')}</link>"
    return rss(*items).replace(b"<link>https://jour.example/</link>", home.encode())


@pytest.fixture
def wordpress(tmp_path: Path) -> Iterator[World]:
    """Return a world with one outlet of 12 pages."""
    with served(Past("wordpress", 120)) as one:
        yield follow(tmp_path, [one])


# ── all of it, once ───────────────────────────────────────────────────────────────────


def test_each_kind_of_site_is_recognised_and_read_to_its_end(tmp_path: Path) -> None:
    """Every entry once, no document twice; the live feeds' own state is as it was."""
    with ExitStack() as stack:
        kinds = ("wordpress", "drupal", "archives", "sitemaps")
        pasts = [stack.enter_context(served(Past(kind, 200, 20))) for kind in kinds]
        world = follow(tmp_path, pasts)
        before = world.live()
        lines = world.backfill()
        asked = [len(one.asked) for one in pasts]
        again = world.backfill(NOW + DAY)

    assert [line.way for line in lines] == ["wordpress", "drupal", "archive", "sitemap"]
    assert {line.stopped for line in (*lines, *again)} == {"complete"}
    assert [line.requests for line in lines] == asked
    assert all(len({*one.asked}) == len(one.asked) for one in pasts)
    assert all(line.oldest == NEWEST - 199 * APART for line in lines)
    assert [line.new_entries for line in lines] == [180, 180, 190, 190]
    assert [line.requests for line in again] == [0, 0, 0, 0]
    assert world.live() == before


def test_five_thousand_entries_survive_two_kills(tmp_path: Path) -> None:
    """Each entry once, a document lost by each kill at most, none in the live feeds."""
    with ExitStack() as stack:
        kinds = ("wordpress", "archives")
        pasts = [stack.enter_context(served(Past(kind, 5000, 100))) for kind in kinds]
        world = follow(tmp_path, pasts)
        killed_after(world, pasts[0], 7)
        killed_after(world, pasts[1], 20)
        lines = world.backfill(requests=60)

    assert {line.stopped for line in lines} == {"complete"}
    for one in pasts:
        # robots.txt is asked on the way to a document, and kept with it
        documents = [target for target in one.asked if target != "/robots.txt"]
        twice = len(documents) - len({*documents})
        assert twice <= 2
        assert len(documents) <= 5000 / 100 + 1 + twice
    found = {story.short for story in world.stories()}
    run.cycle(world.desk, NOW + DAY)
    world.check_complete()
    assert {story.short for story in world.stories()} == found


def killed_after(world: World, one: Past, requests: int) -> None:
    """Backfill with the real command line, killed while a request is under way."""
    reached, killed = threading.Event(), threading.Event()
    goal = len(one.asked) + requests

    def listen(_target: str) -> None:
        if len(one.asked) == goal:
            reached.set()
            killed.wait(60)

    one.listen = listen
    words = command(world.path, "backfill", "--requests", "60")
    with subprocess.Popen(words, env=environment()) as process:
        assert reached.wait(60)
        process.send_signal(signal.SIGKILL)
        process.wait()
        killed.set()


def test_what_a_kill_left_is_published_by_the_next_cycle(wordpress: World) -> None:
    """Entries that were recorded wait for nothing but a cycle."""
    killed_after(wordpress, wordpress.pasts[0], 8)
    run.cycle(wordpress.desk, NOW + timedelta(hours=1))

    old = [one for one in wordpress.stories() if not one.live and one.added_at]
    assert [one.state for one in old] == [State.PUBLISHED]
    page = wordpress.desk.config.storage.output / "2026" / "index.html"
    assert "épisode 50" in page.read_text("utf-8")


def test_the_cycle_lock_is_free_between_steps(wordpress: World) -> None:
    """While an outlet is waited for, a worker may go on."""
    (one,) = wordpress.pasts
    locked: list[bool] = []
    one.listen = lambda _target: locked.append(is_held(wordpress.database, "cycle"))
    wordpress.backfill()

    assert len(locked) == len(one.asked) > 10
    assert not any(locked)


# ── bounds ────────────────────────────────────────────────────────────────────────────


def test_the_budget_holds_and_the_next_call_goes_on(wordpress: World) -> None:
    """Counted with robots.txt and what only shows the way."""
    (one,) = wordpress.pasts
    first = wordpress.backfill(requests=5)
    made = len(one.asked)
    rest = wordpress.backfill(requests=50)

    assert (made, first[0].requests, first[0].stopped) == (5, 5, "requests")
    assert rest[0].stopped == "complete"
    assert len(one.asked) == len({*one.asked})


def test_nothing_older_than_since_is_asked_for_until_it_is(wordpress: World) -> None:
    """Of a document all is kept; an earlier date goes on from there."""
    (one,) = wordpress.pasts
    near = wordpress.backfill(since=NEWEST - 35 * APART)
    made = len(one.asked)
    same = wordpress.backfill(since=NEWEST - 35 * APART)
    far = wordpress.backfill()

    assert (near[0].stopped, near[0].oldest) == ("since", NEWEST - 49 * APART)
    assert (same[0].stopped, same[0].requests) == ("since", 0)
    assert made == 2 + 4
    assert far[0].stopped == "complete"
    assert len(one.asked) == len({*one.asked})


def test_sitemaps_older_than_since_are_not_asked_for(tmp_path: Path) -> None:
    """Their index says when each changed last."""
    with served(Past("sitemaps", 100, 10)) as one:
        world = follow(tmp_path, [one])
        (near,) = world.backfill(since=NEWEST - 25 * APART)
        asked = [target for target in one.asked if "news" in target]
        (far,) = world.backfill()

    assert asked == ["/news-0.xml", "/news-1.xml", "/news-2.xml"]
    assert (near.stopped, far.stopped) == ("since", "complete")


def test_again_reads_what_was_asked_before(wordpress: World) -> None:
    """For a hole that an outage left; what is known is not doubled."""
    (before,) = wordpress.backfill()
    (after,) = wordpress.backfill(again=True)

    assert (before.requests, before.new_entries) == (after.requests + 1, 110)
    assert (after.stopped, after.new_entries) == ("complete", 0)


# ── outlets that fail, refuse or go round ─────────────────────────────────────────────


def test_an_outlet_that_fails_midway_is_told_and_resumed(wordpress: World) -> None:
    """After a 500 nothing else is asked of it; the next call begins with that page."""
    (one,) = wordpress.pasts
    one.broken["/feed/?paged=5"] = (500, {})
    (stopped,) = wordpress.backfill()
    last = one.asked[-1]
    one.broken.clear()
    one.asked.clear()
    (done,) = wordpress.backfill()

    assert (stopped.stopped, last) == ("fails", "/feed/?paged=5")
    assert stopped.failure
    assert stopped.failure.reason == "http 500"
    assert one.asked[0] == last
    assert done.stopped == "complete"
    wordpress.check_complete()


def test_retry_after_holds_for_the_host_of_the_feed_too(wordpress: World) -> None:
    """Neither another call nor a cycle asks before; then it goes on."""
    (one,) = wordpress.pasts
    one.broken["/feed/?paged=5"] = (429, {"Retry-After": "3600"})
    (stopped,) = wordpress.backfill()
    made = len(one.asked)
    (early,) = wordpress.backfill(NOW + timedelta(minutes=30))
    run.cycle(wordpress.desk, NOW + timedelta(minutes=50), everything=True)
    asked_early = len(one.asked) - made
    one.broken.clear()
    (done,) = wordpress.backfill(NOW + timedelta(hours=2))

    assert (stopped.stopped, early.stopped) == ("waits", "waits")
    assert (early.not_before, early.requests) == (stopped.not_before, 0)
    assert asked_early == 0
    assert done.stopped == "complete"


def test_robots_txt_is_obeyed(tmp_path: Path, server: Server) -> None:
    """What it forbids is not asked, and no way."""
    entries = at_home(server, *(item(str(n), f"Un article, le {n}") for n in range(3)))
    feed = server.route("/feed/", body=entries)
    server.route("/robots.txt", body=b"User-agent: *\nDisallow: /*?\n")
    world = World(configure(tmp_path, {"Le Jour": feed}), [])
    run.cycle(world.desk, NOW)
    server.requests.clear()
    (line,) = world.backfill()

    assert [one.path for one in server.requests] == ["/feed/", "/robots.txt"]
    assert (line.stopped, line.way) == ("none", "")


def test_a_site_that_answers_the_same_for_every_number_is_left(
    tmp_path: Path, server: Server
) -> None:
    """Before any of it is recorded."""
    entries = at_home(server, *(item(str(n), f"Un article, le {n}") for n in range(3)))
    feed = server.route("/feed/", body=entries)
    server.route("/page/2/", body=entries)
    world = World(configure(tmp_path, {"Le Jour": feed}), [])
    run.cycle(world.desk, NOW)
    (line,) = world.backfill()

    assert (line.stopped, line.requests, line.new_entries) == ("none", 5, 0)


def test_one_page_under_addresses_made_anew_is_known_again(
    tmp_path: Path, server: Server
) -> None:
    """By its titles and dates, whatever guids and links it has this time."""

    def page(request: BaseHTTPRequestHandler) -> None:
        made = str(len(server.requests))
        items = [item(f"{n}-{made}", f"Un article, le {n}") for n in range(3)]
        body = at_home(server, *items)
        request.send_response(200)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    feed = server.route("/rss", handler=page)
    world = World(configure(tmp_path, {"Le Jour": feed}), [])
    run.cycle(world.desk, NOW)
    (line,) = world.backfill()

    assert (line.stopped, line.new_entries) == ("none", 0)


def test_archives_in_a_circle_are_left(tmp_path: Path, server: Server) -> None:
    """Each is read once."""

    def atom(name: str, older: str) -> str:
        text = (
            "<feed xmlns='http://www.w3.org/2005/Atom'><title>a</title>"
            f"<id>tag:a.example,2020:{name}</id><link rel='prev-archive' "
            f"href='{older}'/><updated>2020-02-14T08:00:00Z</updated><entry>"
            f"<id>tag:a.example,2020:e{name}</id><title>Un {name}</title>"
            f"<link href='https://a.example/{name}'/><updated>2020-02-14T08:00:00Z"
            "</updated></entry></feed>"
        )
        return server.route(f"/{name}", body=text.encode())

    feed = atom("live", "/a")
    atom("a", "/b")
    atom("b", "/a")
    world = World(configure(tmp_path, {"A": feed}), [])
    run.cycle(world.desk, NOW)
    (line,) = world.backfill()

    assert (line.stopped, line.new_entries) == ("repeats", 2)
    assert [one.path for one in server.requests].count("/a") == 1


def test_sitemaps_that_cannot_be_read_are_told_and_the_others_read(
    tmp_path: Path,
) -> None:
    """One that is gone is no reason to miss what stands in others."""
    with served(Past("sitemaps", 100, 10)) as one:
        world = follow(tmp_path, [one])
        one.broken["/news-3.xml"] = (404, {})
        (line,) = world.backfill()

    assert (line.stopped, line.unread, line.unread_reason) == (
        "complete",
        1,
        "http 404",
    )
    assert line.new_entries == 100 - LIVE - 10


def test_feeds_of_one_outlet_share_a_budget_and_their_sitemaps(tmp_path: Path) -> None:
    """What one of them has read of a sitemap the other does not ask for."""
    with served(Past("sitemaps", 100, 10)) as one:
        world = follow(tmp_path, [one])
        text = world.path.read_text("utf-8")
        both = f'["{one.feed}", "{one.feed}?format=rss"]'
        world.path.write_text(text.replace(f'"{one.feed}"', both), "utf-8")
        run.cycle(world.desk, NOW + timedelta(hours=1), everything=True)
        one.asked.clear()
        first, second = world.backfill(requests=8)
        made = len(one.asked)
        lines = world.backfill()

    assert (made, first.requests, second.requests) == (8, 8, 0)
    assert (first.stopped, second.stopped) == ("requests", "requests")
    assert [line.stopped for line in lines] == ["complete", "complete"]
    assert sum("news" in target for target in one.asked) == 10


def test_of_the_sitemap_of_a_shared_host_each_takes_its_own(
    tmp_path: Path, server: Server
) -> None:
    """By the folders of addresses; a homepage that is a folder holds all."""
    names = ["/a/2020/un-article-de-a", "/b/2020/un-article-de-b", "/c/2020/un-de-c"]
    urls = "".join(f"<url><loc>{server.url(name)}</loc></url>" for name in names)
    plan = f"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{urls}"
    server.route("/plan.xml", body=f"{plan}</urlset>".encode())
    server.route("/robots.txt", body=f"Sitemap: {server.url('/plan.xml')}".encode())
    feeds = {
        name: server.route(
            f"/{name}/feed", body=at_home(server, item(name, "Rien de neuf ici"))
        )
        for name in "ab"
    }
    path = configure(tmp_path, feeds)
    text = path.read_text("utf-8")
    home = f'{{ url = "{feeds["b"]}", homepage = "{server.url("/b/")}" }}'
    path.write_text(text.replace(f'"{feeds["b"]}"', home), "utf-8")
    world = World(path, [])
    run.cycle(world.desk, NOW)
    world.backfill()
    brought = world.rows(
        "SELECT f.outlet, e.url FROM entries e JOIN feeds f ON f.id = e.feed "
        "WHERE e.backfilled ORDER BY 1, 2"
    )

    assert ("b", server.url(names[1])) in brought
    assert ("a", server.url(names[0])) in brought
    assert ("a", server.url(names[1])) not in brought
    assert [outlet for outlet, _ in brought].count("b") == 1


def test_a_long_sitemap_is_read_in_parts(tmp_path: Path, server: Server) -> None:
    """Packed or not; a part is asked for again, and its entries are recorded once."""
    urls = "".join(
        f"<url><loc>https://jour.example/un-long-article/{n}</loc></url>"
        for n in range(10_020)
    )
    plan = f"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{urls}"
    packed = gzip.compress(f"{plan}</urlset>".encode())
    server.route("/plan.xml.gz", body=packed)
    server.route("/broken.xml.gz", body=packed[:2] + b"nothing of the kind")
    named = "".join(f"Sitemap: {server.url(n)}\n" for n in ("/broken.xml.gz",))
    named += f"Sitemap: {server.url('/plan.xml.gz')}\n"
    server.route("/robots.txt", body=named.encode())
    feed = server.route(
        "/rss", body=at_home(server, item("z", "Tout autre chose, ce matin"))
    )
    world = World(configure(tmp_path, {"Le Jour": feed}), [])
    run.cycle(world.desk, NOW)
    (line,) = world.backfill()

    assert (line.stopped, line.new_entries) == ("complete", 10_020)
    assert [one.path for one in server.requests].count("/plan.xml.gz") == 2
    assert line.unread_reason == "a gzip file that cannot be read"


def test_of_a_document_longer_than_may_be_read_the_rest_is_told(
    tmp_path: Path,
) -> None:
    """As many entries as polling.max_entries are kept, and it goes on."""
    with served(Past("archives", 200, 100)) as one:
        world = follow(tmp_path, [one], extra="max_entries = 60")
        (line,) = world.backfill()

    assert (line.stopped, line.unread) == ("complete", 2)
    assert line.unread_reason == "over 60 entries (polling.max_entries)"
    assert line.new_entries == 2 * 60 - LIVE


# ── what is made of it ────────────────────────────────────────────────────────────────


def test_the_brake_lets_pass_what_backfill_brings_but_no_edit(tmp_path: Path) -> None:
    """Nor what an edit finds in it later."""
    with served(Past("wordpress", 1500, 100)) as one:
        world = follow(tmp_path, [one])
        edited = world.path.read_text("utf-8")
        world.backfill()
    published = [s for s in world.stories() if s.state is State.PUBLISHED]
    line = 'match = ["travailleurs du clic"'
    world.path.write_text(edited.replace(line, f'{line}, "petites mains"'), "utf-8")
    bulletin.republish(world.desk, NOW + DAY)
    held = [s for s in world.stories() if s.held]

    assert len(published) == 30
    assert not any(story.held for story in published)
    assert len(held) == 30


def test_backfill_of_a_topic_just_added_is_not_braked(tmp_path: Path) -> None:
    """What the edit finds in the history is settled first, and told apart."""
    with served(Past("wordpress", 250, 50)) as one:
        world = follow(tmp_path, [one])
        text = world.path.read_text("utf-8")
        topic = '[[topics]]\nid = "conseil"\ntitle = "x"\nmatch = ["épisode"]\n'
        world.path.write_text(text.replace("[outlets]", f"{topic}[outlets]"), "utf-8")
        world.backfill()

    found = world.stories()

    assert sum("conseil" in story.held for story in found) == 50
    assert (
        sum(
            story.state is State.PUBLISHED and "conseil" in story.topics
            for story in found
        )
        == 200
    )


def test_the_rhythm_of_a_feed_is_that_of_its_polls(tmp_path: Path) -> None:
    """What backfill brings changes neither when it is asked nor what is told of it."""
    (tmp_path / "one").mkdir()
    with served(Past("wordpress", 300, 10)) as one:
        world = follow(tmp_path / "one", [one])
        other = World(copied(tmp_path / "one", tmp_path / "other"), [one])
        other.backfill()
        for each in (world, other):
            run.cycle(each.desk, NOW + DAY, everything=True)

    assert world.live() == other.live()
    assert other.rows("SELECT count(*) FROM gaps") == [(0,)]
    assert other.rows("SELECT count(*) FROM entries") == [(300,)]


def test_a_copy_from_the_past_is_no_news_of_its_story(
    tmp_path: Path, server: Server
) -> None:
    """A published story gains it, keeps its id and date, and does not move up."""
    title = "« Invisibles », ou la vie des travailleurs du clic"
    text = "Un documentaire en quatre épisodes suit celles et ceux qui trient tout."
    live = at_home(server, item("z", "Tout autre chose, ce matin"))
    archive = at_home(server, item("a", title, text))
    older = b"<link rel='next' xmlns='http://www.w3.org/2005/Atom' href='/old'/><item>"
    outlets = {
        "Le Soir": server.route(
            "/soir", body=at_home(server, item("b", title, text, host="s.fr"))
        ),
        "Le Jour": server.route("/jour", body=live.replace(b"<item>", older, 1)),
    }
    server.route("/old", body=archive)
    world = World(configure(tmp_path, outlets), [])
    run.cycle(world.desk, NOW)
    before = {s.short: (s.added_at, s.updated_at, s.live) for s in world.stories()}
    world.backfill(NOW + 3 * DAY)
    after = {s.short: (s.added_at, s.updated_at, s.live) for s in world.stories()}

    assert before == after
    assert [len(story.copies) for story in world.stories()] == [2]


def test_what_a_feed_lists_again_after_a_backfill_is_known(wordpress: World) -> None:
    """It is the same entry, no news of its story, and its feed's from then on."""
    (one,) = wordpress.pasts
    wordpress.backfill()
    before = {(s.short, s.added_at, s.live) for s in wordpress.stories()}
    one.page = 60
    for hour in range(1, 3):
        at = NOW + timedelta(hours=hour)
        report = run.cycle(wordpress.desk, at, everything=True)

    assert {(s.short, s.added_at, s.live) for s in wordpress.stories()} == before
    assert wordpress.rows("SELECT count(*), sum(backfilled) FROM entries") == [
        (120, 60)
    ]
    assert (report.new_entries, report.unchanged) == (0, 1)


def test_a_text_that_was_forgotten_is_read_again(wordpress: World) -> None:
    """So that a topic added since finds what once left its feed unnoticed."""
    wordpress.backfill()
    run.cycle(wordpress.desk, NOW + 400 * DAY)
    kept = wordpress.rows("SELECT count(*) FROM entries")
    (line,) = wordpress.backfill(NOW + 400 * DAY, again=True)

    assert kept[0][0] < 20
    assert line.new_entries == 120 - kept[0][0]
    assert wordpress.rows("SELECT count(*) FROM entries") == [(120,)]


def test_a_sitemap_without_titles_is_in_doubt_until_pages_tell(
    tmp_path: Path, server: Server
) -> None:
    """Words of the address stand in; the page gives the title, and settles it."""
    names = {
        "les-travailleurs-du-clic-40312": "Les travailleurs du clic",
        "la-meteo-de-demain-matin": "La météo",
    }
    urls = "".join(
        f"<url><loc>{server.url(f'/2020/{name}.html')}</loc>"
        "<lastmod>2020-02-14</lastmod></url>"
        for name in names
    )
    plan = f"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{urls}"
    server.route("/plan.xml", body=f"{plan}</urlset>".encode())
    told = f"Sitemap: {server.url('/plan.xml')}\n"
    server.route("/robots.txt", body=told.encode())
    for name, title in names.items():
        text = f"<p>{'Un long article, phrase après phrase, sans fin. ' * 60}</p>"
        page = f"<title>{title}</title><meta property='og:title' content='{title}'>"
        body = f"<html><head>{page}</head><body><article>{title}. {text}</article>"
        html = {"Content-Type": "text/html; charset=utf-8"}
        server.route(f"/2020/{name}.html", body=body.encode(), headers=html)
    feed = server.route(
        "/rss", body=at_home(server, item("z", "Tout autre chose, ce matin"))
    )
    world = World(configure(tmp_path, {"Le Jour": feed}), [])
    run.cycle(world.desk, NOW)
    (line,) = world.backfill()
    before = [(story.title, story.state) for story in world.stories()]
    run.cycle(world.desk, NOW + timedelta(hours=1))
    after = [(story.title, story.state, story.live) for story in world.stories()]

    assert (line.way, line.new_entries, line.doubtful) == ("sitemap", 2, 1)
    assert before == [("les travailleurs du clic", State.WAITING)]
    assert after == [("Les travailleurs du clic", State.PUBLISHED, False)]


def test_another_aggregator_backfills_what_we_publish(tmp_path: Path) -> None:
    """Every story that we published, from the archives of our folder."""
    public = tmp_path / "ours" / "public"
    public.mkdir(parents=True)
    files = partial(SimpleHTTPRequestHandler, directory=str(public))

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

    silent = type("Silent", (files.func,), {"log_message": lambda *_: None})
    with (
        served(Past("wordpress", 1000, 100)) as one,
        Quiet(("127.0.0.1", 0), partial(silent, directory=str(public))) as server,
    ):
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        root = f"http://127.0.0.1:{server.server_address[1]}/"
        try:
            ours = follow(tmp_path / "ours", [one])
            text = ours.path.read_text("utf-8")
            text = text.replace("https://presse.invalid/revue/", root)
            ours.path.write_text(text, "utf-8")
            ours.backfill()
            (tmp_path / "theirs").mkdir()
            feed = {"La revue": f"{root}feed.atom"}
            theirs = World(configure(tmp_path / "theirs", feed), [])
            run.cycle(theirs.desk, NOW)
            (line,) = theirs.backfill()
        finally:
            server.shutdown()
            thread.join()
    told = {s.url for s in ours.stories() if s.state is State.PUBLISHED}
    read = {url for (url,) in theirs.rows("SELECT url FROM entries")}

    assert len(told) == 20
    assert (line.way, line.stopped) == ("archive", "complete")
    assert read == told


def test_after_the_database_is_lost_nothing_is_published_anew(wordpress: World) -> None:
    """A backfill of what came back changes no byte, and doubles nothing."""
    wordpress.backfill()
    before = contents(wordpress.path.parent)
    for file in wordpress.path.parent.glob("aggregator.db*"):
        file.unlink()
    run.cycle(wordpress.desk, NOW, everything=True)
    (line,) = wordpress.backfill()

    assert line.stopped == "complete"
    assert wordpress.rows("SELECT count(*) FROM entries") == [(120,)]
    assert contents(wordpress.path.parent) == before


# ── the command ───────────────────────────────────────────────────────────────────────


def command_line(world: World, *words: str) -> tuple[int, str, str]:
    """Run the command in this process; return its status, data and words."""
    given = ["--config", str(world.path), "backfill", *words]
    done = CliRunner().invoke(main, given, env={"SOURCE_DATE_EPOCH": EPOCH})
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Go back to the folder that the tests began in."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("_here")
def test_the_report_says_what_came_and_why_it_stopped(wordpress: World) -> None:
    """A row for each feed; what follows from it goes to stderr."""
    status, data, words = command_line(wordpress, "wordpress", "--requests", "6")
    _, rest, _ = command_line(wordpress, "--since", "2026-10")
    _, plain, _ = command_line(wordpress, "--json")
    (line,) = json.loads(plain)

    assert status == 0
    assert data.splitlines()[1].split()[:6] == [
        *("wordpress", "?paged=N", "6", "40", "40", "1"),
    ]
    assert "requests spent; the next call goes on" in data
    assert "complete back to 2026-10-01" in rest
    assert "1 mention in older entries" in words
    assert (line["way"], line["stopped"], line["failure"]) == (
        "wordpress",
        "complete",
        "",
    )


@pytest.mark.usefixtures("_here")
def test_wrong_words_are_one_line_and_ask_nobody(wordpress: World) -> None:
    """An outlet that is not there, a date that is none."""
    for words in (("Wordpres",), ("--since", "hier"), ("--requests", "0")):
        status, data, said = command_line(wordpress, *words)

        assert (status, data) == (2, "")
        assert "Error: " in said
    assert wordpress.pasts[0].asked == []


@pytest.mark.usefixtures("_here")
def test_an_outlet_that_was_never_polled_is_told(tmp_path: Path) -> None:
    """What it lists now is for a poll to bring, as news."""
    world = World(configure(tmp_path, {"Le Jour": "http://127.0.0.1:9/rss"}), [])
    status, data, _ = command_line(world)

    assert status == 0
    assert "not polled yet; `aggregator run` does that" in data


@pytest.mark.usefixtures("_here")
def test_why_says_that_only_backfill_knows_an_article(wordpress: World) -> None:
    """Its feed is not known to have listed it."""
    wordpress.backfill()
    words = ["--config", str(wordpress.path), "why", wordpress.pasts[0].url(50)]
    told = CliRunner().invoke(main, words, env={"SOURCE_DATE_EPOCH": EPOCH}).stdout

    assert "brought by `aggregator backfill` on 2026-11-23" in told
    assert "added on 2026-10-29" in told
