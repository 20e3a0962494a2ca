"""One cycle: poll what is due, join stories, decide where they stand, publish.

This is the pipeline of DESIGN.md §2 in its order. `run`, `worker`, `publish` and `demo`
all come through here. The clock is read by the caller, once, and handed down.
"""

from __future__ import annotations

import gc
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from aggregator import engine, hubs, publish, rules, watch
from aggregator.desk import Desk, settled, stories
from aggregator.lock import CYCLE_WAIT, held
from aggregator.model import (
    Addition,
    Config,
    ConfigError,
    Failure,
    Feed,
    Outcome,
    PollTask,
    Report,
    State,
    Story,
)
from aggregator.publish.desk import desk as desk_pages
from aggregator.recover import recover
from aggregator.store import Store, books, polls, tales
from aggregator.store import rules as remembered
from aggregator.stories import Settled, brake, held_by_topic, place, possible_ids
from aggregator.wave import second_wave

_FLUSH = 200  # outcomes in one transaction: 2.8 × the rate of one each (DESIGN.md §2)
_FLUSH_ENTRIES = 1000  # new ones in one transaction; they may be long
_FLUSH_AFTER = 1.0  # seconds an outcome may wait for its transaction

Progress = Callable[[int, int], None]
"""Told how many feeds are polled, of how many."""


def cycle(
    desk: Desk,
    now: datetime,
    *,
    everything: bool = False,
    outlet: str = "",
    progress: Progress | None = None,
    wrong: ConfigError | None = None,
    stop: threading.Event | None = None,
) -> Report:
    """Poll what is due, then publish; return what happened.

    everything: also feeds whose interval is not over. outlet: only this one's feeds.
    wrong: why an edit of the maintainer's cannot be used; the desk shows it at once.
    stop: once it is set no other feed is asked, and what came by then is published; the
    cycle is not complete then.
    Raises StoreError, LockHeldError, AggregatorError when nothing can be published.
    """
    began = time.monotonic()
    config = desk.config
    with (
        held(config.storage.database, "cycle"),
        Store(config.storage.database) as store,
    ):
        restored = recover(store, desk, now)
        polls.follow(store, config.feeds, now)
        polls.set_back(store, now)
        if watch.edits(store, desk, wrong, now):
            show_desk(store, desk, stories(store, desk))
        before = books.mention_counts(store)
        rules.apply(store, config)
        failing = polls.failing(store)
        feeds = [f for f in config.feeds if outlet in ("", f.outlet.name)]
        tasks = tuple(
            polls.due(store, feeds, now, config.polling, everything=everything)
        )
        tally = _poll(store, config, tasks, now, progress, stop)
        if not tasks or tally.succeeded:  # else this machine may be cut off
            second_wave(store, config, feeds, now, stop)
        gained = books.gained(before, books.mention_counts(store))
        with _uncollected():
            tidings = tell(store, desk, now)
            told = stories(store, desk, tidings.members)
            watch.brake(store, desk, told, now)
            reached = watch.watch(store, desk, told, now)
            documents, written = rebuild(store, desk, told)
        polls.forget(store, now, config.storage.history)
        if stop is None or not stop.is_set():
            polls.end_cycle(store, now)
        # cut off from the outlets, this machine would blame the hubs
        heard = tell_hubs(store, desk, told, documents, now) if reached else ()
    return Report(
        polled=tally.polled,
        unchanged=tally.unchanged,
        failed=len(tally.failures),
        new_entries=tally.new_entries,
        mentions=sum(certain for certain, _ in gained.values()),
        doubtful=sum(doubtful for _, doubtful in gained.values()),
        stories=sum(story.state is State.PUBLISHED for story in told),
        files_written=len(written),
        seconds=round(time.monotonic() - began, 3),
        failures=tally.failures,
        started=tuple(item for item in tally.failures if item[0].url not in failing),
        recovered=tuple(feed for feed in tally.succeeded if feed.url in failing),
        by_topic=tuple(
            (topic.id, *gained.get(topic.id, (0, 0))) for topic in config.topics
        ),
        reached=reached,
        held=braked(desk, told),
        braked=tidings.braked,
        hubs=heard,
        restored=restored,
    )


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What `republish` did: the files it wrote; the others as in `Report`."""

    written: tuple[str, ...]
    held: tuple[tuple[str, int], ...]
    hubs: tuple[tuple[str, str], ...]
    restored: int | None = None


def republish(
    desk: Desk, now: datetime, *, accept: bool = False, wait: float = CYCLE_WAIT
) -> Rebuilt:
    """Apply the maintainer's files to what is stored, and rebuild what changed.

    accept: what the brake holds may pass. wait: seconds for another's cycle to end.
    Raises as `cycle` does.
    """
    database = desk.config.storage.database
    with held(database, "cycle", wait=wait), Store(database) as store:
        restored = recover(store, desk, now)
        polls.follow(store, desk.config.feeds, now)
        watch.edits(store, desk, None, now)
        rules.apply(store, desk.config)
        with _uncollected():
            tidings = tell(store, desk, now, accept=accept)
            told = stories(store, desk, tidings.members)
            watch.brake(store, desk, told, now)
            documents, written = rebuild(store, desk, told)
        heard = tell_hubs(store, desk, told, documents, now)
        return Rebuilt(written, braked(desk, told), heard, restored)


# ── polling ───────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Tally:
    """What all polls of a cycle came to."""

    polled: int
    unchanged: int
    new_entries: int
    failures: tuple[tuple[Feed, Failure], ...]
    succeeded: tuple[Feed, ...]


def _poll(
    store: Store,
    config: Config,
    tasks: Sequence[PollTask],
    now: datetime,
    progress: Progress | None,
    stop: threading.Event | None,
) -> _Tally:
    """Poll every task and record what comes, as it comes.

    A feed that was not asked after all, for its host's sake or to end, is no poll.
    """
    done = polled = unchanged = new_entries = 0
    failures: list[tuple[Feed, Failure]] = []
    succeeded: list[Feed] = []
    ready: list[Outcome] = []
    flushed = time.monotonic()
    batches = engine.plan(tasks, config, now, polls.pauses(store, now))
    for outcomes in engine.outcomes(batches, config.polling.concurrency, stop):
        for outcome in outcomes:
            done += 1
            if not outcome.asked:
                continue
            polled += 1
            unchanged += outcome.unchanged
            if outcome.failure:
                failures.append((outcome.feed, outcome.failure))
            else:
                succeeded.append(outcome.feed)
        ready += outcomes
        full = len(ready) >= _FLUSH or _entries(ready) >= _FLUSH_ENTRIES
        if full or time.monotonic() - flushed > _FLUSH_AFTER:
            new_entries += polls.record(store, ready, config.polling)
            ready, flushed = [], time.monotonic()
        if progress:
            progress(done, len(tasks))
    new_entries += polls.record(store, ready, config.polling)
    return _Tally(
        polled,
        unchanged,
        new_entries,
        tuple(sorted(failures, key=lambda item: (item[0].outlet.name, item[0].url))),
        tuple(sorted(succeeded, key=lambda feed: (feed.outlet.name, feed.url))),
    )


def _entries(outcomes: Sequence[Outcome]) -> int:
    return sum(len(outcome.entries) for outcome in outcomes)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no cycles of garbage inside the block.

    What is made of 10,000 stories lives until they are published. To go through it
    time and again for cycles, of which there are none, took a sixth of the time.
    """
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


