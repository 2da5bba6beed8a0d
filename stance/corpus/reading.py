"""Files and folders to a `Corpus`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stance.articles import Notices, read_any_records
from stance.corpus.fields import UNDECLARED, label_name, raw_annotators, raw_labels, statement_of, text_of
from stance.corpus.records import Corpus, CorpusRecord, broken_rule
from stance.errors import CorpusError, Rejection
from stance.schema import LABELS

__all__ = ["read_corpus"]

_ENDINGS = (".jsonl", ".ndjson", ".csv", ".tsv", ".parquet")
_WHOLE = "all"
"""Split of records that name none."""


@dataclass(frozen=True, slots=True)
class _Raw:
    file: str
    number: int
    split: str
    record: Mapping[str, Any]
    labels: Mapping[str, Any]
    names: Mapping[str, Sequence[str]]
    """Names of the ClassLabel of each target, where the file carries them."""


def read_corpus(
    path: str | Path,
    *,
    labels: Sequence[str] | None = None,
    targets: Sequence[str] | None = None,
    on_reject: Callable[[Rejection], None] | None = None,
) -> Corpus:
    """Read a labelled corpus.

    Parameters
    ----------
    path
        A folder that `datasets` wrote; a ``.jsonl``, ``.csv``, ``.tsv`` or ``.parquet`` file (also ``.gz``, but for
        Parquet), whose column ``split`` names the split of a record; or a folder of such files named after their
        splits (``train.jsonl``, ``test.jsonl``). Columns: ``id``, ``statement``, and perhaps ``speaker``, ``context``,
        ``document``, ``outlet``, ``published``, ``source``, ``annotators``; the labels are in ``labels`` (target to
        label) or in ``label_<target>``. A label is a name, or a number that counts the label set from 0; -1 is a
        missing label in a ClassLabel, and nowhere else.
    labels
        Label set. If not given, that of the file's ClassLabels as it stands there. A file without may be labelled only
        in part: its set is `stance.schema.LABELS` if all names that occur are of these, otherwise the names that occur.
    targets
        Read these targets only; those of the file if not given.
    on_reject
        Called for each record left out; the others go on. If not given, the first one raises.

    Raises
    ------
    CorpusError
        If there is nothing to read; at a number under 0 that is not of a ClassLabel, since with a scale such as
        -1, 0, 1 all other numbers would be misread; or at the first bad record if `on_reject` is not given. It names
        file, row and rule.
    """
    place = Path(path)
    notices = Notices(on_reject, None, CorpusError)
    raw = list(_raw_records(place, notices))
    if not raw:
        raise CorpusError("holds no record that can be read", file=str(path), rule="empty-corpus")
    known_labels = tuple(labels) if labels is not None else _labels_of(raw)
    known_targets = tuple(targets) if targets is not None else _targets_of(raw)
    name = place.name.removesuffix(".gz") if place.is_dir() else place.name.split(".")[0]
    frame = Corpus(name, known_labels, known_targets, {})
    if not known_targets:
        raise CorpusError("no label found: needs 'labels' or columns 'label_<target>'", file=str(path), rule="no-label")
    splits: dict[str, list[CorpusRecord]] = {item.split: [] for item in raw}
    seen: set[str] = set()
    for item in raw:
        try:
            record = _record(item, frame, labels)
            if problem := broken_rule(record, frame, seen):
                raise CorpusError(problem[1], rule=problem[0])
        except CorpusError as error:
            rule, message = error.rejection.rule, error.rejection.message
            if rule == UNDECLARED:
                raise CorpusError(message, file=item.file, record=item.number, rule=rule) from error
            notices.reject(item.file, item.number, rule, message)
            continue
        seen.add(record.id)
        splits[item.split].append(record)
    if not seen:
        raise CorpusError("holds no record that can be read", file=str(path), rule="empty-corpus")
    return Corpus(name, known_labels, known_targets, {split: tuple(found) for split, found in splits.items()})


def _raw_records(place: Path, notices: Notices) -> Iterator[_Raw]:
    for split, source in _sources(place):
        features = _features(source)
        for number, record in read_any_records(str(source), notices, None):
            try:
                found = raw_labels(record)
                named = split or text_of(record, "split") or _WHOLE
            except CorpusError as error:
                notices.reject(str(source), number, error.rejection.rule, error.rejection.message)
                continue
            yield _Raw(str(source), number, named, record, found, features)


def _sources(place: Path) -> list[tuple[str | None, Path]]:
    """Return the parts to read, each with its split where the place tells it."""
    if (place / "dataset_dict.json").is_file():
        splits = _load_json(place / "dataset_dict.json").get("splits", [])
        return [(split, place / split) for split in splits]
    if (place / "dataset_info.json").is_file() or place.is_file():
        return [(None, place)]
    files = [p for p in sorted(place.glob("*")) if p.name.removesuffix(".gz").endswith(_ENDINGS)]
    if not files:
        reason = f"holds neither a dataset nor a file of {', '.join(_ENDINGS)}" if place.is_dir() else "no such file"
        raise CorpusError(reason, file=str(place), rule="readable")
    first = {"train": 0, "validation": 1, "dev": 1, "test": 2}
    files.sort(key=lambda p: (first.get(p.name.split(".")[0], 3), p.name))
    return [(p.name.split(".")[0], p) for p in files]


def _features(source: Path) -> dict[str, list[str]]:
    """Return the ClassLabel names of each target, as `datasets` writes them beside Arrow or into Parquet."""
    if source.is_dir():
        features = _load_json(source / "dataset_info.json").get("features") or {}
    elif source.suffix.lower() == ".parquet":
        features = _parquet_features(source)
    else:
        return {}
    struct = features.get("labels")
    columns: dict[str, Any] = dict(struct) if isinstance(struct, dict) and "_type" not in struct else {}
    columns |= {name.removeprefix("label_"): kind for name, kind in features.items() if name.startswith("label_")}
    return {t: list(kind["names"]) for t, kind in columns.items() if isinstance(kind, dict) and kind.get("names")}


def _parquet_features(source: Path) -> dict[str, Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        stored = (pq.read_schema(source).metadata or {}).get(b"huggingface", b"{}")
        return dict(json.loads(stored).get("info", {}).get("features") or {})
    except (pa.ArrowException, OSError, ValueError) as error:
        raise CorpusError(f"not a readable Parquet file: {error}", file=str(source), rule="parquet") from error


def _load_json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise CorpusError(f"cannot be read: {error}", file=str(path), rule="json") from error


def _targets_of(raw: Sequence[_Raw]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(t for item in raw for t in (*item.names, *item.labels)))


def _labels_of(raw: Sequence[_Raw]) -> tuple[str, ...]:
    """Return the label set: of the ClassLabels, else the project's where all that occurs is of it, else what occurs."""
    found: dict[str, None] = {}
    for names in {id(item.names): item.names for item in raw}.values():
        for own in names.values():
            found |= dict.fromkeys(own)
    declared = bool(found)
    for item in raw:
        for target, value in item.labels.items():
            if isinstance(value, str) and target not in item.names and (name := _name_or_none(value, target)):
                found[name] = None
    return LABELS if not declared and set(found) <= set(LABELS) else tuple(found)


def _name_or_none(value: str, target: str) -> str | None:
    """Return the label's name, ``None`` where the value is missing or only a number."""
    try:
        return label_name(value, target, None)
    except CorpusError:
        return None


def _record(item: _Raw, frame: Corpus, given: Sequence[str] | None) -> CorpusRecord:
    wanted = set(frame.targets)

    def named(values: Mapping[str, Any]) -> dict[str, str | None]:
        return {
            target: label_name(value, target, item.names.get(target, given), declared=target in item.names)
            for target, value in values.items()
            if target in wanted
        }

    record = item.record
    return CorpusRecord(
        statement=statement_of(record),
        labels=dict.fromkeys(frame.targets) | named(item.labels),
        document=text_of(record, "document", "article_id", "pair") or "",
        outlet=text_of(record, "outlet"),
        published=text_of(record, "published"),
        source=text_of(record, "source", "corpus", "family"),
        annotators={who: named(values) for who, values in raw_annotators(record).items()},
    )
