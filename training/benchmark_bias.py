"""Do the intervals of bias reports cover the truth? ``python -m training.benchmark_bias [--archives 1000]``.

Archives are simulated with known outlet balances and a classifier with known error rates. Each archive gets its own
validation sample, so that what is not known of the errors is part of the trial, and its articles differ more than
chance alone would have it. Then the code of `stance report` estimates every outlet's balance. Printed: how often its
intervals cover the truth, how often those of the plain count do, and in how many archives whose outlets are all alike
a difference is called established.

``--rows 10000000`` instead writes that many rows to Parquet and times a report on them.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from stance.bias.archive import Archive
from stance.bias.cells import Cells, Estimator
from stance.bias.compare import between_outlets
from stance.bias.confusion import ErrorCounts
from stance.bias.measures import cell_table, partly_pooled
from stance.schema import LABELS

__all__ = ["RATES", "Coverage", "Simulated", "coverage", "main", "simulate", "write_rows"]

TARGETS = ("Alphaland", "Betaland", "Gammaland")
RATES = np.array(
    [[0.72, 0.20, 0.02, 0.06], [0.08, 0.78, 0.08, 0.06], [0.03, 0.22, 0.71, 0.04], [0.01, 0.03, 0.005, 0.955]]
)
"""Answers given the true label, about what a small model reaches."""
_VALIDATION = (70, 120, 60, 300)  # statements by true label and target
_VARIED = 150.0  # how alike the targets' error rates are: the concentration of their Dirichlet distribution


@dataclass(frozen=True)
class Simulated:
    """An archive, the errors as a validation sample shows them, and the true balance and share by outlet and target."""

    archive: Archive
    errors: ErrorCounts
    truth: NDArray[np.float64]
    share: NDArray[np.float64]


@dataclass(frozen=True)
class Coverage:
    """Shares over many archives: of intervals that cover the truth, and of archives with a false difference.

    Parameters
    ----------
    covered
        By kind of interval: ``corrected``, ``pooled`` and ``counted`` balances, ``share`` (the corrected addressed
        share), ``difference`` (between two outlets).
    false_difference
        Of archives without any difference, in how many one is called established.
    archives
        Number of archives.
    """

    covered: dict[str, float]
    false_difference: float
    archives: int


def simulate(
    seed: int, *, outlets: int = 6, articles: tuple[int, int] = (25, 120), differ: bool = True, clustered: float = 6.0
) -> Simulated:
    """Simulate an archive.

    Parameters
    ----------
    seed
        Everything is drawn from it.
    outlets
        Number of outlets.
    articles
        Least and most articles of an outlet.
    differ
        Whether outlets have balances of their own.
    clustered
        Concentration of an article's own mix of stances around its outlet's; small is more clustered.
    """
    rng = np.random.default_rng(seed)
    rates = [np.array([rng.dirichlet(row * _VARIED) for row in RATES]) for _ in TARGETS]
    validation = {
        t: np.array([rng.multinomial(n, r[i]) for i, n in enumerate(_VALIDATION)], dtype=np.float64)
        for t, r in zip(TARGETS, rates, strict=True)
    }
    mix = np.array([[rng.dirichlet((4, 5, 3, 8)) for _ in TARGETS] for _ in range(outlets if differ else 1)])
    mix = np.broadcast_to(mix, (outlets, len(TARGETS), 4))
    parts: list[NDArray[np.int64]] = []
    begun = 0
    for outlet in range(outlets):
        sizes = 1 + rng.poisson(5, size=int(rng.integers(articles[0], articles[1] + 1)))
        article = np.repeat(np.arange(len(sizes)), sizes)
        for target in range(len(TARGETS)):
            own = rng.dirichlet(np.maximum(mix[outlet, target], 1e-3) * clustered, size=len(sizes))
            gold = _chosen(own[article], rng)
            answers = _chosen(rates[target][gold], rng)
            head = np.broadcast_to([outlet, target], (len(article), 2))
            parts.append(np.column_stack([begun + article, head, answers]))
        begun += len(sizes)
    rows = np.concatenate(parts)
    share = mix[..., :3].sum(axis=-1)
    truth = (mix[..., 2] - mix[..., 0]) / share
    return Simulated(_archive(rows, begun, outlets), ErrorCounts("simulated@0", validation), truth, share)


def _chosen(shares: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw one label from each row of shares."""
    drawn = (rng.uniform(size=(len(shares), 1)) > shares.cumsum(axis=1)).sum(axis=1)
    return np.minimum(drawn, shares.shape[1] - 1)


def _archive(rows: NDArray[np.int64], articles: int, outlets: int) -> Archive:
    n = len(rows)
    columns = dict(zip(("article", "outlet", "target", "label"), rows.T, strict=True))
    columns |= {"own": np.zeros(n, dtype=bool), "first": rows[:, 2] == 0, "position": np.arange(n)}
    names = {
        "article": tuple(str(i) for i in range(articles)),
        "outlet": tuple(f"Outlet {i + 1}" for i in range(outlets)),
        "target": TARGETS,
    }
    return Archive(columns, names)


_INTERVALS = {
    "corrected": ("low", "high"),
    "pooled": ("pooled_low", "pooled_high"),
    "counted": ("counted_low", "counted_high"),
    "share": ("addressed_low", "addressed_high"),
}


