"""What a turn of the loop found: its figures, the file they are kept in, and the learning curve as SVG."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from math import sqrt
from pathlib import Path

__all__ = ["CurvePoint", "LoopResult", "curve_svg", "model_folder", "read_result", "write_result"]

_FILE = "loop.json"
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 640, 280, 52, 20, 16, 44


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A model on the learning curve.

    Parameters
    ----------
    statements
        Labelled statements it was trained on; 0 for the model before training.
    macro_f1, low, high
        Macro-F1 on the held-out statements with its 95 % interval, ``None`` where they are of one document.
    seconds
        Time the training took.
    """

    statements: int
    macro_f1: float
    low: float | None
    high: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class LoopResult:
    """What one turn of the loop found; `gain` is the expected rise of macro-F1 by the next `more` statements.

    It and the curve's `intercept` and `slope` are ``None`` where models of one size tell nothing of a rise.
    """

    curve: tuple[CurvePoint, ...]
    held_out: int
    more: int
    gain: float | None
    gain_low: float | None
    gain_high: float | None
    intercept: float | None
    slope: float | None
    model: str
    output: str
    seconds: float
    verdict: str


def model_folder(output: str | Path) -> Path:
    """Return where the loop leaves its model."""
    return Path(output) / "model"


def write_result(result: LoopResult, output: str | Path) -> None:
    """Write a result into the loop's folder, so that a reader finds the old one or the new, never half of it."""
    path = Path(output) / _FILE
    partial = path.with_name(f"{_FILE}.{os.getpid()}.part")
    partial.write_text(json.dumps(asdict(result), ensure_ascii=False, indent=1), encoding="utf-8")
    os.replace(partial, path)


def read_result(output: str | Path) -> LoopResult | None:
    """Return the result in a loop's folder; ``None`` if there is none, or one of another version or cut short."""
    try:
        fields = json.loads((Path(output) / _FILE).read_text(encoding="utf-8"))
        result = LoopResult(**{**fields, "curve": tuple(CurvePoint(**point) for point in fields["curve"])})
        curve_svg(result)  # also its values must be those that are shown
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return result


def curve_svg(result: LoopResult) -> str:
    """Return the drawing of a result; only numbers of it are written out."""
    points = [
        {key: float(p.macro_f1 if value is None else value) for key, value in asdict(p).items() if key != "seconds"}
        for p in result.curve
    ]
    more = int(result.more)
    largest = max(p["statements"] for p in points)
    right = largest + more
    bottom = max(0.0, min(p["low"] for p in points) - 0.05)
    top = min(1.0, max(p["high"] for p in points) + 0.05)

    def x(n: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * n / right

    def y(score: float) -> float:
        clipped = max(bottom, min(top, score))
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - (clipped - bottom) / (top - bottom))

    parts = [f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="Learning curve">']
    for i in range(5):
        score = bottom + (top - bottom) * i / 4
        parts.append(
            f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y(score):.1f}" y2="{y(score):.1f}"/>'
        )
        parts.append(f'<text x="{_LEFT - 8}" y="{y(score) + 4:.1f}" text-anchor="end">{score:.2f}</text>')
    if result.slope is not None and result.intercept is not None:
        slope, intercept = float(result.slope), float(result.intercept)
        first = min((p["statements"] for p in points if p["statements"] > 0), default=1.0)
        steps = [first + (right - first) * i / 40 for i in range(41)]
        line = " ".join(f"{x(n):.1f},{y(intercept - slope / sqrt(n)):.1f}" for n in steps)
        parts.append(f'<polyline class="curve" points="{line}"/>')
        ahead = y(intercept - slope / sqrt(right))
        parts.append(f'<circle class="next" cx="{x(right) - 4:.1f}" cy="{ahead:.1f}" r="5"/>')
        parts.append(f'<text x="{x(right):.1f}" y="{_HEIGHT - 24}" text-anchor="end">+{more}</text>')
    for p in points:
        at = x(p["statements"])
        parts.append(
            f'<line class="whisker" x1="{at:.1f}" x2="{at:.1f}" y1="{y(p["low"]):.1f}" y2="{y(p["high"]):.1f}"/>'
        )
        parts.append(f'<circle class="dot" cx="{at:.1f}" cy="{y(p["macro_f1"]):.1f}" r="4.5"/>')
        parts.append(f'<text x="{at:.1f}" y="{_HEIGHT - 24}" text-anchor="middle">{p["statements"]:.0f}</text>')
    parts.append(
        f'<text x="{(_LEFT + _WIDTH) / 2:.0f}" y="{_HEIGHT - 6}" text-anchor="middle">labelled statements</text>'
    )
    return "".join([*parts, "</svg>"])
