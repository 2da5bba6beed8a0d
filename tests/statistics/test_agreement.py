from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from stance.statistics import (
    cohen_kappa,
    dawid_skene,
    fleiss_kappa,
    krippendorff_alpha,
    majority,
    one_against_rest,
    unit_disagreement,
)

# Krippendorff 2011, "Computing Krippendorff's alpha-reliability", example C: four observers, twelve units.
_EXAMPLE = (
    np.array(
        [
            [1, 2, 3, 3, 2, 1, 4, 1, 2, 0, 0, 0],
            [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, 0, 3],
            [0, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, 0],
            [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, 0],
        ]
    ).T
    - 1
)

# Fleiss 1971 as worked in Fleiss, Levin & Paik: ten units, fourteen ratings, five labels.
_FLEISS = [
    [0, 0, 0, 0, 14],
    [0, 2, 6, 4, 2],
    [0, 0, 3, 5, 6],
    [0, 3, 9, 2, 0],
    [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0],
    [3, 2, 6, 3, 0],
    [2, 5, 3, 2, 2],
    [6, 5, 2, 1, 0],
    [0, 2, 2, 3, 7],
]


def test_alpha_of_the_published_example():
    assert krippendorff_alpha(_EXAMPLE, 5).value == pytest.approx(0.743, abs=5e-4)
    assert krippendorff_alpha(_EXAMPLE, 5, level="ordinal").value == pytest.approx(0.815, abs=5e-4)
    assert krippendorff_alpha(_EXAMPLE, 5).units == 11  # unit 12 has one rating


def test_fleiss_kappa_of_the_published_example():
    codes = np.array([np.repeat(np.arange(5), row) for row in _FLEISS])
    assert fleiss_kappa(codes, 5).value == pytest.approx(0.210, abs=5e-4)


def test_cohen_kappa_is_that_of_scikit_learn_where_both_labelled():
    rng = np.random.default_rng(3)
    first = rng.integers(0, 4, 300)
    second = np.where(rng.random(300) < 0.7, first, rng.integers(0, 4, 300))
    second[:40] = -1
    found = cohen_kappa(first, second, 4)
    assert found.units == 260
    assert found.value == pytest.approx(cohen_kappa_score(first[40:], second[40:]))
    assert found.low < found.value < found.high


def test_chance_gives_zero_and_unity_gives_one():
    rng = np.random.default_rng(0)
    chance = rng.integers(0, 3, (4000, 3))
    assert abs(krippendorff_alpha(chance, 3).value) < 0.03
    assert abs(fleiss_kappa(chance, 3).value) < 0.03
    same = np.repeat(rng.integers(0, 3, (50, 1)), 3, axis=1)
    assert krippendorff_alpha(same, 3).value == pytest.approx(1)
    assert krippendorff_alpha(same, 3, level="ordinal").value == pytest.approx(1)


def test_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(1)

    def draw(units):
        truth = rng.integers(0, 3, units)
        return np.stack([np.where(rng.random(units) < 0.8, truth, rng.integers(0, 3, units)) for _ in range(2)], axis=1)

    true_value = krippendorff_alpha(draw(200_000), 3, resamples=2).value
    hits = 0
    for i in range(120):
        found = krippendorff_alpha(draw(150), 3, resamples=300, seed=i)
        hits += found.low <= true_value <= found.high
    assert 0.88 <= hits / 120 <= 1.0


def test_clusters_widen_the_interval_where_their_units_are_alike():
    rng = np.random.default_rng(2)
    quality = np.repeat(rng.random(30) < 0.5, 20)
    first = rng.integers(0, 2, 600)
    second = np.where(quality, first, rng.integers(0, 2, 600))
    codes = np.stack([first, second], axis=1)
    alone = krippendorff_alpha(codes, 2)
    together = krippendorff_alpha(codes, 2, clusters=list(np.repeat(np.arange(30), 20)))
    assert together.value == pytest.approx(alone.value)
    assert together.high - together.low > 1.5 * (alone.high - alone.low)


def test_intervals_of_few_clusters_are_wider_than_percentiles():
    first = np.tile([0, 1], 20)
    second = np.where(np.arange(40) < 30, first, 1 - first)  # three documents of accord, one of discord
    found = cohen_kappa(first, second, 2, clusters=list(np.repeat(np.arange(4), 10)))
    assert (found.low, found.high) == (pytest.approx(-1), pytest.approx(1)), "percentiles would start at -0.5"
    alone = cohen_kappa(first, second, 2, clusters=[0] * 40)
    assert math.isnan(alone.low)


def test_undefined_figures_are_nan_not_numbers():
    single = np.array([[0, -1], [-1, 1]])
    found = krippendorff_alpha(single, 2)
    assert math.isnan(found.value)
    assert found.units == 0
    one_label = np.zeros((5, 2), dtype=np.int64)
    assert math.isnan(krippendorff_alpha(one_label, 2).value)
    assert math.isnan(cohen_kappa(one_label[:, 0], one_label[:, 1], 2).value)


def test_codes_out_of_range_are_refused():
    with pytest.raises(ValueError, match="values from -1 to 1"):
        krippendorff_alpha(np.array([[0, 2]]), 2)
    with pytest.raises(ValueError, match="clusters"):
        krippendorff_alpha(np.array([[0, 1]]), 2, clusters=["a", "b"])


def test_one_label_against_the_rest_and_disagreement_of_units():
    codes = np.array([[0, 1, 2], [1, 1, -1], [2, -1, -1]])
    assert one_against_rest(codes, 1).tolist() == [[0, 1, 0], [1, 1, -1], [0, -1, -1]]
    assert unit_disagreement(codes, 3).tolist() == [1.0, 0.0, 0.0]


def test_majority_leaves_ties_open():
    codes = np.array([[0, 0, 1], [0, 1, -1], [-1, -1, -1], [2, -1, -1]])
    assert majority(codes, 3).tolist() == [0, -1, -1, 2]


def _crowd(seed, units=400, labels=3, skill=(0.9, 0.85, 0.4, 0.4, 0.35)):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, labels, units)
    wrong = (truth[:, None] + rng.integers(1, labels, (units, len(skill)))) % labels
    codes = np.where(rng.random((units, len(skill))) < np.array(skill), truth[:, None], wrong)
    return truth, np.where(rng.random(codes.shape) < 0.2, -1, codes)


def test_dawid_skene_beats_majority_where_few_annotators_are_good():
    truth, codes = _crowd(5)
    codes[(codes < 0).all(axis=1), 0] = 0
    found = dawid_skene(codes, 3)
    by_model = (found.posterior.argmax(axis=1) == truth).mean()
    by_vote = (majority(codes, 3) == truth).mean()
    assert by_model > by_vote + 0.1
    assert np.trace(found.confusion[0]) > np.trace(found.confusion[4]) + 1
    np.testing.assert_allclose(found.posterior.sum(axis=1), 1)


def test_dawid_skene_needs_a_rating_for_each_unit():
    with pytest.raises(ValueError, match="at least one rating"):
        dawid_skene(np.array([[0, 1], [-1, -1]]), 2)
