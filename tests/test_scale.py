"""What is only looked at where it changed is as if everything had been looked at."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from worlds import configure, contents, saved

from aggregator import config as configuration
from aggregator import kept, run, watch
from aggregator.desk import Desk, stories
from aggregator.model import Config, ConfigError, Feed, Outlet, Outlets, found
from aggregator.publish.desk import desk as desk_pages
from aggregator.store import Store, events, judged

FEEDS = 230  # more than the desk lists
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
FAILS = (
    "failures = failures + 1, failed_at = :at, "
    "failing_since = coalesce(failing_since, :at)"
)
ANSWERS = "failure = '', failures = 0, failing_since = NULL, success_at = :at"
CHANGES = (
    f"{ANSWERS}, error = ''",
    f"{ANSWERS}, moved_to = url || '?new', moved_at = :at - 700000",
    f"{FAILS}, failure = 'http', error = 'HTTP 500'",
    f"{FAILS}, failure = 'gone', error = 'HTTP 410'",
    f"{FAILS}, failure = 'network', error = 'reset'",
    "moved_to = '', moved_at = NULL",
)


# ── a cycle ───────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, datetime]:
    """Return a feeds.toml of many feeds that were polled for long, and when."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[1] / "benchmarks"))
        world: Any = import_module("scale_world")
        folder = tmp_path_factory.mktemp("many")
        return world.make(folder, FEEDS), world.NOW


def polled(store: Store, chance: random.Random, at: datetime) -> None:
    """Have some feeds answer or fail, and some entries be others than they were."""
    rows = store.rows("SELECT id FROM feeds ORDER BY id")
    with store.transaction():
        later = int((at + 9 * DAY).timestamp())  # nobody is asked in the cycle
        store.do("UPDATE feeds SET next_poll_at = ?", later)
        for row in chance.sample(rows, 12):
            change = chance.choice(CHANGES).replace(":at", str(int(at.timestamp())))
            store.do(
                f"UPDATE feeds SET polled_at = ?, {change} WHERE id = ?",
                int(at.timestamp()),
                row["id"],
            )
        for row in chance.sample(rows, 3):
            store.do("DELETE FROM entries WHERE feed = ? AND id % 2", row["id"])
        for row in chance.sample(rows, 3):
            store.do(
                "UPDATE entries SET dated_at = dated_at - 864000 WHERE feed = ?",
                row["id"],
            )


def told(store: Store) -> list[tuple[object, ...]]:
    """Return all that was ever told."""
    return [tuple(row) for row in store.rows("SELECT * FROM events ORDER BY id")]


def test_a_cycle_that_looks_at_what_changed_does_all_that_another_does(
    made: tuple[Path, datetime], tmp_path: Path
) -> None:
    """Events, desk and published folder are the same as if all feeds had changed."""
    path, now = made
    shutil.copytree(path.parent, tmp_path / "quick")
    shutil.copytree(path.parent, tmp_path / "whole")
    quick, whole = (
        Desk.load(tmp_path / name / "feeds.toml") for name in ("quick", "whole")
    )
    # of no file: its feeds and rules are compared in each cycle, and all are listed
    whole = replace(whole, config=replace(whole.config))
    assert whole.config.digest == ""
    for turn in range(8):
        now += 11 * MINUTE if turn % 3 else 2 * DAY
        for desk in (quick, whole):
            with Store(desk.config.storage.database) as store:
                polled(store, random.Random(turn), now)
                if desk is whole:
                    with store.transaction():
                        judged.stir(store)
                        store.note("listed", "")
            run.cycle(desk, now)
        with (
            Store(quick.config.storage.database) as one,
            Store(whole.config.storage.database) as other,
        ):
            assert told(one) == told(other)
            assert not judged.stirred(one)
        assert contents(tmp_path / "quick") == contents(tmp_path / "whole")
        for folder in ("desk", "public/outlets"):
            for file in sorted((tmp_path / "quick" / folder).iterdir()):
                there = tmp_path / "whole" / folder / file.name

                assert file.read_bytes() == there.read_bytes(), f"{turn} {file}"


