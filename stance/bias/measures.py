"""The tables of a report: each measure is counted here, from cells or from plain shares.

Every table is a list of records with the same keys, ready for a data frame.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.bias.archive import NO_DATE, Archive
from stance.bias.cells import Cells, Estimator, addressed, balance
from stance.bias.confusion import ErrorCounts
from stance.bias.hashing import mixed
from stance.bias.periods import Periods
from stance.bias.verbs import GROUPS
from stance.schema import LABELS
from stance.statistics.pooling import FEWEST_GROUPS, pooled_draws
from stance.statistics.resampling import cluster_draws
from stance.statistics.spread import effective_clusters, percentile_interval, small_sample_factor

__all__ = ["FEW_ARTICLES", "cautions", "cell_table", "partly_pooled", "share_table", "timeline", "verb_table"]

FEW_ARTICLES = 10
"""A figure from fewer articles (of equal weight) than this says so."""
_GROUPS = 2000
_BALANCE = ("balance", "low", "high", "counted", "counted_low", "counted_high")
"""Columns that are ``None`` where no statement addresses the target."""


def cell_table(
    cells: Cells, archive: Archive, keys: Sequence[str], errors: ErrorCounts | None, level: float
) -> list[dict[str, Any]]:
    """Return one record per cell: names, counts, corrected shares, balance and addressed share with intervals.

    Parameters
    ----------
    cells
        The cells.
    archive
        Gives the names of the codes.
    keys
        The cells' keys; ``period`` stays a number.
    errors
        The classifier's known errors, for the warnings beside each figure.
    level
        Level of the intervals.
    """
    corrected = np.clip(cells.corrected, 0.0, None)
    shares = corrected / np.maximum(corrected.sum(axis=1, keepdims=True), 1e-9)
    if not len(cells):
        return []
    low, high = percentile_interval(cells.draws, level, axis=1, few=True)
    share_low, share_high = percentile_interval(cells.share_draws, level, axis=1, few=True)
    value, share = balance(cells.corrected), addressed(cells.corrected)
    raw = balance(cells.counts)
    intervals = (low, high, value), (cells.raw_low, cells.raw_high, raw)
    figures = np.stack(
        [x for a, b, middle in intervals for x in (middle, np.minimum(a, middle), np.maximum(b, middle))], axis=1
    ).tolist()
    found: list[dict[str, Any]] = []
    for i, key in enumerate(cells.keys):
        names = {k: _name(archive, k, int(c)) for k, c in zip(keys, key, strict=True)}
        found.append(
            {
                **names,
                "statements": round(float(cells.counts[i].sum())),
                "addressed": round(float(cells.counts[i, :3].sum())),
                "articles": int(cells.articles[i]),
                **{f"n_{label}": round(float(n)) for label, n in zip(LABELS, cells.counts[i], strict=True)},
                **{f"share_{label}": float(s) for label, s in zip(LABELS, shares[i], strict=True)},
                **dict(zip(_BALANCE, figures[i] if cells.articles[i] else [None] * 6, strict=True)),
                "addressed_share": float(share[i]),
                "addressed_low": float(min(share_low[i], share[i])),
                "addressed_high": float(max(share_high[i], share[i])),
                "caution": cautions(str(names["target"]), float(cells.effective[i]), errors),
            }
        )
    return found


def _name(archive: Archive, key: str, code: int) -> Any:
    return archive.names[key][code] if key in archive.names else code


def cautions(target: str, effective: float, errors: ErrorCounts | None) -> str:
    """Return what a reader of one figure must be warned of, empty if nothing.

    Parameters
    ----------
    target
        Name of the target.
    effective
        Articles of equal weight that the figure rests on.
    errors
        The classifier's known errors.
    """
    found = []
    if effective < FEW_ARTICLES:
        found.append("few articles")
    if errors is None or target not in errors.counts:
        found.append("not corrected")
    elif weak := errors.weak_labels(target):
        found.append(f"weak model classes: {', '.join(weak)}")
    return "; ".join(found)


def partly_pooled(
    table: list[dict[str, Any]], cells: Cells, level: float, *, group: str, seed: int
) -> list[dict[str, Any]]:
    """Add ``pooled``, ``pooled_low`` and ``pooled_high``: each group's balance drawn toward that of all groups.

    Groups of one target are pooled (`stance.statistics.pooled_draws`); with fewer than three the three columns repeat
    the balance. The error rates, which all groups share, are carried through draw by draw.

    Parameters
    ----------
    table
        Records of `cells` in their order.
    cells
        Cells whose keys are the group and the target.
    level
        Level of the intervals.
    group
        Name of the key that is pooled over.
    seed
        Seed of the draws.
    """
    for target in sorted({r["target"] for r in table}):
        at = [i for i, r in enumerate(table) if r["target"] == target and r["articles"]]
        if len(at) < FEWEST_GROUPS:
            continue
        rng = np.random.default_rng([seed, 4])
        n = np.maximum(cells.worth[at], 2.0)
        wider = small_sample_factor(n, level) ** 2 * (n - 1) / n  # the normal model takes variances for known
        drawn = pooled_draws(cells.rate_draws[at].T, np.maximum(cells.variance[at] * wider, 1e-6), rng=rng)
        low, high = percentile_interval(np.clip(drawn, -1, 1), level, few=True)
        middle = np.clip(drawn, -1, 1).mean(axis=0)
        for i, m, a, b in zip(at, middle, low, high, strict=True):
            table[i] |= {"pooled": float(m), "pooled_low": float(a), "pooled_high": float(b)}
    for row in table:
        row.setdefault("pooled", row["balance"])
        row.setdefault("pooled_low", row["low"])
        row.setdefault("pooled_high", row["high"])
    return table


def share_table(
    archive: Archive,
    of: str,
    within: str | None,
    *,
    estimator: Estimator,
    rows: NDArray[np.bool_] | None = None,
    names: Mapping[int, str] | None = None,
    most: int | None = None,
) -> list[dict[str, Any]]:
    """Return the shares of the values of one column among statements, with intervals clustered by article.

    Share of voice is such a share: statements of a speaker (or of speakers of a country) over all quoted statements
    (source counts of content analysis, as in Tiffen et al. 2014, "Sources in the news", Journalism Studies 15(4)).

    Parameters
    ----------
    archive
        The rows; each statement is counted once.
    of
        Column whose values share.
    within
        Column within whose values shares add up to 1; the whole archive if ``None``.
    estimator
        Gives level, number of draws and seed.
    rows
        Which rows count; those of quoted statements if not given.
    names
        Names of the values of `of`, if the archive has none.
    most
        Only the most frequent values are returned; shares are still of all.
    """
    used = archive["first"] & ~archive["own"] if rows is None else rows
    groups = archive[within][used].astype(np.int64) if within else np.zeros(int(used.sum()), dtype=np.int64)
    values, articles = archive[of][used].astype(np.int64), archive["article"][used].astype(np.int64)
    label = names or dict(enumerate(archive.names.get(of, ())))
    found = []
    for group in np.unique(groups):
        mine = groups == group
        kinds, kind = np.unique(values[mine], return_inverse=True)
        unit = mixed(articles[mine].astype(np.uint64)) if len(np.unique(articles[mine])) > _GROUPS else None
        cluster = np.unique(articles[mine], return_inverse=True)[1] if unit is None else (unit % _GROUPS).astype(int)
        total = np.bincount(kind, minlength=len(kinds))
        order = np.argsort(-total, kind="stable")[:most]
        counts = np.zeros((int(cluster.max()) + 1, len(order) + 1))
        place = np.full(len(kinds), len(order))
        place[order] = np.arange(len(order))
        np.add.at(counts, (cluster, place[kind]), 1)
        low, high = _share_interval(counts, estimator)
        number = _distinct_articles(articles[mine], place[kind], len(order) + 1)
        head = {within: archive.names[within][group]} if within else {}
        for i, k in enumerate(order):
            found.append(
                {
                    **head,
                    of: label[int(kinds[k])],
                    "statements": int(total[k]),
                    "articles": int(number[i]),
                    "share": float(total[k] / total.sum()),
                    "low": float(low[i]),
                    "high": float(high[i]),
                    "caution": "few articles" if number[i] < FEW_ARTICLES else "",
                }
            )
    return found


def _share_interval(
    counts: NDArray[np.float64], estimator: Estimator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rng = np.random.default_rng([estimator.seed, 5])
    drawn = cluster_draws(counts, draws=estimator.draws, rng=rng)
    share = drawn / np.maximum(drawn.sum(axis=1, keepdims=True), 1)
    point = counts.sum(axis=0) / counts.sum()
    effective = effective_clusters(counts.sum(axis=1))
    if effective < 1.5:  # one article: how articles differ is not known
        return np.zeros(len(point)), np.ones(len(point))
    factor = small_sample_factor(effective, estimator.level)
    low, high = percentile_interval(point + (share - point) * factor, estimator.level, few=True)
    return np.clip(low, 0, 1), np.clip(high, 0, 1)


def _distinct_articles(articles: NDArray[np.int64], place: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    return np.bincount(np.unique(articles * size + place) % size, minlength=size)


def verb_table(archive: Archive, estimator: Estimator) -> list[dict[str, Any]]:
    """Return the shares of groups of reporting verbs by speaker country, of statements that have a cue."""
    rows = archive["first"] & ~archive["own"] & (archive["verb"] >= 0)
    if not rows.any():
        return []
    return share_table(archive, "verb", "country", estimator=estimator, rows=rows, names=dict(enumerate(GROUPS)))


def timeline(
    archive: Archive, estimator: Estimator, periods: Periods, errors: ErrorCounts | None, *, by_outlet: bool
) -> list[dict[str, Any]]:
    """Return balance and addressed share by period and target, over all outlets or by outlet."""
    dated = archive.where((archive["day"] != NO_DATE) & ~archive["own"])
    if not len(dated):
        return []
    keys = ["outlet", "period", "target"] if by_outlet else ["period", "target"]
    cells = estimator.cells(dated, keys, columns={"period": periods.of(dated["day"])})
    table = cell_table(cells, dated, keys, errors, estimator.level)
    for row in table:
        row["period"] = periods.label(row["period"])
    return table
