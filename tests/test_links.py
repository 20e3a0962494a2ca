"""Links that only lead elsewhere: followed once, and what is known of an article then.

The server plays the proxy of a whole little Internet, as in test_wave.
"""

from __future__ import annotations

import json
from datetime import timedelta
from http.server import BaseHTTPRequestHandler

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_wave import DAY, DOUBT, HTML, NOW, World, _children, gazette, read, world
from worlds import aggregator, contents, item

from aggregator.urls import opaque

__all__ = ["_children", "world"]

TITLE = "Les travailleurs du clic"
TARGET = "https://soir.example/2020/clic"
MINUTES = timedelta(minutes=1)


def short(slug: str, title: str = TITLE, **how: str) -> str:
    """Return an item whose link is a shortener's."""
    return item(slug, title, host="t.co", **how)


def leads(world: World, path: str, target: str, status: int = 301) -> None:
    """Have an address lead to a target."""
    world.server.route(path, status, headers={"Location": target})


def links(world: World) -> dict[str, tuple[object, ...]]:
    """Return what is known of each link, by the end of its address."""
    rows = world.rows("SELECT url, target, reason, tries FROM links ORDER BY url")
    return {str(row[0]).rpartition("/")[2]: row[1:] for row in rows}


def published(world: World) -> list[str]:
    """Return where the published stories lead."""
    folder = world.desk.config.storage.output
    feed = json.loads((folder / "all" / "feed.json").read_bytes())
    return sorted(one["url"] for one in feed["items"])


def test_a_story_leads_to_the_outlet_and_is_asked_for_once(world: World) -> None:
    """Through several redirects; the article itself is not asked for."""
    leads(world, "/a", "http://bit.ly/b", 302)
    leads(world, "/b", f"{TARGET}?utm_source=twitter")
    world.feed("gazette", short("a"), gazette("autre", "Rien à voir"))
    world.feed("jour", short("a"))
    world.cycle()
    world.cycle(NOW + DAY)

    assert links(world) == {"a": (f"{TARGET}?utm_source=twitter", "", 1)}
    assert [path for path in world.asked() if "soir.example" in path] == []
    assert world.asked().count("t.co/a") == 1
    assert world.asked().count("bit.ly/b") == 1
    assert published(world) == [f"{TARGET}?utm_source=twitter"]


def test_an_article_is_one_story_however_it_is_reached(world: World) -> None:
    """By its own address in one feed, by a short one in another, in any later cycle."""
    leads(world, "/a", TARGET)
    leads(world, "/b", TARGET.replace("https://", "http://m."))
    world.feed("jour", item("clic", TITLE, host="soir.example/2020"))
    world.cycle()
    (before,) = world.stories.values()
    world.feed("gazette", short("a", "Un autre titre sur les travailleurs du clic"))
    world.cycle(NOW + 10 * MINUTES)
    world.feed("gazette", short("b", "Travailleurs du clic, le retour"))
    world.cycle(NOW + 20 * MINUTES)
    (after,) = world.stories.values()

    assert after.short == before.short
    assert after.url == before.url
    assert {copy.outlet for copy in after.copies} == {"Le Jour", "La Gazette"}


def test_what_a_feed_changes_later_keeps_its_target(world: World) -> None:
    """An entry retitled, or listed anew by another feed, is known by its target."""
    leads(world, "/a", TARGET)
    world.feed("gazette", short("a"))
    world.cycle()
    world.feed("gazette", short("a", "Les travailleurs du clic, enfin"))
    world.feed("jour", short("a"))
    world.cycle(NOW + 10 * MINUTES)

    (story,) = world.stories.values()
    assert story.url == TARGET
    assert story.title == "Les travailleurs du clic, enfin"
    assert world.asked().count("t.co/a") == 1


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("https://soir.example/", "redirect to a home page"),
        ("https://about.t.co/links", "another page of the same service"),
        ("https://consent.google.com/m?continue=x", "redirect to a wall"),
        ("https://soir.example/login?next=%2Fa", "redirect to a wall"),
        ("http://169.254.169.254/latest", "redirect to no public address"),
        ("http://intranet/clic", "redirect to no public address"),
        ("http://t.co/b", "redirect loop"),
        ("http://bit.ly/page", "answers with a page of its own"),
        ("http://bit.ly/absente", "http 404"),
    ],
)
def test_a_link_that_leads_to_no_article_is_left_as_it_is(
    world: World, target: str, why: str
) -> None:
    """It is published with its own address, tried twice more, and told by `why`."""
    leads(world, "/a", target)
    leads(world, "/b", "http://t.co/a")
    world.server.route("/page", body=b"<p>Merci de patienter", headers=HTML)
    world.feed("gazette", short("a"))
    counts = []
    for minutes in (0, 1, 10, 24 * 60 + 20, 3 * 24 * 60, 30 * 24 * 60):
        world.cycle(NOW + minutes * MINUTES)
        counts.append(world.asked().count("t.co/a"))

    assert why in str(links(world)["a"][1])
    assert counts == [1, 1, 2, 3, 3, 3]
    assert published(world) == ["http://t.co/a"]
    told = aggregator(world.desk.config.source, "why", "http://t.co/a").stdout
    assert "where its link leads could not be found out" in told
    assert why in told


