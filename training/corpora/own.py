"""This project's own statements (``training/own/*.jsonl``), written for it and labelled toward four countries."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stance.learning import Example
from stance.schema import Speaker, Statement, split_context
from training.corpora.country_stance import decode

__all__ = ["FOLDER", "read", "records", "split_of"]

FOLDER = Path(__file__).resolve().parents[1] / "own"


def records() -> Iterator[dict[str, Any]]:
    """Yield the records as written, in the order of the files."""
    for path in sorted(FOLDER.glob("*.jsonl")):
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)


def split_of(record: dict[str, Any]) -> str:
    """Return ``train``, ``validation`` or ``test``: as the record says, else 80, 10 and 10 %; pairs stay together."""
    if "split" in record:
        return str(record["split"])
    digest = hashlib.sha256((record["pair"] or record["id"]).encode()).digest()
    place = int.from_bytes(digest[:4], "big") / 2**32
    return "train" if place < 0.8 else "validation" if place < 0.9 else "test"


def read(split: str) -> Iterator[Example]:
    """Yield the examples of a split."""
    for record in records():
        if split_of(record) == split:
            yield _example(record)


def _example(record: dict[str, Any]) -> Example:
    name = record["speaker"] or None
    before, after = split_context(record["context"], record["statement"])
    statement = Statement(
        id=record["id"],
        text=record["statement"],
        speaker=Speaker(name, name) if name else None,
        before=before,
        after=after,
    )
    document = record["pair"] or record["id"]
    return Example(statement, decode(record["label"]), corpus="own", document=document)
