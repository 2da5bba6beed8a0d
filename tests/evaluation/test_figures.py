from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn import metrics as sk

from stance.corpus import Corpus, CorpusRecord
from stance.evaluation.calibration import calibration
from stance.evaluation.figures import ALL, average_precision, numbers
from stance.evaluation.items import Predictions, labelled_items
from stance.schema import LABELS, Statement
from stance.statistics.confusion import accuracy, per_label
from stance.statistics.multiplicity import holm
from stance.statistics.paired import bootstrap_p, mcnemar
from stance.statistics.resampling import ClusterDraws, interval
from stance.statistics.wilson import upper_share, wilson

TARGETS = ("Russia", "China")


def made(n=300, seed=0, documents=60, labels=LABELS):
    rng = np.random.default_rng(seed)
    records = tuple(
        CorpusRecord(
            Statement(f"s{i}", f"statement {i}"),
            {t: labels[rng.integers(len(labels))] for t in TARGETS},
            document=f"d{rng.integers(documents)}",
        )
        for i in range(n)
    )
    items = labelled_items(Corpus("made", labels, TARGETS, {"test": records}), "test")
    p = rng.dirichlet(np.full(len(labels), 0.5), size=len(items))
    p[np.arange(len(items)), items.gold] += rng.uniform(0, 1, len(items))
    p /= p.sum(1, keepdims=True)
    flags = np.zeros(len(items), dtype=bool)
    return items, Predictions("made", p.argmax(1), p, p.max(1) < 0.5, flags, 0.5, 0.1)


def test_figures_agree_with_scikit_learn():
    items, predictions = made()
    found = numbers(items, predictions, ClusterDraws(items.clusters, resamples=200))
    for scope, mine in [(ALL, slice(None)), ("China", items.target == 1)]:
        gold, predicted, p = items.gold[mine], predictions.predicted[mine], predictions.probabilities[mine]
        f = {name: figure.value for name, figure in found[scope].items()}
        assert f["macro_f1"] == pytest.approx(sk.f1_score(gold, predicted, average="macro"))
        assert f["f1_against_favor"] == pytest.approx(sk.f1_score(gold, predicted, average="macro", labels=[0, 2]))
        assert f["balanced_accuracy"] == pytest.approx(sk.balanced_accuracy_score(gold, predicted))
        assert f["mcc"] == pytest.approx(sk.matthews_corrcoef(gold, predicted))
        assert f["kappa"] == pytest.approx(sk.cohen_kappa_score(gold, predicted))
        both = (gold < 3) & (predicted < 3)
        assert f["ordinal_error"] == pytest.approx(sk.mean_absolute_error(gold[both], predicted[both]))
        for i, label in enumerate(LABELS):
            assert f[f"precision/{label}"] == pytest.approx(sk.precision_score(gold, predicted, average=None)[i])
            assert f[f"recall/{label}"] == pytest.approx(sk.recall_score(gold, predicted, average=None)[i])
            assert f[f"average_precision/{label}"] == pytest.approx(sk.average_precision_score(gold == i, p[:, i]))


@pytest.mark.parametrize("ties", [False, True])
def test_average_precision_with_ties(ties):
    rng = np.random.default_rng(3)
    scores, hits = rng.uniform(size=200), rng.uniform(size=200) < 0.3
    scores = scores.round(1) if ties else scores
    assert average_precision(scores, hits) == pytest.approx(sk.average_precision_score(hits, scores))


def test_brier_log_loss_and_calibration_error():
    items, predictions = made()
    found = calibration(items, predictions, ClusterDraws(items.clusters, resamples=300))
    f = {name: figure.value for name, figure in found.figures[ALL].items()}
    p, truth = predictions.probabilities, np.eye(4)[items.gold]
    assert f["brier"] == pytest.approx(((p - truth) ** 2).sum(1).mean())
    assert f["brier"] == pytest.approx(sum(sk.brier_score_loss(truth[:, j], p[:, j]) for j in range(4)))
    assert f["brier"] == pytest.approx(f["reliability"] - f["resolution"] + f["uncertainty"] + f["within_bins"])
    assert f["log_loss"] == pytest.approx(sk.log_loss(items.gold, p))
    bins = np.minimum((p.max(1) * 15).astype(int), 14)
    right = p.argmax(1) == items.gold
    gaps = [abs(p.max(1)[bins == b].mean() - right[bins == b].mean()) for b in np.unique(bins)]
    shares = [(bins == b).mean() for b in np.unique(bins)]
    assert f["ece"] == pytest.approx(np.dot(gaps, shares))
    assert f["mce"] == pytest.approx(max(gaps))
    assert sum(b.items for b in found.bins) == len(items)
    assert found.curve[-1][:2] == (1.0, pytest.approx(1 - right.mean()))
    kept = p.max(1) >= 0.5
    assert found.operating.coverage == pytest.approx(kept.mean())
    assert found.operating.risk.value == pytest.approx((~right[kept]).mean())
    for bound, point in found.offered.items():
        if point is not None:
            chosen = p.max(1) >= point.threshold
            assert (~right[chosen]).mean() <= bound + 1e-12


