"""The list for others' pages: `fragment.html` to include, `embed.html` to frame.

A fragment has no style, no script and no id, absolute links only, and is written in
ASCII, so that it reads right in a page of any encoding. The embedded page carries its
style, which its policy names by hash, and nothing else: it needs no other file.
"""

from __future__ import annotations

from collections.abc import Sequence

from aggregator.model import Site, Topic
from aggregator.publish import templates
from aggregator.publish.channels import Press
from aggregator.publish.pages import FRONT
from aggregator.publish.view import Shown, clean

_EMBEDDED = 20  # stories in a frame; the page itself has the others


def fragments(site: Site, topics: Sequence[Topic], press: Press) -> dict[str, bytes]:
    """Return the fragments of the front page and of each topic, and what is framed."""
    main = _pinned_first(press.main)
    made = {"fragment.html": _fragment(site, site.url, main)}
    for topic in topics:
        folder = f"topics/{topic.id}/"
        page = f"{site.url}{folder}index.html"
        its = _pinned_first(press.topics[topic.id])
        made[f"{folder}fragment.html"] = _fragment(site, page, its)
    made["embed.html"] = _embed(site, main[:_EMBEDDED])
    return made


def _pinned_first(stories: Sequence[Shown]) -> tuple[Shown, ...]:
    """Return the stories as the pages list them: FRONT besides those pinned."""
    pinned = [one for one in stories if one.story.pinned]
    others = [one for one in stories if not one.story.pinned]
    return (*pinned, *others[:FRONT])


def _fragment(site: Site, page: str, stories: Sequence[Shown]) -> bytes:
    document = templates.filled(
        "fragment.html", site.language, page=page, stories=stories
    )
    return document.strip().encode("ascii", "xmlcharrefreplace") + b"\n"


def _embed(site: Site, stories: Sequence[Shown]) -> bytes:
    style = templates.sheet("embed.css").decode()
    document = templates.filled(
        "embed.html",
        site.language,
        page=site.url,
        title=clean(site.title) or site.url,
        stories=stories,
        style=style,
        source=templates.policy_source(style),
    )
    return document.strip().encode("utf-8", "replace") + b"\n"
