"""Measure quotation extraction on PolNeAR: ``python -m training.benchmark_quotes [--split dev] [--engines …]``.

Two protocols: exact spans as CofeNet counts them (``spans``), and whole attributions linked one to one where the
Jaccard index of the contents' characters is at least 0.5 (``linked``), with quotation marks alone and the rules beside
the tagger. Speakers after resolution are those of our own articles (`training.quote_resolution`). Intervals are
95 % bootstrap intervals over articles.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.quotes.extract import extract_many
from stance.quotes.marks import find_quotes, paragraphs
from stance.quotes.tagger import QuoteTagger
from stance.schema import Article, Statement, stable_id
from stance.statistics import clustered_interval
from training.corpora import data_folder, polnear, polnear_cofenet
from training.corpora.polnear import Annotated
from training.quote_metrics import COLUMNS, LENGTHS, TYPES, counts, predictions, span_f1
from training.quote_noise import Noise, noisy
from training.quote_resolution import figures as resolved_figures
from training.quote_resolution import judge, read_gold, roughened

__all__ = ["ENGINES", "linked_counts", "linked_figures", "main", "span_counts", "span_figures"]

Extract = Callable[[Sequence[Article]], list[list[Statement]]]
_AT = {name: i for i, name in enumerate(COLUMNS)}
_FEWEST = 4  # words of a quotation that the baseline of marks alone takes for a statement


def _marks_alone(articles: Sequence[Article]) -> list[list[Statement]]:
    found = []
    for article in articles:
        quotes = find_quotes(article.text, paragraphs(article.text))
        long = [q for q in quotes if len(article.text[q.start : q.end].split()) >= _FEWEST]
        found.append(
            [
                Statement(f"{q.start}", article.text[q.start : q.end], q.start, q.end, stable_id(q.start), "direct")
                for q in long
            ]
        )
    return found


def ENGINES(tagger: QuoteTagger | None) -> dict[str, Extract]:  # noqa: N802 - a table that needs the tagger
    """Return what is compared, by name."""
    engines: dict[str, Extract] = {"marks": _marks_alone, "rules": lambda a: extract_many(a, engine="rules")}
    if tagger is not None:
        engines["learned"] = lambda a: extract_many(a, engine="learned", tagger=tagger)
    return engines


def linked_counts(annotated: Sequence[Annotated], extract: Extract, least: float = 0.5) -> NDArray[np.int64]:
    """Return the counts of each article, shape ``(articles, columns)``; annotators of one article are added up."""
    texts = {a.text: Article(f"{a.article}", a.text) for a in annotated}
    found = dict(zip(texts, extract(list(texts.values())), strict=True))
    rows: dict[str, NDArray[np.int64]] = {}
    for a in annotated:
        row = counts(a, predictions(a.text, found[a.text]), least)
        rows[a.article] = rows.get(a.article, np.zeros_like(row)) + row
    return np.stack(list(rows.values()))


def linked_figures(table: NDArray[np.int64], resamples: int = 2000) -> dict[str, tuple[float, float, float]]:
    """Return each figure with its interval."""
    figures = {
        "F1": _f1("matched", "gold", "predicted"),
        "precision": _ratio("matched", "predicted"),
        "recall": _ratio("matched", "gold"),
        "exact content, of matched": _ratio("exact", "matched"),
        "speaker overlap, of matched": _ratio("source_overlap", "sourced"),
        "speaker exact, of matched": _ratio("source_exact", "sourced"),
    }
    figures |= {f"recall {kind}": _ratio(f"matched_{kind}", f"gold_{kind}") for kind in TYPES}
    figures |= {
        f"recall, {low}{'+' if high > 999 else f'–{high}'} words": _ratio(f"matched_words_{low}", f"gold_words_{low}")
        for low, high in LENGTHS
    }
    return {name: _with_interval(table, figure, resamples) for name, figure in figures.items()}


def span_counts(data: Path, split: str, tagger: QuoteTagger) -> tuple[NDArray[np.int64], int]:
    """Return CofeNet's counts of each document, and how many tokens could not be traced to the text."""
    documents: dict[str, list[polnear_cofenet.Paragraph]] = {}
    for paragraph in polnear_cofenet.read(data, split):
        documents.setdefault(paragraph.document, []).append(paragraph)
    texts = {f"{a.article}_{a.annotator}": a.text for a in polnear.read(data, split)}
    readings = dict(zip(documents, tagger.read([texts[d] for d in documents]), strict=True))
    gold, predicted, lost = [], [], 0
    for document, parts in documents.items():
        label = np.full(len(texts[document]) + 1, -1, dtype=np.int64)
        spans = readings[document].spans
        for i, span in enumerate(spans):
            label[span.start : span.end] = i
        g: set[tuple[str, int, int]] = set()
        p: set[tuple[str, int, int]] = set()
        base = 0
        for part, starts in zip(parts, polnear_cofenet.trace(texts[document], parts), strict=True):
            lost += starts.count(-1)
            g |= {(kind, a + base, b + base) for kind, a, b in polnear_cofenet.tag_spans(part.tags)}
            numbers = [int(label[s]) if s >= 0 else -1 for s in starts]
            p |= {(spans[n].kind, a + base, b + base) for n, a, b in _runs(numbers)}
            base += len(part.tokens) + 1
        gold.append(g)
        predicted.append(p)
    return span_f1(gold, predicted), lost


