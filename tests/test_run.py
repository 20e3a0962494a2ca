"""One cycle, end to end: from documents on a server to published files."""

from __future__ import annotations

import json
import random
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import Server
from worlds import (
    EPOCH,
    aggregator,
    configure,
    contents,
    database,
    item,
    rss,
)

from aggregator import bulletin, clock, engine, run
from aggregator import config as configuration
from aggregator.desk import Desk, stories
from aggregator.model import (
    AggregatorError,
    Config,
    ConfigError,
    Feed,
    Outlet,
    PollTask,
    Report,
    State,
    Validators,
)
from aggregator.poll import poll
from aggregator.store import Store, polls

NOW = datetime.fromtimestamp(int(EPOCH), UTC)
DAY = timedelta(days=1)
LONG = "Un documentaire en quatre épisodes suit celles et ceux qui trient nos images."


@pytest.fixture
def world(tmp_path: Path, server: Server) -> Config:
    """Return a configuration of three outlets with copies, doubts and a failure."""
    title = "« Invisibles », ou la vie des travailleurs du clic"
    jour = [
        item("a", title, LONG, query="?utm_source=rss"),
        item("b", "Les petites mains de la haute couture"),
        item("c", "Corinne Masiero aux petites mains d’or"),
        item("d", "La météo de demain"),
    ]
    soir = [
        item("z", title, LONG, host="soir.example", query="?xtor=RSS-1"),
        item("y", "Les livreurs en grève", host="soir.example"),
    ]
    outlets = {
        "Le Jour": server.route("/jour", body=rss(*jour)),
        "Le Soir": server.route("/soir", body=rss(*soir, title="Le Soir")),
        "La Nuit": server.route("/nuit", status=500),
    }
    return configuration.read(configure(tmp_path, outlets))


def told(config: Config) -> dict[str, State]:
    """Return the state of every story by title."""
    with Store(config.storage.database) as store:
        found = stories(store, Desk.of(config))
    return {story.title: story.state for story in found}


def test_a_cycle_finds_joins_and_publishes(world: Config) -> None:
    """Copies become one story, doubts wait, the near miss is suppressed."""
    report = run.cycle(Desk.of(world), NOW)

    assert (report.polled, report.failed, report.unchanged) == (3, 1, 0)
    assert (report.new_entries, report.stories) == (6, 2)
    assert report.by_topic == (("film", 2, 1), ("livreurs", 1, 0))
    assert [failure.reason for _, failure in report.failures] == ["http 500"]
    assert told(world) == {
        "« Invisibles », ou la vie des travailleurs du clic": State.PUBLISHED,
        "Les petites mains de la haute couture": State.WAITING,
        "Corinne Masiero aux petites mains d’or": State.SUPPRESSED,
        "Les livreurs en grève": State.PUBLISHED,
    }
    front = contents(world.source.parent)["index.html"].decode()
    assert "Le Jour" in front
    assert "Le Soir" in front
    assert "livreurs en grève" not in front


def test_a_second_cycle_changes_nothing(world: Config) -> None:
    """Polled again, the same documents bring nothing and touch no file."""
    run.cycle(Desk.of(world), NOW)
    folder = world.source.parent
    before = contents(folder), database(folder)
    stamps = {p: p.stat().st_mtime_ns for p in (folder / "public").rglob("*")}
    report = run.cycle(Desk.of(world), NOW, everything=True)

    assert (report.polled, report.unchanged, report.failed) == (3, 2, 1)
    assert (report.new_entries, report.files_written) == (0, 0)
    assert report.started == ()
    assert stamps == {p: p.stat().st_mtime_ns for p in (folder / "public").rglob("*")}
    assert contents(folder) == before[0]
    assert told(world)


