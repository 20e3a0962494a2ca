"""`why` on prepared absences: real cycles, the right cause, and a mend that mends."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from conftest import Server
from worlds import EPOCH, aggregator, command, configure, environment, item, rss

from aggregator.cli import main
from aggregator.why import Cause

DAY = 24 * 3600
CLIC = "Les travailleurs du clic"
SENTENCE = "Antananarivo, Paris, Nairobi : ceux que les plateformes ne montrent pas."
FORM = {
    'title     = ""': f'title = "{CLIC}"',
    'published = ""': "published = 2026-11-20",
}


def after(days: float) -> dict[str, str]:
    """Return the environment of a command some days later."""
    return {"SOURCE_DATE_EPOCH": str(int(EPOCH) + int(days * DAY))}


def world(
    folder: Path, server: Server, *items: str, line: str = "{url}", extra: str = ""
) -> Path:
    """Return a feeds.toml with one outlet, whose feed lists these items.

    line: what stands for the address in its line, {url} being that.
    """
    url = server.route("/jour", body=rss(*items))
    path = configure(folder, {"Le Jour": url}, extra=extra)
    written = line.replace("{url}", f'"{url}"' if line == "{url}" else url)
    path.write_text(path.read_text().replace(f'"{url}"', written))
    return path


def call(path: Path, *words: str, env: Mapping[str, str] | None = None) -> Result:
    """Run a command in this process, which need not start for each."""
    return CliRunner().invoke(
        main, ["--config", str(path), *words], env=env or after(0)
    )


def why(
    path: Path, *words: str, env: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return what `why --json` prints; what it says to people is the same."""
    told = call(path, "why", *words, env=env)
    said = call(path, "why", *words, "--json", env=env)

    assert (said.exit_code, said.stderr) == (0, "")
    assert (told.exit_code, told.stderr) == (0, "")
    answer: dict[str, Any] = json.loads(said.stdout)
    for reason in answer["reasons"]:
        assert all(fact in told.stdout for fact in reason["facts"])
        assert all(f"→ {mend['says']}" in told.stdout for mend in reason["mends"])
    return answer


def facts(answer: Mapping[str, Any]) -> str:
    """Return all facts as one text."""
    return "\n".join(fact for one in answer["reasons"] for fact in one["facts"])


def pasted(answer: Mapping[str, Any], what: str = "[[decision]]") -> str:
    """Return the first table or line to paste that begins so."""
    mends = [mend for one in answer["reasons"] for mend in one["mends"]]
    return next(m["paste"] for m in mends if m["paste"].startswith(what))


def obey(
    path: Path, answer: Mapping[str, Any], verb: str, env: Mapping[str, str]
) -> None:
    """Run the command that is told, as it is told, and publish."""
    mends = [mend for one in answer["reasons"] for mend in one["mends"]]
    told = next(m["run"] for m in mends if m["run"].startswith(f"aggregator {verb} "))
    for words in (shlex.split(told)[1:], ["publish"]):
        done = call(path, *words, env=env)

        assert done.exit_code == 0, done.stderr


def decide(path: Path, table: str, env: Mapping[str, str] | None = None) -> None:
    """Append a table to curation.toml, filled in, and publish."""
    for blank, filled in FORM.items():
        table = table.replace(blank, filled)
    with path.with_name("curation.toml").open("a") as file:
        file.write(f"{table}\n")
    done = call(path, "publish", env=env)

    assert (done.exit_code, done.stderr) == (0, "")


def feed(path: Path) -> str:
    """Return the published feed of everything."""
    folder = path.with_name("public")
    return (folder / "all" / "feed.atom").read_text(encoding="utf-8")


def published(path: Path) -> str:
    """Return the front page."""
    return (path.parent / "public" / "index.html").read_text()


# ── the ten absences ──────────────────────────────────────────────────────────────────


def test_not_polled_yet(tmp_path: Path, server: Server) -> None:
    """A new outlet; the command that is told polls it."""
    line = '{ url = "{url}", homepage = "https://www.jour.example/" }'
    path = world(tmp_path, server, item("a", CLIC), line=line)
    first = why(path, "https://jour.example/a?utm_source=x")

    assert first["cause"] == "not_polled"
    assert "no cycle has ended yet" in facts(first)
    assert not (tmp_path / "aggregator.db").exists()

    obey(path, first, "run", after(0))
    then = why(path, "jour.example/a")

    assert then["cause"] == "published"
    assert then["article"]["title"] == CLIC


