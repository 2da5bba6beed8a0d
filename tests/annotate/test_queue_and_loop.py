from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from stance.annotate import server
from stance.annotate.assignment import next_item
from stance.annotate.curve import curve_svg
from stance.annotate.loop import _result, run_loop, value_of_more
from stance.annotate.project import Project, guide_html, open_project, store_path
from stance.annotate.queue import _given, order_queue
from stance.annotate.records import Change
from stance.annotate.store import Store
from stance.cli import main
from stance.corpus import write_corpus
from stance.errors import AnnotationError, UsageError
from tests.annotate.conftest import learnable_corpus, make_corpus


@pytest.mark.parametrize("order", ["uncertainty", "disagreement", "diversity", "balance"])
def test_a_strategy_orders_the_whole_queue(store, tiny, order):
    assert order_queue(store, order, model=tiny) == tiny.id
    ranks = sorted(item.rank for item in store.items())
    assert ranks == [float(i) for i in range(6)]
    store.enter("Ada")
    first = min(store.items(), key=lambda item: item.rank)
    assert next_item(store, "Ada") == first.id


def test_suggestions_are_the_models_and_asked_for_once(store, tiny, monkeypatch):
    order_queue(store, "random", model=tiny, suggest=True)
    item = store.item("s3")
    p, _ = tiny.predict_proba([item.record.statement], list(store.targets))
    for target, q in zip(store.targets, p[0], strict=True):
        label, confidence = store.suggestions("s3")[target]
        assert (label, confidence) == (store.labels[int(q.argmax())], pytest.approx(q.max(), abs=1e-5))
    monkeypatch.setattr(type(tiny), "predict_proba", lambda *_: pytest.fail("asked again"))
    order_queue(store, "uncertainty", model=tiny, suggest=True)


def test_a_model_with_other_labels_suggests_nothing(tmp_path, corpus, tiny):
    store = Store.create(tmp_path / "p.db", replace(corpus, labels=("pro", "contra")))
    with pytest.raises(UsageError, match="suggest nothing"):
        order_queue(store, "random", model=tiny, suggest=True)


def test_random_and_corpus_order_need_no_model(store):
    assert order_queue(store, "random", seed=3) is None
    drawn = [item.rank for item in store.items()]
    order_queue(store, "corpus")
    assert [item.rank for item in store.items()] == [float(i) for i in range(6)] != drawn


def test_the_worth_of_more_follows_a_known_curve():
    sizes = np.array([50.0, 100.0, 200.0])
    scores = 0.9 - 2.0 / np.sqrt(sizes)
    intercept, slope, gain = value_of_more(sizes, scores, 100)
    assert float(intercept) == pytest.approx(0.9)
    assert float(slope) == pytest.approx(2.0)
    assert float(gain) == pytest.approx(2.0 / np.sqrt(200) - 2.0 / np.sqrt(300))
    assert float(value_of_more(sizes, 0.5 + 1 / np.sqrt(sizes), 100)[2]) == 0.0  # a falling curve promises nothing


def test_the_whole_loop_from_labels_to_a_model_and_its_curve(tmp_path, tiny):
    tiny.save_pretrained(tmp_path / "base")
    corpus = learnable_corpus(64)
    store = Store.create(tmp_path / "p.db", corpus)
    store.enter("Ada")
    for record in corpus.splits["train"]:
        store.save(record.id, "Ada", Change("done", dict(record.labels)))
    said: list[str] = []
    project = Project(store, corpus, 0, 64)
    result = run_loop(project, tmp_path / "out", base=tmp_path / "base", say=said.append)
    assert [p.statements for p in result.curve] == [0, 8, 16, 32]
    assert all(p.low <= p.macro_f1 <= p.high for p in result.curve)
    assert result.held_out == 32
    assert result.gain_low <= result.gain <= result.gain_high
    assert "held-out" in result.verdict
    assert said
    stored = json.loads((tmp_path / "out" / "loop.json").read_text(encoding="utf-8"))
    assert stored["verdict"] == result.verdict
    assert curve_svg(stored).count('class="dot"') == 4
    assert (tmp_path / "out" / "model" / "model.safetensors").is_file()


