"""match: which entries mention which topics, how surely, by what evidence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.match import match, search
from aggregator.model import Entry, Mention, Outlet, Topic, Verdict
from aggregator.query import compile_line
from aggregator.text import MARK, UNMARK, fold, plain

SLATE = Outlet("Slate", ("https://slate.example/rss",))


def an_entry(
    title: str, summary: str = "", content: str = "", number: int = 7
) -> Entry:
    """Return an entry with these plain texts."""
    return Entry(number, str(number), "", title, summary, 0, content)


def a_topic(name: str = "t", **lines: list[str]) -> Topic:
    """Return a topic with these lines of `match`, `review` and `never`."""
    compiled = {key: tuple(map(compile_line, some)) for key, some in lines.items()}
    return Topic(name, name.title(), **compiled)


FILM = a_topic(
    match=["travailleurs du clic", "casilli"],
    review=["documentaire", "invisibles"],
    never=["masiero", "lifshitz"],
)


@pytest.mark.parametrize(
    ("texts", "ruled"),
    [
        (("Casilli",), ("certain", "match", "casilli", "title")),
        (("", "Casilli"), ("certain", "match", "casilli", "summary")),
        (("", "", "Casilli"), ("certain", "match", "casilli", "article")),
        (
            ("Casilli", "travailleurs du clic"),
            ("certain", "match", "travailleurs du clic", "summary"),
        ),
        (("Casilli, Masiero",), ("doubtful", "match", "casilli", "title")),
        (("Casilli", "", "Masiero"), ("certain", "match", "casilli", "title")),
        (("Invisibles",), ("doubtful", "review", "invisibles", "title")),
        (
            ("Invisibles", "un documentaire"),
            ("doubtful", "review", "documentaire", "summary"),
        ),
        (("", "", "Invisibles"), None),
        (("Invisibles", "Lifshitz"), ("suppressed", "never", "lifshitz", "summary")),
        (
            ("Invisibles, de Lifshitz", "Masiero"),
            ("suppressed", "never", "masiero", "summary"),
        ),
        (("Invisibles", "", "Masiero"), ("doubtful", "review", "invisibles", "title")),
        (("Masiero",), None),
        (("Autre chose",), None),
    ],
)
def test_a_topic_rules_as_the_design_says(
    texts: tuple[str, ...], ruled: tuple[str, ...] | None
) -> None:
    """match, review and never: which columns, which verdict, which line is evidence."""
    found = match([an_entry(*texts)], [FILM], SLATE)

    assert [(m.verdict.value, m.rule, m.line, m.column) for m in found] == (
        [ruled] if ruled else []
    )


@pytest.mark.parametrize(
    ("keys", "title", "ruled"),
    [
        ({"always": ("t",)}, "Rien", (Verdict.CERTAIN, "always", "")),
        ({"always": ("t",)}, "Invisibles Masiero", (Verdict.CERTAIN, "always", "")),
        ({"review": ("t",)}, "Rien", (Verdict.DOUBTFUL, "review", "")),
        ({"review": ("t",)}, "Masiero", (Verdict.DOUBTFUL, "review", "")),
        ({"review": ("t",)}, "Casilli", (Verdict.CERTAIN, "match", "casilli")),
        (
            {"review": ("t",)},
            "Casilli Masiero",
            (Verdict.DOUBTFUL, "match", "casilli"),
        ),
        (
            {"review": ("t",)},
            "Invisibles Masiero",
            (Verdict.DOUBTFUL, "review", "invisibles"),
        ),
        ({"topics": ("t",)}, "Casilli", (Verdict.CERTAIN, "match", "casilli")),
        ({"topics": ("other",)}, "Casilli", None),
        ({"topics": (), "always": ("t",)}, "Casilli", None),
        ({"always": ("other",)}, "Rien", None),
    ],
)
def test_an_outlet_may_say_more(
    keys: dict[str, tuple[str, ...]],
    title: str,
    ruled: tuple[Verdict, str, str] | None,
) -> None:
    """always, review and topics of an outlet, before and beside the topic's lines."""
    outlet = Outlet("Blog", (), **keys)
    found = match([an_entry(title)], [FILM], outlet)

    assert [(m.verdict, m.rule, m.line) for m in found] == ([ruled] if ruled else [])


