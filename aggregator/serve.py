"""The published folder on this machine, to look at; never a public web server.

Only 127.0.0.1 is listened on: who works over SSH forwards the port. The standard
library's file server does the work, conditional GET included; what stands here is what
it lacks. Nothing but files of the one folder may be served.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any

from aggregator.model import AggregatorError

_TYPES = {
    **SimpleHTTPRequestHandler.extensions_map,
    ".atom": "application/atom+xml",  # RFC 4287 §7
    ".bib": "application/x-bibtex; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".json": "application/feed+json",  # all JSON that is published is JSON Feed
    ".jsonl": "application/jsonl",
    ".opml": "text/x-opml; charset=utf-8",
    ".rss": "application/rss+xml",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".xml": "application/xml",
}
_SSH_PORT = "22"
_SSH_FIELDS = 4  # client address, client port, server address, server port: ssh(1)


class Folder(SimpleHTTPRequestHandler):
    """Answers with the files of one folder, under their right media types."""

    extensions_map = _TYPES

    def end_headers(self) -> None:
        """Have browsers ask each time: the folder is rewritten while one looks."""
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def list_directory(self, path: str | os.PathLike[str]) -> BytesIO | None:
        """Refuse what the standard library would list: a folder without a page."""
        del path
        self.send_error(HTTPStatus.NOT_FOUND)
        return None

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401
        """Say nothing: the terminal shows the address and stays as it is."""


class Server(ThreadingHTTPServer):
    """The standard server, silent when a browser hangs up half-way."""

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Report what went wrong, unless the client merely left."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def serve(folder: Path, port: int) -> ThreadingHTTPServer:
    """Return a server of `folder` on 127.0.0.1, bound but not yet answering.

    port: 0 takes a free one, see `server_port`. The caller runs `serve_forever` and
    closes it; files that change meanwhile are served as they are.
    Raises AggregatorError when the folder is missing or the port cannot be had.
    """
    if not folder.is_dir():
        raise AggregatorError(f"{folder}: no such folder; `aggregator run` makes it")
    try:
        return Server(("127.0.0.1", port), partial(Folder, directory=str(folder)))
    except (OSError, OverflowError) as exc:
        raise AggregatorError(
            f"port {port} cannot be had: {exc}; choose another one with --port"
        ) from exc


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
