"""An entry is known again, whatever its outlet does; what is reused is another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from conftest import Server
from hypothesis import given
from hypothesis import strategies as st
from worlds import configure, rss

from aggregator import config as configuration
from aggregator import run
from aggregator.desk import Desk, stories
from aggregator.model import Entry, Report, Story
from aggregator.parse import ladder
from aggregator.parse.ladder import Item
from aggregator.recognition import (
    Called,
    Recognition,
    Trace,
    called,
    compared,
    recognise,
)
from aggregator.recognition.traces import spoken
from aggregator.store import Store, books

URL = "https://jour.example/fil"
DAY = datetime(2026, 11, 23, 8, tzinfo=UTC)
HOUR, HOURS_24 = timedelta(hours=1), timedelta(hours=24)
LONG = "Le documentaire suit en quatre épisodes celles et ceux qui trient nos images."
OTHER = "Notre chroniqueuse raconte la naissance d’un syndicat parmi les coursiers."


def remembered(entries: Sequence[Entry]) -> tuple[Trace, ...]:
    """Return what a feed remembers that has just listed these entries."""
    return tuple(
        Trace(
            e.id,
            called(e).names,
            e.published_at,
            listed=True,
            title=e.title,
            summary=e.summary,
        )
        for e in entries
    )


def known(before: Sequence[Item], now: Sequence[Item]) -> tuple[list[int], Recognition]:
    """Return the ids of a first document, and how a second one is recognised."""
    first = ladder.entries(URL, before)
    second = ladder.entries(URL, now)
    prints = {entry.fingerprint: entry.id for entry in first}
    kept = {prints[e.fingerprint] for e in second if e.fingerprint in prints}
    fresh = [called(one) for one in second if one.fingerprint not in prints]
    traces = remembered(first)
    found = recognise(URL, fresh, traces, kept)
    wanted = compared(fresh, traces, kept)
    read = [
        one if one.entry in wanted else replace(one, title=None, summary=None)
        for one in traces
    ]

    assert recognise(URL, fresh, read, kept) == found  # no other text is looked at
    less = recognise(URL, fresh, [*needed(fresh, traces, kept)], kept)
    assert less == replace(found, reused=less.reused)
    # what two older entries share showed when the later one came
    earlier = recognise(URL, map(called, first), (), frozenset())
    assert less.reused <= found.reused <= less.reused | earlier.reused
    return [e.id for e in first], found


def needed(
    fresh: Sequence[Called], traces: Sequence[Trace], kept: AbstractSet[int]
) -> Iterator[Trace]:
    """Yield what the store looks up: what is gone, and what shares a name."""
    names = {name for one in fresh for name in spoken(one.names)}
    for trace in traces:
        if trace.entry not in kept or not names.isdisjoint(spoken(trace.names)):
            yield trace


def an_item(slug: str, **fields: object) -> Item:
    """Return an item of the feed, with a guid of its own."""
    item = Item(slug, f"https://jour.example/{slug}", f"Titre de {slug}", LONG)
    return replace(item, **{"published_at": DAY, **fields})  # type: ignore[arg-type]


# ── pure: one document after the other ────────────────────────────────────────────────


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Tout autrement dit"},
        {"guid": "neuf", "title": "Titre corrigé de a"},
        {"url": "https://jour.example/autre-adresse", "title": "Titre corrigé de a"},
        {"url": "http://www.jour.example/a?utm_source=x", "guid": "neuf"},
        {"published_at": DAY + 9 * HOURS_24},
        {"published_at": DAY + 9 * HOURS_24, "title": "Titre corrigé de a"},
        {"published_at": None, "summary": OTHER},
        {"summary": OTHER, "title": "En direct", "published_at": DAY + 9 * HOUR},
        {"guid": "neuf", "url": "https://neuf.example/a", "summary": OTHER},
    ],
)
def test_a_changed_entry_is_the_same(change: dict[str, object]) -> None:
    """One name that stays is enough; title and date are where guid and URL go."""
    before = [an_item("a"), an_item("b", published_at=DAY + HOUR)]
    (first, _), found = known(before, [an_item("a", **change), before[1]])

    assert [one.entry.id for one in found.entries] in ([first], [])
    assert found.reused == frozenset()


@pytest.mark.parametrize(
    ("before", "now"),
    [
        (("Horoscope du 23 novembre", LONG), ("Horoscope du 24 novembre", LONG)),
        (("Le billet", LONG), ("Le billet", OTHER)),
        (("Le loto", "Tirage du 23 : 4 8 15"), ("Le loto", "Tirage du 24 : 1 2 3")),
    ],
)
def test_a_column_under_one_guid_and_url_is_another_each_day(
    before: tuple[str, str], now: tuple[str, str]
) -> None:
    """Dates, numbers or most of the summary change as the date does; both are kept."""
    old = an_item("a", title=before[0], summary=before[1])
    new = an_item("a", title=now[0], summary=now[1], published_at=DAY + HOURS_24)
    (first,), found = known([old], [new])
    (entry,) = (one.entry for one in found.entries)

    assert entry.id != first
    assert entry.key == "https://jour.example/a\n2026-11-24"
    assert found.reused == {first, entry.id}
    assert found.akin


def test_a_feed_that_is_dated_anew_reuses_nothing() -> None:
    """Where most entries bear new dates over the same words, dates prove nothing."""
    before = [an_item(slug) for slug in "abcd"]
    now = [replace(item, published_at=DAY + 3 * HOURS_24) for item in before]
    now[0] = replace(now[0], summary=OTHER, title="En direct")
    ids, found = known(before, now)

    assert {one.entry.id for one in found.entries} == set(ids)


def test_guids_that_are_places_are_no_names() -> None:
    """Where guids went to articles of other URLs and words, they prove nothing."""
    before = [an_item(str(n), url=f"https://jour.example/{n}") for n in range(3)]
    subjects = ("La grève des coursiers", "Un livre sur les robots", "Le procès Uber")
    now = [
        Item(str(n), f"https://jour.example/neuf-{n}", subject, OTHER, published_at=DAY)
        for n, subject in enumerate(subjects)
    ]
    ids, found = known(before, now)

    assert not set(ids) & {one.entry.id for one in found.entries}


def test_two_articles_that_swap_guids_stay_what_they_are() -> None:
    """URL and date outweigh a guid, retouched titles or not."""
    one, two = an_item("a"), an_item("b", published_at=DAY + HOUR)
    now = [
        replace(one, guid="b", title="Titre corrigé de a"),
        replace(two, guid="a", title="Titre corrigé de b"),
    ]
    ids, found = known([one, two], now)

    assert {e.entry.url: e.entry.id for e in found.entries} == {
        one.url: ids[0],
        two.url: ids[1],
    }


def test_a_clash_that_ends_brings_nothing_back() -> None:
    """Two items that share a guid step down; the one that is left keeps its id."""
    one, two = an_item("a", guid="x"), an_item("b", guid="x")
    ids, found = known([one, two], [replace(two, title="Titre corrigé de b")])

    assert [one.entry.id for one in found.entries] == [ids[1]]


ITEMS = st.builds(
    Item,
    guid=st.sampled_from(["", "g", "h", "i"]),
    url=st.sampled_from(
        ["", "http://u.fr/1", "http://u.fr/2", "https://u.fr/1?utm_x=1"]
    ),
    title=st.sampled_from(["", "Lundi 1", "Mardi 2", "Un titre de cinq mots entiers"]),
    summary=st.sampled_from(["", LONG, OTHER]),
    published_at=st.sampled_from([None, DAY, DAY + HOUR, DAY + HOURS_24]),
)
DOCUMENTS = st.lists(ITEMS, max_size=8)


@given(before=DOCUMENTS, now=DOCUMENTS, order=st.randoms(use_true_random=False))
def test_entries_stay_apart_in_any_order(before, now, order):
    """Each has an id of its own, none of one that is kept; no order changes it."""
    ids, found = known(before, now)
    shuffled = [*now]
    order.shuffle(shuffled)
    _, again = known(before, shuffled)
    mine = {e.entry.fingerprint: e.entry.id for e in found.entries}

    assert len({one.entry.id for one in found.entries}) == len(found.entries)
    assert mine == {e.entry.fingerprint: e.entry.id for e in again.entries}
    assert set(ids) | {one.entry.id for one in found.entries} >= found.reused


@given(
    slugs=st.sets(st.sampled_from("abcdefgh"), min_size=1),
    new=st.booleans(),
    secure=st.booleans(),
    late=st.integers(0, 90),
    title=st.sampled_from(["{}", "{} (actualisé)", "Exclusif - {}", "{} !"]),
)
def test_what_is_done_to_a_whole_feed_makes_nothing_new(
    slugs, new, secure, late, title
):
    """New guids, scheme, tracking, dates and retouched titles, alone or together."""
    before = [an_item(slug) for slug in sorted(slugs)]
    scheme = "https" if secure else "http"
    now = [
        replace(
            item,
            guid=f"neuf-{item.guid}" if new else item.guid,
            url=f"{scheme}://jour.example/{item.guid}?utm_term={late}",
            title=title.format(item.title),
            published_at=DAY + timedelta(hours=late),
        )
        for item in before
    ]
    ids, found = known(before, now)

    assert {one.entry.id for one in found.entries} <= set(ids)
    assert found.reused == frozenset()


# ── whole cycles, over HTTP ───────────────────────────────────────────────────────────


class Paper:
    """An outlet that serves documents one after the other, a day apart."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        extra = "[matching]\nbrake = 1000"
        path = configure(folder, {"Le Jour": server.route("/fil")}, extra=extra)
        self.config = configuration.read(path)
        self.now = DAY

    def issue(self, *items: str) -> Report:
        """Serve a document for a cycle, and let a day pass."""
        self.server.route("/fil", body=rss(*items))
        report = run.cycle(Desk.of(self.config), self.now, everything=True)
        self.now += HOURS_24
        return report

    def published(self) -> list[Story]:
        """Return the stories, the first added first."""
        with Store(self.config.storage.database) as store:
            found = stories(store, Desk.of(self.config))
        return sorted(found, key=lambda story: (story.published_at, story.title))

    def gaps(self) -> int:
        """Return how many gaps are remembered."""
        with Store(self.config.storage.database) as store:
            return len(books.gaps(store))


