"""add: what a page tells of its article, what is asked for, what is refused."""

from __future__ import annotations

import csv
import json
import tomllib
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import test_decide
from conftest import Server
from terminal import Terminal
from test_decide import call, curation
from worlds import EPOCH, aggregator, configure, contents, item, rss

path = test_decide.path
polled = test_decide.polled
PAGE = """<!doctype html><html lang="fr"><head>
<title>Les travailleurs du clic ont un visage | La Gazette</title>
<meta property="og:site_name" content="La Gazette">
<meta property="og:description" content="Elles classent, &amp; on les paie mal.">
<meta property="article:published_time" content="2020-02-14T08:30:00+01:00">
<meta name="author" content="Anne Martin"></head><body><article><h1>Les travailleurs du
clic ont un visage</h1>{}</article></body></html>"""
LONG = (
    "<p>Ils regardent des images toute la journée, et les décrivent à une machine.</p>"
)
COPY = "https://web.archive.example/web/2020/https://jour.example/a"
ARCHIVED = f"""[[decision]]
action = "add"
url = "http://jour.example/a?utm_source=x"
title = "Un autre titre"
outlet = "Le Jour"
published = 2020-02-10
topics = ["film"]
archived = "{COPY}"
"""
WITHOUT = "--title", "Le 20 heures", "--outlet", "France 2", "--form", "tv"


def page(server: Server, name: str, html: str = "") -> str:
    """Serve an article on a host that no outlet has; return its address."""
    text = "".join(LONG.replace("Ils", f"{n} fois, ils") for n in range(40))
    body = (html or PAGE.format(text)).encode()
    url = server.route(name, body=body, headers={"Content-Type": "text/html"})
    return url.replace("127.0.0.1", "localhost")


def table(path: Path) -> dict[str, Any]:
    """Return the only table of curation.toml."""
    (found,) = tomllib.loads(curation(path))["decision"]
    return dict(found)


def test_a_page_tells_what_has_to_be_known(path: Path, server: Server) -> None:
    """Title without its outlet, date, author, summary, the topics it satisfies."""
    url = page(server, "/2020/clic")
    done = aggregator(path, "add", url)

    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "2020-02-14  La Gazette: Les travailleurs du clic ont un visage\n"
        "            film\n"
    )
    told = table(path)
    assert told.pop("published").isoformat() == "2020-02-14T08:30:00+01:00"
    assert told.pop("at")
    assert told == {
        "action": "add",
        "url": url,
        "title": "Les travailleurs du clic ont un visage",
        "outlet": "La Gazette",
        "topics": ["film"],
        "author": "Anne Martin",
        "excerpt": "Elles classent, & on les paie mal.",
    }
    assert aggregator(path, "publish").returncode == 0
    assert url in path.parent.joinpath("public/2020/index.html").read_text()

    again = call(path, "add", url)
    assert again.exit_code == 2
    assert "already, published\n" in again.stderr

    undone = call(path, "add", url, "--undo")
    assert undone.exit_code == 0, undone.stderr
    assert curation(path) == ""


def test_what_is_given_counts_for_more(path: Path, server: Server) -> None:
    """A page that tells all the same is not even asked where nothing is missing."""
    url = page(server, "/2020/clic")
    mine = ("--title", "Un visage", "--topic", "livreurs", "--form", "interview")
    assert aggregator(path, "add", url, *mine).returncode == 0
    told = table(path)

    assert (told["title"], told["topics"]) == ("Un visage", ["livreurs"])
    assert (told["outlet"], told["form"]) == ("La Gazette", "interview")

    asked = len(server.requests)
    rest = ("--outlet", "Le Soir", "--published", "2020-02")
    assert call(path, "add", url + "2", *mine, *rest).exit_code == 0
    assert len(server.requests) == asked


def test_an_outlet_is_known_by_its_address(tmp_path: Path, server: Server) -> None:
    """The name that feeds.toml gives it counts for more than its page's."""
    feed = server.route("/jour", body=rss(item("a", "Les travailleurs du clic")))
    path = configure(tmp_path, {"Le Jour": feed})
    url = page(server, "/2020/clic").replace("localhost", "127.0.0.1")
    assert aggregator(path, "add", url).returncode == 0

    assert table(path)["outlet"] == "Le Jour"


def test_without_a_page_all_is_given(path: Path) -> None:
    """Television, radio, paper; taken back by its id or its story."""
    given = (*WITHOUT, "--published", "2020-02-14", "--topic", "film")
    done = call(path, "add", *given)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("2020-02-14  France 2: Le 20 heures\n")
    assert table(path)["published"].isoformat() == "2020-02-14"

    aggregator(path, "publish")
    (listed,) = json.loads(call(path, "decisions", "--json").stdout)
    (story,) = listed["stories"]
    assert call(path, "add", story["story"], "--undo").exit_code == 0
    assert curation(path) == ""

    assert call(path, "add", *given, "--id", "jt-1").exit_code == 0
    assert call(path, "add", "--id", "jt-1", "--undo").exit_code == 0
    assert curation(path) == ""


