"""Class shares corrected for a classifier's known errors, with the uncertainty of the correction.

A classifier that answers label *j* for a share ``A[i, j]`` of the items whose true label is *i* turns true shares
``π`` into expected answers ``p = π A``. The matrix method solves that for ``π = p A⁻¹`` (Buonaccorsi 2010,
"Measurement Error", ch. 2; Hopkins & King 2010, Am. J. Polit. Sci. 54(1)). Unlike the shares of the true label given
the answer, ``A`` does not depend on how common the labels are, so it carries over to an outlet that takes other sides
than the validation data; it does assume that errors within a true label are alike in both.

``A`` itself is only known from a validation sample. Each of its rows is drawn from its Dirichlet posterior. The rows
of several targets may borrow from one another: a target's row has a Dirichlet prior centred on the row of all targets
together, whose weight is not fixed but drawn from its own posterior under the Dirichlet-multinomial likelihood
(Minka 2000, "Estimating a Dirichlet distribution"), so that targets that differ are left to differ.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

__all__ = ["ErrorRates", "corrected_counts", "draw_error_rates"]

_WEIGHTS = np.geomspace(0.5, 500, 40)
"""Weights of the common row that are considered, in validation items."""
_FLAT = 0.5
"""Jeffreys' prior count of each answer in the common row."""


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """Shares of answers given the true label.

    Parameters
    ----------
    mean
        Posterior means, shape ``(targets, k, k)``; rows are true labels and sum to 1.
    draws
        Posterior draws, shape ``(targets, draws, k, k)``.
    """

    mean: NDArray[np.float64]
    draws: NDArray[np.float64]


def draw_error_rates(counts: NDArray[np.floating], *, draws: int, rng: np.random.Generator) -> ErrorRates:
    """Draw classifiers' error rates from validation counts.

    Parameters
    ----------
    counts
        Validation items by target, true label and answer, shape ``(targets, k, k)``. Counts may be fractions: items of
        one document are alike, so counts are divided by their design effect (Kish 1965, "Survey Sampling").
    draws
        Number of draws.
    rng
        Source of the draws.

    Raises
    ------
    ValueError
        If the shape is not ``(targets, k, k)`` or a count is negative.
    """
    counts = np.asarray(counts, dtype=np.float64)
    if counts.ndim != 3 or counts.shape[1] != counts.shape[2] or (counts < 0).any():
        raise ValueError(f"counts must be non-negative of shape (targets, k, k), found shape {counts.shape}")
    targets, k, _ = counts.shape
    mean, drawn = np.empty((targets, k, k)), np.empty((targets, draws, k, k))
    for label in range(k):
        rows: NDArray[np.float64] = np.asarray(counts[:, label], dtype=np.float64)
        grid = _WEIGHTS if targets > 1 else np.array([_FLAT * k])
        common = _common(rows, grid) if targets > 1 else rows + _FLAT  # (grid, k)
        center = common / common.sum(axis=1, keepdims=True)
        weights = _weight_posterior(rows, grid, center)
        posterior = rows[:, None, :] + center * grid[:, None]  # (targets, grid, k)
        mean[:, label] = (posterior / posterior.sum(-1, keepdims=True) * weights[:, None]).sum(axis=1)
        chosen = rng.choice(len(grid), size=draws, p=weights)
        drawn_center = rng.standard_gamma(common[chosen])
        extra = drawn_center / drawn_center.sum(axis=1, keepdims=True) * grid[chosen][:, None]
        for target in range(targets):
            gamma = rng.standard_gamma(np.maximum(rows[target] + extra, 1e-3))
            drawn[target, :, label] = gamma / gamma.sum(axis=1, keepdims=True)
    return ErrorRates(mean, drawn)


def _common(rows: NDArray[np.float64], grid: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return, for each weight, the counts that all targets' items are worth for the common row; shape ``(grid, k)``.

    The `n` items of a target share its own rates, so their variance around the common row is ``(n + w) / (1 + w)``
    times that of independent items under the Dirichlet-multinomial of weight ``w``; counts are divided by that.
    """
    total = rows.sum(axis=1)  # (targets,)
    share = (1 + grid[:, None]) / (np.maximum(total, 1) + grid[:, None])  # (grid, targets)
    return np.asarray(share @ rows + _FLAT)


def _weight_posterior(
    rows: NDArray[np.float64], grid: NDArray[np.float64], center: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the posterior of the weights on the grid, flat in their logarithm; shape ``(grid,)``."""
    prior = grid[:, None] * center  # (grid, k)
    total = rows.sum(axis=1)  # (targets,)
    log = (gammaln(grid)[:, None] - gammaln(grid[:, None] + total)).sum(axis=1)
    log += (gammaln(prior[:, None, :] + rows) - gammaln(prior)[:, None, :]).sum(axis=(1, 2))
    weight = np.exp(log - log.max())
    return np.asarray(weight / weight.sum())


def corrected_counts(counts: NDArray[np.floating], rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the counts of true labels that would give these counts of answers: ``counts A⁻¹``.

    The result adds up to what went in; a count may come out negative when the answers are fewer than the errors
    alone would give.

    Parameters
    ----------
    counts
        Counts of answers, shape ``(…, k)``.
    rates
        Error rates, shape ``(…, k, k)``, broadcast against `counts`.
    """
    inverse = np.linalg.pinv(rates)
    return np.asarray((np.asarray(counts, dtype=np.float64)[..., None, :] @ inverse)[..., 0, :])
