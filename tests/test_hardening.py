"""The worker at work with no more than its unit leaves it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Server
from needs import missing, needed
from test_worker import running, until
from worlds import command, configure, contents, item, rss

TESTS = Path(__file__).parent
HARDENING = TESTS.parent / "deploy" / "hardening.conf"
CONFINED = (sys.executable, str(TESTS / "confined.py"), str(HARDENING))
WORDS = "Les livreurs et les petites mains racontent leur travail. " * 60
PAGE = f"""<!doctype html><html lang="fr"><head><title>Les petites mains</title></head>
<body><article><h1>Les petites mains</h1><p>Ces travailleurs du clic. {WORDS}</p>
</article></body></html>"""
TRIED = """
import ctypes, mmap, os, resource, socket
def refused(call):
    try:
        call()
    except OSError:
        return True
    return False
libc = ctypes.CDLL(None, use_errno=True)
def checked(name, *args):
    if getattr(libc, name)(*args) == -1:
        raise OSError(ctypes.get_errno(), name)
assert refused(lambda: mmap.mmap(-1, 4096, prot=7)), "code that was written"
assert refused(lambda: checked("unshare", 0x10000000)), "a user namespace"
assert refused(lambda: checked("ptrace", 0, 0, 0, 0)), "ptrace"
assert refused(lambda: checked("mount", b"x", b"/x", b"tmpfs", 0, 0)), "mount"
assert refused(lambda: os.nice(1)), "priorities"
assert refused(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW)), "packets"
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
socket.socketpair()
"""


@pytest.fixture(autouse=True)
def _programs() -> None:
    """Skip where there is nothing to confine with."""
    needed("systemd-analyze")
    done = subprocess.run([*CONFINED, "true"], capture_output=True, check=False)
    if done.returncode:
        missing(f"this machine confines nothing: {done.stderr!r}")


def test_what_a_worker_has_no_need_of_is_refused() -> None:
    """The filter is in force; what the processes that read documents need is not."""
    done = subprocess.run(
        [*CONFINED, sys.executable, "-c", TRIED],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_a_worker_does_all_its_work(tmp_path: Path, server: Server) -> None:
    """It polls, reads a page in its children, publishes, and ends when told to."""
    page = server.route("/b", body=PAGE.encode(), headers={"Content-Type": "text/html"})
    link = item("b", "Les petites mains", "À lire").replace(
        "https://jour.example/b", page
    )
    feed = server.route("/jour", body=rss(item("a", "Les travailleurs du clic"), link))
    path = configure(tmp_path, {"Le Jour": feed})
    with running(*CONFINED, *command(path, "worker")) as process:
        lines = until(process, "cycle", "polled=1")
        filters = Path(f"/proc/{process.pid}/status").read_text().splitlines()
        process.terminate()
        lines += until(process, "worker stopped")

        assert process.wait() == 0
    assert "Seccomp:\t2" in filters
    assert any("failed=0" in line for line in lines)
    assert not [line for line in lines if not line.startswith("INFO")]
    published = contents(tmp_path)["index.html"].decode()
    assert "Les travailleurs du clic" in published
    assert "Les petites mains" in published
