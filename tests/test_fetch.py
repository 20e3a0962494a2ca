"""`fetch`, `guard` and `headers` against a real server on this machine."""

from __future__ import annotations

import gzip
import socket
import ssl
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from hashlib import blake2b
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import brotli
import pytest
from backports import zstd
from conftest import Server
from hypothesis import given
from hypothesis import strategies as st

from aggregator.fetch import Fetcher, Turns, guard, headers, lasting
from aggregator.model import (
    Fetched,
    FetchError,
    Pause,
    PausedError,
    Polling,
    StoppedError,
    Validators,
)

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
OPEN = Polling(allow_private_addresses=True, max_bytes=1_000_000)
CERTIFICATE = Path(__file__).parent / "tls" / "localhost.pem"  # for 127.0.0.1, to 2126
NONE = Validators()
BODY = b"<rss>" + b"some text " * 1000 + b"</rss>"


def get(
    url: str,
    validators: Validators = NONE,
    *,
    polling: Polling = OPEN,
    seconds: float = 5,
    headers: tuple[tuple[str, str], ...] = (),
) -> Fetched:
    """Fetch once with a session of its own."""
    with Fetcher(polling, "aggregator (+mailto:press@example.org)") as fetcher:
        timeout = timedelta(seconds=seconds)
        return fetcher.fetch(url, validators, now=NOW, timeout=timeout, headers=headers)


def failure(url: str, **options) -> FetchError:
    """Return the error a fetch ends with."""
    with pytest.raises(FetchError) as caught:
        get(url, **options)
    return caught.value


def raw(*parts: bytes, pause: float = 0):
    """Return a handler that writes these bytes as its whole answer."""

    def write(request: BaseHTTPRequestHandler) -> None:
        for part in parts:
            request.wfile.write(part)
            request.wfile.flush()
            if pause:
                time.sleep(pause)

    return write


# ── requests ──────────────────────────────────────────────────────────────────────────


def test_an_answer_is_returned_with_what_its_headers_say(server):
    """Body, type, validators and freshness of a plain 200 come back."""
    url = server.route(
        "/feed",
        body=BODY,
        headers={
            "ETag": '"a-1"',
            "Last-Modified": "Mon, 23 Nov 2026 08:00:00 GMT",
            "Content-Type": "application/rss+xml; charset=utf-8",
            "Content-Language": "fr",
            "Content-Location": "/feed.fr",
            "Cache-Control": "public, max-age=600",
        },
    )

    assert get(url) == Fetched(
        url,
        200,
        BODY,
        digest=blake2b(BODY, digest_size=16).digest(),
        content_type="application/rss+xml; charset=utf-8",
        content_location="/feed.fr",
        content_language="fr",
        validators=Validators('"a-1"', "Mon, 23 Nov 2026 08:00:00 GMT"),
        fresh_until=NOW + timedelta(minutes=10),
    )


def test_requests_say_who_asks_and_nothing_else(server, monkeypatch, tmp_path):
    """User-Agent, Accept and codings are sent; no cookie, Referer or netrc password."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    server.route("/start", 302, headers={"Location": "/feed", "Set-Cookie": "a=b"})
    server.route("/feed", body=BODY, headers={"Set-Cookie": "c=d"})
    with Fetcher(OPEN, "aggregator (+mailto:press@example.org)") as fetcher:
        for _ in range(2):
            fetcher.fetch(
                server.url("/start"),
                Validators(),
                now=NOW,
                timeout=timedelta(seconds=5),
            )
    sent = server.requests[-1].headers

    assert sent["User-Agent"] == "aggregator (+mailto:press@example.org)"
    assert "application/atom+xml" in sent["Accept"]
    assert set(sent["Accept-Encoding"].split(", ")) == {"gzip", "deflate", "br", "zstd"}
    assert not {"cookie", "referer", "authorization"} & {name.lower() for name in sent}


def test_validators_go_out_exactly_as_they_came(server):
    """If-None-Match and If-Modified-Since repeat the stored text; a 304 keeps them."""
    url = server.route("/feed", 304)
    validators = Validators('W/"é-1"', "mon, 1 jan 2024 00:00 +0000")
    fetched = get(url, validators)
    sent = server.requests[0].headers

    assert sent["If-Modified-Since"] == "mon, 1 jan 2024 00:00 +0000"
    assert sent["If-None-Match"].encode("latin-1") == 'W/"é-1"'.encode("latin-1")
    assert (fetched.status, fetched.body, fetched.validators) == (304, b"", validators)


def test_a_304_that_nobody_asked_for_is_an_error(server):
    """Without validators there is nothing that could be unchanged."""
    error = failure(server.route("/feed", 304))

    assert (str(error), error.kind, error.status) == ("http 304", "http", 304)


def test_a_validator_that_cannot_be_sent_is_forgotten(server):
    """An ETag of nothing but spaces never becomes a header."""
    url = server.route("/feed", body=BODY, headers={"ETag": "   "})

    assert get(url).validators == Validators()


def test_an_outlets_own_headers_stay_with_its_host(server):
    """Headers of feeds.toml are sent to the feed's host, not where it redirects."""
    server.route("/feed", 302, headers={"Location": server.url("/x", "localhost")})
    server.route("/x", body=BODY)
    get(server.url("/feed"), headers=(("X-Key", "k"),))

    assert [r.headers["X-Key"] for r in server.requests] == ["k", None]


