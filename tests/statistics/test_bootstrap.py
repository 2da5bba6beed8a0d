import numpy as np
import pytest
from sklearn.metrics import f1_score

from stance.statistics import clustered_interval, confusion_by_cluster, f1_per_label


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
