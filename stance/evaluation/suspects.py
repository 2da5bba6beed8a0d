"""Items to read: the most confident mistakes, and labels that may be wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stance.evaluation.items import Items, Predictions
from stance.statistics.confident import confident_labels, label_issues

__all__ = ["Suspect", "confident_mistakes", "label_suspects"]


@dataclass(frozen=True, slots=True)
class Suspect:
    """An item whose given label may be wrong.

    Parameters
    ----------
    item
        Its number.
    suggested
        Label id the model is more at home with.
    margin
        Probability of the suggested label minus that of the given one.
    """

    item: int
    suggested: int
    margin: float


def confident_mistakes(items: Items, predictions: Predictions, most: int = 20) -> list[int]:
    """Return the wrong items, the most confident first; in the order of the corpus without probabilities."""
    wrong = np.flatnonzero(predictions.predicted != items.gold)
    if predictions.probabilities is not None:
        wrong = wrong[np.argsort(-predictions.probabilities[wrong].max(axis=1), kind="stable")]
    return [int(i) for i in wrong[:most]]


def label_suspects(items: Items, predictions: Predictions, most: int = 20) -> tuple[list[Suspect], int]:
    """Return suspected label errors by confident learning, the largest margin first, and how many there are.

    An item counts as one of label j with confidence if its probability of j reaches the mean probability of j among
    items given j; of several such labels the likeliest counts. Where it is not the given label, the item is suspected
    (`stance.statistics.confident.label_issues`). Done for each target apart.
    The model must not have been trained on the items.
    """
    p = predictions.probabilities
    if p is None:
        return [], 0
    found: list[Suspect] = []
    for t in range(len(items.targets)):
        mine = np.flatnonzero(items.target == t)
        if len(mine):
            found += _of_target(p[mine], items.gold[mine], mine)
    found.sort(key=lambda s: (-s.margin, s.item))
    return found[:most], len(found)


def _of_target(p: NDArray[np.float64], gold: NDArray[np.int64], places: NDArray[np.int64]) -> list[Suspect]:
    likely = confident_labels(gold, p)
    off = label_issues(gold, p)
    return [Suspect(int(places[i]), int(likely[i]), float(p[i, likely[i]] - p[i, gold[i]])) for i in off]
