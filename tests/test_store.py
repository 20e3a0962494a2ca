"""The database: what is due, what a poll brought, and what survives."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlite_utils import Database

from aggregator.identity import number
from aggregator.model import (
    Addition,
    Entry,
    Failure,
    Feed,
    Mention,
    Outcome,
    Outlet,
    Pause,
    Polling,
    Rest,
    State,
    StoreError,
    Validators,
    Verdict,
)
from aggregator.store import Store, base, books, cycles, polls, tales
from aggregator.store.schema import migrations
from aggregator.stories import Ledger, Placement, Standing

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = datetime(2020, 2, 14, 8, tzinfo=UTC)
POLLING = Polling()
SLOW = Polling(interval=timedelta(hours=20))
URL = "https://le-jour.fr/feed"
FEED = Feed(URL, Outlet("Le Jour", (URL,)))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Yield a new database that follows FEED."""
    with Store(tmp_path / "aggregator.db") as opened:
        polls.follow(opened, [FEED], NOW)
        yield opened


def an_entry(key: str, **fields: object) -> Entry:
    """Return an entry of FEED."""
    entry = Entry(
        number(URL, key), key, f"https://le-jour.fr/{key}", key.title(), "", number(key)
    )
    return replace(entry, **fields)  # type: ignore[arg-type]


def an_outcome(*entries: Entry, at: datetime = NOW, **fields: object) -> Outcome:
    """Return a poll that found exactly these entries, all new."""
    outcome = Outcome(
        FEED,
        at,
        Validators('"1"', "yesterday"),
        b"hash",
        status=200,
        entries=entries,
        listed=tuple(entry.id for entry in entries),
        title="Le Jour",
    )
    return replace(outcome, **fields)  # type: ignore[arg-type]


def a_mention(entry: Entry, verdict: Verdict = Verdict.CERTAIN) -> Mention:
    """Return a mention of `entry` in the topic `film`."""
    return Mention(
        entry.id, "film", verdict, "match", "ligne", "title", ((0, 2),), "\x02x\x03"
    )


def ledgers(
    store: Store, additions: Mapping[int, Addition] | None = None
) -> tuple[Ledger, ...]:
    """Return every story as stored."""
    return tales.ledgers(store, additions or {}, tales.standings(store))


def due(store: Store, at: datetime = NOW, *, everything: bool = False) -> list[str]:
    """Return the URLs of what is due."""
    tasks = polls.due(store, [FEED], at, POLLING, everything=everything)
    return [task.url for task in tasks]


# ── opening ───────────────────────────────────────────────────────────────────────────


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    """An applied migration we do not know stops us before anything is written."""
    path = tmp_path / "aggregator.db"
    Store(path).close()
    with sqlite3.connect(path) as raw:
        raw.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) "
            "VALUES ('aggregator', 'of_tomorrow', 'then')"
        )
        raw.execute("PRAGMA journal_mode = DELETE")  # as a copy is, that was put back
    raw.close()
    before = path.read_bytes()

    with pytest.raises(StoreError, match=r"newer version.*of_tomorrow"):
        Store(path)
    assert path.read_bytes() == before
    assert [*tmp_path.iterdir()] == [path]


def test_a_database_of_an_older_version_is_brought_up_to_date(tmp_path: Path) -> None:
    """What it holds stays; its entries are those of polls, none of a backfill's."""
    path = tmp_path / "aggregator.db"
    old = Database(path)
    migrations.apply(old, stop_before="backfill")
    old.execute(
        """
        INSERT INTO entries (id, feed, key, url, canonical, title, summary, content,
            author, language, outlet, seen_at, dated_at)
        VALUES (1, 2, 'k', '', '', 'Un titre', '', '', '', '', '', 5, 5)
        """
    )
    old.conn.commit()
    old.close()
    with Store(path) as store:
        rows = store.rows("SELECT title, backfilled FROM members")

    assert [tuple(row) for row in rows] == [("Un titre", 0)]


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    """The message says which file and what to do; the file is not touched."""
    path = tmp_path / "aggregator.db"
    path.write_bytes(b"not a database at all, but long enough to be looked at" * 20)
    before = path.read_bytes()

    with pytest.raises(StoreError, match="restore a backup"):
        Store(path)
    assert path.read_bytes() == before


