"""What is known of an article: everything `why` needs, gathered from the database.

It reads the database and asks `health` and `publish` what they make of it. What follows
from that is `why`'s to say; nothing here writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from itertools import takewhile
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from aggregator import health
from aggregator.decisions import Ruling, Rulings, key
from aggregator.desk import Desk, regrouped, settled, stories
from aggregator.model import Outlet
from aggregator.publish.places import places
from aggregator.store import Store, books, cycles, events, traces
from aggregator.stories import Ledger, Standing, compose, spoken
from aggregator.urls import canonical, host
from aggregator.why import Case, Forgotten, Source, Span, Tale, Trace

STRANGER = (0, 0)  # see `kinship`
LIKELY = 8  # articles that are listed where several have the words
_TITLES = 50  # entries among which these are looked for: copies, updates
_SHORT = re.compile(r"(?:^|#s-|/)([a-z2-7]{8})$")  # alone, in an anchor, in an id
_BARE = re.compile(r"[^\s/]+\.[^\s/]+/\S*")  # an address without its https://
_DAY = re.compile(
    r"(?<!\d)((?:19|20)\d\d)([-/_]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])(?!\d)"
)
_MONTH = re.compile(r"/((?:19|20)\d\d)[-/](0[1-9]|1[0-2])/")


def about(store: Store, desk: Desk, asked: str, written: str, now: datetime) -> Case:
    """Return what is known of a URL, a short id, an id or the words of a title.

    written: when it was published, as `span` reads it; "" = look for it in the URL.
    """
    config, url = desk.config, address(asked)
    zone = ZoneInfo(config.site.timezone)
    traces, likely = _traces(store, desk, asked, url)
    sources, forgotten = (
        _sources(store, desk, url, now) if url and not traces else ((), ())
    )
    return Case(
        asked=asked,
        now=now,
        timezone=zone.key,
        curation=config.storage.curation.name,
        topics=config.topics,
        outlets=config.outlets,
        history=config.storage.history,
        url=url,
        dated=span(written, zone) if written else dated(url, zone, now),
        traces=traces,
        tale=_tale(store, desk, traces, now),
        sources=sources,
        forgotten=forgotten,
        likely=likely,
        ended_at=cycles.last_cycle(store),
    )


def address(asked: str) -> str:
    """Return what was asked for as a complete URL, "" when it is none."""
    asked = asked.strip()
    if canonical(asked):
        return asked
    return f"https://{asked}" if _BARE.fullmatch(asked) else ""


def dated(url: str, zone: ZoneInfo, now: datetime) -> Span | None:
    """Return the day or month that stands in a URL; None if none, or one to come."""
    for pattern, groups in ((_DAY, (1, 3, 4)), (_MONTH, (1, 2))):
        if found := pattern.search(url):
            try:
                its = span("-".join(found[group] for group in groups), zone)
            except ValueError:  # 30 February: a number, no date
                continue
            if its.start <= now:
                return its
    return None


def span(written: str, zone: ZoneInfo) -> Span:
    """Return the time that `2020-02-14` or `2020-02` means in the site's zone.

    Raises ValueError when it is neither.
    """
    day = date.fromisoformat(
        written if len(written) > len("2020-02") else f"{written}-01"
    )
    month = (day + timedelta(days=31)).replace(day=1)
    end = month if len(written) == len("2020-02") else day + timedelta(days=1)
    at = datetime.combine
    return Span(at(day, time(), zone), at(end, time(), zone), written)


# ── what there is of it ───────────────────────────────────────────────────────────────


def _traces(
    store: Store, desk: Desk, asked: str, url: str
) -> tuple[tuple[Trace, ...], tuple[Trace, ...]]:
    """Return the entries of what was asked for or, where it may be several, of each."""
    site = desk.config.site
    ours = asked.startswith((site.url, f"{site.id}/"))
    short = _SHORT.search(asked)
    named = short[1] if short and (ours or asked == short[1]) else ""
    if found := traces.of_story(store, named) or _split_off(store, desk, named):
        return found, ()
    if url:
        return traces.at(store, canonical(url)), ()
    its = [entry for entry, item in desk.additions.items() if key(item.key) == asked]
    if found := traces.numbered(store, its):
        return found, ()
    titled = traces.titled(store, asked, _TITLES)
    articles = {_article(trace): trace for trace in reversed(titled)}
    if len(articles) == 1:
        return _all_of(store, titled[0]), ()
    return (), tuple(dict.fromkeys(articles[_article(trace)] for trace in titled))[
        :LIKELY
    ]


def _split_off(store: Store, desk: Desk, short: str) -> tuple[Trace, ...]:
    """Return the entries of a story that a decision split off another."""
    moved = regrouped(store, desk) if short else {}
    its = [entry for entry, ledger in moved.items() if ledger.short == short]
    return traces.numbered(store, its)


def _article(trace: Trace) -> str:
    return trace.story or trace.entry.url or str(trace.entry.id)


def _all_of(store: Store, trace: Trace) -> tuple[Trace, ...]:
    return traces.of_story(store, trace.story) if trace.story else (trace,)


def _tale(
    store: Store, desk: Desk, traces: Iterable[Trace], now: datetime
) -> Tale | None:
    asked = next((trace for trace in traces if trace.story), None)
    if asked is None:
        return None
    config, rulings = desk.config, Rulings(desk.decisions)
    outlets = {outlet.name: outlet for outlet in config.outlets}
    holder = _holder(asked, settled(store, desk, now))
    if holder is None:
        return None
    ledger, standing, decided = holder
    reasons = {member.entry: member.reason for member in ledger.members}
    told = stories(store, desk)
    spoke = spoken(ledger, rulings, config.site.timezone)
    return Tale(
        story=compose(ledger, standing, decided, outlets),
        state=ledger.standing.state if ledger.standing else None,
        decided=tuple((place + 1, one) for place, one in spoke),
        places=places(config.site, config.topics, told, ledger.short),
        reason=reasons.get(asked.entry.id, asked.reason),
    )


_Settled = tuple[Ledger, Standing, Ruling]


def _holder(asked: Trace, known: Iterable[_Settled]) -> _Settled | None:
    """Return the story that an entry is told in; None while nobody knows of it.

    That is not always the one where it was placed, if the maintainer split or merged.
    """
    placed = None
    for one in known:
        ledger = one[0]
        if ledger.merged:
            continue
        if any(member.entry == asked.entry.id for member in ledger.members):
            return one
        if ledger.short == asked.story:
            placed = one
    return placed


# ── who would carry it ────────────────────────────────────────────────────────────────


def _sources(
    store: Store, desk: Desk, url: str, now: datetime
) -> tuple[tuple[Source, ...], tuple[Forgotten, ...]]:
    """Return the outlets that might carry a URL, and what is left of it in their feeds.

    A feed whose document calls it by another name than its address leaves no trace.
    """
    records = books.records(store)
    seen = traces.addresses(store)
    outlets = desk.config.outlets
    likely = nearest(url, {one: _homes(one, records, seen) for one in outlets})
    told, gaps = events.lasting(store), books.gaps(store)
    feeds = {feed.url: feed for feed in desk.config.feeds}
    sources = tuple(
        Source(
            outlet,
            tuple(health.status(feeds[one], records.get(one)) for one in outlet.urls),
            since=followed.since,
            windows=followed.windows,
        )
        for outlet in likely
        for followed in health.coverage([outlet], records, told, gaps, now)
        or [health.Followed(outlet.name, "", None, None)]
    )
    keys = {url, canonical(url), url.replace("https://", "http://", 1)}
    urls = [one for outlet in likely for one in outlet.urls]
    return sources, traces.forgotten(store, urls, sorted(keys))


def homes(store: Store, outlets: Iterable[Outlet]) -> dict[Outlet, tuple[str, ...]]:
    """Return the addresses at which each outlet, its feeds and its articles are."""
    records, seen = books.records(store), traces.addresses(store)
    return {one: tuple(filter(None, _homes(one, records, seen))) for one in outlets}


def _homes(
    outlet: Outlet,
    records: Mapping[str, health.Record],
    seen: Mapping[str, Iterable[str]],
) -> Iterator[str]:
    """Yield addresses at which an outlet, its feeds and its articles are."""
    yield outlet.homepage
    for url in outlet.urls:
        yield url
        yield records[url].home if url in records else ""
        yield from seen.get(url, ())


def nearest(article: str, homes: Mapping[Outlet, Iterable[str]]) -> list[Outlet]:
    """Return the outlets to which an article's address belongs most surely.

    homes: addresses at which each of them is. [] = it belongs to none.
    """
    near = {
        outlet: max(kinship(article, home) for home in its)
        for outlet, its in homes.items()
    }
    best = max(near.values(), default=STRANGER)
    return [outlet for outlet, kin in near.items() if STRANGER < kin == best]


def kinship(article: str, home: str) -> tuple[int, int]:
    """Return how surely an article's address is of those that `home` stands for.

    2 for the same host, 1 where one stands above the other, never for a mere ending;
    then how many folders both begin with: one host may carry several outlets.
    """
    own, its = (host(url).removeprefix("www.") for url in (article, home))
    short, long = sorted((own, its), key=len)
    if not short or not (own == its or ("." in short and long.endswith(f".{short}"))):
        return STRANGER
    folders = zip(_folders(article), _folders(home), strict=False)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], folders))
    return (2 if own == its else 1), same


def _folders(url: str) -> list[str]:
    return urlsplit(url).path.split("/")[1:-1]
