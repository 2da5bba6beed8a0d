"""Articles as scraped pages leave them: glued headings, lost full stops, mixed quotation marks, stray lines.

Each change is an edit of the text, and every span follows it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace

import numpy as np

from stance.quotes.subjects import PERSON
from training.corpora.polnear import Annotated, Attribution, Fragments

__all__ = ["Edit", "Noise", "edited", "noisy"]

Edit = tuple[int, int, str]
"""Start and end of what is replaced, and what replaces it."""

_LINES = (
    "Read more: {}",
    "READ MORE",
    "Photo: {}",
    "{} (Photo by staff)",
    "Advertisement",
    "Share this article",
    "Sign up for our newsletter",
    "Related: {}",
    "Story continues below",
    "Image credit: {}",
)
_THINGS = (
    "Five things to watch this week",
    "Our live blog",
    "The harbour at dawn",
    "Markets in brief",
    "Week in photos",
)
_LETTERS = (("iy", "y"), ("y", "iy"), ("ii", "iy"), ("kh", "k"), ("ck", "k"), ("i", "y"), ("k", "kh"))
_STRAIGHT = {"“": '"', "”": '"', "‘": "'", "’": "'"}


@dataclass(frozen=True, slots=True)
class Noise:
    """The chance of each change, at each place where it can happen.

    Parameters
    ----------
    straight
        All curly marks of the article become straight ones.
    backticks
        All double marks become two single ones, as old text files write them.
    mixed
        One mark becomes one of the other kind.
    lost_close
        A closing mark before a paragraph's end is dropped.
    lost_stop
        A full stop that ends a paragraph is dropped.
    no_space
        The space after a sentence is dropped.
    joined
        Two paragraphs run into one, with one space or none between them.
    stray
        A line that belongs to the page, not to the article, comes before a paragraph.
    hyphen
        A dash becomes a spaced hyphen.
    respelled
        A surname of the article is spelled in two ways, as translations do.
    """

    straight: float = 0.35
    backticks: float = 0.03
    mixed: float = 0.03
    lost_close: float = 0.05
    lost_stop: float = 0.05
    no_space: float = 0.03
    joined: float = 0.12
    stray: float = 0.06
    hyphen: float = 0.3
    respelled: float = 0.3

    def scaled(self, strength: float) -> Noise:
        """Return the same noise with every chance multiplied, at most 1."""
        return replace(self, **{f.name: min(1.0, getattr(self, f.name) * strength) for f in fields(self)})


def noisy(annotated: Annotated, noise: Noise, seed: int) -> Annotated:
    """Roughen an article; the same seed gives the same text."""
    rng = np.random.default_rng(seed)
    return edited(annotated, list(_edits(annotated.text, noise, rng)))


def edited(annotated: Annotated, edits: list[Edit]) -> Annotated:
    """Apply edits to an article and its spans; of edits that overlap, the first counts."""
    kept: list[Edit] = []
    for edit in sorted(edits, key=lambda e: (e[0], e[1])):
        if not kept or edit[0] >= max(kept[-1][1], kept[-1][0] + 1):
            kept.append(edit)
    text, moved = _applied(annotated.text, kept)

    def spans(pieces: Fragments) -> Fragments:
        shifted = ((moved(start, True), moved(end, False)) for start, end in pieces)
        return tuple((a, b) for a, b in shifted if a < b)

    attributions = tuple(
        made
        for a in annotated.attributions
        if (made := Attribution(spans(a.source), spans(a.cue), spans(a.content))).content or made.cue
    )
    return replace(annotated, text=text, attributions=attributions, discarded=tuple(map(spans, annotated.discarded)))


def _applied(text: str, edits: list[Edit]) -> tuple[str, Callable[[int, bool], int]]:
    parts, at, shift = [], 0, 0
    starts, shifts = [-1], [0]
    for start, end, new in edits:
        parts += [text[at:start], new]
        at = end
        shift += len(new) - (end - start)
        starts.append(start)
        shifts.append(shift)
    parts.append(text[at:])

    def moved(offset: int, opens: bool) -> int:
        """Return where an offset has gone: a start goes behind what was put in before it, an end stays before it."""
        i = bisect_right(starts, offset if opens else offset - 1) - 1
        if i == 0:
            return offset
        start, end, new = edits[i - 1]
        if offset < end:  # inside what was replaced
            return start + shifts[i - 1] + (0 if opens else len(new))
        return offset + shifts[i]

    return "".join(parts), moved


def _edits(text: str, noise: Noise, rng: np.random.Generator) -> Iterator[Edit]:
    chance = rng.random
    if chance() < noise.straight:
        yield from ((m.start(), m.end(), _STRAIGHT[m.group()]) for m in re.finditer("[“”‘’]", text))
    elif chance() < noise.backticks:
        yield from ((m.start(), m.end(), "``" if m.group() == "“" else "''") for m in re.finditer("[“”]", text))
    else:
        for m in re.finditer('[“”"]', text):
            if chance() < noise.mixed:
                yield m.start(), m.end(), '"' if m.group() != '"' else "”"
    for m in re.finditer('[”"](?=\\s*\n)', text):
        if chance() < noise.lost_close:
            yield m.start(), m.end(), ""
    for m in re.finditer('\\.(?=[”"]?\\s*\n)', text):
        if chance() < noise.lost_stop:
            yield m.start(), m.end(), ""
    for m in re.finditer(r"(?<=[a-z][.!?]) +(?=[A-Z])", text):
        if chance() < noise.no_space:
            yield m.start(), m.end(), ""
    if chance() < noise.respelled:
        yield from _respelled(text, rng)
    if chance() < noise.hyphen:
        yield from ((m.start(), m.end(), " - ") for m in re.finditer(" ?[—–] ?", text))
    for m in re.finditer(r"\s*\n\s*(?=\S)", text):
        if chance() < noise.joined:
            yield m.start(), m.end(), " " if chance() < 0.7 else ""
        elif chance() < noise.stray:
            line = str(rng.choice(_LINES)).format(rng.choice(_THINGS))
            yield m.start(), m.end(), f"\n\n{line}\n\n"


def _respelled(text: str, rng: np.random.Generator) -> Iterator[Edit]:
    """Spell one surname otherwise in half the places where it stands."""
    surnames = sorted({m.group().rpartition(" ")[2] for m in PERSON.finditer(text)})
    if not surnames:
        return
    name = str(rng.choice(surnames))
    for old, new in _LETTERS:
        if old in name[1:]:
            other = name[0] + name[1:].replace(old, new, 1)
            places = re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", text)
            yield from ((*m.span(), other) for m in places if rng.random() < 0.5)
            return
