"""The recorded outlets: real documents over real HTTP, and the facts they hold."""

from __future__ import annotations

import gzip
import http.client
import json
import re
import tomllib
from calendar import timegm
from collections.abc import Iterator
from html import unescape
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import feedparser
import pytest
from needs import shared

from aggregator.demo import MARKER, documents, prepare
from aggregator.demo.outlets import Publication, World, load, visible
from aggregator.model import AggregatorError

OUTLETS = load()
WORKING = [outlet for outlet in OUTLETS if outlet.status == 200]
BROKEN = [outlet for outlet in OUTLETS if outlet.status != 200]


class Reply(NamedTuple):
    """An answer, as it came over the wire."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


class Item(NamedTuple):
    """One entry of a feed, as a reader sees it."""

    key: str
    title: str
    link: str
    summary: str


def get(url: str, **headers: str) -> Reply:
    """GET without a client's own decoding, so that what is sent is what is seen."""
    host, _, path = url.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(host, timeout=5)
    try:
        asked = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("GET", "/" + path.partition("#")[0], headers=asked)
        reply = connection.getresponse()
        return Reply(reply.status, reply.headers, reply.read())
    finally:
        connection.close()


def parsed(body: bytes, kind: str) -> Any:
    """Return what feedparser makes of a document."""
    return feedparser.parse(BytesIO(body), response_headers={"content-type": kind})


def items(outlet: Publication, reply: Reply) -> list[Item]:
    """Return the entries of a feed, read by a reader that is not ours."""
    if outlet.format == "json":
        return [
            Item(x["id"], x["title"], x["url"], x["summary"])
            for x in json.loads(reply.body)["items"]
        ]
    return [
        Item(x.get("id", ""), x.title, x.link, x.summary)
        for x in parsed(reply.body, reply.headers["Content-Type"]).entries
    ]


def ids(outlets: list[Publication]) -> list[str]:
    return [outlet.slug for outlet in outlets]


@pytest.fixture
def world() -> Iterator[World]:
    with World() as server:
        yield server


@pytest.fixture(scope="module")
def first() -> Iterator[World]:
    """Edition 1, shared by the tests that only read."""
    with World() as server:
        yield server


@pytest.mark.parametrize("outlet", WORKING, ids=ids(WORKING))
@pytest.mark.parametrize("edition", [1, 2])
def test_each_feed_is_a_sound_document(outlet: Publication, edition: int) -> None:
    """Real readers find nothing to mend, and every entry of the file."""
    shown = visible(outlet, edition)
    body = documents.feed(outlet, shown, "http://127.0.0.1:8000")
    if outlet.format == "json":
        assert b'"version": "https://jsonfeed.org/version/1.1"' in body
        return
    feed = parsed(body, documents.TYPES[outlet.format])

    assert not feed.bozo
    assert feed.encoding == outlet.encoding
    assert [entry.title for entry in shown] == [unescape(x.title) for x in feed.entries]
    assert [entry.date.timestamp() for entry in shown] == [
        timegm(x[("updated" if outlet.format == "rdf" else "published") + "_parsed"])
        for x in feed.entries
    ]


@pytest.mark.parametrize("outlet", WORKING, ids=ids(WORKING))
def test_every_link_resolves(first: World, outlet: Publication) -> None:
    """Each entry's address, campaign and all, is a page with its title on it."""
    for item in items(outlet, get(first.base + outlet.feed_path)):
        page = get(item.link)
        text = page.body.decode()
        canonical = re.split("[?#]", item.link)[0]

        assert page.status == 200
        assert f'<link rel="canonical" href="{canonical}">' in text
        assert 'property="article:published_time" content="2020-02-' in text
        assert "ce texte est inventé" in text
        assert text.count("<p>") >= 1


@pytest.mark.parametrize("outlet", WORKING, ids=ids(WORKING))
def test_the_front_page_names_the_feed(first: World, outlet: Publication) -> None:
    """A home page offers its feed and lists its articles, as real ones do."""
    page = get(f"{first.base}/{outlet.slug}/").body.decode()

    assert f'href="{first.base}{outlet.feed_path}"' in page
    assert len(visible(outlet, 1)) == page.count("<li>")


