"""PolNeAR as training windows of the quotation tagger."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from stance.quotes.network import TAGS
from stance.quotes.windows import CLS, PAD, SEP, Tokens, article_tokens, article_windows
from training.corpora.polnear import Annotated, Fragments

__all__ = ["Batch", "Example", "batches", "collate", "examples", "inside", "tag_ids"]

_TAG = {tag: i for i, tag in enumerate(TAGS)}


@dataclass(frozen=True, slots=True)
class Example:
    """One window with its gold tags, and the gold roles of its tokens for each cue in it.

    Parameters
    ----------
    ids, shapes, tags
        With the leading and closing special token, shape ``(tokens,)``.
    cues
        Which tokens are the cue, shape ``(cues, tokens)``.
    roles
        Role of each token for each cue, shape ``(cues, tokens)``.
    """

    ids: NDArray[np.int64]
    shapes: NDArray[np.int64]
    tags: NDArray[np.int64]
    cues: NDArray[np.bool_]
    roles: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Batch:
    """Windows padded to one length; fields as in `QuoteNetwork`."""

    ids: Tensor
    shapes: Tensor
    mask: Tensor
    tags: Tensor
    rows: Tensor
    cues: Tensor
    centres: Tensor
    roles: Tensor


def inside(tokens: Tokens, pieces: Fragments) -> NDArray[np.bool_]:
    """Return which tokens lie in a span, shape ``(n,)``; separators never do."""
    found = np.zeros(len(tokens), dtype=bool)
    for start, end in pieces:
        found |= (tokens.start < end) & (tokens.end > start) & (tokens.end > tokens.start)
    return found


def tag_ids(tokens: Tokens, annotated: Annotated) -> NDArray[np.int64]:
    """Return the gold tag of each token, shape ``(n,)``; a cue counts before a source, a source before content."""
    tags = np.zeros(len(tokens), dtype=np.int64)
    for role in ("content", "source", "cue"):
        for attribution in annotated.attributions:
            marked = inside(tokens, getattr(attribution, role))
            tags[marked] = _TAG[f"I-{role}"]
            tags[marked & ~np.roll(marked, 1)] = _TAG[f"B-{role}"]
            if marked[:1].any():
                tags[0] = _TAG[f"B-{role}"]
    # what an overlap cut in two begins anew
    for i in range(len(tags)):
        if tags[i] and tags[i] % 2 == 0 and (i == 0 or tags[i - 1] not in (tags[i], tags[i] - 1)):
            tags[i] -= 1
    return tags


def examples(annotated: Annotated, tokenizer: Tokenizer) -> Iterator[Example]:
    """Yield the windows of an article."""
    tokens = article_tokens(annotated.text, tokenizer)
    if not len(tokens):
        return
    tags = tag_ids(tokens, annotated)
    cues = [inside(tokens, a.cue) for a in annotated.attributions]
    roles = []
    for attribution in annotated.attributions:
        role = np.zeros(len(tokens), dtype=np.int64)
        role[inside(tokens, attribution.content)] = 2
        role[inside(tokens, attribution.source)] = 1
        roles.append(role)
    for w in article_windows(tokens):
        part = slice(w.low, w.high)
        here = [i for i, c in enumerate(cues) if c[w.first : w.last].any()]
        pad = ((0, 0), (1, 1))
        n = w.high - w.low
        yield Example(
            np.concatenate([[CLS], tokens.ids[part], [SEP]]),
            np.pad(tokens.shape[part], 1),
            _repaired(np.pad(tags[part], 1)),
            np.pad(np.array([cues[i][part] for i in here], dtype=bool).reshape(-1, n), pad),
            np.pad(np.array([roles[i][part] for i in here], dtype=np.int64).reshape(-1, n), pad),
        )


def _repaired(tags: NDArray[np.int64]) -> NDArray[np.int64]:
    """Begin anew the span that a window's border cuts."""
    if len(tags) > 1 and tags[1] and tags[1] % 2 == 0:
        tags[1] -= 1
    return tags


def batches(lengths: Sequence[int], tokens: int, rng: np.random.Generator) -> list[list[int]]:
    """Group examples of like length, at most `tokens` padded tokens to a batch, in random order."""
    jitter = rng.uniform(0, 12, len(lengths))
    order = sorted(range(len(lengths)), key=lambda i: lengths[i] + jitter[i])
    found: list[list[int]] = []
    for i in order:
        if found and max(lengths[i], *(lengths[j] for j in found[-1])) * (len(found[-1]) + 1) <= tokens:
            found[-1].append(i)
        else:
            found.append([i])
    rng.shuffle(found)
    return found


def collate(chosen: Sequence[Example]) -> Batch:
    """Pad examples to one length."""
    width = max(len(e.ids) for e in chosen)

    def padded(arrays: Sequence[NDArray[np.int64]], value: int) -> Tensor:
        return torch.from_numpy(np.stack([np.pad(a, (0, width - len(a)), constant_values=value) for a in arrays]))

    cues = np.zeros((sum(len(e.cues) for e in chosen), width), dtype=np.float32)
    roles = np.full(cues.shape, -100, dtype=np.int64)
    rows = np.repeat(np.arange(len(chosen)), [len(e.cues) for e in chosen])
    at = 0
    for e in chosen:
        for cue, role in zip(e.cues, e.roles, strict=True):
            cues[at, : len(cue)] = cue / max(1, cue.sum())
            roles[at, 1 : len(role) - 1] = role[1:-1]
            at += 1
    return Batch(
        padded([e.ids for e in chosen], PAD),
        padded([e.shapes for e in chosen], 0),
        padded([np.ones(len(e.ids), dtype=np.int64) for e in chosen], 0).bool(),
        padded([e.tags for e in chosen], 0),
        torch.from_numpy(rows),
        torch.from_numpy(cues),
        torch.from_numpy((cues * np.arange(width)).sum(1).round().astype(np.int64)),
        torch.from_numpy(roles),
    )
