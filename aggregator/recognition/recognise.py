"""A document's entries under the ids that last, and what was reused for them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import pairwise

from aggregator import identity
from aggregator.model import Entry
from aggregator.recognition.likeness import another, differ, moved
from aggregator.recognition.match import NEVER, Match, differing
from aggregator.recognition.traces import Called, Item, Known, Trace, keys, spoken


@dataclass(frozen=True, slots=True)
class Recognition:
    """The new and changed entries of a document, under the ids that last.

    ids: those, by the ids that the document alone gave. reused: entries, older ones
    too, whose URL proved to stand for other articles as well. akin: something listed
    goes by a name that stood in the last document.
    """

    entries: tuple[Called, ...]
    ids: Mapping[int, int]
    reused: frozenset[int]
    akin: bool


def compared(
    entries: Iterable[Called], traces: Iterable[Trace], kept: AbstractSet[int]
) -> frozenset[int]:
    """Return the traces whose texts `recognise` may look at.

    What shares its URL; and of what is not listed unchanged what shares any name. The
    others are many, and need not be read.
    """
    entries, traces = tuple(entries), tuple(traces)
    under = Counter(trace.names.url for trace in traces)
    under.update(one.names.url for one in entries)
    del under[0]  # no URL
    guids = {one.names.guid for one in entries}
    titles = {one.names.title for one in entries}
    return frozenset(
        trace.entry
        for trace in traces
        if under[trace.names.url] > 1
        or (
            trace.entry not in kept
            and (trace.names.guid in guids or trace.names.title in titles)
        )
    )


def recognise(
    feed_url: str,
    entries: Iterable[Called],
    traces: Iterable[Trace],
    kept: AbstractSet[int],
) -> Recognition:
    """Return the new and changed entries of a document as the entries they are.

    The order in which they are listed makes no difference. entries: under the ids that
    the document alone gives. traces: what the last document listed and this one does
    not list unchanged, and all under any of the names or the `keys` of `entries`. kept:
    ids of all that the document lists unchanged.
    """
    order = sorted(entries, key=lambda one: (one.entry.fingerprint, one.entry.id))
    items = tuple(Item(place, one) for place, one in enumerate(order))
    traces = tuple(traces)
    memory = tuple(Known(trace) for trace in sorted(traces, key=lambda t: t.entry))
    known = Match(items, memory, kept).found()
    taken = {trace.entry for trace in traces}
    ids: dict[int, int] = {}
    lasting = []
    for item in items:
        entry = item.called.entry
        if item.place in known:
            named = replace(entry, id=known[item.place])
        else:
            named = _new(feed_url, item.called, taken)
            taken.add(named.id)
        ids[entry.id] = named.id
        lasting.append(Called(named, item.names))
    now = kept | set(ids.values())
    last = {name for trace in traces if trace.listed for name in spoken(trace.names)}
    return Recognition(
        entries=tuple(lasting),
        ids=ids,
        reused=_reused(items, memory, ids, now),
        akin=any(name in last for item in items for name in spoken(item.names)),
    )


def _new(feed_url: str, one: Called, taken: set[int]) -> Entry:
    """Return a new entry under the first of its keys that no other entry has."""
    for key in keys(one):
        number = identity.number(feed_url, key)
        if number not in taken:
            same = number == one.entry.id
            return one.entry if same else replace(one.entry, id=number, key=key)
    return one.entry  # it was listed twice, equal in all that is shown


def _reused(
    items: Sequence[Item],
    memory: Sequence[Known],
    ids: Mapping[int, int],
    listed: AbstractSet[int],
) -> frozenset[int]:
    """Return the entries whose URL proved to stand for other articles as well.

    Of the entries under one URL, neighbours in date are compared: they are others when
    words changed with the date as a column's do, or when both are listed at once under
    guids of their own and have nothing in common.
    """
    by_url: defaultdict[int, dict[int, Item | Known]] = defaultdict(dict)
    for known in memory:
        by_url[known.names.url][known.trace.entry] = known
    for item in items:  # as it is now
        by_url[item.names.url][ids[item.called.entry.id]] = item
    found: set[int] = set()
    for url, parties in by_url.items():
        order = sorted(parties, key=lambda e: (parties[e].at or NEVER, e))
        if url and any(
            _two(parties[one], parties[other], at_once={one, other} <= listed)
            for one, other in pairwise(order)
        ):
            found.update(order)
    return frozenset(found)


def _two(one: Item | Known, other: Item | Known, *, at_once: bool) -> bool:
    """Tell whether two entries under one URL are two articles."""
    if moved(one.at, other.at) and another(one.words, other.words):
        return True
    told = one.words.telling and other.words.telling
    guids = differing(one.names.guid, other.names.guid)
    return at_once and guids and told and differ(one.words, other.words)
