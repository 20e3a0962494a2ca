"""text: markup away, folding and the way back, cutting and marking."""

import re
import sys
import time
from collections.abc import Callable
from html.entities import codepoint2name
from itertools import zip_longest
from unicodedata import category, combining, normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.text import MARK, UNMARK, cut, fold, fold_map, plain, snippet

TEXTS = st.text(max_size=60) | st.lists(
    st.sampled_from(
        [
            *(
                "livreur",
                "eur",
                "é",
                "e",
                "se",
                "ses",
                "s",
                "tous",
                "tes",
                "Œ",
                "ß",
                "½",
            ),
            *(
                "·",
                "•",
                ".",
                "(",
                ")",
                " ",
                "-",
                "’",
                "\u00ad",
                "\u0301",
                "\u200b",
                "…",
            ),
            *("\n", "\x02", "\xa0", "µ", "ŉ", "ﬁ", "\ud800", "İ", "🙂", "ͅ", "E", "X"),
        ]
    ),
    max_size=20,
).map("".join)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("", ""),
        ("un <b>mo</b>t", "un mot"),
        ("<p>un</p><p>deux</p>", "un deux"),
        ("un<br/>deux<BR>trois", "un deux trois"),
        ("<a href='x' title=\"1 > 0\">lien</a>.", "lien."),
        ("<a title=l'autre>lien</a>", "lien"),
        ("XXI<sup>e</sup> <i class=x>siècle</i>", "XXIe siècle"),
        ("un <o:p>deux</o:p>", "un deux"),
        ("un<!-- <b>deux</b> -->trois", "untrois"),
        ("un<script>if (a < b) { '<b>' }</script>deux", "un deux"),
        ("un<STYLE type='x'>p > b {}</style >deux", "un deux"),
        ("un <!-- deux", "un"),
        ("un <script>deux", "un"),
        ("<!DOCTYPE html><?xml?>un", "un"),
        ("<![CDATA[un]]>", "un"),
        ("a < b et c > d, I <3 U, x<y", "a < b et c > d, I <3 U, x<y"),
        ("si a<b alors", "si a<b alors"),
        ('coupé <a href="https://exa', "coupé"),
        ("coupé</spa", "coupé"),
        ("<<b>>", "<>"),
        ("R&D, AT&T &amp; &eacute;t&#233; &#xe9;", "R&D, AT&T & été é"),
        ("r&amp;eacute;duit", "réduit"),
        ("&amp;amp;eacute;", "&eacute;"),
        ("&lt;b&gt;un&lt;/b&gt; &lt;p&gt;deux", "un deux"),
        ("&amp;lt;b&amp;gt;un", "un"),
        ("le mot &lt;Nom&gt; reste", "le mot <Nom> reste"),
        ("&#0; &#" + "1" * 5000 + "; &#x" + "f" * 5000 + ";", "�"),
        ("un\x02deux\x03\x00\x1b\x9f\ud800\uffff", "undeux"),
        (" un\n\t deux\u2028trois\u2009\u3000quatre ", "un deux trois quatre"),
        ("Immigration\u00a0: un\u00a0 deux", "Immigration\u00a0: un deux"),
        (
            "«\u00a0à Lyon, l’été\u00a0»".encode().decode("cp1252"),
            "«\u00a0à Lyon, l’été\u00a0»",
        ),
        ("&Atilde;&copy;t&Atilde;&copy;", "été"),
        ("PÂTÉ\u00a0» À VOLONTÉ\u00a0» CAFÉ", "PÂTÉ\u00a0» À VOLONTÉ\u00a0» CAFÉ"),
    ],
)
def test_plain_is_what_a_reader_sees(html: str, text: str) -> None:
    """Tags, entities, controls, broken charsets and line ends go, words stay."""
    assert plain(html) == text


@given(st.text(alphabet="<>/!-&#;x\"'= abpscriptyle\x02\xa0é1[]", max_size=60))
def test_plain_survives_anything(html: str) -> None:
    """Whatever markup comes, the text has no mark, line end or outer blank."""
    text = plain(html)

    assert text == text.strip()
    assert not set(text) & {MARK, UNMARK, "\n", "\t"}


@given(st.text(alphabet=" \n\t\r\u00a0\u202f\u2009\x0b\x01ab", max_size=20))
def test_runs_of_blanks_are_one_space(text: str) -> None:
    """But for a lone no-break space every blank is one, and so is every run of them."""
    spaced = re.sub(r"\s{2,}|[^\S\u00a0\u202f]", " ", text.replace("\x01", ""))

    assert plain(text) == spaced.strip()


