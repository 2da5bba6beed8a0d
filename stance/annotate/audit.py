"""Labels worth a second look: contradicted by a model, unlike between near-duplicates, or by an annotator apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stance.annotate.labelled import labelled_corpus
from stance.annotate.ratings import Ratings, ratings_of_store
from stance.annotate.store import Store
from stance.corpus import CorpusRecord, cluster_of, near_duplicates
from stance.schema import Statement
from stance.statistics.confident import label_issues
from stance.statistics.resampling import cluster_draws, interval

__all__ = ["Audit", "AuditedAnnotator", "DuplicateIssue", "Suspect", "audit"]

_FOLDS = 5
_FEWEST = 40  # labels under which a model of them says nothing
_SHOWN = 100
_SIMILAR = 0.7
_RESAMPLES = 1_000


@dataclass(frozen=True, slots=True)
class Suspect:
    """A label that a model trained on the other labels contradicts with confidence."""

    item: str
    text: str
    target: str
    label: str
    expected: str
    p_label: float


@dataclass(frozen=True, slots=True)
class DuplicateIssue:
    """Two statements that nearly repeat each other, labelled differently."""

    first: str
    second: str
    first_text: str
    second_text: str
    target: str
    first_label: str
    second_label: str
    similarity: float


@dataclass(frozen=True, slots=True)
class AuditedAnnotator:
    """How one annotator agrees with the others.

    Parameters
    ----------
    annotator
        Name.
    shared
        Labels of statements and targets that others labelled too.
    agreement, low, high
        Share of equal labels in pairs with the others, and its 95 % interval (bootstrap of documents; ``None`` where
        there is one).
    difference, difference_low, difference_high
        This annotator's agreement with the others less theirs among themselves, mean over the labels that two others
        gave too, and its 95 % interval; ``None`` where there are none, or of one document.
    items
        Statements on which the others agree and this annotator does not, at most five.
    """

    annotator: str
    shared: int
    agreement: float
    low: float | None
    high: float | None
    difference: float | None
    difference_low: float | None
    difference_high: float | None
    items: tuple[str, ...]

    @property
    def differs(self) -> bool | None:
        """Whether the others agree more among themselves on the same statements."""
        return None if self.difference_high is None else self.difference_high < 0

    @property
    def finding(self) -> str:
        """The finding in words."""
        return {True: "differs", False: "in line", None: "cannot be told"}[self.differs]


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found, of suspects and duplicates the first 100.

    Parameters
    ----------
    suspects, duplicates, annotators
        The findings.
    suspects_found, duplicates_found
        How many there are in all.
    suspects_note
        Why suspects could not be looked for.
    """

    suspects: tuple[Suspect, ...]
    duplicates: tuple[DuplicateIssue, ...]
    annotators: tuple[AuditedAnnotator, ...]
    suspects_found: int
    duplicates_found: int
    suspects_note: str = ""


def audit(store: Store, vectors: dict[Statement, NDArray[np.float32]] | None = None) -> Audit:
    """Audit the labels of a store: those finished by annotators, and those the corpus brought along.

    Parameters
    ----------
    store
        The store.
    vectors
        The encoder's vectors of earlier audits of this store, shape ``(targets, width)`` each; those of this one are
        added.

    Raises
    ------
    MissingExtraError
        If `datasketch` is not installed.
    """
    ratings = ratings_of_store(store)
    corpus = labelled_corpus(store, ratings=ratings)
    known = {} if vectors is None else vectors
    suspects, note = _suspects(corpus.records, corpus.labels, corpus.targets, known)
    duplicates = _duplicates(corpus.records, corpus.targets)
    annotators = _annotators(ratings)
    return Audit(suspects[:_SHOWN], duplicates[:_SHOWN], annotators, len(suspects), len(duplicates), note)


def _suspects(
    records: tuple[CorpusRecord, ...],
    labels: tuple[str, ...],
    targets: tuple[str, ...],
    vectors: dict[Statement, NDArray[np.float32]],
) -> tuple[tuple[Suspect, ...], str]:
    pairs = [(i, t, label) for i, r in enumerate(records) for t in targets if (label := r.labels.get(t)) is not None]
    groups = [cluster_of(records[i]) for i, _, _ in pairs]
    if len(pairs) < _FEWEST or len(set(groups)) < _FOLDS:
        return (), f"Suspected errors are looked for from {_FEWEST} labels in {_FOLDS} documents on."
    given = np.array([labels.index(label) for _, _, label in pairs])
    _look_up([r.statement for r in records], targets, vectors)
    x = np.stack([vectors[records[i].statement][targets.index(target)] for i, target, _ in pairs])
    probabilities = _out_of_fold(x, given, groups, len(labels))
    found = []
    for place in label_issues(given, probabilities):
        i, target, label = pairs[place]
        expected = labels[int(probabilities[place].argmax())]
        if expected != label:
            record = records[i]
            p = float(probabilities[place, given[place]])
            found.append(Suspect(record.id, record.statement.text, target, label, expected, p))
    return tuple(found), ""


