"""Hostile outlets beside ten healthy ones: what they cost, and whom.

A server of its own process plays all of them, as the proxy of the real `run` with its
settings as shipped but a timeout of five seconds. Each kind of hostility is played
alone; then all of them on one host, and all at once each on its own host. Documents as
long as they may be, made to grow in memory, are kinds of their own: each alone, and
sixteen of them at once. Prints for each what memory the processes of `run` took
together (PSS, sampled), how long it took, and why feeds failed. Exit 1 when it was over
200 MB (350 MB for the documents made to grow), when a feed failed otherwise than it
may, when a healthy outlet's published bytes are not what they are without the others,
or when an external entity was fetched.

    python benchmarks/hostile.py [--only KIND|one-host|many-hosts|sixteen-hosts]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, build_opener

from hostile_world import HEALTHY, HEAVY, KINDS, READ, healthy
from measured import Cost, cost
from played import Quiet, errors

MOST = 200_000_000  # bytes of all processes of a run together
MOST_HEAVY = 350_000_000  # where documents are made to grow
LEAKS = ("/dtd", "/entity", "/parameter")  # where external entities stand
EPOCH = "1795435200"  # 2026-11-23 12:00 UTC
SIXTEEN = ("long-entries", "wide-letters", "elements", "people")

CONFIG = """\
[site]
title = "Revue"
url = "https://revue.invalid/"
[polling]
timeout = "5s"
[[topics]]
id = "film"
title = "Film"
match = ["travailleurs du clic"]
[outlets]
"""


# ── the outlets ───────────────────────────────────────────────────────────────────────


class Outlets(BaseHTTPRequestHandler):
    """Every outlet there is: the host says whether it is healthy, the path its kind."""

    protocol_version = "HTTP/1.1"
    leaks: list[str] = []  # noqa: RUF012 - one server a process

    def do_GET(self) -> None:
        """Answer as a proxy, or tell which external entities were asked for."""
        asked = urlsplit(self.path)
        if asked.path in LEAKS:
            self.leaks.append(asked.path)
        kind = (KINDS | HEAVY).get(asked.path.strip("/"))
        if kind is not None:
            kind.answer(self)
            return
        if asked.hostname in HEALTHY:
            body = healthy(asked.hostname)
        else:
            body = "\n".join(self.leaks).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


def serve() -> None:
    """Serve on a free port, which is printed, until killed."""
    server = Quiet(("127.0.0.1", 0), Outlets)
    server.request_queue_size = 100
    print(server.server_port, flush=True)
    server.serve_forever()


@contextmanager
def playing() -> Iterator[str]:
    """Play the outlets in a process of their own; yield its address."""
    command = [sys.executable, __file__, "--serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


# ── what a run costs ──────────────────────────────────────────────────────────────────


def one_run(config: Path, proxy: str) -> Cost:
    """Run the real command line once; return what it cost."""
    return cost(
        [sys.executable, "-m", "aggregator", "run"],
        {
            **os.environ,
            "AGGREGATOR_CONFIG": str(config),
            "SOURCE_DATE_EPOCH": EPOCH,
            "http_proxy": proxy,
            "no_proxy": "",
        },
        config.parent,
        rare=0,  # the peak is what counts
    )


def published(folder: Path) -> dict[str, bytes]:
    """Return the published files, but for the list of what is followed."""
    public = folder / "public"
    return {
        str(path.relative_to(public)): path.read_bytes()
        for path in public.rglob("*")
        if path.is_file() and path.parent.name != "outlets"
    }


def configure(folder: Path, hostile: Mapping[str, str]) -> Path:
    """Write a feeds.toml with these outlets (URL to name) and the healthy ones."""
    outlets = {f"http://{host}/feed": host for host in HEALTHY} | hostile
    lines = (f'"{name}" = "{url}"\n' for url, name in outlets.items())
    folder.mkdir()
    path = folder / "feeds.toml"
    path.write_text(CONFIG + "".join(lines), "utf-8")
    return path


def scenarios() -> dict[str, dict[str, str]]:
    """Return the hostile outlets of each scenario: URL to name."""
    alone = {kind: {f"http://hostile.invalid/{kind}": kind} for kind in KINDS | HEAVY}
    return {
        **alone,
        "one-host": {f"http://hostile.invalid/{kind}": kind for kind in KINDS},
        "many-hosts": {f"http://{kind}.invalid/{kind}": kind for kind in KINDS},
        "sixteen-hosts": {
            f"http://{kind}-{number}.invalid/{kind}": f"{kind} {number}"
            for kind in SIXTEEN
            for number in range(4)
        },
    }


def unexpected(url: str, failure: str) -> bool:
    """Tell whether a hostile outlet failed, or did not, as none of its kind may."""
    kind = (KINDS | HEAVY)[urlsplit(url).path[1:]]
    return not any(
        failure.startswith(reason) if reason else not failure for reason in kind.reasons
    )


def main() -> int:
    """Play every scenario; return 1 when a bound did not hold."""
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options.add_argument("--only", choices=scenarios(), metavar="KIND")
    chosen = options.parse_args()
    if chosen.serve:
        serve()
    played = {
        name: outlets
        for name, outlets in scenarios().items()
        if chosen.only in (None, name)
    }
    broken = 0
    with tempfile.TemporaryDirectory() as place, playing() as proxy:
        calm = one_run(configure(Path(place, "calm"), {}), proxy)
        expected = published(Path(place, "calm"))
        print(f"without them: {calm.peak / 1e6:.0f} MB, {calm.seconds:.1f} s")
        print("scenario\tMB\ts\tof each process\thealthy\tfailures")
        for name, outlets in played.items():
            folder = Path(place, name)
            ran = one_run(configure(folder, outlets), proxy)
            failing = errors(folder / "aggregator.db")
            same = published(folder) == expected and ran.status == 0
            same = same and not any(
                urlsplit(url).hostname in HEALTHY for url in failing
            )
            heavy = any(urlsplit(url).path[1:] in HEAVY for url in outlets)
            odd = [url for url in outlets if unexpected(url, failing.get(url, READ))]
            broken += (
                ran.peak > (MOST_HEAVY if heavy else MOST) or not same or bool(odd)
            )
            print(
                f"{name}\t{ran.peak / 1e6:.0f}\t{ran.seconds:.1f}\t"
                f"{' '.join(f'{part / 1e6:.0f}' for part in ran.parts)}\t"
                f"{'as without' if same else 'SUFFER'}\t"
                + "; ".join(
                    f"{outlets.get(url, url)}: {e}" for url, e in failing.items()
                ),
                flush=True,
            )
            if odd:
                print("\tnot how they may fail:", *odd)
            if not same:
                print(ran.status, ran.said)
        direct = build_opener(ProxyHandler({}))
        leaks = direct.open(f"{proxy}/leaks").read().decode().split()
    print(f"{broken} broken, {len(leaks)} external entities fetched")
    return 1 if broken or leaks else 0


if __name__ == "__main__":
    sys.exit(main())
