"""Links that do not say where they lead, in whole cycles over real HTTP.

The little Internet is that of `test_wave`; t.co, bit.ly and ow.ly are in it.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from itertools import permutations
from pathlib import Path

import pytest
import test_wave
from hypothesis import given
from hypothesis import strategies as st
from test_joining import a_member
from test_wave import DAY, DOUBT, HOUR, HTML, MINUTE, NOW, World
from worlds import aggregator, command, contents, database, environment, item

from aggregator import engine, run, sandbox
from aggregator.desk import queue
from aggregator.model import Failure, Link, PageTask, Polling, State
from aggregator.store import Store, links
from aggregator.stories import place
from aggregator.urls import canonical, home, nowhere, opaque, unwrapped

world = test_wave.world
TITLE = "Les travailleurs du clic témoignent"
TARGET = "http://jour.example/clic?utm_source=twitter"


@pytest.fixture(scope="module", autouse=True)
def _children() -> Iterator[None]:
    """End the children after the last test here."""
    yield
    sandbox.close()


def wrapped(slug: str, title: str = TITLE, host: str = "t.co", **how: str) -> str:
    """Return an item whose link is a redirector's."""
    return item(slug, title, host=host, **how)


def leads(world: World, slug: str, target: str, status: int = 301) -> None:
    """Have a redirector lead somewhere."""
    world.server.route(f"/{slug}", status, headers={"Location": target})


def tries(world: World) -> dict[str, tuple[object, ...]]:
    """Return by slug where each link leads, why not, and how often it was tried."""
    rows = world.rows("SELECT url, target, reason, tries FROM links ORDER BY url")
    return {str(url).rpartition("/")[2]: tuple(rest) for url, *rest in rows}


# ── which addresses ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "url",
    [
        "https://t.co/AbC",
        "http://www.bit.ly/3x",
        "http://feedproxy.google.com/~r/jour/~3/x1/",
        "http://feeds.feedburner.com/~r/jour/~3/x1/",
        "https://news.google.com/rss/articles/CBMiAU_yqLOpaque?oc=5",
        "https://gazette.us1.list-manage.com/track/click?u=1&id=2",
        "https://ebx.sh/abc",
    ],
)
def test_redirectors_that_keep_their_target_to_themselves_are_known(url: str) -> None:
    """Shorteners, tickers of feeds, newsletters and Google News since 2024."""
    assert opaque(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://t.co/",
        "https://jour.example/t.co/AbC",
        "https://t.co.jour.example/AbC",
        "https://www.google.com/url?q=https://jour.example/a",
        "https://feeds.feedburner.com/jour",
        "https://news.google.com/search?q=clic",
        "https://youtu.be/abcdefgh",
    ],
)
def test_other_addresses_are_no_redirectors(url: str) -> None:
    """Neither an outlet's, nor a feed's, nor one that carries its target."""
    assert not opaque(url)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://jour.example", "redirect to a home page"),
        ("https://jour.example/?utm_source=x", "redirect to a home page"),
        ("https://jour.example/fr/", "redirect to a home page"),
        ("https://jour.example/index.html", "redirect to a home page"),
        ("https://consent.google.com/m?continue=x", "no article"),
        ("https://accounts.jour.example/o?next=/clic", "no article"),
        ("https://jour.example/login?next=/clic", "no article"),
        ("https://jour.example/compte/connexion", "no article"),
        ("https://jour.example/404.html", "no article"),
        ("https://jour.example/monde/le-clic", ""),
        ("https://jour.example/?p=12", ""),
        ("https://jour.example/consentement-et-clic", ""),
        ("https://about.t.co/clic", "same service"),
        ("http://169.254.169.254/clic", "no public address"),
        ("http://[::1]/clic", "no public address"),
        ("http://intranet/clic", "no public address"),
    ],
)
def test_what_leads_to_no_article_is_told(url: str, why: str) -> None:
    """Home pages, walls and pages that say that there is none."""
    assert bool(nowhere(url, "https://t.co/a")) == bool(why)
    assert why in nowhere(url, "https://t.co/a")


@given(
    st.text(max_size=60)
    | st.text("%=&?/:.aU~r", max_size=40).map("https://t.co/".__add__)
)
def test_no_address_is_too_strange(url: str) -> None:
    """What is opaque carries no target, and no home page is taken for an article."""
    if opaque(url):
        assert unwrapped(url) == url
    if key := canonical(url):
        assert nowhere(url) == nowhere(key)
        assert nowhere(url) or not home(key)


# ── what a link shows ─────────────────────────────────────────────────────────────────


