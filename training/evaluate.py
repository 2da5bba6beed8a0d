"""Figures of the model beside baselines: ``python -m training.evaluate [--split test] [--model FOLDER]``.

What takes hours is measured by commands of its own (`training.single_pass`, `training.leave_one_out`,
`training.learning_curve`) and printed from the files they keep, with what it was measured on.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stance.model import StanceClassifier, shipped_model
from training import kept, learning_curve, leave_one_out, single_pass, zero_shot
from training.agreement import ceiling, readings, reliability
from training.baselines import BASELINES
from training.corpora import country_stance, data_folder, own
from training.corpora.country_stance import TARGETS
from training.directed import as_published, directed_scores
from training.families import FEWEST, by_family, pairs_right
from training.flips import flip_consistency
from training.model_card import model_card
from training.tables import (
    Figures,
    abstention,
    by_slice,
    by_target,
    calibration,
    figures,
    paired,
    risk_coverage,
    shown,
    sides_by_target,
)
from training.tasks import Task, own_task, tasks

__all__ = ["evaluated", "kept_tables", "main", "predict", "scores"]


def predict(classifier: StanceClassifier, task: Task) -> NDArray[np.int64]:
    """Return the class the model gives each item of a task."""
    return np.asarray(scores(classifier, task).argmax(1))


def scores(classifier: StanceClassifier, task: Task) -> NDArray[np.float64]:
    """Return the score of each class for each item of a task, shape ``(n, classes)``."""
    if task.pairs:
        return directed_scores(classifier, task.pairs)
    statements = [e.statement for e in task.examples]
    if set(task.targets) == set(TARGETS):
        p, _ = classifier.predict_proba(statements, TARGETS)
        return np.asarray(p.reshape(len(task.gold), -1))
    return np.asarray(classifier.predict_pairs(statements, task.targets)[:, : len(task.labels)])


def evaluated(classifier: StanceClassifier, data: Path, split: str, folder: Path = kept.FOLDER) -> Iterator[Figures]:
    """Yield the tables of a split: each corpus beside the baselines, then country-stance by target.

    Parameters
    ----------
    classifier
        The model.
    data
        Folder of the corpora.
    split
        ``validation`` or ``test``.
    folder
        Where the results of the long measurements are kept.
    """
    tuning = {name: held for name, (_, held) in tasks(data, "validation").items()}
    for name, (train, held) in tasks(data, split).items():
        country = name == "country-stance"
        answers = {label: baseline(train, held, tuning[name]) for label, baseline in BASELINES.items()}
        further, note = single_pass.both_starts(folder, held, split, classifier.id) if country else ({}, "")
        p = scores(classifier, held)
        answers |= {**further, classifier.id: p.argmax(1)}
        read = readings(data, split) if country else None
        further_rows, said = _ceiling(*read, note) if read else ([], note)
        yield _beside(held, answers, split, further_rows, f"{_learned_from(train)} {said}".strip())
        yield paired(held, classifier.id, answers, split)
        if read:
            yield by_slice(held, answers, split)
            yield by_target(held, p, split)
            yield sides_by_target(held, p.argmax(1), split)
            yield calibration(held, p, split)
            yield abstention(held, p.argmax(1), ~classifier.abstains(p), split)
            yield risk_coverage(held, p, split)
            yield reliability(*read, split)
        if held.pairs:
            yield as_published(held, p, classifier.id, split)
    yield _flips(classifier, data, split)
    yield from _own(classifier, split)
    yield from zero_shot.never_trained(classifier, data, split)
    yield from kept_tables(classifier.id, data, tuning["country-stance"], folder)


def kept_tables(classifier_id: str, data: Path, held: Task, folder: Path = kept.FOLDER) -> Iterator[Figures]:
    """Yield the tables of what takes hours, from the files that keep it.

    Parameters
    ----------
    classifier_id
        Name and content hash of the model that they are to be shown beside.
    data
        Folder of the corpora.
    held
        Validation pairs of country-stance as they are today.
    folder
        Where the results are kept.
    """
    yield leave_one_out.seen_and_unseen(folder / leave_one_out.KEPT.name, held)
    yield from learning_curve.learned_and_forgotten(folder / learning_curve.KEPT.name, classifier_id, data, held)


def _beside(
    held: Task, answers: Mapping[str, NDArray[np.int64]], split: str, further: list[list[str]], note: str
) -> Figures:
    """Put the figures of several systems on a task side by side, and further rows under them."""
    found = {label: figures(held, predicted) for label, predicted in answers.items()}
    title = f"{held.name}, {split}: {len(held.gold)} items, {len(set(held.clusters))} documents"
    rows = [[label, *map(shown, f.values())] for label, f in found.items()]
    return Figures(title, ["", *next(iter(found.values()))], [*rows, *further], note)


def _learned_from(train: Task) -> str:
    """Tell which corpora each row of a task's table was trained on."""
    return (
        f"Majority and logistic regression learned from {train.name}'s train split alone ({len(train.gold):,} items), "
        "their settings chosen on validation; the lexicon learned from none; the model from all corpora of the card."
    )


def _ceiling(codes: NDArray[np.int64], documents: list[str], note: str) -> tuple[list[list[str]], str]:
    """Return the row of what a second reader reaches on country-stance, and a note with what is to be said of it."""
    row = ["second reader against the first (ceiling)", *map(shown, ceiling(codes, documents).values())]
    return [row], f"Systems are held against the settled labels, the second reader against the first. {note}"


def _flips(classifier: StanceClassifier, data: Path, split: str) -> Figures:
    """Exchange countries in the statements of a split and of our own held-out ones."""
    rows = []
    for name, examples in (("country-stance", country_stance.read(data, split)), ("own statements", own.read(split))):
        found = flip_consistency(classifier, list(examples))
        size = [str(found.statements), str(found.swaps)]
        rows.append([f"{name}, {split}", *size, shown(found.consistent), shown(found.all_targets)])
    columns = ["", "statements", "exchanges", "consistent where addressed", "consistent over all targets"]
    return Figures("Flip-consistency: labels that go with exchanged countries", columns, rows)


def _own(classifier: StanceClassifier, split: str) -> Iterator[Figures]:
    """Yield the figures of our own statements of a split, and how many of the hard cases of each kind are right."""
    task = own_task(split)
    predicted = predict(classifier, task)
    yield _beside(task, {classifier.id: predicted}, split, [], "")
    whole = pairs_right(task, predicted)
    rows = [
        [
            name,
            str(family.pairs),
            str(family.documents),
            shown(family.right),
            "{} of {}".format(*whole.get(name, (0, 0))),
        ]
        for name, family in by_family(task, predicted).items()
    ]
    columns = ["family", "pairs addressed", "documents", "right labels where addressed", "minimal pairs all right"]
    right, count = np.sum([*whole.values()], axis=0)
    note = (
        f"Families of which readers see at least {FEWEST} pairs of statement and target addressed; right labels are "
        "the share of those and of the pairs that the model alone sees addressed. A minimal pair is "
        f"all right when each of its members is, toward every target: {right} of {count} over all families."
    )
    yield Figures(f"Hard families of our own statements, {split}", columns, rows, note)


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
        (folder / "README.md").write_text(
            model_card(classifier, [t.markdown() for t in tables], data_folder()), encoding="utf-8"
        )


if __name__ == "__main__":
    main()
