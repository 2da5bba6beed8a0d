"""Tables of figures of held-out items, with intervals over whole documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from stance.schema import LABELS
from stance.statistics import clustered_interval, confusion_by_cluster, f1_per_label
from stance.statistics.multiplicity import holm
from stance.statistics.paired import bootstrap_p
from stance.statistics.resampling import ClusterDraws, interval, sum_by_cluster
from training.corpora.country_stance import TARGETS
from training.flips import false_sides
from training.tasks import Task

__all__ = [
    "SILENT",
    "Figures",
    "abstention",
    "by_slice",
    "by_target",
    "calibration",
    "calibration_error",
    "difference",
    "each_target",
    "figures",
    "macro_f1",
    "paired",
    "part",
    "risk_coverage",
    "shown",
    "sides_by_target",
]

_CHARGED = [0, 2]  # against and favor
SILENT = LABELS.index("not_addressed")
_BINS = 15
_COVERAGES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
_Floats = NDArray[np.float64]


def macro_f1(confusion: NDArray[np.floating] | NDArray[np.integer], labels: list[int] | None = None) -> _Floats:
    """Return mean F1 over the labels that occur in gold, of confusion matrices of shape ``(…, k, k)``.

    A label that gold lacks has no recall, so its F1 of 0 would tell of the draw and not of the system: in a slice of
    few items a rare label is often absent from a resample, and the lower end of the interval would sink with it.
    `stance.evaluation` takes the mean over the labels of the evaluated items' gold, too, and leaves a label out of a
    resample that has it neither in gold nor in the answers; here gold alone decides, so that all systems are measured
    on the same labels.

    Parameters
    ----------
    confusion
        Gold × predicted counts.
    labels
        Ids of the labels to take the mean over; all if not given.

    Returns
    -------
    array of shape (…)
        ``nan`` where gold has none of the labels.
    """
    chosen = list(range(confusion.shape[-1])) if labels is None else labels
    present = confusion.sum(axis=-1)[..., chosen] > 0
    total, count = (f1_per_label(confusion)[..., chosen] * present).sum(axis=-1), present.sum(axis=-1)
    return np.asarray(np.divide(total, count, out=np.full(np.shape(total), np.nan), where=count > 0))


def figures(task: Task, predicted: NDArray[np.int64]) -> dict[str, tuple[float, float, float]]:
    """Return each figure with its 95 % interval, clustered by document: ``(value, low, high)``.

    Macro-F1 is that of `macro_f1`, in every resample as well.
    """
    counts = confusion_by_cluster(task.gold, predicted, task.clusters, len(task.labels))

    def compute(confusion: _Floats) -> dict[str, _Floats]:
        accuracy = np.trace(confusion, axis1=-2, axis2=-1) / confusion.sum(axis=(-2, -1))
        found = {"macro-F1": macro_f1(confusion), "accuracy": accuracy}
        return found | ({"F1 against+favor": macro_f1(confusion, _CHARGED)} if task.labels[0] == "against" else {})

    return {name: (value, *interval(drawn, len(counts))) for name, (value, drawn) in _drawn(counts, compute).items()}


def _drawn(
    sums: NDArray[np.floating] | NDArray[np.integer], compute: Callable[[_Floats], dict[str, _Floats]]
) -> dict[str, tuple[float, _Floats]]:
    """Return each figure and its values in resamples of whole clusters, from what is added up over clusters."""
    exact = compute(np.asarray(sums.sum(axis=0, keepdims=True), dtype=np.float64))
    drawn = ClusterDraws(len(sums)).figures(np.asarray(sums, dtype=np.float64), compute)
    return {name: (float(value[0]), drawn[name]) for name, value in exact.items()}


def calibration_error(task: Task, p: NDArray[np.float64], mine: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Return the expected calibration error of the top label, in equally wide bins (Guo et al. 2017).

    With its 95 % interval over whole documents, moved by the bootstrap's own estimate of its bias: drawing with
    replacement makes gaps larger.

    Parameters
    ----------
    task
        The items.
    p
        Probabilities of each item, shape ``(n, labels)``.
    mine
        Which items it is about, shape ``(n,)``; at least one.
    """
    confidence, right = p[mine].max(1), p[mine].argmax(1) == task.gold[mine]
    names, index = np.unique(np.array(task.clusters)[mine], return_inverse=True)
    place = np.minimum((confidence * _BINS).astype(np.int64), _BINS - 1)
    columns = [sum_by_cluster(index, len(names), place, _BINS, w) for w in (confidence - right, np.ones(len(index)))]

    def compute(totals: _Floats) -> dict[str, _Floats]:
        return {"error": np.abs(totals[:, 0]).sum(axis=1) / totals[:, 1].sum(axis=1)}

    value, drawn = _drawn(np.stack(columns, axis=1), compute)["error"]
    bias = float(drawn.mean()) - value
    low, high = (end - bias for end in interval(drawn, len(names)))
    return value, max(low, 0.0), high


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


