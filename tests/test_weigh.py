"""What an article makes of a doubt: each case of the verdict, without any network."""

from __future__ import annotations

import pytest

from aggregator.match import match
from aggregator.model import Entry, Mention, Outlet, Query, Topic
from aggregator.query import compile_line
from aggregator.weigh import weigh

OUTLET = Outlet("Le Jour", ("https://jour.example/feed",))
REVIEWING = Outlet("Le Jour", ("https://jour.example/feed",), review=("film",))


def lines(*texts: str) -> tuple[Query, ...]:
    """Return query lines as feeds.toml would hold them."""
    return tuple(map(compile_line, texts))


FILM = Topic(
    "film",
    "Le film",
    match=lines("travailleurs du clic"),
    review=lines("petites mains"),
    never=lines("masiero"),
)


def entry(title: str, content: str) -> Entry:
    """Return an entry whose article is `content`."""
    return Entry(1, "a", "https://jour.example/a", title, "", 0, content=content)


def told(mentions: tuple[Mention, ...]) -> tuple[str, str, str]:
    """Return verdict, rule and column of the only mention; "" for none."""
    if not mentions:
        return "", "", ""
    (mention,) = mentions
    return str(mention.verdict), mention.rule, mention.column


@pytest.mark.parametrize(
    ("title", "content", "whole", "part"),
    [
        (
            "Les petites mains",
            "Des travailleurs du clic.",
            ("certain", "match", "article"),
            ("doubtful", "review", "title"),
        ),
        (
            "Les petites mains",
            "De la couture.",
            ("suppressed", "review", "title"),
            ("doubtful", "review", "title"),
        ),
        (
            "Masiero et les travailleurs du clic",
            "Un film.",
            ("certain", "match", "title"),
            ("doubtful", "match", "title"),
        ),
        (
            "Masiero et les petites mains",
            "Un film.",
            ("suppressed", "never", "title"),
            ("suppressed", "never", "title"),
        ),
        (
            "Masiero",
            "Des travailleurs du clic.",
            ("certain", "match", "article"),
            ("doubtful", "match", "article"),
        ),
        (
            "Une enquête",
            "Des travailleurs du clic.",
            ("certain", "match", "article"),
            ("certain", "match", "article"),
        ),
        ("Une enquête", "Des petites mains.", ("", "", ""), ("", "", "")),
    ],
)
def test_the_verdict_on_an_article(
    title: str,
    content: str,
    whole: tuple[str, str, str],
    part: tuple[str, str, str],
) -> None:
    """Read in full it leaves no doubt; read in part it leaves the doubt of the feed."""
    read = entry(title, content)

    assert told(weigh([read], [FILM], OUTLET, whole=True)) == whole
    assert told(weigh([read], [FILM], OUTLET, whole=False)) == part


def test_an_outlet_under_review_is_settled_too() -> None:
    """Its entries wait for the article, and are set aside where nothing matches."""
    read = entry("La météo", "Du soleil.")

    assert told(match([read], [FILM], REVIEWING)) == ("doubtful", "review", "")
    assert told(weigh([read], [FILM], REVIEWING, whole=True)) == (
        "suppressed",
        "review",
        "",
    )