def test_a_link_that_works_again_is_mended(world: World) -> None:
    """The story keeps its id, and leads to the outlet from then on."""
    world.server.route("/a", 500)
    world.feed("gazette", short("a"))
    world.cycle()
    (before,) = world.stories.values()
    leads(world, "/a", TARGET)
    world.cycle(NOW + 10 * MINUTES)
    (after,) = world.stories.values()

    assert before.url == "http://t.co/a"
    assert (after.short, after.url) == (before.short, TARGET)
    told = aggregator(world.desk.config.source, "why", "http://t.co/a").stdout
    assert "its link https://t.co/a led there" in told


def test_a_decision_on_the_link_holds(world: World) -> None:
    """It was taken before anybody knew where the link leads."""
    world.server.route("/a", 500)
    world.feed("gazette", short("a"))
    world.cycle()
    config = world.desk.config
    aggregator(config.source, "hide", "http://t.co/a")
    leads(world, "/a", TARGET)
    world.desk = read(config.source)
    world.cycle(NOW + 10 * MINUTES)

    assert set(world.states().values()) == {"hidden"}
    assert "clic" in world.states()
    assert "names no story" not in aggregator(config.source, "check").stderr


def test_only_what_is_mentioned_is_followed(world: World) -> None:
    """Not what nothing was found in; with `articles = "all"` it may be in the page."""
    for name in ("a", "b", "c"):
        leads(world, f"/{name}", f"http://soir.example/{name}")
        world.page("article")
    world.feed("gazette", short("a", "Rien à voir"), short("b", DOUBT))
    world.feed("jour", short("c", "Rien non plus"))
    world.cycle()

    assert set(links(world)) == {"b", "c"}
    assert "t.co/robots.txt" not in world.asked()


def test_the_page_is_read_where_the_link_leads(world: World) -> None:
    """Under the rules of its own host; a link that fails is not read as an article."""
    world.page("article")
    leads(world, "/a", "http://soir.example/article")
    world.server.route("/b", body=b"<p>Les travailleurs du clic" * 200, headers=HTML)
    world.feed("gazette", short("a", DOUBT), short("b", f"{DOUBT} de la couture"))
    world.cycle()

    assert "soir.example/robots.txt" in world.asked()
    assert world.states() == {"article": "published", "b": "waiting"}


def test_a_pause_asked_for_by_the_shortener_is_kept(world: World) -> None:
    """Its other links wait too, and are followed then."""

    def busy(request: BaseHTTPRequestHandler) -> None:
        request.send_response(429)
        request.send_header("Retry-After", "1800")
        request.send_header("Content-Length", "0")
        request.end_headers()

    for name in ("a", "b"):
        world.server.route(f"/{name}", handler=busy)
    world.feed("gazette", short("a"), short("b", "Travailleurs du clic, le retour"))
    world.cycle()
    assert len([path for path in world.asked() if path.startswith("t.co")]) == 1

    for name in ("a", "b"):
        leads(world, f"/{name}", f"https://soir.example/2020/{name}")
    world.cycle(NOW + 10 * MINUTES)
    assert len([path for path in world.asked() if path.startswith("t.co")]) == 1

    world.cycle(NOW + 40 * MINUTES)
    world.cycle(NOW + 60 * MINUTES)
    assert {target for target, _, _ in links(world).values()} == {
        "https://soir.example/2020/a",
        "https://soir.example/2020/b",
    }


def test_following_twice_changes_nothing(world: World) -> None:
    """The published bytes are those of a cycle that was not done again."""
    leads(world, "/a", TARGET)
    world.feed("gazette", short("a"))
    world.cycle()
    folder = world.desk.config.storage.output
    before = contents(folder)
    world.cycle(NOW + 10 * MINUTES)

    assert contents(folder) == before


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://t.co/abc", True),
        ("http://www.bit.ly/abc", True),
        ("https://t.co/", False),
        ("https://feeds.feedburner.com/slate", False),
        ("https://feeds.feedburner.com/~r/slate/~3/x/", True),
        ("https://news.google.com/rss/articles/CBMiUkFVX3lxTE0?oc=5", True),
        ("https://news.google.com/topstories", False),
        ("https://www.google.com/url?q=https://t.co/abc", True),
        ("https://www.slate.fr/story/1", False),
        ("https://not.t.co/abc", False),
        ("mailto:t.co/abc", False),
    ],
)
def test_links_that_lead_elsewhere_are_known(url: str, *, told: bool) -> None:
    """By their host, and where that has other pages too by their path."""
    assert opaque(url) is told


@given(st.text())
def test_any_text_may_be_asked_for(url: str) -> None:
    """Addresses of outlets are whatever they are."""
    assert opaque(url) in (True, False)
