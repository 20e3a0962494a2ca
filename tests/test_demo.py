"""The demo, end to end, as a new user sees it: in a terminal, a browser, a reader."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path

import feedparser
import pytest
from needs import needed
from playwright.sync_api import Page, sync_playwright
from test_publish_archives import reconstructed
from w3c import doubts

from aggregator.serve import serve
from aggregator.text import fold

CHROMIUM = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
]
PRESS = tomllib.loads(Path(__file__).with_name("press.toml").read_text("utf-8"))


def aggregator(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the real command line."""
    return subprocess.run(
        [sys.executable, "-m", "aggregator", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a demo that was played twice in a row."""
    folder = tmp_path_factory.mktemp("demo") / "demo-site"
    for _ in range(2):
        done = aggregator("demo", "--no-serve", "--folder", str(folder))
        assert (done.returncode, done.stdout) == (0, "")
        assert "Traceback" not in done.stderr
    return folder


@pytest.fixture(scope="module")
def address(played: Path) -> Iterator[str]:
    """Yield the address at which the published folder is served."""
    with serve(played / "public", 0) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def told(folder: Path) -> list[dict[str, object]]:
    """Return every published story."""
    lines = (folder / "public" / "stories.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_every_press_item_is_published_once(played: Path) -> None:
    """All seventeen, whether a feed delivered them or curation.toml adds them."""
    for title, outlet in PRESS.items():
        found = [
            story
            for story in told(played)
            if fold(str(story["title"])) == fold(title) and story["outlet"] == outlet
        ]

        assert len(found) == 1, title


def test_copies_are_one_story_that_names_both_outlets(played: Path) -> None:
    """The same article on two invented outlets stands once, on page and feed."""
    (story,) = [s for s in told(played) if "Toulouse" in str(s["title"])]
    copies = story["copies"]
    assert isinstance(copies, list)

    assert {copy["outlet"] for copy in copies} == {
        "La Gazette du Sud-Ouest",
        "Le Courrier des plateformes",
    }
    page = (played / "public" / "index.html").read_text("utf-8")
    assert (
        len(re.findall(r"Aussi dans\s+<a[^>]*>Le Courrier des plateformes", page)) == 1
    )


def test_the_near_miss_is_nowhere_and_doubts_wait(played: Path) -> None:
    """The other film is neither published nor queued; the doubtful ones are queued."""
    config = str(played / "feeds.toml")
    queue = json.loads(aggregator("--config", config, "review", "--json").stdout)
    published = [str(story["title"]) for story in told(played)]

    assert not any("Les Invisibles »" in title for title in published)
    assert [story["title"] for story in queue] == [
        "Jeux mobiles : l’éloge de la patience",
        "Un documentaire sur les métiers invisibles de l’hôpital",
    ]
    assert not {story["title"] for story in queue} & set(published)


def test_the_failing_outlets_are_in_status(played: Path) -> None:
    """Those that answer 500 and 404 never worked; all others are well."""
    config = str(played / "feeds.toml")
    lines = json.loads(aggregator("--config", config, "status", "--json").stdout)
    states = {line["outlet"]: (line["state"], line["error"]) for line in lines}

    assert states.pop("Le Fil de l’Adour") == ("never_worked", "http 500")
    assert states.pop("Radio Causse") == ("never_worked", "http 404")
    assert set(states.values()) == {("ok", "")}


def test_the_demo_leaves_other_folders_alone(tmp_path: Path) -> None:
    """A folder with somebody's files is refused in one line."""
    (tmp_path / "thesis.txt").write_text("mine", "utf-8")
    done = aggregator("demo", "--no-serve", "--folder", str(tmp_path))

    assert done.returncode == 1
    assert "holds files that no demo made" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_its_feeds_are_valid_and_whole(played: Path) -> None:
    """No validator objects; from the live documents back, every story is there."""
    public = played / "public"
    documents = {
        str(path.relative_to(public)): path.read_bytes()
        for path in public.rglob("*")
        if path.suffix in (".atom", ".rss")
    }
    config = tomllib.loads((played / "feeds.toml").read_text("utf-8"))
    main = {topic["id"] for topic in config["topics"] if topic.get("main", True)}
    feeds = {"": main} | {f"topics/{t['id']}/": {t["id"]} for t in config["topics"]}

    assert [(name, *doubts(body)) for name, body in documents.items()] == [
        (name,) for name in documents
    ]
    for folder, topics in feeds.items():
        whole = reconstructed(documents, folder, config["site"]["url"])
        assert {ref.rpartition("/")[2] for ref in whole} == {
            story["short"] for story in told(played) if topics & set(story["topics"])
        }


@pytest.mark.parametrize("name", ["feed.atom", "feed.rss", "topics/livreurs/feed.atom"])
def test_newsboat_lists_what_the_feed_holds(
    address: str, tmp_path: Path, name: str
) -> None:
    """A real reader subscribes to the served feed and shows the same titles."""
    newsboat = needed("newsboat")
    (tmp_path / "urls").write_text(f"{address}{name}\n", "utf-8")
    (tmp_path / "config").touch()
    words = ["-C", "config", "-u", "urls", "-c", "cache.db", "-x", "reload"]
    subprocess.run(
        [newsboat, *words], cwd=tmp_path, env={"HOME": str(tmp_path)}, check=True
    )
    cache = sqlite3.connect(tmp_path / "cache.db")
    listed = {title for (title,) in cache.execute("SELECT title FROM rss_item")}
    cache.close()

    assert listed
    assert listed == {entry.title for entry in feedparser.parse(address + name).entries}


@pytest.fixture(scope="module")
def page(address: str) -> Iterator[Page]:
    """Yield the front page in a real browser."""
    chromium = needed("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM)
        opened = browser.new_page(color_scheme="dark")
        opened.goto(address)
        yield opened
        browser.close()


def test_the_page_reads_in_a_browser(page: Page, address: str) -> None:
    """The press list stands by month, the pinned article first, topics lead on."""
    assert page.title()
    headings = page.locator("h2").all_inner_texts()
    assert headings[0].startswith("À lire d’abord")
    assert "Février 2020" in headings

    page.get_by_role("link", name="Les livreurs").first.click()

    assert page.url.startswith(f"{address}topics/livreurs/")
    assert page.locator("h1").count() == 1
    page.goto(address)


@pytest.mark.parametrize("width", [320, 1280])
def test_the_page_fits_the_window(page: Page, width: int) -> None:
    """Nothing has to be scrolled sideways, on a phone either."""
    page.set_viewport_size({"width": width, "height": 800})

    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_page_asks_nobody_else(page: Page, address: str) -> None:
    """No script, no font, no picture: only this server is asked."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)

    assert asked
    assert all(url.startswith(address) for url in asked)