@pytest.mark.parametrize(
    "piece",
    [
        *(
            "<",
            "<a ",
            "<a \"<a '",
            "<!--",
            "<!-- -->",
            "<script>",
            "<a x='",
            "<![CDATA[",
        ),
        *(
            "&#1",
            "&amp;",
            "&lt;b ",
            "Ã©",
            " \n",
            "a < b ",
            "</",
            "eur·e",
            "eur(e)",
            "(e",
        ),
        *(".e", "e\u0301", "- ", "\u00ad", "½"),
    ],
)
def test_a_million_characters_take_linear_time(piece: str) -> None:
    """No repeated piece makes markup or folding quadratic."""
    text = piece * (1_000_000 // len(piece))
    started = time.process_time()
    fold(plain(text))

    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("", ""),
        ("ÉTÉ à Noël, ça", "ete a noel, ca"),
        ("e\u0301te\u0301", "ete"),
        ("Œuvre, cœur, Æther, ex æquo", "oeuvre, coeur, aether, ex aequo"),
        ("Straße ẞ", "strasse ss"),
        ("ﬁn ﬂot", "fin flot"),
        ("Łódź, smørrebrød, đ ħ ı İ", "lodz, smorrebrod, d h i i"),
        ("micro\u00adtra\u200bvail\u2060\ufeff", "microtravail"),
        ("\u202bcasilli\u202c \u2066x\u2069", "casilli x"),
        ("micro-travail micro‑travail micro–travail", "micro travail " * 3),
        ("micro − travail \u2014travail", "micro travail travail"),
        ("l'IA l’IA l‘IA lʼIA l`IA l´IA l′IA", "l ia " * 7),
        ("a\u00a0b\u202fc\u2009d\u3000e\tf\ng\x00h\x02i", "a b c d e f g h i"),
        ("  — bord —  ", "bord"),
        ("Ⅻ ² ½ … ™ ª º µ ¨ ¯ ¸", "xii 2 1⁄2 ... tm a o μ"),
        ("« Invisibles » “x” € •", "« invisibles » “x” € •"),
        ("un\ud800e", "une"),
    ],
)
def test_folding_takes_away_what_never_counts(text: str, folded: str) -> None:
    """Accents, case, ligatures, dashes, apostrophes, blanks, invisible characters."""
    assert fold(text) == folded.strip()


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("livreur·euse·s", "livreurs"),
        ("livreur•ses", "livreurs"),
        ("livreur(se)s", "livreurs"),
        ("livreur(ses)", "livreurs"),
        ("livreur.euse.s", "livreurs"),
        ("livreur‧euse", "livreur"),
        ("LIVREUR·EUSE·S", "livreurs"),
        ("livreurs·euses", "livreurs"),
        ("livreur(e)(e)", "livreur"),
        ("étudiant·e·s et employé.e", "etudiants et employe"),
        ("mainteneur·ses, directeur·rices", "mainteneurs, directeurs"),
        ("délivré·es", "delivres"),
        ("tous·tes, tou·te·s", "tous, tous"),
        ("professionnel·le·s", "professionnels"),
        ("ouvrier·ère·s", "ouvriers"),
        ("nouveaux·elles, heureux·se", "nouveaux, heureux"),
        ("sportif·ve, public·que, maître·sse", "sportif, public, maitre"),
        ("casilli.fr deliveroo.es elpais.com", "casilli.fr deliveroo.es elpais.com"),
        ("fin.Les robots. Elle", "fin.les robots. elle"),
        ("U.S.A. livreur(s) col·lecció (e)", "u.s.a. livreur(s) col·leccio (e)"),
        ("foo·bar, e·s, l·e", "foo·bar, e·s, l·e"),
        ("livreur(e)le", "livreur(e)le"),
    ],
)
def test_inclusive_writing_is_the_plain_word(text: str, folded: str) -> None:
    """Inserted endings go where they fit the stem, a final s stays; no other dot."""
    assert fold(text) == folded


DASHES = [chr(n) for n in range(sys.maxunicode) if category(chr(n)) == "Pd"] + ["−"]
SPACES = [chr(n) for n in range(sys.maxunicode) if category(chr(n)) == "Zs"]
APOSTROPHES = list("'’‘ʼ`´′‛ʹ＇")
INLINE = "b i em strong span a mark sup sub u abbr font wbr".split()
OTHER = "br p div h2 li td blockquote img hr o:p custom-tag".split()


