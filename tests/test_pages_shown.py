"""The published pages as checkers, browsers and people at a keyboard meet them.

One world, served as it would be on any host, with all that a story can look like and
all that a hostile outlet can put into it. The Nu HTML checker and axe-core check it;
it is used in Debian's Chromium.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from browsing import browser
from conftest import Server
from needs import needed, npm
from playwright.sync_api import Browser, Page, expect
from publish_cases import CASES, NOON, a_story, case, coverage, render

from aggregator.health import Followed, Window
from aggregator.model import Copy, Evidence, Story, Topic

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".atom": "application/atom+xml",
    ".rss": "application/rss+xml",
    ".json": "application/feed+json",
}
PAGES = (
    "index.html",
    "topics/auteur/index.html",
    "2026/index.html",
    "outlets/index.html",
    "embed.html",
)
# What axe-core checks in which colours; in the dark, what colours can spoil.
SCHEMES: dict[Any, list[str]] = {
    "light": "wcag2a wcag2aa wcag21a wcag21aa wcag22aa best-practice".split(),
    "dark": ["color-contrast", "link-in-text-block"],
}
# Each would set window.taken, leave its element, load something, or turn what follows.
HOSTILE = (
    "<script>taken = 1</script><img src=/x onerror='taken = 1'>",
    "'\"><svg onload=taken=1><style>*{display:none}</style>",
    "</script><script>taken = 1</script><!--",
    "</title></cite></li></ul></main><h1>Faux</h1><iframe src=//a.example>",
    "<a href='javascript:taken=1'>ici</a>&lt;b&gt;&#60;script&#62;",
    "\u202e\u2066à l’envers\u202b et \x00\x07\x1b[31m\ufffe contrôles",
    "{{ 7 * 7 }} {% raw %} %(count)s %s ${taken = 1}",
    "Confédération" * 30,
    "mot " * 25_000,
)
LANGUAGES = ("xx", "english", "en-FRA", "en-gb", "zh-Hans", "<en>", "fr")
LINKS = (
    "javascript:taken=1",
    "data:text/html,<script>taken=1</script>",
    "https://journal.example/'\"><script>taken=1</script>",
    "https://journal.example/a?b=1&c=%22%3E#d",
)


def stories() -> tuple[Story, ...]:
    """Return what the world publishes."""
    foreign = a_story(
        300,
        title="عمال النقر",
        language="ar",
        summary="من يدرّب الآلات؟",
        detail="2 min",
    )
    return (*case(CASES / "press")[2], foreign, *hostile())


def hostile() -> Iterator[Story]:
    """Yield a story for each hostile text, which stands wherever an outlet writes."""
    for number, text in enumerate(HOSTILE):
        at, url = NOON - timedelta(days=number), LINKS[number % len(LINKS)]
        evidence = Evidence(
            "auteur", text, "article", f"a \x02{text[:90]}\x03", certain=True
        )
        yield a_story(
            number,
            title=text,
            topics=("auteur",),
            summary="" if number % 2 else text,
            outlet=text,
            author=text,
            note=text[:300],
            form=text[:90],
            detail=text[:90],
            language=LANGUAGES[number % len(LANGUAGES)],
            url=url,
            home=url,
            archived=url,
            feed_url=url,
            feed_title=text,
            copies=(Copy(text, url, text, at), Copy("B " + text, url, text, at)),
            evidence=(evidence,),
            pinned=number == 0,
        )


def outlets() -> tuple[Followed, ...]:
    """Return what the world follows."""
    holes = tuple(Window("gap", NOON - timedelta(days=n), None) for n in range(20))
    named = (
        Followed(text, LINKS[number % len(LINKS)], NOON, NOON, holes[:number])
        for number, text in enumerate(HOSTILE)
    )
    return (*coverage(CASES / "press"), Followed("A", "", NOON, None, holes), *named)


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[Server, dict[str, bytes]]]:
    """Serve the published folder; yield the server and the documents by name."""
    site, topics, _ = case(CASES / "press")
    server = Server()
    documents = render(
        replace(site, url=server.url("/"), contact=f"{server.url('/')}{'contact' * 9}"),
        (*topics, Topic("long", "Anticonstitutionnellement", "Confédération" * 9)),
        stories(),
        outlets(),
    )
    for name, body in documents.items():
        kind = TYPES.get(Path(name).suffix, "application/octet-stream")
        server.route(f"/{name}", body=body, headers={"Content-Type": kind})
    yield server, documents
    server.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Yield one browser for all tests here."""
    with browser() as opened:
        yield opened


