"""Intervals of a share of independent trials."""

from __future__ import annotations

from math import nan, sqrt

__all__ = ["upper_share", "wilson"]

_Z = 1.959963984540054  # of a level of 95 %


def wilson(hits: int, trials: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share (Wilson 1927, J. Am. Stat. Assoc. 22), ``nan`` without trials."""
    if not trials:
        return nan, nan
    share, z2 = hits / trials, _Z**2
    middle = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = _Z * sqrt(share * (1 - share) / trials + z2 / (4 * trials**2)) / (1 + z2 / trials)
    return max(0.0, middle - half) if hits else 0.0, min(1.0, middle + half) if hits < trials else 1.0


def upper_share(hits: int, trials: int, level: float = 0.95) -> float:
    """Return the exact one-sided upper bound of a share (Clopper & Pearson 1934, Biometrika 26), 1 without trials."""
    from scipy.stats import beta

    return float(beta.ppf(level, hits + 1, trials - hits)) if hits < trials else 1.0
