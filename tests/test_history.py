"""The index over the stored history, and the command that asks it."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import Server
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import aggregator, configure, copied, item, rss

from aggregator.fts import Index
from aggregator.identity import number
from aggregator.model import Entry, Feed, Outcome, Outlet, Polling, Validators
from aggregator.query import compile_line
from aggregator.store import Store, cycles, history, polls
from aggregator.text import fold

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)
URL = "https://le-jour.fr/feed"
FEED = Feed(URL, Outlet("Le Jour", (URL,)))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Yield a new database that follows FEED."""
    with Store(tmp_path / "aggregator.db") as opened:
        polls.follow(opened, [FEED], NOW)
        yield opened


def an_entry(key: str, title: str, summary: str = "", at: datetime = NOW) -> Entry:
    """Return an entry of FEED."""
    return Entry(
        number(URL, key), key, "", title, summary, number(key, title, summary), "",
        published_at=at,
    )  # fmt: skip


def record(store: Store, *entries: Entry, at: datetime = NOW) -> None:
    """Record a poll of FEED whose document lists exactly these entries."""
    listed = tuple(entry.id for entry in entries)
    outcome = Outcome(
        FEED, at, Validators(), b"", status=200, entries=entries, listed=listed
    )
    polls.record(store, [outcome], Polling())


def titles(store: Store, line: str, limit: int = 100) -> list[str]:
    """Return the titles of what a line finds, newest first."""
    return [hit.title for hit in history.newest(store, compile_line(line), limit, {})]


def vocabulary(store: Store) -> list[tuple[object, ...]]:
    """Return which word stands where in the index."""
    store.do(
        "CREATE VIRTUAL TABLE IF NOT EXISTS temp.word "
        "USING fts5vocab(main, history, instance)"
    )
    return sorted(tuple(row) for row in store.rows("SELECT * FROM temp.word"))


def as_if_new(store: Store) -> list[tuple[object, ...]]:
    """Return what the vocabulary would be if the index were made of what is there."""
    rows = store.rows("SELECT place, title, summary, content FROM entries")
    with Store(Path(":memory:")) as fresh:
        for place, *texts in rows:
            fresh.do(
                "INSERT INTO history (rowid, title, summary, article) "
                "VALUES (?, ?, ?, ?)",
                place,
                *map(fold, texts),
            )
        return vocabulary(fresh)


# ── the index ─────────────────────────────────────────────────────────────────────────


def test_what_is_recorded_is_found_by_its_words(store: Store) -> None:
    """Folded as everywhere, in any column, by every operator, newest first."""
    record(
        store,
        an_entry("a", "Les livreur·euse·s à vélo", "Deliveroo, Uber", NOW - 2 * DAY),
        an_entry("b", "Micro-travail : l’enquête", "", NOW - DAY),
        an_entry("c", "La météo", "Des LIVREURS sous la pluie", NOW - 3 * DAY),
    )

    assert titles(store, "livreurs") == ["Les livreur·euse·s à vélo", "La météo"]
    assert titles(store, "title:livreurs") == ["Les livreur·euse·s à vélo"]
    assert titles(store, 'livreurs NOT "uber"') == ["La météo"]
    assert titles(store, "NEAR(livreurs pluie, 3)") == ["La météo"]
    assert titles(store, "micro travail") == ["Micro-travail : l’enquête"]
    assert titles(store, "livreurs", limit=1) == ["Les livreur·euse·s à vélo"]


def test_an_edited_entry_is_found_by_its_new_words_alone(store: Store) -> None:
    """Whatever an outlet makes of an article, the index holds it once."""
    record(store, an_entry("a", "Un titre", "les livreurs"))
    record(store, an_entry("a", "Un titre", "les coursiers"))

    assert titles(store, "livreurs") == []
    assert titles(store, "coursiers") == ["Un titre"]
    assert vocabulary(store) == as_if_new(store)


def test_what_is_forgotten_is_found_no_more(store: Store) -> None:
    """The index forgets an entry with its text."""
    record(store, an_entry("a", "Les livreurs"), an_entry("b", "Les livreurs, suite"))
    record(store, an_entry("b", "Les livreurs, suite"), at=NOW + DAY)
    cycles.forget(store, NOW + 10 * DAY, 5 * DAY)

    assert titles(store, "livreurs") == ["Les livreurs, suite"]
    assert vocabulary(store) == as_if_new(store)


