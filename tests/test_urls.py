"""Canonical URLs: which spellings are one address, and which are not."""

from __future__ import annotations

from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.urls import canonical, host, origin, site, unwrapped, web


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


TARGET = "https://www.exemple.fr/article?id=1"
QUOTED = "https%3A%2F%2Fwww.exemple.fr%2Farticle%3Fid%3D1"
CODED = urlsafe_b64encode(
    b'\x08\x13"' + bytes((len(TARGET),)) + TARGET.encode() + b"\xd2\x01\x00"
).decode()


@pytest.mark.parametrize(
    "url",
    [
        f"https://www.google.com/url?rct=j&sa=t&url={QUOTED}&ct=ga&cd=CAE&usg=AO",
        f"https://www.google.com/url?rct=j&sa=t&url={TARGET}&ct=ga",
        f"https://www.google.co.uk/url?q={QUOTED}&sa=D",
        f"https://google.fr/url?q=%20{QUOTED}",
        f"http://www.bing.com/news/apiclick.aspx?ref=FexRss&tid=1&url={QUOTED}&c=2",
        f"https://r.search.yahoo.com/_ylt=A/RV=2/RE=1/RO=10/RU={QUOTED}/RK=2/RS=x-",
        f"https://duckduckgo.com/l/?uddg={QUOTED}&rut=1",
        f"https://l.facebook.com/l.php?u={QUOTED}&h=AT",
        f"https://www.youtube.com/redirect?event=video&q={QUOTED}",
        f"https://news.google.com/rss/articles/{CODED.rstrip('=')}?oc=5",
        f"https://news.google.com/articles/{CODED}",
        f"https://news.google.com/__i/rss/rd/articles/{CODED}?oc=5",
        f"https://l.facebook.com/l.php?u=https%3A%2F%2Fgoogle.com%2Furl%3Fq%3D{TARGET}",
        TARGET,
    ],
)
def test_redirects_that_carry_their_target_are_unwrapped(url: str) -> None:
    """In a parameter, in the path, encoded or in one another."""
    assert unwrapped(url) == TARGET


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mailto:a@b.fr",
        "https://www.google.com/url?sa=t",
        "https://www.google.com/url?url=javascript:alert(1)",
        "https://www.google.com/search?q=https://exemple.fr/",
        "https://google.exemple.fr/url?q=https://ailleurs.fr/",
        "https://news.google.com/rss/articles/CBMiAU_yqLOpaque",
        "https://news.google.com/rss/articles/a",
        "https://r.search.yahoo.com/_ylt=A/RV=2",
        "https://exemple.fr/redirect?url=https://ailleurs.fr/",
    ],
)
def test_what_carries_no_target_stays(url: str) -> None:
    """An opaque redirect, a search, and addresses that only look like one."""
    assert unwrapped(url) == url


@given(
    st.text(max_size=60)
    | st.text("%=&?/:.aU", max_size=60).map(
        "https://www.google.com/url?q=https://".__add__
    )
)
def test_unwrapping_is_idempotent_and_never_raises(url: str) -> None:
    """What is unwrapped is a web address without blanks, or as it was."""
    target = unwrapped(url)

    assert unwrapped(target) == target
    assert target == url or (web(target) and " " not in target)
