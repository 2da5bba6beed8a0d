from __future__ import annotations

import numpy as np
import pytest

from stance.learning.features import dropout_ensemble, target_vectors
from stance.learning.selection import (
    balance_scores,
    core_set_order,
    disagreement_scores,
    order_by_score,
    random_order,
    uncertainty_scores,
)
from stance.schema import Statement


def _p(*rows):
    return np.array([[list(row)] for row in rows], dtype=float)


def test_the_most_uncertain_comes_first():
    p = _p((0.98, 0.01, 0.01), (0.34, 0.33, 0.33), (0.7, 0.2, 0.1))
    assert order_by_score(uncertainty_scores(p)).tolist() == [1, 2, 0]
    assert uncertainty_scores(p)[1] == pytest.approx(np.log(3), abs=1e-3)


def test_disagreement_is_of_members_not_of_each_members_doubt():
    doubtful = np.full((4, 1, 1, 2), 0.5)  # every member is unsure: nothing to learn about the model
    split = np.array([[[[1.0, 0.0]]], [[[0.0, 1.0]]], [[[1.0, 0.0]]], [[[0.0, 1.0]]]])
    scores = disagreement_scores(np.concatenate([doubtful, split], axis=1))
    assert scores[0] == pytest.approx(0, abs=1e-9)
    assert scores[1] == pytest.approx(np.log(2), abs=1e-9)


def test_balance_prefers_what_may_be_a_rare_label():
    p = _p((0.9, 0.1), (0.1, 0.9))
    assert order_by_score(balance_scores(p, np.array([[90, 3]]))).tolist() == [1, 0]
    assert order_by_score(balance_scores(p, np.array([[3, 90]]))).tolist() == [0, 1]


def test_balance_looks_where_the_model_doubts_for_a_label_that_nobody_gave_yet():
    p = _p((1, 0, 0), (0.5, 0.5, 0), (0, 1, 0))
    assert order_by_score(balance_scores(p, np.array([[50, 50, 0]])))[0] == 1
    assert order_by_score(balance_scores(p, np.array([[90, 5, 5]])))[0] == 2


def test_the_core_set_covers_every_cluster_before_it_repeats_one():
    rng = np.random.default_rng(0)
    centers = np.array([[0, 0], [10, 0], [0, 10], [10, 10]])
    groups = np.repeat(np.arange(4), [200, 10, 10, 10])
    vectors = centers[groups] + rng.normal(0, 0.3, (230, 2))
    order = core_set_order(vectors)
    assert sorted(groups[order[:4]]) == [0, 1, 2, 3]
    assert sorted(order.tolist()) == list(range(230))
    known = vectors[groups == 1]
    rest = np.flatnonzero(groups != 1)
    assert sorted(groups[rest[core_set_order(vectors[rest], known, count=3)[:3]]]) == [0, 2, 3]


def test_random_order_is_a_permutation_that_its_seed_fixes():
    assert sorted(random_order(50, 3).tolist()) == list(range(50))
    assert random_order(50, 3).tolist() == random_order(50, 3).tolist() != random_order(50, 4).tolist()


def test_vectors_are_what_the_head_reads_and_the_ensemble_scatters_around_the_model(tiny):
    import torch

    statements = [Statement(id=str(i), text="the harbour opened " * (i + 1)) for i in range(5)]
    targets = ["Russia", "China"]
    with torch.no_grad():
        for parameter in tiny.model.encoder.encoder.parameters():
            parameter.mul_(8)  # fresh weights are so small that it hardly matters what a token sees
    vectors = target_vectors(tiny, statements, targets)
    tiny.config.target_view = "shared"
    assert np.abs(target_vectors(tiny, statements, targets) - vectors).max() > 0.01
    tiny.config.target_view = "apart"
    with torch.inference_mode():
        logits = tiny.model.head(torch.from_numpy(vectors).float()).numpy()
    np.testing.assert_allclose(logits, tiny.logits(statements, targets)[0], atol=1e-4)
    exact = dropout_ensemble(tiny, vectors, members=1, dropout=0.0)
    np.testing.assert_allclose(exact[0], tiny.predict_proba(statements, targets)[0], atol=1e-5)
    members = dropout_ensemble(tiny, vectors, members=8)
    assert members.shape == (8, 5, 2, 4)
    assert members.std(axis=0).max() > 0
    np.testing.assert_allclose(members.sum(axis=-1), 1)
