"""The command line, as people and cron use it."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import threading
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner, Result
from conftest import Server
from worlds import EPOCH, aggregator, command, configure, environment, item, rss

from aggregator.cli import main
from aggregator.cli.machine import changes
from aggregator.cli.main import COMMANDS
from aggregator.model import Feed, Outlet, Report

ROOT = Path(__file__).parents[1]


@pytest.fixture
def path(tmp_path: Path, server: Server) -> Path:
    """Return a feeds.toml with a certain mention, a doubtful one and a failure."""
    items = [
        item("a", "Les travailleurs du clic", "Un film qui les suit, à Antananarivo."),
        item(
            "b",
            "Les petites mains de la haute couture",
            date="Mon, 23 Nov 2026 08:00:00 GMT",
        ),
    ]
    outlets = {
        "Le Jour": server.route("/jour", body=rss(*items)),
        "La Nuit": server.route("/nuit", status=503),
    }
    return configure(tmp_path, outlets)


def call(path: Path, *words: str) -> Result:
    """Run a command in this process."""
    env = {"SOURCE_DATE_EPOCH": EPOCH}
    return CliRunner().invoke(main, ["--config", str(path), *words], env=env)


def on_a_terminal(path: Path, *words: str) -> str:
    """Run a command whose stderr is a terminal; return what it showed there."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command(path, *words),
        env=environment({"COLUMNS": "120"}),
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                more = os.read(ours, 4096)
            except OSError:  # the terminal closes with the process that had it
                break
            if not more:
                break
            shown += more
    os.close(ours)
    assert process.returncode == 0
    return shown.decode()


# ── run ───────────────────────────────────────────────────────────────────────────────


def test_run_reports_in_json(path: Path) -> None:
    """The report has the keys and types of the contract, and nothing else."""
    result = call(path, "run", "--json")
    report = json.loads(result.stdout)

    assert result.exit_code == 0
    assert report.pop("seconds") > 0
    assert report.pop("files_written") > 5
    assert report == {
        "polled": 2,
        "unchanged": 0,
        "failed": 1,
        "new_entries": 2,
        "mentions": 1,
        "doubtful": 1,
        "stories": 1,
    }


def test_under_cron_run_tells_changes_only(path: Path, server: Server) -> None:
    """A failure is mailed when it starts and when it ends; else there is silence."""
    first = aggregator(path, "run")
    second = aggregator(path, "run", "--all")
    server.route("/nuit", body=rss(item("n", "Une nuit")))
    third = aggregator(path, "run", "--all")

    assert first.stdout == ""
    assert first.stderr.startswith("La Nuit: fails: http 503 (http://127.0.0.1:")
    assert (second.stdout, second.stderr) == ("", "")
    assert third.stderr.startswith("La Nuit: works again (http://127.0.0.1:")


def test_on_a_terminal_run_shows_a_bar_and_a_table(path: Path) -> None:
    """Feeds polled, those that failed with the reason, new mentions by topic."""
    shown = on_a_terminal(path, "run")

    assert "polling" in shown
    assert "100%" in shown
    assert "2 feeds polled, 0 unchanged, 1 failed; 2 new entries" in shown
    assert re.search(r"La Nuit +http 503 +http://127", shown)
    assert re.search(r"Le film +1 +certain +1 +to review", shown)
    assert "Les livreurs" not in shown
    assert "aggregator review" in shown

    idle = on_a_terminal(path, "run")

    assert "no feed is due" in idle
    assert "0 feeds polled" in idle
    assert "no new mention" in on_a_terminal(path, "run", "--all")


def test_an_outage_of_everything_is_one_line(tmp_path: Path) -> None:
    """No feed in reach is the line's fault, not the outlets': exit 3, told once."""
    away = {"Loin": "http://127.0.0.1:1/feed", "Là-bas": "http://127.0.0.1:1/rss"}
    path = configure(tmp_path, away)
    first, second = aggregator(path, "run"), aggregator(path, "run", "--all")

    assert (first.returncode, second.returncode) == (3, 3)
    why = "connection: connection refused"
    told = f"not one of 2 feeds could be reached ({why}); is this machine online?\n"
    assert (first.stderr, second.stderr) == (told, "")


