"""Which entries are one article: copies, near misses, and what is only suggested."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.stories import Member, Placement, place, possible_ids
from aggregator.stories.likeness import Titles, marks, shared, titles
from aggregator.urls import canonical

DAY = datetime(2020, 2, 14, 8, tzinfo=UTC)
TITLE = "Les petites mains du numérique sortent de l’ombre"
SUMMARY = "Un documentaire en quatre épisodes suit les travailleurs du clic, à Paris."
DISPATCH = (
    "NAIROBI (AFP) - Plusieurs centaines de modérateurs de contenu ont voté lundi la "
    "création d'un syndicat, le premier du genre sur le continent, pour dénoncer leurs "
    "salaires et l'absence de suivi psychologique"
)
MORE = (
    "Leur avocate espère que les tribunaux du pays les suivront, comme ils l'ont fait "
    "en mars pour des livreurs, contre l'avis des plateformes."
)


def a_member(entry: int, outlet: str = "Le Jour", **fields: object) -> Member:
    """Return an entry of 14 February 2020."""
    url = f"https://{outlet.lower().replace(' ', '-')}.fr/{entry}"
    member = Member(entry, outlet, url, "", TITLE, DAY, SUMMARY)
    member = replace(member, **fields)  # type: ignore[arg-type]
    return replace(member, canonical=canonical(member.url))


def what(one: Member, other: Member) -> str:
    """Return what becomes of two entries: joined, suggested or apart."""
    placements = place([one, other], (), ())
    if len({placement.story for placement in placements}) == 1:
        return "joined"
    hinted = any(placement.suggestions for placement in placements)
    return "suggested" if hinted else "apart"


# ── one address ───────────────────────────────────────────────────────────────────────


def test_a_column_that_uses_its_address_again_is_an_article_a_day() -> None:
    """Only the date in its title, or most of its text, changes: another day's."""
    url = "https://le-jour.fr/horoscope/lion"
    days = [
        a_member(
            day,
            url=url,
            title=f"Horoscope Lion du jour, le {day} janvier 2024",
            summary=f"Tout ce que le {day} janvier vous réserve et vos humeurs.",
            published_at=DAY + timedelta(days=day),
        )
        for day in (28, 30, 31)
    ]
    stories = {placement.story for placement in place(days, (), ())}

    assert len(stories) == 3
    assert not any(placement.suggestions for placement in place(days, (), ()))


def test_an_article_retitled_after_days_is_the_same() -> None:
    """Other words over the same text at one address are an edit."""
    url = "https://le-jour.fr/golf"
    first = a_member(1, url=url, title="Golf : l’exploit qui booste son rêve américain")
    later = a_member(
        2,
        url=url,
        title="PGA Tour : l’exploit qui booste son rêve américain",
        published_at=DAY + timedelta(days=8),
    )

    assert what(first, later) == "joined"


def test_one_page_of_many_articles_is_not_one_article() -> None:
    """Entries with the page's address, or its anchors, keep their own words."""
    url = "https://le-jour.fr/actualites"
    first = a_member(1, url=f"{url}#18")
    other = a_member(
        2,
        url=f"{url}#19",
        title="Le conseil municipal vote un nouveau règlement",
        summary="Les élus ont adopté hier soir le texte qui fixe la taxe des déchets.",
    )
    home = [a_member(entry, url="https://le-jour.fr/") for entry in (3, 4)]
    home[1] = replace(home[1], title="Tout autre chose", summary="")

    assert what(first, other) == "suggested"
    assert what(*home) == "apart"


# ── titles and texts ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("one", "other", "relation"),
    [
        ("« Un » titre, en six mots !", "Un titre en six mots", Titles.EQUAL),
        (
            "Paris : le nouvelle loi électorale adoptée",
            "Paris : la nouvelle loi électorale adoptée",
            Titles.RETOUCHED,
        ),
        (
            "Le tunnel est fermé après un accident ce matin à vélo",
            "Le tunnel est brièvement fermé après un accident ce matin à vélo",
            Titles.RETOUCHED,
        ),
        (
            "Les sous-traitants invisibles de l’intelligence",
            "Sama, Appen, Scale AI : les sous-traitants invisibles de l’intelligence",
            Titles.CONTAINED,
        ),
        ("Le grand entretien (1/2) du jour", "Le grand entretien (2/2) du jour", None),
        (
            "Invisibles, épisode un : on a vu",
            "Invisibles, épisode deux : on a vu",
            None,
        ),
        ("Nantes. Les livreurs en grève", "Rennes. Les livreurs en grève", None),
        (
            "Les livreurs en grève ce jour",
            "Rennes. Les livreurs en grève ce jour",
            None,
        ),
        ("Horoscope du jour : le lion", "Horoscope du jour : le cancer", None),
        ("Lettre du lundi 3 mars aux amis", "Lettre du jeudi 6 mars aux amis", None),
        ("Un titre sur les robots", "Autre chose, sans un seul rapport", Titles.OTHER),
    ],
)
def test_titles_are_told_apart_by_what_differs(
    one: str, other: str, relation: Titles | None
) -> None:
    """A number, a date, a place or a word put for another makes another article.

    (None stands for Titles.VARIANT.)
    """
    assert titles(one, other) is (relation or Titles.VARIANT)
    assert titles(other, one) is (relation or Titles.VARIANT)


