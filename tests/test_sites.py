"""The sites of deploy/, played by the real web servers on a published folder."""

from __future__ import annotations

import base64
import gzip
import http.client
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner
from needs import needed
from worlds import configure

from aggregator.cli import main

DEPLOY = Path(__file__).parents[1] / "deploy"
ADDED = """
[[decision]]
action = "add"
title = "Le 20 heures"
outlet = "France 2"
published = 2020-02-14
topics = ["film"]
form = "tv"
"""
# "presse" with the password "secret"; bcrypt at its least cost
APR1 = "presse:$apr1$salt$VEpBc9VHGUKwI9.yg13Iu0\n"
BCRYPT = "$2a$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"
NGINX = """
{user} pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fast; scgi_temp_path {folder}/scgi;
    uwsgi_temp_path {folder}/uwsgi;
    include {folder}/site.conf;
}}
"""


@dataclass(frozen=True)
class Reply:
    """What a web server answers; headers by lower-case name."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Site:
    """A web server that runs, and the folder of feeds.toml."""

    port: int
    data: Path

    def get(self, path: str, **headers: str) -> Reply:
        """Ask for a path, just as it is written; `If_None_Match` for a header."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request("GET", path, headers=named)
            reply = connection.getresponse()
            heads = {name.lower(): value for name, value in reply.getheaders()}
            return Reply(reply.status, heads, reply.read())
        finally:
            connection.close()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a maintainer's folder with all that is published, and what must not be."""
    folder = tmp_path_factory.mktemp("data")
    path = configure(folder, {"Le Jour": "https://jour.example/rss"})
    (folder / "curation.toml").write_text(ADDED)
    done = CliRunner().invoke(main, ["--config", str(path), "publish"])
    assert done.exit_code == 0, done.stderr
    for hidden in (".feed.atom.123.new", ".git/config", "aggregator.db", "feeds.toml"):
        name = folder / "public" / hidden
        name.parent.mkdir(exist_ok=True)
        name.write_text("private")
    (folder / "desk" / ".desk.atom.1.new").write_text("private")
    (folder / "public" / "empty").mkdir()
    return folder


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def edited(name: str, replaced: dict[str, str]) -> str:
    """Return a file of deploy/ with texts of it replaced, each of which is there."""
    text = (DEPLOY / name).read_text("utf-8")
    for old, new in replaced.items():
        assert old in text
        text = text.replace(old, new)
    return text


@contextmanager
def nginx(folder: Path, data: Path, port: int) -> Iterator[None]:
    """Have nginx serve the site of deploy/nginx.conf inside the block."""
    site = edited("nginx.conf", {"    listen [::]:80;\n": ""})
    with playing(folder, data, port, site):
        yield


@contextmanager
def playing(folder: Path, data: Path, port: int, site: str) -> Iterator[None]:
    """Have nginx serve a site inside the block, from the folders of the test."""
    (folder / "passwords").write_text(APR1)
    for old, new in {
        "listen 80;": f"listen 127.0.0.1:{port};",
        "/srv/aggregator": str(data),
        "/etc/nginx/aggregator.htpasswd;": f"{folder}/passwords;",
    }.items():
        assert old in site
        site = site.replace(old, new)
    (folder / "site.conf").write_text(site)
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, user=user))
    program = [needed("nginx"), "-c", str(folder / "nginx.conf")]
    checked = subprocess.run(
        [*program, "-t"], capture_output=True, check=False, text=True
    )
    assert checked.returncode == 0, checked.stderr
    assert "warn" not in checked.stderr
    subprocess.run(program, check=True)  # listens, then goes on by itself
    try:
        yield
    finally:
        subprocess.run([*program, "-s", "stop"], check=True)


