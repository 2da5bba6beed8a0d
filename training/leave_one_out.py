"""Zero-shot on a target never trained: ``python -m training.leave_one_out [--targets China ...] [--share 0.5]``.

For each target, a model is trained without it and asked about it on validation statements, by its name and by the name
of it that the statement uses (`stance.targets.name_in`, with the adjective for its people among the aliases), alone in
its pass; beside it, the same training with all four, which share a pass. Each run is the recipe's first stage: all
corpora together for one epoch from the plain encoder, varied as the recipe says. Left out are the labels toward the
target, and those of NewsMTSC and DSE toward a name that holds the target's or one of its aliases; countries are
exchanged among the other three alone. Presidents of the United States are no aliases of it. The answers are kept
(`training.kept`) as each run ends: a run that was broken off goes on where it stopped, and `training.evaluate` prints
the figures. ``--dry-run`` counts the examples and trains nothing.
"""

from __future__ import annotations

import argparse
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.learning import Augment, Example
from stance.model import StanceClassifier
from stance.targets import default_targets, name_in
from training.augment import PEOPLE, Variation, VariationOptions
from training.corpora import country_stance, data_folder
from training.corpora.country_stance import TARGETS
from training.counterfactual import mentioned, random_order, swap_countries, swappable
from training.kept import FOLDER, add_options, check_settings, keep, recall, so_far
from training.plain import start, trained
from training.recipe import DEFAULT, Stage, distractors, load_recipe, surroundings, training_examples
from training.tables import Figures, difference, figures, part, shown
from training.tasks import Task, corpus_hash, country_task

__all__ = ["KEPT", "VariationWithout", "compared", "main", "names_of", "run_of", "seen_and_unseen", "without"]

KEPT = FOLDER / "leave_one_out.json"
"""Answers of the last runs: label ids of held-out items, no text."""
_ITEMS = "validation"
_ALL = "all"
_WAYS = ("seen", "unseen", "unseen, as named")
"""Trained on the target; never, and asked about by its name; never, and by the name of it that the statement uses."""


def names_of(target: str) -> re.Pattern[str]:
    """Return what finds a default target's names, aliases and people in a text; "US" in capitals only."""
    (found,) = (t for t in default_targets() if t.name == target)
    names = sorted({found.name, *found.aliases, PEOPLE[target]}, key=len, reverse=True)
    words = (re.escape(name) if len(name) == 2 else f"(?i:{re.escape(name)})" for name in names)
    return re.compile(rf"(?<!\w)(?:{'|'.join(words)})s?(?!\w)")


def without(examples: Sequence[Example], target: str) -> list[Example]:
    """Return the examples without the labels toward a target, or toward a name that holds one of its names."""
    names = names_of(target)
    kept = [replace(e, labels={t: label for t, label in e.labels.items() if not names.search(t)}) for e in examples]
    return [e for e in kept if e.labels]


class VariationWithout:
    """The recipe's variation (`training.augment`), but that it never asks about a target.

    Parameters
    ----------
    target
        The target. Statements that name it keep their countries; in others the other countries are exchanged.
    options
        Chances.
    names, surroundings
        As in `training.augment.Variation`.
    """

    def __init__(
        self, target: str, options: VariationOptions, names: Sequence[str], surroundings: Sequence[str]
    ) -> None:
        self._names = names_of(target)
        self._column = TARGETS.index(target)
        self._swap = options.swap
        self._variation = Variation(replace(options, swap=0.0), names, surroundings)

    def __call__(self, example: Example, rng: random.Random) -> Example:
        """Return a varied copy of the example."""
        if set(example.labels) <= set(TARGETS) and rng.random() < self._swap:
            example = self._exchanged(example, rng)
        varied = self._variation(example, rng)
        labels = {t: label for t, label in varied.labels.items() if not self._names.search(t)}
        return replace(varied, labels=labels)

    def _exchanged(self, example: Example, rng: random.Random) -> Example:
        s = example.statement
        text = " ".join((s.text, s.before, s.after, s.speaker.name if s.speaker else ""))
        others = [i for i in range(len(TARGETS)) if i != self._column]
        order = list(range(len(TARGETS)))
        for place, i in zip(others, random_order(rng, len(others)), strict=True):
            order[place] = others[i]
        named = self._column in mentioned(text) or self._names.search(text)
        if named or not swappable(example, TARGETS, tuple(order)):
            return example
        return swap_countries(example, TARGETS, tuple(order))


