"""Canonical URLs: which spellings are one address, and which are not."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable
from functools import partial
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.urls import canonical, host, origin, site, unwrapped, web, written


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
    ("url", "expected"),
    [
        ("https://e.fr/a?b=c;d#e", "https://e.fr/a?b=c;d#e"),
        ("HTTPS://E.FR:443", "https://e.fr/"),
        ("http://e.fr:443/", "http://e.fr:443/"),
        ("https://café.fr./", "https://xn--caf-dma.fr/"),
        ('https://e.fr/é|?q[]="#a#b', "https://e.fr/%C3%A9%7C?q%5B%5D=%22#a%23b"),
        ("https://e.fr/100%/%C3%A9", "https://e.fr/100%25/%C3%A9"),
        ("https://me:secret@e.fr/", "https://e.fr/"),
        ("http://[::1]:80/x", "http://[::1]/x"),
        ("https://e.fr:99999/", ""),
        ("https://a..é.fr/", ""),
        ("https://a..fr/", ""),
        ("https://;/", ""),
        ("https://a_b.fr", "https://a_b.fr/"),
        ("javascript:alert(1)", ""),
        ("/chemin", ""),
    ],
)
def test_addresses_are_written_as_rfc_3986_has_them(url: str, expected: str) -> None:
    """Anything else than a web address is none, and a password is not passed on."""
    assert written(url) == expected


HOSTS = (
    "e.fr www.e.fr m.e.co.uk m.co.uk fr.m.e.org 127.0.0.1:8000 e.fr:80 e.fr:443 "
    "youtu.be www.youtube.com bbc.co.uk web.archive.org archive.ph "
    "www.google.com goog.e.fr e-fr.translate.goog e-fr.idm.oclc.org e.fr.ezproxy.u.edu "
    "cdn.ampproject.org rss.feedsportal.com r.search.yahoo.com news.google.com"
).split()
STEPS = (
    "a 2020 A.b amp a.amp a.amp.html index.html INDEX.php default.asp s c x.. -_~ "
    "embed abcdef1 watch web 2020id_ e.fr 0Le0Bfr0Ca read articles RU=a ."
).split()


@given(
    st.sampled_from(HOSTS), st.lists(st.sampled_from(STEPS), max_size=4), st.booleans()
)
def test_plain_addresses_have_the_key_that_they_have_when_taken_apart(
    name: str, steps: list[str], slash: bool
) -> None:
    """A fragment that chooses no page, with which none is plain, changes nothing."""
    url = "/".join(("https:/", name, *steps)) + "/" * slash

    assert canonical(url) == canonical(f"{url}#top")


@given(st.text('htps:/[]é.1-%?#a|"<^`{\\', max_size=40).map("https://e.fr/{}".format))
def test_writing_an_address_changes_no_page(url: str) -> None:
    """It is legal, written only once, and leads to the same article."""
    once = written(url)

    assert once == written(once)
    assert once.isascii()
    assert web(once)
    assert canonical(once) == canonical(url)


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


# ── decorations ───────────────────────────────────────────────────────────────────────

WORDS = st.text("abcdefgéñ0123456789-_", min_size=1, max_size=12).map(
    lambda word: f"x{word}x"
)
NAMES = st.text("abcdefghij", min_size=1, max_size=8).map(lambda name: f"id{name}")
PLAIN = st.builds(
    lambda site, path, pairs: (
        f"https://{site}.fr/{'/'.join(path)}"
        + ("?" if pairs else "")
        + "&".join(f"{name}={value}" for name, value in pairs.items())
    ),
    st.text("abcdefgh", min_size=3, max_size=8),
    st.lists(WORDS, min_size=1, max_size=3),
    st.dictionaries(NAMES, WORDS, max_size=2),
)


def with_query(url: str, more: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{more}"


def on_path(url: str, more: str) -> str:
    path, mark, query = url.partition("?")
    return path + more + mark + query


def on_host(url: str, label: str) -> str:
    return url.replace("https://", f"https://{label}.", 1)


def carried(url: str, wrapper: str) -> str:
    end = "/RK=2/RS=x" if wrapper.endswith("RU=") else ""
    return wrapper + quote(url, safe="") + end


def stand_in(url: str, proxy: str) -> str:
    parts = urlsplit(url)
    name = (parts.hostname or "").rstrip(".").replace("-", "--").replace(".", "-")
    return parts._replace(scheme="https", netloc=f"{name}.{proxy}").geturl()


QUERIES = """
    utm_source=rss&utm_medium=feed xtor=RSS-3208 at_medium=RSS&at_campaign=flux
    at_custom1=link&at_ptr_name=twitter M_BT=12345&een=ab&seen=2&m_i=x
    actId=a&actCampaignType=MAIL&actSource=b lmd_medium=al&lmd_campaign=envoye
    mc_cid=9f1c&mc_eid=UNIQID fbclid=IwAR0&gclid=1&igsh=2 ref=rss source=newsletter
    amp=1 amp;utm_source=rss utm%5Fsource=rss
