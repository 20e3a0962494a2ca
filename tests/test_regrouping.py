"""What `merge` and `split` make of stories, and suggestions that wait for them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.decisions import Ruling
from aggregator.identity import short
from aggregator.model import Action, Decision, Mention, State, Verdict
from aggregator.stories import (
    Ledger,
    Member,
    Standing,
    Suggestion,
    compose,
    regroup,
    settle,
    suggested,
)
from aggregator.urls import canonical

DAY = datetime(2020, 2, 14, 8, tzinfo=UTC)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PARIS = "Europe/Paris"


def a_member(entry: int, **fields: object) -> Member:
    """Return an entry that is certain for the topic `film`."""
    url = f"https://journal-{entry}.fr/a"
    mention = Mention(entry, "film", Verdict.CERTAIN, "match", "", "")
    member = Member(entry, f"Journal {entry}", url, "", "Titre", DAY, "")
    member = replace(member, mentions=(mention,), **fields)  # type: ignore[arg-type]
    return replace(member, canonical=canonical(member.url))


def a_ledger(name: str, *members: Member, days: int | None = None) -> Ledger:
    """Return a story, published `days` after DAY or never."""
    standing = None
    if days is not None:
        at = DAY + timedelta(days=days)
        standing = Standing(name, State.PUBLISHED, ("film",), at, at)
    placed = tuple(replace(member, story=name) for member in members)
    return Ledger(name, placed, standing)


def merge(*urls: str) -> Decision:
    return Decision(Action.MERGE, urls)


def split(url: str, published: str = "") -> Decision:
    return Decision(Action.SPLIT, (url,), published=published)


def entries(ledgers: tuple[Ledger, ...]) -> dict[str, list[int]]:
    """Return which entries each story that stands for itself has."""
    return {
        one.short: [member.entry for member in one.members]
        for one in ledgers
        if not one.merged
    }


ONE, TWO, THREE = (f"https://journal-{n}.fr/a" for n in (1, 2, 3))


def test_merged_stories_keep_the_id_published_first() -> None:
    """The other is withdrawn and leaves a tombstone; nothing of it is lost."""
    late, early = a_ledger("aaaa", a_member(1), days=3), a_ledger("bbbb", a_member(2))
    early = a_ledger("bbbb", a_member(2), days=1)
    grouped = regroup([late, early], [merge(f"{ONE}?utm_source=x", TWO)], {}, PARIS)

    assert entries(grouped) == {"bbbb": [2, 1]}
    (gone,) = [ledger for ledger in grouped if ledger.merged]
    standing = settle(gone, Ruling(), ("film",), NOW)
    assert (standing.state, standing.withdrawn_at) == (State.WITHDRAWN, NOW)
    kept = next(ledger for ledger in grouped if not ledger.merged)
    story = compose(kept, settle(kept, Ruling(), ("film",), NOW), Ruling(), {})
    assert [copy.outlet for copy in story.copies] == ["Journal 2", "Journal 1"]
    assert story.copies[1].reason == "merged in curation.toml"


def test_a_merge_taken_back_leaves_no_trace() -> None:
    """The withdrawn story comes back under its own id and date."""
    first = a_ledger("aaaa", a_member(1), days=1)
    second = a_ledger("bbbb", a_member(2), days=2)
    withdrawn = settle(
        next(
            one
            for one in regroup([first, second], [merge(ONE, TWO)], {}, PARIS)
            if one.merged
        ),
        Ruling(),
        ("film",),
        NOW,
    )
    (_, back) = regroup([first, replace(second, standing=withdrawn)], [], {}, PARIS)
    standing = settle(back, Ruling(), ("film",), NOW)

    assert (standing.state, standing.withdrawn_at) == (State.PUBLISHED, None)
    assert standing.added_at == DAY + timedelta(days=2)


def test_merges_add_up() -> None:
    """What was merged is found under any address of the whole."""
    ledgers = [a_ledger(f"{n}aaa", a_member(n), days=n) for n in (1, 2, 3)]
    grouped = regroup(ledgers, [merge(TWO, THREE), merge(THREE, ONE)], {}, PARIS)

    assert entries(grouped) == {"1aaa": [1, 2, 3]}


def test_a_copy_that_is_split_off_has_an_id_of_its_own() -> None:
    """Its own standing goes with it; the rest keeps the story's id."""
    story = a_ledger("aaaa", a_member(1), a_member(2, reason="same text"), days=1)
    own = short(canonical(TWO), "split")
    standings = {own: Standing(own, State.PUBLISHED, ("film",), NOW, NOW)}
    grouped = regroup([story], [split(TWO)], standings, PARIS)

    assert entries(grouped) == {"aaaa": [1], own: [2]}
    (left,) = [ledger for ledger in grouped if ledger.short == own]
    assert left.standing == standings[own]
    assert left.members[0].reason == ""


