"""What some tests need beyond Python; missing, they skip by name, in CI they fail."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

NPM = Path(__file__).parent / "node" / "node_modules"
SHARED = Path(__file__).resolve().parents[2] / "shared"


def needed(program: str) -> str:
    """Return the path of a program of the machine."""
    return shutil.which(program) or missing(f"{program} is not installed")


def npm(package: str) -> Path:
    """Return the folder of a package that .ci/run installs into tests/node."""
    folder = NPM / package
    if not folder.is_dir():
        missing(f"the npm package {package} is not installed in tests/node")
    return folder


def shared(name: str) -> Path:
    """Return a file or folder of the material kept beside this checkout."""
    path = SHARED / name
    if not path.exists():
        missing(f"{name} is not beside this checkout, in ../shared")
    return path


def missing(what: str) -> str:
    """Skip the test, or fail it where everything must be there."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what, allow_module_level=True)
