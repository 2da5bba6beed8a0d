"""Tables of figures of held-out items, with intervals over whole documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from stance.statistics import clustered_interval, confusion_by_cluster, f1_per_label
from stance.statistics.multiplicity import holm
from stance.statistics.paired import bootstrap_p
from stance.statistics.resampling import ClusterDraws, interval
from training.corpora.country_stance import TARGETS
from training.flips import false_sides
from training.tasks import Task

__all__ = [
    "Figures",
    "abstention",
    "by_slice",
    "by_target",
    "calibration_error",
    "difference",
    "figures",
    "paired",
    "part",
    "shown",
    "sides_by_target",
]

_CHARGED = [0, 2]  # against and favor
_SILENT = 3  # not_addressed


def figures(task: Task, predicted: NDArray[np.int64]) -> dict[str, tuple[float, float, float]]:
    """Return each figure with its 95 % interval, clustered by document: ``(value, low, high)``.

    Macro-F1 is the mean over the whole label set, where a label that does not occur counts as 0: the labels are the
    same in every task and resample. `stance.evaluation` and `stance.learning` take the mean over those that occur.
    """
    counts = confusion_by_cluster(task.gold, predicted, task.clusters, len(task.labels))

    def macro(confusion: NDArray[np.int64], labels: list[int]) -> NDArray[np.float64]:
        return f1_per_label(confusion)[..., labels].mean(axis=-1)

    def accuracy(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.trace(confusion, axis1=-2, axis2=-1) / confusion.sum(axis=(-2, -1))

    wanted = {"macro-F1": partial(macro, labels=list(range(len(task.labels)))), "accuracy": accuracy}
    if task.labels[0] == "against":
        wanted["F1 against+favor"] = partial(macro, labels=_CHARGED)
    total = counts.sum(axis=0)
    return {name: (float(f(total)), *clustered_interval(counts, f)) for name, f in wanted.items()}


def calibration_error(probabilities: NDArray[np.float64], gold: NDArray[np.int64], bins: int = 15) -> float:
    """Return the expected calibration error of the top label, in equally wide bins (Guo et al. 2017)."""
    confidence, correct = probabilities.max(1), probabilities.argmax(1) == gold
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        abs(confidence[place == b].mean() - correct[place == b].mean()) * (place == b).mean()
        for b in range(bins)
        if (place == b).any()
    ]
    return float(sum(gaps))


@dataclass(frozen=True)
class Figures:
    """One table of figures: a title, column names, rows of text, and what is to be said about it."""

    title: str
    columns: list[str]
    rows: list[list[str]]
    note: str = ""

    def markdown(self) -> str:
        """Return the table in Markdown."""
        lines = [self.columns, ["---"] * len(self.columns), *self.rows]
        note = f"\n{self.note}\n" if self.note else ""
        return f"**{self.title}**\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n" + note

    def print(self) -> None:
        """Print the table."""
        table = Table(*self.columns, title=self.title, title_justify="left", caption=self.note, caption_justify="left")
        for row in self.rows:
            table.add_row(*row)
        Console(width=180).print(table)


def shown(figure: tuple[float, float, float], form: str = ".3f") -> str:
    """Write a value and its interval."""
    value, low, high = (format(x, form) for x in figure)
    return f"{value} [{low}, {high}]"


def part(task: Task, mine: NDArray[np.bool_]) -> Task:
    """Return some items of a task, as far as `figures` reads them."""
    clusters = [c for c, m in zip(task.clusters, mine, strict=True) if m]
    return Task(task.name, task.labels, [], [], task.gold[mine], clusters)


def by_target(task: Task, p: NDArray[np.float64], split: str) -> Figures:
    """Return the figures of country-stance for each target.

    Parameters
    ----------
    task
        Statement-target pairs.
    p
        Probabilities of each pair, shape ``(n, labels)``.
    split
        Named in the title.
    """
    rows = []
    for target in (*TARGETS, "all"):
        mine = np.array([target in (t, "all") for t in task.targets])
        found = figures(part(task, mine), p[mine].argmax(1))
        error = calibration_error(p[mine], task.gold[mine])
        words = [shown(found["macro-F1"]), shown(found["F1 against+favor"])]
        rows.append([target, *words, f"{error:.3f}"])
    columns = ["target", "macro-F1", "F1 against+favor", "calibration error"]
    return Figures(f"country-stance, {split}, by target", columns, rows)


def sides_by_target(task: Task, predicted: NDArray[np.int64], split: str) -> Figures:
    """Return for each target of country-stance how often a side is seen where the reader saw none."""
    rows = []
    for target in (*TARGETS, "all"):
        mine = np.array([target in (t, "all") for t in task.targets])
        held = part(task, mine)
        found = false_sides(held.gold, predicted[mine], held.clusters)
        rows.append([target, *(shown(rate, ".1%") for rate in found.values())])
    note = (
        "False against (favor): share of the pairs of that gold label that the model labels against (favor), with 95 % "
        "intervals over whole documents. Pairs that do not address the target are many and easy: they dilute the rate."
    )
    title = f"country-stance, {split}: against and favor where the reader saw neither"
    return Figures(title, ["target", *(f"false {name}" for name in found)], rows, note)


def abstention(task: Task, predicted: NDArray[np.int64], kept: NDArray[np.bool_], split: str) -> Figures:
    """Return coverage and risk of a model that abstains, where it sees a target addressed and where not.

    Parameters
    ----------
    task
        Statement-target pairs.
    predicted, kept
        Label ids, and whether the model answers rather than abstains, shape ``(n,)``.
    split
        Named in the title.
    """
    wrong, addressed = predicted != task.gold, predicted != _SILENT
    scopes = {"against, neutral or favor": addressed, "not_addressed": ~addressed}
    scopes |= {f"{t}: against, neutral or favor": addressed & (np.array(task.targets) == t) for t in TARGETS}
    rows = []
    for name, scope in scopes.items():
        if scope.any():
            coverage, risk = _share(task, kept, scope), _share(task, wrong, scope & kept)
            rows.append(
                [name, str(scope.sum()), *(shown(x, ".1%") for x in (coverage, risk, _share(task, wrong, scope)))]
            )
    columns = ["predicted label", "pairs", "answered", "wrong of the answered", "wrong if none abstained"]
    return Figures(f"country-stance, {split}: what abstaining gives", columns, rows)


def _share(task: Task, part: NDArray[np.bool_], whole: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Return the share of a part in a whole with its clustered interval."""
    _, index = np.unique(np.array(task.clusters), return_inverse=True)
    counts = np.zeros((index.max() + 1, 2), dtype=np.int64)
    np.add.at(counts, index, np.stack([part & whole, whole], axis=1).astype(np.int64))

    def share(sums: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.asarray(sums[..., 0] / np.maximum(sums[..., 1], 1))

    return (float(share(counts.sum(axis=0))), *clustered_interval(counts, share))


def by_slice(task: Task, answers: Mapping[str, NDArray[np.int64]], split: str) -> Figures:
    """Return macro-F1 of each system for each target and each source of a task of statement-target pairs."""
    sources = np.repeat([e.corpus for e in task.examples], len(TARGETS))
    targets = np.array(task.targets)
    slices = {t: targets == t for t in TARGETS} | {s: sources == s for s in sorted(set(sources))}
    rows = [
        [
            f"{name} ({mine.sum()})",
            *(shown(figures(part(task, mine), answer[mine])["macro-F1"]) for answer in answers.values()),
        ]
        for name, mine in slices.items()
    ]
    return Figures(f"{task.name}, {split}: macro-F1 by target and by source (items)", ["", *answers], rows)


def paired(task: Task, ours: str, answers: Mapping[str, NDArray[np.int64]], split: str) -> Figures:
    """Compare one system with each other one on the same items; each draw takes the same documents for both.

    Parameters
    ----------
    task
        The items.
    ours
        Name of the system that the others are held against.
    answers
        Label ids by system, each of shape ``(n,)``.
    split
        Named in the title.
    """
    others = [name for name in answers if name != ours]
    rows, p_values = [], []
    for name in others:
        gain, p = difference(task, answers[ours], answers[name])
        right, right_other = answers[ours] == task.gold, answers[name] == task.gold
        rows.append([name, shown(gain, "+.3f"), str((right & ~right_other).sum()), str((~right & right_other).sum())])
        p_values.append(p)
    rows = [[*row, f"{p:.4f}"] for row, p in zip(rows, holm(p_values), strict=True)]
    columns = ["model against", "difference in macro-F1", "only the model right", "only the other right", "p (Holm)"]
    return Figures(f"{task.name}, {split}: paired comparison, whole documents drawn", columns, rows)


def difference(
    task: Task, ours: NDArray[np.int64], theirs: NDArray[np.int64]
) -> tuple[tuple[float, float, float], float]:
    """Return the difference in macro-F1 with its interval, and the p-value that it is 0."""
    both = [confusion_by_cluster(task.gold, answer, task.clusters, len(task.labels)) for answer in (ours, theirs)]
    sums = np.stack(both, axis=1)

    def compute(totals: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        macro = f1_per_label(totals).mean(axis=-1)
        return {"difference": macro[..., 0] - macro[..., 1]}

    drawn = ClusterDraws(len(sums)).figures(sums, compute)["difference"]
    exact = float(compute(sums.sum(axis=0, keepdims=True))["difference"][0])
    return (exact, *interval(drawn, len(sums))), bootstrap_p(drawn)
