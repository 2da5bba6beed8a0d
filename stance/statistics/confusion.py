"""Figures of classification from confusion matrices, for any number of matrices at once.

Every function takes counts of shape ``(…, k, k)`` (gold × predicted) and returns ``nan`` where the figure is
undefined. Definitions are those of scikit-learn.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["accuracy", "kappa", "matthews", "mean_of", "ordinal_error", "per_label"]

_Floats = NDArray[np.float64]


def _ratio(above: _Floats, below: _Floats) -> _Floats:
    return np.asarray(np.divide(above, below, out=np.full(np.shape(above), np.nan), where=below > 0))


def per_label(counts: _Floats) -> tuple[_Floats, _Floats, _Floats]:
    """Return precision, recall and F1 of each label, each of shape ``(…, k)``.

    Precision is undefined where nothing was predicted, recall where gold has none, F1 where neither occurs.
    """
    hits = np.diagonal(counts, axis1=-2, axis2=-1).astype(np.float64)
    gold, predicted = counts.sum(axis=-1), counts.sum(axis=-2)
    return _ratio(hits, predicted), _ratio(hits, gold), _ratio(2 * hits, gold + predicted)


def mean_of(values: _Floats, labels: Sequence[int]) -> _Floats:
    """Return the mean over some labels of figures of shape ``(…, k)``, undefined ones left out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a mean of nothing is the nan we want
        return np.asarray(np.nanmean(values[..., list(labels)], axis=-1)) if len(labels) else values[..., 0] * np.nan


def accuracy(counts: _Floats) -> _Floats:
    """Return the share of hits, shape ``(…)``."""
    return _ratio(np.trace(counts, axis1=-2, axis2=-1).astype(np.float64), counts.sum(axis=(-2, -1)))


def kappa(counts: _Floats) -> _Floats:
    """Return Cohen's kappa (Cohen 1960, Educ. Psychol. Meas. 20), shape ``(…)``; nan where that of chance is total."""
    total = counts.sum(axis=(-2, -1))
    chance = _ratio((counts.sum(axis=-1) * counts.sum(axis=-2)).sum(axis=-1), total**2)
    return _ratio(accuracy(counts) - chance, 1 - chance)


def matthews(counts: _Floats) -> _Floats:
    """Return Matthews' correlation for k labels (Gorodkin 2004, Comput. Biol. Chem. 28), shape ``(…)``."""
    total = counts.sum(axis=(-2, -1)).astype(np.float64)
    gold, predicted = counts.sum(axis=-1).astype(np.float64), counts.sum(axis=-2).astype(np.float64)
    hits = np.trace(counts, axis1=-2, axis2=-1)
    above = hits * total - (gold * predicted).sum(axis=-1)
    below = np.sqrt((total**2 - (gold**2).sum(axis=-1)) * (total**2 - (predicted**2).sum(axis=-1)))
    return _ratio(above, below)


def ordinal_error(counts: _Floats, scale: Sequence[int]) -> _Floats:
    """Return the mean distance in steps where gold and prediction both lie on a scale of labels.

    Parameters
    ----------
    counts
        Shape ``(…, k, k)``.
    scale
        Label ids in the order of the scale.
    """
    part = counts[..., list(scale), :][..., list(scale)]
    steps = np.arange(len(scale))
    distance = np.abs(steps[:, None] - steps)
    return _ratio((part * distance).sum(axis=(-2, -1)).astype(np.float64), part.sum(axis=(-2, -1)))
