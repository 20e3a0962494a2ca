"""What the maintainer's `merge` and `split` make of the stories that rules made.

Nothing of it is stored: decisions name addresses, so they hold after the database is
lost, and one taken out of curation.toml has no effect any longer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import count
from zoneinfo import ZoneInfo

from aggregator.decisions import key
from aggregator.identity import short
from aggregator.model import Action, Decision
from aggregator.stories.ledger import Ledger, Member, Standing

_MERGED = "merged in curation.toml"
_TIMES = 8  # that an entry is looked for as split off from what left with it: plenty


def regroup(
    ledgers: Iterable[Ledger],
    decisions: Iterable[Decision],
    standings: Mapping[str, Standing],
    timezone: str,
) -> tuple[Ledger, ...]:
    """Return the stories as merged and split, in the order of the decisions.

    Of merged stories the one published first keeps its id, the others stay as ledgers
    that say into which they went. A copy that is split off gets an id of its own, the
    same each time, or that back from which it was merged; where it leaves nothing but
    what was merged into its story, that goes on under its own id. Where a split is
    taken back, its story is one that went into the other. standings: of all stories, by
    short id.
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
    """The stories by short id, while decisions are applied to them.

    Each entry is in one story that stands for itself, its home. A merged story keeps
    the members that it had when it was merged, to be told by them and to get them back.
    """

    def __init__(
        self,
        ledgers: Iterable[Ledger],
        standings: Mapping[str, Standing],
        zone: ZoneInfo,
    ) -> None:
        self._of = {ledger.short: ledger for ledger in ledgers}
        self._standings, self._zone = standings, zone
        self._home: dict[int, str] = {}
        self._named: dict[str, list[Member]] = {}
        for ledger in self._of.values():
            for member in ledger.members:
                self._home[member.entry] = ledger.short
                for name in _names(member):
                    self._named.setdefault(name, []).append(member)
        self._origin = dict(self._home)  # the story an entry was in before any merge

    def ledgers(self) -> tuple[Ledger, ...]:
        """Return all of them, by short id; merged ones say where their first entry is.

        With what they had that is there too.
        """
        for ledger in [*self._of.values()]:
            if ledger.merged:
                home = self._home[ledger.members[0].entry]
                there = tuple(m for m in ledger.members if self._home[m.entry] == home)
                self._of[ledger.short] = replace(ledger, members=there, merged=home)
        return tuple(ledger for _, ledger in sorted(self._of.items()))

    def merge(self, decision: Decision) -> None:
        """Make one story of all that a decision names."""
        found = self._found(decision)
        if len(found) < 2:  # noqa: PLR2004 -- nothing to merge
            return
        keeper, *others = sorted(found, key=_first_published)
        members = [*keeper.members]
        for other in others:
            members += [
                replace(one, reason=one.reason or _MERGED) for one in other.members
            ]
            self._of[other.short] = replace(other, merged=keeper.short)
        self._stand(replace(keeper, members=tuple(members)))

    def split(self, decision: Decision) -> None:
        """Take the copies that a decision names out of their story."""
        for ledger in self._found(decision):
            leaving = [
                member
                for member in ledger.members
                if any(target in _names(member) for target in _targets(decision))
                and self._on_day(member, decision)
            ]
            staying = tuple(one for one in ledger.members if one not in leaving)
            if not leaving or not staying:
                continue
            if all(self._origin[one.entry] != ledger.short for one in staying):
                # what made the story leaves what was merged into it: it keeps the id
                self._stand(replace(ledger, members=tuple(leaving)))
                self._leave(staying)
                continue
            self._stand(replace(ledger, members=staying))
            if others := self._restore(leaving):
                self._own(others)

    def rejoin(self) -> None:
        """Have the stories of splits that are no longer asked for go back."""
        gone = self._standings.keys() - self._of.keys()
        if not gone:
            return
        standing = [ledger for ledger in self._of.values() if not ledger.merged]
        # one that was split off itself may share an address with what has gone back
        for ledger in sorted(standing, key=lambda one: (one.parted, one.short)):
            back: dict[str, list[Member]] = {}
            for member in ledger.members:
                for own in gone.intersection(_own_ids(member)).difference(self._of):
                    back.setdefault(own, []).append(member)
            for own, its in back.items():
                self._of[own] = Ledger(
                    own, tuple(its), self._standings[own], merged=ledger.short
                )

    def _stand(self, ledger: Ledger) -> None:
        """Have a story stand for itself, with these members."""
        self._of[ledger.short] = ledger
        for member in ledger.members:
            self._home[member.entry] = ledger.short

    def _restore(self, leaving: list[Member]) -> list[Member]:
        """Give merged stories back what leaves of theirs; return the others."""
        others, back = [], set()
        for member in leaving:
            origin = self._of[self._origin[member.entry]]
            had = {one.entry for one in origin.members}
            if origin.merged and member.entry in had:
                back.add(member.entry)
            else:
                others.append(member)
        for name in sorted({self._origin[entry] for entry in back}):
            before = self._of[name]
            members = tuple(
                one
                for one in before.members
                if one.entry in back and self._origin[one.entry] == name
            )
            self._stand(replace(before, members=members, merged=""))
        return others

    def _leave(self, staying: Sequence[Member]) -> None:
        """Have merged members go on as one, in the story that the first came from."""
        origin = self._of[self._origin[staying[0].entry]]
        had = {one.entry: one for one in origin.members}
        if not origin.merged or staying[0].entry not in had:
            self._own(staying)
            return
        members = (had.get(m.entry, m) for m in staying)
        self._stand(replace(origin, members=tuple(members), merged=""))

    def _own(self, leaving: Sequence[Member]) -> None:
        """Give members a story of their own: under the id it had, if it had one."""
        own = self._own_id(leaving)
        members = tuple(replace(one, reason="") for one in leaving)
        self._stand(Ledger(own, members, self._standings.get(own), parted=True))
        for member in leaving:
            self._origin[member.entry] = own

    def _own_id(self, leaving: Sequence[Member]) -> str:
        """Return an id that no other story has now.

        That of an entry alone goes first where it was given once; a new one is made of
        an address, unless others that stay behind have it as well: outlets show one
        article after another at some.
        """
        entries = {member.entry for member in leaving}
        alone = [own for times in range(_TIMES) for own in _alone(leaving, times)]
        names = sorted({name for member in leaving for name in _names(member)})
        for own in (*alone, *map(_parted, names)):
            if own in self._standings and own not in self._of:
                return own
        name = min(map(_name, leaving))
        unshared = all(one.entry in entries for one in self._named.get(name, ()))
        own = _parted(name)
        if unshared and own not in self._of:
            return own
        ids = (own for times in count() for own in _alone(leaving, times))
        return next(own for own in ids if own not in self._of)

    def _found(self, decision: Decision) -> list[Ledger]:
        """Return the stories that a decision means, as they are by now, by short id."""
        found: set[str] = set()
        for target in _targets(decision):
            called = [*self._named.get(target, ())]
            if target in self._of:
                home = self._home[self._of[target].members[0].entry]
                called += self._of[home].members
            found.update(
                self._home[member.entry]
                for member in called
                if self._on_day(member, decision)
            )
        return [self._of[short] for short in sorted(found)]

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


def _alone(members: Iterable[Member], times: int) -> list[str]:
    """Return the ids of such a story by what is each member's alone, not its address.

    times: how often it had one before that is in use.
    """
    more = [str(times)] if times else []
    return sorted(short(str(one.entry), "split", *more) for one in members)


def _own_ids(member: Member) -> Iterator[str]:
    """Yield the ids that a member may have been split off under."""
    for times in range(_TIMES):
        yield from _alone([member], times)
    yield from map(_parted, _names(member))


def _first_published(ledger: Ledger) -> tuple[bool, datetime, datetime, str]:
    """Return what sorts stories by when they were published, the unpublished last."""
    dated_at = ledger.members[0].published_at
    added_at = ledger.standing.added_at if ledger.standing else None
    return added_at is None, added_at or dated_at, dated_at, ledger.short
