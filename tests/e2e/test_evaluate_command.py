import json
from dataclasses import replace

import pytest

from stance.cli import main
from stance.schema import StanceRow
from stance.scoring.display import explained_line

QUICK = ["--resamples", "100", "--no-behaviour", "--no-explain"]


def test_evaluate_writes_the_report_and_prints_the_figures(root, tmp_path, capsys):
    corpus = str(root / "examples" / "corpus")
    assert main(["evaluate", corpus, "-o", str(tmp_path / "report"), *QUICK]) == 0
    captured = capsys.readouterr()
    assert "TF-IDF" in captured.out
    assert "report.html" in captured.err
    found = json.loads((tmp_path / "report" / "metrics.json").read_text(encoding="utf-8"))
    assert found["corpus"]["statements"] == 397
    stored = str(tmp_path / "report" / "predictions.parquet")
    assert main(["evaluate", corpus, "--model", stored, "--against", stored, "--json", *QUICK]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["systems"][0]["figures"] == found["systems"][0]["figures"]
    assert again["comparisons"][0]["wins"] == 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["none"], 1, "no such file"),
        (["examples/corpus", "--split", "dev"], 2, "no split 'dev'"),
        (["examples/corpus", "--model", "nowhere"], 1, "no stance model there"),
        (["examples/corpus", "--behaviour", "none.yaml"], 2, "cannot read behaviour tests"),
        (["examples/corpus", "--resamples", "0"], 2, "resamples"),
        (["examples/corpus", "--targets", "NATO"], 2, "has no target NATO; it has United States, Russia"),
        (["none", "-o", "README.md"], 1, "README.md: cannot write"),
        (["none", "-o", "/proc/report"], 1, "/proc/report: cannot write"),
        (["none", "-o", "out/no/such"], 1, "no such file"),
    ],
)
def test_what_is_wrong_is_said(root, monkeypatch, capsys, arguments, code, message):
    monkeypatch.chdir(root)
    assert main(["evaluate", *arguments]) == code
    assert message in capsys.readouterr().err
    assert not (root / "out" / "no").exists()


def test_a_bad_record_is_left_out_and_named(tmp_path, capsys):
    rows = [{"id": f"s{i}", "statement": f"Russia lied {i}", "labels": {"Russia": "against"}} for i in range(6)]
    path = tmp_path / "c.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in [*rows, {"id": "", "statement": "x", "labels": {}}]))
    assert main(["evaluate", str(path), *QUICK]) == 3
    captured = capsys.readouterr()
    assert "missing-id" in captured.err
    assert "Only 6 statements" in captured.out


def test_classify_explains(tmp_path, capsys):
    path = tmp_path / "s.jsonl"
    path.write_text(json.dumps({"id": "a", "statement": "Russia betrayed us", "targets": ["Russia"]}) + "\n")
    assert main(["classify", str(path), "--explain"]) == 0
    assert "Russia: against" in capsys.readouterr().out
    assert main(["classify", str(path), "--explain", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert "".join(t["token"] for t in row["attributions"]) == "Russiabetrayedus"
    assert main(["classify", str(path), "--explain", "-o", str(tmp_path / "r.jsonl")]) == 2


def test_an_explanation_says_what_the_model_abstains_from_and_what_it_did_not_see():
    row = StanceRow(
        **dict.fromkeys(("article_id", "statement_id", "quotation_id", "model"), "a"),
        **dict.fromkeys(("outlet", "published", "quote_type", "cue", "speaker", "speaker_mention", "speaker_country")),
        start=0,
        end=18,
        statement="Russia betrayed us",
        target="Russia",
        label="against",
        probabilities={},
        confidence=0.44,
        abstained=True,
        truncated=True,
    )
    assert explained_line(row, [], asked="Moscow").plain.startswith("Russia (asked as Moscow): (against 0.44) cut")
    assert explained_line(row, [], asked="Russia").plain == "Russia: (against 0.44) cut\n  Russia betrayed us"
    sure = replace(row, abstained=False, truncated=False)
    assert explained_line(sure, []).plain == "Russia: against 0.44\n  Russia betrayed us"


def test_classify_explains_the_name_that_the_model_was_asked_about(tmp_path, capsys, monkeypatch):
    asked = []
    monkeypatch.setattr("stance.model.explain.explain", lambda _, s, target, **how: asked.append((target, how)) or [])
    targets = tmp_path / "targets.yaml"
    targets.write_text("targets: [{name: NATO, aliases: [the Alliance]}, Russia]")
    path = tmp_path / "s.jsonl"
    path.write_text(json.dumps({"id": "a", "statement": "Russia scolds the Alliance"}) + "\n")
    assert main(["classify", str(path), "--explain", "--json", "--targets", str(targets)]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["target"] for row in rows] == ["NATO", "Russia"]
    assert [row["asked"] for row in rows] == ["the Alliance", "Russia"]
    assert [(name, how["targets"]) for name, how in asked] == [
        (name, ["the Alliance", "Russia"]) for name in ("the Alliance", "Russia")
    ]


def test_classify_explains_the_label_that_it_prints(tmp_path, capsys, monkeypatch):
    asked = []
    monkeypatch.setattr("stance.model.explain.explain", lambda _, s, target, **how: asked.append((target, how)) or [])
    path = tmp_path / "s.jsonl"
    path.write_text(json.dumps({"id": "a", "statement": "We stand with Kyiv", "targets": ["China", "Ukraine"]}) + "\n")
    assert main(["classify", str(path), "--explain", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    together = ["China", "Ukraine"]
    assert asked == [(row["target"], {"targets": together, "label": row["label"]}) for row in rows]
    assert [row["target"] for row in rows] == together
