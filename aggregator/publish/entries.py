"""An Atom entry (RFC 4287 §4.1.2) as text, made once for all documents it stands in.

Text, because each of ten thousand stories stands in several archives, and as a tree of
elements an entry takes four times as long; feedgen's own would lack half of this, since
it drops `rel` from links and writes atom:source without id. Everything that is not
written here goes through `_text` or `_value`. Nothing about feeds may enter.
"""

from __future__ import annotations

from html import escape

from aggregator.model import Site
from aggregator.publish.view import Shown, clean, untagged


def entry(site: Site, one: Shown, content: str) -> str:
    """Return the entry of a story, indented as part of a feed; content: its HTML."""
    language = f' xml:lang="{one.language}"' if one.language else ""
    return f"""  <entry>
    <id>{_text(one.id)}</id>
    <title{language}>{_text(one.entry_title)}</title>
    <updated>{one.updated_at.isoformat()}</updated>
    <author>
      <name>{_text(author(one))}</name>
    </author>
    <content type="html">{_text(content)}</content>
{_categories(site, one)}    <published>{one.published_at.isoformat()}</published>
{_links(one)}{_source(one)}  </entry>
"""


def author(one: Shown) -> str:
    """Return who wrote a story: the journalist, else the outlet, never nobody."""
    return untagged(one.author or one.outlet or one.name)


def label(title: str, name: str) -> str:
    """Return the title of a topic as a category shows it, else its name."""
    return untagged(clean(title)) or name


def _categories(site: Site, one: Shown) -> str:
    return "".join(
        f'    <category term="{_value(topic.id)}" scheme="{_value(site.url)}topics/"'
        f' label="{_value(label(topic.title, topic.id))}"/>\n'
        for topic in one.topics
    )


def _links(one: Shown) -> str:
    links = _link(4, one.link, "alternate", type="text/html")
    related = [copy.url for copy in one.others] + [one.archived]
    for url in dict.fromkeys(url for url in related if url and url != one.link):
        links += _link(4, url, "related")
    if one.home:
        # RFC 4287 allows an empty title, validators do not.
        title = {"title": untagged(one.outlet)} if one.outlet else {}
        links += _link(4, one.home, "via", **title)
    return links


def _source(one: Shown) -> str:
    """Return the feed that delivered the story, "" where none is known.

    RFC 4287 §4.2.11 wants its own date; all that is known of it is that it held this
    entry when the entry was published.
    """
    url = one.source_url
    links = _link(6, url, "self") if url else ""
    links += _link(6, one.home, "alternate", type="text/html") if one.home else ""
    if not links:
        return ""
    return f"""    <source>
      <id>{_text(url or one.home)}</id>
      <title>{_text(untagged(one.source_title))}</title>
      <updated>{one.published_at.isoformat()}</updated>
{links}    </source>
"""


def _link(indent: int, href: str, rel: str, **more: str) -> str:
    rest = "".join(f' {name}="{_value(value)}"' for name, value in more.items())
    return f'{" " * indent}<link href="{_value(href)}" rel="{rel}"{rest}/>\n'


def _text(words: str) -> str:
    """Return what stands for words inside an element."""
    return escape(words, quote=False)


def _value(words: str) -> str:
    """Return what stands for words between the quotes of an attribute."""
    return escape(words, quote=False).replace('"', "&quot;")
