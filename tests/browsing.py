"""A real browser that shows documents as they stand in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from needs import needed
from playwright.sync_api import Browser, sync_playwright

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
]


@contextmanager
def browser() -> Iterator[Browser]:
    """Yield Chromium; the test skips by name where it is not installed."""
    chromium = needed("chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield opened
        opened.close()


def faults(shown: Browser, address: str, width: int) -> list[str]:
    """Return what is wrong with a page in a window so wide: errors, sideways scroll."""
    found: list[str] = []
    page = shown.new_page(viewport={"width": width, "height": 800})
    page.on("console", lambda message: found.append(message.text))
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("requestfailed", lambda request: found.append(request.url))
    page.goto(address)
    wide = page.evaluate("document.documentElement.scrollWidth")
    if wide > width:
        found.append(f"{wide} px wide in a window of {width}")
    page.close()
    return found
