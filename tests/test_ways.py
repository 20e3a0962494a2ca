"""What follows from each answer when an outlet's past is asked for: pure decisions."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.model import (
    Failure,
    Feed,
    Landing,
    Nested,
    Onward,
    Outlet,
    Step,
    Walk,
)
from aggregator.ways import address, digest, onward

URL = "https://jour.example/feed/"
FEED = Feed(URL, Outlet("Le Jour", (URL,)))
NOW = datetime(2026, 11, 23, tzinfo=UTC)
FIRST = frozenset(range(10))
STARTED = Walk(first=FIRST, asked=frozenset({URL}), pages=frozenset({digest(FIRST)}))
PAGED = Walk("wordpress", FIRST, pages=STARTED.pages)


def landing(kind: str, number: int = 0, **said: object) -> Landing:
    """Return what a step of a kind brought."""
    url = said.pop("url", URL)
    step = Step(f"{URL}?paged={number}" if number else URL, kind, number)  # type: ignore[arg-type]
    return Landing(FEED, step, NOW, url=url, status=200, **said)  # type: ignore[arg-type]


def refused(kind: str, number: int, status: int) -> Landing:
    """Return a step that a server refused."""
    found = landing(kind, number)
    failure = Failure("http", f"http {status}")
    return Landing(FEED, found.step, NOW, status=status, failure=failure)


@pytest.mark.parametrize(
    ("kind", "url", "second", "third"),
    [
        ("wordpress", URL, f"{URL}?paged=2", f"{URL}?paged=3"),
        (
            "wordpress",
            "https://jour.example/?feed=rss2&paged=9",
            "https://jour.example/?feed=rss2&paged=2",
            "https://jour.example/?feed=rss2&paged=3",
        ),
        ("drupal", "https://d.example/rss", *("https://d.example/rss?page=%d",) * 2),
        (
            "path",
            "https://jour.example/tag/clic/feed/atom/",
            "https://jour.example/tag/clic/page/2/?feed=atom",
            "https://jour.example/tag/clic/page/3/?feed=atom",
        ),
        ("path", "https://jour.example/rss.xml", "", ""),
    ],
)
def test_a_page_has_an_address_by_its_number(kind, url, second, third) -> None:
    """Whatever else the address says stays; no such address where none can be."""
    two, three = address(kind, url, 2), address(kind, url, 3)

    assert (two, three) == (
        second.replace("%d", "2"),
        third.replace("%d", "3"),
    )


@given(st.sampled_from(["wordpress", "drupal", "path"]), st.integers(1, 999))
def test_the_address_of_a_page_leads_to_the_next(kind, number) -> None:
    """From any page of a feed another one is found as from the feed itself."""
    other = address(kind, address(kind, URL, 7), number)

    assert other == address(kind, URL, number)


def test_what_a_live_document_says_of_itself_goes_before_all() -> None:
    """The archive that it names; else pages, its generator's first; sitemaps last."""
    named = onward(landing("live", signs=(1, 2), older=f"{URL}?a"), Walk())
    tried = onward(landing("live", signs=(1, 2), generator="Drupal 10"), Walk())
    own = onward(landing("live", signs=(1, 2), older=URL), Walk())
    plan = onward(landing("live", signs=(1, 2), sitemap=True), Walk())

    assert [step.url for step in named.add] == [f"{URL}?a"]
    assert named.way == "archive"
    by_rank = sorted(tried.add, key=lambda step: step.rank)
    assert [step.kind for step in by_rank] == ["drupal", "wordpress", "path", "robots"]
    assert [step.kind for step in own.add][-1] == "robots"
    assert [step.url for step in plan.add] == ["https://jour.example/robots.txt"]


def test_a_page_by_number_proves_its_way_by_other_entries() -> None:
    """Not by those of the live document, whatever their order, nor by an empty page."""
    proved = onward(landing("wordpress", 2, signs=(7, 8, 20, 21, 22)), STARTED)
    same = onward(landing("wordpress", 2, signs=tuple(reversed(range(10)))), STARTED)
    moved = onward(landing("wordpress", 2, signs=(*range(9), 99)), STARTED)
    empty = onward(landing("drupal", 1), STARTED)

    assert (proved.way, proved.keep, proved.alone) == ("wordpress", True, True)
    assert [step.number for step in proved.add] == [3]
    for other in (same, moved, empty):
        assert other == Onward()


