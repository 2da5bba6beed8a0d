"""The recipe of the default model: which examples, how varied, how long."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from stance.learning import Example, FitOptions
from training.augment import VariationOptions
from training.corpora import country_stance, dse, newsmtsc, own
from training.corpora.country_stance import TARGETS
from training.duplicates import Contained, drop_near_duplicates

__all__ = [
    "BEFORE",
    "DEFAULT",
    "STORED",
    "Distillation",
    "Recipe",
    "Stage",
    "country_statements",
    "distractors",
    "held_out",
    "load_recipe",
    "surroundings",
    "training_examples",
    "validation_sets",
]

DEFAULT = Path(__file__).resolve().parents[1] / "configs" / "default_model.yaml"
"""The recipe of the default model; the shipped weights are older than its present form (docs/model.md)."""
BEFORE = "before"
"""Names the model as it stands before a stage, as a teacher."""
STORED = "stored"
"""Names the larger teacher whose answers are kept (`training.teachers`)."""


@dataclass(frozen=True, slots=True)
class Distillation:
    """What a stage imitates beside its labels: the mean calibrated probabilities of several of our own models.

    How much it counts, and how far it is softened, are `soft_weight` and `soft_temperature` of the stage's `fit`.

    Parameters
    ----------
    teachers
        Folders of the models; `BEFORE` is the model as it stands before the stage, `STORED` the larger one whose
        answers are kept.
    named
        Corpora whose statements the teachers are asked about too, each toward the targets it is labelled toward
        (``newsmtsc``); those labelled toward the default targets always are.
    unlabelled
        How many statements of ``newsmtsc``, ``dse`` and ``polnear`` that name one of the countries, without labels.
    swaps
        With how many exchanges of countries, where that makes sense, the teachers are asked as well: what they say of
        the exchanged statements is averaged in, so that the student learns no reputation from them.
    engine
        Engine the teachers run on (`stance.model.engines.ENGINES`); ``None`` is the fastest that is installed.
    """

    teachers: Sequence[str]
    named: Sequence[str] = ()
    unlabelled: Mapping[str, int] = field(default_factory=dict)
    swaps: int = 1
    engine: str | None = "torch-fp32"


@dataclass(frozen=True, slots=True)
class Stage:
    """One round of fine-tuning; each stage goes on from the weights of the one before.

    Parameters
    ----------
    repeat
        How often each corpus is seen in one epoch; a corpus that is not named is left out. 1.5 is once and a random
        half, the same in every epoch.
    readers
        Readers whose labels of country-stance statements are trained on, beside the corpus's own.
    fit
        Options of the optimiser.
    seeds
        The stage is run once with each seed and the weights are averaged (Wortsman et al. 2022, "Model soups",
        arXiv:2203.05482); empty: once, with the seed of `fit`.
    keep
        Share of the weights before the stage that stays in the result (Wortsman et al. 2022, "Robust fine-tuning of
        zero-shot models", arXiv:2109.01903).
    distillation
        What is imitated beside the labels, if anything (`training.distillation`).
    patience
        Epochs without a better macro-F1 on validation statements (country-stance, our own, NewsMTSC's mt) after which
        the stage stops; the weights of the best epoch are what it gives. 0: all epochs are run and the last one counts.
    """

    repeat: Mapping[str, float] = field(default_factory=dict)
    readers: Sequence[str] = ()
    fit: FitOptions = field(default_factory=FitOptions)
    seeds: Sequence[int] = ()
    keep: float = 0.0
    distillation: Distillation | None = None
    patience: int = 0


@dataclass(frozen=True, slots=True)
class Recipe:
    """A training recipe, read from YAML by `load_recipe`.

    Parameters
    ----------
    name
        Name of the model.
    stages
        Rounds of fine-tuning.
    context_tokens
        Tokens of context that the model reads on each side of a statement.
    target_view
        What targets asked about together see of one another (`stance.model.StanceConfig`).
    encoder
        Options of the encoder while training, such as its dropout rates.
    variation
        Chances of the augmentations.
    risk
        Share of wrong rows that is accepted among those the model does not abstain from
        (`stance.learning.calibration.set_abstention`).
    """

    stages: Sequence[Stage]
    name: str = "stance-minilm"
    context_tokens: int = 32
    target_view: str = "apart"
    encoder: Mapping[str, Any] = field(default_factory=dict)
    variation: VariationOptions = field(default_factory=VariationOptions)
    risk: float = 0.15


def load_recipe(path: str | Path) -> Recipe:
    """Read a recipe; an unknown key is an error (`TypeError`), so that no misspelt one is passed over."""
    data: dict[str, Any] = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    stages = [_stage(stage) for stage in data.pop("stages")]
    variation = VariationOptions(**data.pop("variation", {}))
    return Recipe(stages=stages, variation=variation, **data)


def _stage(data: Mapping[str, Any]) -> Stage:
    distillation = data.get("distillation")
    made = {"fit": FitOptions(**data.get("fit", {})), "distillation": distillation and Distillation(**distillation)}
    return Stage(**{**data, **made})


def held_out(data: Path) -> dict[str, list[Example]]:
    """Return every validation and test set by name (``country_stance/test``, ``newsmtsc-mt/dev``, …)."""
    sets = {f"country_stance/{s}": list(country_stance.read(data, s)) for s in ("validation", "test")}
    sets |= {f"own/{s}": list(own.read(s)) for s in ("validation", "test")}
    sets |= {f"newsmtsc-{p}/{s}": list(newsmtsc.read(data, p, s)) for p in ("mt", "rw") for s in ("dev", "test")}
    return sets | {f"dse/{s}": list(dse.read(data, s)) for s in ("valid", "test")}


def validation_sets(data: Path) -> dict[str, list[Example]]:
    """Return the validation sets by name, without what repeats a test statement of any corpus: for choosing.

    Stopping early, temperature and thresholds are settled on these, so that no test statement has a say in them. What
    is left out here stays out of training too.
    """
    held = held_out(data)
    tests = [e for name, examples in held.items() if name.endswith("/test") for e in examples]
    return {name: drop_near_duplicates(e, tests) for name, e in held.items() if not name.endswith("/test")}


def training_examples(data: Path, stage: Stage) -> list[Example]:
    """Return one epoch of a stage's examples; none repeats a held-out statement, holds one or stands within one."""
    others = [e for examples in held_out(data).values() for e in examples]
    corpora = {
        "newsmtsc": lambda: newsmtsc.read(data, "mt", "train"),
        "dse": lambda: dse.read(data, "train"),
        "country_stance": lambda: country_stance.read(data, "train", readers=stage.readers),
        "own": lambda: own.read("train"),
    }
    if unknown := set(stage.repeat) - set(corpora):
        raise ValueError(f"recipe repeats unknown corpora: {', '.join(sorted(unknown))}")
    found: list[Example] = []
    for name, times in stage.repeat.items():
        if times:
            examples = drop_near_duplicates(list(corpora[name]()), others)
            found += examples * int(times)
            found += random.Random(0).sample(examples, round(times % 1 * len(examples)))
    spoken = Contained([e.statement.text for e in others])
    return [e for e in found if not spoken.touch(e.statement.text)]


def country_statements(data: Path) -> list[Example]:
    """Return the training statements of country-stance with the labels that the default model's recipe learns from.

    What else learns from them, to be held against the model, does so from the same labels.
    """
    return list(country_stance.read(data, "train", readers=load_recipe(DEFAULT).stages[0].readers))


def distractors(examples: Sequence[Example]) -> list[str]:
    """Return the names of people, groups and places that single-target corpora ask about (`training.augment`)."""
    return sorted({name for e in examples if e.corpus in {"newsmtsc", "dse"} for name in e.labels})


def surroundings(examples: Sequence[Example]) -> list[str]:
    """Return the statements labelled toward all default targets, which may stand around others."""
    return sorted({e.statement.text for e in examples if set(e.labels) == set(TARGETS)})
