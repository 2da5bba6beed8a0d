"""Who is imitated in distillation: our own models, and answers of a larger one that are kept beside the labels.

``training/labels/beliefs.npz`` holds what a teacher on a larger encoder (``configs/teacher_model.yaml``) thinks of all
that the recipe's last stage learns from, so that the shipped model can be rebuilt without that encoder: a number for
each statement and target, and the probabilities in steps of 1/255; no text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stance.model import StanceClassifier
from stance.schema import Statement
from training.corpora.country_stance import TARGETS
from training.recipe import STORED

__all__ = ["BELIEFS", "Stored", "Teachers", "store"]

BELIEFS = Path(__file__).resolve().parent / "labels" / "beliefs.npz"
"""Answers of the larger teacher."""
_STEPS = 255
Floats = NDArray[np.float32]


class Stored:
    """Answers of a teacher, read from a file.

    Parameters
    ----------
    path
        Written by `store`.
    """

    def __init__(self, path: Path = BELIEFS) -> None:
        with np.load(path, allow_pickle=False) as kept:
            self._keys, self._p = kept["keys"], kept["p"]
            self.id = str(kept["model"])
        self._path = path

    def __len__(self) -> int:
        """Return the number of its answers."""
        return len(self._keys)

    def about(self, statements: Sequence[Statement], targets: Sequence[str]) -> Floats:
        """Return what the teacher thought of each statement and its target, shape ``(n, labels)``.

        Raises
        ------
        ValueError
            If it was not asked about one of them.
        """
        place, known = self._find(statements, targets)
        if missing := np.flatnonzero(~known).tolist():
            raise ValueError(
                f"{self._path.name} has no answer about {len(missing)} of {len(known)} pairs, the first "
                f"{statements[missing[0]].id} toward {targets[missing[0]]}: ask the teacher anew "
                "(python -m training.distillation)"
            )
        p = self._p[place].astype(np.float32)
        return np.asarray(p / p.sum(axis=1, keepdims=True))

    def knows(self, statements: Sequence[Statement], targets: Sequence[str]) -> NDArray[np.bool_]:
        """Tell of each statement and its target whether the teacher was asked about it, shape ``(n,)``."""
        return self._find(statements, targets)[1]

    def _find(
        self, statements: Sequence[Statement], targets: Sequence[str]
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return where the answer about each pair would stand, and whether it does."""
        asked = np.array([_key(s, t) for s, t in zip(statements, targets, strict=True)], dtype=np.uint64)
        place = np.minimum(np.searchsorted(self._keys, asked), len(self._keys) - 1)
        return place, self._keys[place] == asked


class Teachers:
    """Several teachers; what they think is the mean of their calibrated probabilities.

    Parameters
    ----------
    names
        Folders of models, and `training.recipe.STORED` for the answers in `BELIEFS`.
    engine
        Engine the models run on (`stance.model.engines.ENGINES`); ``None`` is the fastest that is installed.

    Raises
    ------
    ValueError
        If there is no teacher.
    """

    def __init__(self, names: Sequence[str], engine: str | None = "torch-fp32") -> None:
        if not names:
            raise ValueError("distillation needs at least one teacher")
        self._stored = [Stored() for name in names if name == STORED]
        self._models = [StanceClassifier.from_pretrained(name) for name in names if name != STORED]
        for model in self._models:
            if model.engine.name != engine:
                model.use_engine(engine)

    @property
    def stored(self) -> bool:
        """Whether one of them answers from a file, only about what it was asked before."""
        return bool(self._stored)

    def know(self, statement: Statement, targets: Sequence[str]) -> bool:
        """Tell whether all can answer about a statement; those that are not stored always can."""
        return all(teacher.knows([statement] * len(targets), targets).all() for teacher in self._stored)

    def about_countries(self, statements: Sequence[Statement]) -> Floats:
        """Return what they think of each statement toward the default targets, shape ``(n, targets, labels)``."""

        def stored(teacher: Stored) -> Floats:
            return np.stack([teacher.about(statements, [target] * len(statements)) for target in TARGETS], axis=1)

        return self._mean(stored, lambda model: model.predict_proba(statements, TARGETS)[0])

    def about(self, statements: Sequence[Statement], targets: Sequence[str]) -> Floats:
        """Return what they think of each statement toward its own target, shape ``(n, labels)``."""
        return self._mean(
            lambda teacher: teacher.about(statements, targets),
            lambda model: model.predict_pairs(statements, targets),
        )

    def _mean(
        self, stored: Callable[[Stored], Floats], predicted: Callable[[StanceClassifier], NDArray[np.float64]]
    ) -> Floats:
        answers = [*map(stored, self._stored), *map(predicted, self._models)]
        return np.asarray(np.mean(answers, axis=0), dtype=np.float32)


def store(
    teacher: StanceClassifier, statements: Sequence[Statement], targets: Sequence[Sequence[str]], path: Path = BELIEFS
) -> int:
    """Ask a teacher about statements, each toward its own targets, and write its answers.

    Parameters
    ----------
    teacher
        The model.
    statements, targets
        Both of length ``n``; a pair asked twice is kept once.
    path
        File to write.

    Returns
    -------
    int
        Number of pairs written.
    """
    found: dict[int, Floats] = {}
    fours = [s for s, names in zip(statements, targets, strict=True) if tuple(names) == TARGETS]
    others = [(s, t) for s, names in zip(statements, targets, strict=True) if tuple(names) != TARGETS for t in names]
    for s, rows in zip(fours, teacher.predict_proba(fours, TARGETS)[0], strict=True):
        found |= {_key(s, t): p for t, p in zip(TARGETS, rows, strict=True)}
    answers = teacher.predict_pairs([s for s, _ in others], [t for _, t in others])
    found |= {_key(s, t): p for (s, t), p in zip(others, answers, strict=True)}
    keys = np.array(sorted(found), dtype=np.uint64)
    p = np.rint(np.stack([found[int(key)] for key in keys]) * _STEPS).astype(np.uint8)
    np.savez_compressed(path, keys=keys, p=p, model=np.array(teacher.id))
    return len(keys)


def _key(statement: Statement, target: str) -> int:
    """Return the number of a pair; what stands around the statement is no part of it, so that it can be put right."""
    speaker = statement.speaker.name if statement.speaker else ""
    said = "\n".join((statement.id, target, speaker, statement.text))
    return int.from_bytes(hashlib.sha256(said.encode("utf-8", "surrogatepass")).digest()[:8], "big")