def test_on_a_terminal_only_what_is_missing_is_asked(
    path: Path, server: Server
) -> None:
    """Shown is what the page tells; an answer that cannot be is asked again."""
    bare = "<html><head><title>Rien</title></head><body><p>Rien.</p></body></html>"
    url = page(server, "/rien", bare)
    with Terminal(path, "add", url, "--outlet", "Le Soir") as terminal:
        terminal.line("hier\n", "published: ")
        terminal.line("2020-02\n", "published: ")
        terminal.line("fil\n", "publish under: ")
        terminal.line("film\n", "publish under: ")
        terminal.end()
        shown = terminal.shown

    assert "title: Rien\n" in shown
    assert "outlet: Le Soir\n" in shown
    assert '"hier" is no date' in shown
    assert "did you mean film?" in shown
    told = table(path)
    assert (told["published"], told["topics"]) == ("2020-02", ["film"])


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "not known: give --title, --outlet, --published, --topic ID"),
        ((*WITHOUT, "--topic", "film"), "not known: give --published\n"),
        ((*WITHOUT, "--published", "hier"), "is no date"),
        ((*WITHOUT, "--form", "film"), "--form"),
        (("jour.example/x",), 'write "https://jour.example/x"'),
        (
            ("https://jour.example/b",),
            "already, waiting; publish it with `aggregator keep",
        ),
        (("--undo",), "which addition?"),
        (
            (*WITHOUT, "--published", "2020-02-14", "--topic", "flm"),
            "did you mean 'film'?",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(
    path: Path, words: tuple[str, ...], why: str
) -> None:
    """In one line, and nothing is written."""
    done = call(path, "add", *words)

    assert done.exit_code == 2
    assert why in done.stderr
    assert not path.with_name("curation.toml").exists()


def test_a_page_that_cannot_be_read_is_told(path: Path, server: Server) -> None:
    """What is not known then has to be given."""
    server.route("/robots.txt", body=b"User-agent: *\nDisallow: /prive")
    done = aggregator(path, "add", server.route("/prive/x", body=b"<p>x"), *WITHOUT)

    assert done.returncode == 2
    assert "/prive/x: robots.txt forbids it" in done.stderr
    assert "not known: give --published, --topic ID" in done.stderr


@pytest.mark.parametrize("by_hand", [False, True])
def test_a_story_of_a_feed_gains_a_lasting_copy(path: Path, by_hand: bool) -> None:
    """On every face; its id, title, dates and order stay, and it is no news."""
    before = contents(path.parent)
    if by_hand:
        path.with_name("curation.toml").write_text(ARCHIVED)
    else:
        done = call(path, "add", test_decide.URL.format("a"), "--archived", COPY)
        assert done.exit_code == 0, done.stderr
        assert done.stdout.endswith(
            f"Le Jour: Les travailleurs du clic\n          archived copy: {COPY}\n"
        )
    later = {"SOURCE_DATE_EPOCH": str(int(EPOCH) + 10 * 86_400)}
    assert aggregator(path, "publish", env=later).returncode == 0
    after = contents(path.parent)

    link = f'<a href="{COPY}">Copie archivée</a>'
    for page in ("index.html", "2020/index.html", "topics/film/index.html"):
        assert link in after[page].decode()
        assert _without(after[page], f'<p class="also">\n{link}</p>\n') == before[page]
    escaped = link.replace("<", "&lt;").replace(">", "&gt;")
    told = f"&lt;p&gt;{escaped}&lt;/p&gt;\n"
    related = f'    <link href="{COPY}" rel="related"/>\n'
    for feed in ("feed.atom", "all/feed.atom", "topics/film/feed.atom"):
        assert _without(after[feed], told, related) == before[feed]
    assert _without(after["feed.rss"], told) == before["feed.rss"]
    (mine,) = json.loads(after["feed.json"])["items"]
    assert mine["_mention"]["archived"] == COPY
    (row,) = csv.DictReader(StringIO(after["stories.csv"].decode("utf-8-sig")))
    assert row["archived"] == COPY
    assert row["title"] == "Les travailleurs du clic"

    undone = call(path, "add", test_decide.URL.format("a"), "--undo")
    assert undone.exit_code == 0, undone.stderr
    assert aggregator(path, "publish", env=later).returncode == 0
    assert contents(path.parent)["feed.atom"] == before["feed.atom"]


def test_a_kept_doubt_keeps_its_words_beside_a_lasting_copy(path: Path) -> None:
    """What is shown of a story that was kept is what the feed's text proves."""
    url = test_decide.URL.format("b")
    assert call(path, "keep", url).exit_code == 0
    assert call(path, "publish").exit_code == 0
    before = _mentions(path)
    assert call(path, "add", url, "--archived", COPY).exit_code == 0
    assert call(path, "publish").exit_code == 0
    after = _mentions(path)

    assert sorted(one.pop("archived", "") for one in after) == ["", COPY]
    assert after == before
    shown = [proof["snippet"] for one in after for proof in one["evidence"]]
    assert "Des <mark>petites mains</mark>" in shown


def _mentions(path: Path) -> list[dict[str, Any]]:
    """Return why each item of feed.json is there, the one last added first."""
    items = json.loads(contents(path.parent)["feed.json"])["items"]
    return [item["_mention"] for item in items]


def _without(document: bytes, *parts: str) -> bytes:
    """Return a document after each of these was taken out of it."""
    text = document.decode()
    for part in parts:
        assert part in text
        text = text.replace(part, "", 1)
    return text.encode()


def test_no_other_story_gains_a_copy(path: Path) -> None:
    """Not one that waits, nor with what it has already, nor twice."""
    words = "--archived", COPY
    waits = call(path, "add", test_decide.URL.format("b"), *words)
    assert "already, waiting; publish it with `aggregator keep" in waits.stderr
    titled = call(path, "add", test_decide.URL.format("a"), *words, "--title", "X")
    assert "it gains --archived and --form and --detail, but no title" in titled.stderr
    assert not path.with_name("curation.toml").exists()

    assert call(path, "add", test_decide.URL.format("a"), *words).exit_code == 0
    before = curation(path)
    again = call(path, "add", test_decide.URL.format("a"), *words)

    assert f'decision[1] of curation.toml; write there: archived = "{COPY}"' in (
        again.stderr
    )
    assert {done.exit_code for done in (waits, titled, again)} == {2}
    assert curation(path) == before
