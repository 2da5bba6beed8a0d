"""The loop from labels to a better model: train on what is there, measure, and say what more labels would bring."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stance.annotate.curve import CurvePoint, LoopResult, model_folder, write_result
from stance.annotate.labelled import labelled_corpus
from stance.annotate.project import Project
from stance.annotate.ratings import Aggregation
from stance.corpus import Corpus, CorpusRecord, cluster_of, near_duplicates
from stance.errors import UsageError
from stance.learning import FitOptions, fine_tune
from stance.model import StanceClassifier
from stance.schema import stable_id
from stance.statistics import confusion_by_cluster, f1_per_label
from stance.statistics.resampling import interval

__all__ = ["run_loop", "value_of_more"]

_SHARES = (0.25, 0.5, 1.0)
_HELD_OUT, _VALIDATION = 0.2, 0.1
"""Shares of the documents, where the corpus does not say."""
_FEWEST, _FEWEST_HELD_OUT = 20, 5
_REPEATS = 0.5  # similarity from which a statement is taken for wire copy of another
_RESAMPLES = 2_000
_OPTIONS = FitOptions(learning_rate=5e-5, head_learning_rate=2e-4)
"""Gentle rates: the base model is trained already."""


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

    The model is in ``<output>/model``, the figures in ``<output>/loop.json``. Measured is on the split ``test``, or
    ``validation`` where nothing of ``test`` is labelled. Where it has fewer than five labelled statements, documents
    are held out besides: always the same ones, so that a model of an earlier turn was trained on none of them. Models
    on a quarter, a half and all of the training documents make the learning curve.

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
        Of the order of documents.

    Raises
    ------
    UsageError
        If too little is labelled, or the model to start from is the one that would be overwritten.
    MissingExtraError
        If documents are to be held out and `datasketch` is not installed.
    """
    started = time.perf_counter()
    folder = Path(output)
    if base is not None and Path(base).resolve() == model_folder(folder).resolve():
        raise UsageError(f"{base} is what is overwritten: start from another model, or write to another folder")
    corpus = _splits(labelled_corpus(project.store, method))
    train, held = len(corpus.splits["train"]), len(corpus.splits["test"])
    if train < _FEWEST or held < _FEWEST_HELD_OUT:
        message = f"{train} labelled statements to train on and {held} held out"
        needed = f"at least {_FEWEST} and {_FEWEST_HELD_OUT} are needed"
        raise UsageError(f"{message}: {needed}; label more, or give the corpus a split 'test'")
    say(f"{train} labelled statements to train on, {held} held out")
    folder.mkdir(parents=True, exist_ok=True)
    counts, sizes, seconds, model = _grown(corpus, folder, base, seed, say)
    result = _result(counts, sizes, seconds, held, more, model, folder, started)
    write_result(result, folder)
    return result


def _grown(
    corpus: Corpus, folder: Path, base: str | Path | None, seed: int, say: Callable[[str], None]
) -> tuple[list[NDArray[np.int64]], list[int], list[float], str]:
    """Train on growing parts; returns confusions per document, sizes and seconds of all models, and the last one's id.

    The first is the model before training, where its labels are those of the corpus.
    """
    train, held = corpus.splits["train"], corpus.splits["test"]
    counts, sizes, seconds = [], [], []
    classifier = StanceClassifier.from_pretrained(base)
    if set(classifier.labels) == set(corpus.labels):
        counts, sizes, seconds = [_confusion(classifier, held, corpus)], [0], [0.0]
        say(f"before training: macro-F1 {_macro(counts[0].sum(axis=0)):.3f}")
    notices: dict[str, None] = {}
    for records in _nested(train, seed):
        begin = time.perf_counter()
        with tempfile.TemporaryDirectory() as scratch:
            whole = len(records) == len(train)
            part = replace(corpus, splits={**corpus.splits, "train": tuple(records)})
            place = model_folder(folder) if whole else Path(scratch)
            classifier = fine_tune(
                part,
                output=place,
                base=base,
                options=_OPTIONS,
                name=corpus.name,
                on_warn=lambda notice: notices.setdefault(str(notice)),
            ).classifier
        counts.append(_confusion(classifier, held, corpus))
        sizes.append(len(records))
        seconds.append(time.perf_counter() - begin)
        say(f"{len(records)} statements: macro-F1 {_macro(counts[-1].sum(axis=0)):.3f} ({seconds[-1]:.0f} s)")
    for notice in notices:
        say(notice)
    return counts, sizes, seconds, classifier.id


def _splits(corpus: Corpus) -> Corpus:
    """Return the corpus with a split to train on and one held out; documents never cross."""
    labelled = {
        name: tuple(r for r in records if any(label is not None for label in r.labels.values()))
        for name, records in corpus.splits.items()
    }  # where annotators tie on everything there is nothing to learn or to measure
    named = {name: records for name, records in labelled.items() if records}
    own = next((name for name in ("test", "validation") if name in named), "test")
    held = named.pop(own, ())
    if "train" in named and len(held) >= _FEWEST_HELD_OUT:
        return replace(corpus, splits={**named, "test": held})
    validation = named.pop("validation", ())
    pool = [record for records in named.values() for record in records]
    if not pool:  # a corpus of a split "test" alone says nothing of what to hold out
        pool, held = [*validation, *held], ()
        validation = ()
    splits = _divided(pool)
    splits["validation"] = (*validation, *splits["validation"])
    fixed = [*splits["train"], *splits["validation"]]
    splits["test"] = _unlike((*held, *splits["test"]), fixed)
    if not splits["validation"]:
        del splits["validation"]
    return replace(corpus, splits=splits)


def _divided(records: Sequence[CorpusRecord]) -> dict[str, tuple[CorpusRecord, ...]]:
    """Divide records by a hash of their document alone, so that none changes sides as labels grow from turn to turn."""
    found: dict[str, list[CorpusRecord]] = {"train": [], "validation": [], "test": []}
    for record in records:
        place = int(stable_id("held-out", cluster_of(record)), 16) / 16**16
        side = "test" if place < _HELD_OUT else "validation" if place < _HELD_OUT + _VALIDATION else "train"
        found[side].append(record)
    return {name: tuple(part) for name, part in found.items()}


def _unlike(held: Sequence[CorpusRecord], others: Sequence[CorpusRecord]) -> tuple[CorpusRecord, ...]:
    """Return what is held out and repeats nothing that is trained on: wire copy crosses documents.

    It is left out here and not there, since an earlier turn may have been trained on the other.
    """
    if not held or not others:
        return tuple(held)
    texts = [record.statement.text for record in (*held, *others)]
    repeats = {
        min(pair.first, pair.second)
        for pair in near_duplicates(texts, threshold=_REPEATS)
        if min(pair.first, pair.second) < len(held) <= max(pair.first, pair.second)
    }
    return tuple(record for i, record in enumerate(held) if i not in repeats)


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
        output=str(model_folder(folder)),
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
