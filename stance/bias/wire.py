"""Wire copy: the same agency text in many outlets, found by MinHash.

Broder 1997, "On the resemblance and containment of documents"; candidates by locality-sensitive hashing of the library
`datasketch`. Rows carry an article's statements, not its text, so articles are compared by the words of their
statements, in order.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.bias.archive import Archive
from stance.bias.options import WireMode
from stance.bias.rows import RowSource
from stance.errors import MissingExtraError

__all__ = ["SIMILARITY", "WIRE", "WireCopy", "count_once", "find_wire_copy", "wire_copy", "wire_table"]

SIMILARITY = 0.6
"""Least Jaccard similarity of the word 3-grams of two articles' statements that are called the same text."""
WIRE = "(wire copy)"
_PERMUTATIONS = 128
_SIZE = 3
_AUTO = 50_000  # articles up to which it is looked for without being asked
_FEWEST = 12  # word n-grams; articles with fewer are too short to tell


@dataclass(frozen=True)
class WireCopy:
    """Groups of near-identical articles.

    Parameters
    ----------
    group
        Group of each article by its code, −1 for an article like no other, shape ``(articles,)``.
    too_short
        Articles with too few words in their statements to be compared.
    """

    group: NDArray[np.int64]
    too_short: int

    @property
    def groups(self) -> int:
        """Number of groups."""
        return int(self.group.max()) + 1 if len(self.group) else 0


def find_wire_copy(source: RowSource, archive: Archive) -> WireCopy:
    """Find articles with nearly the same statements.

    Raises
    ------
    MissingExtraError
        If `datasketch` is not installed.
    """
    try:
        from datasketch import MinHash, MinHashLSH
    except ImportError as error:
        raise MissingExtraError("finding wire copy", "report") from error
    texts = _texts(source, archive)
    index = MinHashLSH(threshold=SIMILARITY, num_perm=_PERMUTATIONS)
    plain = MinHash(num_perm=_PERMUTATIONS, seed=1, hashfunc=zlib.crc32)
    leader = np.arange(len(archive.names["article"]))
    hashes: dict[int, MinHash] = {}
    short = 0
    for article, text in texts.items():
        words = text.casefold().split()
        shingles = {" ".join(words[i : i + _SIZE]).encode() for i in range(len(words) - _SIZE + 1)}
        if len(shingles) < _FEWEST:
            short += 1
            continue
        mine = plain.copy()
        mine.update_batch(sorted(shingles))
        for other in index.query(mine):
            if hashes[other].jaccard(mine) >= SIMILARITY:
                leader[_root(leader, article)] = _root(leader, other)
        index.insert(article, mine)
        hashes[article] = mine
    roots = np.array([_root(leader, i) for i in range(len(leader))])
    _, place, size = np.unique(roots, return_inverse=True, return_counts=True)
    shared = size[place] > 1
    group = np.full(len(roots), -1)
    group[shared] = np.unique(place[shared], return_inverse=True)[1]
    return WireCopy(group, short)


def _texts(source: RowSource, archive: Archive) -> dict[int, str]:
    """Return the quoted statements of each article, one after the other."""
    kept = np.zeros(int(archive["position"].max()) + 1 if len(archive) else 0, dtype=np.int64) - 1
    first = archive["first"] & ~archive["own"]
    kept[archive["position"][first]] = archive["article"][first]
    parts: dict[int, list[str]] = {}
    at = 0
    for _, numbers, batch in source.batches(("statement",), again=True):
        inside = kept[at : at + len(numbers)]
        rows = np.flatnonzero(inside >= 0)
        for row, text in zip(rows, batch.column("statement").take(rows).to_pylist(), strict=True):
            parts.setdefault(int(inside[row]), []).append(text or "")
        at += len(numbers)
    return {article: " ".join(found) for article, found in parts.items()}


def _root(leader: NDArray[np.int64], i: int) -> int:
    while leader[i] != i:
        leader[i] = leader[leader[i]]
        i = int(leader[i])
    return i


def count_once(archive: Archive, wire: WireCopy) -> tuple[Archive, int]:
    """Return the archive with one article of each group, under the outlet name `WIRE`, and how many were dropped.

    A group within one outlet keeps that outlet: it is a repeated article, not an agency's.
    """
    article, outlet = archive["article"], archive["outlet"].astype(np.int64)
    group = wire.group[article]
    names = archive.names["outlet"]
    home = np.full(len(wire.group), -1)
    home[article] = outlet
    keep_article = np.ones(len(wire.group), dtype=bool)
    several = np.zeros(max(wire.groups, 1), dtype=bool)
    members = np.flatnonzero((wire.group >= 0) & (home >= 0))
    members = members[np.argsort(wire.group[members], kind="stable")]
    again = wire.group[members[1:]] == wire.group[members[:-1]]
    keep_article[members[1:][again]] = False
    moved = again & (home[members[1:]] != home[members[:-1]])
    several[wire.group[members[1:][moved]]] = True
    changed = np.where((group >= 0) & several[np.maximum(group, 0)], len(names), outlet)
    keep = keep_article[article]
    result = archive.with_outlets(changed.astype(np.int32), (*names, WIRE)).where(keep)
    return result, int((~keep_article).sum())


def wire_copy(source: RowSource, archive: Archive, mode: WireMode, notes: list[str]) -> WireCopy | None:
    """Find wire copy if the mode asks for it, and note what was found or why it was not looked for.

    Parameters
    ----------
    source
        Gives the texts.
    archive
        The rows that count.
    mode
        As in `ReportOptions.wire`.
    notes
        Gets a sentence.

    Raises
    ------
    MissingExtraError
        If it was asked for and `datasketch` is not installed.
    """
    if mode == "off":
        return None
    articles = archive.articles
    if mode == "auto" and articles > _AUTO:
        notes.append(f"Wire copy was not looked for in {articles:,} articles; --wire each or once does it.")
        return None
    try:
        wire = find_wire_copy(source, archive)
    except MissingExtraError as error:
        if mode != "auto":
            raise
        notes.append(f"Wire copy was not looked for: {error}.")
        return None
    members = int((wire.group >= 0).sum())
    notes.append(
        f"{members:,} of {articles:,} articles share their statements with another ({wire.groups:,} groups); "
        f"{wire.too_short:,} say too little to be compared."
    )
    return wire


def wire_table(archive: Archive, wire: WireCopy | None) -> list[dict[str, Any]]:
    """Return the group, id and outlet of each article that shares its text with another."""
    if wire is None:
        return []
    home = np.full(len(wire.group), -1)
    home[archive["article"]] = archive["outlet"]
    names, outlets = archive.names["article"], archive.names["outlet"]
    members = np.flatnonzero((wire.group >= 0) & (home >= 0))
    order = members[np.argsort(wire.group[members], kind="stable")]
    return [{"group": int(wire.group[a]), "article_id": names[a], "outlet": outlets[home[a]]} for a in order]
