"""Where a story stands: its state, and when it was added, updated, withdrawn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from aggregator.decisions import Ruling, Rulings
from aggregator.identity import number
from aggregator.model import Decision, State, Verdict
from aggregator.stories.ledger import Ledger, Standing, outlet_key, told
from aggregator.stories.likeness import words
from aggregator.text import cut

OLD_ADDITION = timedelta(days=30)  # beyond it an `add` counts as added at its own date
UPDATE_PAUSE = timedelta(days=1)  # `updated` moves at most once in this time
UNKNOWN = 0  # a digest that is taken as it is next, and moves nothing
_EXCERPT = 200  # characters of a summary whose change a reader would notice


def ruling(ledger: Ledger, rulings: Rulings, timezone: str) -> Ruling:
    """Return what the maintainer decided of a story."""
    return rulings.of(*_named(ledger, timezone))


def spoken(
    ledger: Ledger, rulings: Rulings, timezone: str
) -> tuple[tuple[int, Decision], ...]:
    """Return the decisions that speak of a story, with their places from 0."""
    return rulings.on(*_named(ledger, timezone))


def _named(ledger: Ledger, timezone: str) -> tuple[list[str], Iterator[str]]:
    """Return what a decision may call a story, and the days it may tell it by."""
    zone = ZoneInfo(timezone)
    keys = [ledger.short]
    for member in ledger.members:
        keys += member.addresses
        keys += [member.addition.key] if member.addition else []
    days = (m.published_at.astimezone(zone).date().isoformat() for m in ledger.members)
    return keys, days


def settle(
    ledger: Ledger, decided: Ruling, topics: Sequence[str], now: datetime
) -> Standing:
    """Return where a story stands from now on.

    topics: the ids of feeds.toml, in file order. A story's `added_at` is set once;
    `updated_at` moves when a reader would care, at most once in UPDATE_PAUSE, and a
    change that falls inside the pause is noticed after it. Nor does it move where the
    digest is UNKNOWN: what readers were shown is then known in part only.
    """
    state, wanted = _verdict(ledger, decided, topics)
    before = ledger.standing or Standing(ledger.short, State.WAITING, ())
    after = replace(before, state=state, topics=wanted or before.topics, held=())
    if state is not State.PUBLISHED:
        public = before.state is State.PUBLISHED
        if before.added_at and state is State.SUPPRESSED:
            after = replace(after, state=State.WITHDRAWN)
        return replace(after, withdrawn_at=now) if public else after
    digest = _digest(ledger, decided)
    if before.added_at is None:
        old = _old(ledger, now)
        at = ledger.members[0].published_at if old else now
        return replace(after, added_at=at, updated_at=at, live=not old, digest=digest)
    returns = before.state is not State.PUBLISHED
    if before.digest == UNKNOWN and not returns:
        return replace(after, digest=digest)
    due = before.updated_at is None or now - before.updated_at >= UPDATE_PAUSE
    if returns or (digest != before.digest and due):
        return replace(after, updated_at=now, withdrawn_at=None, digest=digest)
    return after


def _old(ledger: Ledger, now: datetime) -> bool:
    """Tell whether a story that is new counts as added at its own date."""
    first = ledger.members[0]
    if first.addition:
        return now - first.published_at > OLD_ADDITION
    return ledger.backfilled


def _verdict(
    ledger: Ledger, decided: Ruling, topics: Sequence[str]
) -> tuple[State, tuple[str, ...]]:
    """Return the state that decisions and mentions ask for, and for which topics."""
    if ledger.merged:
        return State.SUPPRESSED, ()

    def having(verdict: Verdict) -> set[str]:
        return {
            mention.topic
            for member in ledger.members
            for mention in member.mentions
            if mention.verdict is verdict
        }

    def ordered(names: Iterable[str]) -> tuple[str, ...]:
        return tuple(topic for topic in topics if topic in set(names))

    certain, doubtful = having(Verdict.CERTAIN), having(Verdict.DOUBTFUL)
    possible = certain | doubtful or having(Verdict.SUPPRESSED)
    if not possible and ledger.standing:
        possible = set(ledger.standing.topics)  # when something last spoke for it
    if decided.kept is False:
        return State.HIDDEN, ordered(possible)
    if decided.topics is not None:
        wanted = ordered(decided.topics)
    else:
        wanted = ordered(possible if decided.kept else certain)
    if wanted:
        return State.PUBLISHED, wanted
    if waiting := ordered(doubtful):
        return State.WAITING, waiting
    return State.SUPPRESSED, ordered(having(Verdict.SUPPRESSED))


def _digest(ledger: Ledger, decided: Ruling) -> int:
    """Return what changes with the words shown, the note, or the number of outlets.

    Not with punctuation, nor with the outlets' names: one renamed in feeds.toml is no
    news to a reader. Nor is a copy that `backfill` brought.
    """
    first, shown = ledger.members[0], told(ledger)
    outlets = {outlet_key(m.outlet) for m in ledger.members if not m.backfilled}
    excerpt = words(cut(shown.summary, _EXCERPT))
    return number(words(first.title), excerpt, decided.note, str(len(outlets)))
