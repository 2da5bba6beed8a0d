"""Write ``metrics.json`` beside a model: ``python -m training.confusion [--model FOLDER] [--split validation]``.

It holds, for each target, how often each true label was answered by each label on country-stance, which
`stance report` uses to correct its counts. Run it again whenever the model's weights or settings change: a report is
corrected only where its rows name the model that this file names.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.learning import Example
from stance.model import StanceClassifier, shipped_model
from stance.statistics import confusion_by_cluster
from training.corpora import country_stance, data_folder
from training.corpora.country_stance import TARGETS
from training.evaluate import predict
from training.tasks import country_task

__all__ = ["design_effect", "main", "metrics"]


def metrics(classifier: StanceClassifier, examples: Sequence[Example], splits: Sequence[str]) -> dict[str, Any]:
    """Return the contents of ``metrics.json`` from held-out examples."""
    task = country_task("country-stance", list(examples))
    predicted = predict(classifier, task)
    labels = list(task.labels)
    by_target = {}
    for target in TARGETS:
        mine = np.array([t == target for t in task.targets])
        clusters = [c for c, m in zip(task.clusters, mine, strict=True) if m]
        by_target[target] = confusion_by_cluster(task.gold[mine], predicted[mine], clusters, len(labels))
    return {
        "model": classifier.id,
        "labels": labels,
        "corpus": "country-stance",
        "splits": list(splits),
        "statements": len(examples),
        "documents": len(set(task.clusters)),
        "confusion": {target: counts.sum(axis=0).tolist() for target, counts in by_target.items()},
        "design_effect": {target: round(design_effect(counts), 3) for target, counts in by_target.items()},
    }


def design_effect(counts: NDArray[np.int64]) -> float:
    """Return how much the rates of answers vary more than if statements were independent, at least 1.

    The clustered (sandwich) variance of each row's answer rates over their multinomial variance, summed over rows
    (Kish 1965, "Survey Sampling", section 5.4; Rao & Scott 1981, J. Am. Statist. Assoc. 76).

    Parameters
    ----------
    counts
        Gold × answer counts of each document, shape ``(documents, k, k)``.
    """
    total = counts.sum(axis=0).astype(np.float64)
    clustered = independent = 0.0
    documents = len(counts)
    for label, row in enumerate(total):
        items = row.sum()
        if items < 2:
            continue
        rates = row / items
        residual = counts[:, label] - counts[:, label].sum(axis=1, keepdims=True) * rates
        clustered += float((residual**2).sum()) * documents / max(documents - 1, 1) / items
        independent += float((rates * (1 - rates)).sum())
    return max(1.0, clustered / independent) if independent else 1.0


def main() -> None:
    """Write the file and print what went into it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=shipped_model(), help="a stance model (default: the shipped one)")
    parser.add_argument(
        "--split",
        nargs="+",
        choices=("validation", "test"),
        default=["validation"],
        help="held-out parts of country-stance that are counted",
    )
    parser.add_argument("-o", "--output", type=Path, help="file to write (default: metrics.json in the model's folder)")
    arguments = parser.parse_args()
    splits = list(dict.fromkeys(arguments.split))
    classifier = StanceClassifier.from_pretrained(arguments.model)
    examples = [e for split in splits for e in country_stance.read(data_folder(), split)]
    found = metrics(classifier, examples, splits)
    path = arguments.output or arguments.model / "metrics.json"
    text = json.dumps(found, indent=1)
    path.write_text(text + "\n", encoding="utf-8")
    print(f"{path}: {found['statements']} statements of {found['documents']} documents, {found['model']}")
    for target, matrix in found["confusion"].items():
        print(f"{target}: {matrix}, design effect {found['design_effect'][target]}")


if __name__ == "__main__":
    main()
