"""Labels as other tools write them, record by record."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from stance.annotate.folders import from_path
from stance.annotate.store import Store
from stance.corpus import read_corpus
from stance.corpus.records import ratings_first
from stance.errors import AnnotationError, Rejection

__all__ = ["UNNAMED", "Finder", "Given", "Read", "reader_of"]

UNNAMED = "imported"
"""Annotator of labels that come without one."""
Given = tuple[str, str, dict[str, str | None]]
"""Item, annotator, label by target."""


class Finder:
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
        """Return the id of the statement of this id or, where they are unique, of these words."""
        if isinstance(item, str | int) and str(item) in self._labels:
            return str(item)
        if isinstance(text, str) and text.strip() in self._by_text:
            return self._by_text[text.strip()]
        raise AnnotationError(f"no statement {item!r} in the store", rule="unknown-item")

    def knows(self, item: str, labels: Mapping[str, str | None]) -> bool:
        """Tell whether the corpus brought these labels along."""
        own = self._labels[item]
        return all(own.get(target) == label for target, label in labels.items() if label is not None)


Read = Iterator[tuple[str, int, Given | AnnotationError]]
"""File, record and what it gives, or what is wrong with it."""


def _from_corpus(place: Path, find: Finder) -> Read:
    store = find.store
    bad: list[Rejection] = []
    corpus = read_corpus(place, labels=store.labels, targets=store.targets, on_reject=bad.append)
    for problem in bad:
        error = AnnotationError(problem.message, rule=problem.rule)
        yield problem.file, problem.record or 0, error
    for number, record in enumerate(corpus.records, 1):
        given = dict(record.annotators) or {UNNAMED: record.labels}
        for name, labels in ratings_first(given.items()):
            if any(label is not None for label in labels.values()):
                yield str(place), number, _tried(partial(_corpus_row, record.id, name, labels, find))


def _corpus_row(item: str, name: str, labels: Mapping[str, str | None], find: Finder) -> Given:
    return find(item), name, dict(labels)


def _tried(make: Callable[[], Given]) -> Given | AnnotationError:
    try:
        return make()
    except AnnotationError as error:
        return error


def _from_label_studio(place: Path, find: Finder) -> Read:
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
    return UNNAMED if by is None else str(by)


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


def _from_doccano(place: Path, find: Finder) -> Read:
    for name, file in _by_annotator((f.stem, f) for f in ([place] if place.is_file() else place.glob("*.jsonl"))):
        for number, line in _lines_of(file):
            yield str(file), number, _tried(partial(_doccano_row, line, file, name, find))


def _doccano_row(line: bytes, file: Path, name: str, find: Finder) -> Given:
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


def _from_potato(place: Path, find: Finder) -> Read:
    files = [place] if place.is_file() else place.glob("*/annotated_instances.jsonl")
    for name, file in _by_annotator((f.parent.name, f) for f in files):
        for number, line in _lines_of(file):
            yield str(file), number, _tried(partial(_potato_row, line, file, name, find))


def _potato_row(line: bytes, file: Path, name: str, find: Finder) -> Given:
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


def _by_annotator(files: Iterable[tuple[str, Path]]) -> list[tuple[str, Path]]:
    """Return annotator and file, in the order they are to be read."""
    return ratings_first(sorted((from_path(name), file) for name, file in files))


_READERS: dict[str, Callable[[Path, Finder], Read]] = {
    "label-studio": _from_label_studio,
    "doccano": _from_doccano,
    "potato": _from_potato,
}


def reader_of(kind: str) -> Callable[[Path, Finder], Read]:
    """Return what reads a format: the three of other tools, or any form of a corpus."""
    return _READERS.get(kind, _from_corpus)
