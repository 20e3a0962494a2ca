"""Stories that leave by `export` and come back by `import`, into any folder."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import Result
from conftest import Server
from hypothesis import given, settings
from hypothesis import strategies as st
from publish_cases import SITE, TOPICS
from test_decide import call
from test_recover import CURATION, DAY, HIDE, JOUR, NOW, SOIR
from test_recover_law import FEEDS, Chance
from worlds import configure, contents, rss

from aggregator import bulletin, desk, publish, run
from aggregator.config.tables import Problems
from aggregator.desk import Desk
from aggregator.exchange import rows, sheet, subscriptions
from aggregator.exchange.archive import Archive
from aggregator.lock import held
from aggregator.model import Copy, Evidence, Origin, Proof, State, Story, Verdict
from aggregator.store import Store

FORMS = ("jsonl", "csv")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Yield a folder with every kind of story, and what it exports."""
    folder = tmp_path_factory.mktemp("original")
    server = Server()
    path = configure(
        folder,
        {
            "Le Jour": server.route("/jour", body=rss(*JOUR)),
            "Le Soir": server.route("/soir", body=rss(*SOIR, title="Le Soir")),
        },
    )
    (folder / "curation.toml").write_text(CURATION + PIN)
    run.cycle(Desk.load(path), NOW)
    (folder / "curation.toml").write_text(CURATION + PIN + HIDE + COPY)
    bulletin.republish(Desk.load(path), NOW)
    for form in FORMS:
        assert aggregator(folder, "export", str(folder / f"out.{form}")).exit_code == 0
    yield folder
    server.close()


PIN = """
[[decision]]
action = "pin"
url = "https://jour.example/c"

[[decision]]
action = "keep"
url = "https://jour.example/c"

[[decision]]
action = "retag"
url = "https://jour.example/i"
topics = ["film"]
"""
COPY = """
[[decision]]
action = "add"
url = "https://jour.example/a"
title = "Invisibles"
outlet = "Le Jour"
published = 2020-02-14
topics = ["film"]
archived = "https://archive.example/a"
form = "interview"
"""


def aggregator(folder: Path, *words: str) -> Result:
    """Run a command in a folder, in this process."""
    return call(folder / "feeds.toml", *words)


def empty(original: Path, folder: Path, *, curation: bool = False) -> Path:
    """Return a folder with nothing in it but the maintainer's files."""
    folder.mkdir()
    shutil.copy(original / "feeds.toml", folder)
    if curation:
        shutil.copy(original / "curation.toml", folder)
    return folder


def exported(folder: Path, form: str) -> bytes:
    done = aggregator(folder, "export", str(folder / f"again.{form}"))
    assert done.exit_code == 0, done.output
    return (folder / f"again.{form}").read_bytes()


def stories_of(folder: Path) -> dict[str, bytes]:
    """Return what is published of stories, not of outlets and their health."""
    return {
        name: body
        for name, body in contents(folder).items()
        if not name.startswith("outlets/")
    }


def test_an_export_is_what_is_published(original: Path) -> None:
    """The same lines; the table has a column more, and the stories that are gone."""
    published = contents(original)
    table, shown = (
        [*csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))]
        for data in ((original / "out.csv").read_bytes(), published["stories.csv"])
    )

    assert (original / "out.jsonl").read_bytes() == published["stories.jsonl"]
    assert [row[:-1] for row in table[: len(shown)]] == shown
    assert [row[-1] for row in table[:1]] == ["data"]
    assert not any(any(row[1:-1]) for row in table[len(shown) :])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("curation", [True, False], ids=["decided", "undecided"])
def test_an_empty_folder_becomes_the_same(
    original: Path, tmp_path: Path, form: str, curation: bool
) -> None:
    """Every published byte, with the decisions beside the file and without them."""
    folder = empty(original, tmp_path / "new", curation=curation)
    done = aggregator(folder, "import", str(original / f"out.{form}"))

    assert done.exit_code == 0, done.output
    assert stories_of(folder) == stories_of(original)
    assert exported(folder, form) == (original / f"out.{form}").read_bytes()
    again = aggregator(folder, "import", str(original / f"out.{form}"))
    assert "10 there already; 0 files published" in again.stderr
    report = run.cycle(Desk.load(folder / "feeds.toml"), NOW)
    assert report.failed == 0
    assert stories_of(folder) == stories_of(original)


def half(original: Path, folder: Path, form: str) -> Path:
    """Return a file with the first half of the stories."""
    lines = (original / f"out.{form}").read_bytes().splitlines(keepends=True)
    path = folder / f"half.{form}"
    path.write_bytes(b"".join(lines[:5]))
    return path


