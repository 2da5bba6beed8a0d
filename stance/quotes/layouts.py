"""Speech that a page's layout gives to its speaker, without a verb: signed quotations and transcripts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from stance.quotes.letters import CAPITALS, SMALL
from stance.quotes.marks import Quote
from stance.quotes.subjects import PERSON, Mention
from stance.quotes.words import country_of
from stance.quotes.works import is_page_label

__all__ = ["LaidOut", "laid_out"]

_SIGNATURE = re.compile(rf"[ \t\xa0]*[―—–]{{1,2}}[ \t\xa0]*({PERSON.pattern})[^\n“”\"]{{0,80}}(?=\n|\Z)")
_LINE = re.compile(r"^[“\"]?([A-Z][A-Z.'’ -]{1,40}):[ \t\xa0]+(\S[^\n]*)", re.MULTILINE)
_CAPITALISED = re.compile(rf"(?<![\w'’-])[{CAPITALS}][\w'’-]*[{SMALL}][\w'’-]*")
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
    """Return the lines that begin with a name in capitals, if several people speak so by turns.

    What stands before a colon once only is a name if the text has its words elsewhere, written as names are.
    """
    lines = [m for m in _LINE.finditer(text) if not _is_heading(text, m)]
    if len(lines) < _FEWEST_LINES:
        return []
    times = Counter(m.group(1) for m in lines)
    written = {m.group().upper() for m in _CAPITALISED.finditer(text)}
    lines = [m for m in lines if times[m.group(1)] > 1 or written.issuperset(m.group(1).split())]
    if len(lines) < _FEWEST_LINES or len({m.group(1) for m in lines}) < _FEWEST_NAMES:
        return []
    return [
        LaidOut(((m.start(2), m.start(2) + len(m.group(2).rstrip(_CLOSING))),), Mention(*m.span(1), m.group(1)))
        for m in lines
    ]


def _is_heading(text: str, line: re.Match[str]) -> bool:
    """Whether a line begins with a label of the page or a place: "READ MORE: ", "LONDON: "."""
    return is_page_label(text, line.end(1)) or country_of(line.group(1).title()) is not None