@pytest.mark.parametrize(
    ("title", "summary"),
    [
        ("Kenya : les modérateurs de contenu créent un syndicat", f"{DISPATCH}."),
        ("« Nos salaires » : des modérateurs votent à Nairobi", f"{DISPATCH[:150]}…"),
        ("À Nairobi, un syndicat de modérateurs de contenu", f"{DISPATCH}. Lire aussi"),
    ],
)
def test_a_dispatch_under_another_headline_is_one_story(
    title: str, summary: str
) -> None:
    """An agency's text, cut by each outlet where it likes."""
    first = a_member(1, title="Un syndicat pour les modérateurs", summary=DISPATCH)
    copied = a_member(
        2,
        "Le Soir",
        title=title,
        summary=summary,
        published_at=DAY + timedelta(hours=2),
    )

    assert what(first, copied) == "joined"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"summary": SUMMARY.replace("Paris", "Lyon")}, "joined"),
        ({"summary": "Notre critique."}, "suggested"),
        ({"summary": ""}, "suggested"),
        ({"published_at": DAY + timedelta(hours=49)}, "apart"),
        ({"title": TITLE + " : un film à voir"}, "joined"),
        ({"title": TITLE + " (épisode 2)"}, "apart"),
        ({"title": "Invisibles"}, "apart"),
    ],
)
def test_across_outlets_title_and_summary_decide(
    fields: dict[str, object], expected: str
) -> None:
    """What only looks alike is suggested; what differs in a number is left alone."""
    assert what(a_member(1), a_member(2, "Le Soir", **fields)) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"summary": "Une vidéo"}, "joined"),
        ({"title": TITLE.replace("petites", "petite")}, "joined"),
        (
            {"title": TITLE.replace("petites", "petite"), "summary": "Autre."},
            "suggested",
        ),
        ({"title": f"Nantes. {TITLE}"}, "apart"),
        ({"title": f"{TITLE} (2/2)"}, "apart"),
    ],
)
def test_inside_an_outlet_titles_decide(
    fields: dict[str, object], expected: str
) -> None:
    """A daily template with another town or number is another article."""
    other = a_member(2, published_at=DAY + timedelta(hours=3), **fields)

    assert what(a_member(1), other) == expected


def test_a_column_under_one_title_is_only_suggested_on_the_next_day() -> None:
    """23 hours later, with other words under it, it may be the next day's."""
    title = "La chronique des travailleurs du clic de Paris"
    first = a_member(1, title=title)
    next_day = a_member(
        2,
        title=title,
        summary="Aujourd’hui, ce que gagne un livreur à vélo quand il pleut à Nantes.",
        published_at=DAY + timedelta(hours=23),
    )

    assert what(first, next_day) == "suggested"


def test_a_text_that_says_nothing_of_its_title_joins_nothing() -> None:
    """Outlets that share a partner share its notice, too."""
    notice = (
        "Cet article est republié à partir de notre partenaire sous licence libre ; "
        "lire l’original sur son site, où il est paru."
    )
    one = a_member(1, title="Les pieuvres rêvent-elles en couleurs", summary=notice)
    other = a_member(
        2, "Le Soir", title="Comment le vélo a changé Paris", summary=notice
    )

    assert what(one, other) == "apart"


def test_another_count_of_victims_is_only_suggested() -> None:
    """Two outlets whose texts differ in their numbers may tell of two events."""
    one = a_member(
        1,
        title="Modérateurs : 12 licenciés à Nairobi",
        summary=f"Bilan : 12. {DISPATCH}",
    )
    other = a_member(
        2,
        "Le Soir",
        title="À Nairobi, 30 modérateurs renvoyés",
        summary=f"Bilan : 30. {DISPATCH}",
    )

    assert what(one, other) == "suggested"


def test_likeness_is_to_the_first_entry_never_in_chains() -> None:
    """A third that is like the second only does not join their story."""
    first = a_member(1, title="Un syndicat de modérateurs de contenu", summary=DISPATCH)
    second = a_member(
        2,
        "Le Soir",
        title="À Nairobi, les modérateurs s’unissent pour leur contenu",
        summary=f"{DISPATCH} {MORE}",
        published_at=DAY + timedelta(hours=1),
    )
    third = a_member(
        3,
        "La Nuit",
        title="Livreurs et tribunaux : l’avocate raconte",
        summary=MORE,
        published_at=DAY + timedelta(hours=2),
    )
    one, two, three = place([first, second, third], (), ())

    assert one.story == two.story != three.story
    assert three.suggestions == ()


def test_texts_alike_share_a_mark() -> None:
    """A part of a text is found by the marks of the whole."""
    for length in range(130, len(DISPATCH), 9):
        cut = DISPATCH[:length] + "…"

        assert shared(DISPATCH, cut)[0] == 1.0
        assert set(marks("", DISPATCH)) & set(marks("", cut))


