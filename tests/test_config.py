"""feeds.toml: what is read, what is refused and with which words."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import tomllib
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aggregator import config, model
from aggregator.config import keys
from aggregator.config.tables import REQUIRED
from aggregator.model import Config, ConfigError, Matching, Outlet, Polling

SITE = """
[site]
title = "La presse"
url = "https://www.film.fr/presse/"
"""
TOPIC = """
[[topics]]
id = "auteur"
title = "L’auteur"
match = "casilli"
"""
MINIMAL = SITE + TOPIC
FOLLOWING = MINIMAL + '[outlets]\n"Slate" = "https://www.slate.fr/rss.xml"\n'


def written(folder: Path, content: str | bytes) -> Path:
    """Return the path of a feeds.toml with this content."""
    path = folder / "feeds.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(folder: Path, content: str | bytes) -> Config:
    """Return what the content means."""
    return config.read(written(folder, content))


def problems(folder: Path, content: str | bytes) -> tuple[str, ...]:
    """Return what is wrong with the content."""
    with pytest.raises(ConfigError) as caught:
        read(folder, content)
    assert all(line.isprintable() for line in caught.value.problems)
    return caught.value.problems


# ── what is read ──────────────────────────────────────────────────────────────────────


def test_the_shortest_file_is_completed_by_the_defaults(tmp_path: Path) -> None:
    """Title, url and a topic suffice; all else has the defaults of the model."""
    found = read(tmp_path, MINIMAL)

    assert found.polling == Polling()
    assert found.matching == Matching()
    assert found.outlets == ()
    assert found.feeds == ()
    assert found.storage.database == tmp_path / "aggregator.db"
    assert found.storage.output == tmp_path / "public"
    assert found.storage.history == timedelta(days=180)
    assert found.source == tmp_path / "feeds.toml"
    assert found.site.entry_title == "{title} – {outlet}"


def test_defaults_are_those_of_the_model(tmp_path: Path) -> None:
    """A default stands in `keys` and in the value type, and both say the same."""
    found = read(tmp_path, MINIMAL + '[outlets]\n"A" = "https://a.fr/feed"')
    values = (
        found.site,
        found.storage,
        found.polling,
        found.matching,
        found.engine,
        found.outlets[0],
    )
    differing = [
        field.name
        for value in values
        for field in dataclasses.fields(value)
        if field.default is not dataclasses.MISSING
        and getattr(value, field.name) != field.default
    ]

    assert differing == []


def test_every_field_of_the_model_has_a_key() -> None:
    """No setting of the value types is out of the maintainer's reach."""
    missing = []
    for table, value in zip(
        (*keys.SINGLE, keys.TOPIC),
        ("Site", "Storage", "Polling", "Matching", "Engine", "Topic"),
        strict=True,
    ):
        fields = {each.name for each in dataclasses.fields(getattr(model, value))}
        missing += sorted(fields ^ table.keys.keys())
    outlet = {each.name for each in dataclasses.fields(Outlet)}

    assert missing == []
    assert outlet - {"name", "urls"} == keys.OUTLET.keys.keys() - {"url"}


@pytest.mark.parametrize(
    ("key", "table"),
    [(key, table) for table in keys.TABLES for key in table.keys.values()],
    ids=lambda value: value.name,
)
def test_examples_and_defaults_can_be_read(key, table) -> None:
    """What messages and docs offer as an example is accepted by the reader."""
    example = tomllib.loads(f"x = {key.example}")["x"]

    assert key.read(example) is not None
    assert key.default in (REQUIRED, None) or key.read(key.default) is not None
    assert table.keys[key.name] is key


