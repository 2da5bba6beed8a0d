"""Baselines that stand beside the model: majority, lexicon, TF-IDF + logistic regression."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from stance.schema import LABELS
from stance.targets import default_targets
from training.tasks import Task

__all__ = ["BASELINES"]

_MILD = 0.05  # VADER's own bound between neutral and charged text


def majority(train: Task, held: Task) -> NDArray[np.int64]:
    """Predict the most frequent class of each target in the training items."""
    best = {t: _most(train.gold[[x == t for x in train.targets]]) for t in set(train.targets)}
    fallback = _most(train.gold)
    return np.array([best.get(t, fallback) if len(held.labels) == len(LABELS) else fallback for t in held.targets])


def _most(ids: NDArray[np.int64]) -> int:
    return int(np.bincount(ids).argmax())


def lexicon(train: Task, held: Task) -> NDArray[np.int64]:
    """Predict the text's sentiment toward whatever is named in it (VADER, Hutto & Gilbert 2014)."""
    analyzer = SentimentIntensityAnalyzer()
    scores = np.array([analyzer.polarity_scores(text)["compound"] for text in held.texts])
    if held.labels[0] == "neutral":  # DSE: the sentence's sentiment is taken as that of p toward q
        return np.select([scores < -_MILD, scores > _MILD], [3, 1], 0)
    sides = np.select([scores < -_MILD, scores > _MILD], [0, 2], 1)
    if len(held.labels) < len(LABELS):
        return sides
    names = {t.name: re.compile(rf"\b(?:{'|'.join(map(re.escape, (t.name, *t.aliases)))})") for t in default_targets()}
    named = [bool(names[t].search(text)) for t, text in zip(held.targets, held.texts, strict=True)]
    return np.where(named, sides, LABELS.index("not_addressed"))


def tfidf(train: Task, held: Task) -> NDArray[np.int64]:
    """Predict with TF-IDF of words and word pairs and logistic regression, one model for each default target."""
    groups = sorted(set(train.targets)) if len(held.labels) == len(LABELS) else [None]
    out = np.zeros(len(held.gold), dtype=np.int64)
    for group in groups:
        mine = np.array([group is None or t == group for t in train.targets])
        asked = np.array([group is None or t == group for t in held.targets])
        model = make_pipeline(
            TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True),
            LogisticRegression(max_iter=2000, C=10.0, class_weight="balanced"),
        )
        model.fit([t for t, m in zip(train.texts, mine, strict=True) if m], train.gold[mine])
        out[asked] = model.predict([t for t, a in zip(held.texts, asked, strict=True) if a])
    return out


BASELINES = {"majority": majority, "lexicon (VADER)": lexicon, "TF-IDF + logistic regression": tfidf}
