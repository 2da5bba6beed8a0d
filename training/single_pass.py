"""All targets in one pass against one pass for each: ``python -m training.single_pass [--continued]``.

Both forms start from the plain encoder, or with ``--continued`` go on from the shipped model, and see the same labels
equally often, as many of them at each step: the single pass reads a statement with its four targets, the pair form
reads it four times with one target each. Macro-F1 on country-stance validation and the time to answer four targets are
printed for both. Their answers on validation and test are kept (`training.kept`), for `training.evaluate` to show
beside the model.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stance.learning import Example, FitOptions
from stance.model import StanceClassifier
from training.corpora import country_stance, data_folder, own
from training.corpora.country_stance import TARGETS
from training.duplicates import drop_near_duplicates
from training.kept import FOLDER, add_options, check_settings, keep, recall
from training.plain import start, trained
from training.recipe import country_statements
from training.tables import figures
from training.tasks import Task, corpus_hash, country_task

__all__ = ["CONTINUED", "KEPT", "as_pairs", "both_starts", "main", "stored_answers"]

KEPT = FOLDER / "single_pass.json"
"""Answers of the last run from the plain encoder: label ids of held-out items, no text."""
CONTINUED = FOLDER / "single_pass_continued.json"
"""The same of the last run that went on from the shipped model."""
_REPEATS = 3
_TIMED = 200
"""Validation statements whose answering is timed."""
_FORMS = {"single pass": "single pass", "pairs": "pair-encoded fine-tune"}
_RATES = {False: 2e-4, True: 5e-5}
"""Learning rate from the plain encoder, and of going on from the shipped model."""


def as_pairs(examples: Sequence[Example]) -> list[Example]:
    """Return one example for each statement and target."""
    return [replace(e, labels={target: label}) for e in examples for target, label in e.labels.items()]


def stored_answers(
    path: Path, held: Task, split: str, continued: str | None = None
) -> tuple[dict[str, NDArray[np.int64]], str]:
    """Return the kept answers of both forms on a split of country-stance, by name, and what is to be said about them.

    There are none, and the note says why, where the file is missing or belongs to other items.

    Parameters
    ----------
    path
        File that keeps them.
    held
        Statement-target pairs of the split.
    split
        ``validation`` or ``test``.
    continued
        Id of the shipped model, for the run that went on from it; that from the plain encoder if not given.
    """
    kept = recall(path, start=continued or start(), items={split: corpus_hash(held)}, command=_command(continued))
    begun = "going on from the shipped model" if continued else "from the plain encoder"
    note = f"Single pass and pairs {begun}, learned from country-stance and our own statements. {kept.note}"
    if kept.results is None or not kept.same_items:
        return {}, note
    answers = {f"{_FORMS[form]} {begun}": np.array(given[split]) for form, given in kept.results["answers"].items()}
    seconds = kept.results["seconds"]
    times = ", ".join(f"{form} {value:.1f} s" for form, value in seconds.items())
    share = seconds["single pass"] / seconds["pairs"]
    return answers, f"{note} Time for four targets of {kept.results['timed']} statements: {times} ({share:.0%})."


def both_starts(folder: Path, held: Task, split: str, shipped: str) -> tuple[dict[str, NDArray[np.int64]], str]:
    """Return what `stored_answers` does, of both runs in a folder together.

    Parameters
    ----------
    folder
        Folder of the kept files.
    held, split
        As there.
    shipped
        Id of the shipped model.
    """
    plain, note = stored_answers(folder / KEPT.name, held, split)
    further, said = stored_answers(folder / CONTINUED.name, held, split, shipped)
    return plain | further, f"{note} {said}"


def _command(continued: str | None) -> str:
    return "single_pass --continued" if continued else "single_pass"


def _answered(classifier: StanceClassifier, held: Task, pairs: bool) -> NDArray[np.int64]:
    """Return the label of each statement-target pair of a task."""
    statements = [e.statement for e in held.examples]
    if pairs:
        p = np.stack([classifier.predict_pairs(statements, [t] * len(statements)) for t in TARGETS], axis=1)
    else:
        p, _ = classifier.predict_proba(statements, TARGETS)
    return np.asarray(p.argmax(-1).ravel())


def _seconds(classifier: StanceClassifier, held: Task, pairs: bool) -> float:
    """Return the time of the fastest of a few runs."""
    times = []
    for _ in range(_REPEATS):
        begun = time.perf_counter()
        _answered(classifier, held, pairs)
        times.append(time.perf_counter() - begun)
    return min(times)


def main() -> None:
    """Train and answer in both forms, print figures side by side and store the answers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--statements", type=int, default=4000)
    parser.add_argument("--epochs", type=float, default=3.0)
    parser.add_argument("--continued", action="store_true", help="go on from the shipped model")
    add_options(parser, None)
    arguments = parser.parse_args()
    arguments.output = arguments.output or (CONTINUED if arguments.continued else KEPT)
    settings = {"statements": arguments.statements, "epochs": arguments.epochs}
    if arguments.continued:
        settings |= {"learning rate": _RATES[True]}
    check_settings(arguments, settings)
    data = data_folder()
    held = {s: country_task("country-stance", list(country_stance.read(data, s))) for s in ("validation", "test")}
    shown = held["validation"]
    timed = country_task("timed", list(shown.examples[:_TIMED]))
    others = [e for task in held.values() for e in task.examples]
    every = drop_near_duplicates([*country_statements(data), *own.read("train")], others)
    train = random.Random(0).sample(every, min(arguments.statements, len(every)))
    options = FitOptions(epochs=arguments.epochs, learning_rate=_RATES[arguments.continued], freeze_words=True)
    begun = StanceClassifier.from_pretrained().id if arguments.continued else start()
    print(f"{len(train)} training statements, {len(shown.examples)} validation statements × {len(TARGETS)} targets")
    answers, seconds = {}, {}
    whole = replace(options, batch_size=options.batch_size // len(TARGETS))
    for form, examples, fitted in (("single pass", train, whole), ("pairs", as_pairs(train), options)):
        base = StanceClassifier.from_pretrained() if arguments.continued else None
        classifier = trained(examples, fitted, base=base)
        found = {split: _answered(classifier, task, form == "pairs") for split, task in held.items()}
        seconds[form] = round(_seconds(classifier, timed, form == "pairs"), 2)
        value, low, high = figures(shown, found["validation"])["macro-F1"]
        answers[form] = {split: labels.tolist() for split, labels in found.items()}
        print(f"{form:12s} macro-F1 {value:.3f} [{low:.3f}, {high:.3f}], {seconds[form]:.1f} s", flush=True)
    results = {"seconds": seconds, "timed": len(timed.examples), "answers": answers}
    items = {split: corpus_hash(task) for split, task in held.items()}
    keep(arguments.output, results, settings=settings, start=begun, items=items)


if __name__ == "__main__":
    main()
