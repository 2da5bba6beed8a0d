"""``report.html``: one file, offline, light and dark, for screen, keyboard and paper."""

from __future__ import annotations

import math
from html import escape
from importlib.resources import files

from stance.evaluation.calibration import Abstention
from stance.evaluation.charts import forest, reliability, risk_coverage
from stance.evaluation.figures import ALL, HEADLINE
from stance.evaluation.markup import (
    Cell,
    figure_cell,
    heat,
    notes,
    section,
    table,
    text_cell,
    tile,
)
from stance.evaluation.page_reading import (
    behaviour_section,
    comparison_section,
    end_to_end_section,
    errors_section,
    slices_section,
)
from stance.evaluation.result import Evaluation
from stance.evaluation.show import name_of

__all__ = ["page"]


def page(result: Evaluation, *, text: bool = True) -> str:
    """Return the report as one HTML page.

    Parameters
    ----------
    result
        The evaluation.
    text
        Whether words of the corpus may stand in it.
    """
    items = result.items
    sections = [
        _numbers(result),
        _confusion(result),
        _calibration(result),
        comparison_section(result, text),
        slices_section(result),
        errors_section(result, text),
        behaviour_section(result.behaviour),
        end_to_end_section(result, text),
        _method(result),
    ]
    links = "".join(
        f'<a href="#{own_id}">{name}</a>' for own_id, name in _NAV if any(f'id="{own_id}"' in s for s in sections)
    )
    about = (
        f"{len(items.records)} statements of {items.clusters} documents in the split “{items.split}” of "
        f"{items.corpus}: {len(items)} labels toward {', '.join(items.targets)}. Intervals are 95 %, from "
        f"{result.run.get('resamples', 0):,} draws of whole documents."
    )
    title = f"Evaluation of {result.model.predictions.name} on {items.corpus}"
    data = files("stance") / "data"
    css = (data / "evaluation.css").read_text(encoding="utf-8")
    js = (data / "evaluation.js").read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
        "script-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{css}</style></head><body>"
        '<a class="skip" href="#main">Skip to the figures</a>'
        f'<header class="top"><p class="kicker">Evaluation report</p><h1>{escape(result.model.predictions.name)} '
        f'on {escape(items.corpus)}</h1><p class="about">{escape(about)}</p></header>'
        f'<nav aria-label="Sections"><div class="inner">{links}<button type="button" id="theme" hidden></button></div>'
        f'</nav><main id="main">{_summary(result)}{"".join(sections)}</main><script>{js}</script></body></html>\n'
    )


_NAV = (
    ("numbers", "Numbers"),
    ("confusion", "Confusion"),
    ("calibration", "Calibration"),
    ("comparison", "Comparison"),
    ("slices", "Slices"),
    ("errors", "Errors"),
    ("behaviour", "Behaviour"),
    ("end-to-end", "End to end"),
    ("method", "Method"),
)


def _summary(result: Evaluation) -> str:
    f, cal = result.model.figures[ALL], result.model.calibration
    tiles = [tile("Macro-F1", f["macro_f1"])]
    if "f1_against_favor" in f:
        tiles.append(tile("F1 of against + favor", f["f1_against_favor"]))
    tiles.append(tile("Accuracy", f["accuracy"]))
    if cal:
        tiles.append(tile("Expected calibration error", cal.figures[ALL]["ece"]))
    if cal and cal.operating:
        stated = f"stated: {cal.operating.stated_risk:.0%}" if cal.operating.stated_risk is not None else ""
        answered = f"Wrong of the {cal.operating.coverage:.0%} answered"
        title = f"{answered} of {cal.operating.items}" if cal.operating.scope else answered
        tiles.append(tile(title, cal.operating.risk, percent=True, text=stated))
    if result.comparisons:
        other = max(
            (s for s in result.systems[1:] if s.predictions.kind == "baseline"),
            key=lambda s: s.figures[ALL]["macro_f1"].value,
        ).predictions.name
        gap = next(c for c in result.comparisons if c.other == other).differences["macro_f1"]
        tiles.append(tile(f"Macro-F1 over {other}", gap, signed=True))
    inner = f'<div class="tiles">{"".join(tiles)}</div>{notes(list(result.notes))}'
    return f'<section class="plain" aria-label="Summary">{inner}</section>'