@pytest.mark.parametrize("outlet", WORKING, ids=ids(WORKING))
def test_validators_are_honoured_until_something_is_new(
    world: World, outlet: Publication
) -> None:
    """An unchanged feed answers 304 to its own validators, and only to those."""
    url = world.base + outlet.feed_path
    reply = get(url)
    known = {
        "If_None_Match": reply.headers.get("ETag", '"none"'),
        "If_Modified_Since": reply.headers.get("Last-Modified", "never"),
    }
    again = get(url, **known)
    world.edition = 2
    later = get(url, **known)
    changed = visible(outlet, 1) != visible(outlet, 2)

    assert (304 if outlet.validators != "none" else 200) == again.status
    assert bool(again.body) == (outlet.validators == "none")
    assert (200 if changed else again.status) == later.status
    assert get(url, If_None_Match='"x"', If_Modified_Since="never").status == 200


def test_the_servers_differ_as_real_ones_do() -> None:
    """Formats, encodings, validators and guids of every kind are in the world."""
    assert {"rss20", "atom", "json", "rdf"} == {o.format for o in WORKING}
    assert {"utf-8", "iso-8859-1", "us-ascii"} == {o.encoding for o in WORKING}
    assert {"etag", "date", "none"} == {o.validators for o in WORKING}
    assert {"link", "number", "tag", "none"} == {o.guid for o in WORKING}
    assert {"cdata", "escaped", "plain"} == {o.markup for o in WORKING}
    assert any(o.content for o in WORKING)
    assert any(o.track.startswith("#xtor") for o in WORKING)


def test_gzip_is_sent_where_it_is_asked_for(first: World) -> None:
    """One outlet compresses, for clients that can read it only."""
    (outlet,) = (outlet for outlet in WORKING if outlet.gzip)
    url = first.base + outlet.feed_path
    plain, packed = get(url), get(url, Accept_Encoding="gzip, br")

    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body


def test_broken_outlets_answer_with_a_page(first: World) -> None:
    """One outlet's server fails, another's feed is gone: HTML, no feed."""
    replies = [get(first.base + outlet.feed_path) for outlet in BROKEN]

    assert [reply.status for reply in replies] == [500, 404]
    assert all(b"<!DOCTYPE html>" in reply.body for reply in replies)
    assert get(f"{first.base}/{BROKEN[0].slug}/").status == 200


def test_the_server_says_what_it_was_asked(world: World) -> None:
    """Paths and statuses are remembered; HEAD, robots.txt and 404 are answered."""
    connection = http.client.HTTPConnection("127.0.0.1", int(world.base[17:]))
    connection.request("HEAD", "/slate/rss.xml")
    head = connection.getresponse()
    length, body = int(head.headers["Content-Length"]), head.read()
    connection.close()
    robots = get(f"{world.base}/robots.txt")
    get(f"{world.base}/nowhere")

    assert (head.status, body) == (200, b"")
    assert length > 1000
    assert b"User-agent: *" in robots.body
    assert world.answered == [
        ("/slate/rss.xml", 200),
        ("/robots.txt", 200),
        ("/nowhere", 404),
    ]


def test_a_port_in_use_is_our_own_error(first: World) -> None:
    """A taken port is one line for a person."""
    with pytest.raises(AggregatorError, match="cannot be had"):
        World(int(first.base[17:]))


def test_edition_two_brings_one_mention_and_one_new_title(world: World) -> None:
    """The second poll finds one new entry, one retitled under its guid, no more."""
    before = {
        (o.slug, i.link, i.key): i.title
        for o in WORKING
        for i in items(o, get(world.base + o.feed_path))
    }
    world.edition = 2
    after = {
        (o.slug, i.link, i.key): i.title
        for o in WORKING
        for i in items(o, get(world.base + o.feed_path))
    }
    new = [title for key, title in after.items() if key not in before]
    retitled = [key for key in before if before[key] != after[key]]

    assert before.keys() <= after.keys()
    assert len(new) == 1
    assert "classe de Foix, en présence d’Henri Poulain" in new[0]
    assert [slug for slug, _link, _key in retitled] == ["courrier"]


def test_one_story_stands_on_two_outlets() -> None:
    """Equal title, long summaries that agree, within 48 h, other campaigns."""
    copies = [
        (outlet, entry)
        for outlet in WORKING
        for entry in outlet.entries
        if entry.title.startswith("À Toulouse, une projection")
    ]
    (here, a), (there, b) = copies

    assert a.title == b.title
    assert len(a.title.split()) >= 5
    assert a.summary == b.summary
    assert len(a.summary) > 60
    assert abs((a.date - b.date).total_seconds()) < 48 * 3600
    assert here.track != there.track


