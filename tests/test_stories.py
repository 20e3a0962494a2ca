"""Which entries are one story, and where a story stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.decisions import Ruling, Rulings
from aggregator.model import (
    Action,
    Addition,
    Decision,
    Mention,
    Outlet,
    State,
    Verdict,
)
from aggregator.stories import (
    Ledger,
    Member,
    Standing,
    compose,
    place,
    ruling,
    settle,
    summaries_agree,
)
from aggregator.urls import canonical

DAY = datetime(2020, 2, 14, 8, tzinfo=UTC)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TITLE = "Les petites mains du numérique sortent de l’ombre"
SUMMARY = "Un documentaire en quatre épisodes suit les travailleurs du clic, à Paris."


def a_mention(
    entry: int, topic: str = "film", verdict: Verdict = Verdict.CERTAIN
) -> Mention:
    """Return a mention found by a line of feeds.toml."""
    return Mention(entry, topic, verdict, "match", "une ligne", "title", ((0, 3),))


def a_member(entry: int, outlet: str = "Le Jour", **fields: object) -> Member:
    """Return an entry of 14 February 2020, certain for the topic `film`."""
    url = f"https://{outlet.lower().replace(' ', '-')}.fr/{entry}"
    member = Member(
        entry, outlet, url, "", TITLE, DAY, SUMMARY, mentions=(a_mention(entry),)
    )
    member = replace(member, **fields)  # type: ignore[arg-type]
    return replace(member, canonical=canonical(member.url))


def grouped(members: Sequence[Member]) -> set[frozenset[int]]:
    """Return which entries are placed together."""
    placements = place(members, (), ())
    stories = {placement.story for placement in placements}
    return {
        frozenset(p.entry for p in placements if p.story == story) for story in stories
    }


# ── joining ───────────────────────────────────────────────────────────────────────────


def test_spellings_of_one_url_are_one_story() -> None:
    """An article listed under two tracking parameters is placed once."""
    one = a_member(1, url="https://jour.fr/a?utm_source=rss", title="Un titre")
    two = a_member(2, url="http://www.jour.fr/a/", title="Un autre titre, retouché")

    assert grouped([one, two]) == {frozenset({1, 2})}


def test_copies_across_outlets_need_an_equal_title_and_agreeing_summaries() -> None:
    """The same dispatch on two outlets is one story; an equal headline alone is not."""
    here, copied = a_member(1), a_member(2, "Le Soir", title=TITLE.upper())
    other = a_member(
        3, "La Nuit", summary="Notre critique du livre paru hier, qui déçoit un peu."
    )

    assert grouped([here, copied]) == {frozenset({1, 2})}
    assert grouped([here, other]) == {frozenset({1}), frozenset({3})}


@pytest.mark.parametrize(
    ("outlet", "hours", "joined"),
    [
        ("Le Jour", 23, True),
        ("Le Jour", 25, False),
        ("Le Soir", 47, True),
        ("Le Soir", 49, False),
    ],
)
def test_equal_titles_join_within_their_time(
    outlet: str, hours: int, joined: bool
) -> None:
    """24 hours inside an outlet, 48 across outlets."""
    later = a_member(2, outlet, published_at=DAY + timedelta(hours=hours))

    assert (len(grouped([a_member(1), later])) == 1) is joined


def test_titles_are_compared_by_their_words() -> None:
    """French and English spacing, quotes and commas make no other title."""
    spaced = a_member(1, title="« Invisibles » : les petites mains du clic, un film")
    tight = a_member(
        2, "Le Soir", title='"Invisibles": les petites mains du clic… un film'
    )

    assert grouped([spaced, tight]) == {frozenset({1, 2})}


def test_short_titles_prove_nothing() -> None:
    """Columns and guest names of fewer than five words are never joined by title."""
    one, two = (
        a_member(1, title="Antonio Casilli"),
        a_member(2, title="Antonio Casilli"),
    )

    assert len(grouped([one, two])) == 2


def test_short_summaries_prove_nothing() -> None:
    """Under 40 characters two summaries do not agree, even when equal."""
    assert not summaries_agree("Brève.", "Brève.")
    assert summaries_agree(SUMMARY, SUMMARY + " Une enquête")


def test_an_added_article_adopts_its_outlets_own_entry() -> None:
    """An `add` without URL keeps its id and gains the URL of the entry found later."""
    addition = Addition("jour-1", "Casilli", "Le Jour", DAY, "day", ("film",))
    added = a_member(1, url="", title="Casilli", addition=addition)
    found = a_member(2, title="Casilli", published_at=DAY + timedelta(days=3))
    (first,) = place([added], (), ())
    placed = replace(added, story=first.story)
    (adopted,) = place([found], [placed], [first.story])

    assert adopted.story == first.story
    assert adopted.reason
    assert grouped([found, added]) == {frozenset({1, 2})}


def test_an_added_article_adopts_one_entry_only() -> None:
    """The next of a column of one name is another article, and so is another `add`.

    (Two dates of which only the day is known are exactly 24 hours apart.)
    """
    column = "La chronique des travailleurs du clic"
    days = [DAY + timedelta(days=count) for count in (0, 1, 3, 5)]
    added = [
        a_member(
            place,
            url="",
            title=column,
            published_at=days[place],
            addition=Addition(
                f"jour-{place}", column, "Le Jour", days[place], "day", ("film",)
            ),
        )
        for place in (0, 1)
    ]
    first = a_member(2, title=column, published_at=days[2])
    second = a_member(3, title=column, published_at=days[3])

    assert grouped(added) == {frozenset({0}), frozenset({1})}
    assert grouped([added[0], first, second]) == {frozenset({0, 2}), frozenset({3})}


def test_an_id_in_use_is_never_given_twice() -> None:
    """Two stories whose hash is the same get different short ids."""
    (first,) = place([a_member(1)], (), ())
    (second,) = place([a_member(1)], (), [first.story])

    assert second.story != first.story


@given(order=st.permutations(range(6)))
def test_no_order_of_arrival_changes_the_stories(order: list[int]) -> None:
    """Placing sorts by itself: the same entries make the same stories and ids."""
    members = [
        a_member(1),
        a_member(2, "Le Soir"),
        a_member(3, url="https://le-jour.fr/1?utm_source=x", title="Autre titre"),
        a_member(4, "La Nuit", title="Tout autre chose, et de cinq mots"),
        a_member(5, "Le Soir", published_at=DAY + timedelta(hours=47)),
        a_member(6, url="", title="Sans adresse ni cinq"),
    ]
    shuffled = [members[place] for place in order]

    assert set(place(shuffled, (), ())) == set(place(members, (), ()))


# ── standing ──────────────────────────────────────────────────────────────────────────


def a_ledger(*members: Member, standing: Standing | None = None) -> Ledger:
    """Return a story of these members."""
    return Ledger("abcd2345", members, standing)


def settled(
    *verdicts: Verdict, decided: Ruling | None = None, standing: Standing | None = None
) -> Standing:
    """Return where a story with one mention per verdict stands."""
    mentions = tuple(
        a_mention(1, topic, verdict)
        for topic, verdict in zip(("film", "auteur"), verdicts, strict=False)
    )
    ledger = a_ledger(a_member(1, mentions=mentions), standing=standing)
    return settle(ledger, decided or Ruling(), ("film", "auteur", "clic"), NOW)


@pytest.mark.parametrize(
    ("verdicts", "decided", "state", "topics"),
    [
        ([Verdict.CERTAIN], Ruling(), State.PUBLISHED, ("film",)),
        ([Verdict.DOUBTFUL], Ruling(), State.WAITING, ("film",)),
        ([Verdict.SUPPRESSED], Ruling(), State.SUPPRESSED, ("film",)),
        ([Verdict.CERTAIN, Verdict.DOUBTFUL], Ruling(), State.PUBLISHED, ("film",)),
        ([Verdict.CERTAIN], Ruling(kept=False), State.HIDDEN, ("film",)),
        ([Verdict.DOUBTFUL], Ruling(kept=True), State.PUBLISHED, ("film",)),
        ([Verdict.SUPPRESSED], Ruling(kept=True), State.PUBLISHED, ("film",)),
        ([Verdict.DOUBTFUL], Ruling(topics=("clic",)), State.PUBLISHED, ("clic",)),
        ([], Ruling(), State.SUPPRESSED, ()),
    ],
)
def test_decisions_beat_rules(
    verdicts: list[Verdict], decided: Ruling, state: State, topics: tuple[str, ...]
) -> None:
    """Certain is published, doubtful waits, and a decision overrules both."""
    standing = settled(*verdicts, decided=decided)

    assert (standing.state, standing.topics) == (state, topics)


def test_a_story_enters_the_feed_once() -> None:
    """`added_at` is set at the first publication and stays."""
    first = settled(Verdict.CERTAIN)
    again = settle(
        a_ledger(a_member(1), standing=first), Ruling(), ("film",), NOW + timedelta(9)
    )

    assert first.added_at == first.updated_at == NOW
    assert again == first


def test_a_withdrawn_story_says_since_when_and_returns_under_its_date() -> None:
    """Hidden, it keeps when it was added; kept again, it is updated, not added."""
    first = settled(Verdict.CERTAIN)
    later = NOW + timedelta(days=2)
    ledger = a_ledger(a_member(1), standing=first)
    hidden = settle(ledger, Ruling(kept=False), ("film",), later)
    back = settle(replace(ledger, standing=hidden), Ruling(kept=True), ("film",), later)

    assert (hidden.state, hidden.withdrawn_at) == (State.HIDDEN, later)
    assert (back.state, back.withdrawn_at) == (State.PUBLISHED, None)
    assert (back.added_at, back.updated_at) == (NOW, later)


def test_a_story_nobody_speaks_for_any_longer_is_withdrawn() -> None:
    """When its last mention goes, a published story is withdrawn."""
    first = settled(Verdict.CERTAIN)
    gone = settle(
        a_ledger(a_member(1, mentions=()), standing=first), Ruling(), ("film",), NOW
    )

    assert (gone.state, gone.withdrawn_at) == (State.WITHDRAWN, NOW)


def test_a_published_story_that_is_doubtful_now_waits_again() -> None:
    """A `keep` taken back leaves it withdrawn from readers, and in the queue."""
    kept = settled(Verdict.DOUBTFUL, decided=Ruling(kept=True))
    back = settled(Verdict.DOUBTFUL, standing=kept)

    assert (back.state, back.withdrawn_at) == (State.WAITING, NOW)


def test_updated_moves_only_for_what_readers_care_about_once_a_day() -> None:
    """A new copy moves it; typography and an outlet's new name do not.

    A second change waits for its day.
    """
    first = settled(Verdict.CERTAIN)
    one, two = a_member(1), a_member(2, "Le Soir")
    hours = timedelta(hours=1)

    def after(span: timedelta, *members: Member) -> datetime | None:
        ledger = a_ledger(*members, standing=first)
        return settle(ledger, Ruling(), ("film",), NOW + span).updated_at

    retouched = replace(one, title=TITLE.replace("’", "'"))
    renamed = replace(one, outlet="Le Grand Jour")
    assert after(48 * hours, retouched) == after(48 * hours, renamed) == NOW
    assert after(2 * hours, one, two) == NOW
    assert after(48 * hours, one, two) == NOW + 48 * hours


def test_an_old_addition_counts_as_added_at_its_own_date() -> None:
    """It is on pages and in archives, but never comes as news into the live feed."""
    old = Addition("k", TITLE, "Le Jour", DAY, "day", ("film",))
    new = replace(old, published_at=NOW - timedelta(days=3))

    def added(item: Addition) -> Standing:
        member = a_member(1, addition=item, published_at=item.published_at)
        return settle(a_ledger(member), Ruling(kept=True), ("film",), NOW)

    assert (added(old).added_at, added(old).live) == (DAY, False)
    assert (added(new).added_at, added(new).live) == (NOW, True)


def test_rulings_find_a_story_by_any_copy_and_by_its_day_in_the_sites_zone() -> None:
    """A decision on any copy's URL or on the addition's id reaches the story."""
    late = datetime(2020, 2, 13, 23, 30, tzinfo=UTC)  # the 14th in Paris
    addition = Addition("jt-1", TITLE, "Le Soir", DAY, "day", ("film",))
    ledger = a_ledger(
        a_member(1, published_at=late), a_member(2, "Le Soir", addition=addition)
    )
    by_copy = Decision(Action.HIDE, ("https://le-soir.fr/2#x",))
    by_id = Decision(Action.PIN, ("jt-1",))
    by_day = Decision(
        Action.NOTE, ("https://le-jour.fr/1",), published="2020-02-14", text="oui"
    )
    decided = ruling(ledger, Rulings([by_copy, by_id, by_day]), "Europe/Paris")

    assert (decided.kept, decided.pinned, decided.note) == (False, True, "oui")


# ── as readers see it ─────────────────────────────────────────────────────────────────


def test_a_story_names_each_outlet_once() -> None:
    """The first copy leads; others follow by date, and no outlet stands twice."""
    members = (
        a_member(1),
        a_member(4, "La Nuit", published_at=DAY + timedelta(hours=9)),
        a_member(3, "Le Soir", published_at=DAY + timedelta(hours=2)),
        a_member(2, "Le Jour", published_at=DAY + timedelta(hours=1)),
    )
    standing = Standing("abcd2345", State.PUBLISHED, ("film",), NOW, NOW)
    story = compose(a_ledger(*members), standing, Ruling(), {})

    assert [copy.outlet for copy in story.copies] == ["Le Jour", "Le Soir", "La Nuit"]
    assert (story.outlet, story.url) == ("Le Jour", "https://le-jour.fr/1")


def test_an_adopted_entry_lends_its_url_and_summary() -> None:
    """The addition's words lead; what it lacks comes from its outlet's own entry."""
    addition = Addition(
        "jt-1", "Titre choisi", "Le Jour", DAY, "day", ("film",), form="tv", detail="JT"
    )
    added = a_member(
        1, url="", title="Titre choisi", summary="", addition=addition, mentions=()
    )
    found = a_member(2, author="A. Plume", reason="same outlet and title")
    standing = Standing("abcd2345", State.PUBLISHED, ("film",), NOW, NOW)
    outlets = {"Le Jour": Outlet("Le Jour", (), homepage="https://j.fr", excerpt=80)}
    story = compose(a_ledger(added, found), standing, Ruling(), outlets)

    assert (story.title, story.url) == ("Titre choisi", "https://le-jour.fr/2")
    assert (story.summary, story.author) == (SUMMARY, "A. Plume")
    assert (story.form, story.detail, story.precision) == ("tv", "JT", "day")
    assert (story.home, story.excerpt) == ("https://j.fr", 80)
    assert [copy.url for copy in story.copies] == ["https://le-jour.fr/2"]


def test_certain_evidence_beats_an_earlier_doubt() -> None:
    """Each topic shows one piece of evidence, the best there is."""
    doubt = a_member(1, mentions=(a_mention(1, "film", Verdict.DOUBTFUL),))
    sure = a_member(2, "Le Soir", reason="same title and summary within 48 h")
    standing = Standing("abcd2345", State.PUBLISHED, ("film", "clic"), NOW, NOW)
    story = compose(a_ledger(doubt, sure), standing, Ruling(), {})

    assert [(e.topic, e.certain, e.of_first) for e in story.evidence] == [
        ("film", True, False)
    ]
