"""query: which lines are read, as what, and which are refused with the mend."""

import ast
import re
import time
from collections.abc import Callable
from pathlib import Path
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator import query
from aggregator.match import search
from aggregator.model import Query, QueryError
from aggregator.query import compile_line, reads_articles, terms
from aggregator.text import plain

PIECES = (
    *"""ab()*":,-.'«»“”„^{|&+ """,
    *("AND ", "OR ", "NOT ", "NEAR(", ", 3)", " and ", "ET ", "title:"),
    *("é", "·e·s", "\x00", "\ud800", "𞤀", "＂"),
)
PAGE = Path(__file__).parent.parent / "docs" / "queries.md"
EXAMPLE = re.compile(r"""  (?P<quote>["'])(?P<line>.*)(?P=quote),\s+# (?P<said>.*)""")


def _examples(*keys: str) -> list[tuple[str, str]]:
    """Return each line of the page's toml blocks with what its comment says."""
    blocks = re.findall(r"```toml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    return [
        (found["line"], found["said"])
        for block in blocks
        for key, lines in re.findall(r"(?ms)^(\w+) = \[\n(.*?)^\]", block)
        if key in keys
        for found in map(EXAMPLE.fullmatch, lines.splitlines())
        if found
    ]


def _finds(line: str, *texts: str) -> list[bool]:
    found = search([(text, "", "") for text in texts], compile_line(line))
    return [position in found for position in range(len(texts))]


READ = _examples("match", "review", "never")
REFUSED = _examples("refused")


def test_every_example_line_is_taken_from_the_page() -> None:
    """No line of a block of docs/queries.md escapes these tests by its layout."""
    lines = re.findall(r"""(?m)^  ["'].*$""", PAGE.read_text("utf-8"))

    assert len(lines) == len(READ) + len(REFUSED) > 40


@pytest.mark.parametrize(("line", "said"), READ)
def test_an_example_finds_what_the_page_says(line: str, said: str) -> None:
    """A line of docs/queries.md finds its `finds:` texts and none of its `not:`."""
    cases = [case.partition(": ")[::2] for case in said.split(" | ")]

    assert [(kind, text) for kind, text in cases] == [
        ("finds" if found else "not", text)
        for (_, text), found in zip(
            cases, _finds(line, *(plain(text) for _, text in cases)), strict=True
        )
    ]


@pytest.mark.parametrize(("line", "said"), REFUSED)
def test_a_refused_example_is_refused_and_its_mend_is_read(
    line: str, said: str
) -> None:
    """What docs/queries.md calls refused raises; what it says to write does not."""
    with pytest.raises(QueryError):
        compile_line(line)

    assert compile_line(said.removeprefix("write: ")).expression


def test_the_page_shows_every_refusal() -> None:
    """Each place in `query` that refuses a line does so to an example of the page.

    But for the limits of length, depth and NEAR, which it tells in words.
    """
    raised = {
        node.lineno
        for node in ast.walk(ast.parse(Path(query.__file__).read_text("utf-8")))
        if isinstance(node, ast.Raise)
    }
    shown = set()
    for line, _ in REFUSED:
        with pytest.raises(QueryError) as refused:
            compile_line(line)
        shown.add(refused.traceback[-1].lineno + 1)

    assert len(raised - shown) == 3
    assert shown <= raised


@pytest.mark.parametrize(
    ("line", "expression"),
    [
        ("Travail du clic", '"travail du clic"'),
        ("a AND b OR c NOT d", '"a" AND "b" OR "c" NOT "d"'),
        ("a AND NOT b", '"a" NOT "b"'),
        ("((a))", '(("a"))'),
        ("Micro-travail*", '"micro travail" *'),
        ('"a b"* OR c', '"a b" * OR "c"'),
        ("R&D", '"r&d"'),
        ("canal+", '"canal+"'),
        ("Dupont & Fils", '"dupont & fils"'),
        ("12:30, 5,5 %", '"12:30 5 5 %"'),
        ("TITLE : Été", 'title : "ete"'),
        ("title:a AND summary: (b OR c)", 'title : "a" AND summary : ("b" OR "c")'),
        ("article:NEAR(a b)", 'article : NEAR("a" "b")'),
        ('NEAR (a, "b c" d*, 5)', 'NEAR("a" "b c" "d" *, 5)'),
        ("NEAR(a-t-il b)", 'NEAR("a t il" "b")'),
        ('«a» OR “b” OR „c“ OR ”d” OR »e« OR “f“ OR “g"', None),
        ('« Les "x" »', '"les  x "'),
        ("(livreur(se)s OR b)", '("livreurs" OR "b")'),
        ("livreur·euse·s AND b", '"livreurs" AND "b"'),
        ("＂a", '" a"'),
        ("ET", '"et"'),
        ("l'or", '"l or"'),
        ("not a robot", '"not a robot"'),
        ("(or AND argent)", '("or" AND "argent")'),
        ("travail – robots", '"travail robots"'),
    ],
)
def test_a_line_is_read_as(line: str, expression: str | None) -> None:
    """Terms are folded and quoted, operators and columns kept as FTS5 writes them."""
    if expression is None:
        expression = " OR ".join(f'"{letter}"' for letter in "abcdefg")

    assert compile_line(line) == Query(line, expression)