def test_an_outlet_is_an_address_a_list_or_a_table(tmp_path: Path) -> None:
    """The three ways to write an outlet, and all that a table may say."""
    found = read(
        tmp_path,
        MINIMAL
        + """
[outlets]
"Slate" = "https://www.slate.fr/rss.xml"
"Télérama" = ["https://www.telerama.fr/rss/une.xml", "https://www.telerama.fr/b"]
[outlets."La  Gazette"]
url = "https://gazette.fr/feed"
homepage = "https://gazette.fr/"
language = "fr-BE"
enabled = false
kind = "search"
topics = []
always = "auteur"
review = ["auteur"]
articles = "all"
interval = "2h"
excerpt = 0
timeout = "1m"
headers = { Authorization = "Bearer 0123", Accept = "*/*" }
""",
    )

    assert found.outlets == (
        Outlet("Slate", ("https://www.slate.fr/rss.xml",)),
        Outlet(
            "Télérama",
            ("https://www.telerama.fr/rss/une.xml", "https://www.telerama.fr/b"),
        ),
        Outlet(
            "La Gazette",
            ("https://gazette.fr/feed",),
            homepage="https://gazette.fr/",
            language="fr-BE",
            enabled=False,
            kind="search",
            topics=(),
            always=("auteur",),
            review=("auteur",),
            articles="all",
            interval=timedelta(hours=2),
            excerpt=0,
            timeout=timedelta(minutes=1),
            headers=(("Authorization", "Bearer 0123"), ("Accept", "*/*")),
        ),
    )
    assert [feed.outlet.name for feed in found.feeds] == [
        "Slate",
        "Télérama",
        "Télérama",
        "La Gazette",
    ]


def test_topics_keep_their_order_and_lines_as_written(tmp_path: Path) -> None:
    """A single line need be no list; `Query.text` is what the maintainer wrote."""
    found = read(
        tmp_path,
        MINIMAL + '[[topics]]\nid="b-2"\ntitle="B"\nmain=false\nreview=["a b", "c"]',
    )

    assert [topic.id for topic in found.topics] == ["auteur", "b-2"]
    assert [line.text for line in found.topics[0].match] == ["casilli"]
    assert [line.text for line in found.topics[1].review] == ["a b", "c"]
    assert [topic.main for topic in found.topics] == [True, False]


@pytest.mark.parametrize(
    ("url", "address", "root"),
    [
        ("https://a.fr/presse/", "https://a.fr/presse/", "tag:a.fr,2026:presse"),
        ("https://a.fr/presse", "https://a.fr/presse/", "tag:a.fr,2026:presse"),
        ("https://www.A.fr", "https://www.A.fr/", "tag:www.a.fr,2026:www.a.fr"),
        ("http://a.fr:8080/x/é/", "http://a.fr:8080/x/é/", "tag:a.fr,2026:%C3%A9"),
        ("https://musée.fr/", "https://musée.fr/", "tag:xn--muse-dpa.fr,2026:"),
        ("http://127.0.0.1:80/", "http://127.0.0.1:80/", "tag:127.0.0.1,2026:"),
    ],
)
def test_the_address_gets_its_slash_and_makes_the_id(
    tmp_path: Path, url: str, address: str, root: str
) -> None:
    """A missing last slash is added; the id has the host and the path's last part."""
    site = read(tmp_path, MINIMAL.replace("https://www.film.fr/presse/", url)).site

    assert site.url == address
    assert site.id.startswith(root)


def test_an_id_that_is_written_stays(tmp_path: Path) -> None:
    """`site.id` wins over what the url would make."""
    root = "tag:presse@ancien.fr,2020-02:invisibles/a"
    found = read(tmp_path, MINIMAL.replace("[site]", f'[site]\nid = "{root}"'))

    assert found.site.id == root


def test_paths_are_relative_to_the_file(tmp_path: Path, monkeypatch) -> None:
    """Relative to feeds.toml, whatever the current folder; `~` is the home."""
    monkeypatch.setenv("HOME", "/home/presse")
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "site"
    folder.mkdir()
    written(
        folder,
        MINIMAL + '[storage]\noutput="../www"\ndatabase="/var/x.db"\ndesk="~/desk"',
    )
    storage = config.read(Path("site/feeds.toml")).storage

    assert storage.output == tmp_path / "www"
    assert storage.database == Path("/var/x.db")
    assert storage.desk == Path("/home/presse/desk")
    assert storage.curation == folder / "curation.toml"


def test_links_do_not_hide_what_is_published(tmp_path: Path) -> None:
    """A desk that leads into the published folder by a link is refused; loops pass."""
    (tmp_path / "public").mkdir()
    (tmp_path / "bureau").symlink_to(tmp_path / "public")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    found = problems(tmp_path, MINIMAL + '[storage]\ndesk = "bureau/privé"')
    odd = read(tmp_path, MINIMAL + '[storage]\ndesk = "loop/x"\ndatabase = "~nul/a"')

    assert len(found) == 1
    assert found[0].startswith('storage.desk: "bureau/privé" lies in the published')
    assert odd.storage.desk == tmp_path / "loop/x"
    assert odd.storage.database == tmp_path / "~nul/a"


