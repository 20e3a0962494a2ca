"""Asks whether a version in constraints.txt has a known vulnerability, of pip-audit.

Exit 1 when one has. Where no advisory data can be had, as on a machine without the
Internet, that is said and no failure: what is not known breaks no build.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 300  # seconds; a service that is silent is one that cannot be reached
SERVICES = ("osv", "pypi")  # asked in turn; a mirror of PyPI has no advisories


def asked(service: str) -> tuple[list[dict[str, Any]], str]:
    """Return what a service says of each version, and what went wrong, "" = nothing."""
    command = [sys.executable, "-m", "pip_audit", "--progress-spinner", "off"]
    command += ["--no-deps", "--disable-pip", "--format", "json"]
    command += ["--vulnerability-service", service]
    command += ["--requirement", str(ROOT / "constraints.txt")]
    try:
        done = subprocess.run(  # noqa: S603 - words of our own
            command, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        return json.loads(done.stdout)["dependencies"], ""
    except subprocess.TimeoutExpired:
        return [], f"no answer within {PATIENCE} s"
    except ValueError:  # no JSON: it could not ask
        lines = done.stderr.strip().splitlines() or [f"exit {done.returncode}"]
        return [], lines[-1].partition("(")[0]


def judged(service: str, found: list[dict[str, Any]], wrong: str) -> tuple[int, str]:
    """Return how many versions were audited, and what to say of it."""
    audited = [one for one in found if "skip_reason" not in one]
    if not audited:
        reasons = {one["skip_reason"].partition(":")[0] for one in found}
        why = wrong or "; ".join(sorted(reasons)) or "it knows none of them"
        return 0, f"skipped, {service} cannot be asked: {why}"
    lines = [
        f"{one['name']} {one['version']}: {each['id']}, mended in "
        f"{', '.join(each['fix_versions']) or 'no version yet'}"
        for one in audited
        for each in one["vulns"]
    ]
    told = f"{len(audited)} of {len(found)} versions audited by {service}"
    return len(audited), "\n".join([*lines, f"{told}, {len(lines)} vulnerabilities"])


def main() -> int:
    """Ask until a service answers; print what it says."""
    for service in SERVICES:
        found, wrong = asked(service)
        count, said = judged(service, found, wrong)
        sys.stdout.write(f"audit: {said}\n")
        if count:
            return int(any(one.get("vulns") for one in found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
