"""Figures for quotation extraction: exact spans as CofeNet counts them, and linked attributions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stance.quotes.marks import find_quotes, paragraphs
from stance.schema import Statement
from training.corpora.polnear import Annotated, Fragments, joined

__all__ = [
    "COLUMNS",
    "LENGTHS",
    "TYPES",
    "Predicted",
    "counts",
    "linked",
    "overlap",
    "predictions",
    "quote_type",
    "span_f1",
]

TYPES = ("direct", "mixed", "indirect")
LENGTHS = ((1, 5), (6, 15), (16, 30), (31, 10_000))
COLUMNS = (
    *("gold", "predicted", "matched", "exact", "sourced", "source_overlap", "source_exact"),
    *(f"{what}_{kind}" for kind in TYPES for what in ("gold", "predicted", "matched")),
    *(f"{what}_words_{low}" for low, _ in LENGTHS for what in ("gold", "matched")),
)
"""What `counts` counts; figures are ratios of sums of these."""

_WORD = re.compile(r"\w+")
_TRIM = " \t\n\r\xa0,.;:!?…\"“”'‘’`—–-"


@dataclass(frozen=True, slots=True)
class Predicted:
    """One extracted attribution: pieces of content, and of the speaker's mention."""

    content: Fragments
    source: Fragments
    quote_type: str


def predictions(text: str, statements: Iterable[Statement]) -> list[Predicted]:
    """Join the parts of each quotation."""
    groups: dict[str, list[Statement]] = {}
    for statement in statements:
        groups.setdefault(statement.quotation_id, []).append(statement)
    found = []
    for parts in groups.values():
        content = joined([(s.start, s.end) for s in parts])
        who = {(s.speaker.start, s.speaker.end) for s in parts if s.speaker}
        source = joined([(a, b) for a, b in who if a is not None and b is not None])
        kinds = {s.quote_type for s in parts}
        found.append(Predicted(content, source, str(kinds.pop()) if len(kinds) == 1 else "mixed"))
    return found


def quote_type(annotated: Annotated) -> list[str]:
    """Return ``direct``, ``mixed`` or ``indirect`` for each gold attribution, by its words in quotation marks."""
    text = annotated.text
    marked = np.zeros(len(text), dtype=bool)
    for quote in find_quotes(text, paragraphs(text)):
        marked[quote.start : quote.end] = True
    found = []
    for attribution in annotated.attributions:
        at = [m.start() for a, b in attribution.content for m in _WORD.finditer(text, a, b)]
        share = float(marked[at].mean()) if at else 0.0
        found.append("direct" if share == 1 else "mixed" if share else "indirect")
    return found


def overlap(a: Fragments, b: Fragments) -> int:
    """Return how many characters two spans share."""
    return sum(max(0, min(x[1], y[1]) - max(x[0], y[0])) for x in a for y in b)


def linked(gold: Sequence[Fragments], predicted: Sequence[Fragments], least: float = 0.5) -> list[tuple[int, int]]:
    """Match contents one to one, best first, where the Jaccard index of their characters is at least `least`."""
    sizes = [sum(b - a for a, b in spans) for spans in gold]
    own = [sum(b - a for a, b in spans) for spans in predicted]
    pairs = []
    for i, g in enumerate(gold):
        for j, p in enumerate(predicted):
            if p and g and p[0][0] < g[-1][1] and g[0][0] < p[-1][1] and (shared := overlap(g, p)):
                index = shared / (sizes[i] + own[j] - shared)
                if index >= least:
                    pairs.append((-index, i, j))
    found: list[tuple[int, int]] = []
    for _, i, j in sorted(pairs):
        if all(i != a and j != b for a, b in found):
            found.append((i, j))
    return found


def counts(annotated: Annotated, predicted: Sequence[Predicted], least: float = 0.5) -> NDArray[np.int64]:
    """Return the `COLUMNS` of one annotated article."""
    at = {name: i for i, name in enumerate(COLUMNS)}
    row = np.zeros(len(COLUMNS), dtype=np.int64)
    kinds = quote_type(annotated)
    gold = [(a, k) for a, k in zip(annotated.attributions, kinds, strict=True) if a.content]
    row[at["gold"]], row[at["predicted"]] = len(gold), len(predicted)
    sizes = [_length(annotated.text, a.content) for a, _ in gold]
    for (_, kind), size in zip(gold, sizes, strict=True):
        row[at[f"gold_{kind}"]] += 1
        row[at[f"gold_words_{size}"]] += 1
    for p in predicted:
        row[at[f"predicted_{p.quote_type}"]] += 1
    for i, j in linked([a.content for a, _ in gold], [p.content for p in predicted], least):
        attribution, kind = gold[i]
        row[at["matched"]] += 1
        row[at[f"matched_{kind}"]] += 1
        row[at[f"matched_words_{sizes[i]}"]] += 1
        row[at["exact"]] += _same(annotated.text, attribution.content, predicted[j].content)
        if attribution.source:
            row[at["sourced"]] += 1
            row[at["source_overlap"]] += overlap(attribution.source, predicted[j].source) > 0
            row[at["source_exact"]] += _same(annotated.text, attribution.source, predicted[j].source)
    return row


def _length(text: str, pieces: Fragments) -> int:
    words = sum(len(_WORD.findall(text, a, b)) for a, b in pieces)
    return next(low for low, high in LENGTHS if words <= high)


def _same(text: str, a: Fragments, b: Fragments) -> bool:
    """Whether two spans hold the same words; quotation marks, stops and a leading "that" count for nothing."""
    return _words(text, a) == _words(text, b)


def _words(text: str, pieces: Fragments) -> list[int]:
    found = [m.start() for a, b in pieces for m in _WORD.finditer(text, a, b)]
    return found[1:] if found and text[found[0] : found[0] + 5].lower() == "that " else found


def span_f1(
    gold: Sequence[set[tuple[str, int, int]]], predicted: Sequence[set[tuple[str, int, int]]]
) -> NDArray[np.int64]:
    """Count spans of each kind: shape ``(documents, 3 kinds, 3)`` with gold, predicted and exactly equal."""
    found = np.zeros((len(gold), 3, 3), dtype=np.int64)
    for d, (g, p) in enumerate(zip(gold, predicted, strict=True)):
        for k, kind in enumerate(("source", "cue", "content")):
            a, b = ({s for s in spans if s[0] == kind} for spans in (g, p))
            found[d, k] = len(a), len(b), len(a & b)
    return found
