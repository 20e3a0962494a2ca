"""The only place that reads the clock: once for a command, and handed down."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from aggregator.model import AggregatorError


def now() -> datetime:
    """Return now, or the instant that SOURCE_DATE_EPOCH sets, to the second.

    Raises AggregatorError when the variable holds no such instant.
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if not epoch:
        return datetime.now(UTC).replace(microsecond=0)
    try:
        return datetime.fromtimestamp(int(epoch), UTC)
    except (ValueError, OverflowError, OSError) as exc:
        raise AggregatorError(
            f"SOURCE_DATE_EPOCH is {epoch!r}; write whole seconds since 1970, or unset "
            "it"
        ) from exc
