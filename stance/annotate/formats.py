"""Labels in and out: `datasets` folders, JSONL, CSV, and the formats of Label Studio, doccano and potato."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from stance.annotate.exporting import files_of, whole
from stance.annotate.folders import write_folder
from stance.annotate.importing import UNNAMED, Finder, reader_of
from stance.annotate.ratings import Aggregation
from stance.annotate.store import Store
from stance.annotate.work import work_in_file
from stance.corpus import write_corpus
from stance.errors import AnnotationError, OutputError, Rejection, UsageError

__all__ = ["FORMATS", "Imported", "export_bytes", "export_labels", "import_labels"]

FORMATS = ("datasets", "jsonl", "csv", "label-studio", "doccano", "potato")
_ENDINGS = {".jsonl": "jsonl", ".csv": "csv", ".json": "label-studio"}
_CORPORA = (".ndjson", ".tsv", ".parquet", ".gz")
"""Endings of further files that hold a corpus and can be read."""


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
    corpus, work = whole(store, method)
    if not len(corpus):
        raise AnnotationError("nothing is labelled yet", file=str(store.path), rule="no-label")
    try:
        if chosen == "datasets":
            write_corpus(corpus, place)
            return len(corpus)
        files = files_of(corpus, chosen, work)
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
    corpus, work = whole(store, method)
    if kind == "datasets":
        with tempfile.TemporaryDirectory() as folder:
            write_corpus(corpus, folder)
            paths = sorted(p for p in Path(folder).rglob("*") if p.is_file())
            return _zipped((str(p.relative_to(folder)), p.read_bytes()) for p in paths), ".zip"
    files = files_of(corpus, _kind(kind, Path()), work)
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
    find = Finder(store)
    work = work_in_file(place) if chosen in ("jsonl", "csv") else {}
    new = kept = 0
    for file, number, found in reader_of(chosen)(place, find):
        try:
            if isinstance(found, AnnotationError):
                raise found
            item, who, labels = found
            if who == UNNAMED and find.knows(item, labels):
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
