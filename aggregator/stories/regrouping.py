"""What the maintainer's `merge` and `split` make of the stories that rules made.

Nothing of it is stored: decisions name addresses, so they hold after the database is
lost, and one taken out of curation.toml has no effect any longer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from aggregator.decisions import key
from aggregator.identity import short
from aggregator.model import Action, Decision
from aggregator.stories.ledger import Ledger, Member, Standing

_MERGED = "merged in curation.toml"


def regroup(
    ledgers: Iterable[Ledger],
    decisions: Iterable[Decision],
    standings: Mapping[str, Standing],
    timezone: str,
) -> tuple[Ledger, ...]:
    """Return the stories as merged and split, in the order of the decisions.

    Of merged stories the one published first keeps its id, the others stay as ledgers
    that say into which they went. A copy that is split off gets an id of its own, the
    same each time, or that back from which it was merged. Where a split is taken back,
    its story is one that went into the other. standings: of all stories, by short id.
    """
    groups = _Groups(ledgers, standings, ZoneInfo(timezone))
    for decision in decisions:
        if decision.action is Action.MERGE:
            groups.merge(decision)
        elif decision.action is Action.SPLIT:
            groups.split(decision)
    groups.rejoin()
    return groups.ledgers()


class _Groups:
    """The stories by short id, while decisions are applied to them."""

    def __init__(
        self,
        ledgers: Iterable[Ledger],
        standings: Mapping[str, Standing],
        zone: ZoneInfo,
    ) -> None:
        self._of = {ledger.short: ledger for ledger in ledgers}
        self._standings, self._zone = standings, zone
        self._named: dict[str, dict[str, None]] = {}
        for ledger in self._of.values():
            for member in ledger.members:
                for name in _names(member):
                    self._named.setdefault(name, {})[ledger.short] = None

    def ledgers(self) -> tuple[Ledger, ...]:
        """Return all of them, by short id."""
        return tuple(ledger for _, ledger in sorted(self._of.items()))

    def merge(self, decision: Decision) -> None:
        """Make one story of all that a decision names."""
        found = [ledger for _, ledger in sorted(self._found(decision).items())]
        if len(found) < 2:  # noqa: PLR2004 -- nothing to merge
            return
        keeper, *others = sorted(found, key=_first_published)
        members = [*keeper.members]
        for other in others:
            members += [
                replace(one, reason=one.reason or _MERGED) for one in other.members
            ]
            self._of[other.short] = replace(other, merged=keeper.short)
        self._of[keeper.short] = replace(keeper, members=tuple(members))

    def split(self, decision: Decision) -> None:
        """Take the copies that a decision names out of their story."""
        for ledger in self._found(decision).values():
            leaving = [
                member
                for member in ledger.members
                if any(target in _names(member) for target in _targets(decision))
                and self._on_day(member, decision)
            ]
            staying = tuple(one for one in ledger.members if one not in leaving)
            if not leaving or not staying:
                continue
            self._of[ledger.short] = replace(ledger, members=staying)
            if others := self._restore(leaving):
                self._own(others)

    def rejoin(self) -> None:
        """Have the stories of splits that are no longer asked for go back."""
        gone = self._standings.keys() - self._of.keys()
        if not gone:
            return
        for ledger in [*self._of.values()]:
            for member in () if ledger.merged else ledger.members:
                for own in gone.intersection(map(_parted, _names(member))):
                    before = self._of.get(own)
                    members = (*(before.members if before else ()), member)
                    self._of[own] = Ledger(
                        own, members, self._standings[own], merged=ledger.short
                    )

    def _restore(self, leaving: list[Member]) -> list[Member]:
        """Give merged stories back what leaves of theirs; return the others."""
        entries = {member.entry for member in leaving}
        for ledger in [*self._of.values()]:
            back = tuple(one for one in ledger.members if one.entry in entries)
            if ledger.merged and back:
                self._of[ledger.short] = replace(ledger, members=back, merged="")
                entries.difference_update(one.entry for one in back)
        return [member for member in leaving if member.entry in entries]

    def _own(self, leaving: list[Member]) -> None:
        """Give members a story of their own: under the id it had, if it had one."""
        names = sorted({name for member in leaving for name in _names(member)})
        had = [own for own in map(_parted, names) if own in self._standings]
        own = had[0] if had else _parted(min(map(_name, leaving)))
        members = tuple(replace(one, reason="") for one in leaving)
        standing = self._standings.get(own)
        self._of[own] = Ledger(own, members, standing, parted=True)
        for name in names:
            self._named.setdefault(name, {})[own] = None

    def _found(self, decision: Decision) -> dict[str, Ledger]:
        """Return the stories that a decision means, as they are merged by now."""
        found = {}
        for target in _targets(decision):
            named = [*self._named.get(target, ())]
            if target in self._of:
                named.append(target)
            for name in named:
                ledger = self._of[name]
                while ledger.merged:
                    ledger = self._of[ledger.merged]
                if any(
                    self._on_day(member, decision)
                    and (target == name or target in _names(member))
                    for member in ledger.members  # what was split off left it
                ):
                    found[ledger.short] = ledger
        return found

    def _on_day(self, member: Member, decision: Decision) -> bool:
        day = member.published_at.astimezone(self._zone).date().isoformat()
        return day.startswith(decision.published)


def _targets(decision: Decision) -> list[str]:
    return [key(target) for target in decision.targets]


def _names(member: Member) -> Iterator[str]:
    """Yield what a decision may call a member by."""
    yield from member.addresses
    if member.addition:
        yield member.addition.key


def _name(member: Member) -> str:
    return next(_names(member), member.title)


def _parted(name: str) -> str:
    """Return the id of the story that a member of that name gets when split off."""
    return short(name, "split")


def _first_published(ledger: Ledger) -> tuple[bool, datetime, datetime, str]:
    """Return what sorts stories by when they were published, the unpublished last."""
    dated_at = ledger.members[0].published_at
    added_at = ledger.standing.added_at if ledger.standing else None
    return added_at is None, added_at or dated_at, dated_at, ledger.short
