"""The list in a page that is not ours: included, and framed, whatever its style."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import pytest
from browsing import browser
from conftest import Server
from lxml import html
from playwright.sync_api import Browser, BrowserContext, Frame, Page
from publish_cases import CASES, SITE, TOPICS, a_story, case, render

from aggregator.model import Copy

DOCS = Path(__file__).parents[1] / "docs" / "wordpress.md"
FRAGMENTS = ("fragment.html", "topics/film/fragment.html")
# What themes, page builders and resets do to elements that they did not write.
HOSTILE = """
* { box-sizing: content-box; letter-spacing: .04em; }
body { margin: 0; font: 19px/1.7 fantasy; background: #101; color: #fed; }
.entry-content { max-width: 44rem; margin: 0 auto; padding: 0 16px; overflow: hidden; }
.entry-content ul { list-style: square; padding: 30px 0 30px 60px; columns: 1; }
.entry-content li { float: left; width: 40%; margin: 0 4% 20px 0; }
.entry-content li::before { content: "\\2605"; font-size: 40px; float: left; }
.entry-content p { font-size: 40px; line-height: 1; text-indent: 2em; clear: both; }
@media (max-width: 600px) { .entry-content p { font-size: 26px; } }
a { color: #ff0 !important; text-transform: uppercase; display: inline-block;
  border-bottom: 4px dotted; }
a:hover { font-size: 200%; }
span { white-space: normal; background: #303; }
cite { font-size: 30px; display: block; }
time { border: 1px solid; }
iframe { border: 10px solid red; }
.list, .item, .story, .date, .title, .also, .facts { display: none !important; }
"""


@dataclass(frozen=True)
class Shown:
    """A page in a browser, what went wrong on it, and the hosts it asked."""

    page: Page
    faults: list[str]
    asked: set[str]


@pytest.fixture(scope="module")
def outlet() -> Iterator[Server]:
    running = Server()
    yield running
    running.close()


@pytest.fixture(scope="module")
def documents(outlet: Server) -> dict[str, bytes]:
    """Return a published folder that is served at its own address."""
    _, topics, stories = case(CASES / "press")
    site = replace(SITE, url=outlet.url("/presse/"))
    made = render(site, topics, [*stories, *map(a_story, range(6))])
    for name, body in made.items():
        kind = "text/css" if name.endswith(".css") else "text/html"
        outlet.route(f"/presse/{name}", body=body, headers={"Content-Type": kind})
    headers = {"Content-Type": "text/html"}
    outlet.route("/presse/", body=made["index.html"], headers=headers)
    return made


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


def snippet(kind: str, number: int = 0) -> str:
    """Return an example of docs/wordpress.md."""
    return re.findall(rf"```{kind}\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)[
        number
    ]


def wordpress(outlet: Server, documents: dict[str, bytes], style: str) -> str:
    """Serve a page with the fragment and, as documented, the frame; return its URL."""
    frame = snippet("html").replace("https://film.example", outlet.url(""))
    body = (
        f"<!DOCTYPE html><html lang='fr'><head><meta charset='iso-8859-15'>"
        f"<meta name='viewport' content='width=device-width'>"
        f"<link rel='icon' href='data:,'>"
        f"<title>x</title><style>{style}</style></head><body class='wp'>"
        f"<div class='entry-content wp-block-group'><h2>Revue de presse</h2>"
        f"<ul id='own'><li>Un <a href='#'>lien</a> du site</li></ul>"
        f"<div style='clear: both'></div>"
        f"{documents['fragment.html'].decode('ascii')}"
        f"<div style='clear: both'></div>{frame}</div></body></html>"
    )
    headers = {"Content-Type": "text/html"}
    return outlet.route("/page/", body=body.encode("iso-8859-15"), headers=headers)


def shown(context: BrowserContext, address: str) -> Shown:
    page = context.new_page()
    seen = Shown(page, [], set())
    page.on("console", lambda message: seen.faults.append(message.text))
    page.on("pageerror", lambda error: seen.faults.append(str(error)))
    page.on("requestfailed", lambda request: seen.faults.append(request.url))
    page.on("request", lambda request: seen.asked.add(request.url))
    page.goto(address)
    page.locator("iframe").scroll_into_view_if_needed()
    page.frame_locator("iframe").locator(".aggr-more").wait_for()
    return seen


# Of each line of each text that is to be read: its size, whether it lies in the window,
# whether it is what one sees there, and its contrast with what lies behind it.
READABLE = """() => {
  const light = colour => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map(v => {
      v /= 255; return v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; });
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const root = document.querySelector('.aggr-press, main'), found = [];
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let text; text = walker.nextNode();) {
    if (text.data.trim().length < 2) continue;
    const one = text.parentElement, style = getComputedStyle(one);
    const range = document.createRange();
    range.selectNodeContents(text);
    let behind = one;
    const clear = () => /, 0\\)$/.test(getComputedStyle(behind).backgroundColor);
    while (behind.parentElement && clear())
      behind = behind.parentElement;
    const [a, b] = [light(style.color), light(getComputedStyle(behind).backgroundColor)]
      .sort((x, y) => y - x);
    const count = range.getClientRects().length;
    for (let i = 0; i < count; i++) {
      scrollBy(0, range.getClientRects()[i].y - innerHeight / 2);
      const box = range.getClientRects()[i];
      const seen = document.elementFromPoint(
        box.x + box.width / 2, box.y + box.height / 2);
      found.push([text.data, parseFloat(style.fontSize),
        box.left >= 0 && box.right <= innerWidth + 1,
        seen !== null && (one.contains(seen) || seen.contains(one)),
        (a + .05) / (b + .05)]);
    }
    if (!count) found.push([text.data, 0, false, false, 0]);
  }
  return found;
}"""
# No line of one article touches a line of another.
APART = """() => {
  const lines = [...document.querySelectorAll('.aggr-item')].flatMap((item, n) => {
    const range = document.createRange();
    range.selectNodeContents(item);
    return [...range.getClientRects()].map(box => [n, box]);
  });
  return lines.every(([n, a]) => lines.every(([m, b]) => n === m
    || a.right <= b.left + 1 || b.right <= a.left + 1
    || a.bottom <= b.top + 1 || b.bottom <= a.top + 1));
}"""


def check_readable(frame: Page | Frame) -> None:
    lines = frame.evaluate(READABLE)
    assert len(lines) > 10
    for name, size, inside, seen, contrast in lines:
        assert size >= 12, name
        assert inside, name
        assert seen, name
        assert contrast >= 4.5, name
    assert frame.evaluate(APART)


@pytest.mark.parametrize("width", [1280, 340])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read_in_a_hostile_page(
    chromium: Browser,
    outlet: Server,
    documents: dict[str, bytes],
    width: int,
    scheme: str,
) -> None:
    """Included and framed: nothing hidden, overlaid, cut off, faint or fetched."""
    context = chromium.new_context(
        viewport={"width": width, "height": 800},
        color_scheme=scheme,  # type: ignore[arg-type]
    )
    seen = shown(context, wordpress(outlet, documents, HOSTILE))
    (framed,) = seen.page.frames[1:]
    check_readable(seen.page)
    check_readable(framed)

    assert seen.faults == []
    assert all(url.startswith(outlet.url("/")) for url in seen.asked)
    size = "getComputedStyle(document.body).fontSize"
    assert framed.evaluate(size) == "16px"
    context.close()


def test_the_documented_style_tames_a_hostile_one(
    chromium: Browser, outlet: Server, documents: dict[str, bytes]
) -> None:
    """The lines to paste give one article below the other, without bullets."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    style = HOSTILE + snippet("css")
    seen = shown(context, wordpress(outlet, documents, style))
    check_readable(seen.page)
    left = "[...document.querySelectorAll('.aggr-item')].map(e => e.offsetLeft)"

    assert len(set(seen.page.evaluate(left))) == 1
    context.close()


