"""Rows of the stance table, and their way into pandas, Arrow and datasets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, overload

from stance.errors import MissingExtraError
from stance.schema import LABELS, StanceRow, rows_schema

if TYPE_CHECKING:
    import datasets
    import pandas as pd
    import pyarrow as pa

__all__ = ["StanceRows"]


class StanceRows(Sequence[StanceRow]):
    """An immutable sequence of `StanceRow`.

    Parameters
    ----------
    rows
        The rows, all of one label set.
    labels
        The label set, for the columns of an empty table.
    """

    def __init__(self, rows: Iterable[StanceRow] = (), labels: Sequence[str] = LABELS) -> None:
        self._rows = tuple(rows)
        self.labels = tuple(self._rows[0].probabilities) if self._rows else tuple(labels)

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> StanceRow: ...
    @overload
    def __getitem__(self, index: slice) -> StanceRows: ...
    def __getitem__(self, index: int | slice) -> StanceRow | StanceRows:
        if isinstance(index, slice):
            return StanceRows(self._rows[index], self.labels)
        return self._rows[index]

    def __repr__(self) -> str:
        return f"StanceRows({len(self)} rows, labels={self.labels})"

    def to_arrow(self) -> pa.Table:
        """Return an Arrow table with the schema of the row contract."""
        import pyarrow as pa

        return pa.Table.from_pylist([row.to_dict() for row in self], schema=rows_schema(self.labels))

    def to_pandas(self) -> pd.DataFrame:
        """Return a data frame; needs the extra ``pandas``.

        Raises
        ------
        MissingExtraError
            If `pandas` is not installed.
        """
        try:
            import pandas as pd  # noqa: F401
        except ImportError as error:
            raise MissingExtraError("to_pandas()", "pandas") from error
        return self.to_arrow().to_pandas()

    def to_dataset(self) -> datasets.Dataset:
        """Return a `datasets.Dataset`; needs the extra ``datasets``.

        Raises
        ------
        MissingExtraError
            If `datasets` is not installed.
        """
        try:
            import datasets
        except ImportError as error:
            raise MissingExtraError("to_dataset()", "datasets") from error
        return datasets.Dataset(self.to_arrow())
