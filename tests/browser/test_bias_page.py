"""The bias report in a real browser, or a skip with its reason."""

from __future__ import annotations

import pytest

from stance.bias import ReportOptions, bias_report
from tests.bias.conftest import make_archive, make_row

HOSTILE = "</script><img src=x onerror=alert(1)><b>bold</b>"


@pytest.fixture(scope="module")
def report():
    odd = make_row("odd", 0, "Russia", "against", statement=HOSTILE, speaker=HOSTILE, outlet="Lonely Gazette")
    return bias_report([*make_archive(articles=24), odd], options=ReportOptions(draws=400, examples=2))


@pytest.fixture(scope="module")
def address(report, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "bias.html"
    report.write(path)
    return path.as_uri()


@pytest.fixture
def opened(browser, address):
    pages = []

    def of(width=1280, scheme="light", url=address):
        page = browser.new_page(viewport={"width": width, "height": 850}, color_scheme=scheme)
        page.set_default_timeout(60_000)
        page.problems = []
        page.on("console", lambda message: page.problems.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on("dialog", lambda dialog: page.problems.append(f"dialog {dialog.message}"))
        page.on("request", lambda r: page.problems.append(r.url) if not r.url.startswith("file:") else None)
        page.goto(url)
        pages.append(page)
        return page

    yield of
    problems = [problem for page in pages for problem in page.problems]
    for page in pages:
        page.close()
    assert problems == []


def cell_of(page, outlet, target):
    return page.locator(f"#heatmap button[aria-label^='{outlet}, {target}:']")


def choose(page, name, option):
    page.get_by_role("combobox", name=name).select_option(label=option)


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_wider_than_the_window_nor_too_small_to_read(opened, width):
    page = opened(width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    beyond = """limit => [...document.querySelectorAll("main *")].filter(node => !node.closest(".scroll, .skip")
        && node.getBoundingClientRect().right > limit + 1).map(node => node.outerHTML.slice(0, 80))"""
    assert page.evaluate(beyond, width) == []
    heights = page.evaluate("[...document.querySelectorAll('svg text')].map(n => n.getBoundingClientRect().height)")
    assert len(heights) > 60
    assert min(heights) >= 11


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_letters_stand_out_from_the_heat(opened, scheme):
    contrast = """() => {
      const rgba = text => { const v = text.match(/[\\d.]+/g).map(Number); return v.length < 4 ? [...v, 1] : v; };
      const light = c => { const [r, g, b] = c.map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
        return .2126 * r + .7152 * g + .0722 * b; };
      const card = rgba(getComputedStyle(document.querySelector("section")).backgroundColor);
      return [...document.querySelectorAll("#heatmap .cell small")].map(node => {
        const [r, g, b, a] = rgba(getComputedStyle(node.parentElement).backgroundColor);
        const under = [r, g, b].map((v, i) => v * a + card[i] * (1 - a));
        const [x, y] = [light(under), light(rgba(getComputedStyle(node).color).slice(0, 3))].sort((p, q) => q - p);
        return (x + .05) / (y + .05); }); }"""
    found = opened(scheme=scheme).evaluate(contrast)
    assert len(found) > 20
    assert min(found) >= 4.5


def test_the_page_estimates_what_the_report_does(opened, report):
    page = opened()
    compare = """([outlet, target]) => { const o = F.outlets.indexOf(outlet), t = F.targets.indexOf(target);
        return estimate(totals([o], t, -1, null), target, false); }"""
    for row in report.tables["balance_by_outlet"]:
        if row["balance"] is None:
            continue
        found = page.evaluate(compare, [row["outlet"], row["target"]])
        assert found["value"] == pytest.approx(row["balance"], abs=0.002)
        assert found["share"] == pytest.approx(row["addressed_share"], abs=0.002)
        assert found["articles"] == row["articles"]
        for ours, theirs in (("low", "low"), ("high", "high"), ("shareLow", "addressed_low")):
            assert found[ours] == pytest.approx(row[theirs], abs=0.12)


def test_the_page_gives_one_article_the_whole_range_and_unanimous_ones_a_width(opened):
    estimate = "([sums, moments, n]) => estimate({sums, moments, addressing: n, articles: n}, 'nowhere', true)"
    page = opened()
    one = page.evaluate(estimate, [[9, 0, 0, 0], [81, *[0] * 9], 1])
    assert (one["low"], one["high"]) == (-1, 1)
    alike = page.evaluate(estimate, [[20, 0, 0, 0], [20, *[0] * 9], 20])
    assert alike["value"] == -1
    assert -0.95 < alike["high"] < -0.4


def test_filters_change_every_figure_that_follows_them(opened, report):
    page = opened()
    choose(page, "Target", "Russia")
    assert page.locator("#heatmap thead th").count() == 1
    assert page.locator("#timeline figure").count() == page.locator("#agenda figure").count() == 1
    choose(page, "Outlet", "Metro Standard")
    assert page.locator("#heatmap tbody tr").count() == 1
    assert page.locator("#mode").inner_text() == ""
    whole = page.locator("#network svg").get_attribute("aria-label")
    choose(page, "Speakers of", "Russia")
    assert "Filtered" in page.locator("#mode").inner_text()
    mine = page.locator("#network svg").get_attribute("aria-label")
    assert mine != whole
    assert page.locator("#voice .barrow").count() == 1
    choose(page, "From", "2024-03")
    choose(page, "To", "2024-04")
    assert page.locator("#timeline svg").get_attribute("aria-label").count("2024-") == 2
    articles = int(cell_of(page, "Metro Standard", "Russia").locator("small").nth(1).inner_text().split()[0])
    assert 1 <= articles <= 8
    page.get_by_role("button", name="Reset").click()
    page.wait_for_function("document.querySelectorAll('#heatmap tbody tr').length === 4")
    row = next(
        r for r in report.tables["balance_by_outlet"] if (r["outlet"], r["target"]) == ("Metro Standard", "China")
    )
    assert f"{abs(row['pooled']):.2f}" in cell_of(page, "Metro Standard", "China").inner_text()


def test_a_cell_shows_its_statements_with_their_source(opened, report):
    page = opened()
    cell_of(page, "Harbor Ledger", "Ukraine").focus()
    page.keyboard.press("Enter")
    assert page.locator("#detail-h").inner_text() == "Harbor Ledger on Ukraine"
    mine = [e for e in report.tables["examples"] if (e["outlet"], e["target"]) == ("Harbor Ledger", "Ukraine")]
    shown = page.locator("#detail blockquote").all_inner_texts()
    assert len(shown) == len(mine) > 3
    for e in mine:
        source = f"{e['article_id']}, characters {e['start']} to {e['end']}"
        assert any(e["statement"] in text and source in text for text in shown)
    choose(page, "From", "2024-06")
    late = page.locator("#detail blockquote").all_inner_texts()
    assert all("2024-06" in text for text in late)
    assert len(late) == sum(e["published"] >= "2024-06" for e in mine)


def test_hostile_text_is_text(opened):
    page = opened()
    page.locator("#heatmap button[aria-label^='Lonely Gazette, Russia:']").click()
    assert HOSTILE in page.locator("#detail blockquote").inner_text()
    assert page.locator("main img, blockquote b").count() == 0


def test_few_articles_and_weak_classes_say_so_where_they_stand(opened, report):
    page = opened()
    assert cell_of(page, "Lonely Gazette", "Russia").inner_text().endswith("1 article: few")
    weak = {r["target"]: r["caution"] for r in report.tables["balance_by_outlet"] if r["outlet"] == "Harbor Ledger"}
    for target, said in weak.items():
        assert said in page.locator("#heatmap thead th", has_text=target).inner_text()
        assert said in page.locator("#intervals figcaption", has_text=target).inner_text()
    established = page.locator("#differences tbody tr", has_text="established")
    assert established.count() > 3


def test_a_report_of_nothing_to_compare_has_no_empty_chart(opened, tmp_path):
    rows = [make_row(str(i), 0, "Russia", "favor", outlet=None, published=None, speaker=None) for i in range(3)]
    path = tmp_path / "one.html"
    bias_report(rows, options=ReportOptions(draws=200, examples=0)).write(path)
    page = opened(url=path.as_uri())
    assert "Nothing to compare" in page.locator("#diff-lead").inner_text()
    assert "too few dates" in page.locator("#time-lead").inner_text()
    assert "No named speaker" in page.locator("#network").inner_text()
    page.locator("#heatmap button").click()
    assert "switched off" in page.locator("#detail").inner_text()
