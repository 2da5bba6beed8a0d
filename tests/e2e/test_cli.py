"""The commands as a user runs them, with the shipped model."""

import io
import json
import sys

import pyarrow.parquet as pq
import pytest

from stance.articles import read_articles
from stance.cli import main
from stance.schema import row_columns

GOOD = "“Russia has broken every promise it made to Ukraine,” said Polish minister Jan Kowal in Warsaw on Monday."


@pytest.fixture
def articles(tmp_path):
    (tmp_path / "good.txt").write_text(GOOD, encoding="utf-8")
    return tmp_path


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_score_examples_to_parquet(root, tmp_path):
    out = tmp_path / "rows.parquet"
    assert main(["score", str(root / "examples" / "articles"), "-o", str(out)]) == 0
    table = pq.read_table(out)
    assert table.column_names == list(row_columns())
    rows = table.to_pylist()
    assert len({r["article_id"] for r in rows}) >= 6
    assert {r["outlet"] for r in rows} >= {"The Harbor Ledger", "Pacific Courier"}
    assert {r["quote_type"] for r in rows} == {"direct", "indirect", "mixed"}
    assert {r["target"] for r in rows} == {"United States", "Russia", "China", "Ukraine"}
    assert not (tmp_path / "rows.parquet.errors.jsonl").exists()


def test_the_shipped_model_reads_the_plain_case(articles, capsys):
    assert main(["score", str(articles / "good.txt"), "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {r["target"]: r["label"] for r in rows}["Russia"] == "against"
    assert {r["target"]: r["label"] for r in rows}["China"] == "not_addressed"
    assert rows[0]["speaker"] == "Jan Kowal"
    assert rows[0]["speaker_country"] == "Poland"


def test_two_runs_are_byte_identical(root, tmp_path):
    outs = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    for out in outs:
        assert main(["score", str(root / "examples" / "articles"), "-o", str(out)]) == 0
    assert outs[0].read_bytes() == outs[1].read_bytes()


def test_bad_inputs_are_listed_and_the_good_ones_done(articles, capsys):
    (articles / "empty.txt").write_text("")
    (articles / "binary.txt").write_bytes(bytes(range(256)))
    (articles / "broken.jsonl").write_text(
        '{"id": "x", "text": "' + GOOD.replace('"', "") + ' Again."}\n{oops\n{"a": 1}\n'
    )
    out = articles.parent / "rows.jsonl"
    assert main(["score", str(articles), "-o", str(out)]) == 3
    assert len({r["article_id"] for r in lines(out)}) == 2
    errors = lines(out.with_name("rows.jsonl.errors.jsonl"))
    assert {(e["file"].rpartition("/")[2], e["record"], e["rule"]) for e in errors} == {
        ("empty.txt", None, "empty-file"),
        ("binary.txt", None, "binary"),
        ("broken.jsonl", 2, "json"),
        ("broken.jsonl", 3, "missing-column"),
    }
    err = capsys.readouterr().err
    assert "4 input(s) rejected" in err
    assert "Loading" not in err
    (articles / "empty.txt").unlink()
    (articles / "binary.txt").unlink()
    (articles / "broken.jsonl").unlink()
    assert main(["score", str(articles), "-o", str(out)]) == 0
    assert not out.with_name("rows.jsonl.errors.jsonl").exists()


def test_article_without_quotation_and_other_language_are_said(tmp_path, capsys):
    (tmp_path / "none.txt").write_text(
        "The rain fell all night and the river rose by two meters before the morning came."
    )
    (tmp_path / "de.txt").write_text(
        "Der Fluss stieg in der Nacht um zwei Meter, und am Morgen war die Brücke nicht mehr da."
    )
    for more in ([], ["-o", str(tmp_path.parent / "rows.csv")]):
        assert main(["score", str(tmp_path), *more]) == 0
        err = capsys.readouterr().err
        assert f"{tmp_path / 'none.txt'}: no quoted or reported statement found, so no row [no-statement]" in err
        assert f"{tmp_path / 'de.txt'}: looks like 'de'" in err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["score", "x.txt", "--targets", "China,,"], 2, "without a name"),
        (["score", "x.txt", "--targets", "none.yaml"], 2, "cannot read targets"),
        (["score", "x.txt", "-o", "rows.xlsx"], 2, ".parquet, .jsonl, .csv"),
        (["score", "x.txt", "-o", "/proc/rows.csv"], 1, "cannot write"),
        (["score", "x.txt", "--columns", "text"], 2, "FIELD=COLUMN"),
        (["score", "x.txt", "--model", "nowhere"], 1, "no stance model there"),
        (["score", "none.txt"], 3, "no such file"),
        (["extract", "none.txt"], 3, "no such file"),
        (["classify", "none.jsonl"], 3, "no such file"),
    ],
)
def test_exit_codes(arguments, code, message, capsys):
    assert main(arguments) == code
    assert message in capsys.readouterr().err


