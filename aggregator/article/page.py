"""A page as an article: its text, and what it says of itself."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from lxml import etree

from aggregator import sandbox, spool, urls
from aggregator.article.obstacles import obstacle
from aggregator.model import Article, Fetched, Obstacle, ParseError
from aggregator.parse import charset, fields

_PAGES: Final = frozenset({"", "text/html", "application/xhtml+xml"})
_MOST: Final = 600_000  # bytes of a lean page that are read; trees take much memory
_TAG: Final = 300  # bytes in which a script says what it is
_OPENING: Final = re.compile(rb"<(?:(!--)|(script|style|svg)(?=[\s/>]))", re.IGNORECASE)
_CLOSING: Final = {
    b"!--": re.compile(rb"-->"),
    **{
        name: re.compile(rb"</" + name + rb"[^>]{0,50}>", re.IGNORECASE)
        for name in (b"script", b"style", b"svg")
    },
}
_DATE: Final = "%Y-%m-%dT%H:%M:%S%z"
_NOON: Final = timedelta(hours=12)  # stands for a day without an hour, as in `curation`
_NAME: Final = 200  # characters of an author that are read
_SAID: Final = 2000  # of a title or a summary
_MAIL: Final = re.compile(r"\S{1,100}@\S{1,100}")
# Hosts that keep copies of other sites' AMP pages; only those may name another site.
_CACHES: Final = ("cdn.ampproject.org", "bing-amp.com")


def read(fetched: Fetched, now: datetime) -> Article:
    """Return what an article page says.

    Of a consent wall nothing is kept. now: no article is younger.

    Raises ParseError for what is no web page, or cannot be read as one.
    """
    kind = fetched.content_type.partition(";")[0].strip().lower()
    if kind not in _PAGES:
        raise ParseError(f"not a web page but {kind[:60]}")
    try:
        return _article(_tree(fetched), fetched.url, now)
    except (ParseError, MemoryError):
        raise
    except etree.XPathEvalError as exc:
        raise MemoryError from exc  # libxml2's: the expressions are known to be sound
    except Exception as exc:  # trafilatura and its helpers meet the whole web
        raise ParseError(f"trafilatura cannot read it: {type(exc).__name__}") from exc


def _tree(fetched: Fetched) -> Any:  # noqa: ANN401 - untyped library
    """Return a page as lxml's tree, without most of what nobody reads."""
    with sandbox.loading():
        from trafilatura import load_html  # noqa: PLC0415 -- see the package

    for name in ("courlan", "htmldate", "trafilatura"):
        logging.getLogger(name).addHandler(logging.NullHandler())
    body = charset.of_page(spool.read(fetched), fetched.content_type)
    lean = b"".join(_lean(body))[:_MOST]
    tree = load_html(lean.decode("utf-8", "replace"))
    if tree is None:
        raise ParseError("not a web page")
    return tree


def _lean(body: bytes) -> Iterator[bytes]:
    """Yield a page without comments, styles, drawings and scripts but for JSON-LD.

    They are most of a page, and lxml would take ten times their size. Every search goes
    on from the last, so that a million openings cost one pass.
    """
    start = 0
    while opening := _OPENING.search(body, start):
        yield body[start : opening.start()]
        name = (opening[1] or opening[2]).lower()
        closing = _CLOSING[name].search(body, opening.end())
        if closing is None:
            return
        start = closing.end()
        if b"ld+json" in body[opening.end() : opening.end() + _TAG].partition(b">")[0]:
            yield body[opening.start() : start]
    yield body[start:]


def _article(tree: Any, url: str, now: datetime) -> Article:  # noqa: ANN401
    from trafilatura import bare_extraction, extract_metadata  # noqa: PLC0415

    found = bare_extraction(
        tree,
        url=url,
        include_comments=False,  # what readers say below is not the article
        prune_xpath="//h1",  # nor is its title, which feeds carry
    )
    words = getattr(found, "text", None) or ""
    text = fields.text(words, markup=False)
    hindered = obstacle(tree, text, max(len(text), _length(tree, words)))
    said = extract_metadata(
        tree,
        default_url=url,
        date_config={
            "original_date": True,
            "extensive_search": False,  # a guess is no date
            "max_date": now,
            "outputformat": _DATE,
        },
    )
    return Article(
        text="" if hindered == "consent" else text,
        obstacle=hindered,
        canonical="" if hindered == "consent" else _canonical(tree, url, hindered),
        author=_author(said.author),
        published_at=_date(said.date),
        title=_words(said.title),
        outlet=_words(said.sitename),
        summary=_words(said.description),
    )


def _length(tree: Any, words: str) -> int:  # noqa: ANN401 - as above
    """Return how many characters a text has on the page.

    trafilatura keeps one of several equal paragraphs: a refrain, a question put again.
    """
    often = Counter(" ".join(p.text_content().split()) for p in tree.iterfind(".//p"))
    lines = (" ".join(line.split()) for line in words.splitlines())
    return sum(len(line) * max(1, often[line]) for line in lines)


def _canonical(tree: Any, url: str, hindered: Obstacle) -> str:  # noqa: ANN401
    """Return the key of the address that a page gives itself, "" for none to believe.

    A page may name another of its own site; whoever names another site would have its
    article joined with that one's; a home page is what careless sites name on all.
    Where a page names none, it is where redirects led, if an article stands there.
    """
    links = tree.iterfind('.//link[@rel="canonical"]')
    named = next((link.get("href") for link in links if link.get("href")), "")
    own = fields.link(named, url)
    if own and (_cache(url) or urls.site(own) == urls.site(url)):
        return "" if urls.home(own) else urls.canonical(own)
    return "" if hindered else urls.canonical(url)


def _cache(url: str) -> bool:
    name = urls.host(url)
    return name.endswith(_CACHES) or (
        urls.site(url).startswith("google.") and urlsplit(url).path.startswith("/amp/")
    )


def _words(said: str | None) -> str:
    return fields.text((said or "")[:_SAID], markup=False)


def _author(named: str | None) -> str:
    words = _MAIL.sub("", fields.text((named or "")[:_NAME], markup=False))
    return ", ".join(name.strip() for name in words.split(";") if name.strip())


def _date(written: str | None) -> datetime | None:
    """Return an instant in UTC; of a day alone its noon."""
    try:
        at = datetime.fromisoformat(written or "")
    except ValueError:
        return None
    if at.tzinfo is None:
        midnight = (at.hour, at.minute, at.second) == (0, 0, 0)
        at = (at + _NOON if midnight else at).replace(tzinfo=UTC)
    return at.astimezone(UTC)
