"""Who stands beside a reporting verb: the noun phrase before or after it, and its apposition."""

from __future__ import annotations

import re
from dataclasses import dataclass

from stance.quotes.letters import CAPITALS, SMALL

__all__ = ["PERSON", "Mention", "subject_after", "subject_before"]

_LONGEST = 240  # characters looked at on either side of a verb


@dataclass(frozen=True, slots=True)
class Mention:
    """A speaker as the text puts it.

    Parameters
    ----------
    start, end
        Offsets of the words.
    description
        The words and their apposition ("Dana Whitfield, National Security Council spokeswoman").
    """

    start: int
    end: int
    description: str


_HELPERS = re.compile(
    r"(?:\s+(?:also|later|has|have|had|would|will|could|may|might|must|should|did|does|do|not|never|then|again|further|"
    r"repeatedly|recently|previously|earlier|once|often|always|only|just|even|already|still|and|is|was|were|are|been|"
    r"being|reportedly|publicly|privately|flatly|bluntly|angrily|quickly|now|nevertheless|nonetheless|instead|therefore|meanwhile|thus|n't|\w+ly))+$"
)
_LEAD = re.compile(
    r"(?:(?:But|And|Yet|So|Still|However|Meanwhile|Moreover|Also|Then|Later|Earlier|Nevertheless|Instead|While|As|When|"
    r"After|Although|Though|Because|Since|If|That|that|but|and|as|while|where|because|although|though|when|after|who|"
    r"which|or|yet|so|for)\s+)+"
)
_PRONOUN = re.compile(r"(?:he|she|they|it|we|I|you|who)\b", re.IGNORECASE)
_PHRASE_START = re.compile(
    r"(?:the|a|an|his|her|its|their|our|one|two|three|some|several|many|most|other|another|both|senior|top|former|"
    r"officials?|diplomats?|analysts?|experts?|critics|sources?|police|residents|witnesses|lawmakers|scientists)\b",
    re.IGNORECASE,
)
_NOT_SUBJECT = re.compile(
    r"(?:there|this|these|those|what|nothing|everything|today|yesterday|tomorrow)\b", re.IGNORECASE
)
_PREPOSITION = re.compile(
    r"(?:in|on|at|by|with|during|after|before|from|under|over|since|until|despite|without|within|amid|following|"
    r"asked|speaking|according|for|to|of|last|this|earlier|late)\b",
    re.IGNORECASE,
)
_AFTER_END = re.compile(
    r"\s+(?:on|in|at|during|after|before|when|as|while|to|from|with|by|who|whose|which|that|and then|late|early|"
    r"earlier|last|this|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|yesterday|today|if|because|about|via|through)\b"
    r"|[,;:!?()—–¤‡\n“\"]|\.(?=\s*$|\s+[A-Z¤‡][a-z¤]*\b(?<!\b[A-Z]\.))|\s-\s|$"
)
_APPOSITION = re.compile(
    r",\s+((?:the|a|an|who|whose|head|chief|director|president|spokes\w+|\w+(?:'s|’s)|[a-z]+)\b[^,;:¤()]{2,120})"
)
_WORD = re.compile(r"[\w'’.&-]+")
_PARTICLE = r"(?:(?:al|el|bin|bint|van|von|de|da|di|la|le|der|den|dos|du)[ -])*"
_PROPER = rf"[{CAPITALS}][{SMALL}'’]+(?:-[{CAPITALS}]?[{SMALL}]+)*(?:[{CAPITALS}][{SMALL}]+)?"
_INITIALS = r"(?:[A-MO-Z]\.?J|J\.?[A-Z])\.?"  # "JD Lee", "A.J. Lee", not "US" or "NJ"
PERSON = re.compile(rf"(?<![\w.])(?:{_INITIALS}|{_PROPER})(?: (?:[A-Z]\.\s?)*{_PARTICLE}{_PROPER}){{1,6}}(?!\w)")
"""Two to seven capitalised words in a row: a personal name, perhaps with titles before it."""
_NAMED_APPOSITION = re.compile(rf",\s+({PERSON.pattern})(?=\s*[,.;:¤‡]|\s*$)")


