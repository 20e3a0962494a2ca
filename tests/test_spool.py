"""Long bodies in a file, short ones in memory."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aggregator.model import Fetched, StoreError
from aggregator.spool import SHORT, Spool, read

URL = "https://outlet.example/feed"


def taken(spool: Spool, *parts: bytes) -> Fetched:
    """Return an answer whose body came in these parts."""
    spool.start()
    for part in parts:
        spool.take(part)
    body, path = spool.kept()
    return Fetched(URL, 200, body, path, spool.digest())


@settings(deadline=None, max_examples=30)
@given(st.lists(st.sampled_from([b"", b"a", b"bc" * SHORT, b"d" * (SHORT - 1)])))
def test_what_was_taken_is_read(parts):
    """Whatever its length, a body comes out as it went in, and its digest says so."""
    spool = Spool()
    try:
        fetched = taken(spool, b"x" * 3 * SHORT)
        fetched = taken(spool, *parts)
        whole = b"".join(parts)

        assert read(fetched) == whole
        assert fetched.digest == blake2b(whole, digest_size=16).digest()
        assert bool(fetched.spooled) == (len(whole) > SHORT)
        assert spool.size == len(whole)
    finally:
        spool.close()


def test_the_file_goes_with_the_spool():
    """One file serves all long bodies, and is gone at the end."""
    spool = Spool()
    first = taken(spool, b"a" * 2 * SHORT).spooled
    second = taken(spool, b"b" * 2 * SHORT).spooled
    there = Path(first).exists()
    spool.close()

    assert first == second
    assert there
    assert not Path(first).exists()


def test_no_room_for_a_long_body_is_one_line(monkeypatch, tmp_path):
    """Where no file can be made, the error says where, and short bodies are taken."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    spool = Spool()
    with pytest.raises(StoreError, match=r"none: a long body: no such file"):
        taken(spool, b"a" * 2 * SHORT)

    assert read(taken(spool, b"a")) == b"a"
