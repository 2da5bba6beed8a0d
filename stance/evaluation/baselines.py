"""Trivial systems that stand beside the model always."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.corpus import CorpusRecord
from stance.errors import MissingExtraError
from stance.evaluation.items import Items, Predictions

__all__ = ["BASELINES", "baselines"]

_TFIDF = "TF-IDF + logistic regression"
BASELINES = ("majority", "stratified random", _TFIDF)
_FOLDS = 5
_LEAST = 10
"""Statements under which a classifier is not trained for a target."""


def baselines(items: Items, train: Sequence[CorpusRecord], seed: int = 0) -> tuple[list[Predictions], list[str]]:
    """Return the answers of the baselines, each made per target, and what is to be said about them.

    Parameters
    ----------
    items
        What they are asked.
    train
        Records they learn from. Where there are none, they are cross-fitted on the evaluated statements in folds
        of whole documents, which flatters them: the note says so.
    seed
        Seed of the random baseline and of the folds.

    Returns
    -------
    predictions : list of Predictions
        One of each of `BASELINES`; only TF-IDF's have probabilities, shape ``(items, labels)``.
    notes : list of str

    Raises
    ------
    MissingExtraError
        If scikit-learn is not installed.
    """
    try:
        import sklearn  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("an evaluation", "report") from error
    notes = []
    if not train:
        notes.append(
            "The corpus has no train split: the baselines were cross-fitted on the evaluated statements in "
            f"{_FOLDS} folds of whole documents, which flatters them."
        )
    k, rng = len(items.labels), np.random.default_rng(seed)
    found = {name: np.zeros((len(items), k)) for name in BASELINES}
    words = _Words()
    for t, target in enumerate(items.targets):
        mine = np.flatnonzero(items.target == t)
        for asked, texts, labels in _folds(items, train, target, mine, seed):
            shares = np.bincount(labels, minlength=k) / max(len(labels), 1) if len(labels) else np.full(k, 1 / k)
            found["majority"][asked] = np.eye(k)[int(shares.argmax())]
            found["stratified random"][asked] = np.eye(k)[rng.choice(k, size=len(asked), p=shares)]
            if len(labels) < _LEAST or len(set(labels)) < 2:
                notes.append(f"Too few labels of {target} to train on: TF-IDF answers its majority.")
                found[_TFIDF][asked] = np.eye(k)[int(shares.argmax())]
            else:
                own = [_text(items.records[i]) for i in items.record[asked]]
                found[_TFIDF][asked] = _tfidf(words, texts, labels, own, k)
    made = [
        Predictions(
            name, p.argmax(axis=1), p if name.startswith("TF-IDF") else None, *_no_flags(items), kind="baseline"
        )
        for name, p in found.items()
    ]
    return made, list(dict.fromkeys(notes))


def _no_flags(items: Items) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    return np.zeros(len(items), dtype=bool), np.zeros(len(items), dtype=bool)


def _folds(
    items: Items, train: Sequence[CorpusRecord], target: str, mine: NDArray[np.int64], seed: int
) -> list[tuple[NDArray[np.int64], list[str], NDArray[np.int64]]]:
    """Return the items asked together, and the texts and label ids to learn from for them."""
    if not len(mine):
        return []
    ids = {label: i for i, label in enumerate(items.labels)}
    if train:
        known = [(r, ids[label]) for r in train if (label := r.labels.get(target)) is not None and label in ids]
        return [(mine, [_text(r) for r, _ in known], np.array([i for _, i in known], dtype=np.int64))]
    fold = np.random.default_rng(seed).permutation(items.clusters)[items.cluster[mine]] % _FOLDS
    out = []
    for f in np.unique(fold):
        rest = mine[fold != f]
        out.append((mine[fold == f], [_text(items.records[i]) for i in items.record[rest]], items.gold[rest]))
    return out


def _text(record: CorpusRecord) -> str:
    s = record.statement
    return f"{s.speaker.name if s.speaker else ''} : {s.text}"


class _Words:
    """Weighs words and word pairs by TF-IDF, once for all targets that learn from and ask about the same texts."""

    def __init__(self) -> None:
        self._known: dict[tuple[tuple[str, ...], tuple[str, ...]], tuple[Any, Any]] = {}

    def __call__(self, texts: Sequence[str], asked: Sequence[str]) -> tuple[Any, Any]:
        """Return the sparse matrices of the texts learnt from and of those asked about."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        key = tuple(texts), tuple(asked)
        if key not in self._known:
            model = TfidfVectorizer(ngram_range=(1, 2), min_df=2 if len(texts) >= 100 else 1, sublinear_tf=True)
            self._known[key] = model.fit_transform(texts), model.transform(asked)
        return self._known[key]


def _tfidf(words: _Words, texts: list[str], labels: NDArray[np.int64], asked: list[str], k: int) -> NDArray[np.float64]:
    """Return the probabilities of logistic regression on words and word pairs, shape ``(asked, k)``."""
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    out = np.zeros((len(asked), k))
    try:
        known, new = words(texts, asked)
    except ValueError:  # no word is left: texts of punctuation only
        out[:, int(np.bincount(labels).argmax())] = 1.0
        return out
    model = LogisticRegression(max_iter=2000, C=10.0, class_weight="balanced", tol=1e-3)
    with threadpool_limits(1):  # its vectors are short: on a busy machine threads wait for each other
        model.fit(known, labels)
    out[:, model.classes_] = model.predict_proba(new)
    return out
