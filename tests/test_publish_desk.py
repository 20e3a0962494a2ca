"""The desk: what waits, what is in trouble, what happened; for the maintainer alone."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import feedparser
import pytest
from browsing import browser, faults
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree, html
from publish_cases import SITE, a_story
from test_publish_feeds import ATOM, entries, grammar

from aggregator.health import Event, Health, Kind, Status
from aggregator.model import Copy, Evidence, State, Story
from aggregator.publish import write
from aggregator.publish.desk import FEED_SIZE, LATELY, SHOWN, DeskView, desk
from aggregator.publish.waiting import pairs
from aggregator.stories import Suggested, joining

AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
FEED = "https://slate.example/rss"
NEW = "https://slate.example/new"
BEFORE = AT - timedelta(days=20)
HUB = "https://hub.example/"
TROUBLES = (Health.NEVER_WORKED, Health.FAILING, Health.GONE, Health.SILENT)


def a_line(outlet: str = "Slate", url: str = FEED, **given: Any) -> Status:
    made = Status(
        outlet=outlet,
        url=url,
        state=Health.OK,
        last_success=AT,
        next_poll=AT + timedelta(hours=1),
        failures=0,
        http_status=200,
        error="",
        entries_per_day=3.0,
        silent_since=None,
        moved_to="",
    )
    return replace(made, **given)


def an_event(kind: Kind = Kind.FAILS, number: int = 1, **given: Any) -> Event:
    """Return an event of that kind, a minute later with each number."""
    subject, outlet = FEED, "Slate"
    if kind in (Kind.TOPIC_SILENT, Kind.TOPIC_SPEAKS, Kind.BRAKE, Kind.BRAKE_OFF):
        subject, outlet = "film", "Le film"
    elif kind in (Kind.EDIT, Kind.EDIT_MENDED):
        subject, outlet = "feeds.toml", ""
    elif kind in (Kind.HUB_FAILS, Kind.HUB_WORKS):
        subject, outlet = HUB, ""
    elif kind is Kind.WAITS:
        subject = "abcdefg2"
    text = {
        Kind.FAILS: "http 503",
        Kind.GONE: "http 410",
        Kind.MOVED: NEW,
        Kind.WAITS: "Un titre",
        Kind.BRAKE: "37",
        Kind.EDIT: "site.titel: unknown key\ntopics: missing",
        Kind.HUB_FAILS: "http 503",
    }
    at = AT + timedelta(minutes=number, microseconds=7)
    made = Event(number, at, kind, subject, outlet, text.get(kind, ""), BEFORE)
    return replace(made, **given)


def waits(**given: Any) -> Story:
    made: dict[str, Any] = {"short": "abcdefg2", "state": State.WAITING}
    return a_story(0, **made | given)


def a_view(*events: Event, **given: Any) -> DeskView:
    made = DeskView((a_line(),), {}, events, (), AT)
    return replace(made, **given)


def page(view: DeskView) -> Any:
    site = replace(SITE, hubs=(HUB,))
    return html.document_fromstring(desk(site, view)["index.html"].decode())


def words(found: Any) -> str:
    return " ".join(found.text_content().replace("\u202f", " ").split())


def feed(view: DeskView, language: str = "fr") -> Any:
    return feedparser.parse(desk(replace(SITE, language=language), view)["desk.atom"])


def content(view: DeskView) -> Any:
    """Return the content of the only entry."""
    (entry,) = entries(desk(SITE, view)["desk.atom"])
    return html.fromstring(f"<div>{entry.findtext(f'{ATOM}content')}</div>")


ALL = a_view(
    *(an_event(kind, number) for number, kind in enumerate(Kind)),
    waiting=(waits(),),
)


# ── desk.atom ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("view", [ALL, a_view(), DeskView((), {}, (), ())])
def test_the_feed_follows_the_grammar_of_rfc_4287(view: DeskView) -> None:
    """With every kind of event, with none, and before anything is followed."""
    body = desk(SITE, view)["desk.atom"]
    tree = etree.fromstring(body)
    read = feedparser.parse(body)

    assert grammar().validate(tree), grammar().error_log
    assert all(one.findtext(f"{ATOM}content").strip() for one in entries(body))
    assert (read.version, read.bozo) == ("atom10", False)
    assert len(read.entries) == len(view.events)
    assert tree.findall(f"{ATOM}link") == []


@pytest.mark.parametrize(
    ("kind", "title", "undated"),
    [
        (
            Kind.FAILS,
            "Slate : le flux ne répond plus (http 503)",
            "Slate : le flux n’a jamais pu être lu (http 503)",
        ),
        (Kind.GONE, "Slate : le flux est supprimé (http 410)", ""),
        (Kind.RECOVERED, "Slate : le flux répond de nouveau", ""),
        (Kind.UNSTEADY, "Slate : le flux tombe et revient sans cesse", ""),
        (
            Kind.SILENT,
            "Slate est silencieux depuis le 3 nov. 2026",
            "Slate est devenu silencieux",
        ),
        (Kind.SPEAKS, "Slate publie de nouveau", ""),
        (Kind.MOVED, "Slate a déménagé", ""),
        (
            Kind.GAP,
            (
                "Slate : des articles ont pu échapper entre le 3 nov. 2026, 10:00 "
                "et le 23 nov. 2026, 10:01"
            ),
            "Slate : des articles ont pu échapper avant le 23 nov. 2026, 10:01",
        ),
        (
            Kind.TOPIC_SILENT,
            "Rien sur « Le film » depuis le 3 nov. 2026",
            "Rien sur « Le film » depuis longtemps",
        ),
        (Kind.TOPIC_SPEAKS, "De nouveau un article sur « Le film »", ""),
        (Kind.WAITS, "À relire : Un titre (Slate)", ""),
        (Kind.BRAKE, "Le film : articles retenus par le frein (37)", ""),
        (Kind.BRAKE_OFF, "Le film : le frein ne retient plus rien", ""),
        (Kind.EDIT, "feeds.toml : votre modification n’est pas appliquée", ""),
        (Kind.EDIT_MENDED, "feeds.toml : la modification est appliquée", ""),
        (
            Kind.HUB_FAILS,
            f"Le hub {HUB} ne peut être prévenu des nouveaux articles (http 503)",
            "",
        ),
        (Kind.HUB_WORKS, f"Le hub {HUB} fonctionne de nouveau", ""),
    ],
)
def test_an_event_is_told_in_plain_words(kind: Kind, title: str, undated: str) -> None:
    """Its title says what happened to whom, also where nobody knows since when."""
    dated, bare = an_event(kind), an_event(kind, 1, since=None)
    told = [
        feed(a_view(event, waiting=(waits(),))).entries[0].title
        for event in (dated, bare)
    ]

    assert [one.replace("\u202f", " ") for one in told] == [title, undated or title]


def test_english_desks_speak_english() -> None:
    """As every page, in the site's language."""
    titles = [one.title for one in feed(a_view(an_event(Kind.SILENT)), "en").entries]

    assert titles == ["Slate has been silent since Nov 3, 2026"]


