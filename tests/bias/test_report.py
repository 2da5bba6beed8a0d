import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import stance
from stance.bias import ReportOptions, bias_report
from stance.bias.confusion import read_error_counts, shipped_metrics
from stance.bias.verbs import verb_group
from stance.cli import main
from stance.errors import MissingExtraError, ModelError, RowError, UsageError
from stance.schema import rows_schema

from .conftest import MODEL, SLANTS, make_archive, make_row

FAST = ReportOptions(draws=200)


def cell(report, outlet, target, table="balance_by_outlet"):
    return next(r for r in report.tables[table] if r["outlet"] == outlet and r["target"] == target)


def test_counts_are_those_of_the_rows(rows, report):
    frame = pd.DataFrame(rows)
    quoted = frame[frame.quote_type.notna()]
    for row in report.tables["balance_by_outlet"]:
        mine = quoted[(quoted.outlet == row["outlet"]) & (quoted.target == row["target"])]
        for label in ("against", "neutral", "favor", "not_addressed"):
            assert row[f"n_{label}"] == (mine.label == label).sum()
        favor, against = (mine.label == "favor").sum(), (mine.label == "against").sum()
        assert row["counted"] == pytest.approx((favor - against) / (mine.label != "not_addressed").sum())
        assert row["articles"] == mine[mine.label != "not_addressed"].article_id.nunique()
        assert row["low"] <= row["balance"] <= row["high"]


def test_correction_is_the_inverse_of_the_models_errors(report):
    row = cell(report, "Metro Standard", "Russia")
    assert row["balance"] != pytest.approx(row["counted"], abs=1e-3)
    assert sum(row[f"share_{x}"] for x in ("against", "neutral", "favor", "not_addressed")) == pytest.approx(1)
    assert row["high"] - row["low"] > row["counted_high"] - row["counted_low"]


def test_opposite_outlets_are_told_apart_and_alike_ones_are_not(report):
    found = {(r["a"], r["b"], r["target"]): r for r in report.tables["differences"]}
    assert found["Harbor Ledger", "Metro Standard", "Ukraine"]["established"]
    assert found["Harbor Ledger", "Metro Standard", "Ukraine"]["low"] > 0
    alike = bias_report(make_archive(slants=dict.fromkeys(SLANTS, (0.3, 0.2, 0.2, 0.3))), options=FAST)
    assert not any(r["established"] for r in alike.tables["differences"])


def test_selection_is_apart_from_the_outlets_own_voice(rows, report):
    frame = pd.DataFrame(rows)
    assert report.summary["own_voice_sentences"] == frame[frame.quote_type.isna()].statement_id.nunique()
    own = cell(report, "Harbor Ledger", "Russia", "own_voice")
    assert own["statements"] == 60
    assert cell(report, "Harbor Ledger", "Russia")["statements"] == 120
    assert {r["outlet"] for r in report.tables["selection"]} == set(SLANTS)


def test_shares_add_up(report):
    for outlet in SLANTS:
        mine = [r for r in report.tables["voice_by_outlet_country"] if r["outlet"] == outlet]
        assert sum(r["share"] for r in mine) == pytest.approx(1)
        assert all(r["low"] <= r["share"] <= r["high"] for r in mine)
    verbs = [r for r in report.tables["verbs"] if r["country"] == "Poland"]
    assert [(r["verb"], r["share"]) for r in verbs] == [("neutral", 1.0)]


def test_every_small_or_weak_figure_says_so():
    report = bias_report(make_archive(articles=4), options=FAST)
    assert all("few articles" in r["caution"] for r in report.tables["balance_by_outlet"])
    weak = read_error_counts(shipped_metrics()).weak_labels("United States")
    if weak:
        assert f"weak model classes: {', '.join(weak)}" in cell(report, "Harbor Ledger", "United States")["caution"]


def test_one_article_says_nothing_of_how_articles_differ():
    row = cell(bias_report(make_archive(articles=1), options=FAST), "Harbor Ledger", "Russia")
    assert row["low"] < -0.9
    assert row["high"] > 0.9


@pytest.mark.parametrize("kind", ["rows", "frame", "arrow", "parquet", "jsonl", "csv"])
def test_every_form_of_rows_gives_the_same_report(kind, tmp_path, rows, report):
    table = pa.Table.from_pylist(rows, schema=rows_schema())
    source = {"rows": rows, "frame": table.to_pandas(), "arrow": table}.get(kind)
    if source is None:
        source = tmp_path / f"rows.{kind}"
        if kind == "parquet":
            pq.write_table(table, source, row_group_size=500)
        elif kind == "jsonl":
            source.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
        else:
            table.to_pandas().to_csv(source, index=False)
    found = bias_report(source, options=ReportOptions(draws=400))
    assert found.tables["balance_by_outlet"] == report.tables["balance_by_outlet"]
    assert [e["statement"] for e in found.tables["examples"]] == [e["statement"] for e in report.tables["examples"]]