@dataclass
class Visit:
    """A page in the browser, and what happened there that should not."""

    page: Page
    faults: list[str] = field(default_factory=list)

    def watch(self, host: str) -> None:
        """Note each error, dialog, download and request to another host."""
        told = self.faults.append
        self.page.on("console", lambda message: told(message.text))
        self.page.on("pageerror", lambda error: told(str(error)))
        self.page.on("dialog", lambda dialog: told(dialog.message))
        # The sign of a page that one leaves at once is not waited for.
        self.page.on(
            "requestfailed",
            lambda one: one.failure == "net::ERR_ABORTED" or told(one.url),
        )
        self.page.on(
            "request",
            lambda one: urlsplit(one.url).netloc == host or told(one.url),
        )


@pytest.fixture
def visit(chromium: Browser, world: tuple[Server, dict[str, bytes]]) -> Iterator[Visit]:
    """Yield a browser at the front page, in which nothing may go wrong meanwhile."""
    address = world[0].url("/index.html")
    context = chromium.new_context(
        viewport={"width": 1280, "height": 800},
        reduced_motion="reduce",  # no colour is looked at on its way to another one
    )
    made = Visit(context.new_page())
    made.watch(urlsplit(address).netloc)
    made.page.goto(address)
    yield made
    taken = made.page.evaluate("typeof taken")
    context.close()

    assert made.faults == []
    assert taken == "undefined"


