"""The published folder as a whole: the same bytes for the same stories, always."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree, html
from publish_cases import (
    CASES,
    SITE,
    TOPICS,
    a_story,
    case,
    expected,
    published,
    render,
)
from pybtex.database import parse_string

from aggregator.model import Copy, Evidence, State

FOLDERS = sorted(path.parent for path in CASES.glob("*/stories.toml"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_documents_are_those_of_the_case(folder: Path) -> None:
    """Every tests/publish/NAME is published byte for byte as it stands there."""
    kept = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "stories.toml"
    }

    assert expected(folder) == kept


def test_every_document_has_its_place() -> None:
    """The folder holds what DESIGN.md §6 lists, as far as it is built."""
    names = set(published(a_story()))
    feeds = {
        f"{folder}feed.{format_}"
        for folder in ("", "all/", "topics/film/", "topics/travail/")
        for format_ in ("atom", "rss", "json")
    }

    assert names == feeds | {
        "archive/2026-03.atom",
        "topics/film/archive/2026-03.atom",
        "embed.html",
        "fragment.html",
        "index.html",
        "topics/film/fragment.html",
        "topics/film/index.html",
        "topics/travail/fragment.html",
        "topics/travail/index.html",
        "2026/index.html",
        "outlets/index.html",
        "sitemap.xml",
        "outlets/outlets.csv",
        "outlets/outlets.opml",
        "stories.bib",
        "stories.csv",
        "stories.jsonl",
        "style.css",
        "favicon.svg",
        "favicon.ico",
        "apple-touch-icon.png",
    }


@settings(deadline=None, max_examples=10)
@given(st.permutations(case(CASES / "press")[2]))
def test_the_order_of_stories_changes_no_byte(stories: list[object]) -> None:
    """Whichever poll finished first, the folder is the same."""
    site, topics, ordered = case(CASES / "press")

    assert render(site, topics, stories) == render(site, topics, ordered)


def test_another_process_zone_and_language_change_no_byte() -> None:
    """Nothing of the environment is read: no zone, no locale, no hash seed."""
    script = (
        "import hashlib, json, sys\n"
        f"sys.path.insert(0, {str(CASES.parent)!r})\n"
        "from publish_cases import CASES, case, render\n"
        "documents = render(*case(CASES / 'press'))\n"
        "print(hashlib.sha256(repr(list(documents.items())).encode()).hexdigest())\n"
    )
    made = {
        subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | {"TZ": zone, "LC_ALL": locale, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        ).stdout
        for zone, locale, seed in (("UTC", "C", "1"), ("Asia/Tokyo", "C.UTF-8", "2"))
    }

    assert len(made) == 1


@pytest.mark.parametrize("state", [one for one in State if one is not State.PUBLISHED])
def test_only_published_stories_come_out(state: State) -> None:
    """Withdrawn, hidden and waiting ones leave no trace in the public folder."""
    documents = published(a_story(state=state, title="Secret"))

    assert documents == published()


def test_an_address_without_its_last_slash_is_mended() -> None:
    """Links are made by appending to the address."""
    site = replace(SITE, url=SITE.url.rstrip("/"))

    assert render(site, TOPICS, (a_story(),)) == published(a_story())


@settings(deadline=None, max_examples=60)
@given(
    title=st.text(),
    outlet=st.text(),
    author=st.text(),
    summary=st.text(),
    note=st.text(),
    url=st.text() | st.just("https://journal.example/\x0b<"),
    snippet=st.text(),
    form=st.text(),
)
def test_no_text_breaks_a_document(
    title: str,
    outlet: str,
    author: str,
    summary: str,
    note: str,
    url: str,
    snippet: str,
    form: str,
) -> None:
    """Every XML is well-formed, every JSON is JSON, no page gains a foreign element."""
    story = a_story()
    documents = published(
        replace(
            story,
            title=title,
            outlet=outlet,
            author=author,
            summary=summary,
            note=note,
            url=url,
            form=form,
            detail=title,
            home=url,
            feed_url=url,
            feed_title=title,
            archived=url,
            copies=(*story.copies, Copy(outlet, url, title, story.published_at)),
            evidence=(Evidence("film", note, "article", snippet, certain=True),),
        )
    )
    allowed = set(
        "html head meta title link body a header h1 span nav ul li main p section h2 "
        "time cite blockquote mark footer code script".split()
    )

    for name, body in documents.items():
        if name.endswith((".atom", ".rss")):
            assert len(etree.fromstring(body)) >= 1
        elif name.endswith(".opml"):
            assert etree.fromstring(body).tag == "opml"
        elif name.endswith(".csv"):
            read = [*csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""))]
            assert len({len(row) for row in read}) == 1
        elif name.endswith(".bib"):
            assert [*parse_string(body.decode(), "bibtex").entries] == ["s-story000"]
        elif name.endswith(".json"):
            assert "items" in json.loads(body)
        elif name.endswith(".html"):
            tree = html.document_fromstring(body.decode())
            found = {one.tag for one in tree.iter() if isinstance(one.tag, str)}
            more = {"fragment": {"div"}, "embed": {"div", "style"}}
            assert found <= allowed | more.get(Path(name).stem, set())
            for data in tree.iter("script"):
                assert data.get("type") == "application/ld+json"
                assert json.loads(data.text)["@type"] == "ItemList"
            hrefs = tree.xpath("//a/@href")
            assert all(
                href.startswith(("https://", "http://", "#", "../")) or "html" in href
                for href in hrefs
                if not href.endswith(("feed.atom", "feed.rss", "feed.json"))
            )
