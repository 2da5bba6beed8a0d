"""The road from articles to stance rows; the only place that joins articles, quotes and model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stance.model import Prepared, StanceClassifier
from stance.quotes import extract_many, extractor_id, unquoted_sentences
from stance.schema import Article, StanceRow, Statement, Target, stable_id
from stance.scoring.statements import StatementRecord
from stance.scoring.table import StanceRows
from stance.targets import name_in, resolve_targets

__all__ = ["Scorer", "load"]

_RECORDS = 512
"""Statement records that share batches in `Scorer.classify_many`."""
_WINDOW = 32
"""Articles whose statements share batches; rows of the first appear when the window is done."""


def load(
    model: str | Path | None = None,
    *,
    targets: str | Path | Sequence[str | Target] | None = None,
    engine: str | None = None,
    own_voice: bool = False,
) -> Scorer:
    """Load a model and return a `Scorer`.

    Parameters
    ----------
    model
        Folder of a stance model; the shipped one if not given.
    targets
        What to ask about, as `stance.resolve_targets` reads it; the four defaults if not given.
    engine
        What runs the network, one of `stance.model.engines.ENGINES`; the fastest that is installed if not given.
    own_voice
        See `Scorer`.

    Raises
    ------
    ModelError
        If the model cannot be loaded.
    UsageError, MissingExtraError
        If the engine is unknown, or cannot run here.
    TargetError
        If the targets cannot be read.
    """
    classifier = StanceClassifier.from_pretrained(model)
    classifier.use_engine(engine)
    return Scorer(classifier, resolve_targets(targets), own_voice=own_voice)


class Scorer:
    """Finds statements in articles and scores their stance.

    Parameters
    ----------
    classifier
        The model.
    targets
        Targets asked about, in the order of the rows.
    own_voice
        Whether to score the unquoted sentences of an article as well; their rows have no `quote_type` and follow the
        statements of their article.
    """

    def __init__(self, classifier: StanceClassifier, targets: Sequence[Target], *, own_voice: bool = False) -> None:
        self.classifier = classifier
        self.targets = tuple(targets)
        self.own_voice = own_voice

    @property
    def model_id(self) -> str:
        """Name and content hash of the model."""
        return self.classifier.id

    @property
    def extractor(self) -> str:
        """Name, content hash and precision of what finds the statements."""
        return extractor_id()

    @property
    def labels(self) -> tuple[str, ...]:
        """Label names of the model."""
        return self.classifier.labels

    def score(self, article: str | Article) -> StanceRows:
        """Score one article, or a bare text.

        Returns
        -------
        StanceRows
            One row per statement and target, statements in the order of the text.
        """
        return next(self.score_many([article]))

    def statements(self, article: Article) -> list[Statement]:
        """Return what is scored of an article, in the order of the rows."""
        return self.statements_many([article])[0]

    def statements_many(self, articles: Sequence[Article]) -> list[list[Statement]]:
        """Return `statements` of several articles, which are read together."""
        found = extract_many(articles)
        if not self.own_voice:
            return found
        return [said + unquoted_sentences(a, said) for a, said in zip(articles, found, strict=True)]

    def score_many(self, articles: Iterable[str | Article]) -> Iterator[StanceRows]:
        """Score articles as they come; yields one `StanceRows` per article, in order.

        At most a window of articles is held in memory.
        """
        stream = iter(articles)
        while window := [_as_article(a) for a in islice(stream, _WINDOW)]:
            found = self.statements_many(window)
            rows = self._rows([(a, s) for a, many in zip(window, found, strict=True) for s in many])
            step = len(self.targets)
            for statements in found:
                yield StanceRows(islice(rows, len(statements) * step), self.labels)

    def classify(self, statements: Iterable[Statement], targets: Sequence[Target] | None = None) -> StanceRows:
        """Score statements that are already found.

        Parameters
        ----------
        statements
            The statements.
        targets
            Asked about instead of the scorer's own.
        """
        return StanceRows(self._rows([(None, s) for s in statements], targets), self.labels)

    def classify_many(self, records: Iterable[StatementRecord]) -> Iterator[StanceRows]:
        """Score statement records as they come; yields one `StanceRows` per record, in order.

        A record that names targets is asked about those instead of the scorer's own.
        """
        stream = iter(records)
        while window := list(islice(stream, _RECORDS)):
            groups: dict[tuple[Target, ...], list[int]] = {}
            for i, record in enumerate(window):
                groups.setdefault(record.targets or self.targets, []).append(i)
            results: dict[int, StanceRows] = {}
            for targets, members in groups.items():
                rows = self._rows([(None, window[i].statement) for i in members], targets)
                results |= {i: StanceRows(islice(rows, len(targets)), self.labels) for i in members}
            yield from (results[i] for i in range(len(window)))

    def prepare(self, statements: Sequence[Statement], targets: Sequence[Target] | None = None) -> Prepared:
        """Tokenise and pack statements: the first of the three steps of `classify`, for servers that overlap them."""
        return self.classifier.prepare(statements, self._names(targets), self.asked(statements, targets))

    def encode(self, prepared: Prepared) -> NDArray[np.float32]:
        """Run the network on one lane of the engine, shape ``(n, t, labels)``; as many threads may as it has lanes."""
        return self.classifier.run(prepared, one_lane=True)

    def finish(
        self,
        statements: Sequence[Statement],
        prepared: Prepared,
        logits: NDArray[np.float32],
        targets: Sequence[Target] | None = None,
    ) -> list[StanceRows]:
        """Return the rows of each statement from what `prepare` and `encode` returned."""
        names, probabilities = self._names(targets), self.classifier.probabilities(logits)
        rows = self._laid_out([(None, s) for s in statements], names, probabilities, prepared.truncated)
        return [StanceRows(islice(rows, len(names)), self.labels) for _ in statements]

    def asked(self, statements: Sequence[Statement], targets: Sequence[Target] | None = None) -> list[list[str]] | None:
        """Return the names that targets are asked about by, of each statement; ``None`` where they are their own.

        A target that the model was not trained on is asked about by the name that the statement uses.

        Parameters
        ----------
        statements
            The statements.
        targets
            Asked about instead of the scorer's own.
        """
        wanted = self.targets if targets is None else targets
        renamed = [self._by_alias(target) for target in wanted]
        if not any(renamed):
            return None
        both = list(zip(wanted, renamed, strict=True))
        return [[name_in(t, s.text) if by_alias else t.name for t, by_alias in both] for s in statements]

    @property
    def aliases(self) -> list[str]:
        """The scorer's targets that may be asked about by alias, each with its aliases, in words."""
        return [f"{t.name}: {', '.join(t.aliases)}" for t in self.targets if self._by_alias(t)]

    def _by_alias(self, target: Target) -> bool:
        known = self.classifier.config.known_targets
        return known is not None and target.name not in known and bool(target.aliases)

    def _names(self, targets: Sequence[Target] | None) -> list[str]:
        return [t.name for t in (self.targets if targets is None else targets)]

    def _rows(
        self, pairs: Sequence[tuple[Article | None, Statement]], targets: Sequence[Target] | None = None
    ) -> Iterator[StanceRow]:
        if not pairs:
            return
        prepared = self.prepare([s for _, s in pairs], targets)
        probabilities = self.classifier.probabilities(self.classifier.run(prepared))
        yield from self._laid_out(pairs, self._names(targets), probabilities, prepared.truncated)

    def _laid_out(
        self,
        pairs: Sequence[tuple[Article | None, Statement]],
        names: Sequence[str],
        probabilities: NDArray[np.float64],
        truncated: NDArray[np.bool_],
    ) -> Iterator[StanceRow]:
        """Yield the rows of all statements and targets from probabilities of shape ``(n, t, labels)``."""
        labels, model = self.labels, self.model_id
        parts = probabilities.tolist(), self.classifier.abstains(probabilities).tolist(), truncated.tolist()
        for (article, s), of_targets, abstained, cut in zip(pairs, *parts, strict=True):
            speaker = s.speaker
            for name, p, abstains in zip(names, of_targets, abstained, strict=True):
                best = p.index(max(p))
                shown = rounded(p)
                yield StanceRow(
                    article_id=s.article_id,
                    outlet=article.outlet if article else None,
                    published=article.published if article else None,
                    statement_id=s.id,
                    quotation_id=s.quotation_id,
                    start=s.start,
                    end=s.end,
                    quote_type=s.quote_type,
                    statement=s.text,
                    cue=s.cue,
                    speaker=speaker.name if speaker else None,
                    speaker_mention=speaker.mention if speaker else None,
                    speaker_country=speaker.country if speaker else None,
                    target=name,
                    label=labels[best],
                    probabilities=dict(zip(labels, shown, strict=True)),
                    confidence=shown[best],
                    abstained=abstains,
                    truncated=cut,
                    model=model,
                )


def rounded(p: Sequence[float], digits: int = 6) -> list[float]:
    """Round probabilities so that the decimals still sum to 1: the largest takes the remainder."""
    shown = [round(x, digits) for x in p]
    best = p.index(max(p))
    shown[best] = 0.0
    shown[best] = round(1.0 - sum(shown), digits)
    return shown


def _as_article(article: str | Article) -> Article:
    return article if isinstance(article, Article) else Article(id=stable_id(article), text=article)