def test_the_html_checker_finds_nothing(
    world: tuple[Server, dict[str, bytes]], tmp_path: Path
) -> None:
    """Not an error, not a warning, in any page or style sheet.

    A fragment is checked inside of a page. That embed.html's policy names its style by
    hash is what the checker does not see, and a browser does (test_fragments).
    """
    java, server = needed("java"), world[0]
    within = tmp_path / "within.html"
    within.write_bytes(
        b"<!DOCTYPE html><html lang='fr'><meta charset='utf-8'><title>x</title>"
        + world[1]["fragment.html"]
    )
    checker = npm("vnu-jar") / "build" / "dist" / "vnu.jar"
    checked = [name for name in world[1] if name.endswith((".html", ".css"))]
    checked = [name for name in checked if "fragment" not in name]
    done = subprocess.run(
        [
            java,
            "-Dnu.validator.servlet.allow-forbidden-hosts=true",  # this machine is one
            "-jar",
            str(checker),
            "--also-check-css",
            "--format",
            "json",
            *(server.url(f"/{name}") for name in checked),
            str(within),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert set(PAGES) < set(checked)
    messages = json.loads(done.stderr)["messages"]
    assert [
        (one.get("url"), one.get("lastLine"), one["message"], one.get("extract", ""))
        for one in messages
        if not one["message"].startswith("Inline style violates Content Security")
    ] == []


@pytest.mark.parametrize("name", PAGES)
def test_nobody_is_shut_out(
    visit: Visit, world: tuple[Server, dict[str, bytes]], name: str
) -> None:
    """axe-core finds no violation of WCAG 2.2 AA or good practice, light or dark."""
    axe = (npm("axe-core") / "axe.min.js").read_text("utf-8")
    visit.page.goto(world[0].url(f"/{name}"))
    visit.page.evaluate(axe)
    for scheme, rules in SCHEMES.items():
        visit.page.emulate_media(color_scheme=scheme)
        found = visit.page.evaluate("runOnly => axe.run({runOnly})", rules)

        assert found["passes"]
        assert [
            (one["id"], one["nodes"][0]["html"]) for one in found["violations"]
        ] == []


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_no_page_is_wider_than_the_window(
    visit: Visit, world: tuple[Server, dict[str, bytes]], width: int
) -> None:
    """Nothing to scroll sideways, whatever an outlet is called or writes."""
    visit.page.set_viewport_size({"width": width, "height": 800})
    for name in (*PAGES, "topics/long/index.html"):
        visit.page.goto(world[0].url(f"/{name}"))

        assert visit.page.evaluate("document.documentElement.scrollWidth") == width


def test_a_page_leads_to_its_feeds(visit: Visit) -> None:
    """What it announces is there, of the kind it says; the address to copy is one."""
    page = visit.page
    page.get_by_role("navigation", name="Sujets").get_by_text("Antonio Casilli").click()
    announced = page.locator("link[rel=alternate]").evaluate_all(
        "links => links.map(link => [link.href, link.type])"
    )

    assert page.locator("h1").inner_text() == "Antonio Casilli"
    assert len(announced) == 6
    for href, kind in announced:
        answer = page.request.get(href)
        assert answer.ok
        assert answer.headers["content-type"] == kind
    assert page.locator("#subscribe code").inner_text() == announced[0][0]


def test_topics_years_and_the_front_page_lead_to_one_another(visit: Visit) -> None:
    """Every link of the navigations opens its page, on which it is the current one."""
    page = visit.page
    names = page.locator("nav.topics a, nav.years a, nav.about a").all_inner_texts()
    assert {"La presse", "Antonio Casilli", "2026", "Les médias suivis"} <= set(names)
    for name in names:
        page.locator("nav").get_by_role("link", name=name, exact=True).click()

        # a click does not wait until the page it leads to is there
        expect(page.locator("nav [aria-current=page]")).to_have_text([name])


def test_a_date_leads_to_the_lasting_anchor(visit: Visit) -> None:
    """There the story is in view, and the one that is shaded."""
    page = visit.page
    page.locator("#s-aaaaaaa3 .date a").click()
    story = page.locator(":target")

    assert urlsplit(page.url).path == "/2020/index.html"
    assert story.get_attribute("id") == "s-aaaaaaa3"
    assert "Who trains the machines?" in story.inner_text()
    assert story.evaluate("one => one.getBoundingClientRect().top") < 800


def test_a_keyboard_is_enough(visit: Visit) -> None:
    """The first key shows the way past the navigation; the focus is always seen."""
    page = visit.page
    page.keyboard.press("Tab")
    skip = page.locator(".skip")

    assert skip.evaluate("one => one === document.activeElement")
    assert skip.bounding_box()["y"] >= 0  # type: ignore[index]
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "list"
    stops = page.locator("main a, nav.years a, footer a").count()
    for _ in range(stops):
        page.keyboard.press("Tab")
        seen = page.evaluate(
            """() => {
                const one = document.activeElement, box = one.getBoundingClientRect();
                const style = getComputedStyle(one);
                return one.matches("a:focus-visible") && style.outlineStyle == "solid"
                  && parseInt(style.outlineWidth) >= 3
                  && box.bottom > 0 && box.top < innerHeight;
            }"""
        )
        assert seen, page.evaluate("document.activeElement.outerHTML")


def test_hostile_texts_are_only_texts(visit: Visit) -> None:
    """They are shown as they are written, cut; no element and no link comes of them."""
    page = visit.page
    page.get_by_role("navigation", name="Sujets").get_by_text("Antonio Casilli").click()
    shown = page.locator("#s-story000 .title").inner_text()
    hrefs = page.locator("a").evaluate_all("all => all.map(one => one.protocol)")

    assert shown == HOSTILE[0]
    assert page.locator("img, svg, iframe, style, script[src], b, h1 ~ h1").count() == 0
    assert set(hrefs) <= {"http:", "https:", "mailto:"}
    assert page.locator("h1").count() == 1
    assert max(map(len, page.locator(".line").all_inner_texts())) < 1000
    assert "\u202e" not in page.content()


def test_paper_has_a_line_for_each_article(visit: Visit) -> None:
    """« (2 mars 2020) Titre, Outlet. », without what only a screen can use."""
    page = visit.page
    page.emulate_media(media="print")
    lines = page.locator("#s-aaaaaaa3 .line").evaluate(
        "line => [line.innerText, getComputedStyle(line.firstChild).display]"
    )

    assert lines == [
        "(3 mars 2020) Who trains the machines? The Harbour Review.",
        "inline",
    ]
    assert page.locator("nav:visible, footer:visible, .skip:visible").count() == 0
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_browsers_ask_for_nothing_that_is_not_there(
    visit: Visit, world: tuple[Server, dict[str, bytes]]
) -> None:
    """Whatever any of these tests made the browser ask for was a document."""
    server, documents = world
    visit.page.goto(server.url("/2026/index.html"))
    asked = {urlsplit(request.path).path[1:] for request in server.requests}

    assert "style.css" in asked
    assert asked <= set(documents)