def test_a_byte_order_mark_and_windows_line_ends_are_accepted(tmp_path: Path) -> None:
    """Notepad writes both."""
    content = b"\xef\xbb\xbf" + MINIMAL.replace("\n", "\r\n").encode()

    assert read(tmp_path, content).site.title == "La presse"


@pytest.mark.parametrize(
    ("table", "key", "text", "value"),
    [
        ("polling", "max_bytes", '"25MB"', 25_000_000),
        ("polling", "max_bytes", '"512 kB"', 512_000),
        ("polling", "max_bytes", '"1gb"', 10**9),
        ("polling", "timeout", '"90 s"', timedelta(seconds=90)),
        ("polling", "slowest", '"7d"', timedelta(days=7)),
        ("polling", "allow_private_addresses", "true", True),
        ("storage", "history", '"0d"', timedelta(0)),
        ("matching", "brake", "0", 0),
        ("site", "timezone", '"America/Montreal"', "America/Montreal"),
        ("site", "contact", '"https://www.film.fr/contact"', None),
        ("site", "legal", '"""Éditeur :\nNous"""', "Éditeur :\nNous"),
        ("site", "subtitle", '"Que\u00a0dit-on\u202f?"', "Que\u00a0dit-on\u202f?"),
        ("site", "entry_title", '"{outlet} : {title}"', "{outlet} : {title}"),
        ("site", "hubs", '"https://hub.fr/"', ("https://hub.fr/",)),
    ],
)
def test_values_are_read_with_their_units(
    tmp_path: Path, table: str, key: str, text: str, value: object
) -> None:
    """Durations, sizes, switches and texts become what the stages work with."""
    line = f"{key} = {text}"
    content = (
        MINIMAL.replace("[site]", f"[site]\n{line}")
        if table == "site"
        else f"{MINIMAL}[{table}]\n{line}"
    )
    found = getattr(getattr(read(tmp_path, content), table), key)

    assert found == (text.strip('"') if value is None else value)


# ── what is refused ───────────────────────────────────────────────────────────────────


def test_all_problems_are_shown_at_once(tmp_path: Path) -> None:
    """The file of issue 2: each problem in one line, with its place and its mend."""
    found = problems(
        tmp_path,
        """
colour = "red"
[sight]
[site]
titel = "x"
url = "www.film.fr"
[[topics]]
id = "auteur"
title = "A"
match = ["casilli", "a AND"]
[[topics]]
id = "auteur"
title = "B"
[outlets]
"Slate" = { url = "slate.fr/rss.xml", topics = ["auteurs"] }
""",
    )

    assert found[:2] == (
        (
            "colour: unknown table; known here: "
            "site, storage, polling, matching, engine, topics, outlets"
        ),
        "sight: unknown table; did you mean 'site'?",
    )
    assert found[2:5] == (
        "site.titel: unknown key; did you mean 'title'?",
        'site.url: "www.film.fr" is no web address; write "https://www.film.fr"',
        (
            "site.title: missing (the name of the press review); "
            'write title = "Invisibles : la presse en parle"'
        ),
    )
    assert found[5].startswith("topics[1] 'auteur'.match[2]: ")
    assert found[6:] == (
        (
            "topics[2] 'auteur'.id: \"auteur\" is also topics[1]'s; "
            "every topic needs its own"
        ),
        (
            'outlets."Slate".url: "slate.fr/rss.xml" is no web address; '
            'write "https://slate.fr/rss.xml"'
        ),
        'outlets."Slate".topics: unknown topic "auteurs"; did you mean \'auteur\'?',
    )


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("[site\n", "line 1, column 6: expected ']' at the end"),
        ("[site]\ntitle = “x”", "in title = “x”; around a text TOML wants straight"),
        ("[a]\nb = 1\nb = 2\n", "line 3, column 6: cannot overwrite a value, in b ="),
        ("b = 1\nb = 2", "line 2, the last: cannot overwrite a value, in b = 2; a key"),
        ("[a]\n[b]\n[a]\n", "('a',) twice, in [a]; a key or table stands twice"),
        ('b = 1\nc = "x\n', "line 2, column 7: illegal character"),
        ("b = [1,\n\n", "line 1, the last: invalid value, in b = [1,; is a quote"),
        ("a = " + "[" * 9000, "lists or tables are nested too deeply"),
        (b"[site]\ntitle = '\xe9t\xe9'", "line 2: byte 0xe9 is no UTF-8; save"),
        (b"\xef\xbb\xbf\xff", "line 1: byte 0xff is no UTF-8"),
        (b"a = 1\r\x1b[2J", "line 1, column 6: "),
    ],
)
def test_a_file_that_is_no_toml_says_where(tmp_path: Path, content, line: str) -> None:
    """Line, column, what stands there, and one line only."""
    found = problems(tmp_path, content)

    assert len(found) == 1
    assert line in found[0]


