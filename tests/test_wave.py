"""Article pages in whole cycles, over real HTTP: what is asked, and what it settles.

The server plays the proxy of a whole little Internet, so that hosts have names and
private addresses are refused as ever.
"""

from __future__ import annotations

import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from conftest import Server
from worlds import (
    EPOCH,
    aggregator,
    command,
    configure,
    contents,
    database,
    environment,
    item,
    rss,
)

from aggregator import bulletin, run, sandbox
from aggregator import config as configuration
from aggregator.desk import Desk, stories
from aggregator.model import Report, Story
from aggregator.store import Store

NOW = datetime.fromtimestamp(int(EPOCH), UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
PAGES = Path(__file__).parent / "pages"
SPACING = 0.05  # seconds; a second would do, and take longer
DOUBT = "Les petites mains"
HTML = {"Content-Type": "text/html"}


@pytest.fixture(scope="module", autouse=True)
def _children() -> Iterator[None]:
    """End the children after the last test here."""
    yield
    sandbox.close()


@dataclass
class World:
    """Two outlets: of Le Jour all pages are read, of La Gazette doubtful ones."""

    server: Server
    desk: Desk

    def feed(self, host: str, *items: str) -> None:
        """Say what the feed of a host lists."""
        text = rss(*items).replace(b"https://", b"http://")
        self.server.route(f"/{host}/feed", body=text)

    def page(self, name: str) -> None:
        """Serve one of tests/pages under its name."""
        body = (PAGES / f"{name}.html").read_bytes()
        self.server.route(f"/{name}", body=body, headers=HTML)

    def cycle(self, at: datetime = NOW, *, everything: bool = True) -> Report:
        """Run a cycle at an instant."""
        return run.cycle(self.desk, at, everything=everything)

    def asked(self, *, feeds: bool = False) -> list[str]:
        """Return what was asked for, in order, without its scheme."""
        paths = [one.path.removeprefix("http://") for one in self.server.requests]
        return [path for path in paths if feeds or not path.endswith("/feed")]

    @property
    def stories(self) -> dict[str, Story]:
        """Return the stories by the last part of their first entry's address."""
        with Store(self.desk.config.storage.database) as store:
            told = stories(store, self.desk)
        return {story.url.rpartition("/")[2]: story for story in told}

    def states(self) -> dict[str, str]:
        """Return where each story stands."""
        return {name: str(story.state) for name, story in self.stories.items()}

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """Return what the database answers."""
        raw = sqlite3.connect(self.desk.config.storage.database)
        try:
            return raw.execute(sql).fetchall()
        finally:
            raw.close()

    def configured(self, old: str, new: str) -> None:
        """Edit feeds.toml."""
        path = self.desk.config.source
        path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
        self.desk = read(path)


def read(path: Path) -> Desk:
    """Return the desk of a configuration, with less spacing than a second."""
    config = configuration.read(path)
    spacing = timedelta(seconds=SPACING)
    return Desk.of(replace(config, polling=replace(config.polling, spacing=spacing)))


@pytest.fixture
def world(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> World:
    """Return the world, whose feeds are empty and whose pages are not there yet."""
    monkeypatch.setenv("http_proxy", server.url(""))
    monkeypatch.setenv("no_proxy", "")
    limits = 'max_bytes = "300kB"'
    path = configure(
        tmp_path,
        {
            "Le Jour": "http://jour.example/jour/feed",
            "La Gazette": "http://gazette.example/gazette/feed",
        },
        extra=limits,
    )
    text = path.read_text("utf-8").replace("allow_private_addresses = true\n", "")
    jour = '{ url = "http://jour.example/jour/feed", articles = "all" }'
    text = text.replace('"http://jour.example/jour/feed"', jour)
    path.write_text(text, "utf-8")
    world = World(server, read(path))
    world.feed("jour")
    world.feed("gazette")
    return world


def jour(slug: str, title: str, summary: str = "", **how: str) -> str:
    """Return an item of Le Jour."""
    return item(slug, title, summary, host="jour.example", **how)


def gazette(slug: str, title: str = DOUBT, summary: str = "", **how: str) -> str:
    """Return an item of La Gazette, in doubt unless it has another title."""
    return item(slug, title, summary, host="gazette.example", **how)


# ── what a page settles ───────────────────────────────────────────────────────────────


def test_pages_settle_what_they_show(world: World) -> None:
    """Mentions in the article alone are found; doubts end as each page allows."""
    names = [path.stem for path in PAGES.glob("*.html")]
    for name in names:
        world.page(name)
    found = ["article", "latin1", "amp"]
    world.feed("jour", *(jour(name, f"Quelques mots sur {name}") for name in found))
    world.feed("gazette", *(gazette(name) for name in names if name not in found))
    world.cycle()

    assert world.states() == {
        "article": "published",
        "latin1": "published",
        "amp": "published",
        "banniere": "published",
        "maison": "suppressed",
        "breve": "waiting",
        "consentement": "waiting",
        "consentement-long": "waiting",
        "abonnes-balise": "waiting",
        "abonnes-jsonld": "published",  # as a matter of couriers; of the film in doubt
        "abonnes-notice": "published",
    }


def test_what_stands_in_the_article_alone_is_shown_as_its_evidence(
    world: World,
) -> None:
    """The evidence names the line and the column, and marks the words."""
    world.page("article")
    world.feed("jour", jour("article", "Quarante centimes"))
    world.cycle()
    (evidence,) = world.stories["article"].evidence

    assert (evidence.column, evidence.line) == ("article", "travailleurs du clic")
    assert evidence.certain
    assert "\x02travailleurs du clic\x03" in evidence.snippet


def test_the_evidence_of_an_article_is_published(world: World) -> None:
    """JSON Feed names the column `article`, and the page shows the words marked."""
    world.page("article")
    world.feed("jour", jour("article", "Quarante centimes", "Une enquête."))
    world.cycle()
    files = contents(world.desk.config.source.parent)

    assert b'"field": "article"' in files["feed.json"]
    assert b"<mark>travailleurs du clic</mark>" in files["index.html"]


def test_no_more_of_a_page_is_published_than_an_excerpt(world: World) -> None:
    """Without a summary the page's head stands in, evidence included in its length."""
    world.page("article")
    world.feed("jour", jour("article", "Quarante centimes"))
    world.cycle()
    files = contents(world.desk.config.source.parent)

    assert b"Ce que gagnent ces foyers" in files["index.html"]
    for name, body in files.items():
        assert b"feux rouges" not in body, name
        assert "répond par un formulaire".encode() not in body, name


def test_a_page_not_read_in_full_leaves_a_doubt(world: World) -> None:
    """Even where `match` holds in what is shown of it."""
    world.page("abonnes-balise")
    world.feed("gazette", gazette("abonnes-balise"))
    report = world.cycle()

    assert world.states() == {"abonnes-balise": "waiting"}
    assert report.doubtful == 1
    assert world.rows("SELECT state, reason FROM pages") == [("part", "paywall")]


def test_a_suppressed_doubt_says_that_its_page_was_read(world: World) -> None:
    """Its line is that of `review`, unlike what `never` suppressed."""
    world.page("maison")
    world.feed("gazette", gazette("maison"))
    report = world.cycle()

    assert report.doubtful == 0
    assert world.rows("SELECT verdict, rule, line FROM mentions") == [
        ("suppressed", "review", "petites mains")
    ]


def test_a_doubt_by_never_is_settled_by_match(world: World) -> None:
    """Read in full, an entry that `match` finds is certain, as DESIGN.md §3 says."""
    world.page("banniere")
    title = "Masiero et les travailleurs du clic"
    world.feed("gazette", gazette("banniere", title))
    world.cycle()

    assert world.states() == {"banniere": "published"}


def test_an_article_that_the_feed_carries_needs_no_page(world: World) -> None:
    """1,500 characters of content settle a doubt without a request."""
    text = "Une phrase de plus sur les machines. " * 50
    content = f"<content:encoded><![CDATA[{text}]]></content:encoded>"
    namespace = 'xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    entry = gazette("long", summary="Un chapeau.").replace("</item>", content)
    body = rss(entry + "</item>").replace(b"<rss ", f"<rss {namespace} ".encode())
    world.server.route("/gazette/feed", body=body.replace(b"https://", b"http://"))
    world.cycle()

    assert world.states() == {"long": "suppressed"}
    assert world.asked() == []


def test_none_reads_no_page(world: World) -> None:
    """`articles = "none"` leaves every doubt to the maintainer."""
    world.page("maison")
    world.configured("[polling]", '[matching]\narticles = "none"\n[polling]')
    world.feed("gazette", gazette("maison"))
    world.cycle()

    assert world.states() == {"maison": "waiting"}
    assert world.asked() == []


def test_doubtful_reads_the_pages_of_doubts_only(world: World) -> None:
    """What nobody looks for, and what is certain, costs an outlet nothing."""
    world.page("maison")
    world.feed(
        "gazette",
        gazette("maison"),
        gazette("meteo", "La météo"),
        gazette("clic", "Les travailleurs du clic"),
    )
    world.cycle()

    assert world.asked() == ["gazette.example/robots.txt", "gazette.example/maison"]


def test_all_reads_no_page_of_what_is_certain(world: World) -> None:
    """The feed said enough."""
    world.feed("jour", jour("clic", "Les travailleurs du clic"))
    world.cycle()

    assert world.asked() == []


def test_author_and_date_come_from_the_page_where_the_feed_has_none(
    world: World,
) -> None:
    """What the feed says stays; what it leaves out the page may say."""
    world.page("article")
    undated = jour("article", "Quarante centimes", date="").replace("<pubDate>", "<x>")
    world.feed("jour", undated.replace("</pubDate>", "</x>"))
    world.cycle()
    story = world.stories["article"]

    assert story.author == "Jeanne Morvan"
    assert story.published_at == datetime(2020, 2, 14, 7, 30, tzinfo=UTC)


def test_why_tells_how_a_page_was_read(world: World) -> None:
    """In full, in part or not at all, when, and how often it was asked for."""
    for name in ("maison", "abonnes-balise"):
        world.page(name)
    world.feed("gazette", *map(gazette, ("maison", "abonnes-balise", "absente")))
    world.cycle()
    world.cycle(NOW + HOUR)
    told = {
        name: aggregator(
            world.desk.config.source, "why", f"http://gazette.example/{name}"
        ).stdout
        for name in ("maison", "abonnes-balise", "absente")
    }
    listed = aggregator(world.desk.config.source, "review", "--suppressed")

    assert "no line of match holds (page read)" in told["maison"]
    assert "its page was read in full (2026-11-23 13:00)" in told["maison"]
    assert "a line of never" not in told["maison"]
    assert "its page was read in part" in told["abonnes-balise"]
    assert "asked for 2 times): paywall" in told["abonnes-balise"]
    assert "its page could not be read" in told["absente"]
    assert "http 404" in told["absente"]
    assert "maison" in listed.stdout


# ── edited lines ──────────────────────────────────────────────────────────────────────


def test_an_edited_line_finds_what_stands_in_an_article(world: World) -> None:
    """The text of a page is part of the history; nothing is asked for again."""
    world.page("maison")
    world.feed("gazette", gazette("maison"))
    world.cycle()
    before = world.asked()
    world.configured('"travailleurs du clic"', '"travailleurs du clic", "du velours"')
    world.cycle(NOW + HOUR)
    tried = aggregator(world.desk.config.source, "try", "article: velours")

    assert world.states() == {"maison": "published"}
    assert world.stories["maison"].evidence[0].column == "article"
    assert world.asked() == before
    assert "gazette.example/maison" in tried.stdout


def test_an_edit_brings_no_settled_doubt_back(world: World) -> None:
    """What was read in full is settled by any rules; what was not, by none."""
    world.page("maison")
    world.page("breve")
    world.page("abonnes-balise")
    names = ("maison", "breve", "abonnes-balise")
    world.feed("gazette", *map(gazette, names))
    world.cycle()
    before = world.states()
    world.configured('"petites mains"', '"petites mains", "petits doigts"')
    bulletin.republish(world.desk, NOW + HOUR)

    assert world.states() == before
    assert before == {
        "maison": "suppressed",
        "breve": "waiting",
        "abonnes-balise": "waiting",
    }


def test_a_line_taken_out_withdraws_what_it_found_in_an_article(world: World) -> None:
    """As it does what it found in a title."""
    world.page("article")
    world.feed("jour", jour("article", "Quarante centimes"))
    world.cycle()
    world.configured('"travailleurs du clic"', '"ouvriers du clic"')
    bulletin.republish(world.desk, NOW + HOUR)

    assert world.states() == {"article": "withdrawn"}


# ── stories ───────────────────────────────────────────────────────────────────────────


def test_the_address_that_a_page_gives_itself_joins_copies(world: World) -> None:
    """An AMP page and its article are one story."""
    world.page("amp")
    world.feed(
        "jour",
        jour("amp", "Ils se voient"),
        item(
            "societe/ils-se-voient",
            "Ce que voient les travailleurs du clic",
            host="www.jour.example",
        ),
    )
    world.cycle()

    assert len(world.stories) == 1


def test_a_decision_may_name_the_address_of_the_page(world: World) -> None:
    """`hide` with the address in the page's own words hides the story."""
    world.page("article")
    world.feed("jour", jour("article", "Quarante centimes"))
    world.cycle()
    path = world.desk.config.storage.curation
    url = "https://www.jour.example/enquetes/quarante-centimes#haut"
    path.write_text(f'[[decision]]\naction = "hide"\nurl = "{url}"\n', "utf-8")
    world.desk = read(world.desk.config.source)
    world.cycle(NOW + HOUR)

    assert world.states() == {"article": "hidden"}
    assert (
        "names no story" not in aggregator(path.with_name("feeds.toml"), "check").stderr
    )


# ── what is asked of outlets ──────────────────────────────────────────────────────────


def test_robots_txt_is_asked_once_before_the_first_page_and_obeyed(
    world: World,
) -> None:
    """What it forbids is never asked for; it is remembered for a day."""
    rules = b"User-agent: *\nDisallow: /secret\n"
    world.server.route("/robots.txt", body=rules)
    world.page("maison")
    world.page("breve")
    items = [gazette("secret/a"), gazette("maison"), gazette("breve")]
    world.feed("gazette", *items[:2])
    world.cycle()
    world.feed("gazette", *items)
    world.cycle(NOW + HOUR)
    world.cycle(NOW + 2 * DAY)

    assert world.asked()[0] == "gazette.example/robots.txt"
    assert sorted(world.asked()[1:]) == [
        "gazette.example/breve",
        "gazette.example/maison",
        "gazette.example/robots.txt",  # a day later, for the forbidden page's last try
    ]
    assert world.states()["a"] == "waiting"


def test_many_pages_of_a_host_need_its_robots_txt_once(world: World) -> None:
    """Also where they are more than are read in one go."""
    names = [f"page{n:02}" for n in range(25)]
    for name in names:
        world.server.route(f"/{name}", body=b"<p>Rien.</p>" * 3, headers=HTML)
    world.feed("gazette", *map(gazette, names))
    world.cycle()

    assert world.asked()[0] == "gazette.example/robots.txt"
    assert sorted(world.asked()[1:]) == [f"gazette.example/{name}" for name in names]


@pytest.mark.parametrize(
    ("name", "passes"),
    [("press-aggregator", False), ("aggregator", False), ("otherbot", True)],
)
def test_robots_txt_may_address_us_by_name(
    world: World, name: str, passes: bool
) -> None:
    """By the name in our User-Agent or by the command's, in any case of letters."""
    rules = f"User-agent: {name.upper()}\nDisallow: /\n"
    world.server.route("/robots.txt", body=rules.encode())
    world.page("maison")
    world.feed("gazette", gazette("maison"))
    world.cycle()

    assert ("gazette.example/maison" in world.asked()) == passes


def test_a_site_without_robots_txt_allows_everything(world: World) -> None:
    """A 404 is an answer, and is remembered too."""
    world.page("maison")
    world.feed("gazette", gazette("maison"))
    world.cycle()

    assert world.asked() == ["gazette.example/robots.txt", "gazette.example/maison"]


def test_while_robots_txt_is_not_to_be_had_no_page_is_asked(world: World) -> None:
    """A broken server is asked for it once an hour; then its pages have their turn."""
    world.server.route("/robots.txt", 503)
    world.page("maison")
    world.feed("gazette", gazette("maison"))
    world.cycle()
    world.cycle(NOW + 30 * MINUTE)
    before = world.asked()
    world.server.route("/robots.txt", body=b"")
    world.cycle(NOW + 61 * MINUTE)

    assert before == ["gazette.example/robots.txt"]
    assert world.asked()[1:] == ["gazette.example/robots.txt", "gazette.example/maison"]
    assert world.states() == {"maison": "suppressed"}


def test_an_old_robots_txt_is_good_while_there_is_no_new_one(world: World) -> None:
    """RFC 9309 §2.4."""
    world.page("maison")
    world.page("breve")
    world.server.route("/robots.txt", body=b"User-agent: *\nDisallow: /secret\n")
    world.feed("gazette", gazette("maison"))
    world.cycle()
    world.server.route("/robots.txt", 500)
    world.feed("gazette", gazette("maison"), gazette("breve"), gazette("secret/b"))
    world.cycle(NOW + 2 * DAY)

    assert "gazette.example/breve" in world.asked()
    assert "gazette.example/secret/b" not in world.asked()


def test_robots_txt_is_obeyed_where_a_redirect_leads(world: World) -> None:
    """Another host has rules of its own."""

    def rules(request: BaseHTTPRequestHandler) -> None:
        closed = "ailleurs.example" in request.path
        request.send_response(200)
        request.end_headers()
        request.wfile.write(b"User-agent: *\nDisallow: /" if closed else b"")

    world.server.route("/robots.txt", handler=rules)
    away = {"Location": "http://ailleurs.example/maison"}
    world.server.route("/lien", 302, headers=away)
    world.page("maison")
    world.feed("gazette", gazette("lien"))
    world.cycle()

    assert world.asked() == [
        "gazette.example/robots.txt",
        "gazette.example/lien",
        "ailleurs.example/robots.txt",
    ]


def test_a_host_is_asked_no_faster_than_its_spacing(world: World) -> None:
    """Feed, robots.txt and pages alike."""
    names = ["maison", "breve", "article", "latin1"]
    for name in names:
        world.page(name)
    world.feed("gazette", *map(gazette, names))
    world.cycle()
    times = [r.at for r in world.server.requests if "gazette.example" in r.path]

    assert len(times) == 6
    # the server notes a request some time after its turn
    assert times[-1] - times[0] >= 5 * SPACING - 0.05


def test_a_crawl_delay_is_kept(world: World) -> None:
    """A site may ask for more time between two pages."""
    world.server.route("/robots.txt", body=b"User-agent: *\nCrawl-delay: 0.5\n")
    world.page("maison")
    world.page("breve")
    world.feed("gazette", gazette("maison"), gazette("breve"))
    world.cycle()
    times = [r.at for r in world.server.requests if "gazette.example" in r.path]

    assert len(times) == 4
    assert times[3] - times[1] >= 2 * 0.5 - 0.2


def test_a_page_is_asked_for_once(world: World) -> None:
    """Also when two feeds list it, when it changes, and when it left no certainty."""
    for name in ("maison", "breve", "article"):
        world.page(name)
    twice = item("breve", DOUBT, host="jour.example", query="?utm_source=rss")
    world.feed("jour", jour("breve", DOUBT), jour("article", "Centimes"))
    world.feed("gazette", gazette("maison"), twice)
    world.cycle()
    once = world.asked()
    world.feed("jour", jour("breve", f"{DOUBT}, suite"), jour("article", "Un centime"))
    world.feed("gazette", gazette("maison", f"{DOUBT} de la maison"), twice)
    for days in range(1, 6):
        world.cycle(NOW + days * DAY)

    assert len(once) == len(set(once)) == 5
    assert world.asked() == once
    assert world.states() == {
        "breve": "waiting",
        "maison": "suppressed",
        "article": "published",
    }


def test_the_page_of_a_daily_column_settles_no_other_day(world: World) -> None:
    """Once an address proves to stand for another article each day, its page is not."""
    world.page("maison")
    days = (
        "lundi, un atelier de couture et ses bénévoles patients",
        "mardi, des bergers racontent leurs nuits sur les crêtes",
    )
    for day, text in enumerate(days):
        date = format_datetime(NOW + day * DAY)
        world.feed("gazette", gazette("maison", DOUBT, text, date=date))
        world.cycle(NOW + day * DAY)
    states = world.rows(
        "SELECT reused, verdict FROM entries JOIN mentions ON entry = id"
    )

    assert sorted(states) == [(1, "doubtful"), (1, "suppressed")]
    assert world.asked().count("gazette.example/maison") == 1


def test_an_article_read_for_one_feed_serves_the_others(world: World) -> None:
    """An entry that comes later, from another feed, is settled by what is known."""
    world.page("maison")
    world.feed("gazette", gazette("maison"))
    world.cycle()
    other = item("maison", f"{DOUBT} en ville", host="gazette.example")
    world.feed("jour", other)
    world.cycle(NOW + DAY)

    assert set(world.states().values()) == {"suppressed"}
    assert world.asked().count("gazette.example/maison") == 1


def failing(world: World) -> dict[str, str]:
    """Serve one page for each way to fail; return its reason by its name."""
    route = world.server.route
    route("/longue", body=b"<p>" + b"x" * 400_000, headers=HTML)
    route("/dedans", 302, headers={"Location": "http://127.0.0.1/"})
    route("/metadata", 302, headers={"Location": "http://169.254.169.254/latest"})
    route("/partie", 302, headers={"Location": "http://gazette.example/"})
    route("/", body=(PAGES / "maison.html").read_bytes(), headers=HTML)
    route("/papier", body=b"%PDF-1.7", headers={"Content-Type": "application/pdf"})
    route("/vide", body=b"", headers=HTML)
    cut = {**HTML, "Content-Length": "5000", "Connection": "close"}
    route("/coupee", body=b"<p>Il", headers=cut)
    route("/robots.txt", body=b"User-agent: *\nDisallow: /ferme")
    return {
        "absente": "http 404",
        "longue": "body over 0.3 MB",
        "dedans": "refused: no public address",
        "metadata": "refused: no public address",
        "partie": "redirect to a home page",
        "papier": "not a web page but application/pdf",
        "vide": "not a web page",
        "coupee": "page cut short",
        "ferme": "robots.txt forbids it",
    }


def test_every_failure_is_told_and_leaves_the_doubt(world: World) -> None:
    """Nothing a page does ends a cycle or settles a doubt."""
    reasons = failing(world)
    world.feed("gazette", *map(gazette, reasons))
    report = world.cycle()
    told = dict(world.rows("SELECT url, reason FROM pages"))

    assert {url.rpartition("/")[2]: reason for url, reason in told.items()} == reasons
    assert set(world.states().values()) == {"waiting"}
    assert report.failed == 0
    assert not any("127.0.0.1" in path or "169.254" in path for path in world.asked())


def test_a_page_that_never_answers_is_left_at_its_timeout(world: World) -> None:
    """It is asked for anew, of a feed polled before: only its own time is short."""

    def silent(request: BaseHTTPRequestHandler) -> None:
        request.rfile.read(1)

    world.feed("gazette", gazette("lente"))
    world.cycle()
    world.server.route("/lente", handler=silent)
    world.configured("[polling]", '[polling]\ntimeout = "1s"')
    world.cycle(NOW + 10 * MINUTE)

    assert world.rows("SELECT reason FROM pages") == [("timeout after 1 s",)]
    assert set(world.states().values()) == {"waiting"}


def test_failures_and_paywalls_are_asked_for_at_most_twice_more(world: World) -> None:
    """In a next cycle, and a day after; then no more. A short article is no failure."""
    world.page("breve")
    for name in ("abonnes-balise", "consentement"):
        world.page(name)
    world.feed(
        "gazette", *map(gazette, ("absente", "abonnes-balise", "consentement", "breve"))
    )
    counts = []
    for at in (0, 1, 10, 20, 24 * 60, 24 * 60 + 20, 3 * 24 * 60, 30 * 24 * 60):
        world.cycle(NOW + at * MINUTE)
        asked = world.asked()
        counts.append(
            tuple(
                asked.count(f"gazette.example/{n}")
                for n in ("absente", "abonnes-balise", "consentement", "breve")
            )
        )

    assert counts == [
        (1, 1, 1, 1),
        (1, 1, 1, 1),  # not a minute later
        (2, 2, 2, 1),
        (2, 2, 2, 1),
        (2, 2, 2, 1),
        (3, 3, 3, 1),
        (3, 3, 3, 1),
        (3, 3, 3, 1),
    ]


def test_a_page_that_comes_back_settles_the_doubt(world: World) -> None:
    """What failed at first is read at the second try."""
    world.feed("gazette", gazette("banniere"))
    world.cycle()
    first = world.states()
    world.page("banniere")
    world.cycle(NOW + HOUR)

    assert first == {"banniere": "waiting"}
    assert world.states() == {"banniere": "published"}


def test_what_was_read_of_a_paywall_outlives_a_later_failure(world: World) -> None:
    """A mention found in the part that is shown is found, and asks for no more."""
    world.page("abonnes-balise")
    world.feed("jour", jour("abonnes-balise", "Le prix d’un carrefour"))
    world.page("consentement")
    world.feed("gazette", gazette("consentement"))
    world.cycle()
    world.server.route("/abonnes-balise", 500)
    world.server.route("/consentement", 500)
    world.cycle(NOW + HOUR)

    assert world.states()["abonnes-balise"] == "published"
    assert world.rows("SELECT state, tries, reason FROM pages ORDER BY url") == [
        ("part", 2, "http 500"),
        ("part", 1, "paywall"),
    ]


def test_retry_after_of_a_page_holds_for_its_whole_host(world: World) -> None:
    """Neither its other pages nor its feed are asked before."""
    world.server.route("/maison", 429, headers={"Retry-After": "7200"})
    world.page("breve")
    at = [format_datetime(NOW - n * HOUR) for n in range(2)]
    world.feed("gazette", gazette("maison", date=at[0]), gazette("breve", date=at[1]))
    world.cycle()
    world.cycle(NOW + HOUR)
    before = world.asked(feeds=True)
    world.page("maison")
    world.cycle(NOW + 3 * HOUR)

    assert before.count("gazette.example/gazette/feed") == 1
    assert "gazette.example/breve" not in before
    assert "gazette.example/breve" in world.asked()


# ── cycles ────────────────────────────────────────────────────────────────────────────


def test_one_cycle_reads_so_many_pages_and_the_newest_first(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are read by the next cycles; doubts go before the rest."""
    monkeypatch.setattr("aggregator.wave.PAGES", 2)
    names = ["lundi", "mardi", "mercredi", "jeudi"]
    for name in names:
        world.server.route(f"/{name}", body=b"<p>Rien.</p>" * 3, headers=HTML)
    days = [format_datetime(NOW - 3 * DAY + n * DAY) for n in range(4)]
    entries = [
        jour(name, DOUBT if name == "lundi" else "Rien", date=day)
        for name, day in zip(names, days, strict=True)
    ]
    world.feed("jour", *entries)
    asked = []
    for minutes in (0, 1, 2):
        before = len(world.asked())
        world.cycle(NOW + minutes * MINUTE)
        asked.append([path.rpartition("/")[2] for path in world.asked()[before:]])

    assert asked == [["robots.txt", "lundi", "jeudi"], ["mercredi", "mardi"], []]


def test_pages_left_when_the_time_is_over_are_read_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cycle publishes in time; what was not asked is no failure."""
    world.page("maison")
    world.feed("gazette", gazette("maison"))
    with monkeypatch.context() as short:
        short.setattr("aggregator.wave.SECONDS", 0.0)
        world.cycle()
    first = (world.asked(), world.states(), world.rows("SELECT * FROM pages"))
    world.cycle(NOW + HOUR)

    assert first == ([], {"maison": "waiting"}, [])
    assert world.states() == {"maison": "suppressed"}


def test_no_page_is_asked_for_while_no_outlet_can_be_reached(world: World) -> None:
    """It may be this machine that is offline; a page's tries are not spent on that."""
    world.feed("gazette", gazette("absente"))
    world.cycle()
    for host in ("jour", "gazette"):
        world.server.route(f"/{host}/feed", 500)
    world.cycle(NOW + HOUR)

    assert world.asked().count("gazette.example/absente") == 1


def test_a_second_cycle_changes_nothing(world: World) -> None:
    """Neither the database nor a published byte."""
    for name in ("article", "maison", "breve"):
        world.page(name)
    world.feed("jour", jour("article", "Quarante centimes"))
    world.feed("gazette", gazette("maison"), gazette("breve"))
    folder = world.desk.config.source.parent
    world.cycle()
    before = (contents(folder), database(folder))
    report = world.cycle()

    assert report.files_written == 0
    assert (contents(folder), database(folder)) == before


def test_a_cycle_cut_off_before_it_weighed_a_page_is_completed(world: World) -> None:
    """What the next cycle finds stored it settles, without asking again."""
    world.page("article")
    world.feed("jour", jour("article", "Quarante centimes"))
    world.cycle()
    raw = sqlite3.connect(world.desk.config.storage.database)
    raw.executescript(
        "DELETE FROM mentions; DELETE FROM stories;"
        "INSERT INTO fresh SELECT id FROM entries;"
        "UPDATE entries SET story = '', reason = '', title_key = 0"
    )
    raw.close()
    world.cycle(NOW + HOUR)

    assert world.states() == {"article": "published"}
    assert world.asked() == ["jour.example/robots.txt", "jour.example/article"]


def test_a_cycle_that_is_told_to_stop_asks_for_no_page(world: World) -> None:
    """What is left is read by the next one."""
    world.page("maison")
    world.feed("gazette", gazette("maison"))
    world.cycle()
    world.feed("gazette", gazette("maison"), gazette("breve"))
    stop = threading.Event()
    stop.set()
    run.cycle(world.desk, NOW + HOUR, everything=True, stop=stop)
    before = world.asked()
    world.cycle(NOW + 2 * HOUR)

    assert "gazette.example/breve" not in before
    assert "gazette.example/breve" in world.asked()


def test_a_killed_cycle_asks_for_no_stored_page_again(world: World) -> None:
    """And ends, done again, as if nothing had happened. A second apart, by default."""
    waits = threading.Event()

    def late(request: BaseHTTPRequestHandler) -> None:
        waits.wait(60)
        body = (PAGES / "maison.html").read_bytes()
        request.send_response(200)
        request.send_header("Content-Type", "text/html")
        request.end_headers()
        request.wfile.write(body)

    for name in ("article", "latin1"):
        world.page(name)
    world.server.route("/maison", handler=late)
    world.feed("jour", jour("article", "Quarante centimes"), jour("latin1", "L’été"))
    world.feed("gazette", gazette("maison"))
    path = world.desk.config.source
    process = subprocess.Popen(
        command(path, "run", "--all"), env=environment(), stdout=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + 60
        while len(stored(world)) < 2 and time.monotonic() < until:
            threading.Event().wait(0.05)
    finally:
        process.kill()
        process.wait()
        waits.set()
    before = stored(world)
    again = aggregator(path, "run", "--all")
    times = {one.path: one.at for one in world.server.requests}

    assert before == ["jour.example/article", "jour.example/latin1"]
    assert again.returncode == 0
    assert world.states() == {
        "article": "published",
        "latin1": "published",
        "maison": "suppressed",
    }
    asked = world.asked()
    assert [asked.count(url) for url in before] == [1, 1]
    apart = times["http://jour.example/article"] - times["http://jour.example/latin1"]
    assert abs(apart) >= 0.9


def stored(world: World) -> list[str]:
    """Return the pages that are in the database, [] before there is one."""
    if not world.desk.config.storage.database.exists():
        return []
    try:
        rows = world.rows("SELECT url FROM pages WHERE state = 'full' ORDER BY url")
    except sqlite3.OperationalError:  # it is being made
        return []
    return [str(url).removeprefix("https://") for (url,) in rows]