def each_target(task: Task) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield which pairs of country-stance are about each target, and all of them."""
    targets = np.array(task.targets)
    for target in TARGETS:
        yield target, targets == target
    yield "all", np.ones(len(targets), dtype=bool)


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
    for target, mine in each_target(task):
        found = figures(part(task, mine), p[mine].argmax(1))
        rows.append([target, shown(found["macro-F1"]), shown(found["F1 against+favor"])])
    columns = ["target", "macro-F1", "F1 against+favor"]
    return Figures(f"country-stance, {split}, by target", columns, rows)


def sides_by_target(task: Task, predicted: NDArray[np.int64], split: str) -> Figures:
    """Return for each target of country-stance how often a side is seen where the reader saw none."""
    rows = []
    for target, mine in each_target(task):
        held = part(task, mine)
        found = false_sides(held.gold, predicted[mine], held.clusters)
        rows.append([target, *(shown(rate, ".1%") for rate in found.values())])
    note = (
        "False against (favor): share of the pairs of that gold label that the model labels against (favor), with 95 % "
        "intervals over whole documents. Pairs that do not address the target are many and easy: they dilute the rate."
    )
    title = f"country-stance, {split}: against and favor where the reader saw neither"
    return Figures(title, ["target", *(f"false {name}" for name in found)], rows, note)


def calibration(task: Task, p: NDArray[np.float64], split: str) -> Figures:
    """Return the calibration error of all pairs, and of those predicted as addressed, over all and by target.

    Most pairs are easy ``not_addressed``: over all pairs they hide how far confidence can be trusted where a target is
    addressed.

    Parameters
    ----------
    task
        Statement-target pairs.
    p
        Probabilities of each pair, shape ``(n, labels)``.
    split
        Named in the title.
    """
    addressed = p.argmax(1) != SILENT
    rows = []
    for target, mine in each_target(task):
        row = [target]
        for scope in (mine, mine & addressed):
            row += [str(scope.sum()), shown(calibration_error(task, p, scope)) if scope.any() else "–"]
        rows.append(row)
    columns = ["target", "all pairs", "calibration error", "predicted as addressed", "calibration error of these"]
    return Figures(f"country-stance, {split}: calibration", columns, rows)


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
    wrong, addressed = predicted != task.gold, predicted != SILENT
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


def risk_coverage(task: Task, p: NDArray[np.float64], split: str) -> Figures:
    """Return the share of wrong answers if only the surest are given, for falling coverage.

    Counted are the pairs whose predicted label is ``against``, ``neutral`` or ``favor``, as for the stated risk; pairs
    of one confidence stay together. The thresholds are those of the shown items themselves.

    Parameters
    ----------
    task
        Statement-target pairs.
    p
        Probabilities of each pair, shape ``(n, labels)``.
    split
        Named in the title.
    """
    predicted, confidence = p.argmax(1), p.max(1)
    wrong, addressed = predicted != task.gold, predicted != SILENT
    falling = -np.sort(-confidence[addressed])
    rows = []
    for coverage in _COVERAGES if len(falling) else ():
        threshold = falling[max(int(np.ceil(coverage * len(falling))), 1) - 1]
        kept = addressed & (confidence >= threshold)
        rows.append([f"{coverage:.0%}", str(kept.sum()), f"{threshold:.3f}", shown(_share(task, wrong, kept), ".1%")])
    columns = ["answered", "pairs", "confidence at least", "wrong of the answered"]
    return Figures(f"country-stance, {split}: risk and coverage, pairs predicted as addressed", columns, rows)


def _share(task: Task, part: NDArray[np.bool_], whole: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Return the share of a part in a whole with its clustered interval."""
    _, index = np.unique(np.array(task.clusters), return_inverse=True)
    counts = np.zeros((index.max() + 1, 2), dtype=np.int64)
    np.add.at(counts, index, np.stack([part & whole, whole], axis=1).astype(np.int64))

    def share(sums: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.asarray(sums[..., 0] / np.maximum(sums[..., 1], 1))

    return (float(share(counts.sum(axis=0))), *clustered_interval(counts, share))


def by_slice(task: Task, answers: Mapping[str, NDArray[np.int64]], split: str) -> Figures:
    """Return macro-F1 of each system for each target and each source of a task of statement-target pairs.

    Beside it stands how often each label occurs in gold: a figure rests on the rarest of them (see `macro_f1`).
    """
    sources = np.repeat([e.corpus for e in task.examples], len(TARGETS))
    targets = np.array(task.targets)
    slices = {t: targets == t for t in TARGETS} | {s: sources == s for s in sorted(set(sources))}
    rows = []
    for name, mine in slices.items():
        counts = np.bincount(task.gold[mine], minlength=len(task.labels))
        found = [shown(figures(part(task, mine), answer[mine])["macro-F1"]) for answer in answers.values()]
        rows.append([f"{name} ({mine.sum()})", " / ".join(map(str, counts)), *found])
    title = f"{task.name}, {split}: macro-F1 by target and by source (items)"
    return Figures(title, ["", " / ".join(task.labels), *answers], rows)


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
        macro = macro_f1(totals)
        return {"difference": macro[..., 0] - macro[..., 1]}

    exact, drawn = _drawn(sums, compute)["difference"]
    return (exact, *interval(drawn, len(sums))), bootstrap_p(drawn)
