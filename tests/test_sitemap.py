"""sitemap.xml, by the rules of sitemaps.org, and which pages may be indexed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from lxml import etree, html
from publish_cases import CASES, SITE, TOPICS, a_story, case, published, render

from aggregator.model import State

NAMESPACE = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
LATER = datetime(2026, 11, 23, 12, tzinfo=UTC)


def pages(document: bytes) -> dict[str, str]:
    """Return the date of each address listed, "" where there is none."""
    root = etree.fromstring(document)

    assert root.tag == f"{NAMESPACE}urlset"
    assert document.startswith(b"<?xml version='1.0' encoding='utf-8'?>")
    return {
        one.findtext(f"{NAMESPACE}loc"): one.findtext(f"{NAMESPACE}lastmod", "")
        for one in root.iter(f"{NAMESPACE}url")
    }


def test_every_page_to_be_found_is_listed_by_its_address() -> None:
    """Absolute, under site.url, front page first; and each is published."""
    site, topics, stories = case(CASES / "press")
    documents = render(site, topics, stories)
    folders = [one.removeprefix(site.url) for one in pages(documents["sitemap.xml"])]
    found = {name.removesuffix("index.html") for name in documents if "html" in name}

    assert folders[0] == ""
    assert {"topics/auteur/", "2020/", "outlets/"} <= {*folders} <= found


def test_what_is_no_page_of_its_own_asks_not_to_be_indexed() -> None:
    """A document with a head is listed or says noindex, never both."""
    site, topics, stories = case(CASES / "press")
    documents = render(site, topics, stories)
    listed = {
        f"{one.removeprefix(site.url)}index.html"
        for one in pages(documents["sitemap.xml"])
    }
    found = {name: body for name, body in documents.items() if name.endswith(".html")}
    for name, body in found.items():
        if b"<head>" not in body:
            continue
        robots = html.document_fromstring(body.decode()).xpath(
            "string(//meta[@name='robots']/@content)"
        )

        assert (name in listed) != ("noindex" in robots), name


def test_a_page_has_the_date_of_its_last_change() -> None:
    """The newest `updated` of its stories, or when one of them left."""
    old = a_story(0, topics=("film",))
    new = a_story(1, topics=("travail",), updated_at=LATER)
    gone = replace(
        old, short="gone0001", state=State.HIDDEN, withdrawn_at=LATER, live=True
    )
    with_both = pages(published(old, new)["sitemap.xml"])
    film = f"{SITE.url}topics/film/"

    assert with_both[f"{SITE.url}topics/travail/"] == LATER.isoformat()
    assert with_both[film] < LATER.isoformat()
    assert pages(published(old, gone)["sitemap.xml"])[film] == LATER.isoformat()
    assert with_both[f"{SITE.url}outlets/"] == ""


def test_addresses_are_escaped_and_a_site_without_stories_is_valid() -> None:
    """An ampersand in site.url breaks nothing; a page nothing stands on has no date."""
    site = replace(SITE, url="https://film.example/?a=1&b=")
    listed = pages(render(site, TOPICS, [])["sitemap.xml"])

    assert {*listed.values()} == {""}
    assert "https://film.example/?a=1&b=/" in listed
