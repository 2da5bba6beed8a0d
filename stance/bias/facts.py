"""What the page's filters count from: sums and second moments of articles, which add up over dates and outlets.

With ``x`` the counts of an article's answers, the sum of ``x`` and of ``x xᵀ`` over any articles give their total and
its clustered covariance, so the page can estimate any choice of dates and speaker country without the rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.bias.archive import NO_DATE, Archive
from stance.bias.cells import Estimator
from stance.bias.confusion import ErrorCounts
from stance.bias.periods import choose_periods

__all__ = ["facts"]

_COUNTRIES = 12
_RATE_DRAWS = 200
_UPPER = np.triu_indices(4)
_MOST_CELLS = 60_000


def facts(archive: Archive, estimator: Estimator, errors: ErrorCounts | None, outlets: list[int]) -> dict[str, Any]:
    """Return the filters' cells and the inverse error rates.

    Parameters
    ----------
    archive
        The rows.
    estimator
        Its draws of the error rates are thinned for the page.
    errors
        For the warnings about weak classes.
    outlets
        Codes of the outlets the page shows.
    """
    quoted = archive.where(~archive["own"] & np.isin(archive["outlet"], outlets))
    targets = [int(t) for t in np.unique(archive["target"])]
    rows = np.bincount(quoted["country"], minlength=len(archive.names["country"]))
    countries = [int(c) for c in np.argsort(-rows, kind="stable")[:_COUNTRIES] if rows[c]]
    periods = choose_periods(archive["day"])
    if len(outlets) * len(targets) * (len(countries) + 1) * 24 > _MOST_CELLS:
        countries = countries[: max(0, _MOST_CELLS // (len(outlets) * len(targets) * 24) - 1)]
    day = quoted["day"]
    period = np.where(day == NO_DATE, -1, periods.of(np.where(day == NO_DATE, 0, day)))
    found: list[list[float]] = []
    for code, country in [(-1, None), *((i, c) for i, c in enumerate(countries))]:
        mine = np.ones(len(quoted), dtype=bool) if country is None else quoted["country"] == country
        found += _cells(quoted.where(mine), period[mine], code, outlets, targets)
    known = sorted({int(p) for p in np.unique(period) if p >= 0}) if (period >= 0).any() else []
    names = archive.names["target"]
    return {
        "outlets": [archive.names["outlet"][o] for o in outlets],
        "targets": [names[t] for t in targets],
        "countries": [archive.names["country"][c] for c in countries],
        "periods": [[p, periods.label(p)] for p in _between(known)],
        "unit": periods.unit,
        "cells": found,
        "inverse": {names[t]: _inverses(estimator, t) for t in targets},
        "weak": {names[t]: _weak(errors, names[t]) for t in targets},
    }


def _between(periods: list[int]) -> list[int]:
    return list(range(periods[0], periods[-1] + 1)) if periods else []


def _cells(
    rows: Archive, period: NDArray[np.int64], country: int, outlets: list[int], targets: list[int]
) -> list[list[float]]:
    """Return ``[outlet, target, country, period, articles, 4 sums, 10 second moments]`` of each cell."""
    if not len(rows):
        return []
    place = {o: i for i, o in enumerate(outlets)}
    target_place = {t: i for i, t in enumerate(targets)}
    pair, index = np.unique(rows["article"].astype(np.int64) * (max(targets) + 1) + rows["target"], return_inverse=True)
    counts = np.bincount(index * 4 + rows["label"], minlength=len(pair) * 4).reshape(-1, 4).astype(np.float64)
    first = np.zeros(len(pair), dtype=np.int64)
    first[index[::-1]] = np.arange(len(index))[::-1]
    key = np.stack([rows["outlet"][first].astype(np.int64), rows["target"][first].astype(np.int64), period[first]], 1)
    cells, cell = np.unique(key, axis=0, return_inverse=True)
    cell = cell.ravel()
    sums, moments = np.zeros((len(cells), 4)), np.zeros((len(cells), 10))
    np.add.at(sums, cell, counts)
    np.add.at(moments, cell, counts[:, _UPPER[0]] * counts[:, _UPPER[1]])
    about = np.bincount(cell[counts[:, :3].sum(axis=1) > 0], minlength=len(cells))
    return [
        [place[int(o)], target_place[int(t)], country, int(p), int(about[i]), *map(int, sums[i]), *map(int, moments[i])]
        for i, (o, t, p) in enumerate(cells)
    ]


def _inverses(estimator: Estimator, target: int) -> dict[str, Any] | None:
    """Return the inverse mean error rates and some inverse draws, flat and rounded."""
    if target not in estimator.rates:
        return None
    rates = estimator.rates[target]
    step = max(1, len(rates) // _RATE_DRAWS)
    draws = np.linalg.pinv(rates[::step][:_RATE_DRAWS])
    mean = np.linalg.pinv(estimator.mean[target])
    return {"mean": np.round(mean, 5).ravel().tolist(), "draws": np.round(draws, 4).reshape(len(draws), 16).tolist()}


def _weak(errors: ErrorCounts | None, target: str) -> list[str]:
    return errors.weak_labels(target) if errors is not None and target in errors.counts else []
