"""The scripts under benchmarks/: on a corpus of our own, and that they see faults."""

from __future__ import annotations

import json
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"

RSS = """\
<?xml version="1.0"?><rss version="2.0"><channel><title>Essai</title>
<link>http://essai.invalid/</link><description>x</description>{items}</channel></rss>
"""
ITEM = """\
<item><title>{title}</title><link>http://essai.invalid/{slug}</link>
<guid>http://essai.invalid/{slug}</guid><pubDate>{date}</pubDate></item>
"""
JSON = """\
{"version": "https://jsonfeed.org/version/1.1", "title": "Essai", "items": [
 {"id": "1", "url": "http://essai.invalid/j", "title": "Un <b>pas</b> & un autre",
  "date_published": "2024-01-03T10:00:00+01:00"}]}
"""
MONDAY = "Mon, 01 Jan 2024 08:00:00 +0100"
LATER = "Mon, 01 Jan 2024 11:00:00 +0100"


def item(slug: str, title: str, date: str = MONDAY) -> str:
    return ITEM.format(slug=slug, title=title, date=date)


def rss(*items: str) -> str:
    return RSS.format(items="".join(items))


def run(script: str, corpus: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """Run a script as its docstring says."""
    command = [sys.executable, str(BENCHMARKS / script), "--corpus", str(corpus)]
    command += more
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[ModuleType, ...]]:
    """Import the scripts as they import each other."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    names = ("corpus_feeds", "corpus_series", "played", "mentions", "mentions_world")
    yield tuple(import_module(name) for name in names)
    for name in (*names, "disturbed"):
        sys.modules.pop(name)


def test_the_feeds_of_a_corpus_are_stored_and_left_alone(tmp_path: Path) -> None:
    """Every entry is found again, the second run is idle, and the table says so."""
    folder = tmp_path / "feeds" / "dev"
    folder.mkdir(parents=True)
    (folder / "a.xml").write_text(rss(item("1", "L’un &amp;amp; l’autre")), "utf-8")
    (folder / "b.json").write_text(JSON, "utf-8")
    (folder / "c.xml").write_text("<html>no feed</html>")

    done = run("corpus_feeds.py", tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "all\t3\t2\t2\t2\t2\t0" in done.stdout
    assert "fails: c.xml" in done.stdout
    assert "no miss" in done.stdout


def test_a_series_is_played_without_loss_or_repetition(tmp_path: Path) -> None:
    """Entries that scroll off, change their title or stay are each stored once."""
    folder = tmp_path / "series" / "essai"
    folder.mkdir(parents=True)
    first = rss(item("1", "Un premier"), item("2", "Un deuxième"))
    second = rss(item("2", "Un deuxième, corrigé", LATER), item("3", "Un troisième"))
    (folder / "2024-01-01T1000.xml").write_text(first, "utf-8")
    (folder / "2024-01-01T1200.xml").write_text(second, "utf-8")

    done = run("corpus_series.py", tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "essai\t4\t4\t3\t1\t3" in done.stdout
    assert "nothing lost, nothing twice" in done.stdout


def test_a_series_is_played_disturbed(tmp_path: Path) -> None:
    """Whatever is done to the whole feed, each article is published once."""
    folder = tmp_path / "series" / "essai"
    folder.mkdir(parents=True)
    first = rss(item("1", "Un premier"), item("2", "Un deuxième"))
    second = rss(item("2", "Un deuxième, corrigé", LATER), item("3", "Un troisième"))
    (folder / "2024-01-01T1000.xml").write_text(first, "utf-8")
    (folder / "2024-01-02T1200.xml").write_text(second, "utf-8")

    done = run("corpus_series.py", tmp_path, "--disturb", "all")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "essai\t3\t3\t0\t0\t" in done.stdout


def test_hostile_outlets_cost_little_and_nobody_else() -> None:
    """All kinds of them at once: bounded memory, each its own failure, no entity."""
    script = str(BENCHMARKS / "hostile.py")
    done = subprocess.run(
        [sys.executable, script, "--only", "many-hosts"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "many-hosts" in done.stdout
    assert "0 broken, 0 external entities fetched" in done.stdout


def test_skimming_is_compared_with_feedparser(tmp_path: Path) -> None:
    """What is skimmed is counted and read both ways, and is worth it."""
    folder = tmp_path / "feeds" / "dev"
    folder.mkdir(parents=True)
    (folder / "a.xml").write_text(rss(item("1", "L’un"), item("2", "L’autre")), "utf-8")
    (folder / "b.xml").write_text("<html>no feed</html>")

    done = run("skimming.py", tmp_path, "--made", "1")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 of 1 documents are skimmed, that is 2 of 2 entries" in done.stdout
    assert "0 read otherwise" in done.stdout


def test_damaged_documents_make_no_poll_raise(tmp_path: Path) -> None:
    """Whatever is wrong with a document, its poll ends in time, with a reason."""
    folder = tmp_path / "feeds" / "dev"
    folder.mkdir(parents=True)
    (folder / "a.xml").write_text(rss(item("1", "L’un"), item("2", "L’autre")), "utf-8")
    (folder / "b.json").write_text(JSON, "utf-8")
    script = str(BENCHMARKS / "mutated.py")
    done = subprocess.run(
        [sys.executable, script, "--documents", "200", "--corpus", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "200 documents, seed 1" in done.stdout
    assert "0 faults" in done.stdout


def a_line(group: str, place: int, outlet: str, **fields: str) -> str:
    """Return a line of a corpus of duplicates."""
    one = {
        "group": group,
        "id": f"{group}-{place}",
        "outlet": outlet,
        "url": f"https://{outlet.lower()}.invalid/{group}",
        "title": "Un titre de cinq mots",
        "summary": "",
        "published": f"2024-01-01T{10 + place}:00:00+01:00",
        "kind": "essai",
        "family": group,
    }
    return json.dumps(one | fields)


@pytest.mark.parametrize(
    ("lines", "status", "counts"),
    [
        (
            [
                a_line("a", 1, "Jour"),
                a_line("a", 2, "Jour", url="http://www.jour.invalid/a?utm_source=x"),
                a_line("b", 1, "Soir", title="Autre chose"),
            ],
            0,
            "all\t1\t0\t0\t0\t0",
        ),
        (
            [
                a_line("a", 1, "Jour"),
                a_line("b", 2, "Jour", title="Un titre de cinq mots"),
            ],
            1,
            "all\t0\t0\t0\t1\t0",
        ),
        (
            [a_line("a", n, f"Jour {n}", title=f"Sans rapport {n}") for n in (1, 2, 3)],
            1,
            "all\t0\t0\t3\t0\t0",
        ),
    ],
    ids=["right", "wrong join", "missed"],
)
def test_pairs_of_copies_are_counted(
    tmp_path: Path, lines: list[str], status: int, counts: str
) -> None:
    """What is joined, missed and wrongly joined is seen in every play."""
    (tmp_path / "duplicates-dev.jsonl").write_text("\n".join(lines), "utf-8")

    done = run("duplicates.py", tmp_path)

    assert done.returncode == status, done.stdout + done.stderr
    assert done.stdout.count(counts) == 3, done.stdout


def test_placing_finds_copies_and_tells_its_cost() -> None:
    """Copies among a few hundred stories are found again, and the cost is told."""
    script = str(BENCHMARKS / "placing.py")
    few = ["--stories", "300", "--more", "60", "--limit", "1000"]
    done = subprocess.run(
        [sys.executable, script, *few], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "300 stories" in done.stdout
    assert "0 copies have not found their story" in done.stdout


def test_publishing_is_timed_and_compared() -> None:
    """Sixty stories make a folder that is the same each time, and its cost is told."""
    script = str(BENCHMARKS / "publishing.py")
    few = ["--stories", "60", "--runs", "1", "--limit", "60"]
    done = subprocess.run(
        [sys.executable, script, *few], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "60 published, 3 hidden" in done.stdout
    assert re.search(
        r"^unchanged\t.* s of processor\t0 files$", done.stdout, re.MULTILINE
    )


@pytest.mark.parametrize(("most", "status"), [(10_000, 0), (0, 1)])
def test_recording_is_timed(most: int, status: int) -> None:
    """Each kind of poll has its figure, and brings what it says; too slow fails."""
    script = str(BENCHMARKS / "recording.py")
    few = ["--feeds", "4", "--gone", "50", "--others", "3"]
    few += ["--first", "10000", "--usual", str(most)]
    done = subprocess.run(
        [sys.executable, script, *few], capture_output=True, text=True, check=False
    )
    rows = [row.split("\t") for row in done.stdout.splitlines()[:4]]

    assert done.returncode == status, done.stdout + done.stderr
    assert [(name, new) for name, _, _, new in rows] == [
        ("first polls", "200 new"),
        ("usual polls", "8 new"),
        ("two retitled", "8 new"),
        ("guids renewed", "0 new"),
    ]
    assert all(0 < float(told.split()[0]) < 10_000 for _, told, _, _ in rows)


def test_each_lack_of_an_entry_is_named(scripts: tuple[ModuleType, ...]) -> None:
    """What is stored with another title, link or date is a miss, and which one."""
    feeds, _series, played, *_ = scripts
    entry = played.Expected("g", "http://x.invalid/a?b=%C3%A9", "Été !", 100, 200)

    def lack(url: str, title: str, at: int, updated: int) -> str:
        row = played.Row("k", url, title, at, updated, "")
        found: str = feeds.lacks(entry, [row])
        return found

    assert lack("http://x.invalid/a?b=é", "<i>É</i>té&nbsp;!", 100, 200) == ""
    assert lack("http://x.invalid/a", "Été", 100, 200) == "link"
    assert lack("http://x.invalid/a?b=é", "Hiver", 100, 200) == "title"
    assert lack("http://x.invalid/a?b=é", "Été", 1, 200) == "published"
    assert lack("http://x.invalid/a?b=é", "Été", 100, 2) == "updated"
    assert feeds.lacks(entry, []) == "title"


def test_a_second_run_that_did_something_is_reported(
    scripts: tuple[ModuleType, ...],
) -> None:
    """New entries, written files and other failures are each one problem."""
    feeds = scripts[0]
    first = {"polled": 3, "failed": 1, "unchanged": 0, "new_entries": 5}
    idle = {"polled": 3, "failed": 1, "unchanged": 2, "new_entries": 0}
    busy = {"polled": 3, "failed": 0, "unchanged": 2, "new_entries": 1}

    assert feeds.second_run(first, idle | {"files_written": 0}, set()) == []
    assert len(feeds.second_run(first, busy | {"files_written": 2}, {"feed.atom"})) == 4


def test_a_reused_address_is_no_new_title(scripts: tuple[ModuleType, ...]) -> None:
    """An article may be retitled the same day; a day later it is another one."""
    _feeds, series, played, *_ = scripts
    entry = played.Expected("g", "http://x.invalid/a", "Lundi", 1_000_000, None)
    row = played.Row("g", "http://x.invalid/a", "Corrigé", 1_003_600, None, "s")
    next_day = played.Row("g", "http://x.invalid/a", "Mardi", 1_086_400, None, "s")

    assert series.retitled(entry, [row])
    assert not series.retitled(entry, [next_day])
    assert not series.retitled(entry, [])


def test_what_is_there_twice_is_seen(scripts: tuple[ModuleType, ...]) -> None:
    """Same address, words and day is once too often; another day is not."""
    twice = scripts[1].twice
    one = ("http://x.invalid/a", "Météo", 1_000_000)

    assert twice([one, ("http://x.invalid/a", "Météo", 1_090_000)]) == []
    assert twice([one, ("http://x.invalid/a", "« Météo »", 1_000_060)]) != []


SHIPPED = """\
[site]
title = "Essai"
url = "https://essai.invalid/"
[[topics]]
id = "documentaire"
title = "Le documentaire"
match = ['invisibles AND clic', "série inconnue"]
never = ["masiero"]
[[topics]]
id = "auteur"
title = "L’auteur"
match = "casilli"
[[topics]]
id = "livreurs"
title = "Les livreurs"
match = ['livreurs AND grève']
review = ["livreurs"]
[outlets]
"L’Écho" = { url = "https://echo.invalid/feed", topics = ["documentaire"] }
"""


def labelled(number: int, outlet: str, title: str, *topics: str) -> str:
    """Return a line of a corpus of mentions; without topics, what is not relevant."""
    return json.dumps(
        {
            "id": f"m{number}",
            "outlet": outlet,
            "title": title,
            "summary": "&#201;t&eacute; <b>2020</b>",
            "url": f"https://essai.invalid/{number}" if number else "",
            "published": "2020-02-14T08:00:00+01:00",
            "topics": topics,
            "relevant": bool(topics),
            "borderline": number == 5,
        }
    )


def a_corpus(folder: Path, *lines: str) -> tuple[str, ...]:
    """Write a corpus of mentions; return the arguments that name a feeds.toml."""
    (folder / "mentions-dev.jsonl").write_text("\n".join(lines), "utf-8")
    (folder / "feeds.toml").write_text(SHIPPED, "utf-8")
    return "--feeds", str(folder / "feeds.toml")


def test_mentions_are_counted_by_topic_and_by_line(tmp_path: Path) -> None:
    """What is published, waits or is set aside shows with the lines that did it."""
    feeds = a_corpus(
        tmp_path,
        labelled(0, "L'Écho", "« Invisibles », du cl&#105;c", "documentary"),
        labelled(1, "L'Écho", "Casilli et les robots"),  # not looked for there
        labelled(2, "Le Jour", "Casilli et les robots", "author"),
        labelled(3, "Le Jour", "Grève des livreurs", "riders", "microwork"),
        labelled(4, "Le Soir", "Les livreurs de pizza"),
        labelled(5, "Le Soir", "Invisibles, clic, Masiero"),
        labelled(6, "Le Jour", "Un entretien avec Casilli", "author"),
    )

    done = run("mentions.py", tmp_path, *feeds)
    rows = done.stdout.splitlines()

    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 items" in rows
    assert "6 without borderline ones" in rows
    assert "documentaire\t1\t1\t1.00\t0.27–1.00\t0\t1\t0\t1.00\t0.27–1.00\t1" in rows
    assert "waiting livreurs\tm4\tnot relevant\tLes livreurs de pizza" in rows
    assert any(row.startswith("waiting documentaire\tm5") for row in rows)
    assert "documentaire\tmatch\t1\t1\t1\t1\tinvisibles AND clic" in rows
    assert "documentaire\tmatch\t0\t0\t0\t0\tsérie inconnue" in rows
    assert "documentaire\tnever\t0\t1\t0\t1\tmasiero" in rows
    assert "livreurs\treview\t1\t1\t0\t1\tlivreurs" in rows
    assert rows[-1] == "all bounds hold"


def test_too_many_errors_are_a_failure(tmp_path: Path) -> None:
    """Two wrong core publications and two lost ones exceed the bounds, by name."""
    feeds = a_corpus(
        tmp_path,
        labelled(1, "Le Jour", "Casilli remporte le rallye"),
        labelled(2, "Le Soir", "Casilli signe à Lecce"),
        labelled(3, "Le Jour", "Un sociologue parle du clic", "author"),
        labelled(4, "Le Soir", "Une enquête sur les robots", "author"),
    )

    once = run("mentions.py", tmp_path, *feeds)
    twice = run("mentions.py", tmp_path, *feeds, "--times", "2")

    assert once.returncode == 1
    assert "core, wrong: 2, at most 1 allowed" in once.stdout
    assert "core, not found: 2, at most 1 allowed" in once.stdout
    assert twice.returncode == 0, twice.stdout


def test_the_interval_is_wilsons(scripts: tuple[ModuleType, ...]) -> None:
    """As published for 8 of 10 at 90 %: 0.541 to 0.931; nothing known of nothing."""
    wilson = scripts[3].wilson
    least, most = wilson(8, 10)

    assert (round(least, 3), round(most, 3)) == (0.541, 0.931)
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(("least", "status"), [(1, 0), (10**9, 1)])
def test_the_matcher_is_timed(tmp_path: Path, least: int, status: int) -> None:
    """Each size of batch has its line; too slow a matcher is a failure."""
    feeds = tmp_path / "feeds.toml"
    feeds.write_text(SHIPPED, "utf-8")
    command = [sys.executable, str(BENCHMARKS / "matching.py"), "--feeds", str(feeds)]
    command += ["--entries", "2000", "--least", str(least)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == status, done.stdout + done.stderr
    assert "50 topics" in done.stdout
    sizes = [row.partition("\t")[0] for row in done.stdout.splitlines()[2:6]]
    assert sizes == ["20", "100", "1000", "2000"]


@pytest.mark.parametrize(("most", "status"), [("60", 0), ("0", 1)])
def test_adding_outlets_is_timed(
    most: str,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each step has its seconds; one that takes too long is a failure."""
    words = ["roster.py", "--outlets", "20", "--most", most]
    monkeypatch.setattr(sys, "argv", words)
    script = runpy.run_path(str(BENCHMARKS / "roster.py"))

    assert script["main"]() == status
    told = capsys.readouterr().out
    assert re.search(
        r"^20 more: \d+\.\d\d s \(20 new, 0 longer, 0 known\)$", told, re.MULTILINE
    )
    assert told.endswith("every line kept\n")


