"""Can its percentages be trusted: reliability, calibration error, Brier score, risk and coverage."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.evaluation.figures import ALL, Figure
from stance.evaluation.items import Items, Predictions
from stance.statistics.resampling import ClusterDraws, interval, sum_by_cluster

__all__ = ["Abstention", "Bin", "Calibration", "calibration"]

_BINS = 15
_CURVE = 100
_BIASED = ("ece", "mce", "reliability", "resolution")
"""Figures that drawing with replacement makes larger; their intervals are moved by the bootstrap's own estimate."""
_RISKS = (0.02, 0.05, 0.10)


@dataclass(frozen=True, slots=True)
class Bin:
    """Items of similar confidence: how sure the model was on average, and how often it was right."""

    low: float
    high: float
    items: int
    confidence: float
    accuracy: Figure


@dataclass(frozen=True, slots=True)
class Abstention:
    """A threshold of confidence: the share of items answered, and the share of these that are wrong.

    With a `scope`, of the items whose predicted label is one of it.
    """

    threshold: float
    coverage: float
    risk: Figure
    stated_risk: float | None = None
    scope: tuple[str, ...] = ()

    @property
    def items(self) -> str:
        """Which items it is about, in words."""
        return f"items labelled {', '.join(self.scope)}" if self.scope else "items"


@dataclass(frozen=True)
class Calibration:
    """Everything about the probabilities of one system.

    Parameters
    ----------
    figures
        By scope: ``ece`` and ``mce`` (expected and largest gap over the bins of the top label's confidence, Guo et
        al. 2017), ``brier`` (Brier 1950: squared error summed over labels), its parts ``reliability``,
        ``resolution``, ``uncertainty`` and what binning leaves over, ``within_bins`` (Murphy 1973; Stephenson,
        Coelho & Jolliffe 2008): brier = reliability - resolution + uncertainty + within_bins; ``log_loss``, and
        ``aurc``, the area under the risk-coverage curve (Geifman & El-Yaniv 2017).
    bins
        The reliability diagram over all targets.
    curve
        ``(coverage, risk, low, high)`` over all targets.
    scope_curve
        The same over the items that the model's own threshold is about; empty where it is about all of them.
    operating
        Risk at the model's own threshold, over the items that the threshold is about; ``None`` if it has none.
    offered
        The widest coverage at which the risk on these data is at most 2, 5 and 10 %.
    """

    figures: Mapping[str, Mapping[str, Figure]]
    bins: tuple[Bin, ...]
    curve: tuple[tuple[float, float, float, float], ...]
    operating: Abstention | None
    offered: Mapping[float, Abstention | None] = field(default_factory=dict)
    scope_curve: tuple[tuple[float, float, float, float], ...] = ()


def calibration(items: Items, predictions: Predictions, draws: ClusterDraws) -> Calibration | None:
    """Return the calibration of a system, ``None`` for one without probabilities."""
    p = predictions.probabilities
    if p is None:
        return None
    confidence, right = p.max(axis=1), predictions.predicted == items.gold
    figures = _figures(items, p, right, draws)
    everything = np.ones(len(items), dtype=bool)
    operating, scope = None, predictions.scope
    scope_curve: tuple[tuple[float, float, float, float], ...] = ()
    if predictions.threshold is not None:
        asked = np.isin(predictions.predicted, items.label_ids(scope)) if scope else everything
        kept = asked & ~predictions.abstained
        coverage = 1 - float((asked & predictions.abstained).sum() / max(asked.sum(), 1))
        risk = _share(items, ~right, kept, draws)
        operating = Abstention(predictions.threshold, coverage, risk, predictions.risk, scope)
        scope_curve = _risk_coverage(items, confidence, right, asked, draws) if scope and asked.any() else ()
    return Calibration(
        figures,
        _bins(items, confidence, right, draws),
        _risk_coverage(items, confidence, right, everything, draws),
        operating,
        _offered(items, confidence, right, draws),
        scope_curve,
    )


def _place(confidence: NDArray[np.float64], bins: int = _BINS) -> NDArray[np.int64]:
    return np.minimum((confidence * bins).astype(np.int64), bins - 1)


