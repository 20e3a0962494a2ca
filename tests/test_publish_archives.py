"""Archives (RFC 5005 §4): from the live document back, every story once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from publish_cases import CASES, NOON, SITE, TOPICS, a_story, case, published, render
from test_publish_feeds import ATOM, entries, grammar, tombstones
from w3c import doubts

from aggregator.model import State, Story
from aggregator.publish import write

FOLDERS = {"": ("film",), "topics/film/": ("film",), "topics/travail/": ("travail",)}
MARK = "{http://purl.org/syndication/history/1.0}archive"
SMALL = replace(SITE, feed_size=2, hubs=("https://hub.example/",))


def months_ago(months: int, day: int = 10) -> datetime:
    """Return a noon of a month before March 2026."""
    at = 2026 * 12 + 2 - months
    return datetime(at // 12, at % 12 + 1, day, 12, tzinfo=UTC)


def monthly(number: int, months: int, **given: object) -> Story:
    """Return a story that was added so many months ago."""
    at = months_ago(months)
    return a_story(number, **({"added_at": at, "updated_at": at} | given))


def linked(document: bytes) -> dict[str, str]:
    """Return where the links of a document lead, by relation."""
    found = etree.fromstring(document).findall(f"{ATOM}link")
    return {one.get("rel"): one.get("href") for one in found}


def chain(
    documents: Mapping[str, bytes], folder: str, root: str = SITE.url
) -> Iterator[str]:
    """Yield the names of a feed's documents, from the live one back; root: the site."""
    name, seen = f"{folder}feed.atom", set()
    while name:
        assert name not in seen
        seen.add(name)
        yield name
        name = linked(documents[name]).get("prev-archive", "").removeprefix(root)


def reconstructed(
    documents: Mapping[str, bytes], folder: str, root: str = SITE.url
) -> dict[str, str]:
    """Return the whole feed as §4.2 says: each id as it was last updated.

    A story that is gone has the value "".
    """
    known: dict[str, tuple[str, str]] = {}
    for name in chain(documents, folder, root):
        told = [
            (
                one.findtext(f"{ATOM}id"),
                one.findtext(f"{ATOM}updated"),
                one.findtext(f"{ATOM}title"),
            )
            for one in entries(documents[name])
        ]
        assert len({one for one, _, _ in told}) == len(told)
        told += [(ref, when, "") for ref, when in tombstones(documents[name])]
        for ref, when, title in told:
            known[ref] = max(known.get(ref, ("", "")), (when, title))
    return {ref: title for ref, (_, title) in known.items()}


@st.composite
def worlds(draw: st.DrawFn) -> list[Story]:
    """Return stories of a year in any state, live or not, with any topics."""
    moments = st.builds(months_ago, st.integers(0, 12), st.integers(1, 28))
    return [
        a_story(
            number,
            published_at=draw(moments),
            added_at=(added := draw(moments)),
            updated_at=added + draw(st.sampled_from([0, 1, 40])) * timedelta(days=1),
            live=draw(st.booleans()),
            topics=draw(
                st.sampled_from([("film",), ("travail",), ("film", "travail")])
            ),
            state=draw(st.sampled_from([State.PUBLISHED, State.PUBLISHED, *State])),
        )
        for number in range(draw(st.integers(0, 9)))
    ]


def with_ends(stories: list[Story]) -> list[Story]:
    """Return the stories, those that are not public withdrawn after they were."""
    return [
        one
        if one.state is State.PUBLISHED
        else replace(one, withdrawn_at=one.updated_at + timedelta(hours=1))
        for one in stories
    ]


@settings(deadline=None, max_examples=80)
@given(worlds().map(with_ends))
def test_every_story_is_in_the_chain_once(stories: list[Story]) -> None:
    """Read from the live document back, each feed is whole, and so is each document.

    What is gone is told as long as the feed has an archive to tell it in.
    """
    documents = render(SMALL, TOPICS, stories)
    for name, body in documents.items():
        if name.endswith(".atom"):
            assert grammar().validate(etree.fromstring(body)), grammar().error_log
            assert (name, *doubts(body)) == (name,)
    for folder, topics in FOLDERS.items():
        its = [one for one in stories if set(topics) & set(one.topics)]
        public = {
            f"{SITE.id}/{one.short}": f"{one.title} – {one.outlet}"
            for one in its
            if one.state is State.PUBLISHED
        }
        gone = {f"{SITE.id}/{one.short}": "" for one in its if one.withdrawn_at}
        whole = reconstructed(documents, folder)

        assert public == {ref: title for ref, title in whole.items() if title}
        told = {ref: title for ref, title in whole.items() if not title}
        assert told == gone if public else told.items() <= gone.items()


@settings(deadline=None, max_examples=40)
@given(worlds().map(with_ends))
def test_there_is_one_archive_a_month_that_has_stories(stories: list[Story]) -> None:
    """Each holds all of its month and nothing else, and they lead to each other."""
    documents = render(SMALL, TOPICS, stories)
    for folder, topics in FOLDERS.items():
        its = [
            one
            for one in stories
            if set(topics) & set(one.topics) and one.state is State.PUBLISHED
        ]
        months = sorted({f"{one.added_at:%Y-%m}" for one in its})
        names = [f"{folder}archive/{month}.atom" for month in months]
        start = f"{folder}archive/"
        assert names == sorted(name for name in documents if name.startswith(start))
        for place, (month, name) in enumerate(zip(months, names, strict=True)):
            tree = etree.fromstring(documents[name])
            found = linked(documents[name])
            assert {one.findtext(f"{ATOM}id") for one in entries(documents[name])} == {
                f"{SITE.id}/{one.short}"
                for one in its
                if f"{one.added_at:%Y-%m}" == month
            }
            assert len(tree.findall(MARK)) == (1 if len(names) > 1 else 0)
            assert found.pop("alternate").startswith(SITE.url)
            assert found == {
                "self": SITE.url + name,
                "current": f"{SITE.url}{folder}feed.atom",
            } | {
                rel: SITE.url + names[other]
                for rel, other in (
                    ("prev-archive", place - 1),
                    ("next-archive", place + 1),
                )
                if 0 <= other < len(names)
            }
            live = etree.fromstring(documents[f"{folder}feed.atom"])
            for same in ("id", "title", "subtitle"):
                assert tree.findtext(ATOM + same) == live.findtext(ATOM + same)


