"""Articles to statements by rules alone: quotation marks, reporting verbs and speakers put together.

The fallback where no tagger can run, and the baseline that the tagger is measured against.
"""

from __future__ import annotations

import re

from stance.quotes.assembly import Found
from stance.quotes.attribution import Attribution, attributions
from stance.quotes.marks import Quote, find_quotes, paragraphs
from stance.quotes.sentences import mask_quotes, sentences
from stance.quotes.speakers import SpeakerBook

__all__ = ["found_by_rules"]

_FEWEST_FLOATING = 4  # words of a quotation that is taken for a statement although nothing says who speaks
_WORD = re.compile(r"\w+")
_ASIDE = re.compile(r"\([^()\n]{1,40}\)")  # "Rep. Gwen Hill (D-Ohio) said"


def found_by_rules(text: str) -> list[Found]:
    """Return what the rules find in a text, not yet trimmed."""
    spans = paragraphs(text)
    quotes = find_quotes(text, spans)
    reader = _Reader(text)
    at = 0
    for start, end in spans:
        inside = []
        while at < len(quotes) and quotes[at].outer_start < end:
            inside.append(quotes[at])
            at += 1
        reader.paragraph(start, end, inside)
    return reader.settled()


class _Reader:
    """Reads paragraph after paragraph and remembers who spoke last."""

    def __init__(self, text: str) -> None:
        self.found: list[Found] = []
        self._text = text
        self._book = SpeakerBook(text)
        self._groups = 0

    def paragraph(self, start: int, end: int, quotes: list[Quote]) -> None:
        masked = _ASIDE.sub(_blank, mask_quotes(self._text, quotes, start, end))
        first, at = len(self.found), 0
        for a, b in sentences(masked):
            mine = []
            while at < len(quotes) and quotes[at].outer_start < start + b:
                mine.append(quotes[at])
                at += 1
            outer = [(q.outer_start - start, q.outer_end - start) for q in mine]
            found = attributions(masked, a, b, outer)
            self._attributed(found, start, mine)
            self._floating(found, a, b, start, masked, mine, first)

    def settled(self) -> list[Found]:
        """Return what was found when all is read."""
        return self._book.settled(self.found)

    def _attributed(self, found: list[Attribution], offset: int, quotes: list[Quote]) -> None:
        by_start = {q.outer_start - offset: q for q in quotes}
        numbers: dict[int, int] = {}
        for item in found:
            speaker = self._book.speaker(item.speaker, self._text, offset)
            if item.group not in numbers:
                numbers[item.group] = self._next_group()
            start, end = item.start + offset, item.end + offset
            if item.quote_type == "direct" and (quote := by_start.get(item.start)):
                start, end = quote.start, quote.end
                if quote.continues and self.found:
                    numbers[item.group] = self.found[-1].group
            cue = self._text[item.cue[0] + offset : item.cue[1] + offset] if item.cue else None
            cue_at = item.cue[0] + offset if item.cue else None
            self.found.append(Found(start, end, item.quote_type, cue, speaker, numbers[item.group], cue_at))

    def _floating(
        self,
        found: list[Attribution],
        a: int,
        b: int,
        offset: int,
        masked: str,
        quotes: list[Quote],
        first: int,
    ) -> None:
        """Take the quotations of a sentence that no reporting verb claims."""
        for quote in quotes:
            s, e = quote.outer_start - offset, quote.outer_end - offset
            if not a <= s < b or any(f.start < e and s < f.end for f in found):
                continue
            words = len(_WORD.findall(self._text, quote.start, quote.end))
            alone = not masked[a:s].strip(" ,:;—–-") and not masked[e:b].strip(" ,.:;—–-")
            previous = self.found[-1] if self.found else None
            follows = len(self.found) > first and previous is not None and previous.quote_type == "direct"
            if words < _FEWEST_FLOATING and not (alone and (words > 1 or follows)):
                continue
            carries = previous is not None and (alone or quote.continues)
            joins = (
                carries
                and previous is not None
                and (quote.continues or (len(self.found) > first and previous.quote_type == "direct"))
            )
            group = previous.group if joins and previous else self._next_group()
            speaker = previous.speaker if carries and previous else None
            cue = previous.cue if joins and previous else None
            self.found.append(Found(quote.start, quote.end, "direct", cue, speaker, group))

    def _next_group(self) -> int:
        self._groups += 1
        return self._groups


def _blank(match: re.Match[str]) -> str:
    return " " * len(match.group())