def test_a_failure_that_was_perhaps_our_own_is_told_when_others_answer(
    made: tuple[Path, datetime], tmp_path: Path
) -> None:
    """Though nothing changed of the feed itself: it fails on, and they do not."""
    path, now = made
    shutil.copytree(path.parent, tmp_path / "many")
    desk = Desk.load(tmp_path / "many" / "feeds.toml")

    def after(url: str, change: str, at: datetime) -> list[str]:
        with Store(desk.config.storage.database) as store, store.transaction():
            now_ = str(int(at.timestamp()))
            store.do(
                f"UPDATE feeds SET polled_at = {now_}, {change.replace(':at', now_)} "
                "WHERE url = ?",
                url,
            )
        run.cycle(desk, at)
        with Store(desk.config.storage.database) as store:
            return [one.subject for one in events.told(store) if one.at == at]

    dead, well = (desk.config.feeds[place].url for place in (7, 8))
    network = f"{FAILS}, failure = 'network', error = 'reset'"
    run.cycle(desk, now)
    assert after(dead, network, now + 11 * MINUTE) == []
    assert after(dead, network, now + 22 * MINUTE) == []
    assert after(well, f"{ANSWERS}, error = ''", now + 33 * MINUTE) == [dead]
    assert after(well, f"{ANSWERS}, error = ''", now + 44 * MINUTE) == []


def test_the_desk_of_very_many_feeds_is_the_whole_one(
    made: tuple[Path, datetime], tmp_path: Path
) -> None:
    """Even of feeds that changed and were not judged yet; disabled ones among them."""
    path, now = made
    folder = tmp_path / "many"
    shutil.copytree(path.parent, folder)
    path = folder / "feeds.toml"
    lines = path.read_text(encoding="utf-8").splitlines()
    for place in range(-9, -1):
        name, _, url = lines[place].partition(" = ")
        lines[place] = f"{name} = {{ url = {url}, enabled = false }}"
    saved(path, "\n".join(lines))
    desk = Desk.load(path)
    run.cycle(desk, now)
    with Store(desk.config.storage.database) as store:
        for turn in range(4):
            polled(store, random.Random(100 + turn), now + turn * DAY)
            its = stories(store, desk)
            brief = watch.view(store, desk, its)
            whole = watch.view(store, replace(desk, config=replace(desk.config)), its)
            site = desk.config.site

            assert len(brief.lines) < len(whole.lines) == FEEDS
            assert desk_pages(site, brief) == desk_pages(site, whole)


def test_what_lists_the_outlets_is_made_again_where_it_was_spoilt(
    made: tuple[Path, datetime], tmp_path: Path
) -> None:
    """A file that somebody changed or removed is as it was after the next look."""
    path, now = made
    shutil.copytree(path.parent, tmp_path / "many")
    desk = Desk.load(tmp_path / "many" / "feeds.toml")
    run.cycle(desk, now)
    folder = desk.config.storage.output / "outlets"
    before = {file: file.read_bytes() for file in folder.iterdir()}
    (folder / "outlets.csv").write_bytes(b"spoilt")
    (folder / "outlets.opml").unlink()

    report = run.cycle(desk, now + 11 * MINUTE)

    assert {file: file.read_bytes() for file in folder.iterdir()} == before
    assert report.files_written == 2


# ── what is kept of feeds.toml ────────────────────────────────────────────────────────

