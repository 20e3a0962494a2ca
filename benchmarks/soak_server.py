"""Plays the outlets of a soak: each on a loopback address of its own, one port for all.

Prints one line of JSON once it listens (the port and when the world began), and keeps a
line of JSON for each request in LOG. Ends with SIGTERM.

    python benchmarks/soak_server.py SEED OUTLETS LENGTH INTERVAL LOG
"""

from __future__ import annotations

import asyncio
import json
import math
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from email.utils import formatdate
from functools import partial
from pathlib import Path
from typing import IO, Any

from soak_world import TYPES, Fault, Scale, Site, Source, document, world

TIMEOUT = 3  # seconds a client waits, as feeds.toml says
NEW = "/new"  # where the documents of an outlet are that moved on its own host
HTML = b"<!doctype html><html><title>Maintenance</title><p>Back soon.</html>"


@dataclass(frozen=True)
class Reply:
    """What is sent. listed: the articles in it; whole: the last byte is sent too."""

    status: int
    headers: dict[str, str]
    body: bytes = b""
    listed: tuple[int, int] | None = None
    whole: bool = True


def elsewhere(host: str) -> str:
    """Return the host that an outlet moves to."""
    return host.replace("127.0.", "127.1.")


class Outlets:
    """All the outlets of a world, and the log of what they were asked."""

    def __init__(self, scale: Scale, log: IO[str]) -> None:
        """Make the world; it begins now."""
        self.sites = world(scale)
        self.log = log
        self.port = 0
        self.epoch, self.start = int(time.time()), time.monotonic()
        self.feeds = {
            source.path: (site, source)
            for site in self.sites
            for source in site.sources
        }

    def now(self) -> float:
        """Return the seconds since the world began."""
        return time.monotonic() - self.start

    async def listen(self, host: str) -> asyncio.Server:
        """Listen on an address; the first one chooses the port."""
        server = await asyncio.start_server(partial(self.serve, host), host, self.port)
        self.port = self.port or server.sockets[0].getsockname()[1]
        return server

    async def refuse(self, site: Site, server: asyncio.Server) -> None:
        """Stop listening for an outlet whenever it refuses connections."""
        for fault in site.faults:
            if fault.kind == "refused":
                await asyncio.sleep(fault.start - self.now())
                server.close()
                await asyncio.sleep(fault.end - self.now())
                server = await self.listen(site.host)

    async def serve(
        self, host: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer one request, hang up, and write it down."""
        seen: dict[str, Any] = {"at": self.now(), "host": host, "status": 0}
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            path, asked = _read(head)
            seen["path"] = path.removeprefix(NEW)
            seen |= {name: asked.get(name, "") for name in CONDITIONS}
            site, source = self.feeds[seen["path"]]
            fault = site.fault(seen["at"])
            seen |= await self.answer(fault, host, path, source, asked, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # it hung up first
        finally:
            writer.close()
            self.log.write(json.dumps(seen | {"until": self.now()}) + "\n")

    async def answer(
        self,
        fault: Fault | None,
        host: str,
        path: str,
        source: Source,
        asked: dict[str, str],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> dict[str, Any]:
        """Send what a feed has to say, or what its fault makes of it; return it."""
        kind = fault.kind if fault else ""
        if kind == "timeout":
            with suppress(TimeoutError):  # a client that never hangs up
                await asyncio.wait_for(reader.read(), 3 * TIMEOUT)
        if kind == "reset":
            writer.transport.abort()
        if kind in ("timeout", "reset", "closed", "refused"):
            return {}
        reply = self.reply(fault, host, path, source, asked)
        lines = [f"HTTP/1.1 {reply.status} x", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in reply.headers.items()]
        lines += [f"Content-Length: {len(reply.body)}", "", ""]
        sent = reply.body if reply.whole else reply.body[: len(reply.body) // 2]
        writer.write("\r\n".join(lines).encode() + sent)
        await writer.drain()
        told = {"status": reply.status, "listed": reply.listed, "whole": reply.whole}
        return told | {"told": {n: reply.headers.get(n, "") for n in TOLD}}

    def reply(
        self,
        fault: Fault | None,
        host: str,
        path: str,
        source: Source,
        asked: dict[str, str],
    ) -> Reply:
        """Return what a feed says, its faults included."""
        at = self.now()
        kind = fault.kind if fault else ""
        match kind:
            case "error" | "gone":
                return Reply(500 if kind == "error" else 410, {})
            case "html":
                return Reply(200, {"Content-Type": "text/html"}, HTML)
            case "busy":
                assert fault
                wait = max(1, math.ceil(fault.end - at))
                return Reply(429 if wait % 2 else 503, {"Retry-After": str(wait)})
            case "moved" if not path.startswith(NEW):
                return Reply(301, {"Location": NEW + path})
            case "elsewhere" if host == source.host:
                place = f"http://{elsewhere(host)}:{self.port}{path}"
                return Reply(308, {"Location": place})
        return self.document(source, asked, at, whole=kind != "cut")

    def document(
        self, source: Source, asked: dict[str, str], at: float, *, whole: bool
    ) -> Reply:
        """Return the document of a feed, or that it has not changed."""
        first, beyond = source.span(at)
        headers = dict(self._promises(source, beyond))
        tag, date = headers.get("ETag", ""), headers.get("Last-Modified", "")
        known = asked.get("if-none-match") or asked.get("if-modified-since")
        if known and known == (tag if "if-none-match" in asked else date):
            return Reply(304, headers)
        body = document(source, at, self.epoch)
        headers["Content-Type"] = TYPES[source.form]
        return Reply(200, headers, body, (first, beyond), whole)

    def _promises(self, source: Source, beyond: int) -> Iterator[tuple[str, str]]:
        if source.etag:
            yield "ETag", f'W/"{source.path}-{beyond}"'
        if source.modified:
            newest = self.epoch + source.times[beyond - 1]
            yield "Last-Modified", formatdate(newest, usegmt=True)
        if source.max_age:
            yield "Cache-Control", f"public, max-age={source.max_age}"


CONDITIONS = ("if-none-match", "if-modified-since")
TOLD = ("ETag", "Last-Modified", "Retry-After", "Cache-Control")


def _read(head: str) -> tuple[str, dict[str, str]]:
    """Return the path of a request and its headers, names in lower case."""
    first, *lines = head.split("\r\n")
    pairs = (line.partition(":") for line in lines if line)
    return first.split()[1], {name.lower(): value.strip() for name, _, value in pairs}


async def play(scale: Scale, log: IO[str]) -> None:
    """Play the outlets until SIGTERM."""
    outlets = Outlets(scale, log)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await outlets.listen("127.0.0.1")  # for a port that is free
    async with asyncio.TaskGroup() as group:
        tasks = []
        for site in outlets.sites:
            server = await outlets.listen(site.host)
            if any(fault.kind == "elsewhere" for fault in site.faults):
                await outlets.listen(elsewhere(site.host))
            tasks.append(group.create_task(outlets.refuse(site, server)))
        began = {"port": outlets.port, "epoch": outlets.epoch, "start": outlets.start}
        print(json.dumps(began), flush=True)
        await ended.wait()
        for task in tasks:
            task.cancel()


def main() -> None:
    """Read the numbers of the world, and play it."""
    *numbers, log = sys.argv[1:]
    with Path(log).open("w", encoding="utf-8", buffering=1) as file:
        asyncio.run(play(Scale(*map(int, numbers)), file))


if __name__ == "__main__":
    main()
