"""Outlets added to feeds.toml: what is new goes in, all else stays to the byte."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from worlds import TOPICS, saved

from aggregator import config as configuration
from aggregator import manuscript, roster
from aggregator.model import AggregatorError, Config, ConfigError, Outlet
from aggregator.roster import Change

HEAD = '[site]\ntitle = "La presse"\nurl = "https://presse.invalid/revue/"\n' + TOPICS
OUTLETS = """
# ── OÙ NOUS CHERCHONS ──
[outlets]   # par ordre d’arrivée

# Quotidiens
"Le Jour"        = "https://jour.example/rss"      # le premier
"Le Soir"        = ['https://soir.example/une.xml', "https://soir.example/idees.xml"]
"L’Hebdo"        = { url = 'https://hebdo.example/rss', interval = "1h" }   # dix
"La Revue"       = [
  "https://revue.example/a",   # tout
  'https://revue.example/b'
]
# "Clique"       = "https://clique.example/feed"   # à essayer

# ── LE RESTE ──
[matching]
brake = 30
"""
NEW = Outlet("La Gazette", ("https://gazette.example/feed/",))
NEW_LINE = '"La Gazette"     = "https://gazette.example/feed/"\n'
HOME = "https://gazette.example/"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a feeds.toml as a maintainer writes it."""
    file = tmp_path / "feeds.toml"
    file.write_text(HEAD + OUTLETS, encoding="utf-8")
    return file


def outlets(path: Path) -> dict[str, Outlet]:
    """Return the outlets of the file as it is now."""
    return {one.name: one for one in configuration.read(path).outlets}


def read(text: str) -> Config:
    """Return what a text says."""
    return configuration.read_bytes(text.encode(), Path("feeds.toml"))


def test_a_new_outlet_follows_the_last_one(path: Path) -> None:
    """In line with those above; the comments of what follows stay with it."""
    change = roster.add(path, [NEW])

    assert change == Change(new=(NEW,))
    assert path.read_text() == HEAD + OUTLETS.replace(
        '# "Clique"', f'{NEW_LINE}# "Clique"'
    )


def test_an_outlet_that_is_there_gains_addresses(path: Path) -> None:
    """However its addresses are written; quotes and comments stay."""
    there = outlets(path)
    change = roster.add(
        path,
        [
            Outlet("le jour", ("https://jour.example/rss/", "https://jour.example/b")),
            Outlet("Le Soir", ("https://soir.example/c", "https://soir.example/d")),
            Outlet("L’Hebdo", ("https://hebdo.example/b",)),
            Outlet("La Revue", ("https://revue.example/c",)),
        ],
    )

    assert path.read_text() == HEAD + (
        OUTLETS.replace(
            '"https://jour.example/rss" ',
            '["https://jour.example/rss", "https://jour.example/b"] ',
        )
        .replace(
            'idees.xml"]',
            'idees.xml", "https://soir.example/c", "https://soir.example/d"]',
        )
        .replace("url = '", "url = ['")
        .replace(
            "hebdo.example/rss'", 'hebdo.example/rss\', "https://hebdo.example/b"]'
        )
        .replace("example/b'\n]", 'example/b\',\n  "https://revue.example/c"\n]')
    )
    assert change.new == ()
    assert change.known == (("https://jour.example/rss/", "Le Jour"),)
    assert change.more == (
        (there["Le Jour"], ("https://jour.example/b",)),
        (there["Le Soir"], ("https://soir.example/c", "https://soir.example/d")),
        (there["L’Hebdo"], ("https://hebdo.example/b",)),
        (there["La Revue"], ("https://revue.example/c",)),
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("['{0}']", "['{0}', \"{1}\"]"),
        ("[ '{0}', ]", "[ '{0}', \"{1}\", ]"),
        ("[\n\t'{0}' # a, 'b'\n]", "[\n\t'{0}', # a, 'b'\n\t\"{1}\"\n]"),
        ("[\n\t'{0}', # a\n # 'b',\n]", "[\n\t'{0}', # a\n\t\"{1}\",\n # 'b',\n]"),
        ('["""{0}"""\n  , # a\n]', '["""{0}"""\n  , # a\n"{1}",\n]'),
        ("['''{0}'''\r\n]", "['''{0}''',\r\n\"{1}\"\r\n]"),
    ],
)
def test_a_list_grows_at_its_end(path: Path, before: str, after: str) -> None:
    """On a line of its own where the last has one; comments stay where they were."""
    urls = "https://gazette.example/a", "https://gazette.example/b"
    file = f'{HEAD}[outlets]\n"Gazette" = {before.format(*urls)}'
    path.write_bytes(file.encode())
    roster.add(path, [Outlet("Gazette", urls)])

    assert path.read_bytes().decode().rstrip("\r\n") == (
        f'{HEAD}[outlets]\n"Gazette" = {after.format(*urls)}'
    )


