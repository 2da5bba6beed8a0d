"""Behaviour by family: how many of the hard cases of each kind, of our own writing and held out, the model gets right.

The families are kinds of difficulty (`training/own`): the same words with the sides swapped, negation, who does it to
whom, praise turned to irony, "we" said by different speakers, neutral reports of grim things, targets only implied,
several targets with several stances. `training.release_gate` pins the share of each on validation statements,
`training.evaluate` shows it on test.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stance.schema import LABELS
from stance.statistics import clustered_interval
from training.corpora import own
from training.tasks import Task

__all__ = ["FEWEST", "Family", "by_family", "pairs_right"]

FEWEST = 10
"""Pairs of statement and target that a family needs as many of, addressed by the readers' label."""
_SILENT = LABELS.index("not_addressed")


class Family(NamedTuple):
    """How a model does on one kind of difficulty.

    Parameters
    ----------
    pairs, documents
        Pairs of statement and target that the readers see addressed, and documents that hold them (minimal pairs, or
        statements that have none).
    right
        Share of right labels with its 95 % interval.
    """

    pairs: int
    documents: int
    right: tuple[float, float, float]


def by_family(task: Task, predicted: NDArray[np.int64]) -> dict[str, Family]:
    """Return the share of right labels by family, with its 95 % interval clustered by document.

    Counted are the pairs of statement and target that are addressed by the readers' label or by the model's. Which
    families have enough pairs depends on the readers alone, so that every model is measured on the same ones.

    Parameters
    ----------
    task
        A task of our own statements, see `training.tasks.country_task`.
    predicted
        Label ids, shape ``(n,)`` as the task's `gold`.
    """
    family_of = {record["id"]: record["family"] for record in own.records()}
    width = len(task.gold) // len(task.examples)
    families = np.repeat([family_of[e.statement.id] for e in task.examples], width)
    counted = (task.gold != _SILENT) | (predicted != _SILENT)
    found = {}
    documents, addressed = np.array(task.clusters), task.gold != _SILENT
    for family in sorted(set(families)):
        mine, asked = (families == family) & counted, (families == family) & addressed
        if asked.sum() < FEWEST:
            continue
        names, cluster = np.unique(documents[mine], return_inverse=True)
        counts = np.zeros((len(names), 2), dtype=np.int64)  # right, counted
        np.add.at(counts, cluster, np.stack([task.gold == predicted, np.ones_like(counted)], axis=1)[mine])
        right = (float(_share(counts.sum(axis=0))), *clustered_interval(counts, _share, few=True))
        found[str(family)] = Family(int(asked.sum()), len(set(documents[asked])), right)
    return found


def pairs_right(task: Task, predicted: NDArray[np.int64]) -> dict[str, tuple[int, int]]:
    """Return by family how many minimal pairs are right, each member toward every target, and how many there are.

    A model that hears only the words that the members share gets one of them right and the other wrong.

    Parameters
    ----------
    task, predicted
        As for `by_family`; a pair of which the task holds one member is not counted.
    """
    family_of = {record["id"]: record["family"] for record in own.records()}
    right = (task.gold == predicted).reshape(len(task.examples), -1).all(axis=1)
    members: dict[str, list[int]] = defaultdict(list)
    for i, example in enumerate(task.examples):
        members[example.document].append(i)
    found, every = Counter[str](), Counter[str]()
    for together in members.values():
        if len(together) > 1:
            family = family_of[task.examples[together[0]].statement.id]
            every[family] += 1
            found[family] += int(right[together].all())
    return {family: (found[family], count) for family, count in sorted(every.items())}


def _share(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(counts[..., 0] / np.maximum(counts[..., 1], 1))