def test_a_hundred_and_fifty_headers_are_read(server):
    """Some outlets send over a hundred headers."""
    many = {f"X-{number}": "v" for number in range(150)}
    url = server.route("/feed", body=BODY, headers=many)

    assert get(url).body == BODY


# ── codings and ends ──────────────────────────────────────────────────────────────────

CODINGS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstd.compress,
}


@pytest.mark.parametrize("coding", CODINGS)
def test_each_coding_is_decompressed(server, coding):
    """gzip, deflate, br and zstd bodies come back as they were, and as complete."""
    body = CODINGS[coding](BODY)
    url = server.route("/feed", body=body, headers={"Content-Encoding": coding})
    fetched = get(url)

    assert (fetched.body, fetched.complete) == (BODY, True)


@pytest.mark.parametrize("coding", CODINGS)
def test_a_compressed_body_without_its_end_is_marked(server, coding):
    """A stream that stops early gives what it holds, marked as incomplete."""
    noise = b"".join(struct.pack(">I", n * 2654435761 % 2**32) for n in range(20_000))
    body = CODINGS[coding](noise)[:-40]
    url = server.route("/feed", body=body, headers={"Content-Encoding": coding})
    fetched = get(url)

    assert fetched.complete is False
    assert noise.startswith(fetched.body)


def test_a_gzip_that_breaks_in_the_middle_is_marked(server):
    """Damage inside a compressed body keeps what came before it."""
    noise = b"".join(struct.pack(">I", n * 2654435761 % 2**32) for n in range(50_000))
    body = bytearray(gzip.compress(noise))
    body[150_000:150_500] = bytes(500)
    url = server.route("/f", body=bytes(body), headers={"Content-Encoding": "gzip"})
    fetched = get(url)

    assert fetched.complete is False
    assert len(fetched.body) > 50_000


def test_a_body_that_is_not_compressed_as_announced_is_an_error(server):
    """Plain text called gzip is no document."""
    url = server.route("/feed", body=BODY, headers={"Content-Encoding": "gzip"})

    assert str(failure(url)) == "body is not compressed as its header says"


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4e20\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2711\r\n",
    ],
)
def test_a_body_shorter_than_announced_is_marked(server, head):
    """What came of a body that was cut short is kept, as incomplete."""
    url = server.route("/feed", handler=raw(head, BODY[:9_000]))
    fetched = get(url)

    assert (fetched.body, fetched.complete) == (BODY[:9_000], False)


