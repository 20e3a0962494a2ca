"""What must hold whatever others send: a law for each stage, and what to try it on.

A law takes bytes, so that whatever breaks one is a file (`tests/cases/STAGE/…`), and
raises when it does not hold. `fuzz.py` looks for such bytes, `tests/test_cases.py`
tries those that were found.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "tests"
sys.path.append(str(TESTS))  # the suite says what is well already

from publish_cases import published  # noqa: E402
from random_feeds import documents  # noqa: E402
from test_publish_hostile import TEXTS, URLS, harm, hostile  # noqa: E402
from test_query import PIECES  # noqa: E402
from test_skim import differences  # noqa: E402

from aggregator import article, config, curation, parse, robots, text, urls  # noqa: E402
from aggregator.config.tables import Problems  # noqa: E402
from aggregator.exchange import rows, sheet, subscriptions  # noqa: E402
from aggregator.exchange.archive import Archive  # noqa: E402
from aggregator.fetch import headers  # noqa: E402
from aggregator.fts import Index  # noqa: E402
from aggregator.match import proofs  # noqa: E402
from aggregator.model import (  # noqa: E402
    ConfigError,
    Document,
    Fetched,
    ParseError,
    QueryError,
    Topic,
)
from aggregator.parse import dates  # noqa: E402
from aggregator.query import compile_line, reads_articles, terms  # noqa: E402
from aggregator.why import nearest  # noqa: E402

NOW: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
URL: Final = "https://outlet.example/fil/feed"
MOST: Final = 50  # entries of a document
FILM: Final = (Topic("film", "Film"),)
LONGEST_LINE: Final = 500  # characters of what is said of a wrong line
# Controls that no plain text holds, marks of matched words, halves of characters.
STEERING: Final = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")


Seeds = tuple[bytes, ...]


@dataclass(frozen=True)
class Law:
    """What must hold of any bytes.

    inputs: those worth trying, made of seeds. seeds: of our own. real: which files of
    the corpus of real feeds are seeds too, "" = none.
    """

    holds: Callable[[bytes], None]
    inputs: Callable[[Seeds], st.SearchStrategy[bytes]]
    seeds: Seeds
    real: str = ""


def words(data: bytes) -> str:
    """Return bytes as a text; any text at all, broken characters included."""
    return data.decode("utf-8", "surrogateescape")


def coded(words: str) -> bytes:
    """Return the bytes of a text, also of one with half characters."""
    return words.encode("utf-8", "surrogatepass")


# ── documents ─────────────────────────────────────────────────────────────────────────


def reads(body: bytes) -> None:
    """Hold that a body is a document that keeps its promises, or a ParseError."""
    try:
        document = parse.parse(Fetched(URL, 200, body), URL, MOST, "search")
    except ParseError as error:
        one_line(str(error))
    else:
        promised(document)


def one_line(said: str) -> None:
    """Hold that a reason is a line that somebody may read."""
    assert "\n" not in said
    assert len(said) <= LONGEST_LINE, len(said)


def promised(document: Document) -> None:
    """Hold that entries are told apart, lead into the web and are plain text in UTC."""
    entries = document.entries
    assert len(entries) <= MOST
    assert len({entry.id for entry in entries}) == len(entries)
    shown = [document.title, document.generator]
    for entry in entries:
        assert not entry.url or urls.web(entry.url), entry.url
        assert entry.url.isprintable(), entry.url
        for at in (entry.published_at, entry.updated_at):
            assert at is None or at.tzinfo is UTC
        shown += [entry.title, entry.summary, entry.content, entry.author, entry.outlet]
        entry.key.encode()
    for words in shown:
        assert not STEERING.search(words), words


def skims(body: bytes) -> None:
    """Hold that what is skimmed of a body is what feedparser reads in it."""
    with suppress(ParseError):
        reading = parse.read(Fetched(URL, 200, body), URL, MOST, "search")
        wrong = differences(reading)
        assert not wrong, wrong


def is_article(body: bytes) -> None:
    """Hold that a page is an article or a ParseError."""
    page = Fetched("https://a.example/b", 200, body, content_type="text/html")
    with suppress(ParseError):
        article.read(page, NOW)


# ── texts ─────────────────────────────────────────────────────────────────────────────


def folds(data: bytes) -> None:
    """Hold that folding is done once, and that its map says the same."""
    folded = text.fold(words(data))
    assert text.fold(folded) == folded
    mapped = text.fold_map(words(data))
    assert mapped.text == folded
    assert len(mapped.offsets) == len(folded) + 1
    assert list(mapped.offsets) == sorted(mapped.offsets)


def is_plain(data: bytes) -> None:
    """Hold that nothing that steers is left of markup, and that a cut is no longer."""
    plain = text.plain(words(data))
    assert not STEERING.search(plain)
    assert len(text.cut(plain, 20)) <= 20  # noqa: PLR2004
    assert len(text.snippet(plain, [(1, 3)] if len(plain) > 3 else [], 20)) <= 24  # noqa: PLR2004 - with two marks


def is_date(data: bytes) -> None:
    """Hold that a date is one in UTC, or none, in every header and element."""
    written = words(data)
    for read in (dates.of_text, dates.usual, headers.http_date):
        at = read(written)
        assert at is None or at.tzinfo is UTC, at
    dates.of_feed(written, None)
    headers.fresh_until(written, written, written, NOW)
    until = headers.retry_after(written, NOW)
    assert until is None or NOW < until <= NOW + headers.LONGEST_WAIT


def is_key(data: bytes) -> None:
    """Hold that keys of addresses are their own keys; and the same as it is written."""
    url = words(data)
    once = urls.canonical(url)
    assert urls.canonical(once) == once, once
    target = urls.unwrapped(url)
    assert urls.unwrapped(target) == target, target
    if urls.web(url):
        written = urls.written(url)
        assert urls.written(written) == written, written
        assert written.isascii()
        urls.home(url)
        urls.origin(url)
    for ask in (urls.host, urls.site, urls.opaque, urls.lobby):
        ask(url)
    urls.nowhere(url, once)


def is_query(data: bytes) -> None:
    """Hold that a line is refused in one line, or can be asked and taken apart."""
    line = words(data)
    try:
        query = compile_line(line)
    except QueryError as refused:
        one_line(str(refused))
        return
    rows = [(line, "", ""), ("un film", "des travailleurs du clic", line)]
    with Index(tuple(map(text.fold, row)) for row in rows) as index:
        found = index.find(query.expression)
    assert [place for place, its in enumerate(proofs(rows, query)) if its] == found
    reads_articles(query)
    terms(query)
    topic = Topic("film", "Film", match=(query,))
    near = nearest.nearest(rows[1], (topic,))
    assert (1 in found) == bool(nearest.hits(rows[1], (topic,)))
    assert near is None or near.words


# ── files ─────────────────────────────────────────────────────────────────────────────


def is_config(data: bytes) -> None:
    """Hold that a feeds.toml is read or refused in printable lines."""
    refused(lambda: config.advice(config.read_bytes(data, Path("feeds.toml"))))


def is_curation(data: bytes) -> None:
    """Hold that a curation.toml is read or refused in printable lines."""
    path = Path("curation.toml")
    refused(lambda: curation.read_bytes(data, path, FILM, "Europe/Paris"))


def refused(read: Callable[[], object]) -> None:
    """Hold that a reading ends well, or with problems that a terminal can show."""
    try:
        read()
    except ConfigError as error:
        printable(error.problems)


def printable(problems: Iterable[str]) -> None:
    """Hold that lines can be shown on a terminal."""
    for line in problems:
        assert line.isprintable(), line


def is_table(data: bytes) -> None:
    """Hold that a file to be imported is read, or told what is wrong with it."""
    problems = Problems()
    Archive("a", ("film",), NOW, problems).lines(data)
    subscriptions.read(data, "a", problems)
    for head in (b"", b"title,outlet,published,data\n"):
        table = sheet.read(head + data, "a", rows.COLUMNS, rows.REQUIRED, problems)
        restored = Archive("a", ("film",), NOW, problems)
        for row in table:
            if "data" in row.cells:
                restored.row(row)
    printable(problems.lines)


def is_robots(data: bytes) -> None:
    """Hold that a robots.txt allows or forbids, with a delay that is a number."""
    said = data.decode("utf-8", "replace")  # as `permit` does
    allowed, delay = robots.allows(said, "https://a.example/b")
    assert allowed in (True, False)
    assert 0 <= delay < float("inf")


def harmless(data: bytes) -> None:
    """Hold that no words of an outlet's, and no address, harm who reads our feeds."""
    title, _, url = words(data).partition("\n")
    found = [*harm(published(hostile(title, url)))]
    assert not found, found


