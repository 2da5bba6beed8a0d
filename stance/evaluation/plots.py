"""Plots for papers, as SVG and PNG by Matplotlib."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stance.errors import MissingExtraError
from stance.evaluation.figures import ALL
from stance.evaluation.result import Evaluation
from stance.evaluation.show import slice_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

__all__ = ["write_plots"]

_BLUE, _GREY = "#1d5fa8", "#6b7785"
_STYLE: Any = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "stance",
}
_SLICES = 25


def write_plots(result: Evaluation, folder: Path) -> list[Path]:
    """Write every plot as SVG and PNG (200 dots per inch) and return the paths.

    Raises
    ------
    MissingExtraError
        If Matplotlib is not installed.
    """
    try:
        import matplotlib
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: F401
        from matplotlib.figure import Figure as Canvas
    except ImportError as error:
        raise MissingExtraError("the plots of a report", "report") from error
    folder.mkdir(parents=True, exist_ok=True)
    draw: dict[str, Callable[[Evaluation, Canvas], None]] = {
        "systems": _systems,
        "confusion": _confusion,
        "slices": _slices,
    }
    if result.model.calibration is not None:
        draw |= {"reliability": _reliability, "risk_coverage": _risk_coverage}
    written = []
    with matplotlib.rc_context(_STYLE):
        for name, plot in draw.items():
            canvas = Canvas(figsize=(5.2, 3.6), layout="constrained")
            plot(result, canvas)
            for ending, options in (("svg", {"metadata": {"Date": None}}), ("png", {"dpi": 200})):
                path = folder / f"{name}.{ending}"
                canvas.savefig(path, format=ending, **options)
                written.append(path)
    return written


def _bars(ax: Any, rows: list[tuple[str, Any]], axis: str) -> None:
    """Draw one line with its interval per row, the first on top."""
    for i, (_, f) in enumerate(rows):
        if math.isnan(f.value):
            continue
        if not math.isnan(f.low):
            ax.plot([f.low, f.high], [i, i], color=_GREY if i else _BLUE, linewidth=2)
        ax.plot([f.value], [i], "o", color=_GREY if i else _BLUE, markersize=5)
    ax.set_yticks(range(len(rows)), [name for name, _ in rows])
    ax.invert_yaxis()
    ax.set_xlim(0, 1)
    ax.set_xlabel(axis)
    ax.grid(axis="x", color="#dddddd", linewidth=0.6)


def _systems(result: Evaluation, canvas: Canvas) -> None:
    rows = [(s.predictions.name, s.figures[ALL]["macro_f1"]) for s in result.systems]
    canvas.set_size_inches(5.8, 0.8 + 0.34 * len(rows))
    _bars(canvas.subplots(), rows, "Macro-F1 with 95 % interval")


def _slices(result: Evaluation, canvas: Canvas) -> None:
    rows = [("all", result.model.figures[ALL]["accuracy"])]
    rows += [(slice_name(s), s.figures["accuracy"]) for s in result.slices if not s.small][:_SLICES]
    canvas.set_size_inches(6.4, 0.8 + 0.3 * len(rows))
    _bars(canvas.subplots(), rows, "Accuracy with 95 % interval")


def _confusion(result: Evaluation, canvas: Canvas) -> None:
    counts = np.array(result.confusion())
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    ax = canvas.subplots()
    ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (i, j), n in np.ndenumerate(counts):
        ax.text(j, i, str(n), ha="center", va="center", color="white" if shares[i, j] > 0.55 else "black")
    names = [label.replace("_", " ") for label in result.items.labels]
    ax.set_xticks(range(len(names)), names, rotation=20)
    ax.set_yticks(range(len(names)), names)
    ax.set_xlabel("predicted")
    ax.set_ylabel("gold")


def _reliability(result: Evaluation, canvas: Canvas) -> None:
    assert result.model.calibration is not None
    bins = result.model.calibration.bins
    top, below = canvas.subplots(2, 1, sharex=True, height_ratios=[4, 1])
    x = [b.confidence for b in bins]
    y = np.array([b.accuracy.value for b in bins])
    reach = np.array([[b.accuracy.value - b.accuracy.low, b.accuracy.high - b.accuracy.value] for b in bins]).T
    top.plot([0, 1], [0, 1], "--", color=_GREY, linewidth=1)
    top.errorbar(x, y, yerr=np.nan_to_num(np.maximum(reach, 0)), fmt="o-", color=_BLUE, markersize=4, linewidth=1.2)
    top.set_ylabel("share right")
    top.set_ylim(0, 1.02)
    below.bar([(b.low + b.high) / 2 for b in bins], [b.items for b in bins], width=1 / 16, color=_GREY)
    below.set_ylabel("items")
    below.set_xlabel("confidence")
    below.set_xlim(0, 1)


def _risk_coverage(result: Evaluation, canvas: Canvas) -> None:
    assert result.model.calibration is not None
    coverage, risk, low, high = np.array(result.model.calibration.curve).T
    ax = canvas.subplots()
    ax.fill_between(coverage, low, high, color=_BLUE, alpha=0.18, linewidth=0)
    ax.plot(coverage, risk, color=_BLUE, label="all items")
    point = result.model.calibration.operating
    if point is not None and result.model.calibration.scope_curve:
        part = np.array(result.model.calibration.scope_curve)
        ax.plot(part[:, 0], part[:, 1], "--", color=_BLUE, label=point.items)
        ax.legend(frameon=False, loc="upper left")
    if point is not None and not math.isnan(point.risk.value):
        place = (point.coverage, point.risk.value)
        where: dict[str, Any] = {"xytext": (8, -12)} if point.coverage < 0.5 else {"xytext": (-8, 8), "ha": "right"}
        ax.plot(*place, "o", color=_BLUE)
        ax.annotate("abstention point", place, textcoords="offset points", **where)
    ax.set_xlabel("coverage")
    ax.set_ylabel("share wrong")
    ax.set_xlim(0, 1)
    ax.set_ylim(bottom=0)
    ax.grid(color="#dddddd", linewidth=0.6)
