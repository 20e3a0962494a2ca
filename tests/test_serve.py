"""The published folder over real HTTP on this machine."""

from __future__ import annotations

import http.client
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from aggregator.model import AggregatorError
from aggregator.serve import serve, ssh_hint


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    public = tmp_path / "public"
    (public / "topics" / "ia").mkdir(parents=True)
    (public / "index.html").write_text("<p>été</p>", "utf-8")
    (public / "feed.atom").write_text("<feed/>")
    (public / "topics" / "ia" / "feed.atom").write_text("<feed/>")
    (tmp_path / "secret.txt").write_text("private")
    return public


@pytest.fixture
def port(folder: Path) -> Iterator[int]:
    server = serve(folder, 0)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def get(
    port: int, path: str, headers: dict[str, str] | None = None, method: str = "GET"
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request(method, path, headers=headers or {})
        reply = connection.getresponse()
        return reply.status, dict(reply.getheaders()), reply.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("feed.atom", "application/atom+xml"),
        ("feed.rss", "application/rss+xml"),
        ("feed.json", "application/feed+json"),
        ("stories.jsonl", "application/jsonl"),
        ("index.html", "text/html; charset=utf-8"),
        ("style.css", "text/css; charset=utf-8"),
        ("favicon.svg", "image/svg+xml"),
        ("stories.bib", "application/x-bibtex; charset=utf-8"),
        ("sitemap.xml", "application/xml"),
        ("stories.csv", "text/csv; charset=utf-8"),
        ("outlets.opml", "text/x-opml; charset=utf-8"),
    ],
)
def test_each_published_file_has_its_media_type(
    folder: Path, port: int, name: str, kind: str
) -> None:
    """Feed readers and browsers are told what each file is."""
    (folder / name).write_bytes(b"x")

    status, headers, body = get(port, f"/{name}")

    assert (200, kind, b"x") == (status, headers["Content-Type"], body)


def test_a_folder_is_answered_by_its_page(port: int) -> None:
    """The root is index.html, and browsers must ask again each time."""
    status, headers, body = get(port, "/")

    assert (status, body.decode()) == (200, "<p>été</p>")
    assert headers["Cache-Control"] == "no-cache"


def test_a_folder_without_a_page_is_not_listed(port: int) -> None:
    """No listing: what has no page is not there."""
    status, _headers, body = get(port, "/topics/ia/")

    assert status == 404
    assert b"feed.atom" not in body


def test_what_the_client_has_is_not_sent_again(port: int) -> None:
    """If-Modified-Since with the date we gave is answered 304, without a body."""
    _status, headers, _body = get(port, "/feed.atom")

    status, _headers, body = get(
        port, "/feed.atom", {"If-Modified-Since": headers["Last-Modified"]}
    )

    assert (status, body) == (304, b"")


def test_a_version_of_the_same_second_and_size_is_sent(folder: Path, port: int) -> None:
    """The ETag tells two versions apart that no date in seconds does."""
    _status, headers, _body = get(port, "/feed.atom")
    had = {"If-None-Match": headers["ETag"]}
    again = get(port, "/feed.atom", had)
    (folder / "feed.atom").write_text("<Feed/>")

    assert (again[0], again[2]) == (304, b"")
    assert get(port, "/feed.atom", had)[::2] == (200, b"<Feed/>")


def test_a_part_may_be_asked_for(port: int) -> None:
    """A range is answered with that range (RFC 9110 §14)."""
    status, headers, body = get(port, "/feed.atom", {"Range": "bytes=1-4"})

    assert (status, headers["Content-Range"], body) == (206, "bytes 1-4/7", b"feed")


def test_only_the_headers_may_be_asked_for(port: int) -> None:
    """HEAD says what GET would, without a body; nothing can be sent to us."""
    status, headers, body = get(port, "/feed.atom", method="HEAD")

    assert (status, headers["Content-Length"], body) == (200, "7", b"")
    assert get(port, "/feed.atom", method="POST")[0] == 405