@pytest.fixture
def paper(server: Server, tmp_path: Path) -> Paper:
    """Return an outlet of this test alone."""
    return Paper(server, tmp_path)


def an_article(
    title: str, url: str, guid: str, at: datetime = DAY, summary: str = LONG
) -> str:
    """Return an RSS item about what the topics of `worlds` look for."""
    return (
        f"<item><guid isPermaLink='false'>{guid}</guid><title>{title}</title>"
        f"<link>{url}</link><description>{summary}</description>"
        f"<pubDate>{format_datetime(at)}</pubDate></item>"
    )


def test_a_daily_column_is_a_story_each_day(paper: Paper) -> None:
    """One guid and URL; no day overwrites another, none comes twice, and no gap."""
    for day in range(3):
        at = DAY + day * HOURS_24
        title = f"Les livreurs du {at.day} novembre"
        report = paper.issue(an_article(title, "https://jour.example/l", "l", at))

        assert report.new_entries == 1
        assert paper.issue(
            an_article(title, "https://jour.example/l", "l", at)
        ).unchanged
        paper.now -= HOURS_24

    assert [story.title for story in paper.published()] == [
        f"Les livreurs du {day} novembre" for day in (23, 24, 25)
    ]
    assert paper.gaps() == 0


def test_a_weekly_column_of_one_title_is_a_story_each_week(paper: Paper) -> None:
    """Guid and URL of its own, and nothing but the title in common."""
    for week in range(3):
        at = DAY + 7 * week * HOURS_24
        paper.now = at
        url = f"https://jour.example/{week}"
        paper.issue(an_article("La chronique des livreurs à vélo", url, url, at))

    assert len(paper.published()) == 3