def test_too_little_to_train_on_is_said(store, corpus):
    with pytest.raises(UsageError, match="labelled"):
        run_loop(Project(store, corpus, 0, 6), store.path.parent / "out")


def test_a_project_is_made_beside_its_corpus_and_opened_again(tmp_path, corpus, full):
    half = replace(corpus.records[0], labels=full)
    write_corpus(replace(corpus, splits={"train": (half, *corpus.records[1:])}), tmp_path / "c")
    project = open_project(tmp_path / "c")
    assert (project.added, project.queued) == (6, 5)  # what has its labels is not queued
    assert project.store.path == store_path(tmp_path / "c") == tmp_path / "c.annotations.db"
    again = open_project(tmp_path / "c")
    assert (again.added, again.queued) == (0, 5)
    with pytest.raises(AnnotationError, match="targets"):
        open_project(tmp_path / "c", targets=["Russia"])


def test_statements_without_labels_get_the_default_targets_and_their_article(tmp_path):
    text = "Rain fell. “The harbour stays open,” the mayor said. Boats left."
    article = tmp_path / "a.jsonl"
    article.write_text(json.dumps({"id": "a1", "text": text, "outlet": "Harbor Ledger"}), encoding="utf-8")
    assert main(["extract", str(article), "-o", str(tmp_path / "s.jsonl")]) == 0
    project = open_project(tmp_path / "s.jsonl", articles=article)
    item = project.store.items()[0]
    assert project.store.targets == ("United States", "Russia", "China", "Ukraine")
    s = item.record.statement
    assert s.before + s.text + s.after == text
    assert item.record.outlet == "Harbor Ledger"


def test_export_and_import_by_command(tmp_path, corpus, full, capsys):
    write_corpus(corpus, tmp_path / "c")
    store = open_project(tmp_path / "c").store
    store.enter("Ada")
    store.save("s0", "Ada", Change("done", full))
    out = tmp_path / "labels.jsonl"
    assert main(["annotate", str(tmp_path / "c"), "--export", str(out)]) == 0
    assert main(["annotate", str(tmp_path / "c"), "--store", str(tmp_path / "n.db"), "--import", str(out)]) == 0
    assert Store(tmp_path / "n.db").state("s0", "Ada").labels == full
    assert main(["annotate", str(tmp_path / "c"), "--host", "192.0.2.1"]) == 2
    assert "--token" in capsys.readouterr().err


def test_the_command_orders_names_and_weighs_as_it_is_told(tmp_path, corpus, monkeypatch):
    served = {}
    monkeypatch.setattr(server, "serve_page", lambda store, **given: served.update(given, store=store))
    monkeypatch.setenv("STANCE_TOKEN", "a-long-enough-token")
    write_corpus(corpus, tmp_path / "c")
    in_order = [float(i) for i in range(6)]
    assert main(["annotate", str(tmp_path / "c"), "--name", "labels.example.org", "--aggregate", "dawid-skene"]) == 0
    assert [item.rank for item in served["store"].items()] != in_order
    assert (served["names"], served["options"].method) == (["labels.example.org"], "dawid-skene")
    assert main(["annotate", str(tmp_path / "c"), "--order", "corpus"]) == 0
    assert [item.rank for item in served["store"].items()] == in_order