@pytest.mark.parametrize(
    ("line", "mend"),
    [
        ("Élucid = 1", 'wants quotes: "Le Monde" = …'),
        ("Le Monde = 1", 'wants quotes: "Le Monde" = …'),
        ("L’ADN = 1", 'wants quotes: "Le Monde" = …'),
        ('a = "x', "is a quote, bracket or brace not closed?"),
        ("a = 'l'eau'", "does the text hold its own kind of quote?"),
        ("a = True", "small letters"),
        ("a = le monde", "a text wants quotes"),
        ('a = "C:\\presse"', "write it twice, or the text between apostrophes"),
        ("a = [1", "is a quote, bracket or brace not closed?"),
        ("[a", "is a quote, bracket or brace not closed?"),
        ("a = {b = 1", "is a quote, bracket or brace not closed?"),
        ("a = 1\na = 2", "a key or table stands twice: keep one"),
    ],
)
def test_what_is_no_toml_comes_with_the_mend(
    tmp_path: Path, line: str, mend: str
) -> None:
    """The usual slips are named, wherever in the file they stand."""
    (last,) = problems(tmp_path, line)
    (amidst,) = problems(tmp_path, f"{line}\nz = 1\n")

    assert mend in last
    assert mend in amidst


@pytest.mark.parametrize("name", ["absent.toml", "."])
def test_a_file_that_cannot_be_read_says_so(tmp_path: Path, name: str) -> None:
    """A missing file and a folder are problems like any other: exit status 2."""
    with pytest.raises(ConfigError) as caught:
        config.read(tmp_path / name)

    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].startswith("the file cannot be read: ")
    assert caught.value.exit_status == 2


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("title = 5", 'title: 5 is no text; write it in quotes, "…"'),
        ('title = " "', "title: is empty; write at least one word"),
        ('title = "a\\u0000b"', "title: holds the control character 0x00; take it out"),
        ("title = 2020-02-14", "title: 2020-02-14 is no text"),
        ("title = {}", "title: a table is no text"),
        ("title = []", "title: an empty list is no text"),
        ("title = true", "title: true is no text"),
        ('url = "ftp://a.fr/"', 'url: "ftp://a.fr/" is no web address; write it whole'),
        ('url = "https:///presse/"', "is no web address; write it whole"),
        ('url = "https://a.fr:99999/"', "is no web address; write it whole"),
        ('url = "https://[a.fr/"', "is no web address; write it whole"),
        ('url = "https://a.fr/ma presse/"', "holds a blank; write it as %20"),
        ('url = "https://moi:secret@a.fr/"', "holds a name or password, and an"),
        ('url = "https://a.fr/index.html"', "is no folder; write the address up to"),
        ('url = "https://a.fr/?p=1"', "is no folder; write the address up to"),
        ('url = "http://[::1]/"', 'site.id: none can be made from "::1"; write such'),
        ('url = "https://a..fr/"', 'site.id: none can be made from "a..fr"'),
        ('id = "presse"', 'id: "presse" is no tag (RFC 4151); write such as "tag:'),
        ('id = "tag:a.fr,2026:a b"', "is no tag"),
        ('contact = "moi"', 'contact: "moi" is neither a mail address nor a page\'s'),
        ('contact = "a@b.fr (moi)"', "is neither a mail address nor a page's"),
        ('language = "de"', 'language: "de" is unknown; known here: en, fr'),
        (
            'timezone = "Europe/Pari"',
            'timezone: "Europe/Pari" is no time zone; did you mean "Europe/Paris"?',
        ),
        ('timezone = "Europe"', '"Europe" is no time zone; did you mean "Europe/'),
        ('timezone = "CDMX, Mexique"', "is no time zone; write such as"),
        ('timezone = "/etc/passwd"', "is no time zone; write such as"),
        ('timezone = ""', "is no time zone; write such as"),
        (
            'entry_title = "{titre}"',
            'entry_title: "{titre}" holds {titre}; only {title} and {outlet} may stand',
        ),
        ('entry_title = "{title"', "has a brace without its other half"),
        ('entry_title = "{title!r}"', "only {title} and {outlet} may stand"),
        ('entry_title = "{title:>999999999}"', "only {title} and {outlet} may stand"),
        ('entry_title = "{}"', "only {title} and {outlet} may stand"),
        ('entry_title = "{outlet}"', "lacks {title}; write it in"),
        ("feed_size = 0", "feed_size: 0 is no whole number of 1 or more; write such"),
        ('feed_size = "50"', 'feed_size: "50" is no whole number'),
        ("feed_size = true", "feed_size: true is no whole number"),
        ("feed_size = 5.5", "feed_size: 5.5 is no whole number"),
        ("excerpt = -1", "excerpt: -1 is no whole number of 0 or more"),
        ('hubs = ["https://hub.fr/", "hub"]', 'hubs[2]: "hub" is no web address'),
        ('heartbeat = "hc.fr/1"', 'heartbeat: "hc.fr/1" is no web address'),
    ],
)
def test_each_site_key_says_what_it_expected(
    tmp_path: Path, line: str, problem: str
) -> None:
    """A faulty value of [site] is one line that ends in what to write instead."""
    key = line.partition(" ")[0]
    kept = [each for each in SITE.splitlines() if not each.startswith(f"{key} =")]
    found = problems(tmp_path, "\n".join([*kept, line]) + TOPIC)

    assert len(found) == 1
    assert problem in found[0]
    assert found[0].startswith("site.")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[storage]\ndesk = "public/desk"', 'storage.desk: "public/desk" lies in the'),
        ('[storage]\ndesk = "public"', 'storage.desk: "public" lies in the published'),
        ('[storage]\ndatabase = "public/x.db"', "storage.database: "),
        ('[storage]\ncuration = "a/../public/c.toml"', "storage.curation: "),
        ('[storage]\noutput = "."', 'storage.output: "." holds feeds.toml itself'),
        ('[storage]\noutput = "/"', 'storage.output: "/" holds feeds.toml itself'),
        ("[storage]\noutput = 5", "storage.output: 5 is no text; write it in quotes"),
        ('[storage]\noutput = ""', 'storage.output: "" is no path'),
        ('[storage]\nhistory = "six mois"', 'storage.history: "six mois" is no dur'),
        ("[polling]\ninterval = 30", "polling.interval: 30 is no duration; write a"),
        ('[polling]\ninterval = "5m"', 'polling.interval: "5m" is not between poll'),
        ('[polling]\ninterval = "2d"', '"2d" is not between polling.fastest and'),
        (
            '[polling]\nfastest = "36h"',
            'polling.fastest: "36h" is longer than polling.slowest, "1d"',
        ),
        (
            '[polling]\nfastest = "90s"\nslowest = "61s"',
            'polling.fastest: "90s" is longer than polling.slowest, "61s"',
        ),
        ('[polling]\ntimeout = "0s"', 'polling.timeout: "0s" is not between 1s and'),
        ('[polling]\nslowest = "40000d"', '"40000d" is not between 1s and 36500d'),
        ('[polling]\nmax_bytes = "10"', 'polling.max_bytes: "10" is no size; write'),
        ('[polling]\nmax_bytes = "0MB"', 'polling.max_bytes: "0MB" is no size'),
        ("[polling]\nper_host = 0", "polling.per_host: 0 is no whole number of 1"),
        (
            "[polling]\nallow_private_addresses = 1",
            "polling.allow_private_addresses: 1 is neither true nor false",
        ),
        (
            '[matching]\narticles = "doubtfull"',
            "matching.articles: \"doubtfull\" is unknown; did you mean 'doubtful'?",
        ),
        (
            '[engine]\nkind = "dask"',
            "engine.address: missing (of the cluster's scheduler); write address =",
        ),
        (
            '[engine]\nkind = "dask"\naddress = "scheduler"',
            'engine.address: "scheduler" is no address of a scheduler; write such as',
        ),
        (
            '[engine]\nkind = "dusk"',
            "engine.kind: \"dusk\" is unknown; did you mean 'dask'?",
        ),
        ("[[polling]]\nper_host = 1", "polling: a list is no table; write [polling]"),
        ("[[outlets]]", "outlets: a list is no table; write [outlets]"),
        ("[outlet]", "outlet: unknown table; did you mean 'outlets'?"),
        ('[[topics]]\nid = "a/b"\ntitle = "A"', "topics[2] 'a/b'.id: \"a/b\" is no"),
        ('[[topics]]\nid = "A"\ntitle = "A"', "topics[2] 'A'.id: \"A\" is no topic id"),
        ('[[topics]]\nid = ".."\ntitle = "A"', "topics[2] '..'.id: \"..\" is no topic"),
        (f'[[topics]]\nid = "{"a" * 65}"\ntitle = "A"', "is no topic id"),
        ('[[topics]]\nid = "é"\ntitle = "A"', "topics[2] 'é'.id: \"é\" is no topic"),
        ('[[topics]]\ntitle = "A"', "topics[2].id: missing (its folder and address"),
        ("[[topics]]\nid = 5\ntitle = 'A'", "topics[2].id: 5 is no text"),
        ('[[topics]]\nid = "b"\n', "topics[2] 'b'.title: missing (its name"),
        ('[outlets]\n"A" = 5', 'outlets."A".url: 5 is no text'),
        ('[outlets]\n"A" = {}', 'outlets."A".url: missing (the feed\'s address'),
        ('[outlets]\n"A" = []', 'outlets."A".url: is an empty list; write a feed'),
        ('[outlets]\n" " = "https://a.fr/"', 'outlets." ": the name is empty'),
        ('[outlets]\n"a\\nb" = ""', 'outlets."a\\nb".url: "" is no web address'),
        (
            '[outlets]\n"A" = ["https://a.fr/f", "a.fr"]',
            'outlets."A".url[2]: "a.fr" is no web address; write "https://a.fr"',
        ),
        (
            '[outlets]\n"A" = "https://a.fr/f"\n"B" = "https://a.fr/f/"',
            'outlets."B".url: "https://a.fr/f/" stands under "A" already; keep it once',
        ),
        (
            '[outlets]\n"A" = ["https://a.fr/f", "https://a.fr/f"]',
            'outlets."A".url: "https://a.fr/f" stands here already; keep it once',
        ),
        (
            '[outlets]\n"A" = { url = "https://a.fr/f", intervall = "1h" }',
            "outlets.\"A\".intervall: unknown key; did you mean 'interval'?",
        ),
        (
            '[outlets]\n"A" = { url = "https://a.fr/f", always = "film" }',
            'outlets."A".always: unknown topic "film"; known here: auteur',
        ),
        (
            '[outlets]\n"A" = { url = "https://a.fr/f", kind = "rss" }',
            'outlets."A".kind: "rss" is unknown; known here: feed, sitemap, search',
        ),
        (
            '[outlets]\n"A" = { url = "https://a.fr/f", language = "français" }',
            'outlets."A".language: "français" is no language',
        ),
        (
            '[outlets]\n"A" = { url = "https://a.fr/f", headers = "x" }',
            'outlets."A".headers: "x" is no table of headers',
        ),
        (
            '[outlets]\n"A" = { url = "https://a.fr/f", headers = { "X Y" = "" } }',
            'outlets."A".headers."X Y": is no header\'s name',
        ),
        (
            '[outlets]\n"A" = { url = "https://a.fr/f", headers = { X = "a\\r\\nb" } }',
            'outlets."A".headers.X: "a\\r\\nb" is no line of plain ASCII',
        ),
        (
            '[site.x]\n"a\\u001b[2J" = 1',
            "site.x: unknown key; known here: title, url, id, subtitle, author",
        ),
    ],
)
def test_each_other_problem_is_one_line(
    tmp_path: Path, text: str, problem: str
) -> None:
    """What is wrong outside [site], alone in an otherwise sound file."""
    found = problems(tmp_path, f"{MINIMAL}{text}")

    assert len(found) == 1
    assert problem in found[0]


