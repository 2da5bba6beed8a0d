"""Whole articles with gold statements: extraction, speaker and stance scored together and apart."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.articles import Notices, read_any_records
from stance.corpus import Corpus, CorpusRecord
from stance.errors import CorpusError, Rejection
from stance.evaluation.figures import Figure
from stance.schema import LABELS, Article, Speaker, StanceRow, Statement, stable_id
from stance.statistics.resampling import ClusterDraws, interval

__all__ = ["EndToEnd", "GoldArticle", "articles_corpus", "is_articles_corpus", "read_gold_articles", "score_articles"]

SILENT = "not_addressed"
_OVERLAP = 0.5
_CONTEXT = 200
_WORD = re.compile(r"[^\W_]+")
_TITLES = frozenset(
    ("a", "an", "the", "mr", "mrs", "ms", "dr", "president", "minister", "prime", "senator", "representative")
)


@dataclass(frozen=True, slots=True)
class GoldArticle:
    """An article and the statements people found in it, in the order of the text."""

    article: Article
    statements: tuple[CorpusRecord, ...]


@dataclass(frozen=True)
class EndToEnd:
    """Figures of each stage and of all together, clustered by article.

    Parameters
    ----------
    articles, gold, found
        Numbers of articles, gold statements and statements found.
    figures
        ``extraction_precision``, ``_recall``, ``_f1``: statements matched one to one at a character Jaccard of at
        least 0.5; ``speaker_accuracy`` and ``stance_accuracy`` on the matched ones; ``triple_precision``,
        ``_recall``, ``_f1``: a triple (statement, speaker, stance toward one addressed target) counts only if all
        three are right.
    missed
        Gold statements nothing was matched to: article id and text.
    """

    articles: int
    gold: int
    found: int
    figures: Mapping[str, Figure]
    missed: tuple[tuple[str, str], ...]


def is_articles_corpus(path: str | Path) -> bool:
    """Tell whether a JSONL file holds whole articles with gold statements rather than statements."""
    place = Path(path)
    if place.suffix.lower() != ".jsonl" or not place.is_file():
        return False
    with place.open(encoding="utf-8", errors="replace") as lines:
        first = next((line for line in lines if line.strip()), "")
    try:
        record = json.loads(first)
    except ValueError:
        return False
    return isinstance(record, dict) and isinstance(record.get("statements"), list) and "text" in record


def read_gold_articles(
    path: str | Path, *, on_reject: Callable[[Rejection], None] | None = None
) -> tuple[GoldArticle, ...]:
    """Read articles with gold statements.

    Parameters
    ----------
    path
        JSONL; one article a line with ``text``, perhaps ``id``, ``title``, ``outlet``, ``published``, and
        ``statements``: a list of ``start``, ``end`` (offsets into the text), ``speaker`` (``null`` if the text does
        not tell), perhaps ``quote_type``, and ``labels`` (target to label).
    on_reject
        Called for each article left out; if not given, the first one raises.

    Raises
    ------
    CorpusError
        If there is no article, or one breaks a rule and `on_reject` is not given.
    """
    notices = Notices(on_reject, None, CorpusError)
    found: list[GoldArticle] = []
    for number, record in read_any_records(str(path), notices, None):
        try:
            found.append(_gold_article(record))
        except CorpusError as error:
            notices.reject(str(path), number, error.rejection.rule, error.rejection.message)
    if not found:
        raise CorpusError("holds no article that can be read", file=str(path), rule="empty-corpus")
    return tuple(found)


def _gold_article(record: Mapping[str, Any]) -> GoldArticle:
    text = record.get("text")
    if not isinstance(text, str) or not text.strip():
        raise CorpusError("needs a 'text' that is not empty", rule="missing-text")
    origin = {name: record.get(name) for name in ("title", "outlet", "published")}
    article = Article(str(record.get("id") or stable_id(text)), text, **origin)
    given = record.get("statements")
    if not isinstance(given, list):
        raise CorpusError("needs a list 'statements'", rule="statements-type")
    return GoldArticle(article, tuple(_gold_statement(article, item, i) for i, item in enumerate(given, 1)))


def _gold_statement(article: Article, item: Any, number: int) -> CorpusRecord:
    where = f"statement {number}: "
    if not isinstance(item, dict) or not isinstance(item.get("labels"), dict):
        raise CorpusError(f"{where}needs 'start', 'end' and 'labels'", rule="statement-type")
    start, end = item.get("start"), item.get("end")
    if not (isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= len(article.text)):
        raise CorpusError(f"{where}offsets {start!r} to {end!r} are not in the text", rule="offsets")
    name = item.get("speaker")
    statement = Statement(
        id=stable_id(article.id, start, end),
        text=article.text[start:end],
        start=start,
        end=end,
        quote_type=item.get("quote_type"),
        speaker=Speaker(str(name), str(name), country=item.get("speaker_country")) if name else None,
        before=article.text[max(0, start - _CONTEXT) : start],
        after=article.text[end : end + _CONTEXT],
        article_id=article.id,
    )
    labels = {str(t): None if label in (None, -1, "") else str(label) for t, label in item["labels"].items()}
    return CorpusRecord(statement, labels, article.id, article.outlet, article.published)


def articles_corpus(articles: Sequence[GoldArticle], name: str) -> Corpus:
    """Return the gold statements as a corpus of one split, for the figures of stance alone.

    Raises
    ------
    CorpusError
        If no statement has a label.
    """
    records = tuple(record for each in articles for record in each.statements)
    targets = tuple(dict.fromkeys(t for r in records for t in r.labels))
    found = {label: None for r in records for label in r.labels.values() if label is not None}
    labels = LABELS if set(found) <= set(LABELS) else tuple(found)
    if not found:
        raise CorpusError("no gold statement has a label", file=name, rule="no-label")
    filled = (replace(r, labels=dict.fromkeys(targets) | dict(r.labels)) for r in records)
    return Corpus(name, labels, targets, {"all": tuple(filled)})


def score_articles(
    articles: Sequence[GoldArticle], rows: Sequence[Sequence[StanceRow]], targets: Sequence[str], draws: ClusterDraws
) -> EndToEnd:
    """Score the rows of each article against its gold statements.

    Parameters
    ----------
    articles
        The articles.
    rows
        What `Scorer.score_many` gave for each.
    targets
        Targets that count.
    draws
        Draws of as many clusters as there are articles.
    """
    counts, missed, found = [], [], 0
    for each, own in zip(articles, rows, strict=True):
        by_id: dict[str, dict[str, StanceRow]] = {}
        for row in own:
            by_id.setdefault(row.statement_id, {})[row.target] = row
        predicted = list(by_id.values())
        found += len(predicted)
        pairs = _matched(each.statements, [next(iter(p.values())) for p in predicted])
        counts.append(_counts(each.statements, predicted, pairs, targets))
        missed += [(each.article.id, g.statement.text) for i, g in enumerate(each.statements) if i not in pairs]
    sums = np.array(counts, dtype=np.float64)
    exact, drawn = _figures(sums.sum(axis=0, keepdims=True)), draws.figures(sums, _figures)
    figures = {name: Figure(float(v[0]), *interval(drawn[name], len(articles))) for name, v in exact.items()}
    gold = sum(len(each.statements) for each in articles)
    return EndToEnd(len(articles), gold, found, figures, tuple(missed))


def _matched(gold: Sequence[CorpusRecord], found: Sequence[StanceRow]) -> dict[int, int]:
    """Return the one-to-one matching of the largest total character Jaccard, pairs under 0.5 left out."""
    if not gold or not found:
        return {}
    from scipy.optimize import linear_sum_assignment

    overlap = np.zeros((len(gold), len(found)))
    for i, g in enumerate(gold):
        for j, f in enumerate(found):
            shared = max(0, min(g.statement.end, f.end) - max(g.statement.start, f.start))
            overlap[i, j] = shared / (g.statement.end - g.statement.start + f.end - f.start - shared)
    overlap[overlap < _OVERLAP] = 0
    rows, columns = linear_sum_assignment(-overlap)
    return {int(i): int(j) for i, j in zip(rows, columns, strict=True) if overlap[i, j] > 0}


def _counts(
    gold: Sequence[CorpusRecord],
    found: Sequence[Mapping[str, StanceRow]],
    pairs: Mapping[int, int],
    targets: Sequence[str],
) -> list[int]:
    """Return the counts of one article: matches, gold, found; right speakers; stances right, asked; triples."""
    speakers = stances = asked = triples = 0
    for i, j in pairs.items():
        row = next(iter(found[j].values()))
        known = gold[i].statement.speaker
        same = same_speaker(known.name if known else None, row.speaker)
        speakers += same
        for target, label in _labelled(gold[i], targets):
            right = target in found[j] and found[j][target].label == label
            asked += 1
            stances += right
            triples += right and same and label != SILENT
    gold_triples = sum(label != SILENT for g in gold for _, label in _labelled(g, targets))
    own = [row for rows in found for t, row in rows.items() if t in targets]
    return [
        *(len(pairs), len(gold), len(found), speakers, stances, asked),
        *(triples, gold_triples, sum(row.label != SILENT for row in own)),
    ]


def _labelled(record: CorpusRecord, targets: Sequence[str]) -> Iterator[tuple[str, str]]:
    for target in targets:
        if (label := record.labels.get(target)) is not None:
            yield target, label


def same_speaker(gold: str | None, found: str | None) -> bool:
    """Tell whether two names mean one speaker: the words of one are among the other's, titles aside."""
    if not gold or not found:
        return not gold and not found
    a, b = (set(_WORD.findall(name.casefold())) for name in (gold, found))
    a, b = a - _TITLES or a, b - _TITLES or b
    return a <= b or b <= a


def _figures(sums: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Return the figures from counts of shape ``(draws, 9)``."""
    matched, gold, found, speakers, stances, asked, triples, gold_triples, found_triples = sums.T

    def share(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0))

    return {
        "extraction_precision": share(matched, found),
        "extraction_recall": share(matched, gold),
        "extraction_f1": share(2 * matched, gold + found),
        "speaker_accuracy": share(speakers, matched),
        "stance_accuracy": share(stances, asked),
        "triple_precision": share(triples, found_triples),
        "triple_recall": share(triples, gold_triples),
        "triple_f1": share(2 * triples, gold_triples + found_triples),
    }