def test_entries_are_dated_by_their_events_and_named_for_ever() -> None:
    """Newest first; two events of one number, from two databases, are two entries."""
    one, other = an_event(number=1), replace(an_event(number=1), at=AT)
    read = feed(a_view(one, other, an_event(number=2)))

    assert [entry.id.rpartition("/")[2] for entry in read.entries] == [
        "20261123T090200-2",
        "20261123T090100-1",
        "20261123T090000-1",
    ]
    assert all(entry.id.startswith(f"{SITE.id}/desk/") for entry in read.entries)
    assert [entry.updated for entry in read.entries] == [
        entry.published for entry in read.entries
    ]
    assert read.feed.updated == read.entries[0].updated == "2026-11-23T09:02:00+00:00"
    assert feed(a_view()).feed.updated == "1990-01-01T00:00:00+00:00"


def test_the_feed_holds_the_newest_hundred() -> None:
    """Older ones have been read, or are lost in it anyway."""
    read = feed(a_view(*(an_event(number=n) for n in range(FEED_SIZE + 5))))

    assert len(read.entries) == FEED_SIZE
    assert read.entries[-1].id.endswith("-5")


def test_what_waits_no_longer_is_left_out() -> None:
    """Decided, or settled by an article's page: nobody is asked again."""
    asked = an_event(Kind.WAITS)
    published = waits(state=State.PUBLISHED)

    assert len(feed(a_view(asked, waiting=(waits(),))).entries) == 1
    assert feed(a_view(asked)).entries == []
    assert feed(a_view(asked, waiting=(published,))).entries == []
    assert feed(a_view(asked)).feed.updated == "2026-11-23T09:01:00+00:00"