def test_without_topics_nothing_can_be_found(tmp_path: Path) -> None:
    """No topic is one problem, and outlets that name topics add none."""
    outlets = '[outlets]\n"A" = { url = "https://a.fr/f", review = ["auteur"] }'
    none = problems(tmp_path, SITE + outlets)
    single = problems(tmp_path, f'{SITE}[topics]\nid = "a"\n{outlets}')

    assert none == ("topics: none; write [[topics]] with id, title and match",)
    assert single == ("topics: a table is no array of tables; write [[topics]]",)


def test_a_faulty_topic_does_not_accuse_the_outlets_that_name_it(
    tmp_path: Path,
) -> None:
    """One fault, one line: an id that cannot be used is known all the same."""
    content = '[[topics]]\nid="É"\ntitle="É"\n[outlets]\n"A"='
    content += '{ url = "https://a.fr/f", review = ["auteur"] }'
    found = problems(tmp_path, MINIMAL + content.replace("auteur", "auteu"))

    assert len(found) == 2
    assert found[1].endswith("did you mean 'auteur'?")


@pytest.mark.parametrize("name", ["..", ".", "a/b", "/etc", "a\\\\b", "a\\u0000", ""])
def test_no_topic_is_named_as_a_path(tmp_path: Path, name: str) -> None:
    """A topic's id is a folder of its own in the published one, and nothing else."""
    topic = f'[[topics]]\nid = "{name}"\ntitle = "A"\nmatch = "a"\n'
    found = problems(tmp_path, SITE + topic)

    assert [line for line in found if ".id: " in line]


