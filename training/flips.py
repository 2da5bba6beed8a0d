"""Whether the model reads the sentence or the country's reputation.

Countries are exchanged in statements (`training.counterfactual`); the labels must go with them. Beside it, how
often the model sees a stance toward each target where readers see none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from stance.learning import Example
from stance.model import StanceClassifier
from stance.schema import LABELS
from stance.statistics import clustered_interval, confusion_by_cluster
from training.corpora.country_stance import TARGETS
from training.counterfactual import swap_countries, swappable

__all__ = ["Flips", "false_sides", "flip_consistency", "swapped_pairs"]


@dataclass(frozen=True)
class Flips:
    """How far labels follow exchanged countries.

    Parameters
    ----------
    statements, swaps
        Statements that could be exchanged, and exchanged versions of them.
    consistent
        Share of the exchanged targets that are addressed (by either prediction) whose label went with the exchange,
        with its 95 % interval clustered by document.
    all_targets
        The same share over all four targets, addressed or not, exchanged or not.
    """

    statements: int
    swaps: int
    consistent: tuple[float, float, float]
    all_targets: tuple[float, float, float]


def swapped_pairs(examples: Sequence[Example]) -> list[tuple[int, tuple[int, ...], Example]]:
    """Return every sensible exchange of two countries: index of the example, order, exchanged example."""
    found = []
    for i, example in enumerate(examples):
        for a, b in combinations(range(len(TARGETS)), 2):
            order = list(range(len(TARGETS)))
            order[a], order[b] = b, a
            if swappable(example, TARGETS, tuple(order)):
                found.append((i, tuple(order), swap_countries(example, TARGETS, tuple(order))))
    return found


def flip_consistency(classifier: StanceClassifier, examples: Sequence[Example]) -> Flips:
    """Exchange two countries at a time wherever that makes sense and compare the labels.

    Parameters
    ----------
    classifier
        The model.
    examples
        Statements with gold labels toward the default targets (gold decides only what can be exchanged).
    """
    pairs = swapped_pairs(examples)
    used = sorted({i for i, _, _ in pairs})
    place = {i: row for row, i in enumerate(used)}
    first, _ = classifier.predict_proba([examples[i].statement for i in used], TARGETS)
    second, _ = classifier.predict_proba([e.statement for _, _, e in pairs], TARGETS)
    before, after = first.argmax(-1), second.argmax(-1)
    silent = LABELS.index("not_addressed")
    documents = [examples[i].document or examples[i].statement.id for i in used]
    _, cluster = np.unique(documents, return_inverse=True)
    counts = np.zeros((cluster.max() + 1, 2, 2), dtype=np.int64)  # addressed and exchanged | all, consistent | asked
    for (i, order, _), swapped in zip(pairs, after, strict=True):
        original = before[place[i]]
        for target, other in enumerate(order):
            same = int(original[target] == swapped[other])
            counted = int(target != other and (original[target] != silent or swapped[other] != silent))
            counts[cluster[place[i]]] += np.array([[same * counted, counted], [same, 1]])

    def share(which: int) -> tuple[float, float, float]:
        def figure(sums: NDArray[np.int64]) -> NDArray[np.float64]:
            return np.asarray(sums[..., which, 0] / np.maximum(sums[..., which, 1], 1))

        return (float(figure(counts.sum(axis=0))), *clustered_interval(counts, figure))

    return Flips(len(used), len(pairs), share(0), share(1))


def false_sides(
    gold: NDArray[np.int64], predicted: NDArray[np.int64], clusters: Sequence[object]
) -> dict[str, tuple[float, float, float]]:
    """Return how often ``against`` and ``favor`` are predicted where the reader saw neither.

    The rates among gold ``neutral`` are of pairs that address the target; those among ``neutral`` and
    ``not_addressed`` are lower the rarer a target is addressed.

    Parameters
    ----------
    gold, predicted
        Label ids in the order of `stance.schema.LABELS`, shape ``(n,)``.
    clusters
        Document of each item, length ``n``.

    Returns
    -------
    dict
        Rate, low and high end of its 95 % interval over whole documents; NaN where no document has such a label.
    """
    counts = confusion_by_cluster(gold, predicted, clusters, len(LABELS))
    neutral, silent = LABELS.index("neutral"), LABELS.index("not_addressed")
    found = {}
    for name, quiet in (("neutral", [neutral]), ("neutral or not_addressed", [neutral, silent])):
        among = counts[:, quiet].sum(axis=1)
        for side in ("against", "favor"):
            parts = np.stack([among[:, LABELS.index(side)], among.sum(axis=1)], axis=1)
            found[f"{side} of {name}"] = _rate(parts)
    return found


def _rate(counts: NDArray[np.int64]) -> tuple[float, float, float]:
    """Return a share with its interval from counts of part and whole, shape ``(documents, 2)``."""
    counts = counts[counts[:, 1] > 0]
    if not len(counts):
        return (float("nan"),) * 3

    def share(sums: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.asarray(sums[..., 0] / sums[..., 1])

    return (float(share(counts.sum(axis=0))), *clustered_interval(counts, share))
