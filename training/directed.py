"""DSE as its authors score it: one of five classes for each pair of entities, from two answers of the model.

Park, Pan & Joo 2021, "Who Blames or Endorses Whom? Entity-to-Entity Directed Sentiment Extraction in News Text",
Findings of ACL-IJCNLP. Their code (bywords/directed_sentiment_analysis, ``metrics.py``) takes the class of the highest
score and reports micro-F1, macro-F1 over the five classes, F1 of each class, and mAP: the mean over the classes of the
average precision with which a class's score ranks all pairs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from stance.model import StanceClassifier
from stance.statistics import confusion_by_cluster, f1_per_label
from training.corpora.dse import CLASSES, Pair
from training.tables import Figures, figures, shown
from training.tasks import SIDES, Task

__all__ = ["REPORTED", "as_published", "class_scores", "directed_scores", "mean_average_precision"]

REPORTED = {
    "DSE2QA (Pseudo), RoBERTa": {"validation": (0.8072, 0.6827), "test": (0.7973, 0.6766)},
    "DSE2QA (Complete), RoBERTa": {"validation": (0.7892, 0.6751), "test": (0.7726, 0.6617)},
}
"""Micro-F1 and macro-F1 of the DSE paper's model by its two forms of question, as Wen et al. 2024 quote them."""
_SOURCE = (
    "DSE2QA is the model of Park, Pan & Joo 2021; its figures are those that Wen, Hovy & Hauptmann 2024 (Transitive "
    "Consistency Constrained Learning for Entity-to-Entity Stance Detection, table 3) quote. The paper's own tables "
    "could not be read, and its mAP and F1 by class are not quoted there."
)


def class_scores(forward: NDArray[np.floating], backward: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the probability of each of the five classes, the answers in the two directions taken as independent.

    A class is a side in one direction at most (`training.corpora.dse.CLASSES`): its score is the product of what the
    two answers give to its two sides. Sides in both directions are no class of DSE, so the five products are divided
    by their sum.

    Parameters
    ----------
    forward, backward
        Probabilities of against, neutral and favor of p toward q, and of q toward p, each of shape ``(n, 3)``. They
        need not sum to 1.

    Returns
    -------
    array of shape (n, 5)
    """
    sides = [(SIDES.index(a), SIDES.index(b)) for _, (a, b) in sorted(CLASSES.items())]
    products = np.stack([forward[:, a] * backward[:, b] for a, b in sides], axis=1).astype(np.float64)
    return np.asarray(products / products.sum(axis=1, keepdims=True))


def directed_scores(classifier: StanceClassifier, pairs: Sequence[Pair]) -> NDArray[np.float64]:
    """Ask a model in both directions of each pair and return `class_scores`."""
    forward = classifier.predict_pairs([x.statement(x.p) for x in pairs], [x.q for x in pairs])
    backward = classifier.predict_pairs([x.statement(x.q) for x in pairs], [x.p for x in pairs])
    return class_scores(forward[:, : len(SIDES)], backward[:, : len(SIDES)])


def mean_average_precision(gold: NDArray[np.int64], scores: NDArray[np.float64]) -> float:
    """Return mAP: how well each class's score ranks the items, averaged over the classes.

    Parameters
    ----------
    gold
        Class ids, shape ``(n,)``; every class occurs.
    scores
        Score of each class, shape ``(n, classes)``.
    """
    return float(np.mean([average_precision_score(gold == c, scores[:, c]) for c in range(scores.shape[1])]))


def as_published(task: Task, scores: NDArray[np.float64], name: str, split: str) -> Figures:
    """Return the figures that the authors of DSE report of a model, beside theirs.

    Parameters
    ----------
    task
        DSE's held-out pairs.
    scores
        What `directed_scores` returns, shape ``(n, 5)``.
    name
        Of the model.
    split
        ``validation`` or ``test``.
    """
    predicted = scores.argmax(1)
    found = figures(task, predicted)  # micro-F1 is accuracy where each item has one class
    by_class = f1_per_label(confusion_by_cluster(task.gold, predicted, task.clusters, len(task.labels)).sum(axis=0))
    single = [f"{x:.3f}" for x in (mean_average_precision(task.gold, scores), *by_class)]
    rows = [[name, shown(found["accuracy"]), shown(found["macro-F1"]), *single]]
    for model, reported in REPORTED.items():
        rows.append([model, *(f"{x:.3f}" for x in reported[split]), *["–"] * len(single)])
    columns = ["", "micro-F1", "macro-F1", "mAP", *(f"F1 {label}" for label in task.labels)]
    return Figures(f"DSE, {split}, by its authors' definition", columns, rows, _SOURCE)