def test_a_split_of_a_first_entry_leaves_the_id_to_the_others() -> None:
    """Readers keep the story; the article that founded it is a new one."""
    story = a_ledger("aaaa", a_member(1), a_member(2, reason="same text"), days=1)

    assert entries(regroup([story], [split(ONE)], {}, PARIS))["aaaa"] == [2]


def test_later_decisions_win() -> None:
    """A split after a merge gives the merged story its own id back, and so on."""
    ledgers = [a_ledger("aaaa", a_member(1), days=1), a_ledger("bbbb", a_member(2))]
    apart = regroup(ledgers, [merge(ONE, TWO), split(TWO)], {}, PARIS)
    again = regroup(ledgers, [merge(ONE, TWO), split(TWO), merge(ONE, TWO)], {}, PARIS)

    assert entries(apart) == {"aaaa": [1], "bbbb": [2]}
    assert entries(again) == {"aaaa": [1, 2]}


def test_decisions_that_name_nothing_change_nothing() -> None:
    """An unknown address, one story twice, or the only copy of one."""
    ledgers = (a_ledger("aaaa", a_member(1)), a_ledger("bbbb", a_member(2)))
    idle = [
        merge(ONE, "https://ailleurs.fr/x"),
        merge(ONE, "aaaa"),
        split(ONE),
        split("https://ailleurs.fr/x"),
        Decision(Action.HIDE, (ONE,)),
    ]

    assert regroup(ledgers, idle, {}, PARIS) == ledgers


def test_a_date_tells_apart_stories_that_share_an_address() -> None:
    """`published` with a split means the copy of that day alone."""
    later = a_member(
        2, url=ONE, published_at=DAY + timedelta(days=1), reason="same URL"
    )
    story = a_ledger("aaaa", a_member(1), later)

    assert entries(regroup([story], [split(ONE, "2020-02-15")], {}, PARIS))["aaaa"] == [
        1
    ]


def test_days_that_share_an_address_are_split_off_one_by_one() -> None:
    """Each gets an id of its own and keeps it, also when the other goes back."""
    days = [
        a_member(n, url=ONE, published_at=DAY + timedelta(days=n), reason="same URL")
        for n in (1, 2)
    ]
    story = a_ledger("aaaa", a_member(3), *days)
    decisions = [split(ONE, "2020-02-15"), split(ONE, "2020-02-16")]
    apart = regroup([story], decisions, {}, PARIS)
    ids = {one.members[0].entry: one.short for one in apart}
    published = {
        own: Standing(own, State.PUBLISHED, ("film",), NOW, NOW) for own in ids.values()
    }

    assert sorted(entries(apart).values()) == [[1], [2], [3]]
    for decision, left, gone in zip(decisions, (1, 2), (2, 1), strict=True):
        after = regroup([story], [decision], published, PARIS)
        assert entries(after) == {"aaaa": [3, gone], ids[left]: [left]}
        assert {one.short: one.merged for one in after}[ids[gone]] == "aaaa"


def test_a_split_that_leaves_only_what_was_merged_gives_that_its_id_back() -> None:
    """Each id stays with its article; what was merged besides stays merged."""
    ledgers = [a_ledger(f"{n}aaa", a_member(n), days=n) for n in (1, 2, 3)]
    grouped = regroup(ledgers, [merge(ONE, TWO, THREE), split(ONE)], {}, PARIS)

    assert entries(grouped) == {"1aaa": [1], "2aaa": [2, 3]}
    assert [one.merged for one in grouped] == ["", "", "2aaa"]


