"""sources: whose an article is that a search has found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.model import Entry, Outlet
from aggregator.sources import attributed, same, sites

ALERT = "https://www.google.com/alerts/feeds/1/2"
NEWS = "https://news.google.com/rss/search?q=casilli"
OUTLETS = (
    Outlet("Slate", ("https://flux.example/slate",), homepage="https://www.slate.fr/"),
    Outlet("Le Monde", ("https://www.lemonde.fr/rss/une.xml",)),
    Outlet("France Culture", ("https://www.radiofrance.fr/franceculture/rss",)),
    Outlet("France Inter", ("https://www.radiofrance.fr/franceinter/rss",)),
    Outlet("Alertes", (ALERT,), kind="search"),
)


def found(
    title: str, source: str = "", url: str = "", feed_url: str = ALERT
) -> tuple[str, str]:
    """Return the title and the outlet of what a search has found."""
    entry = Entry(1, "1", url, title, "", 0, outlet=source)
    entry = attributed(entry, feed_url, sites(OUTLETS))
    return entry.title, entry.outlet


@pytest.mark.parametrize(
    ("title", "source", "url", "feed_url", "expected"),
    [
        # its own source
        ("Titre", "Politis", "", NEWS, ("Titre", "Politis")),
        ("Titre - Politis", "Politis", "", NEWS, ("Titre", "Politis")),
        ("Titre - politis.fr", "Politis", "", NEWS, ("Titre", "Politis")),
        ("Un - deux", "Politis", "", NEWS, ("Un - deux", "Politis")),
        ("Titre", "Politis", "https://slate.fr/1", NEWS, ("Titre", "Politis")),
        # else the ending of its title
        ("Titre - Politis", "", "", ALERT, ("Titre", "Politis")),
        ("Un - deux - Politis", "", "", ALERT, ("Un - deux", "Politis")),
        ("Titre - Politis", "", "https://slate.fr/1", ALERT, ("Titre", "Politis")),
        ("Titre – sous-titre", "", "", ALERT, ("Titre – sous-titre", "")),
        ("- Politis", "", "", ALERT, ("- Politis", "")),
        (
            "Grève - ces livreurs qui ne veulent plus rouler",
            "",
            "",
            ALERT,
            ("Grève - ces livreurs qui ne veulent plus rouler", ""),
        ),
        # else the host of its target
        ("Titre", "", "https://www.slate.fr/story/1", ALERT, ("Titre", "Slate")),
        ("Titre", "", "http://lemonde.fr/a", ALERT, ("Titre", "Le Monde")),
        ("Titre", "", "https://www.radiofrance.fr/x", ALERT, ("Titre", "")),
        ("Titre", "", "https://ailleurs.example/x", ALERT, ("Titre", "")),
        ("Titre", "", "", ALERT, ("Titre", "")),
        # spelt as in feeds.toml
        ("Titre - Slate.fr", "Slate.fr", "", NEWS, ("Titre", "Slate")),
        ("Titre - lemonde.fr", "", "", ALERT, ("Titre", "Le Monde")),
        # what a site finds among its own
        (
            "Un - deux",
            "",
            "https://www.site.example/1",
            "https://site.example/?s=clic&feed=rss2",
            ("Un - deux", ""),
        ),
        (
            "Titre - Slate",
            "",
            "https://news.google.com/rss/articles/opaque",
            NEWS,
            ("Titre", "Slate"),
        ),
    ],
)
def test_the_outlet_is_source_else_ending_else_host(
    title: str, source: str, url: str, feed_url: str, expected: tuple[str, str]
) -> None:
    """The order of the design; what is taken from a title is cut from it."""
    assert found(title, source, url, feed_url) == expected


def test_links_lead_to_the_article() -> None:
    """A redirect of an alert is unwrapped, and its target's host counts."""
    url = "https://www.google.com/url?rct=j&url=https://www.slate.fr/story/1&ct=ga"
    entry = attributed(Entry(1, "1", url, "Titre", "", 0), ALERT, sites(OUTLETS))

    assert (entry.url, entry.outlet) == ("https://www.slate.fr/story/1", "Slate")


def test_a_host_of_several_outlets_is_nobodys() -> None:
    """Neither it nor the address of a search tells whose an article is."""
    assert dict(sites(OUTLETS)) == {
        "slate.fr": "Slate",
        "flux.example": "Slate",
        "lemonde.fr": "Le Monde",
    }


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("L’ADN", "L'ADN", True),
        ("Le Monde", "lemonde.fr", True),
        ("elDiario.es", "eldiario.es", True),
        ("Télérama", "TELERAMA", True),
        ("Le Monde", "Le Monde diplomatique", False),
        ("", "", False),
    ],
)
def test_names_are_alike_by_their_letters(one: str, other: str, alike: bool) -> None:
    """Accents, case, spaces and a domain's ending make no other outlet."""
    assert same(one, other) is alike


@given(
    st.text(max_size=30) | st.text("ab -’.é", max_size=30), st.text("ab -.", max_size=9)
)
def test_a_title_is_never_lost(title: str, source: str) -> None:
    """Whatever stands there, the beginning of the title stays, and it is not empty."""
    kept, _ = found(title, source)

    assert title.startswith(kept)
    assert kept or not title