@pytest.mark.parametrize("form", FORMS)
def test_what_is_there_wins_and_what_is_new_comes(
    original: Path, tmp_path: Path, form: str
) -> None:
    """Nothing is doubled, and nothing of it is news: the live feed stays as it was."""
    folder = empty(original, tmp_path / "new")
    aggregator(folder, "import", str(half(original, tmp_path, form)))
    live = contents(folder)["feed.atom"].count(b"<entry>")
    assert live > 0
    done = aggregator(folder, "import", str(original / f"out.{form}"))

    assert done.exit_code == 0, done.output
    assert contents(folder)["feed.atom"].count(b"<entry>") == live
    ours, theirs = (
        {
            story["short"]: story | {"live": True}
            for story in map(json.loads, exported(each, "jsonl").splitlines())
        }
        for each in (folder, original)
    )
    assert ours == theirs
    for name in ("index.html", "2020/index.html", "stories.bib"):
        assert contents(folder)[name] == contents(original)[name]


def test_a_folder_that_polls_the_same_outlets_doubles_nothing(
    original: Path, tmp_path: Path
) -> None:
    """What its own feeds brought stays, with its dates; the rest joins it."""
    folder = empty(original, tmp_path / "new")
    run.cycle(Desk.load(folder / "feeds.toml"), NOW)
    before = {
        story["short"]: story
        for story in map(json.loads, exported(folder, "jsonl").splitlines())
    }
    done = aggregator(folder, "import", str(original / "out.jsonl"))
    after = [json.loads(line) for line in exported(folder, "jsonl").splitlines()]

    assert done.exit_code == 0, done.output
    assert {story["short"]: story for story in after}.items() >= before.items()
    urls = [story["url"] for story in after if story["url"]]
    assert len(urls) == len(set(urls))
    assert "Au journal télévisé" in done.stdout


def test_stories_of_other_rules_are_kept(original: Path, tmp_path: Path) -> None:
    """What no line of this folder finds comes by a decision, past the brake."""
    folder = empty(original, tmp_path / "new")
    path = folder / "feeds.toml"
    text = path.read_text().replace('"travailleurs du clic"', '"vieux métiers"')
    path.write_text(f"{text}\n[matching]\nbrake = 1\n")
    run.cycle(Desk.load(path), NOW)
    done = aggregator(folder, "import", str(original / "out.jsonl"))

    assert done.exit_code == 0, done.output
    assert 'action = "keep"' in (folder / "curation.toml").read_text()
    page = contents(folder)["topics/film/index.html"].decode()
    assert "Dans les coulisses du tri des images" in page
    for _ in range(2):
        run.cycle(Desk.load(path), NOW)
    assert contents(folder)["topics/film/index.html"].decode() == page


def test_a_topic_of_this_folder_finds_its_stories(
    original: Path, tmp_path: Path
) -> None:
    """What is restored mentions what the lines of today say, polled before or not."""
    for polled in (True, False):
        folder = empty(original, tmp_path / f"new{polled}")
        path = folder / "feeds.toml"
        topic = '[[topics]]\nid = "vies"\ntitle = "Vies"\nmatch = ["vie"]\n'
        path.write_text(path.read_text().replace("[outlets]", f"{topic}[outlets]"))
        if polled:
            bulletin.republish(Desk.load(path), NOW)
        aggregator(folder, "import", str(original / "out.jsonl"))

        assert "la vie des" in contents(folder)["topics/vies/index.html"].decode()
        assert 'topics = ["film", "vies"]' not in (folder / "curation.toml").read_text()


def test_a_story_that_waits_is_told(original: Path, tmp_path: Path) -> None:
    """What is there wins, but its maintainer may want to know."""
    folder = empty(original, tmp_path / "new")
    run.cycle(Desk.load(folder / "feeds.toml"), NOW)
    done = aggregator(folder, "import", str(original / "out.jsonl"))
    told = re.findall(
        r"out\.jsonl: story (\w{8}) is there already, waiting", done.stderr
    )

    assert len(told) == 1
    assert f"`aggregator keep {told[0]}`" in done.stderr


def test_a_lost_database_is_restored_before_anything_comes(
    original: Path, tmp_path: Path
) -> None:
    """Else what was published would be taken for what there is no more."""
    folder = shutil.copytree(original, tmp_path / "new")
    for path in folder.glob("aggregator.db*"):
        path.unlink()
    table = folder / "one.csv"
    table.write_text(
        "title,outlet,published,topics\nUne autre,La Nuit,2020-02-14,film\n"
    )
    done = aggregator(folder, "import", str(table))

    assert "aggregator.db was lost: 9 stories restored" in done.stderr
    assert "1 article added" in done.stderr
    assert contents(folder)["stories.jsonl"].count(b"\n") == 11


