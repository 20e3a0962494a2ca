"""`parse` on cases of ours (tests/feeds), on real feeds, and on anything at all."""

from __future__ import annotations

import errno
import gzip
import json
import time
import tomllib
import tracemalloc
from datetime import UTC, datetime, timedelta
from html import escape
from io import BytesIO
from pathlib import Path

import feedparser
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from needs import shared

from aggregator import identity
from aggregator.model import Document, Feed, Fetched, Outlet, ParseError, Rest
from aggregator.parse import (
    charset,
    dates,
    discovery,
    fields,
    ladder,
    parse,
    past,
    rest,
)
from aggregator.parse.ladder import Item
from aggregator.urls import canonical

FEEDS = Path(__file__).parent / "feeds"
CASES = sorted(path for path in FEEDS.iterdir() if path.suffix != ".toml")
URL = "https://outlet.example/feed"


def read(body: bytes, most: int = 2000, **options) -> Document:
    """Parse a body as if it had come from URL."""
    return parse(Fetched(URL, 200, body, **options), URL, most)


def rss(items: str, head: str = "") -> bytes:
    """Return an RSS document around some items."""
    return f"<rss version='2.0'><channel>{head}{items}</channel></rss>".encode()


def test_a_feed_says_where_its_older_entries_are() -> None:
    """The archive before it, else the next page; nothing newer, nothing elsewhere."""
    atom = "xmlns='http://www.w3.org/2005/Atom'"

    def older(*links: str, entry: str = "") -> str:
        head = "".join(f"<link rel='{rel}' href='/{rel}'/>" for rel in links)
        text = f"<feed {atom}><id>a</id>{head}<entry><id>b</id>{entry}</entry></feed>"
        return read(text.encode()).older

    assert older("next", "prev-archive") == "https://outlet.example/prev-archive"
    assert older("self", "next") == "https://outlet.example/next"
    assert older("next-archive", "current", "previous") == ""
    assert older(entry="<link rel='next' href='/b'/>") == ""
    channel = "<a:link xmlns:a='http://www.w3.org/2005/Atom' rel='next' href='/2'/>"
    made = "<generator>https://wordpress.org/?v=6.4</generator>"
    page = read(rss("<item><title>a</title></item>", channel + made))
    assert page.older == "https://outlet.example/2"
    assert "wordpress" in page.generator
    json_feed = b'{"version": "x", "items": [], "next_url": "/3"}'
    assert read(json_feed).older == "https://outlet.example/3"


# ── cases ─────────────────────────────────────────────────────────────────────────────


def test_every_case_is_complete():
    """Each document has its expectations beside it, and each expectation a document."""
    documents = {path.stem for path in CASES}

    assert documents == {path.stem for path in FEEDS.glob("*.toml")}
    assert len(documents) >= 15


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_a_document_is_read_as_its_toml_says(case):
    """Each tests/feeds/NAME yields what NAME.toml lists, or fails as it says."""
    wanted = tomllib.loads(case.with_suffix(".toml").read_text())
    fetched = Fetched(
        wanted.pop("url", URL),
        200,
        case.read_bytes(),
        content_type=wanted.pop("content_type", ""),
    )
    kind = wanted.pop("kind", "feed")
    if "error" in wanted:
        with pytest.raises(ParseError) as caught:
            parse(fetched, URL, 100, kind)

        assert str(caught.value) == wanted["error"]
        return
    document = parse(fetched, URL, 100, kind)
    if "ttl" in wanted:
        wanted["rest"] = Rest(timedelta(minutes=wanted.pop("ttl")))
    listed = wanted.pop("entries")
    found = [
        {
            name: getattr(entry, name) or ("none" if name.endswith("_at") else "")
            for name in names
        }
        for entry, names in zip(document.entries, listed, strict=True)
    ]

    assert found == listed
    assert {name: getattr(document, name) for name in wanted} == wanted


# ── rules ─────────────────────────────────────────────────────────────────────────────


def test_long_texts_become_content_and_leave_a_head():
    """Over 1,500 characters a summary is the article; its head stays as summary."""
    entry = read(
        rss(f"<item><description>{'mot ' * 500}</description></item>")
    ).entries[0]

    assert entry.content == ("mot " * 500).strip()
    assert 500 < len(entry.summary) <= 600
    assert entry.summary.endswith("mot…")


