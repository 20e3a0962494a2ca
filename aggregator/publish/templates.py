"""The Jinja2 environment: templates by name, escaping on, words of one language.

Only this room sets up Jinja2. What a template says stands in `templates/`; what it is
given is decided by its callers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from aggregator.publish.view import Shown
from aggregator.publish.words import Words, words

# Where a long heading breaks best: after a colon, before a dash.
_PHRASES = re.compile(r"(?<=[:]) | (?=[–—] )")


def html(name: str, language: str, **context: object) -> str:
    """Return the template filled in; every value in it is escaped."""
    return _environment(language).get_template(name).render(context)


def macro(name: str, language: str) -> Callable[..., str]:
    """Return the macro `html` of a template, for what is filled in thousands of times.

    It is given its values by position, and takes little more than half of the time.
    """
    module: Any = _environment(language).get_template(name).module
    # A plain text, since Jinja's own escapes whatever is done to it.
    return lambda *values: str(module.html(*values))


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
        autoescape=True,
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
    environment.filters["facts"] = lambda story: _facts(story, said)
    environment.globals["language"] = said.language
    return environment


def _facts(story: Shown, said: Words) -> list[str]:
    """Return what a reader should know of a story beside its title and outlet."""
    form = said.gettext(FORMS[story.form]) if story.form in FORMS else story.form
    facts = [] if story.form == "article" else [form]
    facts.append(said.typographic(story.detail))
    if story.author != story.outlet and story.author:
        facts.append(said.gettext("by %(author)s") % {"author": story.author})
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