def test_its_feed_fails(tmp_path: Path, server: Server) -> None:
    """Since when, why, and the command to ask it again once that is over."""
    line = '{ url = "{url}", homepage = "https://jour.example" }'
    path = world(tmp_path, server, item("a", "La météo"), line=line)
    aggregator(path, "run")
    server.route("/jour", status=503)
    aggregator(path, "run", "--all", env=after(1))
    answer = why(path, "https://www.jour.example/b", env=after(1.1))

    assert answer["cause"] == "failing"
    assert "Le Jour cannot be read: http 503" in facts(answer)
    assert "last read on 2026-11-23 13:00" in facts(answer)

    server.route("/jour", body=rss(item("b", CLIC)))
    obey(path, answer, "run", after(1.2))

    assert why(path, "https://www.jour.example/b")["cause"] == "published"


def test_scrolled_off_in_a_gap(tmp_path: Path, server: Server) -> None:
    """The article's date lies where the feed's documents have nothing in common."""
    path = world(tmp_path, server, item("a", "La météo"))
    aggregator(path, "run")
    server.route("/jour", body=rss(item("z", "Le sport")))
    aggregator(path, "run", "--all", env=after(3))
    url = "https://jour.example/2026/11/25/les-travailleurs-du-clic.html"
    answer = why(path, url, env=after(4))

    assert answer["cause"] == "missed"
    assert "between 2026-11-23 13:00 and 2026-11-26 13:00" in facts(answer)
    assert "is of 2026-11-25, and so within that" in facts(answer)

    decide(path, pasted(answer), after(4))

    assert CLIC in published(path)
    assert why(path, url, env=after(4))["cause"] == "published"

    undated = why(path, "https://jour.example/clic", env=after(4))
    before = ("https://jour.example/clic", "--published", "2026-11-20")

    assert undated["cause"] == "missed"
    assert "--published DATE" in facts(undated)
    assert why(path, *before, env=after(4))["cause"] == "earlier"


def test_no_line_matches(tmp_path: Path, server: Server) -> None:
    """The nearest line is told, with the words that are missing."""
    path = world(tmp_path, server, item("a", "Les travailleurs du dimanche", "Ah."))
    aggregator(path, "run")
    answer = why(path, "http://jour.example/a/")
    near = answer["reasons"][0]["nearest"]

    assert answer["cause"] == "no_line"
    assert near == {
        "topic": "film",
        "key": "match",
        "line": "travailleurs du clic",
        "found": ["« travailleurs du »"],
        "missing": ["« clic »"],
        "words": 1,
    }
    assert "missing: « clic »" in facts(answer)

    decide(path, pasted(answer))

    assert "Les travailleurs du dimanche" in published(path)


def test_suppressed_by_never(tmp_path: Path, server: Server) -> None:
    """Which line of never, what found it, and the command that publishes it."""
    title = "Les petites mains de Corinne Masiero"
    path = world(tmp_path, server, item("a", title))
    aggregator(path, "run")
    answer = why(path, "https://jour.example/a")

    assert answer["cause"] == "suppressed"
    assert "a line of never set it aside: masiero" in facts(answer)
    assert "Corinne **Masiero**" in facts(answer)
    assert "found by a line of review: petites mains" in facts(answer)

    obey(path, answer, "keep", after(0))

    assert title in published(path)


def test_hidden(tmp_path: Path, server: Server) -> None:
    """By which table, when, why; a later table wins."""
    path = world(tmp_path, server, item("a", CLIC))
    aggregator(path, "run")
    file = path.with_name("curation.toml")
    file.write_text(
        '[[decision]]\naction = "pin"\nurl = "https://jour.example/x"\n'
        '[[decision]]\naction = "hide"\nurl = "https://jour.example/a?xtor=1"\n'
        'reason = "un autre film"\nat = 2026-11-22T10:00:00+01:00\n'
    )
    soon = why(path, "https://jour.example/a")

    assert soon["cause"] == "hidden"
    assert "not from the last cycle yet" in facts(soon)

    aggregator(path, "publish")
    answer = why(path, "https://jour.example/a")

    assert answer["cause"] == "hidden"
    assert (
        "hidden by decision[2] of curation.toml (hide, 2026-11-22): un autre film"
    ) in facts(answer)
    assert "cycle" not in facts(answer)
    assert CLIC not in published(path)

    obey(path, answer, "keep", after(0))

    assert CLIC in published(path)