FULL = Outlet(
    'Le "Bulletin" d’à côté',
    ("https://gazette.example/a", "https://gazette.example/b"),
    homepage=HOME,
    language="fr",
    enabled=False,
    kind="sitemap",
    topics=("film", "livreurs"),
    always=("film",),
    review=("livreurs",),
    articles="all",
    interval=timedelta(minutes=90),
    excerpt=0,
    timeout=timedelta(seconds=61),
    headers=(("Authorization", "Bearer 0123"), ("X.Key", "k")),
)


def test_all_that_an_outlet_can_say_is_written(path: Path) -> None:
    """Read again it is the same value."""
    roster.add(path, [FULL, NEW])

    assert outlets(path)[FULL.name] == FULL
    assert list(outlets(path))[-2:] == [FULL.name, NEW.name]


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        (Outlet("gazette.fr", ("https://x.example/1",)), "Gazette"),
        (Outlet("Autre", ("https://x.example/1",), homepage=HOME), "Gazette"),
        (
            Outlet(
                "Autre", ("https://x.example/1",), homepage="http://www.jour.example"
            ),
            "Le Jour",
        ),
        (Outlet("Autre", ("https://jour.example/autre",)), "Autre"),
        (
            Outlet(
                "Autre", ("https://x.example/1",), homepage="https://jour.example/a/"
            ),
            "Autre",
        ),
        (
            Outlet("Autre", ("https://x.example/1",), homepage="https://two.example/"),
            "Autre",
        ),
        (
            Outlet("Le Jour", ("https://x.example/1",), kind="search"),
            "Le Jour (search)",
        ),
    ],
)
def test_which_outlet_is_meant(wanted: Outlet, name: str) -> None:
    """Its name, its homepage, or the host that it has for itself; no search."""
    there = (
        Outlet("Gazette", ("https://flux.example/1",), homepage=HOME),
        Outlet("Le Jour", ("https://jour.example/rss",)),
        Outlet("Un", ("https://two.example/1",)),
        Outlet("Deux", ("https://two.example/2",)),
        Outlet("Alertes", ("https://x.example/s?q=clic",), kind="search"),
    )
    change = roster.planned(there, [wanted])
    names = [one.name for one in change.new] + [one.name for one, _ in change.more]

    assert names == [name]


def test_what_is_wanted_twice_is_added_once(path: Path) -> None:
    """Names, addresses and homepages meet among the wanted ones, too."""
    change = roster.add(
        path,
        [
            NEW,
            Outlet("gazette", (f"{HOME}feed", f"{HOME}idees")),
            Outlet("La  Gazette", (f"{HOME}rss",)),
            Outlet(" 24\nheures ", ("https://h.example/",)),
            Outlet("???", ("https://a.example/",)),
            Outlet("!", ("https://b.example/",)),
        ],
    )

    assert change.new == (
        replace(NEW, urls=(f"{HOME}feed/", f"{HOME}rss")),
        Outlet("gazette", (f"{HOME}idees",)),
        Outlet("24 heures", ("https://h.example/",)),
        Outlet("???", ("https://a.example/",)),
        Outlet("!", ("https://b.example/",)),
    )
    assert change.known == ((f"{HOME}feed", "La Gazette"),)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[outlets]", f"[outlets]\n{NEW_LINE}"),
        ("[outlets]  # rien\n# encore\n", f"[outlets]  # rien\n{NEW_LINE}# encore\n"),
        ("", f"\n[outlets]\n{NEW_LINE}"),
        (
            '[outlets."Un"]\nurl = "https://un.example/"',
            f'[outlets."Un"]\nurl = "https://un.example/"\n\n[outlets]\n{NEW_LINE}',
        ),
        (
            '[outlets]\nUn.url = "https://un.example/"\n\n[outlets.Deux]\nurl="http://x.fr"',
            (
                f'[outlets]\nUn.url = "https://un.example/"\n{NEW_LINE}\n'
                '[outlets.Deux]\nurl="http://x.fr"\n'
            ),
        ),
    ],
)
def test_wherever_outlets_stand(path: Path, before: str, after: str) -> None:
    """Nowhere so far, under headings of their own, or on dotted lines."""
    path.write_text(HEAD + before)
    roster.add(path, [NEW])

    assert path.read_text() == HEAD + after.replace("     =", " =")
    assert outlets(path)[NEW.name] == NEW


