"""Calibration: the temperature and the abstention thresholds, fitted on validation examples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stance.errors import UsageError
from stance.learning.examples import Example
from stance.model import StanceClassifier
from stance.statistics import upper_share

__all__ = ["NEVER", "abstain_threshold", "calibrate", "fit_temperature", "labelled_logits", "set_abstention"]

NEVER = 1.01
"""Threshold above any confidence: every row abstains."""

_RANGE = (-2.0, 3.0)  # of the temperature's logarithm
_STEPS = 60


def labelled_logits(
    classifier: StanceClassifier, examples: Sequence[Example]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Score every labelled pair of statement and target.

    Returns
    -------
    logits : array of shape (pairs, labels)
    gold : array of shape (pairs,)
        Label ids, in the order of `examples` and of each example's labels.
    """
    index = {label: i for i, label in enumerate(classifier.labels)}
    groups: dict[tuple[str, ...], list[int]] = {}
    for i, example in enumerate(examples):
        if example.labels:
            groups.setdefault(tuple(example.labels), []).append(i)
    found: dict[int, NDArray[np.float32]] = {}
    for targets, members in groups.items():
        logits, _ = classifier.logits([examples[i].statement for i in members], targets)
        found |= dict(zip(members, logits, strict=True))
    gold = [index[label] for example in examples for label in example.labels.values()]
    empty = np.empty((0, len(index)), dtype=np.float32)
    return np.concatenate([empty, *(found[i] for i in sorted(found))]), np.array(gold, dtype=np.int64)


def fit_temperature(logits: NDArray[np.float32], gold: NDArray[np.int64]) -> float:
    """Return the temperature of least negative log-likelihood (Guo et al. 2017, arXiv:1706.04599).

    Parameters
    ----------
    logits
        Shape ``(n, labels)``.
    gold
        Shape ``(n,)``.
    """

    def loss(log_temperature: float) -> float:
        scaled = logits.astype(np.float64) / np.exp(log_temperature)
        scaled -= scaled.max(axis=1, keepdims=True)
        log_p = scaled - np.log(np.exp(scaled).sum(axis=1, keepdims=True))
        return float(-log_p[np.arange(len(gold)), gold].mean())

    low, high = _RANGE
    golden = (5**0.5 - 1) / 2  # the loss has one minimum: golden-section search
    for _ in range(_STEPS):
        left, right = high - golden * (high - low), low + golden * (high - low)
        low, high = (low, right) if loss(left) < loss(right) else (left, high)
    return float(np.exp((low + high) / 2))


def abstain_threshold(
    confidence: NDArray[np.float64], correct: NDArray[np.bool_], risk: float, *, level: float = 0.95
) -> float:
    """Return the least confidence above which, with probability `level`, at most a share `risk` is wrong.

    Selection with guaranteed risk: a binary search over the confidences that occur, in which each step's upper bound
    shares the error probability (Geifman & El-Yaniv 2017, "Selective classification for deep neural networks",
    arXiv:1705.08500, algorithm 1). Pairs count as independent.

    0 when nothing needs to be left out; `NEVER` when no threshold can be shown to keep the risk.
    """
    order = np.argsort(-confidence, kind="stable")
    ordered, wrong = confidence[order], np.cumsum(~correct[order])
    ends = np.flatnonzero(np.r_[ordered[1:] < ordered[:-1], np.ones(min(1, len(order)), dtype=bool)])  # of equal ones
    alpha = (1 - level) / max(1, len(ends).bit_length())
    best, low, high = -1, 0, len(ends) - 1
    while low <= high:
        middle = (low + high + 1) // 2
        kept = int(ends[middle])
        if upper_share(int(wrong[kept]), kept + 1, 1 - alpha) <= risk:
            best, low = middle, middle + 1
        else:
            high = middle - 1
    if best < 0:
        return NEVER
    return 0.0 if best == len(ends) - 1 else float(ordered[ends[best]])


def set_abstention(
    classifier: StanceClassifier, logits: NDArray[np.float32], gold: NDArray[np.int64], risk: float
) -> None:
    """Set the thresholds under which a classifier abstains, from the logits and label ids of `labelled_logits`.

    The risk is counted on the pairs whose predicted label tells something of the target; pairs predicted
    ``not_addressed``, most of them easy, have a threshold of their own by the same rule.
    """
    config = classifier.config
    p = classifier.probabilities(logits)
    confidence, predicted = p.max(1), p.argmax(1)
    config.abstain_risk = risk
    config.abstain_scope = [label for label in config.labels if label != "not_addressed"]
    inside = np.isin(predicted, [config.labels.index(label) for label in config.abstain_scope])
    config.abstain_threshold, config.abstain_threshold_elsewhere = (
        abstain_threshold(confidence[part], predicted[part] == gold[part], risk) for part in (inside, ~inside)
    )


def calibrate(classifier: StanceClassifier, examples: Sequence[Example], risk: float) -> None:
    """Set temperature and thresholds of the classifier from validation examples.

    Raises
    ------
    UsageError
        If no example has a label.
    """
    logits, gold = labelled_logits(classifier, examples)
    if not len(gold):
        raise UsageError("calibration needs validation statements with labels, and there are none")
    classifier.config.calibration_temperature = fit_temperature(logits, gold)
    set_abstention(classifier, logits, gold, risk)