def _look_up(
    statements: Sequence[Statement], targets: tuple[str, ...], vectors: dict[Statement, NDArray[np.float32]]
) -> None:
    """Add the encoder's vectors of the statements that have none yet."""
    from stance.learning.features import target_vectors
    from stance.model import StanceClassifier

    new = [statement for statement in statements if statement not in vectors]
    if new:
        found = target_vectors(StanceClassifier.from_pretrained(), new, list(targets))
        vectors.update(zip(new, found.astype(np.float32), strict=True))


def _out_of_fold(
    x: NDArray[np.float32], given: NDArray[np.int64], groups: list[str], labels: int
) -> NDArray[np.float64]:
    """Return each label's probability from a regression on the encoder's vectors that saw other documents only."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    out = np.zeros((len(given), labels))
    for train, test in GroupKFold(n_splits=_FOLDS).split(x, given, groups):
        present = np.unique(given[train])
        if len(present) == 1:
            out[np.ix_(test, present)] = 1.0
            continue
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.05, max_iter=1000))
        out[np.ix_(test, present)] = model.fit(x[train], given[train]).predict_proba(x[test])
    return out


def _duplicates(records: tuple[CorpusRecord, ...], targets: tuple[str, ...]) -> tuple[DuplicateIssue, ...]:
    found = []
    for pair in near_duplicates([r.statement.text for r in records], threshold=_SIMILAR):
        a, b = records[pair.first], records[pair.second]
        for target in targets:
            first, second = a.labels.get(target), b.labels.get(target)
            if first is not None and second is not None and first != second and _same_speaker(a, b):
                words = (a.statement.text, b.statement.text)
                found.append(DuplicateIssue(a.id, b.id, *words, target, first, second, pair.similarity))
    return tuple(sorted(found, key=lambda issue: -issue.similarity))


def _same_speaker(a: CorpusRecord, b: CorpusRecord) -> bool:
    """Tell whether the stance should be the same: not where two different speakers are named."""
    names = {r.statement.speaker.name.casefold() for r in (a, b) if r.statement.speaker}
    return len(names) < 2


def _annotators(ratings: Ratings) -> tuple[AuditedAnnotator, ...]:
    given: dict[str, dict[str, Mapping[str, str]]] = {}
    for rating in ratings.ratings:
        given.setdefault(rating.item, {})[rating.annotator] = rating.labels
    clusters = {item: cluster_of(ratings.items[item]) for item in given}
    found = [_audited(name, given, clusters, ratings.targets) for name in ratings.annotators]
    return tuple(sorted((a for a in found if a is not None), key=lambda a: a.agreement))


def _audited(
    name: str,
    given: Mapping[str, Mapping[str, Mapping[str, str]]],
    clusters: Mapping[str, str],
    targets: tuple[str, ...],
) -> AuditedAnnotator | None:
    counts: dict[str, NDArray[np.float64]] = {}  # per document: equal pairs and all, difference and labels it is of
    shared, apart = 0, []
    for item, by in given.items():
        for target in targets:
            own = by.get(name, {}).get(target)
            rest = [labels[target] for who, labels in by.items() if who != name and target in labels]
            if own is None or not rest:
                continue
            shared += 1
            count = counts.setdefault(clusters[item], np.zeros(4))
            count[:2] += rest.count(own), len(rest)
            if len(rest) > 1:  # the others can be compared with each other on this very label
                count[2:] += rest.count(own) / len(rest) - _equal_pairs(rest), 1
                if len(set(rest)) == 1 and rest[0] != own:
                    apart.append(item)
    if not shared:
        return None
    table = np.stack(list(counts.values()))
    comparable = table[table[:, 3] > 0, 2:]
    agreement, low, high = _ratio(table[:, :2])
    difference, less, more = _ratio(comparable) if len(comparable) else (None, None, None)
    items = tuple(dict.fromkeys(apart))[:5]
    return AuditedAnnotator(name, shared, agreement, low, high, difference, less, more, items)


def _equal_pairs(labels: Sequence[str]) -> float:
    """Return the share of equal pairs of two labels or more."""
    n = len(labels)
    return sum(k * (k - 1) for k in Counter(labels).values()) / (n * (n - 1))


def _ratio(table: NDArray[np.float64]) -> tuple[float, float | None, float | None]:
    """Return the ratio of the sums of two columns and its interval, rows being documents."""
    above, below = table.sum(axis=0)
    if len(table) == 1:
        return float(above / below), None, None
    drawn = cluster_draws(table, draws=_RESAMPLES, rng=np.random.default_rng(0))
    return float(above / below), *interval(drawn[:, 0] / drawn[:, 1], len(table))
