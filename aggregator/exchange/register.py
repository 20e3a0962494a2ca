"""What is a story of ours already, by address, id or title. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from aggregator.decisions import key
from aggregator.identity import short
from aggregator.model import Action, Addition, Decision, State
from aggregator.stories import ADOPTION, Ledger, Standing, title_key
from aggregator.text import fold


@dataclass(frozen=True, slots=True)
class Known:
    """A story that is there; short "" = only its addition, no cycle has run since."""

    short: str
    state: State


class Register:
    """All stories and additions, to be asked article by article."""

    def __init__(
        self,
        stories: Iterable[tuple[Ledger, Standing]],
        decisions: Iterable[Decision],
    ) -> None:
        """Index the stories by what a decision may call them, and by their titles."""
        self._named: dict[str, Known] = {}
        self._titled: defaultdict[tuple[str, int], list[tuple[datetime, Known]]]
        self._titled = defaultdict(list)
        for decision in decisions:
            if decision.action is Action.ADD:
                for name in _names(decision):
                    self._named[name] = Known("", State.PUBLISHED)
        for ledger, standing in stories:
            known = Known(ledger.short, standing.state)
            self._named[ledger.short] = known
            for member in ledger.members:
                for name in member.addresses:
                    self._named[name] = known
                if member.addition:
                    self._named[member.addition.key] = known
                else:
                    words = (fold(member.outlet), title_key(member.title))
                    self._titled[words].append((member.published_at, known))

    def named(self, short: str) -> Known | None:
        """Return the story of a short id, None = there is none."""
        return self._named.get(short)

    def find(self, decided: Decision, name: str) -> Known | None:
        """Return the story that an addition would add again, None = it is new.

        name: a short id that it is known by, "" for none. Without an address it is
        the story that the addition would adopt, too.
        """
        addition = decided.addition
        assert addition is not None, "only additions are looked for"
        for each in (name, *_names(decided)):
            if each in self._named:
                return self._named[each]
        return None if addition.url else self._adopting(addition)

    def _adopting(self, addition: Addition) -> Known | None:
        words = (fold(addition.outlet), title_key(addition.title))
        near = (
            (abs(at - addition.published_at), known.short, known)
            for at, known in self._titled.get(words, ())
        )
        best = min(near, key=lambda one: one[:2], default=None)
        return best[2] if best and best[0] <= ADOPTION else None


def _names(decided: Decision) -> Iterator[str]:
    """Yield what an addition is known by, and the id that it gives its story."""
    for target in decided.targets:
        yield key(target)
        yield short(key(target))