def test_fields_are_read_to_a_limit():
    """Nothing of a field beyond 65,536 characters is kept."""
    entry = read(rss(f"<item><title>{'x' * 100_000}</title></item>")).entries[0]

    assert entry.title == "x" * fields.LONGEST


def test_only_as_many_entries_as_allowed_are_read():
    """Entries beyond the limit are cut before feedparser sees them; order is kept."""
    items = "".join(f"<item><title>{n}</title></item>" for n in range(50))
    document = read(rss(items, "<title>Fil</title>"), 10)

    assert [entry.title for entry in document.entries] == [str(n) for n in range(10)]
    assert (document.title, document.complete) == ("Fil", True)


@pytest.mark.parametrize(
    "body",
    [
        b"<?xml version='1.0'?>"
        + b"\n" * 400_000
        + rss("<item><title>a</title></item>"),
        b"\n" * 400_000 + rss("<item><title>a</title></item>"),
        rss(f"<item><title>a</title><author>{'.' * 500_000}</author></item>"),
        rss("<item><title>a</title></item>" + "<item></item>" * 50_000),
    ],
)
def test_known_quadratic_documents_are_read_at_once(body):
    """Blanks before the root, endless names and endless lists cost no minutes."""
    began = time.process_time()
    document = read(body, 100)

    assert document.entries[0].title == "a"
    assert time.process_time() - began < 2


def long_items(count: int, text: str = "") -> list[str]:
    """Return items that make a long document together."""
    return [
        f"<item><title>{n}</title><link>/{n}</link><description><![CDATA[{text}<p>"
        f"{'mot ' * 1000}</p>]]></description></item>"
        for n in range(count)
    ]


@pytest.mark.parametrize("text", ["", "</item> <item>", "é <!--", "\U0001f916"])
@pytest.mark.parametrize("between", ["", "\n  ", "<!-- </item><item> -->"])
def test_a_long_feed_is_read_as_a_short_one(text, between):
    """What is read in parts has the same entries in the same order, and one head."""
    items = long_items(200, text)
    short = [read(rss(item)).entries[0] for item in items]
    body = rss(between.join(items) + "<title>Fil</title>", "<language>fr</language>")
    document = read(body)

    assert len(body) > 3 * 2**18
    assert document.entries == tuple(short)
    assert (document.title, document.language, document.complete) == ("Fil", "fr", True)


def test_a_long_feed_cut_short_gives_what_came():
    """The entries before the end are read, and the document is not complete."""
    body = rss("".join(long_items(200)))[:-4000]
    document = read(body)

    assert [entry.title for entry in document.entries] == [str(n) for n in range(200)]
    assert not document.complete


@pytest.mark.parametrize(
    "long",
    [
        "<p>" + "é" * 100_000 + "</p>",
        "<img src='data:image/png;base64," + "A" * 100_000 + "'> après",
        "a > b " * 30_000,
    ],
)
@pytest.mark.parametrize("form", ["<![CDATA[{}]]>", "{}"])
def test_a_long_field_is_cut_before_it_is_read(long, form):
    """What is beyond the limit of a field is gone; its entry and the others are not."""
    plain = long if form == "<![CDATA[{}]]>" else escape(long)
    item = f"<item><title>a</title><description>{form.format(plain)}</description>"
    document = read(
        rss(f"{item}<guid>urn:1</guid></item><item><guid>urn:2</guid></item>")
    )
    first, second = document.entries

    assert (first.key, first.title, second.key) == ("urn:1", "a", "urn:2")
    assert "base64" not in first.summary + first.content
    assert len(first.content) <= fields.LONGEST
    assert document.complete


def test_entities_made_of_others_are_not():
    """Ten lines that would be ten billion words cost nothing; plain ones are read."""
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 11))
    prolog = f'<!DOCTYPE rss [<!ENTITY l0 "ha"><!ENTITY e "&#233;">{laughs}]>'.encode()
    item = "<item><title>t&e;&l10;</title><guid>urn:1</guid></item>"
    document = read(prolog + rss(item))

    assert document.entries[0].key == "urn:1"
    assert len(document.entries[0].title) < 20


