from __future__ import annotations

import json
import re

import numpy as np
import pytest

from training import simulate_annotation
from training.simulate_annotation import STRATEGIES, Pool, Savings, savings, simulate


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
    assert savings(random, random, sizes) == Savings(0, 0, 0, reached=2)
    # the goal is the mean of the last three: 1.6 / 3; random reaches it at 80 + 40 * (2 / 3)
    needed = 80 + 40 * 2 / 3
    at = 40 + 40 * (1.6 / 3 - 0.2) / 0.4
    for faster, need in (([0.2, 0.6, 0.5, 0.6], at), ([0.55, 0.55, 0.55, 0.55], 40)):
        assert savings(np.array([faster, faster]), random, sizes).share == pytest.approx(1 - need / needed)
    assert savings(np.array([[0.2, 0.5, 0.5, 0.6]] * 2), random, sizes).share == pytest.approx(
        1 - (120 + 40 * (1.6 / 3 - 0.5) / 0.1) / needed
    )


def test_an_order_that_is_as_good_saves_nothing_though_seeds_differ():
    sizes = np.array([40, 80, 120, 160])
    soon, late = [0.6, 0.6, 0.6, 0.6], [0.2, 0.3, 0.4, 0.6]
    random, own = np.array([soon, late] * 10), np.array([late, soon] * 10)
    saved = savings(own, random, sizes)
    assert saved.share == pytest.approx(0), "a mean of the seeds' own shares would be far under 0"
    assert saved.low < 0 < saved.high


def test_a_run_that_never_gets_there_counts_as_needing_everything_and_is_told():
    sizes = np.array([40, 80])
    random, poor = np.array([[0.5, 0.5]] * 2), np.array([[0.1, 0.2], [0.1, 0.5]])
    saved = savings(poor, random, sizes)
    assert saved.share == pytest.approx(1 - 80 / 40)
    assert saved.reached == 1


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


def test_the_table_names_every_strategy_and_how_many_runs_reached_the_goal(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(simulate_annotation, "data_folder", lambda: tmp_path)  # no corpus is read
    monkeypatch.setattr(simulate_annotation, "_pools", lambda _: {"made": _pool})
    simulate_annotation.main(["--seeds", "2", "--rounds", "3", "--out", str(tmp_path / "out.json")])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(STRATEGIES)
    assert all(re.search(r"labels saved .*goal reached in [012] of 2 runs", line) for line in lines[1:])
    curves = json.loads((tmp_path / "out.json").read_text())["made"]
    assert curves["random"] == [simulate(_pool(), "random", seed, rounds=3) for seed in (0, 1)]