def test_control_characters_never_reach_the_terminal(tmp_path: Path) -> None:
    """A key or value with an escape sequence is shown without it, in one line."""
    found = problems(tmp_path, MINIMAL + '[polling]\n"a\\u001b[2J\\nb" = 1')

    assert len(found) == 1
    assert found[0].startswith("polling.a\ufffd[2J\ufffdb: unknown key")


@settings(deadline=None)  # a shared machine is slow now and then
@given(content=st.binary(max_size=200))
@example(content="\U00040000\u0080".encode())  # unassigned, and a control character
def test_no_content_makes_reading_raise_anything_else(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    """Whatever is in the file: a ConfigError with printable lines."""
    folder = tmp_path_factory.getbasetemp()

    assert problems(folder, content)


VALUES = st.recursive(
    st.sampled_from(["", '"x"', "5", "-1", "true", "1.5", "2020-02-14", "'30m'"]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2).map(lambda found: f"[{', '.join(found)}]"),
        inner.map(lambda found: f"{{ url = {found or 0} }}"),
    ),
    max_leaves=3,
)


@settings(deadline=None)  # a shared machine is slow now and then
@given(
    table=st.sampled_from([*keys.SINGLE, keys.OUTLET]),
    value=VALUES,
    data=st.data(),
)
def test_any_value_of_any_key_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, table, value: str, data
) -> None:
    """A value of a wrong kind is a problem line, never a traceback."""
    key = data.draw(st.sampled_from(sorted(table.keys)))
    name = "outlets.A" if table is keys.OUTLET else table.name
    path = written(
        tmp_path_factory.getbasetemp(), f"{TOPIC}[{name}]\n{key} = {value or 0}"
    )
    with pytest.raises(ConfigError) as caught:  # [site] is never complete here
        config.read(path)

    assert all(line.isprintable() for line in caught.value.problems)