def _figures(
    items: Items, p: NDArray[np.float64], right: NDArray[np.bool_], draws: ClusterDraws
) -> dict[str, dict[str, Figure]]:
    """Return the figures by scope; one pass over the draws adds up each target, and all of them together."""
    scopes = {ALL: slice(None)}
    scopes |= {t: slice(i, i + 1) for i, t in enumerate(items.targets) if (items.target == i).any()}
    sums = _sums(items, p, right)

    def compute(totals: NDArray[np.float64]) -> Mapping[str, NDArray[np.float64]]:
        found: dict[str, NDArray[np.float64]] = {}
        for scope, part in scopes.items():
            of_scope = totals[:, part].sum(axis=1)
            grid = of_scope[:, :-2].reshape(len(totals), p.shape[1] + 1, 3, _BINS)
            parts = _parts(grid, of_scope[:, -2], of_scope[:, -1])
            found |= {f"{scope}\x1f{name}": value for name, value in parts.items()}
        return found

    exact, drawn = compute(sums.sum(axis=0, keepdims=True)), draws.figures(sums, compute)
    out: dict[str, dict[str, Figure]] = {scope: {} for scope in scopes}
    for key, value in exact.items():
        scope, name = key.split("\x1f")
        out[scope][name] = _moved(name, float(value[0]), drawn[key], items.clusters)
    for scope, found in out.items():
        mine = np.ones(len(items), dtype=bool) if scope == ALL else items.target == items.targets.index(scope)
        order = np.argsort(-p[mine].max(axis=1), kind="stable")
        found["aurc"] = Figure(float((np.cumsum(~right[mine][order]) / np.arange(1, len(order) + 1)).mean()))
    return out


def _moved(name: str, value: float, drawn: NDArray[np.float64], clusters: int) -> Figure:
    low, high = interval(drawn, clusters)
    bias = float(drawn.mean()) - value if name in _BIASED else 0.0
    return Figure(value, max(low - bias, 0.0), high - bias) if bias else Figure(value, low, high)


