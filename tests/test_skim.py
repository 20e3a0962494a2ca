"""Skimming: whatever is skimmed is what feedparser reads, or it is left to feedparser.

The documents of `feeds` and of the corpus, and random ones of what real feeds hold.
"""

from __future__ import annotations

import time
from dataclasses import fields, replace
from pathlib import Path

import pytest
from feedparser.datetimes import _parse_date
from hypothesis import given, settings
from hypothesis import strategies as st
from needs import shared
from random_feeds import DECLARED, documents

from aggregator import parse
from aggregator.model import Document, Fetched, ParseError
from aggregator.parse import Reading, confirmed, dates, judged, markup
from aggregator.parse.skim import skim

URL = "https://outlet.example/fil/feed"
SKIMMED = 0.88  # of the documents of the corpus, at least
FEEDS = sorted((Path(__file__).parent / "feeds").glob("*.xml"))


def read(body: bytes, **options) -> Reading:
    """Read a body as if it had come from URL, as that of a search."""
    return parse.read(Fetched(URL, 200, body, **options), URL, 2000, "search")


def differences(reading: Reading) -> list[str]:
    """Return where what was skimmed of a document is not what feedparser reads."""
    ours, theirs = reading.document, judged(reading)
    if ours == theirs:
        return []
    found = [
        f"{field.name}: {getattr(ours, field.name)!r}, {getattr(theirs, field.name)!r}"
        for field in fields(Document)
        if field.name != "entries"
        and getattr(ours, field.name) != getattr(theirs, field.name)
    ]
    pairs = zip(ours.entries, theirs.entries, strict=False)
    found += [f"{one}, {other}" for one, other in pairs if one != other]
    return found or [f"{len(ours.entries)} entries, not {len(theirs.entries)}"]


# ── real feeds ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", FEEDS, ids=lambda path: path.stem)
def test_a_document_of_ours_is_skimmed_as_feedparser_reads_it(path):
    """Each document of tests/feeds gives the same in every field, or is not skimmed."""
    try:
        reading = read(path.read_bytes())
    except ParseError:
        return

    assert differences(reading) == []


def test_real_feeds_are_skimmed_as_feedparser_reads_them():
    """So does each of the corpus; most of them are skimmed."""
    paths = sorted(shared("corpus/feeds/dev").glob("*.xml"))
    wrong, skimmed = [], 0
    for path in paths:
        reading = read(path.read_bytes())
        wrong += [f"{path.name}: {what}" for what in differences(reading)]
        skimmed += reading.source is not None

    assert wrong == []
    assert skimmed >= SKIMMED * len(paths)


# ── random feeds ──────────────────────────────────────────────────────────────────────


@settings(max_examples=300, deadline=None)
@given(documents())
def test_a_random_feed_is_skimmed_as_feedparser_reads_it(body):
    """Whatever a well-formed feed holds gives the same in every field."""
    assert differences(read(body)) == []


@pytest.mark.parametrize(
    "item",
    [
        "<title>a</title><title/><media:title>b</title>",
        "<media:group><media:title>b</media:title></media:group><title>a</title>",
        "<source url='/s'>Slate</source><media:title>b</media:title>",
        "<itunes:summary>s</itunes:summary><description>d</description>",
        "<content:encoded>c</content:encoded><description>d</description>",
        "<description>d</description><media:description>m</media:description>",
        "<link/><guid>https://outlet.example/1</guid>",
        "<guid>https://outlet.example/1</guid><atom:link href='/2'/>",
        "<author>a@b.example (Ana)</author>",
        "<author><name>Ana</name><email>a@b.example</email></author>",
        "<dc:creator>Ana</dc:creator><itunes:author>Bo</itunes:author>",
        "<title>&lt;b&gt;x&lt;/b&gt;</title><pubDate>2026-11-23</pubDate>",
        "<title>L&#8217;\u00c3\u00a9t\u00e9 \u0092</title>",
    ],
)
def test_habits_of_feedparser_are_kept(item):
    """Which of several texts, links and authors counts is decided as it decides it."""
    head = "<itunes:summary>s</itunes:summary><description>d</description>"
    body = f"<rss{DECLARED}><channel>{head}<item>{item}</item></channel></rss>"

    assert differences(read(body.encode())) == []


