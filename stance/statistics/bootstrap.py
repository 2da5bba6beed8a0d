"""Bootstrap intervals over clusters."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

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
    figure: Callable[[NDArray[np.int64]], NDArray[np.float64]],
    *,
    resamples: int = 10_000,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the percentile interval of a figure when whole clusters are drawn with replacement.

    Field & Welsh 2007, "Bootstrapping clustered data", J. R. Statist. Soc. B 69(3).

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
    """
    rng = np.random.default_rng(seed)
    n = len(counts)
    flat = counts.reshape(n, -1)
    values = []
    for start in range(0, resamples, 500):
        size = min(500, resamples - start)
        weights = rng.multinomial(n, np.full(n, 1 / n), size=size)
        values.append(figure((weights @ flat).reshape(size, *counts.shape[1:])))
    tail = (1 - level) / 2
    low, high = np.quantile(np.concatenate(values), [tail, 1 - tail])
    return float(low), float(high)
