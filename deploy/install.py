"""Installs this checkout on the machine, upgrades it, goes back, or takes it out.

`make install`, `make rollback` and `make uninstall` start it; docs/operations.md tells
what it does. It needs the standard library only, for it runs before anything is there.
The maintainer's files are never written over, and the installed program is not touched
before the new one has read them without a complaint.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pwd
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"
USER = "aggregator"
NOBODY = "/usr/sbin/nologin"  # the shell of one who does not log in
OLDEST = (3, 11)  # Python
CLOSED = ("/home/", "/root/")  # where the units see nothing (ProtectHome)
WORKER = "aggregator-worker.service"
STOPPED = (WORKER, "aggregator-run.timer")  # while programs change places
UNITS = (
    WORKER,
    "aggregator-run.service",
    "aggregator-run.timer",
    "aggregator-digest.service",
    "aggregator-digest.timer",
    "aggregator-failure@.service",
)
HARDENED = (WORKER, "aggregator-run.service")
SOURCES = ("aggregator", "pyproject.toml", "README.md", "LICENSE")
BACKUPS = 3  # copies of the database that are kept, the newest
CANNOT_START = (126, 127)  # exit statuses of runuser(1)
TOO_NEW = "made by a newer version"  # what every program says of such a database
DEFAULTS = "# Who is told of failures, and of the week:\n# MAILTO=presse@example.org\n"


class RefusedError(Exception):
    """What stands in the way; `str()` is for a person."""


class Place:
    """Where everything goes, and how it is reached.

    destdir: a folder that stands for /, "" for the machine itself. In such a folder no
    user is made, nothing changes its owner, and no systemd runs. prepare: a command
    that makes an environment in the folder that it is given, "" for venv and pip.
    """

    def __init__(self, prefix: str, destdir: str, prepare: str) -> None:
        """Name the places; nothing is made."""
        self.prefix, self.destdir, self.prepare = prefix, destdir, prepare
        self.lib = Path(f"{destdir}{prefix}/lib/aggregator")
        self.current = self.lib / "current"  # leads to the environment in use
        self.previous = self.lib / "previous"  # and to the one before
        self.command = Path(f"{destdir}{prefix}/bin/aggregator")
        self.units = Path(f"{destdir}/etc/systemd/system")
        self.defaults = Path(f"{destdir}/etc/default/aggregator")
        self.data = Path(f"{destdir}/srv/aggregator")
        self.feeds = self.data / "feeds.toml"
        self.backups = self.data / "backups"

    @property
    def database(self) -> Path:
        """Where a feeds.toml that is valid has the database."""
        import tomllib  # noqa: PLC0415 - an older Python is told so first

        with self.feeds.open("rb") as file:
            storage = tomllib.load(file).get("storage", {})
        return self.data / str(storage.get("database", "aggregator.db"))

    def as_user(self, *words: str, given: bytes = b"") -> tuple[int, str]:
        """Run a command as the user whose the files are; return status and words.

        In their folder root does nothing itself: they might have put a link there.
        """
        done = subprocess.run(
            [*([] if self.destdir else ["runuser", "-u", USER, "--"]), *words],
            cwd=self.data,
            env={**os.environ, "AGGREGATOR_CONFIG": str(self.feeds)},
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        return done.returncode, done.stdout.decode("utf-8", "replace").strip()

    def systemctl(self, *words: str) -> bool:
        """Have systemd do something, where it runs; tell whether it did."""
        if not Path(f"{self.destdir}/run/systemd/system").is_dir():
            return False
        return subprocess.run(["systemctl", *words], check=False).returncode == 0


def install(place: Place) -> None:
    """Install, or upgrade; raises RefusedError, and what was installed still is."""
    make_user(place)
    first = make_folder(place)
    new = place.lib / f"venv-{time.strftime('%Y%m%d-%H%M%S')}"
    print(f"making {new} …")
    stopped = []
    try:
        make_environment(new, place.prepare)
        try_files(place, new)
        stopped = stop(place)
        copied = back_up(place, new)
        write_files(place)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        start(place, stopped)
        raise
    switch(place, new)
    if failed := start(place, stopped):
        undo(place, failed, copied)
    prune(place)
    _, version = place.as_user(str(new / "bin" / "aggregator"), "--version")
    print(f"installed: {version}; to type: {place.command}")
    if place.previous.exists():
        print("the one before is kept: `sudo make rollback` goes back to it")
    if first:
        print("next: sudo -e /srv/aggregator/feeds.toml    (site.url, site.contact)")
        print("      sudo aggregator check")
    if WORKER not in stopped:
        print("to start it: sudo systemctl enable --now aggregator-worker")


def make_user(place: Place) -> None:
    """Make the system user whose the files are, where there is none."""
    with suppress(KeyError):
        if place.destdir or pwd.getpwnam(USER):
            return
    print(f"making the user {USER}")
    home = ("--no-create-home", "--home-dir", str(place.data), "--shell", NOBODY)
    run("useradd", "--system", "--user-group", *home, USER)


def make_folder(place: Place) -> bool:
    """Make the maintainer's folder and its files; tell whether a feeds.toml was made.

    One that is there is somebody's own, and so is the curation.toml beside it.
    """
    if not place.data.exists():
        place.data.mkdir(parents=True)
        if not place.destdir:
            shutil.chown(place.data, USER, USER)
    place.as_user("mkdir", "-p", "-m", "700", str(place.backups))
    if place.feeds.exists():
        return False
    for name in ("curation.toml", "feeds.toml"):
        if (place.data / name).exists():
            continue
        # nobody else reads them: an outlet's line may hold a password
        making = f"umask 027 && set -C && cat > {name}"
        shipped = (ROOT / name).read_bytes()
        status, told = place.as_user("sh", "-c", making, given=shipped)
        if status:
            raise RefusedError(f"{place.data / name} cannot be made: {told}")
        print(f"made {place.data / name}")
    return True


def make_environment(new: Path, prepare: str) -> None:
    """Make an environment with this program in it, where it will stand for good."""
    if prepare:
        run(*shlex.split(prepare), str(new))
        return
    run(sys.executable, "-m", "venv", str(new))
    with tempfile.TemporaryDirectory() as name:
        # pip builds beside the sources, and may find there what an older build left
        for source in SOURCES:
            run("cp", "-R", str(ROOT / source), name)
        pip = (str(new / "bin" / "python"), "-m", "pip", "install", "--quiet")
        pinned = ("--constraint", str(ROOT / "constraints.txt"))
        run(*pip, "--disable-pip-version-check", *pinned, name)


def try_files(place: Place, new: Path) -> None:
    """Have the new program read the maintainer's files and database as they are."""
    status, told = place.as_user(str(new / "bin" / "aggregator"), "check")
    print(told)
    if status in CANNOT_START:
        raise RefusedError(
            f"the user {USER} cannot start {new}/bin/aggregator; is its Python "
            "for everybody? Name another one: sudo make install PYTHON=/usr/bin/python3"
        )
    if status:
        raise RefusedError(
            f"the new program cannot use the files of {place.data} as they are "
            f"(above); {as_before(place)}"
        )


