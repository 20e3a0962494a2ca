"""Real feed files, served on loopback, through the real command line, twice.

Checks that every entry an independent reader finds in a document is stored with its
title, link and date, that no document makes the program fail, and that the second run
finds nothing new and writes nothing. Prints a table and every miss; exit 1 on any.

    python benchmarks/corpus_feeds.py [--corpus PATH] [--servers 16] [--keep FOLDER]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter, defaultdict
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

from played import (
    CORPUS,
    Expected,
    NoRunError,
    Row,
    address,
    answering,
    cycle,
    errors,
    expected,
    letters,
    published,
    spellings,
    stored,
)

MAX_ENTRIES = 2000  # polling.max_entries as shipped
COLUMNS = ("documents", "entries", "titles", "links", "dates", "missed")

CONFIG = """\
[site]
title = "Corpus"
url = "https://corpus.invalid/"
[polling]
allow_private_addresses = true  # the corpus is served on loopback
max_entries = {max_entries}
[matching]
articles = "none"  # polls are looked at here, and their links lead nowhere
[[topics]]
id = "numerique"
title = "Numérique"
match = ["intelligence artificielle", "artificial intelligence", 'google OR apple']
review = ["internet"]
[outlets]
"""


class Plain(SimpleHTTPRequestHandler):
    """Serves files as a plain web server does: a type by extension, Last-Modified."""

    protocol_version = "HTTP/1.1"
    extensions_map = {".xml": "application/xml", ".json": "application/json"}  # noqa: RUF012

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


def lacks(entry: Expected, rows: list[Row]) -> str:
    """Return what of an entry is in none of the rows of its feed; "" = it is there.

    Rows are narrowed down step by step, so that the first thing that fits no row is
    named: what is stored of a namesake does not count.
    """
    titles = spellings(entry.title)
    rows = [row for row in rows if letters(row.title) in titles]
    if not rows:
        return "title"
    if entry.link.startswith(("http://", "https://")):
        rows = [row for row in rows if address(row.url) == address(entry.link)]
        if not rows:
            return "link"
    for name, at in (("published", entry.published), ("updated", entry.updated)):
        if at is None:
            continue
        rows = [row for row in rows if at in (row.published_at, row.updated_at)]
        if not rows:
            return name
    return ""


def compare(
    documents: dict[str, Path], database: Path
) -> tuple[dict[str, Counter[str]], list[str]]:
    """Return the counts by version of feed, and one line for each miss."""
    held, failing = stored(database), errors(database)
    table: dict[str, Counter[str]] = defaultdict(Counter)
    misses = []
    for url, path in documents.items():
        kind = Plain.extensions_map[path.suffix]
        version, entries = expected(path.read_bytes(), url, kind)
        count = table[version]
        count["documents"] += 1
        for entry in entries[:MAX_ENTRIES]:
            lack = lacks(entry, held.get(url, []))
            count["entries"] += 1
            count["titles"] += bool(entry.title) and lack != "title"
            count["links"] += bool(entry.link) and lack not in {"title", "link"}
            count["dates"] += bool(entry.published or entry.updated) and not lack
            if lack:
                count["missed"] += 1
                why = failing.get(url, "")
                misses.append(f"{path.name}\t{lack}\t{entry}\t{why}")
    return table, misses


def second_run(
    first: dict[str, Any], second: dict[str, Any], touched: set[str]
) -> list[str]:
    """Return what the second run did that it should not have done."""
    problems = [
        f"second run: {name} = {second[name]}, not {first_value}"
        for name, first_value in (
            ("polled", first["polled"]),
            ("failed", first["failed"]),
            ("unchanged", first["polled"] - first["failed"]),
            ("new_entries", 0),
            ("files_written", 0),
        )
        if second[name] != first_value
    ]
    return problems + [f"second run: touched {name}" for name in sorted(touched)]


def served(corpus: Path, servers: int, stack: ExitStack) -> dict[str, Path]:
    """Serve the corpus over so many ports until the stack ends; return URL → file."""
    files = sorted((corpus / "feeds" / "dev").iterdir())
    handler = partial(Plain, directory=str(files[0].parent))
    bases = [answering(handler, stack) for _ in range(servers)]
    return {
        f"{bases[n % len(bases)]}/{path.name}": path for n, path in enumerate(files)
    }


def configure(folder: Path, documents: dict[str, Path]) -> Path:
    """Write a feeds.toml with an outlet for each document; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "feeds.toml"
    outlets = "".join(f'"{p.stem}" = "{url}"\n' for url, p in documents.items())
    config.write_text(CONFIG.format(max_entries=MAX_ENTRIES) + outlets, "utf-8")
    return config


def main() -> int:
    """Serve, run twice, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument(
        "--servers", type=int, default=16, help="ports to spread the documents over"
    )
    parser.add_argument("--keep", type=Path, help="an empty folder to work in and keep")
    given = parser.parse_args()
    with ExitStack() as stack:
        work = given.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        documents = served(given.corpus, given.servers, stack)
        config = configure(work, documents)
        now = datetime.now(UTC)
        try:
            first = cycle(config, now)
            table, misses = compare(documents, work / "aggregator.db")
            failing = errors(work / "aggregator.db")
            before = published(work / "public")
            second = cycle(config, now + timedelta(hours=1))
        except NoRunError as exc:
            print(exc)
            return 1
        after = published(work / "public")
    touched = {name for name, _ in before.items() ^ after.items()}
    misses += second_run(first, second, touched)
    print("\t".join(("version", *COLUMNS)))
    total: Counter[str] = sum(table.values(), Counter())
    for version, count in [*sorted(table.items()), ("all", total)]:
        print("\t".join((version, *(str(count[name]) for name in COLUMNS))))
    for url, why in sorted(failing.items()):
        print(f"fails: {documents[url].name}: {why}")
    print(f"first run:  {first}\nsecond run: {second}")
    print("\n".join(misses) if misses else "no miss")
    return 1 if misses else 0


if __name__ == "__main__":
    sys.exit(main())
