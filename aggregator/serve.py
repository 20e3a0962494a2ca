"""The published folder on this machine, to look at; never a public web server.

Only 127.0.0.1 is listened on: who works over SSH forwards the port. WhiteNoise answers
with files: conditional requests, ranges, media types, nothing outside the folder. The
standard library's server hands it the requests. Nothing but files of the one folder
may be served.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from wsgiref.headers import Headers
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from whitenoise import WhiteNoise

from aggregator.model import AggregatorError

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

# What WhiteNoise does not know, or not as it is meant here; text is said to be UTF-8.
_TYPES = {
    ".atom": "application/atom+xml",  # RFC 4287 §7
    ".bib": "application/x-bibtex; charset=utf-8",
    ".csv": "text/csv",
    ".json": "application/feed+json",  # all JSON that is published is JSON Feed
    ".jsonl": "application/jsonl",
    ".opml": "text/x-opml",
    ".rss": "application/rss+xml",
    ".xml": "application/xml",
}
_SSH_PORT = "22"
_SSH_FIELDS = 4  # client address, client port, server address, server port: ssh(1)


class Folder:
    """The WSGI application that answers with the files of one folder as they are."""

    def __init__(self, folder: Path) -> None:
        """Serve what is in `folder` whenever it is asked for."""
        self._folder = folder
        self._files = WhiteNoise(
            self._no_file,
            folder,
            autorefresh=True,  # each file is looked for when it is asked for
            max_age=None,
            allow_all_origins=False,
            mimetypes=_TYPES,
            add_headers_function=_as_it_is,
        )

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Answer a request; a folder is its page."""
        if environ["PATH_INFO"].endswith("/"):
            environ["PATH_INFO"] += "index.html"
        answer: Iterable[bytes] = self._files(environ, start_response)
        return answer

    def _no_file(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Lead to a folder's page where its last slash was left out, else nowhere."""
        path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
        inside = self._files.find_file(f"{path}/index.html")
        status = HTTPStatus.MOVED_PERMANENTLY if inside else HTTPStatus.NOT_FOUND
        headers = [("Content-Type", "text/plain; charset=utf-8")]
        if inside:
            headers.append(("Location", f"{quote(path)}/"))
        start_response(f"{status} {status.phrase}", headers)
        return [f"{status.phrase}\n".encode()]


def _as_it_is(headers: Headers, path: str, _url: str) -> None:
    """Have browsers ask each time, and tell two versions of one second apart."""
    seen = Path(path).stat()
    headers["Cache-Control"] = "no-cache"
    kind = headers["Content-Type"] or ""
    headers["Content-Type"] = kind.replace('"', "")  # charset is quoted by no other
    headers["ETag"] = f'"{seen.st_mtime_ns:x}-{seen.st_size:x}"'


class Quiet(WSGIRequestHandler):
    """Says nothing: the terminal shows the address and stays as it is."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401
        """Say nothing."""


class Server(ThreadingMixIn, WSGIServer):
    """Answers each request in a thread; silent when a browser hangs up half-way."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Report what went wrong, unless the client merely left."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def serve(folder: Path, port: int) -> Server:
    """Return a server of `folder` on 127.0.0.1, bound but not yet answering.

    port: 0 takes a free one, see `server_port`. The caller runs `serve_forever` and
    closes it; files that change meanwhile are served as they are.
    Raises AggregatorError when the folder is missing or the port cannot be had.
    """
    if not folder.is_dir():
        raise AggregatorError(f"{folder}: no such folder; `aggregator run` makes it")
    try:
        running = Server(("127.0.0.1", port), Quiet)
    except (OSError, OverflowError) as exc:
        raise AggregatorError(
            f"port {port} cannot be had: {exc}; choose another one with --port"
        ) from exc
    running.set_app(Folder(folder))
    return running


def ssh_hint(port: int, environ: Mapping[str, str] = os.environ) -> str:
    """Return the `ssh -L` line that brings `port` to the reader's own machine.

    "" when this is not run over SSH. environ: SSH_CONNECTION says how we were reached,
    LOGNAME or USER as whom.
    """
    fields = environ.get("SSH_CONNECTION", "").split()
    if len(fields) != _SSH_FIELDS:
        return ""
    host, ssh_port = fields[2:]
    user = environ.get("LOGNAME") or environ.get("USER", "")
    words = ["ssh", "-L", f"{port}:127.0.0.1:{port}"]
    if ssh_port != _SSH_PORT:
        words += ["-p", ssh_port]
    return " ".join([*words, f"{user}@{host}" if user else host])
