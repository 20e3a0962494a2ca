"""Joins that are likely but not sure, for the maintainer to confirm or refuse."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aggregator.decisions import key
from aggregator.model import Action, Decision, State, Story
from aggregator.stories.ledger import Suggestion

_SHOWN = frozenset({State.PUBLISHED, State.WAITING})


@dataclass(frozen=True, slots=True)
class Suggested:
    """Two stories that may be one: `other` came first. reason: what they share."""

    story: Story
    other: Story
    reason: str

    @property
    def one(self) -> Decision:
        """The decision that makes them one.

        By short ids, not by URLs: some addresses show another article every day.
        """
        return Decision(Action.MERGE, (self.other.short, self.story.short))

    @property
    def two(self) -> Decision:
        """The decision that says they are two; by its id it splits no copy off."""
        return Decision(Action.SPLIT, (self.story.short,))


def suggested(
    told: Iterable[Story],
    stored: Mapping[str, Iterable[Suggestion]],
    decisions: Iterable[Decision],
) -> tuple[Suggested, ...]:
    """Return the suggestions that still wait, by the later story's date, newest first.

    told: every story as it stands. `merge` makes one of them vanish; a `split` of any
    address of either says that they are two.
    """
    shown = {story.short: story for story in told if story.state in _SHOWN}
    apart = {
        key(target)
        for decision in decisions
        if decision.action is Action.SPLIT
        for target in decision.targets
    }
    found = [
        Suggested(shown[short], shown[one.story], one.reason)
        for short, others in stored.items()
        for one in others
        if short in shown and one.story in shown
        if apart.isdisjoint(_names(shown[short]) | _names(shown[one.story]))
    ]
    found.sort(key=lambda one: (one.story.published_at, one.story.short), reverse=True)
    return tuple(found)


def _names(story: Story) -> set[str]:
    return {story.short, *(key(copy.url) for copy in story.copies if copy.url)}
