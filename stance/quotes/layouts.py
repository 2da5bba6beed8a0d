"""Speech that a page's layout gives to its speaker, without a verb: signed quotations and transcripts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from stance.quotes.marks import Quote
from stance.quotes.subjects import PERSON, Mention

__all__ = ["LaidOut", "laid_out"]

_SIGNATURE = re.compile(rf"[ \t\xa0]*[―—–]{{1,2}}[ \t\xa0]*({PERSON.pattern})[^\n“”\"]{{0,80}}(?=\n|\Z)")
_LINE = re.compile(r"^[“\"]?([A-Z][A-Z.'’ -]{1,40}):[ \t\xa0]+(\S[^\n]*)", re.MULTILINE)
_FEWEST_LINES, _FEWEST_NAMES = 3, 2
_CLOSING = ' \t\xa0"”'


@dataclass(frozen=True, slots=True)
class LaidOut:
    """What one person says.

    Parameters
    ----------
    pieces
        Offsets of the words, one pair a paragraph.
    mention
        The speaker's name.
    """

    pieces: tuple[tuple[int, int], ...]
    mention: Mention


def laid_out(text: str, quotes: Sequence[Quote]) -> list[LaidOut]:
    """Find signed quotations (“…” — Ann Lee) and the lines of transcripts (LEE: …), in the order of the text."""
    return sorted([*_signed(text, quotes), *_transcript(text)], key=lambda x: x.pieces)


def _signed(text: str, quotes: Sequence[Quote]) -> list[LaidOut]:
    found = []
    for i, quote in enumerate(quotes):
        if quote.outer_end == quote.end:
            continue
        name = _SIGNATURE.match(text, quote.outer_end)
        first = i
        while first and quotes[first].continues:
            first -= 1
        if name and not text[text.rfind("\n", 0, quotes[first].outer_start) + 1 : quotes[first].outer_start].strip():
            pieces = tuple((q.outer_start, q.outer_end) for q in quotes[first : i + 1])
            found.append(LaidOut(pieces, Mention(name.start(1), name.end(1), name.group(1))))
    return found


def _transcript(text: str) -> list[LaidOut]:
    """Return the lines that begin with a name in capitals, if several people speak so by turns."""
    lines = list(_LINE.finditer(text))
    if len(lines) < _FEWEST_LINES or len({m.group(1) for m in lines}) < _FEWEST_NAMES:
        return []
    return [
        LaidOut(((m.start(2), m.start(2) + len(m.group(2).rstrip(_CLOSING))),), Mention(*m.span(1), m.group(1)))
        for m in lines
    ]
