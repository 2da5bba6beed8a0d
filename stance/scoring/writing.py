"""Tables to files: Parquet, JSONL or CSV by the file's ending, complete or not there at all.

Every table carries the version of the row contract: Parquet in its schema's metadata, JSONL and CSV in a small
``<output>.meta.json`` beside them.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Protocol, Self

from stance.errors import OutputError, UsageError
from stance.schema import CONTRACT_VERSION
from stance.scoring.durable import put_in_place, write_json

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ENDINGS", "TableWriter", "check_writable", "told"]

ENDINGS = (".parquet", ".jsonl", ".csv")
_ROW_GROUP = 50_000
_BATCH = 4096


class _Sink(Protocol):
    def write(self, records: list[dict[str, Any]]) -> None: ...
    def write_table(self, table: pa.Table) -> None: ...
    def close(self) -> None: ...


def told(schema: pa.Schema) -> dict[str, str]:
    """Return what a table's metadata tell beside the contract: the engine, and the aliases that were asked by."""
    metadata = schema.metadata or {}
    keys = ("engine", "aliases")
    return {key: metadata[name].decode() for key in keys if (name := f"stance.{key}".encode()) in metadata}


class TableWriter:
    """Writes records of one schema to a file, under a temporary name until `close`.

    Use it as a context manager: leaving it normally renames the finished file into place, leaving it by an
    exception removes what was written and keeps any older file.

    Parameters
    ----------
    path
        Output file; its ending chooses the format.
    schema
        Arrow schema of the records.
    meta
        Whether JSONL and CSV get their ``<output>.meta.json``.

    Raises
    ------
    UsageError
        If the ending is not one of `ENDINGS`.
    OutputError
        If the file cannot be written.
    """

    def __init__(self, path: str | Path, schema: pa.Schema, *, meta: bool = True) -> None:
        self.path = Path(path)
        self._meta = meta
        self.rows = 0
        self._columns = list(schema.names)
        self._told = told(schema)
        check_writable(path)
        self._partial = _partial_name(self.path)
        try:
            self._sink = _SINKS[self.path.suffix.lower()](self._partial, schema)
        except OSError as error:
            raise OutputError(f"{path}: cannot write: {error.strerror or error}") from error

    def write(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Append records."""
        batch = [dict(record) for record in records]
        try:
            self._sink.write(batch)
        except OSError as error:
            raise OutputError(f"{self.path}: cannot write: {error.strerror or error}") from error
        self.rows += len(batch)

    def write_table(self, table: pa.Table) -> None:
        """Append the rows of an Arrow table of the same columns."""
        try:
            self._sink.write_table(table)
        except OSError as error:
            raise OutputError(f"{self.path}: cannot write: {error.strerror or error}") from error
        self.rows += table.num_rows

    def close(self) -> None:
        """Finish the file, force it to disk and put it in place."""
        try:
            self._sink.close()
            put_in_place(self._partial, self.path)
            if self._meta and self.path.suffix.lower() != ".parquet":
                self._write_meta()
        except OSError as error:
            raise OutputError(f"{self.path}: cannot write: {error.strerror or error}") from error

    def _write_meta(self) -> None:
        meta: dict[str, Any] = {"contract": CONTRACT_VERSION, "columns": self._columns, "rows": self.rows}
        write_json(self.path.with_name(f"{self.path.name}.meta.json"), meta | self._told)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            with suppress(OSError):  # the disk may be full: what matters is the exception under way
                self._sink.close()
            self._partial.unlink(missing_ok=True)


class _Parquet:
    def __init__(self, path: Path, schema: pa.Schema) -> None:
        import pyarrow.parquet as pq

        self._schema = schema
        self._writer = pq.ParquetWriter(path, schema, compression="zstd")
        self._records: list[dict[str, Any]] = []
        self._tables: list[pa.Table] = []
        self._rows = 0

    def write(self, records: list[dict[str, Any]]) -> None:
        self._records += records
        self._rows += len(records)
        if self._rows >= _ROW_GROUP:
            self._flush()

    def write_table(self, table: pa.Table) -> None:
        self._convert()
        self._tables.append(table.replace_schema_metadata(self._schema.metadata))
        self._rows += table.num_rows
        if self._rows >= _ROW_GROUP:
            self._flush()

    def _convert(self) -> None:
        import pyarrow as pa

        if self._records:
            self._tables.append(pa.Table.from_pylist(self._records, schema=self._schema))
            self._records = []

    def _flush(self) -> None:
        import pyarrow as pa

        self._convert()
        if self._tables:
            # one chunk for each column: the bytes then depend on the rows alone, not on how they came
            self._writer.write_table(pa.concat_tables(self._tables).combine_chunks())
        self._tables, self._rows = [], 0

    def close(self) -> None:
        self._flush()
        self._writer.close()


class _Jsonl:
    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._file: IO[str] = path.open("w", encoding="utf-8", newline="\n")

    def write(self, records: list[dict[str, Any]]) -> None:
        for record in records:
            json.dump(record, self._file, ensure_ascii=False)
            self._file.write("\n")

    def write_table(self, table: pa.Table) -> None:
        for batch in table.to_batches(max_chunksize=_BATCH):
            self.write(batch.to_pylist())

    def close(self) -> None:
        self._file.close()


class _Csv:
    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._file: IO[str] = path.open("w", encoding="utf-8", newline="")
        self._writer = csv.DictWriter(self._file, schema.names, lineterminator="\n")
        self._writer.writeheader()

    def write(self, records: list[dict[str, Any]]) -> None:
        self._writer.writerows(records)

    def write_table(self, table: pa.Table) -> None:
        for batch in table.to_batches(max_chunksize=_BATCH):
            self.write(batch.to_pylist())

    def close(self) -> None:
        self._file.close()


_SINKS: dict[str, type[_Parquet] | type[_Jsonl] | type[_Csv]] = {
    ".parquet": _Parquet,
    ".jsonl": _Jsonl,
    ".csv": _Csv,
}


def check_writable(path: str | Path) -> None:
    """Check that a table could be written to `path`, before any work is done.

    Raises
    ------
    UsageError
        If the ending is not one of `ENDINGS`.
    OutputError
        If the folder is missing or cannot be written to, or `path` is a folder.
    """
    target = Path(path)
    if target.suffix.lower() not in ENDINGS:
        raise UsageError(f"{path}: output ends in one of {', '.join(ENDINGS)}")
    if target.is_dir():
        raise OutputError(f"{path}: cannot write: it is a folder")
    partial = _partial_name(target)
    try:
        partial.open("wb").close()
        partial.unlink()
    except OSError as error:
        raise OutputError(f"{path}: cannot write: {error.strerror or error}") from error


def _partial_name(path: Path) -> Path:
    return path.with_name(f".{path.name}.partial")