@pytest.mark.parametrize(
    "value", ["SYSTEM 'file:///etc/passwd'", "SYSTEM 'http://127.0.0.1/'", "'ha'"]
)
def test_a_sitemap_resolves_no_entity(value):
    """Neither one that names a file or an address, nor one that is made of others."""
    said = f"<!DOCTYPE urlset [<!ENTITY x {value}>]><urlset><url><loc>{URL}</loc>"
    document = read(f"{said}<title>Un titre &x;</title></url></urlset>".encode())

    assert [entry.title for entry in document.entries] == ["Un titre"]


def test_a_packed_bomb_grows_to_a_limit():
    """Of a gzip file that holds 60 MB, 30 MB are unpacked and the rest is not."""
    bomb = gzip.compress(b" " * 60_000_000, 1)
    tracemalloc.start()
    with pytest.raises(ParseError):
        past(Fetched(URL, 200, bomb), Feed(URL, Outlet("Jour", ())), 0, 50)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 110_000_000


def test_an_endless_prolog_is_read_at_once():
    """Whatever stands before the root, looking for entities in it takes no time."""
    for text in ('<!ENTITY a "' + "&a" * 200_000, "<!ENTITY" * 50_000, "&" * 400_000):
        began = time.process_time()
        with pytest.raises(ParseError):
            read(f"<!DOCTYPE rss [{text}".encode())

        assert time.process_time() - began < 2


def test_a_body_that_broke_off_is_not_complete():
    """What `fetch` saw cut short stays incomplete, whatever the XML looks like."""
    assert read(rss("<item><title>a</title></item>")).complete
    assert not read(rss("<item><title>a</title></item>"), complete=False).complete


def test_content_location_counts_on_its_own_host_only():
    """Relative links go by Content-Location unless a cache wrote its own there."""
    body = rss("<item><link>a</link></item>")
    near = read(body, content_location="/fil/rss")
    far = read(body, content_location="http://10.0.0.1/fil/rss")

    assert near.entries[0].url == "https://outlet.example/fil/a"
    assert far.entries[0].url == "https://outlet.example/a"


@pytest.mark.parametrize("odd", ["\u202e", "\x9b", "\u2028", "\ue000"])
def test_no_address_steers_what_shows_it(odd):
    """What turns a line about, or steers a terminal, is escaped; it leads as before."""
    url = fields.link(f"/a{odd}b", URL)

    assert url.startswith("https://outlet.example/a%")
    assert url.isprintable()
    assert fields.link(url, URL) == url
    assert canonical(url) == canonical(f"https://outlet.example/a{odd}b")


def test_the_language_of_the_answer_counts_when_the_feed_names_none():
    """Content-Language is the last word on language."""
    body = rss("<item><title>a</title></item>")

    assert read(body, content_language="fr, en").language == "fr"
    assert read(b'{"items": []}', content_language="fr").language == "fr"


@pytest.mark.parametrize(
    ("said", "wanted"),
    [("fr", "fr"), ("en_GB", "en-GB"), (" zh-Hant-TW\n", "zh-Hant-TW"), ("fr/é", "")],
)
def test_a_language_is_one_that_atom_may_carry(said, wanted):
    """Tags are spelt as RFC 4287 wants them; what is none would break the feed."""
    item = "<item><title>a</title></item>"
    atom = (
        f"<feed xmlns='http://www.w3.org/2005/Atom'><title xml:lang='{said}'>f</title>"
    )
    atom += f"<entry><title xml:lang='{said}'>a</title></entry></feed>"
    news = "<urlset><url><title>a</title><language>{}</language></url></urlset>"
    items = [{"id": "1", "language": said}]

    assert read(rss(item, f"<language>{said}</language>")).language == wanted
    assert read(atom.encode()).entries[0].language == wanted
    assert read(json.dumps({"items": []} | {"language": said}).encode()).language == (
        wanted
    )
    assert read(json.dumps({"items": items}).encode()).entries[0].language == wanted
    assert read(news.format(said).encode()).language == wanted
    assert read(rss(item), content_language=said).language == wanted


SYNDICATED = (
    "<sy:updatePeriod xmlns:sy='http://purl.org/rss/1.0/modules/syndication/'>{}"
    "</sy:updatePeriod><sy:updateFrequency xmlns:sy="
    "'http://purl.org/rss/1.0/modules/syndication/'>{}</sy:updateFrequency>"
)


