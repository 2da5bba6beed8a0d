"""Near-duplicates (wire copy, repeated headlines) by MinHash, each verified exactly."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from stance.errors import MissingExtraError

__all__ = ["NearDuplicate", "near_duplicates", "shingles"]

_WORD = re.compile(r"\w+")
_PERMUTATIONS = 128
_RECALL = 0.9
"""Weight of missed pairs against superfluous ones when bands are chosen; superfluous ones only cost time."""


@dataclass(frozen=True, slots=True)
class NearDuplicate:
    """Two texts that repeat each other.

    Parameters
    ----------
    first, second
        Their positions, ``first < second``.
    similarity
        Jaccard similarity of their word 3-grams, 0 to 1.
    """

    first: int
    second: int
    similarity: float


def shingles(text: str, size: int = 3) -> frozenset[str]:
    """Return the word n-grams of a text, case and punctuation aside; a shorter text is one n-gram."""
    words = _WORD.findall(text.casefold())
    return frozenset(" ".join(words[i : i + size]) for i in range(max(1, len(words) - size + 1)))


def near_duplicates(texts: Sequence[str], *, threshold: float = 0.5, seed: int = 1) -> Iterator[NearDuplicate]:
    """Yield the pairs of texts whose word 3-grams have at least a given Jaccard similarity.

    Candidates come from locality-sensitive hashing of MinHash signatures (Broder 1997, "On the resemblance and
    containment of documents"; Leskovec, Rajaraman & Ullman 2020, ch. 3); each is then compared exactly, so a pair
    that is yielded is one, and a pair at the threshold may rarely be missed.

    Parameters
    ----------
    texts
        The texts; one without a word repeats nothing.
    threshold
        Least similarity, over 0 and up to 1.
    seed
        Seed of the permutations.

    Raises
    ------
    MissingExtraError
        If `datasketch` is not installed.
    """
    try:
        from datasketch import MinHash, MinHashLSH
    except ImportError as error:
        raise MissingExtraError("finding near-duplicates", "corpus") from error
    distinct: dict[frozenset[str], list[int]] = {}
    for i, text in enumerate(texts):
        if _WORD.search(text):
            distinct.setdefault(shingles(text), []).append(i)
    sets = list(distinct)
    places = list(distinct.values())
    bands = MinHashLSH(threshold=threshold * _RECALL, num_perm=_PERMUTATIONS, weights=(1 - _RECALL, _RECALL))
    hashes = MinHash.bulk(([s.encode() for s in each] for each in sets), num_perm=_PERMUTATIONS, seed=seed)
    for number, signature in enumerate(hashes):
        for i, first in enumerate(places[number]):
            for second in places[number][i + 1 :]:
                yield NearDuplicate(first, second, 1.0)
        for other in sorted(bands.query(signature)):
            similarity = len(sets[number] & sets[other]) / len(sets[number] | sets[other])
            if similarity >= threshold:
                for a in places[other]:
                    for b in places[number]:
                        yield NearDuplicate(min(a, b), max(a, b), similarity)
        bands.insert(number, signature)
