"""Quotation marks around what nobody says: titles of works, nicknames, names of ships and laws, lines of the page."""

from __future__ import annotations

import re
from collections.abc import Sequence

from stance.quotes.decoding import Span
from stance.quotes.names import line_start
from stance.quotes.words import listed

__all__ = ["is_name", "is_naming", "is_page_label", "says_nothing"]

_SMALL = frozenset("a an the of in on at for and or to with from by is as vs de la".split())  # noqa: SIM905 - shorter so
_WORD = re.compile(r"[^\W\d_][\w'’-]*")
_SAID = re.compile(r"[,.!?…][\s\"'”’]*$|[.!?;:]\s")  # ends as a sentence or a clause does, or has a stop within
_NAMING = re.compile(
    r"(?:named|titled|entitled|nicknamed|dubbed|christened|called|(?:also |better )?known as|so-called)"
    r"(?:\s+the|\s+an?)?\s*$",
    re.IGNORECASE,
)
_PAGE = re.compile(  # "Share prices fell" and "Credit Suisse said" begin sentences, "Share this" and "Credit:" do not
    r"(?:(?:read more|read also|also read|see also|more on|sign up)\b|"
    r"(?:related|watch|listen|photos?|image|picture|credit|video|advertisement|share)"
    r"(?=\s*[:|–—-]|\s*$| (?:by|this|now|live|courtesy|credits?|caption|stor(?:y|ies)|articles?)\b|"
    r"\b[^\n“\"‘:]{0,29}(?<!said)(?<!says):$))"
    r"[^\n“\"‘]{0,30}$",
    re.IGNORECASE,
)
_NOBODY = re.compile(
    r"(?:^|[.!?…”\"\n]\s*|\b(?:[Bb]ut|[Aa]nd|[Tt]hat|[Bb]ecause)\s+)(?:[Nn]o one|[Nn]obody|[Nn]othing|[Nn]one)\s+$"
)
_TALKED = re.compile(
    r"\b(?:spoke|speaks?|speaking|spoken|talk(?:s|ed|ing)?|chat(?:s|ted|ting)?|discuss(?:es|ed|ing)?)\b", re.IGNORECASE
)
_HEARD = re.compile(r"\b(?:to|with)$")
_MARKS = "“\"‘'«„` "
_QUOTES = '“”"‘«»'
_OPENING = frozenset(_QUOTES + "'’„")
_LONGEST = 100  # characters of a line looked at
_FEWEST = 2  # words of a title; one capitalised word may be an exclamation


def is_name(text: str, start: int, end: int) -> bool:
    """Return whether the quotation ``text[start:end]``, which no cue claims, gives a name and not somebody's words.

    That is so where a naming word stands before it ("the ship, named “Pride of the North”"), where its line is one of
    the page ("Read more: “…”"), and where it is written as titles are, each word but the small ones with a capital.
    """
    line = text[line_start(text, start, _LONGEST) : start].rstrip(_MARKS)
    return bool(_NAMING.search(line)) or is_page_label(text, start) or _is_title(text[start:end])


def is_page_label(text: str, end: int) -> bool:
    """Return whether a line up to `end` is a label of the page and no part of the article: "Read more: "."""
    return _PAGE.match(text[line_start(text, end, _LONGEST) : end].rstrip(_MARKS)) is not None


def is_naming(cue: str) -> bool:
    """Return whether words like "known as" give a name to something."""
    return _NAMING.fullmatch(cue.strip()) is not None


def says_nothing(text: str, cue: Span, pieces: Sequence[tuple[int, int]]) -> bool:
    """Return whether a cue and what goes with it report no words of anybody.

    That is so where the content is a bare pronoun ("told anyone") or a manner ("saw it differently"), where it is whom
    somebody talks to ("talked to the king about trade"), and where nobody talks of a thing ("nothing was said about
    money"). Words in quotation marks are somebody's, however few.
    """
    said = " ".join(text[start:end] for start, end in pieces)
    words = _WORD.findall(said.lower())
    if not words or any(not _OPENING.isdisjoint(text[max(0, start - 1) : start + 1]) for start, _ in pieces):
        return False
    if set(words) <= listed("pronouns", "vague") | listed("pronouns", "manner"):
        return True
    verb = text[cue.start : cue.end].strip()
    if any(mark in said for mark in _QUOTES) or said.lower().startswith("that "):
        return False
    talked = _TALKED.search(verb) is not None
    silent = _NOBODY.search(text, max(0, cue.start - _LONGEST), cue.start) is not None
    return (talked and _HEARD.search(verb) is not None) or (silent and (talked or verb.endswith(" about")))


def _is_title(words: str) -> bool:
    if _SAID.search(words):
        return False
    found = [w for w in _WORD.findall(words) if w.lower() not in _SMALL]
    return len(found) >= _FEWEST and all(w[0].isupper() for w in found)