@pytest.mark.parametrize(
    "before",
    [
        'outlets = { "Un" = "https://un.example/" }\n' + HEAD,
        'outlets."Un" = "https://un.example/"\n' + HEAD,
    ],
)
def test_what_no_command_can_change_is_left(path: Path, before: str) -> None:
    """It says so with the line to write, and the file is as it was."""
    path.write_text(before)
    with pytest.raises(ConfigError, match=r'write yourself: "La Gazette" = "https'):
        roster.add(path, [NEW])

    assert path.read_text() == before


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        (HEAD + '[outlets]\n"A" = "jour.example"\n"B" = "x"\n', 2),
        (HEAD + '[outlets]\n"A" = "https://jour.exa', 1),
    ],
)
def test_a_file_that_is_not_valid_stays_as_it_is(
    path: Path, text: str, problems: int
) -> None:
    """Refused with a line for each of its problems."""
    path.write_text(text)
    with pytest.raises(ConfigError) as refused:
        roster.add(path, [NEW])

    assert len(refused.value.problems) == problems
    assert path.read_text() == text


def test_what_would_not_be_valid_is_not_written(path: Path) -> None:
    """An address that is none never reaches the file."""
    before = path.read_bytes()
    with pytest.raises(ConfigError, match="is no web address"):
        roster.add(path, [Outlet("La Gazette", ("gazette.example",))])

    assert path.read_bytes() == before


def test_nothing_new_writes_nothing(path: Path) -> None:
    """The file is not even touched."""
    os.utime(path, (1, 1))
    change = roster.add(path, [Outlet("Autre", ("http://www.jour.example/rss/",))])

    assert change.known == (("http://www.jour.example/rss/", "Le Jour"),)
    assert path.stat().st_mtime == 1


def test_an_edit_meanwhile_is_kept(path: Path) -> None:
    """What is saved while a command waits for the file counts."""
    text = path.read_text()
    writer = threading.Thread(target=roster.add, args=(path, [NEW]))
    with manuscript.opened(path):
        writer.start()
        saved(path, text.replace("brake = 30", "brake = 31"))
    writer.join()

    assert path.read_text() == (
        text.replace("brake = 30", "brake = 31").replace(
            '# "Clique"', f'{NEW_LINE}# "Clique"'
        )
    )


def test_commands_at_once_lose_nothing(path: Path) -> None:
    """Each adds to what the others have written."""
    new = [Outlet(f"Journal {n}", (f"https://j{n}.example/feed",)) for n in range(8)]
    writers = [threading.Thread(target=roster.add, args=(path, [o])) for o in new]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert {one.name for one in new} < outlets(path).keys()


def test_a_missing_file_is_told(path: Path) -> None:
    """None is made: it would lack all else."""
    path.unlink()
    with pytest.raises(ConfigError, match="cannot be read"):
        roster.add(path, [NEW])

    assert not path.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_file_of_somebody_else_is_one_line(path: Path) -> None:
    """Without the right to write, the path and the reason are told."""
    path.chmod(0o444)
    with pytest.raises(AggregatorError, match="permission denied; nothing was changed"):
        roster.add(path, [NEW])


# ── the law ───────────────────────────────────────────────────────────────────────────

blanks = st.sampled_from(["", " ", "   ", "\t"])
comments = st.sampled_from(["", "  # note", "# « x » = [", ' # "A" = "b"'])
spaces = st.lists(
    st.sampled_from(["\n", "# seul\n", "  # [outlets]\n", " \n"]), max_size=3
)
names = st.integers(0, 9).map("Journal {}".format)
addresses = st.integers(0, 9).map("https://j{}.example/rss".format)
wanted = st.lists(
    st.builds(
        Outlet,
        names | names.map("{} bis".format),
        st.lists(
            addresses | st.integers(10, 30).map("http://n{}.example/".format),
            min_size=1,
            max_size=3,
        ).map(tuple),
        homepage=st.just("") | st.integers(0, 9).map("https://j{}.example/".format),
        language=st.sampled_from(["", "fr"]),
        kind=st.sampled_from(["feed", "sitemap", "search"]),
    ),
    max_size=4,
)