def span_figures(table: NDArray[np.int64], resamples: int = 2000) -> dict[str, tuple[float, float, float]]:
    """Return exact F1 of each kind with its interval."""

    def figure(k: int) -> Callable[[NDArray[np.int64]], NDArray[np.float64]]:
        return lambda s: 2 * s[..., k, 2] / np.maximum(1, s[..., k, 0] + s[..., k, 1])

    return {n: _with_interval(table, figure(k), resamples) for k, n in enumerate(("source", "cue", "content"))}


def _runs(numbers: Sequence[int]) -> list[tuple[int, int, int]]:
    found, first = [], 0
    for i in range(1, len(numbers) + 1):
        if i == len(numbers) or numbers[i] != numbers[first]:
            if numbers and numbers[first] >= 0:
                found.append((numbers[first], first, i))
            first = i
    return found


def _ratio(a: str, b: str) -> Callable[[NDArray[np.int64]], NDArray[np.float64]]:
    return lambda s: s[..., _AT[a]] / np.maximum(1, s[..., _AT[b]])


def _f1(a: str, b: str, c: str) -> Callable[[NDArray[np.int64]], NDArray[np.float64]]:
    return lambda s: 2 * s[..., _AT[a]] / np.maximum(1, s[..., _AT[b]] + s[..., _AT[c]])


def _with_interval(
    table: NDArray[np.int64], figure: Callable[[NDArray[np.int64]], NDArray[np.float64]], resamples: int
) -> tuple[float, float, float]:
    low, high = clustered_interval(table, figure, resamples=resamples)
    return float(figure(table.sum(axis=0)[None])[0]), low, high


def _print(name: str, figures: dict[str, tuple[float, float, float]]) -> None:
    print(f"\n{name}")
    for figure, (value, low, high) in figures.items():
        print(f"  {figure:30} {value:.3f}  [{low:.3f}, {high:.3f}]")


def main() -> None:
    """Print the tables, and write them as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", choices=("dev", "test"), default="dev")
    parser.add_argument("--tagger", type=Path, help="folder of a tagger (default: the shipped one)")
    parser.add_argument("--words-from", type=Path, help="folder whose word embeddings it reads with")
    parser.add_argument("--engines", default="marks,rules,learned")
    parser.add_argument("--noise", type=float, default=0.0, help="strength of the noise generator, 1 is its default")
    parser.add_argument("-o", "--output", type=Path, help="write the figures as JSON")
    arguments = parser.parse_args()
    data = data_folder()
    wanted = arguments.engines.split(",")
    tagger = None
    if "learned" in wanted:
        tagger = QuoteTagger.from_pretrained(arguments.tagger, words_from=arguments.words_from)
    annotated = list(polnear.read(data, arguments.split))
    gold = read_gold()
    if arguments.noise:
        noise = Noise().scaled(arguments.noise)
        gold = roughened(gold, noise)
        annotated = [noisy(a, noise, int(stable_id(a.article, length=7), 16)) for a in annotated]
    result: dict[str, Any] = {}
    for name, extract in ENGINES(tagger).items():
        if name in wanted:
            begun = time.monotonic()
            result[name] = linked_figures(linked_counts(annotated, extract))
            _print(f"linked, {arguments.split}, {name} ({time.monotonic() - begun:.1f} s)", result[name])
            if name != "marks":
                result[f"{name}, resolved"] = resolved_figures(judge(gold, extract([g.article for g in gold]))[0])
                _print(
                    f"speakers after resolution, {len(gold)} articles of our own, {name}", result[f"{name}, resolved"]
                )
    if tagger is not None and not arguments.noise:
        table, lost = span_counts(data, arguments.split, tagger)
        result["spans"] = span_figures(table)
        _print(f"exact spans (CofeNet), {arguments.split}, {lost} tokens not traced", result["spans"])
    if arguments.output:
        arguments.output.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
