"""Agreement of a project's annotators: every figure of the agreement report, each with its interval."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.annotate.disputes import disagreement_of_items
from stance.annotate.ratings import Ratings
from stance.errors import UsageError
from stance.statistics import Estimate, cohen_kappa, fleiss_kappa, krippendorff_alpha, one_against_rest

__all__ = ["AgreementReport", "Drift", "Pair", "TargetAgreement", "WorstItem", "measure_agreement"]

_SCALE = ("against", "neutral", "favor")
_WINDOWS = 8
_SMALLEST_WINDOW = 15
_WORST = 25


@dataclass(frozen=True, slots=True)
class TargetAgreement:
    """Agreement on one target, or on all together (`target` is empty).

    Parameters
    ----------
    target
        Name.
    alpha, ordinal
        Krippendorff's alpha, nominal over all labels and ordinal over the scale's; ``ordinal`` is ``None`` where the
        label set has no scale.
    fleiss
        Fleiss' kappa.
    by_label, fleiss_by_label
        Alpha and Fleiss' kappa of each label against the rest.
    """

    target: str
    alpha: Estimate
    ordinal: Estimate | None
    fleiss: Estimate
    by_label: Mapping[str, Estimate]
    fleiss_by_label: Mapping[str, Estimate]


@dataclass(frozen=True, slots=True)
class Pair:
    """Cohen's kappa of two annotators: of all labels over all targets, and by target and label.

    Parameters
    ----------
    first, second
        Names.
    kappa
        All labels and targets.
    by_target
        All labels, for each target.
    by_label
        Each label against the rest, over all targets.
    """

    first: str
    second: str
    kappa: Estimate
    by_target: Mapping[str, Estimate]
    by_label: Mapping[str, Estimate]


@dataclass(frozen=True, slots=True)
class Drift:
    """Alpha over all targets of the items that got their second rating in one stretch of time."""

    since: str
    until: str
    items: int
    alpha: Estimate


@dataclass(frozen=True, slots=True)
class WorstItem:
    """An item annotators disagree on; `labels` by target and annotator."""

    item: str
    speaker: str
    text: str
    disagreement: float
    labels: Mapping[str, Mapping[str, str]]
    settled: bool


@dataclass(frozen=True, slots=True)
class AgreementReport:
    """All figures of the agreement report.

    Parameters
    ----------
    name, labels, targets, annotators
        Of the project.
    given
        Finished ratings per annotator.
    twice
        Items rated by at least two.
    overall
        All targets together.
    by_target
        Each target.
    pairs
        Each two annotators that share an item.
    drift
        Stretches of time, in order; empty where times are unknown or too few items were rated twice.
    worst
        The 25 items with most disagreement.
    disputed
        How many items have any.
    scale
        Labels of the ordinal scale, in order.
    suggested
        Share of the labels compared that were given with the model's suggestion on screen, 0 to 1.
    """

    name: str
    labels: tuple[str, ...]
    targets: tuple[str, ...]
    annotators: tuple[str, ...]
    given: Mapping[str, int]
    twice: int
    overall: TargetAgreement
    by_target: tuple[TargetAgreement, ...]
    pairs: tuple[Pair, ...]
    drift: tuple[Drift, ...]
    worst: tuple[WorstItem, ...]
    disputed: int
    scale: tuple[str, ...]
    suggested: float = 0.0

    @property
    def warning(self) -> str:
        """What makes the figures too high, in words; empty if nothing is known to."""
        if not self.suggested:
            return ""
        share = f"{self.suggested:.0%}" if self.suggested >= 0.005 else "under 1%"
        return (
            f"{share} of the labels compared were given with the model's suggestion on screen. "
            "That makes annotators alike: they would agree less without it."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as plain values; undefined ones are ``None``."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain

    def lines(self) -> list[str]:
        """Return the main figures as lines of text."""
        found = [f"{self.name}: {len(self.annotators)} annotators, {self.twice} items rated by two or more"]
        for part in (self.overall, *self.by_target):
            ordinal = f", ordinal {_shown(part.ordinal)}" if part.ordinal else ""
            name = part.target or "all targets"
            found.append(f"{name}: alpha {_shown(part.alpha)}{ordinal}, Fleiss' kappa {_shown(part.fleiss)}")
        found += [f"{p.first} and {p.second}: Cohen's kappa {_shown(p.kappa)}" for p in self.pairs]
        return [*found, f"Warning: {self.warning}"] if self.warning else found


def measure_agreement(
    ratings: Ratings, *, ordinal: Sequence[str] | None = None, resamples: int = 1_000, seed: int = 0
) -> AgreementReport:
    """Compute every figure of the agreement report.

    Parameters
    ----------
    ratings
        Who gave which label. An adjudicator's decisions are no rating.
    ordinal
        Labels that form a scale, in order; against, neutral and favor if the label set has them and nothing else is
        said. The other labels count as missing on it.
    resamples
        Bootstrap draws of each interval; whole documents are drawn.
    seed
        Seed of the draws.

    Raises
    ------
    UsageError
        If the scale names an unknown label, or fewer than two.
    """
    scale = _scale(ratings.labels, ordinal)
    clusters = ratings.clusters()
    codes = {target: ratings.codes(target) for target in ratings.targets}
    pooled = np.concatenate(list(codes.values()))
    everywhere = clusters * len(ratings.targets)
    options: dict[str, Any] = {"resamples": resamples, "seed": seed}

    def part(target: str, values: NDArray[np.int64], groups: list[str]) -> TargetAgreement:
        k = len(ratings.labels)
        against_rest = {label: one_against_rest(values, i) for i, label in enumerate(ratings.labels)}
        ranked = _ranks(values, ratings.labels, scale)
        return TargetAgreement(
            target,
            krippendorff_alpha(values, k, clusters=groups, **options),
            krippendorff_alpha(ranked, len(scale), level="ordinal", clusters=groups, **options) if scale else None,
            fleiss_kappa(values, k, clusters=groups, **options),
            {name: krippendorff_alpha(each, 2, clusters=groups, **options) for name, each in against_rest.items()},
            {name: fleiss_kappa(each, 2, clusters=groups, **options) for name, each in against_rest.items()},
        )

    shares = disagreement_of_items(ratings)
    twice = (np.stack(list(codes.values())) >= 0).any(axis=0).sum(axis=1) > 1
    return AgreementReport(
        name=ratings.name,
        labels=ratings.labels,
        targets=ratings.targets,
        annotators=ratings.annotators,
        given={name: sum(r.annotator == name for r in ratings.ratings) for name in ratings.annotators},
        twice=int(twice.sum()),
        overall=part("", pooled, everywhere),
        by_target=tuple(part(target, values, clusters) for target, values in codes.items()),
        pairs=_pairs(ratings, codes, clusters, options),
        drift=_drift(ratings, codes, clusters, resamples, seed),
        worst=_worst(ratings, shares),
        disputed=sum(share > 0 for share in shares.values()),
        scale=scale,
        suggested=_suggested(ratings, codes),
    )


def _suggested(ratings: Ratings, codes: Mapping[str, NDArray[np.int64]]) -> float:
    """Return the share of suggested labels among those that another annotator's stand beside."""
    several = {
        (item, target)
        for target, values in codes.items()
        for item, count in zip(ratings.rated, (values >= 0).sum(axis=1), strict=True)
        if count > 1
    }
    compared = [t in r.suggested for r in ratings.ratings for t in r.labels if (r.item, t) in several]
    return sum(compared) / len(compared) if compared else 0.0


