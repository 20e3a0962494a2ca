"""Same article or not, and where a story stands. Pure.

`place` joins entries into stories, each join with its reason (DESIGN.md §8); `settle`
decides what a story's state becomes; `compose` draws up the story as readers see it.
No clock but the `now` it is given, no database, no file.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from aggregator.decisions import Ruling, Rulings
from aggregator.identity import number, short
from aggregator.model import (
    Addition,
    Copy,
    Evidence,
    Mention,
    Outlet,
    State,
    Story,
    Verdict,
)
from aggregator.text import cut, fold

TITLE_WORDS = 5  # shorter titles are columns and names, not articles
SUMMARY_PROOF = 40  # folded characters below which a summary proves nothing
SUMMARY_SHARE = 0.8  # of the shorter summary's words that the other has too
SAME_OUTLET = timedelta(hours=24)
ACROSS_OUTLETS = timedelta(hours=48)
ADOPTION = timedelta(days=30)  # an `add` without URL and the outlet's own entry
OLD_ADDITION = timedelta(days=30)  # beyond it an `add` counts as added at its own date
UPDATE_PAUSE = timedelta(days=1)  # `updated` moves at most once in this time
_EXCERPT = 200  # characters of a summary whose change a reader would notice


@dataclass(frozen=True, slots=True)
class Member:
    """An entry with mentions, as stories see it.

    story: the short id it belongs to, "" while it is not placed. reason: why it was
    joined, "" for a story's first. published_at: never later than when it was first
    seen, and never changed afterwards.
    """

    entry: int
    outlet: str
    url: str
    canonical: str
    title: str
    published_at: datetime
    summary: str = ""
    author: str = ""
    language: str = ""
    mentions: tuple[Mention, ...] = ()
    story: str = ""
    reason: str = ""
    home: str = ""
    feed_url: str = ""
    feed_title: str = ""
    addition: Addition | None = None


@dataclass(frozen=True, slots=True)
class Placement:
    """The story an entry goes to; reason "" = it founds the story."""

    entry: int
    story: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is remembered of a story between cycles.

    digest: of all that moves `updated_at` when it changes. The times are None until the
    story is first published; live is False when it was added at its own, older date.
    """

    story: str
    state: State
    topics: tuple[str, ...]
    added_at: datetime | None = None
    updated_at: datetime | None = None
    withdrawn_at: datetime | None = None
    live: bool = True
    digest: int = 0


@dataclass(frozen=True, slots=True)
class Ledger:
    """A story with all that is known of it: its members, the first one first."""

    short: str
    members: tuple[Member, ...]
    standing: Standing | None = None


# ── joining ───────────────────────────────────────────────────────────────────────────


def title_key(title: str) -> int:
    """Return what equal titles share, however they are spelt (see `text.fold`)."""
    return number("title", fold(title))


def place(
    newcomers: Iterable[Member], neighbours: Iterable[Member], taken: Iterable[str]
) -> tuple[Placement, ...]:
    """Return where each newcomer belongs, whatever order they arrived in.

    neighbours: placed members that share a canonical URL or a title with a newcomer;
    taken: every short id in use. Additions come first, since a story keeps the id of
    its first entry and an addition is what the maintainer named; then by date.
    """
    book = _Book(neighbours, taken)
    order = sorted(
        newcomers,
        key=lambda m: (m.addition is None, m.published_at, m.canonical, m.entry),
    )
    return tuple(book.enter(member) for member in order)


class _Book:
    """The members placed so far, found by canonical URL and by title."""

    def __init__(self, members: Iterable[Member], taken: Iterable[str]) -> None:
        self._by_url: dict[str, Member] = {}
        self._by_title: defaultdict[str, list[Member]] = defaultdict(list)
        self._taken = set(taken)
        for member in members:
            self._write(member)

    def enter(self, member: Member) -> Placement:
        """Place one newcomer and remember it for those that follow."""
        placement = self._find(member) or self._found(member)
        self._write(replace(member, story=placement.story))
        return placement

    def _write(self, member: Member) -> None:
        if member.canonical:
            self._by_url.setdefault(member.canonical, member)
        self._by_title[fold(member.title)].append(member)

    def _find(self, member: Member) -> Placement | None:
        if same := self._by_url.get(member.canonical):
            return Placement(member.entry, same.story, "same URL")
        for other in self._by_title[fold(member.title)]:
            if reason := _same_title(member, other):
                return Placement(member.entry, other.story, reason)
        return None

    def _found(self, member: Member) -> Placement:
        day = member.published_at.date().isoformat()
        own = member.addition.key if member.addition else ""
        name = member.canonical or own or f"{member.outlet}/{member.title}/{day}"
        story, salt = short(name), 0
        while story in self._taken:
            salt += 1
            story = short(name, str(salt))
        self._taken.add(story)
        return Placement(member.entry, story)


