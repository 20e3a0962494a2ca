r"""stories.bib: every published story as a BibTeX entry, for biber and for bibtex.

UTF-8; what LaTeX would take for a command is escaped. A brace is written as a command
and not as \{, since BibTeX counts braces whatever stands before them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote

from aggregator.publish.templates import FORMS
from aggregator.publish.view import Shown
from aggregator.publish.words import Words, words

# biblatex knows @audio and @video, which plain styles of BibTeX treat as @misc.
_TYPES = {"radio": "audio", "podcast": "audio", "tv": "video", "video": "video"}
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_SPECIAL = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\textbraceleft{}",
        "}": r"\textbraceright{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        **{char: f"\\{char}" for char in "&%$#_"},
    }
)
_BETWEEN = re.compile(r"\s*(?:,|;|&|/|\bet\b|\band\b)\s+")
_PERSON = re.compile(r"[^\W\d_][\w.’'-]*(?: [^\W\d_][\w.’'-]*){1,4}")


def bib(stories: Iterable[Shown], language: str) -> bytes:
    """Return an entry for each story; language: of the words that are ours."""
    said = words(language)
    return "\n".join(_entry(one, said) for one in stories).encode("utf-8", "replace")


def _entry(one: Shown, said: Words) -> str:
    kind = _TYPES.get(one.form, "article")
    form = said.gettext(FORMS[one.form]) if one.form in FORMS else ""
    notes = [escaped(text) for text in (form, one.detail) if text]
    fields = {
        "author": _authors(one.author),
        "title": f"{{{escaped(one.name)}}}",
        "journal" if kind == "article" else "organization": escaped(one.outlet),
        "date": one.date,
        "year": f"{one.local_at.year:04}",
        "url": _address(one.url),
        "keywords": ", ".join(escaped(topic.id) for topic in one.topics),
        "note": ", ".join(notes),
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    lines.append(f"  month = {_MONTHS[one.local_at.month - 1]},")
    return f"@{kind}{{s-{one.story.short},\n" + "\n".join(lines) + "\n}\n"


def escaped(text: str) -> str:
    """Return the text as LaTeX prints it, on one line."""
    return text.translate(_SPECIAL)


def _authors(names: str) -> str:
    """Return the names as BibTeX joins them; what is no person's is kept whole."""
    parts = [part for part in _BETWEEN.split(names) if part.strip()]
    return " and ".join(
        escaped(part) if _PERSON.fullmatch(part) else f"{{{escaped(part)}}}"
        for part in parts
    )


def _address(url: str) -> str:
    """Return a URL in which BibTeX counts no brace and LaTeX sees no command."""
    return "".join(quote(char) if char in r"\{}^~`" else char for char in url)