def test_the_end_of_an_outage_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """When every feed recovers at once, cron mails no list of all of them."""
    feeds = tuple(Feed(url, Outlet(url, (url,))) for url in ("https://a", "https://b"))
    changes(Report(polled=2, recovered=feeds))
    changes(Report(polled=2, recovered=feeds[:1]))

    assert capsys.readouterr().err.splitlines() == [
        "all 2 feeds work again",
        "https://a: works again (https://a)",
    ]


def test_ctrl_c_ends_a_run_at_once(tmp_path: Path, server: Server) -> None:
    """An outlet that never answers does not keep the maintainer waiting."""
    asked, leave = threading.Event(), threading.Event()

    def hang(_: object) -> None:
        asked.set()
        leave.wait(60)

    path = configure(tmp_path, {"Le Jour": server.route("/jour", handler=hang)})
    with subprocess.Popen(
        command(path, "run"), env=environment(), stderr=subprocess.PIPE, text=True
    ) as process:
        assert asked.wait(30)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=10)
    leave.set()

    assert process.returncode == 128 + signal.SIGINT
    assert said.splitlines() == ["", "interrupted; what was recorded is safe"]


def test_run_needs_no_folder_and_no_terminal(path: Path, tmp_path: Path) -> None:
    """Started from a folder that is gone, with its output closed, it does its work."""
    gone = tmp_path / "gone"
    gone.mkdir()
    words = " ".join(command(path, "run"))
    done = subprocess.run(
        ["sh", "-c", f"cd {gone} && rmdir {gone} && exec {words} <&- >&- 2>&-"],
        env=environment(),
        check=False,
        timeout=60,
    )

    assert done.returncode == 0
    assert (path.parent / "public" / "index.html").exists()


def test_run_of_an_unknown_outlet_names_the_likely_one(path: Path) -> None:
    """A typo costs one line and exit status 2."""
    result = call(path, "run", "--outlet", "Le Jur")

    assert result.exit_code == 2
    assert "did you mean 'Le Jour'?" in result.stderr


WRONG = """
[site]
title = 3
url = "presse.example.net"
titel = "x"
[[topics]]
id = "film"
title = "Film"
match = ["travailleurs OU clic"]
[[topics]]
id = "film"
match = ["x"]
[outlets]
"Le Jour" = "jour.example.net/feed"
"Le Soir" = { url = "https://soir.example.net/", topics = ["fim"] }
"""


def test_a_wrong_feeds_toml_shows_all_its_problems_and_changes_nothing(
    tmp_path: Path,
) -> None:
    """Each problem is one line that says where, and nothing appears on disk."""
    path = tmp_path / "feeds.toml"
    path.write_text(WRONG, encoding="utf-8")
    for words in (("run",), ("publish",), ("check",), ("status",), ("worker",)):
        result = aggregator(path, *words)
        head, *lines = result.stderr.splitlines()

        assert result.returncode == 2
        assert "8 problems" in head
        assert len(lines) == 8
        for where in (
            "site.title",
            "site.url",
            "site.titel",
            "topics[1] 'film'.match[1]",
            "topics[2] 'film'.id",
            "topics[2] 'film'.title",
            'outlets."Le Jour".url',
            'outlets."Le Soir".topics',
        ):
            assert any(line.strip().startswith(where) for line in lines), where
    assert [p.name for p in tmp_path.iterdir()] == ["feeds.toml"]


def test_toml_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    """A missing bracket is told with its line, exit status 2."""
    path = tmp_path / "feeds.toml"
    path.write_text('[site\ntitle = "x"\n', encoding="utf-8")
    result = call(path, "run")

    assert result.exit_code == 2
    assert "line 1" in result.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["feeds.toml"]


# ── the other commands ────────────────────────────────────────────────────────────────


def test_review_lists_what_waits(path: Path) -> None:
    """The queue holds the doubtful story with its evidence."""
    call(path, "run")
    (waiting,) = json.loads(call(path, "review", "--json").stdout)
    people = call(path, "review")

    assert waiting.pop("story") in people.stdout
    assert waiting == {
        "url": "https://jour.example/b",
        "title": "Les petites mains de la haute couture",
        "outlet": "Le Jour",
        "published": "2026-11-23T08:00:00Z",
        "topics": ["film"],
        "evidence": [
            {
                "topic": "film",
                "line": "petites mains",
                "field": "title",
                "snippet": "Les **petites mains** de la haute couture",
                "certain": False,
            }
        ],
    }
    assert "film: petites mains" in people.stdout
    assert "1 waiting" in people.stderr


