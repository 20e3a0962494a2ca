"""The story as readers see it, drawn up from all that is known of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from aggregator.decisions import Ruling
from aggregator.model import (
    Copy,
    Evidence,
    Mention,
    Origin,
    Outlet,
    Proof,
    Story,
    Verdict,
)
from aggregator.stories.ledger import (
    Ledger,
    Member,
    Standing,
    first_with,
    outlet_key,
    own,
    told,
)

_RANKS = {Verdict.CERTAIN: 0, Verdict.DOUBTFUL: 1, Verdict.SUPPRESSED: 3}
_ADDED = 2
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def compose(
    ledger: Ledger,
    standing: Standing,
    decided: Ruling,
    outlets: Mapping[str, Outlet],
) -> Story:
    """Return the story as it is shown, from its members and what was decided of it."""
    first = ledger.members[0]
    own_members, shown = own(ledger), told(ledger)
    linked = first_with(own_members, lambda m: m.url) or first
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
        author=(first_with(own_members, lambda m: m.author) or first).author,
        summary=shown.summary,
        language=first.language or (outlet.language if outlet else ""),
        precision=first.addition.precision if first.addition else "time",
        excerpt=outlet.excerpt if outlet else None,
        evidence=_evidence(ledger.members, standing.topics, shown),
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
        held=standing.held,
        entries=tuple(
            _origin(ledger, member, told=member is shown) for member in ledger.members
        ),
    )


def tombstone(standing: Standing) -> Story:
    """Return what is left of a story without entries: that it was there."""
    return Story(
        short=standing.story,
        state=standing.state,
        title="",
        url="",
        outlet="",
        published_at=standing.withdrawn_at or NEVER,
        topics=standing.topics,
        copies=(),
        added_at=standing.added_at,
        updated_at=standing.updated_at,
        withdrawn_at=standing.withdrawn_at,
        live=standing.live,
    )


def _origin(ledger: Ledger, member: Member, *, told: bool) -> Origin:
    return Origin(
        feed=member.feed_url,
        key=member.key,
        outlet=member.outlet,
        url=member.url,
        title=member.title,
        published_at=member.published_at,
        author=member.author,
        language=member.language,
        feed_title=member.feed_title,
        home=member.home,
        story=member.story if member.story != ledger.short else "",
        reason=member.ruled,
        named=member.named,
        reused=member.reused,
        told=told,
        mentions=tuple(
            Proof(one.topic, one.verdict, one.rule, one.line, one.column)
            for one in member.mentions
        ),
    )


def _copies(members: Sequence[Member], linked: Member) -> tuple[Copy, ...]:
    """Return one copy an outlet: the story's own first, then the others by date."""
    seen: set[str] = set()
    copies = []
    rest = sorted(members[1:], key=lambda m: (m.published_at, m.canonical, m.entry))
    for member in (members[0], *rest):
        outlet = outlet_key(member.outlet)
        if outlet in seen:
            continue
        url = member.url or (linked.url if outlet == outlet_key(linked.outlet) else "")
        seen.add(outlet)
        copies.append(
            Copy(member.outlet, url, member.title, member.published_at, member.reason)
        )
    return tuple(copies)


def rank_of(mention: Mention) -> int:
    """Return what a mention is worth as evidence, the least is the best.

    A certain one beats an earlier doubt. That the maintainer added it comes after both:
    it has no words to show, and a story that gains a lasting copy is to keep those that
    are shown of it.
    """
    return _ADDED if mention.rule == "add" else _RANKS[mention.verdict]


def _evidence(
    members: Sequence[Member], topics: Sequence[str], shown: Member
) -> tuple[Evidence, ...]:
    """Return the best evidence for each topic, of equal ones the first."""
    found: dict[str, tuple[int, int, Mention]] = {}
    for rank, member in enumerate(members):
        for mention in member.mentions:
            candidate = (rank_of(mention), rank, mention)
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
            of_first=mention.entry == shown.entry,
        )
        for topic in topics
        if topic in found
        for _, _, mention in [found[topic]]
    )