def _same_title(one: Member, other: Member) -> str:
    """Return why two members of equal folded title are one article, "" if they are not.

    DESIGN.md §8, rule 2; an addition without URL takes its outlet's own entry (§4).
    """
    apart = abs(one.published_at - other.published_at)
    if fold(one.outlet) == fold(other.outlet):
        added = one.addition or other.addition
        if added and not (one.url and other.url) and apart <= ADOPTION:
            return "same outlet and title as an added article"
        if apart <= SAME_OUTLET and _long_enough(one.title):
            return "same outlet and title within 24 h"
    elif (
        apart <= ACROSS_OUTLETS
        and _long_enough(one.title)
        and summaries_agree(one.summary, other.summary)
    ):
        return "same title and summary within 48 h"
    return ""


def _long_enough(title: str) -> bool:
    return len(fold(title).split()) >= TITLE_WORDS


def summaries_agree(one: str, other: str) -> bool:
    """Tell whether two summaries say the same; too short ones prove nothing."""
    one, other = fold(one), fold(other)
    if min(len(one), len(other)) < SUMMARY_PROOF:
        return False
    words, others = set(one.split()), set(other.split())
    return len(words & others) >= SUMMARY_SHARE * min(len(words), len(others))


# ── standing ──────────────────────────────────────────────────────────────────────────


def ruling(ledger: Ledger, rulings: Rulings, timezone: str) -> Ruling:
    """Return what the maintainer decided of a story."""
    zone = ZoneInfo(timezone)
    keys = [ledger.short]
    for member in ledger.members:
        keys += [member.canonical] if member.canonical else []
        keys += [member.addition.key] if member.addition else []
    days = (m.published_at.astimezone(zone).date().isoformat() for m in ledger.members)
    return rulings.of(keys, days)


def settle(
    ledger: Ledger, decided: Ruling, topics: Sequence[str], now: datetime
) -> Standing:
    """Return where a story stands from now on.

    topics: the ids of feeds.toml, in file order. A story's `added_at` is set once;
    `updated_at` moves when a reader would care, at most once in UPDATE_PAUSE, and a
    change that falls inside the pause is noticed after it.
    """
    state, wanted = _verdict(ledger, decided, topics)
    before = ledger.standing or Standing(ledger.short, State.WAITING, ())
    after = replace(before, state=state, topics=wanted)
    if state is not State.PUBLISHED:
        public = before.state is State.PUBLISHED
        if before.added_at and state is not State.HIDDEN:
            after = replace(after, state=State.WITHDRAWN)
        return replace(after, withdrawn_at=now) if public else after
    digest = _digest(ledger, decided)
    if before.added_at is None:
        first = ledger.members[0]
        old = first.addition is not None and now - first.published_at > OLD_ADDITION
        at = first.published_at if old else now
        return replace(after, added_at=at, updated_at=at, live=not old, digest=digest)
    returns = before.state is not State.PUBLISHED
    due = before.updated_at is None or now - before.updated_at >= UPDATE_PAUSE
    if returns or (digest != before.digest and due):
        return replace(after, updated_at=now, withdrawn_at=None, digest=digest)
    return after


