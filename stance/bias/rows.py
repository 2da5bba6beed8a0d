"""Stance rows from files and tables as a stream of checked Arrow batches that can be read again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from stance.articles import Notices, Notify, read_any_records
from stance.errors import RowError, UsageError
from stance.schema import CONTRACT_VERSION, rows_schema

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["NEEDED", "RowSource"]

NEEDED = ("article_id", "statement_id", "target", "label")
"""Columns without which a row means nothing; the others may be missing and are then empty."""
_BATCH = 262_144
_RECORDS = 20_000  # of a file that is read record by record


class RowSource:
    """Stance rows to be reported on.

    Parameters
    ----------
    sources
        Parquet, JSONL or CSV files that `stance score` wrote (``-``: JSONL on standard input), or one table: a
        `stance.StanceRows`, an Arrow table, a data frame, or rows and dictionaries.
    on_reject
        Called for each row that is left out. If not given, the first one raises.
    on_warn
        Called for each doubt. If not given, it is a Python warning.
    stdin
        Stream that ``-`` stands for; it is held in memory, as rows are read more than once.
    """

    def __init__(
        self,
        sources: Any,
        *,
        on_reject: Notify | None = None,
        on_warn: Notify | None = None,
        stdin: BinaryIO | None = None,
    ) -> None:
        self.notices = Notices(on_reject, on_warn, RowError)
        self._quiet = Notices(lambda _: None, lambda _: None, RowError)
        self._parts: list[tuple[str, Any]] = []
        for name, part in _named(sources):
            self._parts.append((name, self._from_stream(name, stdin) if name == "-" else part))

    def batches(
        self, columns: Sequence[str], *, again: bool = False
    ) -> Iterator[tuple[str, NDArray[np.int64], pa.RecordBatch]]:
        """Yield ``(file, number of each row in it, batch)`` with these columns of the row contract.

        Parameters
        ----------
        columns
            Wanted columns, text as plain strings; one that a file does not have is all null.
        again
            Whether this is a further reading, so that nothing is reported twice.
        """
        notices = self._quiet if again else self.notices
        for name, part in self._parts:
            if isinstance(part, Path) and part.suffix.lower() != ".parquet":
                numbered = _from_records(read_any_records(part, notices, None), name, notices)
            elif isinstance(part, Path):
                numbered = _numbered(_parquet(part, columns, notices))
            else:
                _check_columns(set(part.schema.names), name)
                numbered = _numbered(part.to_batches(max_chunksize=_BATCH))
            for numbers, batch in numbered:
                yield name, numbers, _selected(batch, columns, name)

    def _from_stream(self, name: str, stdin: BinaryIO | None) -> pa.Table:
        import pyarrow as pa

        records = read_any_records(name, self.notices, stdin)
        return pa.Table.from_batches([b for _, b in _from_records(records, name, self.notices)], _batch([]).schema)


def _named(sources: Any) -> Iterator[tuple[str, Any]]:
    """Yield a name and a path or Arrow table for each source."""
    if isinstance(sources, str | Path):
        sources = [sources]
    if isinstance(sources, Sequence) and sources and all(isinstance(s, str | Path) for s in sources):
        for source in sources:
            yield str(source), None if str(source) == "-" else _existing(Path(source))
        return
    yield "<rows>", _as_table(sources)


def _existing(path: Path) -> Path:
    if not path.exists():
        raise RowError("no such file", file=str(path), rule="not-found")
    return path


def _as_table(rows: Any) -> pa.Table:
    import pyarrow as pa

    if isinstance(rows, pa.Table):
        return rows
    if hasattr(rows, "to_arrow"):
        return rows.to_arrow()
    if hasattr(rows, "columns") and hasattr(rows, "iloc"):
        return pa.Table.from_pandas(rows, preserve_index=False)
    if not isinstance(rows, Iterable):
        raise UsageError(f"rows must be files, a table or rows, found {type(rows).__name__}")
    records = [row if isinstance(row, Mapping) else row.to_dict() for row in rows]
    if records:
        _check_columns(set(records[0]), "<rows>")
    return pa.Table.from_batches([_batch([_plain(r) for r in records])])


def _numbered(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[NDArray[np.int64], pa.RecordBatch]]:
    start = 1
    for batch in batches:
        yield np.arange(start, start + batch.num_rows), batch
        start += batch.num_rows


def _parquet(path: Path, columns: Sequence[str], notices: Notices) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            metadata = file.schema_arrow.metadata or {}
            version = metadata.get(b"stance.contract", CONTRACT_VERSION.encode()).decode()
            if version != CONTRACT_VERSION:
                message = f"row contract {version}, this version reads {CONTRACT_VERSION}"
                raise RowError(message, file=str(path), rule="contract")
            names = set(file.schema_arrow.names)
            _check_columns(names, str(path))
            yield from file.iter_batches(batch_size=_BATCH, columns=[c for c in columns if c in names])
    except (pa.ArrowException, OSError) as error:
        notices.reject(str(path), None, "parquet", f"not a readable Parquet file from here on: {error}")


def _from_records(
    records: Iterable[tuple[int, dict[str, Any]]], name: str, notices: Notices
) -> Iterator[tuple[NDArray[np.int64], pa.RecordBatch]]:
    """Batch records read one by one; one whose values have the wrong type is rejected by its number."""
    checked = False
    stream = iter(records)
    while pending := list(islice(stream, _RECORDS)):
        if not checked:
            _check_columns(set().union(*(r for _, r in pending)), name)
            checked = True
        try:
            batch = _batch([_plain(r) for _, r in pending])
            yield np.array([n for n, _ in pending]), batch
        except (ValueError, TypeError):  # Arrow's own errors among them: find which record it is
            yield from _one_by_one(pending, name, notices)


def _one_by_one(
    pending: Sequence[tuple[int, dict[str, Any]]], name: str, notices: Notices
) -> Iterator[tuple[NDArray[np.int64], pa.RecordBatch]]:
    for number, record in pending:
        try:
            batch = _batch([_plain(record)])
        except (ValueError, TypeError) as error:
            notices.reject(name, number, "row-type", f"a value does not fit its column: {error}")
            continue
        yield np.array([number]), batch


def _batch(records: list[dict[str, Any]]) -> pa.RecordBatch:
    import pyarrow as pa

    schema = pa.schema([f for f in rows_schema() if not f.name.startswith("p_")])
    return pa.RecordBatch.from_pylist(records, schema=schema)


_WORDS = {"true": True, "false": False, "True": True, "False": False}


def _plain(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record with the empty cells of CSV as ``None`` and its numbers and truth values as such."""
    values = {k: None if v == "" or v != v else v for k, v in record.items()}
    for name in ("start", "end"):
        if isinstance(found := values.get(name), str):
            values[name] = int(found)
    if isinstance(found := values.get("confidence"), str):
        values["confidence"] = float(found)
    for name in ("abstained", "truncated"):
        found = values.get(name)
        values[name] = _WORDS.get(found, found) if isinstance(found, str) else found
    return values


def _check_columns(names: set[str], file: str) -> None:
    missing = [c for c in NEEDED if c not in names]
    if missing:
        message = f"no stance rows: column {', '.join(missing)} missing; `stance score` writes them from articles"
        raise RowError(message, file=file, rule="missing-column")


def _selected(batch: pa.RecordBatch, columns: Sequence[str], file: str) -> pa.RecordBatch:
    import pyarrow as pa

    schema = rows_schema()
    arrays = []
    for name in columns:
        kind = schema.field(name).type
        if name not in batch.schema.names:
            arrays.append(pa.nulls(batch.num_rows, kind))
            continue
        try:
            arrays.append(batch.column(name).cast(kind))
        except pa.ArrowException as error:
            raise RowError(f"column {name!r} cannot be read as {kind}: {error}", file=file, rule="row-type") from error
    return pa.RecordBatch.from_arrays(arrays, names=list(columns))
