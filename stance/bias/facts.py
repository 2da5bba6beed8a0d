"""What the page's filters count from: sums and second moments of articles, which add up over dates and outlets.

With ``x`` the counts of an article's answers, the sum of ``x`` and of ``x xᵀ`` over any articles give their total and
its clustered covariance, so the page can estimate any choice of dates and speaker country without the rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.bias.archive import EPOCH, NO_DATE, NO_SPEAKER, Archive
from stance.bias.cells import Estimator
from stance.bias.confusion import ErrorCounts
from stance.bias.periods import Periods, choose_periods

__all__ = ["facts"]

_COUNTRIES = 12
_SPEAKERS = 24
_RATE_DRAWS = 500
_UPPER = np.triu_indices(4)
_MOST_CELLS = 60_000
_MOST_SPEAKER_CELLS = 20_000
_ALL = -1


@dataclass(frozen=True)
class _Scope:
    """The quoted rows that the page shows, and the codes of its lists in their order."""

    rows: Archive
    period: NDArray[np.int64]  # of each row, `NO_DATE` without a date
    lists: dict[str, list[int]]

    def of_country(self) -> Iterator[tuple[int, NDArray[np.bool_]]]:
        """Yield the place of each country in its list with its rows, and all rows as −1."""
        yield _ALL, np.ones(len(self.rows), dtype=bool)
        for place, code in enumerate(self.lists["country"]):
            yield place, self.rows["country"] == code

    def places(self, kind: str) -> NDArray[np.int64]:
        """Return the place of each row's value in the page's list, −1 if it is not there."""
        table = np.full(len(self.rows.names[kind]), -1, dtype=np.int64)
        table[self.lists[kind]] = np.arange(len(self.lists[kind]))
        return np.asarray(table[self.rows[kind]])


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
    countries = _most(quoted, "country", np.ones(len(quoted), dtype=bool), _COUNTRIES)
    if len(outlets) * len(targets) * (len(countries) + 1) * 24 > _MOST_CELLS:
        countries = countries[: max(0, _MOST_CELLS // (len(outlets) * len(targets) * 24) - 1)]
    speakers = _most(quoted, "speaker", quoted["label"] < 3, _SPEAKERS)
    periods = choose_periods(archive["day"])
    day = quoted["day"]
    period = np.where(day == NO_DATE, NO_DATE, periods.of(np.where(day == NO_DATE, 0, day)))
    lists = {"outlet": outlets, "target": targets, "country": countries, "speaker": speakers}
    scope = _Scope(quoted, period, lists)
    dated = [int(p) for p in np.unique(period) if p != NO_DATE]
    between = range(dated[0], dated[-1] + 1) if dated else []
    names = archive.names["target"]
    return {
        "outlets": [archive.names["outlet"][o] for o in outlets],
        "targets": [names[t] for t in targets],
        "countries": [archive.names["country"][c] for c in countries],
        "speakers": [archive.names["speaker"][s] for s in speakers],
        "periods": [[p, periods.label(p), *_ends(periods, p)] for p in between],
        "unit": periods.unit,
        "cells": [row for place, mine in scope.of_country() for row in _cells(scope, mine, place, [])],
        **_speaker_cells(scope),
        "voices": _voices(scope),
        "inverse": {names[t]: _inverses(estimator, t) for t in targets},
        "weak": {names[t]: _weak(errors, names[t]) for t in targets},
    }


def _most(rows: Archive, kind: str, counted: NDArray[np.bool_], most: int) -> list[int]:
    """Return the codes with most rows; people without a name are no speaker."""
    number = np.bincount(rows[kind][counted], minlength=len(rows.names[kind]))
    if kind == "speaker" and NO_SPEAKER in rows.names[kind]:
        number[rows.names[kind].index(NO_SPEAKER)] = 0
    return [int(c) for c in np.argsort(-number, kind="stable")[:most] if number[c]]


def _ends(periods: Periods, period: int) -> list[str]:
    first, last = periods.ends(period)
    return [date.fromordinal(day + EPOCH).isoformat() for day in (first, last)]


def _cells(scope: _Scope, mine: NDArray[np.bool_], country: int, keys: list[str]) -> list[list[int]]:
    """Return ``[*keys, outlet, target, country, period, addressing, articles, 4 sums, 10 second moments]`` of cells.

    ``addressing`` are articles with a statement that addresses the target, ``articles`` those with any statement.
    """
    if not mine.any():
        return []
    kinds = [*keys, "outlet", "target"]
    columns = [scope.places(k)[mine] for k in kinds]
    article, label = scope.rows["article"][mine].astype(np.int64), scope.rows["label"][mine]
    code = article
    for column, kind in zip(columns, kinds, strict=True):
        code = code * len(scope.lists[kind]) + column
    pair, first, index = np.unique(code, return_index=True, return_inverse=True)
    counts = np.bincount(index * 4 + label, minlength=len(pair) * 4).reshape(-1, 4).astype(np.float64)
    key = np.stack([*(column[first] for column in columns), scope.period[mine][first]], axis=1)
    cells, cell = np.unique(key, axis=0, return_inverse=True)
    cell = cell.ravel()
    sums, moments = np.zeros((len(cells), 4)), np.zeros((len(cells), 10))
    np.add.at(sums, cell, counts)
    np.add.at(moments, cell, counts[:, _UPPER[0]] * counts[:, _UPPER[1]])
    about = np.bincount(cell[counts[:, :3].sum(axis=1) > 0], minlength=len(cells))
    head = np.insert(cells, len(kinds), country, axis=1)
    number = np.bincount(cell, minlength=len(cells))
    found: list[list[int]] = np.column_stack([head, about, number, sums, moments]).astype(np.int64).tolist()
    return found


def _speaker_cells(scope: _Scope) -> dict[str, Any]:
    """Return the cells of the speakers with most to say, without their dates if there are too many to hold."""
    known = scope.places("speaker") >= 0
    for dated in (True, False):
        used = scope if dated else replace(scope, period=np.full(len(scope.period), _ALL, dtype=np.int64))
        cells = [c for place, mine in used.of_country() for c in _cells(used, mine & known, place, ["speaker"])]
        if len(cells) <= _MOST_SPEAKER_CELLS:
            break
    return {"speaker_cells": cells, "speakers_dated": dated}


def _voices(scope: _Scope) -> list[list[int]]:
    """Return ``[speaker, country, outlet, period, articles, y, yy, yn]`` for shares of voice.

    With ``y`` an article's statements by that speaker (−1: anyone) of that country (−1: any) and ``n`` all of its
    statements: the sums of ``y``, ``y²`` and ``y n``, from which a share's clustered variance follows by linearisation.
    """
    used = np.flatnonzero(scope.rows["first"])
    _, article = np.unique(scope.rows["article"][used], return_inverse=True)
    size = np.bincount(article).astype(np.int64)
    speaker, outlet, period = scope.places("speaker")[used], scope.places("outlet")[used], scope.period[used]
    found: list[list[int]] = []
    for country, mine in scope.of_country():
        for named in (False, True):
            kept = np.flatnonzero(mine[used] & (speaker >= 0)) if named else np.flatnonzero(mine[used])
            if not len(kept):
                continue
            who = speaker[kept] if named else np.full(len(kept), _ALL)
            pair, first, y = np.unique(
                article[kept] * (len(scope.lists["speaker"]) + 1) + who + 1, return_index=True, return_counts=True
            )
            n = size[article[kept][first]]
            key = np.stack([who[first], outlet[kept][first], period[kept][first]], axis=1)
            cells, cell = np.unique(key, axis=0, return_inverse=True)
            cell = cell.ravel()
            sums = np.zeros((len(cells), 4), dtype=np.int64)
            np.add.at(sums, cell, np.stack([np.ones(len(pair), dtype=np.int64), y, y * y, y * n], axis=1))
            found += np.column_stack([np.insert(cells, 1, country, axis=1), sums]).tolist()
    return found


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
