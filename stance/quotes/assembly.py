"""From what was found to statements: trimmed, never overlapping, with stable ids and context."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from stance.quotes.modality import factuality, kind_of
from stance.schema import Article, QuoteType, Speaker, Statement, stable_id

__all__ = ["Found", "statements"]

_WORD = re.compile(r"\w+")


@dataclass(slots=True)
class Found:
    """One unbroken piece of what somebody says.

    Parameters
    ----------
    start, end
        Offsets into the text.
    quote_type, cue, speaker
        As in `Statement`.
    group
        Pieces of one quotation have the same number.
    cue_at
        Where the cue begins in the text, or ``None``.
    """

    start: int
    end: int
    quote_type: QuoteType
    cue: str | None
    speaker: Speaker | None
    group: int
    cue_at: int | None = None


def statements(article: Article, found: list[Found], context_chars: int) -> list[Statement]:
    """Return statements in the order of the text."""
    text = article.text
    kept: list[Found] = []
    for item in sorted(found, key=lambda f: (f.start, -f.end)):
        trimmed = _trimmed(text, item)
        if trimmed is None or (kept and trimmed.start < kept[-1].end):
            continue
        kept.append(trimmed)
    first: dict[int, int] = {}
    for item in kept:
        first.setdefault(item.group, item.start)
    return [
        Statement(
            id=stable_id(article.id, item.start, item.end),
            text=text[item.start : item.end],
            start=item.start,
            end=item.end,
            quotation_id=stable_id(article.id, first[item.group], "quotation"),
            quote_type=item.quote_type,
            cue=item.cue,
            speaker=item.speaker,
            before=_window_before(text, item.start, context_chars),
            after=_window_after(text, item.end, context_chars),
            article_id=article.id,
            kind=kind_of(item.cue),
            factuality=factuality(text, item.start, item.end, item.cue, item.cue_at),
        )
        for item in kept
    ]


def _trimmed(text: str, item: Found) -> Found | None:
    """Cut spaces, and the comma that a quotation carries before its cue; ``None`` if no word is left."""
    start, end = item.start, item.end
    while start < end and text[start].isspace():
        start += 1
    while end > start and (text[end - 1].isspace() or text[end - 1] == ","):
        end -= 1
    if not _WORD.search(text, start, end):
        return None
    return replace(item, start=start, end=end)


def _window_before(text: str, start: int, size: int) -> str:
    low = max(0, start - size)
    if low > 0:
        space = text.find(" ", low, start)
        low = space + 1 if space >= 0 else low
    return text[low:start]


def _window_after(text: str, end: int, size: int) -> str:
    high = min(len(text), end + size)
    if high < len(text):
        space = text.rfind(" ", end, high)
        high = space if space >= 0 else high
    return text[end:high]
