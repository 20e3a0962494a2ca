"""Atom and RSS: valid, complete, dated by their stories alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path

import feedparser
import pytest
import rnc2rng
from lxml import etree
from publish_cases import CASES, NOON, SITE, a_story, case, published, render
from w3c import doubts

from aggregator.model import Copy, Evidence, State

ATOM = "{http://www.w3.org/2005/Atom}"
SCHEMA = Path(__file__).parent / "schemas" / "atom.rnc"


@cache
def grammar() -> etree.RelaxNG:
    """RFC 4287 appendix B; rnc2rng declares an empty prefix, which XML 1.0 forbids."""
    compact = rnc2rng.loads(SCHEMA.read_text())
    xml = rnc2rng.dumps(compact).replace('xmlns:local=""', "")
    return etree.RelaxNG(etree.fromstring(xml.encode()))


def entries(document: bytes) -> list[etree._Element]:
    return etree.fromstring(document).findall(f"{ATOM}entry")


def links(entry: etree._Element) -> list[tuple[str, str]]:
    return [(one.get("rel"), one.get("href")) for one in entry.findall(f"{ATOM}link")]


@pytest.mark.parametrize("name", ["press", "empty"])
def test_every_atom_document_follows_the_grammar_of_rfc_4287(name: str) -> None:
    """Main, topic and all/ feeds do, empty ones too, and keep its two asserts."""
    documents = render(*case(CASES / name))
    feeds = {key: body for key, body in documents.items() if key.endswith(".atom")}

    assert len(feeds) >= 3
    for key, body in feeds.items():
        tree = etree.fromstring(body)
        assert grammar().validate(tree), (key, grammar().error_log)
        assert tree.find(f"{ATOM}author") is not None
        assert all(one.find(f"{ATOM}content") is not None for one in entries(body))


@pytest.mark.parametrize("name", ["press", "empty"])
def test_the_w3c_validator_would_have_nothing_to_say(name: str) -> None:
    """Not of an Atom or RSS document, by those of its rules that concern them."""
    site, topics, stories = case(CASES / name)
    site = replace(site, hubs=("https://a.example/", "https://b.example/"))
    for key, body in render(site, topics, stories).items():
        if key.endswith((".atom", ".rss")):
            assert (key, list(doubts(body))) == (key, [])


@pytest.mark.parametrize(
    ("name", "right", "wrong", "doubt"),
    [
        ("feed.atom", 'rel="self" type="application/atom+xml"', 'rel="odd"', "feed"),
        ("feed.atom", "harbour.example/m", "harbour.example/é", "entry link"),
        ("feed.atom", "Who trains", "&lt;b&gt;Who", "entry title"),
        ("feed.atom", "2020-02-12T07", "1970-01-01T00", "entry published"),
        ("feed.atom", "&lt;mark&gt;", "&lt;script&gt;", "entry content"),
        ("feed.atom", "<id>https://harbour", "<id>HTTPS://harbour", "source id"),
        ("feed.atom", 'xml:lang="en-GB"', 'xml:lang="english"', "title"),
        ("feed.rss", "Who trains", "&lt;b&gt;Who", "item title"),
        ("feed.rss", "Mon, 02", "Tue, 02", "item pubDate"),
        ("feed.rss", 'isPermaLink="false"', "", "item"),
        ("feed.rss", "<language>fr", "<language>french", "channel language"),
        ("feed.rss", "&lt;mark&gt;", "&lt;script&gt;", "item description"),
    ],
)
def test_the_rules_of_the_validator_can_be_broken(
    name: str, right: str, wrong: str, doubt: str
) -> None:
    """What they are there for is found."""
    body = render(*case(CASES / "press"))[name].decode()
    assert right in body
    found = doubts(body.replace(right, wrong).encode())

    assert doubt in {line.partition(":")[0] for line in found}


def test_the_grammar_refuses_what_is_no_atom() -> None:
    """The schema test can fail: a feed without `updated` does not pass."""
    wrong = (
        b"<feed xmlns='http://www.w3.org/2005/Atom'><id>a</id><title>t</title></feed>"
    )

    assert not grammar().validate(etree.fromstring(wrong))


@pytest.mark.parametrize("name", ["press", "empty"])
def test_atom_and_rss_read_the_same(name: str) -> None:
    """A reader finds in both the same titles, ids, links, dates, tags and content."""
    documents = render(*case(CASES / name))
    for folder in ("", "all/", "topics/auteur/"):
        atom = feedparser.parse(documents[f"{folder}feed.atom"])
        rss = feedparser.parse(documents[f"{folder}feed.rss"])

        assert (atom.version, rss.version) == ("atom10", "rss20")
        assert not atom.bozo
        assert not rss.bozo
        assert atom.feed.title == rss.feed.title
        assert atom.feed.link == rss.feed.link
        for key in ("id", "title", "link", "published_parsed", "author"):
            assert [e.get(key) for e in atom.entries] == [
                e.get(key) for e in rss.entries
            ]
        assert [[tag.label for tag in e.tags] for e in atom.entries] == [
            [tag.term for tag in e.tags] for e in rss.entries
        ]
        assert [e.content[0].value for e in atom.entries] == [
            e.summary for e in rss.entries
        ]


def test_an_entry_says_where_it_comes_from() -> None:
    """Links, author, source and categories of a story with copies (RFC 4287 §4.2)."""
    first, *_ = (
        entry
        for entry in entries(render(*case(CASES / "press"))["feed.atom"])
        if entry.findtext(f"{ATOM}id").endswith("/aaaaaaa2")
    )
    source = first.find(f"{ATOM}source")

    assert links(first) == [
        ("alternate", "https://courrier.example/invisibles?a=1&b=2"),
        ("related", "https://gazette.example/petites-mains"),
        ("related", "https://archives.example/courrier"),
        ("via", "https://courrier.example/"),
    ]
    assert first.findtext(f"{ATOM}author/{ATOM}name") == "Camille Roussel"
    assert first.findtext(f"{ATOM}published") == "2020-02-12T07:30:00+00:00"
    assert first.findtext(f"{ATOM}updated") == "2020-02-13T08:00:00+00:00"
    assert source.findtext(f"{ATOM}id") == "https://courrier.example/rss"
    assert source.findtext(f"{ATOM}title") == "Le Courrier du soir – À la une"
    assert links(source) == [
        ("self", "https://courrier.example/rss"),
        ("alternate", "https://courrier.example/"),
    ]
    assert [
        (one.get("term"), one.get("scheme"), one.get("label"))
        for one in first.findall(f"{ATOM}category")
    ] == [
        (
            "documentaire",
            "https://invisibles.example/presse/topics/",
            "Le documentaire",
        ),
        ("auteur", "https://invisibles.example/presse/topics/", "Antonio Casilli"),
    ]


def test_a_story_without_url_leads_to_its_anchor() -> None:
    """It has no article to link to; its place on the year page is the permalink."""
    documents = published(a_story(1, url=""))
    anchor = "https://film.example/presse/2026/index.html#s-story001"

    assert links(entries(documents["feed.atom"])[0]) == [("alternate", anchor)]
    assert feedparser.parse(documents["feed.rss"]).entries[0].link == anchor
    assert b'id="s-story001"' in documents["2026/index.html"]


def test_rss_names_itself_and_its_sources() -> None:
    """Its guid is no permalink, atom:link self is there, source is a feed."""
    channel = etree.fromstring(render(*case(CASES / "press"))["feed.rss"])[0]
    guids = channel.findall("item/guid")
    own = channel.find(f"{ATOM}link")

    assert {guid.get("isPermaLink") for guid in guids} == {"false"}
    assert own.get("rel") == "self"
    assert own.get("href") == "https://invisibles.example/presse/feed.rss"
    assert channel.findtext("link") == "https://invisibles.example/presse/"
    assert [one.get("url") for one in channel.findall("item/source")] == [
        "https://courrier.example/rss"
    ]


def test_the_generator_is_ours_and_has_no_version() -> None:
    """A new release of feedgen or of ours changes no published byte."""
    generator = etree.fromstring(published()["feed.atom"]).find(f"{ATOM}generator")

    assert generator.text == "press-aggregator"
    assert not generator.attrib


def test_content_shows_evidence_copies_and_note() -> None:
    """Any reader sees why the story is here and where else it stands."""
    story = a_story(
        summary="Les travailleurs du clic parlent.",
        note="À lire & à garder.",
        copies=(
            Copy("Le Journal", "https://journal.example/0", "Titre", NOON),
            Copy("La Gazette", "https://gazette.example/0", "Titre", NOON),
            Copy("Papier", "", "Titre", NOON),
        ),
        evidence=(
            Evidence("film", "x", "summary", "", certain=True, spans=((4, 24),)),
        ),
    )
    # feedparser's sanitiser drops mark, as many readers do.
    html = entries(published(story)["feed.atom"])[0].findtext(f"{ATOM}content")

    assert "Les <b><mark>travailleurs du clic</mark></b> parlent." in html
    assert (
        'Aussi dans <a href="https://gazette.example/0">La Gazette</a>, Papier.' in html
    )
    assert "À lire &amp; à garder." in html


def test_live_feeds_hold_the_last_added_and_the_last_week() -> None:
    """feed_size stories, and beyond it all added within 7 days of the newest."""
    stories = [a_story(day) for day in range(12)]
    few = [
        entry.findtext(f"{ATOM}id")[-8:]
        for entry in entries(
            published(*stories, site=replace(SITE, feed_size=3))["feed.atom"]
        )
    ]
    many = entries(published(*stories, site=replace(SITE, feed_size=10))["feed.atom"])

    assert few == [f"story{day:03}" for day in range(8)]
    assert len(many) == 10


def test_what_was_added_at_its_own_date_is_in_no_live_feed() -> None:
    """A backfilled story does not arrive as new in a reader (DESIGN.md §6)."""
    documents = published(a_story(1), a_story(2, live=False))

    assert len(entries(documents["feed.atom"])) == 1
    assert b"story002" in documents["index.html"]
    assert b"story002" in documents["stories.jsonl"]


def test_updated_is_the_newest_change_never_now() -> None:
    """Of the entries; with none of them live, of any story; else a constant."""
    changed = NOON + timedelta(hours=5)
    one = published(a_story(1, updated_at=changed), a_story(0))
    old = published(a_story(3, live=False))

    def updated(documents: dict[str, bytes]) -> str:
        return etree.fromstring(documents["feed.atom"]).findtext(f"{ATOM}updated")

    assert updated(one) == changed.isoformat()
    assert updated(old) == (NOON - timedelta(days=3)).isoformat()
    assert updated(published()) == "1990-01-01T00:00:00+00:00"


def test_main_topic_and_all_feeds_hold_what_they_say() -> None:
    """Main: at least one main topic; a topic's: its own; all/: every one once."""
    documents = published(
        a_story(1),
        a_story(2, topics=("travail",)),
        a_story(3, topics=("travail", "film")),
    )

    def found(name: str) -> set[str]:
        return {one.findtext(f"{ATOM}id")[-1] for one in entries(documents[name])}

    assert found("feed.atom") == {"1", "3"}
    assert found("topics/film/feed.atom") == {"1", "3"}
    assert found("topics/travail/feed.atom") == {"2", "3"}
    assert found("all/feed.atom") == {"1", "2", "3"}
    assert len(entries(documents["all/feed.atom"])) == 3


