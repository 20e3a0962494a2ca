"""The brake: many stories that would move at once wait for the maintainer. Pure.

A story moves in a topic when it enters what is published of it, or leaves it. What the
maintainer decided of a story is never held, nor is what `backfill` brought, unless it
was edited rules that found it there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from aggregator.model import State
from aggregator.stories.ledger import Standing


@dataclass(frozen=True, slots=True)
class Settled:
    """Where a story stood, and where it would from now on.

    before: None = nowhere. decided: by a decision of the maintainer's, not by rules.
    backfilled: it was never published, and only `backfill` brought it.
    """

    before: Standing | None
    after: Standing
    decided: bool = False
    backfilled: bool = False

    @property
    def moves(self) -> frozenset[str]:
        """The topics that it would enter or leave."""
        return _public(self.before) ^ _public(self.after)

    @property
    def held(self) -> frozenset[str]:
        """The topics in which a move of it was held before, and is wanted still."""
        return self.moves & frozenset(self.before.held if self.before else ())


def brake(
    settled: Iterable[Settled],
    limit: int,
    edited: Collection[str],
    topics: Sequence[str],
    now: datetime,
) -> tuple[Standing, ...]:
    """Return where stories stand when no topic may have more than `limit` moves.

    Of a topic with more none happens. What was held stays held, and does not count
    again, unless the topic's rules were edited since: then all is counted anew.
    topics: the ids of feeds.toml, in file order.
    """
    settled = tuple(settled)
    count = Counter(
        topic
        for one in settled
        for topic in _braked(one, edited)
        if topic in edited or topic not in one.held
    )
    full = {topic for topic, moves in count.items() if moves > limit}

    def standing(one: Settled) -> Standing:
        stays = one.held - frozenset(edited)
        held = (_braked(one, edited) & full) | (one.moves & stays)
        kept = frozenset() if one.decided else held
        return _held(one, kept, topics, now) if kept else one.after

    return tuple(map(standing, settled))


def _braked(one: Settled, edited: Collection[str]) -> frozenset[str]:
    """Return the topics in which a move of a story may be held."""
    if one.decided:
        return frozenset()
    return one.moves & frozenset(edited) if one.backfilled else one.moves


def held_by_topic(standings: Iterable[Standing | None]) -> Counter[str]:
    """Return how many stories the brake holds, by topic."""
    return Counter(topic for one in standings if one for topic in one.held)


def _held(
    one: Settled, kept: frozenset[str], topics: Sequence[str], now: datetime
) -> Standing:
    """Return where a story stands when it does not move in the topics `kept`."""

    def ordered(names: frozenset[str]) -> tuple[str, ...]:
        known = tuple(topic for topic in topics if topic in names)
        return known + tuple(sorted(names.difference(known)))  # of topics that are gone

    before = one.before or Standing(one.after.story, State.WAITING, ())
    public = _public(one.after) ^ kept
    if public:
        stands = one.after if one.after.state is State.PUBLISHED else before
        return replace(stands, topics=ordered(public), held=ordered(kept))
    left = before.state is State.PUBLISHED
    return replace(
        before,
        state=State.HELD,
        topics=ordered(kept),
        held=ordered(kept),
        withdrawn_at=now if left else before.withdrawn_at,
    )


def _public(standing: Standing | None) -> frozenset[str]:
    if standing is None or standing.state is not State.PUBLISHED:
        return frozenset()
    return frozenset(standing.topics)