def test_the_operating_point_is_about_the_labels_of_its_scope():
    items, predictions = made()
    scoped = replace(predictions, scope=("against", "favor"))
    made_of = calibration(items, scoped, ClusterDraws(items.clusters, resamples=50))
    found = made_of.operating
    asked = np.isin(predictions.predicted, items.label_ids(("against", "favor")))
    kept = asked & ~predictions.abstained
    assert 0 < kept.sum() < asked.sum() < len(items)
    assert found.coverage == pytest.approx(kept.sum() / asked.sum())
    assert found.risk.value == pytest.approx((predictions.predicted != items.gold)[kept].mean())
    assert found.items == "items labelled against, favor"
    coverage, risk, _, _ = made_of.scope_curve[-1]
    assert (coverage, risk) == (1.0, pytest.approx((predictions.predicted != items.gold)[asked].mean()))
    near = min(made_of.scope_curve, key=lambda step: abs(step[0] - found.coverage))
    assert near[1] == pytest.approx(found.risk.value, abs=0.03)
    assert calibration(items, predictions, ClusterDraws(items.clusters, resamples=50)).scope_curve == ()


def test_an_exact_upper_bound_of_a_share():
    exact = binomtest(7, 90, alternative="less").proportion_ci(0.95, method="exact").high
    assert upper_share(7, 90) == pytest.approx(exact)
    assert upper_share(0, 0) == upper_share(3, 3) == 1.0


def test_intervals_of_a_proportion_and_of_macro_f1_cover_as_stated():
    """2,000 corpora of 120 documents from a known population: 95 ± 1 % of the intervals hold the truth."""
    rng = np.random.default_rng(7)
    cells = np.array([0.36, 0.08, 0.03, 0.05, 0.20, 0.05, 0.03, 0.05, 0.15])
    population = cells.reshape(3, 3)
    truth = {"accuracy": accuracy(population), "macro": per_label(population)[2].mean()}
    hits = dict.fromkeys(truth, 0)
    clusters, rounds = 120, 2000
    for seed in range(rounds):
        # documents differ: each has its own mix of cells around the population's
        mix = rng.gamma(cells * 12, size=(clusters, 9))
        counts = rng.multinomial(4, mix / mix.sum(1, keepdims=True)).reshape(clusters, 3, 3)
        drawn = ClusterDraws(clusters, resamples=500, seed=seed).figures(
            counts, lambda c: {"accuracy": accuracy(c), "macro": per_label(c)[2].mean(axis=-1)}
        )
        for name, value in truth.items():
            low, high = interval(drawn[name], clusters)
            hits[name] += low <= value <= high
    assert {name: n / rounds for name, n in hits.items()} == pytest.approx(dict.fromkeys(truth, 0.95), abs=0.01)


def test_interval_needs_two_clusters_and_skips_undefined_draws():
    assert np.isnan(interval(np.array([0.5, 0.6]), 1)).all()
    assert interval(np.array([np.nan, 0.5, 0.5]), 10) == (0.5, 0.5)


def test_draws_are_the_same_for_a_seed_whether_stored_or_drawn_anew(monkeypatch):
    sums = np.arange(30.0).reshape(10, 3)
    first = ClusterDraws(10, resamples=700, seed=4).figures(sums, lambda t: {"x": t[:, 0]})["x"]
    monkeypatch.setattr("stance.statistics.resampling._LARGEST_STORE", 1)
    again = ClusterDraws(10, resamples=700, seed=4).figures(sums, lambda t: {"x": t[:, 0]})["x"]
    np.testing.assert_array_equal(first, again)
    assert len(first) == 700


def test_holm_and_mcnemar_and_wilson_against_published_values():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, float("nan"), 0.01])[2] == pytest.approx(0.02)
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(1, 9) == pytest.approx(0.021484375)  # 2 (1 + 10) / 2 ** 10
    assert wilson(8, 10) == pytest.approx((0.4901625, 0.9433178), abs=1e-6)


def test_bootstrap_p_is_small_for_a_difference_and_large_for_none():
    rng = np.random.default_rng(0)
    assert bootstrap_p(rng.normal(4, 1, 9999)) < 0.001
    assert bootstrap_p(rng.normal(0, 1, 9999)) > 0.9
