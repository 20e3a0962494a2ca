"""merge and split as commands: what they write, what they show, and the way back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Server
from test_decide import call, curation, short
from worlds import aggregator, configure, item, rss

URL = "https://jour.example/{}"
COPY = "https://soir.example/c"
SAYS = "« Les travailleurs du clic » sont des millions, et personne ne les voit jamais."


@pytest.fixture
def path(tmp_path: Path, server: Server) -> Path:
    """Return a feeds.toml after a cycle: two stories, the second with a copy."""
    clic = "Invisibles, les travailleurs du clic au travail"
    day = rss(item("a", "Les travailleurs du clic"), item("c", clic, summary=SAYS))
    evening = rss(item("c", clic, summary=SAYS, host="soir.example"))
    outlets = {
        "Le Jour": server.route("/jour", body=day),
        "Le Soir": server.route("/soir", body=evening),
    }
    made = configure(tmp_path, outlets)
    assert aggregator(made, "run").returncode == 0
    return made


def published(path: Path) -> dict[str, int]:
    """Return how many copies each published story has, once all is published."""
    assert aggregator(path, "publish").returncode == 0
    feed = json.loads(path.parent.joinpath("public/feed.json").read_bytes())
    return {
        one["_mention"]["story"]: len(one["_mention"]["copies"])
        for one in feed["items"]
    }


def test_two_stories_become_one_and_two_again(path: Path) -> None:
    """By short id and address; each story that changes is shown, before and after."""
    first, second = short(path, "a"), short(path, "c")
    assert published(path) == {first: 1, second: 2}

    done = call(path, "merge", first, URL.format("c"), "--reason", "la même enquête")

    assert done.exit_code == 0, done.stderr
    kept, gone = (first, second) if "1 entry → 3" in done.stdout else (second, first)
    assert f"is part of {kept} now" in done.stdout
    assert {f"{kept}  Le Jour", f"{gone}  Le Jour"} == {
        line.partition(":")[0] for line in done.stdout.splitlines()[::2]
    }
    assert 'reason = "la même enquête"' in curation(path)
    assert published(path) == {kept: 2}

    undone = call(path, "merge", URL.format("a"), "--undo")

    assert "stands for itself again: published" in undone.stdout
    assert curation(path) == ""
    assert published(path) == {first: 1, second: 2}


def test_a_copy_leaves_its_story_and_returns(path: Path) -> None:
    """It gets an id of its own, and is shown with it."""
    first, second = short(path, "a"), short(path, "c")
    done = call(path, "split", COPY)

    assert "2 entries → 1 entry" in done.stdout
    assert "is a story of its own now: published" in done.stdout
    own = next(
        line[:8]
        for line in done.stdout.splitlines()
        if line[:8] not in (first, second, " " * 8)
    )
    assert published(path) == {first: 1, second: 1, own: 1}

    undone = call(path, "split", COPY, "--undo")

    assert f"{own}  Le Soir" in undone.stdout
    assert f"is part of {second} now" in undone.stdout
    assert published(path) == {first: 1, second: 2}


def test_what_changes_nothing_is_told(path: Path) -> None:
    """A decision may be made for what will come."""
    alone = call(path, "split", URL.format("a"))
    unknown = call(path, "merge", URL.format("a"), URL.format("zz"))
    stranger = call(path, "split", URL.format("zz"))

    assert alone.stdout == "no story changes by that; it holds for what may come\n"
    assert unknown.stdout == alone.stdout
    assert stranger.stdout.startswith("names no story known so far")
    assert curation(path).count("[[decision]]") == 3


def test_what_cannot_be_meant_is_refused(path: Path) -> None:
    """Nothing is written then."""
    once = call(path, "merge", URL.format("a"), URL.format("a"))
    undone = call(path, "split", COPY, "--undo")

    assert (once.exit_code, undone.exit_code) == (2, 2)
    assert "name two stories at least" in once.stderr
    assert "curation.toml has no split on" in undone.stderr
    assert not path.with_name("curation.toml").exists()
