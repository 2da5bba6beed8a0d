"""country-stance: news statements labelled toward the United States, Russia, China and Ukraine.

The labelled statements of the corpus are joined with this project's own labels, which stand off from the text in
``training/labels/country_stance.jsonl``: one line per statement with its record id and a code of four
characters (a against, n neutral, f favor, - not addressed) in the order of `TARGETS`, and its reader.

Every statement of the validation and test splits is read at least twice; where the two first readings differ, a third
decides. So it is for those training statements whose label a model found unlikely, read again by readers who saw
neither label nor model (g and h, then j and k): each target takes the label that two of the three gave, or the
third's. The corpus's own label counts as one reading there, however many it rests on. The others are read once, but
for some hundreds with a second reading in the corpus; where nobody read a third time, the first stands, and so it does
where the one further reading confirms it (`training.agreement.read_how_often` counts them). Readers l and m labelled
statements that nobody had read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from stance.learning import Example
from stance.schema import Speaker, Statement, split_context
from training.corpora import dse, newsmtsc, polnear, unscon

__all__ = [
    "CODES",
    "LABELS_FILE",
    "TARGETS",
    "decode",
    "is_validation",
    "own_readings",
    "read",
    "settled",
]

TARGETS = ("United States", "Russia", "China", "Ukraine")
CODES = {"a": "against", "n": "neutral", "f": "favor", "-": "not_addressed"}
LABELS_FILE = Path(__file__).resolve().parents[1] / "labels" / "country_stance.jsonl"
_VALIDATION_SHARE = 0.08
_OTHER_GENRES = {"unscon"}  # no news: learned from, never measured on
_CONTEXT = 300  # characters of an article shown on each side of a statement


def decode(code: str) -> dict[str, str]:
    """Turn ``"na-f"`` into a label per target."""
    return {target: CODES[c] for target, c in zip(TARGETS, code, strict=True)}


def is_validation(document: str) -> bool:
    """Tell whether a training document is kept for validation; depends on its name alone."""
    digest = hashlib.sha256(document.encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32 < _VALIDATION_SHARE


def read(data: Path, split: str, *, readers: Collection[str] | None = None) -> Iterator[Example]:
    """Yield the examples of ``train``, ``validation`` or ``test``.

    Parameters
    ----------
    data
        Folder of the corpora.
    split
        ``validation`` is cut from the corpus's train split by document; NewsMTSC's lines one by one, and what is left
        of the articles of validation lines is no part of ``train``.
    readers
        Which readers of this project's own labels of train documents to heed; all if not given.
    """
    own = own_readings(readers)
    for record in _jsonl(data / "country-stance" / "statements.jsonl"):
        further = own.pop(record["id"], [])
        if _split_of(record) == split:
            yield _example(record, settled(record["labels"], further))
    if split == "test":
        return
    records = [r for r in _sources(data, own) if r["id"] in own]
    kept_aside = {_document(r) for r in records if _split_of(r) == "validation"}
    for record in records:
        if _split_of(record) == split and (split == "validation" or _document(record) not in kept_aside):
            first, *further = own[record["id"]]
            yield _example(record, settled(first, further))


def _document(record: dict[str, Any]) -> tuple[str, str]:
    return record["corpus"], str(record.get("article", record["document"]))


def own_readings(readers: Collection[str] | None = None) -> dict[str, list[dict[str, str]]]:
    """Return this project's own readings by record id, in order of reading.

    For statements that are labelled in the corpus these are the second and third readings.

    Parameters
    ----------
    readers
        Readers of train documents to heed; all if not given.
    """
    found: dict[str, list[dict[str, str]]] = {}
    for line in _jsonl(LABELS_FILE):
        if line["split"] == "test" or readers is None or line["reader"] in readers:
            found.setdefault(line["id"], []).append(decode(line["labels"]))
    return found


def settled(first: dict[str, str], further: Sequence[dict[str, str]]) -> dict[str, str]:
    """Return the label of each target that two of three readings gave; the third's if all differ.

    The first reading stands where no third was needed.
    """
    if len(further) < 2:
        return dict(first)
    if len(further) > 2:
        raise ValueError(f"{len(further) + 1} readings of one statement, at most three can be settled")
    second, third = further
    return {t: first[t] if first[t] in (second[t], third[t]) else third[t] for t in first}


def _split_of(record: dict[str, Any]) -> str:
    if record["split"] == "test":
        return "test"
    if record["corpus"] in _OTHER_GENRES:
        return "train"
    return "validation" if is_validation(f"{record['corpus']}:{record['document']}") else "train"


def _sources(data: Path, wanted: Collection[str]) -> Iterator[dict[str, Any]]:
    """Yield the records that own labels may refer to: the pool, and lines or spans of other corpora's train splits."""
    yield from _jsonl(data / "country-stance" / "pool.jsonl")
    for pair in dse.read_pairs(data, "train"):
        yield _line_record("dse", pair.line, pair.text)
    for i, example in enumerate(newsmtsc.read(data, "mt", "train")):
        yield {**_line_record("newsmtsc", i, example.statement.text), "article": example.document}
    yield from _polnear(data, wanted)
    yield from unscon.records(data)


def _polnear(data: Path, wanted: Collection[str]) -> Iterator[dict[str, Any]]:
    """Yield the wanted attributions of PolNeAR's train articles; their ids read ``polnear:article:start-end``."""
    for read_by in polnear.read(data, "train", one_annotator=True):
        for attribution in read_by.attributions:
            if len(attribution.content) != 1:
                continue
            ((start, end),), text = attribution.content, read_by.text
            key = f"polnear:{read_by.article}:{start}-{end}"
            if key in wanted:
                before, after = text[max(0, start - _CONTEXT) : start], text[end : end + _CONTEXT]
                yield {
                    "id": key,
                    "corpus": "polnear",
                    "document": read_by.article,
                    "split": "train",
                    "statement": text[start:end],
                    "speaker": text[slice(*attribution.source[0])] if attribution.source else None,
                    "context": f"{before}⟦{text[start:end]}⟧{after}",
                }


def _line_record(corpus: str, line: int, text: str) -> dict[str, Any]:
    document = f"train:{line}"
    return {
        "id": f"{corpus}:{document}",
        "corpus": corpus,
        "document": document,
        "split": "train",
        "statement": text,
    }


def _example(record: dict[str, Any], labels: dict[str, str]) -> Example:
    before, after = split_context(record.get("context"), record["statement"])
    name = record.get("speaker")
    statement = Statement(
        id=record["id"],
        text=record["statement"],
        speaker=Speaker(name, name) if name else None,
        cue=record.get("cue"),
        before=before,
        after=after,
    )
    return Example(statement, labels, corpus=record["corpus"], document=_document(record)[1])


def _jsonl(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