def test_waiting(tmp_path: Path, server: Server) -> None:
    """Which line raised the doubt; the commands to decide, and to keep it."""
    items = item("a", "Des petites mains"), item("b", CLIC, "Corinne Masiero le dit.")
    path = world(tmp_path, server, *items)
    aggregator(path, "run")
    answer, other = (why(path, f"https://jour.example/{slug}") for slug in "ab")

    assert answer["cause"] == other["cause"] == "waiting"
    assert "topic film, found by a line of review: petites mains" in facts(answer)
    assert "found by a line of match: travailleurs du clic" in facts(other)
    assert "a line of never speaks against it: masiero" in facts(other)
    assert answer["reasons"][0]["mends"][0]["run"] == "aggregator review"

    obey(path, answer, "keep", after(0))

    assert "Des petites mains" in published(path)


BOTH = ("jour.example/a", "soir.example/b")


def test_joined_to_another(tmp_path: Path, server: Server) -> None:
    """Under which title it is told, why it was joined, and how to part them."""
    title = "Les travailleurs du clic sortent enfin de l’ombre"
    path = world(tmp_path, server, item("a", title, SENTENCE))
    late = "Fri, 14 Feb 2020 20:00:00 GMT"
    copy = item("b", f"« {title} »", SENTENCE, host="soir.example", date=late)
    url = server.route("/soir", body=rss(copy))
    path.write_text(f'{path.read_text()}\n"Le Soir" = "{url}"\n')
    aggregator(path, "run")
    answer = why(path, "https://soir.example/b")
    first = why(path, "https://jour.example/a")

    assert [one["cause"] for one in answer["reasons"]] == ["joined", "published"]
    assert f"told as a copy of « {title} » (Le Jour, 2020-02-14" in facts(answer)
    assert "joined to it because: same title and summary within 48 h" in facts(answer)
    assert pasted(answer) == (
        '[[decision]]\naction = "split"\nurl    = "https://soir.example/b"'
    )
    assert [one["cause"] for one in first["reasons"]] == ["published"]

    decide(path, pasted(answer))
    parted = why(path, "https://soir.example/b")

    assert [one["cause"] for one in parted["reasons"]] == ["published"]
    assert parted["article"]["state"] == "published"
    assert feed(path).count("<entry>") == 2
    told = {why(path, f"https://{one}")["article"]["story"] for one in BOTH}
    assert len(told) == 2
    for short in told:
        assert why(path, short)["article"]["story"] == short


def test_merged_into_another(tmp_path: Path, server: Server) -> None:
    """It is told as a copy of the one it went into, by whichever name it is asked."""
    late = "Fri, 14 Feb 2020 20:00:00 GMT"
    path = world(
        tmp_path,
        server,
        item("a", "Les travailleurs du clic", SENTENCE),
        item("b", "Des travailleurs du clic : enquête", "Brève.", date=late),
    )
    aggregator(path, "run")
    urls = '["https://jour.example/a", "https://jour.example/b"]'
    decide(path, f'[[decision]]\naction = "merge"\nurls = {urls}')
    answers = [why(path, f"https://jour.example/{name}") for name in "ab"]
    shorts = {answer["article"]["story"] for answer in answers}
    told = [cause for one in answers for cause in one["reasons"]]

    assert "joined to it because: merged in curation.toml" in str(told)
    assert feed(path).count("<entry>") == 1
    assert [one["cause"] for one in why(path, shorts.pop())["reasons"]]


def test_older_than_the_history(tmp_path: Path, server: Server) -> None:
    """Its fingerprint tells until when it was listed; else its date tells enough."""
    url = "https://jour.example/2026/11/a"
    named = item("2026/11/a", "La météo").replace(">2026/11/a<", f">{url}<", 1)
    path = world(tmp_path, server, named, item("b", "Le sport"))
    aggregator(path, "run")
    server.route("/jour", body=rss(item("b", "Le sport")))
    aggregator(path, "run", "--all", env=after(2))
    assert why(path, url, env=after(3))["cause"] == "no_line"

    aggregator(path, "run", "--all", env=after(200))
    answer = why(path, url, env=after(200))
    by_date = why(path, "https://jour.example/2026/11/25/x", env=after(400))

    assert answer["cause"] == by_date["cause"] == "forgotten"
    assert "Le Jour listed it until 2026-11-25" in facts(answer)
    assert "180 days (storage.history)" in facts(answer)
    assert "the article is of 2026-11-25; it may have been read" in facts(by_date)
    assert pasted(answer, "history") == 'history = "360d"'

    decide(path, pasted(answer), after(200))

    assert (
        "jour.example/2026/11/a" in (path.parent / "public/stories.jsonl").read_text()
    )


