"""stories.csv, stories.bib, outlets.csv and outlets.opml: what others read of them."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from publish_cases import (
    CASES,
    SITE,
    TOPICS,
    a_story,
    case,
    coverage,
    published,
    render,
)
from pybtex.database import BibliographyData, parse_string

from aggregator.health import Followed, Window
from aggregator.model import Copy, DataError
from aggregator.publish import tables
from aggregator.publish.opml import opml

AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
PRESS = render(*case(CASES / "press"), coverage(CASES / "press"))
FORMULAS = ["=1+1", "+33", "-2", "@SUM(A1)", "\t=1", "\r=1", "＝1", "'=1", "'"]
texts = st.text(max_size=40) | st.sampled_from(FORMULAS)


def rows(document: bytes) -> list[dict[str, str]]:
    """Return the rows as a spreadsheet reads them, cells as they were meant."""
    assert document.startswith(b"\xef\xbb\xbf")
    reader = csv.DictReader(io.StringIO(document.decode("utf-8-sig"), newline=""))
    return [{k: tables.unguarded(v) for k, v in row.items()} for row in reader]


def bib(document: bytes) -> BibliographyData:
    return parse_string(document.decode(), "bibtex")


def test_the_table_has_every_story_and_all_that_is_known_of_it() -> None:
    """Names and words as on the page; a month alone is no day."""
    found = {row["story"]: row for row in rows(PRESS["stories.csv"])}

    assert set(found) == {"aaaaaaa2", "aaaaaaa3", "aaaaaaa4", "aaaaaaa5"}
    one = found["aaaaaaa2"]
    assert one["title"] == "« Invisibles » : le film des petites mains"
    assert (one["published"], one["published_at"]) == (
        "2020-02-12",
        "2020-02-12T07:30:00Z",
    )
    assert one["topics"] == "documentaire auteur"
    assert one["also_in"] == ("La Gazette du Net https://gazette.example/petites-mains")
    assert one["found_by"] == (
        'invisibles AND "travailleurs du clic" ; antonio casilli'
    )
    assert (one["pinned"], found["aaaaaaa3"]["pinned"]) == ("yes", "")
    assert found["aaaaaaa5"]["published"] == "2019-11"
    assert found["aaaaaaa4"]["permalink"].endswith("/2020/index.html#s-aaaaaaa4")


@pytest.mark.parametrize("cell", FORMULAS)
def test_no_cell_is_a_formula(cell: str) -> None:
    """Titles, outlets and notes are text, whatever they begin with."""
    document = published(a_story(title=cell, outlet=cell, note=cell))["stories.csv"]
    text = document.decode("utf-8-sig")
    for row in csv.reader(io.StringIO(text, newline="")):
        assert not [one for one in row if one.startswith(tuple("=+-@\t\r＝＋－＠"))]


@pytest.mark.parametrize("cell", FORMULAS)
def test_no_cell_of_the_outlets_is_a_formula(cell: str) -> None:
    """A name of an outlet, which may come from a file of others, is text."""
    document = tables.outlets([Followed(cell, cell, None, None)])
    for row in csv.reader(io.StringIO(document.decode("utf-8-sig"), newline="")):
        assert not [one for one in row if one.startswith(tuple("=+-@\t\r＝＋－＠"))]


@settings(deadline=None, max_examples=60)
@given(title=texts, outlet=texts, author=texts, note=texts, detail=texts)
def test_a_table_comes_back_as_it_was(
    title: str, outlet: str, author: str, note: str, detail: str
) -> None:
    """A row is a row: no text adds one, shifts a cell or loses a sign."""
    story = a_story(title=title, outlet=outlet, author=author, note=note, detail=detail)
    (row,) = rows(published(story)["stories.csv"])

    assert None not in row
    for name in ("outlet", "author", "note", "detail"):
        assert row[name] == tables.clean(getattr(story, name))
    assert tables.guarded(tables.unguarded(tables.guarded(title))) == (
        tables.guarded(title)
    )


def test_bibtex_is_read_by_another_program() -> None:
    """Entry types, fields and names as biblatex and BibTeX have them."""
    found = bib(PRESS["stories.bib"]).entries
    kinds = {key: entry.type for key, entry in found.items()}

    assert kinds == {
        "s-aaaaaaa2": "article",
        "s-aaaaaaa3": "article",
        "s-aaaaaaa4": "video",
        "s-aaaaaaa5": "article",
    }
    film, tv = found["s-aaaaaaa2"], found["s-aaaaaaa4"]
    assert film.fields["title"] == "{« Invisibles » : le film des petites mains}"
    assert film.fields["journal"] == "Le Courrier du soir"
    assert film.fields["url"] == "https://courrier.example/invisibles?a=1&b=2"
    assert (film.fields["date"], film.fields["month"]) == ("2020-02-12", "February")
    assert [p.last_names for p in film.persons["author"]] == [["Roussel"]]
    assert (tv.fields["organization"], tv.fields["note"]) == (
        "Journal télévisé",
        "TV, 2 min 10",
    )


@pytest.mark.parametrize(
    ("form", "kind"),
    [
        ("interview", "article"),
        ("tribune", "article"),
        ("paper", "article"),
        ("", "article"),
        ("radio", "audio"),
        ("podcast", "audio"),
        ("video", "video"),
    ],
)
def test_each_form_has_an_entry_type(form: str, kind: str) -> None:
    """What is heard and seen is no article."""
    (entry,) = bib(published(a_story(form=form))["stories.bib"]).entries.values()

    assert entry.type == kind


@pytest.mark.parametrize(
    ("author", "expected"),
    [
        ("Ada Lovelace et Jean de La Fontaine", ["Lovelace", "La Fontaine"]),
        ("Ada Lovelace, Charles Babbage", ["Lovelace", "Babbage"]),
        ("AFP", ["{AFP}"]),
        ("La rédaction de 20 minutes", ["{La rédaction de 20 minutes}"]),
    ],
)
def test_authors_are_persons_where_they_look_like_it(
    author: str, expected: list[str]
) -> None:
    """Others are kept whole, so that no agency gets a family name."""
    (entry,) = bib(published(a_story(author=author))["stories.bib"]).entries.values()

    assert [" ".join(p.last_names) for p in entry.persons["author"]] == expected


@settings(deadline=None, max_examples=60)
@given(title=texts, outlet=texts, author=texts, detail=texts)
def test_no_text_breaks_the_bibliography(
    title: str, outlet: str, author: str, detail: str
) -> None:
    """One entry a story: no brace, comment or command of an outlet's gets through."""
    first = a_story(title=title, outlet=outlet, author=author, detail=detail)
    found = bib(published(first, a_story(1))["stories.bib"]).entries

    assert set(found) == {"s-story000", "s-story001"}
    assert not re.search(r"(?<!\\)[%&#$]", found["s-story000"].fields["title"])