def test_a_database_that_must_exist_is_not_made(tmp_path: Path) -> None:
    """Commands that only read say what makes the database."""
    with pytest.raises(StoreError, match="aggregator run"):
        Store(tmp_path / "aggregator.db", create=False)
    assert not list(tmp_path.iterdir())


def test_a_folder_in_the_way_is_an_error_of_ours(tmp_path: Path) -> None:
    """What SQLite cannot open is a StoreError, not a traceback."""
    with pytest.raises(StoreError, match="cannot be opened"):
        Store(tmp_path)


def test_a_database_damaged_further_in_is_an_error_of_ours(tmp_path: Path) -> None:
    """What SQLite cannot read while a command works is one line, too."""
    with (
        pytest.raises(StoreError, match="cannot be read"),
        Store(tmp_path / "a.db") as store,
    ):
        store.rows("SELECT * FROM nowhere")


@pytest.mark.parametrize(
    ("damage", "told"), [(b"\xff\xfeX", "cannot be read; "), (b"\x1c\x1b\n", '"[?]"; ')]
)
def test_a_damaged_schema_is_one_line(tmp_path: Path, damage: bytes, told: str) -> None:
    """Even where SQLite cannot say what is wrong with it in letters, or quotes it."""
    path = tmp_path / "aggregator.db"
    Store(path).close()
    good = path.read_bytes()
    at = good.rindex(b"CREATE INDEX pages_canonical") + len("CREATE ")
    path.write_bytes(good[:at] + damage + good[at + 3 :])

    with pytest.raises(StoreError, match=f"{told}.*restore a backup") as raised:
        Store(path)
    assert "".join(filter(str.isprintable, str(raised.value))) == str(raised.value)


