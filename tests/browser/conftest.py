"""The browser that the pages are tested in, or a skip with its reason."""

from __future__ import annotations

import os
import shutil

import pytest


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium of the system, or the one that playwright brings."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra: test)")
    installed = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_api.sync_playwright() as playwright:
        try:
            options = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
            launched = playwright.chromium.launch(executable_path=installed, args=options)
        except sync_api.Error as error:
            pytest.skip(f"no browser to test in (playwright install chromium): {str(error).splitlines()[0]}")
        yield launched
        launched.close()