def outline(tree: Any) -> list[dict[str, str]]:
    return [dict(one.attrib) for one in tree.iter("outline")]


def test_the_outlets_are_a_subscription_list() -> None:
    """OPML 2.0, as opml.org/spec2 has it, with what a reader needs of each feed."""
    tree = etree.fromstring(PRESS["outlets/outlets.opml"])

    assert (tree.tag, tree.get("version")) == ("opml", "2.0")
    assert [one.tag for one in tree] == ["head", "body"]
    assert [dict(one.attrib) for one in tree[0]] == [{}] * len(tree[0])
    for date in tree.xpath("head/dateCreated | head/dateModified"):
        assert parsedate_to_datetime(date.text)
    assert len(tree[1]) >= 1
    for one in outline(tree):
        assert one["text"]
        assert one["type"] in ("rss", "link")
        assert ("xmlUrl" in one) == (one["type"] == "rss")
        assert ("url" in one) == (one["type"] == "link")
    assert {
        "text": "Le Courrier du soir",
        "title": "Le Courrier du soir",
        "type": "rss",
        "xmlUrl": "https://courrier.example/rss?a=1&b=2",
        "htmlUrl": "https://courrier.example/",
    } in outline(tree)


def test_a_list_without_outlets_is_valid_too() -> None:
    """The body holds one outline at least."""
    tree = etree.fromstring(opml(SITE, ()))

    assert [set(one) for one in outline(tree)] == [{"text"}]


windows = st.builds(
    lambda kind, since, length: Window(
        kind,
        AT + timedelta(seconds=since),
        None if length is None else AT + timedelta(seconds=since + length),
    ),
    st.sampled_from(["failure", "silence", "gap"]),
    st.integers(0, 10**8),
    st.none() | st.integers(0, 10**8),
)
rows_of_outlets = st.lists(
    st.builds(
        Followed,
        name=st.sampled_from([*FORMULAS[:4], "Le Monde", "L’Écho, « le »"]),
        homepage=st.sampled_from(["", "https://a.fr/"]),
        since=st.none() | st.just(AT),
        newest_at=st.none() | st.just(AT),
        windows=st.lists(windows, max_size=4).map(
            lambda its: tuple(sorted(its, key=lambda w: (w.since, w.kind)))
        ),
        language=st.sampled_from(["", "fr"]),
        feeds=st.sampled_from(
            [(), (("https://a.fr/1", "feed"), ("https://a.fr/2", "feed"))]
        ),
    ),
    max_size=3,
    unique_by=lambda one: one.name,
)


@given(rows_of_outlets)
def test_what_is_followed_comes_back_from_its_table(its: list[Followed]) -> None:
    """Since when and every hole: it is what a lost database goes on from."""
    back = tables.read_outlets(tables.outlets(its))

    key = lambda one: one.name  # noqa: E731
    for one, other in zip(sorted(its, key=key), sorted(back, key=key), strict=True):
        assert set(one.windows) == set(other.windows)
        assert {**vars_of(one), "windows": ()} == {**vars_of(other), "windows": ()}


def vars_of(one: Followed) -> dict[str, object]:
    return {name: getattr(one, name) for name in one.__slots__}


@pytest.mark.parametrize(
    "damage",
    [b"\xff", b"x,y\r\n1,2\r\n", b'outlet\r\n"a', b"since\r\nx\r\n"],
)
def test_a_damaged_table_is_no_table(damage: bytes) -> None:
    """It says where, and guesses nothing."""
    with pytest.raises(DataError, match=r"row 2|no table"):
        tables.read_outlets(damage)


def test_copies_without_address_are_named() -> None:
    """« Also in » of paper and radio."""
    story = a_story()
    copy = Copy("France Inter", "", "x", story.published_at)
    (row,) = rows(
        render(SITE, TOPICS, [a_story(copies=(*story.copies, copy))])["stories.csv"]
    )

    assert row["also_in"] == "France Inter"