# ── what to try ───────────────────────────────────────────────────────────────────────


def some(*pieces: str) -> Callable[[Seeds], st.SearchStrategy[bytes]]:
    """Have texts tried that are made of pieces, any text, and any bytes."""
    one = st.sampled_from(pieces) | st.text(max_size=6)
    made = st.lists(one, max_size=30).map("".join).map(coded)
    return lambda seeds: (
        made | st.sampled_from(seeds) | st.text().map(coded) | st.binary()
    )


@st.composite
def varied(draw: st.DrawFn, seeds: Seeds, pieces: Seeds) -> bytes:
    """Return a seed of which some bytes are changed, cut out, doubled or put in."""
    body = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(body)))
        gone = draw(st.sampled_from([0, 1, 3, 30, 300]))
        again = bytes(body[at : at + 40])
        body[at : at + gone] = draw(st.sampled_from([b"", again, b"\0", *pieces]))
    return bytes(body)


def damaged(*pieces: bytes) -> Callable[[Seeds], st.SearchStrategy[bytes]]:
    """Have seeds tried with some things wrong, and any bytes."""
    return lambda seeds: varied(seeds, pieces) | st.binary()


def feeds(seeds: Seeds) -> st.SearchStrategy[bytes]:
    """Have damaged feeds tried, random ones, and any bytes."""
    return documents() | damaged(*TAGS)(seeds)