def test_a_split_inside_a_chain_of_merges_moves_nothing_else() -> None:
    """What had been merged into the story that leaves stays, and is found there."""
    ledgers = [a_ledger(f"{n}aaa", a_member(n), days=n) for n in (1, 2, 3)]
    chain = [merge(TWO, THREE), merge(ONE, TWO), split(TWO)]
    grouped = regroup(ledgers, chain, {}, PARIS)
    (gone,) = [one for one in grouped if one.merged]

    assert entries(grouped) == {"1aaa": [1, 3], "2aaa": [2]}
    assert (gone.short, gone.merged) == ("3aaa", "1aaa")
    assert entries(regroup(ledgers, [*chain, split(THREE)], {}, PARIS)) == {
        "1aaa": [1],
        "2aaa": [2],
        "3aaa": [3],
    }


def test_a_suggestion_waits_until_it_is_decided() -> None:
    """Merged, kept apart, hidden: it is shown no longer."""
    first = a_ledger("aaaa", a_member(1), days=1)
    second = a_ledger("bbbb", a_member(2), days=2)
    stored = {"bbbb": (Suggestion("aaaa", "same title within 48 h"),)}

    def waiting(*decisions: Decision, kept: bool | None = None) -> list[str]:
        told = [
            compose(
                ledger,
                settle(ledger, Ruling(kept=kept), ("film",), NOW),
                Ruling(),
                {},
            )
            for ledger in regroup([first, second], decisions, {}, PARIS)
        ]
        return [one.reason for one in suggested(told, stored, decisions)]

    assert waiting() == ["same title within 48 h"]
    assert waiting(merge(ONE, TWO)) == []
    assert waiting(split(f"{TWO}#xtor=RSS-1")) == []
    assert waiting(split("bbbb")) == []
    assert waiting(kept=False) == []


def test_what_the_maintainer_regroups_is_never_held() -> None:
    """A merged or parted story says so; one that rules made does not."""
    ledgers = [
        a_ledger("aaaa", a_member(1), a_member(3)),
        a_ledger("bbbb", a_member(2)),
    ]
    grouped = regroup(ledgers, [split(THREE), merge(ONE, TWO)], {}, PARIS)
    by_hand = {one.short: one.regrouped for one in grouped}

    assert [by_hand.pop("aaaa"), by_hand.pop("bbbb")] == [False, True]
    assert [*by_hand.values()] == [True]


def test_the_address_a_page_gives_is_a_name_too() -> None:
    """A decision may call an article by either."""
    one = a_ledger("aaaa", a_member(1, named="https://ailleurs.fr/a"))
    grouped = regroup(
        [one, a_ledger("bbbb", a_member(2))],
        [merge("https://ailleurs.fr/a", TWO)],
        {},
        PARIS,
    )

    assert entries(grouped) == {"aaaa": [1, 2]}


OWN = short(canonical(TWO), "split")


def standing_of(
    grouped: tuple[Ledger, ...], name: str, at: datetime = NOW
) -> Standing | None:
    """Return where a story stands now, None for one that is in no list."""
    found = [
        settle(one, Ruling(), ("film",), at) for one in grouped if one.short == name
    ]
    return found[0] if found else None


def test_a_split_taken_back_leaves_a_tombstone() -> None:
    """Readers had the copy as a story: it is withdrawn, once, and kept as such."""
    story = a_ledger("aaaa", a_member(1), a_member(2, reason="same text"), days=1)
    apart = standing_of(regroup([story], [split(TWO)], {}, PARIS), OWN)
    assert apart is not None
    after = regroup([story], [], {OWN: apart}, PARIS)
    gone = standing_of(after, OWN, NOW + timedelta(days=1))

    assert entries(after) == {"aaaa": [1, 2]}
    assert [one.merged for one in after if one.short == OWN] == ["aaaa"]
    assert gone is not None
    assert (gone.state, gone.added_at) == (State.WITHDRAWN, NOW)
    assert gone.withdrawn_at == NOW + timedelta(days=1)
    later = regroup([story], [], {OWN: gone}, PARIS)
    assert standing_of(later, OWN, NOW + timedelta(days=9)) == gone


