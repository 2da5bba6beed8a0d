"""Stance balance and addressed share of cells of an archive, corrected, with intervals clustered by article.

The two figures are defined here and nowhere else. With ``a``, ``n``, ``f`` the (corrected) numbers of statements
against, neutral toward and in favor of a target, and ``N`` all statements:

- stance balance ``(f − a) / (a + n + f)``, from −1 to 1: the net sentiment of media content analysis (the absolute
  proportional difference of the scales that Lowe, Benoit, Mikhaylov & Laver 2011, Legis. Stud. Q. 36(1), compare, over
  the statements that address the target);
- addressed share ``(a + n + f) / N``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.bias.archive import Archive
from stance.bias.confusion import ErrorCounts
from stance.bias.hashing import mixed
from stance.statistics.correction import draw_error_rates
from stance.statistics.resampling import cluster_draws
from stance.statistics.spread import effective_clusters, percentile_interval, small_sample_factor

__all__ = ["Cells", "Estimator", "addressed", "balance"]

_GROUPS = 1000  # clusters of one outlet; more articles are put together at random (random groups, Wolter 2007)
_EPSILON = 1e-9
_MOST_NUMBERS = 10_000_000  # of one block of draws


def balance(counts: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return ``(favor − against) / addressed``, kept within −1 and 1; shape ``(…, 4)`` to ``(…)``."""
    total = np.maximum(counts[..., :3].sum(axis=-1), _EPSILON)
    return np.asarray(np.clip((counts[..., 2] - counts[..., 0]) / total, -1.0, 1.0))


