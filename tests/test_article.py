"""Pages as articles: their text, what they say of themselves, what hides the rest."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import item, rss

from aggregator import article, sandbox
from aggregator.model import Article, Fetched, ParseError
from aggregator.parse import parse

PAGES = Path(__file__).parent / "pages"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def served(body: bytes, url: str, kind: str = "text/html") -> Fetched:
    """Return what a server answered."""
    return Fetched(url, 200, body, content_type=kind)


def page(head: str, body: str, url: str = "https://jour.example/a") -> Fetched:
    """Return a page of this head and body."""
    html = f"<!doctype html><html><head>{head}</head><body>{body}</body></html>"
    return served(html.encode(), url)


LONG = "".join(
    f"<p>La phrase {n} parle des machines et de ceux qui les aident.</p>"
    for n in range(40)
)
LONG = f"<article>{LONG}</article>"


@pytest.mark.parametrize("path", sorted(PAGES.glob("*.html")), ids=lambda p: p.stem)
def test_a_page_is_read_as_its_toml_says(path: Path) -> None:
    """Each tests/pages/NAME.html is read as NAME.toml says."""
    told = tomllib.loads(path.with_suffix(".toml").read_text("utf-8"))
    url = told.get("url", f"https://jour.example/{path.stem}")
    found = article.read(served(path.read_bytes(), url), NOW)

    assert found.obstacle == told["obstacle"]
    for name in ("canonical", "author", "published_at", "text"):
        if name in told:
            assert getattr(found, name) == told[name]
    assert [words for words in told.get("holds", []) if words not in found.text] == []
    assert [words for words in told.get("lacks", []) if words in found.text] == []


def test_what_is_no_web_page_is_refused_by_name() -> None:
    """A PDF, an image or a feed is no article, whatever its bytes."""
    with pytest.raises(ParseError, match="not a web page but application/pdf"):
        article.read(served(b"%PDF-1.7", "https://a.fr/b", "application/pdf"), NOW)


@pytest.mark.parametrize("body", [b"", b"  ", b"\x00\x01\x02", b"{}"])
def test_what_holds_no_markup_is_refused(body: bytes) -> None:
    """Neither an empty answer nor data is read as an article."""
    with pytest.raises(ParseError, match="not a web page"):
        article.read(served(body, "https://a.fr/b"), NOW)


@pytest.mark.parametrize(
    ("href", "key"),
    [
        ("https://www.jour.example/b?xtor=RSS-1#haut", "https://jour.example/b"),
        ("//blogs.jour.example/b", "https://blogs.jour.example/b"),
        ("/b", "https://jour.example/b"),
        ("https://jour.example/", ""),  # a home page is no article's address
        ("https://ailleurs.example/b", "https://jour.example/a"),
        ("javascript:alert(1)", "https://jour.example/a"),
        ("http://[", "https://jour.example/a"),
        ("", "https://jour.example/a"),
    ],
)
def test_a_page_names_an_address_of_its_own_site(href: str, key: str) -> None:
    """Whatever else it names is not believed; then it is where it was found."""
    link = f'<link rel="canonical" href="{href}">'

    assert article.read(page(link, LONG), NOW).canonical == key


def test_a_cache_of_amp_pages_names_their_site() -> None:
    """Only there another site's address is the page's own."""
    link = '<link rel="canonical" href="https://www.jour.example/a">'
    url = "https://jour-example.cdn.ampproject.org/c/s/www.jour.example/a.amp"

    assert article.read(page(link, LONG, url), NOW).canonical == (
        "https://jour.example/a"
    )


def test_where_a_redirect_led_counts_for_a_whole_article_only() -> None:
    """Else every article behind a login would share the login's address."""
    short = page("", "<article><p>Connectez-vous.</p></article>")

    assert article.read(short, NOW).canonical == ""


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ('<meta property="article:content_tier" content="locked">', ""),
        ('<meta itemprop="isAccessibleForFree" content="False">', ""),
        (
            (
                '<script type="application/ld+json">[{"@type":"NewsArticle",'
                '"isAccessibleForFree":false}]</script>'
            ),
            "",
        ),
        (
            (
                '<script type="application/ld+json">{"@type":"NewsArticle","hasPart":'
                '{"isAccessibleForFree":"http://schema.org/False"}}</script>'
            ),
            "",
        ),
        ("", '<div id="poool-widget"></div>'),
        ("", '<div class="premium-paywall is-open">Abonnez-vous</div>'),
        ("", "<p>Article réservé aux abonnés</p>"),
        ("", "<div><b>Réservé</b> à nos abonnés</div>"),
        ("", "<p>Pour lire la suite, abonnez-vous dès 1 €</p>"),
        ("", "<p>Il vous reste 75 % de cet article à lire.</p>"),
    ],
)
def test_every_mark_of_a_paywall_is_seen(head: str, body: str) -> None:
    """However long the text is that stands before it."""
    assert article.read(page(head, LONG + body), NOW).obstacle == "paywall"


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ('<meta property="article:content_tier" content="free">', ""),
        (
            (
                '<script type="application/ld+json">{"@type":"NewsArticle",'
                '"isAccessibleForFree":true}</script>'
            ),
            "",
        ),
        (
            (
                '<script type="application/ld+json">{"@type":"ItemList",'
                '"itemListElement":[{"isAccessibleForFree":false}]}</script>'
            ),
            "",
        ),
        ('<script type="application/ld+json">' + "[" * 5000 + "</script>", ""),
        ("", "<aside><p>Article réservé aux abonnés</p></aside>"),
        ("", '<a href="/b">Une autre histoire <span>Réservé aux abonnés</span></a>'),
        ("", '<div class="paywall" hidden>Article réservé aux abonnés</div>'),
        ("", '<div class="paywall-off"></div>'),
        ("", "<script>var paywall = 'Article réservé aux abonnés'</script>"),
    ],
)
def test_what_only_looks_like_a_paywall_is_none(head: str, body: str) -> None:
    """Teasers of other articles, hidden boxes and lists say nothing of this one."""
    assert article.read(page(head, LONG + body), NOW).obstacle == ""