def test_the_live_document_leads_past_what_it_holds_itself() -> None:
    """Its first archive is of a month that is over, as long as it holds this one.

    Whoever read that archive once need not read it again.
    """
    stories = [monthly(n, n // 2) for n in range(6)]
    seen = linked(published(*stories, site=SMALL)["feed.atom"])
    whole = linked(published(*stories)["feed.atom"])

    assert seen["prev-archive"] == f"{SITE.url}archive/2026-02.atom"
    assert "prev-archive" not in whole


def test_the_live_document_alone_names_the_hubs() -> None:
    """A hub tells of the live document, in each of its formats; archives have none."""
    documents = published(monthly(0, 0), monthly(1, 5), site=SMALL)
    hub = "https://hub.example/"
    rss = etree.fromstring(documents["feed.rss"])

    assert linked(documents["feed.atom"])["hub"] == hub
    assert [
        one.get("href") for one in rss.iter(f"{ATOM}link") if one.get("rel") == "hub"
    ] == [hub]
    for name, body in documents.items():
        assert (hub.encode() in body) is ("feed." in name), name


def test_all_has_a_live_document_only() -> None:
    """Each topic and the main feed have archives; `all/` would hold all of it again."""
    documents = published(monthly(0, 0), monthly(1, 9), site=SMALL)

    assert not [name for name in documents if name.startswith("all/archive")]
    assert set(linked(documents["all/feed.atom"])) == {"alternate", "self", "hub"}


def test_the_past_is_written_anew_only_where_it_changed() -> None:
    """An archive changes with its own stories, and when a neighbour comes or goes."""
    stories = [monthly(n, n) for n in range(1, 7)]
    before = published(*stories, site=SMALL)

    def changed(*after: Story) -> set[str]:
        documents = published(*after, site=SMALL)
        names = documents.keys() | before.keys()
        return {
            name.removeprefix("archive/").removesuffix(".atom")
            for name in names
            if name.startswith("archive/") and documents.get(name) != before.get(name)
        }

    noted = [*stories[:3], replace(stories[3], note="À lire"), *stories[4:]]
    assert changed(*noted) == {"2025-11"}
    assert changed(*stories, monthly(7, 1)) == {"2026-02"}
    assert changed(*stories, monthly(7, 0)) == {"2026-03", "2026-02"}
    hidden = replace(stories[2], state=State.HIDDEN, withdrawn_at=NOON)
    # Its month had no other: the one after it tells that it is gone.
    assert changed(*stories[:2], hidden, *stories[3:]) == {
        "2025-11",
        "2025-12",
        "2026-01",
    }


def test_a_month_that_lost_its_stories_leaves_the_chain_and_the_disk(
    tmp_path: Path,
) -> None:
    """Its document is removed, its neighbours lead past it and tell what is gone."""
    stories = [monthly(n, n) for n in range(4)]
    first = published(*stories, site=SMALL)
    write(tmp_path, first.items())
    hidden = replace(stories[2], state=State.HIDDEN, withdrawn_at=NOON)
    again = published(*stories[:2], hidden, stories[3], site=SMALL)
    write(tmp_path, again.items(), first)
    left = tmp_path / "archive"

    assert sorted(path.stem for path in left.iterdir()) == [
        "2025-12",
        "2026-02",
        "2026-03",
    ]
    # The live document holds February and tells of January itself.
    assert list(chain(again, "")) == ["feed.atom", "archive/2025-12.atom"]
    newer = (left / "2026-02.atom").read_bytes()
    assert linked(newer)["prev-archive"].endswith("archive/2025-12.atom")
    assert [ref for ref, _ in tombstones(newer)] == [f"{SITE.id}/{hidden.short}"]


def test_what_leads_on_is_written_last() -> None:
    """Whoever reads while it is written finds each document that one leads back to."""
    written: set[str] = set()
    for name, body in published(*(monthly(n, n) for n in range(5)), site=SMALL).items():
        earlier = name.endswith(".atom") and linked(body).get("prev-archive")
        assert not earlier or earlier.removeprefix(SITE.url) in written
        written.add(name)


@pytest.mark.parametrize(
    ("zone", "month"), [("UTC", "2020-01"), ("Europe/Paris", "2020-02")]
)
def test_a_month_is_one_of_the_sites_zone(zone: str, month: str) -> None:
    """As on the pages: what was aired half past midnight in Paris is of that day."""
    at = datetime(2020, 1, 31, 23, 30, tzinfo=UTC)
    own = a_story(added_at=at, published_at=at, live=False)

    assert f"archive/{month}.atom" in published(own, site=replace(SITE, timezone=zone))


def test_what_was_added_at_its_own_date_is_in_the_archive_of_that_date() -> None:
    """Old press added by hand, or found by `backfill`, is not in the live feed."""
    site, topics, stories = case(CASES / "press")
    documents = render(site, topics, stories)

    assert list(chain(documents, "topics/livreurs/", site.url)) == [
        "topics/livreurs/feed.atom",
        "topics/livreurs/archive/2020-02.atom",
    ]