EXTRA = """
[polling]
allow_private_addresses = true
interval = "45m"
spacing = "2s"
[storage]
desk = "~/pupitre"
history = "90d"
[[topics]]
id = "film"
title = "Le film"
match = ["travailleurs du clic", "NEAR(petites mains, 4)"]
[outlets]
"Le Jour" = "https://jour.example/feed"
"Le Soir" = ["https://soir.example/a", "https://soir.example/b"]
[outlets."La Nuit"]
url = "https://nuit.example/plan.xml"
kind = "sitemap"
interval = "2h"
excerpt = 0
topics = ["film"]
always = ["film"]
"""
SITE = '[site]\ntitle = "Presse"\nurl = "https://presse.invalid/"\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a feeds.toml that says more than most, whose configuration is kept."""
    path = tmp_path / "feeds.toml"
    path.write_text(SITE + EXTRA, encoding="utf-8")
    read = configuration.read(path)
    with Store(tmp_path / "aggregator.db") as store:
        kept.keep(store, read)
    return path


def texts(path: Path) -> Iterator[tuple[Store, str]]:
    """Yield the database and what it keeps of a feeds.toml."""
    with Store(path.with_name("aggregator.db")) as store:
        for row in store.rows("SELECT text FROM configurations"):
            yield store, row["text"]


def keep_instead(path: Path, old: str, new: str) -> None:
    """Change what is kept."""
    for store, text in texts(path):
        assert old in text
        with store.transaction():
            changed = text.replace(old, new)
            store.do("UPDATE configurations SET text = ?", changed)


def test_an_unchanged_file_is_not_read_again(path: Path) -> None:
    """What is kept is what the file says, and is believed."""
    assert kept.read(path) == configuration.read(path)
    assert kept.read(path).digest == configuration.read(path).digest != ""

    keep_instead(path, "Presse", "Kiosque")

    assert kept.read(path).site.title == "Kiosque"


@pytest.mark.parametrize(
    "more",
    [
        'headers = { Authorization = "0123" }\n',
        '[site]\nheartbeat = "https://m.invalid"',
    ],
)
def test_what_a_file_keeps_to_itself_is_not_kept(path: Path, more: str) -> None:
    """With a key of an outlet, or a heartbeat, it is read each time."""
    text = path.read_text("utf-8")
    if more.startswith("["):
        path.write_text(text.replace("[site]", more), "utf-8")
    else:
        path.write_text(text + more, "utf-8")
    before = [text for _, text in texts(path)]
    with Store(path.with_name("aggregator.db")) as store:
        kept.keep(store, configuration.read(path))

    assert [text for _, text in texts(path)] == before
    assert kept.read(path) == configuration.read(path)


def test_an_edited_file_is_read_again(path: Path) -> None:
    """Be the edit a comment; and what is wrong in it is told as ever."""
    keep_instead(path, "Presse", "Kiosque")
    saved(path, path.read_text(encoding="utf-8") + "# fini\n")
    assert kept.read(path).site.title == "Presse"

    saved(path, path.read_text(encoding="utf-8") + "x = 1\n")
    with pytest.raises(ConfigError) as told_now:
        kept.read(path)
    with pytest.raises(ConfigError) as told_ever:
        configuration.read(path)

    assert told_now.value.problems == told_ever.value.problems


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('{"site"', "{"),
        ('"names":["Le Jour"', '"names":[["Le Jour"'),
        ('"title"', '"titel"'),
        ('"topics":[', '"topics":[7,'),
        ('"keys":{"2"', '"keys":{"deux"'),
        ("aggregator.db", "other.db"),
    ],
)
def test_a_damaged_text_is_as_good_as_none(path: Path, old: str, new: str) -> None:
    """The file is read then."""
    keep_instead(path, old, new)

    assert kept.read(path) == configuration.read(path)


