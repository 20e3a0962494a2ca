"""What the fork server imports before it makes the first reading process.

Nobody else imports this. The reading code is loaded once, here, instead of in every
child; and a child that cannot start says nothing on stderr. That happens when our
process ends while a child is still on its way up (the locks it looks for are gone by
then): cron would mail a traceback for nothing. A pool without children is reported by
`sandbox` to whoever needed one.
"""

from __future__ import annotations

import sys
from types import TracebackType

import aggregator.sift  # noqa: F401, loaded for the children that are forked from here


def _say_nothing(
    _kind: type[BaseException], _error: BaseException, _trace: TracebackType | None
) -> None:
    """Take the place of the hook that prints."""


sys.excepthook = _say_nothing
