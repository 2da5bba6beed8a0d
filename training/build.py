"""Train a model from the corpora: ``python -m training.build [RECIPE.yaml] -o FOLDER``, or ``--ship``."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from stance.learning import Example, fit
from stance.learning.calibration import calibrate
from stance.learning.stopping import KeepBest
from stance.model import StanceClassifier, shipped_model
from training.augment import Variation
from training.corpora import data_folder
from training.distillation import distilled
from training.evaluate import predict
from training.plain import fresh
from training.recipe import (
    BEFORE,
    DEFAULT,
    Distillation,
    Recipe,
    Stage,
    distractors,
    load_recipe,
    surroundings,
    training_examples,
    validation_sets,
)
from training.tables import figures
from training.tasks import tasks

__all__ = ["build", "build_stage", "main", "round_linear"]


def build(
    recipe: Recipe,
    data: Path,
    output: Path,
    *,
    stages: Sequence[int] = (),
    start: Path | None = None,
    encoder: Path | None = None,
) -> str:
    """Train, calibrate and save a model.

    Parameters
    ----------
    recipe
        The recipe.
    data
        Folder of the corpora.
    output
        Folder to write the model to.
    stages
        Places of the stages to run, counted from 1; all if none is given.
    start
        Folder of a model to go on from, instead of the plain encoder.
    encoder
        Folder of a pretrained encoder to start from, instead of the one the shipped model stands on.

    Returns
    -------
    str
        Name and content hash of the model.

    Raises
    ------
    ValueError
        If the recipe has no stage of a number in `stages`.
    """
    _check_stages(recipe, stages)
    chosen = [s for i, s in enumerate(recipe.stages, start=1) if not stages or i in stages]
    torch.manual_seed(chosen[0].fit.seed)
    classifier = StanceClassifier.from_pretrained(start) if start else fresh(recipe, encoder)
    classifier.config.target_view = recipe.target_view
    for stage in chosen:
        build_stage(classifier, recipe, stage, data, output)
    round_linear(classifier.model)
    _calibrate(classifier, data, recipe.risk)
    last = len(recipe.stages) in stages or not stages
    classifier.save_pretrained(output, dtype=torch.float16 if last else torch.float32)
    return classifier.id


def _check_stages(recipe: Recipe, stages: Sequence[int]) -> None:
    if unknown := [str(i) for i in stages if not 1 <= i <= len(recipe.stages)]:
        raise ValueError(f"{recipe.name} has the stages 1 to {len(recipe.stages)}, no stage {', '.join(unknown)}")


def _calibrate(classifier: StanceClassifier, data: Path, risk: float) -> None:
    calibrate(classifier, validation_sets(data)["country_stance/validation"], risk)


def round_linear(model: torch.nn.Module) -> None:
    """Round the weights of linear layers to bfloat16, in place, so that engines that compute in it read the same."""
    with torch.no_grad():
        for layer in model.modules():
            if isinstance(layer, torch.nn.Linear):
                layer.weight.copy_(layer.weight.to(torch.bfloat16))


def build_stage(classifier: StanceClassifier, recipe: Recipe, stage: Stage, data: Path, output: Path) -> None:
    """Run one stage of the recipe on a classifier, in place."""
    examples = training_examples(data, stage)
    variation = Variation(recipe.variation, distractors(examples), surroundings(examples))
    if stage.distillation:
        examples = _distilled(classifier, examples, stage.distillation, recipe.risk, data)
    before = {name: tensor.clone() for name, tensor in classifier.model.state_dict().items()}
    seeds = stage.seeds or (stage.fit.seed,)
    result = {name: tensor * stage.keep for name, tensor in before.items()}
    watched = _watched(data) if stage.patience else []
    for seed in seeds:
        torch.manual_seed(seed)
        classifier.model.load_state_dict(before)
        best = [KeepBest(classifier, watched, stage.patience)] if stage.patience else []
        fit(classifier, examples, replace(stage.fit, seed=seed), output=output, augment=variation, callbacks=best)
        for name, tensor in classifier.model.state_dict().items():
            result[name] = result[name] + tensor * ((1 - stage.keep) / len(seeds))
    classifier.model.load_state_dict(result)


def _distilled(
    classifier: StanceClassifier,
    examples: list[Example],
    options: Distillation,
    risk: float,
    data: Path,
) -> list[Example]:
    """Add the teachers' beliefs; where the model is its own teacher, a calibrated copy is saved and asked."""
    if BEFORE not in options.teachers:
        return distilled(examples, options, data)
    with tempfile.TemporaryDirectory() as folder:
        StanceClassifier(classifier.model, classifier.tokenizer).save_pretrained(folder, dtype=torch.float32)
        before = StanceClassifier.from_pretrained(folder)
        _calibrate(before, data, risk)
        before.save_pretrained(folder, dtype=torch.float32)
        named = [folder if teacher == BEFORE else teacher for teacher in options.teachers]
        return distilled(examples, replace(options, teachers=named), data)


def _watched(data: Path) -> list[Example]:
    """Return the validation examples that early stopping looks at."""
    held = validation_sets(data)
    return [e for name in ("country_stance/validation", "own/validation", "newsmtsc-mt/dev") for e in held[name]]


def _taught_by(stage: Stage, teachers: Sequence[str]) -> Stage:
    return replace(stage, distillation=replace(stage.distillation, teachers=teachers)) if stage.distillation else stage


def _shipped(recipe: Recipe, stages: Sequence[int]) -> Path:
    """Return the folder of the shipped model, if it is the whole of that model that is to be written."""
    if recipe.name != (name := load_recipe(DEFAULT).name):
        raise ValueError(f"--ship writes {name}, and this recipe makes {recipe.name}: say -o FOLDER")
    if stages and len(recipe.stages) not in stages:
        raise ValueError("--ship writes a finished model, and --stages leaves the last stage out: say -o FOLDER")
    return shipped_model()


def main() -> None:
    """Build the model and print its validation figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe", nargs="?", type=Path, default=DEFAULT)
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("-o", "--output", type=Path, help="folder to write the model to")
    place.add_argument("--ship", action="store_true", help="write the model that ships inside the package")
    parser.add_argument("--stages", type=int, nargs="+", default=(), help="run only these stages, counted from 1")
    begin = parser.add_mutually_exclusive_group()
    begin.add_argument("--start", type=Path, help="go on from this model instead of the plain encoder")
    begin.add_argument("--encoder", type=Path, help="start from this pretrained encoder instead of the plain one")
    parser.add_argument("--teachers", nargs="+", help="models that stages with distillation imitate, not the recipe's")
    arguments = parser.parse_args()
    recipe = load_recipe(arguments.recipe)
    try:
        _check_stages(recipe, arguments.stages)
        output = _shipped(recipe, arguments.stages) if arguments.ship else arguments.output
    except ValueError as error:
        parser.error(str(error))
    data, begun = data_folder(), time.monotonic()
    if arguments.teachers:
        recipe = replace(recipe, stages=[_taught_by(stage, arguments.teachers) for stage in recipe.stages])
    model = build(recipe, data, output, stages=arguments.stages, start=arguments.start, encoder=arguments.encoder)
    print(f"trained {model} in {(time.monotonic() - begun) / 60:.1f} minutes")
    classifier = StanceClassifier.from_pretrained(output)
    for name, (_, held) in tasks(data, "validation").items():
        found = figures(held, predict(classifier, held))
        print(name, {figure: round(value, 4) for figure, (value, _, _) in found.items()})


if __name__ == "__main__":
    main()