def test_what_starts_to_fail_and_recovers_is_told_once(
    world: Config, server: Server
) -> None:
    """A report names the feeds whose health changed, not those that stay the same."""
    first = run.cycle(Desk.of(world), NOW)
    server.route("/nuit", body=rss(item("n", "Une nuit")))
    server.route("/jour", status=404)
    second = run.cycle(Desk.of(world), NOW, everything=True)
    third = run.cycle(Desk.of(world), NOW, everything=True)

    assert [feed.outlet.name for feed, _ in first.started] == ["La Nuit"]
    assert [feed.outlet.name for feed, _ in second.started] == ["Le Jour"]
    assert [feed.outlet.name for feed in second.recovered] == ["La Nuit"]
    assert (third.started, third.recovered) == ((), ())


def test_a_lost_folder_is_rebuilt_to_the_byte(world: Config) -> None:
    """Published files are a function of the database and the maintainer's files."""
    run.cycle(Desk.of(world), NOW)
    folder = world.source.parent
    before = contents(folder)
    for path in (folder / "public").rglob("*.*"):
        path.unlink()
    written = bulletin.republish(Desk.of(world), NOW + timedelta(days=3)).written

    assert contents(folder) == before
    assert set(written) == set(before)
    assert bulletin.republish(Desk.of(world), NOW + timedelta(days=3)).written == ()


def test_decisions_take_effect_at_the_next_publish(world: Config) -> None:
    """A doubtful story is kept and a published one hidden by two tables of text."""
    run.cycle(Desk.of(world), NOW)
    world.storage.curation.write_text(
        '[[decision]]\naction = "keep"\nurl = "http://www.jour.example/b/"\n'
        '[[decision]]\naction = "hide"\nurl = "https://soir.example/z"\n',
        encoding="utf-8",
    )
    bulletin.republish(Desk.of(world), NOW + timedelta(hours=1))

    assert told(world)["Les petites mains de la haute couture"] is State.PUBLISHED
    feed = json.loads(contents(world.source.parent)["feed.json"])
    assert [entry["title"] for entry in feed["items"]] == [
        "Les petites mains de la haute couture – Le Jour"
    ]


def test_a_hidden_story_is_on_no_page_any_longer(world: Config) -> None:
    """Not even on a year's page that has no other story; nor a topic that is gone."""
    run.cycle(Desk.of(world), NOW)
    folder = world.source.parent
    before = contents(folder)
    world.storage.curation.write_text(
        '[[decision]]\naction = "hide"\nurl = "https://soir.example/z"\n'
        '[[decision]]\naction = "hide"\nurl = "https://soir.example/y"\n',
        encoding="utf-8",
    )
    bulletin.republish(Desk.of(replace(world, topics=world.topics[:1])), NOW)
    after = contents(folder)

    assert before.keys() - after.keys() == {"2020/index.html"} | {
        name
        for name in before
        if name.startswith("topics/livreurs/") or "archive/" in name
    }
    assert not [name for name, body in after.items() if b"ou la vie" in body]


def test_a_split_taken_back_leaves_a_tombstone(world: Config) -> None:
    """Readers of the feed are told, and get the story back if the split is put back."""
    run.cycle(Desk.of(world), NOW)
    feed = world.storage.output / "feed.atom"

    def published(curation: str, days: int) -> tuple[list[str], list[str]]:
        """Return the ids of the feed's entries and of its tombstones."""
        world.storage.curation.write_text(curation, encoding="utf-8")
        bulletin.republish(Desk.of(world), NOW + days * DAY)
        text = feed.read_text("utf-8")
        gone = re.findall(r'<at:deleted-entry[^>]* ref="([^"]+)"', text)
        return sorted(re.findall(r"<entry>\s*<id>([^<]+)", text)), gone

    split = '[[decision]]\naction = "split"\nurl = "https://soir.example/z"\n'
    hidden = f'{split}[[decision]]\naction = "hide"\nurl = "https://soir.example/z"\n'
    ((whole,), _) = published("", 0)
    apart, none = published(split, 1)
    (own,) = {*apart} - {whole}

    assert (len(apart), none) == (2, [])
    assert published("", 2) == ([whole], [own])
    assert published("", 3) == ([whole], [own])
    assert published(split, 4) == (apart, [])
    assert published(hidden, 5) == ([whole], [own])
    assert published("", 6) == ([whole], [own])


