"""The audit of dependencies that CI makes: what fails it, and what is only told."""

from __future__ import annotations

import runpy
from pathlib import Path

JUDGED = runpy.run_path(str(Path(__file__).parents[1] / ".ci" / "audit.py"))["judged"]
SAFE = {"name": "click", "version": "8.5.1", "vulns": []}
HOLED = {
    "name": "lxml",
    "version": "5.3.0",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["5.3.1"], "aliases": []}],
}
UNKNOWN = {"name": "ours", "skip_reason": "Dependency not found: ours (1.0)"}


def test_a_known_vulnerability_is_told_with_its_mend() -> None:
    """Which version, under what name, and what has it no longer."""
    count, said = JUDGED("osv", [SAFE, HOLED, UNKNOWN], "")

    assert count == 2
    assert said == (
        "lxml 5.3.0: PYSEC-1, mended in 5.3.1\n"
        "2 of 3 versions audited by osv, 1 vulnerabilities"
    )


def test_no_data_is_told_and_audits_nothing() -> None:
    """A service that knows none, or cannot be reached: it says why."""
    assert JUDGED("pypi", [UNKNOWN], "") == (
        0,
        "skipped, pypi cannot be asked: Dependency not found",
    )
    assert JUDGED("osv", [], "NameResolutionError") == (
        0,
        "skipped, osv cannot be asked: NameResolutionError",
    )