def test_the_page_around_it_keeps_its_look(
    chromium: Browser, outlet: Server, documents: dict[str, bytes]
) -> None:
    """With the fragment and without, all that a browser computes of it is the same."""
    context = chromium.new_context()
    look = """() => [...document.querySelectorAll('#own, #own *, h2')].map(
      one => Object.values(getComputedStyle(one)).map(k => getComputedStyle(one)[k]))"""
    seen = shown(context, wordpress(outlet, documents, HOSTILE))
    before = seen.page.evaluate(look)
    seen.page.evaluate("document.querySelector('.aggr-press').remove()")

    assert seen.page.evaluate(look) == before
    context.close()


def test_links_of_the_frame_open_in_a_tab_of_their_own(
    chromium: Browser, outlet: Server, documents: dict[str, bytes]
) -> None:
    """They leave the frame alone and get no hold of the page that it is in."""
    context = chromium.new_context()
    seen = shown(context, wordpress(outlet, documents, ""))
    with context.expect_page() as opened:
        seen.page.frame_locator("iframe").locator(".aggr-more a").first.click()
    opened.value.wait_for_load_state()

    assert opened.value.url == outlet.url("/presse/")
    assert opened.value.evaluate("window.opener") is None
    assert seen.page.frames[1].url == outlet.url("/presse/embed.html")
    assert seen.faults == []
    context.close()