def _verdict(
    ledger: Ledger, decided: Ruling, topics: Sequence[str]
) -> tuple[State, tuple[str, ...]]:
    """Return the state that decisions and mentions ask for, and for which topics."""

    def having(verdict: Verdict) -> set[str]:
        return {
            mention.topic
            for member in ledger.members
            for mention in member.mentions
            if mention.verdict is verdict
        }

    def ordered(names: Iterable[str]) -> tuple[str, ...]:
        return tuple(topic for topic in topics if topic in set(names))

    certain, doubtful = having(Verdict.CERTAIN), having(Verdict.DOUBTFUL)
    possible = certain | doubtful or having(Verdict.SUPPRESSED)
    if decided.kept is False:
        return State.HIDDEN, ordered(possible)
    if decided.topics is not None:
        wanted = ordered(decided.topics)
    else:
        wanted = ordered(possible if decided.kept else certain)
    if wanted:
        return State.PUBLISHED, wanted
    if waiting := ordered(doubtful):
        return State.WAITING, waiting
    return State.SUPPRESSED, ordered(having(Verdict.SUPPRESSED))


def _digest(ledger: Ledger, decided: Ruling) -> int:
    first = ledger.members[0]
    outlets = sorted({fold(member.outlet) for member in ledger.members})
    excerpt = fold(cut(first.summary, _EXCERPT))
    return number(fold(first.title), excerpt, decided.note, *outlets)


# ── as readers see it ─────────────────────────────────────────────────────────────────


def compose(
    ledger: Ledger,
    standing: Standing,
    decided: Ruling,
    outlets: Mapping[str, Outlet],
) -> Story:
    """Return the story as it is shown, from its members and what was decided of it."""
    first = ledger.members[0]
    own = [m for m in ledger.members if fold(m.outlet) == fold(first.outlet)]
    told = _first_with(own, lambda m: m.summary) or first
    linked = _first_with(own, lambda m: m.url) or first
    outlet = outlets.get(first.outlet)
    added = decided.addition or first.addition
    return Story(
        short=ledger.short,
        state=standing.state,
        title=first.title,
        url=linked.url,
        outlet=first.outlet,
        published_at=first.published_at,
        topics=standing.topics,
        copies=_copies(ledger.members, linked),
        author=(_first_with(own, lambda m: m.author) or first).author,
        summary=told.summary,
        language=first.language or (outlet.language if outlet else ""),
        precision=first.addition.precision if first.addition else "time",
        excerpt=outlet.excerpt if outlet else None,
        evidence=_evidence(ledger.members, standing.topics, told),
        added_at=standing.added_at,
        updated_at=standing.updated_at,
        withdrawn_at=standing.withdrawn_at,
        live=standing.live,
        pinned=decided.pinned,
        note=decided.note,
        form=added.form if added else "",
        detail=added.detail if added else "",
        archived=added.archived if added else "",
        home=(outlet.homepage if outlet else "") or linked.home,
        feed_url=linked.feed_url,
        feed_title=linked.feed_title,
    )


def _first_with(
    members: Sequence[Member], wanted: Callable[[Member], str]
) -> Member | None:
    return next((member for member in members if wanted(member)), None)


def _copies(members: Sequence[Member], linked: Member) -> tuple[Copy, ...]:
    """Return one copy an outlet: the story's own first, then the others by date."""
    seen: set[str] = set()
    copies = []
    rest = sorted(members[1:], key=lambda m: (m.published_at, m.canonical, m.entry))
    for member in (members[0], *rest):
        outlet = fold(member.outlet)
        if outlet in seen:
            continue
        url = member.url or (linked.url if outlet == fold(linked.outlet) else "")
        seen.add(outlet)
        copies.append(
            Copy(member.outlet, url, member.title, member.published_at, member.reason)
        )
    return tuple(copies)


def _evidence(
    members: Sequence[Member], topics: Sequence[str], told: Member
) -> tuple[Evidence, ...]:
    """Return the best evidence for each topic; a certain one beats an earlier doubt."""
    order = {Verdict.CERTAIN: 0, Verdict.DOUBTFUL: 1, Verdict.SUPPRESSED: 2}
    found: dict[str, tuple[int, int, Mention]] = {}
    for rank, member in enumerate(members):
        for mention in member.mentions:
            candidate = (order[mention.verdict], rank, mention)
            held = found.get(mention.topic)
            if held is None or candidate[:2] < held[:2]:
                found[mention.topic] = candidate
    return tuple(
        Evidence(
            topic=topic,
            line=mention.line,
            column=mention.column,
            snippet=mention.snippet,
            certain=mention.verdict is Verdict.CERTAIN,
            spans=mention.spans,
            of_first=mention.entry == told.entry,
        )
        for topic in topics
        if topic in found
        for _, _, mention in [found[topic]]
    )