# ── warnings, place and name ──────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ('match = ["micro-travail"]', "match[1]: micro travail does not find microtr"),
        (
            'match = ["a", "Télé travail*"]',
            "match[2]: tele travail* does not find tele",
        ),
        (
            'review = "crowd-worker AND x"',
            "review[1]: crowd worker does not find crowdw",
        ),
        ('match = ["micro-travail", "microtravail"]', ""),
        ("match = ['micro-travail*', 'microtr*']", ""),
        ('match = "micro-travail"\nreview = "microtravail"', "match[1]: micro travail"),
        ('match = ["sans-papiers", "l\'auto", "micro-travailler plus"]', ""),
        ('match = "article: casilli"', ""),
        ('review = "article: casilli"', "review[1]: review looks at title and summary"),
        ("never = 'x AND \"article : y\"'", ""),
    ],
)
def test_advice_is_given_on_lines_that_find_less_than_meant(
    tmp_path: Path, lines: str, told: str
) -> None:
    """A second spelling that is missing, a column that is never looked at."""
    content = SITE + TOPIC.replace('match = "casilli"', lines)
    found = config.advice(read(tmp_path, content))

    assert [line[: len("topics[1] 'auteur'." + told)] for line in found] == (
        [f"topics[1] 'auteur'.{told}"] if told else []
    )


