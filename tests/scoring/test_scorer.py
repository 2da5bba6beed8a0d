import io
import json
import re
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from stance import Article, Scorer, Target, default_targets
from stance.errors import MissingExtraError, OutputError, StatementError, UsageError
from stance.schema import Statement, row_columns, rows_schema
from stance.scoring import StanceRows, read_statements
from stance.scoring.display import rows_table
from stance.scoring.scorer import rounded
from stance.scoring.statements import statement_record
from stance.scoring.writing import TableWriter, check_writable

TEXT = "“Russia keeps its word,” said Ann Lee. Ivan Petrov said that China was late."


@pytest.fixture
def mine(tiny):
    return Scorer(tiny, default_targets())


def test_rows_follow_the_text_and_the_targets(mine):
    rows = mine.score(Article("a1", TEXT, outlet="Ledger", published="2024-01-01"))
    assert [(r.statement, r.target) for r in rows][:5] == [
        ("Russia keeps its word", "United States"),
        ("Russia keeps its word", "Russia"),
        ("Russia keeps its word", "China"),
        ("Russia keeps its word", "Ukraine"),
        ("China was late", "United States"),
    ]
    assert {(r.article_id, r.outlet, r.published, r.model) for r in rows} == {
        ("a1", "Ledger", "2024-01-01", mine.model_id)
    }
    for r in rows:
        assert TEXT[r.start : r.end] == r.statement
        assert abs(sum(r.probabilities.values()) - 1) < 1e-9
        assert r.label == max(r.probabilities, key=r.probabilities.get)
        assert r.confidence == r.probabilities[r.label]


def test_many_articles_in_order_with_empty_ones(mine):
    articles = [Article(str(i), TEXT if i % 3 else "The harbour froze over in January.") for i in range(70)]
    found = list(mine.score_many(iter(articles)))
    assert [len(rows) for rows in found] == [0 if i % 3 == 0 else 8 for i in range(70)]
    assert all(r.article_id == str(i) for i, rows in enumerate(found) for r in rows)


def test_articles_are_read_as_they_are_needed(mine):
    taken = []

    def endless():
        while True:
            taken.append(1)
            yield TEXT

    next(mine.score_many(endless()))
    assert len(taken) <= 64


def test_abstention_follows_the_threshold(mine):
    mine.classifier.config.abstain_threshold = 1.01
    assert all(r.abstained for r in mine.score(TEXT))
    mine.classifier.config.abstain_threshold = 0.0
    assert not any(r.abstained for r in mine.score(TEXT))


def test_tables(mine):
    rows = mine.score(TEXT)
    assert rows.to_arrow().schema.equals(rows_schema(), check_metadata=True)
    assert list(rows.to_pandas().columns) == list(row_columns())
    assert rows.to_dataset()[0]["statement"] == "Russia keeps its word"
    assert StanceRows().to_arrow().num_rows == 0
    assert len(rows[2:4]) == 2


def test_a_narrow_table_names_the_addressed_targets_and_leaves_room_for_words(mine):
    given = list(mine.score(TEXT))
    rows = [replace(r, label="favor" if r.target == "Russia" else "not_addressed", abstained=False) for r in given]
    rows[-3:-2] = [replace(rows[-3], label="neutral", target="Russia", abstained=True)]
    rows += [replace(r, statement_id="silent", label="not_addressed", statement="Nobody was named") for r in given[:4]]
    console = Console(width=80, file=io.StringIO(), record=True)
    console.print(rows_table(rows, "One", narrow=True))
    shown = console.export_text()
    assert re.search(r"Russia keeps its word +│ Russia: favor 0\.\d\d +│", shown)
    assert re.search(r"China was late +│ Russia: \(neutral 0\.\d\d\) +│", shown)
    assert re.search(r"Nobody was named +│ · +│", shown)
    assert "China:" not in shown


