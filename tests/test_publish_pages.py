"""The pages: what stands where, in which words, and that nothing foreign runs."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from importlib.resources import files
from typing import Any

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from lxml import html
from publish_cases import FILM, SITE, TOPICS, WORK, a_story, published, render

from aggregator.languages import catalogue
from aggregator.model import Copy, Topic
from aggregator.publish.pages import FRONT
from aggregator.publish.words import words

PACKAGE = files("aggregator.publish")


def page(documents: dict[str, bytes], name: str = "index.html") -> Any:
    return html.document_fromstring(documents[name].decode())


def lines(tree: Any) -> list[str]:
    return [" ".join(line.text_content().split()) for line in tree.find_class("line")]


def test_a_story_reads_as_the_film_writes_its_press() -> None:
    """« (14 févr. 2020) Titre, Outlet. », the title leading to the article."""
    story = a_story(
        title="La révolte des invisibles",
        outlet="Slate",
        published_at=datetime(2020, 2, 14, 9, tzinfo=UTC),
    )
    tree = page(published(story))

    assert lines(tree) == ["(14 févr. 2020) La révolte des invisibles, Slate."]
    assert tree.xpath("//a[@class='title']/@href") == [story.url]
    assert tree.xpath("//time/@datetime") == ["2020-02-14"]
    assert tree.xpath("//h2/text()")[0] == "Février 2020"


@pytest.mark.parametrize(
    ("title", "line"),
    [
        ("Qui est là ?", "Qui est là\u202f? Slate."),
        ("« Non »", "«\u202fNon\u202f», Slate."),
        ("Fin !", "Fin\u202f! Slate."),
    ],
)
def test_a_title_that_ends_in_a_sign_has_no_comma(title: str, line: str) -> None:
    """« Titre ?, Slate » is set by nobody."""
    shown = re.sub(
        r"[ \n]+",
        " ",
        page(published(a_story(title=title, outlet="Slate")))
        .find_class("what")[0]
        .text_content(),
    ).strip()

    assert shown == line


def test_only_the_month_is_shown_where_no_more_is_known() -> None:
    """A date known to the month: « nov. 2019 »."""
    at = datetime(2019, 11, 1, 11, tzinfo=UTC)
    tree = page(published(a_story(published_at=at, precision="month")))

    assert lines(tree)[0].startswith("(nov. 2019) ")
    assert tree.xpath("//time/@datetime") == ["2019-11"]


def test_form_detail_and_author_are_told() -> None:
    """TV, paper and the others are named; a plain article needs no word."""
    tree = page(
        published(
            a_story(0, form="tv", detail="2 min"),
            a_story(1, form="article", author="Camille Roussel"),
            a_story(2, form="dessin"),
            a_story(3, author="Le Journal"),
        )
    )
    facts = [[fact.text_content() for fact in one] for one in tree.find_class("facts")]

    assert facts == [["TV", "2 min"], ["Par Camille Roussel"], ["Dessin"]]


def test_dates_are_those_of_the_sites_zone() -> None:
    """Half past midnight in Paris is another day, month and year than in London."""
    at = datetime(2025, 12, 31, 23, 30, tzinfo=UTC)
    documents = published(a_story(published_at=at))

    assert "2026/index.html" in documents
    assert lines(page(documents))[0].startswith("(1er janv. 2026)")


def test_the_front_page_has_the_newest_with_a_main_topic() -> None:
    """100 of them, and a word that older ones are filed by year."""
    stories = [a_story(day) for day in range(FRONT + 5)]
    tree = page(published(*stories, a_story(200, topics=("travail",))))
    few = page(published(a_story()))

    assert len(lines(tree)) == FRONT
    assert tree.find_class("total")[0].text_content().startswith("105 articles ")
    assert tree.find_class("older")
    assert few.find_class("total")[0].text_content().startswith("1 article ")
    assert not few.find_class("older")


def test_pinned_stories_stand_first_and_once() -> None:
    """On the front and topic pages; a year page keeps to the calendar."""
    documents = published(a_story(0), a_story(1, pinned=True))
    front, year = page(documents), page(documents, "2026/index.html")

    assert [one.get("id") for one in front.find_class("story")] == [
        "s-story001",
        "s-story000",
    ]
    assert front.xpath("//h2/text()")[0] == "À lire d’abord"
    assert [one.get("id") for one in year.find_class("story")] == [
        "s-story000",
        "s-story001",
    ]


def test_a_year_page_keeps_every_story_and_its_anchor() -> None:
    """Watched subjects included; each front page item leads to its anchor there."""
    documents = published(a_story(0), a_story(1, topics=("travail",)), a_story(400))
    years = page(documents, "2026/index.html"), page(documents, "2025/index.html")
    permalinks = page(documents).xpath("//span[@class='date']/a/@href")

    assert [one.get("id") for one in years[0].find_class("story")] == [
        "s-story000",
        "s-story001",
    ]
    assert len(years[1].find_class("story")) == 1
    assert permalinks == [
        "2026/index.html#s-story000",
        "2025/index.html#s-story400",
    ]


def test_navigation_leads_to_pages_that_exist() -> None:
    """Every relative link of every page names a document, and where we are is said."""
    documents = published(a_story(0), a_story(500, topics=("travail",)))
    names = [name for name in documents if name.endswith("index.html")]

    assert len(names) == 6
    for name in names:
        tree = page(documents, name)
        up = name.count("/")
        for href in tree.xpath("//@href"):
            path = href.partition("#")[0]
            if path and not path.startswith("https:"):
                assert path.startswith("../" * up)
                assert path[3 * up :] in documents
        current = tree.xpath("//nav//a[@aria-current='page']/@href")
        assert [path[3 * up :] for path in current] == [name]


def test_a_page_announces_its_feed_and_the_main_one() -> None:
    """Autodiscovery in three formats, its own first; the address to copy is its own."""
    documents = published(a_story())
    topic = page(documents, "topics/travail/index.html")
    year = page(documents, "2026/index.html")
    offered = "//link[@rel='alternate'][contains(@type,'atom')]/@href"

    assert topic.xpath(offered) == ["../../topics/travail/feed.atom", "../../feed.atom"]
    assert year.xpath(offered) == ["../feed.atom"]
    assert topic.xpath("//code/text()") == [
        "https://film.example/presse/topics/travail/feed.atom"
    ]
    assert len(topic.xpath("//link[@rel='alternate']")) == 6


@pytest.mark.parametrize(
    ("contact", "href"),
    [
        ("presse@film.example", "mailto:presse@film.example"),
        ("mailto:presse@film.example", "mailto:presse@film.example"),
        ("https://film.example/contact", "https://film.example/contact"),
        ("au 01 23 45", None),
        ("javascript:alert(1)", None),
        ("", ""),
    ],
)
def test_who_misses_an_article_is_told_whom_to_write(contact: str, href: Any) -> None:
    """A mail address, a page, or plain words; nothing where nobody is named."""
    documents = render(replace(SITE, contact=contact), TOPICS, ())
    missing = page(documents).xpath("//*[@id='missing']")

    assert bool(missing) is (href != "")
    if missing:
        assert missing[0].xpath(".//a/@href") == ([href] if href else [])
        assert contact.removeprefix("mailto:") in missing[0].text_content()


def test_legal_notice_is_a_link_or_words() -> None:
    """`legal` may be an address or a sentence."""
    link = page(render(replace(SITE, legal="https://film.example/m"), TOPICS, ()))
    said = page(render(replace(SITE, legal="Éditeur : le film"), TOPICS, ()))

    assert link.xpath("//p[@class='legal']/a/@href") == ["https://film.example/m"]
    assert (
        said.find_class("legal")[0].text_content().strip() == "Éditeur\u202f: le film"
    )


def test_nothing_runs_and_nothing_is_loaded_from_elsewhere() -> None:
    """A strict policy, no script, one stylesheet of ours, which loads nothing."""
    documents = published(a_story())
    tree = page(documents)
    policy = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    style = documents["style.css"].decode()

    rules = dict(rule.strip().split(" ", 1) for rule in policy[0].split(";"))
    (data,) = tree.xpath("//script")
    digest = b64encode(sha256(data.text.encode()).digest()).decode()

    # The one source of scripts is the data itself, which no browser runs.
    assert rules == {
        "default-src": "'none'",
        "style-src": "'self'",
        "img-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "script-src": f"'sha256-{digest}'",
    }
    assert data.get("type") == "application/ld+json"
    assert not tree.xpath("//img|//iframe|//style|//@style|//object")
    assert not [name for name in tree.xpath("//@*") if name.attrname[:2] == "on"]
    assert tree.xpath("//link[@rel='stylesheet']/@href") == ["style.css"]
    assert "url(" not in style
    assert "@import" not in style


def test_the_frame_of_a_window_has_the_colour_of_the_paper() -> None:
    """In both schemes: what the page says is what the style sheet sets."""
    documents = published(a_story())
    colours = page(documents).xpath("//meta[@name='theme-color']/@content")
    papers = re.findall(r"--paper: (#\w+)", documents["style.css"].decode())

    assert colours == papers[:2]


def test_a_page_can_be_used_without_seeing_it() -> None:
    """Language, skip link, landmarks, one h1, headings in order, named navigations."""
    documents = published(a_story(0), a_story(1, pinned=True))
    for name in ("index.html", "topics/film/index.html", "2026/index.html"):
        tree = page(documents, name)
        levels = [int(one.tag[1]) for one in tree.xpath("//h1|//h2|//h3")]

        assert tree.get("lang") == "fr"
        assert tree.xpath("//body/*[1]/@href") == ["#list"]
        assert len(tree.xpath("//main[@id='list']|//body/header|//body/footer")) == 3
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert set(levels[1:]) == {2}
        assert all(
            nav.get("aria-label") or nav.get("aria-labelledby")
            for nav in tree.iter("nav")
        )
        assert len(set(tree.xpath("//@id"))) == len(tree.xpath("//@id"))


def test_another_language_is_marked() -> None:
    """A screen reader says an English title in English; French ones need no mark."""
    tree = page(
        published(
            a_story(
                0, title="Who trains the machines ?", language="en", summary="They"
            ),
            a_story(1, title="Qui est là ?", language="fr-CA"),
        )
    )
    english, french = tree.find_class("title")

    assert english.get("lang") == "en"
    assert english.text_content() == "Who trains the machines ?"
    assert tree.xpath("//blockquote/@lang") == ["en"]
    assert french.get("lang") is None
    assert french.text_content() == "Qui est là\u202f?"


def test_also_in_names_the_other_outlets() -> None:
    """Links where there are addresses, and the lasting copy."""
    at = a_story().published_at
    story = a_story(
        copies=(
            Copy("Le Journal", "https://journal.example/0", "T", at),
            Copy("La Gazette", "https://gazette.example/", "T", at),
            Copy("Papier", "", "T", at),
        ),
        archived="https://archives.example/",
    )
    also = page(published(story)).find_class("also")[0]

    assert " ".join(also.text_content().split()) == (
        "Aussi dans La Gazette, Papier · Copie archivée"
    )
    assert also.xpath("./a/@href") == [
        "https://gazette.example/",
        "https://archives.example/",
    ]


def test_an_empty_site_has_all_its_pages() -> None:
    """Before the first story the front and topic pages say so; there is no year."""
    documents = published()

    assert "Pas encore d’article." in page(documents).text_content()
    assert not page(documents).xpath("//nav[@class='years']")
    assert "topics/film/index.html" in documents


def test_english_pages_have_english_words_and_dates() -> None:
    """`language = "en"`; French spacing is not applied, not even to French titles."""
    site = replace(SITE, language="en")
    tree = page(render(site, TOPICS, (a_story(title="Qui : moi ?", language="fr"),)))

    assert tree.get("lang") == "en"
    assert "Subscribe" in tree.text_content()
    assert lines(tree) == ["(Mar 14, 2026) Qui : moi ? Le Journal."]


def test_an_unknown_language_has_english_words_and_its_own_dates() -> None:
    """A third language needs only a catalogue; until then the words are English."""
    assert words("es").gettext("Subscribe") == "Subscribe"
    assert words("es").month(datetime(2020, 2, 1, tzinfo=UTC)) == "Febrero de 2020"
    assert words("tlh-x").language == "en"


@pytest.mark.parametrize(
    ("text", "set_"),
    [
        ("« Oui » : non ; si ! quoi ?", "« Oui » : non ; si ! quoi ?"),
        ("«Oui»", "« Oui »"),
        ("http://a.example/?b 20:30 Who?", "http://a.example/?b 20:30 Who?"),
        ("50 % pour 3 €", "50 % pour 3 €"),
        ("fin\u00a0: suite", "fin : suite"),
    ],
)
def test_french_spaces_are_narrow_and_unbreakable(text: str, set_: str) -> None:
    """Before ; : ! ? » % € and after «; inside addresses and hours nothing changes."""
    narrow = re.sub(r"(?<=«) | (?=[;:!?»%€])", "\u202f", set_)

    assert words("fr").typographic(text) == narrow
    assert words("fr").typographic(narrow) == narrow


def test_each_catalogue_has_every_word() -> None:
    """What templates and rooms say is in fr.po, translated, and in en.po; no more."""
    said = {
        message
        for _, _, message, _, _ in extract_from_dir(
            str(PACKAGE),
            method_map=[("**.html", "jinja2"), ("**.py", "python")],
            options_map={"**.html": {"trimmed": "true"}},
            keywords={"_": None, "_n": None, "gettext": None, "ngettext": (1, 2)},
        )
    }
    for language in ("fr", "en"):
        source = catalogue(language)
        assert source is not None
        with source.open("rb") as lines_:
            listed = read_po(lines_)
        assert {message.id for message in listed if message.id} == said
        if language == "fr":
            assert all(message.string for message in listed if message.id)


@pytest.mark.parametrize(
    "where",
    ["title", "outlet", "note", "author", "detail", "form", "summary", "language"],
)
def test_what_an_outlet_wrote_as_markup_is_text(where: str) -> None:
    """No tag, attribute or entity of another's passes, wherever it stands."""
    hostile = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>&lt;b&gt;"
    documents = published(a_story(**{where: hostile}))
    for name in ("index.html", "2026/index.html", "topics/film/index.html"):
        tree = page(documents, name)

        assert not tree.xpath("//script[@src or not(@type)]|//img|//b|//@onerror")
        assert len(tree.xpath("//script")) == 1
        if where != "language":
            assert hostile.replace(" ", "") in tree.text_content().replace(" ", "")


def test_site_and_topics_are_escaped_too() -> None:
    """The maintainer may write & and < in titles and descriptions."""
    topic = Topic("film", "Le <film> & moi", "« A & B »")
    documents = render(replace(SITE, title="A & <B>", subtitle="<i>"), (topic,), ())

    assert page(documents).xpath("//h1")[0].text_content() == "A & <B>"
    assert "Le <film> & moi" in page(documents).text_content()
    assert page(documents, "topics/film/index.html").xpath("//h1")[
        0
    ].text_content() == ("Le <film> & moi")
    assert FILM.main
    assert not WORK.main
