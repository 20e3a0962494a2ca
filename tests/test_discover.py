"""discover: what sites offer, what of it is worth having, and how it is told."""

from __future__ import annotations

import json
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from conftest import Server
from worlds import EPOCH, configure, item, rss

from aggregator import config as configuration
from aggregator.cli import main
from aggregator.discover import WELL_KNOWN
from aggregator.model import Outlet
from aggregator.offers import Offer, compared_with, proposal
from aggregator.parse import discovery

HTML = {"Content-Type": "text/html; charset=utf-8"}
NEWS = (
    '<url><loc>https://jour.example/{0}</loc><news:news xmlns:news="http://www.google.'
    'com/schemas/sitemap-news/0.9"><news:publication><news:name>Le Jour</news:name>'
    "<news:language>fr</news:language></news:publication><news:title>Article {0}"
    "</news:title><news:publication_date>2026-11-23T08:00:00Z</news:publication_date>"
    "</news:news></url>"
)
SITEMAPS = "http://www.sitemaps.org/schemas/sitemap/0.9"


def call(path: Path, *words: str, **more: str) -> Result:
    """Run discover in this process. more: of its environment."""
    env = {"SOURCE_DATE_EPOCH": EPOCH, **more}
    return CliRunner().invoke(
        main, ["--config", str(path), "discover", *words], env=env
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a feeds.toml with an outlet of its own."""
    return configure(tmp_path, {"Le Soir": "https://soir.example/rss"})


def items(start: int, end: int, name: str = "article") -> list[str]:
    """Return items of a feed."""
    date = "Mon, 23 Nov 2026 08:00:00 GMT"
    return [item(f"{name}-{n}", f"{name} {n}", date=date) for n in range(start, end)]


def atom(start: int, end: int) -> bytes:
    """Return the Atom feed of the articles that `items` are."""
    entries = "".join(
        f"<entry><id>urn:{n}</id><title>article {n}</title>"
        "<updated>2026-11-23T08:00:00Z</updated>"
        f'<link href="https://jour.example/article-{n}"/></entry>'
        for n in range(start, end)
    )
    return (
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="fr"><title>Le Jour</title>'
        f"<id>urn:jour</id><updated>2026-11-23T08:00:00Z</updated>{entries}</feed>"
    ).encode()


def page(server: Server, path: str, head: str, body: str = "") -> str:
    """Serve a page; return its address."""
    html = (
        f"<!doctype html><html lang='fr'><head>{head}</head><body>{body}</body></html>"
    )
    return server.route(path, body=html.encode(), headers=HTML)


def named(*links: tuple[str, str]) -> str:
    """Return the head of a page that names feeds, as pairs of address and title."""
    kind = '<link rel="alternate" type="application/rss+xml"'
    return "".join(f'{kind} href="{url}" title="{title}">' for url, title in links)


def asked(server: Server) -> list[str]:
    """Return the paths that were asked, but for robots.txt."""
    paths = [request.path for request in server.requests]
    return [path for path in paths if path != "/robots.txt"]


def outlets(path: Path) -> dict[str, Any]:
    """Return [outlets] of a feeds.toml."""
    return dict(tomllib.loads(path.read_text())["outlets"])


def test_a_wordpress_site(path: Path, server: Server) -> None:
    """Its feed and a section's; not the comments, the second format, the interface."""
    home = page(
        server,
        "/",
        "<title>Accueil - Le Jour</title>"
        '<meta property="og:site_name" content="Le &quot;Jour&quot;">'
        '<link rel="alternate" type="application/json" href="/wp-json/wp/v2/pages/2">'
        + named(
            ("/feed/", "Le Jour » Flux"),
            ("/comments/feed/", "Le Jour » Flux des commentaires"),
            ("/une/feed/", "Le Jour » Accueil Flux des commentaires"),
            ("/feed/atom/", "Atom"),
            ("/culture/feed/", "Culture"),
            ("/vieux/feed/", "Archives"),
            ("/reponses/feed/", "Le Jour"),
        ),
    )
    feed = server.route("/feed/", body=rss(*items(0, 10)))
    server.route("/feed/atom/", body=atom(0, 10))
    culture = server.route("/culture/feed/", body=rss(*items(0, 3, "culture")))
    server.route("/reponses/feed/", body=rss(*items(0, 2), title="Comments on: Une"))
    done = call(path, home)

    assert done.exit_code == 0, done.stderr
    assert tomllib.loads(done.stdout) == {'Le "Jour"': [feed, culture]}
    assert done.stderr == (
        f'Le "Jour" ({home}):\n'
        f"  {feed}\n"
        "    new: RSS, 10 entries, newest 2026-11-23, « Le Jour »\n"
        f"  {feed}atom/\n"
        f"    same as {feed}: Atom, 10 entries, newest 2026-11-23, fr, « Le Jour »\n"
        f"  {culture}\n"
        "    new: RSS, 3 entries, newest 2026-11-23, « Le Jour »\n"
        "of no use:\n"
        f"  {home}comments/feed/: comments, not articles\n"
        f"  {home}une/feed/: comments, not articles\n"
        f"  {home}vieux/feed/: http 404\n"
        f"  {home}reponses/feed/: comments, not articles\n"
        "that line goes under [outlets] in feeds.toml; --add writes it there\n"
    )
    assert "/comments/feed/" not in asked(server)


def test_a_drupal_site_names_nothing(path: Path, server: Server) -> None:
    """Its feed stands where Drupal has it; no other place is asked after that."""
    home = page(server, "/", "<title>Actualités | La Gazette</title>")
    feed = server.route("/rss.xml", body=rss(*items(0, 4), title="La Gazette"))
    done = call(path, home)

    assert tomllib.loads(done.stdout) == {"La Gazette": feed}
    assert asked(server) == ["/", "/feed", "/rss.xml"]


def test_a_site_has_nothing_but_a_news_sitemap(path: Path, server: Server) -> None:
    """Its robots.txt names a list of sitemaps, and that the one of news."""
    home = page(server, "/", "<title>Le Jour</title>")
    server.route(
        "/robots.txt",
        body=f"Disallow: /x\nsitemap : {server.url('/all.xml')}".encode(),
    )
    news = server.url("/google-news.xml")
    names = [server.url("/2019.xml"), news, server.url("/2020.xml")]
    places = "".join(f"<sitemap><loc>{url}</loc></sitemap>" for url in names)
    listed = f'<sitemapindex xmlns="{SITEMAPS}">{places}</sitemapindex>'
    server.route("/all.xml", body=listed.encode())
    urls = "".join(NEWS.format(n) for n in range(5))
    document = f'<urlset xmlns="{SITEMAPS}">{urls}</urlset>'
    server.route("/google-news.xml", body=document.encode())
    done = call(path, home, "--add")

    assert done.exit_code == 0, done.stderr
    assert outlets(path)["Le Jour"] == {"url": news, "kind": "sitemap"}
    assert "new: news sitemap, 5 entries, newest 2026-11-23, fr" in done.stderr
    assert asked(server)[-2:] == ["/all.xml", "/google-news.xml"]

    server.requests.clear()
    again = call(path, server.url("/all.xml"))
    assert (again.exit_code, again.stdout) == (0, "")
    assert "polled already, for Le Jour" in again.stderr


def test_a_news_sitemap_beside_a_feed(path: Path, server: Server) -> None:
    """Is told, not taken: it has titles only. Other sitemaps are not asked."""
    home = page(server, "/", named(("/feed/", "")))
    feed = server.route("/feed/", body=rss(*items(0, 2)))
    server.route(
        "/robots.txt",
        body=b"Sitemap: http://[\nSitemap: /sitemap.xml\nSitemap: /news.xml",
    )
    document = f'<urlset xmlns="{SITEMAPS}">{NEWS.format(1)}</urlset>'
    server.route("/news.xml", body=document.encode())
    done = call(path, home)

    assert tomllib.loads(done.stdout) == {"Le Jour": feed}
    assert f"titles only, in place of {feed}: news sitemap, 1 entry" in done.stderr
    assert asked(server) == ["/", "/feed/", "/news.xml"]


def test_a_page_that_is_gone(path: Path, server: Server) -> None:
    """Its site's home page is asked all the same; so is what it names once."""
    page(server, "/", named(("/feed/", ""), ("/feed/", ""), ("/feed", "")))
    feed = server.route("/feed/", body=rss(*items(0, 2)))
    done = call(path, server.url("/2020/parti.html"))

    assert tomllib.loads(done.stdout) == {"Le Jour": feed}
    assert f"  {server.url('/2020/parti.html')}: http 404\n" in done.stderr
    assert asked(server) == ["/2020/parti.html", "/", "/feed/"]


def test_a_page_of_relative_links(path: Path, server: Server) -> None:
    """They count from its base; a page that names nothing is followed to its links."""
    url = page(
        server,
        "/2020/clic.html",
        '<base href="/flux/">',
        '<a href="rss.php?x=1">RSS</a> <a href="javascript:rss()">x</a>'
        '<a href="a/atom.xml" title="Tout"></a><a href="feedback">avis</a>',
    )
    page(server, "/", "<title>La Gazette – Accueil</title>")
    feed = server.route("/flux/a/atom.xml", body=atom(0, 3))
    done = call(path, url)

    assert tomllib.loads(done.stdout) == {"Le Jour": feed}
    assert asked(server) == [
        "/2020/clic.html",
        "/",
        "/flux/rss.php?x=1",
        "/flux/a/atom.xml",
    ]


def test_a_page_of_feeds_is_gone_through(path: Path, server: Server) -> None:
    """Many a site links to one, or has it where others have their feed."""
    home = page(server, "/", "", '<a href="/flux-rss/">RSS</a>')
    links = '<a href="/rss/une.xml">Une</a><a href="/rss/vide.xml">x</a>'
    page(server, "/flux-rss/", "", links)
    server.route("/rss/vide.xml", body=rss())
    feed = server.route("/rss/une.xml", body=rss(*items(0, 2)))
    done = call(path, home)

    assert tomllib.loads(done.stdout) == {"Le Jour": feed}
    assert f"  {home}rss/vide.xml: no article in it\n" in done.stderr

    server.routes["/rss"] = server.routes.pop("/flux-rss/")
    page(server, "/", "")
    assert call(path, home).stdout == done.stdout


def test_a_hostile_page(path: Path, server: Server) -> None:
    """Ten thousand feeds, private addresses, what is no address: few are asked."""
    many = named(*((f"/f{n}", "") for n in range(10_000)))
    odd = named(
        ("javascript:alert(1)", ""), ("http://[", ""), ("file:///etc/passwd", "")
    )
    home = page(server, "/", f"<title>\x1b[31mX</title>{odd}{many}")
    server.route("/f3", body=b"<rss><channel>" + b"<item>" * 1000)
    start = time.monotonic()
    done = call(path, home)

    assert done.exit_code in (0, 1)
    assert time.monotonic() - start < 20
    assert len(asked(server)) < 60
    assert "only the first 20 asked" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr


def test_private_addresses_are_not_asked(path: Path, server: Server) -> None:
    """Not for a person, nor because a public page names them or redirects there."""
    text = path.read_text().replace("allow_private_addresses = true", 'spacing = "0s"')
    path.write_text(text)
    inside = server.route("/feed/", body=rss(*items(0, 2)))
    server.route("/away", 302, headers={"Location": inside})
    metadata = "http://169.254.169.254/rss"
    page(server, "/", named(*((url, "") for url in (inside, metadata, "/away"))))
    direct = call(path, server.url("/"))

    assert direct.exit_code == 1
    assert direct.stderr.startswith(f"aggregator: {server.url('/')}: not asked: ")
    assert server.requests == []

    # a proxy stands in for the public Internet, which tests do not have
    done = call(path, "http://jour.invalid/", http_proxy=server.url(""), no_proxy="")

    assert done.exit_code == 1
    for url in (inside, metadata, "http://jour.invalid/away"):
        assert f"  {url}: refused: no public address" in done.stderr
    asked = [request.path for request in server.requests]
    assert all(url.startswith("http://jour.invalid/") for url in asked)


def test_what_robots_txt_forbids_is_not_asked(path: Path, server: Server) -> None:
    """It is told with its address, for whoever may list it all the same."""
    home = page(server, "/", named(("/feed/", ""), ("/rss/", "")))
    server.route("/robots.txt", body=b"User-agent: *\nDisallow: /feed/\n")
    server.route("/feed/", body=rss(*items(0, 9)))
    feed = server.route("/rss/", body=rss(*items(0, 9)))
    done = call(path, home)

    assert tomllib.loads(done.stdout) == {"Le Jour": feed}
    assert f"  {home}feed/: robots.txt forbids it\n" in done.stderr
    assert "/feed/" not in asked(server)


@pytest.mark.parametrize(
    ("robots", "code", "why"),
    [
        (b"User-agent: *\nDisallow: /", 1, "no feed found; "),
        (b"", 1, "no feed found; "),
        (503, 1, "not asked: robots.txt is not to be had: http 503"),
    ],
)
def test_nothing_is_found(
    path: Path, server: Server, robots: bytes | int, code: int, why: str
) -> None:
    """Each place that was tried is told, and what to do then."""
    home = page(server, "/", "<title>Rien</title>")
    if isinstance(robots, int):
        server.route("/robots.txt", robots)
    else:
        server.route("/robots.txt", body=robots)
    done = call(path, home, "--add")

    assert (done.exit_code, done.stdout) == (code, "")
    assert why in done.stderr
    if not robots:
        assert all(f"{home}{place[1:]}: " in done.stderr for place in WELL_KNOWN)
        assert "look for « RSS » on the site" in done.stderr
    elif isinstance(robots, bytes):
        assert asked(server) == []
    assert list(outlets(path)) == ["Le Soir"]


def test_a_host_that_wants_to_be_left_alone_is(path: Path, server: Server) -> None:
    """After a 429 with Retry-After nothing more is asked."""
    home = page(server, "/", named(("/a", ""), ("/b", ""), ("/c", "")))
    server.route("/a", 429, headers={"Retry-After": "3600"})
    done = call(path, home)

    assert done.exit_code == 1
    assert asked(server) == ["/", "/a"]
    assert f"{home}b: 127.0.0.1:{server.port} asked to wait\n" in done.stderr


def test_a_host_that_does_not_answer_is_let_go(path: Path, server: Server) -> None:
    """After two feeds that are not to be had it is not waited for any longer."""
    home = page(server, "/", named(*((f"/slow{n}", "") for n in range(20))))
    for n in range(20):
        server.route(f"/slow{n}", handler=lambda _: None)  # hangs up
    done = call(path, home)

    assert done.exit_code == 1
    assert set(asked(server)) == {"/", "/slow0", "/slow1"}
    assert done.stderr.count("nothing more is asked of it") == 1


def test_a_file_that_no_command_can_change_is_left(path: Path, server: Server) -> None:
    """What was found is told all the same, and the line to write."""
    text = path.read_text().partition("[outlets]")[0]
    path.write_text(f'outlets = {{ A = "https://a.example/f" }}\n{text}')
    done = call(path, server.route("/f", body=rss(*items(0, 2))), "--add")

    assert done.exit_code == 2
    assert "    new: RSS, 2 entries" in done.stderr
    assert f'write yourself: "Le Jour" = "{server.url("/f")}"' in done.stderr


def test_a_site_that_cannot_be_reached(path: Path) -> None:
    """Status 3, and why; an address is whole even where a person leaves half of it."""
    done = call(path, "http://127.0.0.1:1/")
    other = call(path, "rien.invalid")

    assert done.exit_code == other.exit_code == 3
    assert "http://127.0.0.1:1/: not reached: connection: " in done.stderr
    assert "https://rien.invalid: not reached: dns: " in other.stderr


@pytest.mark.parametrize("given", ["deux mots", "https://", "ftp://jour.example/"])
def test_what_is_no_address_is_refused(path: Path, given: str) -> None:
    """Before anything is asked."""
    done = call(path, given)

    assert done.exit_code == 2
    assert "Invalid value for 'URL'" in done.stderr


def test_a_feed_is_taken_as_it_is(path: Path, server: Server) -> None:
    """Where it moved for good, with the name that its home page has."""
    page(server, "/", '<meta property="og:site_name" content="The  Gazette">')
    feed = server.url("/feed/")
    home = f"<link>{server.url('/')}</link>".encode()
    body = rss(*items(0, 2)).replace(b"<link>https://jour.example/</link>", home)
    server.route("/feed/", body=body)
    server.route("/rss", 301, headers={"Location": "/feed/"})
    done = call(path, server.url("/rss"))

    assert tomllib.loads(done.stdout) == {"The Gazette": feed}
    assert asked(server) == ["/rss", "/feed/", "/"]


def test_a_language_that_feeds_keep_to_themselves(path: Path, server: Server) -> None:
    """Is written down where it is not the site's; a feed elsewhere, with the home."""
    elsewhere = server.url("/feed/").replace("127.0.0.1", "localhost")
    html = f"<html lang=en-GB><title>The Day</title>{named((elsewhere, ''))}"
    home = server.route("/", body=html.encode(), headers=HTML)
    server.route("/feed/", body=rss(*items(0, 2), title="The Day"))
    done = call(path, home)

    assert tomllib.loads(done.stdout) == {
        "The Day": {"url": elsewhere, "homepage": home, "language": "en-GB"}
    }


def test_an_outlet_that_is_there_gains_what_is_new(
    tmp_path: Path, server: Server
) -> None:
    """Its line is shown whole; what is polled in one format is not added in another."""
    feed = server.route("/feed/", body=rss(*items(0, 9)))
    path = configure(tmp_path, {"Mon Jour": f"{feed}?x=1"})
    server.route("/atom", body=atom(0, 9))
    sport = server.route("/sport", body=rss(*items(0, 2, "sport")))
    home = page(server, "/", named(("/atom", ""), ("/feed/?x=1", ""), ("/sport", "")))
    done = call(path, home)

    assert tomllib.loads(done.stdout) == {"Mon Jour": [f"{feed}?x=1", sport]}
    assert "polled already, for Mon Jour" in done.stderr
    assert f"same as {feed}?x=1: Atom" in done.stderr
    assert 'that line takes the place of the one that "Mon Jour" has' in done.stderr

    added = call(path, home, "--add", "--json")
    told = json.loads(added.stdout)
    assert outlets(path) == {"Mon Jour": [f"{feed}?x=1", sport]}
    assert 'feeds.toml: 1 address added to "Mon Jour"\n' in added.stderr
    assert "`aggregator run --outlet 'Mon Jour'` asks it now" in added.stderr
    assert (told["outlet"], told["replaces"], told["added"]) == ("Mon Jour", True, True)
    assert [one["instead"] for one in told["feeds"]] == [f"{feed}?x=1", "", ""]

    again = call(path, home, "--add")
    assert (again.exit_code, again.stdout) == (0, "")
    assert again.stderr.endswith("nothing new: feeds.toml has all that is needed\n")


def test_a_disabled_outlet_is_told(tmp_path: Path, server: Server) -> None:
    """Its feeds stand in feeds.toml, and yet nobody polls them."""
    feed = server.route("/feed/", body=rss(*items(0, 2)))
    path = configure(tmp_path, {})
    path.write_text(f'{path.read_text()}Jour = {{ url = "{feed}", enabled = false }}\n')
    done = call(path, feed)

    assert '"Jour" is not polled: its line says enabled = false' in done.stderr


def test_a_broken_configuration_stays_as_it_is(path: Path, server: Server) -> None:
    """It is told before the site is asked."""
    path.write_text(f'{path.read_text()}"A" = "x"\n')
    before = path.read_bytes()
    done = call(path, page(server, "/", ""), "--add")

    assert done.exit_code == 2
    assert path.read_bytes() == before
    assert server.requests == []


# ── what is worth having ──────────────────────────────────────────────────────────────


def offer(url: str, articles: Sequence[int], **more: Any) -> Offer:
    """Return a feed that has these articles."""
    told = {"kind": "feed", "form": "rss", "title": "", "home": "", "language": ""}
    return Offer(
        url=url,
        asked=url,
        articles=frozenset(map(str, articles)),
        newest_at=None,
        **{**told, **more},
    )


@pytest.mark.parametrize(
    ("offers", "instead"),
    [
        ([("a", range(9)), ("b", range(9))], ["", "a"]),
        ([("a", range(5)), ("b", range(9))], ["b", ""]),
        ([("a", range(9)), ("polled", range(5))], ["", ""]),
        ([("a", range(5)), ("polled", range(9))], ["polled", ""]),
        ([("a", range(9)), ("b", range(1, 10))], ["", ""]),
    ],
)
def test_of_equal_feeds_one_is_taken(
    offers: list[tuple[str, range]], instead: list[str]
) -> None:
    """That which has all articles of the other: polled, longer or named first."""
    site = "https://jour.example/"
    there = [Outlet("Le Jour", (f"{site}polled",))]
    made = [offer(f"{site}{name}", numbers) for name, numbers in offers]
    compared = compared_with(there, made)

    assert [one.instead.removeprefix(site) for one in compared] == instead


@pytest.mark.parametrize(
    ("url", "said", "title", "feed", "name"),
    [
        ("https://www.lemonde.fr/", "", "À la une - Le Monde.fr", "", "Le Monde.fr"),
        ("https://www.slate.fr/a", "", "Un titre", "Culture | Slate.fr", "Slate.fr"),
        ("https://jour.example/", "", "Accueil", "La Gazette", "La Gazette"),
        ("https://jour.example/", " Le\tJour ", "Accueil", "Flux", "Le Jour"),
        ("https://www.youtube.com/@x", "YouTube", "x", "DataGueule", "DataGueule"),
        ("https://www.jour.example/", "", "", "", "jour.example"),
    ],
)
def test_what_an_outlet_is_called(
    path: Path, url: str, said: str, title: str, feed: str, name: str
) -> None:
    """As its site says, else the part of a title that its address is, else a title."""
    pages = [discovery.Site(said, title, "fr", (), ())]
    offers = [offer("https://x.example/f", [1], title=feed)]
    found = proposal(configuration.read(path), url, pages, offers, [])

    assert found.name == name
    assert found.outlet
    assert found.outlet.name == name


@pytest.mark.parametrize(
    ("href", "looks"),
    [
        ("/feed", True),
        ("rss.php", True),
        ("/rss2/", True),
        ("/a/index.rdf", True),
        ("https://feeds.example.org/x", True),
        ("/?feed=rss2", True),
        ("/spip.php?page=backend", True),
        ("/les-flux-rss.html", True),
        ("/feedback", False),
        ("/atomique.html", False),
        ("/2020/rssi-et-dsi", False),
        ("javascript:feed()", False),
        ("mailto:rss@jour.example", False),
    ],
)
def test_which_links_look_like_feeds(href: str, looks: bool) -> None:
    """By their path or host; whether they are is found out by asking."""
    said = discovery.site(f'<a href="{href}">x</a>', "https://jour.example/")

    assert bool(said.links) is looks
