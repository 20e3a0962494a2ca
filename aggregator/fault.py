"""Faults of this program, told in one line. Nothing that fetches or decides enters."""

from __future__ import annotations

import traceback


def where(exc: Exception) -> str:
    """Return one line on a fault of ours: what, and the last place it passed."""
    # An exception from a child carries the child's own traceback as its cause.
    text = "".join(traceback.format_exception(exc.__cause__ or exc))
    places = [line.strip() for line in text.splitlines() if line.startswith("  File")]
    what = " ".join(f"{type(exc).__name__}: {exc}".split())
    return f"{what} ({places[-1]})" if places else what