def test_a_split_put_back_returns_under_its_id_and_date() -> None:
    """The tombstone goes, and the story does not come as a new one."""
    story = a_ledger("aaaa", a_member(1), a_member(2, reason="same text"), days=1)
    gone = Standing(OWN, State.WITHDRAWN, ("film",), DAY, DAY, withdrawn_at=NOW)
    again = standing_of(regroup([story], [split(TWO)], {OWN: gone}, PARIS), OWN)

    assert again is not None
    assert (again.state, again.added_at) == (State.PUBLISHED, DAY)
    assert again.withdrawn_at is None


def test_a_split_that_was_never_published_leaves_nothing() -> None:
    """There is nothing to take back from readers."""
    story = a_ledger("aaaa", a_member(1), a_member(2, reason="same text"), days=1)
    waited = Standing(OWN, State.WAITING, ("film",))
    gone = standing_of(regroup([story], [], {OWN: waited}, PARIS), OWN)

    assert gone is not None
    assert (gone.state, gone.withdrawn_at) == (State.SUPPRESSED, None)


def test_a_split_off_story_keeps_its_id_when_its_page_was_read() -> None:
    """An address learned later, or a second entry, gives it no other one."""
    two = a_member(2, reason="same text")
    more = a_member(3, url="https://a.fr/1", named=canonical(TWO), reason="same text")
    published = {OWN: Standing(OWN, State.PUBLISHED, ("film",), DAY, DAY)}
    story = a_ledger("aaaa", a_member(1), two, more, days=1)

    assert entries(regroup([story], [split(TWO)], published, PARIS)) == {
        "aaaa": [1],
        OWN: [2, 3],
    }


def test_a_split_gives_merged_stories_back_only_what_is_theirs() -> None:
    """No entry is then in two stories, and none is lost."""
    two = a_member(2, named="https://ailleurs.fr/a")
    ledgers = [
        a_ledger("aaaa", a_member(1), days=1),
        a_ledger("bbbb", two, a_member(4, reason="same text"), days=2),
        a_ledger("cccc", a_member(3, named="https://ailleurs.fr/a"), days=3),
    ]
    whole = merge(ONE, TWO, THREE)
    grouped = regroup(ledgers, [whole, split("https://ailleurs.fr/a")], {}, PARIS)

    assert entries(grouped) == {"aaaa": [1, 4], "bbbb": [2], "cccc": [3]}


def test_merging_what_was_split_off_and_back() -> None:
    """Whatever is taken out of curation.toml, each published story says where it is."""
    story = a_ledger("aaaa", a_member(1), a_member(2, reason="same text"), days=1)
    other = a_ledger("bbbb", a_member(3), days=2)
    published = {OWN: Standing(OWN, State.PUBLISHED, ("film",), NOW, NOW)}
    merged = regroup([story, other], [split(TWO), merge(TWO, THREE)], published, PARIS)
    back = regroup([story, other], [merge(TWO, THREE)], published, PARIS)

    assert entries(merged) == {"aaaa": [1], "bbbb": [3, 2]}
    assert entries(back) == {"aaaa": [1, 2, 3]}
    assert {one.short: one.merged for one in back} == {
        "aaaa": "",
        "bbbb": "aaaa",
        OWN: "aaaa",
    }


# ── laws ──────────────────────────────────────────────────────────────────────────────

PAGES = tuple(f"https://journal.fr/{slug}" for slug in "abcd")
STORIES = st.lists(
    st.lists(
        st.tuples(
            st.sampled_from(PAGES), st.sampled_from(("", *PAGES)), st.integers(0, 2)
        ),
        min_size=1,
        max_size=3,
    ),
    min_size=1,
    max_size=4,
)
SHORTS = ("aaaa", "bbbb", "cccc", "dddd")
TARGETS = st.sampled_from((*PAGES, *SHORTS))
DECISIONS = st.lists(
    st.one_of(
        st.builds(merge, TARGETS, TARGETS),
        st.builds(merge, TARGETS, TARGETS, TARGETS),
        st.builds(split, TARGETS, st.sampled_from(("", "2020-02-14", "2020-02-15"))),
    ),
    max_size=5,
)