def addressed(counts: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the share of statements that address the target; shape ``(…, 4)`` to ``(…)``."""
    total = np.maximum(counts.sum(axis=-1), _EPSILON)
    return np.asarray(np.clip(counts[..., :3].sum(axis=-1) / total, 0.0, 1.0))


@dataclass(frozen=True)
class Cells:
    """Figures of the cells of one table; arrays have one entry per cell.

    Parameters
    ----------
    keys
        Codes of each cell's keys, shape ``(cells, keys)``.
    counts
        Answers by label, shape ``(cells, 4)``.
    articles
        Articles with a statement that addresses the target.
    effective
        Articles of equal weight these are worth.
    worth
        As many independent normal articles tell as much about the variance, at most `effective`: what Student's t
        goes by.
    variance
        Variance of the balance from the choice of articles alone.
    draws
        Balance under joint draws of articles and error rates, shape ``(cells, draws)``.
    rate_draws
        Balance of all articles under draws of the error rates, shape ``(cells, draws)``.
    share_draws
        Addressed share under joint draws, shape ``(cells, draws)``.
    """

    keys: NDArray[np.int64]
    counts: NDArray[np.float64]
    corrected: NDArray[np.float64]
    articles: NDArray[np.int64]
    effective: NDArray[np.float64]
    worth: NDArray[np.float64]
    variance: NDArray[np.float64]
    draws: NDArray[np.float64]
    rate_draws: NDArray[np.float64]
    share_draws: NDArray[np.float64]
    raw_low: NDArray[np.float64]
    raw_high: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def balance(self) -> NDArray[np.float64]:
        """Corrected balance of each cell."""
        return balance(self.corrected)

    def take(self, which: NDArray[np.int64] | NDArray[np.bool_]) -> Cells:
        """Return some of the cells."""
        return Cells(**{name: value[which] for name, value in vars(self).items()})


class Estimator:
    """Estimates cells; all of one estimator share its draws of the error rates.

    Parameters
    ----------
    targets
        Names of the targets by code.
    errors
        The classifier's known errors, or ``None`` to leave counts as they are.
    level
        Level of the intervals.
    draws
        Number of draws.
    seed
        Seed of all draws.
    """

    def __init__(
        self, targets: Sequence[str], errors: ErrorCounts | None, *, level: float, draws: int, seed: int
    ) -> None:
        self.targets, self.level, self.draws, self.seed = tuple(targets), level, draws, seed
        self.mean: dict[int, NDArray[np.float64]] = {}
        self.rates: dict[int, NDArray[np.float64]] = {}
        if errors is not None:
            found = draw_error_rates(errors.effective(), draws=draws, rng=np.random.default_rng(seed))
            for i, target in enumerate(errors.counts):
                if target in self.targets:
                    code = self.targets.index(target)
                    self.mean[code], self.rates[code] = found.mean[i], found.draws[i]

    def cells(
        self,
        archive: Archive,
        keys: Sequence[str],
        *,
        columns: Mapping[str, NDArray[Any]] | None = None,
        clusters: NDArray[np.int64] | None = None,
        weights: NDArray[np.float64] | None = None,
        salt: int = 0,
    ) -> Cells:
        """Estimate every cell that occurs.

        Parameters
        ----------
        archive
            The rows.
        keys
            Columns that make up a cell; ``target`` is one of them.
        columns
            Further columns, by name.
        clusters
            What is drawn with replacement, a code per row; the article if not given. Clusters are drawn within
            outlets if ``outlet`` is a key, else over all.
        weights
            Weight of each row, 1 if not given.
        salt
            Two calls with different salts draw their articles independently.
        """
        table = {**archive.columns, **(columns or {})}
        code = np.stack([table[k].astype(np.int64) for k in keys], axis=1)
        cell_keys, cell = _distinct(code)
        drawn = table["article"].astype(np.int64) if clusters is None else clusters
        pool = table["outlet"].astype(np.int64) if "outlet" in keys else np.zeros(len(cell), dtype=np.int64)
        label = table["label"].astype(np.int64)
        parts = []
        order = np.argsort(pool, kind="stable")
        bounds = np.flatnonzero(np.diff(pool[order])) + 1
        for rows in np.split(order, bounds):
            if not len(rows):
                continue
            mine, local = np.unique(cell[rows], return_inverse=True)
            unit = _grouped(drawn[rows])
            size = (int(unit.max()) + 1, len(mine), 4)
            flat = (unit * len(mine) + local) * 4 + label[rows]
            weight = None if weights is None else weights[rows]
            counts = np.bincount(flat, weights=weight, minlength=size[0] * size[1] * 4).reshape(size)
            articles = _articles(table["article"][rows], local, label[rows] < 3, len(mine))
            seed = (salt, int(pool[rows[0]]) + 1 if "outlet" in keys else 0)
            found = self._pool(cell_keys[mine], counts.astype(np.float64), articles, list(keys).index("target"), seed)
            parts += found
        joined = {name: np.concatenate([p[name] for p in parts]) for name in parts[0]} if parts else _nothing(keys)
        order = np.lexsort(joined["keys"].T[::-1])
        return Cells(**{name: value[order] for name, value in joined.items()})

    def _pool(
        self,
        keys: NDArray[np.int64],
        counts: NDArray[np.float64],
        articles: NDArray[np.int64],
        target_at: int,
        seed: tuple[int, int],
    ) -> list[dict[str, NDArray[Any]]]:
        """Estimate the cells of one pool of clusters; `counts` has shape ``(clusters, cells, 4)``."""
        step = max(1, _MOST_NUMBERS // (self.draws * 4))
        parts = []
        for start in range(0, len(keys), step):
            stop = start + step
            block = counts[:, start:stop]
            rng = np.random.default_rng([self.seed, *seed])  # the same articles are drawn for every block of a pool
            drawn = cluster_draws(block.reshape(len(block), -1), draws=self.draws, rng=rng)
            drawn = drawn.reshape(self.draws, *block.shape[1:]).transpose(1, 0, 2)  # (cells, draws, 4)
            found = self._block(
                keys[start:stop], block, drawn, target_at, np.random.default_rng([self.seed, *seed, start])
            )
            parts.append({**found, "articles": articles[start:stop]})
        return parts

    def _inverse(self, target: int) -> NDArray[np.float64]:
        mean = self.mean.get(target)
        return np.eye(4) if mean is None else np.asarray(np.linalg.pinv(mean))

    def _block(
        self,
        keys: NDArray[np.int64],
        counts: NDArray[np.float64],
        drawn: NDArray[np.float64],
        target_at: int,
        rng: np.random.Generator,
    ) -> dict[str, NDArray[Any]]:
        total = counts.sum(axis=0)  # (cells, 4)
        effective = effective_clusters(counts[..., :3].sum(axis=-1))
        speaking = effective_clusters(counts.sum(axis=-1))  # articles that say anything, what a share is of
        worth = effective.copy()
        for target in np.unique(keys[:, target_at]):
            mine = keys[:, target_at] == target
            worth[mine] = _worth(counts[:, mine], effective[mine], self._inverse(int(target)))
        factor, share_factor = (small_sample_factor(n, self.level)[:, None] for n in (worth, speaking))
        moves = drawn - total[:, None]
        raw_low, raw_high = percentile_interval(
            balance(total[:, None] + moves * factor[..., None]), self.level, axis=1, few=True
        )
        n = len(keys)
        corrected = np.empty((n, 4))
        draws, rate_draws, share_draws, plain = (np.empty((n, self.draws)) for _ in range(4))
        for target in np.unique(keys[:, target_at]):
            mine = keys[:, target_at] == target
            mean, rates = self.mean.get(int(target)), self.rates.get(int(target))
            if mean is None or rates is None:
                mean, rates = np.eye(4), np.eye(4)[None]
            inverse, inverses = np.linalg.pinv(mean), np.linalg.pinv(rates)
            corrected[mine] = total[mine] @ inverse
            moved = np.einsum("cdi,dij->cdj", moves[mine], np.broadcast_to(inverses, (self.draws, 4, 4)))
            fixed = np.einsum("ci,dij->cdj", total[mine], inverses)
            draws[mine] = balance(fixed + moved * factor[mine][..., None])
            share_draws[mine] = addressed(fixed + moved * share_factor[mine][..., None])
            rate_draws[mine] = np.broadcast_to(balance(fixed), rate_draws[mine].shape)
            plain[mine] = balance(drawn[mine] @ inverse)
        variance = plain.var(axis=1) * effective / np.maximum(effective - 1, 0.5)
        floor = _independent_variance(total)
        noise = rng.standard_normal(draws.shape)
        draws += noise * np.sqrt(np.maximum(floor - variance, 0.0))[:, None] * factor
        variance = np.maximum(variance, floor)
        alone = effective < 1.5  # one article in fact: how articles differ is not known at all
        variance[alone] = 1.0
        draws[alone] = rng.uniform(-1, 1, size=(int(alone.sum()), self.draws))
        missing = np.maximum(_independent_share_variance(total) - share_draws.var(axis=1), 0.0)
        share_draws += rng.standard_normal(draws.shape) * np.sqrt(missing)[:, None] * share_factor
        share_draws[speaking < 1.5] = rng.uniform(0, 1, size=(int((speaking < 1.5).sum()), self.draws))
        return {
            "keys": keys,
            "counts": total,
            "corrected": corrected,
            "effective": effective,
            "worth": worth,
            "variance": variance,
            "draws": np.clip(draws, -1.0, 1.0),
            "rate_draws": rate_draws,
            "share_draws": np.clip(share_draws, 0.0, 1.0),
            "raw_low": raw_low,
            "raw_high": raw_high,
        }


def _worth(
    counts: NDArray[np.float64], effective: NDArray[np.float64], inverse: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return how many normal articles would tell as much about the variance of a balance as these.

    Satterthwaite's degrees of freedom ``2 E[v]² / Var[v]`` of the linearised variance ``v = Σ r²``, plus one; articles
    of unequal length or with long tails tell less than their number.

    Parameters
    ----------
    counts
        Answers, shape ``(articles, cells, 4)``.
    effective
        The most that is returned, shape ``(cells,)``.
    inverse
        Inverse of the error rates.
    """
    corrected = counts.sum(axis=0) @ inverse
    slope = np.array([-1.0, 0.0, 1.0, 0.0]) - balance(corrected)[:, None] * np.array([1.0, 1.0, 1.0, 0.0])
    squares = np.einsum("uci,ci->uc", counts, slope @ inverse.T) ** 2
    articles = np.maximum((counts.sum(axis=-1) > 0).sum(axis=0), 1)
    total = squares.sum(axis=0)
    spread = (squares**2).sum(axis=0) - total**2 / articles
    freedom = np.divide(2 * total**2, spread, out=np.full(len(total), np.inf), where=spread > _EPSILON * total**2)
    return np.asarray(np.minimum(effective, 1 + freedom))


def _independent_variance(total: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the balance's variance if statements were independent, from shares smoothed by one of each label.

    A bootstrap sees no variation where all statements agree; this is the least that is assumed then.
    """
    n = total[:, :3].sum(axis=1)
    share = (total[:, :3] + 1) / (n + 3)[:, None]
    mean = share[:, 2] - share[:, 0]
    return np.asarray((share[:, 2] + share[:, 0] - mean**2) / np.maximum(n, 1))


def _independent_share_variance(total: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the addressed share's variance if statements were independent, from a share smoothed by one of each."""
    n = total.sum(axis=1)
    share = (total[:, :3].sum(axis=1) + 1) / (n + 2)
    return np.asarray(share * (1 - share) / np.maximum(n, 1))


def _distinct(code: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the distinct rows of codes and the place of each row among them."""
    low = code.min(axis=0) if len(code) else np.zeros(code.shape[1], dtype=np.int64)
    sizes = (code.max(axis=0) - low + 1) if len(code) else np.ones(code.shape[1], dtype=np.int64)
    flat = np.zeros(len(code), dtype=np.int64)
    for i, size in enumerate(sizes):
        flat = flat * size + (code[:, i] - low[i])
    _, first, place = np.unique(flat, return_index=True, return_inverse=True)
    return code[first], place


def _grouped(clusters: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number clusters from 0; beyond `_GROUPS` they are put together at random."""
    _, place = np.unique(clusters, return_inverse=True)
    if len(place) and place.max() >= _GROUPS:
        spread = mixed(clusters.astype(np.uint64)) % np.uint64(_GROUPS)
        return spread.astype(np.int64)
    return np.asarray(place)


def _articles(
    article: NDArray[Any], cell: NDArray[np.int64], addressed_rows: NDArray[np.bool_], cells: int
) -> NDArray[np.int64]:
    pairs = np.unique(article[addressed_rows].astype(np.int64) * cells + cell[addressed_rows])
    return np.bincount(pairs % cells, minlength=cells)


def _nothing(keys: Sequence[str]) -> dict[str, NDArray[Any]]:
    wide = {name: np.empty((0, 0)) for name in ("draws", "rate_draws", "share_draws")}
    flat = {name: np.empty(0) for name in ("effective", "worth", "variance", "raw_low", "raw_high")}
    counts = {name: np.empty((0, 4)) for name in ("counts", "corrected")}
    empty = np.empty((0, len(keys)), dtype=np.int64)
    return {"keys": empty, "articles": np.empty(0, dtype=np.int64), **wide, **flat, **counts}
