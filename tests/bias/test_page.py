import json
import re

import numpy as np
import pytest

from stance.bias import ReportOptions, bias_report
from stance.bias.archive import NO_DATE
from stance.bias.page import page
from stance.bias.periods import Periods, choose_periods

from .conftest import make_archive, make_row

HOSTILE = "</script><img src=x onerror=alert(1)>%%DATA%%"


@pytest.fixture(scope="module")
def html():
    rows = [*make_archive(articles=12), make_row("odd", 0, "Russia", "against", statement=HOSTILE, speaker=HOSTILE)]
    return page(bias_report(rows, options=ReportOptions(draws=200, examples=40)))


def test_article_text_cannot_become_markup(html):
    assert "<img" not in html
    assert html.count("</script>") == 2
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)[1])
    assert HOSTILE in {e["statement"] for e in data["tables"]["examples"]}


def test_nothing_is_fetched(html):
    head, _, rest = html.partition('id="data">')
    page_parts = head + rest.partition("</script>")[2]
    assert "default-src 'none'" in html
    assert not re.search(r"""(?:src|href)=["'](?!#)""", page_parts)
    assert set(re.findall(r"https?://[^\"'\s]+", page_parts)) == {"http://www.w3.org/2000/svg"}


def test_without_examples_no_article_text_is_on_the_page():
    rows = make_archive(articles=6)
    html = page(bias_report(rows, options=ReportOptions(draws=200, examples=0)))
    assert not any(r["statement"] in html for r in rows)


def test_filtered_figures_add_up_to_the_rows(html):
    data = json.loads(re.search(r'id="data">(.*?)</script>', html, re.DOTALL)[1])
    facts = data["facts"]
    for row in data["tables"]["balance_by_outlet"]:
        cell = [
            c
            for c in facts["cells"]
            if facts["outlets"][c[0]] == row["outlet"] and facts["targets"][c[1]] == row["target"] and c[2] == -1
        ]
        labels = ("against", "neutral", "favor", "not_addressed")
        assert [sum(c[6 + i] for c in cell) for i in range(4)] == [row[f"n_{x}"] for x in labels]
        assert sum(c[4] for c in cell) == row["articles"]
        assert sum(c[5] for c in cell) == 12 + (row["outlet"] == "Harbor Ledger" and row["target"] == "Russia")


def test_filtered_voices_add_up_to_the_rows(html):
    data = json.loads(re.search(r'id="data">(.*?)</script>', html, re.DOTALL)[1])
    facts, tables = data["facts"], data["tables"]
    total = [v for v in facts["voices"] if v[:2] == [-1, -1]]
    assert sum(v[5] for v in total) == data["summary"]["statements"]
    assert sum(v[4] for v in total) == data["summary"]["articles"]
    for i, name in enumerate(facts["countries"]):
        mine = [v for v in facts["voices"] if v[:2] == [-1, i]]
        assert sum(v[5] for v in mine) == next(
            r["statements"] for r in tables["voice_by_country"] if r["country"] == name
        )
    for i, name in enumerate(facts["speakers"]):
        mine = [v for v in facts["voices"] if v[:2] == [i, -1]]
        row = next(r for r in tables["voice_by_speaker"] if r["speaker"] == name)
        assert (sum(v[5] for v in mine), sum(v[4] for v in mine)) == (row["statements"], row["articles"])
        for t, target in enumerate(facts["targets"]):
            cells = [c for c in facts["speaker_cells"] if (c[0], c[2], c[3]) == (i, t, -1)]
            found = [r for r in tables["balance_by_speaker"] if (r["speaker"], r["target"]) == (name, target)]
            assert sum(sum(c[7:10]) for c in cells) == sum(r["addressed"] for r in found)


@pytest.mark.parametrize(
    ("days", "unit"),
    [((0, 20), "day"), ((0, 140), "week"), ((0, 700), "month"), ((-9000, -7000), "quarter"), ((-9000, 9000), "year")],
)
def test_periods_lie_side_by_side(days, unit):
    periods = choose_periods(np.array([*days, NO_DATE]))
    assert periods.unit == unit
    for day in range(days[0], days[1], 7):
        first, last = periods.ends(int(periods.of(np.array([day]))[0]))
        assert first <= day <= last
        assert periods.of(np.array([first - 1, first, last, last + 1])).tolist() == [
            int(periods.of(np.array([day]))[0]) + step for step in (-1, 0, 0, 1)
        ]
    assert Periods("year").ends(8029)[1] == 2932896  # the last day a date can have, 9999-12-31


def test_dates_before_1970_have_a_timeline():
    rows = [r | {"published": r["published"].replace("2024", "1956")} for r in make_archive(articles=12)]
    report = bias_report(rows, options=ReportOptions(draws=200, examples=0))
    assert report.page_facts["periods"][0][1] == report.tables["timeline"][0]["period"]
    assert report.page_facts["periods"][0][2] <= report.summary["from"] <= report.page_facts["periods"][0][3]
