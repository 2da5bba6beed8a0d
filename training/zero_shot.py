"""Targets that the model was never trained on, measured for `training.evaluate`; nothing is tuned on them.

Held-out items of NewsMTSC and DSE are told apart by the name of their target: one that training has shown, one that is
new but has a word that training has shown in a name ("Mr. Smith", "Anna Smith"), one whose words are all new. BASIL and
VAST are never trained on. BASIL's spans are quoted words about people and groups; VAST's targets are topics, so its
figure says how far the model goes beyond countries, people and groups, and it is the comments of readers, not news.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stance.learning import Example
from stance.model import StanceClassifier
from stance.schema import LABELS
from stance.targets import default_targets
from training.corpora import basil, dse, newsmtsc, vast
from training.tables import Figures, figures, part, shown
from training.tasks import SIDES, Task

__all__ = ["KINDS", "kinds", "never_trained", "normalised", "sided", "trained_names"]

KINDS = ("name trained on", "new name, a word of it trained on", "new name, all words new")
"""How much of a target's name training has shown."""
_WORD = re.compile(r"\w+")
_POSSESSIVE = re.compile(r"['’]s?\b")
_NEUTRAL, _SILENT = LABELS.index("neutral"), LABELS.index("not_addressed")
_COLUMNS = ["", "items", "documents", "macro-F1", "F1 against+favor", "majority: macro-F1", "F1 against+favor"]
_MAJORITY = "Majority: always the label that most of the row's items have."
_NAMES_NOTE = (
    "The model's answer is the likeliest of against, neutral and favor; DSE is counted by direction, the stance of one "
    "entity toward the other. Names are compared without case, punctuation, possessive and leading 'the'."
)
_CORPORA_NOTE = (
    "Never trained on. VAST (topics, comments of readers): con is against, pro favor; its neutral is neutral or "
    "not_addressed, since most of its neutral items put a comment beside a topic of another. BASIL has no splits and "
    "is counted whole: a quoted span's polarity is its speaker's side, always one of against and favor, so there is no "
    "macro-F1 over three labels; 'of the two sides' takes the likelier, else an answer without a side is wrong."
)


def normalised(name: str) -> str:
    """Return a name's words, lower-cased, without possessive and leading "the"."""
    words = _WORD.findall(_POSSESSIVE.sub("", name).casefold())
    return " ".join(words[1:] if words[0:1] == ["the"] else words)


def trained_names(data: Path) -> frozenset[str]:
    """Return the normalised names of every target that training shows: NewsMTSC's, DSE's and the default ones."""
    names = {name for target in default_targets() for name in (target.name, *target.aliases)}
    names |= {name for e in newsmtsc.read(data, "mt", "train") for name in e.labels}
    names |= {name for pair in dse.read_pairs(data, "train") for name in (pair.p, pair.q)}
    return frozenset(map(normalised, names))


def kinds(names: Sequence[str], trained: frozenset[str]) -> NDArray[np.int64]:
    """Return the place in `KINDS` of each name.

    Parameters
    ----------
    names
        Names of targets as they are written.
    trained
        Normalised names that training has shown.
    """
    words = {word for name in trained for word in name.split()}
    found = []
    for name in map(normalised, names):
        found.append(0 if name in trained else 1 if words.intersection(name.split()) else 2)
    return np.array(found, dtype=np.int64)


def sided(name: str, examples: Sequence[Example]) -> Task:
    """Return examples of one target each as a task of three labels, where `not_addressed` counts as neutral."""
    pairs = [next(iter(e.labels.items())) for e in examples]
    gold = [_NEUTRAL if label == LABELS[_SILENT] else SIDES.index(label) for _, label in pairs]
    documents = [e.statement.text if e.corpus == "dse" else e.document for e in examples]  # DSE repeats sentences
    return Task(name, SIDES, [], [target for target, _ in pairs], np.array(gold, dtype=int), documents, examples)


def never_trained(classifier: StanceClassifier, data: Path, split: str) -> Iterator[Figures]:
    """Yield the tables of targets by their names, and of the corpora that are never trained on.

    Parameters
    ----------
    classifier
        The model.
    data
        Folder of the corpora.
    split
        ``validation`` or ``test``.
    """
    trained = trained_names(data)
    rows = []
    for task in _known_corpora(data, split):
        answers = _probabilities(classifier, task)[:, : len(SIDES)].argmax(1)
        rows += _by_name(task, answers, trained)
    yield Figures(f"Targets by name, {split}", _COLUMNS, rows, f"{_NAMES_NOTE} {_MAJORITY}")
    rows, note = [], f"{_CORPORA_NOTE} {_MAJORITY}"
    for folder, rows_of in (("basil", _basil_rows), ("vast", _vast_rows)):
        if (data / folder).is_dir():
            rows += rows_of(classifier, data, trained, split)
        else:
            note += f" Not measured: there is no folder {folder} among the corpora."
    yield Figures(f"Corpora never trained on, {split}", _COLUMNS, rows, note)


def _known_corpora(data: Path, split: str) -> Iterator[Task]:
    """Yield the held-out parts of the corpora whose train parts are trained on."""
    dev, valid = ("test", "test") if split == "test" else ("dev", "valid")
    for name in ("mt", "rw"):
        yield sided(f"NewsMTSC {name}", list(newsmtsc.read(data, name, dev)))
    yield sided("DSE", list(dse.read(data, valid)))


def _basil_rows(classifier: StanceClassifier, data: Path, trained: frozenset[str], _: str) -> list[list[str]]:
    task = sided("BASIL", list(basil.read(data)))
    p = _probabilities(classifier, task)
    two = np.where(p[:, 0] >= p[:, 2], 0, 2)
    rows = [_row("BASIL", task, _labelled(p)), _row("BASIL, of the two sides", task, two)]
    rows += _by_name(sided("BASIL, of the two sides", task.examples), two, trained)
    return [[*row[:3], "–", row[4], "–", row[6]] for row in rows]


def _vast_rows(classifier: StanceClassifier, data: Path, _: frozenset[str], split: str) -> list[list[str]]:
    task = sided("VAST", list(vast.read(data, split)))
    return [_row(task.name, task, _labelled(_probabilities(classifier, task)))]


def _probabilities(classifier: StanceClassifier, task: Task) -> NDArray[np.float64]:
    return np.asarray(classifier.predict_pairs([e.statement for e in task.examples], task.targets))


def _labelled(p: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the likeliest of all labels, where `not_addressed` counts as neutral."""
    answers = p.argmax(1)
    return np.where(answers == _SILENT, _NEUTRAL, answers)


def _by_name(task: Task, answers: NDArray[np.int64], trained: frozenset[str]) -> list[list[str]]:
    """Return a row for each kind of name that occurs."""
    kind = kinds(task.targets, trained)
    return [
        _row(f"{task.name}: {name}", part(task, kind == i), answers[kind == i])
        for i, name in enumerate(KINDS)
        if (kind == i).any()
    ]


def _row(name: str, task: Task, answers: NDArray[np.int64]) -> list[str]:
    most = np.full(len(task.gold), np.bincount(task.gold).argmax())
    cells = [
        shown(figures(task, predicted)[figure])
        for predicted in (answers, most)
        for figure in ("macro-F1", "F1 against+favor")
    ]
    return [name, str(len(task.gold)), str(len(set(task.clusters))), *cells]