def test_a_decision_can_be_pasted_as_it_stands() -> None:
    """Both commands name the story by its short id, whatever its title holds."""
    title = 'Un "titre" $(x) ; # \\ \u0085\x07\r\ncoupé'
    view = a_view(
        an_event(Kind.WAITS), waiting=(waits(title=title, outlet="L’É\nO", copies=()),)
    )
    blocks = [one.text_content() for one in content(view).xpath(".//pre")]

    assert blocks == ["aggregator keep abcdefg2", "aggregator hide abcdefg2"]
    assert blocks == [one.text_content() for one in page(view).xpath("//pre")]


def test_a_moved_feed_has_its_line_of_feeds_toml() -> None:
    """All of the outlet's addresses, the new one in place of the old; valid TOML."""
    other = a_line(url="https://slate.example/livres")
    foreign = a_line("Le Monde", "https://monde.example/rss")
    moved = an_event(Kind.MOVED)
    alone = content(a_view(moved)).xpath("string(.//pre)")
    several = content(a_view(moved, lines=(foreign, other, a_line())))

    assert tomllib.loads(alone) == {"Slate": NEW}
    assert tomllib.loads(several.xpath("string(.//pre)")) == {
        "Slate": ["https://slate.example/livres", NEW]
    }
    assert "mettez cette ligne dans feeds.toml" in words(several)


@pytest.mark.parametrize(
    ("lines", "target"), [((), NEW), ((a_line(url=NEW),), NEW), ((a_line(),), "/new")]
)
def test_nothing_is_to_be_pasted_where_it_would_do_harm(
    lines: tuple[Status, ...], target: str
) -> None:
    """The move is in feeds.toml already, or no address can be followed."""
    told = content(a_view(an_event(Kind.MOVED, 1, text=target), lines=lines))

    assert not told.xpath(".//pre")
    assert target in words(told)
    assert "feeds.toml" not in words(told)


def test_a_wrong_edit_is_told_line_by_line() -> None:
    """Each problem as `check` has it, and that the old version is in force."""
    told = content(a_view(an_event(Kind.EDIT)))

    assert [one.text_content() for one in told.xpath(".//li")] == [
        "site.titel: unknown key",
        "topics: missing",
    ]
    assert "La version précédente sert" in words(told)


def test_a_failure_says_since_when_and_what_comes_next() -> None:
    """The reason, the last good poll, the address, and that we go on asking."""
    told = content(a_view(an_event(Kind.FAILS)))

    assert "Raison : http 503." in words(told)
    assert "Lu pour la dernière fois le 3 nov. 2026, 10:00." in words(told)
    assert "Nous redemandons, de plus en plus rarement" in words(told)
    assert told.xpath(".//a/@href") == [FEED]
    never = content(a_view(an_event(Kind.FAILS, 1, since=None, text="")))
    assert "Raison : inconnue. Jamais lu jusqu’ici." in words(never)


# ── the page ──────────────────────────────────────────────────────────────────────────


def test_the_page_begins_with_what_there_is_to_do() -> None:
    """One sentence each: how much waits, how much is in trouble."""
    calm = page(a_view())
    busy = page(a_view(lines=(a_line(state=Health.GONE),), waiting=(waits(),)))

    assert words(calm.find_class("lead")[0]) == (
        "Aucun article n’attend votre avis. Aucun souci."
    )
    assert words(busy.find_class("lead")[0]) == (
        "1 article attend votre avis. 1 souci à regarder."
    )
    assert words(calm.find_class("total")[0]).startswith("État au 23 nov. 2026, 10:00")
    assert "État" not in words(page(a_view(as_of=None)).find_class("total")[0])


def test_a_story_that_waits_shows_why() -> None:
    """Title, outlet, date, topic, line, and the matched words marked where they are."""
    story = waits(
        title="Un robot nommé Casilli",
        summary="Il parle du clic.",
        copies=(*waits().copies, Copy("Papier", "", "T", AT)),
        evidence=(
            Evidence("film", "casilli", "title", "x", certain=False, spans=((15, 22),)),
            Evidence("film", "clic", "summary", "x", certain=False, spans=((12, 16),)),
            Evidence("travail", "", "article", "les \x02petites\x03 mains", False),
            Evidence("travail", "", "", "", certain=False),
        ),
    )
    (item,) = page(a_view(waiting=(story,))).find_class("story")

    assert [one.text_content() for one in item.xpath(".//mark")] == [
        "Casilli",
        "clic",
        "petites",
    ]
    assert [words(one) for one in item.xpath(".//ul[@class='why']/li")] == [
        "film · casilli · dans le titre",
        "film · clic · dans le résumé",
        "travail · tout ce que publie ce média · dans l’article les petites mains",
        "travail · tout ce que publie ce média",
    ]
    assert item.xpath(".//a[@class='title']/@href") == [story.url]
    assert words(item.find_class("also")[0]) == "Aussi dans Papier."
    assert item.xpath(".//time/@datetime") == ["2026-03-14"]