def run_of(target: str | None, examples: Sequence[Example], options: VariationOptions) -> tuple[list[Example], Augment]:
    """Return the examples of a run, and how they are varied.

    Parameters
    ----------
    target
        Target to leave out; ``None`` for the run with all of them.
    examples
        One epoch of examples with all their labels.
    options
        Chances of the variation.
    """
    around = surroundings(examples)
    if target is None:
        return list(examples), Variation(options, distractors(examples), around)
    left = without(examples, target)
    return left, VariationWithout(target, options, distractors(left), around)


def compared(held: Task, target: str, answers: Mapping[str, NDArray[np.int64]]) -> dict[str, Any]:
    """Return macro-F1 toward a target of a model trained on it and of one that was not, and how far they lie apart.

    Each with its 95 % interval over whole documents; differences are of the same documents.

    Parameters
    ----------
    held
        Statement-target pairs of all targets.
    target
        The target.
    answers
        Label ids of the target's pairs, each of shape ``(statements,)``, by way: ``seen``; ``unseen``; ``unseen, as
        named``.
    """
    return _compared(part(held, np.array(held.targets) == target), answers)


def _compared(mine: Task, answers: Mapping[str, NDArray[np.int64]]) -> dict[str, Any]:
    found = {way: figures(mine, answer)["macro-F1"] for way, answer in answers.items()}
    seen, *others = _WAYS
    return found | {f"{way}, difference": difference(mine, answers[way], answers[seen])[0] for way in others}


def seen_and_unseen(path: Path, held: Task) -> Figures:
    """Return the kept answers' figures as a table; there are none where they are missing or belong to other items.

    Parameters
    ----------
    path
        File that keeps them.
    held
        Validation pairs of country-stance as they are today.
    """
    kept = recall(path, start=_begun(), items={_ITEMS: corpus_hash(held)})
    answers = (kept.results or {}).get("answers", {}) if kept.same_items else {}
    rows = []
    for name, found in _each(held, answers).items():
        figure = [shown(found[way]) for way in _WAYS]
        rows.append([name, *figure, *(shown(found[f"{way}, difference"], "+.3f") for way in _WAYS[1:])])
    asked = "asked by the name that the statement uses"
    columns = ["target", "macro-F1, trained on it", "never", f"never, {asked}", "difference", f"difference, {asked}"]
    left = len(answers.get(_WAYS[0], {})) - len(answers.get(_WAYS[-1], {}))
    note = f"{kept.note} Not finished: {left} targets are left." if left else kept.note
    return Figures("Targets never trained, country-stance validation", columns, rows, note)


def _each(held: Task, answers: Mapping[str, Mapping[str, Sequence[int]]]) -> dict[str, dict[str, Any]]:
    """Return what `compared` finds of each target that was left out, and of all of them together."""
    targets = list(answers.get(_WAYS[-1], {}))
    found = {t: compared(held, t, {way: np.array(answers[way][t]) for way in _WAYS}) for t in targets}
    if len(targets) > 1 and set(targets) == set(answers[_WAYS[0]]):
        masks = [np.array(held.targets) == t for t in targets]
        together: dict[str, NDArray[np.int64]] = {}
        for way in _WAYS:
            predicted = held.gold.copy()
            for target, mask in zip(targets, masks, strict=True):
                predicted[mask] = answers[way][target]
            together[way] = predicted[np.any(masks, axis=0)]
        found[_ALL] = _compared(part(held, np.any(masks, axis=0)), together)
    return found


