"""`poll` with a real server and the real sandbox."""

from __future__ import annotations

import gzip
import pickle
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aggregator import poll as room
from aggregator import sandbox
from aggregator.model import (
    Batch,
    Failure,
    Feed,
    Fetched,
    Outcome,
    Outlet,
    Polling,
    PollTask,
    Query,
    Rest,
    Topic,
    Validators,
)
from aggregator.poll import poll
from aggregator.recognition import named
from aggregator.sift import sift

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HIDDEN = timedelta(seconds=2)  # that whole seconds may hide of a wait
OPEN = Polling(allow_private_addresses=True, timeout=timedelta(seconds=10))
OLD = Validators('"old"', "Mon, 23 Nov 2026 08:00:00 GMT")
OLD_HASH = b"0123456789abcdef"
TOPIC = Topic("clic", "Le clic", match=(Query("clic", '"clic"'),))
FEED = """<rss version="2.0"><channel><title>Fil</title><language>fr</language>
<link>https://fil.example/</link><pubDate>Mon, 23 Nov 2026 11:00:00 GMT</pubDate>{}
<item><guid isPermaLink="false">1</guid><title>Le travail du clic</title></item>
<item><guid isPermaLink="false">2</guid><title>Autre chose</title></item>
</channel></rss>"""
HEADERS = {"ETag": '"new"', "Last-Modified": "Mon, 23 Nov 2026 11:00:00 GMT"}
NEW = Validators(HEADERS["ETag"], HEADERS["Last-Modified"])


@pytest.fixture(scope="module", autouse=True)
def _children():
    """End the children after the last test here."""
    yield
    sandbox.close()


def task(url: str, **options) -> PollTask:
    """Return a task for a feed that was polled before."""
    outlet = options.pop("outlet", Outlet("Fil", (url,)))
    options = {"validators": OLD, "body_hash": OLD_HASH, **options}
    return PollTask(Feed(url, outlet), url, **options)


def batch(*tasks: PollTask, polling: Polling = OPEN) -> Batch:
    """Return a batch of tasks."""
    return Batch(tasks, (TOPIC,), polling, "aggregator", NOW)


def one(url: str, *, polling: Polling = OPEN, **options) -> Outcome:
    """Poll one feed."""
    (outcome,) = poll(batch(task(url, **options), polling=polling))
    return outcome


def test_a_document_brings_entries_mentions_and_validators(server):
    """Everything a new document says is in the outcome, which can be pickled."""
    url = server.route("/feed", body=FEED.format("").encode(), headers=HEADERS)
    outcome = one(url)

    assert outcome.failure is None
    assert not outcome.unchanged
    assert (outcome.feed.url, outcome.at, outcome.status) == (url, NOW, 200)
    assert [e.title for e in outcome.entries] == ["Le travail du clic", "Autre chose"]
    assert outcome.listed == tuple(entry.id for entry in outcome.entries)
    assert [(m.entry, m.topic) for m in outcome.mentions] == [
        (outcome.entries[0].id, "clic")
    ]
    assert (outcome.title, outcome.home) == ("Fil", "https://fil.example/")
    assert outcome.language == "fr"
    assert outcome.dated_at == datetime(2026, 11, 23, 11, 0, tzinfo=UTC)
    assert outcome.validators == NEW
    assert outcome.body_hash not in (b"", OLD_HASH)
    assert outcome.not_before is None
    assert 0 < outcome.seconds < 10
    assert pickle.loads(pickle.dumps(outcome)) == outcome


def test_what_is_no_feed_is_left_alone_as_long_as_it_says(server):
    """A declared freshness holds for an answer that cannot be read, too."""
    fresh = {"Cache-Control": "max-age=7200"}
    url = server.route("/feed", body=b"<html><p>Maintenance</html>", headers=fresh)
    outcome = one(url, validators=OLD)

    assert outcome.failure.kind == "document"
    assert (
        timedelta()
        <= outcome.not_before - NOW - timedelta(hours=2)
        < timedelta(minutes=1)
    )
    assert outcome.validators == OLD