@pytest.mark.parametrize(
    ("line", "wrong", "mend"),
    [
        ("", "empty", "write the words"),
        (" \n", "empty", "write the words"),
        ("!!", "'!!' holds no letter", "look for"),
        ('a AND ""', "'' holds no letter", "look for"),
        ("\x00\ud800", "holds no letter", "look for"),
        ("a ET b", "ET is no operator", "write AND, or put the phrase in quotes"),
        ("a OU b", "OU is no operator", "write OR"),
        ("a SAUF b", "SAUF is no operator", "write NOT"),
        ("a And b", "And is no operator", "write AND"),
        ("a or (b)", "or is no operator", "write OR"),
        ("a and NOT b", "and is no operator", "write AND"),
        ('"a" not "b"', "not is no operator", "write NOT"),
        ("a* near b", "near is no operator", "write NEAR("),
        ("near(a b)", "near is no operator", "write NEAR("),
        ("NOT a", "cannot begin with NOT", "write wanted NOT unwanted"),
        ("a AND (NOT b)", "cannot begin with NOT", "write wanted NOT"),
        ("a OR NOT b", "missing after OR", "add them"),
        ("AND", "missing before AND", "put the phrase in quotes"),
        ("a AND", "missing after AND", "add them"),
        ("()", "missing before )", "add them"),
        ("titre: a", "titre: is no column", "did you mean title:?"),
        ("https://a.fr", "https: is no column", "put the phrase in quotes"),
        ("title:", "title: stands before nothing", "add words"),
        ("title: summary: a", "title: stands before nothing", "add words"),
        ("a NEAR/5 b", "before its words", "NEAR(one other, 10)"),
        ("NEAR(a)", "needs two", "NEAR(one other, 10)"),
        ("NEAR(a OR b)", "only words and quoted phrases", "NEAR(one other, 10)"),
        ("NEAR(a b", "never closed", "add )"),
        ("NEAR(a b, 1000)", "999 words", "write less"),
        ("NEAR(a b, 99999999999999999999)", "999 words", "write less"),
        ("NEAR(" + "a " * 21 + ")", "20 words or phrases", "write several"),
        ("(a", "never closed", "add )"),
        ("a)", "closes nothing", "open it with ("),
        ('"a', "never closed", 'add "'),
        ("« a", "never closed", "add »"),
        ("*a", "right after a word", "write travail*"),
        ("a*b", "right after a word", "write travail*"),
        ("a *", "right after a word", "write travail*"),
        ("a**", "right after a word", "write travail*"),
        ("a* b", "nothing joins b", "write AND or OR"),
        ("a (b)", "nothing joins (", "write AND or OR"),
        ("foo(bar)", "nothing joins (", "write AND or OR"),
        ("(a, 5)", "nothing joins 5", "write AND or OR"),
        ("a -b", "- before a word", "write NOT b"),
        ("+a", "+ before a word", "write AND a"),
        ("a|b", "| is no sign", "write OR"),
        ("a && b", "&& is no sign", "write AND"),
        ("^a", "^ is no sign", "leave it out"),
        ("{title}", "{ is no sign", "leave it out"),
        ("(" * 21 + "a" + ")" * 21, "more than 20 parentheses", "write less"),
        ("a " * 5001, "over 10000 characters", "several lines"),
    ],
)
def test_a_line_is_refused_with_the_mend(line: str, wrong: str, mend: str) -> None:
    """What cannot be read, or would mean something else, says so in one line."""
    with pytest.raises(QueryError) as refused:
        compile_line(line)
    message = str(refused.value)

    assert wrong in message
    assert mend in message
    assert "\n" not in message


