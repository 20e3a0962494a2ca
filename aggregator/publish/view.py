"""A story as readers see it: every text cut, cleaned and marked, every link checked.

Pure: which words of an outlet are shown is decided here once, so that feeds, pages and
data cannot differ. No markup, no format and no library of one may enter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from aggregator import text, urls
from aggregator.model import Copy, Evidence, Site, State, Story, Topic

Part = tuple[str, bool]
"""A piece of text, and whether it is the evidence, to be marked."""

Span = tuple[int, int]

_TITLE = 300  # characters of a title shown; the longest of a real press list has 187
# RFC 5646: all languages have two or three letters ("french" is none).
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,4}")
# What XML 1.0 §2.2 cannot hold, noncharacters, and marks that turn the reading
# direction of whatever follows them on the page.
_UNFIT = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2029\u202f-\u2065\u206a-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd"
    "\U00010000-\U0010fffd]"
)
_BLANKS = re.compile(r"[ \t\n\r]+")  # no-break spaces stay as the outlet set them
_ENTRY_TITLE = re.compile(r"\{(title|outlet)\}")
_TAG = re.compile(r"<(?=[A-Za-z/!?])")


@dataclass(frozen=True, slots=True)
class Shown:
    """A story, ready to be published.

    story: what it was made of, for its states and times only. id: of its Atom entry.
    name: its title, never empty. entry_title: with the outlet, for feeds. url: of the
    article, "" = it has none. permalink: its anchor, relative to the published folder.
    link: absolute, the article or the anchor. local_at: when it was published, in the
    site's zone. extract: as much of the summary as may be republished, as it was;
    excerpt: the same to be read, with marks. snippet: see `shown`. evidence: as far as
    it is republished. topics: in the order of feeds.toml.
    """

    story: Story
    id: str
    name: str
    entry_title: str
    url: str
    permalink: str
    link: str
    outlet: str
    home: str
    author: str
    language: str
    note: str
    form: str
    detail: str
    archived: str
    local_at: datetime
    published_at: datetime
    added_at: datetime
    updated_at: datetime
    extract: str
    excerpt: tuple[Part, ...]
    snippet: tuple[Part, ...]
    evidence: tuple[Evidence, ...]
    copies: tuple[Copy, ...]
    topics: tuple[Topic, ...]

    @property
    def others(self) -> tuple[Copy, ...]:
        """The copies but for the first entry's, by date: « aussi dans »."""
        return self.copies[1:]

    @property
    def date(self) -> str:
        """When it was published, as far as known: « 2020-02-14 » or « 2019-11 »."""
        whole = self.local_at.date().isoformat()
        return whole[:-3] if self.story.precision == "month" else whole

    @property
    def person(self) -> str:
        """Its author where that is not just the outlet again, else ""."""
        return "" if self.author == self.outlet else self.author

    @property
    def source_url(self) -> str:
        """The outlet's feed that delivered it; "" for a story added by hand."""
        return web(self.story.feed_url)

    @property
    def source_title(self) -> str:
        """The name of that feed, else the outlet's, never empty where it has a URL."""
        return (
            title(self.story.feed_title) or self.outlet or self.source_url or self.home
        )


def shown(story: Story, site: Site, topics: Mapping[str, Topic]) -> Shown:
    """Return the story as it may be published.

    At most `story.excerpt`, else `site.excerpt`, characters of the outlet's text appear
    in it besides titles, evidence included. The excerpt is the summary's beginning with
    the evidence marked; a separate snippet is there only where the match can be seen
    neither in the title nor in the excerpt.
    """
    limit = max(0, site.excerpt if story.excerpt is None else story.excerpt)
    excerpt, visible, snippet, evidence = _republished(story, limit)
    added_at = story.added_at or story.published_at
    local_at = story.published_at.astimezone(ZoneInfo(site.timezone))
    permalink = f"{local_at.year:04}/index.html#s-{story.short}"
    url = web(story.url)
    name = title(story.title) or title(url) or story.short
    outlet = title(story.outlet)
    return Shown(
        story=story,
        id=entry_id(story, site),
        name=name,
        entry_title=_entry_title(site.entry_title, name, outlet),
        url=url,
        permalink=permalink,
        link=url or site.url + permalink,
        outlet=outlet,
        home=web(story.home),
        author=title(story.author),
        language=story.language if _LANGUAGE.fullmatch(story.language) else "",
        note=clean(story.note),
        form=clean(story.form),
        detail=clean(story.detail),
        archived=web(story.archived),
        local_at=local_at,
        published_at=story.published_at.replace(microsecond=0),
        added_at=added_at,
        updated_at=(story.updated_at or added_at).replace(microsecond=0),
        extract=excerpt,
        excerpt=highlighted(excerpt, visible),
        snippet=marked(snippet),
        evidence=evidence,
        copies=tuple(
            replace(
                copy,
                outlet=title(copy.outlet),
                url=web(copy.url),
                title=title(copy.title),
            )
            for copy in story.copies
        ),
        topics=tuple(topic for topic in topics.values() if topic.id in story.topics),
    )


@dataclass(frozen=True, slots=True)
class Gone:
    """A story that was in our feeds and is so no longer. id: of its Atom entry."""

    story: Story
    id: str
    added_at: datetime
    withdrawn_at: datetime