# ── laws ──────────────────────────────────────────────────────────────────────────────

OUTLETS = st.sampled_from(["Le Jour", "Le Soir", "La Nuit"])
TITLES = st.sampled_from(
    [
        TITLE,
        TITLE.replace("petites", "petite"),
        f"{TITLE} : un film",
        f"Nantes. {TITLE}",
        f"{TITLE} (2/2)",
        "Un syndicat pour les modérateurs de contenu",
        "À Nairobi, les modérateurs s’unissent",
        "Court",
    ]
)
SUMMARIES = st.sampled_from(["", SUMMARY, DISPATCH, DISPATCH[:140] + "…", "Brève."])
PATHS = st.sampled_from(["a", "b?utm_source=x", "b", "c/amp", "c", "d", "e", ""])
HOURS = st.integers(0, 60)
MEMBERS = st.lists(
    st.tuples(OUTLETS, TITLES, SUMMARIES, PATHS, HOURS), min_size=1, max_size=8
)


def members(drawn: Sequence[tuple[str, str, str, str, int]]) -> list[Member]:
    """Return entries as drawn, numbered."""
    return [
        a_member(
            entry,
            outlet,
            title=title,
            summary=summary,
            url=f"https://{outlet.lower().replace(' ', '-')}.fr/{path}" if path else "",
            published_at=DAY + timedelta(hours=hours),
        )
        for entry, (outlet, title, summary, path, hours) in enumerate(drawn)
    ]


def placed(
    newcomers: Sequence[Member], before: Sequence[Member]
) -> dict[int, Placement]:
    """Return the placements of a cycle, by entry."""
    shorts = {member.story for member in before}
    taken = shorts & set(possible_ids(newcomers))
    return {one.entry: one for one in place(newcomers, before, taken)}


@given(MEMBERS, st.randoms(use_true_random=False))
def test_within_a_cycle_no_order_changes_the_stories(
    drawn: Sequence[tuple[str, str, str, str, int]], rng: object
) -> None:
    """The same entries make the same stories, ids, reasons and suggestions."""
    arrived = members(drawn)
    shuffled = [*arrived]
    rng.shuffle(shuffled)  # type: ignore[attr-defined]

    assert placed(shuffled, []) == placed(arrived, [])


@given(st.lists(MEMBERS, min_size=2, max_size=3))
def test_between_cycles_a_story_keeps_its_id_first_entry_and_date(
    drawn: list[list[tuple[str, str, str, str, int]]],
) -> None:
    """Whatever arrives later, and however much earlier it is dated."""
    arrived = members([one for cycle in drawn for one in cycle])
    held: list[Member] = []
    founders: dict[str, Member] = {}
    for cycle in drawn:
        new = arrived[len(held) : len(held) + len(cycle)]
        placements = placed(new, held)
        held += [
            replace(
                one,
                story=placements[one.entry].story,
                reason=placements[one.entry].reason,
            )
            for one in new
        ]
        for one in held:
            if not one.reason:
                assert founders.setdefault(one.story, one) == one
        firsts = {one.story for one in held if not one.reason}

        assert firsts == {one.story for one in held}


# ── what a feed has proved, and what a page says ──────────────────────────────────────


@pytest.mark.parametrize(
    ("title", "hours", "expected"),
    [
        ("La chronique", 19, "joined"),
        ("La chronique", 21, "apart"),
        ("Le billet", 0, "apart"),
    ],
)
def test_a_reused_address_joins_one_title_a_day(
    title: str, hours: int, expected: str
) -> None:
    """Where a feed proved that a URL stands for several articles, it tells little."""
    url, at = "https://le-jour.fr/chronique", DAY + timedelta(hours=hours)
    first = a_member(1, url=url, title="La chronique", summary="", reused=True)
    other = a_member(2, url=url, title=title, summary="", published_at=at)

    assert what(first, other) == expected
    assert what(first, replace(other, reused=True)) == expected


def test_the_days_of_a_reused_address_keep_their_ids_in_any_order() -> None:
    """The day is part of the id, so that the first to arrive does not matter."""
    url = "https://le-jour.fr/chronique"
    one, two = (
        a_member(n, url=url, reused=True, published_at=DAY + timedelta(days=n))
        for n in (1, 2)
    )
    ids = {placement.story for placement in place([one, two], (), ())}
    (alone,) = place([two], (), ())

    assert len(ids) == 2
    assert alone.story in ids


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ("https://le-jour.fr/original", "same URL by its page"),
        ("https://le-jour.fr", ""),
    ],
)
def test_the_address_that_a_page_gives_itself_joins(named: str, expected: str) -> None:
    """But for that of a home page, which is no article's."""
    first = a_member(1, url="https://le-jour.fr/original", title="Un titre")
    if not expected:
        first = replace(first, named=named)
    copy = a_member(2, "Le Soir", title="Un autre", summary="", named=named)
    reasons = [placement.reason for placement in place([first, copy], (), ())]

    assert sorted(reasons) == sorted(["", expected])
