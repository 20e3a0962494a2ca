"""A story as HTML: an item of a page's list, and what a feed's entry holds.

Text and no template, because ten thousand stories stand in eight lists and five feeds:
a template took three times as long. Each is made once for all the documents that it
stands in. Whatever is not written here goes through `_text`.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from aggregator.publish.citing import coins
from aggregator.publish.templates import facts
from aggregator.publish.view import Part, Shown
from aggregator.publish.words import Words, words

_ROOT = "\x00"  # stands for the way to the folder; no text has it, see `view.clean`
_ENDS = "?!….,"  # after these a title needs no comma


class Items:
    """The stories of a site as HTML; each is made when it is asked for first."""

    def __init__(self, language: str) -> None:
        """Make none yet; language: of the site."""
        self._said = words(language)
        self._listed: dict[str, str] = {}
        self._told: dict[str, str] = {}

    def listed(self, stories: Iterable[Shown], root: str) -> str:
        """Return the items of a list; root: the way to the published folder."""
        return "".join(map(self._item, stories)).replace(_ROOT, root)

    def _item(self, story: Shown) -> str:
        short = story.story.short
        if short not in self._listed:
            self._listed[short] = _listed(story, self._said)
        return self._listed[short]

    def told(self, story: Shown) -> str:
        """Return what an entry holds: plain HTML for any reader, absolute links."""
        short = story.story.short
        if short not in self._told:
            self._told[short] = _told(story, self._said)
        return self._told[short]


def _listed(story: Shown, said: Words) -> str:
    lang = _lang(story, said)
    day = _text(said.day(story.local_at, story.story.precision))
    permanent = said.gettext("Permanent link")
    more = ""
    if known := facts(story, said):
        spans = [known[0][0].upper() + known[0][1:], *known[1:]]
        spoken = " · ".join(f"<span>{_text(one)}</span>" for one in spans)
        more += f'<p class="facts">{spoken}</p>\n'
    if story.excerpt:
        marked = _parts(story.excerpt, story, said, "<mark>", "</mark>")
        more += f"<blockquote{lang}><p>{marked}</p></blockquote>\n"
    if story.snippet:
        marked = _parts(story.snippet, story, said, "<mark>", "</mark>")
        more += f'<p class="snippet"{lang}>{marked}</p>\n'
    if story.note:
        more += f'<p class="note">{_text(said.typographic(story.note))}</p>\n'
    also = [_also(story, said)] if story.others else []
    also += [_archived(story, said)] if story.archived else []
    if also:
        end = "" if story.archived else "."
        more += f'<p class="also">\n{" · ".join(also)}{end}</p>\n'
    return (
        f'<li class="story" id="s-{story.story.short}">\n'
        f'<p class="line"><span class="date">(<a href="{_ROOT}{story.permalink}" '
        f'title="{permanent}"><time datetime="{story.date}">{day}</time></a>)</span>\n'
        f"{_what(story, lang, said)}</p>\n"
        f'{more}<span class="Z3988" title="{_text(coins(story))}" aria-hidden="true">'
        "</span>\n</li>\n"
    )


def _told(story: Shown, said: Words) -> str:
    lang = _lang(story, said)
    html = ""
    # most readers take <mark> away; <b> they leave
    if story.excerpt:
        marked = _parts(story.excerpt, story, said, "<b><mark>", "</mark></b>")
        html += f"<blockquote{lang}><p>{marked}</p></blockquote>\n"
    if story.snippet:
        marked = _parts(story.snippet, story, said, "<b><mark>", "</mark></b>")
        html += f"<p{lang}>{marked}</p>\n"
    if story.note:
        note = said.gettext("Note: %(text)s")
        said_of_it = {"text": _text(said.typographic(story.note))}
        html += f"<p>{note % said_of_it}</p>\n"
    if story.others:
        html += f"<p>{_also(story, said)}.</p>\n"
    if story.archived:
        html += f"<p>{_archived(story, said)}</p>\n"
    outlet = _text(story.outlet)
    source = f'<a href="{_text(story.home)}">{outlet}</a>' if story.home else outlet
    day = said.day(story.local_at, story.story.precision)
    last = " · ".join(_text(one) for one in (day, *facts(story, said)))
    return f"{html}<p>{source}, {last}</p>"


def _what(story: Shown, lang: str, said: Words) -> str:
    """Return title and outlet, « Titre, *Outlet*. »."""
    name = said.typographic(story.name, story.language)
    title = (
        f'<a class="title" href="{_text(story.url)}"{lang}>{_text(name)}</a>'
        if story.url
        else f'<span class="title"{lang}>{_text(name)}</span>'
    )
    if story.outlet:
        comma = "" if name[-1] in _ENDS else ","
        title += f"{comma} <cite>{_text(story.outlet)}</cite>."
    return f'<span class="what">{title}</span>'


def _also(story: Shown, said: Words) -> str:
    """Return « aussi dans », without its full stop."""
    others = ", ".join(
        f'<a href="{_text(copy.url)}">{_text(copy.outlet)}</a>'
        if copy.url
        else _text(copy.outlet)
        for copy in story.others
    )
    also_in = said.gettext("Also in")
    return f"{also_in} {others}"


def _archived(story: Shown, said: Words) -> str:
    copy = said.gettext("Archived copy")
    return f'<a href="{_text(story.archived)}">{copy}</a>'


def _parts(
    pieces: tuple[Part, ...], story: Shown, said: Words, mark: str, unmark: str
) -> str:
    """Return the pieces of a text, the evidence between the marks."""
    told = (
        (_text(said.typographic(words, story.language)), marked)
        for words, marked in pieces
    )
    return "".join(f"{mark}{t}{unmark}" if marked else t for t, marked in told)


def _lang(story: Shown, said: Words) -> str:
    """Return the attribute that a story's own words need, "" = the page's language."""
    foreign = said.foreign(story.language)
    return f' lang="{foreign}"' if foreign else ""


def _text(words: str) -> str:
    """Return what stands for words in an element or between quotes."""
    return escape(words, quote=False).replace('"', "&#34;").replace("'", "&#39;")
