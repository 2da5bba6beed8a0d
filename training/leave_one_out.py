"""Zero-shot on a target never trained: ``python -m training.leave_one_out [--targets China ...] [--statements 3000]``.

For each target, a model is trained on country-stance without that target's labels and asked about it on validation
statements; beside it, the same training with all four. Both are short runs from the plain encoder, without variation
(exchanging countries would show the target), so only their difference says something. The figures are kept
(`training.kept`) for `training.evaluate` to print.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.learning import Example, FitOptions
from stance.model import StanceClassifier
from training.corpora import country_stance, data_folder, own
from training.corpora.country_stance import TARGETS
from training.duplicates import drop_near_duplicates
from training.kept import FOLDER, add_options, check_settings, keep, recall
from training.plain import start, trained
from training.tables import Figures, difference, figures, part, shown
from training.tasks import Task, corpus_hash, country_task

__all__ = ["KEPT", "compared", "main", "seen_and_unseen", "without"]

KEPT = FOLDER / "leave_one_out.json"
"""Figures of the last run."""
_ITEMS = "validation"


def without(examples: Sequence[Example], target: str) -> list[Example]:
    """Return the examples without the labels of a target."""
    kept = [replace(e, labels={t: label for t, label in e.labels.items() if t != target}) for e in examples]
    return [e for e in kept if e.labels]


def compared(held: Task, target: str, seen: NDArray[np.int64], unseen: NDArray[np.int64]) -> dict[str, Any]:
    """Return macro-F1 toward a target of a model that was trained on it, of one that was not, and the difference.

    Each with its 95 % interval over whole documents; the difference of the same documents.

    Parameters
    ----------
    held
        Statement-target pairs of all targets.
    target
        The target.
    seen, unseen
        Label ids of the target's pairs by each model, shape ``(statements,)``.
    """
    mine = part(held, np.array(held.targets) == target)
    found = {name: figures(mine, answer)["macro-F1"] for name, answer in (("seen", seen), ("unseen", unseen))}
    return {**found, "difference": difference(mine, unseen, seen)[0]}


def seen_and_unseen(path: Path, held: Task) -> Figures:
    """Return the kept figures as a table.

    Parameters
    ----------
    path
        File that keeps them.
    held
        Validation pairs of country-stance as they are today.
    """
    kept = recall(path, start=start(), items={_ITEMS: corpus_hash(held)})
    rows = [
        [target, *(shown(found[name]) for name in ("seen", "unseen")), shown(found["difference"], "+.3f")]
        for target, found in (kept.results or {}).items()
    ]
    columns = ["target", "macro-F1, trained on it", "never trained on it", "difference"]
    return Figures("Targets never trained, country-stance validation", columns, rows, kept.note)


def _answered(classifier: StanceClassifier, held: Task, target: str) -> NDArray[np.int64]:
    p, _ = classifier.predict_proba([e.statement for e in held.examples], [target])
    return np.asarray(p[:, 0].argmax(1))


def main() -> None:
    """Print and keep macro-F1 toward each target, seen and unseen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--targets", nargs="+", choices=TARGETS, default=list(TARGETS))
    parser.add_argument("--statements", type=int, default=3000, help="training statements, drawn with a fixed seed")
    parser.add_argument("--epochs", type=float, default=2.0)
    add_options(parser, KEPT)
    arguments = parser.parse_args()
    settings = {name: getattr(arguments, name) for name in ("statements", "epochs", "targets")}
    check_settings(arguments, settings)
    data = data_folder()
    held = country_task("country-stance", list(country_stance.read(data, "validation")))
    train = drop_near_duplicates([*country_stance.read(data, "train"), *own.read("train")], held.examples)
    train = random.Random(0).sample(train, min(arguments.statements, len(train)))
    options = FitOptions(epochs=arguments.epochs, learning_rate=1e-4, freeze_words=True)
    seen = trained(train, options)
    results = {}
    for target in arguments.targets:
        unseen = trained(without(train, target), options)
        found = compared(held, target, *(_answered(model, held, target) for model in (seen, unseen)))
        results[target] = found
        print(f"{target:15s} seen {shown(found['seen'])} unseen {shown(found['unseen'])}", flush=True)
    keep(arguments.output, results, settings=settings, start=start(), items={_ITEMS: corpus_hash(held)})


if __name__ == "__main__":
    main()