# ── telling and publishing ────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Tidings:
    """What `tell` found: topics of which the brake holds more; the stories' entries."""

    braked: tuple[str, ...]
    members: tales.Members


def tell(store: Store, desk: Desk, now: datetime, *, accept: bool = False) -> Tidings:
    """Join what is new into stories, then decide where each story stands.

    It starts from everything not yet placed, not from what this cycle brought, so that
    a cycle cut off earlier is completed by the next one. accept: without the brake,
    which is off until a first cycle is complete and has found something, too.
    """
    additions = desk.additions
    tales.keep_additions(store, additions, now)
    join(store, additions)
    moves, followed = [], False
    members = tales.members(store, additions)
    for ledger, after, decided in settled(store, desk, now, members):
        before = ledger.standing
        by_hand = decided.on_place or ledger.regrouped
        old = ledger.backfilled and not (before and before.added_at)
        moves.append(Settled(before, after, decided=by_hand, backfilled=old))
        # readers may have come once something was published that a feed brought
        found = before and before.added_at and not decided.addition
        followed = followed or bool(found)
    edited, standings = remembered.marked(store), tuple(one.after for one in moves)
    begun = polls.last_cycle(store) or store.fact("recovered_at")
    if not accept and begun and followed:
        limit = desk.config.matching.brake
        topics = [topic.id for topic in desk.config.topics]
        standings = brake(moves, limit, edited, topics, now)
    changed = [
        after
        for one, after in zip(moves, standings, strict=True)
        if after != one.before
    ]
    if changed or edited:
        with store.transaction():
            tales.stand(store, changed)
            remembered.mark(store, ())
    held_before = held_by_topic(one.before for one in moves)
    braked_more = tuple(sorted(held_by_topic(standings) - held_before))
    return Tidings(braked_more, members)


def braked(desk: Desk, told: Sequence[Story]) -> tuple[tuple[str, int], ...]:
    """Return how many stories the brake holds, by topic in the order of feeds.toml."""
    order = [topic.id for topic in desk.config.topics]
    count = Counter(topic for story in told for topic in story.held)
    known = [topic for topic in order if topic in count]
    return tuple((t, count[t]) for t in (*known, *sorted(count.keys() - {*known})))


def join(store: Store, additions: Mapping[int, Addition]) -> None:
    """Place every mention that belongs to no story yet."""
    new = tales.newcomers(store, additions)
    if new:
        near = tales.neighbours(store, new, additions)
        taken = tales.taken(store, possible_ids(new))
        tales.put(store, place(new, near, taken))


def rebuild(
    store: Store, desk: Desk, told: Sequence[Story]
) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """Write the published folder and the desk.

    told: every story as it stands. Returns all documents of the published folder, and
    the names of those that changed.
    """
    config = desk.config
    files = publish.render(config.site, config.topics, told, watch.coverage(store))
    written = _write(store, config.storage.output, files, "documents")
    show_desk(store, desk, told)
    return files, written


def tell_hubs(
    store: Store,
    desk: Desk,
    told: Sequence[Story],
    documents: Mapping[str, bytes],
    now: datetime,
) -> tuple[tuple[str, str], ...]:
    """Tell hubs of the feeds among the documents just written; see `Report.hubs`."""
    heard = hubs.tell(store, desk.config, documents, now)
    if heard:
        show_desk(store, desk, told)
    return tuple((event.subject, event.text) for event in heard)


def show_desk(store: Store, desk: Desk, told: Sequence[Story]) -> None:
    """Write the maintainer's private folder."""
    files = desk_pages(desk.config.site, watch.view(store, desk, told))
    _write(store, desk.config.storage.desk, files, "desk_documents")


def _write(
    store: Store, folder: Path, files: Mapping[str, bytes], fact: str
) -> tuple[str, ...]:
    """Write a folder's files; fact: where the names of its earlier ones are kept."""
    earlier = store.fact(fact).splitlines()
    written = publish.write(folder, files, earlier)
    if earlier != [*files]:
        with store.transaction():
            store.note(fact, "\n".join(files))
    return written