def _numbers(result: Evaluation) -> str:
    names = [n for n in HEADLINE if n in result.model.figures[ALL]]
    systems = [
        (
            "model" if i == 0 else "",
            [text_cell(s.predictions.name, kind="wrap"), *(figure_cell(s.figures[ALL].get(n)) for n in names)],
        )
        for i, s in enumerate(result.systems)
    ]
    targets = [
        ("", [text_cell(_scope(scope)), *(figure_cell(f.get(n), bar=n == names[0]) for n in names)])
        for scope, f in result.model.figures.items()
    ]
    per_label = ("precision", "recall", "f1", "average_precision")
    labels = [
        (
            "",
            [
                text_cell(_scope(scope)),
                text_cell(label, kind="left"),
                *(figure_cell(f.get(f"{kind}/{label}"), bar=kind == "f1") for kind in per_label),
            ],
        )
        for scope, f in result.model.figures.items()
        for label in result.items.labels
    ]
    rows = [(s.predictions.name, s.figures[ALL]["macro_f1"], i == 0) for i, s in enumerate(result.systems)]
    return section(
        "numbers",
        "How good is it?",
        "<p>Macro-F1 averages over the labels that occur. Ordinal error is the mean distance on the scale against, "
        "neutral, favor where both gold and prediction lie on it (0 is best, 2 worst).</p>",
        f"<figure>{forest(rows, 'Macro-F1 of every system with 95 % intervals')}"
        "<figcaption>Macro-F1 of every system over all targets, 95 % intervals.</figcaption></figure>",
        table("Every system, all targets", ["System", *map(name_of, names)], systems),
        table("The model by target", ["Target", *map(name_of, names)], targets),
        "<h3>By label</h3>",
        table(
            "The model by target and label",
            ["Target", "Label", "Precision", "Recall", "F1", "Average precision"],
            labels,
        ),
    )


def _scope(scope: str) -> str:
    return "All targets" if scope == ALL else scope


def _confusion(result: Evaluation) -> str:
    labels = result.items.labels
    parts = [heat("All targets", labels, result.confusion())]
    parts += [heat(target, labels, result.confusion(i)) for i, target in enumerate(result.items.targets)]
    return section(
        "confusion",
        "What is taken for what?",
        "<p>Items by gold label (rows) and predicted label (columns), shaded by the share of the row.</p>",
        f'<div class="two">{"".join(parts)}</div>',
    )


_TRUSTED = "Can its percentages be trusted?"


def _calibration(result: Evaluation) -> str:
    cal = result.model.calibration
    if cal is None:
        return section("calibration", _TRUSTED, "<p>The predictions carry no probabilities.</p>")
    marks = []
    if cal.operating and not math.isnan(cal.operating.risk.value):
        marks.append((cal.operating.coverage, cal.operating.risk.value, "abstention point"))
    part = f" Dashed: {cal.operating.items} only." if cal.operating and cal.scope_curve else ""
    rows = [
        ("", [text_cell(name_of(name), kind="wrap"), *(figure_cell(f.get(name)) for f in cal.figures.values())])
        for name in cal.figures[ALL]
    ]
    points = []
    if cal.operating:
        own = f"the model's own, {cal.operating.items}" if cal.operating.scope else "the model's own"
        points.append(("", [text_cell(own, kind="wrap"), *_point(cal.operating)]))
    for bound, point in cal.offered.items():
        cells = _point(point) if point else [text_cell(x) for x in ("–", "–", "not reached")]
        points.append(("", [text_cell(f"errors at most {bound:.0%}", kind="wrap"), *cells]))
    return section(
        "calibration",
        _TRUSTED,
        "<p>Of items answered with 80 % confidence, 80 % should be right. Points under the dashed line mean that the "
        "model is too sure of itself. Shaded columns show how many items lie where.</p>",
        f'<div class="two"><figure>{reliability(cal.bins)}<figcaption>Reliability diagram of the top label, 15 bins.'
        f"</figcaption></figure><figure>{risk_coverage(cal.curve, cal.scope_curve, marks)}<figcaption>Risk-coverage "
        f"curve: the more of the unsure answers are withheld, the fewer are wrong.{escape(part)}</figcaption></figure>"
        "</div>",
        table("Calibration figures", ["Figure", *map(_scope, cal.figures)], rows),
        table(
            "Points of abstention; all but the model's own were chosen on these items: expect more risk elsewhere",
            ["Threshold for", "Confidence", "Coverage", "Share wrong of these"],
            points,
        ),
    )


def _point(point: Abstention) -> list[Cell]:
    return [
        text_cell(f"{point.threshold:.3f}", sort=point.threshold),
        text_cell(f"{point.coverage:.1%}", sort=point.coverage),
        figure_cell(point.risk),
    ]


def _method(result: Evaluation) -> str:
    run = "".join(f"<dt>{escape(k.replace('_', ' '))}</dt><dd>{escape(str(v))}</dd>" for k, v in result.run.items())
    return section(
        "method",
        "How this was made",
        "<p>Intervals: documents are drawn with replacement; percentiles widened for few documents (Hesterberg 2015). "
        "Calibration: Guo et al. 2017; Brier score in parts: Murphy 1973. Comparison: paired bootstrap, McNemar 1947, "
        "Holm 1979. Suspected labels: Northcutt et al. 2021. Behaviour tests: after Ribeiro et al. 2020. "
        "Attributions: Sundararajan et al. 2017. Baselines learn from the train split of the same corpus.</p>",
        f'<dl class="run">{run}</dl>',
    )
