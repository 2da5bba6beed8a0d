"""PolNeAR's dev and test as CofeNet evaluates them: paragraphs of tokens, one layer of tags.

Wang et al. 2022, "CofeNet: Context and Former-Label Enhanced Net for Complicated Quotation Extraction", COLING. The
tokens are traced back to PolNeAR's own text, so that a tagger of raw text can be measured on them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Paragraph", "read", "tag_spans", "trace"]

_FILES = {"dev": "valid.txt", "test": "test.txt"}
_WRITTEN = {
    "``": ('"', "“", "''", "``", "‘‘", "„", "«"),
    "''": ('"', "”", "''", "’’", "»"),
    "`": ("‘", "'", "`"),
    "'": ("’", "'", "‘"),
    "-LRB-": ("(",),
    "-RRB-": (")",),
    "-LSB-": ("[",),
    "-RSB-": ("]",),
    "-LCB-": ("{",),
    "-RCB-": ("}",),
    "...": ("…", "..."),
    "--": ("—", "–", "--"),
}
_RESYNC = 6  # tokens that are looked for together where the text leaves the tokens' order


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph; `document` is the article's name with its annotator's code."""

    document: str
    tokens: tuple[str, ...]
    tags: tuple[str, ...]


def read(data: Path, split: str) -> Iterator[Paragraph]:
    """Yield the paragraphs of ``dev`` or ``test``."""
    with (data / "polnear-cofenet" / _FILES[split]).open(encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            yield Paragraph(record["id"], tuple(record["tokens"]), tuple(record["labels"]))


def tag_spans(tags: Sequence[str]) -> set[tuple[str, int, int]]:
    """Return ``(kind, first, last)`` of each span; an I- tag that continues nothing begins a span."""
    found: set[tuple[str, int, int]] = set()
    kind, first = "", 0
    for i, tag in enumerate([*tags, "O"]):
        continues = tag.startswith("I-") and tag[2:] == kind
        if kind and not continues:
            found.add((kind, first, i))
            kind = ""
        if tag != "O" and not continues:
            kind, first = tag[2:], i
    return found


def trace(text: str, paragraphs: Sequence[Paragraph]) -> list[list[int]]:
    """Return where each token of each paragraph of a document begins in its text; -1 where it cannot be found."""
    found, at = [], 0
    for paragraph in paragraphs:
        tokens = paragraph.tokens
        starts: list[int] = []
        for i, token in enumerate(tokens):
            at = _skip(text, at)
            size = _size(text, at, token)
            if not size and (moved := _resync(text, tokens[i : i + _RESYNC], at)) is not None:
                at = moved
                size = _size(text, at, token)
            starts.append(at if size else -1)
            at += size
        found.append(starts)
    return found


def _skip(text: str, at: int) -> int:
    while at < len(text) and (text[at].isspace() or text[at] in "\u200b\ufeff\u00ad"):
        at += 1
    return at


def _size(text: str, at: int, token: str) -> int:
    """Return how many characters of the text a token is there, 0 if it is not."""
    options = (
        *_WRITTEN.get(token, ()),
        token,
        token.replace("'", "’"),
        token.replace("'", "‘"),
        token.replace("...", "…"),
    )
    return next((len(o) for o in options if o and text.startswith(o, at)), 0)


def _resync(text: str, tokens: Sequence[str], at: int) -> int | None:
    """Find the next place, or else the first, where the tokens stand together."""
    parts = ["(?:" + "|".join(re.escape(o) for o in (*_WRITTEN.get(t, ()), t)) + ")" for t in tokens]
    pattern = re.compile(r"\s*".join(parts).replace("'", "['’‘]"))
    match = pattern.search(text, at) or pattern.search(text)
    return match.start() if match else None
