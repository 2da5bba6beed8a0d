import numpy as np
import pytest
from sklearn.metrics import f1_score

from stance.statistics import cluster_draws, clustered_interval, confusion_by_cluster, f1_per_label, krippendorff_alpha
from stance.statistics.resampling import ClusterDraws, interval


def macro(confusion):
    return f1_per_label(confusion).mean(-1)


def test_f1_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    gold, predicted = rng.integers(0, 4, 500), rng.integers(0, 4, 500)
    counts = confusion_by_cluster(gold, predicted, rng.integers(0, 50, 500), 4)
    np.testing.assert_allclose(f1_per_label(counts.sum(0)), f1_score(gold, predicted, average=None))


def test_interval_of_clusters_is_wider_than_that_of_items():
    rng = np.random.default_rng(0)
    clusters = np.repeat(np.arange(40), 25)
    gold = np.repeat(rng.integers(0, 2, 40), 25)
    predicted = np.where(np.repeat(rng.uniform(size=40) < 0.8, 25), gold, 1 - gold)
    by_cluster = clustered_interval(confusion_by_cluster(gold, predicted, clusters, 2), macro)
    by_item = clustered_interval(confusion_by_cluster(gold, predicted, range(1000), 2), macro)
    assert by_cluster[1] - by_cluster[0] > 2 * (by_item[1] - by_item[0])


def test_interval_covers_as_stated():
    rng = np.random.default_rng(1)
    hits = 0
    for seed in range(300):
        counts = rng.poisson(rng.gamma(5, 1, size=60)).astype(np.int64).reshape(-1, 1)
        low, high = clustered_interval(counts, lambda total: total[:, 0] / 60, resamples=1000, seed=seed)
        hits += low <= 5 <= high
    assert hits / 300 == pytest.approx(0.95, abs=0.035)


def test_an_interval_of_few_clusters_covers_as_stated_once_it_is_widened():
    rng, hits = np.random.default_rng(3), {False: 0, True: 0}
    for seed in range(400):
        counts = rng.normal(5, 1, size=6).reshape(-1, 1)
        for few in hits:
            low, high = clustered_interval(counts, lambda total: total[:, 0] / 6, resamples=1000, seed=seed, few=few)
            hits[few] += low <= 5 <= high
    assert hits[True] / 400 == pytest.approx(0.94, abs=0.03)
    assert hits[False] < hits[True] - 20


def test_every_bootstrap_draws_the_same_clusters_from_one_seed():
    counts = np.random.default_rng(2).poisson(3, size=(40, 2)).astype(np.int64)
    sums = cluster_draws(counts, draws=700, rng=np.random.default_rng(5))
    shared = ClusterDraws(40, resamples=700, seed=5).figures(counts, lambda total: {"x": total})["x"]
    np.testing.assert_array_equal(shared, sums)
    found = clustered_interval(counts, lambda total: total[:, 0], resamples=700, seed=5)
    assert found == tuple(np.quantile(sums[:, 0], [0.025, 0.975]))


def test_draws_of_a_seed_stay_as_they_were_whatever_the_block():
    """Published figures come from these draws."""
    counts = np.random.default_rng(2).poisson(3, size=(40, 1)).astype(np.int64)
    weights = np.random.default_rng(0).multinomial(40, np.full(40, 1 / 40), size=1200)
    found = clustered_interval(counts, lambda total: total[:, 0], resamples=1200)
    assert found == tuple(np.quantile(weights @ counts, [0.025, 0.975]))
    codes = np.tile([[0, 0], [0, 1], [1, 1], [1, 0]], (10, 1))
    alike = (codes[:, 0] == codes[:, 1]).astype(float)
    ones = codes.mean(axis=1)
    chance = [1 - 2 * (w @ ones) * (w @ (1 - ones)) / (w.sum() * (w.sum() - 0.5)) for w in weights]
    alpha = [1 - (1 - w @ alike / w.sum()) / (1 - c) for w, c in zip(weights, chance, strict=True)]
    estimate = krippendorff_alpha(codes, 2, resamples=1200)
    assert (estimate.low, estimate.high) == pytest.approx(interval(np.array(alpha), 40))
