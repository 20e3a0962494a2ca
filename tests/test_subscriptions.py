"""OPML as feed readers write it comes into feeds.toml, and goes out of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import Result
from lxml import etree
from test_exchange import aggregator
from worlds import configure

from aggregator import config as configuration

NESTED = """<?xml version="1.0" encoding="UTF-8"?>
<opml version="1.0"><head><title>mine</title></head><body>
<outline text="Presse" title="Presse">
 <outline text="Quotidiens">
  <outline text="Le Monde &amp;amp; Co" title="x" type="rss" language="fr"
   xmlUrl="https://monde.example/une.xml" htmlUrl="https://monde.example/"/>
  <outline title="Le Monde &amp; Co" xmlUrl="https://monde.example/pixels.xml"/>
 </outline>
 <outline type="atom" XMLURL=" feed://slate.example/feed " htmlUrl="no address"/>
</outline>
<outline text="again" type="rss" xmlUrl="http://monde.example/une.xml"/>
<outline text="Le Jour, encore" type="RSS" xmlUrl="https://jour.example/rss"/>
<outline text="a page" type="link" url="https://page.example/"/>
</body></opml>
"""
LAUGHS = (
    "<!DOCTYPE opml [<!ENTITY a0 'ha'>"
    + "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 10))
    + "]><opml><body><outline text='&a9;' xmlUrl='https://a.example/'/></body></opml>"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = configure(tmp_path, {"Le Jour": "https://jour.example/rss"})
    path.write_text(f"# à moi\n{path.read_text()}# la fin\n")
    return tmp_path


def imported(folder: Path, document: str | bytes) -> Result:
    data = document.encode() if isinstance(document, str) else document
    (folder / "in.opml").write_bytes(data)
    return aggregator(folder, "import", str(folder / "in.opml"))


def outlets(folder: Path) -> dict[str, tuple[str, ...]]:
    return {
        one.name: one.urls for one in configuration.read(folder / "feeds.toml").outlets
    }


def test_outlets_are_merged_and_all_else_stays(folder: Path) -> None:
    """Folders are opened, doubles are one; a second time nothing changes."""
    before = (folder / "feeds.toml").read_text()
    done = imported(folder, NESTED)
    after = (folder / "feeds.toml").read_text()

    assert done.exit_code == 0, done.output
    assert outlets(folder) == {
        "Le Jour": ("https://jour.example/rss",),
        "Le Monde & Co": (
            "https://monde.example/une.xml",
            "https://monde.example/pixels.xml",
        ),
        "slate.example": ("http://slate.example/feed",),
    }
    lines = done.stdout.splitlines()
    assert after.replace("\n".join((*lines, "")), "") == before
    assert done.stderr.splitlines() == [
        "feeds.toml: 2 outlets added, 2 addresses there already",
        "`aggregator run` polls them",
    ]
    again = imported(folder, NESTED)
    assert again.stderr == "feeds.toml: 5 addresses there already\n"
    assert (folder / "feeds.toml").read_text() == after


def test_what_is_exported_can_be_imported(folder: Path, tmp_path: Path) -> None:
    """Names, addresses, homepages and languages come back."""
    imported(folder, NESTED)
    done = aggregator(folder, "export", str(folder / "out.opml"))
    assert done.stderr == f"3 outlets written to {folder}/out.opml\n"
    assert etree.parse(folder / "out.opml").getroot().tag == "opml"
    other = tmp_path / "other"
    other.mkdir()
    configure(other, {})
    imported(other, (folder / "out.opml").read_bytes())

    ours, theirs = (
        configuration.read(each / "feeds.toml").outlets for each in (other, folder)
    )
    assert ours == theirs


def test_an_outlet_that_is_there_gains_an_address(folder: Path) -> None:
    """By its name; what else it says stays."""
    done = imported(
        folder, '<opml><outline text="le jour" xmlUrl="https://jour.example/2"/></opml>'
    )

    assert outlets(folder)["Le Jour"] == (
        "https://jour.example/rss",
        "https://jour.example/2",
    )
    assert "feeds.toml: 1 address added to 1 outlet\n" in done.stderr


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (
            NESTED.replace("https://monde.example/p", "javascript:p").replace(
                "feed://", "https://me:secret@"
            ),
            [
                'in.opml:7: xmlUrl: "javascript:pixels.xml" is no web address; write',
                "in.opml:9: xmlUrl: holds a name or password, and an address is no",
            ],
        ),
        ("<!DOCTYPE opml><opml/>", ["in.opml:1: has a DOCTYPE"]),
        (LAUGHS, ["in.opml:1: "]),
        ("<opml>\n<outline></opml>", ["in.opml:2: no XML: "]),
        ("<rss/>", ["in.opml:1: <rss> is no OPML"]),
        ("", ["in.opml:1: no XML: "]),
        ("<outline>" * 2000, ["in.opml:1: no XML: "]),
    ],
)
def test_what_is_wrong_is_told_and_nothing_comes(
    folder: Path, document: str, told: list[str]
) -> None:
    """A line for each; no document grows by its entities."""
    before = (folder / "feeds.toml").read_bytes()
    done = imported(folder, document)

    assert done.exit_code == 2
    lines = [line.strip() for line in done.stderr.splitlines()[1:]]
    assert len(lines) == len(told)
    for line, beginning in zip(lines, told, strict=True):
        assert line.startswith(beginning)
    assert (folder / "feeds.toml").read_bytes() == before


def test_a_file_that_is_too_large_is_not_read(folder: Path) -> None:
    """10 MB are more than thirty thousand feeds."""
    done = imported(folder, b"<opml>" + b" " * 10_000_000)

    assert done.exit_code == 2
    assert "holds over 10 MB" in done.stderr