def test_one_outlet_lists_an_article_twice(first: World) -> None:
    """The same page under two guids, its addresses differing in the campaign only."""
    (gazette,) = (outlet for outlet in WORKING if outlet.slug == "gazette")
    twins = [
        item
        for item in items(gazette, get(first.base + gazette.feed_path))
        if "médiathèque" in item.title
    ]

    assert 2 == len({item.link for item in twins}) == len({item.key for item in twins})
    assert len({item.link.partition("?")[0] for item in twins}) == 1


@pytest.fixture(scope="module")
def press() -> list[dict[str, Any]]:
    """Return what the press list says; it stands beside the repository, not in it."""
    text = shared("press-list.toml").read_text("utf-8")
    items: list[dict[str, Any]] = tomllib.loads(text)["item"]
    return items


def test_each_web_item_of_the_press_stands_in_one_feed(
    press: list[dict[str, Any]],
) -> None:
    """What the web published is in its outlet's feed once, title and day exact."""
    paris = ZoneInfo("Europe/Paris")
    found = [
        (outlet.name, entry.title, entry.date.astimezone(paris).date())
        for outlet in WORKING
        for entry in visible(outlet, 1)
    ]
    wanted = [
        (item["outlet"], item["title"], item["published"])
        for item in press
        if item["form"] in {"web", "tribune"}
    ]

    assert len(wanted) == 10
    assert [found.count(item) for item in wanted] == [1] * 10


def test_the_rest_of_the_press_is_added_by_decision(
    press: list[dict[str, Any]], tmp_path: Path
) -> None:
    """TV, paper and talks stand in curation.toml, with title, day and topics."""
    prepare(tmp_path / "demo", "http://127.0.0.1:1")
    curation = tomllib.loads((tmp_path / "demo" / "curation.toml").read_text("utf-8"))
    added = {
        row["title"]: (str(row["published"]), row["topics"], row["outlet"])
        for row in curation["decision"]
        if row["action"] == "add"
    }
    others = [item for item in press if item["form"] not in {"web", "tribune"}]

    assert len(others) == 7
    for item in others:
        day, topics, outlet = added.pop(item["title"])

        assert str(item["published"]).startswith(day)
        assert item["topics"] == topics
        assert item["outlet"].startswith(outlet)
    assert [outlet for _day, _topics, outlet in added.values()] == ["Télérama"]


def test_the_folder_names_the_world_that_is_served(
    first: World, tmp_path: Path
) -> None:
    """Every feed of feeds.toml is one that the server has, under its own name."""
    path = prepare(tmp_path / "demo", first.base, site="http://127.0.0.1:8000/")
    config = tomllib.loads(path.read_text("utf-8"))
    curation = (tmp_path / "demo" / "curation.toml").read_text("utf-8")
    pins = [row for row in tomllib.loads(curation)["decision"] if "url" in row]

    assert config["outlets"] == {o.name: first.base + o.feed_path for o in OUTLETS}
    assert config["site"]["url"] == "http://127.0.0.1:8000/"
    assert config["polling"] == {"allow_private_addresses": True}
    assert [get(row["url"]).status for row in pins] == [200]
    assert "{" + "base}" not in path.read_text("utf-8") + curation


def test_a_folder_of_an_earlier_demo_is_emptied(tmp_path: Path) -> None:
    """The demo begins anew in its own folder, whatever it left there."""
    folder = tmp_path / "demo"
    prepare(folder, "http://127.0.0.1:1")
    (folder / "public").mkdir()
    (folder / "public" / "index.html").touch()
    (folder / "aggregator.db").touch()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "kept").touch()
    (folder / "link").symlink_to(tmp_path / "elsewhere")

    config = prepare(folder, "http://127.0.0.1:2")

    assert {MARKER, "feeds.toml", "curation.toml"} == {p.name for p in folder.iterdir()}
    assert "http://127.0.0.1:2/" in config.read_text("utf-8")
    assert (tmp_path / "elsewhere" / "kept").exists()


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    """Files that no demo made are neither removed nor written over."""
    (tmp_path / "feeds.toml").write_text("mine")

    with pytest.raises(AggregatorError, match="no demo made"):
        prepare(tmp_path, "http://127.0.0.1:1")

    assert [tmp_path / "feeds.toml"] == list(tmp_path.iterdir())
    assert (tmp_path / "feeds.toml").read_text() == "mine"


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    """A folder somebody made for the demo is as good as none."""
    assert prepare(tmp_path, "http://127.0.0.1:1") == tmp_path / "feeds.toml"


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    """A file in the way is our own error, not a traceback."""
    (tmp_path / "demo").touch()

    with pytest.raises(AggregatorError, match="cannot be made ready"):
        prepare(tmp_path / "demo", "http://127.0.0.1:1")
