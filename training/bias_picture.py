"""Draw ``docs/bias.png``, the page on PolNeAR's outlets: ``python -m training.bias_picture [--rows ROWS.parquet]``.

The report is made without example statements, so that no article text is in the picture. Needs `playwright` and a
Chromium.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path

from stance.cli import main as stance_command
from training.corpora import data_folder, polnear

__all__ = ["main", "picture"]

_ROOT = Path(__file__).resolve().parents[1]
_WIDTH = 1280  # CSS pixels
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def picture(
    page: Path, output: Path, *, browser: str | None = None, width: int = 1280, last: str = "#timeline"
) -> None:
    """Save a page from its top to the end of one of its figures as a picture.

    Parameters
    ----------
    page
        The report.
    output
        The picture, PNG.
    browser
        Path of a Chromium; one that is installed, or playwright's own, if not given.
    last
        CSS selector of the last figure.
    """
    from playwright.sync_api import sync_playwright

    found = browser or next(filter(None, map(shutil.which, _BROWSERS)), None)
    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=found, args=["--no-sandbox"])
        tab = chromium.new_page(viewport={"width": _WIDTH, "height": 900}, color_scheme="light")
        tab.goto(page.resolve().as_uri())
        end = tab.evaluate(
            "name => document.querySelector(name).closest('section').getBoundingClientRect().bottom", last
        )
        tab.screenshot(path=str(output), full_page=True, clip={"x": 0, "y": 0, "width": _WIDTH, "height": end + 20})
        chromium.close()


def main() -> None:
    """Score the articles (unless rows are given), report, and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=Path, help="rows of the articles, if they are scored already")
    parser.add_argument("--browser", help="path of a Chromium (default: an installed one, or playwright's)")
    parser.add_argument("--model", help="folder or metrics.json of the model, if it is not the shipped one")
    parser.add_argument("-o", "--output", type=Path, default=_ROOT / "docs" / "bias.png")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "bias.html"
        if arguments.rows:
            command = ["report", str(arguments.rows)]
        else:
            articles = Path(folder) / "polnear.jsonl"
            lines = (json.dumps(asdict(a), ensure_ascii=False) + "\n" for a in polnear.articles(data_folder()))
            articles.write_text("".join(lines), encoding="utf-8")
            command = ["report", "--score", str(articles)]
        if arguments.model:
            command += ["--model", arguments.model]
        if stance_command([*command, "--examples", "0", "-o", str(page)]) != 0:
            raise SystemExit("the report was not made")
        picture(page, arguments.output, browser=arguments.browser)
        print(arguments.output)


if __name__ == "__main__":
    main()