def files(pattern: str) -> Seeds:
    """Return what is in files of tests/."""
    return tuple(path.read_bytes() for path in sorted(TESTS.glob(pattern)))


XML = files("feeds/*.xml")
JSON = (*files("feeds/*.json"), b"[]", b"{}")
NEWS = tuple(body for body in XML if b"<urlset" in body)
PAGES = files("pages/*.html")
TAGS = (
    b"<item>", b"</item>", b"<title>", b"]]>", b"<!--", b"&#0;", b"&#x1b;",
    b"<entry>", b"<link href='//a/b'/>", b"xml:base='http://[::1'", b"\xff", b"\x9b",
    b"<!DOCTYPE x [<!ENTITY x 'y'>]>", b"&x;", b"<guid>", b"</channel>", b" " * 3000,
    b"<![CDATA[",
)  # fmt: skip
QUERY = (*PIECES, "clic", "film ", "NEAR(a b, 9)", "*", "summary:", "article: ", "(")
ADDRESS = (
    *"/:?#[]@!$&'()*+,;=%. \t\\é", "http://", "https://", "www.", "m.", "e.fr", "/amp/",
    "utm_source=a", "url=https%3A%2F%2Fa.fr", "xn--", "%2F", "%", "google.com/url?q=",
    "127.0.0.1", "[::1]", ":80", "cdn.ampproject.org/c/s/", "feedproxy.google.com/~r/",
    "web.archive.org/web/2020/", "translate.goog", "\ud800", "ﬀ", "。", "\u202e",
)  # fmt: skip
DATE = (
    *"0123456789:-+/,. TZ", "lun", "lundi", "févr.", "Feb", "2026", "99", "GMT", "CEST",
    "max-age=", "no-cache", "1e9", "²", "٣", "-0000", "AM", "août", "Mon, 23 Nov 2026",
)  # fmt: skip
HTML = (
    "<", ">", "</", "<!--", "-->", "<b>", "<p ", "<script>", "</script>", "&", "&amp;",
    "&lt;", "&#", "&#x1b;", ";", "<![CDATA[", "]]>", "'", '"', "=", "\x1b[2J", "Ã©",
    "&amp;lt;b&amp;gt;", "·e·s", "(e)s", "\u202e", "œ", "­", "\x02", "\x03", "e\u0301",
)  # fmt: skip
TOML = (
    b"[site]\n", b"[[topics]]\n", b"[outlets]\n", b"[[decision]]\n", b"id=", b"url=",
    b"'https://a.fr/'\n", b"[", b"]", b"{", b"}", b"1e999", b"2020-02-30", b'"\\u001b"',
    b"action='add'\n", b"title='x'\n", b"match=['a']\n", b"= ", b"\n", b"inf", b"-1",
)  # fmt: skip
CURATED = b"".join(
    f"[[decision]]\naction = {action.value!r}\nurl = 'https://a.fr/1'\n".encode()
    for action in curation.ACTIONS
)
TABLE = (
    b"title,outlet,published,topics,url\nA,B,2020-02-14,film,https://a.fr/1\n",
    b"\xef\xbb\xbftitle;outlet;published\r\n=1+1;'@a;14/02/2020\r\n",
    b"<opml><body><outline text='A' xmlUrl='https://a.fr/f'/></body></opml>",
    json.dumps({"story": "abc234de", "state": "published", "title": "A"}).encode(),
    *(body for name, body in published().items() if name.startswith("stories.")),
)
ROBOTS = (b"User-agent: *\nDisallow: /\nCrawl-delay: 3\n", b"Allow: /a*$\n")
SHIPPED = ((ROOT / "feeds.toml").read_bytes(), (ROOT / "curation.toml").read_bytes())
HOSTILE = tuple(
    coded(f"{one[:300]}\n{url}") for one in TEXTS.values() for url in URLS[:2]
)