@contextmanager
def caddy(folder: Path, data: Path, port: int) -> Iterator[None]:
    """Have Caddy serve the site of deploy/Caddyfile inside the block.

    Not every machine that builds this has one: it is optional in CI, too.
    """
    program = shutil.which("caddy") or pytest.skip("caddy is not installed")
    site = edited(
        "Caddyfile",
        {
            "presse.example.org {": f"http://127.0.0.1:{port} {{",
            "/srv/aggregator": str(data),
            "$2a$14$REPLACE.BY.WHAT.caddy.hash-password.PRINTS": BCRYPT,
        },
    )
    (folder / "Caddyfile").write_text(f"{{\n\tadmin off\n}}\n{site}")
    given = ["--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    environ = {**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    checked = subprocess.run(
        [program, "validate", *given],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
    pid = folder / "caddy.pid"
    with (folder / "log").open("wb") as log:
        start = [program, "start", *given, "--pidfile", str(pid)]
        subprocess.run(start, env=environ, stderr=log, stdout=log, check=True)
    try:
        yield
    finally:
        os.kill(int(pid.read_text()), signal.SIGTERM)


@pytest.fixture(scope="module", params=[nginx, caddy], ids=lambda one: one.__name__)
def site(
    request: pytest.FixtureRequest, data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """Yield each web server in turn."""
    port = free_port()
    with request.param(tmp_path_factory.mktemp("server"), data, port):
        yield Site(port, data)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("", "text/html; charset=utf-8"),
        ("index.html", "text/html; charset=utf-8"),
        ("topics/film/", "text/html; charset=utf-8"),
        ("fragment.html", "text/html; charset=utf-8"),
        ("style.css", "text/css; charset=utf-8"),
        ("feed.atom", "application/atom+xml"),
        ("feed.rss", "application/rss+xml"),
        ("feed.json", "application/feed+json"),
        ("archive/2020-02.atom", "application/atom+xml"),
        ("stories.jsonl", "application/jsonl"),
        ("stories.csv", "text/csv; charset=utf-8"),
        ("stories.bib", "application/x-bibtex; charset=utf-8"),
        ("outlets/outlets.opml", "text/x-opml; charset=utf-8"),
        ("sitemap.xml", "application/xml"),
        ("favicon.svg", "image/svg+xml"),
        ("favicon.ico", "image/x-icon"),
        ("apple-touch-icon.png", "image/png"),
    ],
)
def test_each_file_has_its_media_type(site: Site, name: str, kind: str) -> None:
    """Readers are told what it is, as by `aggregator serve`, and need not guess."""
    reply = site.get(f"/{name}")
    path = site.data / "public" / name
    file = path / "index.html" if path.is_dir() else path

    assert (reply.status, reply.body) == (200, file.read_bytes())
    kinds = {kind, "image/vnd.microsoft.icon" if name.endswith(".ico") else kind}
    assert reply.headers["content-type"] in kinds
    assert reply.headers["x-content-type-options"] == "nosniff"


def test_every_kind_of_published_file_has_a_media_type(site: Site) -> None:
    """None is sent as bytes to be saved."""
    public = site.data / "public"
    files = [path for path in public.rglob("*.*") if path.is_file()]
    shown = {path.suffix: path for path in files if not hidden(path, public)}
    kinds = {
        suffix: site.get(f"/{path.relative_to(public)}").headers["content-type"]
        for suffix, path in shown.items()
    }

    assert len(kinds) > 10
    assert "application/octet-stream" not in kinds.values()


def hidden(path: Path, public: Path) -> bool:
    """Tell whether a file was put there by the test, to be kept secret."""
    inside = str(path.relative_to(public))
    return inside.startswith(".") or path.suffix in (".db", ".toml")


def test_what_did_not_change_is_not_sent_again(site: Site) -> None:
    """A reader asks each time, with what it was told, and gets 304 and no body."""
    first = site.get("/feed.atom")
    by_tag = site.get("/feed.atom", If_None_Match=first.headers["etag"])
    by_date = site.get("/feed.atom", If_Modified_Since=first.headers["last-modified"])

    assert first.headers["cache-control"] == "no-cache"
    assert [(by_tag.status, by_tag.body), (by_date.status, by_date.body)] == [
        (304, b""),
        (304, b""),
    ]


def test_a_new_version_is_sent(site: Site) -> None:
    """As soon as it is in its place."""
    path = site.data / "public" / "feed.rss"
    had = site.get("/feed.rss").headers["etag"]
    new = path.with_name("new")
    new.write_bytes(path.read_bytes() + b"<!-- new -->")
    new.replace(path)
    reply = site.get("/feed.rss", If_None_Match=had)

    assert (reply.status, reply.body[-12:]) == (200, b"<!-- new -->")


def test_texts_are_sent_small(site: Site) -> None:
    """The large ones to all who can unpack them."""
    reply = site.get("/stories.jsonl", Accept_Encoding="gzip")

    assert reply.headers["content-encoding"] == "gzip"
    assert gzip.decompress(reply.body) == (
        (site.data / "public" / "stories.jsonl").read_bytes()
    )


def test_looks_are_kept_for_a_day(site: Site) -> None:
    """A page does not have its style and its signs asked for each time."""
    for name in ("style.css", "favicon.svg", "favicon.ico", "apple-touch-icon.png"):
        assert site.get(f"/{name}").headers["cache-control"] == "max-age=86400"


@pytest.mark.parametrize(
    ("name", "shared"),
    [
        ("fragment.html", True),
        ("topics/film/fragment.html", True),
        ("feed.json", True),
        ("stories.csv", True),
        ("outlets/outlets.csv", True),
        ("index.html", False),
        ("feed.atom", False),
        ("stories.jsonl", False),
    ],
)
def test_other_sites_may_read_the_list_and_the_data(
    site: Site, name: str, *, shared: bool
) -> None:
    """Scripts of any page, that is; a copy that is still fresh may be used, too."""
    reply = site.get(f"/{name}", Origin="https://film.example")
    again = site.get(f"/{name}", If_None_Match=reply.headers["etag"])

    for one in (reply, again):
        allowed = one.headers.get("access-control-allow-origin")
        assert allowed == ("*" if shared else None), one


