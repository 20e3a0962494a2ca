"""JSON Feed: what version 1.1 asks, and why each story is here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from publish_cases import CASES, a_story, case, published, render

from aggregator.model import Evidence

# jsonfeed.org/version/1.1: keys of the three kinds of object, and their JSON types
TOP = {
    "version": str,
    "title": str,
    "home_page_url": str,
    "feed_url": str,
    "description": str,
    "user_comment": str,
    "next_url": str,
    "icon": str,
    "favicon": str,
    "authors": list,
    "language": str,
    "expired": bool,
    "hubs": list,
    "items": list,
}
ITEM = {
    "id": str,
    "url": str,
    "external_url": str,
    "title": str,
    "content_html": str,
    "content_text": str,
    "summary": str,
    "image": str,
    "banner_image": str,
    "date_published": str,
    "date_modified": str,
    "authors": list,
    "tags": list,
    "language": str,
    "attachments": list,
}
AUTHOR = {"name": str, "url": str, "avatar": str}
HUB = {"type": str, "url": str}
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")  # RFC 5646


def problems(feed: Any) -> Iterator[str]:
    """Yield each rule of JSON Feed 1.1 that the document breaks."""
    yield from typed(feed, TOP, "feed")
    if feed.get("version") != "https://jsonfeed.org/version/1.1":
        yield "feed: version"
    yield from (f"feed: no {key}" for key in ("title", "items") if key not in feed)
    yield from linking(feed, "feed", "home_page_url", "feed_url", "next_url", "icon")
    for hub in feed.get("hubs", ()):
        yield from typed(hub, HUB, "hub")
        yield from (f"hub: no {key}" for key in HUB if key not in hub)
        yield from linking(hub, "hub", "url")
    yield from authored(feed, "feed")
    ids = [item.get("id") for item in feed.get("items", ())]
    if len(set(ids)) != len(ids):
        yield "items: an id twice"
    for item in feed.get("items", ()):
        yield from item_problems(item, f"item {item.get('id')}")


def item_problems(item: Any, where: str) -> Iterator[str]:
    yield from typed(item, ITEM, where)
    if not item.get("id"):
        yield f"{where}: no id"
    if "content_html" not in item and "content_text" not in item:
        yield f"{where}: no content"
    for key in ("date_published", "date_modified"):
        if key in item and datetime.fromisoformat(item[key]).tzinfo is None:
            yield f"{where}: {key} is no RFC 3339 date"
    yield from linking(item, where, "url", "external_url", "image", "banner_image")
    if not all(isinstance(tag, str) and tag for tag in item.get("tags", ())):
        yield f"{where}: a tag is no text"
    yield from authored(item, where)


def linking(table: Any, where: str, *keys: str) -> Iterator[str]:
    for key in keys:
        if not table.get(key, "https://").startswith(("https://", "http://")):
            yield f"{where}: {key} is no URL"


def typed(table: Any, keys: dict[str, type], where: str) -> Iterator[str]:
    for key, value in table.items():
        if not key.startswith("_") and key not in keys:
            yield f"{where}: unknown {key}"
        elif not key.startswith("_") and not isinstance(value, keys[key]):
            yield f"{where}: {key} is a {type(value).__name__}"


def authored(table: Any, where: str) -> Iterator[str]:
    if not LANGUAGE.fullmatch(table.get("language", "fr")):
        yield f"{where}: language"
    for author in table.get("authors", ()):
        yield from typed(author, AUTHOR, f"{where} author")
        if not author:
            yield f"{where}: an author without anything"


@pytest.mark.parametrize("name", ["press", "empty"])
def test_every_json_feed_keeps_the_rules_of_1_1(name: str) -> None:
    """Main, topic and all/ feeds, empty ones too, with hubs."""
    site, topics, stories = case(CASES / name)
    site = replace(site, hubs=("https://a.example/", "https://b.example/"))
    documents = render(site, topics, stories)
    feeds = {key: body for key, body in documents.items() if key.endswith(".json")}

    assert len(feeds) >= 3
    for key, body in feeds.items():
        feed = json.loads(body)
        assert (key, list(problems(feed))) == (key, [])
        assert [hub["url"] for hub in feed["hubs"]] == list(site.hubs)
        assert feed["feed_url"] == site.url + key


def test_the_rules_refuse_what_is_no_json_feed() -> None:
    """The validator can fail."""
    wrong = {
        "version": "1",
        "items": [{"id": 1, "url": "x", "odd": "", "tags": [1], "language": "xyz!"}],
        "authors": [{}],
        "hubs": [{"url": "hub"}],
        "feed_url": "/feed.json",
    }

    assert len(list(problems(wrong))) == 12


def test_a_mention_says_why_and_where() -> None:
    """`_mention` holds what DESIGN.md §6 lists, with marks as HTML."""
    items = json.loads(render(*case(CASES / "press"))["feed.json"])["items"]
    mention = next(i for i in items if i["id"].endswith("aaaaaaa2"))["_mention"]

    assert mention["story"] == "aaaaaaa2"
    assert mention["topics"] == ["documentaire", "auteur"]
    assert mention["added_at"] == "2020-02-12T08:00:00+00:00"
    assert mention["evidence"][0] == {
        "topic": "documentaire",
        "line": 'invisibles AND "travailleurs du clic"',
        "field": "summary",
        "snippet": "Pendant quatre épisodes, les <mark>travailleurs du clic</mark> "
        "racontent leurs journées…",
        "certain": True,
    }
    assert mention["copies"][1] == {
        "outlet": "La Gazette du Net",
        "url": "https://gazette.example/petites-mains",
        "title": "Le film des petites mains",
        "published": "2020-02-12T10:00:00+00:00",
    }


def test_a_snippet_is_html_with_nothing_but_marks() -> None:
    """What an outlet wrote as markup is text for whoever shows the snippet."""
    evidence = Evidence("film", "x", "article", "<b>\x02a & b\x03</b>", certain=False)
    feed = json.loads(published(a_story(evidence=(evidence,)))["feed.json"])
    shown = feed["items"][0]["_mention"]["evidence"][0]

    assert shown["snippet"] == "&lt;b&gt;<mark>a &amp; b</mark>&lt;/b&gt;"
    assert shown["certain"] is False


def test_language_is_given_where_known() -> None:
    """An item's language is its article's; nonsense of an outlet is left out."""
    feed = json.loads(
        published(a_story(0, language="en-GB"), a_story(1, language="<x>"))["feed.json"]
    )

    assert [item.get("language") for item in feed["items"]] == ["en-GB", None]