def test_nothing_at_all_of_a_body_is_an_error(server):
    """A connection closed right after the headers brings no document."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n"
    url = server.route("/feed", handler=raw(head))

    assert str(failure(url)) == "connection closed within the answer"


# ── redirects ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("statuses", "moved"),
    [
        ([301], True),
        ([308], True),
        ([301, 308, 301], True),
        ([302], False),
        ([303], False),
        ([307], False),
        ([301, 302], False),
    ],
)
def test_only_permanent_redirects_move_a_feed(server, statuses, moved):
    """moved_to is the target when every hop was 301 or 308."""
    for number, status in enumerate(statuses):
        server.route(f"/{number}", status, headers={"Location": f"/{number + 1}"})
    target = server.route(f"/{len(statuses)}", body=BODY)
    fetched = get(server.url("/0"))

    assert (fetched.url, fetched.body) == (target, BODY)
    assert fetched.moved_to == (target if moved else "")


def test_five_redirects_are_followed_and_a_sixth_is_not(server):
    """The sixth redirect is an error."""
    for number in range(6):
        server.route(f"/{number}", 302, headers={"Location": f"/{number + 1}"})
    server.route("/6", body=BODY)
    error = failure(server.url("/0"))

    assert get(server.url("/1")).body == BODY
    assert (str(error), error.kind) == ("more than 5 redirects", "limit")


def test_a_redirect_loop_is_an_error(server):
    """Two addresses that point at each other end at once."""
    server.route("/a", 301, headers={"Location": "/b"})
    server.route("/b", 301, headers={"Location": "/a"})

    assert str(failure(server.url("/a"))) == "redirect loop"
    assert len(server.requests) == 2


def test_the_body_of_a_redirect_is_not_read(server):
    """A redirect with an endless body costs nothing."""
    head = b"HTTP/1.1 302 Found\r\nLocation: /feed\r\n\r\n"
    url = server.route("/a", handler=raw(head, *[b"x" * 1000] * 100, pause=0.05))
    server.route("/feed", body=BODY)

    assert get(url, seconds=1).body == BODY


def test_a_connection_the_server_had_closed_is_made_again(server):
    """A kept connection that went away between two requests is no failure."""
    plain = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"
    server.route("/a", handler=raw(plain))
    timeout = timedelta(seconds=5)
    with Fetcher(OPEN, "aggregator") as fetcher:
        bodies = [
            fetcher.fetch(server.url("/a"), NONE, now=NOW, timeout=timeout).body
            for _ in range(20)
        ]

    assert bodies == [b"x"] * 20


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://x/", "http://[/"])
def test_a_redirect_out_of_the_web_is_refused(server, target):
    """Only http and https targets are followed."""
    url = server.route("/a", 302, headers={"Location": target})

    assert failure(url).kind == "refused"


def test_a_redirect_in_utf_8_is_understood(server):
    """A Location with raw UTF-8 letters leads where it says."""
    server.route("/%C3%A9t%C3%A9", body=BODY)
    answer = "HTTP/1.1 302 Found\r\nLocation: /été\r\nContent-Length: 0\r\n\r\n"
    url = server.route("/a", handler=raw(answer.encode()))

    assert get(url).body == BODY


def test_a_redirect_without_a_target_is_an_error(server):
    """A 302 that names no address is an HTTP error like others."""
    assert str(failure(server.route("/a", 302))) == "http 302"


# ── refusals, limits and faults ───────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("status", "kind"), [(410, "gone"), (404, "http"), (403, "http"), (500, "http")]
)
def test_other_statuses_are_errors(server, status, kind):
    """Anything but 200 and 304 is a FetchError with its status; 410 is `gone`."""
    error = failure(server.route("/feed", status))

    assert (str(error), error.kind, error.status) == (f"http {status}", kind, status)
    assert error.not_before is None


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("120", timedelta(minutes=2)),
        (format_datetime(NOW + timedelta(hours=3), usegmt=True), timedelta(hours=3)),
        ("99999999999999999999", timedelta(days=7)),
        ("-5", None),
        ("soon", None),
    ],
)
def test_retry_after_is_read_in_both_forms(server, status, value, wait):
    """429 and 503 say until when to wait, at most seven days."""
    url = server.route("/feed", status, headers={"Retry-After": value})

    assert failure(url).not_before == (wait and NOW + wait)


def test_a_body_over_the_limit_is_an_error(server):
    """A longer body is refused by its announced length already."""
    error = failure(server.route("/feed", body=b"x" * 1_000_001))

    assert (str(error), error.kind) == ("body over 1 MB", "limit")


@pytest.mark.parametrize("coding", CODINGS)
def test_the_limit_holds_for_what_is_decompressed(server, coding):
    """A small bomb of zeros is stopped at max_bytes, in each coding."""
    body = CODINGS[coding](bytes(50_000_000))
    url = server.route("/feed", body=body, headers={"Content-Encoding": coding})

    assert str(failure(url)) == "body over 1 MB"


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
    ],
)
def test_a_dripping_server_does_not_outlast_the_timeout(server, start):
    """Status, headers or body that drip are over when the time is."""
    drops = [b"X"] * 60
    if b"\r\n" in start and b"\r\n\r\n" not in start:
        drops = [b"X-A: b\r\n"] * 60
    elif b"chunked" in start:
        drops = [b"1\r\nx\r\n"] * 60
    elif b"gzip" in start:
        drops = [bytes([byte]) for byte in gzip.compress(BODY)]
    url = server.route("/feed", handler=raw(start, *drops, pause=0.05))
    began = time.monotonic()
    error = failure(url, seconds=0.3)

    assert str(error).startswith("timeout")
    assert time.monotonic() - began < 1


def test_a_silent_server_ends_with_the_timeout(server):
    """No answer at all costs the timeout and no more."""
    url = server.route("/feed", handler=raw(b"", pause=1))
    began = time.monotonic()

    assert str(failure(url, seconds=0.2)) == "timeout after 0.2 s"
    assert time.monotonic() - began < 0.8


def test_a_server_that_is_not_there_is_an_error(server):
    """A refused connection says so."""
    server.close()

    assert str(failure(server.url("/"))) == "connection: connection refused"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "connection closed without an answer"),
        (b"SSH-2.0-OpenSSH_9\r\n\r\n", "no http answer"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", "no http answer"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 400 + b"\r\n", "no http answer"),
    ],
)
def test_what_is_no_http_is_an_error(server, answer, reason):
    """Silence, another protocol and endless headers end as one line."""
    assert str(failure(server.route("/feed", handler=raw(answer)))) == reason


@pytest.mark.parametrize(
    "url", ["http://", "http://a b/", "http://[::1", "mailto:x", "http://" + "a" * 70]
)
def test_an_address_that_is_none_is_an_error(url):
    """No spelling of an address raises anything but FetchError."""
    assert failure(url).kind in {"refused", "network"}


def test_an_unknown_name_is_a_dns_error():
    """`.invalid` never resolves (RFC 2606)."""
    reason = str(failure("http://nobody.invalid/"))

    assert reason.startswith("dns: ")
    assert lasting(reason) == (reason != "dns: no answer for now")  # as when offline
    assert not lasting("timeout after 30 s")


def test_a_header_that_cannot_be_sent_is_an_error(server):
    """A header of feeds.toml with a line break in it is no fault of this program."""
    url = server.route("/feed", body=BODY)
    error = failure(url, headers=(("X-Key", "a\r\nb"),))

    assert str(error) == "a header of this outlet cannot be sent"


# ── addresses ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("1.0.0.1", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("2002:5db8:d822::1", True),
        ("::ffff:93.184.216.34", True),
        ("64:ff9b::5db8:d822", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("100.100.100.200", False),
        ("168.63.129.16", False),
        ("192.0.0.192", False),
        ("192.0.2.1", False),
        ("198.18.0.1", False),
        ("0.0.0.0", False),
        ("0.1.2.3", False),
        ("224.0.0.1", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("fec0::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:169.254.169.254", False),
        ("::ffff:168.63.129.16", False),
        ("::ffff:0:7f00:1", False),
        ("::7f00:1", False),
        ("fd00:ec2::254", False),
        ("fe80::5efe:7f00:1", False),
        ("100::1", False),
        ("2001:db8::1", False),
        ("64:ff9b:1::7f00:1", False),
        ("2002:7f00:1::1", False),
        ("2002:a9fe:a9fe::1", False),
        ("64:ff9b::7f00:1", False),
        ("2001:0:53aa:64c::1", False),
    ],
)
def test_only_public_addresses_are_public(address, public):
    """Private, special and embedded private addresses are told from public ones."""
    assert guard.public(address) is public


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "2130706433", "0x7f.1"]
)
def test_this_machine_is_refused(server, host):
    """No spelling of a loopback address is asked unless the maintainer allows it."""
    server.route("/", body=BODY)
    error = failure(server.url("/", host), polling=Polling())

    assert (str(error), error.kind) == ("refused: no public address", "refused")
    assert server.requests == []


def names(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Have any name resolve to these addresses, one list after the other.

    The last list stands for good. Returns the names that are looked up.
    """
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        found = answers[min(len(asked), len(answers) - 1)]
        asked.append(host)
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                socket.IPPROTO_TCP,
                "",
                (address, port),
            )
            for address in found
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


