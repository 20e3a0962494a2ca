"""The outlets of a soak: what each publishes and when it fails, all from one seed.

Pure: the server that plays the outlets and the script that checks afterwards make the
same world from the same numbers. Times are whole seconds since the start of the soak.
"""

from __future__ import annotations

import json
import random
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import cached_property
from heapq import merge

FORMS = ("rss", "atom", "json")
TYPES = {
    "rss": "application/rss+xml",
    "atom": "application/atom+xml",
    "json": "application/feed+json",
}
# usual seconds between two articles, articles a document lists, share of the feeds
PACES = (
    (8, 30, 0.1),
    (15, 6, 0.1),
    (40, 20, 0.3),
    (150, 10, 0.3),
    (1200, 10, 0.2),
)
BRIEF = ("error", "closed", "reset", "refused", "timeout", "html", "cut", "busy")
LASTING = ("moved", "elsewhere", "gone")
SECTIONS = 4  # feeds of the larger outlets, the first of which lists what all others do
LONG_AGO = 200_000  # seconds: more than two days
TOPIC, DOUBT = "travailleurs du clic", "petites mains"
WORDS = """
    atelier balance canal dossier enquête façade galerie horizon indice jardin kiosque
    levier marché nuage orage palette quartier réseau semaine tableau usine village
    wagon zone accord budget chantier débat écran forêt gare hiver
""".split()


@dataclass(frozen=True)
class Article:
    """An article: when it appears, and what its feed says of it."""

    at: int
    slug: str
    title: str
    summary: str


@dataclass(frozen=True)
class Source:
    """A feed. max_age in seconds, ttl in minutes; 0 = it declares none."""

    path: str
    host: str
    form: str
    listed: int
    etag: bool
    modified: bool
    max_age: int
    ttl: int
    articles: tuple[Article, ...]

    @cached_property
    def times(self) -> tuple[int, ...]:
        """When each article appears."""
        return tuple(article.at for article in self.articles)

    def span(self, at: float) -> tuple[int, int]:
        """Return from which to which of the articles (exclusive) is listed then."""
        newest = bisect_right(self.times, at)
        return max(newest - self.listed, 0), newest

    def until(self, number: int) -> float:
        """Return when an article scrolls off."""
        pusher = number + self.listed
        return self.times[pusher] if pusher < len(self.times) else float("inf")


@dataclass(frozen=True)
class Fault:
    """A span in which an outlet does not answer as it should."""

    kind: str
    start: float
    end: float


@dataclass(frozen=True)
class Site:
    """An outlet: one host, its feeds, and when it fails."""

    name: str
    host: str
    sources: tuple[Source, ...]
    faults: tuple[Fault, ...]

    def fault(self, at: float) -> Fault | None:
        """Return what is wrong then."""
        return next((f for f in self.faults if f.start <= at < f.end), None)


