"""64-bit hashes of Arrow text columns, whole columns at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["hashed", "mixed"]

_PRIME = np.uint64(0x100000001B3)
_BASIS = np.uint64(0xCBF29CE484222325)


def hashed(column: pa.Array) -> NDArray[np.uint64]:
    """Return the FNV-1a hash of each text (Fowler, Noll & Vo), mixed; a null has the hash of the empty text.

    Of 10 million different texts two share a hash with a chance under 10⁻⁵.

    Parameters
    ----------
    column
        Array of strings, shape ``(n,)``.

    Returns
    -------
    array of shape (n,)
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if not len(column):
        return np.empty(0, dtype=np.uint64)
    values = pc.fill_null(column.cast(pa.large_string()), "")
    _, offsets_buffer, data_buffer = values.buffers()
    offsets = np.frombuffer(offsets_buffer, dtype=np.int64)[values.offset : values.offset + len(values) + 1]
    data = np.frombuffer(data_buffer or b"", dtype=np.uint8)
    lengths = np.diff(offsets)
    result = np.full(len(values), _BASIS)
    if not lengths.any():
        return mixed(result)
    with np.errstate(over="ignore"):
        for i in range(int(lengths.max())):
            longer = lengths > i
            if longer.all():
                result = (result ^ data[offsets[:-1] + i]) * _PRIME
            else:
                at = offsets[:-1][longer] + i
                result[longer] = (result[longer] ^ data[at]) * _PRIME
    return mixed(result)


def mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the values with their bits spread (the finaliser of SplitMix64, Steele et al. 2014)."""
    with np.errstate(over="ignore"):
        x = values.astype(np.uint64)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray(x ^ (x >> np.uint64(31)))
