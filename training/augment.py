"""How examples are varied while training, so that the model reads the sentence rather than the name."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from stance.learning import Example
from stance.learning.examples import asked
from stance.targets import default_targets
from training.corpora.country_stance import TARGETS
from training.counterfactual import mentioned, random_order, swap_countries, swappable

__all__ = ["COUNTRY", "PEOPLE", "Variation", "VariationOptions"]

# Formal names a user may give for a default target; all mean the whole country.
_ALIASES: Mapping[str, Sequence[str]] = {
    "United States": ("US", "USA", "America", "United States of America", "the United States", "Washington"),
    "Russia": ("Russian Federation", "Moscow", "the Kremlin"),
    "China": ("People's Republic of China", "PRC", "Beijing"),
    "Ukraine": ("Kyiv", "Kiev"),
}
PEOPLE: Mapping[str, str] = {
    "United States": "American",
    "Russia": "Russian",
    "China": "Chinese",
    "Ukraine": "Ukrainian",
}
"""What the people of each default target are called."""
_NAMES = {"America", *PEOPLE.values()}.union(*([t.name, *t.aliases] for t in default_targets()))
COUNTRY = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, sorted(_NAMES, key=len, reverse=True)))})s?(?!\w)")
"""What names one of the default targets: their aliases, and what their people are called."""


@dataclass(frozen=True, slots=True)
class VariationOptions:
    """Chances, each drawn anew on every visit of an example.

    Parameters
    ----------
    swap
        Exchange the countries, where the statement allows it.
    alias
        Ask for a default target by another of its names.
    subset
        Ask for only some of the targets.
    distractor
        Add a target that neither the sentence nor what stands around it mentions, labelled ``not_addressed``.
    drop_context
        Show the statement without its surroundings, where all countries that it addresses are named in it.
    foreign_context
        Surround a statement that has no context with other statements, which say nothing about its labels: in an
        article other statements stand around it.
    """

    swap: float = 0.35
    alias: float = 0.15
    subset: float = 0.25
    distractor: float = 0.35
    drop_context: float = 0.1
    foreign_context: float = 0.4


class Variation:
    """The variation itself; distractor names are drawn from the single-target corpora.

    Parameters
    ----------
    options
        Chances.
    names
        Names of people, groups and places to draw distractors from; those that stand for one of the countries are left
        out, since a sentence may address a country without naming it.
    surroundings
        Statements to draw foreign context from.
    """

    def __init__(self, options: VariationOptions, names: Sequence[str], surroundings: Sequence[str]) -> None:
        self._options = options
        self._names = [name for name in names if not (COUNTRY.search(name) or mentioned(name))]
        self._surroundings = list(surroundings)

    def __call__(self, example: Example, rng: random.Random) -> Example:
        """Return a varied copy of the example."""
        o = self._options
        about_countries = set(example.labels) <= set(TARGETS)
        droppable = not (about_countries and _unnamed(example))
        if about_countries:
            example = self._countries(example, rng)
            if rng.random() < o.foreign_context:
                example = self._surround(example, rng)
        if rng.random() < o.distractor:
            example = self._distract(example, rng, about_countries)
        if rng.random() < o.drop_context and droppable:
            example = replace(example, statement=replace(example.statement, before="", after=""))
        items = list(example.labels.items())
        rng.shuffle(items)
        example = replace(example, labels=dict(items))
        if example.beliefs:
            beliefs = list(example.beliefs.items())
            rng.shuffle(beliefs)
            example = replace(example, beliefs=dict(beliefs))
        return example

    def _countries(self, example: Example, rng: random.Random) -> Example:
        o = self._options
        order = random_order(rng)
        if rng.random() < o.swap and swappable(example, TARGETS, order):
            example = swap_countries(example, TARGETS, order)
        names = sorted(asked(example))
        if rng.random() < o.subset:
            names = rng.sample(names, rng.randint(1, len(names)))
        renamed = {name: rng.choice(_ALIASES[name]) if rng.random() < o.alias else name for name in names}
        return replace(
            example,
            labels={new: example.labels[name] for name, new in renamed.items() if name in example.labels},
            beliefs={new: example.beliefs[name] for name, new in renamed.items() if name in example.beliefs},
        )

    def _surround(self, example: Example, rng: random.Random) -> Example:
        statement = example.statement
        if statement.before or statement.after:
            return example
        before, after = (rng.choice(self._surroundings).rstrip(". ") + "." for _ in range(2))
        side = rng.random()
        before = f"{before} " if side < 2 / 3 else ""
        after = f". {after}" if side > 1 / 3 else ""
        return replace(example, statement=replace(statement, before=before, after=after))

    def _distract(self, example: Example, rng: random.Random, about_countries: bool) -> Example:
        statement = example.statement
        speaker = statement.speaker.name if statement.speaker else ""
        text = " ".join((speaker, statement.before, statement.text, statement.after)).casefold()
        choices = [rng.choice(self._names)] if self._names else []
        if not about_countries and not COUNTRY.search(statement.text):
            choices += TARGETS
        if not choices:
            return example
        name = rng.choice(choices)
        words = re.findall(r"\w{3,}", name.casefold())
        if not words or name in example.labels or any(word in text for word in words):
            return example
        return replace(example, labels={**example.labels, name: "not_addressed"})


def _unnamed(example: Example) -> bool:
    """Tell whether a country is addressed that neither the statement nor its speaker's name names."""
    speaker = example.statement.speaker.name if example.statement.speaker else ""
    named = {TARGETS[i] for i in mentioned(f"{speaker} {example.statement.text}")}
    return any(label != "not_addressed" and target not in named for target, label in example.labels.items())
