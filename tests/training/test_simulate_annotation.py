from __future__ import annotations

import numpy as np
import pytest

from training.simulate_annotation import STRATEGIES, Pool, savings, simulate


def _pool(seed: int = 0) -> Pool:
    """Two wide classes that are easy, and a rare third one."""
    rng = np.random.default_rng(seed)

    def part(count):
        y = rng.choice(3, count, p=[0.6, 0.36, 0.04])
        x = rng.normal(size=(count, 1, 12)) + 2.5 * np.eye(3, 12)[y][:, None]
        return x, y[:, None]

    return Pool("made", *part(600), *part(300), labels=3)


def test_savings_are_read_off_where_the_curve_reaches_the_goal():
    sizes = np.array([40, 80, 120, 160])
    random = np.array([[0.2, 0.4, 0.6, 0.6], [0.2, 0.4, 0.6, 0.6]])
    assert savings(random, random, sizes) == pytest.approx([0, 0])
    faster = np.array([[0.2, 0.6, 0.5, 0.6], [0.55, 0.55, 0.55, 0.55]])
    # the goal is the mean of the last three: 1.6 / 3; random reaches it at 80 + 40 * (2 / 3)
    needed = 80 + 40 * 2 / 3
    at = 40 + 40 * (1.6 / 3 - 0.2) / 0.4
    assert savings(faster, random, sizes) == pytest.approx([1 - at / needed, 1 - 40 / needed])


def test_a_run_that_never_gets_there_counts_as_needing_everything():
    sizes = np.array([40, 80])
    random, poor = np.array([[0.5, 0.5]]), np.array([[0.1, 0.2]])
    assert savings(poor, random, sizes) == pytest.approx([1 - 80 / 40])


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_strategy_labels_each_statement_once_and_learns(strategy):
    scores = simulate(_pool(), strategy, 1, start=20, batch=20, rounds=3)
    assert len(scores) == 4
    assert 0 < scores[0] < 1
    assert scores == simulate(_pool(), strategy, 1, start=20, batch=20, rounds=3), "a seed fixes everything"
    assert scores[-1] > 0.5


def test_balance_finds_the_rare_label_sooner_than_chance():
    curves = {
        s: np.mean([simulate(_pool(), s, i, start=20, batch=10, rounds=3) for i in range(5)], axis=0)
        for s in ("random", "balance")
    }
    assert curves["balance"][-1] > curves["random"][-1]
