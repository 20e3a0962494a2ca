"""What the documents say of the commands is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from aggregator.backfill import Line
from aggregator.cli import main
from aggregator.cli.machine import NUMBERS
from aggregator.cli.main import COMMANDS
from aggregator.health import Status

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def usage(name: str) -> str:
    """Return a command as docs/commands.md shows it, from its own parameters."""
    command = main.get_command(click.Context(main), name)
    assert command
    words = [name]
    for parameter in command.params:
        if isinstance(parameter, click.Argument):
            shown = parameter.human_readable_name.upper()
            words.append(shown if parameter.required else f"[{shown}]")
            continue
        assert isinstance(parameter, click.Option)
        value = parameter.metavar or parameter.type.name.upper()
        if parameter.name == "port":
            value = "PORT"
        words.append(f"[{parameter.opts[0]}{'' if parameter.is_flag else f' {value}'}]")
    return " ".join(words)


def test_every_command_and_option_is_documented() -> None:
    """The table of docs/commands.md lists each with exactly its options."""
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `([a-z]+[^`]*)` \|", text, re.MULTILINE)
    shown = [line for line in listed if line.split()[0] in COMMANDS]

    def parts(line: str) -> tuple[str, list[str]]:
        found = re.findall(r"\[[^]]*\]|\S+", line)
        return found[0], sorted(found[1:])

    assert sorted(map(parts, shown)) == sorted(parts(usage(name)) for name in COMMANDS)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.name)
def test_every_command_named_in_a_document_exists(document: Path) -> None:
    """No document tells a reader to type a command or an option that is not there."""
    code = shell(document)
    typed = re.findall(
        r"(?m)(?:^|bin/|-m )aggregator(?: --config \S+)? ([a-z].*)", code
    )
    short = re.findall(rf"(?m)^(?:{'|'.join(COMMANDS)}) --.*", code)
    for line in (*typed, *short):
        name, *rest = line.split()
        told = CliRunner().invoke(main, [name, "-h"]).stdout
        options = [word for word in rest if word.startswith("--")]

        assert name in COMMANDS, line
        assert all(option.rstrip(".,;:)") in told for option in options), line


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.name)
def test_every_file_named_in_a_document_exists(document: Path) -> None:
    """What a document calls a file of the repository is one."""
    named = re.findall(
        r"(?m)^((?:aggregator|benchmarks|deploy|docs|tests)/[\w./-]*)$", shell(document)
    )

    assert [name for name in named if not (ROOT / name).exists()] == []


def shell(document: Path) -> str:
    """Return what stands in a document as code, inline or in blocks."""
    text = document.read_text(encoding="utf-8")
    found = re.findall(r"```\w*\n(.*?)```|`([^`\n]+)`", text, re.DOTALL)
    return "\n".join(block or inline for block, inline in found)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.name)
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    """Every relative link or picture of a document is a file of the repository."""
    for target in re.findall(r"\]\(([^)]+)\)", document.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (document.parent / target.partition("#")[0]).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.name)
def test_make_targets_named_in_a_document_exist(document: Path) -> None:
    """Each `make …` of a document is a target of the Makefile."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"make (?:-C \S+ )?([a-z]+)", shell(document)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_units_start_commands_that_exist() -> None:
    """Systemd and cron are told to start real commands."""
    for path in filter(Path.is_file, (ROOT / "deploy").rglob("*")):
        for line in re.findall(r"aggregator --config \S+ (\w+)", path.read_text()):
            assert line in COMMANDS, path


def test_json_keys_are_documented() -> None:
    """What docs/commands.md says these commands print is what they print."""
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)`", text))

    assert {*NUMBERS, *Status.__slots__, *Line.__slots__} <= named
