"""Sentence boundaries that respect quotations and abbreviations."""

from __future__ import annotations

import re
from collections.abc import Sequence

from stance.quotes.letters import CAPITALS
from stance.quotes.marks import Quote

__all__ = ["MASK", "STOP", "mask_quotes", "sentences"]

_END = re.compile(rf"(?<=[.!?…‡])[\"”’»)\]]*\s+(?=[\"“„«‘'(\[]?[{CAPITALS}0-9¤‡])")
_ABBREVIATION = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|St|Gen|Sen|Rep|Gov|Lt|Col|Sgt|Capt|Maj|Adm|Cmdr|Hon|Rev|Jr|Sr|vs|No|Inc|Corp|Co|Ltd|"
    r"Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec|a\.m|p\.m|i\.e|e\.g|etc|Amb|Sec)|\b[A-Z](?:\.[A-Z])*)\.$"
)
MASK = "¤"
"""Stands for every character of a quotation, marks included, so that rules look outside quotations only."""
STOP = "‡"
"""Stands for the last character of a quotation that ends its own sentence ("… home.”")."""


def mask_quotes(text: str, quotes: Sequence[Quote], start: int, end: int) -> str:
    """Return ``text[start:end]`` with quotations masked by `MASK` and `STOP`."""
    parts, at = [], start
    for quote in quotes:
        if quote.outer_end <= start or quote.outer_start >= end:
            continue
        a, b = max(quote.outer_start, start), min(quote.outer_end, end)
        stops = text[quote.end - 1 : quote.end] in tuple(".!?…") and b == quote.outer_end
        parts += [text[at:a], MASK * (b - a - stops), STOP if stops else ""]
        at = b
    return "".join([*parts, text[at:end]])


def sentences(masked: str) -> list[tuple[int, int]]:
    """Return the offsets of the sentences of a masked paragraph."""
    found, start = [], 0
    for match in _END.finditer(masked):
        if _ABBREVIATION.search(masked, max(start, match.start() - 8), match.start()):
            continue
        found.append((start, match.start()))
        start = match.end()
    found.append((start, len(masked)))
    return [(a, b) for a, b in found if masked[a:b].strip()]
