"""Serves the feeds that peers are compared on, each on an address of its own.

Prints its port once it listens. Which documents it serves is chosen by a request for
/play/STEP/VALIDATORS, whose answer is, in JSON, what was asked since the one before.
STEP: 0, or 1 for two new entries in each feed, modified when it is first chosen.
VALIDATORS: 1 for ETag and Last-Modified, and 304 for whom they tell of nothing new; 0
for whole documents always.

    python benchmarks/peers_server.py FEEDS
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import partial

from peers_world import Documents, documents

BACKLOG = 4096  # connections that may wait: peers open as many as they like
REASONS = {200: "OK", 304: "Not Modified", 404: "Not Found"}


def site(number: int, port: int) -> str:
    """Return where a feed is: a host each, so that no peer has to be polite to one."""
    return f"http://127.1.{number // 250}.{1 + number % 250}:{port}"


def address(number: int, port: int) -> str:
    """Return the URL of a feed."""
    return f"{site(number, port)}/{number}.xml"


@dataclass
class Asked:
    """What was asked of the server: how often each status was sent, and which feeds."""

    statuses: Counter[int] = field(default_factory=Counter)
    paths: set[str] = field(default_factory=set)

    def told(self) -> bytes:
        """Return it in JSON, with the seconds of the processor since the start."""
        counts = {"statuses": self.statuses, "feeds": len(self.paths)}
        return json.dumps(counts | {"cpu": time.process_time()}).encode()


@dataclass
class Served:
    """The feeds by path, which of their documents is served, and what was asked."""

    feeds: dict[str, Documents]
    step: int = -1
    validators: bool = True
    modified: str = ""
    asked: Asked = field(default_factory=Asked)

    def answer(self, head: str) -> bytes:
        """Return the whole answer to a request's head."""
        request, *lines = head.split("\r\n")
        path = request.split()[1]
        if path.startswith("/play/"):
            return self._play(*path.split("/")[2:])
        feed = self.feeds.get(path)
        if feed is None:
            status, body, told = 404, b"", {}
        else:
            told = self._validators()
            known = told and _knows(lines, told)
            status, body = (304, b"") if known else (200, feed.body(self.step))
            self.asked.paths.add(path)
        self.asked.statuses[status] += 1
        return _reply(status, told | {"Content-Type": "application/rss+xml"}, body)

    def _play(self, step: str, validators: str) -> bytes:
        told = self.asked.told()
        if self.step != int(step):
            # later than any file of a client is: curl does not take what is no newer
            self.modified = formatdate(int(time.time()) + 1, usegmt=True)
        self.step, self.validators, self.asked = int(step), validators == "1", Asked()
        return _reply(200, {"Content-Type": "application/json"}, told)

    def _validators(self) -> dict[str, str]:
        if not self.validators:
            return {}
        return {"ETag": f'"{self.step}"', "Last-Modified": self.modified}


def _knows(lines: list[str], told: dict[str, str]) -> bool:
    """Tell whether a request names the validators of what there is (RFC 9110 §13)."""
    pairs = (line.partition(":") for line in lines)
    asked = {name.lower(): value.strip() for name, _, value in pairs}
    if "if-none-match" in asked:
        return asked["if-none-match"] == told["ETag"]
    return asked.get("if-modified-since") == told["Last-Modified"]


def _reply(status: int, headers: dict[str, str], body: bytes) -> bytes:
    lines = [f"HTTP/1.1 {status} {REASONS[status]}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if status != 304:  # noqa: PLR2004 - it has no body
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join((*lines, "", "")).encode() + body


class Connection(asyncio.Protocol):
    """One connection, kept open for as long as the client likes."""

    def __init__(self, served: Served) -> None:
        """Answer from these feeds."""
        self.served, self.heard = served, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, unless it comes from another machine."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        if not transport.get_extra_info("peername")[0].startswith("127."):
            transport.abort()

    def data_received(self, data: bytes) -> None:
        """Answer each request that is complete."""
        self.heard += data
        while b"\r\n\r\n" in self.heard:
            head, _, self.heard = self.heard.partition(b"\r\n\r\n")
            self.transport.write(self.served.answer(head.decode("latin-1")))


async def serve(listening: socket.socket, served: Served) -> None:
    """Serve until killed."""
    loop = asyncio.get_running_loop()
    connection = partial(Connection, served)
    server = await loop.create_server(connection, sock=listening, backlog=BACKLOG)
    print(listening.getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    """Make all documents, then serve on every loopback address and a free port."""
    listening = socket.socket()
    listening.bind(("0.0.0.0", 0))  # 127.0.0.0/8 cannot be named alone
    port = listening.getsockname()[1]
    made = {
        f"/{number}.xml": documents(number, site(number, port))
        for number in range(int(sys.argv[1]))
    }
    asyncio.run(serve(listening, Served(made)))


if __name__ == "__main__":
    main()