def gone(stories: Iterable[Story], site: Site) -> tuple[Gone, ...]:
    """Return the stories that subscribers may have and should not, last gone first."""
    found = [
        Gone(
            story,
            entry_id(story, site),
            story.added_at or story.published_at,
            story.withdrawn_at.replace(microsecond=0),
        )
        for story in stories
        if story.withdrawn_at and story.state is not State.PUBLISHED
    ]
    found.sort(key=lambda one: (one.withdrawn_at, one.id), reverse=True)
    return tuple(found)


def entry_id(story: Story, site: Site) -> str:
    """Return the id of a story's Atom entry, the same for ever (RFC 4151)."""
    return f"{site.id}/{story.short}"


def web(url: str) -> str:
    """Return the URL as `urls.written` if it is http(s) and without blanks, else ""."""
    # a space is the only blank that is printable
    usable = url.isprintable() and " " not in url
    return urls.written(url) if usable else ""


def clean(words: str) -> str:
    """Return the text in one line, without characters that harm a document."""
    fit = _fit(words)
    if not fit.isprintable() or "  " in fit:  # only then there is another blank
        fit = _BLANKS.sub(" ", fit)
    return fit.strip()


def untagged(words: str) -> str:
    """Return a clean text so that nothing in it looks like a tag.

    Many readers take the titles of RSS, and some those of Atom, for HTML.
    """
    return _TAG.sub("‹", words) if "<" in words else words


def title(words: str) -> str:
    """Return a title or a name as shown: clean, and cut where it is absurdly long."""
    return text.cut(clean(words), _TITLE)


def marked(snippet: str) -> tuple[Part, ...]:
    """Return the pieces of a text that carries `text.MARK` and `text.UNMARK`."""
    head, *pieces = snippet.split(text.MARK)
    parts: list[Part] = [(head, False)]
    for piece in pieces:
        inside, found, after = piece.partition(text.UNMARK)
        parts += [(inside, True), (after, False)] if found else [(inside, False)]
    return _tidy(parts)


def highlighted(words: str, spans: Iterable[Span]) -> tuple[Part, ...]:
    """Return the pieces of a text, those within a span to be marked."""
    parts: list[Part] = []
    done = 0
    for start, end in _joined(spans):
        parts += [(words[done:start], False), (words[start:end], True)]
        done = end
    return _tidy([*parts, (words[done:], False)])


def plain(parts: tuple[Part, ...]) -> str:
    """Return the words of the pieces, without marks."""
    return "".join(words for words, _ in parts)


def _entry_title(template: str, name: str, outlet: str) -> str:
    values = {"title": name, "outlet": outlet}
    # Not str.format: a title may hold braces, and a template may not reach attributes.
    filled = _ENTRY_TITLE.sub(lambda found: values[found[1]], template)
    return untagged(clean(filled) or name)


def _republished(
    story: Story, limit: int
) -> tuple[str, tuple[Span, ...], str, tuple[Evidence, ...]]:
    """Return excerpt, what is marked in it, marked snippet, and evidence, all in limit.

    Doing it again with the excerpt as summary and the evidence returned changes
    nothing: that is how stories.jsonl restores the same published bytes.
    """
    excerpt, snippet = text.cut(story.summary, limit), ""
    visible = _joined(
        span for one in story.evidence for span in _within(one, excerpt, story.summary)
    )
    if not visible and not any(_in_title(one) for one in story.evidence):
        fitting = (one.snippet for one in story.evidence if 0 < _size(one) <= limit)
        if snippet := next(fitting, ""):
            excerpt = text.cut(story.summary, limit - len(plain(marked(snippet))))
    left = limit - len(excerpt) - len(plain(marked(snippet)))
    evidence: list[Evidence] = []
    for one in story.evidence:
        if _in_title(one):
            evidence.append(one)
        elif spans := _joined(_within(one, excerpt, story.summary)):
            seen = plain(marked(one.snippet)).strip("… ") in excerpt
            again = one.snippet if seen else text.snippet(excerpt, spans)
            evidence.append(replace(one, spans=spans, snippet=again))
        elif one.snippet == snippet:
            evidence.append(replace(one, spans=()))
        elif _size(one) <= left:
            left -= _size(one)
            evidence.append(replace(one, spans=()))
        else:
            evidence.append(replace(one, spans=(), snippet=""))
    return excerpt, visible, snippet, tuple(evidence)


def _in_title(evidence: Evidence) -> bool:
    return evidence.of_first and evidence.column == "title"


def _size(evidence: Evidence) -> int:
    return len(plain(marked(evidence.snippet)))


def _within(evidence: Evidence, excerpt: str, summary: str) -> tuple[Span, ...]:
    """Return the spans of the evidence that can be seen whole in the excerpt."""
    if not evidence.of_first or evidence.column != "summary":
        return ()
    cut = "" if summary.startswith(excerpt) else "…"
    end = len(excerpt.removesuffix(cut))
    return tuple((a, b) for a, b in evidence.spans if 0 <= a < b <= end)


def _joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Return the spans in order, those that touch made one."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def _tidy(parts: list[Part]) -> tuple[Part, ...]:
    return tuple((kept, mark) for words, mark in parts if (kept := _fit(words)))


def _fit(words: str) -> str:
    # Most texts are printable throughout; nothing of _UNFIT is.
    if not words.isprintable():
        words = _UNFIT.sub("", words)
    # U+FFFD stands where an outlet's text was broken; validators object to it.
    return words.replace("\ufffd", "?")
