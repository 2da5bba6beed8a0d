import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pyarrow.parquet as pq
import pytest
from huggingface_hub import ModelCard

from stance.corpus import Corpus, CorpusRecord, read_corpus
from stance.errors import CorpusError, InputError, UsageError
from stance.evaluation import Options, evaluate, write_report
from stance.evaluation.baselines import BASELINES, baselines
from stance.evaluation.metrics_file import metrics, metrics_schema
from stance.evaluation.page import page
from stance.evaluation.slices import find_slices
from stance.evaluation.suspects import label_suspects
from stance.schema import LABELS, Speaker, Statement
from stance.statistics.resampling import ClusterDraws
from tests.evaluation.test_figures import made

QUICK = Options(resamples=200, behaviour=False, explain=False)
TARGETS = ("Russia", "China")


def corpus(rows, labels=LABELS, targets=TARGETS, **splits):
    records = tuple(
        CorpusRecord(Statement(f"s{i}", text), dict(zip(targets, given, strict=True)), document=f"d{i}")
        for i, (text, *given) in enumerate(rows)
    )
    return Corpus("small", labels, targets, {"test": records, **splits})


@pytest.fixture(scope="module")
def sample(root):
    return read_corpus(root / "examples" / "corpus")


@pytest.fixture
def result(sample, tiny):
    return evaluate(sample, tiny, QUICK)


def predictions_file(path, result, change=None):
    write_report(result, path)
    table = pq.read_table(path / "predictions.parquet").to_pylist()
    lines = [row | (change or {}) for row in table]
    (path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in lines), encoding="utf-8")
    return path / "rows.jsonl"


def test_what_begins_is_told(sample, tiny):
    told = []
    evaluate(sample, tiny, QUICK, progress=told.append)
    assert told == [
        "reading the corpus",
        f"asking about {len(sample.splits['test'])} statements",
        "training baselines",
        f"comparing {1 + len(BASELINES)} systems, 200 resamples",
        "asking the model what only it can show",
    ]


def test_model_and_baselines_stand_beside_each_other(result):
    assert [s.predictions.name for s in result.systems[1:]] == list(BASELINES)
    assert [c.other for c in result.comparisons] == list(BASELINES)
    assert result.model.predictions.kind == "model"
    majority = next(s for s in result.systems if s.predictions.name == "majority")
    assert majority.figures["all"]["balanced_accuracy"].value == pytest.approx(0.25)


def test_every_file_is_written_and_the_page_stands_alone(result, tmp_path):
    written = write_report(result, tmp_path / "report")
    names = {p.relative_to(tmp_path / "report").as_posix() for p in written}
    assert {"report.html", "metrics.json", "predictions.parquet", "MODEL_CARD.md"} <= names
    assert {"plots/reliability.svg", "plots/reliability.png", "tables/systems.tex", "tables/systems.md"} <= names
    html = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert len(html.encode()) < 1_000_000
    assert not re.search(r"(src|href)=[\"']?(https?:|//)|@import|url\(", html)
    card = (tmp_path / "report" / "MODEL_CARD.md").read_text(encoding="utf-8")
    read = ModelCard(card).data.eval_results  # as the hub reads it
    values = {each.metric_name: each.metric_value for each in read}
    assert values["Macro-F1"] == round(result.model.figures["all"]["macro_f1"].value, 4)
    assert {(each.dataset_name, each.dataset_split, each.task_type) for each in read} == {
        ("corpus", "test", "text-classification")
    }
    assert r"\toprule" in (tmp_path / "report" / "tables" / "systems.tex").read_text()


def test_metrics_follow_their_schema_and_hold_no_words_of_the_corpus(result, sample):
    jsonschema = pytest.importorskip("jsonschema")
    found = metrics(result)
    jsonschema.validate(found, metrics_schema())
    text = json.dumps(found, allow_nan=False, ensure_ascii=False)
    assert not any(record.statement.text in text for record in sample.records)


def test_switch_keeps_words_of_the_corpus_out_of_every_file(result, sample, tmp_path):
    for path in write_report(result, tmp_path, text=False):
        if path.suffix != ".png":
            raw = path.read_bytes()
            assert not any(r.statement.text.encode() in raw for r in sample.records), path
    assert any(r.statement.text in page(result) for r in sample.records)