@pytest.mark.parametrize(
    "kinds", [DASHES, SPACES, APOSTROPHES], ids=["dashes", "spaces", "apostrophes"]
)
def test_each_kind_of_dash_space_and_apostrophe_is_one_space(kinds: list[str]) -> None:
    """Every one that Unicode has, alone and in a run with the others."""
    assert [char for char in kinds if fold(f"a{char}b") != "a b"] == []
    assert fold(f"a{''.join(kinds)}b") == "a b"


@pytest.mark.parametrize("tag", INLINE)
def test_tags_inside_a_line_do_not_part_a_word(tag: str) -> None:
    """Whatever their case and attributes, opening, closing or empty."""
    for text in (f"cli<{tag}>q</{tag}>ue", f"cli<{tag.upper()} class='x y'/>que"):
        assert plain(text) == "clique"


@pytest.mark.parametrize("tag", OTHER)
def test_other_tags_part_two_words(tag: str) -> None:
    """A paragraph, a line end or a tag nobody knows stands between words."""
    assert plain(f"un<{tag}>deux") == plain(f"un<{tag} class='x'/>deux") == "un deux"


# What stands in a French text: letters with and without accents, what joins words.
PLAIN = st.text(
    alphabet="abcdeilnorstuvxABCELMNRST0123éèêëàâçïîôùûüÿœæÉÈÇŒ '’-–—\u00a0,.;:!?«»",
    max_size=40,
)


def other_case(char: str, _n: int) -> str:
    # « Â » before « œ » or « » » is what ftfy takes, rightly, for a wrong charset
    other = char if char == "â" else char.swapcase()
    return other if len(other) == 1 else char


def other_kind(char: str, n: int) -> str:
    for kinds in (DASHES, SPACES, APOSTROPHES):
        if char in kinds:
            return kinds[n % len(kinds)]
    return char


def dropped_accent(char: str, n: int) -> str:
    parts = normalize("NFD", char)
    return parts if n % 2 else "".join(c for c in parts if not combining(c))


def entity(char: str, n: int) -> str:
    code = ord(char)
    named = f"&{codepoint2name[code]};" if code in codepoint2name else f"&#{code:05};"
    once = (f"&#{code};", f"&#x{code:x};", named)[n % 3]
    return once.replace("&", "&amp;") if n % 2 else once


def tagged(char: str, n: int) -> str:
    tag = INLINE[n % len(INLINE)]
    return f"<{tag}>{char}</{tag}>"


def invisible(char: str, n: int) -> str:
    return char + "\u00ad\u200b\u200e\u2060\ufeff"[n % 5]


@pytest.mark.parametrize(
    "dressed",
    [other_case, other_kind, dropped_accent, entity, tagged, invisible],
    ids=lambda change: change.__name__,
)
@given(text=PLAIN, numbers=st.lists(st.none() | st.integers(0, 99), max_size=40))
def test_what_never_counts_never_changes_a_folding(
    dressed: Callable[[str, int], str], text: str, numbers: list[int | None]
) -> None:
    """Markup, entities, accents, case, kinds of dash, space, apostrophe: any of them.

    What folds alike is found by the same queries: `fts` sees nothing but foldings.
    """
    other = "".join(
        char if number is None else dressed(char, number)
        for char, number in zip_longest(text, numbers[: len(text)])
    )

    assert fold(plain(other)) == fold(plain(text))


@given(TEXTS)
def test_folding_is_idempotent(text: str) -> None:
    """Folding what is folded changes nothing."""
    assert fold(fold(text)) == fold(text)


@given(TEXTS)
def test_the_map_agrees_with_folding(text: str) -> None:
    """fold_map gives fold's text, and offsets that never go back."""
    folded = fold_map(text)

    assert folded.text == fold(text)
    assert len(folded.offsets) == len(folded.text) + 1
    assert sorted(folded.offsets) == list(folded.offsets)
    assert all(0 <= offset <= len(text) for offset in folded.offsets)


@pytest.mark.parametrize("code", range(0x250))
def test_the_fast_way_folds_as_the_slow_one(code: int) -> None:
    """A character folds the same in a Windows-1252 text and in any other."""
    text = f"a{chr(code)}b"

    assert f"{fold(text)} 🙂" == fold(f"{text} 🙂")