@pytest.mark.parametrize(
    ("head", "wanted"),
    [
        ("<ttl>60</ttl>", timedelta(hours=1)),
        ("<ttl>9999999999</ttl>", timedelta(days=7)),
        ("<ttl>soon</ttl>", None),
        ("<ttl>0</ttl>", None),
        (SYNDICATED.format("hourly", "2"), timedelta(minutes=30)),
        (SYNDICATED.format(" Daily ", "0"), timedelta(days=1)),
        (SYNDICATED.format("daily", "often"), timedelta(days=1)),
        (SYNDICATED.format("monthly", "1"), timedelta(days=7)),
        (SYNDICATED.format("whenever", "1"), None),
        ("<ttl>90</ttl>" + SYNDICATED.format("hourly", "1"), timedelta(minutes=90)),
    ],
)
def test_ttl_is_bounded(head, wanted):
    """A feed's wish for rest is read as minutes, at most seven days."""
    assert read(rss("", head)).rest.ttl == wanted


@pytest.mark.parametrize(
    ("head", "hours", "days"),
    [
        ("<skipHours><hour>0</hour>\n<hour> 23 </hour></skipHours>", {0, 23}, set()),
        ("<skipHours><hour>24</hour><hour>05</hour></skipHours>", {0, 5}, set()),
        ("<skipHours><hour>25</hour><hour>-1</hour><hour>?</hour>", set(), set()),
        ("<skipDays><day>Saturday</day><day>sunday</day></skipDays>", set(), {5, 6}),
        ("<skipDays><day>Mon</day><day>Samedi</day><day>1</day>", set(), {0}),
        (
            "<skipDays><day>Friday</day></skipDays><hour>3</hour><day>Sunday</day>",
            set(),
            {4},
        ),
        ("<!-- <skipHours><hour>4</hour></skipHours> -->", set(), set()),
        (
            "<description><![CDATA[<skipHours><hour>4</hour>]]></description>",
            set(),
            set(),
        ),
        ("<item><skipHours><hour>4</hour></skipHours></item>", set(), set()),
        ("<skipHours/><skipDays></skipDays>", set(), set()),
    ],
)
def test_skipped_hours_and_days_are_those_of_the_head(head, hours, days):
    """Hours from 0 to 23 and days from Monday, all of them, before the first item."""
    found = read(rss("<item><title>a</title></item>", head)).rest

    assert (found.hours, found.days) == (hours, days)


@given(st.lists(st.sampled_from(["<skiphours>", "<hour>", "1", "<day>", "<!--", " "])))
@example(["<skiphours>"] * 9000)
@example(["<!--"] * 20_000)
@example(["<skiphours>", "<hour>", *" " * 70_000])
@settings(deadline=timedelta(seconds=1))
def test_the_head_is_searched_in_no_time(words):
    """Whatever is there instead of skipped hours, it takes no time to see."""
    found = rest.read({}, "".join(words).encode())

    assert found.ttl is None
    assert found.hours <= {1, 11}


def test_the_page_of_an_entry_is_not_feedburners():
    """feedburner:origLink goes before the link, where it is a web address."""
    item = (
        "<item><link>https://feeds.example/~r/1</link>"
        "<feedburner:origLink>{}</feedburner:origLink></item>"
    )
    ns = "<rss xmlns:feedburner='http://rssnamespace.org/feedburner/ext/1.0'><channel>"

    def url(original: str) -> str:
        body = f"{ns}{item.format(original)}</channel></rss>"
        return read(body.encode()).entries[0].url

    assert url(" https://outlet.example/1 ") == "https://outlet.example/1"
    for none in ("", "/1", "javascript:alert(1)", "urn:1"):
        assert url(none) == "https://feeds.example/~r/1"


