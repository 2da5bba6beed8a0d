"""Near-duplicates (wire copy, repeated headlines) and texts that hold others, so that none crosses splits."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from stance.corpus import shingles
from stance.learning import Example

__all__ = ["Contained", "drop_near_duplicates"]

_LEAST = 4
"""Least number of word 3-grams of a text that is looked for within others."""


def drop_near_duplicates(
    train: Sequence[Example], held_out: Iterable[Example], *, threshold: float = 0.5
) -> list[Example]:
    """Return the training examples that repeat no held-out statement.

    Two statements repeat each other when the Jaccard similarity of their word 3-grams is at least `threshold`
    (Broder 1997, "On the resemblance and containment of documents").
    """
    index: dict[str, list[int]] = defaultdict(list)
    sizes: list[int] = []
    for number, example in enumerate(held_out):
        found = shingles(example.statement.text)
        sizes.append(len(found))
        for shingle in found:
            index[shingle].append(number)
    kept = []
    for example in train:
        found = shingles(example.statement.text)
        shared = Counter(number for shingle in found for number in index.get(shingle, ()))
        if not any(n / (len(found) + sizes[i] - n) >= threshold for i, n in shared.items()):
            kept.append(example)
    return kept


class Contained:
    """Texts that may stand whole within longer ones, or longer ones within them, case and punctuation aside.

    Parameters
    ----------
    texts
        The texts; those of few words are left out, which stand anywhere.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = [s for s in map(shingles, texts) if len(s) >= _LEAST]
        self._places: dict[str, list[int]] = {}
        self._having: dict[str, set[int]] = defaultdict(set)
        for i, found in enumerate(self._texts):
            self._places.setdefault(min(found), []).append(i)
            for shingle in found:
                self._having[shingle].add(i)

    def touch(self, text: str) -> bool:
        """Tell whether all word 3-grams of one of the texts stand in a text, or all of its own in one of them."""
        found = shingles(text)
        if any(self._texts[i] <= found for shingle in found for i in self._places.get(shingle, ())):
            return True
        return len(found) >= _LEAST and bool(set.intersection(*(self._having.get(shingle, set()) for shingle in found)))