@pytest.mark.parametrize(
    ("guid", "url"),
    [
        ("a", "https://jour.example/a"),
        ("neuf", "https://jour.example/a"),
        ("a", "https://jour.example/neuf"),
        ("http://jour.example/a?utm_source=b", "http://jour.example/a?utm_source=b"),
    ],
)
def test_a_corrected_title_is_shown_and_moves_updated_once(
    paper: Paper, guid: str, url: str
) -> None:
    """Under the same guid or URL it is the same story, added when it was."""
    paper.issue(an_article("Les livreurs en greve", "https://jour.example/a", "a"))
    (first,) = paper.published()
    report = paper.issue(an_article("Les livreurs ont gagné", url, guid))
    (second,) = paper.published()
    paper.issue(an_article("Les livreurs ont gagné !", url, guid))

    assert report.new_entries == 0
    assert second.title == "Les livreurs ont gagné"
    assert (second.short, second.added_at) == (first.short, DAY)
    assert second.updated_at == DAY + HOURS_24
    assert [story.updated_at for story in paper.published()] == [DAY + HOURS_24]
    assert paper.gaps() == 0


def test_a_feed_whose_guids_are_new_at_each_poll_brings_nothing_new(
    paper: Paper,
) -> None:
    """Nor does one of equal guids, nor one that comes and goes between the two."""
    for poll in range(4):
        report = paper.issue(
            *(
                an_article(
                    f"Les livreurs, {name}",
                    f"http{'s' * (poll % 2)}://jour.example/{name}?utm_term={poll}",
                    "tous" if poll == 2 else f"{poll}-{name}",
                )
                for name in ("Lyon", "Paris", "Nantes")
            )
        )

        assert report.new_entries == (0 if poll else 3)
    assert len(paper.published()) == 3
    assert paper.gaps() == 0


def test_an_entry_that_leaves_and_comes_back_is_no_news(paper: Paper) -> None:
    """Under a new guid and with tracking, months later."""
    one = an_article("Les livreurs en grève", "https://jour.example/a", "a")
    two = an_article("La météo", "https://jour.example/b", "b")
    paper.issue(one, two)
    paper.issue(two)
    paper.now += 200 * HOURS_24
    paper.issue(two)
    back = an_article("Les livreurs en grève", "http://jour.example/a?utm_x=1", "c")
    report = paper.issue(two, back)

    assert report.new_entries == 0
    assert [story.added_at for story in paper.published()] == [DAY]