@dataclass(frozen=True)
class Scale:
    """How long a soak lasts, and the pace of its poller, all in seconds."""

    seed: int
    outlets: int
    length: int
    interval: int

    @property
    def fastest(self) -> int:
        """Return polling.fastest."""
        return max(self.interval // 4, 1)

    @property
    def slowest(self) -> int:
        """Return polling.slowest."""
        return self.interval * 3


def world(scale: Scale) -> tuple[Site, ...]:
    """Return the outlets."""
    chance = random.Random(scale.seed)
    return tuple(_site(number, scale, chance) for number in range(scale.outlets))


def _site(number: int, scale: Scale, chance: random.Random) -> Site:
    host = f"127.0.{1 + number // 250}.{1 + number % 250}"
    large = number % 20 == 7  # noqa: PLR2004 - any remainder would do
    own = [
        _source(f"/{number}/{part}", host, scale, chance)
        for part in range(1, SECTIONS if large else 2)
    ]
    if large:
        everything = tuple(merge(*(s.articles for s in own), key=lambda a: a.at))
        front = Source(
            path=f"/{number}/0",
            host=host,
            form="rss",
            listed=60,
            etag=True,
            modified=False,
            max_age=0,
            ttl=0,
            articles=_apart(everything),
        )
        own.insert(0, front)
    return Site(f"Outlet {number}", host, tuple(own), tuple(_faults(scale, chance)))


def _apart(articles: tuple[Article, ...]) -> tuple[Article, ...]:
    """Have no two of them appear in one second: Last-Modified could not tell."""
    spread: list[Article] = []
    for one in articles:
        at = max(one.at, spread[-1].at + 1) if spread else one.at
        spread.append(Article(at, one.slug, one.title, one.summary))
    return tuple(spread)


def _source(path: str, host: str, scale: Scale, chance: random.Random) -> Source:
    paces = [(pause, listed) for pause, listed, _ in PACES]
    [(pause, listed)] = chance.choices(paces, [share for *_, share in PACES])
    pause = max(2, pause * scale.interval // 20)
    begins, ends = -3 * listed * pause, scale.length
    kind = chance.random()
    if kind < 0.05:  # noqa: PLR2004 - some fall silent
        ends = chance.randrange(scale.length)
    elif kind < 0.08:  # noqa: PLR2004 - some have long been so, and a 304 is doubted
        begins, ends = begins - LONG_AGO, -LONG_AGO
    times: list[int] = []
    at = begins
    while at < ends:
        times.append(at)
        at += 1 + int(chance.expovariate(1 / (pause - 1)))
    validators = chance.choice([(True, True), (True, False), (False, True), (0, 0)])
    form = chance.choice(FORMS)
    return Source(
        path,
        host,
        form,
        listed,
        bool(validators[0]),
        bool(validators[1]),
        chance.choice([0, 0, 0, scale.fastest, scale.interval]),
        1 if form == "rss" and chance.random() < 0.1 else 0,  # noqa: PLR2004
        tuple(
            _article(f"{path[1:]}/{count}", at, chance)
            for count, at in enumerate(times)
        ),
    )


def _article(slug: str, at: int, chance: random.Random) -> Article:
    """Return an article in words of its own; a few mention the topic, some perhaps."""
    title = " ".join(chance.sample(WORDS, 6))
    subject = chance.random()
    if subject < 0.02:  # noqa: PLR2004 - a share
        title = f"Les {TOPIC} : {title}"
    elif subject < 0.024:  # noqa: PLR2004 - a share
        title = f"Les {DOUBT} : {title}"
    return Article(at, slug, title, " ".join(chance.choices(WORDS, k=30)))


def _faults(scale: Scale, chance: random.Random) -> Iterator[Fault]:
    """Yield when an outlet fails; two of five never do."""
    if chance.random() < 0.4:  # noqa: PLR2004 - a share
        return
    hasty = chance.random() < 0.05  # noqa: PLR2004 - fails and recovers all the time
    well = scale.slowest if hasty else max(2 * scale.slowest, scale.length / 6)
    at = 0.0
    while True:
        start = at + chance.uniform(0.5, 1.5) * well
        if start >= scale.length:
            return
        if not hasty and chance.random() < 0.1:  # noqa: PLR2004 - a share
            yield Fault(chance.choice(LASTING), start, float("inf"))
            return
        lasts = chance.uniform(0.3, 0.9 if hasty else 3) * scale.slowest
        at = start + lasts
        yield Fault(chance.choice(BRIEF), start, at)


# ── documents ─────────────────────────────────────────────────────────────────────────


def document(source: Source, at: float, epoch: int) -> bytes:
    """Return the document of a feed; epoch: when the soak started, since 1970."""
    first, beyond = source.span(at)
    shown = source.articles[first:beyond][::-1]
    write = {"rss": _rss, "atom": _atom, "json": _json}[source.form]
    return write(source, shown, epoch).encode()


def address(article: Article) -> str:
    """Return the address of an article."""
    return f"https://soak.invalid/{article.slug}"


def identifier(article: Article) -> str:
    """Return the identifier an article has in every form."""
    return f"urn:soak:{article.slug}"


def _rss(source: Source, shown: tuple[Article, ...], epoch: int) -> str:
    ttl = f"<ttl>{source.ttl}</ttl>" if source.ttl else ""
    items = "".join(
        f"<item><guid isPermaLink='false'>{identifier(one)}</guid>"
        f"<title>{one.title}</title><link>{address(one)}</link>"
        f"<description>{one.summary}</description>"
        f"<pubDate>{format_datetime(_date(one, epoch))}</pubDate></item>"
        for one in shown
    )
    return (
        '<?xml version="1.0"?><rss version="2.0"><channel>'
        f"<title>{source.path}</title><link>https://soak.invalid/</link>{ttl}{items}"
        "</channel></rss>"
    )


def _atom(source: Source, shown: tuple[Article, ...], epoch: int) -> str:
    newest = _date(shown[0], epoch).isoformat()
    entries = "".join(
        f"<entry><id>{identifier(one)}</id><title>{one.title}</title>"
        f'<link href="{address(one)}"/><summary>{one.summary}</summary>'
        f"<updated>{_date(one, epoch).isoformat()}</updated></entry>"
        for one in shown
    )
    return (
        '<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom">'
        f"<id>urn:soak:{source.path}</id><title>{source.path}</title>"
        f"<updated>{newest}</updated>{entries}</feed>"
    )


def _json(source: Source, shown: tuple[Article, ...], epoch: int) -> str:
    items = [
        {
            "id": identifier(one),
            "url": address(one),
            "title": one.title,
            "content_text": one.summary,
            "date_published": _date(one, epoch).isoformat(),
        }
        for one in shown
    ]
    version = "https://jsonfeed.org/version/1.1"
    return json.dumps({"version": version, "title": source.path, "items": items})


def _date(article: Article, epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch + article.at, UTC)