ATTACKS = (
    "<script>taken = 1</script><img src=/x onerror='taken = 1'>",
    "'\"><svg onload=taken=1><style>*{display:none}</style>",
    "</a></p></div></body><h1>Faux</h1><iframe src=//a.example></iframe>",
    "<!-- {{ 7 * 7 }} %(count)s </style> ]]>",
    "\u202e\u2066à l’envers\u202b \x00\x07\x1b[31m\ufffe\ud800 contrôles",
)


def test_hostile_words_are_only_words(
    chromium: Browser, outlet: Server, documents: dict[str, bytes]
) -> None:
    """They run nothing, load nothing and add no element, included or framed."""
    links = ("javascript:taken=1", "https://a.example/'\"><script>taken=1</script>")
    site = replace(SITE, url=outlet.url("/presse/"))
    hostile = render(
        site,
        TOPICS,
        [
            a_story(n, title=text, outlet=text, author=text, detail=text, url=url)
            for n, (text, url) in enumerate(product(ATTACKS, links))
        ],
    )
    context = chromium.new_context()
    headers = {"Content-Type": "text/html"}
    kept = outlet.routes["/presse/embed.html"]
    outlet.route("/presse/embed.html", body=hostile["embed.html"], headers=headers)
    seen = shown(context, wordpress(outlet, documents | hostile, ""))
    outlet.routes["/presse/embed.html"] = kept

    assert seen.faults == []
    assert all(url.startswith(outlet.url("/")) for url in seen.asked)
    for frame in seen.page.frames:
        assert frame.evaluate("typeof taken") == "undefined"
        tags = "[...document.querySelectorAll('.aggr-list *')].map(e => e.localName)"
        assert set(frame.evaluate(tags)) <= {"p", "span", "time", "a", "cite"}
    context.close()


@pytest.mark.parametrize("name", FRAGMENTS)
def test_a_fragment_brings_nothing_but_the_list(name: str) -> None:
    """ASCII, prefixed classes, absolute links; no style, script, id or heading."""
    body = render(SITE, TOPICS, [a_story(), a_story(1, url="")])[name].decode("ascii")
    tree = html.fragment_fromstring(body)

    assert {one.tag for one in tree.iter()} == set("div p span time a cite".split())
    attributes = {key for one in tree.iter() for key in one.attrib}
    assert attributes == {"class", "datetime", "href", "lang", "role"}
    assert all(one.startswith("aggr-") for one in tree.xpath("//@class"))
    assert all(one.startswith("https://") for one in tree.xpath("//@href"))


def test_each_fragment_has_the_stories_of_its_page() -> None:
    """The main topics' on the front, each topic's own; pinned ones first."""
    stories = [
        a_story(),
        a_story(1, topics=("travail",)),
        a_story(2, pinned=True),
        *map(a_story, range(3, 130)),
    ]
    documents = render(SITE, TOPICS, stories)

    def titles(name: str) -> list[str]:
        tree = html.document_fromstring(documents[name].decode())
        return [one.text_content() for one in tree.find_class("aggr-title")]

    assert titles("fragment.html")[:3] == [
        "Un article numéro 2",
        "Un article numéro 0",
        "Un article numéro 3",
    ]
    assert len(titles("fragment.html")) == 101
    assert titles("topics/travail/fragment.html") == ["Un article numéro 1"]
    assert len(titles("embed.html")) == 20


def test_without_stories_it_says_so() -> None:
    """An empty list would be no list."""
    documents = render(SITE, TOPICS, [])

    for name in (*FRAGMENTS, "embed.html"):
        text = html.document_fromstring(documents[name].decode()).text_content()
        assert "Pas encore d’article." in text


def test_other_outlets_are_named_with_their_links() -> None:
    """« Aussi dans », with a link where there is one."""
    story = a_story()
    copies = [
        Copy("Le Soir", "https://soir.example/1", "x", story.published_at),
        Copy("France Inter", "", "x", story.published_at),
    ]
    body = render(SITE, TOPICS, [a_story(copies=(*story.copies, *copies))])
    tree = html.document_fromstring(body["fragment.html"])
    (also,) = tree.find_class("aggr-also")

    assert also.text_content() == "Aussi dans Le Soir, France Inter."
    assert also.xpath("a/@href") == ["https://soir.example/1"]


def test_every_class_is_documented() -> None:
    """Those who style the list find all of its classes in docs/wordpress.md."""
    story = a_story(form="tv", copies=a_story().copies * 2)
    body = render(SITE, TOPICS, [story])["fragment.html"].decode()
    classes = set(re.findall(r'class="([^"]+)"', body))

    assert classes == set(re.findall(r"`(aggr-[a-z]+)`", DOCS.read_text("utf-8")))
