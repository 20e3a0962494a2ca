"""The outlets of feeds.toml, a hundred thousand maybe, of which a cycle needs few.

What is written of each is kept in columns, and becomes an `Outlet` when it is asked
for: by its place, its name, or the address of a feed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import timedelta
from functools import cached_property
from typing import Any, Final, Literal, overload

Articles = Literal["none", "doubtful", "all"]
FeedKind = Literal["feed", "sitemap", "search"]


@dataclass(frozen=True, slots=True)
class Outlet:
    """A publication and how its feeds are treated.

    topics: the only topic ids looked for; None = all. always, review: topic ids that
    every entry mentions for certain, or at least waits for. articles, interval,
    excerpt, timeout: None = as the whole configuration says.
    """

    name: str
    urls: tuple[str, ...]
    homepage: str = ""
    language: str = ""
    enabled: bool = True
    kind: FeedKind = "feed"
    topics: tuple[str, ...] | None = None
    always: tuple[str, ...] = ()
    review: tuple[str, ...] = ()
    articles: Articles | None = None
    interval: timedelta | None = None
    excerpt: int | None = None
    timeout: timedelta | None = None
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Feed:
    """One polled address of an outlet; all remembered state hangs on its URL."""

    url: str
    outlet: Outlet


_DEFAULTS: Final = {
    field.name: field.default
    for field in fields(Outlet)
    if field.name not in {"name", "urls"}
}


@dataclass(frozen=True, slots=True)
class Columns:
    """Outlets, a value of each in every column.

    urls: a string is an only one. keys: by the place in the columns, the other values
    that are not the defaults, by name.
    """

    names: Sequence[str]
    urls: Sequence[str | Sequence[str]]
    keys: Mapping[int, Mapping[str, Any]]


class Outlets(Sequence[Outlet]):
    """Outlets in the order of feeds.toml."""

    def __init__(self, columns: Columns) -> None:
        """Make outlets of these columns as they are asked for."""
        self.columns = columns

    @classmethod
    def of(cls, outlets: Iterable[Outlet]) -> Outlets:
        """Return these outlets."""
        if isinstance(outlets, Outlets):
            return outlets
        every = tuple(outlets)
        keys = {
            place: its for place, one in enumerate(every) if (its := _other_keys(one))
        }
        urls = [one.urls[0] if len(one.urls) == 1 else one.urls for one in every]
        return cls(Columns([one.name for one in every], urls, keys))

    def named(self, name: str) -> Outlet | None:
        """Return the outlet of a name, None where none has it."""
        place = self._by_name.get(name)
        return None if place is None else self[place]

    def owner(self, url: str) -> Outlet | None:
        """Return the outlet that has a feed at an address, None where none has."""
        place = self._by_url.get(url)
        return None if place is None else self[place]

    @property
    def addresses(self) -> Collection[str]:
        """Every feed's address, in the order of feeds.toml."""
        return self._by_url.keys()

    @cached_property
    def _by_name(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.columns.names)}

    @cached_property
    def _by_url(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for place, written in enumerate(self.columns.urls):
            if isinstance(written, str):
                found[written] = place
            else:
                found.update(dict.fromkeys(written, place))
        return found

    def _at(self, place: int) -> Outlet:
        columns = self.columns
        urls = columns.urls[place]
        return Outlet(
            columns.names[place],
            (urls,) if isinstance(urls, str) else tuple(urls),
            **columns.keys.get(place, {}),
        )

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.columns.names)

    @overload
    def __getitem__(self, place: int) -> Outlet: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Outlet, ...]: ...
    def __getitem__(self, place: int | slice) -> Outlet | tuple[Outlet, ...]:
        """Return the outlet at a place, or those of a slice."""
        every = range(len(self))
        if isinstance(place, slice):
            return tuple(map(self._at, every[place]))
        return self._at(every[place])

    def __iter__(self) -> Iterator[Outlet]:
        """Yield every outlet."""
        return map(self._at, range(len(self)))

    def __eq__(self, other: object) -> bool:
        """Tell whether these are the same outlets in the same order."""
        if not isinstance(other, Sequence):
            return NotImplemented
        return tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]  # as of any list

    def __repr__(self) -> str:
        """Return all that is known of every outlet."""
        return repr(tuple(self))


class Feeds(Sequence[Feed]):
    """Every feed of every outlet, those of disabled outlets too, in file order."""

    def __init__(self, outlets: Outlets) -> None:
        """Make feeds of these outlets as they are asked for."""
        self._outlets = outlets

    def at(self, url: str) -> Feed | None:
        """Return the feed of an address, None where there is none."""
        owner = self._outlets.owner(url)
        return None if owner is None else Feed(url, owner)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._outlets.addresses)

    @overload
    def __getitem__(self, place: int) -> Feed: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Feed, ...]: ...
    def __getitem__(self, place: int | slice) -> Feed | tuple[Feed, ...]:
        """Return the feed at a place, or those of a slice."""
        return tuple(self)[place]

    def __iter__(self) -> Iterator[Feed]:
        """Yield every feed."""
        return (Feed(url, outlet) for outlet in self._outlets for url in outlet.urls)

    def __eq__(self, other: object) -> bool:
        """Tell whether these are the same feeds in the same order."""
        if not isinstance(other, Sequence):
            return NotImplemented
        return tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]  # as of any list


def found(feeds: Iterable[Feed], urls: Collection[str]) -> dict[str, Feed]:
    """Return those of the feeds that are at one of these addresses, by address."""
    if isinstance(feeds, Feeds):
        return {url: feed for url in urls if (feed := feeds.at(url))}
    return {feed.url: feed for feed in feeds if feed.url in urls}


def _other_keys(outlet: Outlet) -> dict[str, Any]:
    """Return what is set of an outlet besides name and addresses."""
    return {
        name: value
        for name, default in _DEFAULTS.items()
        if (value := getattr(outlet, name)) != default
    }