def test_only_new_and_changed_entries_are_brought(server):
    """Known fingerprints stay behind; a retitled entry comes again."""
    url = server.route("/feed", body=FEED.format("").encode())
    first = one(url)
    known = frozenset(entry.fingerprint for entry in first.entries)
    same = one(url, known=known)
    server.route("/feed", body=FEED.format("").replace("Autre", "Toute autre").encode())
    changed = one(url, known=known)

    assert (same.unchanged, same.entries, same.mentions) == (True, (), ())
    assert same.listed == tuple(entry.fingerprint for entry in first.entries)
    assert [entry.title for entry in changed.entries] == ["Toute autre chose"]
    assert set(changed.listed or ()) == {
        first.entries[0].fingerprint,
        first.entries[1].id,
    }


def test_sift_leaves_out_what_is_known():
    """The same in this process: only new entries are named, matched and returned."""
    feed = Feed("https://fil.example/feed", Outlet("Fil", ()))
    fetched = Fetched(feed.url, 200, FEED.format("").encode())
    first = sift(fetched, feed, (TOPIC,), frozenset(), 10)
    known = frozenset(entry.fingerprint for entry in first.entries)
    again = sift(fetched, feed, (TOPIC,), known, 10)

    assert len(first.entries) == 2
    assert all(entry.names == named(entry) for entry in first.entries)
    assert [mention.entry for mention in first.mentions] == [first.entries[0].id]
    assert (again.entries, again.mentions) == ((), ())
    assert set(again.listed) == known


def test_an_equal_body_is_not_read_again(server, monkeypatch):
    """The hash of the last stored body spares parsing; validators are renewed."""
    url = server.route("/feed", body=FEED.format("").encode(), headers=HEADERS)
    before = one(url)
    monkeypatch.setattr(room, "sandbox", None)
    again = one(url, body_hash=before.body_hash)

    assert again.failure is None
    assert (again.unchanged, again.listed) == (True, None)
    assert (again.validators, again.body_hash) == (NEW, before.body_hash)


def test_a_304_brings_nothing_and_keeps_everything(server):
    """Not modified is a success without a document."""
    outcome = one(server.route("/feed", 304, headers={"ETag": '"other"'}))

    assert (outcome.status, outcome.failure, outcome.listed) == (304, None, None)
    assert outcome.unchanged
    assert (outcome.validators, outcome.body_hash) == (OLD, OLD_HASH)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (FEED.format("").encode()[:-40], HEADERS),
        (FEED.format("<x>").encode(), HEADERS),
        (
            gzip.compress(FEED.format("<!--\n-->").encode())[:-4],
            {**HEADERS, "Content-Encoding": "gzip"},
        ),
    ],
)
def test_a_broken_document_gives_entries_but_no_validators(server, body, headers):
    """What came of a document is kept, and the whole of it is asked for again."""
    outcome = one(server.route("/feed", body=body, headers=headers))

    assert outcome.failure is None
    assert outcome.entries[0].title == "Le travail du clic"
    assert (outcome.validators, outcome.body_hash) == (OLD, b"")


@pytest.mark.parametrize(
    ("route", "failure", "status"),
    [
        ({"status": 404}, Failure("http", "http 404"), 404),
        ({"status": 410}, Failure("gone", "http 410"), 410),
        ({"body": b""}, Failure("document", "empty document"), 200),
        ({"body": b"<html>"}, Failure("document", "a web page, not a feed"), 200),
        ({"body": b"x" * 100_001}, Failure("limit", "body over 0.1 MB"), None),
    ],
)
def test_a_failure_keeps_what_is_known(server, route, failure, status):
    """Whatever goes wrong, the old validators and body hash stay."""
    polling = Polling(allow_private_addresses=True, max_bytes=100_000)
    outcome = one(server.route("/feed", **route), polling=polling)

    assert (outcome.failure, outcome.status) == (failure, status)
    assert (outcome.validators, outcome.body_hash) == (OLD, OLD_HASH)
    assert (outcome.entries, outcome.listed) == ((), None)


def test_a_private_address_is_refused():
    """Without permission nothing on this machine is asked."""
    outcome = one("http://127.0.0.1:9/feed", polling=Polling())

    assert outcome.failure == Failure("refused", "refused: no public address")


