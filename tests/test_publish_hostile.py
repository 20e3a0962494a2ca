"""Whatever an outlet writes, its feeds are valid and do nothing in a reader."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree, html
from publish_cases import NOON, a_story, published
from test_publish_feeds import grammar
from test_publish_jsonfeed import problems
from w3c import content, doubts

from aggregator.model import Copy, Evidence, Story

TEXTS = {
    "script": "<script>alert(1)</script>",
    "closed": "</title></content></entry><script>alert(1)</script>",
    "cdata": "]]><![CDATA[<script>alert(1)</script>]]>",
    "handler": "<img src=x onerror=alert(1)><svg/onload=alert(1)>",
    "escaped": "&lt;script&gt;alert(1)&lt;/script&gt; &#60;b&#62; &amp;lt;i&amp;gt;",
    "style": "<style>*{background:url(https://evil.example/)}</style><p style=x:y>",
    "frame": "<iframe src=//evil.example/><object><embed><base href=//evil.example/>",
    "broken": "<b <i>>< a <!-- <? <![ </ &#xD800; &#0; &bogus; &",
    "attribute": '" onmouseover="alert(1)" \' onfocus=alert(1) x="',
    "entity": "<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>&a;",
    "template": "{{ 7*7 }} {% raw %} {title} {outlet} {0.__class__} %(text)s ${x}",
    "bidi": "\u202eelgoog\u2066\u2067\u2068\u2069\u202a\u202b\u202c\u202d\u200e\u200f",
    "controls": "".join(map(chr, range(32))) + "\x7f\x80\x9f\ufffe\uffff\ufdd0\ufffd",
    "surrogates": "a\ud800b\udfffc",
    "marks": "\x02\x03\x03\x02<b>\x02</b>\x03",
    "long": "<b>mot</b> & " * 8_000,
    "one word": "m" * 100_000,
    "empty": "",
    "blank": " \u00a0\u2003\n\t",
}
URLS = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " javascript:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "//evil.example/",
    'https://e.fr/"onclick="alert(1)',
    "https://e.fr/<script>",
    "https://e.fr/\u202egpj.exe",
    "https://name:word@e.fr/",
    "https://é.fr/ï?ô=[|]#a#b",
    "https://e.fr/%",
    "",
]
SIZE = 40_000  # bytes of a document of one story, whatever that holds
# Controls of a text and of its direction, noncharacters, what was broken.
FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef\ufffd-\uffff]"
)


def hostile(text: str, url: str) -> Story:
    """Return a story that holds a text and an address wherever it can.

    What the maintainer writes is not cut, so that is no longer than a page.
    """
    written = text[:2000]
    return a_story(
        title=text,
        url=url,
        outlet=text,
        author=text,
        summary=text,
        language=text,
        note=written,
        form=written,
        detail=written,
        home=url,
        archived=url,
        feed_url=url,
        feed_title=text,
        copies=(Copy(text, url, text, NOON), Copy(f"{text}!", url, text, NOON)),
        evidence=(
            Evidence("film", written, "summary", text, certain=True, spans=((0, 9),)),
            Evidence("film", written, "article", f"\x02{text}\x03", certain=False),
        ),
    )


def strings(value: Any) -> Iterator[str]:
    """Yield every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (one for each in value.values() for one in strings(each))
    elif isinstance(value, list):
        yield from (one for each in value for one in strings(each))


def harm(documents: Mapping[str, bytes]) -> Iterator[str]:
    """Yield what is invalid, unsafe or without bounds in any of the feeds."""
    for name, body in documents.items():
        if name.endswith((".atom", ".rss")):
            tree = etree.fromstring(body)
            texts = [
                *tree.itertext(),
                *(v for e in tree.iter() for v in e.attrib.values()),
            ]
            yield from (f"{name}: {doubt}" for doubt in doubts(body))
            if name.endswith(".atom") and not grammar().validate(tree):
                yield f"{name}: {grammar().error_log}"
        elif name.endswith("feed.json"):
            feed = json.loads(body)
            texts = list(strings(feed))
            yield from (f"{name}: {problem}" for problem in problems(feed))
            for item in feed["items"]:
                yield from content(name, item["content_html"])
                yield from snippets(name, item["_mention"])
        else:
            continue
        if len(body) > SIZE:
            yield f"{name}: {len(body)} bytes"
        yield from (f"{name}: {one!r}" for one in texts if FORBIDDEN.search(one))


def snippets(name: str, mention: Any) -> Iterator[str]:
    """Yield what in the evidence's snippets is no mark."""
    for evidence in mention["evidence"]:
        shown = html.fragment_fromstring(evidence["snippet"], create_parent="p")
        if {one.tag for one in shown.iterdescendants()} - {"mark"}:
            yield f"{name}: {evidence['snippet']}"


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_hostile_words_are_only_words(text: str) -> None:
    """Script, handlers, CSS, broken markup, bidi controls, 100 kB: in every field."""
    assert list(harm(published(hostile(text, "https://e.fr/a")))) == []


@pytest.mark.parametrize("url", URLS)
def test_hostile_addresses_lead_nowhere(url: str) -> None:
    """What is no web address is no link, what is one is written as one."""
    assert list(harm(published(hostile("Titre", url)))) == []


@settings(deadline=None, max_examples=40)
@given(
    st.text() | st.text("<>&\"'/!-[]{}% abonclick=;#x0\x02\x03\u202e\ufffd"),
    st.text().map("https://e.fr/{}".format) | st.text().map("https://{}".format),
)
def test_no_words_and_no_address_do_harm(text: str, url: str) -> None:
    """Whatever else somebody may think of."""
    assert list(harm(published(hostile(text, url)))) == []


def test_harm_is_seen() -> None:
    """The test can fail: markup that is let through is found in each format."""
    documents = published(a_story(summary="Un résumé"))
    for name in ("feed.atom", "feed.rss", "feed.json"):
        tag = b"<script>" if name.endswith("json") else b"&lt;script&gt;"
        found = list(harm({name: documents[name].replace(b"Un r", tag)}))
        assert any("<script" in line for line in found)
