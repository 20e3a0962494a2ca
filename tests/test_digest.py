"""The digest: what happened of late, as a mail's text, HTML, Markdown and JSON."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from conftest import Server
from hypothesis import given
from hypothesis import strategies as st
from lxml import html
from markdown_it import MarkdownIt
from publish_cases import SITE, TOPICS, a_story
from test_publish_desk import FEED, NEW, a_line, a_view, an_event
from worlds import EPOCH, aggregator, configure, copied, item, rss

from aggregator.cli import main
from aggregator.health import Health, Kind
from aggregator.lock import held
from aggregator.model import Copy, State, Story
from aggregator.publish.desk import DeskView
from aggregator.publish.digest import Digest, digest
from aggregator.publish.news import News, Tally, news
from aggregator.publish.view import clean
from aggregator.stories import Suggested

UNTIL = datetime(2026, 3, 16, 7, tzinfo=UTC)  # a Monday; stories are of 14 March
SINCE = UNTIL - timedelta(days=7)
ENGLISH = replace(SITE, language="en")
MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
COUNTED = {"Le Journal": (30, 12, 3), "La Nuit": (7, 5, 0)}
TAGS = {"div", "h1", "h2", "h3", "p", "ul", "li", "a", "em", "strong", "pre", "code"}
TABLE = {"table", "thead", "tbody", "tr", "th", "td"}


def told(
    *stories: Story,
    view: DeskView | None = None,
    counted: Mapping[str, tuple[int, int, int]] = COUNTED,
    cycle_at: datetime | None = UNTIL,
) -> News:
    """Return the news of the week, where nothing is in trouble unless it is said."""
    shown = view or a_view()
    return news(ENGLISH, stories, shown, counted, SINCE, UNTIL, cycle_at)


def english(given: News) -> Digest:
    return digest(ENGLISH, TOPICS, given)


def french(given: News) -> Digest:
    return digest(SITE, TOPICS, given)


def rendered(markdown: str) -> Any:
    """Return what a reader of a report sees of its Markdown."""
    return html.fromstring(f"<div>{MARKDOWN.render(markdown)}</div>")


def words(tree: Any) -> str:
    return " ".join(tree.text_content().split())


def waits(number: int, **given: Any) -> Story:
    return a_story(number, **{"state": State.WAITING, "added_at": None} | given)


def gone(number: int, **given: Any) -> Story:
    made = {"state": State.HIDDEN, "withdrawn_at": UNTIL - timedelta(days=1)}
    return a_story(number, **made | given)


# ── what is told ──────────────────────────────────────────────────────────────────────


def test_published_stories_stand_under_their_first_topic() -> None:
    """Each once, newest first, as the press list has it, with its other outlets."""
    copy = Copy("La Nuit", "https://nuit.example/1", "Un titre", UNTIL)
    first = a_story(1, topics=("film", "travail"))
    joined = replace(first, copies=(*first.copies, copy))
    seen = french(told(a_story(2), joined, a_story(0, topics=("travail",)))).text

    assert seen.startswith("3 articles publiés – La presse en parle\n")
    assert "Du 9 mars 2026 au 16 mars 2026" in seen
    assert re.findall(r"numéro \d|^Le \w+$", seen, re.MULTILINE) == [
        *("Le film", "numéro 1", "numéro 2"),
        *("Le travail", "numéro 0"),
    ]
    assert (
        "(13 mars 2026) Un article numéro 1, Le Journal. Aussi dans La Nuit.\n"
        "  https://journal.example/1\n"
    ) in seen


def test_only_what_came_and_went_in_that_time_is_told() -> None:
    """By when it entered or left our feed, whatever date the outlet gives it."""
    old = a_story(3, added_at=SINCE - timedelta(seconds=1))
    late = a_story(400, added_at=SINCE)
    left = gone(5), gone(6, withdrawn_at=SINCE - timedelta(days=1))
    given = told(old, late, *left)
    seen = english(given).text

    assert [story.short for story in given.published] == ["story400"]
    assert [story.short for story in given.withdrawn] == ["story005"]
    assert "1 article published, 1 withdrawn" in seen
    assert "  A decision of yours hides it.\n    aggregator why story005\n" in seen


def test_the_first_few_that_wait_have_their_commands() -> None:
    """The newest five; how many more there are is told."""
    given = told(view=a_view(waiting=tuple(map(waits, range(8)))))
    seen = english(given).text

    assert seen.startswith("8 waiting – ")
    assert re.findall(r"^    aggregator keep (\w+)$", seen, re.MULTILINE) == [
        f"story00{number}" for number in range(5)
    ]
    assert seen.count("aggregator hide") == 5
    assert "\nand 3 others\n" in seen


def test_stories_that_may_be_one_stand_together() -> None:
    """With what they share, and one line for each answer."""
    join = Suggested(a_story(1), a_story(2), "same title within 48 h")
    seen = english(told(view=a_view(joins=(join,)))).text

    assert seen.startswith("1 possible duplicate – ")
    assert "  The same title, within two days.\n" in seen
    assert "    aggregator merge story002 story001\n" in seen
    assert "    aggregator split story001\n" in seen


def test_outlets_in_trouble_are_told_with_the_mend() -> None:
    """Since when, why, and what to paste; the worst first."""
    lines = (
        a_line("A", "https://ok.example/"),
        a_line("B", FEED, moved_to=NEW),
        a_line("C", "https://s.example/", state=Health.SILENT, silent_since=SINCE),
        a_line("D", "https://f.example/", state=Health.FAILING, error="http 503"),
        a_line("E", "https://g.example/", state=Health.GONE, error="http 410"),
    )
    seen = english(told(view=a_view(lines=lines))).text
    named = re.findall(r"^([A-E])$", seen, re.MULTILINE)
    paste = re.findall(r'^    ("B" = .*)$', seen, re.MULTILINE)

    assert seen.startswith("4 troubles – ")
    assert named == ["D", "E", "C", "B"]
    assert "  Reason: http 503. Last read on " in seen
    assert tomllib.loads(paste[0]) == {"B": NEW}


def test_what_the_brake_holds_is_told() -> None:
    """How many stories of which topic, the first ones, and how to let them pass."""
    story = a_story(1, state=State.HELD, held=("film",), added_at=None)
    given = told(view=a_view(an_event(Kind.BRAKE), held=(story,)))
    seen = english(given).text

    assert dict(given.held) == {"film": 1}
    assert "Le film: articles that the brake holds: 1\n" in seen
    assert "    - Un article numéro 1 (Le Journal)\n" in seen
    assert "aggregator publish --accept" in seen


def test_gaps_of_that_time_are_told() -> None:
    """Of outlets that are followed; older ones were told before."""
    fresh = an_event(Kind.GAP, 1, at=SINCE, since=SINCE - timedelta(hours=5))
    stale = an_event(Kind.GAP, 2, at=SINCE - timedelta(days=1), outlet="Stale")
    other = an_event(Kind.GAP, 3, at=UNTIL, subject="https://x.example/", outlet="X")
    given = told(view=a_view(fresh, stale, other))

    assert [note.name for note in given.troubles] == ["Slate"]
    assert "Perhaps missed\n" in english(given).text
    assert "Slate: articles may have been missed between Mar 9, 2026" in (
        english(given).text
    )


def test_outlets_are_counted() -> None:
    """What brought something has a row of its own, the others share one."""
    stories = a_story(0), a_story(1, outlet="JT 20H")
    given = told(*stories)
    (*_, head, own, added, others, every) = english(given).text.splitlines()

    assert given.tallies == (
        Tally("Le Journal", 30, 12, 3, 1),
        Tally("JT 20H", 0, 0, 0, 1),
        Tally("La Nuit", 7, 5, 0, 0),
    )
    assert head.split() == ["Outlet", "Polls", "Entries", "Mentions", "Published"]
    assert own.split() == ["Le", "Journal", "30", "12", "3", "1"]
    assert added.split() == ["JT", "20H", "0", "0", "0", "1"]
    assert others.split() == ["1", "other", "outlet", "7", "5", "0", "0"]
    assert every.split() == ["Together", "37", "17", "3", "2"]


def test_a_quiet_week_is_one_line() -> None:
    """It tells that something was read all the same."""
    quiet = told()
    line = "Nothing new since Mar 9, 2026 (37 polls) – La presse en parle"

    assert english(quiet).text == f"{line}\n"
    assert english(quiet).markdown == f"# {line}\n"
    assert html.fromstring(english(quiet).html).findtext("head/title") == line
    assert french(quiet).text.startswith("Rien de nouveau depuis le 9 mars 2026")


@pytest.mark.parametrize("ended", [None, SINCE - timedelta(seconds=1)])
def test_a_week_without_a_cycle_is_not_a_quiet_one(ended: datetime | None) -> None:
    """Where nothing runs any more, the digest may be all that tells."""
    seen = english(told(cycle_at=ended, counted={})).text

    assert seen.startswith("1 trouble – ")
    assert "Nothing is polled" in seen


def test_a_story_of_a_topic_that_was_taken_out_is_told() -> None:
    """The brake may hold it where it was."""
    seen = english(told(a_story(1, topics=("gone",)))).text

    assert "Un article numéro 1" in seen


# ── how it is set ─────────────────────────────────────────────────────────────────────

HOSTILE = st.text(
    st.sampled_from([*"*_[]()`<>#|~&\\!$-+=.:;\"'1ax/é\u202e\u200b\x1b\n\t «»—"])
    | st.characters(codec="utf-8"),
    min_size=1,
    max_size=60,
).filter(lambda text: len(clean(text)) > 1)
MEAN = "<script>alert(1)</script>![x](y) **b** `c` # | a | &lt; https://x.example"


def everywhere(text: str) -> News:
    """Return news in which a text of others stands wherever one can."""
    copy = Copy(text, "https://nuit.example/?a=1&lt;=2", text, UNTIL)
    story = replace(a_story(1, title=text, outlet=text), copies=(copy, copy))
    waiting = waits(2, title=text, outlet=text, url="")
    braked = waits(3, title=text, state=State.HELD, held=("film",))
    bad = a_line(text, state=Health.FAILING, error=text, moved_to=NEW)
    view = a_view(
        an_event(Kind.BRAKE, outlet=text),
        an_event(Kind.EDIT, 2, text=text),
        lines=(bad,),
        waiting=(waiting,),
        held=(braked,),
        joins=(Suggested(story, waiting, text),),
    )
    return told(story, gone(4, title=text), view=view, counted={text: (1, 1, 1)})


@given(text=HOSTILE)
def test_whatever_an_outlet_writes_is_text(text: str) -> None:
    """In Markdown, too, it comes out as it was; in HTML no tag of others passes."""
    given = english(everywhere(text))
    report, page = rendered(given.markdown), html.fromstring(given.html)
    name = clean(text)
    links = [a.get("href") for a in (*report.iter("a"), *page.iter("a"))]

    assert {one.tag for one in report.iter()} <= TAGS | TABLE
    assert not page.xpath("//script|//img|//style|//link|//@src|//@onerror|//i")
    assert all(link.startswith(("http://", "https://")) for link in links)
    for tree in (report, page):
        shown = [words(a) for a in tree.iter("a") if "/1" in a.get("href")]
        assert shown[0] == " ".join(name.split())


@pytest.mark.parametrize(
    "text", [MEAN, "1. a", "- a", "# a", "> a", "a" * 400, "&amp;"]
)
def test_markdown_of_others_is_no_markup(text: str) -> None:
    """Not even where it stands first in a line, or is as long as a page."""
    given = everywhere(text)
    report = rendered(english(given).markdown)
    cut = text if len(text) < 100 else text[:100]

    assert len(report.xpath("//h1")) == 1
    assert not report.xpath("//ol|//blockquote|//img|//li//li|//li//h1")
    assert words(report).count(cut) >= 8


@given(text=HOSTILE)
def test_a_mails_lines_are_short_and_without_trailing_blanks(text: str) -> None:
    """But for addresses and commands, which a mail program must find whole."""
    seen = english(everywhere(text)).text
    lines = seen.split("\n")
    wide = [line for line in lines if len(line) > 76]

    assert all(line == line.rstrip() for line in lines)
    assert all(re.match(r"  https?://\S+$|    \S", line) for line in wide)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", seen)
    assert "\n\n\n\n" not in seen


def test_links_stand_on_their_own_lines() -> None:
    """However long they are; a story without an address has its anchor."""
    long = f"https://journal.example/{'a/' * 60}"
    seen = english(told(a_story(1, url=long), a_story(2, url=""))).text

    assert f"\n  {long}\n" in seen
    assert f"\n  {SITE.url}2026/index.html#s-story002\n" in seen


def test_the_subject_is_one_line_that_fits() -> None:
    """A long name of the site gives way."""
    site = replace(ENGLISH, title="Une très longue revue\nde presse " * 5)
    seen = digest(site, TOPICS, told(a_story(1))).text.split("\n")

    assert len(seen[0]) <= 76
    assert seen[0].startswith("1 article published – Une très longue revue de presse")
    assert seen[0].endswith("…")
    assert seen[1] == ""


# ── the command ───────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def polled(tmp_path_factory: pytest.TempPathFactory, outlet: Server) -> Path:
    """Return a folder after a cycle: a published story, two that wait, a failure."""
    folder = tmp_path_factory.mktemp("polled")
    items = (
        item("a", "Les travailleurs du clic"),
        item("b", "Des petites mains"),
        item("c", "Les petites mains de la couture"),
    )
    outlets = {
        "Le Jour": outlet.route("/jour", body=rss(*items)),
        "La Nuit": outlet.route("/nuit", status=503),
    }
    made = configure(folder, outlets)
    assert aggregator(made, "run").returncode == 0
    return folder


@pytest.fixture
def path(tmp_path: Path, polled: Path) -> Path:
    """Return the feeds.toml of a copy of that folder, for this test alone."""
    return copied(polled, tmp_path)


def call(path: Path, *words: str, days: int = 1) -> Result:
    """Run a command in this process, some days after the cycle."""
    env = {"SOURCE_DATE_EPOCH": str(int(EPOCH) + days * 86400)}
    return CliRunner().invoke(main, ["--config", str(path), *words], env=env)


def test_the_command_tells_what_the_database_knows(path: Path) -> None:
    """In all its forms; it needs no lock, and writes nothing."""
    before = path.with_name("aggregator.db").read_bytes()
    with held(path.with_name("aggregator.db"), "cycle"):
        seen = {form: call(path, "digest", *form.split()) for form in FORMS}
    given = json.loads(seen["--json"].stdout)

    assert {one.exit_code for one in seen.values()} == {0}
    assert seen[""].stdout.startswith("1 article publié, 2 à relire, 2 soucis – La p")
    assert seen["--markdown"].stdout.startswith("# 1 article publié")
    assert seen["--html"].stdout.startswith("<!DOCTYPE html>")
    assert seen[""].stdout.endswith("1\n")
    assert [one["title"] for one in given["published"]] == ["Les travailleurs du clic"]
    assert {one["url"][-1] for one in given["waiting"]} == {"b", "c"}
    assert given["troubles"][0]["name"] == "La Nuit"
    assert given["counts"] == [
        {"outlet": "Le Jour", "polls": 1, "entries": 3, "mentions": 3, "stories": 1},
        {"outlet": "La Nuit", "polls": 1, "entries": 0, "mentions": 0, "stories": 0},
    ]
    assert path.with_name("aggregator.db").read_bytes() == before


FORMS = ("", "--html", "--markdown", "--json")


@pytest.mark.parametrize(
    ("since", "days", "published"),
    [
        ("7d", 7, 1),
        ("7d", 8, 0),
        ("25h", 1, 1),
        ("23h", 1, 0),
        ("2026-11-23", 30, 1),
        ("2026-11-24", 30, 0),
        ("0001-01-01", 1, 1),
    ],
)
def test_since_when_is_a_span_or_a_day(
    path: Path, since: str, days: int, published: int
) -> None:
    """A day begins at midnight in the site's time zone."""
    given = call(path, "digest", "--since", since, "--json", days=days).stdout

    assert len(json.loads(given)["published"]) == published


@pytest.mark.parametrize("since", ["2026-11-25", "soon", "7", "2026-11-31", ""])
def test_another_since_is_refused(path: Path, since: str) -> None:
    """With what to write instead."""
    refused = call(path, "digest", "--since", since)

    assert refused.exit_code == 2
    assert f"--since {since!r}" in refused.stderr


def test_what_was_decided_waits_no_longer(path: Path) -> None:
    """Even before it is published."""
    call(path, "hide", "https://jour.example/b")
    given = json.loads(call(path, "digest", "--json").stdout)

    assert [one["url"] for one in given["waiting"]] == ["https://jour.example/c"]


def test_without_a_database_one_line_says_so(tmp_path: Path) -> None:
    """There is nothing to tell before the first cycle."""
    path = configure(tmp_path, {"Le Jour": "http://127.0.0.1:9/fil.xml"})
    refused = call(path, "digest")

    assert refused.exit_code == 1
    assert len(refused.stderr.splitlines()) == 1
