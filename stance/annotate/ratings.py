"""Who gave which label: the ratings that agreement, aggregation and audit work on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from stance.annotate.history import finish_of, fold, labels_set, parted, standing
from stance.annotate.records import stored_name
from stance.annotate.store import Store
from stance.corpus import Corpus, CorpusRecord, cluster_of
from stance.corpus.records import SECOND_LOOK, decides, rates
from stance.errors import UsageError
from stance.statistics import dawid_skene, majority

if TYPE_CHECKING:
    import sqlite3

__all__ = [
    "Aggregation",
    "Rating",
    "Ratings",
    "aggregate",
    "finished_by_hand",
    "ratings_of_corpus",
    "ratings_of_store",
    "with_corpus",
]

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
    suggested
        Targets whose label was given with the model's suggestion on screen.
    """

    item: str
    annotator: str
    labels: Mapping[str, str]
    at: str = ""
    suggested: Set[str] = frozenset()


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
    decisions
        By item the decision that counts, with the adjudicator's name and its prefix. The later one counts, and one made
        here before one that was imported.
    looks
        What annotators gave once they were told what is suspected, the latest last, with the labels given then. No
        rating, but it replaces the ordinary ones of its targets.
    """

    name: str
    labels: tuple[str, ...]
    targets: tuple[str, ...]
    items: Mapping[str, CorpusRecord]
    ratings: tuple[Rating, ...]
    decisions: Mapping[str, Rating]
    looks: tuple[Rating, ...] = ()

    @property
    def settled(self) -> dict[str, Mapping[str, str]]:
        """Labels decided on, by item and target."""
        return {item: decision.labels for item, decision in self.decisions.items()}

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


def finished_by_hand(store: Store, annotator: str | None = None, since: str = "") -> dict[tuple[str, str], str]:
    """Return by item and annotator the time, UTC, of finishing it last, unless the labels were imported since.

    Parameters
    ----------
    store
        The store.
    annotator
        Whose alone; everybody's if not given.
    since
        Time, UTC: only of what was changed from it on.
    """
    finishes = ((pair, finish_of(rows)) for pair, rows in _histories(store, annotator, since=since))
    return {pair: row["at"] for pair, row in finishes if row is not None and row["kind"] == "done"}


def ratings_of_store(store: Store, item: str | None = None) -> Ratings:
    """Return the finished ratings of a store; decisions of adjudicators and second looks stand apart.

    Labels that were imported count also where some targets still lack one.

    Parameters
    ----------
    store
        The store.
    item
        Id of the one item whose ratings are wanted; all if not given.
    """
    given: list[Rating] = []
    looks: list[tuple[int, Rating]] = []
    decisions: list[tuple[tuple[bool, int], Rating]] = []
    for (which, annotator), rows in _histories(store, item=item):
        ordinary, look = parted(rows)
        if (end := finish_of(ordinary)) is not None:
            rating = _rating(which, annotator, fold(ordinary, store.targets).labels, end, ordinary)
            if decides(annotator):
                decisions.append(((end["kind"] == "done", end["id"]), rating))
            else:
                given.append(rating)
        if (end := finish_of(look)) is not None:
            looks.append((end["id"], _rating(which, annotator, labels_set(look), end, look)))
    items = {each.id: each.record for each in (store.items() if item is None else [store.item(item)])}
    return Ratings(
        store.name,
        store.labels,
        store.targets,
        items,
        tuple(given),
        {rating.item: rating for _, rating in sorted(decisions, key=lambda d: d[0])},
        tuple(rating for _, rating in sorted(looks, key=lambda look: look[0])),
    )


def _histories(
    store: Store, annotator: str | None = None, item: str | None = None, since: str = ""
) -> Iterator[tuple[tuple[str, str], list[sqlite3.Row]]]:
    """Give item, annotator and all changes that were not taken back, of everybody and everything or of one."""
    changed = "SELECT 1 FROM state s WHERE s.item = e.item AND s.annotator = e.annotator AND s.at >= :since"
    rules = (
        ("item = :item", item is not None),
        ("annotator = :annotator", annotator is not None),
        (f"EXISTS ({changed})", bool(since)),
    )
    where = " AND ".join(rule for rule, asked in rules if asked)
    query = f"SELECT * FROM entry e {f'WHERE {where}' if where else ''} ORDER BY item, annotator, id"
    rows = store.read(query, {"item": item, "annotator": annotator, "since": since})
    for pair, group in groupby(rows, key=lambda row: (row["item"], row["annotator"])):
        yield pair, standing(list(group))


def _rating(item: str, annotator: str, labels: Mapping[str, str], end: sqlite3.Row, rows: list[sqlite3.Row]) -> Rating:
    modes = {row["target"]: row["mode"] for row in rows if row["target"] is not None}
    suggested = frozenset(target for target, mode in modes.items() if mode == "suggestion" and target in labels)
    return Rating(item, annotator, labels, end["at"] if end["kind"] == "done" else "", suggested)


def ratings_of_corpus(corpus: Corpus) -> Ratings:
    """Return the ratings in a corpus's column ``annotators``; times are unknown, decisions and second looks apart."""
    given, looks = [], []
    decided: dict[str, Rating] = {}
    for record in corpus.records:
        for name, labels in record.annotators.items():
            rating = Rating(record.id, name, {t: label for t, label in labels.items() if label is not None})
            if decides(name):
                decided[record.id] = rating
            elif rates(name):
                given.append(rating)
            else:
                looks.append(replace(rating, annotator=name.removeprefix(SECOND_LOOK)))
    items = {record.id: record for record in corpus.records}
    return Ratings(corpus.name, corpus.labels, corpus.targets, items, tuple(given), decided, tuple(looks))


def with_corpus(ratings: Ratings, store: Store, corpus: Corpus) -> Ratings:
    """Return the ratings of a store with those its corpus holds of annotators that have no part in an item here."""
    brought = ratings_of_corpus(corpus)
    here = {(item, annotator) for item, annotator, _ in store.states()}

    def fresh(found: tuple[Rating, ...]) -> tuple[Rating, ...]:
        named = (replace(rating, annotator=stored_name(rating.annotator)) for rating in found)
        return tuple(rating for rating in named if (rating.item, rating.annotator) not in here)

    return replace(
        ratings,
        items={**ratings.items, **{item: r for item, r in brought.items.items() if item not in ratings.items}},
        ratings=ratings.ratings + fresh(brought.ratings),
        decisions={**brought.decisions, **ratings.decisions},
        looks=fresh(brought.looks) + ratings.looks,
    )


def aggregate(ratings: Ratings, method: Aggregation = "majority") -> dict[str, dict[str, str | None]]:
    """Return one label per rated item and target.

    Parameters
    ----------
    ratings
        The ratings.
    method
        ``majority`` (``None`` on a tie) or ``dawid-skene`` (the most probable label). In either case the latest
        second look replaces the ratings of its targets, and what an adjudicator settled stands.

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
    for look in ratings.looks:
        found.setdefault(look.item, {}).update(look.labels)
    for item, labels in ratings.settled.items():
        found.setdefault(item, {}).update(labels)
    return found
