"""The maintainer's guide, followed word for word in an empty folder and a shell."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

from worlds import contents

from aggregator.demo.outlets import World

DOCS = Path(__file__).parents[1] / "docs"
BLOCK = re.compile(r"^```(sh|toml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLE = re.compile(r"^\[\[topics\]\]\n.*?^never  = \[\]\n", re.MULTILINE | re.DOTALL)
OUTLETS = "http://127.0.0.1:8001"  # where the guide has them


def blocks(name: str) -> list[tuple[str, str]]:
    """Return what a guide tells to type (sh), and to write into feeds.toml (toml)."""
    return BLOCK.findall((DOCS / name).read_text("utf-8"))


class Reader:
    """Somebody who does what the guide says, in a folder of hers."""

    def __init__(self, folder: Path, base: str) -> None:
        self.folder, self.base = folder, base
        self.said: dict[str, str] = {}
        self.seen = ""
        own = Path(sys.executable).parent  # as `source .venv/bin/activate` does
        self.environment = {**os.environ, "PATH": f"{own}:{os.environ['PATH']}"}

    def do(self, kind: str, text: str) -> None:
        """Type the commands of a block, or write it in the place of the example."""
        if kind == "sh":
            for line in text.splitlines():
                self.type(line)
            return
        path = self.folder / "feeds.toml"
        edited, times = EXAMPLE.subn(lambda _: text, path.read_text("utf-8"))
        assert times == 1
        path.write_text(edited, "utf-8")

    def type(self, line: str) -> None:
        """Type a command, which has to succeed."""
        if line.startswith("cd "):
            self.folder /= line.removeprefix("cd ")
        elif "serve" in line:
            self.look(line.replace("8080", "0"))
        else:
            done = self.start(line.replace(OUTLETS, self.base))
            out, err = done.communicate(timeout=60)
            assert done.returncode == 0, f"{line}\n{out}{err}"
            self.said[line] = self.said.get(line, "") + out + err

    def start(self, command: str) -> subprocess.Popen[str]:
        """Start a command in a shell."""
        return subprocess.Popen(
            ["bash", "-c", f"exec {command}"],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def look(self, command: str) -> None:
        """Look at the page of the topic, as long as it is served."""
        with self.start(command) as serving:
            assert serving.stdout is not None
            address = serving.stdout.readline().split()[0]
            with urllib.request.urlopen(f"{address}topics/riders/index.html") as page:
                self.seen = page.read().decode()
            serving.terminate()


def test_the_guide_holds_word_for_word(tmp_path: Path) -> None:
    """Who never saw the project has a page with her own topic, and all that follows."""
    with World() as world:
        reader = Reader(tmp_path, world.base)
        for kind, text in blocks("maintainer.md"):
            reader.do(kind, text)
    stories = contents(reader.folder)["stories.jsonl"].decode().splitlines()
    published = {
        told["title"]: told["topics"]
        for told in map(json.loads, stories)
        if told["state"] == "published"
    }
    said = reader.said

    assert "Delivery riders" in reader.seen
    assert "boycott de Deliveroo" in reader.seen
    assert "travailleurs du clic" in reader.seen
    assert "forçats du numérique" in said["aggregator review"]
    assert "With a report" in contents(reader.folder)["index.html"].decode()
    assert "restored from public/stories.jsonl" in said["aggregator run"]
    assert {title[:24]: topics for title, topics in published.items()} == {
        "Saint-Valentin : un coll": ["riders"],
        "À Toulouse, une projecti": ["riders"],
        "“Invisibles” sur France ": ["riders"],
        "Micro-travail : une jour": ["riders"],
    }


def test_both_guides_say_the_same() -> None:
    """The French one has the same sections, commands and lines, in its own words."""
    english, french = ((DOCS / f"maintainer{end}.md") for end in ("", ".fr"))
    words = re.compile(r'"[^"]*"|\S+@\S+|language \w+|#.*')
    told = [
        [(kind, words.sub("…", text)) for kind, text in blocks(path.name)]
        for path in (english, french)
    ]
    sections = [
        re.findall("^(#+|\\*\\*\\d)", path.read_text("utf-8"), re.MULTILINE)
        for path in (english, french)
    ]

    assert told[0] == told[1]
    assert sections[0] == sections[1]
