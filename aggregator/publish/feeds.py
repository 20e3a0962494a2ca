"""Atom (RFC 4287) and RSS 2.0 by feedgen: the only room that knows it.

What is said stands in the values it is given. One generator a format, because feedgen
keeps both formats in one object and they disagree about links. Atom entries come as
text from `entries`. Extensions of ours hold what feedgen does not know of a feed: RFC
6721 tombstones, the mark of an RFC 5005 archive, the hubs of an RSS channel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from feedgen.ext.base import BaseExtension
from feedgen.feed import FeedGenerator
from lxml import etree

from aggregator.model import Site
from aggregator.publish.channels import Channel, archived
from aggregator.publish.entries import author, label
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
_END = b"</feed>\n"

Content = Callable[[Shown], str]
"""Gives the HTML that an entry holds."""


def atom(site: Site, channel: Channel, entries: Iterable[str]) -> bytes:
    """Return a document of the channel as Atom: the live one, or that of a month.

    entries: those of its stories, in order, as `entries.entry` makes them.
    """
    folder = site.url + channel.folder
    feed = _feed(site, channel)
    feed.register_extension("ours", _Beyond, atom=True, rss=False)
    feed.ours.channel = channel
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
    head = _bytes(feed.atom_str(pretty=True)).removesuffix(_END)
    return head + "".join(entries).encode() + _END


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
        item.id(one.id)
        item.title(one.entry_title)
        item.published(one.published_at)
        item.content(content(one))
        for topic in one.topics:
            name = label(topic.title, topic.id)
            item.category(term=topic.id, scheme=f"{site.url}topics/", label=name)
        item.link(href=one.link, rel="alternate")
        item.dc.dc_creator(author(one))
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
        entry = feed.add_entry(order="append")
        entry.id(one.id)
        entry.title(one.title)
        entry.published(one.at)
        entry.updated(one.at)
        entry.content(one.html, type="html")
        if one.url:
            entry.link(href=one.url, rel="alternate", type="text/html")
    return _bytes(feed.atom_str(pretty=True))


class _Beyond(BaseExtension):  # type: ignore[misc] # feedgen publishes no types
    """What feedgen does not know of an Atom document."""

    channel: Channel

    @property
    def marked(self) -> bool:
        """Whether the document is said to be an archive.

        One that is alone is not: validators miss a link to another one then.
        """
        one = self.channel
        return bool(one.month and (one.earlier or one.later))

    def extend_ns(self) -> dict[str, str]:
        """Return the namespaces that are needed."""
        needed = {"at": self.channel.gone, "fh": self.marked}
        return {name: _NAMESPACES[name] for name, its in needed.items() if its}

    def extend_atom(self, feed: Any) -> Any:  # noqa: ANN401 - an lxml element
        """Add what is needed to the feed and return it."""
        if self.marked:
            etree.SubElement(feed, _ARCHIVE)
        for one in self.channel.gone:
            _tombstone(feed, one)
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


def _bytes(document: bytes) -> bytes:
    return document if document.endswith(b"\n") else document + b"\n"
