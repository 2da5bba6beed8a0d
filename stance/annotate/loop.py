"""The loop from labels to a better model: train on what is there, measure, and say what more labels would bring."""

from __future__ import annotations

import json
import math
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stance.annotate.labelled import labelled_corpus
from stance.annotate.project import Project
from stance.annotate.ratings import Aggregation
from stance.corpus import Corpus, CorpusRecord, cluster_of, split_corpus
from stance.errors import UsageError
from stance.learning import FitOptions, fine_tune
from stance.model import StanceClassifier
from stance.statistics import confusion_by_cluster, f1_per_label
from stance.statistics.resampling import interval

__all__ = ["CurvePoint", "LoopResult", "run_loop", "value_of_more"]

_SHARES = (0.25, 0.5, 1.0)
_SPLIT = {"train": 0.7, "validation": 0.1, "test": 0.2}
_FEWEST = 20
_RESAMPLES = 2_000
_OPTIONS = FitOptions(learning_rate=5e-5, head_learning_rate=2e-4)
"""Gentle rates: the base model is trained already."""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A model on the learning curve.

    Parameters
    ----------
    statements
        Labelled statements it was trained on; 0 for the model before training.
    macro_f1, low, high
        Macro-F1 on the held-out statements with its 95 % interval, ``None`` where they are of one document.
    seconds
        Time the training took.
    """

    statements: int
    macro_f1: float
    low: float | None
    high: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class LoopResult:
    """What one turn of the loop found; `gain` is the expected rise of macro-F1 by the next `more` statements.

    It and the curve's `intercept` and `slope` are ``None`` where models of one size tell nothing of a rise.
    """

    curve: tuple[CurvePoint, ...]
    held_out: int
    more: int
    gain: float | None
    gain_low: float | None
    gain_high: float | None
    intercept: float | None
    slope: float | None
    model: str
    output: str
    seconds: float
    verdict: str


def run_loop(
    project: Project,
    output: str | Path,
    *,
    base: str | Path | None = None,
    method: Aggregation = "majority",
    more: int = 100,
    say: Callable[[str], None] = lambda _: None,
    seed: int = 0,
) -> LoopResult:
    """Train on the labels of a project, measure on held-out documents, and estimate the worth of more labels.

    The model is in ``<output>/model``, the figures in ``<output>/loop.json``. A corpus without a split ``test`` is
    split by document. Models on a quarter, a half and all of the training documents make the learning curve.

    Parameters
    ----------
    project
        The project.
    output
        Folder to be written.
    base
        Model to start from; the shipped one if not given.
    method
        How several labels become one.
    more
        How many further statements to estimate the worth of.
    say
        Called with one line for each step.
    seed
        Of the split and the order of documents.

    Raises
    ------
    UsageError
        If too little is labelled.
    """
    started = time.perf_counter()
    corpus = _splits(labelled_corpus(project.store, method), seed)
    train, held = corpus.splits["train"], corpus.splits["test"]
    if len(train) < _FEWEST or len(held) < 5:
        message = f"{len(train)} labelled statements to train on and {len(held)} held out"
        raise UsageError(f"{message}: at least {_FEWEST} and 5 are needed")
    say(f"{len(train)} labelled statements to train on, {len(held)} held out")
    folder = Path(output)
    folder.mkdir(parents=True, exist_ok=True)
    counts, sizes, seconds = [], [], []
    first = StanceClassifier.from_pretrained(base)
    if tuple(first.labels) == corpus.labels:
        counts, sizes, seconds = [_confusion(first, held, corpus)], [0], [0.0]
        say(f"before training: macro-F1 {_macro(counts[0].sum(axis=0)):.3f}")
    classifier = first
    for records in _nested(train, seed):
        begin = time.perf_counter()
        with tempfile.TemporaryDirectory() as scratch:
            whole = len(records) == len(train)
            part = replace(corpus, splits={**corpus.splits, "train": tuple(records)})
            place = folder / "model" if whole else Path(scratch)
            classifier = fine_tune(part, output=place, base=base, options=_OPTIONS, name=corpus.name).classifier
        counts.append(_confusion(classifier, held, corpus))
        sizes.append(len(records))
        seconds.append(time.perf_counter() - begin)
        say(f"{len(records)} statements: macro-F1 {_macro(counts[-1].sum(axis=0)):.3f} ({seconds[-1]:.0f} s)")
    result = _result(counts, sizes, seconds, len(held), more, classifier.id, folder, started)
    (folder / "loop.json").write_text(json.dumps(asdict(result), ensure_ascii=False, indent=1), encoding="utf-8")
    return result


def _splits(corpus: Corpus, seed: int) -> Corpus:
    """Return the corpus with a split to train on and one held out; documents never cross."""
    labelled = {
        name: tuple(r for r in records if any(label is not None for label in r.labels.values()))
        for name, records in corpus.splits.items()
    }  # where annotators tie on everything there is nothing to learn or to measure
    named = {name: records for name, records in labelled.items() if records}
    corpus = replace(corpus, splits=named)
    if "train" in named and "test" in named:
        return corpus
    if "train" in named and "validation" in named:
        return replace(corpus, splits={"train": named["train"], "test": named["validation"]})
    if len({cluster_of(record) for record in corpus.records}) < 3:
        raise UsageError("too few labelled documents to hold some out: label more, or give the corpus a split 'test'")
    return split_corpus(corpus, _SPLIT, seed)


def _nested(train: Sequence[CorpusRecord], seed: int) -> list[list[CorpusRecord]]:
    """Return growing parts of the training statements, by whole documents in random order."""
    documents = sorted({cluster_of(record) for record in train})
    order = np.random.default_rng(seed).permutation(len(documents))
    place = {documents[i]: rank for rank, i in enumerate(order)}
    ranked = sorted(train, key=lambda record: place[cluster_of(record)])
    found: list[list[CorpusRecord]] = []
    for share in _SHARES:
        end = max(1, round(share * len(ranked)))
        while end < len(ranked) and cluster_of(ranked[end]) == cluster_of(ranked[end - 1]):
            end += 1
        if not found or end > len(found[-1]):
            found.append(ranked[:end])
    return found


def _confusion(classifier: StanceClassifier, held: Sequence[CorpusRecord], corpus: Corpus) -> NDArray[np.int64]:
    """Count gold × predicted labels per document, shape ``(documents, labels, labels)``."""
    p, _ = classifier.predict_proba([record.statement for record in held], list(corpus.targets))
    order = [classifier.labels.index(label) for label in corpus.labels]
    predicted = p[:, :, order].argmax(axis=2)
    gold, guessed, clusters = [], [], []
    for i, record in enumerate(held):
        for j, target in enumerate(corpus.targets):
            label = record.labels.get(target)
            if label is not None:
                gold.append(corpus.labels.index(label))
                guessed.append(int(predicted[i, j]))
                clusters.append(cluster_of(record))
    return confusion_by_cluster(np.array(gold), np.array(guessed), clusters, len(corpus.labels))


def _macro(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return macro-F1 over the labels that occur, of confusions of shape ``(…, k, k)``."""
    f1 = f1_per_label(confusion)
    occurs = (confusion.sum(axis=-1) + confusion.sum(axis=-2)) > 0
    return np.asarray((f1 * occurs).sum(axis=-1) / np.maximum(occurs.sum(axis=-1), 1))


