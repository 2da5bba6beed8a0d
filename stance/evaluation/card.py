"""``MODEL_CARD.md`` in the Hugging Face form, with the results block."""

from __future__ import annotations

import math
from typing import Any

import yaml

from stance.evaluation.figures import ALL
from stance.evaluation.result import Evaluation
from stance.evaluation.show import name_of, paper_tables

__all__ = ["model_card"]

_REPORTED = ("macro_f1", "f1_against_favor", "accuracy", "balanced_accuracy", "mcc", "kappa")


def model_card(result: Evaluation) -> str:
    """Return the card: ``model-index`` with every figure of the evaluation, tables, calibration, limits."""
    items, model = result.items, result.model
    name = model.predictions.name
    head: dict[str, Any] = {
        "language": "en",
        "pipeline_tag": "text-classification",
        "library_name": "stance",
        "tags": ["stance-detection", "news", "quotations"],
        "metrics": ["f1", "accuracy", "matthews_correlation"],
        "model-index": [{"name": name.partition("@")[0], "results": [_results(result)]}],
    }
    tables = paper_tables(result)
    parts = [
        f"---\n{yaml.safe_dump(head, sort_keys=False, allow_unicode=True).strip()}\n---\n",
        f"# {name}\n",
        f"Labels a statement's stance toward each target as {', '.join(f'`{x}`' for x in items.labels)}.\n",
        "## Evaluation\n",
        f"On {len(items.records)} statements of {items.clusters} documents (`{items.corpus}`, split `{items.split}`), "
        f"{len(items)} labels toward {', '.join(items.targets)}. Intervals are 95 %, from {result.run['resamples']} "
        "bootstrap draws of whole documents.\n",
        tables["systems"].markdown(),
        tables["targets"].markdown(),
        tables["labels"].markdown(),
        tables["comparisons"].markdown(),
        *(tables[name].markdown() for name in ("calibration", "end_to_end") if name in tables),
        _abstention(result),
        _behaviour(result),
        "## Limits\n",
        "".join(f"- {note}\n" for note in result.notes)
        + "- The figures hold for text like this corpus; on other outlets, years or targets, evaluate again.\n"
        "- A single row is an estimate: draw conclusions from many rows, and mind `confidence` and `abstained`.\n",
        "## How to repeat this\n",
        f"`stance evaluate CORPUS --model MODEL --split {items.split} --resamples {result.run['resamples']} "
        f"--seed {result.run['seed']}` with stance {result.run['stance']}; CORPUS is `{items.corpus}`, MODEL is "
        f"`{name}`.\n",
    ]
    return "\n".join(part for part in parts if part)


def _results(result: Evaluation) -> dict[str, Any]:
    items, figures = result.items, result.model.figures[ALL]
    reported = [
        {
            "type": {"macro_f1": "f1", "mcc": "matthews_correlation"}.get(n, n),
            "name": name_of(n),
            "value": round(f.value, 4),
            "args": {"low": round(f.low, 4), "high": round(f.high, 4), "level": 0.95}
            if not math.isnan(f.low)
            else {"level": 0.95},
        }
        for n in _REPORTED
        if (f := figures.get(n)) and not math.isnan(f.value)
    ]
    if cal := result.model.calibration:
        ece = cal.figures[ALL]["ece"]
        reported.append({"type": "ece", "name": name_of("ece"), "value": round(ece.value, 4)})
    return {
        "task": {"type": "text-classification", "name": "Stance toward targets"},
        "dataset": {"name": items.corpus, "type": items.corpus, "split": items.split},
        "metrics": reported,
    }


def _abstention(result: Evaluation) -> str:
    cal = result.model.calibration
    if not cal or not cal.operating:
        return ""
    point = cal.operating
    stated = f" (stated bound: {point.stated_risk:.0%})" if point.stated_risk is not None else ""
    return (
        f"At its own threshold of {point.threshold:.3f} the model answers {point.coverage:.1%} of the {point.items}, "
        f"and {point.risk.value:.1%} of these are wrong{stated}.\n"
    )


def _behaviour(result: Evaluation) -> str:
    kinds = [b for b in result.behaviour if not b.name]
    if not kinds:
        return ""
    lines = ["## Behaviour tests\n", "| kind | checks | passed | 95 % interval |", "| --- | ---: | ---: | ---: |"]
    for b in kinds:
        low, high = b.interval
        lines.append(f"| {b.kind} | {b.checks} | {b.rate:.0%} | {low:.0%} to {high:.0%} |")
    return "\n".join(lines) + "\n"