ATOM = "http://www.w3.org/2005/Atom"
DC = "http://purl.org/dc/elements/1.1/"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
PEOPLE = "<author><name>Ana</name>{}</author><author><name>Bo</name></author>"


@pytest.mark.parametrize(
    "odd",
    [
        "<rss xmlns:a='urn:1 urn:2'><channel/></rss>",
        "<rss xmlns:a='urn:1'><channel><item xmlns:a='urn:2'/></channel></rss>",
        "<rss xmlns:a='urn:1' xmlns:b='urn:1'><channel><a:x/></channel></rss>",
        f"<rss xmlns:dc='{ATOM}' xmlns:d='{DC}'><channel/></rss>",
        "<rss xmlns:x='http://www.w3.org/1999/xlink'><channel/></rss>",
        "<rss><channel/><channel/></rss>",
        "<rss xml:base='urn:x'><channel/></rss>",
        "<rss><channel lastmod='2026-11-23'/></rss>",
        "<rss><channel><date>2026-11-23</date></channel></rss>",
        "<rss><channel><body/></channel></rss>",
        "<rss><channel><item>&nbsp;<b></item></channel></rss>",
        "<!DOCTYPE rss><rss><channel/></rss>",
        "<feed/>",
        "<feed xmlns='http://purl.org/atom/ns#' version='0.3'/>",
        f"<r:RDF xmlns='http://purl.org/rss/1.0/' xmlns:r='{RDF}'><item/></r:RDF>",
    ],
)
def test_an_odd_document_is_left_to_feedparser(odd):
    """At anything in it of which it is not certain, skimming gives up."""
    assert skim(odd.encode(), URL, "") is None


@pytest.mark.parametrize(
    "odd",
    [
        "<title type='odd'>a</title>",
        "<title a='1' A='2'>a</title>",
        "<title x:type='html'>a</title>",
        "<title>a<b>c</b></title>",
        "<link url='/a'/>",
        "<guid xml:base='/b/'>a</guid>",
        "<x:box><title>a</title></x:box>",
        "<category><a/></category>",
        "<pubDate>demain</pubDate>",
        "<feedburner:origLink a='b'>/a</feedburner:origLink>",
        "<author>a@b.example</author><author>c</author>",
        "<author>Ana<name>Bo</name></author>",
        "<author><name>Bo</name>Ana</author>",
        "<author><name>Bo</name><title>a</title></author>",
        PEOPLE.format("<email>a@b.example</email>"),
        f"<author>Cy</author>{PEOPLE.format('')}",
    ],
)
def test_an_odd_entry_is_left_to_feedparser(odd):
    """At anything in an entry of which it is not certain, skimming gives up."""
    body = f"<rss{DECLARED}><channel><item>{odd}</item></channel></rss>"

    assert skim(body.encode(), URL, "") is None


def test_a_malformed_document_is_skimmed_once_mended():
    """Bare ampersands and entities of HTML cost no feed its skimming."""
    body = "<rss><channel><item><title>R&D, l’été&nbsp;!</title></item></channel></rss>"
    found = skim(body.encode(), URL, "")

    assert found is not None
    assert found.entries[0]["title"] == "R&D, l’été\u00a0!"
    assert differences(read(body.encode())) == []


# ── dates ─────────────────────────────────────────────────────────────────────────────


