"""What an outlet does and what follows from it: a test for each row of the rules.

Real HTTP and whole cycles. Each test plays a few polls of one feed and looks at what
the server saw, what is stored, and when the feed is due again.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from conftest import Request, Server
from worlds import EPOCH, configure, item, rss

from aggregator import config as configuration
from aggregator import run, sandbox
from aggregator.desk import Desk
from aggregator.model import Report
from aggregator.store import Store, polls

NOW = datetime.fromtimestamp(int(EPOCH), UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ENTRIES = [
    item(f"n{n}", f"La météo, jour {n}", date=format_datetime(NOW - n * DAY))
    for n in range(5)
]
BODY = rss(*ENTRIES)
ETAG = {"ETag": '"un"'}


@pytest.fixture(scope="module", autouse=True)
def _children() -> Iterator[None]:
    """End the children after the last test here."""
    yield
    sandbox.close()


@dataclass
class Outlet:
    """One outlet with a feed at /feed, polled when a test says so."""

    server: Server
    desk: Desk

    def poll(self, at: datetime = NOW, *, everything: bool = False) -> Report:
        """Run a cycle at an instant."""
        return run.cycle(self.desk, at, everything=everything)

    @property
    def asked(self) -> list[str]:
        """What was asked for, in order."""
        return [request.path for request in self.server.requests]

    @property
    def last(self) -> Request:
        """The last request the server saw."""
        return self.server.requests[-1]

    @property
    def wait(self) -> timedelta:
        """How long from NOW until the feed is due."""
        return datetime.fromtimestamp(self.column("next_poll_at"), UTC) - NOW

    def column(self, name: str):
        """Return what is remembered of the feed."""
        with Store(self.desk.config.storage.database) as store:
            return store.rows(f"SELECT {name} FROM feeds")[0][0]

    def count(self, table: str) -> int:
        """Return how many rows a table has."""
        with Store(self.desk.config.storage.database) as store:
            return int(store.rows(f"SELECT count(*) FROM {table}")[0][0])

    def due(self, at: datetime, *, everything: bool = False) -> bool:
        """Tell whether the feed would be asked at an instant."""
        config = self.desk.config
        with Store(config.storage.database) as store:
            tasks = polls.due(
                store, config.feeds, at, config.polling, everything=everything
            )
            return bool(list(tasks))


@pytest.fixture
def outlet(tmp_path: Path, server: Server) -> Outlet:
    """Return the outlet, whose feed answers 200 with five entries until told else."""
    url = server.route("/feed", body=BODY, headers=ETAG)
    path = configure(tmp_path, {"Le Jour": url}, extra='timeout = "2s"')
    return Outlet(server, Desk.of(configuration.read(path)))


def failed(report: Report) -> str:
    """Return why the one feed of a cycle failed."""
    ((_, failure),) = report.failures
    return failure.reason


# ── answers with a document ───────────────────────────────────────────────────────────


def test_200_stores_entries_and_validators_together(outlet: Outlet) -> None:
    """After a document both its entries and its validators are remembered."""
    report = outlet.poll()

    assert report.new_entries == outlet.count("entries") == 5
    assert outlet.column("etag") == '"un"'


def test_200_with_an_equal_body_is_unchanged(outlet: Outlet) -> None:
    """The same bytes again are nothing new, whatever the validators say."""
    outlet.server.route("/feed", body=BODY)
    outlet.poll()
    report = outlet.poll(NOW + DAY)

    assert (report.polled, report.unchanged, report.new_entries) == (1, 1, 0)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        pytest.param(BODY.removesuffix(b"</channel></rss>"), ETAG, id="unclosed root"),
        pytest.param(
            gzip.compress(BODY)[:-20],
            {**ETAG, "Content-Encoding": "gzip"},
            id="gzip without end",
        ),
    ],
)
def test_200_cut_short_keeps_entries_but_no_validators(
    outlet: Outlet, body: bytes, headers: dict[str, str]
) -> None:
    """What came is stored; the rest comes with the next whole document."""
    outlet.server.route("/feed", body=body, headers=headers)
    report = outlet.poll()
    outlet.server.route("/feed", body=BODY, headers=ETAG)
    outlet.poll(NOW + DAY)

    assert report.new_entries >= 4
    assert outlet.last.headers["If-None-Match"] is None
    assert outlet.count("entries") == 5


def test_html_instead_of_a_feed_is_a_failure_that_names_the_feed(
    outlet: Outlet,
) -> None:
    """The reason holds the address to put into feeds.toml."""
    link = '<link rel="alternate" type="application/rss+xml" href="/fil.xml">'
    page = f"<!doctype html><html><head>{link}</head><body>Bonjour</body></html>"
    outlet.server.route("/feed", body=page.encode())

    assert outlet.server.url("/fil.xml") in failed(outlet.poll())


def test_no_entry_in_common_is_a_gap_and_shortens_the_interval(outlet: Outlet) -> None:
    """The window in which entries may have been missed is remembered."""
    outlet.poll()
    usual = outlet.wait
    later = NOW + DAY
    others = [item(f"m{n}", f"Titre {n}") for n in range(5)]
    outlet.server.route("/feed", body=rss(*others))
    outlet.poll(later)

    assert outlet.count("gaps") == 1
    assert outlet.wait - DAY < usual


# ── answers without one ───────────────────────────────────────────────────────────────


def test_304_is_nothing_new(outlet: Outlet) -> None:
    """Validators go out as they came, and are kept."""
    outlet.poll()
    outlet.server.route("/feed", status=304)
    report = outlet.poll(NOW + DAY)

    assert outlet.last.headers["If-None-Match"] == '"un"'
    assert (report.unchanged, report.failed) == (1, 0)
    assert outlet.column("etag") == '"un"'


def test_304_far_beyond_its_rhythm_is_doubted_once(outlet: Outlet) -> None:
    """A daily feed that answers 304 for a week is asked once without validators."""
    late = item("new", "Les travailleurs du clic", date=format_datetime(NOW + DAY))
    asked: list[bool] = []

    def answer(request: BaseHTTPRequestHandler) -> None:
        conditional = "If-None-Match" in request.headers
        body = b"" if conditional else rss(*([late] if asked else []), *ENTRIES)
        asked.append(conditional)
        request.send_response(304 if conditional else 200)
        request.send_header("ETag", '"stuck"')
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    outlet.server.route("/feed", handler=answer)
    days = (0, 1, 8, 9, 10)
    reports = [outlet.poll(NOW + n * DAY, everything=True) for n in days]

    assert asked == [False, True, True, False, True]
    assert [report.mentions for report in reports] == [0, 0, 0, 1, 0]


@pytest.mark.parametrize("status", [301, 308])
def test_a_lasting_redirect_is_followed_and_polled_there_after_a_week(
    outlet: Outlet, status: int
) -> None:
    """The same target for over seven days is asked directly; feeds.toml stays."""
    target = outlet.server.route("/neu", body=BODY)
    outlet.server.route("/feed", status, headers={"Location": "/neu"})
    first = outlet.poll()
    outlet.poll(NOW + 8 * DAY)
    before = len(outlet.asked)
    outlet.poll(NOW + 9 * DAY)

    assert first.new_entries == 5
    assert outlet.column("moved_to") == target
    assert outlet.asked[before:] == ["/neu"]


@pytest.mark.parametrize("status", [302, 303, 307])
def test_a_passing_redirect_is_followed_and_forgotten(
    outlet: Outlet, status: int
) -> None:
    """The feed keeps its address however long it is redirected so."""
    outlet.server.route("/neu", body=BODY)
    outlet.server.route("/feed", status, headers={"Location": "/neu"})
    outlet.poll()
    outlet.poll(NOW + 8 * DAY)
    outlet.poll(NOW + 16 * DAY)

    assert outlet.asked == ["/feed", "/neu"] * 3
    assert outlet.column("moved_to") == ""


def test_410_is_gone_and_asked_once_a_month(outlet: Outlet) -> None:
    """Not even `--all` asks it before."""
    outlet.server.route("/feed", 410)
    outlet.poll()

    assert outlet.column("failure") == "gone"
    assert not outlet.due(NOW + 29 * DAY, everything=True)
    assert outlet.due(NOW + 34 * DAY)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("form", ["seconds", "date"])
def test_retry_after_holds_for_the_whole_host(
    outlet: Outlet, status: int, form: str
) -> None:
    """Neither this feed nor any other of its host is asked before."""
    wait = "7200" if form == "seconds" else format_datetime(NOW + 2 * HOUR, usegmt=True)
    outlet.server.route("/feed", status, headers={"Retry-After": wait})
    outlet.poll()

    assert outlet.wait >= 2 * HOUR
    assert not outlet.due(NOW + 119 * MINUTE, everything=True)
    assert outlet.count("hosts") == 1


def test_retry_after_is_capped_at_a_week(outlet: Outlet) -> None:
    """No outlet silences itself for longer by mistake."""
    outlet.server.route("/feed", 503, headers={"Retry-After": "99999999"})
    outlet.poll()

    assert 7 * DAY <= outlet.wait < 8 * DAY


@pytest.mark.parametrize("status", [400, 401, 403, 404, 451, 500, 502, 504])
def test_other_errors_back_off_and_are_never_given_up(
    outlet: Outlet, status: int
) -> None:
    """Each failure in a row waits longer, up to the slowest pace; its reason stays."""
    outlet.server.route("/feed", status)
    at, waits = NOW, []
    for _ in range(12):
        outlet.poll(at)
        waits.append(outlet.wait - (at - NOW))
        at = NOW + outlet.wait

    slowest = outlet.desk.config.polling.slowest
    assert waits[0] < waits[2] < waits[4]
    assert slowest <= waits[-1] <= slowest * 1.1
    assert outlet.column("error") == f"http {status}"
    assert outlet.column("failures") == 12


def test_a_server_that_does_not_answer_is_a_timeout(outlet: Outlet) -> None:
    """It costs its timeout and keeps what is known."""
    outlet.poll()

    def silent(request: BaseHTTPRequestHandler) -> None:
        request.rfile.read(1)

    outlet.server.route("/feed", handler=silent)

    assert "timeout" in failed(outlet.poll(NOW + DAY))
    assert outlet.column("etag") == '"un"'


# ── what feeds ask for ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("head", "headers", "wait"),
    [
        ("", {"Cache-Control": "max-age=21600"}, 6 * HOUR),
        ("", {"Expires": format_datetime(NOW + 6 * HOUR, usegmt=True)}, 6 * HOUR),
        ("<ttl>360</ttl>", {}, 6 * HOUR),
        ("", {"Cache-Control": "max-age=99999999"}, DAY),
    ],
    ids=["max-age", "expires", "ttl", "at most the slowest pace"],
)
def test_what_is_declared_is_kept(
    outlet: Outlet, head: str, headers: dict[str, str], wait: timedelta
) -> None:
    """The next poll is not earlier, up to the slowest pace."""
    body = BODY.replace(b"<item>", head.encode() + b"<item>", 1)
    outlet.server.route("/feed", body=body, headers=headers)
    outlet.poll()

    assert wait <= outlet.wait <= wait * 1.1


def test_skipped_hours_are_skipped(outlet: Outlet) -> None:
    """A poll that would fall into one waits for the end of them all."""
    hours = "".join(f"<hour>{hour}</hour>" for hour in (12, 13, 14, 15))
    head = f"<skipHours>{hours}</skipHours>".encode()
    outlet.server.route("/feed", body=BODY.replace(b"<item>", head + b"<item>", 1))
    outlet.poll()

    assert 4 * HOUR <= outlet.wait < 5 * HOUR


# ── what would do harm ────────────────────────────────────────────────────────────────


def test_a_redirect_loop_is_a_failure(outlet: Outlet) -> None:
    """It is noticed at its first repetition."""
    outlet.server.route("/feed", 302, headers={"Location": "/neu"})
    outlet.server.route("/neu", 302, headers={"Location": "/feed"})

    assert failed(outlet.poll()) == "redirect loop"


def test_five_hops_and_no_more(outlet: Outlet) -> None:
    """The sixth redirect is not followed."""
    for hop in range(6):
        target = {"Location": f"/{hop + 1}"}
        outlet.server.route("/feed" if hop == 0 else f"/{hop}", 302, headers=target)
    outlet.server.route("/6", body=BODY)

    assert failed(outlet.poll()) == "more than 5 redirects"
    assert "/6" not in outlet.asked


def test_a_private_address_is_refused(outlet: Outlet) -> None:
    """Nothing on this machine or its network is asked unless that is allowed."""
    path = outlet.desk.config.source
    text = path.read_text("utf-8").replace("allow_private_addresses = true", "")
    path.write_text(text, "utf-8")
    closed = Outlet(outlet.server, Desk.of(configuration.read(path)))

    assert failed(closed.poll()) == "refused: no public address"
    assert closed.asked == []


def test_a_next_poll_too_far_off_counts_as_due(outlet: Outlet) -> None:
    """After the clock jumped a year ahead and back, nothing sleeps for a year."""
    outlet.poll(NOW + 365 * DAY)

    assert outlet.due(NOW)
