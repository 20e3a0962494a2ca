"""What the maintainer's decisions say of one story. Pure.

Later tables win over earlier ones (DESIGN.md §4), and any decision beats every rule of
feeds.toml. Reading curation.toml happens in `curation`; nothing here reads or writes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from aggregator.identity import short
from aggregator.model import Action, Addition, Decision, Story
from aggregator.urls import canonical, written


@dataclass(frozen=True, slots=True)
class Ruling:
    """All decisions on one story, summed up.

    kept: True = published whatever the rules say, False = never, None = as they say.
    topics: replace those of the rules; None = leave them.
    """

    kept: bool | None = None
    topics: tuple[str, ...] | None = None
    pinned: bool = False
    note: str = ""
    addition: Addition | None = None

    @property
    def on_place(self) -> bool:
        """Whether the maintainer, not a rule, says if and where it is published."""
        return self.kept is not None or self.topics is not None


def key(target: str) -> str:
    """Return what a target is compared by: its canonical URL, or itself (an id)."""
    return canonical(target) or target.strip()


def archiving(story: Story, copy: str, at: datetime) -> Decision:
    """Return the addition that gives a story a lasting copy, and changes nothing else.

    It joins the story by its address, says of it what is known already, and is no news
    to readers. The story has to have an address, and no addition so far.
    """
    # as it is published: without a password, for one
    url = written(story.url) or story.url
    addition = Addition(
        key=url,
        title=story.title or url,
        outlet=story.outlet,
        published_at=story.published_at,
        precision=story.precision,
        topics=story.topics,
        url=url,
        archived=copy,
    )
    topics = story.topics
    return Decision(Action.ADD, (url,), at, topics=topics, addition=addition)


def added(story: Story, decisions: Sequence[Decision]) -> int:
    """Return the place, from 1, of the last table that adds a story, 0 = none does."""
    names = {key(name) for one in story.entries for name in (one.url, one.key) if name}
    for place in range(len(decisions), 0, -1):
        one = decisions[place - 1]
        if one.action is Action.ADD and names.intersection(map(key, one.targets)):
            return place
    return 0


class Rulings:
    """Decisions in file order, ready to be asked story by story."""

    def __init__(self, decisions: Iterable[Decision]) -> None:
        """Index the decisions by each of their targets.

        Also by the short id that a target gave the story it founded (see `stories`):
        so a URL still names its story after the outlet moved the article.
        """
        self._of: defaultdict[str, list[tuple[int, Decision]]] = defaultdict(list)
        self._targets: set[str] = set()
        for position, decision in enumerate(decisions):
            for name in map(key, decision.targets):
                self._of[name].append((position, decision))
                self._of[short(name)].append((position, decision))
                self._targets.add(name)

    def of(self, keys: Iterable[str], published: Iterable[str]) -> Ruling:
        """Return the ruling on the story known by `keys`.

        keys: its short id, its ids and the canonical URLs of its copies. published: the
        dates it may be told apart by, as `2020-02-14` in the site's zone; a decision
        may give the month alone.
        """
        ruling = Ruling()
        for _, decision in self.on(keys, published):
            ruling = _apply(ruling, decision)
        return ruling

    def on(
        self, keys: Iterable[str], published: Iterable[str]
    ) -> tuple[tuple[int, Decision], ...]:
        """Return the decisions that speak of a story, with their places from 0."""
        told = dict(item for name in keys for item in self._of.get(name, ()))
        if not told:  # as of most stories, whose dates then need not be looked at
            return ()
        days = tuple(published)
        return tuple(
            (place, decision)
            for place, decision in sorted(told.items())
            if any(day.startswith(decision.published) for day in days)
        )

    def unknown(self, known: Iterable[str]) -> tuple[str, ...]:
        """Return the targets, as compared, that name nothing among `known`."""
        known = set(known)
        return tuple(
            sorted(name for name in self._targets if not known & {name, short(name)})
        )


def _apply(ruling: Ruling, decision: Decision) -> Ruling:  # noqa: PLR0911
    """Return the ruling after one more decision."""
    match decision.action:
        case Action.KEEP:
            return replace(ruling, kept=True)
        case Action.HIDE:
            return replace(ruling, kept=False)
        case Action.ADD:
            return replace(ruling, kept=True, addition=decision.addition)
        case Action.RETAG:
            return replace(ruling, topics=decision.topics)
        case Action.PIN | Action.UNPIN:
            return replace(ruling, pinned=decision.action is Action.PIN)
        case Action.NOTE:
            return replace(ruling, note=decision.text)
        case Action.MERGE | Action.SPLIT:
            return ruling  # what belongs to a story is decided elsewhere
