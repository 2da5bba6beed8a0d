"""Draw README's picture of the page, ``docs/serve.png``: ``python -m training.page_picture http://127.0.0.1:8765``.

A server must be running there; the article is the example that the page itself offers.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

__all__ = ["main"]

_OUT = Path(__file__).resolve().parents[1] / "docs" / "serve.png"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def main(address: str) -> None:
    """Let the page score its example and save what a wide window shows of it."""
    installed = next(filter(None, map(shutil.which, _BROWSERS)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light")
        page.goto(f"{address}/?example")
        page.get_by_role("button", name="Find statements").click()
        page.wait_for_selector("mark", timeout=120_000)
        page.screenshot(path=_OUT)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8765")