BAD: dict[str, tuple[bytes, bytes]] = {
    "no JSON": (b"{", b"Bonjour {"),
    "is no short id": (b'"short": "', b'"short": "../'),
    "is no web address": (b'"url": "https:', b'"url": "javascript:'),
    "no topic \"flim\"; did you mean 'film'?": (
        b'"topics": ["film"',
        b'"topics": ["flim"',
    ),
    "the year 1": (b'"published_at": "2020', b'"published_at": "0001'),
    "`added_at`: 2999-": (b'"added_at": "2026', b'"added_at": "2999'),
    "published, but under no topic": (b'"topics": ["film"]', b'"topics": []'),
    "half a character": (b'"outlet": "', b'"outlet": "\\ud800'),
    "`spans`: -5": (b'"spans": [[', b'"spans": [[-5, 2], ['),
    "is unknown; known here: article": (b'"form": ""', b'"form": "news"'),
}


@pytest.mark.parametrize("said", BAD)
def test_every_bad_line_is_told_and_nothing_comes(
    original: Path, tmp_path: Path, said: str
) -> None:
    """Each with its file and line; the database is not even made."""
    folder = empty(original, tmp_path / "new")
    lines = (original / "out.jsonl").read_bytes().splitlines()
    bad = [place for place, line in enumerate(lines) if BAD[said][0] in line][:2]
    assert len(bad) == 2
    for place in bad:
        lines[place] = lines[place].replace(*BAD[said], 1)
    (folder / "bad.jsonl").write_bytes(b"\n".join(lines))
    done = aggregator(folder, "import", str(folder / "bad.jsonl"))

    assert (done.exit_code, done.stdout) == (2, "")
    told = done.stderr.splitlines()[1:]
    assert [line.strip().split(": ")[0] for line in told] == [
        f"bad.jsonl:{place + 1}" for place in bad
    ]
    assert all(said in line for line in told)
    assert {path.name for path in folder.iterdir()} == {"feeds.toml", "bad.jsonl"}


def test_an_edited_cell_is_told(original: Path, tmp_path: Path) -> None:
    """What counts is the row's `data`: an edit would be lost without a word."""
    folder = empty(original, tmp_path / "new")
    table = (original / "out.csv").read_bytes()
    (folder / "out.csv").write_bytes(table.replace(b"haute couture", b"mode", 1))
    done = aggregator(folder, "import", str(folder / "out.csv"))

    assert done.exit_code == 2
    assert ": title: " in done.stderr
    assert 'was "Les petites mains de la haute couture"' in done.stderr
    assert not (folder / "public").exists()


def test_a_spreadsheet_may_save_the_table_in_its_own_way(
    original: Path, tmp_path: Path
) -> None:
    """Semicolons, other quotes, dates of the country: the stories are the same."""
    folder = empty(original, tmp_path / "new")
    text = (original / "out.csv").read_text("utf-8-sig")
    found = [*csv.DictReader(text.splitlines())]
    with (folder / "out.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(
            file, found[0], delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\n"
        )
        writer.writeheader()
        for row in found:
            year, _, rest = row["published"].partition("-")
            writer.writerow(row | {"published": f"{rest}/{year}"})
    done = aggregator(folder, "import", str(folder / "out.csv"))

    assert done.exit_code == 0, done.output
    assert stories_of(folder) == stories_of(original)


