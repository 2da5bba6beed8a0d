"""Is it better than that one: paired differences, corrected for their number, and what changed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from stance.evaluation.figures import Figure, Layout, confusion_sums
from stance.evaluation.items import Items, Predictions
from stance.statistics.multiplicity import holm
from stance.statistics.paired import bootstrap_p, mcnemar
from stance.statistics.resampling import ClusterDraws, interval

__all__ = ["COMPARED", "Comparison", "compare"]

COMPARED = ("macro_f1", "f1_against_favor", "accuracy")
_SHOWN = 10


@dataclass(frozen=True)
class Comparison:
    """The model against one other system on the same items; differences are model minus other.

    Parameters
    ----------
    other, kind
        Name and kind of the other system.
    differences
        Difference of each compared figure with its interval.
    p_values, corrected
        Two-sided, by clustered bootstrap and (``mcnemar``) by McNemar's exact test; `corrected` by Holm over all
        figures and systems of the report.
    wins, losses, both_wrong
        Items that only the model, only the other got right, and that both got wrong.
    won, lost
        Items to read: the most confident first.
    """

    other: str
    kind: str
    differences: Mapping[str, Figure]
    p_values: Mapping[str, float]
    corrected: Mapping[str, float]
    wins: int
    losses: int
    both_wrong: int
    won: tuple[int, ...]
    lost: tuple[int, ...]


def compare(items: Items, model: Predictions, others: Sequence[Predictions], draws: ClusterDraws) -> list[Comparison]:
    """Compare the model with other systems; every draw takes the same articles for both."""
    found = [_compare(items, model, other, draws) for other in others]
    keys = [(i, name) for i, comparison in enumerate(found) for name in comparison.p_values]
    corrected = holm(np.array([found[i].p_values[name] for i, name in keys])).tolist()
    by_key = dict(zip(keys, corrected, strict=True))
    return [replace(c, corrected={name: by_key[i, name] for name in c.p_values}) for i, c in enumerate(found)]


def _compare(items: Items, model: Predictions, other: Predictions, draws: ClusterDraws) -> Comparison:
    layout = Layout.of(items)
    both = [confusion_sums(items, each.predicted).sum(axis=1) for each in (model, other)]

    def compute(totals: NDArray[np.float64]) -> Mapping[str, NDArray[np.float64]]:
        ours, theirs = layout.figures(totals[:, 0]), layout.figures(totals[:, 1])
        return {name: ours[name] - theirs[name] for name in COMPARED if name in ours}

    sums = np.stack(both, axis=1)
    exact, drawn = compute(sums.sum(axis=0, keepdims=True)), draws.figures(sums, compute)
    differences = {name: Figure(float(v[0]), *interval(drawn[name], items.clusters)) for name, v in exact.items()}
    right, right_other = model.predicted == items.gold, other.predicted == items.gold
    won, lost = np.flatnonzero(right & ~right_other), np.flatnonzero(~right & right_other)
    p_values = {name: bootstrap_p(drawn[name]) if items.clusters > 1 else math.nan for name in exact}
    p_values["mcnemar"] = mcnemar(len(won), len(lost))
    return Comparison(
        other.name,
        other.kind,
        differences,
        p_values,
        {},
        len(won),
        len(lost),
        int((~right & ~right_other).sum()),
        _surest(won, model),
        _surest(lost, model),
    )


def _surest(places: NDArray[np.int64], model: Predictions) -> tuple[int, ...]:
    if model.probabilities is not None:
        places = places[np.argsort(-model.probabilities[places].max(axis=1), kind="stable")]
    return tuple(int(i) for i in places[:_SHOWN])
