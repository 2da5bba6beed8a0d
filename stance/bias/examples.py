"""Example statements behind the cells of a report, with source and offsets."""

from __future__ import annotations

from typing import Any

import numpy as np

from stance.bias.archive import Archive
from stance.bias.hashing import mixed
from stance.bias.rows import RowSource
from stance.schema import LABELS

__all__ = ["example_statements"]

_COLUMNS = ("article_id", "start", "end", "statement", "speaker", "published", "confidence", "abstained")


def example_statements(source: RowSource, archive: Archive, *, per_label: int, seed: int) -> list[dict[str, Any]]:
    """Return some statements of each outlet, target and label, chosen at random among those that address the target.

    Parameters
    ----------
    source
        Gives the texts.
    archive
        The rows that may be chosen.
    per_label
        Statements of each outlet, target and label, at most.
    seed
        Seed of the choice.
    """
    rows = np.flatnonzero((archive["label"] < 3) & ~archive["own"])
    cell = archive["outlet"][rows].astype(np.int64)
    for name, size in (("target", len(archive.names["target"])), ("label", 4)):
        cell = cell * size + archive[name][rows]
    order = np.lexsort((mixed(archive["position"][rows].astype(np.uint64) + np.uint64(seed)), cell))
    starts = np.flatnonzero(np.concatenate([[True], np.diff(cell[order]) != 0])) if len(order) else order
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
    chosen = np.sort(rows[order[rank < per_label]])
    position = archive["position"][chosen]
    by_position = np.argsort(position, kind="stable")
    chosen, position = chosen[by_position], position[by_position]
    found: list[dict[str, Any]] = []
    at = 0
    for file, numbers, batch in source.batches(_COLUMNS, again=True):
        first, last = np.searchsorted(position, [at, at + len(numbers)])
        texts = batch.take(position[first:last] - at).to_pylist()
        for row, text in zip(chosen[first:last], texts, strict=True):
            names = {k: archive.names[k][archive[k][row]] for k in ("outlet", "target", "country")}
            found.append({**names, "label": LABELS[archive["label"][row]], **text, "file": file})
        at += len(numbers)
    return found