def test_examples_are_of_their_cell(rows, report):
    by_text = {(r["statement"], r["target"]): r for r in rows}
    assert report.tables["examples"]
    for e in report.tables["examples"]:
        row = by_text[e["statement"], e["target"]]
        assert (row["outlet"], row["label"], row["start"], row["end"]) == (
            e["outlet"],
            e["label"],
            e["start"],
            e["end"],
        )
    assert bias_report(rows, options=ReportOptions(draws=200, examples=0)).tables.get("examples") is None


def test_frames_are_data_frames(report, monkeypatch):
    frames = report.frames()
    assert list(frames) == list(report.tables)
    assert frames["balance_by_outlet"].balance.between(-1, 1).all()
    assert stance.bias_report is bias_report
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(MissingExtraError, match=r"stance\[pandas\]"):
        report.frames()


def test_reference_and_filters(rows):
    report = bias_report(rows, options=ReportOptions(draws=200, reference="Metro Standard", targets=["Russia"]))
    assert {r["b"] for r in report.tables["differences"]} == {"Metro Standard"}
    assert report.summary["targets"] == ["Russia"]
    spring = bias_report(rows, options=ReportOptions(draws=200, since="2024-03-01", until="2024-04-30"))
    assert {r["period"][:7] for r in spring.tables["timeline"]} <= {"2024-03", "2024-04", "2024-02"}
    assert spring.summary["from"] >= "2024-03-01"
    with pytest.raises(UsageError, match="no rows of outlet 'Nowhere'"):
        bias_report(rows, options=ReportOptions(reference="Nowhere"))
    with pytest.raises(UsageError, match="no row is left"):
        bias_report(rows, options=ReportOptions(since="2031-01-01"))
    with pytest.raises(UsageError, match="is not a date"):
        bias_report(rows, options=ReportOptions(since="spring"))
    with pytest.raises(UsageError, match="is after"):
        bias_report(rows, options=ReportOptions(since="2024-04-01", until="2024-03-01"))


def test_before_and_after(rows):
    turned = dict(
        zip(SLANTS, [SLANTS["Metro Standard"], SLANTS["Metro Standard"], SLANTS["Steppe Observer"]], strict=True)
    )
    report = bias_report(make_archive(seed=5, slants=turned), before=rows, options=FAST)
    change = next(r for r in report.tables["changes"] if (r["outlet"], r["target"]) == ("Harbor Ledger", "Ukraine"))
    assert change["difference"] == pytest.approx(change["now"] - change["before"])
    assert change["established"]
    assert change["high"] < 0
    same = next(r for r in report.tables["changes"] if (r["outlet"], r["target"]) == ("Steppe Observer", "Ukraine"))
    assert not same["established"]


def test_rows_before_are_checked_like_the_others(rows):
    other = [{**r, "model": "other@1", "published": None} for r in rows]
    report = bias_report(rows, before=other, options=ReportOptions(draws=200, since="2024-02-01"))
    notes = " ".join(report.summary["notes"])
    assert "the rows before were made by other@1" in notes
    assert "Before: 2,160 rows of 2,160 have no date" in notes
    assert "75 articles are in both sets" in notes
    now = cell(report, "Harbor Ledger", "Ukraine")
    change = next(r for r in report.tables["changes"] if (r["outlet"], r["target"]) == ("Harbor Ledger", "Ukraine"))
    assert change["now"] == pytest.approx(now["counted"])
    assert change["now"] != pytest.approx(now["balance"], abs=1e-3)
    assert "not corrected" in change["caution"]


def test_differences_say_what_they_rest_on():
    report = bias_report(make_archive(articles=5), options=FAST)
    weak = read_error_counts(shipped_metrics()).weak_labels("Ukraine")
    for name in ("differences", "same_story", "selection"):
        assert report.tables[name]
        assert all("few articles" in r["caution"] for r in report.tables[name])
        assert all(r["low"] <= r["difference"] <= r["high"] for r in report.tables[name])
        mine = [r["caution"] for r in report.tables[name] if r["target"] == "Ukraine"]
        assert all(("weak model classes" in text) == bool(weak) for text in mine)


