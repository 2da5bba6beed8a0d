"""Measure how fast statements are extracted: ``python -m training.benchmark_extract_speed [--articles 64]``.

Articles of 800 words are put together from the example articles; memory is the peak of the process.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

import torch

import stance
from stance.quotes import Engine, extract_many
from stance.schema import Article

__all__ = ["main", "sample"]

_FOLDER = Path(__file__).resolve().parents[1] / "examples" / "articles"
_WINDOW = 32  # articles extracted together, as `stance score` does


def sample(count: int, words: int = 800) -> list[Article]:
    """Return articles of whole paragraphs, at least `words` words each, every one beginning elsewhere."""
    paragraphs = [p for f in sorted(_FOLDER.glob("*.txt")) for p in f.read_text(encoding="utf-8").split("\n\n")]
    found = []
    for i in range(count):
        parts: list[str] = []
        at = i * 7
        while sum(len(p.split()) for p in parts) < words:
            parts.append(paragraphs[at % len(paragraphs)])
            at += 1
        found.append(Article(f"sample-{i}", "\n\n".join(parts)))
    return found


def _seconds(articles: list[Article], engine: Engine) -> float:
    extract_many(articles[:2], engine=engine)
    begun = time.perf_counter()
    for at in range(0, len(articles), _WINDOW):
        extract_many(articles[at : at + _WINDOW], engine=engine)
    return time.perf_counter() - begun


def main() -> None:
    """Print articles a second by engine, and the share of extraction in scoring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=64)
    arguments = parser.parse_args()
    articles = sample(arguments.articles)
    print(f"{len(articles)} articles of 800 words, {torch.get_num_threads()} threads")
    engines: tuple[Engine, ...] = ("rules", "learned")
    taken = {engine: _seconds(articles, engine) for engine in engines}
    for engine, seconds in taken.items():
        print(f"{engine:8} {len(articles) / seconds:8.1f} articles a second")
    scorer = stance.load()
    few = articles[: max(1, len(articles) // 4)]
    begun = time.perf_counter()
    rows = sum(len(found) for found in scorer.score_many(few))
    whole = time.perf_counter() - begun
    share = taken["learned"] * len(few) / len(articles) / whole
    print(f"score    {len(few) / whole:8.1f} articles a second ({rows} rows); extraction takes {share:.0%} of it")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