def test_only_the_small_page_may_be_framed(site: Site) -> None:
    """By other sites; docs/wordpress.md has them do it."""
    policy = "content-security-policy"

    assert site.get("/").headers[policy] == "frame-ancestors 'self'"
    assert policy not in site.get("/embed.html").headers


def test_a_folder_leads_to_its_page(site: Site) -> None:
    """Without its last slash, under whatever name and port the site was reached."""
    reply = site.get("/topics/film")

    assert reply.status in (301, 308)
    assert reply.headers["location"] == "/topics/film/"


@pytest.mark.parametrize("path", ["/empty/", "/empty", "/all/", "/archive/"])
def test_no_folder_is_listed(site: Site, path: str) -> None:
    """What has no page shows nothing."""
    reply = site.get(path)

    assert reply.status in (301, 308, 403, 404)
    assert b"feed.atom" not in reply.body


@pytest.mark.parametrize(
    "path",
    [
        "/.feed.atom.123.new",
        "/.git/config",
        "/aggregator.db",
        "/feeds.toml",
        "/%2egit/config",
        "/../feeds.toml",
        "/%2e%2e/feeds.toml",
        "/..%2ffeeds.toml",
        "/topics/../../feeds.toml",
        "/desk../feeds.toml",
        "/desk/../feeds.toml",
        "/desk/%2e%2e/feeds.toml",
        "/desk/..%2fcuration.toml",
        "/desk/.desk.atom.1.new",
    ],
)
def test_nothing_else_of_the_machine_can_be_had(site: Site, path: str) -> None:
    """No file that is being written, no database, none of the maintainer's files.

    Not even with the password, nor where one lies in the published folder.
    """
    for headers in ({}, {"Authorization": basic("presse", "secret")}):
        reply = site.get(path, **headers)

        assert reply.status in (400, 401, 403, 404), reply
        assert b"private" not in reply.body
        assert b"[site]" not in reply.body


def basic(name: str, password: str) -> str:
    """Return what a browser sends for a name and a password."""
    return f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"


@pytest.mark.parametrize("path", ["/desk/", "/desk/index.html", "/desk/desk.atom"])
def test_the_desk_is_for_those_with_the_password(site: Site, path: str) -> None:
    """Nobody else sees a word of it, and no cache between keeps it."""
    name = path.removeprefix("/desk/") or "index.html"
    page = (site.data / "desk" / name).read_bytes()
    without = site.get(path)
    wrong = site.get(path, Authorization=basic("presse", "guess"))
    right = site.get(path, Authorization=basic("presse", "secret"))

    assert [without.status, wrong.status, right.status] == [401, 401, 200]
    assert without.headers["www-authenticate"].startswith("Basic")
    assert right.body == page not in (without.body, wrong.body)
    assert right.headers["cache-control"] == "private, no-cache"
    assert "access-control-allow-origin" not in right.headers


def test_the_feed_of_the_desk_has_its_media_type(site: Site) -> None:
    """A reader that can send a password may subscribe to it."""
    reply = site.get("/desk/desk.atom", Authorization=basic("presse", "secret"))

    assert reply.headers["content-type"] == "application/atom+xml"


def test_nothing_can_be_sent_there(site: Site) -> None:
    """There is nothing that would take it."""
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=10)
    connection.request("POST", "/feed.atom", b"x")
    status = connection.getresponse().status
    connection.close()

    assert status == 405


def test_the_site_fits_under_a_path_of_another(data: Path, tmp_path: Path) -> None:
    """For nginx, as docs/operations.md tells: all of it, and the desk beside."""
    text = (DEPLOY / "nginx.conf").read_text("utf-8")
    maps, ours = text.split("server {", 1)
    inner = ours.split("server_tokens off;")[1].split("    # your private side")[0]
    desk = ours[ours.index("    location ^~ /desk/") :]
    under = f"location ^~ /presse/ {{ alias /srv/aggregator/public/; {inner} }}"
    site = f"{maps} server {{ listen 80; root {tmp_path}; {under} {desk}"
    port = free_port()
    with playing(tmp_path, data, port, site):
        at = Site(port, data)
        page, feed = at.get("/presse/"), at.get("/presse/topics/film/feed.atom")
        shared = at.get("/presse/fragment.html").headers
        lost = at.get("/presse/.feed.atom.123.new"), at.get("/presse../feeds.toml")
        desk_feed = at.get(
            "/desk/desk.atom", Authorization=basic("presse", "secret")
        ).headers

    assert page.body == (data / "public" / "index.html").read_bytes()
    assert feed.headers["content-type"] == "application/atom+xml"
    assert shared["access-control-allow-origin"] == "*"
    assert [one.status for one in lost] == [404, 404]
    assert desk_feed["content-type"] == "application/atom+xml"
