"""A table that a person wrote: its articles are added, and published."""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Callable
from datetime import date, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from conftest import Server
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from needs import shared
from test_exchange import aggregator
from test_recover import NOW
from worlds import configure, contents, item, rss

from aggregator import bulletin, run
from aggregator.config.tables import Problems
from aggregator.desk import Desk, stories
from aggregator.exchange import sheet
from aggregator.model import State
from aggregator.publish import tables
from aggregator.store import Store

ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder in which nothing was polled yet."""
    configure(tmp_path, {"Le Jour": "https://jour.example/rss"})
    return tmp_path


def imported(folder: Path, table: str | bytes, *words: str) -> Result:
    data = table.encode() if isinstance(table, str) else table
    (folder / "liste.csv").write_bytes(data)
    return aggregator(folder, "import", str(folder / "liste.csv"), *words)


def decided(folder: Path) -> list[dict[str, object]]:
    """Return the tables of curation.toml, but for when they were written."""
    path = folder / "curation.toml"
    found: list[dict[str, object]] = (
        tomllib.loads(path.read_text())["decision"] if path.exists() else []
    )
    return [{k: v for k, v in one.items() if k != "at"} for one in found]


def listed(folder: Path) -> list[str]:
    """Return the press list of the front page, as one reads it."""
    page = contents(folder)["index.html"].decode()
    items = re.findall(r"<li[^>]* id=.*?</li>", page, re.DOTALL)
    words = (unescape(re.sub(r"<[^>]+>", "", one)) for one in items)
    return [re.sub(r"\s+", " ", one).strip() for one in words]


TABLE = """\
published;title;outlet;url;topics;form;detail;author;excerpt;note;archived;pinned;id
14/02/2020;"« Mains » ; un ""mot"" dit";La Gazette;;film;paper;n° 553;;;;;;
2019-11;Une question;Le Soir;https://soir.example/q;film, livreurs;web;;Anne M.;\
Un mot.;À lire;https://archive.example/q;oui;tag:site.example,2026:presse/abc
1/2/2020;Au journal;TV 2;;livreurs;tv;;;;;;;jt-2020
"""
WANTED = [
    {
        "action": "add",
        "title": '« Mains » ; un "mot" dit',
        "outlet": "La Gazette",
        "published": date(2020, 2, 14),
        "topics": ["film"],
        "form": "paper",
        "detail": "n° 553",
    },
    {
        "action": "add",
        "url": "https://soir.example/q",
        "title": "Une question",
        "outlet": "Le Soir",
        "published": "2019-11",
        "topics": ["film", "livreurs"],
        "author": "Anne M.",
        "excerpt": "Un mot.",
        "archived": "https://archive.example/q",
    },
    {"action": "note", "url": "https://soir.example/q", "text": "À lire"},
    {"action": "pin", "url": "https://soir.example/q"},
    {
        "action": "add",
        "id": "jt-2020",
        "title": "Au journal",
        "outlet": "TV 2",
        "published": date(2020, 2, 1),
        "topics": ["livreurs"],
        "form": "tv",
    },
]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_rows_become_additions(folder: Path, encoding: str, end: str) -> None:
    """Whatever spreadsheet saved them; and a second time there is nothing to add."""
    data = TABLE.replace("\n", end).encode(encoding)
    done = imported(folder, data)

    assert done.exit_code == 0, done.output
    assert decided(folder) == WANTED
    assert done.stdout.splitlines() == [
        '2020-02-14  La Gazette: « Mains » ; un "mot" dit',
        "2019-11  Le Soir: Une question",
        "2020-02-01  TV 2: Au journal",
    ]
    assert "3 articles added, 2 other decisions written; " in done.stderr
    again = imported(folder, data)
    assert again.stderr == "3 there already; 0 files published in public\n"
    assert decided(folder) == WANTED


def test_a_lost_database_and_folder_leave_the_additions(folder: Path) -> None:
    """They are text: under the same ids, with the same words and topics."""
    imported(folder, TABLE)
    before = contents(folder)
    for path in folder.glob("aggregator.db*"):
        path.unlink()
    (folder / "public").rename(folder / "gone")
    bulletin.republish(Desk.load(folder / "feeds.toml"), NOW)

    assert contents(folder)["stories.jsonl"] == before["stories.jsonl"]


def test_nothing_imported_is_news(folder: Path) -> None:
    """An article of yesterday counts as added then: page and archive, not the feed."""
    day = (NOW - timedelta(days=1)).date()
    imported(folder, f"title,outlet,published,topics\nHier,La Nuit,{day},film\n")

    assert listed(folder) == ["(22 nov. 2026) Hier, La Nuit."]
    assert b"<entry>" not in contents(folder)["feed.atom"]
    assert b"Hier" in contents(folder)["archive/2026-11.atom"]
    run.cycle(Desk.load(folder / "feeds.toml"), NOW)
    assert b"<entry>" not in contents(folder)["feed.atom"]


def test_what_turns_a_page_about_is_not_published(folder: Path) -> None:
    """Marks of reading direction go, as from any text; markup is words."""
    title = "Vu \u202eà l’envers <b onclick='x'>"
    imported(folder, f"title,outlet,published,topics\n{title},A,2020-02-14,film\n")

    assert listed(folder) == ["(14 févr. 2020) Vu à l’envers <b onclick='x'>, A."]
    for name, body in contents(folder).items():
        if not name.startswith("stories."):  # data, which says what stood there
            assert "\u202e".encode() not in body
            assert not name.endswith("html") or b"<b onclick" not in body


def test_an_import_that_was_killed_is_completed(folder: Path) -> None:
    """Its additions are written down first; they are no news for that."""
    day = (NOW - timedelta(days=1)).date()
    table = f"title,outlet,published,topics\nHier,La Nuit,{day},film\n"
    imported(folder, table)
    for path in folder.glob("aggregator.db*"):
        path.unlink()
    shutil.rmtree(folder / "public")
    done = imported(folder, table)

    assert done.stderr.startswith("1 there already; ")
    assert len(decided(folder)) == 1
    assert listed(folder) == ["(22 nov. 2026) Hier, La Nuit."]
    assert b"<entry>" not in contents(folder)["feed.atom"]


BAD = """\
title,outlet,published,url,topics,form,id
,Le Soir,2020-02-14,,film,,
Un,,2020-13-14,,film,,
Deux,Le Soir,hier,javascript:alert(1),flim,,
"Trois
sur deux lignes",Le Soir,02/14/2020,,film,telly,deux mots
Quatre,Le Soir,2020-02-14,,,,
Cinq,Le Soir,2020-02-14,,film,,,de trop
Six,Le Soir,2020-02-14,https://soir.example/6,film,,
Sept,Le Soir,2020-02-14,http://www.soir.example/6?utm_source=x,film,,
"""


def test_every_bad_row_is_told_at_once(folder: Path) -> None:
    """Where, what was read, what was expected; the good ones are not imported."""
    done = imported(folder, BAD)
    told = [line.split(":", 2)[1:] for line in done.stderr.splitlines()[1:]]
    wanted = (
        (2, "title: is empty; write its title"),
        (3, "outlet: is empty; write its outlet, as feeds.toml names it"),
        (3, 'published: "2020-13-14" is no date; write 2020-02-14, 14/02/2020 or, '),
        (4, 'url: "javascript:alert(1)" is no web address; write it whole, such as'),
        (4, 'published: "hier" is no date; write 2020-02-14, 14/02/2020 or, for a'),
        (4, "topics: unknown topic \"flim\"; did you mean 'film'?"),
        (5, 'id: "deux mots" is no id; write letters, digits, dots and hyphens'),
        (5, 'form: "telly" is unknown; known here: article, interview, tribune'),
        (5, 'published: "02/14/2020" is no date; write 2020-02-14, 14/02/2020 or'),
        (7, "topics: names no topic, and no line of feeds.toml finds its words; "),
        (8, "8 cells, but there are 7 columns; put a text that holds a separator"),
        (10, "line 9 has the same article already; take one out, or give this one"),
    )

    assert done.exit_code == 2
    assert [int(line) for line, _ in told] == [line for line, _ in wanted]
    for (_, words), (_, beginning) in zip(told, wanted, strict=True):
        assert words.strip().startswith(beginning)
    assert {path.name for path in folder.iterdir()} == {"feeds.toml", "liste.csv"}


def test_columns_are_named_and_known(folder: Path) -> None:
    """A slip is no column that is passed over, and what has to be there is told."""
    done = imported(folder, "Titre,OUTLET,publishd,topics\nUn,Soir,2020,film\n")

    assert [line.strip() for line in done.stderr.splitlines()[1:]] == [
        "liste.csv:1: titre: unknown column; did you mean 'title'?",
        "liste.csv:1: publishd: unknown column; did you mean 'published'?",
        "liste.csv:1: title: missing; add a column `title` (its title)",
        "liste.csv:1: published: missing; add a column `published` (its date)",
    ]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", ":1: no row; the first one has the names of the columns: title"),
        (b"\n\n", ":1: no row"),
        (b"title,outlet,published\n\x81\n", ":2: byte 0x81 is neither UTF-8 nor"),
        (b'title,outlet,published\n"A,B,C\n', ":2: no CSV from here on"),
        (b'title,outlet,published\n"A"B,B,C\n', ":2: no CSV from here on"),
        (b"title,title,outlet,published\n", ":1: title: stands twice; keep one"),
        (
            b"title,outlet,published,topics,note\nA,/B,2020-02,film,C\n",
            ":2: id: is nee",
        ),
        (b"title,outlet,published\nA\x07,B,2020-02\n", "control character 0x07"),
    ],
)
def test_what_is_no_table_is_told(folder: Path, data: bytes, said: str) -> None:
    """In a line, with status 2."""
    done = imported(folder, data)

    assert done.exit_code == 2
    assert said in done.stderr


def test_topics_may_be_left_out(folder: Path) -> None:
    """The lines of feeds.toml find them, or `--topic` says them for all."""
    table = "title,outlet,published\nLes livreurs,A,2020-02\nAutre,A,2020-02\n"
    done = imported(folder, table)
    assert "liste.csv:3: topics: names no topic, and no line" in done.stderr
    assert "liste.csv:2" not in done.stderr
    assert imported(folder, table, "--topic", "film").exit_code == 0
    assert [one["topics"] for one in decided(folder)] == [["film"], ["film"]]
    imported(folder, "title,outlet,published\nLes livreurs,B,2020-02\n")
    assert decided(folder)[-1]["topics"] == ["livreurs"]


@pytest.fixture(scope="module")
def polled(tmp_path_factory: pytest.TempPathFactory, outlet: Server) -> Path:
    """Return a folder whose outlet brought a story that waits, and a published one."""
    folder = tmp_path_factory.mktemp("polled")
    title = "Les travailleurs du clic, une longue enquête"
    body = rss(item("a", title), item("b", "Les petites mains"))
    path = configure(folder, {"Le Jour": outlet.route("/jour", body=body)})
    run.cycle(Desk.load(path), NOW)
    return folder


def test_a_story_of_ours_is_not_added(polled: Path) -> None:
    """By its address, its title or its short id; one that waits is told."""
    with Store(polled / "aggregator.db") as store:
        its = stories(store, Desk.load(polled / "feeds.toml"))
    (waiting,) = [one.short for one in its if one.state is State.WAITING]
    (short,) = [one.short for one in its if one.state is State.PUBLISHED]
    done = imported(
        polled,
        "title,outlet,published,url,story,topics\n"
        "Autrement,Le Jour,2020-02-14,http://www.jour.example/a?utm_source=x,,film\n"
        "LES travailleurs du clic : une longue enquête,le jour,2020-02-20,,,film\n"
        f"Encore,Ailleurs,2019-02-14,,{short},film\n"
        "Les petites mains,Le Jour,2020-02-14,https://jour.example/b,,film\n",
    )

    assert done.exit_code == 0, done.output
    assert decided(polled) == []
    told = f"liste.csv:5: story {waiting} is there already, waiting; publish it with "
    assert done.stderr.splitlines() == [
        f"{told}`aggregator keep {waiting}`",
        "4 there already; 0 files published in public",
    ]


def in_a_table(folder: Path, press: list[dict[str, Any]]) -> None:
    """Enter the articles by `import`."""
    lines = [
        ";".join(
            (
                f"{one['published']:%d/%m/%Y}",
                '"' + one["title"].replace('"', '""') + '"',
                one["outlet"],
                one["form"],
                " ".join(one["topics"]),
            )
        )
        for one in press
    ]
    table = "\n".join(("published;title;outlet;form;topics", *lines))
    assert imported(folder, table).exit_code == 0


def one_by_one(folder: Path, press: list[dict[str, Any]]) -> None:
    """Enter them by `add`."""
    for one in press:
        words = [
            *("add", "--title", one["title"], "--outlet", one["outlet"]),
            *("--published", one["published"].isoformat()),
            *(f"--topic={topic}" for topic in one["topics"]),
            *(["--form", one["form"]] if one["form"] != "web" else []),
        ]
        assert aggregator(folder, *words).exit_code == 0
    assert aggregator(folder, "publish").exit_code == 0


@pytest.mark.parametrize("entered", [in_a_table, one_by_one])
def test_the_press_of_february_2020_is_listed_as_on_the_films_site(
    folder: Path, entered: Callable[[Path, list[dict[str, Any]]], None]
) -> None:
    """« (14 févr. 2020) Titre, Outlet. » on the page, each article in the archive."""
    topics = "".join(
        f'[[topics]]\nid = "{name}"\ntitle = "{name}"\nmatch = ["{name}"]\n'
        for name in ("documentaire", "auteur", "ia")
    )
    path = folder / "feeds.toml"
    path.write_text(path.read_text().replace("[outlets]", f"{topics}\n[outlets]"))
    press = tomllib.loads(shared("press-list.toml").read_text())["item"]
    february = [one for one in press if one["published"].isoformat()[:7] == "2020-02"]
    entered(folder, february)

    wanted = {
        f"({one['published'].day} févr. 2020) {one['title']}, {one['outlet']}."
        for one in february
    }
    assert len(wanted) == 11
    assert {said(one) for one in listed(folder)} == {said(one) for one in wanted}
    feed = etree.fromstring(contents(folder)["archive/2020-02.atom"])
    titles = {entry.findtext(f"{ATOM}title") for entry in feed.iter(f"{ATOM}entry")}
    assert titles == {f"{one['title']} – {one['outlet']}" for one in february}


CELLS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n"), max_size=20
).map(str.strip)


def said(item: str) -> str:
    """Return an item as it is read aloud: no form after it, no comma after « ? »."""
    plain = re.sub("[\u00a0\u202f]", " ", item)
    return re.sub(r"(?<=\.) \w+$|(?<=\?),", "", plain)


@settings(deadline=None, max_examples=80)
@given(
    table=st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=4),
    separator=st.sampled_from([",", ";", "\t"]),
)
def test_cells_are_read_as_they_were_written(
    table: list[tuple[str, ...]], separator: str
) -> None:
    """Whatever they hold, each row with the line where it begins."""
    names = ("title", "outlet", "excerpt")
    text = f"\n{separator.join(names)}\n"
    wanted = []
    for cells in table:
        if said := {
            name: each for name, each in zip(names, cells, strict=True) if each
        }:
            wanted.append((text.count("\n") + 1, said))
        doubled = (tables.guarded(cell).replace('"', '""') for cell in cells)
        text += separator.join(f'"{cell}"' for cell in doubled) + "\n"
    problems = Problems()
    found = [*sheet.read(text.encode(), "a", dict.fromkeys(names, True), {}, problems)]

    assert problems.lines == []
    assert [(row.line, row.cells) for row in found] == wanted
