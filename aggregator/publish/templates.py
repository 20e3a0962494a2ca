"""The Jinja2 environment: templates by name, escaping on, words of one language.

Only this room sets up Jinja2 and reads `templates/`, where what a template says stands;
what it is given is decided by its callers.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from jinja2.utils import htmlsafe_json_dumps

from aggregator.publish.plain import literal, target, wrapped
from aggregator.publish.view import Shown
from aggregator.publish.words import Words, words

ICONS = ("favicon.svg", "favicon.ico", "apple-touch-icon.png")
# Where a long heading breaks best.
_PHRASES = re.compile(r"(?<=[:–—]) ")


class DataBlock(NamedTuple):
    """What a script element of data holds; source: names it in the page's policy.

    No browser runs it, so none asks the policy; checkers do, who take it for a script.
    """

    text: str
    source: str


def filled(name: str, language: str, **context: object) -> str:
    """Return the template filled in.

    In HTML every value is escaped; a template of another format says itself how.
    """
    return _environment(language).get_template(name).render(context)


def data_block(values: Mapping[str, object]) -> DataBlock:
    """Return the values as JSON without any <, > or &, so that nothing can end it."""
    text = htmlsafe_json_dumps(values, ensure_ascii=False, separators=(",", ":"))
    return DataBlock(text, policy_source(text))


def policy_source(text: str) -> str:
    """Return what names the text of a script or style in a page's policy (CSP 2)."""
    digest = sha256(text.encode("utf-8", "replace")).digest()
    return f"'sha256-{b64encode(digest).decode()}'"


def icons() -> dict[str, bytes]:
    """Return what browsers show beside a page's name, by the names they ask for."""
    folder = files("aggregator.publish") / "templates"
    return {name: (folder / name).read_bytes() for name in ICONS}


def stylesheet(*more: str) -> bytes:
    """Return style.css as it ships, and after it the sheets named."""
    return b"\n".join(map(sheet, ("style.css", *more)))


def sheet(name: str) -> bytes:
    """Return a stylesheet as it ships."""
    return (files("aggregator.publish") / "templates" / name).read_bytes()


@lru_cache(maxsize=8)
def _environment(language: str) -> Environment:
    said: Words = words(language)
    environment = Environment(
        loader=PackageLoader("aggregator.publish"),
        extensions=["jinja2.ext.i18n"],
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    i18n: Any = environment
    i18n.install_gettext_callables(said.gettext, said.ngettext, newstyle=True)
    environment.filters["typographic"] = said.typographic
    environment.filters["day"] = said.day
    environment.filters["month"] = said.month
    environment.filters["foreign"] = said.foreign
    environment.filters["phrases"] = _PHRASES.split
    environment.filters["facts"] = lambda story: facts(story, said)
    environment.filters["wrapped"] = wrapped
    environment.filters["literal"] = literal
    environment.filters["target"] = target
    environment.globals["language"] = said.language
    environment.globals["direction"] = said.direction
    environment.globals["territory"] = said.territory
    return environment


def facts(story: Shown, said: Words) -> list[str]:
    """Return what a reader should know of a story beside its title and outlet."""
    form = said.gettext(FORMS[story.form]) if story.form in FORMS else story.form
    facts = [] if story.form == "article" else [form]
    facts.append(said.typographic(story.detail))
    if story.person:
        facts.append(said.gettext("by %(author)s") % {"author": story.person})
    return [fact for fact in facts if fact]


def _n(message: str) -> str:
    """Mark a message for the catalogue without translating it yet."""
    return message


FORMS = {
    "tribune": _n("opinion"),
    "interview": _n("interview"),
    "radio": _n("radio"),
    "tv": _n("TV"),
    "video": _n("video"),
    "podcast": _n("podcast"),
    "paper": _n("in print"),
}
"""Forms that readers are told of; an article needs no word. DESIGN.md §4."""
