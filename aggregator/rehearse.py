"""What the two edited files would change, and what each line is worth.

All of it is computed as a cycle would, in a transaction that is taken back. Nothing is
polled, published or kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from aggregator import bulletin, rules
from aggregator.desk import Desk, ledgers, regrouped, stories
from aggregator.fts import headline
from aggregator.model import Query, State, Story, Topic
from aggregator.store import Store, tales
from aggregator.store import rules as remembered

Key = Literal["match", "review", "never"]

STANDS = timedelta(days=7)  # published for so long, a story counts as accepted


@dataclass(frozen=True, slots=True)
class Merged:
    """A story that a decision made part of another, and how that one would stand."""

    story: Story
    part_of: str
    state: State


@dataclass(frozen=True, slots=True)
class Change:
    """What a published feed would gain and lose, newest first; feed: its file.

    "review" stands for the queue of what waits. merged: what it would lose as a story
    of its own, being part of another from then on.
    """

    feed: str
    added: tuple[Story, ...]
    removed: tuple[Story, ...]
    merged: tuple[Merged, ...]


@dataclass(frozen=True, slots=True)
class Worth:
    """What a line finds in the history, against what was decided.

    finds: entries; of a line of `never`, those that it holds back. alone: those that no
    other line takes as surely: no other of the same key, nor one of `match` what
    `review` finds. accepted, rejected: decided stories among them. precision: accepted
    of the decided ones. recall: accepted of all that are accepted in the topic. Both
    None where nothing is known, and of `never`.
    """

    topic: str
    key: Key
    line: str
    finds: int
    alone: int
    accepted: int
    rejected: int
    precision: float | None
    recall: float | None


@dataclass(frozen=True, slots=True)
class Difference:
    """All that the edited files would change. held: stories the brake would hold."""

    changes: tuple[Change, ...]
    lines: tuple[Worth, ...]
    held: tuple[tuple[str, int], ...]


def rehearse(desk: Desk, now: datetime) -> Difference:
    """Return what the next `publish` would change with these files, without the brake.

    Raises StoreError where there is no database yet, or it is locked for too long.
    """
    with Store(desk.config.storage.database, create=False) as store:
        before = stories(store, desk)
        moved = {e: ledger.short for e, ledger in regrouped(store, desk).items()}
        of_entry = remembered.told(store) | moved
        lines = tuple(_worths(store, desk.config.topics, before, of_entry, now))
        with store.rehearsal():
            rules.apply(store, desk.config)
            bulletin.tell(store, desk, now)
            held = bulletin.braked(desk, tales.held(store))
            after = bulletin.tell(store, desk, now, accept=True).stories
            merged = {one.short: one.merged for one in ledgers(store, desk)}
    return Difference(tuple(_changes(desk, before, after, merged)), lines, held)


# ── feeds ─────────────────────────────────────────────────────────────────────────────


def _changes(
    desk: Desk,
    before: Sequence[Story],
    after: Sequence[Story],
    merged: Mapping[str, str],
) -> Iterator[Change]:
    """Yield the feeds that would change: the front page's, everything, the topics'.

    merged: the story that each is part of, "" for one that stands for itself.
    """
    earlier, later = _feeds(desk, before), _feeds(desk, after)
    states = {story.short: story.state for story in after}
    for feed in [*later, *sorted(earlier.keys() - later.keys())]:
        old, new = earlier.get(feed, {}), later.get(feed, {})
        added = [story for short, story in new.items() if short not in old]
        gone = _newest_first(s for short, s in old.items() if short not in new)
        removed = tuple(story for story in gone if not merged.get(story.short))
        parts = tuple(
            Merged(story, whole, states[whole])
            for story in gone
            if (whole := merged.get(story.short))
        )
        if added or gone:
            yield Change(feed, _newest_first(added), removed, parts)


def _feeds(desk: Desk, told: Iterable[Story]) -> dict[str, dict[str, Story]]:
    """Return what stands in each feed, also in that of a topic that is gone."""
    topics = desk.config.topics
    main = {topic.id for topic in topics if topic.main}
    found: dict[str, dict[str, Story]] = {
        "feed.atom": {},
        "all/feed.atom": {},
        **{f"topics/{topic.id}/feed.atom": {} for topic in topics},
        "review": {},
    }
    for story in told:
        if story.state is State.WAITING:
            found["review"][story.short] = story
        if story.state is not State.PUBLISHED:
            continue
        found["all/feed.atom"][story.short] = story
        if main.intersection(story.topics):
            found["feed.atom"][story.short] = story
        for topic in story.topics:
            name = f"topics/{topic}/feed.atom"
            found.setdefault(name, {})[story.short] = story
    return found


def _newest_first(told: Iterable[Story]) -> tuple[Story, ...]:
    return tuple(sorted(told, key=lambda s: (s.published_at, s.short), reverse=True))


# ── lines ─────────────────────────────────────────────────────────────────────────────


def _worths(
    store: Store,
    topics: Iterable[Topic],
    told: Sequence[Story],
    of_entry: Mapping[int, str],
    now: datetime,
) -> Iterator[Worth]:
    """Yield what every line is worth, in the order of feeds.toml.

    of_entry: the story that each entry of the history is part of.
    """
    stored = set(of_entry.values())  # no line can find what an `add` alone made
    rejected = stored.intersection(s.short for s in told if s.state is State.HIDDEN)
    for topic in topics:
        accepted = stored.intersection(s.short for s in told if _stands(s, topic, now))
        judge = _Judge(topic.id, of_entry, accepted, rejected)
        match = [_found(store, "match", q, q.expression) for q in topic.match]
        review = _headlines(store, "review", topic.review)
        taken = frozenset[int]().union(*(one.entries for one in (*match, *review)))
        never = [
            replace(one, entries=one.entries & taken)
            for one in _headlines(store, "never", topic.never)
        ]
        yield from judge.worths(match)
        yield from judge.worths(review, beside=match)
        yield from judge.worths(never)


@dataclass(frozen=True, slots=True)
class _Found:
    """A line, and the entries that it finds."""

    key: Key
    line: str
    entries: frozenset[int]


def _found(store: Store, key: Key, query: Query, expression: str) -> _Found:
    return _Found(key, query.text, frozenset(remembered.finds(store, expression)))


def _headlines(store: Store, key: Key, lines: Iterable[Query]) -> list[_Found]:
    return [_found(store, key, query, headline(query.expression)) for query in lines]


@dataclass(frozen=True, slots=True)
class _Judge:
    """What was decided of a topic. of_entry: the story that an entry belongs to."""

    topic: str
    of_entry: Mapping[int, str]
    accepted: AbstractSet[str]
    rejected: AbstractSet[str]

    def worths(
        self, lines: Sequence[_Found], beside: Sequence[_Found] = ()
    ) -> Iterator[Worth]:
        """Yield what each of the lines is worth, beside one another and others."""
        finders = Counter(e for line in (*lines, *beside) for e in line.entries)
        for line in lines:
            known = self.of_entry.keys() & line.entries
            its = {self.of_entry[entry] for entry in known}
            right, wrong = len(its & self.accepted), len(its & self.rejected)
            judged = line.key != "never"
            yield Worth(
                topic=self.topic,
                key=line.key,
                line=line.line,
                finds=len(line.entries),
                alone=sum(finders[entry] == 1 for entry in line.entries),
                accepted=right,
                rejected=wrong,
                precision=_share(right, right + wrong) if judged else None,
                recall=_share(right, len(self.accepted)) if judged else None,
            )


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 3) if whole else None


def _stands(story: Story, topic: Topic, now: datetime) -> bool:
    added = story.added_at
    return (
        story.state is State.PUBLISHED
        and topic.id in story.topics
        and added is not None
        and now - added >= STANDS
    )
