"""Draw ``docs/bias.png``, the page on PolNeAR's outlets: ``python -m training.bias_picture [--rows ROWS.parquet]``.

The report is made without example statements, so that no article text is in the picture. Needs `playwright` and a
Chromium.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import asdict
from pathlib import Path

from stance.cli import main as stance_command
from training.corpora import data_folder, polnear

__all__ = ["main", "picture"]

_ROOT = Path(__file__).resolve().parents[1]


def picture(page: Path, output: Path, *, browser: str | None = None, width: int = 1280, height: int = 1650) -> None:
    """Save the top of a page as a picture.

    Parameters
    ----------
    page
        The report.
    output
        The picture, PNG.
    browser
        Path of a Chromium; playwright's own if not given.
    width, height
        Size in CSS pixels.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=browser)
        tab = chromium.new_page(viewport={"width": width, "height": height})
        tab.goto(page.resolve().as_uri())
        tab.screenshot(path=str(output))
        chromium.close()


def main() -> None:
    """Score the articles (unless rows are given), report, and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=Path, help="rows of the articles, if they are scored already")
    parser.add_argument("--browser", help="path of a Chromium (default: playwright's)")
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
        if stance_command([*command, "--examples", "0", "-o", str(page)]) != 0:
            raise SystemExit("the report was not made")
        picture(page, arguments.output, browser=arguments.browser)
        print(arguments.output)


if __name__ == "__main__":
    main()
