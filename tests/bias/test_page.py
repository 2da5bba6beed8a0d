import json
import re

import pytest

from stance.bias import ReportOptions, bias_report
from stance.bias.page import page

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
        assert [sum(c[5 + i] for c in cell) for i in range(4)] == [row[f"n_{x}"] for x in labels]
        assert sum(c[4] for c in cell) == row["articles"]
