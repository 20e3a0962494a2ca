"""Random well-formed feeds, made of the elements and values that real feeds have.

Most of what is drawn is usual; enough of it is odd.
"""

from __future__ import annotations

from html import escape
from xml.sax.saxutils import quoteattr

from hypothesis import strategies as st

_USUAL = 12  # times that a usual thing is there for one that is odd

NAMESPACES = {
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "feedburner": "http://rssnamespace.org/feedburner/ext/1.0",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "media": "http://search.yahoo.com/mrss/",
    "News": "https://search.example/news?q=a&amp;format=rss",
    "slash": "http://purl.org/rss/1.0/modules/slash/",
    "sy": "http://purl.org/rss/1.0/modules/syndication/",
    "thr": "http://purl.org/syndication/thread/1.0",
    "x": "https://cms.example/ns#",
}
DECLARED = "".join(f" xmlns:{short}='{uri}'" for short, uri in NAMESPACES.items())
RDF = " xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'"


def mostly(usual: list[str], odd: list[str]) -> list[str]:
    """Return what is to be drawn from, with the odd as rare as it is."""
    return usual * _USUAL + odd


DATES = mostly(
    [
        "Mon, 23 Nov 2026 10:30:00 +0100",
        "Mon, 23 Nov 2026 10:30:00 GMT",
        "2026-11-23T10:30:00Z",
        "2026-11-23T10:30:00+02:00",
        "2026-11-23",
        " Tue, 24 Nov 26 11:02:03 PST ",
        "",
    ],
    [
        "2026-11-23 10:30",
        "23 nov. 2026",
        "lun. 23 novembre 2026 10:30:00 CET",
        "Mon, 1 Jan 0001 00:00:00 GMT",
        "23/11/2026",
        "1164276000",
        "demain",
    ],
)
WORDS = [
    "Les travailleurs du clic", "a < b", "R&D", "Caf\u00e9", "« Cœur »", "l’été",
    "L'Ã©tÃ© indien", "\x92tat", "\u00a0", "<b>gras</b>", "<p>un</p><p>deux</p>", "",
    "5 &lt; 6", "&eacute;t&eacute;", "&amp;amp;", "<script>x()</script>", "\U0001f916",
    "mot " * 400, "  ", "x</b>", "\n", "&copy; 2026", "<custom>a</custom>",
]  # fmt: skip
LINKS = [
    "https://outlet.example/a?x=1&y=2", "/a", "b/c", "http://other.example/é", "",
    "urn:uuid:1", "tag:outlet.example,2026:1", "https://outlet.example/a&amp;b", "#top",
    "//cdn.example/x", "http:///odd", "mailto:a@b.example", "HTTP://OUTLET.example/A;p",
    "https://outlet.example/?", "http://[", "12345", "Ã©",
]  # fmt: skip
PEOPLE = [
    "Ana Dupont", "a@b.example", "a@b.example (Ana Dupont)", "Ana (a@b.example)", "",
    "Ana &amp; Bo", "AFP", "Ana <a@b.example>", "Ã©lodie", "ana@outlet.paris (Ana)",
]  # fmt: skip
WAYS = st.sampled_from(
    mostly(
        ["escaped", "cdata", "blanks"],
        ["both", "comment", "instruction", "twice", "element"],
    )
)
KINDS = mostly(
    ["", "", "", " xml:lang='fr'", " type='html'"],
    [
        " type='text'", " type='text/html'", " type='xhtml'", " xml:lang='en_GB'",
        " xml:lang=''", " lang='de'", " mode='escaped'", " type='odd'", " x:y='z'",
        " x:type='html'",
    ],
)  # fmt: skip
RELATIONS = mostly(
    ["", " rel='self'", " rel='alternate'"],
    [
        " rel='alternate' type='text/html'", " rel='enclosure'", " type='HTML'",
        " type='application/json'", " rel='Alternate'", " rel='replies' thr:count='2'",
        " rel='next'", " rel='prev-archive'",
        " hreflang='fr' xml:lang='fr'", " xml:base='/b/'",
    ],
)  # fmt: skip


