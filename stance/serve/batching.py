"""Dynamic batching: statements of many requests share the batches of one model thread.

The thread takes the statement that has waited longest and fills its batch with those waiting statements that are
nearest to it in length, so that little is spent on padding and none waits for ever. Batches are formed while the
model is at work on the one before; under load nobody waits for company.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from time import perf_counter

from stance.schema import StanceRow
from stance.scoring import Scorer, StatementRecord
from stance.serve.metrics import Metrics
from stance.serve.refusals import Refusal

__all__ = ["Batcher"]

_LOG = logging.getLogger("stance.serve")
_CONTEXT_CHARS = 200  # of context on each side that count as length: the model reads no more than about that
_TARGET_CHARS = 12  # length that one more target adds


@dataclass(slots=True)
class _Job:
    """The statements of one request; `rows` fills up in any order."""

    future: Future[list[StanceRow]]
    rows: list[Sequence[StanceRow]]
    left: int


@dataclass(slots=True)
class _Item:
    record: StatementRecord
    job: _Job
    index: int
    length: int
    since: float = field(default_factory=perf_counter)


class Batcher:
    """One thread that owns the model, and the statements that wait for it.

    Parameters
    ----------
    scorer
        Scores statements; called from one thread only.
    metrics
        Where batches are counted.
    batch
        Statements per batch, at most.
    linger
        Seconds to wait for company when fewer than `batch` statements are there.
    max_waiting
        Statements that may wait.
    """

    def __init__(
        self, scorer: Scorer, metrics: Metrics, *, batch: int = 32, linger: float = 0.002, max_waiting: int = 4000
    ) -> None:
        self._scorer = scorer
        self._metrics = metrics
        self._batch = batch
        self._linger = linger
        self._max_waiting = max_waiting
        self._items: list[_Item] = []
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="stance-model", daemon=True)

    def start(self) -> None:
        """Start the model thread."""
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether statements are taken and scored."""
        return self._thread.is_alive() and not self._stopping

    @property
    def waiting(self) -> int:
        """Number of statements that wait."""
        return len(self._items)

    def submit(self, records: Sequence[StatementRecord]) -> Future[list[StanceRow]]:
        """Hand over the statements of one request.

        Returns
        -------
        concurrent.futures.Future
            Its result is one row per statement and target, in the order of `records`. If it is cancelled, the
            statements that still wait are dropped.

        Raises
        ------
        Refusal
            With status 429 if too many statements wait already, 503 if the server is stopping.
        """
        future: Future[list[StanceRow]] = Future()
        if not records:
            future.set_result([])
            return future
        job = _Job(future, [()] * len(records), len(records))
        items = [_Item(record, job, i, self._length(record)) for i, record in enumerate(records)]
        with self._changed:
            if self._stopping:
                raise Refusal(503, "stopping", "the server is stopping", headers={"retry-after": "5"})
            if self._items and len(self._items) + len(items) > self._max_waiting:
                message = f"{len(self._items)} statements wait for the model already; try again shortly"
                raise Refusal(429, "busy", message, headers={"retry-after": "5"})
            self._items += items
            self._metrics.waiting.set(len(self._items))
            self._changed.notify()
        return future

    def stop(self, timeout: float) -> bool:
        """Take no more, finish what waits, and end the thread; return whether it ended in time (seconds)."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _length(self, record: StatementRecord) -> int:
        s = record.statement
        around = min(len(s.before), _CONTEXT_CHARS) + min(len(s.after), _CONTEXT_CHARS)
        return len(s.text) + around + _TARGET_CHARS * len(record.targets or self._scorer.targets)

    def _run(self) -> None:
        while batch := self._next():
            started = perf_counter()
            for item in batch:
                self._metrics.wait.observe(started - item.since)
            self._score(batch)
            self._metrics.batch.observe(len(batch))
            self._metrics.model_seconds.inc(perf_counter() - started)

    def _next(self) -> list[_Item]:
        """Wait for statements and return a batch of them; an empty one means the end."""
        with self._changed:
            while True:
                self._changed.wait_for(lambda: self._items or self._stopping)
                if len(self._items) < self._batch and not self._stopping:
                    self._changed.wait_for(lambda: len(self._items) >= self._batch or self._stopping, self._linger)
                self._items = [item for item in self._items if not item.job.future.cancelled()]
                batch = self._chosen()
                taken = set(map(id, batch))
                self._items = [item for item in self._items if id(item) not in taken]
                self._metrics.waiting.set(len(self._items))
                if batch or self._stopping:
                    return batch

    def _chosen(self) -> list[_Item]:
        """Return the oldest statement and those nearest to it in length that are asked about the same targets."""
        if not self._items:
            return []
        oldest = self._items[0]
        targets = oldest.record.targets
        alike = [item for item in self._items if item.record.targets == targets]
        alike.sort(key=lambda item: abs(item.length - oldest.length))  # stable: the oldest stays first
        return alike[: self._batch]

    def _score(self, batch: list[_Item]) -> None:
        """Score a batch; if it fails, each statement alone, so that a failure stays with its own request."""
        try:
            results = list(self._scorer.classify_many(item.record for item in batch))
        except Exception as error:
            if len(batch) > 1:
                _LOG.warning("a batch of %d statements failed, each is tried alone: %s", len(batch), error)
                for item in batch:
                    self._score([item])
                return
            _LOG.exception("a statement could not be scored")
            _settle(batch[0].job.future, error)
            return
        for item, rows in zip(batch, results, strict=True):
            self._count(rows)
            job = item.job
            job.rows[item.index] = rows
            job.left -= 1
            if not job.left:
                _settle(job.future, [row for part in job.rows for row in part])

    def _count(self, rows: Sequence[StanceRow]) -> None:
        self._metrics.statements.inc()
        for row in rows:
            self._metrics.rows.labels(row.label).inc()
        self._metrics.abstained.inc(sum(row.abstained for row in rows))


def _settle(future: Future[list[StanceRow]], result: list[StanceRow] | Exception) -> None:
    try:
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)
    except InvalidStateError:
        _LOG.debug("the request was given up before its answer was there")
