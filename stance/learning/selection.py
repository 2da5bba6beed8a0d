"""What to label next: orders of a pool of statements, the one most worth labelling first.

Each strategy is a function of plain arrays, so any model can feed it. Probabilities have the shape
``(statements, targets, labels)``: a statement is labelled as a whole, so its targets' scores are averaged.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "balance_scores",
    "core_set_order",
    "disagreement_scores",
    "order_by_score",
    "random_order",
    "uncertainty_scores",
]

_Floats = NDArray[np.float64]
_Order = NDArray[np.int64]


def random_order(count: int, seed: int = 0) -> _Order:
    """Return a random permutation of ``range(count)``."""
    return np.random.default_rng(seed).permutation(count)


def order_by_score(scores: _Floats, seed: int = 0) -> _Order:
    """Return positions by falling score, ties in random order."""
    return np.lexsort((np.random.default_rng(seed).random(len(scores)), -scores))


def uncertainty_scores(probabilities: _Floats) -> _Floats:
    """Return the entropy of the labels, mean over the targets, in nats, shape ``(statements,)``.

    Settles 2012, "Active Learning", section 2.3.
    """
    return np.asarray(_entropy(probabilities).mean(axis=1))


def disagreement_scores(members: _Floats) -> _Floats:
    """Return how far the members of an ensemble disagree: the mutual information of label and member.

    Houlsby, Huszár, Ghahramani & Lengyel 2011, "Bayesian active learning for classification and preference learning",
    arXiv:1112.5745: entropy of the mean minus mean of the entropies, mean over the targets.

    Parameters
    ----------
    members
        Probabilities of each member, shape ``(members, statements, targets, labels)``.
    """
    gain = _entropy(members.mean(axis=0)) - _entropy(members).mean(axis=0)
    return np.asarray(gain.mean(axis=1))


def balance_scores(probabilities: _Floats, given: NDArray[np.int64]) -> _Floats:
    """Return the expected rarity of a statement's labels: those seldom given so far count most.

    Each label weighs the inverse of its smoothed share among the labels given for its target, so the score is high
    where the model expects a rare label. A model expects none of a label that it has never seen: until it is given for
    the first time, it is looked for where the model doubts, and takes the share of the expectation that the normalised
    entropy says. Mean over the targets, shape ``(statements,)``.

    Parameters
    ----------
    probabilities
        Shape ``(statements, targets, labels)``.
    given
        How often each label was given so far, shape ``(targets, labels)``.
    """
    smoothed = given + 1.0
    weights = smoothed.sum(axis=1, keepdims=True) / (smoothed * smoothed.shape[1])
    unseen = given == 0
    share = unseen / np.maximum(unseen.sum(axis=1, keepdims=True), 1)
    doubt = (_entropy(probabilities) / np.log(probabilities.shape[2]))[..., None] * unseen.any(axis=1)[:, None]
    expected = (1 - doubt) * probabilities + doubt * share
    return np.asarray((expected * weights).sum(axis=2).mean(axis=1))


def core_set_order(vectors: _Floats, labelled: _Floats | None = None, *, count: int | None = None) -> _Order:
    """Return the greedy k-centre order: each next one is the farthest from all before it.

    Sener & Savarese 2018, "Active learning for convolutional neural networks: a core-set approach", ICLR,
    arXiv:1708.00489, algorithm 1; Euclidean distance.

    Parameters
    ----------
    vectors
        Embeddings of the pool, shape ``(statements, width)``.
    labelled
        Embeddings of what is labelled already; the order starts at the pool's most central one if not given.
    count
        How many to order by distance; the rest follow in the order of the pool. All if not given.
    """
    n = len(vectors)
    limit = n if count is None else min(count, n)
    square = (vectors**2).sum(axis=1)

    def distances(center: _Floats) -> _Floats:
        return np.asarray(np.maximum(square - 2 * vectors @ center + center @ center, 0.0))

    nearest = np.full(n, np.inf)
    for center in labelled if labelled is not None else ():
        nearest = np.minimum(nearest, distances(center))
    chosen: list[int] = []
    taken = np.zeros(n, dtype=bool)
    while len(chosen) < limit:
        start = not chosen and not np.isfinite(nearest).any()
        score = -distances(vectors.mean(axis=0)) if start else np.where(taken, -1.0, nearest)
        best = int(score.argmax())
        chosen.append(best)
        taken[best] = True
        nearest = np.minimum(nearest, distances(vectors[best]))
    return np.array([*chosen, *np.flatnonzero(~taken)], dtype=np.int64)


def _entropy(p: _Floats) -> _Floats:
    return np.asarray(-(p * np.log(np.clip(p, 1e-12, 1.0))).sum(axis=-1))
