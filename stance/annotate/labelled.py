"""From a store back to a corpus: what training and every export start from."""

from __future__ import annotations

from dataclasses import replace

from stance.annotate.ratings import Aggregation, aggregate, ratings_of_store
from stance.annotate.store import Store
from stance.corpus import Corpus, CorpusRecord

__all__ = ["labelled_corpus"]


def labelled_corpus(store: Store, method: Aggregation = "majority", *, everything: bool = False) -> Corpus:
    """Return the statements of a store with one label per target, in the splits of its corpus.

    Parameters
    ----------
    store
        The project.
    method
        How several labels become one, as in `stance.annotate.ratings.aggregate`. A label that the corpus brought
        along stays where nobody has finished the statement, and where annotators tie.
    everything
        Whether to include statements that nobody has labelled.
    """
    ratings = ratings_of_store(store)
    merged = aggregate(ratings, method)
    given: dict[str, dict[str, dict[str, str]]] = {}
    for rating in ratings.ratings:
        given.setdefault(rating.item, {})[rating.annotator] = dict(rating.labels)
    splits: dict[str, list[CorpusRecord]] = {}
    for item in store.items():
        own = {target: item.record.labels.get(target) for target in store.targets}
        found = {target: label for target, label in merged.get(item.id, {}).items() if label is not None}
        labels = {**own, **found}
        if everything or item.id in given or any(label is not None for label in labels.values()):
            record = replace(item.record, labels=labels, annotators=given.get(item.id, {}))
            splits.setdefault(item.split, []).append(record)
    return Corpus(store.name, store.labels, store.targets, {name: tuple(found) for name, found in splits.items()})
