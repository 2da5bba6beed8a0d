"""Bootstrap draws of whole clusters: the one place that draws them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import erf, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ClusterDraws", "cluster_draws", "cluster_weights", "interval", "sum_by_cluster"]

_CHUNK = 500
_LARGEST_STORE = 300_000_000
"""Bytes of weights kept; over that they are drawn anew for each use, from the same seed."""


def cluster_weights(clusters: int, resamples: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Yield how often each cluster is drawn when as many are drawn with replacement as there are.

    Field & Welsh 2007, "Bootstrapping clustered data", J. R. Statist. Soc. B 69(3).

    Parameters
    ----------
    clusters
        Number of clusters.
    resamples
        Number of draws.
    rng
        Source of the draws.

    Yields
    ------
    array of shape (draws, clusters)
        Blocks of draws, `resamples` in all.
    """
    shares = np.full(clusters, 1 / clusters)
    for start in range(0, resamples, _CHUNK):
        yield rng.multinomial(clusters, shares, size=min(_CHUNK, resamples - start))


def cluster_draws(
    counts: NDArray[np.floating | np.integer], *, draws: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return sums over clusters when whole clusters are drawn with replacement; see `cluster_weights`.

    Parameters
    ----------
    counts
        What is added up, shape ``(clusters, columns)``.
    draws
        Number of draws.
    rng
        Source of the draws.

    Returns
    -------
    array of shape (draws, columns)
    """
    counts = np.asarray(counts, dtype=np.float64)
    return np.concatenate([w.astype(np.float64) @ counts for w in cluster_weights(len(counts), draws, rng)])


class ClusterDraws:
    """Draws of clusters that every figure of a report shares, so that all of them are paired; see `cluster_weights`.

    Parameters
    ----------
    clusters
        Number of clusters.
    resamples
        Number of draws.
    seed
        Seed of the draws.
    """

    def __init__(self, clusters: int, *, resamples: int = 10_000, seed: int = 0) -> None:
        self.clusters = clusters
        self.resamples = resamples
        self._seed = seed
        self._stored: list[NDArray[np.uint8]] = []

    def weights(self) -> Iterator[NDArray[np.float32]]:
        """Yield how often each cluster was drawn, in blocks of shape ``(draws, clusters)``."""
        if not self._stored and self.clusters * self.resamples <= _LARGEST_STORE:
            self._stored = list(self._draw())
        for block in self._stored or self._draw():
            yield block.astype(np.float32)

    def _draw(self) -> Iterator[NDArray[np.uint8]]:
        for weights in cluster_weights(self.clusters, self.resamples, np.random.default_rng(self._seed)):
            yield np.minimum(weights, 255).astype(np.uint8)

    def figures(
        self, sums: NDArray[np.floating], compute: Callable[[NDArray[np.float64]], Mapping[str, NDArray[np.float64]]]
    ) -> dict[str, NDArray[np.float64]]:
        """Return the value of each figure in each draw.

        Parameters
        ----------
        sums
            What is added up over clusters, shape ``(clusters, …)``.
        compute
            From sums of shape ``(draws, …)`` to figures of shape ``(draws, …)`` by name.

        Returns
        -------
        dict of arrays of shape (resamples, …)
        """
        flat = np.ascontiguousarray(sums.reshape(self.clusters, -1), dtype=np.float32)
        parts: dict[str, list[NDArray[np.float64]]] = {}
        for weights in self.weights():
            totals = (weights @ flat).astype(np.float64).reshape(len(weights), *sums.shape[1:])
            for name, value in compute(totals).items():
                parts.setdefault(name, []).append(value)
        return {name: np.concatenate(values) for name, values in parts.items()}


def interval(values: NDArray[np.float64], clusters: int, level: float = 0.95) -> tuple[float, float]:
    """Return the expanded percentile interval of drawn values, ``nan`` where there are fewer than two clusters.

    Percentiles of few clusters are too narrow; the tails are widened to those of Student's t with ``clusters - 1``
    degrees of freedom (Hesterberg 2015, "What teachers should know about the bootstrap", The American
    Statistician 69(4), section 4.3).

    Parameters
    ----------
    values
        Shape ``(resamples,)``; draws in which the figure is undefined are ``nan`` and left out.
    clusters
        Number of clusters the draws were taken from.
    level
        Coverage aimed at.
    """
    values = values[~np.isnan(values)]
    if clusters < 2 or not len(values):
        return float("nan"), float("nan")
    from scipy.stats import t

    reach = sqrt(clusters / (clusters - 1)) * float(t.ppf(0.5 + level / 2, clusters - 1))
    tail = 0.5 * (1 - erf(reach / sqrt(2)))
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)


def sum_by_cluster(
    clusters: NDArray[np.int64], count: int, columns: NDArray[np.int64], width: int, values: NDArray[Any]
) -> NDArray[np.float64]:
    """Add values up within clusters and columns.

    Parameters
    ----------
    clusters, columns, values
        Cluster, column and value of each item, shape ``(n,)``.
    count, width
        Number of clusters and of columns.

    Returns
    -------
    array of shape (count, width)
    """
    found = np.bincount(clusters * width + columns, weights=values, minlength=count * width)
    return np.asarray(found.reshape(count, width), dtype=np.float64)
