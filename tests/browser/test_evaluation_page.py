"""The evaluation report in a real browser, or a skip with its reason."""

from __future__ import annotations

import pytest

from stance.evaluation import Options, evaluate
from stance.evaluation.page import page as written


@pytest.fixture(scope="module")
def address(root, scorer, tmp_path_factory):
    result = evaluate(
        root / "examples" / "corpus", scorer.classifier, Options(resamples=200, behaviour=False, explain=False)
    )
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(written(result), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def opened(browser, address):
    pages = []

    def of(width, scheme="light"):
        page = browser.new_page(viewport={"width": width, "height": 850}, color_scheme=scheme)
        page.set_default_timeout(60_000)
        page.problems = []
        page.on("console", lambda message: page.problems.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.goto(address)
        pages.append(page)
        return page

    yield of
    problems = [problem for page in pages for problem in page.problems]
    for page in pages:
        page.close()
    assert problems == []


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_wider_than_the_window(opened, width):
    page = opened(width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    beyond = """limit => [...document.querySelectorAll("main *")].filter(node => !node.closest(".scroll")
        && node.getBoundingClientRect().right > limit + 1).map(node => node.outerHTML.slice(0, 80))"""
    assert page.evaluate(beyond, width) == []
    clipped = """() => [...document.querySelectorAll(".chart text")].filter(node => {
        const [box, own] = [node.closest("svg").getBoundingClientRect(), node.getBoundingClientRect()];
        return own.left < box.left - 1 || own.right > box.right + 1; }).map(node => node.textContent)"""
    assert page.evaluate(clipped) == []
    tight = """() => [...document.querySelectorAll(".scroll:has(table.heat), .scroll caption")].filter(node =>
        node.scrollWidth > node.clientWidth + 1 || node.getBoundingClientRect().right > innerWidth)
        .map(node => node.textContent.slice(0, 40))"""
    assert page.evaluate(tight) == []
    small = """() => [...document.querySelectorAll(".chart text")].map(node => node.getBoundingClientRect().height)"""
    assert min(page.evaluate(small)) >= 11


def test_a_table_sorts_by_keyboard_and_says_so(opened):
    page = opened(1280)
    table = page.get_by_role("region", name="Slices by dimension")
    head = table.get_by_role("button", name="Items")
    head.focus()
    for order in ("descending", "ascending"):
        page.keyboard.press("Enter")
        assert table.get_by_role("columnheader", name="Items").get_attribute("aria-sort") == order
        counts = [int(text) for text in table.locator("tbody td:nth-child(2)").all_inner_texts()]
        assert counts == sorted(counts, reverse=order == "descending")
        assert len(counts) > 3
    assert page.evaluate("document.activeElement.textContent") == "Items"


def test_paper_is_white_and_open_whatever_the_screen_shows(opened):
    page = opened(1280, "dark")
    page.get_by_role("button", name="Switch to light colours").click()
    page.get_by_role("button", name="Switch to dark colours").click()
    folded = page.locator("details:not([open])").count()
    assert folded
    page.emulate_media(media="print", color_scheme="dark")
    colours = page.evaluate(
        "[document.body, document.querySelector('section')].map(n => getComputedStyle(n))"
        ".flatMap(s => [s.backgroundColor, s.color])"
    )
    assert colours[:2] == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.set_viewport_size({"width": 703, "height": 1000})  # A4 within margins of 12 mm
    assert page.evaluate("document.documentElement.scrollWidth") <= 703
    assert page.locator("details:not([open])").count() == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details:not([open])").count() == folded


def test_charts_are_described_and_every_number_is_in_the_text(opened):
    page = opened(1280)
    charts = page.locator("svg[role=img]")
    assert charts.count() >= 3
    assert all("%" in label or "0." in label for label in charts.evaluate_all("n => n.map(x => x.ariaLabel)"))
    assert page.locator("svg:not([role=img]):not([aria-hidden=true])").count() == 0
