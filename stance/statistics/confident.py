"""Confident learning: which given labels a model, asked out of sample, contradicts with confidence."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["confident_joint", "confident_labels", "label_issues"]


def _thresholds(given: NDArray[np.int64], probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean probability of each label where it was given; 2 where it never was, which nothing reaches."""
    k = probabilities.shape[1]
    return np.array([probabilities[given == j, j].mean() if (given == j).any() else 2.0 for j in range(k)])


def confident_labels(given: NDArray[np.int64], probabilities: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the label each example is confidently of, shape ``(n,)``, -1 where there is none.

    Parameters as for `confident_joint`.
    """
    over = probabilities >= _thresholds(given, probabilities) - 1e-9
    best = np.where(over, probabilities, -1.0).argmax(axis=1)
    return np.where(over.any(axis=1), best, -1)


def confident_joint(given: NDArray[np.int64], probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the estimated joint distribution of given label and true label, shape ``(labels, labels)``.

    Northcutt, Jiang & Chuang 2021, "Confident learning: estimating uncertainty in dataset labels", J. Artif. Intell.
    Res. 70, equations 1 to 3: an example counts as of the most probable label among those whose probability reaches
    the mean it has where that label was given; counts are scaled to the given labels' shares.

    Parameters
    ----------
    given
        Given labels, shape ``(n,)``.
    probabilities
        Probabilities from a model that did not train on the example, shape ``(n, labels)``.
    """
    k = probabilities.shape[1]
    found = confident_labels(given, probabilities)
    sure = found >= 0
    counts = np.zeros((k, k))
    np.add.at(counts, (given[sure], found[sure]), 1)
    totals = np.bincount(given, minlength=k).astype(np.float64)
    rows = counts.sum(axis=1)
    empty = rows == 0
    counts[empty] = np.diag(totals)[empty]
    scaled = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1e-12) * totals[:, None]
    return np.asarray(scaled / max(scaled.sum(), 1e-12))


def label_issues(given: NDArray[np.int64], probabilities: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the positions of examples that are confidently of another label, the least self-confident first.

    The off-diagonal of the confident joint ("confusion" pruning of the same article), shape ``(issues,)``. Parameters
    as for `confident_joint`.
    """
    found = confident_labels(given, probabilities)
    wrong = np.flatnonzero((found >= 0) & (found != given))
    own = probabilities[wrong, given[wrong]]
    return wrong[np.argsort(own, kind="stable")]
