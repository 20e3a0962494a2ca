"""Which line comes nearest to a text, and what it lacks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.match import search
from aggregator.model import Query, Topic
from aggregator.query import compile_line
from aggregator.why.nearest import Near, hits, nearest

TITLE = "Derrière l’écran, les travailleurs de l’ombre"
SUMMARY = "Un sociologue, Antonio Casilli, a enquêté sur le robot."
ARTICLE = "Le documentaire est sur Slash."
TEXTS = (TITLE, SUMMARY, ARTICLE)


def topic(
    *match: str, review: tuple[str, ...] = (), never: tuple[str, ...] = ()
) -> Topic:
    """Return a topic with these lines."""

    def compiled(lines: tuple[str, ...]) -> tuple[Query, ...]:
        return tuple(map(compile_line, lines))

    return Topic(
        "film",
        "Le film",
        match=compiled(match),
        review=compiled(review),
        never=compiled(never),
    )  # type: ignore[arg-type]


def near(*match: str, review: tuple[str, ...] = ()) -> Near:
    """Return the nearest of the lines; there is one."""
    found = nearest(TEXTS, [topic(*match, review=review)])
    assert found
    return found


# line | what of it is there | what is not | how many words that is
LACKS = """
travailleurs du clic | « travailleurs » | « du clic » | 2
les travailleurs du clic | « les travailleurs » | « du clic » | 2
des travailleurs de l'écran | « travailleurs de l » | « des » « ecran » | 2
travailleurs du cli* | « travailleurs » | « du cli* » | 2
casilli AND robots | « casilli » | « robots » | 1
casilli AND robots AND clic | « casilli » | « robots » « clic » | 2
casilli AND clickwork* | « casilli » | « clickwork* » | 1
casilli AND (robots OR clic) | « casilli » | « robots » or « clic » | 1
casilli AND (robots OR slash AND clic) | « casilli » « slash » | « clic » | 1
(casilli OR clic) AND robots | « casilli » | « robots » | 1
casilli NOT robot | « casilli » | no « robot » | 1
casilli AND clic NOT robot | « casilli » | « clic » no « robot » | 2
casilli NOT (robot OR clic OR slash) | « casilli » | no « robot » no « slash » | 2
casilli NOT (robot AND slash) | « casilli » | no « robot » no « slash » | 2
NEAR(casilli robots, 3) | « casilli » | « robots » | 1
casilli AND title: robot | « casilli » | « robot » in the title | 1
title: (casilli AND ombre) | « ombre » | « casilli » in the title | 1
casilli AND summary: (title: ombre) | « casilli » | « ombre » | 1
""".strip().splitlines()


@pytest.mark.parametrize("case", LACKS)
def test_what_a_line_lacks(case: str) -> None:
    """Of a phrase the longest part counts, of AND what is not there, of OR the best."""
    line, *told = case.split(" | ")
    got = near(line)

    assert [" ".join(got.found), " ".join(got.missing), str(got.words)] == told
    assert (got.line, got.key) == (line, "match")


def test_words_too_far_apart_are_said_to_be() -> None:
    """All that NEAR wants is there, but not near enough."""
    got = near("NEAR(sociologue robot, 3)")

    assert got.found == ("« sociologue »", "« robot »")
    assert got.missing == ("« sociologue » and « robot » within 3 words",)


def test_the_fewest_missing_words_win() -> None:
    """Then the most that are there, then the order of feeds.toml."""
    one, two = "casilli AND robots", "casilli AND clic AND robots"

    assert near(two, one).line == one
    assert near(one, "antonio AND casilli AND robots").line.startswith("antonio")
    assert near(one, "casilli AND clic").line == one
    assert near("travailleurs du clic", review=("ombre AND clic",)).key == "review"


def test_a_review_line_does_not_see_the_article() -> None:
    """What stands there only is said to be in the wrong place."""
    got = near(review=("casilli AND slash",))

    assert got.missing == ("« slash » in the title or summary",)


def test_without_a_telling_word_no_line_is_near() -> None:
    """« du » and « les » are in every text, and say nothing."""
    assert nearest(TEXTS, [topic("robots du clic", "clic", "les clics")]) is None
    assert nearest(TEXTS, []) is None


def test_lines_that_find_are_listed() -> None:
    """By key, each looking where it looks when it matches."""
    its = topic("casilli", "slash", "clic", review=("slash", "ombre"), never=("robot",))
    found = [(hit.key, hit.line) for hit in hits(TEXTS, [its])]

    assert found == [
        ("match", "casilli"),
        ("match", "slash"),
        ("review", "ombre"),
        ("never", "robot"),
    ]


words = st.sampled_from(
    "casilli robot ombre clic robots slash travail* sociologue".split()
)


@st.composite
def lines(draw: st.DrawFn, depth: int = 3) -> str:
    """Draw a query line."""
    kind = draw(st.sampled_from(["word", "phrase", "NEAR", "column", "group", "group"]))
    if kind == "word" or not depth:
        return draw(words)
    if kind == "phrase":
        bare = words.map(lambda word: word.removesuffix("*"))
        return f'"{draw(bare)} {draw(bare)}"'
    if kind == "NEAR":
        return f"NEAR({draw(words)} {draw(words)}, {draw(st.integers(0, 9))})"
    inner = lines(depth - 1)
    if kind == "column":
        return f"{draw(st.sampled_from(['title', 'summary']))}: ({draw(inner)})"
    operators = draw(st.lists(st.sampled_from(["AND", "OR", "NOT"]), max_size=3))
    parts = [f"({draw(inner)})" for _ in (*operators, "")]
    return " ".join(
        [parts[0], *(f"{o} {p}" for o, p in zip(operators, parts[1:], strict=True))]
    )


@given(lines())
def test_something_is_missing_exactly_where_a_line_finds_nothing(drawn: str) -> None:
    """The parts add up to what FTS5 itself says of the whole line."""
    line = f"casilli AND ({drawn})"
    found = bool(search([TEXTS], compile_line(line)))

    assert (nearest(TEXTS, [topic(line)]) is None) == found
