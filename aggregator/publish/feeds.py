"""Atom (RFC 4287) and RSS 2.0, by feedgen: the only room that knows it.

What is said stands in the values it is given. One generator a format, because feedgen
keeps both formats in one object and they disagree about links. feedgen 1.0 drops `rel`
from the links of entries and writes atom:source without id, so both are added to what
it made of an entry. An extension of ours holds what it does not know: RFC 6721
tombstones, the mark of an RFC 5005 archive, and entries that are made once for all the
documents they stand in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from feedgen.entry import FeedEntry
from feedgen.ext.base import BaseExtension
from feedgen.feed import FeedGenerator
from lxml import etree

from aggregator.model import Site
from aggregator.publish.channels import Channel, archived
from aggregator.publish.view import Gone, Shown, clean, untagged

GENERATOR = "press-aggregator"
_ATOM, _RSS = "application/atom+xml", "application/rss+xml"
_NAMESPACES = {
    "at": "http://purl.org/atompub/tombstones/1.0",
    "fh": "http://purl.org/syndication/history/1.0",
}
_DELETED = f"{{{_NAMESPACES['at']}}}deleted-entry"
_ARCHIVE = f"{{{_NAMESPACES['fh']}}}archive"
_RSS_LINK = "{http://www.w3.org/2005/Atom}link"
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"

Content = Callable[[Shown], str]
"""Gives the HTML that an entry holds."""

Entry = Any  # an lxml element; lxml publishes no types
"""An Atom entry, as `entry` makes it."""


def atom(site: Site, channel: Channel, entries: Sequence[Entry]) -> bytes:
    """Return a document of the channel as Atom: the live one, or that of a month.

    entries: those of its stories, in order. They are moved into this document, and
    stay as they are for the next one.
    """
    folder = site.url + channel.folder
    feed = _feed(site, channel)
    feed.register_extension("ours", _Beyond, atom=True, rss=False)
    feed.ours.channel, feed.ours.entries = channel, entries
    name = clean(site.author) or clean(site.title) or site.url
    feed.author(name=untagged(name))
    feed.link(href=site.url + channel.page, rel="alternate", type="text/html")
    if channel.month:
        feed.link(href=folder + archived(channel.month), rel="self", type=_ATOM)
        feed.link(href=f"{folder}feed.atom", rel="current", type=_ATOM)
    else:
        feed.link(href=f"{folder}feed.atom", rel="self", type=_ATOM)
        for hub in site.hubs:
            feed.link(href=hub, rel="hub")
    if channel.earlier:
        earlier = folder + archived(channel.earlier)
        feed.link(href=earlier, rel="prev-archive", type=_ATOM)
    if channel.later:
        later = folder + archived(channel.later)
        feed.link(href=later, rel="next-archive", type=_ATOM)
    return _bytes(feed.atom_str(pretty=True))


def entry(site: Site, one: Shown, content: str) -> Entry:
    """Return the Atom entry of a story; content: its HTML."""
    made = FeedEntry()
    _fill(made, site, one, content)
    made.author(name=_author(one))
    element = made.atom_entry()
    _link(element, one.link, "alternate", type="text/html")
    related = [copy.url for copy in one.others] + [one.archived]
    for url in dict.fromkeys(url for url in related if url and url != one.link):
        _link(element, url, "related")
    if one.home:
        # RFC 4287 allows an empty title, validators do not.
        title = {"title": untagged(one.outlet)} if one.outlet else {}
        _link(element, one.home, "via", **title)
    if one.language:
        element.find("title").set(_XML_LANG, one.language)
    _add_source(element, one)
    return element


def rss(site: Site, channel: Channel, content: Content) -> bytes:
    """Return the channel as an RSS 2.0 document."""
    feed = _feed(site, channel)
    # dc:creator, because RSS's own author is a mail address.
    feed.load_extension("dc", atom=False, rss=True)
    feed.register_extension("ours", _Hubs, atom=False, rss=True)
    feed.ours.hubs = site.hubs
    address = site.url + channel.folder + "feed.rss"
    feed.link(href=address, rel="self", type=_RSS)
    feed.link(href=site.url + channel.page, rel="alternate")  # the last one counts
    for one in channel.stories:
        item = feed.add_entry(order="append")
        _fill(item, site, one, content(one))
        item.link(href=one.link, rel="alternate")
        item.dc.dc_creator(_author(one))
        if one.source_url:
            item.source(url=one.source_url, title=untagged(one.source_title))
    return _bytes(feed.rss_str(pretty=True))


@dataclass(frozen=True, slots=True)
class Notice:
    """An entry of a private feed; url: what it is about, "" = nothing to open."""

    id: str
    title: str
    at: datetime
    url: str
    html: str


def private(site: Site, channel: Channel, notices: Sequence[Notice]) -> bytes:
    """Return a feed of notices as an Atom document; the channel's stories do not count.

    It has no links of its own: nobody can know where a private feed is read.
    """
    feed = _feed(site, channel)
    feed.author(name=GENERATOR)
    for one in notices:
        made = feed.add_entry(order="append")
        made.id(one.id)
        made.title(one.title)
        made.published(one.at)
        made.updated(one.at)
        made.content(one.html, type="html")
        if one.url:
            made.link(href=one.url, rel="alternate", type="text/html")
    return _bytes(feed.atom_str(pretty=True))


class _Beyond(BaseExtension):  # type: ignore[misc] # feedgen publishes no types
    """What feedgen does not know of an Atom document."""

    channel: Channel
    entries: Sequence[Entry] = ()

    def extend_ns(self) -> dict[str, str]:
        """Return the namespaces that are needed."""
        needed = {"at": self.channel.gone, "fh": self.channel.month}
        return {name: _NAMESPACES[name] for name, its in needed.items() if its}

    def extend_atom(self, feed: Any) -> Any:  # noqa: ANN401 - an lxml element
        """Add what is needed to the feed and return it."""
        if self.channel.month:
            etree.SubElement(feed, _ARCHIVE)
        for one in self.channel.gone:
            _tombstone(feed, one)
        feed.extend(self.entries)
        return feed


class _Hubs(BaseExtension):  # type: ignore[misc] # feedgen publishes no types
    """WebSub hubs of an RSS channel: feedgen writes its rel=self alone."""

    hubs: Sequence[str] = ()

    def extend_rss(self, document: Any) -> Any:  # noqa: ANN401 - an lxml element
        """Add an atom:link for each hub to the channel and return the document."""
        for hub in self.hubs:
            etree.SubElement(document[0], _RSS_LINK, href=hub, rel="hub")
        return document


def _tombstone(feed: Any, one: Gone) -> None:  # noqa: ANN401 - an lxml element
    etree.SubElement(feed, _DELETED, ref=one.id, when=one.withdrawn_at.isoformat())


def _add_source(element: Entry, one: Shown) -> None:
    url = one.source_url
    if not url and not one.home:
        return
    source = etree.SubElement(element, "source")
    etree.SubElement(source, "id").text = url or one.home
    etree.SubElement(source, "title").text = untagged(one.source_title)
    # RFC 4287 §4.2.11 wants the source's own date; all that is known of it is that
    # it held this entry when the entry was published.
    etree.SubElement(source, "updated").text = one.published_at.isoformat()
    if url:
        _link(source, url, "self")
    if one.home:
        _link(source, one.home, "alternate", type="text/html")


def _link(parent: Any, href: str, rel: str, **more: str) -> None:  # noqa: ANN401
    etree.SubElement(parent, "link", href=href, rel=rel, **more)


def _feed(site: Site, channel: Channel) -> Any:  # noqa: ANN401 - feedgen has no types
    feed = FeedGenerator()
    feed.id(channel.id)
    feed.title(channel.title)
    feed.subtitle(channel.description)
    feed.description(channel.description)
    feed.language(site.language)
    feed.updated(channel.updated_at)
    feed.generator(GENERATOR)
    if site.rights:
        feed.rights(untagged(clean(site.rights)))
    return feed


def _fill(made: Any, site: Site, one: Shown, content: str) -> None:  # noqa: ANN401
    """Say of an entry what both formats say."""
    made.id(one.id)
    made.title(one.entry_title)
    made.published(one.published_at)
    made.updated(one.updated_at)
    made.content(content, type="html")
    for topic in one.topics:
        label = untagged(clean(topic.title)) or topic.id
        made.category(term=topic.id, scheme=f"{site.url}topics/", label=label)


def _author(one: Shown) -> str:
    return untagged(one.author or one.outlet or one.name)


def _bytes(document: bytes) -> bytes:
    return document if document.endswith(b"\n") else document + b"\n"
