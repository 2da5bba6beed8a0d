"""Charts of the page: SVG that takes its colours from the page, so that it follows light and dark."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from stance.evaluation.calibration import Bin
from stance.evaluation.figures import Figure

__all__ = ["forest", "interval_bar", "reliability", "risk_coverage"]

_W, _H, _LEFT, _RIGHT, _BOTTOM, _TOP = 460, 330, 66, 22, 44, 14
_LONGEST_NAME = 36  # characters that fit over a line of a forest plot in bold


def _svg(width: float, height: float, title: str, description: str, body: Sequence[str]) -> str:
    return (
        f'<svg class="chart" viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(title)}. '
        f'{escape(description)}"><title>{escape(title)}</title>{"".join(body)}</svg>'
    )


def _x(value: float) -> float:
    return _LEFT + value * (_W - _LEFT - _RIGHT)


def _y(value: float, top: float = 1.0) -> float:
    return _H - _BOTTOM - value / top * (_H - _BOTTOM - _TOP)


def _axes(x_name: str, y_name: str, top: float = 1.0) -> list[str]:
    out = []
    for i in range(6):
        x, y = _x(i / 5), _y(i / 5 * top, top)
        out.append(f'<line class="grid" x1="{_LEFT}" x2="{_W - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        out.append(f'<text class="tick" x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{i / 5 * top:.0%}</text>')
        out.append(f'<text class="tick" x="{x:.1f}" y="{_H - _BOTTOM + 18}" text-anchor="middle">{i / 5:.0%}</text>')
    out.append(f'<text class="axis" x="{_x(0.5):.1f}" y="{_H - 6}" text-anchor="middle">{escape(x_name)}</text>')
    middle = _y(top / 2, top)
    turn = f"rotate(-90 15 {middle:.1f})"
    out.append(
        f'<text class="axis" x="15" y="{middle:.1f}" text-anchor="middle" transform="{turn}">{escape(y_name)}</text>'
    )
    return out


def reliability(bins: Sequence[Bin]) -> str:
    """Return the reliability diagram: accuracy against confidence with intervals, and how many items lie where."""
    most = max(b.items for b in bins)
    body = _axes("Confidence of the model", "Share that is right")
    for b in bins:
        height = 46 * b.items / most
        wide = _x(b.high) - _x(b.low) - 2
        body.append(
            f'<rect class="mass" x="{_x(b.low) + 1:.1f}" y="{_H - _BOTTOM - height:.1f}" width="{wide:.1f}" '
            f'height="{height:.1f}"><title>{b.items} items</title></rect>'
        )
    body.append(f'<line class="ideal" x1="{_x(0):.1f}" y1="{_y(0):.1f}" x2="{_x(1):.1f}" y2="{_y(1):.1f}"/>')
    points = " ".join(f"{_x(b.confidence):.1f},{_y(b.accuracy.value):.1f}" for b in bins)
    body.append(f'<polyline class="line" points="{points}"/>')
    for b in bins:
        x, a = _x(b.confidence), b.accuracy
        if not math.isnan(a.low):
            body.append(f'<line class="whisker" x1="{x:.1f}" x2="{x:.1f}" y1="{_y(a.low):.1f}" y2="{_y(a.high):.1f}"/>')
        tip = f"confidence {b.confidence:.2f}, right {a.value:.2f}, {b.items} items"
        body.append(f'<circle class="point" cx="{x:.1f}" cy="{_y(a.value):.1f}" r="4"><title>{tip}</title></circle>')
    said = "; ".join(f"at confidence {b.confidence:.2f} right in {a.value:.0%}" for b in bins if (a := b.accuracy))
    return _svg(_W, _H, "Reliability diagram", said, body)


_Curve = Sequence[tuple[float, float, float, float]]


def risk_coverage(curve: _Curve, scope_curve: _Curve, marks: Sequence[tuple[float, float, str]]) -> str:
    """Return the risk-coverage curve with its band, dashed that of a part, and points ``(coverage, risk, name)``."""
    highest = max(max(c[1], 0 if math.isnan(c[3]) else c[3]) for c in (*curve, *((*s[:2], 0, 0) for s in scope_curve)))
    top = max(0.1, math.ceil(highest * 1.05 * 20) / 20)
    body = _axes("Coverage: share of items answered", "Risk: share of these that is wrong", top)
    band = [c for c in curve if not math.isnan(c[2])]
    if band:
        edge = [f"{_x(c[0]):.1f},{_y(min(c[3], top), top):.1f}" for c in band]
        edge += [f"{_x(c[0]):.1f},{_y(c[2], top):.1f}" for c in reversed(band)]
        body.append(f'<polygon class="band" points="{" ".join(edge)}"/>')
    points = " ".join(f"{_x(c[0]):.1f},{_y(c[1], top):.1f}" for c in curve)
    body.append(f'<polyline class="line" points="{points}"/>')
    if scope_curve:
        points = " ".join(f"{_x(c[0]):.1f},{_y(c[1], top):.1f}" for c in scope_curve)
        body.append(f'<polyline class="line part" points="{points}"/>')
    for coverage, risk, name in marks:
        x, y = _x(coverage), _y(risk, top)
        body.append(f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{_y(0, top):.1f}" y2="{y:.1f}"/>')
        body.append(f'<circle class="point" cx="{x:.1f}" cy="{y:.1f}" r="5"><title>{escape(name)}</title></circle>')
        # the curve rises: free are the places above it on the left, and under it on the right
        at, down, anchor = (x - 8, -10, "end") if coverage > 0.5 else (x + 8, 18, "start")
        body.append(f'<text class="tick" x="{at:.1f}" y="{y + down:.1f}" text-anchor="{anchor}">{escape(name)}</text>')
    said = f"Answering all items {curve[-1][1]:.1%} are wrong" + "".join(
        f"; {name}: answering {c:.0%}, {r:.1%} are wrong" for c, r, name in marks
    )
    return _svg(_W, _H, "Risk-coverage curve", said, body)


def forest(rows: Sequence[tuple[str, Figure, bool]], title: str) -> str:
    """Return one line with its interval per ``(name, figure, whether to stress it)``, on a scale from 0 to 1.

    Each name stands over its line, so that the chart is as readable on a telephone as on a desk.
    """
    line, left, right = 40, 14, _W - 14
    height = line * len(rows) + 30

    def x(value: float) -> float:
        return left + min(max(value, 0), 1) * (right - left)

    body = []
    for i in range(6):
        body.append(f'<line class="grid" x1="{x(i / 5):.1f}" x2="{x(i / 5):.1f}" y1="4" y2="{height - 24}"/>')
        body.append(f'<text class="tick" x="{x(i / 5):.1f}" y="{height - 6}" text-anchor="middle">{i / 5:.1f}</text>')
    for i, (name, f, strong) in enumerate(rows):
        y, kind = i * line + 32, "strong" if strong else "weak"
        short = name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
        body.append(f'<text class="name {kind}" x="{left}" y="{y - 14}">{escape(short)}</text>')
        if math.isnan(f.value):
            continue
        if not math.isnan(f.low):
            body.append(f'<line class="whisker {kind}" x1="{x(f.low):.1f}" x2="{x(f.high):.1f}" y1="{y}" y2="{y}"/>')
        body.append(f'<circle class="point {kind}" cx="{x(f.value):.1f}" cy="{y}" r="5"/>')
        body.append(f'<text class="name {kind}" x="{right}" y="{y - 14}" text-anchor="end">{f.value:.3f}</text>')
    said = "; ".join(f"{name} {f.value:.3f}" for name, f, _ in rows)
    return _svg(_W, height, title, said, body)


def interval_bar(figure: Figure) -> str:
    """Return a small bar for a table cell: the interval on a scale from 0 to 1, decorative beside the number."""
    if math.isnan(figure.value):
        return ""
    low, high = (figure.value if math.isnan(v) else min(max(v, 0), 1) for v in (figure.low, figure.high))
    return (
        '<svg class="bar" viewBox="0 0 100 10" aria-hidden="true">'
        '<rect class="rail" x="0" y="4" width="100" height="2"/>'
        f'<rect class="span" x="{low * 100:.1f}" y="3" width="{max((high - low) * 100, 1):.1f}" height="4" rx="2"/>'
        f'<circle class="dot" cx="{figure.value * 100:.1f}" cy="5" r="3.4"/></svg>'
    )