def test_an_article_id_of_two_outlets_is_two_articles():
    rows = [make_row("1", 0, t, "favor", outlet=o) for o in ("Harbor Ledger", "Metro Standard") for t in ("Russia",)]
    report = bias_report(rows, options=FAST)
    assert report.summary["articles"] == report.summary["statements"] == 2
    assert "1 article id of more than one outlet" in " ".join(report.summary["notes"])
    assert [r["n_favor"] for r in report.tables["balance_by_outlet"]] == [1, 1]


def test_options_that_make_no_sense():
    for wrong in ({"examples": -1}, {"draws": 3}, {"level": 1.0}, {"wire": "twice"}):
        with pytest.raises(UsageError, match=str(next(iter(wrong.values())))):
            ReportOptions(**wrong)


def test_wire_copy_is_found_and_counted_once():
    words = " ".join(f"word{i}" for i in range(60))
    copies = [
        make_row(f"copy-{outlet}", 0, t, "against", outlet=outlet, statement=f"{words} {outlet.split()[0]}")
        for outlet in SLANTS
        for t in ("Russia", "China")
    ]
    rows = make_archive(articles=12) + copies
    each = bias_report(rows, options=ReportOptions(draws=200, wire="each"))
    once = bias_report(rows, options=ReportOptions(draws=200, wire="once"))
    assert {r["article_id"] for r in each.tables["wire_copy"]} == {f"copy-{outlet}" for outlet in SLANTS}
    assert len({r["group"] for r in each.tables["wire_copy"]}) == 1
    wire = cell(once, "(wire copy)", "Russia")
    assert (wire["n_against"], wire["articles"]) == (1, 1)
    gone = [cell(each, o, "Russia")["n_against"] - cell(once, o, "Russia")["n_against"] for o in SLANTS]
    assert gone == [1, 1, 1]


def test_wire_copy_without_the_library(rows, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "datasketch", None)
    with pytest.raises(MissingExtraError, match=r"stance\[report\]"):
        bias_report(rows, options=ReportOptions(draws=200, wire="once"))
    assert any("stance[report]" in n for n in bias_report(rows, options=FAST).summary["notes"])


def test_same_story_compares_only_what_both_have():
    rows = make_archive(articles=20)
    alone = [
        make_row(f"alone-{i}", 0, "Russia", "favor", published="2030-01-01", outlet="Metro Standard") for i in range(30)
    ]
    found = [bias_report(r, options=FAST).tables["same_story"] for r in (rows, rows + alone)]
    pick = [
        next(r for r in t if r["matched_on"] == "same day" and r["target"] == "Russia" and r["b"] == "Metro Standard")
        for t in found
    ]
    assert pick[0]["difference"] == pytest.approx(pick[1]["difference"])
    assert pick[0]["shared"] == pick[1]["shared"] >= 10


def test_missing_outlet_date_and_repeats_are_said(rows):
    more = [{**r, "outlet": None, "published": None, "article_id": "x" + r["article_id"]} for r in rows[:40]]
    report = bias_report(rows + more + rows[:8], options=FAST)
    notes = " ".join(report.summary["notes"])
    assert "40 rows of 2,200 name no outlet" in notes
    assert "40 rows of 2,200 have no date" in notes
    assert "8 rows repeat a statement and target" in notes
    assert "(no outlet)" in report.summary["outlets"]


def test_one_outlet_and_one_target():
    rows = [
        r for r in make_archive(articles=8, own=False) if r["outlet"] == "Metro Standard" and r["target"] == "China"
    ]
    report = bias_report(rows, options=FAST)
    assert report.tables["differences"] == []
    notes = " ".join(report.summary["notes"])
    assert "one outlet only" in notes
    assert "one target only" in notes
    assert report.write is not None


def test_bad_rows_are_named_and_the_rest_counted(tmp_path, rows):
    path = tmp_path / "rows.jsonl"
    bad = [{**rows[0], "label": "maybe"}, {**rows[0], "article_id": ""}, {**rows[0], "start": "x"}]
    path.write_text("".join(json.dumps(r) + "\n" for r in [rows[0], *bad, *rows[1:]]) + "{oops\n", encoding="utf-8")
    rejected = []
    report = bias_report(path, options=FAST, on_reject=rejected.append)
    assert {(r.record, r.rule) for r in rejected} == {
        (2, "label"),
        (3, "missing-article"),
        (4, "row-type"),
        (len(rows) + 4, "json"),
    }
    assert report.summary["rows"] == len(rows)
    with pytest.raises(RowError, match=r"record \d+: "):
        bias_report(path, options=FAST)


