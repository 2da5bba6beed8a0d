"""From tag and role scores to spans and links; NumPy only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stance.quotes.windows import Tokens

__all__ = ["Link", "Reading", "Span", "cues_of", "link", "spans_of", "viterbi"]

_NAMES = ("source", "cue", "content")


@dataclass(frozen=True, slots=True)
class Span:
    """A labelled span.

    Parameters
    ----------
    kind
        ``source``, ``cue`` or ``content``.
    first, last
        Its tokens, `last` excluded.
    start, end
        Offsets into the text.
    """

    kind: str
    first: int
    last: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Link:
    """One attribution: positions in the list of spans.

    Parameters
    ----------
    cue
        The cue, or ``None`` for content that no cue claims.
    sources, contents
        What belongs to it, in the order of the text.
    """

    cue: int | None
    sources: tuple[int, ...]
    contents: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """What the tagger read in one text."""

    tokens: Tokens
    tags: NDArray[np.int64]
    spans: list[Span]
    links: list[Link]


def viterbi(
    emissions: NDArray[np.float32], moves: NDArray[np.float32], paragraph: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the best tag sequence of an article, its paragraphs decoded side by side.

    Parameters
    ----------
    emissions
        Shape ``(tokens, tags)``.
    moves
        Score of each tag after each other, shape ``(tags, tags)``.
    paragraph
        Number of the paragraph of each token, not falling, shape ``(tokens,)``.
    """
    n, k = emissions.shape
    if not n:
        return np.zeros(0, dtype=np.int64)
    starts = np.flatnonzero(np.diff(paragraph, prepend=-1))
    lengths = np.diff(np.append(starts, n))
    order = np.argsort(-lengths, kind="stable")  # so that those still going are the first rows
    starts, lengths = starts[order], lengths[order]
    begin = np.array([moves[0, j] if j % 2 or not j else -1e4 for j in range(k)], dtype=np.float32)
    alpha = emissions[starts] + np.where(begin <= -1e4, begin, 0)
    back: list[NDArray[np.int8]] = []  # of each step after the first, for the paragraphs still going
    going = len(starts)
    for t in range(1, lengths[0]):
        while lengths[going - 1] <= t:
            going -= 1
        step = alpha[:going, :, None] + moves
        back.append(step.argmax(axis=1).astype(np.int8))
        alpha[:going] = step.max(axis=1) + emissions[starts[:going] + t]
    tags = np.zeros(n, dtype=np.int64)
    for row, (start, length) in enumerate(zip(starts, lengths, strict=True)):
        tag = int(alpha[row].argmax())
        tags[start + length - 1] = tag
        for t in range(length - 2, -1, -1):
            tag = int(back[t][row, tag])
            tags[start + t] = tag
    return tags


def spans_of(tags: NDArray[np.int64], tokens: Tokens) -> list[Span]:
    """Return the spans that tags spell, in the order of the text."""
    found: list[Span] = []
    i, n = 0, len(tags)
    while i < n:
        if not tags[i]:
            i += 1
            continue
        kind, inner = _NAMES[(int(tags[i]) - 1) // 2], int(tags[i]) + int(tags[i]) % 2
        j = i + 1
        while j < n and tags[j] == inner:
            j += 1
        start, end = int(tokens.start[i]), int(tokens.end[j - 1])
        if end > start:
            found.append(Span(kind, i, j, start, end))
        i = j
    return found


def cues_of(spans: Sequence[Span]) -> list[tuple[int, int]]:
    """Return the tokens of each cue."""
    return [(s.first, s.last) for s in spans if s.kind == "cue"]


def link(
    spans: Sequence[Span],
    cues: Sequence[tuple[int, int]],
    scores: Sequence[tuple[int, NDArray[np.float32]]],
    thresholds: Mapping[str, float],
) -> list[Link]:
    """Choose the cue of each content, and the source of each cue.

    Parameters
    ----------
    spans
        All spans.
    cues
        Tokens of the cues among them, in order.
    scores
        For each cue, the first token of its window and log-probabilities of shape ``(tokens, roles)``.
    thresholds
        ``content`` and ``source``: the lowest mean log-odds at which a span is linked.
    """
    kinds = np.array([s.kind for s in spans], dtype=np.str_)
    first, last = (np.array([getattr(s, end) for s in spans], dtype=np.int64) for end in ("first", "last"))
    owner, best = np.full(len(spans), -1), np.full(len(spans), thresholds.get("content", -2.0))
    sources: list[tuple[int, ...]] = []
    for c, (low, logs) in enumerate(scores):
        seen = slice(int(np.searchsorted(last, low, side="right")), int(np.searchsorted(first, low + len(logs))))
        as_source, as_content = _odds(first[seen] - low, last[seen] - low, logs)
        better = (kinds[seen] == "content") & (as_content > best[seen])
        owner[seen][better], best[seen][better] = c, as_content[better]
        as_source[kinds[seen] != "source"] = -np.inf
        top = len(as_source) - 1 - int(as_source[::-1].argmax())  # of equals the last
        sources.append((seen.start + top,) if as_source[top] > thresholds.get("source", -2.0) else ())
    contents: list[list[int]] = [[] for _ in cues]
    found: list[Link] = []
    for i in np.flatnonzero(kinds == "content").tolist():
        if owner[i] >= 0:
            contents[owner[i]].append(i)
        else:
            found.append(Link(None, (), (i,)))
    positions = np.flatnonzero(kinds == "cue").tolist()
    found += [Link(*parts) for parts in zip(positions, sources, map(tuple, contents), strict=True)]
    return sorted(found, key=lambda x: spans[(x.contents or (x.cue or 0,))[0]].start)


def _odds(
    first: NDArray[np.int64], last: NDArray[np.int64], logs: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean log-odds, as source and as content, of the tokens that each span has in a cue's window."""
    part = logs[:, 1:].astype(np.float64)
    odds = part - np.log1p(-np.minimum(np.exp(part), 1 - 1e-6))
    total = np.concatenate([np.zeros((1, 2)), odds.cumsum(axis=0)])
    low, high = np.maximum(first, 0), np.minimum(last, len(logs))
    source, content = ((total[high] - total[low]) / (high - low)[:, None]).T
    return source, content