def test_operators_bind_as_the_page_says() -> None:
    """NOT binds before AND, and AND before OR, after rewriting AND NOT too."""
    texts = ("a", "b", "b c", "b c d")

    assert _finds("a OR b AND c AND NOT d", *texts) == [True, False, True, False]
    assert _finds("(a OR b) AND c", *texts) == [False, False, True, True]


def test_near_stays_in_one_column() -> None:
    """A word of the title is not near one of the summary."""
    near = compile_line("NEAR(a b)")

    assert search([("a", "b", ""), ("a b", "", ""), ("", "", "b a")], near) == (1, 2)


def test_a_column_binds_what_follows_it_only() -> None:
    """`title:` holds for the next operand, not for those after an operator."""
    titled = compile_line("title: a AND b")

    assert search([("a", "b", ""), ("b", "a", ""), ("a", "", "b")], titled) == (0, 2)


@pytest.mark.parametrize(
    "line",
    [
        "a* OR " * 1_600 + "b*",
        "a " * 5_000,
        "a NOT " * 1_600 + "b",
        " OR ".join(["NEAR(" + "a " * 20 + ", 999)"] * 180),
        " OR ".join(f"w{n}*" for n in range(1_000)),
        "inclusif·ve·s " * 700,
        "m" * 10_000,
    ],
    ids=lambda line: line[:12],
)
def test_no_line_takes_long(line: str) -> None:
    """The longest lines that are read cost an article of 6,000 words little time."""
    began = time.process_time()
    search([("a film", "a summary", "a b c x y z " * 1_000)], compile_line(line))

    assert time.process_time() - began < 2


@given(
    st.lists(st.sampled_from(PIECES), max_size=12).map("".join) | st.text(max_size=20)
)
def test_no_line_surprises(line: str) -> None:
    """Any text is read, and then SQLite takes it, or refused by a QueryError."""
    try:
        found = compile_line(line)
    except QueryError as refused:
        outcome = str(refused)
    else:
        outcome = str(search([("a", "b", "e")], found))

    assert outcome


@given(st.lists(st.from_regex(r"[a-zé]{1,6}", fullmatch=True), min_size=1, max_size=5))
def test_a_phrase_finds_itself(words: list[str]) -> None:
    """Any words in quotes find a text that holds them in that order, in any case."""
    phrase = " ".join(words)

    assert _finds(f'"{phrase}"', f"Xx {phrase.upper()}, yy") == [True]


@given(
    st.lists(st.sampled_from(("été", "œuvre", "micro-travail", "l’IA")), min_size=1),
    st.sampled_from((str.upper, str.title, lambda word: normalize("NFD", word))),
    st.sampled_from("-‑–—"),
    st.sampled_from("’'‘ʼ"),
    st.sampled_from("  \u00a0\u202f"),
)
def test_typography_never_changes_a_line(
    words: list[str],
    case: Callable[[str], str],
    dash: str,
    apostrophe: str,
    space: str,
) -> None:
    """A line means the same whatever its accents, case, dashes, apostrophes, spaces."""
    line = space.join(map(case, words)).replace("-", dash).replace("’", apostrophe)
    bare = line.replace("é", "e").replace("É", "E").replace("\u0301", "")

    assert (
        compile_line(" ".join(words)).expression
        == compile_line(line).expression
        == compile_line(bare).expression
    )


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("R&D", "notre R & D"),
        ("casilli.fr", "lu sur www.casilli.fr"),
        ("canal+", "sur Canal+ ce soir"),
        ("micro-travail*", "le micro travailleur"),
        ("l'humanité", "L’Humanité"),
        ("micro-travail", "micro‑travail"),
    ],
)
def test_a_word_of_parts_is_their_phrase(line: str, text: str) -> None:
    """What joins the parts of a word never counts, on either side."""
    assert _finds(line, text, line, "autre chose") == [True, True, False]


def test_terms_are_told_in_order() -> None:
    """Folded, each with whether a word may go on after it; columns are no terms."""
    told = compile_line('title: Été AND NEAR("l\'IA" micro-trav*) NOT "article : x"')

    assert terms(told) == (
        ("ete", False),
        ("l ia", False),
        ("micro trav", True),
        ("article : x", False),
    )


@pytest.mark.parametrize(
    ("line", "reads"),
    [("article: a", True), ("a AND ARTICLE:(b)", True), ('"article : a"', False)],
)
def test_a_line_that_is_tied_to_the_article_says_so(line: str, reads: bool) -> None:
    """The column counts, a phrase that looks like it does not."""
    assert reads_articles(compile_line(line)) is reads
