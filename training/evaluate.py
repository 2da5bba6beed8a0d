"""Figures of the model beside baselines: ``python -m training.evaluate [--split test] [--model FOLDER]``."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from stance.model import StanceClassifier, shipped_model
from stance.statistics import clustered_interval, confusion_by_cluster, f1_per_label
from training.baselines import BASELINES
from training.corpora import country_stance, data_folder, own
from training.corpora.country_stance import TARGETS
from training.flips import false_sides, flip_consistency
from training.model_card import model_card
from training.tasks import Task, tasks

__all__ = ["Figures", "calibration_error", "evaluated", "figures", "main", "predict"]

_CHARGED = [0, 2]  # against and favor


def predict(classifier: StanceClassifier, task: Task) -> NDArray[np.int64]:
    """Return the class the model gives each item of a task."""
    if task.pairs:
        return _dse_classes(classifier, task)
    statements = [e.statement for e in task.examples]
    if set(task.targets) == set(TARGETS):
        p, _ = classifier.predict_proba(statements, TARGETS)
        return p.argmax(-1).ravel()
    return classifier.predict_pairs(statements, task.targets)[:, :3].argmax(1)


def _dse_classes(classifier: StanceClassifier, task: Task) -> NDArray[np.int64]:
    """Predict DSE's five classes from the stance of p toward q and of q toward p, taken as independent."""
    p = classifier.predict_pairs([x.statement(x.p) for x in task.pairs], [x.q for x in task.pairs])[:, :3]
    q = classifier.predict_pairs([x.statement(x.q) for x in task.pairs], [x.p for x in task.pairs])[:, :3]
    p, q = p / p.sum(1, keepdims=True), q / q.sum(1, keepdims=True)
    against, neutral, favor = 0, 1, 2
    scores = [
        p[:, neutral] * q[:, neutral],
        p[:, favor] * q[:, neutral],
        p[:, neutral] * q[:, favor],
        p[:, against] * q[:, neutral],
        p[:, neutral] * q[:, against],
    ]
    return np.stack(scores, axis=1).argmax(1)


def figures(task: Task, predicted: NDArray[np.int64]) -> dict[str, tuple[float, float, float]]:
    """Return each figure with its 95 % interval, clustered by document: ``(value, low, high)``."""
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
    """One table of figures: a title, column names and rows of text."""

    title: str
    columns: list[str]
    rows: list[list[str]]

    def markdown(self) -> str:
        """Return the table in Markdown."""
        lines = [self.columns, ["---"] * len(self.columns), *self.rows]
        return f"**{self.title}**\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"

    def print(self) -> None:
        """Print the table."""
        table = Table(*self.columns, title=self.title, title_justify="left")
        for row in self.rows:
            table.add_row(*row)
        Console(width=150).print(table)


def evaluated(classifier: StanceClassifier, data: Path, split: str) -> Iterator[Figures]:
    """Yield the tables of a split: each corpus beside the baselines, then country-stance by target."""
    for name, (train, held) in tasks(data, split).items():
        answers = {label: baseline(train, held) for label, baseline in BASELINES.items()}
        answers[classifier.id] = predict(classifier, held)
        found = {label: figures(held, predicted) for label, predicted in answers.items()}
        columns = list(found[classifier.id])
        title = f"{name}, {split}: {len(held.gold)} items, {len(set(held.clusters))} documents"
        yield Figures(title, ["", *columns], [[label, *map(_shown, f.values())] for label, f in found.items()])
        if name == "country-stance":
            yield _by_target(classifier, held, split)
    yield _flips(classifier, data, split)


def _flips(classifier: StanceClassifier, data: Path, split: str) -> Figures:
    """Exchange countries in the statements of a split and of our own held-out ones."""
    rows = []
    for name, examples in (("country-stance", country_stance.read(data, split)), ("own statements", own.read(split))):
        found = flip_consistency(classifier, list(examples))
        size = [str(found.statements), str(found.swaps)]
        rows.append([f"{name}, {split}", *size, _shown(found.consistent), _shown(found.all_targets)])
    columns = ["", "statements", "exchanges", "consistent where addressed", "consistent over all targets"]
    return Figures("Flip-consistency: labels that go with exchanged countries", columns, rows)


def _shown(figure: tuple[float, float, float]) -> str:
    return "{:.3f} [{:.3f}, {:.3f}]".format(*figure)


def _by_target(classifier: StanceClassifier, task: Task, split: str) -> Figures:
    p, _ = classifier.predict_proba([e.statement for e in task.examples], TARGETS)
    flat = p.reshape(len(task.gold), -1)
    rows = []
    for target in (*TARGETS, "all"):
        mine = np.array([target in (t, "all") for t in task.targets])
        clusters = [c for c, m in zip(task.clusters, mine, strict=True) if m]
        found = figures(Task(target, task.labels, [], [], task.gold[mine], clusters), flat[mine].argmax(1))
        kept = flat[mine].max(1) >= classifier.config.abstain_threshold
        wrong = (flat[mine].argmax(1) != task.gold[mine])[kept].mean()
        error = calibration_error(flat[mine], task.gold[mine])
        sides = false_sides(task.gold[mine], flat[mine].argmax(1))
        shown = [_shown(found["macro-F1"]), _shown(found["F1 against+favor"])]
        rows.append(
            [target, *shown, f"{error:.3f}", f"{1 - kept.mean():.1%}", f"{wrong:.1%}", *map("{:.1%}".format, sides)]
        )
    columns = ["target", "macro-F1", "F1 against+favor", "calibration error", "abstains", "wrong of the rest"]
    columns += ["false against", "false favor"]
    return Figures(f"country-stance, {split}, by target", columns, rows)


def main() -> None:
    """Print the tables; with ``--card`` write the model card as well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", choices=("validation", "test"), default="test")
    parser.add_argument("--model", type=Path, help="a stance model (default: the shipped one)")
    parser.add_argument("--card", action="store_true", help="write the figures into the model's card")
    arguments = parser.parse_args()
    classifier = StanceClassifier.from_pretrained(arguments.model)
    tables = []
    for table in evaluated(classifier, data_folder(), arguments.split):
        table.print()
        tables.append(table)
    if arguments.card:
        folder = arguments.model or shipped_model()
        (folder / "README.md").write_text(model_card(classifier, [t.markdown() for t in tables]), encoding="utf-8")


if __name__ == "__main__":
    main()