def _scale(labels: Sequence[str], asked: Sequence[str] | None) -> tuple[str, ...]:
    if asked is None:
        return _SCALE if set(_SCALE) <= set(labels) else ()
    if unknown := [label for label in asked if label not in labels]:
        raise UsageError(f"the scale names {', '.join(unknown)}; the labels are {', '.join(labels)}")
    if len(set(asked)) < 2:
        raise UsageError("a scale needs at least two different labels")
    return tuple(asked)


def _ranks(codes: NDArray[np.int64], labels: Sequence[str], scale: Sequence[str]) -> NDArray[np.int64]:
    """Return ranks on the scale, -1 for labels outside it and for missing ones."""
    table = np.array([scale.index(label) if label in scale else -1 for label in labels] + [-1], dtype=np.int64)
    return np.asarray(table[codes])


def _pairs(
    ratings: Ratings, codes: Mapping[str, NDArray[np.int64]], clusters: list[str], options: Mapping[str, Any]
) -> tuple[Pair, ...]:
    pooled, everywhere, k = np.concatenate(list(codes.values())), clusters * len(codes), len(ratings.labels)
    found = []
    for (i, first), (j, second) in combinations(enumerate(ratings.annotators), 2):

        def kappa(values: NDArray[np.int64], labels: int, groups: list[str], i: int = i, j: int = j) -> Estimate:
            return cohen_kappa(values[:, i], values[:, j], labels, clusters=groups, **options)

        whole = kappa(pooled, k, everywhere)
        if whole.units:
            by_target = {target: kappa(values, k, clusters) for target, values in codes.items()}
            by_label = {
                label: kappa(one_against_rest(pooled, n), 2, everywhere) for n, label in enumerate(ratings.labels)
            }
            found.append(Pair(first, second, whole, by_target, by_label))
    return tuple(found)