@pytest.fixture
def deaf() -> Iterator[int]:
    """Listen at a port of ::1 and of 127.0.0.1 that takes no connection any more."""
    with socket.socket() as four, socket.socket(socket.AF_INET6) as six:
        four.bind(("127.0.0.1", 0))
        port: int = four.getsockname()[1]
        six.bind(("::1", port))
        waiting = []
        for taker in (four, six):
            taker.listen(0)
            for _ in range(2):  # the queue of those that wait is full now
                filler = socket.socket(taker.family)
                filler.setblocking(False)
                filler.connect_ex(taker.getsockname())
                waiting.append(filler)
        yield port
        for filler in waiting:
            filler.close()


def test_every_address_is_tried_in_turn(server, monkeypatch):
    """A first address that refuses does not hide the second."""
    names(monkeypatch, ["::1", "127.0.0.1"])
    deadline = guard.Deadline()
    deadline.start(5)
    with socket.socket(socket.AF_INET6) as taken:
        taken.bind(("::1", server.port))  # bound, not listening: refuses at once
        with guard.connect("both.example", server.port, deadline, private=True) as sock:
            assert sock.getpeername()[0] == "127.0.0.1"


def test_an_address_that_is_silent_leaves_time_for_the_others(deaf, monkeypatch):
    """Of two stacks one is dead: it takes its share of the time, the other answers."""
    names(monkeypatch, ["::1", "127.0.0.2"])
    deadline = guard.Deadline()
    with socket.create_server(("127.0.0.2", deaf)):
        deadline.start(1)
        began = time.monotonic()
        with guard.connect("both.example", deaf, deadline, private=True) as sock:
            assert 0.4 < time.monotonic() - began < 1
            assert sock.getpeername()[0] == "127.0.0.2"
            assert sock.gettimeout() < 0.6