def test_an_input_is_never_written_over(tmp_path, capsys):
    path = tmp_path / "mine.jsonl"
    path.write_text(json.dumps({"id": "a", "text": GOOD, "statement": GOOD}), encoding="utf-8")
    before = path.read_bytes()
    for arguments in (["score", str(path)], ["extract", str(tmp_path)], ["classify", str(path)]):
        assert main([*arguments, "-o", str(path)]) == 2
        assert "mine.jsonl is among the inputs" in capsys.readouterr().err
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["mine.jsonl"]


@pytest.mark.parametrize("arguments", [[], ["score"], ["nothing"], ["score", "x", "--unknown"]])
def test_wrong_usage(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: stance" in capsys.readouterr().err


def test_extract_then_classify_equals_score(articles, tmp_path):
    article, statements = str(articles / "good.txt"), str(tmp_path / "s.jsonl")
    assert main(["extract", article, "-o", statements]) == 0
    assert main(["classify", statements, "-o", str(tmp_path / "c.jsonl")]) == 0
    assert main(["score", article, "-o", str(tmp_path / "r.jsonl")]) == 0
    classified, scored = lines(tmp_path / "c.jsonl"), lines(tmp_path / "r.jsonl")
    assert len(scored) == 4
    for c, r in zip(classified, scored, strict=True):
        assert {k: v for k, v in c.items() if k not in ("outlet", "published")} == {
            k: v for k, v in r.items() if k not in ("outlet", "published")
        }


def test_classify_carries_ids_and_takes_targets(tmp_path, monkeypatch, capsys):
    records = [
        {"id": "q7", "statement": "NATO is a threat to peace", "speaker": "a general", "targets": ["NATO"]},
        {"id": "q8", "statement": "We thank the United States for its help"},
        {"statement": "no id"},
    ]
    raw = "\n".join(map(json.dumps, records)).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
    assert main(["classify", "-", "--json"]) == 3
    captured = capsys.readouterr()
    rows = [json.loads(line) for line in captured.out.splitlines()]
    assert [(r["statement_id"], r["target"]) for r in rows] == [
        ("q7", "NATO"),
        *(("q8", t) for t in ("United States", "Russia", "China", "Ukraine")),
    ]
    assert {r["target"]: r["label"] for r in rows}["United States"] == "favor"
    assert "missing-id" in captured.err


def test_tables_for_people(articles, capsys):
    assert main(["score", str(articles / "good.txt"), "--targets", "European Union,Russia"]) == 0
    shown = capsys.readouterr().out
    assert "Jan Kowal" in shown
    assert "European Union" in shown
    assert "good.txt" in shown
    assert main(["extract", str(articles / "good.txt")]) == 0
    assert "direct" in capsys.readouterr().out


def test_long_statement_is_flagged_not_silently_cut(tmp_path):
    (tmp_path / "a.txt").write_text(
        "“" + "Russia and Ukraine will talk again about grain, " * 120 + "we hope,” said Ann Lee."
    )
    assert main(["score", str(tmp_path / "a.txt"), "-o", str(tmp_path / "r.jsonl")]) == 0
    assert all(r["truncated"] for r in lines(tmp_path / "r.jsonl"))


def test_all_polnear_articles_in_one_run(data, tmp_path):
    out = tmp_path / "rows.parquet"
    folders = [str(data / "polnear" / split / "text") for split in ("train", "dev", "test")]
    assert main(["extract", *folders, "-o", str(out)]) == 0
    found = pq.read_table(out, columns=["article_id", "start", "end", "statement"]).to_pylist()
    assert len(found) > 10_000
    texts = {article.id: article.text for article in read_articles(folders, on_warn=lambda notice: None)}
    assert len(texts) == 1008
    assert all(texts[r["article_id"]][r["start"] : r["end"]] == r["statement"] for r in found)
