"""How well two readers of the country-stance test split agree: ``python -m training.agreement``.

Every statement was read twice, independently; where the readings differ a third has settled them
(`training.corpora.country_stance`). The second reader's macro-F1 against the first's labels is the ceiling that a model
can be held to (against the settled labels it would be too kind: the second reading is part of them).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stance.schema import LABELS
from stance.statistics import cohen_kappa, krippendorff_alpha
from training.corpora import country_stance, data_folder
from training.corpora.country_stance import TARGETS
from training.tables import figures, shown
from training.tasks import Task

__all__ = ["ceiling", "main", "readings"]


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
    with (data / "country-stance" / "statements.jsonl").open(encoding="utf-8") as lines:
        for record in map(json.loads, lines):
            if record["split"] != "test":
                continue
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


def main() -> None:
    """Print alpha and kappa per target, and the second reader's figures."""
    codes, documents = readings(data_folder())
    print(f"country-stance test: {len(codes)} statements read twice, {len(set(documents))} documents")
    for i, target in enumerate(TARGETS):
        alpha = krippendorff_alpha(codes[:, i], len(LABELS), clusters=documents)
        kappa = cohen_kappa(codes[:, i, 0], codes[:, i, 1], len(LABELS), clusters=documents)
        print(
            f"{target:15s} alpha {alpha.value:.3f} [{alpha.low:.3f}, {alpha.high:.3f}]"
            f"  kappa {kappa.value:.3f} [{kappa.low:.3f}, {kappa.high:.3f}]"
        )
    for name, figure in ceiling(codes, documents).items():
        print(f"second reader against the first, {name}: {shown(figure)}")


if __name__ == "__main__":
    main()