def test_review_shows_what_may_be_one_story_until_it_is_merged(
    tmp_path: Path, server: Server
) -> None:
    """An equal headline on two outlets waits for a `merge`, which withdraws one."""
    title = "Les livreurs à vélo élisent enfin leurs représentants"
    urls = {
        name: server.route(
            f"/{name}", body=rss(item(name, title, host=f"{name}.example"))
        )
        for name in ("jour", "soir")
    }
    path = configure(tmp_path, urls)
    call(path, "run")
    (one,) = json.loads(call(path, "review", "--json").stdout)
    shown = call(path, "review").stdout

    (other,) = one["suggestions"]
    assert {one["url"], other["url"]} == {
        "https://jour.example/jour",
        "https://soir.example/soir",
    }
    assert other["reason"] == "same title within 48 h"
    assert "may be one story" in shown
    command = f"merge {other['story']} {one['story']}"
    assert f"aggregator {command}\n" in shown
    desk = (tmp_path / "desk" / "index.html").read_text("utf-8")
    assert f"<code>aggregator {command}</code>" in desk

    assert f"is part of {other['story']} now" in call(path, *command.split()).stdout
    call(path, "publish")
    feed = (tmp_path / "public" / "all" / "feed.atom").read_text("utf-8")

    assert json.loads(call(path, "review", "--json").stdout) == []
    assert call(path, "review").stdout == ""
    assert feed.count("<entry>") == 1
    assert feed.count("at:deleted-entry ") == 1


def test_search_prints_published_stories(path: Path) -> None:
    """Columns are separated by tabs; what waits is not found."""
    call(path, "run")
    found = call(path, "search", "antananarivo OR couture")

    assert found.stdout == (
        "2020-02-14\tLe Jour\tLes travailleurs du clic\thttps://jour.example/a\n"
    )
    assert json.loads(call(path, "search", "météo", "--json").stdout) == []
    assert [s["url"] for s in json.loads(call(path, "search", "clic", "--json").stdout)]


def test_dates_are_those_of_the_pages(tmp_path: Path, server: Server) -> None:
    """An evening may be the next day in the site’s zone; some have only a month."""
    late = item("a", "Les travailleurs du clic", date="Fri, 14 Feb 2020 23:30:00 GMT")
    doubt = item("b", "Les petites mains", date="Fri, 14 Feb 2020 23:30:00 GMT")
    path = configure(tmp_path, {"Le Jour": server.route("/f", body=rss(late, doubt))})
    (tmp_path / "curation.toml").write_text(
        '[[decision]]\naction = "add"\ntitle = "Un clic"\noutlet = "Le Mensuel"\n'
        'published = "2019-11"\ntopics = ["film"]\n',
        encoding="utf-8",
    )
    call(path, "run")
    found = call(path, "search", "clic").stdout.splitlines()

    assert [line.split("\t")[0] for line in found] == ["2020-02-15", "2019-11"]
    assert "2020-02-15" in call(path, "review").stdout


def test_search_refuses_what_it_cannot_read(path: Path) -> None:
    """A wrong query is a wrong usage, with the mend."""
    call(path, "run")
    result = call(path, "search", "clic ET film")

    assert result.exit_code == 2
    assert "AND" in result.stderr


def test_commands_that_read_need_a_database(path: Path) -> None:
    """Before the first run they say which command makes one."""
    result = call(path, "search", "clic")

    assert result.exit_code == 1
    assert "aggregator run" in result.stderr


def test_status_tells_how_each_feed_fares(path: Path) -> None:
    """Before and after the first cycle, as a table and as JSON."""
    before = json.loads(call(path, "status", "--json").stdout)
    call(path, "run")
    after = json.loads(call(path, "status", "--json").stdout)
    table = call(path, "status").stdout

    assert [line["state"] for line in before] == ["new", "new"]
    assert [line["state"] for line in after] == ["ok", "never_worked"]
    assert set(after[0]) == {
        "outlet",
        "url",
        "state",
        "last_success",
        "next_poll",
        "failures",
        "http_status",
        "error",
        "entries_per_day",
        "silent_since",
        "moved_to",
    }
    assert after[1]["http_status"] == 503
    assert re.search(r"La Nuit +never_worked .*http 503", table)