def test_a_stack_this_machine_has_not_is_passed_over(server, monkeypatch):
    """Where the system has no IPv6, IPv4 is tried all the same."""
    address = ("127.0.0.1", server.port)
    infos = [
        (family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", address)
        for family in (socket.AF_UNIX, socket.AF_INET)  # the first has no TCP
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: infos)

    assert get(server.route("/feed", body=BODY)).body == BODY


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["::1"], ["::1"] * 5 + ["127.0.0.1"] * 5]
)
def test_a_connection_nobody_accepts_ends_with_the_timeout(
    deaf, monkeypatch, addresses
):
    """A host that drops what comes costs the timeout, however many addresses it has."""
    names(monkeypatch, addresses)
    deadline = guard.Deadline()
    deadline.start(0.5)
    began = time.monotonic()
    with pytest.raises(FetchError, match="timeout"):
        guard.connect("silent.example", deaf, deadline, private=True)

    assert time.monotonic() - began < 1


def test_no_time_left_is_no_connection(server):
    """A deadline that is over makes no attempt."""
    with pytest.raises(FetchError, match="timeout after 0 s"):
        guard.connect("127.0.0.1", server.port, guard.Deadline(), private=True)

    assert server.requests == []


def test_what_is_no_host_name_is_a_dns_error():
    """A label over 63 letters is refused by name."""
    deadline = guard.Deadline()
    deadline.start(5)
    with pytest.raises(FetchError, match="dns: not a host name"):
        guard.resolve("a" * 70, 80, deadline)


def test_a_name_server_that_is_silent_costs_the_timeout_and_no_more(monkeypatch):
    """The resolver of the system has no timeout of its own; ours holds for it too."""
    asked = threading.Event()

    def silent(*_: object, flags: int = 0, **__: object) -> None:
        if not flags & socket.AI_NUMERICHOST:  # which asks nobody
            asked.wait(10)
        raise socket.gaierror(socket.EAI_NONAME, "no name")

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    began = time.monotonic()
    error = failure("http://silent.invalid/", seconds=0.2)
    took = time.monotonic() - began
    asked.set()

    assert str(error) == "dns: timeout"
    assert took < 1


def test_behind_a_proxy_its_address_is_trusted_and_the_targets_is_not(
    server, monkeypatch
):
    """The proxy is asked for unknown names, never for a private literal."""
    monkeypatch.setenv("http_proxy", server.url(""))
    monkeypatch.setenv("no_proxy", "")
    server.route("/feed", body=BODY)

    assert get("http://nobody.invalid/feed", polling=Polling()).body == BODY
    assert [sent.path for sent in server.requests] == ["http://nobody.invalid/feed"]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://[::1]/",
        "http://[fd00::1]:80/",
        "http://[::ffff:10.0.0.1]/",
        "http://127.0.0.1\\@nobody.invalid/",
    ],
)
def test_no_proxy_is_asked_for_a_private_address(server, monkeypatch, url):
    """However a private literal is written, a proxy does not lead there."""
    monkeypatch.setenv("http_proxy", server.url(""))
    monkeypatch.setenv("no_proxy", "")

    assert failure(url, polling=Polling()).kind == "refused"
    assert server.requests == []


def test_hosts_that_need_no_proxy_are_asked_directly(server, monkeypatch):
    """no_proxy is obeyed."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    assert get(server.route("/feed", body=BODY)).body == BODY


# ── a public outlet, without the Internet ─────────────────────────────────────────────

PUBLIC = "93.184.216.34"


@dataclass
class Internet:
    """The test's server at a public address. connected: every address asked for."""

    server: Server
    connected: list[str] = field(default_factory=list)


@pytest.fixture
def internet(server: Server, monkeypatch: pytest.MonkeyPatch) -> Internet:
    """Lead connections to PUBLIC to the server; all others go where they go."""
    world = Internet(server)
    really: Callable[..., None] = socket.socket.connect

    def connect(sock: socket.socket, address: tuple[str, int]) -> None:
        if sock.family == socket.AF_INET and address[0] == PUBLIC:
            really(sock, ("127.0.0.1", server.port))
        else:
            really(sock, address)
        world.connected.append(address[0])

    monkeypatch.setattr(socket.socket, "connect", connect)
    return world


def test_the_address_that_was_checked_is_the_one_connected_to(internet, monkeypatch):
    """A name that means this machine at a second look is not looked at again."""
    internet.server.route("/feed", body=BODY)
    asked = names(monkeypatch, [PUBLIC], ["127.0.0.1"])

    assert get("http://rebinding.example/feed", polling=Polling()).body == BODY
    assert (asked, internet.connected) == (["rebinding.example"], [PUBLIC])