def test_a_document_that_overruns_is_its_own_failure(server):
    """A document too slow to read costs its own poll only."""
    slow = b"<rss><channel>" + b"<a b='c' " * 400_000
    bad = server.route("/bad", body=slow)
    good = server.route("/good", body=FEED.format("").encode())
    hurried = Outlet("Hâte", (bad,), timeout=timedelta(seconds=0.2))
    first, second = poll(batch(task(bad, outlet=hurried), task(good)))

    assert first.failure == Failure("limit", "not read within 0.2 s")
    assert (first.validators, first.body_hash) == (OLD, OLD_HASH)
    assert second.failure is None


def test_a_fault_of_ours_says_where_and_spares_the_others(server, monkeypatch):
    """A bug is the failure `ours` of one feed, with its place, here or in a child."""
    body = FEED.format("").encode()
    urls = [server.route(f"/{name}", body=body) for name in "abc"]
    wrong = task(urls[1], known=None)  # no set: sift fails in the child
    a, b, c = poll(batch(task(urls[0]), wrong, task(urls[2])))
    monkeypatch.setattr(room, "sandbox", None)
    here = one(urls[0])

    assert (a.failure, c.failure) == (None, None)
    assert b.failure.kind == here.failure.kind == "ours"
    assert b.failure.reason.startswith("TypeError: ")
    assert here.failure.reason.startswith("AttributeError: ")
    assert "sift.py" in b.failure.reason
    assert "poll.py" in here.failure.reason
    assert (b.validators, b.body_hash) == (OLD, OLD_HASH)


def test_a_permanent_redirect_is_told(server):
    """Where a feed moved is in the outcome; its own URL stays its name."""
    server.route("/old", 301, headers={"Location": "/new"})
    moved = server.route("/new", body=FEED.format("").encode())
    outcome = one(server.url("/old"))

    assert outcome.moved_to == moved
    assert outcome.feed.url == server.url("/old")


def test_a_moved_feed_is_polled_there_under_its_own_name(server):
    """Ids hang on the feed's own URL, wherever it is asked."""
    body = FEED.format("").encode()
    there = server.route("/new", body=body)
    server.route("/old", body=body)
    feed = Feed(server.url("/old"), Outlet("Fil", (server.url("/old"),)))
    outcomes = poll(batch(PollTask(feed, there), PollTask(feed, server.url("/old"))))

    assert [request.path for request in server.requests] == ["/new", "/old"]
    assert outcomes[0].entries == outcomes[1].entries


def test_requests_to_one_host_are_kept_apart(server):
    """Between two requests to a host its spacing passes."""
    other = server.url("/c", "localhost")
    polling = replace(OPEN, spacing=timedelta(seconds=1))
    tasks = task(server.url("/a")), task(other), task(server.url("/b"))
    start = time.monotonic()
    poll(batch(*tasks, polling=polling))
    took = time.monotonic() - start
    poll(batch(task(server.url("/a")), task(other), polling=polling))

    assert [seen.path for seen in server.requests] == ["/a", "/c", "/b", "/a", "/c"]
    assert took >= 1


@pytest.mark.parametrize(
    ("control", "wait"),
    [
        ("max-age=3600", timedelta(hours=1) + HIDDEN),
        ("max-age=99999999", timedelta(days=1)),
    ],
)
def test_what_an_answer_declares_is_the_earliest_next_poll(server, control, wait):
    """Freshness holds up to the slowest pace and for the feed alone."""
    body = FEED.format("<ttl>120</ttl>").encode()
    headers = {"Cache-Control": control}
    outcome = one(server.route("/feed", body=body, headers=headers))

    assert (outcome.not_before, outcome.paused_host) == (NOW + wait, "")
    assert outcome.rest == Rest(ttl=timedelta(hours=2))


@pytest.mark.parametrize("status", [429, 503])
def test_a_host_that_asks_to_wait_is_left_alone(server, status):
    """After Retry-After the host's other feeds are not asked; other hosts are."""
    closed = server.route("/a", status, headers={"Retry-After": "600"})
    spared = server.route("/b", body=FEED.format("").encode())
    server.route("/c", body=FEED.format("").encode())
    first, second, third = poll(
        batch(task(closed), task(spared), task(server.url("/c", "localhost")))
    )

    assert [request.path for request in server.requests] == ["/a", "/c"]
    assert first.failure == Failure("http", f"http {status}")
    assert first.not_before == NOW + timedelta(minutes=10) + HIDDEN
    assert first.paused_host == f"127.0.0.1:{server.port}"
    assert (second.asked, second.failure) == (False, None)
    assert second.not_before == first.not_before
    assert (second.validators, second.status) == (OLD, None)
    assert third.failure is None