def test_a_folder_that_moved_has_its_places_there(
    path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What is kept with the folder's old name is not used."""
    moved = tmp_path_factory.mktemp("moved")
    for file in path.parent.iterdir():
        shutil.copy(file, moved / file.name)

    assert kept.read(moved / "feeds.toml").storage.output == moved / "public"


def test_a_home_that_is_another_is_another_place(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """« ~ » is whose it is now."""
    monkeypatch.setenv("HOME", "/home/another")

    assert kept.read(path).storage.desk == Path("/home/another/pupitre")


def test_a_link_into_the_published_folder_is_refused_all_the_same(path: Path) -> None:
    """Where links lead may change without the file: that is looked at each time."""
    public = path.with_name("public")
    public.mkdir()
    path.with_name("curation.toml").symlink_to(public / "curation.toml")

    with pytest.raises(ConfigError, match="lies in the published folder"):
        kept.read(path)


def test_a_database_that_cannot_be_opened_is_passed_over(path: Path) -> None:
    """The file says all there is to know; who needs the database will tell."""
    path.with_name("aggregator.db").write_bytes(b"no database at all" * 100)

    assert kept.read(path) == configuration.read(path)


@pytest.mark.parametrize("written", ["a" * 300, "dossier/", "~nobody/x.db", "\\u0000"])
def test_a_database_that_cannot_be_there_is_none(path: Path, written: str) -> None:
    """Whatever is named as one, the file is read, and says what is wrong."""
    text = path.read_text(encoding="utf-8")
    saved(path, text.replace("[storage]", f'[storage]\ndatabase = "{written}"'))

    said = []
    for read in (kept.read, configuration.read):
        try:
            said.append(str(read(path).storage))
        except ConfigError as exc:
            said.append(str(exc))

    assert said[0] == said[1]


def test_what_a_changed_configuration_says_is_of_no_file(path: Path) -> None:
    """It is never kept under the name of one."""
    read = kept.read(path)

    assert replace(read).digest == ""
    assert replace(read, outlets=()).digest == ""


def test_the_kept_file_is_used_by_the_next_command(tmp_path: Path) -> None:
    """A cycle keeps what it was given, in a database made just then."""
    path = configure(tmp_path, {"Le Jour": "https://jour.invalid/feed"})
    desk = Desk.load(path)
    run.cycle(desk, datetime.fromisoformat("2026-11-23T12:00:00+00:00"), outlet="x")

    keep_instead(path, "La presse en parle", "Kiosque")

    assert Desk.load(path).config.site.title == "Kiosque"


# ── outlets ───────────────────────────────────────────────────────────────────────────

NAMES = st.lists(st.text("abc", min_size=1, max_size=3), max_size=6, unique=True)


@given(names=NAMES, chance=st.randoms(use_true_random=False))
def test_outlets_are_the_outlets_they_were_made_of(
    names: list[str], chance: random.Random
) -> None:
    """One by one, by name, by address, and all of them; whatever is set of each."""
    given_ = tuple(
        Outlet(
            name,
            tuple(f"https://{name}.fr/{n}" for n in range(chance.randint(1, 3))),
            enabled=chance.random() < 0.8,
            interval=chance.choice([None, timedelta(hours=2)]),
            headers=chance.choice([(), (("A", "b"),)]),
        )
        for name in names
    )
    outlets = Outlets.of(given_)
    feeds = tuple(Feed(url, one) for one in given_ for url in one.urls)

    assert outlets == given_
    assert [outlets[place] for place in range(len(outlets))] == [*given_]
    assert outlets[1:] == given_[1:]
    assert repr(outlets) == repr(given_)
    assert [outlets.named(name) for name in names] == [*given_]
    assert outlets.named("nobody") is None
    config = replace(CONFIG, outlets=given_)
    assert config.feeds == feeds
    assert len(config.feeds) == len(feeds)
    assert config.feeds[:1] == feeds[:1]
    urls = {feed.url for feed in feeds[::2]} | {"https://nobody.fr"}
    assert found(config.feeds, urls) == found(feeds, urls)


def a_config() -> Config:
    """Return the shipped configuration."""
    return configuration.read(Path(__file__).parents[1] / "feeds.toml")


CONFIG = a_config()


def test_the_shipped_configuration_comes_back() -> None:
    """Every topic, line, outlet and setting of it."""
    text = configuration.kept.text(CONFIG)

    assert configuration.kept.config(text, CONFIG.source) == CONFIG