def test_programs_are_compared_on_the_same_feeds() -> None:
    """Each state has a line for each program that is there; who is missing is named."""
    command = [sys.executable, str(BENCHMARKS / "peers.py"), "--feeds", "3"]
    command += ["--runs", "1", "--peers", "newsboat,reader"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": ""},  # where no newsboat is
    )
    rows = [row.split("\t") for row in done.stdout.splitlines() if "\t" in row]

    assert done.returncode == 0, done.stdout + done.stderr
    assert "missing: newsboat is not installed" in done.stdout
    assert [tuple(row[:2]) for row in rows[1:]] == [
        (state, program)
        for state in ("first poll", "two new", "304", "sent again")
        for program in ("ours", "reader")
    ], done.stdout
    # not the feeds a second, of which a busy machine may poll next to none
    assert all(float(figure) > 0 for row in rows[1:] for figure in row[4:8])


def test_what_did_not_do_the_work_is_not_timed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A program that fails, asks for too little or keeps too little is no figure."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    peers, commands = import_module("peers"), import_module("peers_commands")
    first = peers.STATES[0]

    class Idle(commands.Ours):  # type: ignore[name-defined,misc]
        code = ""

        def command(self, folder: Path) -> list[str]:
            return [sys.executable, "-c", self.code, str(folder)]

        def stored(self, _folder: Path) -> int:
            return 7

    with peers.playing(2) as server:
        idle = Idle()
        asking = f"from urllib.request import urlopen as o; o('{server.urls[0]}')"
        told = []
        for code in ("exit(3)", "", asking, f"{asking}; o('{server.urls[1]}')"):
            idle.code = code
            told.append(peers.timed(idle, first, tmp_path, server))

    assert told == [
        "ended with 3: ",
        "asked for 0 feeds of 2",
        "asked for 1 feeds of 2",
        "keeps 7 entries of 100",
    ]
