"""The image and the two containers of deploy/, as far as can be told without Docker."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path

import yaml
from needs import needed

from aggregator.cli.main import COMMANDS

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text("utf-8")


def test_the_image_is_made_of_what_is_installed() -> None:
    """Of the same sources, with the same versions of everything; all is sent to it."""
    copied = re.findall(r"^COPY (?!--)(.*) \S+$", DOCKERFILE, re.MULTILINE)
    names = {name for line in copied for name in line.split()}
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    sources = runpy.run_path(str(DEPLOY / "install.py"))["SOURCES"]

    assert names == {*sources, "constraints.txt"}
    assert {f"!{name}" for name in names} <= set(ignored)
    assert all((ROOT / name).exists() for name in names)
    assert "-c constraints.txt" in DOCKERFILE


def test_it_runs_a_command_that_exists_as_a_user_without_rights() -> None:
    """The worker, looked after by a command of the program."""
    (command,) = re.findall(r'^CMD \["(\w+)"\]$', DOCKERFILE, re.MULTILINE)
    (health,) = re.findall(r'CMD \["aggregator", "(\w+)"', DOCKERFILE)
    (user,) = re.findall(r"^USER (\d+)$", DOCKERFILE, re.MULTILINE)

    assert {command, health} <= set(COMMANDS)
    assert f"--uid {user} " in DOCKERFILE


def test_the_containers_share_the_folder_and_nothing_else() -> None:
    """The worker writes in it and nowhere else; the web server only reads."""
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))["services"]
    worker, web = services["worker"], services["web"]

    assert worker["volumes"] == ["/srv/aggregator:/srv/aggregator"]
    assert (worker["read_only"], worker["cap_drop"]) == (True, ["ALL"])
    assert worker["security_opt"] == ["no-new-privileges:true"]
    assert all(name.endswith(":ro") for name in web["volumes"] if name[0] in "/.")
    assert (DEPLOY / "Caddyfile").exists()
    assert (ROOT / worker["build"]["dockerfile"]).exists()


def test_a_linter_finds_nothing() -> None:
    """Hadolint has nothing to say; it comes with what the tests install."""
    program = needed(str(Path(sys.executable).with_name("hadolint")))
    done = subprocess.run(
        [program, str(DEPLOY / "Dockerfile")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, "")