""".split()
FRAGMENTS = ["", "#", "#xtor=RSS-3-[general]", "#comments", "#:~:text=clic"]
CARRIERS = """
    https://www.google.com/url?rct=j&sa=t&url=
    https://www.bing.com/news/apiclick.aspx?ref=x&url=
    https://l.facebook.com/l.php?h=AT0&u=
    https://getpocket.com/redirect?url=
    https://t.umblr.com/redirect?z=
    https://eur01.safelinks.protection.outlook.com/?url=
    https://ezproxy.univ-paris.fr/login?url=
    https://r.search.yahoo.com/_ylt=A/RV=2/RU=
""".split()
Change = Callable[[str], str]
CHANGES: list[Change] = [
    *(partial(with_query, more=more) for more in QUERIES),
    *(partial(on_path, more=end) for end in ("/", "/amp", "/amp/", ".amp")),
    *(partial(on_host, label=label) for label in ("www", "m", "mobile", "amp")),
    lambda url: url.replace("https://", "http://", 1),
    lambda url: url.replace(".fr/", ".fr:443/", 1).replace("http:", "https:", 1),
    lambda url: url.replace(".fr/", ".fr//", 1),
    lambda url: url.replace(".fr/", ".FR./", 1),
    lambda url: url.replace(".fr/", ".fr/a/../", 1),
    lambda url: url.replace("x", "%78"),
]
WRAPS: list[Change] = [
    *(partial(carried, wrapper=wrapper) for wrapper in CARRIERS),
    lambda url: f"https://web.archive.org/web/20200214080000/{url}",
    lambda url: f"https://x.cdn.ampproject.org/c/s/{url.partition('://')[2]}",
    lambda url: f"https://www.google.fr/amp/s/{url.partition('://')[2]}",
    partial(stand_in, proxy="translate.goog"),
    partial(stand_in, proxy="ezproxy.univ-lyon.fr"),
]


@given(
    PLAIN,
    st.lists(st.sampled_from(CHANGES), max_size=3),
    st.sampled_from(FRAGMENTS),
    st.lists(st.sampled_from(WRAPS), max_size=2),
)
def test_decorations_leave_the_key_as_it_is(
    url: str, changes: list[Change], fragment: str, wraps: list[Change]
) -> None:
    """Tracking, AMP, mobile hosts, redirects, caches and proxies, over one another."""
    decorated = url
    for change in changes:
        decorated = change(decorated)
    decorated += fragment
    for wrap in wraps:
        decorated = wrap(decorated)

    assert canonical(decorated) == canonical(url)
    assert canonical(canonical(decorated)) == canonical(decorated)


@given(PLAIN, NAMES, WORDS, WORDS)
def test_other_parameters_stay(url: str, name: str, one: str, other: str) -> None:
    """What does not say how a reader came may say what is read."""
    keys = {canonical(with_query(url, f"new{name}={value}")) for value in (one, other)}

    assert len(keys) == len({one, other})
    assert canonical(url) not in keys


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "https://e.fr/article.php?id=1&from=2",
            "https://e.fr/article.php?id=1&from=3",
        ),
        ("https://e.fr/a?source=afp", "https://e.fr/a?source=reuters"),
        ("https://e.fr/index.php?id=1", "https://e.fr/index.php?id=2"),
        ("https://e.fr/#!/a/1", "https://e.fr/#!/a/2"),
        ("https://e.fr/ampoule", "https://e.fr/oule"),
        ("https://m.fr/a", "https://fr/a"),
        ("https://m.co.uk/a", "https://co.uk/a"),
        ("https://youtube.com/watch?v=aaaaaa1", "https://youtube.com/watch?v=aaaaaa2"),
        ("https://youtube.com/playlist?list=a", "https://youtube.com/playlist?list=b"),
        ("https://e.fr/a?redirect=https://f.fr/1", "https://f.fr/1"),
    ],
)
def test_what_may_be_another_article_keeps_its_own_key(one: str, other: str) -> None:
    """Names and endings that only look like decorations are kept."""
    assert canonical(one) != canonical(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://e.fr/a?id=1&page=2", "https://e.fr/a?page=2&id=1"),
        ("https://e.fr/a?q=x+y", "https://e.fr/a?q=x%20y"),
        ("https://e.fr/a/index.html", "https://e.fr/a/"),
        ("https://e.fr/a.amp.html", "https://e.fr/a.html"),
        ("https://e.fr/amp/rubrique/a", "https://e.fr/rubrique/a"),
        ("https://e.fr/a;jsessionid=12AB", "https://e.fr/a"),
        ("https://fr.m.wikipedia.org/wiki/Clic", "https://fr.wikipedia.org/wiki/Clic"),
        ("https://élucid.media/a", "https://xn--lucid-9ra.media/a"),
        ("https://e.fr/é", "https://e.fr/%C3%A9"),
        ("https://www.bbc.co.uk/news/1", "https://www.bbc.com/news/1"),
        (
            "https://youtu.be/aaaaaaaaaa1?t=3",
            "https://www.youtube.com/watch?v=aaaaaaaaaa1",
        ),
        (
            "https://www.youtube.com/watch?v=aaaaaaaaaa1&list=b&feature=youtu.be",
            "https://www.youtube.com/embed/aaaaaaaaaa1",
        ),
        (
            "http://e.feedsportal.com/c/3/f/6/s/2a/l/0L0Se0Bfr0C20A130Cun0Earticle/story01.htm",
            "https://www.e.fr/2013/un-article",
        ),
        (
            "https://www.bing.com/ck/a?!&&p=1&u=a1aHR0cHM6Ly9lLmZyL2E&ntb=1",
            "https://e.fr/a",
        ),
        (
            "https://www-lemonde-fr.ezproxy.bnf.fr/a?b=1",
            "https://www.lemonde.fr/a?b=1",
        ),
        (
            "https://saint--brieuc-maville-com.translate.goog/a?_x_tr_sl=fr&_x_tr_tl=en",
            "https://saint-brieuc.maville.com/a",
        ),
    ],
)
def test_other_ways_to_write_one_address(one: str, other: str) -> None:
    """Each is a way that feeds, phones, proxies or share buttons write it."""
    assert canonical(one) == canonical(other)


@pytest.mark.parametrize(
    "url",
    [
        "https://news.google.com/rss/articles/CBMiQWZha2U?oc=5",
        "https://t.co/abc",
        "https://www.google.com/url?q=javascript:alert(1)",
        "https://www.bing.com/ck/a?u=a1%20%20",
        "https://proxy.fr/a",
        "https://web.archive.org/web/2020/",
        "",
    ],
)
def test_what_carries_no_target_is_left_alone(url: str) -> None:
    """Only its server knows where an opaque redirect leads."""
    assert unwrapped(url) == url