def test_a_store_that_is_there_takes_articles_labels_and_all(tmp_path, full, capsys):
    text = "Rain fell. “The harbour stays open,” the mayor said. “The bridge is closed,” she added. Boats left."
    article = tmp_path / "a.jsonl"
    article.write_text(json.dumps({"id": "a1", "text": text}), encoding="utf-8")
    assert main(["extract", str(article), "-o", str(tmp_path / "s.jsonl")]) == 0
    records = [json.loads(line) for line in (tmp_path / "s.jsonl").read_text(encoding="utf-8").splitlines()]
    corpus = tmp_path / "c.jsonl"

    def write(*rows):
        corpus.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    first = {**records[0], "labels": full, "context": ""}
    second = {**records[1], "labels": {**full, "China": None}, "context": ""}
    write(second)
    assert open_project(corpus).queued == 1
    write(first, second)
    grown = open_project(corpus, articles=article)
    assert (grown.added, grown.queued) == (1, 1)  # the new one has all its labels
    assert grown.notes == ("1 known statements have other labels, context or split in the corpus now: taken over",)
    for item in open_project(corpus, everything=True).store.items():
        s = item.record.statement
        assert (s.before + s.text + s.after, item.queued) == (text, True)
    write(first)
    capsys.readouterr()
    assert main(["annotate", str(corpus), "--export", str(tmp_path / "out.jsonl")]) == 0
    assert "1 statements are no longer in the corpus" in capsys.readouterr().out


def test_a_guide_cannot_bring_script(tmp_path):
    path = tmp_path / "g.md"
    path.write_text("# Rules\n\n<script>x</script> [a](javascript:x) ![i](http://example.org/i.png)", encoding="utf-8")
    html = guide_html(path)
    assert "<h1>Rules</h1>" in html
    assert "<script" not in html
    assert 'href="javascript' not in html
    assert "<img" not in html
    with pytest.raises(AnnotationError, match="guide"):
        guide_html(tmp_path / "none.md")


def _result_of(counts, sizes, tmp_path):
    return _result(counts, sizes, [1.0] * len(sizes), 9, 100, "m", tmp_path, 0.0)


def test_one_training_size_tells_nothing_of_more(tmp_path):
    assert np.isnan(value_of_more(np.array([50.0, 50.0]), np.array([0.5, 0.6]), 100)).all()
    counts = [np.stack([np.eye(2, dtype=np.int64) + i for i in range(6)])]
    result = _result_of(counts, [24], tmp_path)
    assert (result.gain, result.gain_low, result.gain_high, result.slope) == (None, None, None, None)
    assert "cannot be told" in result.verdict
    drawn = curve_svg(json.loads(json.dumps(asdict(result), allow_nan=False)))
    assert 'class="dot"' in drawn
    assert 'class="curve"' not in drawn


def test_one_held_out_document_has_no_interval(tmp_path):
    counts = [np.array([[[4, 4 - i], [3 - i, 4]]]) for i in range(3)]
    result = _result_of(counts, [10, 20, 40], tmp_path)
    assert {(p.low, p.high) for p in result.curve} == {(None, None)}
    assert result.gain > 0
    assert result.gain_low is None
    assert "one document, so without an interval" in result.verdict
    assert "[" not in result.verdict
    assert curve_svg(json.loads(json.dumps(asdict(result), allow_nan=False))).count('class="dot"') == 3


def test_few_held_out_documents_widen_the_interval(tmp_path):
    counts = [np.stack([np.eye(2, dtype=np.int64) * 10] * 3 + [np.eye(2, dtype=np.int64)[::-1] * 10])]
    assert _result_of(counts, [24], tmp_path).curve[0].low == pytest.approx(0), "percentiles would start at 0.25"


def test_a_label_that_annotators_repeat_counts_once(tmp_path, full):
    corpus = make_corpus(3)
    first = replace(corpus.records[0], labels=full, annotators={"Ada": full, "Bob": full})
    store = Store.create(tmp_path / "p.db", replace(corpus, splits={"train": (first, *corpus.records[1:])}))
    store.save("s1", "Ada", Change("done", full))
    counts = _given(store, store.labels)
    assert counts.sum() == 2 * len(store.targets)
    assert counts[store.targets.index("Russia"), store.labels.index("against")] == 2