def coverage(archives: int, *, level: float = 0.95, draws: int = 400, first_seed: int = 0) -> Coverage:
    """Estimate many simulated archives and return how often the intervals hold."""
    hits: dict[str, list[bool]] = {name: [] for name in (*_INTERVALS, "difference")}
    false = 0
    for seed in range(first_seed, first_seed + archives):
        made = simulate(seed)
        estimator = Estimator(TARGETS, made.errors, level=level, draws=draws, seed=seed)
        cells = estimator.cells(made.archive, ["outlet", "target"])
        table = cell_table(cells, made.archive, ["outlet", "target"], made.errors, level)
        table = partly_pooled(table, cells, level, group="outlet", seed=seed)
        for row, (outlet, target) in zip(table, cells.keys, strict=True):
            for name, (low, high) in _INTERVALS.items():
                truth = (made.share if name == "share" else made.truth)[outlet, target]
                hits[name].append(bool(row[low] <= truth <= row[high]))
        for row in _differences(estimator, made, cells):
            a, b = (made.archive.names["outlet"].index(row[k]) for k in ("a", "b"))
            truth = made.truth[[a, b], TARGETS.index(row["target"])]
            hits["difference"].append(bool(row["low"] <= truth[0] - truth[1] <= row["high"]))
        alike = simulate(seed + 10_000_000, differ=False)
        estimator = Estimator(TARGETS, alike.errors, level=level, draws=draws, seed=seed)
        cells = estimator.cells(alike.archive, ["outlet", "target"])
        false += any(row["established"] for row in _differences(estimator, alike, cells))
    return Coverage({name: float(np.mean(found)) for name, found in hits.items()}, false / archives, archives)


def _differences(estimator: Estimator, made: Simulated, cells: Cells) -> list[dict[str, Any]]:
    return between_outlets(estimator, made.archive, cells, None, list(range(len(made.truth))), made.errors)


def write_rows(path: Path, rows: int, *, seed: int = 0) -> None:
    """Write that many rows of the row contract, 40 to an article, for timing."""
    import pyarrow as pa

    from stance.schema import rows_schema

    rng = np.random.default_rng(seed)
    schema, batch, targets = rows_schema(), 400_000, ("United States", "Russia", "China", "Ukraine")
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for start in range(0, rows, batch):
            n = min(batch, rows - start)
            row = np.arange(start, start + n)
            article, statement = row // 40, row // 4
            outlet = article % 60
            label = np.array(LABELS)[rng.choice(4, size=n, p=(0.1, 0.15, 0.05, 0.7))]
            speaker = np.char.add("Speaker ", (statement % 5003).astype(str))
            days = (np.datetime64("2023-01-01") + article % 730).astype(str)
            data = {
                "article_id": np.char.add("a", article.astype(str)),
                "outlet": np.char.add("Outlet ", outlet.astype(str)),
                "published": days,
                "statement_id": np.char.add("s", statement.astype(str)),
                "quotation_id": np.char.add("q", statement.astype(str)),
                "start": row,
                "end": row + 60,
                "quote_type": np.full(n, "direct"),
                "statement": np.char.add("Invented words of statement number ", statement.astype(str)),
                "cue": np.array(["said", "claimed", "warned"])[statement % 3],
                "speaker": speaker,
                "speaker_mention": speaker,
                "speaker_country": np.array(["Russia", "China", "Ukraine", "United States", "France"])[statement % 5],
                "target": np.array(targets)[row % 4],
                "label": label,
                **{f"p_{x}": np.where(label == x, 0.85, 0.05) for x in LABELS},
                "confidence": np.full(n, 0.85),
                "abstained": np.zeros(n, dtype=bool),
                "truncated": np.zeros(n, dtype=bool),
                "model": np.full(n, "simulated@0"),
            }
            writer.write_table(pa.table({f.name: pa.array(data[f.name].tolist(), f.type) for f in schema}, schema))


def _time(rows: int, kept: Path | None) -> None:
    from stance.bias import bias_report

    with tempfile.TemporaryDirectory() as folder:
        path = kept or Path(folder) / "rows.parquet"
        if not path.is_file():
            write_rows(path, rows)
        print(f"{pq.read_metadata(path).num_rows:,} rows, {path.stat().st_size / 1e6:.0f} MB on disk")
        start, worked = time.monotonic(), time.process_time()
        report = bias_report(path, progress=lambda what: print(f"{time.monotonic() - start:6.1f} s {what}", flush=True))
        report.write(Path(folder) / "bias.html")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        wall, cpu = time.monotonic() - start, time.process_time() - worked
        print(f"report and page in {wall:.1f} s ({cpu:.1f} s of processors), peak memory of the process {peak:.2f} GB")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--archives", type=int, default=1000)
    parser.add_argument("--rows", type=int, help="time a report on this many rows instead")
    parser.add_argument("--file", type=Path, help="keep the rows here, and use them again if they are here already")
    arguments = parser.parse_args()
    if arguments.rows:
        _time(arguments.rows, arguments.file)
        return
    found = coverage(arguments.archives)
    print(f"{found.archives} archives, intervals of 95 %")
    for name, share in found.covered.items():
        print(f"  {name:10s} cover the truth in {share:.1%}")
    print(f"  archives without any difference where one is called established: {found.false_difference:.1%}")


if __name__ == "__main__":
    main()