def test_ids_hang_on_the_feed_and_fingerprints_on_the_text():
    """The same guid is the same entry; a word more is a change, an update date none."""
    one = read(rss("<item><guid>urn:1</guid><title>a</title></item>")).entries[0]
    two = read(rss("<item><guid>urn:1</guid><title>b</title></item>")).entries[0]
    dated = "<item><guid>urn:1</guid><title>a</title><pubDate>{0}</pubDate>"
    dated += "<atom:updated xmlns:atom='http://www.w3.org/2005/Atom'>{1}</atom:updated></item>"
    first, second = (
        read(rss(dated.format("2026-11-23", f"2026-11-2{day}"))).entries[0]
        for day in (3, 4)
    )

    assert one.id == two.id == identity.number(URL, one.key)
    assert one.fingerprint != two.fingerprint
    assert first.updated_at != second.updated_at
    assert first.fingerprint == second.fingerprint


def test_a_published_date_is_never_taken_for_an_update():
    """The alias of feedparser from updated to published is not used."""
    entry = read(rss("<item><pubDate>2026-11-23</pubDate></item>")).entries[0]

    assert (entry.published_at, entry.updated_at) == (
        datetime(2026, 11, 23, tzinfo=UTC),
        None,
    )


ITEMS = st.builds(
    Item,
    guid=st.sampled_from(["", "g", "h", "title=t"]),
    url=st.sampled_from(["", "http://u/1", "http://u/2"]),
    title=st.sampled_from(["", "t", "u"]),
    summary=st.sampled_from(["", "s"]),
    published_at=st.sampled_from([None, datetime(2026, 1, 1, tzinfo=UTC)]),
)


@given(st.lists(ITEMS, max_size=20))
@example([Item("", "", "", "s"), Item("summary=s\nupdated=", "", "", "")])
def test_no_item_is_lost_and_none_doubled(items):
    """Items that differ get keys that differ, equal ones are one, order is kept."""
    entries = ladder.entries(URL, items)

    assert len({entry.id for entry in entries}) == len(entries) == len(set(items))
    assert [(e.url, e.title, e.summary, e.published_at) for e in entries] == [
        (i.url, i.title, i.summary, i.published_at) for i in dict.fromkeys(items)
    ]


# ── pure parts ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        ("né".encode("utf-32"), "", "né"),
        ("<né/>".encode("utf-32-be"), "", "<né/>"),
        ("<a>né</a>".encode("utf-16-be"), "", "<a>né</a>"),
        ("né".encode("gbk"), "text/xml; charset=GB2312", "né"),
        ("привет".encode("koi8-r"), 'text/xml; charset="koi8-r"', "привет"),
        ("日本".encode("iso-2022-jp"), "text/xml; charset=iso-2022-jp", "日本"),
        ("né – là".encode("cp1252"), "text/xml; charset=nonsense", "né – là"),
        ("né".encode() + " là".encode("latin-1"), "", "né là"),
        (b"<?xml version='1.0' encoding='utf-7'?>+AGE-", "", None),
    ],
)
def test_text_is_read_whatever_the_labels_say(body, content_type, text):
    """Marks and bytes go before labels, labels before guesses; UTF-7 is never used."""
    wanted = body.decode("ascii") if text is None else text

    assert charset.utf8(body, content_type).decode() == wanted


@given(st.binary(max_size=200), st.text(max_size=50))
def test_no_bytes_are_too_strange_to_be_text(body, content_type):
    """What comes out is UTF-8, whatever went in."""
    assert charset.utf8(body, content_type).decode() is not None


@given(st.text(max_size=60))
@example("9" * 40)
@example("1 jan 99999 99:99:99 +9999")
@example("0001-01-01T00:00:00+14:00")
def test_no_text_is_too_strange_for_a_date(text):
    """A date is a moment in UTC after 1990, or none."""
    for at in (dates.of_text(text), dates.of_feed(text, None)):
        assert at is None or (at.year >= 1990 and at.tzinfo is UTC)


@pytest.mark.parametrize(
    "parsed", [(2020, 13, 1, 0, 0, 0, 0, 0, 0), (99999, 1, 1, 0, 0, 0, 0, 0, 0)]
)
def test_an_impossible_tuple_is_no_date(parsed):
    """What feedparser lets through of nonsense is refused."""
    assert dates.of_feed("x", parsed) is None


