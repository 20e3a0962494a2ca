"""The coverage page: what is followed, since when, and what may be missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from browsing import browser, faults
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html
from publish_cases import CASES, SITE, TOPICS, a_story, case, coverage, render

from aggregator.health import Followed, Window
from aggregator.publish import write
from aggregator.publish.outlets import OPEN_HOLES

NAME = "outlets/index.html"
AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
SLATE = Followed("Slate", "https://slate.example/", AT - timedelta(days=90), AT)
PRESS = coverage(CASES / "press")


def page(*followed: Followed, language: str = "fr") -> Any:
    site = replace(SITE, language=language)
    documents = render(site, TOPICS, (a_story(),), followed)
    return html.document_fromstring(documents[NAME].decode())


def said(tree: Any, where: str) -> list[str]:
    return [
        " ".join(one.text_content().replace("\u202f", " ").split())
        for one in tree.find_class(where)
    ]


def holes(*windows: Window, language: str = "fr") -> list[str]:
    tree = page(replace(SLATE, windows=windows), language=language)
    return [one.text_content() for one in tree.xpath("//ul[@class='holes']/li")]


def test_each_outlet_says_since_when_and_its_newest_article() -> None:
    """By name, whatever the accents; with its page, where it has one."""
    tree = page(replace(SLATE, name="Zone"), replace(SLATE, name="Écho"), SLATE)

    assert said(tree, "title") == ["Écho", "Slate", "Zone"]
    assert (
        said(tree, "facts")
        == ["Suivi depuis le 25 août 2026 · dernier article : 23 nov. 2026"] * 3
    )
    assert tree.xpath("//a[@class='title']/@href") == ["https://slate.example/"] * 3
    assert said(tree, "total") == ["3 médias suivis"]


def test_what_is_not_known_is_said() -> None:
    """No feed answered yet; none of its entries had a date; no page of its own."""
    silent = Followed("A", "", None, None)
    undated = Followed("B", "javascript:alert(1)", AT, None)
    tree = page(silent, undated)

    assert said(tree, "facts") == [
        "Aucun flux de ce média n’a encore répondu",
        "Suivi depuis le 23 nov. 2026 · pas encore d’article daté",
    ]
    assert not tree.xpath("//a[@class='title']")


def test_nothing_followed_is_one_sentence() -> None:
    """The page is there before the first outlet is."""
    tree = page()

    assert said(tree, "total") == ["Aucun média n’est encore suivi."]
    assert not tree.find_class("outlets")


def test_one_outlet_is_counted_as_one() -> None:
    """« 1 média suivi », not « 1 médias »."""
    assert said(page(SLATE), "total") == ["1 média suivi"]


@pytest.mark.parametrize(
    ("window", "words"),
    [
        (Window("failure", AT, None), "Since Nov 23, 2026: it could not be read"),
        (
            Window("silence", AT - timedelta(days=20), AT),
            "From Nov 3, 2026 to Nov 23, 2026: it answered, but brought nothing new",
        ),
        (
            Window("gap", AT - timedelta(hours=3), AT),
            "On Nov 23, 2026 from 07:00 to 10:00: articles may have been missed",
        ),
        (  # the same day in London, two in Paris
            Window("gap", AT.replace(hour=22), AT.replace(hour=23, minute=30)),
            "From Nov 23, 2026 to Nov 24, 2026: articles may have been missed",
        ),
    ],
)
def test_a_hole_has_its_dates_and_its_kind(window: Window, words: str) -> None:
    """In the site's zone, with hours only where a day alone would say nothing."""
    assert holes(window, language="en") == [words]


def test_what_lasts_comes_first_and_nothing_is_left_out() -> None:
    """Then the newest; many holes are folded away, each once."""
    windows = [
        Window("gap", AT - timedelta(days=n), AT - timedelta(days=n - 1, hours=-1))
        for n in range(1, 31)
    ]
    lasts = Window("failure", AT - timedelta(days=40), None)
    tree = page(replace(SLATE, windows=(*windows, lasts, windows[0])))
    shown, folded = tree.xpath("//ul[@class='holes']")

    assert shown[0].get("class") == "lasts"
    assert len(shown) == OPEN_HOLES
    assert len(shown) + len(folded) == len(windows) + 1
    assert folded.getparent().tag == "details"
    assert tree.xpath("//summary/text()") == ["19 plus anciennes"]
    assert shown[1].text_content().startswith("Du 22 nov. 2026")


def test_every_page_leads_to_it() -> None:
    """From wherever one looks for an article that is missing."""
    documents = render(SITE, TOPICS, (a_story(),))
    names = [name for name in documents if name.endswith("index.html")]

    assert len(names) == 5
    for name in names:
        tree = html.document_fromstring(documents[name].decode())
        (link,) = tree.xpath("//footer//nav//a[contains(., 'Les médias suivis')]")
        assert link.get("href") == "../" * name.count("/") + NAME


@settings(deadline=None, max_examples=20)
@given(st.permutations(PRESS), st.permutations(PRESS[2].windows))
def test_the_order_in_which_outlets_come_changes_no_byte(
    followed: list[Followed], windows: list[Window]
) -> None:
    """The same coverage is the same page, and a second time, too."""
    shuffled = [
        replace(one, windows=tuple(windows)) if one == PRESS[2] else one
        for one in followed
    ]
    made = render(*case(CASES / "press"), shuffled)

    assert made[NAME] == render(*case(CASES / "press"), PRESS)[NAME]


@settings(deadline=None, max_examples=40)
@given(st.text(), st.text() | st.just("https://a.example/\"'><script>"))
def test_no_name_breaks_the_page(name: str, homepage: str) -> None:
    """What an outlet is called is text, and only web addresses are links."""
    tree = page(replace(SLATE, name=name, homepage=homepage))

    assert not tree.xpath("//script|//@style|//img|//@onerror")
    assert all(
        href.startswith("https://") for href in tree.xpath("//a[@class='title']/@href")
    )


def test_it_fits_a_phone(tmp_path: Path) -> None:
    """No error in the browser and nothing to scroll sideways, 320 px wide or more."""
    windows = tuple(Window("silence", AT - timedelta(days=n), None) for n in range(20))
    long = replace(SLATE, name="Confédération" * 9, windows=windows)
    write(tmp_path, render(SITE, TOPICS, (), (SLATE, long)).items())
    with browser() as shown:
        for width in (320, 1200):
            assert faults(shown, (tmp_path / NAME).as_uri(), width) == []
