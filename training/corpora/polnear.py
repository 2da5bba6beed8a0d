"""PolNeAR: every attribution of 1,008 political news articles, with its source, cue and content.

Newell, Margolin & Ruths 2018, "An Attribution Relations Corpus for Political News", LREC. Standoff in the form of brat:
a span may be discontinuous, and an article may have several annotators, each in a file of its own.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from stance.schema import Article

__all__ = ["OUTLETS", "Annotated", "Attribution", "Fragments", "articles", "joined", "read"]

Fragments = tuple[tuple[int, int], ...]
"""Pieces of one span, in the order of the text."""

_ANNOTATOR = re.compile(r"_([0-9a-f]{4})$")
_ROLES = ("Source", "Cue", "Content")
_EVENTS = ("Attribution", "Attribution-no-source")


@dataclass(frozen=True, slots=True)
class Attribution:
    """Who says what.

    Parameters
    ----------
    source, cue, content
        Pieces of each span, empty where the annotator marked none.
    """

    source: Fragments
    cue: Fragments
    content: Fragments


@dataclass(frozen=True, slots=True)
class Annotated:
    """One article as one annotator read it.

    Parameters
    ----------
    article
        Name of the article's file.
    annotator
        Code of the annotator.
    text
        The text that the offsets count in.
    attributions
        In the order of the text.
    discarded
        Spans that the annotators set aside as unfit (broken text, captions).
    """

    article: str
    annotator: str
    text: str
    attributions: tuple[Attribution, ...]
    discarded: tuple[Fragments, ...] = ()


def read(data: Path, split: str, *, one_annotator: bool = False) -> Iterator[Annotated]:
    """Yield the annotations of ``train``, ``dev`` or ``test``, sorted by article and annotator.

    Parameters
    ----------
    data
        Folder of the corpora.
    split
        Name of the split.
    one_annotator
        Keep only the first annotator of an article.

    Raises
    ------
    FileNotFoundError
        If the split, or an article's text, is not there.
    ValueError
        If a line of the annotation breaks the format; names file and line.
    """
    folder = data / "polnear" / split
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such split of PolNeAR")
    seen: set[str] = set()
    for path in sorted((folder / "attributions").glob("*.ann")):
        match = _ANNOTATOR.search(path.stem)
        if match is None:
            raise ValueError(f"{path}: the name does not end with an annotator's code")
        article = path.stem[: match.start()]
        if one_annotator and article in seen:
            continue
        seen.add(article)
        with (folder / "text" / f"{article}.txt").open(encoding="utf-8", newline="") as file:
            text = file.read()
        yield _annotated(path, article, match.group(1), text)


def _annotated(path: Path, article: str, annotator: str, text: str) -> Annotated:
    spans: dict[str, tuple[str, Fragments]] = {}
    events: list[tuple[int, str]] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        # a covered text with a line break goes on in lines of its own, which begin with no key
        key, tab, rest = line.partition("\t")
        try:
            if tab and re.fullmatch(r"T\d+", key):
                label, pieces = _span(rest.split("\t", 1)[0], len(text))
                spans[key] = (label, pieces)
            elif tab and re.fullmatch(r"E\d+", key):
                events.append((number, rest))
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: {error}") from error
    found = [made for number, rest in events if (made := _event(path, number, rest, spans))]
    found.sort(key=lambda a: (a.content or a.cue or a.source)[0])
    discarded = tuple(pieces for label, pieces in spans.values() if label == "Discard")
    return Annotated(article, annotator, text, tuple(found), discarded)


def _span(written: str, length: int) -> tuple[str, Fragments]:
    label, _, offsets = written.partition(" ")
    pieces = sorted((int(a), int(b)) for a, b in (piece.split() for piece in offsets.split(";")))
    for start, end in pieces:
        if not 0 <= start < end <= length:
            raise ValueError(f"span {start} {end} lies outside the text of {length} characters")
    return label, tuple(pieces)


def _event(path: Path, number: int, rest: str, spans: dict[str, tuple[str, Fragments]]) -> Attribution | None:
    roles: dict[str, list[tuple[int, int]]] = {role: [] for role in _ROLES}
    parts = [part.partition(":") for part in rest.split()]
    if not parts or parts[0][0] not in _EVENTS:
        return None
    for role, _, key in parts[1:]:
        if key not in spans:
            raise ValueError(f"{path}, line {number}: span {key} is not defined")
        name = role.rstrip("0123456789")
        if name in roles:
            roles[name] += spans[key][1]
    made = Attribution(*(joined(roles[role]) for role in _ROLES))
    return made if made.content or made.cue else None


def joined(pieces: Sequence[tuple[int, int]]) -> Fragments:
    """Sort pieces and join those that overlap."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(pieces):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return tuple(found)


OUTLETS = {
    "breitbart": "Breitbart",
    "huff-post": "HuffPost",
    "nyt": "The New York Times",
    "politico": "Politico",
    "usa-today": "USA Today",
    "wash-post": "The Washington Post",
    "west-journal": "Western Journal",
}
"""Names of the seven outlets by their key in the corpus."""
_PARTS = ("train", "dev", "test")


def articles(data: Path) -> Iterator[Article]:
    """Yield the articles of all three parts once each, in the order of their file names.

    Raises
    ------
    KeyError
        If an article is of an outlet that is none of `OUTLETS`.
    """
    folder = data / "polnear"
    with (folder / "metadata.tsv").open(encoding="utf-8", newline="") as lines:
        known = {r["filename"]: r for r in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)}
    seen: set[str] = set()
    for path in sorted(p for part in _PARTS for p in (folder / part / "text").glob("*.txt")):
        if path.stem in seen:
            continue
        seen.add(path.stem)
        key, published = path.stem.split("_", 2)[:2]
        title = known[path.stem]["title"] if path.stem in known else None
        text = path.read_text(encoding="utf-8")
        if text.strip():
            yield Article(path.stem, text, title=title, outlet=OUTLETS[key], published=published)