def a_pair(**given: Any) -> Suggested:
    """Return two stories that may be one, the later one with the given fields."""
    later = a_story(0, short="abcdefg2", title="La même dépêche", **given)
    earlier = a_story(1, short="abcdefg3", title="Une dépêche", outlet="Le Soir")
    return Suggested(later, earlier, "same title within 48 h")


def test_what_may_be_one_story_comes_with_both_answers() -> None:
    """Both sides, why, and two commands; no more."""
    (pair,) = page(a_view(joins=(a_pair(),))).find_class("pair")
    blocks = [one.text_content() for one in pair.xpath(".//pre")]

    assert [words(one) for one in pair.find_class("line")] == [
        "13 mars 2026 Une dépêche Le Soir",
        "14 mars 2026 La même dépêche Le Journal",
    ]
    assert words(pair.find_class("facts")[0]) == "le même titre, en deux jours"
    assert blocks == [
        "aggregator merge abcdefg3 abcdefg2",
        "aggregator split abcdefg2",
    ]
    assert not page(a_view()).find_class("pair")


def test_every_reason_to_suggest_is_told_in_the_sites_language() -> None:
    """What the rules call it would be English on a French page."""
    source = Path(joining.__file__).read_text(encoding="utf-8")
    doubts = {
        *re.findall(r'return "([^"]+)", (?!True)', source),
        *re.findall(r'likely\[same.story\] = "([^"]+)"', source),
    }
    french = {
        one: pairs(SITE, [replace(a_pair(), reason=one)])[0].reason for one in doubts
    }

    assert len(doubts) == 7
    assert not [one for one, told in french.items() if one == told]


def test_evidence_is_marked_only_where_it_was_found() -> None:
    """A title that had to be cleaned, or an offset that cannot be, marks nothing."""
    proof = Evidence("film", "x", "title", "", certain=False, spans=((0, 2),))
    cleaned = waits(title=" Un\x00 titre", evidence=(proof,))
    beyond = waits(title="Un titre", evidence=(replace(proof, spans=((3, 99),)),))

    for story in (cleaned, beyond):
        (item,) = page(a_view(waiting=(story,))).find_class("story")
        assert words(item.find_class("title")[0]) == "Un titre"
        assert not item.xpath(".//mark")


def test_more_is_shown_to_the_maintainer_than_to_readers() -> None:
    """`excerpt = 0` keeps an outlet's words from readers, not from the desk."""
    story = waits(summary="Un résumé qui aide.", excerpt=0)
    view = a_view(waiting=(story,))
    site = replace(SITE, excerpt=0)

    assert "Un résumé qui aide." in desk(site, view)["index.html"].decode()


def test_trouble_comes_worst_first_under_its_mend() -> None:
    """An edit, then feeds by how bad it is, then what lasts of the events."""
    lines = tuple(
        a_line(
            state.value,
            f"https://{state}.example/",
            state=state,
            silent_since=BEFORE if state is Health.SILENT else None,
            last_success=None if state is Health.NEVER_WORKED else BEFORE,
            next_poll=None if state is Health.GONE else AT,
        )
        for state in Health
    )
    moved = a_line(moved_to=NEW)
    lasting = (Kind.TOPIC_SILENT, Kind.UNSTEADY, Kind.EDIT, Kind.HUB_FAILS)
    view = a_view(*map(an_event, lasting), lines=(*lines, moved))
    trouble = page(view).get_element_by_id("trouble")

    assert [words(one) for one in trouble.iter("h3")] == [
        "Modifications non appliquées",
        "Ne peuvent être lus",
        "Supprimés",
        "Silencieux",
        "Déménagés",
        "Instables",
        "Sujets sans nouvelles",
        "Hubs en échec",
    ]
    assert [words(one) for one in trouble.xpath(".//p[@class='what']")] == [
        "feeds.toml",
        "never_worked",
        "failing",
        "gone",
        "silent",
        "Slate",
        "Slate",
        "Le film",
        HUB,
    ]
    assert tomllib.loads(trouble.xpath("string(.//pre)")) == {"Slate": NEW}
    facts = [words(one) for one in trouble.find_class("facts")]
    assert facts[0].endswith(
        "Jamais lu jusqu’ici. Prochain essai le 23 nov. 2026, 10:00."
    )
    assert facts[2].endswith("Lu pour la dernière fois le 3 nov. 2026, 10:00.")
    assert facts[3].startswith("Dernier article : 3 nov. 2026, 10:00.")


