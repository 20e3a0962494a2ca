"""The feeds that peers are compared on: fifty entries each, about 108 kB of RSS.

Pure: a feed is the same each time for the same number. Entries have a title, an author,
a summary and a text in HTML, as newspapers' feeds do. One in five hundred mentions what
a topic of the shipped feeds.toml looks for, so that stories are placed and published.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from itertools import accumulate

LISTED, NEW = 50, 2  # entries of a document; how many of them the second one has anew
WORDS, SENTENCES = 4000, 3000
MENTIONING = 1 / 500
NEWEST = datetime(2026, 11, 1, 8, tzinfo=UTC)
MENTIONS = (
    "Antonio Casilli",
    "les travailleurs des plateformes",
    "les travailleurs du clic",
    "les travailleurs de la donnée",
)
SYLLABLES = [c + v for c in "bcdfglmnprstv" for v in ("a", "é", "i", "ou", "an", "e")]
LITTLE = """
    le la les un une des de du et à en dans pour sur avec par qui que plus ne pas son
    ses ce cette au aux il elle on se est a été sont ont mais ou comme entre après
""".split()

HEAD = """\
<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
 xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel><title>Journal {number}</title><link>{site}/</link>
<description>Toute l’actualité du journal {number}</description>
<language>fr-FR</language>
"""
ITEM = """\
<item><title>{title}</title><link>{link}</link>
<guid isPermaLink="false">{number}-{place} sur journal-{number}.invalid</guid>
<dc:creator><![CDATA[{author}]]></dc:creator><category>{category}</category>
<pubDate>{date}</pubDate>
<description><![CDATA[<p>{summary}</p>]]></description>
<content:encoded><![CDATA[{text}]]></content:encoded></item>
"""
PARAGRAPH = '<p>{0} <a href="{link}?suite">{1}</a> {2} <strong>{3}</strong> {4}</p>\n'
TAIL = "</channel></rss>\n"


@dataclass(frozen=True)
class Documents:
    """The two documents of a feed, which share most of their entries."""

    head: bytes
    entries: memoryview
    first: int
    second: int

    def body(self, step: int) -> bytes:
        """Return the first document (0), or the one with two new entries (1)."""
        entries = self.entries[: self.second] if step else self.entries[self.first :]
        return b"".join((self.head, entries, TAIL.encode()))


@cache
def _words() -> tuple[list[str], list[float]]:
    """Return words and the sums of how often each occurs: few often, most seldom."""
    chance = random.Random(0)
    invented = (
        "".join(chance.choices(SYLLABLES, k=chance.choice((2, 3, 3, 4))))
        for _ in range(WORDS)
    )
    words = [*LITTLE, *dict.fromkeys(invented)]
    return words, list(accumulate(1 / (place + 10) for place in range(len(words))))


def _phrase(chance: random.Random, count: int) -> str:
    words, sums = _words()
    phrase = " ".join(chance.choices(words, cum_weights=sums, k=count))
    return phrase[0].upper() + phrase[1:]


@cache
def _sentences() -> list[str]:
    chance = random.Random(1)
    return [_phrase(chance, chance.randint(10, 24)) + "." for _ in range(SENTENCES)]


def documents(number: int, site: str) -> Documents:
    """Return what feed `number` publishes; site: its address without a path."""
    chance = random.Random(number)
    items = [
        _item(number, place, site, chance).encode()
        for place in reversed(range(LISTED + NEW))
    ]
    return Documents(
        HEAD.format(number=number, site=site).encode(),
        memoryview(b"".join(items)),
        first=sum(map(len, items[:NEW])),
        second=sum(map(len, items[:LISTED])),
    )


def _item(number: int, place: int, site: str, chance: random.Random) -> str:
    """Return an entry; a higher place is newer."""
    title = _phrase(chance, 9)
    if chance.random() < MENTIONING:
        title = f"{title} : {chance.choice(MENTIONS)}"
    link = f"{site}/{number}/{place}/article-{place}.html"
    text = "".join(
        PARAGRAPH.format(*chance.choices(_sentences(), k=5), link=link)
        for _ in range(2)
    )
    return ITEM.format(
        number=number,
        place=place,
        title=title,
        link=link,
        author=_phrase(chance, 2).title(),
        category=_phrase(chance, 1),
        date=format_datetime(NEWEST - timedelta(hours=LISTED + NEW - place)),
        summary=f"{_phrase(chance, 20)}. {chance.choice(_sentences())}",
        text=text,
    )
