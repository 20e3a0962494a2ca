"""`review` as a maintainer meets it: a terminal, a queue, one key each."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from conftest import Server
from terminal import Terminal
from test_decide import call
from worlds import aggregator, configure, copied, item, rss

from aggregator import config as configuration
from aggregator import curation
from aggregator.model import Action, Decision

ASKS = "[q]uit ? "
EVIL = "Les petites mains \x1b]0;owned\x07\x1b[2J\u202e de la nuit"


def day(number: int) -> str:
    """Return a date of February 2020; later numbers are older."""
    return f"Fri, {20 - number:02} Feb 2020 08:00:00 GMT"


@pytest.fixture(scope="module")
def polled(tmp_path_factory: pytest.TempPathFactory, outlet: Server) -> Path:
    """Return a folder after a cycle: three that wait, one that never set aside."""
    items = [
        item("a", "Les petites mains de la mode", "Un atelier.", date=day(1)),
        item("b", "Des petites mains invisibles", date=day(2)),
        item("c", "Trois petites mains", date=day(3)),
        item("d", "Les petites mains de Corinne Masiero", date=day(4)),
    ]
    made = configure(
        tmp_path_factory.mktemp("polled"),
        {"Le Jour": outlet.route("/jour", body=rss(*items))},
    )
    assert aggregator(made, "run").returncode == 0
    return made.parent


@pytest.fixture
def path(tmp_path: Path, polled: Path) -> Path:
    """Return the feeds.toml of a copy of that folder, for this test alone."""
    return copied(polled, tmp_path)


def decided(path: Path) -> list[Decision]:
    """Return what curation.toml says."""
    config = configuration.read(path)
    zone = config.site.timezone
    return list(curation.read(config.storage.curation, config.topics, zone))


def waiting(path: Path, *words: str) -> dict[str, str]:
    """Return short ids by the end of the URL, in the order of the queue."""
    listed = json.loads(call(path, "review", "--json", *words).stdout)
    return {story["url"][-1]: story["story"] for story in listed}


def test_each_key_is_a_decision_at_once(path: Path) -> None:
    """Keep, hide and retag are in the file when the next story is shown."""
    ids = waiting(path)
    with Terminal(path, "review") as terminal:
        first = terminal.key("k")
        terminal.sees(ASKS)

        assert [(d.action, d.targets) for d in decided(path)] == [
            (Action.KEEP, (ids["a"],))
        ]

        second = terminal.key("h")
        terminal.key("r")
        terminal.line("2\n", "publish under [film]: ")
        end = terminal.end()

    assert "1 of 3  Le Jour, 2020-02-19" in plain(first)
    assert "Les petites mains de la mode\n" in plain(first)
    assert "https://jour.example/a\n  Un atelier.\n" in first
    assert "film: review: petites mains\n" in first
    assert "2 of 3" in plain(second)
    assert [(d.action, d.targets, d.topics) for d in decided(path)] == [
        (Action.KEEP, (ids["a"],), ()),
        (Action.HIDE, (ids["b"],), ()),
        (Action.RETAG, (ids["c"],), ("livreurs",)),
    ]
    assert "at     = 2026-11-23T13:00:00+01:00" in (
        path.with_name("curation.toml").read_text()
    )
    assert "1 kept, 1 hidden, 1 retagged, 0 left" in end
    assert "`aggregator publish` publishes that now" in end
    assert terminal.process.returncode == 0

    aggregator(path, "publish")
    page = (path.parent / "public" / "index.html").read_text()
    other = (path.parent / "public" / "topics" / "livreurs" / "index.html").read_text()

    assert "petites mains de la mode" in page
    assert "invisibles" not in page
    assert "Trois petites mains" in other


def plain(shown: str) -> str:
    """Return what a terminal shows, without its colours."""
    return re.sub(r"\x1b\[[\d;]*m", "", shown)


def test_what_matched_is_marked(path: Path) -> None:
    """Underlined in colour; between asterisks where colours are not wanted."""
    with Terminal(path, "review") as terminal:
        coloured = terminal.key("q")
        terminal.end()
    for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        with Terminal(path, "review", env=env) as terminal:
            bare = terminal.key("q")
            terminal.end()

        assert "Les **petites mains** de la mode" in bare
        assert "\x1b" not in bare
    assert re.search(
        r"\x1b\[\d[\d;]*m\x1b\[4mpetites mains|\x1b\[[\d;]*4mpet", coloured
    )


@pytest.mark.parametrize("key", ["q", "\x03", "\x04"])
def test_quitting_half_way_is_a_good_end(path: Path, key: str) -> None:
    """By q, Ctrl-C or Ctrl-D: what was decided stays, the rest waits."""
    ids = waiting(path)
    with Terminal(path, "review") as terminal:
        terminal.key("h")
        terminal.key(key)
        end = terminal.end()

    assert terminal.process.returncode == 0
    assert "1 hidden, 2 left" in end
    assert "Traceback" not in terminal.shown
    assert [d.targets for d in decided(path)] == [(ids["a"],)]
    assert list(waiting(path)) == ["b", "c"]


@pytest.mark.parametrize("key", ["\x03", "\x04"])
def test_a_question_can_be_left_too(path: Path, key: str) -> None:
    """Ctrl-C and Ctrl-D where topics are asked for decide nothing."""
    with Terminal(path, "review") as terminal:
        terminal.key("r")
        terminal.leave(key, "publish under [film]: ")
        terminal.end()

    assert terminal.process.returncode == 0
    assert "Traceback" not in terminal.shown
    assert decided(path) == []


def test_killed_half_way_nothing_is_lost(path: Path) -> None:
    """SIGKILL after two decisions: both are in the file, and the third is asked."""
    ids = waiting(path)
    with Terminal(path, "review") as terminal:
        terminal.key("k")
        terminal.key("h")
        terminal.until(ASKS)
        terminal.kill()

    assert [d.targets for d in decided(path)] == [(ids["a"],), (ids["b"],)]
    with Terminal(path, "review") as terminal:
        again = terminal.key("q")
        terminal.end()

    assert "1 of 1" in plain(again)
    assert "Trois petites mains" in plain(again)


def test_skipping_decides_nothing(path: Path) -> None:
    """What was skipped waits on."""
    with Terminal(path, "review") as terminal:
        for _ in range(3):
            terminal.key("s")
        end = terminal.end()

    assert "3 skipped, 0 left" in end
    assert "publish" not in end
    assert decided(path) == []
    assert not path.with_name("curation.toml").exists()
    assert len(waiting(path)) == 3


def test_a_reason_is_asked_for_by_the_capital(path: Path) -> None:
    """K and H take a line with it; an empty one is none."""
    with Terminal(path, "review") as terminal:
        terminal.key("H")
        terminal.line("un « autre » film\\\n", "reason: ")
        terminal.key("K")
        terminal.line("\n", "reason: ")
        terminal.key("q")
        terminal.end()

    assert [d.reason for d in decided(path)] == ["un « autre » film\\", ""]


def test_topics_are_ids_or_numbers(path: Path) -> None:
    """An unknown one is told with the likely one, and asked again."""
    with Terminal(path, "review") as terminal:
        terminal.key("r")
        terminal.line("livreur, 1\n", "publish under [film]: ")
        again = terminal.line("livreurs, 1\n", "publish under [film]: ")
        terminal.key("q")
        terminal.end()

    assert "no topic is called 'livreur'; did you mean livreurs?" in again
    assert [d.topics for d in decided(path)] == [("livreurs", "film")]


@pytest.mark.parametrize("typed", ["x", "\x1b[A", "hello", " "])
def test_other_keys_decide_nothing(path: Path, typed: str) -> None:
    """An arrow, a pasted word, a wrong letter: a line of help, and the same story."""
    with Terminal(path, "review") as terminal:
        terminal.key(typed)
        said = terminal.key("q")
        terminal.end()

    assert "K and H ask for a reason too" in said
    assert decided(path) == []


def test_an_article_is_opened_in_the_browser(path: Path, tmp_path: Path) -> None:
    """By o; the story is asked for again afterwards."""
    seen = tmp_path / "seen"
    script = tmp_path / "browse"
    script.write_text(f'#!/bin/sh\necho "$1" > {seen}\n')
    script.chmod(0o755)
    with Terminal(path, "review", env={"BROWSER": f"{script} %s"}) as terminal:
        terminal.key("o")
        said = terminal.key("q")
        terminal.end()

    assert seen.read_text() == "https://jour.example/a\n"
    assert "no browser" not in said


def test_without_a_browser_the_address_is_shown(path: Path) -> None:
    """Over SSH there may be none."""
    env = {"BROWSER": "/nonexistent/browser %s", "PATH": "", "DISPLAY": ""}
    with Terminal(path, "review", env=env) as terminal:
        terminal.key("o")
        said = terminal.key("q")
        terminal.end()

    assert "no browser here: https://jour.example/a" in said


def test_an_edit_meanwhile_is_neither_lost_nor_loses(path: Path) -> None:
    """An editor saves an older text of its own; both its table and ours stand."""
    file = path.with_name("curation.toml")
    file.write_text("# sans fin de ligne")
    with Terminal(path, "review") as terminal:
        terminal.key("k")
        terminal.sees(ASKS)
        file.write_text('# relu\n[[decision]]\naction = "pin"\nstory = "aaaaaaaa"')
        terminal.key("h")
        terminal.key("q")
        terminal.end()

    assert "curation.toml was saved without 1 of these decisions" in terminal.shown
    assert file.read_text().startswith("# relu\n")
    actions = [d.action for d in decided(path)]
    assert actions == [Action.PIN, Action.KEEP, Action.HIDE]


def test_an_unfinished_edit_stops_nothing(path: Path) -> None:
    """The problem is shown; mended, the same key decides."""
    file = path.with_name("curation.toml")
    with Terminal(path, "review") as terminal:
        terminal.sees(ASKS)
        file.write_text('[[decision]]\naction = "pi')
        terminal.key("k")
        terminal.sees(ASKS)
        file.write_text("")
        terminal.key("k")
        terminal.key("q")
        terminal.end()

    assert "mend that, then press the key again" in terminal.shown
    assert [d.action for d in decided(path)] == [Action.KEEP]


def test_what_never_set_aside_can_be_looked_through(path: Path) -> None:
    """With the line that did it; kept, it is published."""
    ids = waiting(path, "--suppressed")
    listed = aggregator(path, "review", "--suppressed")
    with Terminal(path, "review", "--suppressed") as terminal:
        shown = terminal.key("k")
        terminal.end()
    aggregator(path, "publish")

    assert list(ids) == ["d"]
    assert "film: masiero" in listed.stdout
    assert listed.stderr == "1 suppressed\n"
    assert "film: never: masiero" in shown
    assert "Masiero" in (path.parent / "public" / "index.html").read_text()
    assert waiting(path, "--suppressed") == {}


def test_a_decision_counts_before_it_is_published(path: Path) -> None:
    """What an editor or a key decided is not asked again before the next cycle."""
    ids = waiting(path)
    path.with_name("curation.toml").write_text(
        f'[[decision]]\naction = "hide"\nstory = "{ids["b"]}"\n'
    )

    assert list(waiting(path)) == ["a", "c"]


def test_the_worker_needs_no_publish(path: Path) -> None:
    """Where one runs, the parting line says that it does the rest."""
    ids = waiting(path)
    worker = Terminal(path, "worker")
    with worker:
        worker.until("worker started")
        with Terminal(path, "review") as terminal:
            terminal.key("h")
            terminal.key("q")
            end = terminal.end()

    assert "the worker publishes that within a minute" in end
    assert [d.targets for d in decided(path)] == [(ids["a"],)]


def test_outlets_cannot_steer_the_terminal(tmp_path: Path, server: Server) -> None:
    """Escapes and turned reading directions in titles reach no terminal."""
    evil = EVIL.replace("\x1b", "&#27;").replace("\x07", "&#7;")
    body = rss(item("a", "TITLE", "SUMMARY")).replace(b"TITLE", evil.encode())
    url = server.route("/f", body=body.replace(b"SUMMARY", evil.encode()))
    path = configure(tmp_path, {"Le \u202e Jour": url})
    aggregator(path, "run")
    with Terminal(path, "review", env={"NO_COLOR": "1"}) as terminal:
        shown = terminal.key("q")
        terminal.end()

    assert "de la nuit" in shown
    assert not re.search("[\x1b\x07\u202e]", terminal.shown)


def test_all_that_helps_to_decide_is_shown(tmp_path: Path, server: Server) -> None:
    """What speaks against it, what it was joined to, and that it has no address."""
    title = "Les travailleurs du clic, selon Corinne Masiero"
    text = "Une phrase assez longue pour prouver que les deux articles n’en font qu’un."
    bare = item("x", "Sans adresse", date=day(9)).replace(
        "<link>https://jour.example/x</link>", ""
    )
    outlets = {
        "Le Jour": server.route("/jour", body=rss(item("a", title, text))),
        "Le Soir": server.route("/soir", body=rss(item("b", title, text, host="s.fr"))),
        "Le Nu": server.route("/nu", body=rss(bare)),
    }
    path = configure(tmp_path, outlets)
    line = f'{{ url = "{outlets["Le Nu"]}", review = ["film"] }}'
    path.write_text(path.read_text().replace(f'"{outlets["Le Nu"]}"', line))
    aggregator(path, "run")
    with Terminal(path, "review") as terminal:
        first = terminal.key("s")
        second = terminal.key("o")
        third = terminal.key("q")
        terminal.end()
    assert "match: travailleurs du clic, but a line of never speaks against" in first
    assert "also in Le" in first
    assert "(same title and summary within 48 h)" in first
    assert "film: whatever this outlet publishes" in second
    assert "this story has no address" in third


def test_a_lost_connection_loses_nothing(path: Path) -> None:
    """The terminal goes away; what was decided before is in the file."""
    ids = waiting(path)
    with Terminal(path, "review") as terminal:
        terminal.key("h")
        terminal.sees(ASKS)
        terminal.hang_up()

    assert [d.targets for d in decided(path)] == [(ids["a"],)]


def test_a_queue_that_is_piped_is_a_list(path: Path) -> None:
    """No key is waited for where nobody sits."""
    listed = aggregator(path, "review")

    assert listed.returncode == 0
    assert len(re.findall(r"^[a-z2-7]{8}  2020", listed.stdout, re.MULTILINE)) == 3
    assert listed.stderr == "3 waiting\n"


def test_an_empty_queue_says_so(tmp_path: Path, server: Server) -> None:
    """Nothing waits: one line, no key."""
    path = configure(
        tmp_path, {"Le Jour": server.route("/f", body=rss(item("a", "Z")))}
    )
    aggregator(path, "run")
    with Terminal(path, "review") as terminal:
        end = terminal.end()

    assert end == "0 waiting\n"
    assert terminal.process.returncode == 0


def test_below_the_queue_stand_stories_that_may_be_one(
    tmp_path: Path, server: Server
) -> None:
    """After the last key, with the commands; not once they are kept apart."""
    title = "Les petites mains du numérique sortent de l’ombre"
    urls = {
        name: server.route(
            f"/{name}", body=rss(item(name, title, host=f"{name}.example"))
        )
        for name in ("jour", "soir")
    }
    path = configure(tmp_path, urls)
    aggregator(path, "run")
    with Terminal(path, "review") as terminal:
        terminal.key("q")
        shown = plain(terminal.end())
    found = re.search("aggregator (merge|split) .*\n +aggregator (split .*)", shown)

    assert "may be one story; to merge them" in shown
    assert found
    assert aggregator(path, *found[2].split()).returncode == 0
    assert "may be one" not in aggregator(path, "review").stdout
    assert "may be one" not in aggregator(path, "review", "--suppressed").stdout