def _begun() -> str:
    """Say what the runs start from and learn."""
    return f"{start()}, {', '.join(f'{name} {times}' for name, times in load_recipe(DEFAULT).stages[0].repeat.items())}"


def _answered(classifier: StanceClassifier, held: Task, targets: Sequence[str]) -> dict[str, list[int]]:
    """Return the label ids of all statements by target."""
    p, _ = classifier.predict_proba([e.statement for e in held.examples], targets)
    return {target: p[:, i].argmax(1).tolist() for i, target in enumerate(targets)}


def _answered_as_named(classifier: StanceClassifier, held: Task, name: str) -> list[int]:
    """Return the label ids of all statements toward a target that is asked about by the name the statement uses."""
    (target,) = (t for t in default_targets() if t.name == name)
    target = replace(target, aliases=(*target.aliases, PEOPLE[name]))
    statements = [e.statement for e in held.examples]
    p = classifier.predict_pairs(statements, [name_in(target, s.text) for s in statements])
    found: list[int] = p.argmax(1).tolist()
    return found


def _examples(data: Path, stage: Stage, share: float) -> list[Example]:
    """Return one epoch of examples with all their labels, or a share of it, drawn with a fixed seed."""
    every = training_examples(data, stage)
    return every if share == 1 else random.Random(0).sample(every, round(share * len(every)))


def _count(targets: Sequence[str], examples: Sequence[Example], options: VariationOptions) -> None:
    """Print how many examples each run has, and how many labels toward its target are among them, varied once."""
    for target in targets:
        left, vary = run_of(target, examples, options)
        names, rng = names_of(target), random.Random(0)
        shows = sum(bool(names.search(name)) for e in left for name in vary(e, rng).labels)
        print(f"{target:15s} {len(left)} of {len(examples)} examples, {shows} labels toward it")


def main() -> None:
    """Print and keep macro-F1 toward each target, seen and unseen."""
    recipe = load_recipe(DEFAULT)
    first = recipe.stages[0]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--targets", nargs="+", choices=TARGETS, default=list(TARGETS))
    parser.add_argument("--epochs", type=float, default=first.fit.epochs)
    parser.add_argument("--share", type=float, default=1.0, help="share of the examples, over 0 and up to 1")
    parser.add_argument("--dry-run", action="store_true", help="count the examples of each run and train nothing")
    add_options(parser, KEPT)
    arguments = parser.parse_args()
    if not 0 < arguments.share <= 1:
        parser.error(f"--share {arguments.share} is not over 0 and up to 1")
    settings = {name: getattr(arguments, name) for name in ("share", "epochs", "targets")}
    if not arguments.dry_run:
        check_settings(arguments, settings)
    data = data_folder()
    examples = _examples(data, first, arguments.share)
    options = replace(first.fit, epochs=arguments.epochs)
    if arguments.dry_run:
        _count(arguments.targets, examples, recipe.variation)
        return
    held = country_task("country-stance", list(country_stance.read(data, "validation")))
    told: dict[str, Any] = {"settings": settings, "start": _begun(), "items": {_ITEMS: corpus_hash(held)}}
    answers: dict[str, dict[str, list[int]]] = {way: {} for way in _WAYS} | so_far(arguments, **told).get("answers", {})
    for target in (None, *arguments.targets):
        ways, asked = (_WAYS[1:], [target]) if target else (_WAYS[:1], arguments.targets)
        if all(set(asked) <= set(answers[way]) for way in ways):
            continue
        left, vary = run_of(target, examples, recipe.variation)
        model = trained(left, options, vary)
        answers[ways[0]] |= _answered(model, held, asked)
        if target:
            answers[ways[1]][target] = _answered_as_named(model, held, target)
        keep(arguments.output, {"answers": answers}, **told)
    for name, found in _each(held, answers).items():
        print(f"{name:15s} " + ", ".join(f"{way} {shown(found[way])}" for way in _WAYS))


if __name__ == "__main__":
    main()