def test_missing_extra_names_the_install_line(mine, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'stance\[pandas\]'"):
        mine.score(TEXT).to_pandas()


@pytest.mark.parametrize("values", [[0.1, 0.2, 0.7], [1 / 3, 1 / 3, 1 / 3], [0.9999999, 5e-8, 5e-8]])
def test_rounding_keeps_the_sum(values):
    assert sum(rounded(values)) == pytest.approx(1.0, abs=1e-12)


def test_records_may_bring_their_own_targets(mine):
    records = [
        statement_record({"id": 1, "statement": "NATO is a shield", "targets": ["NATO"]}),
        statement_record({"id": 2, "statement": "China was late", "speaker": "Ivan Petrov"}),
        statement_record({"id": "3", "statement": "NATO is a sword", "targets": "NATO, kremlin"}),
    ]
    found = list(mine.classify_many(records))
    assert [[r.target for r in rows] for rows in found] == [
        ["NATO"],
        ["United States", "Russia", "China", "Ukraine"],
        ["NATO", "Russia"],
    ]
    assert [rows[0].statement_id for rows in found] == ["1", "2", "3"]
    alone = mine.classify([records[0].statement], targets=[Target("NATO")])
    assert alone[0].label == found[0][0].label


def test_a_target_never_trained_is_asked_about_by_the_name_that_the_statement_uses(tiny):
    nato, russia = Target("NATO", ("the Alliance",)), default_targets()[1]
    statements = [Statement("a", "Moscow scolds the Alliance"), Statement("b", "Moscow scolds NATO")]
    scorer = Scorer(tiny, [nato, russia])
    assert scorer.asked(statements) is None  # the model does not tell what it was trained on
    by_name, *_ = tiny.predict_proba(statements, ["NATO", "Russia"])
    by_alias, *_ = tiny.predict_proba(statements[:1], ["the Alliance", "Russia"])
    assert abs(by_alias[0] - by_name[0]).max() > 1e-6
    tiny.config.known_targets = ["Russia"]
    assert scorer.asked(statements) == [["the Alliance", "Russia"], ["NATO", "Russia"]]
    assert scorer.asked(statements, [russia]) is None
    assert scorer.asked(statements, [Target("NATO")]) is None
    rows = scorer.classify(statements)
    assert [row.target for row in rows] == ["NATO", "Russia"] * 2
    found = np.array([[*row.probabilities.values()] for row in rows]).reshape(2, 2, -1)
    assert found == pytest.approx(np.stack([by_alias[0], by_name[1]]), abs=1e-6)
    prepared = scorer.prepare(statements)
    served = scorer.finish(statements, prepared, scorer.encode(prepared))
    assert [[*row.probabilities.values()] for rows in served for row in rows] == found.reshape(4, -1).tolist()


@pytest.mark.parametrize(
    ("context", "around"),
    [
        ("He said ⟦we won⟧ twice.", ("He said ", " twice.")),
        ("He said we won twice.", ("He said ", " twice.")),
        ("⟦we won⟧ twice.", ("", " twice.")),
        ("He said ⟦we  won⟧ twice.", ("He said ", " twice.")),
        ("It was late.", ("It was late. ", "")),
        ("It was late.\n", ("It was late.\n", "")),
        (None, ("", "")),
    ],
)
def test_context_is_split_around_the_statement(context, around):
    s = statement_record({"id": "1", "statement": "we won", "context": context}).statement
    assert (s.before, s.after) == around


@pytest.mark.parametrize(
    ("record", "rule"),
    [
        ({"statement": "x"}, "missing-id"),
        ({"id": "1"}, "missing-statement"),
        ({"id": "1", "statement": " "}, "missing-statement"),
        ({"id": "1", "statement": "x", "speaker": 5}, "speaker-type"),
        ({"id": "1", "statement": "x", "targets": 5}, "targets-type"),
        ({"id": "1", "statement": "x", "quote_type": "loud"}, "quote-type"),
        ({"id": "1", "statement": "x", "start": "one"}, "start-type"),
    ],
)
def test_bad_records(tmp_path, record, rule):
    path = tmp_path / "s.jsonl"
    path.write_text(json.dumps(record) + "\n" + json.dumps({"id": "ok", "statement": "fine"}), encoding="utf-8")
    rejected = []
    good = list(read_statements([path], on_reject=rejected.append))
    assert [(r.file, r.record, r.rule) for r in rejected] == [(str(path), 1, rule)]
    assert [g.statement.id for g in good] == ["ok"]
    with pytest.raises(StatementError):
        list(read_statements([path]))


@pytest.mark.parametrize("ending", ["parquet", "jsonl", "csv"])
def test_writing(mine, tmp_path, ending):
    path = tmp_path / f"rows.{ending}"
    rows = mine.score(TEXT)
    with TableWriter(path, rows_schema()) as writer:
        writer.write(r.to_dict() for r in rows)
    if ending == "parquet":
        table = pq.read_table(path)
        assert table.schema.metadata[b"stance.contract"] == b"1"
        assert table.to_pylist() == [r.to_dict() for r in rows]
    else:
        head = path.read_text(encoding="utf-8").splitlines()[0]
        names = list(json.loads(head)) if ending == "jsonl" else head.split(",")
        assert names == list(row_columns())
        meta = json.loads((tmp_path / f"rows.{ending}.meta.json").read_text())
        assert (meta["contract"], meta["rows"]) == ("1", 8)


def test_an_interrupted_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("old")

    def interrupted():
        with TableWriter(path, rows_schema()) as writer:
            writer.write([{"a": 1}])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["rows.jsonl"]


def test_outputs_are_checked_before_work(tmp_path):
    with pytest.raises(UsageError, match=r"\.parquet, \.jsonl, \.csv"):
        check_writable(tmp_path / "rows.xlsx")
    with pytest.raises(OutputError, match="cannot write"):
        check_writable(tmp_path / "no" / "rows.csv")
    (tmp_path / "f.csv").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        check_writable(tmp_path / "f.csv")
