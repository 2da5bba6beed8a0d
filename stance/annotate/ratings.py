"""Who gave which label: the ratings that agreement, aggregation and audit work on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stance.annotate.store import Store
from stance.corpus import Corpus, CorpusRecord, cluster_of
from stance.corpus.records import decides
from stance.errors import UsageError
from stance.statistics import dawid_skene, majority

__all__ = ["Aggregation", "Rating", "Ratings", "aggregate", "finished_by_hand", "ratings_of_corpus", "ratings_of_store"]

Aggregation = Literal["majority", "dawid-skene"]


@dataclass(frozen=True, slots=True)
class Rating:
    """All labels one annotator gave one item.

    Parameters
    ----------
    item
        Id of the statement.
    annotator
        Name.
    labels
        Label by target.
    at
        Time the annotator finished it, UTC; empty where unknown, as for labels that were imported.
    """

    item: str
    annotator: str
    labels: Mapping[str, str]
    at: str = ""


@dataclass(frozen=True, slots=True)
class Ratings:
    """The ratings of a project.

    Parameters
    ----------
    name
        Name of the project.
    labels, targets
        Label set and targets.
    items
        Records by id, in the order of the corpus.
    ratings
        Finished ratings.
    settled
        Labels an adjudicator decided on, by item and target; the later decision counts.
    """

    name: str
    labels: tuple[str, ...]
    targets: tuple[str, ...]
    items: Mapping[str, CorpusRecord]
    ratings: tuple[Rating, ...]
    settled: Mapping[str, Mapping[str, str]]

    @property
    def annotators(self) -> tuple[str, ...]:
        """Names of all who rated something, in order."""
        return tuple(sorted({rating.annotator for rating in self.ratings}))

    @property
    def rated(self) -> tuple[str, ...]:
        """Ids of the items with a rating, in the order of the corpus."""
        seen = {rating.item for rating in self.ratings}
        return tuple(item for item in self.items if item in seen)

    def codes(self, target: str) -> NDArray[np.int64]:
        """Return the ratings of a target, shape ``(len(rated), len(annotators))``, -1 where missing."""
        rows = {item: i for i, item in enumerate(self.rated)}
        columns = {name: i for i, name in enumerate(self.annotators)}
        ids = {label: i for i, label in enumerate(self.labels)}
        codes = np.full((len(rows), len(columns)), -1, dtype=np.int64)
        for rating in self.ratings:
            label = rating.labels.get(target)
            if label is not None:
                codes[rows[rating.item], columns[rating.annotator]] = ids[label]
        return codes

    def clusters(self) -> list[str]:
        """Return the document of each rated item."""
        return [cluster_of(self.items[item]) for item in self.rated]


def finished_by_hand(store: Store, annotator: str | None = None) -> dict[tuple[str, str], str]:
    """Return by item and annotator the time, UTC, of finishing it last, unless the labels were imported since.

    Parameters
    ----------
    store
        The store.
    annotator
        Whose alone; everybody's if not given.
    """
    rows = store.read(  # SQLite takes the other columns from the row of the maximum
        "SELECT item, annotator, kind, at, MAX(id) FROM entry "
        f"WHERE kind IN ('done', 'import') {'AND annotator = ? ' if annotator is not None else ''}"
        "GROUP BY item, annotator",
        () if annotator is None else (annotator,),
    )
    return {(row["item"], row["annotator"]): row["at"] for row in rows if row["kind"] == "done"}


def ratings_of_store(store: Store) -> Ratings:
    """Return the finished ratings of a store; decisions of adjudicators stand apart."""
    given, settled = [], {}
    latest: dict[str, str] = {}
    finished = finished_by_hand(store)
    for item, annotator, state in store.states():
        if state.status != "done":
            continue
        if decides(annotator):
            at = finished.get((item, annotator), state.at)
            if at >= latest.get(item, ""):
                latest[item], settled[item] = at, dict(state.labels)
        else:
            given.append(Rating(item, annotator, dict(state.labels), finished.get((item, annotator), "")))
    items = {item.id: item.record for item in store.items()}
    return Ratings(store.name, store.labels, store.targets, items, tuple(given), settled)


def ratings_of_corpus(corpus: Corpus) -> Ratings:
    """Return the ratings in a corpus's column ``annotators``; times are unknown, decisions stand apart."""
    given, settled = [], {}
    for record in corpus.records:
        for name, labels in record.annotators.items():
            known = {t: label for t, label in labels.items() if label is not None}
            if decides(name):
                settled[record.id] = known
            else:
                given.append(Rating(record.id, name, known))
    items = {record.id: record for record in corpus.records}
    return Ratings(corpus.name, corpus.labels, corpus.targets, items, tuple(given), settled)


def aggregate(ratings: Ratings, method: Aggregation = "majority") -> dict[str, dict[str, str | None]]:
    """Return one label per rated item and target.

    Parameters
    ----------
    ratings
        The ratings.
    method
        ``majority`` (``None`` on a tie) or ``dawid-skene`` (the most probable label). What an adjudicator settled
        stands in either case.

    Raises
    ------
    UsageError
        If the method is unknown.
    """
    found: dict[str, dict[str, str | None]] = {item: {} for item in ratings.rated}
    for target in ratings.targets:
        codes = ratings.codes(target)
        best = np.full(len(codes), -1, dtype=np.int64)
        known = (codes >= 0).any(axis=1) if codes.size else np.zeros(len(codes), dtype=bool)
        if method == "majority":
            best = majority(codes, len(ratings.labels)) if codes.size else best
        elif method == "dawid-skene":
            if known.any():
                best[known] = dawid_skene(codes[known], len(ratings.labels)).posterior.argmax(axis=1)
        else:
            raise UsageError(f"aggregation {method!r} is neither majority nor dawid-skene")
        for item, code in zip(ratings.rated, best, strict=True):
            found[item][target] = ratings.labels[code] if code >= 0 else None
    for item, labels in ratings.settled.items():
        found.setdefault(item, {}).update(labels)
    return found
