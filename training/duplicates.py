"""Near-duplicates (wire copy, repeated headlines), so that none crosses splits."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from stance.corpus import shingles
from stance.learning import Example

__all__ = ["drop_near_duplicates"]


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
