from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from stance.annotate import server
from stance.annotate.assignment import next_item
from stance.annotate.curve import curve_svg, read_result, write_result
from stance.annotate.guide import guide_of
from stance.annotate.jobs import TrainingJob
from stance.annotate.loop import _result, _splits, run_loop, value_of_more
from stance.annotate.project import Project, guide_html, open_project, store_path
from stance.annotate.queue import _given, order_queue
from stance.annotate.records import Change
from stance.annotate.store import Store
from stance.cli import main
from stance.corpus import write_corpus
from stance.errors import AnnotationError, UsageError
from stance.schema import LABELS
from tests.annotate.conftest import learnable_corpus, make_corpus


@pytest.mark.parametrize("order", ["uncertainty", "disagreement", "diversity", "balance"])
def test_a_strategy_orders_the_whole_queue(store, tiny, order):
    assert order_queue(store, order, model=tiny) == tiny.id
    ranks = sorted(item.rank for item in store.items())
    assert ranks == [float(i) for i in range(6)]
    store.enter("Ada")
    first = min(store.items(), key=lambda item: item.rank)
    assert next_item(store, "Ada") == first.id


def test_what_is_labelled_comes_last_under_diversity(store, tiny, full):
    store.import_labels([(item, "Ada", full) for item in ("s0", "s4")])
    order_queue(store, "diversity", model=tiny)
    ranked = [item.id for item in sorted(store.items(), key=lambda item: item.rank)]
    assert set(ranked[-2:]) == {"s0", "s4"}


def test_balance_puts_first_what_is_rare_so_far(store, tiny, full):
    """The model's answers are given: s3 is expected to be favor, of which there is least."""
    for item, expected in zip(store.items(), ("against", "neutral", "not_addressed", "favor", "against"), strict=False):
        p = [0.97 if label == expected else 0.01 for label in store.labels]
        store.set_suggestions(tiny.id, [(item.id, target, expected, p) for target in store.targets])
    store.set_suggestions(tiny.id, [("s5", target, "neutral", [0.01, 0.97, 0.01, 0.01]) for target in store.targets])
    for name, labels in (("s0", "against"), ("s1", "neutral"), ("s2", "not_addressed"), ("s4", "against")):
        store.import_labels([(name, "Ada", dict.fromkeys(store.targets, labels))])
    store.import_labels([("s5", "Ada", dict.fromkeys(store.targets, "neutral"))])
    order_queue(store, "balance", model=tiny)
    ranked = [item.id for item in sorted(store.items(), key=lambda item: item.rank)]
    assert ranked[0] == "s3"
    assert ranked[1] == "s2"


def test_balance_needs_a_model_of_the_same_labels(tmp_path, corpus, tiny):
    store = Store.create(tmp_path / "p.db", replace(corpus, labels=("favor", "against", "mixed")))
    with pytest.raises(UsageError, match="rare so far"):
        order_queue(store, "balance", model=tiny)


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
    stored = read_result(tmp_path / "out")
    assert stored == result
    assert [path.name for path in (tmp_path / "out").glob("loop*")] == ["loop.json"]
    assert curve_svg(stored).count('class="dot"') == 4
    assert (tmp_path / "out" / "model" / "model.safetensors").is_file()


def test_what_one_turn_holds_out_no_turn_trains_on():
    """Labels grow from turn to turn, and the model of one is the base of the next."""
    records = learnable_corpus(200).records
    trained, held = set(), set()
    for count in (60, 90, 200):
        splits = _splits(replace(learnable_corpus(4), splits={"all": records[:count]})).splits
        now = {r.document for name in ("train", "validation") for r in splits.get(name, ())}
        tested = {r.document for r in splits["test"]}
        assert held <= tested
        assert not tested & (trained | now)
        assert 0.1 < len(tested) / count < 0.3
        trained, held = trained | now, tested