def test_a_link_is_followed_once_to_where_it_leads(world: World) -> None:
    """Through several redirectors; the outlet is not asked, nor any robots.txt."""
    world.configured("[polling]", '[matching]\narticles = "none"\n[polling]')
    leads(world, "a1", "http://bit.ly/b2")
    leads(world, "b2", "http://www.google.com/url?q=" + TARGET, 302)
    world.feed("gazette", wrapped("a1"))
    world.cycle()
    (story,) = world.stories.values()
    asked = world.asked()
    world.feed("gazette", wrapped("a1", TITLE + " enfin"))
    world.feed("jour", wrapped("a1"))
    world.cycle(NOW + HOUR)
    files = contents(world.desk.config.source.parent)

    assert story.url == TARGET
    assert asked == world.asked() == ["t.co/a1", "bit.ly/b2"]
    assert len(world.stories) == 1
    assert TARGET.encode() in files["feed.json"]
    assert b"t.co" not in files["feed.json"]


def test_only_links_of_mentions_are_followed(world: World) -> None:
    """Not of what nobody looks for, unless its article may have it, nor of `never`."""
    for slug in ("a1", "b1", "c1", "d1", "e1"):
        leads(world, slug, f"http://jour.example/{slug}")
    world.feed(
        "gazette",
        wrapped("a1"),
        wrapped("b1", DOUBT),
        wrapped("c1", "La météo"),
        wrapped("d1", DOUBT + " de Masiero"),
    )
    world.feed("jour", wrapped("e1", "La météo, encore"))
    world.cycle()

    assert set(tries(world)) == {"a1", "b1", "e1"}


def test_what_a_redirector_shows_itself_is_no_article(world: World) -> None:
    """A page of its own settles no doubt, whatever stands there."""
    world.page("article")
    world.feed("gazette", wrapped("article", DOUBT))
    world.cycle()

    assert world.states() == {"article": "waiting"}
    assert world.asked() == ["t.co/article"]


@pytest.mark.parametrize("first", ["jour", "gazette", "both"])
def test_a_link_joins_the_article_it_leads_to(world: World, first: str) -> None:
    """Whichever feed was first; the published story keeps its id and its link."""
    leads(world, "a1", TARGET)
    items = {
        "jour": item("clic", "Un tout autre titre : livreurs", host="jour.example"),
        "gazette": wrapped("a1"),
    }
    for host in items if first == "both" else [first]:
        world.feed(host, items[host])
    world.cycle()
    before = {story.short for story in world.stories.values()}
    for host, one in items.items():
        world.feed(host, one)
    world.cycle(NOW + HOUR)
    (story,) = world.stories.values()

    assert before == {story.short}
    assert sorted(copy.reason for copy in story.copies) == [
        "",
        "same URL behind a link",
    ]
    assert canonical(story.url) == canonical(TARGET)


def test_a_page_is_asked_for_where_its_link_leads(world: World) -> None:
    """The redirector is not asked a second time."""
    world.page("banniere")
    leads(world, "a1", "http://jour.example/banniere")
    world.feed("gazette", wrapped("a1", DOUBT))
    world.cycle()

    assert world.states() == {"banniere": "published"}
    assert world.asked() == [
        "t.co/a1",
        "jour.example/robots.txt",
        "jour.example/banniere",
    ]


def test_decisions_by_either_address_hold(world: World) -> None:
    """What was decided by the feed's link, or by the outlet's address."""
    for slug in ("a1", "b1"):
        leads(world, slug, f"http://jour.example/clic-{slug}")
    other = "Des livreurs parlent"
    world.feed("gazette", wrapped("a1"), wrapped("b1", other))
    world.cycle()
    path = world.desk.config.source
    for url in ("http://t.co/a1", "http://jour.example/clic-b1"):
        aggregator(path, "hide", url)
    world.desk = test_wave.read(path)
    world.cycle()
    checked = aggregator(path, "check")
    told = aggregator(path, "why", "http://jour.example/clic-a1")

    assert world.states() == {"clic-a1": "hidden", "clic-b1": "hidden"}
    assert "names no story" not in checked.stderr
    link = "its link in the feed, http://t.co/a1, leads to http://jour.example/clic-a1"
    assert link in told.stdout


# ── what goes wrong ───────────────────────────────────────────────────────────────────


