"""What the server does: articles or statements in, rows out, within the time a request may take."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Any, TypeVar

from stance.articles import read_articles
from stance.errors import Rejection, StatementError, TargetError
from stance.quotes import extract_statements
from stance.schema import Article, StanceRow, Statement, Target
from stance.scoring import Scorer, StatementRecord
from stance.scoring.statements import statement_record
from stance.serve.batching import Batcher
from stance.serve.options import MAX_STATEMENTS, ServeOptions
from stance.serve.wire import ArticleIn, ClassifyRequest, ScoreRequest
from stance.serving.refusals import Problem, Refusal
from stance.targets import resolve_targets

__all__ = ["Gone", "ScoredArticle", "Service"]

_READERS_WAITING = 64
_T = TypeVar("_T")
Gone = Callable[[], Awaitable[None]]
"""Returns when the client has gone away."""


@dataclass(slots=True)
class ScoredArticle:
    """An article as it was read, with its statements, rows and warnings."""

    article: Article
    statements: list[Statement]
    warnings: list[Rejection]
    rows: list[StanceRow] = field(default_factory=list)


class Service:
    """Joins reading, extraction and the model's threads.

    Parameters
    ----------
    scorer
        Its targets are asked about where a request names none.
    batcher
        Scores statements.
    options
        Time limit.
    """

    def __init__(self, scorer: Scorer, batcher: Batcher, options: ServeOptions) -> None:
        self.scorer = scorer
        self.batcher = batcher
        self._timeout = options.timeout
        self._known = {alias.casefold(): t for t in scorer.targets for alias in (t.name, *t.aliases)}
        self._readers = ThreadPoolExecutor(1, thread_name_prefix="stance-reader")
        self._reading = 0

    def close(self) -> None:
        """End the reading thread; what is being read is finished first."""
        self._readers.shutdown(cancel_futures=True)

    async def classify(self, request: ClassifyRequest, gone: Gone) -> list[StanceRow]:
        """Score statements.

        Raises
        ------
        Refusal
            409 for an id sent twice or a target named twice, 422 for a bad record, 408, 429 and 503 as `Batcher.submit`
            and the time limit have it.
        """
        targets = self._targets(request.targets, "body.targets")
        records: list[StatementRecord] = []
        seen: dict[str, int] = {}
        for i, item in enumerate(request.statements):
            where = f"body.statements[{i}]"
            if (first := seen.setdefault(item.id, i)) != i:
                problem = Problem(f"{where}.id", f"{item.id!r} is also the id of statements[{first}]")
                raise Refusal(409, "duplicate-id", "two statements have the same id", [problem])
            own = self._targets(item.targets, f"{where}.targets") if item.targets else targets
            try:
                made = statement_record(item.model_dump(exclude_none=True, exclude={"targets"}))
            except StatementError as error:
                problem = Problem(where, error.rejection.message)
                raise Refusal(422, error.rejection.rule, "a statement cannot be read", [problem]) from error
            records.append(StatementRecord(made.statement, own))
        return await self._rows(records, monotonic() + self._timeout, gone)

    async def score(self, request: ScoreRequest, gone: Gone) -> list[ScoredArticle]:
        """Find and score the statements of articles.

        Raises
        ------
        Refusal
            409 for an id sent twice, 413 for more statements than one request may bring, and as `classify`.
        """
        deadline = monotonic() + self._timeout
        targets = self._targets(request.targets, "body.targets")
        if self._reading >= _READERS_WAITING:
            message = f"{self._reading} requests wait to be read already; try again shortly"
            raise Refusal(429, "busy", message, headers={"retry-after": "5"})
        self._reading += 1
        try:
            loop = asyncio.get_running_loop()
            read = loop.run_in_executor(self._readers, _read, request.articles, deadline)
            found = await self._in_time(read, deadline, gone)
        finally:
            self._reading -= 1
        records = [StatementRecord(s, targets) for scored in found for s in scored.statements]
        if len(records) > MAX_STATEMENTS:
            message = f"the articles hold {len(records)} statements, at most {MAX_STATEMENTS} in one request"
            raise Refusal(413, "too-many-statements", message)
        rows = iter(await self._rows(records, deadline, gone))
        width = len(targets or self.scorer.targets)
        for scored in found:
            article = scored.article
            for _ in range(len(scored.statements) * width):
                scored.rows.append(replace(next(rows), outlet=article.outlet, published=article.published))
        return found

    async def _rows(self, records: Sequence[StatementRecord], deadline: float, gone: Gone) -> list[StanceRow]:
        work: asyncio.Future[list[StanceRow]] = asyncio.get_running_loop().create_future()
        self.batcher.take(records, work)
        return await self._in_time(work, deadline, gone)

    async def _in_time(self, work: asyncio.Future[_T], deadline: float, gone: Gone) -> _T:
        """Wait for work until the deadline, or until nobody is there to be answered."""
        leaving = asyncio.ensure_future(gone())
        try:
            either: set[asyncio.Future[Any]] = {work, leaving}
            await asyncio.wait(either, timeout=deadline - monotonic(), return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                return work.result()
            if leaving.done():
                raise Refusal(499, "gone", "the client closed the connection")
            raise _too_long(self._timeout)
        finally:
            work.cancel()
            leaving.cancel()

    def _targets(self, names: Sequence[str] | None, where: str) -> tuple[Target, ...] | None:
        """Return the targets that names stand for, ``None`` for the server's own, so that those share batches."""
        if names is None:
            return None
        try:
            found = resolve_targets([self._known.get(name.strip().casefold(), name) for name in names])
        except TargetError as error:
            problem = Problem(where, error.rejection.message)
            raise Refusal(409, error.rejection.rule, "the targets cannot be used", [problem]) from error
        return None if found == self.scorer.targets else found


def _too_long(timeout: float) -> Refusal:
    message = f"not done within {timeout:g} seconds; send fewer statements at once, or try again when less is going on"
    return Refusal(408, "time-limit", message, headers={"retry-after": "10"})


def _read(articles: Sequence[ArticleIn], deadline: float) -> list[ScoredArticle]:
    """Read articles just as the command line reads lines of JSON, and find their statements."""
    lines = "".join(json.dumps(a.model_dump(exclude_none=True)) + "\n" for a in articles)
    rejected: list[Rejection] = []
    warned: list[Rejection] = []
    found: list[ScoredArticle] = []
    for article in read_articles(
        ["-"], stdin=io.BytesIO(lines.encode()), on_reject=rejected.append, on_warn=warned.append
    ):
        if monotonic() > deadline:
            raise Refusal(408, "time-limit", "the articles could not be read in time; send fewer at once")
        scored = ScoredArticle(article, extract_statements(article), list(warned))
        if not scored.statements:
            message = "no quoted or reported statement found, so no row"
            scored.warnings.append(Rejection("-", len(found) + 1, "no-statement", message))
        found.append(scored)
        warned.clear()
    if rejected:
        problems = [Problem(f"body.articles[{(r.record or 1) - 1}]", r.message) for r in rejected]
        status = 409 if any(r.rule == "duplicate-id" for r in rejected) else 422
        raise Refusal(status, rejected[0].rule, "an article cannot be read", problems)
    return found
