"""A language is a translation file, and nothing else."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import pytest
from babel.messages.pofile import read_po, write_po
from lxml import html
from worlds import aggregator, configure

from aggregator.config import keys
from aggregator.languages import catalogue, languages
from aggregator.publish.words import words

PACKAGE = Path(str(files("aggregator")))


def test_the_languages_are_the_files() -> None:
    """What feeds.toml may say is what has a file."""
    there = sorted(path.stem for path in (PACKAGE / "languages").glob("*.po"))

    assert list(languages()) == there
    assert {"en", "fr"} <= set(there)
    for language in there:
        assert keys.SITE.keys["language"].read(language) == language


@pytest.mark.parametrize("asked", ["fr", "fr-CA", "fr_BE", "FR"])
def test_a_countrys_language_has_the_words_of_the_language(asked: str) -> None:
    """Where it has no file of its own."""
    found = catalogue(asked)

    assert found is not None
    assert found.name == "fr.po"
    assert catalogue("tlh") is None


def test_a_third_language_needs_one_file_only(tmp_path: Path) -> None:
    """Dropped into a copy of the package, it is accepted and its words are shown."""
    copy = tmp_path / "aggregator"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    with (copy / "languages" / "en.po").open("rb") as lines:
        translated = read_po(lines)
    translated["Subscribe"].string = "الاشتراك"
    with (copy / "languages" / "ar.po").open("wb") as lines:
        write_po(lines, translated)
    path = configure(tmp_path, {"Le Jour": "http://127.0.0.1:9/fil.xml"})
    said = path.read_text("utf-8").replace("[polling]", 'language = "ar"\n[polling]')
    path.write_text(said, "utf-8")
    # The copy, not the checkout that the tests were started in.
    of_copy = {"PYTHONPATH": str(tmp_path), "PYTHONSAFEPATH": "1"}
    done = aggregator(path, "publish", env=of_copy)
    page = html.parse(str(tmp_path / "public" / "index.html")).getroot()

    assert done.returncode == 0, done.stderr
    assert (page.get("lang"), page.get("dir")) == ("ar", "rtl")
    assert page.xpath("//section[@id='subscribe']/h2/text()") == ["الاشتراك"]
    assert page.xpath("//nav[@class='topics']/@aria-label") == ["Topics"]


@pytest.mark.parametrize(
    ("language", "day", "territory"),
    [
        ("fr", "1er mars 2020", "fr_FR"),
        ("fr-CA", "1er mars 2020", "fr_CA"),
        ("en", "Mar 1, 2020", "en_US"),
        ("en-GB", "1 Mar 2020", "en_GB"),
        ("de", "01.03.2020", "de_DE"),
    ],
)
def test_dates_are_set_as_the_language_has_them(
    language: str, day: str, territory: str
) -> None:
    """The first of a month is an ordinal in French; a country has its own order."""
    said = words(language)

    assert said.day(datetime(2020, 3, 1, tzinfo=UTC)) == day
    assert said.territory == territory


@pytest.mark.parametrize(
    ("said", "marked"),
    [
        ("en", "en"),
        ("en-gb", "en-GB"),
        ("de_AT", "de-AT"),
        ("en-FRA", "en"),
        ("zh-Hans", "zh"),
        ("fr-CA", ""),
        ("english", ""),
        ("xx", ""),
        ("", ""),
    ],
)
def test_only_real_languages_are_marked_on_a_page(said: str, marked: str) -> None:
    """An outlet may call its language what it likes; a screen reader must know it."""
    assert words("fr").foreign(said) == marked