def _sums(items: Items, p: NDArray[np.float64], right: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return what calibration is made of, added up within documents, shape ``(clusters, targets, columns)``.

    Columns are count, hits and summed probability per bin, of the top label first and then of each label; squared
    error and log loss come last.
    """
    n, k = p.shape
    truth, ones = np.eye(k)[items.gold], np.ones(n)
    confidence = p.max(axis=1)
    found: list[tuple[NDArray[np.int64], int, NDArray[Any]]]
    found = [(_place(confidence), _BINS, w) for w in (ones, right, confidence)]
    found += [(_place(p[:, j]), _BINS, w) for j in range(k) for w in (ones, truth[:, j], p[:, j])]
    losses = ((p - truth) ** 2).sum(axis=1), -np.log(np.maximum(p[np.arange(n), items.gold], 1e-12))
    found += [(np.zeros(n, dtype=np.int64), 1, w) for w in losses]
    targets = len(items.targets)
    parts = [
        sum_by_cluster(items.cluster, items.clusters, items.target * width + place, targets * width, w)
        for place, width, w in found
    ]
    return np.concatenate([part.reshape(items.clusters, targets, -1) for part in parts], axis=2)


def _parts(
    grid: NDArray[np.float64], squares: NDArray[np.float64], logs: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Return calibration errors and the parts of the Brier score from sums of shape ``(draws, 1 + k, 3, bins)``.

    The middle axis holds the top label first, then each label; the next one count, hits and summed probability.
    """
    count, hits, mass = grid[:, :, 0], grid[:, :, 1], grid[:, :, 2]
    total = count[:, :1].sum(axis=2)
    safe = np.maximum(count, 1)
    gap = np.abs(mass - hits) / safe
    weight = count / np.maximum(total, 1)[:, :, None]
    base = (hits[:, 1:].sum(axis=2) / np.maximum(total, 1))[:, :, None]
    reliability = (weight * gap**2)[:, 1:].sum(axis=(1, 2))
    resolution = (weight[:, 1:] * ((hits / safe)[:, 1:] - base) ** 2 * (count[:, 1:] > 0)).sum(axis=(1, 2))
    uncertainty = (base * (1 - base)).sum(axis=(1, 2))
    n = np.maximum(total[:, 0], 1)
    return {
        "ece": (weight * gap)[:, 0].sum(axis=1),
        "mce": (gap * (count > 0))[:, 0].max(axis=1),
        "brier": squares / n,
        "reliability": reliability,
        "resolution": resolution,
        "uncertainty": uncertainty,
        "within_bins": squares / n - reliability + resolution - uncertainty,
        "log_loss": logs / n,
    }


def _bins(
    items: Items, confidence: NDArray[np.float64], right: NDArray[np.bool_], draws: ClusterDraws
) -> tuple[Bin, ...]:
    place = _place(confidence)
    counts = sum_by_cluster(items.cluster, items.clusters, place, _BINS, np.ones(len(items)))
    hits = sum_by_cluster(items.cluster, items.clusters, place, _BINS, right)
    shares = draws.figures(np.stack([counts, hits], axis=1), _shares)["share"]
    out = []
    for b in range(_BINS):
        mine = place == b
        if mine.any():
            figure = Figure(float(right[mine].mean()), *interval(shares[:, b], items.clusters))
            mean = float(confidence[mine].mean())
            out.append(Bin(b / _BINS, (b + 1) / _BINS, int(mine.sum()), mean, figure))
    return tuple(out)


def _shares(totals: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Return parts over wholes from sums of shape ``(draws, 2, …)``: wholes first."""
    whole, part = totals[:, 0], totals[:, 1]
    return {"share": np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)}


def _share(items: Items, part: NDArray[np.bool_], whole: NDArray[np.bool_], draws: ClusterDraws) -> Figure:
    if not whole.any():
        return Figure(math.nan)
    zero = np.zeros(len(items), dtype=np.int64)
    sums = [sum_by_cluster(items.cluster, items.clusters, zero, 1, w) for w in (whole, part & whole)]
    drawn = draws.figures(np.stack(sums, axis=1), _shares)["share"][:, 0]
    return Figure(float(part[whole].mean()), *interval(drawn, items.clusters))


def _risk_coverage(
    items: Items,
    confidence: NDArray[np.float64],
    right: NDArray[np.bool_],
    asked: NDArray[np.bool_],
    draws: ClusterDraws,
) -> tuple[tuple[float, float, float, float], ...]:
    """Return ``(coverage, risk, low, high)`` of the asked items, the surest of them answered first."""
    confidence, right, cluster = confidence[asked], right[asked], items.cluster[asked]
    n = len(right)
    order = np.argsort(-confidence, kind="stable")
    level = np.empty(n, dtype=np.int64)
    level[order] = np.arange(n) * _CURVE // n
    sums = [sum_by_cluster(cluster, items.clusters, level, _CURVE, w) for w in (np.ones(n), ~right)]

    def compute(totals: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        return _shares(np.cumsum(totals, axis=2))

    drawn = draws.figures(np.stack(sums, axis=1), compute)["share"]
    wrong = np.cumsum(~right[order])
    curve = []
    for step in np.unique(level):
        last = int(np.searchsorted(level[order], step, side="right")) - 1
        seen = last + 1
        curve.append((seen / n, float(wrong[last] / seen), *interval(drawn[:, step], items.clusters)))
    return tuple(curve)


def _offered(
    items: Items, confidence: NDArray[np.float64], right: NDArray[np.bool_], draws: ClusterDraws
) -> dict[float, Abstention | None]:
    """Return the widest coverage at which each of `_RISKS` is kept on these items."""
    order = np.argsort(-confidence, kind="stable")
    wrong, seen = np.cumsum(~right[order]), np.arange(1, len(items) + 1)
    ends = np.r_[np.flatnonzero(np.diff(confidence[order])), len(items) - 1]  # equal confidences stay together
    offered: dict[float, Abstention | None] = {}
    for bound in _RISKS:
        fits = ends[wrong[ends] / seen[ends] <= bound]
        if not len(fits):
            offered[bound] = None
            continue
        threshold = float(confidence[order][fits[-1]])
        kept = confidence >= threshold
        offered[bound] = Abstention(threshold, float(kept.mean()), _share(items, ~right, kept, draws), bound)
    return offered