def stop(place: Place) -> list[str]:
    """Stop what would start a program; return what ran."""
    active = [u for u in STOPPED if place.systemctl("--quiet", "is-active", u)]
    if active:
        print(f"stopping {' and '.join(active)}; its cycle ends first …")
        place.systemctl("stop", *active)
    return active


def start(place: Place, stopped: list[str]) -> list[str]:
    """Start what was stopped; return what did not start."""
    return [unit for unit in stopped if not place.systemctl("start", unit)]


def back_up(place: Place, new: Path) -> Path | None:
    """Copy the database before the new program may change it; return the copy."""
    if not place.database.exists():
        return None
    copy = place.backups / f"upgrade-{new.name.removeprefix('venv-')}.db"
    status, told = place.as_user(str(new / "bin" / "aggregator"), "backup", str(copy))
    print(f"copied the database: {told}")
    if status:
        raise RefusedError(f"the database was not copied (above); {as_before(place)}")
    if old := sorted(place.backups.glob("upgrade-*.db"))[:-BACKUPS]:
        place.as_user("rm", "--", *map(str, old))
    return copy


def as_before(place: Place) -> str:
    """Return what becomes of an upgrade that is refused."""
    goes_on = "the program that is installed goes on as before"
    return goes_on if place.current.exists() else "nothing was installed"


def switch(place: Place, to: Path) -> None:
    """Have the links lead to this environment, and to the one used until now."""
    if place.current.exists():
        point(place.previous, place.current.resolve().name)
    point(place.current, to.name)


def point(link: Path, name: str) -> None:
    """Have a link lead to its neighbour, at once."""
    new = link.with_name(f".{link.name}.new")
    new.unlink(missing_ok=True)
    new.symlink_to(name)
    new.replace(link)


def undo(place: Place, failed: list[str], copied: Path | None) -> None:
    """Go back to the program before, as the new one does not start."""
    look = f"journalctl -u {failed[0]}"
    if not place.previous.exists():
        raise RefusedError(f"{failed[0]} does not start: {look}")
    point(place.current, place.previous.resolve().name)
    place.previous.unlink()
    place.systemctl("reset-failed", *failed)  # or too many starts may count against it
    again = start(place, failed)
    prune(place)
    raise RefusedError(
        f"{failed[0]} did not start with the new program ({look}); the one before "
        f"{'does not start either' if again else 'runs again'}"
        f"{hint(place, copied) if again and copied else ''}"
    )


def hint(place: Place, copied: Path) -> str:
    """Return how to bring back a database that an older program can use."""
    base = place.database
    return (
        "; where the database is too new for it, with the worker stopped:\n"
        f"    cd {base.parent} && sudo mkdir newer && sudo mv {base.name}* newer/\n"
        f"    sudo cp -p {copied} {base}"
    )


