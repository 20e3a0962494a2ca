"""The entries of one document against what its feed remembers."""

from __future__ import annotations

from bisect import bisect
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from typing import Final

from aggregator.recognition.likeness import agree, another, apart, differ, equal, moved
from aggregator.recognition.traces import Item, Known, Name, spoken

_NEAREST: Final = 8  # entries under one name that are compared, by their dates
_LONG_TITLE: Final = 5  # words; shorter ones are columns and names, not articles
_TWO: Final = 2  # what one entry does may be chance
NEVER: Final = datetime.min.replace(tzinfo=UTC)  # sorts before every date


class Match:
    """The entries of one document against what its feed remembers."""

    def __init__(
        self, items: tuple[Item, ...], memory: tuple[Known, ...], kept: AbstractSet[int]
    ) -> None:
        """Index what is remembered; kept: what the document lists unchanged."""
        self.items = items
        self.kept = len(kept)
        self.free = [known for known in memory if known.trace.entry not in kept]
        # by how many a name is listed now, and borne among all that is remembered
        self.listings = Counter(n for item in items for n in spoken(item.names))
        self.listings.update(
            name
            for known in memory
            if known.trace.entry in kept
            for name in spoken(known.names)
        )
        self.bearers = Counter(n for known in memory for n in spoken(known.names))
        self.index: defaultdict[tuple[Name, int], list[Known]] = defaultdict(list)
        for known in sorted(self.free, key=lambda k: k.at or NEVER):
            for name in spoken(known.names):
                self.index[name, 0].append(known)
                self.index[name, known.names.title].append(known)
        self.guids = self.dates = True  # whether they prove anything
        pairs = [*self._certain()]
        self.guids = not self._scattered(pairs)
        self.dates = not self._redated(pairs)

    def found(self) -> dict[int, int]:
        """Return the entry that each item is, by its place; new ones are left out.

        Pairs that share most are made first; each item and each entry is in one.
        """
        pairs = sorted(
            (
                (self._shared(item, known), item.place, known.trace.entry, item, known)
                for item in self.items
                for known in self._candidates(item)
            ),
            key=lambda pair: (*(-score for score in pair[0]), pair[1], pair[2]),
        )
        found: dict[int, int] = {}
        gone: set[int] = set()
        for _, place, entry, item, known in pairs:
            if place in found or entry in gone or not self._same(item, known):
                continue
            found[place] = entry
            gone.add(entry)
        items = [item for item in self.items if item.place not in found]
        listed = [
            known
            for known in self.free
            if known.trace.listed and known.trace.entry not in gone
        ]
        return found | self._moved_house(items, listed, strangers=not found)

    # ── what the document as a whole proves ───────────────────────────────────────────

    def _certain(self) -> Iterator[tuple[Item, Known]]:
        """Yield each item with the one entry that goes by a name only it has."""
        for item in self.items:
            for name in spoken(item.names):
                if self._single(name) and (found := self.index.get((name, 0))):
                    yield item, found[0]
                    break

    def _scattered(self, pairs: Sequence[tuple[Item, Known]]) -> bool:
        """Tell whether guids went to other articles: numbers of a place, say."""
        by_guid = [(i, k) for i, k in pairs if i.names.guid == k.names.guid != 0]
        odd = sum(
            differing(i.names.url, k.names.url) and differ(i.words, k.words)
            for i, k in by_guid
        )
        return odd >= _TWO and odd > len(by_guid) - odd

    def _redated(self, pairs: Sequence[tuple[Item, Known]]) -> bool:
        """Tell whether entries bear other dates that have the same words: most of them.

        Then the outlet re-dates its whole feed, and a new date proves nothing.
        """
        same = [
            moved(item.at, known.at)
            for item, known in pairs
            if agree(item.words, known.words) and not another(item.words, known.words)
        ]
        return sum(same) >= _TWO and sum(same) > len(same) - sum(same) + self.kept

    # ── pairs ─────────────────────────────────────────────────────────────────────────

    def _single(self, name: Name) -> bool:
        return self.listings[name] <= 1 and self.bearers[name] <= 1

    def _candidates(self, item: Item) -> Iterable[Known]:
        """Return the entries under a name of the item's, those next in date."""
        found: dict[int, Known] = {}
        for name in spoken(item.names):
            if name[0] == "guid" and not self.guids:
                continue
            for group in ((name, 0), (name, item.names.title)):
                for known in _nearest(self.index.get(group, []), item.at):
                    found[known.trace.entry] = known
        return found.values()

    def _shared(self, item: Item, known: Known) -> tuple[float, ...]:
        """Return how much of two entries is equal, to sort pairs by."""
        guid = self.guids and item.names.guid == known.names.guid != 0
        url = item.names.url == known.names.url != 0
        title = item.names.title == known.names.title
        span = apart(item.at, known.at)
        far = span.total_seconds() if span is not None else 0.0
        dated = span is not None and not far
        return guid + url + title + dated, guid, url, -far, known.trace.listed

    def _same(self, item: Item, known: Known) -> bool:
        """Tell whether an entry of the document is one that is known by its name."""
        shared = {
            name
            for name in set(spoken(item.names)) & set(spoken(known.names))
            if self.guids or name[0] != "guid"
        }
        far = self.dates and moved(item.at, known.at)
        if any(map(self._single, shared)):
            renamed = differing(item.names.url, known.names.url) or (
                self.guids and differing(item.names.guid, known.names.guid)
            )
            return not far or not (
                another(item.words, known.words)
                or (renamed and differ(item.words, known.words))
            )
        # the name is used for several: only words and dates tell
        if far:
            return equal(item.words, known.words)
        whole = all(name in shared for name in spoken(item.names))
        if whole and all(self.listings[name] == 1 for name in shared):
            return True  # the article of the day, retouched
        return agree(item.words, known.words)

    # ── what lost all its names ───────────────────────────────────────────────────────

    def _moved_house(
        self, items: Sequence[Item], listed: Sequence[Known], *, strangers: bool
    ) -> dict[int, int]:
        """Return the entries that came back under a new guid and URL, by place.

        Title and date tell: both, and only once on either side. Without dates a long
        title does, where nothing else of the document is known (`strangers`).
        """
        found = dict(_unique(items, listed, lambda e: (e.names.title, e.at)))
        dated = {p: k for p, k in found.items() if k.at and k.names.title}
        undated = {
            place: known
            for place, known in found.items()
            if known.at is None and len(known.words.title) >= _LONG_TITLE
        }
        if strangers and not self.kept and len(undated) >= _TWO:
            dated |= undated
        return {place: known.trace.entry for place, known in dated.items()}


def differing(one: int, other: int) -> bool:
    """Tell whether two entries each have a name of one kind, and not the same."""
    return bool(one and other and one != other)


def _nearest(known: list[Known], at: datetime | None) -> list[Known]:
    """Return the few of an ordered list whose dates are next to `at`."""
    if len(known) <= _NEAREST:
        return known
    middle = bisect(known, at or NEVER, key=lambda k: k.at or NEVER)
    start = max(0, min(middle - _NEAREST // 2, len(known) - _NEAREST))
    return known[start : start + _NEAREST]


def _unique(
    items: Iterable[Item],
    listed: Iterable[Known],
    key: Callable[[Item | Known], Hashable],
) -> Iterator[tuple[int, Known]]:
    """Yield the place of each item, and the entry, that alone have a key."""
    mine: defaultdict[Hashable, list[Item]] = defaultdict(list)
    its: defaultdict[Hashable, list[Known]] = defaultdict(list)
    for item in items:
        mine[key(item)].append(item)
    for known in listed:
        its[key(known)].append(known)
    for value, group in mine.items():
        if len(group) == len(its[value]) == 1:
            yield group[0].place, its[value][0]
