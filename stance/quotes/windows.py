"""Articles as tokens for the tagger, and the windows that the encoder reads.

Nothing is truncated: windows follow one another, overlap at their borders, and each token is owned by exactly one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from stance.quotes.marks import find_quotes, paragraphs

__all__ = ["CLS", "PAD", "SEP", "SHAPES", "VOCABULARY", "Tokens", "Window", "article_tokens", "article_windows"]

PAD, UNKNOWN, CLS, SEP = 0, 100, 101, 102  # of the vocabulary of uncased BERT
VOCABULARY = 30_522
SHAPES = 12
"""Number of token shapes: lower case, capital, capitals, other × outside a quotation, its mark, inside."""

_OWNED = 208  # tokens that a window owns, at most
_ACROSS = 16  # tokens read beyond a border that lies between paragraphs
_WITHIN = 64  # the same where the border cuts a paragraph
_STOPS = frozenset((1012, 1029, 999, 1000, 1524))  # . ? ! " ”


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of an article; between two paragraphs stands a separator of no width.

    Parameters
    ----------
    ids, start, end, shape
        Token id, offsets into the text, and shape of each token, shape ``(n,)``.
    paragraph
        Number of the paragraph of each token, shape ``(n,)``; a separator belongs to the paragraph before it.
    """

    ids: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    shape: NDArray[np.int64]
    paragraph: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Window:
    """Tokens ``low`` to ``high`` of an article, of which those from ``first`` to ``last`` are its own."""

    low: int
    high: int
    first: int
    last: int


def article_tokens(text: str, tokenizer: Tokenizer) -> Tokens:
    """Split a text into tokens."""
    spans = paragraphs(text)
    encoded = tokenizer.encode(text, add_special_tokens=False)
    offsets = np.array(encoded.offsets, dtype=np.int64).reshape(-1, 2)
    ids = np.array(encoded.ids, dtype=np.int64)
    ids[ids >= VOCABULARY] = UNKNOWN
    number = np.searchsorted(np.array([s for s, _ in spans], dtype=np.int64), offsets[:, 0], side="right") - 1
    shape = _shapes(text, offsets, spans)
    breaks = np.flatnonzero(np.diff(number)) + 1 if len(number) else np.array([], dtype=np.int64)
    at = offsets[breaks - 1, 1] if len(breaks) else breaks
    return Tokens(
        np.insert(ids, breaks, SEP),
        np.insert(offsets[:, 0], breaks, at),
        np.insert(offsets[:, 1], breaks, at),
        np.insert(shape, breaks, 3),
        np.insert(number, breaks, number[breaks - 1] if len(breaks) else breaks),
    )


def _shapes(text: str, offsets: NDArray[np.int64], spans: list[tuple[int, int]]) -> NDArray[np.int64]:
    state = np.zeros(len(text) + 1, dtype=np.int64)
    for quote in find_quotes(text, spans):
        state[quote.outer_start : quote.outer_end] = 2
        state[quote.outer_start : quote.start] = 1
        state[quote.end : quote.outer_end] = 1
    found = np.empty(len(offsets), dtype=np.int64)
    for i, (a, b) in enumerate(offsets.tolist()):
        first = text[a : a + 1]
        if not first.isalpha():
            kind = 3
        elif not first.isupper():
            kind = 0
        else:
            kind = 2 if b - a > 1 and text[a:b].isupper() else 1
        found[i] = kind
    return found * 3 + state[offsets[:, 0]] if len(offsets) else found


def article_windows(tokens: Tokens) -> list[Window]:
    """Cut an article into windows, between paragraphs where possible, else after a sentence."""
    borders = _borders(tokens)
    windows = []
    for first, last in pairwise(borders):
        low = max(0, first - _margin(tokens, first))
        high = min(len(tokens), last + _margin(tokens, last))
        windows.append(Window(low, high, first, last))
    return windows


def _margin(tokens: Tokens, border: int) -> int:
    between = 0 < border < len(tokens) and tokens.paragraph[border - 1] != tokens.paragraph[border]
    return _ACROSS if between else _WITHIN


def _borders(tokens: Tokens) -> list[int]:
    """Return where windows begin, and the article's end."""
    n = len(tokens)
    changes = (np.flatnonzero(np.diff(tokens.paragraph)) + 1).tolist()
    ends: Sequence[int] = [*changes, n]
    borders, open_from = [0], 0
    for end in ends:
        start = borders[-1]
        if end - start <= _OWNED:
            open_from = end
            continue
        if open_from > start:
            borders.append(open_from)
        while end - borders[-1] > _OWNED:
            borders.append(_cut(tokens, borders[-1], end))
        open_from = end
    return [*borders, n] if n > borders[-1] else borders


def _cut(tokens: Tokens, start: int, end: int) -> int:
    """Return where to cut a long paragraph: after the last sentence that fits, else where the window is full."""
    for i in range(min(start + _OWNED, end) - 1, start + _OWNED // 3, -1):
        if int(tokens.ids[i - 1]) in _STOPS and tokens.start[i] > tokens.end[i - 1]:
            return i
    return min(start + _OWNED, end)