@pytest.mark.parametrize(
    ("began", "ended"),
    [
        (Kind.EDIT, Kind.EDIT_MENDED),
        (Kind.UNSTEADY, Kind.RECOVERED),
        (Kind.TOPIC_SILENT, Kind.TOPIC_SPEAKS),
        (Kind.HUB_FAILS, Kind.HUB_WORKS),
    ],
)
def test_what_is_over_is_no_trouble(began: Kind, ended: Kind) -> None:
    """The newest event of a subject counts; of another subject it does not."""
    before, after = an_event(began, 1), an_event(ended, 2)
    other = replace(after, subject="https://other.example/")

    assert len(page(a_view(before)).find_class("trouble")) == 1
    assert len(page(a_view(before, other)).find_class("trouble")) == 1
    assert page(a_view(before, after)).find_class("trouble") == []


def test_what_is_no_longer_asked_is_no_trouble() -> None:
    """A feed not followed, or disabled by the maintainer; a hub not in feeds.toml."""
    disabled = a_line(state=Health.DISABLED, moved_to=NEW)
    hub = an_event(Kind.HUB_FAILS, subject="https://other.example/")
    view = a_view(an_event(Kind.UNSTEADY), hub, lines=())

    assert page(view).find_class("trouble") == []
    assert page(a_view(lines=(disabled,))).find_class("trouble") == []


def test_the_table_has_what_needs_attention_first() -> None:
    """Then the moved, then the rest by name, the disabled last; 200, and how many."""
    lines = [
        a_line("Un", state=Health.DISABLED),
        a_line("Ère"),
        a_line("Éco", state=Health.NEW, last_success=None),
        a_line("Trois", moved_to=NEW),
        *(a_line(f"x{state}", state=state) for state in reversed(TROUBLES)),
    ]
    many = [a_line(f"{n:03}", f"https://e.example/{n}") for n in range(SHOWN)]
    names = page(a_view(lines=tuple(lines))).xpath("//th[@scope='row']/text()")
    cut = page(a_view(lines=(*many, *lines)))

    assert [name.strip() for name in names] == [
        *(f"x{state}" for state in TROUBLES),
        "Trois",
        "Éco",
        "Ère",
        "Un",
    ]
    assert len(cut.xpath("//tbody/tr")) == SHOWN
    assert words(cut.find_class("more")[0]) == "et 8 autres"


def test_what_happened_lately_says_how_much_more_there_is() -> None:
    """The newest on the page, the rest counted; a little later there is none."""
    tree = page(a_view(*(an_event(number=n) for n in range(LATELY + 1))))

    assert len(tree.xpath("//ul[@class='happened']/li")) == LATELY
    assert words(tree.find_class("more")[0]) == "et 1 autre"


def test_a_chart_says_in_words_what_it_shows() -> None:
    """A bar a day, the busiest the highest; a feed without entries, and an unknown."""
    lines = tuple(a_line(name, f"https://{name}.example/") for name in "abcd")
    days = {
        "https://a.example/": (0,) * 27 + (1, 300, 30),
        "https://b.example/": (0,) * 30,
        "https://c.example/": (),
    }
    tree = page(a_view(lines=lines, days=days))
    charts = tree.xpath("//svg")
    paths = tree.xpath("//svg/path/@d")

    assert [one.get("role") for one in charts] == ["img", "img"]
    assert [words(one) for one in charts] == [
        "331 entrées en 30 jours, 300 par jour au plus, aucune pendant 27",
        "aucune entrée en 30 jours",
    ]
    assert charts[0].get("width") == "119"
    assert paths == ["M108 24v-2h3V24zM112 24v-24h3V24zM116 24v-2h3V24z", ""]
    assert len(tree.xpath("//td[contains(., 'aucune jusqu’ici')]")) == 2


def test_nobody_else_learns_of_the_desk() -> None:
    """Search engines do not list it, links do not tell where they were followed."""
    documents = desk(SITE, ALL)
    tree = html.document_fromstring(documents["index.html"].decode())

    assert tree.xpath("//meta[@name='robots']/@content") == ["noindex, nofollow"]
    assert tree.xpath("//meta[@name='referrer']/@content") == ["no-referrer"]
    assert tree.xpath("//link/@href") == ["desk.atom", "style.css"]
    assert not tree.xpath("//script|//img|//iframe|//style|//@style|//form")
    assert set(documents) == {"desk.atom", "index.html", "style.css"}


