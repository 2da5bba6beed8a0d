"""Set the thresholds of abstention anew: ``python -m training.abstention [--model FOLDER] [--risk 0.15] [--curve]``.

They are chosen on country-stance validation (`stance.learning.calibration`) and written into the model's
``config.json``; weights and temperature stay. The model's content hash changes: write the release gate's file, the
confusion counts and the card again. ``--curve`` prints risk and coverage instead and writes nothing.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stance.learning.calibration import labelled_logits, set_abstention
from stance.model import StanceClassifier, shipped_model
from stance.statistics import upper_share
from training.corpora import data_folder
from training.recipe import DEFAULT, load_recipe, validation_sets

__all__ = ["main", "rewrite"]

_KEYS = ("abstain_threshold", "abstain_threshold_elsewhere", "abstain_risk", "abstain_scope")


def rewrite(classifier: StanceClassifier, folder: Path) -> None:
    """Write a classifier's thresholds of abstention into the ``config.json`` of its folder, and nothing else."""
    path = folder / "config.json"
    found = json.loads(path.read_text(encoding="utf-8"))
    found |= {key: getattr(classifier.config, key) for key in _KEYS}
    path.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _shown(wrong: NDArray[np.bool_], kept: NDArray[np.bool_]) -> str:
    errors, answered = int(wrong[kept].sum()), int(kept.sum())
    share, bound = errors / max(answered, 1), upper_share(errors, answered)
    return f"{answered} of {len(kept)} pairs answered, {share:.1%} of them wrong (upper bound {bound:.1%})"


def main() -> None:
    """Choose and write the thresholds, or print the curve they are chosen on."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=shipped_model())
    parser.add_argument("--risk", type=float, default=load_recipe(DEFAULT).risk)
    parser.add_argument("--curve", action="store_true", help="print risk and coverage, write nothing")
    arguments = parser.parse_args()
    classifier = StanceClassifier.from_pretrained(arguments.model)
    logits, gold = labelled_logits(classifier, validation_sets(data_folder())["country_stance/validation"])
    set_abstention(classifier, logits, gold, arguments.risk)
    p, config = classifier.probabilities(logits), classifier.config
    predicted = p.argmax(1)
    addressed = np.isin(predicted, [config.labels.index(label) for label in config.abstain_scope])
    for name, scope in (("addressed", addressed), ("not addressed", ~addressed)):
        kept = {f" at {t:.2f}": p.max(1) >= t for t in np.arange(0.3, 0.96, 0.05)}
        for at, mask in (kept if arguments.curve else {"": ~classifier.abstains(p)}).items():
            print(f"{name}{at}: {_shown((predicted != gold)[scope], mask[scope])}")
    if not arguments.curve:
        rewrite(classifier, arguments.model)
        print({key: getattr(config, key) for key in _KEYS}, StanceClassifier.from_pretrained(arguments.model).id)


if __name__ == "__main__":
    main()
