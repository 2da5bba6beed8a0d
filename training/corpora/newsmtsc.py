"""NewsMTSC: sentiment toward a person or group mentioned in a sentence of US political news.

Hamborg & Donnay 2021, "NewsMTSC: A Dataset for (Multi-)Target-dependent Sentiment Classification in Political
News Articles". The sentence's author is the one whose side is labelled, so no speaker is given.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from stance.learning import Example
from stance.schema import Statement

__all__ = ["LABEL_OF", "document_of", "read"]

LABEL_OF = {-1: "against", 0: "neutral", 1: "favor"}


def read(data: Path, part: str, split: str) -> Iterator[Example]:
    """Yield the examples of ``mt`` or ``rw``, split ``train``, ``dev`` or ``test``."""
    with (data / "newsmtsc" / part / f"{split}.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            statement = Statement(id=record["id"], text=record["sentence"])
            labels = {record["mention"]: LABEL_OF[int(record["polarity"])]}
            yield Example(statement, labels, corpus="newsmtsc", document=document_of(record["id"]))


def document_of(name: str) -> str:
    """Return the article in an id: "allsides_1000" of "allsides_1000_401_…", "polusa_v1_207" of "polusa_v1_207_-…"."""
    parts = name.split("_")
    return "_".join(parts[: 3 if parts[0] == "polusa" else 2])
