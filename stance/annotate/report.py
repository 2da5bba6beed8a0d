"""The agreement report as one HTML page: no script, no other file, light and dark."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from stance.annotate.agreement import AgreementReport, Drift
from stance.statistics import Estimate

__all__ = ["render_agreement"]

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 720, 240, 48, 36, 14


def render_agreement(report: AgreementReport, *, nonce: str | None = None, links: bool = False) -> str:
    """Return the page; text of the corpus is escaped.

    Parameters
    ----------
    report
        The figures.
    nonce
        Nonce of the style sheet, for a page under a content security policy.
    links
        Whether items link to the labelling page's adjudication.
    """
    environment = Environment(
        loader=PackageLoader("stance.annotate"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters |= {"figure": _figure, "interval": _interval, "heat": _heat}
    matrix = {(p.first, p.second): p.kappa for p in report.pairs}
    matrix |= {(p.second, p.first): p.kappa for p in report.pairs}
    return environment.get_template("agreement.html").render(
        report=report,
        nonce=nonce,
        links=links,
        matrix=matrix,
        drift_svg=Markup(_drift_svg(report.drift)) if report.drift else "",  # numbers and times only
        now=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )


def _figure(estimate: Estimate | None) -> str:
    return "–" if estimate is None or math.isnan(estimate.value) else f"{estimate.value:.2f}"


def _interval(estimate: Estimate | None) -> str:
    return "" if estimate is None or math.isnan(estimate.low) else f"{estimate.low:.2f}–{estimate.high:.2f}"


def _heat(estimate: Estimate | None) -> str:
    """Return the CSS class of a figure's shade: 0 (none) to 5 (near 1)."""
    if estimate is None or math.isnan(estimate.value):
        return "h0"
    return f"h{max(0, min(5, math.ceil(estimate.value * 5)))}"


def _drift_svg(drift: tuple[Drift, ...]) -> str:
    low = min([0.0, *(d.alpha.low for d in drift if not math.isnan(d.alpha.low))])
    width, height = _WIDTH - _LEFT - 12, _HEIGHT - _BOTTOM - _TOP

    def x(i: int) -> float:
        return _LEFT + width * (i + 0.5) / len(drift)

    def y(value: float) -> float:
        return _TOP + height * (1 - (value - low) / (1 - low))

    parts = [f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="Alpha over time">']
    for tick in (low, *(t / 5 for t in range(6) if t / 5 > low + 0.05)):
        parts.append(f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH - 12}" y1="{y(tick):.1f}" y2="{y(tick):.1f}"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:.1f}</text>')
    known = [(i, d) for i, d in enumerate(drift) if not math.isnan(d.alpha.value)]
    line = " ".join(f"{x(i):.1f},{y(d.alpha.value):.1f}" for i, d in known)
    parts.append(f'<polyline class="line" points="{line}"/>')
    for i, d in known:
        if not math.isnan(d.alpha.low):
            parts.append(
                f'<line class="whisker" x1="{x(i):.1f}" x2="{x(i):.1f}" y1="{y(d.alpha.low):.1f}" '
                f'y2="{y(d.alpha.high):.1f}"/>'
            )
        parts.append(f'<circle class="dot" cx="{x(i):.1f}" cy="{y(d.alpha.value):.1f}" r="4"/>')
        parts.append(f'<text x="{x(i):.1f}" y="{_HEIGHT - 12}" text-anchor="middle">{_moment(d.until)}</text>')
    return "".join([*parts, "</svg>"])


def _moment(at: str) -> str:
    return datetime.fromisoformat(at).strftime("%d %b %H:%M")
