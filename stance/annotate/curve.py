"""The learning curve of the loop as SVG."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Any

__all__ = ["curve_svg"]

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 640, 280, 52, 20, 16, 44


def curve_svg(result: Mapping[str, Any]) -> str:
    """Return the drawing of a result of `stance.annotate.loop.run_loop`; only numbers of it are written out."""
    points = [
        {key: float(p["macro_f1"] if p[key] is None else p[key]) for key in ("statements", "macro_f1", "low", "high")}
        for p in result["curve"]
    ]
    more = int(result["more"])
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
    if result["slope"] is not None:
        slope, intercept = float(result["slope"]), float(result["intercept"])
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
