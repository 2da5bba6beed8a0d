from __future__ import annotations

import json
import math
import random
import time
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from stance.annotate.agreement import measure_agreement
from stance.annotate.assignment import progress
from stance.annotate.ratings import Rating, Ratings, ratings_of_corpus, ratings_of_store
from stance.annotate.records import Change
from stance.annotate.report import render_agreement
from stance.annotate.store import Store
from stance.cli import main
from stance.corpus import write_corpus
from stance.errors import UsageError
from stance.statistics import fleiss_kappa, one_against_rest
from tests.annotate.conftest import make_corpus


def _ratings(count=60, wrong=0.15, decay=0.0) -> Ratings:
    """Three annotators; the third gets worse with time where `decay` is over 0."""
    corpus = make_corpus(count)
    rng = random.Random(4)
    given = []
    for i, record in enumerate(corpus.records):
        truth = {target: rng.choice(corpus.labels) for target in corpus.targets}
        for who, share in (("Ada", wrong), ("Bob", wrong), ("Cy", wrong + decay * i / count)):
            labels = {t: rng.choice(corpus.labels) if rng.random() < share else v for t, v in truth.items()}
            at = f"2024-05-{1 + i // 24:02d}T{i % 24:02d}:00:00.000Z"
            given.append(Rating(record.id, who, labels, at))
    items = {record.id: record for record in corpus.records}
    return Ratings("invented", corpus.labels, corpus.targets, items, tuple(given), {})


def test_every_figure_is_there_with_its_interval():
    report = measure_agreement(_ratings(), resamples=200)
    assert (report.twice, report.annotators) == (60, ("Ada", "Bob", "Cy"))
    assert len(report.by_target) == 4
    assert len(report.pairs) == 3
    for part in (report.overall, *report.by_target):
        for estimate in (
            part.alpha,
            part.ordinal,
            part.fleiss,
            *part.by_label.values(),
            *part.fleiss_by_label.values(),
        ):
            assert estimate.low <= estimate.value <= estimate.high
            assert 0.4 < estimate.value < 1
    assert report.overall.alpha.value == pytest.approx(report.overall.fleiss.value, abs=0.01)
    assert [w.disagreement for w in report.worst] == sorted((w.disagreement for w in report.worst), reverse=True)
    assert json.loads(json.dumps(report.to_dict()))["overall"]["alpha"]["units"] == 240


def test_drift_shows_an_annotator_who_gets_worse():
    steady = measure_agreement(_ratings(count=120), resamples=50).drift
    worse = measure_agreement(_ratings(count=120, wrong=0.05, decay=0.95), resamples=50).drift
    assert len(worse) == 8
    assert worse[0].alpha.value - worse[-1].alpha.value > 0.25
    assert abs(steady[0].alpha.value - steady[-1].alpha.value) < 0.25
    assert sum(d.items for d in worse) == 120


def test_nothing_labelled_twice_is_said_not_computed(store, full):
    store.enter("Ada")
    store.save("s0", "Ada", Change("done", full))
    report = measure_agreement(ratings_of_store(store), resamples=10)
    assert math.isnan(report.overall.alpha.value)
    assert report.to_dict()["overall"]["alpha"]["value"] is None
    assert "nothing can be said" in render_agreement(report)
    empty = measure_agreement(replace(ratings_of_store(store), ratings=()), resamples=10)
    assert "nothing can be said" in render_agreement(empty)


def test_a_scale_of_unknown_labels_is_refused():
    with pytest.raises(UsageError, match="splendid"):
        measure_agreement(_ratings(10), ordinal=["against", "splendid"], resamples=10)


def test_an_adjudicator_is_no_annotator(store, full):
    for name in ("Ada", "Bob"):
        store.enter(name)
        store.save("s0", name, Change("done", {**full, "Russia": "favor" if name == "Bob" else "against"}))
    judge = store.enter("Cy", adjudicator=True)
    store.save("s0", judge, Change("done", full))
    ratings = ratings_of_store(store)
    assert ratings.annotators == ("Ada", "Bob")
    assert dict(ratings.settled["s0"]) == full
    assert measure_agreement(ratings, resamples=10).worst[0].settled


