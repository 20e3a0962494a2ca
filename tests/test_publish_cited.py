"""What programs find on a page: COinS, JSON-LD, Open Graph, the site's sign."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree, html
from publish_cases import SITE, TOPICS, a_story, published, render

from aggregator.publish.citing import LISTED
from aggregator.publish.view import title as cleaned

PNG = b"\x89PNG\r\n\x1a\n"


def page(documents: dict[str, bytes], name: str = "index.html") -> Any:
    return html.document_fromstring(documents[name].decode())


def references(tree: Any) -> list[dict[str, str]]:
    """Return what Zotero reads: the titles of all spans of class Z3988."""
    read = [
        parse_qs(title, strict_parsing=True, encoding="utf-8")
        for title in tree.xpath("//span[@class='Z3988']/@title")
    ]
    return [{key: value for key, (value,) in one.items()} for one in read]


def data(tree: Any) -> dict[str, Any]:
    (block,) = tree.xpath("//script[@type='application/ld+json']/text()")
    read: dict[str, Any] = json.loads(block)
    return read


def test_every_article_is_a_reference_for_zotero() -> None:
    """A newspaper's article, with title, outlet, author, date, language and address."""
    story = a_story(
        title="« Clic » & moi : 100 % d’IA + rien",
        outlet="L’Écho",
        author="Camille Roussel",
        language="fr",
    )
    documents = published(story)
    wanted = {
        "ctx_ver": "Z39.88-2004",
        "rft_val_fmt": "info:ofi/fmt:kev:mtx:dc",
        "rft.type": "newspaperArticle",
        "rft.title": story.title,
        "rft.source": "L’Écho",
        "rft.creator": "Camille Roussel",
        "rft.date": "2026-03-14",
        "rft.language": "fr",
        "rft.identifier": story.url,
    }

    for name in ("index.html", "2026/index.html", "topics/film/index.html"):
        assert references(page(documents, name)) == [wanted]
    assert "+" not in page(documents).xpath("//span[@class='Z3988']/@title")[0]


@pytest.mark.parametrize(
    ("form", "kind"),
    [
        ("", "newspaperArticle"),
        ("paper", "newspaperArticle"),
        ("interview", "newspaperArticle"),
        ("tribune", "newspaperArticle"),
        ("tv", "tvBroadcast"),
        ("radio", "radioBroadcast"),
        ("video", "videoRecording"),
        ("podcast", "podcast"),
    ],
)
def test_zotero_is_told_the_kind(form: str, kind: str) -> None:
    """By its own names of item types."""
    (found,) = references(page(published(a_story(form=form))))

    assert found["rft.type"] == kind


def test_a_reference_says_no_more_than_is_known() -> None:
    """A month is no day, an outlet no author, an anchor the address of a broadcast."""
    at = datetime(2019, 11, 1, 11, tzinfo=UTC)
    story = a_story(url="", author="Le Journal", published_at=at, precision="month")
    (found,) = references(page(published(story)))

    assert found["rft.date"] == "2019-11"
    assert "rft.creator" not in found
    assert found["rft.identifier"] == f"{SITE.url}2019/index.html#s-story000"


def test_a_page_is_a_list_of_articles_for_search_engines() -> None:
    """In the order of the page, pinned ones first; none of an outlet's text."""
    stories = (
        a_story(0, author="Camille Roussel", home="https://journal.example/"),
        a_story(1, pinned=True, summary="Un résumé que personne ne doit y trouver."),
    )
    tree = page(published(*stories))
    found = data(tree)
    articles = [one["item"] for one in found["itemListElement"]]

    assert (found["@context"], found["@type"]) == ("https://schema.org", "ItemList")
    assert (found["url"], found["numberOfItems"]) == (SITE.url, 2)
    assert [one["position"] for one in found["itemListElement"]] == [1, 2]
    assert articles[1] == {
        "@type": "NewsArticle",
        "headline": stories[0].title,
        "url": stories[0].url,
        "datePublished": "2026-03-14",
        "author": {"@type": "Person", "name": "Camille Roussel"},
        "publisher": {
            "@type": "Organization",
            "name": "Le Journal",
            "url": "https://journal.example/",
        },
    }
    assert articles[0]["headline"] == stories[1].title
    assert "personne" not in json.dumps(found)


def test_a_long_list_is_begun() -> None:
    """The number is that of the page, the list its first hundred."""
    stories = [a_story(number) for number in range(LISTED + 20)]
    found = data(page(published(*stories), "topics/film/index.html"))

    assert found["numberOfItems"] == LISTED + 20
    assert len(found["itemListElement"]) == LISTED


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.sampled_from(
            ["</script>", "<!--", "<script", "]]>", '"', "\\", "'", "\u2028"]
        )
        | st.text(max_size=5),
        min_size=1,
    ).map("".join)
)
def test_no_title_leaves_the_data_or_the_reference(title: str) -> None:
    """What a title holds stays a value, in JSON-LD as in COinS."""
    whole = f"a{title}z"
    tree = page(published(a_story(title=whole)))
    (article,) = data(tree)["itemListElement"]

    assert not set("<>&") & set(tree.xpath("//script/text()")[0])
    assert article["item"]["headline"] == cleaned(whole)
    assert references(tree)[0]["rft.title"] == cleaned(whole)


def test_a_link_that_is_shared_has_a_card() -> None:
    """Open Graph: title, sentence, address, language and picture, on each page."""
    site = replace(SITE, subtitle="Ce que la presse écrit du film")
    documents = render(site, TOPICS, (a_story(),))
    found = {
        name: {
            tag.get("property").removeprefix("og:"): tag.get("content")
            for tag in page(documents, name).xpath("//meta[@property]")
        }
        for name in documents
        if name.endswith("index.html")  # the others are shown within a page
    }

    assert found["index.html"] == {
        "type": "website",
        "title": SITE.title,
        "description": site.subtitle,
        "url": SITE.url,
        "site_name": SITE.title,
        "locale": "fr_FR",
        "image": f"{SITE.url}apple-touch-icon.png",
    }
    assert found["topics/film/index.html"]["title"] == "Le film"
    assert found["2026/index.html"]["url"] == f"{SITE.url}2026/"
    for name, card in found.items():
        (canonical,) = page(documents, name).xpath("//link[@rel='canonical']/@href")
        assert card["url"] == canonical
        assert urlsplit(card["image"]).path.rpartition("/")[2] in documents


def test_browsers_find_a_sign_for_their_tabs() -> None:
    """A drawing that loads nothing, and pixels under the names browsers ask for."""
    documents = published(a_story())
    drawing = etree.fromstring(documents["favicon.svg"])
    ico = documents["favicon.ico"]
    pictures = [
        struct.unpack_from("<BBBBHHII", ico, 6 + 16 * number)
        for number in range(struct.unpack_from("<HHH", ico)[2])
    ]

    assert page(documents, "2026/index.html").xpath(
        "//link[contains(@rel,'icon')]/@href"
    ) == [
        "../favicon.ico",
        "../favicon.svg",
        "../apple-touch-icon.png",
    ]
    assert etree.QName(drawing).localname == "svg"
    assert not drawing.xpath(
        "//@href|//*[local-name()='script' or local-name()='image']"
    )
    assert documents["apple-touch-icon.png"].startswith(PNG)
    assert [picture[0] for picture in pictures] == [16, 32]
    assert all(ico[at:].startswith(PNG) for *_, at in pictures)