def test_now_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """SOURCE_DATE_EPOCH is whole seconds; anything else is told in one line."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", EPOCH)
    at = clock.now()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "")
    unset = clock.now()

    assert at == NOW
    assert unset.microsecond == 0
    for wrong in ("tomorrow", "1e3", "9" * 30):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", wrong)
        with pytest.raises(AggregatorError, match="whole seconds"):
            clock.now()


def test_a_wrong_curation_file_changes_nothing(world: Config) -> None:
    """It is refused before a database or a folder is made."""
    world.storage.curation.write_text('[[decision]]\naction = "hid"\n', "utf-8")

    with pytest.raises(ConfigError):
        run.cycle(Desk.of(world), NOW)
    names = {path.name for path in world.source.parent.iterdir()}
    assert names == {"feeds.toml", "curation.toml"}


def test_only_one_outlet_can_be_polled(world: Config, server: Server) -> None:
    """`--outlet` asks that outlet's feeds and no other."""
    report = run.cycle(Desk.of(world), NOW, outlet="Le Soir")

    assert report.polled == 1
    assert {request.path for request in server.requests} == {"/soir"}


def test_progress_is_told_as_it_goes(world: Config) -> None:
    """The bar on a terminal ends at the number of feeds."""
    steps: list[tuple[int, int]] = []
    run.cycle(
        Desk.of(world),
        NOW,
        progress=lambda done, total: steps.append((done, total)),
    )

    assert steps[-1] == (3, 3)
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)


def test_what_a_search_finds_is_its_outlets(tmp_path: Path, server: Server) -> None:
    """It meets the outlet's own article, or is published under the outlet's name."""
    wrapped = (
        "<item><title>{} - lejour.fr</title><guid>{}</guid><pubDate>Fri, 14 Feb 2020"
        " 08:00:00 GMT</pubDate><link>https://www.google.com/url?sa=t&amp;url="
        "https://jour.example/{}&amp;ct=ga</link></item>"
    )
    known = wrapped.format("Travailleurs du clic", "g1", "a")
    other = wrapped.format("Les &lt;b>livreurs&lt;/b> en grève", "g2", "z")
    jour = server.route("/jour", body=rss(item("a", "Travailleurs du clic")))
    search = server.route("/alerte", body=rss(known, other))
    path = configure(tmp_path, {"Le Jour": jour})
    with path.open("a", encoding="utf-8") as file:
        file.write(f'"Alertes" = {{ url = "{search}", kind = "search" }}\n')

    assert aggregator(path, "run").returncode == 0
    lines = (tmp_path / "public" / "stories.jsonl").read_text("utf-8").splitlines()
    assert sorted(
        (story["title"], story["url"], [copy["outlet"] for copy in story["copies"]])
        for story in map(json.loads, lines)
    ) == [
        ("Les livreurs en grève", "https://jour.example/z", ["Le Jour"]),
        ("Travailleurs du clic", "https://jour.example/a", ["Le Jour"]),
    ]


def test_no_order_of_outcomes_shows(world: Config, tmp_path: Path) -> None:
    """However polls are recorded, one by one or together, the bytes are the same."""
    config = world
    with Store(config.storage.database) as store:
        polls.follow(store, config.feeds, NOW)
        tasks = tuple(polls.due(store, config.feeds, NOW, config.polling))
    outcomes = [o for batch in engine.plan(tasks, config, NOW) for o in poll(batch)]
    results = []
    for seed in range(6):
        folder = tmp_path / str(seed)
        folder.mkdir()
        storage = replace(
            config.storage,
            database=folder / "aggregator.db",
            output=folder / "public",
        )
        desk = Desk(replace(config, storage=storage), ())
        chance = random.Random(seed)
        chance.shuffle(outcomes)
        cut = chance.randrange(len(outcomes) + 1)
        with Store(storage.database) as store:
            polls.follow(store, config.feeds, NOW)
            polls.record(store, outcomes[:cut], config.polling)
            polls.record(store, outcomes[cut:], config.polling)
            bulletin.tell(store, desk, NOW)
            bulletin.rebuild(store, desk, stories(store, desk))
        results.append((contents(folder), database(folder)))

    assert all(result == results[0] for result in results)


