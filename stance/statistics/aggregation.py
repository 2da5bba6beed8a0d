"""One label from several annotators: majority, and the model of Dawid and Skene."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["DawidSkene", "dawid_skene", "majority"]

_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DawidSkene:
    """What the model of Dawid and Skene finds.

    Parameters
    ----------
    posterior
        Probability of each label for each unit, shape ``(units, labels)``.
    confusion
        Probability that an annotator gives a label (last axis) where another is true (middle axis),
        shape ``(annotators, labels, labels)``.
    prior
        Share of each true label, shape ``(labels,)``.
    iterations
        Rounds until the posterior stood still.
    """

    posterior: _Floats
    confusion: _Floats
    prior: _Floats
    iterations: int


def majority(codes: NDArray[np.int64], labels: int) -> NDArray[np.int64]:
    """Return the label most annotators gave, shape ``(units,)``; -1 on a tie or where nobody labelled.

    Parameters
    ----------
    codes
        Ratings, shape ``(units, annotators)``, -1 where missing.
    labels
        Number of labels.
    """
    counts = _votes(codes, labels).sum(axis=1)
    best = counts.max(axis=1)
    unique = (counts == best[:, None]).sum(axis=1) == 1
    return np.where(unique & (best > 0), counts.argmax(axis=1), -1)


def dawid_skene(
    codes: NDArray[np.int64], labels: int, *, smoothing: float = 0.01, iterations: int = 200, tolerance: float = 1e-6
) -> DawidSkene:
    """Estimate true labels and each annotator's confusion matrix together, by expectation maximisation.

    Dawid & Skene 1979, "Maximum likelihood estimation of observer error-rates using the EM algorithm", J. R. Statist.
    Soc. C 28(1). Starts from the shares of votes.

    Parameters
    ----------
    codes
        Ratings, shape ``(units, annotators)``, -1 where missing; each unit needs one at least.
    labels
        Number of labels.
    smoothing
        Added to each cell of the confusion counts, so that an annotator with few labels gets no certainty.
    iterations
        Most rounds.
    tolerance
        Largest change of a posterior at which it counts as standing still.

    Raises
    ------
    ValueError
        If a unit has no rating.
    """
    votes = _votes(codes, labels)
    if not len(codes) or not votes.any(axis=(1, 2)).all():
        raise ValueError("every unit needs at least one rating")
    posterior = votes.sum(axis=1)
    posterior /= posterior.sum(axis=1, keepdims=True)
    tiny = np.finfo(np.float64).tiny
    done = 0
    for done in range(1, iterations + 1):  # noqa: B007  # read after the loop
        prior = posterior.mean(axis=0)
        confusion = np.einsum("ut,ual->atl", posterior, votes) + smoothing
        confusion /= np.maximum(confusion.sum(axis=2, keepdims=True), tiny)
        log = np.log(np.maximum(prior, tiny)) + np.einsum("ual,atl->ut", votes, np.log(np.maximum(confusion, tiny)))
        log -= log.max(axis=1, keepdims=True)
        new = np.exp(log)
        new /= new.sum(axis=1, keepdims=True)
        change = float(np.abs(new - posterior).max())
        posterior = new
        if change < tolerance:
            break
    return DawidSkene(posterior, confusion, prior, done)


def _votes(codes: NDArray[np.int64], labels: int) -> _Floats:
    """Return 1 where an annotator gave a label, shape ``(units, annotators, labels)``."""
    return np.asarray(codes[:, :, None] == np.arange(labels), dtype=np.float64)
