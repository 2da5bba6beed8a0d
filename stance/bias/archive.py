"""All rows of an archive as columns of small numbers: what every measure is counted from.

A row takes about 40 bytes here, so that ten million fit in half a gigabyte; texts stay in their files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stance.bias.hashing import hashed, mixed
from stance.bias.rows import RowSource
from stance.bias.verbs import GROUPS, verb_group
from stance.errors import RowError
from stance.schema import LABELS

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["EPOCH", "NO_COUNTRY", "NO_DATE", "NO_OUTLET", "NO_SPEAKER", "Archive", "read_archive"]

NO_OUTLET, NO_COUNTRY, NO_SPEAKER = "(no outlet)", "(not known)", "(not named)"
NO_DATE = -(2**31)
_COLUMNS = (
    *("article_id", "statement_id", "outlet", "published", "quote_type", "cue", "speaker", "speaker_country"),
    *("target", "label", "abstained", "truncated", "model"),
)
_SHOWN = 20  # bad rows of one kind and file that are named one by one
EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class Archive:
    """Coded columns of equal length, one entry per row, and the names the codes stand for.

    Parameters
    ----------
    columns
        ``article``, ``outlet``, ``target``, ``label``, ``country``, ``speaker``, ``verb`` (−1: no cue), ``day``
        (days since 1970-01-01 or `NO_DATE`), ``own`` (the outlet's own voice), ``first`` (first row of its statement),
        ``position`` (place among all rows of the source, from 0).
    names
        Names of the codes of ``article``, ``outlet``, ``target``, ``country`` and ``speaker``.
    notes
        What was left out or is missing, as sentences for the reader.
    models
        Rows by ``model``.
    abstained, truncated
        Rows so marked.
    """

    columns: Mapping[str, NDArray[Any]]
    names: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...] = ()
    models: Mapping[str, int] = field(default_factory=dict)
    abstained: int = 0
    truncated: int = 0

    def __len__(self) -> int:
        return len(self.columns["article"])

    def __getitem__(self, column: str) -> NDArray[Any]:
        return self.columns[column]

    def where(self, keep: NDArray[np.bool_]) -> Archive:
        """Return the archive of the rows that are kept; codes keep their meaning."""
        return replace(self, columns={name: values[keep] for name, values in self.columns.items()})

    def with_outlets(self, outlets: NDArray[np.int32], names: Sequence[str]) -> Archive:
        """Return the archive with other outlets."""
        return replace(self, columns={**self.columns, "outlet": outlets}, names={**self.names, "outlet": tuple(names)})

    @property
    def articles(self) -> int:
        """Number of different articles."""
        return len(np.unique(self["article"]))


class _Codes:
    """Numbers names in the order they come."""

    def __init__(self, missing: str | None = None) -> None:
        self.missing = missing
        self.known: dict[str, int] = {}

    def of(self, column: pa.Array) -> NDArray[np.int32]:
        import pyarrow.compute as pc

        coded = pc.dictionary_encode(column)
        values = [str(v) for v in coded.dictionary.to_pylist()]
        codes = [self._code(value) for value in values]
        if column.null_count:
            codes.append(self._code(""))
        place = pc.fill_null(coded.indices, len(values)).to_numpy(zero_copy_only=False)
        return np.asarray(np.array(codes, dtype=np.int32)[place]) if len(place) else np.empty(0, dtype=np.int32)

    def _code(self, value: str) -> int:
        if not value.strip():
            if self.missing is None:
                return -1
            value = self.missing
        return self.known.setdefault(value, len(self.known))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.known)


class _Reader:
    def __init__(self, source: RowSource) -> None:
        self.source = source
        self.codes = {
            "article": _Codes(),
            "outlet": _Codes(NO_OUTLET),
            "target": _Codes(),
            "country": _Codes(NO_COUNTRY),
            "speaker": _Codes(NO_SPEAKER),
        }
        self.parts: dict[str, list[NDArray[Any]]] = {}
        self.models: Counter[str] = Counter()
        self.abstained = self.truncated = self.position = 0
        self.bad: Counter[tuple[str, str]] = Counter()
        self.bad_dates = 0
        self._days: dict[str, int] = {}
        self._verbs: dict[str, int] = {}

    def add(self, file: str, numbers: NDArray[np.int64], batch: pa.RecordBatch) -> None:
        column = {name: batch.column(name) for name in _COLUMNS}
        found: dict[str, NDArray[Any]] = {
            "article": self.codes["article"].of(column["article_id"]),
            "target": self.codes["target"].of(column["target"]),
            "label": _labels(column["label"]),
            "outlet": self.codes["outlet"].of(column["outlet"]),
            "country": self.codes["country"].of(column["speaker_country"]),
            "speaker": self.codes["speaker"].of(column["speaker"]),
            "verb": self._mapped(column["cue"], self._verb).astype(np.int8),
            "day": self._mapped(column["published"], self._day),
            "own": _empty(column["quote_type"]) & _empty(column["speaker"]),
            "position": np.arange(self.position, self.position + batch.num_rows),
            "abstained": _true(column["abstained"]),
            "truncated": _true(column["truncated"]),
        }
        article = hashed(column["article_id"]) + mixed(found["outlet"].astype(np.uint64))
        found["statement"] = hashed(column["statement_id"]) ^ mixed(article)
        self.position += batch.num_rows
        keep = self._checked(file, numbers, column, found)
        for name, count in zip(*_counted(column["model"]), strict=True):
            self.models[name] += count
        for name, values in found.items():
            self.parts.setdefault(name, []).append(values if keep.all() else values[keep])

    def _checked(
        self, file: str, numbers: NDArray[np.int64], column: Mapping[str, pa.Array], found: Mapping[str, NDArray[Any]]
    ) -> NDArray[np.bool_]:
        rules = {
            "missing-article": (found["article"] < 0, "needs an article_id: intervals are drawn by article"),
            "missing-statement-id": (_empty(column["statement_id"]), "needs a statement_id"),
            "missing-target": (found["target"] < 0, "needs a target"),
            "label": (found["label"] < 0, f"label is none of {', '.join(LABELS)}"),
        }
        keep = np.ones(len(numbers), dtype=bool)
        for rule, (broken, message) in rules.items():
            for i in np.flatnonzero(broken & keep):
                self.bad[file, rule] += 1
                if self.bad[file, rule] <= _SHOWN:
                    shown = f", found {column['label'][i]}" if rule == "label" else ""
                    self.source.notices.reject(file, int(numbers[i]), rule, message + shown)
            keep &= ~broken
        return keep

    def _mapped(self, column: pa.Array, code: Any) -> NDArray[np.int32]:
        import pyarrow.compute as pc

        coded = pc.dictionary_encode(column)
        codes = [code(v) for v in coded.dictionary.to_pylist()] + [code("")]
        place = pc.fill_null(coded.indices, len(codes) - 1).to_numpy(zero_copy_only=False)
        return np.asarray(np.array(codes, dtype=np.int32)[place])

    def _verb(self, cue: str) -> int:
        if cue not in self._verbs:
            group = verb_group(cue)
            self._verbs[cue] = -1 if group is None else GROUPS.index(group)
        return self._verbs[cue]

    def _day(self, published: str) -> int:
        if published not in self._days:
            try:
                self._days[published] = date.fromisoformat(published.strip()[:10]).toordinal() - EPOCH
            except ValueError:
                self.bad_dates += bool(published.strip())
                self._days[published] = NO_DATE
        return self._days[published]

    def archive(self) -> Archive:
        for (file, rule), count in self.bad.items():
            if count > _SHOWN:
                message = f"{count - _SHOWN} more rows break this rule and are left out"
                self.source.notices.reject(file, None, rule, message)
        if not self.parts:
            raise RowError("no stance rows in the input", rule="no-rows")
        columns: dict[str, NDArray[Any]] = {}
        for name in list(self.parts):
            columns[name] = np.concatenate(self.parts.pop(name))
        if not len(columns["article"]):
            raise RowError("no usable stance row in the input", rule="no-rows")
        columns, repeated = _without_repeats(columns)
        names = {name: codes.names for name, codes in self.codes.items()}
        notes = list(_notes(columns, names["outlet"], repeated, self.bad_dates))
        names["article"], shared = _articles_of_outlets(columns, names["article"])
        if shared:
            notes.append(f"{_many(shared, 'article id')} of more than one outlet count as different articles.")
        if rejected := sum(self.bad.values()):
            notes.append(f"{_many(rejected, 'row')} broke a rule of the row contract and are left out.")
        abstained, truncated = int(columns.pop("abstained").sum()), int(columns.pop("truncated").sum())
        return Archive(columns, names, tuple(notes), dict(self.models), abstained, truncated)


def read_archive(source: RowSource) -> Archive:
    """Read all rows of a source.

    Raises
    ------
    RowError
        If a file holds no stance rows, or nothing usable is left.
    """
    reader = _Reader(source)
    for file, numbers, batch in source.batches(_COLUMNS):
        reader.add(file, numbers, batch)
    return reader.archive()


def _labels(column: pa.Array) -> NDArray[np.int8]:
    import pyarrow as pa
    import pyarrow.compute as pc

    place = pc.fill_null(pc.index_in(column, value_set=pa.array(LABELS)), -1)
    return np.asarray(place.to_numpy(zero_copy_only=False).astype(np.int8))


def _empty(column: pa.Array) -> NDArray[np.bool_]:
    import pyarrow.compute as pc

    blank = pc.equal(pc.fill_null(column, ""), "")
    return np.asarray(blank.to_numpy(zero_copy_only=False))


def _true(column: pa.Array) -> NDArray[np.bool_]:
    import pyarrow.compute as pc

    return np.asarray(pc.fill_null(column, False).to_numpy(zero_copy_only=False))


def _counted(column: pa.Array) -> tuple[list[str], list[int]]:
    import pyarrow.compute as pc

    counts = pc.value_counts(pc.fill_null(column, ""))
    return counts.field("values").to_pylist(), counts.field("counts").to_pylist()


def _without_repeats(columns: dict[str, NDArray[Any]]) -> tuple[dict[str, NDArray[Any]], int]:
    """Drop rows whose statement and target came before, and mark the first row of each statement."""
    statement = columns.pop("statement")
    key = mixed(statement + columns["target"].astype(np.uint64))
    order = np.argsort(key, kind="stable")
    again = np.zeros(len(key), dtype=bool)
    again[order[1:]] = key[order[1:]] == key[order[:-1]]
    repeated = int(again.sum())
    if repeated:
        columns = {name: values[~again] for name, values in columns.items()}
        statement = statement[~again]
    order = np.argsort(statement, kind="stable")
    first = np.zeros(len(statement), dtype=bool)
    first[order] = np.concatenate([[True], statement[order[1:]] != statement[order[:-1]]])
    return {**columns, "first": first}, repeated


def _articles_of_outlets(columns: dict[str, NDArray[Any]], names: tuple[str, ...]) -> tuple[tuple[str, ...], int]:
    """Give an id that several outlets use a code for each of them; return the names and how many such ids there are."""
    article, outlet = columns["article"].astype(np.int64), columns["outlet"].astype(np.int64)
    home = np.full(len(names), -1)
    home[article] = outlet
    if (home[article] == outlet).all():
        return names, 0
    pairs, place = np.unique(article * (outlet.max() + 1) + outlet, return_inverse=True)
    columns["article"] = place.astype(np.int32)
    ids = pairs // (outlet.max() + 1)
    return tuple(names[i] for i in ids), int((np.unique(ids, return_counts=True)[1] > 1).sum())


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _notes(columns: Mapping[str, NDArray[Any]], outlets: Sequence[str], repeated: int, bad_dates: int) -> Iterable[str]:
    rows = len(columns["article"])
    if repeated:
        yield f"{_many(repeated, 'row')} repeat a statement and target that came before and are counted once."
    if NO_OUTLET in outlets:
        count = int((columns["outlet"] == outlets.index(NO_OUTLET)).sum())
        yield f"{_many(count, 'row')} of {rows:,} name no outlet; they stand under “{NO_OUTLET}”."
    if undated := int((columns["day"] == NO_DATE).sum()):
        yield f"{_many(undated, 'row')} of {rows:,} have no date; they are in no timeline and no same-day comparison."
    if bad_dates:
        yield f"{_many(bad_dates, 'date')} could not be read as ISO 8601 and count as missing."