def test_a_fault_of_our_own_is_loud_and_stops_nothing_else(
    world: Config, caplog: pytest.LogCaptureFixture
) -> None:
    """An exception out of a batch is logged and becomes that batch's failure."""
    feed = Feed("https://e.invalid/", Outlet("E", ("https://e.invalid/",)))
    task = PollTask(feed, None, Validators('"old"'))  # type: ignore[arg-type]
    (batch,) = engine.plan([replace(task, url=feed.url)], world, NOW)
    broken = replace(batch, polling=None)  # type: ignore[arg-type]
    ((outcome,),) = engine.outcomes([broken], world)

    assert outcome.failure
    assert outcome.failure.kind == "ours"
    assert outcome.validators == Validators('"old"')
    assert "fault" in caplog.text


# ── batches ───────────────────────────────────────────────────────────────────────────


def planned(urls: list[str], world: Config) -> list[list[str]]:
    """Return the URLs of each batch."""
    tasks = [PollTask(Feed(url, Outlet(url, (url,))), url) for url in urls]
    return [[t.url for t in batch.tasks] for batch in engine.plan(tasks, world, NOW)]


def test_feeds_of_one_host_share_a_batch(world: Config) -> None:
    """Twelve feeds of a host are asked from one place, at most `per_host` at once."""
    feeds = [Feed(f"https://e.invalid/{n}", Outlet(f"{n}", ())) for n in range(12)]
    tasks = [PollTask(feed, feed.url) for feed in feeds]
    (batch,) = engine.plan(tasks, world, NOW)

    assert (batch.host, batch.lanes) == ("e.invalid", world.polling.per_host)
    assert [task.url for task in batch.tasks] == [feed.url for feed in feeds]


def test_many_hosts_are_spread_over_the_threads(world: Config) -> None:
    """Few feeds make a batch each; many make batches of at most twenty."""
    few = planned([f"https://e{n}.invalid/" for n in range(40)], world)
    many = planned([f"https://e{n}.invalid/" for n in range(5000)], world)

    assert {len(batch) for batch in few} == {1}
    assert max(len(batch) for batch in many) == engine.BATCH
    assert sum(len(batch) for batch in many) == 5000


def test_where_nothing_changed_nothing_is_told_anew(
    tmp_path: Path, server: Server
) -> None:
    """Polls that bring no mention cost no publishing, until it may be a silence."""
    found = item("a", "Les livreurs de jour", LONG)
    url = server.route("/jour", body=rss(found))
    path = configure(tmp_path, {"Le Jour": url})

    def cycle(minutes: int) -> Report:
        at = NOW + timedelta(minutes=minutes)
        return run.cycle(Desk.load(path), at, everything=True)

    first = cycle(0)
    page = tmp_path / "desk" / "index.html"
    written_at = page.stat().st_mtime_ns
    server.route("/jour", body=rss(item("b", "La météo du jour"), found))
    second = cycle(1)

    assert (first.stories, second.stories, second.new_entries) == (1, 1, 1)
    assert second.files_written == 0
    assert page.stat().st_mtime_ns == written_at

    (tmp_path / "public" / "index.html").unlink()
    assert cycle(2).files_written == 0
    assert cycle(12).files_written == 1
    assert page.stat().st_mtime_ns > written_at

    server.route("/jour", body=rss(item("c", "Les livreurs de nuit"), found))
    assert cycle(13).files_written > 10
    server.route("/jour", 500)
    assert cycle(14).failed == 1
    assert "500" in page.read_text("utf-8")
    text = path.read_text("utf-8").replace("La presse en parle", "Revue de presse")
    path.write_text(text, "utf-8")
    assert cycle(15).files_written > 10
