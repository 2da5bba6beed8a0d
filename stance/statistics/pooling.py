"""Partial pooling of several groups' estimates: the normal hierarchical model.

Gelman et al. 2013, "Bayesian Data Analysis", 3rd ed., section 5.4: ``y_i ~ N(θ_i, v_i)``, ``θ_i ~ N(μ, τ²)``, flat
priors on ``μ`` and on ``τ`` (Gelman 2006, Bayesian Analysis 1(3)). ``τ`` is drawn from its posterior on a grid rather
than fixed at an estimate, so that intervals do not shrink to nothing where the groups look alike by chance.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["FEWEST_GROUPS", "pooled_draws"]

FEWEST_GROUPS = 3
"""Fewer groups say too little about how groups differ."""
_GRID = 60


def pooled_draws(
    estimates: NDArray[np.float64], variances: NDArray[np.float64], *, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw the groups' true values from their posterior.

    Parameters
    ----------
    estimates
        Estimate of each group under each draw of what all groups share (such as a classifier's error rates), shape
        ``(draws, groups)``; pass equal rows where nothing is shared.
    variances
        Sampling variance of each group's estimate, shape ``(groups,)``, all above 0.
    rng
        Source of the draws.

    Returns
    -------
    array of shape (draws, groups)

    Raises
    ------
    ValueError
        If there are fewer than `FEWEST_GROUPS` groups or a variance is not above 0.
    """
    y, v = np.asarray(estimates, dtype=np.float64), np.asarray(variances, dtype=np.float64)
    draws, groups = y.shape
    if groups < FEWEST_GROUPS:
        raise ValueError(f"partial pooling needs at least {FEWEST_GROUPS} groups, found {groups}")
    if not (v > 0).all():
        raise ValueError("every variance must be above 0")
    center = np.median(y, axis=0)
    scale = max(float(np.ptp(center)), float(np.sqrt(v.min())))
    grid = np.linspace(1e-3, 3, _GRID) * scale  # τ
    precision = 1 / (v + grid[:, None] ** 2)  # (grid, groups)
    mean_precision = precision.sum(axis=1)
    mean = (precision @ center) / mean_precision
    log = 0.5 * (np.log(precision).sum(axis=1) - np.log(mean_precision))
    log -= 0.5 * (precision * (center - mean[:, None]) ** 2).sum(axis=1)
    weight = np.exp(log - log.max())
    chosen = rng.choice(_GRID, size=draws, p=weight / weight.sum())
    p = precision[chosen]
    mu = (p * y).sum(axis=1) / p.sum(axis=1) + rng.standard_normal(draws) / np.sqrt(p.sum(axis=1))
    tau2 = grid[chosen][:, None] ** 2
    shrunk = (y * tau2 + mu[:, None] * v) / (tau2 + v)
    spread = np.sqrt(tau2 * v / (tau2 + v))
    return np.asarray(shrunk + spread * rng.standard_normal((draws, groups)))
