"""Differences between outlets, between two sets of rows, and on the same story; corrected for many comparisons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from stance.bias.archive import NO_DATE, NO_SPEAKER, Archive
from stance.bias.cells import Cells, Estimator, balance
from stance.bias.confusion import ErrorCounts
from stance.bias.measures import cautions
from stance.statistics.multiplicity import benjamini_hochberg, holm
from stance.statistics.spread import percentile_interval

__all__ = ["adjusted", "between_outlets", "contrast", "day_strata", "event_strata", "matched", "selection"]

MOST_PAIRED = 12
"""With more outlets than this, each is compared with all the others together instead of with each other."""


def contrast(one: Cells, i: int, two: Cells, j: int, *, paired: bool, level: float) -> dict[str, Any]:
    """Return the difference of two cells' balances with interval and p-value.

    The p-value is that of Welch's test on the variances by article plus the variance from the error rates, which both
    cells share draw by draw, so that what is wrong with both alike drops out.

    Parameters
    ----------
    one, i, two, j
        The cells.
    paired
        Whether articles were drawn jointly for both (the same outlet), so that their draws go together.
    level
        Level of the interval.
    """
    difference = float(balance(one.corrected[i]) - balance(two.corrected[j]))
    draws = one.draws[i] - two.draws[j]
    low, high = percentile_interval(draws, level, few=True)
    v, n = (one.variance[i], two.variance[j]), (one.worth[i], two.worth[j])
    rates = float((one.rate_draws[i] - two.rate_draws[j]).var())
    spread = float(draws.var()) if paired else v[0] + v[1] + rates
    freedom = (v[0] + v[1]) ** 2 / sum(x**2 / max(m - 1, 0.5) for x, m in zip(v, n, strict=True))
    p = 2 * stats.t.sf(abs(difference) / np.sqrt(max(spread, 1e-12)), max(freedom, 1.0))
    return {
        "difference": difference,
        "low": min(difference, max(-2.0, float(low))),
        "high": max(difference, min(2.0, float(high))),
        "p": float(p),
        "articles_a": int(one.articles[i]),
        "articles_b": int(two.articles[j]),
        "effective": float(min(one.effective[i], two.effective[j])),
    }


def adjusted(rows: list[dict[str, Any]], alpha: float, errors: ErrorCounts | None) -> list[dict[str, Any]]:
    """Add Holm's and Benjamini & Hochberg's p-values over the whole table and cautions, and rank by size of evidence.

    Parameters
    ----------
    rows
        Contrasts, each with its target.
    alpha
        Largest adjusted p-value of a difference that is called established.
    errors
        The classifier's known errors, for the cautions.
    """
    if not rows:
        return rows
    p = np.array([r["p"] for r in rows])
    for row, family, rate in zip(rows, holm(p), benjamini_hochberg(p), strict=True):
        row |= {"p_holm": float(family), "q": float(rate), "established": bool(family <= alpha)}
        row["caution"] = cautions(row["target"], row.pop("effective"), errors)
    return sorted(rows, key=lambda r: (r["p"], -abs(r["difference"])))


def between_outlets(
    estimator: Estimator,
    archive: Archive,
    cells: Cells,
    reference: int | None,
    outlets: Sequence[int],
    errors: ErrorCounts | None,
) -> list[dict[str, Any]]:
    """Return differences between outlets by target, adjusted for their number.

    Each outlet against `reference` if given; else all pairs of outlets if they are at most `MOST_PAIRED`; else each
    outlet against all the others together.

    Parameters
    ----------
    estimator
        Gave `cells`.
    archive
        The rows.
    cells
        Cells with the keys outlet and target.
    reference
        Code of an outlet.
    outlets
        Codes of the outlets compared.
    errors
        The classifier's known errors, for the cautions.
    """
    names, targets = archive.names["outlet"], archive.names["target"]
    rest = reference is None and len(outlets) > MOST_PAIRED
    spoken, counts = _condensed(archive) if rest else (archive, np.ones(len(archive)))
    found = []
    for target in np.unique(cells.keys[:, 1]):
        at = {int(o): i for i, (o, t) in enumerate(cells.keys) if t == target and cells.articles[i] > 0}
        asked = spoken["target"] == target
        about, weights = (spoken.where(asked), counts[asked]) if rest else (spoken, counts)
        for one, two in _pairs([o for o in outlets if o in at], reference, rest):
            if two is None:
                others = _others(estimator, about, weights, one)
                if others is None:
                    continue
                row = contrast(cells, at[one], others, 0, paired=False, level=estimator.level)
            else:
                if two not in at:
                    continue
                row = contrast(cells, at[one], cells, at[two], paired=False, level=estimator.level)
            other = names[two] if two is not None else "all others"
            found.append({"target": targets[target], "a": names[one], "b": other, **row})
    return adjusted(found, 1 - estimator.level, errors)


def _pairs(outlets: Sequence[int], reference: int | None, rest: bool) -> Iterator[tuple[int, int | None]]:
    if reference is not None:
        yield from ((o, reference) for o in outlets if o != reference)
    elif rest:
        yield from ((o, None) for o in outlets)
    else:
        yield from ((a, b) for i, a in enumerate(outlets) for b in outlets[i + 1 :])


def _condensed(archive: Archive) -> tuple[Archive, NDArray[np.float64]]:
    """Return one quoted row for each article, outlet, target and label, and how many rows it stands for."""
    columns = ("article", "outlet", "target", "label")
    spoken = replace(archive, columns={name: archive[name][~archive["own"]] for name in columns})
    key = np.zeros(len(spoken), dtype=np.int64)
    for column in columns:
        code = spoken[column].astype(np.int64)
        key = key * (int(code.max(initial=0)) + 1) + code
    _, first, counts = np.unique(key, return_index=True, return_counts=True)
    keep = np.zeros(len(spoken), dtype=np.bool_)
    keep[first] = True
    return spoken.where(keep), counts[np.argsort(first)].astype(np.float64)


def _others(estimator: Estimator, about: Archive, counts: NDArray[np.float64], outlet: int) -> Cells | None:
    """Return the cell of all outlets but one; `about` holds the condensed rows of one target."""
    keep = about["outlet"] != outlet
    others = estimator.cells(about.where(keep), ["target"], weights=counts[keep])
    return others if len(others) and others.articles[0] else None


def selection(cells: Cells, archive: Archive, level: float, errors: ErrorCounts | None) -> list[dict[str, Any]]:
    """Return, by outlet and target, the balance of quoted statements minus that of the outlet's own sentences.

    Parameters
    ----------
    cells
        Cells with the keys outlet, own voice and target; articles were drawn jointly for both voices.
    archive
        The rows.
    level
        Level of the intervals.
    errors
        The classifier's known errors, for the cautions.
    """
    at = {tuple(map(int, key)): i for i, key in enumerate(cells.keys)}
    found = []
    for (outlet, own, target), i in at.items():
        quoted = at.get((outlet, 0, target))
        if not own or quoted is None or not cells.articles[i] or not cells.articles[quoted]:
            continue
        row = contrast(cells, quoted, cells, i, paired=True, level=level)
        names = {"outlet": archive.names["outlet"][outlet], "target": archive.names["target"][target]}
        found.append(
            {
                **names,
                "quoted": float(balance(cells.corrected[quoted])),
                "own_voice": float(balance(cells.corrected[i])),
                **{("articles_quoted" if k == "articles_a" else "articles_own" if k == "articles_b" else k): v
                   for k, v in row.items()},
            }
        )  # fmt: skip
    return adjusted(found, 1 - level, errors)


def matched(
    estimator: Estimator,
    archive: Archive,
    strata: NDArray[np.int64],
    kind: str,
    clusters: NDArray[np.int64],
    reference: int | None,
    outlets: Sequence[int],
) -> list[dict[str, Any]]:
    """Return differences between outlets where both spoke of the same thing, by direct standardisation.

    For each pair of outlets and target only the strata count that both addressed. Within a stratum both outlets get
    the weight of the smaller, so that the mix of strata is the same and only what was let through differs.

    Parameters
    ----------
    estimator
        Its error rates are used.
    archive
        The rows.
    strata
        Stratum of each row (a day, a speaker on a day, a near-duplicate cluster), −1 for none.
    kind
        Name of the strata.
    clusters
        What is drawn with replacement, a code per row: strata, or days if one article may be in several strata.
    reference
        Code of an outlet to compare with; all pairs if not given.
    outlets
        Codes of the outlets compared.
    """
    found = []
    names, targets = archive.names["outlet"], archive.names["target"]
    usable = (strata >= 0) & ~archive["own"] & np.isin(archive["outlet"], list(outlets))
    for target in np.unique(archive["target"][usable]):
        rows = np.flatnonzero(usable & (archive["target"] == target))
        _, stratum = np.unique(strata[rows], return_inverse=True)
        spoken = np.zeros((max(outlets) + 1, int(stratum.max()) + 1))
        about = archive["label"][rows] < 3
        np.add.at(spoken, (archive["outlet"][rows][about], stratum[about]), 1)
        for one, two in _pairs(list(outlets), reference, False):
            if two is None:
                continue
            least = np.minimum(spoken[one], spoken[two])
            both = int((least > 0).sum())
            if both < 2:
                continue
            pair = np.isin(archive["outlet"][rows], [one, two]) & (least[stratum] > 0)
            kept = archive.where(_mask(len(archive), rows[pair]))
            outlet, group = kept["outlet"].astype(np.int64), stratum[pair]
            weight = least[group] / spoken[outlet, group]
            cells = estimator.cells(
                kept, ["target", "side"], columns={"side": outlet == two}, clusters=clusters[rows[pair]], weights=weight
            )
            if len(cells) < 2:
                continue
            row = contrast(cells, 0, cells, 1, paired=True, level=estimator.level)
            label = {"matched_on": kind, "target": targets[target], "a": names[one], "b": names[two]}
            found.append({**label, "shared": both, **row})
    return found


def _mask(length: int, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    mask = np.zeros(length, dtype=bool)
    mask[rows] = True
    return mask


def day_strata(archive: Archive) -> NDArray[np.int64]:
    """Return the day of each row, −1 where it has none."""
    day = archive["day"].astype(np.int64)
    return np.asarray(np.where(day == NO_DATE, -1, day + 4_000_000))


def event_strata(archive: Archive) -> NDArray[np.int64]:
    """Return a code for speaker and day of each row, −1 where either is missing: the same voice on the same day."""
    day = day_strata(archive)
    speaker = archive["speaker"].astype(np.int64)
    names = archive.names["speaker"]
    unnamed = speaker == names.index(NO_SPEAKER) if NO_SPEAKER in names else np.zeros(len(speaker), dtype=bool)
    return np.asarray(np.where((day < 0) | unnamed, -1, day * len(names) + speaker))