def test_wire_copy_is_not_measured_on():
    corpus = learnable_corpus(120)
    splits = _splits(replace(corpus, splits={"all": corpus.records})).splits
    first = splits["test"][0]
    twin = replace(splits["train"][0], statement=replace(splits["train"][0].statement, text=first.statement.text))
    rest = tuple(r for r in corpus.records if r.id != twin.id)
    assert first.id not in {r.id for r in _splits(replace(corpus, splits={"all": (*rest, twin)})).splits["test"]}


def test_too_few_labels_of_the_split_test_are_filled_up():
    corpus = learnable_corpus(300)
    train, test = corpus.splits["train"], corpus.splits["test"]
    few = _splits(replace(corpus, splits={"train": train, "test": test[:3]})).splits
    assert len(few["test"]) > 5
    assert {r.id for r in test[:3]} <= {r.id for r in few["test"]}
    assert not {r.id for r in few["test"]} & {r.id for r in few["train"]}
    enough = _splits(replace(corpus, splits={"train": train, "test": test[:5]})).splits
    assert (enough["train"], enough["test"]) == (train, test[:5])


def test_the_model_that_is_overwritten_is_not_started_from(store, corpus, tmp_path):
    with pytest.raises(UsageError, match="overwritten"):
        run_loop(Project(store, corpus, 0, 6), tmp_path / "out", base=tmp_path / "out" / "model")


def test_the_page_trains_from_one_model_turn_after_turn(tmp_path, corpus, tiny, monkeypatch):
    served = {}
    monkeypatch.setattr(server, "serve_page", lambda store, **given: served.update(given))
    write_corpus(corpus, tmp_path / "c")
    for place, passed in ((tmp_path / "base", True), (tmp_path / "c.annotations.loop" / "model", False)):
        tiny.save_pretrained(place)
        assert main(["annotate", str(tmp_path / "c"), "--order", "corpus", "--model", str(place)]) == 0
        assert (str(place) in served["options"].job._arguments) is passed


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


def test_the_shipped_guide_is_for_its_own_labels(tmp_path):
    shipped = guide_html()
    assert guide_of(LABELS) == guide_of(LABELS[::-1]) == shipped
    other = guide_of(("pro", "<b>contra", "not_sure"))
    assert re.findall("<strong>(.*?)</strong>", other) == ["pro", "&lt;b&gt;contra", "not sure"]
    own = tmp_path / "g.md"
    own.write_text("# Ours", encoding="utf-8")
    assert guide_of(("pro", "contra"), own) == guide_html(own)


def _kept(result, folder):
    """Return a result as it comes back from its file, which must hold no number that JSON lacks."""
    write_result(result, folder)
    json.loads((folder / "loop.json").read_text(encoding="utf-8"), parse_constant=pytest.fail)
    return read_result(folder)


@pytest.mark.parametrize(
    "text", ["", '{"curve": [', "[]", "{}", '{"curve": [{"statements": 8}]}', '{"curve": [], "verdict": "old"}']
)
def test_an_old_or_cut_result_is_none(tmp_path, text):
    (tmp_path / "loop.json").write_text(text, encoding="utf-8")
    assert TrainingJob([], tmp_path).result() is None


def _result_of(counts, sizes, tmp_path):
    return _result(counts, sizes, [1.0] * len(sizes), 9, 100, "m", tmp_path, 0.0)


def test_one_training_size_tells_nothing_of_more(tmp_path):
    assert np.isnan(value_of_more(np.array([50.0, 50.0]), np.array([0.5, 0.6]), 100)).all()
    counts = [np.stack([np.eye(2, dtype=np.int64) + i for i in range(6)])]
    result = _result_of(counts, [24], tmp_path)
    assert (result.gain, result.gain_low, result.gain_high, result.slope) == (None, None, None, None)
    assert "cannot be told" in result.verdict
    drawn = curve_svg(_kept(result, tmp_path))
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
    assert curve_svg(_kept(result, tmp_path)).count('class="dot"') == 3


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
