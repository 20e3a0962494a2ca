"""What makes a name last: the listing of its folder, put on the disk.

A file that was written and given its name may be there without the name after the power
failed (fsync(2)). Nothing that knows what the file is for may enter.
"""

from __future__ import annotations

import os
from pathlib import Path


def sync(folder: Path) -> None:
    """Have the disk keep the names given, and taken, in a folder; raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
