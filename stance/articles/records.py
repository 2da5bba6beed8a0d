"""Records (JSONL, CSV, Parquet, Arrow) as dictionaries, with the number each has in its file."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from stance.articles.decoding import UndecodableError, decode, marked_encoding
from stance.articles.notices import Notices

__all__ = [
    "RECORD_ENDINGS",
    "Record",
    "count_records",
    "ending_of",
    "is_dataset",
    "jsonl_records",
    "read_bytes",
    "read_records",
]

Record = tuple[int, dict[str, Any]]
"""Number of the record in its file, counted from 1, and its fields."""
_BATCH = 256
_CHUNK = 1 << 20
_HEAD = 4096


_PACKED = (".gz", ".zst")


def ending_of(path: Path) -> str:
    """Return the file's ending in lower case, without a final ``.gz`` or ``.zst``."""
    name = path.name.lower()
    for packed in _PACKED:
        name = name.removesuffix(packed)
    return Path(name).suffix


def is_dataset(path: Path) -> bool:
    """Tell whether a folder was written by `datasets`' ``save_to_disk``."""
    return (path / "dataset_info.json").is_file() or (path / "dataset_dict.json").is_file()


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes, unpacked if its name ends in ``.gz`` or ``.zst``."""
    with _open(path) as file:
        return file.read()


def _open(path: Path) -> IO[bytes]:
    name = path.name.lower()
    if name.endswith(".gz"):
        return gzip.open(path)  # type: ignore[return-value]
    if name.endswith(".zst"):
        import pyarrow as pa

        return io.BufferedReader(pa.input_stream(str(path), compression="zstd", buffer_size=_CHUNK), _CHUNK)
    return path.open("rb")


def read_records(path: Path, notices: Notices) -> Iterator[Record]:
    """Yield the records of a file or datasets folder; what cannot be read is rejected and the rest goes on."""
    if path.is_dir():
        for part in sorted(path.rglob("*.arrow")):
            yield from _arrow(part, notices)
    else:
        yield from RECORD_ENDINGS[ending_of(path)](path, notices)


def count_records(path: Path) -> int | None:
    """Return how many records a file or datasets folder holds at most, ``None`` if it cannot be read to its end."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        if path.is_dir():
            return sum(_arrow_rows(part) for part in path.rglob("*.arrow"))
        if ending_of(path) == ".parquet":
            return int(pq.read_metadata(path).num_rows)
        with _open(path) as lines:
            count = sum(1 for line in lines if line.strip())
        return max(count - 1, 0) if ending_of(path) in (".csv", ".tsv") else count
    except (pa.ArrowException, OSError, EOFError, zlib.error):
        return None


def _arrow_rows(path: Path) -> int:
    import pyarrow as pa

    with pa.memory_map(str(path)) as source, pa.ipc.open_stream(source) as stream:
        return sum(batch.num_rows for batch in stream)


def jsonl_records(lines: Iterable[bytes], name: str, notices: Notices) -> Iterator[Record]:
    """Yield the objects of a JSONL stream; empty lines are passed over."""
    for number, raw in enumerate(lines, 1):
        if not raw.strip():
            continue
        try:
            text, guessed = decode(raw)
            value = json.loads(text)
        except (UndecodableError, ValueError, RecursionError) as error:
            notices.reject(name, number, "json", f"not a line of JSON: {error}")
            continue
        if guessed:
            notices.warn(name, number, "encoding-guessed", f"not UTF-8, read as {guessed}")
        if isinstance(value, dict):
            yield number, value
        else:
            notices.reject(name, number, "json", f"a JSON object is needed, found {type(value).__name__}")


def _jsonl(path: Path, notices: Notices) -> Iterator[Record]:
    with _open(path) as file:
        head = file.read(_HEAD)
    if marked_encoding(head) == "utf-16":
        yield from _wide_jsonl(path, notices)
    elif b"\0" in head and not head.lstrip().startswith(b"{"):  # one message, not one for each of its lines
        notices.reject(str(path), None, "binary", "holds NUL bytes: not a text file")
    else:
        with _open(path) as lines:
            yield from jsonl_records(lines, str(path), notices)