def subject_before(masked: str, start: int, verb: int) -> Mention | None:
    """Find the subject between `start` and a verb at `verb`.

    "In Oslo, Kari Lindqvist, the foreign minister, also said" gives "Kari Lindqvist" with her office.
    """
    low = max(start, verb - _LONGEST)
    for mark in (";", "¤", "‡", "—", "–", ":", "(", "…"):
        low = max(low, masked.rfind(mark, low, verb) + 1)
    stretch = masked[low:verb]
    helpers = _HELPERS.search(stretch.rstrip())
    head = stretch[: helpers.start()] if helpers else stretch.rstrip()
    closed = head.rstrip().endswith(",")
    segments = _segments(head, low)
    if not segments:
        return None
    if closed and len(segments) > 1:
        if named := [(a, b) for a, b in segments if PERSON.fullmatch(masked, a, b)]:
            a, b = named[-1]
            return Mention(a, b, masked[segments[0][0] : segments[-1][1]])
        for i in range(len(segments) - 1, -1, -1):
            a, b = segments[i]
            if i < len(segments) - 1 and (found := _phrase(masked, a, b, strict=True)):
                return Mention(*found, masked[found[0] : segments[-1][1]])
    a, b = segments[-1]
    found = _phrase(masked, a, b, strict=False)
    return Mention(*found, masked[found[0] : found[1]]) if found else None


def _segments(head: str, offset: int) -> list[tuple[int, int]]:
    found, at = [], 0
    for part in head.split(","):
        body = part.strip()
        if body:
            begin = offset + at + part.index(body)
            found.append((begin, begin + len(body)))
        at += len(part) + 1
    return found


def _phrase(masked: str, start: int, end: int, *, strict: bool) -> tuple[int, int] | None:
    """Return the offsets of the noun phrase that ends a segment, or ``None`` if it holds none."""
    lead = _LEAD.match(masked, start, end)
    start = lead.end() if lead else start
    words = list(_WORD.finditer(masked, start, end))
    for i in range(len(words) - 1, 0, -1):
        if words[i - 1].group() in ("that", "which", "who", "whom", "because", "although", "while", "if"):
            words = words[i:]
            break
    if not words:
        return None
    start = words[0].start()
    last = words[-1].group()
    if _PRONOUN.fullmatch(last):
        return words[-1].span()
    if _NOT_SUBJECT.match(masked, start, end):
        return None
    if _PREPOSITION.match(masked, start, end):
        if strict:
            return None
        words = _from_last_phrase(words)
        if not words:
            return None
    if len(words) > 14:
        words = _from_last_phrase(words) or words[-3:]
    begin = words[0].start()
    named = any(w.group()[0].isupper() for w in words)
    if not named and not _PHRASE_START.match(masked, begin, end):
        return None
    return begin, words[-1].end()


def _from_last_phrase(words: list[re.Match[str]]) -> list[re.Match[str]]:
    """Return the words from the last determiner on, or the run of capitalised words at the end."""
    for i in range(len(words) - 1, 0, -1):
        if words[i].group().lower() in ("the", "a", "an", "his", "her", "their"):
            return words[i:] if len(words) - i <= 10 else []
    i = len(words)
    while i > 0 and words[i - 1].group()[0].isupper():
        i -= 1
    return words[i:] if i > 0 else words


def subject_after(masked: str, verb_end: int, end: int) -> Mention | None:
    """Find the subject after a verb: "said Viktor Sorokin, Moscow's envoy" """
    begin = verb_end + len(masked[verb_end:end]) - len(masked[verb_end:end].lstrip())
    stop = _AFTER_END.search(masked, begin, min(end, begin + _LONGEST))
    finish = stop.start() if stop else min(end, begin + _LONGEST)
    words = list(_WORD.finditer(masked, begin, finish))
    if not words or masked[verb_end:begin].strip():
        return None
    first = words[0].group()
    if _PRONOUN.fullmatch(first):
        return Mention(*words[0].span(), first)
    capital = first[0].isupper()
    if not capital and not _PHRASE_START.match(first) and not any(w.group()[0].isupper() for w in words[:6]):
        return None
    if len(words) > 16:
        return None
    person = _NAMED_APPOSITION.match(masked, words[-1].end(), end)
    if person and not capital | bool(PERSON.search(masked, begin, finish)):
        return Mention(*person.span(1), masked[begin : person.end()])
    apposition = _APPOSITION.match(masked, words[-1].end(), end)
    tail = apposition.end() if apposition else words[-1].end()
    return Mention(begin, words[-1].end(), masked[begin:tail])
