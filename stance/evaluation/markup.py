"""Pieces of the page: escaped text, tables, items to read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape

from stance.evaluation.charts import interval_bar
from stance.evaluation.figures import Figure
from stance.evaluation.items import Items
from stance.evaluation.show import number, shown

__all__ = [
    "Cell",
    "coloured",
    "figure_cell",
    "folded",
    "heat",
    "item_line",
    "notes",
    "section",
    "table",
    "text_cell",
    "tile",
]

Cell = tuple[str, str]
"""The attributes of a ``td`` and its content, both ready for the page."""
_LONGEST = 420
_LEFT = ' class="left"'


def text_cell(text: str, *, kind: str = "", sort: float | None = None) -> Cell:
    """Return a cell of plain text."""
    return _attributes(kind, sort), escape(text)


def _attributes(kind: str, sort: float | None) -> str:
    parts = [f' class="{kind}"'] if kind else []
    if sort is not None:
        parts.append(f' data-sort="{"" if math.isnan(sort) else f"{sort:.6g}"}"')
    return "".join(parts)


def figure_cell(figure: Figure | None, *, signed: bool = False, bar: bool = False) -> Cell:
    """Return a cell with value, interval and perhaps a small bar."""
    value, _, rest = shown(figure, signed=signed).partition(" ")
    inner = escape(value) + (f' <span class="lohi">{escape(rest)}</span>' if rest else "")
    if bar and figure is not None:
        inner += interval_bar(figure)
    return _attributes("", figure.value if figure else math.nan), inner


def table(caption: str, columns: Sequence[str], rows: Iterable[tuple[str, Sequence[Cell]]]) -> str:
    """Return a table that can be sorted and scrolled; each row has a class and its cells."""
    body, lefts = [], set[int]()
    for kind, cells in rows:
        lefts |= {i for i, (attributes, _) in enumerate(cells) if _LEFT in attributes}
        first, *others = cells
        line = f'<th scope="row"{first[0]}>{first[1]}</th>' if others else f"<td{first[0]}>{first[1]}</td>"
        line += "".join(f"<td{attributes}>{content}</td>" for attributes, content in others)
        body.append(f'<tr class="{kind}">{line}</tr>' if kind else f"<tr>{line}</tr>")
    head = "".join(f'<th scope="col"{_LEFT if i in lefts else ""}>{escape(c)}</th>' for i, c in enumerate(columns))
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(caption)}"><table class="sortable">'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def heat(caption: str, labels: Sequence[str], counts: Sequence[Sequence[int]]) -> str:
    """Return a confusion matrix shaded by the share of each gold label."""
    head = "".join(f'<th scope="col">{escape(name).replace("_", "_<wbr>")}</th>' for name in labels)
    body = []
    for i, row in enumerate(counts):
        total = max(sum(row), 1)
        cells = "".join(
            f'<td{" class=hit" if i == j else ""} style="background:rgba(var(--heat),{0.62 * n / total:.2f})" '
            f'title="{n / total:.0%} of gold {escape(labels[i], quote=True)}">{n}</td>'
            for j, n in enumerate(row)
        )
        body.append(f'<tr><th scope="row">{escape(labels[i]).replace("_", "_<wbr>")}</th>{cells}</tr>')
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(caption)}"><table class="heat">'
        f'<caption>{escape(caption)}</caption><thead><tr><th scope="col">gold ↓ predicted →</th>{head}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def section(own_id: str, title: str, *parts: str) -> str:
    """Return a section of the page with its heading."""
    head = f'<h2 id="h-{own_id}">{escape(title)}</h2>'
    return f'<section id="{own_id}" aria-labelledby="h-{own_id}">{head}{"".join(parts)}</section>'


def tile(what: str, figure: Figure | None, *, percent: bool = False, signed: bool = False, text: str = "") -> str:
    """Return a headline number with its interval."""
    if figure is None or math.isnan(figure.value):
        value, span = "–", "undefined"
    elif percent:
        value = f"{figure.value:.1%}"
        span = "" if math.isnan(figure.low) else f"{figure.low:.1%} to {figure.high:.1%}"
    else:
        value, low, high = (number(x, signed=signed) for x in (figure.value, figure.low, figure.high))
        span = "no interval" if math.isnan(figure.low) else f"{low} to {high}"
    below = " · ".join(part for part in (span, text) if part)
    return (
        f'<div class="tile"><div class="what">{escape(what)}</div><div class="value">{value}</div>'
        f'<div class="range">{escape(below)}</div></div>'
    )


def notes(lines: Sequence[str]) -> str:
    """Return what a reader must know first, nothing if there is nothing."""
    inner = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f'<ul class="notes" aria-label="Notes">{inner}</ul>' if lines else ""


def folded(summary: str, items: str) -> str:
    """Return a list of items that opens when asked, nothing if there is none."""
    if not items:
        return ""
    return f'<details><summary>{escape(summary)}</summary><ol class="items">{items}</ol></details>'


def coloured(text: str, parts: Sequence[tuple[str, int, int, float]]) -> str:
    """Return a text whose tokens are shaded by attribution: warm adds to the label, cool and dotted takes away."""
    strongest = max((abs(p[3]) for p in parts), default=0.0)
    if strongest <= 0:
        return escape(_cut(text))
    out, at = [], 0
    for _, start, end, share in parts:
        if start < at or start >= _LONGEST:
            continue
        out.append(escape(text[at:start]))
        depth = 0.85 * abs(share) / strongest
        piece = escape(text[start:end])
        if depth < 0.08:
            out.append(piece)
        else:
            kind = "up" if share > 0 else "down"
            out.append(f'<mark class="t {kind}" style="--a:{depth:.2f}" title="{share:+.3f}">{piece}</mark>')
        at = end
    rest = text[at:]
    return "".join(out) + escape(rest if len(text) <= _LONGEST else "…")


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1].rstrip() + "…"


def item_line(items: Items, item: int, tags: str, parts: Sequence[tuple[str, int, int, float]], *, text: bool) -> str:
    """Return an item to read: its statement (unless article text is kept out), speaker, target and tags."""
    record = items.records[items.record[item]]
    s = record.statement
    quote = f"<blockquote>{coloured(s.text, parts)}</blockquote>" if text else ""
    who = f"{escape(s.speaker.name)} · " if s.speaker and text else ""
    meta = " · ".join(escape(x) for x in (record.outlet, record.published, record.source, f"id {s.id}") if x)
    target = escape(items.targets[items.target[item]])
    return f'<li><div>toward <strong>{target}</strong>: {tags}</div>{quote}<div class="meta">{who}{meta}</div></li>'
