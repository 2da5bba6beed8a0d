"""Draw the pictures of ``docs/evaluation.md``: ``python -m training.evaluation_picture [REPORT.html] [-o FOLDER]``.

The report is that of ``make demo`` (``out/evaluation/report.html``) unless another is given: the top of it at 1280
pixels in light and at 390 pixels in dark colours. Needs `playwright` and a Chromium.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import Literal

__all__ = ["draw", "main"]

_ROOT = Path(__file__).resolve().parents[1]
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_SIZES: tuple[tuple[int, Literal["light", "dark"]], ...] = ((1280, "light"), (390, "dark"))
_HEIGHT = 1500


def draw(report: Path, folder: Path) -> list[Path]:
    """Save the top of a report in each of the sizes and return the pictures."""
    from playwright.sync_api import sync_playwright

    installed = next(filter(None, map(shutil.which, _BROWSERS)), None)
    made = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=installed, args=["--no-sandbox"])
        for width, scheme in _SIZES:
            page = browser.new_page(viewport={"width": width, "height": _HEIGHT}, color_scheme=scheme)
            page.goto(report.resolve().as_uri())
            made.append(folder / f"evaluation-{width}.png")
            page.screenshot(path=made[-1])
        browser.close()
    return made


def main() -> None:
    """Draw both pictures and print where they are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path, nargs="?", default=_ROOT / "out" / "evaluation" / "report.html")
    parser.add_argument("-o", "--output", type=Path, default=_ROOT / "docs")
    arguments = parser.parse_args()
    if not arguments.report.is_file():
        raise SystemExit(f"{arguments.report} is not there: run `make demo` first")
    print(*draw(arguments.report, arguments.output), sep="\n")


if __name__ == "__main__":
    main()
