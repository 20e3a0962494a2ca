"""What one poll leaves behind for the next: rules of polling that take several polls.

Each is played over real HTTP, poll after poll, at times of the test's choosing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import Server
from worlds import item, rss

from aggregator.model import Batch, Feed, Outlet, Polling
from aggregator.poll import poll
from aggregator.store import Store, books, polls

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)  # a Monday
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
POLLING = Polling(allow_private_addresses=True)
DOCUMENT = rss(item("a", "Un article"))

Ask = Callable[..., list[str]]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Yield a new database."""
    with Store(tmp_path / "aggregator.db") as opened:
        yield opened


@pytest.fixture
def feed(server: Server, store: Store) -> Feed:
    """Return a feed at /feed, followed since NOW."""
    url = server.route("/feed", body=DOCUMENT)
    feed = Feed(url, Outlet("Le Jour", (url,)))
    polls.follow(store, [feed], NOW)
    return feed


@pytest.fixture
def ask(server: Server, store: Store, feed: Feed) -> Ask:
    """Return a function that polls if it is time, and returns the paths asked for."""

    def asked(at: datetime, *, everything: bool = False) -> list[str]:
        before = len(server.requests)
        tasks = polls.due(store, [feed], at, POLLING, everything=everything)
        outcomes = poll(Batch(tuple(tasks), (), POLLING, "test", at))
        polls.record(store, outcomes, POLLING)
        return [request.path for request in server.requests[before:]]

    return asked


def test_a_feed_that_moved_is_polled_there_after_a_week(
    server: Server, store: Store, ask: Ask
) -> None:
    """301 for over seven days: the new address is asked at once; nothing is lost."""
    there = server.route("/new", body=DOCUMENT, headers={"ETag": '"1"'})
    server.route("/feed", 301, headers={"Location": there})

    for days in (0, 3, 7):
        assert ask(NOW + days * DAY) == ["/feed", "/new"]
    assert ask(NOW + 9 * DAY) == ["/new"]
    assert server.requests[-1].headers["If-None-Match"] == '"1"'
    assert len(store.rows("SELECT * FROM entries")) == 1
    (record,) = books.records(store).values()
    assert record.moved_to == there


def test_a_temporary_redirect_moves_nothing(server: Server, ask: Ask) -> None:
    """302 is followed for months, and the feed's own address asked every time."""
    there = server.route("/new", body=DOCUMENT)
    server.route("/feed", 302, headers={"Location": there})

    for days in (0, 30, 60):
        assert ask(NOW + days * DAY) == ["/feed", "/new"]


@pytest.mark.parametrize("status", [404, 410, 500])
def test_a_moved_address_that_fails_gives_the_own_one_the_say(
    server: Server, ask: Ask, status: int
) -> None:
    """Whatever the failure, 410 as well, the feed's own address is asked next."""
    there = server.route("/new", body=DOCUMENT)
    server.route("/feed", 301, headers={"Location": there})
    ask(NOW)
    server.route("/new", status)
    server.route("/feed", body=DOCUMENT)

    assert ask(NOW + 8 * DAY) == ["/new"]
    assert ask(NOW + 8 * DAY + HOUR / 2) == []
    assert ask(NOW + 9 * DAY) == ["/feed"]
    assert ask(NOW + 30 * DAY) == ["/feed"]


def test_an_address_that_moved_on_starts_the_week_anew(
    server: Server, ask: Ask
) -> None:
    """Where the new address redirects on for good, the own one is asked for a week."""
    there = server.route("/new", body=DOCUMENT)
    server.route("/feed", 301, headers={"Location": there})
    ask(NOW)
    newer = server.route("/newer", body=DOCUMENT)
    server.route("/new", 308, headers={"Location": newer})

    assert ask(NOW + 8 * DAY) == ["/new", "/newer"]
    assert ask(NOW + 9 * DAY) == ["/feed", "/new", "/newer"]
    assert ask(NOW + 16 * DAY) == ["/newer"]


def test_a_feed_that_is_gone_is_not_asked_within_the_month(
    server: Server, ask: Ask
) -> None:
    """HTTP 410: not even when all are asked for; after a month it may be back."""
    server.route("/feed", 410)
    ask(NOW)

    for days in (1, 10, 29):
        assert ask(NOW + days * DAY, everything=True) == []
    assert ask(NOW + 34 * DAY) == ["/feed"]


def test_declared_rest_holds_while_nothing_changes(server: Server, ask: Ask) -> None:
    """RSS ttl and skipHours are kept after a 304 as after the document itself."""
    head = (
        "<ttl>120</ttl><skipHours><hour>16</hour><hour>17</hour></skipHours>"
        "<skipDays><day>Tuesday</day></skipDays>"
    )
    body = DOCUMENT.replace(b"<item>", head.encode() + b"<item>", 1)
    server.route("/feed", body=body, headers={"ETag": '"1"'})
    assert ask(NOW) == ["/feed"]
    server.route("/feed", 304)

    assert ask(NOW + 1.9 * HOUR) == []
    assert ask(NOW + 2.1 * HOUR) == ["/feed"]
    for hours in (4.1, 5.9):  # 16:06, when the ttl is over, and 17:54
        assert ask(NOW + hours * HOUR) == []
    assert ask(NOW + 6.2 * HOUR) == ["/feed"]
    assert ask(NOW + 11 * HOUR) == ["/feed"]
    assert ask(NOW + 34 * HOUR) == []  # Tuesday, 22:00
    assert ask(NOW + 35 * HOUR) == ["/feed"]  # no feed rests for more than a day


def test_a_document_cut_short_is_no_gap(server: Server, store: Store, ask: Ask) -> None:
    """What stands in the missing part is neither dropped nor taken for missed."""
    old, new = item("b", "Un autre"), item("c", "Un troisième")
    server.route("/feed", body=rss(item("a", "Un article"), old))
    ask(NOW)
    whole = rss(new, old)
    server.route("/feed", body=whole[: whole.index(b"<item>", 1 + whole.index(b"<i"))])
    ask(NOW + DAY)

    assert store.rows("SELECT * FROM gaps") == []
    assert store.rows("SELECT * FROM seen WHERE dropped_at IS NOT NULL") == []

    server.route("/feed", body=whole)
    ask(NOW + 2 * DAY)

    assert store.rows("SELECT * FROM gaps") == []
    assert len(store.rows("SELECT * FROM seen WHERE dropped_at IS NOT NULL")) == 1