def _wide_jsonl(path: Path, notices: Notices) -> Iterator[Record]:
    """Yield the objects of JSONL in UTF-16, whose lines do not end where a line of bytes does."""
    with io.TextIOWrapper(_open(path), encoding="utf-16") as text:
        try:
            yield from jsonl_records((line.encode() for line in text), str(path), notices)
        except UnicodeDecodeError as error:
            notices.reject(str(path), None, "json", f"not UTF-16 from here on: {error}")


def _csv(path: Path, notices: Notices) -> Iterator[Record]:
    name = str(path)
    try:
        encoding, guessed = _encoding(path)
    except UndecodableError as error:
        notices.reject(name, None, "binary", str(error))
        return
    if guessed:
        notices.warn(name, None, "encoding-guessed", f"not UTF-8, read as {encoding}")
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    delimiter = "\t" if ending_of(path) == ".tsv" else ","
    with io.TextIOWrapper(_open(path), encoding=encoding) as text:  # which also turns \r\n and \r into \n
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        try:
            header = next(reader, [])
            for number, row in enumerate(reader, 1):
                if not row:
                    continue
                if len(row) != len(header):
                    notices.reject(name, number, "csv-row", f"{len(row)} cells under {len(header)} column names")
                    continue
                yield number, dict(zip(header, row, strict=True))
        except (csv.Error, UnicodeDecodeError) as error:
            notices.reject(name, None, "csv", f"broken from line {reader.line_num} on: {error}")


def _encoding(path: Path) -> tuple[str, bool]:
    """Return a text file's encoding, and whether it was guessed, without holding the file in memory."""
    with _open(path) as file:
        head = file.read(_CHUNK)
    encoding = marked_encoding(head)
    if encoding != "utf-8":
        return encoding, False
    decoder = codecs.getincrementaldecoder("utf-8")()
    valid = True
    with _open(path) as file:
        while chunk := file.read(_CHUNK):
            if b"\0" in chunk:
                raise UndecodableError("holds NUL bytes: not a text file")
            if valid:
                try:
                    decoder.decode(chunk)
                except UnicodeDecodeError:
                    valid, head = False, chunk  # the part that is not UTF-8 tells most about what it is
    if valid:
        return encoding, False
    _, guessed = decode(head)
    return guessed or "cp1252", True


def _parquet(path: Path, notices: Notices) -> Iterator[Record]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        notices.reject(str(path), None, "parquet", f"not a readable Parquet file: {error}")
        return
    with file:
        start = 1
        for group in range(file.num_row_groups):
            number, rows = start, file.metadata.row_group(group).num_rows
            start += rows
            try:
                for batch in file.iter_batches(batch_size=_BATCH, row_groups=[group]):
                    for record in batch.to_pylist():
                        yield number, record
                        number += 1
            except (pa.ArrowException, OSError) as error:
                message = f"row group {group} is damaged, records {number} to {start - 1} are lost: {error}"
                notices.reject(str(path), number, "parquet", message)


def _arrow(path: Path, notices: Notices) -> Iterator[Record]:
    import pyarrow as pa

    number = 1
    try:
        with pa.memory_map(str(path)) as source, pa.ipc.open_stream(source) as stream:
            for batch in stream:
                for record in batch.to_pylist():
                    yield number, record
                    number += 1
    except (pa.ArrowException, OSError) as error:
        notices.reject(str(path), number, "arrow", f"not a readable Arrow stream from here on: {error}")


RECORD_ENDINGS: dict[str, Callable[[Path, Notices], Iterator[Record]]] = {
    ".jsonl": _jsonl,
    ".ndjson": _jsonl,
    ".csv": _csv,
    ".tsv": _csv,
    ".parquet": _parquet,
}
"""Readers of record files by ending."""
