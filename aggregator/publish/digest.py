"""The news of some days in the site's words: as a mail's text, as HTML, as Markdown.

Three templates set what is decided here; they hold no word of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from aggregator.model import Copy, Site, State, Story, Topic
from aggregator.publish import templates
from aggregator.publish.news import News, Tally
from aggregator.publish.notes import Note
from aggregator.publish.plain import WIDTH
from aggregator.publish.view import Shown, clean, shown
from aggregator.publish.waiting import pairs, waiting
from aggregator.publish.words import Words, words
from aggregator.text import cut

_FEW = 5  # stories that wait, and pairs, that are listed: the desk has all
_LISTED = 100  # stories under a topic
_OUTLETS = 20  # outlets that are counted in rows of their own


@dataclass(frozen=True, slots=True)
class Line:
    """A story as the press list writes it, or a trouble's name. url: "" = none.

    date: "" = none. comma: whether one stands before the outlet.
    """

    title: str
    url: str = ""
    date: str = ""
    outlet: str = ""
    comma: bool = True
    others: tuple[Copy, ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to tell. facts: sentences; quoted, paste: lines to be left as they are.

    paste: commands, or lines of feeds.toml.
    """

    lines: tuple[Line, ...]
    facts: tuple[str, ...] = ()
    quoted: tuple[str, ...] = ()
    paste: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """Some items under one heading and advice, "" = none; more: what is not listed."""

    heading: str
    advice: str
    items: tuple[Item, ...]
    more: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A section; count: of all its parts."""

    heading: str
    count: int
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Digest:
    """What the templates are filled with; no sections: the subject says it all.

    also: what stands before a story's other outlets. head, rows: the table of counts.
    """

    language: str
    subject: str
    period: str
    also: str
    sections: tuple[Section, ...]
    counts: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def text(self) -> str:
        """The digest as a mail's text; its first line is the subject."""
        return templates.filled("digest.txt", self.language, digest=self)

    @property
    def markdown(self) -> str:
        """The digest for a report."""
        return templates.filled("digest.md", self.language, digest=self)

    @property
    def html(self) -> str:
        """The digest as a small whole document, with nothing from elsewhere."""
        return templates.filled("digest.html", self.language, digest=self)


def digest(site: Site, topics: Sequence[Topic], news: News) -> Digest:
    """Return the news in the words of the site's language."""
    said, zone = words(site.language), ZoneInfo(site.timezone)
    since, until = (said.day(at.astimezone(zone)) for at in (news.since, news.until))
    sections = tuple(_sections(site, topics, news, said))
    return Digest(
        language=site.language,
        subject=_subject(site, news, said, since),
        period=said.gettext("From %(since)s to %(until)s")
        % {"since": since, "until": until},
        also=said.gettext("Also in"),
        sections=sections,
        counts=said.gettext("Counts"),
        head=(
            said.gettext("Outlet"),
            said.gettext("Polls"),
            said.gettext("Entries"),
            said.gettext("Mentions"),
            said.gettext("Published"),
        ),
        rows=tuple(_rows(news.tallies, said)),
    )


def _subject(site: Site, news: News, said: Words, since: str) -> str:
    """Return one line for all of it, with as much of the site's name as fits."""
    published, withdrawn = len(news.published), len(news.withdrawn)
    waits, joins, wrong = len(news.waiting), len(news.joins), _wrong(news)
    counts = (
        (
            said.ngettext(
                "%(count)s article published", "%(count)s articles published", published
            ),
            published,
        ),
        (
            said.ngettext("%(count)s withdrawn", "%(count)s withdrawn", withdrawn),
            withdrawn,
        ),
        (said.ngettext("%(count)s waiting", "%(count)s waiting", waits), waits),
        (
            said.ngettext(
                "%(count)s possible duplicate", "%(count)s possible duplicates", joins
            ),
            joins,
        ),
        (said.ngettext("%(count)s trouble", "%(count)s troubles", wrong), wrong),
    )
    found = [told % {"count": count} for told, count in counts if count]
    if not found:
        polls = sum(tally.polls for tally in news.tallies)
        quiet = said.ngettext(
            "Nothing new since %(since)s (%(count)s poll)",
            "Nothing new since %(since)s (%(count)s polls)",
            polls,
        )
        found = [quiet % {"since": since, "count": polls}]
    return cut(f"{', '.join(found)} – {clean(site.title) or site.url}", WIDTH)


def _wrong(news: News) -> int:
    """Return how many things are in trouble; that nothing runs is one of them."""
    return len(news.troubles) + news.stopped


def _sections(
    site: Site, topics: Sequence[Topic], news: News, said: Words
) -> Iterator[Section]:
    """Yield what there is something to say of."""
    made = (
        Section(
            said.gettext("Published"),
            len(news.published),
            tuple(_by_topic(site, topics, news.published, said)),
        ),
        Section(
            said.gettext("Waiting"),
            len(news.waiting),
            (_waiting(site, news, said),),
        ),
        Section(
            said.gettext("Perhaps the same article"),
            len(news.joins),
            (_joins(site, news, said),),
        ),
        Section(
            said.gettext("Withdrawn"),
            len(news.withdrawn),
            (_withdrawn(site, news, said),),
        ),
        Section(said.gettext("In trouble"), _wrong(news), tuple(_troubles(news, said))),
    )
    yield from (section for section in made if section.count)