def test_entry_titles_follow_the_site_and_obey_no_title() -> None:
    """site.entry_title names title and outlet; braces in a title are only text."""
    site = replace(SITE, entry_title="[{outlet}] {title}")
    documents = published(
        a_story(0, title="Un {outlet} {0.__class__}", outlet="L’Écho"),
        a_story(1, title="", outlet=""),
        site=site,
    )
    titles = [one.title for one in feedparser.parse(documents["feed.atom"]).entries]

    assert titles == [
        "[L’Écho] Un {outlet} {0.__class__}",
        "[] https://journal.example/1",
    ]


def test_a_story_that_is_gone_leaves_a_tombstone() -> None:
    """Subscribers are told by id and time in every feed it was in (RFC 6721)."""
    left = NOON + timedelta(hours=3)
    hidden = a_story(1, state=State.HIDDEN, withdrawn_at=left)
    watched = a_story(2, state=State.WITHDRAWN, topics=("travail",), withdrawn_at=NOON)
    never_public = a_story(3, state=State.WAITING)
    documents = published(a_story(), hidden, watched, never_public)
    told = {
        name: tombstones(documents[f"{name}feed.atom"])
        for name in ("", "all/", "topics/film/", "topics/travail/")
    }
    first = (f"{SITE.id}/story001", "2026-03-14T15:00:00+00:00")
    second = (f"{SITE.id}/story002", "2026-03-14T12:00:00+00:00")

    assert told == {
        "": [first],
        "all/": [first, second],
        "topics/film/": [first],
        "topics/travail/": [second],
    }
    for name, tombs in told.items():
        tree = etree.fromstring(documents[f"{name}feed.atom"])

        assert grammar().validate(tree), grammar().error_log
        newest = max(when for _, when in tombs)
        assert tree.findtext(f"{ATOM}updated") == newest
        assert len(feedparser.parse(documents[f"{name}feed.atom"]).entries) <= 1


def test_a_feed_tells_of_no_more_gone_stories_than_it_may_list() -> None:
    """The last ones to go; a story that came back or was never live is not gone."""
    some = [
        a_story(n, state=State.HIDDEN, withdrawn_at=NOON - timedelta(minutes=n))
        for n in range(60)
    ]
    old = a_story(70, state=State.HIDDEN, withdrawn_at=NOON, live=False)
    back = a_story(80, withdrawn_at=None)
    told = tombstones(published(*some, old, back)["feed.atom"])

    assert [ref for ref, _ in told] == [
        f"{SITE.id}/story{n:03}" for n in range(SITE.feed_size)
    ]


def tombstones(document: bytes) -> list[tuple[str, str]]:
    name = "{http://purl.org/atompub/tombstones/1.0}deleted-entry"
    return [
        (t.get("ref"), t.get("when")) for t in etree.fromstring(document).iter(name)
    ]
