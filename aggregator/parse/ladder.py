"""Which entry is which: the key that tells the entries of one document apart.

Pure. `parse` and its helpers make items, here they become entries; what was seen in
earlier documents may not enter (see `recognition`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aggregator import identity, urls
from aggregator.model import Entry

# Change it only when every entry has to be read as changed.
_FINGERPRINT: Final = "2"


@dataclass(frozen=True, slots=True)
class Item:
    """An entry as its document shows it, before it is known which one it is.

    Fields as in `model.Entry`; guid: what the document itself calls it, "" = nothing.
    """

    guid: str
    url: str
    title: str
    summary: str
    content: str = ""
    author: str = ""
    language: str = ""
    outlet: str = ""
    published_at: datetime | None = None
    updated_at: datetime | None = None


def entries(feed_url: str, items: Sequence[Item]) -> tuple[Entry, ...]:
    """Return the items as entries, in their order, each under a key of its own.

    The key is the guid, else the URL, else title and date (DESIGN.md §8, rule 0). Items
    that share a rung but not their text all step down to the next, so that none is
    lost; items equal in everything are one.
    """
    items = list(dict.fromkeys(items))
    rungs = [_rungs(item) for item in items]
    while shared := _shared([left[0] for left in rungs]):
        for position in shared:
            # no two items are equal in everything, so none shares its last rung
            rungs[position] = rungs[position][1:] or [_everything(items[position])]
    return tuple(
        _entry(feed_url, left[0], item) for left, item in zip(rungs, items, strict=True)
    )


def _rungs(item: Item) -> list[str]:
    """Return what may be an item's key, best first; what has none is all of it."""
    dated = f"{item.title}\n{_iso(item.published_at)}" if item.title else ""
    named = [rung for rung in (item.guid, item.url, dated) if rung]
    return named or [_everything(item)]


def _everything(item: Item) -> str:
    """Return what stands for all of an item."""
    everything = identity.number(
        f"guid={item.guid}", *_shown(item, item.url), _iso(item.updated_at)
    )
    return f"{everything:x}"


def _shared(keys: list[str]) -> list[int]:
    """Return the positions of keys that occur more than once."""
    first: dict[str, int] = {}
    found: dict[int, None] = {}
    for position, key in enumerate(keys):
        other = first.setdefault(key, position)
        if other != position:
            found.update({other: None, position: None})
    return list(found)


def _shown(item: Item, url: str) -> list[str]:
    """Return every shown field that is not empty, under its name.

    When it was updated is not among them: some feeds say "now" at each poll.
    """
    fields = {
        "url": url,
        "title": item.title,
        "summary": item.summary,
        "content": item.content,
        "author": item.author,
        "language": item.language,
        "outlet": item.outlet,
        "published": _iso(item.published_at),
    }
    return [f"{name}={value}" for name, value in fields.items() if value]


def _entry(feed_url: str, key: str, item: Item) -> Entry:
    return Entry(
        id=identity.number(feed_url, key),
        key=key,
        url=item.url,
        title=item.title,
        summary=item.summary,
        fingerprint=identity.number(_FINGERPRINT, *_shown(item, _followed(item.url))),
        content=item.content,
        author=item.author,
        language=item.language,
        outlet=item.outlet,
        published_at=item.published_at,
        updated_at=item.updated_at,
        guid=item.guid,
    )


def _followed(url: str) -> str:
    """Return the address a link leads to, however its reader is followed.

    Some outlets write other tracking parameters, and other guids, at each poll: that
    is no change of the entry. Another scheme is, since a link may die with the old one.
    """
    scheme, same = url.partition(":")[0].lower(), urls.canonical(url)
    return f"{scheme} {same}" if same else url


def _iso(at: datetime | None) -> str:
    return at.isoformat() if at else ""
