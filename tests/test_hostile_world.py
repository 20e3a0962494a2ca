"""A world in which whatever others write is hostile, seen through every command.

What outlets, pages, searches and files of others say reaches a terminal, a mail of
cron's or a log; keys of outlets reach nobody. The world is made once, and each command
of the program is called in it.
"""

from __future__ import annotations

import io
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import Server
from worlds import EPOCH, configure, item, rss

from aggregator.cli import main
from aggregator.cli.main import COMMANDS
from aggregator.cli.worker import Lines

# Controls, C1 (a terminal takes U+009B for ESC [), line ends of others, bidi.
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
STEERS = "\x1b]0;owned\x07\x1b[2J\x9b31m\x7f\u2028\u202e\u2066"
KEY = "s3cr3t-0123"  # of an outlet, a heartbeat and a link


def evil(text: str) -> str:
    """Return a text that an outlet writes, with all that steers a terminal in it."""
    half = len(text) // 2
    return f"{text[:half]}{STEERS}{text[half:]}"


def xml(body: bytes) -> bytes:
    """Return a document with its controls as references: XML has no others."""
    text = body.decode()
    return re.sub("[\x00-\x08\x0b-\x1f]", lambda c: f"&#{ord(c[0])};", text).encode()


def feed(port: int, outlet: str) -> bytes:
    """Return the feed of an outlet, evil in every word and address."""
    here = f"127.0.0.1:{port}"
    source = f"<source url='http://x.example/{STEERS}'>{evil('Le Soir')}</source>"
    author = f"<author>{evil('Ana Dupont')}</author>"
    titles = {
        "a": "Les travailleurs du clic se lèvent, un film en parle",
        "b": "Dans la nuit des petites mains de la haute couture",
        "c": "Masiero joue les petites mains dans une série policière",
        "d": "Cinq livreurs racontent leur journée sous la pluie",
    }
    items = [
        item(
            f"{outlet}{slug}\u202e\x9b",
            evil(title),
            f"{evil('Un résumé')} {STEERS}",
            host=here,
            date="Mon, 23 Nov 2026 09:00:00 GMT",
        ).replace("</item>", f"{author}{source}</item>")
        for slug, title in titles.items()
    ]
    return xml(rss(*items, title=evil(outlet)))


class World:
    """The folder, its outlets, and all that was ever printed."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.server, self.folder = server, folder
        page = "<html><head><title>{}</title><link rel=alternate href='/f{}'"
        page += " type='application/rss+xml'></head><body>{}</body></html>"
        body = page.format(evil("Une page"), STEERS, evil("mot ") * 50).encode()
        html = {"Content-Type": "text/html; charset=utf-8"}
        odd = {"Location": "/jour?\x9b\x1b[2J"}
        self.urls = {
            "Le Jour": server.route("/jour", body=feed(server.port, "Jour")),
            "Page": server.route("/page", body=body, headers=html),
            "Ailleurs": server.route("/ailleurs", 301, headers=odd),
        }
        key = f'headers = {{ Authorization = "Bearer {KEY}" }}'
        closed, held = server.route("/prive", 401), server.route("/clef", body=rss())
        search = server.route("/mots", body=feed(server.port, "Mots"))
        more = (
            f'"Cherche" = {{ url = "{search}", kind = "search" }}\n'
            f'"Privé" = {{ url = "{closed}", {key} }}\n'
            f'"Clef" = {{ url = "{held}", {key} }}\n'
        )
        self.path = configure(
            folder, self.urls, extra='[matching]\narticles = "none"\nbrake = 50'
        )
        beat = f'heartbeat = "{server.route(f"/beat/{KEY}", 500)}"\n[polling]'
        text = self.path.read_text("utf-8").replace("[polling]", beat, 1)
        self.path.write_text(text + more, "utf-8")
        self.said: list[str] = []

    def call(self, *words: str) -> Result:
        """Call the command line; remember what it says."""
        options = ["--config", str(self.path), *words]
        done = CliRunner(env={"SOURCE_DATE_EPOCH": EPOCH}).invoke(main, options)
        assert done.exception is None or isinstance(done.exception, SystemExit), words
        self.said.append(done.stdout + done.stderr)
        return done


@pytest.fixture(scope="module")
def world(outlet: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Yield the world after its first cycle, made under the usual umask."""
    folder = tmp_path_factory.mktemp("hostile")
    here, umask = Path.cwd(), os.umask(0o022)
    made = World(folder, outlet)
    first = made.call("run")
    assert first.exit_code == 0, first.output
    assert "fails: a web page" in first.stderr
    yield made
    os.umask(umask)
    os.chdir(here)