def spelt(text: str, way: str) -> str:
    """Return a text as XML, in one of the ways that there are."""
    first, last = text[: len(text) // 2], text[len(text) // 2 :]
    return {
        "escaped": escape(text, quote=False),
        "cdata": f"<![CDATA[{text}]]>",
        "both": f"{escape(first)}<![CDATA[{last}]]>",
        "comment": f"{escape(first)}<!-- <b> -->{escape(last)}",
        "instruction": f"{escape(first)}<?x y?>{escape(last)}",
        "twice": escape(escape(text)),
        "element": f"{escape(first)}<b>{escape(last)}</b>",
        "blanks": f"\n   {escape(text)}\r\n\t",
    }[way]


def element(
    names: str, values: list[str], given: list[str] | None = None
) -> st.SearchStrategy[str]:
    """Return elements with one of some names and texts. given: their attributes."""
    return st.builds(
        lambda name, value, way, said: f"<{name}{said}>{spelt(value, way)}</{name}>",
        st.sampled_from(names.split()),
        st.sampled_from(values),
        WAYS,
        st.sampled_from(given or [""]),
    )


def around(
    names: str, given: list[str], parts: st.SearchStrategy[str]
) -> st.SearchStrategy[str]:
    """Return elements with others in them."""
    return st.builds(
        lambda name, said, inside: f"<{name}{said}>{''.join(inside)}</{name}>",
        st.sampled_from(names.split()),
        st.sampled_from(given),
        st.lists(parts, max_size=4),
    )


def linked(name: str) -> st.SearchStrategy[str]:
    """Return links whose address is an attribute."""
    return st.builds(
        lambda href, said: f"<{name} href={quoteattr(href)}{said}/>",
        st.sampled_from(LINKS),
        st.sampled_from(RELATIONS),
    )


_MEDIA = "media:title media:description media:credit "
_SHARED = (
    element(
        "title title description description summary content:encoded content dc:title "
        "media:title media:description itunes:summary itunes:subtitle dc:description "
        "subtitle",
        WORDS,
        KINDS,
    )
    | element(
        "link link guid id",
        LINKS,
        ["", "", " isPermaLink='false'", " ispermalink='true'"],
    )
    | linked("link")
    | linked("atom:link")
    | element(
        "pubDate pubDate published updated dc:date lastBuildDate dcterms:modified "
        "created atom:updated dcterms:created pubDate dc:date published updated "
        "atom:published lastBuildDate date",
        DATES,
    )
    | around(
        "author " * _USUAL + "contributor itunes:owner",
        [""],
        element("name name name uri email itunes:name x:image", PEOPLE + LINKS),
    )
    | element("author dc:creator dc:creator itunes:author managingEditor", PEOPLE)
    | around(
        "media:content media:content media:group media:group media:group x:box",
        ["", " url='https://outlet.example/i.jpg'"],
        element(_MEDIA * _USUAL + "x:note title ttl News:Source", WORDS, KINDS)
        | st.just("<media:thumbnail url='/t.jpg'/>"),
    )
    | element(
        "category dc:subject comments slash:comments itunes:duration x:note rights "
        "dc:publisher enclosure language dc:language media:keywords itunes:keywords "
        "webMaster generator copyright x:title x:link",
        [*WORDS, "fr", "en_US"],
        ["", "", "", " a='1'", " domain='d'"],
    )
)
_OF_ITEMS = (
    _SHARED
    | element("source image", [*LINKS, "Slate"], ["", " url='/s'"])
    | element("feedburner:origLink", LINKS, mostly([""], [" a='b'"]))
    | element("News:Source", ["Slate", "Le Café", ""], mostly([""], [" a='b'"]))
    | st.just("<media:thumbnail url='/t.jpg' width='1'/>")
)
_OF_FEEDS = (
    _SHARED
    | element(
        "ttl sy:updatePeriod sy:updateFrequency", ["60", "hourly", "2", " daily "]
    )
    | st.just("<image><url>/i</url><title>Autre</title><link>/autre</link></image>")
    | st.just("<textInput><title>t</title><name>n</name><link>/l</link></textInput>")
    | st.just("<skipHours><hour>3</hour></skipHours>")
    | st.just("<cloud domain='x'/>")
)
_ROOTS = mostly(
    [
        "<rss version='2.0'{}><channel>",
        "<rss version='2.0' xml:lang='fr_FR'{}><channel>",
        "<feed xmlns='http://www.w3.org/2005/Atom' xml:lang='fr'{}>",
        "<rdf:RDF xmlns='http://purl.org/rss/1.0/' xml:lang='it'{}><channel>",
    ],
    [
        "<rss version='0.91'{}><channel>",
        "<rss{}><channel xml:base='/c/'>",
        "<feed xmlns='http://www.w3.org/2005/Atom' xml:base='http://b.example/x/'{}>",
        "<feed xmlns='http://purl.org/atom/ns#' version='0.3'{}>",
    ],
)
_PROLOGS = ["", "<?xml version='1.0' encoding='latin-1'?>\n", "<!-- <rss> -->"]


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    """Return a random well-formed feed of any kind."""
    opening, prolog = draw(st.sampled_from(_ROOTS)), draw(st.sampled_from(_PROLOGS))
    root = opening[1:].partition(" ")[0].partition("{")[0]
    own = draw(st.lists(_OF_FEEDS, max_size=6))
    items = draw(
        st.lists(
            around(
                "entry" if root == "feed" else "item",
                mostly([""], [" xml:lang='de'", " x:about='https://o.example/1'"]),
                _OF_ITEMS,
            ),
            max_size=4,
        )
    )
    declared, closing = DECLARED, "" if root == "feed" else "</channel>"
    if root == "rdf:RDF":
        inside = "\n".join([*own, closing, *items])
        declared = declared.replace(NAMESPACES["x"], RDF[12:-1]) + RDF
        if draw(st.booleans()):  # one that knows of no Atom
            declared = declared.replace(NAMESPACES["atom"], "urn:a")
    else:
        inside = "\n".join([*own, *items] if draw(st.booleans()) else [*items, *own])
        inside += closing
    return f"{prolog}{opening.format(declared)}{inside}</{root}>".encode()