def test_each_new_connection_is_checked_anew(internet, monkeypatch):
    """A name that means this machine at the second request is refused there."""
    internet.server.route("/feed", 302, headers={"Location": "http://b.example/"})
    names(monkeypatch, [PUBLIC], ["127.0.0.1"])
    error = failure("http://a.example/feed", polling=Polling())

    assert (str(error), error.kind) == ("refused: no public address", "refused")
    assert internet.connected == [PUBLIC]


def test_each_redirector_that_is_followed_is_checked(internet, monkeypatch):
    """One that means this machine is not asked; where the last one leads never is."""
    target = "http://jour.example/clic"
    internet.server.route("/a", 302, headers={"Location": "http://bit.ly/b"})
    internet.server.route("/b", 302, headers={"Location": target})
    wait = timedelta(seconds=5)
    with Fetcher(Polling(), "aggregator") as fetcher:
        asked = names(monkeypatch, [PUBLIC], ["127.0.0.1"], [PUBLIC])
        with pytest.raises(FetchError, match="no public address"):
            fetcher.follow("http://t.co/a", now=NOW, timeout=wait)
        followed = fetcher.follow("http://bit.ly/b", now=NOW, timeout=wait)

    assert (followed, asked) == (target, ["t.co", "bit.ly", "bit.ly"])
    assert set(internet.connected) == {PUBLIC}


def test_private_ones_among_public_addresses_are_passed_over(internet, monkeypatch):
    """Of all a name resolves to only public addresses are tried."""
    internet.server.route("/feed", body=BODY)
    names(monkeypatch, ["127.0.0.1", "::1", "169.254.169.254", PUBLIC])

    assert get("http://mixed.example/feed", polling=Polling()).body == BODY
    assert internet.connected == [PUBLIC]


PRIVATE = [
    "http://127.0.0.1/",
    "http://2130706433/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:a9fe:a9fe]/latest/meta-data/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://[fe80::1]/",
    "http://10.0.0.1/",
    "//192.168.1.1/",
]


@pytest.mark.parametrize("target", PRIVATE)
def test_no_redirect_leads_inside(internet, monkeypatch, target):
    """A hop to this machine, its network or a cloud's metadata is refused."""
    really = socket.getaddrinfo
    names(monkeypatch, [PUBLIC])
    outside = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *rest, **more: (outside if host == "outlet.example" else really)(
            host, *rest, **more
        ),
    )
    internet.server.route("/feed", 301, headers={"Location": target})
    error = failure("http://outlet.example/feed", polling=Polling())

    assert (str(error), error.kind) == ("refused: no public address", "refused")
    assert internet.connected == [PUBLIC]


def test_a_public_name_is_asked_for_through_a_proxy(internet, monkeypatch):
    """What resolves here to a public address is no secret of this network."""
    monkeypatch.setenv("http_proxy", "http://proxy.example")
    monkeypatch.setenv("no_proxy", "")
    names(monkeypatch, [PUBLIC])
    internet.server.route("/feed", body=BODY)

    assert get("http://outlet.example/feed", polling=Polling()).body == BODY
    (sent,) = internet.server.requests
    assert sent.path == "http://outlet.example/feed"


@pytest.mark.parametrize("target", PRIVATE)
def test_no_redirect_leads_inside_through_a_proxy(server, monkeypatch, target):
    """A proxy is not sent there either."""
    monkeypatch.setenv("http_proxy", server.url(""))
    monkeypatch.setenv("no_proxy", "")
    server.route("/feed", 302, headers={"Location": target})

    assert failure("http://nobody.invalid/feed", polling=Polling()).kind == "refused"
    assert len(server.requests) == 1


# ── turns ─────────────────────────────────────────────────────────────────────────────

LATER = NOW + timedelta(hours=1)


def asked(fetcher: Fetcher, url: str) -> Fetched:
    """Fetch with a session that others share the turns of."""
    return fetcher.fetch(url, NONE, now=NOW, timeout=timedelta(seconds=5))


def test_a_host_that_wants_to_be_left_alone_is_not_asked(server):
    """Neither at first nor through a redirect; other hosts are asked."""
    server.route("/away", 302, headers={"Location": server.url("/feed", "localhost")})
    server.route("/feed", body=BODY)
    turns = Turns(pauses=[Pause(f"localhost:{server.port}", LATER)])
    with Fetcher(OPEN, "aggregator", turns) as fetcher:
        for url in (server.url("/feed", "localhost"), server.url("/away")):
            with pytest.raises(PausedError) as caught:
                asked(fetcher, url)
            assert caught.value.until == LATER
        asked(fetcher, server.url("/feed"))

    assert [request.path for request in server.requests] == ["/away", "/feed"]