@st.composite
def lines(draw: st.DrawFn, number: int) -> str:
    """Draw an outlet's line or lines, written in any of the ways there are."""
    mark = draw(st.sampled_from("'\""))
    first, second = (
        f"{mark}https://j{number}.example/{part}{mark}" for part in ("rss", "b")
    )
    eq = f"{draw(blanks)}={draw(blanks)}"
    end = f"{draw(comments)}\n"
    value = draw(
        st.sampled_from(
            [
                first,
                f"[{first}]",
                f"[ {first},{second} , ]",
                f"[\n    {first},  # le premier\n\n    {second}\n  ]",
                f"[{first}\n  , {second}, # fin\n]",
                f"[{first}\n  , {second} # 'x'\n]",
                f"{{ url{eq}{first}, interval = '1h' }}",
                f"{{language='fr',url={eq.replace('=', '')}[{first},{second}]}}",
            ]
        )
    )
    name = draw(st.sampled_from(['"Journal {}"', "'Journal {}'"])).format(number)
    dotted = f"{name}.interval = '1h'\n{name}.url{eq}{first}{end}"
    return draw(st.sampled_from([f"{draw(blanks)}{name}{eq}{value}{end}", dotted]))


@st.composite
def files(draw: st.DrawFn) -> str:
    """Draw a feeds.toml with its outlets wherever TOML lets them stand."""
    numbers = draw(st.lists(st.integers(0, 9), unique=True, max_size=5))
    parts = [f"{''.join(draw(spaces))}{draw(lines(number))}" for number in numbers]
    own = [f'[outlets."Titre {n}"]\nurl = "https://t{n}.example/"\n' for n in range(2)]
    rest = "[matching] # fin\nbrake = 3\n"
    tables = draw(
        st.sampled_from(
            [
                [HEAD, f"[outlets]{draw(comments)}\n", *parts, *draw(spaces)],
                [HEAD, "[outlets]\n", *parts, *draw(spaces), rest],
                [HEAD, "[outlets]\n", *parts, own[0], *draw(spaces), rest, own[1]],
                [own[0], HEAD, "[ outlets ]\n", *parts, *draw(spaces), rest],
                [own[0], HEAD, own[1]],
                [HEAD],
            ]
        )
    )
    text = "".join(tables)
    text = draw(st.sampled_from([text, text.rstrip("\n")]))
    return draw(st.sampled_from(["", "\ufeff"])) + text


@settings(deadline=None)  # a shared machine is slow now and then
@given(text=files(), wanted=wanted, newline=st.sampled_from(["\n", "\r\n"]))
@example(text=HEAD + OUTLETS, wanted=[FULL, NEW], newline="\r\n")
def test_adding_is_done_once_and_touches_nothing_else(
    text: str, wanted: list[Outlet], newline: str
) -> None:
    """Twice is once; lines are only added, but those of outlets that gain addresses."""
    before = text.replace("\n", newline).encode()
    config = configuration.read_bytes(before, Path("feeds.toml"))
    change = roster.planned(config.outlets, wanted)
    after = roster.edited(before, config, change)
    then = configuration.read_bytes(after, config.source)

    assert roster.planned(then.outlets, wanted).empty
    assert {url for one in wanted for url in one.urls} <= {
        *then_urls(then),
        *(url for url, _ in change.known),
    }
    grown = {one.name for one, _ in change.more}
    assert without(before, after, grown)
    for one in config.outlets:
        assert one.name in grown or one in then.outlets


def then_urls(config: Config) -> set[str]:
    """Return every address that is polled."""
    return {feed.url for feed in config.feeds}


def without(before: bytes, after: bytes, grown: set[str]) -> bool:
    """Tell whether a text lost nothing: what was put in is taken out again in order.

    Whole lines of new outlets, or the addresses of one that was there.
    """
    at = 0
    for byte in after:
        if at < len(before) and before[at] == byte:
            at += 1
    if at < len(before):
        return False
    if grown:
        return True
    rest = iter(after.splitlines(keepends=True))
    return all(
        any(line in (one, one.rstrip(b"\r\n")) for one in rest)
        for line in before.splitlines(keepends=True)
    )