class _Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.wrong, self.images, self.ids = [], [], [], []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if "id" in given:
            self.ids.append(given["id"])
        if tag == "svg" and given.get("role") == "img":
            self.images.append(given.get("aria-label"))
        if tag not in {"meta", "br", "wbr", "line", "rect", "circle", "polyline", "polygon", "link", "input"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in {"line", "rect", "circle", "polyline", "polygon"} and (not self.open or self.open.pop() != tag):
            self.wrong.append(tag)


def test_page_is_well_formed_and_accessible(result):
    tags = _Tags()
    html = page(result)
    tags.feed(html)
    assert (tags.open, tags.wrong) == ([], [])
    assert len(tags.ids) == len(set(tags.ids))
    assert len(tags.images) >= 3
    assert all(tags.images)
    assert '<html lang="en">' in html
    assert 'class="skip"' in html


def test_article_text_is_escaped(tiny):
    nasty = "<script>alert('x')</script> & <img src=x onerror=y> Russia"
    rows = [(nasty, "against", "favor"), ("China is kind <b>", "neutral", "against"), ("x", "favor", "neutral")]
    made_corpus = corpus(rows)
    first = made_corpus.splits["test"][0]
    speaker = replace(first, statement=replace(first.statement, speaker=Speaker("<i>Eve</i>", "Eve")))
    made_corpus = replace(made_corpus, splits={"test": (speaker, *made_corpus.splits["test"][1:])}, name="<u>n</u>")
    html = page(evaluate(made_corpus, tiny, replace(QUICK, explain=True)))
    assert "<img" not in html
    assert "alert('x')" not in html
    assert "<i>Eve" not in html
    assert "<u>n" not in html


def test_degenerate_corpora_are_handled_and_said(tiny):
    three = corpus(
        [("Russia lies", "against", None), ("We like Russia", "favor", None), ("Russia met us", "neutral", None)]
    )
    found = evaluate(three, tiny, QUICK)
    said = " ".join(found.notes)
    assert "Only 3 statements" in said
    assert "No statement is labelled for China" in said
    assert "3 of 6 labels are missing (-1)" in said
    assert "Russia: no gold label not_addressed" in said
    assert "no train split" in said
    assert np.isnan(found.model.figures["China"]["macro_f1"].value)
    json.dumps(metrics(found), allow_nan=False)
    assert "undefined" in page(found) or "–" in page(found)


def test_one_document_one_statement_one_class(tiny):
    found = evaluate(corpus([("Russia lies", "against", "against")]), tiny, QUICK)
    assert "one document: no interval" in " ".join(found.notes)
    assert np.isnan(found.model.figures["all"]["accuracy"].low)
    page(found)


def test_labels_the_model_does_not_know_are_said(tiny):
    odd = corpus(
        [(f"word {i}", "mixed" if i % 2 else "against", "favor") for i in range(12)],
        labels=("against", "favor", "mixed"),
    )
    found = evaluate(odd, tiny, replace(QUICK, behaviour=True))
    assert found.items.labels == ("against", "favor", "mixed", "neutral", "not_addressed")
    assert "The model has no label mixed: it cannot get those 6 item(s) right." in found.notes


def test_records_left_out_are_said_in_the_report(tiny, tmp_path):
    rows = [{"id": f"s{i}", "statement": f"Russia {i}", "labels": {"Russia": "favor"}} for i in range(4)]
    rows += [{"id": "", "statement": "no id", "labels": {}}, {"id": "s9", "statement": " ", "labels": {}}]
    path = tmp_path / "corpus.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    rejected = []
    found = evaluate(path, tiny, QUICK, on_reject=rejected.append)
    assert len(rejected) == 2
    assert found.notes[0] == (
        "2 record(s) of the corpus break a rule and were left out: missing-id (1), missing-statement (1)."
    )
    assert "missing-id (1)" in page(found)


def test_nothing_labelled_is_an_error(tiny):
    with pytest.raises(CorpusError, match="no labelled statement"):
        evaluate(corpus([("x", None, None)]), tiny, QUICK)
    with pytest.raises(UsageError, match="no split 'dev'"):
        evaluate(corpus([("x", "favor", None)]), tiny, replace(QUICK, split="dev"))


def test_stored_predictions_give_the_model_s_own_figures(result, sample, tmp_path):
    stored = evaluate(sample, str(predictions_file(tmp_path, result)), QUICK)
    for scope, figures in result.model.figures.items():
        assert {n: f.to_list() for n, f in stored.model.figures[scope].items()} == {
            n: f.to_list() for n, f in figures.items()
        }
    assert stored.model.predictions.kind == "stored"
    assert any("need a model" in n for n in evaluate(sample, str(tmp_path / "rows.jsonl"), Options(resamples=50)).notes)


def test_against_itself_nothing_changes(result, sample, tiny, tmp_path):
    path = str(predictions_file(tmp_path, result))
    same = evaluate(sample, tiny, replace(QUICK, against=(path,))).comparisons[0]
    assert (same.wins, same.losses, same.differences["macro_f1"].to_list()) == (0, 0, [0.0, 0.0, 0.0])
    assert same.corrected["mcnemar"] == same.corrected["macro_f1"] == 1.0


def test_systems_of_one_name_are_told_apart(result, sample, tiny, tmp_path):
    path = predictions_file(tmp_path, result)
    turned = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for row in turned:
        row |= {"label": "against"} | {f"p_{label}": float(label == "against") for label in LABELS}
    (tmp_path / "turned.jsonl").write_text("".join(json.dumps(row) + "\n" for row in turned), encoding="utf-8")
    found = evaluate(sample, tiny, replace(QUICK, against=(str(path), str(tmp_path / "turned.jsonl"))))
    name = found.model.predictions.name
    assert [s.predictions.name for s in found.systems[:3]] == [name, f"{name} (2)", f"{name} (3)"]
    assert [c.other for c in found.comparisons[:2]] == [f"{name} (2)", f"{name} (3)"]
    changed = page(found).split(f"What changed against {name} (3)")[1].split("</details>")[0]
    others = re.findall(r'other <span class="tag \w+">(\w+)</span>', changed)
    assert set(others) == {"against"}


def test_mistakes_and_suspected_labels_are_explained(sample, tiny):
    found = evaluate(sample, tiny, replace(QUICK, explain=True, targets=("China",)))
    assert set(found.attributions) == {*found.mistakes, *(s.item for s in found.suspects)}


def test_the_label_that_was_given_is_explained_as_it_was_asked(sample, tiny, monkeypatch):
    asked = []
    monkeypatch.setattr("stance.model.explain.explain", lambda *about, **how: asked.append((*about[1:], how)) or [])
    found = evaluate(sample, tiny, replace(QUICK, explain=True))
    items, given = found.items, found.model.predictions.predicted
    assert asked == [
        (
            items.records[items.record[i]].statement,
            items.targets[items.target[i]],
            {"targets": items.targets, "label": items.labels[given[i]]},
        )
        for i in found.attributions
    ]


def test_words_are_weighed_once_for_targets_that_share_them(monkeypatch):
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    fitted = []
    plain = TfidfVectorizer.fit_transform
    monkeypatch.setattr(TfidfVectorizer, "fit_transform", lambda *a, **k: fitted.append(1) or plain(*a, **k))
    items, _ = made(160)
    train = made(200, seed=1)[0].records
    given = baselines(items, train)[0][2]
    assert len(fitted) == 1
    texts = [[f" : {r.statement.text}" for r in records] for records in (train, items.records)]
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    known, asked = words.fit_transform(texts[0]), words.transform(texts[1])
    for j, target in enumerate(items.targets):
        model = LogisticRegression(max_iter=2000, C=10.0, class_weight="balanced", tol=1e-3)
        model.fit(known, [LABELS.index(r.labels[target]) for r in train])
        np.testing.assert_allclose(given.probabilities[items.target == j], model.predict_proba(asked), atol=1e-6)


@pytest.mark.parametrize(
    ("change", "rule"),
    [({"label": "odd"}, "unknown-label"), ({"p_favor": 7.0}, "probabilities"), ({"p_favor": 0.99}, "probabilities")],
)
def test_bad_predictions_are_named(result, sample, tmp_path, change, rule):
    with pytest.raises(InputError, match=rule):
        evaluate(sample, str(predictions_file(tmp_path, result, change)), QUICK)


def test_missing_predictions_are_named(result, sample, tmp_path):
    path = predictions_file(tmp_path, result)
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(InputError, match="missing-prediction"):
        evaluate(sample, str(path), QUICK)


def test_leaks_between_train_and_test_are_warned_of(tiny):
    text = "The two sides agreed on Friday to resume the talks about grain exports"
    train = tuple(
        CorpusRecord(Statement(f"t{i}", f"{text} {i}"), {"Russia": "neutral", "China": "favor"}, document=f"t{i}")
        for i in range(12)
    )
    found = evaluate(corpus([(text, "against", "favor"), ("other", "favor", "neutral")], train=train), tiny, QUICK)
    assert {leak.kind for leak in found.leaks} == {"near-duplicate"}
    assert any("leak between splits" in note for note in found.notes)


def test_the_worst_slice_is_found_and_the_others_are_not():
    items, predictions = made(600, documents=300)
    records = tuple(
        replace(
            r,
            outlet="Bad Gazette" if i % 5 == 0 else "Good Herald",
            published="2024-01-01" if i // 7 % 2 else "2023-01-01",
        )
        for i, r in enumerate(items.records)
    )
    items = replace(items, records=records)
    bad = np.array([records[i].outlet == "Bad Gazette" for i in items.record])
    rng = np.random.default_rng(0)
    right = np.where(bad, rng.uniform(size=len(items)) < 0.5, rng.uniform(size=len(items)) < 0.85)
    predicted = np.where(right, items.gold, (items.gold + 1) % 4)
    shown, worst = find_slices(
        items, replace(predictions, predicted=predicted), ClusterDraws(items.clusters, resamples=200)
    )
    assert worst[0].name[0] == ("outlet", "Bad Gazette") or ("outlet", "Bad Gazette") in worst[0].name
    assert all(("outlet", "Bad Gazette") in s.name for s in worst)
    assert {d for s in shown for d, _ in s.name} >= {"target", "outlet", "year"}


def test_planted_label_errors_are_suspected_first():
    items, predictions = made(400)
    rng = np.random.default_rng(1)
    p = np.full((len(items), 4), 0.03)
    p[np.arange(len(items)), items.gold] = 0.91
    wrong = rng.choice(len(items), 15, replace=False)
    gold = items.gold.copy()
    gold[wrong] = (gold[wrong] + 1) % 4
    suspects, count = label_suspects(replace(items, gold=gold), replace(predictions, probabilities=p))
    assert count == 15
    assert {s.item for s in suspects} == set(wrong.tolist())
    assert all(s.suggested == items.gold[s.item] for s in suspects)


def test_plots_of_an_older_report_that_the_new_one_lacks_go(result, tmp_path):
    write_report(result, tmp_path)
    (tmp_path / "plots" / "own.png").write_bytes(b"")
    silent = replace(result.model, predictions=replace(result.model.predictions, probabilities=None), calibration=None)
    write_report(replace(result, systems=[silent, *result.systems[1:]]), tmp_path)
    left = {p.name for p in (*(tmp_path / "plots").iterdir(), *(tmp_path / "tables").iterdir())}
    assert {"own.png", "systems.svg", "systems.tex"} <= left
    assert not {name for name in left if name.startswith(("reliability", "risk", "calibration"))}


def test_two_predictions_for_one_item_are_refused(result, sample, tmp_path):
    path = predictions_file(tmp_path, result)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines, lines[0]]))
    with pytest.raises(InputError, match="duplicate-prediction"):
        evaluate(sample, str(path), QUICK)


def test_only_the_asked_targets_are_evaluated(sample, tiny):
    found = evaluate(sample, tiny, replace(QUICK, targets=("China", "NATO")))
    assert set(found.model.figures) == {"all", "China", "NATO"}
    assert "No statement is labelled for NATO: its figures are undefined." in found.notes
    named = evaluate(sample, tiny, replace(QUICK, targets=("china", "Kremlin")))
    assert set(named.model.figures) == {"all", "China", "Russia"}
    with pytest.raises(UsageError, match="has no target NATO; it has"):
        evaluate(sample, tiny, replace(QUICK, targets=("NATO",)))
    with pytest.raises(UsageError, match="resamples"):
        evaluate(sample, tiny, replace(QUICK, resamples=0))
