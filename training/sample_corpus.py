"""Build ``examples/corpus`` from this project's own statements: ``python -m training.sample_corpus``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from datasets import ClassLabel, Dataset, DatasetDict, Features, Value

from stance.schema import LABELS
from training.corpora.country_stance import TARGETS, decode
from training.corpora.own import records, split_of
from training.model_card import LATER

__all__ = ["FOLDER", "build"]

FOLDER = Path(__file__).resolve().parents[1] / "examples" / "corpus"
_TEXT = ("id", "family", "pair", "speaker", "statement", "context")


def build() -> DatasetDict:
    """Return the corpus: one record per statement, with a `ClassLabel` per target in the column ``labels``."""
    features = Features(
        {
            **{name: Value("string") for name in _TEXT},
            "labels": {target: ClassLabel(names=list(LABELS)) for target in TARGETS},
        }
    )
    splits: dict[str, list[dict[str, Any]]] = {"train": [], "validation": [], "test": []}
    for record in records():
        row = {name: record[name] for name in _TEXT} | {"labels": decode(record["label"])}
        splits[split_of(record)].append(row)
    return DatasetDict({name: Dataset.from_list(rows, features=features) for name, rows in splits.items()})


def card(corpus: DatasetDict) -> str:
    """Return the dataset card."""
    sizes = {name: len(split) for name, split in corpus.items()}
    families = Counter(family for split in corpus.values() for family in split["family"])
    counts = [f"| {target} | {' | '.join(str(n) for n in _label_counts(corpus, target))} |" for target in TARGETS]
    return _CARD.format(
        count=sum(sizes.values()),
        splits=", ".join(f"{n} {name}" for name, n in sizes.items()),
        families=", ".join(f"`{family}` {n}" for family, n in sorted(families.items())),
        heads=" | ".join(LABELS),
        counts="\n".join(counts),
        later=sum(name.startswith(LATER) for name in corpus["train"]["id"]),
    )


def _label_counts(corpus: DatasetDict, target: str) -> list[int]:
    found = Counter(labels[target] for split in corpus.values() for labels in split["labels"])
    return [found[i] for i in range(len(LABELS))]


_CARD = """---
language: en
task_categories: [text-classification]
tags: [stance-detection, news, quotations]
size_categories: [1K<n<10K]
---

# Sample corpus

{count} statements in the style of news quotations, written for this project, each labelled for the speaker's stance
toward the United States, Russia, China and Ukraine: `against`, `neutral`, `favor`, `not_addressed`. Speakers are
invented or generic. Many statements form minimal pairs (`pair`): the same words with the sides swapped, or with a
negation.

| column | meaning |
| --- | --- |
| `id` | id of the statement |
| `family` | what it tests |
| `pair` | statements of one minimal pair share it; they are in the same split |
| `speaker`, `statement`, `context` | what the model reads |
| `labels` | one label per target |

Splits: {splits}. Families: {families}.

| target | {heads} |
| --- | --- | --- | --- | --- |
{counts}

The writers (language models, for this project) decided each label by the project's labelling guide; agreement was not
measured. The train split is what the recipe trains on; the shipped model, which is older, was trained on it but for the
{later} statements of `own-j` to `own-n`. The statements stand as text in `training/own`;
`python -m training.sample_corpus` builds this folder.
"""


if __name__ == "__main__":
    sample = build()
    sample.save_to_disk(str(FOLDER))
    (FOLDER / "README.md").write_text(card(sample), encoding="utf-8")
    print({name: len(split) for name, split in sample.items()})
