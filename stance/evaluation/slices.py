"""Where it fails: figures of parts of the corpus, and the worst parts found without being asked for."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from stance.corpus import CorpusRecord
from stance.corpus.records import rates
from stance.evaluation.figures import Figure, Layout
from stance.evaluation.items import Items, Predictions
from stance.schema import Target
from stance.statistics.confusion import accuracy, mean_of, per_label
from stance.statistics.multiplicity import holm
from stance.statistics.resampling import ClusterDraws, interval, sum_by_cluster
from stance.targets import default_targets

__all__ = ["DIMENSIONS", "SMALL", "Slice", "find_slices"]

SMALL = 30
"""Items under which a slice is marked as small."""
_MOST_VALUES = 25
_LEAST_ITEMS, _LEAST_CLUSTERS = 20, 5
_WORST = 10
_ECHO = 0.8
_LEVEL = 0.05
_LENGTHS = ((10, "1-10 words"), (20, "11-20 words"), (40, "21-40 words"), (10**9, "over 40 words"))

_Name = tuple[tuple[str, str], ...]
_Masks = dict[_Name, NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class Slice:
    """One part of the corpus.

    Parameters
    ----------
    name
        Pairs of dimension and value.
    items, clusters
        Its size.
    small
        Whether it is too small to conclude from.
    figures
        ``accuracy``, ``macro_f1`` and ``gap`` (accuracy of the rest minus that of the slice).
    p_value
        Of the gap, clustered by document, corrected by Holm over all slices searched; ``nan`` if not searched.
    """

    name: tuple[tuple[str, str], ...]
    items: int
    clusters: int
    small: bool
    figures: Mapping[str, Figure]
    p_value: float = float("nan")


def find_slices(items: Items, predictions: Predictions, draws: ClusterDraws) -> tuple[list[Slice], list[Slice]]:
    """Return the slices by each dimension, and the worst of them and of their pairs, the largest gap first.

    A slice is searched if it has at least 20 items of 5 documents and leaves as many outside; the worst are those
    whose errors exceed the rest's after Holm's correction over all that were searched.
    """
    single: _Masks = {((d, v),): column == v for d, column in _values(items).items() for v in _listed(column)}
    searched = {name: mask for name, mask in single.items() if _enough(items, mask)}
    for (one, a), (two, b) in combinations(list(searched.items()), 2):
        if one[0][0] != two[0][0] and _enough(items, a & b):
            searched[one + two] = a & b
    right = predictions.predicted == items.gold
    tests = {name: _gap_test(items, right, mask) for name, mask in searched.items()}
    corrected = dict(zip(tests, holm(np.array([p for _, p in tests.values()])).tolist(), strict=True))
    bad = [name for name, (gap, _) in tests.items() if gap > 0 and corrected[name] < _LEVEL]
    bad.sort(key=lambda name: (-tests[name][0], name))
    kept = _without_echoes(bad, {name: int(searched[name].sum()) for name in bad})[:_WORST]
    p_values = {name: corrected.get(name, math.nan) for name in single}
    shown = _scored(items, predictions, single, p_values, draws)
    return shown, _scored(items, predictions, {name: searched[name] for name in kept}, corrected, draws)


def _gap_test(items: Items, right: NDArray[np.bool_], mask: NDArray[np.bool_]) -> tuple[float, float]:
    """Return how much less often a slice is right than the rest, and the two-sided p-value of that gap.

    Linearised variance with residuals added up within documents (Cameron & Miller 2015, "A practitioner's guide to
    cluster-robust inference", J. Human Resources 50), held against Student's t.
    """
    from scipy.stats import t

    parts = [(part, float(right[part].mean())) for part in (~mask, mask)]
    residual = np.zeros(len(items))
    for sign, (part, share) in zip((1, -1), parts, strict=True):
        residual[part] = sign * (right[part] - share) / part.sum()
    sums = np.bincount(items.cluster, weights=residual, minlength=items.clusters)
    variance = float((sums**2).sum()) * items.clusters / (items.clusters - 1)
    gap = parts[0][1] - parts[1][1]
    if variance == 0:
        return gap, 1.0 if gap == 0 else 0.0
    inside = _documents(items, mask)
    return gap, float(2 * t.sf(abs(gap) / math.sqrt(variance), max(inside - 1, 1)))


def _without_echoes(found: list[_Name], sizes: Mapping[_Name, int]) -> list[_Name]:
    """Leave out a slice that is about as large as a worse one it lies in, or that lies in it."""
    kept: list[_Name] = []
    for name in found:
        related = [other for other in kept if set(name) <= set(other) or set(other) <= set(name)]
        if not any(min(sizes[name], sizes[o]) / max(sizes[name], sizes[o]) > _ECHO for o in related):
            kept.append(name)
    return kept


def _enough(items: Items, mask: NDArray[np.bool_]) -> bool:
    if min(int(mask.sum()), int((~mask).sum())) < _LEAST_ITEMS:
        return False
    return min(_documents(items, mask), _documents(items, ~mask)) >= _LEAST_CLUSTERS


def _documents(items: Items, mask: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(np.bincount(items.cluster[mask], minlength=items.clusters)))


def _listed(column: NDArray[np.str_]) -> Iterator[str]:
    """Yield the values of a dimension, the commonest first; nothing if there is only one."""
    names, counts = np.unique(column[column != ""], return_counts=True)
    if len(names) > 1 or (len(names) == 1 and (column == "").any()):
        yield from (str(names[i]) for i in np.argsort(-counts, kind="stable")[:_MOST_VALUES])


def _scored(
    items: Items, predictions: Predictions, masks: _Masks, p_values: Mapping[_Name, float], draws: ClusterDraws
) -> list[Slice]:
    """Return the slices with their figures; confusion matrices are drawn together, the last is of all items."""
    if not masks:
        return []
    k, s = len(items.labels), len(masks)
    cell = items.gold * k + predictions.predicted
    sums = np.zeros((items.clusters, s + 1, k * k))
    for i, mask in enumerate([*masks.values(), np.ones(len(items), dtype=bool)]):
        sums[:, i] = sum_by_cluster(items.cluster[mask], items.clusters, cell[mask], k * k, np.ones(int(mask.sum())))
    layouts = Layout.of(items)

    def compute(totals: NDArray[np.float64]) -> Mapping[str, NDArray[np.float64]]:
        counts = totals.reshape(len(totals), s + 1, k, k)
        inside, rest = counts[:, :-1], counts[:, -1:] - counts[:, :-1]
        f1 = per_label(inside)[2]
        found = {"accuracy": accuracy(inside), "macro_f1": mean_of(f1, layouts.present)}
        return found | {"gap": accuracy(rest) - found["accuracy"]}

    exact, drawn = compute(sums.sum(axis=0, keepdims=True)), draws.figures(sums, compute)
    out = []
    for i, (name, mask) in enumerate(masks.items()):
        inside, n = _documents(items, mask), int(mask.sum())
        figures = {f: Figure(float(v[0, i]), *interval(drawn[f][:, i], inside)) for f, v in exact.items()}
        out.append(Slice(name, n, inside, n < SMALL or inside < _LEAST_CLUSTERS, figures, p_values[name]))
    return out


def _values(items: Items) -> dict[str, NDArray[np.str_]]:
    """Return the value of each dimension for each item, empty where unknown."""
    out = {"target": np.array(items.targets)[items.target]}
    for name, of in DIMENSIONS.items():
        values = np.array([of(record) for record in items.records], dtype=np.str_)
        out[name] = values[items.record]
    named = _named(items)
    out["target named"] = np.where(named, "by name", "not by name")
    out["annotators"] = np.array(
        [_agreement(items.records[i], items.targets[j]) for i, j in zip(items.record, items.target, strict=True)]
    )
    return out


def _named(items: Items) -> NDArray[np.bool_]:
    """Tell which statements name their target, by its name or an alias of a default target."""
    known = {t.name: t for t in default_targets()}
    patterns = [_pattern(known.get(name, Target(name))) for name in items.targets]
    table = np.array([[bool(p.search(r.statement.text)) for p in patterns] for r in items.records])
    return np.asarray(table[items.record, items.target])


def _pattern(target: Target) -> re.Pattern[str]:
    names = "|".join(re.escape(name) for name in sorted((target.name, *target.aliases), key=len, reverse=True))
    return re.compile(rf"(?<!\w)(?:{names})(?!\w)")


def _length(record: CorpusRecord) -> str:
    words = len(record.statement.text.split())
    return next(name for most, name in _LENGTHS if words <= most)


def _country(record: CorpusRecord) -> str:
    speaker = record.statement.speaker
    return (speaker.country or "") if speaker else ""


def _agreement(record: CorpusRecord, target: str) -> str:
    raters = [labels for name, labels in record.annotators.items() if rates(name)]
    given = [label for labels in raters if (label := labels.get(target)) is not None]
    return "" if len(given) < 2 else "agree" if len(set(given)) == 1 else "disagree"


DIMENSIONS: dict[str, Callable[[CorpusRecord], str]] = {
    "outlet": lambda r: r.outlet or "",
    "source": lambda r: r.source or "",
    "quote type": lambda r: r.statement.quote_type or "",
    "speaker country": _country,
    "length": _length,
    "year": lambda r: (r.published or "")[:4],
    "speaker": lambda r: "known" if r.statement.speaker else "unknown",
}
"""Dimensions of a record; target, whether it is named, and agreement of annotators come from the item."""
