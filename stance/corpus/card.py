"""The dataset card of a corpus: what it holds, counted."""

from __future__ import annotations

from collections import Counter

import yaml

from stance.corpus.records import Corpus, cluster_of

__all__ = ["dataset_card"]

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def dataset_card(corpus: Corpus, *, licence: str | None = None, text: str = "") -> str:
    """Return the card in the Hugging Face form: YAML head, columns, and counts per split, target and label.

    Parameters
    ----------
    corpus
        The corpus.
    licence
        Licence identifier for the YAML head.
    text
        Markdown put under the title: where the texts come from, who labelled them and how.
    """
    size = next((name for most, name in _SIZES if len(corpus) < most), "n>1M")
    head: dict[str, object] = {
        "language": "en",
        "task_categories": ["text-classification"],
        "tags": ["stance-detection", "news"],
        "size_categories": [size],
    }
    if licence:
        head["license"] = licence
    parts = [
        f"---\n{yaml.safe_dump(head, sort_keys=False).strip()}\n---\n",
        f"# {corpus.name}\n",
        *([text.strip() + "\n"] if text.strip() else []),
        f"{len(corpus)} statements, labelled toward {len(corpus.targets)} target(s): {', '.join(corpus.targets)}. "
        f"Labels, in this order: {', '.join(f'`{label}`' for label in corpus.labels)}; -1 where none was given.\n",
        _splits(corpus),
        _counts(corpus),
        "Columns: `id`, `statement`, `speaker`, `context` (the statement marked by ⟦ ⟧), `document` (never crosses "
        "splits), `outlet`, `published`, `source`, `labels` (a ClassLabel per target), `annotators`, and the offsets "
        "and speaker columns of an extraction file.\n",
    ]
    return "\n".join(parts)


def _splits(corpus: Corpus) -> str:
    lines = ["| split | statements | documents | labels |", "| --- | ---: | ---: | ---: |"]
    for name, records in corpus.splits.items():
        given = sum(label is not None for record in records for label in record.labels.values())
        lines.append(f"| {name} | {len(records)} | {len({cluster_of(r) for r in records})} | {given} |")
    return "\n".join(lines) + "\n"


def _counts(corpus: Corpus) -> str:
    lines = [
        f"| target | {' | '.join(corpus.labels)} | none |",
        f"| --- |{' ---: |' * (len(corpus.labels) + 1)}",
    ]
    for target in corpus.targets:
        counts = Counter(record.labels.get(target) for record in corpus.records)
        cells = [str(counts[label]) for label in (*corpus.labels, None)]
        lines.append(f"| {target} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