@pytest.mark.parametrize("status", [429, 503])
def test_who_answers_retry_after_is_left_alone_from_then_on(server, status):
    """It is the host that answered, not the one that redirected there."""
    server.route("/away", 302, headers={"Location": server.url("/busy", "localhost")})
    server.route("/busy", status, headers={"Retry-After": "3600"})
    server.route("/feed", body=BODY)
    with Fetcher(OPEN, "aggregator", Turns()) as fetcher:
        with pytest.raises(FetchError) as caught:
            asked(fetcher, server.url("/away"))
        with pytest.raises(PausedError, match="asked to wait"):
            asked(fetcher, server.url("/feed", "localhost"))
        fetched = asked(fetcher, server.url("/feed"))

    assert caught.value.paused_host == f"localhost:{server.port}"
    assert fetched.body == BODY
    assert [r.path for r in server.requests] == ["/away", "/busy", "/feed"]


def test_a_host_is_paused_under_the_name_it_was_asked_by(internet, monkeypatch):
    """A name with accents is sent in ASCII; it is the same host all the same."""
    names(monkeypatch, [PUBLIC])
    internet.server.route("/feed", 503, headers={"Retry-After": "60"})
    with Fetcher(Polling(), "aggregator", Turns()) as fetcher:
        with pytest.raises(FetchError, match="http 503"):
            asked(fetcher, "http://été.example/feed")
        with pytest.raises(PausedError):
            asked(fetcher, "http://été.example/feed")

    assert len(internet.server.requests) == 1


def test_the_longest_wish_counts():
    """A later, shorter Retry-After does not end the pause."""
    turns = Turns(pauses=[Pause("a", LATER), Pause("b", NOW)])
    turns.pause("a", NOW)
    turns.pause("b", LATER)
    for host in "ab":
        with pytest.raises(PausedError) as caught:
            turns.take(host)

        assert caught.value.until == LATER


def test_requests_to_a_host_keep_their_distance():
    """Turns of one host start a spacing apart; another host's start at once."""
    turns = Turns(timedelta(seconds=0.1), just_asked="a")
    began = time.monotonic()
    waited = [turns.take(host) for host in "aba"]
    took = time.monotonic() - began

    assert took >= 0.2
    assert waited[1] < 0.1
    assert 0.2 <= sum(waited) + 0.001 <= took + 0.002


def test_a_host_may_want_a_longer_spacing_than_others():
    """It counts from the host's last turn, and a shorter one changes nothing."""
    turns = Turns(timedelta(seconds=0.1))
    turns.take("a")
    began = time.monotonic()
    turns.slow("a", 0.4)
    turns.slow("a", 0.2)
    turns.take("b")
    turns.take("a")

    assert time.monotonic() - began >= 0.35


def test_each_hop_passes_a_gate_before_it_is_asked(server):
    """What the gate raises ends the request; nothing was asked of what it refuses."""
    server.route("/a", 302, headers={"Location": "/b"})
    seen = []

    def gate(url: str) -> None:
        seen.append(url)
        if url.endswith("/b"):
            raise FetchError("closed", kind="refused")

    with Fetcher(OPEN, "aggregator") as fetcher, pytest.raises(FetchError, match="clo"):
        fetcher.fetch(
            server.url("/a"), Validators(), now=NOW, timeout=timedelta(5), gate=gate
        )

    assert seen == [server.url("/a"), server.url("/b")]
    assert [request.path for request in server.requests] == ["/a"]


def test_waiting_for_a_turn_costs_no_time_of_the_request(server):
    """The timeout is for asking; each hop waits its turn, and says how long."""
    server.route("/a", 302, headers={"Location": "/b"})
    server.route("/b", body=BODY)
    turns = Turns(timedelta(seconds=0.6))
    with Fetcher(OPEN, "aggregator", turns) as fetcher:
        timeout = timedelta(seconds=0.5)
        fetched = fetcher.fetch(server.url("/a"), NONE, now=NOW, timeout=timeout)
        waited = fetcher.waited

    assert fetched.body == BODY
    assert 0.3 < waited <= 0.65


def test_nothing_is_asked_after_the_end(server):
    """An end that is asked for holds before a first request, a hop, and a wait."""
    stop = threading.Event()

    def away(request: BaseHTTPRequestHandler) -> None:
        stop.set()
        raw(b"HTTP/1.1 302 Found\r\nLocation: /b\r\n\r\n")(request)

    server.route("/a", handler=away)
    with Fetcher(OPEN, "aggregator", Turns(stop=stop)) as fetcher:
        for _ in range(2):
            with pytest.raises(StoppedError):
                asked(fetcher, server.url("/a"))

    assert [request.path for request in server.requests] == ["/a"]