@pytest.mark.parametrize(
    ("text", "rule"), [('{"a": 1}\n', "missing-column"), ("", "no-rows")], ids=["other-table", "empty"]
)
def test_no_rows(tmp_path, text, rule):
    path = tmp_path / "rows.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RowError, match=rule):
        bias_report(path, options=FAST)


def test_rows_of_another_model_are_not_corrected(rows):
    other = [{**r, "model": "other@1"} for r in rows]
    report = bias_report(other, options=FAST)
    assert not report.summary["corrected"]
    assert cell(report, "Harbor Ledger", "Russia")["balance"] == cell(report, "Harbor Ledger", "Russia")["counted"]
    assert "not corrected" in cell(report, "Harbor Ledger", "Russia")["caution"]
    with pytest.raises(ModelError, match="other@1"):
        bias_report(other, options=ReportOptions(model=shipped_metrics()))


def test_metrics_are_those_of_the_shipped_model():
    from stance.model import StanceClassifier

    assert StanceClassifier.from_pretrained().id == MODEL
    assert set(read_error_counts(shipped_metrics().parent).counts) == {"United States", "Russia", "China", "Ukraine"}


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        ({}, "missing-confusion"),
        ({"confusion": {"Russia": [[1]]}, "model": "m"}, "4 x 4"),
        ({"confusion": {"Russia": [[-1] * 4] * 4}, "model": "m"}, "at least 0"),
        ({"confusion": {"Russia": [[1] * 4] * 4}}, "missing-model"),
        ({"confusion": {"Russia": [[1] * 4] * 4}, "model": "m", "labels": ["a"]}, "labels"),
        ({"confusion": {"Russia": [[1] * 4] * 4}, "model": "m", "design_effect": {"Russia": 0.5}}, "design-effect"),
    ],
)
def test_bad_metrics_are_refused(tmp_path, data, rule):
    path = tmp_path / "metrics.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(ModelError, match=rule):
        read_error_counts(tmp_path)


@pytest.mark.parametrize(
    ("cue", "group"),
    [
        ("said", "neutral"),
        ("told reporters", "neutral"),
        ("claimed", "doubted"),
        ("admits", "conceded"),
        ("calling for", "urged"),
        ("has accused", "attacked"),
        ("denied", "denied"),
        ("gurgled", "other"),
        ("", None),
        (None, None),
    ],
)
def test_verbs(cue, group):
    assert verb_group(cue) == group


def test_command(tmp_path, rows, capsys):
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.Table.from_pylist(rows, schema=rows_schema()), path)
    common = ["report", str(path), "--draws", "200"]
    assert main([*common, "-o", str(tmp_path / "bias.html"), "--reference", "Metro Standard"]) == 0
    assert main([*common, "-o", str(tmp_path / "tables")]) == 0
    frame = pd.read_csv(tmp_path / "tables" / "balance_by_outlet.csv")
    assert len(frame) == 12
    capsys.readouterr()
    assert main([*common, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["summary"]["articles"] == 90
    assert main(common) == 0
    assert "Harbor Ledger" in capsys.readouterr().out
    assert main([*common, "--level", "2"]) == 2
    assert main(["report", str(tmp_path / "nothing.parquet")]) == 1


def test_command_from_articles_to_page(root, tmp_path):
    out = tmp_path / "bias.html"
    articles = str(root / "examples" / "articles" / "01-harbor-ledger-grain-corridor.txt")
    assert main(["report", "--score", articles, "-o", str(out), "--draws", "200"]) == 0
    assert "The Harbor Ledger" in out.read_text(encoding="utf-8")


def test_all_others_are_counted_alike_from_rows_and_from_their_counts(rows):
    from stance.bias.archive import read_archive
    from stance.bias.cells import Estimator
    from stance.bias.compare import _condensed, _others
    from stance.bias.rows import RowSource

    archive = read_archive(RowSource(rows))
    estimator = Estimator(archive.names["target"], None, level=0.95, draws=100, seed=0)
    spoken, counts = _condensed(archive)
    assert len(spoken) < len(archive)
    assert counts.sum() == (~archive["own"]).sum()
    for outlet, target in ((0, 0), (2, 3)):
        keep = (archive["outlet"] != outlet) & (archive["target"] == target) & ~archive["own"]
        whole = estimator.cells(archive.where(keep), ["target"])
        about = spoken["target"] == target
        found = _others(estimator, spoken.where(about), counts[about], outlet)
        for name in ("keys", "counts", "corrected", "draws", "articles"):
            np.testing.assert_array_equal(getattr(found, name), getattr(whole, name))
