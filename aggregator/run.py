"""One cycle: poll what is due, join stories, decide where they stand, publish.

This is the pipeline of DESIGN.md §2 in its order. `run`, `worker`, `publish` and `demo`
all come through here. The clock is read by the caller, once, and handed down.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from aggregator import engine, publish
from aggregator.decisions import Rulings
from aggregator.desk import Desk, stories
from aggregator.lock import held
from aggregator.model import (
    Config,
    Failure,
    Feed,
    Outcome,
    PollTask,
    Report,
    State,
)
from aggregator.store import Store, books, polls, tales
from aggregator.stories import place, ruling, settle

_FLUSH = 200  # outcomes in one transaction: 2.8 × the rate of one each (DESIGN.md §2)
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
) -> Report:
    """Poll what is due, then publish; return what happened.

    everything: also feeds whose interval is not over. outlet: only this one's feeds.
    Raises StoreError, LockHeldError, AggregatorError when nothing can be published.
    """
    began = time.monotonic()
    config = desk.config
    with (
        held(config.storage.database, "cycle"),
        Store(config.storage.database) as store,
    ):
        polls.follow(store, config.feeds, now)
        before = books.mention_counts(store)
        failing = polls.failing(store)
        feeds = [f for f in config.feeds if outlet in ("", f.outlet.name)]
        tasks = tuple(
            polls.due(store, feeds, now, config.polling, everything=everything)
        )
        tally = _poll(store, config, tasks, now, progress)
        gained = books.gained(before, books.mention_counts(store))
        tell(store, desk, now)
        stories, written = rebuild(store, desk)
        polls.forget(store, now, config.storage.history)
        polls.end_cycle(store, now)
    return Report(
        polled=tally.polled,
        unchanged=tally.unchanged,
        failed=len(tally.failures),
        new_entries=tally.new_entries,
        mentions=sum(certain for certain, _ in gained.values()),
        doubtful=sum(doubtful for _, doubtful in gained.values()),
        stories=stories,
        files_written=len(written),
        seconds=round(time.monotonic() - began, 3),
        failures=tally.failures,
        started=tuple(item for item in tally.failures if item[0].url not in failing),
        recovered=tuple(feed for feed in tally.succeeded if feed.url in failing),
        by_topic=tuple(
            (topic.id, *gained.get(topic.id, (0, 0))) for topic in config.topics
        ),
    )


def republish(desk: Desk, now: datetime) -> tuple[str, ...]:
    """Apply the maintainer's files to what is stored, and rebuild what changed.

    Returns the names of the files written. Raises as `cycle` does.
    """
    database = desk.config.storage.database
    with held(database, "cycle"), Store(database) as store:
        polls.follow(store, desk.config.feeds, now)
        tell(store, desk, now)
        return rebuild(store, desk)[1]


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
) -> _Tally:
    """Poll every task and record what comes, as it comes."""
    done = polled = unchanged = new_entries = 0
    failures: list[tuple[Feed, Failure]] = []
    succeeded: list[Feed] = []
    ready: list[Outcome] = []
    flushed = time.monotonic()
    batches = engine.plan(tasks, config, now)
    for outcomes in engine.outcomes(batches, config.polling.concurrency):
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
        if len(ready) >= _FLUSH or time.monotonic() - flushed > _FLUSH_AFTER:
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


# ── telling and publishing ────────────────────────────────────────────────────────────


def tell(store: Store, desk: Desk, now: datetime) -> None:
    """Join what is new into stories, then decide where each story stands.

    It starts from everything not yet placed, not from what this cycle brought, so that
    a cycle cut off earlier is completed by the next one.
    """
    additions = desk.additions
    tales.keep_additions(store, additions, now)
    new = tales.newcomers(store, additions)
    if new:
        near = tales.neighbours(store, new, additions)
        tales.put(store, place(new, near, tales.shorts(store)))
    topics = [topic.id for topic in desk.config.topics]
    rulings = Rulings(desk.decisions)
    zone = desk.config.site.timezone
    settled = [
        (ledger, settle(ledger, ruling(ledger, rulings, zone), topics, now))
        for ledger in tales.ledgers(store, additions)
    ]
    tales.stand(store, [s for ledger, s in settled if s != ledger.standing])


def rebuild(store: Store, desk: Desk) -> tuple[int, tuple[str, ...]]:
    """Write the published folder; return how many stories stand, and what changed."""
    config = desk.config
    told = stories(store, desk)
    files = publish.render(config.site, config.topics, told)
    earlier = store.fact("documents").splitlines()
    written = publish.write(config.storage.output, files, earlier)
    if earlier != [*files]:
        with store.transaction():
            store.note("documents", "\n".join(files))
    return sum(story.state is State.PUBLISHED for story in told), written
