"""p-values corrected for the number of comparisons."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["benjamini_hochberg", "holm"]


def holm(p: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return p-values adjusted so that any false finding at all has at most the stated chance.

    Holm 1979, "A simple sequentially rejective multiple test procedure", Scand. J. Statist. 6(2). Valid whatever the
    dependence between the comparisons. NaN (no test) stays NaN and is not counted.
    """
    return _stepped(p, lambda ordered, n: np.maximum.accumulate(ordered * np.arange(n, 0, -1)))


def benjamini_hochberg(p: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return p-values adjusted so that the expected share of false findings among the findings is bounded.

    Benjamini & Hochberg 1995, J. R. Statist. Soc. B 57(1). NaN (no test) stays NaN and is not counted.
    """
    return _stepped(p, lambda ordered, n: np.minimum.accumulate((ordered * n / np.arange(1, n + 1))[::-1])[::-1])


def _stepped(
    p: NDArray[np.floating], step: Callable[[NDArray[np.float64], int], NDArray[np.float64]]
) -> NDArray[np.float64]:
    values: NDArray[np.float64] = np.asarray(p, dtype=np.float64)
    adjusted = np.full(values.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(values))
    if len(tested):
        order = tested[np.argsort(values[tested], kind="stable")]
        adjusted[order] = np.minimum(step(values[order], len(order)), 1.0)
    return adjusted
