"""A real HTTP server that does what a test tells it, for every test that fetches."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import pytest

# A suite that is started in the background ignores SIGINT, and so would every program
# that it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

Handler = Callable[[BaseHTTPRequestHandler], None]


@dataclass(frozen=True)
class Request:
    """What came in: path with its query, headers, when by a steady clock, and a form.

    form: what was posted, in order. method: GET, HEAD or POST.
    """

    path: str
    headers: Message
    at: float = field(default_factory=time.monotonic)
    form: tuple[tuple[str, str], ...] = ()
    method: str = "GET"


@dataclass(frozen=True)
class Route:
    """What a path answers; a handler writes the whole answer by itself."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    handler: Handler | None = None


class Server:
    """An HTTP/1.1 server on 127.0.0.1, any free port, in a thread.

    A path without a route answers 404. `requests` lists what came, in order.
    """

    def __init__(self) -> None:
        self.routes: dict[str, Route] = {}
        self.requests: list[Request] = []
        server = self

        class Answer(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                form = parse_qsl(self.rfile.read(length).decode("ascii"))
                posted = Request(
                    self.path, self.headers, form=tuple(form), method="POST"
                )
                self.answer(posted)

            def do_GET(self) -> None:
                self.answer(Request(self.path, self.headers, method=self.command))

            do_HEAD = do_GET  # noqa: N815 - http.server looks for this name

            def answer(self, request: Request) -> None:
                server.requests.append(request)
                path = urlsplit(self.path).path
                route = server.routes.get(path, Route(404, b"not here"))
                if route.handler is not None:
                    self.close_connection = True
                    route.handler(self)
                    return
                self.send_response(route.status)
                for name, value in route.headers.items():
                    self.send_header(name, value)
                if "Content-Length" not in route.headers and route.status != 304:
                    self.send_header("Content-Length", str(len(route.body)))
                self.end_headers()
                if request.method != "HEAD":
                    self.wfile.write(route.body)

            def log_message(self, *_: object) -> None:
                """Stay silent."""

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                """Say nothing: a client that hangs up is part of the test."""

        self.http = Quiet(("127.0.0.1", 0), Answer)
        self.port: int = self.http.server_address[1]
        self._thread = threading.Thread(
            target=self.http.serve_forever, args=(0.01,), daemon=True
        )
        self._thread.start()

    def route(
        self,
        path: str,
        status: int = 200,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        handler: Handler | None = None,
    ) -> str:
        """Say what `path` answers from now on; returns its URL."""
        self.routes[path] = Route(status, body, headers or {}, handler)
        return self.url(path)

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        """Return the URL of a path."""
        return f"http://{host}:{self.port}{path}"

    def close(self) -> None:
        """Stop serving."""
        self.http.shutdown()
        self.http.server_close()
        self._thread.join()


@pytest.fixture(scope="module")
def outlet() -> Iterator[Server]:
    """Yield a server for all tests of a module, of what they poll but once."""
    running = Server()
    yield running
    running.close()


@pytest.fixture
def server() -> Iterator[Server]:
    """Yield a server for this test alone."""
    running = Server()
    yield running
    running.close()
