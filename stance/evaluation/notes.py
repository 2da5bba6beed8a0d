"""What a reader must know first: everything degenerate, missing or left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from stance.corpus import Corpus
from stance.evaluation.behaviour_suite import Suite
from stance.evaluation.items import Items
from stance.evaluation.result import Evaluation

if TYPE_CHECKING:
    from stance.model import StanceClassifier

__all__ = ["data_notes", "model_notes", "rejection_notes"]

_FEW_STATEMENTS, _FEW_DOCUMENTS = 30, 20


def rejection_notes(rules: Mapping[str, int]) -> list[str]:
    """Return what is to be said about records left out, given how many broke each rule."""
    if not rules:
        return []
    named = ", ".join(f"{rule} ({count})" for rule, count in sorted(rules.items()))
    return [f"{sum(rules.values())} record(s) of the corpus break a rule and were left out: {named}."]


def data_notes(items: Items, corpus: Corpus) -> list[str]:
    """Return what is to be said about the evaluated statements and their labels."""
    notes = []
    if len(items.records) < _FEW_STATEMENTS:
        notes.append(f"Only {len(items.records)} statements: read the intervals, not the figures.")
    if items.clusters < 2:
        notes.append("All statements come from one document: no interval can be given.")
    elif items.clusters < _FEW_DOCUMENTS:
        notes.append(f"Only {items.clusters} documents: intervals are rough.")
    unlabelled = len(corpus.splits[items.split]) - len(items.records)
    if unlabelled:
        notes.append(f"{unlabelled} statement(s) without any label were left out.")
    missing = len(items.records) * len(items.targets) - len(items)
    if missing:
        notes.append(f"{missing} of {len(items.records) * len(items.targets)} labels are missing (-1) and left out.")
    return notes + list(_absent_labels(items))


def _absent_labels(items: Items) -> Iterator[str]:
    for j, target in enumerate(items.targets):
        gold = items.gold[items.target == j]
        absent = [label for i, label in enumerate(items.labels) if i not in gold]
        if not len(gold):
            yield f"No statement is labelled for {target}: its figures are undefined."
        elif absent:
            yield f"{target}: no gold label {', '.join(absent)}; macro averages there are over the others."


def model_notes(result: Evaluation, classifier: StanceClassifier | None, suite: Suite | None) -> list[str]:
    """Return what is to be said about the model and its answers.

    Parameters
    ----------
    result
        The evaluation.
    classifier
        The model; ``None`` for stored predictions.
    suite
        The behaviour tests that were asked for, ``None`` if none.
    """
    items, model, notes = result.items, result.model.predictions, []
    foreign = [label for label in items.labels if classifier is not None and label not in classifier.labels]
    if foreign:
        counts = Counter(int(g) for g in items.gold)
        hit = sum(counts[items.labels.index(label)] for label in foreign)
        notes.append(f"The model has no label {', '.join(foreign)}: it cannot get those {hit} item(s) right.")
    known = classifier.config.known_targets if classifier is not None else None
    new = [target for target in items.targets if known is not None and target not in known]
    if new:
        notes.append(f"Never trained on, and asked about by these names whatever a statement says: {', '.join(new)}.")
    if suite is not None:
        notes += _behaviour_notes(suite, classifier, items.targets)
    if model.probabilities is None:
        notes.append("The predictions carry no probabilities: no calibration, average precision or label check.")
    if model.truncated.any():
        cut = len(set(items.record[model.truncated].tolist()))
        notes.append(f"The model did not see the end of {cut} statement(s), or of a name.")
    if result.leaks:
        notes.append(f"{len(result.leaks)} pair(s) of statements leak between splits: figures may be too good.")
    return notes


def _behaviour_notes(suite: Suite, classifier: StanceClassifier | None, targets: Sequence[str]) -> Iterator[str]:
    if classifier is None:
        yield "Behaviour tests need a model; stored predictions were evaluated."
    elif lacking := suite.labels() - set(classifier.labels):
        yield f"Behaviour tests were not run: they expect {', '.join(sorted(lacking))}, which is no label of the model."
    elif idle := suite.idle(targets):
        names = ", ".join(idle)
        yield f"{len(idle)} behaviour test(s) need another target, or a form that no target here has: {names}."
