"""The site's own words, dates and typography, in its language.

Babel is used here only. Catalogues are read as they stand (`locale/fr.po`), so a third
language is one file and no build step. Nothing about stories or documents may enter.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from gettext import GNUTranslations
from importlib.resources import files
from io import BytesIO

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from aggregator.model import Precision

_SPACES = "[ \u00a0\u202f]"
_NARROW = "\u202f"  # narrow no-break space
_BEFORE = re.compile(f"{_SPACES}+([;:!?»])")
_OPENING = re.compile(f"«{_SPACES}*(?=.)")
_CLOSING = re.compile(f"(?<=.){_SPACES}*»")
_FALLBACK = "en"


@dataclass(frozen=True, slots=True)
class Words:
    """A language to write pages in.

    language: as an HTML `lang` attribute wants it. gettext, ngettext: as in the
    standard library; what they return already has its language's spacing.
    """

    language: str
    locale: Locale
    gettext: Callable[[str], str]
    ngettext: Callable[[str, str, int], str]

    def day(self, at: datetime, precision: Precision = "day") -> str:
        """Return « 14 févr. 2020 », or « nov. 2019 » where only the month is known."""
        if precision == "month":
            return str(format_skeleton("yMMM", at, locale=self.locale))
        return _day(self.locale, at.date())

    def moment(self, at: datetime) -> str:
        """Return « 14 févr. 2020, 20:05 »."""
        return f"{self.day(at)}, {at:%H:%M}"

    def month(self, at: datetime) -> str:
        """Return « Février 2020 », as a heading begins."""
        month = str(format_skeleton("yMMMM", at, locale=self.locale))
        return month[:1].upper() + month[1:]

    def typographic(self, text: str, language: str = "") -> str:
        """Return the text with the spaces that French sets inside guillemets and signs.

        language: of the text, "" = unknown, taken for the site's. Spaces are made
        narrow and unbreakable; before ; : ! ? none is added where the text has none
        (addresses, hours, English).
        """
        if _base(language or self.language) != "fr" or _base(self.language) != "fr":
            return text
        return _french(text)

    def foreign(self, language: str) -> str:
        """Return the language where it is known and not the site's, else ""."""
        return language if language and _base(language) != _base(self.language) else ""


@lru_cache(maxsize=4096)
def _day(locale: Locale, on: date) -> str:
    """Return a day; Babel takes 20 µs for each, and a story shows its own thrice."""
    return str(format_date(on, "medium", locale=locale))


@lru_cache(maxsize=8)
def words(language: str) -> Words:
    """Return the words of a language; English ones where there is no catalogue for it.

    Dates are the language's own as far as Babel knows it, in any case.
    """
    try:
        locale = Locale.parse(language.replace("_", "-"), sep="-")
    except (ValueError, UnknownLocaleError):
        locale = Locale.parse(_FALLBACK)
    catalogue = _catalogue(locale.language) or _catalogue(_FALLBACK)
    assert catalogue is not None, "English ships with the package"
    known = catalogue

    def typed(text: str) -> str:
        return _french(text) if locale.language == "fr" else text

    return Words(
        language=str(locale).replace("_", "-"),
        locale=locale,
        gettext=lambda text: typed(known.gettext(text)),
        ngettext=lambda one, many, count: typed(known.ngettext(one, many, count)),
    )


def _catalogue(language: str) -> GNUTranslations | None:
    source = files("aggregator.publish") / "locale" / f"{language}.po"
    if not source.is_file():
        return None
    with source.open("rb") as lines:
        catalogue = read_po(lines, locale=language)
    compiled = BytesIO()
    write_mo(
        compiled, catalogue
    )  # gettext knows how to choose a plural; Babel does not
    compiled.seek(0)
    return GNUTranslations(compiled)


def _base(language: str) -> str:
    return language.replace("_", "-").partition("-")[0].casefold()


def _french(text: str) -> str:
    text = _BEFORE.sub(_NARROW + r"\1", text)
    text = _OPENING.sub("«" + _NARROW, text)
    return _CLOSING.sub(_NARROW + "»", text)