def test_what_leads_to_no_article_is_a_failure(world: World) -> None:
    """Two that end at one home page or wall are two stories, under their own links."""
    ends = {
        "a1": "http://jour.example/",
        "a2": "http://jour.example/",
        "b1": "http://consent.google.com/m",
        "b2": "http://consent.google.com/m",
        "c1": "http://t.co/c1",
        "d1": "ftp://jour.example/clic",
    }
    for slug, target in ends.items():
        leads(world, slug, target)
    world.server.route("/e1", body=b"<script>go()</script>", headers=HTML)
    titles = {
        slug: f"{word} : les travailleurs du clic"
        for slug, word in zip(
            (*ends, "e1", "f1"),
            "Amiens Brest Calais Dijon Évry Fréjus Gap Hyères".split(),
            strict=True,
        )
    }
    world.feed("gazette", *(wrapped(slug, title) for slug, title in titles.items()))
    world.cycle()

    assert {slug: reason for slug, (_, reason, _) in tries(world).items()} == {
        "a1": "redirect to a home page",
        "a2": "redirect to a home page",
        "b1": "redirect to a page that is no article",
        "b2": "redirect to a page that is no article",
        "c1": "redirect loop",
        "d1": "redirect to no web address",
        "e1": "leads nowhere by itself",
        "f1": "http 404",
    }
    assert world.states() == dict.fromkeys(titles, "published")


def test_a_failed_link_is_tried_twice_more(world: World) -> None:
    """After the shortest pause between two polls, a day later, and then no more."""
    world.feed("gazette", wrapped("a1"))
    steps = [timedelta(0), 5 * MINUTE, HOUR, 2 * HOUR, HOUR + DAY, 9 * DAY]
    counts = []
    for step in steps:
        world.cycle(NOW + step)
        counts.append(len(world.asked()))
    told = aggregator(world.desk.config.source, "why", "http://t.co/a1")

    assert counts == [1, 1, 2, 2, 3, 3]
    assert "where its link leads is not known (2026-11-24 14:00, tried 3 times): " in (
        told.stdout
    )
    assert "http 404" in told.stdout


def test_what_a_link_shows_late_is_suggested(world: World) -> None:
    """Both stories are published: they keep their ids, and the maintainer is asked."""
    world.feed("jour", item("clic", "Ce que gagnent des livreurs", host="jour.example"))
    world.feed("gazette", wrapped("a1"))
    world.cycle()
    before = {story.short for story in world.stories.values()}
    leads(world, "a1", TARGET)
    world.cycle(NOW + HOUR)
    with Store(world.desk.config.storage.database) as store:
        _, (one,) = queue(store, world.desk, State.WAITING, NOW + HOUR)

    assert {story.short for story in world.stories.values()} == before
    assert {one.story.short, one.other.short} == before
    assert one.reason == "same URL behind a link"
    assert {canonical(one.story.url), canonical(one.other.url)} == {canonical(TARGET)}


def test_a_redirector_that_wants_a_pause_has_it(world: World) -> None:
    """Its other links wait, and are not failures."""
    world.server.route("/a1", 429, headers={"Retry-After": "7200"})
    leads(world, "b1", TARGET)
    at = [format_datetime(NOW - n * HOUR) for n in range(2)]
    first, second = "Des livreurs", "Les travailleurs du clic"
    world.feed("gazette", wrapped("a1", first, date=at[0]))
    world.cycle()
    world.feed(
        "gazette", wrapped("a1", first, date=at[0]), wrapped("b1", second, date=at[1])
    )
    world.cycle(NOW + HOUR)
    before = world.asked()
    leads(world, "a1", "http://jour.example/livreurs")
    world.cycle(NOW + 3 * HOUR)

    assert before == ["t.co/a1"]
    assert tries(world)["b1"] == (TARGET, "", 1)


# ── cycles ────────────────────────────────────────────────────────────────────────────