def test_the_command_writes_the_report_of_a_corpus_with_annotators(tmp_path, capsys):
    ratings = _ratings(20)
    by = {}
    for rating in ratings.ratings:
        by.setdefault(rating.item, {})[rating.annotator] = rating.labels
    corpus = make_corpus(20)
    records = tuple(replace(r, annotators=by[r.id], labels=dict(by[r.id]["Ada"])) for r in corpus.records)
    write_corpus(replace(corpus, splits={"train": records}), tmp_path / "c")
    assert main(["agreement", str(tmp_path / "c"), "-o", str(tmp_path / "a.html")]) == 0
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "Cohen&#39;s kappa" in page or "Cohen's kappa" in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    capsys.readouterr()
    assert main(["agreement", str(tmp_path / "c"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["twice"] == 20
    assert ratings_of_corpus(replace(corpus, splits={"train": records})).annotators == ("Ada", "Bob", "Cy")


def test_the_command_says_when_there_are_no_annotators(tmp_path, capsys):
    corpus = make_corpus(3)
    records = tuple(replace(r, labels=dict.fromkeys(corpus.targets, "favor")) for r in corpus.records)
    write_corpus(replace(corpus, splits={"train": records}), tmp_path / "c")
    assert main(["agreement", str(tmp_path / "c")]) == 2
    assert "no column 'annotators'" in capsys.readouterr().err


def test_a_time_is_that_of_finishing_by_hand_and_imports_have_none(store, full):
    for name in ("Ada", "Bob"):
        store.enter(name)
    store.save("s0", "Ada", Change("done", full))
    finished = store.state("s0", "Ada").at
    time.sleep(0.005)
    store.save("s0", "Ada", Change("flag"))
    store.import_labels([("s0", "Bob", full), ("s1", "Ada", full)])
    store.save("s0", "Bob", Change("note", text="brought along"))
    times = {(r.item, r.annotator): r.at for r in ratings_of_store(store).ratings}
    assert times == {("s0", "Ada"): finished, ("s0", "Bob"): "", ("s1", "Ada"): ""}
    assert store.state("s0", "Ada").at > finished
    assert [(p.annotator, p.done, p.today) for p in progress(store)] == [("Ada", 2, 1), ("Bob", 1, 0)]


def test_labels_a_corpus_brings_along_show_no_drift(tmp_path):
    ratings = _ratings(60)
    corpus = make_corpus(60)
    by: dict = {}
    for rating in ratings.ratings:
        by.setdefault(rating.item, {})[rating.annotator] = rating.labels
    records = tuple(replace(r, annotators=by[r.id]) for r in corpus.records)
    store = Store.create(tmp_path / "p.db", replace(corpus, splits={"train": records}))
    report = measure_agreement(ratings_of_store(store), resamples=10)
    assert (report.twice, report.drift) == (60, ())


def test_kappa_is_given_by_target_and_by_label():
    ratings = _ratings()
    report = measure_agreement(ratings, resamples=20)
    codes = {t: ratings.codes(t) for t in ratings.targets}
    pooled = np.concatenate(list(codes.values()))
    pair = report.pairs[1]
    assert (pair.first, pair.second) == ("Ada", "Cy")
    for target, values in codes.items():
        assert pair.by_target[target].value == pytest.approx(cohen_kappa_score(values[:, 0], values[:, 2]))
    for i, label in enumerate(ratings.labels):
        assert pair.by_label[label].value == pytest.approx(cohen_kappa_score(pooled[:, 0] == i, pooled[:, 2] == i))
        own = fleiss_kappa(one_against_rest(codes["Russia"], i), 2, resamples=2).value
        assert next(p for p in report.by_target if p.target == "Russia").fleiss_by_label[label].value == own
    page = render_agreement(report)
    assert page.count("Cohen's kappa</th>") == 2
    assert "Ada and Cy</th>" in page
    assert page.count("Fleiss' kappa</th>") == 1


def test_the_page_says_how_many_disputed_statements_it_leaves_out():
    report = measure_agreement(_ratings(), resamples=10)
    assert len(report.worst) == 25 < report.disputed < 60
    assert f"The first 25 of {report.disputed} statements" in render_agreement(report)
    assert "The first" not in render_agreement(replace(report, disputed=25))


def test_labels_given_under_suggestion_are_told_and_warned_of(store, full):
    for name in ("Ada", "Bob"):
        store.enter(name)
        store.save("s0", name, Change("done", full, mode="suggestion" if name == "Bob" else "blind"))
    store.save("s1", "Bob", Change("done", full, mode="suggestion"))  # compared with nobody
    report = measure_agreement(ratings_of_store(store), resamples=10)
    assert report.to_dict()["suggested"] == 0.5
    assert report.lines()[-1].startswith("Warning: 50% of the labels compared")
    assert report.warning.split(".")[0] in render_agreement(report).replace("&#39;", "'")
    assert measure_agreement(_ratings(10), resamples=10).warning == ""


def test_the_command_reads_annotators_of_the_corpus_beside_a_store(tmp_path, capsys, full):
    corpus = make_corpus(4)
    store = Store.create(tmp_path / "c.annotations.db", corpus)
    store.enter("Ada")
    store.save("s0", "Ada", Change("done", full))
    store.save("s1", "Ada", Change("label", full))
    theirs = {"Ada": dict.fromkeys(full, "favor"), "reader/1": full}
    records = tuple(replace(r, annotators=theirs) for r in corpus.records)
    write_corpus(replace(corpus, splits={"train": records}), tmp_path / "c")
    assert main(["agreement", str(tmp_path / "c"), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["twice"] == 3
    assert sorted(report["given"].values()) == [3, 4]  # what Ada begins anew in the store is not the corpus's to say
    assert "s0" not in [worst["item"] for worst in report["worst"]]
    assert len(store.annotators()) == 1


def test_annotators_per_item_without_an_overlap_are_refused(tmp_path, capsys):
    write_corpus(make_corpus(3), tmp_path / "c")
    assert main(["annotate", str(tmp_path / "c"), "--per-item", "3"]) == 2
    assert "--per-item needs --overlap" in capsys.readouterr().err