def test_a_text_that_is_none_is_damage(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 are told as what they are, not shown."""
    with (
        pytest.raises(StoreError, match=r"a text in it cannot be read; .*a backup"),
        Store(tmp_path / "a.db") as store,
    ):
        store.rows("SELECT CAST(x'ff' AS TEXT)")


def test_a_database_that_others_write_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not for ever: then one line says so, and nothing was changed."""
    path = tmp_path / "aggregator.db"
    Store(path).close()
    monkeypatch.setattr(base, "_BUSY", 0.2)
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    with Store(path) as store:

        def write() -> None:
            with store.transaction():
                store.note("last_cycle", "1")

        with pytest.raises(StoreError, match=r"locked; another program.*try again"):
            write()
        over = threading.Timer(0.05, other.execute, ("ROLLBACK",))
        over.start()
        write()
        over.join()

        assert store.fact("last_cycle") == "1"
    other.close()


def test_a_folder_that_may_not_be_written_is_no_damage(tmp_path: Path) -> None:
    """The line says what is needed, and nothing of a backup."""
    path = tmp_path / "aggregator.db"
    Store(path).close()
    path.with_name("aggregator.db-wal").mkdir()

    with pytest.raises(StoreError, match="be able to write it and its folder"):
        Store(path)


def test_an_error_inside_a_transaction_undoes_all_of_it(store: Store) -> None:
    """Either everything in the block is kept or nothing."""

    def write_then(failing: Callable[[], object]) -> None:
        with store.transaction():
            store.note("last_cycle", "1")
            failing()

    with pytest.raises(ZeroDivisionError):
        write_then(lambda: 1 / 0)
    with pytest.raises(StoreError, match="cannot be written"):
        write_then(lambda: store.do("INSERT INTO nowhere VALUES (1)"))

    assert store.fact("last_cycle") == ""


def test_many_processes_may_open_a_new_database_at_once(tmp_path: Path) -> None:
    """Making and migrating it waits for another process that does, and is done once."""
    program = (
        "import sys; from pathlib import Path; from aggregator.store import Store; "
        "sys.stdin.readline(); Store(Path(sys.argv[1])).close()"
    )
    words = [sys.executable, "-c", program, str(tmp_path / "aggregator.db")]
    running = [subprocess.Popen(words, stdin=subprocess.PIPE) for _ in range(6)]
    for process in running:
        assert process.stdin
        process.stdin.write(b"go\n")
        process.stdin.flush()
    for process in running:
        process.communicate()

    assert [process.returncode for process in running] == [0] * 6


def test_a_place_where_no_database_can_be_is_told_at_once() -> None:
    """Only a busy database is waited for; any other refusal is an error right away."""
    began = time.monotonic()
    with pytest.raises(StoreError, match="cannot be"):
        Store(Path("/proc/aggregator.db"))

    assert time.monotonic() - began < 10


# ── polls ─────────────────────────────────────────────────────────────────────────────


def test_a_followed_feed_is_due_until_it_is_polled(store: Store) -> None:
    """New feeds are due at once, then when their interval is over."""
    assert due(store) == [URL]

    polls.record(store, [an_outcome()], POLLING)

    assert due(store) == []
    assert due(store, everything=True) == [URL]
    assert due(store, NOW + POLLING.interval * 1.1) == [URL]


def test_a_feed_is_asked_at_its_own_rhythm(store: Store) -> None:
    """One with news all the time is asked often, one that hardly has any rarely."""

    def wait(pause: timedelta) -> timedelta:
        entries = [
            an_entry(f"{pause}-{n}", published_at=NOW - n * pause) for n in range(30)
        ]
        polls.record(store, [an_outcome(*entries)], POLLING)
        due_at = books.records(store)[URL].next_poll_at
        store.do("DELETE FROM entries")
        store.do("DELETE FROM seen")
        assert due_at
        return due_at - NOW

    assert wait(timedelta(minutes=5)) < POLLING.interval
    assert wait(timedelta(days=5)) > POLLING.interval * 10


def test_a_feed_without_dates_keeps_the_interval(store: Store) -> None:
    """Entries that all seem to be of the first poll are no burst."""
    polls.record(store, [an_outcome(*map(an_entry, "abcdef"))], POLLING)
    due_at = books.records(store)[URL].next_poll_at

    assert due_at
    assert POLLING.interval <= due_at - NOW <= POLLING.interval * 1.1


def test_a_feed_no_longer_followed_keeps_its_state(store: Store) -> None:
    """Taken out of feeds.toml it is not polled; put back, it knows its validators."""
    polls.record(store, [an_outcome(an_entry("a"))], POLLING)
    polls.follow(store, [], NOW)
    later = NOW + timedelta(days=1)

    assert due(store, later) == []

    polls.follow(store, [FEED], NOW)
    (task,) = polls.due(store, [FEED], later, POLLING)

    assert task.validators == Validators('"1"', "yesterday")
    assert task.body_hash == b"hash"
    assert task.known == {an_entry("a").fingerprint}


def test_a_disabled_outlet_is_not_polled(store: Store) -> None:
    """`enabled = false` is enough."""
    polls.follow(store, [Feed(URL, replace(FEED.outlet, enabled=False))], NOW)

    assert due(store) == []


def test_a_host_that_asked_for_a_pause_gets_it(store: Store) -> None:
    """Retry-After holds for every feed of the host, even when all are asked for."""
    pause = NOW + timedelta(hours=2)
    failed = an_outcome(
        failure=Failure("http", "http 429"), not_before=pause, paused_host="le-jour.fr"
    )
    polls.record(store, [replace(failed, listed=None)], POLLING)

    assert due(store, NOW + timedelta(minutes=119), everything=True) == []
    assert due(store, pause, everything=True) == [URL]
    assert polls.pauses(store, NOW) == (Pause("le-jour.fr", pause),)
    assert polls.pauses(store, pause) == ()


def test_no_pause_of_a_host_is_for_ever(store: Store) -> None:
    """It lasts a week at most."""
    late = NOW + timedelta(days=400)
    failed = an_outcome(
        failure=Failure("http", "http 503"), not_before=late, paused_host="le-jour.fr"
    )
    polls.record(store, [replace(failed, listed=None)], POLLING)

    (pause,) = polls.pauses(store, NOW)
    assert pause.until == NOW + timedelta(days=7)


def test_a_pause_goes_on_after_the_clock_was_set_back(store: Store) -> None:
    """From the end of the last cycle by the old clock; seconds do not become a day."""
    minute, day = timedelta(minutes=1), timedelta(days=1)
    polls.pause(store, "le-jour.fr", NOW + 5 * minute, NOW - minute)
    polls.pause(store, "le-soir.fr", NOW - day + 3 * minute, NOW - day - minute)
    polls.pause(store, "le-temps.ch", NOW + 9 * minute, NOW + minute)
    polls.pause(store, "slate.fr", NOW - minute, NOW - 2 * minute)
    cycles.end_cycle(store, NOW)
    back = NOW - day
    polls.set_back(store, back)

    kept = {one.host: one.until - back for one in polls.pauses(store, back)}
    assert kept == {
        "le-jour.fr": 5 * minute,
        "le-soir.fr": 3 * minute,
        "le-temps.ch": 8 * minute,
    }


def test_a_feed_that_was_not_asked_is_put_off_and_nothing_else(store: Store) -> None:
    """No failure, no poll: only its next poll waits, and never comes nearer."""
    polls.record(store, [an_outcome(an_entry("a"))], POLLING)
    (before,) = store.rows("SELECT * FROM feeds")
    later = NOW + timedelta(hours=3)
    unasked = an_outcome(
        at=NOW + timedelta(minutes=5), asked=False, listed=None, not_before=later
    )
    polls.record(store, [unasked, replace(unasked, not_before=None)], POLLING)
    polls.record(store, [replace(unasked, not_before=NOW)], POLLING)

    (after,) = store.rows("SELECT * FROM feeds")
    assert after["next_poll_at"] == int(later.timestamp())
    assert {**after, "next_poll_at": 0} == {**before, "next_poll_at": 0}
    assert len(store.rows("SELECT * FROM polls")) == 1


def test_a_feed_that_is_gone_is_left_alone(store: Store) -> None:
    """Even `--all` does not ask it before its month is over."""
    gone = an_outcome(failure=Failure("gone", "http 410"), listed=None)
    polls.record(store, [gone], POLLING)

    assert due(store, NOW + timedelta(days=20), everything=True) == []
    assert due(store, NOW + timedelta(days=34)) == [URL]


def test_a_long_interval_of_an_outlet_is_no_jump_of_the_clock(store: Store) -> None:
    """What the maintainer wants asked twice a year is asked twice a year."""
    rare = Feed(URL, replace(FEED.outlet, interval=timedelta(days=180)))
    polls.record(store, [an_outcome(feed=rare)], POLLING)

    assert not list(polls.due(store, [rare], NOW + timedelta(days=179), POLLING))
    assert len(list(polls.due(store, [rare], NOW + timedelta(days=180), POLLING))) == 1


def test_a_clock_set_back_does_not_shorten_the_month(store: Store) -> None:
    """What was gone "tomorrow" is not asked today; one gone in a year from now is."""
    gone = an_outcome(failure=Failure("gone", "http 410"), listed=None)
    polls.record(store, [gone], POLLING)

    assert due(store, NOW - timedelta(days=1), everything=True) == []
    assert due(store, NOW - timedelta(days=365)) == [URL]


def test_a_clock_that_jumped_stops_nothing(store: Store) -> None:
    """Set back by a day, a feed polled "tomorrow" is due."""
    polls.record(store, [an_outcome(at=NOW + timedelta(days=1))], POLLING)

    assert due(store) == [URL]


def test_entries_keep_their_first_date_and_are_counted_once(store: Store) -> None:
    """A retitled entry is updated; it is not new, and its date does not move."""
    first = an_entry("a", published_at=DAY)
    again = replace(
        first, title="Retouché", fingerprint=7, published_at=DAY + timedelta(days=9)
    )

    assert polls.record(store, [an_outcome(first)], POLLING) == 1
    assert polls.record(store, [an_outcome(again)], POLLING) == 0

    (row,) = store.rows("SELECT * FROM entries")
    assert row["title"] == "Retouché"
    assert row["dated_at"] == int(DAY.timestamp())
    (task,) = polls.due(store, [FEED], NOW, POLLING, everything=True)
    assert task.known == {7}


@pytest.mark.parametrize(
    ("published", "dated_at", "expected"),
    [
        (DAY, None, DAY),
        (NOW + timedelta(days=9), None, NOW),
        (None, DAY, DAY),
        (None, None, NOW),
    ],
)
def test_an_entry_is_never_dated_later_than_it_was_seen(
    store: Store,
    published: datetime | None,
    dated_at: datetime | None,
    expected: datetime,
) -> None:
    """Future dates are clamped; an undated first document lends its own date."""
    entry = an_entry("a", published_at=published)
    polls.record(store, [an_outcome(entry, dated_at=dated_at)], POLLING)

    (row,) = store.rows("SELECT dated_at FROM entries")
    assert row["dated_at"] == int(expected.timestamp())


def test_an_undated_entry_of_a_known_feed_is_of_today(store: Store) -> None:
    """After the first poll, the document's date says nothing of a new entry."""
    polls.record(store, [an_outcome(an_entry("a"), dated_at=DAY)], POLLING)
    polls.record(store, [an_outcome(an_entry("b"), dated_at=DAY)], POLLING)

    dates = {r["key"]: r["dated_at"] for r in store.rows("SELECT * FROM entries")}
    assert dates == {"a": int(DAY.timestamp()), "b": int(NOW.timestamp())}


def test_texts_without_mention_go_after_their_history_and_hashes_later(
    store: Store,
) -> None:
    """Both count from the day the entry left its feed; a mention stays for good."""
    old, told = an_entry("old"), an_entry("told")
    outcome = an_outcome(old, told, mentions=(a_mention(told),))
    polls.record(store, [outcome], POLLING)
    polls.record(store, [an_outcome(at=NOW)], POLLING)
    half_a_year = timedelta(days=180)

    cycles.forget(store, NOW + timedelta(days=179), half_a_year)
    assert len(store.rows("SELECT * FROM entries")) == 2

    cycles.forget(store, NOW + timedelta(days=181), half_a_year)
    assert [r["key"] for r in store.rows("SELECT key FROM entries")] == ["told"]
    assert len(store.rows("SELECT * FROM seen")) == 2

    cycles.forget(store, NOW + timedelta(days=731), half_a_year)
    assert store.rows("SELECT * FROM seen") == []


def test_what_is_still_listed_is_never_forgotten(store: Store) -> None:
    """A feed that lists the same entry for years does not make it new again."""
    entry = an_entry("a")
    polls.record(store, [an_outcome(entry)], POLLING)
    cycles.forget(store, NOW + timedelta(days=4000), timedelta(days=1))

    (task,) = polls.due(store, [FEED], NOW, POLLING, everything=True)
    assert task.known == {entry.fingerprint}


def test_a_document_with_nothing_in_common_is_a_gap(store: Store) -> None:
    """Its window is remembered, and the feed is asked again as soon as may be."""
    later = NOW + timedelta(days=2)
    polls.record(store, [an_outcome(an_entry("a"), an_entry("b"))], POLLING)
    polls.record(store, [an_outcome(an_entry("b"), an_entry("c"))], POLLING)
    polls.record(store, [an_outcome()], POLLING)

    assert store.rows("SELECT * FROM gaps") == []

    polls.record(store, [an_outcome(an_entry("b"), an_entry("c"))], POLLING)
    polls.record(store, [an_outcome(an_entry("x"), at=later)], POLLING)

    (row,) = store.rows("SELECT since, until FROM gaps")
    assert tuple(row) == (int(NOW.timestamp()), int(later.timestamp()))
    due_at = books.records(store)[URL].next_poll_at
    assert due_at
    assert POLLING.fastest <= due_at - later <= POLLING.fastest * 1.1


def test_a_document_cut_short_drops_nothing_and_is_no_gap(store: Store) -> None:
    """What it lacks may still be listed; what it lists is listed again."""
    one, two, three = map(an_entry, "abc")
    polls.record(store, [an_outcome(one, two), an_outcome(two)], POLLING)
    later = NOW + timedelta(days=1)
    polls.record(store, [an_outcome(one, three, at=later, complete=False)], POLLING)

    assert store.rows("SELECT * FROM seen WHERE dropped_at IS NOT NULL") == []

    polls.record(store, [an_outcome(an_entry("d"), at=later, complete=False)], POLLING)

    assert store.rows("SELECT * FROM gaps") == []
    assert len(store.rows("SELECT * FROM seen WHERE dropped_at IS NULL")) == 4


def test_a_document_cut_short_takes_nothing_back(store: Store) -> None:
    """What it does not say of its feed stays as it was said; what it says counts."""
    hour = timedelta(hours=1)
    said = [
        an_outcome(title="Fil", home="https://x.example/", rest=Rest(hour)),
        an_outcome(title="", complete=False, rest=Rest()),
        an_outcome(title="Le fil", complete=False, rest=Rest(24 * hour)),
        an_outcome(title="", rest=Rest()),
    ]
    kept = []
    for hours, outcome in enumerate(said):
        polls.record(store, [replace(outcome, at=NOW + hours * hour)], POLLING)
        (row,) = store.rows("SELECT title, home, ttl FROM feeds")
        kept.append((*row,))

    assert kept == [
        ("Fil", "https://x.example/", 3600),
        ("Fil", "https://x.example/", 3600),
        ("Le fil", "https://x.example/", 24 * 3600),
        ("", "", None),
    ]


def test_what_documents_cut_short_list_does_not_add_up(store: Store) -> None:
    """A feed that never ends well is asked as often as its short documents need."""

    def wait(*, complete: bool) -> timedelta:
        for hour in range(12):
            at = NOW + timedelta(hours=hour)
            entries = [
                an_entry(f"{hour}-{n}", published_at=at - timedelta(minutes=6) * n)
                for n in range(10)
            ]
            polls.record(store, [an_outcome(*entries, at=at, complete=complete)], SLOW)
        due_at = books.records(store)[URL].next_poll_at
        assert due_at
        return due_at - at

    assert wait(complete=False) < timedelta(minutes=25)


def test_an_entry_that_comes_back_is_listed_again(store: Store) -> None:
    """Dropping off and returning leaves no trace."""
    entry = an_entry("a")
    back = an_outcome(listed=(entry.id,))
    for outcome in (an_outcome(entry), an_outcome(), back):
        polls.record(store, [outcome], POLLING)

    (row,) = store.rows("SELECT dropped_at FROM seen")
    assert row["dropped_at"] is None


def test_the_health_of_a_feed_is_remembered(store: Store) -> None:
    """Failures are counted until one poll goes well, and a move is noted."""
    failed = an_outcome(failure=Failure("http", "http 500"), listed=None, status=500)
    polls.record(store, [failed], POLLING)
    polls.record(store, [failed], POLLING)
    record = books.records(store)[URL]

    assert (record.failures, record.http_status, record.error) == (2, 500, "http 500")
    assert record.success_at is None

    moved = "https://le-jour.fr/rss"
    polls.record(store, [an_outcome(an_entry("a"), moved_to=moved)], POLLING)
    record = books.records(store)[URL]

    assert (record.failures, record.error, record.success_at) == (0, "", NOW)
    assert record.moved_to == moved


def test_it_is_known_since_when_a_feed_is_followed_and_fails(store: Store) -> None:
    """From the first time it was followed; from the first failure in a row."""

    def since() -> tuple[int, int | None]:
        (row,) = store.rows("SELECT since, failing_since FROM feeds")
        return row["since"], row["failing_since"]

    start = int(NOW.timestamp())
    hours = [NOW + timedelta(hours=hour) for hour in range(5)]
    failed = an_outcome(failure=Failure("http", "http 500"), listed=None)
    polls.follow(store, [], hours[0])
    polls.follow(store, [FEED], hours[1])
    assert since() == (start, None)

    for hour in hours[2:4]:
        polls.record(store, [replace(failed, at=hour)], POLLING)
    assert since() == (start, int(hours[2].timestamp()))

    polls.record(store, [an_outcome(at=hours[4])], POLLING)
    assert since() == (start, None)


def test_declared_rest_outlives_documents_that_were_not_read(store: Store) -> None:
    """What the last document asked for holds after a 304 and after a failure."""
    rest = Rest(timedelta(hours=5), frozenset({3, 18}), frozenset({6}))
    unchanged = an_outcome(status=304, listed=None)
    failed = replace(unchanged, status=500, failure=Failure("http", "http 500"))

    def wait(outcome: Outcome) -> timedelta:
        polls.record(store, [outcome], POLLING)
        due_at = books.records(store)[URL].next_poll_at
        assert due_at
        return due_at - NOW

    assert wait(an_outcome(rest=rest)) == timedelta(hours=5)
    assert wait(unchanged) == timedelta(hours=5)
    assert wait(failed) == timedelta(hours=5)
    (row,) = store.rows("SELECT ttl, skip_hours, skip_days FROM feeds")
    assert tuple(row) == (18000, "[3, 18]", "[6]")

    assert wait(replace(unchanged, at=NOW + timedelta(hours=1))) >= timedelta(hours=7)

    assert wait(an_outcome(rest=Rest())) <= POLLING.interval * 1.1
    (row,) = store.rows("SELECT ttl, skip_hours, skip_days FROM feeds")
    assert tuple(row) == (None, "[]", "[]")


# ── feeds that moved ──────────────────────────────────────────────────────────────────

THERE = "https://nouveau.example/feed"
WEEK = timedelta(days=7, seconds=1)


@pytest.fixture
def moved(store: Store) -> Store:
    """Return the database of a feed that has redirected to THERE since NOW."""
    polls.record(store, [an_outcome(an_entry("a"), moved_to=THERE)], POLLING)
    later = NOW + timedelta(days=6)
    polls.record(store, [an_outcome(at=later, moved_to=THERE, listed=None)], POLLING)
    return store


def test_a_feed_that_moved_is_asked_there_after_a_week(moved: Store) -> None:
    """The same permanent redirect for over seven days counts; it remains one feed."""
    assert due(moved, NOW + timedelta(days=7)) == [URL]
    assert due(moved, NOW + WEEK) == [THERE]

    (task,) = polls.due(moved, [FEED], NOW + WEEK, POLLING)
    assert (task.feed, task.known) == (FEED, {an_entry("a").fingerprint})


def test_another_target_starts_the_week_anew(moved: Store) -> None:
    """Redirected elsewhere, or no longer, a feed is asked at its own address again."""
    elsewhere = an_outcome(at=NOW + WEEK, moved_to=THERE + "/2", listed=None)
    polls.record(moved, [elsewhere], POLLING)

    assert due(moved, NOW + WEEK + timedelta(days=7)) == [URL]
    assert due(moved, NOW + WEEK * 2) == [THERE + "/2"]

    polls.record(moved, [an_outcome(at=NOW + WEEK * 2, listed=None)], POLLING)

    assert due(moved, NOW + WEEK * 4) == [URL]


def test_a_moved_address_that_fails_gives_the_own_one_the_say(moved: Store) -> None:
    """Even a 410 there is no month of silence, and is not told as `gone`."""
    at = NOW + WEEK
    failure = Failure("gone", "http 410")
    polls.record(
        moved, [an_outcome(at=at, url=THERE, failure=failure, listed=None)], POLLING
    )

    record = books.records(moved)[URL]
    assert (record.failure, record.error, record.moved_to) == ("http", "http 410", "")
    assert due(moved, at) == []
    assert due(moved, at + POLLING.interval * 2.2) == [URL]


def test_the_host_that_is_asked_is_the_one_whose_pause_counts(moved: Store) -> None:
    """Once it moved, the old host's pause holds nothing back; the new one's does."""
    other = Feed("https://autre.fr/feed", Outlet("Autre", ("https://autre.fr/feed",)))
    polls.follow(moved, [FEED, other], NOW)
    at, until = NOW + WEEK, NOW + WEEK + timedelta(hours=9)
    paused = an_outcome(
        at=at, feed=other, listed=None, not_before=until, paused_host="le-jour.fr"
    )
    polls.record(moved, [paused], POLLING)

    assert due(moved, at) == [THERE]

    polls.record(moved, [replace(paused, paused_host="nouveau.example")], POLLING)

    assert due(moved, at) == []


def test_the_end_of_a_cycle_is_remembered(store: Store) -> None:
    """`status --max-age` needs to know when a cycle last ended."""
    assert cycles.last_cycle(store) is None

    cycles.end_cycle(store, NOW)

    assert cycles.last_cycle(store) == NOW


# ── stories ───────────────────────────────────────────────────────────────────────────


def test_a_mention_is_a_newcomer_until_it_is_placed(store: Store) -> None:
    """What an interrupted cycle did not place is placed by the next."""
    entry = an_entry("a", published_at=DAY)
    outcome = an_outcome(entry, an_entry("b"), mentions=(a_mention(entry),))
    polls.record(store, [outcome], POLLING)
    (member,) = tales.newcomers(store, {})

    assert member.mentions == (a_mention(entry),)
    assert (member.outlet, member.published_at) == ("Le Jour", DAY)

    tales.put(store, [Placement(entry.id, "abcd2345")])

    assert tales.newcomers(store, {}) == ()
    assert tales.taken(store, ["abcd2345", "abcd2346"]) == {"abcd2345"}
    (near,) = tales.neighbours(store, [member], {})
    assert near.story == "abcd2345"
    (ledger,) = ledgers(store)
    assert (ledger.short, ledger.standing) == ("abcd2345", None)


def test_a_story_is_found_by_the_title_its_outlet_gave_it_last(store: Store) -> None:
    """A copy under the new title has the retitled entry for a neighbour."""
    entry, copied = an_entry("a", title="Ancien titre"), an_entry("b", title="Nouveau")
    polls.record(store, [an_outcome(entry, mentions=(a_mention(entry),))], POLLING)
    tales.put(store, [Placement(entry.id, "abcd2345")])
    retitled = replace(entry, title="NOUVEAU", fingerprint=9)
    outcome = an_outcome(retitled, copied, mentions=(a_mention(copied),))
    polls.record(store, [outcome], POLLING)
    near = tales.neighbours(store, tales.newcomers(store, {}), {})

    assert [member.story for member in near] == ["abcd2345"]


def test_standings_come_back_as_they_were_kept(store: Store) -> None:
    """Every field survives, those that are None too."""
    entry = an_entry("a")
    polls.record(store, [an_outcome(entry, mentions=(a_mention(entry),))], POLLING)
    tales.put(store, [Placement(entry.id, "abcd2345")])
    for standing in (
        Standing("abcd2345", State.WAITING, ("film",)),
        Standing("abcd2345", State.HIDDEN, (), NOW, NOW, NOW, live=False, digest=9),
    ):
        tales.stand(store, [standing])

        assert ledgers(store)[0].standing == standing


def test_additions_are_entries_as_long_as_they_are_written_down(store: Store) -> None:
    """Taken out of curation.toml an addition loses its mentions, not its story."""
    item = Addition("jt-1", "Titre", "JT", DAY, "day", ("film", "clic"), form="tv")
    additions = tales.added([item])
    tales.keep_additions(store, additions, NOW)
    (member,) = tales.newcomers(store, additions)

    assert (member.outlet, member.addition) == ("JT", item)
    assert [mention.topic for mention in member.mentions] == ["clic", "film"]

    tales.put(store, [Placement(member.entry, "abcd2345")])
    tales.keep_additions(store, additions, NOW + timedelta(days=1))
    assert len(ledgers(store, additions)[0].members[0].mentions) == 2

    tales.keep_additions(store, {}, NOW)
    assert ledgers(store)[0].members[0].mentions == ()


def test_an_addition_taken_back_no_longer_speaks_in_its_story(store: Store) -> None:
    """The entry that a feed delivered leads from then on."""
    item = Addition("jt-1", "Titre ajouté", "Le Jour", DAY, "day", ("film",))
    additions, entry = tales.added([item]), an_entry("a")
    tales.keep_additions(store, additions, NOW)
    polls.record(store, [an_outcome(entry, mentions=(a_mention(entry),))], POLLING)
    joined = Placement(entry.id, "abcd2345", "same URL")
    tales.put(store, [Placement(*additions, "abcd2345"), joined])
    (before,) = ledgers(store, additions)
    tales.keep_additions(store, {}, NOW)
    (after,) = ledgers(store)

    assert [member.addition for member in before.members] == [item, None]
    assert [member.entry for member in after.members] == [entry.id]


def test_mentions_are_counted_by_topic(store: Store) -> None:
    """What a cycle gained is the difference of two counts."""
    sure, doubt = an_entry("a"), an_entry("b")
    mentions = (a_mention(sure), a_mention(doubt, Verdict.DOUBTFUL))
    before = books.mention_counts(store)
    polls.record(store, [an_outcome(sure, doubt, mentions=mentions)], POLLING)
    counts = books.mention_counts(store)

    assert books.gained(before, counts) == {"film": (1, 1)}
    assert books.gained(counts, {"film": (2, 0)}) == {"film": (1, 0)}