def test_an_import_waits_for_a_cycle(original: Path, tmp_path: Path) -> None:
    """It publishes, and so it takes the lock of what publishes."""
    folder = empty(original, tmp_path / "new")
    words = "import", str(original / "out.jsonl")
    with ThreadPoolExecutor(1) as threads:
        with held(folder / "aggregator.db", "cycle"):
            done = threads.submit(aggregator, folder, *words)
            with pytest.raises(TimeoutError):
                done.result(0.2)
            assert not (folder / "aggregator.db").exists()

        assert done.result().exit_code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("export", "out.docx"), "the ending says the form; write one of .csv, .jsonl"),
        (("import", "in.bib"), "the ending says the form; write one of .csv, .jsonl"),
        (("import", "none.csv"), "the file cannot be read: no such file or directory"),
        (("import", "a.csv", "--topic", "flim"), "no topic is called 'flim'; did you"),
    ],
)
def test_what_cannot_be_done_is_told(
    original: Path, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    """In one line, with status 2."""
    folder = empty(original, tmp_path / "new")
    done = aggregator(folder, *words)

    assert done.exit_code == 2
    assert said in done.stderr


def test_an_export_replaces_a_file_at_once(original: Path, tmp_path: Path) -> None:
    """Where it cannot, status 1, and what stood there stays."""
    folder = shutil.copytree(original, tmp_path / "copy")
    assert aggregator(folder, "export", str(folder / "o.bib")).exit_code == 0
    assert (folder / "o.bib").read_bytes() == contents(folder)["stories.bib"]
    done = aggregator(folder, "export", str(folder / "none" / "o.csv"))

    assert done.exit_code == 1
    assert "cannot be written: no such file" in done.stderr
    assert not [*folder.glob(".*")]


@pytest.mark.parametrize("seed", [7, 30])
def test_any_world_comes_back_from_its_stories_alone(
    tmp_path: Path, server: Server, seed: int
) -> None:
    """Whatever was merged, split, kept or hidden there, without its decisions."""
    chance = Chance(seed)
    folder = tmp_path / "world"
    folder.mkdir()
    feeds = {
        name: server.route(
            f"/{name}", body=rss(*(chance.entry(name, n) for n in range(8)), title=name)
        )
        for name in FEEDS
    }
    path = configure(folder, feeds)
    run.cycle(Desk.load(path), NOW - 2 * DAY)
    with Store(folder / "aggregator.db") as store:
        told = desk.stories(store, Desk.load(path))
    tables = (chance.decision(told) for _ in range(6))
    (folder / "curation.toml").write_text("\n".join(tables))
    bulletin.republish(Desk.load(path), NOW)
    new = empty(folder, tmp_path / "new")
    table = tmp_path / "stories.csv"
    assert aggregator(folder, "export", str(table)).exit_code == 0
    done = aggregator(new, "import", str(table))

    assert done.exit_code == 0, done.output
    assert stories_of(new) == stories_of(folder)


# ── the law ───────────────────────────────────────────────────────────────────────────

TEXTS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]), max_size=30
) | st.sampled_from(["=1+1", "'=x", "'", "@a", "-2", "a;b,c\td", '"', "＝1", "« à »"])
TIMES = st.integers(-5_000_000_000, 32_000_000_000).map(
    lambda second: datetime.fromtimestamp(second, UTC)
)
URLS = st.sampled_from(["", "https://a.example/1", "http://b.example/é?x=1&y='"])
TOPIC = ("film",)
END = datetime(2999, 1, 1, tzinfo=UTC)


@st.composite
def stories(draw: st.DrawFn) -> Story:
    """Return a published story of any words."""
    at, url, title = draw(TIMES), draw(URLS), draw(TEXTS)
    made = draw(st.lists(TEXTS, min_size=7, max_size=7))
    proof = Proof("film", Verdict.CERTAIN, "match", made[0], "title")
    return Story(
        short=draw(st.text("abc234", min_size=8, max_size=8)),
        state=State.PUBLISHED,
        title=title,
        url=url,
        outlet=made[1],
        published_at=at,
        topics=TOPIC,
        copies=(Copy(made[1], url, title, at),),
        author=made[2],
        summary=made[3],
        note=made[4],
        detail=made[5],
        archived=draw(URLS),
        evidence=(Evidence("film", made[0], "title", made[6], certain=True),),
        added_at=draw(TIMES),
        updated_at=draw(TIMES),
        pinned=draw(st.booleans()),
        entries=(
            Origin(draw(TEXTS), at, "https://f.example/", url=url, mentions=(proof,)),
        ),
    )


@settings(deadline=None, max_examples=60)
@given(its=st.lists(stories(), max_size=3, unique_by=lambda story: story.short))
def test_any_published_stories_come_back_from_a_table(its: list[Story]) -> None:
    """The rows are the lines: the same stories, publishing the same bytes."""
    its = [
        replace(one, entries=(replace(one.entries[0], key=f"{n}"),))
        for n, one in enumerate(its)
    ]
    documents = publish.research(SITE, TOPICS, its)
    problems = Problems()
    table = sheet.read(
        documents["stories.csv"], "a", rows.COLUMNS, rows.REQUIRED, problems
    )
    restored = Archive("a", TOPIC, END, problems)
    found = [story for story in map(restored.row, table) if story]
    lines = Archive("b", TOPIC, END, problems).lines(documents["stories.jsonl"])

    assert problems.lines == []
    assert {*found} == {*lines}
    assert publish.research(SITE, TOPICS, found) == documents


@settings(deadline=None, max_examples=80)
@given(data=st.binary(max_size=300), form=st.sampled_from(["jsonl", "csv", "opml"]))
def test_no_file_is_too_broken_to_be_told(data: bytes, form: str) -> None:
    """Whatever the bytes, there are stories, outlets or problems, and no fault."""
    problems = Problems()
    if form == "jsonl":
        Archive("a", TOPIC, END, problems).lines(data)
    elif form == "opml":
        subscriptions.read(data, "a", problems)
    else:
        head = b"title,outlet,published,data\n"
        table = sheet.read(head + data, "a", rows.COLUMNS, rows.REQUIRED, problems)
        restored = Archive("a", TOPIC, END, problems)
        found = [restored.row(row) for row in table if "data" in row.cells]
        assert not any(found)
    assert all("\n" not in line for line in problems.lines)