@given(TEXTS)
def test_another_spelling_never_counts(text: str) -> None:
    """Decomposed, composed, and with the other dash, apostrophe, space: one folding."""
    for form in ("NFC", "NFD"):
        assert fold(normalize(form, text)) == fold(text)
    other = text.replace("-", "–").replace("’", "'").replace(" ", "\u00a0")

    assert fold(other) == fold(text)


@given(st.lists(st.text(alphabet="aeéœÉß\u0301\u00ad·s", min_size=1), max_size=6))
def test_a_folded_word_leads_back_to_its_spelling(words: list[str]) -> None:
    """The original stretch of each folded word folds to that word again."""
    text = " – ".join(words)
    folded = fold_map(text)
    start = 0
    for word in folded.text.split():
        start = folded.text.index(word, start)
        first, last = folded.span(start, start + len(word))

        assert fold(text[first:last]) == word
        start += len(word)


def test_a_span_holds_what_folded_away_inside_and_after() -> None:
    """Accents of NFD, endings of inclusive writing and halves of ligatures are kept."""
    folded = fold_map("Des livreur·se·s, cafe\u0301 ½ ")
    spans = [folded.span(*at) for at in ((4, 12), (14, 18), (19, 20), (19, 22))]

    assert folded.text == "des livreurs, cafe 1⁄2"
    assert spans == [(4, 16), (18, 23), (24, 25), (24, 25)]


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("un deux trois", 13, "un deux trois"),
        ("un deux trois", 12, "un deux…"),
        ("un deux trois", 8, "un deux…"),
        ("un deux trois", 7, "un…"),
        ("un, deux", 7, "un…"),
        ("« un » deux « trois »", 15, "« un » deux…"),
        ("anticonstitutionnellement", 10, "anticonst…"),
        ("un deux", 1, "…"),
        ("un deux", 0, ""),
        ("", 0, ""),
    ],
)
def test_a_text_is_cut_after_a_word(text: str, limit: int, shown: str) -> None:
    """Whole when it fits, else whole words, an ellipsis, never over the limit."""
    assert cut(text, limit) == shown


@given(TEXTS, st.integers(0, 40))
def test_a_cut_text_keeps_to_its_limit(text: str, limit: int) -> None:
    """At most `limit` characters, the beginning of the text."""
    shown = cut(text, limit)

    assert len(shown) <= limit
    assert shown == text or text.startswith(shown[:-1])


LONG = "un deux trois quatre cinq six sept huit neuf dix onze douze treize"


@pytest.mark.parametrize(
    ("text", "spans", "limit", "shown"),
    [
        ("un deux trois", [(3, 7)], 120, "un [deux] trois"),
        ("un deux trois", [(0, 2), (8, 13)], 120, "[un] deux [trois]"),
        (LONG, [(35, 39)], 24, "…six sept [huit] neuf dix…"),
        (LONG, [(0, 2), (3, 7), (59, 65)], 24, "[un] [deux] trois quatre…"),
        (LONG, [(60, 66)], 24, "…dix onze douze [treize]"),
        (LONG, [(3, 40)], 12, "…[deux trois]…"),
        (LONG, [], 12, "un deux…"),
        (LONG, [(3, 7)], 2, "u…"),
        (LONG, [(3, 7)], 0, ""),
        ("x" * 50 + "casilli" + "y" * 50, [(50, 57)], 21, "…xxxxxx[casilli]yyyyyy…"),
    ],
)
def test_a_snippet_is_a_window_round_the_first_span(
    text: str, spans: list[tuple[int, int]], limit: int, shown: str
) -> None:
    """Whole words round the match, spans marked, ellipses where something is left."""
    marked = shown.replace("[", MARK).replace("]", UNMARK)

    assert snippet(text, spans, limit) == marked


@given(
    st.text(alphabet="ab é", max_size=80),
    st.lists(st.integers(0, 80), max_size=6, unique=True),
    st.integers(0, 60),
)
def test_a_snippet_keeps_to_its_limit(text: str, ends: list[int], limit: int) -> None:
    """Without marks it is a piece of the text within the limit, marks in pairs."""
    bounds = sorted(end for end in ends if end <= len(text))
    spans = list(zip(bounds[::2], bounds[1::2], strict=False))
    shown = snippet(text, spans, limit)
    bare = shown.replace(MARK, "").replace(UNMARK, "")

    assert len(bare) <= limit
    assert bare.strip("…") in text
    assert [c for c in shown if c in MARK + UNMARK] == [MARK, UNMARK] * shown.count(
        MARK
    )
    if spans and limit > 2:
        assert MARK in shown
