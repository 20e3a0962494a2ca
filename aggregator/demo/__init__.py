"""The demo: recorded outlets on a real HTTP server, and a folder to run them with.

Nothing in here is a shortcut of the product's code: the demo only writes the two files
that a maintainer writes, and serves what outlets serve. Polling, matching, joining and
publishing are done by the product, which cannot tell that the outlets are recorded.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from aggregator.model import AggregatorError

WORLD = Path(__file__).parent / "world"
MARKER = ".aggregator-demo"
SITE = "https://demo.invalid/presse/"  # RFC 2606 §2: a host that can never exist

_FILES = ("feeds.toml", "curation.toml")


def prepare(folder: Path, base: str, *, site: str = SITE) -> Path:
    """Write feeds.toml and curation.toml into `folder`; return the former's path.

    base: address of the recorded outlets, without the final slash. site: where the
    published folder will be looked at. A folder that an earlier demo made (it holds
    `MARKER`) is emptied first.
    Raises AggregatorError when the folder holds anything else, or cannot be written.
    """
    try:
        if folder.exists():
            _empty(folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARKER).touch()  # first: what is interrupted here can be done again
        for name in _FILES:
            text = (WORLD / name).read_text("utf-8")
            text = text.replace("{base}", base).replace("{site}", site)
            (folder / name).write_text(text, "utf-8")
    except OSError as exc:
        reason = exc.strerror or type(exc).__name__
        raise AggregatorError(f"{folder}: cannot be made ready: {reason}") from exc
    return folder / _FILES[0]


def _empty(folder: Path) -> None:
    """Remove all that an earlier demo left in `folder`, but for the marker."""
    held = list(folder.iterdir())
    if held and not (folder / MARKER).is_file():
        raise AggregatorError(
            f"{folder}: holds files that no demo made; name an empty or a new folder"
        )
    for path in held:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != MARKER:
            path.unlink()
