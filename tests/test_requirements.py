"""What pyproject.toml asks for is what the package uses, no more and no less."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]

# Used by others on our behalf, never imported by us.
UNSEEN = {
    "backports-zstd",  # urllib3 reads zstd bodies with it
    "brotli",  # urllib3 reads br bodies with it
    "lxml-html-clean",  # trafilatura cleans pages with it, by way of justext
    "tzdata",  # zoneinfo, where the machine has no time zones
}


def names(requirements: list[str]) -> set[str]:
    """Return what requirements are called, normalised (PEP 503)."""
    found = [re.match(r"[\w.-]+", each) for each in requirements]
    return {re.sub(r"[-_.]+", "-", each[0]).lower() for each in found if each}


def imported() -> set[str]:
    """Return the distributions that the package imports from."""
    owners, modules = packages_distributions(), set()
    for path in (ROOT / "aggregator").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                modules |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                modules.add((node.module or "").partition(".")[0])
    foreign = modules - set(sys.stdlib_module_names) - {"aggregator"}
    return names([owners[module][0] for module in foreign])


def test_every_library_that_is_imported_is_asked_for() -> None:
    """No library comes by the favour of another one, and none is asked for in vain."""
    asked = [*PROJECT["dependencies"], *EXTRAS["dask"]]

    assert names(asked) == imported() | UNSEEN


def test_every_requirement_has_an_exact_version() -> None:
    """constraints.txt pins whatever pyproject.toml asks for."""
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pinned = names([line for line in lines if "==" in line])
    wanted = [*PROJECT["dependencies"], *EXTRAS["dev"], *EXTRAS["dask"]]

    assert names(wanted) - {PROJECT["name"]} <= pinned
