"""The benchmark's figures as a page with a table and a plot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["write_page"]


def write_page(found: dict[str, Any], folder: Path) -> None:
    """Write ``speed.md``, ``speed.json`` and ``speed.svg``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "speed.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (folder / "speed.md").write_text(_page(found), encoding="utf-8")
    _plot(found, folder / "speed.svg")
    print(_page(found))


def _roads(found: dict[str, Any]) -> list[tuple[str, float]]:
    best = max(found["own"], key=lambda r: r["articles"])
    return [
        ("zero-shot pipeline, BART-large size", found["zero-shot"]),
        ("pair pipeline, RoBERTa-base size, batch 16", found["pair"]),
        ("own network, plain transformers, one pair at a time", found["plain"]),
        ("stance score, articles to rows", best["rows"] / best["seconds"]),
    ]


def _page(found: dict[str, Any]) -> str:
    own, encoder, peak = found["own"], found["encoder"], found["peak"]
    best = max(own, key=lambda r: r["articles"])
    reached = best["rows"] / best["seconds"]
    numbers = "bf16" if "bf16" in best["engine"] else "fp32"
    gflops = encoder["statements_per_s"] * encoder["gflop"]
    lines = [
        "# Speed",
        "",
        f"`python -m training.benchmark` on {found['machine']}; engine {best['engine']}; load average of the machine "
        f"{found['load_before']:.1f} before and {found['load_after']:.1f} after (this benchmark itself keeps it at the "
        "number of cores; more means that other work shared them).",
        "",
        "A pair is one statement and one target. Everything is measured in one run, one process after the other; the "
        "baselines have random weights and read only the statement and the target, 24 to 34 words, where `stance` "
        f"reads the surrounding text and the speaker too ({encoder['tokens']:.0f} tokens on average).",
        "",
        "| road | pairs/s | `stance score` is |",
        "| --- | --- | --- |",
        *(f"| {name} | {_short(rate)} | {_times(reached / rate)} |" for name, rate in _roads(found)),
        "",
        "![Pairs a second on a logarithmic scale](speed.svg)",
        "",
        "| articles | statements | seconds | articles/s | pairs/s | ms/article | peak MB | ready after, s |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        *(
            f"| {r['articles']} | {r['statements']} | {r['seconds']:.2f} | {_short(r['articles'] / r['seconds'])} "
            f"| {_short(r['rows'] / r['seconds'])} | {_short(r['seconds'] / r['articles'] * 1000)} "
            f"| {r['peak_mb']:.0f} | {r['ready']:.1f} |"
            for r in own
        ),
        "",
        f"The network alone does {encoder['statements_per_s']:.0f} statements a second, {gflops:.0f} GFLOP/s of useful "
        f"arithmetic (padding not counted). The measured matrix-multiply peak is {peak['fp32']:.0f} GFLOP/s in "
        f"float32 and {peak['bf16']:.0f} in bfloat16: the encoder reaches {gflops / peak[numbers]:.0%} of the peak at "
        f"the precision used ({numbers}).",
        "",
        f"Time by stage at {best['articles']} articles (stages overlap): "
        + ", ".join(f"{name} {s:.1f} s" for name, s in best["stages"].items())
        + ".",
        "",
    ]
    return "\n".join(lines)


def _short(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def _times(factor: float) -> str:
    return "–" if abs(factor - 1) < 1e-9 else f"{_short(factor)} × as fast"


def _plot(found: dict[str, Any], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "stance"
    from matplotlib import pyplot as plt

    names, rates = zip(*_roads(found), strict=True)
    figure, axes = plt.subplots(figsize=(8, 2.6), layout="constrained")
    bars = axes.barh(names, rates, color=["#9aa5b1"] * (len(names) - 1) + ["#1f6feb"])
    axes.bar_label(bars, labels=[_short(r) for r in rates], padding=4)
    axes.set_xscale("log")
    axes.set_xlim(right=max(rates) * 4)
    axes.set_xlabel("statement–target pairs a second (logarithmic)")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
