"""The numbers: figures per target and over all, each with its interval."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stance.evaluation.items import Items, Predictions
from stance.statistics.confusion import accuracy, kappa, matthews, mean_of, ordinal_error, per_label
from stance.statistics.resampling import ClusterDraws, interval, sum_by_cluster

__all__ = ["ALL", "HEADLINE", "Figure", "Layout", "average_precision", "confusion_sums", "numbers"]

ALL = "all"
"""Scope of the figures over all targets."""
HEADLINE = ("macro_f1", "f1_against_favor", "accuracy", "balanced_accuracy", "mcc", "kappa", "ordinal_error")
_LEVELS = 50
"""Groups of near-equal scores in which average precision is drawn; its own value is exact."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A value with its 95 % interval; ``nan`` where undefined."""

    value: float
    low: float = math.nan
    high: float = math.nan

    def to_list(self) -> list[float | None]:
        """Return value, low and high, ``None`` for ``nan``."""
        return [None if math.isnan(x) else round(x, 6) for x in (self.value, self.low, self.high)]


@dataclass(frozen=True)
class Layout:
    """Which labels the averages are taken over.

    Parameters
    ----------
    labels
        Label names.
    present
        Ids of the labels that occur in gold: the macro average is over these.
    charged
        Ids of ``against`` and ``favor``.
    scale
        Ids of ``against``, ``neutral``, ``favor``; empty where the label set lacks one.
    """

    labels: tuple[str, ...]
    present: tuple[int, ...]
    charged: tuple[int, ...]
    scale: tuple[int, ...]

    @classmethod
    def of(cls, items: Items, target: int | None = None) -> Layout:
        """Return the layout of all items, or of those of one target."""
        scale = items.label_ids(("against", "neutral", "favor"))
        gold = items.gold if target is None else items.gold[items.target == target]
        present = tuple(int(i) for i in np.unique(gold))
        charged = tuple(items.label_ids(("against", "favor")))
        return cls(items.labels, present, charged, tuple(scale) if len(scale) == 3 else ())

    def figures(self, counts: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """Return every figure of confusion matrices of shape ``(…, k, k)``."""
        precision, recall, f1 = per_label(counts)
        found = {
            "macro_f1": mean_of(f1, self.present),
            "accuracy": accuracy(counts),
            "balanced_accuracy": mean_of(recall, range(len(self.labels))),
            "mcc": matthews(counts),
            "kappa": kappa(counts),
        }
        if len(self.charged) == 2:
            found["f1_against_favor"] = mean_of(f1, self.charged)
        if self.scale:
            found["ordinal_error"] = ordinal_error(counts, self.scale)
        for i, label in enumerate(self.labels):
            found |= {f"precision/{label}": precision[..., i], f"recall/{label}": recall[..., i]}
            found[f"f1/{label}"] = f1[..., i]
        return found


def confusion_sums(items: Items, predicted: NDArray[np.int64]) -> NDArray[np.float64]:
    """Count gold × predicted in each document and target, shape ``(clusters, targets, k, k)``."""
    k, t = len(items.labels), len(items.targets)
    column = (items.target * k + items.gold) * k + predicted
    sums = sum_by_cluster(items.cluster, items.clusters, column, t * k * k, np.ones(len(items)))
    return sums.reshape(items.clusters, t, k, k)


def numbers(items: Items, predictions: Predictions, draws: ClusterDraws) -> dict[str, dict[str, Figure]]:
    """Return every figure by scope (``all`` and each target) and name."""
    sums = confusion_sums(items, predictions.predicted)
    layouts = {ALL: Layout.of(items)} | {t: Layout.of(items, i) for i, t in enumerate(items.targets)}
    scopes = {ALL: slice(None)} | {t: slice(i, i + 1) for i, t in enumerate(items.targets)}

    def compute(totals: NDArray[np.float64]) -> Mapping[str, NDArray[np.float64]]:
        found: dict[str, NDArray[np.float64]] = {}
        for scope, part in scopes.items():
            by_name = layouts[scope].figures(totals[:, part].sum(axis=1))
            found |= {f"{scope}\x1f{name}": value for name, value in by_name.items()}
        return found

    exact = compute(sums.sum(axis=0, keepdims=True))
    drawn = draws.figures(sums, compute)
    out: dict[str, dict[str, Figure]] = {scope: {} for scope in scopes}
    for key, value in exact.items():
        scope, name = key.split("\x1f")
        v = float(value[0])
        out[scope][name] = Figure(v, *interval(drawn[key], items.clusters)) if not math.isnan(v) else Figure(v)
    if predictions.probabilities is not None:
        for scope, found in _average_precision(items, predictions.probabilities, draws).items():
            out[scope] |= found
    return out


def average_precision(scores: NDArray[np.float64], hits: NDArray[np.bool_]) -> float:
    """Return average precision, Σ (Rₙ − Rₙ₋₁) Pₙ over falling thresholds, as in scikit-learn; ``nan`` without a hit."""
    if not hits.any():
        return math.nan
    order = np.argsort(-scores, kind="stable")
    falling = scores[order]
    last = np.r_[np.flatnonzero(np.diff(falling)), len(falling) - 1]
    found = np.cumsum(hits[order])[last]
    return float((np.diff(np.r_[0, found]) * found / (last + 1)).sum() / hits.sum())


def _average_precision(items: Items, p: NDArray[np.float64], draws: ClusterDraws) -> dict[str, dict[str, Figure]]:
    """Return average precision of each label by scope.

    In the draws scores are tied within `_LEVELS` groups of equal size; the interval is moved by what that changes.
    """
    scopes = {ALL: slice(None)} | {name: slice(i, i + 1) for i, name in enumerate(items.targets)}
    sums = np.stack([_by_level(items, p[:, label], items.gold == label) for label in range(p.shape[1])], axis=1)

    def compute(totals: NDArray[np.float64]) -> Mapping[str, NDArray[np.float64]]:
        return {scope: _binned(totals[:, :, :, part].sum(axis=3)) for scope, part in scopes.items()}

    rough = compute(sums.sum(axis=0, keepdims=True, dtype=np.float64))
    drawn = draws.figures(sums, compute)
    out: dict[str, dict[str, Figure]] = {scope: {} for scope in scopes}
    for scope in scopes:
        mine = np.ones(len(items), dtype=bool) if scope == ALL else items.target == items.targets.index(scope)
        for label, name in enumerate(items.labels):
            value = average_precision(p[mine, label], items.gold[mine] == label)
            low, high = interval(drawn[scope][:, label] + (value - rough[scope][0, label]), items.clusters)
            shown = Figure(value, max(low, 0.0), min(high, 1.0)) if not math.isnan(value) else Figure(value)
            out[scope][f"average_precision/{name}"] = shown
    return out


def _by_level(items: Items, scores: NDArray[np.float64], hits: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Count hits and misses per document, target and level (best first), shape ``(clusters, 2, targets, levels)``."""
    edges = np.unique(np.quantile(scores, np.linspace(0, 1, _LEVELS + 1)[1:-1]))
    column = items.target * _LEVELS + len(edges) - np.searchsorted(edges, scores, side="right")
    width = len(items.targets) * _LEVELS
    both = [sum_by_cluster(items.cluster, items.clusters, column, width, w) for w in (hits, ~hits)]
    return np.stack(both, axis=1, dtype=np.float32).reshape(items.clusters, 2, len(items.targets), _LEVELS)


def _binned(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return average precision from hits and misses per level, shape ``(draws, labels, 2, levels)``, best first."""
    hits = counts[:, :, 0]
    found, seen = np.cumsum(hits, axis=-1), np.cumsum(counts.sum(axis=2), axis=-1)
    precision = np.divide(found, seen, out=np.zeros_like(found), where=seen > 0)
    total = found[..., -1]
    return np.asarray(
        np.divide((hits * precision).sum(axis=-1), total, out=np.full(total.shape, np.nan), where=total > 0)
    )
