"""Calibration: the temperature and the abstention threshold, fitted on validation examples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stance.errors import UsageError
from stance.learning.examples import Example
from stance.model import StanceClassifier

__all__ = ["abstain_threshold", "calibrate", "fit_temperature", "labelled_logits"]

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


def abstain_threshold(confidence: NDArray[np.float64], correct: NDArray[np.bool_], risk: float) -> float:
    """Return the least confidence above which at most a share `risk` is wrong (Geifman & El-Yaniv 2017).

    0 when nothing needs to be left out; 1.01, above any confidence, when no threshold reaches the risk.
    """
    order = np.argsort(-confidence, kind="stable")
    wrong_share = np.cumsum(~correct[order]) / np.arange(1, len(order) + 1)
    allowed = np.flatnonzero(wrong_share <= risk)
    if not len(allowed):
        return 1.01
    last = allowed[-1]
    return 0.0 if last == len(order) - 1 else float(confidence[order[last]])


def calibrate(classifier: StanceClassifier, examples: Sequence[Example], risk: float) -> dict[str, float]:
    """Set temperature and threshold of the classifier from validation examples; return both.

    Raises
    ------
    UsageError
        If no example has a label.
    """
    config = classifier.config
    logits, gold = labelled_logits(classifier, examples)
    if not len(gold):
        raise UsageError("calibration needs validation statements with labels, and there are none")
    config.calibration_temperature = fit_temperature(logits, gold)
    p = classifier.probabilities(logits)
    config.abstain_risk = risk
    config.abstain_threshold = abstain_threshold(p.max(1), p.argmax(1) == gold, risk)
    return {"temperature": config.calibration_temperature, "abstain_threshold": config.abstain_threshold}
