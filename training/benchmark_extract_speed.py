"""Measure how fast statements are extracted: ``python -m training.benchmark_extract_speed [--articles 64]``.

Articles of 800 words are put together from the example articles. Memory is the peak of a process that reads 100, or
1,000, of them one after another: it may grow with an article, not with their number.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, get_args

import torch

import stance
from stance.quotes import Engine, extract_stream, extractor_id
from stance.schema import Article, Statement
from stance.scoring import Scorer

__all__ = ["articles", "main"]

_FOLDER = Path(__file__).resolve().parents[1] / "examples" / "articles"
_COUNTS = (100, 1000)  # articles read while memory is measured


def articles(words: int = 800) -> Iterator[Article]:
    """Yield articles of whole paragraphs, at least `words` words each, every one beginning elsewhere; without end."""
    paragraphs = [p for f in sorted(_FOLDER.glob("*.txt")) for p in f.read_text(encoding="utf-8").split("\n\n")]
    first = 0
    while True:
        parts: list[str] = []
        at = first * 7
        while sum(len(p.split()) for p in parts) < words:
            parts.append(paragraphs[at % len(paragraphs)])
            at += 1
        yield Article(f"sample-{first}", "\n\n".join(parts))
        first += 1


def _taken(work: Callable[[], Any]) -> tuple[float, float]:
    """Return seconds, and seconds of CPU over all threads, that `work` takes."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def _extracted(count: int, engine: Engine) -> int:
    return sum(len(found) for _, found in extract_stream(islice(articles(), count), engine=engine))


class _Timed(Scorer):
    """A scorer that knows how long it looked for statements."""

    extraction = 0.0

    def statements_many(self, articles: Sequence[Article]) -> list[list[Statement]]:
        begun = time.perf_counter()
        found = super().statements_many(articles)
        self.extraction += time.perf_counter() - begun
        return found


def _print_share(count: int) -> None:
    plain = stance.load()
    scorer = _Timed(plain.classifier, plain.targets)
    list(scorer.score_many(islice(articles(), 2)))
    scorer.extraction = 0.0
    wall, cpu = _taken(lambda: list(scorer.score_many(islice(articles(), count))))
    share = scorer.extraction / wall
    print(f"{'score':8} {count / wall:8.1f} {1000 * cpu / count:12.1f}   extraction is {share:.0%} of it")


def main() -> None:
    """Print articles a second and CPU time by engine, the share of extraction in scoring, and memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=64)
    parser.add_argument("--memory", type=int, metavar="N", help="only read N articles and print the peak memory in MiB")
    arguments = parser.parse_args()
    if arguments.memory:
        _extracted(arguments.memory, "learned")
        print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}")
        return
    count = arguments.articles
    print(f"{count} articles of 800 words, {torch.get_num_threads()} threads, {extractor_id()}")
    print(f"{'':8} {'articles/s':>8} {'CPU ms each':>12}")
    for engine in get_args(Engine):
        _extracted(2, engine)
        wall, cpu = _taken(lambda: _extracted(count, engine))  # noqa: B023 -- used within the turn
        print(f"{engine:8} {count / wall:8.1f} {1000 * cpu / count:12.1f}")
    _print_share(count)
    for n in _COUNTS:
        command = [sys.executable, "-m", "training.benchmark_extract_speed", "--memory", str(n)]
        peak = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        print(f"peak memory at {n:5} articles: {peak} MiB")


if __name__ == "__main__":
    main()