def test_status_can_be_a_monitor(path: Path) -> None:
    """With `--max-age` it exits 1 until a cycle has ended within it."""
    assert call(path, "status", "--max-age", "3h").exit_code == 1

    call(path, "run")

    assert call(path, "status", "--max-age", "3h").exit_code == 0
    later = {"SOURCE_DATE_EPOCH": str(int(EPOCH) + 4 * 3600)}
    assert aggregator(path, "status", "--max-age", "3h", env=later).returncode == 1
    assert call(path, "status", "--max-age", "soon").exit_code == 2


def test_publish_prints_what_it_wrote(path: Path) -> None:
    """Nothing when nothing changed; the lost file's name when one is missing."""
    call(path, "run")
    (path.parent / "public" / "index.html").unlink()

    assert call(path, "publish").stdout == "index.html\n"
    assert json.loads(call(path, "publish", "--json").stdout) == {"files_written": []}


def test_check_is_quiet_about_good_files_and_warns_of_the_rest(path: Path) -> None:
    """Decisions on nothing known are kept and told; problems are told as JSON too."""
    curation = path.with_name("curation.toml")
    curation.write_text(
        '[[decision]]\naction = "hide"\nurl = "https://jour.example/zzz"\n'
        '[[decision]]\naction = "merge"\n'
        'urls = ["https://jour.example/a", "https://jour.example/b"]\n',
        encoding="utf-8",
    )
    call(path, "run")
    good = call(path, "check")

    assert good.exit_code == 0
    assert "2 topics, 2 outlets, 2 feeds; curation.toml: 2 decisions" in good.stderr
    assert "https://jour.example/zzz names no story" in good.stderr
    assert call(path, "check", "--json").stdout == "[]\n"

    curation.write_text('[[decision]]\naction = "hid"\n', encoding="utf-8")
    wrong = call(path, "check", "--json")

    assert wrong.exit_code == 2
    assert all(set(row) == {"file", "problem"} for row in json.loads(wrong.stdout))


def test_outlets_cannot_steer_the_terminal(tmp_path: Path, server: Server) -> None:
    """Escape sequences in a feed's text do not reach the maintainer's screen."""
    evil = rss(item("a", "Les travailleurs du clic &#27;[31m\u202e rouge"))
    path = configure(tmp_path, {"Le Jour": server.route("/jour", body=evil)})
    call(path, "run")
    shown = call(path, "search", "clic").stdout

    assert "rouge" in shown
    assert not re.search("[\x1b\u202e]", shown)


@pytest.mark.parametrize("words", [("serve",), ("demo", "--folder", "new")])
def test_what_was_published_is_served_until_ctrl_c(
    path: Path, words: tuple[str, ...]
) -> None:
    """The address stands on stdout; the page answers there; Ctrl-C is a good end."""
    call(path, "run")
    with subprocess.Popen(
        command(path, *words, "--port", "0"),
        cwd=path.parent,
        env=environment({"SSH_CONNECTION": "1.2.3.4 5 6.7.8.9 22"}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        address = process.stdout.readline().split()[0]
        page = requests.get(address, timeout=30)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)

    assert page.status_code == 200
    assert "<h1" in page.text
    assert process.returncode == 0
    assert "ssh -L" in said
    assert "Traceback" not in said


def test_help_lists_every_command_under_its_heading() -> None:
    """`-h` shows the groups of the contract; each command helps with `-h` too."""
    shown = CliRunner().invoke(main, ["-h"]).stdout

    for name, (heading, _) in COMMANDS.items():
        assert f"{heading}:" in shown
        assert re.search(rf"^  {name} +\S", shown, re.MULTILINE), name
        own = CliRunner().invoke(main, [name, "-h"])
        assert own.exit_code == 0
        assert "Usage:" in own.stdout


def test_an_unknown_command_is_a_wrong_usage() -> None:
    """Exit status 2, as for every wrong usage."""
    assert CliRunner().invoke(main, ["pol"]).exit_code == 2
