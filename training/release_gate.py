"""May these weights be released? ``python -m training.release_gate [--model FOLDER] [--write]``.

``tests/quality_floors.json`` pins the model (content hash), the corpora it was measured on (hashes) and a floor for
every figure on validation statements. The gate measures them again, and refuses a model under a floor. With
``--write`` the file is brought up to date for a new model: floors rise to what it reaches, less a margin; one is
lowered only with ``--lower``, and those of a corpus whose items have changed are set anew only with ``--new-items``.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from stance.model import StanceClassifier, shipped_model
from training.corpora import data_folder
from training.evaluate import predict
from training.families import by_family
from training.flips import flip_consistency
from training.tables import figures
from training.tasks import corpus_hash, own_task, tasks

__all__ = ["FLOORS", "MARGIN", "corpus_hash", "main", "measured", "verdict"]

FLOORS = Path(__file__).resolve().parents[1] / "tests" / "quality_floors.json"
MARGIN = 0.005
"""How far under the measured figure a floor is set: processors round differently."""
_PINNED = ("macro-F1", "F1 against+favor")


def measured(classifier: StanceClassifier, data: Path | None) -> dict[str, Any]:
    """Measure every pinned figure on validation statements.

    Parameters
    ----------
    classifier
        The model.
    data
        Folder of the corpora; without it only our own statements are measured.

    Returns
    -------
    dict
        ``figures`` and ``corpora`` (hashes), by corpus.
    """
    mine = own_task()
    held = {"own": mine}
    if data is not None:
        held |= {name: task for name, (_, task) in tasks(data, "validation").items()}
    predicted = {name: predict(classifier, task) for name, task in held.items()}
    found = {
        name: {figure: round(v, 4) for figure, (v, _, _) in figures(task, predicted[name]).items() if figure in _PINNED}
        for name, task in held.items()
    }
    found["own"]["flip-consistency"] = round(flip_consistency(classifier, mine.examples).consistent[0], 4)
    families = by_family(mine, predicted["own"])
    found["own"] |= {f"family {name}": round(share, 4) for name, (share, _, _) in families.items()}
    return {"figures": found, "corpora": {name: corpus_hash(task) for name, task in held.items()}}


def verdict(pinned: dict[str, Any], classifier_id: str, found: dict[str, Any]) -> list[str]:
    """Return what speaks against a release, one line each; empty if nothing does."""
    problems = []
    if pinned["model"] != classifier_id:
        problems.append(f"the floors belong to {pinned['model']}, this is {classifier_id}")
    for name, digest in found["corpora"].items():
        if pinned["corpora"].get(name) != digest:
            problems.append(f"{name}: measured on other items ({digest}) than pinned ({pinned['corpora'].get(name)})")
    for name, values in found["figures"].items():
        for figure, value in values.items():
            floor = pinned["floors"].get(name, {}).get(figure)
            if floor is None:
                problems.append(f"{name}: {figure} has no floor")
            elif not value >= floor:
                problems.append(f"{name}: {figure} {value:.4f} is under its floor {floor:.4f}")
    return problems


def _updated(
    pinned: dict[str, Any], classifier_id: str, found: dict[str, Any], *, lower: bool, new_items: bool
) -> dict[str, Any]:
    floors: dict[str, dict[str, float]] = {}
    for name, values in found["figures"].items():
        before = pinned.get("corpora", {}).get(name)
        same = before == found["corpora"][name]
        if before is not None and not same and not new_items:
            raise SystemExit(f"{name}: measured on other items than pinned; say --new-items to set its floors anew")
        for figure, value in values.items():
            reached = float(np.floor((value - MARGIN) * 1000) / 1000)
            old = pinned.get("floors", {}).get(name, {}).get(figure, 0.0) if same else 0.0
            if reached < old and value < old and not lower:
                raise SystemExit(
                    f"{name}: {figure} {value:.4f} would lower the floor {old:.4f}; say --lower to allow it"
                )
            floors.setdefault(name, {})[figure] = reached if lower else max(reached, old)
    return {"model": classifier_id, "split": "validation", "corpora": found["corpora"], "floors": floors}


def main() -> int:
    """Measure, compare and print the verdict; return 1 if something speaks against a release."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=shipped_model())
    parser.add_argument("--write", action="store_true", help="bring the file of floors up to date for this model")
    parser.add_argument("--lower", action="store_true", help="with --write: allow floors to sink")
    parser.add_argument("--new-items", action="store_true", help="with --write: set floors of changed items anew")
    arguments = parser.parse_args()
    classifier = StanceClassifier.from_pretrained(arguments.model)
    found = measured(classifier, data_folder())
    pinned = json.loads(FLOORS.read_text(encoding="utf-8"))
    for name, values in found["figures"].items():
        print(name, found["corpora"][name], values)
    if arguments.write:
        new = _updated(pinned, classifier.id, found, lower=arguments.lower, new_items=arguments.new_items)
        FLOORS.write_text(json.dumps(new, indent=1) + "\n", encoding="utf-8")
        print(f"wrote {FLOORS.name} for {classifier.id}")
        return 0
    problems = verdict(pinned, classifier.id, found)
    print("\n".join(problems) if problems else f"{classifier.id} may be released")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
