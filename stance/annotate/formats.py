"""Labels in and out: `datasets` folders, JSONL, CSV, and the formats of Label Studio, doccano and potato."""

from __future__ import annotations

import csv
import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from stance.annotate.folders import write_folder
from stance.annotate.labelled import labelled_corpus
from stance.annotate.ratings import Aggregation, ratings_of_store
from stance.annotate.store import ADJUDICATOR, Store
from stance.annotate.work import WorkByItem, work_in_file, work_of_store
from stance.corpus import Corpus, CorpusRecord, read_corpus, write_corpus
from stance.corpus.records import SECOND_LOOK, decides, ratings_first
from stance.errors import AnnotationError, OutputError, Rejection, UsageError

__all__ = ["FORMATS", "Imported", "export_bytes", "export_labels", "import_labels"]

FORMATS = ("datasets", "jsonl", "csv", "label-studio", "doccano", "potato")
_ENDINGS = {".jsonl": "jsonl", ".csv": "csv", ".json": "label-studio"}
_CORPORA = (".ndjson", ".tsv", ".parquet", ".gz")
"""Endings of further files that hold a corpus and can be read."""
_IN_PATHS = {prefix: prefix.replace(":", "=") for prefix in (ADJUDICATOR, SECOND_LOOK)}
"""Prefixes as a file may be called: their colon is none that Windows allows."""
_UNNAMED = "imported"
"""Annotator of labels that come without one."""
Given = tuple[str, str, dict[str, str | None]]
"""Item, annotator, label by target."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import brought, in pairs of statement and annotator.

    Parameters
    ----------
    new
        Pairs whose labels were new or different.
    kept
        Pairs with other labels than in the store, where those of the store stand.
    """

    new: int
    kept: int


def export_labels(store: Store, path: str | Path, *, kind: str | None = None, method: Aggregation = "majority") -> int:
    """Write the labels of a store; returns how many statements they cover.

    Parameters
    ----------
    store
        The project.
    path
        A ``.jsonl``, ``.csv`` or ``.json`` (Label Studio) file, or a folder (`datasets`, doccano, potato).
    kind
        One of `FORMATS`; by the ending of `path` if not given, `datasets` for a folder.
    method
        How several labels become one, for the formats with one label per statement and target.

    Raises
    ------
    UsageError
        If the format is unknown, or the ending says none.
    AnnotationError
        If nothing is labelled.
    OutputError
        If it cannot be written, or if a doccano or potato folder holds what no export wrote.
    """
    place = Path(path)
    chosen = _kind(kind, place)
    corpus, work = _whole(store, method)
    if not len(corpus):
        raise AnnotationError("nothing is labelled yet", file=str(store.path), rule="no-label")
    try:
        if chosen == "datasets":
            write_corpus(corpus, place)
            return len(corpus)
        files = _files(corpus, chosen, work)
        if "" in files:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(files[""], encoding="utf-8", newline="")
        else:
            write_folder(place, files)
    except OSError as error:
        raise OutputError(f"{place}: cannot write: {error.strerror or error}") from error
    return len(corpus)


def export_bytes(store: Store, kind: str, method: Aggregation = "majority") -> tuple[bytes, str]:
    """Return an export as one file's bytes and the ending of its name; folders become a ZIP archive."""
    corpus, work = _whole(store, method)
    if kind == "datasets":
        with tempfile.TemporaryDirectory() as folder:
            write_corpus(corpus, folder)
            paths = sorted(p for p in Path(folder).rglob("*") if p.is_file())
            return _zipped((str(p.relative_to(folder)), p.read_bytes()) for p in paths), ".zip"
    files = _files(corpus, _kind(kind, Path()), work)
    if "" in files:
        return files[""].encode("utf-8"), {"jsonl": ".jsonl", "csv": ".csv"}.get(kind, ".json")
    return _zipped((name, text.encode("utf-8")) for name, text in files.items()), ".zip"


def import_labels(
    store: Store, path: str | Path, *, kind: str | None = None, on_reject: Callable[[Rejection], None] | None = None
) -> Imported:
    """Read labels into a store; what annotators have labelled here since stands.

    Statements are found by their id, in Label Studio and doccano also by their words where these are unique. Labels
    without an annotator that the store's corpus has too are passed over.

    Parameters
    ----------
    store
        The project.
    path
        What `export_labels` writes, or the same written by the tool of that name.
    kind
        One of `FORMATS`; by the ending if not given.
    on_reject
        Called for each record left out; if not given, the first one raises.

    Raises
    ------
    AnnotationError
        If the file cannot be read, or at the first bad record if `on_reject` is not given.
    """
    place = Path(path)
    if not place.exists():
        raise AnnotationError("no such file or folder", file=str(path), rule="readable")
    chosen = "datasets" if kind is None and place.suffix.lower() in _CORPORA else _kind(kind, place)
    find = _Finder(store)
    readers: dict[str, Callable[[Path, _Finder], Iterator[tuple[str, int, Given | AnnotationError]]]] = {
        "label-studio": _from_label_studio,
        "doccano": _from_doccano,
        "potato": _from_potato,
    }
    work = work_in_file(place) if chosen in ("jsonl", "csv") else {}
    new = kept = 0
    for file, number, found in readers.get(chosen, _from_corpus)(place, find):
        try:
            if isinstance(found, AnnotationError):
                raise found
            item, who, labels = found
            if who == _UNNAMED and find.knows(item, labels):
                continue
            with store.write() as db:
                outcome = store.import_within(db, item, who, labels, work.get(item, {}).get(who))
            new += outcome == "new"
            kept += outcome == "kept"
        except AnnotationError as error:
            own = error.rejection
            problem = Rejection(file, number, own.rule, own.message)
            if on_reject is None:
                raise AnnotationError(own.message, file=file, record=number, rule=own.rule) from error
            on_reject(problem)
    return Imported(new, kept)