A, B = "https://127.0.0.1:{port}/Joura", "https://127.0.0.1:{port}/Jourb"
DAY = ["--published", "2020-02-14", "--topic", "film"]
PRINTING = {
    "review": [["review"], ["review", "--json"], ["review", "--suppressed"]],
    "keep": [["keep", B]],
    "hide": [["hide", B, "--reason", STEERS], ["hide", "nothing-\u202e-known"]],
    "pin": [["pin", A]],
    "unpin": [["unpin", A]],
    "retag": [["retag", A, "--topic", "film"]],
    "note": [["note", A, "--text", f"Un mot{STEERS}"]],
    "merge": [["merge", A, B]],
    "split": [["split", B]],
    "add": [
        ["add", "http://127.0.0.1:{port}/page", "--outlet", "X", *DAY],
        ["add", "--title", evil("Le 20 heures"), "--outlet", evil("France 2"), *DAY],
    ],
    "decisions": [["decisions"], ["decisions", "--json"], ["decisions", "--lost"]],
    "digest": [
        ["digest"],
        *(["digest", f"--{form}"] for form in ("html", "markdown", "json")),
    ],
    "check": [
        ["check"],
        *(["check", f"--{what}"] for what in ("online", "links")),
        *(["check", f"--{what}", "--json"] for what in ("online", "links")),
    ],
    "try": [["try", "clic"], ["try", "clic", "--json"], ["try", "\x1b[2J\u202eL: a"]],
    "diff": [["diff"], ["diff", "--json"]],
    "status": [["status"], ["status", "--json"]],
    "why": [["why", A], ["why", A, "--json"], ["why", "petites mains"]],
    "search": [["search", "clic"], ["search", "clic", "--json"], ["search", "("]],
    "discover": [
        ["discover", "http://127.0.0.1:{port}/page"],
        ["discover", "http://127.0.0.1:{port}/jour", "--json"],
    ],
    "backfill": [["backfill", "--requests", "1"], ["backfill", "Le Jour", "--json"]],
    "import": [
        ["import", f"{{folder}}/{name}"]
        for name in ("rows.csv", "of.opml", "wrong.csv", "wrong.jsonl")
    ],
    "export": [["export", "{folder}/out.csv"]],
    "run": [["run", "--all"], ["run", "--all", "--json"]],
    "publish": [["publish"], ["publish", "--json"]],
    "backup": [["backup", "{folder}/copy.db"]],
}
# They print words of this program and of its maintainer alone, or stay.
OWN = {"init", "demo", "worker", "serve"}


def write_files(folder: Path) -> None:
    """Write what others may hand the maintainer to import."""
    (folder / "rows.csv").write_text(
        f"title,outlet,published,topics\n{evil('Un titre')},{evil('B')},2020-02-14,film"
        f"\n{evil('Les mains')},Le Jour,2019-11,film\n",
        "utf-8",
    )
    (folder / "wrong.csv").write_text(
        f"title,outlet,published,{STEERS}\nA,{STEERS},{evil('hier')},x\n", "utf-8"
    )
    (folder / "wrong.jsonl").write_text(f'{{"story": "\u202e\x9b"}}\n{evil("{}")}')
    (folder / "of.opml").write_text(
        "<opml><body><outline text='Un \u202e\u2066nom &#x9b;2J' "
        "xmlUrl='https://a.example/f\u202e'/></body></opml>",
        "utf-8",
    )


def test_every_command_is_known_to_be_safe_or_asked() -> None:
    """A command that is new says which it is."""
    assert {*PRINTING, *OWN} == {*COMMANDS}


@pytest.mark.parametrize("command", PRINTING)
def test_no_word_of_others_steers_a_terminal(world: World, command: str) -> None:
    """Titles, names, reasons, addresses, cells: none reaches stdout or stderr whole."""
    write_files(world.folder)
    told = []
    for words in PRINTING[command]:
        given = {"port": world.server.port, "folder": world.folder}
        done = world.call(*(word.format(**given) for word in words))
        told += [(words, done.stdout), (words, done.stderr)]

    assert [one for one in told if STEERING.search(one[1])] == []
    assert any(text for _, text in told)


def test_the_first_report_steers_no_terminal_either(world: World) -> None:
    """What cron mails: each feed that fails, and the address that a page names."""
    assert "it names this one: http://127.0.0.1" in world.said[0]
    assert not STEERING.search(world.said[0])


def test_keys_of_outlets_are_nowhere_but_in_feeds_toml(world: World) -> None:
    """Headers of outlets and the heartbeat's address are not stored or shown.

    Nor published; the outlets do get theirs, and nobody else.
    """
    for words in (["run", "--all"], ["status", "--json"], ["check", "--online"]):
        world.call(*words)
    files = [one for one in world.folder.rglob("*") if one.is_file()]
    holding = [one.name for one in files if KEY.encode() in one.read_bytes()]
    asked = {
        each.path
        for each in world.server.requests
        if KEY in "".join(each.headers.values())
    }

    assert holding == ["feeds.toml"]
    assert not any(KEY in said for said in world.said)
    assert asked == {"/prive", "/clef"}


def test_what_is_private_is_closed_to_other_users(world: World) -> None:
    """The database and the desk, from when they are made; the published folder is not.

    The group may look as far as the umask says.
    """
    made = {
        name: world.folder.joinpath(name).stat().st_mode & 0o777
        for name in ("aggregator.db", "desk", "public")
    }

    assert made == {"aggregator.db": 0o640, "desk": 0o750, "public": 0o755}


def test_no_words_of_others_make_a_line_of_the_log() -> None:
    """One event is one line; what a fault of ours quotes is set in."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Lines("%(levelname)s %(message)s"))
    log = logging.getLogger("hostile")
    log.addHandler(handler)
    log.propagate = False
    log.warning("feed fails outlet=%r %s", "Jour", f"http 500\nINFO cycle{STEERS}")
    fault = ValueError(f"x\nINFO cycle polled=1\r{STEERS}")
    log.error("fault", exc_info=fault)
    lines = stream.getvalue().splitlines()

    assert [line for line in lines if not line.startswith("  ")] == [
        lines[0],
        "ERROR fault",
    ]
    assert lines[0].startswith("WARNING feed fails outlet='Jour' http 500 INFO cycle ")
    assert not STEERING.search(stream.getvalue().replace("\n", ""))
