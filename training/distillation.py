"""Self-distillation: what an ensemble of our own models thinks of labelled and unlabelled statements.

Hinton, Vinyals & Dean 2015, "Distilling the knowledge in a neural network", arXiv:1503.02531. The teachers answer once;
their mean is kept in the run's folder.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice, permutations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stance.learning import Example
from stance.model import StanceClassifier
from stance.schema import Speaker, Statement
from training.augment import COUNTRY
from training.corpora import dse, newsmtsc, polnear
from training.corpora.country_stance import TARGETS
from training.counterfactual import swap_countries, swappable
from training.duplicates import drop_near_duplicates
from training.recipe import Distillation, held_out

__all__ = ["distilled", "exchanges", "taught", "unlabelled"]

_WORDS = (4, 80)
"""Least and most words of a statement of PolNeAR that is taken."""


def distilled(examples: Sequence[Example], options: Distillation, data: Path, output: Path) -> list[Example]:
    """Return a stage's examples and unlabelled statements, with the teachers' beliefs.

    Parameters
    ----------
    examples
        Labelled examples; those labelled toward other than the default targets stay as they are.
    options
        Teachers, and what is added.
    data
        Folder of the corpora.
    output
        Folder of the run, where the teachers' answers are kept.
    """
    ours = [e for e in examples if set(e.labels) <= set(TARGETS)]
    rest = [e for e in examples if not set(e.labels) <= set(TARGETS)]
    return [
        *rest,
        *taught(
            [*ours, *unlabelled(data, options)], options.teachers, output, swaps=options.swaps, engine=options.engine
        ),
    ]


def unlabelled(data: Path, options: Distillation) -> list[Example]:
    """Draw statements that name one of the countries, without labels and free of repeats of anything held out.

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
    found = []
    for name, count in options.unlabelled.items():
        every = {e.statement.text: e for e in corpora[name](data) if COUNTRY.search(e.statement.text)}
        kept = drop_near_duplicates(list(every.values()), others)
        found += random.Random(0).sample(kept, min(count, len(kept)))
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


def taught(
    examples: Sequence[Example], teachers: Sequence[str], output: Path, *, swaps: int = 0, engine: str = "torch-fp32"
) -> list[Example]:
    """Add to each example the teachers' mean calibrated probabilities toward the default targets.

    Parameters
    ----------
    examples
        The examples.
    teachers
        Folders of the models.
    output
        Folder of the run, where the answers are kept.
    swaps
        With how many exchanges of countries each statement is asked about beside itself. What is said of
        ``targets[order[i]]`` in an exchanged statement counts for ``targets[i]`` in the original, so that a belief does
        not depend on which country it is about.
    engine
        Engine the teachers run on.

    Raises
    ------
    ValueError
        If there is no teacher.
    """
    if not teachers:
        raise ValueError("distillation needs at least one teacher")
    models = [StanceClassifier.from_pretrained(folder) for folder in teachers]
    asked = [(i, o) for i, e in enumerate(examples) for o in exchanges(e, swaps, random.Random(e.statement.id))]
    statements = [swap_countries(examples[i], TARGETS, order).statement for i, order in asked]
    key = hashlib.sha256(repr(([m.id for m in models], statements)).encode("utf-8", "surrogatepass")).hexdigest()[:12]
    kept = output / f"teachers-{key}.npy"
    if kept.is_file():
        p: NDArray[np.float32] = np.load(kept, allow_pickle=False)
    else:
        for model in models:
            model.use_engine(engine)
        p = np.mean([m.predict_proba(statements, TARGETS)[0] for m in models], axis=0).astype(np.float32)
        output.mkdir(parents=True, exist_ok=True)
        np.save(kept, p, allow_pickle=False)
    beliefs = np.zeros((len(examples), *p.shape[1:]))
    for (i, order), answer in zip(asked, p, strict=True):
        beliefs[i] += answer[list(order)]
    beliefs /= beliefs.sum(axis=-1, keepdims=True)
    return [
        replace(e, beliefs={t: tuple(map(float, q)) for t, q in zip(TARGETS, row, strict=True)})
        for e, row in zip(examples, beliefs, strict=True)
    ]