def test_entries_of_one_second_each_have_a_place(store: Store) -> None:
    """Even where their ids agree in all the bits that a place takes of them."""
    same = [
        Entry(n << 40, str(n), "", f"Titre {n}", "", n, published_at=NOW)
        for n in range(1, 5)
    ]
    record(store, *same)
    places = [row["place"] for row in store.rows("SELECT place FROM entries")]

    assert len(set(places)) == len(same)
    assert sorted(titles(store, "titre")) == [entry.title for entry in same]


def test_no_date_is_too_far_off(store: Store) -> None:
    """An entry of 1492 is found, after all others."""
    record(
        store,
        an_entry("a", "Un nouveau monde", at=datetime(1492, 10, 12, tzinfo=UTC)),
        an_entry("b", "Un monde ancien", at=datetime(1960, 1, 1, tzinfo=UTC)),
    )

    assert titles(store, "monde") == ["Un monde ancien", "Un nouveau monde"]


def test_an_error_leaves_the_index_as_it_was(store: Store) -> None:
    """Texts and index are written in one transaction."""
    record(store, an_entry("a", "Les livreurs"))
    before = vocabulary(store)

    def fail() -> None:
        with store.transaction(), history.following(store, [number(URL, "a")]):
            store.do("UPDATE entries SET title = 'Les coursiers'")
            raise KeyError

    with pytest.raises(KeyError):
        fail()

    assert vocabulary(store) == before


WORDS = st.lists(st.sampled_from("un deux trois quatre Été".split()), max_size=4)
STEPS = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from("abcdef"), WORDS, max_size=4),
        st.integers(0, 40),
    ),
    min_size=1,
    max_size=8,
)
LINES = ("un", "un deux", "un AND trois", "un NOT deux", "NEAR(un trois, 1)", "ete")


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_the_index_is_what_it_would_be_if_it_were_made_anew(
    steps: Sequence[tuple[dict[str, list[str]], int]],
) -> None:
    """After any polls, edits and forgetting, and lines find what `fts` finds."""
    at = NOW
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder, "a.db")) as store:
        polls.follow(store, [FEED], at)
        for document, days in steps:
            record(
                store,
                *(
                    an_entry(key, " ".join(words[:2]), " ".join(words[2:]))
                    for key, words in document.items()
                ),
                at=at,
            )
            cycles.forget(store, at, 20 * DAY)
            at += days * DAY
        rows = store.rows("SELECT title, summary FROM entries ORDER BY place DESC")

        assert vocabulary(store) == as_if_new(store)
        with Index((fold(row["title"]), fold(row["summary"]), "") for row in rows) as i:
            for line in map(compile_line, LINES):
                found = [rows[place]["title"] for place in i.find(line.expression)]
                hits = history.newest(store, line, 100, {})

                assert [hit.title for hit in hits] == found
                assert history.count(store, line, {}).entries == len(found)


def test_folding_has_not_changed() -> None:
    """The index holds folded words, and takes them out by folding the text again.

    Where the folding changes, a migration must empty the index ('delete-all') and fill
    it again; then write the new digest here.
    """
    letters = [*range(0x250), *range(0x2000, 0x2070)]
    folds = "\n".join(fold(chr(code)) for code in letters)
    samples = "livreur·euse·s, livreur(se)s, œuvre — l’été : micro-travail\u00ad"
    digest = hashlib.blake2b((folds + fold(samples)).encode(), digest_size=8)

    assert digest.hexdigest() == "b06a8a2365a72a4e"


# ── try ───────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def polled(tmp_path_factory: pytest.TempPathFactory, outlet: Server) -> Path:
    """Return a folder whose outlet was polled: one published, one waiting, more."""
    items = [
        item("a", "Les travailleurs du clic", "Un film de Poulain & Goetz."),
        item(
            "b",
            "Petites mains",
            "Les petites mains d’un film",
            date="Sat, 15 Feb 2020 08:00:00 GMT",
        ),
        item(
            "c",
            "La météo",
            "Un Film sur la pluie, vu de loin",
            date="Thu, 13 Feb 2020 08:00:00 GMT",
        ),
        item("d", "Les petites mains de Masiero", "Un film", date="Fri, 3 Jan 2020"),
    ]
    path = configure(
        tmp_path_factory.mktemp("polled"),
        {"Le Jour": outlet.route("/jour", body=rss(*items))},
    )
    assert aggregator(path, "run").returncode == 0
    return path.parent


@pytest.fixture
def path(tmp_path: Path, polled: Path) -> Path:
    """Return the feeds.toml of a copy of that folder, for this test alone."""
    return copied(polled, tmp_path)


