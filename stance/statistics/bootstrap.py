"""Bootstrap intervals over clusters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.statistics.resampling import cluster_draws, interval
from stance.statistics.spread import percentile_interval

__all__ = ["clustered_interval", "confusion_by_cluster", "f1_per_label"]


def confusion_by_cluster(
    gold: NDArray[np.int64], predicted: NDArray[np.int64], clusters: Sequence[object], labels: int
) -> NDArray[np.int64]:
    """Count gold × predicted labels within each cluster.

    Parameters
    ----------
    gold, predicted
        Label ids, shape ``(n,)``.
    clusters
        Cluster of each item, length ``n``.
    labels
        Number of labels ``k``.

    Returns
    -------
    array of shape (clusters, k, k)
    """
    _, index = np.unique(np.array([str(c) for c in clusters]), return_inverse=True)
    counts = np.zeros((index.max() + 1, labels, labels), dtype=np.int64)
    np.add.at(counts, (index, gold, predicted), 1)
    return counts


def f1_per_label(confusion: NDArray[np.floating] | NDArray[np.integer]) -> NDArray[np.float64]:
    """Return F1 of each label from confusion matrices of shape ``(…, k, k)``; 0 where a label never occurs."""
    hits = np.diagonal(confusion, axis1=-2, axis2=-1).astype(np.float64)
    total = confusion.sum(axis=-1) + confusion.sum(axis=-2)
    return np.asarray(np.divide(2 * hits, total, out=np.zeros_like(hits), where=total > 0))


def clustered_interval(
    counts: NDArray[np.int64],
    figure: Callable[[NDArray[Any]], NDArray[np.float64]],
    *,
    resamples: int = 10_000,
    level: float = 0.95,
    seed: int = 0,
    few: bool = False,
) -> tuple[float, float]:
    """Return the percentile interval of a figure when whole clusters are drawn with replacement; see `cluster_draws`.

    Parameters
    ----------
    counts
        What is added up over clusters, shape ``(clusters, …)``.
    figure
        Computes the figure from sums of shape ``(resamples, …)``; returns shape ``(resamples,)``.
    resamples
        Number of draws.
    level
        Coverage aimed at.
    seed
        Seed of the draws.
    few
        Whether to widen it for few clusters (`stance.statistics.resampling.interval`).
    """
    drawn = cluster_draws(counts.reshape(len(counts), -1), draws=resamples, rng=np.random.default_rng(seed))
    values = figure(drawn.reshape(resamples, *counts.shape[1:]))
    if few:
        return interval(values, len(counts), level)
    low, high = percentile_interval(values, level)
    return float(low), float(high)
