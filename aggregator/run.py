"""One cycle: poll what is due, read what that needs, bring out a new bulletin.

This is the pipeline of DESIGN.md §2 in its order. `run`, `worker` and `demo` come
through here; `publish` is `bulletin` alone. The clock is read by the caller, once, and
handed down.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from aggregator import bulletin, engine, watch
from aggregator.adopt import adopt
from aggregator.desk import Desk, stories
from aggregator.lock import held
from aggregator.model import (
    Config,
    ConfigError,
    EngineError,
    Failure,
    Feed,
    Outcome,
    PollTask,
    Report,
)
from aggregator.recover import recover
from aggregator.store import Store, books, polls
from aggregator.wave import second_wave

_FLUSH = 200  # outcomes in one transaction: 2.8 × the rate of one each (DESIGN.md §2)
_FLUSH_ENTRIES = 2000  # new ones in one transaction; they may be long
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
    Raises StoreError, LockHeldError, AggregatorError when nothing can be published, and
    EngineError when not every feed could be asked; what came by then is published.
    """
    began = time.monotonic()
    config = desk.config
    with (
        held(config.storage.database, "cycle"),
        Store(config.storage.database) as store,
    ):
        restored = recover(store, desk, now)
        before = books.mention_counts(store)
        adopt(store, config, now)
        polls.set_back(store, now)
        if watch.edits(store, desk, wrong, now):
            bulletin.show_desk(store, desk, stories(store, desk))
        feeds = _feeds_of(config, outlet) if outlet else config.feeds
        tasks = tuple(
            polls.due(store, feeds, now, config.polling, everything=everything)
        )
        failing = polls.failing(store) if tasks else set()
        try:
            tally = _poll(store, config, tasks, now, progress, stop)
            if not tasks or tally.succeeded:  # else this machine may be cut off
                second_wave(store, config, feeds, now, stop)
        except EngineError:
            bulletin.bring_out(store, desk, now)  # what came before is no worse for it
            raise
        gained = books.gained(before, books.mention_counts(store))
        out = bulletin.bring_out(store, desk, now)
        if stop is None or not stop.is_set():
            bulletin.end(store, desk, out, now)
        # cut off from the outlets, this machine would blame the hubs
        heard = (
            bulletin.tell_hubs(store, desk, out.documents, now) if out.reached else ()
        )
    return Report(
        polled=tally.polled,
        unchanged=tally.unchanged,
        failed=len(tally.failures),
        new_entries=tally.new_entries,
        mentions=sum(certain for certain, _ in gained.values()),
        doubtful=sum(doubtful for _, doubtful in gained.values()),
        stories=out.stories,
        files_written=len(bulletin.changed(out.documents)),
        seconds=round(time.monotonic() - began, 3),
        failures=tally.failures,
        started=tuple(item for item in tally.failures if item[0].url not in failing),
        recovered=tuple(feed for feed in tally.succeeded if feed.url in failing),
        by_topic=tuple(
            (topic.id, *gained.get(topic.id, (0, 0))) for topic in config.topics
        ),
        reached=out.reached,
        held=out.held,
        braked=out.braked,
        hubs=heard,
        restored=restored,
    )


def _feeds_of(config: Config, name: str) -> list[Feed]:
    outlet = config.outlet(name)
    return [Feed(url, outlet) for url in outlet.urls] if outlet else []


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
    try:
        for outcomes in engine.outcomes(batches, config, stop):
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
    except EngineError:
        polls.record(store, ready, config.polling)
        raise
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