def test_an_article_about_consent_is_no_wall() -> None:
    """What it says of cookies, and the banner beside it, do not make it one."""
    opening = (
        "<p>Les cookies ont vingt ans. Leur inventeur, qui vit à Nantes, dit "
        "aujourd’hui que la vie privée n’était pas son sujet.</p>"
    )
    banner = "<div><button>Tout accepter</button><button>Tout refuser</button></div>"

    assert article.read(page("", opening + LONG + banner), NOW).obstacle == ""


def test_a_paragraph_that_returns_counts_each_time() -> None:
    """Only one of them is kept, but the article is as long as it stands there."""
    refrain = f"<p>{'Que reste-t-il de nos machines ? ' * 10}</p>"
    verses = "<article><p>Un refrain, cinq fois.</p>" + refrain * 5 + "</article>"
    found = article.read(page("", verses), NOW)

    assert found.obstacle == ""
    assert len(found.text) < 1500


def test_most_of_a_page_is_no_article() -> None:
    """Megabytes of scripts, styles and drawings cost little; JSON-LD is kept."""
    ballast = "".join(
        f"<{name}>{'var a = 1; ' * 50_000}</{name.upper()}>"
        for name in ("script", "style", "svg")
    )
    said = '{"@type":"NewsArticle","isAccessibleForFree":false}'
    head = (
        f'<!-- {ballast} -->{ballast}<script type="application/ld+json">{said}</script>'
    )
    free = article.read(page(ballast, LONG + ballast), NOW)

    assert free.obstacle == ""
    assert "var a" not in free.text
    assert article.read(page(head, LONG), NOW).obstacle == "paywall"


def test_what_is_never_closed_hides_the_rest() -> None:
    """As browsers have it; a million openings cost one pass."""
    found = article.read(page("", LONG + "<script>" * 100_000), NOW)

    assert found.obstacle == ""


def test_a_day_without_an_hour_is_its_noon() -> None:
    """So that no zone of Europe or America makes another day of it."""
    head = '<meta property="article:published_time" content="2020-02-14">'

    assert article.read(page(head, LONG), NOW).published_at == datetime(
        2020, 2, 14, 12, tzinfo=UTC
    )


def test_no_article_is_younger_than_the_present() -> None:
    """A date ahead is a mistake, and no date."""
    head = '<meta property="article:published_time" content="2031-02-14T10:00:00Z">'

    assert article.read(page(head, LONG), NOW).published_at is None


def test_authors_are_names_without_addresses() -> None:
    """Several are joined by commas; addresses of mail are not for republishing."""
    head = '<meta name="author" content="Jeanne Morvan; Karim Delaunay">'

    assert article.read(page(head, LONG), NOW).author == "Jeanne Morvan, Karim Delaunay"


def crowded(fetched: Fetched) -> Article:
    """Read a page where next to no memory is left for a small call."""
    ballast = bytearray(23_000_000)
    found = article.read(fetched, NOW)
    assert len(ballast) == 23_000_000
    return found


def test_a_child_short_of_memory_can_still_read_the_next_page() -> None:
    """The libraries for pages are loaded whole, or a child would never read one."""
    free = page("", LONG)

    assert sandbox.run(crowded, free, timeout=30).obstacle == ""
    assert sandbox.run(article.read, free, NOW, timeout=30).obstacle == ""
    sandbox.close()


def entries(body: bytes) -> int:
    """Return how many entries a feed has, read with the room of a small call."""
    ballast = bytearray(18_000_000)
    url = "https://jour.example/feed"
    found = parse(Fetched(url, 200, body), url, 100)
    assert len(ballast) == 18_000_000
    return len(found.entries)


def test_a_child_that_has_read_a_page_reads_feeds_as_well() -> None:
    """What the libraries for pages take is no call's, and a feed needs none of them."""
    body = rss(item("a", "Un article"))
    for _ in range(4):  # in each of the children
        assert sandbox.run(article.read, page("", LONG), NOW, timeout=30).obstacle == ""
    for _ in range(4):
        assert sandbox.run(entries, body, timeout=30) == 1
    sandbox.close()


_PIECES = """
    <p> </p> <article> <div|class=paywall > <a|href=' é &#x; <!-- ] </script> {"a": \x00
    <script|type='application/ld+json'> <link|rel=canonical|href= <meta|charset=utf-16>
    <time|datetime=2020-
"""
_MARKUP = st.lists(
    st.sampled_from([piece.replace("|", " ") for piece in _PIECES.split()]), max_size=30
)


@settings(max_examples=60, deadline=None)
@given(
    body=st.one_of(st.binary(max_size=300), _MARKUP.map(lambda p: "".join(p).encode()))
)
def test_no_page_makes_reading_raise_anything_else(body: bytes) -> None:
    """Whatever a server sends, it is an article or a ParseError."""
    with suppress(ParseError):
        article.read(served(body, "https://a.fr/b"), NOW)


def test_a_process_that_reads_no_page_loads_no_library_for_pages() -> None:
    """The rooms of a cycle know the functions, and nothing of what they need."""
    code = (
        "import sys, aggregator.run; print({'trafilatura', 'protego'} & {*sys.modules})"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert told.stdout == "set()\n"
