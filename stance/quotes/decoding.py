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
    back = np.zeros((lengths[0], len(starts), k), dtype=np.int64)
    going = len(starts)
    for t in range(1, lengths[0]):
        while lengths[going - 1] <= t:
            going -= 1
        step = alpha[:going, :, None] + moves
        back[t, :going] = step.argmax(axis=1)
        alpha[:going] = step.max(axis=1) + emissions[starts[:going] + t]
    tags = np.zeros(n, dtype=np.int64)
    for row, (start, length) in enumerate(zip(starts, lengths, strict=True)):
        tag = int(alpha[row].argmax())
        for t in range(length - 1, -1, -1):
            tags[start + t] = tag
            tag = int(back[t, row, tag])
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
    positions = [i for i, s in enumerate(spans) if s.kind == "cue"]
    contents: list[list[int]] = [[] for _ in cues]
    alone: list[int] = []
    for i, span in enumerate(spans):
        if span.kind != "content":
            continue
        values = [_odds(span, *scores[c], role=2) for c in range(len(cues))]
        best = int(np.argmax(values)) if values else -1
        if best >= 0 and values[best] > thresholds.get("content", -2.0):
            contents[best].append(i)
        else:
            alone.append(i)
    found: list[Link] = []
    for c, mine in enumerate(contents):
        choices = [(_odds(s, *scores[c], role=1), i) for i, s in enumerate(spans) if s.kind == "source"]
        value, best = max(choices, default=(-np.inf, -1))
        sources = (best,) if value > thresholds.get("source", -2.0) else ()
        found.append(Link(positions[c], sources, tuple(mine)))
    found += [Link(None, (), (i,)) for i in alone]
    return sorted(found, key=lambda x: spans[(x.contents or (x.cue or 0,))[0]].start)


def _odds(span: Span, low: int, logs: NDArray[np.float32], *, role: int) -> float:
    """Return the mean log-odds of a span's tokens for a role; minus infinity outside the cue's window."""
    part = logs[max(0, span.first - low) : max(0, span.last - low), role]
    if not len(part):
        return -np.inf
    others = np.log1p(-np.minimum(np.exp(part), 1 - 1e-6))
    return float((part - others).mean())
