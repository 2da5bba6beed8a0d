"""Splits that neither a document nor wire copy crosses, and the check that none does."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stance.corpus.duplicates import near_duplicates
from stance.corpus.records import Corpus, CorpusRecord, cluster_of
from stance.errors import UsageError

__all__ = ["Leak", "find_leaks", "split_corpus"]


@dataclass(frozen=True, slots=True)
class Leak:
    """Two records in different splits that should share one.

    Parameters
    ----------
    kind
        ``near-duplicate`` (their statements repeat each other) or ``document`` (they come from one document).
    split, id
        The first record.
    other_split, other_id
        The second record.
    similarity
        Jaccard similarity of their word 3-grams; 1 for a shared document.
    """

    kind: Literal["near-duplicate", "document"]
    split: str
    id: str
    other_split: str
    other_id: str
    similarity: float

    def __str__(self) -> str:
        pair = f"{self.id} of {self.split} and {self.other_id} of {self.other_split}"
        if self.kind == "document":
            return f"{pair} come from one document"
        return f"{pair} repeat each other (similarity of their word 3-grams {self.similarity:.2f})"


def find_leaks(corpus: Corpus, *, threshold: float = 0.5) -> tuple[Leak, ...]:
    """Return the leaks between the splits of a corpus, the most similar first.

    Parameters
    ----------
    corpus
        The corpus.
    threshold
        Least Jaccard similarity of word 3-grams at which two statements repeat each other.

    Raises
    ------
    MissingExtraError
        If `datasketch` is not installed.
    """
    places = [(split, record) for split, records in corpus.splits.items() for record in records]
    found = []
    for pair in near_duplicates([record.statement.text for _, record in places], threshold=threshold):
        (split, a), (other, b) = places[pair.first], places[pair.second]
        if split != other:
            found.append(Leak("near-duplicate", split, a.id, other, b.id, pair.similarity))
    found += _shared_documents(places)
    return tuple(sorted(found, key=lambda leak: (-leak.similarity, leak.kind, leak.id, leak.other_id)))


def _shared_documents(places: Sequence[tuple[str, CorpusRecord]]) -> Iterator[Leak]:
    """Yield one leak per document and further split it stands in."""
    first: dict[str, dict[str, str]] = defaultdict(dict)
    for split, record in places:
        if record.document:
            first[cluster_of(record)].setdefault(split, record.id)
    for by_split in first.values():
        (split, own_id), *others = by_split.items()
        for other, other_id in others:
            yield Leak("document", split, own_id, other, other_id, 1.0)


def split_corpus(corpus: Corpus, shares: Mapping[str, float], seed: int, *, threshold: float = 0.5) -> Corpus:
    """Split a corpus anew, so that neither a document nor wire copy crosses splits.

    Documents that share near-duplicate statements form one group. Groups go, the largest first, where they bring
    the label counts of all targets closest to the shares (after Sechidis, Tsoumakas & Vlahavas 2011, "On the
    stratification of multi-label data").

    Parameters
    ----------
    corpus
        The corpus; its present splits do not count.
    shares
        Share of each split, such as ``{"train": 0.8, "validation": 0.1, "test": 0.1}``; they sum to 1.
    seed
        Seed of the order among groups of one size.
    threshold
        As in `find_leaks`.

    Raises
    ------
    UsageError
        If the shares are not positive or do not sum to 1.
    MissingExtraError
        If `datasketch` is not installed.
    """
    if not shares or min(shares.values()) <= 0 or abs(sum(shares.values()) - 1) > 1e-6:
        raise UsageError(f"shares must be positive and sum to 1, found {dict(shares)}")
    records = corpus.records
    groups = _groups(records, threshold)
    random.Random(seed).shuffle(groups)
    groups.sort(key=len, reverse=True)
    counts = np.stack([_label_counts(records, group, corpus) for group in groups])
    wanted = np.array(list(shares.values()))[:, None] * counts.sum(axis=0)
    scale = np.maximum(counts.sum(axis=0), 1)
    filled = np.zeros_like(wanted)
    names = list(shares)
    chosen: dict[str, list[int]] = defaultdict(list)
    for group, count in zip(groups, counts, strict=True):
        now = (((filled - wanted) / scale) ** 2).sum(axis=1)
        then = (((filled + count - wanted) / scale) ** 2).sum(axis=1)
        best = int((then - now).argmin())
        filled[best] += count
        chosen[names[best]] += group
    return replace(corpus, splits={name: tuple(records[i] for i in sorted(chosen[name])) for name in names})


def _label_counts(records: Sequence[CorpusRecord], group: Sequence[int], corpus: Corpus) -> NDArray[np.float64]:
    """Count the labels of a group, shape ``(targets * labels + 1,)``; the last entry counts the records."""
    place = {(t, label): i for i, (t, label) in enumerate((t, k) for t in corpus.targets for k in corpus.labels)}
    counts = np.zeros(len(place) + 1)
    for i in group:
        for item in records[i].labels.items():
            if item in place:
                counts[place[item]] += 1
    counts[-1] = len(group)
    return counts


def _groups(records: Sequence[CorpusRecord], threshold: float) -> list[list[int]]:
    """Return the connected components of records that share a document or repeat each other."""
    parent = list(range(len(records)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    first: dict[str, int] = {}
    for i, record in enumerate(records):
        parent[root(i)] = root(first.setdefault(cluster_of(record), i))
    for pair in near_duplicates([record.statement.text for record in records], threshold=threshold):
        parent[root(pair.second)] = root(pair.first)
    found: dict[int, list[int]] = defaultdict(list)
    for i in range(len(records)):
        found[root(i)].append(i)
    return list(found.values())
