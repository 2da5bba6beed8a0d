"""The report as one offline HTML file: data, script and style inside, nothing fetched."""

from __future__ import annotations

import json
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stance.bias.report import BiasReport

__all__ = ["page"]

_SHOWN = {
    "balance_by_outlet": None,
    "balance_by_speaker": 240,
    "selection": 400,
    "voice_by_country": 12,
    "voice_by_speaker": 20,
    "verbs": 400,
    "timeline": 6000,
    "differences": 60,
    "same_story": 60,
    "changes": 200,
    "examples": 6000,
}
"""Tables on the page and how many of their records; the files written beside it hold all."""


def page(report: BiasReport) -> str:
    """Return the page.

    Text of articles and names reaches it only as JSON inside a script element that is not run, with ``<`` escaped, and
    from there only as text nodes, so that nothing in an article can become markup.
    """
    data = {
        "summary": report.summary,
        "facts": report.page_facts,
        "tables": {name: report.tables.get(name, [])[:most] for name, most in _SHOWN.items()},
    }
    parts = {
        "STYLE": _asset("report.css"),
        "SCRIPT": "".join(_asset(name) for name in ("estimate.js", "charts.js", "report.js")),
        "DATA": _embedded(data),
        "TITLE": escape(_title(report.summary)),
    }
    html = _asset("report.html")
    for name, text in parts.items():
        html = html.replace(f"%%{name}%%", text, 1)
    return html


def _asset(name: str) -> str:
    return (files("stance") / "bias" / "web" / name).read_text(encoding="utf-8")


def _embedded(data: Any) -> str:
    text = json.dumps(_rounded(data), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return (
        text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").replace("%%", "%\\u0025")
    )


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 5)
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    return [_rounded(v) for v in value] if isinstance(value, list | tuple) else value


def _title(summary: dict[str, Any]) -> str:
    span = f", {summary['from']} to {summary['to']}" if summary["from"] else ""
    outlets = len(summary["outlets"])
    return f"Bias report: {outlets} outlet{'' if outlets == 1 else 's'}, {summary['articles']:,} articles{span}"
