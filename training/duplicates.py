"""Near-duplicates (wire copy, repeated headlines), so that none crosses splits."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from stance.learning import Example

__all__ = ["drop_near_duplicates", "shingles"]

_WORD = re.compile(r"\w+")


def shingles(text: str, size: int = 3) -> frozenset[tuple[str, ...]]:
    """Return the word n-grams of a text, lower-cased; a shorter text is one n-gram."""
    words = _WORD.findall(text.casefold())
    return frozenset(tuple(words[i : i + size]) for i in range(max(1, len(words) - size + 1)))


def drop_near_duplicates(
    train: Sequence[Example], held_out: Iterable[Example], *, threshold: float = 0.5
) -> list[Example]:
    """Return the training examples that repeat no held-out statement.

    Two statements repeat each other when the Jaccard similarity of their word 3-grams is at least `threshold`
    (Broder 1997, "On the resemblance and containment of documents").
    """
    index: dict[tuple[str, ...], list[int]] = defaultdict(list)
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