@pytest.mark.parametrize(
    ("html", "found"),
    [
        (
            """<LINK REL='Alternate home' TYPE='application/atom+xml; q=1' HREF=a>
            <link rel=alternate type=application/feed+json href=/b>""",
            ("https://x.example/p/a", "https://x.example/b"),
        ),
        ("<link rel=alternate type=application/rss+xml href='http://['>", ()),
        ("<link rel=alternate type=application/rss+xml>", ()),
        ("<link rel=alternate type=text/html href=/en><link type>", ()),
        ("<![x <link rel=alternate", ()),
    ],
)
def test_a_page_names_its_feeds(html, found):
    """Autodiscovery links of feed types are found, made absolute, in order."""
    assert discovery.feeds(html, "https://x.example/p/") == found


# ── anything ──────────────────────────────────────────────────────────────────────────

SEEDS = [path.read_bytes() for path in CASES]


@st.composite
def mutated(draw) -> bytes:
    """Return one of our documents with bytes changed, cut out or doubled."""
    body = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(body)))
        gone = draw(st.sampled_from([0, 1, 3, 30, 300]))
        put = draw(st.sampled_from([b"", b"<", b"&", b"]]>", b"\0", b"<item>", b"'"]))
        body[at : at + gone] = put or body[at : at + 20]
    return bytes(body)


@settings(max_examples=400, deadline=None)  # a shared machine may stand still
@given(mutated() | st.binary(max_size=400))
def test_whatever_comes_is_a_document_or_a_parse_error(body):
    """No document makes `parse` raise anything else; entries keep their promises."""
    try:
        document = read(body, 50)
    except ParseError as error:
        document = Document(str(error), "", "", ())

    assert "\n" not in document.title
    assert len(document.entries) <= 50
    assert len({entry.id for entry in document.entries}) == len(document.entries)
    for entry in document.entries:
        assert entry.url == "" or entry.url.startswith(("http://", "https://"))
        for at in (entry.published_at, entry.updated_at):
            assert at is None or at.tzinfo is UTC


def test_an_exception_of_feedparser_is_a_parse_error(monkeypatch):
    """Some mutated feeds make feedparser raise: that is their fault, not ours."""

    def broken(*_args: object, **_options: object) -> None:
        raise TypeError("inside")

    monkeypatch.setattr(feedparser, "parse", broken)
    with pytest.raises(ParseError, match="cannot read it: TypeError"):
        read(rss(""))


@pytest.mark.parametrize(
    "error", [MemoryError(), OSError(errno.ENOMEM, "Cannot allocate memory")]
)
def test_memory_is_not_the_documents_word(monkeypatch, error):
    """Running out of memory is left to the sandbox to report, whoever says so."""

    def greedy(*_args: object, **_options: object) -> None:
        raise error

    monkeypatch.setattr(feedparser, "parse", greedy)
    with pytest.raises(MemoryError):
        read(rss(""))


# ── real feeds ────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def corpus() -> list[Path]:
    """Return the real feeds, which stand beside the repository, not in it."""
    return sorted(shared("corpus/feeds/dev").glob("*"))


def test_real_feeds_lose_no_entry_title_link_or_date(corpus):
    """What feedparser finds in the corpus is found here, but for exact duplicates."""
    lost = []
    for path in corpus:
        body = path.read_bytes()
        document = read(body)
        if path.suffix == ".json":
            listed = [dict(item) for item in json.loads(body)["items"]]
            plain = [(i.get("title", ""), i.get("url", "")) for i in listed]
        else:
            listed = feedparser.parse(
                BytesIO(body),
                response_headers={"content-location": URL, "content-type": "text/xml"},
                sanitize_html=False,
                resolve_relative_uris=False,
            ).entries
            plain = [
                (e.get("title", ""), e.get("feedburner_origlink") or e.get("link", ""))
                for e in listed
            ]
        ours = {(entry.title, entry.url) for entry in document.entries}
        for title, link in dict.fromkeys(plain):
            wanted = (
                fields.text(title.replace("<", "&lt;")),
                fields.link(link, URL),
            )
            if wanted not in ours and (fields.text(title), wanted[1]) not in ours:
                lost.append((path.name, title, link))
        moments = {entry.published_at for entry in document.entries}
        moments |= {entry.updated_at for entry in document.entries}
        for entry in listed:
            for name in ("published_parsed", "updated_parsed"):
                date = dict.get(entry, name)
                if date and date[0] >= 1990:
                    at = datetime(*date[:6], tzinfo=UTC)
                    if at not in moments:
                        lost.append((path.name, name, at))

    assert lost == []
