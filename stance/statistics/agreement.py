"""Agreement of annotators: Krippendorff's alpha, Cohen's and Fleiss' kappa, with clustered bootstrap intervals.

Ratings are an integer array ``codes`` of shape ``(units, annotators)``: the label's number, or -1 where an annotator
did not label the unit. Every figure here is a function of sums over units, so whole clusters (documents) can be drawn
with replacement at little cost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stance.statistics.resampling import cluster_draws, interval

__all__ = [
    "Estimate",
    "Level",
    "cohen_kappa",
    "fleiss_kappa",
    "krippendorff_alpha",
    "one_against_rest",
    "unit_disagreement",
]

Level = Literal["nominal", "ordinal"]
_Floats = NDArray[np.float64]
_Figure = Callable[[_Floats], _Floats]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its interval.

    Parameters
    ----------
    value
        The figure; ``nan`` where it is undefined (nobody labelled a unit twice, or only one label occurs).
    low, high
        Limits of the bootstrap interval over clusters, widened where they are few; ``nan`` where it is undefined.
    units
        Units that at least two annotators labelled.
    """

    value: float
    low: float
    high: float
    units: int


def krippendorff_alpha(
    codes: NDArray[np.int64],
    labels: int,
    *,
    level: Level = "nominal",
    clusters: Sequence[object] | None = None,
    resamples: int = 1_000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Return Krippendorff's alpha: 1 minus observed over expected disagreement; missing ratings are allowed.

    Krippendorff 2019, "Content Analysis", 4th ed., ch. 12: with the coincidence matrix ``o`` (each unit adds each of
    its ordered pairs of ratings with weight ``1 / (ratings - 1)``), its margins ``n_c`` and total ``n``,
    ``alpha = 1 - (n - 1) * sum(o * d2) / sum(n_c * n_k * d2)``. The difference ``d2`` is 1 for unlike labels at the
    nominal level and ``(sum(n_c..n_k) - (n_c + n_k) / 2) ** 2`` at the ordinal.

    Parameters
    ----------
    codes
        Ratings, shape ``(units, annotators)``, -1 where missing.
    labels
        Number of labels ``k``; at the ordinal level their numbers are their ranks.
    level
        ``nominal`` or ``ordinal``.
    clusters
        Cluster of each unit, drawn together; each unit by itself if not given.
    resamples
        Number of bootstrap draws.
    confidence
        Coverage aimed at.
    seed
        Seed of the draws.
    """
    counts = _counts(codes, labels)
    ratings = counts.sum(axis=1)
    paired = ratings > 1
    pairs = counts[:, :, None] * counts[:, None, :]
    pairs -= counts[:, :, None] * np.eye(labels)
    per_unit = np.where(paired[:, None, None], pairs / np.maximum(ratings - 1, 1)[:, None, None], 0.0)

    def figure(sums: _Floats) -> _Floats:
        return _alpha(sums, level)

    return _estimate(per_unit, figure, clusters, int(paired.sum()), resamples, confidence, seed)


def cohen_kappa(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    labels: int,
    *,
    clusters: Sequence[object] | None = None,
    resamples: int = 1_000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Return Cohen's kappa of two annotators over the units both labelled.

    Cohen 1960, "A coefficient of agreement for nominal scales", Educ. Psychol. Meas. 20(1):
    ``(p_o - p_e) / (1 - p_e)`` with ``p_e`` from each annotator's own shares. Parameters as for
    `krippendorff_alpha`; `first` and `second` have shape ``(units,)``.
    """
    both = (first >= 0) & (second >= 0)
    per_unit = np.zeros((len(first), labels, labels))
    where = np.flatnonzero(both)
    per_unit[where, first[where], second[where]] = 1.0

    def figure(sums: _Floats) -> _Floats:
        total = sums.sum(axis=(-2, -1))
        observed = _ratio(np.trace(sums, axis1=-2, axis2=-1), total)
        expected = _ratio((sums.sum(axis=-1) * sums.sum(axis=-2)).sum(axis=-1), total**2)
        return _ratio(observed - expected, 1 - expected)

    return _estimate(per_unit, figure, clusters, int(both.sum()), resamples, confidence, seed)


def fleiss_kappa(
    codes: NDArray[np.int64],
    labels: int,
    *,
    clusters: Sequence[object] | None = None,
    resamples: int = 1_000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Return Fleiss' kappa over the units with at least two ratings; their number may differ between units.

    Fleiss 1971, "Measuring nominal scale agreement among many raters", Psychol. Bull. 76(5); for units with unlike
    numbers of ratings, as in Fleiss, Levin & Paik 2003, ch. 18: the mean share of agreeing pairs per unit, corrected
    by the squared shares of the labels in all ratings. Parameters as for `krippendorff_alpha`.
    """
    counts = _counts(codes, labels)
    ratings = counts.sum(axis=1)
    paired = ratings > 1
    agreeing = (counts * (counts - 1)).sum(axis=1) / np.maximum(ratings * (ratings - 1), 1)
    per_unit = np.column_stack([paired, np.where(paired, agreeing, 0), np.where(paired[:, None], counts, 0)])

    def figure(sums: _Floats) -> _Floats:
        observed = _ratio(sums[..., 1], sums[..., 0])
        shares = _ratio(sums[..., 2:], sums[..., 2:].sum(axis=-1, keepdims=True))
        expected = (shares**2).sum(axis=-1)
        return _ratio(observed - expected, 1 - expected)

    return _estimate(per_unit.astype(np.float64), figure, clusters, int(paired.sum()), resamples, confidence, seed)


def one_against_rest(codes: NDArray[np.int64], label: int) -> NDArray[np.int64]:
    """Return ratings with 1 for one label, 0 for any other and -1 where missing, for agreement on that label."""
    return np.where(codes < 0, -1, (codes == label).astype(np.int64))


def unit_disagreement(codes: NDArray[np.int64], labels: int) -> _Floats:
    """Return the share of unlike pairs among the ratings of each unit, shape ``(units,)``; 0 under two ratings."""
    counts = _counts(codes, labels)
    ratings = counts.sum(axis=1)
    like = (counts * (counts - 1)).sum(axis=1)
    return np.where(ratings > 1, 1 - like / np.maximum(ratings * (ratings - 1), 1), 0.0)


def _counts(codes: NDArray[np.int64], labels: int) -> _Floats:
    if codes.ndim != 2 or (codes.size and (codes.min() < -1 or codes.max() >= labels)):
        raise ValueError(f"codes must be of shape (units, annotators) with values from -1 to {labels - 1}")
    return np.stack([(codes == label).sum(axis=1) for label in range(labels)], axis=1).astype(np.float64)


def _alpha(sums: _Floats, level: Level) -> _Floats:
    margins = sums.sum(axis=-1)
    total = margins.sum(axis=-1)
    difference = _ordinal(margins) if level == "ordinal" else np.broadcast_to(1 - np.eye(sums.shape[-1]), sums.shape)
    observed = (sums * difference).sum(axis=(-2, -1))
    expected = (margins[..., :, None] * margins[..., None, :] * difference).sum(axis=(-2, -1))
    return 1 - _ratio((total - 1) * observed, expected)


def _ordinal(margins: _Floats) -> _Floats:
    """Return squared ordinal differences; the ratings between two labels, counting half of either's own."""
    middle = np.cumsum(margins, axis=-1) - margins / 2
    return np.asarray((middle[..., :, None] - middle[..., None, :]) ** 2)


def _ratio(above: _Floats, below: _Floats) -> _Floats:
    """Divide; ``nan`` where the divisor is 0 within rounding."""
    safe = np.abs(below) > 1e-12
    return np.where(safe, above / np.where(safe, below, 1.0), np.nan)


def _estimate(
    per_unit: _Floats,
    figure: _Figure,
    clusters: Sequence[object] | None,
    units: int,
    resamples: int,
    confidence: float,
    seed: int,
) -> Estimate:
    """Evaluate a figure on the sum over units and on sums over clusters drawn with replacement.

    Draws on which the figure is undefined (one label only) do not count; the interval is undefined where they are
    more than half.
    """
    if not units:
        return Estimate(float("nan"), float("nan"), float("nan"), 0)
    value = float(figure(per_unit.sum(axis=0)))
    shape = per_unit.shape[1:]
    flat = _by_cluster(per_unit.reshape(len(per_unit), -1), clusters)
    flat = flat[flat.any(axis=1)]  # clusters that add nothing change no draw's figure, only its size
    drawn = cluster_draws(flat, draws=resamples, rng=np.random.default_rng(seed))
    values = figure(drawn.reshape(resamples, *shape))
    values = values[np.isfinite(values)]
    if len(values) < resamples / 2:
        return Estimate(value, float("nan"), float("nan"), units)
    return Estimate(value, *interval(values, len(flat), confidence), units)


def _by_cluster(flat: _Floats, clusters: Sequence[object] | None) -> _Floats:
    if clusters is None:
        return flat
    if len(clusters) != len(flat):
        raise ValueError(f"{len(clusters)} clusters for {len(flat)} units")
    names, index = np.unique(np.array([str(c) for c in clusters]), return_inverse=True)
    sums = np.zeros((len(names), flat.shape[1]))
    np.add.at(sums, index, flat)
    return sums