@pytest.mark.parametrize("status", [403, 404, 410, 500])
def test_a_page_that_is_refused_at_once_is_no_way(status: int) -> None:
    """Other ways are tried then."""
    found = onward(refused("wordpress", 2, status), STARTED)

    assert found == Onward()


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_is_busy_proves_nothing(status: int) -> None:
    """The step is taken again by the next call."""
    found = onward(refused("wordpress", 2, status), STARTED)

    assert not found.done
    assert found.stop == f"http {status}"


def test_pages_end_where_there_are_no_more() -> None:
    """A 404, an empty page; an outlet that repeats a page, or starts anew."""
    gone = onward(refused("wordpress", 9, 404), PAGED)
    empty = onward(landing("wordpress", 9), PAGED)
    first = onward(landing("wordpress", 9, signs=tuple(FIRST)), PAGED)
    seen = Walk("wordpress", FIRST, pages=frozenset({digest((30, 31))}))
    again = onward(landing("wordpress", 9, signs=(31, 30)), seen)
    later = onward(refused("wordpress", 9, 500), PAGED)

    assert (gone.end, empty.end) == ("complete", "complete")
    assert (first.end, again.end) == ("repeats", "repeats")
    assert (first.keep, again.keep) == (False, False)
    assert (later.done, later.end, later.stop) == (False, "", "http 500")


def test_archives_lead_to_one_another_once() -> None:
    """Until one names none; a circle and one document under many names are left."""
    walk = Walk("archive", FIRST, frozenset({URL, f"{URL}?1"}))
    follows = onward(landing("archive", 1, signs=(1, 2), older=f"{URL}?2"), walk)
    last = onward(landing("archive", 1, signs=(1, 2)), walk)
    circle = onward(landing("archive", 1, signs=(1, 2), older=f"{URL}?1"), walk)
    same = Walk("archive", FIRST, pages=frozenset({digest((1, 2))}))
    again = onward(landing("archive", 1, signs=(2, 1), older=f"{URL}?3"), same)
    live = onward(landing("archive", 1, signs=tuple(FIRST), older=f"{URL}?2"), walk)

    assert [step.url for step in follows.add] == [f"{URL}?2"]
    assert (last.keep, last.end) == (True, "complete")
    assert (circle.keep, circle.end) == (True, "repeats")
    assert (again.keep, again.end, again.add) == (False, "repeats", ())
    assert live.add, "the newest archive may list what the live document does"


def test_sitemaps_are_looked_at_once_and_one_that_fails_ends_nothing() -> None:
    """Neither what is known, nor what another feed of the outlet had."""
    names = [Nested(f"https://jour.example/{n}.xml", NOW) for n in "abc"]
    walk = Walk("sitemap", asked=frozenset({names[0].url}), others={names[1].url})  # type: ignore[arg-type]
    found = onward(landing("robots", nested=tuple(names)), walk)
    lost = onward(refused("sitemap", 0, 404), walk)
    part = onward(landing("sitemap", signs=(1,), more=10_000), walk)

    assert [(s.url, s.newest) for s in found.add] == [(names[2].url, NOW)]
    assert (lost.done, lost.unread, lost.stop) == (True, "http 404", "")
    assert (part.keep, part.done, part.start) == (True, False, 10_000)


def test_a_home_that_is_not_there_holds_up_nothing() -> None:
    """While the feed's own site, which answered a moment ago, is asked again."""
    failure = Failure("network", "no such name")
    home, own = (
        Landing(
            FEED, Step(f"https://{host}/robots.txt", "robots"), NOW, failure=failure
        )
        for host in ("home.example", "jour.example")
    )

    assert onward(home, STARTED) == Onward()
    assert onward(own, STARTED) == Onward(done=False, stop="no such name")
