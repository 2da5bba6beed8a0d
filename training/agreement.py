"""How well two readers of the country-stance test split agree: ``python -m training.agreement``.

Every statement was read twice, independently; where the readings differ a third has settled nearly all
(`training.corpora.country_stance`; `read_how_often` counts them). The second reader's macro-F1 against the first's
labels is the ceiling that a model can be held to (against the settled labels it would be too kind: the second reading
is part of them).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.learning import Example
from stance.schema import LABELS
from stance.statistics import cohen_kappa, krippendorff_alpha
from training.corpora import country_stance, data_folder
from training.corpora.country_stance import TARGETS
from training.tables import Figures, figures, shown
from training.tasks import Task

__all__ = ["Reread", "ceiling", "main", "read_how_often", "readings", "reliability"]


@dataclass(frozen=True)
class Reread:
    """How often statements were read, and what came of it where readings differ.

    Parameters
    ----------
    statements
        All of them.
    once
        Those read once.
    alike
        Those read more often, always with the same labels.
    decided
        Those whose readings differ, read at least three times.
    first
        Those whose two readings differ: the first one's labels stand.
    """

    statements: int
    once: int
    alike: int
    decided: int
    first: int


def read_how_often(data: Path, examples: Sequence[Example]) -> Reread:
    """Count the readings of examples of country-stance, those of the corpus and this project's own.

    Parameters
    ----------
    data
        Folder of the corpora.
    examples
        Some of what `training.corpora.country_stance.read` yields.
    """
    found = country_stance.own_readings()
    for record in _records(data):
        found[record["id"]] = [*record["readers"].values(), *found.get(record["id"], [])]
    read = [found[e.statement.id] for e in examples]
    differ = [len(r) for r in read if any(reading != r[0] for reading in r)]
    once, first = sum(len(r) == 1 for r in read), differ.count(2)
    return Reread(len(read), once, len(read) - once - len(differ), len(differ) - first, first)


def _records(data: Path) -> Iterator[dict[str, Any]]:
    with (data / "country-stance" / "statements.jsonl").open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def readings(data: Path) -> tuple[NDArray[np.int64], list[str]]:
    """Return both readings of the test split and each statement's document.

    Returns
    -------
    codes : array of shape (statements, targets, 2)
        Label ids of the first and the second reader.
    documents : list of length ``statements``
    """
    further = country_stance.own_readings()
    codes, documents = [], []
    for record in _records(data):
        if record["split"] == "test":
            second = record["readers"].get("b") or further[record["id"]][0]
            codes.append([[LABELS.index(r[t]) for r in (record["readers"]["a"], second)] for t in TARGETS])
            documents.append(f"{record['corpus']}:{record['document']}")
    return np.array(codes), documents


def ceiling(codes: NDArray[np.int64], documents: Sequence[str]) -> dict[str, tuple[float, float, float]]:
    """Return the figures of the second reader against the first, each as a model's is counted (`training.tables`).

    Parameters
    ----------
    codes, documents
        What `readings` returns.
    """
    clusters = [d for d in documents for _ in TARGETS]
    first = Task("first reading", LABELS, [], [], codes[..., 0].ravel(), clusters)
    return figures(first, codes[..., 1].ravel())


def reliability(codes: NDArray[np.int64], documents: Sequence[str]) -> Figures:
    """Return Krippendorff's alpha and Cohen's kappa of two readers per target, clustered by document.

    Parameters
    ----------
    codes, documents
        What `readings` returns.
    """
    rows = []
    for i, target in enumerate(TARGETS):
        alpha = krippendorff_alpha(codes[:, i], len(LABELS), clusters=documents)
        kappa = cohen_kappa(codes[:, i, 0], codes[:, i, 1], len(LABELS), clusters=documents)
        rows.append([target, *(shown((x.value, x.low, x.high)) for x in (alpha, kappa))])
    title = f"country-stance, test: two readers of {len(codes)} statements, {len(set(documents))} documents"
    return Figures(title, ["target", "Krippendorff's alpha", "Cohen's kappa"], rows)


def main() -> None:
    """Print alpha and kappa per target, and the second reader's figures."""
    codes, documents = readings(data_folder())
    reliability(codes, documents).print()
    for name, figure in ceiling(codes, documents).items():
        print(f"second reader against the first, {name}: {shown(figure)}")
    print(read_how_often(data_folder(), list(country_stance.read(data_folder(), "test"))))


if __name__ == "__main__":
    main()