def value_of_more(
    sizes: NDArray[np.float64], scores: NDArray[np.float64], more: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return intercept, slope and the expected gain of `more` examples beyond the largest size; ``nan`` from one size.

    The learning curve ``score = a - b / sqrt(n)`` by least squares, ``b`` at least 0: the inverse power law of
    Figueroa, Zeng-Treitler, Kandula & Ngo 2012, "Predicting sample size required for classification performance", BMC
    Med. Inform. Decis. Mak. 12:8, with its exponent held at one half, since few points cannot fix it.

    Parameters
    ----------
    sizes
        Training sizes over 0, shape ``(points,)``.
    scores
        Scores, shape ``(…, points)``.
    more
        How many further examples.
    """
    x = 1 / np.sqrt(sizes)
    centered = x - x.mean()
    spread = float((centered**2).sum())
    slope = np.maximum(-(scores * centered).sum(axis=-1) / (spread or np.nan), 0.0)
    intercept = scores.mean(axis=-1) + slope * x.mean()
    largest = sizes.max()
    return intercept, np.asarray(slope), slope * (1 / np.sqrt(largest) - 1 / np.sqrt(largest + more))


def _result(
    counts: list[NDArray[np.int64]],
    sizes: list[int],
    seconds: list[float],
    held: int,
    more: int,
    model: str,
    folder: Path,
    started: float,
) -> LoopResult:
    stacked = np.stack(counts, axis=1)  # documents × models × gold × predicted
    n = len(stacked)
    weights = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), size=_RESAMPLES)
    drawn = _macro(np.tensordot(weights, stacked, axes=1))
    scores = _macro(stacked.sum(axis=0))
    points = zip(sizes, scores, drawn.T, seconds, strict=True)
    curve = tuple(CurvePoint(s, float(f), *_interval(draws, n), round(t, 1)) for s, f, draws, t in points)
    trained = np.array(sizes) > 0
    grown = np.array(sizes, dtype=np.float64)[trained]
    intercept, slope, gain = (_known(float(v)) for v in value_of_more(grown, scores[trained], more))
    gain_low, gain_high = _interval(value_of_more(grown, drawn[:, trained], more)[2], n)
    before = f" ({curve[0].macro_f1:.3f} before training)" if sizes[0] == 0 else ""
    last = curve[-1]
    verdict = (
        f"Macro-F1 {last.macro_f1:.3f}{_shown(last.low, last.high)} on {held} held-out statements "
        f"{'' if n > 1 else 'of one document, so without an interval, '}with {last.statements} labelled ones{before}. "
    )
    if gain is None:
        verdict += f"What the next {more} would bring cannot be told from training sets of one size."
    else:
        verdict += f"The next {more} should bring {gain:+.3f}{_shown(gain_low, gain_high, '+')}."
    return LoopResult(
        curve=curve,
        held_out=held,
        more=more,
        gain=gain,
        gain_low=gain_low,
        gain_high=gain_high,
        intercept=intercept,
        slope=slope,
        model=model,
        output=str(folder / "model"),
        seconds=round(time.perf_counter() - started, 1),
        verdict=verdict,
    )


def _interval(draws: NDArray[np.float64], documents: int) -> tuple[float | None, float | None]:
    low, high = interval(draws, documents)
    return _known(low), _known(high)


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _shown(low: float | None, high: float | None, sign: str = "") -> str:
    return "" if low is None or high is None else f" [{low:{sign}.3f}, {high:{sign}.3f}]"
