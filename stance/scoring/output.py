"""Where the rows of a run go: one file, or a folder partitioned by outlet and month."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from stance.errors import OutputError, UsageError
from stance.schema import CONTRACT_VERSION
from stance.scoring.durable import sync_folder, write_json
from stance.scoring.writing import ENDINGS, TableWriter, check_writable, told

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["PARTITIONS", "Output"]

PARTITIONS = ("outlet", "month")
"""What an output can be partitioned by."""
_UNKNOWN = "__HIVE_DEFAULT_PARTITION__"  # the name that Hive, Spark and Arrow give to "no value"
_HELD_ROWS = 100_000
_MARK = "_stance.json"  # files that begin with an underscore are passed over by the readers of partitioned folders


@dataclass(frozen=True, slots=True)
class Output:
    """Where rows go.

    Parameters
    ----------
    path
        A file that ends in one of `ENDINGS`; with `partition` a folder.
    partition
        Names among `PARTITIONS`, outer first; the folders are named as Hive names them
        (``outlet=Harbor Ledger/month=2024-05/part-00000.parquet``). Empty for one file.
    ending
        Format of the files of a partitioned output.
    """

    path: Path
    partition: tuple[str, ...] = ()
    ending: str = ".parquet"

    @property
    def work(self) -> Path:
        """Folder that the finished parts of an unfinished run are kept in."""
        return self.path.with_name(f".{self.path.name}.run")

    def check(self) -> None:
        """Check that the output could be written, before any work is done.

        Raises
        ------
        UsageError
            If the ending or a partition is unknown.
        OutputError
            If it cannot be written there, or the folder holds what this package did not write.
        """
        if not self.partition:
            check_writable(self.path)
            return
        unknown = [name for name in self.partition if name not in PARTITIONS]
        if unknown or len(set(self.partition)) < len(self.partition):
            raise UsageError(f"--partition-by: give {' and '.join(PARTITIONS)}, or one of them")
        if self.ending not in ENDINGS:
            raise UsageError(f"--format: one of {', '.join(e[1:] for e in ENDINGS)}")
        if self.path.suffix.lower() in ENDINGS:
            raise UsageError(f"{self.path}: with --partition-by the output is a folder, not a {self.path.suffix} file")
        if self.path.exists() and not (self.path / _MARK).is_file():
            raise OutputError(f"{self.path}: is there already and was not written by stance; name another folder")
        check_writable(self.path.with_name(f"{self.path.name}.parquet"))

    def write(self, tables: Iterable[pa.Table], schema: pa.Schema) -> int:
        """Write the tables in their order, and put the output in place when it is whole; returns the rows."""
        if not self.partition:
            with TableWriter(self.path, schema) as writer:
                for table in tables:
                    writer.write_table(table)
            return writer.rows
        partial = self.path.with_name(f".{self.path.name}.partial")
        try:
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            rows = _Partitioned(partial, self, schema).write(tables)
            meta: dict[str, Any] = {"contract": CONTRACT_VERSION, "columns": schema.names, "rows": rows}
            write_json(partial / _MARK, {**meta, "partition": list(self.partition), **told(schema)})
            _replace_folder(partial, self.path)
        except OSError as error:
            shutil.rmtree(partial, ignore_errors=True)
            raise OutputError(f"{self.path}: cannot write: {error.strerror or error}") from error
        return rows


class _Partitioned:
    """Holds rows until there are many, then appends a file to each partition: few open files, flat memory."""

    def __init__(self, root: Path, output: Output, schema: pa.Schema) -> None:
        self._root, self._output, self._schema = root, output, schema
        self._held: dict[tuple[str, ...], list[pa.Table]] = {}
        self._files: dict[tuple[str, ...], int] = {}
        self._rows = 0

    def write(self, tables: Iterable[pa.Table]) -> int:
        total = 0
        for table in tables:
            for names, rows in _split(table, self._output.partition):
                self._held.setdefault(names, []).append(rows)
            self._rows += table.num_rows
            total += table.num_rows
            if self._rows >= _HELD_ROWS:
                self._flush()
        self._flush()
        return total

    def _flush(self) -> None:
        for names, tables in sorted(self._held.items()):
            folder = self._root.joinpath(*names)
            folder.mkdir(parents=True, exist_ok=True)
            number = self._files.get(names, 0)
            self._files[names] = number + 1
            with ExitStack() as stack:
                name = folder / f"part-{number:05d}{self._output.ending}"
                writer = stack.enter_context(TableWriter(name, self._schema, meta=False))
                for rows in tables:
                    writer.write_table(rows)
        self._held, self._rows = {}, 0


def _split(table: pa.Table, partition: Sequence[str]) -> Iterable[tuple[tuple[str, ...], pa.Table]]:
    """Return the rows of each partition, in order."""
    import pyarrow as pa

    outlets, dates = table.column("outlet").to_pylist(), table.column("published").to_pylist()
    of_row: dict[str, list[str | None]] = {"outlet": outlets, "month": [_month(d) for d in dates]}
    keys = zip(*(of_row[name] for name in partition), strict=True)
    rows: dict[tuple[str | None, ...], list[int]] = {}
    for number, key in enumerate(keys):
        rows.setdefault(key, []).append(number)
    for key, numbers in rows.items():
        names = tuple(f"{name}={_folder(value)}" for name, value in zip(partition, key, strict=True))
        yield names, table.take(pa.array(numbers))


def _month(published: str | None) -> str | None:
    return published[:7] if published else None


def _folder(value: str | None) -> str:
    """Return a value as the name of a folder, percent-encoded as the readers of such folders decode it."""
    return quote(value, safe=" ,;()'&+@!").replace(".", "%2E") if value else _UNKNOWN


def _replace_folder(partial: Path, path: Path) -> None:
    old = path.with_name(f".{path.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if path.exists():
        os.rename(path, old)
    os.rename(partial, path)
    sync_folder(path.parent)
    shutil.rmtree(old, ignore_errors=True)