@given(
    st.sampled_from([1, 75, 89, 90, 1989, 1990, 2024, 2026, 9999]),
    st.tuples(*(st.integers(0, most) for most in (13, 32, 25, 61, 61))),
    st.sampled_from(
        [
            "{0:04}-{1:02}-{2:02}",
            "{0:04}-{1:02}-{2:02}T{3:02}:{4:02}",
            "{0:04}-{1:02}-{2:02}T{3:02}:{4:02}:{5:02}",
            "{0:04}-{1:02}-{2:02} {3:02}:{4:02}:{5:02}.25",
            "Mon, {2:02} {6} {0:04} {3:02}:{4:02}:{5:02} ",
            "{2} {6} {0:02} {3:02}:{4:02} ",
        ]
    ),
    st.sampled_from("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()),
    st.sampled_from(["", "Z", "GMT", "EST", "PDT", "+01:00", "-0530", "+0200"]),
)
@settings(max_examples=300, deadline=None)
def test_a_usual_date_is_the_one_that_feedparser_reads(year, others, form, month, zone):
    """The two usual dialects mean the moment that feedparser and our rules find."""
    text = form.format(year, *others, month) + zone
    parsed = _parse_date(text)
    odd = f"{text.lower()} "  # as no usual one is written

    assert dates.usual(odd) is None
    if dates.usual(text):
        assert dates.of_feed(text, None) == dates.of_feed(odd, parsed)


# ── what feedparser says of it ────────────────────────────────────────────────────────

TWO = b"""<rss version='2.0'><channel><title>Fil</title><language>fr</language>
<item><title>un</title><guid>urn:1</guid><description>&lt;item></description></item>
<!-- <item> --><item><title>deux</title><guid>urn:2</guid></item><ttl>60</ttl>
</channel></rss>"""


def test_what_feedparser_confirms_stays_as_it_was_skimmed():
    """Asked for any entry, feedparser reads it so, and the document is the same."""
    reading = read(TWO)
    ids = [entry.id for entry in reading.document.entries]

    assert reading.source is not None
    for asked in ([], ids[:1], ids[1:], ids, [1]):
        assert confirmed(reading, asked) is reading.document


def test_feedparser_has_the_last_word():
    """What it reads otherwise, or what cannot be shown to it alone, it reads anew."""
    reading = read(TWO)
    ids = [entry.id for entry in reading.document.entries]
    other = replace(
        reading, items=(replace(reading.items[0], title="x"), reading.items[1])
    )
    apart = replace(reading, items=reading.items[:1])

    assert confirmed(other, ids[1:]) is reading.document
    assert confirmed(other, ids[:1]) == reading.document
    assert confirmed(other, ids[:1]) is not reading.document
    assert confirmed(apart, ids[:1]) == reading.document
    assert confirmed(apart, ids[:1]) is not reading.document


def test_what_feedparser_has_read_needs_no_other_word():
    """A document that was not skimmed is confirmed without reading it again."""
    reading = read(
        b"<rss><channel><item><title>a</title><body/></item></channel></rss>"
    )
    ids = [entry.id for entry in reading.document.entries]

    assert reading.source is None
    assert confirmed(reading, ids) is judged(reading) is reading.document


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (b"<r><item>a</item>-<item>b</item></r>", b"<r><item>b</item></r>"),
        (b"<r><a:entry >a</a:entry ><entry>b</entry></r>", b"<r><entry>b</entry></r>"),
        (b"<r><item><![CDATA[</item><item>]]></item><item>b</item></r>",
         b"<r><item>b</item></r>"),
        (b"<r><item/><item>b</item></r>", b""),
        (b"<r><item><item>a</item></item><item>b</item></r>", b""),
        (b"<r><item>a</item></r>", b""),
    ],
)  # fmt: skip
def test_entries_are_cut_out_of_a_feed(text, wanted):
    """Only the entry asked for is left of two, or nothing where that is not certain."""
    assert markup.only(text, [1], 2) == wanted


# ── hostile ───────────────────────────────────────────────────────────────────────────


ONE = "<item><title>a</title></item>"
MANY = "".join(f" a{n}='x'" for n in range(20_000))
MEDIA = "media:group"


@pytest.mark.parametrize(
    "inside",
    [
        ONE.replace("</i", "<x>" * 5000 + "</x>" * 5000 + "</i"),
        ONE.replace("</i", f"<{MEDIA}>" * 50 + f"</{MEDIA}>" * 50 + "</i"),
        ONE.replace("<item", f"<item{MANY}"),
        ONE + "<a/>" * 50_000,
        f"{ONE}{'xmlns:' * 50_000}<a>xmlns = {' ' * 50_000}</a>",
    ],
    ids=["deep", "media", "attributes", "elements", "namespaces"],
)
def test_no_document_is_too_much_to_be_skimmed(inside):
    """What is deep, wide or long is skimmed at once, or left to feedparser at once."""
    body = f"<rss{DECLARED}><channel>{inside}</channel></rss>".encode()
    began = time.process_time()
    found = skim(body, URL, "")

    assert time.process_time() - began < 1
    assert found is None or [entry["title"] for entry in found.entries] == ["a"]
