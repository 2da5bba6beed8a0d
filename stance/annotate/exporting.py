"""Labels as other tools read them: the texts of JSONL, CSV, Label Studio, doccano and potato."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from stance.annotate.folders import as_path
from stance.annotate.importing import UNNAMED
from stance.annotate.labelled import labelled_corpus
from stance.annotate.ratings import Aggregation, ratings_of_store
from stance.annotate.store import Store
from stance.annotate.work import WorkByItem, work_of_store
from stance.corpus import Corpus, CorpusRecord
from stance.corpus.records import SECOND_LOOK, decides

__all__ = ["files_of", "whole"]


def whole(store: Store, method: Aggregation) -> tuple[Corpus, WorkByItem]:
    """Return the labelled statements, with second looks and the decision that counts among what annotators gave."""
    ratings = ratings_of_store(store)
    corpus = labelled_corpus(store, method, ratings=ratings)
    apart: dict[str, dict[str, Mapping[str, str | None]]] = {}
    for look in ratings.looks:
        apart.setdefault(look.item, {})[SECOND_LOOK + look.annotator] = dict(look.labels)
    for item, decision in ratings.decisions.items():
        apart.setdefault(item, {})[decision.annotator] = dict(decision.labels)
    splits = {
        name: tuple(replace(r, annotators={**r.annotators, **apart.get(r.id, {})}) for r in records)
        for name, records in corpus.splits.items()
    }
    return replace(corpus, splits=splits), work_of_store(store, ratings)


def files_of(corpus: Corpus, kind: str, work: WorkByItem) -> dict[str, str]:
    """Return text by file name; the name is empty where there is just one file."""
    if kind == "jsonl":
        return {"": _lines(_record(split, r, work) for split, rs in corpus.splits.items() for r in rs)}
    if kind == "csv":
        return {"": _csv(corpus, work)}
    if kind == "label-studio":
        return {"": json.dumps([_task(i, r) for i, r in enumerate(corpus.records, 1)], ensure_ascii=False, indent=1)}
    if kind == "doccano":
        return _doccano(corpus)
    return _potato(corpus)


def _lines(records: Iterable[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def _record(split: str, record: CorpusRecord, work: WorkByItem) -> dict[str, Any]:
    statement = record.statement.to_dict()
    own: dict[str, Any] = {"id": record.id, "split": split, "document": record.document, "outlet": record.outlet}
    own |= {"published": record.published, "source": record.source}
    own |= {key: value for key, value in statement.items() if key not in ("statement_id", "context")}
    around = record.statement.before or record.statement.after
    own["context"] = statement["context"] if around else ""
    own |= {"labels": dict(record.labels), "annotators": {k: dict(v) for k, v in record.annotators.items()}}
    return own | {"work": {who: each.to_dict() for who, each in work.get(record.id, {}).items()}}


def _csv(corpus: Corpus, work: WorkByItem) -> str:
    buffer = io.StringIO(newline="")
    writer: csv.DictWriter[str] | None = None
    for split, records in corpus.splits.items():
        for record in records:
            row = _record(split, record, work)
            labels = row.pop("labels")
            for name in ("annotators", "work"):
                row[name] = json.dumps(row[name], ensure_ascii=False) if row[name] else ""
            row |= {f"label_{target}": labels.get(target) or "" for target in corpus.targets}
            if writer is None:
                writer = csv.DictWriter(buffer, list(row), lineterminator="\n")
                writer.writeheader()
            writer.writerow(row)
    return buffer.getvalue()


def _task(number: int, record: CorpusRecord) -> dict[str, Any]:
    """Return a Label Studio task: one ``choices`` result per target, one annotation per annotator.

    Each result names its annotator under ``meta``, which Label Studio keeps: it knows no annotators but its own users,
    and refuses a file that names others in ``completed_by``. A decision is the task's ground truth.
    """
    s = record.statement
    data = {"statement_id": record.id, "text": s.text, "speaker": s.speaker.name if s.speaker else ""}
    data["context"] = f"{s.before}⟦{s.text}⟧{s.after}"
    by_annotator = record.annotators or {UNNAMED: record.labels}
    annotations = [
        {
            "id": number * 1000 + i,
            "was_cancelled": False,
            "ground_truth": decides(name),
            "result": [
                {
                    "id": f"r{number}-{i}-{j}",
                    "from_name": target,
                    "to_name": "text",
                    "type": "choices",
                    "value": {"choices": [label]},
                    "meta": {"annotator": name},
                }
                for j, (target, label) in enumerate(labels.items())
                if label is not None
            ],
        }
        for i, (name, labels) in enumerate(by_annotator.items())
    ]
    return {"id": number, "data": data, "annotations": annotations}


def _doccano(corpus: Corpus) -> dict[str, str]:
    """Return one JSONL file per annotator, labels written ``target: label``."""
    files: dict[str, list[dict[str, Any]]] = {}
    for number, record in enumerate(corpus.records, 1):
        for name, labels in (record.annotators or {UNNAMED: record.labels}).items():
            given = [f"{target}: {label}" for target, label in labels.items() if label is not None]
            row = {"id": number, "text": record.statement.text, "label": given, "statement_id": record.id}
            files.setdefault(f"{as_path(name)}.jsonl", []).append(row)
    return {name: _lines(rows) for name, rows in files.items()}


def _potato(corpus: Corpus) -> dict[str, str]:
    """Return ``NAME/annotated_instances.jsonl`` per annotator, one schema per target."""
    files: dict[str, list[dict[str, Any]]] = {}
    for record in corpus.records:
        for name, labels in (record.annotators or {UNNAMED: record.labels}).items():
            given = {target: {label: "true"} for target, label in labels.items() if label is not None}
            row = {"id": record.id, "displayed_text": record.statement.text, "label_annotations": given}
            row |= {"span_annotations": {}, "behavioral_data": {}}
            files.setdefault(f"{as_path(name)}/annotated_instances.jsonl", []).append(row)
    return {name: _lines(rows) for name, rows in files.items()}
