"""Canonical URLs: which spellings are one address, and which are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.urls import canonical, host, origin, site, web


@pytest.mark.parametrize(
    "other",
    [
        "http://www.example.fr/article/2020/",
        "https://example.fr/article/2020",
        "HTTPS://WWW.Example.FR:443/article/2020",
        "https://www.example.fr//article/2020/",
        "https://www.example.fr/article/2020?utm_source=rss&utm_medium=feed",
        "https://www.example.fr/article/2020?xtor=RSS-12",
        "https://www.example.fr/article/2020#xtor=RSS-3-[general]",
        "https://www.example.fr/article/2020?fbclid=IwAR0",
        "https://www.example.fr/%61rticle/2020",
        " https://www.example.fr/article/2020 ",
    ],
)
def test_spellings_of_one_address_meet(other: str) -> None:
    """Scheme, www, port, case, slashes, fragment and tracking make no difference."""
    assert canonical(other) == "https://example.fr/article/2020"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://e.fr/spip.php?article1", "https://e.fr/spip.php?article2"),
        ("https://e.fr/a?id=1", "https://e.fr/a?id=2"),
        ("https://e.fr/a", "https://f.fr/a"),
        ("https://e.fr/a", "https://e.fr/A"),
        ("https://e.fr:8080/a", "https://e.fr/a"),
    ],
)
def test_other_articles_stay_apart(one: str, other: str) -> None:
    """What names another article is not taken for tracking."""
    assert canonical(one) != canonical(other)


@pytest.mark.parametrize(
    "url",
    ["", "mailto:a@b.fr", "javascript:alert(1)", "/a/b", "http://[::1", "http://"],
)
def test_what_is_no_web_address_has_no_canonical_url(url: str) -> None:
    """Only absolute http(s) addresses with a host have one."""
    assert not web(url)
    assert canonical(url) == ""


@given(
    st.text(max_size=80)
    | st.text("%/?&=#:.aA0é ~+", max_size=40).map("https://e.fr/".__add__)
)
def test_canonical_is_idempotent(url: str) -> None:
    """The canonical URL of a canonical URL is itself."""
    once = canonical(url)

    assert canonical(once) == once


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://www.E.fr/a", "www.e.fr"),
        ("http://e.fr:80/", "e.fr"),
        ("http://127.0.0.1:8123/x", "127.0.0.1:8123"),
        ("http://e.fr:port/", ""),
        ("mailto:a@b.fr", ""),
    ],
)
def test_host_names_the_server(url: str, expected: str) -> None:
    """The host comes in lower case, with its port only when it is not the default."""
    assert host(url) == expected


@pytest.mark.parametrize(
    ("url", "owner"),
    [
        ("https://www.slate.fr/a", "slate.fr"),
        ("https://m.slate.fr", "slate.fr"),
        ("https://slate.fr:8443/", "slate.fr"),
        ("https://www.example.co.uk/", "example.co.uk"),
        ("https://example.co.uk/", "example.co.uk"),
        ("https://co.uk/", "co.uk"),
        ("https://blog.asso.fr/", "blog.asso.fr"),
        ("http://127.0.0.1:8000/", "127.0.0.1:8000"),
        ("http://[::1]:8000/", "::1:8000"),
        ("http://localhost/", "localhost"),
        ("", ""),
    ],
)
def test_hosts_of_one_owner_share_a_site(url: str, owner: str) -> None:
    """Two labels, or three under what a country shares out; figures are themselves."""
    assert site(url) == owner


def test_an_origin_is_scheme_and_host() -> None:
    """With its odd port, without what is usual or written large."""
    assert origin("HTTPS://WWW.Slate.fr:443/a?b") == "https://www.slate.fr"
    assert origin("http://slate.fr:81/a") == "http://slate.fr:81"
