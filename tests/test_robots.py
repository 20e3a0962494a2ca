"""What a robots.txt allows us, by RFC 9309."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.robots import allows

URL = "https://jour.example/secret/a.html?page=2"


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("", True),
        ("User-agent: *\nDisallow:", True),
        ("User-agent: *\nDisallow: /", False),
        ("User-agent: *\nDisallow: /secret", False),
        ("User-agent: *\nDisallow: /secret\nAllow: /secret/a", True),  # the longest
        ("User-agent: *\nDisallow: /*?page=", False),
        ("User-agent: *\nDisallow: /*.html$", True),
        ("User-agent: otherbot\nDisallow: /", True),
        ("User-agent: Press-Aggregator\nDisallow: /", False),
        ("User-agent: aggregator\nDisallow: /", False),
        ("User-agent: *\nDisallow: /\n\nUser-agent: aggregator\nDisallow:", True),
        ("<html><body>Not found</body></html>", True),
    ],
)
def test_what_a_robots_txt_allows(text: str, allowed: bool) -> None:
    """Our own group goes before that of all; the longest rule wins."""
    assert allows(text, URL)[0] is allowed


@pytest.mark.parametrize(
    ("delay", "seconds"),
    [("10", 10.0), ("0.5", 0.5), ("inf", 0.0), ("-3", 0.0), ("nan", 0.0), ("x", 0.0)],
)
def test_a_crawl_delay_is_a_number_of_seconds(delay: str, seconds: float) -> None:
    """What is none asks for nothing."""
    assert allows(f"User-agent: *\nCrawl-delay: {delay}", URL) == (True, seconds)


@given(text=st.text(max_size=300))
def test_no_robots_txt_makes_it_raise(text: str) -> None:
    """Whatever a site serves there."""
    allowed, delay = allows(text, URL)

    assert isinstance(allowed, bool)
    assert delay >= 0