def _by_topic(
    site: Site, topics: Sequence[Topic], stories: Sequence[Story], said: Words
) -> Iterator[Part]:
    """Yield a part for each topic; a story of several stands under the first one."""
    by_id = {topic.id: topic for topic in topics}
    every = [shown(story, site, by_id) for story in stories]
    for topic in (*topics, None):  # None: the brake holds what a removed topic had
        its = [one for one in every if next(iter(one.topics), None) == topic]
        if its:
            items = [Item((_line(one, one.link, said),)) for one in its]
            heading = said.typographic(topic.title) if topic else ""
            yield _part(items, _LISTED, said, heading=heading)


def _waiting(site: Site, news: News, said: Words) -> Part:
    items = [
        Item((_line(one.shown, one.shown.url, said),), paste=(one.keep, one.hide))
        for one in waiting(site, news.waiting)
    ]
    advice = said.gettext(
        "Paste the line that you want into a terminal; or decide on all of them there, "
        "one key each, with aggregator review."
    )
    return _part(items, _FEW, said, advice=advice)


def _joins(site: Site, news: News, said: Words) -> Part:
    items = [
        Item(
            tuple(_line(side, side.url, said) for side in pair.sides),
            facts=(f"{pair.reason[:1].upper()}{pair.reason[1:]}.",),
            paste=(pair.one, pair.two),
        )
        for pair in pairs(site, news.joins)
    ]
    advice = said.gettext(
        "Paste the first line into a terminal where it is one, the second where not."
    )
    return _part(items, _FEW, said, advice=advice)


def _withdrawn(site: Site, news: News, said: Words) -> Part:
    reasons = {
        State.HIDDEN: said.gettext("A decision of yours hides it."),
        State.SUPPRESSED: said.gettext("The rules set it aside."),
        State.WAITING: said.gettext("It waits for your word again."),
        State.WITHDRAWN: said.gettext(
            "Nothing finds it any longer, or it is told as part of another."
        ),
    }
    items = []
    for story in news.withdrawn:
        one = shown(story, site, {})
        why = f"aggregator why {story.short}"
        facts = tuple(filter(None, [reasons.get(story.state)]))
        items.append(Item((_line(one, one.url, said),), facts, paste=(why,)))
    return _part(items, _LISTED, said)


def _troubles(news: News, said: Words) -> Iterator[Part]:
    if news.stopped:
        advice = said.gettext(
            "No cycle has ended in all that time. Look whether the worker, the timer "
            "or cron runs; aggregator status tells when the last one ended."
        )
        yield Part(said.gettext("Nothing is polled"), advice, ())
    for group in news.groups:
        items = [_trouble(note, said) for note in group.notes]
        yield Part(group.heading, group.advice, tuple(items), _more(group.more, said))


def _trouble(note: Note, said: Words) -> Item:
    return Item(
        (Line(said.typographic(note.headline), note.url),),
        facts=note.facts,
        quoted=note.problems,
        paste=(note.paste,) if note.paste else (),
    )


def _line(one: Shown, url: str, said: Words) -> Line:
    title = said.typographic(one.name, one.language)
    return Line(
        title=title,
        url=url,
        date=said.day(one.local_at, one.story.precision),
        outlet=one.outlet,
        comma=title[-1] not in "?!….,",
        others=one.others,
    )


def _part(
    items: Sequence[Item],
    limit: int,
    said: Words,
    *,
    heading: str = "",
    advice: str = "",
) -> Part:
    more = _more(len(items) - limit, said)
    return Part(heading, advice, tuple(items[:limit]), more)


def _more(count: int, said: Words) -> str:
    if count <= 0:
        return ""
    told = said.ngettext("and %(count)s other", "and %(count)s others", count)
    return told % {"count": count}


def _rows(tallies: Sequence[Tally], said: Words) -> Iterator[tuple[str, ...]]:
    """Yield the counts of the outlets that brought something, the others', and all."""
    own = [tally for tally in tallies if tally.stories or tally.mentions][:_OUTLETS]
    rest = tallies[len(own) :]
    told = [*own]
    if rest:
        name = said.ngettext(
            "%(count)s other outlet", "%(count)s other outlets", len(rest)
        )
        told.append(_summed(name % {"count": len(rest)}, rest))
    for tally in (*told, _summed(said.gettext("Together"), tallies)):
        numbers = (tally.polls, tally.entries, tally.mentions, tally.stories)
        yield clean(tally.outlet), *map(str, numbers)


def _summed(name: str, tallies: Sequence[Tally]) -> Tally:
    return Tally(
        name,
        sum(tally.polls for tally in tallies),
        sum(tally.entries for tally in tallies),
        sum(tally.mentions for tally in tallies),
        sum(tally.stories for tally in tallies),
    )
