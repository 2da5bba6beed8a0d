"""Early stopping: the best epoch on validation is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from transformers import TrainerCallback

from stance.learning.calibration import labelled_logits
from stance.learning.examples import Example
from stance.model import StanceClassifier
from stance.statistics import f1_per_label

__all__ = ["KeepBest", "macro_f1"]


def macro_f1(classifier: StanceClassifier, examples: Sequence[Example]) -> float:
    """Return macro-F1 over the labels that occur in `examples`; ``nan`` if none has a label.

    So do `stance.evaluation` and `training.tables`.
    """
    logits, gold = labelled_logits(classifier, examples)
    if not len(gold):
        return float("nan")
    k = logits.shape[1]
    confusion = np.bincount(gold * k + logits.argmax(1), minlength=k * k).reshape(k, k)
    return float(f1_per_label(confusion)[np.unique(gold)].mean())


class KeepBest(TrainerCallback):
    """Scores validation after every epoch, stops when it no longer gets better, and puts the best weights back.

    Parameters
    ----------
    classifier
        The classifier that is being trained.
    examples
        Validation examples.
    patience
        Epochs without a better score before training stops.
    min_steps
        Steps before which training never stops: where an epoch is a step or two, the first ones say nothing yet.
    """

    def __init__(
        self, classifier: StanceClassifier, examples: Sequence[Example], patience: int, min_steps: int = 0
    ) -> None:
        self._classifier = classifier
        self._examples = list(examples)
        self._patience = patience
        self._min_steps = min_steps
        self._best: dict[str, torch.Tensor] = {}
        self.history: list[float] = []

    @property
    def best(self) -> float:
        """Best macro-F1 so far; ``nan`` before the first epoch ends."""
        return max(self.history, default=float("nan"))

    def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Score the epoch."""
        model = self._classifier.model
        model.eval()  # type: ignore[no-untyped-call]
        score = macro_f1(self._classifier, self._examples)
        model.train()
        if not self.history or score > self.best:
            self._best = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        self.history.append(score)
        waited = len(self.history) - 1 - self.history.index(self.best)
        if waited >= self._patience and state.global_step >= self._min_steps:
            control.should_training_stop = True

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Put the best weights back."""
        self._classifier.model.load_state_dict(self._best)
