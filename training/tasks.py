"""The held-out sets as classification tasks: what a baseline reads and what must come out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stance.learning import Example
from stance.schema import LABELS
from training.corpora import country_stance, dse, newsmtsc, own
from training.corpora.country_stance import TARGETS
from training.duplicates import drop_near_duplicates
from training.recipe import country_statements

__all__ = ["SIDES", "Task", "corpus_hash", "country_task", "own_task", "tasks"]

SIDES = ("against", "neutral", "favor")
DSE_CLASSES = ("neutral", "p favors q", "q favors p", "p against q", "q against p")


@dataclass(frozen=True)
class Task:
    """One question asked of many items.

    Parameters
    ----------
    name
        Corpus and part.
    labels
        Names of the classes.
    texts, targets
        What a baseline reads: the text with the target marked, and the target's name.
    gold
        Class ids, shape ``(n,)``.
    clusters
        Document of each item.
    examples, pairs
        The items as the model reads them: one of the two, by corpus.
    """

    name: str
    labels: tuple[str, ...]
    texts: list[str]
    targets: list[str]
    gold: NDArray[np.int64]
    clusters: list[str]
    examples: Sequence[Example] = ()
    pairs: Sequence[dse.Pair] = ()


def corpus_hash(task: Task) -> str:
    """Return a hash of a task's items and gold labels (12 hexadecimal digits); the order of items counts."""
    items = [asdict(e) for e in task.examples] or [asdict(p) for p in task.pairs]
    text = json.dumps([items, task.targets, task.gold.tolist()], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def tasks(data: Path, split: str) -> dict[str, tuple[Task, Task]]:
    """Return train and held-out task by name.

    Parameters
    ----------
    data
        Folder of the corpora.
    split
        ``validation`` or ``test``. Training items that repeat held-out ones are left out, and validation items of
        NewsMTSC (2) and DSE (66 examples) that repeat a test item of the corpus: their own splits overlap.
    """
    test = split == "test"
    found: dict[str, tuple[Task, Task]] = {}
    held = country_task("country-stance", list(country_stance.read(data, split)))
    train = drop_near_duplicates(country_statements(data), held.examples)
    found["country-stance"] = (country_task("country-stance", train), held)
    for part in ("mt", "rw"):
        held_examples = list(newsmtsc.read(data, part, "test" if test else "dev"))
        if not test:
            tested = [e for p in ("mt", "rw") for e in newsmtsc.read(data, p, "test")]
            held_examples = drop_near_duplicates(held_examples, tested)
        train = drop_near_duplicates(list(newsmtsc.read(data, part, "train")), held_examples)
        found[f"NewsMTSC {part}"] = (_news(part, train), _news(part, held_examples))
    pairs = list(dse.read_pairs(data, "test" if test else "valid"))
    if not test:
        apart = {e.statement.text for e in drop_near_duplicates(list(dse.read(data, "valid")), dse.read(data, "test"))}
        pairs = [p for p in pairs if p.text in apart]
    texts = {p.text for p in pairs}
    train_pairs = [p for p in dse.read_pairs(data, "train") if p.text not in texts]
    found["DSE"] = (_dse(train_pairs), _dse(pairs))
    return found


def country_task(name: str, examples: list[Example]) -> Task:
    """Return examples with labels for the default targets as a task of statement-target pairs."""
    items = [(e, target) for e in examples for target in TARGETS]
    return Task(
        name,
        LABELS,
        [f"{e.statement.speaker.name if e.statement.speaker else ''} : {e.statement.text}" for e, _ in items],
        [target for _, target in items],
        np.array([LABELS.index(e.labels[target]) for e, target in items]),
        [f"{e.corpus}:{e.document}" for e, _ in items],
        examples=examples,
    )


def own_task(split: str) -> Task:
    """Return our own statements of a split, ``validation`` or ``test``, which are always there."""
    return country_task("own", list(own.read(split)))


def _news(part: str, examples: list[Example]) -> Task:
    targets = [next(iter(e.labels)) for e in examples]
    return Task(
        f"NewsMTSC {part}",
        SIDES,
        [e.statement.text.replace(t, " xtargetx ") for e, t in zip(examples, targets, strict=True)],
        targets,
        np.array([SIDES.index(e.labels[t]) for e, t in zip(examples, targets, strict=True)]),
        [e.document for e in examples],
        examples=examples,
    )


def _dse(pairs: list[dse.Pair]) -> Task:
    return Task(
        "DSE",
        DSE_CLASSES,
        [p.text.replace(p.p, " xpx ").replace(p.q, " xqx ") for p in pairs],
        ["" for _ in pairs],
        np.array([p.label for p in pairs]),
        [p.text for p in pairs],
        pairs=pairs,
    )
