"""The scoring function of the batch road: the articles of a part in, an Arrow table of rows out.

One machine and a cluster run this same function.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from stance.articles import LocatedArticle, Notices, warn_of_language
from stance.errors import ArticleError, Rejection
from stance.model import Prepared
from stance.schema import Article, Statement, rows_schema
from stance.scoring.parts import Part, PartInfo
from stance.scoring.scorer import Scorer, rounded
from stance.scoring.staged import Stopwatch

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["PartScorer", "PreparedPart"]


@dataclass(frozen=True, slots=True)
class PreparedPart:
    """A part that waits for the network.

    Parameters
    ----------
    key
        See `Part`.
    pairs
        Each statement with its article.
    prepared
        The packed statements.
    info
        What is known of the part so far.
    """

    key: str
    pairs: list[tuple[Article, Statement]]
    prepared: Prepared
    info: PartInfo


class PartScorer:
    """Scores parts in three steps, so that the steps of several parts may overlap.

    Parameters
    ----------
    scorer
        Model and targets.
    watch
        Counts the time of each stage.
    """

    def __init__(self, scorer: Scorer, watch: Stopwatch | None = None) -> None:
        self.scorer = scorer
        self.watch = watch or Stopwatch()
        self._names = [target.name for target in scorer.targets]

    def score(self, part: Part) -> tuple[pa.Table, PartInfo]:
        """Score a part, all steps at once."""
        prepared = self.prepare(part)
        return self.finish(prepared, self.encode(prepared))

    def prepare(self, part: Part) -> PreparedPart:
        """Find the statements and pack them; an article that cannot be worked on is rejected, the others go on."""
        info = PartInfo()
        pairs: list[tuple[Article, Statement]] = []
        with self.watch.stage("extract"):
            for located, found in zip(part.articles, self._found(part.articles, info), strict=True):
                pairs += self._counted(located, found, info)
        info.statements = len(pairs)
        with self.watch.stage("tokenize"):
            prepared = self.scorer.prepare([statement for _, statement in pairs])
        return PreparedPart(part.key, pairs, prepared, info)

    def encode(self, part: PreparedPart) -> NDArray[np.float32]:
        """Run the network, shape ``(statements, targets, labels)``."""
        with self.watch.stage("encode"):
            return self.scorer.classifier.run(part.prepared)

    def finish(self, part: PreparedPart, logits: NDArray[np.float32]) -> tuple[pa.Table, PartInfo]:
        """Lay out the rows of the row contract."""
        with self.watch.stage("rows"):
            return self._table(part, logits), part.info

    def _found(self, articles: Sequence[LocatedArticle], info: PartInfo) -> list[list[Statement] | None]:
        """Return the statements of each article, ``None`` where they cannot be found.

        Articles are read together, on all cores; if that fails, one by one, to learn which of them it was.
        """
        try:
            return [*self.scorer.statements_many([located.article for located in articles])]
        except Exception:
            return [self._alone(located, info) for located in articles]

    def _alone(self, located: LocatedArticle, info: PartInfo) -> list[Statement] | None:
        try:
            return self.scorer.statements(located.article)
        except Exception as error:  # one article that breaks the rules must not take a million others with it
            info.rejected.append(_broken(located, error))
            return None

    def _counted(
        self, located: LocatedArticle, found: list[Statement] | None, info: PartInfo
    ) -> list[tuple[Article, Statement]]:
        if found is None:
            return []
        article = located.article
        try:
            warn_of_language(located, Notices(info.rejected.append, info.warnings.append, ArticleError))
        except Exception as error:
            info.rejected.append(_broken(located, error))
            return []
        info.articles += 1
        if not found:
            message = "no quoted or reported statement found, so no row"
            info.warnings.append(Rejection(located.file, located.record, "no-statement", message))
        return [(article, statement) for statement in found]

    def _table(self, part: PreparedPart, logits: NDArray[np.float32]) -> pa.Table:
        import pyarrow as pa

        scorer, targets = self.scorer, len(self._names)
        p = scorer.classifier.probabilities(logits).reshape(-1, len(scorer.labels))
        shown = np.array([rounded(row) for row in p.tolist()]).reshape(p.shape)
        best = p.argmax(axis=1) if len(p) else np.zeros(0, dtype=np.int64)
        repeat = np.repeat(np.arange(len(part.pairs)), targets)
        of_row = {
            "target": self._names * len(part.pairs),
            "label": [scorer.labels[i] for i in best],
            "confidence": shown[np.arange(len(p)), best],
            "abstained": scorer.classifier.abstains(p) if len(p) else np.zeros(0, dtype=bool),
            "truncated": np.repeat(part.prepared.truncated, targets),
            "model": [scorer.model_id] * len(p),
            **{f"p_{label}": shown[:, i] for i, label in enumerate(scorer.labels)},
        }
        of_statement = _statement_columns(part.pairs)
        schema = rows_schema(scorer.labels)
        arrays = [
            pa.array(of_row[field.name], field.type)
            if field.name in of_row
            else pa.array(of_statement[field.name], field.type).take(pa.array(repeat))
            for field in schema
        ]
        return pa.Table.from_arrays(arrays, schema=schema)


def _broken(located: LocatedArticle, error: Exception) -> Rejection:
    message = f"statements could not be found: {type(error).__name__}: {error}"
    return Rejection(located.file, located.record, "extraction", message)


def _statement_columns(pairs: list[tuple[Article, Statement]]) -> dict[str, list[object]]:
    return {
        "article_id": [s.article_id for _, s in pairs],
        "outlet": [a.outlet for a, _ in pairs],
        "published": [a.published for a, _ in pairs],
        "statement_id": [s.id for _, s in pairs],
        "quotation_id": [s.quotation_id for _, s in pairs],
        "start": [s.start for _, s in pairs],
        "end": [s.end for _, s in pairs],
        "quote_type": [s.quote_type for _, s in pairs],
        "statement": [s.text for _, s in pairs],
        "cue": [s.cue for _, s in pairs],
        "speaker": [s.speaker.name if s.speaker else None for _, s in pairs],
        "speaker_mention": [s.speaker.mention if s.speaker else None for _, s in pairs],
        "speaker_country": [s.speaker.country if s.speaker else None for _, s in pairs],
    }
