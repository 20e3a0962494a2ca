"""`make install`, the upgrade, the way back and the way out, in a folder.

Environments are made of the one that the tests run in: what pip does is tried once, by
.ci/run.
"""

from __future__ import annotations

import fcntl
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from needs import needed
from worlds import unmeasured

from aggregator.store import Store

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
PREPARE = """#!/bin/sh
set -e
"{python}" -m venv --without-pip "$1"
printf '%s\\n' "{root}" "{site}" > "$(echo "$1"/lib/python*/site-packages)/tests.pth"
printf '#!%s/bin/python\\nfrom aggregator.cli import main\\nmain()\\n' "$1" \\
  > "$1/bin/aggregator"
chmod +x "$1/bin/aggregator"
"""


@dataclass
class Machine:
    """A folder that stands for a machine."""

    root: Path
    prepare: Path
    aged: int = 0

    def make(self, target: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Start a target of the Makefile there."""
        given = {"PYTHON": sys.executable, "DESTDIR": str(self.root), **more}
        words = [f"{name}={value}" for name, value in given.items()]
        return subprocess.run(
            ["make", "-s", target, *words, f"PREPARE={self.prepare}"],
            cwd=ROOT,
            env={**os.environ, "PATH": f"{self.prepare.parent}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def lib(self) -> Path:
        """Where the environments stand."""
        return self.root / "usr/local/lib/aggregator"

    @property
    def data(self) -> Path:
        """The maintainer's folder."""
        return self.root / "srv/aggregator"

    def linked(self, name: str) -> str:
        """Return the environment that a link leads to."""
        return (self.lib / name).resolve().name

    def environments(self) -> list[str]:
        """Return all that are there, the oldest first."""
        return sorted(path.name for path in self.lib.glob("venv-*"))

    def age(self) -> str:
        """Have the environment in use be one of last year; return its name.

        Else two of one second would have the same.
        """
        self.aged += 1
        name = f"venv-20251231-{self.aged:06}"
        old, new = self.lib / self.linked("current"), self.lib / name
        old.rename(new)
        (self.lib / "current").unlink()
        (self.lib / "current").symlink_to(name)
        script = new / "bin/aggregator"
        script.write_text(script.read_text().replace(str(old), str(new)))
        return name


def a_machine(folder: Path) -> Machine:
    prepare = folder / "prepare.sh"
    site = sysconfig.get_path("purelib")
    prepare.write_text(PREPARE.format(python=sys.executable, root=ROOT, site=site))
    prepare.chmod(0o755)
    return Machine(folder / "root", prepare)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """Return a machine on which the program was installed once; to be looked at."""
    machine = a_machine(tmp_path_factory.mktemp("installed"))
    done = machine.make("install")
    assert done.returncode == 0, done.stderr
    return machine


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """Return one with a database, and a program from before; to be looked at."""
    machine = a_machine(tmp_path_factory.mktemp("upgraded"))
    assert machine.make("install").returncode == 0
    machine.age()
    with Store(machine.data / "aggregator.db") as store, store.transaction():
        store.note("colour", "blue")
    done = machine.make("install")
    assert done.returncode == 0, done.stderr
    assert "make rollback" in done.stdout
    return machine


@pytest.fixture
def machine(upgraded: Machine, tmp_path: Path) -> Machine:
    """Return a copy of the latter, to do with it what a test wants."""
    shutil.copytree(upgraded.root, tmp_path / "root", symlinks=True)
    shutil.copy(upgraded.prepare, tmp_path)
    return Machine(tmp_path / "root", tmp_path / upgraded.prepare.name, upgraded.aged)


# ── one after the other ───────────────────────────────────────────────────────────────


def test_one_command_installs_all(installed: Machine) -> None:
    """The program, the command, the units and the maintainer's first two files."""
    here = {
        str(path.relative_to(installed.root))
        for top in ("etc", "srv", "usr/local/bin")
        for path in (installed.root / top).rglob("*")
        if path.is_file()
    }

    assert {
        "etc/default/aggregator",
        "etc/systemd/system/aggregator-digest.service",
        "etc/systemd/system/aggregator-digest.timer",
        "etc/systemd/system/aggregator-failure@.service",
        "etc/systemd/system/aggregator-run.service",
        "etc/systemd/system/aggregator-run.service.d/hardening.conf",
        "etc/systemd/system/aggregator-run.timer",
        "etc/systemd/system/aggregator-worker.service",
        "etc/systemd/system/aggregator-worker.service.d/hardening.conf",
        "srv/aggregator/curation.toml",
        "srv/aggregator/feeds.toml",
        "usr/local/bin/aggregator",
    } == here
    assert (installed.data / "feeds.toml").stat().st_mode & 0o777 == 0o640
    assert installed.environments() == [installed.linked("current")]


def test_an_upgrade_keeps_what_the_maintainer_wrote(machine: Machine) -> None:
    """Byte for byte; what is not there stays so."""
    feeds, mail = machine.data / "feeds.toml", machine.root / "etc/default/aggregator"
    feeds.write_text(feeds.read_text("utf-8") + "# mine\n", "utf-8")
    mine = feeds.read_bytes()
    (machine.data / "curation.toml").unlink()
    mail.write_text("MAILTO=me@example.org\n")
    before = machine.age()
    done = machine.make("install")

    assert done.returncode == 0, done.stderr
    assert (feeds.read_bytes(), mail.read_text()) == (mine, "MAILTO=me@example.org\n")
    assert not (machine.data / "curation.toml").exists()
    assert machine.linked("previous") == before
    assert machine.environments() == [before, machine.linked("current")]


def test_an_upgrade_copies_the_database_and_keeps_the_one_before(
    upgraded: Machine,
) -> None:
    """The copy is what stood there, and the program before stays where it was."""
    (copy,) = (upgraded.data / "backups").iterdir()
    with Store(copy, create=False) as store:
        colour = store.fact("colour")

    assert colour == "blue"
    assert upgraded.environments() == [
        upgraded.linked("previous"),
        upgraded.linked("current"),
    ]


def test_a_program_that_refuses_the_files_is_not_installed(machine: Machine) -> None:
    """It says what is wrong with them; what is installed stays as it is."""
    feeds = machine.data / "feeds.toml"
    sound = feeds.read_text("utf-8")
    environments, current = machine.environments(), machine.linked("current")
    feeds.write_text(sound.replace("[site]\n", '[site]\ncolour = "blue"\n'), "utf-8")
    done = machine.make("install")
    feeds.write_text(sound, "utf-8")

    assert done.returncode != 0
    assert "colour" in done.stdout
    assert "the program that is installed goes on as before" in done.stderr
    assert (environments, current) == (
        machine.environments(),
        machine.linked("current"),
    )


def test_the_way_back_and_forth(machine: Machine) -> None:
    """`make rollback` takes the program from before, and again the newer one."""
    newer, older = machine.linked("current"), machine.linked("previous")
    back = machine.make("rollback")
    there = machine.linked("current"), machine.linked("previous")
    forth = machine.make("rollback")

    assert (back.returncode, forth.returncode) == (0, 0), back.stderr + forth.stderr
    assert there == (older, newer)
    assert machine.linked("current") == newer


def test_the_way_back_is_refused_where_the_database_is_newer(machine: Machine) -> None:
    """It says so, and which commands bring the copy of that time back."""
    current = machine.linked("current")
    database = machine.data / "aggregator.db"
    newer = "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES "
    with Store(database) as store:
        store.do(f"{newer} ('aggregator', 'of_tomorrow', 'then')")
    done = machine.make("rollback")
    lines = done.stderr.splitlines()
    commands = "\n".join(line.strip() for line in lines if line.startswith("    "))
    subprocess.run(
        ["sh", "-ec", commands.replace("sudo ", "")], cwd=machine.data, check=True
    )
    again = machine.make("rollback")

    assert "newer version" in done.stdout
    assert (done.returncode != 0, again.returncode) == (True, 0), again.stderr
    assert machine.linked("previous") == current


def test_the_way_back_is_refused_for_files_that_are_wrong(machine: Machine) -> None:
    """What is wrong with them is told, and nothing of databases."""
    feeds = machine.data / "feeds.toml"
    sound, current = feeds.read_text("utf-8"), machine.linked("current")
    feeds.write_text("[site\n", "utf-8")
    done = machine.make("rollback")
    feeds.write_text(sound, "utf-8")

    assert (done.returncode != 0, machine.linked("current")) == (True, current)
    assert "feeds.toml" in done.stdout
    assert done.stderr.startswith("rollback: the program from before cannot use these")
    assert "sudo" not in done.stderr


def test_two_at_once_do_not_meet(machine: Machine) -> None:
    """The second one says so, and does nothing."""
    with (machine.lib / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = machine.make("install")

    assert done.returncode != 0
    assert done.stderr.startswith("install: another one is under way")


# ── with a worker that runs ───────────────────────────────────────────────────────────

SYSTEMCTL = """#!/bin/sh
cd "{here}"
copies=$(ls "{data}/backups" | wc -l)
echo "$1 $(readlink "{lib}/current") $copies" >> told
case "$*" in
  *is-active*worker*) true ;;
  *is-active*) false ;;
  start*) if [ -e broken ]; then rm broken; false; fi ;;
esac
"""


@pytest.fixture
def worked(machine: Machine) -> Iterator[Machine]:
    """Yield the machine with a systemd that says of the worker what a test wants."""
    here, booted = machine.prepare.parent, machine.root / "run/systemd/system"
    booted.mkdir(parents=True)
    text = SYSTEMCTL.format(here=here, lib=machine.lib, data=machine.data)
    (here / "systemctl").write_text(text)
    (here / "systemctl").chmod(0o755)
    yield machine
    booted.rmdir()
    (here / "told").unlink()


def told(machine: Machine) -> list[str]:
    """Return what systemd was told, with the program then in use, and the copies."""
    lines = (machine.prepare.parent / "told").read_text().splitlines()
    return [line for line in lines if not line.startswith("--quiet")]


def test_the_worker_is_stopped_while_programs_change_places(worked: Machine) -> None:
    """Stopped with the old one, the database copied, started with the new one."""
    old, copies = worked.age(), len(list((worked.data / "backups").iterdir()))
    done = worked.make("install")

    assert done.returncode == 0, done.stderr
    assert told(worked) == [
        f"stop {old} {copies}",
        f"daemon-reload {old} {copies + 1}",
        f"start {worked.linked('current')} {copies + 1}",
    ]


def test_a_new_program_that_does_not_start_is_taken_back(worked: Machine) -> None:
    """The one before runs again, and that is said."""
    old = worked.age()
    (worked.prepare.parent / "broken").touch()
    done = worked.make("install")
    starts = [line.split()[1] for line in told(worked) if line.startswith("start")]

    assert done.returncode != 0
    assert "the one before runs again" in done.stderr
    assert len(starts) == 2
    assert starts[0] != starts[1] == old == worked.linked("current")
    assert worked.environments() == [old]


def test_a_worker_whose_database_cannot_be_copied_goes_on(worked: Machine) -> None:
    """With the program that it had: a full disk is no time for an upgrade."""
    old = worked.linked("current")
    backups = worked.data / "backups"
    shutil.rmtree(backups)
    backups.touch()
    done = worked.make("install")
    backups.unlink()

    assert done.returncode != 0
    assert "the database was not copied" in done.stderr
    assert told(worked)[-1].startswith(f"start {old} ")
    assert worked.linked("current") == old


# ── the end of it ─────────────────────────────────────────────────────────────────────


def test_taking_it_out_keeps_the_data(machine: Machine) -> None:
    """And says where that is; what the machine added to a unit stays, too."""
    own = machine.root / "etc/systemd/system/aggregator-run.service.d/own.conf"
    own.write_text("[Service]\nNice=10\n")
    done = machine.make("uninstall")
    left = {
        str(path.relative_to(machine.root))
        for path in machine.root.rglob("*")
        if path.is_file() and machine.data not in path.parents
    }

    assert f"kept: {machine.data}" in done.stdout
    assert (machine.data / "feeds.toml").exists()
    assert {"etc/default/aggregator", str(own.relative_to(machine.root))} == left


# ── what cannot work ──────────────────────────────────────────────────────────────────


UNPRIVILEGED = """
import os, runpy, sys
main = runpy.run_path(sys.argv[1])["main"]  # its imports may be for root alone
if os.geteuid() == 0:
    os.setuid(65534)
sys.argv[1:] = ["install"]
sys.exit(main())
"""


def test_nothing_is_done_without_root() -> None:
    """Neither root nor a folder: one line, and nothing else."""
    done = subprocess.run(
        [sys.executable, "-c", UNPRIVILEGED, str(DEPLOY / "install.py")],
        env=unmeasured(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch("install: needs root: sudo make install.*\n", done.stderr)


def test_an_environment_that_cannot_be_made_leaves_nothing(tmp_path: Path) -> None:
    """As where pip has no network: the command that failed is told."""
    machine = a_machine(tmp_path)
    machine.prepare.write_text('#!/bin/sh\nmkdir -p "$1/bin"; exit 7\n')
    done = machine.make("install")

    assert done.returncode != 0
    assert "prepare.sh" in done.stderr
    assert "Traceback" not in done.stderr
    assert machine.environments() == []


# ── what was installed ────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def units(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the units as they are installed, of a program that is."""
    folder = tmp_path_factory.mktemp("units")
    program = folder / "lib/aggregator/current/bin"
    program.mkdir(parents=True)
    for name in ("python", "aggregator"):
        (program / name).write_text("#!/bin/sh\n")
        (program / name).chmod(0o755)
    for path in DEPLOY.glob("*.service"), DEPLOY.glob("*.timer"):
        for unit in path:
            text = unit.read_text("utf-8").replace("/usr/local", str(folder))
            (folder / unit.name).write_text(text)
    for name in ("worker", "run"):
        beside = folder / f"aggregator-{name}.service.d"
        beside.mkdir()
        (beside / "hardening.conf").write_bytes(
            (DEPLOY / "hardening.conf").read_bytes()
        )
    return folder


def systemd(units: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Ask systemd-analyze about units, in whose folder it looks first."""
    return subprocess.run(
        [needed("systemd-analyze"), *words],
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{units}:"},
        cwd=units,
        capture_output=True,
        text=True,
        check=False,
    )


def test_systemd_finds_nothing_wrong_with_the_units(units: Path) -> None:
    """Every directive is known, every program is there, every unit that is named."""
    names = [path.name for path in units.glob("aggregator-*.[st]*[er]")]
    assert len(names) == 6
    found = [name.replace("@.", "@aggregator-worker.service.") for name in names]
    done = systemd(units, "verify", "--man=no", *found)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("name", ["aggregator-worker", "aggregator-run"])
def test_what_asks_outlets_is_shut_in(units: Path, name: str) -> None:
    """By systemd's own measure of what a service could do: at most 1.5 of 10."""
    done = systemd(
        units, "security", "--offline=true", "--threshold=15", f"{name}.service"
    )

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "leads"),
    [
        ("aggregator", ""),
        ("root", "runuser -u aggregator -- "),
        (
            "marie",
            "sudo -u aggregator -- env AGGREGATOR_CONFIG=/srv/aggregator/feeds.toml ",
        ),
    ],
)
def test_the_command_runs_as_the_user_of_the_files(
    tmp_path: Path, name: str, leads: str
) -> None:
    """Whoever types it, with the words as they were typed."""
    program = tmp_path / "lib/aggregator/current/bin/aggregator"
    program.parent.mkdir(parents=True)
    told = 'printf "%s " "$(basename "$0")" "$@"'
    for tool in (program, tmp_path / "runuser", tmp_path / "sudo"):
        tool.write_text(f"#!/bin/sh\n{told}\n")
        tool.chmod(0o755)
    (tmp_path / "id").write_text(f"#!/bin/sh\necho {name}\n")
    (tmp_path / "id").chmod(0o755)
    command = tmp_path / "command"
    text = (DEPLOY / "aggregator").read_text("utf-8")
    command.write_text(text.replace("/usr/local", str(tmp_path)))
    done = subprocess.run(
        ["sh", str(command), "note", "a b", "--text", ""],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    started = str(program) if leads else "aggregator"

    assert done.stdout == f"{leads}{started} note a b --text  "


@pytest.fixture
def mailing(tmp_path: Path) -> dict[str, str]:
    """Return an environment in which mail goes into the file `sent`."""
    (tmp_path / "sendmail").write_text(f"#!/bin/sh\ncat > {tmp_path}/sent\n")
    (tmp_path / "sendmail").chmod(0o755)
    return {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}


def mailed(environ: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(DEPLOY / "mail.py"), *words],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_text_is_mailed_whole(mailing: dict[str, str], tmp_path: Path) -> None:
    """Its first line is the subject, whatever letters it has; faults are told."""
    first = (
        "3 articles publiés, 1 à relire – la presse\u202fen parle de tout et de rien"
    )
    script = f"echo {shlex.quote(first)}; echo; echo 'été' >&2; exit 3"
    done = mailed({**mailing, "MAILTO": "me@example.org"}, "sh", "-c", script)
    sent = message_from_bytes((tmp_path / "sent").read_bytes(), policy=policy.default)

    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert (sent["to"], sent["subject"]) == ("me@example.org", first)
    assert sent.get_content() == f"{first}\n\nété\n"


def test_where_nobody_is_to_be_told_the_journal_is(
    mailing: dict[str, str], tmp_path: Path
) -> None:
    """Without MAILTO the text is printed, with its subject; no mail is sent."""
    done = mailed(mailing, "--subject", "it failed", "echo", "why")

    assert (done.returncode, done.stdout) == (0, "it failed\nwhy\n")
    assert not (tmp_path / "sent").exists()


@pytest.mark.parametrize("script", [DEPLOY / "aggregator"], ids=lambda p: p.name)
def test_shell_is_clean(script: Path) -> None:
    """Shellcheck finds nothing."""
    done = subprocess.run(
        [needed("shellcheck"), str(script)], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (0, "")
