import numpy as np
import pytest
from scipy import stats

from stance.statistics import (
    benjamini_hochberg,
    cluster_draws,
    corrected_counts,
    draw_error_rates,
    effective_clusters,
    holm,
    percentile_interval,
    pooled_draws,
    small_sample_factor,
)
from stance.statistics.correction import _common

RATES = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.0, 0.3, 0.7]])


def test_correction_undoes_known_errors():
    truth = np.array([[100.0, 50.0, 20.0], [0.0, 10.0, 90.0]])
    np.testing.assert_allclose(corrected_counts(truth @ RATES, RATES), truth, atol=1e-9)


def test_correction_keeps_the_number_of_items():
    counts = np.array([[3.0, 90.0, 1.0]])
    assert corrected_counts(counts, RATES).sum() == pytest.approx(94)
    assert corrected_counts(counts, RATES)[0, 0] < 0  # fewer answers than errors alone would give


def test_error_rates_grow_certain_with_validation():
    rng = np.random.default_rng(0)
    few = draw_error_rates((RATES * 20).round()[None], draws=2000, rng=rng)
    many = draw_error_rates((RATES * 5000).round()[None], draws=2000, rng=rng)
    np.testing.assert_allclose(many.mean[0], RATES, atol=0.01)
    np.testing.assert_allclose(many.draws.sum(-1), 1)
    assert few.draws[0, :, 0, 0].std() > 5 * many.draws[0, :, 0, 0].std()


def test_targets_borrow_from_each_other_only_where_they_are_alike():
    alike = np.stack([RATES * 200, RATES * 200, RATES * 200, RATES * 4])
    other = alike.copy()
    other[1:3, 0] = [[20, 180, 0], [0, 20, 180]]
    found = [
        draw_error_rates(c, draws=4000, rng=np.random.default_rng(1)).draws[3, :, 0, 0].std() for c in (alike, other)
    ]
    assert found[0] < 0.6 * found[1]


@pytest.mark.parametrize("counts", [np.ones((3, 3)), np.ones((1, 3, 2)), -np.ones((1, 3, 3))])
def test_bad_counts_are_refused(counts):
    with pytest.raises(ValueError, match="non-negative"):
        draw_error_rates(counts, draws=10, rng=np.random.default_rng(0))


def test_bootstrap_draws_have_the_clustered_variance():
    rng = np.random.default_rng(0)
    counts = rng.poisson(5, size=(80, 2)).astype(float)
    drawn = cluster_draws(counts, draws=20_000, rng=rng)
    np.testing.assert_allclose(drawn.mean(0), counts.sum(0), rtol=0.01)
    np.testing.assert_allclose(drawn.var(0), 80 * counts.var(0), rtol=0.05)


def test_effective_clusters():
    assert effective_clusters(np.ones(7)) == 7
    assert effective_clusters(np.array([100.0, 1, 1])) < 1.1
    assert effective_clusters(np.zeros(3)) == 0


def test_few_clusters_get_students_width():
    n, sample = 5, np.random.default_rng(3).normal(size=(4000, 5))
    drawn_sd = sample.std(axis=1)  # what a bootstrap of the mean sees, times sqrt(n)
    half = stats.norm.ppf(0.975) * small_sample_factor(np.array(n), 0.95) * drawn_sd / np.sqrt(n)
    assert np.mean(np.abs(sample.mean(axis=1)) <= half) == pytest.approx(0.95, abs=0.012)


def test_holm_and_benjamini_hochberg_by_hand():
    p = np.array([0.01, 0.04, np.nan, 0.03])
    np.testing.assert_allclose(holm(p), [0.03, 0.06, np.nan, 0.06])
    np.testing.assert_allclose(benjamini_hochberg(p), [0.03, 0.04, np.nan, 0.04])


def test_pooling_draws_in_what_is_uncertain_and_covers():
    rng = np.random.default_rng(0)
    hits, wide, pooled_wide = 0, 0.0, 0.0
    variances = np.array([0.01, 0.01, 0.04, 0.09, 0.25, 0.25])
    for _ in range(300):
        truth = rng.normal(0.1, 0.15, size=6)
        estimates = rng.normal(truth, np.sqrt(variances))
        drawn = pooled_draws(np.tile(estimates, (800, 1)), variances, rng=rng)
        low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
        hits += int(((low <= truth) & (truth <= high)).sum())
        wide += 2 * 1.96 * np.sqrt(variances[-1])
        pooled_wide += high[-1] - low[-1]
    assert hits / 1800 == pytest.approx(0.955, abs=0.025)
    assert pooled_wide < 0.6 * wide


def test_pooling_needs_groups_and_variances():
    with pytest.raises(ValueError, match="at least 3"):
        pooled_draws(np.zeros((10, 2)), np.ones(2), rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="above 0"):
        pooled_draws(np.zeros((10, 3)), np.array([1.0, 0, 1]), rng=np.random.default_rng(0))


def test_a_further_draw_falls_between_the_percentiles_as_often_as_said():
    draws = np.random.default_rng(0).normal(size=(20_000, 200))
    low, high = percentile_interval(draws[:, :-1], 0.95, axis=1, few=True)
    assert np.mean((low <= draws[:, -1]) & (draws[:, -1] <= high)) == pytest.approx(0.95, abs=0.004)


def test_items_of_one_target_tell_less_of_what_targets_share_the_more_targets_differ():
    rows = np.array([[2000.0, 0, 0], [0, 1000, 0], [0, 0, 0]])
    alike, different = _common(rows, np.array([1e9, 1e-6]))
    np.testing.assert_allclose(alike, [2000.5, 1000.5, 0.5], rtol=1e-4)
    np.testing.assert_allclose(different, [1.5, 1.5, 0.5], rtol=1e-4)
