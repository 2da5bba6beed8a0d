"""How well two readers of held-out country-stance statements agree: ``python -m training.agreement``.

Every validation and test statement was read twice, independently; where the readings differ a third has settled them
(`training.corpora.country_stance`; `read_how_often` counts them). The second reader's macro-F1 against the first's
labels is the ceiling that a model can be held to (against the settled labels it would be too kind: the second reading
is part of them).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

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

_RESAMPLES = 10_000


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


def read_how_often(data: Path, examples: Sequence[Example], readers: Collection[str] | None = None) -> Reread:
    """Count the readings of examples of country-stance, those of the corpus and this project's own.

    Parameters
    ----------
    data
        Folder of the corpora.
    examples
        Some of what `training.corpora.country_stance.read` yields.
    readers
        Which readers of this project's own are counted; all if not given.
    """
    found = _all_readings(data, readers)
    read = [found[e.statement.id] for e in examples]
    differ = [len(r) for r in read if any(reading != r[0] for reading in r)]
    once, first = sum(len(r) == 1 for r in read), differ.count(2)
    return Reread(len(read), once, len(read) - once - len(differ), len(differ) - first, first)


def _all_readings(data: Path, readers: Collection[str] | None = None) -> dict[str, list[dict[str, str]]]:
    """Return the readings of each statement, those of the corpus first, in order of reading."""
    found = country_stance.own_readings(readers)
    with (data / "country-stance" / "statements.jsonl").open(encoding="utf-8") as lines:
        for record in map(json.loads, lines):
            found[record["id"]] = [*record["readers"].values(), *found.get(record["id"], [])]
    return found


def readings(data: Path, split: str) -> tuple[NDArray[np.int64], list[str]]:
    """Return the first two readings of each statement of a split, and its document.

    Parameters
    ----------
    data
        Folder of the corpora.
    split
        ``validation`` or ``test``.

    Returns
    -------
    codes : array of shape (statements, targets, 2)
        Label ids of the first and the second reader.
    documents : list of length ``statements``
    """
    found = _all_readings(data)
    examples = list(country_stance.read(data, split))
    codes = [[[LABELS.index(r[t]) for r in found[e.statement.id][:2]] for t in TARGETS] for e in examples]
    return np.array(codes), [f"{e.corpus}:{e.document}" for e in examples]


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


def reliability(codes: NDArray[np.int64], documents: Sequence[str], split: str) -> Figures:
    """Return Krippendorff's alpha and Cohen's kappa of two readers per target, clustered by document.

    Parameters
    ----------
    codes, documents
        What `readings` returns.
    split
        Name of the split they are of.
    """
    rows = []
    for i, target in enumerate(TARGETS):
        alpha = krippendorff_alpha(codes[:, i], len(LABELS), clusters=documents, resamples=_RESAMPLES)
        kappa = cohen_kappa(*codes[:, i].T, len(LABELS), clusters=documents, resamples=_RESAMPLES)
        rows.append([target, *(shown((x.value, x.low, x.high)) for x in (alpha, kappa))])
    title = f"country-stance, {split}: two readers of {len(codes)} statements, {len(set(documents))} documents"
    return Figures(title, ["target", "Krippendorff's alpha", "Cohen's kappa"], rows)


def main() -> None:
    """Print alpha and kappa per target, and the second reader's figures."""
    data = data_folder()
    for split in ("validation", "test"):
        codes, documents = readings(data, split)
        reliability(codes, documents, split).print()
        for name, figure in ceiling(codes, documents).items():
            print(f"second reader against the first, {name}: {shown(figure)}")
        print(read_how_often(data, list(country_stance.read(data, split))))


if __name__ == "__main__":
    main()
