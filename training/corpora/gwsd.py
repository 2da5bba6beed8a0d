"""GWSD: stance of news sentences toward "climate change is a serious concern" (Luo et al. 2020, Findings of EMNLP).

A target and a label set that the shipped model has never seen: the measure of fine-tuning on a user's corpus.
"""

from __future__ import annotations

import csv
from pathlib import Path

from stance.corpus import Corpus, CorpusRecord
from stance.schema import Statement

__all__ = ["LABELS", "TARGET", "read"]

LABELS = ("disagrees", "neutral", "agrees")
TARGET = "climate change as a serious concern"
_COLUMNS = ("disagree", "neutral", "agree")
_VALIDATION_EVERY = 10


def read(data: Path) -> Corpus:
    """Return the corpus: its held-out sentences as ``test``, a tenth of the rest as ``validation``.

    The label is the class of the highest probability that its authors estimated; the sentences without an estimate,
    which screened the annotators, are left out.
    """
    splits: dict[str, list[CorpusRecord]] = {"train": [], "validation": [], "test": []}
    with (data / "gwsd" / "GWSD.tsv").open(encoding="utf-8", newline="") as file:
        for i, row in enumerate(csv.DictReader(file, delimiter="\t")):
            if not all(row[c] for c in _COLUMNS):
                continue
            label = LABELS[max(range(3), key=lambda c: float(row[_COLUMNS[c]]))]
            held = row["in_held_out_test"] == "True"
            split = "test" if held else "train" if i % _VALIDATION_EVERY else "validation"
            statement = Statement(id=row["sent_id"], text=row["sentence"])
            splits[split].append(CorpusRecord(statement, {TARGET: label}, document=row["guid"] or row["sent_id"]))
    return Corpus("gwsd", LABELS, (TARGET,), {name: tuple(found) for name, found in splits.items()})