def test_the_desk_can_be_used_without_seeing_it() -> None:
    """Landmarks, headings in order, a table that stays one, ids once each."""
    busy = replace(
        ALL,
        days={FEED: (1, 2, 3)},
        lines=(a_line(state=Health.SILENT),),
        joins=(a_pair(),),
    )
    tree = page(busy)
    levels = [int(one.tag[1]) for one in tree.xpath("//h1|//h2|//h3")]

    assert tree.xpath("//body/*[1]/@href") == ["#list"]
    assert len(tree.xpath("//main[@id='list']|//body/header")) == 2
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert len(tree.xpath("//th[@scope]")) == 4
    assert len(set(tree.xpath("//@id"))) == len(tree.xpath("//@id"))
    assert {href[1:] for href in tree.xpath("//nav//@href")} <= set(tree.xpath("//@id"))


@settings(deadline=None, max_examples=25)
@given(st.data())
def test_the_order_of_what_is_seen_changes_no_byte(data: st.DataObject) -> None:
    """Feeds, events and stories in any order make the same desk; and twice the same."""
    lines = tuple(
        a_line(state.value, f"https://{state}.example/", state=state)
        for state in Health
    )
    view = replace(
        ALL,
        lines=(a_line(), *lines),
        waiting=(waits(), waits(short="abcdefg3")),
        joins=(a_pair(), a_pair(published_at=BEFORE)),
    )
    shuffled = replace(
        view,
        lines=tuple(data.draw(st.permutations(view.lines))),
        events=tuple(data.draw(st.permutations(view.events))),
        waiting=tuple(data.draw(st.permutations(view.waiting))),
        joins=tuple(data.draw(st.permutations(view.joins))),
    )

    assert desk(SITE, shuffled) == desk(SITE, view)


HOSTILE = (
    "\"'><script>alert(1)</script><img src=x onerror=alert(1)>%(name)s\x00\x1b\u202e"
)


@settings(deadline=None, max_examples=60)
@given(st.text() | st.just(HOSTILE), st.sampled_from(Kind), st.sampled_from(Health))
def test_no_text_breaks_the_desk(text: str, kind: Kind, state: Health) -> None:
    """What others wrote is text everywhere: no markup, no control, no other link."""
    story = waits(
        title=text,
        outlet=text,
        url=text,
        summary=text,
        language=text,
        copies=(Copy(text, text, text, AT), Copy(text, text, text, AT)),
        evidence=(Evidence(text, text, "article", text, certain=False),),
    )
    event = an_event(kind, 1, subject=text, outlet=text, text=text)
    asked = an_event(Kind.WAITS, 2, outlet=text, text=text)
    line = a_line(text, text, state=state, error=text, moved_to=text)
    join = Suggested(replace(story, short="abcdefg3"), story, text)
    view = DeskView((line,), {text: (1, 2)}, (event, asked), (story,), AT, (), (join,))
    documents = desk(SITE, view)
    atom = etree.fromstring(documents["desk.atom"])
    told = [
        html.fromstring(f"<div>{one.findtext(f'{ATOM}content')}</div>")
        for one in entries(documents["desk.atom"])
    ]

    assert grammar().validate(atom), grammar().error_log
    for tree in (html.document_fromstring(documents["index.html"].decode()), *told):
        assert not tree.xpath("//script|//img|//@onerror|//@style|//iframe")
        assert all(
            href.startswith(("https://", "http://", "#", "desk.atom", "style.css"))
            for href in tree.xpath("//@href")
        )


def test_it_fits_a_phone(tmp_path: Path) -> None:
    """No error in the browser and nothing to scroll sideways, 320 px wide or more."""
    wide = waits(
        title="Confédération" * 20,
        evidence=(Evidence("film", "x" * 200, "title", "", certain=False),),
    )
    lines = tuple(
        a_line(state.value * 9, f"https://e.example/{state.value * 30}", state=state)
        for state in Health
    )
    days = {line.url: tuple(range(30)) for line in lines}
    view = replace(
        ALL,
        lines=(*lines, a_line(moved_to=NEW)),
        days=days,
        waiting=(wide,),
        joins=(Suggested(wide, wide, "x" * 200),),
    )
    write(tmp_path, desk(SITE, view).items())
    with browser() as shown:
        for width in (320, 1200):
            address = (tmp_path / "index.html").as_uri()
            assert faults(shown, address, width) == []
