"""Articles to statements with the tagger, joined with the exact rules of quotation marks.

The tagger says which words are said, by which cue and source; quotation marks say exactly where a quotation begins and
ends, so that what the tagger touches of one is taken whole. Quotations that no cue claims are carried by the speaker
before them, as newspapers write them.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from stance.quotes.assembly import Found
from stance.quotes.decoding import Reading, Span
from stance.quotes.layouts import laid_out
from stance.quotes.letters import CAPITALS
from stance.quotes.marks import Quote, find_quotes, paragraphs
from stance.quotes.rules import found_by_rules
from stance.quotes.sentences import sentences
from stance.quotes.speakers import SpeakerBook
from stance.quotes.subjects import PERSON, Mention
from stance.quotes.tagger import QuoteTagger
from stance.quotes.words import country_of
from stance.quotes.works import is_name, is_naming, is_page_label, says_nothing
from stance.schema import QuoteType, Speaker

__all__ = ["found_by_tagger"]

_WORD = re.compile(r"\w+")
_FEWEST_FLOATING = 4  # words of a quotation that counts as a statement although nothing says who speaks
_LEAD = re.compile(  # "that the port is open"; in "that would be a mistake" it is a pronoun
    r"[\s,:;.—–-]*(?:that\s+(?!(?:is|was|will|would|has|had|can|could|may|might|must|should|does|did|won)(?:n[’']t)?\b))?"
)
_ADDRESS = re.compile(r"(?:\w+\s+){0,2}\w+:\s*$")  # "told him: “…”"
_APPOSED = re.compile(
    r"(?:who|whose|which|a|an|the|now|then|formerly|once|\d{1,3}|led|headed|founded|based|backed|written|including|"
    r"speaking|citing)\b"
)
_DATELINE = re.compile(  # "KYIV (AP) — ", "LONDON, May 3 - "
    rf"[{CAPITALS}][{CAPITALS}.’'/-]+(?: [{CAPITALS}.’'/-]+){{0,3}}"
    r"(?:, [A-Z][\w. ]{1,20})?(?: \([^()\n]{1,30}\))? ?"
    rf"(?:(?:—|--) ?|– |(?<= )- )(?=[{CAPITALS}“\"])"  # not the dash of "U.S.-China", "Paris–Berlin"
)
_ADDRESSING = re.compile(r"^(?:Mr|Mrs|Ms|Dr|Prof|Sgt|Lt|Capt|Col|Gen|Adm|Maj|Sen|Rep|Gov|Rev)\.? ")
_ENUMERATED = re.compile(r",?\s+and\s+|,\s+")
_ASKED = re.compile(r"(?:Asked|Questioned|Pressed|Quizzed)\b")
_SHOUTED = re.compile(r" (?:from|at|in|on|during|when|as|after|before|while)(?: [\w'’-]+){1,5}[.!?]*")
_COMMA = re.compile(r",[^\S\n]+")
_CLAUSE_END = re.compile(r"\s*(?:[.!?]|\n|$)")
_LONGEST_CLAUSE = 400
_EDGE = " \t\n\r,;:.!?…—–―-\xa0"
_BETWEEN = re.compile(r"[\s,;.—–\-\"“”'’‘]*")


@dataclass(slots=True)
class _Claim:
    """What one cue says: pieces of content, the cue and the source; or what rules or layout say instead."""

    cue: Span | None
    source: Span | None
    pieces: list[tuple[int, int]] = field(default_factory=list)
    ruled: Found | None = None
    signed: Mention | None = None


def found_by_tagger(texts: Sequence[str], tagger: QuoteTagger) -> Iterator[list[Found]]:
    """Yield what the tagger finds in each text, not yet trimmed."""
    for text, reading in zip(texts, tagger.readings(texts), strict=True):
        yield _found(text, reading)


def _found(text: str, reading: Reading) -> list[Found]:
    blocks = paragraphs(text)
    quotes = find_quotes(text, blocks)
    given = [_Claim(None, None, list(x.pieces), signed=x.mention) for x in laid_out(text, quotes)]
    claims = [*given, *_claims(text, reading)]
    for claim in claims[len(given) :]:
        claim.pieces = _without(claim.pieces, [piece for other in given for piece in other.pieces])
    unclaimed = _snap(text, claims, quotes)
    claims += _floating(text, unclaimed, [piece for c in claims for piece in c.pieces])
    claims = sorted((c for c in claims if c.pieces), key=lambda c: c.pieces[0])
    return _Speaking(text, blocks, quotes).found(claims)


def _claims(text: str, reading: Reading) -> list[_Claim]:
    spans = reading.spans
    found = [
        _Claim(
            None if x.cue is None else spans[x.cue],
            spans[x.sources[0]] if x.sources else None,
            [(spans[i].start, spans[i].end) for i in x.contents],
        )
        for x in reading.links
        if x.contents
    ]
    held = [piece for claim in found for piece in claim.pieces]
    for x in reading.links:
        if x.cue is not None and x.sources and not x.contents:
            found += _according(text, spans[x.cue], spans[x.sources[0]], held)
    return [claim for claim in found if not _unsaid(text, claim)]


def _according(text: str, cue: Span, source: Span, held: Sequence[tuple[int, int]]) -> list[_Claim]:
    """Claim the clause beside "according to" and its source, where the tagger found those two alone."""
    if text[cue.start : cue.end].strip().lower() != "according to":
        return []
    if comma := _COMMA.match(text, source.end):
        low, high = comma.end(), _sentence_end(text, comma.end())
    elif _CLAUSE_END.match(text, source.end):
        low, high = _sentence_start(text, cue.start), cue.start
    else:
        return []
    if len(_WORD.findall(text, low, high)) < _FEWEST_FLOATING or any(a < high and low < b for a, b in held):
        return []
    return [_Claim(cue, source, [(low, high)])]


def _sentence_start(text: str, at: int) -> int:
    """Return where the sentence begins that goes on at `at`, or `at` if that is too far off."""
    line = text.rfind("\n", 0, at) + 1
    low = max(line, at - _LONGEST_CLAUSE)
    start = low + max((a for a, _ in sentences(text[low : at + 1])), default=0)
    return start if start > low or low == line else at


def _sentence_end(text: str, at: int) -> int:
    """Return where the sentence ends that goes on at `at`, or `at` if that is too far off."""
    line = text.find("\n", at)
    line = line if line >= 0 else len(text)
    high = min(line, at + _LONGEST_CLAUSE)
    end = at + min((b for _, b in sentences(text[at:high])), default=0)
    return end if end < high or high == line else at


def _unsaid(text: str, claim: _Claim) -> bool:
    """Whether nobody speaks: a place before a report ("LONDON: Rain fell"), a name that nobody gives ("known as")."""
    if claim.cue is None:
        return False
    cue = text[claim.cue.start : claim.cue.end]
    if is_page_label(text, claim.cue.end) or says_nothing(text, claim.cue, claim.pieces):
        return True
    if claim.source is None:
        return is_naming(cue)
    place = text[claim.source.start : claim.source.end]
    return cue.strip() == ":" and place.isupper() and country_of(place.title()) is not None


def _snap(text: str, claims: list[_Claim], quotes: Sequence[Quote]) -> list[Quote]:
    """Take quotations whole: each goes to the claim that holds most of it. Return those that nobody claims."""
    pieces = sorted((start, end, i) for i, c in enumerate(claims) for start, end in c.pieces)
    ends = [end for _, end, _ in pieces]
    free: list[Quote] = []
    whole: dict[int, list[tuple[int, int]]] = {}
    for quote in quotes:
        held: dict[int, int] = {}
        k = bisect_left(ends, quote.outer_start + 1)
        while k < len(pieces) and pieces[k][0] < quote.outer_end:
            start, end, i = pieces[k]
            held[i] = held.get(i, 0) + min(end, quote.outer_end) - max(start, quote.outer_start)
            k += 1
        if not held:
            free.append(quote)
        elif quote.outer_end > quote.end:  # only a quotation with both marks says for sure where it ends
            owner = max(held, key=lambda i: (held[i], -i))
            whole.setdefault(owner, []).append((quote.outer_start, quote.outer_end))
    taken = sorted((start, end, i) for i, spans in whole.items() for start, end in spans)
    for i, claim in enumerate(claims):
        others = [(start, end) for start, end, j in taken if j != i]
        claim.pieces = _joined(text, [*_without(claim.pieces, others), *whole.get(i, [])])
    return free


def _floating(text: str, quotes: Sequence[Quote], taken: list[tuple[int, int]]) -> list[_Claim]:
    """Claim the quotations that the tagger passed over: as the rules read them, else for the speaker before."""
    quotes = [q for q in quotes if not is_page_label(text, q.outer_start)]
    long = any(len(_WORD.findall(text, q.start, q.end)) >= _FEWEST_FLOATING for q in quotes)
    ruled = [
        f
        for f in (found_by_rules(text) if long else ())
        if f.quote_type == "direct" and f.speaker and all(f.end <= a or f.start >= b for a, b in taken)
    ]
    claims = []
    for q in quotes:
        rule = next((f for f in ruled if f.start < q.end and q.start < f.end), None)
        claims.append(_Claim(None, None, [(q.outer_start, q.outer_end)], rule))
    return claims


def _without(pieces: Sequence[tuple[int, int]], others: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    found = list(pieces)
    for low, high in others:
        cut: list[tuple[int, int]] = []
        for start, end in found:
            if high <= start or end <= low:
                cut.append((start, end))
            else:
                cut += [(a, b) for a, b in ((start, min(end, low)), (max(start, high), end)) if a < b]
        found = cut
    return found


def _joined(text: str, pieces: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Sort pieces and join those that touch, or have only spaces and marks of one line between them."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(pieces):
        if found and (start <= found[-1][1] or _near(text[found[-1][1] : start])):
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _near(between: str) -> bool:
    return "\n" not in between and _BETWEEN.fullmatch(between) is not None


def _named(words: str) -> tuple[int, int]:
    """Return where the name stands in a source with an apposition: "the owner of the yard, Sean Doyle"."""
    if " and " in words and all(PERSON.fullmatch(_ADDRESSING.sub("", part)) for part in _ENUMERATED.split(words)):
        return 0, len(words)  # "Ann Lee, Tom Reed and Eva Hill"
    at = 0
    for part in words.split(", "):
        if "," in words and PERSON.fullmatch(_ADDRESSING.sub("", part)):
            return at, at + len(part)
        at += len(part) + 2
    head, _, rest = words.partition(", ")
    return (0, len(head)) if _APPOSED.match(rest) else (0, len(words))


class _Speaking:
    """Turns claims into statements and remembers who spoke last."""

    def __init__(self, text: str, blocks: list[tuple[int, int]], quotes: list[Quote]) -> None:
        self._text, self._blocks, self._quotes = text, blocks, quotes
        self._starts = [q.outer_start for q in quotes]
        self._opens = {start for start, _ in blocks}
        self._book = SpeakerBook(text)
        self._found: list[Found] = []

    def found(self, claims: Sequence[_Claim]) -> list[Found]:
        for number, claim in enumerate(claims, 1):
            parts = [part for piece in claim.pieces for part in self._parts(*piece)]
            if not parts:
                continue
            if claim.ruled is not None:
                self._found.append(replace(claim.ruled, group=-claim.ruled.group))
            elif claim.signed is not None:
                speaker = self._book.speaker(claim.signed, self._text, 0)
                self._found += [Found(a, b, "direct", None, speaker, number) for a, b, _ in parts]
            elif claim.cue is None:
                self._carried(parts, number)
            else:
                asked = _ASKED.match(self._text, claim.cue.start)  # "Asked about it, she said": she did not ask
                speaker = None if asked else self._speaker(claim.source)
                cue = self._text[claim.cue.start : claim.cue.end]
                self._found += [Found(a, b, kind, cue, speaker, number, claim.cue.start) for a, b, kind in parts]
        return self._book.settled(self._found)

    def _speaker(self, source: Span | None) -> Speaker | None:
        if source is None:
            return None
        words = self._text[source.start : source.end].rstrip(_EDGE)
        if not _WORD.search(words):
            return None
        start, end = _named(words)
        start = max(start, (self._dateline(source.start) or source.start) - source.start)
        if start >= end:
            return None
        return self._book.speaker(Mention(source.start + start, source.start + end, words), self._text, 0)

    def _dateline(self, at: int) -> int:
        """Return where the text after a paragraph's place and agency begins, if `at` is the paragraph's start."""
        found = _DATELINE.match(self._text, at) if at in self._opens else None
        return found.end() if found else 0

    def _parts(self, start: int, end: int) -> list[tuple[int, int, QuoteType]]:
        """Cut a piece at paragraphs, and into quotations where nothing else is said between them."""
        found: list[tuple[int, int, QuoteType]] = []
        for low, high in self._blocks:
            if high <= start or low >= end:
                continue
            found += self._typed(max(low, start, self._dateline(low)), min(high, end))
        return found

    def _typed(self, start: int, end: int) -> list[tuple[int, int, QuoteType]]:
        lead = _LEAD.match(self._text, start, end)
        start = lead.end() if lead else start
        inside = self._inside(start, end)
        if inside and self._led(start, inside[0]):
            start = inside[0].outer_start
        if inside and self._only(start, end, inside):
            return [(max(q.start, start), min(q.end, end), "direct") for q in inside]
        if len(inside) == 1 and inside[0].outer_start <= start and self._exclaimed(inside[0], end):
            return [(max(inside[0].start, start), inside[0].end, "direct")]
        while end > start and self._text[end - 1] in _EDGE and not self._closes(end):
            end -= 1
        if start >= end or not _WORD.search(self._text, start, end):
            return []
        mixed = any(_WORD.search(self._text, max(q.start, start), min(q.end, end)) for q in inside)
        return [(start, end, "mixed" if mixed else "indirect")]

    def _led(self, start: int, quote: Quote) -> bool:
        """Whether what stands before a quotation is no part of it: whom it is told to, or a heading glued to it."""
        if quote.outer_start <= start:
            return False
        glued = quote.start > quote.outer_start and self._text[quote.outer_start - 1].isalnum()
        return glued or _ADDRESS.fullmatch(self._text, start, quote.outer_start) is not None

    def _inside(self, start: int, end: int) -> list[Quote]:
        k = max(0, bisect_left(self._starts, start) - 1)
        found = []
        while k < len(self._quotes) and self._quotes[k].outer_start < end:
            if self._quotes[k].outer_end > start:
                found.append(self._quotes[k])
            k += 1
        return found

    def _only(self, start: int, end: int, inside: Sequence[Quote]) -> bool:
        """Whether the quotations hold every word from `start` to `end`."""
        at = start
        for quote in inside:
            if _WORD.search(self._text, at, max(at, quote.outer_start)):
                return False
            at = quote.outer_end
        return at >= end or not _WORD.search(self._text, at, end)

    def _exclaimed(self, quote: Quote, end: int) -> bool:
        """Whether only where or when it was called out follows a quotation: "“Shame!” from the gallery"."""
        closed = quote.outer_end > quote.end and self._text[quote.end - 1] in ",.!?…"
        return closed and _SHOUTED.fullmatch(self._text, quote.outer_end, end) is not None

    def _closes(self, end: int) -> bool:
        """Whether a quotation's own last character stands before `end`."""
        return any(q.outer_end == end and q.outer_end > q.end for q in self._inside(end - 1, end))

    def _carried(self, parts: Sequence[tuple[int, int, QuoteType]], number: int) -> None:
        """Take content that no cue claims: a quotation of some length, said by whoever spoke before."""
        previous = self._found[-1] if self._found else None
        for start, end, kind in parts:
            quotes = self._inside(start, end)
            quote = next(iter(quotes), None)
            alone = quote is not None and self._alone(quote)
            if kind == "indirect" or self._names(start, quotes) or not self._long(start, end, quotes, alone):
                continue
            carries = previous is not None and quote is not None and (alone or quote.continues)
            joins = carries and previous is not None and self._follows(previous.end, start)
            group = previous.group if joins and previous else number
            speaker = previous.speaker if carries and previous else None
            cue = previous.cue if joins and previous else None
            self._found.append(Found(start, end, kind, cue, speaker, group))

    def _names(self, start: int, quotes: Sequence[Quote]) -> bool:
        """Whether what stands in quotation marks is the name of something."""
        return bool(quotes) and all(is_name(self._text, max(q.start, start), q.end) for q in quotes)

    def _long(self, start: int, end: int, quotes: Sequence[Quote], alone: bool) -> bool:
        """Whether there are enough words; a short quotation may follow another, as a sentence of its own."""
        words = len(_WORD.findall(self._text, start, end))
        if words >= _FEWEST_FLOATING or not alone or not self._found or self._found[-1].quote_type != "direct":
            return words >= _FEWEST_FLOATING
        previous = self._found[-1].end
        near = "\n" not in self._text[previous : quotes[0].start] or self._follows(previous, start)
        return near and self._text[end - 1] in ".!?…"

    def _alone(self, quote: Quote) -> bool:
        """Whether nothing else stands in the quotation's paragraph or sentence."""
        text = self._text
        low = max(text.rfind("\n", 0, quote.outer_start), text.rfind(". ", 0, quote.outer_start) + 1, 0)
        high = text.find("\n", quote.outer_end)
        after = text[quote.outer_end : high if high >= 0 else len(text)].lstrip()
        before = text[low : quote.outer_start].strip(' \n.”"')
        return not before and (not after.strip(_EDGE) or after[:1].isupper() or after[:1] in '“"')

    def _follows(self, end: int, start: int) -> bool:
        """Whether only marks, or a paragraph's end before a quotation that goes on, lie between."""
        between = self._text[end:start]
        return not _WORD.search(between) and between.count("\n") <= 3
