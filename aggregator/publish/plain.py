"""Texts as a mail takes them, wrapped, and as Markdown shows them as they are.

Pure. Nothing about stories may enter; what is clean already is made so in `view`.
"""

from __future__ import annotations

import re
import textwrap

WIDTH = 76  # columns of a mail's lines: RFC 2822 §2.1.1 asks for 78 at most

# What CommonMark, or GitHub's dialect of it, may take for markup inside a line; it lets
# any of them be escaped by a backslash.
_MARKUP = re.compile(r"([\\`*_\[\]<>#|~$]|&(?=#?\w+;))")
_ENTITY = re.compile(r"&(?=#?\w+;)")


def wrapped(text: str, first: int = 0, rest: int = 0) -> str:
    """Return the text in lines of WIDTH columns at most.

    first, rest: columns that the first line is indented by, and the others. Breaks at
    plain spaces, and inside a word only where that is longer than a line.
    """
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=" " * first,
        subsequent_indent=" " * rest,
        break_on_hyphens=False,
    )


def literal(text: str) -> str:
    """Return a text as a line of Markdown has to hold it so that it is shown as it is.

    Not for the beginning of a line, where « 1. » or « - » begin a list.
    """
    return _MARKUP.sub(r"\\\1", text)


def target(url: str) -> str:
    """Return a web address as Markdown takes it between < and >."""
    return _ENTITY.sub("&amp;", url)
