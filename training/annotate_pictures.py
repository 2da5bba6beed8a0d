"""Draw the pictures of docs/annotate.md: ``python -m training.annotate_pictures``.

A project of 60 of our own statements is labelled by four annotators who are drawn, each with mistakes of their own, and
served by the command as a user would start it.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from stance.annotate.records import Change
from stance.annotate.store import Store
from stance.corpus import Corpus, read_corpus, write_corpus

__all__ = ["main"]

_ROOT = Path(__file__).resolve().parents[1]
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_STATEMENTS, _LABELLED = 60, 48
_MISTAKES = {"Ada": 0.05, "Ben": 0.12, "Chloe": 0.1, "Dev": 0.35}
"""How often an annotator gives another label than the right one."""


def _project(folder: Path) -> tuple[Path, Store, list[str]]:
    """Return a corpus without labels, its store with the labels of four annotators, and keys for the next statement."""
    own = read_corpus(_ROOT / "examples" / "corpus")
    drawn = random.Random(4).sample([r for r in own.splits["train"] if len(r.statement.before) > 40], _STATEMENTS)
    gold = {r.id: {target: label for target, label in r.labels.items() if label is not None} for r in drawn}
    records = tuple(replace(r, labels=dict.fromkeys(own.targets), document=r.id) for r in drawn)
    corpus = Corpus("harbour", own.labels, own.targets, {"train": records})
    path = folder / "harbour"
    write_corpus(corpus, path)
    store = Store.create(folder / "harbour.annotations.db", corpus)
    rng = random.Random(5)
    for name, mistakes in _MISTAKES.items():
        store.enter(name)
        for record in records[:_LABELLED]:
            given = {
                target: rng.choice(own.labels) if rng.random() < mistakes else label
                for target, label in gold[record.id].items()
            }
            store.save(record.id, name, Change("label", labels=given, millis=rng.randint(4_000, 30_000)))
            store.save(record.id, name, Change("done"))
    keys = [str(own.labels.index(label) + 1) for label in gold[records[_LABELLED].id].values()]
    return path, store, keys


def _served(corpus: Path) -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, "-m", "stance.cli", "annotate", str(corpus), "--order", "corpus", "--overlap", "1"]
    process = subprocess.Popen([*command, "--per-item", "4", "--port", "0"], stdout=subprocess.PIPE, text=True)
    for line in process.stdout or ():
        if line.startswith("Labelling page: "):
            return process, line.split()[2].rstrip("/")
    raise SystemExit("the labelling page did not start")


def _entered(browser: Browser, address: str, width: int = 1280, height: int = 640, scheme: str = "light") -> Page:
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(address)
    page.fill("input[name=name]", "Ada")
    page.press("input[name=name]", "Enter")
    page.wait_for_selector(".target.active")
    return page


def _draw(page: Page, name: str, height: int | None = None) -> None:
    """Save what a window shows, in 256 colours."""
    if height:
        page.set_viewport_size({"width": 1280, "height": height})
    path = _ROOT / "docs" / f"annotate-{name}.png"
    page.screenshot(path=path)
    Image.open(path).convert("RGB").quantize(256).save(path, optimize=True)


def main() -> None:
    """Draw every page."""
    installed = next(filter(None, map(shutil.which, _BROWSERS)), None)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        corpus, store, keys = _project(Path(folder))
        process, address = _served(corpus)
        browser = playwright.chromium.launch(executable_path=installed, args=["--no-sandbox"])
        try:
            for name, width, height, scheme in (
                ("light", 1280, 640, "light"),
                ("dark", 1280, 640, "dark"),
                ("phone", 390, 844, "light"),
            ):
                page = _entered(browser, address, width, height, scheme)
                for key in keys[:3] if name == "light" else ():
                    page.keyboard.press(key)
                page.evaluate("scrollTo(0, 0)")
                _draw(page, name)
            page = _entered(browser, address)
            page.goto(f"{address}/agreement")
            _draw(page, "agreement", 1500)
            page.goto(f"{address}/adjudicate")
            page.locator("main a[href*='item=']").first.click()
            page.wait_for_selector(".target.active")
            _draw(page, "adjudicate", 690)
            page.goto(f"{address}/audit")
            _draw(page, "audit", 760)
            page.locator("main a[href*='from=audit']").first.click()
            page.wait_for_selector(".doubts")
            _draw(page, "doubts", 760)
        finally:
            process.terminate()
            process.wait()
            browser.close()
    print(f"drew {len(list((_ROOT / 'docs').glob('annotate-*.png')))} pictures of {store.name}")


if __name__ == "__main__":
    main()