def _kind(kind: str | None, place: Path) -> str:
    if kind is None and (not place.suffix or place.is_dir()):
        kind = "datasets"
    elif kind is None:
        kind = _ENDINGS.get(place.suffix.lower())
        if kind is None:
            known = f"{', '.join(_ENDINGS)} or a folder's name"
            raise UsageError(f"{place.name}: the ending names no format: use {known}, or give --format")
    if kind not in FORMATS:
        raise UsageError(f"format {kind!r} is none of {', '.join(FORMATS)}")
    return kind


def _zipped(files: Iterable[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return buffer.getvalue()


# out -----------------------------------------------------------------------------------------------------------------


def _whole(store: Store, method: Aggregation) -> tuple[Corpus, WorkByItem]:
    """Return the labelled statements, with second looks and the decision that counts among what annotators gave."""
    ratings = ratings_of_store(store)
    corpus = labelled_corpus(store, method, ratings=ratings)
    apart: dict[str, dict[str, Mapping[str, str | None]]] = {}
    for look in ratings.looks:
        apart.setdefault(look.item, {})[SECOND_LOOK + look.annotator] = dict(look.labels)
    for item, who in ratings.deciders.items():
        apart.setdefault(item, {})[who] = dict(ratings.settled[item])
    splits = {
        name: tuple(replace(r, annotators={**r.annotators, **apart.get(r.id, {})}) for r in records)
        for name, records in corpus.splits.items()
    }
    return replace(corpus, splits=splits), work_of_store(store, ratings)


def _files(corpus: Corpus, kind: str, work: WorkByItem) -> dict[str, str]:
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
    by_annotator = record.annotators or {_UNNAMED: record.labels}
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
        for name, labels in (record.annotators or {_UNNAMED: record.labels}).items():
            given = [f"{target}: {label}" for target, label in labels.items() if label is not None]
            row = {"id": number, "text": record.statement.text, "label": given, "statement_id": record.id}
            files.setdefault(f"{_as_path(name)}.jsonl", []).append(row)
    return {name: _lines(rows) for name, rows in files.items()}


def _potato(corpus: Corpus) -> dict[str, str]:
    """Return ``NAME/annotated_instances.jsonl`` per annotator, one schema per target."""
    files: dict[str, list[dict[str, Any]]] = {}
    for record in corpus.records:
        for name, labels in (record.annotators or {_UNNAMED: record.labels}).items():
            given = {target: {label: "true"} for target, label in labels.items() if label is not None}
            row = {"id": record.id, "displayed_text": record.statement.text, "label_annotations": given}
            row |= {"span_annotations": {}, "behavioral_data": {}}
            files.setdefault(f"{_as_path(name)}/annotated_instances.jsonl", []).append(row)
    return {name: _lines(rows) for name, rows in files.items()}


def _as_path(name: str) -> str:
    for prefix, written in _IN_PATHS.items():
        name = name.replace(prefix, written)
    return name


def _from_path(name: str) -> str:
    for prefix, written in _IN_PATHS.items():
        name = name.replace(written, prefix)
    return name


def _by_annotator(files: Iterable[tuple[str, Path]]) -> list[tuple[str, Path]]:
    """Return annotator and file, in the order they are to be read."""
    return ratings_first(sorted((_from_path(name), file) for name, file in files))


# in ------------------------------------------------------------------------------------------------------------------


class _Finder:
    """Finds the statement a foreign record is about."""

    def __init__(self, store: Store) -> None:
        self.store = store
        items = store.items()
        self._labels = {item.id: item.record.labels for item in items}
        words: dict[str, list[str]] = {}
        for item in items:
            words.setdefault(item.record.statement.text.strip(), []).append(item.id)
        self._by_text = {text: ids[0] for text, ids in words.items() if len(ids) == 1}

    def __call__(self, item: Any, text: Any = None) -> str:
        if isinstance(item, str | int) and str(item) in self._labels:
            return str(item)
        if isinstance(text, str) and text.strip() in self._by_text:
            return self._by_text[text.strip()]
        raise AnnotationError(f"no statement {item!r} in the store", rule="unknown-item")

    def knows(self, item: str, labels: Mapping[str, str | None]) -> bool:
        """Tell whether the corpus brought these labels along."""
        own = self._labels[item]
        return all(own.get(target) == label for target, label in labels.items() if label is not None)


_Read = Iterator[tuple[str, int, Given | AnnotationError]]


def _from_corpus(place: Path, find: _Finder) -> _Read:
    store = find.store
    bad: list[Rejection] = []
    corpus = read_corpus(place, labels=store.labels, targets=store.targets, on_reject=bad.append)
    for problem in bad:
        error = AnnotationError(problem.message, rule=problem.rule)
        yield problem.file, problem.record or 0, error
    for number, record in enumerate(corpus.records, 1):
        given = dict(record.annotators) or {_UNNAMED: record.labels}
        for name, labels in ratings_first(given.items()):
            if any(label is not None for label in labels.values()):
                yield str(place), number, _tried(partial(_corpus_row, record.id, name, labels, find))


def _corpus_row(item: str, name: str, labels: Mapping[str, str | None], find: _Finder) -> Given:
    return find(item), name, dict(labels)


def _tried(make: Callable[[], Given]) -> Given | AnnotationError:
    try:
        return make()
    except AnnotationError as error:
        return error


def _from_label_studio(place: Path, find: _Finder) -> _Read:
    tasks = _json(place.read_bytes(), place)
    if not isinstance(tasks, list):
        raise AnnotationError("a Label Studio export is a list of tasks", file=str(place), rule="label-studio")
    for number, task in enumerate(tasks, 1):
        try:
            data = task["data"]
            item = find(data.get("statement_id"), data.get("text"))
            annotations = task.get("annotations", task.get("completions", []))
            whole = [(_author(each), each) for each in annotations if not each.get("was_cancelled")]
            for name, annotation in ratings_first(whole):
                yield str(place), number, (item, name, _choices(annotation["result"]))
        except AnnotationError as error:
            yield str(place), number, error
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            yield str(place), number, AnnotationError(f"no Label Studio task: {error!r}", rule="label-studio")


def _author(annotation: Mapping[str, Any]) -> str:
    for result in annotation["result"]:
        if name := (result.get("meta") or {}).get("annotator"):
            return str(name)
    by = annotation.get("completed_by")
    if isinstance(by, dict):
        by = by.get("email") or by.get("id")
    return _UNNAMED if by is None else str(by)


def _choices(results: Iterable[Mapping[str, Any]]) -> dict[str, str | None]:
    chosen = (r for r in results if r.get("type") == "choices")
    return _single((r["from_name"], label) for r in chosen for label in r["value"]["choices"])


def _single(given: Iterable[tuple[str, str]]) -> dict[str, str | None]:
    """Return label by target; two for one target are an error, since neither is the right one."""
    labels: dict[str, str | None] = {}
    for target, label in given:
        if labels.setdefault(target, label) != label:
            raise AnnotationError(f"two labels for {target}: {labels[target]} and {label}", rule="two-labels")
    return labels


def _from_doccano(place: Path, find: _Finder) -> _Read:
    for name, file in _by_annotator((f.stem, f) for f in ([place] if place.is_file() else place.glob("*.jsonl"))):
        for number, line in _lines_of(file):
            yield str(file), number, _tried(partial(_doccano_row, line, file, name, find))


def _doccano_row(line: bytes, file: Path, name: str, find: _Finder) -> Given:
    record = _json(line, file)
    try:
        meta = record.get("meta") if isinstance(record.get("meta"), dict) else {}
        item = find(record.get("statement_id", meta.get("statement_id")), record.get("text", record.get("data")))
        entries = [entry.rpartition(":") for entry in record.get("label", record.get("labels", []))]
        if bad := [label for _, colon, label in entries if not colon]:
            raise AnnotationError(f"label {bad[0]!r} is not of the form 'target: label'", rule="doccano")
        labels = _single((target.strip(), label.strip()) for target, _, label in entries)
    except (AttributeError, TypeError) as error:
        raise AnnotationError(f"no doccano record: {error}", rule="doccano") from error
    return item, name, labels


def _from_potato(place: Path, find: _Finder) -> _Read:
    files = [place] if place.is_file() else place.glob("*/annotated_instances.jsonl")
    for name, file in _by_annotator((f.parent.name, f) for f in files):
        for number, line in _lines_of(file):
            yield str(file), number, _tried(partial(_potato_row, line, file, name, find))


def _potato_row(line: bytes, file: Path, name: str, find: _Finder) -> Given:
    record = _json(line, file)
    try:
        item = find(record.get("id", record.get("instance_id")), record.get("displayed_text"))
        given = record["label_annotations"]
        labels = _single((target, label) for target, chosen in given.items() for label in chosen)
    except (AttributeError, TypeError, KeyError) as error:
        raise AnnotationError(f"no potato record: {error!r}", rule="potato") from error
    return item, str(record.get("user_id") or name), labels


def _lines_of(file: Path) -> Iterator[tuple[int, bytes]]:
    return ((number, line) for number, line in enumerate(file.read_bytes().splitlines(), 1) if line.strip())


def _json(text: bytes, file: Path) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise AnnotationError(f"not JSON: {error}", file=str(file), rule="json") from error