def test_watched_subject_only(tmp_path: Path, server: Server) -> None:
    """In its topic's own feed, not on the front page; how to bring it there."""
    path = world(tmp_path, server, item("a", "La grève des livreurs"))
    aggregator(path, "run")
    answer = why(path, "https://jour.example/a")
    places = answer["reasons"][0]["places"]

    assert answer["cause"] == "watched"
    assert "livreurs: watched only (main = false)" in facts(answer)
    assert places == [
        "topics/livreurs/index.html",
        f"2020/index.html#s-{answer['article']['story']}",
        "topics/livreurs/feed.atom",
        "all/feed.atom",
        "topics/livreurs/archive/2026-11.atom",
    ]
    for place in places:
        page = path.parent / "public" / place.partition("#")[0]
        assert "La grève des livreurs" in page.read_text()
    assert "La grève" not in published(path)

    obey(path, answer, "retag", after(0))

    assert "La grève des livreurs" in published(path)


# ── others ────────────────────────────────────────────────────────────────────────────


def test_published_and_where(tmp_path: Path, server: Server) -> None:
    """The line that found it, what was decided, and every page and feed that has it."""
    path = world(tmp_path, server, item("a", CLIC, query="?utm_medium=rss"))
    aggregator(path, "run")
    decide(path, '[[decision]]\naction = "pin"\nurl = "https://jour.example/a"')
    answer = why(path, "http://www.jour.example/a#xtor=RSS-1")
    told = aggregator(path, "why", "https://jour.example/a").stdout

    assert answer["cause"] == "published"
    assert "Les **travailleurs du clic**" in facts(answer)
    assert "decision[1] of curation.toml (pin)" in facts(answer)
    assert answer["reasons"][0]["places"][0] == "index.html"
    assert "  topics/film/feed.atom\n" in told
    assert "first read on 2026-11-23 13:00 in http://127.0.0.1:" in told
    assert "listed still" in told


def test_a_disabled_outlet(tmp_path: Path, server: Server) -> None:
    """What stands in the way is the maintainer's own key."""
    line = '{ url = "{url}", homepage = "https://jour.example/", enabled = false }'
    path = world(tmp_path, server, item("a", CLIC), line=line)
    aggregator(path, "run")
    answer = why(path, "https://jour.example/a")

    assert answer["cause"] == "disabled"
    assert (
        'take enabled = false out of the line of "Le Jour"'
        in (answer["reasons"][0]["mends"][0]["says"])
    )


def test_an_unknown_outlet(tmp_path: Path, server: Server) -> None:
    """The command that finds its feeds and follows it."""
    path = world(tmp_path, server, item("a", "La météo"))
    aggregator(path, "run")
    feed = server.route("/rss", body=rss(item("n", CLIC, host="127.0.0.1")))
    page = (
        f'<html><head><link rel="alternate" type="application/rss+xml" href="{feed}">'
    )
    server.route("/", body=page.encode(), headers={"Content-Type": "text/html"})
    server.routes.pop("/jour")
    path.write_text(re.sub('"Le Jour".*\n', "", path.read_text()))
    answer = why(path, server.url("/n"))

    assert answer["cause"] == "unknown_outlet"

    obey(path, answer, "discover", after(1))
    aggregator(path, "run", env=after(1))
    status = aggregator(path, "status", env=after(1)).stdout

    assert feed in status


def test_never_listed(tmp_path: Path, server: Server) -> None:
    """Followed, read, without a gap, and still it never came: another feed has it."""
    path = world(tmp_path, server, item("a", "La météo"))
    aggregator(path, "run")
    aggregator(path, "run", "--all", env=after(1))
    answer = why(path, "https://jour.example/b", env=after(1))

    assert answer["cause"] == "never_listed"
    assert "no feed listed it, and no gap is known" in facts(answer)
    assert pasted(answer, '"Le Jour" = [').endswith(', "https://…"]')


def test_found_by_an_edited_line(tmp_path: Path, server: Server) -> None:
    """A line written after it was read would find it."""
    path = world(tmp_path, server, item("a", "La météo de demain"))
    aggregator(path, "run")
    path.write_text(path.read_text().replace('["petites', '["météo", "petites'))
    answer = why(path, "https://jour.example/a")

    assert answer["cause"] == "edited"
    assert "topic film: météo" in facts(answer)
    assert answer["reasons"][0]["mends"][0]["run"] == "aggregator publish"

    decide(path, pasted(answer))

    assert "La météo de demain" in published(path)


