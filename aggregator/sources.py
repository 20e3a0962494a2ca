"""Whose an article is that a search has found, and its title without that name.

Search engines, alerts and a site's own search serve articles of many outlets in one
feed. Pure; nothing that knows a document, a topic or the database may enter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from aggregator.model import Entry, Outlet
from aggregator.text import fold
from aggregator.urls import host, unwrapped

Sites = tuple[tuple[str, str], ...]
"""Pairs of a host, without `www.`, and the outlet that alone is there."""

_ENDING = re.compile(r"(.*\S) - (\S.*)", re.DOTALL)
_NAME_WORDS = 6  # words of the longest names; « 60 Millions de consommateurs » has four
_DOMAIN = re.compile(r"\.[a-z]{2,4}$")
_LETTERS = re.compile(r"[\W_]+")


def sites(outlets: Iterable[Outlet]) -> Sites:
    """Return where each outlet lives, by its homepage and its feeds.

    A host that several share tells nothing and is left out; a homepage goes before
    feeds, which may be served by others. Searches live nowhere.
    """
    real = [outlet for outlet in outlets if outlet.kind != "search"]
    homes = _alone((o.homepage, o.name) for o in real if o.homepage)
    feeds = _alone((url, o.name) for o in real for url in o.urls)
    return tuple((feeds | homes).items())


def attributed(entry: Entry, feed_url: str, known: Sites) -> Entry:
    """Return an entry of a search with its outlet, that cut from its title, unwrapped.

    The outlet is what the entry names as its source, else the title's « - Slate.fr »
    ending, else the one whose host its target is on; "" = none of them. Where a name
    means an outlet of feeds.toml it is spelt as there. What a site finds among its own
    articles has such an ending only where it names an outlet of feeds.toml.
    """
    url = unwrapped(entry.url)
    homes, own = dict(known), _bare(url) == _bare(feed_url)
    title, named = entry.title, entry.outlet
    if found := _ENDING.fullmatch(title):
        ending = found[2]
        if named:
            is_outlet = same(ending, named)
        elif own:
            is_outlet = any(same(ending, name) for name in homes.values())
        else:
            is_outlet = len(ending.split()) <= _NAME_WORDS
        if is_outlet:
            title, named = found[1], named or ending
    outlet = next((name for name in homes.values() if same(name, named)), named)
    outlet = outlet or homes.get(_bare(url), "")
    return replace(entry, url=url, title=title, outlet=outlet)


def same(one: str, other: str) -> bool:
    """Tell whether two names mean one outlet: « Le Monde » and « lemonde.fr »."""
    return bool(one) and letters(one) == letters(other)


def letters(name: str) -> str:
    """Return what of a name counts: equal for names that mean one outlet."""
    return _LETTERS.sub("", _DOMAIN.sub("", fold(name)))


def _alone(owned: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return host → name for the hosts of only one name."""
    names: dict[str, str] = {}
    for url, name in owned:
        names[_bare(url)] = name if names.get(_bare(url), name) == name else ""
    return {site: name for site, name in names.items() if site and name}


def _bare(url: str) -> str:
    return host(url).removeprefix("www.")