def stories_of(drawn: list[list[tuple[str, str, int]]]) -> list[Ledger]:
    """Return stories as drawn; some addresses stand for several of their entries."""
    number, made = count(1), []
    for name, its in zip(SHORTS, drawn, strict=False):
        members = [
            a_member(
                next(number),
                url=url,
                named=named,
                published_at=DAY + timedelta(days=days),
                reason="same text" if place else "",
            )
            for place, (url, named, days) in enumerate(its)
        ]
        made.append(a_ledger(name, *members))
    return made


def cycle(
    ledgers: list[Ledger],
    decisions: list[Decision],
    standings: dict[str, Standing],
    at: datetime,
) -> tuple[Ledger, ...]:
    """Regroup and settle stories as a cycle does; `standings` is what it remembers."""
    known = [replace(one, standing=standings.get(one.short)) for one in ledgers]
    grouped = regroup(known, decisions, standings, PARIS)
    for one in grouped:
        standings[one.short] = settle(one, Ruling(), ("film",), at)
    return grouped


@settings(deadline=None)
@given(STORIES, st.lists(DECISIONS, min_size=1, max_size=3))
def test_whatever_is_decided_each_entry_is_in_one_story(
    drawn: list[list[tuple[str, str, int]]], edits: list[list[Decision]]
) -> None:
    """And each story that was ever public stands, or says truly where it went."""
    ledgers = stories_of(drawn)
    every = sorted(member.entry for one in ledgers for member in one.members)
    standings: dict[str, Standing] = {}
    dates: dict[str, datetime] = {}
    firsts: dict[str, set[int]] = {}
    for day, decisions in enumerate(([], *edits, [])):
        grouped = cycle(ledgers, decisions, standings, NOW + timedelta(days=day))
        told = entries(grouped)

        assert sorted(entry for its in told.values() for entry in its) == every
        assert all(told.values())
        names = [one.short for one in grouped]
        assert len({*names}) == len(names)
        assert {*standings} == {*names}
        for one in grouped:
            if one.merged:
                assert {m.entry for m in one.members} <= {*told[one.merged]}
            wanted = State.WITHDRAWN if one.merged else State.PUBLISHED
            added = standings[one.short].added_at
            if added:
                assert standings[one.short].state is wanted
                assert dates.setdefault(one.short, added) == added
            its = {member.entry for member in one.members}
            assert one.merged or firsts.setdefault(one.short, its) & its


@settings(deadline=None)
@given(STORIES, DECISIONS)
def test_decisions_taken_out_leave_the_stories_of_the_rules(
    drawn: list[list[tuple[str, str, int]]], decisions: list[Decision]
) -> None:
    """Entries, order, reasons, ids; what was split off is part of its story again."""
    ledgers = stories_of(drawn)
    standings: dict[str, Standing] = {}
    cycle(ledgers, decisions, standings, NOW)
    back = cycle(ledgers, [], standings, NOW)

    assert [(one.short, one.members) for one in back if not one.merged] == [
        (one.short, one.members) for one in ledgers
    ]


@settings(deadline=None)
@given(STORIES, DECISIONS, st.lists(TARGETS, min_size=2, max_size=3))
def test_the_last_decision_holds(
    drawn: list[list[tuple[str, str, int]]],
    decisions: list[Decision],
    targets: list[str],
) -> None:
    """Whatever came before: what it merges is one story, what it splits is apart."""
    ledgers = stories_of(drawn)
    merged = entries(regroup(ledgers, [*decisions, merge(*targets)], {}, PARIS))
    parted = regroup(ledgers, [*decisions, split(targets[0])], {}, PARIS)
    named = {
        member.entry
        for one in ledgers
        for member in one.members
        if {*member.addresses} & {canonical(url) for url in targets}
    }

    assert sum(1 for its in merged.values() if named.intersection(its)) <= 1
    for one in parted:
        hit = [canonical(targets[0]) in member.addresses for member in one.members]
        assert one.merged or all(hit) or not any(hit)
