"""What is evaluated: labelled (statement, target) items in arrays, and what a system answered on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stance.corpus import Corpus, CorpusRecord, cluster_of
from stance.errors import CorpusError, InputError, UsageError

if TYPE_CHECKING:
    from stance.model import StanceClassifier

__all__ = ["Items", "Predictions", "choose_split", "classifier_predictions", "labelled_items", "stored_predictions"]

_PREFERRED = ("test", "all")


@dataclass(frozen=True)
class Items:
    """The labelled (statement, target) pairs of a split.

    Parameters
    ----------
    corpus, split
        Their names.
    labels, targets
        Label set and targets, in order.
    records
        The statements with at least one label.
    record, target
        Index of each item's record and target, shape ``(n,)``.
    gold
        Label id of each item, shape ``(n,)``.
    cluster
        Number of the document of each item, shape ``(n,)``.
    clusters
        Number of documents.
    """

    corpus: str
    split: str
    labels: tuple[str, ...]
    targets: tuple[str, ...]
    records: tuple[CorpusRecord, ...]
    record: NDArray[np.int64]
    target: NDArray[np.int64]
    gold: NDArray[np.int64]
    cluster: NDArray[np.int64]
    clusters: int

    def __len__(self) -> int:
        return len(self.gold)

    def label_ids(self, names: Sequence[str]) -> list[int]:
        """Return the ids of those of some labels that the label set has."""
        return [self.labels.index(name) for name in names if name in self.labels]


@dataclass(frozen=True)
class Predictions:
    """What one system answered on every item.

    Parameters
    ----------
    name
        Name of the system.
    predicted
        Label ids, shape ``(n,)``.
    probabilities
        Shape ``(n, labels)``, or ``None`` for a system that gives labels only.
    abstained, truncated
        Flags, shape ``(n,)``.
    threshold, risk
        Confidence under which the model abstains, and the share of errors it states for the rest.
    scope
        Predicted labels that `threshold` and `risk` are about; every label if empty.
    kind
        ``model``, ``stored`` or ``baseline``.
    """

    name: str
    predicted: NDArray[np.int64]
    probabilities: NDArray[np.float64] | None = None
    abstained: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=bool))
    truncated: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=bool))
    threshold: float | None = None
    risk: float | None = None
    scope: tuple[str, ...] = ()
    kind: str = "model"


def choose_split(corpus: Corpus, split: str | None) -> str:
    """Return the split to evaluate: the named one, else ``test``, ``all``, or the only one.

    Raises
    ------
    UsageError
        If there is no such split, or none can be chosen.
    """
    known = ", ".join(corpus.splits)
    if split is not None:
        if split not in corpus.splits:
            raise UsageError(f"{corpus.name} has no split {split!r}; it has {known}")
        return split
    for name in _PREFERRED:
        if name in corpus.splits:
            return name
    if len(corpus.splits) == 1:
        return next(iter(corpus.splits))
    raise UsageError(f"{corpus.name} has the splits {known}: name one with --split")


def labelled_items(corpus: Corpus, split: str, extra_labels: Sequence[str] = ()) -> Items:
    """Return the labelled items of a split.

    Parameters
    ----------
    corpus, split
        Where they come from.
    extra_labels
        Labels of the systems. Where these hold all of the corpus's, their order is kept; otherwise those that only a
        system uses are put after the corpus's own.

    Raises
    ------
    CorpusError
        If no statement of the split has a label.
    """
    whole = set(corpus.labels) <= set(extra_labels)
    labels = tuple(dict.fromkeys(extra_labels if whole else (*corpus.labels, *extra_labels)))
    ids = {label: i for i, label in enumerate(labels)}
    records = tuple(r for r in corpus.splits[split] if any(r.labels.get(t) is not None for t in corpus.targets))
    if not records:
        raise CorpusError(f"split {split!r} holds no labelled statement", file=corpus.name, rule="no-label")
    triples = [
        (i, j, ids[label])
        for i, record in enumerate(records)
        for j, target in enumerate(corpus.targets)
        if (label := record.labels.get(target)) is not None
    ]
    record, target, gold = np.array(triples, dtype=np.int64).T
    numbers: dict[str, int] = {}
    places = np.array([numbers.setdefault(cluster_of(r), len(numbers)) for r in records], dtype=np.int64)
    return Items(
        corpus.name, split, labels, corpus.targets, records, record, target, gold, places[record], len(numbers)
    )


def classifier_predictions(classifier: StanceClassifier, items: Items) -> Predictions:
    """Ask a model about every item; each statement is read once with all targets."""
    statements = [record.statement for record in items.records]
    table, cut = classifier.predict_proba(statements, items.targets)
    own = table[items.record, items.target]
    p = np.zeros((len(items), len(items.labels)))
    p[:, [items.labels.index(label) for label in classifier.labels]] = own
    config = classifier.config
    return Predictions(
        classifier.id,
        p.argmax(axis=1),
        p,
        classifier.abstains(own),
        cut[items.record],
        config.abstain_threshold,
        config.abstain_risk,
        tuple(config.abstain_scope or ()),
    )


def stored_predictions(rows: Sequence[Mapping[str, Any]], items: Items, name: str, file: str) -> Predictions:
    """Align rows of the row contract (``statement_id``, ``target``, ``label``, perhaps ``p_<label>``) with the items.

    Raises
    ------
    InputError
        If a row is incomplete or holds a label that is unknown, or an item has no row or two.
    """
    by_key: dict[tuple[str, Any], Mapping[str, Any]] = {}
    for each in rows:
        own = (str(each.get("statement_id", each.get("id"))), each.get("target"))
        if own in by_key:
            message = f"two predictions for statement {own[0]!r} and target {own[1]!r}"
            raise InputError(message, file=file, rule="duplicate-prediction")
        by_key[own] = each
    ids = {label: i for i, label in enumerate(items.labels)}
    columns = [f"p_{label}" for label in items.labels]
    predicted = np.zeros(len(items), dtype=np.int64)
    p = np.zeros((len(items), len(items.labels)))
    flags = np.zeros((2, len(items)), dtype=bool)
    for n, (i, j) in enumerate(zip(items.record, items.target, strict=True)):
        key = (items.records[i].id, items.targets[j])
        found = by_key.get(key)
        if found is None:
            message = f"no prediction for statement {key[0]!r} and target {key[1]!r}"
            raise InputError(message, file=file, rule="missing-prediction")
        row = found
        if row.get("label") not in ids:
            message = f"label {row.get('label')!r} of statement {key[0]!r} is not one of {', '.join(ids)}"
            raise InputError(message, file=file, rule="unknown-label")
        predicted[n] = ids[row["label"]]
        p[n] = [_number(row.get(column), key[0], file) for column in columns]
        flags[:, n] = _flag(row.get("abstained")), _flag(row.get("truncated"))
    sums = p.sum(axis=1)
    given = bool((np.abs(sums - 1) < 1e-3).all())
    if not given and sums.any():
        worst = items.records[items.record[int(np.abs(sums - 1).argmax())]].id
        raise InputError(f"probabilities of statement {worst!r} do not sum to 1", file=file, rule="probabilities")
    return Predictions(name, predicted, p if given else None, flags[0], flags[1], kind="stored")


def _number(value: Any, own_id: str, file: str) -> float:
    if value is None or value == "":
        return 0.0
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise InputError(f"{value!r} of {own_id!r} is no probability", file=file, rule="probabilities") from error
    if not 0 <= number <= 1:
        raise InputError(f"{value!r} of {own_id!r} is no probability", file=file, rule="probabilities")
    return number


def _flag(value: Any) -> bool:
    return str(value).lower() in ("true", "1")