def test_left_out_by_the_outlets_topics(tmp_path: Path, server: Server) -> None:
    """The line would find it, but its topic is not looked for in this outlet."""
    line = '{ url = "{url}", topics = ["livreurs"] }'
    path = world(tmp_path, server, item("a", CLIC), line=line)
    aggregator(path, "run")
    answer = why(path, "https://jour.example/a")

    assert answer["cause"] == "left_out"
    assert 'outlets."Le Jour".topics leaves that topic out' in facts(answer)


def test_withdrawn(tmp_path: Path, server: Server) -> None:
    """Published once, and nothing speaks for it any longer: since when."""
    path = world(tmp_path, server, item("b", "Le sport"))
    aggregator(path, "run")
    table = (
        '[[decision]]\naction = "add"\nid = "tf1-2020"\ntitle = "Au journal"\n'
        'outlet = "TF1"\npublished = 2026-11-20\ntopics = ["film"]'
    )
    decide(path, table)
    added = why(path, "tf1-2020")

    path.with_name("curation.toml").write_text("")
    aggregator(path, "publish", env=after(1))
    answer = why(path, "au", "journal", env=after(1))

    assert added["cause"] == "published"
    assert "topic film: by hand" in facts(added)
    assert answer["cause"] == "withdrawn"
    assert "withdrawn on 2026-11-24 13:00" in facts(answer)

    obey(path, answer, "keep", after(2))

    assert "Au journal" in published(path)


def test_words_of_a_title(tmp_path: Path, server: Server) -> None:
    """Folded, in any order; several articles are listed, none is told."""
    items = (
        item("a", "L’été des travailleurs du clic"),
        item("b", "Les travailleurs du clic : l’été"),
        item("c", "La météo"),
    )
    path = world(tmp_path, server, *items)
    aggregator(path, "run")
    several = why(path, "travailleurs", "du", "clic")
    listed = aggregator(path, "why", "TRAVAILLEURS été").stdout

    assert why(path, "METEO")["article"]["url"] == "https://jour.example/c"
    assert several["cause"] == "several"
    assert {one["url"][-1] for one in several["candidates"]} == {"a", "b"}
    assert "2020-02-14  Le Jour: L’été des travailleurs du clic" in listed
    assert why(path, "neige")["cause"] == "unknown_words"


def test_a_story_by_its_id_or_its_place(tmp_path: Path, server: Server) -> None:
    """Its short id, its anchor on the published page, the id of its Atom entry."""
    path = world(tmp_path, server, item("a", CLIC))
    aggregator(path, "run")
    short = why(path, "https://jour.example/a")["article"]["story"]
    feed = (tmp_path / "public" / "feed.atom").read_text()
    (own,) = re.findall(rf"<id>(tag:[^<]*{short})</id>", feed)
    anchor = f"https://presse.invalid/revue/2020/index.html#s-{short}"

    for asked in (short, anchor, own):
        assert why(path, asked)["article"]["story"] == short


def test_a_wrong_date_is_a_wrong_usage(tmp_path: Path, server: Server) -> None:
    """With what is expected."""
    path = world(tmp_path, server, item("a", CLIC))
    said = aggregator(path, "why", "x", "--published", "hier")

    assert said.returncode == 2
    assert "write 2020-02-14 or 2020-02" in said.stderr


def test_outlets_cannot_steer_the_terminal(tmp_path: Path, server: Server) -> None:
    """Neither by a title nor by what is to be pasted."""
    path = world(tmp_path, server, item("a", "Des petites &#27;[31mmains \u202e"))
    aggregator(path, "run")
    told = aggregator(path, "why", "https://jour.example/a")

    assert not re.search("[\x1b\u202e]", told.stdout)


@pytest.mark.parametrize("json_", [(), ("--json",)])
def test_output_that_is_closed_early_is_no_fault(
    tmp_path: Path, server: Server, json_: tuple[str, ...]
) -> None:
    """`why … | head -1` ends without a traceback."""
    path = world(tmp_path, server, item("a", CLIC))
    aggregator(path, "run")
    words = shlex.join(command(path, "why", "https://jour.example/a", *json_))
    done = subprocess.run(
        ["sh", "-c", f"{words} | head -1"],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert "Traceback" not in done.stderr


def test_every_cause_is_documented() -> None:
    """The table of docs/commands.md lists all causes, and no other."""
    text = (Path(__file__).parents[1] / "docs" / "commands.md").read_text()
    table = text.partition("| cause | meaning |")[2].partition("\n\n")[0]

    assert re.findall(r"^\| `(\w+)`", table, re.MULTILINE) == [*Cause]
