"""Quotation marks: which of them open, which close, and what lies between.

Works paragraph by paragraph, so that a missing mark can spoil one paragraph at most. A paragraph that opens with
a mark while the one before was left open continues it, as newspapers write quotations of several paragraphs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Quote", "find_quotes", "paragraphs"]

_PAIRS = {"“": "”", "„": "“”", "«": "»"}
_LINE = re.compile(r"[^\n]+")
_BLOCK = re.compile(r"[^\n]+(?:\n(?![ \t]*\n)[^\n]+)*")
_WRAPPED = 60  # characters: shorter single lines are headings or verse, not wrapped prose
_LONGEST_OPEN = 1_500  # characters that a quotation without a closing mark may run to its paragraph's end
_STOP = re.compile(r"[.!?…](?=\s)")
_ELISION = re.compile(  # "the '90s", "the class of ‘98"; but ‘20 ships sank,’ somebody said
    r"['‘](?:\d0s|tis|twas|em|bout|til|(?-i:cause)|n(?=['’]))\b|"
    r"(?:(?<=\bof )|(?<=\bin )|(?<=\bsince ))['‘]\d\d\b",
    re.IGNORECASE,
)
_MARKS = re.compile(r"[“”„«»\"‘’']")


@dataclass(frozen=True, slots=True)
class Quote:
    """Text between quotation marks.

    Parameters
    ----------
    start, end
        Offsets of the text inside the marks.
    outer_start, outer_end
        The same with the marks; equal to `start` or `end` where a mark is missing.
    continues
        Whether it goes on a quotation that the paragraph before left open.
    """

    start: int
    end: int
    outer_start: int
    outer_end: int
    continues: bool = False


def paragraphs(text: str) -> list[tuple[int, int]]:
    """Return the offsets of the paragraphs: blocks between empty lines, or lines where no line is wrapped."""
    blocks = [m.span() for m in _BLOCK.finditer(text)]
    found: list[tuple[int, int]] = []
    for start, end in blocks:
        lines = [m.span() for m in _LINE.finditer(text, start, end)]
        wrapped = len(lines) > 1 and all(_WRAPPED <= b - a <= 100 for a, b in lines[:-1])
        found += [(start, end)] if wrapped else lines
    return found


def find_quotes(text: str, spans: list[tuple[int, int]]) -> list[Quote]:
    """Return the outermost quotations of a text, in order.

    Parameters
    ----------
    text
        The text.
    spans
        Its `paragraphs`.
    """
    if "``" in text:  # two backticks open and two apostrophes close in old text files; lengths stay as they are
        text = text.replace("``", " “").replace("''", "” ")
    quotes: list[Quote] = []
    left_open = ""
    for start, end in spans:
        if text[start:end].isspace():  # an empty line of a page, or of Windows, leaves open what was
            continue
        found, left_open = _in_paragraph(text, start, end, left_open)
        quotes += found
    return quotes


def _in_paragraph(text: str, start: int, end: int, left_open: str) -> tuple[list[Quote], str]:
    """Return the quotations of one paragraph and the mark it leaves open, if any."""
    first = start + len(text[start:end]) - len(text[start:end].lstrip())
    continues = bool(left_open) and text[first : first + 1] == left_open
    found: list[Quote] = []
    mark, opened = "", start
    for match in _MARKS.finditer(text, start, end):
        i, char = match.start(), match.group()
        if not mark:
            if _opens(text, i, char, start, end):
                mark, opened = char, i
        elif _closes(text, i, char, mark, end):
            found.append(Quote(opened + 1, i, opened, i + 1, continues and opened == first))
            mark = ""
        elif char == mark and _reopens(text, opened, i, end):  # the close of the first is missing
            stop = _sentence_stop(text, opened + 1, i)
            found.append(Quote(opened + 1, stop, opened, stop, continues and opened == first))
            opened = i
    if mark in ("‘", "'"):
        return found, ""
    if mark and opened + 1 < end:
        if end - opened > _LONGEST_OPEN:
            end, mark = _sentence_stop(text, opened + 1, end), ""
        found.append(Quote(opened + 1, end, opened, end, continues and opened == first))
        return found, mark
    return found, ""


def _opens(text: str, i: int, char: str, start: int, end: int) -> bool:
    before = text[i - 1] if i > start else " "
    after = text[i + 1] if i + 1 < end else " "
    if char in "“„«":
        return True
    if char in "”»’" or after.isspace():
        return False
    if not (before.isspace() or before in "([—–-:/"):
        return char == '"' and after.isupper() and _glued_close(text, i + 1, end)
    if char == '"':
        return True
    # single marks quote only where one that can close follows; an apostrophe at a word's head has none
    return not _ELISION.match(text, i) and after.isalnum() and _single_close(text, i + 1, end) > 0


def _reopens(text: str, opened: int, i: int, end: int) -> bool:
    """Whether a mark like the one that is open can but open: a straight one in a later sentence, before a word."""
    if text[i] != '"':
        return text[i] in _PAIRS
    glued = not text[i - 1].isspace() or not text[i + 1 : min(i + 2, end)].isalnum()
    return not glued and _STOP.search(text, opened + 1, i) is not None


def _closes(text: str, i: int, char: str, mark: str, end: int) -> bool:
    after = text[i + 1] if i + 1 < end else " "
    if mark in _PAIRS and char in _PAIRS[mark]:
        return True
    if mark == '"' or mark in _PAIRS:  # pages mix the two kinds: “like this"
        return char in '"”' and (not after.isalnum() or (after.isupper() and text[i - 1] in ".!?…,"))
    return char in "’'" and i == _single_close(text, i, end)


def _glued_close(text: str, start: int, end: int) -> bool:
    """Whether the next straight or closing mark can close what opened without a space before it: LAST"The port …"."""
    close = _DOUBLE_CLOSE.search(text, start, end)
    return (
        close is not None
        and not text[close.start() - 1].isspace()
        and not text[close.end() : close.end() + 1].isalnum()
    )


def _sentence_stop(text: str, start: int, end: int) -> int:
    match = _STOP.search(text, start, end)
    return match.end() if match else min(end, start + _LONGEST_OPEN)


def _single_close(text: str, start: int, end: int) -> int:
    """Return the offset of the single mark that closes what is open at `start`, or -1.

    A mark after punctuation closes before one after a letter, which may be a plural's apostrophe, unless another
    quotation opens between the two.
    """
    fallback = -1
    for match in _SINGLE.finditer(text, start, min(end, start + 1000)):
        at = match.start()
        if match.group(1):
            if fallback >= 0 and not _ELISION.match(text, at):
                break
        elif text[at - 1] in ".,!?…":
            return at
        elif fallback < 0:
            fallback = at
    return fallback


_DOUBLE_CLOSE = re.compile('["”]')
_SINGLE = re.compile(r"(?<!\S)([‘'])(?=\w)|(?<=\S)[’'](?!\w)")  # one that can only open, or one that can close