def test_warnings_name_the_example_addresses(tmp_path: Path) -> None:
    """While the shipped addresses stand there, `check` and `run` say so."""
    content = FOLLOWING.replace("www.film.fr", "example.org").replace(
        "[site]", '[site]\ncontact = "presse@example.org"'
    )
    found = config.warnings(read(tmp_path, content))

    assert len(found) == 2
    assert found[0].startswith('site.url: "https://example.org/presse/" is still')
    assert found[1].startswith('site.contact: "presse@example.org" is still')


@pytest.mark.parametrize(
    "url", ["https://example.org.fr/presse/", "https://www.film.fr/presse/"]
)
def test_a_file_without_doubts_has_no_warning(tmp_path: Path, url: str) -> None:
    """Defaults are never warned of, and only the very example domain is."""
    content = FOLLOWING.replace("https://www.film.fr/presse/", url)

    assert config.warnings(read(tmp_path, content)) == ()


@pytest.mark.parametrize("outlets", ["", '"A" = { url = "%s", enabled = false }'])
def test_where_no_outlet_is_followed_is_warned_of(tmp_path: Path, outlets: str) -> None:
    """A file that can find nothing is valid, but hardly meant."""
    content = f"{MINIMAL}[outlets]\n{outlets.replace('%s', 'https://a.example/')}\n"
    (found,) = config.warnings(read(tmp_path, content))

    assert found.startswith("outlets: none is followed")


def test_the_file_is_looked_for_in_order(tmp_path: Path, monkeypatch) -> None:
    """--config, then the environment, then here; nowhere is a ConfigError."""
    monkeypatch.delenv("AGGREGATOR_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    places = (Path("feeds.toml"), tmp_path / "srv/feeds.toml")
    with pytest.raises(ConfigError) as caught:
        config.locate(None, places)
    (tmp_path / "srv").mkdir()
    written(tmp_path / "srv", MINIMAL)
    shared = config.locate(None, places)
    written(tmp_path, MINIMAL)
    here = config.locate(None, places)
    monkeypatch.setenv("AGGREGATOR_CONFIG", "other.toml")
    named = config.locate("", places)

    assert caught.value.exit_status == 2
    assert "--config or $AGGREGATOR_CONFIG" in str(caught.value)
    assert shared == tmp_path / "srv/feeds.toml"
    assert here == Path("feeds.toml")
    assert named == Path("other.toml")
    assert config.locate("mine.toml") == Path("mine.toml")


def test_the_user_agent_is_plain_ascii_with_a_contact(tmp_path: Path) -> None:
    """Outlets see the program, the page and whom to write to (RFC 9110 §10.1.5)."""
    content = MINIMAL.replace("presse/", "é(1)/").replace(
        "[site]", '[site]\ncontact = "presse@film.fr"'
    )
    found = config.user_agent(read(tmp_path, content))

    assert found.startswith("press-aggregator/")
    assert found.endswith(" (+https://www.film.fr/%C3%A9%281%29/; presse@film.fr)")
    assert config.user_agent(read(tmp_path, MINIMAL)).endswith("fr/presse/)")


def test_durations_of_commands_are_those_of_the_file() -> None:
    """`--max-age 3h` is read as feeds.toml would be, with the same mend."""
    with pytest.raises(ValueError, match='"3 heures" is no duration; write a number'):
        config.duration("3 heures")

    assert config.duration("3h") == timedelta(hours=3)


def test_reading_loads_no_heavy_library() -> None:
    """`aggregator check` must answer at once: no network, feed or page library."""
    heavy = "requests feedparser feedgen jinja2 babel sqlite_utils apscheduler lxml"
    code = (
        "import sys, aggregator.config, aggregator.curation;"
        f"print(sorted(set({heavy.split()!r}) & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"