def test_links_left_when_the_time_is_over_are_followed_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is any followed by a cycle that is told to stop."""
    leads(world, "a1", TARGET)
    world.feed("gazette", wrapped("a1"))
    stop = threading.Event()
    with monkeypatch.context() as short:
        short.setattr("aggregator.wave.SECONDS", 0.0)
        world.cycle()
    stop.set()
    run.cycle(world.desk, NOW + MINUTE, everything=True, stop=stop)
    before = (world.asked(), tries(world), [one.url for one in world.stories.values()])
    world.cycle(NOW + HOUR)

    assert before == ([], {}, ["http://t.co/a1"])
    assert [one.url for one in world.stories.values()] == [TARGET]


def test_a_cycle_killed_among_its_links_is_completed(world: World) -> None:
    """What was followed is not asked again, and it ends as if nothing had happened."""
    hangs = threading.Event()

    def late(request: BaseHTTPRequestHandler) -> None:
        hangs.wait(60)
        request.send_response(301)
        request.send_header("Location", "http://jour.example/deux")
        request.end_headers()

    leads(world, "a1", TARGET)
    world.server.route("/b1", handler=late)
    world.feed(
        "gazette", wrapped("a1"), wrapped("b1", "Des livreurs parlent", host="ow.ly")
    )
    path = world.desk.config.source
    process = subprocess.Popen(
        command(path, "run", "--all"), env=environment(), stdout=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + 60
        while not followed(world) and time.monotonic() < until:
            threading.Event().wait(0.05)
    finally:
        process.kill()
        process.wait()
        hangs.set()
    before = followed(world)
    world.cycle()

    assert before == ["https://t.co/a1"]
    assert world.asked().count("t.co/a1") == 1
    assert followed(world) == ["https://ow.ly/b1", "https://t.co/a1"]
    assert {story.url for story in world.stories.values()} == {
        TARGET,
        "http://jour.example/deux",
    }


def followed(world: World) -> list[object]:
    """Return the links whose target is stored, [] before there is a database."""
    if not world.desk.config.storage.database.exists():
        return []
    try:
        rows = world.rows("SELECT url FROM links WHERE target != '' ORDER BY url")
    except Exception:  # noqa: BLE001 - it is being made
        return []
    return [url for (url,) in rows]


def test_the_order_in_which_links_land_changes_nothing(
    world: World, tmp_path: Path
) -> None:
    """Neither what is stored nor what is suggested, nor a published byte."""
    names = [("a1", "t.co"), ("b1", "ow.ly"), ("c1", "bit.ly")]
    titles = ["Des livreurs", "Les travailleurs du clic", "Ces livreurs à vélo"]
    world.feed(
        "gazette",
        *(wrapped(s, t, host=h) for (s, h), t in zip(names, titles, strict=True)),
    )
    world.cycle()
    path = world.desk.config.storage.database
    asleep = path.read_bytes()
    landed = [
        Link(f"https://{host}/{slug}", NOW, f"http://jour.example/{end}")
        for (slug, host), end in zip(names, ("clic", "clic", "velo"), strict=True)
    ]
    ends = []
    for order in permutations(landed):
        path.write_bytes(asleep)
        with Store(path) as store:
            for link in order:
                links.record(store, [link], Polling())
        world.cycle(NOW + MINUTE)
        ends.append((database(tmp_path), contents(tmp_path)))

    assert all(end == ends[0] for end in ends)
    assert len(ends[0][0]["suggestions"]) == 1


def test_a_fault_of_this_program_ends_no_other_link(world: World) -> None:
    """It is a value, and says where it was."""
    leads(world, "b1", TARGET)
    tasks = [
        PageTask("https://t.co/a1", "http://t.co/a1", None),  # type: ignore[arg-type]
        PageTask("https://t.co/b1", "http://t.co/b1", timedelta(seconds=5)),
    ]
    ((one, other),) = engine.links(tasks, world.desk.config, NOW, (), threading.Event())

    assert isinstance(one.failure, Failure)
    assert one.failure.kind == "ours"
    assert other.target == TARGET


# ── joining ───────────────────────────────────────────────────────────────────────────


def test_redirectors_alone_join_no_strangers() -> None:
    """Two links may be dead, and lead to one page that nobody foresaw."""
    one, other = (
        replace(
            a_member(n, url=f"https://t.co/{n}", title=title, summary=""),
            led="https://jour.example/offre-du-moment",
        )
        for n, title in enumerate(["Un titre", "Un autre sujet"])
    )
    alone = place([one, other], (), ())
    direct = a_member(3, url=one.led, title="Le titre du journal", summary="")
    joined = place([replace(one, title=direct.title), direct], (), ())

    assert [len(placed.suggestions) for placed in alone] == [0, 1]
    assert len({placed.story for placed in alone}) == 2
    assert len({placed.story for placed in joined}) == 1


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["", "x", "y"])),
        max_size=5,
    ).flatmap(lambda them: st.tuples(st.just(them), st.permutations(range(len(them)))))
)
def test_no_order_of_arrival_changes_what_links_join(
    drawn: tuple[list[tuple[str, str]], list[int]],
) -> None:
    """Within a cycle the same entries make the same stories."""
    them, order = drawn
    members = [
        replace(
            a_member(n, url=f"https://t.co/{name}", title=f"Titre {name}", summary=""),
            led=f"https://jour.example/{end}" if end else "",
        )
        for n, (name, end) in enumerate(them)
    ]
    placed = {p.entry: p for p in place(members, (), ())}
    again = {p.entry: p for p in place([members[n] for n in order], (), ())}

    assert placed == again
