"""Simulated archives with known bias; the long run is ``python -m training.benchmark_bias``."""

import numpy as np
import pyarrow as pa
import pytest

from stance.bias import ReportOptions, bias_report
from stance.bias.cells import _worth
from stance.bias.hashing import hashed
from training.benchmark_bias import coverage, simulate, write_rows


def test_intervals_cover_the_truth_where_the_plain_count_does_not():
    found = coverage(30, draws=300)
    assert found.covered.pop("counted") < 0.85
    assert found.covered == pytest.approx(
        dict.fromkeys(("corrected", "pooled", "share", "difference"), 0.95), abs=0.055
    )
    assert found.false_difference <= 0.17  # at most 5 of 30 where 5 % are expected


def test_simulation_is_reproducible():
    one, two = simulate(3), simulate(3)
    assert (one.truth == two.truth).all()
    assert all((one.archive[name] == two.archive[name]).all() for name in one.archive.columns)


def test_many_rows_are_streamed(tmp_path):
    path = tmp_path / "rows.parquet"
    write_rows(path, 40_000)
    report = bias_report(path, options=ReportOptions(draws=200))
    assert report.summary["rows"] == 40_000
    assert report.summary["articles"] == 1000
    assert len(report.tables["balance_by_outlet"]) == 240


def test_hashes_tell_texts_apart_and_follow_slices():
    values = [*(f"article-{i}" for i in range(5000)), "", "a", "ab", "ba"]
    whole = hashed(pa.array(values))
    assert len(set(whole.tolist())) == len(values)
    assert (hashed(pa.array(["x", *values]).slice(1)) == whole).all()
    assert hashed(pa.array([None, "", "b"])).tolist()[0] == whole[5000]


def test_articles_of_unequal_weight_are_worth_fewer():
    rng = np.random.default_rng(0)
    shares = rng.dirichlet((4, 5, 3, 8), size=400)
    alike = np.array([rng.multinomial(40, p) for p in shares], dtype=float)[:, None]
    tailed = alike * rng.pareto(1.2, size=(400, 1, 1)).round()
    effective = np.array([400.0])
    assert 200 < _worth(alike, effective, np.eye(4))[0] <= 400
    assert _worth(tailed, effective, np.eye(4))[0] < 60
    assert _worth(np.zeros((3, 1, 4)), np.array([0.0]), np.eye(4))[0] == 0
