"""The site's own words, dates and typography, in its language.

Babel is used here only. Catalogues are read as they stand (`languages/fr.po`), so a
third language is one file and no build step. Nothing about stories or documents may
enter.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from gettext import GNUTranslations
from io import BytesIO

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.dates import format_date, format_skeleton
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from aggregator.languages import catalogue
from aggregator.model import Precision

_SPACES = "[ \u00a0\u202f]"
_NARROW = "\u202f"  # narrow no-break space
_SIGNS = re.compile("[;:!?«»%€]")
# A per cent, but not the place of a value in a catalogue: %(count)s.
_BEFORE = re.compile(f"{_SPACES}+([;:!?»€]|%(?!\\())")
_OPENING = re.compile(f"«{_SPACES}*(?=.)")
_CLOSING = re.compile(f"(?<=.){_SPACES}*»")
_FIRST = re.compile(r"^1 ")
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
    _day: Callable[[date], str]

    @property
    def direction(self) -> str:
        """Return how it is written, as an HTML `dir` attribute wants it."""
        return "rtl" if self.locale.character_order == "right-to-left" else "ltr"

    @property
    def territory(self) -> str:
        """Return the language with a country, as Open Graph wants it: « fr_FR »."""
        likely = get_global("likely_subtags").get(self.locale.language, "")
        country = self.locale.territory or likely.rpartition("_")[2]
        return f"{self.locale.language}_{country}" if country else self.locale.language

    def day(self, at: datetime, precision: Precision = "day") -> str:
        """Return « 14 févr. 2020 », « 1er mars 2020 », or « nov. 2019 » for a month."""
        if precision == "month":
            return str(format_skeleton("yMMM", at, locale=self.locale))
        day = self._day(at.date())
        # In French the first of a month is an ordinal, of which CLDR knows nothing.
        return _FIRST.sub("1er ", day) if self.locale.language == "fr" else day

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
        narrow and unbreakable; before ; : ! ? % € none is added where the text has none
        (addresses, hours, English).
        """
        if _base(language or self.language) != "fr" or _base(self.language) != "fr":
            return text
        return _french(text)

    def foreign(self, language: str) -> str:
        """Return the language where it is one and not the site's, else ""."""
        return "" if _base(language) == _base(self.language) else _registered(language)


@lru_cache(maxsize=8)
def words(language: str) -> Words:
    """Return the words of a language; English ones where there is no catalogue for it.

    Dates are the language's own as far as Babel knows it, in any case.
    """
    try:
        locale = Locale.parse(language.replace("_", "-"), sep="-")
    except (ValueError, UnknownLocaleError):
        locale = Locale.parse(_FALLBACK)
    known = _translations(language) or _translations(_FALLBACK)
    assert known is not None, "English ships with the package"

    def typed(text: str) -> str:
        return _french(text) if locale.language == "fr" else text

    @cache  # a few words, for each of many stories
    def gettext(text: str) -> str:
        return typed(known.gettext(text))

    @lru_cache(maxsize=4096)  # Babel takes 20 µs for a day, and a story shows it thrice
    def day(on: date) -> str:
        return str(format_date(on, "medium", locale=locale))

    return Words(
        language=str(locale).replace("_", "-"),
        locale=locale,
        gettext=gettext,
        ngettext=lambda one, many, count: typed(known.ngettext(one, many, count)),
        _day=day,
    )


def _translations(language: str) -> GNUTranslations | None:
    source = catalogue(language)
    if source is None:
        return None
    with source.open("rb") as lines:
        read = read_po(lines)
    compiled = BytesIO()
    write_mo(compiled, read)  # gettext knows how to choose a plural; Babel does not
    compiled.seek(0)
    return GNUTranslations(compiled)


@lru_cache(maxsize=256)
def _registered(language: str) -> str:
    """Return an outlet's language as a checker takes it, « en-GB »; "" = unknown."""
    every = Locale.parse(_FALLBACK)
    base, region = _base(language), language.replace("_", "-").partition("-")[2].upper()
    if base not in every.languages:
        return ""
    return f"{base}-{region}" if region in every.territories else base


@lru_cache(maxsize=256)
def _base(language: str) -> str:
    return language.replace("_", "-").partition("-")[0].casefold()


def _french(text: str) -> str:
    if not _SIGNS.search(text):  # most texts: worth a look before three substitutions
        return text
    text = _BEFORE.sub(_NARROW + r"\1", text)
    text = _OPENING.sub("«" + _NARROW, text)
    return _CLOSING.sub(_NARROW + "»", text)