def test_a_mention_by_the_outlets_own_key_needs_no_evidence() -> None:
    """Where no line was needed there is neither column, span nor snippet."""
    found = match([an_entry("Rien")], [FILM], Outlet("Blog", (), always=("t",)))

    assert found == (Mention(7, "t", Verdict.CERTAIN, "always"),)


def test_evidence_shows_the_original_spelling() -> None:
    """Spans are offsets into the text as stored; the snippet marks them in it."""
    title = "L’œuvre : « Livreur·euse·s » et cafe\u0301s ½ prix"
    line = "oeuvre AND livreurs AND cafés"
    (found,) = match([an_entry(title)], [a_topic(match=[line])], SLATE)

    assert found.line == line
    assert [title[start:end] for start, end in found.spans] == [
        "œuvre",
        "Livreur·euse·s",
        "cafe\u0301s",
    ]
    assert found.snippet.replace(MARK, "[").replace(UNMARK, "]") == (
        "L’[œuvre] : « [Livreur·euse·s] » et [cafe\u0301s] ½ prix"
    )


def test_a_long_text_gives_a_short_snippet() -> None:
    """Of an article 120 characters at most are kept, with the words in them."""
    content = "mot " * 500 + "Antonio Casilli " + "mot " * 500
    (found,) = match([an_entry("Titre", "", content)], [FILM], SLATE)
    bare = found.snippet.replace(MARK, "").replace(UNMARK, "")

    assert found.column == "article"
    assert len(bare) <= 120
    assert f"Antonio {MARK}Casilli{UNMARK} mot" in found.snippet


def test_mentions_come_by_entry_then_by_topic() -> None:
    """Order depends on the given entries and topics only, one mention for each pair."""
    entries = [an_entry("clic robots", "clic", "clic", number) for number in (9, 3, 5)]
    topics = [a_topic("z", match=["robots", "clic"]), a_topic("a", review=["clic"])]
    found = match(entries, topics, SLATE)

    assert [(m.entry, m.topic) for m in found] == [
        (number, topic) for number in (9, 3, 5) for topic in ("z", "a")
    ]


@pytest.mark.parametrize(("entries", "topics"), [([], [FILM]), ([an_entry("x")], [])])
def test_nothing_comes_of_nothing(entries: list[Entry], topics: list[Topic]) -> None:
    """No entries or no topics: no mention."""
    assert match(entries, topics, SLATE) == ()


def test_search_gives_positions() -> None:
    """The texts that satisfy a query, by their place, folded first."""
    texts = [("Été", "", ""), ("", "", "l’été"), ("hiver", "", "")]

    assert search(texts, compile_line("ete")) == (0, 1)


WORDS = ("Antonio", "Casilli", "micro-travail", "l’été", "cœur", "livreurs", "robots")


@given(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=6),
    st.sampled_from(["{}", "<b>{}</b>", "<span>{}</span>", "{}\u200b", "\u00ad{}"]),
    st.sampled_from(["'", "’", "&rsquo;", "&amp;#8217;"]),
    st.sampled_from(["-", "‑", "–", " ", "\u00a0", "&nbsp;"]),
    st.booleans(),
    st.booleans(),
)
def test_typography_never_changes_a_match(
    words: list[str],
    dress: str,
    apostrophe: str,
    dash: str,
    capitals: bool,
    accents: bool,
) -> None:
    """Markup, entities, case, accents, kinds of dash and apostrophe: no words."""
    topics = [a_topic(word, match=[word]) for word in WORDS]
    text = dash.join(words)
    dressed = " ".join(words).upper() if capitals else " ".join(words)
    dressed = " ".join(dress.format(word) for word in dressed.split())
    dressed = dressed if accents else dressed.translate(str.maketrans("éÉ", "eE"))
    dressed = dressed.replace("’", apostrophe).replace("-", dash)
    bare, other = (
        match([an_entry(plain(title))], topics, SLATE) for title in (text, dressed)
    )

    assert [m.topic for m in bare] == [m.topic for m in other]
    assert {fold(m.topic) for m in bare} == {fold(word) for word in words}