def test_try_prints_what_a_line_would_have_found(path: Path) -> None:
    """Where each entry went, newest first, with the words marked as they were spelt."""
    done = aggregator(path, "try", "film")
    lines = [line.split("\t") for line in done.stdout.splitlines()]

    assert done.returncode == 0
    assert [(line[0], line[1], line[3]) for line in lines] == [
        ("waiting", "2020-02-15", "Petites mains"),
        ("published", "2020-02-14", "Les travailleurs du clic"),
        ("new", "2020-02-13", "La météo"),
        ("suppressed", "2020-01-03", "Les petites mains de Masiero"),
    ]
    assert [line[5] for line in lines] == [
        "Les petites mains d’un **film**",
        "Un **film** de Poulain & Goetz.",
        "Un **Film** sur la pluie, vu de loin",
        "Un **film**",
    ]
    assert done.stderr == (
        "4 entries found: 1 published, 1 waiting, 1 suppressed, 1 new\n"
    )


def test_try_prints_no_more_than_it_is_told_to(path: Path) -> None:
    """The count says how many there are."""
    done = aggregator(path, "try", "film", "--limit", "1")

    assert [line.split("\t")[3] for line in done.stdout.splitlines()] == [
        "Petites mains"
    ]
    assert done.stderr.endswith("; the newest 1 are shown\n")


def test_try_marks_the_title_whole(path: Path) -> None:
    """A word of the title is marked in the title."""
    done = aggregator(path, "try", "météo AND pluie")
    (line,) = done.stdout.splitlines()

    assert line.split("\t")[3] == "La **météo**"
    assert line.split("\t")[5] == "Un Film sur la **pluie**, vu de loin"
    assert done.stderr == "1 entry found: 1 new\n"


def test_try_in_json_has_all_evidence(path: Path) -> None:
    """A list of objects; a column where nothing was found has no evidence."""
    done = aggregator(path, "try", "météo AND pluie", "--json")
    (hit,) = json.loads(done.stdout)

    assert hit == {
        "state": "new",
        "story": "",
        "url": "https://jour.example/c",
        "title": "La météo",
        "outlet": "Le Jour",
        "published": "2020-02-13T08:00:00Z",
        "evidence": [
            {"field": "title", "snippet": "La **météo**"},
            {"field": "summary", "snippet": "Un Film sur la **pluie**, vu de loin"},
        ],
    }


def test_try_tells_what_was_merged_as_part_of_its_story(path: Path) -> None:
    """With how that one stands, at once and after the next cycle; a split alone."""
    first = json.loads(aggregator(path, "try", "goetz", "--json").stdout)[0]["story"]
    urls = [f"https://jour.example/{slug}" for slug in "ab"]
    merge = f'[[decision]]\naction = "merge"\nurls = {json.dumps(urls)}\n'
    curation = path.with_name("curation.toml")

    def told() -> tuple[list[str], str]:
        done = aggregator(path, "try", "film")
        return [line.split("\t")[0] for line in done.stdout.splitlines()], done.stderr

    curation.write_text(merge, "utf-8")
    merged = [f"published as part of {first}", "published", "new", "suppressed"]
    count = "4 entries found: 2 published, 1 suppressed, 1 new\n"
    assert told() == (merged, count)
    aggregator(path, "publish")
    assert told() == (merged, count)
    (hit,) = json.loads(
        aggregator(path, "try", "title: petites mains NOT masiero", "--json").stdout
    )
    assert (hit["state"], hit["story"]) == ("published", first)

    hide = f'[[decision]]\naction = "hide"\nurl = "{urls[0]}"\n'
    curation.write_text(merge + hide, "utf-8")
    aggregator(path, "publish")
    assert told()[0][:2] == [f"hidden as part of {first}", "hidden"]

    split = f'[[decision]]\naction = "split"\nurl = "{urls[1]}"\n'
    curation.write_text(split, "utf-8")
    assert told()[0][0] != "new"
    curation.write_text(merge + split + hide, "utf-8")
    aggregator(path, "publish")
    assert told()[0][:2] == ["waiting", "hidden"]


def test_try_refuses_what_cannot_be_read_with_the_mend(path: Path) -> None:
    """One line, exit 2, nothing printed as data."""
    done = aggregator(path, "try", "film ET clic")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "aggregator: ET is no operator: write AND, or put the phrase in quotes if the "
        "word itself is meant\n"
    )


def test_try_that_finds_nothing_says_so(path: Path) -> None:
    """Nothing on stdout, the count on stderr, exit 0."""
    done = aggregator(path, "try", "introuvable")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "0 entries found\n")


def test_try_needs_a_history(tmp_path: Path) -> None:
    """Before the first run it says what to do."""
    done = aggregator(configure(tmp_path, {}), "try", "film")

    assert done.returncode == 1
    assert "aggregator run" in done.stderr