def test_a_file_that_comes_or_goes_is_seen(folder: Path, port: int) -> None:
    """What is there at that moment is served, and no list made at the start."""
    (folder / "new.atom").write_text("new")
    (folder / "feed.atom").unlink()

    assert get(port, "/new.atom")[::2] == (200, b"new")
    assert get(port, "/feed.atom")[0] == 404


def test_a_folder_without_its_slash_leads_to_its_page(folder: Path, port: int) -> None:
    """As on most servers; else its relative links would lead astray."""
    (folder / "topics" / "ia" / "index.html").write_text("page")
    status, headers, _body = get(port, "/topics/ia")

    assert (status, headers["Location"]) == (301, "/topics/ia/")
    assert get(port, "/topics/ia/")[::2] == (200, b"page")
    assert get(port, "/topics")[0] == 404


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/topics/../../secret.txt",
        "//etc/passwd",
    ],
)
def test_nothing_outside_the_folder_is_served(port: int, path: str) -> None:
    """A path that climbs out of the folder finds nothing."""
    assert get(port, path)[0] == 404


def test_only_this_machine_is_listened_to(folder: Path) -> None:
    """The server is bound to loopback."""
    with serve(folder, 0) as server:
        assert server.server_address[0] == "127.0.0.1"


def test_requests_and_their_faults_are_not_logged(
    port: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """The terminal shows neither requests nor errors nor clients that hang up."""
    get(port, "/")
    get(port, "/missing")
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"GET /")
        reset = struct.pack("ii", 1, 0)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
    get(port, "/")

    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("fault", "told"), [(ZeroDivisionError(), True), (BrokenPipeError(), False)]
)
def test_only_clients_that_leave_are_passed_over_in_silence(
    folder: Path, capfd: pytest.CaptureFixture[str], fault: Exception, *, told: bool
) -> None:
    """A browser hangs up without a word from us; a fault of our own stays loud."""

    def fail() -> None:
        raise fault

    with serve(folder, 0) as server:
        try:
            fail()
        except type(fault):
            server.handle_error(b"", ("127.0.0.1", 1))

    assert told == (type(fault).__name__ in capfd.readouterr().err)


def test_a_port_in_use_is_one_line_for_a_person(folder: Path) -> None:
    """A taken or impossible port is our own error, not a traceback."""
    with serve(folder, 0) as server, pytest.raises(AggregatorError, match="--port"):
        serve(folder, server.server_port)
    with pytest.raises(AggregatorError, match="port 70000"):
        serve(folder, 70_000)


def test_a_missing_folder_says_what_makes_it(tmp_path: Path) -> None:
    """Before the first run there is nothing to serve, and the message says so."""
    with pytest.raises(AggregatorError, match="aggregator run"):
        serve(tmp_path / "public", 0)


@pytest.mark.parametrize(
    ("environ", "line"),
    [
        ({}, ""),
        ({"SSH_CONNECTION": ""}, ""),
        ({"SSH_CONNECTION": "garbled"}, ""),
        (
            {"SSH_CONNECTION": "192.0.2.7 50000 192.0.2.1 22", "LOGNAME": "presse"},
            "ssh -L 8000:127.0.0.1:8000 presse@192.0.2.1",
        ),
        (
            {"SSH_CONNECTION": "::1 50000 2001:db8::1 2222", "USER": "presse"},
            "ssh -L 8000:127.0.0.1:8000 -p 2222 presse@2001:db8::1",
        ),
        (
            {"SSH_CONNECTION": "192.0.2.7 50000 192.0.2.1 22"},
            "ssh -L 8000:127.0.0.1:8000 192.0.2.1",
        ),
    ],
)
def test_over_ssh_the_line_to_use_is_given(environ: dict[str, str], line: str) -> None:
    """The hint forwards the port through the way we were reached; else it is empty."""
    assert line == ssh_hint(8000, environ)
