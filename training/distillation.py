"""Self-distillation: what an ensemble of our own models thinks of labelled and unlabelled statements.

Hinton, Vinyals & Dean 2015, "Distilling the knowledge in a neural network", arXiv:1503.02531.
``python -m training.distillation FOLDER`` asks one teacher about everything that the recipe's last stage learns from,
and keeps its answers in the repository (`training.teachers`).
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice, permutations
from pathlib import Path

import numpy as np

from stance.learning import Example
from stance.model import StanceClassifier
from stance.schema import Speaker, Statement
from training.augment import COUNTRY
from training.corpora import data_folder, dse, newsmtsc, polnear
from training.corpora.country_stance import TARGETS
from training.counterfactual import swap_countries, swappable
from training.duplicates import Contained, drop_near_duplicates
from training.recipe import DEFAULT, Distillation, held_out, load_recipe, training_examples
from training.teachers import BELIEFS, Teachers, store

__all__ = ["distilled", "exchanges", "main", "taught", "taught_names", "unlabelled"]

_WORDS = (4, 80)
"""Least and most words of a statement of PolNeAR that is taken."""


def distilled(examples: Sequence[Example], options: Distillation, data: Path) -> list[Example]:
    """Return a stage's examples and unlabelled statements, with the teachers' beliefs.

    Parameters
    ----------
    examples
        Labelled examples; those labelled toward other than the default targets stay as they are, but for those of the
        corpora that `options` names. So do those that a teacher whose answers are stored was never asked about, such
        as statements written since; how many is printed.
    options
        Teachers, and what is added.
    data
        Folder of the corpora.
    """
    ours, named, rest = _parts(examples, options)
    teachers = Teachers(options.teachers, options.engine)
    asked = len(ours) + len(named)
    ours, new = _split(ours, lambda e: teachers.know(e.statement, TARGETS))
    named, unnamed = _split(named, lambda e: teachers.know(e.statement, tuple(e.labels)))
    rest += new + unnamed
    if left := asked - len(ours) - len(named):
        print(f"{left} of {asked} examples are learned from their labels alone: the stored teacher does not know them")
    return [
        *rest,
        *taught_names(named, teachers),
        *taught([*ours, *unlabelled(data, options)], teachers, swaps=options.swaps),
    ]


def _parts(examples: Sequence[Example], options: Distillation) -> tuple[list[Example], list[Example], list[Example]]:
    """Return those asked about toward the default targets, those toward their own, and those not asked about."""
    ours, named, rest = [], [], []
    for e in examples:
        (ours if set(e.labels) <= set(TARGETS) else named if e.corpus in options.named else rest).append(e)
    return ours, named, rest


def _split(examples: Sequence[Example], kept: Callable[[Example], bool]) -> tuple[list[Example], list[Example]]:
    answers = [kept(e) for e in examples]
    parts = [[e for e, answer in zip(examples, answers, strict=True) if answer is part] for part in (True, False)]
    return parts[0], parts[1]


def unlabelled(data: Path, options: Distillation) -> list[Example]:
    """Draw statements that name one of the countries, without labels and free of anything held out.

    What repeats a held-out statement is no part of what is drawn from; what comes from a held-out document, holds a
    held-out statement among other words or stands within one is left out of what was drawn, so that there may be fewer
    than asked for.

    Raises
    ------
    ValueError
        If a corpus is none of those known.
    """
    corpora = {"newsmtsc": _newsmtsc, "dse": _dse, "polnear": _polnear}
    if unknown := set(options.unlabelled) - set(corpora):
        raise ValueError(f"distillation takes no statements of {', '.join(sorted(unknown))}; of {', '.join(corpora)}")
    if not options.unlabelled:
        return []
    others = [e for examples in held_out(data).values() for e in examples]
    documents = {(e.corpus, e.document) for e in others if e.document}
    spoken = Contained([e.statement.text for e in others])
    found = []
    for name, count in options.unlabelled.items():
        every = {e.statement.text: e for e in corpora[name](data) if COUNTRY.search(e.statement.text)}
        kept = drop_near_duplicates(list(every.values()), others)
        drawn = random.Random(0).sample(kept, min(count, len(kept)))
        found += [e for e in drawn if (e.corpus, e.document) not in documents and not spoken.touch(e.statement.text)]
    return found


def _newsmtsc(data: Path) -> Iterator[Example]:
    for e in newsmtsc.read(data, "mt", "train"):
        yield replace(e, labels={})


def _dse(data: Path) -> Iterator[Example]:
    for pair in dse.read_pairs(data, "train"):
        yield Example(pair.statement(pair.p), corpus="dse", document=f"train:{pair.line}")


def _polnear(data: Path) -> Iterator[Example]:
    """Yield the attributed content of train articles whose text runs unbroken."""
    for read in polnear.read(data, "train", one_annotator=True):
        for number, a in enumerate(read.attributions):
            if len(a.content) != 1:
                continue
            (start, end), text = a.content[0], read.text
            if not _WORDS[0] <= len(text[start:end].split()) <= _WORDS[1]:
                continue
            name = text[a.source[0][0] : a.source[0][1]] if a.source else ""
            statement = Statement(
                id=f"polnear:{read.article}:{number}",
                text=text[start:end].strip(),
                speaker=Speaker(name, name) if name else None,
            )
            yield Example(statement, corpus="polnear", document=read.article)


def exchanges(example: Example, most: int, rng: random.Random) -> list[tuple[int, ...]]:
    """Return the order that moves nothing and up to `most` others in which the example still makes sense."""
    first, *others = permutations(range(len(TARGETS)))
    rng.shuffle(others)
    return [first, *islice((order for order in others if swappable(example, TARGETS, order)), most)]


def taught_names(examples: Sequence[Example], teachers: Teachers) -> list[Example]:
    """Add to each example what the teachers think toward each of its own targets."""
    if not examples:
        return []
    asked = [(e.statement, target) for e in examples for target in e.labels]
    answers = iter(teachers.about([s for s, _ in asked], [t for _, t in asked]))
    return [replace(e, beliefs={t: tuple(map(float, next(answers))) for t in e.labels}) for e in examples]


def taught(examples: Sequence[Example], teachers: Teachers, *, swaps: int = 0) -> list[Example]:
    """Add to each example what the teachers think toward the default targets.

    Parameters
    ----------
    examples
        The examples.
    teachers
        Who is asked.
    swaps
        With how many exchanges of countries each statement is asked about beside itself. What is said of
        ``targets[order[i]]`` in an exchanged statement counts for ``targets[i]`` in the original, so that a belief does
        not depend on which country it is about.

    Raises
    ------
    ValueError
        If exchanged statements are asked about and a teacher's answers are stored ones.
    """
    if swaps and teachers.stored:
        raise ValueError("stored answers are about the statements as they stand: swaps must be 0")
    asked = [(i, o) for i, e in enumerate(examples) for o in exchanges(e, swaps, random.Random(e.statement.id))]
    p = teachers.about_countries([swap_countries(examples[i], TARGETS, order).statement for i, order in asked])
    beliefs = np.zeros((len(examples), *p.shape[1:]))
    for (i, order), answer in zip(asked, p, strict=True):
        beliefs[i] += answer[list(order)]
    beliefs /= beliefs.sum(axis=-1, keepdims=True)
    return [
        replace(e, beliefs={t: tuple(map(float, q)) for t, q in zip(TARGETS, row, strict=True)})
        for e, row in zip(examples, beliefs, strict=True)
    ]


def main() -> None:
    """Ask a teacher and keep its answers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("teacher", type=Path, help="folder of the trained teacher")
    parser.add_argument("--recipe", type=Path, default=DEFAULT)
    parser.add_argument("--engine", default="torch-fp32", help="engine the teacher runs on")
    arguments = parser.parse_args()
    data, stage = data_folder(), load_recipe(arguments.recipe).stages[-1]
    options = stage.distillation or Distillation(())
    ours, named, _ = _parts([*training_examples(data, stage), *unlabelled(data, options)], options)
    statements = [e.statement for e in (*ours, *named)]
    names = [TARGETS] * len(ours) + [tuple(e.labels) for e in named]
    teacher = StanceClassifier.from_pretrained(arguments.teacher)
    teacher.use_engine(arguments.engine)
    count = store(teacher, statements, names)
    print(f"wrote {count} answers to {BELIEFS}")


if __name__ == "__main__":
    main()
