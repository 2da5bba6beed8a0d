"""Everything an evaluation found, before it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from stance.corpus import Leak
from stance.evaluation.behaviour import BehaviourResult
from stance.evaluation.calibration import Calibration
from stance.evaluation.comparison import Comparison
from stance.evaluation.endtoend import EndToEnd
from stance.evaluation.figures import Figure
from stance.evaluation.items import Items, Predictions
from stance.evaluation.slices import Slice
from stance.evaluation.suspects import Suspect

__all__ = ["Evaluation", "System"]


@dataclass(frozen=True)
class System:
    """One system with its figures by scope and name, and its calibration."""

    predictions: Predictions
    figures: Mapping[str, Mapping[str, Figure]]
    calibration: Calibration | None


@dataclass(frozen=True)
class Evaluation:
    """A model evaluated on a corpus.

    Parameters
    ----------
    items
        What was asked.
    systems
        The model first, then those it is held against, then the baselines.
    comparisons
        The model against each other system.
    slices, worst
        Parts of the corpus, and the worst parts found.
    mistakes, suspects, suspected
        Items to read, and the number of all suspected labels.
    leaks
        Evaluated statements that repeat training statements, or share their document.
    attributions
        For shown items: tokens of the statement with offsets and attribution.
    behaviour
        Behaviour tests; empty if they were not run.
    end_to_end
        Triples on whole articles, ``None`` for a corpus of statements.
    notes
        What a reader must know: everything degenerate, missing or left out.
    run
        Versions, seed, resamples and shares of the run.
    """

    items: Items
    systems: Sequence[System]
    comparisons: Sequence[Comparison]
    slices: Sequence[Slice]
    worst: Sequence[Slice]
    mistakes: Sequence[int]
    suspects: Sequence[Suspect]
    suspected: int
    leaks: Sequence[Leak]
    attributions: Mapping[int, Sequence[tuple[str, int, int, float]]] = field(default_factory=dict)
    behaviour: Sequence[BehaviourResult] = ()
    end_to_end: EndToEnd | None = None
    notes: Sequence[str] = ()
    run: Mapping[str, str | int | float | None] = field(default_factory=dict)

    @property
    def model(self) -> System:
        """The evaluated model."""
        return self.systems[0]

    def confusion(self, target: int | None = None) -> list[list[int]]:
        """Return the model's confusion matrix (gold × predicted), of one target or of all."""
        k = len(self.items.labels)
        mine = slice(None) if target is None else self.items.target == target
        cells = self.items.gold[mine] * k + self.model.predictions.predicted[mine]
        return [[int(n) for n in row] for row in np.bincount(cells, minlength=k * k).reshape(k, k)]
