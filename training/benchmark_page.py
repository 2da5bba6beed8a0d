"""The benchmark's figures as a page with a table and a plot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["write_page"]


def write_page(found: dict[str, Any], folder: Path) -> None:
    """Write ``speed.md``, ``speed.json`` and ``speed.svg`` and print the page."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "speed.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (folder / "speed.md").write_text(_page(found), encoding="utf-8")
    _plot(found, folder / "speed.svg")
    print(_page(found))


def _roads(found: dict[str, Any]) -> list[tuple[str, dict[str, float]]]:
    return [
        ("zero-shot pipeline, BART-large size", found["zero-shot"]),
        ("pair pipeline, RoBERTa-base size, batch 16", found["pair"]),
        ("own network, plain transformers, one pair at a time", found["plain"]),
        ("stance score, articles to rows", _own(found)),
    ]


def _own(found: dict[str, Any]) -> dict[str, float]:
    most = max(found["own"], key=lambda r: r["articles"])
    return {"per_s": most["rows"] / most["seconds"], "per_cpu_s": most["rows"] / most["cpu_seconds"]}


def _page(found: dict[str, Any]) -> str:
    most = max(found["own"], key=lambda r: r["articles"])
    own, encoder = _own(found), found["encoder"]
    lines = [
        "# Speed",
        "",
        f"`python -m training.benchmark` on {found['machine']}; engine {most['engine']}, statements found by "
        f"{most['extractor']}. Load average of the machine {found['load_before']:.1f} before and "
        f"{found['load_after']:.1f} after: over the number of cores means that other work shared them. Seconds of CPU "
        "time, of all threads together, hardly depend on that.",
        "",
        "A pair is one statement and one target. Everything is measured in one run, one process after the other; the "
        "baselines have random weights and read only the statement and the target, 24 to 34 words, where `stance` "
        f"reads the surrounding text and the speaker too ({encoder['tokens']:.0f} tokens on average), and finds the "
        "statements besides.",
        "",
        "| road | pairs/s | pairs per CPU second | `stance score` is | by CPU time |",
        "| --- | --- | --- | --- | --- |",
        *(
            f"| {name} | {_short(rate['per_s'])} | {_short(rate['per_cpu_s'])} "
            f"| {_times(own['per_s'] / rate['per_s'])} | {_times(own['per_cpu_s'] / rate['per_cpu_s'])} |"
            for name, rate in _roads(found)
        ),
        "",
        "![Pairs a second on a logarithmic scale](speed.svg)",
        "",
        *_counts(found),
        "",
        *_limit(found, most),
        "",
        f"Time by stage at {most['articles']} articles (stages overlap): "
        + ", ".join(f"{name} {s:.1f} s" for name, s in most["stages"].items())
        + ".",
        "",
        *_cluster(found),
    ]
    return "\n".join(lines)


def _counts(found: dict[str, Any]) -> list[str]:
    """Return the table by number of articles."""
    runs = [("whole", r) for r in found["own"]] + [("shortened", r) for r in found["short"]]
    return [
        "PolNeAR's articles, repeated, whole or cut to their first 100 words and the paragraph's rest:",
        "",
        "| articles | | statements | seconds | articles/s | pairs/s | ms/article | CPU ms/article | peak MB "
        "| ready after, s |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        *(
            f"| {r['articles']} | {kind} | {r['statements']} | {r['seconds']:.2f} "
            f"| {_short(r['articles'] / r['seconds'])} | {_short(r['rows'] / r['seconds'])} "
            f"| {_short(r['seconds'] / r['articles'] * 1000)} | {_short(r['cpu_seconds'] / r['articles'] * 1000)} "
            f"| {r['peak_mb']:.0f} | {r['ready']:.1f} |"
            for kind, r in runs
        ),
    ]


def _limit(found: dict[str, Any], most: dict[str, Any]) -> list[str]:
    """Return how near the encoder comes to the machine's matrix-multiply peak."""
    encoder, peak = found["encoder"], found["peak"]
    numbers = "bf16" if "bf16" in most["engine"] else "fp32"
    rate = {name: value * encoder["gflop"] for name, value in encoder["statements"].items()}
    share = {name: rate[name] / peak[numbers][name] for name in rate}
    return [
        f"The network alone does {encoder['statements']['per_s']:.0f} statements a second, {rate['per_s']:.0f} GFLOP/s "
        f"of useful arithmetic (padding not counted). The measured matrix-multiply peak is {peak['fp32']['per_s']:.0f} "
        f"GFLOP/s in float32 and {peak['bf16']['per_s']:.0f} in bfloat16: the encoder reaches {share['per_s']:.0%} of "
        f"the peak at the precision used ({numbers}); by CPU time {rate['per_cpu_s']:.0f} of "
        f"{peak[numbers]['per_cpu_s']:.0f} GFLOP a second and core, {share['per_cpu_s']:.0%}.",
    ]


def _cluster(found: dict[str, Any]) -> list[str]:
    cluster = found.get("cluster")
    if cluster is None:
        return []
    one, two = cluster["nodes_1"], cluster["nodes_2"]
    return [
        f"`--ray` on a local cluster, each part with {cluster['simulated']:.0f} s of simulated work, since the nodes "
        f"of one machine share its cores: {one:.2f} parts a second on one node, {two:.2f} on two, {two / one:.2f} "
        "times as many, the start of the workers included.",
        "",
    ]


def _short(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def _times(factor: float) -> str:
    return "–" if abs(factor - 1) < 1e-9 else f"{_short(factor)} × as fast"


def _plot(found: dict[str, Any], path: Path, by: str = "per_s") -> None:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "stance"
    from matplotlib import pyplot as plt

    names = [name for name, _ in _roads(found)]
    rates = [rate[by] for _, rate in _roads(found)]
    figure, axes = plt.subplots(figsize=(8, 2.6), layout="constrained")
    bars = axes.barh(names, rates, color=["#9aa5b1"] * (len(names) - 1) + ["#1f6feb"])
    axes.bar_label(bars, labels=[_short(r) for r in rates], padding=4)
    axes.set_xscale("log")
    axes.set_xlim(right=max(rates) * 4)
    unit = "a second" if by == "per_s" else "for each second of CPU time"
    axes.set_xlabel(f"statement–target pairs {unit} (logarithmic)")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
