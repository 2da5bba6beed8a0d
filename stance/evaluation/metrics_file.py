"""``metrics.json``: every number of the report, under a versioned schema, without words of the corpus."""

from __future__ import annotations

import json
import math
from importlib.resources import files
from typing import Any

from stance.evaluation.calibration import Abstention, Calibration
from stance.evaluation.comparison import Comparison
from stance.evaluation.figures import Figure
from stance.evaluation.result import Evaluation, System
from stance.evaluation.slices import Slice

__all__ = ["SCHEMA_VERSION", "metrics", "metrics_schema"]

SCHEMA_VERSION = "1"


def metrics_schema() -> dict[str, Any]:
    """Return the JSON Schema of the file."""
    return dict(json.loads((files("stance") / "data" / "metrics.schema.json").read_text(encoding="utf-8")))


def metrics(result: Evaluation) -> dict[str, Any]:
    """Return the content of ``metrics.json``; a figure is ``[value, low, high]``, ``null`` where undefined."""
    items = result.items
    return {
        "schema": f"stance.evaluation/{SCHEMA_VERSION}",
        "run": dict(result.run),
        "corpus": {
            "name": items.corpus,
            "split": items.split,
            "statements": len(items.records),
            "documents": items.clusters,
            "items": len(items),
            "labels": list(items.labels),
            "targets": list(items.targets),
        },
        "notes": list(result.notes),
        "systems": [_system(s) for s in result.systems],
        "confusion": {
            "all": result.confusion(),
            **{target: result.confusion(i) for i, target in enumerate(items.targets)},
        },
        "comparisons": [_comparison(c) for c in result.comparisons],
        "slices": [_slice(s) for s in result.slices],
        "worst_slices": [_slice(s) for s in result.worst],
        "mistakes": [_key(result, i) for i in result.mistakes],
        "suspected_labels": {
            "count": result.suspected,
            "shown": [
                {**_key(result, s.item), "suggested": items.labels[s.suggested], "margin": round(s.margin, 6)}
                for s in result.suspects
            ],
        },
        "leaks": [
            {
                "kind": k.kind,
                "first": [k.split, k.id],
                "second": [k.other_split, k.other_id],
                "similarity": k.similarity,
            }
            for k in result.leaks
        ],
        "behaviour": [
            {"kind": b.kind, "name": b.name, "checks": b.checks, "passed": b.passed, "interval": list(b.interval)}
            for b in result.behaviour
        ],
        "end_to_end": _end_to_end(result),
    }


def _figures(figures: Any) -> dict[str, list[float | None]]:
    return {name: f.to_list() for name, f in figures.items()}


def _system(system: System) -> dict[str, Any]:
    p = system.predictions
    return {
        "name": p.name,
        "kind": p.kind,
        "figures": {scope: _figures(found) for scope, found in system.figures.items()},
        "calibration": _calibration(system.calibration) if system.calibration else None,
    }


def _calibration(c: Calibration) -> dict[str, Any]:
    return {
        "figures": {scope: _figures(found) for scope, found in c.figures.items()},
        "bins": [
            {
                "range": [round(b.low, 6), round(b.high, 6)],
                "items": b.items,
                "confidence": round(b.confidence, 6),
                "accuracy": b.accuracy.to_list(),
            }
            for b in c.bins
        ],
        "risk_coverage": [
            {"coverage": round(coverage, 6), "risk": Figure(*rest).to_list()} for coverage, *rest in c.curve
        ],
        "risk_coverage_of_scope": [
            {"coverage": round(coverage, 6), "risk": Figure(*rest).to_list()} for coverage, *rest in c.scope_curve
        ],
        "abstention": _point(c.operating),
        "offered": {str(bound): _point(point) for bound, point in c.offered.items()},
    }


def _point(point: Abstention | None) -> dict[str, Any] | None:
    if point is None:
        return None
    return {
        "threshold": round(point.threshold, 6),
        "coverage": round(point.coverage, 6),
        "risk": point.risk.to_list(),
        "stated_risk": point.stated_risk,
        "scope": list(point.scope),
    }


def _comparison(c: Comparison) -> dict[str, Any]:
    return {
        "other": c.other,
        "kind": c.kind,
        "differences": _figures(c.differences),
        "p_values": {name: _finite(p) for name, p in c.p_values.items()},
        "corrected": {name: _finite(p) for name, p in c.corrected.items()},
        "wins": c.wins,
        "losses": c.losses,
        "both_wrong": c.both_wrong,
    }


def _finite(value: float) -> float | None:
    return None if math.isnan(value) else value


def _slice(s: Slice) -> dict[str, Any]:
    return {
        "name": [{"dimension": d, "value": v} for d, v in s.name],
        "items": s.items,
        "documents": s.clusters,
        "small": s.small,
        "figures": _figures(s.figures),
        "p": _finite(s.p_value),
    }


def _key(result: Evaluation, item: int) -> dict[str, str]:
    items = result.items
    return {
        "id": items.records[items.record[item]].id,
        "target": items.targets[items.target[item]],
        "gold": items.labels[items.gold[item]],
        "predicted": items.labels[result.model.predictions.predicted[item]],
    }


def _end_to_end(result: Evaluation) -> dict[str, Any] | None:
    e = result.end_to_end
    if e is None:
        return None
    counts = {"articles": e.articles, "gold": e.gold, "found": e.found, "missed": len(e.missed)}
    return counts | {"figures": _figures(e.figures)}
