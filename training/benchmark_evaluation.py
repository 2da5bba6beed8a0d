"""How long an evaluation of stored predictions takes: ``python -m training.benchmark_evaluation [--statements N]``.

The statements are made, not read: random words, four targets, about four statements to a document, and a fifth as many
to train the baselines on. What is timed is the whole command from stored predictions on, with 10,000 resamples:
reading, baselines, figures, calibration, comparisons, slices, leaks, and writing every file of the report.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np

from stance.corpus import Corpus, CorpusRecord
from stance.evaluation import Options, evaluate, write_report
from stance.schema import LABELS, Speaker, Statement
from stance.targets import default_targets

__all__ = ["made_corpus", "main", "write_predictions"]

_SHARES = (0.12, 0.12, 0.06, 0.70)
_LIMIT = 20.0


def made_corpus(statements: int, seed: int = 0) -> Corpus:
    """Return a corpus of random words with outlets, years and speakers; the last sixth of it is the train split."""
    rng = np.random.default_rng(seed)
    words = np.array([f"word{i}" for i in range(4000)])
    targets = tuple(t.name for t in default_targets())
    records = []
    for i in range(statements):
        text = " ".join(rng.choice(words, size=rng.integers(6, 40)))
        country = targets[rng.integers(4)]
        speaker = Speaker(f"Speaker {rng.integers(500)}", "he", country=country)
        labels = {t: LABELS[j] for t, j in zip(targets, rng.choice(4, size=4, p=_SHARES), strict=True)}
        document = f"d{i // 4}"
        outlet, year = f"outlet {rng.integers(20)}", 2019 + rng.integers(6)
        statement = Statement(f"s{i}", text, speaker=speaker, quote_type=("direct", "indirect")[rng.integers(2)])
        records.append(CorpusRecord(statement, labels, document, outlet, f"{year}-01-01", "made"))
    asked = statements * 5 // 6
    return Corpus("made", LABELS, targets, {"train": tuple(records[asked:]), "test": tuple(records[:asked])})


def write_predictions(corpus: Corpus, path: Path, seed: int = 1) -> None:
    """Write random predictions that are right in about two thirds of the items."""
    rng = np.random.default_rng(seed)
    with path.open("w", encoding="utf-8") as file:
        for record in corpus.splits["test"]:
            for target, label in record.labels.items():
                p = rng.dirichlet(np.full(4, 0.6))
                p[LABELS.index(str(label))] += rng.exponential(0.9)
                p /= p.sum()
                row = {"statement_id": record.id, "target": target, "label": LABELS[int(p.argmax())]}
                file.write(json.dumps(row | {f"p_{k}": v for k, v in zip(LABELS, p.tolist(), strict=True)}) + "\n")


def main() -> None:
    """Print how long each part takes; exit with 1 over the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--statements", type=int, default=10_000)
    parser.add_argument("--resamples", type=int, default=10_000)
    arguments = parser.parse_args()
    corpus = made_corpus(arguments.statements * 6 // 5)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "predictions.jsonl"
        write_predictions(corpus, path)
        start, cpu = time.perf_counter(), time.process_time()
        result = evaluate(corpus, str(path), Options(resamples=arguments.resamples))
        middle = time.perf_counter()
        written = write_report(result, Path(folder) / "report")
        end, cpu = time.perf_counter(), time.process_time() - cpu
        page = next(p for p in written if p.name == "report.html").stat().st_size
    print(
        f"{arguments.statements} statements, {len(result.items)} items, {result.items.clusters} documents, "
        f"{arguments.resamples} resamples: {middle - start:.1f} s evaluated, {end - middle:.1f} s written, "
        f"{cpu:.1f} s of processor time; report.html {page / 1000:.0f} kB"
    )
    raise SystemExit(0 if end - start < _LIMIT else 1)


if __name__ == "__main__":
    main()