LAWS: Final = {
    "parse": Law(reads, feeds, XML, "*.xml"),
    "skim": Law(skims, feeds, XML, "*.xml"),
    "jsonfeed": Law(
        reads, damaged(b"null", b"{", b"[", b"1e999", b'"'), JSON, "*.json"
    ),
    "sitemap": Law(reads, damaged(*TAGS, b"<loc>", b"</url>"), NEWS),
    "article": Law(is_article, damaged(*TAGS), PAGES),
    "query": Law(is_query, some(*QUERY), (b"clic AND (a OR b*)", b"NEAR(a b, 3)")),
    "urls": Law(is_key, some(*ADDRESS), tuple(map(coded, URLS))),
    "fold": Law(folds, some(*HTML), ("livreur·euse·s œ".encode(),)),
    "markup": Law(is_plain, some(*HTML), tuple(map(coded, TEXTS.values()))),
    "dates": Law(is_date, some(*DATE), (b"Mon, 23 Nov 2026 10:30:00 +0100",)),
    "config": Law(is_config, damaged(*TOML), SHIPPED),
    "curation": Law(is_curation, damaged(*TOML), (CURATED,)),
    "tables": Law(is_table, damaged(b'"', b",", b"\n", b"\x81"), TABLE),
    "robots": Law(is_robots, damaged(b"*", b"$", b"%", b"\xff"), ROBOTS),
    "publish": Law(harmless, damaged(*TAGS), HOSTILE),
}
