"""Paired comparison of two systems on the same items."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["bootstrap_p", "mcnemar"]


def mcnemar(wins: int, losses: int) -> float:
    """Return the exact two-sided p-value of McNemar's test (McNemar 1947, Psychometrika 12).

    Items count as independent here: where they share articles, `bootstrap_p` over whole articles is the stricter.

    Parameters
    ----------
    wins, losses
        Items that only the first, only the second system got right.
    """
    from scipy.stats import binomtest

    return float(binomtest(wins, wins + losses, 0.5).pvalue) if wins + losses else 1.0


def bootstrap_p(differences: NDArray[np.float64]) -> float:
    """Return the two-sided p-value that a difference is 0 from its bootstrap draws, shape ``(resamples,)``.

    Twice the smaller tail at 0, with one draw added to each side (Davison & Hinkley 1997, section 4.2).
    """
    drawn = differences[~np.isnan(differences)]
    if not len(drawn):
        return float("nan")
    tail = min(int((drawn <= 0).sum()), int((drawn >= 0).sum()))
    return min(1.0, 2 * (tail + 1) / (len(drawn) + 1))