def test_the_end_ends_a_wait():
    """Nobody waits an hour for a turn that is not to be had any more."""
    stop = threading.Event()
    turns = Turns(timedelta(hours=1), stop=stop, just_asked="a")
    timer = threading.Timer(0.1, stop.set)
    timer.start()
    began = time.monotonic()
    with pytest.raises(StoppedError):
        turns.take("a")

    assert time.monotonic() - began < 5


# ── TLS ───────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def tls_server(server):
    """Put TLS on the server's socket."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    server.http.socket = context.wrap_socket(server.http.socket, server_side=True)
    guard.tls_context.cache_clear()
    yield server
    guard.tls_context.cache_clear()


def test_a_certificate_nobody_vouches_for_is_an_error(tls_server):
    """An unknown authority is refused, and the reason says certificate."""
    error = failure(tls_server.url("/").replace("http", "https"))

    assert str(error).startswith("certificate: self-signed")
    assert lasting(str(error))


def test_tls_works_under_the_same_deadline(tls_server, monkeypatch):
    """HTTPS with an authority of the environment's; a dripping body is stopped."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATE))
    url = tls_server.route("/feed", body=BODY).replace("http", "https")
    drip = raw(b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n"] * 40, pause=0.05)
    slow = tls_server.route("/slow", handler=drip).replace("http", "https")

    assert get(url).body == BODY
    assert str(failure(slow, seconds=0.3)).startswith("timeout")


def test_an_outlets_own_headers_never_go_out_in_the_clear(
    tls_server, outlet, monkeypatch
):
    """Where HTTPS redirects to HTTP, of the same host even, no key is sent."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATE))
    really: Callable[..., None] = socket.socket.connect
    ports = {443: tls_server.port, 80: outlet.port}
    monkeypatch.setattr(
        socket.socket,
        "connect",
        lambda sock, address: really(sock, (address[0], ports[address[1]])),
    )
    tls_server.route("/feed", 302, headers={"Location": "http://127.0.0.1/clear"})
    outlet.route("/clear", body=BODY)
    outlet.requests.clear()
    get("https://127.0.0.1/feed", headers=(("X-Key", "k"),))

    assert [r.headers["X-Key"] for r in tls_server.requests] == ["k"]
    assert [r.headers["X-Key"] for r in outlet.requests] == [None]


def test_a_handshake_nobody_answers_ends_with_the_timeout():
    """A server that takes connections and says nothing costs no more with TLS."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        error = failure(f"https://127.0.0.1:{silent.getsockname()[1]}/", seconds=0.3)

    assert str(error).startswith("timeout")
    assert time.monotonic() - began < 1


def test_authorities_that_cannot_be_read_are_one_line(server, monkeypatch, tmp_path):
    """A wrong REQUESTS_CA_BUNDLE says so, and stops no plain HTTP."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
    url = server.route("/feed", body=BODY)
    guard.tls_context.cache_clear()

    assert get(url).body == BODY
    assert str(failure(url.replace("http", "https"))) == (
        "the certificates of this machine: no such file or directory"
    )


def test_plain_http_on_a_tls_port_is_an_error(server):
    """A server that speaks no TLS gives one line."""
    url = server.route("/feed", body=BODY).replace("http", "https")

    assert str(failure(url)).startswith(("tls: ", "connection"))


# ── headers ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("control", "expires", "age", "fresh"),
    [
        ("max-age=60", "", "", 60),
        ('MAX-AGE="60"', "", "20", 40),
        ("max-age=60", "", "90", None),
        ("no-cache, max-age=60", "", "", None),
        ("no-store", "Mon, 23 Nov 2026 13:00:00 GMT", "", None),
        ("max-age=0", "Mon, 23 Nov 2026 13:00:00 GMT", "", None),
        ("max-age=soon", "Mon, 23 Nov 2026 13:00:00 GMT", "", 3600),
        ("", "Mon, 23 Nov 2026 14:00:00 +0100", "", 3600),
        ("", "Mon, 23 Nov 2026 11:00:00 GMT", "", None),
        ("", "0", "", None),
        ("public", "", "", None),
    ],
)
def test_freshness_is_what_the_headers_promise(control, expires, age, fresh):
    """max-age less Age, else Expires; refused caching promises nothing."""
    until = headers.fresh_until(control, expires, age, NOW)

    assert until == (fresh and NOW + timedelta(seconds=fresh))


@given(st.text(), st.text(), st.text())
def test_no_header_text_raises(control, expires, age):
    """Whatever stands in them, the headers' functions answer a moment or None."""
    until = headers.fresh_until(control, expires, age, NOW)
    wait = headers.retry_after(expires, NOW)

    assert until is None or until > NOW
    assert wait is None or NOW < wait <= NOW + headers.LONGEST_WAIT