def _drift(
    ratings: Ratings, codes: Mapping[str, NDArray[np.int64]], clusters: list[str], resamples: int, seed: int
) -> tuple[Drift, ...]:
    """Cut the items rated twice, by the time of their second rating, into stretches of equal size."""
    times: dict[str, list[str]] = {}
    for rating in ratings.ratings:
        if rating.at:
            times.setdefault(rating.item, []).append(rating.at)
    place = {item: i for i, item in enumerate(ratings.rated)}
    moments = sorted((sorted(at)[1], place[item]) for item, at in times.items() if len(at) > 1)
    windows = min(_WINDOWS, len(moments) // _SMALLEST_WINDOW)
    if windows < 2:
        return ()
    found = []
    for part in np.array_split(np.arange(len(moments)), windows):
        rows = [moments[i][1] for i in part]
        values = np.concatenate([each[rows] for each in codes.values()])
        groups = [clusters[row] for row in rows] * len(codes)
        alpha = krippendorff_alpha(values, len(ratings.labels), clusters=groups, resamples=resamples, seed=seed)
        found.append(Drift(moments[part[0]][0], moments[part[-1]][0], len(rows), alpha))
    return tuple(found)


def _worst(ratings: Ratings, shares: Mapping[str, float]) -> tuple[WorstItem, ...]:
    by_item: dict[str, dict[str, Mapping[str, str]]] = {}
    for rating in ratings.ratings:
        by_item.setdefault(rating.item, {})[rating.annotator] = rating.labels
    found = []
    for item, share in sorted(shares.items(), key=lambda pair: -pair[1])[:_WORST]:
        if share <= 0:
            break
        statement = ratings.items[item].statement
        labels = {t: {who: given[t] for who, given in by_item[item].items() if t in given} for t in ratings.targets}
        split = {t: given for t, given in labels.items() if len(set(given.values())) > 1}
        speaker = statement.speaker.name if statement.speaker else ""
        found.append(WorstItem(item, speaker, statement.text, share, split, item in ratings.decisions))
    return tuple(found)


def _shown(estimate: Estimate) -> str:
    if math.isnan(estimate.value):
        return "undefined"
    if math.isnan(estimate.low):
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value
