"""Figures of the model beside baselines: ``python -m training.evaluate [--split test] [--model FOLDER]``."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stance.model import StanceClassifier, shipped_model
from training.baselines import BASELINES
from training.corpora import country_stance, data_folder, own
from training.corpora.country_stance import TARGETS
from training.flips import flip_consistency
from training.model_card import model_card
from training.single_pass import STORED, stored_answers
from training.tables import Figures, abstention, by_slice, by_target, figures, paired, shown
from training.tasks import Task, tasks

__all__ = ["evaluated", "main", "predict"]


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


def evaluated(classifier: StanceClassifier, data: Path, split: str, stored: Path = STORED) -> Iterator[Figures]:
    """Yield the tables of a split: each corpus beside the baselines, then country-stance by target.

    Parameters
    ----------
    classifier
        The model.
    data
        Folder of the corpora.
    split
        ``validation`` or ``test``.
    stored
        Answers that `training.single_pass` has written, if it was run.
    """
    tuning = {name: held for name, (_, held) in tasks(data, "validation").items()}
    for name, (train, held) in tasks(data, split).items():
        answers = {label: baseline(train, held, tuning[name]) for label, baseline in BASELINES.items()}
        note = ""
        if name == "country-stance":
            further, note = stored_answers(stored, held, split)
            answers |= further
        answers[classifier.id] = predict(classifier, held)
        found = {label: figures(held, predicted) for label, predicted in answers.items()}
        columns = list(found[classifier.id])
        title = f"{name}, {split}: {len(held.gold)} items, {len(set(held.clusters))} documents"
        rows = [[label, *map(shown, f.values())] for label, f in found.items()]
        yield Figures(title, ["", *columns], rows, note)
        yield paired(held, classifier.id, answers, split)
        if name == "country-stance":
            yield by_slice(held, answers, split)
            p, _ = classifier.predict_proba([e.statement for e in held.examples], TARGETS)
            flat = p.reshape(len(held.gold), -1)
            yield by_target(held, flat, split)
            yield abstention(held, flat.argmax(1), ~classifier.abstains(flat), split)
    yield _flips(classifier, data, split)


def _flips(classifier: StanceClassifier, data: Path, split: str) -> Figures:
    """Exchange countries in the statements of a split and of our own held-out ones."""
    rows = []
    for name, examples in (("country-stance", country_stance.read(data, split)), ("own statements", own.read(split))):
        found = flip_consistency(classifier, list(examples))
        size = [str(found.statements), str(found.swaps)]
        rows.append([f"{name}, {split}", *size, shown(found.consistent), shown(found.all_targets)])
    columns = ["", "statements", "exchanges", "consistent where addressed", "consistent over all targets"]
    return Figures("Flip-consistency: labels that go with exchanged countries", columns, rows)


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