def write_files(place: Place) -> None:
    """Write what starts the program: the command, the units, what mails texts."""
    for name in UNITS:
        put(place, name, place.units / name)
    for name in HARDENED:
        put(place, "hardening.conf", place.units / f"{name}.d" / "hardening.conf")
    put(place, "mail.py", place.lib / "mail.py")
    put(place, "aggregator", place.command, mode=0o755)
    if not place.defaults.exists():
        place.defaults.parent.mkdir(parents=True, exist_ok=True)
        place.defaults.write_text(DEFAULTS, "utf-8")
    place.systemctl("daemon-reload")


def put(place: Place, name: str, to: Path, mode: int = 0o644) -> None:
    """Write a file of deploy/, with the paths as they are here."""
    text = (DEPLOY / name).read_text("utf-8")
    to.parent.mkdir(parents=True, exist_ok=True)
    new = to.with_name(f".{to.name}.new")
    new.write_text(text.replace("/usr/local/", f"{place.prefix}/"), "utf-8")
    new.chmod(mode)
    new.replace(to)


def prune(place: Place) -> None:
    """Remove the environments that no link leads to."""
    kept = {link.resolve() for link in (place.current, place.previous)}
    for old in place.lib.glob("venv-*"):
        if old not in kept:
            shutil.rmtree(old)


def rollback(place: Place) -> None:
    """Have the two programs change places; RefusedError where that is no good."""
    if not place.previous.exists():
        raise RefusedError("no program from before is kept")
    older, newer = place.previous.resolve(), place.current.resolve()
    status, told = place.as_user(str(older / "bin" / "aggregator"), "check")
    print(told)
    if status:
        copied = sorted(place.backups.glob("upgrade-*.db"))
        back = hint(place, copied[-1]) if copied and TOO_NEW in told else ""
        raise RefusedError(
            f"the program from before cannot use these files (above), the newer one "
            f"goes on{back}"
        )
    stopped = stop(place)
    switch(place, older)
    if failed := start(place, stopped):
        raise RefusedError(f"{failed[0]} does not start: journalctl -u {failed[0]}")
    print(f"gone back to {older}; {newer} is kept, and the same command takes it again")


def uninstall(place: Place) -> None:
    """Remove the program and its units; the maintainer's files stay."""
    place.systemctl("disable", "--now", "--quiet", *STOPPED, "aggregator-digest.timer")
    for name in UNITS:
        (place.units / name).unlink(missing_ok=True)
    for name in HARDENED:
        folder = place.units / f"{name}.d"
        (folder / "hardening.conf").unlink(missing_ok=True)
        with suppress(OSError):  # the machine's own settings are in it, or it is gone
            folder.rmdir()
    place.systemctl("daemon-reload")
    place.command.unlink(missing_ok=True)
    shutil.rmtree(place.lib, ignore_errors=True)
    print(
        f"kept: {place.data}, with your files, the database and the published folder; "
        f"{place.defaults}; the user {USER}"
    )


def refuse_what_cannot_work(place: Place) -> None:
    """Raise RefusedError where this cannot end well."""
    if sys.version_info < OLDEST:
        raise RefusedError(
            f"needs Python 3.11 or newer, this is {sys.version.split()[0]}; name "
            "another one: sudo make install PYTHON=python3.13"
        )
    if os.geteuid() != 0 and not place.destdir:
        raise RefusedError(
            "needs root: sudo make install (or DESTDIR=FOLDER, to try it in a folder)"
        )
    if os.path.realpath(sys.executable).startswith(CLOSED) and not place.destdir:
        raise RefusedError(
            f"{sys.executable} lies in somebody's home, where services cannot see it; "
            "name another one: sudo make install PYTHON=/usr/bin/python3"
        )


def run(*words: str) -> None:
    """Run a command that has to succeed."""
    if subprocess.run(words, check=False).returncode:
        raise RefusedError(f"this failed, and nothing was changed: {shlex.join(words)}")


def main() -> int:
    """Do what is asked; one line says why not."""
    todo = {"install": install, "rollback": rollback, "uninstall": uninstall}
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=todo)
    parser.add_argument("--prefix", default="/usr/local", help="%(default)s")
    parser.add_argument("--destdir", default="", help="a folder that stands for /")
    parser.add_argument("--prepare", default="", help="makes the folder it is given")
    given = parser.parse_args()
    os.umask(0o022)  # what root keeps to himself no service could read
    destdir = str(Path(given.destdir).absolute()) if given.destdir else ""
    place = Place(given.prefix.rstrip("/"), destdir, given.prepare)
    try:
        refuse_what_cannot_work(place)
        place.lib.mkdir(parents=True, exist_ok=True)
        with (place.lib / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            todo[given.what](place)
    except BlockingIOError:
        why = "another one is under way"
    except KeyboardInterrupt:
        why = "interrupted; the same again completes it"
    except (RefusedError, OSError) as exc:
        why = str(exc)
    else:
        return 0
    print(f"{given.what}: {why}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