def test_a_wait_is_counted_from_when_a_feed_was_asked(server):
    """Not from the cycle: a feed may have waited a while for its turn."""
    control = {"Cache-Control": "max-age=600"}
    body = FEED.format("").encode()
    urls = [server.route(f"/{name}", body=body, headers=control) for name in "ab"]
    polling = replace(OPEN, spacing=timedelta(seconds=1))
    sent = replace(batch(*map(task, urls), polling=polling), late=30.5)
    first, second = poll(sent)
    ten = NOW + timedelta(minutes=10) + HIDDEN

    assert (first.at, second.at) == (NOW, NOW)
    assert (first.late.seconds, second.late.seconds) == (30, 31)
    assert first.not_before == ten + timedelta(seconds=30)
    assert second.not_before == ten + timedelta(seconds=31)


@pytest.mark.parametrize("status", [429, 503, 500])
def test_an_error_without_retry_after_closes_no_host(server, status):
    """Only what a host asks for holds back its other feeds."""
    first, second = poll(
        batch(
            task(server.route("/a", status)),
            task(server.route("/b", body=FEED.format("").encode())),
        )
    )

    assert (first.not_before, first.paused_host) == (None, "")
    assert second.failure is None


def test_outlets_own_settings_are_used(server):
    """Headers and the kind of the outlet reach fetch and parse."""
    body = b"""<rss version="2.0"><channel><item><title>Clic - Slate.fr</title>
    <source url="https://www.slate.fr">Slate.fr</source></item></channel></rss>"""
    url = server.route("/feed", body=body)
    outlet = Outlet("Recherche", (url,), kind="search", headers=(("X-Key", "k"),))
    outcome = one(url, outlet=outlet)

    assert server.requests[0].headers["X-Key"] == "k"
    assert outcome.entries[0].outlet == "Slate.fr"


def test_headers_stay_with_the_host_of_feeds_toml(server):
    """What an outlet is told in its headers is not told where it moved to."""
    body = FEED.format("").encode()
    here = server.route("/feed", body=body)
    server.route("/new", body=body)
    outlet = Outlet("Fil", (here,), headers=(("X-Key", "k"),))
    feed = Feed(here, outlet)
    near, far = server.url("/new"), server.url("/new", "localhost")
    poll(batch(*(PollTask(feed, url) for url in (here, near, far))))
    keys = [request.headers["X-Key"] for request in server.requests]

    assert keys == ["k", "k", None]


NAMES = st.sampled_from(
    ["ETag", "Last-Modified", "Content-Type", "Content-Encoding", "Retry-After",
     "Location", "Cache-Control", "Expires", "Content-Location", "Content-Length"]
)  # fmt: skip
VALUES = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=20)
BODIES = st.binary(max_size=300) | st.builds(
    lambda at, put: FEED.format("").encode()[:at] + put + FEED.format("").encode()[at:],
    st.integers(0, 300),
    st.binary(max_size=5),
)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    status=st.sampled_from([200, 200, 200, 301, 302, 304, 404, 410, 429, 500, 503]),
    headers=st.dictionaries(NAMES, VALUES | st.sampled_from(["gzip", "0", "60", "/x"])),
    body=BODIES,
)
def test_no_answer_makes_poll_raise(server, status, headers, body):
    """Whatever a server says, poll reports it and a failure keeps the validators."""
    # a length that promises more would only wait for the timeout
    headers = {n: v for n, v in headers.items() if n != "Content-Length" or v == "0"}
    url = server.route("/feed", status, body, headers)
    outcomes = poll(batch(task(url), task(url)))

    assert len(outcomes) == 2
    for outcome in outcomes:
        assert outcome.feed.url == url
        if outcome.failure is not None:
            assert outcome.failure.kind != "ours"
            assert "\n" not in outcome.failure.reason
            assert (outcome.validators, outcome.body_hash) == (OLD, OLD_HASH)
