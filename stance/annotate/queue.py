"""The order of a store's queue, and the model's suggestions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from stance.annotate.labelled import labelled_corpus
from stance.annotate.ratings import ratings_of_store
from stance.annotate.records import StoredItem
from stance.annotate.store import Store
from stance.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stance.model import StanceClassifier

__all__ = ["Order", "order_queue"]

Order = Literal["corpus", "random", "uncertainty", "disagreement", "diversity", "balance"]
_FARTHEST = 2_000  # statements that the core-set orders; the rest follow in the order of the corpus


def order_queue(
    store: Store,
    order: Order,
    *,
    model: str | Path | StanceClassifier | None = None,
    suggest: bool = False,
    seed: int = 0,
) -> str | None:
    """Order a store's queue by a strategy, and store the model's suggestions if asked for.

    Parameters
    ----------
    store
        The project.
    order
        ``corpus`` (as it stands there), ``random``, ``uncertainty`` (entropy of the model), ``disagreement`` (of an
        ensemble by dropout), ``diversity`` (core-set of the encoder's vectors) or ``balance`` (labels that are rare
        so far).
    model
        A stance model, or its folder; the shipped one if not given. Loaded only where it is needed.
    suggest
        Whether to store the model's label of every statement and target.
    seed
        Of everything random.

    Returns
    -------
    str or None
        Id of the model that was asked, ``None`` if none was.

    Raises
    ------
    UsageError
        If suggestions, or the order by balance, are asked of a model whose labels are not those of the project.
    """
    items = store.items()
    if order == "corpus":
        places = np.arange(len(items))
    elif order == "random":
        from stance.learning.selection import random_order

        places = random_order(len(items), seed)
    if order in ("corpus", "random") and not suggest:
        _rank(store, items, places)
        return None
    classifier = _classifier(model)
    if order == "balance" and set(classifier.labels) != set(store.labels):
        raise UsageError(f"{_labels_differ(store, classifier)}: it cannot tell where labels are that are rare so far")
    probabilities = _probabilities(store, items, classifier, suggest)
    if order not in ("corpus", "random"):
        places = _strategy(store, items, order, classifier, probabilities, seed)
    _rank(store, items, places)
    return classifier.id


def _rank(store: Store, items: list[StoredItem], order: NDArray[np.int64]) -> None:
    store.set_ranks({items[place].id: float(rank) for rank, place in enumerate(order)})


def _classifier(model: str | Path | StanceClassifier | None) -> StanceClassifier:
    from stance.model import StanceClassifier

    return model if isinstance(model, StanceClassifier) else StanceClassifier.from_pretrained(model)


def _labels_differ(store: Store, classifier: StanceClassifier) -> str:
    return f"the model's labels are {', '.join(classifier.labels)}, the project's {', '.join(store.labels)}"


def _probabilities(
    store: Store, items: list[StoredItem], classifier: StanceClassifier, suggest: bool
) -> NDArray[np.float64]:
    """Return the model's probabilities; those of the same model are kept in the store from one start to the next."""
    same_labels = tuple(classifier.labels) == store.labels
    if suggest and not same_labels:
        raise UsageError(f"{_labels_differ(store, classifier)}: it can order the queue, but suggest nothing")
    if same_labels and store.suggestion_model() == classifier.id:
        known = store.probabilities()
        return np.array([[known[item.id][target] for target in store.targets] for item in items])
    found, _ = classifier.predict_proba([item.record.statement for item in items], list(store.targets))
    if same_labels:
        store.set_suggestions(
            classifier.id,
            (
                (item.id, target, store.labels[int(q.argmax())], q.tolist())
                for item, p in zip(items, found, strict=True)
                for target, q in zip(store.targets, p, strict=True)
            ),
        )
    return found


def _strategy(
    store: Store,
    items: list[StoredItem],
    order: Order,
    classifier: StanceClassifier,
    probabilities: NDArray[np.float64],
    seed: int,
) -> NDArray[np.int64]:
    from stance.learning import selection
    from stance.learning.features import dropout_ensemble, target_vectors

    if order == "uncertainty":
        return selection.order_by_score(selection.uncertainty_scores(probabilities), seed)
    if order == "balance":
        given = _given(store, classifier.labels)
        return selection.order_by_score(selection.balance_scores(probabilities, given), seed)
    vectors = target_vectors(classifier, [item.record.statement for item in items], list(store.targets))
    if order == "disagreement":
        members = dropout_ensemble(classifier, vectors, seed=seed)
        return selection.order_by_score(selection.disagreement_scores(members), seed)
    pooled = vectors.mean(axis=1)
    done = set(ratings_of_store(store).rated)
    labelled = np.array([item.id in done for item in items])
    open_ = np.flatnonzero(~labelled)
    chosen = selection.core_set_order(pooled[open_], pooled[labelled] if labelled.any() else None, count=_FARTHEST)
    return np.concatenate([open_[chosen], np.flatnonzero(labelled)])


def _given(store: Store, labels: tuple[str, ...]) -> NDArray[np.int64]:
    """Count the labels known so far, one per statement and target, shape ``(targets, labels)``."""
    counts = np.zeros((len(store.targets), len(labels)), dtype=np.int64)
    for record in labelled_corpus(store).records:
        for i, target in enumerate(store.targets):
            label = record.labels.get(target)
            if label is not None:
                counts[i, labels.index(label)] += 1
    return counts
