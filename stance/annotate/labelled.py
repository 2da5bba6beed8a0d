"""From a store back to a corpus: what training and every export start from."""

from __future__ import annotations

from dataclasses import replace

from stance.annotate.ratings import Aggregation, Ratings, aggregate, ratings_of_store
from stance.annotate.store import Store
from stance.corpus import Corpus, CorpusRecord

__all__ = ["labelled_corpus", "left_out"]


def labelled_corpus(
    store: Store, method: Aggregation = "majority", *, everything: bool = False, ratings: Ratings | None = None
) -> Corpus:
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
    ratings
        Those of the store, where they are known.
    """
    ratings = ratings_of_store(store) if ratings is None else ratings
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


def left_out(store: Store, corpus: Corpus) -> tuple[str, ...]:
    """Say what a store holds that its labelled corpus does not, and why.

    Parameters
    ----------
    store
        The project.
    corpus
        Its `labelled_corpus`.
    """
    ratings = ratings_of_store(store)
    every = (*ratings.ratings, *ratings.looks, *ratings.decisions.values())
    counted = {(rating.item, rating.annotator) for rating in every}
    unfinished = sum(
        bool(state.labels) and state.status == "open" and (item, who) not in counted
        for item, who, state in store.states()
    )
    rated = {(rating.item, target) for rating in ratings.ratings for target in rating.labels}
    ties = sum(label is None and (r.id, t) in rated for r in corpus.records for t, label in r.labels.items())
    found = (
        (unfinished, "ratings are begun or opened again and not finished: left out until they are"),
        (ties, "labels are left open, as annotators tie: adjudicate them"),
    )
    return tuple(f"{count} {what}" for count, what in found if count)
